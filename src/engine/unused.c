/* Columns of scans that nothing above refers to; those of Delta scans are left out of the SQL: DuckDB reads no more than it needs either
 * way, but its parser and binder take time for every column of a wide table. */
#include "engine/render.h"

/* Ids are small numbers given in order; past this many nothing is left out. */
enum { IDS_MAX = 1 << 20 };

struct ColumnSet {
    size_t count;
    uint8_t *scanned, *used; /* by id */
};

typedef struct Walk {
    ColumnSet *set;
    bool sizing; /* only the largest id is looked for */
} Walk;

static void note(Walk *w, ColumnId id, bool scan)
{
    ColumnSet *s = w->set;
    if (w->sizing)
        s->count = scan && id < IDS_MAX && id >= s->count ? id + 1 : s->count;
    else if (id < s->count)
        (scan ? s->scanned : s->used)[id] = 1;
}

/* Whoever takes the columns of this relation by their places needs them all. */
static void keep_all(Walk *w, const BoundColumnVec *columns)
{
    for (size_t i = 0; i < columns->len; i++)
        note(w, columns->at[i].id, false);
}

static bool walk_rel(BoundRel **slot, void *arg);

static bool walk_expr(BoundExpr **slot, void *arg)
{
    BoundExpr *e = *slot;
    if (e->kind == BEXPR_COLUMN)
        note(arg, e->column.id, false);
    if (e->kind == BEXPR_SUBQUERY) {
        keep_all(arg, &e->subquery.plan->columns);
        TRY(walk_rel(&e->subquery.plan, arg));
    }
    return bound_each_child(e, walk_expr, arg);
}

static bool keep_input(BoundRel **slot, void *arg)
{
    keep_all(arg, &(*slot)->columns);
    return true;
}

static bool walk_rel(BoundRel **slot, void *arg)
{
    BoundRel *rel = *slot;
    TRY(brel_each_expr(rel, walk_expr, arg));
    switch (rel->kind) {
    case BREL_SCAN_DELTA:
        for (size_t i = 0; i < rel->delta.column_count; i++)
            note(arg, rel->columns.at[i].id, true);
        break;
    case BREL_SCAN_FILES:
        for (size_t i = 0; i < rel->columns.len; i++)
            note(arg, rel->columns.at[i].id, true);
        break;
    case BREL_CTE_REF:
        for (size_t i = 0; i < rel->cte_ref.source.len; i++)
            note(arg, rel->cte_ref.source.at[i].id, false);
        break;
    case BREL_PROJECT:
    case BREL_FILTER:
    case BREL_JOIN:
    case BREL_AGGREGATE:
    case BREL_SORT:
    case BREL_LIMIT:
        break;
    case BREL_CTE:
        keep_all(arg, &rel->cte.definition->columns);
        break;
    default:
        keep_all(arg, &rel->columns);
        TRY(brel_each_input(rel, keep_input, arg));
        break;
    }
    return brel_each_input(rel, walk_rel, arg);
}

const ColumnSet *unused_columns(const BoundRel *root, Arena *arena)
{
    ColumnSet *set = ARENA_NEW(arena, ColumnSet);
    Walk w = {set, true};
    BoundRel *plan = (BoundRel *)root;
    (void)!walk_rel(&plan, &w);
    w.sizing = false;
    set->scanned = ARENA_ARRAY(arena, uint8_t, set->count + 1);
    set->used = ARENA_ARRAY(arena, uint8_t, set->count + 1);
    keep_all(&w, &root->columns);
    (void)!walk_rel(&plan, &w);
    return set;
}

bool column_is_unused(const Render *r, ColumnId id)
{
    const ColumnSet *s = r->unused;
    return s && id < s->count && s->scanned[id] && !s->used[id];
}
