/* Tokens of Spark SQL: kinds, the array the parser walks, and what literals mean. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

typedef enum TokenKind {
    TOK_EOF,
    TOK_UNRECOGNIZED, /* one character that starts nothing, also the quote of an unclosed string */
    TOK_SEMICOLON, TOK_LEFT_PAREN, TOK_RIGHT_PAREN, TOK_COMMA, TOK_DOT,
    TOK_LEFT_BRACKET, TOK_RIGHT_BRACKET,
    TOK_BANG, TOK_EQ, TOK_NSEQ, TOK_NEQ, TOK_LT, TOK_LTE, TOK_GT, TOK_GTE,
    TOK_SHIFT_LEFT, TOK_SHIFT_RIGHT, TOK_SHIFT_RIGHT_UNSIGNED,
    TOK_PLUS, TOK_MINUS, TOK_STAR, TOK_SLASH, TOK_PERCENT, TOK_TILDE, TOK_AMPERSAND, TOK_PIPE,
    TOK_CONCAT,
    TOK_OPERATOR_PIPE, TOK_HAT, TOK_COLON, TOK_DOUBLE_COLON, TOK_ARROW, TOK_FAT_ARROW,
    TOK_HINT_START, TOK_HINT_END, TOK_QUESTION,
    TOK_STRING,        /* '..', r'..', r".." */
    TOK_DOUBLE_QUOTED, /* ".." */
    TOK_INTEGER,
    TOK_EXPONENT,      /* 1e3 */
    TOK_DECIMAL,       /* 1.5 */
    TOK_BIGINT, TOK_SMALLINT, TOK_TINYINT, TOK_DOUBLE, TOK_FLOAT, TOK_BIGDECIMAL,
    TOK_IDENT,         /* a word that is no keyword */
    TOK_BACKQUOTED,
    TOK_FIRST_KEYWORD, /* keywords follow */
#define KEYWORD(id, spelling, flags) id,
#define KEYWORD_SPELLING(id, spelling)
#include "sql/keywords.def"
#undef KEYWORD
#undef KEYWORD_SPELLING
    TOK_KIND_COUNT
} TokenKind;

enum { NAME_ANY = 1, NAME_STRICT = 2, NAME_ANSI = 4 };

typedef struct Token {
    uint32_t start; /* byte offset */
    uint32_t end;   /* one past the last byte */
    uint32_t match; /* of '(' and '[': index of the closing token, 0 when there is none */
    uint16_t kind;
} Token;

typedef VEC(Token) TokenVec;

typedef struct TokenList {
    TokenVec tokens;         /* the last one is TOK_EOF */
    bool unclosed_comment;
    uint32_t comment_start;  /* of the unclosed comment */
} TokenList;

/* Never fails: what fits nothing becomes TOK_UNRECOGNIZED. Text longer than SQL_MAX_BYTES must be
 * refused before. */
void lex(Str text, Arena *arena, TokenList *out);

/* NAME_* flags of a keyword; 0 for other kinds. */
unsigned keyword_flags(TokenKind kind);
/* The keyword's spelling in upper case; empty for other kinds. */
Str keyword_spelling(TokenKind kind);
/* TOK_IDENT when the word is no keyword. */
TokenKind keyword_find(Str word);

/* What a string token stands for: quotes removed, escapes resolved (unless keep_escapes). */
Str lex_string_value(Str token, bool keep_escapes, Arena *arena);
/* Of `a``b`: a`b. */
Str lex_quoted_name(Str token, Arena *arena);
