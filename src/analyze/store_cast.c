/* Storing a value into a column: ANSI store assignment or, into Delta tables, any ANSI cast; char and varchar lengths, nested
 * structs by name. */
#include "analyze/analyze_impl.h"

typedef struct Store {
    Str table;
    bool any_cast; /* Delta's rule: whatever CAST accepts */
} Store;

static bool store_value(Analyzer *a, BoundExpr *e, const Type *to, const Store *store, Str column, BoundExpr **out, Error *err);

static bool cannot_store(Analyzer *a, const BoundExpr *e, const Type *to, const Store *store, Str column, Error *err)
{
    return error_set(err, ERR_INCOMPATIBLE_DATA_FOR_TABLE__CANNOT_SAFELY_CAST, P("tableName", store->table),
                     P("colName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(column))),
                     P("srcType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(e->type, a->arena)))),
                     P("targetType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(to, a->arena)))));
}

/* A struct is stored field by field, by name: order in the source does not matter, a missing field becomes NULL. */
static bool store_struct(Analyzer *a, BoundExpr *e, const Type *to, const Store *store, Str column, BoundExpr **out, Error *err)
{
    BoundExprVec children = {0};
    for (size_t i = 0; i < to->structure.count; i++) {
        const Field *f = &to->structure.fields[i];
        Str path = str_printf(a->arena, STR_FMT "." STR_FMT, STR_ARG(column), STR_ARG(f->name));
        BoundExpr *child;
        if (type_field_index(e->type, f->name, a->case_sensitive) >= 0) {
            TRY(bind_field(a, e, f->name, &child, err));
            TRY(store_value(a, child, f->type, store, path, &child, err));
        } else if (f->nullable)
            child = bound_literal(value_null(f->type), a->arena);
        else
            return error_set(err, ERR_INCOMPATIBLE_DATA_FOR_TABLE__CANNOT_FIND_DATA, P("tableName", store->table),
                             P("colName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(path))));
        vec_push(a->arena, &children, child);
    }
    for (size_t i = 0; i < e->type->structure.count; i++)
        if (type_field_index(to, e->type->structure.fields[i].name, a->case_sensitive) < 0)
            return error_set(err, ERR_INCOMPATIBLE_DATA_FOR_TABLE__EXTRA_STRUCT_FIELDS, P("tableName", store->table),
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

BoundExpr *lambda_over(Analyzer *a, size_t count, const char *const *names, BoundExpr **vars, const Type *const *types,
                              const bool *nullable)
{
    BoundExpr *l = bound_new(BEXPR_LAMBDA, NULL, false, a->arena);
    l->lambda.count = count;
    for (size_t i = 0; i < count; i++) {
        l->lambda.ids[i] = ++a->last_lambda;
        l->lambda.names[i] = str_from(names[i]);
        vars[i] = bound_new(BEXPR_LAMBDA_VAR, types[i], nullable[i], a->arena);
        vars[i]->lambda_var.id = l->lambda.ids[i];
        vars[i]->lambda_var.name = l->lambda.names[i];
    }
    return l;
}

/* Structs inside arrays and map values: the same, element by element. */
static bool store_elements(Analyzer *a, BoundExpr *e, const Type *to, const Store *store, Str column, BoundExpr **out, Error *err)
{
    bool array = to->kind == TYPE_ARRAY;
    const char *const names[] = {array ? "element" : "key", "value"};
    const Type *types[] = {array ? e->type->array.element : e->type->map.key, e->type->map.value};
    bool nullable[] = {array && e->type->array.nulls, !array && e->type->map.nulls};
    BoundExpr *vars[2] = {0}, *args[2] = {e};
    if (array)
        types[1] = NULL;
    BoundExpr *l = lambda_over(a, array ? 1 : 2, names, vars, types, nullable);
    Str path = str_printf(a->arena, STR_FMT ".%s", STR_ARG(column), array ? "element" : "value");
    TRY(store_value(a, vars[array ? 0 : 1], array ? to->array.element : to->map.value, store, path, &l->lambda.body, err));
    l->type = l->lambda.body->type;
    l->nullable = l->lambda.body->nullable;
    args[1] = l;
    TRY(bind_builtin(a, array ? "transform" : "transform_values", 2, args, (Origin){0, -1}, out, err));
    if (type_same_shape((*out)->type, to))
        return true;
    *out = bound_cast(*out, to, CAST_ANSI, true, a->arena);
    (*out)->cast.zone = a->func.zone;
    return true;
}

static bool differs_inside(const Type *from, const Type *to)
{
    if (from->kind == TYPE_ARRAY && to->kind == TYPE_ARRAY)
        return type_contains(to, TYPE_STRUCT) && !type_same_shape(from, to);
    return from->kind == TYPE_MAP && to->kind == TYPE_MAP && type_contains(to->map.value, TYPE_STRUCT) && !type_same_shape(from, to);
}

/* The type with its structs' fields called as at the same position of the other; what is beyond keeps its name. */
static const Type *named_as(Analyzer *a, const Type *from, const Type *to)
{
    if (from->kind != to->kind)
        return from;
    if (from->kind == TYPE_ARRAY)
        return type_array(named_as(a, from->array.element, to->array.element), from->array.nulls, a->arena);
    if (from->kind == TYPE_MAP)
        return type_map(named_as(a, from->map.key, to->map.key), named_as(a, from->map.value, to->map.value), from->map.nulls, a->arena);
    if (from->kind != TYPE_STRUCT)
        return from;
    size_t count = from->structure.count;
    Field *fields = ARENA_ARRAY(a->arena, Field, count + 1);
    for (size_t i = 0; i < count; i++) {
        fields[i] = from->structure.fields[i];
        if (i >= to->structure.count)
            continue;
        fields[i].name = to->structure.fields[i].name;
        fields[i].type = named_as(a, fields[i].type, to->structure.fields[i].type);
    }
    return type_struct(fields, count, a->arena);
}

BoundExpr *analyze_name_as(Analyzer *a, BoundExpr *e, const Type *to)
{
    const Type *named = named_as(a, e->type, to);
    if (type_equal(named, e->type))
        return e;
    BoundExpr *cast = bound_cast(e, named, CAST_ANSI, true, a->arena);
    cast->cast.zone = a->func.zone;
    return cast;
}

static bool refuse_any_cast(Analyzer *a, const BoundExpr *e, const Type *to, Error *err)
{
    return error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION,
                     P("sqlExpr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(e, a->func.zone, a->arena)))),
                     P("srcType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(e->type, a->arena)))),
                     P("targetType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(to, a->arena)))));
}

/* The integral types and decimals of scale 0 that hold every value of an integral type; other pairs may overflow. */
static bool may_overflow(const Type *from, const Type *to)
{
    static const int DIGITS[] = {[TYPE_BYTE] = 3, [TYPE_SHORT] = 5, [TYPE_INT] = 10, [TYPE_LONG] = 20};
    if (!type_is_numeric(from) || !(type_is_integral(to) || to->kind == TYPE_DECIMAL))
        return false;
    if (type_is_integral(from))
        return to->kind == TYPE_DECIMAL ? to->decimal.precision - to->decimal.scale < DIGITS[from->kind] : to->kind < from->kind;
    if (from->kind == TYPE_DECIMAL && to->kind == TYPE_DECIMAL)
        return to->decimal.precision - to->decimal.scale < from->decimal.precision - from->decimal.scale + (to->decimal.scale < from->decimal.scale);
    return true;
}

/* A number that does not fit: an error that names the column. */
static bool cast_number(Analyzer *a, BoundExpr *e, const Type *to, Str column, BoundExpr **out, Error *err)
{
    BoundExpr *tried = bound_cast(e, to, CAST_TRY, true, a->arena), *lost[2], *broken, *raised;
    tried->cast.zone = a->func.zone;
    tried->nullable = true;
    TRY(bind_builtin(a, "isnull", 1, &tried, (Origin){0, -1}, &lost[0], err));
    TRY(bind_builtin(a, "isnotnull", 1, &e, (Origin){0, -1}, &lost[1], err));
    TRY(bind_builtin(a, "and", 2, lost, (Origin){0, -1}, &broken, err));
    Error message = error_in(a->arena);
    error_set(&message, ERR_CAST_OVERFLOW_IN_TABLE_INSERT, P("sourceType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(e->type, a->arena)))),
              P("targetType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(to, a->arena)))),
              P("columnName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(column))));
    BoundExpr *text = bound_literal(value_string(error_message(&message, a->arena)), a->arena);
    TRY(bind_builtin(a, "raise_class", 1, &text, (Origin){0, -1}, &raised, err));
    BoundExpr *c = bound_new(BEXPR_CASE, to, e->nullable, a->arena), *typed = bound_cast(raised, to, CAST_LEGACY, true, a->arena);
    typed->cast.zone = a->func.zone;
    vec_push(a->arena, &c->cases.conditions, broken);
    vec_push(a->arena, &c->cases.values, typed);
    c->cases.otherwise = tried;
    *out = c;
    return true;
}

bool analyze_store_cast(Analyzer *a, BoundExpr *e, const Type *to, Str table, Str column, BoundExpr **out, Error *err)
{
    Store store = {table, false};
    return store_value(a, e, to, &store, column, out, err);
}

bool analyze_delta_cast(Analyzer *a, BoundExpr *e, const Type *to, Str table, Str column, BoundExpr **out, Error *err)
{
    Store store = {table, true};
    return store_value(a, e, to, &store, column, out, err);
}

static bool store_value(Analyzer *a, BoundExpr *e, const Type *to, const Store *store, Str column, BoundExpr **out, Error *err)
{
    const Type *plain = type_char_as_string(to, a->arena);
    if (e->kind == BEXPR_LITERAL && e->literal.is_null) {
        *out = bound_literal(value_null(plain), a->arena);
        return true;
    }
    if (e->type->kind == TYPE_STRUCT && plain->kind == TYPE_STRUCT && !type_same_shape(e->type, plain))
        return store_struct(a, e, plain, store, column, out, err);
    if (differs_inside(e->type, plain))
        return store_elements(a, e, plain, store, column, out, err);
    if (store->any_cast && !cast_is_allowed(e->type, plain, CAST_ANSI))
        return refuse_any_cast(a, e, plain, err);
    if (!store->any_cast && !coerce_can_store(e->type, plain))
        return cannot_store(a, e, to, store, column, err);
    *out = e;
    if (store->any_cast && may_overflow(e->type, plain)) {
        TRY(cast_number(a, e, plain, column, out, err));
    } else if (!type_same_shape(e->type, plain)) {
        *out = bound_cast(e, plain, CAST_ANSI, true, a->arena);
        (*out)->cast.zone = a->func.zone;
    }
    if (to->kind != TYPE_CHAR && to->kind != TYPE_VARCHAR)
        return true;
    BoundExpr *args[2] = {*out, bound_literal(value_int(TYPE_INT, to->text.length), a->arena)};
    return bind_builtin(a, to->kind == TYPE_CHAR ? "char_type_write_side_check" : "varchar_type_write_side_check", 2, args,
                        (Origin){0, -1}, out, err);
}
