/* From a name to a column: qualifiers, struct fields, DataFrame plan ids, outer queries, stars. */
#include "analyze/analyze_impl.h"
#include "session/plan_copy.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- matching ---- */

bool qualifier_ends_with(const Analyzer *a, const Name *qualifier, const Str *parts, size_t count)
{
    if (qualifier->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        Str own = qualifier->at[qualifier->len - count + i];
        bool catalog = i == 0 && count == 3;
        if (!name_matches(a, own, parts[i]) && !(catalog && name_matches(a, shown_catalog(own), parts[i])))
            return false;
    }
    return true;
}

typedef VEC(const BoundColumn *) ColumnMatches;

static void match_columns(Analyzer *a, const BoundColumnVec *columns, const Str *parts, size_t qualifiers, bool hidden,
                          ColumnMatches *out)
{
    for (size_t i = 0; i < columns->len; i++) {
        const BoundColumn *c = &columns->at[i];
        if (c->hidden == hidden && name_matches(a, c->name, parts[qualifiers]) &&
            qualifier_ends_with(a, &c->qualifier, parts, qualifiers))
            vec_push(a->arena, out, c);
    }
}

/* How many parts of a qualifier messages show: none of the name that nobody wrote. */
static size_t shown_qualifiers(const BoundColumn *c)
{
    return c->qualifier.len == 1 && str_is(c->qualifier.at[0], UNNAMED_SUBQUERY) ? 0 : c->qualifier.len;
}

static Str quoted_reference(Analyzer *a, const BoundColumn *c)
{
    Name full = {0};
    for (size_t i = 0; i < shown_qualifiers(c); i++)
        vec_push(a->arena, &full, c->qualifier.at[i]);
    vec_push(a->arena, &full, c->name);
    return name_quoted(&full, a->arena);
}

static bool ambiguous(Analyzer *a, const Name *name, const ColumnMatches *m, Error *err)
{
    Buf refs = buf_in(a->arena);
    buf_addc(&refs, '[');
    for (size_t i = 0; i < m->len; i++) {
        if (i)
            buf_addz(&refs, ", ");
        buf_add(&refs, quoted_reference(a, m->at[i]));
    }
    buf_addc(&refs, ']');
    return error_set(err, ERR_AMBIGUOUS_REFERENCE, P("name", name_quoted(name, a->arena)),
                     P("referenceNames", buf_str(&refs)));
}

BoundExpr *null_extract(Analyzer *a, const BoundExpr *child, Str shown)
{
    BoundExpr *e = bound_literal(value_null(type_simple(TYPE_NULL)), a->arena);
    e->shown = str_concat(a->arena, func_pretty_name(child, a->func.zone, a->arena), shown);
    return e;
}

bool bind_field(Analyzer *a, BoundExpr *child, Str field, BoundExpr **out, Error *err)
{
    const Type *t = child->type;
    if (t->kind == TYPE_STRUCT) {
        int i = type_field_index(t, field, a->case_sensitive);
        if (i == -2) {
            Buf n = buf_in(a->arena);
            buf_addf(&n, "`" STR_FMT "`", STR_ARG(field));
            return error_set(err, ERR_AMBIGUOUS_REFERENCE_TO_FIELDS, P("field", buf_str(&n)), PZ("count", "2"));
        }
        if (i < 0) {
            Buf fields = buf_in(a->arena);
            for (size_t f = 0; f < t->structure.count; f++)
                buf_addf(&fields, "%s`" STR_FMT "`", f ? ", " : "", STR_ARG(t->structure.fields[f].name));
            return error_set(err, ERR_FIELD_NOT_FOUND, P("fieldName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(field))),
                             P("fields", buf_str(&fields)));
        }
        const Field *f = &t->structure.fields[i];
        BoundExpr *e = bound_new(BEXPR_FIELD, f->type, child->nullable || f->nullable, a->arena);
        e->field.child = child;
        e->field.index = (size_t)i;
        *out = e;
        return true;
    }
    if (t->kind == TYPE_MAP) {
        BoundExpr *args[2] = {child, bound_literal(value_string(field), a->arena)};
        return bind_builtin(a, "element_at_key", 2, args, (Origin){0, -1}, out, err);
    }
    if (t->kind == TYPE_ARRAY && t->array.element->kind == TYPE_STRUCT) {
        BoundExpr *args[2] = {child, bound_literal(value_string(field), a->arena)};
        return bind_builtin(a, "array_field", 2, args, (Origin){0, -1}, out, err);
    }
    if (t->kind == TYPE_NULL)
        return *out = null_extract(a, child, str_printf(a->arena, "[" STR_FMT "]", STR_ARG(field))), true;
    return error_set(err, ERR_INVALID_EXTRACT_BASE_FIELD_TYPE,
                     P("base", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(child, a->func.zone, a->arena)))),
                     P("other", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, a->arena)))));
}

