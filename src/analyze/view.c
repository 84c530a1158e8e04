/* Views: their bodies, read where the view was made, and how their columns follow what the bodies give now. */
#include "analyze/analyze_impl.h"
#include "type/coerce.h"

static bool rename_columns(Analyzer *a, BoundRel *rel, const StrVec *names, BoundRel **out, Error *err)
{
    if (!names->len) {
        *out = rel;
        return true;
    }
    if (names->len != rel->columns.len)
        return error_set(err, ERR_ASSIGNMENT_ARITY_MISMATCH, P("numTarget", str_printf(a->arena, "%zu", names->len)),
                         P("numExpr", str_printf(a->arena, "%zu", rel->columns.len)));
    BoundRel *p = brel_new(BREL_PROJECT, rel, a->arena);
    for (size_t i = 0; i < names->len; i++) {
        BoundExpr *e = bound_column(&rel->columns.at[i], a->arena);
        project_push(a, p, e, column_of_expr(a, e, names->at[i], rel->columns.at[i].metadata));
    }
    *out = p;
    return true;
}

/* ---- how a view's columns follow those of its query ---- */

static int numeric_rank(const Type *t)
{
    static const TypeKind ORDER[] = {TYPE_BYTE, TYPE_SHORT, TYPE_INT, TYPE_LONG, TYPE_FLOAT, TYPE_DOUBLE};
    for (size_t i = 0; i < LENGTH_OF(ORDER); i++)
        if (ORDER[i] == t->kind)
            return (int)i;
    return -1;
}

static int integral_digits(const Type *t)
{
    static const int DIGITS[] = {3, 5, 10, 20};
    int rank = numeric_rank(t);
    return rank >= 0 && rank < 4 ? DIGITS[rank] : -1;
}

/* Spark's Cast.canUpCast: conversions that lose nothing. */
static bool can_up_cast(const Type *from, const Type *to)
{
    if (type_same_shape(from, to) || from->kind == TYPE_NULL)
        return true;
    if (to->kind == TYPE_STRING)
        return !type_is_nested(from) && from->kind != TYPE_VARIANT && from->kind != TYPE_BINARY;
    if (to->kind == TYPE_DECIMAL) {
        if (from->kind == TYPE_DECIMAL)
            return to->decimal.precision - to->decimal.scale >= from->decimal.precision - from->decimal.scale && to->decimal.scale >= from->decimal.scale;
        int digits = integral_digits(from);
        return digits > 0 && to->decimal.precision - to->decimal.scale >= digits;
    }
    if (numeric_rank(from) >= 0 && numeric_rank(to) >= 0)
        return numeric_rank(from) <= numeric_rank(to);
    if (to->kind == TYPE_TIMESTAMP || to->kind == TYPE_TIMESTAMP_NTZ)
        return from->kind == TYPE_DATE || from->kind == TYPE_TIMESTAMP || from->kind == TYPE_TIMESTAMP_NTZ;
    if (from->kind != to->kind)
        return false;
    if (from->kind == TYPE_ARRAY)
        return can_up_cast(from->array.element, to->array.element);
    if (from->kind == TYPE_MAP)
        return can_up_cast(from->map.key, to->map.key) && can_up_cast(from->map.value, to->map.value);
    if (from->kind != TYPE_STRUCT || from->structure.count != to->structure.count)
        return false;
    for (size_t i = 0; i < from->structure.count; i++)
        if (!can_up_cast(from->structure.fields[i].type, to->structure.fields[i].type))
            return false;
    return true;
}

static Str quoted_type(Analyzer *a, const Type *t)
{
    return str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, a->arena)));
}

