/* VARIANT: made of JSON and of values, taken apart by path, described. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

static bool bad_cast(const FuncCall *call, const Type *from, const Type *to,
                     const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION,
                     P("sqlExpr", func_call_text(call, ctx)),
                     P("srcType", func_quoted_type(from, ctx)),
                     P("targetType", func_quoted_type(to, ctx)));
}

/* variant_get(v, path[, type]): the type is a constant text. */
static bool bind_get(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *target = type_simple(TYPE_VARIANT);
    if (call->args.len == 3) {
        const Value *v = func_constant(call->args.at[2]);
        if (!v || !type_is_stringy(v->type) || v->is_null)
            return error_set(err, ERR_INVALID_SCHEMA__NON_STRING_LITERAL,
                             P("inputSchema", func_quoted_sql(call->args.at[2], ctx)));
        TRY(type_from_ddl(v->bytes, ctx->arena, &target, err));
        target = type_char_as_string(target, ctx->arena);
        call->args.len = 2;
    } else if (call->args.len != 2) {
        return func_wrong_arg_count(call, "[2, 3]", ctx, err);
    }
    const Type *in = call->args.at[0]->type;
    if (in->kind != TYPE_VARIANT && in->kind != TYPE_NULL)
        return func_unexpected_type(call, 0, "\"VARIANT\"", ctx, err);
    TRY(func_apply_signature(call, "(variant, string) -> $1", ctx, err));
    if (!cast_is_allowed(type_simple(TYPE_VARIANT), target, CAST_TRY))
        return bad_cast(call, type_simple(TYPE_VARIANT), target, ctx, err);
    call->result = target;
    call->nullable = true;
    return true;
}

static bool render_get(const BoundExpr *call, const Str *args, size_t count,
                       const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    if (call->type->kind == TYPE_VARIANT) {
        buf_addf(out, "ls_variant_part(" STR_FMT ", " STR_FMT ", '%s')", STR_ARG(args[0]),
                 STR_ARG(args[1]), call->call.row->name);
        return true;
    }
    bool strict = strncmp(call->call.row->name, "try_", 4) != 0;
    func_put_variant_cast(args[0], args[1], call->call.row->name, call->type, strict, ctx, out);
    return true;
}

/* to_variant_object takes nested types only, whose structs and maps become objects. */
static bool bind_object(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(any) -> variant", ctx, err));
    const Type *t = call->args.at[0]->type;
    if (!func_fits_variant(t) || (!type_is_nested(t) && t->kind != TYPE_NULL))
        return bad_cast(call, t, type_simple(TYPE_VARIANT), ctx, err);
    return true;
}

static bool render_object(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    func_put_to_variant(args[0], call->call.args.at[0]->type, ctx, out);
    return true;
}

static bool bind_explode(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(variant) -> $1", ctx, err));
    Field fields[] = {{S("pos"), type_simple(TYPE_INT), false, {0}},
                      {S("key"), type_simple(TYPE_STRING), true, {0}},
                      {S("value"), type_simple(TYPE_VARIANT), false, {0}}};
    call->result = type_array(type_struct(fields, 3, ctx->arena), false, ctx->arena);
    call->nullable = true;
    return true;
}

bool func_fits_variant(const Type *t) {
    switch (t->kind) {
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            if (!func_fits_variant(t->structure.fields[i].type))
                return false;
        return true;
    case TYPE_ARRAY:
        return func_fits_variant(t->array.element);
    case TYPE_MAP:
        return type_is_stringy(t->map.key) && func_fits_variant(t->map.value);
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
    case TYPE_INTERVAL_CALENDAR:
    case TYPE_TIME:
        return false;
    default:
        return true;
    }
}

void func_put_to_variant(Str value, const Type *t, const FuncContext *ctx, Buf *out) {
    buf_addf(out, "CASE WHEN " STR_FMT " IS NOT NULL THEN ls_to_variant(" STR_FMT ", ",
             STR_ARG(value), STR_ARG(value));
    func_put_string(out, type_json(t, ctx->arena));
    buf_addz(out, ") END");
}

