/* The query below a Python relation: which columns stay here, which are sent, how groups are numbered; and the functions as the
 * worker reads them. */
#include "engine/python_source.h"

/* Above the ids of lifted calls: columns that only the inner query has. */
enum { FIRST_INNER_ID = (1 << 30) + (1 << 29) };

static const PythonKind kinds[] = {
    {PYTHON_EVAL_BATCHED, PYTHON_SCALAR, .shares = true},
    {PYTHON_EVAL_ARROW_BATCHED, PYTHON_SCALAR, .shares = true},
    {PYTHON_EVAL_SCALAR_PANDAS, PYTHON_SCALAR, .shares = true},
    {PYTHON_EVAL_SCALAR_PANDAS_ITER, PYTHON_SCALAR},
    {PYTHON_EVAL_SCALAR_ARROW, PYTHON_SCALAR, .shares = true},
    {PYTHON_EVAL_SCALAR_ARROW_ITER, PYTHON_SCALAR},
    {PYTHON_EVAL_MAP_PANDAS, PYTHON_MAP, .struct_in = true, .struct_out = true},
    {PYTHON_EVAL_MAP_ARROW, PYTHON_MAP, .struct_in = true, .struct_out = true},
    {PYTHON_EVAL_GROUP_PANDAS, PYTHON_GROUP, .struct_out = true},
    {PYTHON_EVAL_GROUP_PANDAS_ITER, PYTHON_GROUP, .struct_out = true},
    {PYTHON_EVAL_GROUP_ARROW, PYTHON_GROUP, .struct_in = true, .struct_out = true},
    {PYTHON_EVAL_GROUP_ARROW_ITER, PYTHON_GROUP, .struct_in = true, .struct_out = true},
    {PYTHON_EVAL_COGROUP_PANDAS, PYTHON_COGROUP, .struct_out = true},
    {PYTHON_EVAL_COGROUP_ARROW, PYTHON_COGROUP, .struct_out = true},
    {PYTHON_EVAL_AGG_PANDAS, PYTHON_AGGREGATE, .shares = true},
    {PYTHON_EVAL_AGG_PANDAS_ITER, PYTHON_AGGREGATE},
    {PYTHON_EVAL_AGG_ARROW, PYTHON_AGGREGATE, .shares = true},
    {PYTHON_EVAL_AGG_ARROW_ITER, PYTHON_AGGREGATE},
    {PYTHON_EVAL_TABLE, PYTHON_TABLE, .struct_out = true},
    {PYTHON_EVAL_TABLE_IN_ARROW, PYTHON_TABLE, .struct_out = true},
    {PYTHON_EVAL_TABLE_ARROW, PYTHON_TABLE, .struct_out = true},
};

const PythonKind *python_kind(int eval_type)
{
    for (size_t i = 0; i < LENGTH_OF(kinds); i++)
        if (kinds[i].eval_type == eval_type)
            return &kinds[i];
    return NULL;
}

bool python_kind_shares(int eval_type)
{
    const PythonKind *kind = python_kind(eval_type);
    return kind && kind->shares;
}

ptrdiff_t python_item(const BoundItemVec *items, ColumnId id)
{
    for (size_t i = 0; i < items->len; i++)
        if (items->at[i].id == id)
            return (ptrdiff_t)i;
    return -1;
}

typedef struct Inner {
    Arena *arena;
    const BoundRel *rel;
    const PythonKind *kind;
    BoundRel *project;
    BoundRel *plan;        /* what is run: the projection, numbered and sorted where there are groups */
    ColumnId last_id;
    PythonLayout layout;
    const Type *sent[2];
} Inner;

static ColumnId add_column(Inner *in, BoundExpr *e, Str name)
{
    BoundColumn c = {.id = ++in->last_id, .name = name, .type = e->type, .nullable = e->nullable};
    BoundItem item = {e, c.id};
    vec_push(in->arena, &in->project->project.items, item);
    vec_push(in->arena, &in->project->columns, c);
    return c.id;
}

