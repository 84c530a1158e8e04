/* Dates, timestamps and intervals: arithmetic in a time zone, truncation, construction from parts.
 */
#include "func/native_impl.h"

#include <math.h>

#include "func/date_pattern.h"
#include "type/coerce.h"
#include "type/datetime.h"

#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (3600 * US_PER_SECOND)

/* ---- what a chunk looks up once ---- */

typedef struct ChunkZone {
    Str name;
    const Zone *zone;
} ChunkZone;

typedef struct Chunk {
    ChunkZone zones[4];
    unsigned next;
    Str pattern;
    const DatePattern *compiled;
} Chunk;

static Chunk *chunk_of(Native *n) {
    if (!n->chunk)
        n->chunk = ARENA_NEW(n->arena, Chunk);
    return n->chunk;
}

static bool zone_named(Native *n, Str name, const Zone **out) {
    Chunk *c = chunk_of(n);
    for (size_t i = 0; i < LENGTH_OF(c->zones); i++)
        if (c->zones[i].zone && str_eq(c->zones[i].name, name)) {
            *out = c->zones[i].zone;
            return true;
        }
    *out = zone_find(name);
    if (!*out)
        return NATIVE_FAIL(n, ERR_INVALID_TIMEZONE, P("timeZone", name));
    c->zones[c->next++ % LENGTH_OF(c->zones)] = (ChunkZone){str_copy(name, n->arena), *out};
    return true;
}

static bool zone_at(Native *n, size_t arg, idx_t row, const Zone **out) {
    return zone_named(n, native_str(n, arg, row), out);
}

static bool pattern_at(Native *n, size_t arg, idx_t row, bool parsing, const DatePattern **out) {
    Chunk *c = chunk_of(n);
    Str text = native_str(n, arg, row);
    if (!c->compiled || !str_eq(c->pattern, text)) {
        Error err = error_in(n->arena);
        c->pattern = str_copy(text, n->arena);
        if (!date_pattern_compile(c->pattern, parsing, n->arena, &c->compiled, &err))
            return native_fail_with(n, &err);
    }
    *out = c->compiled;
    return true;
}

static int64_t to_local(const Zone *zone, int64_t us) {
    return us + (zone ? zone_offset_of(zone, us) * US_PER_SECOND : 0);
}

static int64_t to_utc(const Zone *zone, int64_t local) {
    return zone ? zone_utc_of(zone, local) : local;
}

/* ---- errors ---- */

static bool overflow(Native *n) {
    return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "long overflow"),
                       PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
}

static bool interval_overflow(Native *n) {
    return NATIVE_FAIL(n, ERR_INTERVAL_ARITHMETIC_OVERFLOW__WITHOUT_SUGGESTION);
}

static bool out_of_bounds(Native *n, Str problem) {
    return NATIVE_FAIL(n, ERR_DATETIME_FIELD_OUT_OF_BOUNDS__WITH_SUGGESTION,
                       P("rangeMessage", problem), PZ("ansiConfig", "\"spark.sql.ansi.enabled\""));
}

/* ---- months ---- */

/* The day stays, or becomes the month's last one. */
static int64_t add_months(int64_t days, int64_t months) {
    int64_t year;
    unsigned month, day;
    date_to_civil(days, &year, &month, &day);
    int64_t total = year * 12 + (int64_t)month - 1 + months;
    year = floor_div(total, 12);
    month = (unsigned)(total - year * 12) + 1;
    unsigned last = date_days_in_month(year, month);
    return date_from_civil(year, month, day < last ? day : last);
}

static bool set_date(Native *n, idx_t row, int64_t days) {
    if (days > INT32_MAX || days < INT32_MIN)
        return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "integer overflow"),
                           PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
    return native_set_i32(n, row, (int32_t)days);
}

/* variant: the sign of what is added */
static bool row_date_add(Native *n, idx_t row) {
    uint32_t days = (uint32_t)native_i32(n, 0, row), by = (uint32_t)native_i32(n, 1, row);
    return native_set_i32(
        n, row,
        (int32_t)(n->function->variant > 0 ? days + by : days - by)); /* wraps as Java's int */
}

static bool row_date_add_months(Native *n, idx_t row) {
    return set_date(
        n, row,
        add_months(native_i32(n, 0, row), (int64_t)native_i32(n, 1, row) * n->function->variant));
}

static bool row_date_add_interval(Native *n, idx_t row) {
    duckdb_interval i = native_interval(n, 1, row);
    int sign = n->function->variant;
    bool ansi = native_bool(n, 2, row);
    if (i.micros && ansi)
        return NATIVE_FAIL(n, ERR_INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION);
    int64_t days =
        add_months(native_i32(n, 0, row), (int64_t)i.months * sign) + (int64_t)i.days * sign;
    return set_date(n, row, days + floor_div(i.micros * sign, US_PER_DAY));
}

/* ---- timestamps and intervals: (us, interval, [zone]) ---- */

static bool arg_zone(Native *n, size_t arg, idx_t row, const Zone **zone) {
    *zone = NULL;
    return n->argc <= arg || zone_at(n, arg, row, zone);
}

