/* The unresolved plan: what a client said, in SQL or Connect messages, before any name has a meaning. */
#pragma once

#include "base/map.h"
#include "type/type.h"
#include "type/value.h"

typedef struct Expr Expr;
typedef struct Rel Rel;
typedef struct Command Command;

typedef VEC(Expr *) ExprVec;
typedef VEC(Rel *) RelVec;
typedef VEC(Str) StrVec;

/* Parts of a multi-part name: catalog.schema.table, alias.column.field. */
typedef StrVec Name;

typedef struct KeyValue {
    Str key;
    Str value;
    Expr *expr; /* when the value is an expression, otherwise NULL */
} KeyValue;
typedef VEC(KeyValue) KeyValueVec;

/* Where a node stands in the SQL text it came from; stop < start when it did not come from SQL. */
typedef struct Origin {
    int start; /* byte offsets, inclusive */
    int stop;
} Origin;

/* What a run-time error says about where its expression was written: a place in SQL text, or a call
 * of a DataFrame program. With neither, Spark names an empty place. */
typedef struct Site {
    Str text;               /* the statement that origin points into; empty: none */
    Origin origin;
    Str fragment, call_site; /* of a DataFrame call */
    bool placeless;          /* its errors say nothing about a place */
} Site;

/* ------------------------------------------------------------------ expressions */

typedef enum ExprKind {
    EXPR_LITERAL,
    EXPR_COLUMN,          /* name parts, unresolved */
    EXPR_STAR,            /* *, t.*, s.*; EXCEPT / REPLACE-free */
    EXPR_REGEX_COLUMN,    /* df.colRegex */
    EXPR_CALL,            /* f(args) */
    EXPR_ALIAS,           /* one name, or several for generators */
    EXPR_CAST,
    EXPR_CASE,            /* WHEN .. THEN .. ELSE; operand form is rewritten by the parser to equality */
    EXPR_SORT,            /* e ASC NULLS FIRST: inside ORDER BY and aggregate ORDER BY */
    EXPR_WINDOW,          /* call OVER spec */
    EXPR_SUBQUERY,        /* scalar, EXISTS, IN, table argument */
    EXPR_LAMBDA,
    EXPR_LAMBDA_VAR,
    EXPR_EXTRACT,         /* child[key], child.name on a non-name child */
    EXPR_UPDATE_FIELDS,   /* withField / dropFields */
    EXPR_NAMED_ARGUMENT,  /* name => value */
    EXPR_PARAMETER,       /* :name or ? */
    EXPR_INTERVAL,        /* INTERVAL 1 DAY 2 HOURS: unit list, folded to a literal by the analyzer when constant */
    EXPR_DEFAULT,         /* DEFAULT in VALUES and SET */
    EXPR_PYTHON_UDF,
    EXPR_IDENTIFIER,      /* IDENTIFIER(e) used as a name */
    EXPR_OUTER,           /* df.col.outer() */
    EXPR_SQL_TEXT         /* F.expr("..."): parsed on analysis */
} ExprKind;

typedef enum SubqueryKind { SUBQUERY_SCALAR, SUBQUERY_EXISTS, SUBQUERY_IN, SUBQUERY_TABLE } SubqueryKind;
typedef enum FrameKind { FRAME_NONE, FRAME_ROWS, FRAME_RANGE } FrameKind;
typedef enum BoundKind {
    BOUND_UNBOUNDED_PRECEDING,
    BOUND_PRECEDING, /* value expression */
    BOUND_CURRENT_ROW,
    BOUND_FOLLOWING,
    BOUND_UNBOUNDED_FOLLOWING
} BoundKind;
typedef enum EvalMode { EVAL_DEFAULT, EVAL_ANSI, EVAL_TRY, EVAL_LEGACY } EvalMode;

typedef struct FrameBound {
    BoundKind kind;
    Expr *value;
} FrameBound;

