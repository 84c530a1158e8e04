/* Aggregate functions. The engine hands ORDER BY as $order and FILTER, OVER as $over. */
#include <math.h>
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* Spark's DecimalType.bounded: cut off at 38 without trading scale for digits. */
static const Type *wider_decimal(const Type *t, int digits, int scale, const FuncContext *ctx) {
    int p = t->decimal.precision + digits, s = t->decimal.scale + scale;
    return type_decimal(p > 38 ? 38 : p, s > 38 ? 38 : s, ctx->arena);
}

/* Sums and averages take a timestamp as its seconds. */
static void take_seconds(FuncCall *call, const FuncContext *ctx) {
    if (call->args.len == 1 && call->args.at[0]->type->kind == TYPE_TIMESTAMP)
        call->args.at[0] = func_coerce(call->args.at[0], type_simple(TYPE_DOUBLE), ctx);
}

/* sum: integers as long, decimals ten digits wider, the rest as double. */
static bool bind_sum(FuncCall *call, const FuncContext *ctx, Error *err) {
    take_seconds(call, ctx);
    bool decimal = call->args.len == 1 && call->args.at[0]->type->kind == TYPE_DECIMAL;
    TRY(func_apply_signature(call,
                             decimal ? "(decimal) -> $1?"
                                     : "(double) -> double?; (integral) -> long?; (interval_ym) -> "
                                       "$1?; (interval_dt) -> $1?",
                             ctx, err));
    const Type *t = call->args.at[0]->type;
    if (t->kind == TYPE_DECIMAL)
        call->result = wider_decimal(t, 10, 0, ctx);
    return true;
}

static bool bind_avg(FuncCall *call, const FuncContext *ctx, Error *err) {
    take_seconds(call, ctx);
    bool decimal = call->args.len == 1 && call->args.at[0]->type->kind == TYPE_DECIMAL;
    TRY(func_apply_signature(
        call,
        decimal
            ? "(decimal) -> $1?"
            : "(double) -> double?; (interval_ym) -> interval_ym?; (interval_dt) -> interval_dt?",
        ctx, err));
    const Type *t = call->args.at[0]->type;
    if (t->kind == TYPE_DECIMAL)
        call->result = wider_decimal(t, 4, 4, ctx);
    return true;
}

static bool render_sum(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    (void)err;
    const Type *t = call->call.args.at[0]->type;
    bool trying = !strncmp(call->call.row->name, "try_", 4) || !ctx->ansi;
    if (t->kind == TYPE_DOUBLE)
        return func_render_template(call, args, count, ctx, "sum($distinct$1)$over", out);
    Str text;
    if (t->kind == TYPE_DECIMAL && call->type->decimal.precision == 38) /* DuckDB goes on beyond 38 digits */
        text = str_printf(ctx->arena, "CAST(ls_decimal_%d(sum($distinct$1)$over, 38, %d) AS $r)", call->type->decimal.scale,
                          trying ? CAST_TRY : CAST_ANSI);
    else if (t->kind == TYPE_DECIMAL)
        text = S("CAST(sum($distinct$1)$over AS $r)");
    else
        text = str_printf(ctx->arena, "CAST(ls_sum_%s(sum($distinct$1)$over, %s) AS $r)",
                          t->kind == TYPE_INTERVAL_YM   ? "months"
                          : t->kind == TYPE_INTERVAL_DT ? "micros"
                                                        : "long",
                          trying ? "true" : "false");
    Str wide = func_wide_decimal(call->call.args.at[0], args[0], ctx->arena);
    return func_render_template(call, &wide, count, ctx, str_z(text, ctx->arena), out);
}

static bool render_avg(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    (void)err;
    const Type *t = call->call.args.at[0]->type;
    bool trying = !strncmp(call->call.row->name, "try_", 4) || !ctx->ansi;
    if (t->kind == TYPE_DOUBLE)
        return func_render_template(call, args, count, ctx, "avg($distinct$1)$over", out);
    if (t->kind == TYPE_DECIMAL) {
        Str text = str_printf(ctx->arena,
                              "CAST(ls_decimal_divide_%d(sum($distinct$1)$over, "
                              "CAST(count($distinct$1)$over AS DECIMAL(20,0)), %d, %d) AS $r)",
                              call->type->decimal.scale, call->type->decimal.precision,
                              trying ? CAST_TRY : CAST_ANSI);
        Str wide = func_wide_decimal(call->call.args.at[0], args[0], ctx->arena);
        return func_render_template(call, &wide, count, ctx, str_z(text, ctx->arena), out);
    }
    Str text = str_printf(ctx->arena, "CASE WHEN ls_sum_%s(sum($distinct$1)$over, %s) IS NOT NULL THEN CAST(round(avg($distinct$1)$over) AS $r) END",
                          t->kind == TYPE_INTERVAL_YM ? "months" : "micros", trying ? "true" : "false");
    return func_render_template(call, args, count, ctx, str_z(text, ctx->arena), out);
}

