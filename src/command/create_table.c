/* CREATE and REPLACE TABLE: from column definitions or a query to a table's first (or next) metadata. */
#include <string.h>

#include "base/json.h"
#include "command/alter_impl.h"
#include "command/create_impl.h"
#include "type/collation.h"

static bool is_strict(CommandContext *ctx)
{
    return session_bool(ctx->session, "lakeshed.strict", false);
}

/* ---- columns ---- */

Str column_def_metadata(CommandContext *ctx, const ColumnDef *d)
{
    Str json = {0};
    if (d->has_comment)
        json = field_metadata_with_text(json, "comment", d->comment, ctx->arena);
    if (d->default_sql.len)
        json = field_metadata_with_text(json, "CURRENT_DEFAULT", d->default_sql, ctx->arena);
    if (d->generated_sql.len)
        json = field_metadata_with_text(json, "delta.generationExpression", d->generated_sql, ctx->arena);
    DeltaIdentity identity = {.start = d->identity_start, .step = d->identity_step, .explicit_too = !d->identity_always};
    if (d->is_identity)
        json = identity_metadata(json, &identity, ctx->arena);
    bool plain = session_bool(ctx->session, "spark.sql.legacy.charVarcharAsString", false);
    if (!plain && type_char_as_string(d->type, ctx->arena) != d->type)
        json = field_metadata_with_text(json, "__CHAR_VARCHAR_TYPE_STRING", type_simple_string(d->type, ctx->arena), ctx->arena);
    return json;
}

static bool check_default(CommandContext *ctx, const ColumnDef *d, const KeyValueVec *properties, Error *err)
{
    if (!d->default_sql.len)
        return true;
    Str enabled = key_value_get(properties, "delta.feature.allowColumnDefaults");
    if (is_strict(ctx) && !str_is_ci(enabled, "supported") && !str_is_ci(enabled, "enabled"))
        return error_set(err, ERR_WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED, PZ("commandType", "CREATE TABLE"));
    Field f = {vec_last(&d->name), d->type, true, column_def_metadata(ctx, d)};
    BoundExpr *ignored;
    return column_default(ctx, &f, &ignored, err);
}


static bool duplicate_column(const FieldVec *fields, Str name, Error *err)
{
    for (size_t i = 0; i < fields->len; i++)
        if (str_ieq(fields->at[i].name, name))
            return !error_set(err, ERR_COLUMN_ALREADY_EXISTS, P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(str_lower(name, err->arena)))));
    return false;
}

static bool columns_of(CommandContext *ctx, const ColumnDefVec *defs, const KeyValueVec *properties, Str collation, FieldVec *out, Error *err)
{
    for (size_t i = 0; i < defs->len; i++) {
        const ColumnDef *d = &defs->at[i];
        Str name = vec_last(&d->name);
        TRY(check_identity_def(d, err));
        if (duplicate_column(out, name, err))
            return false;
        TRY(check_default(ctx, d, properties, err));
        Field f = {name, type_char_as_string(d->type, ctx->arena), !d->not_null, column_def_metadata(ctx, d)};
        if (collation.len)
            f.type = type_with_collation(f.type, collation, true, ctx->arena);
        vec_push(ctx->arena, out, f);
    }
    return true;
}

static void columns_of_query(CommandContext *ctx, const BoundRel *query, FieldVec *out)
{
    for (size_t i = 0; i < query->columns.len; i++) {
        const BoundColumn *c = &query->columns.at[i];
        const Type *type = type_unmapped(type_as_nullable(c->type, ctx->arena), ctx->arena);
        Field f = {c->name, type, true, field_metadata_of_its_own(c->metadata, ctx->arena)};
        vec_push(ctx->arena, out, f);
    }
}

static bool check_names(const Metadata *m, Error *err)
{
    Str bad = metadata_column_mapping(m) == MAPPING_NONE ? schema_unmappable_names(m->schema, err->arena) : S("");
    return !bad.len || error_set(err, ERR_DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES, P("invalidColumnNames", bad));
}

/* ---- partitioning ---- */

typedef struct Transform {
    const char *function;
    const char *suffix, *type, *expression; /* %s: the quoted column */
} Transform;

/* PARTITIONED BY (DATE(ts)) becomes a real generated column, which every engine prunes and writes correctly. */
static const Transform TRANSFORMS[] = {
    {"date", "date", "date", "CAST(%.*s AS DATE)"},
    {"days", "date", "date", "CAST(%.*s AS DATE)"},
    {"day", "date", "date", "CAST(%.*s AS DATE)"},
    {"to_date", "date", "date", "CAST(%.*s AS DATE)"},
    {"years", "year", "int", "YEAR(%.*s)"},
    {"year", "year", "int", "YEAR(%.*s)"},
    {"months", "month", "string", "DATE_FORMAT(%.*s, 'yyyy-MM')"},
    {"hours", "hour", "string", "DATE_FORMAT(%.*s, 'yyyy-MM-dd-HH')"},
};