typedef struct WindowSpec {
    Str base_name;      /* OVER w or (w ORDER BY ..) */
    ExprVec partition;
    ExprVec order;      /* EXPR_SORT */
    FrameKind frame;
    FrameBound from, to;
} WindowSpec;

/* pyspark.util.PythonEvalType: what a function takes and gives. */
typedef enum PythonEval {
    PYTHON_EVAL_BATCHED = 100,
    PYTHON_EVAL_ARROW_BATCHED = 101,
    PYTHON_EVAL_SCALAR_PANDAS = 200,
    PYTHON_EVAL_GROUP_PANDAS = 201,
    PYTHON_EVAL_AGG_PANDAS = 202,
    PYTHON_EVAL_SCALAR_PANDAS_ITER = 204,
    PYTHON_EVAL_MAP_PANDAS = 205,
    PYTHON_EVAL_COGROUP_PANDAS = 206,
    PYTHON_EVAL_MAP_ARROW = 207,
    PYTHON_EVAL_GROUP_ARROW = 209,
    PYTHON_EVAL_COGROUP_ARROW = 210,
    PYTHON_EVAL_GROUP_ARROW_ITER = 215,
    PYTHON_EVAL_GROUP_PANDAS_ITER = 216,
    PYTHON_EVAL_AGG_PANDAS_ITER = 217,
    PYTHON_EVAL_SCALAR_ARROW = 250,
    PYTHON_EVAL_SCALAR_ARROW_ITER = 251,
    PYTHON_EVAL_AGG_ARROW = 252,
    PYTHON_EVAL_AGG_ARROW_ITER = 254,
    PYTHON_EVAL_TABLE = 300,
    PYTHON_EVAL_TABLE_IN_ARROW = 301, /* as TABLE for the function; rows travel as Arrow */
    PYTHON_EVAL_TABLE_ARROW = 302
} PythonEval;

typedef struct PythonFunction {
    Str name;
    bool deterministic;
    int eval_type;      /* PythonEval; others are refused */
    const Type *return_type;
    Str command;        /* pickled, opaque */
    Str python_version;
} PythonFunction;

typedef struct FieldUpdate {
    Name field;         /* path below the struct */
    Expr *value;        /* NULL: drop */
} FieldUpdate;

struct Expr {
    ExprKind kind;
    Origin origin;
    const Site *site;       /* of a DataFrame call; NULL for SQL, which has origin */
    union {
        Value literal;
        struct {
            Name name;
            int64_t plan_id;     /* -1: none; otherwise the DataFrame it was taken from */
            bool is_metadata;    /* df.metadataColumn */
        } column;
        struct {
            Name target;         /* empty: all */
            int64_t plan_id;
            ExprVec except;      /* columns of * EXCEPT (..) */
        } star;
        struct { Str pattern; int64_t plan_id; } regex_column;
        struct {
            Name name;           /* possibly qualified */
            ExprVec args;
            bool distinct;
            bool ignore_nulls, respect_nulls;
            bool is_operator;    /* came from an operator: name is "+", "=", "and", ... */
            bool from_client;    /* named by a message: may be a function that SQL text cannot call */
            Expr *filter;
            ExprVec within_group;/* EXPR_SORT: WITHIN GROUP (ORDER BY ..) */
        } call;
        struct { Expr *child; StrVec names; Str metadata; } alias;
        struct { Expr *child; const Type *type; Str type_text; EvalMode mode; } cast;
        struct { ExprVec conditions, values; Expr *otherwise; } cases;
        struct { Expr *child; bool descending; bool nulls_first; bool nulls_given; } sort;
        struct { Expr *call; WindowSpec spec; } window;
        struct {
            SubqueryKind kind;
            Rel *plan;
            ExprVec values;
            bool negated;
            ExprVec partition, order; /* of a TABLE argument */
        } subquery;
        struct { StrVec params; Expr *body; } lambda;
        struct { Name name; } lambda_var;
        struct { Expr *child, *key; } extract;
        struct { Expr *child; FieldUpdate update; } update_fields;
        struct { Str name; Expr *value; } named_argument;
        struct { Str name; int position; } parameter; /* name empty: positional, 0-based */
        struct { ExprVec values; StrVec units; } interval;
        struct { PythonFunction *function; ExprVec args; bool distinct; } python;
        struct { Expr *text; ExprVec args; bool is_call; } identifier;
        struct { Expr *child; } outer;
        struct { Str text; const Expr *parsed; /* a part of the text, once it is known; else NULL */ } sql_text;
    };
};

