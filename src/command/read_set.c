/* What a statement looked at: narrows its scans, and tells the conflict rules which files of others matter. */
#include "command/command_impl.h"
#include "type/collation.h"

enum { MAX_LISTED_KEYS = 256 };

/* ---- conjuncts over one scan ---- */

static void split(CommandContext *ctx, BoundExpr *e, BoundExprVec *out)
{
    if (e->kind == BEXPR_CALL && str_is(str_from(e->call.row->name), "and")) {
        split(ctx, e->call.args.at[0], out);
        split(ctx, e->call.args.at[1], out);
    } else
        vec_push(ctx->arena, out, e);
}

static const ScanColumn *scan_columns(CommandContext *ctx, const BoundRel *scan)
{
    ScanColumn *columns = ARENA_ARRAY(ctx->arena, ScanColumn, scan->delta.column_count + 1);
    for (size_t i = 0; i < scan->delta.column_count; i++)
        columns[i] = (ScanColumn){scan->columns.at[i].id, scan->delta.fields[i]};
    return columns;
}

static void note_conjuncts(CommandContext *ctx, BoundRel *scan, const BoundExprVec *list, Transaction *x)
{
    if (!list->len) {
        transaction_read_whole_table(x);
        return;
    }
    scan->delta.predicates = *list;
    transaction_read_predicate(x, list, scan_columns(ctx, scan), scan->delta.column_count);
}

void note_read(CommandContext *ctx, BoundRel *scan, BoundExpr *condition, Transaction *x)
{
    BoundExprVec *list = ARENA_NEW(ctx->arena, BoundExprVec);
    if (condition)
        split(ctx, condition, list);
    note_conjuncts(ctx, scan, list, x);
}

/* ---- whose columns an expression mentions ---- */

typedef struct Mentions {
    const BoundColumnVec *target;
    bool ours, others, unusable;
} Mentions;

static bool mention(BoundExpr **child, void *arg)
{
    Mentions *m = arg;
    const BoundExpr *e = *child;
    bool ours = false;
    if (e->kind == BEXPR_SUBQUERY || e->kind == BEXPR_PYTHON || (e->kind == BEXPR_COLUMN && e->column.outer) ||
        (e->kind == BEXPR_CALL && (e->call.row->flags & FUNC_NONDETERMINISTIC)))
        m->unusable = true;
    if (e->kind != BEXPR_COLUMN)
        return bound_each_child(*child, mention, arg);
    for (size_t i = 0; i < m->target->len && !ours; i++)
        ours = m->target->at[i].id == e->column.id;
    m->ours |= ours;
    m->others |= !ours;
    return true;
}

static Mentions mentions_of(const BoundExpr *e, const BoundRel *scan)
{
    Mentions m = {.target = &scan->columns};
    BoundExpr *root = (BoundExpr *)e; /* the visitor replaces nothing */
    (void)!mention(&root, &m);
    return m;
}

static bool is_about_target(const BoundExpr *e, const BoundRel *scan)
{
    Mentions m = mentions_of(e, scan);
    return !m.others && !m.unusable;
}

/* ---- a MERGE's pairs: what the source's keys say about the target ---- */

/* target <op> source holds for some source row only if target <op> that extreme of the source holds. */
static const struct {
    const char *op, *turned, *extreme;
} comparisons[] = {
    {"=", "=", NULL}, {"<", ">", "max"}, {"<=", ">=", "max"}, {">", "<", "min"}, {">=", "<=", "min"},
};

typedef struct Pairs {
    CommandContext *ctx;
    BoundRel *scan, *source;
    BoundExprVec *found;
} Pairs;

static bool push_call(Pairs *p, const char *name, size_t argc, BoundExpr *const *args, Error *err)
{
    BoundExpr *e;
    TRY(build_call(p->ctx, name, argc, args, &e, err));
    vec_push(p->ctx->arena, p->found, e);
    return true;
}

