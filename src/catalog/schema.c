/* The catalog's own tables, as numbered migrations. */
#include "catalog/catalog_impl.h"

const Migration CATALOG_MIGRATIONS[] = {
    {1, "CREATE TABLE catalogs (name TEXT PRIMARY KEY, comment TEXT, owner TEXT, properties TEXT NOT NULL, created_ms INTEGER NOT NULL);"
        "CREATE TABLE schemas (catalog TEXT NOT NULL REFERENCES catalogs (name), name TEXT NOT NULL, comment TEXT, owner TEXT,"
        " location TEXT NOT NULL, properties TEXT NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (catalog, name));"
        "CREATE TABLE tables (id TEXT PRIMARY KEY, catalog TEXT NOT NULL, schema TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,"
        " provider TEXT NOT NULL, location TEXT NOT NULL, managed INTEGER NOT NULL, comment TEXT, owner TEXT, view_sql TEXT,"
        " view_catalog TEXT, view_schema TEXT, schema_json TEXT, partition_columns TEXT NOT NULL, properties TEXT NOT NULL,"
        " created_ms INTEGER NOT NULL, UNIQUE (catalog, schema, name),"
        " FOREIGN KEY (catalog, schema) REFERENCES schemas (catalog, name));"},
    {2, "CREATE TABLE functions (catalog TEXT NOT NULL, schema TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL,"
        " is_table INTEGER NOT NULL, body_catalog TEXT NOT NULL, body_schema TEXT NOT NULL, owner TEXT, created_ms INTEGER NOT NULL,"
        " PRIMARY KEY (catalog, schema, name), FOREIGN KEY (catalog, schema) REFERENCES schemas (catalog, name));"},
    {3, "ALTER TABLE tables ADD COLUMN details TEXT;"
        "CREATE TABLE partitions (table_id TEXT NOT NULL, name TEXT NOT NULL, spec TEXT NOT NULL, location TEXT NOT NULL,"
        " details TEXT NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (table_id, name));"},
};
const size_t CATALOG_MIGRATION_COUNT = LENGTH_OF(CATALOG_MIGRATIONS);
