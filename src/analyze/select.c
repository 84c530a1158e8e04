/* Projections, filters and sorts, and how the latter two reach columns below a projection. */
#include "analyze/analyze_impl.h"

#include <string.h>

/* ---- select lists ---- */

static const Expr *unwrapped(const Expr *e)
{
    return e->kind == EXPR_ALIAS ? e->alias.child : e;
}

Str item_name(Analyzer *a, const Expr *e, const BoundExpr *bound)
{
    if (e->kind == EXPR_SQL_TEXT && e->sql_text.parsed)
        e = e->sql_text.parsed;
    if (e->kind == EXPR_ALIAS && e->alias.names.len)
        return e->alias.names.at[0];
    if (e->kind == EXPR_COLUMN && bound->kind == BEXPR_COLUMN)
        return bound->column.name;
    if (e->kind == EXPR_CAST && e->cast.child->kind == EXPR_ALIAS && e->cast.child->alias.names.len == 1)
        return e->cast.child->alias.names.at[0];
    if (e->kind == EXPR_CAST && bound->kind == BEXPR_CAST && bound->cast.child->kind == BEXPR_COLUMN)
        return bound->cast.child->column.name;
    if (e->kind == EXPR_COLUMN && bound->kind == BEXPR_CALL && bound->call.row->flags & FUNC_CONTEXT)
        return func_pretty_name(bound, a->func.zone, a->arena);
    if (e->kind == EXPR_COLUMN)
        return vec_last(&e->column.name);
    if (e->kind == EXPR_EXTRACT && bound->kind == BEXPR_FIELD && bound->field.child->kind != BEXPR_FIELD)
        return func_pretty_name(bound, a->func.zone, a->arena);
    if (e->kind == EXPR_NAMED_ARGUMENT)
        return e->named_argument.name;
    return func_pretty_name(bound, a->func.zone, a->arena);
}

/* A parsed text may itself be an alias: F.expr("a + 1 AS b"). */
bool parsed_text(Analyzer *a, const Expr *e, const Expr **out, Error *err)
{
    *out = e;
    if (e->kind != EXPR_SQL_TEXT)
        return true;
    Expr *parsed;
    SqlOptions options = session_sql_options(a->session, a->arena);
    TRY(sql_parse_expr(e->sql_text.text, &options, a->arena, &parsed, err));
    *out = parsed;
    Expr **inner = parsed->kind == EXPR_ALIAS ? &parsed->alias.child : &parsed;
    ExprKind kind = (*inner)->kind;
    if (kind != EXPR_CALL && kind != EXPR_CAST && kind != EXPR_CASE && kind != EXPR_WINDOW)
        return true;
    /* Places in it are places in this text, not in the statement's. */
    Expr *text = expr_new(EXPR_SQL_TEXT, a->arena);
    text->sql_text.text = e->sql_text.text;
    text->sql_text.parsed = *inner;
    *inner = text;
    *out = parsed;
    return true;
}

static bool push_generator(Analyzer *a, const Expr *e, BoundExpr *generator, BoundRel **input, NamedItemVec *out, Error *err)
{
    StrVec names = {0};
    if (e->kind == EXPR_ALIAS)
        names = e->alias.names;
    size_t before = (*input)->columns.len;
    TRY(generate_over(a, *input, generator, false, &names, input, err));
    for (size_t i = before; i < (*input)->columns.len; i++) {
        const BoundColumn *c = &(*input)->columns.at[i];
        NamedItem item = {c->name, bound_column(c, a->arena)};
        vec_push(a->arena, out, item);
    }
    return true;
}

static bool check_generators(Analyzer *a, const NamedItem *item, Error *err)
{
    if (!bound_contains(item->expr, BEXPR_GENERATOR))
        return true;
    return error_set(err, ERR_UNSUPPORTED_GENERATOR__NESTED_IN_EXPRESSIONS,
                     P("expression", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(item->expr, a->func.zone, a->arena)))));
}

