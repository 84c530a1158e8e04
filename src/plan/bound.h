/* The bound plan: names are resolved, every node has a type, every column an id. Only this can be rendered. */
#pragma once

#include "plan/plan.h"
#include "type/coerce.h"

typedef struct BoundExpr BoundExpr;
typedef struct BoundRel BoundRel;
typedef struct FuncRow FuncRow;   /* func/func.h */

typedef VEC(BoundExpr *) BoundExprVec;
typedef VEC(BoundRel *) BoundRelVec;
typedef VEC(size_t) IndexVec;

/* Unique inside one statement, never 0. In DuckDB the column is named c<id>, so that correlation needs no table alias. */
typedef uint32_t ColumnId;

typedef struct BoundColumn {
    ColumnId id;
    Str name;            /* as the client sees it; names may repeat */
    const Type *type;
    bool nullable;
    Str metadata;        /* JSON object text, may be empty */
    Name qualifier;      /* t or catalog.schema.t: what may stand before the name */
    bool hidden;         /* metadata column (_metadata): resolved by name, left out of star */
    ColumnId copy_of;    /* the same column selected once more: a name that means both is not ambiguous; 0: no copy */
} BoundColumn;
typedef VEC(BoundColumn) BoundColumnVec;

typedef enum BoundExprKind {
    BEXPR_LITERAL,
    BEXPR_COLUMN,        /* of the input, or of an outer query */
    BEXPR_CALL,          /* a scalar function row */
    BEXPR_AGGREGATE,     /* an aggregate function row; only in BREL_AGGREGATE and under BEXPR_WINDOW */
    BEXPR_WINDOW,
    BEXPR_CAST,
    BEXPR_CASE,
    BEXPR_SUBQUERY,
    BEXPR_LAMBDA,        /* only as an argument of a higher-order row */
    BEXPR_LAMBDA_VAR,
    BEXPR_FIELD,         /* struct field by position */
    BEXPR_STRUCT,        /* named_struct, struct: one child a field */
    BEXPR_GENERATOR,     /* explode and kin; only in BREL_GENERATE */
    BEXPR_PYTHON
} BoundExprKind;

typedef struct BoundSort {
    BoundExpr *expr;
    bool descending, nulls_first;
} BoundSort;
typedef VEC(BoundSort) BoundSortVec;

typedef struct BoundFrameBound {
    BoundKind kind;
    BoundExpr *value;
} BoundFrameBound;

struct BoundExpr {
    BoundExprKind kind;
    const Type *type;
    bool nullable;
    bool implicit;       /* a coercion the user did not write: left out of generated names */
    Origin origin;
    Str written_alias;   /* v:a inside an expression: the name that generated names show with it */
    Str lateral_alias;   /* the item of the same list that it repeats: what generated names show */
    Str shown;           /* what generated names show for a literal, where that is not its value */
    Str variable;        /* the variable whose value a literal is: what generated names show */
    const Value *folded; /* what a constant expression came to, where a function asked for a constant; NULL otherwise */
    const Site *site;    /* where errors that it raises happen; NULL: where its parent's do */
    union {
        Value literal;
        struct { ColumnId id; Str name; bool outer; Str path; /* of an outer one, with its qualifier */ } column;
        struct {
            const FuncRow *row;
            Str written_name;        /* as the user spelled it, for generated names */
            BoundExprVec args;
            void *bind_data;         /* what the row's bind hook left for its render hook */
            bool distinct, ignore_nulls;
            BoundExpr *filter;
            BoundSortVec order;      /* ordered aggregates */
        } call;                      /* CALL, AGGREGATE, GENERATOR */
        struct {
            BoundExpr *function;     /* BEXPR_AGGREGATE or BEXPR_CALL of a window row */
            BoundExprVec partition;
            BoundSortVec order;
            FrameKind frame;
            BoundFrameBound from, to;
        } window;
        struct { BoundExpr *child; CastMode mode; Str zone; } cast;
        struct { BoundExprVec conditions, values; BoundExpr *otherwise; } cases;
        struct { SubqueryKind kind; BoundRel *plan; BoundExprVec values; bool negated, two_valued; Str text; /* as it was written */ } subquery;
        struct { uint32_t ids[3]; Str names[3]; size_t count; BoundExpr *body; } lambda;
        struct { uint32_t id; Str name; } lambda_var;  /* rendered as l<id> */
        struct { BoundExpr *child; size_t index; } field;
        struct { BoundExprVec children; bool as_call; /* written struct(..) */ } structure;   /* names are in type */
        struct { PythonFunction *function; BoundExprVec args; StrVec names; /* of arguments given by name, empty otherwise */ } python;
    };
};

