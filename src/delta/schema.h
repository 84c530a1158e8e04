/* What Delta keeps in schema metadata and properties: physical names, constraints, generated and
 * default columns. */
#pragma once

#include "delta/snapshot.h"

typedef enum ColumnMapping { MAPPING_NONE, MAPPING_NAME, MAPPING_ID } ColumnMapping;

Str mapping_name(ColumnMapping mapping); /* none, name, id */
ColumnMapping metadata_column_mapping(const Metadata *m);
ColumnMapping snapshot_column_mapping(const Snapshot *s);
/* The name in data files, statistics and partition values: the display name unless columns are
 * mapped. */
Str delta_physical_name(const Field *f, ColumnMapping mapping, Arena *arena);
/* The same type under physical names at every depth. */
const Type *schema_physical(const Type *t, ColumnMapping mapping, Arena *arena);
/* delta.columnMapping.id; -1 when absent. */
int64_t delta_field_id(const Field *f);
/* The table schema under physical names at every depth; shared by the snapshot, never freed before
 * it. */
const Type *snapshot_physical_schema(const Snapshot *s);

/* Field metadata by key: the text of a string value, JSON text of any other; empty when absent. */
/* The type as it was declared: CHAR and VARCHAR are kept as strings that say so in their metadata. */
MUST_CHECK bool field_declared_type(const Field *f, Arena *arena, const Type **out, Error *err);
Str field_metadata_get(const Field *f, const char *key, Arena *arena);
/* Metadata JSON with one key set to a JSON value, or removed when the value is empty. */
Str field_metadata_with(Str metadata, const char *key, Str json_value, Arena *arena);
Str field_metadata_with_text(Str metadata, const char *key, Str text, Arena *arena);

/* Whether a column of one type may become one of the other while its files stay (PROTOCOL.md "Type
 * Widening"). */
bool type_is_widening(const Type *from, const Type *to);
/* Whether a field, or one inside it, was of a type into which not every constant of its own goes
 * unchanged: 7.5 is no integer. */
bool field_was_coarser(const Field *f);
/* The schema with delta.typeChanges wherever it says another plain type than the one before. */
const Type *schema_note_widening(const Type *before, const Type *after, Arena *arena);

Str delta_generation_expression(const Field *f, Arena *arena); /* SQL; empty: not generated */
Str delta_default_expression(const Field *f, Arena *arena); /* CURRENT_DEFAULT SQL; empty: none */
bool delta_is_identity(const Field *f);
/* delta.invariants of a field: its SQL; DELTA_UNRECOGNIZED_INVARIANT when the JSON is not of the
 * known form. */
MUST_CHECK bool delta_invariant(const Field *f, Arena *arena, Str *sql, Error *err);

typedef struct DeltaConstraint {
    Str name;       /* as in delta.constraints.<name>; for invariants the column's dotted name */
    Str expression; /* SQL over the table's columns; a row passes when it is TRUE */
    bool invariant; /* from a field's delta.invariants */
} DeltaConstraint;
typedef VEC(DeltaConstraint) DeltaConstraintVec;
/* CHECK constraints and column invariants of a table. NOT NULL is in the schema. */
MUST_CHECK bool metadata_constraints(const Metadata *m, Arena *arena, DeltaConstraintVec *out,
                                     Error *err);

Str metadata_property(const Metadata *m, const char *key); /* empty when unset */
bool metadata_property_bool(const Metadata *m, const char *key, bool otherwise);
/* Sets or, with remove, unsets a property in place. */
void metadata_set_property(Metadata *m, Str key, Str value, Arena *arena);
void metadata_unset_property(Metadata *m, Str key);
/* A deep enough copy to change and hand to transaction_set_metadata. */
Metadata *metadata_copy(const Metadata *m, Arena *arena);
/* "interval 7 days" and kin in milliseconds; `otherwise` when unset or not an interval. */
int64_t metadata_interval_ms(const Metadata *m, const char *key, int64_t otherwise_ms);
