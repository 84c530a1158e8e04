/* DESCRIBE HISTORY and DESCRIBE DETAIL: the log's own story as rows, laid out as Delta 4.4 answers. */
#include <stdlib.h>

#include "analyze/analyze_impl.h"
#include "base/json.h"

static const Type *text_type(void)
{
    return type_simple(TYPE_STRING);
}

static const Type *text_struct(Analyzer *a, size_t count, const char *const *names)
{
    Field *fields = ARENA_ARRAY(a->arena, Field, count);
    for (size_t i = 0; i < count; i++)
        fields[i] = (Field){str_from(names[i]), text_type(), true, {0}};
    return type_struct(fields, count, a->arena);
}

static Value text_value(Str s)
{
    return s.len ? value_string(s) : value_null(text_type());
}

static Value timestamp_value(int64_t ms)
{
    return value_int(TYPE_TIMESTAMP, ms * 1000);
}

/* Keys to texts; JSON strings are shown by their content. */
static Value map_value(Analyzer *a, const Type *type, const PropertyVec *list, bool json)
{
    Value v = value_null(type);
    v.is_null = false;
    v.map.keys = ARENA_ARRAY(a->arena, Value, list->len + 1);
    v.map.values = ARENA_ARRAY(a->arena, Value, list->len + 1);
    v.map.count = list->len;
    for (size_t i = 0; i < list->len; i++) {
        const Property *p = &list->at[i];
        bool null = p->is_null || (json && str_is(p->value, "null"));
        v.map.keys[i] = value_string(p->key);
        v.map.values[i] = null ? value_null(text_type()) : value_string(json ? commit_parameter_text(p->value, a->arena) : p->value);
    }
    return v;
}

static Value list_value(Analyzer *a, const Type *type, const Str *items, size_t count)
{
    Value v = value_null(type);
    v.is_null = false;
    v.list.items = ARENA_ARRAY(a->arena, Value, count + 1);
    v.list.count = count;
    for (size_t i = 0; i < count; i++)
        v.list.items[i] = value_string(items[i]);
    return v;
}

/* ---- history ---- */

enum {
    H_VERSION, H_TIMESTAMP, H_USER_ID, H_USER_NAME, H_OPERATION, H_PARAMETERS, H_JOB, H_NOTEBOOK, H_CLUSTER, H_READ_VERSION,
    H_ISOLATION, H_BLIND, H_METRICS, H_USER_METADATA, H_ENGINE, H_COUNT
};

static const Type *history_schema(Analyzer *a)
{
    static const char *const JOB[] = {"jobId", "jobName", "jobRunId", "runId", "jobOwnerId", "triggerType"};
    static const char *const NOTEBOOK[] = {"notebookId"};
    const Type *texts = type_map(text_type(), text_type(), true, a->arena);
    const Field fields[H_COUNT] = {
        [H_VERSION] = {S("version"), type_simple(TYPE_LONG), true, {0}},
        [H_TIMESTAMP] = {S("timestamp"), type_simple(TYPE_TIMESTAMP), true, {0}},
        [H_USER_ID] = {S("userId"), text_type(), true, {0}},
        [H_USER_NAME] = {S("userName"), text_type(), true, {0}},
        [H_OPERATION] = {S("operation"), text_type(), true, {0}},
        [H_PARAMETERS] = {S("operationParameters"), texts, true, {0}},
        [H_JOB] = {S("job"), text_struct(a, LENGTH_OF(JOB), JOB), true, {0}},
        [H_NOTEBOOK] = {S("notebook"), text_struct(a, LENGTH_OF(NOTEBOOK), NOTEBOOK), true, {0}},
        [H_CLUSTER] = {S("clusterId"), text_type(), true, {0}},
        [H_READ_VERSION] = {S("readVersion"), type_simple(TYPE_LONG), true, {0}},
        [H_ISOLATION] = {S("isolationLevel"), text_type(), true, {0}},
        [H_BLIND] = {S("isBlindAppend"), type_simple(TYPE_BOOLEAN), true, {0}},
        [H_METRICS] = {S("operationMetrics"), texts, true, {0}},
        [H_USER_METADATA] = {S("userMetadata"), text_type(), true, {0}},
        [H_ENGINE] = {S("engineInfo"), text_type(), true, {0}},
    };
    return type_struct(fields, H_COUNT, a->arena);
}