bool bind_items(Analyzer *a, const ExprVec *items, Scope *scope, BoundRel **input, NamedItemVec *out, Error *err)
{
    NamedItemVec aliases = {0};
    size_t generators = 0;
    for (size_t i = 0; i < items->len; i++) {
        const Expr *e;
        TRY(parsed_text(a, items->at[i], &e, err));
        const Expr *child = unwrapped(e);
        if (child->kind == EXPR_STAR && e->kind == EXPR_ALIAS)
            return error_set(err, ERR_INVALID_USAGE_OF_STAR_OR_REGEX, PZ("elem", "'*'"), PZ("prettyName", "expression `alias`"));
        if (child->kind == EXPR_STAR || child->kind == EXPR_REGEX_COLUMN) {
            TRY(child->kind == EXPR_STAR ? expand_star(a, child, scope, out, err) : expand_regex(a, child, scope, out, err));
            continue;
        }
        Scope item_scope = *scope;
        item_scope.aliases = &aliases;
        NamedItem item;
        TRY(bind_expr(a, child, &item_scope, &item.expr, err));
        scope->used_fallback |= item_scope.used_fallback;
        if (item.expr->kind == BEXPR_GENERATOR) {
            if (++generators > 1 && scope->allow_aggregates)
                return error_set(err, ERR_UNSUPPORTED_GENERATOR__MULTI_GENERATOR, P("num", str_printf(a->arena, "%zu", generators)),
                                 P("generators", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(item.expr, a->func.zone, a->arena)))));
            TRY(push_generator(a, e, item.expr, input, out, err));
            continue;
        }
        item.name = item_name(a, e, item.expr);
        item.is_new = e->kind == EXPR_ALIAS || item.expr->kind != BEXPR_COLUMN;
        TRY(check_generators(a, &item, err));
        vec_push(a->arena, out, item);
        bool is_part = e->kind == EXPR_COLUMN && item.expr->kind != BEXPR_COLUMN && e->column.name.len > 1;
        if (e->kind == EXPR_ALIAS || is_part) /* a field gets its own name as an alias */
            vec_push(a->arena, &aliases, item);
    }
    return true;
}

static const BoundColumn *input_column(const BoundRel *input, ColumnId id)
{
    for (size_t i = 0; input && i < input->columns.len; i++)
        if (input->columns.at[i].id == id)
            return &input->columns.at[i];
    return NULL;
}

static Str item_metadata(const ExprVec *exprs, size_t i)
{
    if (!exprs || i >= exprs->len || exprs->at[i]->kind != EXPR_ALIAS)
        return (Str){0};
    return exprs->at[i]->alias.metadata;
}

BoundRel *project_items(Analyzer *a, BoundRel *input, const NamedItemVec *items, const StrVec *metadata)
{
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < items->len; i++) {
        const NamedItem *item = &items->at[i];
        const BoundColumn *source = item->expr->kind == BEXPR_COLUMN ? input_column(input, item->expr->column.id) : NULL;
        BoundColumn c;
        if (source && str_ieq(source->name, item->name) && !input_column(p, source->id)) {
            c = *source;
            c.name = item->name;
            c.hidden = false;
        } else {
            c = column_of_expr(a, item->expr, item->name, source ? source->metadata : (Str){0});
            if (item->expr->kind == BEXPR_FIELD)
                c.metadata = item->expr->field.child->type->structure.fields[item->expr->field.index].metadata;
            if (source && !item->is_new)
                c.copy_of = column_identity(source);
        }
        if (metadata && i < metadata->len && metadata->at[i].len)
            c.metadata = metadata->at[i];
        project_push(a, p, item->expr, c);
    }
    return p;
}

/* Explicit alias metadata by position; only lists without stars line up. */
static StrVec alias_metadata(Analyzer *a, const ExprVec *exprs, size_t bound_count)
{
    StrVec out = {0};
    if (exprs->len != bound_count)
        return out;
    for (size_t i = 0; i < exprs->len; i++)
        vec_push(a->arena, &out, item_metadata(exprs, i));
    return out;
}

