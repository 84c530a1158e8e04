/* What a worker writes, whole, in single bytes, and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>

#include "python/python_impl.h"

/* A stream of one int column and `batches` batches. */
static void put_stream(Buf *b, int batches)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowIpcOutputStream out;
    struct ArrowIpcWriter writer;
    struct ArrowBuffer bytes;
    struct ArrowArrayView view;
    ArrowBufferInit(&bytes);
    ArrowSchemaInit(&schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(&schema, 1), 0);
    assert_int_equal(ArrowSchemaSetType(schema.children[0], NANOARROW_TYPE_INT32), 0);
    assert_int_equal(ArrowSchemaSetName(schema.children[0], "_0"), 0);
    assert_int_equal(ArrowIpcOutputStreamInitBuffer(&out, &bytes), 0);
    assert_int_equal(ArrowIpcWriterInit(&writer, &out), 0);
    assert_int_equal(ArrowIpcWriterWriteSchema(&writer, &schema, NULL), 0);
    for (int i = 0; i < batches; i++) {
        assert_int_equal(ArrowArrayInitFromSchema(&array, &schema, NULL), 0);
        assert_int_equal(ArrowArrayStartAppending(&array), 0);
        assert_int_equal(ArrowArrayAppendInt(array.children[0], i), 0);
        assert_int_equal(ArrowArrayFinishElement(&array), 0);
        assert_int_equal(ArrowArrayFinishBuildingDefault(&array, NULL), 0);
        assert_int_equal(ArrowArrayViewInitFromSchema(&view, &schema, NULL), 0);
        assert_int_equal(ArrowArrayViewSetArray(&view, &array, NULL), 0);
        assert_int_equal(ArrowIpcWriterWriteArrayView(&writer, &view, NULL), 0);
        ArrowArrayViewReset(&view);
        ArrowArrayRelease(&array);
    }
    assert_int_equal(ArrowIpcWriterWriteArrayView(&writer, NULL, NULL), 0);
    ArrowIpcWriterReset(&writer);
    buf_add_bytes(b, bytes.data, (size_t)bytes.size_bytes);
    ArrowBufferReset(&bytes);
    ArrowSchemaRelease(&schema);
}

static void put_end(Buf *b)
{
    python_put_int(b, -3);
    for (int i = 0; i < 6; i++)
        python_put_long(b, i);
    python_put_int(b, -1);
    python_put_int(b, 0);
    python_put_int(b, -4);
}

static void give(Output *o, const char *bytes, size_t len)
{
    memcpy(output_room(o, len), bytes, len);
    output_took(o, len);
}

/* Feeds the bytes in steps and names what came: b batch, f frame, x exception, d done. */
static const char *events(Str bytes, size_t step, Arena *arena, Error *err)
{
    Output o;
    Buf seen = buf_in(arena);
    output_init(&o);
    for (size_t at = 0; at < bytes.len; at += step) {
        give(&o, bytes.ptr + at, bytes.len - at < step ? bytes.len - at : step);
        for (;;) {
            OutputKind kind;
            Str whole;
            if (!output_next(&o, &kind, &whole, err)) {
                buf_addc(&seen, '!');
                output_free(&o);
                return str_z(buf_str(&seen), arena);
            }
            if (kind == OUTPUT_MORE)
                break;
            buf_addc(&seen, "?bfxdl"[kind]);
            if (kind == OUTPUT_EXCEPTION)
                buf_addf(&seen, "(" STR_FMT ")", STR_ARG(whole));
            if (kind == OUTPUT_DONE || kind == OUTPUT_LAST)
                break;
        }
    }
    output_free(&o);
    return str_z(buf_str(&seen), arena);
}

static void test_batches(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Buf b = buf_in(arena);
    python_put_int(&b, -6);
    put_stream(&b, 3);
    put_end(&b);
    assert_string_equal(events(buf_str(&b), b.len, arena, &err), "bbbd");
    assert_string_equal(events(buf_str(&b), 1, arena, &err), "bbbd");
    assert_string_equal(events(buf_str(&b), 7, arena, &err), "bbbd");
}

static void test_frames_and_exceptions(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Buf b = buf_in(arena);
    python_put_text(&b, S("pickled"));
    python_put_text(&b, S(""));
    python_put_int(&b, -2);
    python_put_text(&b, S("Traceback"));
    assert_string_equal(events(buf_str(&b), b.len, arena, &err), "ffx(Traceback)");
    assert_string_equal(events(buf_str(&b), 1, arena, &err), "ffx(Traceback)");
}

/* An exception in the middle of a stream comes behind the stream's end. */
static void test_exception_after_batches(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Buf b = buf_in(arena);
    python_put_int(&b, -6);
    put_stream(&b, 1);
    python_put_int(&b, -2);
    python_put_text(&b, S("late"));
    assert_string_equal(events(buf_str(&b), b.len, arena, &err), "bx(late)");
}

static void test_damage(void **state)
{
    AUTO_ARENA arena = arena_new();
    Buf b = buf_in(arena);
    python_put_int(&b, -6);
    put_stream(&b, 2);
    put_end(&b);
    for (size_t i = 0; i < b.len; i++) {
        Error err = error_in(arena);
        Str copy = str_copy(buf_str(&b), arena);
        ((char *)copy.ptr)[i] ^= (char)0x81;
        events(copy, copy.len, arena, &err); /* anything but a crash or a read past the end */
    }
    Error err = error_in(arena);
    assert_string_equal(events(S("\xff\xff\xff\x80"), 4, arena, &err), "!");
    assert_string_equal(events(S("\xff\xff\xff\xfe\xff\xff\xff\xff"), 8, arena, &err), "!");
    assert_string_equal(events(S("\xff\xff\xff\xfa" "12345678"), 12, arena, &err), "!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_frames_and_exceptions),
        cmocka_unit_test(test_exception_after_batches),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
