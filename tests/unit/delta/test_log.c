/* The log: names, hints, segments, gaps, torn and foreign files, refreshes. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

#include "delta/log_impl.h"
#include "delta/snapshot_impl.h"

#define PROTOCOL "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
#define METADATA                                                                                   \
    "{\"metaData\":{\"id\":\"a\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"            \
    "\"schemaString\":\"{\\\"type\\\":"                                                            \
    "\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"x\\\",\\\"type\\\":\\\"integer\\\","         \
    "\\\"nullable\\\":true,"                                                                       \
    "\\\"metadata\\\":{}}]}\",\"partitionColumns\":[],\"configuration\":{}}}\n"
#define ADD(path)                                                                                  \
    "{\"add\":{\"path\":\"" path                                                                   \
    "\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n"
#define REMOVE(path)                                                                               \
    "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":1,\"dataChange\":true}}\n"
#define COMMIT(n) "_delta_log/0000000000000000000" #n ".json"

static void spec_checksum(void **state)
{
    AUTO_ARENA(a) = arena_new();
    (void)state;
    Str json = S("{\"k0\":\"'v 0'\", \"checksum\": \"adsaskfljadfkjadfkj\", \"k1\":{\"k2\": 2, "
                 "\"k3\": [\"v3\", [1, 2], "
                 "{\"k4\": \"v4\", \"k5\": [\"v5\", \"v6\", \"v7\"]}]}}");
    assert_true(str_is(log_json_checksum(json, a), "6a92d155a59bf2eecbd4b4ec7fd1f875"));
}

static void reconciles_by_decoded_path(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("a%20b") ADD("c") ADD("d"));
    kit_write(&k, COMMIT(1), REMOVE("a b") REMOVE("c") "{\"future\":{\"x\":1}}\n" ADD("e"));
    Snapshot *s = kit_snapshot(&k);
    assert_int_equal(snapshot_file_count(s), 2);
    assert_int_equal(snapshot_version(s), 1);
    assert_int_equal(snapshot_row_count(s), -1);
    snapshot_unref(s);
    OK(&k, snapshot_at_version(k.table, 0, &s, &k.err));
    assert_int_equal(snapshot_file_count(s), 3);
    snapshot_unref(s);
    kit_close(&k);
}

#define COMPACTION(x, y) "_delta_log/0000000000000000000" #x ".0000000000000000000" #y ".compacted.json"

/* The compaction tells of a file that no commit has, so that it shows whether it was read. */
static void compactions_stand_for_commits(void **state)
{
    Kit k;
    Snapshot *s;
    (void)state;
    kit_open(&k);
    kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("a"));
    kit_write(&k, COMMIT(1), ADD("b"));
    kit_write(&k, COMMIT(2), REMOVE("a") ADD("c"));
    kit_write(&k, COMMIT(3), ADD("d"));
    kit_write(&k, COMPACTION(1, 2), ADD("b") REMOVE("a") ADD("c") ADD("mark"));
    kit_write(&k, COMPACTION(1, 5), ADD("future1") ADD("future2"));
    kit_write(&k, COMPACTION(2, 2), ADD("none1") ADD("none2"));
    OK(&k, snapshot_at_version(k.table, 3, &s, &k.err));
    assert_int_equal(snapshot_file_count(s), 4); /* b c d mark */
    snapshot_unref(s);
    OK(&k, snapshot_at_version(k.table, 1, &s, &k.err));
    assert_int_equal(snapshot_file_count(s), 2); /* a b: the compaction reaches too far */
    snapshot_unref(s);
    kit_close(&k);
}

static void torn_compactions_are_passed_over(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("a"));
    kit_write(&k, COMMIT(1), ADD("b"));
    kit_write(&k, COMMIT(2), REMOVE("b") ADD("c"));
    kit_write(&k, COMPACTION(0, 2), PROTOCOL METADATA ADD("a") "{\"add\":{\"path\":");
    Snapshot *s = kit_snapshot(&k);
    assert_int_equal(snapshot_file_count(s), 2);
    snapshot_unref(s);
    kit_close(&k);
}

