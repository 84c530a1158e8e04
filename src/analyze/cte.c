/* Common table expressions: bound once where they are defined, referenced by copies with fresh column ids. */
#include "analyze/analyze_impl.h"

CteEntry *find_cte(const Analyzer *a, const Name *name)
{
    if (name->len != 1)
        return NULL;
    for (CteEntry *e = a->ctes; e; e = e->next)
        if (name_matches(a, e->name, name->at[0]))
            return e;
    return NULL;
}

bool cte_may_refer(CteEntry *cte, Error *err)
{
    cte->recursive |= !cte->definition;
    return !cte->in_anchor || error_set(err, ERR_INVALID_RECURSIVE_CTE);
}

BoundRel *cte_reference(Analyzer *a, CteEntry *cte)
{
    BoundRel *r = brel_new(BREL_CTE_REF, NULL, a->arena);
    r->cte_ref.id = cte->id;
    r->cte_ref.source = cte->columns;
    Name qualifier = {0};
    vec_push(a->arena, &qualifier, cte->name);
    for (size_t i = 0; i < cte->columns.len; i++) {
        BoundColumn c = cte->columns.at[i];
        c.id = analyzer_next_id(a);
        c.copy_of = 0;
        c.qualifier = qualifier;
        for (size_t k = 0; k < i && !c.copy_of; k++)
            if (column_identity(&cte->columns.at[k]) == column_identity(&cte->columns.at[i]))
                c.copy_of = column_identity(&r->columns.at[k]);
        vec_push(a->arena, &r->columns, c);
    }
    return r;
}

static bool name_columns(Analyzer *a, const NamedRel *def, BoundColumnVec *columns, Error *err)
{
    if (!def->columns.len)
        return true;
    if (def->columns.len != columns->len)
        return error_set(err, ERR_ASSIGNMENT_ARITY_MISMATCH, P("numTarget", str_printf(a->arena, "%zu", def->columns.len)),
                         P("numExpr", str_printf(a->arena, "%zu", columns->len)));
    for (size_t i = 0; i < columns->len; i++)
        columns->at[i].name = def->columns.at[i];
    return true;
}

static BoundColumnVec copy_columns(Analyzer *a, const BoundColumnVec *in)
{
    BoundColumnVec out = {0};
    for (size_t i = 0; i < in->len; i++)
        vec_push(a->arena, &out, in->at[i]);
    return out;
}

/* ---- recursion ---- */

static bool level_limit(Analyzer *a, const NamedRel *def, int64_t *out)
{
    bool found;
    Str text;
    *out = def->max_depth;
    if (def->max_depth >= 0)
        return true;
    session_get(a->session, S("spark.sql.cteRecursionLevelLimit"), a->arena, &found, &text);
    return found && str_to_i64(text, out) && *out >= 0;
}

/* (SELECT max(level) FROM the rows of the last step): the step's own level is one more. */
static BoundExpr *last_level(Analyzer *a, const CteEntry *entry, const BoundColumn *level, Error *err)
{
    BoundRel *ref = brel_new(BREL_CTE_REF, NULL, a->arena);
    BoundColumn mine = *level;
    mine.id = analyzer_next_id(a);
    ref->cte_ref.id = entry->id;
    vec_push(a->arena, &ref->cte_ref.source, *level);
    vec_push(a->arena, &ref->columns, mine);
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, ref, a->arena);
    BoundExpr *column = bound_column(&mine, a->arena), *most;
    if (!bind_builtin(a, "max", 1, &column, (Origin){0, -1}, &most, err))
        return NULL;
    BoundColumn c = new_column(a, S("level"), most->type, true);
    BoundItem item = {most, c.id};
    vec_push(a->arena, &aggregate->aggregate.aggregates, item);
    vec_push(a->arena, &aggregate->columns, c);
    BoundExpr *s = bound_new(BEXPR_SUBQUERY, c.type, true, a->arena);
    s->subquery.kind = SUBQUERY_SCALAR;
    s->subquery.plan = aggregate;
    return s;
}

