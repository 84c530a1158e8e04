/* The analyzer: names, scopes, types, functions. Unresolved in, bound out. */
#pragma once

#include "engine/engine.h"
#include "session/session.h"
#include "sql/sql.h"

typedef struct Analyzer Analyzer;

/* One analyzer serves one statement: it hands out column ids and remembers which plan ids were bound where.
 * sql_text is the statement's text for error contexts, empty for DataFrames. */
Analyzer *analyzer_new(Session *session, Engine *engine, const FuncContext *func, Str sql_text, Arena *arena);

MUST_CHECK bool analyze_query(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
/* The query of an object with a default collation: its literals and casts to STRING are of that one. */
MUST_CHECK bool analyze_query_of(Analyzer *a, const Rel *rel, Str default_collation, BoundRel **out, Error *err);
/* An expression over the columns of a bound relation: conditions, assignments, constraints. wanted may be NULL;
 * otherwise the result is cast to it as an INSERT would (ANSI store assignment). */
MUST_CHECK bool analyze_expr(Analyzer *a, const Expr *e, const BoundColumnVec *columns, BoundExpr **out, Error *err);
MUST_CHECK bool analyze_condition(Analyzer *a, const Expr *e, const BoundColumnVec *columns, BoundExpr **out, Error *err);
/* A constant expression's value: LIMIT, options, time travel, DEFAULT. */
/* The name that IDENTIFIER(text) stands for; NOT_A_CONSTANT_STRING.* when it is no constant, no string or NULL. */
MUST_CHECK bool analyze_identifier(Analyzer *a, const Expr *identifier, Name *out, Error *err);
/* A value computed once from no columns: rand() is allowed, unlike in analyze_constant. */
MUST_CHECK bool analyze_value(Analyzer *a, const Expr *e, const Type *wanted, Value *out, Error *err);
MUST_CHECK bool analyze_constant(Analyzer *a, const Expr *e, const Type *wanted, Value *out, Error *err);
/* The value with its structs' fields renamed, at every depth, to those of `to` at the same position. */
BoundExpr *analyze_name_as(Analyzer *a, BoundExpr *e, const Type *to);
/* A cast that stores `e` into a column of type `to`: INCOMPATIBLE_DATA_FOR_TABLE.* with the column's name. */
MUST_CHECK bool analyze_store_cast(Analyzer *a, BoundExpr *e, const Type *to, Str table, Str column, BoundExpr **out, Error *err);
/* The same into a Delta table: whatever CAST accepts; a number that does not fit is CAST_OVERFLOW_IN_TABLE_INSERT. */
MUST_CHECK bool analyze_delta_cast(Analyzer *a, BoundExpr *e, const Type *to, Str table, Str column, BoundExpr **out, Error *err);
/* A type as bytes of SQL or DDL, resolved in this session. */
ColumnId analyzer_next_id(Analyzer *a);
const FuncContext *analyzer_func(const Analyzer *a);
/* How SQL text is read in this session: for every call of the parser. */
SqlOptions session_sql_options(Session *s, Arena *arena);

/* ---- stream_source.c: streaming reads ---- */

/* A streaming read as the analyzer understood it: options are checked, the columns are known. */
typedef struct StreamRead {
    Str format;              /* lower case: rate, rate-micro-batch, csv, ..., delta */
    Str description;         /* how messages call it */
    const Type *schema;
    const Type *table_schema; /* Delta only: without the columns of a change feed */
    bool changes;            /* Delta only: its change feed is read */
    StrVec paths;            /* files and Delta: exactly one */
    KeyValueVec options;
    DeltaTable *table;       /* Delta only; held until the analyzer's arena is freed */
} StreamRead;

/* Whoever runs a streaming query is asked for the rows of each of its reads, numbered as the analyzer meets them. *rows NULL: the
 * read has no rows yet. */
typedef struct StreamHook {
    bool (*rows)(void *arg, Analyzer *a, size_t number, const StreamRead *read, BoundRel **rows, Error *err);
    void *arg;
} StreamHook;
void analyzer_set_streams(Analyzer *a, const StreamHook *hook);
/* Files of a streaming read, or of a query's state, as a relation with these columns. */
MUST_CHECK bool analyze_files_as(Analyzer *a, Str format, const StrVec *paths, const Type *schema, const KeyValueVec *options, BoundRel **out, Error *err);
/* Rows computed from plan.h relations, in the session of the analyzer. */
MUST_CHECK bool analyze_relation(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
/* Delay of withWatermark and interval of a trigger, in microseconds; CANNOT_PARSE_INTERVAL. */
MUST_CHECK bool stream_interval(Str text, int64_t *us, Error *err);
/* The column's watermark delay; -1: it has none. */
int64_t stream_watermark_delay(const BoundColumn *column);

/* What a multi-part name stands for. */
typedef struct ResolvedTable {
    enum { RESOLVED_TABLE, RESOLVED_VIEW, RESOLVED_TEMP_VIEW, RESOLVED_PATH } kind;
    TableEntry entry;        /* TABLE and VIEW; for PATH only provider and location */
    const TempView *temp;
    Str full_name;           /* catalog.schema.table, quoted where needed */
} ResolvedTable;
/* TABLE_OR_VIEW_NOT_FOUND naming it as the user wrote it. */
MUST_CHECK bool analyze_table_name(Analyzer *a, const Name *name, Origin origin, ResolvedTable *out, Error *err);
/* Refuses an old version whose files VACUUM may have taken (DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION_DURATION). */
MUST_CHECK bool analyze_check_retention(Analyzer *a, const Snapshot *newest, const Snapshot *asked, Error *err);
/* The columns that a Delta table is clustered by, as dotted paths. */
MUST_CHECK bool analyze_clustering(Analyzer *a, const Snapshot *s, StrVec *out, Error *err);
MUST_CHECK bool analyze_change_feed(Analyzer *a, ChangeFeed *feed, const Name *qualifier, BoundRel **out, Error *err);
/* DELTA_GEOSPATIAL_NOT_SUPPORTED for columns of GEOMETRY or GEOGRAPHY unless the session asks for the preview. */
MUST_CHECK bool analyze_shapes_allowed(Session *session, const Type *schema, Error *err);
/* A Delta table's snapshot as a relation, for DML and reads: the newest unless travel says otherwise. */
MUST_CHECK bool analyze_delta_scan(Analyzer *a, Snapshot *snapshot, const Name *qualifier, bool with_row_position, BoundRel **out, Error *err);
/* Adds the hidden column _metadata where the expression names it. */
void analyze_file_facts(Analyzer *a, const Expr *e, BoundRel *scan);
/* Adds the id of a row and the version that last wrote it, where the table tracks its rows; else nothing. */
void analyze_row_facts(Analyzer *a, BoundRel *scan, bool hidden);

/* Values for :name and ? in the statement, and the plans that Connect ships beside it under names. Kept by reference. */
void analyzer_set_params(Analyzer *a, const KeyValueVec *named, const ExprVec *positional);
struct LocalScope;
/* A script's variables, for the statements in it. */
void analyzer_set_locals(Analyzer *a, struct LocalScope *locals);
struct LocalScope *analyzer_locals(const Analyzer *a);
/* The temporary object (VIEW, VARIABLE, FUNCTION) that the statement referred to; false when there was none. */
bool analyzer_temp_object(const Analyzer *a, const char **kind, Name *name);
void analyzer_set_references(Analyzer *a, const RelVec *references);

/* Whether a function's body can be read with its parameters: for CREATE FUNCTION. */
MUST_CHECK bool analyze_routine_definition(Analyzer *a, const Command *c, const Name *name, Str sql, Error *err);

/* A builtin applied to bound arguments. */
MUST_CHECK bool analyze_builtin(Analyzer *a, const char *name, size_t argc, BoundExpr *const *args, BoundExpr **out, Error *err);

/* ---- object.c: what is known of tables, views and schemas without reading their rows ---- */

/* Spark's patterns of SHOW .. LIKE and spark.catalog: '*' any text, '.' any character, '|' between alternatives; case ignored. */
bool pattern_matches(Str pattern, Str name);
/* [], [schema] or [catalog, schema] as a schema that exists; SCHEMA_NOT_FOUND otherwise. */
MUST_CHECK bool analyze_schema_name(Analyzer *a, const Name *name, SchemaEntry *out, Error *err);

/* "[`system`.`session`, `main`.`default`]": where an unqualified name is looked for, for messages; functions are also looked
 * for among the builtins. */
Str search_path_text(Analyzer *a, bool functions);

typedef struct ObjectInfo {
    ResolvedTable resolved;
    const Type *schema;         /* as queries see it; comments are in the fields' metadata */
    StrVec partition_columns;
    PropertyVec properties;     /* by key; a Delta table's protocol among them */
    Str comment;
    Snapshot *snapshot;         /* Delta tables only; held until the arena is freed */
} ObjectInfo;
MUST_CHECK bool analyze_object(Analyzer *a, const Name *name, Origin origin, ObjectInfo *out, Error *err);
bool object_is_view(const ObjectInfo *o);
/* The value, unless key or value looks like a secret (spark.redaction.regex, spark.sql.redaction.options.regex). */
Str redacted_value(Arena *arena, Str key, Str value);
/* The format of a table as its CREATE TABLE spelled it. */
Str provider_text(const TableEntry *e);
/* Where no catalog is called like the first of three parts, Spark takes them all for a name in the session catalog, and refuses. */
MUST_CHECK bool analyze_check_catalog(Session *session, const Name *name, Error *err);
/* Spark's session catalog is called spark_catalog; here it is another name for main. */
Str shown_catalog(Str catalog);
/* The field's type as DESCRIBE prints it. */
Str object_type_text(const Field *f, Arena *arena);
/* "file:/data/t" for an absolute path, other locations as they are. */
Str location_uri(Str location, Arena *arena);

/* Temporary views come last; those of global_temp only when that schema is asked for. */
typedef struct ListedTable {
    Str name;
    TableEntry entry;           /* not of temporary views */
    bool temporary, global, view;
} ListedTable;
typedef VEC(ListedTable) ListedTableVec;
/* pattern empty and has_pattern false: all. */
MUST_CHECK bool analyze_list_tables(Analyzer *a, const Name *schema, bool views_only, bool has_pattern, Str pattern, ListedTableVec *out,
                                    Error *err);
/* Rows of a partitioned Delta table: one per distinct combination of partition values, columns typed. */
MUST_CHECK bool analyze_partitions(Analyzer *a, const ObjectInfo *o, const Type **schema, RowVec *rows, Error *err);
/* Names that may be called, in order, without the hidden ones. */
void function_names(bool has_pattern, Str pattern, Arena *arena, StrVec *out);
/* "abs(numeric) -> same": what a function takes, for DESCRIBE FUNCTION and listFunctions. */
Str function_usage(const FuncRow *row, Arena *arena);
/* CREATE TABLE or VIEW text that makes the object again; Delta tables are refused in strict mode, as Delta does. */
MUST_CHECK bool object_create_text(Analyzer *a, const Name *name, const ObjectInfo *o, Str *out, Error *err);

/* ---- delta_rows.c: DESCRIBE HISTORY and DETAIL ---- */

/* limit 0: all that the log still has. */
MUST_CHECK bool analyze_delta_history(Analyzer *a, Str location, int64_t limit, BoundRel **out, Error *err);
MUST_CHECK bool analyze_delta_detail(Analyzer *a, const ObjectInfo *o, BoundRel **out, Error *err);
