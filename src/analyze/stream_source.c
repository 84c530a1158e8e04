/* Streaming reads as relations: which sources there are, their options and columns; watermarks and observed metrics above them. */
#include "analyze/analyze_impl.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "engine/file_list.h"
#include "type/datetime.h"

#define WATERMARK_KEY "spark.watermarkDelayMs"

void analyzer_set_streams(Analyzer *a, const StreamHook *hook)
{
    a->streams = hook;
    a->stream_count = 0;
}

bool analyze_relation(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    return analyze_rel(a, rel, out, err);
}

bool stream_interval(Str text, int64_t *us, Error *err)
{
    int32_t months, days;
    int64_t micros;
    if (!interval_calendar_parse(text, &months, &days, &micros))
        return error_set(err, ERR_CANNOT_PARSE_INTERVAL, P("intervalString", str_printf(err->arena, "'" STR_FMT "'", STR_ARG(text))));
    /* Spark counts a month of a delay as 31 days. */
    *us = ((int64_t)months * 31 + days) * US_PER_DAY + micros;
    return true;
}

/* ---- options ---- */

static bool positive_option(const StreamRead *r, const char *key, const char *otherwise, Error *err)
{
    Str text = key_value_get(&r->options, key);
    int64_t n;
    if (!text.len)
        text = str_from(otherwise);
    if (str_to_i64(text, &n) && n > 0)
        return true;
    return error_set(err, ERR_LAKESHED_STREAM_OPTION, P("value", text), PZ("option", key), PZ("rule", "must be positive"));
}

static const Type *rate_schema(Arena *arena)
{
    Field fields[2] = {{.name = S("timestamp"), .type = type_simple(TYPE_TIMESTAMP), .nullable = true},
                       {.name = S("value"), .type = type_simple(TYPE_LONG), .nullable = true}};
    return type_struct(fields, 2, arena);
}

static bool bind_rate(Analyzer *a, StreamRead *r, Error *err)
{
    if (r->schema)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2242, PZ("provider", "RateStreamProvider"));
    r->schema = rate_schema(a->arena);
    return positive_option(r, "rowsPerSecond", "1", err) && positive_option(r, "numPartitions", "1", err);
}

static bool bind_rate_batch(Analyzer *a, StreamRead *r, Error *err)
{
    if (r->schema)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2242, PZ("provider", "RatePerMicroBatchProvider"));
    r->schema = rate_schema(a->arena);
    return positive_option(r, "rowsPerBatch", "0", err) && positive_option(r, "numPartitions", "1", err);
}

static Str plain_path(Str path)
{
    if (str_starts_with(path, S("file:")))
        path = str_slice(path, 5, path.len);
    while (str_starts_with(path, S("//")))
        path = str_slice(path, 1, path.len);
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path = str_slice(path, 0, path.len - 1);
    return path;
}

static bool one_path(StreamRead *r, Arena *arena, Error *err)
{
    Str option = key_value_get(&r->options, "path");
    if (!r->paths.len && option.len)
        vec_push(arena, &r->paths, option);
    if (!r->paths.len)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2047);
    if (r->paths.len > 1)
        return error_set(err, ERR_CONNECT_INVALID_PLAN__MULTIPLE_PATHS_NOT_SUPPORTED_FOR_STREAMING_SOURCE);
    r->paths.at[0] = str_copy(plain_path(r->paths.at[0]), arena);
    return true;
}

static bool path_exists(Str path)
{
    struct stat facts;
    glob_t found;
    if (!strpbrk(path.ptr, "*?[{"))
        return !stat(path.ptr, &facts);
    if (glob(path.ptr, GLOB_BRACE, NULL, &found))
        return false;
    globfree(&found);
    return true;
}

/* PATH_NOT_FOUND comes from the listing. */
static bool remote_exists(Analyzer *a, const StreamRead *r, Error *err)
{
    FileScan scan = {.format = r->format, .paths = r->paths};
    ListedFileVec files = {0};
    return list_files(&scan, LIST_TO_CHOOSE, a->func.zone, a->arena, &files, err);
}

static bool bind_files(Analyzer *a, StreamRead *r, Error *err)
{
    TRY(one_path(r, a->arena, err));
    Str path = r->paths.at[0];
    if (store_is_remote(path))
        TRY(remote_exists(a, r, err));
    else if (!path_exists(path))
        return error_set(err, ERR_PATH_NOT_FOUND, P("path", path));
    r->description = str_printf(a->arena, "FileSource[" STR_FMT "]", STR_ARG(path));
    if (!r->schema && str_is(r->format, "text")) {
        Field value = {.name = S("value"), .type = type_simple(TYPE_STRING), .nullable = true};
        r->schema = type_struct(&value, 1, a->arena);
    }
    bool infers = str_is(r->format, "binaryfile") || session_bool(a->session, "spark.sql.streaming.schemaInference", false);
    if (!r->schema && !infers)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2048);
    if (!r->schema) {
        FileScan scan = {.format = r->format, .paths = r->paths, .options = r->options};
        RunContext run = {.func = &a->func};
        TRY(engine_infer_schema(a->engine, &scan, &run, a->arena, err));
        r->schema = scan.schema;
    }
    r->schema = type_as_nullable(r->schema, a->arena);
    return true;
}

