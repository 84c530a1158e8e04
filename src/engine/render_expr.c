/* Expressions as DuckDB text: every literal typed, every call through its function row. */
#include "base/buf.h"
#include "engine/render_impl.h"
#include "type/collation.h"

/* ---- quoting ---- */

static void put_doubled(Buf *b, Str s, char quote)
{
    buf_addc(b, quote);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == quote)
            buf_addc(b, quote);
        buf_addc(b, s.ptr[i]);
    }
    buf_addc(b, quote);
}

void put_quoted(Buf *b, Str name) { put_doubled(b, name, '"'); }

void put_text(Buf *b, Str text) { put_doubled(b, text, '\''); }

/* ---- calls ---- */

/* Spark's aggregates have lost their place when they overflow. */
static bool render_args(Render *r, const BoundExpr *e, Str **out, Error *err)
{
    static const Site lost = {.origin = {0, -1}};
    const BoundExprVec *args = &e->call.args;
    *out = ARENA_ARRAY(r->arena, Str, args->len ? args->len : 1);
    for (size_t i = 0; i < args->len; i++) {
        TRY(render_expr(r, args->at[i], &(*out)[i], err));
        (*out)[i] = site_marked(r, args->at[i], e->kind == BEXPR_AGGREGATE ? &lost : r->site, (*out)[i]);
    }
    return true;
}

/* order and suffix go to the places the row's template has for them. */
static bool call_text(Render *r, const BoundExpr *e, Str order, Str suffix, Str *out, Error *err)
{
    Str *args;
    TRY(render_args(r, e, &args, err));
    FuncContext func = r->func;
    func.call_order = order;
    func.call_suffix = suffix;
    Buf b = buf_in(r->arena);
    TRY(func_render(e, args, e->call.args.len, &func, &b, err));
    *out = buf_str(&b);
    return true;
}

static bool order_and_filter(Render *r, const BoundExpr *e, Str *order, Buf *suffix, Error *err)
{
    *order = S("");
    if (e->call.order.len) {
        Str keys;
        TRY(render_order(r, &e->call.order, &keys, err));
        *order = str_concat(r->arena, S(" ORDER BY "), keys);
    }
    if (e->call.filter) {
        Str condition;
        TRY(render_expr(r, e->call.filter, &condition, err));
        buf_addf(suffix, " FILTER (WHERE " STR_FMT ")", STR_ARG(condition));
    }
    return true;
}

static bool render_call(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Buf suffix = buf_in(r->arena);
    Str order = S("");
    if (e->kind == BEXPR_AGGREGATE)
        TRY(order_and_filter(r, e, &order, &suffix, err));
    return call_text(r, e, order, buf_str(&suffix), out, err);
}

bool render_key(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    TRY(render_expr(r, e, out, err));
    return func_collation_key(*out, e->type, r->arena, out, err);
}

