/* Copies a plan by its table of pointing fields: the node is copied whole, then every field in the table anew. */
#include "session/plan_copy.h"

#include <string.h>

typedef enum FieldType {
    FIELD_STR, FIELD_STRS, FIELD_EXPR, FIELD_EXPRS, FIELD_EXPR_LISTS, FIELD_REL, FIELD_RELS, FIELD_OPTIONS,
    FIELD_TYPE, FIELD_VALUE, FIELD_PYTHON, FIELD_WINDOW, FIELD_WINDOW_DEFS, FIELD_NAMED_RELS, FIELD_NUMBERS
} FieldType;

typedef struct PlanField {
    int kind;
    size_t offset;
    FieldType type;
} PlanField;

static const PlanField expr_fields[] = {
#define EXPR_FIELD(kind, field, type) {kind, offsetof(Expr, field), FIELD_##type},
#define REL_FIELD(kind, field, type)
#include "session/plan_fields.def"
#undef EXPR_FIELD
#undef REL_FIELD
};

static const PlanField rel_fields[] = {
#define EXPR_FIELD(kind, field, type)
#define REL_FIELD(kind, field, type) {kind, offsetof(Rel, field), FIELD_##type},
#include "session/plan_fields.def"
#undef EXPR_FIELD
#undef REL_FIELD
};

static void copy_strs(StrVec *v, Arena *arena)
{
    StrVec from = *v;
    *v = (StrVec){0};
    for (size_t i = 0; i < from.len; i++)
        vec_push(arena, v, str_copy(from.at[i], arena));
}

static void copy_exprs(ExprVec *v, Arena *arena)
{
    ExprVec from = *v;
    *v = (ExprVec){0};
    for (size_t i = 0; i < from.len; i++)
        vec_push(arena, v, plan_copy_expr(from.at[i], arena));
}

typedef VEC(ExprVec) ExprLists;

static void copy_expr_lists(void *field, Arena *arena)
{
    ExprLists from, to = {0};
    memcpy(&from, field, sizeof from);
    for (size_t i = 0; i < from.len; i++) {
        ExprVec list = from.at[i];
        copy_exprs(&list, arena);
        vec_push(arena, &to, list);
    }
    memcpy(field, &to, sizeof to);
}

static void copy_rels(RelVec *v, Arena *arena)
{
    RelVec from = *v;
    *v = (RelVec){0};
    for (size_t i = 0; i < from.len; i++)
        vec_push(arena, v, plan_copy_rel(from.at[i], arena));
}

static void copy_options(KeyValueVec *v, Arena *arena)
{
    KeyValueVec from = *v;
    *v = (KeyValueVec){0};
    for (size_t i = 0; i < from.len; i++) {
        KeyValue one = {str_copy(from.at[i].key, arena), str_copy(from.at[i].value, arena),
                        plan_copy_expr(from.at[i].expr, arena)};
        vec_push(arena, v, one);
    }
}

static const Type *copy_type(const Type *t, Arena *arena)
{
    return t == NULL ? NULL : type_copy(t, arena);
}

static Value *copy_values(const Value *from, size_t count, Arena *arena);

/* The shape follows the value's type: only texts and nested values point anywhere. */
static void copy_value(Value *v, Arena *arena)
{
    const Type *type = v->type;
    v->type = copy_type(type, arena);
    if (v->is_null || type == NULL)
        return;
    switch (type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
    case TYPE_VARIANT:
        v->bytes = str_copy(v->bytes, arena);
        break;
    case TYPE_ARRAY:
    case TYPE_STRUCT:
        v->list.items = copy_values(v->list.items, v->list.count, arena);
        break;
    case TYPE_MAP:
        v->map.keys = copy_values(v->map.keys, v->map.count, arena);
        v->map.values = copy_values(v->map.values, v->map.count, arena);
        break;
    default:
        break;
    }
}

static Value *copy_values(const Value *from, size_t count, Arena *arena)
{
    Value *to = ARENA_ARRAY(arena, Value, count);
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
        copy_value(&to[i], arena);
    }
    return to;
}

PythonFunction *plan_copy_python(const PythonFunction *from, Arena *arena)
{
    if (from == NULL)
        return NULL;
    PythonFunction *to = ARENA_NEW(arena, PythonFunction);
    *to = *from;
    to->name = str_copy(from->name, arena);
    to->return_type = copy_type(from->return_type, arena);
    to->command = str_copy(from->command, arena);
    to->python_version = str_copy(from->python_version, arena);
    return to;
}

