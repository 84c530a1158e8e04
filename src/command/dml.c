/* Changed rows become deletion vectors or rewritten files, and a change feed where the table keeps one. */
#include "command/command_impl.h"

#include <stdlib.h>
#include <string.h>

bool keeps_change_feed(const Target *t)
{
    return snapshot_property_bool(t->snapshot, "delta.enableChangeDataFeed", false);
}

static bool writes_vectors(const Target *t)
{
    return snapshot_property_bool(t->snapshot, "delta.enableDeletionVectors", false) && snapshot_has_feature(t->snapshot, "deletionVectors");
}

bool change_set_store(CommandContext *ctx, const Target *t, BoundRel *changes, bool has_old, ChangeSet *out, Error *err)
{
    size_t width = snapshot_schema(t->snapshot)->structure.count;
    *out = (ChangeSet){.stored_id = clock_uuid_in(ctx->arena), .source = changes->columns, .width = width};
    out->old_at = has_old ? 3 : 0;
    out->new_at = has_old ? 3 + width : 3;
    out->has_row_ids = target_tracks_rows(t);
    TRY(engine_store(ctx->engine, out->stored_id, changes, &ctx->run, err));
    engine_drop_stored_with(ctx->engine, out->stored_id, ctx->arena);
    return true;
}

BoundRel *change_set_rel(CommandContext *ctx, const ChangeSet *set)
{
    BoundRel *r = brel_new(BREL_STORED, NULL, ctx->arena);
    r->stored.id = set->stored_id;
    r->stored.source = set->source;
    for (size_t i = 0; i < set->source.len; i++) {
        BoundColumn c = set->source.at[i];
        c.id = analyzer_next_id(ctx->analyzer);
        c.hidden = false;
        vec_push(ctx->arena, &r->columns, c);
    }
    return r;
}

/* _change IN (types) */
static bool changes_of(CommandContext *ctx, const ChangeSet *set, size_t count, const int *types, BoundRel **out, Error *err)
{
    BoundRel *rel = change_set_rel(ctx, set);
    BoundExpr *args[4] = {bound_column(&rel->columns.at[2], ctx->arena)};
    for (size_t i = 0; i < count; i++)
        args[i + 1] = build_int(ctx, types[i]);
    BoundExpr *condition;
    TRY(build_call(ctx, "in", count + 1, args, &condition, err));
    *out = build_filter(ctx, rel, condition);
    return true;
}

static BoundRel *pick_row(CommandContext *ctx, BoundRel *rel, size_t from, size_t width)
{
    BoundRel *p = build_project(ctx, rel);
    for (size_t i = 0; i < width; i++)
        build_push(ctx, p, bound_column(&rel->columns.at[from + i], ctx->arena), rel->columns.at[from + i].name);
    return p;
}

/* A scan with positions has the row's id behind them. */
void change_push_row_id(CommandContext *ctx, const Target *t, BoundRel *p, const BoundRel *rows)
{
    size_t at = snapshot_schema(t->snapshot)->structure.count + 2;
    if (target_tracks_rows(t))
        build_push(ctx, p, bound_column(&rows->columns.at[at], ctx->arena), S("_row_id"));
}

static const int REPLACED[] = {CHANGE_ROW_UPDATE, CHANGE_ROW_DELETE};
static const int WRITTEN[] = {CHANGE_ROW_UPDATE, CHANGE_ROW_INSERT};

static bool new_rows(CommandContext *ctx, const ChangeSet *set, BoundRel **out, Error *err)
{
    BoundRel *rel;
    TRY(changes_of(ctx, set, 2, WRITTEN, &rel, err));
    *out = pick_row(ctx, rel, set->new_at, set->width + set->has_row_ids);
    if (set->has_row_ids) /* what changed, or is new, was last written by this commit */
        build_push(ctx, *out, bound_literal(value_null(type_simple(TYPE_LONG)), ctx->arena), S("_row_version"));
    return true;
}

/* ---- touched files ---- */

typedef struct Touched {
    const AddFile *file;
    uint64_t *rows;
    size_t count, cap;
} Touched;

typedef struct TouchedFiles {
    Map by_path;
    VEC(Touched *) all;
    size_t rows;
} TouchedFiles;