/* count(a, b): rows in which none is NULL. */
static bool render_count(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool constant = count == 1 && func_constant(call->call.args.at[0]) &&
                    !func_constant(call->call.args.at[0])->is_null;
    if (constant && !call->call.distinct)
        return func_render_template(call, args, count, ctx, "count(*)$over", out);
    if (count == 1)
        return func_render_template(call, args, count, ctx, "count($distinct$1)$over", out);
    Buf b = buf_in(ctx->arena);
    buf_addz(&b, "count($distinct CASE WHEN ");
    for (size_t i = 0; i < count; i++)
        buf_addf(&b, "%s$%zu IS NOT NULL", i ? " AND " : "", i + 1);
    buf_addz(&b, " THEN row($*) END)$over");
    return func_render_template(call, args, count, ctx, b.ptr, out);
}

/* first(x, true) is first(x) IGNORE NULLS. */
static bool bind_first(FuncCall *call, const FuncContext *ctx, Error *err) {
    return func_apply_signature(call, "(any) -> $1?; (any, boolean) -> $1?", ctx, err);
}

static bool render_first(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool last = !strncmp(call->call.row->name, "last", 4);
    bool ignore = call->call.ignore_nulls;
    if (count > 1) {
        const Value *v = func_constant(call->call.args.at[1]);
        ignore |= v && !v->is_null && v->boolean;
    }
    bool over = str_find(ctx->call_suffix, S(" OVER ")) >= 0;
    if (over)
        return func_render_template(
            call, args, count, ctx,
            last ? (ignore ? "last_value($1 IGNORE NULLS)$over" : "last_value($1)$over")
                 : (ignore ? "first_value($1 IGNORE NULLS)$over" : "first_value($1)$over"),
            out);
    if (ignore)
        return func_render_template(
            call, args, count, ctx,
            last ? "list_extract(list_filter(list($1$order)$over, lambda x: x IS NOT NULL), -1)"
                 : "any_value($1$order)$over",
            out);
    return func_render_template(call, args, count, ctx,
                                last ? "last($1$order)$over" : "first($1$order)$over", out);
}

/* max_by(x, y, k): how many. */
static bool bind_max_by(FuncCall *call, const FuncContext *ctx, Error *err) {
    int64_t k = 1;
    if (call->args.len > 2 && !func_constant_int(call->args.at[2], &k))
        return func_non_foldable(call, 2, "k", ctx, err);
    if (k >= 1 && k <= 100000)
        return true;
    return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE, PZ("exprName", "`k`"),
                     P("sqlExpr", func_call_text(call, ctx)), PZ("valueRange", "[1, 100000]"),
                     P("currentValue", str_printf(ctx->arena, "%lld", (long long)k)));
}

static double number_of(const Value *v) {
    if (type_is_integral(v->type))
        return (double)v->integer;
    if (v->type->kind != TYPE_DECIMAL)
        return v->real;
    double d = (double)v->decimal.high * 0x1p64 + (double)v->decimal.low;
    for (int i = 0; i < v->type->decimal.scale; i++)
        d /= 10;
    return d;
}

/* Constants between 0 and 1, one or an array of them. */
static bool check_percentage(const FuncCall *call, size_t at, const BoundExpr *e,
                             const FuncContext *ctx, Error *err) {
    if (e->kind == BEXPR_COLUMN || e->kind == BEXPR_SUBQUERY)
        return func_non_foldable(call, at, "percentage", ctx, err);
    if (e->kind == BEXPR_CALL && !strcmp(e->call.row->name, "array")) {
        for (size_t i = 0; i < e->call.args.len; i++)
            TRY(check_percentage(call, at, e->call.args.at[i], ctx, err));
        return true;
    }
    const Value *v = func_constant(e);
    if (e->kind == BEXPR_CAST && !v)
        return check_percentage(call, at, e->cast.child, ctx, err);
    if (v && v->is_null)
        return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_NULL, PZ("exprName", "percentage"),
                         P("sqlExpr", func_call_text(call, ctx)));
    if (!v || !type_is_numeric(v->type) || (number_of(v) >= 0 && number_of(v) <= 1))
        return true;
    return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE, PZ("exprName", "percentage"),
                     P("sqlExpr", func_call_text(call, ctx)), PZ("valueRange", "[0.0, 1.0]"),
                     P("currentValue", func_quoted_sql(e, ctx)));
}

