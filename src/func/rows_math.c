/* Mathematical functions. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* Spark calls every function of one double nullable. */
#define REAL(name, text, ...)                                                                      \
    { name, NULL, FUNC_SCALAR, "(double) -> double?", text, .pretty = "$F($1)", __VA_ARGS__ }

/* ---- round, bround, ceil, floor ---- */

static const Type *rounded_decimal(const Type *t, int64_t digits, const FuncContext *ctx) {
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

static bool bind_round(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool directed = strstr(call->row->name, "round") == NULL;
    const char *rule = directed && call->args.len == 1
                           ? "(long) -> long; (decimal) -> $1; (double) -> long"
                       : directed ? "(decimal, [int]) -> $1"
                                  : "(numeric, [int]) -> $1";
    bool whole_input = directed && call->args.len == 1 && call->args.len &&
                       type_is_integral(call->args.at[0]->type);
    if (directed && call->args.len == 1 &&
        (type_is_stringy(call->args.at[0]->type) || call->args.at[0]->type->kind == TYPE_FLOAT))
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
            return directed ? error_set(err, ERR_NON_FOLDABLE_ARGUMENT,
                                        P("funcName", func_name_text(call, ctx)),
                                        PZ("paramName", "`scale`"), PZ("paramType", "\"INT\""))
                            : func_non_foldable(call, 1, "scale", ctx, err);
    }
    const Type *t = call->args.at[0]->type;
    if (t->kind == TYPE_DECIMAL)
        call->result =
            directed && !r->given
                ? type_decimal_bounded(t->decimal.precision - t->decimal.scale + 1, 0, ctx->arena)
                : rounded_decimal(t, r->digits, ctx);
    call->nullable = true;
    return true;
}

static bool render_round(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    const char *name = strcmp(call->call.row->name, "ceiling") ? call->call.row->name : "ceil";
    const Rounding *r = call->call.bind_data;
    int digits = r->digits > 400 ? 400 : r->digits < -400 ? -400 : (int)r->digits;
    const Type *from = call->call.args.at[0]->type;
    Str type = type_duckdb(call->type, ctx->arena);
    int mode = ctx->ansi ? CAST_ANSI : CAST_LEGACY;
    if (count == 2 && func_constant(call->call.args.at[1]) &&
        func_constant(call->call.args.at[1])->is_null)
        buf_addf(out, "CAST(NULL AS " STR_FMT ")", STR_ARG(type));
    else if (from->kind == TYPE_DECIMAL)
        buf_addf(out, "CAST(ls_decimal_%s_%d(" STR_FMT ", %d, %d, %d) AS " STR_FMT ")", name,
                 call->type->decimal.scale, STR_ARG(args[0]), digits, call->type->decimal.precision,
                 mode, STR_ARG(type));
    else if (from->kind == TYPE_LONG && (!strcmp(name, "ceil") || !strcmp(name, "floor")))
        buf_add(out, args[0]);
    else if (from->kind == TYPE_DOUBLE && call->type->kind == TYPE_LONG)
        buf_addf(out, "ls_real_%s(" STR_FMT ")", name, STR_ARG(args[0]));
    else if (type_is_fractional(from))
        buf_addf(out, "CAST(ls_real_%s(" STR_FMT ", %d) AS " STR_FMT ")", name, STR_ARG(args[0]),
                 digits, STR_ARG(type));
    else {
        int bits = from->kind == TYPE_BYTE    ? 8
                   : from->kind == TYPE_SHORT ? 16
                   : from->kind == TYPE_INT   ? 32
                                              : 64;
        buf_addf(out, "CAST(ls_integer_%s(" STR_FMT ", %d, %d, %s) AS " STR_FMT ")", name,
                 STR_ARG(args[0]), digits, bits, ctx->ansi ? "true" : "false", STR_ARG(type));
    }
    return true;
}

/* ---- random ---- */

static bool bind_random(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "([integral]) -> double!", ctx, err));
    const Value *v = call->args.len ? func_constant(call->args.at[0]) : NULL;
    int64_t seed;
    if (call->args.len && !v && !func_constant_int(call->args.at[0], &seed))
        return error_set(err, ERR_SEED_EXPRESSION_IS_UNFOLDABLE,
                         P("seedExpr", func_quoted_sql(call->args.at[0], ctx)),
                         P("exprWithSeed", func_call_text(call, ctx)));
    return true;
}

