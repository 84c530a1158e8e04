/* Relations as SELECT statements; neighbouring ones share a statement where SQL's order of clauses
 * allows it. */
#include "base/buf.h"
#include "engine/render.h"
#include "engine/render_impl.h"

/* ---- blocks ---- */

static void put_column(Buf *b, ColumnId id) { buf_addf(b, "c%u", id); }

static bool id_before(const BoundColumnVec *columns, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (columns->at[k].id == columns->at[i].id)
            return true;
    return false;
}

static Str list_columns(const Render *r, const BoundColumnVec *columns, void (*put)(Buf *, ColumnId))
{
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < columns->len; i++) {
        if (column_is_unused(r, columns->at[i].id))
            continue;
        if (columns->len < 4096 && id_before(columns, i))
            continue;
        buf_addz(&b, b.len ? ", " : "");
        put(&b, columns->at[i].id);
    }
    if (!b.len)
        buf_addz(&b, "1 AS c0");
    return buf_str(&b);
}

/* Every column once: a repeated name inside FROM would be ambiguous. */
Str column_list(const Render *r, const BoundColumnVec *columns)
{
    return list_columns(r, columns, put_column);
}

Str column_apart(Str column, Arena *arena)
{
    return str_printf(arena, "CASE WHEN " STR_FMT " IS NULL THEN NULL ELSE " STR_FMT " END", STR_ARG(column), STR_ARG(column));
}

static void put_column_apart(Buf *b, ColumnId id)
{
    Str column = str_printf(b->arena, "c%u", id);
    buf_addf(b, STR_FMT " AS " STR_FMT, STR_ARG(column_apart(column, b->arena)), STR_ARG(column));
}

static Str visible_list(const BoundColumnVec *columns, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < columns->len; i++) {
        if (columns->at[i].hidden)
            continue;
        buf_addz(&b, b.len ? ", " : "");
        put_column(&b, columns->at[i].id);
    }
    if (!b.len)
        buf_addz(&b, "1 AS c0");
    return buf_str(&b);
}

bool block_is_bare(const Block *b)
{
    return !b->with && b->from && !b->select.len && !b->where && !b->group.len && !b->order.len &&
           !b->limit.len;
}

const Rope *block_rope(Render *r, const Block *b, Str columns)
{
    Arena *a = r->arena;
    const Rope *parts[10];
    size_t n = 0;
    if (b->with) {
        parts[n++] = rope_text(a, b->recursive ? S("WITH RECURSIVE ") : S("WITH "));
        parts[n++] = b->with;
        parts[n++] = rope_text(a, S(" "));
    }
    parts[n++] = rope_text(a, str_concat(a, S("SELECT "), b->select.len ? b->select : columns));
    if (b->from) {
        parts[n++] = rope_text(a, S(" FROM "));
        parts[n++] = b->from;
    }
    if (b->where) {
        parts[n++] = rope_text(a, S(" WHERE "));
        parts[n++] = b->where;
    }
    Buf tail = buf_in(a);
    if (b->group.len)
        buf_addf(&tail, " GROUP BY " STR_FMT, STR_ARG(b->group));
    if (b->order.len)
        buf_addf(&tail, " ORDER BY " STR_FMT, STR_ARG(b->order));
    buf_add(&tail, b->limit);
    parts[n++] = rope_text(a, buf_str(&tail));
    return rope_of(a, n, parts);
}

const Rope *input_rope(Render *r, const Block *b, const BoundColumnVec *columns)
{
    Arena *a = r->arena;
    const Rope *rows = block_rope(r, b, column_list(r, columns));
    if (!b->limit.len)
        return rows;
    const Rope *parts[] = {rope_text(a, S("SELECT ")), rope_text(a, list_columns(r, columns, put_column_apart)),
                           rope_text(a, S(" FROM (")), rows, rope_text(a, S(")"))};
    return rope_of(a, 5, parts);
}

const Rope *rope_wrapped(Arena *a, const char *before, const Rope *inside, const char *after)
{
    const Rope *parts[] = {rope_text(a, str_from(before)), inside, rope_text(a, str_from(after))};
    return rope_of(a, 3, parts);
}

bool render_nested(Render *r, const BoundRel *rel, const Rope **sql, Error *err)
{
    Block b = {0};
    TRY(render_block(r, rel, &b, err));
    *sql =
        rope_wrapped(r->arena, "(", input_rope(r, &b, &rel->columns), ")");
    return true;
}

