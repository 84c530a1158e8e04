/* GROUP BY in all its forms: keys and aggregates are split from the expressions around them. */
#include "analyze/analyze_impl.h"

/* ---- what contains an aggregate ---- */

static bool aggregate_child(BoundExpr **e, void *arg)
{
    bool *found = arg;
    *found |= bound_has_aggregate(*e);
    return !*found;
}

/* An aggregate directly under a window is the window's function; those in its arguments count. */
bool bound_has_aggregate(const BoundExpr *e)
{
    bool found = e->kind == BEXPR_AGGREGATE || bound_is_python_aggregate(e);
    if (found)
        return true;
    if (e->kind == BEXPR_WINDOW) {
        bound_each_child(e->window.function, aggregate_child, &found);
        for (size_t i = 0; i < e->window.partition.len && !found; i++)
            found = bound_has_aggregate(e->window.partition.at[i]);
        for (size_t i = 0; i < e->window.order.len && !found; i++)
            found = bound_has_aggregate(e->window.order.at[i].expr);
        return found;
    }
    bound_each_child((BoundExpr *)e, aggregate_child, &found);
    return found;
}

bool contains_aggregate(const Expr *e)
{
    if (!e)
        return false;
    switch (e->kind) {
    case EXPR_CALL: {
        const FuncRow *row = func_find(vec_last(&e->call.name));
        if (row && row->kind == FUNC_AGGREGATE)
            return true;
        for (size_t i = 0; i < e->call.args.len; i++)
            if (contains_aggregate(e->call.args.at[i]))
                return true;
        return false;
    }
    case EXPR_PYTHON_UDF:
        return python_is_aggregate(e->python.function);
    case EXPR_ALIAS:
        return contains_aggregate(e->alias.child);
    case EXPR_CAST:
        return contains_aggregate(e->cast.child);
    case EXPR_EXTRACT:
        return contains_aggregate(e->extract.child) || contains_aggregate(e->extract.key);
    case EXPR_CASE:
        for (size_t i = 0; i < e->cases.conditions.len; i++)
            if (contains_aggregate(e->cases.conditions.at[i]) || contains_aggregate(e->cases.values.at[i]))
                return true;
        return contains_aggregate(e->cases.otherwise);
    default:
        return false;
    }
}

/* ---- splitting ---- */

typedef struct Splitter {
    Analyzer *a;
    BoundRel *aggregate;
    Error *err;
    bool failed;
    bool all;                      /* GROUP BY ALL */
    bool in_subquery;
    const BoundColumnVec *shown;   /* what the select list shows, for an expression above it */
} Splitter;

static const BoundColumn *output_column(const BoundRel *rel, ColumnId id)
{
    for (size_t i = 0; i < rel->columns.len; i++)
        if (rel->columns.at[i].id == id)
            return &rel->columns.at[i];
    return NULL;
}

static BoundExpr *output_reference(Splitter *s, ColumnId id)
{
    return bound_column(output_column(s->aggregate, id), s->a->arena);
}

static BoundExpr *reference_to_aggregate(Splitter *s, BoundExpr *e)
{
    BoundRel *rel = s->aggregate;
    for (size_t i = 0; i < rel->aggregate.aggregates.len; i++)
        if (bound_equal(rel->aggregate.aggregates.at[i].expr, e))
            return output_reference(s, rel->aggregate.aggregates.at[i].id);
    BoundColumn c = new_column(s->a, func_pretty_name(e, s->a->func.zone, s->a->arena), e->type, e->nullable);
    BoundItem item = {e, c.id};
    vec_push(s->a->arena, &rel->aggregate.aggregates, item);
    vec_push(s->a->arena, &rel->columns, c);
    return output_reference(s, c.id);
}

static bool is_input_column(const Splitter *s, const BoundExpr *e)
{
    if (!s->aggregate->input)
        return false;
    for (size_t i = 0; i < s->aggregate->input->columns.len; i++)
        if (s->aggregate->input->columns.at[i].id == e->column.id)
            return true;
    return false;
}

