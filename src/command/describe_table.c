/* DESCRIBE TABLE: columns, partitioning, and what else is known of a table, a view or a partition. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command/describe_impl.h"

/* ---- texts ---- */

Str describe_time(CommandContext *ctx, int64_t ms, const char *format)
{
    char text[64];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, format, &tm))
        return S("UNKNOWN");
    return str_copy(str_from(text), ctx->arena);
}

Str describe_date(CommandContext *ctx, int64_t ms)
{
    return describe_time(ctx, ms, "%a %b %d %H:%M:%S UTC %Y");
}

static Str property_list(CommandContext *ctx, const PropertyVec *v)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < v->len; i++)
        buf_addf(&b, "%s" STR_FMT "=" STR_FMT, i ? ", " : "", STR_ARG(v->at[i].key), STR_ARG(redacted_value(ctx->arena, v->at[i].key, v->at[i].value)));
    buf_addc(&b, ']');
    return buf_str(&b);
}

static Str name_list(CommandContext *ctx, const StrVec *v)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < v->len; i++)
        buf_addf(&b, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(v->at[i]));
    buf_addc(&b, ']');
    return buf_str(&b);
}

static int by_key(const void *x, const void *y)
{
    return str_cmp(((const Property *)x)->key, ((const Property *)y)->key);
}

void table_options(CommandContext *ctx, const TableEntry *e, PropertyVec *out)
{
    for (size_t i = 0; i < e->properties.len; i++)
        if (str_istarts_with(e->properties.at[i].key, S("option."))) {
            Property p = {str_slice(e->properties.at[i].key, 7, e->properties.at[i].key.len), e->properties.at[i].value, false};
            vec_push(ctx->arena, out, p);
        }
    if (out->len)
        qsort(out->at, out->len, sizeof(Property), by_key);
}

/* ---- facts ---- */

static void push_fact(CommandContext *ctx, PropertyVec *out, const char *key, Str value)
{
    Property p = {str_from(key), value, false};
    vec_push(ctx->arena, out, p);
}

static void push_some(CommandContext *ctx, PropertyVec *out, const char *key, Str value)
{
    if (value.len)
        push_fact(ctx, out, key, value);
}

static void bucket_facts(CommandContext *ctx, const TableEntry *e, PropertyVec *out)
{
    StrVec buckets = {0}, sorted = {0};
    Str count = detail_get(&e->details, "numBuckets");
    if (!count.len)
        return;
    detail_list(&e->details, "bucketCol", ctx->arena, &buckets);
    detail_list(&e->details, "sortCol", ctx->arena, &sorted);
    push_fact(ctx, out, "Num Buckets", count);
    push_fact(ctx, out, "Bucket Columns", name_list(ctx, &buckets));
    push_fact(ctx, out, "Sort Columns", name_list(ctx, &sorted));
}

static Str statistics_text(CommandContext *ctx, const PropertyVec *details)
{
    Str size = detail_get(details, "sizeInBytes"), rows = detail_get(details, "rowCount");
    if (!size.len)
        return (Str){0};
    return rows.len ? str_printf(ctx->arena, STR_FMT " bytes, " STR_FMT " rows", STR_ARG(size), STR_ARG(rows))
                    : str_printf(ctx->arena, STR_FMT " bytes", STR_ARG(size));
}

static void view_facts(CommandContext *ctx, const ObjectInfo *o, PropertyVec *out)
{
    const TableEntry *e = &o->resolved.entry;
    bool temporary = o->resolved.kind == RESOLVED_TEMP_VIEW, modes = session_bool(ctx->session, "spark.sql.legacy.viewSchemaBindingMode", true);
    StrVec columns = {0};
    Str mode = detail_get(&e->details, "viewSchemaMode");
    if (temporary) {
        push_some(ctx, out, "View Text", o->resolved.temp->text);
        if (modes)
            push_fact(ctx, out, "View Schema Mode", S("BINDING"));
        if (!o->resolved.temp->text.len)
            return;
        push_some(ctx, out, "View Catalog and Namespace", o->resolved.temp->space);
    } else {
        Str parts[2] = {shown_catalog(e->view_catalog), e->view_schema};
        Name space = name_of(ctx->arena, 2, parts);
        push_fact(ctx, out, "View Text", e->view_sql);
        push_fact(ctx, out, "View Original Text", e->view_sql);
        push_some(ctx, out, "View Schema Mode", !modes ? (Str){0} : mode.len ? mode : S("BINDING"));
        push_fact(ctx, out, "View Catalog and Namespace", name_text(&space, ctx->arena));
        detail_list(&e->details, "queryCol", ctx->arena, &columns);
    }
    for (size_t i = 0; !columns.len && i < o->schema->structure.count; i++)
        vec_push(ctx->arena, &columns, o->schema->structure.fields[i].name);
    push_fact(ctx, out, "View Query Output Columns", name_list(ctx, &columns));
}

