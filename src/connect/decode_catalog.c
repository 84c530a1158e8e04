/* spark.catalog calls: what answers with rows is a relation, what changes something is a command. */
#include <ctype.h>

#include "base/buf.h"

#include "connect/decode_impl.h"

#define CAT(name) SPARK__CONNECT__CATALOG__CAT_TYPE_##name

/* ---- calls that answer with rows ---- */

/* "list_databases" is "listDatabases". */
static Str camel_case(const char *name, Arena *arena)
{
    Buf b = buf_in(arena);
    for (const char *c = name; *c != '\0'; c++)
        buf_addc(&b, *c == '_' && c[1] != '\0' ? (char)toupper((unsigned char)*++c) : *c);
    return buf_str(&b);
}

/* The messages have text and boolean fields only, so that their own descriptors say how to read them. */
static void read_fields(Decoder *d, const ProtobufCMessage *message, KeyValueVec *out)
{
    const ProtobufCMessageDescriptor *m = message->descriptor;
    for (unsigned i = 0; i < m->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->fields[i];
        const char *at = (const char *)message + f->offset;
        KeyValue one = {.key = str_from(f->name)};
        if (f->type == PROTOBUF_C_TYPE_STRING && f->label != PROTOBUF_C_LABEL_REPEATED) {
            if (*(char *const *)at == NULL)
                continue;
            one.value = wire_str(*(char *const *)at);
        } else if (f->type == PROTOBUF_C_TYPE_BOOL && f->label != PROTOBUF_C_LABEL_REPEATED) {
            one.value = *(const protobuf_c_boolean *)at ? S("true") : S("false");
        } else {
            continue;
        }
        vec_push(d->arena, out, one);
    }
}

static bool decode_question(Decoder *d, const PB(Catalog) *c, Rel **out)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(c->base.descriptor, (unsigned)c->cat_type_case);
    *out = rel_new(REL_CATALOG, NULL, d->arena);
    (*out)->catalog.call = camel_case(field->name, d->arena);
    /* Every member of the oneof is a message, held by a pointer at the same place. */
    read_fields(d, &c->current_database->base, &(*out)->catalog.args);
    return true;
}

/* ---- calls that change something ---- */

static Command *new_command(Decoder *d, CommandKind kind)
{
    return d->command = command_new(kind, d->arena);
}

static bool named_command(Decoder *d, CommandKind kind, const char *name)
{
    return decode_name(d, name, &new_command(d, kind)->name);
}

/* pyspark lets a database be named "catalog.database", and a bare name may need no quotes: "my-db". */
static bool one_name(Decoder *d, CommandKind kind, const char *name)
{
    Str text = wire_str(name);
    new_command(d, kind)->name = name_of(d->arena, 1, &text);
    return true;
}

static bool decode_create_table(Decoder *d, const char *name, const char *path, const char *source,
                                const char *description, const PB(DataType) *schema, KeyValueVec options, Rel **then)
{
    Command *c = new_command(d, CMD_CREATE_TABLE);
    DECODE(decode_name(d, name, &c->name));
    TableSpec *spec = &c->table.spec;
    spec->provider = wire_str(source);
    spec->location = wire_str(path);
    spec->external = spec->location.len > 0;
    spec->comment = wire_str(description);
    spec->options = options;
    if (spec->location.len == 0)
        spec->location = key_value_get(&options, "path");
    if (schema != NULL) {
        const Type *type;
        DECODE(decode_type(schema, d->arena, &type, d->err));
        for (size_t i = 0; type->kind == TYPE_STRUCT && i < type->structure.count; i++) {
            const Field *f = &type->structure.fields[i];
            ColumnDef column = {.name = name_of(d->arena, 1, &f->name), .type = f->type, .not_null = !f->nullable};
            vec_push(d->arena, &spec->columns, column);
        }
    }
    *then = rel_new(REL_NAMED_TABLE, NULL, d->arena);
    (*then)->table.name = c->name;
    return true;
}

