/* Queries: WITH, set operations, what orders and limits a result. */
#include "sql/parser_impl.h"

Rel *new_rel(Parser *p, RelKind kind, Rel *input, size_t from)
{
    Rel *rel = rel_new(kind, input, p->arena);
    rel->origin = origin_from(p, from);
    return rel;
}

/* ---- where a query starts ---- */

static bool is_query_word(const Parser *p, size_t ahead)
{
    TokenKind next = kind_at(p, ahead + 1);
    bool name_only = next == TOK_EOF || next == TOK_COMMA || next == TOK_RIGHT_PAREN ||
                     next == TOK_DOT || next == TOK_EQ || next == TOK_SEMICOLON ||
                     next == TOK_ARROW;
    switch (kind_at(p, ahead)) {
    case KW_SELECT: return next != TOK_RIGHT_PAREN && next != TOK_DOT;
    case KW_FROM:
    case KW_TABLE: return !name_only && (is_name_at(p, ahead + 1) || next == TOK_LEFT_PAREN);
    case KW_WITH: {
        if (name_only || !is_name_at(p, ahead + 1))
            return false;
        TokenKind after = kind_at(p, ahead + 2);
        return next == KW_RECURSIVE || after == KW_AS || after == TOK_LEFT_PAREN || after == KW_MAX;
    }
    case KW_VALUES: return !name_only && next != TOK_LEFT_BRACKET;
    default: return false;
    }
}

/* What may stand behind a parenthesised query that is only the first operand of a larger one. */
static bool continues_query(const Parser *p, size_t index)
{
    if (index >= p->count)
        return true;
    switch (p->tokens[index].kind) {
    case TOK_EOF:
    case TOK_SEMICOLON:
    case TOK_RIGHT_PAREN:
    case TOK_OPERATOR_PIPE:
    case KW_UNION:
    case KW_EXCEPT:
    case KW_MINUS:
    case KW_INTERSECT:
    case KW_ORDER:
    case KW_SORT:
    case KW_CLUSTER:
    case KW_DISTRIBUTE:
    case KW_LIMIT:
    case KW_OFFSET:
    case KW_WINDOW: return true;
    default: return false;
    }
}

/* ((SELECT 1)) and ((SELECT 1) UNION ..) are queries, ((SELECT 1) + 1) is not. */
bool is_query_start(const Parser *p, size_t ahead)
{
    size_t depth = 0;
    while (kind_at(p, ahead + depth) == TOK_LEFT_PAREN && depth < SQL_MAX_DEPTH)
        depth++;
    if (!is_query_word(p, ahead + depth))
        return false;
    for (size_t i = 0; i < depth; i++) {
        uint32_t close = peek_at(p, ahead + i)->match;
        if (close && !continues_query(p, close + 1))
            return false;
    }
    return true;
}

/* ---- WITH ---- */

static bool parse_cte(Parser *p, bool recursive, size_t with_from, NamedRel *out)
{
    *out = (NamedRel){.recursive = recursive, .max_depth = -1};
    TRY(parse_captured_identifier(p, &out->name));
    if (is_at(p, TOK_LEFT_PAREN) && !is_query_start(p, 1))
        TRY(parse_identifier_list(p, &out->columns));
    if (is_at(p, KW_MAX) && kind_at(p, 1) == KW_RECURSION) {
        p->pos += 2;
        TRY(expect(p, KW_LEVEL));
        TRY(parse_integer(p, &out->max_depth));
        if (!recursive)
            return p->pos = p->count - 1,
                   refuse_operation(p, with_from,
                                    "Cannot specify MAX RECURSION LEVEL when the CTE is not marked "
                                    "as RECURSIVE");
    }
    accept(p, KW_AS);
    TRY(expect(p, TOK_LEFT_PAREN));
    TRY(parse_query(p, &out->plan));
    return expect(p, TOK_RIGHT_PAREN);
}

bool parse_ctes(Parser *p, Rel **out)
{
    size_t from = mark(p);
    Rel *with = rel_new(REL_WITH, NULL, p->arena);
    TRY(expect(p, KW_WITH));
    bool recursive = is_at(p, KW_RECURSIVE) && is_name_at(p, 1) && kind_at(p, 1) != KW_AS;
    if (recursive)
        advance(p);
    do {
        NamedRel cte;
        TRY(parse_cte(p, recursive, from, &cte));
        vec_push(p->arena, &with->with.ctes, cte);
    } while (accept(p, TOK_COMMA));
    *out = with;
    return true;
}

/* Names may not repeat; Spark says so at the whole query. */
static bool check_ctes(Parser *p, const Rel *with, size_t from)
{
    Map seen = map_in(p->arena);
    for (size_t i = 0; i < with->with.ctes.len; i++) {
        Str name = with->with.ctes.at[i].name;
        if (map_has(&seen, name))
            return REFUSE(
                p, from, ERR_DUPLICATED_CTE_NAMES,
                P("duplicateNames", name_quoted(&(Name){.at = &name, .len = 1}, p->arena)));
        map_put(&seen, name, &seen);
    }
    return true;
}

