/* Actions of the log from JSON: one line at a time, in place, so that a long log costs little more
 * than its text. */
#include "delta/actions.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct ActionReader {
    char *pool; /* yyjson's values; grows to the longest line seen */
    size_t pool_size;
};

ActionReader *action_reader_new(void)
{
    ActionReader *r = calloc(1, sizeof *r);
    if (!r)
        panic("out of memory");
    return r;
}

void action_reader_free(ActionReader *r)
{
    if (r)
        free(r->pool);
    free(r);
}

/* NULL with *reason set. The document lives until the next line is parsed. */
static yyjson_val *parse_line(ActionReader *r, char *line, size_t len, const char **reason)
{
    size_t need = yyjson_read_max_memory_usage(len, YYJSON_READ_INSITU | YYJSON_READ_BIGNUM_AS_RAW);
    if (need > r->pool_size) {
        free(r->pool);
        r->pool_size = need * 2;
        r->pool = malloc(r->pool_size);
        if (!r->pool)
            panic("out of memory: %zu bytes", r->pool_size);
    }
    yyjson_alc alc;
    yyjson_alc_pool_init(&alc, r->pool, r->pool_size);
    yyjson_read_err why;
    yyjson_doc *doc =
        yyjson_read_opts(line, len, YYJSON_READ_INSITU | YYJSON_READ_BIGNUM_AS_RAW, &alc, &why);
    if (!doc)
        *reason = why.msg;
    return doc ? yyjson_doc_get_root(doc) : NULL;
}

/* ---- parts ---- */

/* A value as text: strings as they are, anything else as JSON. */
static Str loose_text(yyjson_val *v, Arena *arena)
{
    return yyjson_is_str(v) ? json_str(v) : json_text(v, arena);
}

static PropertyVec read_properties(yyjson_val *object, bool as_json, Arena *arena)
{
    size_t count = yyjson_obj_size(object), i, n;
    PropertyVec out = {0};
    yyjson_val *key, *value;
    if (!count)
        return out;
    out.at = ARENA_ARRAY(arena, Property, count);
    out.cap = count;
    yyjson_obj_foreach (object, i, n, key, value) {
        bool is_null = yyjson_is_null(value);
        Str text = is_null ? S("") : as_json ? json_text(value, arena) : loose_text(value, arena);
        out.at[out.len++] = (Property){json_str(key), text, is_null};
    }
    return out;
}

static PropertyVec get_properties(yyjson_val *object, const char *key, Arena *arena)
{
    return read_properties(yyjson_obj_get(object, key), false, arena);
}

/* Absent, null or a list of texts. */
static bool is_list(yyjson_val *v)
{
    yyjson_val *item;
    size_t i, n;
    yyjson_arr_foreach (v, i, n, item) {
        if (!yyjson_is_str(item))
            return false;
    }
    return !v || yyjson_is_null(v) || yyjson_is_arr(v);
}

static DeltaStrVec get_strings(yyjson_val *object, const char *key, bool *present, Arena *arena)
{
    yyjson_val *list = yyjson_obj_get(object, key), *item;
    DeltaStrVec out = {0};
    size_t i, n;
    *present = yyjson_is_arr(list);
    yyjson_arr_foreach (list, i, n, item) {
        if (yyjson_is_str(item))
            vec_push(arena, &out, json_str(item));
    }
    return out;
}

static DeletionVector *read_vector(yyjson_val *v, Arena *arena)
{
    Str storage = json_get_str(v, "storageType");
    int64_t at = json_get_i64(v, "offset", 0), size = json_get_i64(v, "sizeInBytes", 0);
    if (!yyjson_is_obj(v) || storage.len != 1 || at != (int32_t)at || size != (int32_t)size)
        return NULL;
    DeletionVector *dv = ARENA_NEW(arena, DeletionVector);
    yyjson_val *offset = yyjson_obj_get(v, "offset");
    *dv = (DeletionVector){
        .storage = storage.ptr[0],
        .path_or_inline = json_get_str(v, "pathOrInlineDv"),
        .has_offset = yyjson_is_int(offset),
        .offset = (int32_t)at,
        .size_in_bytes = (int32_t)size,
        .cardinality = json_get_i64(v, "cardinality", 0),
    };
    return dv;
}

