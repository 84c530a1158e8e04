/* Names, strings, property lists: the small pieces every statement is made of. */
#include "sql/parser_impl.h"

/* ---- identifiers ---- */

static bool is_name(const Parser *p, const Token *token, bool strict)
{
    if (token->kind == TOK_IDENT || token->kind == TOK_BACKQUOTED)
        return true;
    if (token->kind == TOK_DOUBLE_QUOTED)
        return p->options->double_quoted_identifiers;
    if (token->kind == KW_DO && p->for_queries > 0)
        return false;
    unsigned flags = keyword_flags((TokenKind)token->kind);
    if (p->options->enforce_reserved)
        return flags & NAME_ANSI;
    return flags & (strict ? NAME_ANY : NAME_ANY | NAME_STRICT);
}

bool is_name_at(const Parser *p, size_t ahead)
{
    return is_name(p, peek_at(p, ahead), false);
}

bool is_strict_name_at(const Parser *p, size_t ahead)
{
    return is_name(p, peek_at(p, ahead), true);
}

bool is_identifier_clause(const Parser *p)
{
    return is_at(p, KW_IDENTIFIER) && kind_at(p, 1) == TOK_LEFT_PAREN;
}

static bool is_ascii(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] & 0x80 || s.ptr[i] == '/' || s.ptr[i] == ':')
            return false;
    return true;
}

/* IDENTIFIER('a' '.b') */
static bool is_identifier_literal(const Parser *p)
{
    if (p->options->legacy_identifier_clause || !is_identifier_clause(p))
        return false;
    size_t strings = 0;
    while (is_string_at(p, 2 + strings))
        strings++;
    return strings > 0 && kind_at(p, 2 + strings) == TOK_RIGHT_PAREN;
}

static bool parse_identifier_literal(Parser *p, Name *out)
{
    Str text;
    p->pos += 2;
    TRY(parse_string(p, &text));
    advance(p);
    return sql_parse_name(text, p->options, p->arena, out, p->err);
}

static bool invalid_identifier(Parser *p, Str text, size_t at)
{
    error_set(p->err, ERR_INVALID_IDENTIFIER, P("ident", text));
    error_locate(p->err, PLACE_SYNTAX, p->text, p->tokens[at].start, p->tokens[at].end - 1);
    return false;
}

bool parse_identifier(Parser *p, Str *out)
{
    if (!is_identifier_literal(p))
        return parse_plain_identifier(p, out);
    Name name;
    size_t from = mark(p);
    TRY(parse_identifier_literal(p, &name));
    *out = name.at[0];
    return name.len == 1 ||
           REFUSE(p, from, ERR_IDENTIFIER_TOO_MANY_NAME_PARTS,
                  P("identifier", name_quoted(&name, p->arena)), PZ("limit", "1"));
}

bool parse_plain_identifier(Parser *p, Str *out)
{
    const Token *token = peek_at(p, 0);
    Str text = token_text(p, token);
    if (!is_name(p, token, false))
        return syntax_error(p);
    advance(p);
    if (token->kind == TOK_BACKQUOTED || token->kind == TOK_DOUBLE_QUOTED) {
        *out = lex_quoted_name(text, p->arena);
        return true;
    }
    if (!is_ascii(text))
        return invalid_identifier(p, text, p->pos - 1);
    *out = text;
    return true;
}

bool parse_captured_identifier(Parser *p, Str *out)
{
    size_t from = mark(p);
    TRY(parse_identifier(p, out));
    if (!is_at(p, TOK_MINUS) || !is_name_at(p, 1))
        return true;
    Str ignored;
    size_t minus = mark(p);
    while (is_at(p, TOK_MINUS) && is_name_at(p, 1)) {
        advance(p);
        TRY(parse_identifier(p, &ignored));
    }
    return invalid_identifier(p, source_text(p, from), minus);
}

bool parse_multipart(Parser *p, Name *out)
{
    *out = (Name){0};
    do {
        Str part;
        Name parts;
        if (is_identifier_literal(p)) {
            TRY(parse_identifier_literal(p, &parts));
            for (size_t i = 0; i < parts.len; i++)
                vec_push(p->arena, out, parts.at[i]);
            continue;
        }
        TRY(parse_captured_identifier(p, &part));
        vec_push(p->arena, out, part);
    } while (accept(p, TOK_DOT));
    return true;
}

