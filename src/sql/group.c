/* GROUP BY: plain keys, ROLLUP, CUBE, GROUPING SETS, ALL; mixtures are written out as grouping
 * sets. */
#include "sql/parser_impl.h"

typedef VEC(ExprVec) SetVec;

enum { MAX_GROUPING_SETS = 4096 };

typedef struct Grouping {
    Parser *p;
    size_t from;
    Rel *aggregate;
    SetVec sets;     /* the product so far */
    bool plain;      /* no ROLLUP, CUBE or GROUPING SETS yet */
    size_t elements; /* comma-separated parts of the clause */
    const char *bad; /* "ROLLUP" or "CUBE" with an empty element */
    Map keys;        /* normalised text -> Expr: equal expressions are one key */
} Grouping;

/* The expression's tokens with one blank between them. Letter case is left: what it means is the
 * analyzer's to say. */
static Str normal_text(Parser *p, size_t first, size_t end)
{
    Buf b = buf_in(p->arena);
    for (size_t i = first; i < end; i++) {
        buf_addc(&b, ' ');
        buf_add(&b, token_text(p, &p->tokens[i]));
    }
    return buf_str(&b);
}

static bool parse_key(Grouping *g, bool allow_alias, Expr **out)
{
    Parser *p = g->p;
    size_t first = mark(p);
    Expr *e;
    if (allow_alias)
        TRY(parse_named_expression(p, &e));
    else
        TRY(parse_expression(p, &e));
    Str text = normal_text(p, first, p->pos);
    Expr *known = map_get(&g->keys, text);
    if (!known)
        map_put(&g->keys, text, e);
    if (!known || allow_alias) /* a pipe step shows its keys each time they are written */
        vec_push(p->arena, &g->aggregate->aggregate.keys, e);
    *out = known ? known : e;
    return true;
}