static bool local_plus(int64_t local, int64_t months, int64_t days, int64_t *out) {
    int64_t day = floor_div(local, US_PER_DAY), rest = local - day * US_PER_DAY;
    day = (months ? add_months(day, months) : day) + days;
    int64_t whole;
    return !__builtin_mul_overflow(day, US_PER_DAY, &whole) &&
           !__builtin_add_overflow(whole, rest, out);
}

static bool set_shifted(Native *n, idx_t row, int64_t us, int64_t months, int64_t days,
                        int64_t micros, const Zone *zone) {
    int64_t out = us;
    if (months || days) {
        if (!local_plus(to_local(zone, us), months, days, &out))
            return overflow(n);
        out = to_utc(zone, out);
    }
    if (__builtin_add_overflow(out, micros, &out))
        return overflow(n);
    return native_set_i64(n, row, out);
}

static bool row_plus_months(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 2, row, &zone));
    return set_shifted(n, row, native_i64(n, 0, row),
                       (int64_t)native_i32(n, 1, row) * n->function->variant, 0, 0, zone);
}

/* Whole days pass on the wall clock, the rest in real time. */
static bool row_plus_time(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 2, row, &zone));
    int64_t i = native_i64(n, 1, row);
    int sign = n->function->variant;
    return set_shifted(n, row, native_i64(n, 0, row), 0, i / US_PER_DAY * sign,
                       i % US_PER_DAY * sign, zone);
}

static bool row_plus_interval(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 2, row, &zone));
    duckdb_interval i = native_interval(n, 1, row);
    int64_t sign = n->function->variant;
    return set_shifted(n, row, native_i64(n, 0, row), i.months * sign, i.days * sign,
                       i.micros * sign, zone);
}

static bool row_subtract_timestamps(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 2, row, &zone));
    int64_t out;
    if (__builtin_sub_overflow(to_local(zone, native_i64(n, 0, row)),
                               to_local(zone, native_i64(n, 1, row)), &out))
        return overflow(n);
    return native_set_i64(n, row, out);
}

/* ---- units ---- */

typedef enum Unit {
    U_NONE,
    U_MICROSECOND,
    U_MILLISECOND,
    U_SECOND,
    U_MINUTE,
    U_HOUR,
    U_DAY,
    U_WEEK,
    U_MONTH,
    U_QUARTER,
    U_YEAR,
    U_DECADE,
    U_CENTURY,
    U_MILLENNIUM
} Unit;

typedef struct UnitName {
    const char *name;
    Unit unit;
} UnitName;

static Unit unit_in(const UnitName *names, size_t count, Str text) {
    for (size_t i = 0; i < count; i++)
        if (str_is_ci(text, names[i].name))
            return names[i].unit;
    return U_NONE;
}

static const UnitName ADD_UNITS[] = {
    {"MICROSECOND", U_MICROSECOND},
    {"MILLISECOND", U_MILLISECOND},
    {"SECOND", U_SECOND},
    {"MINUTE", U_MINUTE},
    {"HOUR", U_HOUR},
    {"DAY", U_DAY},
    {"DAYOFYEAR", U_DAY},
    {"WEEK", U_WEEK},
    {"MONTH", U_MONTH},
    {"QUARTER", U_QUARTER},
    {"YEAR", U_YEAR},
};

static const UnitName TRUNC_UNITS[] = {
    {"MICROSECOND", U_MICROSECOND},
    {"MILLISECOND", U_MILLISECOND},
    {"SECOND", U_SECOND},
    {"MINUTE", U_MINUTE},
    {"HOUR", U_HOUR},
    {"DAY", U_DAY},
    {"DD", U_DAY},
    {"WEEK", U_WEEK},
    {"MON", U_MONTH},
    {"MONTH", U_MONTH},
    {"MM", U_MONTH},
    {"QUARTER", U_QUARTER},
    {"YEAR", U_YEAR},
    {"YYYY", U_YEAR},
    {"YY", U_YEAR},
};

static int64_t unit_micros(Unit u) {
    switch (u) {
    case U_MICROSECOND:
        return 1;
    case U_MILLISECOND:
        return 1000;
    case U_SECOND:
        return US_PER_SECOND;
    case U_MINUTE:
        return US_PER_MINUTE;
    case U_HOUR:
        return US_PER_HOUR;
    case U_DAY:
        return US_PER_DAY;
    default:
        return 7 * US_PER_DAY;
    }
}

static int unit_months(Unit u) {
    return u == U_YEAR ? 12 : u == U_QUARTER ? 3 : u == U_MONTH ? 1 : 0;
}

static bool bad_unit(Native *n, const char *function, Str unit) {
    return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__DATETIME_UNIT,
                       P("functionName", str_printf(n->arena, "`%s`", function)),
                       PZ("parameter", "`unit`"),
                       P("invalidValue", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(unit))));
}

