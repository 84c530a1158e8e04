/* RESTORE: the files of an older version become the newest version's. */
#include "command/command_impl.h"

typedef struct Restored {
    int64_t files_after, bytes_after, removed_files, removed_bytes, restored_files, restored_bytes;
} Restored;

static void release_snapshot(void *s)
{
    snapshot_unref(s);
}

static bool instant_of(CommandContext *ctx, const Expr *e, Value *out, Error *err)
{
    if (analyze_constant(ctx->analyzer, e, type_simple(TYPE_TIMESTAMP), out, err))
        return true;
    if (err->cls != ERR_CAST_INVALID_INPUT)
        return false;
    bool is_text = e->kind == EXPR_LITERAL && type_is_stringy(e->literal.type) && !e->literal.is_null;
    error_clear(err);
    return error_set(err, ERR_DELTA_TIMESTAMP_INVALID,
                     P("expr", is_text ? str_printf(err->arena, "'" STR_FMT "'", STR_ARG(e->literal.bytes)) : S("the expression")));
}

/* RESTORE has classes of its own for what time travel does not find. */
static bool cannot_restore(Error *err)
{
    Str version = error_param(err, "userVersion"), earliest = error_param(err, "earliest"), latest = error_param(err, "latest");
    Str early = error_param(err, "userTimestamp"), first = error_param(err, "commitTs");
    Str late = error_param(err, "providedTimestamp"), last = error_param(err, "lastCommitTimestamp");
    switch (err->cls) {
    case ERR_DELTA_VERSION_NOT_FOUND:
        error_clear(err);
        return error_set(err, ERR_DELTA_CANNOT_RESTORE_TABLE_VERSION, P("version", version), P("startVersion", earliest), P("endVersion", latest));
    case ERR_DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION:
        error_clear(err);
        return error_set(err, ERR_DELTA_CANNOT_RESTORE_TIMESTAMP_EARLIER, P("requestedTimestamp", early), P("earliestTimestamp", first));
    case ERR_DELTA_TIMESTAMP_GREATER_THAN_COMMIT:
        error_clear(err);
        return error_set(err, ERR_DELTA_CANNOT_RESTORE_TIMESTAMP_GREATER, P("requestedTimestamp", late), P("latestTimestamp", last));
    default: return false;
    }
}

static bool old_snapshot(CommandContext *ctx, const Target *t, const TimeTravel *travel, Snapshot **out, Error *err)
{
    Value v;
    if (travel->kind == TRAVEL_VERSION) {
        TRY(analyze_constant(ctx->analyzer, travel->value, type_simple(TYPE_LONG), &v, err));
        if (!snapshot_at_version(t->table, v.integer, out, err))
            return cannot_restore(err);
    } else {
        TRY(instant_of(ctx, travel->value, &v, err));
        if (!snapshot_at_timestamp(t->table, v.integer, out, err))
            return cannot_restore(err);
    }
    arena_on_free(ctx->arena, release_snapshot, *out);
    return analyze_check_retention(ctx->analyzer, t->snapshot, *out, err);
}

static Map by_path(CommandContext *ctx, Snapshot *s, FileList *files)
{
    Map m = map_in(ctx->arena);
    snapshot_files(s, ctx->arena, files);
    for (size_t i = 0; i < files->len; i++)
        map_put(&m, files->at[i]->path, (void *)files->at[i]);
    return m;
}

static bool same_file(const AddFile *x, const AddFile *y)
{
    return y && deletion_vector_equal(x->dv, y->dv);
}

/* A file that VACUUM has taken cannot come back. */
static bool check_present(CommandContext *ctx, const Target *t, const AddFile *f, int64_t version, Error *err)
{
    Str location;
    Store *store;
    StoreEntry entry;
    bool found;
    TRY(delta_file_location(t->table, f->path, ctx->arena, &location, err));
    ptrdiff_t slash = str_rfind_char(location, '/');
    TRY(store_open(slash > 0 ? str_slice(location, 0, (size_t)slash) : S("/"), ctx->arena, &store, err));
    TRY(store_stat(store, str_slice(location, (size_t)slash + 1, location.len), &found, &entry, err));
    if (found)
        return true;
    return error_set(err, ERR_DELTA_CANNOT_RESTORE_TABLE_VERSION, P("version", str_printf(ctx->arena, "%lld", (long long)version)),
                     PZ("startVersion", "the oldest version whose files are all present"), P("endVersion", store_shown(location, ctx->arena)));
}

