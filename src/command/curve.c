/* Rows in the order of a space-filling curve over several columns, as ZORDER BY and clustering lay them out. */
#include "command/optimize_impl.h"

enum { MAX_RANGE_BITS = 10, CURVE_BITS = 62, SAMPLE_ROWS = 100000 };

static BoundRel *sampled(CommandContext *ctx, BoundRel *scan, int64_t rows)
{
    if (rows >= 0 && rows <= 2 * SAMPLE_ROWS)
        return scan;
    BoundRel *s = brel_new(BREL_SAMPLE, scan, ctx->arena);
    s->columns = scan->columns;
    s->sample.upper = rows < 0 ? 0.01 : (double)SAMPLE_ROWS / (double)rows;
    return s;
}

/* Bounds that part each key's values into ranges of about as many rows, from a sample. */
static bool find_bounds(CommandContext *ctx, BoundRel *scan, const BoundExprVec *keys, size_t bits, int64_t rows, Value **out, Error *err)
{
    BoundRel *g = brel_new(BREL_AGGREGATE, sampled(ctx, scan, rows), ctx->arena);
    for (size_t i = 0; i < keys->len; i++) {
        BoundExpr *args[2] = {keys->at[i], build_int(ctx, ((int64_t)1 << bits) - 1)}, *bounds;
        TRY(build_call(ctx, "curve_bounds", 2, args, &bounds, err));
        BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("bounds"), .type = bounds->type, .nullable = true};
        BoundItem item = {bounds, c.id};
        vec_push(ctx->arena, &g->aggregate.aggregates, item);
        vec_push(ctx->arena, &g->columns, c);
    }
    RowVec found = {0};
    TRY(engine_rows(ctx->engine, g, &ctx->run, 1, ctx->arena, &found, err));
    *out = found.at[0].cells;
    return true;
}

static bool place_on_curve(CommandContext *ctx, BoundRel *scan, const BoundExprVec *keys, CurveKind kind, int64_t rows, BoundExpr **out, Error *err)
{
    size_t bits = CURVE_BITS / keys->len < MAX_RANGE_BITS ? CURVE_BITS / keys->len : MAX_RANGE_BITS;
    Value *bounds;
    TRY(find_bounds(ctx, scan, keys, bits, rows, &bounds, err));
    BoundExpr **args = ARENA_ARRAY(ctx->arena, BoundExpr *, keys->len + 1);
    args[0] = build_int(ctx, (int64_t)bits);
    for (size_t i = 0; i < keys->len; i++) {
        BoundExpr *of[2] = {keys->at[i], bound_literal(bounds[i], ctx->arena)};
        TRY(build_call(ctx, "curve_range", 2, of, &args[i + 1], err));
    }
    return build_call(ctx, kind == CURVE_HILBERT ? "curve_hilbert" : "curve_z_order", keys->len + 1, args, out, err);
}

bool curve_sort(CommandContext *ctx, BoundRel *scan, const BoundExprVec *keys, CurveKind kind, int64_t rows, BoundRel **out, Error *err)
{
    BoundSort by = {.expr = keys->at[0], .nulls_first = true};
    if (keys->len > 1) {
        BoundExprVec plain = {0};
        for (size_t i = 0; i < keys->len; i++) {
            BoundExpr *key;
            TRY(build_call(ctx, "curve_key", 1, &keys->at[i], &key, err));
            vec_push(ctx->arena, &plain, key);
        }
        TRY(place_on_curve(ctx, scan, &plain, kind, rows, &by.expr, err));
    }
    BoundRel *sort = brel_new(BREL_SORT, scan, ctx->arena);
    vec_push(ctx->arena, &sort->sort.order, by);
    sort->columns = scan->columns;
    *out = sort;
    return true;
}