static bool missing_aggregation(Splitter *s, const BoundExpr *e)
{
    Analyzer *a = s->a;
    s->failed = true;
    if (s->shown) {
        Expr *name = expr_new(EXPR_COLUMN, a->arena);
        vec_push(a->arena, &name->column.name, e->column.name);
        name->origin = e->origin;
        Scope scope = {.columns = s->shown};
        return column_missing(a, name, &scope, s->err);
    }
    Str text = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(e, a->func.zone, a->arena)));
    if (s->all)
        error_set(s->err, ERR_UNRESOLVED_ALL_IN_GROUP_BY);
    else if (!s->aggregate->aggregate.keys.len)
        error_set(s->err, ERR_MISSING_GROUP_BY);
    else
        error_set(s->err, ERR_MISSING_AGGREGATION, P("expression", text),
                  P("expressionAnyValue", str_printf(a->arena, "\"any_value(" STR_FMT ")\"", STR_ARG(func_sql_text(e, a->func.zone, a->arena)))));
    return set_context(a, s->err, e->origin);
}

static bool split(BoundExpr **slot, void *arg);

typedef struct OuterOnly {
    const Splitter *s;
    size_t columns;
} OuterOnly;

static bool outer_column(BoundExpr **slot, void *arg)
{
    OuterOnly *o = arg;
    if ((*slot)->kind == BEXPR_COLUMN) {
        o->columns++;
        return is_input_column(o->s, *slot);
    }
    return bound_each_child(*slot, outer_column, o);
}

/* Inside a subquery only an aggregate over the outer query's own columns is the outer query's. */
static bool is_ours(const Splitter *s, BoundExpr *e)
{
    if (!s->in_subquery)
        return true;
    OuterOnly o = {s, 0};
    return outer_column(&e, &o) && o.columns > 0;
}

static bool names_all_keys(const BoundRel *rel, const BoundExpr *call)
{
    if (call->call.args.len != rel->aggregate.keys.len)
        return false;
    for (size_t i = 0; i < call->call.args.len; i++)
        if (!bound_equal(rel->aggregate.keys.at[i].expr, call->call.args.at[i]))
            return false;
    return true;
}

static Str args_text(Analyzer *a, const BoundExprVec *args)
{
    Buf b = buf_in(a->arena);
    for (size_t i = 0; i < args->len; i++) {
        buf_addz(&b, i ? "," : "");
        buf_add(&b, func_sql_text(args->at[i], a->func.zone, a->arena));
    }
    return buf_str(&b);
}

static Str keys_text(Analyzer *a, const BoundRel *rel)
{
    BoundExprVec keys = {0};
    for (size_t i = 0; i < rel->aggregate.keys.len; i++)
        vec_push(a->arena, &keys, rel->aggregate.keys.at[i].expr);
    return args_text(a, &keys);
}

static bool grouping_call(Splitter *s, BoundExpr **slot)
{
    BoundExpr *e = *slot;
    Str name = str_from(e->call.row->name);
    bool id = str_is(name, "grouping_id");
    if (!id && !str_is(name, "grouping"))
        return false;
    BoundRel *rel = s->aggregate;
    size_t keys = rel->aggregate.keys.len;
    if (!rel->aggregate.sets.len || (s->shown && !keys && rel->aggregate.sets.len > 1)) {
        s->failed = true;
        error_set(s->err, ERR_UNSUPPORTED_GROUPING_EXPRESSION);
        set_context(s->a, s->err, e->origin);
        return true;
    }
    if (id && e->call.args.len && !names_all_keys(rel, e)) {
        s->failed = true;
        error_set(s->err, ERR_GROUPING_ID_COLUMN_MISMATCH, P("groupingIdColumn", args_text(s->a, &e->call.args)), P("groupByColumns", keys_text(s->a, rel)));
        return true;
    }
    if (!rel->aggregate.grouping_id) {
        BoundColumn c = new_column(s->a, S("spark_grouping_id"), type_simple(TYPE_LONG), false);
        rel->aggregate.grouping_id = c.id;
        vec_push(s->a->arena, &rel->columns, c);
    }
    BoundExpr *gid = output_reference(s, rel->aggregate.grouping_id);
    if (id) {
        *slot = gid;
        return true;
    }
    for (size_t i = 0; i < keys && e->call.args.len; i++) {
        if (!bound_equal(rel->aggregate.keys.at[i].expr, e->call.args.at[0]))
            continue;
        BoundExpr *shift[2] = {gid, bound_literal(value_int(TYPE_INT, (int64_t)(keys - 1 - i)), s->a->arena)};
        BoundExpr *bit[2] = {NULL, bound_literal(value_int(TYPE_LONG, 1), s->a->arena)};
        BoundExpr *both;
        if (!bind_builtin(s->a, "shiftright", 2, shift, e->origin, &bit[0], s->err) ||
            !bind_builtin(s->a, "&", 2, bit, e->origin, &both, s->err)) {
            s->failed = true;
            return true;
        }
        *slot = bound_cast(both, type_simple(TYPE_BYTE), CAST_LEGACY, true, s->a->arena);
        (*slot)->nullable = false;
        return true;
    }
    s->failed = true;
    error_set(s->err, ERR_GROUPING_COLUMN_MISMATCH,
              P("grouping", str_printf(s->a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(e, s->a->func.zone, s->a->arena)))),
              PZ("groupingColumns", ""));
    return true;
}

