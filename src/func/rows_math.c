/* Mathematical functions. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* Spark calls every function of one double nullable. */
#define REAL(name, text, ...) {name, NULL, FUNC_SCALAR, "(double) -> double?", text, .pretty = "$F($1)", __VA_ARGS__}

/* ---- round, bround, ceil, floor ---- */

static const Type *rounded_decimal(const Type *t, int64_t digits, const FuncContext *ctx)
{
    int p = t->decimal.precision, s = t->decimal.scale, whole = p - s + 1;
    if (digits < 0) {
        int64_t wanted = -digits + 1 > whole ? -digits + 1 : whole;
        return type_decimal(wanted > 38 ? 38 : (int)wanted, 0, ctx->arena);
    }
    int scale = digits < s ? (int)digits : s;
    return type_decimal(whole + scale > 38 ? 38 : whole + scale, scale, ctx->arena);
}

typedef struct Rounding {
    int64_t digits;
    bool given;
} Rounding;

static bool bind_round(FuncCall *call, const FuncContext *ctx, Error *err)
{
    bool directed = strstr(call->row->name, "round") == NULL;
    const char *rule = directed && call->args.len == 1 ? "(long) -> long; (decimal) -> $1; (double) -> long"
                       : directed                      ? "(decimal, [int]) -> $1"
                                                       : "(numeric, [int]) -> $1";
    bool whole_input = directed && call->args.len == 1 && call->args.len && type_is_integral(call->args.at[0]->type);
    if (directed && call->args.len == 1 && (type_is_stringy(call->args.at[0]->type) || call->args.at[0]->type->kind == TYPE_FLOAT))
        rule = "(double) -> long";
    if (whole_input)
        rule = "(long) -> long";
    TRY(func_apply_signature(call, rule, ctx, err));
    Rounding *r = ARENA_NEW(ctx->arena, Rounding);
    call->bind_data = r;
    if (call->args.len == 2) {
        r->given = true;
        const Value *v = func_constant(call->args.at[1]);
        if (!func_constant_int(call->args.at[1], &r->digits) && !(v && v->is_null))
            return directed ? error_set(err, ERR_NON_FOLDABLE_ARGUMENT, P("funcName", func_name_text(call, ctx)),
                                        PZ("paramName", "`scale`"), PZ("paramType", "\"INT\""))
                            : func_non_foldable(call, 1, "scale", ctx, err);
    }
    const Type *t = call->args.at[0]->type;
    if (t->kind == TYPE_DECIMAL)
        call->result = directed && !r->given ? type_decimal_bounded(t->decimal.precision - t->decimal.scale + 1, 0, ctx->arena)
                                             : rounded_decimal(t, r->digits, ctx);
    call->nullable = true;
    return true;
}

static bool render_round(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out, Error *err)
{
    (void)count;
    (void)err;
    const char *name = strcmp(call->call.row->name, "ceiling") ? call->call.row->name : "ceil";
    const Rounding *r = call->call.bind_data;
    int digits = r->digits > 400 ? 400 : r->digits < -400 ? -400 : (int)r->digits;
    const Type *from = call->call.args.at[0]->type;
    Str type = type_duckdb(call->type, ctx->arena);
    int mode = ctx->ansi ? CAST_ANSI : CAST_LEGACY;
    if (count == 2 && func_constant(call->call.args.at[1]) && func_constant(call->call.args.at[1])->is_null)
        buf_addf(out, "CAST(NULL AS " STR_FMT ")", STR_ARG(type));
    else if (from->kind == TYPE_DECIMAL)
        buf_addf(out, "CAST(ls_decimal_%s_%d(" STR_FMT ", %d, %d, %d) AS " STR_FMT ")", name, call->type->decimal.scale, STR_ARG(args[0]),
                 digits, call->type->decimal.precision, mode, STR_ARG(type));
    else if (from->kind == TYPE_LONG && (!strcmp(name, "ceil") || !strcmp(name, "floor")))
        buf_add(out, args[0]);
    else if (from->kind == TYPE_DOUBLE && call->type->kind == TYPE_LONG)
        buf_addf(out, "ls_real_%s(" STR_FMT ")", name, STR_ARG(args[0]));
    else if (type_is_fractional(from))
        buf_addf(out, "CAST(ls_real_%s(" STR_FMT ", %d) AS " STR_FMT ")", name, STR_ARG(args[0]), digits, STR_ARG(type));
    else
        buf_addf(out, "CAST(ls_integer_%s(" STR_FMT ", %d) AS " STR_FMT ")", name, STR_ARG(args[0]), digits, STR_ARG(type));
    return true;
}

/* ---- random ---- */

static bool bind_random(FuncCall *call, const FuncContext *ctx, Error *err)
{
    TRY(func_apply_signature(call, "([long]) -> double!", ctx, err));
    const Value *v = call->args.len ? func_constant(call->args.at[0]) : NULL;
    int64_t seed;
    if (call->args.len && !v && !func_constant_int(call->args.at[0], &seed))
        return error_set(err, ERR_SEED_EXPRESSION_IS_UNFOLDABLE, P("seedExpr", func_quoted_sql(call->args.at[0], ctx)),
                         P("exprWithSeed", func_call_text(call, ctx)));
    return true;
}

/* Without a seed every statement draws its own. */
static bool render_random(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out, Error *err)
{
    (void)err;
    const char *name = strcmp(call->call.row->name, "rand") ? "ls_randn" : "ls_rand";
    if (count)
        buf_addf(out, "%s(coalesce(" STR_FMT ", 0))", name, STR_ARG(args[0]));
    else
        buf_addf(out, "%s(%lld)", name, (long long)(ctx->now_us ^ (int64_t)out->len << 40));
    return true;
}

