/* Prints bound plans as Spark prints its own: names with their column ids, ":-" and "+-" for children, the words of a
 * logical plan or of a physical one. */
#include "plan/explain.h"

#include "base/buf.h"

/* Past these the text would grow with the square of a long chain: "..." stands for the rest. */
enum { MAX_TREE_DEPTH = 100, MAX_EXPR_DEPTH = 50, MAX_ITEMS = 100 };

typedef enum ExplainStyle {
    STYLE_LOGICAL,
    STYLE_STATISTICS, /* logical, with how much a node may give */
    STYLE_PHYSICAL,
    STYLE_OUTLINE,    /* names and numbers; details follow */
    STYLE_DETAIL      /* one node of an outline */
} ExplainStyle;

typedef struct Explainer {
    Buf out;
    Str zone;
    Arena *arena;
    int depth; /* of the expression being printed */
    ExplainStyle style;
    BoundRelVec nodes; /* STYLE_OUTLINE: in the order of their numbers */
} Explainer;

static void put_expr(Explainer *x, const BoundExpr *e);

static bool is_logical(const Explainer *x)
{
    return x->style == STYLE_LOGICAL || x->style == STYLE_STATISTICS;
}

static void put_separator(Explainer *x, size_t i)
{
    if (i)
        buf_addz(&x->out, ", ");
}

static bool put_or_cut(Explainer *x, size_t i)
{
    put_separator(x, i);
    if (i < MAX_ITEMS)
        return true;
    buf_addz(&x->out, "...");
    return false;
}

static void put_exprs(Explainer *x, const BoundExprVec *list)
{
    for (size_t i = 0; i < list->len && put_or_cut(x, i); i++)
        put_expr(x, list->at[i]);
}

static void put_sorts(Explainer *x, const BoundSortVec *order)
{
    for (size_t i = 0; i < order->len && put_or_cut(x, i); i++) {
        put_expr(x, order->at[i].expr);
        buf_addf(&x->out, " %s NULLS %s", order->at[i].descending ? "DESC" : "ASC",
                 order->at[i].nulls_first ? "FIRST" : "LAST");
    }
}

/* Spark marks bigint columns with an L. */
static void put_attribute(Explainer *x, Str name, ColumnId id, const Type *type)
{
    buf_addf(&x->out, STR_FMT "#%u%s", STR_ARG(name), id,
             type && type->kind == TYPE_LONG ? "L" : "");
}

static void put_columns(Explainer *x, const BoundColumnVec *columns)
{
    for (size_t i = 0; i < columns->len && put_or_cut(x, i); i++)
        put_attribute(x, columns->at[i].name, columns->at[i].id, columns->at[i].type);
}

/* ---- expressions ---- */

