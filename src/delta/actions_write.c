/* Actions of the log to JSON lines, in the order and spelling of Spark's writer. */
#include <string.h>

#include "delta/actions.h"

static void put_text(Buf *b, bool *first, const char *key, Str text)
{
    json_put_key(b, first, key);
    json_put_str(b, text);
}

static void put_text_unless_empty(Buf *b, bool *first, const char *key, Str text)
{
    if (text.len)
        put_text(b, first, key, text);
}

static void put_long(Buf *b, bool *first, const char *key, int64_t v)
{
    json_put_key(b, first, key);
    buf_addf(b, "%lld", (long long)v);
}

static void put_bool(Buf *b, bool *first, const char *key, bool v)
{
    json_put_key(b, first, key);
    buf_addz(b, v ? "true" : "false");
}

/* A text that claims to be JSON but is not becomes a JSON string: a log line is never torn by what
 * it carries. */
static void put_json(Buf *b, Str json)
{
    yyjson_doc *doc = yyjson_read(json.ptr, json.len, 0);
    if (doc && !memchr(json.ptr, '\n', json.len))
        buf_add(b, json);
    else
        json_put_str(b, json);
    yyjson_doc_free(doc);
}

static void put_properties(Buf *b, bool *first, const char *key, const PropertyVec *v, bool as_json)
{
    bool inner = true;
    json_put_key(b, first, key);
    buf_addc(b, '{');
    for (size_t i = 0; i < v->len; i++) {
        if (!inner)
            buf_addc(b, ',');
        inner = false;
        json_put_str(b, v->at[i].key);
        buf_addc(b, ':');
        if (v->at[i].is_null)
            buf_addz(b, "null");
        else if (as_json)
            put_json(b, v->at[i].value);
        else
            json_put_str(b, v->at[i].value);
    }
    buf_addc(b, '}');
}

static void put_strings(Buf *b, bool *first, const char *key, const DeltaStrVec *v)
{
    json_put_key(b, first, key);
    buf_addc(b, '[');
    for (size_t i = 0; i < v->len; i++) {
        if (i)
            buf_addc(b, ',');
        json_put_str(b, v->at[i]);
    }
    buf_addc(b, ']');
}

static void put_vector(Buf *b, bool *first, const DeletionVector *dv)
{
    bool inner = true;
    if (!dv)
        return;
    json_put_key(b, first, "deletionVector");
    buf_addc(b, '{');
    put_text(b, &inner, "storageType", (Str){&dv->storage, 1});
    put_text(b, &inner, "pathOrInlineDv", dv->path_or_inline);
    if (dv->has_offset)
        put_long(b, &inner, "offset", dv->offset);
    put_long(b, &inner, "sizeInBytes", dv->size_in_bytes);
    put_long(b, &inner, "cardinality", dv->cardinality);
    buf_addc(b, '}');
}

static void put_row_ids(Buf *b, bool *first, bool has_base, int64_t base, int64_t commit_version)
{
    if (has_base)
        put_long(b, first, "baseRowId", base);
    if (commit_version >= 0 && has_base)
        put_long(b, first, "defaultRowCommitVersion", commit_version);
}

static void open_action(Buf *b, const char *kind)
{
    buf_addf(b, "{\"%s\":{", kind);
}

static void close_action(Buf *b)
{
    buf_addz(b, "}}\n");
}

void action_put_add(Buf *b, const AddFile *f)
{
    bool first = true;
    open_action(b, "add");
    put_text(b, &first, "path", f->path);
    put_properties(b, &first, "partitionValues", &f->partition_values, false);
    put_long(b, &first, "size", f->size);
    put_long(b, &first, "modificationTime", f->modification_time_ms);
    put_bool(b, &first, "dataChange", f->data_change);
    put_text_unless_empty(b, &first, "stats", f->stats);
    if (f->tags.len)
        put_properties(b, &first, "tags", &f->tags, false);
    put_vector(b, &first, f->dv);
    put_row_ids(b, &first, f->has_base_row_id, f->base_row_id, f->default_row_commit_version);
    put_text_unless_empty(b, &first, "clusteringProvider", f->clustering_provider);
    close_action(b);
}