/* Tries every split of the parts into qualifier, column and nested fields; the longest qualifier first, as Spark does. */
bool find_column(Analyzer *a, const Name *name, const BoundColumnVec *columns, BoundExpr **out, Error *err)
{
    *out = NULL;
    if (!columns || !name->len)
        return true;
    for (size_t i = 0; i < name->len; i++)
        a->asked_metadata |= name_matches(a, name->at[i], S(FILE_METADATA));
    for (int hidden = 0; hidden < 2; hidden++) {
        size_t most = name->len - 1 < 3 ? name->len - 1 : 3;
        for (size_t q = most + 1; q-- > 0;) {
            ColumnMatches m = {0};
            match_columns(a, columns, name->at, q, hidden, &m);
            if (!m.len)
                continue;
            for (size_t i = 1; i < m.len; i++)
                if (column_identity(m.at[i]) != column_identity(m.at[0]))
                    return ambiguous(a, name, &m, err);
            BoundExpr *e = bound_column(m.at[0], a->arena);
            e->column.name = name->at[q]; /* the result is called as it was written */
            for (size_t i = q + 1; i < name->len; i++)
                TRY(bind_field(a, e, name->at[i], &e, err));
            *out = e;
            return true;
        }
    }
    return true;
}

/* ---- suggestions ---- */

static size_t edit_distance(Str x, Str y)
{
    enum { LIMIT = 64 };
    if (x.len > LIMIT || y.len > LIMIT)
        return LIMIT;
    size_t row[LIMIT + 1];
    for (size_t j = 0; j <= y.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= x.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= y.len; j++) {
            size_t above = row[j];
            size_t cost = diagonal + ((x.ptr[i - 1] | 0x20) != (y.ptr[j - 1] | 0x20));
            size_t step = (above < row[j - 1] ? above : row[j - 1]) + 1;
            row[j] = cost < step ? cost : step;
            diagonal = above;
        }
    }
    return row[y.len];
}

typedef struct Suggestion {
    Str text;
    size_t distance, order;
} Suggestion;

static int by_distance(const void *x, const void *y)
{
    const Suggestion *s = x, *t = y;
    if (s->distance != t->distance)
        return s->distance < t->distance ? -1 : 1;
    return s->order < t->order ? -1 : s->order > t->order;
}

bool column_missing(Analyzer *a, const Expr *e, const Scope *scope, Error *err)
{
    const Name *name = &e->column.name;
    VEC(Suggestion) found = {0};
    Str wanted = name_text(name, a->arena);
    bool qualified = name->len > 1;
    for (size_t i = 0; scope->columns && i < scope->columns->len; i++) {
        const BoundColumn *c = &scope->columns->at[i];
        if (c->hidden)
            continue;
        Name full = {0};
        if (qualified && c->qualifier.len)
            vec_push(a->arena, &full, vec_last(&c->qualifier));
        vec_push(a->arena, &full, c->name);
        Name shown = {0};
        if (shown_qualifiers(c))
            for (size_t k = qualified || c->qualifier.len == 1 ? c->qualifier.len - 1 : c->qualifier.len; k < c->qualifier.len; k++)
                vec_push(a->arena, &shown, c->qualifier.at[k]);
        vec_push(a->arena, &shown, c->name);
        Suggestion s = {name_quoted(&shown, a->arena), edit_distance(wanted, name_text(&full, a->arena)), i};
        vec_push(a->arena, &found, s);
    }
    Str object = name_quoted(name, a->arena);
    if (!found.len) {
        error_set(err, ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION, P("objectName", object));
        return set_context(a, err, e->origin);
    }
    qsort(found.at, found.len, sizeof *found.at, by_distance);
    Buf list = buf_in(a->arena);
    for (size_t i = 0; i < found.len && i < 5; i++) {
        if (i)
            buf_addz(&list, ", ");
        buf_add(&list, found.at[i].text);
    }
    error_set(err, ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION, P("objectName", object), P("proposal", buf_str(&list)));
    return set_context(a, err, e->origin);
}

