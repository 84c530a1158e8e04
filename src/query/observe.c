/* DataFrame.observe: metrics over an intermediate relation, computed by a query of their own next to the main one. */
#include "query/query_impl.h"

/* Every observed relation below, the outermost first. Subqueries cannot hold one. */
static void find_observed(const Rel *rel, Arena *arena, RelVec *out)
{
    if (rel == NULL)
        return;
    if (rel->kind == REL_COLLECT_METRICS)
        vec_push(arena, out, (Rel *)rel);
    find_observed(rel->input, arena, out);
    if (rel->kind == REL_JOIN || rel->kind == REL_LATERAL_JOIN)
        find_observed(rel->join.right, arena, out);
    if (rel->kind == REL_SET_OP)
        find_observed(rel->set_op.right, arena, out);
    if (rel->kind == REL_ASOF_JOIN)
        find_observed(rel->asof.right, arena, out);
    if (rel->kind == REL_NEAREST_JOIN)
        find_observed(rel->nearest.right, arena, out);
}

static bool observe_one(Query *q, const Rel *observed, Observation *out, Error *err)
{
    Rel *aggregate = rel_new(REL_AGGREGATE, observed->input, q->arena);
    aggregate->aggregate.group = GROUP_BY;
    aggregate->aggregate.items = observed->collect_metrics.metrics;
    aggregate->aggregate.keys_in_output = true;
    BoundRel *bound;
    RowVec rows = {0};
    Analyzer *a = analyzer_new(q->session, q->engine, &q->func, (Str){0}, q->arena);
    TRY(analyze_query(a, aggregate, &bound, err));
    TRY(engine_rows(q->engine, bound, &q->run, 1, q->arena, &rows, err));
    if (rows.len != 1)
        return error_internal(err, "metrics gave %zu rows", rows.len);
    *out = (Observation){observed->collect_metrics.name, observed->plan_id, brel_schema(bound, q->arena),
                         rows.at[0].cells};
    return true;
}

bool query_observe(Query *q, const Rel *rel, ObservationVec *out, Error *err)
{
    RelVec observed = {0};
    find_observed(rel, q->arena, &observed);
    for (size_t i = 0; i < observed.len; i++) {
        Observation one;
        TRY(observe_one(q, observed.at[i], &one, err));
        vec_push(q->arena, out, one);
    }
    return true;
}
