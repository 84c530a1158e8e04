/* CHAR(n) as Spark has it (CharVarcharUtils, ApplyCharTypePadding): a column that was declared so is read with blanks up to n
 * characters, whatever its file holds, and compared as if the other side had them too. */
#include "analyze/analyze_impl.h"
#include "delta/schema.h"

#include <string.h>

#define DECLARED "__CHAR_VARCHAR_TYPE_STRING"

static bool pads_reads(const Analyzer *a)
{
    return session_bool(a->session, "spark.sql.readSideCharPadding", true) &&
           !session_bool(a->session, "spark.sql.legacy.charVarcharAsString", false);
}

static bool pad(Analyzer *a, BoundExpr *e, int length, BoundExpr **out, Error *err)
{
    BoundExpr *args[] = {e, bound_literal(value_int(TYPE_INT, length), a->arena)};
    return bind_builtin(a, "read_side_padding", 2, args, (Origin){0, -1}, out, err);
}

/* ---- what a scan gives ---- */

static bool pad_struct(Analyzer *a, BoundExpr *e, const Type *declared, BoundExpr **out, Error *err)
{
    BoundExpr *is_null, *s = bound_new(BEXPR_STRUCT, e->type, e->nullable, a->arena);
    for (size_t i = 0; i < declared->structure.count; i++) {
        BoundExpr *child;
        TRY(bind_field(a, e, e->type->structure.fields[i].name, &child, err));
        TRY(char_padded(a, child, declared->structure.fields[i].type, &child, err));
        vec_push(a->arena, &s->structure.children, child);
    }
    TRY(bind_builtin(a, "isnull", 1, &e, (Origin){0, -1}, &is_null, err));
    BoundExpr *c = bound_new(BEXPR_CASE, e->type, true, a->arena);
    vec_push(a->arena, &c->cases.conditions, is_null);
    vec_push(a->arena, &c->cases.values, bound_literal(value_null(e->type), a->arena));
    c->cases.otherwise = s;
    *out = c;
    return true;
}

/* Of a map: its keys, or its values. */
static bool pad_inside(Analyzer *a, BoundExpr *e, const char *function, size_t count, size_t which, const Type *declared, BoundExpr **out, Error *err)
{
    static const char *const NAMES[] = {"key", "value"};
    bool array = e->type->kind == TYPE_ARRAY;
    const Type *types[] = {array ? e->type->array.element : e->type->map.key, array ? NULL : e->type->map.value};
    bool nullable[] = {array && e->type->array.nulls, !array && e->type->map.nulls};
    BoundExpr *vars[2] = {0};
    BoundExpr *l = lambda_over(a, count, NAMES, vars, types, nullable);
    TRY(char_padded(a, vars[which], declared, &l->lambda.body, err));
    l->type = l->lambda.body->type;
    l->nullable = l->lambda.body->nullable;
    BoundExpr *args[] = {e, l};
    return bind_builtin(a, function, 2, args, (Origin){0, -1}, out, err);
}

bool char_padded(Analyzer *a, BoundExpr *e, const Type *declared, BoundExpr **out, Error *err)
{
    *out = e;
    if (!type_contains(declared, TYPE_CHAR) || (declared->kind != TYPE_CHAR && declared->kind != e->type->kind))
        return true;
    switch (declared->kind) {
    case TYPE_CHAR:
        return pad(a, e, declared->text.length, out, err);
    case TYPE_STRUCT:
        return declared->structure.count != e->type->structure.count || pad_struct(a, e, declared, out, err);
    case TYPE_ARRAY:
        return pad_inside(a, e, "transform", 1, 0, declared->array.element, out, err);
    case TYPE_MAP:
        if (type_contains(declared->map.key, TYPE_CHAR))
            TRY(pad_inside(a, e, "transform_keys", 2, 0, declared->map.key, out, err));
        return !type_contains(declared->map.value, TYPE_CHAR) ||
               pad_inside(a, *out, "transform_values", 2, 1, declared->map.value, out, err);
    default:
        return true;
    }
}

