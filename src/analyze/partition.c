/* Which partition Spark would compute a row in. Rows are not partitioned here, but programs can see the numbers:
 * spark_partition_id(), the upper bits of monotonically_increasing_id(), the seeds of rand() and of samples. Where the plan says
 * them (ranges, unions, repartitioning) they are carried up in a hidden column; all other rows are in partition 0. */
#include "analyze/analyze_impl.h"

#include <string.h>

static const Origin NOWHERE = {0, -1};

/* Spark's own default is the number of its cores; its documentation is written with four. */
enum { DEFAULT_PARTITIONS = 4, MAX_PARTITIONS = 1 << 20, MAX_CARRY_DEPTH = 200 };

typedef struct PartitionMark {
    const BoundRel *rel;
    RepartitionSpec spec;
    ColumnId column; /* once it is there */
    int64_t count;
    struct PartitionMark *next;
} PartitionMark;

typedef struct Carried {
    ColumnId column; /* 0: one partition */
    int64_t count;
} Carried;

static bool carry(Analyzer *a, BoundRel **slot, bool folded, int depth, Carried *out, Error *err);

/* ---- expressions ---- */

static BoundExpr *whole(Analyzer *a, int64_t v)
{
    return bound_literal(value_int(TYPE_LONG, v), a->arena);
}

static bool operation(Analyzer *a, const char *name, BoundExpr *x, BoundExpr *y, BoundExpr **out, Error *err)
{
    BoundExpr *args[2] = {x, y};
    return bind_builtin(a, name, 2, args, NOWHERE, out, err);
}

static BoundExpr *as_int(Analyzer *a, BoundExpr *e)
{
    return e->type->kind == TYPE_INT ? e : bound_cast(e, type_simple(TYPE_INT), CAST_LEGACY, true, a->arena);
}

/* ((index + 1) * parts - 1) div total: the part that Spark's even slicing puts an index in. */
static bool slice_of(Analyzer *a, BoundExpr *index, BoundExpr *total, int64_t parts, BoundExpr **out, Error *err)
{
    TRY(operation(a, "+", index, whole(a, 1), &index, err));
    TRY(operation(a, "*", index, whole(a, parts), &index, err));
    TRY(operation(a, "-", index, whole(a, 1), &index, err));
    TRY(operation(a, "div", index, total, &index, err));
    *out = as_int(a, index);
    return true;
}

/* A window function over all rows in the order they come. */
static bool over_all(Analyzer *a, const char *name, size_t argc, BoundExpr *arg, const BoundSortVec *order, BoundExpr **out, Error *err)
{
    BoundExpr *w = bound_new(BEXPR_WINDOW, NULL, false, a->arena);
    TRY(bind_builtin(a, name, argc, &arg, NOWHERE, &w->window.function, err));
    if (order)
        w->window.order = *order;
    w->type = w->window.function->type;
    *out = w;
    return true;
}

static bool place(Analyzer *a, BoundExpr **out, Error *err)
{
    return over_all(a, "row_number", 0, NULL, NULL, out, err);
}

bool bind_row_position(Analyzer *a, Origin origin, BoundExpr **out, Error *err)
{
    BoundExpr *args[2] = {NULL, whole(a, 1)};
    TRY(place(a, &args[0], err));
    args[0] = bound_cast(args[0], type_simple(TYPE_LONG), CAST_LEGACY, true, a->arena);
    TRY(bind_builtin(a, "-", 2, args, origin, out, err));
    return bind_builtin(a, "distributed_sequence_id", 1, out, origin, out, err);
}

static bool total(Analyzer *a, BoundExpr **out, Error *err)
{
    return over_all(a, "count", 1, whole(a, 1), NULL, out, err);
}

/* ---- columns ---- */

static void push_own(Analyzer *a, BoundColumnVec *columns, BoundColumn c)
{
    BoundColumnVec own = {0}; /* other nodes may share the old one */
    for (size_t i = 0; i < columns->len; i++)
        vec_push(a->arena, &own, columns->at[i]);
    vec_push(a->arena, &own, c);
    *columns = own;
}

static BoundColumn hidden_column(Analyzer *a, Str name, const BoundExpr *e)
{
    BoundColumn c = new_column(a, name, e->type, false);
    c.hidden = true;
    return c;
}

/* A projection that adds a hidden column; windows inside are computed one level below. */
static bool with_column(Analyzer *a, BoundRel **slot, BoundExpr *e, ColumnId *out, Error *err)
{
    TRY(lift_windows(a, slot, &e, err));
    BoundRel *p = project_columns(a, *slot, &(*slot)->columns);
    BoundColumn c = hidden_column(a, S("_partition"), e);
    project_push(a, p, e, c);
    *slot = p;
    *out = c.id;
    return true;
}

