/* Sketches: theta, tuple, HLL, KLL, count-min. Each aggregate hands its C function one text with the
 * sketch's configuration. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* ---- checks of constant arguments ---- */

static bool failed_check(const FuncCall *call, Str message, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__TYPE_CHECK_FAILURE_WITH_HINT,
                     P("sqlExpr", func_call_text(call, ctx)), P("msg", message), PZ("hint", ""));
}

/* The last argument of tuple functions, when it is a text, names how numbers meet. */
static bool bind_tuple(FuncCall *call, const FuncContext *ctx, Error *err) {
    static const char *const MODES[] = {"sum", "min", "max", "alwaysone"};
    if (!call->args.len)
        return true;
    const BoundExpr *last = vec_last(&call->args);
    if (last->type->kind != TYPE_STRING || call->args.len < 2)
        return true;
    const Value *v = func_constant(last);
    if (!v || v->is_null)
        return func_non_foldable(call, call->args.len - 1, "mode", ctx, err);
    for (size_t i = 0; i < LENGTH_OF(MODES); i++)
        if (str_is_ci(v->bytes, MODES[i]))
            return true;
    return failed_check(
        call,
        str_printf(ctx->arena,
                   "[TUPLE_INVALID_SKETCH_MODE] Invalid call to `%s`: mode '" STR_FMT
                   "' is not supported. Valid modes are: sum, min, max, alwaysone. SQLSTATE: 22023",
                   call->row->name, STR_ARG(v->bytes)),
        ctx, err);
}

static bool bind_kll(FuncCall *call, const FuncContext *ctx, Error *err) {
    int64_t k;
    if (call->args.len < 2)
        return true;
    if (!func_constant_int(call->args.at[1], &k))
        return failed_check(call,
                            str_printf(ctx->arena,
                                       "[KLL_SKETCH_K_MUST_BE_CONSTANT] For function `%s`, the k "
                                       "parameter must be a constant value, but got a non-constant "
                                       "expression. SQLSTATE: 42K0E",
                                       call->row->name),
                            ctx, err);
    if (k >= 8 && k <= 65535)
        return true;
    return failed_check(call,
                        str_printf(ctx->arena,
                                   "[KLL_SKETCH_K_OUT_OF_RANGE] For function `%s`, the k parameter "
                                   "must be between 8 and 65535 (inclusive), but got %lld. "
                                   "SQLSTATE: 22003",
                                   call->row->name, (long long)k),
                        ctx, err);
}

/* ---- rows ---- */

#define EXAMPLE(text, want) .example = text, .expected = want
#define CONFIG(n, otherwise) "$?" #n "{CAST($" #n " AS VARCHAR)}{'" otherwise "'}"
#define MODE(n)                                                                                    \
    "$?" #n "{CASE lower($" #n ") WHEN 'min' THEN '1' WHEN 'max' THEN '2' WHEN 'alwaysone' THEN "   \
    "'3' ELSE '0' END}{'0'}"
#define ANY_KEY(rest)                                                                              \
    "(array<int>" rest "; (array<long>" rest "; (binary" rest "; (double" rest "; (float" rest     \
    "; (int" rest "; (long" rest "; (string" rest
#define KEYS(of) "FROM VALUES (1), (1), (2), (2), (3) tab(" of ")"

