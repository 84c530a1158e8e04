/* OPTIMIZE and REORG: the files of a partition are packed into larger ones, sorted or freed of deleted rows; rows do not change. */
#include <stdlib.h>

#include "base/json.h"
#include "command/command_impl.h"

#define MIN_FILE_BYTES (INT64_C(1) << 30)
#define MAX_FILE_BYTES (INT64_C(1) << 30)

typedef struct Bin {
    FileList files;
    int64_t bytes;
} Bin;
typedef VEC(Bin) BinVec;
typedef VEC(Field) FieldList;

typedef struct Packed {
    int64_t files_added, files_removed, bytes_added, bytes_removed, partitions, bins, considered, skipped;
    int64_t vectors_removed;
    int64_t smallest[2], largest[2]; /* of the files added and removed */
    StrVec sorted_by;                /* ZORDER BY */
    StrVec clustered_by;
    Str predicate;                   /* JSON: what WHERE says, as Delta notes it */
    bool full;
    bool purge;                      /* only files with deleted rows */
} Packed;

static int compare_partitions(const AddFile *x, const AddFile *y)
{
    for (size_t i = 0; i < x->partition_values.len && i < y->partition_values.len; i++) {
        const Property *a = &x->partition_values.at[i], *b = partition_value_of(&y->partition_values, a->key);
        if (!b || a->is_null != b->is_null)
            return !b || a->is_null ? -1 : 1;
        int c = a->is_null ? 0 : str_cmp(a->value, b->value);
        if (c)
            return c;
    }
    return 0;
}

static int by_partition_and_size(const void *x, const void *y)
{
    const AddFile *a = *(const AddFile *const *)x, *b = *(const AddFile *const *)y;
    int c = compare_partitions(a, b);
    return c ? c : a->size < b->size ? -1 : a->size > b->size;
}

/* Greedy: files in order of size fill a bin up to the target; a bin of one file without deleted rows is left as it is. */
static void fill_bins(CommandContext *ctx, FileList *files, BinVec *out, Packed *p)
{
    qsort(files->at, files->len, sizeof *files->at, by_partition_and_size);
    Bin bin = {0};
    for (size_t i = 0; i < files->len; i++) {
        const AddFile *f = files->at[i];
        bool new_partition = i && compare_partitions(files->at[i - 1], f);
        if (bin.files.len && (new_partition || bin.bytes + f->size > MAX_FILE_BYTES)) {
            vec_push(ctx->arena, out, bin);
            bin = (Bin){0};
        }
        p->partitions += !i || new_partition;
        vec_push(ctx->arena, &bin.files, f);
        bin.bytes += f->size;
    }
    if (bin.files.len)
        vec_push(ctx->arena, out, bin);
}

static bool worth_packing(const Bin *bin, const Packed *p)
{
    return bin->files.len > 1 || p->sorted_by.len || (bin->files.len == 1 && bin->files.at[0]->dv);
}

static void note_size(Packed *p, int side, int64_t size, bool first)
{
    if (first || size < p->smallest[side])
        p->smallest[side] = size;
    if (first || size > p->largest[side])
        p->largest[side] = size;
}

static bool cluster_rows(CommandContext *ctx, const Packed *p, BoundRel *scan, BoundRel **out, Error *err)
{
    BoundRel *sort = brel_new(BREL_SORT, scan, ctx->arena);
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    for (size_t i = 0; i < p->clustered_by.len; i++) {
        BoundSort by = {.nulls_first = true};
        Expr *e;
        TRY(sql_parse_expr(p->clustered_by.at[i], &options, ctx->arena, &e, err));
        TRY(analyze_expr(ctx->analyzer, e, &scan->columns, &by.expr, err));
        vec_push(ctx->arena, &sort->sort.order, by);
    }
    sort->columns = scan->columns;
    *out = sort;
    return true;
}

/* Where a row stands in a column's order, as a number of `bits` bits. */
static bool place_in(CommandContext *ctx, const BoundColumn *column, size_t bits, BoundExpr **out, Error *err)
{
    BoundExpr *w = bound_new(BEXPR_WINDOW, NULL, false, ctx->arena);
    BoundExpr *share[2] = {w, bound_literal(value_double((double)(((int64_t)1 << bits) - 1)), ctx->arena)};
    BoundSort by = {.expr = bound_column(column, ctx->arena), .nulls_first = true};
    TRY(build_call(ctx, "percent_rank", 0, NULL, &w->window.function, err));
    vec_push(ctx->arena, &w->window.order, by);
    w->type = w->window.function->type;
    TRY(build_call(ctx, "*", 2, share, out, err));
    return build_call(ctx, "floor", 1, out, out, err);
}

