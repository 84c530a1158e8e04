/* What pandas-on-Spark computes with: functions that its client names and SQL text cannot. Like pandas, not like SQL:
 * degrees of freedom are an argument, and a missing value may or may not count. */
#include "func/rows.h"
#include "func/signature.h"

#define OF_CLIENTS .flags = FUNC_HIDDEN | FUNC_OF_CLIENTS

/* The constant truth value at an argument. */
static bool constant_truth(const FuncCall *call, size_t at, const FuncContext *ctx, Error *err)
{
    const Value *v = func_constant(call->args.at[at]);
    if (v && !v->is_null && v->type->kind == TYPE_BOOLEAN)
        return true;
    return error_set(err, ERR_DATATYPE_MISMATCH__NON_FOLDABLE_INPUT, P("sqlExpr", func_call_text(call, ctx)),
                     P("inputName", S("`dropna`")), P("inputType", S("\"BOOLEAN\"")),
                     P("inputExpr", func_sql_text(call->args.at[at], ctx->zone, ctx->arena)));
}

/* Whole numbers multiply to a whole number, others to a double. */
static bool bind_product(FuncCall *call, const FuncContext *ctx, Error *err)
{
    TRY(func_apply_signature(call, "(integral, boolean) -> long?; (double, boolean) -> double?", ctx, err));
    return constant_truth(call, 1, ctx, err);
}

static bool bind_mode(FuncCall *call, const FuncContext *ctx, Error *err)
{
    TRY(func_apply_signature(call, "(any, boolean) -> array<$1>!", ctx, err));
    return constant_truth(call, 1, ctx, err);
}

static bool render_product(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out, Error *err)
{
    (void)err;
    const char *template =
        call->type->kind == TYPE_LONG
            ? "CASE WHEN $2 OR count(*)$over = count($1)$over THEN coalesce(ls_product_long(CAST($1 AS BIGINT))$over, 1) END"
            : "CASE WHEN $2 OR count(*)$over = count($1)$over THEN coalesce(product($1)$over, 1) END";
    return func_render_template(call, args, count, ctx, template, out);
}

#define VARIANCE                                                                                                       \
    "(CASE WHEN count($1)$over NOT IN (0, $2) THEN ls_second_moment($1)$over / (count($1)$over - $2) END)"
#define PAIRS "regr_count($1, $2)$over"
/* The values met most often; how often NULL was met counts when $2 is false. */
#define NULLS "(CASE WHEN $2 THEN 0 ELSE count(*)$over - count($1)$over END)"
#define MOST "greatest(coalesce(list_max(map_values(histogram($1)$over)), 0), " NULLS ")"

const FuncRow pandas_rows[] = {
    {"distributed_id", NULL, FUNC_SCALAR, "() -> long!", "ls_next_id()",
     .flags = FUNC_HIDDEN | FUNC_OF_CLIENTS | FUNC_NONDETERMINISTIC},
    {"distributed_sequence_id", NULL, FUNC_SCALAR, "(long) -> $1", "$1", .pretty = "distributed_sequence_id(true)", OF_CLIENTS},
    {"timestamp_ntz_to_long", NULL, FUNC_SCALAR, "(timestamp_ntz) -> long", "CAST(floor(epoch_us($1) / 1000000) AS BIGINT)",
     .pretty = "cast_timestamp_ntz_to_long($1)", OF_CLIENTS},
    {"array_binary_search", NULL, FUNC_SCALAR, "(array<T>, T) -> int?",
     "CAST(CASE WHEN list_contains($1, $2) THEN list_position($1, $2) - 1 "
     "ELSE -1 - len(list_filter($1, lambda x: x < $2)) END AS INTEGER)", OF_CLIENTS},
    {"pandas_product", NULL, FUNC_AGGREGATE, .bind = bind_product, .render = render_product, .pretty = "pandas_product($1)",
     OF_CLIENTS},
    {"pandas_var", NULL, FUNC_AGGREGATE, "(double, int) -> double?", VARIANCE, .pretty = "pandas_variance($1)", OF_CLIENTS},
    {"pandas_stddev", NULL, FUNC_AGGREGATE, "(double, int) -> double?", "sqrt(" VARIANCE ")", .pretty = "pandas_stddev($1)",
     OF_CLIENTS},
    {"pandas_skew", NULL, FUNC_AGGREGATE, "(double) -> double?", "ls_pandas_skewness($1)$over", .pretty = "pandas_skewness($1)",
     OF_CLIENTS},
    {"pandas_kurt", NULL, FUNC_AGGREGATE, "(double) -> double?", "ls_pandas_kurtosis($1)$over", .pretty = "pandas_kurtosis($1)",
     OF_CLIENTS},
    {"pandas_covar", NULL, FUNC_AGGREGATE, "(double, double, int) -> double?",
     "CASE WHEN " PAIRS " NOT IN (0, $3) THEN ls_regr_sxy($1, $2)$over / (" PAIRS " - $3) END",
     .pretty = "pandas_covar($1, $2)", OF_CLIENTS},
    {"pandas_mode", NULL, FUNC_AGGREGATE, .bind = bind_mode,
     .sql = "list_concat(list_transform(list_filter(map_entries(histogram($1)$over), lambda e: e.value = " MOST "), "
            "lambda e: e.key), CASE WHEN " NULLS " > 0 AND " NULLS " = " MOST " THEN CAST([NULL] AS $r) ELSE CAST([] AS $r) END)",
     .pretty = "pandas_mode($1)", OF_CLIENTS},
    {"collect_top_k", NULL, FUNC_AGGREGATE, "(orderable, int, boolean) -> array<$1>!",
     "coalesce(CASE WHEN $3 THEN min($1, $2)$over ELSE max($1, $2)$over END, [])", .pretty = "collect_top_k($1)", OF_CLIENTS},
    {"ewm", NULL, FUNC_AGGREGATE, "(double, double, boolean) -> double?", "ls_ewm($1, $2, $3)$over", OF_CLIENTS},
    {"null_index", NULL, FUNC_AGGREGATE, "(any) -> int?", "ls_null_index($1 IS NULL)$over", OF_CLIENTS},
};
END_OF_ROWS(pandas);
