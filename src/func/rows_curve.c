/* What OPTIMIZE lays rows out by: sampled ranges of columns, and their places on a space-filling curve. */
#include "func/rows.h"
#include "func/signature.h"

/* Values whose order is that of a BIGINT, a DOUBLE, or a text: what bounds are compared as. */
static const Type *key_type(const Type *t) {
    switch (t->kind) {
    case TYPE_BOOLEAN:
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return type_simple(TYPE_LONG);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DECIMAL:
        return type_simple(TYPE_DOUBLE);
    default:
        return type_simple(TYPE_STRING);
    }
}

static bool bind_key(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1)
        return func_wrong_arg_count(call, "1", ctx, err);
    call->result = key_type(call->args.at[0]->type);
    call->nullable = true;
    return true;
}

static bool render_key(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    (void)err;
    TypeKind kind = call->call.args.at[0]->type->kind;
    const char *text = kind == TYPE_DATE ? "CAST(date_diff('day', DATE '1970-01-01', $1) AS BIGINT)"
                       : kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMP_NTZ ? "epoch_us($1)"
                                                                              : "CAST($1 AS $r)";
    return func_render_template(call, args, count, ctx, text, out);
}

static bool bind_bounds(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    call->result = type_array(call->args.at[0]->type, false, ctx->arena);
    call->nullable = true;
    return true;
}

/* As many bounds as the second argument says, which part the values into equal shares. */
static bool render_bounds(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                          Buf *out, Error *err) {
    (void)count;
    (void)err;
    int64_t bounds = call->call.args.at[1]->literal.integer;
    buf_addf(out, "quantile_disc(" STR_FMT ", [", STR_ARG(args[0]));
    for (int64_t i = 1; i <= bounds; i++)
        buf_addf(out, "%s%.9f", i > 1 ? ", " : "", (double)i / (double)(bounds + 1));
    buf_addf(out, "])" STR_FMT, STR_ARG(ctx->call_suffix));
    return true;
}

static bool render_range(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                         Buf *out, Error *err) {
    (void)err;
    TypeKind kind = call->call.args.at[0]->type->kind;
    return func_render_template(call, args, count, ctx,
                                kind == TYPE_LONG     ? "ls_range_integer($1, $2)"
                                : kind == TYPE_DOUBLE ? "ls_range_real($1, $2)"
                                                      : "ls_range_text($1, $2)",
                                out);
}

static bool bind_range(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    call->result = type_simple(TYPE_INT);
    return true;
}

static bool bind_curve(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 2)
        return func_wrong_arg_count(call, "> 1", ctx, err);
    call->result = type_simple(TYPE_LONG);
    return true;
}

const FuncRow curve_rows[] = {
    {"curve_key", NULL, FUNC_SCALAR, .bind = bind_key, .render = render_key, .flags = FUNC_HIDDEN},
    {"curve_bounds", NULL, FUNC_AGGREGATE, .bind = bind_bounds, .render = render_bounds,
     .flags = FUNC_HIDDEN},
    {"curve_range", NULL, FUNC_SCALAR, .bind = bind_range, .render = render_range,
     .flags = FUNC_HIDDEN},
    {"curve_z_order", NULL, FUNC_SCALAR, .sql = "ls_z_order($*)", .bind = bind_curve,
     .flags = FUNC_HIDDEN},
    {"curve_hilbert", NULL, FUNC_SCALAR, .sql = "ls_hilbert($*)", .bind = bind_curve,
     .flags = FUNC_HIDDEN},
};
END_OF_ROWS(curve);
