/* Expressions by precedence: OR, AND, NOT, predicates, then the binary operators of values. */
#include "sql/parser_impl.h"

Expr *new_expr(Parser *p, ExprKind kind, size_t from)
{
    Expr *e = expr_new(kind, p->arena);
    e->origin = origin_from(p, from);
    return e;
}

Expr *operator_call(Parser *p, const char *name, size_t from, size_t argc, Expr *const *args)
{
    Expr *e = expr_call(p->arena, name, argc, args);
    e->call.is_operator = true;
    e->origin = origin_from(p, from);
    return e;
}

Expr *negate(Parser *p, Expr *e, size_t from)
{
    return operator_call(p, "not", from, 1, &e);
}

/* ---- AND, OR ---- */

static Expr *subtree(Parser *p, const char *name, Expr *const *operands, size_t count, size_t from)
{
    if (count == 1)
        return operands[0];
    size_t left = (count - 1) / 2 + 1;
    Expr *sides[2] = {subtree(p, name, operands, left, from),
                      subtree(p, name, operands + left, count - left, from)};
    return operator_call(p, name, from, 2, sides);
}

Expr *balanced_tree(Parser *p, const char *name, const ExprVec *operands, size_t from)
{
    return subtree(p, name, operands->at, operands->len, from);
}

/* ---- predicates ---- */

/* (LIKE|ILIKE) (ANY|ALL) (..): one comparison a pattern. */
static bool parse_like_quantified(Parser *p, const char *name, Expr *value, bool negated,
                                  size_t from, Expr **out)
{
    bool all = is_at(p, KW_ALL);
    ExprVec patterns = {0}, tests = {0};
    advance(p);
    TRY(expect(p, TOK_LEFT_PAREN));
    if (!is_at(p, TOK_RIGHT_PAREN))
        TRY(parse_expression_list(p, &patterns));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    if (!patterns.len)
        return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0064,
                      PZ("msg", "Expected something between '(' and ')'."));
    for (size_t i = 0; i < patterns.len; i++) {
        Expr *args[2] = {value, patterns.at[i]};
        Expr *test = operator_call(p, name, from, 2, args);
        vec_push(p->arena, &tests, negated ? negate(p, test, from) : test);
    }
    *out = balanced_tree(p, all ? "and" : "or", &tests, from);
    return true;
}

static bool parse_like(Parser *p, Expr *value, bool negated, size_t from, Expr **out)
{
    const char *name = is_at(p, KW_ILIKE) ? "ilike" : "like";
    advance(p);
    TokenKind kind = current(p);
    if ((kind == KW_ANY || kind == KW_SOME || kind == KW_ALL) && kind_at(p, 1) == TOK_LEFT_PAREN)
        return parse_like_quantified(p, name, value, negated, from, out);
    Expr *args[3] = {value};
    size_t count = 2;
    TRY(parse_value(p, &args[1]));
    if (accept(p, KW_ESCAPE)) {
        Str escape;
        size_t at = mark(p);
        TRY(parse_string(p, &escape));
        args[2] = string_literal(p, escape, at);
        count = 3;
        if (str_utf8_len(escape) != 1)
            return REFUSE(
                p, from, ERR_INVALID_ESC,
                P("invalidEscape", str_printf(p->arena, "'" STR_FMT "'", STR_ARG(escape))));
    }
    *out = operator_call(p, name, from, count, args);
    return true;
}

static bool parse_in(Parser *p, Expr *value, size_t from, Expr **out)
{
    advance(p);
    if (!is_at(p, TOK_LEFT_PAREN))
        return syntax_error(p);
    if (is_query_start(p, 1)) {
        Rel *query;
        advance(p);
        TRY(parse_query(p, &query));
        TRY(expect_missing(p, TOK_RIGHT_PAREN));
        Expr *e = new_expr(p, EXPR_SUBQUERY, from);
        e->subquery.kind = SUBQUERY_IN;
        e->subquery.plan = query;
        bool row = value->kind == EXPR_CALL && value->call.is_operator &&
                   str_is(value->call.name.at[0], "struct");
        if (row)
            e->subquery.values = value->call.args;
        else
            vec_push(p->arena, &e->subquery.values, value);
        *out = e;
        return true;
    }
    ExprVec items = {0};
    advance(p);
    vec_push(p->arena, &items, value);
    if (!is_at(p, TOK_RIGHT_PAREN))
        TRY(parse_expression_list(p, &items));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    if (items.len == 1)
        return REFUSE(p, from, ERR_INVALID_SQL_SYNTAX__EMPTY_IN_PREDICATE);
    *out = operator_call(p, "in", from, 0, NULL);
    (*out)->call.args = items;
    return true;
}

