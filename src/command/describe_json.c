/* DESCRIBE .. AS JSON: one object, its keys in Spark's order. */
#include "base/json.h"
#include "command/describe_impl.h"

static void put_key(Buf *b, const char *key)
{
    buf_addf(b, ",\"%s\":", key);
}

static void put_text(Buf *b, const char *key, Str value)
{
    put_key(b, key);
    json_put_str(b, value);
}

static void put_names(Buf *b, const char *key, const StrVec *names)
{
    put_key(b, key);
    buf_addc(b, '[');
    for (size_t i = 0; i < names->len; i++) {
        if (i)
            buf_addc(b, ',');
        json_put_str(b, names->at[i]);
    }
    buf_addc(b, ']');
}

static void put_map(CommandContext *ctx, Buf *b, const char *key, const PropertyVec *v)
{
    put_key(b, key);
    buf_addc(b, '{');
    for (size_t i = 0; i < v->len; i++) {
        if (i)
            buf_addc(b, ',');
        json_put_str(b, v->at[i].key);
        buf_addc(b, ':');
        json_put_str(b, v->at[i].is_null ? S(HIVE_DEFAULT_PARTITION) : redacted_value(ctx->arena, v->at[i].key, v->at[i].value));
    }
    buf_addc(b, '}');
}

/* ---- types ---- */

static void put_field(CommandContext *ctx, Buf *b, const Field *f);

static void put_interval(Buf *b, Str text)
{
    /* "interval day to second", "interval year" */
    Str rest = str_slice(text, 9, text.len);
    ptrdiff_t to = str_find(rest, S(" to "));
    Str start = to < 0 ? rest : str_slice(rest, 0, (size_t)to), end = to < 0 ? rest : str_slice(rest, (size_t)to + 4, rest.len);
    buf_addf(b, "{\"name\":\"interval\",\"start_unit\":\"" STR_FMT "\",\"end_unit\":\"" STR_FMT "\"}", STR_ARG(start), STR_ARG(end));
}

static void put_type(CommandContext *ctx, Buf *b, const Type *t)
{
    Str text = type_simple_string(t, ctx->arena);
    switch (t->kind) {
    case TYPE_STRING:
        buf_addf(b, "{\"name\":\"string\",\"collation\":\"" STR_FMT "\"}", STR_ARG(t->string.collation.len ? t->string.collation : S("UTF8_BINARY")));
        return;
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        buf_addf(b, "{\"name\":\"%s\",\"length\":%d}", t->kind == TYPE_CHAR ? "char" : "varchar", (int)t->text.length);
        return;
    case TYPE_DECIMAL:
        buf_addf(b, "{\"name\":\"decimal\",\"precision\":%d,\"scale\":%d}", (int)t->decimal.precision, (int)t->decimal.scale);
        return;
    case TYPE_TIMESTAMP:
        buf_addz(b, "{\"name\":\"timestamp_ltz\"}");
        return;
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
        put_interval(b, text);
        return;
    case TYPE_ARRAY:
        buf_addz(b, "{\"name\":\"array\",\"element_type\":");
        put_type(ctx, b, t->array.element);
        buf_addf(b, ",\"element_nullable\":%s}", t->array.nulls ? "true" : "false");
        return;
    case TYPE_MAP:
        buf_addz(b, "{\"name\":\"map\",\"key_type\":");
        put_type(ctx, b, t->map.key);
        buf_addz(b, ",\"value_type\":");
        put_type(ctx, b, t->map.value);
        buf_addf(b, ",\"value_nullable\":%s}", t->map.nulls ? "true" : "false");
        return;
    case TYPE_STRUCT:
        buf_addz(b, "{\"name\":\"struct\",\"fields\":[");
        for (size_t i = 0; i < t->structure.count; i++) {
            if (i)
                buf_addc(b, ',');
            put_field(ctx, b, &t->structure.fields[i]);
        }
        buf_addz(b, "]}");
        return;
    default:
        buf_addf(b, "{\"name\":\"" STR_FMT "\"}", STR_ARG(text));
    }
}

static void put_field(CommandContext *ctx, Buf *b, const Field *f)
{
    Str comment = field_metadata_get(f, "comment", ctx->arena), def = delta_default_expression(f, ctx->arena);
    buf_addz(b, "{\"name\":");
    json_put_str(b, f->name);
    buf_addz(b, ",\"type\":");
    put_type(ctx, b, f->type);
    buf_addf(b, ",\"nullable\":%s", f->nullable ? "true" : "false");
    if (comment.len)
        put_text(b, "comment", comment);
    if (def.len)
        put_text(b, "default", def);
    buf_addc(b, '}');
}

/* ---- parts ---- */

static void put_buckets(CommandContext *ctx, Buf *b, const TableEntry *e)
{
    StrVec buckets = {0}, sorted = {0};
    Str count = detail_get(&e->details, "numBuckets");
    if (!count.len)
        return;
    detail_list(&e->details, "bucketCol", ctx->arena, &buckets);
    detail_list(&e->details, "sortCol", ctx->arena, &sorted);
    put_key(b, "num_buckets");
    buf_add(b, count);
    put_names(b, "bucket_columns", &buckets);
    put_names(b, "sort_columns", &sorted);
}

