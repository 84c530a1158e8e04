/* Catalogs and schemas: creating, listing, dropping. */
#include "catalog/catalog_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

/* ---- shared ---- */

Str stored_name(Str name, Arena *arena)
{
    return str_lower(name, arena);
}

/* Programs written for open-source Spark call the default catalog spark_catalog. */
Str stored_catalog(Str name, Arena *arena)
{
    return str_is_ci(name, "spark_catalog") ? S("main") : str_lower(name, arena);
}

Str property_list_text(const PropertyVec *properties, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addc(&b, '{');
    for (size_t i = 0; i < properties->len; i++) {
        if (i)
            buf_addc(&b, ',');
        json_put_str(&b, properties->at[i].key);
        buf_addc(&b, ':');
        json_put_str(&b, properties->at[i].value);
    }
    buf_addc(&b, '}');
    return buf_str(&b);
}

bool property_list_parse(Str text, Arena *arena, PropertyVec *out, Error *err)
{
    yyjson_val *root, *key;
    TRY(json_parse(text, S("catalog properties"), arena, &root, err));
    yyjson_obj_iter it = yyjson_obj_iter_with(root);
    while ((key = yyjson_obj_iter_next(&it))) {
        Property p = {json_str(key), json_str(yyjson_obj_iter_get_val(key)), false};
        vec_push(arena, out, p);
    }
    return true;
}

static Str quoted(Str name, Arena *arena)
{
    return str_printf(arena, "`" STR_FMT "`", STR_ARG(name));
}

bool catalog_missing(Str catalog, Error *err)
{
    return error_set(err, ERR_CATALOG_NOT_FOUND, P("catalogName", quoted(catalog, err->arena)),
                     P("config", str_printf(err->arena, "\"spark.sql.catalog." STR_FMT "\"", STR_ARG(catalog))));
}

bool schema_missing(Str catalog, Str schema, Error *err)
{
    Str parts[2] = {catalog, schema};
    Name n = name_of(err->arena, 2, parts);
    return error_set(err, ERR_SCHEMA_NOT_FOUND, P("schemaName", name_quoted(&n, err->arena)));
}

/* ---- opening ---- */

static bool make_folder(Str path, Error *err)
{
    char *z = str_z(path, err->arena);
    for (char *p = z + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            if (mkdir(z, 0755) && errno != EEXIST)
                return error_set(err, ERR_LAKESHED_FILE, PZ("path", z), PZ("reason", strerror(errno)));
            *p = '/';
        }
    if (mkdir(z, 0755) && errno != EEXIST)
        return error_set(err, ERR_LAKESHED_FILE, PZ("path", z), PZ("reason", strerror(errno)));
    return true;
}

static bool first_entries(Catalog *c, Error *err)
{
    CatalogEntry e = {.name = S("main")};
    return catalog_create_catalog(c, &e, true, err);
}

bool catalog_open(Str data_folder, Catalog **out, Error *err)
{
    TRY(make_folder(data_folder, err));
    char absolute[PATH_MAX];
    if (!realpath(str_z(data_folder, err->arena), absolute))
        return error_set(err, ERR_LAKESHED_FILE, P("path", data_folder), PZ("reason", strerror(errno)));
    Catalog *c = calloc(1, sizeof *c);
    if (!c)
        panic("out of memory");
    c->own = arena_new();
    c->names_arena = arena_new();
    c->tables = map_in(c->names_arena);
    c->data_folder = str_copy(str_from(absolute), c->own);
    pthread_mutex_init(&c->lock, NULL);
    Str file = str_printf(c->own, "%s/metadata.sqlite", absolute);
    if (!db_open(file, CATALOG_MIGRATIONS, CATALOG_MIGRATION_COUNT, &c->db, err) || !first_entries(c, err)) {
        catalog_close(c);
        return false;
    }
    *out = c;
    return true;
}

void catalog_close(Catalog *c)
{
    if (!c)
        return;
    for (MapEntry *e = map_first(&c->tables); e; e = map_next(&c->tables, e))
        delta_table_unref(e->value);
    db_close(c->db);
    pthread_mutex_destroy(&c->lock);
    arena_free(c->names_arena);
    arena_free(c->own);
    free(c);
}

/* ---- catalogs ---- */

/* 255 characters at most; no '.', '/', space or control characters: the Unity Catalog rules for names. */
static bool check_name(Str name, Error *err)
{
    bool ok = name.len > 0 && name.len <= 255;
    for (size_t i = 0; i < name.len && ok; i++) {
        unsigned char ch = (unsigned char)name.ptr[i];
        ok = ch > 0x20 && ch != 0x7F && ch != '/' && ch != '.';
    }
    return ok || error_set(err, ERR_INVALID_SCHEMA_OR_RELATION_NAME, P("name", quoted(name, err->arena)));
}