static bool parse_between(Parser *p, Expr *value, size_t from, Expr **out)
{
    Expr *args[3] = {value};
    advance(p);
    TRY(parse_value(p, &args[1]));
    TRY(expect(p, KW_AND));
    TRY(parse_value(p, &args[2]));
    *out = operator_call(p, "between", from, 3, args);
    return true;
}

/* "!" for NOT is only allowed in front of an operand. */
static bool refuse_bang(Parser *p)
{
    size_t at = mark(p);
    advance(p);
    return REFUSE(p, at, ERR_SYNTAX_DISCONTINUED__BANG_EQUALS_NOT, PZ("clause", "!"));
}

static bool parse_is(Parser *p, Expr *value, size_t from, Expr **out)
{
    advance(p);
    if (is_at(p, TOK_BANG) && !p->options->bang_is_not)
        return refuse_bang(p);
    bool negated = accept(p, KW_NOT) || accept(p, TOK_BANG);
    if (accept(p, KW_NULL)) {
        *out = operator_call(p, negated ? "isnotnull" : "isnull", from, 1, &value);
        return true;
    }
    if (accept(p, KW_DISTINCT)) {
        Expr *args[2] = {value};
        TRY(expect(p, KW_FROM));
        TRY(parse_value(p, &args[1]));
        *out = operator_call(p, "<=>", from, 2, args);
        if (!negated)
            *out = negate(p, *out, from);
        return true;
    }
    bool unknown = is_at(p, KW_UNKNOWN);
    Expr *sides[2] = {value, expr_literal(value_bool(is_at(p, KW_TRUE)), p->arena)};
    if (!is_at(p, KW_TRUE) && !is_at(p, KW_FALSE) && !is_at(p, KW_UNKNOWN))
        return syntax_error(p);
    advance(p);
    *out = operator_call(p, unknown ? "isnull" : "<=>", from, unknown ? 1 : 2, sides);
    if (negated)
        *out = negate(p, *out, from);
    return true;
}

static bool is_predicate_word(TokenKind kind)
{
    return kind == KW_BETWEEN || kind == KW_IN || kind == KW_RLIKE || kind == KW_LIKE ||
           kind == KW_ILIKE;
}

static bool is_truth_word(TokenKind kind)
{
    return kind == KW_NOT || kind == TOK_BANG || kind == KW_NULL || kind == KW_TRUE ||
           kind == KW_FALSE || kind == KW_UNKNOWN || kind == KW_DISTINCT;
}

/* Behind the word must stand what the predicate needs; otherwise the word is an alias. */
static bool is_predicate_at(const Parser *p, size_t ahead)
{
    TokenKind next = kind_at(p, ahead + 1);
    if (kind_at(p, ahead) == KW_IN)
        return next == TOK_LEFT_PAREN;
    return is_predicate_word(kind_at(p, ahead)) && !is_list_stop(next);
}

/* What may follow a value: the predicate's origin starts at its own first word, as in Spark. */
static bool parse_predicate(Parser *p, Expr *value, Expr **out)
{
    size_t from = mark(p);
    *out = value;
    if (is_at(p, KW_IS) && is_truth_word(kind_at(p, 1)))
        return parse_is(p, value, from, out);
    bool negated = (is_at(p, KW_NOT) || is_at(p, TOK_BANG)) && is_predicate_at(p, 1);
    if (negated && is_at(p, TOK_BANG) && !p->options->bang_is_not)
        return refuse_bang(p);
    if (negated)
        advance(p);
    else if (!is_predicate_at(p, 0))
        return true;
    switch (current(p)) {
    case KW_BETWEEN: TRY(parse_between(p, value, from, out)); break;
    case KW_IN: TRY(parse_in(p, value, from, out)); break;
    case KW_RLIKE: {
        Expr *args[2] = {value};
        advance(p);
        TRY(parse_value(p, &args[1]));
        *out = operator_call(p, "rlike", from, 2, args);
        break;
    }
    default: {
        size_t word = p->pos + 1;
        bool quantified = p->tokens[word].kind == KW_ANY || p->tokens[word].kind == KW_SOME ||
                          p->tokens[word].kind == KW_ALL;
        TRY(parse_like(p, value, negated, from, out));
        if (quantified && p->tokens[word + 1 < p->count ? word + 1 : word].kind == TOK_LEFT_PAREN)
            return true; /* negated inside */
        break;
    }
    }
    if (negated)
        *out = negate(p, *out, from);
    return true;
}

/* ---- NOT, AND, OR ---- */

static bool parse_exists(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Rel *query;
    p->pos += 2;
    TRY(parse_query(p, &query));
    TRY(expect(p, TOK_RIGHT_PAREN));
    *out = new_expr(p, EXPR_SUBQUERY, from);
    (*out)->subquery.kind = SUBQUERY_EXISTS;
    (*out)->subquery.plan = query;
    return true;
}