static bool is_word(Str name)
{
    char c = name.len ? name.ptr[0] : 0;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_infix(const BoundExpr *e)
{
    Str name = e->call.written_name;
    bool two = e->call.args.len == 2;
    return two && (!is_word(name) || str_is_ci(name, "and") || str_is_ci(name, "or") ||
                   str_is_ci(name, "div"));
}

static void put_call(Explainer *x, const BoundExpr *e)
{
    Str name = e->call.written_name;
    if (is_infix(e)) {
        buf_addc(&x->out, '(');
        put_expr(x, e->call.args.at[0]);
        buf_addf(&x->out, " " STR_FMT " ",
                 STR_ARG(is_word(name) ? str_upper(name, x->arena) : name));
        put_expr(x, e->call.args.at[1]);
        buf_addc(&x->out, ')');
        return;
    }
    buf_addf(&x->out, STR_FMT "(%s", STR_ARG(name), e->call.distinct ? "distinct " : "");
    put_exprs(x, &e->call.args);
    buf_addc(&x->out, ')');
    if (e->call.filter) {
        buf_addz(&x->out, " FILTER (WHERE ");
        put_expr(x, e->call.filter);
        buf_addc(&x->out, ')');
    }
}

static void put_window(Explainer *x, const BoundExpr *e)
{
    put_expr(x, e->window.function);
    buf_addz(&x->out, " windowspecdefinition(");
    put_exprs(x, &e->window.partition);
    if (e->window.partition.len && e->window.order.len)
        buf_addz(&x->out, ", ");
    put_sorts(x, &e->window.order);
    buf_addc(&x->out, ')');
}

static void put_case(Explainer *x, const BoundExpr *e)
{
    buf_addz(&x->out, "CASE");
    for (size_t i = 0; i < e->cases.conditions.len; i++) {
        buf_addz(&x->out, " WHEN ");
        put_expr(x, e->cases.conditions.at[i]);
        buf_addz(&x->out, " THEN ");
        put_expr(x, e->cases.values.at[i]);
    }
    if (e->cases.otherwise) {
        buf_addz(&x->out, " ELSE ");
        put_expr(x, e->cases.otherwise);
    }
    buf_addz(&x->out, " END");
}

static void put_field(Explainer *x, const BoundExpr *e)
{
    const Type *type = e->field.child->type;
    put_expr(x, e->field.child);
    if (type->kind == TYPE_STRUCT && e->field.index < type->structure.count)
        buf_addf(&x->out, "." STR_FMT, STR_ARG(type->structure.fields[e->field.index].name));
}

static void put_subquery(Explainer *x, const BoundExpr *e)
{
    static const char *const names[] = {"scalar-subquery", "exists", "in", "table"};
    if (e->subquery.values.len) {
        buf_addc(&x->out, '(');
        put_exprs(x, &e->subquery.values);
        buf_addz(&x->out, ") ");
    }
    buf_addf(&x->out, "%s%s[]", e->subquery.negated ? "not " : "", names[e->subquery.kind]);
}

static void put_expr_inner(Explainer *x, const BoundExpr *e)
{
    switch (e->kind) {
    case BEXPR_LITERAL: buf_add(&x->out, value_pretty(&e->literal, x->zone, x->arena)); break;
    case BEXPR_COLUMN:
        if (e->column.outer)
            buf_addz(&x->out, "outer(");
        put_attribute(x, e->column.name, e->column.id, e->type);
        buf_addz(&x->out, e->column.outer ? ")" : "");
        break;
    case BEXPR_CALL:
    case BEXPR_AGGREGATE:
    case BEXPR_GENERATOR: put_call(x, e); break;
    case BEXPR_WINDOW: put_window(x, e); break;
    case BEXPR_CAST:
        buf_addz(&x->out, e->cast.mode == CAST_TRY ? "try_cast(" : "cast(");
        put_expr(x, e->cast.child);
        buf_addf(&x->out, " as " STR_FMT ")", STR_ARG(type_simple_string(e->type, x->arena)));
        break;
    case BEXPR_CASE: put_case(x, e); break;
    case BEXPR_SUBQUERY: put_subquery(x, e); break;
    case BEXPR_LAMBDA:
        buf_addz(&x->out, "lambdafunction(");
        put_expr(x, e->lambda.body);
        buf_addc(&x->out, ')');
        break;
    case BEXPR_LAMBDA_VAR:
        buf_addf(&x->out, "lambda " STR_FMT "#%u", STR_ARG(e->lambda_var.name), e->lambda_var.id);
        break;
    case BEXPR_FIELD: put_field(x, e); break;
    case BEXPR_STRUCT:
        buf_addz(&x->out, "struct(");
        put_exprs(x, &e->structure.children);
        buf_addc(&x->out, ')');
        break;
    case BEXPR_PYTHON:
        buf_addf(&x->out, STR_FMT "(", STR_ARG(e->python.function->name));
        put_exprs(x, &e->python.args);
        buf_addc(&x->out, ')');
        break;
    }
}

static void put_expr(Explainer *x, const BoundExpr *e)
{
    if (!e || x->depth >= MAX_EXPR_DEPTH) {
        buf_addz(&x->out, "...");
        return;
    }
    x->depth++;
    put_expr_inner(x, e);
    x->depth--;
}

/* ---- relations ---- */

static void put_items(Explainer *x, const BoundRel *rel, const BoundItemVec *items)
{
    for (size_t i = 0; i < items->len && put_or_cut(x, i); i++) {
        const BoundItem *item = &items->at[i];
        bool same = item->expr->kind == BEXPR_COLUMN && item->expr->column.id == item->id;
        put_expr(x, item->expr);
        for (size_t c = 0; !same && c < rel->columns.len; c++) {
            if (rel->columns.at[c].id != item->id)
                continue;
            buf_addz(&x->out, " AS ");
            put_attribute(x, rel->columns.at[c].name, item->id, item->expr->type);
            break;
        }
    }
}

static void put_bracketed(Explainer *x, const char *name, const BoundRel *rel,
                          const BoundItemVec *items)
{
    buf_addf(&x->out, "%s [", name);
    put_items(x, rel, items);
    buf_addc(&x->out, ']');
}

static void put_aggregate(Explainer *x, const BoundRel *rel)
{
    if (is_logical(x)) {
        buf_addz(&x->out, "Aggregate [");
        put_items(x, rel, &rel->aggregate.keys);
        buf_addz(&x->out, "], [");
        put_columns(x, &rel->columns);
        buf_addc(&x->out, ']');
        return;
    }
    buf_addz(&x->out, "HashAggregate(keys=[");
    put_items(x, rel, &rel->aggregate.keys);
    buf_addz(&x->out, "], functions=[");
    put_items(x, rel, &rel->aggregate.aggregates);
    buf_addz(&x->out, "], output=[");
    put_columns(x, &rel->columns);
    buf_addz(&x->out, "])");
}

/* ---- joins ---- */

typedef struct KeySide {
    const BoundColumnVec *columns;
    bool inside, outside;
} KeySide;

static bool note_side(BoundExpr **e, void *arg)
{
    KeySide *s = arg;
    bool found = false;
    if ((*e)->kind == BEXPR_SUBQUERY)
        s->outside = true;
    if ((*e)->kind != BEXPR_COLUMN)
        return bound_each_child(*e, note_side, arg);
    for (size_t i = 0; i < s->columns->len && !found; i++)
        found = s->columns->at[i].id == (*e)->column.id;
    s->inside |= found;
    s->outside |= !found;
    return true;
}

static bool only_uses(BoundExpr *e, const BoundColumnVec *columns)
{
    KeySide s = {.columns = columns};
    (void)!note_side(&e, &s);
    return s.inside && !s.outside;
}

/* The equalities between both sides, and what else the condition asks. */
static void split_condition(Explainer *x, const BoundRel *rel, BoundExpr *e, BoundExprVec keys[2], BoundExprVec *rest, int depth)
{
    bool call = e->kind == BEXPR_CALL && e->call.args.len == 2;
    if (call && str_is_ci(e->call.written_name, "and") && depth < MAX_EXPR_DEPTH) {
        split_condition(x, rel, e->call.args.at[0], keys, rest, depth + 1);
        split_condition(x, rel, e->call.args.at[1], keys, rest, depth + 1);
        return;
    }
    bool equal = call && (str_is(e->call.written_name, "=") || str_is(e->call.written_name, "==") ||
                          str_is(e->call.written_name, "<=>"));
    for (size_t i = 0; equal && i < 2; i++) {
        BoundExpr *l = e->call.args.at[i], *r = e->call.args.at[1 - i];
        if (!only_uses(l, &rel->input->columns) || !only_uses(r, &rel->join.right->columns))
            continue;
        vec_push(x->arena, &keys[0], l);
        vec_push(x->arena, &keys[1], r);
        return;
    }
    vec_push(x->arena, rest, e);
}

static void put_conjuncts(Explainer *x, const BoundExprVec *list)
{
    for (size_t i = 0; i < list->len && put_or_cut(x, i); i++)
        put_expr(x, list->at[i]);
}

static void put_join(Explainer *x, const BoundRel *rel)
{
    static const char *const kinds[] = {"Inner",    "LeftOuter", "RightOuter", "FullOuter",
                                        "LeftSemi", "LeftAnti",  "Cross"};
    const char *kind = kinds[rel->join.kind];
    const char *build = rel->join.kind == JOIN_RIGHT ? "BuildLeft" : "BuildRight";
    BoundExprVec keys[2] = {{0}, {0}}, rest = {0};
    if (is_logical(x) || rel->join.lateral) {
        buf_addf(&x->out, "%s %s", rel->join.lateral ? "LateralJoin" : "Join", kind);
        if (rel->join.condition) {
            buf_addz(&x->out, ", ");
            put_expr(x, rel->join.condition);
        }
        return;
    }
    if (rel->join.condition)
        split_condition(x, rel, rel->join.condition, keys, &rest, 0);
    if (keys[0].len) {
        buf_addz(&x->out, rel->join.kind == JOIN_FULL ? "ShuffledHashJoin [" : "BroadcastHashJoin [");
        put_exprs(x, &keys[0]);
        buf_addz(&x->out, "], [");
        put_exprs(x, &keys[1]);
        buf_addf(&x->out, "], %s, %s, ", kind, build);
        put_conjuncts(x, &rest);
        buf_addz(&x->out, rest.len ? ", false" : "false");
        return;
    }
    buf_addf(&x->out, "BroadcastNestedLoopJoin %s, %s", build, kind);
    buf_addz(&x->out, rest.len ? ", " : "");
    put_conjuncts(x, &rest);
}

static void put_limit(Explainer *x, const BoundRel *rel)
{
    if (rel->limit.count) {
        buf_addz(&x->out, "GlobalLimit ");
        put_expr(x, rel->limit.count);
    }
    if (rel->limit.offset) {
        buf_addz(&x->out, rel->limit.count ? ", offset " : "Offset ");
        put_expr(x, rel->limit.offset);
    }
}

/* "Name [columns]" */
static void put_leaf(Explainer *x, const char *name, const BoundRel *rel)
{
    buf_addf(&x->out, "%s [", name);
    put_columns(x, &rel->columns);
    buf_addc(&x->out, ']');
}

static void put_file_scan(Explainer *x, const BoundRel *rel)
{
    buf_addf(&x->out, "FileScan " STR_FMT " [", STR_ARG(rel->files->format));
    put_columns(x, &rel->columns);
    buf_addf(&x->out, "] Paths: (%zu)", rel->files->paths.len);
}

static void put_delta_scan(Explainer *x, const BoundRel *rel)
{
    put_leaf(x, "FileScan delta", rel);
    if (!rel->delta.predicates.len)
        return;
    buf_addz(&x->out, ", DataFilters: [");
    put_exprs(x, &rel->delta.predicates);
    buf_addc(&x->out, ']');
}

static void put_set_op(Explainer *x, const BoundRel *rel)
{
    static const char *const kinds[] = {"Union", "Intersect", "Except"};
    buf_addf(&x->out, "%s%s", kinds[rel->setop.kind], rel->setop.all ? "" : " Distinct");
}

static void put_python(Explainer *x, const BoundRel *rel)
{
    static const char *const names[] = {"ArrowEvalPython", "MapInArrow", "FlatMapGroupsInArrow", "FlatMapCoGroupsInArrow",
                                        "ArrowAggregatePython", "ArrowEvalPythonUDTF"};
    buf_addf(&x->out, "%s [", names[rel->python.shape]);
    for (size_t i = 0; i < rel->python.calls.len && put_or_cut(x, i); i++)
        put_expr(x, rel->python.calls.at[i].expr);
    buf_addz(&x->out, "], [");
    put_columns(x, &rel->columns);
    buf_addc(&x->out, ']');
}

static void put_node(Explainer *x, const BoundRel *rel)
{
    switch (rel->kind) {
    case BREL_ONE_ROW: buf_addz(&x->out, is_logical(x) ? "OneRowRelation" : "Scan OneRowRelation[]"); break;
    case BREL_VALUES:
    case BREL_LOCAL: put_leaf(x, is_logical(x) ? "LocalRelation" : "LocalTableScan", rel); break;
    case BREL_RANGE:
        buf_addf(&x->out, "Range (%lld, %lld, step=%lld)", (long long)rel->range.start,
                 (long long)rel->range.end, (long long)rel->range.step);
        break;
    case BREL_SCAN_DELTA: put_delta_scan(x, rel); break;
    case BREL_SCAN_FILES: put_file_scan(x, rel); break;
    case BREL_PROJECT: put_bracketed(x, "Project", rel, &rel->project.items); break;
    case BREL_FILTER:
        buf_addz(&x->out, "Filter ");
        put_expr(x, rel->filter.condition);
        break;
    case BREL_JOIN: put_join(x, rel); break;
    case BREL_AGGREGATE: put_aggregate(x, rel); break;
    case BREL_SETOP: put_set_op(x, rel); break;
    case BREL_SORT:
        buf_addz(&x->out, "Sort [");
        put_sorts(x, &rel->sort.order);
        buf_addz(&x->out, "], true, 0");
        break;
    case BREL_LIMIT: put_limit(x, rel); break;
    case BREL_SAMPLE:
        buf_addf(&x->out, "Sample %.15g, %.15g, %s, %lld", rel->sample.lower, rel->sample.upper,
                 rel->sample.replacement ? "true" : "false", (long long)rel->sample.seed);
        break;
    case BREL_GENERATE:
        buf_addz(&x->out, "Generate ");
        put_expr(x, rel->generate.generator);
        buf_addf(&x->out, ", %s, [", rel->generate.outer ? "true" : "false");
        put_columns(x, &rel->generate.output);
        buf_addc(&x->out, ']');
        break;
    case BREL_DISTINCT_ON:
        buf_addz(&x->out, "Deduplicate [");
        put_exprs(x, &rel->distinct_on.keys);
        buf_addc(&x->out, ']');
        break;
    case BREL_CTE:
        buf_addf(&x->out, "WithCTE %u%s", rel->cte.id, rel->cte.recursive ? ", recursive" : "");
        break;
    case BREL_CTE_REF: buf_addf(&x->out, "CTERelationRef %u", rel->cte_ref.id); break;
    case BREL_ASOF_JOIN:
        buf_addf(&x->out, "AsOfJoin %s, ", rel->asof.left_outer ? "LeftOuter" : "Inner");
        put_expr(x, rel->asof.condition);
        break;
    case BREL_PYTHON: put_python(x, rel); break;
    case BREL_SCRIPT:
        buf_addf(&x->out, "ScriptTransformation " STR_FMT ", [", STR_ARG(rel->script.script));
        put_columns(x, &rel->columns);
        buf_addc(&x->out, ']');
        break;
    case BREL_STORED: put_leaf(x, is_logical(x) ? "InMemoryRelation" : "InMemoryTableScan", rel); break;
    case BREL_STREAM:
        buf_addf(&x->out, "StreamingRelation " STR_FMT ", [", STR_ARG(rel->stream.source));
        put_columns(x, &rel->columns);
        buf_addc(&x->out, ']');
        break;
    case BREL_MARK:
        if (rel->mark.event_time)
            buf_addf(&x->out, "EventTimeWatermark #%u, %lld milliseconds", rel->mark.event_time, (long long)(rel->mark.delay_us / 1000));
        else
            buf_addf(&x->out, "CollectMetrics " STR_FMT, STR_ARG(rel->mark.name));
        break;
    }
}

/* "Project [..]" is called Project: the name ends where the arguments begin. */
static Str node_text(Explainer *x, const BoundRel *rel)
{
    Explainer one = {.out = buf_in(x->arena), .zone = x->zone, .arena = x->arena, .style = x->style};
    put_node(&one, rel);
    return buf_str(&one.out);
}

static Str node_name(Str text)
{
    size_t n = 0;
    bool scan = str_starts_with(text, S("FileScan ")) || str_starts_with(text, S("Scan "));
    for (size_t words = 0; n < text.len && text.ptr[n] != '(' && text.ptr[n] != '['; n++)
        if (text.ptr[n] == ' ' && (!scan || words++ == 1))
            break;
    return str_slice(text, 0, n);
}

/* ---- statistics ---- */

/* Spark's default: unknown sizes count as the largest. */
static double size_of(const BoundRel *rel, int depth)
{
    const double unknown = 0x1p63;
    double width = 8, count = -1;
    for (size_t i = 0; i < rel->columns.len; i++)
        width += type_is_stringy(rel->columns.at[i].type) ? 20 : 8;
    switch (rel->kind) {
    case BREL_ONE_ROW: return 1;
    case BREL_VALUES: count = (double)rel->values.rows.len; break;
    case BREL_RANGE: return 8 * ((double)rel->range.end - (double)rel->range.start) / (double)rel->range.step;
    default: break;
    }
    if (count >= 0)
        return count * width;
    if (!rel->input || depth > MAX_TREE_DEPTH)
        return unknown;
    double below = size_of(rel->input, depth + 1);
    return rel->kind == BREL_JOIN ? below * size_of(rel->join.right, depth + 1) : below;
}

static void put_statistics(Explainer *x, const BoundRel *rel)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = size_of(rel, 0);
    size_t unit = 0;
    if (size < 0)
        size = 0;
    for (; size >= 1024 && unit + 1 < LENGTH_OF(units); unit++)
        size /= 1024;
    buf_addf(&x->out, ", Statistics(sizeInBytes=%.1f %s)", size, units[unit]);
}