static bool note_row(CommandContext *ctx, Map *files, TouchedFiles *t, Str path, int64_t row, Error *err)
{
    Touched *f = map_get(&t->by_path, path);
    if (!f) {
        f = ARENA_NEW(ctx->arena, Touched);
        f->file = map_get(files, path);
        if (!f->file)
            return error_internal(err, "a changed row names the file " STR_FMT ", which the snapshot does not have", STR_ARG(path));
        map_put(&t->by_path, str_copy(path, ctx->arena), f);
        vec_push(ctx->arena, &t->all, f);
    }
    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 64;
        f->rows = arena_grow(ctx->arena, f->rows, f->cap * sizeof *f->rows, cap * sizeof *f->rows);
        f->cap = cap;
    }
    f->rows[f->count++] = (uint64_t)row;
    t->rows++;
    return true;
}

static Map files_by_path(CommandContext *ctx, const Target *t)
{
    FileList files = {0};
    Map m = map_in(ctx->arena);
    snapshot_files(t->snapshot, ctx->arena, &files);
    for (size_t i = 0; i < files.len; i++)
        map_put(&m, files.at[i]->path, (void *)files.at[i]);
    return m;
}

static bool collect_touched(CommandContext *ctx, const Target *t, const ChangeSet *set, TouchedFiles *out, Error *err)
{
    *out = (TouchedFiles){.by_path = map_in(ctx->arena)};
    Map files = files_by_path(ctx, t);
    BoundRel *rel;
    TRY(changes_of(ctx, set, 2, REPLACED, &rel, err));
    BoundRel *pairs = pick_row(ctx, rel, 0, 2);
    Execution *x;
    TRY(engine_start(ctx->engine, pairs, &ctx->run, &x, err));
    bool ok = true;
    for (bool more = true; ok && more;) {
        AUTO_ARENA batch = arena_new();
        RowVec rows = {0};
        ok = execution_next_rows(x, batch, &rows, err);
        more = rows.len > 0;
        for (size_t i = 0; ok && i < rows.len; i++)
            ok = note_row(ctx, &files, out, rows.at[i].cells[0].bytes, rows.at[i].cells[1].integer, err);
    }
    execution_free(x);
    return ok;
}

/* ---- deletion vectors ---- */

