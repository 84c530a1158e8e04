/* What Spark refuses before a streaming query starts (UnsupportedOperationChecker), and what is refused here by name. */
#include <string.h>

#include "func/func.h"
#include "stream/stream_impl.h"

typedef struct Check {
    StreamQuery *query;
    Error *err;
    size_t stateful;         /* operators that keep state so far */
    size_t aggregates;
} Check;

Str output_mode_text(OutputMode mode, Arena *arena)
{
    return str_lower(str_from(output_mode_names[mode]), arena);
}

static bool refuse(Check *c, const char *text)
{
    return error_set(c->err, ERR__LEGACY_ERROR_TEMP_3102, PZ("msg", text));
}

static bool refuse_mode(Check *c, const char *operation)
{
    return error_set(c->err, ERR_STREAMING_OUTPUT_MODE__UNSUPPORTED_OPERATION,
                     P("outputMode", output_mode_text(c->query->mode, c->err->arena)), PZ("operation", operation));
}

static bool has_watermark(const BoundColumnVec *columns, const BoundExpr *key)
{
    if (key && key->kind != BEXPR_COLUMN)
        return false;
    for (size_t i = 0; i < columns->len; i++)
        if ((!key || columns->at[i].id == key->column.id) && stream_watermark_delay(&columns->at[i]) >= 0)
            return true;
    return false;
}

/* ---- expressions ---- */

static bool find_window(BoundExpr **e, void *arg)
{
    const BoundExpr **found = arg;
    if (!*found && (*e)->kind == BEXPR_WINDOW)
        *found = *e;
    return *found ? true : bound_each_child(*e, find_window, arg);
}

static bool check_windows(Check *c, BoundRel *rel)
{
    const BoundExpr *window = NULL;
    (void)!brel_each_expr(rel, find_window, &window);
    if (!window)
        return true;
    const BoundExpr *f = window->window.function;
    bool named = f->kind == BEXPR_AGGREGATE || f->kind == BEXPR_CALL;
    Str name = named ? str_upper(f->call.written_name.len ? f->call.written_name : str_from(f->call.row->name), c->err->arena) : S("a function");
    return error_set(c->err, ERR_NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING, P("windowFunc", str_printf(c->err->arena, STR_FMT "()", STR_ARG(name))),
                     PZ("columnName", "_we0"), PZ("windowSpec", "(OVER)"));
}

/* ---- relations ---- */

static bool check_aggregate(Check *c, BoundRel *rel)
{
    bool watermarked = false;
    for (size_t i = 0; i < rel->aggregate.aggregates.len; i++) {
        const BoundExpr *e = rel->aggregate.aggregates.at[i].expr;
        if (e->kind == BEXPR_AGGREGATE && e->call.distinct)
            return refuse(c, "Distinct aggregations are not supported on streaming DataFrames/Datasets. Consider using approx_count_distinct() instead.");
        if (e->kind != BEXPR_AGGREGATE)
            return error_unsupported(c->err, "This kind of aggregate in a streaming query");
    }
    for (size_t i = 0; i < rel->aggregate.keys.len; i++)
        watermarked |= has_watermark(&rel->input->columns, rel->aggregate.keys.at[i].expr);
    if (rel->aggregate.sets.len > 1 || rel->aggregate.grouping_id)
        return error_unsupported(c->err, "ROLLUP, CUBE and GROUPING SETS of a stream");
    c->aggregates++;
    if (c->query->mode == OUTPUT_APPEND && !watermarked)
        return refuse_mode(c, "streaming aggregations without watermark");
    return true;
}

static bool check_distinct(Check *c, const BoundRel *rel)
{
    if (rel->distinct_on.within_watermark && !has_watermark(&rel->input->columns, NULL))
        return refuse(c, "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark");
    if (c->query->mode == OUTPUT_COMPLETE)
        return error_unsupported(c->err, "Dropping duplicates of a stream in complete mode");
    return true;
}

