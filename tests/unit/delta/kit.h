/* Tables to test on: a fresh folder, commits without data files, errors that fail the test with
 * their message. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "delta/delta.h"

typedef struct Kit {
    Arena *arena;
    Error err;
    char *folder; /* removed by kit_close */
    DeltaTable *table;
} Kit;

void kit_open(Kit *k);
void kit_close(Kit *k);
/* The same folder through a second, independent table object: another process's view. */
DeltaTable *kit_other(Kit *k);

#define OK(k, call)                                                                                \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s:%d %.*s", __FILE__, __LINE__,                                             \
                     STR_ARG(error_message(&(k)->err, (k)->arena)));                               \
    } while (0)
/* The call fails with this class. */
#define REFUSED(k, class_name, call)                                                               \
    do {                                                                                           \
        error_clear(&(k)->err);                                                                    \
        assert_false(call);                                                                        \
        assert_string_equal(error_class_name((k)->err.cls), class_name);                           \
        error_clear(&(k)->err);                                                                    \
    } while (0)

/* Version 0: columns as DDL, partition columns separated by commas ("" = none), properties
 * "k=v;k=v". */
void kit_create(Kit *k, const char *ddl, const char *partitions, const char *properties);
/* Values follow in the order of the partition columns, as "k=v;k=v". */
AddFile kit_file(Kit *k, const char *path, const char *values, const char *stats);
int64_t kit_append(Kit *k, const char *path, const char *values, const char *stats);
CommitRequest kit_request(const char *operation);
Snapshot *kit_snapshot(Kit *k);
/* Writes a file below the table's folder as it is. */
void kit_write(Kit *k, const char *path, const char *text);
PropertyVec kit_properties(Kit *k, const char *text);