static bool set_outer(BoundExpr **slot, void *arg)
{
    if ((*slot)->kind == BEXPR_COLUMN)
        (*slot)->column.outer = *(bool *)arg;
    return bound_each_child(*slot, set_outer, arg);
}

static bool split(BoundExpr **slot, void *arg)
{
    Splitter *s = arg;
    BoundExpr *e = *slot;
    BoundRel *rel = s->aggregate;
    for (size_t i = 0; i < rel->aggregate.keys.len; i++)
        if (bound_equal(rel->aggregate.keys.at[i].expr, e)) {
            *slot = output_reference(s, rel->aggregate.keys.at[i].id);
            return set_outer(slot, &s->in_subquery);
        }
    if (bound_is_python_aggregate(e)) {
        *slot = reference_to_aggregate(s, e);
        return true;
    }
    if (e->kind == BEXPR_AGGREGATE && is_ours(s, e)) {
        bool here = false;
        if (s->in_subquery)
            (void)set_outer(&e, &here);
        if (!grouping_call(s, slot))
            *slot = reference_to_aggregate(s, e);
        return !s->failed && set_outer(slot, &s->in_subquery);
    }
    if (e->kind == BEXPR_WINDOW) {
        TRY(bound_each_child(e->window.function, split, s));
        for (size_t i = 0; i < e->window.partition.len; i++)
            TRY(split(&e->window.partition.at[i], s));
        for (size_t i = 0; i < e->window.order.len; i++)
            TRY(split(&e->window.order.at[i].expr, s));
        return true;
    }
    if (e->kind == BEXPR_COLUMN)
        return output_column(rel, e->column.id) || !is_input_column(s, e) ? true : missing_aggregation(s, e);
    if (e->kind == BEXPR_SUBQUERY) {
        bool saved = s->in_subquery;
        s->in_subquery = true;
        TRY(plan_each_expr(e->subquery.plan, split, s));
        s->in_subquery = saved;
    }
    return bound_each_child(e, split, s) && !s->failed;
}

/* A deep copy is not needed: items are bound afresh for each use and rewritten in place. */
bool split_aggregates(Analyzer *a, BoundRel *aggregate, BoundExpr **e, Error *err)
{
    Splitter s = {.a = a, .aggregate = aggregate, .err = err};
    return split(e, &s) && !s.failed;
}

bool split_above(Analyzer *a, BoundRel *aggregate, const BoundColumnVec *shown, BoundExpr **e, Error *err)
{
    Splitter s = {.a = a, .aggregate = aggregate, .err = err, .shown = shown};
    return split(e, &s) && !s.failed;
}

/* ---- keys ---- */

static BoundColumn key_column(Analyzer *a, const BoundRel *input, BoundExpr *key, Str name, bool nullable)
{
    if (key->kind == BEXPR_COLUMN)
        for (size_t i = 0; i < input->columns.len; i++)
            if (input->columns.at[i].id == key->column.id) {
                BoundColumn c = input->columns.at[i];
                c.nullable |= nullable;
                c.hidden = false;
                return c;
            }
    return new_column(a, name, key->type, key->nullable || nullable);
}