/* Without a seed every statement draws its own. */
static bool render_random(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    const char *name = strcmp(call->call.row->name, "rand") ? "ls_randn" : "ls_rand";
    if (count)
        buf_addf(out, "%s(coalesce(CAST(" STR_FMT " AS BIGINT), 0))", name, STR_ARG(args[0]));
    else
        buf_addf(out, "%s(%lld)", name, (long long)(ctx->now_us ^ (int64_t)out->len << 40));
    return true;
}

const FuncRow math_rows[] = {
    REAL("sqrt", "ls_sqrt($1)", .example = "sqrt(4)", .expected = "2.0"),
    REAL("cbrt", "ls_cbrt($1)", .example = "cbrt(27.0)", .expected = "3.0"),
    REAL("exp", "ls_exp($1)", .example = "exp(1)", .expected = "2.7182818284590455"),
    REAL("expm1", "ls_expm1($1)", .example = "expm1(0)", .expected = "0.0"),
    {"ln", NULL, FUNC_SCALAR, "(double) -> double?", "ls_ln($1)", .example = "ln(1)",
     .expected = "0.0"},
    REAL("log2", "ls_log2($1)", .example = "log2(2)", .expected = "1.0"),
    REAL("log10", "ls_log10($1)", .example = "log10(10)", .expected = "1.0"),
    REAL("log1p", "ls_log1p($1)", .example = "log1p(0)", .expected = "0.0"),
    {"log", NULL, FUNC_SCALAR, "(double, double) -> double?; (double) -> double?",
     "$?2{ls_log($1, $2)}{ls_ln($1)}", .pretty = "$?2{LOG($1, $2)}{LOG(E(), $1)}",
     .example = "log(10, 100)", .expected = "2.0"},
    {"pow", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_pow($1, $2)",
     .example = "pow(2, 3)", .expected = "8.0"},
    {"power", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_pow($1, $2)",
     .pretty = "POWER($1, $2)", .example = "power(2, 3)", .expected = "8.0"},
    {"round", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round,
     .pretty = "round($1, $?2{$2}{0})", .example = "round(2.5, 0)", .expected = "3"},
    {"bround", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round,
     .pretty = "bround($1, $?2{$2}{0})", .example = "bround(2.5, 0)", .expected = "2"},
    {"ceil", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round,
     .pretty = "$?2{ceil($1, $2)}{CEIL($1)}", .example = "ceil(-0.1)", .expected = "0"},
    {"ceiling", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round,
     .example = "ceiling(-0.1)", .expected = "0"},
    {"floor", NULL, FUNC_SCALAR, .bind = bind_round, .render = render_round,
     .pretty = "$?2{floor($1, $2)}{FLOOR($1)}", .example = "floor(-0.1)", .expected = "-1"},
    REAL("sin", "ls_sin($1)", .example = "sin(0)", .expected = "0.0"),
    REAL("cos", "ls_cos($1)", .example = "cos(0)", .expected = "1.0"),
    REAL("tan", "ls_tan($1)", .example = "tan(0)", .expected = "0.0"),
    REAL("cot", "ls_cot($1)", .example = "cot(1)", .expected = "0.6420926159343306"),
    REAL("sec", "ls_sec($1)", .example = "sec(0)", .expected = "1.0"),
    REAL("csc", "ls_csc($1)", .example = "csc(1)", .expected = "1.1883951057781212"),
    REAL("asin", "ls_asin($1)", .example = "asin(0)", .expected = "0.0"),
    REAL("acos", "ls_acos($1)", .example = "acos(1)", .expected = "0.0"),
    REAL("atan", "ls_atan($1)", .example = "atan(0)", .expected = "0.0"),
    REAL("sinh", "ls_sinh($1)", .example = "sinh(0)", .expected = "0.0"),
    REAL("cosh", "ls_cosh($1)", .example = "cosh(1)", .expected = "1.543080634815244"),
    REAL("tanh", "ls_tanh($1)", .example = "tanh(0)", .expected = "0.0"),
    REAL("asinh", "ls_asinh($1)", .example = "asinh(0)", .expected = "0.0"),
    REAL("acosh", "ls_acosh($1)", .example = "acosh(1)", .expected = "0.0"),
    REAL("atanh", "ls_atanh($1)", .example = "atanh(0)", .expected = "0.0"),
    REAL("degrees", "ls_degrees($1)", .example = "degrees(3.141592653589793)", .expected = "180.0"),
    REAL("radians", "ls_radians($1)", .example = "radians(180)", .expected = "3.141592653589793"),
    {"rint", NULL, FUNC_SCALAR, "(double) -> double?", "ls_rint($1)", .example = "rint(12.3456)",
     .expected = "12.0"},
    {"signum", NULL, FUNC_SCALAR,
     "(double) -> double?; (interval_dt) -> double?; (interval_ym) -> double?",
     "ls_signum(CAST($1 AS DOUBLE))", .pretty = "SIGNUM($1)", .example = "signum(40)",
     .expected = "1.0"},
    {"sign", NULL, FUNC_SCALAR,
     "(double) -> double?; (interval_dt) -> double?; (interval_ym) -> double?",
     "ls_signum(CAST($1 AS DOUBLE))", .example = "sign(40)", .expected = "1.0"},
    {"atan2", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_atan2($1, $2)",
     .pretty = "ATAN2($1, $2)", .example = "atan2(0, 0)", .expected = "0.0"},
    {"hypot", NULL, FUNC_SCALAR, "(double, double) -> double", "ls_hypot($1, $2)",
     .pretty = "HYPOT($1, $2)", .example = "hypot(3, 4)", .expected = "5.0"},
    {"e", NULL, FUNC_SCALAR, "() -> double!", "CAST(2.718281828459045 AS DOUBLE)", .pretty = "E()",
     .example = "e()", .expected = "2.718281828459045"},
    {"pi", NULL, FUNC_SCALAR, "() -> double!", "pi()", .pretty = "PI()", .example = "pi()",
     .expected = "3.141592653589793"},
    {"factorial", NULL, FUNC_SCALAR, "(int) -> long?", "ls_factorial($1)",
     .example = "factorial(5)", .expected = "120"},
    {"hex", NULL, FUNC_SCALAR, "(long) -> string; (binary) -> string; (string) -> string",
     "ls_hex($1)", .example = "hex(17)", .expected = "11"},
    {"unhex", NULL, FUNC_SCALAR, "(string) -> binary?", "ls_unhex($1)",
     .example = "decode(unhex('537061726B2053514C'), 'UTF-8')", .expected = "Spark SQL"},
    {"bin", NULL, FUNC_SCALAR, "(long) -> string", "ls_bin($1)", .example = "bin(13)",
     .expected = "1101"},
    {"conv", NULL, FUNC_SCALAR, "(string, int, int, [boolean]) -> string?",
     "ls_conv($1, $2, $3, $?4{$4}{true})", .sql_legacy = "ls_conv($1, $2, $3, $?4{$4}{false})",
     .example = "conv('100', 2, 10)", .expected = "4"},
    {"bit_count", NULL, FUNC_SCALAR, "(integral) -> int; (boolean) -> int",
     "CAST(bit_count(CAST($1 AS BIGINT)) AS INTEGER)", .flags = FUNC_EXACT, .example = "bit_count(0)", .expected = "0"},
    {"bit_get", "getbit", FUNC_SCALAR, "(integral, int) -> byte", "ls_bit_get($1, $2)",
     .example = "bit_get(11, 0)", .expected = "1"},
    {"width_bucket", NULL, FUNC_SCALAR,
     "(double, double, double, long) -> long?; (interval_ym, interval_ym, interval_ym, long) -> "
     "long?; (interval_dt, interval_dt, interval_dt, long) -> long?",
     "ls_width_bucket(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE), CAST($3 AS DOUBLE), $4)",
     .example = "width_bucket(5.3, 0.2, 10.6, 5)", .expected = "3"},
    {"rand", "random", FUNC_SCALAR, .bind = bind_random, .render = render_random,
     .flags = FUNC_NONDETERMINISTIC, .pretty = "rand($*)", .example = "rand(0)",
     .expected = "0.7604953758285915"},
    {"randn", NULL, FUNC_SCALAR, .bind = bind_random, .render = render_random,
     .flags = FUNC_NONDETERMINISTIC, .example = "randn(0)", .expected = "1.6034991609278433"},
};
END_OF_ROWS(math);
