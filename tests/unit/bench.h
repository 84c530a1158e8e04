/* A catalog in a folder of its own, an engine and a session: statements in, texts out, so that tests are tables of rows. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "query/query.h"

typedef struct Bench {
    Engine *engine;
    Catalog *catalog;
    Session *session;
    char folder[256];
} Bench;

static inline void bench_must(bool ok, const Error *err)
{
    if (ok)
        return;
    AUTO_ARENA arena = arena_new();
    fail_msg("%s", str_z(error_message(err, arena), arena));
}

static inline int bench_open(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Bench *b = calloc(1, sizeof(*b));
    const char *parent = getenv("TMPDIR");
    snprintf(b->folder, sizeof(b->folder), "%s/bench-XXXXXX", parent ? parent : P_tmpdir);
    assert_non_null(mkdtemp(b->folder));
    bench_must(catalog_open(str_from(b->folder), &b->catalog, &err), &err);
    EngineOptions options = {.memory_limit = S_INIT("1GB"), .threads = 1};
    bench_must(engine_open(&options, &b->engine, &err), &err);
    engine_install_parquet_io(b->engine);
    b->session = session_new(S("test"), S("00000000-0000-4000-8000-000000000001"), b->catalog);
    session_enter(b->session);
    bench_must(session_set(b->session, S("spark.sql.session.timeZone"), S("UTC"), &err), &err);
    *state = b;
    return 0;
}

static inline int bench_close(void **state)
{
    Bench *b = *state;
    session_leave(b->session);
    session_unref(b->session);
    engine_close(b->engine);
    catalog_close(b->catalog);
    char command[300];
    snprintf(command, sizeof(command), "rm -rf '%s'", b->folder);
    int status = system(command);
    free(b);
    return status;
}

static inline bool bench_rows(Query *q, Arena *arena, Buf *out, Error *err)
{
    Execution *x;
    TRY(query_start(q, &x, err));
    const Type *schema = execution_schema(x);
    RowVec rows = {0};
    bool ok = true, more = true, first = true;
    while (ok && more) {
        rows.len = 0;
        ok = execution_next_rows(x, arena, &rows, err);
        more = rows.len > 0;
        for (size_t r = 0; ok && r < rows.len; r++, first = false) {
            buf_addz(out, first ? "" : "; ");
            for (size_t i = 0; i < schema->structure.count; i++) {
                const Value *v = &rows.at[r].cells[i];
                buf_addz(out, i ? " " : "");
                buf_add(out, v->is_null ? S("NULL") : value_to_text(v, S("UTC"), arena));
            }
        }
    }
    execution_free(x);
    return ok;
}

/* The rows as "1 a; 2 NULL", or "!CLASS"; with_schema: the schema as DDL instead of rows, nothing run. */
static inline Str bench_ask(Bench *b, const char *sql, bool with_schema, Arena *arena)
{
    Error err = error_in(arena);
    Arena *own = arena_new();
    Rel *rel = rel_new(REL_SQL, NULL, own);
    rel->sql.text = str_copy(str_from(sql), own);
    Query *q = query_new(b->session, b->engine, own, NULL);
    Buf out = buf_in(arena);
    bool ok = with_schema ? query_analyze_rel(q, rel, &err) : query_prepare_rel(q, rel, &err);
    if (ok && with_schema)
        buf_add(&out, type_ddl(brel_schema(query_bound(q), arena), arena));
    else if (ok)
        ok = bench_rows(q, arena, &out, &err);
    query_free(q);
    return ok ? buf_str(&out) : str_printf(arena, "!%s", error_class_name(err.cls));
}

typedef struct BenchRow {
    const char *sql, *expected;
} BenchRow;

static inline void bench_check(Bench *b, const BenchRow *rows, size_t count, bool with_schema)
{
    size_t failures = 0;
    for (size_t i = 0; i < count; i++) {
        AUTO_ARENA arena = arena_new();
        Str got = bench_ask(b, rows[i].sql, with_schema, arena);
        if (str_eq(got, str_from(rows[i].expected)))
            continue;
        print_error("%s\n    expected %s\n    got      %s\n", rows[i].sql, rows[i].expected, str_z(got, arena));
        failures++;
    }
    assert_int_equal(failures, 0);
}