static const BoundColumn *column_by_id(const BoundRel *rel, ColumnId id)
{
    for (size_t i = 0; i < rel->columns.len; i++)
        if (rel->columns.at[i].id == id)
            return &rel->columns.at[i];
    return NULL;
}

/* ---- sources ---- */

static int64_t default_partitions(Analyzer *a)
{
    bool found;
    Str text;
    int64_t n;
    session_get(a->session, S("spark.sql.leafNodeDefaultParallelism"), a->arena, &found, &text);
    return found && str_to_i64(text, &n) && n > 0 && n <= MAX_PARTITIONS ? n : DEFAULT_PARTITIONS;
}

static bool carry_range(Analyzer *a, BoundRel **slot, Carried *out, Error *err)
{
    const BoundRel *r = *slot;
    double n = ((double)r->range.end - (double)r->range.start) / (double)r->range.step;
    int64_t parts = r->range.partitions > 0 ? r->range.partitions : default_partitions(a);
    if (n < 1 || n > 0x1p40 || parts > MAX_PARTITIONS || parts == 1)
        return true;
    int64_t count = (int64_t)(((__int128)r->range.end - r->range.start + r->range.step - (r->range.step > 0 ? 1 : -1)) / r->range.step);
    BoundExpr *index;
    TRY(operation(a, "-", bound_column(&r->columns.at[0], a->arena), whole(a, r->range.start), &index, err));
    TRY(operation(a, "div", index, whole(a, r->range.step), &index, err));
    TRY(slice_of(a, index, whole(a, count), parts, &index, err));
    out->count = parts;
    return with_column(a, slot, index, &out->column, err);
}

/* Local rows are sliced only where they meet an operator that is not folded into them. */
static bool carry_local(Analyzer *a, BoundRel **slot, Carried *out, Error *err)
{
    BoundExpr *at, *rows, *least, *parts;
    TRY(place(a, &at, err));
    TRY(total(a, &rows, err));
    BoundExpr *bounds[2] = {rows, whole(a, default_partitions(a))};
    TRY(bind_builtin(a, "least", 2, bounds, NOWHERE, &parts, err));
    TRY(operation(a, "*", at, parts, &least, err));
    TRY(operation(a, "-", least, whole(a, 1), &least, err));
    TRY(operation(a, "div", least, rows, &least, err));
    out->count = default_partitions(a);
    return with_column(a, slot, as_int(a, least), &out->column, err);
}

static bool carry_union(Analyzer *a, BoundRel **slot, bool folded, int depth, Carried *out, Error *err)
{
    BoundRel *u = *slot;
    int64_t before = 0;
    if (u->setop.kind != SETOP_UNION || !u->setop.all)
        return true;
    BoundColumn first = {0};
    for (size_t i = 0; i < u->setop.inputs.len; i++) {
        BoundRel *input = u->setop.inputs.at[i];
        size_t width = input->columns.len;
        Carried c = {0, 1};
        TRY(carry(a, &input, folded, depth + 1, &c, err));
        BoundExpr *e = whole(a, 0);
        if (c.column)
            e = bound_column(column_by_id(input, c.column), a->arena);
        TRY(operation(a, "+", e, whole(a, before), &e, err));
        BoundColumnVec own = {0};
        for (size_t k = 0; k < width; k++)
            vec_push(a->arena, &own, u->setop.inputs.at[i]->columns.at[k]);
        BoundRel *p = project_columns(a, input, &own);
        e = as_int(a, e);
        BoundColumn column = hidden_column(a, S("_partition"), e);
        project_push(a, p, e, column);
        u->setop.inputs.at[i] = p;
        if (i == 0)
            first = column;
        before += c.count;
    }
    push_own(a, &u->columns, first);
    *out = (Carried){first.id, before};
    return true;
}

/* ---- repartitioning ---- */

