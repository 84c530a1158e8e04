/* Encryption, random texts, bitmaps, histograms, time windows: functions with a shape of
 * their own. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"
#include "type/collation.h"
#include "type/datetime.h"

/* ---- collations ---- */

static bool bind_collate(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Value *name = call->args.len == 2 ? func_constant(call->args.at[1]) : NULL;
    if (call->args.len == 2 && (!name || name->is_null || !type_is_stringy(name->type)))
        return error_set(err, ERR_UNEXPECTED_INPUT_TYPE, PZ("functionName", "`collate`"), PZ("paramIndex", "first"),
                         PZ("requiredType", "\"STRING\""), P("inputSql", func_quoted_sql(call->args.at[1], ctx)),
                         P("inputType", func_quoted_type(call->args.at[1]->type, ctx)));
    TRY(func_apply_signature(call, "(string, string) -> $1", ctx, err));
    Str canonical;
    TRY(type_collation(name->bytes, ctx->arena, &canonical, err));
    call->result = canonical.len ? type_string(canonical, ctx->arena) : type_string_binary();
    return true;
}

static bool render_collation(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out,
                             Error *err) {
    (void)args;
    (void)count;
    (void)ctx;
    (void)err;
    Str name = type_first_collation(call->call.args.at[0]->type);
    if (str_is(name, COLLATION_INDETERMINATE))
        buf_addz(out, "'" COLLATION_INDETERMINATE "'");
    else
        buf_addf(out, "'SYSTEM.BUILTIN." STR_FMT "'", STR_ARG(name.len ? name : S("UTF8_BINARY")));
    return true;
}

/* ---- random ---- */

static bool is_null_constant(const BoundExpr *e) {
    const Value *v = func_constant(e);
    return v && v->is_null;
}

static bool seed_of(const FuncCall *call, size_t index, const FuncContext *ctx, Error *err) {
    int64_t seed;
    if (call->args.len <= index || func_constant_int(call->args.at[index], &seed) || is_null_constant(call->args.at[index]))
        return true;
    return func_non_foldable(call, index, "seed", ctx, err);
}

/* Of an integer and something else, the something else. */
static const Type *uniform_type(const Type *a, const Type *b, const FuncContext *ctx) {
    static const TypeKind FIRST[] = {TYPE_NULL, TYPE_DOUBLE, TYPE_FLOAT};
    for (size_t i = 0; i < LENGTH_OF(FIRST); i++)
        if (a->kind == FIRST[i] || b->kind == FIRST[i])
            return type_simple(i ? FIRST[i] : TYPE_DOUBLE);
    bool decimals = a->kind == TYPE_DECIMAL && b->kind == TYPE_DECIMAL;
    if (!decimals && (a->kind == TYPE_DECIMAL || b->kind == TYPE_DECIMAL))
        return a->kind == TYPE_DECIMAL ? a : b;
    return coerce_common(a, b, ctx->ansi, ctx->arena);
}

static bool bind_uniform(FuncCall *call, const FuncContext *ctx, Error *err) {
    size_t n = call->args.len;
    if (n != 2 && n != 3)
        return func_wrong_arg_count(call, "[2, 3]", ctx, err);
    TRY(func_apply_signature(
        call, n == 3 ? "(numeric, numeric, integral) -> double" : "(numeric, numeric) -> double",
        ctx, err));
    for (size_t i = 0; i < 2; i++)
        if (!func_is_foldable(call->args.at[i]))
            return func_non_foldable(call, i, i ? "max" : "min", ctx, err);
    TRY(seed_of(call, 2, ctx, err));
    call->result = uniform_type(call->args.at[0]->type, call->args.at[1]->type, ctx);
    call->nullable = false;
    return true;
}

static bool render_uniform(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    Str seed = count <= 2                              ? str_printf(ctx->arena, "%lld", (long long)ctx->now_us)
               : is_null_constant(call->call.args.at[2]) ? S("0")
                                                         : args[2];
    Str text = str_printf(ctx->arena,
                          "(CAST(" STR_FMT " AS DOUBLE) + (CAST(" STR_FMT
                          " AS DOUBLE) - CAST(" STR_FMT " AS DOUBLE)) * ls_rand(" STR_FMT "))",
                          STR_ARG(args[0]), STR_ARG(args[1]), STR_ARG(args[0]), STR_ARG(seed));
    return func_render_cast(text, type_simple(TYPE_DOUBLE), call->type, CAST_ANSI, ctx, out, err);
}

static bool bind_randstr(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(int, [long]) -> string!", ctx, err));
    int64_t length;
    if (!func_constant_int(call->args.at[0], &length) && !is_null_constant(call->args.at[0]))
        return func_non_foldable(call, 0, "length", ctx, err);
    return seed_of(call, 1, ctx, err);
}

