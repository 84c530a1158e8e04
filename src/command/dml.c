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
    BoundExpr *args[5] = {bound_column(&rel->columns.at[2], ctx->arena)};
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

static const int REPLACED[] = {CHANGE_ROW_UPDATE, CHANGE_ROW_DELETE, CHANGE_UNMATCHED_UPDATE, CHANGE_UNMATCHED_DELETE};
static const int WRITTEN[] = {CHANGE_ROW_UPDATE, CHANGE_ROW_INSERT, CHANGE_UNMATCHED_UPDATE};
static const int UPDATED[] = {CHANGE_ROW_UPDATE, CHANGE_UNMATCHED_UPDATE};
static const int DELETED[] = {CHANGE_ROW_DELETE, CHANGE_UNMATCHED_DELETE};
static const int INSERTED[] = {CHANGE_ROW_INSERT};

static bool new_rows(CommandContext *ctx, const ChangeSet *set, BoundRel **out, Error *err)
{
    BoundRel *rel;
    TRY(changes_of(ctx, set, LENGTH_OF(WRITTEN), WRITTEN, &rel, err));
    *out = pick_row(ctx, rel, set->new_at, set->width + set->has_row_ids);
    if (set->has_row_ids) /* what changed, or is new, was last written by this commit */
        build_push(ctx, *out, bound_literal(value_null(type_simple(TYPE_LONG)), ctx->arena), S("_row_version"));
    return true;
}

/* count(*) as one more column of an aggregation. */
static bool push_count(CommandContext *ctx, BoundRel *g, Error *err)
{
    BoundExpr *one = build_int(ctx, 1), *count;
    TRY(build_call(ctx, "count", 1, &one, &count, err));
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("n"), .type = count->type};
    BoundItem item = {count, c.id};
    vec_push(ctx->arena, &g->aggregate.aggregates, item);
    vec_push(ctx->arena, &g->columns, c);
    return true;
}

/* ---- touched files ---- */

/* What is kept of a file's rows is 8 bytes each, outside DuckDB's memory: none where the file goes as a whole. */
typedef struct Touched {
    const AddFile *file;
    uint64_t *rows;      /* NULL: the file goes as a whole */
    size_t count, room;
} Touched;

typedef struct TouchedFiles {
    Map files, by_path; /* of the snapshot; those that rows change of */
    VEC(Touched *) all;
} TouchedFiles;

static Map files_by_path(CommandContext *ctx, const Target *t)
{
    FileList files = {0};
    Map m = map_in(ctx->arena);
    snapshot_files(t->snapshot, ctx->arena, &files);
    for (size_t i = 0; i < files.len; i++)
        map_put(&m, files.at[i]->path, (void *)files.at[i]);
    return m;
}

/* cells: a path, and how many of the file's rows change. */
static bool note_file(CommandContext *ctx, TouchedFiles *t, const Value *cells, Error *err)
{
    const AddFile *file = map_get(&t->files, cells[0].bytes);
    if (!file)
        return error_internal(err, "a changed row names the file " STR_FMT ", which the snapshot does not have", STR_ARG(cells[0].bytes));
    Touched *f = ARENA_NEW(ctx->arena, Touched);
    *f = (Touched){.file = file, .room = (size_t)cells[1].integer};
    map_put(&t->by_path, file->path, f);
    vec_push(ctx->arena, &t->all, f);
    return true;
}

static bool note_rows(void *arg, Str path, const int64_t *rows, size_t count, Error *err)
{
    TouchedFiles *t = arg;
    Touched *f = map_get(&t->by_path, path);
    if (!f->rows)
        return true;
    if (count > f->room - f->count)
        return error_internal(err, "a changed file has more rows than were counted");
    for (size_t i = 0; i < count; i++)
        f->rows[f->count++] = (uint64_t)rows[i];
    return true;
}

static int by_name(const void *x, const void *y)
{
    return str_cmp((*(Touched *const *)x)->file->path, (*(Touched *const *)y)->file->path);
}

/* Deleted rows of a file are never in a change set, so the counts add up. */
static bool loses_all_rows(const Touched *f)
{
    int64_t total = stats_num_records(f->file->stats);
    return total >= 0 && (int64_t)f->room + (f->file->dv ? f->file->dv->cardinality : 0) == total;
}

