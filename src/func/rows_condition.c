/* Conditional functions: what stands in for NULL, zero or NaN, and choices. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* NULL only when every argument is. */
static bool nullable_when_all(FuncCall *call, const FuncContext *ctx, Error *err) {
    (void)ctx;
    (void)err;
    call->nullable = true;
    for (size_t i = 0; i < call->args.len; i++)
        call->nullable &= call->args.at[i]->nullable;
    return true;
}

/* The first argument decides, but its own NULL does not come through. */
static bool nullable_branches(FuncCall *call, const FuncContext *ctx, Error *err) {
    BoundExpr *first = call->args.at[0];
    if (ctx->ansi && !strcmp(call->row->name, "if") && first->kind == BEXPR_CAST && first->implicit) {
        call->args.at[0] = first->cast.child;
        return func_unexpected_type(call, 0, "\"BOOLEAN\"", ctx, err);
    }
    call->nullable = call->args.at[1]->nullable || call->args.at[2]->nullable;
    return true;
}

/* nullif compares in the common type and answers in the first argument's own. */
static bool bind_nullif(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    const Type *own = call->args.at[0]->type,
               *common = coerce_common(own, call->args.at[1]->type, ctx->ansi, ctx->arena);
    if (!common)
        return error_set(err, ERR_DATATYPE_MISMATCH__BINARY_OP_DIFF_TYPES,
                         P("sqlExpr", str_printf(ctx->arena, "\"(" STR_FMT " = " STR_FMT ")\"",
                                                 STR_ARG(S("commonexpressionref()")),
                                                 STR_ARG(func_pretty_name(call->args.at[1],
                                                                          ctx->zone, ctx->arena)))),
                         P("left", func_quoted_type(own, ctx)),
                         P("right", func_quoted_type(call->args.at[1]->type, ctx)));
    if (!type_is_orderable(common))
        return func_invalid_ordering(call, S("="), common, ctx, err);
    vec_push(ctx->arena, &call->args, call->args.at[0]); /* what is given back, uncast */
    call->args.at[0] = func_coerce(call->args.at[0], common, ctx);
    call->args.at[1] = func_coerce(call->args.at[1], common, ctx);
    call->result = own;
    call->nullable = true;
    return true;
}

static bool render_nullif(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool same = call->call.args.at[0] == call->call.args.at[2];
    return func_render_template(call, args, count, ctx,
                                same ? "nullif($1, $2)" : "CASE WHEN $1 = $2 THEN NULL ELSE $3 END",
                                out);
}

/* nullifzero(x) is nullif(x, 0), zeroifnull(x) is coalesce(x, 0). */
static bool bind_with_zero(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1)
        return func_wrong_arg_count(call, "1", ctx, err);
    vec_push(ctx->arena, &call->args, bound_literal(value_int(TYPE_INT, 0), ctx->arena));
    if (call->row->name[0] == 'n')
        return bind_nullif(call, ctx, err);
    TRY(func_apply_signature(call, "(T, T) -> T", ctx, err));
    return nullable_when_all(call, ctx, err);
}

static bool bind_extreme(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (!type_is_orderable(call->result))
        return func_invalid_ordering(call, str_from(call->row->name), call->result, ctx, err);
    return nullable_when_all(call, ctx, err);
}

/* The greatest or least value that is not NULL. */
static bool render_extreme(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out,
                           Error *err) {
    (void)err;
    if (!func_needs_order_key(call->type))
        return func_render_template(call, args, count, ctx, call->call.row->sql, out);
    buf_addf(out, "struct_extract(%s(list_filter([", call->call.row->name[0] == 'g' ? "list_max" : "list_min");
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%sstruct_pack(k := " STR_FMT ", v := " STR_FMT ")", i ? ", " : "",
                 STR_ARG(func_order_key(args[i], call->type, ctx->arena)), STR_ARG(args[i]));
    buf_addz(out, "], lambda ls_e: ls_e.v IS NOT NULL)), 'v')");
    return true;
}

/* Two floats stay floats; everything else is a double. */
static bool bind_nanvl(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool floats = call->args.len == 2 && call->args.at[0]->type->kind == TYPE_FLOAT && call->args.at[1]->type->kind == TYPE_FLOAT;
    return func_apply_signature(call, floats ? "(float, float) -> float" : "(double, double) -> double", ctx, err);
}

const FuncRow condition_rows[] = {
    {"if", NULL, FUNC_SCALAR, "(boolean, T, T) -> T", "CASE WHEN $1 THEN $2 ELSE $3 END",
     .bind = nullable_branches, .flags = FUNC_LAZY, .pretty = "(IF($1, $2, $3))", .example = "if(1 < 2, 'a', 'b')",
     .expected = "a"},
    {"coalesce", NULL, FUNC_SCALAR, "(T...) -> T", "coalesce($*)", .bind = nullable_when_all, .flags = FUNC_LAZY,
     .example = "coalesce(NULL, 1, NULL)", .expected = "1"},
    {"nvl", NULL, FUNC_SCALAR, "(T, T) -> T", "coalesce($1, $2)", .bind = nullable_when_all, .flags = FUNC_LAZY,
     .example = "nvl(NULL, array('2'))", .expected = "[2]"},
    {"ifnull", NULL, FUNC_SCALAR, "(T, T) -> T", "coalesce($1, $2)", .bind = nullable_when_all, .flags = FUNC_LAZY,
     .example = "ifnull(NULL, array('2'))", .expected = "[2]"},
    {"nvl2", NULL, FUNC_SCALAR, "(any, T, T) -> T", "CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END",
     .bind = nullable_branches, .flags = FUNC_LAZY, .example = "nvl2(NULL, 2, 1)", .expected = "1"},
    {"nullif", NULL, FUNC_SCALAR, .bind = bind_nullif, .render = render_nullif,
     .pretty = "nullif($1, $2)", .example = "nullif(2, 2)", .expected = "NULL"},
    {"nullifzero", NULL, FUNC_SCALAR, .bind = bind_with_zero, .render = render_nullif,
     .pretty = "nullifzero($1)", .example = "nullifzero(0)", .expected = "NULL"},
    {"zeroifnull", NULL, FUNC_SCALAR, .bind = bind_with_zero, .sql = "coalesce($1, $2)", .flags = FUNC_LAZY,
     .pretty = "zeroifnull($1)", .example = "zeroifnull(NULL)", .expected = "0"},
    {"greatest", NULL, FUNC_SCALAR, "(W, W...) -> W", "greatest($*)", .render = render_extreme, .bind = bind_extreme,
     .example = "greatest(10, 9, 2, 4, 3)", .expected = "10"},
    {"least", NULL, FUNC_SCALAR, "(W, W...) -> W", "least($*)", .render = render_extreme, .bind = bind_extreme,
     .example = "least(10, 9, 2, 4, 3)", .expected = "2"},
    {"isnan", NULL, FUNC_SCALAR, "(double) -> boolean!; (float) -> boolean!",
     "coalesce(isnan($1), false)", .example = "isnan(cast('NaN' as double))", .expected = "true"},
    {"nanvl", NULL, FUNC_SCALAR, .bind = bind_nanvl, .sql = "CAST(ls_nanvl($1, $2) AS $r)", .example = "nanvl(cast('NaN' as double), 123)",
     .expected = "123.0"},
};
END_OF_ROWS(condition);