/* One bit of a place, moved to where it stands in the Z-order. */
static bool moved_bit(CommandContext *ctx, const BoundColumn *place, size_t bit, size_t to, BoundExpr **out, Error *err)
{
    BoundExpr *step[2] = {bound_cast(bound_column(place, ctx->arena), type_simple(TYPE_LONG), CAST_LEGACY, true, ctx->arena), build_int(ctx, (int64_t)bit)};
    TRY(build_call(ctx, "shiftright", 2, step, &step[0], err));
    step[1] = bound_literal(value_int(TYPE_LONG, 1), ctx->arena);
    TRY(build_call(ctx, "&", 2, step, &step[0], err));
    step[1] = build_int(ctx, (int64_t)to);
    return build_call(ctx, "shiftleft", 2, step, out, err);
}

enum { MAX_PLACE_BITS = 10, Z_BITS = 62 };

/* Rows in the order of the interleaved bits of their places in each column, as Delta ranges and interleaves them. */
static bool interleave(CommandContext *ctx, const Packed *p, BoundRel *scan, BoundRel **out, Error *err)
{
    size_t count = p->sorted_by.len, bits = Z_BITS / count < MAX_PLACE_BITS ? Z_BITS / count : MAX_PLACE_BITS;
    BoundRel *placed = build_project(ctx, scan), *last;
    BoundSort by = {.expr = NULL};
    for (size_t i = 0; i < scan->columns.len; i++) {
        BoundItem item = {bound_column(&scan->columns.at[i], ctx->arena), scan->columns.at[i].id};
        vec_push(ctx->arena, &placed->project.items, item);
        vec_push(ctx->arena, &placed->columns, scan->columns.at[i]);
    }
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < scan->columns.len; i++)
            if (str_eq(scan->columns.at[i].name, p->sorted_by.at[k])) {
                BoundExpr *place;
                TRY(place_in(ctx, &scan->columns.at[i], bits, &place, err));
                build_push(ctx, placed, place, S("_place"));
            }
    for (size_t bit = 0; bit < bits; bit++)
        for (size_t k = scan->columns.len; k < placed->columns.len; k++) {
            BoundExpr *both[2] = {by.expr, NULL};
            TRY(moved_bit(ctx, &placed->columns.at[k], bit, bit * count + (k - scan->columns.len), &both[1], err));
            if (by.expr)
                TRY(build_call(ctx, "|", 2, both, &by.expr, err));
            else
                by.expr = both[1];
        }
    BoundRel *sort = brel_new(BREL_SORT, placed, ctx->arena);
    vec_push(ctx->arena, &sort->sort.order, by);
    sort->columns = placed->columns;
    last = build_project(ctx, sort);
    for (size_t i = 0; i < scan->columns.len; i++)
        build_push(ctx, last, bound_column(&scan->columns.at[i], ctx->arena), scan->columns.at[i].name);
    *out = last;
    return true;
}

/* The Z-order of one column is its order. */
static bool sort_rows(CommandContext *ctx, const Packed *p, BoundRel *scan, BoundRel **out, Error *err)
{
    *out = scan;
    if (p->sorted_by.len > 1)
        return interleave(ctx, p, scan, out, err);
    for (size_t i = 0; p->sorted_by.len && i < scan->columns.len; i++) {
        if (!str_eq(scan->columns.at[i].name, p->sorted_by.at[0]))
            continue;
        BoundRel *sort = brel_new(BREL_SORT, scan, ctx->arena);
        BoundSort by = {.expr = bound_column(&scan->columns.at[i], ctx->arena), .nulls_first = true};
        vec_push(ctx->arena, &sort->sort.order, by);
        sort->columns = scan->columns;
        *out = sort;
    }
    return true;
}

static bool check_zorder(CommandContext *ctx, const Target *t, const Command *c, Packed *p, Error *err)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    for (size_t i = 0; i < c->optimize.zorder.len; i++) {
        const Name *name = &c->optimize.zorder.at[i]->column.name;
        int at = name->len == 1 ? type_field_index(m->schema, name->at[0], analyzer_func(ctx->analyzer)->case_sensitive) : -1;
        if (at < 0 && name->len > 1)
            return error_unsupported(err, "OPTIMIZE ... ZORDER BY the nested field " STR_FMT, STR_ARG(name_text(name, ctx->arena)));
        if (at < 0)
            return error_set(err, ERR_DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST, P("columnName", name_text(name, ctx->arena)));
        Str column = m->schema->structure.fields[at].name;
        if (metadata_partition_index(m, column) >= 0)
            return error_set(err, ERR_DELTA_ZORDERING_ON_PARTITION_COLUMN, P("colName", column));
        vec_push(ctx->arena, &p->sorted_by, column);
    }
    return c->optimize.zorder.len <= Z_BITS || error_unsupported(err, "OPTIMIZE ... ZORDER BY more than 62 columns");
}