/* A word NOT that is itself a column: followed by something no operand starts with. */
static bool not_is_name(const Parser *p)
{
    TokenKind next = kind_at(p, 1);
    return next == TOK_EOF || next == TOK_COMMA || next == TOK_RIGHT_PAREN || next == TOK_DOT ||
           next == TOK_SEMICOLON;
}

static bool parse_not(Parser *p, Expr **out)
{
    VEC(size_t) nots = {0};
    while (is_at(p, TOK_BANG) || (is_at(p, KW_NOT) && !not_is_name(p))) {
        vec_push(p->arena, &nots, p->pos);
        advance(p);
        if (nots.len > SQL_MAX_DEPTH)
            return p->depth = SQL_MAX_DEPTH, enter(p);
    }
    if (is_at(p, KW_EXISTS) && kind_at(p, 1) == TOK_LEFT_PAREN && is_query_start(p, 2)) {
        TRY(parse_exists(p, out));
    } else {
        Expr *value;
        TRY(parse_value(p, &value));
        TRY(parse_predicate(p, value, out));
    }
    while (nots.len)
        *out = negate(p, *out, nots.at[--nots.len]);
    return true;
}

/* AND or OR; at the end of a list the word is an alias. */
static bool is_connective(const Parser *p, TokenKind word)
{
    return is_at(p, word) && !is_list_stop(kind_at(p, 1));
}

static bool parse_and(Parser *p, Expr **out)
{
    size_t from = mark(p);
    TRY(parse_not(p, out));
    if (!is_connective(p, KW_AND))
        return true;
    ExprVec operands = {0};
    vec_push(p->arena, &operands, *out);
    while (is_connective(p, KW_AND)) {
        Expr *next;
        advance(p);
        TRY(parse_not(p, &next));
        vec_push(p->arena, &operands, next);
    }
    *out = balanced_tree(p, "and", &operands, from);
    return true;
}

static bool parse_or(Parser *p, Expr **out)
{
    size_t from = mark(p);
    TRY(parse_and(p, out));
    if (!is_connective(p, KW_OR))
        return true;
    ExprVec operands = {0};
    vec_push(p->arena, &operands, *out);
    while (is_connective(p, KW_OR)) {
        Expr *next;
        advance(p);
        TRY(parse_and(p, &next));
        vec_push(p->arena, &operands, next);
    }
    *out = balanced_tree(p, "or", &operands, from);
    return true;
}

bool parse_expression(Parser *p, Expr **out)
{
    TRY(enter(p));
    TRY(parse_or(p, out));
    leave(p);
    return true;
}

/* ---- binary operators ---- */

typedef struct Operator {
    const char *name;
    int level; /* higher binds tighter; 0: no binary operator */
} Operator;

static Operator binary_operator(const Parser *p)
{
    switch (current(p)) {
    case TOK_EQ: return (Operator){"=", 1};
    case TOK_NSEQ: return (Operator){"<=>", 1};
    case TOK_NEQ: return (Operator){"<>", 1};
    case TOK_LT: return (Operator){"<", 1};
    case TOK_LTE: return (Operator){"<=", 1};
    case TOK_GT: return (Operator){">", 1};
    case TOK_GTE: return (Operator){">=", 1};
    case TOK_PIPE: return is_pipe(p) ? (Operator){0} : (Operator){"|", 2};
    case TOK_HAT: return (Operator){"^", 3};
    case TOK_AMPERSAND: return (Operator){"&", 4};
    case TOK_SHIFT_LEFT: return (Operator){"<<", 5};
    case TOK_SHIFT_RIGHT: return (Operator){">>", 5};
    case TOK_SHIFT_RIGHT_UNSIGNED: return (Operator){">>>", 5};
    case TOK_PLUS: return (Operator){"+", 6};
    case TOK_MINUS: return (Operator){"-", 6};
    case TOK_CONCAT: return (Operator){"||", 6};
    case TOK_STAR: return (Operator){"*", 7};
    case TOK_SLASH: return (Operator){"/", 7};
    case TOK_PERCENT: return (Operator){"%", 7};
    case KW_DIV: {
        /* DIV is an operator only where an operand can follow; otherwise it is an alias. */
        TokenKind next = kind_at(p, 1);
        bool alias = next == TOK_EOF || next == TOK_COMMA || next == TOK_RIGHT_PAREN ||
                     next == TOK_SEMICOLON;
        return alias ? (Operator){0} : (Operator){"div", 7};
    }
    default: return (Operator){0};
    }
}

