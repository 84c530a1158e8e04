/* Partitions of tables of plain files, and the small details that catalog entries carry. */
#include "catalog/catalog_impl.h"

#include "base/clock.h"

Str detail_get(const PropertyVec *details, const char *key)
{
    for (size_t i = 0; i < details->len; i++)
        if (str_is(details->at[i].key, key))
            return details->at[i].value;
    return (Str){0};
}

void detail_set(PropertyVec *details, Str key, Str value, Arena *arena)
{
    PropertyVec copy = {0};
    for (size_t i = 0; i < details->len; i++)
        if (!str_eq(details->at[i].key, key))
            vec_push(arena, &copy, details->at[i]);
    Property p = {key, value, false};
    vec_push(arena, &copy, p);
    *details = copy;
}

void detail_drop(PropertyVec *details, const char *prefix)
{
    size_t kept = 0;
    for (size_t i = 0; i < details->len; i++)
        if (!str_starts_with(details->at[i].key, str_from(prefix)))
            details->at[kept++] = details->at[i];
    details->len = kept;
}

void detail_list(const PropertyVec *details, const char *prefix, Arena *arena, StrVec *out)
{
    for (size_t i = 0; i <= details->len; i++) {
        Str key = str_printf(arena, "%s.%zu", prefix, i);
        bool found = false;
        for (size_t k = 0; k < details->len && !found; k++)
            if (str_eq(details->at[k].key, key)) {
                vec_push(arena, out, details->at[k].value);
                found = true;
            }
        if (!found)
            return;
    }
}

/* A NULL value is kept as a missing one: a list of properties holds texts only. */
static const char NULL_MARK[] = "\x01null";

static Str values_text(const PropertyVec *values, Arena *arena)
{
    PropertyVec marked = {0};
    for (size_t i = 0; i < values->len; i++) {
        Property p = values->at[i];
        if (p.is_null)
            p.value = str_from(NULL_MARK);
        vec_push(arena, &marked, p);
    }
    return property_list_text(&marked, arena);
}

bool catalog_list_partitions(Catalog *c, Str table_id, Arena *arena, PartitionEntryVec *out, Error *err)
{
    DbRowVec rows = {0};
    DbValue params[] = {DB_T(table_id)};
    TRY(db_query(c->db, "SELECT name, spec, location, details, created_ms FROM partitions WHERE table_id = ? ORDER BY name", params, 1, arena,
                 &rows, err));
    for (size_t i = 0; i < rows.len; i++) {
        const DbValue *v = rows.at[i].cells;
        PartitionEntry p = {.name = v[0].text, .location = v[2].text, .created_ms = v[4].integer};
        TRY(property_list_parse(v[1].text, arena, &p.values, err));
        TRY(property_list_parse(v[3].text, arena, &p.details, err));
        for (size_t k = 0; k < p.values.len; k++)
            if (str_is(p.values.at[k].value, NULL_MARK))
                p.values.at[k] = (Property){p.values.at[k].key, {0}, true};
        vec_push(arena, out, p);
    }
    return true;
}

bool catalog_put_partition(Catalog *c, Str table_id, const PartitionEntry *p, Error *err)
{
    Arena *arena = err->arena;
    TRY(catalog_drop_partition(c, table_id, p->name, err));
    DbValue params[] = {DB_T(table_id), DB_T(p->name), DB_T(values_text(&p->values, arena)), DB_T(p->location),
                        DB_T(property_list_text(&p->details, arena)), DB_I(p->created_ms ? p->created_ms : clock_now_ms())};
    return db_change(c->db, "INSERT INTO partitions (table_id, name, spec, location, details, created_ms) VALUES (?, ?, ?, ?, ?, ?)", params,
                     LENGTH_OF(params), NULL, NULL, err);
}

bool catalog_drop_partition(Catalog *c, Str table_id, Str name, Error *err)
{
    DbValue params[] = {DB_T(table_id), DB_T(name)};
    return db_change(c->db, "DELETE FROM partitions WHERE table_id = ? AND name = ?", params, 2, NULL, NULL, err);
}

bool catalog_drop_partitions(Catalog *c, Str table_id, Error *err)
{
    DbValue params[] = {DB_T(table_id)};
    return db_change(c->db, "DELETE FROM partitions WHERE table_id = ?", params, 1, NULL, NULL, err);
}
