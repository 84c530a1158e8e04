/* Writing data files: one COPY into a folder of its own, then every file gets its name, is made
 * durable, and is described. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "delta/partition.h"
#include "delta/schema.h"
#include "engine/engine_impl.h"
#include "engine/execution.h"
#include "engine/folder.h"
#include "engine/orc.h"
#include "engine/render.h"
#include "engine/site.h"
#include "engine/statistics.h"
#include "engine/text_write.h"

typedef struct Writing {
    Engine *engine;
    const BoundRel *rel;
    const WriteSpec *spec;
    const RunContext *ctx;
    Arena *arena;
    Render render;
    duckdb_connection connection;
    Str target;  /* folder, with sub_folder */
    Str staging; /* where DuckDB writes */
    char job[UUID_TEXT_LEN + 1];
    bool *is_partition; /* per field of the schema */
    FolderPaths made;   /* folders that were missing */
    FolderPaths placed; /* files under their final names, absolute */
    const Value *split_keys; /* while a file is split: the partition it belongs to */
    size_t splits;
    WrittenFileVec *out;
} Writing;

/* ---- the statement ---- */

/* A partition value as text that comes back unchanged: what file_value_text makes of a Value. */
static void put_partition_text(Buf *b, Str column, const Type *type)
{
    const char *forms[] = {"CAST(", " AS VARCHAR)"};
    switch (type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        forms[0] = "nullif(", forms[1] = ", '')";
        break; /* Delta stores '' as NULL */
    case TYPE_BINARY:
        forms[0] = "nullif(hex(", forms[1] = "), '')";
        break;
    case TYPE_DATE:
        forms[0] = "CAST(date_diff('day', DATE '1970-01-01', ", forms[1] = ") AS VARCHAR)";
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        forms[0] = "CAST(epoch_us(", forms[1] = ") AS VARCHAR)";
        break;
    default:
        break;
    }
    buf_addf(b, "%s" STR_FMT "%s", forms[0], STR_ARG(column), forms[1]);
}

static bool input_type(const BoundRel *rel, size_t position, const BoundColumn **out)
{
    for (size_t i = 0; i < rel->columns.len; i++) {
        if (rel->columns.at[i].hidden)
            continue;
        if (!position--) {
            *out = &rel->columns.at[i];
            return true;
        }
    }
    return false;
}

static bool refuse_type(const Type *type, Str format, Str column, Error *err)
{
    bool parquet = str_is(format, "parquet");
    if (type_contains(type, TYPE_NULL) || (parquet && type_contains(type, TYPE_INTERVAL_CALENDAR)))
        return error_set(err, ERR_UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE,
                         P("format", parquet ? S("Parquet") : format),
                         P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(column))),
                         P("columnType", str_printf(err->arena, "\"" STR_FMT "\"",
                                                    STR_ARG(type_sql(type, err->arena)))));
    return true;
}

/* Whether each row is told which file of its partition it belongs to. */
static bool deals_rows(const WriteSpec *spec)
{
    return spec->file_count > 1 || spec->max_records > 0;
}

/* Rows are dealt out to so many files; of each, so many rows make the next one. */
static bool put_file_number(const Writing *w, Buf *b, Error *err)
{
    const WriteSpec *spec = w->spec;
    size_t count = spec->file_count > 1 ? spec->file_count : 1;
    Buf row = buf_in(w->arena);
    buf_addz(&row, "(row_number() OVER (");
    /* Numbers within partitions cost a sort, which dealing alone does not need. */
    for (size_t i = 0; spec->max_records > 0 && i < spec->partition_count; i++) {
        const BoundColumn *in;
        size_t field = spec->partition_columns[i];
        if (!input_type(w->rel, field, &in))
            return error_internal(err, "a write has fewer input columns than its schema");
        buf_addz(&row, i ? ", " : "PARTITION BY ");
        put_partition_text(&row, str_printf(w->arena, "x%zu", field), in->type);
    }
    buf_addz(&row, ") - 1)");
    Str number = buf_str(&row);
    buf_addf(b, ", " STR_FMT " %% %zu", STR_ARG(number), count);
    if (spec->max_records > 0)
        buf_addf(b, " + " STR_FMT " // %zu // %lld * %zu", STR_ARG(number), count,
                 (long long)spec->max_records, count);
    buf_addz(b, " AS ls_file");
    return true;
}

