/* Prints plans as (kind parts ..): names bare, literals as SQL, what is absent left out. */
#include "plan_text.h"

#include "base/buf.h"

typedef struct Printer {
    Buf b;
    Arena *arena;
} Printer;

static void put_expr(Printer *p, const Expr *e);
static void put_rel(Printer *p, const Rel *rel);

static void put_exprs(Printer *p, const ExprVec *list)
{
    for (size_t i = 0; i < list->len; i++) {
        buf_addc(&p->b, ' ');
        put_expr(p, list->at[i]);
    }
}

static void put_named_expr(Printer *p, const char *name, const Expr *e)
{
    if (!e)
        return;
    buf_addf(&p->b, " %s=", name);
    put_expr(p, e);
}

static void put_named_exprs(Printer *p, const char *name, const ExprVec *list)
{
    if (!list->len)
        return;
    buf_addf(&p->b, " %s=[", name);
    for (size_t i = 0; i < list->len; i++) {
        buf_addz(&p->b, i ? " " : "");
        put_expr(p, list->at[i]);
    }
    buf_addc(&p->b, ']');
}

static void put_strs(Printer *p, const char *name, const StrVec *list)
{
    if (!list->len)
        return;
    buf_addf(&p->b, " %s=[", name);
    for (size_t i = 0; i < list->len; i++)
        buf_addf(&p->b, "%s" STR_FMT, i ? " " : "", STR_ARG(list->at[i]));
    buf_addc(&p->b, ']');
}

static void put_flag(Printer *p, bool on, const char *name)
{
    if (on)
        buf_addf(&p->b, " %s", name);
}

static void put_name(Printer *p, const Name *name)
{
    buf_add(&p->b, name_text(name, p->arena));
}

/* ---- expressions ---- */

static void put_bound(Printer *p, const FrameBound *bound)
{
    static const char *const words[] = {"unbounded-preceding", "preceding", "current", "following",
                                        "unbounded-following"};
    buf_addf(&p->b, " %s", words[bound->kind]);
    if (bound->value) {
        buf_addc(&p->b, ':');
        put_expr(p, bound->value);
    }
}

static void put_spec(Printer *p, const WindowSpec *spec)
{
    if (spec->base_name.len)
        buf_addf(&p->b, " " STR_FMT, STR_ARG(spec->base_name));
    put_named_exprs(p, "partition", &spec->partition);
    put_named_exprs(p, "order", &spec->order);
    if (spec->frame == FRAME_NONE)
        return;
    buf_addz(&p->b, spec->frame == FRAME_ROWS ? " rows" : " range");
    put_bound(p, &spec->from);
    put_bound(p, &spec->to);
}

static void put_call(Printer *p, const Expr *e)
{
    buf_addc(&p->b, '(');
    put_name(p, &e->call.name);
    put_flag(p, e->call.distinct, "distinct");
    put_exprs(p, &e->call.args);
    put_flag(p, e->call.ignore_nulls, "ignore-nulls");
    put_flag(p, e->call.respect_nulls, "respect-nulls");
    put_named_exprs(p, "within", &e->call.within_group);
    put_named_expr(p, "filter", e->call.filter);
    buf_addc(&p->b, ')');
}

/* Operators print by their own sign rather than quoted. */
static void put_operator(Printer *p, const Expr *e)
{
    buf_addf(&p->b, "(" STR_FMT, STR_ARG(e->call.name.at[0]));
    put_exprs(p, &e->call.args);
    buf_addc(&p->b, ')');
}

static void put_case(Printer *p, const Expr *e)
{
    buf_addz(&p->b, "(case");
    for (size_t i = 0; i < e->cases.conditions.len; i++) {
        buf_addz(&p->b, " (");
        put_expr(p, e->cases.conditions.at[i]);
        buf_addc(&p->b, ' ');
        put_expr(p, e->cases.values.at[i]);
        buf_addc(&p->b, ')');
    }
    put_named_expr(p, "else", e->cases.otherwise);
    buf_addc(&p->b, ')');
}

