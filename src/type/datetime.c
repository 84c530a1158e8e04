/* The proleptic Gregorian calendar and Spark's text forms of dates, times and timestamps. */
#include "type/datetime.h"

#include <stdio.h>

#include "base/clock.h"

/* ---- calendar ---- */

/* Days from civil, counted in 400-year eras that begin on 1 March. */
int64_t date_from_civil(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t shifted = month > 2 ? (int64_t)month - 3 : (int64_t)month + 9;
    int64_t day_of_year = (153 * shifted + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void date_to_civil(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned date_days_in_month(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static bool is_civil(int64_t year, int64_t month, int64_t day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= date_days_in_month(year, (unsigned)month);
}

int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

/* ---- reading ---- */

typedef struct Cursor {
    Str text;
    size_t at;
} Cursor;

/* Spark trims white space and control characters. */
static Str trim(Str s)
{
    size_t from = 0, to = s.len;
    while (from < to && ((unsigned char)s.ptr[from] <= ' ' || s.ptr[from] == 0x7f))
        from++;
    while (to > from && ((unsigned char)s.ptr[to - 1] <= ' ' || s.ptr[to - 1] == 0x7f))
        to--;
    return str_slice(s, from, to);
}

static bool at_end(const Cursor *c)
{
    return c->at >= c->text.len;
}

static char look(const Cursor *c)
{
    return at_end(c) ? '\0' : c->text.ptr[c->at];
}

static bool take(Cursor *c, char expected)
{
    if (at_end(c) || c->text.ptr[c->at] != expected)
        return false;
    c->at++;
    return true;
}

/* A run of min..max digits. */
static bool take_number(Cursor *c, int min, int max, int64_t *out)
{
    int digits = 0;
    int64_t value = 0;
    for (; !at_end(c) && look(c) >= '0' && look(c) <= '9'; c->at++) {
        if (++digits > max)
            return false;
        value = value * 10 + (look(c) - '0');
    }
    *out = value;
    return digits >= min;
}

bool date_parse(Str text, int64_t *days)
{
    Cursor c = {trim(text), 0};
    int64_t year, month = 1, day = 1;
    bool negative = look(&c) == '-';
    if (negative || look(&c) == '+')
        c.at++;
    if (!take_number(&c, 4, 7, &year))
        return false;
    if (take(&c, '-')) {
        if (!take_number(&c, 1, 2, &month))
            return false;
        if (take(&c, '-')) {
            if (!take_number(&c, 1, 2, &day))
                return false;
            /* What follows a whole date after a blank or T is not looked at. */
            if (look(&c) == ' ' || look(&c) == 'T')
                c.at = c.text.len;
        }
    }
    if (negative)
        year = -year;
    if (!at_end(&c) || !is_civil(year, month, day))
        return false;
    *days = date_from_civil(year, (unsigned)month, (unsigned)day);
    return *days >= INT32_MIN && *days <= INT32_MAX;
}

/* What a timestamp's text says. */
typedef struct Stamp {
    int64_t year, month, day, hour, minute, second, micros;
    bool only_time;
    Str zone; /* empty when not named */
} Stamp;

static bool take_fraction(Cursor *c, int64_t *micros)
{
    int digits = 0;
    *micros = 0;
    for (; !at_end(c) && look(c) >= '0' && look(c) <= '9'; c->at++)
        if (digits < 6) {
            *micros = *micros * 10 + (look(c) - '0');
            digits++;
        }
    for (; digits < 6; digits++)
        *micros *= 10;
    return true;
}

/* [h]h[:[m]m[:[s]s[.f...][zone]]]; a zone may follow only seconds. */
static bool take_time(Cursor *c, Stamp *s)
{
    if (!take_number(c, 1, 2, &s->hour))
        return false;
    if (at_end(c))
        return true;
    if (!take(c, ':') || !take_number(c, 1, 2, &s->minute))
        return false;
    if (at_end(c))
        return true;
    if (!take(c, ':') || !take_number(c, 1, 2, &s->second))
        return false;
    if (take(c, '.'))
        take_fraction(c, &s->micros);
    s->zone = str_trim(str_slice(c->text, c->at, c->text.len));
    return true;
}

static bool take_date_and_time(Cursor *c, Stamp *s)
{
    bool negative = look(c) == '-', sign = negative || look(c) == '+';
    c->at += sign;
    size_t start = c->at;
    int64_t unused;
    take_number(c, 0, 7, &unused);
    if (!sign && look(c) == ':') {
        c->at = start;
        s->only_time = true;
        return take_time(c, s);
    }
    c->at = start;
    if (!take_number(c, 4, 6, &s->year))
        return false;
    if (negative)
        s->year = -s->year;
    if (at_end(c))
        return true;
    if (!take(c, '-') || !take_number(c, 1, 2, &s->month))
        return false;
    if (at_end(c))
        return true;
    if (!take(c, '-') || !take_number(c, 1, 2, &s->day))
        return false;
    if (at_end(c))
        return true;
    return (take(c, ' ') || take(c, 'T')) && take_time(c, s);
}

static bool parse_stamp(Str text, Stamp *s)
{
    Cursor c = {trim(text), 0};
    *s = (Stamp){.month = 1, .day = 1};
    if (at_end(&c))
        return false;
    if (c.text.ptr == text.ptr && take(&c, 'T')) {
        s->only_time = true;
        TRY(take_time(&c, s));
    } else {
        TRY(take_date_and_time(&c, s));
    }
    if (s->hour > 23 || s->minute > 59 || s->second > 59)
        return false;
    return s->only_time || is_civil(s->year, s->month, s->day);
}

static int64_t time_of(const Stamp *s)
{
    return ((s->hour * 60 + s->minute) * 60 + s->second) * US_PER_SECOND + s->micros;
}

/* Microseconds of the reading; 64 bits are not enough for every six-digit year. */
static __int128 local_of(const Stamp *s, int64_t days)
{
    return (__int128)days * US_PER_DAY + time_of(s);
}

static bool fit(__int128 wide, int64_t *us)
{
    *us = (int64_t)wide;
    return *us == wide;
}

static int64_t today_in(const Zone *zone)
{
    int64_t now = clock_now_us();
    return floor_div(now + zone_offset_of(zone, now) * US_PER_SECOND, US_PER_DAY);
}

bool timestamp_parse_in(Str text, const Zone *session_zone, int64_t *us)
{
    Stamp s;
    const Zone *zone = session_zone;
    if (!parse_stamp(text, &s))
        return false;
    if (s.zone.len && !(zone = zone_find(s.zone)))
        return false;
    int64_t days = s.only_time ? today_in(zone)
                               : date_from_civil(s.year, (unsigned)s.month, (unsigned)s.day);
    __int128 local = local_of(&s, days);
    /* Near the range's ends the offset of a day further in is the same. */
    const int64_t high = INT64_MAX - US_PER_DAY, low = INT64_MIN + US_PER_DAY;
    int64_t near = local > high ? high : local < low ? low : (int64_t)local;
    return fit(local - (near - zone_utc_of(zone, near)), us);
}

bool timestamp_parse(Str text, Str session_zone, int64_t *us)
{
    const Zone *zone = zone_find(session_zone);
    return zone && timestamp_parse_in(text, zone, us);
}

bool timestamp_ntz_parse(Str text, bool allow_zone, int64_t *us)
{
    Stamp s;
    if (!parse_stamp(text, &s) || s.only_time)
        return false;
    if (s.zone.len && (!allow_zone || !zone_is_known(s.zone)))
        return false;
    return fit(local_of(&s, date_from_civil(s.year, (unsigned)s.month, (unsigned)s.day)), us);
}

static bool parse_clock(Str text, int64_t *us);

/* "01:02:03 PM": the hours of a half-day, 12 being the first. */
static bool parse_half_day(Str text, bool afternoon, int64_t *us)
{
    const int64_t hour = 3600 * US_PER_SECOND;
    text = str_trim(text);
    if (!text.len || text.ptr[0] < '0' || text.ptr[0] > '9' || !parse_clock(text, us))
        return false;
    if (*us < hour || *us >= 13 * hour)
        return false;
    *us = *us % (12 * hour) + (afternoon ? 12 * hour : 0);
    return true;
}

bool time_parse(Str text, int64_t *us)
{
    Str t = str_trim(text);
    bool pm = t.len > 2 && str_is_ci(str_slice(t, t.len - 2, t.len), "pm"),
         am = t.len > 2 && str_is_ci(str_slice(t, t.len - 2, t.len), "am");
    if (am || pm)
        return parse_half_day(str_slice(t, 0, t.len - 2), pm, us);
    return parse_clock(text, us);
}

static bool parse_clock(Str text, int64_t *us)
{
    Stamp s;
    if (!parse_stamp(text, &s) || !s.only_time || s.zone.len)
        return false;
    *us = time_of(&s);
    return true;
}

/* ---- printing ---- */

static char *put_digits(char *at, uint64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + width;
}

/* As java.time prints years: four digits at least, a sign past 9999. */
static char *put_date(char *at, int64_t days)
{
    int64_t year;
    unsigned month, day;
    date_to_civil(days, &year, &month, &day);
    uint64_t size = year < 0 ? (uint64_t)-year : (uint64_t)year;
    int width = 4;
    for (uint64_t limit = 10000; size >= limit && width < 19; limit *= 10)
        width++;
    if (year < 0)
        *at++ = '-';
    else if (width > 4)
        *at++ = '+';
    at = put_digits(at, size, width);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    return put_digits(at, day, 2);
}

/* HH:mm:ss and the fraction without its last zeros. */
static char *put_time(char *at, int64_t us)
{
    int64_t second = us / US_PER_SECOND, micros = us % US_PER_SECOND;
    at = put_digits(at, (uint64_t)(second / 3600), 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)(second / 60 % 60), 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)(second % 60), 2);
    if (!micros)
        return at;
    *at++ = '.';
    at = put_digits(at, (uint64_t)micros, 6);
    while (at[-1] == '0')
        at--;
    return at;
}

size_t date_put(int64_t days, char out[DATETIME_TEXT_MAX])
{
    char *end = put_date(out, days);
    *end = '\0';
    return (size_t)(end - out);
}

size_t time_put(int64_t us, char out[DATETIME_TEXT_MAX])
{
    char *end = put_time(out, us);
    *end = '\0';
    return (size_t)(end - out);
}

size_t timestamp_put(int64_t us, const Zone *zone, char out[DATETIME_TEXT_MAX])
{
    /* Days and the rest apart: the sum with the offset could pass 64 bits at the range's ends. */
    int64_t days = floor_div(us, US_PER_DAY);
    int64_t rest = us % US_PER_DAY + (us % US_PER_DAY < 0 ? US_PER_DAY : 0);
    rest += zone_offset_of(zone, us) * US_PER_SECOND;
    int64_t carry = floor_div(rest, US_PER_DAY);
    char *end = put_date(out, days + carry);
    *end++ = ' ';
    end = put_time(end, rest - carry * US_PER_DAY);
    *end = '\0';
    return (size_t)(end - out);
}

Str date_text(int64_t days, Arena *arena)
{
    char text[DATETIME_TEXT_MAX];
    return str_copy((Str){text, date_put(days, text)}, arena);
}

Str timestamp_text(int64_t us, Str zone, Arena *arena)
{
    char text[DATETIME_TEXT_MAX];
    return str_copy((Str){text, timestamp_put(us, zone_find(zone), text)}, arena);
}

Str timestamp_ntz_text(int64_t us, Arena *arena)
{
    char text[DATETIME_TEXT_MAX];
    return str_copy((Str){text, timestamp_put(us, NULL, text)}, arena);
}

Str time_text(int64_t us, Arena *arena)
{
    char text[DATETIME_TEXT_MAX];
    return str_copy((Str){text, time_put(us, text)}, arena);
}
