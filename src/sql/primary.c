/* Primary expressions: names, literals, parentheses, CASE, CAST, lambdas, and what may follow them.
 */
#include "sql/parser_impl.h"

/* ---- CASE ---- */

static bool parse_when(Parser *p, Expr *operand, Expr *cases)
{
    size_t from = mark(p);
    Expr *condition, *value;
    TRY(expect(p, KW_WHEN));
    TRY(parse_expression(p, &condition));
    if (operand) {
        Expr *args[2] = {operand, condition};
        condition = operator_call(p, "=", from, 2, args);
    }
    TRY(expect(p, KW_THEN));
    TRY(parse_expression(p, &value));
    vec_push(p->arena, &cases->cases.conditions, condition);
    vec_push(p->arena, &cases->cases.values, value);
    return true;
}

static bool parse_case(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Expr *operand = NULL, *e = expr_new(EXPR_CASE, p->arena);
    advance(p);
    if (!is_at(p, KW_WHEN))
        TRY(parse_expression(p, &operand));
    do
        TRY(parse_when(p, operand, e));
    while (is_at(p, KW_WHEN));
    if (accept(p, KW_ELSE))
        TRY(parse_expression(p, &e->cases.otherwise));
    TRY(expect(p, KW_END));
    e->origin = origin_from(p, from);
    *out = e;
    return true;
}

/* CASE is a name where no operand and no WHEN follows. */
static bool is_case(const Parser *p)
{
    switch (kind_at(p, 1)) {
    case TOK_EOF:
    case TOK_COMMA:
    case TOK_RIGHT_PAREN:
    case TOK_RIGHT_BRACKET:
    case TOK_DOT:
    case TOK_EQ:
    case TOK_SEMICOLON:
    case KW_FROM:
    case KW_AS: return false;
    default: return true;
    }
}

/* ---- CAST ---- */

static bool finish_cast(Parser *p, Expr *child, EvalMode mode, size_t from, Expr **out)
{
    size_t type_from = mark(p);
    const Type *type;
    TRY(parse_type(p, &type));
    Expr *e = expr_new(EXPR_CAST, p->arena);
    e->cast.child = child;
    e->cast.type = type_char_as_string(type, p->arena);
    e->cast.type_text = source_text(p, type_from);
    e->cast.mode = mode;
    e->origin = origin_from(p, from);
    *out = e;
    return true;
}

/* cast(a, b) reads as a call, and no function of the name takes arguments. */
static bool wrong_cast_call(Parser *p, Str name, size_t count, size_t from)
{
    for (Expr *ignored; is_at(p, TOK_COMMA); count++) {
        p->pos++;
        TRY(parse_expression(p, &ignored));
    }
    TRY(expect(p, TOK_RIGHT_PAREN));
    return REFUSE(p, from, ERR_WRONG_NUM_ARGS__WITHOUT_SUGGESTION,
                  P("functionName", str_printf(p->arena, "`" STR_FMT "`", STR_ARG(name))), PZ("expectedNum", "0"),
                  P("actualNum", str_printf(p->arena, "%zu", count)), PZ("docroot", "https://spark.apache.org/docs/latest"));
}

static bool parse_cast(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Expr *child;
    EvalMode mode = is_at(p, KW_TRY_CAST) ? EVAL_TRY : EVAL_DEFAULT;
    p->pos += 2;
    Str name = mode == EVAL_TRY ? S("try_cast") : S("cast");
    if (is_at(p, TOK_RIGHT_PAREN))
        return wrong_cast_call(p, name, 0, from);
    TRY(parse_expression(p, &child));
    if (is_at(p, TOK_RIGHT_PAREN) || is_at(p, TOK_COMMA))
        return wrong_cast_call(p, name, 1, from);
    TRY(expect(p, KW_AS));
    TRY(finish_cast(p, child, mode, from, out));
    TRY(expect(p, TOK_RIGHT_PAREN));
    (*out)->origin = origin_from(p, from);
    return true;
}

/* ---- lambdas ---- */

static bool finish_lambda(Parser *p, const StrVec *params, size_t from, Expr **out)
{
    Expr *body;
    TRY(expect(p, TOK_ARROW));
    TRY(parse_expression(p, &body));
    *out = new_expr(p, EXPR_LAMBDA, from);
    (*out)->lambda.params = *params;
    (*out)->lambda.body = body;
    return true;
}

static bool parse_lambda_many(Parser *p, Expr **out)
{
    size_t from = mark(p);
    StrVec params = {0};
    advance(p);
    do {
        Str name;
        TRY(parse_identifier(p, &name));
        vec_push(p->arena, &params, name);
    } while (accept(p, TOK_COMMA));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    return finish_lambda(p, &params, from, out);
}

/* ---- parentheses ---- */

