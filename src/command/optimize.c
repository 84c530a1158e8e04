/* OPTIMIZE and REORG: the files of a partition are packed into larger ones, sorted or freed of deleted rows; rows do not change. */
#include <stdlib.h>

#include "base/json.h"
#include "command/optimize_impl.h"
#include "delta/deletion_vector.h"

#define FILE_BYTES (INT64_C(1) << 30)

typedef struct Bin {
    FileList files;
    int64_t bytes;
    AddFileVec added;
    enum { BIN_LEFT, BIN_WRITTEN, BIN_CHANGED } state;
} Bin;
typedef VEC(Bin) BinVec;

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

static bool lays_out(const Packed *p)
{
    return p->sorted_by.len || p->clustered_by.len;
}

/* Greedy: files in order of size fill a bin up to the target; a bin of one file without deleted rows is left as it is. Where rows get
 * an order, a partition is one bin. */
static void fill_bins(CommandContext *ctx, FileList *files, BinVec *out, const Packed *p)
{
    qsort(files->at, files->len, sizeof *files->at, by_partition_and_size);
    Bin bin = {0};
    for (size_t i = 0; i < files->len; i++) {
        const AddFile *f = files->at[i];
        bool new_partition = i && compare_partitions(files->at[i - 1], f);
        if (bin.files.len && (new_partition || (!lays_out(p) && bin.bytes + f->size > p->most_bytes))) {
            vec_push(ctx->arena, out, bin);
            bin = (Bin){0};
        }
        vec_push(ctx->arena, &bin.files, f);
        bin.bytes += f->size;
    }
    if (bin.files.len)
        vec_push(ctx->arena, out, bin);
}

static bool worth_packing(const Bin *bin, const Packed *p)
{
    return bin->files.len > 1 || lays_out(p) || p->rewrites_all || (bin->files.len == 1 && bin->files.at[0]->dv);
}

static int64_t rows_in(CommandContext *ctx, const FileList *files)
{
    int64_t rows = 0;
    for (size_t i = 0; i < files->len && rows >= 0; i++) {
        int64_t n = stats_num_records(files->at[i]->stats);
        rows = n < 0 ? -1 : rows + n;
    }
    return rows;
}

static bool lay_out(CommandContext *ctx, const Packed *p, const FileList *files, BoundRel *scan, BoundRel **out, Error *err)
{
    bool clusters = p->clustered_by.len > 0;
    const StrVec *columns = clusters ? &p->clustered_by : &p->sorted_by;
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    BoundExprVec keys = {0};
    *out = scan;
    if (!columns->len)
        return true;
    for (size_t i = 0; i < columns->len; i++) {
        Expr *e;
        BoundExpr *key;
        TRY(sql_parse_expr(columns->at[i], &options, ctx->arena, &e, err));
        TRY(analyze_expr(ctx->analyzer, e, &scan->columns, &key, err));
        vec_push(ctx->arena, &keys, key);
    }
    return curve_sort(ctx, scan, &keys, clusters ? CURVE_HILBERT : CURVE_Z_ORDER, rows_in(ctx, files), out, err);
}

/* A column by its path through structs; the top one's field, or NULL. */
static const Field *find_column(CommandContext *ctx, const Type *schema, const Name *path, StrVec *spelled)
{
    const Type *t = schema;
    const Field *top = NULL;
    for (size_t i = 0; i < path->len; i++) {
        int at = t->kind == TYPE_STRUCT ? type_field_index(t, path->at[i], analyzer_func(ctx->analyzer)->case_sensitive) : -1;
        if (at < 0)
            return NULL;
        const Field *f = &t->structure.fields[at];
        vec_push(ctx->arena, spelled, f->name);
        top = top ? top : f;
        t = f->type;
    }
    return top;
}

static bool check_zorder(CommandContext *ctx, const Target *t, const Command *c, Packed *p, Error *err)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    for (size_t i = 0; i < c->optimize.zorder.len; i++) {
        const Name *path = &c->optimize.zorder.at[i]->column.name;
        StrVec spelled = {0};
        const Field *top = find_column(ctx, m->schema, path, &spelled);
        if (!top)
            return error_set(err, ERR_DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST, P("columnName", name_text(path, ctx->arena)));
        if (metadata_partition_index(m, top->name) >= 0)
            return error_set(err, ERR_DELTA_ZORDERING_ON_PARTITION_COLUMN, P("colName", top->name));
        if (type_is_geo(top->type))
            return error_set(err, ERR_DELTA_OPERATION_NOT_SUPPORTED_FOR_DATATYPES, PZ("operation", "Z-ORDER"),
                             P("dataTypeList", str_printf(ctx->arena, "[" STR_FMT ": %s(%d)]", STR_ARG(top->name),
                                                          top->type->kind == TYPE_GEOMETRY ? "GeometryType" : "GeographyType", top->type->geo.srid)));
        Name name = name_of(ctx->arena, spelled.len, spelled.at);
        vec_push(ctx->arena, &p->sorted_by, name_text(&name, ctx->arena));
    }
    return c->optimize.zorder.len <= CURVE_MAX_COLUMNS || error_unsupported(err, "OPTIMIZE ... ZORDER BY more than 62 columns");
}