static size_t add_key(Analyzer *a, BoundRel *aggregate, BoundExpr *key, Str name, bool nullable)
{
    for (size_t i = 0; i < aggregate->aggregate.keys.len; i++)
        if (bound_equal(aggregate->aggregate.keys.at[i].expr, key))
            return i;
    BoundColumn c = key_column(a, aggregate->input, key, name, nullable);
    /* Under grouping sets the key becomes NULL in some groups: it must not be mistaken for the input's column. */
    if (nullable)
        c.id = analyzer_next_id(a);
    BoundItem item = {key, c.id};
    vec_push(a->arena, &aggregate->aggregate.keys, item);
    vec_push(a->arena, &aggregate->columns, c);
    return aggregate->aggregate.keys.len - 1;
}

static const Expr *key_by_ordinal(Analyzer *a, const Expr *key, const ExprVec *items, Error *err, bool *failed)
{
    *failed = false;
    if (!session_bool(a->session, "spark.sql.groupByOrdinal", true))
        return key;
    if (key->kind != EXPR_LITERAL || key->literal.is_null || key->literal.type->kind != TYPE_INT)
        return key;
    int64_t i = key->literal.integer;
    if (i < 1 || (size_t)i > items->len) {
        error_set(err, ERR_GROUP_BY_POS_OUT_OF_RANGE, P("index", str_printf(a->arena, "%lld", (long long)i)),
                  P("size", str_printf(a->arena, "%zu", items->len)));
        *failed = true;
        return NULL;
    }
    const Expr *item = items->at[i - 1];
    if (contains_aggregate(item)) {
        error_set(err, ERR_GROUP_BY_POS_AGGREGATE, P("index", str_printf(a->arena, "%lld", (long long)i)), PZ("aggExpr", "aggregate"));
        *failed = true;
    }
    return item->kind == EXPR_ALIAS ? item->alias.child : item;
}

/* The select list by name, the first of equal names: what a key may refer to (spark.sql.groupByAliases). */
static bool named_items(Analyzer *a, const Rel *rel, const BoundRel *input, NamedItemVec *out, Error *err)
{
    Scope scope = scope_of(a, input);
    scope.allow_aggregates = true;
    BoundRel *same = (BoundRel *)input; /* a generator's relation is dropped with this first reading */
    NamedItemVec items = {0};
    TRY(bind_items(a, &rel->aggregate.items, &scope, &same, &items, err));
    for (size_t i = 0; i < items.len; i++) {
        bool known = false;
        for (size_t k = 0; k < out->len; k++)
            known |= name_matches(a, out->at[k].name, items.at[i].name);
        if (!known)
            vec_push(a->arena, out, items.at[i]);
    }
    return true;
}

static bool bind_key_expr(Analyzer *a, const Rel *rel, const Expr *e, const BoundRel *input, BoundExpr **out, Error *err)
{
    Scope scope = scope_of(a, input);
    Error ignored = error_in(a->arena);
    scope.no_variables = true;
    if (bind_expr(a, e, &scope, out, &ignored))
        return true;
    NamedItemVec aliases = {0};
    error_clear(&ignored);
    if (!rel->aggregate.keys_in_output && session_bool(a->session, "spark.sql.groupByAliases", true) &&
        named_items(a, rel, input, &aliases, &ignored)) {
        scope = scope_of(a, input);
        scope.aliases = &aliases;
        if (bind_expr(a, e, &scope, out, &ignored))
            return true;
    }
    scope = scope_of(a, input);
    return bind_expr(a, e, &scope, out, err);
}

/* The ordinals of |> AGGREGATE's keys count the columns that come in. */
static bool input_ordinal(Analyzer *a, const Expr *key, const BoundRel *input, BoundExpr **out, Error *err)
{
    *out = NULL;
    if (key->kind != EXPR_LITERAL || key->literal.is_null || key->literal.type->kind != TYPE_INT ||
        !session_bool(a->session, "spark.sql.groupByOrdinal", true))
        return true;
    int64_t visible = 0;
    for (size_t i = 0; i < input->columns.len; i++)
        if (!input->columns.at[i].hidden && ++visible == key->literal.integer)
            *out = bound_column(&input->columns.at[i], a->arena);
    if (*out)
        return true;
    error_set(err, ERR_GROUP_BY_POS_OUT_OF_RANGE, P("index", str_printf(a->arena, "%lld", (long long)key->literal.integer)),
              P("size", str_printf(a->arena, "%lld", (long long)visible)));
    return set_context(a, err, key->origin);
}

