/* Auto compaction: after a commit that added files, the partitions with many small files are packed, in a commit of its own. */
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "command/optimize_impl.h"

#define MAX_FILE_BYTES (INT64_C(128) << 20)
enum { MIN_FILES = 50, MAX_PARTITIONS = 128 };
#define CONF(name) "spark.databricks.delta.autoCompact." name

/* The small files of one partition. */
typedef struct Heap {
    const AddFile *first;
    FileList files;
} Heap;

/* Delta's order: the session, then the table. */
static bool is_on(CommandContext *ctx, const Metadata *m)
{
    bool found;
    Str session;
    session_get(ctx->session, S(CONF("enabled")), ctx->arena, &found, &session);
    if (found && session.len)
        return str_is_ci(session, "true");
    return metadata_property_bool(m, "delta.autoOptimize", false) || metadata_property_bool(m, "delta.autoOptimize.autoCompact", false);
}

static Str partition_key(CommandContext *ctx, const Metadata *m, const AddFile *f)
{
    Buf b = buf_in(ctx->arena);
    ColumnMapping mapping = metadata_column_mapping(m);
    for (size_t i = 0; i < m->partition_columns.len; i++) {
        int at = type_field_index(m->schema, m->partition_columns.at[i], false);
        const Property *p = at < 0 ? NULL : partition_value_of(&f->partition_values, delta_physical_name(&m->schema->structure.fields[at], mapping, ctx->arena));
        if (!p || p->is_null)
            buf_addz(&b, "-;");
        else
            buf_addf(&b, "%zu:" STR_FMT, p->value.len, STR_ARG(p->value));
    }
    return b.len ? buf_str(&b) : S(";");
}

/* ('p <=> cast(1 as int)): as Delta notes the partitions it chose. */
static void put_partition(CommandContext *ctx, const Metadata *m, const AddFile *f, Buf *out)
{
    size_t count = m->partition_columns.len;
    ColumnMapping mapping = metadata_column_mapping(m);
    for (size_t i = 1; i < count; i++)
        buf_addc(out, '(');
    for (size_t i = 0; i < count; i++) {
        int at = type_field_index(m->schema, m->partition_columns.at[i], false);
        if (at < 0)
            continue;
        const Field *field = &m->schema->structure.fields[at];
        const Property *p = partition_value_of(&f->partition_values, delta_physical_name(field, mapping, ctx->arena));
        buf_addf(out, "%s('" STR_FMT " <=> cast(" STR_FMT " as " STR_FMT "))%s", i ? " AND " : "", STR_ARG(field->name),
                 STR_ARG(!p || p->is_null ? S("null") : p->value), STR_ARG(type_simple_string(field->type, ctx->arena)), i ? ")" : "");
    }
}

/* The small files of each partition; `only` (may be NULL) are the partitions that count. Files of a clustered table that lie in
 * cubes are left to OPTIMIZE. */
static void gather_heaps(CommandContext *ctx, const Target *t, const Map *only, int64_t small, Map *heaps)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    FileList all = {0};
    snapshot_files(t->snapshot, ctx->arena, &all);
    for (size_t i = 0; i < all.len; i++) {
        const AddFile *f = all.at[i];
        if (f->size >= small || f->clustering_provider.len)
            continue;
        Str key = partition_key(ctx, m, f);
        if (only && !map_has(only, key))
            continue;
        Heap *heap = map_get(heaps, key);
        if (!heap) {
            heap = ARENA_NEW(ctx->arena, Heap);
            *heap = (Heap){.first = f};
            map_put(heaps, key, heap);
        }
        vec_push(ctx->arena, &heap->files, f);
    }
}

static void choose_heaps(CommandContext *ctx, const Metadata *m, const Map *heaps, bool named, size_t min_files, FileList *out, Packed *p)
{
    Buf predicate = buf_in(ctx->arena);
    int64_t most = optimize_setting(ctx, CONF("maxNumModifiedPartitions"), MAX_PARTITIONS), chosen = 0;
    for (MapEntry *e = map_first(heaps); e && chosen < (named ? most : INT64_MAX); e = map_next(heaps, e)) {
        const Heap *heap = e->value;
        if (heap->files.len < 2 || heap->files.len < min_files)
            continue;
        for (size_t i = 0; i < heap->files.len; i++)
            vec_push(ctx->arena, out, heap->files.at[i]);
        if (named && m->partition_columns.len) {
            buf_addz(&predicate, chosen ? " OR " : "");
            put_partition(ctx, m, heap->first, &predicate);
        }
        chosen++;
    }
    p->considered = (int64_t)out->len;
    if (!predicate.len)
        return;
    Buf json = buf_in(ctx->arena);
    buf_addc(&json, '[');
    json_put_str(&json, chosen > 1 ? str_printf(ctx->arena, "(" STR_FMT ")", STR_ARG(buf_str(&predicate))) : buf_str(&predicate));
    buf_addc(&json, ']');
    p->predicate = buf_str(&json);
}

static bool compact(CommandContext *ctx, const Transaction *x, const Map *touched, Error *err)
{
    Target t;
    TRY(target_at_location(ctx, delta_table_location(transaction_table(x)), &t, err));
    bool named = session_bool(ctx->session, CONF("modifiedPartitionsOnly.enabled"), true);
    bool enough = session_bool(ctx->session, CONF("earlySkipPartitionTable.enabled"), true);
    Packed packed = {.automatic = true, .started_ms = clock_now_ms()};
    packed.most_bytes = optimize_setting(ctx, CONF("maxFileSize"), MAX_FILE_BYTES);
    packed.least_bytes = optimize_setting(ctx, CONF("minFileSize"), packed.most_bytes / 2);
    Map heaps = map_in(ctx->arena);
    FileList files = {0};
    gather_heaps(ctx, &t, named ? touched : NULL, packed.least_bytes, &heaps);
    choose_heaps(ctx, snapshot_metadata(t.snapshot), &heaps, named, enough ? (size_t)optimize_setting(ctx, CONF("minNumFiles"), MIN_FILES) : 0, &files,
                 &packed);
    CommitNote note = {.operation = S("OPTIMIZE"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    return !files.len || optimize_pack(ctx, &t, &files, &packed, &note, err);
}

/* The commit before it stands, whatever becomes of this one. */
void auto_compact(CommandContext *ctx, const Transaction *x, const CommitNote *n)
{
    size_t count;
    const AddFile *adds = transaction_adds(x, &count);
    const Metadata *m = transaction_metadata(x);
    Map touched = map_in(ctx->arena);
    bool packs = str_is(n->operation, "OPTIMIZE") || str_is(n->operation, "REORG");
    if (packs || !count || !is_on(ctx, m) || (n->blind_append && session_bool(ctx->session, CONF("nonBlindAppend.enabled"), false)))
        return;
    for (size_t i = 0; i < count; i++)
        map_put(&touched, partition_key(ctx, m, &adds[i]), &touched);
    Error failure = error_in(ctx->arena);
    if (!compact(ctx, x, &touched, &failure)) {
        log_warn("table %.*s: auto compaction failed (%s)", STR_ARG(delta_table_location(transaction_table(x))), error_class_name(failure.cls));
        error_clear(&failure);
    }
}
