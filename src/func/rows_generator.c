/* Generators. explode, posexplode and inline are unnested by the engine; the others give a list of
 * structs. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

static bool bind_explode(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1)
        return func_wrong_arg_count(call, "1", ctx, err);
    const Type *t = call->args.at[0]->type;
    if (t->kind != TYPE_ARRAY && t->kind != TYPE_MAP)
        return func_unexpected_type(call, 0, "(\"ARRAY\" or \"MAP\")", ctx, err);
    call->result = t;
    call->nullable = true;
    return true;
}

static bool bind_inline(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1)
        return func_wrong_arg_count(call, "1", ctx, err);
    const Type *t = call->args.at[0]->type;
    if (t->kind != TYPE_ARRAY || t->array.element->kind != TYPE_STRUCT)
        return func_unexpected_type(call, 0, "\"ARRAY<STRUCT>\"", ctx, err);
    call->result = t;
    call->nullable = true;
    return true;
}

/* stack(n, v1, v2, ...): n rows filled from left to right. */
static bool bind_stack(FuncCall *call, const FuncContext *ctx, Error *err) {
    int64_t rows;
    if (call->args.len < 2)
        return func_wrong_arg_count(call, "> 1", ctx, err);
    if (func_is_foldable(call->args.at[0]) && call->args.at[0]->type->kind != TYPE_INT)
        return func_unexpected_type(call, 0, "\"INT\"", ctx, err);
    if (!func_constant_int(call->args.at[0], &rows))
        return func_non_foldable(call, 0, "n", ctx, err);
    if (rows < 1)
        return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE,
                         P("sqlExpr", func_call_text(call, ctx)), PZ("exprName", "`n`"),
                         PZ("valueRange", "(0, 2147483647]"),
                         P("currentValue", str_printf(ctx->arena, "%lld", (long long)rows)));
    size_t values = call->args.len - 1, columns = (values + (size_t)rows - 1) / (size_t)rows;
    Field *fields = ARENA_ARRAY(ctx->arena, Field, columns);
    for (size_t c = 0; c < columns; c++) {
        const Type *t = type_simple(TYPE_NULL);
        for (size_t i = c; i < values; i += columns) {
            const Type *next = call->args.at[i + 1]->type;
            if (t->kind != TYPE_NULL && next->kind != TYPE_NULL && !type_same_shape(t, next)) {
                const Type *common = coerce_common(t, next, ctx->ansi, ctx->arena);
                if (!common)
                    return error_set(err, ERR_DATATYPE_MISMATCH__STACK_COLUMN_DIFF_TYPES,
                                     P("sqlExpr", func_call_text(call, ctx)),
                                     P("columnIndex", str_printf(ctx->arena, "%zu", c)),
                                     P("leftParamIndex", str_printf(ctx->arena, "%zu", c + 1)),
                                     P("leftType", func_quoted_type(t, ctx)),
                                     P("rightParamIndex", str_printf(ctx->arena, "%zu", i + 1)),
                                     P("rightType", func_quoted_type(next, ctx)));
                next = common;
            }
            t = next->kind == TYPE_NULL ? t : next;
        }
        for (size_t i = c; i < values; i += columns)
            call->args.at[i + 1] = func_coerce(call->args.at[i + 1], t, ctx);
        fields[c] = (Field){str_printf(ctx->arena, "col%zu", c), t, true, {0}};
    }
    call->result = type_array(type_struct(fields, columns, ctx->arena), false, ctx->arena);
    call->nullable = true;
    return true;
}