/* ---- set operations ---- */

bool parse_set_quantifier(Parser *p, bool *all, bool *distinct)
{
    *all = accept(p, KW_ALL);
    *distinct = !*all && accept(p, KW_DISTINCT);
    return true;
}

static int set_op_level(const Parser *p)
{
    if (!is_clause_start(p, 0))
        return 0;
    switch (current(p)) {
    case KW_INTERSECT: return 2;
    case KW_UNION:
    case KW_EXCEPT:
    case KW_MINUS: return 1;
    default: return 0;
    }
}

/* At UNION, EXCEPT, MINUS or INTERSECT; the right side is parsed by the caller. */
static bool parse_set_operator(Parser *p, Rel *left, Rel **out)
{
    Rel *rel = rel_new(REL_SET_OP, left, p->arena);
    bool distinct;
    rel->set_op.kind = is_at(p, KW_UNION)       ? SETOP_UNION
                       : is_at(p, KW_INTERSECT) ? SETOP_INTERSECT
                                                : SETOP_EXCEPT;
    advance(p);
    TRY(parse_set_quantifier(p, &rel->set_op.all, &distinct));
    rel->set_op.by_name = accept_two(p, KW_BY, KW_NAME);
    *out = rel;
    return true;
}

/* A chain of equal operators is a loop, so that 10,000 UNIONs need no deep stack. */
static bool parse_term(Parser *p, int level, Rel **out)
{
    size_t from = mark(p), chain = 0;
    TRY(parse_query_primary(p, out));
    for (int found; (found = set_op_level(p)) >= level && found;) {
        Rel *rel;
        TRY(parse_set_operator(p, *out, &rel));
        TRY(parse_term(p, found + 1, &rel->set_op.right));
        rel->origin = origin_from(p, from);
        *out = rel;
        if (++chain > SQL_MAX_CHAIN)
            return p->depth = SQL_MAX_DEPTH, enter(p);
    }
    return true;
}

static bool parse_query_term(Parser *p, Rel **out)
{
    size_t chain = 0;
    TRY(parse_term(p, 1, out));
    while (is_pipe(p)) {
        size_t from = mark(p);
        advance(p);
        Rel *piped;
        TRY(parse_pipe(p, *out, &piped));
        *out = piped;
        /* A set operation after a pipe applies to all that stands before it. */
        for (int found; (found = set_op_level(p));) {
            Rel *rel;
            TRY(parse_set_operator(p, *out, &rel));
            TRY(parse_term(p, found + 1, &rel->set_op.right));
            rel->origin = origin_from(p, from);
            *out = rel;
        }
        if (++chain > SQL_MAX_CHAIN)
            return p->depth = SQL_MAX_DEPTH, enter(p);
    }
    return true;
}

static bool parse_table_query(Parser *p, Rel **out)
{
    advance(p);
    size_t from = mark(p);
    Rel *rel = rel_new(REL_NAMED_TABLE, NULL, p->arena);
    TRY(parse_reference(p, &rel->table.name, &rel->table.name_expr));
    rel->origin = origin_from(p, from);
    *out = rel;
    return true;
}

bool parse_query_primary(Parser *p, Rel **out)
{
    switch (current(p)) {
    case KW_SELECT: return parse_select(p, NULL, out);
    case KW_FROM: return parse_from_statement(p, out);
    case KW_TABLE: return parse_table_query(p, out);
    case KW_VALUES: return parse_inline_table(p, out);
    case KW_MAP:
    case KW_REDUCE:
        return is_map_reduce(p) ? parse_select(p, NULL, out) : syntax_error(p);
    case TOK_LEFT_PAREN:
        advance(p);
        TRY(parse_query(p, out));
        return expect_missing(p, TOK_RIGHT_PAREN);
    default: return syntax_error(p);
    }
}

/* ---- ORDER BY, LIMIT and kin ---- */

typedef struct Organization {
    ExprVec order, cluster, distribute, sort;
    Expr *limit, *offset;
    bool has_window;
} Organization;

static bool accept_by(Parser *p, TokenKind word)
{
    return is_at(p, word) && is_clause_start(p, 0) && accept_two(p, word, KW_BY);
}

static Rel *repartition(Parser *p, Rel *input, const ExprVec *by, size_t from)
{
    Rel *rel = new_rel(p, REL_REPARTITION, input, from);
    rel->repartition.by = *by;
    rel->repartition.shuffle = true;
    return rel;
}

static Rel *sorted(Parser *p, Rel *input, const ExprVec *order, bool global, size_t from)
{
    Rel *rel = new_rel(p, REL_SORT, input, from);
    rel->sort.order = *order;
    rel->sort.global = global;
    return rel;
}