/* percentile_approx and percentile: the percentages are constants, one or an array. */
static bool bind_percentile(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool approx = !strcmp(call->row->name, "percentile_approx");
    const char *one =
        approx ? "(numeric, double, [int]) -> $1?; (date, double, [int]) -> $1?; (timestamp, "
                 "double, [int]) -> $1?; (timestamp_ntz, double, [int]) -> $1?; (interval_ym, "
                 "double, [int]) -> $1?; (interval_dt, double, [int]) -> $1?"
               : "(double, double, [long]) -> double?; (interval_ym, double, [long]) -> "
                 "interval_ym?; (interval_dt, double, [long]) -> interval_dt?";
    const char *many = approx ? "(numeric, array<double>, [int]) -> array<$1!>?; (date, array<double>, [int]) -> "
                                "array<$1!>?; (timestamp, array<double>, [int]) -> array<$1!>?; (timestamp_ntz, "
                                "array<double>, [int]) -> array<$1!>?; (interval_ym, array<double>, [int]) -> "
                                "array<$1!>?; (interval_dt, array<double>, [int]) -> array<$1!>?"
                              : "(double, array<double>, [long]) -> array<double!>?; (interval_ym, "
                                "array<double>, [long]) -> array<interval_ym!>?; (interval_dt, "
                                "array<double>, [long]) -> array<interval_dt!>?";
    bool list = call->args.len > 1 && call->args.at[1]->type->kind == TYPE_ARRAY;
    TRY(func_apply_signature(call, list ? many : one, ctx, err));
    return call->args.len < 2 || check_percentage(call, 1, call->args.at[1], ctx, err);
}

static bool render_percentile(const BoundExpr *call, const Str *args, size_t count,
                              const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool approx = !strcmp(call->call.row->name, "percentile_approx");
    if (approx)
        return func_render_template(call, args, count, ctx,
                                    "CAST(quantile_disc($1, $2)$over AS $r)", out);
    if (count < 3)
        return func_render_template(call, args, count, ctx,
                                    "CAST(quantile_cont($1, $2)$over AS $r)", out);
    return func_render_template(
        call, args, count, ctx,
        call->type->kind == TYPE_ARRAY
            ? "CAST(ls_percentiles(list(CAST($1 AS DOUBLE))$over, list($3)$over, $2) AS $r)"
            : "CAST(ls_percentile(list(CAST($1 AS DOUBLE))$over, list($3)$over, $2) AS $r)",
        out);
}

/* percentile_cont(p) WITHIN GROUP (ORDER BY v [DESC]) arrives as (p, v, descending). */
static bool bind_within_group(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool cont = !strcmp(call->row->name, "percentile_cont");
    if (call->args.len == 2)
        vec_push(ctx->arena, &call->args, bound_literal(value_bool(false), ctx->arena));
    if (call->args.len != 3)
        return func_wrong_arg_count(call, "1", ctx, err);
    bool list = call->args.at[0]->type->kind == TYPE_ARRAY;
    TRY(func_apply_signature(
        call,
        cont ? (list ? "(array<double>, double, boolean) -> array<double!>?"
                     : "(double, double, boolean) -> double?; (double, interval_ym, boolean) -> "
                       "interval_ym?; (double, interval_dt, boolean) -> interval_dt?")
             : (list ? "(array<double>, double, boolean) -> array<double!>?"
                     : "(double, double, boolean) -> double?; (double, interval_ym, boolean) -> "
                       "interval_ym?; (double, interval_dt, boolean) -> interval_dt?"),
        ctx, err));
    return check_percentage(call, 0, call->args.at[0], ctx, err);
}

static bool render_within_group(const BoundExpr *call, const Str *args, size_t count,
                                const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    const Value *d = func_constant(call->call.args.at[2]);
    bool descending = d && d->type->kind == TYPE_BOOLEAN && d->boolean;
    bool cont = !strcmp(call->call.row->name, "percentile_cont");
    if (!descending)
        return func_render_template(call, args, count, ctx,
                                    cont ? "CAST(quantile_cont($2, $1)$over AS $r)"
                                         : "CAST(quantile_disc($2, $1)$over AS $r)",
                                    out);
    if (call->type->kind == TYPE_ARRAY)
        return func_render_template(
            call, args, count, ctx,
            cont ? "CAST(quantile_cont($2, list_transform($1, lambda p: 1 - p))$over AS $r)"
                 : "CAST(list_transform(quantile_disc(- $2, $1)$over, lambda v: - v) AS $r)",
            out);
    return func_render_template(call, args, count, ctx,
                                cont ? "CAST(quantile_cont($2, 1 - $1)$over AS $r)"
                                     : "CAST(- quantile_disc(- $2, $1)$over AS $r)",
                                out);
}

