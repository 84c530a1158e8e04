/* What a query may ask of its session, casts by function name, and errors on purpose. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* ---- the session ---- */

static bool render_session(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    (void)args;
    (void)count;
    (void)err;
    const char *name = call->call.row->name;
    Str text = !strcmp(name, "current_catalog")    ? ctx->current_catalog
               : !strcmp(name, "current_schema")   ? ctx->current_schema
               : !strcmp(name, "current_timezone") ? ctx->zone
               : !strcmp(name, "current_path")
                   ? str_printf(ctx->arena, "system.builtin,system.session," STR_FMT "." STR_FMT,
                                STR_ARG(ctx->current_catalog), STR_ARG(ctx->current_schema))
                   : ctx->current_user;
    func_put_string(out, text);
    return true;
}

static bool render_typeof(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)args;
    (void)count;
    (void)err;
    func_put_string(out, type_simple_string(call->call.args.at[0]->type, ctx->arena));
    return true;
}

/* ---- casts by name: int('1') ---- */

static bool bind_cast_call(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1)
        return func_wrong_arg_count(call, "1", ctx, err);
    const Type *to;
    TRY(type_from_name(str_from(call->row->name), NULL, 0, ctx->arena, &to, err));
    CastMode mode = ctx->ansi ? CAST_ANSI : CAST_LEGACY;
    const Type *from = call->args.at[0]->type;
    if (!cast_is_allowed(from, to, mode))
        return error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION,
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("srcType", func_quoted_type(from, ctx)),
                         P("targetType", func_quoted_type(to, ctx)));
    call->result = to;
    call->nullable = call->args.at[0]->nullable || cast_can_make_null(from, to, mode);
    return true;
}

static bool render_cast_call(const BoundExpr *call, const Str *args, size_t count,
                             const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    return func_render_cast(args[0], call->call.args.at[0]->type, call->type,
                            ctx->ansi ? CAST_ANSI : CAST_LEGACY, ctx, out, err);
}

/* ---- how show() prints a value ---- */

static bool put_pretty(Str child, const Type *t, unsigned depth, const FuncContext *ctx, Buf *out,
                       Error *err);

static bool put_pretty_struct(Str child, const Type *t, Str v, unsigned depth,
                              const FuncContext *ctx, Buf *out, Error *err) {
    buf_addf(out,
             "list_transform([" STR_FMT "], lambda " STR_FMT ": CASE WHEN " STR_FMT
             " IS NOT NULL THEN '{'",
             STR_ARG(child), STR_ARG(v), STR_ARG(v));
    for (size_t i = 0; i < t->structure.count; i++) {
        buf_addz(out, i ? " || ', ' || coalesce(" : " || coalesce(");
        Str field =
            str_printf(ctx->arena, "struct_extract_at(" STR_FMT ", %zu)", STR_ARG(v), i + 1);
        TRY(put_pretty(field, t->structure.fields[i].type, depth + 1, ctx, out, err));
        buf_addz(out, ", 'NULL')");
    }
    buf_addz(out, " || '}' END)[1]");
    return true;
}