static BoundExpr *struct_of(const BoundColumnVec *columns, Arena *arena)
{
    BoundExpr *s = bound_new(BEXPR_STRUCT, NULL, false, arena);
    Field *fields = ARENA_ARRAY(arena, Field, columns->len + 1);
    size_t n = 0;
    for (size_t i = 0; i < columns->len; i++) {
        const BoundColumn *c = &columns->at[i];
        if (c->hidden)
            continue;
        fields[n++] = (Field){c->name, c->type, c->nullable, S("")};
        vec_push(arena, &s->structure.children, bound_column(c, arena));
    }
    s->type = type_struct(fields, n, arena);
    return s;
}

/* The place of an argument among those already sent; a column is sent once. */
static ptrdiff_t sent_before(const Inner *in, const BoundExpr *e)
{
    size_t from = in->layout.held;
    for (size_t i = from; i < in->project->project.items.len; i++) {
        const BoundExpr *x = in->project->project.items.at[i].expr;
        if (x == e || (x->kind == BEXPR_COLUMN && e->kind == BEXPR_COLUMN && x->column.id == e->column.id))
            return (ptrdiff_t)(i - from);
    }
    return -1;
}

static void close_sent(Inner *in)
{
    size_t from = in->layout.held, n = in->project->columns.len - from;
    Field *fields = ARENA_ARRAY(in->arena, Field, n + 1);
    for (size_t i = 0; i < n; i++) {
        const BoundColumn *c = &in->project->columns.at[from + i];
        fields[i] = (Field){c->name, c->type, c->nullable, S("")};
    }
    in->sent[0] = type_struct(fields, n, in->arena);
    in->layout.sent[0] = n;
}

/* ---- functions, as the worker reads them ---- */

static void put_function(Buf *b, const PythonFunction *f)
{
    python_put_int(b, 1);
    python_put_text(b, f->command);
    python_put_long(b, 0); /* the profiler's id of the result */
}

/* The arguments of a call, each sent as a column "_0", "_1", .. */
static void send_call(Inner *in, const BoundExpr *call, Buf *b)
{
    python_put_int(b, (int32_t)call->python.args.len);
    for (size_t k = 0; k < call->python.args.len; k++) {
        BoundExpr *arg = call->python.args.at[k];
        ptrdiff_t at = sent_before(in, arg);
        if (at < 0) {
            at = (ptrdiff_t)(in->project->columns.len - in->layout.held);
            add_column(in, arg, str_printf(in->arena, "_%zd", at));
        }
        Str name = k < call->python.names.len ? call->python.names.at[k] : S("");
        python_put_int(b, (int32_t)at);
        python_put_bool(b, name.len > 0);
        if (name.len)
            python_put_text(b, name);
    }
}

static void send_arguments(Inner *in, const BoundItemVec *calls, Buf *b)
{
    python_put_int(b, (int32_t)calls->len);
    for (size_t i = 0; i < calls->len; i++) {
        send_call(in, calls->at[i].expr, b);
        put_function(b, calls->at[i].expr->python.function);
    }
    close_sent(in);
}

/* A table function is a class; the worker wants its type and name beside it. */
static void send_table(Inner *in, Buf *b)
{
    const BoundExpr *call = in->rel->python.calls.at[0].expr;
    const PythonFunction *f = call->python.function;
    send_call(in, call, b);
    size_t keys = in->rel->python.keys.len, width = 0; /* what the input is partitioned by are the last fields of its struct */
    for (size_t i = 0; i < call->python.args.len; i++)
        if (keys && call->python.args.at[i]->kind == BEXPR_STRUCT)
            width = call->python.args.at[i]->type->structure.count;
    python_put_int(b, (int32_t)keys);
    for (size_t i = 0; i < keys; i++)
        python_put_int(b, (int32_t)(width - keys + i));
    python_put_bool(b, false); /* nothing that its analyze() left */
    python_put_text(b, f->command);
    python_put_text(b, type_json(f->return_type, in->arena));
    python_put_text(b, f->name);
    close_sent(in);
}

/* The whole row under the columns' own names. */
static void send_row(Inner *in, Buf *b)
{
    add_column(in, struct_of(&in->rel->input->columns, in->arena), S("_0"));
    python_put_int(b, 1);
    python_put_int(b, 1);
    python_put_int(b, 0);
    python_put_bool(b, false);
    put_function(b, in->rel->python.calls.at[0].expr->python.function);
    close_sent(in);
}

