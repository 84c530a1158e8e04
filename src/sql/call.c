/* Calls: arguments, FILTER, WITHIN GROUP, OVER, and the functions that have a grammar of their own.
 */
#include "sql/parser_impl.h"

/* ---- arguments ---- */

/* One item, or several in parentheses. */
static bool parse_items(Parser *p, bool (*item)(Parser *, Expr **), ExprVec *out)
{
    bool parens = is_at(p, TOK_LEFT_PAREN);
    if (parens)
        advance(p);
    do {
        Expr *e;
        TRY(item(p, &e));
        vec_push(p->arena, out, e);
    } while (parens && accept(p, TOK_COMMA));
    return !parens || expect(p, TOK_RIGHT_PAREN);
}

/* [PARTITION BY .. | WITH SINGLE PARTITION] [ORDER BY ..] */
static bool parse_table_partition(Parser *p, Expr *table)
{
    bool split = (is_at(p, KW_PARTITION) || is_at(p, KW_DISTRIBUTE)) && kind_at(p, 1) == KW_BY;
    if (split) {
        advance(p);
        advance(p);
        TRY(parse_items(p, parse_expression, &table->subquery.partition));
    } else if (is_at(p, KW_WITH) && kind_at(p, 1) == KW_SINGLE) {
        advance(p);
        advance(p);
        TRY(expect(p, KW_PARTITION));
    }
    if ((is_at(p, KW_ORDER) || is_at(p, KW_SORT)) && kind_at(p, 1) == KW_BY) {
        advance(p);
        advance(p);
        TRY(parse_items(p, parse_sort_item, &table->subquery.order));
    }
    return true;
}

/* TABLE(t), TABLE(SELECT ..), TABLE t. */
static bool parse_table_argument(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Rel *plan;
    advance(p);
    bool parens = is_at(p, TOK_LEFT_PAREN);
    if (parens && is_query_start(p, 1)) {
        advance(p);
        TRY(parse_query(p, &plan));
    } else {
        if (parens)
            advance(p);
        size_t at = mark(p);
        plan = rel_new(REL_NAMED_TABLE, NULL, p->arena);
        TRY(parse_reference(p, &plan->table.name, &plan->table.name_expr));
        plan->origin = origin_from(p, at);
        if (!parens)
            return REFUSE(
                p, from,
                ERR_INVALID_SQL_SYNTAX__INVALID_TABLE_FUNCTION_IDENTIFIER_ARGUMENT_MISSING_PARENTHESES,
                P("argumentName", source_text(p, at)));
    }
    if (parens)
        TRY(expect(p, TOK_RIGHT_PAREN));
    *out = new_expr(p, EXPR_SUBQUERY, from);
    (*out)->subquery.kind = SUBQUERY_TABLE;
    (*out)->subquery.plan = plan;
    return parse_table_partition(p, *out);
}

static bool is_table_argument(const Parser *p)
{
    return is_at(p, KW_TABLE) && (kind_at(p, 1) == TOK_LEFT_PAREN || is_name_at(p, 1));
}

static bool parse_argument(Parser *p, Expr **out)
{
    size_t from = mark(p);
    if (is_table_argument(p))
        return parse_table_argument(p, out);
    if (!is_name_at(p, 0) || kind_at(p, 1) != TOK_FAT_ARROW)
        return parse_expression(p, out);
    Str name;
    Expr *value;
    TRY(parse_identifier(p, &name));
    advance(p);
    if (is_table_argument(p))
        TRY(parse_table_argument(p, &value));
    else
        TRY(parse_expression(p, &value));
    *out = new_expr(p, EXPR_NAMED_ARGUMENT, from);
    (*out)->named_argument.name = name;
    (*out)->named_argument.value = value;
    return true;
}

