/* Records as text: what from_json, from_csv, to_json, to_csv and schema_of_* share. */
#pragma once

#include "func/json_node.h"
#include "func/native_impl.h"
#include "type/datetime.h"
#include "type/type.h"

/* The options map of the call, keys lower case, and the session's zone. */
typedef struct RecordOptions {
    const JsonNode *map;
    const Zone *zone;
    Arena *arena;
    bool fail_fast;
    JsonDialect dialect;
    Str corrupt_column;
} RecordOptions;

/* options: a JSON object of strings; "zone" is always there. */
MUST_CHECK bool record_options_read(Str json, Arena *arena, RecordOptions *out, Error *err);
Str record_option(const RecordOptions *o, const char *key, const char *otherwise);
bool record_flag(const RecordOptions *o, const char *key, bool otherwise);

/* A scalar in the carrier's own text, which rows_json.c casts back; false when the text is no such
 * value. */
bool record_leaf(Str text, const Type *t, const RecordOptions *o, Arena *arena, Str *out,
                 Error *err);
/* A value of a column as to_json and to_csv print it, without quotes; false for nested types. */
bool record_value_text(const NativeVec *v, idx_t row, const Type *t, const RecordOptions *o,
                       Buf *out, Error *err);

/* One entry of a nested value's text: a JSON array whose scalars are strings. */
void record_put_entry(Buf *b, bool first, Str text, bool null, const Type *t);
/* The arguments (.., type as JSON, options) of a call, read once a chunk. */
MUST_CHECK bool record_constants(Native *n, idx_t row, const Type **type, const RecordOptions **o);
/* The row of ls_from_*: the struct's fields, the record itself in the column for corrupt ones. */
bool record_set(Native *n, idx_t row, const Type *t, const RecordOptions *o, const Str *texts,
                const bool *nulls, bool bad, Str record);

/* The fields of one CSV record; an entry without pointer is NULL. */
typedef VEC(Str) CsvFields;
void record_split_csv(Str line, const RecordOptions *o, Arena *arena, CsvFields *out);

/* Inferred types; NULL when the sample is malformed. */
const Type *record_infer_json(Str sample, const RecordOptions *o, Arena *arena);
const Type *record_infer_csv(Str sample, const RecordOptions *o, Arena *arena);
const Type *record_infer_xml(Str sample, const RecordOptions *o, Arena *arena);
/* The struct that XML records have in common; *malformed says whether one is no XML. */
const Type *record_infer_xml_rows(const Str *records, size_t count, const RecordOptions *o, Arena *arena, bool *malformed);

bool native_register_record_text(duckdb_connection c, Error *err);
