/* Tokens: the longest match, number forms, comments, strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sql/lexer.h"

typedef struct Row {
    const char *sql;
    const char *tokens; /* separated by | */
} Row;

static const Row rows[] = {
    {"a.b", "a|.|b"},
    {"1.5e3x", "1|.|5e3x"},
    {"1e5x 1e5 1e+5", "1e5x|1e5|1e+5"},
    {"t.1a", "t|.|1a"},
    {".5 5. 5.e3 5.f", ".5|5.|5.e3|5.f"},
    {"1L 2BD 3d 4f 5S 6y 1Lx", "1L|2BD|3d|4f|5S|6y|1Lx"},
    {"1..2", "1.|.2"},
    {"a<=>b<>c!=d<=e>=f", "a|<=>|b|<>|c|!=|d|<=|e|>=|f"},
    {"a!>b!<c==d", "a|!>|b|!<|c|==|d"},
    {"a>>>b>>c<<d", "a|>>>|b|>>|c|<<|d"},
    {"a||b|>c|d", "a||||b||>|c|||d"},
    {"a::b->c=>d:e", "a|::|b|->|c|=>|d|:|e"},
    {"/*+ x */ /* y /* z */ */ b", "/*+|x|*/|b"},
    {"a -- b\nc", "a|c"},
    {"a -- b\\\nc\nd", "a|d"},
    {"'a''b' r'\\' R\"x\"", "'a''b'|r'\\'|R\"x\""},
    {"'a\\'b'", "'a\\'b'"},
    {"`a``b`", "`a``b`"},
    {"\"a\"\"b\"", "\"a\"\"b\""},
    {"'abc", "'|abc"},
    {"file://a/b.c?d", "file://a/b.c?d"},
    {"s3://a", "s3|:|/|/|a"},
    {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
    {"a\xc2\xa0"
     "b\xe2\x80\x83"
     "c",
     "a|b|c"},
    {"# $ @", "#|$|@"},
    {"\xff", "\xff"},
    {"", ""},
};

static void cuts_tokens(void **state)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        TokenList list;
        Str text = str_from(rows[i].sql);
        Buf b = buf_in(arena);
        lex(text, arena, &list);
        for (size_t t = 0; t + 1 < list.tokens.len; t++) {
            buf_addz(&b, t ? "|" : "");
            buf_add(&b, str_slice(text, list.tokens.at[t].start, list.tokens.at[t].end));
        }
        assert_int_equal(vec_last(&list.tokens).kind, TOK_EOF);
        assert_string_equal(str_z(buf_str(&b), arena), rows[i].tokens);
    }
}

static void finds_keywords(void **state)
{
    assert_int_equal(keyword_find(S("select")), KW_SELECT);
    assert_int_equal(keyword_find(S("SeLeCt")), KW_SELECT);
    assert_int_equal(keyword_find(S("temp")), KW_TEMPORARY);
    assert_int_equal(keyword_find(S("regexp")), KW_RLIKE);
    assert_int_equal(keyword_find(S("selects")), TOK_IDENT);
    assert_int_equal(keyword_find(S("")), TOK_IDENT);
    for (int kind = TOK_FIRST_KEYWORD + 1; kind < TOK_KIND_COUNT; kind++) {
        assert_int_equal(keyword_find(keyword_spelling((TokenKind)kind)), kind);
        assert_true(keyword_flags((TokenKind)kind) & (NAME_ANY | NAME_STRICT));
    }
    assert_int_equal(keyword_flags(KW_LEFT), NAME_STRICT);
    assert_int_equal(keyword_flags(TOK_COMMA), 0);
}

static void reads_string_values(void **state)
{
    AUTO_ARENA arena = arena_new();
    assert_true(str_is(lex_string_value(S("'a\\tb\\\\\\'\\\"'"), false, arena), "a\tb\\'\""));
    assert_true(str_is(lex_string_value(S("'\\u00e9\\U0001F600\\uD83D\\uDE00'"), false, arena),
                       "\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80"));
    assert_true(str_is(lex_string_value(S("'\\101\\q\\%\\_'"), false, arena), "Aq\\%\\_"));
    assert_true(str_eq(lex_string_value(S("'\\0'"), false, arena), S("\0")));
    assert_true(str_is(lex_string_value(S("'a\\tb'"), true, arena), "a\\tb"));
    assert_true(str_is(lex_string_value(S("r'a\\tb'"), false, arena), "a\\tb"));
    assert_true(str_is(lex_string_value(S("'it''s'"), false, arena), "it's"));
    assert_true(str_is(lex_string_value(S("''"), false, arena), ""));
    assert_true(str_is(lex_quoted_name(S("`a``b`"), arena), "a`b"));
}

static void matches_brackets(void **state)
{
    AUTO_ARENA arena = arena_new();
    TokenList list;
    lex(S("(a[b](c))("), arena, &list);
    assert_int_equal(list.tokens.at[0].match, 8);
    assert_int_equal(list.tokens.at[2].match, 4);
    assert_int_equal(list.tokens.at[5].match, 7);
    assert_int_equal(list.tokens.at[9].match, 0);
    lex(S("( ] )"), arena, &list);
    assert_int_equal(list.tokens.at[0].match, 2);
}

static void notes_unclosed_comments(void **state)
{
    AUTO_ARENA arena = arena_new();
    TokenList list;
    lex(S("a /* b /* c */"), arena, &list);
    assert_true(list.unclosed_comment);
    assert_int_equal(list.comment_start, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_tokens),
        cmocka_unit_test(finds_keywords),
        cmocka_unit_test(reads_string_values),
        cmocka_unit_test(matches_brackets),
        cmocka_unit_test(notes_unclosed_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