/* A FROM item that gives the relation's columns. */
static bool render_from(Render *r, const BoundRel *rel, const Rope **sql, Error *err)
{
    Block b = {0};
    TRY(render_block(r, rel, &b, err));
    if (block_is_bare(&b))
        *sql = b.from;
    else
        *sql = rope_wrapped(r->arena, "(", input_rope(r, &b, &rel->columns),
                            ")");
    return true;
}

/* The input as a block that still has its select list free, so that a clause can refer to plain
 * columns. */
static bool input_block(Render *r, const BoundRel *input, bool take_where, bool take_order,
                        Block *out, Error *err)
{
    Block b = {0};
    TRY(render_block(r, input, &b, err));
    bool open = b.from && !b.select.len && !b.group.len && !b.limit.len &&
                (take_where || !b.where) && (take_order || !b.order.len);
    if (open) {
        *out = b;
        return true;
    }
    *out = (Block){0};
    out->from =
        rope_wrapped(r->arena, "(", input_rope(r, &b, &input->columns), ")");
    return true;
}

static bool render_one_row(Block *out)
{
    out->select = S("1 AS c0");
    return true;
}

/* ---- project, filter, sort, limit ---- */

static bool items_contain(const BoundItemVec *items, BoundExprKind kind)
{
    for (size_t i = 0; i < items->len; i++)
        if (bound_contains(items->at[i].expr, kind))
            return true;
    return false;
}

static bool put_item(Render *r, const BoundItem *item, Buf *b, Error *err)
{
    Str text;
    TRY(render_expr(r, item->expr, &text, err));
    buf_addz(b, b->len ? ", " : "");
    buf_add(b, text);
    if (item->expr->kind != BEXPR_COLUMN || item->expr->column.id != item->id)
        buf_addf(b, " AS c%u", item->id);
    return true;
}

static bool item_before(const BoundItemVec *items, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (items->at[k].id == items->at[i].id)
            return true;
    return false;
}

/* Rows of a small input stay sorted as the window needed them; ties keep their order. */
static bool order_windows(Render *r, const BoundItemVec *items, Block *out, Error *err)
{
    TRY(window_order(r, items, &out->order, err));
    if (!out->order.len || !out->from)
        return true;
    Str number = str_printf(r->arena, "ls_l%zu", r->numbered++);
    out->from = rows_numbered(r, out->from, number);
    out->order = str_printf(r->arena, STR_FMT ", " STR_FMT, STR_ARG(out->order), STR_ARG(number));
    return true;
}

static bool render_project(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    const BoundItemVec *items = &rel->project.items;
    if (rel->input && rel->input->kind != BREL_ONE_ROW) {
        Block b = {0};
        TRY(render_block(r, rel->input, &b, err));
        /* A window is computed over all rows, before LIMIT cuts them. */
        bool open = b.from && !b.select.len && !b.group.len &&
                    (!b.limit.len || !items_contain(items, BEXPR_WINDOW));
        if (!open) {
            const Rope *whole = input_rope(r, &b, &rel->input->columns);
            b = (Block){.from = rope_wrapped(r->arena, "(", whole, ")")};
        }
        *out = b;
    }
    Buf select = buf_in(r->arena);
    for (size_t i = 0; i < items->len; i++)
        if (!item_before(items, i))
            TRY(put_item(r, &items->at[i], &select, err));
    out->select = select.len ? buf_str(&select) : S("1 AS c0");
    if (!r->unordered && rel->input && items_contain(items, BEXPR_WINDOW) &&
        rel_is_small(rel->input))
        return order_windows(r, items, out, err);
    return true;
}

/* A limit that never cuts: DuckDB moves no conditions through it. */
static const Rope *kept_apart(Render *r, const BoundRel *rel, const Rope *from)
{
    Block b = {.from = from, .limit = S(" LIMIT 9223372036854775807")};
    return rope_wrapped(r->arena, "(", input_rope(r, &b, &rel->columns), ")");
}

bool is_determined(BoundExpr **slot, void *arg)
{
    BoundExpr *e = *slot;
    if (e->kind == BEXPR_CALL && (e->call.row->flags & FUNC_NONDETERMINISTIC))
        return false;
    return bound_each_child(e, is_determined, arg);
}