/* (unit, quantity, us, [zone]) */
static bool row_timestamp_add(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 3, row, &zone));
    Unit u = unit_in(ADD_UNITS, LENGTH_OF(ADD_UNITS), native_str(n, 0, row));
    int64_t by = native_i64(n, 1, row), us = native_i64(n, 2, row), amount;
    if (!u)
        return bad_unit(n, "TIMESTAMPADD", native_str(n, 0, row));
    bool by_days = u == U_DAY || u == U_WEEK;
    int64_t factor = unit_months(u) ? unit_months(u)
                     : by_days      ? (u == U_WEEK ? 7 : 1)
                                    : unit_micros(u);
    bool fits = !__builtin_mul_overflow(by, factor, &amount) &&
                (!unit_months(u) || (amount >= INT32_MIN && amount <= INT32_MAX));
    if (!fits)
        return NATIVE_FAIL(
            n, ERR_DATETIME_OVERFLOW,
            P("operation", str_printf(n->arena, "add %lld " STR_FMT " to a timestamp",
                                      (long long)by, STR_ARG(native_str(n, 0, row)))));
    return set_shifted(n, row, us, unit_months(u) ? amount : 0, by_days ? amount : 0,
                       unit_months(u) || by_days ? 0 : amount, zone);
}

/* Whole units between two wall-clock readings, towards zero. */
static int64_t units_between(Unit u, int64_t from, int64_t to) {
    if (!unit_months(u))
        return (to - from) / unit_micros(u);
    int64_t y1, y2, d1 = floor_div(from, US_PER_DAY), d2 = floor_div(to, US_PER_DAY);
    unsigned m1, m2, day1, day2;
    date_to_civil(d1, &y1, &m1, &day1);
    date_to_civil(d2, &y2, &m2, &day2);
    int64_t months = (y2 - y1) * 12 + (int64_t)m2 - (int64_t)m1;
    int64_t rest =
        ((int64_t)day2 - day1) * US_PER_DAY + (to - d2 * US_PER_DAY) - (from - d1 * US_PER_DAY);
    if (months > 0 && rest < 0)
        months--;
    else if (months < 0 && rest > 0)
        months++;
    return months / unit_months(u);
}

/* (unit, from, to, zone) */
static bool row_timestamp_diff(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 3, row, &zone));
    Unit u = unit_in(ADD_UNITS, LENGTH_OF(ADD_UNITS), native_str(n, 0, row));
    if (!u)
        return bad_unit(n, "TIMESTAMPDIFF", native_str(n, 0, row));
    int64_t from = native_i64(n, 1, row), to = native_i64(n, 2, row);
    if (u >= U_DAY) {
        from = to_local(zone, from);
        to = to_local(zone, to);
    }
    return native_set_i64(n, row, units_between(u, from, to));
}

/* ---- truncation ---- */

static int64_t trunc_days(int64_t days, Unit u) {
    if (u == U_WEEK)
        return days - ((days + 3) % 7 + 7) % 7;
    int64_t year;
    unsigned month, day;
    date_to_civil(days, &year, &month, &day);
    if (u == U_QUARTER)
        month = (month - 1) / 3 * 3 + 1;
    return u == U_DAY ? days : date_from_civil(year, u == U_YEAR ? 1 : month, 1);
}

/* (date, unit): NULL for other units, as Spark */
static bool row_trunc(Native *n, idx_t row) {
    Unit u = unit_in(TRUNC_UNITS, LENGTH_OF(TRUNC_UNITS), native_str(n, 1, row));
    if (u < U_WEEK)
        return native_set_null(n, row);
    return native_set_i32(n, row, (int32_t)trunc_days(native_i32(n, 0, row), u));
}

/* (unit, us, zone) */
static bool row_date_trunc(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 2, row, &zone));
    Unit u = unit_in(TRUNC_UNITS, LENGTH_OF(TRUNC_UNITS), native_str(n, 0, row));
    int64_t us = native_i64(n, 1, row);
    if (!u)
        return native_set_null(n, row);
    if (u <= U_SECOND)
        return native_set_i64(n, row, floor_div(us, unit_micros(u)) * unit_micros(u));
    int64_t local = to_local(zone, us), shift = local - us;
    if (u == U_MINUTE || u == U_HOUR) /* the offset stays: no ambiguity in an overlap */
        return native_set_i64(n, row, floor_div(local, unit_micros(u)) * unit_micros(u) - shift);
    return native_set_i64(n, row,
                          to_utc(zone, trunc_days(floor_div(local, US_PER_DAY), u) * US_PER_DAY));
}

/* ---- calendars ---- */

static const char *const DAY_NAMES[] = {"SU", "SUN", "SUNDAY",   "MO", "MON", "MONDAY",
                                        "TU", "TUE", "TUESDAY",  "WE", "WED", "WEDNESDAY",
                                        "TH", "THU", "THURSDAY", "FR", "FRI", "FRIDAY",
                                        "SA", "SAT", "SATURDAY"};