static size_t child_count(const BoundRel *rel)
{
    if (rel->kind == BREL_SETOP)
        return rel->setop.inputs.len;
    bool two = rel->kind == BREL_JOIN || rel->kind == BREL_ASOF_JOIN || rel->kind == BREL_CTE ||
               (rel->kind == BREL_PYTHON && rel->python.right);
    return (rel->input != NULL) + (size_t)two;
}

static const BoundRel *child_at(const BoundRel *rel, size_t i)
{
    switch (rel->kind) {
    case BREL_SETOP: return rel->setop.inputs.at[i];
    case BREL_JOIN: return i ? rel->join.right : rel->input;
    case BREL_ASOF_JOIN: return i ? rel->asof.right : rel->input;
    case BREL_PYTHON: return i ? rel->python.right : rel->input;
    case BREL_CTE: return i ? rel->input : rel->cte.definition;
    default: return rel->input;
    }
}

/* Spark numbers an outline from its leaves. */
static void number_nodes(Explainer *x, const BoundRel *rel, int depth)
{
    if (!rel || depth > MAX_TREE_DEPTH)
        return;
    for (size_t i = 0; i < child_count(rel); i++)
        number_nodes(x, child_at(rel, i), depth + 1);
    vec_push(x->arena, &x->nodes, (BoundRel *)rel);
}

