/* approx_top_k and the states it can be taken apart into. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

enum { DEFAULT_K = 5, DEFAULT_TRACKED = 10000, MAX_TRACKED = 1000000 };

typedef struct TopK {
    const Type *item;
    int64_t k, tracked;
} TopK;

/* How the C functions write an item of this type; 0: not at all. */
static char kind_of(const Type *t) {
    switch (t->kind) {
    case TYPE_BOOLEAN:
        return 'b';
    case TYPE_BYTE:
        return 'B';
    case TYPE_SHORT:
        return 'S';
    case TYPE_INT:
    case TYPE_DATE:
        return 'I';
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_TIME:
        return 'L';
    case TYPE_FLOAT:
        return 'F';
    case TYPE_DOUBLE:
        return 'D';
    case TYPE_STRING:
        return 's';
    case TYPE_DECIMAL:
        return 'c';
    default:
        return 0;
    }
}

static bool refuse_type(const FuncCall *call, const Type *t, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__TYPE_CHECK_FAILURE_WITH_HINT,
                     P("sqlExpr", func_call_text(call, ctx)),
                     P("msg", str_printf(ctx->arena, STR_FMT " columns are not supported",
                                         STR_ARG(type_simple_string(t, ctx->arena)))),
                     PZ("hint", ""));
}

/* A constant number above 0; the argument is appended when it was left out. */
static bool number_at(FuncCall *call, size_t at, const char *name, int64_t otherwise,
                      const FuncContext *ctx, int64_t *out, Error *err) {
    if (at >= call->args.len)
        vec_push(ctx->arena, &call->args,
                 bound_literal(value_int(TYPE_INT, otherwise), ctx->arena));
    *out = otherwise;
    const Value *v = func_constant(call->args.at[at]);
    if (v && v->is_null)
        return error_set(err, ERR_APPROX_TOP_K_NULL_ARG,
                         P("argName", str_printf(ctx->arena, "`%s`", name)));
    if (!func_constant_int(call->args.at[at], out))
        return func_non_foldable(call, at, name, ctx, err);
    if (*out <= 0 && otherwise > 0)
        return error_set(err, ERR_APPROX_TOP_K_NON_POSITIVE_ARG,
                         P("argName", str_printf(ctx->arena, "`%s`", name)),
                         P("argValue", str_printf(ctx->arena, "%lld", (long long)*out)));
    return true;
}

static bool check_tracked(const TopK *b, const FuncContext *ctx, Error *err) {
    Str tracked = str_printf(ctx->arena, "%lld", (long long)b->tracked);
    if (b->tracked > MAX_TRACKED)
        return error_set(err, ERR_APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT,
                         P("maxItemsTracked", tracked), PZ("limit", "1000000"));
    if (b->k > b->tracked)
        return error_set(err, ERR_APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K,
                         P("maxItemsTracked", tracked),
                         P("k", str_printf(ctx->arena, "%lld", (long long)b->k)));
    return true;
}

static const Type *list_type(const Type *item, Arena *arena) {
    Field fields[] = {{S("item"), item, true, {0}}, {S("count"), type_simple(TYPE_LONG), false, {0}}};
    return type_array(type_struct(fields, 2, arena), false, arena);
}

static const Type *state_type(const Type *item, Arena *arena) {
    Field fields[] = {{S("sketch"), type_simple(TYPE_BINARY), false, {0}},
                      {S("maxItemsTracked"), type_simple(TYPE_INT), false, {0}},
                      {S("itemDataType"), item, true, {0}},
                      {S("itemDataTypeDDL"), type_simple(TYPE_STRING), false, {0}}};
    return type_struct(fields, 4, arena);
}

