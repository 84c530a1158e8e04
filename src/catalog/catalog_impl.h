/* What the files of this folder share. */
#pragma once

#include <pthread.h>

#include "catalog/catalog.h"
#include "db/db.h"

struct Catalog {
    Db *db;
    Str data_folder;          /* absolute, in own */
    Arena *own;
    pthread_mutex_t lock;     /* guards tables and names_arena */
    Map tables;               /* location -> DeltaTable* */
    Arena *names_arena;
};

extern const Migration CATALOG_MIGRATIONS[];
extern const size_t CATALOG_MIGRATION_COUNT;

/* Names are stored in lower case. */
Str stored_name(Str name, Arena *arena);
Str stored_catalog(Str name, Arena *arena);
Str property_list_text(const PropertyVec *properties, Arena *arena);
MUST_CHECK bool property_list_parse(Str text, Arena *arena, PropertyVec *out, Error *err);
bool schema_missing(Str catalog, Str schema, Error *err);
bool catalog_missing(Str catalog, Error *err);
