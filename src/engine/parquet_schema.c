/* The Spark schema of Parquet files: the text Spark left in the footer, or the Parquet types as
 * Spark reads them. */
#include "engine/parquet_schema.h"

#include "base/buf.h"
#include "base/map.h"
#include "delta/schema.h"
#include "engine/engine_impl.h"
#include "engine/execution.h"
#include "engine/render.h"
#include "type/coerce.h"

typedef struct Footer {
    duckdb_connection connection;
    const Cancel *cancel;
    Arena *arena;
    Str path;
    Map int96; /* names of INT96 columns: timestamps, though DuckDB shows them without a zone */
} Footer;

/* The first column of all rows as text. */
static bool texts_of(const Footer *f, Str sql, StrVec *out, Error *err)
{
    duckdb_result result;
    bool has_result = false;
    bool ok = run_sql(f->connection, sql, f->cancel, &result, &has_result, err);
    duckdb_data_chunk chunk;
    while (ok && (chunk = duckdb_fetch_chunk(result))) {
        for (idx_t i = 0; ok && i < duckdb_data_chunk_get_size(chunk); i++) {
            Value v;
            ok = vector_cell(duckdb_data_chunk_get_vector(chunk, 0), i, type_simple(TYPE_STRING),
                             f->arena, &v, err);
            if (ok && !v.is_null)
                vec_push(f->arena, out, v.bytes);
        }
        duckdb_destroy_data_chunk(&chunk);
    }
    if (has_result)
        duckdb_destroy_result(&result);
    return ok;
}

static Str about_file(const Footer *f, const char *before, const char *after)
{
    Buf b = buf_in(f->arena);
    buf_addz(&b, before);
    put_paths(&b, &f->path, 1);
    buf_addz(&b, after);
    return buf_str(&b);
}

/* ---- types ---- */

static bool spark_type(const Footer *f, duckdb_logical_type t, Str name, const Type **out,
                       Error *err);

static bool child_type(const Footer *f, duckdb_logical_type child, Str name, const Type **out,
                       Error *err)
{
    bool ok = spark_type(f, child, name, out, err);
    duckdb_destroy_logical_type(&child);
    return ok;
}

static bool spark_struct(const Footer *f, duckdb_logical_type t, const Type **out, Error *err)
{
    idx_t n = duckdb_struct_type_child_count(t);
    Field *fields = ARENA_ARRAY(f->arena, Field, n + 1);
    for (idx_t i = 0; i < n; i++) {
        char *name = duckdb_struct_type_child_name(t, i);
        fields[i] = (Field){str_copy(str_from(name), f->arena), NULL, true, S("")};
        duckdb_free(name);
        TRY(child_type(f, duckdb_struct_type_child_type(t, i), fields[i].name, &fields[i].type,
                       err));
    }
    *out = type_struct(fields, n, f->arena);
    return true;
}

static bool spark_map(const Footer *f, duckdb_logical_type t, const Type **out, Error *err)
{
    const Type *key, *value;
    TRY(child_type(f, duckdb_map_type_key_type(t), S("key"), &key, err));
    TRY(child_type(f, duckdb_map_type_value_type(t), S("value"), &value, err));
    *out = type_map(key, value, true, f->arena);
    return true;
}

static TypeKind plain_kind(const Footer *f, duckdb_type t, Str name)
{
    switch (t) {
    case DUCKDB_TYPE_BOOLEAN:
        return TYPE_BOOLEAN;
    case DUCKDB_TYPE_TINYINT:
        return TYPE_BYTE;
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_SMALLINT:
        return TYPE_SHORT;
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_INTEGER:
        return TYPE_INT;
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_BIGINT:
        return TYPE_LONG;
    case DUCKDB_TYPE_FLOAT:
        return TYPE_FLOAT;
    case DUCKDB_TYPE_DOUBLE:
        return TYPE_DOUBLE;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_ENUM:
    case DUCKDB_TYPE_UUID:
        return TYPE_STRING;
    case DUCKDB_TYPE_BLOB:
        return TYPE_BINARY;
    case DUCKDB_TYPE_VARIANT:
        return TYPE_VARIANT;
    case DUCKDB_TYPE_DATE:
        return TYPE_DATE;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return TYPE_TIMESTAMP;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
        return map_has(&f->int96, name) ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ;
    case DUCKDB_TYPE_TIME:
        return TYPE_TIME;
    default:
        return TYPE_KIND_COUNT;
    }
}

static bool spark_type(const Footer *f, duckdb_logical_type t, Str name, const Type **out,
                       Error *err)
{
    duckdb_type id = duckdb_get_type_id(t);
    if (id == DUCKDB_TYPE_STRUCT)
        return spark_struct(f, t, out, err);
    if (id == DUCKDB_TYPE_MAP)
        return spark_map(f, t, out, err);
    if (id == DUCKDB_TYPE_LIST) {
        const Type *element;
        TRY(child_type(f, duckdb_list_type_child_type(t), S("element"), &element, err));
        *out = type_array(element, true, f->arena);
        return true;
    }
    if (id == DUCKDB_TYPE_DECIMAL) {
        *out = type_decimal(duckdb_decimal_width(t), duckdb_decimal_scale(t), f->arena);
        return true;
    }
    if (id == DUCKDB_TYPE_UBIGINT) {
        *out = type_decimal(20, 0, f->arena);
        return true;
    }
    TypeKind kind = plain_kind(f, id, name);
    if (kind == TYPE_KIND_COUNT)
        return error_set(
            err, ERR_PARQUET_TYPE_NOT_SUPPORTED,
            P("parquetType", str_printf(err->arena, STR_FMT " (%d)", STR_ARG(name), (int)id)));
    *out = type_simple(kind);
    return true;
}