/* (date, day name, ansi) */
static bool row_next_day(Native *n, idx_t row) {
    Str name = native_str(n, 1, row);
    for (size_t i = 0; i < LENGTH_OF(DAY_NAMES); i++)
        if (str_is_ci(name, DAY_NAMES[i])) {
            int64_t days = native_i32(n, 0, row),
                    want = (int64_t)(i / 3); /* 0: Sunday; 1970-01-01 was a Thursday */
            int64_t have = ((days + 4) % 7 + 7) % 7;
            return set_date(n, row, days + ((want - have + 6) % 7 + 7) % 7 + 1);
        }
    return native_bool(n, 2, row) ? NATIVE_FAIL(n, ERR_ILLEGAL_DAY_OF_WEEK, P("string", name))
                                  : native_set_null(n, row);
}

/* (later, earlier, round, zone) */
static bool row_months_between(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 3, row, &zone));
    int64_t a = to_local(zone, native_i64(n, 0, row)), b = to_local(zone, native_i64(n, 1, row)),
            ya, yb;
    unsigned ma, mb, da, db;
    int64_t day_a = floor_div(a, US_PER_DAY), day_b = floor_div(b, US_PER_DAY);
    date_to_civil(day_a, &ya, &ma, &da);
    date_to_civil(day_b, &yb, &mb, &db);
    double months = (double)((ya - yb) * 12 + (int64_t)ma - (int64_t)mb);
    bool both_last = da == date_days_in_month(ya, ma) && db == date_days_in_month(yb, mb);
    if (da == db || both_last)
        return native_set_f64(n, row, months);
    int64_t seconds = floor_div(a - day_a * US_PER_DAY, US_PER_SECOND) -
                      floor_div(b - day_b * US_PER_DAY, US_PER_SECOND);
    double diff = months + (double)(((int64_t)da - (int64_t)db) * 86400 + seconds) / (31.0 * 86400);
    return native_set_f64(n, row, native_bool(n, 2, row) ? round(diff * 1e8) / 1e8 : diff);
}

/* variant: microseconds of a unit */
static bool row_epoch(Native *n, idx_t row) {
    return native_set_i64(n, row, floor_div(native_i64(n, 0, row), n->function->variant));
}

static bool row_from_epoch(Native *n, idx_t row) {
    int64_t us;
    if (__builtin_mul_overflow(native_i64(n, 0, row), (int64_t)n->function->variant, &us))
        return overflow(n);
    return native_set_i64(n, row, us);
}

/* Seconds as any number: decimals exactly, NaN and infinities NULL. */
static bool row_timestamp_seconds(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT)) {
        double d = native_double_at(v, row, n->arena);
        if (isnan(d) || isinf(d))
            return native_set_null(n, row);
        d *= 1e6;
        return native_set_i64(n, row,
                              d >= 9.2233720368547758e18    ? INT64_MAX
                              : d <= -9.2233720368547758e18 ? INT64_MIN
                                                            : (int64_t)d);
    }
    __int128 u = native_integer_at(v, row);
    int scale = v->type == DUCKDB_TYPE_DECIMAL ? v->scale : 0;
    for (; scale > 6; scale--) {
        if (u % 10)
            return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "Rounding necessary"),
                               PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
        u /= 10;
    }
    for (; scale < 6; scale++)
        if (__builtin_mul_overflow(u, (__int128)10, &u))
            return overflow(n);
    if (u > INT64_MAX || u < INT64_MIN)
        return overflow(n);
    return native_set_i64(n, row, (int64_t)u);
}

/* (us, zone); variant 0: from UTC, 1: to UTC */
static bool row_shift_zone(Native *n, idx_t row) {
    const Zone *zone;
    TRY(zone_at(n, 1, row, &zone));
    int64_t us = native_i64(n, 0, row);
    return native_set_i64(n, row, n->function->variant ? to_utc(zone, us) : to_local(zone, us));
}

/* (from zone, to zone, wall clock) */
static bool row_convert_timezone(Native *n, idx_t row) {
    const Zone *from, *to;
    TRY(zone_at(n, 0, row, &from));
    TRY(zone_at(n, 1, row, &to));
    return native_set_i64(n, row, to_local(to, to_utc(from, native_i64(n, 2, row))));
}

/* ---- texts ---- */

/* (us, pattern, zone) */
static bool row_date_format(Native *n, idx_t row) {
    const Zone *zone;
    const DatePattern *p;
    TRY(zone_at(n, 2, row, &zone));
    TRY(pattern_at(n, 1, row, false, &p));
    Error err = error_in(n->arena);
    if (!date_pattern_format(p, native_i64(n, 0, row), zone, &n->scratch, &err))
        return native_fail_with(n, &err);
    return native_set_scratch(n, row);
}

/* (text, pattern, mode, zone); mode 0: NULL when malformed, 1 and 2: an error that names
 * try_to_timestamp, try_to_date. variant 1: the wall clock, a zone in the text is dropped. */
static bool row_parse(Native *n, idx_t row) {
    const Zone *zone;
    const DatePattern *p;
    int mode = native_i32(n, 2, row);
    TRY(zone_at(n, 3, row, &zone));
    TRY(pattern_at(n, 1, row, true, &p));
    DateParsed d;
    Str problem;
    if (!date_pattern_parse(p, native_str(n, 0, row), n->arena, &d, &problem)) {
        if (!mode)
            return native_set_null(n, row);
        return NATIVE_FAIL(n, ERR_CANNOT_PARSE_TIMESTAMP, P("message", problem),
                           PZ("func", mode == 2 ? "`try_to_date`" : "`try_to_timestamp`"));
    }
    if (n->function->variant)
        return native_set_i64(n, row, d.local_us);
    return native_set_i64(n, row,
                          d.zone       ? to_utc(d.zone, d.local_us)
                          : d.has_zone ? d.local_us - d.offset * US_PER_SECOND
                                       : to_utc(zone, d.local_us));
}