/* (a, b), a, or (): one element of ROLLUP, CUBE or GROUPING SETS. */
static bool parse_grouping_set(Grouping *g, ExprVec *out)
{
    Parser *p = g->p;
    *out = (ExprVec){0};
    Expr *e;
    uint32_t close = peek_at(p, 0)->match;
    uint16_t after = close ? p->tokens[close + 1].kind : TOK_EOF;
    bool list = is_at(p, TOK_LEFT_PAREN) && (after == TOK_COMMA || after == TOK_RIGHT_PAREN) &&
                !is_query_start(p, 1);
    if (!list) {
        TRY(parse_key(g, false, &e));
        vec_push(p->arena, out, e);
        return true;
    }
    advance(p);
    if (accept(p, TOK_RIGHT_PAREN))
        return true;
    do {
        TRY(parse_key(g, false, &e));
        vec_push(p->arena, out, e);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

static bool too_many(Grouping *g)
{
    return refuse_unsupported(g->p, g->from, "A GROUP BY clause of more than 4096 grouping sets");
}

static void append(Parser *p, ExprVec *to, const ExprVec *from)
{
    for (size_t i = 0; i < from->len; i++)
        vec_push(p->arena, to, from->at[i]);
}

/* ROLLUP: every prefix, the longest first. CUBE: every subset, earlier elements vary slowest. */
static bool expand(Grouping *g, const SetVec *elements, bool cube, SetVec *out)
{
    Parser *p = g->p;
    if (cube && elements->len > 12)
        return too_many(g);
    size_t count = cube ? (size_t)1 << elements->len : elements->len + 1;
    for (size_t n = 0; n < count; n++) {
        ExprVec set = {0};
        for (size_t i = 0; i < elements->len; i++) {
            bool in = cube ? !(n >> (elements->len - 1 - i) & 1) : i < elements->len - n;
            if (in)
                append(p, &set, &elements->at[i]);
        }
        vec_push(p->arena, out, set);
    }
    return true;
}

static bool is_analytics(const Parser *p)
{
    bool sets =
        is_at(p, KW_GROUPING) && kind_at(p, 1) == KW_SETS && kind_at(p, 2) == TOK_LEFT_PAREN;
    return sets || ((is_at(p, KW_ROLLUP) || is_at(p, KW_CUBE)) && kind_at(p, 1) == TOK_LEFT_PAREN);
}

/* ROLLUP(..), CUBE(..), GROUPING SETS(..) as the sets they stand for. */
static bool parse_analytics(Grouping *g, SetVec *out)
{
    Parser *p = g->p;
    bool cube = is_at(p, KW_CUBE), sets = is_at(p, KW_GROUPING);
    SetVec elements = {0};
    TRY(enter(p));
    p->pos += sets ? 3 : 2;
    do {
        ExprVec set;
        if (sets && is_analytics(p)) {
            TRY(parse_analytics(g, out));
            continue;
        }
        TRY(parse_grouping_set(g, &set));
        if (!sets && !set.len)
            g->bad = cube ? "CUBE" : "ROLLUP";
        vec_push(p->arena, sets ? out : &elements, set);
    } while (accept(p, TOK_COMMA));
    leave(p);
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    return sets || expand(g, &elements, cube, out);
}

/* Every set so far joined with every new one. */
static bool multiply(Grouping *g, const SetVec *by)
{
    Parser *p = g->p;
    SetVec product = {0};
    if (g->sets.len && by->len > MAX_GROUPING_SETS / g->sets.len)
        return too_many(g);
    for (size_t i = 0; i < g->sets.len; i++) {
        for (size_t j = 0; j < by->len; j++) {
            ExprVec set = {0};
            append(p, &set, &g->sets.at[i]);
            append(p, &set, &by->at[j]);
            vec_push(p->arena, &product, set);
        }
    }
    g->sets = product;
    return true;
}

static bool parse_element(Grouping *g, bool allow_alias)
{
    Parser *p = g->p;
    SetVec sets = {0};
    g->elements++;
    if (is_analytics(p)) {
        g->plain = false;
        TRY(parse_analytics(g, &sets));
        return multiply(g, &sets);
    }
    Expr *e;
    ExprVec one = {0};
    TRY(parse_key(g, allow_alias, &e));
    vec_push(p->arena, &one, e);
    vec_push(p->arena, &sets, one);
    if (g->plain) { /* keys alone stay one set: no copying */
        vec_push(p->arena, &g->sets.at[0], e);
        return true;
    }
    return multiply(g, &sets);
}

static bool is_all(const Grouping *g)
{
    const ExprVec *keys = &g->aggregate->aggregate.keys;
    return g->plain && g->elements == 1 && keys->len == 1 && keys->at[0]->kind == EXPR_COLUMN &&
           keys->at[0]->column.name.len == 1 && str_is_ci(keys->at[0]->column.name.at[0], "all");
}

/* a, b WITH ROLLUP | WITH CUBE | GROUPING SETS (..): Hive's forms. */
static bool parse_suffix(Grouping *g)
{
    Parser *p = g->p;
    SetVec sets = {0};
    if (!g->plain)
        return true;
    bool with = is_at(p, KW_WITH) && (kind_at(p, 1) == KW_ROLLUP || kind_at(p, 1) == KW_CUBE);
    if (with) {
        g->aggregate->aggregate.group = kind_at(p, 1) == KW_CUBE ? GROUP_CUBE : GROUP_ROLLUP;
        p->pos += 2;
    } else if (is_analytics(p) && is_at(p, KW_GROUPING)) {
        g->plain = false;
        TRY(parse_analytics(g, &sets));
        g->sets = sets;
    }
    return true;
}

bool parse_group_by(Parser *p, bool allow_alias, Rel *aggregate)
{
    Grouping g = {
        .p = p, .from = mark(p), .aggregate = aggregate, .plain = true, .keys = map_in(p->arena)};
    vec_push(p->arena, &g.sets, (ExprVec){0});
    aggregate->aggregate.group = GROUP_BY;
    p->pos += 2;
    do
        TRY(parse_element(&g, allow_alias));
    while (accept(p, TOK_COMMA));
    TRY(parse_suffix(&g));
    if (g.bad)
        return REFUSE(p, g.from, ERR__LEGACY_ERROR_TEMP_0051, PZ("element", g.bad));
    if (is_all(&g) && aggregate->aggregate.group == GROUP_BY) {
        aggregate->aggregate.group = GROUP_ALL;
        aggregate->aggregate.keys.len = 0;
    } else if (!g.plain) {
        aggregate->aggregate.group = GROUP_SETS;
        for (size_t i = 0; i < g.sets.len; i++)
            vec_push(p->arena, &aggregate->aggregate.sets, g.sets.at[i]);
    }
    return true;
}