static bool parse_name_or_clause(Parser *p, Name *name, Expr **name_expr)
{
    *name_expr = NULL;
    *name = (Name){0};
    if (!is_identifier_clause(p))
        return parse_multipart(p, name);
    size_t from = mark(p);
    Expr *text;
    p->pos += 2;
    TRY(parse_expression(p, &text));
    TRY(expect(p, TOK_RIGHT_PAREN));
    if (text->kind == EXPR_LITERAL && text->literal.type->kind == TYPE_STRING &&
        !text->literal.is_null) {
        TRY(sql_parse_name(text->literal.bytes, p->options, p->arena, name, p->err));
        while (!p->options->legacy_identifier_clause && accept(p, TOK_DOT)) {
            Str part;
            TRY(parse_captured_identifier(p, &part));
            vec_push(p->arena, name, part);
        }
        return true;
    }
    *name_expr = new_expr(p, EXPR_IDENTIFIER, from);
    (*name_expr)->identifier.text = text;
    return true;
}

bool parse_reference(Parser *p, Name *name, Expr **name_expr)
{
    size_t from = mark(p);
    TRY(parse_name_or_clause(p, name, name_expr));
    if (!p->has_reference)
        p->reference = origin_from(p, from);
    p->has_reference = true;
    return true;
}

bool parse_identifier_seq(Parser *p, StrVec *out)
{
    do {
        Str name;
        TRY(parse_captured_identifier(p, &name));
        vec_push(p->arena, out, name);
    } while (accept(p, TOK_COMMA));
    return true;
}

bool parse_identifier_list(Parser *p, StrVec *out)
{
    TRY(expect(p, TOK_LEFT_PAREN));
    TRY(parse_identifier_seq(p, out));
    return expect_missing(p, TOK_RIGHT_PAREN);
}

bool parse_multipart_seq(Parser *p, NameVec *out)
{
    do {
        Name name;
        TRY(parse_multipart(p, &name));
        vec_push(p->arena, out, name);
    } while (accept(p, TOK_COMMA));
    return true;
}

Str dotted(const Parser *p, const Name *name)
{
    return name_text(name, p->arena);
}

bool parse_dotted_list(Parser *p, StrVec *out)
{
    bool parens = accept(p, TOK_LEFT_PAREN);
    NameVec names = {0};
    TRY(parse_multipart_seq(p, &names));
    for (size_t i = 0; i < names.len; i++)
        vec_push(p->arena, out, dotted(p, &names.at[i]));
    return !parens || expect_list_end(p, TOK_RIGHT_PAREN);
}

/* ---- strings and numbers ---- */

bool is_string_at(const Parser *p, size_t ahead)
{
    TokenKind kind = kind_at(p, ahead);
    return kind == TOK_STRING ||
           (kind == TOK_DOUBLE_QUOTED && !p->options->double_quoted_identifiers);
}

bool parse_string(Parser *p, Str *out)
{
    if (is_at(p, TOK_QUESTION) || (is_at(p, TOK_COLON) && is_name_at(p, 1)))
        return refuse_unsupported(p, p->pos, "A parameter marker in the place of a string literal");
    if (!is_string_at(p, 0))
        return syntax_error(p);
    *out = lex_string_value(token_text(p, peek_at(p, 0)), p->options->escaped_string_literals,
                            p->arena);
    advance(p);
    if (!is_string_at(p, 0))
        return true;
    /* Literals side by side are one. */
    Buf b = buf_in(p->arena);
    buf_add(&b, *out);
    for (; is_string_at(p, 0); advance(p))
        buf_add(&b, lex_string_value(token_text(p, peek_at(p, 0)),
                                     p->options->escaped_string_literals, p->arena));
    *out = buf_str(&b);
    return true;
}

bool parse_integer(Parser *p, int64_t *out)
{
    if (is_at(p, TOK_QUESTION) || (is_at(p, TOK_COLON) && is_name_at(p, 1)))
        return refuse_unsupported(p, p->pos,
                                  "A parameter marker in the place of an integer literal");
    if (!is_at(p, TOK_INTEGER))
        return syntax_error(p);
    if (!str_to_i64(token_text(p, peek_at(p, 0)), out))
        return syntax_error(p);
    advance(p);
    return true;
}

/* ---- properties ---- */

static bool parse_property_key(Parser *p, Str *out)
{
    if (is_string_at(p, 0)) {
        *out = lex_string_value(token_text(p, peek_at(p, 0)), p->options->escaped_string_literals,
                                p->arena);
        advance(p);
        return true;
    }
    Name name;
    TRY(parse_multipart(p, &name));
    Buf b = buf_in(p->arena);
    for (size_t i = 0; i < name.len; i++) {
        if (i)
            buf_addc(&b, '.');
        buf_add(&b, name.at[i]);
    }
    *out = buf_str(&b);
    return true;
}