/* As some writers put them together: commits one behind the other, the newest first. */
static void of_a_compaction_the_first_word_holds(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("a"));
    kit_write(&k, COMMIT(1), REMOVE("a") ADD("b"));
    kit_write(&k, COMMIT(2), REMOVE("b") ADD("c"));
    kit_write(&k, COMPACTION(1, 2), REMOVE("b") ADD("c") ADD("mark") REMOVE("a") ADD("b"));
    Snapshot *s = kit_snapshot(&k);
    assert_int_equal(snapshot_file_count(s), 2); /* c mark */
    snapshot_unref(s);
    kit_close(&k);
}

static void refresh_reads_only_what_is_new(void **state)
{
    Kit k;
    Snapshot *a, *b, *c;
    (void)state;
    kit_open(&k);
    kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("a"));
    a = kit_snapshot(&k);
    b = kit_snapshot(&k);
    assert_ptr_equal(a, b);
    kit_write(&k, COMMIT(1), ADD("b") REMOVE("a"));
    c = kit_snapshot(&k);
    assert_int_equal(snapshot_version(c), 1);
    assert_int_equal(snapshot_file_count(c), 1);
    assert_int_equal(snapshot_file_count(a), 1); /* the old one stays what it was */
    assert_ptr_equal(snapshot_metadata(a), snapshot_metadata(c));
    snapshot_unref(a);
    snapshot_unref(b);
    snapshot_unref(c);
    kit_close(&k);
}

static void a_table_made_anew_is_noticed(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("a"));
    kit_write(&k, COMMIT(1), ADD("b"));
    snapshot_unref(kit_snapshot(&k));
    OK(&k, store_delete(delta_table_store(k.table), S(COMMIT(1)), &k.err));
    kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("new") ADD("new2") ADD("new3"));
    Snapshot *s = kit_snapshot(&k);
    assert_int_equal(snapshot_version(s), 0);
    assert_int_equal(snapshot_file_count(s), 3);
    snapshot_unref(s);
    kit_close(&k);
}

/* One log a row: its files, and what opening it says. */
static void broken_logs_are_refused(void **state)
{
    static const struct {
        const char *files[6];
        const char *class_name;
    } rows[] = {
        {{COMMIT(0), PROTOCOL METADATA, COMMIT(2), ADD("a")}, "DELTA_VERSIONS_NOT_CONTIGUOUS"},
        {{COMMIT(1), ADD("a")}, "DELTA_TRUNCATED_TRANSACTION_LOG"},
        {{COMMIT(0), METADATA}, "DELTA_STATE_RECOVER_ERROR"},
        {{COMMIT(0), PROTOCOL}, "DELTA_STATE_RECOVER_ERROR"},
        {{COMMIT(0), PROTOCOL METADATA "{\"add\":{\"path\":\"a"}, "LAKESHED_LOG_INVALID"},
        {{COMMIT(0), PROTOCOL METADATA "[1,2]\n"}, "LAKESHED_LOG_INVALID"},
        {{COMMIT(0), PROTOCOL METADATA "{\"add\":{\"size\":1}}\n"}, "LAKESHED_LOG_INVALID"},
        {{COMMIT(0), "{\"protocol\":{\"minReaderVersion\":9,\"minWriterVersion\":9}}\n" METADATA},
         "DELTA_INVALID_PROTOCOL_VERSION"},
        {{COMMIT(0), "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,"
                     "\"readerFeatures\":[\"quantum\"],"
                     "\"writerFeatures\":[\"quantum\"]}}\n" METADATA},
         "DELTA_UNSUPPORTED_FEATURES_FOR_READ"},
        {{"a.parquet", "x"}, "DELTA_PATH_DOES_NOT_EXIST"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        Kit k;
        Snapshot *s;
        kit_open(&k);
        for (size_t j = 0; rows[i].files[j]; j += 2)
            kit_write(&k, rows[i].files[j], rows[i].files[j + 1]);
        REFUSED(&k, rows[i].class_name, snapshot_newest(k.table, &s, &k.err));
        kit_close(&k);
    }
}

static void the_hint_is_only_a_hint(void **state)
{
    static const char *const hints[] = {"",
                                        "{",
                                        "{\"version\":7,\"size\":1}",
                                        "{\"version\":-3}",
                                        "[]",
                                        "{\"version\":0,\"checksum\":\"0000\"}"};
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(hints); i++) {
        Kit k;
        kit_open(&k);
        kit_write(&k, COMMIT(0), PROTOCOL METADATA ADD("a"));
        kit_write(&k, "_delta_log/_last_checkpoint", hints[i]);
        Snapshot *s = kit_snapshot(&k);
        assert_int_equal(snapshot_file_count(s), 1);
        snapshot_unref(s);
        kit_close(&k);
    }
}