/* BINDING takes what loses nothing, COMPENSATION whatever CAST accepts. */
static bool view_cast(Analyzer *a, const TableEntry *entry, bool binding, BoundExpr *e, const Type *to, Str column, BoundExpr **out, Error *err)
{
    *out = e;
    if (type_same_shape(e->type, to))
        return true;
    Str parts[4] = {shown_catalog(entry->catalog), entry->schema, entry->name, column};
    Name full = name_of(a->arena, 4, parts);
    if (binding && !can_up_cast(e->type, to))
        return error_set(err, ERR_CANNOT_UP_CAST_DATATYPE, P("expression", name_text(&full, a->arena)), P("sourceType", quoted_type(a, e->type)),
                         P("targetType", quoted_type(a, to)), PZ("details", "The type path of the target object is:\n\nYou can either add an explicit cast to the input data or choose a higher precision type of the field in the target object"));
    if (!cast_is_allowed(e->type, to, CAST_ANSI))
        return error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION, P("sqlExpr", str_printf(a->arena, "\"CAST(" STR_FMT " AS " STR_FMT ")\"", STR_ARG(column), STR_ARG(type_sql(to, a->arena)))),
                         P("srcType", quoted_type(a, e->type)), P("targetType", quoted_type(a, to)));
    *out = bound_cast(e, to, CAST_ANSI, true, a->arena);
    (*out)->cast.zone = a->func.zone;
    return true;
}

static bool schema_changed(Analyzer *a, const TableEntry *entry, Str column, size_t expected, const BoundRel *body, Error *err)
{
    Buf actual = buf_in(a->arena);
    Str parts[3] = {shown_catalog(entry->catalog), entry->schema, entry->name};
    Name full = name_of(a->arena, 3, parts);
    size_t found = 0;
    for (size_t i = 0; i < body->columns.len; i++)
        if (name_matches(a, body->columns.at[i].name, column))
            buf_addf(&actual, "%s" STR_FMT, found++ ? "," : "[", STR_ARG(body->columns.at[i].name));
    buf_addz(&actual, found ? "]" : "[]");
    return error_set(err, ERR_INCOMPATIBLE_VIEW_SCHEMA_CHANGE, P("viewName", name_quoted(&full, a->arena)), P("colName", column),
                     P("expectedNum", str_printf(a->arena, "%zu", expected)), P("actualCols", buf_str(&actual)),
                     P("suggestion", str_printf(a->arena, "CREATE OR REPLACE VIEW " STR_FMT " AS " STR_FMT, STR_ARG(name_text(&full, a->arena)), STR_ARG(entry->view_sql))));
}

/* The n-th column of the query that is called so, n counting the recorded ones of that name before it. */
static int query_column(Analyzer *a, const BoundRel *body, const StrVec *recorded, size_t index)
{
    size_t skip = 0, wanted = 0, count = 0;
    for (size_t i = 0; i < index; i++)
        skip += name_matches(a, recorded->at[i], recorded->at[index]);
    for (size_t i = 0; i < recorded->len; i++)
        wanted += name_matches(a, recorded->at[i], recorded->at[index]);
    for (size_t i = 0; i < body->columns.len; i++)
        count += name_matches(a, body->columns.at[i].name, recorded->at[index]);
    if (count != wanted)
        return -1;
    for (size_t i = 0; i < body->columns.len; i++)
        if (name_matches(a, body->columns.at[i].name, recorded->at[index]) && !skip--)
            return (int)i;
    return -1;
}

/* What the view has become is recorded, so that describing it tells (Spark's ViewSyncSchemaToMetaStore). */
static bool record_schema(Analyzer *a, const TableEntry *entry, const BoundRel *body, const BoundRel *out, bool names, Error *err)
{
    VEC(Field) fields = {0};
    for (size_t i = 0; i < out->columns.len; i++) {
        const BoundColumn *c = &out->columns.at[i];
        vec_push(a->arena, &fields, ((Field){c->name, c->type, c->nullable, c->metadata}));
    }
    Str json = type_json_declared(type_struct(fields.at, fields.len, a->arena), a->arena);
    if (str_eq(json, entry->schema_json))
        return true;
    TableEntry changed = *entry;
    changed.schema_json = json;
    if (names) {
        detail_drop(&changed.details, "queryCol.");
        for (size_t i = 0; i < body->columns.len; i++)
            detail_set(&changed.details, str_printf(a->arena, "queryCol.%zu", i), body->columns.at[i].name, a->arena);
    }
    return catalog_update_table(session_catalog(a->session), &changed, err);
}

