/* Local files: puts are whole or absent, nothing outside the root is touched, listings are in
 * order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

typedef struct Room {
    Arena *arena;
    Error err;
    char *folder;
    Store *store;
} Room;

#define OK(r, call)                                                                                \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("line %d: %.*s", __LINE__, STR_ARG(error_message(&(r)->err, (r)->arena)));    \
    } while (0)

static void enter(Room *r)
{
    const char *base = getenv("TMPDIR");
    *r = (Room){.arena = arena_new()};
    r->err = error_in(r->arena);
    r->folder =
        str_z(str_printf(r->arena, "%s/lakeshed_store_XXXXXX", base ? base : P_tmpdir), r->arena);
    assert_non_null(mkdtemp(r->folder));
    OK(r, store_open(str_from(r->folder), r->arena, &r->store, &r->err));
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static void leave(Room *r)
{
    nftw(r->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(r->arena);
}

static void locations(void **state)
{
    static const struct {
        const char *location, *root;
    } rows[] = {
        {"/a/b", "/a/b"},         {"/a/b/", "/a/b"},
        {"/a//b/./c/..", "/a/b"}, {"file:/a b", "/a b"},
        {"file:///a/b", "/a/b"},  {"/", "/"},
        {"/../..", "/"},          {"s3://bucket/x", NULL},
        {"file://host/a", NULL},  {"", NULL},
        {"abfss://c@a/x", NULL},
    };
    AUTO_ARENA(a) = arena_new();
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        Error err = error_in(a);
        Store *s;
        bool ok = store_open(str_from(rows[i].location), a, &s, &err);
        assert_int_equal(ok, rows[i].root != NULL);
        if (ok)
            assert_true(str_is(store_root(s), rows[i].root));
    }
}

static void puts_and_reads(void **state)
{
    Room r;
    bool exists, found;
    Str text;
    StoreEntry e;
    (void)state;
    enter(&r);
    OK(&r, store_make_folder(r.store, S("a/b/c"), &r.err));
    OK(&r, store_make_folder(r.store, S("a/b/c"), &r.err));
    OK(&r, store_put_if_absent(r.store, S("a/b/c/x"), S("one"), &exists, &r.err));
    assert_false(exists);
    OK(&r, store_put_if_absent(r.store, S("a/b/c/x"), S("two"), &exists, &r.err));
    assert_true(exists);
    OK(&r, store_read(r.store, S("a/b/c/x"), 100, r.arena, &found, &text, &r.err));
    assert_true(found && str_is(text, "one") && text.ptr[3] == 0);
    OK(&r, store_put(r.store, S("a/b/c/x"), S("three"), &r.err));
    OK(&r, store_read_range(r.store, S("a/b/c/x"), 1, 3, r.arena, &found, &text, &r.err));
    assert_true(str_is(text, "hre"));
    assert_false(store_read_range(r.store, S("a/b/c/x"), 1, 5, r.arena, &found, &text, &r.err));
    error_clear(&r.err);
    assert_false(store_read(r.store, S("a/b/c/x"), 4, r.arena, &found, &text, &r.err));
    error_clear(&r.err);
    OK(&r, store_read(r.store, S("a/none"), 100, r.arena, &found, &text, &r.err));
    assert_false(found);
    OK(&r, store_stat(r.store, S("a/b/c/x"), &found, &e, &r.err));
    assert_true(found && e.size == 5 && e.modified_ms > 0);
    OK(&r, store_sync_files(r.store, &(Str){"a/b/c/x", 7}, 1, &r.err));
    OK(&r, store_delete(r.store, S("a/b/c/x"), &r.err));
    OK(&r, store_delete(r.store, S("a/b/c/x"), &r.err));
    OK(&r, store_delete_folder(r.store, S("a/b"), &found, &r.err));
    assert_false(found);
    OK(&r, store_delete_folder(r.store, S("a/b/c"), &found, &r.err));
    assert_true(found);
    leave(&r);
}

static void paths_stay_inside(void **state)
{
    static const char *const paths[] = {"../x", "a/../../x", "/etc/passwd", "a/..", ".."};
    Room r;
    bool flag;
    Str text;
    StoreEntryVec files;
    (void)state;
    enter(&r);
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        Str path = str_from(paths[i]);
        assert_false(store_read(r.store, path, 10, r.arena, &flag, &text, &r.err));
        error_clear(&r.err);
        assert_false(store_put(r.store, path, S("x"), &r.err));
        error_clear(&r.err);
        assert_false(store_put_if_absent(r.store, path, S("x"), &flag, &r.err));
        error_clear(&r.err);
        assert_false(store_delete(r.store, path, &r.err));
        error_clear(&r.err);
        assert_false(store_list(r.store, path, S(""), r.arena, &files, &r.err));
        error_clear(&r.err);
    }
    leave(&r);
}

static bool count_entry(const StoreEntry *e, void *arg)
{
    (void)e;
    ++*(int *)arg;
    return true;
}

static void listings_and_walks(void **state)
{
    Room r;
    StoreEntryVec files;
    int seen = 0, folders = 0;
    (void)state;
    enter(&r);
    OK(&r, store_make_folder(r.store, S("log/deep"), &r.err));
    OK(&r, store_put(r.store, S("log/c"), S("1"), &r.err));
    OK(&r, store_put(r.store, S("log/a"), S("1"), &r.err));
    OK(&r, store_put(r.store, S("log/deep/b"), S("1"), &r.err));
    OK(&r, store_list(r.store, S("log"), S("b"), r.arena, &files, &r.err));
    assert_int_equal(files.len, 1);
    assert_true(str_is(files.at[0].path, "log/c"));
    OK(&r, store_list(r.store, S("none"), S(""), r.arena, &files, &r.err));
    assert_int_equal(files.len, 0);
    assert_int_equal(symlink("/", str_z(str_printf(r.arena, "%s/log/link", r.folder), r.arena)), 0);
    OK(&r, store_walk(r.store, S(""), count_entry, &seen, &r.err));
    OK(&r, store_walk_folders(r.store, S(""), count_entry, &folders, &r.err));
    assert_int_equal(seen, 3); /* the link is not followed */
    assert_int_equal(folders, 2);
    leave(&r);
}