static void put_subquery(Printer *p, const Expr *e)
{
    static const char *const kinds[] = {"scalar", "exists", "in", "table"};
    buf_addf(&p->b, "(%s", kinds[e->subquery.kind]);
    put_exprs(p, &e->subquery.values);
    buf_addc(&p->b, ' ');
    put_rel(p, e->subquery.plan);
    buf_addc(&p->b, ')');
}

static void put_star(Printer *p, const Expr *e)
{
    buf_addc(&p->b, '*');
    if (e->star.target.len) {
        buf_addc(&p->b, ':');
        put_name(p, &e->star.target);
    }
    put_named_exprs(p, "except", &e->star.except);
}

static void put_sort(Printer *p, const Expr *e)
{
    put_expr(p, e->sort.child);
    buf_addz(&p->b, e->sort.descending ? "-desc" : "-asc");
    if (e->sort.nulls_first == e->sort.descending)
        buf_addz(&p->b, e->sort.nulls_first ? "-nulls-first" : "-nulls-last");
}

static void put_wrapped(Printer *p, const char *word, const Expr *child)
{
    buf_addf(&p->b, "(%s ", word);
    put_expr(p, child);
}

static void put_expr(Printer *p, const Expr *e)
{
    switch (e->kind) {
    case EXPR_LITERAL: buf_add(&p->b, value_sql(&e->literal, S("UTC"), p->arena)); return;
    case EXPR_COLUMN: put_name(p, &e->column.name); return;
    case EXPR_STAR: put_star(p, e); return;
    case EXPR_CALL:
        if (e->call.is_operator)
            put_operator(p, e);
        else
            put_call(p, e);
        return;
    case EXPR_ALIAS:
        put_wrapped(p, "as", e->alias.child);
        put_strs(p, "names", &e->alias.names);
        break;
    case EXPR_CAST:
        put_wrapped(p, e->cast.mode == EVAL_TRY ? "try_cast" : "cast", e->cast.child);
        buf_addf(&p->b, " " STR_FMT, STR_ARG(type_simple_string(e->cast.type, p->arena)));
        break;
    case EXPR_CASE: put_case(p, e); return;
    case EXPR_SORT: put_sort(p, e); return;
    case EXPR_WINDOW:
        put_wrapped(p, "over", e->window.call);
        put_spec(p, &e->window.spec);
        break;
    case EXPR_SUBQUERY: put_subquery(p, e); return;
    case EXPR_LAMBDA:
        buf_addz(&p->b, "(lambda");
        put_strs(p, "params", &e->lambda.params);
        put_named_expr(p, "body", e->lambda.body);
        break;
    case EXPR_EXTRACT:
        put_wrapped(p, "extract", e->extract.child);
        buf_addc(&p->b, ' ');
        put_expr(p, e->extract.key);
        break;
    case EXPR_NAMED_ARGUMENT:
        buf_addf(&p->b, "(" STR_FMT "=> ", STR_ARG(e->named_argument.name));
        put_expr(p, e->named_argument.value);
        break;
    case EXPR_PARAMETER:
        if (e->parameter.name.len)
            buf_addf(&p->b, ":" STR_FMT, STR_ARG(e->parameter.name));
        else
            buf_addf(&p->b, "?%d", e->parameter.position);
        return;
    case EXPR_IDENTIFIER:
        put_wrapped(p, e->identifier.is_call ? "identifier-call" : "identifier",
                    e->identifier.text);
        put_exprs(p, &e->identifier.args);
        break;
    case EXPR_DEFAULT: buf_addz(&p->b, "DEFAULT"); return;
    default: buf_addf(&p->b, "<expr %d>", (int)e->kind); return;
    }
    buf_addc(&p->b, ')');
}

/* ---- relations ---- */

static void put_table(Printer *p, const Rel *rel)
{
    if (rel->table.name_expr)
        put_expr(p, rel->table.name_expr);
    else
        put_name(p, &rel->table.name);
    if (rel->table.travel.kind != TRAVEL_NONE)
        put_named_expr(p, rel->table.travel.kind == TRAVEL_VERSION ? "version" : "timestamp",
                       rel->table.travel.value);
}

