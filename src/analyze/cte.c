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
        c.qualifier = qualifier;
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

/* The anchor of a recursive CTE gives its columns; the union below sees the CTE by name. */
static bool bind_recursive(Analyzer *a, const NamedRel *def, CteEntry *entry, Error *err)
{
    const Rel *u = def->plan;
    while (u && u->kind == REL_SUBQUERY_ALIAS)
        u = u->input;
    if (!u || u->kind != REL_SET_OP || u->set_op.kind != SETOP_UNION)
        return error_set(err, ERR_INVALID_RECURSIVE_CTE);
    if (!u->set_op.all)
        return error_set(err, ERR_UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE);
    BoundRel *anchor, *step;
    TRY(analyze_rel(a, u->input, &anchor, err));
    anchor = strip_hidden(a, anchor);
    entry->columns = copy_columns(a, &anchor->columns);
    for (size_t i = 0; i < entry->columns.len; i++)
        entry->columns.at[i].nullable = true;
    TRY(name_columns(a, def, &entry->columns, err));
    entry->next = a->ctes;
    a->ctes = entry;
    bool ok = analyze_rel(a, u->set_op.right, &step, err);
    a->ctes = entry->next;
    TRY(ok);
    step = strip_hidden(a, step);
    if (step->columns.len != anchor->columns.len)
        return error_set(err, ERR_NUM_COLUMNS_MISMATCH, PZ("operator", "UNION"),
                         P("firstNumColumns", str_printf(a->arena, "%zu", anchor->columns.len)), PZ("invalidOrdinalNum", "second"),
                         P("invalidNumColumns", str_printf(a->arena, "%zu", step->columns.len)));
    BoundRel *cast = brel_new(BREL_PROJECT, step, a->arena);
    for (size_t i = 0; i < step->columns.len; i++) {
        BoundExpr *e = bound_column(&step->columns.at[i], a->arena);
        TRY(coerce_to(a, e, entry->columns.at[i].type, &e, err));
        BoundColumn c = column_of_expr(a, e, entry->columns.at[i].name, (Str){0});
        project_push(a, cast, e, c);
    }
    BoundRel *setop = brel_new(BREL_SETOP, NULL, a->arena);
    setop->setop.kind = SETOP_UNION;
    setop->setop.all = u->set_op.all;
    vec_push(a->arena, &setop->setop.inputs, anchor);
    vec_push(a->arena, &setop->setop.inputs, cast);
    setop->columns = copy_columns(a, &entry->columns);
    entry->definition = setop;
    int64_t limit;
    return !level_limit(a, def, &limit) || number_levels(a, entry, limit, setop, err);
}

static bool refers_to(const Rel *rel, Str name)
{
    if (!rel)
        return false;
    if (rel->kind == REL_NAMED_TABLE && rel->table.name.len == 1 && str_ieq(rel->table.name.at[0], name))
        return true;
    if (rel->kind == REL_JOIN && refers_to(rel->join.right, name))
        return true;
    if (rel->kind == REL_SET_OP && refers_to(rel->set_op.right, name))
        return true;
    return refers_to(rel->input, name);
}

static bool bind_definition(Analyzer *a, const NamedRel *def, CteEntry *entry, Error *err)
{
    entry->name = def->name;
    entry->id = ++a->last_cte;
    if (def->recursive && refers_to(def->plan, def->name))
        return bind_recursive(a, def, entry, err);
    TRY(analyze_rel(a, def->plan, &entry->definition, err));
    entry->definition = strip_hidden(a, entry->definition);
    entry->columns = copy_columns(a, &entry->definition->columns);
    return name_columns(a, def, &entry->columns, err);
}

bool analyze_with(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    CteEntry *saved = a->ctes;
    VEC(CteEntry *) defined = {0};
    bool ok = true;
    for (size_t i = 0; i < rel->with.ctes.len && ok; i++) {
        CteEntry *entry = ARENA_NEW(a->arena, CteEntry);
        for (size_t k = 0; k < i && ok; k++)
            if (name_matches(a, rel->with.ctes.at[k].name, rel->with.ctes.at[i].name))
                ok = error_set(err, ERR_DUPLICATED_CTE_NAMES, P("duplicateNames", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(rel->with.ctes.at[i].name))));
        ok = ok && bind_definition(a, &rel->with.ctes.at[i], entry, err);
        entry->next = a->ctes;
        a->ctes = entry;
        vec_push(a->arena, &defined, entry);
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
        c->cte.recursive = rel->with.ctes.at[i].recursive && defined.at[i]->definition->kind == BREL_SETOP &&
                           refers_to(rel->with.ctes.at[i].plan, rel->with.ctes.at[i].name);
        body = c;
    }
    *out = body;
    return true;
}
