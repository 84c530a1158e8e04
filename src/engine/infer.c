/* What spark.read is told to read: which files there are, what their folders say, which columns
 * they hold. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "delta/partition.h"
#include "engine/file_list.h"
#include "engine/file_source_impl.h"
#include "engine/orc.h"
#include "engine/parquet_schema.h"
#include "type/coerce.h"

/* ---- hive columns ---- */

typedef struct Hive {
    StrVec names;
    VEC(StrVec) values; /* per file, in the order of names */
} Hive;

/* name=value parts of a file's folder below the base; parts that are none end the list from the
 * left. */
static void hive_parts(Str folder, Arena *arena, StrVec *names, StrVec *values)
{
    while (folder.len) {
        ptrdiff_t slash = str_find_char(folder, '/');
        Str part = slash < 0 ? folder : str_slice(folder, 0, (size_t)slash);
        folder = slash < 0 ? S("") : str_slice(folder, (size_t)slash + 1, folder.len);
        ptrdiff_t equals = str_find_char(part, '=');
        if (equals > 0) {
            vec_push(arena, names, path_hive_unescape(str_slice(part, 0, (size_t)equals), arena));
            vec_push(arena, values,
                     path_hive_unescape(str_slice(part, (size_t)equals + 1, part.len), arena));
        } else if (part.len) {
            names->len = values->len = 0;
        }
    }
}

static bool same_list(const StrVec *a, const StrVec *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!str_ieq(a->at[i], b->at[i]))
            return false;
    return true;
}

static bool discover_hive(const ListedFileVec *files, Arena *arena, Hive *out, Error *err)
{
    for (size_t i = 0; i < files->len; i++) {
        StrVec names = {0}, values = {0};
        hive_parts(files->at[i].folder, arena, &names, &values);
        if (!i)
            out->names = names;
        if (!same_list(&names, &out->names)) {
            if (names.len && out->names.len)
                return error_set(err, ERR_CONFLICTING_PARTITION_COLUMN_NAMES,
                                 P("distinctPartColLists", names.at[0]),
                                 P("suspiciousPaths", files->at[i].path));
            /* Files beside partition folders: none of it counts as partitions. */
            out->names.len = 0;
            return true;
        }
        vec_push(arena, &out->values, values);
    }
    return true;
}

/* Int, Long, Decimal, Double, Date, Timestamp, String: the first that takes the text
 * (PartitioningUtils). */
static const Type *hive_type(Str text, const FileOptions *o, Arena *arena)
{
    int64_t n;
    double d;
    if (str_is(text, "__HIVE_DEFAULT_PARTITION__"))
        return type_simple(TYPE_NULL);
    if (str_to_i64(text, &n))
        return type_simple(n == (int32_t)n ? TYPE_INT : TYPE_LONG);
    bool digits = text.len > 0 && text.len <= DECIMAL_MAX_PRECISION;
    for (size_t i = 0; i < text.len; i++)
        digits = digits && text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (digits)
        return type_decimal((int)text.len, 0, arena);
    if (csv_parse_real(text, o, &d) && str_find_char(text, 'N') < 0)
        return type_simple(TYPE_DOUBLE);
    if (text.len == 10 && file_parse_date(text, o, &n))
        return type_simple(TYPE_DATE);
    if (text.len > 10 && file_parse_timestamp(text, o, false, &n))
        return type_simple(TYPE_TIMESTAMP);
    return type_simple(TYPE_STRING);
}

static const Type *hive_column_type(const Hive *h, size_t column, const FileOptions *o,
                                    Arena *arena)
{
    const Type *type = type_simple(TYPE_NULL);
    for (size_t i = 0; i < h->values.len; i++) {
        const Type *next = hive_type(h->values.at[i].at[column], o, arena);
        const Type *both = next->kind == TYPE_NULL   ? type
                           : type->kind == TYPE_NULL ? next
                                                     : coerce_tightest(type, next, arena);
        type = both ? both : type_simple(TYPE_STRING);
    }
    return type->kind == TYPE_NULL ? type_simple(TYPE_STRING) : type;
}

/* ---- the schema ---- */

static bool data_schema(Engine *e, FileScan *scan, const RunContext *ctx, const FileOptions *o,
                        Arena *arena, const Type **out, Error *err)
{
    if (str_is_ci(scan->format, "text") || str_is_ci(scan->format, "xml")) {
        Field value = {S_INIT("value"), type_simple(TYPE_STRING), true, S_INIT("")};
        *out = type_struct(&value, 1, arena);
        return true;
    }
    if (!scan->paths.len)
        return error_set(err, ERR_UNABLE_TO_INFER_SCHEMA, P("format", scan->format));
    if (str_is_ci(scan->format, "json"))
        return json_infer(scan, o, arena, out, err);
    if (str_is_ci(scan->format, "avro"))
        return avro_infer(scan, arena, out, err);
    if (str_is_ci(scan->format, "csv"))
        return csv_infer(scan, o, file_option_bool(&scan->options, "inferSchema", false), arena,
                         out, err);
    bool merge = file_option_bool(&scan->options, "mergeSchema", false);
    return str_is_ci(scan->format, "orc") ? orc_infer(e, scan, merge, ctx, arena, out, err)
                                          : parquet_schema_infer(e, scan, merge, ctx, arena, out, err);
}