static void put_join(Printer *p, const Rel *rel)
{
    static const char *const kinds[] = {"inner", "left", "right", "full", "semi", "anti", "cross"};
    buf_addf(&p->b, "(join-%s", kinds[rel->join.kind]);
    put_flag(p, rel->join.natural, "natural");
    put_flag(p, rel->join.lateral, "lateral");
    buf_addc(&p->b, ' ');
    put_rel(p, rel->input);
    buf_addc(&p->b, ' ');
    put_rel(p, rel->join.right);
    put_named_expr(p, "on", rel->join.condition);
    put_strs(p, "using", &rel->join.using_columns);
}

static void put_aggregate(Printer *p, const Rel *rel)
{
    static const char *const kinds[] = {"aggregate", "rollup", "cube", "pivot", "sets", "all"};
    buf_addf(&p->b, "(%s",
             rel->kind == REL_PIPE_AGGREGATE ? "pipe-aggregate" : kinds[rel->aggregate.group]);
    put_named_exprs(p, "keys", &rel->aggregate.keys);
    for (size_t i = 0; i < rel->aggregate.sets.len; i++) {
        buf_addz(&p->b, " set=(");
        for (size_t j = 0; j < rel->aggregate.sets.at[i].len; j++) {
            buf_addz(&p->b, j ? " " : "");
            put_expr(p, rel->aggregate.sets.at[i].at[j]);
        }
        buf_addc(&p->b, ')');
    }
    put_named_exprs(p, "items", &rel->aggregate.items);
    put_named_expr(p, "having", rel->aggregate.having);
}

static void put_set_op(Printer *p, const Rel *rel)
{
    static const char *const kinds[] = {"union", "intersect", "except"};
    buf_addf(&p->b, "(%s%s", kinds[rel->set_op.kind], rel->set_op.all ? "-all" : "");
    put_flag(p, rel->set_op.by_name, "by-name");
    buf_addc(&p->b, ' ');
    put_rel(p, rel->input);
    buf_addc(&p->b, ' ');
    put_rel(p, rel->set_op.right);
}

static void put_with(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, "(with");
    for (size_t i = 0; i < rel->with.ctes.len; i++) {
        const NamedRel *cte = &rel->with.ctes.at[i];
        buf_addf(&p->b, " (%s" STR_FMT, cte->recursive ? "recursive " : "", STR_ARG(cte->name));
        put_strs(p, "columns", &cte->columns);
        buf_addc(&p->b, ' ');
        put_rel(p, cte->plan);
        buf_addc(&p->b, ')');
    }
}

static void put_values(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, "(values");
    for (size_t i = 0; i < rel->values.rows.len; i++)
        put_named_exprs(p, "row", &rel->values.rows.at[i]);
}

static void put_unpivot(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, "(unpivot");
    put_flag(p, rel->unpivot.include_nulls, "include-nulls");
    buf_addf(&p->b, " name=" STR_FMT, STR_ARG(rel->unpivot.variable_name));
    put_strs(p, "values", &rel->unpivot.value_names);
    for (size_t i = 0; i < rel->unpivot.value_groups.len; i++) {
        put_named_exprs(p, "group", &rel->unpivot.value_groups.at[i]);
        if (rel->unpivot.aliases.at[i].len)
            buf_addf(&p->b, ":" STR_FMT, STR_ARG(rel->unpivot.aliases.at[i]));
    }
}

static void put_pivot(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, "(pivot");
    put_exprs(p, &rel->pivot.aggregates);
    put_named_exprs(p, "for", &rel->pivot.columns);
    put_named_exprs(p, "in", &rel->pivot.values);
    put_strs(p, "names", &rel->pivot.value_names);
}

static void put_generate(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, "(generate");
    put_flag(p, rel->generate.outer, "outer");
    put_named_expr(p, "by", rel->generate.generator);
    buf_addf(&p->b, " as=" STR_FMT, STR_ARG(rel->generate.table_alias));
    put_strs(p, "columns", &rel->generate.column_aliases);
}

static void put_sample(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, "(sample");
    if (rel->sample.rows)
        put_named_expr(p, "rows", rel->sample.rows);
    else
        buf_addf(&p->b, " %g", rel->sample.upper);
    if (rel->sample.has_seed)
        buf_addf(&p->b, " seed=%d", (int)rel->sample.seed);
}