typedef enum BoundRelKind {
    BREL_ONE_ROW,
    BREL_VALUES,         /* literal rows */
    BREL_LOCAL,          /* Arrow batches handed to DuckDB as they are */
    BREL_RANGE,
    BREL_SCAN_DELTA,     /* a snapshot of a Delta table, filtered */
    BREL_SCAN_FILES,     /* parquet, json, csv, text, orc, avro */
    BREL_PROJECT,
    BREL_FILTER,
    BREL_JOIN,
    BREL_AGGREGATE,
    BREL_SETOP,
    BREL_SORT,
    BREL_LIMIT,
    BREL_SAMPLE,
    BREL_GENERATE,
    BREL_DISTINCT_ON,    /* dropDuplicates on some columns */
    BREL_CTE,            /* defines; used through BREL_CTE_REF */
    BREL_CTE_REF,
    BREL_ASOF_JOIN,
    BREL_PYTHON,         /* rows through Python functions */
    BREL_SCRIPT,         /* rows through a user's program: texts in, columns out */
    BREL_STORED,         /* a materialised result of this session: cached remote relations */
    BREL_STREAM,         /* a streaming read: no rows of its own, or those of one micro-batch below it */
    BREL_MARK            /* the input as it is, with what a streaming query measures here */
} BoundRelKind;

/* How rows meet a Python function. */
typedef enum PythonShape {
    PYTHON_SCALAR,       /* the input's columns, then one column a call */
    PYTHON_MAP,          /* an iterator of batches to another */
    PYTHON_GROUP,        /* each group to rows */
    PYTHON_COGROUP,      /* each pair of groups to rows */
    PYTHON_AGGREGATE,    /* the keys, then one value a call and group */
    PYTHON_TABLE         /* a table function's rows; its arguments are over the input */
} PythonShape;

typedef struct BoundItem {
    BoundExpr *expr;
    ColumnId id;         /* the column it becomes: an entry of the relation's columns */
} BoundItem;
typedef VEC(BoundItem) BoundItemVec;

struct Snapshot;         /* delta/snapshot.h */

/* Columns of a Delta scan beside the table's: what _metadata has under the rest of the name. */
#define ROW_FACT_PREFIX "_metadata."

/* A file scan that the analyzer resolved: paths exist, schema is known. */
typedef struct FileScan {
    Str format;          /* parquet, json, csv, text, orc, avro, binaryFile */
    StrVec paths;        /* files, absolute */
    bool given_partitions;   /* a catalog named the partitions: each path is one's folder, partition_folders its "a=1/b=x" */
    StrVec partition_folders;
    const Type *schema;  /* data columns then partition columns */
    size_t partition_count; /* how many trailing columns come from hive paths */
    VEC(StrVec) partition_values; /* one list a file, in order of the partition columns */
    KeyValueVec options;
    bool schema_inferred;
    bool sink_log;       /* what a streaming sink wrote: a given schema keeps its order */
} FileScan;