static bool put_pretty(Str child, const Type *t, unsigned depth, const FuncContext *ctx, Buf *out,
                       Error *err) {
    Str v = str_printf(ctx->arena, "s%u", depth);
    if (depth > TYPE_MAX_DEPTH)
        return error_unsupported(err, "showing a value nested so deeply");
    switch (t->kind) {
    case TYPE_NULL:
        buf_addz(out, "CAST(NULL AS VARCHAR)");
        return true;
    case TYPE_BINARY:
        buf_addf(out, "ls_show_binary(" STR_FMT ")", STR_ARG(child));
        return true;
    case TYPE_ARRAY:
        buf_addf(out,
                 "('[' || array_to_string(list_transform(" STR_FMT ", lambda " STR_FMT
                 ": coalesce(",
                 STR_ARG(child), STR_ARG(v));
        TRY(put_pretty(v, t->array.element, depth + 1, ctx, out, err));
        buf_addz(out, ", 'NULL')), ', ') || ']')");
        return true;
    case TYPE_MAP:
        buf_addf(out,
                 "('{' || array_to_string(list_transform(map_entries(" STR_FMT "), lambda " STR_FMT
                 ": ",
                 STR_ARG(child), STR_ARG(v));
        TRY(put_pretty(str_printf(ctx->arena, STR_FMT ".key", STR_ARG(v)), t->map.key, depth + 1,
                       ctx, out, err));
        buf_addz(out, " || ' -> ' || coalesce(");
        TRY(put_pretty(str_printf(ctx->arena, STR_FMT ".value", STR_ARG(v)), t->map.value,
                       depth + 1, ctx, out, err));
        buf_addz(out, ", 'NULL')), ', ') || '}')");
        return true;
    case TYPE_VARIANT: /* its JSON, texts in quotes */
        buf_addf(out, "ls_to_json(" STR_FMT ", '\"variant\"', '{\"zone\": \"" STR_FMT "\"}')", STR_ARG(child),
                 STR_ARG(ctx->zone));
        return true;
    case TYPE_STRUCT:
        return put_pretty_struct(child, t, v, depth, ctx, out, err);
    default:
        return func_render_cast(child, t, type_simple(TYPE_STRING), CAST_ANSI, ctx, out, err);
    }
}

static bool render_pretty(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    return put_pretty(args[0], call->call.args.at[0]->type, 0, ctx, out, err);
}

/* assert_true(c): "'(c)' is not true!" unless a message is given. */
static bool bind_assert(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 1) {
        Str text = str_printf(ctx->arena, "'" STR_FMT "' is not true!",
                              STR_ARG(func_pretty_name(call->args.at[0], ctx->zone, ctx->arena)));
        vec_push(ctx->arena, &call->args, bound_literal(value_string(text), ctx->arena));
    }
    return func_apply_signature(call, "(boolean, string) -> void?", ctx, err);
}

#define SESSION(name, alias, ...)                                                                  \
    {                                                                                              \
        name, alias, FUNC_SCALAR, "() -> string!", .render = render_session,                       \
                                                   .flags = FUNC_CONTEXT, __VA_ARGS__              \
    }
/* A cast by its type's name is left out of generated names. */
#define CAST_CALL(name, ...)                                                                       \
    {                                                                                              \
        name, NULL, FUNC_SCALAR, .bind = bind_cast_call, .render = render_cast_call,               \
                                 .pretty = "$1", __VA_ARGS__                                       \
    }