/* ------------------------------------------------------------------ relations */

/* The name of a subquery that the query gives none: SQL may use it, messages leave it out. */
#define UNNAMED_SUBQUERY "__auto_generated_subquery_name"

typedef enum RelKind {
    REL_NAMED_TABLE,      /* catalog table, view, temp view, or format.`path` */
    REL_DATA_SOURCE,      /* spark.read.format(..).load(paths) */
    REL_FILES_SQL,        /* unused by Connect; format.`path` is REL_NAMED_TABLE until resolved */
    REL_PROJECT,
    REL_FILTER,
    REL_JOIN,
    REL_LATERAL_JOIN,
    REL_ASOF_JOIN,
    REL_NEAREST_JOIN,
    REL_SET_OP,
    REL_SORT,
    REL_LIMIT,
    REL_OFFSET,
    REL_TAIL,
    REL_AGGREGATE,
    REL_SQL,              /* spark.sql text with arguments; parsed on analysis */
    REL_LOCAL,            /* Arrow batches from createDataFrame */
    REL_VALUES,           /* VALUES (..), (..) */
    REL_ONE_ROW,          /* SELECT without FROM */
    REL_RANGE,
    REL_SUBQUERY_ALIAS,
    REL_DEDUPLICATE,
    REL_SAMPLE,
    REL_REPARTITION,
    REL_TO_DF,
    REL_WITH_COLUMNS,
    REL_RENAME_COLUMNS,   /* withColumnsRenamed */
    REL_DROP,
    REL_TO_SCHEMA,
    REL_UNPIVOT,
    REL_PIVOT,            /* SQL PIVOT clause */
    REL_TRANSPOSE,
    REL_HINT,
    REL_WITH,             /* CTEs in scope of a child */
    REL_WITH_RELATIONS,   /* Connect: referenced plans by id */
    REL_GENERATE,         /* LATERAL VIEW and generator in FROM */
    REL_TABLE_FUNCTION,   /* range(..), explode(..), table_changes(..) in FROM */
    REL_WINDOW_DEFS,      /* WINDOW w AS (..) in scope of a child */
    REL_SHOW_STRING,
    REL_HTML_STRING,
    REL_NA_FILL,
    REL_NA_DROP,
    REL_NA_REPLACE,
    REL_STAT,             /* summary, describe, cov, corr, crosstab, freqItems, approxQuantile, sampleBy */
    REL_COLLECT_METRICS,  /* observe */
    REL_PARSE,            /* spark.read.json(rdd of strings) */
    REL_MAP_PARTITIONS,   /* mapInPandas, mapInArrow */
    REL_GROUP_MAP,
    REL_COGROUP_MAP,
    REL_PYTHON_TABLE_FUNCTION,
    REL_WITH_WATERMARK,
    REL_CATALOG,          /* spark.catalog calls that answer with rows */
    REL_CACHED_LOCAL,     /* by hash of an uploaded artifact */
    REL_CACHED_REMOTE,    /* by id: localCheckpoint */
    REL_DELTA,            /* delta.connect relations that answer with rows */
    REL_COMMAND_RESULT,   /* rows that a command has already produced */
    REL_TRANSFORM,        /* SELECT TRANSFORM(..) USING 'script' */
    REL_PIPE_AGGREGATE    /* |> AGGREGATE: group keys come first in the output */
} RelKind;