/* A clustered table is sorted by its columns in their order; what the statement may say besides is Delta's. */
static bool check_clustering(CommandContext *ctx, const Target *t, const Command *c, Packed *p, Error *err)
{
    TRY(analyze_clustering(ctx->analyzer, t->snapshot, &p->clustered_by, err));
    p->full = c->optimize.full;
    if (p->purge)
        p->clustered_by = (StrVec){0};
    if (p->full && !p->clustered_by.len)
        return error_set(err, ERR_DELTA_OPTIMIZE_FULL_NOT_SUPPORTED);
    bool clustered = snapshot_domain(t->snapshot, S("delta.clustering")).len > 0;
    Buf columns = buf_in(ctx->arena);
    for (size_t i = 0; i < c->optimize.zorder.len; i++)
        buf_addf(&columns, "%s" STR_FMT, i ? ", " : "", STR_ARG(name_text(&c->optimize.zorder.at[i]->column.name, ctx->arena)));
    if (clustered && columns.len)
        return error_set(err, ERR_DELTA_CLUSTERING_WITH_ZORDER_BY, P("zOrderBy", buf_str(&columns)));
    if (!clustered || !c->optimize.where)
        return true;
    BoundRel *scan;
    BoundExpr *condition;
    TRY(target_scan(ctx, t, NULL, false, &scan, err));
    TRY(analyze_condition(ctx->analyzer, c->optimize.where, &scan->columns, &condition, err));
    return error_set(err, ERR_DELTA_CLUSTERING_WITH_PARTITION_PREDICATE, P("predicates", func_sql_text(condition, analyzer_func(ctx->analyzer)->zone, ctx->arena)));
}

static bool rewrite_bin(CommandContext *ctx, const Target *t, Bin *bin, Transaction *x, AddFileVec *added, Packed *p, Error *err)
{
    BoundRel *scan;
    TRY(target_scan(ctx, t, NULL, false, &scan, err));
    analyze_row_facts(ctx->analyzer, scan, false);
    FileList *only = ARENA_NEW(ctx->arena, FileList);
    *only = bin->files;
    scan->delta.only_files = only;
    size_t before = added->len;
    BoundRel *rows;
    TRY(p->clustered_by.len ? cluster_rows(ctx, p, scan, &rows, err) : sort_rows(ctx, p, scan, &rows, err));
    TRY(write_rewritten_files(ctx, t, rows, false, added, NULL, err));
    for (size_t i = before; i < added->len; i++) {
        note_size(p, 0, added->at[i].size, !p->files_added);
        transaction_add(x, &added->at[i]);
        p->files_added++;
        p->bytes_added += added->at[i].size;
    }
    for (size_t i = 0; i < bin->files.len; i++) {
        transaction_remove(x, bin->files.at[i], false);
        note_size(p, 1, bin->files.at[i]->size, !p->files_removed);
        p->files_removed++;
        p->bytes_removed += bin->files.at[i]->size;
        p->vectors_removed += bin->files.at[i]->dv != NULL;
    }
    p->bins++;
    return true;
}

typedef struct PartitionOnly {
    const Metadata *m;
    Str stranger; /* the first column that does not partition */
} PartitionOnly;

static bool check_partition_column(BoundExpr **e, void *arg)
{
    PartitionOnly *p = arg;
    if ((*e)->kind == BEXPR_COLUMN && !p->stranger.len && metadata_partition_index(p->m, (*e)->column.name) < 0)
        p->stranger = (*e)->column.name;
    return bound_each_child(*e, check_partition_column, p);
}