/* mode(v), or mode() WITHIN GROUP (ORDER BY v) as (v, descending). */
static bool bind_mode(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(any, [boolean]) -> $1?", ctx, err));
    if (call->args.len < 2)
        return true;
    const Value *v = func_constant(call->args.at[1]);
    bool flag = v && !v->is_null && v->boolean;
    bool ordered = call->args.at[1]->implicit;
    call->args.len = 1;
    if (ordered || flag)
        call->row = func_find(ordered && flag ? S("mode_highest") : S("mode_lowest"));
    return true;
}

/* Which of several most frequent values: the lowest for mode(v, true) and ORDER BY v, the highest
 * for DESC. */
static bool render_mode(const BoundExpr *call, const Str *args, size_t count,
                        const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    return func_render_template(call, args, count, ctx,
                                !strcmp(call->call.row->name, "mode_highest")
                                    ? "list_transform([list_sort(list($1)$over)], lambda a: "
                                      "list_extract(a, ls_mode_index(a, true)))[1]"
                                    : "list_transform([list_sort(list($1)$over)], lambda a: "
                                      "list_extract(a, ls_mode_index(a, false)))[1]",
                                out);
}

static bool render_list(const BoundExpr *call, const Str *args, size_t count,
                        const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    const Type *t = call->call.args.at[0]->type;
    bool set = !strcmp(call->call.row->name, "collect_set");
    bool distinct = call->call.distinct;
    /* FILTER may already be there; NULLs are dropped after the fact, as Spark skips them one by
     * one. */
    (void)t;
    return func_render_template(
        call, args, count, ctx,
        set        ? "coalesce(list_transform([list($1)$over], lambda l: list_select(l, ls_hash_set_places(l)))[1], [])"
        : distinct ? "coalesce(list_transform([list($1$order)$over], lambda l: list_select(l, ls_distinct_places(l)))[1], [])"
                   : "coalesce(list_filter(list($1$order)$over, lambda x: x IS NOT NULL), [])",
        out);
}

static bool bind_listagg(FuncCall *call, const FuncContext *ctx, Error *err) {
    return func_apply_signature(
        call, "(string, [string]) -> string?; (binary, [binary]) -> binary?", ctx, err);
}

/* " ORDER BY key ASC NULLS FIRST" -> "key" */
static Str only_sort_key(Str order) {
    Str key = str_slice(order, strlen(" ORDER BY "), order.len);
    static const char *const TAILS[] = {" NULLS FIRST", " NULLS LAST", " ASC", " DESC"};
    for (size_t i = 0; i < LENGTH_OF(TAILS); i++)
        if (str_ends_with(key, str_from(TAILS[i])))
            key.len -= strlen(TAILS[i]);
    return key;
}

/* The values before they are cast, each once and in order, then cast. */
static bool cast_list(const BoundExpr *value, const FuncContext *ctx, Str *out, Error *err) {
    Buf text = buf_in(ctx->arena);
    TRY(func_render_cast(S("v"), value->cast.child->type, value->type, value->cast.mode, ctx, &text, err));
    Str key = only_sort_key(ctx->call_order);
    *out = str_printf(ctx->arena,
                      "list_transform(list_filter(list(DISTINCT " STR_FMT STR_FMT ")" STR_FMT
                      ", lambda v: v IS NOT NULL), lambda v: " STR_FMT ")",
                      STR_ARG(key), STR_ARG(ctx->call_order), STR_ARG(ctx->call_suffix), STR_ARG(buf_str(&text)));
    return true;
}

/* listagg(DISTINCT CAST(x AS t)) WITHIN GROUP (ORDER BY x) */
static bool is_cast_of_key(const BoundExpr *call, const FuncContext *ctx) {
    const BoundExpr *value = call->call.args.at[0];
    return call->call.order.len == 1 && value->kind == BEXPR_CAST &&
           str_eq(func_sql_text(value->cast.child, ctx->zone, ctx->arena), func_sql_text(call->call.order.at[0].expr, ctx->zone, ctx->arena));
}

/* DISTINCT values sorted by what they were before they became text: DuckDB wants the sort key among
 * the arguments. */