static size_t number_of(const Explainer *x, const BoundRel *rel)
{
    for (size_t i = 0; i < x->nodes.len; i++)
        if (x->nodes.at[i] == rel)
            return i + 1;
    return 0;
}

/* prefix: what stands before the lines of this node's children. */
static void put_tree(Explainer *x, const BoundRel *rel, Str prefix, int depth)
{
    if (!rel || depth > MAX_TREE_DEPTH) {
        buf_addz(&x->out, "...\n");
        return;
    }
    if (x->style == STYLE_OUTLINE)
        buf_addf(&x->out, STR_FMT " (%zu)", STR_ARG(node_name(node_text(x, rel))), number_of(x, rel));
    else
        put_node(x, rel);
    if (x->style == STYLE_STATISTICS)
        put_statistics(x, rel);
    buf_addc(&x->out, '\n');
    size_t count = child_count(rel);
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        buf_add(&x->out, prefix);
        buf_addz(&x->out, last ? "+- " : ":- ");
        put_tree(x, child_at(rel, i), str_concat(x->arena, prefix, last ? S("   ") : S(":  ")),
                 depth + 1);
    }
}

static Str tree_in(const BoundRel *rel, ExplainStyle style, Str zone, Arena *arena)
{
    Explainer x = {.out = buf_in(arena), .zone = zone, .arena = arena, .style = style};
    if (style == STYLE_OUTLINE)
        number_nodes(&x, rel, 0);
    put_tree(&x, rel, S(""), 0);
    return buf_str(&x.out);
}

