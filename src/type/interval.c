/* Intervals as text: ANSI year-month and day-time ones, and Spark's calendar interval. */
#include <string.h>

#include "base/buf.h"
#include "type/datetime.h"

#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)

/* ---- printing ---- */

static void put_units(Buf *b, IntervalUnit from, IntervalUnit to)
{
    Arena *arena = b->arena;
    buf_addf(b, "' " STR_FMT, STR_ARG(str_upper(str_from(type_interval_unit(from)), arena)));
    if (from != to)
        buf_addf(b, " TO " STR_FMT, STR_ARG(str_upper(str_from(type_interval_unit(to)), arena)));
}

Str interval_ym_text(int64_t months, IntervalUnit from, IntervalUnit to, Arena *arena)
{
    Buf b = buf_in(arena);
    uint64_t size = months < 0 ? -(uint64_t)months : (uint64_t)months;
    buf_addz(&b, months < 0 ? "INTERVAL '-" : "INTERVAL '");
    if (from == UNIT_MONTH)
        buf_addf(&b, "%llu", (unsigned long long)size);
    else
        buf_addf(&b, "%llu", (unsigned long long)(size / 12));
    if (from != to)
        buf_addf(&b, "-%llu", (unsigned long long)(size % 12));
    put_units(&b, from, to);
    return buf_str(&b);
}

/* The fraction of a second with its point, without last zeros. */
static void put_fraction(Buf *b, uint64_t micros)
{
    char digits[8];
    int len = 6;
    if (!micros)
        return;
    for (int i = 5; i >= 0; i--, micros /= 10)
        digits[i] = (char)('0' + micros % 10);
    while (digits[len - 1] == '0')
        len--;
    buf_addc(b, '.');
    buf_add_bytes(b, digits, (size_t)len);
}

Str interval_dt_text(int64_t us, IntervalUnit from, IntervalUnit to, Arena *arena)
{
    static const uint64_t unit_us[] = {0, 0, US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND};
    Buf b = buf_in(arena);
    uint64_t rest = us < 0 ? -(uint64_t)us : (uint64_t)us;
    buf_addz(&b, us < 0 ? "INTERVAL '-" : "INTERVAL '");
    for (IntervalUnit unit = from; unit <= to; unit++) {
        unsigned long long amount = rest / unit_us[unit];
        rest %= unit_us[unit];
        if (unit > from)
            buf_addc(&b, unit == UNIT_HOUR ? ' ' : ':');
        buf_addf(&b, unit == UNIT_DAY ? "%llu" : "%02llu", amount);
        if (unit == UNIT_SECOND)
            put_fraction(&b, rest);
    }
    put_units(&b, from, to);
    return buf_str(&b);
}

static void put_part(Buf *b, int64_t amount, const char *unit)
{
    if (amount)
        buf_addf(b, "%s%lld %s", b->len ? " " : "", (long long)amount, unit);
}

Str interval_calendar_text(int32_t months, int32_t days, int64_t us, Arena *arena)
{
    Buf b = buf_in(arena);
    put_part(&b, months / 12, "years");
    put_part(&b, months % 12, "months");
    put_part(&b, days, "days");
    put_part(&b, us / US_PER_HOUR, "hours");
    put_part(&b, us % US_PER_HOUR / US_PER_MINUTE, "minutes");
    int64_t rest = us % US_PER_MINUTE;
    if (rest) {
        uint64_t size = rest < 0 ? (uint64_t)-rest : (uint64_t)rest;
        buf_addf(&b, "%s%s%llu", b.len ? " " : "", rest < 0 ? "-" : "",
                 (unsigned long long)(size / US_PER_SECOND));
        put_fraction(&b, size % US_PER_SECOND);
        buf_addz(&b, " seconds");
    }
    return b.len ? buf_str(&b) : S("0 seconds");
}

/* ---- reading ---- */

static bool take_sign(Str *s, bool *negative)
{
    if (!s->len || (s->ptr[0] != '-' && s->ptr[0] != '+'))
        return false;
    if (s->ptr[0] == '-')
        *negative = !*negative;
    *s = str_slice(*s, 1, s->len);
    return true;
}

