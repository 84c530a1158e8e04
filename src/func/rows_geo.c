/* Shapes: st_* over GEOMETRY and GEOGRAPHY, carried as STRUCT(srid INTEGER, wkb BLOB). */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"
#include "type/srid.h"

static const char SHAPE[] = "(\"GEOGRAPHY\" or \"GEOMETRY\")";

static bool known_srid(TypeKind kind, int64_t srid, Arena *arena, Error *err) {
    if (srid >= 0 && srid <= INT32_MAX && srid_is_known(kind, (int)srid))
        return true;
    return error_set(err, ERR_ST_INVALID_SRID_VALUE,
                     P("srid", str_printf(arena, "%lld", (long long)srid)));
}

/* A literal number is part of the type; any other makes shapes of any system. */
static bool result_of(FuncCall *call, TypeKind kind, size_t at, const FuncContext *ctx, Error *err) {
    const BoundExpr *e = call->args.at[at];
    call->result = type_simple(kind);
    if (e->kind == BEXPR_LITERAL && !e->literal.is_null && e->literal.type->kind == TYPE_INT) {
        TRY(known_srid(kind, e->literal.integer, ctx->arena, err));
        call->result = type_geo(kind, (int)e->literal.integer, ctx->arena);
    }
    call->nullable = func_any_nullable(call);
    return true;
}

static BoundExpr *literal_int(int64_t v, Arena *arena) {
    return bound_literal(value_int(TYPE_INT, v), arena);
}

/* The numbers take implicit casts; the shape does not. */
static bool as_type(FuncCall *call, size_t i, TypeKind kind, const char *required,
                    const FuncContext *ctx, Error *err) {
    const Type *to = type_simple(kind);
    if (!coerce_implicit(call->args.at[i]->type, to, ctx->ansi))
        return func_unexpected_type(call, i, required, ctx, err);
    call->args.at[i] = func_coerce(call->args.at[i], to, ctx);
    return true;
}

static bool bind_geometry(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1 && call->args.len != 2)
        return func_wrong_arg_count(call, "[1, 2]", ctx, err);
    if (call->args.len == 1)
        vec_push(ctx->arena, &call->args, literal_int(0, ctx->arena));
    TRY(as_type(call, 0, TYPE_BINARY, "\"BINARY\"", ctx, err));
    TRY(as_type(call, 1, TYPE_INT, "\"INT\"", ctx, err));
    return result_of(call, TYPE_GEOMETRY, 1, ctx, err);
}

static bool bind_geography(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1)
        return func_wrong_arg_count(call, "1", ctx, err);
    TRY(as_type(call, 0, TYPE_BINARY, "\"BINARY\"", ctx, err));
    call->result = type_geo(TYPE_GEOGRAPHY, SRID_WGS84, ctx->arena);
    call->nullable = func_any_nullable(call);
    return true;
}

/* NULL is a GEOGRAPHY. */
static bool take_shape(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *t = call->args.at[0]->type;
    if (t->kind == TYPE_NULL)
        call->args.at[0] = func_coerce(call->args.at[0], type_simple(TYPE_GEOGRAPHY), ctx);
    return t->kind == TYPE_NULL || type_is_geo(t) || func_unexpected_type(call, 0, SHAPE, ctx, err);
}

static bool bind_set_srid(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    TRY(take_shape(call, ctx, err));
    TRY(as_type(call, 1, TYPE_INT, "\"INT\"", ctx, err));
    return result_of(call, call->args.at[0]->type->kind, 1, ctx, err);
}

static bool bind_srid(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1)
        return func_wrong_arg_count(call, "1", ctx, err);
    call->result = type_simple(TYPE_INT);
    call->nullable = func_any_nullable(call);
    return take_shape(call, ctx, err);
}

static bool bind_as_binary(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 1 && call->args.len != 2)
        return func_wrong_arg_count(call, "[1, 2]", ctx, err);
    if (call->args.len == 1) {
        Value order = {.type = type_simple(TYPE_STRING), .bytes = S("NDR")};
        vec_push(ctx->arena, &call->args, bound_literal(order, ctx->arena));
    }
    TRY(take_shape(call, ctx, err));
    TRY(as_type(call, 1, TYPE_STRING, "\"STRING\"", ctx, err));
    call->result = type_simple(TYPE_BINARY);
    call->nullable = func_any_nullable(call);
    return true;
}

static bool render_set_srid(const BoundExpr *call, const Str *args, size_t count,
                            const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool earth = call->type->kind == TYPE_GEOGRAPHY;
    return func_render_template(
        call, args, count, ctx,
        earth ? "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN {'srid': ls_srid($2, true), 'wkb': ($1).wkb} END"
              : "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN {'srid': ls_srid($2, false), 'wkb': ($1).wkb} END",
        out);
}

#define POINT "X'0101000000000000000000F03F0000000000000040'"

const FuncRow geo_rows[] = {
    {"st_asbinary", NULL, FUNC_SCALAR, NULL, "ls_wkb_order(($1).wkb, $2)", .bind = bind_as_binary,
     .example = "hex(st_asbinary(st_geomfromwkb(" POINT "), 'XDR'))",
     .expected = "00000000013FF00000000000004000000000000000"},
    {"st_geogfromwkb", NULL, FUNC_SCALAR, NULL,
     "CASE WHEN $1 IS NOT NULL THEN {'srid': 4326, 'wkb': ls_wkb($1, true)} END", .bind = bind_geography,
     .example = "hex(st_asbinary(st_geogfromwkb(" POINT ")))",
     .expected = "0101000000000000000000F03F0000000000000040"},
    {"st_geomfromwkb", NULL, FUNC_SCALAR, NULL,
     "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN {'srid': ls_srid($2, false), 'wkb': ls_wkb($1, false)} END",
     .bind = bind_geometry, .example = "typeof(st_geomfromwkb(" POINT ", 3857))", .expected = "geometry(3857)"},
    {"st_setsrid", NULL, FUNC_SCALAR, NULL, NULL, .bind = bind_set_srid, .render = render_set_srid,
     .example = "st_srid(st_setsrid(st_geomfromwkb(" POINT "), 3857))", .expected = "3857"},
    {"st_srid", NULL, FUNC_SCALAR, NULL, "($1).srid", .bind = bind_srid,
     .example = "st_srid(st_geogfromwkb(" POINT "))", .expected = "4326"},
};
END_OF_ROWS(geo);