/* (text, pattern or '', fail) */
static bool row_parse_time(Native *n, idx_t row) {
    Str text = native_str(n, 0, row), pattern = native_str(n, 1, row);
    int64_t us = 0;
    bool ok;
    if (!pattern.len) {
        ok = time_parse(text, &us);
    } else {
        const DatePattern *p;
        DateParsed d;
        Str problem;
        TRY(pattern_at(n, 1, row, true, &p));
        ok = date_pattern_parse(p, text, n->arena, &d, &problem);
        if (ok)
            us = d.local_us - floor_div(d.local_us, US_PER_DAY) * US_PER_DAY;
    }
    if (ok)
        return native_set_i64(n, row, us);
    if (!native_bool(n, 2, row))
        return native_set_null(n, row);
    return NATIVE_FAIL(
        n, ERR_CANNOT_PARSE_TIME, P("input", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(text))),
        P("format", pattern.len ? str_printf(n->arena, "'" STR_FMT "'", STR_ARG(pattern))
                                : S("'HH:mm:ss.SSSSSS'")));
}

/* ---- from parts ---- */

/* (year, month, day, fail) */
static bool row_make_date(Native *n, idx_t row) {
    int64_t y = native_i32(n, 0, row), m = native_i32(n, 1, row), d = native_i32(n, 2, row);
    Str problem = date_problem(y, m, d, n->arena);
    if (problem.len)
        return native_bool(n, 3, row) ? out_of_bounds(n, problem) : native_set_null(n, row);
    int64_t days = date_from_civil(y, (unsigned)m, (unsigned)d);
    if (days > INT32_MAX || days < INT32_MIN)
        return native_bool(n, 3, row) ? set_date(n, row, days) : native_set_null(n, row);
    return native_set_i32(n, row, (int32_t)days);
}

/* What is wrong with an hour, minute and whole second; empty when nothing is. */
static Str clock_problem(int64_t h, int64_t m, int64_t s, Arena *arena) {
    return h < 0 || h > 23   ? date_range_problem("HourOfDay", 0, 23, h, arena)
           : m < 0 || m > 59 ? date_range_problem("MinuteOfHour", 0, 59, m, arena)
           : s < 0 || s > 59 ? date_range_problem("SecondOfMinute", 0, 59, s, arena)
                             : (Str){0};
}

static bool bad_fraction(Native *n, int64_t micros) {
    Str text = str_printf(n->arena, "%lld.%06lld", (long long)(micros / US_PER_SECOND),
                          (long long)(micros % US_PER_SECOND));
    while (text.len && text.ptr[text.len - 1] == '0')
        text.len--;
    return NATIVE_FAIL(n, ERR_INVALID_FRACTION_OF_SECOND, P("secAndMicros", text));
}

/* (year, month, day, hour, minute, seconds, fail, [zone]) */
static bool row_make_timestamp(Native *n, idx_t row) {
    const Zone *zone;
    bool trying = !native_bool(n, 6, row);
    TRY(arg_zone(n, 7, row, &zone));
    int64_t y = native_i32(n, 0, row), month = native_i32(n, 1, row), d = native_i32(n, 2, row);
    int64_t h = native_i32(n, 3, row), m = native_i32(n, 4, row),
            s = (int64_t)native_integer_at(&n->args[5], row);
    int64_t second = floor_div(s, US_PER_SECOND);
    Str problem = clock_problem(h, m, second == 60 ? 0 : second, n->arena);
    if (!problem.len && second == 60 && s != 60 * US_PER_SECOND)
        return trying ? native_set_null(n, row) : bad_fraction(n, s);
    if (!problem.len)
        problem = date_problem(y, month, d, n->arena);
    if (problem.len)
        return trying ? native_set_null(n, row) : out_of_bounds(n, problem);
    int64_t whole, local;
    if (__builtin_mul_overflow(date_from_civil(y, (unsigned)month, (unsigned)d), US_PER_DAY,
                               &whole) ||
        __builtin_add_overflow(whole, h * US_PER_HOUR + m * US_PER_MINUTE + s, &local))
        return trying ? native_set_null(n, row) : overflow(n);
    return native_set_i64(n, row, to_utc(zone, local));
}

/* (date, time, [zone]) */
static bool row_combine(Native *n, idx_t row) {
    const Zone *zone;
    TRY(arg_zone(n, 2, row, &zone));
    int64_t whole, local;
    if (__builtin_mul_overflow((int64_t)native_i32(n, 0, row), US_PER_DAY, &whole) ||
        __builtin_add_overflow(whole, native_i64(n, 1, row), &local))
        return overflow(n);
    return native_set_i64(n, row, to_utc(zone, local));
}