/* ---- DataFrame columns ---- */

const PlanOutputs *plan_outputs_of(const Analyzer *a, int64_t plan_id)
{
    char key[32];
    int len = snprintf(key, sizeof key, "%" PRId64, plan_id);
    return map_get(&a->plan_outputs, (Str){key, (size_t)len});
}

static const BoundColumn *column_by_id(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; columns && i < columns->len; i++)
        if (columns->at[i].id == id)
            return &columns->at[i];
    return NULL;
}

static bool reachable(Scope *scope, ColumnId id, bool *outer)
{
    *outer = false;
    for (Scope *s = scope; s; s = s->outer, *outer = true) {
        if (column_by_id(s->columns, id))
            return true;
        if (column_by_id(s->fallback, id)) {
            s->used_fallback = true;
            return true;
        }
    }
    return false;
}

static ColumnId base_column(const BoundExpr *e)
{
    while (e->kind == BEXPR_FIELD)
        e = e->field.child;
    return e->kind == BEXPR_COLUMN ? e->column.id : 0;
}

/* df.a: the column that this very DataFrame had, if it is still in reach. */
static bool bind_by_plan(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    *out = NULL;
    const PlanOutputs *outputs = plan_outputs_of(a, e->column.plan_id);
    Str shown = name_quoted(&e->column.name, a->arena);
    if (!outputs) {
        error_set(err, ERR_CANNOT_RESOLVE_DATAFRAME_COLUMN, P("name", shown));
        return false;
    }
    size_t found = 0;
    for (size_t i = 0; i < outputs->len; i++) {
        BoundExpr *candidate;
        TRY(find_column(a, &e->column.name, &outputs->at[i], &candidate, err));
        bool outer;
        if (!candidate || !reachable(scope, base_column(candidate), &outer))
            continue;
        if (*out && base_column(*out) == base_column(candidate))
            continue;
        if (candidate->kind == BEXPR_COLUMN)
            candidate->column.outer = outer;
        *out = candidate;
        found++;
    }
    if (found > 1)
        return error_set(err, ERR_AMBIGUOUS_COLUMN_REFERENCE, P("name", shown));
    if (found == 1)
        return true;
    bool known = false;
    for (size_t i = 0; i < outputs->len && !known; i++) {
        BoundExpr *candidate;
        TRY(find_column(a, &e->column.name, &outputs->at[i], &candidate, err));
        known = candidate != NULL;
    }
    if (!known && outputs->len) {
        Scope theirs = {.columns = &outputs->at[0]};
        return column_missing(a, e, &theirs, err);
    }
    /* The DataFrame had it, but a later step (a union, an aggregate) made a new column under the same name. */
    TRY(find_column(a, &e->column.name, scope->columns, out, err));
    if (*out)
        return true;
    return error_set(err, ERR_CANNOT_RESOLVE_DATAFRAME_COLUMN, P("name", shown));
}

/* ---- names ---- */

static bool find_lambda_var(Analyzer *a, const Name *name, const Scope *scope, BoundExpr **out, Error *err)
{
    *out = NULL;
    for (const LambdaVar *v = scope->lambdas; v; v = v->next) {
        if (!name_matches(a, v->name, name->at[0]))
            continue;
        BoundExpr *e = bound_new(BEXPR_LAMBDA_VAR, v->type, v->nullable, a->arena);
        e->lambda_var.id = v->id;
        e->lambda_var.name = v->name;
        for (size_t i = 1; i < name->len; i++)
            TRY(bind_field(a, e, name->at[i], &e, err));
        *out = e;
        return true;
    }
    return true;
}