/* The source's distinct keys, one more than are listed when there are many. */
static bool source_keys(Pairs *p, BoundExpr *key, RowVec *out, Error *err)
{
    CommandContext *ctx = p->ctx;
    BoundRel *g = brel_new(BREL_AGGREGATE, p->source, ctx->arena);
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("key"), .type = key->type, .nullable = true};
    BoundItem item = {key, c.id};
    vec_push(ctx->arena, &g->aggregate.keys, item);
    vec_push(ctx->arena, &g->columns, c);
    BoundRel *limit = brel_new(BREL_LIMIT, g, ctx->arena);
    limit->columns = g->columns;
    limit->limit.count = bound_literal(value_int(TYPE_INT, MAX_LISTED_KEYS + 1), ctx->arena);
    return engine_rows(ctx->engine, limit, &ctx->run, MAX_LISTED_KEYS + 1, ctx->arena, out, err);
}

static bool source_extreme(Pairs *p, const char *name, BoundExpr *key, Value *out, Error *err)
{
    CommandContext *ctx = p->ctx;
    BoundRel *g = brel_new(BREL_AGGREGATE, p->source, ctx->arena);
    BoundExpr *e;
    TRY(build_call(ctx, name, 1, &key, &e, err));
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("extreme"), .type = e->type, .nullable = true};
    BoundItem item = {e, c.id};
    vec_push(ctx->arena, &g->aggregate.aggregates, item);
    vec_push(ctx->arena, &g->columns, c);
    RowVec rows = {0};
    TRY(engine_rows(ctx->engine, g, &ctx->run, 1, ctx->arena, &rows, err));
    *out = rows.at[0].cells[0];
    return true;
}

static bool push_extreme(Pairs *p, BoundExpr *target, const char *op, const char *extreme, BoundExpr *key, Error *err)
{
    Value v;
    TRY(source_extreme(p, extreme, key, &v, err));
    BoundExpr *args[2] = {target, bound_literal(v, p->ctx->arena)};
    if (v.is_null)
        vec_push(p->ctx->arena, p->found, bound_literal(value_bool(false), p->ctx->arena));
    else
        TRY(push_call(p, op, 2, args, err));
    return true;
}

static bool push_keys(Pairs *p, BoundExpr *target, BoundExpr *key, Error *err)
{
    CommandContext *ctx = p->ctx;
    RowVec rows = {0};
    TRY(source_keys(p, key, &rows, err));
    if (rows.len > MAX_LISTED_KEYS)
        return push_extreme(p, target, ">=", "min", key, err) && push_extreme(p, target, "<=", "max", key, err);
    BoundExpr *args[MAX_LISTED_KEYS + 1] = {target};
    size_t count = 1;
    for (size_t i = 0; i < rows.len; i++)
        if (!rows.at[i].cells[0].is_null)
            args[count++] = bound_literal(rows.at[i].cells[0], ctx->arena);
    if (count > 1)
        return push_call(p, "in", count, args, err);
    vec_push(ctx->arena, p->found, bound_literal(value_bool(false), ctx->arena));
    return true;
}

static bool can_list(const Type *t)
{
    return type_is_integral(t) || t->kind == TYPE_DECIMAL || t->kind == TYPE_DATE || t->kind == TYPE_TIMESTAMP ||
           t->kind == TYPE_TIMESTAMP_NTZ || (t->kind == TYPE_STRING && !type_is_collated(t));
}

/* One conjunct of ON that compares the two sides. */
static bool derive(Pairs *p, BoundExpr *e, Error *err)
{
    if (e->kind != BEXPR_CALL || e->call.args.len != 2)
        return true;
    BoundExpr *a = e->call.args.at[0], *b = e->call.args.at[1];
    Mentions left = mentions_of(a, p->scan), right = mentions_of(b, p->scan);
    bool straight = left.ours && !left.others && right.others && !right.ours;
    bool turned = right.ours && !right.others && left.others && !left.ours;
    if (left.unusable || right.unusable || !(straight || turned) || !can_list(a->type))
        return true;
    for (size_t i = 0; i < LENGTH_OF(comparisons); i++) {
        const char *extreme = comparisons[i].extreme;
        if (!str_is(str_from(e->call.row->name), turned ? comparisons[i].turned : comparisons[i].op))
            continue;
        return extreme ? push_extreme(p, straight ? a : b, comparisons[i].op, extreme, straight ? b : a, err)
                       : push_keys(p, straight ? a : b, straight ? b : a, err);
    }
    return true;
}