static bool counts_all_rows(const BoundRel *rel);

static bool input_counts_none(BoundRel **input, void *arg)
{
    (void)arg;
    return !counts_all_rows(*input);
}

/* Random numbers and row ids are those of all rows, not of the ones that a condition above leaves. Filters and joins below keep
 * what is below them apart themselves. */
static bool counts_all_rows(const BoundRel *rel)
{
    switch (rel->kind) {
    case BREL_PROJECT:
        for (size_t i = 0; i < rel->project.items.len; i++)
            if (!is_determined(&rel->project.items.at[i].expr, NULL))
                return true;
        break;
    case BREL_SORT:
    case BREL_SETOP:
    case BREL_AGGREGATE:
        break;
    default:
        return false;
    }
    return !brel_each_input((BoundRel *)rel, input_counts_none, NULL);
}

static bool render_filter(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    TRY(input_block(r, rel->input, true, true, out, err));
    if (counts_all_rows(rel->input))
        out->from = kept_apart(r, rel->input, out->from);
    Str condition;
    TRY(render_expr(r, rel->filter.condition, &condition, err));
    const Rope *mine =
        rope_text(r->arena, str_printf(r->arena, "(" STR_FMT ")", STR_ARG(condition)));
    if (out->where) {
        const Rope *both[] = {out->where, rope_text(r->arena, S(" AND ")), mine};
        mine = rope_of(r->arena, 3, both);
    }
    out->where = mine;
    return true;
}

static bool render_sort(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    TRY(input_block(r, rel->input, true, false, out, err));
    return render_order(r, &rel->sort.order, &out->order, err);
}

static bool render_limit(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    Block b = {0};
    TRY(render_block(r, rel->input, &b, err));
    if (b.limit.len) {
        const Rope *whole = block_rope(r, &b, column_list(r, &rel->input->columns));
        b = (Block){.from = rope_wrapped(r->arena, "(", whole, ")")};
    }
    *out = b;
    Buf limit = buf_in(r->arena);
    Str text;
    if (rel->limit.count) {
        TRY(render_expr(r, rel->limit.count, &text, err));
        buf_addf(&limit, " LIMIT (" STR_FMT ")", STR_ARG(text));
    }
    if (rel->limit.offset) {
        TRY(render_expr(r, rel->limit.offset, &text, err));
        buf_addf(&limit, " OFFSET (" STR_FMT ")", STR_ARG(text));
    }
    out->limit = buf_str(&limit);
    return true;
}

/* ---- values, stored ---- */

static bool put_row(Render *r, const BoundExprVec *row, Buf *b, Error *err)
{
    buf_addz(b, "(");
    for (size_t i = 0; i < row->len; i++) {
        Str text;
        TRY(render_expr(r, row->at[i], &text, err));
        buf_addz(b, i ? ", " : "");
        buf_add(b, text);
    }
    buf_addz(b, ")");
    return true;
}

static bool render_no_values(Render *r, const BoundRel *rel, Block *out)
{
    Buf select = buf_in(r->arena);
    for (size_t i = 0; i < rel->columns.len; i++) {
        const BoundColumn *c = &rel->columns.at[i];
        buf_addf(&select, "%sCAST(NULL AS " STR_FMT ") AS c%u", i ? ", " : "",
                 STR_ARG(type_duckdb(c->type, r->arena)), c->id);
    }
    out->select = select.len ? buf_str(&select) : S("1 AS c0");
    out->from = rope_text(r->arena, S("range(0)"));
    return true;
}

static bool render_values(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    if (!rel->values.rows.len)
        return render_no_values(r, rel, out);
    if (!rel->columns.len) {
        out->from = rope_text(r->arena, str_printf(r->arena, "range(%zu)", rel->values.rows.len));
        return true;
    }
    Buf b = buf_in(r->arena);
    buf_addz(&b, "(VALUES ");
    for (size_t i = 0; i < rel->values.rows.len; i++) {
        buf_addz(&b, i ? ", " : "");
        TRY(put_row(r, &rel->values.rows.at[i], &b, err));
    }
    buf_addf(&b, ") AS v%u(" STR_FMT ")", rel->columns.at[0].id,
             STR_ARG(column_list(r, &rel->columns)));
    out->from = rope_text(r->arena, buf_str(&b));
    return true;
}