static bool check_join(Check *c, const BoundRel *rel)
{
    bool left = brel_is_streaming(rel->input), right = brel_is_streaming(rel->join.right);
    if (left && right)
        return error_unsupported(c->err, "A join of two streams");
    if (rel->join.kind == JOIN_FULL)
        return refuse(c, "FullOuter joins with streaming DataFrames/Datasets on one side are not supported");
    if (right && (rel->join.kind == JOIN_LEFT || rel->join.kind == JOIN_LEFT_SEMI || rel->join.kind == JOIN_LEFT_ANTI))
        return refuse(c, "LeftOuter, LeftSemi and LeftAnti joins with a streaming DataFrame/Dataset on the right and a static "
                         "DataFrame/Dataset on the left are not supported");
    if (left && rel->join.kind == JOIN_RIGHT)
        return refuse(c, "RightOuter join with a streaming DataFrame/Dataset on the left and a static DataFrame/DataSet on the right "
                         "not supported");
    return true;
}

static bool check_setop(Check *c, const BoundRel *rel)
{
    if (rel->setop.kind == SETOP_UNION)
        return true;
    return error_unsupported(c->err, rel->setop.kind == SETOP_EXCEPT ? "EXCEPT of a stream" : "INTERSECT of a stream");
}

static bool check_kind(Check *c, BoundRel *rel)
{
    switch (rel->kind) {
    case BREL_AGGREGATE: return check_aggregate(c, rel);
    case BREL_DISTINCT_ON: return check_distinct(c, rel);
    case BREL_JOIN: return check_join(c, rel);
    case BREL_ASOF_JOIN: return error_unsupported(c->err, "An as-of join of a stream");
    case BREL_SETOP: return check_setop(c, rel);
    case BREL_SORT:
        return (c->aggregates && c->query->mode == OUTPUT_COMPLETE) ||
               refuse(c, "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated DataFrame/Dataset in Complete output mode");
    case BREL_LIMIT:
        if (rel->limit.offset)
            return refuse(c, "Offset is not supported on streaming DataFrames/Datasets");
        if (c->query->mode == OUTPUT_UPDATE)
            return refuse(c, "Limits are not supported on streaming DataFrames/Datasets in Update output mode");
        return c->aggregates || error_unsupported(c->err, "limit of a stream");
    case BREL_SAMPLE: return refuse(c, "Sampling is not supported on streaming DataFrames/Datasets");
    case BREL_CTE: return !rel->cte.recursive || error_unsupported(c->err, "A recursive query of a stream");
    case BREL_SCRIPT: return error_unsupported(c->err, "Scripts over a stream");
    case BREL_PYTHON:
        return rel->python.shape == PYTHON_SCALAR || rel->python.shape == PYTHON_MAP || error_unsupported(c->err, "Python functions over groups of a stream");
    default: return true;
    }
}

static bool is_stateful(const BoundRel *rel)
{
    return (rel->kind == BREL_AGGREGATE || rel->kind == BREL_DISTINCT_ON) && brel_is_streaming(rel);
}

static bool check_below(BoundRel **slot, void *arg)
{
    Check *c = arg;
    BoundRel *rel = *slot;
    if (!brel_is_streaming(rel))
        return true;
    TRY(brel_each_input(rel, check_below, c));
    if (is_stateful(rel) && c->stateful++)
        return c->query->mode == OUTPUT_APPEND
                   ? error_unsupported(c->err, "More than one operator with state in a streaming query")
                   : refuse(c, "Multiple streaming aggregations are not supported with streaming DataFrames/Datasets in this output mode");
    return check_windows(c, rel) && check_kind(c, rel);
}

bool check_streaming(StreamQuery *q, const BoundRel *plan, Error *err)
{
    Check c = {.query = q, .err = err};
    BoundRel *root = (BoundRel *)plan;
    TRY(check_below(&root, &c));
    if (q->mode == OUTPUT_COMPLETE && !c.aggregates)
        return refuse_mode(&c, "no streaming aggregations");
    return true;
}

static bool find_stateful(BoundRel **slot, void *arg)
{
    bool *found = arg;
    *found |= is_stateful(*slot);
    return *found ? true : brel_each_input(*slot, find_stateful, arg);
}

bool plan_is_stateful(const BoundRel *plan)
{
    bool found = false;
    BoundRel *root = (BoundRel *)plan;
    (void)!find_stateful(&root, &found);
    return found;
}

static bool find_mark(BoundRel **slot, void *arg)
{
    bool *found = arg;
    *found |= (*slot)->kind == BREL_MARK && (*slot)->mark.event_time;
    return *found ? true : brel_each_input(*slot, find_mark, arg);
}

bool plan_has_watermark(const BoundRel *plan)
{
    bool found = false;
    BoundRel *root = (BoundRel *)plan;
    (void)!find_mark(&root, &found);
    return found;
}
