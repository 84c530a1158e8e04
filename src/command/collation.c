/* Default collations of tables, views and schemas, and where collated columns may not stand. */
#include "command/alter_impl.h"
#include "type/collation.h"

/* The one spelling of a name; what is not offered by setting is refused first. */
bool command_collation(CommandContext *ctx, Str written, bool of_schema, Str *out, Error *err)
{
    *out = S("");
    if (!written.len)
        return true;
    if (!session_bool(ctx->session, of_schema ? "spark.sql.collation.schemaLevel.enabled" : "spark.sql.collation.objectLevel.enabled", !of_schema))
        return error_set(err, of_schema ? ERR_UNSUPPORTED_FEATURE__SCHEMA_LEVEL_COLLATIONS : ERR_UNSUPPORTED_FEATURE__OBJECT_LEVEL_COLLATIONS);
    TRY(type_collation(written, ctx->arena, out, err));
    if (!out->len)
        *out = S("UTF8_BINARY");
    return true;
}

/* What an object is made with: its own, else that of its schema. */
bool object_collation(CommandContext *ctx, Str written, Str catalog, Str schema, Str *out, Error *err)
{
    bool found;
    SchemaEntry s;
    TRY(command_collation(ctx, written, false, out, err));
    if (out->len || !catalog.len)
        return true;
    TRY(catalog_get_schema(session_catalog(ctx->session), catalog, schema, ctx->arena, &found, &s, err));
    if (found)
        *out = detail_get(&s.properties, SCHEMA_COLLATION);
    return true;
}

typedef void (*FoundString)(const Type *t, Str path, void *arg, Arena *arena);

/* Calls for every string inside, with its path; arrays and maps are named by `element`, `key` and `value`. */
static void each_string(const Type *t, Str path, const char *const parts[3], FoundString found, void *arg, Arena *arena)
{
    switch (t->kind) {
    case TYPE_STRING:
        found(t, path, arg, arena);
        return;
    case TYPE_ARRAY:
        each_string(t->array.element, str_concat(arena, path, str_from(parts[0])), parts, found, arg, arena);
        return;
    case TYPE_MAP:
        each_string(t->map.key, str_concat(arena, path, str_from(parts[1])), parts, found, arg, arena);
        each_string(t->map.value, str_concat(arena, path, str_from(parts[2])), parts, found, arg, arena);
        return;
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            each_string(t->structure.fields[i].type,
                        path.len ? str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(path), STR_ARG(t->structure.fields[i].name))
                                 : t->structure.fields[i].name,
                        parts, found, arg, arena);
        return;
    default:
        return;
    }
}

static void list_indeterminate(const Type *t, Str path, void *arg, Arena *arena)
{
    (void)arena;
    Buf *b = arg;
    if (type_is_indeterminate(t))
        buf_addf(b, "%s" STR_FMT, b->len ? ", " : "", STR_ARG(path));
}

static void list_collated(const Type *t, Str path, void *arg, Arena *arena)
{
    (void)arena;
    Buf *b = arg;
    if (type_is_collated(t))
        buf_addf(b, "%s" STR_FMT ": StringType(" STR_FMT ")", b->len ? ", " : "", STR_ARG(path), STR_ARG(t->string.collation));
}

bool check_determinate(CommandContext *ctx, const Type *schema, Error *err)
{
    static const char *const PARTS[3] = {".element", ".key", ".value"};
    Buf b = buf_in(ctx->arena);
    if (type_is_indeterminate(schema))
        each_string(schema, S(""), PARTS, list_indeterminate, &b, ctx->arena);
    return !b.len || error_set(err, ERR_INDETERMINATE_COLLATION_IN_SCHEMA, P("columnPaths", buf_str(&b)));
}

/* Open-source Delta keeps no collated columns; Databricks' does. */
bool check_delta_collations(CommandContext *ctx, const Type *schema, Error *err)
{
    static const char *const PARTS[3] = {"[]", "[key]", "[value]"};
    static const char CHECK[] = "spark.databricks.delta.schema.typeCheck.enabled";
    if (!type_is_collated(schema) || !session_bool(ctx->session, "lakeshed.strict", false) || !session_bool(ctx->session, CHECK, true))
        return true;
    Buf b = buf_in(ctx->arena);
    each_string(schema, S(""), PARTS, list_collated, &b, ctx->arena);
    return error_set(err, ERR_DELTA_UNSUPPORTED_DATA_TYPES, P("dataTypeList", str_printf(ctx->arena, "[" STR_FMT "]", STR_ARG(buf_str(&b)))),
                     PZ("config", CHECK));
}

/* Rows are not laid out by columns that compare otherwise than their bytes. */
bool check_layout_column(CommandContext *ctx, const Type *schema, Str name, bool bucket, Error *err)
{
    int at = type_field_index(schema, name, false);
    if (at < 0 || (!type_is_collated(schema->structure.fields[at].type) && !type_contains(schema->structure.fields[at].type, TYPE_VARIANT)))
        return true;
    return error_set(err, bucket ? ERR_INVALID_BUCKET_COLUMN_DATA_TYPE : ERR_INVALID_PARTITION_COLUMN_DATA_TYPE,
                     P("type", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(schema->structure.fields[at].type, ctx->arena)))));
}

bool set_default_collation(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    Str collation;
    TRY(command_collation(ctx, c->alter.new_name, false, &collation, err));
    detail_set(&e->details, S(OBJECT_COLLATION), collation, ctx->arena);
    return catalog_update_table(session_catalog(ctx->session), e, err);
}