static bool repartition_expr(Analyzer *a, const RepartitionSpec *spec, BoundExpr **out, Error *err)
{
    BoundExpr *e, *n = whole(a, spec->count), *rows;
    switch (spec->kind) {
    case REPARTITION_HASH:
        TRY(bind_builtin(a, "hash", spec->by.len, spec->by.at, NOWHERE, &e, err));
        TRY(operation(a, "pmod", e, n, out, err));
        break;
    case REPARTITION_ID: TRY(operation(a, "pmod", spec->by.at[0], n, out, err)); break;
    case REPARTITION_RANGE:
        TRY(over_all(a, "rank", 0, NULL, &spec->order, &e, err));
        TRY(total(a, &rows, err));
        TRY(operation(a, "-", e, whole(a, 1), &e, err));
        TRY(operation(a, "*", e, n, &e, err));
        TRY(operation(a, "div", e, rows, out, err));
        break;
    case REPARTITION_ROUND_ROBIN:
    case REPARTITION_COALESCE:
        TRY(place(a, &e, err));
        TRY(operation(a, "pmod", e, n, out, err));
        break;
    }
    *out = as_int(a, *out);
    return true;
}

/* The rows of one partition follow each other, in the order they had. */
static void sort_by_partition(Analyzer *a, BoundRel **slot, ColumnId id, ColumnId at_id)
{
    BoundRel *s = brel_new(BREL_SORT, *slot, a->arena);
    s->columns = (*slot)->columns;
    BoundSort by_partition = {bound_column(column_by_id(s, id), a->arena), false, true};
    BoundSort by_place = {bound_column(column_by_id(s, at_id), a->arena), false, true};
    vec_push(a->arena, &s->sort.order, by_partition);
    vec_push(a->arena, &s->sort.order, by_place);
    *slot = s;
}

static bool carry_repartition(Analyzer *a, PartitionMark *m, BoundRel *node, bool folded, int depth, Carried *out, Error *err)
{
    BoundExpr *e, *at;
    ColumnId at_id = 0;
    Carried below = {0, 1};
    if (m->column) {
        *out = (Carried){m->column, m->count};
        return true;
    }
    BoundRel *input = node->input;
    if (m->spec.kind == REPARTITION_COALESCE) {
        TRY(carry(a, &input, folded, depth + 1, &below, err));
        if (!below.column)
            return true;
        m->count = below.count < m->spec.count ? below.count : m->spec.count;
        e = bound_column(column_by_id(input, below.column), a->arena);
        TRY(slice_of(a, e, whole(a, below.count), m->count, &e, err));
    } else {
        m->count = m->spec.count;
        TRY(place(a, &at, err));
        TRY(with_column(a, &input, at, &at_id, err));
        TRY(repartition_expr(a, &m->spec, &e, err));
    }
    TRY(with_column(a, &input, e, &m->column, err));
    if (m->spec.kind != REPARTITION_COALESCE)
        sort_by_partition(a, &input, m->column, at_id);
    node->input = input;
    BoundColumn c = *column_by_id(input, m->column);
    push_own(a, &node->columns, c);
    vec_push(a->arena, &node->project.items, ((BoundItem){bound_column(&c, a->arena), c.id}));
    *out = (Carried){m->column, m->count};
    return true;
}

BoundRel *mark_partitions(Analyzer *a, BoundRel *input, const RepartitionSpec *spec)
{
    PartitionMark *m = ARENA_NEW(a->arena, PartitionMark);
    BoundRel *p = project_columns(a, input, &input->columns);
    *m = (PartitionMark){.rel = p, .spec = *spec, .next = a->partition_marks};
    a->partition_marks = m;
    return p;
}

/* ---- the way up ---- */

static bool carry_through(Analyzer *a, BoundRel *rel, bool folded, int depth, Carried *out, Error *err)
{
    TRY(carry(a, &rel->input, folded, depth + 1, out, err));
    const BoundColumn *below = out->column ? column_by_id(rel->input, out->column) : NULL;
    if (!below || column_by_id(rel, out->column))
        return true;
    BoundColumn c = *below;
    push_own(a, &rel->columns, c);
    if (rel->kind == BREL_PROJECT)
        vec_push(a->arena, &rel->project.items, ((BoundItem){bound_column(&c, a->arena), c.id}));
    return true;
}

/* Spark folds projections and filters into local rows before it slices them. */
static bool is_folded(const BoundRel *rel)
{
    int depth = 0;
    while ((rel->kind == BREL_PROJECT || rel->kind == BREL_FILTER) && rel->input && ++depth < MAX_CARRY_DEPTH)
        rel = rel->input;
    return rel->kind == BREL_LOCAL || rel->kind == BREL_VALUES;
}

