/* What real clients sent (tests/fuzz/corpus/connect_fuzz, made by record_plans.py) decodes to the recorded plans.
 * LAKESHED_RECORD=1 writes plans_decoded.tsv anew, to be read before it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "connect/decode.h"
#include "plan_dump.h"
#include "session/plan_copy.h"

static Str read_file(const char *path, Arena *arena)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return (Str){NULL, 0};
    char *bytes = arena_alloc(arena, 1 << 20);
    size_t len = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return (Str){bytes, len};
}

static Str dump_decoded(const Decoded *d, Arena *arena)
{
    Buf b = buf_in(arena);
    if (d->command != NULL)
        buf_add(&b, dump_command(d->command, arena));
    if (d->command != NULL && d->query != NULL)
        buf_addz(&b, " then ");
    if (d->query != NULL)
        buf_add(&b, dump_rel(d->query, arena));
    return buf_str(&b);
}

/* Decodes, copies what temp views would copy, and frees the first plan before the copy is printed. */
static Str decode_request(Str bytes, Arena *arena)
{
    Arena *first = arena_new();
    Error err = error_in(first);
    ProtobufCMessage *message;
    Decoded d = {0};
    bool ok = wire_unpack(&spark__connect__execute_plan_request__descriptor, bytes, WIRE_MAX_DEPTH, first, &message, &err);
    const PB(Plan) *plan = ok ? ((const PB(ExecutePlanRequest) *)message)->plan : NULL;
    if (ok && plan->op_type_case == SPARK__CONNECT__PLAN__OP_TYPE_ROOT)
        ok = decode_relation(plan->root, first, &d, &err);
    else if (ok && plan->command->command_type_case == SPARK__CONNECT__COMMAND__COMMAND_TYPE_SQL_COMMAND)
        ok = decode_sql_command(plan->command->sql_command, first, &d.query, &err);
    else if (ok)
        ok = decode_command(plan->command, first, &d, &err);
    Str text = ok ? str_copy(dump_decoded(&d, first), arena)
                  : str_concat(arena, S("ERROR "), error_message(&err, arena));
    Rel *copy = ok && d.query != NULL && d.command == NULL ? plan_copy_rel(d.query, arena) : NULL;
    arena_free(first);
    if (copy != NULL)
        assert_true(str_eq(dump_rel(copy, arena), text));
    return text;
}

static const char *const names[] = {
#include "plan_names.def"
};

static void test_recorded_plans(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *folder = SOURCE_DIR "/../../fuzz/corpus/connect_fuzz";
    const char *golden = SOURCE_DIR "/plans_decoded.tsv";
    Str expected = read_file(golden, arena);
    Buf all = buf_in(arena);
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        Str path = str_printf(arena, "%s/%s.bin", folder, names[i]);
        Str bytes = read_file(path.ptr, arena);
        if (bytes.ptr == NULL)
            fail_msg("no recorded plan %s", names[i]);
        Str line = str_printf(arena, "%s\t" STR_FMT "\n", names[i], STR_ARG(decode_request(bytes, arena)));
        buf_add(&all, line);
        if (getenv("LAKESHED_RECORD") == NULL && str_find(expected, line) < 0)
            fail_msg("not as recorded: " STR_FMT, STR_ARG(line));
    }
    if (getenv("LAKESHED_RECORD") != NULL) {
        FILE *f = fopen(golden, "w");
        assert_non_null(f);
        fwrite(all.ptr, 1, all.len, f);
        fclose(f);
    }
}

/* ---- hostile bytes ---- */

static void put_field(Buf *b, unsigned number, Str content)
{
    size_t n = content.len;
    buf_addc(b, (char)(number << 3 | 2));
    for (; n >= 0x80; n >>= 7)
        buf_addc(b, (char)(n | 0x80));
    buf_addc(b, (char)n);
    buf_add(b, content);
}

/* range under n limits: 2 n + 1 messages deep, written from the inside out. */
static Str nested(size_t n, Arena *arena)
{
    Str relation = S("\x7a\x02\x10\x05");
    for (size_t i = 0; i < n; i++) {
        Buf limit = buf_in(arena), outer = buf_in(arena);
        put_field(&limit, 1, relation);
        put_field(&outer, 8, buf_str(&limit));
        relation = buf_str(&outer);
    }
    return relation;
}

static void test_depth(void **state)
{
    static const struct { size_t levels; bool ok; } rows[] = {{10, true}, {950, true}, {1100, false}, {3000, false}};
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        ProtobufCMessage *message;
        Decoded d;
        bool ok = wire_unpack(&spark__connect__relation__descriptor, nested(rows[i].levels, arena), WIRE_MAX_DEPTH, arena,
                              &message, &err) &&
                  decode_relation((PB(Relation) *)message, arena, &d, &err);
        assert_int_equal(ok, rows[i].ok);
        if (!ok)
            assert_int_equal(err.cls, ERR_LAKESHED_PLAN_TOO_DEEP);
    }
}

static void test_malformed(void **state)
{
    static const Str rows[] = {S_INIT("\xff\xff\xff\xff"), S_INIT("\x00"), S_INIT("\x42\x05"), S_INIT("\x0b"),
                               S_INIT("\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), S_INIT("\x52\x03\x0a\x01\xff"),
                               S_INIT("\x7a\x09\x10\xff\xff\xff\xff\xff\xff\xff\xff")};
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        ProtobufCMessage *message;
        assert_false(wire_unpack(&spark__connect__relation__descriptor, rows[i], WIRE_MAX_DEPTH, arena, &message, &err));
        assert_int_equal(err.cls, ERR_LAKESHED_MESSAGE_INVALID);
    }
}

static void test_text_with_nul(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    ProtobufCMessage *message;
    Value v;
    assert_true(wire_unpack(&spark__connect__expression__literal__descriptor, S("\x6a\x03\x61\x00\x62"), WIRE_MAX_DEPTH,
                            arena, &message, &err));
    assert_true(decode_literal((PB(Expression__Literal) *)message, arena, &v, &err));
    assert_int_equal(v.bytes.len, 3);
}

/* Every type survives the way there and back. */
static void test_types(void **state)
{
    static const char *const rows[] = {
        "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(10,2)", "string", "char(3)",
        "varchar(5)", "binary", "date", "timestamp", "timestamp_ntz", "time(3)", "interval year to month",
        "interval day to second", "interval hour", "variant", "void", "array<int>", "map<string,array<double>>",
        "struct<a:int,b:struct<c:string>>"};
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        const Type *type, *back;
        PB(DataType) *message;
        ProtobufCMessage *read;
        assert_true(type_from_ddl(str_from(rows[i]), arena, &type, &err));
        assert_true(encode_type(type, arena, &message, &err));
        assert_true(wire_unpack(&spark__connect__data_type__descriptor, wire_pack(&message->base, arena), WIRE_MAX_DEPTH,
                                arena, &read, &err));
        if (!decode_type((PB(DataType) *)read, arena, &back, &err) || !type_equal(type, back))
            fail_msg("%s came back different", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_plans), cmocka_unit_test(test_depth),  cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_text_with_nul),  cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