typedef enum JoinKind {
    JOIN_INNER, JOIN_LEFT, JOIN_RIGHT, JOIN_FULL, JOIN_LEFT_SEMI, JOIN_LEFT_ANTI, JOIN_CROSS
} JoinKind;
typedef enum SetOpKind { SETOP_UNION, SETOP_INTERSECT, SETOP_EXCEPT } SetOpKind;
typedef enum GroupKind { GROUP_BY, GROUP_ROLLUP, GROUP_CUBE, GROUP_PIVOT, GROUP_SETS, GROUP_ALL } GroupKind;
typedef enum StatKind {
    STAT_SUMMARY, STAT_DESCRIBE, STAT_COV, STAT_CORR, STAT_CROSSTAB, STAT_FREQ_ITEMS, STAT_APPROX_QUANTILE,
    STAT_SAMPLE_BY
} StatKind;

/* A table version asked for with VERSION AS OF / TIMESTAMP AS OF or reader options. */
typedef struct TimeTravel {
    enum { TRAVEL_NONE, TRAVEL_VERSION, TRAVEL_TIMESTAMP } kind;
    Expr *value; /* constant expression */
} TimeTravel;

typedef struct NamedRel {
    Str name;
    StrVec columns; /* column aliases, may be empty */
    Rel *plan;
    bool recursive;
    int64_t max_depth; /* recursion limit, -1 = default */
} NamedRel;
typedef VEC(NamedRel) NamedRelVec;

typedef struct WindowDef {
    Str name;
    WindowSpec spec;
} WindowDef;

typedef struct ArrowData {
    Str ipc;          /* one Arrow IPC stream */
    StrVec chunks;    /* further streams with the same schema */
    const Type *schema; /* as the client declared it; NULL: from the Arrow schema */
} ArrowData;

/* How rows are written for a script, or read from it. */
typedef struct ScriptFormat {
    bool given;       /* ROW FORMAT DELIMITED */
    Str field, null;  /* ptr NULL: Spark's own */
} ScriptFormat;

