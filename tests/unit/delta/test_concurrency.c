/* Many writers on one table, in one process and in several, and processes that are killed while
 * they commit. */
#include "kit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "duckdb_io.h"

enum { WRITERS = 8, COMMITS = 20, KILLS = 30, PATH_SIZE = 32 };

#define STATS "{\"numRecords\":1}"

/* One append; false with the error set. */
static bool append(DeltaTable *t, const char *path, Arena *arena, int64_t *version, Error *err)
{
    Snapshot *s;
    TRY(snapshot_newest(t, &s, err));
    Transaction *x = transaction_begin(t, s, arena);
    AddFile f = {.path = str_from(path), .size = 1, .data_change = true, .stats = S(STATS)};
    CommitRequest request = {.operation = S("WRITE"), .blind_append = true};
    transaction_add(x, &f);
    bool ok = transaction_commit(x, &request, version, err);
    transaction_end(x);
    snapshot_unref(s);
    return ok;
}

/* Every version is there, holds one file, and no file is there twice. Returns the number of files.
 */
static size_t check_log(Kit *k)
{
    AUTO_ARENA(arena) = arena_new();
    DeltaTable *t = kit_other(k);
    Snapshot *s;
    FileList files;
    OK(k, snapshot_newest(t, &s, &k->err));
    snapshot_files(s, arena, &files);
    assert_int_equal(files.len, snapshot_version(s));
    Map seen = map_in(arena);
    for (size_t i = 0; i < files.len; i++) {
        assert_false(map_has(&seen, files.at[i]->path));
        map_put(&seen, files.at[i]->path, arena);
    }
    size_t count = files.len;
    snapshot_unref(s);
    delta_table_unref(t);
    return count;
}

/* ---- threads ---- */

typedef struct Writer {
    DeltaTable *table;
    int number;
    bool ok;
} Writer;

static void *write_some(void *arg)
{
    Writer *w = arg;
    AUTO_ARENA(arena) = arena_new();
    Error err = error_in(arena);
    int64_t version, last = -1;
    w->ok = true;
    for (int i = 0; w->ok && i < COMMITS; i++) {
        Str path = str_printf(arena, "w%d_%d", w->number, i);
        w->ok = append(w->table, path.ptr, arena, &version, &err) && version > last;
        last = version;
    }
    return NULL;
}

static void threads_never_lose_a_commit(void **state)
{
    Kit k;
    pthread_t threads[WRITERS];
    Writer writers[WRITERS];
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "");
    for (int i = 0; i < WRITERS; i++) {
        /* Half share one table object, half have their own: as connections of one server and of
         * others. */
        writers[i] = (Writer){i % 2 ? kit_other(&k) : k.table, i, false};
        pthread_create(&threads[i], NULL, write_some, &writers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(writers[i].ok);
        if (i % 2)
            delta_table_unref(writers[i].table);
    }
    assert_int_equal(check_log(&k), WRITERS * COMMITS);
    kit_close(&k);
}

/* ---- kills ---- */

/* Appends until it dies; each commit that was answered is told through the pipe. */
static void commit_until_killed(const char *folder, int round, int pipe_end)
{
    AUTO_ARENA(arena) = arena_new();
    Error err = error_in(arena);
    DeltaTable *t;
    int64_t version;
    if (!delta_table_open(str_from(folder), &t, &err))
        _exit(1);
    for (int i = 0;; i++) {
        char path[PATH_SIZE] = {0};
        snprintf(path, sizeof path, "r%d_%d", round, i);
        if (!append(t, path, arena, &version, &err) ||
            write(pipe_end, path, sizeof path) != sizeof path)
            _exit(1);
    }
}

static void check_answered(Kit *k, int pipe_end)
{
    AUTO_ARENA(arena) = arena_new();
    DeltaTable *t = kit_other(k);
    Snapshot *s;
    FileList files;
    char path[PATH_SIZE];
    OK(k, snapshot_newest(t, &s, &k->err));
    snapshot_files(s, arena, &files);
    Map present = map_in(arena);
    for (size_t i = 0; i < files.len; i++)
        map_put(&present, files.at[i]->path, arena);
    while (read(pipe_end, path, sizeof path) == sizeof path)
        if (!map_has(&present, str_from(path)))
            fail_msg("the commit of %s was answered and is lost", path);
    snapshot_unref(s);
    delta_table_unref(t);
}

static void kills_lose_nothing_that_was_answered(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "delta.checkpointInterval=100000");
    for (int round = 0; round < KILLS; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            commit_until_killed(k.folder, round, ends[1]);
        close(ends[1]);
        usleep((useconds_t)(3000 + round * 577 % 9000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        check_log(&k);
        check_answered(&k, ends[0]);
        close(ends[0]);
    }
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_lose_nothing_that_was_answered), /* first: it forks */
        cmocka_unit_test(threads_never_lose_a_commit),
    };
    duckdb_io_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
