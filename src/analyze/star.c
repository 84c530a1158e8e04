/* Stars: the columns that * and t.* stand for, and what EXCEPT leaves of them. */
#include "analyze/analyze_impl.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What a star has become: each item and the column by which EXCEPT may name it. */
typedef struct Expansion {
    NamedItemVec items;
    BoundColumnVec columns;
} Expansion;

static void push_column(Analyzer *a, const BoundColumn *c, Expansion *out)
{
    NamedItem item = {c->name, bound_column(c, a->arena), false};
    vec_push(a->arena, &out->items, item);
    vec_push(a->arena, &out->columns, *c);
}

static BoundExpr *field_at(Analyzer *a, BoundExpr *child, size_t index)
{
    const Field *f = &child->type->structure.fields[index];
    BoundExpr *e = bound_new(BEXPR_FIELD, f->type, child->nullable || f->nullable, a->arena);
    e->field.child = child;
    e->field.index = index;
    return e;
}

/* ---- EXCEPT ---- */

/* A column, and the way down to one of its fields. */
typedef struct Excepted {
    ColumnId id;
    size_t path[16], depth;
} Excepted;
typedef VEC(Excepted) ExceptedVec;

static bool refuse_nested(Analyzer *a, const Name *name, const BoundExpr *e, Error *err)
{
    return error_set(err, ERR_EXCEPT_NESTED_COLUMN_INVALID_TYPE, P("columnName", name_text(name, a->arena)),
                     P("dataType", type_simple_string(e->type, a->arena)));
}

static bool find_excepted(Analyzer *a, const Expr *named, const BoundColumnVec *columns, Excepted *out, Error *err)
{
    const Name *name = &named->column.name;
    BoundExpr *e;
    TRY(find_column(a, name, columns, &e, err));
    if (!e) {
        Scope scope = {.columns = columns};
        return column_missing(a, named, &scope, err);
    }
    *out = (Excepted){0};
    for (const BoundExpr *up = e; up->kind == BEXPR_FIELD; up = up->field.child)
        out->depth++;
    if (out->depth > LENGTH_OF(out->path))
        return error_unsupported(err, "EXCEPT of a field more than %zu levels deep", LENGTH_OF(out->path));
    for (size_t i = out->depth; i > 0; e = e->field.child)
        out->path[--i] = e->field.index;
    if (e->kind != BEXPR_COLUMN)
        return refuse_nested(a, name, e, err);
    out->id = e->column.id;
    return true;
}

static bool overlap(const Excepted *x, const Excepted *y)
{
    if (x->id != y->id)
        return false;
    for (size_t i = 0; i < x->depth && i < y->depth; i++)
        if (x->path[i] != y->path[i])
            return false;
    return true;
}

static bool refuse_overlap(Analyzer *a, const Expr *star, Error *err)
{
    Buf b = buf_in(a->arena);
    for (size_t i = 0; i < star->star.except.len; i++) {
        buf_addz(&b, i ? ", " : "");
        buf_add(&b, name_text(&star->star.except.at[i]->column.name, a->arena));
    }
    return error_set(err, ERR_EXCEPT_OVERLAPPING_COLUMNS, P("columns", buf_str(&b)));
}

static bool find_all_excepted(Analyzer *a, const Expr *star, const BoundColumnVec *columns, ExceptedVec *out, Error *err)
{
    for (size_t i = 0; i < star->star.except.len; i++) {
        const Expr *named = star->star.except.at[i];
        Excepted e;
        if (named->kind != EXPR_COLUMN || !named->column.name.len)
            return error_unsupported(err, "EXCEPT of anything but names");
        TRY(find_excepted(a, named, columns, &e, err));
        vec_push(a->arena, out, e);
    }
    for (size_t i = 0; i < out->len; i++)
        for (size_t k = 0; k < i; k++)
            if (overlap(&out->at[i], &out->at[k]))
                return refuse_overlap(a, star, err);
    return true;
}

/* The struct again without the fields that the paths of this column, which agree down to `base`, end at. */
static BoundExpr *without_fields(Analyzer *a, BoundExpr *base, const ExceptedVec *excepted, const Excepted *here, size_t depth)
{
    VEC(Field) fields = {0};
    BoundExprVec children = {0};
    for (size_t i = 0; i < base->type->structure.count; i++) {
        Excepted below = *here;
        below.path[depth] = i;
        below.depth = depth + 1;
        bool gone = false, changed = false;
        for (size_t k = 0; k < excepted->len; k++) {
            const Excepted *e = &excepted->at[k];
            gone |= e->depth == depth + 1 && overlap(e, &below);
            changed |= e->depth > depth + 1 && overlap(e, &below);
        }
        if (gone)
            continue;
        BoundExpr *child = field_at(a, base, i);
        if (changed)
            child = without_fields(a, child, excepted, &below, depth + 1);
        Field f = base->type->structure.fields[i];
        f.type = child->type;
        f.nullable = child->nullable;
        vec_push(a->arena, &fields, f);
        vec_push(a->arena, &children, child);
    }
    BoundExpr *s = bound_new(BEXPR_STRUCT, type_struct(fields.at, fields.len, a->arena), false, a->arena);
    s->structure.children = children;
    return s;
}