static void put_alias(Printer *p, const Rel *rel)
{
    buf_addf(&p->b, "(as " STR_FMT, STR_ARG(rel->subquery_alias.alias));
    put_strs(p, "columns", &rel->subquery_alias.columns);
}

static void put_windows(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, "(windows");
    for (size_t i = 0; i < rel->window_defs.defs.len; i++) {
        buf_addf(&p->b, " (" STR_FMT, STR_ARG(rel->window_defs.defs.at[i].name));
        put_spec(p, &rel->window_defs.defs.at[i].spec);
        buf_addc(&p->b, ')');
    }
}

static void put_project(Printer *p, const Rel *rel)
{
    buf_addz(&p->b, rel->project.distinct ? "(project distinct" : "(project");
    if (rel->project.pipe.len)
        buf_addf(&p->b, " |>" STR_FMT, STR_ARG(rel->project.pipe));
    put_exprs(p, &rel->project.items);
}

static void put_head(Printer *p, const Rel *rel)
{
    switch (rel->kind) {
    case REL_ONE_ROW: buf_addz(&p->b, "(one-row"); break;
    case REL_PROJECT: put_project(p, rel); break;
    case REL_FILTER:
        buf_addz(&p->b, rel->filter.is_qualify ? "(qualify" : "(filter");
        put_named_expr(p, "if", rel->filter.condition);
        break;
    case REL_AGGREGATE:
    case REL_PIPE_AGGREGATE: put_aggregate(p, rel); break;
    case REL_SORT:
        buf_addz(&p->b, rel->sort.global ? "(sort" : "(sort-local");
        put_exprs(p, &rel->sort.order);
        break;
    case REL_LIMIT:
    case REL_OFFSET:
        buf_addz(&p->b, rel->kind == REL_LIMIT ? "(limit " : "(offset ");
        put_expr(p, rel->limit.count);
        break;
    case REL_REPARTITION:
        buf_addz(&p->b, "(repartition");
        put_exprs(p, &rel->repartition.by);
        break;
    case REL_WITH: put_with(p, rel); break;
    case REL_VALUES: put_values(p, rel); break;
    case REL_UNPIVOT: put_unpivot(p, rel); break;
    case REL_PIVOT: put_pivot(p, rel); break;
    case REL_GENERATE: put_generate(p, rel); break;
    case REL_SAMPLE: put_sample(p, rel); break;
    case REL_SUBQUERY_ALIAS: put_alias(p, rel); break;
    case REL_WINDOW_DEFS: put_windows(p, rel); break;
    case REL_DEDUPLICATE: buf_addz(&p->b, "(distinct"); break;
    case REL_WITH_COLUMNS:
        buf_addz(&p->b, "(with-columns");
        put_exprs(p, &rel->with_columns.items);
        break;
    case REL_HINT:
        buf_addf(&p->b, "(hint " STR_FMT, STR_ARG(rel->hint.name));
        put_exprs(p, &rel->hint.params);
        break;
    case REL_TABLE_FUNCTION:
        buf_addz(&p->b, "(function ");
        put_name(p, &rel->table_function.name);
        put_exprs(p, &rel->table_function.args);
        break;
    default: buf_addf(&p->b, "(<rel %d>", (int)rel->kind); break;
    }
}

static void put_rel(Printer *p, const Rel *rel)
{
    if (rel->kind == REL_NAMED_TABLE) {
        put_table(p, rel);
        return;
    }
    bool two = rel->kind == REL_JOIN || rel->kind == REL_SET_OP;
    if (rel->kind == REL_JOIN)
        put_join(p, rel);
    else if (rel->kind == REL_SET_OP)
        put_set_op(p, rel);
    else
        put_head(p, rel);
    if (!two && rel->input && rel->input->kind != REL_ONE_ROW) {
        buf_addc(&p->b, ' ');
        put_rel(p, rel->input);
    }
    buf_addc(&p->b, ')');
}

Str expr_text(const Expr *e, Arena *arena)
{
    Printer p = {buf_in(arena), arena};
    put_expr(&p, e);
    return buf_str(&p.b);
}

Str rel_text(const Rel *rel, Arena *arena)
{
    Printer p = {buf_in(arena), arena};
    put_rel(&p, rel);
    return buf_str(&p.b);
}