static bool project_has_aggregate(const NamedItemVec *items)
{
    for (size_t i = 0; i < items->len; i++)
        if (bound_has_aggregate(items->at[i].expr))
            return true;
    return false;
}

static BoundRel *distinct_of(Analyzer *a, BoundRel *rel)
{
    BoundRel *d = brel_new(BREL_AGGREGATE, rel, a->arena);
    d->aggregate.distinct = true;
    for (size_t i = 0; i < rel->columns.len; i++) {
        BoundItem key = {bound_column(&rel->columns.at[i], a->arena), rel->columns.at[i].id};
        vec_push(a->arena, &d->aggregate.keys, key);
        vec_push(a->arena, &d->columns, rel->columns.at[i]);
    }
    return d;
}

/* ---- pipe steps ---- */

static bool find_aggregate(BoundExpr **slot, void *arg)
{
    BoundExpr *e = *slot, **found = arg;
    if (e->kind == BEXPR_AGGREGATE)
        return *found = e, false;
    if (e->kind != BEXPR_WINDOW)
        return bound_each_child(e, find_aggregate, arg);
    TRY(bound_each_child(e->window.function, find_aggregate, arg));
    for (size_t i = 0; i < e->window.partition.len; i++)
        TRY(find_aggregate(&e->window.partition.at[i], arg));
    for (size_t i = 0; i < e->window.order.len; i++)
        TRY(find_aggregate(&e->window.order.at[i].expr, arg));
    return true;
}

bool check_pipe_star(Analyzer *a, const Expr *e, Error *err)
{
    if (e->kind != EXPR_STAR)
        return true;
    error_set(err, ERR_INVALID_USAGE_OF_STAR_OR_REGEX, PZ("elem", "'*'"), PZ("prettyName", "expression `pipeexpression`"));
    return set_context(a, err, e->origin);
}

bool check_pipe_item(Analyzer *a, BoundExpr *e, const char *clause, Error *err)
{
    BoundExpr *aggregate = NULL;
    (void)find_aggregate(&e, &aggregate);
    if (!aggregate)
        return true;
    error_set(err, ERR_PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION, P("expr", func_sql_text(aggregate, a->func.zone, a->arena)),
              PZ("clause", clause));
    return set_context(a, err, aggregate->origin);
}

/* EXTEND's own list begins behind the star that the parser put in front of it. */
static bool check_extend(Analyzer *a, const ExprVec *items, const NamedItemVec *bound, Error *err)
{
    for (size_t i = 1; i < items->len; i++)
        TRY(check_pipe_star(a, items->at[i], err));
    for (size_t i = 0; i < bound->len; i++)
        TRY(check_pipe_item(a, bound->at[i].expr, "EXTEND", err));
    return true;
}

/* A named window of this list means nothing in the steps before it. */
static bool analyze_project_input(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    const WindowNames *windows = a->windows;
    if (rel->project.pipe.len)
        a->windows = NULL;
    bool ok = analyze_rel(a, rel->input, out, err);
    a->windows = windows;
    return ok;
}