static const Expr *transform_argument(const Expr *e, const Transform **transform)
{
    *transform = NULL;
    if (e->kind == EXPR_CAST && e->cast.type && e->cast.type->kind == TYPE_DATE) {
        *transform = &TRANSFORMS[0];
        return e->cast.child;
    }
    if (e->kind != EXPR_CALL || e->call.args.len != 1)
        return NULL;
    for (size_t i = 0; i < LENGTH_OF(TRANSFORMS); i++)
        if (str_is_ci(vec_last(&e->call.name), TRANSFORMS[i].function))
            *transform = &TRANSFORMS[i];
    return *transform ? e->call.args.at[0] : NULL;
}

static const Field *find_field(const FieldVec *fields, Str name)
{
    for (size_t i = 0; i < fields->len; i++)
        if (str_ieq(fields->at[i].name, name))
            return &fields->at[i];
    return NULL;
}

static bool partition_missing(const FieldVec *fields, Str name, Error *err)
{
    Buf b = buf_in(err->arena);
    for (size_t i = 0; i < fields->len; i++)
        buf_addf(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(fields->at[i].name));
    return error_set(err, ERR_DELTA_COLUMN_NOT_FOUND, P("columnName", name), P("columnList", buf_str(&b)));
}

static bool add_transform(CommandContext *ctx, const Expr *e, FieldVec *fields, Metadata *m, Error *err)
{
    const Transform *t;
    const Expr *argument = transform_argument(e, &t);
    if (argument && str_is(str_from(t->function), "identity"))
        argument = NULL;
    if (!argument || argument->kind != EXPR_COLUMN || is_strict(ctx))
        return error_set(err, ERR_DELTA_OPERATION_NOT_ALLOWED, PZ("operation", "`Partitioning by expressions` is not supported for Delta tables"));
    Str base = vec_last(&argument->column.name);
    const Field *source = find_field(fields, base);
    if (!source)
        return partition_missing(fields, base, err);
    Str name = str_printf(ctx->arena, STR_FMT "_%s", STR_ARG(source->name), t->suffix);
    Name one = {0};
    vec_push(ctx->arena, &one, source->name);
    Str quoted = name_text(&one, ctx->arena);
    if (!find_field(fields, name)) {
        const Type *type;
        TRY(type_from_ddl(str_from(t->type), ctx->arena, &type, err));
        Buf sql = buf_in(ctx->arena);
        const char *place = strstr(t->expression, "%.*s");
        buf_add_bytes(&sql, t->expression, (size_t)(place - t->expression));
        buf_add(&sql, quoted);
        buf_addz(&sql, place + 4);
        Field f = {name, type, true, field_metadata_with_text((Str){0}, "delta.generationExpression", buf_str(&sql), ctx->arena)};
        vec_push(ctx->arena, fields, f);
    }
    vec_push(ctx->arena, &m->partition_columns, name);
    return true;
}

static bool partitioning(CommandContext *ctx, const TableSpec *spec, FieldVec *fields, Metadata *m, Error *err)
{
    for (size_t i = 0; i < spec->partition_by.len; i++) {
        const Expr *e = spec->partition_by.at[i];
        if (e->kind == EXPR_CALL && e->call.args.len == 1 && str_is_ci(vec_last(&e->call.name), "identity"))
            e = e->call.args.at[0];
        if (e->kind != EXPR_COLUMN) {
            TRY(add_transform(ctx, e, fields, m, err));
            continue;
        }
        const Field *f = find_field(fields, vec_last(&e->column.name));
        if (!f)
            return partition_missing(fields, vec_last(&e->column.name), err);
        if (type_is_nested(f->type))
            return error_set(err, ERR_DELTA_INVALID_PARTITION_COLUMN_TYPE, P("name", f->name), P("dataType", type_simple_string(f->type, ctx->arena)));
        if (delta_is_identity(f))
            return error_set(err, ERR_DELTA_IDENTITY_COLUMNS_PARTITION_NOT_SUPPORTED, P("colName", f->name));
        vec_push(ctx->arena, &m->partition_columns, f->name);
    }
    for (size_t i = 0; i < spec->partition_columns.len; i++) {
        Str name = vec_last(&spec->partition_columns.at[i].name);
        vec_push(ctx->arena, &m->partition_columns, name);
    }
    if (fields->len && m->partition_columns.len == fields->len)
        return error_set(err, ERR_ALL_PARTITION_COLUMNS_NOT_ALLOWED);
    return true;
}

/* ---- metadata ---- */

