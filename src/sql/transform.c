/* SELECT TRANSFORM(..) USING 'script', MAP and REDUCE: rows through a program. What stands in the list is an ordinary SELECT below it. */
#include "sql/parser_impl.h"

bool is_transform(const Parser *p)
{
    if (!is_at(p, KW_TRANSFORM) || kind_at(p, 1) != TOK_LEFT_PAREN)
        return false;
    /* transform(array, f) is a function. */
    uint32_t close = peek_at(p, 1)->match;
    TokenKind next = close ? (TokenKind)p->tokens[close + 1].kind : TOK_EOF;
    return next == KW_USING || next == KW_ROW || next == KW_RECORDWRITER;
}

/* MAP a, b USING 'script': the words are names too, also of tables. */
bool is_map_reduce(const Parser *p)
{
    if (!is_at(p, KW_MAP) && !is_at(p, KW_REDUCE))
        return false;
    for (size_t i = 1; kind_at(p, i) != TOK_EOF && kind_at(p, i) != KW_FROM && kind_at(p, i) != KW_SELECT; i++) {
        if (kind_at(p, i) == TOK_RIGHT_PAREN)
            return false;
        if (kind_at(p, i) == KW_USING || kind_at(p, i) == KW_ROW)
            return i > 1;
        uint32_t match = kind_at(p, i) == TOK_LEFT_PAREN ? peek_at(p, i)->match : 0;
        if (match)
            i = match - p->pos;
    }
    return false;
}

/* ---- ROW FORMAT ---- */

/* Spark's check of the line's end is worded like this. */
static bool check_line_end(Parser *p, Str end, size_t from)
{
    if (str_is(end, "\n"))
        return true;
    return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0064,
                  P("msg", str_printf(p->arena, "LINES TERMINATED BY only supports newline '\\n' right now: " STR_FMT, STR_ARG(end))));
}

static bool parse_delimited(Parser *p, size_t from, ScriptFormat *out)
{
    Str unused, end = S("\n");
    out->given = true;
    if (accept_two(p, KW_FIELDS, KW_TERMINATED)) {
        TRY(expect(p, KW_BY) && parse_string(p, &out->field));
        if (accept_two(p, KW_ESCAPED, KW_BY))
            TRY(parse_string(p, &unused));
    }
    if (accept_two(p, KW_COLLECTION, KW_ITEMS))
        TRY(expect(p, KW_TERMINATED) && expect(p, KW_BY) && parse_string(p, &unused));
    if (accept_two(p, KW_MAP, KW_KEYS))
        TRY(expect(p, KW_TERMINATED) && expect(p, KW_BY) && parse_string(p, &unused));
    if (accept_two(p, KW_LINES, KW_TERMINATED))
        TRY(expect(p, KW_BY) && parse_string(p, &end));
    if (accept(p, KW_NULL))
        TRY(expect(p, KW_DEFINED) && expect(p, KW_AS) && parse_string(p, &out->null));
    return check_line_end(p, end, from);
}

static bool parse_format(Parser *p, size_t statement, ScriptFormat *out)
{
    size_t from = mark(p);
    if (!is_at(p, KW_ROW))
        return true;
    advance(p);
    TRY(expect(p, KW_FORMAT));
    if (is_at(p, KW_SERDE))
        return REFUSE(p, statement, ERR_UNSUPPORTED_FEATURE__TRANSFORM_NON_HIVE);
    return expect(p, KW_DELIMITED) && parse_delimited(p, from, out);
}

/* ---- the list and the columns ---- */

static bool parse_inputs(Parser *p, size_t from, ExprVec *items)
{
    bool parens = is_at(p, KW_TRANSFORM);
    advance(p);
    if (parens)
        TRY(expect(p, TOK_LEFT_PAREN));
    bool quantified = (is_at(p, KW_DISTINCT) || is_at(p, KW_ALL)) && kind_at(p, 1) != TOK_COMMA && kind_at(p, 1) != TOK_RIGHT_PAREN;
    if (quantified)
        return REFUSE(p, from, ERR_UNSUPPORTED_FEATURE__TRANSFORM_DISTINCT_ALL);
    TRY(parse_expression_list(p, items));
    return !parens || expect(p, TOK_RIGHT_PAREN);
}

static bool ends_column(TokenKind kind)
{
    return kind == TOK_COMMA || kind == TOK_RIGHT_PAREN || kind == TOK_EOF || kind == KW_FROM || kind == KW_ROW || kind == KW_WHERE ||
           kind == KW_RECORDREADER;
}

static bool parse_outputs(Parser *p, Rel *rel)
{
    VEC(Field) fields = {0};
    bool parens = accept(p, TOK_LEFT_PAREN), typed = !ends_column(kind_at(p, 1));
    do {
        Field f = {.nullable = true, .type = type_simple(TYPE_STRING), .metadata = S("")};
        TRY(parse_identifier(p, &f.name));
        if (typed)
            TRY(parse_type(p, &f.type));
        vec_push(p->arena, &fields, f);
    } while (accept(p, TOK_COMMA));
    if (parens && !typed && !is_at(p, TOK_RIGHT_PAREN))
        return extra_input(p);
    rel->transform.columns = type_struct(fields.at, fields.len, p->arena);
    return !parens || expect(p, TOK_RIGHT_PAREN);
}

static bool refuse_record(Parser *p, TokenKind word)
{
    return !is_at(p, word) || refuse_unsupported(p, mark(p), "RECORDREADER and RECORDWRITER");
}

bool parse_transform(Parser *p, size_t from, ExprVec *items, Rel **out)
{
    Rel *rel = rel_new(REL_TRANSFORM, NULL, p->arena);
    TRY(parse_inputs(p, from, items));
    TRY(parse_format(p, from, &rel->transform.in));
    TRY(refuse_record(p, KW_RECORDWRITER) && expect(p, KW_USING));
    TRY(parse_string(p, &rel->transform.script));
    if (accept(p, KW_AS))
        TRY(parse_outputs(p, rel));
    TRY(parse_format(p, from, &rel->transform.out));
    TRY(refuse_record(p, KW_RECORDREADER));
    rel->origin = origin_from(p, from);
    *out = rel;
    return true;
}
