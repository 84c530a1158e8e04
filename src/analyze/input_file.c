/* input_file_name() and kin: the file of each row, carried up in hidden columns from the one source that the rows come from.
 * Rows that Spark moves to other tasks on the way (groups, sorts, limits, joins' other side) have forgotten it. */
#include "analyze/analyze_impl.h"

static const char *const NAMES[] = {"input_file_name", "input_file_block_start", "input_file_block_length"};

/* A scan or a relation above one, and the column that was added to it. */
typedef struct Carried {
    const BoundRel *rel;
    const FuncRow *row;
    ColumnId id; /* 0: nothing is known of files here */
} Carried;

typedef struct CteDefinition {
    uint32_t id;
    BoundRel *rel;
    bool recursive;
} CteDefinition;

typedef struct InputFiles {
    Analyzer *a;
    Error *err;
    BoundRel *rel; /* whose expressions are walked */
    VEC(Carried) carried;
    VEC(CteDefinition) ctes;
} InputFiles;

static bool asks_for_file(const BoundExpr *e)
{
    for (size_t i = 0; e->kind == BEXPR_CALL && i < LENGTH_OF(NAMES); i++)
        if (str_is(str_from(e->call.row->name), NAMES[i]))
            return true;
    return false;
}

static const CteDefinition *cte_of(const InputFiles *f, uint32_t id)
{
    for (size_t i = f->ctes.len; i-- > 0;)
        if (f->ctes.at[i].id == id)
            return &f->ctes.at[i];
    return NULL;
}

/* ---- how many sources there are ---- */

typedef struct Count {
    InputFiles *f;
    const BoundExpr *e;
    size_t sources;
} Count;

static bool count_sources(BoundRel **rel, void *arg);