static bool is_hive_name(const Hive *h, Str name)
{
    for (size_t i = 0; i < h->names.len; i++)
        if (str_ieq(h->names.at[i], name))
            return true;
    return false;
}

/* Data columns, then the hive columns with the types the user gave or their values suggest. */
static void whole_schema(FileScan *scan, const Type *data, const Type *given, const Hive *h,
                         const FileOptions *o, Arena *arena)
{
    Field *fields = ARENA_ARRAY(arena, Field, data->structure.count + h->names.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < data->structure.count; i++)
        if (!is_hive_name(h, data->structure.fields[i].name))
            fields[n++] = data->structure.fields[i];
    for (size_t i = 0; i < h->names.len; i++) {
        int at = given ? type_field_index(given, h->names.at[i], false) : -1;
        if (at >= 0)
            fields[n++] = given->structure.fields[at];
        else
            fields[n++] = (Field){h->names.at[i], hive_column_type(h, i, o, arena), true, S("")};
    }
    scan->schema = type_struct(fields, n, arena);
    scan->partition_count = h->names.len;
}

/* Text files have one column of text beside those of their folders. */
static bool check_text(const FileScan *scan, const Type *data, const Hive *h, Error *err)
{
    size_t own = 0;
    for (size_t i = 0; str_is_ci(scan->format, "text") && i < data->structure.count; i++) {
        const Field *f = &data->structure.fields[i];
        if (is_hive_name(h, f->name))
            continue;
        own++;
        if (!type_is_stringy(f->type))
            return error_set(err, ERR_UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE, PZ("format", "Text"),
                             P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(f->name))),
                             P("columnType", str_printf(err->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(f->type, err->arena)))));
    }
    return own < 2 || error_set(err, ERR__LEGACY_ERROR_TEMP_1290,
                                P("schemaSize", str_printf(err->arena, "%zu", own)));
}

static bool check_names(const FileScan *scan, const Type *data, const FuncContext *func, Error *err)
{
    bool json = str_is_ci(scan->format, "json"), csv = str_is_ci(scan->format, "csv");
    for (size_t i = 0; (json || csv) && i < data->structure.count; i++) {
        const Field *f = &data->structure.fields[i];
        if (type_contains(f->type, TYPE_VARIANT))
            return error_unsupported(err, "Reading VARIANT from files of the format " STR_FMT, STR_ARG(scan->format));
        for (size_t k = 0; json && scan->schema_inferred && !func->case_sensitive && k < i; k++)
            if (str_ieq(data->structure.fields[k].name, f->name))
                return error_set(err, ERR_COLUMN_ALREADY_EXISTS,
                                 P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(str_lower(f->name, err->arena)))));
    }
    return true;
}

bool engine_infer_schema(Engine *e, FileScan *scan, const RunContext *ctx, Arena *arena, Error *err)
{
    if (!file_format_is_read(scan->format))
        return error_unsupported(err, "Reading files of the format " STR_FMT,
                                 STR_ARG(scan->format));
    FileOptions options;
    TRY(file_options_read(scan, ctx->func, arena, &options, err));
    ListedFileVec files = {0};
    bool recursive = file_option_bool(&scan->options, "recursiveFileLookup", false);
    TRY(list_files(scan, LIST_TO_READ, ctx->func->zone, arena, &files, err));
    sort_by_size(&files, arena);
    Hive hive = {0};
    if (!recursive)
        TRY(discover_hive(&files, arena, &hive, err));
    scan->paths = (StrVec){0};
    scan->partition_values.len = 0;
    for (size_t i = 0; i < files.len; i++) {
        /* Without partitions only the files right in the named folders count. */
        if (!hive.names.len && !recursive && files.at[i].folder.len)
            continue;
        vec_push(arena, &scan->paths, files.at[i].path);
        if (hive.names.len)
            vec_push(arena, &scan->partition_values, hive.values.at[i]);
    }
    const Type *data = scan->schema;
    scan->schema_inferred = !data;
    if (!data)
        TRY(data_schema(e, scan, ctx, &options, arena, &data, err));
    TRY(check_text(scan, data, &hive, err) && check_names(scan, data, ctx->func, err));
    whole_schema(scan, data, scan->schema, &hive, &options, arena);
    return true;
}