bool pad_char_columns(Analyzer *a, BoundRel **rel, Error *err)
{
    BoundRel *scan = *rel, *p = NULL;
    for (size_t i = 0; i < scan->columns.len && pads_reads(a); i++) {
        const BoundColumn *c = &scan->columns.at[i];
        if (c->hidden || str_find(c->metadata, S(DECLARED)) < 0)
            continue;
        const Type *declared;
        BoundExpr *e = bound_column(c, a->arena), *padded;
        Field f = {c->name, c->type, c->nullable, c->metadata};
        TRY(field_declared_type(&f, a->arena, &declared, err));
        TRY(char_padded(a, e, declared, &padded, err));
        if (padded == e)
            continue;
        p = p ? p : project_columns(a, scan, &scan->columns);
        p->project.items.at[i].expr = padded;
        p->project.items.at[i].id = p->columns.at[i].id = analyzer_next_id(a);
        p->columns.at[i].nullable = padded->nullable;
    }
    *rel = p ? p : scan;
    return true;
}

/* ---- comparisons ---- */

static const BoundColumn *column_in(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; columns && i < columns->len; i++)
        if (columns->at[i].id == id)
            return &columns->at[i];
    return NULL;
}

/* n of a column of CHAR(n); 0: it is another expression. */
static int char_length(Analyzer *a, const Scope *scope, const BoundExpr *e)
{
    const BoundColumn *c = NULL;
    const Type *declared;
    Error ignored = error_in(a->arena);
    if (e->kind != BEXPR_COLUMN || e->type->kind != TYPE_STRING)
        return 0;
    for (; scope && !c; scope = scope->outer) {
        c = column_in(scope->columns, e->column.id);
        c = c ? c : column_in(scope->fallback, e->column.id);
    }
    if (!c || str_find(c->metadata, S(DECLARED)) < 0)
        return 0;
    Field f = {c->name, c->type, c->nullable, c->metadata};
    return field_declared_type(&f, a->arena, &declared, &ignored) && declared->kind == TYPE_CHAR ? declared->text.length : 0;
}

/* Characters of a literal; -1: no literal of a text. */
static int text_length(const BoundExpr *e)
{
    return e->kind == BEXPR_LITERAL && e->type->kind == TYPE_STRING && !e->literal.is_null ? (int)str_utf8_len(e->literal.bytes) : -1;
}

static bool compares(const char *name)
{
    static const char *const ROWS[] = {"=", "!=", "<=>", "<", "<=", ">", ">=", "in"};
    for (size_t i = 0; i < LENGTH_OF(ROWS); i++)
        if (!strcmp(name, ROWS[i]))
            return true;
    return false;
}

bool pad_char_operands(Analyzer *a, const FuncRow *row, const Scope *scope, BoundExprVec *args, Error *err)
{
    int longest = 0, lengths[2] = {0};
    if (!compares(row->name) || args->len < 2)
        return true;
    for (size_t i = 0; i < 2; i++)
        lengths[i] = char_length(a, scope, args->at[i]);
    if (!lengths[0] && (!lengths[1] || !strcmp(row->name, "in")))
        return true;
    for (size_t i = 0; i < args->len; i++) {
        int length = char_length(a, scope, args->at[i]), text = text_length(args->at[i]);
        if (!length && !func_is_foldable(args->at[i]))
            return true;
        longest = length > longest ? length : longest;
        longest = text > longest ? text : longest;
    }
    for (size_t i = 0; i < args->len; i++) {
        int length = char_length(a, scope, args->at[i]);
        bool stays = args->at[i]->type->kind != TYPE_STRING || text_length(args->at[i]) == longest || (length == longest && pads_reads(a));
        if (!stays)
            TRY(pad(a, args->at[i], longest, &args->at[i], err));
    }
    return true;
}