/* ---- groups ---- */

/* The columns of a side, then those of its keys that are no columns; "[length, keys, key.., column..]" as numbers. */
typedef struct Side {
    size_t first;          /* column of the projection */
    VEC(int32_t) offsets;
} Side;

static ptrdiff_t column_place(const BoundColumnVec *columns, const BoundExpr *e)
{
    ptrdiff_t place = 0;
    for (size_t i = 0; i < columns->len && e->kind == BEXPR_COLUMN; i++) {
        if (columns->at[i].id == e->column.id && !columns->at[i].hidden)
            return place;
        place += !columns->at[i].hidden;
    }
    return -1;
}

static void list_offsets(Inner *in, const BoundColumnVec *columns, const BoundItemVec *keys, Side *side)
{
    int32_t data = 0, extra = 0;
    for (size_t i = 0; i < columns->len; i++)
        data += !columns->at[i].hidden;
    vec_push(in->arena, &side->offsets, (int32_t)keys->len + data + 1);
    vec_push(in->arena, &side->offsets, (int32_t)keys->len);
    for (size_t i = 0; i < keys->len; i++) {
        ptrdiff_t place = column_place(columns, keys->at[i].expr);
        int32_t offset = place >= 0 ? (int32_t)place : data + extra++;
        vec_push(in->arena, &side->offsets, offset);
    }
    for (int32_t i = 0; i < data; i++)
        vec_push(in->arena, &side->offsets, i);
}

/* The columns of one side as they are sent: visible columns, then keys that are none of them. */
static BoundColumnVec side_columns(Inner *in, const BoundColumnVec *columns, const BoundItemVec *keys, BoundExprVec *exprs)
{
    BoundColumnVec out = {0};
    for (size_t i = 0; i < columns->len; i++) {
        if (columns->at[i].hidden)
            continue;
        vec_push(in->arena, exprs, bound_column(&columns->at[i], in->arena));
        vec_push(in->arena, &out, columns->at[i]);
    }
    for (size_t i = 0; i < keys->len; i++) {
        BoundExpr *key = keys->at[i].expr;
        if (column_place(columns, key) >= 0)
            continue;
        BoundColumn c = {.name = str_printf(in->arena, "_key%zu", i), .type = key->type, .nullable = key->nullable};
        vec_push(in->arena, exprs, key);
        vec_push(in->arena, &out, c);
    }
    return out;
}

static void put_offsets(Buf *b, const Side *sides, size_t count)
{
    int32_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += (int32_t)sides[i].offsets.len;
    python_put_int(b, 1);
    python_put_int(b, total);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sides[i].offsets.len; k++) {
            python_put_int(b, sides[i].offsets.at[k]);
            python_put_bool(b, false);
        }
}

static BoundExpr *named_struct(const BoundColumnVec *columns, const BoundExprVec *exprs, Arena *arena)
{
    Field *fields = ARENA_ARRAY(arena, Field, columns->len + 1);
    for (size_t i = 0; i < columns->len; i++)
        fields[i] = (Field){columns->at[i].name, columns->at[i].type, columns->at[i].nullable, S("")};
    BoundExpr *s = bound_new(BEXPR_STRUCT, type_struct(fields, columns->len, arena), false, arena);
    s->structure.children = *exprs;
    return s;
}

static void send_group(Inner *in, Buf *b)
{
    BoundExprVec exprs = {0};
    BoundColumnVec columns = side_columns(in, &in->rel->input->columns, &in->rel->python.keys, &exprs);
    Side side = {0};
    list_offsets(in, &in->rel->input->columns, &in->rel->python.keys, &side);
    if (in->kind->struct_in)
        add_column(in, named_struct(&columns, &exprs, in->arena), S("_0"));
    for (size_t i = 0; i < columns.len && !in->kind->struct_in; i++)
        add_column(in, exprs.at[i], columns.at[i].name);
    put_offsets(b, &side, 1);
    put_function(b, in->rel->python.calls.at[0].expr->python.function);
    close_sent(in);
}