struct Rel {
    RelKind kind;
    Origin origin;
    int64_t plan_id;  /* -1: none */
    Rel *input;       /* the first child, where there is one */
    union {
        struct {
            Name name;
            Expr *name_expr;          /* IDENTIFIER(..) */
            KeyValueVec options;
            TimeTravel travel;
            bool streaming;
        } table;
        struct {
            Str format;
            const Type *schema;       /* user-given, may be NULL */
            Str schema_text;          /* user-given DDL or JSON, may be empty */
            KeyValueVec options;
            StrVec paths;
            StrVec predicates;        /* jdbc only */
            bool streaming;
        } source;
        struct { ExprVec items; bool distinct; Str pipe; } project; /* pipe: the |> step it came from: SELECT, EXTEND, DROP */
        struct { Expr *condition; bool is_having, is_qualify, in_pipe; } filter; /* in_pipe: sees what the step before gives only */
        struct {
            Rel *right;
            JoinKind kind;
            Expr *condition;
            StrVec using_columns;
            bool natural;
            bool lateral;
        } join;
        struct {
            Rel *right;
            Expr *left_as_of, *right_as_of, *condition, *tolerance;
            StrVec using_columns;
            Str kind, direction;
            bool allow_exact;
        } asof;
        struct { Rel *right; Expr *ranking; int64_t count; Str kind, direction; } nearest;
        struct { Rel *right; SetOpKind kind; bool all, by_name, allow_missing; } set_op;
        struct { ExprVec order; bool global, in_pipe; } sort;
        struct { Str script; ScriptFormat in, out; const Type *columns; /* NULL: key and value */ } transform;
        struct { Expr *count; } limit;      /* LIMIT, OFFSET, TAIL */
        struct {
            GroupKind group;
            ExprVec keys;                    /* grouping expressions */
            ExprVec items;                   /* SQL: the select list; Connect: aggregate expressions */
            bool keys_in_output;             /* Connect: keys come first by themselves */
            VEC(ExprVec) sets;               /* GROUPING SETS */
            Expr *pivot_column;
            ExprVec pivot_values;            /* empty: all distinct values */
            Expr *having;
        } aggregate;
        struct { Str text; KeyValueVec named_args; ExprVec positional_args; } sql;
        ArrowData local;
        struct { VEC(ExprVec) rows; } values;
        struct { bool has_start; int64_t start, end, step; int partitions; } range;
        struct { Str alias; Name qualifier; StrVec columns; } subquery_alias;
        struct { StrVec columns; bool all_columns; bool within_watermark; } deduplicate;
        struct { double lower, upper; bool replacement, has_seed, ordered; /* sorted within partitions first */ int64_t seed; Expr *rows; } sample;
        struct { ExprVec by; int partitions; bool shuffle; } repartition;
        struct { StrVec names; } to_df;
        struct { ExprVec items; bool must_exist; } with_columns; /* EXPR_ALIAS each; must_exist: |> SET replaces only */
        struct { KeyValueVec renames; } rename; /* key: old, value: new */
        struct { ExprVec columns; StrVec names; } drop;
        struct { const Type *schema; } to_schema;
        struct {
            ExprVec ids, values;
            bool has_values;
            Str variable_name, value_name;
            VEC(ExprVec) value_groups;       /* SQL: several value columns */
            StrVec value_names, aliases;
            bool include_nulls;
        } unpivot;
        struct { ExprVec aggregates; ExprVec columns; ExprVec values; StrVec value_names; } pivot;
        struct { ExprVec index_columns; } transpose;
        struct { Str name; ExprVec params; } hint;
        struct { NamedRelVec ctes; } with;
        struct { RelVec references; } with_relations;
        struct { Expr *generator; bool outer; Str table_alias; StrVec column_aliases; } generate;
        struct { Name name; Expr *name_expr; /* IDENTIFIER(..) */ ExprVec args; Str alias; } table_function;
        struct { VEC(WindowDef) defs; } window_defs;
        struct { int num_rows, truncate; bool vertical; } show;
        struct { StrVec columns; ExprVec values; } na_fill;
        struct { StrVec columns; int min_non_nulls; bool has_min; } na_drop;
        struct { StrVec columns; ExprVec from, to; } na_replace;
        struct {
            StatKind kind;
            StrVec columns;
            StrVec statistics;
            VEC(double) numbers;
            double error_or_support;
            Str method;
            Expr *stratum;
            ExprVec strata;
            int64_t seed;
            bool has_seed;
        } stat;
        struct { Str name; ExprVec metrics; } collect_metrics;
        struct { Str format; const Type *schema; KeyValueVec options; } parse;
        struct { PythonFunction *function; ExprVec args; bool barrier; } map_partitions;
        struct {
            ExprVec keys, sorting;
            PythonFunction *function;
            ExprVec args;
            Rel *other;                      /* cogroup */
            ExprVec other_keys, other_sorting;
        } group_map;
        struct { PythonFunction *function; ExprVec args; } python_table;
        struct { Str column, delay; } watermark;
        struct { Str call; KeyValueVec args; const Type *schema; } catalog; /* call: "listTables", "tableExists", ... */
        struct { Str hash; StrVec data_hashes; Str schema_hash; } cached_local;
        struct { Str id; } cached_remote;
        struct { Str op; Name table; Str path; KeyValueVec args; } delta; /* op: "scan", "history", "detail", "isDeltaTable" */
        struct { const Type *schema; VEC(ExprVec) rows; } result;
    };
};

/* ------------------------------------------------------------------ commands */

