/* Row order of small inputs: Spark streams one side of a hash join and numbers groups as they first
 * appear, and programs that print a small result see that order. DuckDB promises none, so small
 * inputs are numbered and sorted back. */
#include "base/buf.h"
#include "engine/render_impl.h"

enum { SMALL_ROWS = 10000, SMALL_PAIRS = 1000000 };

/* ---- sizes ---- */

/* Bytes a value counts for in Spark's statistics: DataType.defaultSize. */
static double default_size(const Type *t)
{
    double sum = 0;
    switch (t->kind) {
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_BYTE:
        return 1;
    case TYPE_SHORT:
        return 2;
    case TYPE_INT:
    case TYPE_FLOAT:
    case TYPE_DATE:
    case TYPE_INTERVAL_YM:
        return 4;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return 20;
    case TYPE_BINARY:
        return 100;
    case TYPE_DECIMAL:
        return t->decimal.precision > 18 ? 16 : 8;
    case TYPE_INTERVAL_CALENDAR:
        return 16;
    case TYPE_ARRAY:
        return default_size(t->array.element);
    case TYPE_MAP:
        return default_size(t->map.key) + default_size(t->map.value);
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            sum += default_size(t->structure.fields[i].type);
        return sum;
    default:
        return 8;
    }
}

static double row_size(const BoundRel *rel)
{
    double sum = 8;
    for (size_t i = 0; i < rel->columns.len; i++)
        sum += default_size(rel->columns.at[i].type);
    return sum;
}

static RowEstimate unknown(void) { return (RowEstimate){1e18, 1e18}; }

static RowEstimate rows_estimate(const BoundRel *rel, double rows)
{
    return (RowEstimate){rows, rows * row_size(rel)};
}

static RowEstimate limit_estimate(const BoundRel *rel)
{
    RowEstimate in = row_estimate(rel->input);
    const BoundExpr *count = rel->limit.count;
    if (!count || count->kind != BEXPR_LITERAL || count->literal.is_null ||
        (double)count->literal.integer >= in.rows)
        return in;
    return rows_estimate(rel, (double)count->literal.integer);
}

static RowEstimate setop_estimate(const BoundRel *rel)
{
    RowEstimate sum = {0, 0};
    for (size_t i = 0; i < rel->setop.inputs.len; i++) {
        RowEstimate one = row_estimate(rel->setop.inputs.at[i]);
        sum.rows += one.rows;
        sum.bytes += one.bytes;
    }
    return sum;
}

static RowEstimate join_estimate(const BoundRel *rel)
{
    RowEstimate left = row_estimate(rel->input), right = row_estimate(rel->join.right);
    if (rel->join.kind == JOIN_LEFT_SEMI || rel->join.kind == JOIN_LEFT_ANTI)
        return left;
    return (RowEstimate){left.rows * right.rows + left.rows + right.rows, left.bytes * right.bytes};
}

RowEstimate row_estimate(const BoundRel *rel)
{
    RowEstimate in;
    switch (rel->kind) {
    case BREL_ONE_ROW:
        return rows_estimate(rel, 1);
    case BREL_VALUES:
        return rows_estimate(rel, (double)rel->values.rows.len);
    case BREL_LOCAL:
        return rows_estimate(rel, (double)arrow_bytes(rel->local.data) / LOCAL_BYTES_PER_ROW);
    case BREL_RANGE: {
        double n = ((double)rel->range.end - (double)rel->range.start) / (double)rel->range.step;
        return (RowEstimate){n < 0 ? 0 : n, n < 0 ? 0 : n * 8};
    }
    case BREL_STREAM:
        return rel->input ? row_estimate(rel->input) : unknown();
    case BREL_MARK:
        return row_estimate(rel->input);
    case BREL_PROJECT:
    case BREL_FILTER:
    case BREL_SORT:
    case BREL_SAMPLE:
    case BREL_DISTINCT_ON:
    case BREL_CTE:
        in = row_estimate(rel->input);
        return (RowEstimate){in.rows, in.bytes * row_size(rel) / row_size(rel->input)};
    case BREL_AGGREGATE:
        in = row_estimate(rel->input);
        if (!rel->aggregate.keys.len)
            return rows_estimate(rel, 1);
        return (RowEstimate){in.rows, in.bytes * row_size(rel) / row_size(rel->input)};
    case BREL_PYTHON:
        if (rel->python.shape != PYTHON_SCALAR)
            return unknown();
        in = row_estimate(rel->input);
        return (RowEstimate){in.rows, in.bytes * row_size(rel) / row_size(rel->input)};
    case BREL_LIMIT:
        return limit_estimate(rel);
    case BREL_JOIN:
        return join_estimate(rel);
    case BREL_SETOP:
        return setop_estimate(rel);
    default:
        return unknown();
    }
}

bool rel_is_small(const BoundRel *rel) { return row_estimate(rel).rows <= SMALL_ROWS; }

/* ---- numbering ---- */

const Rope *rows_numbered(Render *r, const Rope *from, Str name)
{
    Str before =
        str_printf(r->arena, "(SELECT *, row_number() OVER () AS " STR_FMT " FROM ", STR_ARG(name));
    return rope_wrapped(r->arena, before.ptr, from, ")");
}

/* ---- keys of a join ---- */

static bool has_column(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; i < columns->len; i++)
        if (columns->at[i].id == id)
            return true;
    return false;
}