/* Absent, null or a JSON object. */
static bool is_map(yyjson_val *v)
{
    return !v || yyjson_is_null(v) || yyjson_is_obj(v);
}

static const char *read_add(yyjson_val *v, Arena *arena, AddFile *out)
{
    /* One pass over the keys instead of a search for each: this is the hot path of a long log. */
    size_t i, n;
    yyjson_val *key, *value, *vector = NULL, *values = NULL, *size = NULL;
    *out = (AddFile){.default_row_commit_version = -1};
    yyjson_obj_foreach (v, i, n, key, value) {
        Str name = json_str(key);
        if (str_is(name, "path"))
            out->path = json_str(value);
        else if (str_is(name, "partitionValues"))
            out->partition_values = read_properties(values = value, false, arena);
        else if (str_is(name, "size"))
            out->size = yyjson_is_int(size = value) ? yyjson_get_sint(value) : 0;
        else if (str_is(name, "modificationTime"))
            out->modification_time_ms = yyjson_is_int(value) ? yyjson_get_sint(value) : 0;
        else if (str_is(name, "dataChange"))
            out->data_change = yyjson_is_true(value);
        else if (str_is(name, "stats"))
            out->stats = yyjson_is_null(value) ? S("") : loose_text(value, arena);
        else if (str_is(name, "tags"))
            out->tags = read_properties(value, false, arena);
        else if (str_is(name, "deletionVector"))
            vector = value;
        else if (str_is(name, "baseRowId") && yyjson_is_int(value)) {
            out->has_base_row_id = true;
            out->base_row_id = yyjson_get_sint(value);
        } else if (str_is(name, "defaultRowCommitVersion") && yyjson_is_int(value))
            out->default_row_commit_version = yyjson_get_sint(value);
        else if (str_is(name, "clusteringProvider"))
            out->clustering_provider = json_str(value);
    }
    if (vector && !yyjson_is_null(vector)) {
        out->dv = read_vector(vector, arena);
        if (!out->dv)
            return "an add action's deletionVector is not a descriptor";
    }
    if (!is_map(values))
        return "an add action's partitionValues are not a map";
    if (size && !yyjson_is_num(size) && !yyjson_is_null(size))
        return "an add action's size is not a number";
    if (out->size < 0)
        return "an add action has a negative size";
    return out->path.len ? NULL : "an add action has no path";
}

static const char *read_remove(yyjson_val *v, Arena *arena, RemoveFile *out)
{
    yyjson_val *vector = yyjson_obj_get(v, "deletionVector");
    yyjson_val *base = yyjson_obj_get(v, "baseRowId"), *stats = yyjson_obj_get(v, "stats");
    *out = (RemoveFile){
        .path = json_get_str(v, "path"),
        .has_deletion_timestamp = yyjson_is_int(yyjson_obj_get(v, "deletionTimestamp")),
        .deletion_timestamp_ms = json_get_i64(v, "deletionTimestamp", 0),
        .data_change = json_get_bool(v, "dataChange", true),
        .extended_file_metadata = json_get_bool(v, "extendedFileMetadata", false),
        .partition_values = get_properties(v, "partitionValues", arena),
        .size = json_get_i64(v, "size", -1),
        .stats = stats && !yyjson_is_null(stats) ? loose_text(stats, arena) : S(""),
        .tags = get_properties(v, "tags", arena),
        .has_base_row_id = yyjson_is_int(base),
        .base_row_id = json_get_i64(v, "baseRowId", 0),
        .default_row_commit_version = json_get_i64(v, "defaultRowCommitVersion", -1),
    };
    if (vector && !yyjson_is_null(vector)) {
        out->dv = read_vector(vector, arena);
        if (!out->dv)
            return "a remove action's deletionVector is not a descriptor";
    }
    if (!is_map(yyjson_obj_get(v, "partitionValues")))
        return "a remove action's partitionValues are not a map";
    return out->path.len ? NULL : "a remove action has no path";
}

static const char *read_cdc(yyjson_val *v, Arena *arena, CdcFile *out)
{
    *out = (CdcFile){json_get_str(v, "path"), get_properties(v, "partitionValues", arena),
                     json_get_i64(v, "size", 0), get_properties(v, "tags", arena)};
    return out->path.len ? NULL : "a cdc action has no path";
}

