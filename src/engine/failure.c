/* DuckDB's errors as Spark's classes: our own texts carry the class with them, the rest is read off
 * DuckDB's words. */
#include <stdio.h>
#include <string.h>

#include "engine/engine_impl.h"

/* DuckDB's name of a type in its messages, Spark's name, and how Spark words an overflow of it. */
typedef struct TypeWord {
    const char *duckdb, *spark, *overflow, *suffix;
} TypeWord;
static const TypeWord type_words[] = {
    {"INT8", "TINYINT", "byte overflow", "Y"},
    {"INT16", "SMALLINT", "short overflow", "S"},
    {"INT32", "INT", "integer overflow", ""},
    {"INT64", "BIGINT", "long overflow", "L"},
    {"FLOAT", "FLOAT", "", "F"},
    {"DOUBLE", "DOUBLE", "", "D"},
    {"BOOL", "BOOLEAN", "", ""},
    {"VARCHAR", "STRING", "", ""},
    {"DATE", "DATE", "", ""},
    {"TIMESTAMP", "TIMESTAMP", "", ""},
    {"INT128", "DECIMAL(38,0)", "decimal overflow", "BD"},
};

static const TypeWord *type_word(Str name)
{
    for (size_t i = 0; i < LENGTH_OF(type_words); i++)
        if (str_is(name, type_words[i].duckdb))
            return &type_words[i];
    return NULL;
}

/* The text between two marks; empty when either is missing. */
static Str between(Str text, const char *from, const char *to)
{
    ptrdiff_t start = str_find(text, str_from(from));
    if (start < 0)
        return S("");
    Str rest = str_slice(text, (size_t)start + strlen(from), text.len);
    ptrdiff_t end = to[0] ? str_find(rest, str_from(to)) : (ptrdiff_t)rest.len;
    return end < 0 ? S("") : str_slice(rest, 0, (size_t)end);
}

/* A word of letters and digits at the start. */
static Str first_word(Str text)
{
    size_t n = 0;
    while (n < text.len && (text.ptr[n] == '_' || (text.ptr[n] >= '0' && text.ptr[n] <= '9') ||
                            (text.ptr[n] >= 'A' && text.ptr[n] <= 'Z')))
        n++;
    return str_slice(text, 0, n);
}

static bool overflow_failure(Str text, Error *err)
{
    static const struct {
        const char *word, *try_function;
    } operations[] = {{"addition", "try_add"},
                      {"subtraction", "try_subtract"},
                      {"multiplication", "try_multiply"}};
    Str alternative = S("");
    for (size_t i = 0; i < LENGTH_OF(operations); i++)
        if (str_find(text, str_from(operations[i].word)) >= 0)
            alternative =
                str_printf(err->arena, " Use '%s' to tolerate overflow and return NULL instead.",
                           operations[i].try_function);
    Str detail = between(text, "Overflow in ", "");
    const TypeWord *type = type_word(first_word(between(detail, " of ", "")));
    const char *message = type && type->overflow[0] ? type->overflow : "arithmetic overflow";
    return error_set(err, ERR_ARITHMETIC_OVERFLOW, PZ("message", message),
                     P("alternative", alternative), PZ("config", "\"spark.sql.ansi.enabled\""));
}

static Str quoted_type(const TypeWord *type, Str otherwise, Arena *arena)
{
    return type ? str_printf(arena, "\"%s\"", type->spark)
                : str_printf(arena, "\"" STR_FMT "\"", STR_ARG(otherwise));
}

