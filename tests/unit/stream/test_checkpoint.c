/* Checkpoints: what is written is read again, a batch is planned and committed once, logs of lines are compacted as Spark's are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/stream_impl.h"

typedef struct Room {
    Arena *arena;
    Error err;
    Checkpoint checkpoint;
} Room;

#define OK(r, call)                                                                             \
    do {                                                                                        \
        if (!(call))                                                                            \
            fail_msg("line %d: %.*s", __LINE__, STR_ARG(error_message(&(r)->err, (r)->arena))); \
    } while (0)

static void enter(Room *r)
{
    const char *base = getenv("TMPDIR");
    *r = (Room){.arena = arena_new()};
    r->err = error_in(r->arena);
    char *folder = str_z(str_printf(r->arena, "%s/checkpoint-XXXXXX", base ? base : "/tmp"), r->arena);
    assert_non_null(mkdtemp(folder));
    OK(r, checkpoint_open(str_from(folder), true, r->arena, &r->checkpoint, &r->err));
    OK(r, store_make_folder(r->checkpoint.store, S("offsets"), &r->err));
    OK(r, store_make_folder(r->checkpoint.store, S("commits"), &r->err));
}

static void leave(Room *r)
{
    checkpoint_remove(&r->checkpoint);
    assert_int_not_equal(access(r->checkpoint.folder.ptr, F_OK), 0);
    arena_free(r->arena);
}

static void test_identity(void **state)
{
    Room r;
    char id[UUID_TEXT_LEN + 1], other[UUID_TEXT_LEN + 1];
    (void)state;
    enter(&r);
    clock_uuid(id);
    clock_uuid(other);
    Str first = str_copy(str_from(id), r.arena);
    OK(&r, checkpoint_identity(&r.checkpoint, id, &r.err));
    OK(&r, checkpoint_identity(&r.checkpoint, other, &r.err));
    assert_true(str_is(first, id) && str_is(first, other));
    OK(&r, store_put(r.checkpoint.store, S("metadata"), S("{\"id\":\"x\"}"), &r.err));
    assert_false(checkpoint_identity(&r.checkpoint, other, &r.err));
    assert_int_equal(r.err.cls, ERR_LAKESHED_STREAM_CHECKPOINT);
    leave(&r);
}

static void test_batches(void **state)
{
    Room r;
    int64_t newest, watermark;
    bool found;
    (void)state;
    enter(&r);
    OK(&r, checkpoint_newest(&r.checkpoint, S("offsets"), &newest, &r.err));
    assert_int_equal(newest, -1);
    OffsetEntry out = {.watermark_ms = 7, .timestamp_ms = 8}, in;
    vec_push(r.arena, &out.offsets, S("{\"logOffset\":3}"));
    vec_push(r.arena, &out.offsets, S(""));
    for (int64_t b = 0; b < 12; b++)
        OK(&r, checkpoint_write_offsets(&r.checkpoint, b, &out, &r.err));
    OK(&r, checkpoint_newest(&r.checkpoint, S("offsets"), &newest, &r.err));
    assert_int_equal(newest, 11);
    OK(&r, checkpoint_read_offsets(&r.checkpoint, 11, r.arena, &found, &in, &r.err));
    assert_true(found && in.watermark_ms == 7 && in.timestamp_ms == 8 && in.offsets.len == 2);
    assert_true(str_is(in.offsets.at[0], "{\"logOffset\":3}") && in.offsets.at[1].len == 0);
    assert_false(checkpoint_write_offsets(&r.checkpoint, 11, &out, &r.err));
    assert_int_equal(r.err.cls, ERR_CONCURRENT_STREAM_LOG_UPDATE);
    error_clear(&r.err);
    OK(&r, checkpoint_read_commit(&r.checkpoint, 11, &found, &watermark, &r.err));
    assert_false(found);
    OK(&r, checkpoint_write_commit(&r.checkpoint, 11, 42, &r.err));
    OK(&r, checkpoint_read_commit(&r.checkpoint, 11, &found, &watermark, &r.err));
    assert_true(found && watermark == 42);
    OK(&r, checkpoint_purge(&r.checkpoint, 1, &r.err));
    OK(&r, checkpoint_read_offsets(&r.checkpoint, 0, r.arena, &found, &in, &r.err));
    assert_false(found);
    leave(&r);
}

static void test_lines(void **state)
{
    Room r;
    LineLog log, again;
    bool found;
    Str text;
    (void)state;
    enter(&r);
    OK(&r, line_log_open(r.checkpoint.store, S("sources/0"), r.arena, &log, &r.err));
    assert_int_equal(log.newest, -1);
    for (int64_t n = 0; n < 13; n++) {
        StrVec lines = {0};
        vec_push(r.arena, &lines, str_printf(r.arena, "{\"path\":\"f%lld\",\"batchId\":%lld}", (long long)n, (long long)n));
        OK(&r, line_log_add(&log, n, &lines, &r.err));
    }
    OK(&r, store_read(r.checkpoint.store, S("sources/0/9.compact"), 1 << 20, r.arena, &found, &text, &r.err));
    assert_true(found && str_starts_with(text, S("v1\n{\"path\":\"f0\"")) && str_ends_with(text, S("\"batchId\":9}")));
    OK(&r, line_log_open(r.checkpoint.store, S("sources/0"), r.arena, &again, &r.err));
    assert_int_equal(again.newest, 12);
    assert_int_equal(again.lines.len, 13);
    for (size_t i = 0; i < again.lines.len; i++)
        assert_int_equal(again.entry_of.at[i], i);
    StrVec none = {0};
    OK(&r, line_log_add(&again, 13, &none, &r.err));
    assert_false(line_log_add(&log, 13, &none, &r.err));
    assert_int_equal(r.err.cls, ERR_CONCURRENT_STREAM_LOG_UPDATE);
    leave(&r);
}

static void test_an_unknown_version_is_refused(void **state)
{
    Room r;
    OffsetEntry in;
    bool found;
    (void)state;
    enter(&r);
    OK(&r, store_put(r.checkpoint.store, S("offsets/0"), S("v2\n{}"), &r.err));
    assert_false(checkpoint_read_offsets(&r.checkpoint, 0, r.arena, &found, &in, &r.err));
    assert_int_equal(r.err.cls, ERR_LAKESHED_STREAM_CHECKPOINT);
    leave(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_identity), cmocka_unit_test(test_batches), cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_an_unknown_version_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
