/* Cuts SQL text into tokens as Spark's lexer does: the longest match wins, earlier kinds win ties.
 */
#include "sql/lexer.h"

#include "base/buf.h"

typedef struct Lexer {
    Str text;
    size_t pos;
    Arena *arena;
    TokenList *out;
    VEC(uint32_t) open; /* indexes of '(' and '[' not closed yet */
} Lexer;

static char at(const Lexer *lx, size_t i)
{
    return i < lx->text.len ? lx->text.ptr[i] : 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char upper(char c)
{
    return (c >= 'a' && c <= 'z') ? (char)(c - 'a' + 'A') : c;
}

static bool is_wide_space(uint32_t c)
{
    return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Bytes of the white space character at i, 0 when there is none. */
static size_t space_at(const Lexer *lx, size_t i)
{
    char c = at(lx, i);
    if (i >= lx->text.len)
        return 0;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    if (!((unsigned char)c & 0x80))
        return 0;
    size_t next = i;
    return is_wide_space(str_utf8_next(lx->text, &next)) ? next - i : 0;
}

/* Bytes of the identifier character at i, 0 when there is none. Every letter outside ASCII is let
 * in here, so that the parser can say INVALID_IDENTIFIER. */
static size_t word_char_at(const Lexer *lx, size_t i)
{
    char c = at(lx, i);
    if (is_letter(c) || is_digit(c) || c == '_')
        return 1;
    if (!((unsigned char)c & 0x80))
        return 0;
    size_t next = i;
    uint32_t code = str_utf8_next(lx->text, &next);
    return is_wide_space(code) || code == 0xFFFD ? 0 : next - i;
}

static void push(Lexer *lx, TokenKind kind, size_t end)
{
    Token token = {.start = (uint32_t)lx->pos, .end = (uint32_t)end, .kind = (uint16_t)kind};
    vec_push(lx->arena, &lx->out->tokens, token);
    lx->pos = end;
}

/* ---- white space and comments ---- */

static void skip_line_comment(Lexer *lx)
{
    while (lx->pos < lx->text.len) {
        char c = lx->text.ptr[lx->pos];
        if (c == '\\' && at(lx, lx->pos + 1) == '\n') {
            lx->pos += 2; /* the comment goes on in the next line */
            continue;
        }
        if (c == '\n' || c == '\r')
            return;
        lx->pos++;
    }
}

/* Bracketed comments nest. */
static void skip_bracketed_comment(Lexer *lx)
{
    size_t depth = 0, start = lx->pos;
    while (lx->pos < lx->text.len) {
        if (at(lx, lx->pos) == '/' && at(lx, lx->pos + 1) == '*') {
            /* "/" + "*+" opens a hint, never a comment, and so does not nest either. */
            bool nests = !depth || at(lx, lx->pos + 2) != '+';
            depth += nests;
            lx->pos += 2;
        } else if (at(lx, lx->pos) == '*' && at(lx, lx->pos + 1) == '/') {
            lx->pos += 2;
            if (!--depth)
                return;
        } else {
            lx->pos++;
        }
    }
    lx->out->unclosed_comment = true;
    lx->out->comment_start = (uint32_t)start;
}

static void skip_blank(Lexer *lx)
{
    while (lx->pos < lx->text.len) {
        size_t space = space_at(lx, lx->pos);
        char c = at(lx, lx->pos), next = at(lx, lx->pos + 1);
        if (space)
            lx->pos += space;
        else if (c == '-' && next == '-')
            skip_line_comment(lx);
        else if (c == '/' && next == '*' && at(lx, lx->pos + 2) != '+')
            skip_bracketed_comment(lx);
        else
            return;
    }
}

/* ---- quoted things ---- */

/* End of a quoted run that starts at the quote `from`; 0 when it is not closed. Doubled quotes
 * stand for one. */
static size_t quoted_end(const Lexer *lx, size_t from, bool escapes, bool doubled)
{
    char quote = at(lx, from);
    for (size_t i = from + 1; i < lx->text.len; i++) {
        char c = lx->text.ptr[i];
        if (escapes && c == '\\') {
            i++;
        } else if (c == quote) {
            if (doubled && at(lx, i + 1) == quote)
                i++;
            else
                return i + 1;
        }
    }
    return 0;
}

static void lex_quoted(Lexer *lx, TokenKind kind, bool escapes)
{
    size_t end = quoted_end(lx, lx->pos, escapes, true);
    if (end)
        push(lx, kind, end);
    else
        push(lx, TOK_UNRECOGNIZED, lx->pos + 1);
}

/* ---- numbers and words ---- */

static size_t word_end(const Lexer *lx, size_t i)
{
    for (size_t n; (n = word_char_at(lx, i)); i += n)
        ;
    return i;
}

static size_t digits_end(const Lexer *lx, size_t i)
{
    while (is_digit(at(lx, i)))
        i++;
    return i;
}

/* End of E[+-]?digits at i, or i itself. */
static size_t exponent_end(const Lexer *lx, size_t i)
{
    if (upper(at(lx, i)) != 'E')
        return i;
    size_t j = i + 1;
    if (at(lx, j) == '+' || at(lx, j) == '-')
        j++;
    size_t end = digits_end(lx, j);
    return end > j ? end : i;
}

/* A number with a dot must not run into a word: "1.5e3x" is not one. */
static bool decimal_may_end(const Lexer *lx, size_t i)
{
    char c = at(lx, i);
    return !is_letter(c) && !is_digit(c) && c != '_';
}

typedef struct Candidate {
    TokenKind kind;
    size_t end;
} Candidate;

static void offer(Candidate *best, TokenKind kind, size_t end)
{
    if (end > best->end)
        *best = (Candidate){kind, end};
}

/* All number forms over the digits ending at `digits`; dotted ones obey decimal_may_end. */
static void offer_numbers(const Lexer *lx, size_t digits, bool dotted, Candidate *best)
{
    size_t exponent = exponent_end(lx, digits);
    size_t ends[2] = {digits, exponent};
    for (int i = 0; i < (exponent > digits ? 2 : 1); i++) {
        size_t end = ends[i];
        TokenKind plain = i ? TOK_EXPONENT : dotted ? TOK_DECIMAL : TOK_INTEGER;
        if (!dotted || decimal_may_end(lx, end))
            offer(best, plain, end);
        char c = upper(at(lx, end));
        if (c == 'F' && (!dotted || decimal_may_end(lx, end + 1)))
            offer(best, TOK_FLOAT, end + 1);
        if (c == 'D' && (!dotted || decimal_may_end(lx, end + 1)))
            offer(best, TOK_DOUBLE, end + 1);
        if (c == 'B' && upper(at(lx, end + 1)) == 'D' && (!dotted || decimal_may_end(lx, end + 2)))
            offer(best, TOK_BIGDECIMAL, end + 2);
        if (!dotted && !i && (c == 'L' || c == 'S' || c == 'Y'))
            offer(best, c == 'L' ? TOK_BIGINT : c == 'S' ? TOK_SMALLINT : TOK_TINYINT, end + 1);
    }
}

static void lex_number(Lexer *lx)
{
    Candidate best = {TOK_DOT, 0};
    size_t whole = digits_end(lx, lx->pos);
    if (at(lx, whole) == '.') {
        size_t fraction = digits_end(lx, whole + 1);
        if (whole > lx->pos || fraction > whole + 1) {
            if (fraction > whole + 1)
                offer_numbers(lx, fraction, true, &best);
            else
                offer_numbers(lx, whole + 1, true, &best);
        }
    }
    if (whole > lx->pos) {
        offer_numbers(lx, whole, false, &best);
        offer(&best, TOK_IDENT, word_end(lx, lx->pos));
    }
    push(lx, best.end ? best.kind : TOK_DOT, best.end ? best.end : lx->pos + 1);
}

static bool is_path_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || c == '/' || c == '-' || c == '.' ||
           c == '?' || c == '=' || c == '&' || c == '#' || c == '%';
}

/* "file://a/b": one word, so that the error can name it whole. */
static size_t path_end(const Lexer *lx, size_t word)
{
    for (size_t i = lx->pos; i < word; i++)
        if (!is_letter(lx->text.ptr[i]))
            return word;
    if (at(lx, word) != ':' || at(lx, word + 1) != '/' || at(lx, word + 2) != '/' ||
        !is_path_char(at(lx, word + 3)))
        return word;
    size_t end = word + 3;
    while (end < lx->text.len && is_path_char(lx->text.ptr[end]))
        end++;
    return end;
}

static void lex_word(Lexer *lx)
{
    if (upper(at(lx, lx->pos)) == 'R' &&
        (at(lx, lx->pos + 1) == '\'' || at(lx, lx->pos + 1) == '"')) {
        size_t end = quoted_end(lx, lx->pos + 1, false, false);
        if (end) {
            push(lx, TOK_STRING, end);
            return;
        }
    }
    size_t end = word_end(lx, lx->pos);
    size_t path = path_end(lx, end);
    if (path > end)
        push(lx, TOK_IDENT, path);
    else
        push(lx, keyword_find(str_slice(lx->text, lx->pos, end)), end);
}

/* ---- punctuation ---- */

typedef struct Symbol {
    const char *text;
    uint16_t kind;
} Symbol;

/* Longer ones first. */
static const Symbol symbols[] = {
    {"/*+", TOK_HINT_START},
    {"<=>", TOK_NSEQ},
    {">>>", TOK_SHIFT_RIGHT_UNSIGNED},
    {"==", TOK_EQ},
    {"<>", TOK_NEQ},
    {"!=", TOK_NEQ},
    {"<=", TOK_LTE},
    {"!>", TOK_LTE},
    {">=", TOK_GTE},
    {"!<", TOK_GTE},
    {"<<", TOK_SHIFT_LEFT},
    {">>", TOK_SHIFT_RIGHT},
    {"||", TOK_CONCAT},
    {"|>", TOK_OPERATOR_PIPE},
    {"::", TOK_DOUBLE_COLON},
    {"->", TOK_ARROW},
    {"=>", TOK_FAT_ARROW},
    {"*/", TOK_HINT_END},
    {";", TOK_SEMICOLON},
    {"(", TOK_LEFT_PAREN},
    {")", TOK_RIGHT_PAREN},
    {",", TOK_COMMA},
    {".", TOK_DOT},
    {"[", TOK_LEFT_BRACKET},
    {"]", TOK_RIGHT_BRACKET},
    {"!", TOK_BANG},
    {"=", TOK_EQ},
    {"<", TOK_LT},
    {">", TOK_GT},
    {"+", TOK_PLUS},
    {"-", TOK_MINUS},
    {"*", TOK_STAR},
    {"/", TOK_SLASH},
    {"%", TOK_PERCENT},
    {"~", TOK_TILDE},
    {"&", TOK_AMPERSAND},
    {"|", TOK_PIPE},
    {"^", TOK_HAT},
    {":", TOK_COLON},
    {"?", TOK_QUESTION},
};

static const Symbol *symbol_at(const Lexer *lx)
{
    for (size_t i = 0; i < LENGTH_OF(symbols); i++) {
        const char *z = symbols[i].text;
        size_t n = 0;
        while (z[n] && at(lx, lx->pos + n) == z[n])
            n++;
        if (!z[n])
            return &symbols[i];
    }
    return NULL;
}

static void note_bracket(Lexer *lx, uint32_t index)
{
    TokenVec *tokens = &lx->out->tokens;
    uint16_t kind = tokens->at[index].kind;
    if (kind == TOK_LEFT_PAREN || kind == TOK_LEFT_BRACKET) {
        vec_push(lx->arena, &lx->open, index);
    } else if (kind == TOK_RIGHT_PAREN || kind == TOK_RIGHT_BRACKET) {
        uint16_t opener = kind == TOK_RIGHT_PAREN ? TOK_LEFT_PAREN : TOK_LEFT_BRACKET;
        if (lx->open.len && tokens->at[vec_last(&lx->open)].kind == opener)
            tokens->at[lx->open.at[--lx->open.len]].match = index;
    }
}

static void lex_symbol(Lexer *lx)
{
    const Symbol *symbol = symbol_at(lx);
    if (!symbol) {
        size_t next = lx->pos;
        str_utf8_next(lx->text, &next);
        push(lx, TOK_UNRECOGNIZED, next);
        return;
    }
    push(lx, (TokenKind)symbol->kind, lx->pos + str_from(symbol->text).len);
    note_bracket(lx, (uint32_t)lx->out->tokens.len - 1);
}

void lex(Str text, Arena *arena, TokenList *out)
{
    *out = (TokenList){0};
    Lexer lx = {.text = text, .arena = arena, .out = out};
    for (skip_blank(&lx); lx.pos < text.len; skip_blank(&lx)) {
        char c = text.ptr[lx.pos];
        if (is_digit(c) || (c == '.' && is_digit(at(&lx, lx.pos + 1))))
            lex_number(&lx);
        else if (word_char_at(&lx, lx.pos))
            lex_word(&lx);
        else if (c == '\'')
            lex_quoted(&lx, TOK_STRING, true);
        else if (c == '"')
            lex_quoted(&lx, TOK_DOUBLE_QUOTED, true);
        else if (c == '`')
            lex_quoted(&lx, TOK_BACKQUOTED, false);
        else
            lex_symbol(&lx);
    }
    push(&lx, TOK_EOF, lx.pos);
}

/* ---- values ---- */

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = upper(c);
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads `count` hex digits from i on; false when there are fewer. */
static bool read_hex(Str s, size_t i, int count, uint32_t *out)
{
    *out = 0;
    for (int n = 0; n < count; n++) {
        int digit = i + n < s.len ? hex_digit(s.ptr[i + n]) : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

static void add_code_point(Buf *b, uint32_t code)
{
    char bytes[4];
    buf_add_bytes(b, bytes, str_utf8_put(code > 0x10FFFF ? 0xFFFD : code, bytes));
}

/* \uXXXX, a surrogate pair of two of them, \UXXXXXXXX; returns the bytes read after the backslash,
 * 0: neither. */
static size_t add_unicode_escape(Buf *b, Str s, size_t i)
{
    uint32_t code, low;
    if (s.ptr[i] == 'U' && read_hex(s, i + 1, 8, &code)) {
        add_code_point(b, code);
        return 9;
    }
    if (s.ptr[i] != 'u' || !read_hex(s, i + 1, 4, &code))
        return 0;
    bool pair = code >= 0xD800 && code < 0xDC00 && i + 6 < s.len && s.ptr[i + 5] == '\\' &&
                s.ptr[i + 6] == 'u' && read_hex(s, i + 7, 4, &low) && low >= 0xDC00 && low < 0xE000;
    if (pair) {
        add_code_point(b, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
        return 11;
    }
    add_code_point(b, code >= 0xD800 && code < 0xE000 ? '?' : code);
    return 5;
}

/* \101: three octal digits, the first 0 or 1; returns 3 or 0. */
static size_t add_octal_escape(Buf *b, Str s, size_t i)
{
    if (i + 2 >= s.len || s.ptr[i] < '0' || s.ptr[i] > '1')
        return 0;
    for (int n = 1; n < 3; n++)
        if (s.ptr[i + n] < '0' || s.ptr[i + n] > '7')
            return 0;
    add_code_point(
        b, (uint32_t)((s.ptr[i] - '0') * 64 + (s.ptr[i + 1] - '0') * 8 + (s.ptr[i + 2] - '0')));
    return 3;
}

static void add_simple_escape(Buf *b, char c)
{
    static const char from[] = "0bnrtZ", to[] = {0, '\b', '\n', '\r', '\t', 26};
    for (size_t i = 0; i < sizeof(to); i++) {
        if (from[i] == c) {
            buf_addc(b, to[i]);
            return;
        }
    }
    if (c == '%' || c == '_') /* kept for LIKE */
        buf_addc(b, '\\');
    buf_addc(b, c);
}

Str lex_string_value(Str token, bool keep_escapes, Arena *arena)
{
    char first = token.ptr[0];
    if (first == 'r' || first == 'R')
        return str_slice(token, 2, token.len - 1);
    Str body = str_slice(token, 1, token.len - 1);
    if (str_find_char(body, '\\') < 0 && str_find_char(body, first) < 0)
        return body;
    Buf b = buf_in(arena);
    for (size_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        if (c == first && i + 1 < body.len && body.ptr[i + 1] == first) {
            buf_addc(&b, c);
            i++;
        } else if (c == '\\' && !keep_escapes && i + 1 < body.len) {
            size_t read = add_unicode_escape(&b, body, i + 1);
            if (!read)
                read = add_octal_escape(&b, body, i + 1);
            if (!read) {
                add_simple_escape(&b, body.ptr[i + 1]);
                read = 1;
            }
            i += read;
        } else {
            buf_addc(&b, c);
        }
    }
    return buf_str(&b);
}

Str lex_quoted_name(Str token, Arena *arena)
{
    Str body = str_slice(token, 1, token.len - 1);
    char quote = token.ptr[0];
    if (str_find_char(body, quote) < 0)
        return body;
    char twice[2] = {quote, quote};
    return str_replace(body, (Str){twice, 2}, (Str){twice, 1}, arena);
}