static bool count_inputs(BoundRel *rel, Count *c)
{
    Count below = {c->f, c->e, 0};
    const CteDefinition *cte = rel->kind == BREL_CTE_REF ? cte_of(c->f, rel->cte_ref.id) : NULL;
    BoundRel *definition = cte && !cte->recursive ? cte->rel : NULL;
    if (definition)
        TRY(count_sources(&definition, &below));
    TRY(rel->kind == BREL_CTE ? count_sources(&rel->input, &below) : brel_each_input(rel, count_sources, &below));
    if (rel->kind == BREL_SETOP && rel->setop.kind == SETOP_UNION && below.sources)
        below.sources = 1; /* its inputs are read one after the other */
    c->sources += below.sources;
    if (below.sources < 2)
        return true;
    Analyzer *a = c->f->a;
    error_set(c->f->err, ERR_MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION,
              P("expr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(c->e, a->func.zone, a->arena)))));
    return set_context(a, c->f->err, c->e->origin);
}

static bool count_sources(BoundRel **rel, void *arg)
{
    Count *c = arg;
    if ((*rel)->kind != BREL_SCAN_FILES && (*rel)->kind != BREL_SCAN_DELTA)
        return count_inputs(*rel, c);
    c->sources++;
    return true;
}

/* ---- the column ---- */

static ColumnId carry(InputFiles *f, BoundRel *rel, const BoundExpr *e);

static BoundColumn file_column(InputFiles *f, const BoundExpr *e)
{
    BoundColumn c = new_column(f->a, str_from(e->call.row->name), e->type, false);
    c.hidden = true;
    return c;
}

/* The list may share its memory with another relation's. */
static void add_column(InputFiles *f, BoundRel *rel, BoundColumn c)
{
    BoundColumnVec all = {0};
    for (size_t i = 0; i < rel->columns.len; i++)
        vec_push(f->a->arena, &all, rel->columns.at[i]);
    vec_push(f->a->arena, &all, c);
    rel->columns = all;
}

static const BoundColumn *column_with(const BoundRel *rel, ColumnId id)
{
    for (size_t i = 0; i < rel->columns.len; i++)
        if (rel->columns.at[i].id == id)
            return &rel->columns.at[i];
    return NULL;
}

static ColumnId carry_union(InputFiles *f, BoundRel *rel, const BoundExpr *e)
{
    Analyzer *a = f->a;
    bool any = false;
    ColumnId *ids = ARENA_ARRAY(a->arena, ColumnId, rel->setop.inputs.len + 1);
    for (size_t i = 0; i < rel->setop.inputs.len; i++)
        any |= (ids[i] = carry(f, rel->setop.inputs.at[i], e)) != 0;
    if (!any || rel->setop.kind != SETOP_UNION || !rel->setop.all)
        return 0;
    for (size_t i = 0; i < rel->setop.inputs.len; i++) {
        BoundRel *input = rel->setop.inputs.at[i], *p = brel_new(BREL_PROJECT, input, a->arena);
        for (size_t k = 0; k < input->columns.len; k++)
            if (input->columns.at[k].id != ids[i])
                project_push(a, p, bound_column(&input->columns.at[k], a->arena), input->columns.at[k]);
        project_push(a, p, ids[i] ? bound_column(column_with(input, ids[i]), a->arena) : bound_copy(e, a->arena), file_column(f, e));
        rel->setop.inputs.at[i] = p;
    }
    BoundColumn c = file_column(f, e);
    add_column(f, rel, c);
    return c.id;
}

static ColumnId carry_cte(InputFiles *f, BoundRel *rel, const BoundExpr *e)
{
    const CteDefinition *cte = cte_of(f, rel->cte_ref.id);
    ColumnId id = cte && !cte->recursive ? carry(f, cte->rel, e) : 0;
    if (!id)
        return 0;
    BoundColumn c = file_column(f, e);
    vec_push(f->a->arena, &rel->cte_ref.source, *column_with(cte->rel, id));
    add_column(f, rel, c);
    return c.id;
}

static bool has_window(const BoundRel *project)
{
    for (size_t i = 0; i < project->project.items.len; i++)
        if (bound_contains(project->project.items.at[i].expr, BEXPR_WINDOW))
            return true;
    return false;
}

static ColumnId pass_on(InputFiles *f, BoundRel *rel, BoundRel *input, const BoundExpr *e)
{
    ColumnId id = carry(f, input, e);
    if (!id || column_with(rel, id))
        return id;
    if (rel->kind == BREL_PROJECT)
        project_push(f->a, rel, bound_column(column_with(input, id), f->a->arena), *column_with(input, id));
    else
        add_column(f, rel, *column_with(input, id));
    return id;
}

static ColumnId carry_join(InputFiles *f, BoundRel *rel, const BoundExpr *e)
{
    ColumnId id = pass_on(f, rel, rel->input, e);
    bool left_only = rel->join.kind == JOIN_LEFT_SEMI || rel->join.kind == JOIN_LEFT_ANTI;
    return id || left_only ? id : pass_on(f, rel, rel->join.right, e);
}

static ColumnId carry_new(InputFiles *f, BoundRel *rel, const BoundExpr *e)
{
    BoundColumn c;
    switch (rel->kind) {
    case BREL_SCAN_FILES:
    case BREL_SCAN_DELTA:
        c = file_column(f, e);
        add_column(f, rel, c);
        return c.id;
    case BREL_PROJECT: return has_window(rel) ? 0 : pass_on(f, rel, rel->input, e);
    case BREL_FILTER:
    case BREL_GENERATE:
    case BREL_SAMPLE:
    case BREL_CTE:
    case BREL_MARK: return pass_on(f, rel, rel->input, e);
    case BREL_JOIN: return carry_join(f, rel, e);
    case BREL_SETOP: return carry_union(f, rel, e);
    case BREL_CTE_REF: return carry_cte(f, rel, e);
    default: return 0;
    }
}

static ColumnId carry(InputFiles *f, BoundRel *rel, const BoundExpr *e)
{
    if (!rel)
        return 0;
    for (size_t i = 0; i < f->carried.len; i++)
        if (f->carried.at[i].rel == rel && f->carried.at[i].row == e->call.row)
            return f->carried.at[i].id;
    Carried c = {rel, e->call.row, carry_new(f, rel, e)};
    vec_push(f->a->arena, &f->carried, c);
    return c.id;
}

/* ---- the plan ---- */

static bool walk_rel(BoundRel **slot, void *arg);

static bool replace(BoundExpr **slot, void *arg)
{
    InputFiles *f = arg;
    BoundExpr *e = *slot;
    if (e->kind == BEXPR_SUBQUERY) {
        BoundRel *outside = f->rel;
        TRY(walk_rel(&e->subquery.plan, f));
        f->rel = outside;
    }
    if (!asks_for_file(e))
        return bound_each_child(e, replace, f);
    Count c = {f, e, 0};
    TRY(count_inputs(f->rel, &c));
    ColumnId id = carry(f, f->rel->input, e);
    BoundRel *from = f->rel->input;
    if (!id && f->rel->kind == BREL_JOIN)
        id = carry(f, from = f->rel->join.right, e);
    if (id)
        *slot = bound_column(column_with(from, id), f->a->arena);
    return true;
}

static bool walk_rel(BoundRel **slot, void *arg)
{
    InputFiles *f = arg;
    BoundRel *rel = *slot;
    if (rel->kind == BREL_CTE) {
        CteDefinition cte = {rel->cte.id, rel->cte.definition, rel->cte.recursive};
        vec_push(f->a->arena, &f->ctes, cte);
    }
    f->rel = rel;
    TRY(brel_each_expr(rel, replace, f));
    return brel_each_input(rel, walk_rel, f);
}

bool bind_input_files(Analyzer *a, BoundRel *plan, Error *err)
{
    InputFiles f = {.a = a, .err = err};
    return walk_rel(&plan, &f);
}