static void put_statistics(Buf *b, const char *key, const PropertyVec *details)
{
    Str size = detail_get(details, "sizeInBytes"), rows = detail_get(details, "rowCount");
    if (!size.len)
        return;
    put_key(b, key);
    buf_addf(b, "{\"size_in_bytes\":" STR_FMT, STR_ARG(size));
    if (rows.len)
        buf_addf(b, ",\"num_rows\":" STR_FMT, STR_ARG(rows));
    buf_addc(b, '}');
}

static void put_times(CommandContext *ctx, Buf *b, int64_t created_ms)
{
    put_text(b, "created_time", created_ms ? describe_time(ctx, created_ms, "%Y-%m-%dT%H:%M:%SZ") : S("UNKNOWN"));
    put_text(b, "last_access", S("UNKNOWN"));
    put_text(b, "created_by", S("lakeshed"));
}

static void put_view(CommandContext *ctx, Buf *b, const ObjectInfo *o)
{
    const TableEntry *e = &o->resolved.entry;
    bool temporary = o->resolved.kind == RESOLVED_TEMP_VIEW, modes = session_bool(ctx->session, "spark.sql.legacy.viewSchemaBindingMode", true);
    Str parts[2] = {shown_catalog(e->view_catalog), e->view_schema}, mode = temporary ? S("BINDING") : detail_get(&e->details, "viewSchemaMode");
    Name space = name_of(ctx->arena, 2, parts);
    Str text = temporary ? o->resolved.temp->text : e->view_sql;
    StrVec columns = {0};
    if (text.len)
        put_text(b, "view_text", text);
    if (text.len && !temporary)
        put_text(b, "view_original_text", text);
    if (modes && mode.len)
        put_text(b, "view_schema_mode", mode);
    if (!text.len)
        return;
    put_text(b, "view_catalog_and_namespace", temporary ? o->resolved.temp->space : name_text(&space, ctx->arena));
    if (!temporary)
        detail_list(&e->details, "queryCol", ctx->arena, &columns);
    for (size_t i = 0; !columns.len && i < o->schema->structure.count; i++)
        vec_push(ctx->arena, &columns, o->schema->structure.fields[i].name);
    put_names(b, "view_query_output_columns", &columns);
}

static void put_name(CommandContext *ctx, Buf *b, const ObjectInfo *o, const Name *name)
{
    const TableEntry *e = &o->resolved.entry;
    bool temporary = o->resolved.kind == RESOLVED_TEMP_VIEW;
    Str schema = !temporary ? e->schema : o->resolved.temp->global ? S("global_temp") : S("session");
    StrVec space = {0};
    vec_push(ctx->arena, &space, schema);
    buf_addz(b, "{\"table_name\":");
    json_put_str(b, temporary ? vec_last(name) : e->name);
    put_text(b, "catalog_name", temporary ? S("system") : o->snapshot ? e->catalog : shown_catalog(e->catalog));
    put_names(b, "namespace", &space);
    put_text(b, "schema_name", schema);
    put_key(b, "columns");
    for (size_t i = 0; i < o->schema->structure.count; i++) {
        buf_addc(b, i ? ',' : '[');
        put_field(ctx, b, &o->schema->structure.fields[i]);
    }
    buf_addz(b, o->schema->structure.count ? "]" : "[]");
}

Str describe_json(CommandContext *ctx, const ObjectInfo *o, const Name *name, const PartitionEntry *p)
{
    const TableEntry *e = &o->resolved.entry;
    bool view = object_is_view(o);
    PropertyVec options = {0};
    Buf b = buf_in(ctx->arena);
    put_name(ctx, &b, o, name);
    table_options(ctx, e, &options);
    if (p)
        put_map(ctx, &b, "partition_values", &p->values);
    else if (!view)
        put_buckets(ctx, &b, e);
    if (!view)
        put_text(&b, "location", location_uri(p ? p->location : e->location, ctx->arena));
    if (options.len)
        put_map(ctx, &b, "storage_properties", &options);
    put_times(ctx, &b, p ? p->created_ms : e->created_ms);
    if (p)
        put_statistics(&b, "partition_statistics", &p->details);
    put_text(&b, "type", view ? S("VIEW") : e->managed ? S("MANAGED") : S("EXTERNAL"));
    if (!view)
        put_text(&b, "provider", provider_text(e));
    if (p)
        put_buckets(ctx, &b, e);
    if (o->comment.len)
        put_text(&b, "comment", o->comment);
    if (view)
        put_view(ctx, &b, o);
    if (o->properties.len)
        put_map(ctx, &b, "table_properties", &o->properties);
    if (!view)
        put_statistics(&b, "statistics", &e->details);
    if (!view && str_is(detail_get(&e->details, "tracksPartitions"), "true"))
        put_text(&b, "partition_provider", S("Catalog"));
    if (!view && o->partition_columns.len)
        put_names(&b, "partition_columns", &o->partition_columns);
    Str collation = detail_get(&e->details, OBJECT_COLLATION);
    put_text(&b, "collation", collation.len ? collation : S("UTF8_BINARY"));
    buf_addc(&b, '}');
    return buf_str(&b);
}