/* ---- races and kills ---- */

enum { RACERS = 8, ROUNDS = 50 };

typedef struct Racer {
    Room *room;
    int wins;
} Racer;

static void *race(void *arg)
{
    Racer *me = arg;
    AUTO_ARENA(a) = arena_new();
    for (int i = 0; i < ROUNDS; i++) {
        Error err = error_in(a);
        bool exists;
        Str path = str_printf(a, "%d", i);
        if (store_put_if_absent(me->room->store, path, S("content"), &exists, &err) && !exists)
            me->wins++;
    }
    return NULL;
}

static void one_winner_a_name(void **state)
{
    Room r;
    pthread_t threads[RACERS];
    Racer racers[RACERS];
    int wins = 0;
    (void)state;
    enter(&r);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (Racer){&r, 0};
        pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (int i = 0; i < RACERS; i++) {
        pthread_join(threads[i], NULL);
        wins += racers[i].wins;
    }
    assert_int_equal(wins, ROUNDS);
    leave(&r);
}

/* A child that puts files until it is killed: each name is whole or absent, temporary files are
 * cleaned. */
static void killed_at_any_instant(void **state)
{
    enum { KILLS = 40, SIZE = 100000 };
    Room r;
    StoreEntryVec files;
    (void)state;
    enter(&r);
    char *body = arena_alloc(r.arena, SIZE);
    memset(body, 'x', SIZE);
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (int j = 0;; j++) {
                bool exists;
                Str name = str_printf(r.arena, "%d_%d", i, j);
                if (!store_put_if_absent(r.store, name, (Str){body, SIZE}, &exists, &r.err))
                    _exit(1);
            }
        }
        usleep((useconds_t)(200 + i * 150));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    OK(&r, store_list(r.store, S(""), S(""), r.arena, &files, &r.err));
    for (size_t i = 0; i < files.len; i++)
        if (files.at[i].path.ptr[0] != '.')
            assert_int_equal(files.at[i].size, SIZE);
    OK(&r, store_clean_temporary(r.store, S(""), clock_now_ms() + 1000, &r.err));
    OK(&r, store_list(r.store, S(""), S(""), r.arena, &files, &r.err));
    for (size_t i = 0; i < files.len; i++)
        assert_true(files.at[i].path.ptr[0] != '.');
    leave(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locations),         cmocka_unit_test(puts_and_reads),
        cmocka_unit_test(paths_stay_inside), cmocka_unit_test(listings_and_walks),
        cmocka_unit_test(one_winner_a_name), cmocka_unit_test(killed_at_any_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