static const char *read_metadata(yyjson_val *v, Arena *arena, Metadata *out)
{
    yyjson_val *format = yyjson_obj_get(v, "format");
    bool present;
    *out = (Metadata){
        .id = json_get_str(v, "id"),
        .name = json_get_str(v, "name"),
        .description = json_get_str(v, "description"),
        .format_provider = json_get_str(format, "provider"),
        .format_options = get_properties(format, "options", arena),
        .schema_string = json_get_str(v, "schemaString"),
        .partition_columns = get_strings(v, "partitionColumns", &present, arena),
        .configuration = get_properties(v, "configuration", arena),
        .has_created_time = yyjson_is_int(yyjson_obj_get(v, "createdTime")),
        .created_time_ms = json_get_i64(v, "createdTime", 0),
    };
    if (!is_map(yyjson_obj_get(v, "configuration")))
        return "a metaData action's configuration is not a map";
    if (!is_list(yyjson_obj_get(v, "partitionColumns")))
        return "a metaData action's partitionColumns are not a list of names";
    return NULL;
}

static const char *read_protocol(yyjson_val *v, Arena *arena, Protocol *out)
{
    int64_t reader = json_get_i64(v, "minReaderVersion", -1);
    int64_t writer = json_get_i64(v, "minWriterVersion", -1);
    if (reader > INT32_MAX || writer > INT32_MAX)
        return "a protocol action's versions are out of range";
    /* A feature that is overlooked would be one whose rules are broken. */
    if (!is_list(yyjson_obj_get(v, "readerFeatures")) || !is_list(yyjson_obj_get(v, "writerFeatures")))
        return "a protocol action's features are not a list of names";
    *out = (Protocol){.min_reader = (int)reader, .min_writer = (int)writer};
    out->reader_features = get_strings(v, "readerFeatures", &out->has_reader_features, arena);
    out->writer_features = get_strings(v, "writerFeatures", &out->has_writer_features, arena);
    return out->min_reader < 0 || out->min_writer < 0 ? "a protocol action has no versions" : NULL;
}

static const char *read_commit_info(yyjson_val *v, Arena *arena, CommitInfo *out)
{
    yyjson_val *blind = yyjson_obj_get(v, "isBlindAppend");
    *out = (CommitInfo){
        .timestamp_ms = json_get_i64(v, "timestamp", 0),
        .in_commit_timestamp_ms = json_get_i64(v, "inCommitTimestamp", -1),
        .operation = json_get_str(v, "operation"),
        .operation_parameters =
            read_properties(yyjson_obj_get(v, "operationParameters"), true, arena),
        .read_version = json_get_i64(v, "readVersion", -1),
        .isolation_level = json_get_str(v, "isolationLevel"),
        .has_blind_append = yyjson_is_bool(blind),
        .is_blind_append = yyjson_is_true(blind),
        .operation_metrics = get_properties(v, "operationMetrics", arena),
        .user_id = json_get_str(v, "userId"),
        .user_name = json_get_str(v, "userName"),
        .user_metadata = json_get_str(v, "userMetadata"),
        .engine_info = json_get_str(v, "engineInfo"),
        .txn_id = json_get_str(v, "txnId"),
        .tags = get_properties(v, "tags", arena),
    };
    return NULL;
}

static const char *read_body(ActionKind kind, yyjson_val *v, Arena *arena, Action *out)
{
    out->kind = kind;
    if (!yyjson_is_obj(v))
        return "an action is not an object";
    switch (kind) {
    case ACTION_ADD: return read_add(v, arena, &out->add);
    case ACTION_REMOVE: return read_remove(v, arena, &out->remove);
    case ACTION_CDC: return read_cdc(v, arena, &out->cdc);
    case ACTION_METADATA: return read_metadata(v, arena, &out->metadata);
    case ACTION_PROTOCOL: return read_protocol(v, arena, &out->protocol);
    case ACTION_TXN:
        out->txn = (TxnAction){json_get_str(v, "appId"), json_get_i64(v, "version", 0),
                               json_get_i64(v, "lastUpdated", -1)};
        return NULL;
    case ACTION_DOMAIN:
        out->domain = (DomainMetadata){json_get_str(v, "domain"), json_get_str(v, "configuration"),
                                       json_get_bool(v, "removed", false)};
        return NULL;
    case ACTION_COMMIT_INFO: return read_commit_info(v, arena, &out->info);
    case ACTION_SIDECAR:
        out->sidecar = (Sidecar){json_get_str(v, "path"), json_get_i64(v, "sizeInBytes", 0)};
        return out->sidecar.path.len ? NULL : "a sidecar action has no path";
    case ACTION_UNKNOWN: break;
    }
    return NULL;
}

