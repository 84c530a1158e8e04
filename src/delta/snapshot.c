/* Tables and snapshots: who holds them, and what may be asked of a version. */
#include "delta/snapshot.h"

#include <stdlib.h>

#include "base/log.h"
#include "delta/deletion_vector.h"
#include "delta/feature.h"
#include "delta/schema.h"
#include "delta/snapshot_impl.h"

/* ---- tables ---- */

static DeltaTable *new_table(void)
{
    DeltaTable *t = calloc(1, sizeof *t);
    if (!t)
        panic("out of memory");
    t->arena = arena_new();
    t->handles = 1;
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->count_lock, NULL);
    return t;
}

static void free_table(DeltaTable *t)
{
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->count_lock);
    arena_free(t->arena);
    free(t);
}

static void count(DeltaTable *t, int handles, int snapshots)
{
    pthread_mutex_lock(&t->count_lock);
    t->handles += handles;
    t->snapshots += snapshots;
    bool dead = t->handles == 0 && t->snapshots == 0;
    pthread_mutex_unlock(&t->count_lock);
    if (dead)
        free_table(t);
}

void table_count_snapshot(DeltaTable *t)
{
    count(t, 0, 1);
}

static bool has_handles(DeltaTable *t)
{
    pthread_mutex_lock(&t->count_lock);
    bool any = t->handles > 0;
    pthread_mutex_unlock(&t->count_lock);
    return any;
}

bool delta_table_open(Str location, DeltaTable **out, Error *err)
{
    DeltaTable *t = new_table();
    if (!store_open(location, t->arena, &t->store, err)) {
        free_table(t);
        return false;
    }
    t->location = store_root(t->store);
    *out = t;
    return true;
}

bool delta_table_open_on(Store *store, DeltaTable **out, Error *err)
{
    (void)err;
    *out = new_table();
    (*out)->store = store;
    (*out)->location = store_root(store);
    return true;
}

void delta_table_ref(DeltaTable *t)
{
    count(t, 1, 0);
}

/* The last handle takes the cached snapshot along; snapshots that others hold keep the table's
 * memory. */
void delta_table_unref(DeltaTable *t)
{
    if (!t)
        return;
    count(t, -1, 1);
    if (!has_handles(t)) {
        pthread_mutex_lock(&t->lock);
        Snapshot *cached = t->newest;
        t->newest = NULL;
        pthread_mutex_unlock(&t->lock);
        snapshot_unref(cached);
    }
    count(t, 0, -1);
}

Str delta_table_location(const DeltaTable *t)
{
    return t->location;
}

Store *delta_table_store(DeltaTable *t)
{
    return t->store;
}

bool delta_table_exists(DeltaTable *t, bool *exists, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    LogListing listing;
    StoreEntry first;
    TRY(store_stat(t->store, log_commit_path(0, scratch), exists, &first, err));
    if (*exists)
        return true;
    TRY(log_list(t->store, 0, scratch, &listing, err)); /* the beginning may have been cleaned up */
    *exists = listing.any;
    return true;
}

/* ---- snapshots ---- */

void snapshot_ref(Snapshot *s)
{
    atomic_fetch_add(&s->refs, 1);
}

void snapshot_unref(Snapshot *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    DeltaTable *t = s->table;
    table_state_unref(s->state);
    file_set_unref(s->files);
    free(s);
    count(t, 0, -1);
}

static bool fail_absent(DeltaTable *t, Error *err)
{
    return error_set(err, ERR_DELTA_PATH_DOES_NOT_EXIST, P("path", t->location));
}

/* Under the table's lock: *out is a new reference; the cache holds another. */
static bool newest_locked(DeltaTable *t, Snapshot **out, Error *err)
{
    bool lost = true, exists = true;
    Snapshot *fresh = NULL;
    if (t->newest)
        TRY(snapshot_refresh(t->newest, &fresh, &lost, err));
    if (lost) {
        TRY(snapshot_load(t, -1, &fresh, &exists, err));
        if (!exists)
            return fail_absent(t, err);
    }
    if (fresh != t->newest && has_handles(t)) {
        snapshot_ref(fresh);
        snapshot_unref(t->newest);
        t->newest = fresh;
    }
    *out = fresh;
    return true;
}

bool snapshot_newest(DeltaTable *t, Snapshot **out, Error *err)
{
    pthread_mutex_lock(&t->lock);
    bool ok = newest_locked(t, out, err);
    pthread_mutex_unlock(&t->lock);
    return ok;
}

