/* What the files of this folder share: the analyzer's state, scopes, and each file's entry points. */
#pragma once

#include "analyze/analyze.h"
#include "session/locals.h"

enum { ANALYZE_MAX_DEPTH = 2000, VIEW_MAX_DEPTH = 100 };

/* The hidden column of scans of files: a struct that says where a row comes from. */
#define FILE_METADATA "_metadata"

typedef VEC(BoundColumnVec) PlanOutputs;

/* A CTE in scope; bound at its definition, referenced by copies with fresh ids. */
typedef struct CteEntry {
    Str name;
    uint32_t id;
    BoundRel *definition;
    BoundColumnVec columns;     /* names after the alias list; for a recursive one, of its anchor */
    bool in_anchor;             /* it is being bound, and what is being read may not refer to it */
    bool recursive;             /* its own definition has referred to it */
    struct CteEntry *next;
} CteEntry;

typedef struct ParamFrame {
    const KeyValueVec *named;
    const ExprVec *positional;
    const struct ParamFrame *outer;
} ParamFrame;

/* Where unqualified names are looked up; a view brings its own. */
typedef struct NameSpace {
    Str catalog, schema;
    bool no_temp_views;
} NameSpace;

struct Analyzer {
    Session *session;
    Engine *engine;
    FuncContext func;
    Str sql_text;
    const Site *view_site;      /* inside a view: where the statement names it, which is where Spark puts its errors */
    Arena *arena;
    ColumnId last_id;
    uint32_t last_cte, last_lambda;
    unsigned depth, view_depth;
    bool ansi;
    bool case_sensitive;
    CteEntry *ctes;
    const ParamFrame *params;
    NameSpace space;
    struct Scope *outer;        /* enclosing query's scope while a subquery is analyzed */
    Map plan_outputs;           /* plan id as text -> PlanOutputs* */
    const RelVec *references;   /* WITH_RELATIONS in scope: named by their alias */
    Str default_collation;      /* of the view that is read, or the object that is made: of literals and casts to STRING */
    const struct WindowNames *windows;
    struct PartitionMark *partition_marks; /* partition.c */
    struct LocalScope *locals;  /* variables of the script that runs, innermost first */
    const char *temp_kind;      /* the first temporary object that was referred to, NULL for none */
    Name temp_name;
    bool asked_metadata;        /* the statement names _metadata: scans of files carry that hidden column */
    bool with_metadata;
    bool asked_input_file;      /* the statement calls input_file_name() or kin */
    const StreamHook *streams;  /* NULL: streaming reads have no rows */
    size_t stream_count;        /* reads met so far */
    VEC(Snapshot *) snapshots;  /* the newest of each Delta table met so far: a statement sees one version of it */
};

typedef struct LambdaVar {
    Str name;
    uint32_t id;
    const Type *type;
    bool nullable;
    const struct LambdaVar *next;
} LambdaVar;

typedef struct NamedItem {
    Str name;
    BoundExpr *expr;
    bool is_new; /* computed, or given a name by the query: not a column that is only passed on */
} NamedItem;
typedef VEC(NamedItem) NamedItemVec;

typedef struct WindowNames {
    const WindowDef *defs;
    size_t count;
    const struct WindowNames *outer;
} WindowNames;

/* What an expression may refer to. */
typedef struct Scope {
    const BoundColumnVec *columns;
    const BoundColumnVec *fallback;    /* columns below a projection: ORDER BY and HAVING may reach them */
    const NamedItemVec *aliases;       /* earlier items of the same select list: lateral column aliases; a function's parameters */
    Str alias_owner;                   /* the function whose parameters they are: f.x */
    const LambdaVar *lambdas;
    struct Scope *outer;
    bool allow_aggregates;
    bool allow_windows;
    bool allow_generators;
    bool in_aggregate;                 /* inside an aggregate's arguments */
    bool prefer_fallback;              /* inside an aggregate of HAVING / ORDER BY */
    bool used_fallback;                /* set by resolution */
    bool no_variables;                 /* session variables are not looked at: aliases come before them */
    const BoundItemVec *keys;          /* HAVING: grouping keys below come before the select list (SPARK-31519) */
    const char *clause;                /* for messages */
} Scope;