/* The earlier item again, under the name that Spark shows for it inside an expression. */
static BoundExpr *lateral_reference(Analyzer *a, const NamedItem *item)
{
    BoundExpr *e = ARENA_NEW(a->arena, BoundExpr);
    *e = *item->expr;
    e->lateral_alias = item->name;
    return e;
}

static bool find_alias(Analyzer *a, const Name *name, const Scope *scope, BoundExpr **out, Error *err)
{
    *out = NULL;
    size_t matches = 0, at = 0;
    if (name->len > 1 && scope->alias_owner.len && name_matches(a, scope->alias_owner, name->at[0]))
        at = 1;
    for (size_t i = 0; scope->aliases && i < scope->aliases->len; i++) {
        if (!name_matches(a, scope->aliases->at[i].name, name->at[at]))
            continue;
        *out = scope->aliases->at[i].expr;
        if (!scope->alias_owner.len)
            *out = lateral_reference(a, &scope->aliases->at[i]);
        matches++;
    }
    if (matches > 1)
        return error_set(err, ERR_AMBIGUOUS_LATERAL_COLUMN_ALIAS, P("name", name_quoted(name, a->arena)),
                         P("n", str_printf(a->arena, "%zu", matches)));
    for (size_t i = at + 1; *out && i < name->len; i++)
        TRY(bind_field(a, *out, name->at[i], out, err));
    return true;
}

static bool is_grouping_key(const BoundItemVec *keys, const BoundExpr *e)
{
    for (;; e = e->field.child) {
        for (size_t i = 0; i < keys->len; i++)
            if (bound_equal(keys->at[i].expr, e))
                return true;
        if (e->kind != BEXPR_FIELD)
            return false;
    }
}

/* A name that is ambiguous or has no such field here may still mean a column of the second choice. */
static bool find_first(Analyzer *a, const Name *name, const BoundColumnVec *first, const BoundColumnVec *second, BoundExpr **out,
                       Error *err)
{
    if (!second)
        return find_column(a, name, first, out, err);
    Error failure = error_in(a->arena);
    if (find_column(a, name, first, out, &failure))
        return true;
    Error ignored = error_in(a->arena);
    if (find_column(a, name, second, out, &ignored) && *out)
        return true;
    error_copy(err, &failure);
    return false;
}

static bool find_in_scope(Analyzer *a, const Name *name, Scope *scope, BoundExpr **out, Error *err)
{
    TRY(find_lambda_var(a, name, scope, out, err));
    if (*out)
        return true;
    if (scope->keys && scope->keys->len) {
        Error ignored = error_in(a->arena);
        if (find_column(a, name, scope->fallback, out, &ignored) && *out && is_grouping_key(scope->keys, *out)) {
            scope->used_fallback = true;
            return true;
        }
    }
    const BoundColumnVec *first = scope->prefer_fallback ? scope->fallback : scope->columns;
    const BoundColumnVec *second = scope->prefer_fallback ? scope->columns : scope->fallback;
    TRY(find_first(a, name, first, second, out, err));
    if (*out) {
        scope->used_fallback |= first == scope->fallback;
        return true;
    }
    TRY(find_alias(a, name, scope, out, err));
    if (*out)
        return true;
    TRY(find_column(a, name, second, out, err));
    if (*out)
        scope->used_fallback |= second == scope->fallback;
    return true;
}

static Str column_path(Analyzer *a, const BoundColumn *c)
{
    Name path = {0};
    for (size_t i = 0; i < c->qualifier.len; i++)
        vec_push(a->arena, &path, i == 0 && c->qualifier.len == 3 ? shown_catalog(c->qualifier.at[0]) : c->qualifier.at[i]);
    vec_push(a->arena, &path, c->name);
    return name_text(&path, a->arena);
}

void mark_outer(Analyzer *a, const Scope *theirs, BoundExpr *e)
{
    while (e->kind == BEXPR_FIELD)
        e = e->field.child;
    if (e->kind != BEXPR_COLUMN)
        return;
    const BoundColumn *c = column_by_id(theirs->columns, e->column.id);
    c = c ? c : column_by_id(theirs->fallback, e->column.id);
    e->column.outer = true;
    e->column.path = c ? column_path(a, c) : e->column.name;
}

