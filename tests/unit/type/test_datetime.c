/* Calendar, zones and intervals against what Spark and java.time answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "recorded.h"
#include "type/datetime.h"

static int expect(const char *what, Str text, bool ok, int64_t got, Str expected)
{
    int64_t want = 0;
    bool readable = str_to_i64(expected, &want);
    if (ok == readable && (!ok || got == want))
        return 0;
    print_error("%s of '%s': got %s%lld, Spark says %s\n", what, text.ptr, ok ? "" : "refused ", (long long)got,
                expected.ptr);
    return 1;
}

static void reads_as_spark(void **state)
{
    AUTO_ARENA a = arena_new();
    Str c[RECORDED_COLUMNS];
    int wrong = 0, rows = 0;
    FILE *in = recorded_open("datetime_recorded.tsv");
    assert_non_null(in);
    for (; recorded_next(in, c, a); rows++) {
        int64_t v = 0;
        bool ok = date_parse(c[0], &v);
        wrong += expect("date", c[0], ok, v, c[1]);
        ok = timestamp_parse(c[0], S("America/Los_Angeles"), &v);
        if (str_is(c[2], "T"))
            wrong += !ok;
        else
            wrong += expect("timestamp", c[0], ok, v, c[2]);
        ok = timestamp_ntz_parse(c[0], true, &v);
        wrong += expect("timestamp_ntz", c[0], ok, v, c[3]);
        ok = timestamp_ntz_parse(c[0], false, &v);
        wrong += expect("strict timestamp_ntz", c[0], ok, v, c[4]);
        ok = time_parse(c[0], &v);
        wrong += expect("time", c[0], ok, v, c[5]);
    }
    fclose(in);
    assert_true(rows > 500);
    assert_int_equal(wrong, 0);
}

static void calendar_turns_round(void **state)
{
    for (int64_t days = -110000000; days < 110000000; days += 997) {
        int64_t year;
        unsigned month, day;
        date_to_civil(days, &year, &month, &day);
        assert_int_equal(date_from_civil(year, month, day), days);
    }
    assert_int_equal(date_from_civil(1970, 1, 1), 0);
    assert_int_equal(date_from_civil(2000, 2, 29), 11016);
}

static void prints_as_spark(void **state)
{
    AUTO_ARENA a = arena_new();
    Str la = S("America/Los_Angeles");
    assert_string_equal(date_text(2932897, a).ptr, "+10000-01-01");
    assert_string_equal(date_text(-800000, a).ptr, "-0221-09-04");
    assert_string_equal(timestamp_text(INT64_C(-70000000000000000), la, a).ptr, "-0249-10-15 11:40:22");
    assert_string_equal(timestamp_text(INT64_C(253402300800000000), la, a).ptr, "9999-12-31 16:00:00");
    assert_string_equal(timestamp_ntz_text(120000, a).ptr, "1970-01-01 00:00:00.12");
    assert_string_equal(timestamp_ntz_text(-1, a).ptr, "1969-12-31 23:59:59.999999");
    assert_string_equal(timestamp_text(INT64_MAX, S("+14:00"), a).ptr, "+294247-01-10 18:00:54.775807");
    assert_string_equal(timestamp_text(INT64_MIN, S("-14:00"), a).ptr, "-290308-12-21 05:59:05.224192");
    assert_string_equal(time_text(INT64_C(45000500000), a).ptr, "12:30:00.5");
}

static void zones(void **state)
{
    static const struct { const char *zone; int64_t utc; int64_t offset; } rows[] = {
        {"America/Los_Angeles", 1720000000, -25200}, {"America/Los_Angeles", 1700000000 + 86400 * 30, -28800},
        {"Europe/London", 4102444800, 0},            {"Europe/London", 4118000000, 3600},
        {"Asia/Kolkata", 0, 19800},                  {"Australia/Lord_Howe", 4102444800, 39600},
        {"UTC", 0, 0},                               {"GMT+8", 0, 28800},
        {"+08:30:15", 0, 30615},                     {"Z", 0, 0},
        {"UT-3", 0, -10800},                         {"PST", 1720000000, -25200},
        {"EST", 1720000000, -18000},                 {"+9", 0, 32400},
        {"-1:5", 0, -3900},                          {"Africa/Casablanca", 4102444800, 3600},
        {"America/Nuuk", 4102444800, -7200},         {"Etc/GMT+5", 0, -18000},
    };
    static const char *const unknown[] = {"", "Foo/Bar", "../etc/passwd", "America/../UTC", "utc+99", "+19:00",
                                          "right/UTC", "zone.tab", "America", "/UTC", "America//New_York"};
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        assert_true(zone_is_known(str_from(rows[i].zone)));
        if (zone_offset_at(str_from(rows[i].zone), rows[i].utc * US_PER_SECOND) != rows[i].offset)
            fail_msg("%s", rows[i].zone);
    }
    for (size_t i = 0; i < LENGTH_OF(unknown); i++)
        if (zone_is_known(str_from(unknown[i])))
            fail_msg("%s", unknown[i]);
}

static int64_t utc_of(const char *zone, const char *local)
{
    int64_t us;
    assert_true(timestamp_ntz_parse(str_from(local), false, &us));
    return zone_to_utc(str_from(zone), us) / US_PER_SECOND;
}

/* Values from java.time.ZonedDateTime.of. */
static void gaps_and_overlaps(void **state)
{
    assert_int_equal(utc_of("America/Los_Angeles", "2015-03-08 02:30:00"), 1425810600);
    assert_int_equal(utc_of("America/Los_Angeles", "2015-03-08 01:59:59"), 1425808799);
    assert_int_equal(utc_of("America/Los_Angeles", "2015-11-01 01:30:00"), 1446366600);
    assert_int_equal(utc_of("America/Los_Angeles", "2015-11-01 02:00:00"), 1446372000);
    assert_int_equal(utc_of("Pacific/Apia", "2011-12-30 12:00:00"), 1325282400);
    assert_int_equal(utc_of("America/New_York", "2090-07-01 00:00:00"), 3802564800);
}