/* approx_top_k(expr[, k[, maxItemsTracked]]), approx_top_k_accumulate(expr[, maxItemsTracked]) */
static bool bind_items(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool state = !strcmp(call->row->name, "approx_top_k_accumulate");
    if (!call->args.len || call->args.len > (state ? 2 : 3))
        return func_wrong_arg_count(call, state ? "[1, 2]" : "[1, 2, 3]", ctx, err);
    TopK *b = ARENA_NEW(ctx->arena, TopK);
    call->bind_data = b;
    b->item = call->args.at[0]->type;
    if (!kind_of(b->item))
        return refuse_type(call, b->item, ctx, err);
    if (!state)
        TRY(number_at(call, 1, "k", DEFAULT_K, ctx, &b->k, err));
    TRY(number_at(call, state ? 1 : 2, "maxItemsTracked", DEFAULT_TRACKED, ctx, &b->tracked, err));
    TRY(check_tracked(b, ctx, err));
    call->result = state ? state_type(b->item, ctx->arena) : list_type(b->item, ctx->arena);
    call->nullable = false;
    return true;
}

/* approx_top_k_estimate(state[, k]), approx_top_k_combine(state[, maxItemsTracked]) */
static bool bind_state(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool combine = !strcmp(call->row->name, "approx_top_k_combine");
    if (!call->args.len || call->args.len > 2)
        return func_wrong_arg_count(call, "[1, 2]", ctx, err);
    TopK *b = ARENA_NEW(ctx->arena, TopK);
    call->bind_data = b;
    if (combine)
        TRY(number_at(call, 1, "maxItemsTracked", -1, ctx, &b->tracked, err));
    else
        TRY(number_at(call, 1, "k", DEFAULT_K, ctx, &b->k, err));
    const Type *t = call->args.at[0]->type;
    if (t->kind != TYPE_STRUCT)
        return func_unexpected_type(call, 0, "\"STRUCT\"", ctx, err);
    b->item = t->structure.count == 4 ? t->structure.fields[2].type : NULL;
    if (!b->item || !type_same_shape(t, state_type(b->item, ctx->arena)) || !kind_of(b->item))
        return error_set(err, ERR_DATATYPE_MISMATCH__TYPE_CHECK_FAILURE_WITH_HINT,
                         P("sqlExpr", func_call_text(call, ctx)),
                         PZ("msg", "State must be what approx_top_k_accumulate gives"),
                         PZ("hint", ""));
    call->result = combine ? state_type(b->item, ctx->arena) : list_type(b->item, ctx->arena);
    call->nullable = !combine && call->args.at[0]->nullable;
    return true;
}

static int lg_of(int64_t tracked) {
    int lg = 3;
    while (((int64_t)1 << lg) * 3 / 4 < tracked && lg < 26)
        lg++;
    return lg;
}

static void put_items(const TopK *b, Str sketch, const FuncContext *ctx, Buf *out) {
    int scale = b->item->kind == TYPE_DECIMAL ? b->item->decimal.scale : 0;
    buf_addf(out,
             "list_transform(ls_frequent_items(" STR_FMT ", CAST(%lld AS INTEGER), '%c %d'), lambda "
             "e: {'item': ",
             STR_ARG(sketch), (long long)b->k, kind_of(b->item), scale);
    func_put_decoded(S("e.item"), b->item, ctx, out);
    buf_addz(out, ", 'count': e.count})");
}

static Str item_text(const TopK *b, Str value, const FuncContext *ctx) {
    const char *wrap = b->item->kind == TYPE_TIME ? "epoch_us(" : "(";
    return str_printf(ctx->arena, "ls_frequent_item(%s" STR_FMT "), '%c')", wrap, STR_ARG(value),
                      kind_of(b->item));
}

static void put_state(const TopK *b, Str sketch, Str tracked, const FuncContext *ctx, Buf *out) {
    Str ddl = str_printf(ctx->arena, "item " STR_FMT " NOT NULL",
                         STR_ARG(type_sql(b->item, ctx->arena)));
    buf_addf(out,
             "{'sketch': " STR_FMT ", 'maxItemsTracked': CAST(" STR_FMT
             " AS INTEGER), 'itemDataType': CAST(NULL AS " STR_FMT "), 'itemDataTypeDDL': ",
             STR_ARG(sketch), STR_ARG(tracked), STR_ARG(type_duckdb(b->item, ctx->arena)));
    func_put_string(out, ddl);
    buf_addc(out, '}');
}

