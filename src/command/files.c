/* Rows become data and change files of a table, described as the log's actions. */
#include "command/command_impl.h"

enum { MAX_FILES_ASKED = 10000 };
#define DEFAULT_FILE_BYTES (INT64_C(128) << 20)

int64_t property_number(const Metadata *m, const char *key, int64_t otherwise)
{
    int64_t n;
    Str text = metadata_property(m, key);
    return text.len && str_to_i64(text, &n) ? n : otherwise;
}

/* ---- what a write, its table and the session say of files ---- */

bool check_codec(Str name, Error *err)
{
    static const char *const CODECS[] = {"none", "uncompressed", "snappy", "gzip", "lz4", "lz4_raw", "zstd", "brotli"};
    for (size_t i = 0; i < LENGTH_OF(CODECS); i++)
        if (str_is_ci(name, CODECS[i]))
            return true;
    if (str_is_ci(name, "lzo"))
        return error_unsupported(err, "Writing Parquet files compressed with lzo");
    return error_set(err, ERR_CODEC_NOT_AVAILABLE__WITH_AVAILABLE_CODECS_SUGGESTION, P("codecName", name),
                     PZ("availableCodecs", "brotli, uncompressed, lzo, snappy, lz4_raw, none, zstd, lz4, gzip"));
}

bool file_choices(const KeyValueVec *options, FileChoices *out, Error *err)
{
    Str records = key_value_get(options, "maxRecordsPerFile");
    out->codec = key_value_get(options, "compression");
    out->optimize = key_value_get(options, "optimizeWrite");
    out->max_records = -1;
    if (out->codec.len)
        TRY(check_codec(out->codec, err));
    if (out->optimize.len && !str_is_ci(out->optimize, "true") && !str_is_ci(out->optimize, "false"))
        return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", out->optimize), PZ("name", "optimizeWrite"), PZ("explain", "must be 'true' or 'false'"));
    return !records.len || str_to_i64(records, &out->max_records) ||
           error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", records), PZ("name", "maxRecordsPerFile"), PZ("explain", "must be an integer"));
}

static Str session_text(CommandContext *ctx, const char *key)
{
    bool found;
    Str value = S("");
    session_get(ctx->session, str_from(key), ctx->arena, &found, &value);
    return value;
}

/* "134217728", "100mb": bytes. */
static int64_t property_bytes(const Metadata *m, const char *key, int64_t otherwise)
{
    int64_t bytes;
    return str_to_bytes(metadata_property(m, key), &bytes) && bytes > 0 ? bytes : otherwise;
}

/* Delta's order: the writer's option, the session, the table. */
static bool optimizes_writes(CommandContext *ctx, const Metadata *m, const FileChoices *asked)
{
    if (asked && asked->optimize.len)
        return str_is_ci(asked->optimize, "true");
    Str session = session_text(ctx, "spark.databricks.delta.optimizeWrite.enabled");
    if (session.len)
        return str_is_ci(session, "true");
    return metadata_property_bool(m, "delta.autoOptimize", false) || metadata_property_bool(m, "delta.autoOptimize.optimizeWrite", false);
}

/* The rows are gathered into few files of good size, whatever the query's shape: it is not asked how many. */
static void choose_files(CommandContext *ctx, const Metadata *m, const FileChoices *asked, WriteSpec *spec)
{
    Str codec = metadata_property(m, "delta.parquet.compression.codec");
    if (!codec.len)
        codec = session_text(ctx, "spark.sql.parquet.compression.codec");
    spec->codec = str_lower(asked && asked->codec.len ? asked->codec : codec, ctx->arena);
    if (!str_to_i64(session_text(ctx, "spark.sql.files.maxRecordsPerFile"), &spec->max_records))
        spec->max_records = 0;
    if (asked && asked->max_records >= 0)
        spec->max_records = asked->max_records;
    spec->gathered = optimizes_writes(ctx, m, asked);
    spec->file_count = asked && !spec->gathered ? asked->file_count : 0;
}

bool choose_plain_files(CommandContext *ctx, WriteSpec *spec, Error *err)
{
    FileChoices asked;
    Metadata none = {0};
    size_t file_count = spec->file_count;
    if (spec->schema && type_has_geo(spec->schema))
        return error_unsupported(err, "Writing GEOMETRY and GEOGRAPHY to files of the format " STR_FMT, STR_ARG(spec->format));
    if (!str_is_ci(spec->format, "parquet"))
        return true;
    TRY(file_choices(&spec->options, &asked, err));
    choose_files(ctx, &none, &asked, spec);
    spec->file_count = file_count;
    spec->gathered = false;
    return true;
}

