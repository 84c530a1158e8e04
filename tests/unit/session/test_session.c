/* Sessions: settings, views that outlive their query, variables, artifacts, clones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "session/locals.h"
#include "session/plan_copy.h"
#include "session/session.h"

static Session *open_session(void)
{
    return session_new(S("me"), S("00112233-4455-6677-8899-aabbccddeeff"), NULL);
}

static void test_settings(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Session *s = open_session();
    bool found;
    Str value;
    session_get(s, S("spark.sql.shuffle.partitions"), arena, &found, &value);
    assert_true(found && str_is(value, "200"));
    assert_true(session_set(s, S("spark.sql.shuffle.partitions"), S("7"), &err));
    assert_true(session_set(s, S("a.b"), S("1"), &err));
    assert_true(session_set(s, S("a.b"), S("2"), &err));
    session_get(s, S("a.b"), arena, &found, &value);
    assert_true(found && str_is(value, "2"));
    KeyValueVec all = {0};
    session_all(s, arena, &all);
    assert_int_equal(all.len, 2);
    assert_true(str_is(all.at[0].key, "a.b"));
    session_unset(s, S("a.b"));
    session_get(s, S("a.b"), arena, &found, &value);
    assert_false(found);
    assert_false(session_set(s, S("spark.sql.warehouse.dir"), S("/x"), &err));
    assert_int_equal(err.cls, ERR_CANNOT_MODIFY_STATIC_CONFIG);
    error_clear(&err);
    assert_false(session_set(s, S("spark.executor.memory"), S("1g"), &err));
    assert_int_equal(err.cls, ERR_CANNOT_MODIFY_CONFIG);
    error_clear(&err);
    assert_false(session_set(s, S("spark.sql.session.timeZone"), S("Mars/X"), &err));
    assert_int_equal(err.cls, ERR_INVALID_CONF_VALUE__TIME_ZONE);
    session_unref(s);
}

/* SELECT 'x' AS n, built in an arena of its own. */
static Rel *one_row(Arena *arena, const char *text)
{
    Rel *rel = rel_new(REL_PROJECT, rel_new(REL_ONE_ROW, NULL, arena), arena);
    Expr *literal = expr_literal(value_string(str_copy(str_from(text), arena)), arena);
    vec_push(arena, &rel->project.items, expr_alias(literal, str_copy(S("n"), arena), arena));
    return rel;
}

static const char *text_of(const TempView *view)
{
    return view->plan->project.items.at[0]->alias.child->literal.bytes.ptr;
}

static void put_view(Session *s, const char *name, const char *text, bool global, bool replace, bool ok)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    TempView view = {.name = str_copy(str_from(name), arena), .plan = one_row(arena, text), .global = global};
    assert_int_equal(session_put_temp_view(s, &view, replace, &err), ok);
    if (!ok)
        assert_int_equal(err.cls, ERR_TEMP_TABLE_OR_VIEW_ALREADY_EXISTS);
}

static void test_views(void **state)
{
    Session *s = open_session();
    put_view(s, "v", "first", false, false, true);
    put_view(s, "V", "again", false, false, false);
    session_enter(s);
    const TempView *old = session_temp_view(s, S("v"), false);
    assert_string_equal(text_of(old), "first");
    put_view(s, "v", "second", false, true, true);
    /* Whoever reads keeps what it found. */
    assert_string_equal(text_of(old), "first");
    assert_string_equal(text_of(session_temp_view(s, S("v"), false)), "second");
    assert_true(session_drop_temp_view(s, S("v"), false));
    assert_string_equal(text_of(old), "first");
    session_leave(s);
    assert_null(session_temp_view(s, S("v"), false));
    assert_false(session_drop_temp_view(s, S("v"), false));
    Session *other = session_new(S("you"), S("11112233-4455-6677-8899-aabbccddeeff"), NULL);
    put_view(s, "g", "shared", true, false, true);
    assert_string_equal(text_of(session_temp_view(other, S("g"), true)), "shared");
    assert_true(session_drop_temp_view(other, S("g"), true));
    session_unref(s);
    session_unref(other);
}

static void test_variables(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Session *s = open_session();
    Variable v = {S("x"), type_simple(TYPE_STRING), value_string(S("a"))}, got;
    assert_true(session_put_variable(s, &v, false, &err));
    assert_false(session_put_variable(s, &v, false, &err));
    assert_int_equal(err.cls, ERR_VARIABLE_ALREADY_EXISTS);
    v.value = value_string(S("b"));
    error_clear(&err);
    assert_true(session_put_variable(s, &v, true, &err));
    assert_true(session_get_variable(s, S("X"), arena, &got));
    assert_true(str_is(got.value.bytes, "b"));
    assert_true(session_drop_variable(s, S("x")));
    assert_false(session_get_variable(s, S("x"), arena, &got));
    session_unref(s);
}

static void count_drop(void *count, Str id)
{
    assert_true(id.len == 1);
    ++*(int *)count;
}

static void test_kept(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Session *s = open_session();
    int drops = 0;
    const Field field = {S("a"), type_simple(TYPE_INT), true, {0}};
    const Type *schema = type_struct(&field, 1, arena), *got;
    session_keep_result(s, S("1"), schema, count_drop, &drops);
    session_keep_result(s, S("2"), schema, count_drop, &drops);
    assert_true(session_kept_result(s, S("1"), arena, &got, &err) && got != NULL && got->structure.count == 1);
    assert_true(session_kept_result(s, S("3"), arena, &got, &err) && got == NULL);
    session_drop_result(s, S("1"));
    session_drop_result(s, S("1"));
    assert_int_equal(drops, 1);
    session_cache_name(s, S("main.a.t"));
    session_cache_name(s, S("main.a.u"));
    assert_true(session_name_is_cached(s, S("MAIN.a.T")));
    session_uncache_name(s, S("main.a.t"));
    assert_false(session_name_is_cached(s, S("main.a.t")));
    session_uncache_name(s, (Str){0});
    assert_false(session_name_is_cached(s, S("main.a.u")));
    session_unref(s);
    assert_int_equal(drops, 2);
}