static BoundExpr *int_literal(int64_t n, Arena *arena)
{
    return bound_literal(value_int(TYPE_INT, n), arena);
}

/* The number of each key among the keys, in their order. */
static BoundExpr *rank_over(const BoundItemVec *keys, Arena *arena)
{
    if (!keys->len)
        return int_literal(1, arena);
    BoundExpr *rank = bound_new(BEXPR_CALL, type_simple(TYPE_INT), false, arena);
    rank->call.row = func_find(S("dense_rank"));
    rank->call.written_name = S("dense_rank");
    BoundExpr *window = bound_new(BEXPR_WINDOW, rank->type, false, arena);
    window->window.function = rank;
    for (size_t i = 0; i < keys->len; i++) {
        BoundSort sort = {keys->at[i].expr, false, true};
        vec_push(arena, &window->window.order, sort);
    }
    return window;
}

static BoundExpr *column_at(Inner *in, size_t i)
{
    return bound_column(&in->project->columns.at[i], in->arena);
}

/* Sorts by columns of the projection from `first` on; those up to `sorted` are given as sorts. */
static void sort_groups(Inner *in, size_t first, size_t count, const BoundSortVec *order)
{
    BoundRel *sort = brel_new(BREL_SORT, in->plan, in->arena);
    sort->columns = in->project->columns;
    for (size_t i = 0; i < count; i++) {
        BoundSort s = {column_at(in, first + i), false, true};
        vec_push(in->arena, &sort->sort.order, s);
    }
    for (size_t i = 0; order && i < order->len; i++) {
        BoundSort s = order->at[i];
        s.expr = column_at(in, first + count + i);
        vec_push(in->arena, &sort->sort.order, s);
    }
    in->plan = sort;
}

static void number_groups(Inner *in, const BoundItemVec *keys, const BoundSortVec *order)
{
    in->layout.group = (ptrdiff_t)in->project->columns.len;
    add_column(in, rank_over(keys, in->arena), S("_group"));
    for (size_t i = 0; i < order->len; i++)
        add_column(in, order->at[i].expr, S("_order"));
    sort_groups(in, (size_t)in->layout.group, 1, order);
}

/* ---- pairs of groups: both sides in one query, so that a key has one number ---- */

static void side_rows(Inner *in, BoundRel *project, const BoundColumnVec *own, const BoundExprVec *exprs, const BoundColumnVec *other,
                      const BoundItemVec *keys, int side)
{
    Arena *a = in->arena;
    for (int half = 0; half < 2; half++) {
        const BoundColumnVec *columns = half == side ? own : other;
        for (size_t i = 0; i < columns->len; i++) {
            const Type *type = columns->at[i].type;
            BoundExpr *e = half == side ? exprs->at[i] : bound_literal(value_null(type), a);
            BoundItem item = {e, 0};
            vec_push(a, &project->project.items, item);
        }
    }
    for (size_t i = 0; i < keys->len; i++) {
        BoundItem item = {keys->at[i].expr, 0};
        vec_push(a, &project->project.items, item);
    }
    BoundItem item = {int_literal(side, a), 0};
    vec_push(a, &project->project.items, item);
    for (size_t i = 0; i < project->project.items.len; i++) {
        BoundItem *x = &project->project.items.at[i];
        x->id = ++in->last_id;
        BoundColumn c = {.id = x->id, .name = S("_"), .type = x->expr->type, .nullable = true};
        vec_push(a, &project->columns, c);
    }
}

static const Type *sent_type(const BoundColumnVec *columns, Arena *arena)
{
    Field *fields = ARENA_ARRAY(arena, Field, columns->len + 1);
    for (size_t i = 0; i < columns->len; i++)
        fields[i] = (Field){columns->at[i].name, columns->at[i].type, columns->at[i].nullable, S("")};
    return type_struct(fields, columns->len, arena);
}

