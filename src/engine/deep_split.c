/* Deep expressions are computed in steps: DuckDB's binder and optimizer take cubic time over the depth of one
 * expression, and linear time over the number of queries inside one another. */
#include "base/buf.h"
#include "engine/render.h"
#include "func/func.h"

/* An expression of more levels than DEPTH_MAX is cut into pieces of PIECE_DEPTH levels. */
enum { DEPTH_MAX = 24, PIECE_DEPTH = 16 };

/* A column that is seen only by the relations put in below the present one; above every id of the analyzer's. */
enum { FIRST_PIECE_ID = 1 << 29 };

typedef VEC(BoundItemVec) LevelVec;

typedef struct Split {
    Render *r;
    LevelVec levels; /* pieces of level n use pieces of lower levels only */
} Split;

/* What is known of an expression whose deep parts have become columns. */
typedef struct Shape {
    size_t depth; /* levels that are left */
    size_t level; /* of the piece it would be */
    bool fixed;   /* means something only where it stands */
} Shape;

static size_t depth_of(const BoundExpr *e);

static bool note_depth(BoundExpr **child, void *arg)
{
    size_t *most = arg, depth = depth_of(*child);
    *most = depth > *most ? depth : *most;
    return true;
}

static size_t depth_of(const BoundExpr *e)
{
    size_t most = 0;
    bound_each_child((BoundExpr *)e, note_depth, &most);
    return most + 1;
}

static bool note_deep(BoundExpr **e, void *arg)
{
    bool *deep = arg;
    *deep = *deep || depth_of(*e) > DEPTH_MAX;
    return !*deep;
}

/* Whether the children are evaluated for every row: what may be skipped may also fail, and stays where it is. */
static bool takes_all(const BoundExpr *e)
{
    switch (e->kind) {
    case BEXPR_CALL: return !(e->call.row->flags & FUNC_LAZY);
    case BEXPR_AGGREGATE: return !e->call.filter;
    case BEXPR_GENERATOR:
    case BEXPR_CAST:
    case BEXPR_FIELD:
    case BEXPR_STRUCT: return true;
    default: return false;
    }
}

static bool is_fixed(const BoundExpr *e)
{
    switch (e->kind) {
    case BEXPR_COLUMN: return e->column.outer;
    case BEXPR_LITERAL:
    case BEXPR_CALL:
    case BEXPR_CAST:
    case BEXPR_CASE:
    case BEXPR_FIELD:
    case BEXPR_STRUCT: return false;
    default: return true;
    }
}

static void put_piece(Split *s, BoundExpr **e, Shape *shape)
{
    Arena *arena = s->r->arena;
    while (s->levels.len <= shape->level) {
        BoundItemVec none = {0};
        vec_push(arena, &s->levels, none);
    }
    BoundColumn column = {.id = FIRST_PIECE_ID + (ColumnId)s->r->numbered++, .type = (*e)->type, .nullable = (*e)->nullable};
    BoundItem item = {*e, column.id};
    vec_push(arena, &s->levels.at[shape->level], item);
    *e = bound_column(&column, arena);
    *shape = (Shape){.depth = 1, .level = shape->level + 1};
}

typedef struct Visit {
    Split *split;
    bool may_cut, is_root; /* a root stays: below itself it would be met again */
    Shape all;             /* of the children so far */
} Visit;

static bool split_child(BoundExpr **e, void *arg)
{
    Visit *parent = arg;
    Split *s = parent->split;
    Visit mine = {.split = s, .may_cut = parent->may_cut && takes_all(*e), .all.fixed = is_fixed(*e)};
    *e = bound_copy(*e, s->r->arena);
    TRY(bound_each_child(*e, split_child, &mine));
    Shape shape = mine.all;
    shape.depth++;
    if (parent->may_cut && !parent->is_root && !shape.fixed && shape.depth >= PIECE_DEPTH)
        put_piece(s, e, &shape);
    Shape *all = &parent->all;
    all->depth = shape.depth > all->depth ? shape.depth : all->depth;
    all->level = shape.level > all->level ? shape.level : all->level;
    all->fixed = all->fixed || shape.fixed;
    return true;
}

static bool split_root(BoundExpr **e, void *arg)
{
    Visit root = {.split = arg, .may_cut = true, .is_root = true};
    return depth_of(*e) <= DEPTH_MAX || split_child(e, &root);
}

/* The lists a visitor may write to, as copies of the relation's own. */
static bool copy_lists(Arena *arena, BoundRel *rel)
{
    BoundItemVec *items[] = {NULL, NULL};
    if (rel->kind == BREL_PROJECT)
        items[0] = &rel->project.items;
    else if (rel->kind == BREL_AGGREGATE) {
        items[0] = &rel->aggregate.keys;
        items[1] = &rel->aggregate.aggregates;
    } else if (rel->kind == BREL_SORT) {
        BoundSortVec order = {0};
        for (size_t i = 0; i < rel->sort.order.len; i++)
            vec_push(arena, &order, rel->sort.order.at[i]);
        rel->sort.order = order;
        return true;
    } else
        return rel->kind == BREL_FILTER || rel->kind == BREL_GENERATE;
    for (size_t k = 0; k < LENGTH_OF(items) && items[k]; k++) {
        BoundItemVec copy = {0};
        for (size_t i = 0; i < items[k]->len; i++)
            vec_push(arena, &copy, items[k]->at[i]);
        *items[k] = copy;
    }
    return true;
}

static bool has_column(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; i < columns->len; i++)
        if (columns->at[i].id == id)
            return true;
    return false;
}

static BoundRel *put_below(const Render *r, BoundRel *input, const BoundItemVec *pieces)
{
    Arena *arena = r->arena;
    BoundRel *step = brel_new(BREL_PROJECT, input, arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        ColumnId id = input->columns.at[i].id;
        if (has_column(&step->columns, id) || column_is_unused(r, id))
            continue;
        BoundItem passed = {bound_column(&input->columns.at[i], arena), id};
        vec_push(arena, &step->project.items, passed);
        vec_push(arena, &step->columns, input->columns.at[i]);
    }
    for (size_t i = 0; i < pieces->len; i++) {
        const BoundExpr *e = pieces->at[i].expr;
        BoundColumn column = {.id = pieces->at[i].id, .name = S("piece"), .type = e->type, .nullable = e->nullable, .hidden = true};
        vec_push(arena, &step->project.items, pieces->at[i]);
        vec_push(arena, &step->columns, column);
    }
    return step;
}

const BoundRel *split_deep(Render *r, const BoundRel *rel)
{
    bool deep = false;
    (void)!brel_each_expr((BoundRel *)rel, note_deep, &deep);
    BoundRel *copy = deep && rel->input ? ARENA_NEW(r->arena, BoundRel) : NULL;
    if (!copy)
        return rel;
    *copy = *rel;
    if (!copy_lists(r->arena, copy))
        return rel;
    Split s = {.r = r};
    (void)!brel_each_expr(copy, split_root, &s);
    for (size_t i = 0; i < s.levels.len; i++)
        copy->input = put_below(r, copy->input, &s.levels.at[i]);
    return copy;
}