/* OPTIMIZE ... WHERE names whole partitions: only partition columns may stand in it. */
static bool partition_files(CommandContext *ctx, const Target *t, BoundRel *scan, BoundExpr *condition, FileList *out, Error *err)
{
    PartitionOnly only = {.m = snapshot_metadata(t->snapshot)};
    check_partition_column(&condition, &only);
    if (only.stranger.len) {
        Buf names = buf_in(ctx->arena);
        for (size_t i = 0; i < only.m->partition_columns.len; i++)
            buf_addf(&names, "%s" STR_FMT, i ? ", " : "", STR_ARG(only.m->partition_columns.at[i]));
        return error_set(err, ERR_DELTA_NON_PARTITION_COLUMN_REFERENCE, P("columnName", only.stranger), P("columnList", buf_str(&names)));
    }
    BoundExprVec conjuncts = {0};
    vec_push(ctx->arena, &conjuncts, condition);
    ScanColumn *columns = ARENA_ARRAY(ctx->arena, ScanColumn, scan->delta.column_count);
    for (size_t i = 0; i < scan->delta.column_count; i++)
        columns[i] = (ScanColumn){scan->columns.at[i].id, scan->delta.fields[i]};
    return snapshot_scan(t->snapshot, &conjuncts, columns, scan->delta.column_count, analyzer_func(ctx->analyzer)->zone, ctx->arena, out, err);
}

/* Delta notes the condition before its columns are resolved, which Spark shows as 'name; texts stand without quotes. */
static bool name_unresolved(BoundExpr **e, void *arg)
{
    const BoundExpr *was = *e;
    bool is_text = was->kind == BEXPR_LITERAL && was->type->kind == TYPE_STRING && !was->literal.is_null;
    if (was->kind != BEXPR_COLUMN && !is_text)
        return bound_each_child(*e, name_unresolved, arg);
    *e = bound_new(BEXPR_COLUMN, was->type, was->nullable, arg);
    (*e)->column.name = is_text ? was->literal.bytes : str_concat(arg, S("'"), was->column.name);
    return true;
}

static bool candidates(CommandContext *ctx, const Target *t, const Command *c, FileList *out, Packed *p, Error *err)
{
    FileList all = {0};
    if (c->optimize.where) {
        BoundRel *scan;
        BoundExpr *condition;
        TRY(target_scan(ctx, t, NULL, false, &scan, err));
        TRY(analyze_condition(ctx->analyzer, c->optimize.where, &scan->columns, &condition, err));
        TRY(partition_files(ctx, t, scan, condition, &all, err));
        name_unresolved(&condition, ctx->arena);
        Buf shown = buf_in(ctx->arena);
        buf_addc(&shown, '[');
        json_put_str(&shown, func_sql_text(condition, analyzer_func(ctx->analyzer)->zone, ctx->arena));
        buf_addc(&shown, ']');
        p->predicate = buf_str(&shown);
    } else
        snapshot_files(t->snapshot, ctx->arena, &all);
    p->considered = (int64_t)all.len;
    for (size_t i = 0; i < all.len; i++)
        if (p->purge ? all.at[i]->dv != NULL : p->sorted_by.len || all.at[i]->size < MIN_FILE_BYTES || all.at[i]->dv)
            vec_push(ctx->arena, out, all.at[i]);
        else
            p->skipped++;
    return true;
}

static void size_stats_field(CommandContext *ctx, FieldList *fields, const char *name, const Type *type)
{
    Field f = {str_from(name), type, true, {0}};
    vec_push(ctx->arena, fields, f);
}

static const Type *size_stats(CommandContext *ctx)
{
    static const char *const NAMES[] = {"min", "max", "avg", "totalFiles", "totalSize"};
    FieldList fields = {0};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        size_stats_field(ctx, &fields, NAMES[i], type_simple(i == 2 ? TYPE_DOUBLE : TYPE_LONG));
    return type_struct(fields.at, fields.len, ctx->arena);
}