/* Every row carries the level it was made at, so that a recursion without end is refused at Spark's limit instead of running on. */
static bool number_levels(Analyzer *a, const CteEntry *entry, int64_t limit, BoundRel *setop, Error *err)
{
    BoundRel *anchor = project_columns(a, setop->setop.inputs.at[0], &setop->setop.inputs.at[0]->columns);
    BoundExpr *zero = bound_literal(value_int(TYPE_INT, 0), a->arena);
    project_push(a, anchor, zero, new_column(a, S("level"), zero->type, false));
    setop->setop.inputs.at[0] = anchor;
    BoundColumn level = new_column(a, S("level"), zero->type, true);
    level.hidden = true;
    vec_push(a->arena, &setop->columns, level);
    BoundExpr *args[2] = {last_level(a, entry, &level, err), bound_literal(value_int(TYPE_LONG, limit), a->arena)}, *next;
    TRY(args[0] && bind_builtin(a, "recursion_level", 2, args, (Origin){0, -1}, &next, err));
    BoundRel *step = setop->setop.inputs.at[1];
    project_push(a, step, next, new_column(a, S("level"), next->type, true));
    return true;
}

/* ---- where a recursion may refer to itself ---- */

typedef struct SelfReference {
    uint32_t id;
    bool allowed;
    const BoundRel *join; /* whose sides are walked */
} SelfReference;

static bool check_reference(BoundRel **slot, void *arg);

static bool check_reference_in(BoundExpr **slot, void *arg)
{
    if ((*slot)->kind == BEXPR_SUBQUERY)
        TRY(check_reference(&(*slot)->subquery.plan, arg));
    return bound_each_child(*slot, check_reference_in, arg);
}

static bool holds_window(BoundExpr **slot, void *arg)
{
    (void)arg;
    return !bound_contains(*slot, BEXPR_WINDOW);
}

static bool side_may_recur(const BoundRel *join, const BoundRel *side)
{
    switch (join->join.kind) {
    case JOIN_INNER:
    case JOIN_CROSS: return true;
    case JOIN_RIGHT: return side != join->input;
    case JOIN_FULL: return false;
    default: return side == join->input;
    }
}

static bool check_reference(BoundRel **slot, void *arg)
{
    SelfReference here = *(const SelfReference *)arg;
    BoundRel *rel = *slot;
    if (here.join)
        here.allowed &= side_may_recur(here.join, rel);
    if (rel->kind == BREL_CTE_REF && rel->cte_ref.id == here.id)
        return here.allowed;
    here.join = rel->kind == BREL_JOIN ? rel : NULL;
    here.allowed &= rel->kind != BREL_SORT && (rel->kind != BREL_AGGREGATE || rel->aggregate.distinct);
    if (rel->kind == BREL_PROJECT && !brel_each_expr(rel, holds_window, NULL))
        here.allowed = false;
    SelfReference inside = here;
    inside.join = NULL;
    return brel_each_expr(rel, check_reference_in, &inside) && brel_each_input(rel, check_reference, &here);
}

/* ---- definitions ---- */

typedef VEC(CteEntry *) EntryVec;

static bool bind_definition(Analyzer *a, const NamedRel *def, CteEntry *entry, EntryVec *defined, Error *err);

static Str quoted_type(Analyzer *a, const Type *t)
{
    return str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, a->arena)));
}

/* The step's rows in the anchor's types, which they must not widen. */
static bool align_step(Analyzer *a, const CteEntry *entry, BoundRel *step, BoundRel **out, Error *err)
{
    if (step->columns.len != entry->columns.len)
        return error_set(err, ERR_NUM_COLUMNS_MISMATCH, PZ("operator", "UNION"),
                         P("firstNumColumns", str_printf(a->arena, "%zu", entry->columns.len)), PZ("invalidOrdinalNum", "second"),
                         P("invalidNumColumns", str_printf(a->arena, "%zu", step->columns.len)));
    BoundRel *cast = brel_new(BREL_PROJECT, step, a->arena);
    for (size_t i = 0; i < step->columns.len; i++) {
        BoundExpr *e = bound_column(&step->columns.at[i], a->arena);
        const Type *wanted = entry->columns.at[i].type, *common = coerce_common(wanted, e->type, a->ansi, a->arena);
        if (!common || !type_same_shape(common, wanted))
            return error_set(err, ERR_CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE, P("left", quoted_type(a, wanted)), P("right", quoted_type(a, e->type)));
        TRY(coerce_to(a, e, wanted, &e, err));
        project_push(a, cast, e, column_of_expr(a, e, entry->columns.at[i].name, (Str){0}));
    }
    *out = cast;
    return true;
}

/* The anchor of a recursive CTE gives its columns; the union below sees the CTE by name. A WITH around the union is bound
 * before, as if it stood outside: nothing in it may refer to the CTE. */