static bool leave_out(Analyzer *a, const Expr *star, const Expansion *all, NamedItemVec *out, Error *err)
{
    ExceptedVec excepted = {0};
    if (!find_all_excepted(a, star, &all->columns, &excepted, err))
        return set_context(a, err, star->origin);
    for (size_t i = 0; i < all->items.len; i++) {
        Excepted whole = {.id = all->columns.at[i].id};
        bool gone = false, changed = false;
        for (size_t k = 0; k < excepted.len; k++) {
            gone |= excepted.at[k].id == whole.id && !excepted.at[k].depth;
            changed |= excepted.at[k].id == whole.id && excepted.at[k].depth;
        }
        if (gone)
            continue;
        NamedItem item = all->items.at[i];
        if (changed) {
            item.expr = without_fields(a, item.expr, &excepted, &whole, 0);
            item.is_new = true;
        }
        vec_push(a->arena, out, item);
    }
    return true;
}

/* ---- the star ---- */

static bool refuse_star(Analyzer *a, const Expr *star, const Scope *scope, Error *err)
{
    Buf list = buf_in(a->arena);
    for (size_t i = 0; i < scope->columns->len; i++)
        buf_addf(&list, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(scope->columns->at[i].name));
    error_set(err, ERR_CANNOT_RESOLVE_STAR_EXPAND, P("targetString", name_quoted(&star->star.target, a->arena)),
              P("columns", buf_str(&list)));
    return set_context(a, err, star->origin);
}

/* The columns of the name before the star: a relation's, or a struct's fields. */
static bool expand_in(Analyzer *a, const Expr *star, const Scope *scope, Expansion *out, Error *err)
{
    const Name *target = &star->star.target;
    for (size_t i = 0; i < scope->columns->len; i++) {
        const BoundColumn *c = &scope->columns->at[i];
        bool mine = target->len ? c->qualifier.len && qualifier_ends_with(a, &c->qualifier, target->at, target->len) : !c->hidden;
        if (mine && !(c->hidden && str_is(c->name, FILE_METADATA)))
            push_column(a, c, out);
    }
    if (out->items.len || !target->len)
        return true;
    BoundExpr *e;
    TRY(find_column(a, target, scope->columns, &e, err));
    for (size_t i = 0; e && e->type->kind == TYPE_STRUCT && i < e->type->structure.count; i++) {
        const Field *f = &e->type->structure.fields[i];
        NamedItem item = {f->name, field_at(a, e, i), false};
        vec_push(a->arena, &out->items, item);
        vec_push(a->arena, &out->columns, new_column(a, f->name, f->type, item.expr->nullable));
    }
    return true;
}

static void expand_plan(Analyzer *a, const Expr *star, const Scope *scope, NamedItemVec *out)
{
    const PlanOutputs *outputs = plan_outputs_of(a, star->star.plan_id);
    for (size_t o = 0; outputs && o < outputs->len; o++)
        for (size_t i = 0; i < outputs->at[o].len; i++) {
            const BoundColumn *c = &outputs->at[o].at[i];
            bool found = false;
            for (size_t k = 0; scope->columns && k < scope->columns->len && !found; k++)
                found = scope->columns->at[k].id == c->id;
            NamedItem item = {c->name, bound_column(c, a->arena), false};
            if (!c->hidden && found)
                vec_push(a->arena, out, item);
        }
}

bool expand_star(Analyzer *a, const Expr *star, Scope *scope, NamedItemVec *out, Error *err)
{
    if (star->star.plan_id >= 0) {
        expand_plan(a, star, scope, out);
        return true;
    }
    if (!scope->columns && star->star.target.len) {
        error_set(err, ERR_INVALID_USAGE_OF_STAR_OR_REGEX, PZ("elem", "'*'"), PZ("prettyName", "UnresolvedInlineTable"));
        return set_context(a, err, star->origin);
    }
    Expansion all = {0};
    /* t.* of a subquery may be the rows of the query around it. */
    for (const Scope *s = scope; s && !all.items.len; s = star->star.target.len && s == scope ? s->outer : NULL) {
        if (s->columns)
            TRY(expand_in(a, star, s, &all, err));
        for (size_t i = 0; s != scope && i < all.items.len; i++)
            mark_outer(a, s, all.items.at[i].expr);
    }
    if (!all.items.len && star->star.target.len)
        return refuse_star(a, star, scope, err);
    return leave_out(a, star, &all, out, err);
}

bool expand_regex(Analyzer *a, const Expr *e, Scope *scope, NamedItemVec *out, Error *err)
{
    Str pattern = e->regex_column.pattern;
    if (pattern.len >= 2 && pattern.ptr[0] == '`' && pattern.ptr[pattern.len - 1] == '`')
        pattern = str_slice(pattern, 1, pattern.len - 1);
    int code;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
                                   PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | (a->case_sensitive ? 0 : PCRE2_CASELESS),
                                   &code, &at, NULL);
    if (!re)
        return error_set(err, ERR_INVALID_PARAMETER_VALUE__PATTERN, PZ("parameter", "`regexp`"), PZ("functionName", "`colRegex`"),
                         P("value", str_printf(a->arena, "'" STR_FMT "'", STR_ARG(pattern))));
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(re, NULL);
    for (size_t i = 0; i < scope->columns->len; i++) {
        const BoundColumn *c = &scope->columns->at[i];
        if (!c->hidden && pcre2_match(re, (PCRE2_SPTR)c->name.ptr, c->name.len, 0, 0, match, NULL) >= 0)
            vec_push(a->arena, out, ((NamedItem){c->name, bound_column(c, a->arena), false}));
    }
    pcre2_match_data_free(match);
    pcre2_code_free(re);
    return true;
}