bool analyze_project(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_project_input(a, rel, &input, err));
    Scope scope = scope_of(a, input);
    NamedItemVec items = {0};
    TRY(bind_items(a, &rel->project.items, &scope, &input, &items, err));
    if (str_is(rel->project.pipe, "EXTEND"))
        TRY(check_extend(a, &rel->project.items, &items, err));
    BoundRel *project;
    StrVec metadata = alias_metadata(a, &rel->project.items, items.len);
    for (size_t i = 0; i < items.len; i++)
        TRY(settle_in_subqueries(a, &items.at[i].expr, false, err));
    if (project_has_aggregate(&items)) {
        BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
        for (size_t i = 0; i < items.len; i++)
            TRY(split_aggregates(a, aggregate, &items.at[i].expr, err));
        TRY(part_moments(a, aggregate, err));
        project = project_items(a, aggregate, &items, &metadata);
    } else {
        struct LiftedWindow *windows = NULL;
        for (size_t i = 0; i < items.len; i++) {
            TRY(lift_time_windows(a, &input, &windows, &items.at[i].expr, err));
            TRY(lift_partitions(a, &input, &items.at[i].expr, err));
        }
        project = project_items(a, input, &items, &metadata);
        if (rel->project.pipe.len && !rel->project.distinct)
            carry_hidden(a, input, project);
        else if (!rel->project.distinct)
            carry_metadata(a, input, project);
    }
    *out = rel->project.distinct ? distinct_of(a, project) : project;
    return true;
}

/* ---- reaching below a projection ---- */

/* The projection whose input ORDER BY, HAVING and DataFrame filters may still name; NULL when there is none. */
static BoundRel *reachable_projection(BoundRel *rel, bool *narrow)
{
    BoundRel *at = rel;
    *narrow = false;
    for (; at && !at->sealed && (at->kind == BREL_FILTER || at->kind == BREL_SORT || (at->kind == BREL_PROJECT && at->project.hides));
         at = at->input)
        *narrow |= at->kind == BREL_PROJECT && at->project.narrows;
    return at && !at->sealed && at->kind == BREL_PROJECT && at->input ? at : NULL;
}

/* Of the columns that went into an aggregation, those that are its keys. */
static const BoundColumnVec *key_columns(Analyzer *a, const BoundRel *aggregate)
{
    BoundColumnVec *keys = ARENA_NEW(a->arena, BoundColumnVec);
    const BoundColumnVec *all = &aggregate->input->columns;
    for (size_t i = 0; i < all->len; i++)
        for (size_t k = 0; k < aggregate->aggregate.keys.len; k++) {
            const BoundExpr *e = aggregate->aggregate.keys.at[k].expr;
            if (e->kind == BEXPR_COLUMN && e->column.id == all->at[i].id)
                vec_push(a->arena, keys, all->at[i]);
        }
    return keys;
}

static const BoundColumnVec *fallback_columns(Analyzer *a, const BoundRel *projection, bool narrow)
{
    if (!projection)
        return NULL;
    const BoundRel *below = projection->input;
    if (below->kind != BREL_AGGREGATE || !below->input)
        return &below->columns;
    return narrow ? key_columns(a, below) : &below->input->columns;
}

typedef struct PassThrough {
    Analyzer *a;
    BoundRel *top, *projection;
} PassThrough;

static bool has_column(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; i < columns->len; i++)
        if (columns->at[i].id == id)
            return true;
    return false;
}

/* Columns that only the projection's input has are carried up, hidden, through every relation in between. */
static bool carry_column(BoundExpr **e, void *arg)
{
    PassThrough *p = arg;
    if ((*e)->kind == BEXPR_COLUMN && !has_column(&p->top->columns, (*e)->column.id)) {
        const BoundColumn *c = input_column(p->projection->input, (*e)->column.id);
        if (c) {
            BoundColumn hidden = *c;
            hidden.hidden = true;
            if (!has_column(&p->projection->columns, hidden.id))
                project_push(p->a, p->projection, bound_column(c, p->a->arena), hidden);
            for (BoundRel *r = p->top; r != p->projection; r = r->input) {
                if (has_column(&r->columns, hidden.id))
                    continue;
                if (r->kind == BREL_PROJECT)
                    project_push(p->a, r, bound_column(&hidden, p->a->arena), hidden);
                else
                    vec_push(p->a->arena, &r->columns, hidden);
            }
        }
    }
    return bound_each_child(*e, carry_column, arg);
}