static void copy_window(WindowSpec *spec, Arena *arena)
{
    spec->base_name = str_copy(spec->base_name, arena);
    copy_exprs(&spec->partition, arena);
    copy_exprs(&spec->order, arena);
    spec->from.value = plan_copy_expr(spec->from.value, arena);
    spec->to.value = plan_copy_expr(spec->to.value, arena);
}

typedef VEC(WindowDef) WindowDefs;

static void copy_window_defs(void *field, Arena *arena)
{
    WindowDefs from, to = {0};
    memcpy(&from, field, sizeof from);
    for (size_t i = 0; i < from.len; i++) {
        WindowDef one = from.at[i];
        one.name = str_copy(one.name, arena);
        copy_window(&one.spec, arena);
        vec_push(arena, &to, one);
    }
    memcpy(field, &to, sizeof to);
}

static void copy_named_rels(NamedRelVec *v, Arena *arena)
{
    NamedRelVec from = *v;
    *v = (NamedRelVec){0};
    for (size_t i = 0; i < from.len; i++) {
        NamedRel one = from.at[i];
        one.name = str_copy(one.name, arena);
        copy_strs(&one.columns, arena);
        one.plan = plan_copy_rel(one.plan, arena);
        vec_push(arena, v, one);
    }
}

static void copy_numbers(void *field, Arena *arena)
{
    typedef VEC(double) Numbers;
    Numbers v;
    memcpy(&v, field, sizeof v);
    double *to = ARENA_ARRAY(arena, double, v.len);
    if (v.len > 0)
        memcpy(to, v.at, v.len * sizeof *to);
    v.at = to;
    v.cap = v.len;
    memcpy(field, &v, sizeof v);
}

static void copy_field(FieldType type, void *field, Arena *arena)
{
    switch (type) {
    case FIELD_STR: *(Str *)field = str_copy(*(Str *)field, arena); break;
    case FIELD_STRS: copy_strs(field, arena); break;
    case FIELD_EXPR: *(Expr **)field = plan_copy_expr(*(Expr **)field, arena); break;
    case FIELD_EXPRS: copy_exprs(field, arena); break;
    case FIELD_EXPR_LISTS: copy_expr_lists(field, arena); break;
    case FIELD_REL: *(Rel **)field = plan_copy_rel(*(Rel **)field, arena); break;
    case FIELD_RELS: copy_rels(field, arena); break;
    case FIELD_OPTIONS: copy_options(field, arena); break;
    case FIELD_TYPE: *(const Type **)field = copy_type(*(const Type **)field, arena); break;
    case FIELD_VALUE: copy_value(field, arena); break;
    case FIELD_PYTHON: *(PythonFunction **)field = plan_copy_python(*(PythonFunction **)field, arena); break;
    case FIELD_WINDOW: copy_window(field, arena); break;
    case FIELD_WINDOW_DEFS: copy_window_defs(field, arena); break;
    case FIELD_NAMED_RELS: copy_named_rels(field, arena); break;
    case FIELD_NUMBERS: copy_numbers(field, arena); break;
    }
}

static void copy_fields(const PlanField *fields, size_t count, int kind, void *node, Arena *arena)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].kind == kind)
            copy_field(fields[i].type, (char *)node + fields[i].offset, arena);
}

static const Site *copy_site(const Site *site, Arena *arena)
{
    if (site == NULL)
        return NULL;
    Site *to = ARENA_NEW(arena, Site);
    *to = *site;
    to->text = str_copy(site->text, arena);
    to->fragment = str_copy(site->fragment, arena);
    to->call_site = str_copy(site->call_site, arena);
    return to;
}

Expr *plan_copy_expr(const Expr *expr, Arena *arena)
{
    if (expr == NULL)
        return NULL;
    Expr *to = ARENA_NEW(arena, Expr);
    *to = *expr;
    to->site = copy_site(expr->site, arena);
    copy_fields(expr_fields, LENGTH_OF(expr_fields), (int)expr->kind, to, arena);
    return to;
}

Rel *plan_copy_rel(const Rel *rel, Arena *arena)
{
    if (rel == NULL)
        return NULL;
    Rel *to = ARENA_NEW(arena, Rel);
    *to = *rel;
    to->input = plan_copy_rel(rel->input, arena);
    copy_fields(rel_fields, LENGTH_OF(rel_fields), (int)rel->kind, to, arena);
    return to;
}

Value plan_copy_value(const Value *value, Arena *arena)
{
    Value to = *value;
    copy_value(&to, arena);
    return to;
}
