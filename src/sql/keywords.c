/* The table of keywords and its look-up. */
#include <string.h>

#include "sql/lexer.h"

typedef struct Keyword {
    const char *spelling;
    uint16_t kind;
    uint8_t flags;
} Keyword;

/* By kind, in the order of the enumeration. */
static const Keyword keywords[] = {
#define KEYWORD(id, spelling, flags) {spelling, id, flags},
#define KEYWORD_SPELLING(id, spelling)
#include "sql/keywords.def"
#undef KEYWORD
#undef KEYWORD_SPELLING
};

static const Keyword spellings[] = {
#define KEYWORD(id, spelling, flags)
#define KEYWORD_SPELLING(id, spelling) {spelling, id, 0},
#include "sql/keywords.def"
#undef KEYWORD
#undef KEYWORD_SPELLING
};

static const Keyword *keyword_row(TokenKind kind)
{
    if (kind <= TOK_FIRST_KEYWORD || kind >= TOK_KIND_COUNT)
        return NULL;
    return &keywords[kind - TOK_FIRST_KEYWORD - 1];
}

unsigned keyword_flags(TokenKind kind)
{
    const Keyword *row = keyword_row(kind);
    return row ? row->flags : 0;
}

Str keyword_spelling(TokenKind kind)
{
    const Keyword *row = keyword_row(kind);
    return row ? str_from(row->spelling) : (Str){0};
}

TokenKind keyword_find(Str word)
{
    enum { LONGEST = 24 };
    char upper[LONGEST + 1];
    if (!word.len || word.len > LONGEST)
        return TOK_IDENT;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        upper[i] = (c >= 'a' && c <= 'z') ? (char)(c - 'a' + 'A') : c;
    }
    upper[word.len] = 0;
    size_t low = 0, high = LENGTH_OF(keywords);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(upper, keywords[middle].spelling);
        if (!order)
            return (TokenKind)keywords[middle].kind;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = 0; i < LENGTH_OF(spellings); i++)
        if (!strcmp(upper, spellings[i].spelling))
            return (TokenKind)spellings[i].kind;
    return TOK_IDENT;
}