static bool conversion_failure(Str text, Error *err)
{
    Arena *a = err->arena;
    Str value = between(text, "Could not convert string '", "' to ");
    Str target = first_word(between(text, "' to ", ""));
    if (target.len)
        return error_set(err, ERR_CAST_INVALID_INPUT,
                         P("expression", str_printf(a, "'" STR_FMT "'", STR_ARG(value))),
                         PZ("sourceType", "\"STRING\""), PZ("ansiConfig", "\"spark.sql.ansi.enabled\""),
                         P("targetType", quoted_type(type_word(target), target, a)));
    Str source = first_word(between(text, "Type ", ""));
    value = between(text, " with value ", " can't be cast");
    target = first_word(between(text, "destination type ", ""));
    if (source.len && value.len && target.len) {
        const TypeWord *from = type_word(source);
        return error_set(
            err, ERR_CAST_OVERFLOW,
            P("value", str_printf(a, STR_FMT "%s", STR_ARG(value), from ? from->suffix : "")),
            P("sourceType", quoted_type(from, source, a)),
            P("targetType", quoted_type(type_word(target), target, a)));
    }
    Str decimal = between(text, "to type ", " failed");
    if (decimal.len && str_find(text, S("out of range")) >= 0)
        return error_set(err, ERR_CAST_OVERFLOW,
                         P("value", between(text, "Casting value \"", "\"")),
                         PZ("sourceType", "\"DECIMAL\""),
                         P("targetType", str_printf(a, "\"" STR_FMT "\"", STR_ARG(decimal))));
    if (decimal.len)
        return error_set(err, ERR_CAST_INVALID_INPUT,
                         P("expression", str_printf(a, "'" STR_FMT "'",
                                                    STR_ARG(between(text, "string \"", "\"")))),
                         PZ("sourceType", "\"STRING\""), PZ("ansiConfig", "\"spark.sql.ansi.enabled\""),
                         P("targetType", str_printf(a, "\"" STR_FMT "\"", STR_ARG(decimal))));
    return error_internal(err, STR_FMT, STR_ARG(text));
}

static Str file_uri(Str path, Arena *arena)
{
    Str remote;
    if (store_remote_uri(path, arena, &remote))
        return remote;
    return str_starts_with(path, S("/")) ? str_concat(arena, S("file://"), path) : path;
}

static bool file_failure(Str text, Error *err)
{
    Str missing = between(text, "match the pattern \"", "\"");
    if (!missing.len)
        missing = between(text, "Cannot open file \"", "\"");
    if (missing.len)
        return error_set(err, ERR_FAILED_READ_FILE__FILE_NOT_EXIST,
                         P("path", file_uri(missing, err->arena)));
    Str broken = between(text, "No magic bytes found at end of file '", "'");
    if (!broken.len && str_find(text, S("too small to be a Parquet file")) >= 0)
        broken = between(text, "File '", "'");
    if (!broken.len && str_find(text, S("arquet")) >= 0)
        broken = between(text, "file '", "'");
    if (!broken.len && str_find(text, S("arquet")) >= 0)
        broken = between(text, "file \"", "\"");
    if (broken.len)
        return error_set(err, ERR_FAILED_READ_FILE__CANNOT_READ_FILE_FOOTER,
                         P("path", file_uri(broken, err->arena)));
    /* The rest of what a damaged Parquet file makes DuckDB say; which file it was it does not tell. */
    static const char *const damages[] = {"arquet",     "don't know what type", "TProtocolException", "hrift",
                                          "decompress", "nappy",                "Out of buffer",      "RLE"};
    for (size_t i = 0; i < LENGTH_OF(damages); i++)
        if (str_find(text, str_from(damages[i])) >= 0)
            return error_set(err, ERR_FAILED_READ_FILE__NO_HINT,
                             P("path", str_printf(err->arena, "of this query (" STR_FMT ")", STR_ARG(text))));
    return error_internal(err, STR_FMT, STR_ARG(text));
}

static bool says(Str text, const char *words) { return str_find(text, str_from(words)) >= 0; }

static bool map_failure(Str text, Error *err)
{
    if (says(text, "does not align with the map value list"))
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2128);
    if (says(text, "Map keys can not be NULL"))
        return error_set(err, ERR_NULL_MAP_KEY);
    return error_set(err, ERR_DUPLICATED_MAP_KEY, PZ("key", "?"),
                     PZ("mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\""));
}

static bool vector_failure(Str text, Error *err)
{
    Str function = between(text, "list_", ":");
    return error_set(
        err, ERR_VECTOR_DIMENSION_MISMATCH,
        P("functionName", str_printf(err->arena, "`vector_" STR_FMT "`", STR_ARG(function))),
        P("leftDim", between(text, "left length '", "'")),
        P("rightDim", between(text, "right length '", "'")));
}