static bool session_variable(Analyzer *a, const Name *name, size_t parts, Variable *out)
{
    bool full = parts == 3 && str_is_ci(name->at[0], "system") && str_is_ci(name->at[1], "session");
    bool half = parts == 2 && str_is_ci(name->at[0], "session");
    return (parts == 1 || full || half) && session_get_variable(a->session, name->at[parts - 1], a->arena, out);
}

static Str variable_path(const Analyzer *a, const LocalVariable *local, Str name)
{
    if (local == NULL)
        return str_printf(a->arena, "system.session." STR_FMT, STR_ARG(name));
    const LocalScope *s = a->locals;
    while (local < s->variables.at || local >= s->variables.at + s->variables.len)
        s = s->outer;
    Str parts[3] = {S("local"), s->label, name};
    return name_text(&(Name){.at = parts, .len = 3}, a->arena);
}

/* The longest part of the name that is a variable, a script's own first; the rest are fields of it. *out NULL: there is none. */
static bool find_variable(Analyzer *a, const Name *name, BoundExpr **out, Error *err)
{
    *out = NULL;
    for (size_t parts = name->len; parts > 0 && *out == NULL; parts--) {
        Variable v;
        LocalVariable *local = locals_find(a->locals, name, parts);
        if (local == NULL && !session_variable(a, name, parts, &v))
            continue;
        if (local != NULL)
            v = local->variable;
        else
            note_temp_object(a, "VARIABLE", name);
        *out = bound_literal(plan_copy_value(&v.value, a->arena), a->arena);
        (*out)->variable = variable_path(a, local, name->at[parts - 1]);
        for (size_t i = parts; i < name->len; i++)
            TRY(bind_field(a, *out, name->at[i], out, err));
    }
    return true;
}

/* CURRENT_DATE and grouping__id: calls without parentheses. */
static bool bind_word_call(Analyzer *a, const Expr *e, const char *name, Scope *scope, BoundExpr **out, Error *err)
{
    Expr *call = expr_call(a->arena, name, 0, NULL);
    call->origin = e->origin;
    return bind_call(a, call, scope, out, err);
}

/* Before Spark 4.2 a parameter of a SQL function came before a function of its name. */
static bool name_parameters_first(Analyzer *a, const Scope *scope)
{
    return scope->alias_owner.len && session_bool(a->session, "spark.sql.legacy.allowUdfParameterToShadowParameterlessFunction", false);
}

bool bind_column(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    const Name *name = &e->column.name;
    if (e->column.plan_id >= 0) {
        if (bind_by_plan(a, e, scope, out, err))
            return true;
        return set_context(a, err, e->origin);
    }
    const FuncRow *row = name->len == 1 ? func_find(name->at[0]) : NULL;
    bool is_function = row && (row->flags & FUNC_CONTEXT);
    bool is_grouping = name->len == 1 && str_is_ci(name->at[0], "grouping__id");
    if ((is_function || is_grouping) && !name_parameters_first(a, scope)) {
        /* Only a column right here comes before it: no alias, no parameter, no outer query. */
        Scope here = *scope;
        here.aliases = NULL;
        if (!find_in_scope(a, name, &here, out, err))
            return set_context(a, err, e->origin);
        scope->used_fallback |= here.used_fallback;
        return *out || bind_word_call(a, e, is_function ? row->name : "grouping_id", scope, out, err);
    }
    int level = 0;
    for (Scope *s = scope; s; s = s->outer, level++) {
        if (level > 1 && !s->aliases) /* only the next query is in sight, and the parameters of a function */
            continue;
        if (!find_in_scope(a, name, s, out, err))
            return set_context(a, err, e->origin);
        if (!*out)
            continue;
        if (s != scope)
            mark_outer(a, s, *out);
        return true;
    }
    if (is_function || is_grouping)
        return bind_word_call(a, e, is_function ? row->name : "grouping_id", scope, out, err);
    if (!scope->no_variables && !find_variable(a, name, out, err))
        return set_context(a, err, e->origin);
    if (!scope->no_variables && *out)
        return true;
    return column_missing(a, e, scope, err);
}