/* Where only matched rows matter, a target row that fails every clause's condition does not either. */
static bool any_clause(Pairs *p, const BoundExprVec *matched, Error *err)
{
    CommandContext *ctx = p->ctx;
    BoundExpr *any = NULL;
    for (size_t i = 0; i < matched->len; i++) {
        BoundExprVec parts = {0};
        BoundExpr *all = NULL;
        if (matched->at[i])
            split(ctx, matched->at[i], &parts);
        for (size_t k = 0; k < parts.len; k++) {
            BoundExpr *both[2] = {all, parts.at[k]};
            if (!is_about_target(parts.at[k], p->scan))
                continue;
            if (all)
                TRY(build_call(ctx, "and", 2, both, &all, err));
            else
                all = parts.at[k];
        }
        if (!all)
            return true;
        BoundExpr *either[2] = {any, all};
        if (any)
            TRY(build_call(ctx, "or", 2, either, &any, err));
        else
            any = all;
    }
    if (any)
        vec_push(ctx->arena, p->found, any);
    return true;
}

bool note_pairs(CommandContext *ctx, BoundRel *scan, BoundRel *source, BoundExpr *on, const BoundExprVec *only_matched, bool whole_files,
                Transaction *x, Error *err)
{
    Pairs p = {ctx, scan, source, ARENA_NEW(ctx->arena, BoundExprVec)};
    BoundExprVec parts = {0};
    split(ctx, on, &parts);
    for (size_t i = 0; i < parts.len; i++)
        if (is_about_target(parts.at[i], scan))
            vec_push(ctx->arena, p.found, parts.at[i]);
        else
            TRY(derive(&p, parts.at[i], err));
    if (only_matched)
        TRY(any_clause(&p, only_matched, err));
    note_conjuncts(ctx, scan, p.found, x);
    if (!whole_files)
        return true;
    FileList files = {0};
    TRY(snapshot_scan(scan->delta.snapshot, p.found, scan_columns(ctx, scan), scan->delta.column_count,
                      analyzer_func(ctx->analyzer)->zone, ctx->arena, &files, err));
    transaction_read_files(x, &files);
    return true;
}

/* ---- other scans of the same table ---- */

typedef struct Walk {
    CommandContext *ctx;
    const Target *target;
    Transaction *x;
} Walk;

/* An older version that the query asks for cannot change. */
static bool is_own_scan(const Walk *w, const BoundRel *rel)
{
    return rel->kind == BREL_SCAN_DELTA && (rel->delta.changes || snapshot_version(rel->delta.snapshot) >= snapshot_version(w->target->snapshot)) &&
           str_eq(delta_table_location(snapshot_table(rel->delta.snapshot)), delta_table_location(w->target->table));
}

static bool walk_rel(BoundRel **child, void *arg);

static bool walk_expr(BoundExpr **child, void *arg)
{
    if ((*child)->kind == BEXPR_SUBQUERY)
        (void)!walk_rel(&(*child)->subquery.plan, arg);
    return bound_each_child(*child, walk_expr, arg);
}

static bool walk_rel(BoundRel **child, void *arg)
{
    Walk *w = arg;
    BoundRel *rel = *child;
    if (rel->kind == BREL_FILTER && is_own_scan(w, rel->input)) {
        note_read(w->ctx, rel->input, rel->filter.condition, w->x);
        return brel_each_expr(rel, walk_expr, arg);
    }
    if (is_own_scan(w, rel))
        transaction_read_whole_table(w->x);
    return brel_each_expr(rel, walk_expr, arg) && brel_each_input(rel, walk_rel, arg);
}

void note_query(CommandContext *ctx, const Target *t, BoundRel *query, Transaction *x)
{
    Walk w = {ctx, t, x};
    (void)!walk_rel(&query, &w);
}

void note_expr(CommandContext *ctx, const Target *t, BoundExpr *e, Transaction *x)
{
    Walk w = {ctx, t, x};
    (void)!walk_expr(&e, &w);
}