/* What the statement may say of a clustered table. */
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

static bool rewrite_bin(CommandContext *ctx, const Target *t, Bin *bin, const Packed *p, Error *err)
{
    BoundRel *scan;
    TRY(target_scan(ctx, t, NULL, false, &scan, err));
    analyze_row_facts(ctx->analyzer, scan, false);
    FileList *only = ARENA_NEW(ctx->arena, FileList);
    *only = bin->files;
    scan->delta.only_files = only;
    BoundRel *rows;
    bin->state = BIN_WRITTEN;
    TRY(lay_out(ctx, p, only, scan, &rows, err));
    TRY(write_packed_files(ctx, t, rows, p->most_bytes, &bin->added, err));
    if (p->clustered_by.len && bin->added.len)
        zcube_mark(ctx, p, bin->added.at, bin->added.len);
    return true;
}

static void take_bin(CommandContext *ctx, const Bin *bin, Transaction *x, FileList *read, Packed *p)
{
    for (size_t i = 0; i < bin->added.len; i++) {
        sizes_note(&p->added, bin->added.at[i].size);
        vec_push(ctx->arena, &p->added_sizes, bin->added.at[i].size);
        transaction_add(x, &bin->added.at[i]);
    }
    for (size_t i = 0; i < bin->files.len; i++) {
        const AddFile *f = bin->files.at[i];
        vec_push(ctx->arena, read, f);
        transaction_remove(x, f, false);
        sizes_note(&p->removed, f->size);
        p->vectors_removed += f->dv != NULL;
        p->vector_rows_removed += f->dv ? f->dv->cardinality : 0;
    }
    p->bins++;
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
    if (p->clustered_by.len)
        zcube_choose(ctx, &all, p, out);
    else
        for (size_t i = 0; i < all.len; i++)
            if (p->purge ? all.at[i]->dv != NULL : p->sorted_by.len || all.at[i]->size < p->least_bytes || all.at[i]->dv)
                vec_push(ctx->arena, out, all.at[i]);
    return true;
}

static int by_size(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void note_quantiles(CommandContext *ctx, const Packed *p, CommitNote *note)
{
    size_t n = p->added_sizes.len;
    if (!n)
        return;
    qsort(p->added_sizes.at, n, sizeof *p->added_sizes.at, by_size);
    note_metric(ctx, note, "minFileSize", p->added_sizes.at[0]);
    note_metric(ctx, note, "p25FileSize", p->added_sizes.at[n / 4]);
    note_metric(ctx, note, "p50FileSize", p->added_sizes.at[n / 2]);
    note_metric(ctx, note, "p75FileSize", p->added_sizes.at[n * 3 / 4]);
    note_metric(ctx, note, "maxFileSize", p->added_sizes.at[n - 1]);
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
        note_parameter(ctx, note, "auto", p->automatic ? S("true") : S("false"));
    }
    note_metric(ctx, note, "numRemovedFiles", p->removed.files);
    note_metric(ctx, note, "numRemovedBytes", p->removed.bytes);
    note_metric(ctx, note, "numAddedFiles", p->added.files);
    note_metric(ctx, note, "numAddedBytes", p->added.bytes);
    note_metric(ctx, note, "numDeletionVectorsRemoved", p->vectors_removed);
    note_quantiles(ctx, p, note);
    note->isolation = ISOLATION_SNAPSHOT;
    return note_commit(ctx, x, note, NULL, err);
}

int64_t optimize_setting(CommandContext *ctx, const char *key, int64_t otherwise)
{
    bool found;
    Str text;
    int64_t bytes;
    session_get(ctx->session, str_from(key), ctx->arena, &found, &text);
    return found && str_to_i64(text, &bytes) && bytes > 0 ? bytes : otherwise;
}

static bool same_file(const AddFile *x, const AddFile *y)
{
    return y && deletion_vector_equal(x->dv, y->dv);
}

/* What other statements did to files of a bin meanwhile stands, and the bin stays as it was. From here on no statement of this process
 * does so until the commit. */