static void file_facts(CommandContext *ctx, const ObjectInfo *o, bool whole, PropertyVec *out)
{
    const TableEntry *e = &o->resolved.entry;
    PropertyVec options = {0};
    push_some(ctx, out, "Statistics", statistics_text(ctx, &e->details));
    push_fact(ctx, out, "Location", location_uri(e->location, ctx->arena));
    table_options(ctx, e, &options);
    if (options.len)
        push_fact(ctx, out, "Storage Properties", property_list(ctx, &options));
    if (str_is(detail_get(&e->details, "tracksPartitions"), "true"))
        push_fact(ctx, out, "Partition Provider", S("Catalog"));
    if (whole && o->partition_columns.len)
        push_fact(ctx, out, "Partition Columns", name_list(ctx, &o->partition_columns));
}

void table_facts(CommandContext *ctx, const ObjectInfo *o, const Name *name, bool whole, PropertyVec *out)
{
    const TableEntry *e = &o->resolved.entry;
    bool view = object_is_view(o), temporary = o->resolved.kind == RESOLVED_TEMP_VIEW;
    if (!temporary) {
        push_fact(ctx, out, "Catalog", shown_catalog(e->catalog));
        push_fact(ctx, out, "Database", e->schema);
    }
    push_fact(ctx, out, "Table", temporary ? vec_last(name) : e->name);
    push_fact(ctx, out, "Created Time", temporary ? S("UNKNOWN") : describe_date(ctx, e->created_ms));
    push_fact(ctx, out, "Last Access", S("UNKNOWN"));
    push_fact(ctx, out, "Created By", S("lakeshed"));
    push_fact(ctx, out, "Type", view ? S("VIEW") : e->managed ? S("MANAGED") : S("EXTERNAL"));
    if (!view) {
        push_fact(ctx, out, "Provider", provider_text(e));
        bucket_facts(ctx, e, out);
    }
    push_some(ctx, out, "Comment", o->comment);
    push_some(ctx, out, "Collation", detail_get(&e->details, OBJECT_COLLATION));
    if (view)
        view_facts(ctx, o, out);
    if (o->properties.len)
        push_fact(ctx, out, "Table Properties", property_list(ctx, &o->properties));
    if (!view)
        file_facts(ctx, o, whole, out);
}

void partition_facts(CommandContext *ctx, const ObjectInfo *o, const PartitionEntry *p, PropertyVec *out)
{
    Buf values = buf_in(ctx->arena);
    PropertyVec options = {0};
    for (size_t i = 0; i < p->values.len; i++)
        buf_addf(&values, "%s" STR_FMT "=" STR_FMT, i ? ", " : "[", STR_ARG(p->values.at[i].key),
                 STR_ARG(p->values.at[i].is_null ? S(HIVE_DEFAULT_PARTITION) : p->values.at[i].value));
    buf_addc(&values, ']');
    push_fact(ctx, out, "Partition Values", buf_str(&values));
    push_fact(ctx, out, "Location", location_uri(p->location, ctx->arena));
    table_options(ctx, &o->resolved.entry, &options);
    if (options.len)
        push_fact(ctx, out, "Storage Properties", property_list(ctx, &options));
    push_fact(ctx, out, "Created Time", describe_date(ctx, p->created_ms));
    push_fact(ctx, out, "Last Access", S("UNKNOWN"));
    push_some(ctx, out, "Partition Statistics", statistics_text(ctx, &p->details));
}

/* ---- rows ---- */

static void push_facts(CommandContext *ctx, ResultTable *t, const char *title, const PropertyVec *facts)
{
    describe_row(ctx, t, S(""), S(""), S(""));
    describe_row(ctx, t, str_from(title), S(""), S(""));
    for (size_t i = 0; i < facts->len; i++)
        describe_row(ctx, t, facts->at[i].key, facts->at[i].value, S(""));
}