static bool apply_order(Parser *p, const Organization *o, size_t from, Rel **rel)
{
    int kinds =
        (o->order.len > 0) + (o->cluster.len > 0) + (o->distribute.len > 0) + (o->sort.len > 0);
    if (kinds > 2 || (kinds == 2 && !(o->sort.len && o->distribute.len)))
        return REFUSE(p, from, ERR_UNSUPPORTED_FEATURE__COMBINATION_QUERY_RESULT_CLAUSES);
    if (o->order.len)
        *rel = sorted(p, *rel, &o->order, true, from);
    if (o->distribute.len)
        *rel = repartition(p, *rel, &o->distribute, from);
    if (o->sort.len)
        *rel = sorted(p, *rel, &o->sort, false, from);
    if (o->cluster.len) {
        ExprVec order = {0};
        for (size_t i = 0; i < o->cluster.len; i++) {
            Expr *item = expr_new(EXPR_SORT, p->arena);
            item->sort.child = o->cluster.at[i];
            item->sort.nulls_first = true;
            item->origin = o->cluster.at[i]->origin;
            vec_push(p->arena, &order, item);
        }
        *rel = sorted(p, repartition(p, *rel, &o->cluster, from), &order, false, from);
    }
    return true;
}

/* Spark's message names the first two of several result clauses of one pipe step. */
static bool check_pipe_clauses(Parser *p, const Organization *o, size_t from)
{
    const char *names[6];
    size_t count = 0;
    if (o->has_window)
        return REFUSE(p, from, ERR_UNSUPPORTED_FEATURE__CLAUSE_WITH_PIPE_OPERATORS,
                      PZ("clauses", "the WINDOW clause"));
    if (o->order.len)
        names[count++] = "ORDER BY";
    else if (o->sort.len && o->distribute.len)
        names[count++] = "SORT BY ... DISTRIBUTE BY ...";
    else if (o->sort.len)
        names[count++] = "SORT BY";
    else if (o->distribute.len)
        names[count++] = "DISTRIBUTE BY";
    else if (o->cluster.len)
        names[count++] = "CLUSTER BY";
    if (o->offset && count)
        names[count++] = "OFFSET";
    if (o->limit && count)
        names[count++] = "LIMIT";
    if (count < 2)
        return true;
    return REFUSE(p, from, ERR_MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS,
                  PZ("clause1", names[0]), PZ("clause2", names[1]));
}

static bool parse_limits(Parser *p, Organization *o)
{
    if (is_at(p, KW_LIMIT) && is_clause_start(p, 0)) {
        advance(p);
        bool all = is_at(p, KW_ALL);
        if (all)
            advance(p);
        else
            TRY(parse_expression(p, &o->limit));
    }
    if (is_at(p, KW_OFFSET) && is_clause_start(p, 0)) {
        advance(p);
        TRY(parse_expression(p, &o->offset));
    }
    return true;
}

bool parse_organization(Parser *p, Rel *input, bool in_pipe, Rel **out)
{
    size_t from = mark(p);
    Organization o = {0};
    *out = input;
    if (accept_by(p, KW_ORDER))
        TRY(parse_sort_list(p, &o.order));
    if (accept_by(p, KW_CLUSTER))
        TRY(parse_expression_list(p, &o.cluster));
    if (accept_by(p, KW_DISTRIBUTE))
        TRY(parse_expression_list(p, &o.distribute));
    if (accept_by(p, KW_SORT))
        TRY(parse_sort_list(p, &o.sort));
    Rel *window = NULL;
    o.has_window = is_at(p, KW_WINDOW) && is_clause_start(p, 0);
    if (o.has_window)
        TRY(parse_window_clause(p, NULL, &window));
    TRY(parse_limits(p, &o));
    if (p->pos == from)
        return true;
    if (in_pipe)
        TRY(check_pipe_clauses(p, &o, from));
    TRY(apply_order(p, &o, from, out));
    if (window) {
        window->input = *out;
        *out = window;
    }
    if (o.offset) {
        *out = new_rel(p, REL_OFFSET, *out, from);
        (*out)->limit.count = o.offset;
    }
    if (o.limit) {
        *out = new_rel(p, REL_LIMIT, *out, from);
        (*out)->limit.count = o.limit;
    }
    return true;
}

/* ---- a whole query ---- */

bool parse_query_after(Parser *p, Rel *with, size_t from, Rel **out)
{
    TRY(parse_query_term(p, out));
    TRY(parse_organization(p, *out, false, out));
    if (with) {
        with->input = *out;
        with->origin = origin_from(p, from);
        *out = with;
        TRY(check_ctes(p, with, from));
    }
    return true;
}

bool parse_query(Parser *p, Rel **out)
{
    size_t from = mark(p);
    Rel *with = NULL;
    TRY(enter(p));
    if (is_at(p, KW_WITH))
        TRY(parse_ctes(p, &with));
    TRY(parse_query_after(p, with, from, out));
    leave(p);
    return true;
}