/* SELECT with the names and types of the files; partition columns as text under names of their own.
 */
static bool put_select(Writing *w, Buf *b, Error *err)
{
    Str query;
    TRY(render_query(&w->render, w->rel, &query, err));
    const Type *schema = w->spec->schema;
    size_t counter = 0, put = 0, partition = 0;
    buf_addz(b, "SELECT ");
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        const BoundColumn *in;
        if (!input_type(w->rel, i, &in))
            return error_internal(err, "a write has fewer input columns than its schema");
        Str column = str_printf(w->arena, "x%zu", i);
        buf_addz(b, put++ ? ", " : "");
        if (w->is_partition[i]) {
            put_partition_text(b, column, in->type);
            buf_addf(b, " AS ls_p%zu", partition++);
            if (!w->spec->stores_partitions)
                continue;
            buf_addz(b, ", ");
        }
        TRY(refuse_type(f->type, w->spec->format, f->name, err));
        buf_add(b, change_form(w->arena, &counter, FORM_TO_FILES, column, in->type, f->type));
        buf_addz(b, " AS ");
        put_quoted(b, f->name);
    }
    if (deals_rows(w->spec))
        TRY(put_file_number(w, b, err));
    buf_addf(b, " FROM (" STR_FMT ") AS q(", STR_ARG(query));
    for (size_t i = 0; i < schema->structure.count; i++)
        buf_addf(b, "%sx%zu", i ? ", " : "", i);
    buf_addz(b, ")");
    for (size_t i = 0; w->spec->gathered && i < w->spec->partition_count; i++)
        buf_addf(b, "%sls_p%zu", i ? ", " : " ORDER BY ", i);
    return true;
}

static bool has_field_ids(const Type *t)
{
    if (t->kind == TYPE_ARRAY)
        return has_field_ids(t->array.element);
    if (t->kind == TYPE_MAP)
        return has_field_ids(t->map.key) || has_field_ids(t->map.value);
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++)
        if (delta_field_id(&t->structure.fields[i]) >= 0 ||
            has_field_ids(t->structure.fields[i].type))
            return true;
    return false;
}

/* The field that a type stands in, whose metadata has the ids of elements, keys and values down to the next struct. */
typedef struct IdOwner {
    const Field *field; /* NULL: the whole row */
    Str path;
    Arena *arena;
} IdOwner;

static int64_t nested_id(const IdOwner *o)
{
    yyjson_val *ids;
    Error ignored = error_in(o->arena);
    Str text = o->field ? field_metadata_get(o->field, "delta.columnMapping.nested.ids", o->arena) : S("");
    if (!text.len || !json_parse(text, S("nested ids"), o->arena, &ids, &ignored))
        return -1;
    return json_get_i64(ids, str_z(o->path, o->arena), -1);
}

static void put_field_id(Buf *b, bool *first, Str name, int64_t id, const Type *type, const IdOwner *owner);

static void put_nested_ids(Buf *b, const Type *type, bool *first, const IdOwner *owner)
{
    static const char *const PARTS[] = {"element", "key", "value"};
    const Type *inner[] = {type->kind == TYPE_ARRAY ? type->array.element : NULL, type->kind == TYPE_MAP ? type->map.key : NULL,
                           type->kind == TYPE_MAP ? type->map.value : NULL};
    for (size_t i = 0; type->kind == TYPE_STRUCT && i < type->structure.count; i++) {
        const Field *f = &type->structure.fields[i];
        IdOwner own = {f, f->name, owner->arena};
        put_field_id(b, first, f->name, delta_field_id(f), f->type, &own);
    }
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        IdOwner own = {owner->field, str_printf(owner->arena, STR_FMT ".%s", STR_ARG(owner->path), PARTS[i]), owner->arena};
        if (inner[i])
            put_field_id(b, first, str_from(PARTS[i]), nested_id(&own), inner[i], &own);
    }
}

/* name: id, or name: {__duckdb_field_id: id, ids of what is inside}; nothing where there is no id at all. */
static void put_field_id(Buf *b, bool *first, Str name, int64_t id, const Type *type, const IdOwner *owner)
{
    Buf inside = buf_in(owner->arena);
    bool none = true;
    put_nested_ids(&inside, type, &none, owner);
    if (id < 0 && none)
        return;
    buf_addz(b, *first ? "" : ", ");
    *first = false;
    put_quoted(b, name);
    if (none)
        buf_addf(b, ": %lld", (long long)id);
    else if (id < 0)
        buf_addf(b, ": {" STR_FMT "}", STR_ARG(buf_str(&inside)));
    else
        buf_addf(b, ": {__duckdb_field_id: %lld, " STR_FMT "}", (long long)id, STR_ARG(buf_str(&inside)));
}