/* Maps make groups though they have no order, at any depth. */
static bool is_groupable(const Type *t)
{
    if (t->kind == TYPE_MAP)
        return is_groupable(t->map.key) && is_groupable(t->map.value);
    if (t->kind == TYPE_ARRAY)
        return is_groupable(t->array.element);
    if (t->kind != TYPE_STRUCT)
        return type_is_orderable(t);
    for (size_t i = 0; i < t->structure.count; i++)
        if (!is_groupable(t->structure.fields[i].type))
            return false;
    return true;
}

static bool check_key(Analyzer *a, const BoundExpr *key, Origin origin, Error *err)
{
    bool over = key->kind == BEXPR_WINDOW && key->window.function->kind == BEXPR_AGGREGATE;
    if (over || bound_has_aggregate(key)) {
        error_set(err, ERR_GROUP_BY_AGGREGATE, P("sqlExpr", func_sql_text(key, a->func.zone, a->arena)));
        return set_context(a, err, origin);
    }
    if (is_groupable(key->type))
        return true;
    error_set(err, ERR_GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE,
              P("sqlExpr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(key, a->func.zone, a->arena)))),
              P("dataType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(key->type, a->arena)))));
    return set_context(a, err, origin);
}

static bool bind_key(Analyzer *a, const Rel *rel, const Expr *key, BoundRel *aggregate, bool nullable, size_t *index, Error *err)
{
    bool failed = false, in_pipe = rel->kind == REL_PIPE_AGGREGATE;
    const Expr *e = rel->aggregate.keys_in_output || in_pipe ? key : key_by_ordinal(a, key, &rel->aggregate.items, err, &failed);
    if (failed)
        return set_context(a, err, key->origin);
    BoundExpr *bound = NULL;
    Str name = {0};
    if (e->kind == EXPR_ALIAS) {
        name = e->alias.names.at[0];
        e = e->alias.child;
    }
    if (in_pipe)
        TRY(input_ordinal(a, e, aggregate->input, &bound, err));
    if (!bound)
        TRY(bind_key_expr(a, rel, e, aggregate->input, &bound, err));
    TRY(check_key(a, bound, key->origin, err));
    TRY(settle_in_subqueries(a, &bound, false, err));
    if (!name.len)
        name = bound->kind == BEXPR_COLUMN ? bound->column.name : func_pretty_name(bound, a->func.zone, a->arena);
    *index = add_key(a, aggregate, bound, name, nullable);
    return true;
}

/* GROUP BY ALL: every item without an aggregate is a key. A column called "all" is a plain key. */
static bool split_all(Analyzer *a, BoundRel *aggregate, NamedItemVec *items, Error *err)
{
    Splitter s = {.a = a, .aggregate = aggregate, .err = err, .all = true};
    for (size_t i = 0; i < items->len; i++) {
        NamedItem *item = &items->at[i];
        if (bound_has_aggregate(item->expr) || bound_contains(item->expr, BEXPR_WINDOW))
            continue;
        TRY(check_key(a, item->expr, item->expr->origin, err));
        add_key(a, aggregate, item->expr, item->name, false);
    }
    for (size_t i = 0; i < items->len; i++)
        TRY(split(&items->at[i].expr, &s) && !s.failed);
    return true;
}

static const Expr *column_called_all(Analyzer *a, const BoundRel *input)
{
    Expr *name = expr_new(EXPR_COLUMN, a->arena);
    name->column.plan_id = -1;
    vec_push(a->arena, &name->column.name, S("all"));
    for (size_t i = 0; i < input->columns.len; i++)
        if (name_matches(a, input->columns.at[i].name, S("all")))
            return name;
    return NULL;
}

/* ROLLUP(a, b) is (a, b), (a), (); CUBE is every subset, in Spark's order: the first key varies slowest. */
static void expand_sets(Analyzer *a, GroupKind kind, const size_t *keys, size_t count, BoundRel *aggregate)
{
    size_t total = kind == GROUP_ROLLUP ? count + 1 : (size_t)1 << count;
    for (size_t n = 0; n < total; n++) {
        IndexVec set = {0};
        for (size_t k = 0; k < count; k++)
            if (kind == GROUP_ROLLUP ? k < count - n : !(n >> (count - 1 - k) & 1))
                vec_push(a->arena, &set, keys[k]);
        vec_push(a->arena, &aggregate->aggregate.sets, set);
    }
}

static bool bind_sets(Analyzer *a, const Rel *rel, BoundRel *aggregate, Error *err)
{
    IndexVec all = {0};
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        size_t index;
        TRY(bind_key(a, rel, rel->aggregate.keys.at[i], aggregate, true, &index, err));
        vec_push(a->arena, &all, index);
    }
    if (rel->aggregate.group != GROUP_SETS) {
        if (rel->aggregate.group == GROUP_CUBE && all.len > 12)
            return error_unsupported(err, "CUBE over more than 12 expressions");
        expand_sets(a, rel->aggregate.group, all.at, all.len, aggregate);
        return true;
    }
    for (size_t s = 0; s < rel->aggregate.sets.len; s++) {
        IndexVec set = {0};
        for (size_t i = 0; i < rel->aggregate.sets.at[s].len; i++) {
            size_t index;
            TRY(bind_key(a, rel, rel->aggregate.sets.at[s].at[i], aggregate, true, &index, err));
            vec_push(a->arena, &set, index);
        }
        vec_push(a->arena, &aggregate->aggregate.sets, set);
    }
    return true;
}

static bool bind_keys(Analyzer *a, const Rel *rel, BoundRel *aggregate, Error *err)
{
    switch (rel->aggregate.group) {
    case GROUP_ALL: {
        size_t index;
        const Expr *all = column_called_all(a, aggregate->input);
        return !all || bind_key(a, rel, all, aggregate, false, &index, err);
    }
    case GROUP_ROLLUP:
    case GROUP_CUBE:
    case GROUP_SETS:
        return bind_sets(a, rel, aggregate, err);
    case GROUP_BY:
    case GROUP_PIVOT:
        break;
    }
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        size_t index;
        TRY(bind_key(a, rel, rel->aggregate.keys.at[i], aggregate, false, &index, err));
    }
    return true;
}

/* ---- |> AGGREGATE ---- */

/* The keys as they were written, each time. */
static bool push_pipe_keys(Analyzer *a, const Rel *rel, const BoundRel *aggregate, NamedItemVec *out, Error *err)
{
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        const Expr *key = rel->aggregate.keys.at[i];
        NamedItem item = {0};
        TRY(input_ordinal(a, key, aggregate->input, &item.expr, err));
        if (item.expr)
            item.name = item.expr->column.name;
        else {
            TRY(bind_key_expr(a, rel, key->kind == EXPR_ALIAS ? key->alias.child : key, aggregate->input, &item.expr, err));
            item.name = item_name(a, key, item.expr);
        }
        item.is_new = key->kind == EXPR_ALIAS;
        vec_push(a->arena, out, item);
    }
    return true;
}

