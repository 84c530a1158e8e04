/* Groups by columns of a join's left side that only count, or take the least or greatest, of the right side's
 * columns: the right side is grouped by its join keys first, so that far fewer rows are joined. */
#include "delta/delta.h"
#include "engine/render_impl.h"

enum { ROWS_A_KEY = 4 };

typedef struct Early {
    Arena *arena;
    const BoundRel *join;
    BoundExprVec outside; /* conjuncts that stay with the join */
    BoundExprVec inside;  /* of the right side alone */
    BoundItemVec keys;    /* of the right side */
} Early;

/* A projection that only passes columns on. */
static bool passes_on(const BoundRel *rel)
{
    for (size_t i = 0; rel->kind == BREL_PROJECT && i < rel->project.items.len; i++) {
        const BoundItem *item = &rel->project.items.at[i];
        if (item->expr->kind != BEXPR_COLUMN || item->expr->column.id != item->id)
            return false;
    }
    return rel->kind == BREL_PROJECT;
}

static double scanned_rows(const BoundRel *rel)
{
    while (rel->kind == BREL_FILTER || passes_on(rel))
        rel = rel->input;
    bool known = rel->kind == BREL_SCAN_DELTA && !rel->delta.changes && !rel->delta.only_files;
    return known ? (double)snapshot_row_count(rel->delta.snapshot) : -1;
}

static bool joins_exactly(const Type *t)
{
    return type_is_integral(t) || t->kind == TYPE_DATE ||
           (t->kind == TYPE_STRING && !t->string.collation.len);
}

static void add_key(Early *g, const BoundExpr *column)
{
    for (size_t i = 0; i < g->keys.len; i++)
        if (g->keys.at[i].id == column->column.id)
            return;
    BoundItem key = {(BoundExpr *)column, column->column.id};
    vec_push(g->arena, &g->keys, key);
}

static bool is_key(const Early *g, const BoundExpr *mine, const BoundExpr *other)
{
    return mine->kind == BEXPR_COLUMN && !mine->column.outer && joins_exactly(mine->type) &&
           !join_sides(g->join, (BoundExpr *)other).uses_right;
}

static bool sort_out(Early *g, BoundExpr *e)
{
    bool pair = e->kind == BEXPR_CALL && e->call.args.len == 2;
    Str name = pair ? str_from(e->call.row->name) : S("");
    if (str_is(name, "and"))
        return sort_out(g, e->call.args.at[0]) && sort_out(g, e->call.args.at[1]);
    Sides s = join_sides(g->join, e);
    if (s.uses_other || !is_determined(&e, NULL))
        return false;
    if (!s.uses_right) {
        vec_push(g->arena, &g->outside, e);
        return true;
    }
    if (!s.uses_left) {
        vec_push(g->arena, &g->inside, e);
        return true;
    }
    if (!str_is(name, "="))
        return false;
    BoundExpr *a = e->call.args.at[0], *b = e->call.args.at[1];
    bool straight = join_sides(g->join, b).uses_right;
    if (!is_key(g, straight ? b : a, straight ? a : b))
        return false;
    add_key(g, straight ? b : a);
    vec_push(g->arena, &g->outside, e);
    return true;
}

static bool counts_partners(const Early *g, const BoundExpr *e)
{
    if (e->kind != BEXPR_AGGREGATE || e->call.args.len != 1 || e->call.distinct || e->call.filter ||
        e->call.order.len)
        return false;
    BoundExpr *of = e->call.args.at[0];
    Str name = str_from(e->call.row->name);
    Sides s = join_sides(g->join, of);
    return of->kind == BEXPR_COLUMN && s.uses_right && !s.uses_left && !s.uses_other &&
           (str_is(name, "count") || ((str_is(name, "min") || str_is(name, "max")) && joins_exactly(of->type)));
}