static int by_row(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

static bool merge_existing(CommandContext *ctx, const Target *t, Touched *f, Error *err)
{
    uint64_t *old;
    size_t count;
    TRY(deletion_vector_rows(t->snapshot, f->file, ctx->arena, &old, &count, err));
    if (!count)
        return true;
    uint64_t *all = ARENA_ARRAY(ctx->arena, uint64_t, count + f->count);
    memcpy(all, old, count * sizeof *all);
    memcpy(all + count, f->rows, f->count * sizeof *all);
    f->rows = all;
    f->count += count;
    return true;
}

static size_t distinct_rows(Touched *f)
{
    qsort(f->rows, f->count, sizeof *f->rows, by_row);
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        if (!n || f->rows[i] != f->rows[n - 1])
            f->rows[n++] = f->rows[i];
    f->count = n;
    return n;
}

static bool mark_deleted(CommandContext *ctx, const Target *t, TouchedFiles *touched, Transaction *x, ChangeCounts *counts, Error *err)
{
    RowSet *sets = ARENA_ARRAY(ctx->arena, RowSet, touched->all.len + 1);
    Touched **kept = ARENA_ARRAY(ctx->arena, Touched *, touched->all.len + 1);
    size_t count = 0;
    for (size_t i = 0; i < touched->all.len; i++) {
        Touched *f = touched->all.at[i];
        TRY(merge_existing(ctx, t, f, err));
        int64_t total = stats_num_records(f->file->stats);
        if (total >= 0 && (int64_t)distinct_rows(f) == total) {
            transaction_remove(x, f->file, true);
            counts->files_removed++;
            counts->bytes_removed += f->file->size;
            counts->vectors_removed += f->file->dv != NULL;
            continue;
        }
        sets[count] = (RowSet){f->rows, f->count};
        kept[count++] = f;
    }
    if (!count)
        return true;
    DeletionVector *vectors = ARENA_ARRAY(ctx->arena, DeletionVector, count);
    TRY(deletion_vectors_write(t->table, sets, count, ctx->arena, vectors, err));
    for (size_t i = 0; i < count; i++) {
        AddFile add = *kept[i]->file;
        add.dv = &vectors[i];
        add.data_change = true;
        add.stats = stats_with_wide_bounds(add.stats, ctx->arena);
        transaction_remove(x, kept[i]->file, true);
        transaction_add(x, &add);
        counts->vectors_added++;
        if (kept[i]->file->dv)
            counts->vectors_updated++;
    }
    return true;
}

/* ---- rewriting ---- */

/* Rows of the touched files that no change replaces. */
static bool untouched_rows(CommandContext *ctx, const Target *t, const ChangeSet *set, FileList *only, BoundRel **out, Error *err)
{
    BoundRel *scan, *changed;
    TRY(target_scan(ctx, t, NULL, true, &scan, err));
    scan->delta.only_files = only;
    TRY(changes_of(ctx, set, 2, REPLACED, &changed, err));
    changed = pick_row(ctx, changed, 0, 2);
    size_t at = set->width;
    BoundExpr *file[2] = {bound_column(&scan->columns.at[at], ctx->arena), bound_column(&changed->columns.at[0], ctx->arena)};
    BoundExpr *row[2] = {bound_column(&scan->columns.at[at + 1], ctx->arena), bound_column(&changed->columns.at[1], ctx->arena)};
    BoundExpr *both[2];
    TRY(build_call(ctx, "=", 2, file, &both[0], err));
    TRY(build_call(ctx, "=", 2, row, &both[1], err));
    BoundRel *anti = brel_new(BREL_JOIN, scan, ctx->arena);
    anti->join.right = changed;
    anti->join.kind = JOIN_LEFT_ANTI;
    TRY(build_call(ctx, "and", 2, both, &anti->join.condition, err));
    anti->columns = scan->columns;
    *out = pick_row(ctx, anti, 0, set->width);
    for (size_t i = at + 2; set->has_row_ids && i < at + 4; i++)
        build_push(ctx, *out, bound_column(&anti->columns.at[i], ctx->arena), anti->columns.at[i].name);
    return true;
}

static BoundRel *union_all(CommandContext *ctx, BoundRel *first, BoundRel *second)
{
    BoundRel *u = brel_new(BREL_SETOP, NULL, ctx->arena);
    u->setop.kind = SETOP_UNION;
    u->setop.all = true;
    vec_push(ctx->arena, &u->setop.inputs, first);
    vec_push(ctx->arena, &u->setop.inputs, second);
    for (size_t i = 0; i < first->columns.len; i++) {
        BoundColumn c = first->columns.at[i];
        c.nullable |= second->columns.at[i].nullable;
        vec_push(ctx->arena, &u->columns, c);
    }
    return u;
}

static bool rewrite_files(CommandContext *ctx, const Target *t, const ChangeSet *set, TouchedFiles *touched, Transaction *x,
                          ChangeCounts *counts, AddFileVec *added, Error *err)
{
    FileList *only = ARENA_NEW(ctx->arena, FileList);
    for (size_t i = 0; i < touched->all.len; i++) {
        vec_push(ctx->arena, only, touched->all.at[i]->file);
        transaction_remove(x, touched->all.at[i]->file, true);
        counts->files_removed++;
        counts->bytes_removed += touched->all.at[i]->file->size;
        counts->vectors_removed += touched->all.at[i]->file->dv != NULL;
    }
    BoundRel *rows, *kept;
    TRY(new_rows(ctx, set, &rows, err));
    if (only->len) {
        TRY(untouched_rows(ctx, t, set, only, &kept, err));
        rows = union_all(ctx, kept, rows);
    }
    int64_t written = 0;
    TRY(write_rewritten_files(ctx, t, rows, true, added, &written, err));
    counts->copied = written - counts->updated - counts->inserted;
    return true;
}

/* ---- the change feed ---- */

static bool labelled(CommandContext *ctx, const ChangeSet *set, int type, size_t from, const char *label, BoundRel **all, Error *err)
{
    BoundRel *rel;
    TRY(changes_of(ctx, set, 1, &type, &rel, err));
    BoundRel *p = pick_row(ctx, rel, from, set->width);
    build_push(ctx, p, bound_literal(value_string(str_from(label)), ctx->arena), S("_change_type"));
    *all = *all ? union_all(ctx, *all, p) : p;
    return true;
}

static bool write_feed(CommandContext *ctx, const Target *t, const ChangeSet *set, Transaction *x, ChangeCounts *counts, Error *err)
{
    BoundRel *all = NULL;
    if (counts->updated) {
        TRY(labelled(ctx, set, CHANGE_ROW_UPDATE, set->old_at, "update_preimage", &all, err));
        TRY(labelled(ctx, set, CHANGE_ROW_UPDATE, set->new_at, "update_postimage", &all, err));
    }
    if (counts->deleted)
        TRY(labelled(ctx, set, CHANGE_ROW_DELETE, set->old_at, "delete", &all, err));
    if (counts->inserted)
        TRY(labelled(ctx, set, CHANGE_ROW_INSERT, set->new_at, "insert", &all, err));
    CdcFileVec files = {0};
    TRY(write_change_files(ctx, t->table, snapshot_metadata(t->snapshot), all, &files, err));
    for (size_t i = 0; i < files.len; i++)
        transaction_cdc(x, &files.at[i]);
    counts->change_files = (int64_t)files.len;
    return true;
}

/* ---- the whole ---- */

static bool count_changes(CommandContext *ctx, const ChangeSet *set, ChangeCounts *counts, Error *err)
{
    BoundRel *rel = change_set_rel(ctx, set);
    BoundRel *g = brel_new(BREL_AGGREGATE, rel, ctx->arena);
    BoundItem key = {bound_column(&rel->columns.at[2], ctx->arena), rel->columns.at[2].id};
    vec_push(ctx->arena, &g->aggregate.keys, key);
    vec_push(ctx->arena, &g->columns, rel->columns.at[2]);
    BoundExpr *one = build_int(ctx, 1), *count;
    TRY(build_call(ctx, "count", 1, &one, &count, err));
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("n"), .type = count->type};
    BoundItem item = {count, c.id};
    vec_push(ctx->arena, &g->aggregate.aggregates, item);
    vec_push(ctx->arena, &g->columns, c);
    RowVec rows = {0};
    TRY(engine_rows(ctx->engine, g, &ctx->run, 16, ctx->arena, &rows, err));
    for (size_t i = 0; i < rows.len; i++) {
        int64_t n = rows.at[i].cells[1].integer;
        switch (rows.at[i].cells[0].integer) {
        case CHANGE_ROW_UPDATE:
            counts->updated = n;
            break;
        case CHANGE_ROW_DELETE:
            counts->deleted = n;
            break;
        case CHANGE_ROW_INSERT:
            counts->inserted = n;
            break;
        }
    }
    return true;
}