static bool render_listagg(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    const BoundExpr *value = call->call.args.at[0];
    bool recast = call->call.distinct && is_cast_of_key(call, ctx);
    if (call->type->kind == TYPE_BINARY && recast) {
        Str list;
        TRY(cast_list(value, ctx, &list, err));
        Str both[2] = {list, count > 1 ? args[1] : S("''::BLOB")};
        return func_render_template(call, both, 2, ctx,
                                    "list_transform([$1], lambda l: CASE WHEN len(l) > 0 THEN list_reduce(l, lambda a, b: a || coalesce($2, "
                                    "''::BLOB) || b) END)[1]",
                                    out);
    }
    if (call->type->kind == TYPE_BINARY)
        return func_render_template(
            call, args, count, ctx,
            "list_transform([list_filter(list($distinct$1$order)$over, lambda x: x IS NOT NULL)], "
            "lambda l: CASE WHEN len(l) > 0 THEN list_reduce(l, lambda a, b: a || "
            "$?2{coalesce($2, ''::BLOB)}{''::BLOB} || b) END)[1]",
            out);
    bool cast = recast || (value->kind == BEXPR_CAST && value->implicit);
    if (call->call.distinct && !call->call.order.len) /* in the order in which they came */
        return func_render_template(
            call, args, count, ctx,
            "list_transform(list_transform([list($1)$over], lambda l: list_select(l, ls_distinct_places(l))), lambda l: CASE WHEN "
            "len(l) > 0 THEN array_to_string(l, $?2{coalesce($2, '')}{''}) END)[1]",
            out);
    if (!call->call.distinct || call->call.order.len != 1 || !cast)
        return func_render_template(call, args, count, ctx,
                                    "string_agg($distinct$1, $?2{coalesce($2, '')}{''}$order)$over",
                                    out);
    Str list;
    TRY(cast_list(value, ctx, &list, err));
    buf_addf(out, "nullif(array_to_string(" STR_FMT ", " STR_FMT "), '')", STR_ARG(list), STR_ARG(count > 1 ? args[1] : S("''")));
    return true;
}

/* The relative standard deviation, 0.05 unless given, decides how many registers there are. */
static bool render_approx_distinct(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                                   Buf *out, Error *err) {
    const Value *v = count > 1 ? func_constant(call->call.args.at[1]) : NULL;
    double deviation = count < 2 ? 0.05 : v && !v->is_null && type_is_numeric(v->type) ? number_of(v) : 0;
    if (!(deviation > 0))
        return error_unsupported(err, "approx_count_distinct with a deviation that is no positive constant");
    int p = (int)ceil(2.0 * log(1.106 / deviation) / log(2.0));
    if (p < 4)
        return error_set(err, ERR_FAILED_FUNCTION_CALL, PZ("funcName", "`approx_count_distinct`"));
    Str text = str_printf(ctx->arena,
                          "coalesce(ls_distinct_estimate(ls_distinct_registers(CASE WHEN $1 IS NOT NULL THEN ls_xxhash64($1) END, "
                          "'%d')$over), 0)", p);
    return func_render_template(call, args, count, ctx, str_z(text, ctx->arena), out);
}

#define STATISTIC(name, alias, text, ...)                                                          \
    { name, alias, FUNC_AGGREGATE, "(double) -> double?", text, __VA_ARGS__ }
#define PAIR(name, text, ...)                                                                      \
    { name, NULL, FUNC_AGGREGATE, "(double, double) -> double?", text, __VA_ARGS__ }