static const struct {
    const char *key;
    ActionKind kind;
} action_keys[] = {
    {"add", ACTION_ADD},
    {"remove", ACTION_REMOVE},
    {"cdc", ACTION_CDC},
    {"metaData", ACTION_METADATA},
    {"protocol", ACTION_PROTOCOL},
    {"txn", ACTION_TXN},
    {"domainMetadata", ACTION_DOMAIN},
    {"commitInfo", ACTION_COMMIT_INFO},
    {"sidecar", ACTION_SIDECAR},
};

bool action_parse(ActionReader *r, char *line, size_t len, ActionSet wanted, Arena *arena,
                  Action *out, const char **reason)
{
    yyjson_val *root = parse_line(r, line, len, reason), *key, *value;
    size_t i, n;
    out->kind = ACTION_UNKNOWN;
    if (!root)
        return false;
    *reason = "not an object";
    if (!yyjson_is_obj(root))
        return false;
    *reason = NULL;
    yyjson_obj_foreach (root, i, n, key, value) {
        if (yyjson_is_null(value))
            continue; /* checkpoints in JSON may spell every column */
        for (size_t k = 0; k < LENGTH_OF(action_keys); k++) {
            if (!str_is(json_str(key), action_keys[k].key))
                continue;
            if (wanted & ACTIONS_OF(action_keys[k].kind))
                *reason = read_body(action_keys[k].kind, value, arena, out);
            return !*reason;
        }
    }
    return true;
}

bool action_parse_body(ActionReader *r, ActionKind kind, char *text, size_t len, Arena *arena,
                       Action *out, const char **reason)
{
    yyjson_val *root = parse_line(r, text, len, reason);
    if (!root)
        return false;
    *reason = read_body(kind, root, arena, out);
    return !*reason;
}

bool properties_parse(ActionReader *r, char *text, size_t len, Arena *arena, PropertyVec *out)
{
    const char *reason;
    yyjson_val *root = parse_line(r, text, len, &reason);
    if (!yyjson_is_obj(root))
        return false;
    *out = read_properties(root, false, arena);
    return true;
}

DeletionVector *deletion_vector_parse(ActionReader *r, char *text, size_t len, Arena *arena)
{
    const char *reason;
    return read_vector(parse_line(r, text, len, &reason), arena);
}

/* ---- whole files ---- */

bool actions_read(Str text, Str file_name, ActionSet wanted, Arena *arena, ActionVisit visit,
                  void *arg, Error *err)
{
    size_t lines = 0;
    return actions_read_on(text, file_name, &lines, wanted, arena, visit, arg, err);
}

bool actions_read_on(Str text, Str file_name, size_t *lines, ActionSet wanted, Arena *arena,
                     ActionVisit visit, void *arg, Error *err)
{
    /* The cast is safe: store_read hands out bytes that nobody else holds. */
    char *at = (char *)(uintptr_t)text.ptr, *end = at + text.len;
    ActionReader *reader = action_reader_new();
    bool ok = true;
    while (ok && at < end) {
        ++*lines;
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline ? newline : end;
        size_t len = (size_t)(stop - at);
        while (len && (at[len - 1] == '\r' || at[len - 1] == ' '))
            len--;
        if (len) {
            Action action;
            const char *reason = NULL;
            if (!action_parse(reader, at, len, wanted, arena, &action, &reason))
                ok = error_set(err, ERR_LAKESHED_LOG_INVALID, P("file", file_name),
                               P("line", str_printf(err->arena, "%zu", *lines)),
                               PZ("reason", reason ? reason : "unreadable"));
            else if (action.kind != ACTION_UNKNOWN)
                ok = visit(arg, &action, err);
        }
        at = stop + 1;
    }
    action_reader_free(reader);
    return ok;
}

/* ---- properties and copies ---- */

