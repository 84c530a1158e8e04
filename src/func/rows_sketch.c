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

/* How many registers: a constant INT. */
static bool bind_hll(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 2 || func_is_foldable(call->args.at[1]))
        return true;
    return error_set(err, ERR_HLL_K_MUST_BE_CONSTANT, P("function", str_printf(ctx->arena, "`%s`", call->row->name)));
}

static bool bind_kll(FuncCall *call, const FuncContext *ctx, Error *err) {
    int64_t k;
    if (call->args.len < 2)
        return true;
    const Value *v = func_constant(call->args.at[1]);
    if (v && v->is_null)
        return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_NULL, P("sqlExpr", func_call_text(call, ctx)),
                         PZ("exprName", "`k`"));
    if (!func_constant_int(call->args.at[1], &k))
        return func_non_foldable(call, 1, "k", ctx, err);
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

/* ---- count_min_sketch ---- */

static bool bind_count_min(FuncCall *call, const FuncContext *ctx, Error *err) {
    static const char *const NAMES[] = {"", "eps", "confidence", "seed"};
    for (size_t i = 1; i < call->args.len; i++)
        if (!func_is_numeric_constant(call->args.at[i]))
            return func_non_foldable(call, i, NAMES[i], ctx, err);
    return true;
}

/* (number, text, configuration): one of the first two. */
static bool render_count_min(const BoundExpr *call, const Str *args, size_t count,
                             const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    TypeKind kind = call->call.args.at[0]->type->kind;
    bool bytes = kind == TYPE_STRING || kind == TYPE_BINARY;
    const char *config = "$2 || ' ' || $3 || ' ' || $4";
    Str text = str_printf(ctx->arena,
                          "coalesce(ls_count_min(%s, %s, %s)$over, ls_count_min_empty(%s))",
                          bytes ? "CASE WHEN $1 IS NOT NULL THEN 0 END" : "CAST($1 AS BIGINT)",
                          !bytes                  ? "NULL"
                          : kind == TYPE_STRING   ? "encode($1)"
                                                  : "$1",
                          config, config);
    return func_render_template(call, args, count, ctx, str_z(text, ctx->arena), out);
}

/* ---- rows ---- */

#define EXAMPLE(text, want) .example = text, .expected = want
#define HLL_SIZE "$?2{coalesce($2, 0)}{12}"
#define CONFIG(n, otherwise) "$?" #n "{CAST($" #n " AS VARCHAR)}{'" otherwise "'}"
#define MODE(n)                                                                                    \
    "$?" #n "{CASE lower($" #n ") WHEN 'min' THEN '1' WHEN 'max' THEN '2' WHEN 'alwaysone' THEN "   \
    "'3' ELSE '0' END}{'0'}"
#define ANY_KEY(rest)                                                                              \
    "(int" rest "; (long" rest "; (string" rest "; (binary" rest "; (float" rest "; (double" rest  \
    "; (array<int>" rest "; (array<long>" rest

#define AGGREGATED(K, T, column) "tuple_sketch_agg_" K "(" column ", CAST(6 AS " T "))"

