/* Window functions; aggregates over windows are in rows_aggregate.c. */
#include "func/rows.h"
#include "func/signature.h"

/* lag(x, n, default): the value in the common type, NULL at the edge unless a default says
 * otherwise. */
static bool bind_offset(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(T) -> T?; (T, int) -> T?; (T, int, T) -> T", ctx, err));
    return true;
}

static bool positive_count(FuncCall *call, size_t at, const char *name, const char *range, const char *suffix, const FuncContext *ctx,
                           Error *err) {
    const BoundExpr *e = call->args.at[at];
    if (!func_is_foldable(e))
        return func_non_foldable(call, at, name, ctx, err);
    int64_t n;
    const Value *v = func_constant(e);
    if (v && v->is_null)
        n = 0;
    else if (!func_constant_int(e, &n))
        return true;
    if (n > 0)
        return true;
    return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE, PZ("exprName", name), P("sqlExpr", func_call_text(call, ctx)),
                     PZ("valueRange", range), P("currentValue", str_printf(ctx->arena, "%lld%s", (long long)n, suffix)));
}

/* ntile(n): a constant INT; no other type is cast to it. */
static bool bind_ntile(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "([any]) -> int!", ctx, err));
    if (!call->args.len)
        return true;
    if (!func_is_foldable(call->args.at[0]))
        return func_non_foldable(call, 0, "buckets", ctx, err);
    if (call->args.at[0]->type->kind != TYPE_INT)
        return func_unexpected_type(call, 0, "\"INT\"", ctx, err);
    return positive_count(call, 0, "buckets", "(0, 2147483647]", "", ctx, err);
}

/* nth_value(x, n): n is a constant above 0. */
static bool bind_nth_value(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(any, int) -> $1?", ctx, err));
    return positive_count(call, 1, "offset", "(0, 9223372036854775807]", "L", ctx, err);
}

#define RANK(name, shown, type, text, ...)                                                         \
    { name, NULL, FUNC_WINDOW, "(any*...) -> " type "!", text, .pretty = shown "()", __VA_ARGS__ }

const FuncRow window_rows[] = {
    RANK("row_number", "row_number", "int", "CAST(row_number()$over AS INTEGER)",
         .example = "SELECT row_number() OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
         .expected = "1"),
    RANK("rank", "RANK", "int", "CAST(rank()$over AS INTEGER)",
         .example = "SELECT rank() OVER (ORDER BY c) FROM VALUES (5), (5) AS t(c)",
         .expected = "1; 1"),
    RANK("dense_rank", "DENSE_RANK", "int", "CAST(dense_rank()$over AS INTEGER)",
         .example = "SELECT dense_rank() OVER (ORDER BY c) FROM VALUES (5), (5) AS t(c)",
         .expected = "1; 1"),
    RANK("percent_rank", "PERCENT_RANK", "double", "percent_rank()$over",
         .example = "SELECT percent_rank() OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
         .expected = "0.0"),
    RANK("cume_dist", "cume_dist", "double", "cume_dist()$over",
         .example = "SELECT cume_dist() OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
         .expected = "1.0"),
    {"ntile", NULL, FUNC_WINDOW, .bind = bind_ntile, .sql = "CAST(ntile($?1{$1}{1})$over AS INTEGER)",
     .example = "SELECT ntile(2) OVER (ORDER BY c) FROM VALUES (5) AS t(c)", .expected = "1"},
    {"lag", NULL, FUNC_WINDOW, .bind = bind_offset,
     .sql = "lag($1, $?2{$2}{1}$?3{, $3}$ignore)$over",
     .pretty = "lag($1, $?2{$2}{1}, $?3{$3}{NULL})",
     .example = "SELECT lag(c) OVER (ORDER BY c) FROM VALUES (5) AS t(c)", .expected = "NULL"},
    {"lead", NULL, FUNC_WINDOW, .bind = bind_offset,
     .sql = "lead($1, $?2{$2}{1}$?3{, $3}$ignore)$over",
     .pretty = "lead($1, $?2{$2}{1}, $?3{$3}{NULL})",
     .example = "SELECT lead(c, 1, 7) OVER (ORDER BY c) FROM VALUES (5) AS t(c)", .expected = "7"},
    {"nth_value", NULL, FUNC_WINDOW, .bind = bind_nth_value, .sql = "nth_value($1, $2$ignore)$over",
     .example = "SELECT nth_value(c, 1) OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
     .expected = "5"},
};
END_OF_ROWS(window);