typedef enum CommandKind {
    CMD_CREATE_CATALOG, CMD_DROP_CATALOG, CMD_CREATE_SCHEMA, CMD_DROP_SCHEMA, CMD_ALTER_SCHEMA,
    CMD_ALTER_CATALOG,
    CMD_CREATE_TABLE,     /* also REPLACE, CTAS, LIKE, CLONE */
    CMD_DROP_TABLE, CMD_ALTER_TABLE, CMD_TRUNCATE,
    CMD_CREATE_VIEW, CMD_DROP_VIEW, CMD_ALTER_VIEW,
    CMD_CREATE_TEMP_VIEW, /* from a DataFrame or CREATE TEMP VIEW */
    CMD_CREATE_FUNCTION, CMD_DROP_FUNCTION,
    CMD_INSERT, CMD_UPDATE, CMD_DELETE, CMD_MERGE,
    CMD_WRITE,            /* DataFrameWriter */
    CMD_WRITE_V2,         /* DataFrameWriterV2 */
    CMD_DESCRIBE,         /* table, query, function, schema, catalog, detail, history */
    CMD_SHOW,             /* catalogs, schemas, tables, views, columns, functions, tblproperties, create table, partitions */
    CMD_SET, CMD_RESET, CMD_USE,
    CMD_OPTIMIZE, CMD_VACUUM, CMD_RESTORE, CMD_CONVERT, CMD_GENERATE,
    CMD_EXPLAIN, CMD_COMMENT, CMD_REFRESH, CMD_CACHE, CMD_UNCACHE, CMD_ANALYZE,
    CMD_DECLARE_VARIABLE, CMD_SET_VARIABLE, CMD_DROP_VARIABLE, CMD_EXECUTE_IMMEDIATE,
    CMD_SCRIPT,
    CMD_REGISTER_FUNCTION, /* Connect: Python UDF under a name */
    CMD_DELTA,            /* delta.connect commands without a SQL form of their own */
    CMD_CHECKPOINT,       /* localCheckpoint */
    CMD_REMOVE_CACHED
} CommandKind;

typedef enum Existence { IF_NOT_GIVEN, IF_EXISTS, IF_NOT_EXISTS, OR_REPLACE } Existence;

typedef struct ColumnDef {
    Name name;               /* nested for ALTER ADD COLUMN a.b */
    const Type *type;        /* NULL: keep */
    bool not_null;
    Str comment;
    bool has_comment;
    Expr *default_value;
    Str default_sql;         /* DEFAULT text as written */
    Expr *generated;
    Str generated_sql;       /* GENERATED ALWAYS AS (text) */
    bool is_identity, identity_always;
    int64_t identity_start, identity_step;
    bool first;              /* ALTER: position */
    Str after;
    Origin origin;
} ColumnDef;
typedef VEC(ColumnDef) ColumnDefVec;

typedef struct TableConstraint {
    Str name;
    Str check_sql;
    Expr *check;
    Str kind;                /* "CHECK", "PRIMARY KEY", "FOREIGN KEY", "UNIQUE" */
} TableConstraint;

typedef struct TableSpec {
    ColumnDefVec columns;
    Str provider;            /* USING; empty: default */
    ExprVec partition_by;    /* columns or transforms */
    ColumnDefVec partition_columns; /* Hive style: PARTITIONED BY (d DATE) */
    StrVec cluster_by;       /* dotted paths */
    StrVec bucket_by, sort_by; /* CLUSTERED BY (..) SORTED BY (..) INTO n BUCKETS */
    int64_t buckets;         /* 0: none */
    bool cluster_by_given, cluster_by_auto;
    KeyValueVec properties;
    KeyValueVec options;
    Str location;
    Str comment;
    Str collation;           /* DEFAULT COLLATION as written; empty: none */
    VEC(TableConstraint) constraints;
    bool external;
} TableSpec;

typedef struct Assignment {
    Name target;
    Expr *value;
} Assignment;
typedef VEC(Assignment) AssignmentVec;