/* What the log itself counts on goes on as it is. */
static void keep_properties(CommandContext *ctx, const Target *t, Metadata *m)
{
    static const char *const KEPT[] = {"delta.enableInCommitTimestamps", "delta.inCommitTimestampEnablementVersion",
                                       "delta.inCommitTimestampEnablementTimestamp"};
    for (size_t i = 0; i < LENGTH_OF(KEPT); i++) {
        Str now = snapshot_property(t->snapshot, KEPT[i]);
        if (now.len)
            metadata_set_property(m, str_from(KEPT[i]), now, ctx->arena);
        else
            metadata_unset_property(m, str_from(KEPT[i]));
    }
}

/* Ids of columns that came after the restored version are never given again. */
static void restore_metadata(CommandContext *ctx, const Target *t, Snapshot *old, Transaction *x)
{
    Metadata *m = metadata_copy(snapshot_metadata(old), ctx->arena);
    Str highest = snapshot_property(t->snapshot, "delta.columnMapping.maxColumnId");
    if (highest.len && snapshot_column_mapping(old) != MAPPING_NONE)
        metadata_set_property(m, S("delta.columnMapping.maxColumnId"), highest, ctx->arena);
    identity_keep_highest(ctx, snapshot_schema(t->snapshot), m);
    keep_properties(ctx, t, m);
    transaction_set_metadata(x, m);
}

static bool same_metadata(const Metadata *x, const Metadata *y)
{
    bool same = str_eq(x->schema_string, y->schema_string) && x->configuration.len == y->configuration.len;
    for (size_t i = 0; same && i < x->configuration.len; i++) {
        const Property *p = &x->configuration.at[i], *other = property_find(&y->configuration, p->key);
        same = other && str_eq(other->value, p->value);
    }
    return same;
}

static bool exchange(CommandContext *ctx, const Target *t, Snapshot *old, Transaction *x, Restored *r, Error *err)
{
    FileList now = {0}, then = {0};
    Map current = by_path(ctx, t->snapshot, &now), past = by_path(ctx, old, &then);
    for (size_t i = 0; i < now.len; i++)
        if (!same_file(now.at[i], map_get(&past, now.at[i]->path))) {
            transaction_remove(x, now.at[i], true);
            r->removed_files++;
            r->removed_bytes += now.at[i]->size;
        }
    for (size_t i = 0; i < then.len; i++) {
        r->files_after++;
        r->bytes_after += then.at[i]->size;
        if (same_file(then.at[i], map_get(&current, then.at[i]->path)))
            continue;
        TRY(check_present(ctx, t, then.at[i], snapshot_version(old), err));
        AddFile add = *then.at[i];
        add.data_change = true;
        transaction_add(x, &add);
        r->restored_files++;
        r->restored_bytes += add.size;
    }
    if (!same_metadata(snapshot_metadata(old), snapshot_metadata(t->snapshot)))
        restore_metadata(ctx, t, old, x);
    return true;
}

static BoundRel *answer(CommandContext *ctx, const Restored *r)
{
    static const char *const NAMES[] = {"table_size_after_restore", "num_of_files_after_restore", "num_removed_files", "num_restored_files",
                                        "removed_files_size", "restored_files_size"};
    int64_t values[] = {r->bytes_after, r->files_after, r->removed_files, r->restored_files, r->removed_bytes, r->restored_bytes};
    return result_counts(ctx, LENGTH_OF(NAMES), NAMES, values);
}

bool run_restore(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    CommitNote note = {.operation = S("RESTORE"), .started_us = clock_monotonic_us()};
    Name name;
    Target t;
    Snapshot *old;
    Restored r = {0};
    TRY(command_name(ctx, c, &name, err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TRY(check_change(&t, true, err));
    TRY(old_snapshot(ctx, &t, &c->travel, &old, err));
    Transaction *x = transaction_begin(t.table, t.snapshot, ctx->arena);
    transaction_read_whole_table(x);
    bool ok = exchange(ctx, &t, old, x, &r, err);
    if (ok) {
        Str version = str_printf(ctx->arena, "%lld", (long long)snapshot_version(old));
        if (c->travel.kind == TRAVEL_VERSION)
            note_parameter(ctx, &note, "version", version);
        else
            note_parameter(ctx, &note, "version", S("null"));
        note_parameter(ctx, &note, "timestamp", S("null"));
        note_metric(ctx, &note, "numRestoredFiles", r.restored_files);
        note_metric(ctx, &note, "removedFilesSize", r.removed_bytes);
        note_metric(ctx, &note, "numRemovedFiles", r.removed_files);
        note_metric(ctx, &note, "restoredFilesSize", r.restored_bytes);
        note_metric(ctx, &note, "numOfFilesAfterRestore", r.files_after);
        note_metric(ctx, &note, "tableSizeAfterRestore", r.bytes_after);
        ok = note_commit(ctx, x, &note, NULL, err);
    }
    transaction_end(x);
    *result = answer(ctx, &r);
    return ok;
}