static bool render_stored(Render *r, const BoundRel *rel, Block *out)
{
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < rel->columns.len; i++)
        buf_addf(&b, "%sk%zu AS c%u", i ? ", " : "", i, rel->columns.at[i].id);
    out->select = b.len ? buf_str(&b) : S("1 AS c0");
    Buf from = buf_in(r->arena);
    buf_addz(&from, "ls_stored.");
    put_quoted(&from, rel->stored.id);
    out->from = rope_text(r->arena, buf_str(&from));
    return true;
}

/* ---- joins ---- */

static const char *join_words(JoinKind kind, bool conditional)
{
    switch (kind) {
    case JOIN_INNER:
        return conditional ? " JOIN " : " CROSS JOIN ";
    case JOIN_CROSS:
        return conditional ? " JOIN " : " CROSS JOIN ";
    case JOIN_LEFT:
        return " LEFT JOIN ";
    case JOIN_RIGHT:
        return " RIGHT JOIN ";
    case JOIN_FULL:
        return " FULL JOIN ";
    case JOIN_LEFT_SEMI:
        return " SEMI JOIN ";
    case JOIN_LEFT_ANTI:
        return " ANTI JOIN ";
    }
    return " JOIN ";
}

/* Numbers the rows of both sides, so that the result can be sorted the way Spark would give it. */
static bool order_join(Render *r, const BoundRel *rel, const Rope **left, const Rope **right,
                       Str *order, Error *err)
{
    size_t n = r->numbered++;
    Str l = str_printf(r->arena, "ls_l%zu", n), rt = str_printf(r->arena, "ls_r%zu", n);
    bool one_sided =
        rel->join.lateral || rel->join.kind == JOIN_LEFT_SEMI || rel->join.kind == JOIN_LEFT_ANTI;
    *left = rows_numbered(r, *left, l);
    if (!one_sided)
        *right = rows_numbered(r, *right, rt);
    return join_order(r, rel, l, rt, order, err);
}

/* DuckDB pulls the conditions of inner joins up and combines every one with every other. */
enum { JOINS_TOGETHER = 32 };

static bool begins_new_joins(const BoundRel *rel)
{
    size_t joins = 0;
    for (const BoundRel *below = rel->input; below; below = below->input)
        joins += below->kind == BREL_JOIN;
    return rel->input->kind == BREL_JOIN && joins % JOINS_TOGETHER == 0;
}

static bool render_join(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    const Rope *left, *right;
    TRY(render_from(r, rel->input, &left, err));
    if (begins_new_joins(rel) || counts_all_rows(rel->input))
        left = kept_apart(r, rel->input, left);
    r->unordered += rel->join.lateral;
    bool nested = rel->join.lateral || rel->join.right->kind == BREL_JOIN;
    bool ok = nested ? render_nested(r, rel->join.right, &right, err)
                     : render_from(r, rel->join.right, &right, err);
    r->unordered -= rel->join.lateral;
    TRY(ok);
    if (!rel->join.lateral && counts_all_rows(rel->join.right))
        right = kept_apart(r, rel->join.right, right);
    /* DuckDB 1.5 takes the right side's names away after the join: those of the left too where both are called alike. */
    if (rel->join.kind == JOIN_LEFT_SEMI || rel->join.kind == JOIN_LEFT_ANTI)
        right = rope_wrapped(r->arena, "(SELECT * FROM ", right, str_printf(r->arena, ") AS ls_s%zu", r->numbered++).ptr);
    if (!r->unordered && join_is_ordered(rel))
        TRY(order_join(r, rel, &left, &right, &out->order, err));
    bool inner = rel->join.kind == JOIN_INNER || rel->join.kind == JOIN_CROSS;
    Str condition = S("TRUE");
    if (rel->join.condition)
        TRY(render_expr(r, rel->join.condition, &condition, err));
    bool conditional = rel->join.condition || !inner;
    const Rope *parts[] = {
        left,
        rope_text(r->arena, str_printf(r->arena, "%s%s", join_words(rel->join.kind, conditional),
                                       rel->join.lateral ? "LATERAL " : "")),
        right,
        conditional
            ? rope_text(r->arena, str_printf(r->arena, " ON (" STR_FMT ")", STR_ARG(condition)))
            : NULL,
    };
    out->from = rope_of(r->arena, LENGTH_OF(parts), parts);
    return true;
}