/* The pairs, or for each file how many there are. */
static bool changed_pairs(CommandContext *ctx, const ChangeSet *set, bool counted, BoundRel **out, Error *err)
{
    BoundRel *rel;
    TRY(changes_of(ctx, set, LENGTH_OF(REPLACED), REPLACED, &rel, err));
    if (!counted) {
        *out = pick_row(ctx, rel, 0, 2);
        return true;
    }
    BoundRel *g = brel_new(BREL_AGGREGATE, rel, ctx->arena);
    BoundItem key = {bound_column(&rel->columns.at[0], ctx->arena), rel->columns.at[0].id};
    vec_push(ctx->arena, &g->aggregate.keys, key);
    vec_push(ctx->arena, &g->columns, rel->columns.at[0]);
    TRY(push_count(ctx, g, err));
    *out = g;
    return true;
}

/* Of files that keep some of their rows also which ones they lose. */
static bool collect_touched(CommandContext *ctx, const Target *t, const ChangeSet *set, TouchedFiles *out, Error *err)
{
    *out = (TouchedFiles){.files = files_by_path(ctx, t), .by_path = map_in(ctx->arena)};
    BoundRel *rel;
    bool needed = false;
    TRY(changed_pairs(ctx, set, true, &rel, err));
    RowVec counts = {0};
    TRY(engine_rows(ctx->engine, rel, &ctx->run, SIZE_MAX, ctx->arena, &counts, err));
    for (size_t i = 0; i < counts.len; i++)
        TRY(note_file(ctx, out, counts.at[i].cells, err));
    if (out->all.len)
        qsort(out->all.at, out->all.len, sizeof *out->all.at, by_name);
    for (size_t i = 0; i < out->all.len; i++) {
        Touched *f = out->all.at[i];
        if (loses_all_rows(f))
            continue;
        f->rows = ARENA_ARRAY(ctx->arena, uint64_t, f->room);
        needed = true;
    }
    if (!needed)
        return true;
    TRY(changed_pairs(ctx, set, false, &rel, err));
    return engine_positions(ctx->engine, rel, &ctx->run, note_rows, out, err);
}

/* ---- rows of touched files ---- */