static bool parquet_columns(Footer *f, const Type **out, Error *err)
{
    StrVec names = {0};
    TRY(texts_of(f, about_file(f, "SELECT name FROM parquet_schema(", ") WHERE type = 'INT96'"),
                 &names, err));
    f->int96 = map_in(f->arena);
    for (size_t i = 0; i < names.len; i++)
        map_put(&f->int96, names.at[i], f);
    duckdb_prepared_statement all = NULL;
    Str sql = about_file(f, "SELECT * FROM read_parquet(", ", hive_partitioning = false)");
    bool ok = duckdb_prepare(f->connection, sql.ptr, &all) == DuckDBSuccess ||
              engine_failure(DUCKDB_ERROR_INVALID, duckdb_prepare_error(all), err);
    idx_t n = ok ? duckdb_prepared_statement_column_count(all) : 0;
    Field *fields = ARENA_ARRAY(f->arena, Field, n + 1);
    for (idx_t i = 0; ok && i < n; i++) {
        const char *name = duckdb_prepared_statement_column_name(all, i);
        fields[i] = (Field){str_copy(str_from(name), f->arena), NULL, true, S("")};
        duckdb_free((void *)name);
        ok = child_type(f, duckdb_prepared_statement_column_logical_type(all, i), fields[i].name,
                        &fields[i].type, err);
    }
    duckdb_destroy_prepare(&all);
    *out = ok ? type_struct(fields, n, f->arena) : NULL;
    return ok;
}

static bool file_columns(Footer *f, const Type **out, Error *err)
{
    StrVec texts = {0};
    TRY(texts_of(f,
                 about_file(f, "SELECT decode(value) FROM parquet_kv_metadata(",
                            ") WHERE decode(key) = 'org.apache.spark.sql.parquet.row.metadata'"),
                 &texts, err));
    Error ignored = error_in(f->arena);
    if (texts.len && type_from_json(texts.at[0], f->arena, out, &ignored) &&
        (*out)->kind == TYPE_STRUCT) {
        *out = type_as_nullable(*out, f->arena);
        return true;
    }
    return parquet_columns(f, out, err);
}

/* ---- merging ---- */

bool schema_merge(const Type *a, const Type *b, Arena *arena, const Type **out, Error *err)
{
    Field *fields = ARENA_ARRAY(arena, Field, a->structure.count + b->structure.count + 1);
    size_t n = 0;
    for (size_t i = 0; i < a->structure.count; i++)
        fields[n++] = a->structure.fields[i];
    for (size_t i = 0; i < b->structure.count; i++) {
        const Field *f = &b->structure.fields[i];
        int at = type_field_index(a, f->name, true);
        if (at < 0) {
            fields[n++] = *f;
        } else if (!type_same_shape(fields[at].type, f->type)) {
            const Type *both = coerce_tightest(fields[at].type, f->type, arena);
            if (!both)
                return error_set(err, ERR_CANNOT_MERGE_SCHEMAS, P("left", type_sql(a, err->arena)),
                                 P("right", type_sql(b, err->arena)));
            fields[at].type = both;
        }
    }
    *out = type_struct(fields, n, arena);
    return true;
}

bool parquet_schema_infer(Engine *e, const FileScan *scan, bool merge, const RunContext *ctx,
                          Arena *arena, const Type **out, Error *err)
{
    Footer f = {.arena = arena, .cancel = ctx->cancel};
    TRY(engine_acquire(e, &f.connection, err));
    bool ok = true;
    *out = NULL;
    for (size_t i = 0; ok && i < scan->paths.len && (merge || !i); i++) {
        const Type *one;
        f.path = scan->paths.at[i];
        ok = file_columns(&f, &one, err) && (!*out || schema_merge(*out, one, arena, &one, err));
        if (ok)
            *out = one;
    }
    engine_release(e, f.connection, ok);
    return ok;
}

static void put_ids(const Type *t, Buf *b)
{
    if (t->kind == TYPE_ARRAY)
        put_ids(t->array.element, b);
    if (t->kind == TYPE_MAP) {
        put_ids(t->map.key, b);
        put_ids(t->map.value, b);
    }
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        int64_t id = delta_field_id(f);
        if (id >= 0) {
            buf_addf(b, "%s(%lld, ", b->len ? ", " : "", (long long)id);
            put_text(b, f->name);
            buf_addc(b, ')');
        }
        put_ids(f->type, b);
    }
}

bool parquet_names_fit(Engine *e, const Str *paths, size_t count, const Type *physical,
                       const Cancel *cancel, Arena *arena, bool *fit, Error *err)
{
    Footer f = {.arena = arena, .cancel = cancel};
    Buf ids = buf_in(arena), sql = buf_in(arena);
    StrVec strangers = {0};
    put_ids(physical, &ids);
    *fit = true;
    if (!ids.len || !count)
        return true;
    buf_addz(&sql, "SELECT p.name FROM parquet_schema(");
    put_paths(&sql, paths, count);
    buf_addf(&sql,
             ") p JOIN (VALUES " STR_FMT ") t(id, name) ON p.field_id = t.id "
             "WHERE p.name <> t.name LIMIT 1",
             STR_ARG(buf_str(&ids)));
    TRY(engine_acquire(e, &f.connection, err));
    bool ok = texts_of(&f, buf_str(&sql), &strangers, err);
    engine_release(e, f.connection, ok);
    *fit = !strangers.len;
    return ok;
}