static bool note_column(BoundExpr **e, void *arg)
{
    Sides *s = arg;
    if ((*e)->kind == BEXPR_COLUMN) {
        ColumnId id = (*e)->column.id;
        bool left = has_column(s->left, id), right = has_column(s->right, id);
        s->uses_left |= left;
        s->uses_right |= right;
        s->uses_other |= !left && !right;
    }
    s->uses_other |= (*e)->kind == BEXPR_SUBQUERY;
    return bound_each_child(*e, note_column, arg);
}

Sides join_sides(const BoundRel *join, BoundExpr *e)
{
    Sides s = {.left = &join->input->columns, .right = &join->join.right->columns};
    (void)!note_column(&e, &s);
    return s;
}

/* Pairs left = right among the conjuncts of the condition. */
static void gather_keys(const BoundRel *join, BoundExpr *e, Arena *arena, BoundExprVec *left,
                        BoundExprVec *right)
{
    if (!e || e->kind != BEXPR_CALL || e->call.args.len != 2)
        return;
    BoundExpr *a = e->call.args.at[0], *b = e->call.args.at[1];
    Str name = str_from(e->call.row->name);
    if (str_is(name, "and")) {
        gather_keys(join, a, arena, left, right);
        gather_keys(join, b, arena, left, right);
        return;
    }
    if (!str_is(name, "=") && !str_is(name, "==") && !str_is(name, "<=>"))
        return;
    Sides x = join_sides(join, a), y = join_sides(join, b);
    if (x.uses_other || y.uses_other)
        return;
    bool straight = x.uses_left && !x.uses_right && y.uses_right && !y.uses_left;
    bool swapped = x.uses_right && !x.uses_left && y.uses_left && !y.uses_right;
    if (!straight && !swapped)
        return;
    vec_push(arena, left, straight ? a : b);
    vec_push(arena, right, straight ? b : a);
}

/* ---- joins ---- */

bool join_is_ordered(const BoundRel *rel)
{
    RowEstimate left = row_estimate(rel->input);
    if (rel->join.lateral)
        return left.rows <= SMALL_ROWS;
    RowEstimate right = row_estimate(rel->join.right);
    return left.rows <= SMALL_ROWS && right.rows <= SMALL_ROWS &&
           left.rows * right.rows <= SMALL_PAIRS;
}

/* A full join is a merge of both sides sorted by the keys. */
static bool full_order(Render *r, const BoundExprVec *left, const BoundExprVec *right, Str l,
                       Str rt, Str *out, Error *err)
{
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < left->len; i++) {
        Str x, y;
        TRY(render_key(r, left->at[i], &x, err));
        TRY(render_key(r, right->at[i], &y, err));
        buf_addf(&b, "coalesce(" STR_FMT ", " STR_FMT ") NULLS FIRST, ", STR_ARG(x), STR_ARG(y));
    }
    buf_addf(&b, STR_FMT " NULLS LAST, " STR_FMT " NULLS LAST", STR_ARG(l), STR_ARG(rt));
    *out = buf_str(&b);
    return true;
}

bool join_order(Render *r, const BoundRel *rel, Str l, Str rt, Str *out, Error *err)
{
    BoundExprVec left = {0}, right = {0};
    gather_keys(rel, rel->join.condition, r->arena, &left, &right);
    /* A hash table gives the rows of one key newest first. */
    const char *within = left.len ? " DESC" : " ASC";
    bool stream_right = rel->join.kind == JOIN_RIGHT;
    if (rel->join.kind == JOIN_INNER || rel->join.kind == JOIN_CROSS)
        stream_right = row_estimate(rel->join.right).bytes > row_estimate(rel->input).bytes;
    if (rel->join.kind == JOIN_FULL)
        return full_order(r, &left, &right, l, rt, out, err);
    if (rel->join.lateral || rel->join.kind == JOIN_LEFT_SEMI || rel->join.kind == JOIN_LEFT_ANTI) {
        *out = l;
        return true;
    }
    Str first = stream_right ? rt : l, second = stream_right ? l : rt;
    *out = str_printf(r->arena, STR_FMT ", " STR_FMT "%s", STR_ARG(first), STR_ARG(second), within);
    return true;
}

/* ---- windows ---- */

static bool find_window(BoundExpr **e, void *arg)
{
    BoundExpr **found = arg;
    if ((*e)->kind == BEXPR_WINDOW)
        *found = *e;
    return bound_each_child(*e, find_window, arg);
}

bool window_order(Render *r, const BoundItemVec *items, Str *out, Error *err)
{
    BoundExpr *window = NULL;
    for (size_t i = 0; i < items->len; i++) {
        BoundExpr *e = items->at[i].expr;
        (void)!find_window(&e, &window);
    }
    if (!window || (!window->window.partition.len && !window->window.order.len))
        return true;
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < window->window.partition.len; i++) {
        Str key;
        TRY(render_key(r, window->window.partition.at[i], &key, err));
        buf_addf(&b, "%s(" STR_FMT ") ASC NULLS FIRST", i ? ", " : "", STR_ARG(key));
    }
    if (window->window.order.len) {
        Str keys;
        TRY(render_order(r, &window->window.order, &keys, err));
        buf_addf(&b, "%s" STR_FMT, b.len ? ", " : "", STR_ARG(keys));
    }
    /* Among equal keys the rows follow their own numbers. */
    for (size_t i = 0; i < items->len; i++) {
        const BoundExpr *e = items->at[i].expr;
        if (e->kind == BEXPR_WINDOW &&
            str_is(str_from(e->window.function->call.row->name), "row_number"))
            buf_addf(&b, ", c%u", items->at[i].id);
    }
    *out = buf_str(&b);
    return true;
}