/* Versions 1 and 2 unless the statement or the session asks for others; then what the metadata needs. */
static bool new_protocol(CommandContext *ctx, Metadata *m, const KeyValueVec *properties, ProtocolWish *wish, Protocol *p, Error *err)
{
    bool changed, plain = false;
    for (size_t i = 0; i < properties->len; i++)
        plain |= str_is_ci(properties->at[i].key, "delta.ignoreProtocolDefaults") && str_is_ci(properties->at[i].value, "true");
    ProtocolWish kept = *wish;
    TRY(default_properties(ctx, m, wish, err));
    iceberg_compat_complete(m, ctx->arena);
    if (plain)
        *wish = kept;
    wish->reader = wish->reader ? wish->reader : 1;
    wish->writer = wish->writer ? wish->writer : plain ? 1 : 2;
    *p = (Protocol){.min_reader = 1, .min_writer = 1};
    return protocol_fulfil(ctx, wish, p, err) && protocol_upgrade_for(p, m, ctx->arena, &changed, err);
}

static bool build_metadata(CommandContext *ctx, const Command *c, NewTable *t, Error *err)
{
    const TableSpec *spec = &c->table.spec;
    Metadata *m = ARENA_NEW(ctx->arena, Metadata);
    ProtocolWish wish = {0};
    FieldVec fields = {0};
    if (t->query)
        columns_of_query(ctx, t->query, &fields);
    else
        TRY(columns_of(ctx, &spec->columns, &spec->properties, t->collation, &fields, err));
    TRY(columns_of(ctx, &spec->partition_columns, &spec->properties, t->collation, &fields, err));
    TRY(partitioning(ctx, spec, &fields, m, err));
    if (spec->cluster_by_auto || (spec->cluster_by_given && !str_is(t->provider, "delta")))
        return error_unsupported(err, "this CLUSTER BY");
    if (spec->cluster_by.len && m->partition_columns.len)
        return error_set(err, ERR_DELTA_CLUSTER_BY_WITH_PARTITIONED_BY);
    t->clustered_by = spec->cluster_by;
    m->id = clock_uuid_in(ctx->arena);
    m->description = spec->comment;
    m->format_provider = S("parquet");
    m->schema = type_struct(fields.at, fields.len, ctx->arena);
    TRY(check_determinate(ctx, m->schema, err));
    for (size_t i = 0; i < m->partition_columns.len; i++)
        TRY(check_layout_column(ctx, m->schema, m->partition_columns.at[i], false, err));
    if (str_is(t->provider, "delta"))
        TRY(check_delta_collations(ctx, m->schema, err));
    m->schema_string = type_json(m->schema, ctx->arena);
    m->has_created_time = true;
    m->created_time_ms = clock_now_ms();
    for (size_t i = 0; i < spec->properties.len; i++) {
        Str key = spec->properties.at[i].key;
        TRY(check_reserved_property(key, err));
        if (!str_istarts_with(key, S("delta.feature.")) && !str_istarts_with(key, S("delta.constraints.")))
            TRY(check_delta_property(ctx, &key, spec->properties.at[i].value, err));
        bool taken;
        if (str_is_ci(key, CLUSTERING_FEATURE))
            return error_set(err, ERR_DELTA_CREATE_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED, PZ("tableFeature", "clustering"));
        TRY(protocol_property(ctx, key, spec->properties.at[i].value, &wish, &taken, err));
        if (!taken)
            metadata_set_property(m, key, spec->properties.at[i].value, ctx->arena);
    }
    for (size_t i = 0; i < spec->constraints.len; i++)
        if (str_is_ci(spec->constraints.at[i].kind, "CHECK"))
            metadata_set_property(m, str_printf(ctx->arena, "delta.constraints." STR_FMT, STR_ARG(str_lower(spec->constraints.at[i].name, ctx->arena))),
                                  spec->constraints.at[i].check_sql, ctx->arena);
    t->metadata = m;
    bool delta = str_is(t->provider, "delta");
    if (!delta && has_identity(m->schema)) {
        Str parts[3] = {S("spark_catalog"), t->schema, t->name};
        Name full = name_of(ctx->arena, 3, parts);
        return error_set(err, ERR_UNSUPPORTED_FEATURE__TABLE_OPERATION, P("tableName", name_quoted(&full, ctx->arena)), PZ("operation", "identity columns"));
    }
    if (delta)
        TRY(check_names(m, err));
    if (delta)
        TRY(new_protocol(ctx, m, &spec->properties, &wish, &t->protocol, err));
    TRY(check_log_retention(m, err));
    return !delta || stats_columns_check(ctx, m, err);
}

/* ---- where it lives ---- */