/* Makes an expression that was bound with a fallback valid over `input`. */
static bool settle(Analyzer *a, BoundRel *input, BoundRel *projection, bool narrow, BoundExpr **e, Error *err)
{
    if (!projection || (narrow && bound_has_aggregate(*e)))
        return true; /* an aggregate that nothing computes is refused in the end */
    if (projection->input->kind == BREL_AGGREGATE)
        TRY(split_above(a, projection->input, &input->columns, e, err));
    PassThrough p = {a, input, projection};
    carry_column(e, &p);
    return true;
}

static Scope reaching_scope(Analyzer *a, const BoundRel *input, const BoundRel *projection, bool narrow)
{
    Scope scope = scope_of(a, input);
    scope.fallback = fallback_columns(a, projection, narrow);
    scope.allow_aggregates = projection && projection->input->kind == BREL_AGGREGATE;
    return scope;
}

/* Hides what was carried up: the relation's own columns are what the client sees. */
BoundRel *hide_carried(Analyzer *a, BoundRel *rel, size_t visible)
{
    if (rel->columns.len == visible)
        return rel;
    BoundColumnVec own = {0};
    for (size_t i = 0; i < visible; i++)
        vec_push(a->arena, &own, rel->columns.at[i]);
    BoundRel *p = project_columns(a, rel, &own);
    p->project.hides = true;
    return p;
}

static BoundRel *make_unary(Analyzer *a, BoundRelKind kind, BoundRel *input)
{
    BoundRel *r = brel_new(kind, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++)
        vec_push(a->arena, &r->columns, input->columns.at[i]);
    return r;
}

bool check_windows(const BoundExpr *condition, const char *clause, Error *err)
{
    return !bound_contains(condition, BEXPR_WINDOW) ||
           error_set(err, ERR_WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE, PZ("clauseName", clause));
}

static bool no_window(BoundExpr **slot, void *arg)
{
    (void)arg;
    return !bound_contains(*slot, BEXPR_WINDOW);
}

