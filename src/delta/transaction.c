/* A transaction gathers actions and what it read; committing is in transaction_commit.c. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "delta/deletion_vector.h"
#include "delta/feature.h"
#include "delta/partition.h"
#include "delta/row_tracking.h"
#include "delta/schema.h"
#include "delta/transaction_impl.h"
#include "delta/vacuum.h"

Transaction *transaction_begin(DeltaTable *t, Snapshot *read, Arena *arena)
{
    Transaction *x = calloc(1, sizeof *x);
    if (!x)
        panic("out of memory");
    delta_table_ref(t);
    x->table = t;
    x->read = read;
    x->arena = arena;
    x->row_id_high = -1;
    x->protocol = (Protocol){.min_reader = 1, .min_writer = 2};
    if (!read)
        return x;
    snapshot_ref(read);
    x->protocol = protocol_copy(&read->state->protocol, arena);
    x->previous_timestamp_ms = read->timestamp_ms;
    x->row_id_high = row_id_high_of(snapshot_domain(read, S(ROW_TRACKING_DOMAIN)));
    return x;
}

void transaction_end(Transaction *x)
{
    if (!x)
        return;
    snapshot_unref(x->read);
    delta_table_unref(x->table);
    free(x);
}

/* ---- actions ---- */

DeltaTable *transaction_table(const Transaction *x)
{
    return x->table;
}

void transaction_set_metadata(Transaction *x, const Metadata *m)
{
    x->metadata = metadata_copy(m, x->arena);
}

void transaction_set_protocol(Transaction *x, const Protocol *p)
{
    x->protocol_changed = !x->read || !protocol_equal(&x->read->state->protocol, p);
    x->protocol = protocol_copy(p, x->arena);
}

bool transaction_enable_feature(Transaction *x, const char *feature, Error *err)
{
    if (protocol_has_feature(&x->protocol, feature))
        return true;
    x->protocol_changed = true;
    return protocol_add_feature(&x->protocol, feature, x->arena, err);
}

bool transaction_drop_feature(Transaction *x, const char *feature, bool protect, Error *err)
{
    if (protect)
        TRY(protocol_add_feature(&x->protocol, "checkpointProtection", x->arena, err));
    protocol_remove_feature(&x->protocol, feature, x->arena);
    x->protocol_changed = true;
    x->dropped_feature = feature;
    x->protects_checkpoints = protect;
    return true;
}

void transaction_add(Transaction *x, const AddFile *f)
{
    vec_push(x->arena, &x->adds, *f);
}

const AddFile *transaction_adds(const Transaction *x, size_t *count)
{
    *count = x->adds.len;
    return x->adds.at;
}

void transaction_remove(Transaction *x, const AddFile *f, bool data_change)
{
    RemoveFile removed = {
        .path = f->path,
        .has_deletion_timestamp = true,
        .deletion_timestamp_ms = clock_now_ms(),
        .data_change = data_change,
        .extended_file_metadata = true,
        .partition_values = f->partition_values,
        .size = f->size,
        .tags = f->tags,
        .dv = f->dv,
        .has_base_row_id = f->has_base_row_id,
        .base_row_id = f->base_row_id,
        .default_row_commit_version = f->default_row_commit_version,
    };
    vec_push(x->arena, &x->removes, removed);
}

typedef struct VectorFiles {
    Arena *arena;
    Map known;     /* paths that have a tombstone, or get one */
    DeltaStrVec wanted;
} VectorFiles;

static bool gather_vector(void *arg, const RemoveFile *f, Error *err)
{
    VectorFiles *v = arg;
    Str path;
    if (!f->dv) {
        TRY(path_uri_decode(f->path, v->arena, &path, err));
        map_put(&v->known, path, v);
        return true;
    }
    if (f->dv->storage == 'i')
        return true;
    if (f->dv->storage == 'p')
        TRY(path_uri_decode(f->dv->path_or_inline, v->arena, &path, err));
    else
        TRY(deletion_vector_path(f->dv, v->arena, &path, err));
    vec_push(v->arena, &v->wanted, path);
    return true;
}

bool transaction_vector_tombstones(Transaction *x, Error *err)
{
    VectorFiles v = {.arena = x->arena, .known = map_in(x->arena)};
    int64_t now = clock_now_ms();
    TRY(tombstones_read(x->read, now - vacuum_retention_ms(x->read), gather_vector, &v, err));
    for (size_t i = 0; i < v.wanted.len; i++) {
        if (map_has(&v.known, v.wanted.at[i]))
            continue;
        map_put(&v.known, v.wanted.at[i], x);
        RemoveFile removed = {.path = path_uri_encode(v.wanted.at[i], x->arena),
                              .has_deletion_timestamp = true,
                              .deletion_timestamp_ms = now,
                              .size = -1};
        vec_push(x->arena, &x->removes, removed);
    }
    return true;
}

void transaction_cdc(Transaction *x, const CdcFile *f)
{
    vec_push(x->arena, &x->cdcs, *f);
}

void transaction_txn(Transaction *x, Str app_id, int64_t version)
{
    vec_push(x->arena, &x->txns, ((TxnAction){app_id, version, clock_now_ms()}));
}

void transaction_backfill(Transaction *x)
{
    x->is_backfill = true;
}

void transaction_domain(Transaction *x, const DomainMetadata *d)
{
    if (str_is(d->domain, ROW_TRACKING_DOMAIN) && !d->removed) { /* written with the ids that the commit gives */
        int64_t high = row_id_high_of(d->configuration);
        x->row_id_raised = x->row_id_raised || high > x->row_id_high;
        x->row_id_high = high > x->row_id_high ? high : x->row_id_high;
        return;
    }
    vec_push(x->arena, &x->domains, *d);
}

/* ---- reads ---- */

void transaction_read_whole_table(Transaction *x)
{
    x->read_whole = true;
}

void transaction_read_predicate(Transaction *x, const BoundExprVec *conjuncts,
                                const ScanColumn *columns, size_t column_count)
{
    vec_push(x->arena, &x->predicates, ((ReadPredicate){conjuncts, columns, column_count}));
}

void transaction_read_files(Transaction *x, const FileList *files)
{
    for (size_t i = 0; i < files->len; i++)
        vec_push(x->arena, &x->read_files, files->at[i]);
}

void transaction_read_partition(Transaction *x, const PropertyVec *values)
{
    vec_push(x->arena, &x->read_partitions, *values);
}

bool transaction_reads_anything(const Transaction *x)
{
    return x->read_whole || x->predicates.len || x->read_partitions.len || x->read_files.len;
}

const Metadata *transaction_metadata(const Transaction *x)
{
    if (x->metadata)
        return x->metadata;
    if (x->winner_metadata)
        return x->winner_metadata;
    return x->read ? &x->read->state->metadata : NULL;
}