static bool bind_delta(Analyzer *a, StreamRead *r, Error *err)
{
    static const char *const REFUSED[] = {"schemaTrackingLocation", "schemaLocation"};
    for (size_t i = 0; i < LENGTH_OF(REFUSED); i++) {
        Str value = key_value_get(&r->options, REFUSED[i]);
        if (value.len && !str_is_ci(value, "false"))
            return error_unsupported(err, "The option %s of a streaming read of a Delta table", REFUSED[i]);
    }
    TRY(one_path(r, a->arena, err));
    TRY(analyze_reads_changes(&r->options, &r->changes, err));
    Snapshot *newest;
    TRY(open_delta_table(a, r->paths.at[0], &r->table, err));
    TRY(snapshot_newest(r->table, &newest, err));
    if (!r->schema)
        r->schema = type_copy(snapshot_schema(newest), a->arena);
    r->table_schema = r->schema;
    if (r->changes)
        r->schema = analyze_change_schema(r->schema, a->arena);
    snapshot_unref(newest);
    r->description = str_printf(a->arena, "DeltaSource[" STR_FMT "]", STR_ARG(location_uri(r->paths.at[0], a->arena)));
    return true;
}

/* ---- the sources ---- */

typedef struct SourceRow {
    const char *format;
    bool (*bind)(Analyzer *a, StreamRead *r, Error *err);   /* checks options, fills in the columns */
} SourceRow;

static const SourceRow SOURCES[] = {
    {"rate", bind_rate},        {"rate-micro-batch", bind_rate_batch},
    {"text", bind_files},       {"csv", bind_files},
    {"json", bind_files},       {"parquet", bind_files},
    {"orc", bind_files},        {"avro", bind_files},
    {"xml", bind_files},        {"binaryfile", bind_files},
    {"delta", bind_delta},
};

static void push_columns(Analyzer *a, BoundRel *rel, const Type *schema)
{
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        BoundColumn c = new_column(a, f->name, type_char_as_string(f->type, a->arena), f->nullable);
        c.metadata = f->metadata;
        vec_push(a->arena, &rel->columns, c);
    }
}

static bool bind_read(Analyzer *a, StreamRead *r, BoundRel **out, Error *err)
{
    const SourceRow *row = NULL;
    for (size_t i = 0; i < LENGTH_OF(SOURCES); i++)
        if (str_is(r->format, SOURCES[i].format))
            row = &SOURCES[i];
    if (!row)
        return error_set(err, ERR_DATA_SOURCE_NOT_FOUND, P("provider", r->format));
    r->description = r->format;
    TRY(row->bind(a, r, err));
    BoundRel *s = brel_new(BREL_STREAM, NULL, a->arena);
    s->stream.source = r->description;
    size_t number = a->stream_count++;
    if (a->streams)
        TRY(a->streams->rows(a->streams->arg, a, number, r, &s->input, err));
    if (s->input)
        s->columns = s->input->columns;
    else
        push_columns(a, s, r->schema);
    *out = s;
    return true;
}

bool analyze_stream_source(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    StreamRead *r = ARENA_NEW(a->arena, StreamRead);
    bool found = true;
    r->format = rel->source.format;
    if (!r->format.len)
        session_get(a->session, S("spark.sql.sources.default"), a->arena, &found, &r->format);
    r->format = str_lower(r->format, a->arena);
    r->options = rel->source.options;
    for (size_t i = 0; i < rel->source.paths.len; i++)
        vec_push(a->arena, &r->paths, rel->source.paths.at[i]);
    r->schema = rel->source.schema;
    if (!r->schema && rel->source.schema_text.len)
        TRY(type_from_ddl(rel->source.schema_text, a->arena, &r->schema, err));
    return bind_read(a, r, out, err);
}