const Property *property_find(const PropertyVec *v, Str key)
{
    for (size_t i = 0; i < v->len; i++)
        if (str_eq(v->at[i].key, key))
            return &v->at[i];
    return NULL;
}

Str property_get(const PropertyVec *v, const char *key)
{
    const Property *p = property_find(v, str_from(key));
    return p && !p->is_null ? p->value : S("");
}

Str commit_parameter_text(Str json, Arena *arena)
{
    yyjson_val *v;
    Error ignored = error_in(arena);
    if (!json.len || json.ptr[0] != '"' || !json_parse(json, S("parameter"), arena, &v, &ignored))
        return json;
    return json_str(v);
}

static PropertyVec properties_copy(const PropertyVec *v, Arena *arena)
{
    PropertyVec out = {
        .at = v->len ? ARENA_ARRAY(arena, Property, v->len) : NULL, .len = v->len, .cap = v->len};
    for (size_t i = 0; i < v->len; i++)
        out.at[i] = (Property){str_copy(v->at[i].key, arena), str_copy(v->at[i].value, arena),
                               v->at[i].is_null};
    return out;
}

static DeltaStrVec strings_copy(const DeltaStrVec *v, Arena *arena)
{
    DeltaStrVec out = {0};
    for (size_t i = 0; i < v->len; i++)
        vec_push(arena, &out, str_copy(v->at[i], arena));
    return out;
}

DeletionVector *deletion_vector_copy(const DeletionVector *dv, Arena *arena)
{
    if (!dv)
        return NULL;
    DeletionVector *out = ARENA_NEW(arena, DeletionVector);
    *out = *dv;
    out->path_or_inline = str_copy(dv->path_or_inline, arena);
    return out;
}

AddFile add_copy(const AddFile *f, Arena *arena)
{
    AddFile out = *f;
    out.path = str_copy(f->path, arena);
    out.partition_values = properties_copy(&f->partition_values, arena);
    out.stats = f->stats.len ? str_copy(f->stats, arena) : S("");
    out.tags = properties_copy(&f->tags, arena);
    out.dv = deletion_vector_copy(f->dv, arena);
    out.clustering_provider =
        f->clustering_provider.len ? str_copy(f->clustering_provider, arena) : S("");
    return out;
}

RemoveFile remove_copy(const RemoveFile *f, Arena *arena)
{
    RemoveFile out = *f;
    out.path = str_copy(f->path, arena);
    out.partition_values = properties_copy(&f->partition_values, arena);
    out.stats = f->stats.len ? str_copy(f->stats, arena) : S("");
    out.tags = properties_copy(&f->tags, arena);
    out.dv = deletion_vector_copy(f->dv, arena);
    return out;
}

Metadata metadata_copy_into(const Metadata *m, Arena *arena)
{
    Metadata out = *m;
    out.id = str_copy(m->id, arena);
    out.name = str_copy(m->name, arena);
    out.description = str_copy(m->description, arena);
    out.format_provider = str_copy(m->format_provider, arena);
    out.format_options = properties_copy(&m->format_options, arena);
    out.schema_string = str_copy(m->schema_string, arena);
    out.schema = NULL;
    out.partition_columns = strings_copy(&m->partition_columns, arena);
    out.configuration = properties_copy(&m->configuration, arena);
    return out;
}

Protocol protocol_copy(const Protocol *p, Arena *arena)
{
    Protocol out = *p;
    out.reader_features = strings_copy(&p->reader_features, arena);
    out.writer_features = strings_copy(&p->writer_features, arena);
    return out;
}

CommitInfo *commit_info_copy(const CommitInfo *i, Arena *arena)
{
    CommitInfo *out = ARENA_NEW(arena, CommitInfo);
    *out = *i;
    out->operation = str_copy(i->operation, arena);
    out->operation_parameters = properties_copy(&i->operation_parameters, arena);
    out->isolation_level = str_copy(i->isolation_level, arena);
    out->operation_metrics = properties_copy(&i->operation_metrics, arena);
    out->user_id = str_copy(i->user_id, arena);
    out->user_name = str_copy(i->user_name, arena);
    out->user_metadata = str_copy(i->user_metadata, arena);
    out->engine_info = str_copy(i->engine_info, arena);
    out->txn_id = str_copy(i->txn_id, arena);
    out->tags = properties_copy(&i->tags, arena);
    return out;
}