static bool row_make_time(Native *n, idx_t row) {
    int64_t h = native_i32(n, 0, row), m = native_i32(n, 1, row),
            s = (int64_t)native_integer_at(&n->args[2], row);
    Str problem = clock_problem(h, m, floor_div(s, US_PER_SECOND), n->arena);
    if (problem.len)
        return NATIVE_FAIL(n, ERR_DATETIME_FIELD_OUT_OF_BOUNDS__WITHOUT_SUGGESTION,
                           P("rangeMessage", problem));
    return native_set_i64(n, row, h * US_PER_HOUR + m * US_PER_MINUTE + s);
}

/* (years, months, weeks, days, hours, minutes, seconds with 6 decimals, fail) */
static bool row_make_interval(Native *n, idx_t row) {
    bool fail = native_bool(n, 7, row);
    int64_t months = (int64_t)native_i32(n, 0, row) * 12 + native_i32(n, 1, row);
    int64_t days = (int64_t)native_i32(n, 2, row) * 7 + native_i32(n, 3, row);
    int64_t us = (int64_t)native_integer_at(&n->args[6], row);
    bool bad = months > INT32_MAX || months < INT32_MIN || days > INT32_MAX || days < INT32_MIN ||
               __builtin_add_overflow(us, native_i32(n, 4, row) * US_PER_HOUR, &us) ||
               __builtin_add_overflow(us, native_i32(n, 5, row) * US_PER_MINUTE, &us);
    if (bad && fail)
        return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "overflow"),
                           PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
    if (bad)
        return native_set_null(n, row);
    ((duckdb_interval *)n->result)[row] = (duckdb_interval){(int32_t)months, (int32_t)days, us};
    return true;
}

static bool calendar_part(Native *n, double v, bool exact, int32_t *out) {
    if (v >= INT32_MIN && v <= INT32_MAX)
        *out = (int32_t)v;
    else if (exact)
        return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "overflow"),
                           PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
    else
        *out = isnan(v) ? 0 : v > 0 ? INT32_MAX : INT32_MIN;
    return true;
}

/* (interval, number, whether it divides, mode): what is left of a day goes into the microseconds. */
static bool row_calendar_scale(Native *n, idx_t row) {
    duckdb_interval in = native_interval(n, 0, row), out;
    double by = native_f64(n, 1, row);
    bool division = native_bool(n, 2, row);
    int mode = native_i32(n, 3, row);
    if (division && by == 0)
        return mode == CAST_ANSI ? NATIVE_FAIL(n, ERR_INTERVAL_DIVIDED_BY_ZERO,
                                               PZ("config", "\"spark.sql.ansi.enabled\""))
                                 : native_set_null(n, row);
    double months = division ? in.months / by : in.months * by;
    double days = division ? in.days / by : in.days * by;
    double us = division ? (double)in.micros / by : (double)in.micros * by;
    bool fits = fabs(months) < 2147483648.0 && fabs(days) < 2147483648.0 && fabs(us) < 9223372036854775807.0;
    if (mode == CAST_TRY && !fits)
        return native_set_null(n, row);
    if (!calendar_part(n, months, mode == CAST_ANSI, &out.months) ||
        !calendar_part(n, days, mode == CAST_ANSI, &out.days))
        return false;
    us = round(us + (double)US_PER_DAY * (days - out.days));
    out.micros = us >= 9223372036854775807.0 ? INT64_MAX : us <= -9223372036854775808.0 ? INT64_MIN : isnan(us) ? 0 : (int64_t)us;
    ((duckdb_interval *)n->result)[row] = out;
    return true;
}

/* (days, hours, minutes, seconds with 6 decimals) */
static bool row_make_dt_interval(Native *n, idx_t row) {
    int64_t us = (int64_t)native_integer_at(&n->args[3], row), days;
    if (__builtin_mul_overflow((int64_t)native_i32(n, 0, row), US_PER_DAY, &days) ||
        __builtin_add_overflow(us, days, &us) ||
        __builtin_add_overflow(us, native_i32(n, 1, row) * US_PER_HOUR, &us) ||
        __builtin_add_overflow(us, native_i32(n, 2, row) * US_PER_MINUTE, &us))
        return interval_overflow(n);
    return native_set_i64(n, row, us);
}

static bool row_make_ym_interval(Native *n, idx_t row) {
    int64_t months = (int64_t)native_i32(n, 0, row) * 12 + native_i32(n, 1, row);
    return months > INT32_MAX || months < INT32_MIN ? interval_overflow(n)
                                                    : native_set_i32(n, row, (int32_t)months);
}

/* A day-time interval's parts; variant 0 days, 1 hours, 2 minutes, 3 microseconds of the minute */
static bool row_interval_part(Native *n, idx_t row) {
    int64_t us = native_i64(n, 0, row);
    int v = n->function->variant;
    return native_set_i32(n, row,
                          (int32_t)(v == 0   ? us / US_PER_DAY
                                    : v == 1 ? us % US_PER_DAY / US_PER_HOUR
                                    : v == 2 ? us % US_PER_HOUR / US_PER_MINUTE
                                             : us % US_PER_MINUTE));
}