/* As Delta 4.4: partition columns are in the files, too (PROTOCOL.md "Materialize Partition Columns"), unless the table says otherwise
 * and nothing in its protocol asks for them. */
static bool stores_partitions(DeltaTable *table, const Metadata *m)
{
    AUTO_ARENA(scratch) = arena_new();
    Error ignored = error_in(scratch);
    Snapshot *s;
    if (metadata_property_bool(m, "delta.writePartitionColumnsToParquet", true) || !snapshot_newest(table, &s, &ignored))
        return true;
    bool asked = snapshot_has_feature(s, "materializePartitionColumns") || iceberg_compat_version(m);
    snapshot_unref(s);
    return asked;
}

static WriteSpec table_spec(CommandContext *ctx, DeltaTable *table, const Metadata *m, const Type *schema)
{
    WriteSpec spec = {.folder = store_duckdb_path(delta_table_store(table), S(""), ctx->arena), .format = S("parquet"), .schema = schema, .file_prefix = S("part-"), .drops_empty = true};
    spec.stats_leaves = stats_leaves(ctx, m, &spec.stats_columns);
    spec.target_file_bytes = property_bytes(m, "delta.targetFileSize", DEFAULT_FILE_BYTES);
    choose_files(ctx, m, NULL, &spec);
    spec.partition_columns = ARENA_ARRAY(ctx->arena, size_t, m->partition_columns.len + 1);
    for (size_t p = 0; p < m->partition_columns.len; p++) {
        int at = type_field_index(schema, m->partition_columns.at[p], false);
        if (at >= 0)
            spec.partition_columns[spec.partition_count++] = (size_t)at;
    }
    spec.stores_partitions = spec.partition_count && stores_partitions(table, m);
    /* Files, statistics and partition values know columns by their physical names only. */
    spec.schema = schema_physical(schema, metadata_column_mapping(m), ctx->arena);
    return spec;
}

/* The columns that keep what is known of rows follow the table's; nobody skips files by them. */
static void add_row_columns(CommandContext *ctx, WriteSpec *spec, const RowColumns *names)
{
    size_t count = spec->schema->structure.count;
    Field *fields = ARENA_ARRAY(ctx->arena, Field, count + 2);
    for (size_t i = 0; i < count; i++)
        fields[i] = spec->schema->structure.fields[i];
    fields[count] = (Field){names->id, type_simple(TYPE_LONG), true, {0}};
    fields[count + 1] = (Field){names->version, type_simple(TYPE_LONG), true, {0}};
    spec->schema = type_struct(fields, count + 2, ctx->arena);
}

static PropertyVec partition_properties(CommandContext *ctx, const WriteSpec *spec, const WrittenFile *f)
{
    PropertyVec out = {0};
    for (size_t p = 0; p < spec->partition_count; p++) {
        Str name = spec->schema->structure.fields[spec->partition_columns[p]].name;
        Property value = partition_value_print(name, &f->partition_values[p], ctx->arena);
        vec_push(ctx->arena, &out, value);
    }
    return out;
}

size_t asked_files(const Rel *query)
{
    if (!query || query->kind != REL_REPARTITION || query->repartition.by.len || query->repartition.partitions <= 0 ||
        query->repartition.partitions > MAX_FILES_ASKED)
        return 0;
    bool one = query->repartition.partitions == 1;
    return query->repartition.shuffle || one ? (size_t)query->repartition.partitions : 0;
}

/* What was written to the disk becomes the table's; after a failure nothing of it stays. */
static bool write_and_send(CommandContext *ctx, DeltaTable *table, BoundRel *rows, const WriteSpec *spec, WrittenFileVec *files, Error *err)
{
    Store *store = delta_table_store(table);
    TRY(engine_write(ctx->engine, rows, spec, &ctx->run, ctx->arena, files, err));
    Str *paths = ARENA_ARRAY(ctx->arena, Str, files->len + 1);
    for (size_t i = 0; i < files->len; i++)
        paths[i] = files->at[i].path;
    if (store_send(store, paths, files->len, err))
        return true;
    Error ignored = error_in(ctx->arena);
    for (size_t i = 0; i < files->len; i++)
        if (!store_delete(store, paths[i], &ignored))
            error_clear(&ignored); /* an orphan that VACUUM removes */
    return false;
}