struct BoundRel {
    BoundRelKind kind;
    BoundColumnVec columns;  /* the output, in order */
    bool sealed;             /* it was given a name: clauses above see these columns only */
    BoundRel *input;
    union {
        struct { VEC(BoundExprVec) rows; } values;
        struct { ArrowData *data; } local;
        struct { int64_t start, end, step; int partitions; /* 0: as many as the server likes */ } range;
        struct {
            struct Snapshot *snapshot;
            size_t column_count;      /* the first column_count of `columns` follow the table schema's fields */
            size_t *fields;           /* which field of the table schema each column is */
            BoundExprVec predicates;  /* conjuncts over this scan's columns, for skipping files; the filter above stays */
            bool with_row_position;   /* adds hidden file path + row index columns, and ROW_FACT_ columns of a table that tracks rows: DML */
            ColumnId file_id, row_id; /* their ids when with_row_position */
            void *changes;            /* change data feed range (delta/changes.h), NULL: the snapshot's rows */
            void *only_files;         /* DML: restricts the scan to these (delta FileList), NULL: all */
            void *left_out;           /* DML: sorted rows to leave out of each of only_files, those of its vector among them (delta RowSet array) */
        } delta;
        FileScan *files;
        struct {
            BoundItemVec items;
            bool hides;    /* only leaves out columns carried up for ORDER BY or HAVING */
            bool narrows;  /* it hides what HAVING computed: ORDER BY reaches no more than keys below it */
        } project;
        struct { BoundExpr *condition; } filter;
        struct { BoundRel *right; JoinKind kind; BoundExpr *condition; bool lateral; } join;
        struct {
            BoundItemVec keys;
            BoundItemVec aggregates;
            VEC(IndexVec) sets;    /* indexes into keys; empty: one plain GROUP BY */
            ColumnId grouping_id;     /* 0: not asked for */
            bool distinct;         /* SELECT DISTINCT, no GROUP BY */
        } aggregate;
        struct { BoundRelVec inputs; SetOpKind kind; bool all; } setop; /* columns line up by position, types equal */
        struct { BoundSortVec order; } sort;
        struct { BoundExpr *count, *offset; } limit;  /* either may be NULL; constants */
        struct { double lower, upper; bool replacement; int64_t seed; ColumnId partition; /* of the input, added to the seed; 0: none */ } sample;
        struct { BoundExpr *generator; bool outer; BoundColumnVec output; bool with_position; } generate;
        struct { BoundExprVec keys; bool within_watermark; /* of a stream only */ } distinct_on;
        struct { uint32_t id; BoundRel *definition; bool recursive; } cte;  /* input: where it is in scope */
        struct { uint32_t id; BoundColumnVec source; } cte_ref;             /* source: the definition's columns */
        struct { BoundRel *right; BoundExpr *condition; bool left_outer; } asof;
        struct {
            PythonShape shape;
            BoundItemVec calls;    /* BEXPR_PYTHON each; several only where each becomes one column */
            BoundItemVec keys;     /* of groups: over the input, and the columns they become */
            BoundSortVec order;    /* of the rows of a group, after the keys */
            BoundRel *right;       /* COGROUP: the other side, its keys and order */
            BoundItemVec right_keys;
            BoundSortVec right_order;
        } python;
        struct { Str script; Str in_field, in_null, out_field, out_null; /* ptr NULL: nothing is */ } script; /* the input has texts only, and the columns as the program gives them */
        struct { Str id; BoundColumnVec source; } stored;
        struct { Str source; } stream;  /* how messages call it; input: the rows of a batch, NULL: there are none yet */
        struct {
            ColumnId event_time;        /* withWatermark: the column, 0: none */
            int64_t delay_us;
            Str name;                   /* observe: the metrics over the input, as a plan of one row; NULL: none */
            BoundRel *metrics;
        } mark;
    };
};

/* ---- constructors ---- */
BoundExpr *bound_new(BoundExprKind kind, const Type *type, bool nullable, Arena *arena);
BoundExpr *bound_literal(Value v, Arena *arena);
BoundExpr *bound_column(const BoundColumn *column, Arena *arena);
BoundExpr *bound_cast(BoundExpr *child, const Type *to, CastMode mode, bool implicit, Arena *arena);
BoundRel *brel_new(BoundRelKind kind, BoundRel *input, Arena *arena);
/* The struct type of a relation's visible columns, as the client sees it. */
const Type *brel_schema(const BoundRel *rel, Arena *arena);

/* Calls visit for every direct child expression; a visitor may replace *child. False stops. */
typedef bool (*BoundVisit)(BoundExpr **child, void *arg);
bool bound_each_child(BoundExpr *e, BoundVisit visit, void *arg);
bool bound_contains(const BoundExpr *e, BoundExprKind kind);
/* A Python function that makes one value of a group. */
bool python_is_aggregate(const PythonFunction *f);
bool bound_is_python_aggregate(const BoundExpr *e);
/* A copy of the node whose children may be replaced; the children themselves are shared. */
BoundExpr *bound_copy(const BoundExpr *e, Arena *arena);
/* Every expression directly inside a relation node. */
bool brel_each_expr(BoundRel *rel, BoundVisit visit, void *arg);
/* The rows of a stream are in it, directly or below. */
bool brel_is_streaming(const BoundRel *rel);
/* Every relation directly below a relation node; plans of subqueries are its expressions'. */
typedef bool (*BoundRelVisit)(BoundRel **child, void *arg);
bool brel_each_input(BoundRel *rel, BoundRelVisit visit, void *arg);