bool catalog_create_catalog(Catalog *c, const CatalogEntry *e, bool if_not_exists, Error *err)
{
    TRY(check_name(e->name, err));
    Str name = stored_name(e->name, err->arena);
    bool duplicate;
    DbValue params[] = {DB_T(name), DB_T(e->comment), DB_T(e->owner), DB_T(property_list_text(&e->properties, err->arena)),
                        DB_I(clock_now_ms())};
    TRY(db_change(c->db, "INSERT INTO catalogs (name, comment, owner, properties, created_ms) VALUES (?, ?, ?, ?, ?)", params,
                  LENGTH_OF(params), NULL, &duplicate, err));
    if (duplicate)
        return if_not_exists || error_set(err, ERR_CATALOG_ALREADY_EXISTS, P("catalogName", quoted(name, err->arena)));
    SchemaEntry s = {.catalog = name, .name = S("default")};
    return catalog_create_schema(c, &s, true, err);
}

bool catalog_has_catalog(Catalog *c, Str name, bool *found, Error *err)
{
    DbRowVec rows = {0};
    DbValue param = DB_T(stored_catalog(name, err->arena));
    TRY(db_query(c->db, "SELECT 1 FROM catalogs WHERE name = ?", &param, 1, err->arena, &rows, err));
    *found = rows.len > 0;
    return true;
}

bool catalog_list_catalogs(Catalog *c, Arena *arena, CatalogEntryVec *out, Error *err)
{
    DbRowVec rows = {0};
    TRY(db_query(c->db, "SELECT name, comment, owner, properties, created_ms FROM catalogs ORDER BY name", NULL, 0, arena, &rows, err));
    for (size_t i = 0; i < rows.len; i++) {
        const DbValue *v = rows.at[i].cells;
        CatalogEntry e = {.name = v[0].text, .comment = v[1].text, .owner = v[2].text, .created_ms = v[4].integer};
        TRY(property_list_parse(v[3].text, arena, &e.properties, err));
        vec_push(arena, out, e);
    }
    return true;
}

static bool count_of(Catalog *c, const char *sql, const DbValue *params, size_t n, int64_t *count, Error *err)
{
    DbRowVec rows = {0};
    TRY(db_query(c->db, sql, params, n, err->arena, &rows, err));
    *count = rows.at[0].cells[0].integer;
    return true;
}

static bool drop_catalog_rows(Catalog *c, Str name, bool cascade, Error *err)
{
    DbValue param = DB_T(name);
    int64_t others;
    TRY(count_of(c, cascade ? "SELECT 0" : "SELECT (SELECT count(*) FROM schemas WHERE catalog = ?1 AND name <> 'default') + "
                                           "(SELECT count(*) FROM tables WHERE catalog = ?1)", &param, cascade ? 0 : 1, &others, err));
    if (others)
        return error_set(err, ERR_SCHEMA_NOT_EMPTY, P("schemaName", quoted(name, err->arena)));
    static const char *const STEPS[] = {"DELETE FROM tables WHERE catalog = ?", "DELETE FROM schemas WHERE catalog = ?",
                                        "DELETE FROM catalogs WHERE name = ?"};
    for (size_t i = 0; i < LENGTH_OF(STEPS); i++)
        TRY(db_change(c->db, STEPS[i], &param, 1, NULL, NULL, err));
    return true;
}

bool catalog_drop_catalog(Catalog *c, Str name, bool if_exists, bool cascade, Error *err)
{
    bool found;
    TRY(catalog_has_catalog(c, name, &found, err));
    if (!found)
        return if_exists || catalog_missing(name, err);
    TRY(db_begin(c->db, err));
    if (drop_catalog_rows(c, stored_catalog(name, err->arena), cascade, err))
        return db_commit(c->db, err);
    db_rollback(c->db);
    return false;
}

/* ---- schemas ---- */

bool catalog_create_schema(Catalog *c, const SchemaEntry *e, bool if_not_exists, Error *err)
{
    TRY(check_name(e->name, err));
    bool found, duplicate;
    TRY(catalog_has_catalog(c, e->catalog, &found, err));
    if (!found)
        return catalog_missing(e->catalog, err);
    Str catalog = stored_catalog(e->catalog, err->arena), name = stored_name(e->name, err->arena);
    Str location = e->location.len ? e->location
                                   : str_printf(err->arena, STR_FMT "/warehouse/" STR_FMT "/" STR_FMT, STR_ARG(c->data_folder),
                                                STR_ARG(catalog), STR_ARG(name));
    DbValue params[] = {DB_T(catalog), DB_T(name), DB_T(e->comment), DB_T(e->owner), DB_T(location),
                        DB_T(property_list_text(&e->properties, err->arena)), DB_I(clock_now_ms())};
    TRY(db_change(c->db, "INSERT INTO schemas (catalog, name, comment, owner, location, properties, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
                  params, LENGTH_OF(params), NULL, &duplicate, err));
    if (!duplicate || if_not_exists)
        return true;
    Str parts[2] = {catalog, name};
    Name n = name_of(err->arena, 2, parts);
    return error_set(err, ERR_SCHEMA_ALREADY_EXISTS, P("schemaName", name_quoted(&n, err->arena)));
}