static bool render_asof(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    const Rope *left, *right;
    Str condition;
    TRY(render_from(r, rel->input, &left, err));
    TRY(render_nested(r, rel->asof.right, &right, err));
    TRY(render_expr(r, rel->asof.condition, &condition, err));
    const Rope *parts[] = {
        left,
        rope_text(r->arena, rel->asof.left_outer ? S(" ASOF LEFT JOIN ") : S(" ASOF JOIN ")),
        right,
        rope_text(r->arena, str_printf(r->arena, " ON (" STR_FMT ")", STR_ARG(condition))),
    };
    out->from = rope_of(r->arena, LENGTH_OF(parts), parts);
    return true;
}

/* ---- set operations and common tables ---- */

static const char *setop_words(const BoundRel *rel)
{
    switch (rel->setop.kind) {
    case SETOP_UNION:
        return rel->setop.all ? " UNION ALL " : " UNION ";
    case SETOP_INTERSECT:
        return rel->setop.all ? " INTERSECT ALL " : " INTERSECT ";
    case SETOP_EXCEPT:
        return rel->setop.all ? " EXCEPT ALL " : " EXCEPT ";
    }
    return " UNION ";
}

/* One input under the names of the whole operation. */
static bool setop_arm(Render *r, const BoundRel *rel, const BoundRel *input, const Rope **out,
                      Error *err)
{
    Block b = {0};
    TRY(render_block(r, input, &b, err));
    const Rope *inner =
        rope_wrapped(r->arena, "(", input_rope(r, &b, &input->columns), ")");
    if (block_is_bare(&b))
        inner = b.from;
    Buf select = buf_in(r->arena);
    size_t visible = 0;
    for (size_t i = 0; i < rel->columns.len; i++, visible++) {
        while (visible < input->columns.len && input->columns.at[visible].hidden &&
               !rel->columns.at[i].hidden)
            visible++;
        if (visible >= input->columns.len)
            return error_internal(err, "a set operation's inputs do not line up");
        buf_addf(&select, "%sc%u AS c%u", i ? ", " : "", input->columns.at[visible].id,
                 rel->columns.at[i].id);
    }
    Block arm = {.from = inner, .select = select.len ? buf_str(&select) : S("1 AS c0")};
    *out = block_rope(r, &arm, S(""));
    return true;
}

static bool setop_text(Render *r, const BoundRel *rel, const Rope **out, Error *err)
{
    size_t n = rel->setop.inputs.len;
    const Rope **parts = ARENA_ARRAY(r->arena, const Rope *, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        if (i)
            parts[2 * i - 1] = rope_text(r->arena, str_from(setop_words(rel)));
        TRY(setop_arm(r, rel, rel->setop.inputs.at[i], &parts[2 * i], err));
    }
    *out = rope_of(r->arena, 2 * n, parts);
    return true;
}

/* Distinct rows in the order in which they first appear on the left. */
static bool ordered_setop(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    Str number = str_printf(r->arena, "ls_l%zu", r->numbered++),
        columns = column_list(r, &rel->columns);
    const Rope *left, *right = NULL;
    bool is_union = rel->setop.kind == SETOP_UNION;
    if (is_union) {
        BoundRel all = *rel;
        all.setop.all = true;
        TRY(setop_text(r, &all, &left, err));
    } else {
        TRY(setop_arm(r, rel, rel->setop.inputs.at[0], &left, err));
        TRY(setop_arm(r, rel, rel->setop.inputs.at[1], &right, err));
    }
    out->from = rows_numbered(r, rope_wrapped(r->arena, "(", left, ")"), number);
    out->select = out->group = columns;
    if (columns_are_collated(&rel->columns)) {
        out->select = column_firsts(r, &rel->columns);
        TRY(column_keys(r, &rel->columns, &out->group, err));
    }
    out->order = str_printf(r->arena, "min(" STR_FMT ")", STR_ARG(number));
    if (is_union)
        return true;
    Buf on = buf_in(r->arena);
    for (size_t i = 0; i < rel->columns.len; i++) {
        Str a, b;
        TRY(column_key(r, &rel->columns.at[i], "ls_a.", &a, err));
        TRY(column_key(r, &rel->columns.at[i], "ls_b.", &b, err));
        buf_addf(&on, "%s" STR_FMT " IS NOT DISTINCT FROM " STR_FMT, i ? " AND " : "", STR_ARG(a), STR_ARG(b));
    }
    const Rope *parts[] = {
        out->from,
        rope_text(r->arena, rel->setop.kind == SETOP_EXCEPT ? S(" AS ls_a ANTI JOIN (")
                                                            : S(" AS ls_a SEMI JOIN (")),
        right,
        rope_text(r->arena, str_printf(r->arena, ") AS ls_b ON " STR_FMT, STR_ARG(buf_str(&on)))),
    };
    out->from = rope_of(r->arena, LENGTH_OF(parts), parts);
    return true;
}

