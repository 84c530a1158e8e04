/* SELECT TRANSFORM(..) USING 'script': every column becomes a text on its way in, and texts become columns on their way out. */
#include "analyze/analyze_impl.h"

/* Between fields where ROW FORMAT does not say otherwise, and NULL. */
#define FIELD_BREAK "\x01"
#define NULL_TEXT "\\N"

static bool text_of(Analyzer *a, BoundExpr *e, BoundExpr **out, Error *err)
{
    BoundExpr *args[1] = {e};
    if (e->type->kind == TYPE_ARRAY || e->type->kind == TYPE_MAP || e->type->kind == TYPE_STRUCT)
        return bind_builtin(a, "to_json", 1, args, (Origin){0, -1}, out, err);
    *out = bound_cast(e, type_simple(TYPE_STRING), CAST_LEGACY, true, a->arena);
    (*out)->cast.zone = a->func.zone;
    return true;
}

static const Type *key_and_value(Analyzer *a)
{
    Field fields[2] = {{S_INIT("key"), type_simple(TYPE_STRING), true, S_INIT("")},
                       {S_INIT("value"), type_simple(TYPE_STRING), true, S_INIT("")}};
    return type_struct(fields, 2, a->arena);
}

static bool check_output(const Type *t, Error *err)
{
    static const struct {
        TypeKind kind;
        const char *name;
    } NONE[] = {{TYPE_VARIANT, "VariantType$"}, {TYPE_TIME, "TimeType"}, {TYPE_NULL, "NullType"}, {TYPE_GEOMETRY, "GeometryType"},
                {TYPE_GEOGRAPHY, "GeographyType"}};
    for (size_t i = 0; i < LENGTH_OF(NONE); i++)
        if (t->kind == NONE[i].kind)
            return error_set(err, ERR__LEGACY_ERROR_TEMP_2265, PZ("nodeName", "SparkScriptTransformation"), PZ("dt", NONE[i].name));
    return true;
}

/* Spark reads nested columns and intervals from texts by its own functions; the others the script's reader takes. */
static bool column_out(Analyzer *a, BoundRel *project, const BoundColumn *given, const Field *f, Error *err)
{
    BoundExpr *e = bound_column(given, a->arena);
    if (type_is_nested(f->type)) {
        BoundExpr *args[2] = {e, bound_literal(value_string(type_sql(f->type, a->arena)), a->arena)};
        TRY(bind_builtin(a, "from_json", 2, args, (Origin){0, -1}, &e, err));
    } else if (given->type->kind != f->type->kind) {
        e = bound_cast(e, f->type, CAST_TRY, true, a->arena);
        e->cast.zone = a->func.zone;
    }
    project_push(a, project, e, column_of_expr(a, e, f->name, S("")));
    return true;
}

static bool by_cast(const Type *t)
{
    return type_is_nested(t) || t->kind == TYPE_INTERVAL_CALENDAR || t->kind == TYPE_INTERVAL_YM || t->kind == TYPE_INTERVAL_DT;
}

bool analyze_transform(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    BoundRel *texts = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        BoundExpr *e = bound_column(&input->columns.at[i], a->arena);
        TRY(text_of(a, e, &e, err));
        project_push(a, texts, e, column_of_expr(a, e, input->columns.at[i].name, S("")));
    }
    const Type *columns = rel->transform.columns ? rel->transform.columns : key_and_value(a);
    BoundRel *script = brel_new(BREL_SCRIPT, texts, a->arena), *project = brel_new(BREL_PROJECT, script, a->arena);
    script->script.script = rel->transform.script;
    script->script.in_field = rel->transform.in.field.ptr ? rel->transform.in.field : S(FIELD_BREAK);
    script->script.in_null = rel->transform.in.null.ptr ? rel->transform.in.null : S(NULL_TEXT);
    script->script.out_field = rel->transform.out.field.ptr ? rel->transform.out.field : S(FIELD_BREAK);
    if (rel->transform.columns)
        script->script.out_null = rel->transform.out.null.ptr ? rel->transform.out.null : S(NULL_TEXT);
    for (size_t i = 0; i < columns->structure.count; i++) {
        const Field *f = &columns->structure.fields[i];
        TRY(check_output(f->type, err));
        const Type *type = type_char_as_string(f->type, a->arena);
        vec_push(a->arena, &script->columns, new_column(a, f->name, by_cast(type) ? type_simple(TYPE_STRING) : type, true));
    }
    for (size_t i = 0; i < columns->structure.count; i++) {
        Field f = columns->structure.fields[i];
        f.type = type_char_as_string(f.type, a->arena);
        TRY(column_out(a, project, &script->columns.at[i], &f, err));
    }
    *out = project;
    return true;
}