static bool check_pipe_aggregates(Analyzer *a, const Rel *rel, const NamedItemVec *items, size_t keys, Error *err)
{
    for (size_t i = 0; i < rel->aggregate.items.len; i++)
        TRY(check_pipe_star(a, rel->aggregate.items.at[i], err));
    for (size_t i = keys; i < items->len; i++) {
        const BoundExpr *e = items->at[i].expr;
        if (bound_has_aggregate(e))
            continue;
        error_set(err, ERR_PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION,
                  P("expr", func_sql_text(e, a->func.zone, a->arena)));
        return set_context(a, err, e->origin);
    }
    return true;
}

/* ---- the whole ---- */

static void push_keys(Analyzer *a, const Rel *rel, const BoundRel *aggregate, NamedItemVec *out)
{
    for (size_t i = 0; i < aggregate->aggregate.keys.len; i++) {
        const BoundItem *key = &aggregate->aggregate.keys.at[i];
        NamedItem item = {output_column(aggregate, key->id)->name, key->expr};
        if (i < rel->aggregate.keys.len && rel->aggregate.keys.at[i]->kind == EXPR_ALIAS)
            item.name = rel->aggregate.keys.at[i]->alias.names.at[0];
        vec_push(a->arena, out, item);
    }
}

typedef struct Shown {
    const BoundRel *project;
    size_t visible;
} Shown;

