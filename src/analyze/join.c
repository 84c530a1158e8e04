/* Joins: conditions, USING and NATURAL columns, which side becomes nullable. */
#include "analyze/analyze_impl.h"

static void push_side(Analyzer *a, BoundRel *join, const BoundRel *side, bool nullable)
{
    for (size_t i = 0; i < side->columns.len; i++) {
        BoundColumn c = side->columns.at[i];
        c.nullable |= nullable;
        vec_push(a->arena, &join->columns, c);
    }
}

static BoundRel *make_join(Analyzer *a, BoundRel *left, BoundRel *right, JoinKind kind)
{
    BoundRel *j = brel_new(BREL_JOIN, left, a->arena);
    j->join.right = right;
    j->join.kind = kind;
    push_side(a, j, left, kind == JOIN_RIGHT || kind == JOIN_FULL);
    if (kind != JOIN_LEFT_SEMI && kind != JOIN_LEFT_ANTI)
        push_side(a, j, right, kind == JOIN_LEFT || kind == JOIN_FULL);
    return j;
}

static BoundColumnVec both_sides(Analyzer *a, const BoundRel *left, const BoundRel *right)
{
    BoundColumnVec all = {0};
    for (size_t i = 0; i < left->columns.len; i++)
        vec_push(a->arena, &all, left->columns.at[i]);
    for (size_t i = 0; i < right->columns.len; i++)
        vec_push(a->arena, &all, right->columns.at[i]);
    return all;
}

/* ---- USING and NATURAL ---- */