static bool render_stack(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    const Type *s = call->type->array.element;
    size_t columns = s->structure.count;
    int64_t rows;
    if (!func_constant_int(call->call.args.at[0], &rows))
        return error_internal(err, "stack without a constant");
    buf_addc(out, '[');
    for (int64_t r = 0; r < rows && r < 100000; r++) {
        buf_addz(out, r ? ", {" : "{");
        for (size_t c = 0; c < columns; c++) {
            size_t at = 1 + (size_t)r * columns + c;
            buf_addz(out, c ? ", " : "");
            func_put_string(out, type_duckdb_field(s, c, ctx->arena));
            if (at < count)
                buf_addf(out, ": " STR_FMT, STR_ARG(args[at]));
            else
                buf_addf(out, ": CAST(NULL AS " STR_FMT ")",
                         STR_ARG(type_duckdb(s->structure.fields[c].type, ctx->arena)));
        }
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
    return true;
}

static bool bind_json_tuple(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 2)
        return func_wrong_arg_count(call, "> 1", ctx, err);
    for (size_t i = 0; i < call->args.len; i++)
        if (call->args.at[i]->type->kind != TYPE_STRING)
            return error_set(err, ERR_DATATYPE_MISMATCH__NON_STRING_TYPE,
                             P("sqlExpr", func_call_text(call, ctx)),
                             PZ("funcName", "`json_tuple`"));
    TRY(func_apply_signature(call, "(string, string...) -> string", ctx, err));
    Field *fields = ARENA_ARRAY(ctx->arena, Field, call->args.len);
    for (size_t i = 1; i < call->args.len; i++)
        fields[i - 1] =
            (Field){str_printf(ctx->arena, "c%zu", i - 1), type_simple(TYPE_STRING), true, {0}};
    call->result =
        type_array(type_struct(fields, call->args.len - 1, ctx->arena), false, ctx->arena);
    call->nullable = true;
    return true;
}

static bool render_json_tuple(const BoundExpr *call, const Str *args, size_t count,
                              const FuncContext *ctx, Buf *out, Error *err) {
    (void)call;
    (void)ctx;
    (void)err;
    buf_addz(out, "[{");
    for (size_t i = 1; i < count; i++)
        buf_addf(out, "%s'c%zu': ls_json_field(" STR_FMT ", " STR_FMT ")", i > 1 ? ", " : "", i - 1,
                 STR_ARG(args[0]), STR_ARG(args[i]));
    buf_addz(out, "}]");
    return true;
}

const FuncRow generator_rows[] = {
    {"explode", NULL, FUNC_GENERATOR, .bind = bind_explode, .sql = "$1",
     .example = "SELECT explode(array(10, 20))", .expected = "10; 20"},
    {"explode_outer", NULL, FUNC_GENERATOR, .bind = bind_explode, .sql = "$1",
     .example = "SELECT explode_outer(CAST(array() AS ARRAY<INT>))", .expected = "NULL"},
    {"posexplode", NULL, FUNC_GENERATOR, .bind = bind_explode, .sql = "$1",
     .example = "SELECT posexplode(array('a', 'b'))", .expected = "{0, a}; {1, b}"},
    {"posexplode_outer", NULL, FUNC_GENERATOR, .bind = bind_explode, .sql = "$1",
     .example = "SELECT posexplode_outer(array('a'))", .expected = "{0, a}"},
    {"inline", NULL, FUNC_GENERATOR, .bind = bind_inline, .sql = "$1",
     .example = "SELECT inline(array(struct(1, 'a'), struct(2, 'b')))",
     .expected = "{1, a}; {2, b}"},
    {"inline_outer", NULL, FUNC_GENERATOR, .bind = bind_inline, .sql = "$1",
     .example = "SELECT inline_outer(array(struct(1, 'a')))", .expected = "{1, a}"},
    {"stack", NULL, FUNC_GENERATOR, .bind = bind_stack, .render = render_stack,
     .example = "SELECT stack(2, 1, 2, 3)", .expected = "{1, 2}; {3, null}"},
    {"json_tuple", NULL, FUNC_GENERATOR, .bind = bind_json_tuple, .render = render_json_tuple,
     .example = "SELECT json_tuple('{\"a\":1, \"b\":2}', 'a', 'b')", .expected = "{1, 2}"},
};
END_OF_ROWS(generator);