#define TUPLE(K, S, T)                                                                             \
    {"tuple_sketch_agg_" K, NULL, FUNC_AGGREGATE,                                                  \
     ANY_KEY(", " T ", [int], [string]) -> binary!"),                                              \
     "coalesce(ls_theta_build(ls_sketch_hash($1), CAST($2 AS DOUBLE), '" S " ' || " CONFIG(        \
         3, "12") " || ' ' || " MODE(4) " || ' build tuple_sketch_agg_" K "')$over, "              \
                                        "unhex('01030901000ECC93'))",                              \
     .bind = bind_tuple, .pretty = "$f($1, $2, $?3{$3}{12}, $?4{$4}{sum})",                        \
     EXAMPLE("SELECT hex(tuple_sketch_agg_" K                                                      \
             "(c, d)) FROM VALUES (1, CAST(6 AS " T ")) t(c, d)",                                  \
             (S)[0] == 'd' ? "01030901000ACC9315F97DCBBD86A105000000000000184000"                  \
                           : "01030901000ACC9315F97DCBBD86A1050600000000")},                       \
    {"tuple_union_agg_" K, NULL, FUNC_AGGREGATE, "(binary, [int], [string]) -> binary!",           \
     "coalesce(ls_theta_unite($1, '" S " ' || " CONFIG(2, "12") " || ' ' || " MODE(                \
         3) " || ' unite tuple_union_agg_" K "')$over, unhex('01030901000ECC93'))",                \
     .bind = bind_tuple, .pretty = "$f($1, $?2{$2}{12}, $?3{$3}{sum})",                            \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(tuple_union_agg_" K "(s)) FROM (SELECT "          \
             "tuple_sketch_agg_" K "(c, CAST(6 AS " T ")) s FROM VALUES (1), (2) t(c))",           \
             "2.0")},                                                                              \
    {"tuple_intersection_agg_" K, NULL, FUNC_AGGREGATE, "(binary, [string]) -> binary!",           \
     "coalesce(ls_theta_intersect($1, '" S " 26 ' || " MODE(                                       \
         2) " || ' intersect tuple_intersection_agg_" K "')$over, unhex('01030901000ECC93'))",     \
     .bind = bind_tuple, .pretty = "$f($1, $?2{$2}{sum})",                                         \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(tuple_intersection_agg_" K "(s)) FROM (SELECT "   \
             "tuple_sketch_agg_" K "(c, CAST(6 AS " T ")) s FROM VALUES (1), (2) t(c))",           \
             "2.0")},                                                                              \
    PAIR(K, S, T, "union", "unite", "", S, ", [int], [string]", CONFIG(3, "12"), MODE(4),          \
         ", $?3{$3}{12}, $?4{$4}{sum}", "3.0"),                                                    \
    PAIR(K, S, T, "union", "unite", "_theta", "-", ", [int], [string]", CONFIG(3, "12"), MODE(4),  \
         ", $?3{$3}{12}, $?4{$4}{sum}", "3.0"),                                                    \
    PAIR(K, S, T, "intersection", "intersect", "", S, ", [string]", "'26'", MODE(3),               \
         ", $?3{$3}{sum}", "1.0"),                                                                 \
    PAIR(K, S, T, "intersection", "intersect", "_theta", "-", ", [string]", "'26'", MODE(3),       \
         ", $?3{$3}{sum}", "1.0"),                                                                 \
    PAIR(K, S, T, "difference", "subtract", "", S, "", "'26'", "'0'", "", "1.0"),                  \
    PAIR(K, S, T, "difference", "subtract", "_theta", "-", "", "'26'", "'0'", "", "1.0"),          \
    {"tuple_sketch_estimate_" K, NULL, FUNC_SCALAR, "(binary) -> double",                          \
     "ls_theta_estimate($1, '" S "', 'tuple_sketch_estimate_" K "')",                              \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(tuple_sketch_agg_" K "(c, CAST(6 AS " T ")))"     \
             " FROM VALUES (1), (1), (2) t(c)", "2.0")},                                           \
    {"tuple_sketch_theta_" K, NULL, FUNC_SCALAR, "(binary) -> double",                             \
     "ls_theta_fraction($1, '" S "', 'tuple_sketch_theta_" K "')",                                 \
     EXAMPLE("SELECT tuple_sketch_theta_" K "(tuple_sketch_agg_" K "(c, CAST(6 AS " T ")))"        \
             " FROM VALUES (1) t(c)", "1.0")},                                                     \
    {"tuple_sketch_summary_" K, NULL, FUNC_SCALAR,                                                 \
     (S)[0] == 'd' ? "(binary, [string]) -> double" : "(binary, [string]) -> long",                \
     "CAST(ls_theta_summary($1, '" S "', 'tuple_sketch_summary_" K                                 \
     "', CAST(" MODE(2) " AS INTEGER)) AS $r)",                                                    \
     .bind = bind_tuple, .pretty = "$f($1, $?2{$2}{sum})",                                         \
     EXAMPLE("SELECT CAST(tuple_sketch_summary_" K "(tuple_sketch_agg_" K "(c, CAST(6 AS " T       \
             "))) AS INT) FROM VALUES (1), (1), (2) t(c)", "18")}

/* Two sketches of which the first holds 1 and 2, the second 2 and 3. */
#define PAIR(K, S, T, name, operation, theta, other, more, lg, mode, names, want)                  \
    {"tuple_" name theta "_" K, NULL, FUNC_SCALAR, "(binary, binary" more ") -> binary",           \
     "ls_theta_operate($1, $2, '" S " ' || " lg " || ' ' || " mode " || ' " operation              \
     " tuple_" name theta "_" K "', '" other "')",                                                 \
     .bind = bind_tuple, .pretty = "$f($1, $2" names ")",                                          \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(tuple_" name theta "_" K "(tuple_sketch_agg_" K   \
             "(a, CAST(6 AS " T ")), " TUPLE_OR_THETA(theta, K, T) ")) FROM VALUES (1, 2), (2, 3)" \
             " t(a, b)",                                                                           \
             want)}
#define TUPLE_OR_THETA(theta, K, T) TUPLE_OR_THETA_##K##_
#undef TUPLE_OR_THETA
#define TUPLE_OR_THETA(theta, K, T)                                                                \
    (sizeof(theta) > 1 ? "theta_sketch_agg(b)" : "tuple_sketch_agg_" K "(b, CAST(6 AS " T "))")