static bool drop_changed_bins(CommandContext *ctx, const Target *t, BinVec *bins, Packed *p, Error *err)
{
    Target now = *t;
    FileList files = {0};
    Map by_path = map_in(ctx->arena);
    TRY(target_take_turn(ctx, t, err));
    TRY(target_refresh(ctx, &now, err));
    if (snapshot_version(now.snapshot) == snapshot_version(t->snapshot))
        return true;
    snapshot_files(now.snapshot, ctx->arena, &files);
    for (size_t i = 0; i < files.len; i++)
        map_put(&by_path, files.at[i]->path, (void *)files.at[i]);
    for (size_t i = 0; i < bins->len; i++) {
        Bin *bin = &bins->at[i];
        bool whole = true;
        for (size_t k = 0; k < bin->files.len && bin->state == BIN_WRITTEN; k++)
            whole = whole && same_file(bin->files.at[k], map_get(&by_path, bin->files.at[k]->path));
        if (whole)
            continue;
        bin->state = BIN_CHANGED;
        p->changed++;
        discard_files(t->table, &bin->added);
    }
    return true;
}

static bool commit_bins(CommandContext *ctx, const Target *t, const BinVec *bins, Packed *p, CommitNote *note, Error *err)
{
    FileList read = {0};
    const AddFile *last = NULL;
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    for (size_t i = 0; i < bins->len; i++) {
        const Bin *bin = &bins->at[i];
        if (bin->state != BIN_WRITTEN)
            continue;
        bool same_partition = last && !compare_partitions(last, bin->files.at[0]);
        p->partitions += !same_partition;
        last = bin->files.at[0];
        take_bin(ctx, bin, x, &read, p);
    }
    transaction_read_files(x, &read);
    bool ok = !p->bins || commit_packed(ctx, x, p, note, err);
    transaction_end(x);
    return ok;
}

bool optimize_pack(CommandContext *ctx, const Target *t, FileList *files, Packed *p, CommitNote *note, Error *err)
{
    BinVec bins = {0};
    bool ok = true, any = false;
    fill_bins(ctx, files, &bins, p);
    for (size_t i = 0; ok && i < bins.len; i++) {
        if (!worth_packing(&bins.at[i], p))
            continue;
        any = true;
        ok = rewrite_bin(ctx, t, &bins.at[i], p, err);
    }
    ok = ok && (!any || p->rewrites_all || drop_changed_bins(ctx, t, &bins, p, err)) && commit_bins(ctx, t, &bins, p, note, err);
    for (size_t i = 0; !ok && !commit_may_stand(err) && i < bins.len; i++)
        if (bins.at[i].state == BIN_WRITTEN)
            discard_files(t->table, &bins.at[i].added);
    return ok;
}

bool reorg_files(CommandContext *ctx, Target *t, FileList *files, Error *err)
{
    CommitNote note = {.operation = S("REORG"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    Packed packed = {.purge = true, .rewrites_all = true, .started_ms = clock_now_ms()};
    packed.most_bytes = optimize_setting(ctx, "spark.databricks.delta.optimize.maxFileSize", FILE_BYTES);
    packed.considered = (int64_t)files->len;
    TRY(optimize_pack(ctx, t, files, &packed, &note, err));
    return !packed.bins || target_refresh(ctx, t, err);
}

/* All that was packed had changed meanwhile: once more, with the other statements waiting. */
static bool pack_again(CommandContext *ctx, Target *t, const Command *c, Packed *p, CommitNote *note, Error *err)
{
    FileList files = {0};
    TRY(target_refresh(ctx, t, err));
    p->changed = 0;
    p->cubes = (CubeCounts){0};
    TRY(candidates(ctx, t, c, &files, p, err));
    return optimize_pack(ctx, t, &files, p, note, err);
}

bool run_optimize(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    CommitNote note = {.operation = S("OPTIMIZE"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    Name name;
    Target t;
    FileList files = {0};
    Packed packed = {.purge = c->optimize.reorg_purge, .started_ms = clock_now_ms()};
    if (packed.purge)
        note.operation = S("REORG");
    TRY(command_name(ctx, c, &name, err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TRY(check_change(&t, false, err));
    packed.most_bytes = optimize_setting(ctx, "spark.databricks.delta.optimize.maxFileSize", FILE_BYTES);
    packed.least_bytes = optimize_setting(ctx, "spark.databricks.delta.optimize.minFileSize", packed.most_bytes);
    TRY(check_clustering(ctx, &t, c, &packed, err));
    TRY(check_zorder(ctx, &t, c, &packed, err));
    TRY(candidates(ctx, &t, c, &files, &packed, err));
    bool ok = optimize_pack(ctx, &t, &files, &packed, &note, err);
    if (ok && packed.changed && !packed.bins)
        ok = pack_again(ctx, &t, c, &packed, &note, err);
    *result = optimize_result(ctx, &t, &packed);
    return ok;
}