static bool using_column(Analyzer *a, const BoundRel *side, Str name, const char *which, BoundColumn *out, Error *err)
{
    for (size_t i = 0; i < side->columns.len; i++) /* the first of that name, as in Spark */
        if (!side->columns.at[i].hidden && name_matches(a, side->columns.at[i].name, name)) {
            *out = side->columns.at[i];
            return true;
        }
    Buf list = buf_in(a->arena);
    buf_addc(&list, '[');
    for (size_t i = 0; i < side->columns.len; i++)
        if (!side->columns.at[i].hidden)
            buf_addf(&list, "%s`" STR_FMT "`", list.len > 1 ? ", " : "", STR_ARG(side->columns.at[i].name));
    buf_addc(&list, ']');
    return error_set(err, ERR_UNRESOLVED_USING_COLUMN_FOR_JOIN, P("colName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(name))),
                     PZ("side", which), P("suggestion", buf_str(&list)));
}

static StrVec common_names(Analyzer *a, const BoundRel *left, const BoundRel *right)
{
    StrVec names = {0};
    for (size_t i = 0; i < left->columns.len; i++)
        for (size_t k = 0; k < right->columns.len; k++)
            if (!left->columns.at[i].hidden && !right->columns.at[k].hidden &&
                name_matches(a, left->columns.at[i].name, right->columns.at[k].name)) {
                vec_push(a->arena, &names, left->columns.at[i].name);
                break;
            }
    return names;
}

typedef struct UsingPair {
    BoundColumn left, right;
} UsingPair;
typedef VEC(UsingPair) UsingPairVec;

static bool equal_pair(Analyzer *a, const UsingPair *p, BoundExpr **out, Error *err)
{
    BoundExpr *args[2] = {bound_column(&p->left, a->arena), bound_column(&p->right, a->arena)};
    return bind_builtin(a, "=", 2, args, (Origin){0, -1}, out, err);
}

static bool is_key(const UsingPairVec *pairs, ColumnId id, bool right)
{
    for (size_t i = 0; i < pairs->len; i++)
        if ((right ? pairs->at[i].right.id : pairs->at[i].left.id) == id)
            return true;
    return false;
}

static bool key_item(Analyzer *a, JoinKind kind, const UsingPair *p, BoundRel *project, Error *err)
{
    if (kind == JOIN_FULL) {
        BoundExpr *args[2] = {bound_column(&p->left, a->arena), bound_column(&p->right, a->arena)};
        args[0]->nullable = args[1]->nullable = true;
        BoundExpr *both;
        TRY(bind_builtin(a, "coalesce", 2, args, (Origin){0, -1}, &both, err));
        project_push(a, project, both, column_of_expr(a, both, p->left.name, p->left.metadata));
        return true;
    }
    const BoundColumn *c = kind == JOIN_RIGHT ? &p->right : &p->left;
    project_push(a, project, bound_column(c, a->arena), *c);
    return true;
}

/* Keys first, then the rest of both sides; the other side's keys stay reachable by their qualifier. */
static bool project_using(Analyzer *a, BoundRel *join, const UsingPairVec *pairs, BoundRel **out, Error *err)
{
    JoinKind kind = join->join.kind;
    if (kind == JOIN_LEFT_SEMI || kind == JOIN_LEFT_ANTI) {
        *out = join;
        return true;
    }
    BoundRel *p = brel_new(BREL_PROJECT, join, a->arena);
    for (size_t i = 0; i < pairs->len; i++)
        TRY(key_item(a, kind, &pairs->at[i], p, err));
    for (size_t i = 0; i < join->columns.len; i++) {
        BoundColumn c = join->columns.at[i];
        bool left_key = is_key(pairs, c.id, false), right_key = is_key(pairs, c.id, true);
        bool shown = kind == JOIN_RIGHT ? right_key : kind != JOIN_FULL && left_key;
        if (shown)
            continue;
        c.hidden |= left_key || right_key;
        project_push(a, p, bound_column(&c, a->arena), c);
    }
    *out = p;
    return true;
}

static bool join_using(Analyzer *a, const StrVec *names, BoundRel *left, BoundRel *right, JoinKind kind, BoundRel **out, Error *err)
{
    UsingPairVec pairs = {0};
    BoundExpr *condition = NULL;
    for (size_t i = 0; i < names->len; i++) {
        UsingPair p;
        TRY(using_column(a, left, names->at[i], "left", &p.left, err));
        TRY(using_column(a, right, names->at[i], "right", &p.right, err));
        vec_push(a->arena, &pairs, p);
        BoundExpr *equal;
        TRY(equal_pair(a, &p, &equal, err));
        BoundExpr *args[2] = {condition, equal};
        if (condition)
            TRY(bind_builtin(a, "and", 2, args, (Origin){0, -1}, &condition, err));
        else
            condition = equal;
    }
    BoundRel *j = make_join(a, left, right, kind);
    j->join.condition = condition;
    return project_using(a, j, &pairs, out, err);
}

/* ---- the rules ---- */

static bool analyze_right(Analyzer *a, const Rel *rel, BoundRel *left, BoundRel **out, Error *err)
{
    if (!rel->join.lateral && rel->kind != REL_LATERAL_JOIN)
        return analyze_rel(a, rel->join.right, out, err);
    Scope scope = {.columns = &left->columns, .outer = a->outer};
    Scope *saved = a->outer;
    a->outer = &scope;
    bool ok = analyze_rel(a, rel->join.right, out, err);
    a->outer = saved;
    return ok;
}

bool analyze_join(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *left, *right;
    TRY(analyze_rel(a, rel->input, &left, err));
    TRY(analyze_right(a, rel, left, &right, err));
    JoinKind kind = rel->join.kind;
    if (rel->join.natural || rel->join.using_columns.len) {
        StrVec names = rel->join.natural ? common_names(a, left, right) : rel->join.using_columns;
        if (names.len)
            return join_using(a, &names, left, right, kind, out, err);
    }
    BoundRel *j = make_join(a, left, right, kind);
    j->join.lateral = rel->join.lateral || rel->kind == REL_LATERAL_JOIN;
    if (rel->join.condition) {
        BoundColumnVec all = both_sides(a, left, right);
        Scope scope = {.columns = &all, .outer = a->outer};
        TRY(bind_condition(a, rel->join.condition, &scope, "JOIN", &j->join.condition, err));
        TRY(check_join_subqueries(a, j, err));
        if (kind != JOIN_INNER && kind != JOIN_CROSS)
            TRY(lift_subqueries(a, j, err));
    } else if (kind == JOIN_CROSS)
        j->join.kind = JOIN_INNER;
    if (j->join.lateral)
        TRY(check_lateral(a, j, err));
    *out = j;
    return true;
}

static bool and_with(Analyzer *a, BoundExpr *extra, BoundExpr **condition, Error *err)
{
    BoundExpr *args[2] = {*condition, extra};
    return bind_builtin(a, "and", 2, args, (Origin){0, -1}, condition, err);
}

static bool asof_condition(Analyzer *a, const Rel *rel, Scope *scope, BoundExpr **out, Error *err)
{
    BoundExpr *args[2];
    TRY(bind_expr(a, rel->asof.left_as_of, scope, &args[0], err));
    TRY(bind_expr(a, rel->asof.right_as_of, scope, &args[1], err));
    bool forward = str_is_ci(rel->asof.direction, "forward");
    const char *op = forward ? (rel->asof.allow_exact ? "<=" : "<") : (rel->asof.allow_exact ? ">=" : ">");
    TRY(bind_builtin(a, op, 2, args, rel->origin, out, err));
    if (!rel->asof.tolerance)
        return true;
    BoundExpr *difference[2] = {forward ? args[1] : args[0], forward ? args[0] : args[1]};
    BoundExpr *limit[2];
    TRY(bind_builtin(a, "-", 2, difference, rel->origin, &limit[0], err));
    TRY(bind_expr(a, rel->asof.tolerance, scope, &limit[1], err));
    BoundExpr *within;
    TRY(bind_builtin(a, "<=", 2, limit, rel->origin, &within, err));
    return and_with(a, within, out, err);
}

bool analyze_asof_join(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    if (str_is_ci(rel->asof.direction, "nearest"))
        return error_unsupported(err, "an as-of join with direction 'nearest'");
    BoundRel *left, *right;
    TRY(analyze_rel(a, rel->input, &left, err));
    TRY(analyze_rel(a, rel->asof.right, &right, err));
    BoundColumnVec all = both_sides(a, left, right);
    Scope scope = {.columns = &all, .outer = a->outer};
    BoundExpr *condition;
    TRY(asof_condition(a, rel, &scope, &condition, err));
    UsingPairVec pairs = {0};
    for (size_t i = 0; i < rel->asof.using_columns.len; i++) {
        UsingPair p;
        TRY(using_column(a, left, rel->asof.using_columns.at[i], "left", &p.left, err));
        TRY(using_column(a, right, rel->asof.using_columns.at[i], "right", &p.right, err));
        vec_push(a->arena, &pairs, p);
        BoundExpr *equal;
        TRY(equal_pair(a, &p, &equal, err));
        TRY(and_with(a, equal, &condition, err));
    }
    if (rel->asof.condition) {
        BoundExpr *extra;
        TRY(bind_condition(a, rel->asof.condition, &scope, "JOIN", &extra, err));
        TRY(and_with(a, extra, &condition, err));
    }
    BoundRel *j = brel_new(BREL_ASOF_JOIN, left, a->arena);
    j->asof.right = right;
    j->asof.condition = condition;
    j->asof.left_outer = str_istarts_with(rel->asof.kind, S("left"));
    push_side(a, j, left, false);
    push_side(a, j, right, j->asof.left_outer);
    *out = j;
    return true;
}

/* ---- nearestByJoin ---- */

static bool row_numbers(Analyzer *a, BoundRel **slot, const BoundExpr *partition, const BoundSort *order, ColumnId *id, Error *err)
{
    BoundExpr *w = bound_new(BEXPR_WINDOW, type_simple(TYPE_INT), false, a->arena);
    TRY(bind_builtin(a, "row_number", 0, NULL, (Origin){0, -1}, &w->window.function, err));
    if (partition)
        vec_push(a->arena, &w->window.partition, (BoundExpr *)partition);
    if (order)
        vec_push(a->arena, &w->window.order, *order);
    BoundRel *p = project_columns(a, *slot, &(*slot)->columns);
    BoundColumn c = new_column(a, S("_n"), w->type, false);
    c.hidden = true;
    project_push(a, p, w, c);
    *slot = p;
    *id = c.id;
    return true;
}

static const BoundColumn *with_id(const BoundRel *rel, ColumnId id)
{
    for (size_t i = 0; i < rel->columns.len; i++)
        if (rel->columns.at[i].id == id)
            return &rel->columns.at[i];
    return NULL;
}

static bool check_ranking(Analyzer *a, const Rel *rel, const BoundExpr *ranking, Error *err)
{
    if (!session_bool(a->session, "spark.sql.crossJoin.enabled", true))
        error_set(err, ERR_NEAREST_BY_JOIN__CROSS_JOIN_NOT_ENABLED);
    else if (!type_is_orderable(ranking->type))
        error_set(err, ERR_NEAREST_BY_JOIN__NON_ORDERABLE_RANKING_EXPRESSION,
                  P("expression", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(ranking, a->func.zone, a->arena)))),
                  P("type", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(ranking->type, a->arena)))));
    else
        return true;
    return set_context(a, err, rel->origin);
}