typedef enum MergeClauseKind { MERGE_MATCHED, MERGE_NOT_MATCHED, MERGE_NOT_MATCHED_BY_SOURCE } MergeClauseKind;
typedef enum MergeActionKind { MERGE_UPDATE, MERGE_UPDATE_STAR, MERGE_DELETE, MERGE_INSERT, MERGE_INSERT_STAR } MergeActionKind;

/* One PARTITION (..) [LOCATION '..'] of ALTER TABLE. */
typedef struct PartitionDef { AssignmentVec spec; Str location; } PartitionDef;

typedef struct MergeClause {
    MergeClauseKind kind;
    Expr *condition;         /* may be NULL */
    MergeActionKind action;
    AssignmentVec assignments;
} MergeClause;

typedef enum InsertMode { INSERT_APPEND, INSERT_OVERWRITE, INSERT_REPLACE_WHERE, INSERT_REPLACE_USING } InsertMode;

typedef enum AlterKind {
    ALTER_ADD_COLUMNS, ALTER_DROP_COLUMNS, ALTER_RENAME_COLUMN, ALTER_COLUMN, ALTER_REPLACE_COLUMNS,
    ALTER_SET_PROPERTIES, ALTER_UNSET_PROPERTIES, ALTER_RENAME, ALTER_ADD_CONSTRAINT, ALTER_DROP_CONSTRAINT,
    ALTER_SET_LOCATION, ALTER_CLUSTER_BY, ALTER_DROP_FEATURE, ALTER_ADD_PARTITION, ALTER_DROP_PARTITION,
    ALTER_SET_OWNER, ALTER_SET_SERDE, ALTER_SYNC_IDENTITY, ALTER_RECOVER_PARTITIONS, ALTER_VIEW_AS, ALTER_VIEW_SCHEMA, ALTER_DEFAULT_COLLATION,
    ALTER_RENAME_PARTITION
} AlterKind;

/* A write that is one micro-batch of a streaming query: committed once, whatever happens. */
typedef struct StreamCommit {
    Str query_id;
    Str output_mode;         /* Append, Complete, Update */
    int64_t batch;
} StreamCommit;