Str explain_tree(const BoundRel *rel, Str zone, Arena *arena)
{
    return tree_in(rel, STYLE_PHYSICAL, zone, arena);
}

/* "(2) Project", what it takes and gives, and what else its line in a tree says. */
static void put_detail(Explainer *x, const BoundRel *rel, size_t number)
{
    Str text = node_text(x, rel), name = node_name(text);
    buf_addf(&x->out, "\n(%zu) " STR_FMT "\n", number, STR_ARG(name));
    for (size_t i = 0; i < child_count(rel) && child_at(rel, i); i++) {
        buf_addf(&x->out, "Input [%zu]: [", child_at(rel, i)->columns.len);
        put_columns(x, &child_at(rel, i)->columns);
        buf_addz(&x->out, "]\n");
    }
    buf_addf(&x->out, "Output [%zu]: [", rel->columns.len);
    put_columns(x, &rel->columns);
    buf_addf(&x->out, "]\nArguments: " STR_FMT "\n", STR_ARG(str_trim(str_slice(text, name.len, text.len))));
}

static Str formatted_text(const BoundRel *rel, Str zone, Arena *arena)
{
    Explainer x = {.out = buf_in(arena), .zone = zone, .arena = arena, .style = STYLE_DETAIL};
    number_nodes(&x, rel, 0);
    buf_addf(&x.out, "== Physical Plan ==\n" STR_FMT "\n", STR_ARG(tree_in(rel, STYLE_OUTLINE, zone, arena)));
    for (size_t i = 0; i < x.nodes.len; i++)
        put_detail(&x, x.nodes.at[i], i + 1);
    buf_addc(&x.out, '\n');
    return buf_str(&x.out);
}