/* The leading members of Delta's metrics struct; the ones that describe Z-order and clustering runs are NULL. */
static BoundRel *metrics_row(CommandContext *ctx, const Target *t, const Packed *p)
{
    static const char *const LONGS[] = {"partitionsOptimized", "numBatches", "totalConsideredFiles", "totalFilesSkipped"};
    FieldList fields = {0};
    const Type *stats = size_stats(ctx);
    size_stats_field(ctx, &fields, "numFilesAdded", type_simple(TYPE_LONG));
    size_stats_field(ctx, &fields, "numFilesRemoved", type_simple(TYPE_LONG));
    size_stats_field(ctx, &fields, "filesAdded", stats);
    size_stats_field(ctx, &fields, "filesRemoved", stats);
    for (size_t i = 0; i < LENGTH_OF(LONGS); i++)
        size_stats_field(ctx, &fields, LONGS[i], type_simple(TYPE_LONG));
    const Type *metrics = type_struct(fields.at, fields.len, ctx->arena);
    ResultTable r = {0};
    result_field(ctx, &r, "path", type_simple(TYPE_STRING), true);
    result_field(ctx, &r, "metrics", metrics, true);
    Value *row = result_row(ctx, &r);
    result_set_text(&row[0], delta_table_location(t->table));
    Value *cells = ARENA_ARRAY(ctx->arena, Value, fields.len);
    int64_t longs[] = {p->partitions, p->bins, p->considered, p->skipped};
    cells[0] = value_int(TYPE_LONG, p->files_added);
    cells[1] = value_int(TYPE_LONG, p->files_removed);
    cells[2] = value_null(stats);
    cells[3] = value_null(stats);
    for (size_t i = 0; i < LENGTH_OF(LONGS); i++)
        cells[4 + i] = value_int(TYPE_LONG, longs[i]);
    for (int side = 0; side < 2; side++) {
        int64_t files = side ? p->files_removed : p->files_added, bytes = side ? p->bytes_removed : p->bytes_added;
        if (!files)
            continue;
        Value *s = ARENA_ARRAY(ctx->arena, Value, 5);
        s[0] = value_int(TYPE_LONG, p->smallest[side]);
        s[1] = value_int(TYPE_LONG, p->largest[side]);
        s[2] = value_double((double)bytes / (double)files);
        s[3] = value_int(TYPE_LONG, files);
        s[4] = value_int(TYPE_LONG, bytes);
        cells[2 + side].is_null = false;
        cells[2 + side].list.items = s;
        cells[2 + side].list.count = 5;
    }
    row[1].is_null = false;
    row[1].list.items = cells;
    row[1].list.count = fields.len;
    return result_rel(ctx, &r);
}

static bool commit_packed(CommandContext *ctx, Transaction *x, const Packed *p, CommitNote *note, Error *err)
{
    note_parameter_text(ctx, note, "predicate", p->predicate.len ? p->predicate : S("[]"));
    if (p->purge)
        note_parameter(ctx, note, "applyPurge", S("true"));
    else {
        note_parameter_text(ctx, note, "zOrderBy", clustering_json(ctx, &p->sorted_by));
        note_parameter_text(ctx, note, "clusterBy", clustering_json(ctx, &p->clustered_by));
        if (p->clustered_by.len)
            note_parameter(ctx, note, "isFull", p->full ? S("true") : S("false"));
        note_parameter(ctx, note, "auto", S("false"));
    }
    note_metric(ctx, note, "numRemovedFiles", p->files_removed);
    note_metric(ctx, note, "numRemovedBytes", p->bytes_removed);
    note_metric(ctx, note, "numAddedFiles", p->files_added);
    note_metric(ctx, note, "numAddedBytes", p->bytes_added);
    note_metric(ctx, note, "numDeletionVectorsRemoved", p->vectors_removed);
    note->isolation = ISOLATION_SNAPSHOT;
    return note_commit(ctx, x, note, NULL, err);
}

bool run_optimize(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    CommitNote note = {.operation = S("OPTIMIZE"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    Name name;
    Target t;
    FileList files = {0};
    BinVec bins = {0};
    Packed packed = {.purge = c->optimize.reorg_purge};
    AddFileVec added = {0};
    if (packed.purge)
        note.operation = S("REORG");
    TRY(command_name(ctx, c, &name, err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TRY(check_change(&t, false, err));
    TRY(check_clustering(ctx, &t, c, &packed, err));
    TRY(check_zorder(ctx, &t, c, &packed, err));
    TRY(candidates(ctx, &t, c, &files, &packed, err));
    fill_bins(ctx, &files, &bins, &packed);
    Transaction *x = transaction_begin(t.table, t.snapshot, ctx->arena);
    FileList read = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < bins.len; i++) {
        if (!worth_packing(&bins.at[i], &packed))
            continue;
        for (size_t k = 0; k < bins.at[i].files.len; k++)
            vec_push(ctx->arena, &read, bins.at[i].files.at[k]);
        ok = rewrite_bin(ctx, &t, &bins.at[i], x, &added, &packed, err);
    }
    transaction_read_files(x, &read);
    if (ok && packed.bins)
        ok = commit_packed(ctx, x, &packed, &note, err);
    transaction_end(x);
    /* A commit that failed on the disk may exist all the same: its files must stay. */
    if (!ok && err->cls != ERR_LAKESHED_FILE)
        discard_files(t.table, &added);
    *result = metrics_row(ctx, &t, &packed);
    return ok;
}