static Row history_row(Analyzer *a, const Type *schema, const CommitActions *c)
{
    Row row = {ARENA_ARRAY(a->arena, Value, H_COUNT)};
    for (size_t i = 0; i < H_COUNT; i++)
        row.cells[i] = value_null(schema->structure.fields[i].type);
    row.cells[H_VERSION] = value_int(TYPE_LONG, c->version);
    row.cells[H_TIMESTAMP] = timestamp_value(c->timestamp_ms);
    const CommitInfo *info = c->info;
    if (!info)
        return row;
    row.cells[H_USER_ID] = text_value(info->user_id);
    row.cells[H_USER_NAME] = text_value(info->user_name);
    row.cells[H_OPERATION] = text_value(info->operation);
    row.cells[H_PARAMETERS] = map_value(a, schema->structure.fields[H_PARAMETERS].type, &info->operation_parameters, true);
    if (info->read_version >= 0)
        row.cells[H_READ_VERSION] = value_int(TYPE_LONG, info->read_version);
    row.cells[H_ISOLATION] = text_value(info->isolation_level);
    if (info->has_blind_append)
        row.cells[H_BLIND] = value_bool(info->is_blind_append);
    row.cells[H_METRICS] = map_value(a, schema->structure.fields[H_METRICS].type, &info->operation_metrics, true);
    row.cells[H_USER_METADATA] = text_value(info->user_metadata);
    row.cells[H_ENGINE] = text_value(info->engine_info);
    return row;
}

bool analyze_delta_history(Analyzer *a, Str location, int64_t limit, BoundRel **out, Error *err)
{
    DeltaTable *table;
    CommitActionsVec commits = {0};
    const Type *schema = history_schema(a);
    RowVec rows = {0};
    TRY(catalog_delta_table(session_catalog(a->session), location, &table, err));
    bool ok = delta_history(table, limit, a->arena, &commits, err);
    delta_table_unref(table);
    TRY(ok);
    for (size_t i = 0; i < commits.len; i++)
        vec_push(a->arena, &rows, history_row(a, schema, &commits.at[i]));
    *out = rel_of_values(a, schema, &rows);
    return true;
}

/* ---- detail ---- */

enum {
    D_FORMAT, D_ID, D_NAME, D_DESCRIPTION, D_LOCATION, D_CREATED, D_MODIFIED, D_PARTITIONS, D_CLUSTERING, D_FILES, D_SIZE,
    D_PROPERTIES, D_READER, D_WRITER, D_FEATURES, D_COUNT
};

static const Type *detail_schema(Analyzer *a)
{
    const Type *texts = type_array(text_type(), true, a->arena);
    const Field fields[D_COUNT] = {
        [D_FORMAT] = {S("format"), text_type(), true, {0}},
        [D_ID] = {S("id"), text_type(), true, {0}},
        [D_NAME] = {S("name"), text_type(), true, {0}},
        [D_DESCRIPTION] = {S("description"), text_type(), true, {0}},
        [D_LOCATION] = {S("location"), text_type(), true, {0}},
        [D_CREATED] = {S("createdAt"), type_simple(TYPE_TIMESTAMP), true, {0}},
        [D_MODIFIED] = {S("lastModified"), type_simple(TYPE_TIMESTAMP), true, {0}},
        [D_PARTITIONS] = {S("partitionColumns"), texts, true, {0}},
        [D_CLUSTERING] = {S("clusteringColumns"), texts, true, {0}},
        [D_FILES] = {S("numFiles"), type_simple(TYPE_LONG), true, {0}},
        [D_SIZE] = {S("sizeInBytes"), type_simple(TYPE_LONG), true, {0}},
        [D_PROPERTIES] = {S("properties"), type_map(text_type(), text_type(), true, a->arena), true, {0}},
        [D_READER] = {S("minReaderVersion"), type_simple(TYPE_INT), true, {0}},
        [D_WRITER] = {S("minWriterVersion"), type_simple(TYPE_INT), true, {0}},
        [D_FEATURES] = {S("tableFeatures"), texts, true, {0}},
    };
    return type_struct(fields, D_COUNT, a->arena);
}