bool catalog_alter_schema(Catalog *c, const SchemaEntry *e, Error *err)
{
    int changed;
    DbValue params[] = {DB_T(e->comment), DB_T(e->owner), DB_T(e->location), DB_T(property_list_text(&e->properties, err->arena)),
                        DB_T(stored_catalog(e->catalog, err->arena)), DB_T(stored_name(e->name, err->arena))};
    TRY(db_change(c->db, "UPDATE schemas SET comment = ?, owner = ?, location = ?, properties = ? WHERE catalog = ? AND name = ?", params,
                  LENGTH_OF(params), &changed, NULL, err));
    return changed || schema_missing(e->catalog, e->name, err);
}

static bool read_schema(const DbValue *v, Arena *arena, SchemaEntry *out, Error *err)
{
    *out = (SchemaEntry){.catalog = v[0].text, .name = v[1].text, .comment = v[2].text, .owner = v[3].text, .location = v[4].text,
                         .created_ms = v[6].integer};
    return property_list_parse(v[5].text, arena, &out->properties, err);
}

#define SCHEMA_COLUMNS "SELECT catalog, name, comment, owner, location, properties, created_ms FROM schemas"

bool catalog_get_schema(Catalog *c, Str catalog, Str schema, Arena *arena, bool *found, SchemaEntry *out, Error *err)
{
    DbRowVec rows = {0};
    DbValue params[] = {DB_T(stored_catalog(catalog, err->arena)), DB_T(stored_name(schema, err->arena))};
    TRY(db_query(c->db, SCHEMA_COLUMNS " WHERE catalog = ? AND name = ?", params, 2, arena, &rows, err));
    *found = rows.len > 0;
    return !*found || read_schema(rows.at[0].cells, arena, out, err);
}

bool catalog_list_schemas(Catalog *c, Str catalog, Arena *arena, SchemaEntryVec *out, Error *err)
{
    DbRowVec rows = {0};
    DbValue param = DB_T(stored_catalog(catalog, err->arena));
    TRY(db_query(c->db, SCHEMA_COLUMNS " WHERE catalog = ? ORDER BY name", &param, 1, arena, &rows, err));
    for (size_t i = 0; i < rows.len; i++) {
        SchemaEntry e;
        TRY(read_schema(rows.at[i].cells, arena, &e, err));
        vec_push(arena, out, e);
    }
    return true;
}

static bool drop_schema_rows(Catalog *c, Str catalog, Str schema, bool cascade, Error *err)
{
    DbValue params[] = {DB_T(catalog), DB_T(schema)};
    int64_t tables, functions;
    TRY(count_of(c, "SELECT count(*) FROM tables WHERE catalog = ? AND schema = ?", params, 2, &tables, err));
    TRY(count_of(c, "SELECT count(*) FROM functions WHERE catalog = ? AND schema = ?", params, 2, &functions, err));
    if ((tables || functions) && !cascade) {
        Str parts[2] = {catalog, schema};
        Name n = name_of(err->arena, 2, parts);
        return error_set(err, ERR_SCHEMA_NOT_EMPTY, P("schemaName", name_quoted(&n, err->arena)));
    }
    TRY(db_change(c->db, "DELETE FROM tables WHERE catalog = ? AND schema = ?", params, 2, NULL, NULL, err));
    TRY(db_change(c->db, "DELETE FROM functions WHERE catalog = ? AND schema = ?", params, 2, NULL, NULL, err));
    return db_change(c->db, "DELETE FROM schemas WHERE catalog = ? AND name = ?", params, 2, NULL, NULL, err);
}

bool catalog_drop_schema(Catalog *c, Str catalog, Str schema, bool if_exists, bool cascade, Error *err)
{
    bool found;
    SchemaEntry e;
    TRY(catalog_get_schema(c, catalog, schema, err->arena, &found, &e, err));
    if (!found)
        return if_exists || schema_missing(catalog, schema, err);
    TRY(db_begin(c->db, err));
    if (drop_schema_rows(c, e.catalog, e.name, cascade, err))
        return db_commit(c->db, err);
    db_rollback(c->db);
    return false;
}
