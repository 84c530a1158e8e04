/* The parser's core: walking tokens, saying what is wrong, and the entry points. */
#include "sql/parser_impl.h"

/* ---- tokens ---- */

Str token_text(const Parser *p, const Token *token)
{
    return str_slice(p->text, token->start, token->end);
}

bool is_word_at(const Parser *p, size_t ahead, const char *word)
{
    const Token *token = peek_at(p, ahead);
    return (token->kind == TOK_IDENT || token->kind > TOK_FIRST_KEYWORD) &&
           str_is_ci(token_text(p, token), word);
}

bool accept_word(Parser *p, const char *word)
{
    if (!is_word_at(p, 0, word))
        return false;
    advance(p);
    return true;
}

bool expect_word(Parser *p, const char *word)
{
    return accept_word(p, word) || syntax_error(p);
}

bool expect(Parser *p, TokenKind kind)
{
    return accept(p, kind) || syntax_error(p);
}

Origin origin_from(const Parser *p, size_t from)
{
    size_t last = p->pos > from ? p->pos - 1 : from;
    return (Origin){(int)p->tokens[from].start, (int)p->tokens[last].end - 1};
}

Str source_text(const Parser *p, size_t from)
{
    return sql_fragment(p->text, origin_from(p, from));
}

Str sql_fragment(Str text, Origin origin)
{
    if (origin.stop < origin.start || origin.start < 0)
        return (Str){0};
    return str_slice(text, (size_t)origin.start, (size_t)origin.stop + 1);
}

/* ---- errors ---- */

/* As ANTLR shows a token: quoted, control characters escaped. */
static Str display(Parser *p, const Token *token)
{
    if (token->kind == TOK_EOF)
        return S("end of input");
    Buf b = buf_in(p->arena);
    buf_addc(&b, '\'');
    Str text = token_text(p, token);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n')
            buf_addz(&b, "\\n");
        else if (c == '\r')
            buf_addz(&b, "\\r");
        else if (c == '\t')
            buf_addz(&b, "\\t");
        else
            buf_addc(&b, c);
    }
    buf_addc(&b, '\'');
    return buf_str(&b);
}

/* An unclosed comment hides the rest of the statement: Spark names it rather than what is missing.
 */
static bool comment_error(Parser *p)
{
    error_set(p->err, ERR_UNCLOSED_BRACKETED_COMMENT);
    error_locate(p->err, PLACE_SYNTAX, p->text, p->list->comment_start, p->text.len);
    return false;
}

static bool syntax_error_with(Parser *p, const Token *token, Str hint)
{
    if (error_is_set(p->err))
        return false;
    if (!str_trim(p->text).len)
        error_set(p->err, ERR_PARSE_EMPTY_STATEMENT);
    else if (p->list->unclosed_comment && token->kind == TOK_EOF)
        return comment_error(p);
    else
        error_set(p->err, ERR_PARSE_SYNTAX_ERROR, P("error", display(p, token)), P("hint", hint));
    error_locate(p->err, PLACE_SYNTAX, p->text, token->start, token->end ? token->end - 1 : 0);
    return false;
}

bool syntax_error_at(Parser *p, size_t index)
{
    return syntax_error_with(p, &p->tokens[index < p->count ? index : p->count - 1], S(""));
}

bool syntax_error(Parser *p)
{
    return syntax_error_at(p, p->pos);
}

bool extra_input(Parser *p)
{
    const Token *token = peek_at(p, 0);
    return syntax_error_with(
        p, token, str_printf(p->arena, ": extra input " STR_FMT, STR_ARG(display(p, token))));
}

bool expect_missing(Parser *p, TokenKind kind)
{
    if (accept(p, kind))
        return true;
    if (kind_at(p, 1) == kind)
        return extra_input(p);
    Str name = kind == TOK_RIGHT_PAREN     ? S(")")
               : kind == TOK_RIGHT_BRACKET ? S("]")
                                           : keyword_spelling(kind);
    bool closes = kind == TOK_RIGHT_PAREN || kind == TOK_RIGHT_BRACKET;
    bool fits = closes ? is_at(p, TOK_EOF) || current(p) > TOK_FIRST_KEYWORD
                       : is_name_at(p, 0) || is_string_at(p, 0) || is_at(p, TOK_LEFT_PAREN);
    if (!fits)
        return syntax_error(p);
    return syntax_error_with(p, peek_at(p, 0),
                             str_printf(p->arena, ": missing '" STR_FMT "'", STR_ARG(name)));
}

/* Whether the list that the current token should close or continue has a comma already. */
static bool list_has_comma(const Parser *p)
{
    int depth = 0;
    for (size_t i = p->pos; i-- > 0;) {
        uint16_t kind = p->tokens[i].kind;
        if (kind == TOK_RIGHT_PAREN || kind == TOK_RIGHT_BRACKET)
            depth++;
        else if ((kind == TOK_LEFT_PAREN || kind == TOK_LEFT_BRACKET) && !depth--)
            return false;
        else if (kind == TOK_COMMA && !depth)
            return true;
    }
    return false;
}