static const Type *file_schema(const Writing *w)
{
    const Type *schema = w->spec->schema;
    Field *fields = ARENA_ARRAY(w->arena, Field, schema->structure.count + 1);
    size_t n = 0;
    for (size_t i = 0; i < schema->structure.count; i++)
        if (!w->is_partition[i] || w->spec->stores_partitions)
            fields[n++] = schema->structure.fields[i];
    return type_struct(fields, n, w->arena);
}

/* Spark reads its own schema text back from the footer: byte and short, CHAR and intervals have no
 * Parquet type of their own. */
static void put_parquet_options(const Writing *w, Buf *b)
{
    const Type *schema = file_schema(w);
    Str codec = w->spec->codec.len ? w->spec->codec : S("snappy");
    if (str_is_ci(codec, "none"))
        codec = S("uncompressed");
    /* DuckDB tries a dictionary on every column of a row group until it has a fifth as many entries as rows; giving
     * up at a fifteenth saves a sixth of the time that rows with unique texts take. */
    buf_addz(b, "FORMAT parquet, RETURN_STATS, DICTIONARY_SIZE_LIMIT 8192, WRITE_BLOOM_FILTER false, GEOPARQUET_VERSION NONE, COMPRESSION ");
    put_text(b, codec);
    buf_addz(b, ", KV_METADATA {\"org.apache.spark.version\": '4.2.0', "
                "\"org.apache.spark.sql.parquet.row.metadata\": ");
    put_text(b, type_json(schema, w->arena));
    buf_addz(b, "}");
    if (has_field_ids(schema)) {
        bool first = true;
        IdOwner row = {NULL, {0}, w->arena};
        buf_addz(b, ", FIELD_IDS {");
        put_nested_ids(b, schema, &first, &row);
        buf_addz(b, "}");
    }
}

static bool is_sorted(const BoundRel *rel)
{
    while (rel->kind == BREL_PROJECT || rel->kind == BREL_FILTER || rel->kind == BREL_LIMIT)
        rel = rel->input;
    return rel->kind == BREL_SORT;
}

/* DuckDB starts the next file at a size only with row groups in any order. */
static bool parts_by_size(const Writing *w)
{
    return w->spec->target_file_bytes > 0 && !w->spec->file_count && !is_sorted(w->rel);
}

static bool copy_statement(Writing *w, Str *sql, Error *err)
{
    const WriteSpec *spec = w->spec;
    Buf b = buf_in(w->arena);
    buf_addz(&b, "COPY (");
    TRY(put_select(w, &b, err));
    buf_addz(&b, ") TO ");
    bool by_size = parts_by_size(w);
    bool folders = spec->partition_count || deals_rows(spec), many = folders || by_size;
    put_text(&b, str_concat(w->arena, w->staging, many ? S("/files") : S("/file.parquet")));
    buf_addz(&b, " (");
    put_parquet_options(w, &b);
    if (folders) {
        buf_addz(&b, ", PARTITION_BY (");
        for (size_t i = 0; i < spec->partition_count; i++)
            buf_addf(&b, "%sls_p%zu", i ? ", " : "", i);
        if (deals_rows(spec))
            buf_addf(&b, "%sls_file", spec->partition_count ? ", " : "");
        buf_addz(&b, "), FILENAME_PATTERN 'f{uuid}'");
    } else if (by_size) {
        buf_addf(&b, ", FILE_SIZE_BYTES %lld, FILENAME_PATTERN 'f{uuid}'",
                 (long long)spec->target_file_bytes);
    }
    buf_addz(&b, ")");
    *sql = buf_str(&b);
    return true;
}

/* ---- partition values ---- */

/* The order of a partition's values in the path and in partition_columns is the same; ls_p<n>
 * counts fields in schema order. */
static size_t nth_partition(const Writing *w, size_t field)
{
    size_t n = 0;
    for (size_t i = 0; i < field; i++)
        n += w->is_partition[i];
    return n;
}