static bool write_as_adds(CommandContext *ctx, DeltaTable *table, BoundRel *rows, const WriteSpec *spec, bool data_change, AddFileVec *out,
                          int64_t *row_count, Error *err)
{
    WrittenFileVec files = {0};
    TRY(write_and_send(ctx, table, rows, spec, &files, err));
    for (size_t i = 0; i < files.len; i++) {
        const WrittenFile *f = &files.at[i];
        AddFile add = {.path = path_uri_encode(f->path, ctx->arena), .size = f->size, .modification_time_ms = f->modified_ms,
                       .data_change = data_change, .stats = f->stats, .partition_values = partition_properties(ctx, spec, f)};
        vec_push(ctx->arena, out, add);
        if (row_count)
            *row_count += f->rows;
    }
    return true;
}

bool write_data_files(CommandContext *ctx, DeltaTable *table, const Metadata *m, BoundRel *rows, bool data_change, AddFileVec *out, int64_t *row_count, Error *err)
{
    return write_files_asked(ctx, table, m, rows, data_change, NULL, out, row_count, err);
}

bool write_files_asked(CommandContext *ctx, DeltaTable *table, const Metadata *m, BoundRel *rows, bool data_change, const FileChoices *asked,
                       AddFileVec *out, int64_t *row_count, Error *err)
{
    WriteSpec spec = table_spec(ctx, table, m, m->schema);
    choose_files(ctx, m, asked, &spec);
    return write_as_adds(ctx, table, rows, &spec, data_change, out, row_count, err);
}

static WriteSpec rewritten_spec(CommandContext *ctx, const Target *t, const Metadata *m)
{
    WriteSpec spec = table_spec(ctx, t->table, m, m->schema);
    RowColumns kept;
    if (snapshot_row_columns(t->snapshot, &kept))
        add_row_columns(ctx, &spec, &kept);
    return spec;
}

bool write_rewritten_files(CommandContext *ctx, const Target *t, BoundRel *rows, bool data_change, AddFileVec *out, int64_t *row_count, Error *err)
{
    WriteSpec spec = rewritten_spec(ctx, t, snapshot_metadata(t->snapshot));
    return write_as_adds(ctx, t->table, rows, &spec, data_change, out, row_count, err);
}

bool write_packed_files(CommandContext *ctx, const Target *t, BoundRel *rows, int64_t file_bytes, AddFileVec *out, Error *err)
{
    WriteSpec spec = rewritten_spec(ctx, t, snapshot_metadata(t->snapshot));
    spec.target_file_bytes = file_bytes;
    return write_as_adds(ctx, t->table, rows, &spec, false, out, NULL, err);
}

bool write_remapped_files(CommandContext *ctx, const Target *t, const Metadata *m, BoundRel *rows, AddFileVec *out, int64_t *row_count, Error *err)
{
    WriteSpec spec = rewritten_spec(ctx, t, m);
    return write_as_adds(ctx, t->table, rows, &spec, false, out, row_count, err);
}

bool write_change_files(CommandContext *ctx, DeltaTable *table, const Metadata *m, BoundRel *rows, CdcFileVec *out, Error *err)
{
    VEC(Field) fields = {0};
    for (size_t i = 0; i < m->schema->structure.count; i++)
        vec_push(ctx->arena, &fields, m->schema->structure.fields[i]);
    Field type = {S("_change_type"), type_simple(TYPE_STRING), true, {0}};
    vec_push(ctx->arena, &fields, type);
    WriteSpec spec = table_spec(ctx, table, m, type_struct(fields.at, fields.len, ctx->arena));
    spec.sub_folder = S("_change_data");
    spec.file_prefix = S("cdc-");
    spec.stats_columns = 0;
    WrittenFileVec files = {0};
    TRY(write_and_send(ctx, table, rows, &spec, &files, err));
    for (size_t i = 0; i < files.len; i++) {
        CdcFile c = {.path = path_uri_encode(files.at[i].path, ctx->arena), .size = files.at[i].size,
                     .partition_values = partition_properties(ctx, &spec, &files.at[i])};
        vec_push(ctx->arena, out, c);
    }
    return true;
}

bool commit_may_stand(const Error *err)
{
    return err->cls == ERR_LAKESHED_FILE || err->cls == ERR_LAKESHED_COMMIT_UNKNOWN;
}

void discard_files(DeltaTable *table, const AddFileVec *files)
{
    for (size_t i = 0; i < files->len; i++) {
        AUTO_ARENA arena = arena_new();
        Error ignored = error_in(arena);
        Str path;
        if (path_uri_decode(files->at[i].path, arena, &path, &ignored) && !store_delete(delta_table_store(table), path, &ignored))
            continue; /* an orphan that VACUUM removes */
    }
}