static int64_t noon(void *self)
{
    return INT64_C(1700000000) * US_PER_SECOND;
}

static void a_lone_time_is_todays(void **state)
{
    Clock clock = {noon, NULL, NULL};
    int64_t us;
    clock_install(&clock);
    assert_true(timestamp_parse(S("10:00:00"), S("Asia/Tokyo"), &us));
    clock_install(NULL);
    assert_int_equal(us / US_PER_SECOND, 1700010000); /* 2023-11-15 there */
}

static void intervals_print(void **state)
{
    AUTO_ARENA a = arena_new();
    const int64_t hour = 3600 * US_PER_SECOND;
    assert_string_equal(interval_ym_text(14, UNIT_YEAR, UNIT_MONTH, a).ptr, "INTERVAL '1-2' YEAR TO MONTH");
    assert_string_equal(interval_ym_text(-14, UNIT_MONTH, UNIT_MONTH, a).ptr, "INTERVAL '-14' MONTH");
    assert_string_equal(interval_ym_text(-36, UNIT_YEAR, UNIT_YEAR, a).ptr, "INTERVAL '-3' YEAR");
    assert_string_equal(interval_dt_text(INT64_C(93784500000), UNIT_DAY, UNIT_SECOND, a).ptr,
                        "INTERVAL '1 02:03:04.5' DAY TO SECOND");
    assert_string_equal(interval_dt_text(INT64_MIN, UNIT_DAY, UNIT_SECOND, a).ptr,
                        "INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND");
    assert_string_equal(interval_dt_text(5 * hour, UNIT_HOUR, UNIT_HOUR, a).ptr, "INTERVAL '05' HOUR");
    assert_string_equal(interval_dt_text(100 * hour + 300 * US_PER_SECOND, UNIT_HOUR, UNIT_MINUTE, a).ptr,
                        "INTERVAL '100:05' HOUR TO MINUTE");
    assert_string_equal(interval_dt_text(-5500000, UNIT_SECOND, UNIT_SECOND, a).ptr, "INTERVAL '-05.5' SECOND");
    assert_string_equal(interval_calendar_text(14, 25, 5 * hour + 367500000, a).ptr,
                        "1 years 2 months 25 days 5 hours 6 minutes 7.5 seconds");
    assert_string_equal(interval_calendar_text(-14, -25, -500000, a).ptr,
                        "-1 years -2 months -25 days -0.5 seconds");
    assert_string_equal(interval_calendar_text(0, 0, 0, a).ptr, "0 seconds");
}

static void intervals_parse(void **state)
{
    int64_t v;
    int32_t months, days;
    assert_true(interval_ym_parse(S("1-2"), UNIT_YEAR, UNIT_MONTH, &v) && v == 14);
    assert_true(interval_ym_parse(S("INTERVAL '-1-2' YEAR TO MONTH"), UNIT_YEAR, UNIT_MONTH, &v) && v == -14);
    assert_true(interval_ym_parse(S(" interval -'5' year "), UNIT_YEAR, UNIT_YEAR, &v) && v == -60);
    assert_false(interval_ym_parse(S("1-12"), UNIT_YEAR, UNIT_MONTH, &v));
    assert_false(interval_ym_parse(S("INTERVAL '1' MONTH"), UNIT_YEAR, UNIT_YEAR, &v));
    assert_true(interval_dt_parse(S("3 04:05:06.7"), UNIT_DAY, UNIT_SECOND, &v) && v == INT64_C(273906700000));
    assert_true(interval_dt_parse(S("-106751991 04:00:54.775808"), UNIT_DAY, UNIT_SECOND, &v) && v == INT64_MIN);
    assert_false(interval_dt_parse(S("106751991 04:00:54.775808"), UNIT_DAY, UNIT_SECOND, &v));
    assert_true(interval_dt_parse(S("INTERVAL '5' HOUR"), UNIT_HOUR, UNIT_HOUR, &v) && v == INT64_C(18000000000));
    assert_false(interval_dt_parse(S("3 24:00:00"), UNIT_DAY, UNIT_SECOND, &v));
    assert_true(interval_calendar_parse(S("interval 1 year -2 days 3.5 seconds"), &months, &days, &v));
    assert_true(months == 12 && days == -2 && v == 3500000);
    assert_true(interval_calendar_parse(S("2 weeks 1 hour"), &months, &days, &v) && days == 14);
    assert_false(interval_calendar_parse(S("1.5 days"), &months, &days, &v));
    assert_false(interval_calendar_parse(S("interval"), &months, &days, &v));
    assert_false(interval_calendar_parse(S("1 fortnight"), &months, &days, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_spark),     cmocka_unit_test(calendar_turns_round),
        cmocka_unit_test(prints_as_spark),    cmocka_unit_test(zones),
        cmocka_unit_test(gaps_and_overlaps),  cmocka_unit_test(a_lone_time_is_todays),
        cmocka_unit_test(intervals_print),    cmocka_unit_test(intervals_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