/* A calendar interval's parts; variant 0 months, 1 days with the hours' whole days, 2 microseconds
 * (as text of BIGINT) */
static bool row_calendar_part(Native *n, idx_t row) {
    duckdb_interval i = native_interval(n, 0, row);
    int v = n->function->variant;
    return native_set_i64(n, row,
                          v == 0   ? i.months
                          : v == 1 ? (int64_t)i.days + i.micros / US_PER_DAY
                                   : i.micros);
}

/* ---- TIME ---- */

static bool bad_time_unit(Native *n, const char *function, Str unit) {
    return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__TIME_UNIT,
                       P("functionName", str_printf(n->arena, "`%s`", function)),
                       PZ("parameter", "`unit`"),
                       P("invalidValue", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(unit))));
}

static bool row_time_trunc(Native *n, idx_t row) {
    Unit u = unit_in(ADD_UNITS, 5, native_str(n, 0, row));
    int64_t us = native_i64(n, 1, row);
    return u ? native_set_i64(n, row, us - us % unit_micros(u))
             : bad_time_unit(n, "time_trunc", native_str(n, 0, row));
}

static bool row_time_diff(Native *n, idx_t row) {
    Unit u = unit_in(ADD_UNITS, 5, native_str(n, 0, row));
    return u ? native_set_i64(n, row,
                              (native_i64(n, 2, row) - native_i64(n, 1, row)) / unit_micros(u))
             : bad_time_unit(n, "time_diff", native_str(n, 0, row));
}

/* Seconds, milliseconds or microseconds since midnight; variant: microseconds of one */
static bool row_time_from(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    __int128 us;
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT)) {
        double d = native_double_at(v, row, n->arena) * n->function->variant;
        us = isnan(d) || d > 1e30 || d < -1e30 ? -1 : (__int128)d;
    } else {
        us = native_integer_at(v, row) * n->function->variant;
        for (int s = v->type == DUCKDB_TYPE_DECIMAL ? v->scale : 0; s > 0; s--)
            us /= 10;
    }
    if (us >= 0 && us < US_PER_DAY)
        return native_set_i64(n, row, (int64_t)us);
    Str problem = str_printf(n->arena,
                             "Invalid TIME value: must be between 00:00:00 and 23:59:59.999999999, "
                             "but got %lld nanoseconds",
                             (long long)(us * 1000));
    return NATIVE_FAIL(n, ERR_DATETIME_FIELD_OUT_OF_BOUNDS__WITHOUT_SUGGESTION,
                       P("rangeMessage", problem));
}

/* (time, day-time interval, from unit, to unit); variant: the sign */
static bool row_time_plus(Native *n, idx_t row) {
    int64_t us = native_i64(n, 0, row), by = native_i64(n, 1, row), sum;
    if (!__builtin_add_overflow(us, by * n->function->variant, &sum) && sum >= 0 &&
        sum < US_PER_DAY)
        return native_set_i64(n, row, sum);
    Str interval = interval_dt_text(by, (IntervalUnit)native_i32(n, 2, row),
                                    (IntervalUnit)native_i32(n, 3, row), n->arena);
    bool plus = n->function->variant > 0;
    return NATIVE_FAIL(
        n, ERR_DATETIME_OVERFLOW,
        P("operation", str_printf(n->arena, "%s " STR_FMT " %s the time value TIME '" STR_FMT "'",
                                  plus ? "add" : "subtract", STR_ARG(interval),
                                  plus ? "to" : "from", STR_ARG(time_text(us, n->arena)))));
}

/* Cuts to `digits` decimals of a second. */
static bool row_time_precision(Native *n, idx_t row) {
    int64_t us = native_i64(n, 0, row), cut = 1;
    for (int i = native_i32(n, 1, row); i < 6; i++)
        cut *= 10;
    return native_set_i64(n, row, us - us % cut);
}