bool new_table_place(CommandContext *ctx, const Command *c, const Name *name, NewTable *t, Error *err)
{
    const TableSpec *spec = &c->table.spec;
    t->provider = spec->provider.len ? str_lower(spec->provider, ctx->arena) : S("delta");
    if (name->len == 2 && str_is_ci(name->at[0], "delta")) {
        t->location = name->at[1];
        return true;
    }
    TRY(command_object_name(ctx, name, &t->catalog, &t->schema, &t->name, err));
    Catalog *catalog = session_catalog(ctx->session);
    bool found;
    SchemaEntry schema;
    TRY(catalog_get_table(catalog, t->catalog, t->schema, t->name, ctx->arena, &t->exists_in_catalog, &t->old, err));
    TRY(catalog_has_catalog(catalog, t->catalog, &found, err));
    if (!found)
        return error_set(err, ERR_CATALOG_NOT_FOUND, P("catalogName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(t->catalog))),
                         P("config", str_printf(ctx->arena, "\"spark.sql.catalog." STR_FMT "\"", STR_ARG(t->catalog))));
    TRY(catalog_get_schema(catalog, t->catalog, t->schema, ctx->arena, &found, &schema, err));
    if (!found) {
        Str parts[2] = {t->catalog, t->schema};
        Name n = name_of(ctx->arena, 2, parts);
        return error_set(err, ERR_SCHEMA_NOT_FOUND, P("schemaName", name_quoted(&n, ctx->arena)));
    }
    t->id = clock_uuid_in(ctx->arena);
    Str path = key_value_get(&spec->options, "path");
    if (spec->location.len && path.len && !str_is(t->provider, "delta"))
        return error_set(err, ERR__LEGACY_ERROR_TEMP_0032, P("pathOne", path), P("pathTwo", spec->location));
    bool by_option = path.len && !spec->location.len && !str_is(t->provider, "delta");
    t->managed = !spec->location.len && !by_option;
    t->location = t->managed ? catalog_managed_location(catalog, &schema, t->name, t->id, ctx->arena) : by_option ? path : spec->location;
    if (str_starts_with(t->location, S("file:")))
        t->location = str_slice(t->location, str_starts_with(t->location, S("file://")) ? 7 : 5, t->location.len);
    if (t->location.len && t->location.ptr[0] != '/' && str_find(t->location, S("://")) < 0)
        t->location = str_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(schema.location), STR_ARG(t->location));
    return true;
}

static bool already_exists(CommandContext *ctx, const NewTable *t, Error *err)
{
    Str parts[3] = {t->catalog, t->schema, t->name};
    Name n = name_of(ctx->arena, 3, parts);
    return error_set(err, ERR_TABLE_OR_VIEW_ALREADY_EXISTS, P("relationName", name_quoted(&n, ctx->arena)));
}

/* ---- making it ---- */

static void push_names(CommandContext *ctx, PropertyVec *out, const char *prefix, const StrVec *names)
{
    for (size_t i = 0; i < names->len; i++)
        detail_set(out, str_printf(ctx->arena, "%s.%zu", prefix, i), names->at[i], ctx->arena);
}

static PropertyVec table_details(CommandContext *ctx, const NewTable *t, const TableSpec *spec)
{
    PropertyVec out = {0};
    if (t->metadata && t->metadata->partition_columns.len && session_bool(ctx->session, "spark.sql.hive.manageFilesourcePartitions", true))
        detail_set(&out, S("tracksPartitions"), S("true"), ctx->arena);
    if (!str_eq(spec->provider, t->provider) && spec->provider.len)
        detail_set(&out, S("providerText"), spec->provider, ctx->arena);
    if (spec->buckets) {
        detail_set(&out, S("numBuckets"), str_printf(ctx->arena, "%lld", (long long)spec->buckets), ctx->arena);
        push_names(ctx, &out, "bucketCol", &spec->bucket_by);
        push_names(ctx, &out, "sortCol", &spec->sort_by);
    }
    return out;
}

bool new_table_register(CommandContext *ctx, const NewTable *t, const TableSpec *spec, Error *err)
{
    if (!t->catalog.len)
        return true;
    TableEntry e = {.id = t->id, .catalog = t->catalog, .schema = t->schema, .name = t->name, .kind = OBJECT_TABLE, .provider = t->provider,
                    .location = t->location, .managed = t->managed, .comment = spec->comment, .owner = session_user(ctx->session)};
    if (!str_is(t->provider, "delta")) {
        e.details = table_details(ctx, t, spec);
        e.schema_json = t->metadata ? type_json_declared(t->metadata->schema, ctx->arena) : (Str){0};
        e.partition_columns.at = t->metadata ? t->metadata->partition_columns.at : NULL;
        e.partition_columns.len = t->metadata ? t->metadata->partition_columns.len : 0;
    }
    if (t->collation.len)
        detail_set(&e.details, S(OBJECT_COLLATION), t->collation, ctx->arena);
    for (size_t i = 0; i < spec->properties.len; i++) {
        Property p = {spec->properties.at[i].key, spec->properties.at[i].value, false};
        vec_push(ctx->arena, &e.properties, p);
    }
    for (size_t i = 0; i < spec->options.len; i++) {
        if (str_is_ci(spec->options.at[i].key, "path") && !str_is(t->provider, "delta"))
            continue;
        Property p = {str_printf(ctx->arena, "option." STR_FMT, STR_ARG(spec->options.at[i].key)), spec->options.at[i].value, false};
        vec_push(ctx->arena, &e.properties, p);
    }
    return t->exists_in_catalog ? catalog_update_table(session_catalog(ctx->session), &e, err)
                                : catalog_create_table(session_catalog(ctx->session), &e, err);
}