/* The domain lists physical paths: {"clusteringColumns":[["a"],["s","x"]]}. */
bool analyze_clustering(Analyzer *a, const Snapshot *s, StrVec *out, Error *err)
{
    Str text = snapshot_domain(s, S("delta.clustering"));
    yyjson_val *root, *path, *part;
    if (!text.len)
        return true;
    TRY(json_parse(text, S("delta.clustering"), a->arena, &root, err));
    yyjson_arr_iter paths = yyjson_arr_iter_with(yyjson_obj_get(root, "clusteringColumns"));
    while ((path = yyjson_arr_iter_next(&paths))) {
        Name logical = {0};
        const Type *t = snapshot_schema(s), *p = snapshot_physical_schema(s);
        yyjson_arr_iter parts = yyjson_arr_iter_with(path);
        while ((part = yyjson_arr_iter_next(&parts))) {
            int at = p && p->kind == TYPE_STRUCT ? type_field_index(p, json_str(part), true) : -1;
            vec_push(a->arena, &logical, at < 0 ? json_str(part) : t->structure.fields[at].name);
            t = at < 0 ? NULL : t->structure.fields[at].type;
            p = at < 0 ? NULL : p->structure.fields[at].type;
        }
        if (logical.len)
            vec_push(a->arena, out, name_text(&logical, a->arena));
    }
    return true;
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const Str *)x, *(const Str *)y);
}

static bool delta_detail(Analyzer *a, const ObjectInfo *o, const Type *schema, Value *row, Error *err)
{
    const Snapshot *s = o->snapshot;
    const Metadata *m = snapshot_metadata(s);
    const Protocol *p = snapshot_protocol(s);
    const Type *texts = schema->structure.fields[D_FEATURES].type;
    DeltaStrVec features = {0};
    StrVec clustering = {0};
    TRY(analyze_clustering(a, s, &clustering, err));
    protocol_features(p, a->arena, &features);
    if (features.len)
        qsort(features.at, features.len, sizeof(Str), by_text);
    row[D_ID] = value_string(m->id);
    row[D_DESCRIPTION] = text_value(m->description);
    if (m->has_created_time)
        row[D_CREATED] = timestamp_value(m->created_time_ms);
    row[D_MODIFIED] = timestamp_value(snapshot_timestamp_ms(s));
    row[D_CLUSTERING] = list_value(a, texts, clustering.at, clustering.len);
    row[D_FILES] = value_int(TYPE_LONG, (int64_t)snapshot_file_count(s));
    row[D_SIZE] = value_int(TYPE_LONG, snapshot_size_in_bytes(s));
    row[D_PROPERTIES] = map_value(a, schema->structure.fields[D_PROPERTIES].type, &m->configuration, false);
    row[D_READER] = value_int(TYPE_INT, p->min_reader);
    row[D_WRITER] = value_int(TYPE_INT, p->min_writer);
    row[D_FEATURES] = list_value(a, texts, features.at, features.len);
    return true;
}

bool analyze_delta_detail(Analyzer *a, const ObjectInfo *o, BoundRel **out, Error *err)
{
    const Type *schema = detail_schema(a);
    Row row = {ARENA_ARRAY(a->arena, Value, D_COUNT)};
    RowVec rows = {0};
    for (size_t i = 0; i < D_COUNT; i++)
        row.cells[i] = value_null(schema->structure.fields[i].type);
    row.cells[D_FORMAT] = value_string(o->resolved.entry.provider);
    if (o->resolved.kind == RESOLVED_TABLE)
        row.cells[D_NAME] = value_string(o->resolved.full_name);
    row.cells[D_LOCATION] = value_string(location_uri(o->resolved.entry.location, a->arena));
    row.cells[D_PARTITIONS] = list_value(a, schema->structure.fields[D_PARTITIONS].type, o->partition_columns.at, o->partition_columns.len);
    if (o->snapshot)
        TRY(delta_detail(a, o, schema, row.cells, err));
    else {
        row.cells[D_DESCRIPTION] = value_string(o->comment);
        row.cells[D_CREATED] = timestamp_value(o->resolved.entry.created_ms);
        row.cells[D_PROPERTIES] = map_value(a, schema->structure.fields[D_PROPERTIES].type, &o->properties, false);
    }
    vec_push(a->arena, &rows, row);
    *out = rel_of_values(a, schema, &rows);
    return true;
}