struct Command {
    CommandKind kind;
    const StreamCommit *stream; /* CMD_WRITE and the CREATE TABLE it may become; NULL: none */
    Origin origin;
    Name name;               /* the object the command is about */
    Expr *name_expr;         /* IDENTIFIER(..) instead of name */
    Existence existence;
    Rel *query;              /* AS query, INSERT source, written DataFrame, MERGE source */
    KeyValueVec properties;  /* options, TBLPROPERTIES, WITH DBPROPERTIES, SET */
    Str comment;
    union {
        struct { bool managed_location; Str location, collation; bool cascade; } container; /* catalogs and schemas */
        struct { TableSpec spec; bool replace; Name like; Name clone_source; bool shallow; TimeTravel clone_travel; bool purge;
                 Str save_mode; /* DataFrameWriter.save made it: "ErrorIfExists", as the commit has it */ } table;
        struct {
            AlterKind kind;
            ColumnDefVec columns;
            StrVec names;            /* property keys, dropped columns (dotted) */
            Name old_name;           /* RENAME COLUMN a.b TO c; column of ALTER COLUMN */
            Str new_name;
            Name new_table;
            TableConstraint constraint;
            Str location;
            VEC(PartitionDef) partitions; /* ADD and DROP: all; RENAME: from, to; else the one the change is about */
            bool set_not_null, drop_not_null, drop_default, truncate_history, if_exists, is_view, is_change;
        } alter;
        struct { ColumnDefVec columns; Str sql; Str schema_mode, collation; bool temporary, global, replace, materialized; } view; /* schema_mode: BINDING, COMPENSATION, TYPE EVOLUTION, EVOLUTION or empty */
        struct { Str body_sql; ColumnDefVec params; const Type *returns; Str language; bool temporary; bool is_table; PythonFunction *python; Str function_class; } function;
        struct {
            InsertMode mode;
            StrVec columns;          /* target list, may be empty */
            bool by_name;
            AssignmentVec partition; /* PARTITION (a = 1, b) */
            Expr *replace_where;
            StrVec replace_using;
            bool schema_evolution;
        } insert;
        struct { Str alias; AssignmentVec assignments; Expr *condition; } dml;  /* UPDATE, DELETE */
        struct {
            Str target_alias;
            Expr *on;
            VEC(MergeClause) clauses;
            bool schema_evolution;
        } merge;
        struct {
            Str format, mode;        /* mode: append, overwrite, error, ignore */
            Str path;                /* empty: save to name */
            bool insert_into;        /* insertInto rather than saveAsTable */
            StrVec partition_by, sort_by, bucket_by, cluster_by;
            int buckets;
        } write;
        struct {
            Str provider, mode;      /* create, overwrite, overwrite_partitions, append, replace, create_or_replace */
            ExprVec partition_by;
            StrVec cluster_by;
            Expr *overwrite_condition;
            KeyValueVec table_properties;
        } write_v2;
        struct { Str what; bool extended, as_json; Str column; AssignmentVec partition; int64_t limit; } describe; /* limit: of history, 0: none */ /* what: table, query, function, schema, catalog, detail, history */
        struct { Str what; Name from; Str like; Str key; AssignmentVec partition; bool has_like; bool all; bool as_serde; } show;
        struct { Str key, value; bool has_value; bool all; } set;
        struct { bool is_catalog; } use;
        struct { Expr *where; ExprVec zorder; bool full, reorg_purge; } optimize;
        struct { Expr *retain_hours; double hours; bool has_hours, dry_run, lite, full; Rel *inventory; } vacuum;
        TimeTravel travel;           /* RESTORE */
        struct { Str mode; Command *command; } explain;
        struct { Str what; Str text; bool is_null; } comment_on;
        struct { bool lazy; KeyValueVec options; AssignmentVec partition; } cache; /* partition: ANALYZE and TRUNCATE */
        struct { const Type *type; Expr *value; VEC(Assignment) assignments; bool replace; VEC(Name) names; } variable;
        struct { Expr *text; ExprVec args; VEC(Name) into; } immediate;
        struct { struct ScriptStatement *body; } script; /* plan/script.h */
        struct { Str op; Str path; KeyValueVec args; ColumnDefVec columns; } delta; /* op: "upgradeProtocol", "addFeature", ... */
        struct { Str id; bool eager; } cached;
    };
};

/* A statement is either a query or a command. */
typedef struct Statement {
    Rel *query;
    Command *command;
} Statement;

/* ---- constructors ---- */
Expr *expr_new(ExprKind kind, Arena *arena);
Expr *expr_literal(Value v, Arena *arena);
Expr *expr_column(Arena *arena, Str name);                     /* one part, no plan id */
Expr *expr_call(Arena *arena, const char *name, size_t argc, Expr *const *args);
Expr *expr_alias(Expr *child, Str name, Arena *arena);
Rel *rel_new(RelKind kind, Rel *input, Arena *arena);
Command *command_new(CommandKind kind, Arena *arena);

/* "`a b`.c": the parts joined, each backquoted when it is not a plain identifier. */
Str name_text(const Name *name, Arena *arena);
/* Always backquoted: `a`.`b`, as Spark's error messages print names. */
Str name_quoted(const Name *name, Arena *arena);
Name name_of(Arena *arena, size_t count, const Str *parts);
/* "a.b" or "`a.b`.c" as clients send it; PARSE errors as Spark's UnresolvedAttribute.parseAttributeName. */
MUST_CHECK bool name_parse(Str text, Arena *arena, Name *out, Error *err);
/* Value of an option by case-insensitive key; empty when absent. */
Str key_value_get(const KeyValueVec *options, const char *key);
bool key_value_has(const KeyValueVec *options, const char *key);