static bool decode_catalog_command(Decoder *d, const PB(Catalog) *c, Rel **then)
{
    switch (c->cat_type_case) {
    case CAT(SET_CURRENT_DATABASE): return named_command(d, CMD_USE, c->set_current_database->db_name);
    case CAT(SET_CURRENT_CATALOG):
        DECODE(one_name(d, CMD_USE, c->set_current_catalog->catalog_name));
        d->command->use.is_catalog = true;
        return true;
    case CAT(CREATE_EXTERNAL_TABLE): {
        const PB(CreateExternalTable) *t = c->create_external_table;
        return decode_create_table(d, t->table_name, t->path, t->source, NULL, t->schema,
                                   DECODE_OPTIONS(d, t, options), then);
    }
    case CAT(CREATE_TABLE): {
        const PB(CreateTable) *t = c->create_table;
        return decode_create_table(d, t->table_name, t->path, t->source, t->description, t->schema,
                                   DECODE_OPTIONS(d, t, options), then);
    }
    case CAT(RECOVER_PARTITIONS):
        DECODE(named_command(d, CMD_ALTER_TABLE, c->recover_partitions->table_name));
        d->command->alter.kind = ALTER_RECOVER_PARTITIONS;
        return true;
    case CAT(CACHE_TABLE): return named_command(d, CMD_CACHE, c->cache_table->table_name);
    case CAT(UNCACHE_TABLE): return named_command(d, CMD_UNCACHE, c->uncache_table->table_name);
    case CAT(CLEAR_CACHE): new_command(d, CMD_UNCACHE); return true;
    case CAT(REFRESH_TABLE): return named_command(d, CMD_REFRESH, c->refresh_table->table_name);
    case CAT(REFRESH_BY_PATH): new_command(d, CMD_REFRESH)->comment = wire_str(c->refresh_by_path->path); return true;
    case CAT(DROP_TABLE):
        DECODE(named_command(d, CMD_DROP_TABLE, c->drop_table->table_name));
        d->command->existence = c->drop_table->if_exists ? IF_EXISTS : IF_NOT_GIVEN;
        d->command->table.purge = c->drop_table->purge;
        return true;
    case CAT(DROP_VIEW):
        DECODE(named_command(d, CMD_DROP_VIEW, c->drop_view->view_name));
        d->command->existence = c->drop_view->if_exists ? IF_EXISTS : IF_NOT_GIVEN;
        return true;
    case CAT(CREATE_DATABASE):
        DECODE(named_command(d, CMD_CREATE_SCHEMA, c->create_database->db_name));
        d->command->existence = c->create_database->if_not_exists ? IF_NOT_EXISTS : IF_NOT_GIVEN;
        d->command->properties = DECODE_OPTIONS(d, c->create_database, properties);
        return true;
    case CAT(DROP_DATABASE):
        DECODE(named_command(d, CMD_DROP_SCHEMA, c->drop_database->db_name));
        d->command->existence = c->drop_database->if_exists ? IF_EXISTS : IF_NOT_GIVEN;
        d->command->container.cascade = c->drop_database->cascade;
        return true;
    case CAT(TRUNCATE_TABLE): return named_command(d, CMD_TRUNCATE, c->truncate_table->table_name);
    default: return named_command(d, CMD_ANALYZE, c->analyze_table->table_name);
    }
}

bool decode_catalog(Decoder *d, const PB(Catalog) *c, Rel **out)
{
    *out = NULL;
    switch (c->cat_type_case) {
    case CAT(_NOT_SET):
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                         PZ("fullName", "spark.connect.Catalog.cat_type"), PZ("name", "cat_type"));
    case CAT(SET_CURRENT_DATABASE):
    case CAT(SET_CURRENT_CATALOG):
    case CAT(CREATE_EXTERNAL_TABLE):
    case CAT(CREATE_TABLE):
    case CAT(RECOVER_PARTITIONS):
    case CAT(CACHE_TABLE):
    case CAT(UNCACHE_TABLE):
    case CAT(CLEAR_CACHE):
    case CAT(REFRESH_TABLE):
    case CAT(REFRESH_BY_PATH):
    case CAT(DROP_TABLE):
    case CAT(DROP_VIEW):
    case CAT(CREATE_DATABASE):
    case CAT(DROP_DATABASE):
    case CAT(TRUNCATE_TABLE):
    case CAT(ANALYZE_TABLE): return decode_catalog_command(d, c, out);
    default: return decode_question(d, c, out);
    }
}