const FuncRow aggregate_rows[] = {
    {"count", NULL, FUNC_AGGREGATE, "(any...) -> long!", .render = render_count,
     .example = "SELECT count(*) FROM VALUES (NULL), (5), (5), (20) AS tab(col)", .expected = "4"},
    {"count_if", NULL, FUNC_AGGREGATE, "(boolean) -> long!",
     "CAST(coalesce(count_if($1)$over, 0) AS BIGINT)",
     .example = "SELECT count_if(col % 2 = 0) FROM VALUES (NULL), (0), (1), (2), (3) AS tab(col)",
     .expected = "2"},
    {"sum", NULL, FUNC_AGGREGATE, .bind = bind_sum, .render = render_sum,
     .example = "SELECT sum(col) FROM VALUES (5), (10), (15) AS tab(col)", .expected = "30"},
    {"try_sum", NULL, FUNC_AGGREGATE, .bind = bind_sum, .render = render_sum,
     .example = "SELECT try_sum(col) FROM VALUES (5), (10), (15) AS tab(col)", .expected = "30"},
    {"avg", "mean", FUNC_AGGREGATE, .bind = bind_avg, .render = render_avg,
     .example = "SELECT avg(col) FROM VALUES (1), (2), (3) AS tab(col)", .expected = "2.0"},
    {"try_avg", NULL, FUNC_AGGREGATE, .bind = bind_avg, .render = render_avg,
     .example = "SELECT try_avg(col) FROM VALUES (1), (2), (3) AS tab(col)", .expected = "2.0"},
    {"min", NULL, FUNC_AGGREGATE, "(orderable) -> $1?", "$K{arg_min($1, $k1)}{min($1)}$over",
     .example = "SELECT min(col) FROM VALUES (10), (-1), (20) AS tab(col)", .expected = "-1"},
    {"max", NULL, FUNC_AGGREGATE, "(orderable) -> $1?", "$K{arg_max($1, $k1)}{max($1)}$over",
     .example = "SELECT max(col) FROM VALUES (10), (50), (20) AS tab(col)", .expected = "50"},
    {"first", NULL, FUNC_AGGREGATE, .bind = bind_first, .render = render_first,
     .pretty = "first($1)", .example = "SELECT first(col) FROM VALUES (10), (5), (20) AS tab(col)",
     .expected = "10"},
    {"first_value", NULL, FUNC_AGGREGATE, .bind = bind_first, .render = render_first,
     .pretty = "first_value($1)",
     .example = "SELECT first_value(col) FROM VALUES (10), (5), (20) AS tab(col)",
     .expected = "10"},
    {"any_value", NULL, FUNC_AGGREGATE, .bind = bind_first, .render = render_first,
     .pretty = "any_value($1)", .example = "SELECT any_value(c) FROM VALUES (3) AS t(c)",
     .expected = "3"},
    {"last", NULL, FUNC_AGGREGATE, .bind = bind_first, .render = render_first, .pretty = "last($1)",
     .example = "SELECT last(col) FROM VALUES (10), (5), (20) AS tab(col)", .expected = "20"},
    {"last_value", NULL, FUNC_AGGREGATE, .bind = bind_first, .render = render_first,
     .pretty = "last_value($1)",
     .example = "SELECT last_value(col) FROM VALUES (10), (5), (20) AS tab(col)", .expected = "20"},
    {"collect_list", "array_agg", FUNC_AGGREGATE, "(T) -> array<T!>!", .render = render_list,
     .flags = FUNC_ORDER_SENSITIVE, .pretty = "collect_list($1)",
     .example = "SELECT collect_list(col) FROM VALUES (1), (2), (1) AS tab(col)",
     .expected = "[1, 2, 1]"},
    {"collect_set", NULL, FUNC_AGGREGATE, "(T) -> array<T!>!", .render = render_list,
     .flags = FUNC_ORDER_SENSITIVE,
     .example = "SELECT collect_set(c) FROM VALUES ('z'), ('b'), ('c'), ('b'), ('a') AS t(c)",
     .expected = "[z, a, c, b]"},
    {"frequent_items", NULL, FUNC_AGGREGATE, "(T, double) -> array<T>!",
     "coalesce(list_transform([histogram($1)$over], lambda h: list_transform(list_filter(map_entries(h), lambda e: "
     "e.value >= $2 * list_sum(map_values(h))), lambda e: e.key))[1], [])",
     .flags = FUNC_HIDDEN},
    {"min_by", NULL, FUNC_AGGREGATE, "(T, orderable) -> T?; (T, orderable, int) -> array<T>?",
     "$?3{arg_min($1, $k2, $3)$over}{arg_min_null($1, $k2)$over}", .bind = bind_max_by,
     .example = "SELECT min_by(x, y) FROM VALUES ('a', 10), ('b', 50), ('c', 20) AS tab(x, y)",
     .expected = "a"},
    {"max_by", NULL, FUNC_AGGREGATE, "(T, orderable) -> T?; (T, orderable, int) -> array<T>?",
     "$?3{arg_max($1, $k2, $3)$over}{arg_max_null($1, $k2)$over}", .bind = bind_max_by,
     .example = "SELECT max_by(x, y) FROM VALUES ('a', 10), ('b', 50), ('c', 20) AS tab(x, y)",
     .expected = "b"},
    STATISTIC("stddev", "std", "$?2{ls_parted_stddev_samp($1, $2)}{ls_stddev_samp($distinct$1)}$over",
              .example = "SELECT stddev(col) FROM VALUES (1), (2), (3) AS tab(col)",
              .expected = "1.0"),
    STATISTIC("stddev_samp", NULL, "$?2{ls_parted_stddev_samp($1, $2)}{ls_stddev_samp($distinct$1)}$over",
              .example = "SELECT stddev_samp(col) FROM VALUES (1), (2), (3) AS tab(col)",
              .expected = "1.0"),
    STATISTIC("stddev_pop", NULL, "$?2{ls_parted_stddev_pop($1, $2)}{ls_stddev_pop($distinct$1)}$over",
              .example = "SELECT stddev_pop(col) FROM VALUES (1), (2), (3) AS tab(col)",
              .expected = "0.816496580927726"),
    STATISTIC("variance", NULL, "$?2{ls_parted_var_samp($1, $2)}{ls_var_samp($distinct$1)}$over",
              .example = "SELECT variance(col) OVER () FROM VALUES (1), (2), (3) AS tab(col)",
              .expected = "1.0; 1.0; 1.0"),
    STATISTIC("var_samp", NULL, "$?2{ls_parted_var_samp($1, $2)}{ls_var_samp($distinct$1)}$over",
              .example = "SELECT var_samp(col) FROM VALUES (1), (2), (3) AS tab(col)",
              .expected = "1.0"),
    STATISTIC("var_pop", NULL, "$?2{ls_parted_var_pop($1, $2)}{ls_var_pop($distinct$1)}$over",
              .example = "SELECT var_pop(col) FROM VALUES (1), (2), (3) AS tab(col)",
              .expected = "0.6666666666666666"),
    STATISTIC("skewness", NULL, "$?2{ls_parted_skewness($1, $2)}{ls_skewness($1)}$over",
              .example =
                  "SELECT round(skewness(c), 9) FROM VALUES (-10), (-20), (100), (1000) AS t(c)",
              .expected = "1.113565747"),
    STATISTIC("kurtosis", NULL, "$?2{ls_parted_kurtosis($1, $2)}{ls_kurtosis($1)}$over",
              .example =
                  "SELECT round(kurtosis(c), 9) FROM VALUES (-10), (-20), (100), (1000) AS t(c)",
              .expected = "-0.701436805"),
    PAIR("corr", "ls_corr($1, $2)$over",
         .example = "SELECT corr(c1, c2) FROM VALUES (3, 2), (3, 3), (6, 4) as tab(c1, c2)",
         .expected = "0.8660254037844387"),
    PAIR("covar_pop", "ls_covar_pop($1, $2)$over",
         .example = "SELECT covar_pop(c1, c2) FROM VALUES (1,1), (2,2), (3,3) AS tab(c1, c2)",
         .expected = "0.6666666666666666"),
    PAIR("covar_samp", "ls_covar_samp($1, $2)$over",
         .example = "SELECT covar_samp(c1, c2) FROM VALUES (1,1), (2,2), (3,3) AS tab(c1, c2)",
         .expected = "1.0"),
    PAIR("regr_avgx", "ls_regr_avgx($1, $2)$over",
         .example =
             "SELECT regr_avgx(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
         .expected = "2.75"),
    PAIR("regr_avgy", "ls_regr_avgy($1, $2)$over",
         .example =
             "SELECT regr_avgy(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
         .expected = "1.75"),
    {"regr_count", NULL, FUNC_AGGREGATE, "(double, double) -> long!",
     "count(CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN 1 END)$over",
     .example = "SELECT regr_count(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
     .expected = "4"},
    PAIR("regr_intercept", "ls_regr_intercept($1, $2)$over",
         .example =
             "SELECT regr_intercept(y, x) FROM VALUES (1, 1), (2, 2), (3, 3), (4, 4) AS tab(y, x)",
         .expected = "0.0"),
    PAIR("regr_r2", "ls_regr_r2($1, $2)$over",
         .example = "SELECT round(regr_r2(y, x), 9) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS "
                    "tab(y, x)",
         .expected = "0.272727273"),
    PAIR("regr_slope", "ls_regr_slope($1, $2)$over",
         .example =
             "SELECT regr_slope(y, x) FROM VALUES (1, 1), (2, 2), (3, 3), (4, 4) AS tab(y, x)",
         .expected = "1.0"),
    PAIR("regr_sxx", "ls_regr_sxx($1, $2)$over",
         .example = "SELECT regr_sxx(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
         .expected = "2.75"),
    PAIR("regr_sxy", "ls_regr_sxy($1, $2)$over",
         .example = "SELECT round(regr_sxy(y, x), 9) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS "
                    "tab(y, x)",
         .expected = "0.75"),
    PAIR("regr_syy", "ls_regr_syy($1, $2)$over",
         .example = "SELECT regr_syy(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
         .expected = "0.75"),
    {"product", NULL, FUNC_AGGREGATE, "(double) -> double?", "product($distinct$1)$over",
     .flags = FUNC_HIDDEN | FUNC_OF_CLIENTS},
    {"bit_and", NULL, FUNC_AGGREGATE, "(integral) -> $1?", "bit_and($1)$over",
     .example = "SELECT bit_and(col) FROM VALUES (3), (5) AS tab(col)", .expected = "1"},
    {"bit_or", NULL, FUNC_AGGREGATE, "(integral) -> $1?", "bit_or($1)$over",
     .example = "SELECT bit_or(col) FROM VALUES (3), (5) AS tab(col)", .expected = "7"},
    {"bit_xor", NULL, FUNC_AGGREGATE, "(integral) -> $1?", "bit_xor($distinct$1)$over",
     .example = "SELECT bit_xor(col) FROM VALUES (3), (5) AS tab(col)", .expected = "6"},
    {"bool_and", "every", FUNC_AGGREGATE, "(boolean) -> boolean?", "bool_and($1)$over",
     .example = "SELECT bool_and(col) FROM VALUES (true), (true), (true) AS tab(col)",
     .expected = "true"},
    {"bool_or", "any some", FUNC_AGGREGATE, "(boolean) -> boolean?", "bool_or($1)$over",
     .example = "SELECT bool_or(col) FROM VALUES (true), (false), (false) AS tab(col)",
     .expected = "true"},
    {"approx_count_distinct", NULL, FUNC_AGGREGATE, "(any, [double]) -> long!", .render = render_approx_distinct,
     .pretty = "approx_count_distinct($1)",
     .example = "SELECT approx_count_distinct(id, 0.1) FROM range(100000)", .expected = "102065"},
    {"percentile", NULL, FUNC_AGGREGATE, .bind = bind_percentile, .render = render_percentile,
     .pretty = "percentile($1, $2, $?3{$3}{1})",
     .example = "SELECT percentile(col, 0.3) FROM VALUES (0), (10) AS tab(col)", .expected = "3.0"},
    {"percentile_approx", "approx_percentile", FUNC_AGGREGATE, .bind = bind_percentile,
     .render = render_percentile, .pretty = "$f($1, $2, $?3{$3}{10000})",
     .example = "SELECT percentile_approx(col, array(0.5, 0.4, 0.1), 100) FROM VALUES (0), (1), "
                "(2), (10) AS tab(col)",
     .expected = "[1, 1, 0]"},
    {"percentile_cont", NULL, FUNC_AGGREGATE, .bind = bind_within_group,
     .render = render_within_group, .pretty = "percentile_cont($1) WITHIN GROUP (ORDER BY $2$!3{ DESC})",
     .example =
         "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY c) FROM VALUES (0), (10) AS t(c)",
     .expected = "2.5"},
    {"percentile_disc", NULL, FUNC_AGGREGATE, .bind = bind_within_group,
     .render = render_within_group, .pretty = "percentile_disc($1) WITHIN GROUP (ORDER BY $2$!3{ DESC})",
     .example =
         "SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY c) FROM VALUES (0), (10) AS t(c)",
     .expected = "0.0"},
    {"median", NULL, FUNC_AGGREGATE,
     "(double) -> double?; (interval_ym) -> interval_ym?; (interval_dt) -> interval_dt?",
     "CAST(median($1)$over AS $r)",
     .example = "SELECT median(col) FROM VALUES (0), (10) AS tab(col)", .expected = "5.0"},
    {"mode", NULL, FUNC_AGGREGATE, .bind = bind_mode, .sql = "mode($distinct$1)$over",
     .example = "SELECT mode(c) FROM VALUES (2), (1), (2) AS t(c)", .expected = "2"},
    {"mode_lowest", NULL, FUNC_AGGREGATE, "(any) -> $1?", .render = render_mode,
     .pretty = "mode() WITHIN GROUP (ORDER BY $1 DESC)", .flags = FUNC_HIDDEN,
     .example = "SELECT mode(c, true) FROM VALUES (2), (1) AS t(c)", .expected = "1"},
    {"mode_highest", NULL, FUNC_AGGREGATE, "(any) -> $1?", .render = render_mode,
     .pretty = "mode() WITHIN GROUP (ORDER BY $1)", .flags = FUNC_HIDDEN,
     .example = "SELECT mode() WITHIN GROUP (ORDER BY c DESC) FROM VALUES (2), (1) AS t(c)",
     .expected = "2"},
    {"listagg", "string_agg", FUNC_AGGREGATE, .bind = bind_listagg, .render = render_listagg,
     .flags = FUNC_ORDER_SENSITIVE, .pretty = "$f($1, $?2{$2}{NULL})",
     .example = "SELECT listagg(col) FROM VALUES ('a'), ('b'), ('c') AS tab(col)",
     .expected = "abc"},
    {"grouping", NULL, FUNC_AGGREGATE, "(any) -> byte!", "CAST(grouping($1) AS TINYINT)",
     .example = "SELECT grouping(a) FROM VALUES (1) AS t(a) GROUP BY a WITH ROLLUP ORDER BY 1",
     .expected = "0; 1"},
    {"grouping_id", NULL, FUNC_AGGREGATE, "(any*...) -> long!", "grouping($*)",
     .example = "SELECT grouping_id(a) FROM VALUES (1) AS t(a) GROUP BY a WITH ROLLUP ORDER BY 1",
     .expected = "0; 1"},
};
END_OF_ROWS(aggregate);