static void push_partitioning(CommandContext *ctx, ResultTable *t, const ObjectInfo *o)
{
    if (!o->partition_columns.len)
        return;
    describe_row(ctx, t, S("# Partition Information"), S(""), S(""));
    describe_row(ctx, t, S("# col_name"), S("data_type"), S("comment"));
    for (size_t i = 0; i < o->partition_columns.len; i++) {
        int at = type_field_index(o->schema, o->partition_columns.at[i], false);
        if (at >= 0)
            describe_push_column(ctx, t, &o->schema->structure.fields[at]);
    }
}

/* A Delta table, whose catalog lists it another way than Spark's own. */
static void delta_facts(CommandContext *ctx, const ObjectInfo *o, PropertyVec *out)
{
    const TableEntry *e = &o->resolved.entry;
    Buf b = buf_in(ctx->arena);
    if (o->resolved.kind == RESOLVED_PATH)
        push_fact(ctx, out, "Name", o->resolved.full_name);
    else {
        push_fact(ctx, out, "Catalog", e->catalog);
        push_fact(ctx, out, "Namespace", e->schema);
        push_fact(ctx, out, "Database", e->schema);
        push_fact(ctx, out, "Table", e->name);
    }
    push_fact(ctx, out, "Type", e->managed ? S("MANAGED") : S("EXTERNAL"));
    push_some(ctx, out, "Comment", o->comment);
    push_fact(ctx, out, "Location", location_uri(e->location, ctx->arena));
    push_fact(ctx, out, "Provider", e->provider);
    push_some(ctx, out, "Owner", e->owner);
    if (e->managed)
        push_fact(ctx, out, "Is_managed_location", S("true"));
    for (size_t i = 0; i < o->properties.len; i++)
        buf_addf(&b, "%s" STR_FMT "=" STR_FMT, i ? "," : "[", STR_ARG(o->properties.at[i].key),
                 STR_ARG(redacted_value(ctx->arena, o->properties.at[i].key, o->properties.at[i].value)));
    if (o->properties.len) {
        buf_addc(&b, ']');
        push_fact(ctx, out, "Table Properties", buf_str(&b));
    }
}

static void push_defaults(CommandContext *ctx, ResultTable *t, const ObjectInfo *o)
{
    bool any = false;
    for (size_t i = 0; i < o->schema->structure.count; i++) {
        const Field *f = &o->schema->structure.fields[i];
        Str sql = delta_default_expression(f, ctx->arena);
        if (!sql.len)
            continue;
        if (!any) {
            describe_row(ctx, t, S(""), S(""), S(""));
            describe_row(ctx, t, S("# Column Default Values"), S(""), S(""));
        }
        any = true;
        describe_row(ctx, t, f->name, object_type_text(f, ctx->arena), sql);
    }
}

static bool unknown_column(CommandContext *ctx, const ObjectInfo *o, const Name *column, Error *err)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < o->schema->structure.count && i < 5; i++)
        buf_addf(&b, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(o->schema->structure.fields[i].name));
    return error_set(err, ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION, P("objectName", name_quoted(column, ctx->arena)), P("proposal", buf_str(&b)));
}

/* What ANALYZE .. FOR COLUMNS found; NULL where it was not asked. */
static void push_column_statistics(CommandContext *ctx, ResultTable *t, const ObjectInfo *o, const Field *f)
{
    static const char *const KEYS[] = {"min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"};
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++) {
        Str found = detail_get(&o->resolved.entry.details, str_z(str_printf(ctx->arena, "columnStats." STR_FMT ".%s", STR_ARG(f->name), KEYS[i]), ctx->arena));
        describe_row(ctx, t, str_from(KEYS[i]), found.len ? found : S("NULL"), S(""));
    }
}

