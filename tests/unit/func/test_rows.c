/* Every function row's example, through parser, analyzer and engine, against Spark's answer that
 * the row carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyze/analyze.h"

typedef struct Fixture {
    Engine *engine;
    Catalog *catalog;
    Session *session;
    char folder[256];
} Fixture;

static const char ZONE[] = "America/Los_Angeles"; /* of the Spark that answered */

static void must(bool ok, const Error *err) {
    if (ok)
        return;
    AUTO_ARENA arena = arena_new();
    fail_msg("%s", str_z(error_message(err, arena), arena));
}

static int open_all(void **state) {
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Fixture *f = calloc(1, sizeof(*f));
    const char *parent = getenv("TMPDIR");
    snprintf(f->folder, sizeof(f->folder), "%s/func-rows-XXXXXX", parent ? parent : P_tmpdir);
    assert_non_null(mkdtemp(f->folder));
    must(catalog_open(str_from(f->folder), &f->catalog, &err), &err);
    EngineOptions options = {.threads = 1};
    must(engine_open(&options, &f->engine, &err), &err);
    f->session = session_new(S("test"), S("00000000-0000-4000-8000-000000000001"), f->catalog);
    session_enter(f->session);
    must(session_set(f->session, S("spark.sql.session.timeZone"), str_from(ZONE), &err), &err);
    *state = f;
    return 0;
}

static int close_all(void **state) {
    Fixture *f = *state;
    session_leave(f->session);
    session_unref(f->session);
    engine_close(f->engine);
    catalog_close(f->catalog);
    char command[300];
    snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    int status = system(command);
    free(f);
    return status;
}

static void put_row(Buf *out, const Row *row, const Type *schema, Arena *arena) {
    size_t columns = schema->structure.count;
    if (columns > 1)
        buf_addc(out, '{');
    for (size_t i = 0; i < columns; i++) {
        const Value *v = &row->cells[i];
        if (i)
            buf_addz(out, ", ");
        buf_add(out, v->is_null ? columns > 1 ? S("null") : S("NULL")
                                : value_to_text(v, str_from(ZONE), arena));
    }
    if (columns > 1)
        buf_addc(out, '}');
}

static bool run(Fixture *f, Str sql, Arena *arena, Buf *out, Error *err) {
    SqlOptions options = {.ansi = true, .zone = str_from(ZONE)};
    Statement statement = {0};
    BoundRel *rel;
    RowVec rows = {0};
    FuncContext func = session_func_context(f->session, arena);
    TRY(sql_parse(sql, &options, arena, &statement, err));
    if (!statement.query)
        return error_unsupported(err, "an example that is no query");
    Analyzer *analyzer = analyzer_new(f->session, f->engine, &func, sql, arena);
    TRY(analyze_query(analyzer, statement.query, &rel, err));
    RunContext context = {.func = analyzer_func(analyzer)};
    TRY(engine_rows(f->engine, rel, &context, 1000, arena, &rows, err));
    const Type *schema = brel_schema(rel, arena);
    for (size_t i = 0; i < rows.len; i++) {
        if (i)
            buf_addz(out, "; ");
        put_row(out, &rows.at[i], schema, arena);
    }
    return true;
}

/* What the example answered: its rows, or "!" and the error's class. */
static Str answer(Fixture *f, const FuncRow *row, Arena *arena) {
    Error err = error_in(arena);
    Buf out = buf_in(arena);
    Str example = str_from(row->example);
    Str sql = str_istarts_with(example, S("SELECT ")) ? example
                                                      : str_concat(arena, S("SELECT "), example);
    if (run(f, sql, arena, &out, &err))
        return buf_str(&out);
    return str_printf(arena, "!%s (" STR_FMT ")", error_class_name(err.cls),
                      STR_ARG(error_message(&err, arena)));
}

static bool agrees(Str got, const char *expected) {
    Str want = str_from(expected);
    if (want.len && want.ptr[0] == '!')
        return str_starts_with(got, want);
    return str_eq(got, want);
}

static void test_examples(void **state) {
    Fixture *f = *state;
    size_t failures = 0, without = 0;
    for (size_t i = 0; i < func_count(); i++) {
        const FuncRow *row = func_at(i);
        AUTO_ARENA arena = arena_new();
        if (!row->example) {
            if (!(row->flags & FUNC_HIDDEN)) {
                print_error("%s has no example\n", row->name);
                without++;
            }
            continue;
        }
        Str got = answer(f, row, arena);
        if (agrees(got, row->expected))
            continue;
        print_error("%s: %s\n    expected %s\n    got      %s\n", row->name, row->example,
                    row->expected, str_z(got, arena));
        failures++;
    }
    assert_int_equal(failures, 0);
    assert_int_equal(without, 0);
}

/* A constant pattern of pieces is searched, any other matched: both must say the same of texts of every length. */
static void test_like_pieces(void **state) {
    Fixture *f = *state;
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Buf out = buf_in(arena);
    must(run(f, S("SELECT count(*), count_if((s LIKE '%ab%ba%') = (s LIKE concat(p, '%ab%ba%'))), "
                  "count_if((s LIKE '%ay%%b%') = (s LIKE concat(p, '%ay%%b%'))), "
                  "count_if((s LIKE '%yb%az%') = (s LIKE concat(p, '%yb%az%'))), "
                  "count_if(s LIKE '%ab%ba%'), count_if(s LIKE '%ba%ab%'), count_if(s LIKE '%yb%az%') "
                  "FROM (SELECT concat(repeat('x', i), 'ab', repeat('y', j), 'ba', repeat('z', k)) AS s, "
                  "repeat('%', i % 2) AS p FROM range(20) a(i), range(20) b(j), range(20) c(k))"),
             arena, &out, &err), &err);
    assert_string_equal(str_z(buf_str(&out), arena), "{8000, 8000, 8000, 8000, 8000, 0, 7220}");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_like_pieces)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
