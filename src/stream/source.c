/* Which sources there are, and what they share. */
#include <stdlib.h>

#include "sql/sql.h"
#include "stream/stream_impl.h"

typedef struct SourceFormat {
    const char *format;
    const SourceKind *kind;
} SourceFormat;

static const SourceFormat FORMATS[] = {
    {"rate", &source_rate},     {"rate-micro-batch", &source_rate_batch},
    {"csv", &source_files},     {"json", &source_files},
    {"text", &source_files},    {"parquet", &source_files},
    {"orc", &source_files},     {"avro", &source_files},
    {"xml", &source_files},     {"binaryfile", &source_files},
    {"delta", &source_delta},
};

const SourceKind *source_kind(Str format)
{
    for (size_t i = 0; i < LENGTH_OF(FORMATS); i++)
        if (str_is(format, FORMATS[i].format))
            return FORMATS[i].kind;
    return NULL;
}

bool source_limit(const StreamSource *s, const char *option, int64_t otherwise, int64_t *out, Error *err)
{
    Str text = key_value_get(&s->read.options, option);
    *out = s->unlimited ? INT64_MAX : otherwise;
    if (!text.len)
        return true;
    int64_t n, unit = 1;
    static const struct { const char *suffix; int shift; } UNITS[] = {{"kb", 10}, {"mb", 20}, {"gb", 30}, {"tb", 40}, {"k", 10},
                                                                      {"m", 20},  {"g", 30},  {"t", 40},  {"b", 0}};
    Str digits = text;
    for (size_t i = 0; i < LENGTH_OF(UNITS); i++) {
        size_t len = strlen(UNITS[i].suffix);
        if (digits.len > len && str_is_ci(str_slice(digits, digits.len - len, digits.len), UNITS[i].suffix)) {
            digits = str_slice(digits, 0, digits.len - len);
            unit = INT64_C(1) << UNITS[i].shift;
            break;
        }
    }
    if (!str_to_i64(str_trim(digits), &n) || n <= 0 || n > INT64_MAX / unit)
        return error_set(err, ERR_LAKESHED_STREAM_OPTION, P("value", text), PZ("option", option), PZ("rule", "must be a positive integer"));
    if (!s->unlimited)
        *out = n * unit;
    return true;
}

bool source_sql(Analyzer *a, Str text, Arena *arena, BoundRel **out, Error *err)
{
    Rel *sql = rel_new(REL_SQL, NULL, arena);
    sql->sql.text = text;
    return analyze_relation(a, sql, out, err);
}