bool analyze_stream_table(Analyzer *a, const TableEntry *entry, const KeyValueVec *options, BoundRel **out, Error *err)
{
    StreamRead *r = ARENA_NEW(a->arena, StreamRead);
    r->format = str_lower(entry->provider, a->arena);
    vec_push(a->arena, &r->paths, entry->location);
    for (size_t i = 0; i < options->len; i++)
        vec_push(a->arena, &r->options, options->at[i]);
    for (size_t i = 0; i < entry->properties.len; i++)
        if (str_istarts_with(entry->properties.at[i].key, S("option."))) {
            Str key = entry->properties.at[i].key;
            KeyValue kv = {str_slice(key, 7, key.len), entry->properties.at[i].value, NULL};
            vec_push(a->arena, &r->options, kv);
        }
    if (entry->schema_json.len && !str_is(r->format, "delta"))
        TRY(type_from_json(entry->schema_json, a->arena, &r->schema, err));
    return bind_read(a, r, out, err);
}

/* ---- watermarks ---- */

int64_t stream_watermark_delay(const BoundColumn *column)
{
    ptrdiff_t at = str_find(column->metadata, S("\"" WATERMARK_KEY "\":"));
    long long ms;
    if (at < 0)
        return -1;
    char digits[24];
    Str rest = str_slice(column->metadata, (size_t)at + sizeof WATERMARK_KEY + 2, column->metadata.len);
    snprintf(digits, sizeof digits, STR_FMT, STR_ARG(rest));
    return sscanf(digits, "%lld", &ms) == 1 ? ms * 1000 : -1;
}

/* The column's metadata with the delay in it, as Spark marks such columns. */
static Str with_delay(Str metadata, int64_t delay_us, Arena *arena)
{
    Str own = str_printf(arena, "\"" WATERMARK_KEY "\":%lld", (long long)(delay_us / 1000));
    Str rest = str_trim(metadata);
    if (rest.len <= 2)
        return str_printf(arena, "{" STR_FMT "}", STR_ARG(own));
    return str_printf(arena, "{" STR_FMT "," STR_FMT, STR_ARG(own), STR_ARG(str_slice(rest, 1, rest.len)));
}

bool analyze_watermark(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    int64_t delay;
    TRY(analyze_rel(a, rel->input, &input, err));
    TRY(stream_interval(rel->watermark.delay, &delay, err));
    if (delay < 0)
        return error_set(err, ERR_LAKESHED_REQUIREMENT,
                         P("reason", str_printf(err->arena, "delay threshold (" STR_FMT ") should not be negative.", STR_ARG(rel->watermark.delay))));
    Scope scope = scope_of(a, input);
    Name name;
    TRY(name_parse(rel->watermark.column, a->arena, &name, err));
    Expr *e = expr_new(EXPR_COLUMN, a->arena);
    e->column.name = name;
    e->column.plan_id = -1;
    BoundExpr *column;
    TRY(bind_expr(a, e, &scope, &column, err));
    if (column->kind != BEXPR_COLUMN)
        return error_set(err, ERR_EVENT_TIME_MUST_BE_TOP_LEVEL_COLUMN, P("eventExpr", name_quoted(&name, a->arena)));
    bool window = column->type->kind == TYPE_STRUCT && type_field_index(column->type, S("end"), false) >= 0;
    if (column->type->kind != TYPE_TIMESTAMP && column->type->kind != TYPE_TIMESTAMP_NTZ && !window)
        return error_set(err, ERR_EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE, P("eventName", name_quoted(&name, a->arena)),
                         P("eventType", str_printf(err->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(column->type, err->arena)))));
    *out = input;
    if (!brel_is_streaming(input))
        return true;
    BoundRel *m = brel_new(BREL_MARK, input, a->arena);
    m->mark.event_time = column->column.id;
    m->mark.delay_us = delay;
    for (size_t i = 0; i < input->columns.len; i++) {
        BoundColumn c = input->columns.at[i];
        if (c.id == column->column.id)
            c.metadata = with_delay(c.metadata, delay, a->arena);
        vec_push(a->arena, &m->columns, c);
    }
    *out = m;
    return true;
}

/* ---- observed metrics ---- */

/* Batch queries compute metrics next to the main query (query/observe.c); a streaming one needs them of every batch's rows. */
bool analyze_observe(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    size_t first = a->stream_count;
    TRY(analyze_rel(a, rel->input, out, err));
    if (!brel_is_streaming(*out))
        return true;
    BoundRel *m = brel_new(BREL_MARK, *out, a->arena);
    m->columns = (*out)->columns;
    m->mark.name = rel->collect_metrics.name;
    Rel *aggregate = rel_new(REL_AGGREGATE, rel->input, a->arena);
    aggregate->aggregate.group = GROUP_BY;
    aggregate->aggregate.items = rel->collect_metrics.metrics;
    aggregate->aggregate.keys_in_output = true;
    /* The same reads once more: they keep their numbers. */
    a->stream_count = first;
    TRY(analyze_rel(a, aggregate, &m->mark.metrics, err));
    *out = m;
    return true;
}