static void a_json_checkpoint_reads(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    kit_write(
        &k, "_delta_log/00000000000000000003.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
        "{\"checkpointMetadata\":{\"version\":3}}\n" PROTOCOL METADATA ADD("a")
            ADD("b") "{\"txn\":{\"appId\":\"app\",\"version\":4}}\n");
    kit_write(&k, COMMIT(4), REMOVE("a"));
    Snapshot *s = kit_snapshot(&k);
    assert_int_equal(snapshot_version(s), 4);
    assert_int_equal(snapshot_file_count(s), 1);
    assert_int_equal(snapshot_txn_version(s, S("app")), 4);
    assert_int_equal(snapshot_txn_version(s, S("other")), -1);
    snapshot_unref(s);
    REFUSED(&k, "DELTA_VERSION_NOT_FOUND", snapshot_at_version(k.table, 9, &s, &k.err));
    kit_close(&k);
}

static void paths_outside_are_refused(void **state)
{
    static const char *const paths[] = {"../secret", "a/../../b", "%2e%2e/x", "a%00b",
                                        "%zz",       "",          "x%2"};
    Kit k;
    Str out;
    (void)state;
    kit_open(&k);
    for (size_t i = 0; i < LENGTH_OF(paths); i++)
        REFUSED(&k, "DELTA_CANNOT_RECONSTRUCT_PATH_FROM_URI",
                delta_file_location(k.table, str_from(paths[i]), k.arena, &out, &k.err));
    OK(&k, delta_file_location(k.table, S("p=a%2520b/f.parquet"), k.arena, &out, &k.err));
    assert_true(str_ends_with(out, S("/p=a%20b/f.parquet")));
    OK(&k, delta_file_location(k.table, S("file:///elsewhere/f.parquet"), k.arena, &out, &k.err));
    assert_true(str_is(out, "/elsewhere/f.parquet"));
    kit_close(&k);
}

/* Many small commits: snapshots keep sharing, folding and staying right. */
static void a_thousand_refreshes(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    kit_write(&k, COMMIT(0), PROTOCOL METADATA);
    for (int i = 1; i <= 1000; i++) {
        Str path = str_printf(k.arena, "_delta_log/%020d.json", i);
        Str text = i % 3
                       ? str_printf(k.arena,
                                    "{\"add\":{\"path\":\"f%d\",\"partitionValues\":{},\"size\":1,"
                                    "\"modificationTime\":1,\"dataChange\":true}}\n",
                                    i)
                       : str_printf(k.arena,
                                    "{\"remove\":{\"path\":\"f%d\",\"dataChange\":true}}\n", i - 1);
        kit_write(&k, path.ptr, text.ptr);
        Snapshot *s = kit_snapshot(&k);
        assert_int_equal(snapshot_file_count(s), (i + 2) / 3 + (i % 3 == 2));
        assert_int_equal(snapshot_size_in_bytes(s), (i + 2) / 3 + (i % 3 == 2));
        assert_true(file_set_held(s->files) < 256 << 10); /* the texts of commits that were read are let go */
        snapshot_unref(s);
    }
    Snapshot *whole;
    DeltaTable *other = kit_other(&k);
    OK(&k, snapshot_newest(other, &whole, &k.err));
    assert_int_equal(snapshot_file_count(whole), 334);
    delta_table_unref(other);
    assert_int_equal(snapshot_version(whole), 1000); /* a snapshot outlives its table's handle */
    snapshot_unref(whole);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spec_checksum),
        cmocka_unit_test(reconciles_by_decoded_path),
        cmocka_unit_test(compactions_stand_for_commits),
        cmocka_unit_test(torn_compactions_are_passed_over),
        cmocka_unit_test(of_a_compaction_the_first_word_holds),
        cmocka_unit_test(refresh_reads_only_what_is_new),
        cmocka_unit_test(a_table_made_anew_is_noticed),
        cmocka_unit_test(broken_logs_are_refused),
        cmocka_unit_test(the_hint_is_only_a_hint),
        cmocka_unit_test(a_json_checkpoint_reads),
        cmocka_unit_test(paths_outside_are_refused),
        cmocka_unit_test(a_thousand_refreshes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