/* ANTLR drops a token that does not fit where it repeats a list, or where the one behind it would
 * fit. */
bool expect_list_end(Parser *p, TokenKind kind)
{
    if (accept(p, kind))
        return true;
    if (list_has_comma(p) ||
        (!is_at(p, TOK_EOF) && (kind_at(p, 1) == kind || kind_at(p, 1) == TOK_COMMA)))
        return extra_input(p);
    return syntax_error(p);
}

/* Of several refusals the first stands. */
bool refuse(Parser *p, size_t from)
{
    if (p->late) {
        error_clear(p->err);
        error_copy(p->err, p->late);
        return false;
    }
    Origin origin = origin_from(p, from);
    error_locate(p->err, PLACE_PARSE, p->text, (size_t)origin.start, (size_t)origin.stop);
    return false;
}

bool refuse_later(Parser *p)
{
    if (!p->late) {
        p->late = ARENA_NEW(p->arena, Error);
        *p->late = error_in(p->arena);
        error_copy(p->late, p->err);
    }
    error_clear(p->err);
    return true;
}

bool refuse_statement(Parser *p)
{
    p->pos = p->count - 1;
    while (p->pos > 1 && p->tokens[p->pos - 1].kind == TOK_SEMICOLON)
        p->pos--;
    return refuse(p, 0);
}

bool refuse_words(Parser *p, Str words)
{
    return REFUSE_STATEMENT(p, ERR_INVALID_STATEMENT_OR_CLAUSE,
                            P("operation", str_upper(words, p->arena)));
}

bool refuse_operation(Parser *p, size_t from, const char *message)
{
    return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0035, PZ("message", message));
}

bool refuse_unsupported(Parser *p, size_t from, const char *what)
{
    error_unsupported(p->err, "%s", what);
    return refuse(p, from);
}

bool enter(Parser *p)
{
    if (++p->depth <= SQL_MAX_DEPTH)
        return true;
    error_set(p->err, ERR_FAILED_TO_PARSE_TOO_COMPLEX);
    return refuse(p, p->pos);
}

/* ---- entry points ---- */

static bool start(Parser *p, Str text, const SqlOptions *options, Arena *arena, TokenList *list,
                  Error *err)
{
    static const SqlOptions defaults = {.ansi = true};
    if (text.len > SQL_MAX_BYTES)
        return error_set(err, ERR_FAILED_TO_PARSE_TOO_COMPLEX);
    lex(text, arena, list);
    *p = (Parser){.text = text,
                  .options = options ? options : &defaults,
                  .arena = arena,
                  .err = err,
                  .list = list,
                  .tokens = list->tokens.at,
                  .count = list->tokens.len};
    return true;
}

/* Nothing may follow; a comment that is not closed is an error of its own. */
static bool finish(Parser *p)
{
    bool extra = kind_at(p, 1) == TOK_EOF || kind_at(p, 1) == TOK_SEMICOLON ||
                 (p->pos > 1 && p->tokens[p->pos - 1].kind == TOK_SEMICOLON &&
                  p->tokens[p->pos - 2].kind == TOK_SEMICOLON);
    if (!is_at(p, TOK_EOF))
        return extra ? extra_input(p) : syntax_error(p);
    if (p->list->unclosed_comment)
        return comment_error(p);
    if (p->late)
        error_copy(p->err, p->late);
    return p->late == NULL;
}

bool sql_parse(Str text, const SqlOptions *options, Arena *arena, Statement *out, Error *err)
{
    Parser p;
    TokenList list;
    *out = (Statement){0};
    TRY(start(&p, text, options, arena, &list, err));
    if (is_at(&p, KW_BEGIN)) {
        TRY(parse_script(&p, out));
        accept(&p, TOK_SEMICOLON);
        return finish(&p);
    }
    TRY(parse_statement(&p, out));
    /* Spark's errors about a missing or unfit object point at its name. */
    if (out->command && p.has_reference)
        out->command->origin = p.reference;
    while (accept(&p, TOK_SEMICOLON))
        ;
    /* SET takes the rest of the text as it is, comments and all. */
    if (out->command && out->command->kind == CMD_SET && is_at(&p, TOK_EOF))
        return true;
    return finish(&p);
}

bool sql_parse_expr(Str text, const SqlOptions *options, Arena *arena, Expr **out, Error *err)
{
    Parser p;
    TokenList list;
    TRY(start(&p, text, options, arena, &list, err));
    TRY(parse_named_expression(&p, out));
    return finish(&p);
}

bool sql_parse_name(Str text, const SqlOptions *options, Arena *arena, Name *out, Error *err)
{
    Parser p;
    TokenList list;
    TRY(start(&p, text, options, arena, &list, err));
    TRY(parse_multipart(&p, out));
    return finish(&p);
}

bool sql_parse_type(Str text, const SqlOptions *options, Arena *arena, const Type **out, Error *err)
{
    Parser p;
    TokenList list;
    TRY(start(&p, text, options, arena, &list, err));
    TRY(parse_type(&p, out));
    return finish(&p);
}