/* ---- time windows ---- */

enum { MAX_WINDOWS = 10000 };

typedef struct Window {
    int64_t duration, slide, offset; /* microseconds */
} Window;

static bool window_length(FuncCall *call, size_t index, const FuncContext *ctx, int64_t *us,
                          Error *err) {
    const Value *v = func_constant(call->args.at[index]);
    int32_t months, days;
    if (!v || v->is_null || !type_is_stringy(v->type))
        return func_non_foldable(call, index, index == 1 ? "windowDuration" : "slideDuration", ctx,
                                 err);
    if (!interval_calendar_parse(v->bytes, &months, &days, us) || months)
        return error_set(
            err, ERR_CANNOT_PARSE_INTERVAL,
            P("intervalString", str_printf(ctx->arena, "'" STR_FMT "'", STR_ARG(v->bytes))));
    *us += days * US_PER_DAY;
    return true;
}

/* window(time, duration[, slide[, start]]): tumbling ones; a slide shorter than the duration makes
 * several rows of one. */
static bool bind_window(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call,
                             "(timestamp, string, [string], [string]) -> $1; (timestamp_ntz, "
                             "string, [string], [string]) -> $1",
                             ctx, err));
    Window *w = ARENA_NEW(ctx->arena, Window);
    int64_t slide;
    TRY(window_length(call, 1, ctx, &w->duration, err));
    slide = w->duration;
    if (call->args.len > 2)
        TRY(window_length(call, 2, ctx, &slide, err));
    if (call->args.len > 3)
        TRY(window_length(call, 3, ctx, &w->offset, err));
    if (w->duration <= 0)
        return error_set(
            err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE, P("sqlExpr", func_call_text(call, ctx)),
            PZ("exprName", "`window_duration`"), PZ("valueRange", "(0, 9223372036854775807]"),
            P("currentValue", str_printf(ctx->arena, "%lldL", (long long)w->duration)));
    if (slide <= 0 || slide > w->duration)
        return error_set(
            err, ERR_DATATYPE_MISMATCH__PARAMETER_CONSTRAINT_VIOLATION,
            P("sqlExpr", func_call_text(call, ctx)), PZ("leftExprName", "`slide_duration`"),
            P("leftExprValue", str_printf(ctx->arena, "%lldL", (long long)slide)),
            PZ("constraint", "<="), PZ("rightExprName", "`window_duration`"),
            P("rightExprValue", str_printf(ctx->arena, "%lldL", (long long)w->duration)));
    if (w->duration / slide > MAX_WINDOWS)
        return error_unsupported(err, "a row in more than %d windows", MAX_WINDOWS);
    w->slide = slide;
    call->bind_data = w;
    const Type *t = call->args.at[0]->type;
    Field fields[2] = {{S("start"), t, true, {0}}, {S("end"), t, true, {0}}};
    call->result = type_struct(fields, 2, ctx->arena);
    call->nullable = call->args.at[0]->nullable;
    return true;
}

/* All windows of a time, the latest first; none for NULL. */
static bool bind_windows(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(bind_window(call, ctx, err));
    call->result = type_array(call->result, false, ctx->arena);
    call->nullable = true;
    return true;
}

static bool render_windows(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)ctx;
    (void)err;
    const Window *w = call->call.bind_data;
    const char *make =
        call->call.args.at[0]->type->kind == TYPE_TIMESTAMP ? "make_timestamptz" : "make_timestamp";
    buf_addf(out,
             "list_transform([epoch_us(" STR_FMT ")], lambda t: list_transform(list_filter("
             "list_transform(range(%lld), lambda i: ls_window_start(t, %lld, %lld) - i * %lld), "
             "lambda s: s + %lld > t), lambda s: {'start': %s(s), 'end': %s(s + %lld)}))[1]",
             STR_ARG(args[0]), (long long)((w->duration + w->slide - 1) / w->slide),
             (long long)w->slide, (long long)w->offset, (long long)w->slide, (long long)w->duration, make,
             make, (long long)w->duration);
    return true;
}

static bool render_window(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)ctx;
    (void)err;
    const Window *w = call->call.bind_data;
    if (w->slide != w->duration)
        return error_unsupported(err, "a sliding window here");
    const char *make =
        call->call.args.at[0]->type->kind == TYPE_TIMESTAMP ? "make_timestamptz" : "make_timestamp";
    buf_addf(out,
             "list_transform([ls_window_start(epoch_us(" STR_FMT
             "), %lld, %lld)], lambda s: CASE WHEN s IS NOT NULL THEN {'start': %s(s), 'end': %s(s "
             "+ %lld)} END)[1]",
             STR_ARG(args[0]), (long long)w->duration, (long long)w->offset, make, make,
             (long long)w->duration);
    return true;
}

