/* Taking column mapping away: the rows of every file are written again under the names that columns have now. */
#include "command/alter_impl.h"

static bool write_again(CommandContext *ctx, const Target *t, const Metadata *m, Transaction *x, AddFileVec *added, CommitNote *note, Error *err)
{
    BoundRel *scan;
    FileList files = {0};
    int64_t copied = 0;
    snapshot_files(t->snapshot, ctx->arena, &files);
    TRY(target_scan(ctx, t, NULL, false, &scan, err));
    analyze_row_facts(ctx->analyzer, scan, false);
    if (files.len)
        TRY(write_remapped_files(ctx, t, m, scan, added, &copied, err));
    int64_t removed = 0, bytes = 0;
    for (size_t i = 0; i < files.len; i++) {
        transaction_remove(x, files.at[i], false);
        removed += files.at[i]->size;
    }
    for (size_t i = 0; i < added->len; i++) {
        transaction_add(x, &added->at[i]);
        bytes += added->at[i].size;
    }
    note_metric(ctx, note, "numRewrittenFiles", (int64_t)files.len);
    note_metric(ctx, note, "numCopiedRows", copied);
    note_metric(ctx, note, "numOutputBytes", bytes);
    return true;
}

/* The log names clustering columns as files do. */
static bool name_clustering(CommandContext *ctx, const Target *t, const Metadata *m, Transaction *x, Error *err)
{
    StrVec columns = {0};
    DomainMetadata domain;
    TRY(analyze_clustering(ctx->analyzer, t->snapshot, &columns, err));
    if (!columns.len)
        return true;
    TRY(clustering_domain(ctx, m, &columns, &domain, err));
    transaction_domain(x, &domain);
    return true;
}

bool remove_column_mapping(CommandContext *ctx, Target *t, bool unset, Error *err)
{
    CommitNote note = {.operation = S("REMOVE COLUMN MAPPING"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    AddFileVec added = {0};
    Str bad = schema_unmappable_names(snapshot_schema(t->snapshot), err->arena);
    if (bad.len)
        return error_set(err, ERR_DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING, P("invalidColumnNames", bad));
    TRY(snapshot_check_writable(t->snapshot, err));
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    if (unset)
        metadata_unset_property(m, S("delta.columnMapping.mode"));
    else
        metadata_set_property(m, S("delta.columnMapping.mode"), S("none"), ctx->arena);
    metadata_unset_property(m, S("delta.columnMapping.maxColumnId"));
    metadata_set_schema(ctx, m, type_unmapped(m->schema, ctx->arena));
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    transaction_read_whole_table(x);
    transaction_set_metadata(x, m);
    bool ok = write_again(ctx, t, m, x, &added, &note, err) && name_clustering(ctx, t, m, x, err) && note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    if (!ok && !commit_may_stand(err))
        discard_files(t->table, &added);
    return ok && target_refresh(ctx, t, err);
}