bool parse_call_arguments(Parser *p, ExprVec *out, bool *distinct)
{
    TRY(expect(p, TOK_LEFT_PAREN));
    *distinct = false;
    if (accept(p, TOK_RIGHT_PAREN))
        return true;
    /* DISTINCT and ALL are also names: f(all) */
    TokenKind next = kind_at(p, 1);
    if ((is_at(p, KW_DISTINCT) || is_at(p, KW_ALL)) && next != TOK_COMMA &&
        next != TOK_RIGHT_PAREN && next != TOK_DOT) {
        *distinct = is_at(p, KW_DISTINCT);
        advance(p);
    }
    do {
        Expr *e;
        TRY(parse_argument(p, &e));
        vec_push(p->arena, out, e);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

/* ---- windows ---- */

static bool parse_frame_bound(Parser *p, FrameBound *out)
{
    *out = (FrameBound){0};
    size_t from = mark(p);
    if (is_at(p, KW_UNBOUNDED) &&
        (kind_at(p, 1) == KW_PRECEDING || kind_at(p, 1) == KW_FOLLOWING)) {
        out->kind =
            kind_at(p, 1) == KW_PRECEDING ? BOUND_UNBOUNDED_PRECEDING : BOUND_UNBOUNDED_FOLLOWING;
        p->pos += 2;
        return true;
    }
    if (accept_two(p, KW_CURRENT, KW_ROW)) {
        out->kind = BOUND_CURRENT_ROW;
        return true;
    }
    TRY(parse_expression(p, &out->value));
    if (!is_at(p, KW_PRECEDING) && !is_at(p, KW_FOLLOWING))
        return syntax_error(p);
    out->kind = is_at(p, KW_PRECEDING) ? BOUND_PRECEDING : BOUND_FOLLOWING;
    advance(p);
    if (out->value->kind == EXPR_COLUMN || out->value->kind == EXPR_SUBQUERY ||
        out->value->kind == EXPR_STAR)
        return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0064,
                      PZ("msg", "Frame bound value must be a literal."));
    return true;
}

static bool parse_frame(Parser *p, WindowSpec *out)
{
    out->frame = is_at(p, KW_ROWS) ? FRAME_ROWS : FRAME_RANGE;
    advance(p);
    out->to.kind = BOUND_CURRENT_ROW;
    if (!accept(p, KW_BETWEEN))
        return parse_frame_bound(p, &out->from);
    TRY(parse_frame_bound(p, &out->from));
    TRY(expect(p, KW_AND));
    return parse_frame_bound(p, &out->to);
}

/* CLUSTER BY stands for PARTITION BY here; unlike at the end of a query it does not sort. */
static bool parse_window_keys(Parser *p, WindowSpec *out)
{
    bool partition = is_at(p, KW_PARTITION) || is_at(p, KW_DISTRIBUTE) || is_at(p, KW_CLUSTER);
    bool cluster = is_at(p, KW_CLUSTER);
    if (partition && kind_at(p, 1) == KW_BY) {
        p->pos += 2;
        TRY(parse_expression_list(p, &out->partition));
    }
    if (!cluster && (is_at(p, KW_ORDER) || is_at(p, KW_SORT)) && kind_at(p, 1) == KW_BY) {
        p->pos += 2;
        TRY(parse_sort_list(p, &out->order));
    }
    return true;
}

bool parse_window_spec(Parser *p, WindowSpec *out)
{
    *out = (WindowSpec){0};
    if (!is_at(p, TOK_LEFT_PAREN))
        return parse_captured_identifier(p, &out->base_name);
    advance(p);
    if (is_name_at(p, 0) && kind_at(p, 1) == TOK_RIGHT_PAREN) {
        TRY(parse_captured_identifier(p, &out->base_name));
        return expect(p, TOK_RIGHT_PAREN);
    }
    TRY(parse_window_keys(p, out));
    if (is_at(p, KW_ROWS) || is_at(p, KW_RANGE))
        TRY(parse_frame(p, out));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

bool parse_window_clause(Parser *p, Rel *input, Rel **out)
{
    size_t from = mark(p);
    Rel *rel = rel_new(REL_WINDOW_DEFS, input, p->arena);
    Map seen = map_in(p->arena);
    Name repeated = {0};
    TRY(expect(p, KW_WINDOW));
    do {
        WindowDef def = {0};
        TRY(parse_captured_identifier(p, &def.name));
        TRY(expect(p, KW_AS));
        TRY(parse_window_spec(p, &def.spec));
        if (map_has(&seen, def.name) && !repeated.len)
            vec_push(p->arena, &repeated, def.name);
        map_put(&seen, def.name, rel);
        vec_push(p->arena, &rel->window_defs.defs, def);
    } while (accept(p, TOK_COMMA));
    if (repeated.len)
        return REFUSE(p, from, ERR_INVALID_SQL_SYNTAX__REPETITIVE_WINDOW_DEFINITION,
                      P("windowName", name_quoted(&repeated, p->arena)));
    for (size_t i = 0; i < rel->window_defs.defs.len; i++) {
        Str base = rel->window_defs.defs.at[i].spec.base_name;
        if (base.len && !map_has(&seen, base))
            return REFUSE(p, from, ERR_INVALID_SQL_SYNTAX__UNRESOLVED_WINDOW_REFERENCE,
                          P("windowName", name_quoted(&(Name){.at = &base, .len = 1}, p->arena)));
    }
    rel->origin = origin_from(p, from);
    *out = rel;
    return true;
}

/* ---- what follows the arguments ---- */

static bool parse_call_clauses(Parser *p, Expr *call)
{
    if (is_at(p, KW_WITHIN) && kind_at(p, 1) == KW_GROUP) {
        p->pos += 2;
        TRY(expect(p, TOK_LEFT_PAREN));
        TRY(expect(p, KW_ORDER));
        TRY(expect(p, KW_BY));
        TRY(parse_sort_list(p, &call->call.within_group));
        TRY(expect(p, TOK_RIGHT_PAREN));
    }
    if (is_at(p, KW_FILTER) && kind_at(p, 1) == TOK_LEFT_PAREN && kind_at(p, 2) == KW_WHERE) {
        p->pos += 3;
        TRY(parse_expression(p, &call->call.filter));
        TRY(expect(p, TOK_RIGHT_PAREN));
    }
    if ((is_at(p, KW_IGNORE) || is_at(p, KW_RESPECT)) && kind_at(p, 1) == KW_NULLS) {
        call->call.ignore_nulls |= is_at(p, KW_IGNORE);
        call->call.respect_nulls = is_at(p, KW_RESPECT);
        p->pos += 2;
    }
    return true;
}

static bool finish_call(Parser *p, Expr *call, size_t from, Expr **out)
{
    TRY(parse_call_clauses(p, call));
    *out = call;
    if (is_at(p, KW_OVER) && (kind_at(p, 1) == TOK_LEFT_PAREN || is_name_at(p, 1))) {
        Expr *window = expr_new(EXPR_WINDOW, p->arena);
        advance(p);
        TRY(parse_window_spec(p, &window->window.spec));
        window->window.call = call;
        window->origin = origin_from(p, from);
        *out = window;
    }
    call->origin = origin_from(p, from);
    return true;
}

bool parse_call(Parser *p, Name name, size_t from, Expr **out)
{
    Expr *call = expr_new(EXPR_CALL, p->arena);
    call->call.name = name;
    TRY(parse_call_arguments(p, &call->call.args, &call->call.distinct));
    return finish_call(p, call, from, out);
}

/* ---- functions with a grammar of their own ---- */

static Expr *plain_call(Parser *p, const char *name, size_t from, size_t argc, Expr *const *args)
{
    Expr *e = expr_call(p->arena, name, argc, args);
    e->origin = origin_from(p, from);
    return e;
}

/* EXTRACT(unit FROM source) */
static bool parse_extract(Parser *p, size_t from, Expr **out)
{
    Expr *args[2];
    args[0] = string_literal(p, token_text(p, peek_at(p, 0)), p->pos);
    advance(p);
    TRY(expect(p, KW_FROM));
    TRY(parse_value(p, &args[1]));
    TRY(expect(p, TOK_RIGHT_PAREN));
    *out = plain_call(p, "extract", from, 2, args);
    return true;
}

/* SUBSTRING(s FROM a FOR n) */
static bool parse_substring(Parser *p, size_t from, Expr **out)
{
    Expr *args[3];
    size_t count = 2;
    TRY(parse_value(p, &args[0]));
    TRY(expect(p, KW_FROM));
    TRY(parse_value(p, &args[1]));
    if (accept(p, KW_FOR) || accept(p, TOK_COMMA)) {
        TRY(parse_value(p, &args[2]));
        count = 3;
    }
    TRY(expect(p, TOK_RIGHT_PAREN));
    *out = plain_call(p, "substring", from, count, args);
    return true;
}

/* TRIM([BOTH|LEADING|TRAILING] [chars] FROM s): as a call the characters come first. */
static bool parse_trim(Parser *p, size_t from, Expr **out)
{
    const char *name = is_at(p, KW_LEADING) ? "ltrim" : is_at(p, KW_TRAILING) ? "rtrim" : "trim";
    Expr *args[2];
    size_t count = 0;
    if (is_at(p, KW_BOTH) || is_at(p, KW_LEADING) || is_at(p, KW_TRAILING))
        advance(p);
    if (!is_at(p, KW_FROM))
        TRY(parse_value(p, &args[count++]));
    TRY(expect(p, KW_FROM));
    TRY(parse_value(p, &args[count++]));
    TRY(expect(p, TOK_RIGHT_PAREN));
    *out = operator_call(p, name, from, count, args);
    return true;
}

/* POSITION(a IN b) */
static bool parse_position(Parser *p, size_t from, Expr **out)
{
    Expr *args[2];
    TRY(parse_value(p, &args[0]));
    TRY(expect(p, KW_IN));
    TRY(parse_value(p, &args[1]));
    TRY(expect(p, TOK_RIGHT_PAREN));
    *out = plain_call(p, "locate", from, 2, args);
    return true;
}

/* OVERLAY(s PLACING r FROM a FOR n) */
static bool parse_overlay(Parser *p, size_t from, Expr **out)
{
    Expr *args[4];
    size_t count = 3;
    TRY(parse_value(p, &args[0]));
    TRY(expect(p, KW_PLACING));
    TRY(parse_value(p, &args[1]));
    TRY(expect(p, KW_FROM));
    TRY(parse_value(p, &args[2]));
    if (accept(p, KW_FOR)) {
        TRY(parse_value(p, &args[3]));
        count = 4;
    }
    TRY(expect(p, TOK_RIGHT_PAREN));
    *out = plain_call(p, "overlay", from, count, args);
    return true;
}

static bool is_datetime_unit(TokenKind kind)
{
    switch (kind) {
    case KW_YEAR:
    case KW_QUARTER:
    case KW_MONTH:
    case KW_WEEK:
    case KW_DAY:
    case KW_DAYOFYEAR:
    case KW_HOUR:
    case KW_MINUTE:
    case KW_SECOND:
    case KW_MILLISECOND:
    case KW_MICROSECOND: return true;
    default: return false;
    }
}

/* TIMESTAMPADD(unit, n, t), DATEDIFF(unit, a, b) and their spellings. */
static bool parse_unit_call(Parser *p, size_t from, Expr **out)
{
    Expr *args[3];
    Str name = token_text(p, &p->tokens[from]);
    bool bad = is_string_at(p, 0);
    Str unit = token_text(p, peek_at(p, 0));
    args[0] = string_literal(p, unit, p->pos);
    advance(p);
    TRY(expect(p, TOK_COMMA));
    TRY(parse_value(p, &args[1]));
    TRY(expect(p, TOK_COMMA));
    TRY(parse_value(p, &args[2]));
    TRY(expect(p, TOK_RIGHT_PAREN));
    if (bad)
        return REFUSE(p, from, ERR_INVALID_PARAMETER_VALUE__DATETIME_UNIT,
                      P("functionName", str_printf(p->arena, "`" STR_FMT "`", STR_ARG(name))),
                      PZ("parameter", "`unit`"), P("invalidValue", unit));
    *out = operator_call(p, str_z(name, p->arena), from, 3, args);
    return true;
}

/* The third comma-separated argument decides a string unit: date_add('2020-01-01', 1) is an
 * ordinary call. */
static bool has_three_arguments(const Parser *p)
{
    const Token *open = peek_at(p, 1);
    int commas = 0;
    for (size_t i = p->pos + 2; i < open->match; i++) {
        if (p->tokens[i].match)
            i = p->tokens[i].match;
        else
            commas += p->tokens[i].kind == TOK_COMMA;
    }
    return commas == 2;
}

static bool is_unit_call(const Parser *p)
{
    bool unit = is_datetime_unit(kind_at(p, 2)) || is_string_at(p, 2);
    return unit && kind_at(p, 3) == TOK_COMMA && has_three_arguments(p);
}

static bool parse_struct(Parser *p, size_t from, Expr **out)
{
    Expr *call = expr_call(p->arena, "struct", 0, NULL);
    call->call.name.at[0] = token_text(p, &p->tokens[from]);
    if (!is_at(p, TOK_RIGHT_PAREN))
        TRY(parse_named_list(p, &call->call.args));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    return finish_call(p, call, from, out);
}

/* first(x IGNORE NULLS) */
static bool parse_first_last(Parser *p, size_t from, Expr **out)
{
    Expr *arg;
    TRY(parse_expression(p, &arg));
    TRY(expect(p, KW_IGNORE));
    TRY(expect(p, KW_NULLS));
    TRY(expect(p, TOK_RIGHT_PAREN));
    Expr *call = expr_call(p->arena, "", 1, &arg);
    call->call.name.at[0] = token_text(p, &p->tokens[from]);
    call->call.ignore_nulls = true;
    return finish_call(p, call, from, out);
}

typedef struct SpecialForm {
    uint16_t function;
    uint16_t marker; /* the word between the arguments that tells the form from an ordinary call */
    bool (*parse)(Parser *p, size_t from, Expr **out);
} SpecialForm;

static const SpecialForm special_forms[] = {
    {KW_EXTRACT, KW_FROM, parse_extract},        {KW_SUBSTR, KW_FROM, parse_substring},
    {KW_SUBSTRING, KW_FROM, parse_substring},    {KW_TRIM, KW_FROM, parse_trim},
    {KW_POSITION, KW_IN, parse_position},        {KW_OVERLAY, KW_PLACING, parse_overlay},
    {KW_FIRST, KW_IGNORE, parse_first_last},     {KW_LAST, KW_IGNORE, parse_first_last},
    {KW_ANY_VALUE, KW_IGNORE, parse_first_last},
};

/* Looks for the marker among the call's own tokens, nested brackets skipped. The current token is
 * the name. */
static bool has_marker(const Parser *p, uint16_t marker)
{
    const Token *open = peek_at(p, 1);
    for (size_t i = p->pos + 2; i < open->match; i++) {
        if (p->tokens[i].kind == marker && p->tokens[i - 1].kind != KW_DISTINCT &&
            i + 1 < open->match)
            return true;
        if (p->tokens[i].match)
            i = p->tokens[i].match;
    }
    return false;
}

bool parse_special_call(Parser *p, bool *was, Expr **out)
{
    size_t from = mark(p);
    TokenKind kind = current(p);
    *was = true;
    switch (kind) {
    case KW_STRUCT: p->pos += 2; return parse_struct(p, from, out);
    case KW_TIMESTAMPADD:
    case KW_DATEADD:
    case KW_DATE_ADD:
    case KW_TIMESTAMPDIFF:
    case KW_DATEDIFF:
    case KW_DATE_DIFF:
    case KW_TIMEDIFF:
        if (is_unit_call(p)) {
            p->pos += 2;
            return parse_unit_call(p, from, out);
        }
        break;
    default:
        for (size_t i = 0; i < LENGTH_OF(special_forms); i++) {
            if (special_forms[i].function == kind && has_marker(p, special_forms[i].marker)) {
                p->pos += 2;
                return special_forms[i].parse(p, from, out);
            }
        }
    }
    *was = false;
    return true;
}