/* False for a column that is neither shown nor what a shown item is computed as. */
static bool is_shown(BoundExpr **slot, void *arg)
{
    const Shown *s = arg;
    if ((*slot)->kind != BEXPR_COLUMN || (*slot)->column.outer)
        return bound_each_child(*slot, is_shown, arg);
    for (size_t i = 0; i < s->visible; i++) {
        const BoundExpr *e = s->project->project.items.at[i].expr;
        if (s->project->columns.at[i].id == (*slot)->column.id || (e->kind == BEXPR_COLUMN && e->column.id == (*slot)->column.id))
            return true;
    }
    return false;
}

bool analyze_aggregate(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    if (rel->aggregate.group == GROUP_PIVOT)
        return analyze_pivot_group(a, rel, input, out, err);
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    TRY(bind_keys(a, rel, aggregate, err));
    struct LiftedWindow *windows = NULL;
    for (size_t i = 0; i < aggregate->aggregate.keys.len; i++) {
        BoundItem *key = &aggregate->aggregate.keys.at[i];
        TRY(lift_session_window(a, aggregate, i, &windows, err));
        TRY(lift_time_windows(a, &aggregate->input, &windows, &key->expr, err));
        TRY(lift_partitions(a, &aggregate->input, &key->expr, err));
        for (size_t k = 0; windows && k < aggregate->columns.len && !aggregate->aggregate.sets.len; k++)
            if (aggregate->columns.at[k].id == key->id)
                aggregate->columns.at[k].nullable = key->expr->nullable;
    }
    input = aggregate->input;
    NamedItemVec items = {0};
    bool in_pipe = rel->kind == REL_PIPE_AGGREGATE;
    if (in_pipe)
        TRY(push_pipe_keys(a, rel, aggregate, &items, err));
    else if (rel->aggregate.keys_in_output)
        push_keys(a, rel, aggregate, &items);
    size_t keys = items.len;
    Scope scope = scope_of(a, input);
    scope.allow_aggregates = true;
    BoundRel *same = input;
    TRY(bind_items(a, &rel->aggregate.items, &scope, &same, &items, err));
    if (in_pipe)
        TRY(check_pipe_aggregates(a, rel, &items, keys, err));
    if (same != input)
        return error_unsupported(err, "a generator in the select list of an aggregation");
    for (size_t i = 0; i < items.len; i++)
        TRY(settle_in_subqueries(a, &items.at[i].expr, false, err));
    for (size_t i = 0; i < items.len && windows; i++)
        TRY(lift_time_windows(a, &aggregate->input, &windows, &items.at[i].expr, err));
    if (rel->aggregate.group == GROUP_ALL && !aggregate->aggregate.keys.len)
        TRY(split_all(a, aggregate, &items, err));
    else
        for (size_t i = 0; i < items.len; i++)
            TRY(split_aggregates(a, aggregate, &items.at[i].expr, err));
    BoundRel *project = project_items(a, aggregate, &items, NULL);
    if (!rel->aggregate.having) {
        TRY(part_moments(a, aggregate, err));
        *out = project;
        return true;
    }
    Scope above = scope_of(a, project);
    above.fallback = &input->columns;
    above.allow_aggregates = true;
    above.keys = &aggregate->aggregate.keys;
    BoundExpr *condition;
    TRY(bind_condition(a, rel->aggregate.having, &above, "HAVING", &condition, err));
    TRY(settle_in_subqueries(a, &condition, true, err));
    TRY(check_windows(condition, "HAVING", err));
    size_t visible = project->columns.len;
    TRY(split_above(a, aggregate, &project->columns, &condition, err));
    for (size_t i = 0; i < aggregate->columns.len; i++) {
        BoundColumn c = aggregate->columns.at[i];
        if (output_column(project, c.id))
            continue;
        c.hidden = true;
        project_push(a, project, bound_column(&aggregate->columns.at[i], a->arena), c);
    }
    BoundRel *filter = brel_new(BREL_FILTER, project, a->arena);
    filter->columns = project->columns;
    filter->filter.condition = condition;
    *out = hide_carried(a, filter, visible);
    Shown shown = {project, visible};
    if ((*out)->kind == BREL_PROJECT)
        (*out)->project.narrows = !is_shown(&condition, &shown);
    return true;
}