/* char_padding.c */
/* The value as its declared type has it: CHAR(n) with blanks, at any depth. */
bool char_padded(Analyzer *a, BoundExpr *e, const Type *declared, BoundExpr **out, Error *err);
/* A scan's columns of CHAR as queries see them. */
bool pad_char_columns(Analyzer *a, BoundRel **rel, Error *err);
/* The arguments of a comparison among which is a column of CHAR. */
bool pad_char_operands(Analyzer *a, const FuncRow *row, const Scope *scope, BoundExprVec *args, Error *err);
/* store_cast.c: a lambda of one or two variables without a body yet. */
BoundExpr *lambda_over(Analyzer *a, size_t count, const char *const *names, BoundExpr **vars, const Type *const *types, const bool *nullable);
/* analyzer.c */
bool analyze_rel(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
BoundColumn new_column(Analyzer *a, Str name, const Type *type, bool nullable);
BoundColumn column_of_expr(Analyzer *a, BoundExpr *e, Str name, Str metadata);
Scope scope_of(Analyzer *a, const BoundRel *rel);
/* A projection of exactly these columns of the input, ids kept. */
BoundRel *project_columns(Analyzer *a, BoundRel *input, const BoundColumnVec *columns);
/* source.c: SQL text that must be a query. */
bool parse_query_text(Analyzer *a, Str text, Rel **out, Error *err);
/* view.c */
bool analyze_view(Analyzer *a, const TableEntry *entry, BoundRel **out, Error *err);
bool analyze_temp_view(Analyzer *a, const TempView *view, BoundRel **out, Error *err);
BoundRel *strip_hidden(Analyzer *a, BoundRel *rel);
BoundRel *strip_but_metadata(Analyzer *a, BoundRel *rel); /* _metadata stays within reach */
/* A projection of a scan, or of projections of one, still knows its files. */
void carry_hidden(Analyzer *a, const BoundRel *input, BoundRel *project);
void carry_metadata(Analyzer *a, const BoundRel *input, BoundRel *project);
void project_push(Analyzer *a, BoundRel *project, BoundExpr *e, BoundColumn column);
BoundRel *rel_of_values(Analyzer *a, const Type *schema, const RowVec *rows);
bool name_matches(const Analyzer *a, Str x, Str y);
/* What a body in SQL (a view's, a function's) must not see of the statement around it. */
typedef struct SavedState {
    NameSpace space;
    Str sql_text;
    CteEntry *ctes;
    Scope *outer;
    const ParamFrame *params;
    const WindowNames *windows;
    Str default_collation;
} SavedState;
SavedState analyzer_enter(Analyzer *a);
void analyzer_leave(Analyzer *a, const SavedState *saved);
void note_temp_object(Analyzer *a, const char *kind, const Name *name);
Site *site_at(Analyzer *a, Origin origin);
bool set_context(Analyzer *a, Error *err, Origin origin);   /* attaches the SQL fragment; returns false */
/* A count of rows over this input, whose columns are no constants. */
bool require_constant_int(Analyzer *a, const Expr *e, const BoundRel *input, const char *what, int64_t *out, Error *err);

/* constant.c */
/* Notes what an expression without columns comes to where a function wants a constant; whether there was anything to note. */
bool fold_arguments(Analyzer *a, BoundExprVec *args);

/* expr.c */
bool bind_expr(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
bool bind_condition(Analyzer *a, const Expr *e, Scope *scope, const char *clause, BoundExpr **out, Error *err);
bool bind_exprs(Analyzer *a, const ExprVec *in, Scope *scope, BoundExprVec *out, Error *err);
bool bind_sort(Analyzer *a, const Expr *e, Scope *scope, BoundSort *out, Error *err);
bool coerce_to(Analyzer *a, BoundExpr *e, const Type *to, BoundExpr **out, Error *err);
/* The type all of them are brought to, with casts inserted; DATATYPE_MISMATCH.DATA_DIFF_TYPES otherwise. */
bool coerce_all(Analyzer *a, BoundExprVec *es, const char *function, Error *err);

/* column.c */
bool bind_column(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
bool column_missing(Analyzer *a, const Expr *e, const Scope *scope, Error *err);
/* What is taken out of a NULL of no type: another, named after what was asked for. */
BoundExpr *null_extract(Analyzer *a, const BoundExpr *child, Str shown);
/* NULL when the name is not a column here. Ambiguity is an error. */
static inline ColumnId column_identity(const BoundColumn *c)
{
    return c->copy_of ? c->copy_of : c->id;
}
bool find_column(Analyzer *a, const Name *name, const BoundColumnVec *columns, BoundExpr **out, Error *err);
bool bind_field(Analyzer *a, BoundExpr *child, Str field, BoundExpr **out, Error *err);
/* The last parts of a qualifier; spark_catalog is another name of its catalog. */
bool qualifier_ends_with(const Analyzer *a, const Name *qualifier, const Str *parts, size_t count);
const PlanOutputs *plan_outputs_of(const Analyzer *a, int64_t plan_id);
/* The column is that of a query around this one. */
void mark_outer(Analyzer *a, const Scope *theirs, BoundExpr *e);

/* star.c */
bool expand_star(Analyzer *a, const Expr *star, Scope *scope, NamedItemVec *out, Error *err);
bool expand_regex(Analyzer *a, const Expr *e, Scope *scope, NamedItemVec *out, Error *err);

/* call.c */
bool bind_call(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
bool bind_builtin(Analyzer *a, const char *name, size_t argc, BoundExpr *const *args, Origin origin, BoundExpr **out, Error *err);

/* parse_text.c: the first column holds XML records; schema NULL: inferred from them */
bool parse_xml_records(Analyzer *a, BoundRel *input, const Type *schema, const KeyValueVec *options, BoundRel **out, Error *err);

/* python.c */
bool bind_python(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
bool analyze_python_table(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_python_table_call(Analyzer *a, PythonFunction *f, const Rel *rel, BoundRel **out, Error *err);
bool analyze_map_partitions(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_group_map(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_cogroup_map(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* routine.c: functions written in SQL, and the way to registered Python ones */
bool bind_routine(Analyzer *a, const Expr *e, Scope *scope, bool *found, BoundExpr **out, Error *err);
bool analyze_table_routine(Analyzer *a, const Rel *rel, bool *found, BoundRel **out, Error *err);

/* python.c: a call of a function that the session has registered */
bool bind_python_call(Analyzer *a, PythonFunction *function, const Expr *call, Scope *scope, BoundExpr **out, Error *err);

/* window.c */
bool bind_window(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
/* Replaces every window expression by a column of a projection put below. */
/* Gives windows inside windows a projection of their own below this one. */
void separate_windows(Analyzer *a, BoundRel *project);
bool lift_windows(Analyzer *a, BoundRel **input, BoundExpr **e, Error *err);

/* partition.c: the partition numbers that programs can see */
typedef enum RepartitionKind {
    REPARTITION_ROUND_ROBIN, REPARTITION_HASH, REPARTITION_RANGE, REPARTITION_ID, REPARTITION_COALESCE
} RepartitionKind;
typedef struct RepartitionSpec {
    RepartitionKind kind;
    int64_t count;
    BoundExprVec by;
    BoundSortVec order; /* RANGE */
} RepartitionSpec;
/* The input again, remembered as what repartitions it. */
BoundRel *mark_partitions(Analyzer *a, BoundRel *input, const RepartitionSpec *spec);
/* Calls that depend on the row's partition get it as an argument, from hidden columns of the input. */
bool lift_partitions(Analyzer *a, BoundRel **input, BoundExpr **e, Error *err);
/* Aggregates of central moments over local rows get the row's partition as a second argument. */
bool part_moments(Analyzer *a, BoundRel *aggregate, Error *err);
/* The hidden column with the partition of an operator's rows; 0: all are in one. */
bool partition_column(Analyzer *a, BoundRel **input, ColumnId *id, Error *err);
/* The position of a row from 0: a window function over all rows in the order they come. */
bool bind_row_position(Analyzer *a, Origin origin, BoundExpr **out, Error *err);

/* time_window.c: calls of window(..) become a hidden column of the input; equal ones the same column */
struct LiftedWindow;
bool lift_time_windows(Analyzer *a, BoundRel **input, struct LiftedWindow **known, BoundExpr **e, Error *err);
/* The same for the key of a session_window(..), whose sessions are those of rows that agree in the other keys. */
bool lift_session_window(Analyzer *a, BoundRel *aggregate, size_t key, struct LiftedWindow **known, Error *err);

/* interval.c */
bool bind_interval(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);

/* pushdown.c: conjuncts over a Delta scan's columns reach the scan, for skipping files */
void push_down_filters(Analyzer *a, BoundRel *plan);

/* subquery.c */
bool bind_subquery(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
/* What IN gives where nothing is known: as Spark's joins have it, false, among results and inside other expressions. */
bool settle_in_subqueries(Analyzer *a, BoundExpr **e, bool is_condition, Error *err);
/* Visits the expressions of every relation of a subquery's plan: that is where outer columns are used. */
bool plan_each_expr(BoundRel *plan, BoundVisit visit, void *arg);
/* Subqueries in the condition of a join that is not inner become columns of the side that they look at. */
bool lift_subqueries(Analyzer *a, BoundRel *join, Error *err);
/* None may look at both sides of the join whose condition it is in. */
bool check_join_subqueries(Analyzer *a, BoundRel *join, Error *err);

/* correlation.c: what a subquery's plan may look at outside, and where a subquery may stand */
bool check_correlation(Analyzer *a, BoundRel *plan, Error *err);
bool check_lateral(Analyzer *a, BoundRel *join, Error *err);
bool check_subquery_place(Analyzer *a, const BoundRel *rel, const BoundExpr *e, Error *err);
bool is_correlated_plan(BoundRel *plan);
/* .. and only by conditions that are equalities with an own column, or about the outer row alone. */
bool is_correlated_by_lookup(BoundRel *plan);

/* select.c: projections, aggregation, sorting; what reaches below a projection */
bool analyze_project(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_filter(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_sort(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
BoundRel *hide_carried(Analyzer *a, BoundRel *rel, size_t visible);
/* F.expr("..."): what its text says; any other expression is itself. */
bool parsed_text(Analyzer *a, const Expr *e, const Expr **out, Error *err);
bool bind_items(Analyzer *a, const ExprVec *items, Scope *scope, BoundRel **input, NamedItemVec *out, Error *err);
Str item_name(Analyzer *a, const Expr *e, const BoundExpr *bound);
/* EXTEND and SET compute from one row: no aggregates, no stars. */
bool check_windows(const BoundExpr *condition, const char *clause, Error *err);
bool check_pipe_star(Analyzer *a, const Expr *e, Error *err);
bool check_pipe_item(Analyzer *a, BoundExpr *e, const char *clause, Error *err);
BoundRel *project_items(Analyzer *a, BoundRel *input, const NamedItemVec *items, const StrVec *metadata);

/* aggregate.c */
bool analyze_aggregate(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
/* Rewrites e over an aggregate's output: keys and aggregates become its columns, new aggregates are added. */
bool split_aggregates(Analyzer *a, BoundRel *aggregate, BoundExpr **e, Error *err);
/* The same for an expression of HAVING or ORDER BY: an input column that is no key is unknown among these columns. */
bool split_above(Analyzer *a, BoundRel *aggregate, const BoundColumnVec *shown, BoundExpr **e, Error *err);
bool contains_aggregate(const Expr *e);
bool bound_has_aggregate(const BoundExpr *e);

/* check.c: aggregates, windows and generators that nothing computes are refused. */
bool check_plan(Analyzer *a, BoundRel *plan, Error *err);
bool check_condition(Analyzer *a, BoundExpr *condition, Error *err);

/* equal.c */
bool bound_equal(const BoundExpr *x, const BoundExpr *y);
bool bound_is_constant(const BoundExpr *e);

/* join.c */
bool analyze_join(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_asof_join(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_nearest_join(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* setop.c */
bool analyze_set_op(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* cte.c */
bool analyze_with(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
CteEntry *find_cte(const Analyzer *a, const Name *name);
BoundRel *cte_reference(Analyzer *a, CteEntry *cte);
/* INVALID_RECURSIVE_CTE where the definition must not refer to itself. */
bool cte_may_refer(CteEntry *cte, Error *err);

/* source.c: tables, files, local data */
bool analyze_named_table(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_data_source(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_local(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_values(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_range(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_sql(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
BoundRel *with_qualifier(Analyzer *a, BoundRel *rel, const Name *qualifier);

/* stream_source.c */
bool analyze_stream_source(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_stream_table(Analyzer *a, const TableEntry *entry, const KeyValueVec *options, BoundRel **out, Error *err);
bool analyze_watermark(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_observe(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* delta_source.c */
bool open_delta_table(Analyzer *a, Str location, DeltaTable **out, Error *err);
/* Whether a name ends in "@v3" or "@20240131235959000", which begins at *end. */
bool analyze_travel_suffix(Analyzer *a, Str text, size_t *end, TimeTravel *travel);
/* VERSION AS OF: DELTA_TIME_TRAVEL_INVALID_BEGIN_VALUE where it is no whole number. */
bool analyze_travel_version(Analyzer *a, const Expr *e, int64_t *version, Error *err);
/* Whether the options ask for the change feed; what such a read has more columns than the table. */
bool analyze_reads_changes(const KeyValueVec *options, bool *out, Error *err);
const Type *analyze_change_schema(const Type *table, Arena *arena);
bool analyze_delta_table(Analyzer *a, Str location, const Name *qualifier, const TimeTravel *travel, const KeyValueVec *options,
                         BoundRel **out, Error *err);
bool analyze_delta_relation(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* frame.c: DataFrame relations that SQL has no clause for */
bool analyze_with_columns(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_rename(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_drop(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_to_df(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_to_schema(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_deduplicate(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_subquery_alias(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_limit(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_sample(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* missing.c: nulls and replacement */
bool analyze_na_fill(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_na_drop(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_na_replace(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* stat.c, reshape.c, show.c, generate.c */
bool analyze_stat(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_unpivot(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_transpose(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_pivot_clause(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_pivot_group(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err);
bool analyze_show_string(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_html_string(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_generate(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_table_function(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool generate_over(Analyzer *a, BoundRel *input, BoundExpr *generator, bool outer, const StrVec *names, BoundRel **out, Error *err);

/* parse_text.c, server_rows.c: records in a column, sql_keywords() and collations() */
bool analyze_parse(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
bool analyze_server_rows(Analyzer *a, Str name, bool *found, BoundRel **out);

/* transform.c */
bool analyze_transform(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* source.c: the hidden column _metadata, in statements that name it. */
typedef enum MetadataFields { FACTS_OF_FILE, FACTS_WITH_INDEX, FACTS_OF_TRACKED_ROWS } MetadataFields;
void push_file_metadata(Analyzer *a, BoundRel *rel, MetadataFields facts);

/* input_file.c: the calls in a plan become columns that its scans give. MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION. */
bool bind_input_files(Analyzer *a, BoundRel *plan, Error *err);

/* rel_catalog.c: spark.catalog as rows */
bool analyze_catalog_call(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

/* run.c: the analyzer's own small queries */
bool run_rows(Analyzer *a, const BoundRel *rel, size_t max_rows, RowVec *rows, Error *err);

/* ---- named_arguments.c ---- */

/* The call with its named arguments in their places. Errors: NAMED_PARAMETERS_NOT_SUPPORTED, UNRECOGNIZED_PARAMETER_NAME,
 * DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT, UNEXPECTED_POSITIONAL_ARGUMENT, REQUIRED_PARAMETER_NOT_FOUND. */
bool arrange_arguments(Analyzer *a, const char *function, const Expr *e, Expr *out, Error *err);