static bool carry(Analyzer *a, BoundRel **slot, bool folded, int depth, Carried *out, Error *err)
{
    BoundRel *rel = *slot;
    *out = (Carried){0, 1};
    if (depth > MAX_CARRY_DEPTH)
        return true;
    for (PartitionMark *m = a->partition_marks; m; m = m->next)
        if (m->rel == rel)
            return carry_repartition(a, m, rel, folded, depth, out, err);
    if (!folded && is_folded(rel))
        return carry_local(a, slot, out, err);
    switch (rel->kind) {
    case BREL_RANGE: return carry_range(a, slot, out, err);
    case BREL_PROJECT:
    case BREL_FILTER: return carry_through(a, rel, folded, depth, out, err);
    case BREL_SAMPLE: return carry_through(a, rel, false, depth, out, err);
    case BREL_SETOP: return carry_union(a, slot, folded, depth, out, err);
    default: return true;
    }
}

bool partition_column(Analyzer *a, BoundRel **input, ColumnId *id, Error *err)
{
    Carried c;
    TRY(carry(a, input, false, 0, &c, err));
    *id = c.column;
    return true;
}

/* ---- what depends on it ---- */

static const char *partitioned_name(const BoundExpr *e)
{
    static const struct {
        const char *name, *partitioned;
        bool with_seed; /* without one any number will do */
    } NAMES[] = {{"spark_partition_id", "", false},
                 {"monotonically_increasing_id", "partition_next_id", false},
                 {"distributed_id", "partition_next_id", false},
                 {"rand", "partition_rand", true},
                 {"randn", "partition_randn", true}};
    if (e->kind != BEXPR_CALL)
        return NULL;
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        if (!strcmp(e->call.row->name, NAMES[i].name) && (!NAMES[i].with_seed || e->call.args.len))
            return NAMES[i].partitioned;
    return NULL;
}

static bool find_partitioned(BoundExpr **e, void *arg)
{
    bool *found = arg;
    *found |= partitioned_name(*e) != NULL;
    return *found ? true : bound_each_child(*e, find_partitioned, arg);
}

typedef struct PartitionLift {
    Analyzer *a;
    BoundExpr *partition, *place;
    Error *err;
    bool failed;
} PartitionLift;

static bool replace_partitioned(BoundExpr **slot, void *arg)
{
    PartitionLift *l = arg;
    const char *name = partitioned_name(*slot);
    if (!name)
        return bound_each_child(*slot, replace_partitioned, arg);
    if (!*name) {
        *slot = l->partition;
        return true;
    }
    BoundExpr *seed = (*slot)->call.args.len ? (*slot)->call.args.at[0] : whole(l->a, 0);
    if (seed->type->kind != TYPE_LONG)
        seed = bound_cast(seed, type_simple(TYPE_LONG), CAST_LEGACY, true, l->a->arena);
    BoundExpr *args[3] = {seed, l->partition, l->place};
    l->failed |= !bind_builtin(l->a, name, 3, args, NOWHERE, slot, l->err);
    return true;
}

bool lift_partitions(Analyzer *a, BoundRel **input, BoundExpr **e, Error *err)
{
    bool found = false;
    Carried c;
    ColumnId place_id;
    BoundExpr *at;
    (void)!find_partitioned(e, &found);
    if (!found)
        return true;
    TRY(carry(a, input, true, 0, &c, err));
    if (!c.column)
        return true;
    BoundExpr *partition = bound_column(column_by_id(*input, c.column), a->arena);
    TRY(place(a, &at, err));
    TRY(with_column(a, input, at, &place_id, err));
    at = bound_column(column_by_id(*input, place_id), a->arena);
    PartitionLift l = {a, partition, at, err, false};
    (void)!replace_partitioned(e, &l);
    return !l.failed;
}

/* ---- moments: their last digits depend on what is merged with what ---- */

static bool is_moment(const BoundExpr *e)
{
    static const char *const NAMES[] = {"stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "skewness", "kurtosis"};
    if (e->kind != BEXPR_AGGREGATE || e->call.distinct || e->call.args.len != 1)
        return false;
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        if (!strcmp(e->call.row->name, NAMES[i]))
            return true;
    return false;
}

bool part_moments(Analyzer *a, BoundRel *aggregate, Error *err)
{
    Carried c = {0, 1};
    bool asked = false;
    if (!aggregate->input || !is_folded(aggregate->input))
        return true;
    for (size_t i = 0; i < aggregate->aggregate.aggregates.len; i++) {
        BoundExpr *e = aggregate->aggregate.aggregates.at[i].expr;
        if (!is_moment(e))
            continue;
        if (!asked)
            TRY(carry(a, &aggregate->input, false, 0, &c, err));
        asked = true;
        const BoundColumn *column = c.column ? column_by_id(aggregate->input, c.column) : NULL;
        if (column)
            vec_push(a->arena, &e->call.args, bound_column(column, a->arena));
    }
    return true;
}