static bool check_qualify(Analyzer *a, BoundRel *projection, BoundExpr *condition, Error *err)
{
    bool grouped = projection && projection->input->kind == BREL_AGGREGATE;
    if (!bound_contains(condition, BEXPR_WINDOW) && (!projection || brel_each_expr(projection, no_window, NULL)))
        return error_set(err, ERR_QUALIFY_REQUIRES_WINDOW_FUNCTION);
    BoundExpr *aggregate = NULL;
    (void)find_aggregate(&condition, &aggregate);
    if (!aggregate || grouped)
        return true;
    error_set(err, ERR_QUALIFY_AGGREGATE_NOT_ALLOWED,
              P("aggregateExpr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(aggregate, a->func.zone, a->arena)))));
    return set_context(a, err, aggregate->origin);
}

/* WHERE over a bare aggregate list without GROUP BY: HAVING makes an aggregate of the projection's input. */
bool analyze_filter(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    bool narrow = false;
    BoundRel *projection = rel->filter.in_pipe ? NULL : reachable_projection(input, &narrow);
    size_t visible = input->columns.len;
    Scope scope = reaching_scope(a, input, projection, narrow);
    if (!rel->filter.is_having && !rel->filter.is_qualify && !scope.allow_aggregates)
        scope.clause = "WHERE";
    BoundExpr *condition;
    TRY(bind_condition(a, rel->filter.condition, &scope, scope.clause, &condition, err));
    TRY(settle_in_subqueries(a, &condition, true, err));
    if (!rel->filter.is_qualify)
        TRY(check_windows(condition, rel->filter.is_having ? "HAVING" : "WHERE", err));
    if (rel->filter.is_qualify)
        TRY(check_qualify(a, projection, condition, err));
    TRY(settle(a, input, projection, narrow, &condition, err));
    TRY(lift_partitions(a, &input, &condition, err));
    TRY(lift_windows(a, &input, &condition, err));
    BoundRel *f = make_unary(a, BREL_FILTER, input);
    f->filter.condition = condition;
    *out = hide_carried(a, f, visible);
    if (rel->filter.is_having && scope.allow_aggregates && (*out)->kind == BREL_PROJECT)
        (*out)->project.narrows = true;
    return true;
}

/* ---- ORDER BY ---- */

static bool ordinal_of(Analyzer *a, const Expr *e, int64_t *ordinal)
{
    if (!session_bool(a->session, "spark.sql.orderByOrdinal", true))
        return false;
    const Expr *child = e->kind == EXPR_SORT ? e->sort.child : e;
    if (child->kind != EXPR_LITERAL || child->literal.is_null || child->literal.type->kind != TYPE_INT)
        return false;
    *ordinal = child->literal.integer;
    return true;
}

static bool bind_ordinal(Analyzer *a, const Expr *e, const BoundRel *input, int64_t ordinal, BoundSort *out, Error *err)
{
    size_t visible = 0;
    const BoundColumn *found = NULL;
    for (size_t i = 0; i < input->columns.len; i++)
        if (!input->columns.at[i].hidden && (int64_t)++visible == ordinal)
            found = &input->columns.at[i];
    if (!found) {
        error_set(err, ERR_ORDER_BY_POS_OUT_OF_RANGE, P("index", str_printf(a->arena, "%lld", (long long)ordinal)),
                  P("size", str_printf(a->arena, "%zu", visible)));
        return set_context(a, err, e->origin);
    }
    out->expr = bound_column(found, a->arena);
    out->descending = e->kind == EXPR_SORT && e->sort.descending;
    out->nulls_first = e->kind == EXPR_SORT && e->sort.nulls_given ? e->sort.nulls_first : !out->descending;
    return true;
}

/* ORDER BY ALL: every output column in order. */
static bool is_order_all(const Analyzer *a, const Expr *e, const BoundRel *input)
{
    const Expr *child = e->kind == EXPR_SORT ? e->sort.child : e;
    if (child->kind != EXPR_COLUMN || child->column.name.len != 1 || !str_is_ci(child->column.name.at[0], "all") ||
        child->column.plan_id >= 0)
        return false;
    for (size_t i = 0; i < input->columns.len; i++)
        if (name_matches(a, input->columns.at[i].name, S("all")))
            return false;
    return true;
}

static bool bind_order(Analyzer *a, const ExprVec *order, BoundRel *input, BoundRel *projection, bool narrow, BoundSortVec *out,
                       Error *err)
{
    if (order->len == 1 && is_order_all(a, order->at[0], input)) {
        for (size_t i = 0; i < input->columns.len; i++) {
            BoundSort s;
            TRY(bind_ordinal(a, order->at[0], input, (int64_t)i + 1, &s, err));
            vec_push(a->arena, out, s);
        }
        return true;
    }
    for (size_t i = 0; i < order->len; i++) {
        BoundSort s;
        int64_t ordinal;
        if (ordinal_of(a, order->at[i], &ordinal))
            TRY(bind_ordinal(a, order->at[i], input, ordinal, &s, err));
        else {
            Scope scope = reaching_scope(a, input, projection, narrow);
            TRY(bind_sort(a, order->at[i], &scope, &s, err));
            TRY(settle(a, input, projection, narrow, &s.expr, err));
        }
        vec_push(a->arena, out, s);
    }
    return true;
}

bool analyze_sort(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    bool narrow = false;
    BoundRel *projection = rel->sort.in_pipe ? NULL : reachable_projection(input, &narrow);
    size_t visible = input->columns.len;
    BoundSortVec order = {0};
    TRY(bind_order(a, &rel->sort.order, input, projection, narrow, &order, err));
    for (size_t i = 0; i < order.len; i++)
        TRY(lift_windows(a, &input, &order.at[i].expr, err));
    BoundRel *s = make_unary(a, BREL_SORT, input);
    s->sort.order = order;
    *out = hide_carried(a, s, visible);
    return true;
}
