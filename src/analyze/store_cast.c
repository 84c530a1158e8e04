/* Storing a value into a column: ANSI store assignment, char and varchar lengths, nested structs by name. */
#include "analyze/analyze_impl.h"

static bool cannot_store(Analyzer *a, const BoundExpr *e, const Type *to, Str table, Str column, Error *err)
{
    return error_set(err, ERR_INCOMPATIBLE_DATA_FOR_TABLE__CANNOT_SAFELY_CAST, P("tableName", table),
                     P("colName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(column))),
                     P("srcType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(e->type, a->arena)))),
                     P("targetType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(to, a->arena)))));
}

/* A struct is stored field by field, by name: order in the source does not matter, a missing field becomes NULL. */
static bool store_struct(Analyzer *a, BoundExpr *e, const Type *to, Str table, Str column, BoundExpr **out, Error *err)
{
    BoundExprVec children = {0};
    for (size_t i = 0; i < to->structure.count; i++) {
        const Field *f = &to->structure.fields[i];
        Str path = str_printf(a->arena, STR_FMT "." STR_FMT, STR_ARG(column), STR_ARG(f->name));
        BoundExpr *child;
        if (type_field_index(e->type, f->name, a->case_sensitive) >= 0) {
            TRY(bind_field(a, e, f->name, &child, err));
            TRY(analyze_store_cast(a, child, f->type, table, path, &child, err));
        } else if (f->nullable)
            child = bound_literal(value_null(f->type), a->arena);
        else
            return error_set(err, ERR_INCOMPATIBLE_DATA_FOR_TABLE__CANNOT_FIND_DATA, P("tableName", table),
                             P("colName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(path))));
        vec_push(a->arena, &children, child);
    }
    for (size_t i = 0; i < e->type->structure.count; i++)
        if (type_field_index(to, e->type->structure.fields[i].name, a->case_sensitive) < 0)
            return error_set(err, ERR_INCOMPATIBLE_DATA_FOR_TABLE__EXTRA_STRUCT_FIELDS, P("tableName", table),
                             P("colName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(column))),
                             P("extraFields", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(e->type->structure.fields[i].name))));
    BoundExpr *s = bound_new(BEXPR_STRUCT, to, e->nullable, a->arena);
    s->structure.children = children;
    if (!e->nullable) {
        *out = s;
        return true;
    }
    BoundExpr *is_null;
    TRY(bind_builtin(a, "isnull", 1, &e, (Origin){0, -1}, &is_null, err));
    BoundExpr *c = bound_new(BEXPR_CASE, to, true, a->arena);
    vec_push(a->arena, &c->cases.conditions, is_null);
    vec_push(a->arena, &c->cases.values, bound_literal(value_null(to), a->arena));
    c->cases.otherwise = s;
    *out = c;
    return true;
}

bool analyze_store_cast(Analyzer *a, BoundExpr *e, const Type *to, Str table, Str column, BoundExpr **out, Error *err)
{
    const Type *plain = type_char_as_string(to, a->arena);
    if (e->kind == BEXPR_LITERAL && e->literal.is_null) {
        *out = bound_literal(value_null(plain), a->arena);
        return true;
    }
    if (!coerce_can_store(e->type, plain))
        return cannot_store(a, e, to, table, column, err);
    if (e->type->kind == TYPE_STRUCT && plain->kind == TYPE_STRUCT && !type_same_shape(e->type, plain))
        return store_struct(a, e, plain, table, column, out, err);
    *out = e;
    if (!type_same_shape(e->type, plain)) {
        *out = bound_cast(e, plain, CAST_ANSI, true, a->arena);
        (*out)->cast.zone = a->func.zone;
    }
    if (to->kind != TYPE_CHAR && to->kind != TYPE_VARCHAR)
        return true;
    BoundExpr *args[2] = {*out, bound_literal(value_int(TYPE_INT, to->text.length), a->arena)};
    return bind_builtin(a, to->kind == TYPE_CHAR ? "char_type_write_side_check" : "varchar_type_write_side_check", 2, args,
                        (Origin){0, -1}, out, err);
}