/* session_window(time, gap): which rows make one session only an aggregation knows (analyze/time_window.c). */
static bool bind_session_window(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(timestamp, any) -> $1; (timestamp_ntz, any) -> $1", ctx, err));
    const Type *gap = call->args.at[1]->type, *calendar = type_simple(TYPE_INTERVAL_CALENDAR);
    if (type_is_stringy(gap))
        call->args.at[1] = bound_cast(call->args.at[1], calendar, CAST_TRY, true, ctx->arena);
    else if (gap->kind != TYPE_INTERVAL_CALENDAR)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1040, P("dt", type_simple_string(gap, ctx->arena)));
    const Type *t = call->args.at[0]->type;
    Field fields[2] = {{S("start"), t, true, {0}}, {S("end"), t, true, {0}}};
    call->result = type_struct(fields, 2, ctx->arena);
    call->nullable = false;
    return true;
}

static bool render_session_window(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                                  Buf *out, Error *err) {
    (void)call;
    (void)args;
    (void)count;
    (void)ctx;
    (void)out;
    return error_unsupported(err, "session_window outside of GROUP BY");
}

/* window_time(w): the last instant inside. */
static bool bind_window_time(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(struct) -> $1", ctx, err));
    const Type *t = call->args.at[0]->type;
    if (t->kind != TYPE_STRUCT || t->structure.count != 2 ||
        t->structure.fields[1].type->kind != TYPE_TIMESTAMP)
        return func_unexpected_type(call, 0, "\"STRUCT<start: TIMESTAMP, end: TIMESTAMP>\"", ctx,
                                    err);
    call->result = t->structure.fields[1].type;
    call->nullable = true;
    return true;
}

/* ---- histogram_numeric ---- */

enum { HISTOGRAM_MAX_BINS = 100000 }; /* Spark would take 2147483647 and then run out of memory */

static bool bind_histogram(FuncCall *call, const FuncContext *ctx, Error *err) {
    int64_t bins;
    TRY(func_apply_signature(call, "(numeric, int) -> $1?", ctx, err));
    if (func_constant_int(call->args.at[1], &bins) && (bins < 2 || bins > HISTOGRAM_MAX_BINS))
        return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE, PZ("exprName", "nb"),
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("valueRange", str_printf(ctx->arena, "[2, %d]", HISTOGRAM_MAX_BINS)),
                         P("currentValue", str_printf(ctx->arena, "%lld", (long long)bins)));
    const Type *t = call->args.at[0]->type;
    Field fields[2] = {{S("x"), t, true, {0}}, {S("y"), type_simple(TYPE_DOUBLE), true, {0}}};
    call->result = type_array(type_struct(fields, 2, ctx->arena), true, ctx->arena);
    return true;
}

static bool render_histogram(const BoundExpr *call, const Str *args, size_t count,
                             const FuncContext *ctx, Buf *out, Error *err) {
    Str x = str_printf(ctx->arena, "e.key");
    Buf cast = buf_in(ctx->arena);
    TRY(func_render_cast(x, type_simple(TYPE_DOUBLE), call->call.args.at[0]->type, CAST_LEGACY, ctx,
                         &cast, err));
    Str text = str_printf(ctx->arena,
                          "list_transform(map_entries(ls_histogram(list(CAST($1 AS DOUBLE))$over, "
                          "$2)), lambda e: {'x': " STR_FMT ", 'y': e.value})",
                          STR_ARG(buf_str(&cast)));
    return func_render_template(call, args, count, ctx, str_z(text, ctx->arena), out);
}

#define AES_NAMES "$1, $2, $?3{$3}{GCM}, $?4{$4}{DEFAULT}"