Str names_json(CommandContext *ctx, const DeltaStrVec *names)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < names->len; i++) {
        if (i)
            buf_addc(&b, ',');
        json_put_str(&b, names->at[i]);
    }
    buf_addc(&b, ']');
    return buf_str(&b);
}

static Str properties_json(CommandContext *ctx, const Metadata *m)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '{');
    for (size_t i = 0; i < m->configuration.len; i++) {
        if (i)
            buf_addc(&b, ',');
        json_put_str(&b, m->configuration.at[i].key);
        buf_addc(&b, ':');
        json_put_str(&b, m->configuration.at[i].value);
    }
    buf_addc(&b, '}');
    return buf_str(&b);
}

void note_table(CommandContext *ctx, const Metadata *m, const StrVec *clustered_by, bool managed, CommitNote *note)
{
    note_parameter_text(ctx, note, "partitionBy", names_json(ctx, &m->partition_columns));
    note_parameter_text(ctx, note, "clusterBy", clustering_json(ctx, clustered_by));
    if (m->description.len)
        note_parameter_text(ctx, note, "description", m->description);
    else
        note_parameter(ctx, note, "description", S("null"));
    note_parameter_text(ctx, note, "isManaged", managed ? S("true") : S("false"));
    note_parameter_text(ctx, note, "properties", properties_json(ctx, m));
}

static Str operation_name(const Command *c, const NewTable *t)
{
    bool as = t->query != NULL;
    if (c->table.replace)
        return as ? S("REPLACE TABLE AS SELECT") : S("REPLACE TABLE");
    if (c->existence == OR_REPLACE)
        return as ? S("CREATE OR REPLACE TABLE AS SELECT") : S("CREATE OR REPLACE TABLE");
    return as ? S("CREATE TABLE AS SELECT") : S("CREATE TABLE");
}

/* Ids of columns are never used again, so a replaced table counts on; its mode may not change. */
static bool keep_mapping(CommandContext *ctx, const Target *target, NewTable *t, Error *err)
{
    static const char MAX_ID[] = "delta.columnMapping.maxColumnId";
    Str highest = snapshot_property(target->snapshot, MAX_ID);
    ColumnMapping before = snapshot_column_mapping(target->snapshot), now = metadata_column_mapping(t->metadata);
    if (before != now && (before != MAPPING_NONE && now != MAPPING_NONE))
        return error_set(err, ERR_DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE, P("oldMode", mapping_name(before)),
                         P("newMode", mapping_name(now)));
    if (highest.len && now != MAPPING_NONE)
        metadata_set_property(t->metadata, S("delta.columnMapping.maxColumnId"), highest, ctx->arena);
    if (before != MAPPING_NONE && before == now)
        metadata_reuse_columns(t->metadata, snapshot_schema(target->snapshot), ctx->arena);
    metadata_map_columns(t->metadata, false, ctx->arena);
    return true;
}

/* As Delta does: what makes a table quicker to change or its rows traceable is switched off by name only. */
static void keep_comforts(CommandContext *ctx, const Target *target, Metadata *m)
{
    static const char *const KEYS[] = {"delta.enableDeletionVectors", "delta.checkpointPolicy", ROW_TRACKING_ENABLED};
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++) {
        Str was = snapshot_property(target->snapshot, KEYS[i]);
        if (was.len && !property_find(&m->configuration, str_from(KEYS[i])))
            metadata_set_property(m, str_from(KEYS[i]), was, ctx->arena);
    }
}

/* A replaced table keeps its id, its history and every feature it had. */
static bool keep_identity(CommandContext *ctx, const Target *target, NewTable *t, Error *err)
{
    if (!target->snapshot) {
        metadata_map_columns(t->metadata, false, ctx->arena);
        return true;
    }
    TRY(keep_mapping(ctx, target, t, err));
    keep_comforts(ctx, target, t->metadata);
    t->metadata->id = snapshot_metadata(target->snapshot)->id;
    bool changed;
    Protocol p = *snapshot_protocol(target->snapshot);
    TRY(protocol_upgrade_for(&p, t->metadata, ctx->arena, &changed, err));
    DeltaStrVec features = {0};
    protocol_features(&t->protocol, ctx->arena, &features);
    for (size_t i = 0; i < features.len; i++)
        TRY(protocol_add_feature(&p, str_z(features.at[i], ctx->arena), ctx->arena, err));
    t->protocol = p;
    return true;
}