void func_put_variant_cast(Str value, Str path, const char *function, const Type *to, bool strict,
                           const FuncContext *ctx, Buf *out) {
    Buf text = buf_in(ctx->arena);
    buf_addf(&text, "ls_variant_cast(" STR_FMT ", " STR_FMT ", '%s', ", STR_ARG(value),
             STR_ARG(path), function);
    func_put_string(&text, type_json(to, ctx->arena));
    buf_addz(&text, ", ");
    func_put_string(&text, ctx->zone);
    buf_addf(&text, ", %s)", strict ? "true" : "false");
    func_put_decoded(buf_str(&text), to, ctx, out);
}

#define EXAMPLE(text, want) .example = text, .expected = want

const FuncRow variant_rows[] = {
    {"parse_json", NULL, FUNC_SCALAR, "(string) -> variant", "ls_parse_json($1, false)",
     .flags = FUNC_EXACT,
     EXAMPLE("to_json(parse_json('{\"b\":[1,0.80,1e3],\"a\":null}'))",
             "{\"a\":null,\"b\":[1,0.8,1000.0]}")},
    {"try_parse_json", NULL, FUNC_SCALAR, "(string) -> variant?", "ls_parse_json($1, true)",
     .flags = FUNC_EXACT,
     EXAMPLE("try_parse_json('{\"a\":1,')", "NULL")},
    {"is_variant_null", NULL, FUNC_SCALAR, "(variant) -> boolean!", "ls_variant_is_null($1)",
     .flags = FUNC_EXACT,
     EXAMPLE("is_variant_null(variant_get(parse_json('{\"a\":null}'), '$.a'))", "true")},
    {"is_valid_variant", NULL, FUNC_SCALAR, "(variant) -> boolean", "ls_variant_is_valid($1)",
     .flags = FUNC_EXACT,
     EXAMPLE("is_valid_variant(parse_json('[1]'))", "true")},
    {"variant_get", NULL, FUNC_SCALAR, .bind = bind_get, .render = render_get,
     EXAMPLE("variant_get(parse_json('{\"a\":[1,null,\"x\"]}'), '$.a', 'array<string>')",
             "[1, null, x]")},
    {"try_variant_get", NULL, FUNC_SCALAR, .bind = bind_get, .render = render_get,
     EXAMPLE("try_variant_get(parse_json('[1, \"hello\"]'), '$[1]', 'int')", "NULL")},
    {"schema_of_variant", NULL, FUNC_SCALAR, "(variant) -> string", "ls_variant_schema($1)",
     .flags = FUNC_EXACT,
     EXAMPLE("schema_of_variant(parse_json('[{\"b\":true,\"a\":0},{\"a\":1.5}]'))",
             "ARRAY<OBJECT<a: DECIMAL(21,1), b: BOOLEAN>>")},
    {"schema_of_variant_agg", NULL, FUNC_AGGREGATE, "(variant) -> string!",
     "coalesce(ls_variant_schemas(list($1)$over), 'VOID')", .flags = FUNC_EXACT,
     EXAMPLE("SELECT schema_of_variant_agg(parse_json(j)) FROM VALUES ('{\"a\": 1}'), ('{\"b\": "
             "true}'), ('{\"c\": 1.23}') AS tab(j)",
             "OBJECT<a: BIGINT, b: BOOLEAN, c: DECIMAL(3,2)>")},
    {"to_variant_object", NULL, FUNC_SCALAR, .bind = bind_object, .render = render_object,
     EXAMPLE("to_json(to_variant_object(array(map('a', 2))))", "[{\"a\":2}]")},
    {"variant_explode", NULL, FUNC_GENERATOR, .bind = bind_explode, .sql = "ls_variant_members($1)",
     EXAMPLE("SELECT pos, key, CAST(value AS STRING) FROM variant_explode(parse_json('{\"a\": "
             "true, \"b\": 3.14}'))",
             "{0, a, true}; {1, b, 3.14}")},
    {"variant_explode_outer", NULL, FUNC_GENERATOR, .bind = bind_explode,
     .sql = "ls_variant_members($1)",
     EXAMPLE("SELECT pos, key FROM variant_explode_outer(parse_json('5'))", "{null, null}")},
};
END_OF_ROWS(variant);