static void send_groups(Inner *in, Buf *b)
{
    const BoundRel *rel = in->rel;
    const BoundColumnVec *inputs[2] = {&rel->input->columns, &rel->python.right->columns};
    const BoundItemVec *keys[2] = {&rel->python.keys, &rel->python.right_keys};
    BoundRel *below[2] = {rel->input, rel->python.right};
    BoundExprVec exprs[2] = {{0}, {0}};
    BoundColumnVec columns[2];
    Side sides[2] = {{0}, {0}};
    BoundRel *both = brel_new(BREL_SETOP, NULL, in->arena);
    both->setop.kind = SETOP_UNION;
    both->setop.all = true;
    for (int i = 0; i < 2; i++) {
        columns[i] = side_columns(in, inputs[i], keys[i], &exprs[i]);
        list_offsets(in, inputs[i], keys[i], &sides[i]);
        in->sent[i] = sent_type(&columns[i], in->arena);
        in->layout.sent[i] = columns[i].len;
    }
    for (int i = 0; i < 2; i++) {
        BoundRel *project = brel_new(BREL_PROJECT, below[i], in->arena);
        side_rows(in, project, &columns[i], &exprs[i], &columns[1 - i], keys[i], i);
        vec_push(in->arena, &both->setop.inputs, project);
    }
    size_t sent = columns[0].len + columns[1].len, count = keys[0]->len;
    BoundItemVec key_columns = {0};
    for (size_t i = 0; i < both->setop.inputs.at[0]->columns.len; i++) {
        BoundColumn c = both->setop.inputs.at[0]->columns.at[i];
        c.id = ++in->last_id;
        vec_push(in->arena, &both->columns, c);
    }
    for (size_t i = 0; i < count; i++) {
        BoundItem key = {bound_column(&both->columns.at[sent + i], in->arena), 0};
        vec_push(in->arena, &key_columns, key);
    }
    in->project->input = both;
    for (size_t i = 0; i < sent; i++)
        add_column(in, bound_column(&both->columns.at[i], in->arena), S("_"));
    in->layout.group = (ptrdiff_t)sent;
    in->layout.side = (ptrdiff_t)sent + 1;
    add_column(in, rank_over(&key_columns, in->arena), S("_group"));
    add_column(in, bound_column(&both->columns.at[sent + count], in->arena), S("_side"));
    put_offsets(b, sides, 2);
    put_function(b, rel->python.calls.at[0].expr->python.function);
}


/* The columns that stay here: those of the input, or keys. */
static void plan_held(Inner *in, const size_t *held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const BoundColumn *c = &in->rel->columns.at[held[i]];
        ptrdiff_t key = python_item(&in->rel->python.keys, c->id);
        add_column(in, key >= 0 ? in->rel->python.keys.at[key].expr : bound_column(c, in->arena), c->name);
    }
    in->layout.held = count;
}

static void plan_sent(Inner *in, Buf *functions)
{
    switch (in->kind->shape) {
    case PYTHON_SCALAR:
    case PYTHON_AGGREGATE:
        send_arguments(in, &in->rel->python.calls, functions);
        break;
    case PYTHON_MAP:
        send_row(in, functions);
        break;
    case PYTHON_GROUP:
        send_group(in, functions);
        break;
    case PYTHON_COGROUP:
        send_groups(in, functions);
        break;
    case PYTHON_TABLE:
        send_table(in, functions);
        break;
    }
    in->plan = in->project;
    if (in->kind->shape == PYTHON_COGROUP)
        sort_groups(in, (size_t)in->layout.group, 2, NULL);
    if (in->kind->shape == PYTHON_GROUP || in->kind->shape == PYTHON_AGGREGATE)
        number_groups(in, &in->rel->python.keys, &in->rel->python.order);
    if (!in->project->columns.len)
        add_column(in, bound_literal(value_bool(true), in->arena), S("_"));
}

void python_plan_input(const BoundRel *rel, const PythonKind *kind, const size_t *held, size_t count, Arena *arena, PythonInput *out)
{
    Inner in = {.arena = arena, .rel = rel, .kind = kind, .last_id = FIRST_INNER_ID};
    Buf functions = buf_in(arena);
    in.project = brel_new(BREL_PROJECT, rel->input, arena);
    in.layout = (PythonLayout){.group = -1, .side = -1};
    plan_held(&in, held, count);
    plan_sent(&in, &functions);
    *out = (PythonInput){in.plan, in.layout, {in.sent[0], in.sent[1]}, buf_str(&functions)};
}