/* K: the ending of the names, S: the kind for the C functions, T: the number's type. */
#define TUPLE(K, S, T, result, bytes)                                                              \
    {"tuple_sketch_agg_" K, NULL, FUNC_AGGREGATE,                                                  \
     ANY_KEY(", " T ", [int], [string]) -> binary!"),                                              \
     "coalesce(ls_theta_build(ls_sketch_hash($1), CAST($2 AS DOUBLE), '" S " ' || " CONFIG(        \
         3, "12") " || ' ' || " MODE(4) " || ' build tuple_sketch_agg_" K                          \
                                        "')$over, unhex('01030901000ECC93'))",                     \
     .bind = bind_tuple, .pretty = "$f($1, $2, $?3{$3}{12}, $?4{$4}{sum})",                        \
     EXAMPLE("SELECT hex(" AGGREGATED(K, T, "c") ") FROM VALUES (1) t(c)", bytes)},                \
    {"tuple_union_agg_" K, NULL, FUNC_AGGREGATE, "(binary, [int], [string]) -> binary!",           \
     "coalesce(ls_theta_unite($1, '" S " ' || " CONFIG(2, "12") " || ' ' || " MODE(                \
         3) " || ' unite tuple_union_agg_" K "')$over, unhex('01030901000ECC93'))",                \
     .bind = bind_tuple, .pretty = "$f($1, $?2{$2}{12}, $?3{$3}{sum})",                            \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(tuple_union_agg_" K "(s)) FROM (SELECT "          \
             AGGREGATED(K, T, "c") " s FROM VALUES (1), (2) t(c))", "2.0")},                       \
    {"tuple_intersection_agg_" K, NULL, FUNC_AGGREGATE, "(binary, [string]) -> binary!",           \
     "coalesce(ls_theta_intersect($1, '" S " 26 ' || " MODE(                                       \
         2) " || ' intersect tuple_intersection_agg_" K "')$over, unhex('01030901000ECC93'))",     \
     .bind = bind_tuple, .pretty = "$f($1, $?2{$2}{sum})",                                         \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(tuple_intersection_agg_" K "(s)) FROM (SELECT "   \
             AGGREGATED(K, T, "c") " s FROM VALUES (1), (2) t(c))", "2.0")},                       \
    {"tuple_sketch_estimate_" K, NULL, FUNC_SCALAR, "(binary) -> double",                          \
     "ls_theta_estimate($1, '" S "', 'tuple_sketch_estimate_" K "')",                              \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(" AGGREGATED(K, T, "c")                           \
             ") FROM VALUES (1), (1), (2) t(c)", "2.0")},                                          \
    {"tuple_sketch_theta_" K, NULL, FUNC_SCALAR, "(binary) -> double",                             \
     "ls_theta_fraction($1, '" S "', 'tuple_sketch_theta_" K "')",                                 \
     EXAMPLE("SELECT tuple_sketch_theta_" K "(" AGGREGATED(K, T, "c") ") FROM VALUES (1) t(c)",    \
             "1.0")},                                                                              \
    {"tuple_sketch_summary_" K, NULL, FUNC_SCALAR, "(binary, [string]) -> " result,                \
     "CAST(ls_theta_summary($1, '" S "', 'tuple_sketch_summary_" K                                 \
     "', CAST(" MODE(2) " AS INTEGER)) AS $r)",                                                    \
     .bind = bind_tuple, .pretty = "$f($1, $?2{$2}{sum})",                                         \
     EXAMPLE("SELECT CAST(tuple_sketch_summary_" K "(" AGGREGATED(K, T, "c")                       \
             ") AS INT) FROM VALUES (1), (1), (2) t(c)", "18")},                                   \
    UNION(K, S, T, "", S, AGGREGATED(K, T, "b")),                                                  \
    UNION(K, S, T, "_theta", "-", "theta_sketch_agg(b)"),                                          \
    INTERSECTION(K, S, T, "", S, AGGREGATED(K, T, "b")),                                           \
    INTERSECTION(K, S, T, "_theta", "-", "theta_sketch_agg(b)"),                                   \
    PAIR(K, S, T, "tuple_difference" , "subtract", S, "", "'26'", "'0'", "",                       \
         AGGREGATED(K, T, "b"), "1.0"),                                                            \
    PAIR(K, S, T, "tuple_difference_theta", "subtract", "-", "", "'26'", "'0'", "",                \
         "theta_sketch_agg(b)", "1.0")

#define UNION(K, S, T, theta, other, second)                                                       \
    PAIR(K, S, T, "tuple_union" theta, "unite", other, ", [int], [string]", CONFIG(3, "12"),       \
         MODE(4), ", $?3{$3}{12}, $?4{$4}{sum}", second, "3.0")
#define INTERSECTION(K, S, T, theta, other, second)                                                \
    PAIR(K, S, T, "tuple_intersection" theta, "intersect", other, ", [string]", "'26'", MODE(3),   \
         ", $?3{$3}{sum}", second, "1.0")

/* The example's first sketch holds 1 and 2, the second 2 and 3. */
#define PAIR(K, S, T, name, operation, other, more, lg, mode, names, second, want)                 \
    {name "_" K, NULL, FUNC_SCALAR, "(binary, binary" more ") -> binary",                          \
     "ls_theta_operate($1, $2, '" S " ' || " lg " || ' ' || " mode " || ' " operation " " name "_"  \
     K "', '" other "')",                                                            \
     .bind = bind_tuple, .pretty = "$f($1, $2" names ")",                                          \
     EXAMPLE("SELECT tuple_sketch_estimate_" K "(" name "_" K "(" AGGREGATED(K, T, "a") ", "       \
             second ")) FROM VALUES (1, 2), (2, 3) t(a, b)", want)}

#define THETA_PAIR(name, operation, more, lg, names, want)                                         \
    {name, NULL, FUNC_SCALAR, "(binary, binary" more ") -> binary",                                \
     "ls_theta_operate($1, $2, '- ' || " lg " || ' 0 " operation " " name "', '-')",       \
     .pretty = "$f($1, $2" names ")",                                                              \
     EXAMPLE("SELECT theta_sketch_estimate(" name "(theta_sketch_agg(a), theta_sketch_agg(b))) "   \
             "FROM VALUES (1, 2), (2, 3) t(a, b)", want)}

/* K: the ending, S: the kind, in: accepted types, T: Spark's type of an item, first and second: the
 * item as BIGINT and as DOUBLE. */
#define KLL(K, S, in, T, first, second, quantile, one)                                             \
    {"kll_sketch_agg_" K, NULL, FUNC_AGGREGATE, in,                                                \
     "coalesce(ls_kll_build(" first ", " second ", '" S " ' || " CONFIG(2, "200")                  \
     " || ' kll_sketch_agg_" K "')$over, unhex('02010F01C8000800'))",                              \
     .bind = bind_kll, .flags = FUNC_EXACT,                                                        \
     EXAMPLE("SELECT hex(kll_sketch_agg_" K "(CAST(c AS " T "))) FROM VALUES (1) t(c)", one)},     \
    {"kll_merge_agg_" K, NULL, FUNC_AGGREGATE, "(binary, [int]) -> binary!",                       \
     "coalesce(ls_kll_unite($1, '" S " ' || " CONFIG(2, "0") " || ' kll_merge_agg_" K              \
     "')$over, unhex('02010F01C8000800'))",                                                        \
     .bind = bind_kll,                                                                             \
     EXAMPLE("SELECT kll_sketch_get_n_" K "(kll_merge_agg_" K "(s)) FROM (SELECT kll_sketch_agg_"  \
             K "(CAST(c AS " T ")) s FROM VALUES (1), (2) t(c) GROUP BY c)", "2")},                \
    {"kll_sketch_merge_" K, NULL, FUNC_SCALAR, "(binary, binary) -> binary",                       \
     "ls_kll_merge($1, $2, '" S "', 'kll_sketch_merge_" K "')",                                    \
     EXAMPLE("SELECT kll_sketch_get_n_" K "(kll_sketch_merge_" K "(kll_sketch_agg_" K "(CAST(c AS " \
             T ")), kll_sketch_agg_" K "(CAST(c AS " T ")))) FROM VALUES (1), (2) t(c)", "4")},    \
    {"kll_sketch_get_n_" K, NULL, FUNC_SCALAR, "(binary) -> long",                                 \
     "ls_kll_count($1, '" S "', 'kll_sketch_get_n_" K "')",                                        \
     EXAMPLE("SELECT kll_sketch_get_n_" K "(kll_sketch_agg_" K "(CAST(id AS " T "))) FROM "        \
             "range(1000)", "1000")},                                                              \
    {"kll_sketch_to_string_" K, NULL, FUNC_SCALAR, "(binary) -> string",                           \
     "ls_kll_summary($1, '" S "', 'kll_sketch_to_string_" K "')",                                  \
     EXAMPLE("SELECT substring(kll_sketch_to_string_" K "(kll_sketch_agg_" K "(CAST(c AS " T       \
             "))), 2, 7) FROM VALUES (1) t(c)", "### Kll")},                                       \
    {"kll_sketch_get_quantile_" K, NULL, FUNC_SCALAR,                                              \
     "(binary, double) -> " T "; (binary, array<double>) -> array<" T "!>",                        \
     .bind = bind_list, .sql = "CAST(" quantile "($1, $2, '" S "', 'kll_sketch_get_quantile_" K    \
     "') AS $r)",                                                                                  \
     EXAMPLE("SELECT CAST(kll_sketch_get_quantile_" K "(kll_sketch_agg_" K "(CAST(c AS " T         \
             ")), array(0, 0.2, 0.5, 1)) AS ARRAY<INT>) FROM VALUES (1), (2), (3), (4), (5) t(c)", \
             "[1, 1, 3, 5]")},                                                                     \
    {"kll_sketch_get_quantiles_" K, NULL, FUNC_SCALAR, "(any) -> $1",                              \
     "CAST(list_transform($2, lambda q: " quantile "($1, q, '" S "', 'kll_sketch_get_quantile_" K  \
     "')) AS $r)", .pretty = "kll_sketch_get_quantile_" K "($1, $2)", .flags = FUNC_HIDDEN},       \
    {"kll_sketch_get_rank_" K, NULL, FUNC_SCALAR,                                                  \
     "(binary, " T ") -> double; (binary, array<" T ">) -> array<double!>",                        \
     .bind = bind_list, .sql = "ls_kll_rank($1, CAST($2 AS BIGINT), CAST($2 AS DOUBLE), '" S       \
     "', 'kll_sketch_get_rank_" K "')",                                                            \
     EXAMPLE("SELECT kll_sketch_get_rank_" K "(kll_sketch_agg_" K "(CAST(c AS " T                  \
             ")), array(CAST(0 AS " T "), CAST(2 AS " T "), CAST(9 AS " T "))) FROM VALUES (1), "  \
             "(2), (3), (4), (5) t(c)", "[0.0, 0.4, 1.0]")},                                       \
    {"kll_sketch_get_ranks_" K, NULL, FUNC_SCALAR, "(any) -> $1",                                  \
     "list_transform($2, lambda q: ls_kll_rank($1, CAST(q AS BIGINT), CAST(q AS DOUBLE), '" S      \
     "', 'kll_sketch_get_rank_" K "'))", .pretty = "kll_sketch_get_rank_" K "($1, $2)",            \
     .flags = FUNC_HIDDEN}

/* An array of ranks or quantiles has a row of its own: "..quantile_x" -> "..quantiles_x". */
static bool bind_list(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool rank = strstr(call->row->name, "_rank_") != NULL;
    if (call->args.len == 2 && !func_is_foldable(call->args.at[1]))
        return func_non_foldable(call, 1, rank ? "quantile" : "rank", ctx, err);
    if (call->args.len < 2 || call->args.at[1]->type->kind != TYPE_ARRAY)
        return true;
    Str name = str_from(call->row->name);
    size_t split = (size_t)str_rfind_char(name, '_');
    call->row = func_find(str_printf(ctx->arena, STR_FMT "s" STR_FMT,
                                     STR_ARG(str_slice(name, 0, split)),
                                     STR_ARG(str_slice(name, split, name.len))));
    return true;
}

#define REAL_FIRST "CASE WHEN $1 IS NOT NULL THEN 0 END"

const FuncRow sketch_rows[] = {
    {"theta_sketch_agg", NULL, FUNC_AGGREGATE, ANY_KEY(", [int]) -> binary!"),
     "coalesce(ls_theta_build(ls_sketch_hash($1), 0.0, '- ' || " CONFIG(
         2, "12") " || ' 0 build theta_sketch_agg')$over, unhex('01030300001E0000'))",
     .pretty = "$f($1, $?2{$2}{12})",
     EXAMPLE("SELECT hex(theta_sketch_agg(c)) FROM VALUES (1), (2), (3) t(c)",
             "0104033E011ACC930316861AF72DF7E4558FBE9C3477E9EAEFB2E5966BADAA3DC0")},
    {"theta_union_agg", NULL, FUNC_AGGREGATE, "(binary, [int]) -> binary!",
     "coalesce(ls_theta_unite($1, '- ' || " CONFIG(
         2, "12") " || ' 0 unite theta_union_agg')$over, unhex('01030300001E0000'))",
     .pretty = "$f($1, $?2{$2}{12})",
     EXAMPLE("SELECT theta_sketch_estimate(theta_union_agg(s)) FROM (SELECT theta_sketch_agg(c) s "
             "FROM VALUES (1), (2) t(c) GROUP BY c)",
             "2")},
    {"theta_intersection_agg", NULL, FUNC_AGGREGATE, "(binary) -> binary!",
     "coalesce(ls_theta_intersect($1, '- 26 0 intersect theta_intersection_agg')$over, "
     "unhex('01030300001E0000'))",
     EXAMPLE("SELECT theta_sketch_estimate(theta_intersection_agg(s)) FROM (SELECT "
             "theta_sketch_agg(c) s FROM VALUES (1, 1), (1, 2), (2, 2) t(g, c) GROUP BY g)",
             "1")},
    {"theta_sketch_estimate", NULL, FUNC_SCALAR, "(binary) -> long",
     "CAST(floor(ls_theta_estimate($1, '-', 'theta_sketch_estimate') + 0.5) AS BIGINT)",
     EXAMPLE("SELECT theta_sketch_estimate(theta_sketch_agg(id)) FROM range(100000)", "98046")},
    THETA_PAIR("theta_union", "unite", ", [int]", CONFIG(3, "12"), ", $?3{$3}{12}", "3"),
    THETA_PAIR("theta_intersection", "intersect", "", "'26'", "", "1"),
    THETA_PAIR("theta_difference", "subtract", "", "'26'", "", "1"),
    TUPLE("double", "d", "double", "double", "01030901000ACC9315F97DCBBD86A105000000000000184000"),
    TUPLE("integer", "i", "int", "long", "01030901000ACC9315F97DCBBD86A1050600000000"),
    {"hll_sketch_agg", NULL, FUNC_AGGREGATE,
     "(int, [int]) -> binary!; (long, [int]) -> binary!; (string, [int]) -> binary!; (binary, "
     "[int]) -> binary!",
     /* Spark takes NULL for 0 here, which it then refuses. */
     "coalesce(ls_hll_build(ls_sketch_hash($1), CAST(" HLL_SIZE " AS VARCHAR) || ' hll_sketch_agg')$over, "
     "ls_hll_empty(" HLL_SIZE ", 'hll_sketch_agg'))",
     .bind = bind_hll, .flags = FUNC_EXACT, .pretty = "$f($1, $?2{$2}{12})",
     EXAMPLE("SELECT hex(hll_sketch_agg(c)) FROM VALUES (1), (2), (3) t(c)",
             "0201070C030003082BF2FB06862FF90D7581660700000000000000000000000000000000000"
             "00000")},
    {"hll_union_agg", NULL, FUNC_AGGREGATE, "(binary, [boolean]) -> binary!",
     "coalesce(ls_hll_unite($1, CASE WHEN $?2{$2}{false} THEN '1' ELSE '0' END || ' "
     "hll_union_agg')$over, ls_hll_empty(12, 'hll_union_agg'))",
     .pretty = "$f($1, $?2{$2}{false})",
     EXAMPLE("SELECT hll_sketch_estimate(hll_union_agg(s)) FROM (SELECT hll_sketch_agg(c) s FROM "
             "VALUES (1), (2) t(c) GROUP BY c)",
             "2")},
    {"hll_sketch_estimate", NULL, FUNC_SCALAR, "(binary) -> long",
     "ls_hll_estimate($1, 'hll_sketch_estimate')",
     EXAMPLE("SELECT hll_sketch_estimate(hll_sketch_agg(id)) FROM range(300)", "300")},
    {"hll_union", NULL, FUNC_SCALAR, "(binary, binary, [boolean]) -> binary",
     "ls_hll_union($1, $2, $?3{$3}{false}, 'hll_union')", .pretty = "$f($1, $2, $?3{$3}{false})",
     EXAMPLE("SELECT hll_sketch_estimate(hll_union(hll_sketch_agg(a), hll_sketch_agg(b))) FROM "
             "VALUES (1, 4), (2, 5) t(a, b)",
             "4")},
    KLL("bigint", "l",
        "(byte, [int]) -> binary!; (int, [int]) -> binary!; (long, [int]) -> binary!; (short, "
        "[int]) -> binary!",
        "long", "CAST($1 AS BIGINT)", "0.0", "ls_kll_quantile_long",
        "02020F04C80008000100000000000000"),
    KLL("float", "f", "(float, [int]) -> binary!", "float", REAL_FIRST, "CAST($1 AS DOUBLE)",
        "ls_kll_quantile_real", "02020F04C80008000000803F"),
    KLL("double", "d", "(float, [int]) -> binary!; (double, [int]) -> binary!", "double",
        REAL_FIRST, "CAST($1 AS DOUBLE)", "ls_kll_quantile_real",
        "02020F04C8000800000000000000F03F"),
    {"count_min_sketch", NULL, FUNC_AGGREGATE,
     "(byte, double, double, long) -> binary!; (short, double, double, long) -> binary!; (int, "
     "double, double, long) -> binary!; (long, double, double, long) -> binary!; (string, double, "
     "double, long) -> binary!; (binary, double, double, long) -> binary!",
     .bind = bind_count_min, .render = render_count_min,
     EXAMPLE("SELECT hex(count_min_sketch(col, 0.5d, 0.5d, 1)) FROM VALUES (1), (2), (1) AS "
             "tab(col)",
             "0000000100000000000000030000000100000004000000005D8D6AB90000000000000000000000000000"
             "000200000000000000010000000000000000")},
};
END_OF_ROWS(sketch);
