/* Tables and views, and the open Delta tables that everybody in this process shares. */
#include "catalog/catalog_impl.h"

#include "base/clock.h"
#include "base/json.h"

static Str list_text(const StrVec *names, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < names->len; i++) {
        if (i)
            buf_addc(&b, ',');
        json_put_str(&b, names->at[i]);
    }
    buf_addc(&b, ']');
    return buf_str(&b);
}

static bool list_parse(Str text, Arena *arena, StrVec *out, Error *err)
{
    yyjson_val *root, *item;
    TRY(json_parse(text, S("partition columns"), arena, &root, err));
    yyjson_arr_iter it = yyjson_arr_iter_with(root);
    while ((item = yyjson_arr_iter_next(&it)))
        vec_push(arena, out, json_str(item));
    return true;
}

static Str quoted_name(const TableEntry *e, Arena *arena)
{
    Str parts[3] = {e->catalog, e->schema, e->name};
    Name n = name_of(arena, 3, parts);
    return name_quoted(&n, arena);
}

bool catalog_create_table(Catalog *c, const TableEntry *e, Error *err)
{
    Arena *arena = err->arena;
    bool found, duplicate;
    SchemaEntry schema;
    TRY(catalog_has_catalog(c, e->catalog, &found, err));
    if (!found)
        return catalog_missing(e->catalog, err);
    TRY(catalog_get_schema(c, e->catalog, e->schema, arena, &found, &schema, err));
    if (!found)
        return schema_missing(e->catalog, e->schema, err);
    DbValue params[] = {
        DB_T(e->id.len ? e->id : clock_uuid_in(arena)), DB_T(schema.catalog), DB_T(schema.name), DB_T(stored_name(e->name, arena)),
        DB_T(e->kind == OBJECT_VIEW ? S("view") : S("table")), DB_T(e->provider), DB_T(e->location), DB_I(e->managed), DB_T(e->comment),
        DB_T(e->owner), DB_T(e->view_sql), DB_T(e->view_catalog), DB_T(e->view_schema), DB_T(e->schema_json),
        DB_T(list_text(&e->partition_columns, arena)), DB_T(property_list_text(&e->properties, arena)),
        DB_T(property_list_text(&e->details, arena)), DB_I(clock_now_ms())};
    TRY(db_change(c->db, "INSERT INTO tables (id, catalog, schema, name, kind, provider, location, managed, comment, owner, view_sql,"
                         " view_catalog, view_schema, schema_json, partition_columns, properties, details, created_ms)"
                         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params, LENGTH_OF(params), NULL, &duplicate, err));
    return !duplicate || error_set(err, ERR_TABLE_OR_VIEW_ALREADY_EXISTS, P("relationName", quoted_name(e, arena)));
}

static bool missing(const TableEntry *e, Error *err)
{
    return error_set(err, ERR_TABLE_OR_VIEW_NOT_FOUND, P("relationName", quoted_name(e, err->arena)));
}

bool catalog_update_table(Catalog *c, const TableEntry *e, Error *err)
{
    Arena *arena = err->arena;
    int changed;
    DbValue params[] = {DB_T(e->provider), DB_T(e->location), DB_I(e->managed), DB_T(e->comment), DB_T(e->owner), DB_T(e->view_sql),
                        DB_T(e->view_catalog), DB_T(e->view_schema), DB_T(e->schema_json), DB_T(list_text(&e->partition_columns, arena)),
                        DB_T(property_list_text(&e->properties, arena)), DB_T(property_list_text(&e->details, arena)),
                        DB_T(stored_catalog(e->catalog, arena)), DB_T(stored_name(e->schema, arena)), DB_T(stored_name(e->name, arena))};
    TRY(db_change(c->db, "UPDATE tables SET provider = ?, location = ?, managed = ?, comment = ?, owner = ?, view_sql = ?, view_catalog = ?,"
                         " view_schema = ?, schema_json = ?, partition_columns = ?, properties = ?, details = ?"
                         " WHERE catalog = ? AND schema = ? AND name = ?", params, LENGTH_OF(params), &changed, NULL, err));
    return changed || missing(e, err);
}

bool catalog_rename_table(Catalog *c, const TableEntry *e, Str new_schema, Str new_name, Error *err)
{
    Arena *arena = err->arena;
    int changed;
    bool duplicate;
    DbValue params[] = {DB_T(stored_name(new_schema, arena)), DB_T(stored_name(new_name, arena)), DB_T(stored_catalog(e->catalog, arena)),
                        DB_T(stored_name(e->schema, arena)), DB_T(stored_name(e->name, arena))};
    TRY(db_change(c->db, "UPDATE tables SET schema = ?, name = ? WHERE catalog = ? AND schema = ? AND name = ?", params, LENGTH_OF(params),
                  &changed, &duplicate, err));
    if (duplicate) {
        TableEntry other = {.catalog = e->catalog, .schema = new_schema, .name = new_name};
        return error_set(err, ERR_TABLE_OR_VIEW_ALREADY_EXISTS, P("relationName", quoted_name(&other, arena)));
    }
    return changed || missing(e, err);
}

