/* Tables to test on. */
#include "kit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void kit_open(Kit *k)
{
    const char *base = getenv("TMPDIR");
    *k = (Kit){.arena = arena_new()};
    k->err = error_in(k->arena);
    Str pattern = str_printf(k->arena, "%s/lakeshed_test_XXXXXX", base ? base : P_tmpdir);
    k->folder = str_z(pattern, k->arena);
    assert_non_null(mkdtemp(k->folder));
    OK(k, delta_table_open(str_from(k->folder), &k->table, &k->err));
}

DeltaTable *kit_other(Kit *k)
{
    DeltaTable *t;
    OK(k, delta_table_open(str_from(k->folder), &t, &k->err));
    return t;
}

void kit_close(Kit *k)
{
    delta_table_unref(k->table);
    nftw(k->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(k->arena);
}

PropertyVec kit_properties(Kit *k, const char *text)
{
    PropertyVec out = {0};
    Str rest = str_from(text);
    while (rest.len) {
        ptrdiff_t end = str_find_char(rest, ';');
        Str pair = end < 0 ? rest : str_slice(rest, 0, (size_t)end);
        rest = end < 0 ? S("") : str_slice(rest, (size_t)end + 1, rest.len);
        ptrdiff_t equals = str_find_char(pair, '=');
        Str value = str_slice(pair, (size_t)equals + 1, pair.len);
        vec_push(k->arena, &out,
                 ((Property){str_slice(pair, 0, (size_t)equals), value, value.len == 0}));
    }
    return out;
}

CommitRequest kit_request(const char *operation)
{
    return (CommitRequest){.operation = str_from(operation), .blind_append = true};
}

void kit_create(Kit *k, const char *ddl, const char *partitions, const char *properties)
{
    Metadata m = {.configuration = kit_properties(k, properties)};
    int64_t version;
    OK(k, type_from_ddl(str_from(ddl), k->arena, &m.schema, &k->err));
    for (Str rest = str_from(partitions); rest.len;) {
        ptrdiff_t comma = str_find_char(rest, ',');
        size_t end = comma < 0 ? rest.len : (size_t)comma;
        vec_push(k->arena, &m.partition_columns, str_slice(rest, 0, end));
        rest = str_slice(rest, end + 1, rest.len);
    }
    Transaction *x = transaction_begin(k->table, NULL, k->arena);
    transaction_set_metadata(x, &m);
    CommitRequest request = kit_request("CREATE TABLE");
    OK(k, transaction_commit(x, &request, &version, &k->err));
    assert_int_equal(version, 0);
    transaction_end(x);
}

AddFile kit_file(Kit *k, const char *path, const char *values, const char *stats)
{
    return (AddFile){.path = str_from(path),
                     .partition_values = kit_properties(k, values),
                     .size = 100,
                     .modification_time_ms = 1,
                     .data_change = true,
                     .stats = str_from(stats)};
}

Snapshot *kit_snapshot(Kit *k)
{
    Snapshot *s;
    OK(k, snapshot_newest(k->table, &s, &k->err));
    return s;
}

int64_t kit_append(Kit *k, const char *path, const char *values, const char *stats)
{
    Snapshot *s = kit_snapshot(k);
    Transaction *x = transaction_begin(k->table, s, k->arena);
    AddFile f = kit_file(k, path, values, stats);
    CommitRequest request = kit_request("WRITE");
    int64_t version;
    transaction_add(x, &f);
    OK(k, transaction_commit(x, &request, &version, &k->err));
    transaction_end(x);
    snapshot_unref(s);
    return version;
}

void kit_write(Kit *k, const char *path, const char *text)
{
    Store *store = delta_table_store(k->table);
    ptrdiff_t slash = str_rfind_char(str_from(path), '/');
    if (slash > 0)
        OK(k, store_make_folder(store, str_slice(str_from(path), 0, (size_t)slash), &k->err));
    OK(k, store_put(store, str_from(path), str_from(text), &k->err));
}