static bool commit_empty(CommandContext *ctx, const Command *c, Target *target, NewTable *t, Error *err)
{
    CommitNote note = {.operation = operation_name(c, t), .started_us = clock_monotonic_us()};
    Transaction *x = transaction_begin(target->table, target->snapshot, ctx->arena);
    transaction_set_metadata(x, t->metadata);
    transaction_set_protocol(x, &t->protocol);
    if (target->snapshot) {
        FileList files = {0};
        snapshot_files(target->snapshot, ctx->arena, &files);
        for (size_t i = 0; i < files.len; i++)
            transaction_remove(x, files.at[i], true);
        transaction_read_whole_table(x);
    }
    if (t->clustering.domain.len)
        transaction_domain(x, &t->clustering);
    note_table(ctx, t->metadata, &t->clustered_by, t->managed, &note);
    bool ok = note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    return ok;
}

static bool commit_query(CommandContext *ctx, const Command *c, Target *target, NewTable *t, Error *err)
{
    CommitNote note = {0};
    bool saved = c->table.save_mode.len && !t->catalog.len;
    if (!saved)
        note_table(ctx, t->metadata, &t->clustered_by, t->managed, &note);
    TableWrite w = {.mode = target->snapshot ? WRITE_OVERWRITE : WRITE_APPEND, .rows = t->query, .align = {.by_name = true},
                    .operation = operation_name(c, t), .parameters = note.parameters, .new_metadata = t->metadata, .new_protocol = &t->protocol, .domain = t->clustering.domain.len ? &t->clustering : NULL, .files = {.file_count = asked_files(c->query), .max_records = -1}};
    TRY(file_choices(&c->table.spec.options, &w.files, err));
    if (saved) {
        w.operation = S("WRITE");
        w.mode_name = c->table.save_mode;
    }
    TRY(txn_mark_of_options(&c->table.spec.options, &w.txn, err));
    write_as_stream(ctx, c, &w);
    return write_to_table(ctx, target, &w, NULL, err);
}

bool new_table_open(CommandContext *ctx, NewTable *t, Target *target, Error *err)
{
    *target = (Target){.name = t->name.len ? t->name : t->location};
    TRY(target_table(ctx, t->location, target, err));
    TRY(delta_table_exists(target->table, &t->exists_in_log, err));
    return !t->exists_in_log || target_refresh(ctx, target, err);
}

/* CREATE TABLE t LOCATION 'existing' adopts the table; columns given must be the table's own. */
static bool adopt(CommandContext *ctx, const Command *c, const Target *target, NewTable *t, Error *err)
{
    if (c->table.spec.columns.len) {
        TRY(build_metadata(ctx, c, t, err));
        if (!type_same_shape(t->metadata->schema, snapshot_schema(target->snapshot)))
            return error_set(err, ERR_DELTA_CREATE_TABLE_SCHEME_MISMATCH, P("path", t->location), P("specifiedSchema", type_tree_string(t->metadata->schema, 0, ctx->arena)),
                             P("existingSchema", type_tree_string(snapshot_schema(target->snapshot), 0, ctx->arena)), PZ("schemaDifferences", ""));
    }
    return new_table_register(ctx, t, &c->table.spec, err);
}

static bool create_delta(CommandContext *ctx, const Command *c, NewTable *t, Error *err)
{
    Target target;
    bool replace = c->table.replace || c->existence == OR_REPLACE;
    TRY(new_table_open(ctx, t, &target, err));
    if (t->exists_in_log && !replace) {
        if (t->query)
            return error_set(err, ERR_DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION, P("tableId", t->name), P("tableLocation", t->location));
        if (!t->catalog.len)
            return c->existence == IF_NOT_EXISTS || error_set(err, ERR_DELTA_TABLE_ALREADY_EXISTS, P("tableName", target.name));
        return adopt(ctx, c, &target, t, err);
    }
    if (!t->query && !c->table.spec.columns.len && t->catalog.len && c->table.spec.location.len)
        return error_set(err, ERR_DELTA_CREATE_EXTERNAL_TABLE_WITHOUT_TXN_LOG, P("path", t->location), P("tableName", t->name), P("logPath", str_printf(ctx->arena, STR_FMT "/_delta_log", STR_ARG(t->location))));
    TRY(build_metadata(ctx, c, t, err));
    TRY(keep_identity(ctx, &target, t, err));
    metadata_name_row_columns(t->metadata, &t->protocol, target.snapshot ? snapshot_metadata(target.snapshot) : NULL, ctx->arena);
    if (t->clustered_by.len || (target.snapshot && snapshot_domain(target.snapshot, S("delta.clustering")).len)) {
        TRY(clustering_domain(ctx, t->metadata, &t->clustered_by, &t->clustering, err));
        TRY(protocol_add_feature(&t->protocol, "clustering", ctx->arena, err));
    }
    TRY(t->query ? commit_query(ctx, c, &target, t, err) : commit_empty(ctx, c, &target, t, err));
    return new_table_register(ctx, t, &c->table.spec, err);
}

