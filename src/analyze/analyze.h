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
/* An expression over the columns of a bound relation: conditions, assignments, constraints. wanted may be NULL;
 * otherwise the result is cast to it as an INSERT would (ANSI store assignment). */
MUST_CHECK bool analyze_expr(Analyzer *a, const Expr *e, const BoundColumnVec *columns, BoundExpr **out, Error *err);
MUST_CHECK bool analyze_condition(Analyzer *a, const Expr *e, const BoundColumnVec *columns, BoundExpr **out, Error *err);
/* A constant expression's value: LIMIT, options, time travel, DEFAULT. */
MUST_CHECK bool analyze_constant(Analyzer *a, const Expr *e, const Type *wanted, Value *out, Error *err);
/* A cast that stores `e` into a column of type `to`: INCOMPATIBLE_DATA_FOR_TABLE.* with the column's name. */
MUST_CHECK bool analyze_store_cast(Analyzer *a, BoundExpr *e, const Type *to, Str table, Str column, BoundExpr **out, Error *err);
/* A type as bytes of SQL or DDL, resolved in this session. */
ColumnId analyzer_next_id(Analyzer *a);
const FuncContext *analyzer_func(const Analyzer *a);
/* How SQL text is read in this session: for every call of the parser. */
SqlOptions session_sql_options(Session *s, Arena *arena);

/* What a multi-part name stands for. */
typedef struct ResolvedTable {
    enum { RESOLVED_TABLE, RESOLVED_VIEW, RESOLVED_TEMP_VIEW, RESOLVED_PATH } kind;
    TableEntry entry;        /* TABLE and VIEW; for PATH only provider and location */
    const TempView *temp;
    Str full_name;           /* catalog.schema.table, quoted where needed */
} ResolvedTable;
/* TABLE_OR_VIEW_NOT_FOUND naming it as the user wrote it. */
MUST_CHECK bool analyze_table_name(Analyzer *a, const Name *name, Origin origin, ResolvedTable *out, Error *err);
/* A Delta table's snapshot as a relation, for DML and reads: the newest unless travel says otherwise. */
MUST_CHECK bool analyze_delta_scan(Analyzer *a, Snapshot *snapshot, const Name *qualifier, bool with_row_position, BoundRel **out, Error *err);

/* Values for :name and ? in the statement, and the plans that Connect ships beside it under names. Kept by reference. */
void analyzer_set_params(Analyzer *a, const KeyValueVec *named, const ExprVec *positional);
void analyzer_set_references(Analyzer *a, const RelVec *references);

/* A builtin applied to bound arguments. */
MUST_CHECK bool analyze_builtin(Analyzer *a, const char *name, size_t argc, BoundExpr *const *args, BoundExpr **out, Error *err);