const FuncRow session_rows[] = {
    SESSION("current_user", "user session_user", .example = "current_user() IS NOT NULL",
            .expected = "true"),
    SESSION("current_catalog", NULL, .example = "current_catalog() IS NOT NULL",
            .expected = "true"),
    {"current_schema", "current_database", FUNC_SCALAR, "() -> string!", .render = render_session,
     .flags = FUNC_CONTEXT, .pretty = "current_schema()", .example = "current_schema() IS NOT NULL",
     .expected = "true"},
    SESSION("current_timezone", NULL, .example = "current_timezone()",
            .expected = "America/Los_Angeles"),
    SESSION("current_path", NULL, .example = "current_path() IS NOT NULL", .expected = "true"),
    {"typeof", NULL, FUNC_SCALAR, "(any) -> string!", .render = render_typeof,
     .example = "typeof(1)", .expected = "int"},
    {"version", NULL, FUNC_SCALAR, "() -> string!",
     "'4.2.0 32f7299601108917fb01920a54e084595b7b3bf8'", .example = "length(version())",
     .expected = "46"},
    {"monotonically_increasing_id", NULL, FUNC_SCALAR, "() -> long!", "ls_next_id()",
     .flags = FUNC_NONDETERMINISTIC, .example = "monotonically_increasing_id()", .expected = "0"},
    {"partition_next_id", NULL, FUNC_SCALAR, "(long, int, long) -> long!", "ls_partition_next_id($2, $3)",
     .flags = FUNC_NONDETERMINISTIC | FUNC_HIDDEN,
     .example = "SELECT monotonically_increasing_id() FROM range(0, 4, 1, 2)",
     .expected = "0; 1; 8589934592; 8589934593"},
    {"partition_rand", NULL, FUNC_SCALAR, "(long, int, long) -> double!", "ls_partition_rand($1, $2, $3)",
     .flags = FUNC_NONDETERMINISTIC | FUNC_HIDDEN, .example = "SELECT rand(5) FROM range(0, 3, 1, 3)",
     .expected = "0.02390696427502892; 0.07039836716341774; 0.28188121484885875"},
    {"partition_randn", NULL, FUNC_SCALAR, "(long, int, long) -> double!", "ls_partition_randn($1, $2, $3)",
     .flags = FUNC_NONDETERMINISTIC | FUNC_HIDDEN},
    {"spark_partition_id", NULL, FUNC_SCALAR, "() -> int!", "CAST(0 AS INTEGER)",
     .pretty = "SPARK_PARTITION_ID()", .flags = FUNC_NONDETERMINISTIC,
     .example = "spark_partition_id()", .expected = "0"},
    {"input_file_name", NULL, FUNC_SCALAR, "() -> string!", "''", .example = "input_file_name()",
     .expected = ""},
    {"input_file_block_start", NULL, FUNC_SCALAR, "() -> long!", "CAST(-1 AS BIGINT)",
     .example = "input_file_block_start()", .expected = "-1"},
    {"input_file_block_length", NULL, FUNC_SCALAR, "() -> long!", "CAST(-1 AS BIGINT)",
     .example = "input_file_block_length()", .expected = "-1"},
    {"assert_true", NULL, FUNC_SCALAR, .bind = bind_assert, .sql = "ls_assert($1, $2)",
     .flags = FUNC_NONDETERMINISTIC, .example = "assert_true(0 < 1)", .expected = "NULL"},
    {"raise_error", NULL, FUNC_SCALAR, "(string) -> void?", "ls_raise($1)",
     .flags = FUNC_NONDETERMINISTIC,
     .pretty = "raise_error(USER_RAISED_EXCEPTION, map(errorMessage, $1))",
     .example = "raise_error('x')", .expected = "!USER_RAISED_EXCEPTION"},
    {"raise_class", NULL, FUNC_SCALAR, "(string) -> string", "CAST(error($1) AS VARCHAR)",
     .flags = FUNC_HIDDEN | FUNC_NONDETERMINISTIC},
    {"recursion_level", NULL, FUNC_SCALAR, "(int, long) -> int", "ls_recursion_level($1, $2)", .flags = FUNC_HIDDEN | FUNC_NONDETERMINISTIC},
    {"sql_function", NULL, FUNC_SCALAR, "(any, any*...) -> any", "$1", .flags = FUNC_HIDDEN},
    {"to_pretty_string", NULL, FUNC_SCALAR, "(any) -> string", .render = render_pretty,
     .flags = FUNC_HIDDEN},
    CAST_CALL("boolean", .example = "boolean('true')", .expected = "true"),
    CAST_CALL("tinyint", .example = "tinyint('1')", .expected = "1"),
    CAST_CALL("smallint", .example = "smallint('1')", .expected = "1"),
    CAST_CALL("int", .example = "int('12')", .expected = "12"),
    CAST_CALL("bigint", .example = "bigint('12')", .expected = "12"),
    CAST_CALL("float", .example = "float('1.5')", .expected = "1.5"),
    CAST_CALL("double", .example = "double('1.5')", .expected = "1.5"),
    CAST_CALL("decimal", .example = "decimal('12')", .expected = "12"),
    CAST_CALL("string", .example = "string(12)", .expected = "12"),
    CAST_CALL("binary", .example = "binary('ab')", .expected = "ab"),
    CAST_CALL("date", .example = "date('2024-02-29')", .expected = "2024-02-29"),
    CAST_CALL("timestamp", .example = "timestamp('2024-02-29 10:00:00')",
              .expected = "2024-02-29 10:00:00"),
};
END_OF_ROWS(session);