static Str unhex(Str text, Arena *arena)
{
    char *out = arena_alloc(arena, text.len / 2 + 1);
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        char pair[3] = {text.ptr[i], text.ptr[i + 1], 0};
        out[i / 2] = (char)strtol(pair, NULL, 16);
    }
    return (Str){out, text.len / 2};
}

static bool parse_partition(Str text, const Type *type, Str zone, Arena *arena, Value *out,
                            Error *err)
{
    *out = value_null(type);
    if (!text.ptr)
        return true;
    out->is_null = false;
    switch (type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        out->bytes = text;
        return true;
    case TYPE_BINARY:
        out->bytes = unhex(text, arena);
        return true;
    case TYPE_BOOLEAN:
        out->boolean = str_is(text, "true");
        return true;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        out->real = strtod(str_z(text, arena), NULL);
        return true;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return str_to_i64(text, &out->integer) ||
               error_internal(err, "a partition value is not a number");
    default:
        return value_from_text(text, type, zone, arena, out, err);
    }
}

static bool partition_values(const Writing *w, const Value *keys, WrittenFile *file, Error *err)
{
    size_t n = w->spec->partition_count;
    file->partition_values = ARENA_ARRAY(w->arena, Value, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        size_t field = w->spec->partition_columns[i];
        Str name = str_printf(w->arena, "ls_p%zu", nth_partition(w, field)), text = {NULL, 0};
        for (size_t k = 0; k < keys->map.count; k++)
            if (str_eq(keys->map.keys[k].bytes, name) && !keys->map.values[k].is_null)
                text = keys->map.values[k].bytes;
        TRY(parse_partition(text, w->spec->schema->structure.fields[field].type, w->ctx->func->zone,
                            w->arena, &file->partition_values[i], err));
    }
    return true;
}

/* "d=2024-01-01/k=a%2Fb" */
static Str hive_folder(const Writing *w, const WrittenFile *file)
{
    Buf b = buf_in(w->arena);
    for (size_t i = 0; i < w->spec->partition_count; i++) {
        const Value *v = &file->partition_values[i];
        const Field *f = &w->spec->schema->structure.fields[w->spec->partition_columns[i]];
        Str text =
            v->is_null ? S(HIVE_DEFAULT_PARTITION) : value_to_text(v, w->ctx->func->zone, w->arena);
        buf_addf(&b, "%s" STR_FMT "=" STR_FMT, i ? "/" : "",
                 STR_ARG(path_hive_escape(f->name, w->arena)),
                 STR_ARG(path_hive_escape(text, w->arena)));
    }
    return b.len ? buf_str(&b) : S("");
}

/* ---- placing files ---- */

static const char *codec_ending(Str codec)
{
    static const struct {
        const char *codec, *ending;
    } endings[] = {{"snappy", ".snappy"}, {"zstd", ".zstd"},      {"gzip", ".gz"},
                   {"lz4", ".lz4"},       {"lz4_raw", ".lz4raw"}, {"brotli", ".br"},
                   {"none", ""},          {"uncompressed", ""}};
    if (!codec.len)
        return ".snappy";
    for (size_t i = 0; i < LENGTH_OF(endings); i++)
        if (str_is_ci(codec, endings[i].codec))
            return endings[i].ending;
    return "";
}

static Str joined(Arena *a, Str above, Str below)
{
    if (!above.len || !below.len)
        return above.len ? above : below;
    return str_printf(a, STR_FMT "/" STR_FMT, STR_ARG(above), STR_ARG(below));
}