static bool parse_scalar_subquery(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Rel *query;
    advance(p);
    TRY(parse_query(p, &query));
    TRY(expect_missing(p, TOK_RIGHT_PAREN));
    *out = new_expr(p, EXPR_SUBQUERY, from);
    (*out)->subquery.kind = SUBQUERY_SCALAR;
    (*out)->subquery.plan = query;
    return true;
}

/* (e), or a row (a, b AS c): the latter is a struct call. */
static bool parse_parenthesis(Parser *p, Expr **out)
{
    size_t from = mark(p);
    uint32_t close = peek_at(p, 0)->match;
    if (close && close + 1 < p->count && p->tokens[close + 1].kind == TOK_ARROW)
        return parse_lambda_many(p, out);
    if (is_query_start(p, 1))
        return parse_scalar_subquery(p, out);
    ExprVec items = {0};
    advance(p);
    TRY(parse_named_list(p, &items));
    if (items.len == 1 && items.at[0]->kind == EXPR_ALIAS) /* an alias needs a row around it */
        return syntax_error_at(p, p->pos);
    if (!accept(p, TOK_RIGHT_PAREN))
        return syntax_error(p);
    if (items.len == 1) {
        *out = items.at[0];
        return true;
    }
    *out = operator_call(p, "struct", from, 0, NULL);
    (*out)->call.args = items;
    return true;
}

/* ---- stars ---- */

static bool finish_star(Parser *p, const Name *target, size_t from, Expr **out)
{
    Expr *e = expr_new(EXPR_STAR, p->arena);
    if (target)
        e->star.target = *target;
    advance(p);
    if (is_at(p, KW_EXCEPT) && kind_at(p, 1) == TOK_LEFT_PAREN && !is_query_start(p, 2)) {
        NameVec names = {0};
        p->pos += 2;
        TRY(parse_multipart_seq(p, &names));
        TRY(expect_missing(p, TOK_RIGHT_PAREN));
        for (size_t i = 0; i < names.len; i++) {
            Expr *column = expr_new(EXPR_COLUMN, p->arena);
            column->column.name = names.at[i];
            column->origin = origin_from(p, from);
            vec_push(p->arena, &e->star.except, column);
        }
    }
    e->origin = origin_from(p, from);
    *out = e;
    return true;
}

/* ---- names ---- */

/* IDENTIFIER('a').b(..): the name of a function may go on behind the clause. */
static bool is_clause_call(const Parser *p)
{
    size_t i = peek_at(p, 1)->match;
    if (!i)
        return false;
    for (i++; !p->options->legacy_identifier_clause && kind_at(p, i - p->pos) == TOK_DOT &&
              is_name_at(p, i + 1 - p->pos); i += 2)
        if (kind_at(p, i + 1 - p->pos) == KW_IDENTIFIER && kind_at(p, i + 2 - p->pos) == TOK_LEFT_PAREN &&
            p->tokens[i + 2].match)
            i = p->tokens[i + 2].match - 1;
    return kind_at(p, i - p->pos) == TOK_LEFT_PAREN;
}

/* IDENTIFIER(..) OVER (..) can only be the call of a function of that name. */
static bool is_function_identifier(const Parser *p)
{
    size_t close = peek_at(p, 1)->match;
    TokenKind next = close ? kind_at(p, close + 1 - p->pos) : TOK_EOF;
    return next == KW_OVER || (next == KW_FILTER && kind_at(p, close + 2 - p->pos) == TOK_LEFT_PAREN);
}

static bool parse_identifier_clause(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Name name = {0};
    Expr *clause;
    if (is_function_identifier(p)) {
        vec_push(p->arena, &name, token_text(p, peek_at(p, 0)));
        advance(p);
        return parse_call(p, name, from, out);
    }
    if (!is_clause_call(p)) {
        Expr *text;
        p->pos += 2;
        TRY(parse_expression(p, &text));
        TRY(expect(p, TOK_RIGHT_PAREN));
        if (!p->options->legacy_identifier_clause && is_at(p, TOK_DOT) && kind_at(p, 1) == TOK_STAR) {
            vec_push(p->arena, &name, source_text(p, from));
            advance(p);
            return finish_star(p, &name, from, out);
        }
        *out = new_expr(p, EXPR_IDENTIFIER, from);
        (*out)->identifier.text = text;
        return true;
    }
    TRY(parse_reference(p, &name, &clause));
    if (clause && is_at(p, TOK_LEFT_PAREN)) {
        bool distinct = false;
        TRY(parse_call_arguments(p, &clause->identifier.args, &distinct));
        clause->identifier.is_call = true;
        clause->origin = origin_from(p, from);
        if (distinct)
            return refuse_unsupported(p, from, "DISTINCT in a call of IDENTIFIER(..)(..)");
    }
    if (clause) {
        *out = clause;
        return true;
    }
    return parse_call(p, name, from, out);
}