/* For each row of the left side the rows of the right one that rank best; a NULL rank never does. */
bool analyze_nearest_join(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *left, *right;
    ColumnId number, rank;
    BoundExpr *ranking, *condition;
    TRY(analyze_rel(a, rel->input, &left, err));
    TRY(analyze_rel(a, rel->nearest.right, &right, err));
    left = strip_hidden(a, left);
    right = strip_hidden(a, right);
    BoundColumnVec all = both_sides(a, left, right);
    Scope scope = {.columns = &all, .outer = a->outer};
    TRY(bind_expr(a, rel->nearest.ranking, &scope, &ranking, err));
    TRY(check_ranking(a, rel, ranking, err));
    TRY(row_numbers(a, &left, NULL, NULL, &number, err));
    bool outer = str_istarts_with(rel->nearest.kind, S("left"));
    BoundRel *j = make_join(a, left, right, outer ? JOIN_LEFT : JOIN_INNER);
    TRY(bind_builtin(a, "isnotnull", 1, &ranking, (Origin){0, -1}, &j->join.condition, err));
    BoundRel *ranked = j;
    BoundSort best = {ranking, str_is_ci(rel->nearest.direction, "similarity"), false};
    TRY(row_numbers(a, &ranked, bound_column(with_id(j, number), a->arena), &best, &rank, err));
    BoundExpr *args[2] = {bound_column(with_id(ranked, rank), a->arena), bound_literal(value_int(TYPE_LONG, rel->nearest.count), a->arena)};
    TRY(bind_builtin(a, "<=", 2, args, (Origin){0, -1}, &condition, err));
    BoundRel *f = brel_new(BREL_FILTER, ranked, a->arena);
    f->columns = ranked->columns;
    f->filter.condition = condition;
    *out = strip_hidden(a, f);
    /* Spark rewrites the join over an aggregate, which may give NULL for any column. */
    for (size_t i = 0; i < (*out)->columns.len; i++)
        (*out)->columns.at[i].nullable = true;
    return true;
}
