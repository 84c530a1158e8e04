/* Functions written in SQL, kept as the statement that made them. */
#include "catalog/catalog_impl.h"

#include "base/clock.h"

static Str quoted_name(const FunctionEntry *e, Arena *arena)
{
    Str parts[3] = {e->catalog, e->schema, e->name};
    Name n = name_of(arena, 3, parts);
    return name_quoted(&n, arena);
}

bool catalog_create_function(Catalog *c, const FunctionEntry *e, bool replace, Error *err)
{
    Arena *arena = err->arena;
    bool found, duplicate = false;
    SchemaEntry schema;
    TRY(catalog_has_catalog(c, e->catalog, &found, err));
    if (!found)
        return catalog_missing(e->catalog, err);
    TRY(catalog_get_schema(c, e->catalog, e->schema, arena, &found, &schema, err));
    if (!found)
        return schema_missing(e->catalog, e->schema, err);
    DbValue params[] = {DB_T(schema.catalog), DB_T(schema.name), DB_T(stored_name(e->name, arena)), DB_T(e->sql),
                        DB_I(e->is_table), DB_T(e->body_catalog), DB_T(e->body_schema), DB_T(e->owner), DB_I(clock_now_ms())};
    TRY(db_change(c->db, replace ? "INSERT OR REPLACE INTO functions (catalog, schema, name, definition, is_table, body_catalog,"
                                   " body_schema, owner, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                                 : "INSERT INTO functions (catalog, schema, name, definition, is_table, body_catalog,"
                                   " body_schema, owner, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  params, LENGTH_OF(params), NULL, replace ? NULL : &duplicate, err));
    return !duplicate || error_set(err, ERR_ROUTINE_ALREADY_EXISTS, P("routineName", quoted_name(e, arena)),
                                   PZ("newRoutineType", "routine"), PZ("existingRoutineType", "routine"));
}

#define FUNCTION_COLUMNS \
    "SELECT catalog, schema, name, definition, is_table, body_catalog, body_schema, owner, created_ms FROM functions"

static FunctionEntry read_function(const DbValue *v)
{
    return (FunctionEntry){.catalog = v[0].text, .schema = v[1].text, .name = v[2].text, .sql = v[3].text, .is_table = v[4].integer != 0,
                           .body_catalog = v[5].text, .body_schema = v[6].text, .owner = v[7].text, .created_ms = v[8].integer};
}

bool catalog_get_function(Catalog *c, Str catalog, Str schema, Str name, Arena *arena, bool *found, FunctionEntry *out, Error *err)
{
    DbRowVec rows = {0};
    DbValue params[] = {DB_T(stored_catalog(catalog, arena)), DB_T(stored_name(schema, arena)), DB_T(stored_name(name, arena))};
    TRY(db_query(c->db, FUNCTION_COLUMNS " WHERE catalog = ? AND schema = ? AND name = ?", params, 3, arena, &rows, err));
    *found = rows.len > 0;
    if (*found)
        *out = read_function(rows.at[0].cells);
    return true;
}

bool catalog_list_functions(Catalog *c, Str catalog, Str schema, Arena *arena, FunctionEntryVec *out, Error *err)
{
    DbRowVec rows = {0};
    DbValue params[] = {DB_T(stored_catalog(catalog, arena)), DB_T(stored_name(schema, arena))};
    TRY(db_query(c->db, FUNCTION_COLUMNS " WHERE catalog = ? AND schema = ? ORDER BY name", params, 2, arena, &rows, err));
    for (size_t i = 0; i < rows.len; i++)
        vec_push(arena, out, read_function(rows.at[i].cells));
    return true;
}

bool catalog_drop_function(Catalog *c, Str catalog, Str schema, Str name, bool *found, Error *err)
{
    int changed;
    DbValue params[] = {DB_T(stored_catalog(catalog, err->arena)), DB_T(stored_name(schema, err->arena)), DB_T(stored_name(name, err->arena))};
    TRY(db_change(c->db, "DELETE FROM functions WHERE catalog = ? AND schema = ? AND name = ?", params, 3, &changed, NULL, err));
    *found = changed > 0;
    return true;
}