/* a, a.b.c, a.b.*, f(..), a.f(..), x -> .. */
static bool parse_name_expression(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Name name = {0};
    Str part;
    TRY(parse_identifier(p, &part));
    vec_push(p->arena, &name, part);
    if (is_at(p, TOK_ARROW)) {
        StrVec params = {0};
        vec_push(p->arena, &params, part);
        return finish_lambda(p, &params, from, out);
    }
    while (is_at(p, TOK_DOT) && (is_name_at(p, 1) || kind_at(p, 1) == TOK_STAR)) {
        advance(p);
        if (is_at(p, TOK_STAR))
            return finish_star(p, &name, from, out);
        TRY(parse_plain_identifier(p, &part));
        vec_push(p->arena, &name, part);
    }
    if (is_at(p, TOK_LEFT_PAREN))
        return parse_call(p, name, from, out);
    *out = new_expr(p, EXPR_COLUMN, from);
    (*out)->column.name = name;
    return true;
}

/* ---- parameters ---- */

static bool parse_parameter(Parser *p, Expr **out)
{
    size_t from = mark(p);
    bool named = is_at(p, TOK_COLON);
    Str name = {0};
    advance(p);
    if (named)
        TRY(parse_plain_identifier(p, &name));
    *out = new_expr(p, EXPR_PARAMETER, from);
    (*out)->parameter.name = name;
    (*out)->parameter.position = named ? 0 : p->parameters++;
    return true;
}

bool parse_constant(Parser *p, Expr **out)
{
    size_t from = mark(p);
    TokenKind kind = current(p);
    if (kind == TOK_QUESTION || (kind == TOK_COLON && is_name_at(p, 1)))
        return parse_parameter(p, out);
    if (is_number(kind) || (kind == TOK_MINUS && is_number(kind_at(p, 1))))
        return parse_number(p, out);
    if (is_string_at(p, 0)) {
        Str value;
        TRY(parse_string(p, &value));
        *out = string_literal(p, value, from);
        return true;
    }
    if (kind == KW_INTERVAL && is_interval_literal(p))
        return parse_interval(p, out);
    if (is_name_at(p, 0) && is_string_at(p, 1))
        return parse_typed_literal(p, out);
    if (kind != KW_NULL && kind != KW_TRUE && kind != KW_FALSE)
        return syntax_error(p);
    advance(p);
    *out = new_expr(p, EXPR_LITERAL, from);
    (*out)->literal =
        kind == KW_NULL ? value_null(type_simple(TYPE_NULL)) : value_bool(kind == KW_TRUE);
    return true;
}

/* ---- what follows a primary ---- */

static bool parse_subscript(Parser *p, Expr *child, size_t from, Expr **out)
{
    Expr *key;
    advance(p);
    TRY(parse_value(p, &key));
    TRY(expect_missing(p, TOK_RIGHT_BRACKET));
    *out = new_expr(p, EXPR_EXTRACT, from);
    (*out)->extract.child = child;
    (*out)->extract.key = key;
    return true;
}

static bool parse_dereference(Parser *p, Expr *child, size_t from, Expr **out)
{
    Str field;
    size_t at = p->pos + 1;
    advance(p);
    TRY(parse_identifier(p, &field));
    if (child->kind == EXPR_COLUMN && child->column.plan_id < 0) {
        Name name = name_of(p->arena, child->column.name.len, child->column.name.at);
        vec_push(p->arena, &name, field);
        *out = new_expr(p, EXPR_COLUMN, from);
        (*out)->column.name = name;
        return true;
    }
    *out = new_expr(p, EXPR_EXTRACT, from);
    (*out)->extract.child = child;
    (*out)->extract.key = string_literal(p, field, at);
    return true;
}

static bool parse_collate(Parser *p, Expr *child, size_t from, Expr **out)
{
    Name name;
    advance(p);
    size_t at = mark(p);
    TRY(parse_multipart(p, &name));
    bool builtin = name.len == 3 && str_is_ci(name.at[0], "system") && str_is_ci(name.at[1], "builtin");
    Expr *args[2] = {child, string_literal(p, builtin ? name.at[2] : dotted(p, &name), at)};
    *out = operator_call(p, "collate", from, 2, args);
    return true;
}

/* A field goes into the path without its quotes: v:`a.b` is v:a.b, and the column is called b. */
static bool parse_path_field(Parser *p, Buf *path, Str *name)
{
    TRY(parse_identifier(p, name));
    buf_addf(path, "." STR_FMT, STR_ARG(*name));
    for (size_t i = 0; i < name->len; i++)
        if (name->ptr[i] == '.' && i + 1 < name->len) {
            *name = str_slice(*name, i + 1, name->len);
            i = (size_t)-1;
        }
    return true;
}