static bool evolve(Analyzer *a, const TableEntry *entry, BoundRel *body, BoundRel **out, Error *err)
{
    for (size_t i = 0; i < body->columns.len; i++)
        for (size_t k = 0; k < i; k++)
            if (name_matches(a, body->columns.at[k].name, body->columns.at[i].name))
                return error_set(err, ERR_COLUMN_ALREADY_EXISTS,
                                 P("columnName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(str_lower(body->columns.at[i].name, a->arena)))));
    *out = body;
    return record_schema(a, entry, body, body, true, err);
}

/* A view promised its columns when it was made; its mode says how they follow the query. */
static bool view_output(Analyzer *a, const TableEntry *entry, BoundRel *body, BoundRel **out, Error *err)
{
    *out = body;
    if (!entry->schema_json.len)
        return true;
    const Type *schema;
    StrVec recorded = {0};
    Str mode = detail_get(&entry->details, "viewSchemaMode");
    TRY(type_from_json(entry->schema_json, a->arena, &schema, err));
    detail_list(&entry->details, "queryCol", a->arena, &recorded);
    if (str_is(mode, "EVOLUTION"))
        return evolve(a, entry, body, out, err);
    bool by_name = recorded.len == schema->structure.count, follows = str_is(mode, "TYPE EVOLUTION");
    /* A view without a mode is bound, unless modes are switched off. */
    bool binding = mode.len ? str_is(mode, "BINDING") : session_bool(a->session, "spark.sql.legacy.viewSchemaBindingMode", true);
    BoundRel *p = brel_new(BREL_PROJECT, body, a->arena);
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        int at = by_name ? query_column(a, body, &recorded, i) : i < body->columns.len ? (int)i : -1;
        if (at < 0)
            return schema_changed(a, entry, by_name ? recorded.at[i] : f->name, 1, body, err);
        BoundExpr *e = bound_column(&body->columns.at[at], a->arena);
        if (!follows)
            TRY(view_cast(a, entry, binding, e, type_char_as_string(f->type, a->arena), f->name, &e, err));
        project_push(a, p, e, column_of_expr(a, e, f->name, f->metadata));
    }
    *out = p;
    return !follows || record_schema(a, entry, body, p, false, err);
}

bool analyze_view(Analyzer *a, const TableEntry *entry, BoundRel **out, Error *err)
{
    if (++a->view_depth > VIEW_MAX_DEPTH)
        return error_set(err, ERR_VIEW_EXCEED_MAX_NESTED_DEPTH, P("viewName", entry->name), PZ("maxNestedDepth", "100"));
    SavedState saved = analyzer_enter(a);
    a->space = (NameSpace){entry->view_catalog, entry->view_schema, true};
    a->default_collation = detail_get(&entry->details, "collation");
    a->sql_text = entry->view_sql;
    Rel *body;
    BoundRel *bound;
    bool ok = parse_query_text(a, entry->view_sql, &body, err) && analyze_rel(a, body, &bound, err);
    analyzer_leave(a, &saved);
    a->view_depth--;
    TRY(ok);
    return view_output(a, entry, strip_hidden(a, bound), out, err);
}

bool analyze_temp_view(Analyzer *a, const TempView *view, BoundRel **out, Error *err)
{
    if (++a->view_depth > VIEW_MAX_DEPTH)
        return error_set(err, ERR_VIEW_EXCEED_MAX_NESTED_DEPTH, P("viewName", view->name), PZ("maxNestedDepth", "100"));
    SavedState saved = analyzer_enter(a);
    a->sql_text = view->sql;
    a->default_collation = view->collation;
    BoundRel *bound;
    bool ok = analyze_rel(a, view->plan, &bound, err);
    analyzer_leave(a, &saved);
    a->view_depth--;
    TRY(ok);
    return rename_columns(a, strip_hidden(a, bound), &view->columns, out, err);
}
