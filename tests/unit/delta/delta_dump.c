/* delta_dump PATH [VERSION]: prints what a snapshot says, or the error; for trying tables by hand
 * and in tests. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "delta/delta.h"
#include "duckdb_io.h"

static int fail(Error *err, Arena *arena)
{
    Str text = error_message(err, arena);
    printf("{\"error\": \"%.*s\"}\n", STR_ARG(text));
    return 1;
}

int main(int argc, char **argv)
{
    AUTO_ARENA(arena) = arena_new();
    Error err = error_in(arena);
    DeltaTable *t;
    Snapshot *s;
    duckdb_io_install();
    if (argc < 2 || !delta_table_open(str_from(argv[1]), &t, &err))
        return fail(&err, arena);
    int64_t start = clock_monotonic_us();
    bool latest = argc < 3 || str_is(str_from(argv[2]), "latest");
    bool ok =
        latest ? snapshot_newest(t, &s, &err) : snapshot_at_version(t, atoll(argv[2]), &s, &err);
    if (!ok) {
        delta_table_unref(t);
        return fail(&err, arena);
    }
    int64_t spent = clock_monotonic_us() - start;
    FileList files;
    int64_t removed = 0;
    snapshot_files(s, arena, &files);
    for (size_t i = 0; i < files.len; i++) {
        uint64_t *rows;
        size_t count;
        if (files.at[i]->dv && !deletion_vector_rows(s, files.at[i], arena, &rows, &count, &err))
            return fail(&err, arena);
        removed += files.at[i]->dv ? (int64_t)count : 0;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"version\": %lld, \"files\": %zu, \"rows\": %lld, \"deleted\": %lld, \"bytes\": "
           "%lld, \"schema\": \"%.*s\", "
           "\"ms\": %lld, \"peak_kb\": %ld}\n",
           (long long)snapshot_version(s), files.len, (long long)snapshot_row_count(s),
           (long long)removed, (long long)snapshot_size_in_bytes(s),
           STR_ARG(type_simple_string(snapshot_schema(s), arena)), (long long)spent / 1000,
           usage.ru_maxrss);
    snapshot_unref(s);
    delta_table_unref(t);
    return 0;
}