static bool take_digits(Str *s, int max_digits, int64_t *out)
{
    size_t n = 0;
    while (n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        n++;
    if (!n || n > (size_t)max_digits || !str_to_i64(str_slice(*s, 0, n), out))
        return false;
    *s = str_slice(*s, n, s->len);
    return true;
}

static bool take_char(Str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

static bool take_word(Str *s, const char *word)
{
    Str w = str_from(word);
    if (!str_istarts_with(*s, w))
        return false;
    *s = str_slice(*s, w.len, s->len);
    return true;
}

/* "INTERVAL [-]'...' UNIT [TO UNIT]" or the bare text between the quotes; leaves that text in *s. */
static bool unwrap(Str *s, IntervalUnit from, IntervalUnit to, bool *negative)
{
    *s = str_trim(*s);
    if (!take_word(s, "interval"))
        return take_sign(s, negative) || true;
    *s = str_trim(*s);
    take_sign(s, negative);
    *s = str_trim(*s);
    if (!take_char(s, '\''))
        return false;
    ptrdiff_t quote = str_rfind_char(*s, '\'');
    if (quote < 0)
        return false;
    Str units = str_trim(str_slice(*s, (size_t)quote + 1, s->len));
    *s = str_slice(*s, 0, (size_t)quote);
    take_sign(s, negative);
    if (!take_word(&units, type_interval_unit(from)))
        return false;
    if (from == to)
        return !units.len;
    units = str_trim(units);
    if (!take_word(&units, "to"))
        return false;
    return str_is_ci(str_trim(units), type_interval_unit(to));
}

bool interval_ym_parse(Str text, IntervalUnit from, IntervalUnit to, int64_t *months)
{
    bool negative = false;
    int64_t lead, rest = 0;
    if (!unwrap(&text, from, to, &negative) || !take_digits(&text, 10, &lead))
        return false;
    if (from != to && (!take_char(&text, '-') || !take_digits(&text, 2, &rest) || rest > 11))
        return false;
    if (text.len)
        return false;
    *months = from == UNIT_YEAR ? lead * 12 + rest : lead;
    if (negative)
        *months = -*months;
    return *months >= INT32_MIN && *months <= INT32_MAX;
}

/* Up to nine digits; those past microseconds are dropped. */
static bool take_fraction(Str *s, int64_t *micros)
{
    *micros = 0;
    if (!take_char(s, '.'))
        return true;
    size_t n = 0;
    for (int64_t scale = 100000; n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++, scale /= 10)
        *micros += (s->ptr[n] - '0') * scale;
    *s = str_slice(*s, n, s->len);
    return n >= 1 && n <= 9;
}

bool interval_dt_parse(Str text, IntervalUnit from, IntervalUnit to, int64_t *us)
{
    static const int64_t unit_us[] = {0, 0, US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND};
    static const int64_t limits[] = {0, 0, 0, 23, 59, 59};
    bool negative = false;
    int64_t total = 0; /* kept negative: the range is one longer there */
    if (!unwrap(&text, from, to, &negative))
        return false;
    for (IntervalUnit unit = from; unit <= to; unit++) {
        int64_t amount, micros = 0;
        if (unit > from && !take_char(&text, unit == UNIT_HOUR ? ' ' : ':'))
            return false;
        if (!take_digits(&text, unit > from ? 2 : 19, &amount) || (unit > from && amount > limits[unit]))
            return false;
        if (unit == UNIT_SECOND && !take_fraction(&text, &micros))
            return false;
        if (__builtin_mul_overflow(amount, unit_us[unit], &amount) ||
            __builtin_sub_overflow(total, amount, &total) || __builtin_sub_overflow(total, micros, &total))
            return false;
    }
    *us = total;
    return !text.len && (negative || !__builtin_sub_overflow((int64_t)0, total, us));
}

static const struct {
    const char *name;
    int months, days;
    int64_t us;
} calendar_units[] = {
    {"years", 12, 0, 0},        {"year", 12, 0, 0},
    {"months", 1, 0, 0},        {"month", 1, 0, 0},
    {"weeks", 0, 7, 0},         {"week", 0, 7, 0},
    {"days", 0, 1, 0},          {"day", 0, 1, 0},
    {"hours", 0, 0, US_PER_HOUR},      {"hour", 0, 0, US_PER_HOUR},
    {"minutes", 0, 0, US_PER_MINUTE},  {"minute", 0, 0, US_PER_MINUTE},
    {"seconds", 0, 0, US_PER_SECOND},  {"second", 0, 0, US_PER_SECOND},
    {"milliseconds", 0, 0, 1000},      {"millisecond", 0, 0, 1000},
    {"microseconds", 0, 0, 1},         {"microsecond", 0, 0, 1},
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One "[+-] number unit"; adds it to the totals. */
static bool take_calendar_part(Str *s, int64_t *months, int64_t *days, int64_t *us)
{
    bool negative = false, fraction;
    int64_t amount = 0, micros = 0;
    take_sign(s, &negative);
    *s = str_trim(*s);
    fraction = s->len && s->ptr[0] == '.';
    if (!fraction && !take_digits(s, 19, &amount))
        return false;
    fraction = s->len && s->ptr[0] == '.';
    if (!take_fraction(s, &micros) || !s->len || !is_blank(s->ptr[0]))
        return false;
    *s = str_trim(*s);
    if (negative) {
        amount = -amount;
        micros = -micros;
    }
    for (size_t i = 0; i < LENGTH_OF(calendar_units); i++) {
        Str rest = *s;
        int64_t m, d, u;
        if (!take_word(&rest, calendar_units[i].name) || (rest.len && !is_blank(rest.ptr[0])))
            continue;
        *s = str_trim(rest);
        if (fraction && calendar_units[i].us != US_PER_SECOND)
            return false;
        return !__builtin_mul_overflow(amount, calendar_units[i].months, &m) &&
               !__builtin_mul_overflow(amount, calendar_units[i].days, &d) &&
               !__builtin_mul_overflow(amount, calendar_units[i].us, &u) &&
               !__builtin_add_overflow(u, micros, &u) && !__builtin_add_overflow(*months, m, months) &&
               !__builtin_add_overflow(*days, d, days) && !__builtin_add_overflow(*us, u, us);
    }
    return false;
}

bool interval_calendar_parse(Str text, int32_t *months, int32_t *days, int64_t *us)
{
    int64_t m = 0, d = 0, u = 0;
    text = str_trim(text);
    if (str_istarts_with(text, S("interval")) && text.len > 8 && is_blank(text.ptr[8]))
        text = str_trim(str_slice(text, 8, text.len));
    if (!text.len)
        return false;
    while (text.len)
        if (!take_calendar_part(&text, &m, &d, &u))
            return false;
    *months = (int32_t)m;
    *days = (int32_t)d;
    *us = u;
    return m == *months && d == *days;
}