bool catalog_drop_table(Catalog *c, Str catalog, Str schema, Str name, Error *err)
{
    Arena *arena = err->arena;
    int changed;
    DbValue params[] = {DB_T(stored_catalog(catalog, arena)), DB_T(stored_name(schema, arena)), DB_T(stored_name(name, arena))};
    TRY(db_change(c->db, "DELETE FROM partitions WHERE table_id IN (SELECT id FROM tables WHERE catalog = ? AND schema = ? AND name = ?)",
                  params, 3, NULL, NULL, err));
    TRY(db_change(c->db, "DELETE FROM tables WHERE catalog = ? AND schema = ? AND name = ?", params, 3, &changed, NULL, err));
    TableEntry e = {.catalog = catalog, .schema = schema, .name = name};
    return changed || missing(&e, err);
}

#define TABLE_COLUMNS                                                                                                        \
    "SELECT id, catalog, schema, name, kind, provider, location, managed, comment, owner, view_sql, view_catalog, view_schema," \
    " schema_json, partition_columns, properties, created_ms, details FROM tables"

static bool read_table(const DbValue *v, Arena *arena, TableEntry *out, Error *err)
{
    *out = (TableEntry){
        .id = v[0].text, .catalog = v[1].text, .schema = v[2].text, .name = v[3].text,
        .kind = str_is(v[4].text, "view") ? OBJECT_VIEW : OBJECT_TABLE, .provider = v[5].text, .location = v[6].text,
        .managed = v[7].integer != 0, .comment = v[8].text, .owner = v[9].text, .view_sql = v[10].text, .view_catalog = v[11].text,
        .view_schema = v[12].text, .schema_json = v[13].text, .created_ms = v[16].integer,
    };
    TRY(list_parse(v[14].text, arena, &out->partition_columns, err));
    if (v[17].text.len)
        TRY(property_list_parse(v[17].text, arena, &out->details, err));
    return property_list_parse(v[15].text, arena, &out->properties, err);
}

bool catalog_get_table(Catalog *c, Str catalog, Str schema, Str name, Arena *arena, bool *found, TableEntry *out, Error *err)
{
    DbRowVec rows = {0};
    DbValue params[] = {DB_T(stored_catalog(catalog, arena)), DB_T(stored_name(schema, arena)), DB_T(stored_name(name, arena))};
    TRY(db_query(c->db, TABLE_COLUMNS " WHERE catalog = ? AND schema = ? AND name = ?", params, 3, arena, &rows, err));
    *found = rows.len > 0;
    return !*found || read_table(rows.at[0].cells, arena, out, err);
}

bool catalog_list_tables(Catalog *c, Str catalog, Str schema, Arena *arena, TableEntryVec *out, Error *err)
{
    DbRowVec rows = {0};
    DbValue params[] = {DB_T(stored_catalog(catalog, arena)), DB_T(stored_name(schema, arena))};
    TRY(db_query(c->db, TABLE_COLUMNS " WHERE catalog = ? AND schema = ? ORDER BY name", params, 2, arena, &rows, err));
    for (size_t i = 0; i < rows.len; i++) {
        TableEntry e;
        TRY(read_table(rows.at[i].cells, arena, &e, err));
        vec_push(arena, out, e);
    }
    return true;
}

/* The id keeps a re-created table from meeting the files of the one that was dropped. */
Str catalog_managed_location(const Catalog *c, const SchemaEntry *schema, Str table, Str table_id, Arena *arena)
{
    (void)c;
    Str id = str_slice(table_id, 0, 8);
    return str_printf(arena, STR_FMT "/" STR_FMT "-" STR_FMT, STR_ARG(schema->location), STR_ARG(stored_name(table, arena)), STR_ARG(id));
}

bool catalog_delta_table(Catalog *c, Str location, DeltaTable **out, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Str key = location;
    if (store_is_remote(location)) {
        Store *store;
        TRY(store_open(location, scratch, &store, err));
        key = store_identity(store, scratch);
    }
    pthread_mutex_lock(&c->lock);
    DeltaTable *t = map_get(&c->tables, key);
    bool ok = t != NULL;
    if (!ok) {
        ok = delta_table_open(location, &t, err);
        if (ok)
            map_put(&c->tables, str_copy(key, c->names_arena), t);
    }
    if (ok)
        delta_table_ref(t);
    pthread_mutex_unlock(&c->lock);
    *out = t;
    return ok;
}