/* Percentages in arrays are seen by DuckDB alone. */
static bool quantile_failure(Str text, Error *err)
{
    if (says(text, "NULL"))
        return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_NULL, PZ("sqlExpr", "\"percentile\""),
                         PZ("exprName", "percentage"));
    return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE,
                     PZ("sqlExpr", "\"percentile\""), PZ("exprName", "percentage"),
                     PZ("valueRange", "[0.0, 1.0]"), PZ("currentValue", "?"));
}

/* A full disk, a folder without permission: DuckDB names the file and the system's reason. */
static bool io_failure(Str text, Error *err)
{
    Str path = between(text, "file \"", "\"");
    Str reason = between(text, "\": ", "");
    if (!path.len)
        return file_failure(text, err);
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), P("reason", reason.len ? reason : text));
}

bool engine_failure(duckdb_error_type type, const char *message, Error *err)
{
    Str text = str_from(message ? message : "DuckDB failed without a reason");
    ptrdiff_t line = str_find(text, S("\n\nLINE "));
    if (line >= 0)
        text = str_slice(text, 0, (size_t)line);
    Error own = error_in(err->arena);
    if (says(text, "[") && (error_set_from_text(&own, text), own.cls != ERR_INTERNAL_ERROR)) {
        *err = own;
        return false;
    }
    if (type == DUCKDB_ERROR_INTERRUPT || says(text, "INTERRUPT Error"))
        return error_set(err, ERR_OPERATION_CANCELED);
    if (says(text, "More than one row returned by a subquery"))
        return error_set(err, ERR_SCALAR_SUBQUERY_TOO_MANY_ROWS);
    if (says(text, "Overflow in "))
        return overflow_failure(text, err);
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY || says(text, "Out of Memory Error"))
        return error_set(err, ERR_UNABLE_TO_ACQUIRE_MEMORY,
                         P("requestedBytes", between(text, "allocate data of size ", " (")),
                         P("receivedBytes", S("0")));
    if (says(text, "Map keys ") || says(text, "map key list"))
        return map_failure(text, err);
    if (says(text, "The key array and value array of MapData"))
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2128);
    if (says(text, "list dimensions must be equal"))
        return vector_failure(text, err);
    if (says(text, "QUANTILE "))
        return quantile_failure(text, err);
    if (says(text, "In a DISTINCT aggregate"))
        return error_set(err, ERR_INVALID_WITHIN_GROUP_EXPRESSION__MISMATCH_WITH_DISTINCT_INPUT,
                         PZ("funcName", "`listagg`"), PZ("funcArg", "the aggregated column"),
                         PZ("orderingExpr", "the ordering"));
    if (says(text, "cannot contain window functions") || says(text, "cannot contain aggregates") ||
        says(text, "must appear in the GROUP BY clause"))
        return error_set(err, ERR_UNSUPPORTED_EXPR_FOR_OPERATOR,
                         PZ("invalidExprSqls", "an aggregate or a window where neither can be"));
    if (says(text, "Binder Error: LATERAL join"))
        return error_unsupported(err, "What the engine refuses: " STR_FMT, STR_ARG(text));
    if (says(text, "Table function must return at least one column"))
        return error_unsupported(err, "Reading files without columns");
    if (says(text, "pack nothing into a struct"))
        return error_unsupported(err, "A struct without fields here");
    if (type == DUCKDB_ERROR_NOT_IMPLEMENTED || says(text, "Not implemented Error"))
        return error_unsupported(err, "What the engine refuses: " STR_FMT, STR_ARG(text));
    if (says(text, "No space left on device") || says(text, "Permission denied") || says(text, "Read-only file system"))
        return io_failure(text, err);
    if (type == DUCKDB_ERROR_CONVERSION || says(text, "Conversion Error"))
        return conversion_failure(text, err);
    if (type == DUCKDB_ERROR_OUT_OF_RANGE || says(text, "Out of Range Error"))
        return overflow_failure(text, err);
    return file_failure(text, err);
}

bool engine_result_failure(duckdb_result *result, Error *err)
{
    return engine_failure(duckdb_result_error_type(result), duckdb_result_error(result), err);
}
