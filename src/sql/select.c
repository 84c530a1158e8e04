/* SELECT: hints, list, FROM, WHERE, grouping, HAVING, windows, QUALIFY. */
#include "sql/parser_impl.h"

/* ---- hints ---- */

typedef struct Hint {
    Str name;
    ExprVec params;
} Hint;
typedef VEC(Hint) HintVec;

static bool parse_hint_statement(Parser *p, Hint *out)
{
    *out = (Hint){0};
    TRY(parse_plain_identifier(p, &out->name));
    if (!accept(p, TOK_LEFT_PAREN))
        return true;
    do {
        Expr *e;
        TRY(parse_primary(p, &e));
        vec_push(p->arena, &out->params, e);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

static bool parse_hints(Parser *p, HintVec *out)
{
    while (accept(p, TOK_HINT_START)) {
        do {
            Hint hint;
            TRY(parse_hint_statement(p, &hint));
            vec_push(p->arena, out, hint);
            accept(p, TOK_COMMA);
        } while (!is_at(p, TOK_HINT_END) && !is_at(p, TOK_EOF));
        TRY(expect(p, TOK_HINT_END));
    }
    return true;
}

static Rel *apply_hints(Parser *p, Rel *rel, const HintVec *hints, size_t from)
{
    for (size_t i = hints->len; i-- > 0;) {
        rel = new_rel(p, REL_HINT, rel, from);
        rel->hint.name = hints->at[i].name;
        rel->hint.params = hints->at[i].params;
    }
    return rel;
}

/* ---- the clauses ---- */

static bool parse_where(Parser *p, Rel **rel)
{
    if (!is_at(p, KW_WHERE) || !is_clause_start(p, 0))
        return true;
    size_t from = mark(p);
    Expr *condition;
    advance(p);
    TRY(parse_expression(p, &condition));
    *rel = new_rel(p, REL_FILTER, *rel, from);
    (*rel)->filter.condition = condition;
    return true;
}

/* GROUP BY, HAVING: a HAVING alone groups all rows into one, or is one more WHERE. */
static bool parse_grouping(Parser *p, ExprVec *items, Rel **input, size_t from, Rel **out,
                           bool *grouped)
{
    bool group = is_at(p, KW_GROUP) && is_clause_start(p, 0);
    Rel *aggregate = rel_new(REL_AGGREGATE, *input, p->arena);
    aggregate->aggregate.items = *items;
    if (group)
        TRY(parse_group_by(p, false, aggregate));
    bool having = is_at(p, KW_HAVING) && is_clause_start(p, 0);
    if (having && !group && p->options->having_as_where) {
        *input = new_rel(p, REL_FILTER, *input, mark(p));
        advance(p);
        TRY(parse_expression(p, &(*input)->filter.condition));
        having = false;
    } else if (having) {
        advance(p);
        TRY(parse_expression(p, &aggregate->aggregate.having));
    }
    *grouped = group || having;
    aggregate->origin = origin_from(p, from);
    *out = aggregate;
    return true;
}

static bool parse_distinct(Parser *p, bool *distinct)
{
    /* The words are names too: SELECT all FROM t */
    TokenKind next = kind_at(p, 1);
    bool name = next == TOK_EOF || next == TOK_COMMA || next == TOK_DOT || next == KW_AS ||
                (next == KW_FROM && kind_at(p, 2) != KW_FROM);
    *distinct = is_at(p, KW_DISTINCT) && !name;
    if (*distinct || (is_at(p, KW_ALL) && !name))
        advance(p);
    return true;
}

/* SELECT, or MAP and REDUCE, which are SELECT TRANSFORM. */
bool parse_select(Parser *p, Rel *input, Rel **out)
{
    size_t from = mark(p);
    bool has_input = input != NULL, distinct = false, grouped;
    HintVec hints = {0};
    ExprVec items = {0};
    Rel *transform = NULL;
    bool select = is_at(p, KW_SELECT);
    if (select) {
        advance(p);
        TRY(parse_hints(p, &hints));
    }
    if (!select || is_transform(p)) {
        TRY(parse_transform(p, from, &items, &transform));
    } else {
        TRY(parse_distinct(p, &distinct));
        TRY(parse_named_list(p, &items));
    }
    if (!has_input && is_at(p, KW_FROM))
        TRY(parse_from(p, &input));
    else if (!has_input)
        input = new_rel(p, REL_ONE_ROW, NULL, from);
    TRY(parse_lateral_views(p, &input));
    TRY(parse_where(p, &input));
    Rel *rel;
    TRY(parse_grouping(p, &items, &input, from, &rel, &grouped));
    if (!grouped) {
        rel = new_rel(p, REL_PROJECT, input, from);
        rel->project.items = items;
        rel->project.distinct = distinct;
    } else if (distinct) {
        rel = new_rel(p, REL_DEDUPLICATE, rel, from);
        rel->deduplicate.all_columns = true;
    }
    if (is_at(p, KW_WINDOW) && is_clause_start(p, 0))
        TRY(parse_window_clause(p, rel, &rel));
    if (is_at(p, KW_QUALIFY) && is_clause_start(p, 0)) {
        size_t at = mark(p);
        Expr *condition;
        advance(p);
        TRY(parse_expression(p, &condition));
        rel = new_rel(p, REL_FILTER, rel, at);
        rel->filter.condition = condition;
        rel->filter.is_qualify = true;
    }
    rel = apply_hints(p, rel, &hints, from);
    if (transform)
        transform->input = rel;
    *out = transform ? transform : rel;
    return true;
}

static bool is_select_start(const Parser *p)
{
    return is_at(p, KW_SELECT) || is_map_reduce(p);
}

/* FROM t SELECT ..: Hive's order; several SELECTs are a UNION ALL. */
bool parse_from_statement(Parser *p, Rel **out)
{
    size_t from = mark(p), count = 0;
    Rel *source, *all = NULL;
    TRY(parse_from(p, &source));
    while (is_select_start(p)) {
        Rel *one;
        TRY(parse_select(p, source, &one));
        TRY(parse_organization(p, one, false, &one));
        if (all) {
            Rel *both = new_rel(p, REL_SET_OP, all, from);
            both->set_op.right = one;
            both->set_op.kind = SETOP_UNION;
            both->set_op.all = true;
            one = both;
        }
        all = one;
        if (++count > SQL_MAX_CHAIN)
            return p->depth = SQL_MAX_DEPTH, enter(p);
    }
    if (is_at(p, KW_INSERT))
        return refuse_unsupported(p, from, "FROM with INSERT INTO (multi-insert)");
    *out = all ? all : source;
    return true;
}