const FuncRow special_rows[] = {
    {"collation", NULL, FUNC_SCALAR, "(string) -> string!", .render = render_collation, .flags = FUNC_EXACT,
     .example = "collation('Spark SQL')", .expected = "SYSTEM.BUILTIN.UTF8_BINARY"},
    {"collate", NULL, FUNC_SCALAR, .bind = bind_collate, .sql = "$1", .flags = FUNC_EXACT,
     .example = "collate('a', 'UTF8_BINARY')", .expected = "a"},
    {"uniform", NULL, FUNC_SCALAR, .bind = bind_uniform, .render = render_uniform,
     .flags = FUNC_NONDETERMINISTIC, .example = "uniform(10, 20, 0) >= 10", .expected = "true"},
    {"randstr", NULL, FUNC_SCALAR, .bind = bind_randstr, .sql = "ls_randstr(coalesce($1, 0), $?2{coalesce($2, 0)}{$now})",
     .flags = FUNC_NONDETERMINISTIC, .example = "randstr(3, 0)", .expected = "ceV"},
    {"aes_encrypt", NULL, FUNC_SCALAR,
     "(binary, binary, [string], [string], [binary], [binary]) -> binary?",
     "ls_aes_encrypt($1, $2, $?3{$3}{'GCM'}, $?4{$4}{'DEFAULT'}, $?5{$5}{''::BLOB}, "
     "$?6{$6}{''::BLOB})",
     .pretty = "aes_encrypt(" AES_NAMES ", $?5{$5}{}, $?6{$6}{})",
     .example = "base64(aes_encrypt('Spark SQL', '1234567890abcdef', 'ECB', 'PKCS'))",
     .expected = "3lmwu+Mw0H3fi5NDvcu9lg=="},
    {"aes_decrypt", NULL, FUNC_SCALAR, "(binary, binary, [string], [string], [binary]) -> binary?",
     "ls_aes_decrypt($1, $2, $?3{$3}{'GCM'}, $?4{$4}{'DEFAULT'}, $?5{$5}{''::BLOB}, false)",
     .pretty = "aes_decrypt(" AES_NAMES ", $?5{$5}{})",
     .example = "CAST(aes_decrypt(unbase64('3lmwu+Mw0H3fi5NDvcu9lg=='), '1234567890abcdef', 'ECB', "
                "'PKCS') AS STRING)",
     .expected = "Spark SQL"},
    {"try_aes_decrypt", NULL, FUNC_SCALAR,
     "(binary, binary, [string], [string], [binary]) -> binary?",
     "ls_aes_decrypt($1, $2, $?3{$3}{'GCM'}, $?4{$4}{'DEFAULT'}, $?5{$5}{''::BLOB}, true)",
     .pretty = "try_aes_decrypt(" AES_NAMES ", $?5{$5}{})",
     .example = "try_aes_decrypt(unhex('00'), '0000111122223333')", .expected = "NULL"},
    {"bitmap_construct_agg", NULL, FUNC_AGGREGATE, "(long) -> binary!",
     "ls_bitmap_build(list($1)$over)",
     .example = "SELECT substring(hex(bitmap_construct_agg(bitmap_bit_position(c))), 1, 6) FROM "
                "VALUES (1), (2), (3) AS t(c)",
     .expected = "070000"},
    {"bitmap_or_agg", NULL, FUNC_AGGREGATE, .flags = FUNC_EXACT, .signature = "(binary) -> binary!",
     .sql =
     "ls_bitmap_merge(list($1)$over, false)",
     .example =
         "SELECT substring(hex(bitmap_or_agg(c)), 1, 6) FROM VALUES (X'10'), (X'20') AS t(c)",
     .expected = "300000"},
    {"bitmap_and_agg", NULL, FUNC_AGGREGATE, .flags = FUNC_EXACT, .signature = "(binary) -> binary!",
     .sql =
     "ls_bitmap_merge(list($1)$over, true)",
     .example =
         "SELECT substring(hex(bitmap_and_agg(c)), 1, 6) FROM VALUES (X'F0'), (X'70') AS t(c)",
     .expected = "700000"},
    {"histogram_numeric", NULL, FUNC_AGGREGATE, .bind = bind_histogram, .render = render_histogram,
     .example = "SELECT histogram_numeric(id, 5) FROM range(0, 100, 1, 1)",
     .expected = "[{11, 25.0}, {36, 24.0}, {59, 23.0}, {84, 25.0}, {98, 3.0}]"},
    {"window", NULL, FUNC_SCALAR, .bind = bind_window, .render = render_window, .pretty = "window",
     .example = "window(TIMESTAMP'2024-01-01 00:00:07', '5 seconds')",
     .expected = "{2024-01-01 00:00:05, 2024-01-01 00:00:10}"},
    {"unwrap_udt", NULL, FUNC_SCALAR, "(any) -> $1", "$1", .example = "unwrap_udt(struct(1, 'a'))", .expected = "{1, a}"},
    {"session_window", NULL, FUNC_SCALAR, .bind = bind_session_window, .render = render_session_window,
     .pretty = "session_window",
     .example = "SELECT session_window FROM VALUES (TIMESTAMP'2024-01-01 00:00:00'), (TIMESTAMP'2024-01-01 00:05:00') "
                "AS t(c) GROUP BY session_window(c, '5 minutes')",
     .expected = "{2024-01-01 00:00:00, 2024-01-01 00:10:00}"},
    {"time_windows", NULL, FUNC_SCALAR, .bind = bind_windows, .render = render_windows,
     .flags = FUNC_HIDDEN},
    {"window_time", NULL, FUNC_SCALAR, .bind = bind_window_time,
     .sql = "make_timestamptz(epoch_us(struct_extract_at($1, 2)) - 1)",
     .example = "window_time(window(TIMESTAMP'2024-01-01 00:00:07', '5 seconds'))",
     .expected = "2024-01-01 00:00:09.999999"},
};
END_OF_ROWS(special);