static bool check_buckets(CommandContext *ctx, const Command *c, const NewTable *t, Error *err)
{
    const TableSpec *spec = &c->table.spec;
    const Type *schema = t->metadata->schema;
    if (!spec->bucket_by.len)
        return true;
    if (spec->buckets <= 0 || spec->buckets > 100000)
        return error_set(err, ERR_INVALID_BUCKET_COUNT, PZ("bucketingMaxBuckets", "100000"),
                         P("numBuckets", str_printf(ctx->arena, "%lld", (long long)spec->buckets)));
    for (size_t i = 0; i < spec->bucket_by.len; i++)
        TRY(check_layout_column(ctx, schema, spec->bucket_by.at[i], true, err));
    for (size_t i = 0; i < spec->bucket_by.len + spec->sort_by.len; i++) {
        Str name = i < spec->bucket_by.len ? spec->bucket_by.at[i] : spec->sort_by.at[i - spec->bucket_by.len];
        if (type_field_index(schema, name, false) < 0)
            return error_set(err, ERR_COLUMN_NOT_DEFINED_IN_TABLE, PZ("colType", i < spec->bucket_by.len ? "bucket" : "sort"),
                             P("colName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(name))), P("tableName", t->name),
                             P("tableCols", type_simple_string(schema, ctx->arena)));
    }
    return true;
}

/* Tables of files keep the columns of their partitions last, in the order of PARTITIONED BY. */
static void partitions_last(CommandContext *ctx, NewTable *t)
{
    FieldVec fields = {0};
    const Type *schema = t->metadata->schema;
    const DeltaStrVec *names = &t->metadata->partition_columns;
    if (!names->len)
        return;
    for (size_t i = 0; i < schema->structure.count; i++) {
        bool is_partition = false;
        for (size_t k = 0; k < names->len; k++)
            is_partition |= str_ieq(names->at[k], schema->structure.fields[i].name);
        if (!is_partition)
            vec_push(ctx->arena, &fields, schema->structure.fields[i]);
    }
    BoundRel *p = t->query ? build_project(ctx, t->query) : NULL;
    for (size_t k = 0; k < names->len; k++) {
        int at = type_field_index(schema, names->at[k], false);
        if (at >= 0)
            vec_push(ctx->arena, &fields, schema->structure.fields[at]);
    }
    for (size_t i = 0; p && i < fields.len; i++) {
        int at = type_field_index(schema, fields.at[i].name, false);
        build_push(ctx, p, bound_column(&t->query->columns.at[at], ctx->arena), fields.at[i].name);
    }
    t->query = p;
    metadata_set_schema(ctx, t->metadata, type_struct(fields.at, fields.len, ctx->arena));
}

static bool create_files(CommandContext *ctx, const Command *c, NewTable *t, Error *err)
{
    Store *store;
    TRY(build_metadata(ctx, c, t, err));
    TRY(check_buckets(ctx, c, t, err));
    partitions_last(ctx, t);
    if (t->exists_in_catalog)
        TRY(catalog_drop_partitions(session_catalog(ctx->session), t->id, err));
    TRY(store_open(t->location, ctx->arena, &store, err));
    TRY(store_make_folder(store, S(""), err));
    TRY(new_table_register(ctx, t, &c->table.spec, err));
    if (t->query) {
        bool found;
        TRY(catalog_get_table(session_catalog(ctx->session), t->catalog, t->schema, t->name, ctx->arena, &found, &t->old, err));
        FileWrite w = {.overwrite = t->exists_in_catalog};
        bool written = write_file_table(ctx, &t->old, t->metadata->schema, t->query, &w, err);
        if (!written && !t->exists_in_catalog) {
            Error ignored = error_in(ctx->arena);
            if (!catalog_drop_table(session_catalog(ctx->session), t->catalog, t->schema, t->name, &ignored))
                error_clear(&ignored);
        }
        return written;
    }
    return true;
}

/* The columns and layout of a table of files, or of a view. */
static bool copy_object(CommandContext *ctx, const Command *c, Command *out, Error *err)
{
    ObjectInfo o;
    StrVec partitions;
    TRY(analyze_object(ctx->analyzer, &c->table.like, c->origin, &o, err));
    TableSpec *spec = &out->table.spec;
    const TableEntry *e = &o.resolved.entry;
    for (size_t i = 0; i < o.schema->structure.count; i++) {
        const Field *f = &o.schema->structure.fields[i];
        ColumnDef d = {.origin = {0, -1}};
        TRY(field_declared_type(f, ctx->arena, &d.type, err));
        vec_push(ctx->arena, &d.name, f->name);
        d.default_sql = delta_default_expression(f, ctx->arena);
        d.comment = field_metadata_get(f, "comment", ctx->arena);
        d.has_comment = d.comment.len > 0;
        vec_push(ctx->arena, &spec->columns, d);
    }
    partitions = o.partition_columns;
    for (size_t i = 0; i < partitions.len; i++)
        vec_push(ctx->arena, &spec->partition_by, expr_column(ctx->arena, partitions.at[i]));
    if (object_is_view(&o))
        return true;
    if (!spec->comment.len)
        spec->comment = o.comment;
    detail_list(&e->details, "bucketCol", ctx->arena, &spec->bucket_by);
    detail_list(&e->details, "sortCol", ctx->arena, &spec->sort_by);
    return !spec->bucket_by.len || str_to_i64(detail_get(&e->details, "numBuckets"), &spec->buckets);
}

static bool copy_definition(CommandContext *ctx, const Command *c, const ResolvedTable *like, Command *out, Error *err)
{
    Target source;
    *out = *c;
    if (!is_delta(like))
        return copy_object(ctx, c, out, err);
    TRY(target_open(ctx, &c->table.like, c->origin, &source, err));
    const Type *schema = snapshot_schema(source.snapshot);
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        ColumnDef d = {.type = type_unmapped(f->type, ctx->arena), .not_null = !f->nullable, .origin = {0, -1}};
        vec_push(ctx->arena, &d.name, f->name);
        d.default_sql = delta_default_expression(f, ctx->arena);
        d.generated_sql = delta_generation_expression(f, ctx->arena);
        d.comment = field_metadata_get(f, "comment", ctx->arena);
        d.has_comment = d.comment.len > 0;
        vec_push(ctx->arena, &out->table.spec.columns, d);
    }
    const Metadata *m = snapshot_metadata(source.snapshot);
    for (size_t i = 0; i < m->partition_columns.len; i++)
        vec_push(ctx->arena, &out->table.spec.partition_by, expr_column(ctx->arena, m->partition_columns.at[i]));
    for (size_t i = 0; i < m->configuration.len; i++) {
        KeyValue kv = {m->configuration.at[i].key, m->configuration.at[i].value, NULL};
        if (!str_is(kv.key, "delta.columnMapping.maxColumnId") && !str_starts_with(kv.key, S(ROW_TRACKING_DOMAIN ".")))
            vec_push(ctx->arena, &out->table.spec.properties, kv);
    }
    return true;
}

