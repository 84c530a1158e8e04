/* The catalog: catalogs, schemas, tables, views and their properties, in SQLite. */
#pragma once

#include "base/map.h"
#include "delta/delta.h"
#include "plan/plan.h"

typedef struct Catalog Catalog;

typedef enum ObjectKind { OBJECT_TABLE, OBJECT_VIEW } ObjectKind;

typedef struct CatalogEntry { Str name, comment, owner; PropertyVec properties; int64_t created_ms; } CatalogEntry;
typedef struct SchemaEntry { Str catalog, name, comment, owner, location; PropertyVec properties; int64_t created_ms; } SchemaEntry;
typedef struct TableEntry {
    Str id;                /* UUID */
    Str catalog, schema, name;
    ObjectKind kind;
    Str provider;          /* "delta", "parquet", ... ; empty for views */
    Str location;          /* absolute */
    bool managed;
    Str comment, owner;
    Str view_sql;          /* views */
    Str view_catalog, view_schema; /* where unqualified names in view_sql are looked up */
    Str schema_json;       /* non-Delta tables and views; empty: ask the table */
    StrVec partition_columns; /* non-Delta tables */
    PropertyVec properties;
    PropertyVec details;   /* what else the object is: numBuckets, bucketCol.n, sortCol.n, viewSchemaMode, sizeInBytes, rowCount */
    int64_t created_ms;
} TableEntry;
/* A partition of a table of plain files. */
typedef struct PartitionEntry {
    Str name;              /* "a=1/b=x", as its folder is called by default */
    PropertyVec values;    /* in the order of the partition columns; is_null: NULL */
    Str location;          /* absolute */
    PropertyVec details;   /* sizeInBytes, rowCount */
    int64_t created_ms;
} PartitionEntry;
typedef VEC(PartitionEntry) PartitionEntryVec;
/* A function written in SQL: the CREATE FUNCTION statement, and where its body looks for names. */
typedef struct FunctionEntry {
    Str catalog, schema, name;
    Str sql;
    bool is_table;
    Str body_catalog, body_schema, owner;
    int64_t created_ms;
} FunctionEntry;
typedef VEC(FunctionEntry) FunctionEntryVec;
typedef VEC(CatalogEntry) CatalogEntryVec;
typedef VEC(SchemaEntry) SchemaEntryVec;
typedef VEC(TableEntry) TableEntryVec;

/* Opens or creates the metadata under a data folder. Catalog `main` with schema `default` exists from the start; `spark_catalog` names it too. */
MUST_CHECK bool catalog_open(Str data_folder, Catalog **out, Error *err);
void catalog_close(Catalog *c);

/* Names are stored in lower case. Errors: CATALOG_NOT_FOUND, SCHEMA_NOT_FOUND, TABLE_OR_VIEW_ALREADY_EXISTS, SCHEMA_NOT_EMPTY ... */
MUST_CHECK bool catalog_create_catalog(Catalog *c, const CatalogEntry *e, bool if_not_exists, Error *err);
MUST_CHECK bool catalog_drop_catalog(Catalog *c, Str name, bool if_exists, bool cascade, Error *err);
MUST_CHECK bool catalog_list_catalogs(Catalog *c, Arena *arena, CatalogEntryVec *out, Error *err);
MUST_CHECK bool catalog_has_catalog(Catalog *c, Str name, bool *found, Error *err);
MUST_CHECK bool catalog_create_schema(Catalog *c, const SchemaEntry *e, bool if_not_exists, Error *err);
MUST_CHECK bool catalog_alter_schema(Catalog *c, const SchemaEntry *e, Error *err);
MUST_CHECK bool catalog_drop_schema(Catalog *c, Str catalog, Str schema, bool if_exists, bool cascade, Error *err);
MUST_CHECK bool catalog_get_schema(Catalog *c, Str catalog, Str schema, Arena *arena, bool *found, SchemaEntry *out, Error *err);
MUST_CHECK bool catalog_list_schemas(Catalog *c, Str catalog, Arena *arena, SchemaEntryVec *out, Error *err);
MUST_CHECK bool catalog_create_table(Catalog *c, const TableEntry *e, Error *err);
MUST_CHECK bool catalog_update_table(Catalog *c, const TableEntry *e, Error *err);
MUST_CHECK bool catalog_rename_table(Catalog *c, const TableEntry *e, Str new_schema, Str new_name, Error *err);
MUST_CHECK bool catalog_drop_table(Catalog *c, Str catalog, Str schema, Str name, Error *err);
MUST_CHECK bool catalog_get_table(Catalog *c, Str catalog, Str schema, Str name, Arena *arena, bool *found, TableEntry *out, Error *err);
MUST_CHECK bool catalog_list_tables(Catalog *c, Str catalog, Str schema, Arena *arena, TableEntryVec *out, Error *err);

/* Partitions are kept by the table's id and listed by name. catalog_put_partition replaces one of the same name. */
MUST_CHECK bool catalog_list_partitions(Catalog *c, Str table_id, Arena *arena, PartitionEntryVec *out, Error *err);
MUST_CHECK bool catalog_put_partition(Catalog *c, Str table_id, const PartitionEntry *p, Error *err);
MUST_CHECK bool catalog_drop_partition(Catalog *c, Str table_id, Str name, Error *err);
MUST_CHECK bool catalog_drop_partitions(Catalog *c, Str table_id, Error *err);
/* The value of a detail; empty when there is none. */
Str detail_get(const PropertyVec *details, const char *key);
void detail_set(PropertyVec *details, Str key, Str value, Arena *arena);
void detail_drop(PropertyVec *details, const char *prefix);
/* The values of prefix.0, prefix.1, ... */
void detail_list(const PropertyVec *details, const char *prefix, Arena *arena, StrVec *out);

/* Errors: CATALOG_NOT_FOUND, SCHEMA_NOT_FOUND, ROUTINE_ALREADY_EXISTS. */
MUST_CHECK bool catalog_create_function(Catalog *c, const FunctionEntry *e, bool replace, Error *err);
MUST_CHECK bool catalog_get_function(Catalog *c, Str catalog, Str schema, Str name, Arena *arena, bool *found, FunctionEntry *out, Error *err);
MUST_CHECK bool catalog_list_functions(Catalog *c, Str catalog, Str schema, Arena *arena, FunctionEntryVec *out, Error *err);
MUST_CHECK bool catalog_drop_function(Catalog *c, Str catalog, Str schema, Str name, bool *found, Error *err);

/* Where a managed table of that schema is stored by default. */
Str catalog_managed_location(const Catalog *c, const SchemaEntry *schema, Str table, Str table_id, Arena *arena);
/* The open Delta table of a location, shared by everybody in this process; the caller unrefs. */
MUST_CHECK bool catalog_delta_table(Catalog *c, Str location, DeltaTable **out, Error *err);