static bool parse_unary(Parser *p, Expr **out)
{
    struct Sign {
        size_t at;
        const char *name;
    };
    VEC(struct Sign) signs = {0};
    for (;;) {
        const char *name = is_at(p, TOK_MINUS)   ? "-"
                           : is_at(p, TOK_PLUS)  ? "positive"
                           : is_at(p, TOK_TILDE) ? "~"
                                                 : NULL;
        if (!name || (is_at(p, TOK_MINUS) && is_number(kind_at(p, 1))))
            break; /* -1 is a literal */
        vec_push(p->arena, &signs, ((struct Sign){p->pos, name}));
        advance(p);
        if (signs.len > SQL_MAX_DEPTH)
            return p->depth = SQL_MAX_DEPTH, enter(p);
    }
    TRY(parse_primary(p, out));
    while (signs.len) {
        struct Sign sign = signs.at[--signs.len];
        *out = operator_call(p, sign.name, sign.at, 1, out);
    }
    return true;
}

/* One level for each precedence; a chain of equal ones is a loop, and its length is what makes the
 * tree deep. */
static bool parse_level(Parser *p, int level, Expr **out)
{
    size_t from = mark(p), chain = 0;
    TRY(parse_unary(p, out));
    for (Operator op; (op = binary_operator(p)).level >= level && op.level;) {
        Expr *args[2] = {*out};
        advance(p);
        TRY(parse_level(p, op.level + 1, &args[1]));
        bool differs = op.level == 1 && str_is(str_from(op.name), "<>");
        *out = operator_call(p, differs ? "=" : op.name, from, 2, args);
        if (differs)
            *out = negate(p, *out, from);
        if (++chain > SQL_MAX_CHAIN)
            return p->depth = SQL_MAX_DEPTH, enter(p);
    }
    return true;
}

bool parse_value(Parser *p, Expr **out)
{
    TRY(enter(p));
    TRY(parse_level(p, 1, out));
    leave(p);
    return true;
}

/* ---- lists, aliases, sort items ---- */

bool parse_expression_list(Parser *p, ExprVec *out)
{
    do {
        Expr *e;
        TRY(parse_expression(p, &e));
        vec_push(p->arena, out, e);
    } while (accept(p, TOK_COMMA));
    return true;
}

/* Words that follow an expression and are not its alias. */
static bool ends_named_expression(const Parser *p)
{
    TokenKind kind = current(p), next = kind_at(p, 1);
    if (is_clause_start(p, 0))
        return true;
    switch (kind) {
    case KW_FOR: /* PIVOT (sum(x) FOR ..) */ return is_name_at(p, 1) || next == TOK_LEFT_PAREN;
    case KW_WITH: return next == KW_ROLLUP || next == KW_CUBE;
    case KW_GROUPING: return next == KW_SETS;
    case KW_DELAY: return next == KW_OF;
    case KW_USING: return is_string_at(p, 1);
    case KW_INSERT: return next == KW_INTO || next == KW_OVERWRITE;
    case KW_SELECT:
        return next != TOK_EOF && next != TOK_COMMA && next != TOK_RIGHT_PAREN &&
               next != TOK_SEMICOLON;
    default: return false;
    }
}

bool parse_named_expression(Parser *p, Expr **out)
{
    size_t from = mark(p);
    TRY(parse_expression(p, out));
    bool as = accept(p, KW_AS);
    if (!as && (ends_named_expression(p) || (!is_name_at(p, 0) && !is_at(p, TOK_LEFT_PAREN))))
        return true;
    StrVec names = {0};
    if (is_at(p, TOK_LEFT_PAREN)) {
        TRY(parse_identifier_list(p, &names));
    } else {
        Str name;
        TRY(parse_captured_identifier(p, &name));
        vec_push(p->arena, &names, name);
    }
    Expr *alias = new_expr(p, EXPR_ALIAS, from);
    alias->alias.child = *out;
    alias->alias.names = names;
    *out = alias;
    return true;
}

bool parse_named_list(Parser *p, ExprVec *out)
{
    do {
        Expr *e;
        TRY(parse_named_expression(p, &e));
        vec_push(p->arena, out, e);
    } while (accept(p, TOK_COMMA));
    return true;
}

bool parse_sort_item(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Expr *child;
    TRY(parse_expression(p, &child));
    bool descending = is_at(p, KW_DESC);
    if (descending || is_at(p, KW_ASC))
        advance(p);
    bool given = is_at(p, KW_NULLS) && (kind_at(p, 1) == KW_FIRST || kind_at(p, 1) == KW_LAST);
    bool first = given ? kind_at(p, 1) == KW_FIRST : !descending;
    if (given)
        p->pos += 2;
    *out = new_expr(p, EXPR_SORT, from);
    (*out)->sort.child = child;
    (*out)->sort.descending = descending;
    (*out)->sort.nulls_first = first;
    (*out)->sort.nulls_given = given;
    return true;
}

bool parse_sort_list(Parser *p, ExprVec *out)
{
    do {
        Expr *e;
        TRY(parse_sort_item(p, &e));
        vec_push(p->arena, out, e);
    } while (accept(p, TOK_COMMA));
    return true;
}