/* EXCEPT ALL and INTERSECT ALL as Spark runs them: rows are counted on both sides, in order of
 * first appearance, and repeated. */
static bool counted_setop(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    const Rope *left, *right;
    TRY(setop_arm(r, rel, rel->setop.inputs.at[0], &left, err));
    TRY(setop_arm(r, rel, rel->setop.inputs.at[1], &right, err));
    const char *count =
        rel->setop.kind == SETOP_EXCEPT ? "sum(ls_a) - sum(ls_b)" : "least(sum(ls_a), sum(ls_b))";
    Str columns = column_list(r, &rel->columns), group = columns;
    if (columns_are_collated(&rel->columns)) {
        columns = column_firsts(r, &rel->columns);
        TRY(column_keys(r, &rel->columns, &group, err));
    }
    const Rope *parts[] = {
        rope_text(r->arena, S("(SELECT *, 1 AS ls_a, 0 AS ls_b FROM (")),
        left,
        rope_text(r->arena, S(") UNION ALL SELECT *, 0, 1 FROM (")),
        right,
        rope_text(r->arena, S("))")),
    };
    Block counted = {
        .from = rows_numbered(r, rope_of(r->arena, LENGTH_OF(parts), parts), S("ls_place")),
        .select = str_printf(r->arena,
                             STR_FMT ", CAST(%s AS BIGINT) AS ls_times, min(ls_place) AS ls_first",
                             STR_ARG(columns), count),
        .group = group,
    };
    Block repeated = {
        .from = rope_wrapped(r->arena, "(", block_rope(r, &counted, S("")), ")"),
        .select = S("*, unnest(range(ls_times)) AS ls_copy"),
    };
    out->from = rope_wrapped(r->arena, "(", block_rope(r, &repeated, S("")), ")");
    out->order = S("ls_first");
    return true;
}

static bool render_setop(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    bool two_sided = rel->setop.kind == SETOP_UNION || rel->setop.inputs.len == 2;
    bool keeps_order = rel->columns.len && ((!r->unordered && rel_is_small(rel)) || columns_are_collated(&rel->columns));
    if (rel->setop.all && rel->setop.kind != SETOP_UNION && two_sided && keeps_order)
        return counted_setop(r, rel, out, err);
    if (!rel->setop.all && two_sided && keeps_order)
        return ordered_setop(r, rel, out, err);
    const Rope *text;
    TRY(setop_text(r, rel, &text, err));
    out->from = rope_wrapped(r->arena, "(", text, ")");
    return true;
}

static bool cte_definition(Render *r, const BoundRel *definition, const Rope **out, Error *err)
{
    if (definition->kind == BREL_SETOP)
        return setop_text(r, definition, out, err);
    Block b = {0};
    TRY(render_block(r, definition, &b, err));
    *out = input_rope(r, &b, &definition->columns);
    return true;
}

static bool render_cte(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    const BoundRel *definition = rel->cte.definition;
    const Rope *text;
    r->unordered += rel->cte.recursive;
    bool ok = cte_definition(r, definition, &text, err);
    r->unordered -= rel->cte.recursive;
    TRY(ok);
    Str columns = definition->columns.len ? column_list(r, &definition->columns) : S("c0");
    Str head = str_printf(r->arena, "cte%u(" STR_FMT ") AS (", rel->cte.id, STR_ARG(columns));
    const Rope *mine = rope_wrapped(r->arena, head.ptr, text, ")");
    CteScope *scope = ARENA_NEW(r->arena, CteScope);
    *scope = (CteScope){rel, r->ctes};
    r->ctes = scope;
    ok = render_block(r, rel->input, out, err);
    r->ctes = scope->outer;
    TRY(ok);
    if (out->with) {
        const Rope *both[] = {mine, rope_text(r->arena, S(", ")), out->with};
        mine = rope_of(r->arena, 3, both);
    }
    out->with = mine;
    out->recursive = out->recursive || rel->cte.recursive;
    return true;
}

