/* UNION, INTERSECT, EXCEPT: columns line up by position or name and are brought to common types. */
#include "analyze/analyze_impl.h"

static const char *const OPERATOR[] = {[SETOP_UNION] = "UNION", [SETOP_INTERSECT] = "INTERSECT", [SETOP_EXCEPT] = "EXCEPT"};

/* A left-deep chain of the same UNION ALL is one n-ary node: no recursion over thousands of branches. */
static bool gather(Analyzer *a, const Rel *rel, BoundRelVec *inputs, Error *err)
{
    RelVec right = {0};
    const Rel *at = rel;
    bool flat = rel->set_op.kind == SETOP_UNION && rel->set_op.all && !rel->set_op.by_name;
    do {
        vec_push(a->arena, &right, at->set_op.right);
        at = at->input;
    } while (flat && at && at->kind == REL_SET_OP && at->plan_id < 0 && at->set_op.kind == SETOP_UNION && at->set_op.all &&
             !at->set_op.by_name);
    BoundRel *bound;
    TRY(analyze_rel(a, at, &bound, err));
    bound = strip_hidden(a, bound);
    vec_push(a->arena, inputs, bound);
    for (size_t i = right.len; i-- > 0;) {
        TRY(analyze_rel(a, right.at[i], &bound, err));
        bound = strip_hidden(a, bound);
        vec_push(a->arena, inputs, bound);
    }
    return true;
}

static const char *ordinal(Analyzer *a, size_t n)
{
    static const char *const WORDS[] = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"};
    return n < LENGTH_OF(WORDS) ? WORDS[n] : str_z(str_printf(a->arena, "%zuth", n + 1), a->arena);
}

static bool check_counts(Analyzer *a, const Rel *rel, const BoundRelVec *inputs, Error *err)
{
    for (size_t i = 1; i < inputs->len; i++)
        if (inputs->at[i]->columns.len != inputs->at[0]->columns.len) {
            error_set(err, ERR_NUM_COLUMNS_MISMATCH, PZ("operator", OPERATOR[rel->set_op.kind]),
                      P("firstNumColumns", str_printf(a->arena, "%zu", inputs->at[0]->columns.len)), PZ("invalidOrdinalNum", ordinal(a, i)),
                      P("invalidNumColumns", str_printf(a->arena, "%zu", inputs->at[i]->columns.len)));
            return set_context(a, err, rel->origin);
        }
    return true;
}

static BoundRel *cast_columns(Analyzer *a, BoundRel *input, const Type **types, Error *err)
{
    bool same = true;
    for (size_t i = 0; i < input->columns.len; i++)
        same &= type_same_shape(input->columns.at[i].type, types[i]);
    if (same)
        return input;
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        BoundColumn c = input->columns.at[i];
        BoundExpr *e = bound_column(&c, a->arena);
        if (!type_same_shape(c.type, types[i])) {
            if (!coerce_to(a, e, types[i], &e, err))
                return NULL;
            c.id = analyzer_next_id(a);
            c.type = types[i];
        }
        project_push(a, p, e, c);
    }
    return p;
}