static bool describe_column(CommandContext *ctx, const Command *c, const ObjectInfo *o, BoundRel **result, Error *err)
{
    static const char *const NAMES[] = {"info_name", "info_value"};
    ResultTable t = {0};
    Name column;
    TRY(name_parse(c->describe.column, ctx->arena, &column, err));
    int at = type_field_index(o->schema, column.at[0], false);
    if (at < 0)
        return unknown_column(ctx, o, &column, err);
    if (column.len > 1)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1060, PZ("command", "DESC TABLE COLUMN"), P("column", name_text(&column, ctx->arena)));
    const Field *f = &o->schema->structure.fields[at];
    Str comment = field_metadata_get(f, "comment", ctx->arena);
    describe_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, false);
    describe_row(ctx, &t, S("col_name"), f->name, S(""));
    describe_row(ctx, &t, S("data_type"), object_type_text(f, ctx->arena), S(""));
    describe_row(ctx, &t, S("comment"), comment.len ? comment : S("NULL"), S(""));
    if (c->describe.extended && !o->snapshot)
        push_column_statistics(ctx, &t, o, f);
    *result = result_rel(ctx, &t);
    return true;
}

static bool one_json(CommandContext *ctx, Str json, BoundRel **result)
{
    static const char *const NAMES[] = {"json_metadata"};
    ResultTable t = {0};
    describe_fields(ctx, &t, 1, NAMES, false);
    describe_row(ctx, &t, json, S(""), S(""));
    *result = result_rel(ctx, &t);
    return true;
}

static void push_partition(CommandContext *ctx, ResultTable *t, const ObjectInfo *o, const PartitionEntry *p)
{
    const TableEntry *e = &o->resolved.entry;
    PropertyVec facts = {0}, storage = {0}, options = {0};
    push_fact(ctx, &facts, "Database", e->schema);
    push_fact(ctx, &facts, "Table", e->name);
    partition_facts(ctx, o, p, &facts);
    push_facts(ctx, t, "# Detailed Partition Information", &facts);
    bucket_facts(ctx, e, &storage);
    push_fact(ctx, &storage, "Location", location_uri(e->location, ctx->arena));
    table_options(ctx, e, &options);
    if (options.len)
        push_fact(ctx, &storage, "Storage Properties", property_list(ctx, &options));
    push_facts(ctx, t, "# Storage Information", &storage);
}

static bool check_partition(CommandContext *ctx, const ObjectInfo *o, const Name *name, Error *err)
{
    if (object_is_view(o))
        return error_set(err, ERR_FORBIDDEN_OPERATION, PZ("statement", "DESC PARTITION"),
                         PZ("objectType", o->resolved.kind == RESOLVED_TEMP_VIEW ? "TEMPORARY VIEW" : "VIEW"), P("objectName", name_quoted(name, ctx->arena)));
    if (o->snapshot || o->resolved.kind != RESOLVED_TABLE)
        return error_set(err, ERR_INVALID_PARTITION_OPERATION__PARTITION_MANAGEMENT_IS_UNSUPPORTED, P("name", name_quoted(name, ctx->arena)));
    return require_partitions(ctx, &o->resolved.entry, "DESC PARTITION", err);
}

bool describe_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ObjectInfo o;
    ResultTable t = {0};
    PropertyVec facts = {0};
    PartitionEntry partition;
    bool of_partition = c->describe.partition.len > 0;
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_object(ctx->analyzer, &name, c->origin, &o, err));
    if (of_partition)
        TRY(check_partition(ctx, &o, &name, err) && partition_open(ctx, &o.resolved.entry, &c->describe.partition, &partition, err));
    if (c->describe.as_json)
        return one_json(ctx, describe_json(ctx, &o, &name, of_partition ? &partition : NULL), result);
    if (c->describe.column.len)
        return describe_column(ctx, c, &o, result, err);
    describe_columns(ctx, &t);
    for (size_t i = 0; i < o.schema->structure.count; i++)
        describe_push_column(ctx, &t, &o.schema->structure.fields[i]);
    push_partitioning(ctx, &t, &o);
    if (of_partition && c->describe.extended)
        push_partition(ctx, &t, &o, &partition);
    else if (c->describe.extended && o.resolved.kind != RESOLVED_TEMP_VIEW) {
        if (o.snapshot)
            delta_facts(ctx, &o, &facts);
        else
            table_facts(ctx, &o, &name, false, &facts);
        push_facts(ctx, &t, "# Detailed Table Information", &facts);
    }
    if (!object_is_view(&o) && !of_partition && (c->describe.extended || !o.snapshot))
        push_defaults(ctx, &t, &o);
    *result = result_rel(ctx, &t);
    return true;
}