static bool render_cte_ref(Render *r, const BoundRel *rel, Block *out)
{
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < rel->columns.len && i < rel->cte_ref.source.len; i++)
        buf_addf(&b, "%sc%u AS c%u", i ? ", " : "", rel->cte_ref.source.at[i].id,
                 rel->columns.at[i].id);
    out->select = b.len ? buf_str(&b) : S("1 AS c0");
    out->from = rope_text(r->arena, str_printf(r->arena, "cte%u", rel->cte_ref.id));
    return true;
}

/* The first row of each key, in the order of the rows. */
static bool ordered_distinct_on(Render *r, const BoundRel *rel, const Rope *input, Block *out,
                                Error *err)
{
    Str number = str_printf(r->arena, "ls_l%zu", r->numbered++);
    Buf b = buf_in(r->arena);
    buf_addz(&b, "(SELECT *, row_number() OVER (PARTITION BY ");
    for (size_t i = 0; i < rel->distinct_on.keys.len; i++) {
        Str key;
        TRY(render_key(r, rel->distinct_on.keys.at[i], &key, err));
        buf_addf(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(key));
    }
    buf_addf(&b, " ORDER BY " STR_FMT ") AS ls_place FROM ", STR_ARG(number));
    out->from = rope_wrapped(r->arena, buf_str(&b).ptr, rows_numbered(r, input, number), ")");
    out->where = rope_text(r->arena, S("ls_place = 1"));
    out->order = number;
    return true;
}

static bool render_distinct_on(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    const Rope *input;
    TRY(render_from(r, rel->input, &input, err));
    if (rel->distinct_on.keys.len && !r->unordered && rel_is_small(rel))
        return ordered_distinct_on(r, rel, input, out, err);
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < rel->distinct_on.keys.len; i++) {
        Str key;
        TRY(render_key(r, rel->distinct_on.keys.at[i], &key, err));
        buf_addz(&b, i ? ", " : "DISTINCT ON (");
        buf_add(&b, key);
    }
    if (b.len)
        buf_addz(&b, ") ");
    else
        out->limit = S(" LIMIT 1");
    buf_add(&b, column_list(r, &rel->columns));
    out->select = buf_str(&b);
    out->from = input;
    return true;
}

/* ---- dispatch ---- */

#define STREAM_WITHOUT_START                                                                     \
    "Queries with streaming sources must be executed with writeStream.start(), or from a "       \
    "streaming table or flow definition within a Spark Declarative Pipeline.;\n"

static bool render_kind(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    switch (rel->kind) {
    case BREL_ONE_ROW:
        return render_one_row(out);
    case BREL_VALUES:
        return render_values(r, rel, out, err);
    case BREL_LOCAL:
        return render_local(r, rel, out, err);
    case BREL_RANGE:
        return render_range(r, rel, out);
    case BREL_SCAN_DELTA:
        return render_delta(r, rel, out, err);
    case BREL_SCAN_FILES:
        return render_files(r, rel, out, err);
    case BREL_PROJECT:
        return render_project(r, rel, out, err);
    case BREL_FILTER:
        return render_filter(r, rel, out, err);
    case BREL_JOIN:
        return render_join(r, rel, out, err);
    case BREL_AGGREGATE:
        return render_aggregate(r, rel, out, err);
    case BREL_SETOP:
        return render_setop(r, rel, out, err);
    case BREL_SORT:
        return render_sort(r, rel, out, err);
    case BREL_LIMIT:
        return render_limit(r, rel, out, err);
    case BREL_SAMPLE:
        return render_sample(r, rel, out, err);
    case BREL_GENERATE:
        return render_generate(r, rel, out, err);
    case BREL_DISTINCT_ON:
        return render_distinct_on(r, rel, out, err);
    case BREL_CTE:
        return render_cte(r, rel, out, err);
    case BREL_CTE_REF:
        return render_cte_ref(r, rel, out);
    case BREL_ASOF_JOIN:
        return render_asof(r, rel, out, err);
    case BREL_PYTHON:
        return render_python(r, rel, out, err);
    case BREL_SCRIPT:
        return render_script(r, rel, out, err);
    case BREL_STORED:
        return render_stored(r, rel, out);
    case BREL_STREAM:
        if (!rel->input)
            return error_set(err, ERR__LEGACY_ERROR_TEMP_3102,
                             P("msg", str_concat(err->arena, S(STREAM_WITHOUT_START), rel->stream.source)));
        return render_block(r, rel->input, out, err);
    case BREL_MARK:
        return render_block(r, rel->input, out, err);
    }
    return error_internal(err, "no renderer for relation kind %d", (int)rel->kind);
}