bool run_create_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    NewTable t = {0};
    Command copied;
    *result = result_none(ctx);
    if (c->table.clone_source.len)
        return run_clone(ctx, c, result, err);
    TRY(command_name(ctx, c, &name, err));
    TRY(new_table_place(ctx, c, &name, &t, err));
    TRY(object_collation(ctx, c->table.spec.collation, t.catalog, t.schema, &t.collation, err));
    ResolvedTable like;
    if (c->table.like.len) {
        TRY(analyze_table_name(ctx->analyzer, &c->table.like, c->origin, &like, err));
        if (!c->table.spec.provider.len && like.kind == RESOLVED_TABLE)
            t.provider = like.entry.provider;
    }
    bool replace = c->table.replace || c->existence == OR_REPLACE;
    if (t.exists_in_catalog && !replace)
        return c->existence == IF_NOT_EXISTS || already_exists(ctx, &t, err);
    if (t.exists_in_catalog && t.old.kind == OBJECT_VIEW)
        return already_exists(ctx, &t, err);
    if (c->table.replace && c->existence != OR_REPLACE && !t.exists_in_catalog && t.catalog.len)
        return error_set(err, ERR_TABLE_OR_VIEW_NOT_FOUND, P("relationName", name_quoted(&name, ctx->arena)));
    if (t.exists_in_catalog) {
        t.location = t.old.location;
        t.managed = t.old.managed;
        t.id = t.old.id;
    }
    if (c->table.like.len) {
        TRY(copy_definition(ctx, c, &like, &copied, err));
        c = &copied;
    }
    if (c->query)
        TRY(analyze_query_of(ctx->analyzer, c->query, t.collation, &t.query, err));
    if (str_is(t.provider, "delta"))
        return create_delta(ctx, c, &t, err);
    static const char *const FILES[] = {"parquet", "csv", "json", "text", "avro", "orc"};
    for (size_t i = 0; i < LENGTH_OF(FILES); i++)
        if (str_is(t.provider, FILES[i]))
            return create_files(ctx, c, &t, err);
    return error_set(err, ERR_DATA_SOURCE_NOT_FOUND, P("provider", t.provider));
}