static bool render_items(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    if (str_find(ctx->call_suffix, S(" OVER ")) >= 0)
        return error_unsupported(err, "%s as a window function", call->call.row->name);
    const TopK *b = call->call.bind_data;
    Str sketch = str_printf(ctx->arena,
                            "coalesce(ls_frequent_build(" STR_FMT ", '%c %d')" STR_FMT
                            ", unhex('01010A0E030400000000000000000000'))",
                            STR_ARG(item_text(b, args[0], ctx)), kind_of(b->item),
                            lg_of(b->tracked), STR_ARG(ctx->call_suffix));
    if (call->type->kind == TYPE_ARRAY)
        put_items(b, sketch, ctx, out);
    else
        put_state(b, sketch, str_printf(ctx->arena, "%lld", (long long)b->tracked), ctx, out);
    return true;
}

static bool render_state(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    if (str_find(ctx->call_suffix, S(" OVER ")) >= 0)
        return error_unsupported(err, "%s as a window function", call->call.row->name);
    const TopK *b = call->call.bind_data;
    Str sketch = str_printf(ctx->arena, "struct_extract_at(" STR_FMT ", 1)", STR_ARG(args[0]));
    if (call->type->kind == TYPE_ARRAY) {
        put_items(b, sketch, ctx, out);
        return true;
    }
    Str tracked = b->tracked > 0
                      ? str_printf(ctx->arena, "%lld", (long long)b->tracked)
                      : str_printf(ctx->arena, "max(struct_extract_at(" STR_FMT ", 2))" STR_FMT,
                                   STR_ARG(args[0]), STR_ARG(ctx->call_suffix));
    Str united = str_printf(ctx->arena,
                            "coalesce(ls_frequent_unite(" STR_FMT ", '%c %d')" STR_FMT
                            ", unhex('01010A0E030400000000000000000000'))",
                            STR_ARG(sketch), kind_of(b->item),
                            lg_of(b->tracked > 0 ? b->tracked : DEFAULT_TRACKED),
                            STR_ARG(ctx->call_suffix));
    put_state(b, united, tracked, ctx, out);
    return true;
}

#define ITEMS " FROM VALUES (0), (0), (1), (1), (2), (3), (4), (4) AS t(c)"
#define ANSWER "[{0, 2}, {4, 2}, {1, 2}, {2, 1}, {3, 1}]"
#define EXAMPLE(text, want) .example = text, .expected = want

const FuncRow frequent_rows[] = {
    {"approx_top_k", NULL, FUNC_AGGREGATE, .bind = bind_items, .render = render_items,
     EXAMPLE("SELECT approx_top_k(c)" ITEMS, ANSWER)},
    {"approx_top_k_accumulate", NULL, FUNC_AGGREGATE, .bind = bind_items, .render = render_items,
     EXAMPLE("SELECT approx_top_k_estimate(approx_top_k_accumulate(c))" ITEMS, ANSWER)},
    {"approx_top_k_combine", NULL, FUNC_AGGREGATE, .bind = bind_state, .render = render_state,
     EXAMPLE("SELECT approx_top_k_estimate(approx_top_k_combine(s), 1) FROM (SELECT "
             "approx_top_k_accumulate(c) s FROM VALUES ('a'), ('b'), ('a') t(c) GROUP BY c)",
             "[{a, 2}]")},
    {"approx_top_k_estimate", NULL, FUNC_SCALAR, .bind = bind_state, .render = render_state,
     EXAMPLE("SELECT approx_top_k_estimate(approx_top_k_accumulate(c), 1) FROM VALUES (NULL), "
             "(NULL), ('a') t(c)",
             "[{null, 2}]")},
};
END_OF_ROWS(frequent);