static bool groups_left(const Early *g, const BoundRel *aggregate)
{
    for (size_t i = 0; i < aggregate->aggregate.keys.len; i++) {
        BoundExpr *key = aggregate->aggregate.keys.at[i].expr;
        Sides s = join_sides(g->join, key);
        if (key->kind != BEXPR_COLUMN || s.uses_right || s.uses_other)
            return false;
    }
    for (size_t i = 0; i < aggregate->aggregate.aggregates.len; i++)
        if (!counts_partners(g, aggregate->aggregate.aggregates.at[i].expr))
            return false;
    return aggregate->aggregate.keys.len && aggregate->aggregate.aggregates.len &&
           !aggregate->aggregate.sets.len && !aggregate->aggregate.grouping_id;
}

static BoundRel *filtered(Early *g, BoundRel *rel)
{
    for (size_t i = 0; i < g->inside.len; i++) {
        BoundRel *filter = brel_new(BREL_FILTER, rel, g->arena);
        filter->columns = rel->columns;
        filter->filter.condition = g->inside.at[i];
        rel = filter;
    }
    return rel;
}

static BoundRel *grouped_right(Early *g, const BoundRel *aggregate)
{
    BoundRel *out = brel_new(BREL_AGGREGATE, filtered(g, g->join->join.right), g->arena);
    out->columns = (BoundColumnVec){0};
    out->aggregate.keys = g->keys;
    out->aggregate.aggregates = aggregate->aggregate.aggregates;
    for (size_t i = 0; i < g->keys.len; i++) {
        BoundColumn c = {.id = g->keys.at[i].id, .type = g->keys.at[i].expr->type, .nullable = true};
        vec_push(g->arena, &out->columns, c);
    }
    for (size_t i = 0; i < aggregate->aggregate.aggregates.len; i++) {
        const BoundItem *item = &aggregate->aggregate.aggregates.at[i];
        BoundColumn c = {.id = item->id, .type = item->expr->type, .nullable = true};
        vec_push(g->arena, &out->columns, c);
    }
    return out;
}

/* The conjuncts that stay, with the `and` that held them. */
static BoundExpr *all_of(Early *g, const BoundExpr *like)
{
    BoundExpr *out = g->outside.at[0];
    for (size_t i = 1; i < g->outside.len; i++) {
        BoundExpr *both = bound_copy(like, g->arena);
        both->call.args.at[0] = out;
        both->call.args.at[1] = g->outside.at[i];
        out = both;
    }
    return out;
}

const BoundRel *group_early(Render *r, const BoundRel *aggregate)
{
    const BoundRel *join = aggregate->input;
    while (passes_on(join))
        join = join->input;
    if (join->kind != BREL_JOIN || (join->join.kind != JOIN_LEFT && join->join.kind != JOIN_INNER) ||
        join->join.lateral || !join->join.condition)
        return NULL;
    Early g = {.arena = r->arena, .join = join};
    double left = scanned_rows(join->input), right = scanned_rows(join->join.right);
    if (left < 0 || right < ROWS_A_KEY * left || !groups_left(&g, aggregate) ||
        !sort_out(&g, join->join.condition) || !g.keys.len)
        return NULL;
    BoundRel *out = brel_new(BREL_JOIN, join->input, r->arena);
    out->join = join->join;
    out->join.right = grouped_right(&g, aggregate);
    out->join.condition = all_of(&g, join->join.condition);
    out->columns = (BoundColumnVec){0};
    for (size_t i = 0; i < join->input->columns.len; i++)
        vec_push(r->arena, &out->columns, join->input->columns.at[i]);
    for (size_t i = 0; i < out->join.right->columns.len; i++)
        vec_push(r->arena, &out->columns, out->join.right->columns.at[i]);
    return out;
}

void put_early_aggregates(const BoundRel *aggregate, Buf *select)
{
    for (size_t i = 0; i < aggregate->aggregate.aggregates.len; i++) {
        const BoundItem *item = &aggregate->aggregate.aggregates.at[i];
        const char *name = item->expr->call.row->name;
        if (str_is(str_from(name), "count"))
            buf_addf(select, ", CAST(coalesce(sum(c%u), 0) AS BIGINT) AS c%u", item->id, item->id);
        else
            buf_addf(select, ", %s(c%u) AS c%u", name, item->id, item->id);
    }
}
