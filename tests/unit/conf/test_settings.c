/* Settings: defaults, files, environment, bad values, and Spark's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/settings.h"

static void test_defaults(void **state)
{
    ServerSettings s;
    settings_defaults(&s);
    assert_true(str_is(s.data_folder, "./lakeshed-data"));
    assert_true(str_is(s.host, "127.0.0.1"));
    assert_int_equal(s.port, 15002);
    assert_int_equal(s.rest_port, 8080);
    assert_int_equal(s.max_message_bytes, 128 << 20);
    assert_false(s.strict);
}

static void test_set_refuses(void **state)
{
    static const struct { const char *key, *value; ErrorClass cls; } rows[] = {
        {"port", "70000", ERR_LAKESHED_SETTING_INVALID},   {"port", "x", ERR_LAKESHED_SETTING_INVALID},
        {"rest-port", "-2", ERR_LAKESHED_SETTING_INVALID}, {"strict", "maybe", ERR_LAKESHED_SETTING_INVALID},
        {"colour", "red", ERR_LAKESHED_SETTING_UNKNOWN},   {"port", "", ERR_LAKESHED_SETTING_INVALID},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        ServerSettings s;
        settings_defaults(&s);
        assert_false(settings_set(&s, str_from(rows[i].key), str_from(rows[i].value), S("--x"), arena, &err));
        assert_int_equal(err.cls, rows[i].cls);
        assert_true(str_is(error_param(&err, "where"), "--x"));
    }
}

static void test_file(void **state)
{
    char path[] = "/tmp/lakeshed-settings-XXXXXX";
    int fd = mkstemp(path);
    static const char text[] = "# comment\n\n port = 0 \nhost=0.0.0.0\nstrict = true\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    ServerSettings s;
    settings_defaults(&s);
    assert_true(settings_load_file(str_from(path), &s, arena, &err));
    assert_int_equal(s.port, 0);
    assert_true(str_is(s.host, "0.0.0.0"));
    assert_true(s.strict);
    assert_int_equal(write(fd, "bad line\n", 9), 9);
    close(fd);
    assert_false(settings_load_file(str_from(path), &s, arena, &err));
    assert_int_equal(err.cls, ERR_LAKESHED_SETTING_LINE);
    assert_true(str_ends_with(error_param(&err, "where"), S(":6")));
    unlink(path);
}

static void test_environment(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    ServerSettings s;
    settings_defaults(&s);
    setenv("LAKESHED_REST_PORT", "-1", 1);
    assert_true(settings_load_environment(&s, arena, &err));
    unsetenv("LAKESHED_REST_PORT");
    assert_int_equal(s.rest_port, -1);
}

static void test_spark_table(void **state)
{
    const char *last = "";
    for (size_t i = 0; i < spark_setting_count(); i++) {
        const SparkSetting *s = spark_setting_at(i);
        assert_non_null(s);
        assert_true(str_cmp(str_from(last), str_from(s->key)) < 0);
        last = s->key;
    }
    /* What the client's Config.Get asks for: a key missing here fails whole calls. */
    static const char *const asked[] = {
        "spark.connect.session.planCompression.threshold", "spark.connect.session.planCompression.defaultAlgorithm",
        "spark.sql.execution.pyspark.binaryAsBytes", "spark.sql.session.timeZone", "spark.sql.timestampType",
        "spark.sql.session.localRelationCacheThreshold", "spark.sql.session.localRelationChunkSizeRows",
        "spark.sql.session.localRelationChunkSizeBytes", "spark.sql.session.localRelationBatchOfChunksSizeBytes",
        "spark.sql.execution.pandas.convertToArrowArraySafely", "spark.sql.execution.pandas.inferPandasDictAsMap",
        "spark.sql.pyspark.inferNestedDictAsStruct.enabled", "spark.sql.execution.arrow.useLargeVarTypes",
        "spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled",
        "spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled", "spark.sql.execution.pandas.structHandlingMode",
        "spark.sql.execution.arrow.pyspark.selfDestruct.enabled", "spark.sql.connect.serverStacktrace.enabled",
        "spark.sql.pyspark.jvmStacktrace.enabled"};
    for (size_t i = 0; i < LENGTH_OF(asked); i++)
        if (spark_setting(str_from(asked[i])) == NULL)
            fail_msg("no setting %s", asked[i]);
    assert_null(spark_setting(S("no.such.setting")));
    assert_string_equal(spark_setting(S("spark.sql.sources.default"))->value, "delta");
    assert_true(spark_setting_is_core(S("spark.executor.memory")));
}

static void test_spark_checks(void **state)
{
    static const struct { const char *key, *value; ErrorClass cls; } rows[] = {
        {"spark.sql.ansi.enabled", "TRUE", ERR_NONE},
        {"spark.sql.ansi.enabled", "maybe", ERR_INVALID_CONF_VALUE__TYPE_MISMATCH},
        {"spark.sql.shuffle.partitions", "7", ERR_NONE},
        {"spark.sql.shuffle.partitions", "abc", ERR_INVALID_CONF_VALUE__TYPE_MISMATCH},
        {"spark.sql.shuffle.partitions", "-1", ERR_INVALID_CONF_VALUE__REQUIREMENT},
        {"spark.sql.storeAssignmentPolicy", "ansi", ERR_NONE},
        {"spark.sql.storeAssignmentPolicy", "foo", ERR_INVALID_CONF_VALUE__OUT_OF_RANGE_OF_OPTIONS},
        {"spark.sql.autoBroadcastJoinThreshold", "10MB", ERR_NONE},
        {"spark.sql.autoBroadcastJoinThreshold", "12XB", ERR_INVALID_CONF_VALUE__TYPE_MISMATCH},
        {"spark.sql.parquet.compression.codec", "zip9", ERR_INVALID_CONF_VALUE__OUT_OF_RANGE_OF_OPTIONS},
        {"spark.sql.parquet.outputTimestampType", "timestamp_micros", ERR_NONE},
        {"spark.sql.ui.explainMode", "pretty", ERR_INVALID_CONF_VALUE__REQUIREMENT},
        {"spark.sql.session.localRelationSizeLimit", "1k", ERR_INVALID_CONF_VALUE__TYPE_MISMATCH},
        {"spark.sql.session.localRelationSizeLimit", "0", ERR_INVALID_CONF_VALUE__REQUIREMENT},
        {"spark.sql.adaptive.coalescePartitions.minPartitionSize", "1k", ERR_NONE},
        {"spark.sql.cbo.joinReorder.card.weight", "1.5", ERR_INVALID_CONF_VALUE__REQUIREMENT},
        {"spark.sql.legacy.parquet.int96RebaseModeInRead", "LEGACY", ERR__LEGACY_ERROR_TEMP_1226},
        {"spark.sql.legacy.parquet.int96RebaseModeInRead", "CORRECTED", ERR_NONE},
        {"my.own.key", "anything", ERR_NONE},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        bool ok = spark_setting_check(str_from(rows[i].key), str_from(rows[i].value), &err);
        if (ok != (rows[i].cls == ERR_NONE) || err.cls != rows[i].cls)
            fail_msg("%s = %s: %s", rows[i].key, rows[i].value, error_class_name(err.cls));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_set_refuses), cmocka_unit_test(test_file),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_spark_table), cmocka_unit_test(test_spark_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