static bool common_types(Analyzer *a, const Rel *rel, const BoundRelVec *inputs, const Type **types, Error *err)
{
    for (size_t c = 0; c < inputs->at[0]->columns.len; c++) {
        const Type *t = inputs->at[0]->columns.at[c].type;
        for (size_t i = 1; i < inputs->len; i++) {
            const Type *other = inputs->at[i]->columns.at[c].type;
            const Type *wider = coerce_common(t, other, a->ansi, a->arena);
            if (!wider) {
                error_set(err, ERR_INCOMPATIBLE_COLUMN_TYPE, PZ("operator", OPERATOR[rel->set_op.kind]), PZ("columnOrdinalNumber", ordinal(a, c)),
                          PZ("tableOrdinalNumber", ordinal(a, i)), P("dataType1", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(other, a->arena)))),
                          P("dataType2", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, a->arena)))), PZ("hint", ""));
                return set_context(a, err, rel->origin);
            }
            t = wider;
        }
        types[c] = t;
        if (rel->set_op.kind != SETOP_UNION || !rel->set_op.all)
            if (type_contains(t, TYPE_MAP))
                return error_set(err, ERR_UNSUPPORTED_FEATURE__SET_OPERATION_ON_MAP_TYPE,
                                 P("colName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(inputs->at[0]->columns.at[c].name))),
                                 P("dataType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, a->arena)))));
    }
    return true;
}

static bool find_by_name(Analyzer *a, const BoundRel *rel, Str name, size_t *index)
{
    for (size_t i = 0; i < rel->columns.len; i++)
        if (name_matches(a, rel->columns.at[i].name, name)) {
            *index = i;
            return true;
        }
    return false;
}

static bool missing_column(Analyzer *a, const BoundRel *rel, Str name, Error *err)
{
    Buf list = buf_in(a->arena);
    for (size_t i = 0; i < rel->columns.len; i++)
        buf_addf(&list, "%s" STR_FMT, i ? ", " : "", STR_ARG(rel->columns.at[i].name));
    return error_set(err, ERR_UNRESOLVED_COLUMN_AMONG_FIELD_NAMES, P("colName", name), P("fieldNames", buf_str(&list)));
}

static void push_null(Analyzer *a, BoundRel *p, const BoundColumn *like)
{
    BoundExpr *e = bound_literal(value_null(like->type), a->arena);
    project_push(a, p, e, column_of_expr(a, e, like->name, like->metadata));
}

/* unionByName: the first input's names rule; with allowMissingColumns each side gets the other's as NULL. */
static bool align_by_name(Analyzer *a, const Rel *rel, BoundRelVec *inputs, Error *err)
{
    BoundRel *left = inputs->at[0], *right = inputs->at[1];
    BoundRel *l = brel_new(BREL_PROJECT, left, a->arena), *r = brel_new(BREL_PROJECT, right, a->arena);
    for (size_t i = 0; i < left->columns.len; i++) {
        const BoundColumn *c = &left->columns.at[i];
        size_t k;
        project_push(a, l, bound_column(c, a->arena), *c);
        if (find_by_name(a, right, c->name, &k))
            project_push(a, r, bound_column(&right->columns.at[k], a->arena), right->columns.at[k]);
        else if (rel->set_op.allow_missing)
            push_null(a, r, c);
        else
            return missing_column(a, right, c->name, err);
    }
    for (size_t k = 0; k < right->columns.len; k++) {
        size_t i;
        const BoundColumn *c = &right->columns.at[k];
        if (find_by_name(a, left, c->name, &i))
            continue;
        if (!rel->set_op.allow_missing)
            return missing_column(a, left, c->name, err);
        push_null(a, l, c);
        project_push(a, r, bound_column(c, a->arena), *c);
    }
    inputs->at[0] = l;
    inputs->at[1] = r;
    return true;
}

bool analyze_set_op(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRelVec inputs = {0};
    TRY(gather(a, rel, &inputs, err));
    if (rel->set_op.by_name && (rel->set_op.allow_missing || inputs.at[0]->columns.len == inputs.at[1]->columns.len))
        TRY(align_by_name(a, rel, &inputs, err));
    TRY(check_counts(a, rel, &inputs, err));
    size_t count = inputs.at[0]->columns.len;
    const Type **types = ARENA_ARRAY(a->arena, const Type *, count);
    TRY(common_types(a, rel, &inputs, types, err));
    BoundRel *s = brel_new(BREL_SETOP, NULL, a->arena);
    s->setop.kind = rel->set_op.kind;
    s->setop.all = rel->set_op.all;
    for (size_t i = 0; i < inputs.len; i++) {
        BoundRel *input = cast_columns(a, inputs.at[i], types, err);
        if (!input)
            return false;
        vec_push(a->arena, &s->setop.inputs, input);
    }
    for (size_t c = 0; c < count; c++) {
        BoundColumn column = s->setop.inputs.at[0]->columns.at[c];
        for (size_t i = 1; i < inputs.len; i++) {
            bool other = s->setop.inputs.at[i]->columns.at[c].nullable;
            column.nullable = rel->set_op.kind == SETOP_INTERSECT ? column.nullable && other
                              : rel->set_op.kind == SETOP_EXCEPT ? column.nullable : column.nullable || other;
        }
        vec_push(a->arena, &s->columns, column);
    }
    *out = s;
    return true;
}