static int by_row(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

/* Scans mostly give a file's rows in order. */
static bool is_sorted(const Touched *f)
{
    for (size_t i = 1; i < f->count; i++)
        if (f->rows[i - 1] > f->rows[i])
            return false;
    return true;
}

static size_t distinct_rows(Touched *f)
{
    if (!is_sorted(f))
        qsort(f->rows, f->count, sizeof *f->rows, by_row);
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        if (!n || f->rows[i] != f->rows[n - 1])
            f->rows[n++] = f->rows[i];
    f->count = n;
    return n;
}

/* Adds the rows its vector left out before. whole: no row of the file is left. */
static bool merge_existing(CommandContext *ctx, const Target *t, Touched *f, bool *whole, Error *err)
{
    uint64_t *old;
    size_t count;
    *whole = !f->rows;
    if (*whole)
        return true;
    TRY(deletion_vector_rows(t->snapshot, f->file, ctx->arena, &old, &count, err));
    if (count) {
        uint64_t *all = ARENA_ARRAY(ctx->arena, uint64_t, count + f->count);
        memcpy(all, old, count * sizeof *all);
        memcpy(all + count, f->rows, f->count * sizeof *all);
        f->rows = all;
        f->count += count;
    }
    int64_t total = stats_num_records(f->file->stats);
    *whole = (int64_t)distinct_rows(f) == total && total >= 0;
    return true;
}

/* ---- deletion vectors ---- */

static bool mark_deleted(CommandContext *ctx, const Target *t, TouchedFiles *touched, Transaction *x, ChangeCounts *counts, Error *err)
{
    RowSet *sets = ARENA_ARRAY(ctx->arena, RowSet, touched->all.len + 1);
    Touched **kept = ARENA_ARRAY(ctx->arena, Touched *, touched->all.len + 1);
    size_t count = 0;
    for (size_t i = 0; i < touched->all.len; i++) {
        Touched *f = touched->all.at[i];
        bool whole;
        TRY(merge_existing(ctx, t, f, &whole, err));
        if (whole) {
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
        counts->files_marked++;
        counts->vectors_added++;
        if (kept[i]->file->dv) {
            counts->vectors_updated++;
            counts->vectors_removed++;
        }
    }
    return true;
}

/* ---- rewriting ---- */

/* Rows of the touched files that no change replaces. */
static bool untouched_rows(CommandContext *ctx, const Target *t, const ChangeSet *set, FileList *only, RowSet *replaced, BoundRel **out, Error *err)
{
    BoundRel *scan;
    TRY(target_scan(ctx, t, NULL, set->has_row_ids, &scan, err));
    scan->delta.only_files = only;
    scan->delta.left_out = replaced;
    *out = pick_row(ctx, scan, 0, set->width);
    for (size_t i = set->width + 2; set->has_row_ids && i < set->width + 4; i++)
        build_push(ctx, *out, bound_column(&scan->columns.at[i], ctx->arena), scan->columns.at[i].name);
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
    RowSet *replaced = ARENA_ARRAY(ctx->arena, RowSet, touched->all.len + 1);
    for (size_t i = 0; i < touched->all.len; i++) {
        Touched *f = touched->all.at[i];
        transaction_remove(x, f->file, true);
        counts->files_removed++;
        counts->bytes_removed += f->file->size;
        counts->vectors_removed += f->file->dv != NULL;
        bool whole;
        TRY(merge_existing(ctx, t, f, &whole, err));
        if (whole)
            continue;
        replaced[only->len] = (RowSet){f->rows, f->count};
        vec_push(ctx->arena, only, f->file);
    }
    BoundRel *rows, *kept;
    TRY(new_rows(ctx, set, &rows, err));
    if (only->len) {
        TRY(untouched_rows(ctx, t, set, only, replaced, &kept, err));
        rows = union_all(ctx, kept, rows);
    }
    int64_t written = 0;
    TRY(write_rewritten_files(ctx, t, rows, true, added, &written, err));
    counts->copied = written - counts->updated - counts->inserted;
    return true;
}

/* ---- the change feed ---- */

static bool labelled(CommandContext *ctx, const ChangeSet *set, size_t count, const int *types, size_t from, const char *label, BoundRel **all, Error *err)
{
    BoundRel *rel;
    TRY(changes_of(ctx, set, count, types, &rel, err));
    BoundRel *p = pick_row(ctx, rel, from, set->width);
    build_push(ctx, p, bound_literal(value_string(str_from(label)), ctx->arena), S("_change_type"));
    *all = *all ? union_all(ctx, *all, p) : p;
    return true;
}

static bool write_feed(CommandContext *ctx, const Target *t, const ChangeSet *set, Transaction *x, ChangeCounts *counts, Error *err)
{
    BoundRel *all = NULL;
    if (counts->updated) {
        TRY(labelled(ctx, set, 2, UPDATED, set->old_at, "update_preimage", &all, err));
        TRY(labelled(ctx, set, 2, UPDATED, set->new_at, "update_postimage", &all, err));
    }
    if (counts->deleted)
        TRY(labelled(ctx, set, 2, DELETED, set->old_at, "delete", &all, err));
    if (counts->inserted)
        TRY(labelled(ctx, set, 1, INSERTED, set->new_at, "insert", &all, err));
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
    TRY(push_count(ctx, g, err));
    RowVec rows = {0};
    TRY(engine_rows(ctx->engine, g, &ctx->run, 16, ctx->arena, &rows, err));
    for (size_t i = 0; i < rows.len; i++) {
        int64_t n = rows.at[i].cells[1].integer;
        switch (rows.at[i].cells[0].integer) {
        case CHANGE_ROW_UPDATE:
            counts->updated += n;
            break;
        case CHANGE_UNMATCHED_UPDATE:
            counts->updated += n;
            counts->unmatched_updated = n;
            break;
        case CHANGE_UNMATCHED_DELETE:
            counts->deleted += n;
            counts->unmatched_deleted = n;
            break;
        case CHANGE_ROW_DELETE:
            counts->deleted += n;
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
    if (!commit_may_stand(err))
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