static bool row_time_micros(Native *n, idx_t row) {
    return native_set_i64(n, row, native_i64(n, 0, row) / n->function->variant);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_date_add", "D:D4", row_date_add, 0, 1},
    {"ls_date_sub", "D:D4", row_date_add, 0, -1},
    {"ls_date_add_months", "D:D4", row_date_add_months, 0, 1},
    {"ls_date_sub_months", "D:D4", row_date_add_months, 0, -1},
    {"ls_date_plus_interval", "D:Dvb", row_date_add_interval, 0, 1},
    {"ls_date_minus_interval", "D:Dvb", row_date_add_interval, 0, -1},
    {"ls_timestamp_plus_months", "z:z4s", row_plus_months, 0, 1},
    {"ls_timestamp_minus_months", "z:z4s", row_plus_months, 0, -1},
    {"ls_timestamp_plus_time", "z:z8s", row_plus_time, 0, 1},
    {"ls_timestamp_minus_time", "z:z8s", row_plus_time, 0, -1},
    {"ls_timestamp_plus_interval", "z:zvs", row_plus_interval, 0, 1},
    {"ls_timestamp_minus_interval", "z:zvs", row_plus_interval, 0, -1},
    {"ls_ntz_plus_months", "n:n4", row_plus_months, 0, 1},
    {"ls_ntz_minus_months", "n:n4", row_plus_months, 0, -1},
    {"ls_ntz_plus_time", "n:n8", row_plus_time, 0, 1},
    {"ls_ntz_minus_time", "n:n8", row_plus_time, 0, -1},
    {"ls_ntz_plus_interval", "n:nv", row_plus_interval, 0, 1},
    {"ls_ntz_minus_interval", "n:nv", row_plus_interval, 0, -1},
    {"ls_subtract_timestamps", "8:zzs", row_subtract_timestamps, 0, 0},
    {"ls_subtract_ntz", "8:nn", row_subtract_timestamps, 0, 0},
    {"ls_timestamp_add", "z:s8zs", row_timestamp_add, 0, 0},
    {"ls_ntz_add", "n:s8n", row_timestamp_add, 0, 0},
    {"ls_timestamp_diff", "8:szzs", row_timestamp_diff, 0, 0},
    {"ls_trunc", "D:Ds", row_trunc, 0, 0},
    {"ls_date_trunc", "z:szs", row_date_trunc, 0, 0},
    {"ls_next_day", "D:Dsb", row_next_day, 0, 0},
    {"ls_months_between", "d:zzbs", row_months_between, 0, 0},
    {"ls_epoch_seconds", "8:z", row_epoch, 0, 1000000},
    {"ls_epoch_seconds_ntz", "8:n", row_epoch, 0, 1000000},
    {"ls_epoch_millis", "8:z", row_epoch, 0, 1000},
    {"ls_epoch_micros", "8:z", row_epoch, 0, 1},
    {"ls_from_seconds", "z:8", row_from_epoch, 0, 1000000},
    {"ls_from_millis", "z:8", row_from_epoch, 0, 1000},
    {"ls_from_micros", "z:8", row_from_epoch, 0, 1},
    {"ls_timestamp_seconds", "z:?", row_timestamp_seconds, 0, 0},
    {"ls_from_utc", "z:zs", row_shift_zone, 0, 0},
    {"ls_to_utc", "z:zs", row_shift_zone, 0, 1},
    {"ls_convert_timezone", "n:ssn", row_convert_timezone, 0, 0},
    {"ls_date_format", "s:zss", row_date_format, 0, 0},
    {"ls_parse_timestamp", "z:ss4s", row_parse, 0, 0},
    {"ls_parse_ntz", "n:ss4s", row_parse, 0, 1},
    {"ls_parse_time", "T:ssb", row_parse_time, 0, 0},
    {"ls_make_date", "D:444b", row_make_date, 0, 0},
    {"ls_make_timestamp", "z:44444?bs", row_make_timestamp, 0, 0},
    {"ls_make_ntz", "n:44444?b", row_make_timestamp, 0, 0},
    {"ls_combine", "z:DTs", row_combine, 0, 0},
    {"ls_combine_ntz", "n:DT", row_combine, 0, 0},
    {"ls_make_time", "T:44?", row_make_time, 0, 0},
    {"ls_make_interval", "v:444444?b", row_make_interval, 0, 0},
    {"ls_make_dt_interval", "8:444?", row_make_dt_interval, 0, 0},
    {"ls_make_ym_interval", "4:44", row_make_ym_interval, 0, 0},
    {"ls_interval_days", "4:8", row_interval_part, 0, 0},
    {"ls_interval_hours", "4:8", row_interval_part, 0, 1},
    {"ls_interval_minutes", "4:8", row_interval_part, 0, 2},
    {"ls_interval_micros", "4:8", row_interval_part, 0, 3},
    {"ls_calendar_scale", "v:vdb4", row_calendar_scale, 0, 0},
    {"ls_calendar_months", "8:v", row_calendar_part, 0, 0},
    {"ls_calendar_days", "8:v", row_calendar_part, 0, 1},
    {"ls_calendar_micros", "8:v", row_calendar_part, 0, 2},
    {"ls_time_trunc", "T:sT", row_time_trunc, 0, 0},
    {"ls_time_diff", "8:sTT", row_time_diff, 0, 0},
    {"ls_time_from_seconds", "T:?", row_time_from, 0, 1000000},
    {"ls_time_from_millis", "T:?", row_time_from, 0, 1000},
    {"ls_time_from_micros", "T:?", row_time_from, 0, 1},
    {"ls_time_plus", "T:T844", row_time_plus, 0, 1},
    {"ls_time_minus", "T:T844", row_time_plus, 0, -1},
    {"ls_time_precision", "T:T4", row_time_precision, 0, 0},
    {"ls_time_micros", "8:T", row_time_micros, 0, 1},
    {"ls_time_millis", "8:T", row_time_micros, 0, 1000},
};

const NativeFunction *native_datetime_find(Str name) {
    for (size_t i = 0; i < LENGTH_OF(FUNCTIONS); i++)
        if (str_is(name, FUNCTIONS[i].name))
            return &FUNCTIONS[i];
    return NULL;
}

bool native_register_datetime(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