void action_put_remove(Buf *b, const RemoveFile *f, bool for_checkpoint)
{
    bool first = true;
    open_action(b, "remove");
    put_text(b, &first, "path", f->path);
    if (f->has_deletion_timestamp)
        put_long(b, &first, "deletionTimestamp", f->deletion_timestamp_ms);
    put_bool(b, &first, "dataChange", f->data_change);
    if (f->extended_file_metadata) {
        put_bool(b, &first, "extendedFileMetadata", true);
        put_properties(b, &first, "partitionValues", &f->partition_values, false);
        if (f->size >= 0)
            put_long(b, &first, "size", f->size);
    }
    if (f->tags.len && !for_checkpoint)
        put_properties(b, &first, "tags", &f->tags, false);
    put_vector(b, &first, f->dv);
    put_row_ids(b, &first, f->has_base_row_id, f->base_row_id, f->default_row_commit_version);
    if (!for_checkpoint)
        put_text_unless_empty(b, &first, "stats", f->stats);
    close_action(b);
}

void action_put_cdc(Buf *b, const CdcFile *f)
{
    bool first = true;
    open_action(b, "cdc");
    put_text(b, &first, "path", f->path);
    put_properties(b, &first, "partitionValues", &f->partition_values, false);
    put_long(b, &first, "size", f->size);
    if (f->tags.len)
        put_properties(b, &first, "tags", &f->tags, false);
    put_bool(b, &first, "dataChange", false);
    close_action(b);
}

void action_put_metadata(Buf *b, const Metadata *m)
{
    bool first = true, inner = true;
    open_action(b, "metaData");
    put_text(b, &first, "id", m->id);
    put_text_unless_empty(b, &first, "name", m->name);
    put_text_unless_empty(b, &first, "description", m->description);
    json_put_key(b, &first, "format");
    buf_addc(b, '{');
    put_text(b, &inner, "provider", m->format_provider.len ? m->format_provider : S("parquet"));
    put_properties(b, &inner, "options", &m->format_options, false);
    buf_addc(b, '}');
    put_text(b, &first, "schemaString", m->schema_string);
    put_strings(b, &first, "partitionColumns", &m->partition_columns);
    put_properties(b, &first, "configuration", &m->configuration, false);
    if (m->has_created_time)
        put_long(b, &first, "createdTime", m->created_time_ms);
    close_action(b);
}

void action_put_protocol(Buf *b, const Protocol *p)
{
    bool first = true;
    open_action(b, "protocol");
    put_long(b, &first, "minReaderVersion", p->min_reader);
    put_long(b, &first, "minWriterVersion", p->min_writer);
    if (p->has_reader_features)
        put_strings(b, &first, "readerFeatures", &p->reader_features);
    if (p->has_writer_features)
        put_strings(b, &first, "writerFeatures", &p->writer_features);
    close_action(b);
}

void action_put_txn(Buf *b, const TxnAction *t)
{
    bool first = true;
    open_action(b, "txn");
    put_text(b, &first, "appId", t->app_id);
    put_long(b, &first, "version", t->version);
    if (t->last_updated_ms >= 0)
        put_long(b, &first, "lastUpdated", t->last_updated_ms);
    close_action(b);
}

void action_put_domain(Buf *b, const DomainMetadata *d)
{
    bool first = true;
    open_action(b, "domainMetadata");
    put_text(b, &first, "domain", d->domain);
    put_text(b, &first, "configuration", d->configuration);
    put_bool(b, &first, "removed", d->removed);
    close_action(b);
}

void action_put_commit_info(Buf *b, const CommitInfo *i)
{
    bool first = true;
    open_action(b, "commitInfo");
    if (i->in_commit_timestamp_ms >= 0)
        put_long(b, &first, "inCommitTimestamp", i->in_commit_timestamp_ms);
    put_long(b, &first, "timestamp", i->timestamp_ms);
    put_text_unless_empty(b, &first, "userId", i->user_id);
    put_text_unless_empty(b, &first, "userName", i->user_name);
    put_text(b, &first, "operation", i->operation);
    put_properties(b, &first, "operationParameters", &i->operation_parameters, true);
    if (i->read_version >= 0)
        put_long(b, &first, "readVersion", i->read_version);
    put_text_unless_empty(b, &first, "isolationLevel", i->isolation_level);
    if (i->has_blind_append)
        put_bool(b, &first, "isBlindAppend", i->is_blind_append);
    put_properties(b, &first, "operationMetrics", &i->operation_metrics, false);
    put_text_unless_empty(b, &first, "userMetadata", i->user_metadata);
    if (i->tags.len)
        put_properties(b, &first, "tags", &i->tags, false);
    put_text_unless_empty(b, &first, "engineInfo", i->engine_info);
    put_text_unless_empty(b, &first, "txnId", i->txn_id);
    close_action(b);
}