void change_discard(const Target *t, ChangeCounts *counts, const Error *err)
{
    if (err->cls != ERR_LAKESHED_FILE)
        discard_files(t->table, &counts->added);
    counts->added = (AddFileVec){0};
}

bool change_set_apply(CommandContext *ctx, const Target *t, const ChangeSet *set, Transaction *x, ChangeCounts *counts, Error *err)
{
    int64_t started = clock_monotonic_us();
    TRY(count_changes(ctx, set, counts, err));
    if (!counts->updated && !counts->deleted && !counts->inserted)
        return true;
    TouchedFiles touched = {0};
    if (counts->updated || counts->deleted)
        TRY(collect_touched(ctx, t, set, &touched, err));
    FileList read = {0};
    for (size_t i = 0; i < touched.all.len; i++)
        vec_push(ctx->arena, &read, touched.all.at[i]->file);
    transaction_read_files(x, &read);
    AddFileVec added = {0};
    bool ok = true;
    if (writes_vectors(t) && touched.all.len) {
        BoundRel *rows;
        ok = mark_deleted(ctx, t, &touched, x, counts, err);
        if (ok && (counts->updated || counts->inserted))
            ok = new_rows(ctx, set, &rows, err) &&
                 write_rewritten_files(ctx, t, rows, true, &added, NULL, err);
    } else
        ok = rewrite_files(ctx, t, set, &touched, x, counts, &added, err);
    if (ok && keeps_change_feed(t) && (counts->updated || counts->deleted))
        ok = write_feed(ctx, t, set, x, counts, err);
    counts->added = added;
    if (!ok) {
        change_discard(t, counts, err);
        return false;
    }
    for (size_t i = 0; i < added.len; i++) {
        transaction_add(x, &added.at[i]);
        counts->files_added++;
        counts->bytes_added += added.at[i].size;
    }
    counts->rewrite_ms = (clock_monotonic_us() - started) / 1000;
    return true;
}
