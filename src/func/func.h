/* The function registry: one row a function, from its name to its DuckDB text, with its own example. */
#pragma once

#include "base/buf.h"
#include "plan/bound.h"

typedef enum FuncKind { FUNC_SCALAR, FUNC_AGGREGATE, FUNC_WINDOW, FUNC_GENERATOR } FuncKind;

enum {
    FUNC_NONDETERMINISTIC = 1 << 0, /* never folded, never merged */
    FUNC_NEVER_NULL = 1 << 1,       /* result is not nullable whatever the arguments are */
    FUNC_ALWAYS_NULLABLE = 1 << 2,  /* result may be NULL with non-NULL arguments */
    FUNC_OPERATOR = 1 << 3,         /* printed infix in generated names: (a + b) */
    FUNC_HIDDEN = 1 << 4,           /* internal: cannot be called by name */
    FUNC_OF_CLIENTS = 1 << 9,       /* with FUNC_HIDDEN: messages may name it, SQL text may not */
    FUNC_ORDER_SENSITIVE = 1 << 5,  /* aggregate that accepts ORDER BY / WITHIN GROUP */
    FUNC_CONTEXT = 1 << 6,          /* parameterless context function: current_date without parentheses */
    FUNC_EXACT = 1 << 8,            /* arguments are taken as they are: no implicit casts */
    FUNC_LAZY = 1 << 7              /* may leave arguments unevaluated, whose errors then do not count */
};

/* What rules and renderers may ask about the session. */
typedef struct FuncContext {
    bool ansi;
    Str zone;               /* session time zone */
    Str current_user, current_catalog, current_schema;
    int64_t now_us;         /* the query's one instant */
    bool case_sensitive;
    Str session;            /* the server's own id of the session */
    Str python_files;       /* folder of uploaded Python files; empty: none */
    bool (*setting)(void *self, const char *key, Str *out); /* a session setting by key */
    void *self;
    Arena *arena;
    /* While engine/ renders an aggregate or a window function: what goes inside the call's parentheses after the
     * arguments (" ORDER BY c2 DESC") and right behind them (" FILTER (WHERE ..) OVER (..)"); empty otherwise.
     * Templates place them as $order and $over after each aggregate call; $over is appended when not mentioned. */
    Str call_order, call_suffix;
} FuncContext;

/* A call while it is being bound. The hook may replace args by casts, set the result type and nullability, fold
 * constants, leave bind_data for the renderer, or set an error. */
typedef struct FuncCall {
    const FuncRow *row;
    Str written_name;
    BoundExprVec args;
    StrVec arg_names;       /* for struct-like functions: the name each argument would have as a column */
    const Type *result;
    bool nullable;
    bool distinct;
    void *bind_data;
    Origin origin;
} FuncCall;
typedef bool (*FuncBind)(FuncCall *call, const FuncContext *ctx, Error *err);

/* Writes the DuckDB text of a call whose arguments are already text. args[i] is NULL for lambdas' bodies rendered as text too. */
typedef bool (*FuncRender)(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out, Error *err);

struct FuncRow {
    const char *name;       /* lower case */
    const char *aliases;    /* further names separated by spaces; NULL: none */
    FuncKind kind;
    const char *signature;  /* see func/README.md: "(string, int) -> string; (binary, int) -> binary" */
    const char *sql;        /* DuckDB template: $1.. arguments, $* all, $t1 type of argument 1, $r result type, $zone */
    const char *sql_legacy; /* template when spark.sql.ansi.enabled is false; NULL: the same */
    unsigned flags;
    FuncBind bind;          /* runs before the signature when signature is NULL, after it otherwise */
    FuncRender render;      /* instead of sql */
    const char *pretty;     /* template of the generated column name; NULL: name(arg, arg) */
    const char *example;    /* an expression in Spark SQL */
    const char *expected;   /* what Spark 4.2 answers, cast to STRING; "NULL"; or "!CLASS" for an error */
};

/* By name, without case; NULL when unknown. */
const FuncRow *func_find(Str name);
size_t func_count(void);
const FuncRow *func_at(size_t i);
/* The closest known names, for UNRESOLVED_ROUTINE suggestions. */
StrVec func_similar(Str name, size_t limit, Arena *arena);

/* Applies the row's type rules: checks the number and types of arguments (WRONG_NUM_ARGS, DATATYPE_MISMATCH.* exactly as
 * Spark names them), inserts implicit casts, decides the result. sql_text prints the call for error messages. */
MUST_CHECK bool func_resolve(FuncCall *call, const FuncContext *ctx, Error *err);
/* The value of an expression of constants, where it needs no engine: literals, plain casts, dates and times plus and minus
 * intervals. false: of another kind, NULL, or an error, which is the engine's to raise. */
bool func_fold(const BoundExpr *e, Str zone, Arena *arena, Value *out);
/* Whether an expression has one value for a whole query: no columns, no chance. */
bool func_is_foldable(const BoundExpr *e);
/* Types of the parameters of the lambda at argument `index`, once the other arguments are bound (higher-order rows). */
MUST_CHECK bool func_lambda_params(const FuncRow *row, const BoundExprVec *args, size_t index, const FuncContext *ctx,
                                   const Type **types, bool *nullable, size_t *count, Error *err);

/* The DuckDB text of a resolved call. */
MUST_CHECK bool func_render(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out, Error *err);
/* CAST(child AS type) in DuckDB with Spark's behaviour in this mode. */
MUST_CHECK bool func_render_cast(Str child, const Type *from, const Type *to, CastMode mode, const FuncContext *ctx, Buf *out, Error *err);

/* The text of what a value is compared, grouped and ordered by: itself, or the key of its collation. */
MUST_CHECK bool func_collation_key(Str text, const Type *t, Arena *arena, Str *out, Error *err);
/* Gives values that meet in one place (the branches of CASE) the collation that wins among them. */
MUST_CHECK bool func_collate_together(BoundExpr **values, size_t count, const FuncContext *ctx, Error *err);
/* Whether DuckDB orders values of the type otherwise than Spark does; the text of what to order them by instead. */
bool func_needs_order_key(const Type *t);
Str func_order_key(Str value, const Type *t, Arena *arena);

/* The name Spark gives an unnamed expression: "(a + 1)", "count(1)", "CAST(x AS INT)". */
Str func_pretty_name(const BoundExpr *e, Str zone, Arena *arena);
/* The expression as Spark's error messages print it: "(a + 1)" with quotes around literals and `a` backquoted nowhere. */
Str func_sql_text(const BoundExpr *e, Str zone, Arena *arena);