bool render_order(Render *r, const BoundSortVec *order, Str *out, Error *err)
{
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < order->len; i++) {
        const BoundSort *s = &order->at[i];
        Str key;
        TRY(render_key(r, s->expr, &key, err));
        key = func_order_key(key, s->expr->type, r->arena);
        /* A bare number would be read as the position of a column. */
        const char *close = s->expr->kind == BEXPR_LITERAL ? ")" : "";
        buf_addf(&b, "%s%s" STR_FMT "%s%s%s", i ? ", " : "", close[0] ? "(" : "", STR_ARG(key),
                 close, s->descending ? " DESC" : " ASC",
                 s->nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    *out = buf_str(&b);
    return true;
}

/* ---- windows ---- */

/* A RANGE bound over dates and timestamps is an interval in DuckDB. */
static bool put_bound_value(Render *r, const BoundFrameBound *bound, const BoundExpr *window,
                            Buf *b, Error *err)
{
    Str text;
    TRY(render_expr(r, bound->value, &text, err));
    TypeKind kind = bound->value->type->kind;
    bool over_date = window->window.frame == FRAME_RANGE && window->window.order.len &&
                     window->window.order.at[0].expr->type->kind == TYPE_DATE;
    if (kind == TYPE_INTERVAL_DT)
        buf_addf(b, "to_microseconds(" STR_FMT ")", STR_ARG(text));
    else if (kind == TYPE_INTERVAL_YM)
        buf_addf(b, "to_months(" STR_FMT ")", STR_ARG(text));
    else if (over_date)
        buf_addf(b, "to_days(CAST(" STR_FMT " AS INTEGER))", STR_ARG(text));
    else
        buf_add(b, text);
    return true;
}

static bool put_bound(Render *r, const BoundFrameBound *bound, bool is_start, const BoundExpr *e,
                      Buf *b, Error *err)
{
    switch (bound->kind) {
    case BOUND_UNBOUNDED_PRECEDING:
        buf_addz(b, "UNBOUNDED PRECEDING");
        return true;
    case BOUND_UNBOUNDED_FOLLOWING:
        buf_addz(b, "UNBOUNDED FOLLOWING");
        return true;
    case BOUND_CURRENT_ROW:
        buf_addz(b, "CURRENT ROW");
        return true;
    case BOUND_PRECEDING:
        TRY(put_bound_value(r, bound, e, b, err));
        buf_addz(b, " PRECEDING");
        return true;
    case BOUND_FOLLOWING:
        TRY(put_bound_value(r, bound, e, b, err));
        buf_addz(b, " FOLLOWING");
        return true;
    }
    return error_internal(err, "no such frame bound: %d at the %s", (int)bound->kind,
                          is_start ? "start" : "end");
}

static bool put_over(Render *r, const BoundExpr *e, Buf *b, Error *err)
{
    buf_addz(b, " OVER (");
    for (size_t i = 0; i < e->window.partition.len; i++) {
        Str key;
        TRY(render_key(r, e->window.partition.at[i], &key, err));
        buf_addf(b, "%s" STR_FMT, i ? ", " : "PARTITION BY ", STR_ARG(key));
    }
    if (e->window.order.len) {
        Str keys;
        TRY(render_order(r, &e->window.order, &keys, err));
        buf_addf(b, "%sORDER BY " STR_FMT, e->window.partition.len ? " " : "", STR_ARG(keys));
    }
    if (e->window.frame != FRAME_NONE) {
        buf_addf(b, " %s BETWEEN ", e->window.frame == FRAME_ROWS ? "ROWS" : "RANGE");
        TRY(put_bound(r, &e->window.from, true, e, b, err));
        buf_addz(b, " AND ");
        TRY(put_bound(r, &e->window.to, false, e, b, err));
    }
    buf_addz(b, ")");
    return true;
}

static bool render_window(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Buf suffix = buf_in(r->arena);
    Str order = S("");
    TRY(order_and_filter(r, e->window.function, &order, &suffix, err));
    TRY(put_over(r, e, &suffix, err));
    return call_text(r, e->window.function, order, buf_str(&suffix), out, err);
}

/* ---- subqueries ---- */

static bool query_rope(Render *r, const BoundRel *plan, Str *out, Error *err)
{
    const Site *around = r->site;
    r->site = NULL;
    r->depth++;
    r->unordered++;
    bool ok = render_query(r, plan, out, err);
    r->site = around;
    r->unordered--;
    r->depth--;
    return ok;
}

/* Several values: as EXISTS, since rows compare NULLs otherwise than SQL's IN does. NOT IN is true
 * only when no row can match. */
static bool render_in_many(Render *r, const BoundExpr *e, Str plan, Str *out, Error *err)
{
    Buf b = buf_in(r->arena);
    bool negated = e->subquery.negated;
    buf_addf(&b, "%sEXISTS (SELECT 1 FROM (" STR_FMT ") WHERE ", negated ? "NOT " : "",
             STR_ARG(plan));
    size_t column = 0;
    for (size_t i = 0; i < e->subquery.values.len; i++, column++) {
        Str value;
        TRY(render_key(r, e->subquery.values.at[i], &value, err));
        while (column < e->subquery.plan->columns.len &&
               e->subquery.plan->columns.at[column].hidden)
            column++;
        if (column >= e->subquery.plan->columns.len)
            return error_internal(err, "an IN subquery has too few columns");
        Str key;
        TRY(column_key(r, &e->subquery.plan->columns.at[column], "", &key, err));
        buf_addf(&b, negated ? "%scoalesce((" STR_FMT ") = " STR_FMT ", TRUE)" : "%s(" STR_FMT ") = " STR_FMT,
                 i ? " AND " : "", STR_ARG(value), STR_ARG(key));
    }
    buf_addz(&b, ")");
    *out = buf_str(&b);
    return true;
}

/* Collated strings are looked for among keys. */
static bool in_keys(Render *r, const BoundExpr *e, Str *plan, Error *err)
{
    const BoundColumnVec *columns = &e->subquery.plan->columns;
    for (size_t i = 0; i < columns->len; i++) {
        Str key;
        if (columns->at[i].hidden || !type_is_collated(columns->at[i].type))
            continue;
        TRY(column_key(r, &columns->at[i], "", &key, err));
        *plan = str_printf(r->arena, "SELECT " STR_FMT " FROM (" STR_FMT ")", STR_ARG(key), STR_ARG(*plan));
        return true;
    }
    return true;
}

static bool render_subquery(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Str plan;
    TRY(query_rope(r, e->subquery.plan, &plan, err));
    const char *negation = e->subquery.negated ? "NOT " : "";
    switch (e->subquery.kind) {
    case SUBQUERY_SCALAR:
        *out = str_printf(r->arena, "(" STR_FMT ")", STR_ARG(plan));
        return true;
    case SUBQUERY_EXISTS:
        *out = str_printf(r->arena, "(%sEXISTS (" STR_FMT "))", negation, STR_ARG(plan));
        return true;
    case SUBQUERY_IN:
        if (e->subquery.values.len == 1) {
            Str value;
            TRY(render_key(r, e->subquery.values.at[0], &value, err));
            TRY(in_keys(r, e, &plan, err));
            *out = str_printf(r->arena, e->subquery.two_valued ? "(CASE WHEN (" STR_FMT ") %sIN (" STR_FMT ") THEN true ELSE false END)"
                                                               : "((" STR_FMT ") %sIN (" STR_FMT "))",
                              STR_ARG(value), negation, STR_ARG(plan));
            return true;
        }
        TRY(render_in_many(r, e, plan, out, err));
        *out = str_printf(r->arena, "(" STR_FMT ")", STR_ARG(*out));
        return true;
    case SUBQUERY_TABLE:
        break;
    }
    return error_unsupported(err, "A table argument in this place");
}

/* ---- the rest ---- */

static bool render_case(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Buf b = buf_in(r->arena);
    buf_addz(&b, "(CASE");
    Str text;
    for (size_t i = 0; i < e->cases.conditions.len; i++) {
        TRY(render_expr(r, e->cases.conditions.at[i], &text, err));
        buf_addf(&b, " WHEN " STR_FMT, STR_ARG(text));
        TRY(render_expr(r, e->cases.values.at[i], &text, err));
        buf_addf(&b, " THEN " STR_FMT, STR_ARG(text));
    }
    if (e->cases.otherwise) {
        TRY(render_expr(r, e->cases.otherwise, &text, err));
        buf_addf(&b, " ELSE " STR_FMT, STR_ARG(text));
    }
    buf_addz(&b, " END)");
    *out = buf_str(&b);
    return true;
}

static bool render_cast(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Str child;
    TRY(render_expr(r, e->cast.child, &child, err));
    child = site_marked(r, e->cast.child, r->site, child);
    FuncContext func = r->func;
    if (e->cast.zone.len)
        func.zone = e->cast.zone;
    Buf b = buf_in(r->arena);
    TRY(func_render_cast(child, e->cast.child->type, e->type, e->cast.mode, &func, &b, err));
    *out = buf_str(&b);
    /* Nothing has a NULL without a type but what raises an error: it must still be computed. */
    BoundExprKind kind = e->cast.child->kind;
    if (e->cast.child->type->kind == TYPE_NULL && kind != BEXPR_LITERAL && kind != BEXPR_COLUMN)
        *out = str_printf(r->arena, "(CASE WHEN (" STR_FMT ") IS NULL THEN " STR_FMT " END)",
                          STR_ARG(child), STR_ARG(*out));
    return true;
}

static bool render_lambda(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Str body;
    TRY(render_expr(r, e->lambda.body, &body, err));
    Buf b = buf_in(r->arena);
    buf_addz(&b, "lambda ");
    for (size_t i = 0; i < e->lambda.count; i++)
        buf_addf(&b, "%sl%u", i ? ", " : "", e->lambda.ids[i]);
    buf_addf(&b, ": " STR_FMT, STR_ARG(body));
    *out = buf_str(&b);
    return true;
}

static bool render_field(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Str child;
    TRY(render_expr(r, e->field.child, &child, err));
    if (e->field.child->type->kind != TYPE_STRUCT)
        return error_internal(err, "a field is taken from something that is not a struct");
    Buf b = buf_in(r->arena);
    buf_addf(&b, "struct_extract(" STR_FMT ", ", STR_ARG(child));
    put_text(&b, type_duckdb_field(e->field.child->type, e->field.index, r->arena));
    buf_addz(&b, ")");
    *out = buf_str(&b);
    return true;
}

static bool render_struct(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    Buf b = buf_in(r->arena);
    buf_addz(&b, "struct_pack(");
    for (size_t i = 0; i < e->structure.children.len; i++) {
        Str text;
        TRY(render_expr(r, e->structure.children.at[i], &text, err));
        buf_addz(&b, i ? ", " : "");
        put_quoted(&b, type_duckdb_field(e->type, i, r->arena));
        buf_addf(&b, " := " STR_FMT, STR_ARG(text));
    }
    if (!e->structure.children.len)
        buf_addz(&b, "\"_0\" := CAST(NULL AS INTEGER)");
    buf_addz(&b, ")");
    *out = buf_str(&b);
    return true;
}

static bool render_kind(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    switch (e->kind) {
    case BEXPR_LITERAL:
        *out = value_duckdb(&e->literal, r->arena);
        return true;
    case BEXPR_COLUMN:
        *out = str_printf(r->arena, "c%u", e->column.id);
        return true;
    case BEXPR_CALL:
    case BEXPR_AGGREGATE:
    case BEXPR_GENERATOR:
        return render_call(r, e, out, err);
    case BEXPR_WINDOW:
        return render_window(r, e, out, err);
    case BEXPR_CAST:
        if (e->folded) {
            *out = value_duckdb(e->folded, r->arena);
            return true;
        }
        return render_cast(r, e, out, err);
    case BEXPR_CASE:
        return render_case(r, e, out, err);
    case BEXPR_SUBQUERY:
        return render_subquery(r, e, out, err);
    case BEXPR_LAMBDA:
        return render_lambda(r, e, out, err);
    case BEXPR_LAMBDA_VAR:
        *out = str_printf(r->arena, "l%u", e->lambda_var.id);
        return true;
    case BEXPR_FIELD:
        return render_field(r, e, out, err);
    case BEXPR_STRUCT:
        return render_struct(r, e, out, err);
    case BEXPR_PYTHON:
        return error_unsupported(err, "Calling a Python function");
    }
    return error_internal(err, "no renderer for expression kind %d", (int)e->kind);
}

bool render_expr(Render *r, const BoundExpr *e, Str *out, Error *err)
{
    const Site *around = r->site;
    if (e->site)
        r->site = e->site;
    bool ok = render_kind(r, e, out, err);
    r->site = around;
    return ok;
}