bool render_block(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    if (r->depth >= RENDER_MAX_DEPTH)
        return error_set(err, ERR_LAKESHED_PLAN_TOO_DEEP,
                         P("limit", str_printf(err->arena, "%d", RENDER_MAX_DEPTH)));
    r->depth++;
    bool ok = python_lift(r, rel, &rel, err) && render_kind(r, split_deep(r, rel), out, err);
    r->depth--;
    return ok;
}

bool render_query(Render *r, const BoundRel *rel, Str *sql, Error *err)
{
    Block b = {0};
    TRY(render_block(r, rel, &b, err));
    Str visible = visible_list(&rel->columns, r->arena);
    /* The select list names columns once and perhaps in another order; the outermost one is exact.
     */
    if (b.select.len && rel->columns.len && !str_eq(b.select, visible) && !select_is_exact(rel)) {
        const Rope *whole = block_rope(r, &b, visible);
        b = (Block){.from = rope_wrapped(r->arena, "(", whole, ")")};
    }
    *sql = rope_flatten(block_rope(r, &b, visible), r->arena);
    return true;
}

/* Whether a project's or aggregate's own items are the visible columns one by one. */
bool select_is_exact(const BoundRel *rel)
{
    if (rel->kind == BREL_LIMIT || rel->kind == BREL_CTE)
        return rel->columns.len == rel->input->columns.len && select_is_exact(rel->input);
    for (size_t i = 0; i < rel->columns.len; i++)
        if (rel->columns.at[i].hidden || id_before(&rel->columns, i))
            return false;
    if (rel->kind == BREL_STORED || rel->kind == BREL_CTE_REF || rel->kind == BREL_VALUES)
        return true;
    if (rel->kind != BREL_PROJECT || rel->project.items.len != rel->columns.len)
        return false;
    for (size_t i = 0; i < rel->columns.len; i++)
        if (rel->project.items.at[i].id != rel->columns.at[i].id)
            return false;
    return true;
}

typedef struct Depth {
    size_t now, most;
} Depth;

static bool measure(BoundExpr **e, void *arg)
{
    Depth *d = arg;
    d->now++;
    size_t here = d->now + ((*e)->kind == BEXPR_SUBQUERY ? plan_depth((*e)->subquery.plan) : 0);
    if (here > d->most)
        d->most = here;
    /* Deeper than any stack is made for: the plan is refused before anyone descends into it. */
    bool ok = d->now > RENDER_MAX_DEPTH || bound_each_child(*e, measure, arg);
    d->now--;
    return ok;
}

static size_t side_depth(const BoundRel *rel)
{
    size_t side = 0;
    if (rel->kind == BREL_JOIN)
        return plan_depth(rel->join.right);
    if (rel->kind == BREL_ASOF_JOIN)
        return plan_depth(rel->asof.right);
    if (rel->kind == BREL_CTE)
        return plan_depth(rel->cte.definition);
    for (size_t i = 0; rel->kind == BREL_SETOP && i < rel->setop.inputs.len; i++) {
        size_t d = plan_depth(rel->setop.inputs.at[i]);
        side = d > side ? d : side;
    }
    return side;
}

size_t plan_depth(const BoundRel *rel)
{
    size_t deepest = 0, along = 0;
    for (; rel; rel = rel->input, along++) {
        Depth expressions = {0, 0};
        (void)!brel_each_expr((BoundRel *)rel, measure, &expressions);
        size_t here = along + side_depth(rel) + expressions.most;
        deepest = here > deepest ? here : deepest;
    }
    return along > deepest ? along : deepest;
}