static bool bind_union(Analyzer *a, const NamedRel *def, const Rel *u, CteEntry *entry, EntryVec *defined, Error *err)
{
    for (; u && (u->kind == REL_SUBQUERY_ALIAS || u->kind == REL_WITH); u = u->input)
        for (size_t i = 0; u->kind == REL_WITH && i < u->with.ctes.len; i++) {
            CteEntry *inner = ARENA_NEW(a->arena, CteEntry);
            TRY(bind_definition(a, &u->with.ctes.at[i], inner, defined, err));
        }
    if (!u || u->kind != REL_SET_OP || u->set_op.kind != SETOP_UNION)
        return true;
    BoundRel *anchor, *step, *cast = NULL;
    TRY(analyze_rel(a, u->input, &anchor, err));
    anchor = strip_hidden(a, anchor);
    entry->columns = copy_columns(a, &anchor->columns);
    for (size_t i = 0; i < entry->columns.len; i++)
        entry->columns.at[i].nullable = true;
    TRY(name_columns(a, def, &entry->columns, err));
    entry->in_anchor = false;
    TRY(analyze_rel(a, u->set_op.right, &step, err));
    entry->in_anchor = true;
    if (!entry->recursive)
        return true;
    if (!u->set_op.all)
        return error_set(err, ERR_UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE);
    step = strip_hidden(a, step);
    SelfReference self = {entry->id, true, NULL};
    if (!check_reference(&step, &self))
        return error_set(err, ERR_INVALID_RECURSIVE_REFERENCE__PLACE);
    TRY(align_step(a, entry, step, &cast, err));
    BoundRel *setop = brel_new(BREL_SETOP, NULL, a->arena);
    setop->setop.kind = SETOP_UNION;
    setop->setop.all = true;
    vec_push(a->arena, &setop->setop.inputs, anchor);
    vec_push(a->arena, &setop->setop.inputs, cast);
    setop->columns = copy_columns(a, &entry->columns);
    entry->definition = setop;
    int64_t limit;
    return !level_limit(a, def, &limit) || number_levels(a, entry, limit, setop, err);
}

/* With its own name in scope: whoever finds it there marks it as recursive, or is refused. */
static bool bind_recursive(Analyzer *a, const NamedRel *def, CteEntry *entry, EntryVec *defined, Error *err)
{
    CteEntry *saved = a->ctes;
    size_t before = defined->len;
    entry->in_anchor = true;
    entry->next = a->ctes;
    a->ctes = entry;
    bool ok = bind_union(a, def, def->plan, entry, defined, err);
    a->ctes = entry;
    if (ok && !entry->recursive) {
        defined->len = before;
        entry->definition = NULL;
        ok = analyze_rel(a, def->plan, &entry->definition, err);
    }
    a->ctes = saved;
    return ok;
}

/* Binds it and brings it into scope. */
static bool bind_definition(Analyzer *a, const NamedRel *def, CteEntry *entry, EntryVec *defined, Error *err)
{
    entry->name = def->name;
    entry->id = ++a->last_cte;
    if (def->recursive)
        TRY(bind_recursive(a, def, entry, defined, err));
    else
        TRY(analyze_rel(a, def->plan, &entry->definition, err));
    if (!entry->recursive) {
        entry->definition = strip_hidden(a, entry->definition);
        entry->columns = copy_columns(a, &entry->definition->columns);
        TRY(name_columns(a, def, &entry->columns, err));
    }
    entry->in_anchor = false;
    entry->next = a->ctes;
    a->ctes = entry;
    vec_push(a->arena, defined, entry);
    return true;
}

bool analyze_with(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    CteEntry *saved = a->ctes;
    EntryVec defined = {0};
    bool ok = true;
    for (size_t i = 0; i < rel->with.ctes.len && ok; i++) {
        CteEntry *entry = ARENA_NEW(a->arena, CteEntry);
        for (size_t k = 0; k < i && ok; k++)
            if (name_matches(a, rel->with.ctes.at[k].name, rel->with.ctes.at[i].name))
                ok = error_set(err, ERR_DUPLICATED_CTE_NAMES, P("duplicateNames", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(rel->with.ctes.at[i].name))));
        ok = ok && bind_definition(a, &rel->with.ctes.at[i], entry, &defined, err);
    }
    BoundRel *body = NULL;
    ok = ok && analyze_rel(a, rel->input, &body, err);
    a->ctes = saved;
    TRY(ok);
    for (size_t i = defined.len; i-- > 0;) {
        BoundRel *c = brel_new(BREL_CTE, body, a->arena);
        c->columns = body->columns;
        c->cte.id = defined.at[i]->id;
        c->cte.definition = defined.at[i]->definition;
        c->cte.recursive = defined.at[i]->recursive;
        body = c;
    }
    *out = body;
    return true;
}