static void test_artifacts(void **state)
{
    static const char *const bad[] = {"",       "x",         "/cache/x",     "cache/../x", "cache//x",
                                      "cache/", "pyfiles/.", "../cache/abc", "cache/a/../../../b"};
    char folder[] = "/tmp/lakeshed-artifacts-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Session *s = open_session();
    bool found;
    Str bytes;
    assert_false(session_put_artifact(s, S("cache/x"), S("abc"), &err));
    error_clear(&err);
    session_keep_artifacts_in(s, str_from(folder), 10);
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        assert_false(session_put_artifact(s, str_from(bad[i]), S("abc"), &err));
        assert_int_equal(err.cls, ERR_INVALID_ARTIFACT_PATH);
        error_clear(&err);
    }
    assert_true(session_put_artifact(s, S("cache/x"), S("abc"), &err));
    assert_true(session_put_artifact(s, S("cache/x"), S("abc"), &err));
    assert_false(session_put_artifact(s, S("cache/x"), S("abd"), &err));
    assert_int_equal(err.cls, ERR_ARTIFACT_ALREADY_EXISTS);
    error_clear(&err);
    assert_false(session_put_artifact(s, S("files/y"), S("0123456789"), &err));
    assert_int_equal(err.cls, ERR_LAKESHED_ARTIFACTS_TOO_LARGE);
    error_clear(&err);
    assert_true(session_get_artifact(s, S("cache/x"), arena, &found, &bytes, &err));
    assert_true(found && str_is(bytes, "abc"));
    assert_true(session_get_artifact(s, S("cache/nope"), arena, &found, &bytes, &err));
    assert_false(found);
    Session *clone = session_clone(s, S("22112233-4455-6677-8899-aabbccddeeff"));
    session_unref(s);
    assert_true(session_has_artifact(clone, S("cache/x")));
    session_unref(clone);
    /* Nothing of either session is left. */
    assert_int_equal(rmdir(folder), 0);
}

static void test_clone(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Session *s = open_session();
    bool found;
    Str value, catalog, schema;
    assert_true(session_set(s, S("a"), S("1"), &err));
    session_use(s, S("prod"), S("orders"));
    put_view(s, "v", "x", false, false, true);
    Session *c = session_clone(s, S("22112233-4455-6677-8899-aabbccddeeff"));
    assert_true(session_set(s, S("a"), S("2"), &err));
    assert_true(session_drop_temp_view(s, S("v"), false));
    session_get(c, S("a"), arena, &found, &value);
    assert_true(found && str_is(value, "1"));
    session_current(c, arena, &catalog, &schema);
    assert_true(str_is(catalog, "prod") && str_is(schema, "orders"));
    assert_string_equal(text_of(session_temp_view(c, S("v"), false)), "x");
    session_unref(s);
    session_unref(c);
}

/* The variable's value as the name finds it from this scope; -1: nothing. */
static int64_t local(LocalScope *scope, size_t parts, const char *first, const char *second)
{
    Str texts[2] = {str_from(first), str_from(second)};
    LocalVariable *v = locals_find(scope, &(Name){.at = texts, .len = parts}, parts);
    return v == NULL ? -1 : v->variable.value.integer;
}

static Variable number(const char *name, int64_t value)
{
    return (Variable){.name = str_from(name), .type = type_simple(TYPE_INT), .value = value_int(TYPE_INT, value),
                      .initial = value_int(TYPE_INT, value)};
}

static void test_locals(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Variable x1 = number("x", 1), x2 = number("X", 2), y = number("y", 3);
    LocalScope *outer = locals_enter(NULL, S("a"));
    assert_true(locals_declare(outer, &x1, &err));
    assert_true(locals_declare(outer, &y, &err));
    assert_false(locals_declare(outer, &x2, &err));
    assert_int_equal(err.cls, ERR_VARIABLE_ALREADY_EXISTS);
    assert_true(str_is(error_param(&err, "variableName"), "`a`.`X`"));
    error_clear(&err);
    LocalScope *inner = locals_enter(outer, S(""));
    assert_true(locals_declare(inner, &x2, &err));
    assert_int_equal(local(inner, 1, "x", ""), 2);
    assert_int_equal(local(inner, 2, "A", "x"), 1);
    assert_int_equal(local(inner, 1, "y", ""), 3);
    assert_int_equal(local(inner, 2, "b", "x"), -1);
    Str name = S("x");
    Value seven = value_int(TYPE_INT, 7);
    locals_assign(locals_find(inner, &(Name){.at = &name, .len = 1}, 1), &seven);
    assert_int_equal(local(inner, 1, "x", ""), 7);
    assert_int_equal(local(inner, 2, "a", "x"), 1);
    assert_ptr_equal(locals_leave(inner), outer);
    assert_int_equal(local(outer, 1, "x", ""), 1);
    assert_null(locals_leave(outer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),  cmocka_unit_test(test_views), cmocka_unit_test(test_variables),
        cmocka_unit_test(test_artifacts), cmocka_unit_test(test_clone),
        cmocka_unit_test(test_kept),      cmocka_unit_test(test_locals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
