/* Names, types and nullability of what a statement answers, or the class of its refusal, as Spark 4.2 gave them. */
#include "../bench.h"

static Str described(Bench *b, Str sql, Arena *arena)
{
    Error err = error_in(arena);
    Arena *own = arena_new();
    Rel *rel = rel_new(REL_SQL, NULL, own);
    rel->sql.text = str_copy(sql, own);
    Query *q = query_new(b->session, b->engine, own, NULL);
    Buf out = buf_in(arena);
    bool ok = query_analyze_rel(q, rel, &err);
    const Type *schema = ok ? brel_schema(query_bound(q), arena) : NULL;
    for (size_t i = 0; ok && i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        buf_addf(&out, "%s" STR_FMT " " STR_FMT " %s", i ? "," : "", STR_ARG(f->name),
                 STR_ARG(type_simple_string(f->type, arena)), f->nullable ? "True" : "False");
    }
    query_free(q);
    return ok ? buf_str(&out) : str_printf(arena, "!%s", error_class_name(err.cls));
}

static void answers_as_recorded(void **state)
{
    FILE *f = fopen(SOURCE_DIR "/schemas_recorded.tsv", "r");
    char line[4096];
    size_t count = 0, failures = 0;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        AUTO_ARENA arena = arena_new();
        Str text = str_trim(str_from(line));
        ptrdiff_t tab = str_find_char(text, '\t');
        assert_true(tab > 0);
        Str sql = str_slice(text, 0, (size_t)tab), want = str_slice(text, (size_t)tab + 1, text.len);
        Str got = described(*state, sql, arena);
        count++;
        if (str_eq(got, want))
            continue;
        failures++;
        print_error(STR_FMT "\n    expected " STR_FMT "\n    got      " STR_FMT "\n", STR_ARG(sql),
                    STR_ARG(want), STR_ARG(got));
    }
    fclose(f);
    assert_true(count > 40);
    assert_int_equal(failures, 0);
}

/* Looking at a statement changes nothing and runs nothing. */
static void looking_changes_nothing(void **state)
{
    static const BenchRow rows[] = {
        {"CREATE TABLE seen (a INT)", "!LAKESHED_UNSUPPORTED"},
        {"SELECT * FROM seen", "!TABLE_OR_VIEW_NOT_FOUND"},
        {"SELECT CAST('x' AS INT) + id AS x FROM range(3)", "x BIGINT"},
    };
    bench_check(*state, rows, LENGTH_OF(rows), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_as_recorded),
                                       cmocka_unit_test(looking_changes_nothing)};
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