/* v:a.b[0]['c'] : a path into a VARIANT or a JSON string. */
static bool parse_json_path(Parser *p, Expr *child, size_t from, Expr **out)
{
    advance(p);
    size_t path_from = mark(p);
    Str name = {0}; /* of the last field: what the column is called */
    Buf path = buf_in(p->arena);
    buf_addc(&path, '$');
    if (!is_at(p, TOK_LEFT_BRACKET))
        TRY(parse_path_field(p, &path, &name));
    for (;;) {
        size_t bracket_from = mark(p);
        if (accept(p, TOK_DOT)) {
            TRY(parse_path_field(p, &path, &name));
        } else if (accept(p, TOK_LEFT_BRACKET)) {
            if (!is_at(p, TOK_INTEGER) && !is_string_at(p, 0) && !is_name_at(p, 0))
                return syntax_error(p);
            size_t key_from = mark(p);
            bool key = is_string_at(p, 0);
            advance(p);
            if (key) {
                name = source_text(p, key_from);
                name = str_slice(name, 1, name.len - 1);
            }
            TRY(expect(p, TOK_RIGHT_BRACKET));
            buf_add(&path, source_text(p, bracket_from));
        } else {
            break;
        }
    }
    Expr *args[2] = {child, string_literal(p, buf_str(&path), path_from)};
    *out = operator_call(p, "variant_get", from, 2, args);
    if (!name.len)
        return true;
    Expr *alias = new_expr(p, EXPR_ALIAS, from);
    alias->alias.child = *out;
    vec_push(p->arena, &alias->alias.names, name);
    *out = alias;
    return true;
}

static bool parse_postfix(Parser *p, size_t from, Expr **out)
{
    for (size_t n = 0;; n++) {
        Expr *child = *out;
        if (n > SQL_MAX_DEPTH)
            return p->depth = SQL_MAX_DEPTH, enter(p);
        if (is_at(p, TOK_LEFT_BRACKET))
            TRY(parse_subscript(p, child, from, out));
        else if (is_at(p, TOK_DOT))
            TRY(parse_dereference(p, child, from, out));
        else if (accept(p, TOK_DOUBLE_COLON))
            TRY(finish_cast(p, child, EVAL_DEFAULT, from, out));
        else if (is_at(p, KW_COLLATE) && is_name_at(p, 1))
            TRY(parse_collate(p, child, from, out));
        else if (is_at(p, TOK_COLON) && (is_name_at(p, 1) || kind_at(p, 1) == TOK_LEFT_BRACKET))
            TRY(parse_json_path(p, child, from, out));
        else if (is_at(p, TOK_COLON) && kind_at(p, 1) == TOK_STAR)
            return syntax_error_at(p, p->pos + 1);
        else
            return true;
    }
}

/* ---- dispatch ---- */

static bool is_constant_start(const Parser *p)
{
    TokenKind kind = current(p);
    if (is_number(kind) || kind == TOK_MINUS || is_string_at(p, 0) || kind == TOK_QUESTION)
        return true;
    if (kind == TOK_COLON && is_name_at(p, 1))
        return true;
    if (kind == KW_NULL || kind == KW_TRUE || kind == KW_FALSE)
        return kind_at(p, 1) != TOK_LEFT_PAREN;
    if (kind == KW_INTERVAL && is_interval_literal(p))
        return true;
    return is_name_at(p, 0) && is_string_at(p, 1) && kind != TOK_BACKQUOTED;
}

static bool parse_head(Parser *p, Expr **out)
{
    bool special = false;
    switch (current(p)) {
    case TOK_LEFT_PAREN: return parse_parenthesis(p, out);
    case TOK_STAR: return finish_star(p, NULL, mark(p), out);
    case KW_CASE:
        if (is_case(p))
            return parse_case(p, out);
        break;
    case KW_CAST:
    case KW_TRY_CAST:
        if (kind_at(p, 1) == TOK_LEFT_PAREN)
            return parse_cast(p, out);
        break;
    case KW_IDENTIFIER:
        if (is_identifier_clause(p))
            return parse_identifier_clause(p, out);
        break;
    default: break;
    }
    if (is_constant_start(p))
        return parse_constant(p, out);
    if (is_at(p, KW_INTERVAL) && (kind_at(p, 1) == TOK_INTEGER || kind_at(p, 1) == TOK_DECIMAL))
        return syntax_error_at(p, p->pos + 2); /* a number without a unit */
    if (kind_at(p, 1) == TOK_LEFT_PAREN)
        TRY(parse_special_call(p, &special, out));
    return special || parse_name_expression(p, out);
}

bool parse_primary(Parser *p, Expr **out)
{
    size_t from = mark(p);
    TRY(parse_head(p, out));
    return parse_postfix(p, from, out);
}