static bool bind_abs(FuncCall *call, const FuncContext *ctx, Error *err)
{
    return func_apply_signature(call, "(numeric) -> $1; (interval_dt) -> $1; (interval_ym) -> $1", ctx, err);
}

const FuncRow math_rows[] = {
    {"abs", NULL, FUNC_SCALAR, .bind = bind_abs, .sql = "abs($1)", .sql_legacy = "CASE WHEN $1 < 0 THEN - $1 ELSE $1 END"},
    REAL("sqrt", "ls_sqrt($1)"),
    REAL("cbrt", "ls_cbrt($1)"),
    REAL("exp", "ls_exp($1)"),
    REAL("expm1", "ls_expm1($1)"),
    {"ln", NULL, FUNC_SCALAR, "(double) -> double?", "ls_ln($1)"},
    REAL("log2", "ls_log2($1)"),
    REAL("log10", "ls_log10($1)"),
    REAL("log1p", "ls_log1p($1)"),
    {"log", NULL, FUNC_SCALAR, "(double, double) -> double?; (double) -> double?", "$?2{ls_log($1, $2)}{ls_ln($1)}", .pretty = "$?2{LOG($1, $2)}{LOG(E(), $1)}"},
    {"pow", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_pow($1, $2)"},
    {"power", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_pow($1, $2)", .pretty = "POWER($1, $2)"},
    {"round", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round, .pretty = "round($1, $?2{$2}{0})"},
    {"bround", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round, .pretty = "bround($1, $?2{$2}{0})"},
    {"ceil", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round, .pretty = "$?2{ceil($1, $2)}{CEIL($1)}"},
    {"ceiling", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round},
    {"floor", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round, .pretty = "$?2{floor($1, $2)}{FLOOR($1)}"},
    REAL("sin", "ls_sin($1)"),
    REAL("cos", "ls_cos($1)"),
    REAL("tan", "ls_tan($1)"),
    REAL("cot", "ls_cot($1)"),
    REAL("sec", "ls_sec($1)"),
    REAL("csc", "ls_csc($1)"),
    REAL("asin", "ls_asin($1)"),
    REAL("acos", "ls_acos($1)"),
    REAL("atan", "ls_atan($1)"),
    REAL("sinh", "ls_sinh($1)"),
    REAL("cosh", "ls_cosh($1)"),
    REAL("tanh", "ls_tanh($1)"),
    REAL("asinh", "ls_asinh($1)"),
    REAL("acosh", "ls_acosh($1)"),
    REAL("atanh", "ls_atanh($1)"),
    REAL("degrees", "ls_degrees($1)"),
    REAL("radians", "ls_radians($1)"),
    {"rint", NULL, FUNC_SCALAR, "(double) -> double?", "ls_rint($1)"},
    {"signum", NULL, FUNC_SCALAR, "(double) -> double?; (interval_dt) -> double?; (interval_ym) -> double?", "ls_signum(CAST($1 AS DOUBLE))", .pretty = "SIGNUM($1)"},
    {"sign", NULL, FUNC_SCALAR, "(double) -> double?; (interval_dt) -> double?; (interval_ym) -> double?", "ls_signum(CAST($1 AS DOUBLE))"},
    {"atan2", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_atan2($1, $2)", .pretty = "ATAN2($1, $2)"},
    {"hypot", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_hypot($1, $2)", .pretty = "HYPOT($1, $2)"},
    {"e", NULL, FUNC_SCALAR, "() -> double!", "CAST(2.718281828459045 AS DOUBLE)", .pretty = "E()"},
    {"pi", NULL, FUNC_SCALAR, "() -> double!", "pi()", .pretty = "PI()"},
    {"factorial", NULL, FUNC_SCALAR, "(int) -> long?", "ls_factorial($1)"},
    {"hex", NULL, FUNC_SCALAR, "(long) -> string; (binary) -> string; (string) -> string", "ls_hex($1)"},
    {"unhex", NULL, FUNC_SCALAR, "(string) -> binary?", "ls_unhex($1)"},
    {"bin", NULL, FUNC_SCALAR, "(long) -> string", "ls_bin($1)"},
    {"conv", NULL, FUNC_SCALAR, "(string, int, int, [boolean]) -> string?", "ls_conv($1, $2, $3, $?4{$4}{true})", .sql_legacy = "ls_conv($1, $2, $3, $?4{$4}{false})"},
    {"bit_count", NULL, FUNC_SCALAR, "(integral) -> int; (boolean) -> int", "CAST(bit_count(CAST($1 AS BIGINT)) AS INTEGER)"},
    {"bit_get", "getbit", FUNC_SCALAR, "(integral, int) -> byte", "ls_bit_get($1, $2)"},
    {"width_bucket", NULL, FUNC_SCALAR, "(double, double, double, long) -> long?; (interval_ym, interval_ym, interval_ym, long) -> long?; (interval_dt, interval_dt, interval_dt, long) -> long?",
     "ls_width_bucket(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE), CAST($3 AS DOUBLE), $4)"},
    {"rand", "random", FUNC_SCALAR, .bind = bind_random, .render = render_random, .flags = FUNC_NONDETERMINISTIC, .pretty = "rand($*)"},
    {"randn", NULL, FUNC_SCALAR, .bind = bind_random, .render = render_random, .flags = FUNC_NONDETERMINISTIC},
};
END_OF_ROWS(math);