static bool place_file(Writing *w, Str written, WrittenFile *file, size_t number, Error *err)
{
    Arena *a = w->arena;
    Str folder = joined(a, w->spec->sub_folder, hive_folder(w, file));
    Str prefix = w->spec->file_prefix.len ? w->spec->file_prefix : S("part-");
    Str name = str_printf(a, STR_FMT "%05zu-%s.c000%s.parquet", STR_ARG(prefix), number, w->job,
                          codec_ending(w->spec->codec));
    file->path = joined(a, folder, name);
    Str place = joined(a, w->spec->folder, file->path);
    TRY(folder_make(joined(a, w->spec->folder, folder), a, &w->made, err));
    TRY(folder_sync(written, err));
    TRY(folder_rename(written, place, err));
    vec_push(a, &w->placed, place);
    struct stat facts;
    if (stat(str_z(place, a), &facts))
        return folder_failure(err, place);
    file->size = facts.st_size;
    file->modified_ms = (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000;
    return true;
}

static Str folder_above(Str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    return slash > 0 ? str_slice(path, 0, (size_t)slash) : S("/");
}

/* New names in a folder are durable once the folder is. */
static bool sync_folders(Writing *w, Error *err)
{
    Map seen = map_in(w->arena);
    for (size_t i = 0; i < w->placed.len + w->made.len; i++) {
        Str path = i < w->placed.len ? w->placed.at[i] : w->made.at[i - w->placed.len];
        Str folder = folder_above(path);
        if (map_has(&seen, folder))
            continue;
        map_put(&seen, folder, w);
        TRY(folder_sync(folder, err));
    }
    return true;
}

/* ---- the result of COPY ---- */

enum { COPY_FILE, COPY_ROWS, COPY_SIZE, COPY_FOOTER, COPY_STATISTICS, COPY_KEYS, COPY_COLUMNS };

static bool take_files(Writing *w, duckdb_result *result, Error *err);

/* COPY parts neither the files of partitions by size, nor those of dealt or sorted rows: what became too large is written once more. */
static bool is_oversized(const Writing *w, int64_t size)
{
    const WriteSpec *spec = w->spec;
    bool is_whole = spec->partition_count || spec->max_records > 0 || !parts_by_size(w);
    return !w->split_keys && is_whole && !spec->file_count && spec->target_file_bytes > 0 &&
           size > spec->target_file_bytes + spec->target_file_bytes / 2;
}

static bool split_file(Writing *w, Str path, const Value *keys, Error *err)
{
    Buf b = buf_in(w->arena);
    duckdb_result result;
    bool has_result = false;
    buf_addz(&b, "COPY (FROM read_parquet(");
    put_text(&b, path);
    buf_addz(&b, ", hive_partitioning = false)) TO ");
    put_text(&b, str_printf(w->arena, STR_FMT "/split%zu", STR_ARG(w->staging), w->splits++));
    buf_addz(&b, " (");
    put_parquet_options(w, &b);
    buf_addf(&b, ", FILE_SIZE_BYTES %lld, FILENAME_PATTERN 'f{uuid}')",
             (long long)w->spec->target_file_bytes);
    w->split_keys = keys;
    bool ok = run_sql(w->connection, buf_str(&b), w->ctx->cancel, &result, &has_result, err) &&
              take_files(w, &result, err);
    w->split_keys = NULL;
    if (has_result)
        duckdb_destroy_result(&result);
    remove(str_z(path, w->arena));
    return ok;
}

static bool take_file(Writing *w, duckdb_data_chunk chunk, idx_t row, Error *err)
{
    Arena *a = w->arena;
    const Type *text = type_simple(TYPE_STRING);
    const Type *texts = type_map(text, text, true, a);
    Value path, rows, size, columns, keys = {0};
    TRY(vector_cell(duckdb_data_chunk_get_vector(chunk, COPY_FILE), row, text, a, &path, err));
    TRY(vector_cell(duckdb_data_chunk_get_vector(chunk, COPY_ROWS), row, type_simple(TYPE_LONG), a,
                    &rows, err));
    TRY(vector_cell(duckdb_data_chunk_get_vector(chunk, COPY_STATISTICS), row,
                    type_map(text, texts, true, a), a, &columns, err));
    WrittenFile file = {.rows = rows.integer};
    TRY(vector_cell(duckdb_data_chunk_get_vector(chunk, COPY_SIZE), row, type_simple(TYPE_LONG), a,
                    &size, err));
    if (w->split_keys)
        keys = *w->split_keys;
    else if (w->spec->partition_count)
        TRY(vector_cell(duckdb_data_chunk_get_vector(chunk, COPY_KEYS), row, texts, a, &keys, err));
    if (is_oversized(w, size.integer))
        return split_file(w, path.bytes, &keys, err);
    TRY(partition_values(w, &keys, &file, err));
    /* A table gains nothing from a file without rows; elsewhere it carries the schema. */
    if (!file.rows && w->spec->drops_empty)
        return true;
    file.stats = statistics_json(w->spec->schema, w->is_partition, w->spec->stats_columns,
                                 w->spec->stats_leaves, file.rows, &columns, a);
    TRY(place_file(w, path.bytes, &file, w->out->len, err));
    vec_push(a, w->out, file);
    return true;
}

static bool take_files(Writing *w, duckdb_result *result, Error *err)
{
    if (duckdb_column_count(result) != COPY_COLUMNS)
        return error_internal(err, "COPY answered with %llu columns",
                              (unsigned long long)duckdb_column_count(result));
    bool ok = true;
    duckdb_data_chunk chunk;
    while (ok && (chunk = duckdb_fetch_chunk(*result))) {
        for (idx_t i = 0; ok && i < duckdb_data_chunk_get_size(chunk); i++)
            ok = take_file(w, chunk, i, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    return ok;
}

/* Rows that come partition by partition still come to the threads in pieces: a partition is not
 * closed while others are written, or it would get a second file. */
static bool keep_open(Writing *w, bool on, Error *err)
{
    duckdb_result result;
    bool has_result = false;
    if (!w->spec->gathered || !w->spec->partition_count)
        return true;
    bool ok = run_sql(w->connection, on ? S("SET partitioned_write_max_open_files = 500") : S("RESET partitioned_write_max_open_files"),
                      w->ctx->cancel, &result, &has_result, err);
    if (has_result)
        duckdb_destroy_result(&result);
    return ok;
}

static bool write_parquet(void *arg, Error *err)
{
    Writing *w = arg;
    Str sql;
    TRY(copy_statement(w, &sql, err) && keep_open(w, true, err));
    duckdb_result result;
    bool has_result = false;
    bool ok = run_sql(w->connection, sql, w->ctx->cancel, &result, &has_result, err) &&
              take_files(w, &result, err);
    if (has_result)
        duckdb_destroy_result(&result);
    return ok && keep_open(w, false, err) && sync_folders(w, err);
}

/* ---- the face ---- */

static bool start_writing(Writing *w, Error *err)
{
    const WriteSpec *spec = w->spec;
    w->is_partition = ARENA_ARRAY(w->arena, bool, spec->schema->structure.count + 1);
    for (size_t i = 0; i < spec->partition_count; i++)
        w->is_partition[spec->partition_columns[i]] = true;
    if (spec->partition_count && spec->partition_count >= spec->schema->structure.count)
        return error_set(err, ERR_ALL_PARTITION_COLUMNS_NOT_ALLOWED);
    clock_uuid(w->job);
    w->target = joined(w->arena, spec->folder, spec->sub_folder);
    TRY(folder_make(w->target, w->arena, &w->made, err));
    w->staging = str_printf(w->arena, STR_FMT "/.writing-%s", STR_ARG(w->target), w->job);
    return folder_make(w->staging, w->arena, NULL, err);
}

static void undo(Writing *w)
{
    for (size_t i = 0; i < w->placed.len; i++)
        remove(str_z(w->placed.at[i], w->arena));
    for (size_t i = w->made.len; i > 0; i--)
        remove(str_z(w->made.at[i - 1], w->arena));
    w->out->len = 0;
}

static bool write_files(Writing *w, Error *err)
{
    bool ok = start_writing(w, err) && call_with_depth(plan_depth(w->rel), write_parquet, w, err);
    if (w->staging.len)
        folder_sweep(w->staging);
    if (!ok)
        undo(w);
    return ok;
}

bool engine_write(Engine *e, const BoundRel *rel, const WriteSpec *spec, const RunContext *ctx,
                  Arena *arena, WrittenFileVec *out, Error *err)
{
    *out = (WrittenFileVec){0};
    if (str_is_ci(spec->format, "orc"))
        return orc_write(e, rel, spec, ctx, arena, out, err);
    if (!str_is_ci(spec->format, "parquet"))
        return text_write(e, rel, spec, ctx, arena, out, err);
    TRY(cancel_check(ctx->cancel, err));
    if (!spec->schema->structure.count)
        return error_unsupported(err, "Writing rows without columns");
    Writing w = {.engine = e, .rel = rel, .spec = spec, .ctx = ctx, .arena = arena, .out = out};
    w.render = (Render){.func = *ctx->func, .arena = arena, .resources = resources_new(arena),
                        .engine = e, .cancel = ctx->cancel, .threads = true};
    w.render.func.arena = arena;
    TRY(engine_acquire(e, &w.connection, err));
    if (ctx->cancel)
        cancel_attach(ctx->cancel, w.connection);
    bool ok = write_files(&w, err);
    cancel_detach(ctx->cancel, w.connection);
    engine_release(e, w.connection, ok);
    resources_free(w.render.resources);
    return ok || engine_locate(e, rel, ctx, err);
}