/* The cached snapshot when it is this version and still what the log says. */
static bool cached_version(DeltaTable *t, int64_t version, Snapshot **out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    StoreEntry entry;
    bool found;
    *out = NULL;
    pthread_mutex_lock(&t->lock);
    Snapshot *s = t->newest;
    bool ok = !s || s->version != version ||
              store_stat(t->store, log_commit_path(version, scratch), &found, &entry, err);
    if (ok && s && s->version == version && found && entry.modified_ms == s->modified_ms &&
        entry.size == s->commit_size) {
        snapshot_ref(s);
        *out = s;
    }
    pthread_mutex_unlock(&t->lock);
    return ok;
}

bool snapshot_at_version(DeltaTable *t, int64_t version, Snapshot **out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    bool exists;
    if (version < 0)
        return log_fail_version(t->store, version, scratch, err);
    TRY(cached_version(t, version, out, err));
    if (*out)
        return true;
    TRY(snapshot_load(t, version, out, &exists, err));
    return exists || fail_absent(t, err);
}

/* ---- what a version says ---- */

int64_t snapshot_version(const Snapshot *s)
{
    return s->version;
}

int64_t snapshot_timestamp_ms(const Snapshot *s)
{
    return s->timestamp_ms;
}

const Metadata *snapshot_metadata(const Snapshot *s)
{
    return &s->state->metadata;
}

const Protocol *snapshot_protocol(const Snapshot *s)
{
    return &s->state->protocol;
}

const Type *snapshot_schema(const Snapshot *s)
{
    return s->state->metadata.schema;
}

const Type *snapshot_physical_schema(const Snapshot *s)
{
    return s->state->physical;
}

ColumnMapping snapshot_column_mapping(const Snapshot *s)
{
    return metadata_column_mapping(&s->state->metadata);
}

DeltaTable *snapshot_table(const Snapshot *s)
{
    return s->table;
}

Str snapshot_property(const Snapshot *s, const char *key)
{
    return metadata_property(&s->state->metadata, key);
}

bool snapshot_property_bool(const Snapshot *s, const char *key, bool otherwise)
{
    return metadata_property_bool(&s->state->metadata, key, otherwise);
}

bool snapshot_has_feature(const Snapshot *s, const char *feature)
{
    return protocol_has_feature(&s->state->protocol, feature);
}

bool snapshot_check_writable(const Snapshot *s, Error *err)
{
    return protocol_check_write(&s->state->protocol, &s->state->metadata, s->table->location, err);
}

size_t snapshot_file_count(const Snapshot *s)
{
    return file_set_count(s->files);
}

int64_t snapshot_size_in_bytes(const Snapshot *s)
{
    return file_set_bytes(s->files);
}

void snapshot_files(Snapshot *s, Arena *arena, FileList *out)
{
    size_t count = file_set_count(s->files);
    FileCursor cursor = file_set_cursor(s->files);
    *out = (FileList){.at = ARENA_ARRAY(arena, const AddFile *, count), .cap = count};
    for (const AddFile *f; (f = file_set_next_file(&cursor));)
        out->at[out->len++] = f;
}

Str snapshot_domain(const Snapshot *s, Str domain)
{
    const DomainMetadata *d = map_get(&s->state->domains, domain);
    return d ? d->configuration : S("");
}

void snapshot_domains(const Snapshot *s, Arena *arena, DomainMetadataVec *out)
{
    *out = (DomainMetadataVec){0};
    for (MapEntry *e = map_first(&s->state->domains); e; e = map_next(&s->state->domains, e))
        vec_push(arena, out, *(const DomainMetadata *)e->value);
}

int64_t snapshot_txn_version(const Snapshot *s, Str app_id)
{
    const TxnAction *t = map_get(&s->state->txns, app_id);
    return t ? t->version : -1;
}

static int64_t count_rows(const Snapshot *s)
{
    int64_t total = 0;
    FileCursor cursor = file_set_cursor(s->files);
    for (const AddFile *f; (f = file_set_next_file(&cursor));) {
        int64_t rows = stats_num_records(f->stats);
        if (rows < 0 ||
            __builtin_add_overflow(total, rows - (f->dv ? f->dv->cardinality : 0), &total))
            return -1;
    }
    return total;
}

int64_t snapshot_row_count(const Snapshot *s)
{
    Snapshot *cache =
        (Snapshot *)(uintptr_t)s; /* the count is a cache: the snapshot stays what it is */
    int64_t count = atomic_load(&cache->row_count);
    if (count == INT64_MIN)
        atomic_store(&cache->row_count, count = count_rows(s));
    return count;
}