static bool parse_property_value(Parser *p, Str *out)
{
    if (is_string_at(p, 0))
        return parse_string(p, out);
    if (is_at(p, KW_TRUE) || is_at(p, KW_FALSE)) {
        *out = str_lower(token_text(p, peek_at(p, 0)), p->arena);
        advance(p);
        return true;
    }
    if (!is_at(p, TOK_INTEGER) && !is_at(p, TOK_DECIMAL))
        return syntax_error(p);
    *out = token_text(p, peek_at(p, 0));
    advance(p);
    return true;
}

static bool parse_property(Parser *p, bool expressions, KeyValue *out)
{
    *out = (KeyValue){0};
    TRY(parse_property_key(p, &out->key));
    bool equals = accept(p, TOK_EQ);
    if (!equals && (is_at(p, TOK_COMMA) || is_at(p, TOK_RIGHT_PAREN)))
        return true;
    if (!expressions)
        return parse_property_value(p, &out->value);
    TRY(parse_expression(p, &out->expr));
    const Expr *e = out->expr;
    bool literal = e->kind == EXPR_LITERAL && !e->literal.is_null;
    if (literal && e->literal.type->kind == TYPE_STRING) {
        out->value = e->literal.bytes;
        out->expr = NULL;
    } else if (literal) {
        out->value = str_lower(sql_fragment(p->text, e->origin), p->arena);
        out->expr = NULL;
    }
    return true;
}

static bool parse_property_list(Parser *p, bool expressions, KeyValueVec *out)
{
    size_t from = mark(p);
    Map seen = map_in(p->arena);
    Name repeated = {0};
    TRY(expect(p, TOK_LEFT_PAREN));
    do {
        KeyValue kv;
        TRY(parse_property(p, expressions, &kv));
        if (map_has(&seen, kv.key) && !repeated.len)
            vec_push(p->arena, &repeated, kv.key);
        map_put(&seen, kv.key, &seen);
        vec_push(p->arena, out, kv);
    } while (accept(p, TOK_COMMA));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    if (repeated.len)
        return REFUSE(p, from, ERR_DUPLICATE_KEY, P("keyColumn", name_quoted(&repeated, p->arena)));
    return true;
}

bool parse_properties(Parser *p, KeyValueVec *out)
{
    return parse_property_list(p, false, out);
}

bool parse_expression_properties(Parser *p, KeyValueVec *out)
{
    return parse_property_list(p, true, out);
}

bool parse_property_keys(Parser *p, StrVec *out)
{
    TRY(expect(p, TOK_LEFT_PAREN));
    do {
        Str key, ignored;
        TRY(parse_property_key(p, &key));
        if (accept(p, TOK_EQ))
            TRY(parse_property_value(p, &ignored));
        vec_push(p->arena, out, key);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

/* ---- IF [NOT] EXISTS ---- */

bool accept_if_exists(Parser *p)
{
    return accept_two(p, KW_IF, KW_EXISTS);
}

bool parse_if_not_exists(Parser *p, bool *out)
{
    *out = is_at(p, KW_IF) && (kind_at(p, 1) == KW_NOT || kind_at(p, 1) == TOK_BANG) &&
           kind_at(p, 2) == KW_EXISTS;
    if (!*out)
        return true;
    if (kind_at(p, 1) == TOK_BANG)
        return syntax_error_at(p, p->pos + 1);
    p->pos += 3;
    return true;
}

/* ---- what cannot be an alias ---- */

bool is_list_stop(TokenKind kind)
{
    return kind == TOK_EOF || kind == TOK_SEMICOLON || kind == TOK_COMMA || kind == TOK_RIGHT_PAREN;
}

/* Every keyword may be a name, so a word opens a clause only when what follows fits that clause. */
bool is_clause_start(const Parser *p, size_t ahead)
{
    TokenKind next = kind_at(p, ahead + 1);
    switch (kind_at(p, ahead)) {
    case KW_GROUP:
    case KW_ORDER:
    case KW_SORT:
    case KW_CLUSTER:
    case KW_DISTRIBUTE: return next == KW_BY && kind_at(p, ahead + 2) != TOK_EOF;
    case KW_WINDOW:
        return kind_at(p, ahead + 2) == KW_AS ||
               (next == KW_IDENTIFIER && kind_at(p, ahead + 2) == TOK_LEFT_PAREN);
    case KW_LATERAL: return next == KW_VIEW || !is_list_stop(next);
    case KW_FROM:
    case KW_WHERE:
    case KW_HAVING:
    case KW_QUALIFY:
    case KW_LIMIT:
    case KW_OFFSET: return !is_list_stop(next);
    case KW_UNION:
    case KW_EXCEPT:
    case KW_INTERSECT:
    case KW_MINUS: return !is_list_stop(next) && next != TOK_INTEGER && next != TOK_STRING;
    default: return false;
    }
}
