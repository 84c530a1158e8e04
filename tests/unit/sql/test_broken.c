/* Ten thousand statements broken on purpose, the same ones each time: the parser takes them or says
 * what is wrong and where, and never gives up with an error of its own. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/vec.h"
#include "sql/sql.h"

enum { STATEMENTS = 10000, TEXT_MAX = 4096 };

typedef struct Sources {
    Arena *arena;
    VEC(Str) texts;
    uint64_t seed;
} Sources;

static uint32_t random_below(Sources *s, size_t n)
{
    s->seed ^= s->seed << 13;
    s->seed ^= s->seed >> 7;
    s->seed ^= s->seed << 17;
    return n ? (uint32_t)(s->seed % n) : 0;
}

static void take_lines(Sources *s, const char *path, bool whole)
{
    FILE *f = fopen(path, "r");
    char text[TEXT_MAX];
    assert_non_null(f);
    if (whole) {
        size_t n = fread(text, 1, sizeof text, f);
        Str copy = str_copy((Str){text, n}, s->arena);
        vec_push(s->arena, &s->texts, copy);
    }
    while (!whole && fgets(text, sizeof text, f)) {
        Str copy = str_copy((Str){text, strcspn(text, "\t\n")}, s->arena);
        vec_push(s->arena, &s->texts, copy);
    }
    fclose(f);
}

static void take_folder(Sources *s, const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.')
            take_lines(s, str_z(str_printf(s->arena, "%s/%s", folder, names[i]->d_name), s->arena), true);
        free(names[i]);
    }
    free(names);
}

/* The bytes of one word, number or sign around a place. */
static void token_around(Str text, size_t at, size_t *from, size_t *to)
{
#define WORD(c) (((c) | 32) >= 'a' && ((c) | 32) <= 'z')
    *from = at;
    *to = at + 1;
    while (WORD(text.ptr[at]) && *from > 0 && WORD(text.ptr[*from - 1]))
        (*from)--;
    while (WORD(text.ptr[at]) && *to < text.len && WORD(text.ptr[*to]))
        (*to)++;
#undef WORD
}

static Str broken(Sources *s, Str text, Arena *arena)
{
    Buf b = buf_in(arena);
    size_t from, to, other_from, other_to;
    if (!text.len)
        return text;
    token_around(text, random_below(s, text.len), &from, &to);
    Str before = str_slice(text, 0, from), token = str_slice(text, from, to), after = str_slice(text, to, text.len);
    buf_add(&b, before);
    switch (random_below(s, 6)) {
    case 0: /* a token less */
        buf_add(&b, after);
        break;
    case 1: /* one twice */
        buf_addf(&b, STR_FMT " " STR_FMT STR_FMT, STR_ARG(token), STR_ARG(token), STR_ARG(after));
        break;
    case 2: /* one of another statement */
    {
        Str other = s->texts.at[random_below(s, s->texts.len)];
        if (other.len) {
            token_around(other, random_below(s, other.len), &other_from, &other_to);
            buf_add(&b, str_slice(other, other_from, other_to));
        }
        buf_add(&b, after);
        break;
    }
    case 3: /* the end is missing */
        break;
    case 4: /* noise */
        buf_addc(&b, (char)random_below(s, 256));
        buf_add(&b, after);
        break;
    default: /* the statement inside itself */
        buf_addf(&b, "(" STR_FMT ")" STR_FMT, STR_ARG(text), STR_ARG(after));
        break;
    }
    return buf_str(&b);
}

/* Spark reads the numbers of an interval after parsing and then has lost the place; in the rules of scripts and cursors it has none. */
static bool names_no_place(Str text, ErrorClass cls)
{
    Str name = str_from(error_class_name(cls));
    for (size_t at = 0; at < text.len; at++)
        if (str_istarts_with(str_slice(text, at, text.len), S("begin")))
            return true;
    return str_starts_with(name, S("INVALID_INTERVAL_FORMAT.")) || str_starts_with(name, S("INTERVAL_ARITHMETIC_OVERFLOW.")) ||
           str_is(name, "UNSUPPORTED_FEATURE.SQL_CURSOR");
}

static void check_answer(Str text, Arena *arena)
{
    Error err = error_in(arena);
    Statement s;
    if (sql_parse(text, NULL, arena, &s, &err))
        return;
    if (err.cls == ERR_INTERNAL_ERROR || err.cls == ERR_NONE)
        fail_msg("%s for: " STR_FMT, error_class_name(err.cls), STR_ARG(text));
    if (err.context.line < 1 && !names_no_place(text, err.cls))
        fail_msg("%s without a place for: " STR_FMT, error_class_name(err.cls), STR_ARG(text));
    assert_true(error_message(&err, arena).len > 0);
}

static void answers_broken_statements(void **state)
{
    (void)state;
    AUTO_ARENA kept = arena_new();
    Sources s = {.arena = kept, .seed = 20240917};
    take_lines(&s, SOURCE_DIR "/errors_recorded.tsv", false);
    take_folder(&s, SOURCE_DIR "/../../fuzz/corpus/sql_fuzz");
    for (int i = 0; i < STATEMENTS; i++) {
        AUTO_ARENA arena = arena_new();
        Str text = s.texts.at[random_below(&s, s.texts.len)];
        for (uint32_t n = 1 + random_below(&s, 3); n > 0 && text.len < TEXT_MAX; n--)
            text = broken(&s, text, arena);
        check_answer(text, arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_broken_statements)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
