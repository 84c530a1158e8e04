/* Tables on their way into the catalog: what CREATE TABLE and CLONE share. */
#pragma once

#include "command/command_impl.h"

typedef struct NewTable {
    Str catalog, schema, name;       /* empty catalog: only a path */
    Str location, provider, id;
    Str collation;                   /* of columns that name none; empty: UTF8_BINARY */
    bool managed;
    Metadata *metadata;
    Protocol protocol;
    DomainMetadata clustering;       /* no domain: nothing to say of it */
    StrVec clustered_by;
    BoundRel *query;                 /* AS SELECT */
    bool exists_in_catalog, exists_in_log;
    TableEntry old;
} NewTable;

/* Catalog, schema and name of a table that may not exist yet, and where it will live; delta.`path` has a location only. */
bool new_table_place(CommandContext *ctx, const Command *c, const Name *name, NewTable *t, Error *err);
/* Its Delta table; exists_in_log tells whether there is a log, target->snapshot is its newest version then. */
bool new_table_open(CommandContext *ctx, NewTable *t, Target *target, Error *err);
/* The entry of the catalog, made or replaced; nothing for a path. */
bool new_table_register(CommandContext *ctx, const NewTable *t, const TableSpec *spec, Error *err);

/* clone.c */
bool run_clone(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
