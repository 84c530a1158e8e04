/* What the files behind ALTER TABLE share. */
#pragma once

#include "command/command_impl.h"

typedef VEC(Field) FieldVec;

/* New metadata for a Delta table, with the table features it asks for; `wanted` (may be NULL) has features added by name.
 * reads_rows: rows were checked against the new metadata, so that concurrent writes must conflict. */
bool alter_commit(CommandContext *ctx, const Target *t, Metadata *m, const Protocol *wanted, CommitNote *note, bool reads_rows, Error *err);

/* Rows of the table for which the condition (over its columns) is not TRUE. */
bool count_violations(CommandContext *ctx, const Target *t, const Expr *condition, int64_t *count, Error *err);

/* alter_column.c */
bool alter_add_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err);
bool alter_drop_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err);
bool alter_rename_column(CommandContext *ctx, const Command *c, const Target *t, Error *err);
bool alter_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err);

/* COLUMN_ALREADY_EXISTS, DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES. */
bool check_column_duplicates(CommandContext *ctx, const ColumnDefVec *columns, Error *err);
bool check_column_names(const Metadata *m, Error *err);
/* UNRESOLVED_COLUMN with the columns there are. */
bool column_unknown(CommandContext *ctx, const Type *schema, const Name *name, Error *err);

/* alter_replace.c */
bool alter_replace_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err);

/* A column as the history shows it. */
Str column_json(CommandContext *ctx, const Name *path, const Field *f);

/* cluster.c */
bool alter_cluster_by(CommandContext *ctx, const Command *c, const Target *t, Error *err);
/* DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN */
bool check_unclustered(CommandContext *ctx, const Target *t, const Name *column, Error *err);

/* identity.c */
bool alter_sync_identity(CommandContext *ctx, const Command *c, const Target *t, Error *err);
bool check_identity_def(const ColumnDef *d, Error *err);

/* alter_constraint.c */
bool alter_add_constraint(CommandContext *ctx, const Command *c, const Target *t, Error *err);
bool alter_drop_constraint(CommandContext *ctx, const Command *c, const Target *t, Error *err);

/* column_mapping.c: DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING; unset: the property goes, too. */
bool remove_column_mapping(CommandContext *ctx, Target *t, bool unset, Error *err);

/* drop_feature.c */
bool alter_drop_feature(CommandContext *ctx, const Command *c, const Target *t, Error *err);

/* table_property.c */
/* Whether a name is that of a property Delta knows. */
bool is_delta_property(Str key);
/* The properties there are, and what values each takes, as docs/reference/delta.md has it. */
size_t delta_property_count(void);
const char *delta_property_name(size_t i);
const char *delta_property_values(size_t i);
bool alter_set_properties(CommandContext *ctx, const Command *c, const Target *t, Error *err);
bool alter_unset_properties(CommandContext *ctx, const Command *c, const Target *t, Error *err);
/* UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY for names that have a clause of their own. */
bool check_reserved_property(Str key, Error *err);
/* The log may not forget versions whose files are still kept. */
bool check_log_retention(const Metadata *m, Error *err);
/* Only CLUSTER BY asks for it. */
#define CLUSTERING_FEATURE "delta.feature.clustering"
/* Versions and features that properties ask for, which are none of the table's. */
typedef struct ProtocolWish {
    int reader, writer; /* 0: not said */
    Protocol features;
} ProtocolWish;
/* *taken: the property was of that kind. DELTA_UNSUPPORTED_FEATURES_IN_CONFIG, DELTA_UNSUPPORTED_FEATURE_STATUS, DELTA_PROTOCOL_PROPERTY_NOT_INT. */
bool protocol_property(CommandContext *ctx, Str key, Str value, ProtocolWish *wish, bool *taken, Error *err);
bool protocol_fulfil(CommandContext *ctx, const ProtocolWish *wish, Protocol *p, Error *err);
/* The session's spark.databricks.delta.properties.defaults.x: delta.x of a new table that does not say otherwise, and its protocol. */
bool default_properties(CommandContext *ctx, Metadata *m, ProtocolWish *wish, Error *err);
/* A property of a Delta table by its canonical spelling, its value checked. DELTA_UNKNOWN_CONFIGURATION otherwise. */
bool check_delta_property(CommandContext *ctx, Str *key, Str value, Error *err);

/* create_table.c: the metadata of a column as it is defined: comment, default, generation, CHAR and VARCHAR. */
Str column_def_metadata(CommandContext *ctx, const ColumnDef *d);

/* alter_files.c: tables of plain files, where the catalog is all there is to change */
bool alter_file_table(CommandContext *ctx, const Command *c, const ResolvedTable *r, Error *err);

/* partition.c */
bool alter_partitions(CommandContext *ctx, const Command *c, TableEntry *e, Error *err);

/* view.c: the mode is the session's unless it is asked for; FEATURE_NOT_ENABLED where modes are switched off. */
bool set_view_mode(CommandContext *ctx, TableEntry *e, Str wanted, Error *err);
void view_query_columns(CommandContext *ctx, TableEntry *e, const BoundRel *query);

/* alter_view.c */
bool alter_view(CommandContext *ctx, const Command *c, const Name *name, const ResolvedTable *r, Error *err);
bool rename_object(CommandContext *ctx, const Command *c, const ResolvedTable *r, Error *err);
bool set_entry_properties(CommandContext *ctx, const Command *c, TableEntry *e, Error *err);

/* collation.c */
bool set_default_collation(CommandContext *ctx, const Command *c, TableEntry *e, Error *err);