/* "a: int, b: string": the line above Spark's analyzed plan. */
static Str schema_line(const BoundRel *rel, Arena *arena)
{
    Buf b = buf_in(arena);
    const Type *schema = brel_schema(rel, arena);
    for (size_t i = 0; i < schema->structure.count; i++)
        buf_addf(&b, "%s" STR_FMT ": " STR_FMT, i ? ", " : "",
                 STR_ARG(schema->structure.fields[i].name),
                 STR_ARG(type_simple_string(schema->structure.fields[i].type, arena)));
    return buf_str(&b);
}

Str explain_text(const BoundRel *rel, Str mode, Str zone, Arena *arena)
{
    Str physical = tree_in(rel, STYLE_PHYSICAL, zone, arena);
    Str logical = tree_in(rel, STYLE_LOGICAL, zone, arena);
    if (str_is(mode, "formatted"))
        return formatted_text(rel, zone, arena);
    if (str_is(mode, "codegen"))
        return str_printf(arena, "Found 0 WholeStageCodegen subtrees.\n");
    if (str_is(mode, "cost"))
        return str_printf(arena, "== Optimized Logical Plan ==\n" STR_FMT "\n== Physical Plan ==\n" STR_FMT "\n",
                          STR_ARG(tree_in(rel, STYLE_STATISTICS, zone, arena)), STR_ARG(physical));
    if (!str_is(mode, "extended"))
        return str_printf(arena, "== Physical Plan ==\n" STR_FMT "\n", STR_ARG(physical));
    return str_printf(arena,
                      "== Parsed Logical Plan ==\n" STR_FMT "\n== Analyzed Logical Plan ==\n" STR_FMT "\n" STR_FMT
                      "\n== Optimized Logical Plan ==\n" STR_FMT "\n== Physical Plan ==\n" STR_FMT,
                      STR_ARG(logical), STR_ARG(schema_line(rel, arena)), STR_ARG(logical), STR_ARG(logical), STR_ARG(physical));
}
