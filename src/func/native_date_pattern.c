/* DateTimeFormatter patterns: java.time's rules for widths and texts, Spark's for what is allowed.
 */
#include "func/date_pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_MAX_ITEMS = 512 };

typedef struct Item {
    char letter; /* '\'' a literal, '[' and ']' an optional section */
    int count;
    size_t end; /* of '[': the item behind its ']' */
    Str text;
} Item;

struct DatePattern {
    Str pattern;
    Item *items;
    size_t count;
    bool has_era;
    bool parsing;
};

static const char *const MONTHS[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const DAYS[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                   "Friday", "Saturday", "Sunday"};
static const char *const QUARTERS[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};

/* ---- zone names ---- */

/* CLDR's English names of the zones people format with; others are refused by name. */
static const struct {
    const char *prefix, *standard, *summer, *long_standard, *long_summer;
} ZONE_NAMES[] = {
    {"America/Los_Angeles", "PST", "PDT", "Pacific Standard Time", "Pacific Daylight Time"},
    {"America/Vancouver", "PST", "PDT", "Pacific Standard Time", "Pacific Daylight Time"},
    {"America/Tijuana", "PST", "PDT", "Pacific Standard Time", "Pacific Daylight Time"},
    {"America/Denver", "MST", "MDT", "Mountain Standard Time", "Mountain Daylight Time"},
    {"America/Phoenix", "MST", "MST", "Mountain Standard Time", "Mountain Standard Time"},
    {"America/Chicago", "CST", "CDT", "Central Standard Time", "Central Daylight Time"},
    {"America/New_York", "EST", "EDT", "Eastern Standard Time", "Eastern Daylight Time"},
    {"America/Toronto", "EST", "EDT", "Eastern Standard Time", "Eastern Daylight Time"},
    {"America/Anchorage", "AKST", "AKDT", "Alaska Standard Time", "Alaska Daylight Time"},
    {"Pacific/Honolulu", "HST", "HDT", "Hawaii-Aleutian Standard Time",
     "Hawaii-Aleutian Daylight Time"},
    {"America/Sao_Paulo", "BRT", "BRST", "Brasilia Standard Time", "Brasilia Summer Time"},
    {"Europe/London", "GMT", "BST", "Greenwich Mean Time", "British Summer Time"},
    {"Europe/Dublin", "GMT", "IST", "Greenwich Mean Time", "Irish Standard Time"},
    {"Europe/Lisbon", "WET", "WEST", "Western European Standard Time",
     "Western European Summer Time"},
    {"Europe/Moscow", "MSK", "MSD", "Moscow Standard Time", "Moscow Summer Time"},
    {"Europe/Athens", "EET", "EEST", "Eastern European Standard Time",
     "Eastern European Summer Time"},
    {"Europe/Helsinki", "EET", "EEST", "Eastern European Standard Time",
     "Eastern European Summer Time"},
    {"Europe/Kiev", "EET", "EEST", "Eastern European Standard Time",
     "Eastern European Summer Time"},
    {"Europe/Amsterdam", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Berlin", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Brussels", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Madrid", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Oslo", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Paris", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Prague", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Rome", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Stockholm", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Vienna", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Warsaw", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"Europe/Zurich", "CET", "CEST", "Central European Standard Time",
     "Central European Summer Time"},
    {"CET", "CET", "CEST", "Central European Standard Time", "Central European Summer Time"},
    {"Asia/Tokyo", "JST", "JDT", "Japan Standard Time", "Japan Daylight Time"},
    {"Asia/Seoul", "KST", "KDT", "Korean Standard Time", "Korean Daylight Time"},
    {"Asia/Shanghai", "CST", "CDT", "China Standard Time", "China Daylight Time"},
    {"Asia/Hong_Kong", "HKT", "HKST", "Hong Kong Standard Time", "Hong Kong Summer Time"},
    {"Asia/Singapore", "SGT", "SGT", "Singapore Standard Time", "Singapore Standard Time"},
    {"Asia/Kolkata", "IST", "IST", "India Standard Time", "India Standard Time"},
    {"Asia/Dubai", "GST", "GST", "Gulf Standard Time", "Gulf Standard Time"},
    {"Australia/Sydney", "AEST", "AEDT", "Australian Eastern Standard Time",
     "Australian Eastern Daylight Time"},
    {"UTC", "UTC", "UTC", "Coordinated Universal Time", "Coordinated Universal Time"},
    {"Etc/UTC", "UTC", "UTC", "Coordinated Universal Time", "Coordinated Universal Time"},
    {"GMT", "GMT", "GMT", "Greenwich Mean Time", "Greenwich Mean Time"},
};

/* ---- compiling ---- */

/* Whether java.text.SimpleDateFormat, the formatter before Spark 3, would take the pattern. */
static bool legacy_accepts(Str p) {
    bool quoted = false;
    for (size_t i = 0; i < p.len; i++) {
        if (p.ptr[i] == '\'')
            quoted = !quoted;
        else if (!quoted && isalpha((unsigned char)p.ptr[i]) &&
                 !strchr("GyYMLwWDdFEuaHkKhmsSzZX", p.ptr[i]))
            return false;
    }
    return !quoted;
}

static Str quoted_pattern(Str p, Arena *arena) {
    Buf b = buf_in(arena);
    buf_addc(&b, '\'');
    for (size_t i = 0; i < p.len; i++) {
        if (p.ptr[i] == '\'')
            buf_addc(&b, '\\');
        buf_addc(&b, p.ptr[i]);
    }
    buf_addc(&b, '\'');
    return buf_str(&b);
}

static const char DOCROOT[] = "https://spark.apache.org/docs/latest";

static bool refuse(Str pattern, char week_letter, Arena *arena, Error *err) {
    if (legacy_accepts(pattern))
        return error_set(err, ERR_INCONSISTENT_BEHAVIOR_CROSS_VERSION__DATETIME_PATTERN_RECOGNITION,
                         PZ("config", "\"spark.sql.legacy.timeParserPolicy\""),
                         PZ("docroot", DOCROOT), P("pattern", quoted_pattern(pattern, arena)));
    if (week_letter)
        return error_set(err, ERR_INCONSISTENT_BEHAVIOR_CROSS_VERSION__DATETIME_WEEK_BASED_PATTERN,
                         P("c", str_printf(arena, "%c", week_letter)));
    return error_set(err, ERR_INVALID_DATETIME_PATTERN__WITH_SUGGESTION, PZ("docroot", DOCROOT),
                     P("pattern", quoted_pattern(pattern, arena)));
}

static bool refuse_letter(Str pattern, char c, Arena *arena, Error *err) {
    if (legacy_accepts(pattern))
        return refuse(pattern, 0, arena, err);
    return error_set(err, ERR_INVALID_DATETIME_PATTERN__ILLEGAL_CHARACTER,
                     P("c", str_printf(arena, "%c", c)), P("pattern", pattern));
}

static bool refuse_length(Str pattern, Arena *arena, Error *err) {
    if (legacy_accepts(pattern))
        return refuse(pattern, 0, arena, err);
    return error_set(err, ERR_INVALID_DATETIME_PATTERN__LENGTH, P("pattern", pattern));
}

/* How many times a letter may stand in a row; 0: never. */
static int most_of(char c) {
    switch (c) {
    case 'y':
        return 6;
    case 'G':
    case 'M':
    case 'L':
    case 'E':
    case 'Q':
    case 'q':
    case 'z':
    case 'O':
        return 4;
    case 'D':
        return 3;
    case 'd':
    case 'h':
    case 'H':
    case 'k':
    case 'K':
    case 'm':
    case 's':
    case 'V':
        return 2;
    case 'a':
    case 'F':
        return 1;
    case 'S':
        return 9;
    case 'X':
    case 'x':
    case 'Z':
        return 5;
    default:
        return 0;
    }
}

static bool check_run(Str pattern, char c, int count, bool parsing, Arena *arena, Error *err) {
    if (strchr("YWwuec", c))
        return refuse(pattern, c, arena, err);
    if (strchr("ABnNp", c) || (parsing && strchr("EFqQ", c)))
        return refuse_letter(pattern, c, arena, err);
    if (count >= 5 && strchr("GMLEQq", c))
        return refuse_length(pattern, arena, err);
    if (c == 'y' && count >= 7)
        return refuse_length(pattern, arena, err);
    if (count > most_of(c) || (c == 'V' && count != 2) || (c == 'O' && count != 1 && count != 4))
        return refuse(pattern, 0, arena, err);
    return true;
}

static bool add_item(DatePattern *p, Item item, Error *err) {
    if (p->count == PATTERN_MAX_ITEMS)
        return error_unsupported(err, "a datetime pattern with more than %d parts",
                                 PATTERN_MAX_ITEMS);
    p->items[p->count++] = item;
    return true;
}

static bool add_literal(DatePattern *p, Str text, Error *err) {
    return add_item(p, (Item){.letter = '\'', .text = text}, err);
}

/* Reads 'text' with '' for a quote; *at is behind the opening quote. */
static bool read_quoted(DatePattern *p, size_t *at, Arena *arena, Error *err) {
    Str s = p->pattern;
    if (*at < s.len && s.ptr[*at] == '\'') {
        ++*at;
        return add_literal(p, S("'"), err);
    }
    Buf b = buf_in(arena);
    for (; *at < s.len; ++*at) {
        if (s.ptr[*at] != '\'') {
            buf_addc(&b, s.ptr[*at]);
        } else if (*at + 1 < s.len && s.ptr[*at + 1] == '\'') {
            buf_addc(&b, '\'');
            ++*at;
        } else {
            ++*at;
            return add_literal(p, buf_str(&b), err);
        }
    }
    return refuse(s, 0, arena, err);
}

static bool read_items(DatePattern *p, Arena *arena, Error *err) {
    Str s = p->pattern;
    size_t open[64], depth = 0;
    for (size_t i = 0; i < s.len;) {
        char c = s.ptr[i];
        if (isalpha((unsigned char)c)) {
            size_t from = i;
            while (i < s.len && s.ptr[i] == c)
                i++;
            TRY(check_run(s, c, (int)(i - from < 100 ? i - from : 100), p->parsing, arena, err));
            p->has_era |= c == 'G';
            TRY(add_item(p, (Item){.letter = c, .count = (int)(i - from)}, err));
            continue;
        }
        i++;
        if (c == '\'') {
            TRY(read_quoted(p, &i, arena, err));
        } else if (c == '[') {
            if (depth == LENGTH_OF(open))
                return refuse(s, 0, arena, err);
            open[depth++] = p->count;
            TRY(add_item(p, (Item){.letter = '['}, err));
        } else if (c == ']') {
            if (!depth)
                return refuse(s, 0, arena, err);
            TRY(add_item(p, (Item){.letter = ']'}, err));
            p->items[open[--depth]].end = p->count;
        } else if (c == '{' || c == '}' || c == '#') {
            return refuse(s, 0, arena, err);
        } else {
            TRY(add_literal(p, str_slice(s, i - 1, i), err));
        }
    }
    while (depth)
        p->items[open[--depth]].end = p->count;
    return true;
}

bool date_pattern_compile(Str pattern, bool parsing, Arena *arena, const DatePattern **out,
                          Error *err) {
    DatePattern *p = ARENA_NEW(arena, DatePattern);
    p->pattern = str_copy(pattern, arena);
    p->items = ARENA_ARRAY(arena, Item, PATTERN_MAX_ITEMS);
    p->parsing = parsing;
    TRY(read_items(p, arena, err));
    *out = p;
    return true;
}

/* ---- formatting ---- */

typedef struct Moment {
    int64_t year;
    unsigned month, day;
    int64_t days, second_of_day, micros; /* micros of the second */
    int64_t us, offset;
    const Zone *zone;
} Moment;

static void put_padded(Buf *out, int64_t v, int width) {
    buf_addf(out, "%0*lld", width, (long long)v);
}

static void put_year(const DatePattern *p, const Item *item, int64_t year, Buf *out) {
    if (p->has_era && year <= 0)
        year = 1 - year;
    if (item->count == 2) {
        put_padded(out, llabs(year) % 100, 2);
        return;
    }
    if (year < 0)
        buf_addc(out, '-');
    else if (item->count >= 4 && year >= (item->count == 4   ? 10000
                                          : item->count == 5 ? 100000
                                                             : 1000000))
        buf_addc(out, '+');
    put_padded(out, llabs(year), item->count);
}

static void put_name(Buf *out, const char *name, int count) {
    Str s = str_from(name);
    buf_add(out, count == 4 ? s : str_slice(s, 0, 3));
}

/* form: +HH, +HHmm, +HH:MM, +HHMMss, +HH:MM:ss by count 1..5. */
static void put_offset(Buf *out, int64_t offset, int count, const char *zero) {
    if (!offset) {
        buf_addz(out, zero);
        return;
    }
    int64_t a = llabs(offset), h = a / 3600, m = a / 60 % 60, s = a % 60;
    buf_addf(out, "%c%02d", offset < 0 ? '-' : '+', (int)h);
    const char *colon = count == 3 || count == 5 ? ":" : "";
    if (count > 1 || m)
        buf_addf(out, "%s%02d", colon, (int)m);
    if (count >= 4 && s)
        buf_addf(out, "%s%02d", colon, (int)s);
}

static void put_gmt(Buf *out, int64_t offset, bool full) {
    buf_addz(out, "GMT");
    if (!offset)
        return;
    int64_t a = llabs(offset), h = a / 3600, m = a / 60 % 60, s = a % 60;
    buf_addf(out, "%c%0*d", offset < 0 ? '-' : '+', full ? 2 : 1, (int)h);
    if (full || m || s)
        buf_addf(out, ":%02d", (int)m);
    if (s)
        buf_addf(out, ":%02d", (int)s);
}

static bool put_zone_name(const Moment *t, int count, Buf *out, Error *err) {
    Str name = zone_name(t->zone);
    if (name.len && strchr("+-", name.ptr[0])) {
        buf_add(out, name);
        return true;
    }
    if (str_is(name, "Z")) {
        buf_addc(out, 'Z');
        return true;
    }
    int64_t year_us = date_from_civil(t->year, 1, 1) * US_PER_DAY;
    int64_t january = zone_offset_of(t->zone, year_us),
            july = zone_offset_of(t->zone, year_us + 182 * US_PER_DAY);
    bool summer = t->offset > (january < july ? january : july);
    for (size_t i = 0; i < LENGTH_OF(ZONE_NAMES); i++)
        if (str_is(name, ZONE_NAMES[i].prefix)) {
            buf_addz(out, count == 4
                              ? (summer ? ZONE_NAMES[i].long_summer : ZONE_NAMES[i].long_standard)
                              : (summer ? ZONE_NAMES[i].summer : ZONE_NAMES[i].standard));
            return true;
        }
    return error_unsupported(err, "the name of the time zone " STR_FMT " (pattern letter z)",
                             STR_ARG(name));
}

static void put_zero_or(Buf *out, int64_t offset, int count, char letter) {
    if (letter == 'X')
        put_offset(out, offset, count, "Z");
    else if (letter == 'x')
        put_offset(out, offset, count,
                   count == 1                 ? "+00"
                   : count == 3 || count == 5 ? "+00:00"
                                              : "+0000");
    else if (count < 4)
        put_offset(out, offset, 2, "+0000");
    else if (count == 4)
        put_gmt(out, offset, true);
    else
        put_offset(out, offset, 5, "Z");
}

static bool put_item(const DatePattern *p, const Item *item, const Moment *t, Buf *out,
                     Error *err) {
    int hour = (int)(t->second_of_day / 3600), n = item->count;
    switch (item->letter) {
    case '\'':
        buf_add(out, item->text);
        return true;
    case 'y':
        put_year(p, item, t->year, out);
        return true;
    case 'M':
    case 'L':
        if (n <= 2)
            put_padded(out, t->month, n);
        else
            put_name(out, MONTHS[t->month - 1], n);
        return true;
    case 'd':
        put_padded(out, t->day, n);
        return true;
    case 'D':
        put_padded(out, t->days - date_from_civil(t->year, 1, 1) + 1, n);
        return true;
    case 'Q':
    case 'q': {
        unsigned quarter = (t->month - 1) / 3;
        if (n <= 2)
            put_padded(out, quarter + 1, n);
        else if (n == 3)
            buf_addf(out, "Q%u", quarter + 1);
        else
            buf_addz(out, QUARTERS[quarter]);
        return true;
    }
    case 'E':
        put_name(out, DAYS[((t->days + 3) % 7 + 7) % 7], n);
        return true;
    case 'F':
        put_padded(out, (t->day - 1) % 7 + 1, 1);
        return true;
    case 'G':
        buf_addz(out, n == 4        ? (t->year > 0 ? "Anno Domini" : "Before Christ")
                      : t->year > 0 ? "AD"
                                    : "BC");
        return true;
    case 'a':
        buf_addz(out, hour < 12 ? "AM" : "PM");
        return true;
    case 'H':
        put_padded(out, hour, n);
        return true;
    case 'k':
        put_padded(out, hour ? hour : 24, n);
        return true;
    case 'K':
        put_padded(out, hour % 12, n);
        return true;
    case 'h':
        put_padded(out, hour % 12 ? hour % 12 : 12, n);
        return true;
    case 'm':
        put_padded(out, t->second_of_day / 60 % 60, n);
        return true;
    case 's':
        put_padded(out, t->second_of_day % 60, n);
        return true;
    case 'S': {
        char digits[16];
        snprintf(digits, sizeof(digits), "%06d000", (int)t->micros);
        buf_add(out, (Str){digits, (size_t)n});
        return true;
    }
    case 'V':
        buf_add(out, zone_name(t->zone));
        return true;
    case 'z':
        return put_zone_name(t, n, out, err);
    case 'O':
        put_gmt(out, t->offset, n == 4);
        return true;
    case 'X':
    case 'x':
    case 'Z':
        put_zero_or(out, t->offset, n, item->letter);
        return true;
    default:
        return true;
    }
}

bool date_pattern_format(const DatePattern *p, int64_t us, const Zone *zone, Buf *out, Error *err) {
    Moment t = {.us = us, .zone = zone, .offset = zone_offset_of(zone, us)};
    int64_t seconds = floor_div(us, US_PER_SECOND);
    t.micros = us - seconds * US_PER_SECOND;
    seconds += t.offset;
    t.days = floor_div(seconds, 86400);
    t.second_of_day = seconds - t.days * 86400;
    date_to_civil(t.days, &t.year, &t.month, &t.day);
    for (size_t i = 0; i < p->count; i++)
        TRY(put_item(p, &p->items[i], &t, out, err));
    return true;
}

/* ---- parsing ---- */

enum {
    F_YEAR,
    F_YOE,
    F_ERA,
    F_MONTH,
    F_DAY,
    F_DOY,
    F_HOUR,
    F_CLOCK24,
    F_HOUR12,
    F_CLOCK12,
    F_AMPM,
    F_MINUTE,
    F_SECOND,
    F_NANO,
    F_COUNT
};

typedef struct Parse {
    const DatePattern *p;
    Str s;
    int64_t fields[F_COUNT];
    bool has[F_COUNT];
    bool has_offset;
    int64_t offset;
    const Zone *zone;
} Parse;

typedef struct Width {
    int field, low, high; /* high 19: open */
    bool exceeds_pad;     /* more than low digits only behind a '+' */
    bool negative;        /* '-' is allowed */
} Width;

/* The numeric letters; field -1 for what is no number. */
static Width width_of(const DatePattern *p, const Item *item) {
    int n = item->count;
    int fixed_high = n == 1 ? 19 : n;
    switch (item->letter) {
    case 'y': {
        int field = p->has_era ? F_YOE : F_YEAR;
        if (n == 2)
            return (Width){field, 2, 2, false, false};
        return (Width){field, n, 19, n >= 4, true};
    }
    case 'M':
    case 'L':
        return n <= 2 ? (Width){F_MONTH, n, fixed_high, false, n == 1} : (Width){.field = -1};
    case 'd':
        return (Width){F_DAY, n, fixed_high, false, n == 1};
    case 'D':
        return (Width){F_DOY, n, n == 1 ? 19 : 3, false, n == 1};
    case 'H':
        return (Width){F_HOUR, n, fixed_high, false, n == 1};
    case 'k':
        return (Width){F_CLOCK24, n, fixed_high, false, n == 1};
    case 'K':
        return (Width){F_HOUR12, n, fixed_high, false, n == 1};
    case 'h':
        return (Width){F_CLOCK12, n, fixed_high, false, n == 1};
    case 'm':
        return (Width){F_MINUTE, n, fixed_high, false, n == 1};
    case 's':
        return (Width){F_SECOND, n, fixed_high, false, n == 1};
    default:
        return (Width){.field = -1};
    }
}

/* Digits that the fixed-width numbers right behind an open number will need. */
static int reserved(const DatePattern *p, size_t i) {
    int total = 0;
    for (size_t k = i + 1; k < p->count; k++) {
        Width w = width_of(p, &p->items[k]);
        if (w.field < 0 || w.low != w.high)
            break;
        total += w.low;
    }
    return total;
}

/* Each parse_* gives the position behind, or ~position of what did not fit, as java.time does. */
typedef ptrdiff_t Pos;

static Pos parse_number(Parse *x, size_t i, Pos pos) {
    Width w = width_of(x->p, &x->p->items[i]);
    Str s = x->s;
    Pos end = (Pos)s.len, at = pos;
    if (at == end)
        return ~pos;
    bool negative = false, positive = false;
    if (s.ptr[at] == '-' && (w.negative || w.exceeds_pad)) {
        negative = true;
        at++;
    } else if (s.ptr[at] == '+' && w.exceeds_pad) {
        positive = true;
        at++;
    } else if (s.ptr[at] == '-' || s.ptr[at] == '+') {
        return ~pos;
    }
    int reserve = w.low == w.high ? 0 : reserved(x->p, i);
    Pos digits = 0, most = w.high + reserve;
    while (at + digits < end && digits < most && isdigit((unsigned char)s.ptr[at + digits]))
        digits++;
    if (reserve)
        digits = digits - reserve > w.low ? digits - reserve : digits < w.low ? digits : w.low;
    if (digits < w.low || digits > 18)
        return ~at;
    if (w.exceeds_pad && positive && digits <= w.low)
        return ~(at - 1);
    if (w.exceeds_pad && !positive && !negative && digits > w.low)
        return ~at;
    int64_t v = 0;
    for (Pos k = 0; k < digits; k++)
        v = v * 10 + (s.ptr[at + k] - '0');
    if (negative && !v)
        return ~(at - 1);
    if (x->p->items[i].letter == 'y' && x->p->items[i].count == 2)
        v += 2000;
    x->fields[w.field] = negative ? -v : v;
    x->has[w.field] = true;
    return at + digits;
}

static Pos parse_fraction(Parse *x, const Item *item, Pos pos) {
    Pos at = pos;
    int64_t v = 0;
    int n = 0;
    for (; at < (Pos)x->s.len && n < item->count && isdigit((unsigned char)x->s.ptr[at]); at++, n++)
        v = v * 10 + (x->s.ptr[at] - '0');
    if (!n)
        return ~pos;
    for (; n < 9; n++)
        v *= 10;
    x->fields[F_NANO] = v;
    x->has[F_NANO] = true;
    return at;
}

/* The name at pos, whole or its first three letters; -1 when none. */
static int match_name(Parse *x, Pos pos, const char *const *names, size_t count, int form,
                      Pos *end) {
    Str rest = str_slice(x->s, (size_t)pos, x->s.len);
    for (size_t i = 0; i < count; i++) {
        Str name = str_from(names[i]);
        if (form != 4)
            name = str_slice(name, 0, 3);
        if (str_istarts_with(rest, name)) {
            *end = pos + (Pos)name.len;
            return (int)i;
        }
    }
    return -1;
}

static Pos parse_text(Parse *x, const Item *item, Pos pos) {
    Pos end = pos;
    if (item->letter == 'a') {
        static const char *const HALVES[] = {"AM ", "PM "};
        Str rest = str_slice(x->s, (size_t)pos, x->s.len);
        for (int i = 0; i < 2; i++)
            if (str_istarts_with(rest, str_slice(str_from(HALVES[i]), 0, 2))) {
                x->fields[F_AMPM] = i;
                x->has[F_AMPM] = true;
                return pos + 2;
            }
        return ~pos;
    }
    if (item->letter == 'G') {
        Str rest = str_slice(x->s, (size_t)pos, x->s.len);
        Str after = item->count == 4 ? S("Anno Domini") : S("AD"),
            before = item->count == 4 ? S("Before Christ") : S("BC");
        bool ad = str_istarts_with(rest, after);
        if (!ad && !str_istarts_with(rest, before))
            return ~pos;
        x->fields[F_ERA] = ad;
        x->has[F_ERA] = true;
        return pos + (Pos)(ad ? after.len : before.len);
    }
    int month = match_name(x, pos, MONTHS, LENGTH_OF(MONTHS), item->count, &end);
    if (month < 0)
        return ~pos;
    x->fields[F_MONTH] = month + 1;
    x->has[F_MONTH] = true;
    return end;
}

static int two_digits(Str s, Pos at) {
    if (at + 2 > (Pos)s.len || !isdigit((unsigned char)s.ptr[at]) ||
        !isdigit((unsigned char)s.ptr[at + 1]))
        return -1;
    return (s.ptr[at] - '0') * 10 + (s.ptr[at + 1] - '0');
}

/* Offsets: form 1 +HHmm?, 2 +HHMM, 3 +HH:MM, 4 +HHMMss?, 5 +HH:MM:ss?. */
static Pos parse_offset(Parse *x, int form, bool zulu, Pos pos) {
    Str s = x->s;
    if (zulu && pos < (Pos)s.len && (s.ptr[pos] | 32) == 'z') {
        x->has_offset = true;
        x->offset = 0;
        return pos + 1;
    }
    if (pos >= (Pos)s.len || (s.ptr[pos] != '+' && s.ptr[pos] != '-'))
        return ~pos;
    bool negative = s.ptr[pos] == '-', colon = form == 3 || form == 5;
    Pos at = pos + 1;
    int h = two_digits(s, at), m = -1, sec = 0;
    if (h < 0 || h > 18)
        return ~pos;
    at += 2;
    if (!colon || (at < (Pos)s.len && s.ptr[at] == ':'))
        m = two_digits(s, at + colon);
    if (m >= 0)
        at += 2 + colon;
    else if (form != 1)
        return ~pos;
    if (form >= 4 && m >= 0 && (!colon || (at < (Pos)s.len && s.ptr[at] == ':')) &&
        two_digits(s, at + colon) >= 0) {
        sec = two_digits(s, at + colon);
        at += 2 + colon;
    }
    if (m > 59 || sec > 59)
        return ~pos;
    x->has_offset = true;
    x->offset = (negative ? -1 : 1) * ((int64_t)h * 3600 + (m > 0 ? m * 60 : 0) + sec);
    return at;
}

static Pos parse_gmt(Parse *x, bool full, Pos pos) {
    Str rest = str_slice(x->s, (size_t)pos, x->s.len);
    if (!str_istarts_with(rest, S("GMT")))
        return ~pos;
    Pos at = pos + 3;
    if (at == (Pos)x->s.len || (x->s.ptr[at] != '+' && x->s.ptr[at] != '-')) {
        x->has_offset = true;
        x->offset = 0;
        return at;
    }
    if (full)
        return parse_offset(x, 3, false, at);
    bool negative = x->s.ptr[at++] == '-';
    int64_t h = 0, m = 0, n = 0;
    for (; at < (Pos)x->s.len && isdigit((unsigned char)x->s.ptr[at]) && n < 2; at++, n++)
        h = h * 10 + (x->s.ptr[at] - '0');
    if (!n)
        return ~pos;
    if (at < (Pos)x->s.len && x->s.ptr[at] == ':' && two_digits(x->s, at + 1) >= 0) {
        m = two_digits(x->s, at + 1);
        at += 3;
    }
    x->has_offset = true;
    x->offset = (negative ? -1 : 1) * (h * 3600 + m * 60);
    return at;
}

static Pos parse_zone(Parse *x, const Item *item, Pos pos) {
    Str rest = str_slice(x->s, (size_t)pos, x->s.len);
    if (item->letter == 'z')
        for (size_t i = 0; i < LENGTH_OF(ZONE_NAMES); i++) {
            const char *const names[] = {
                item->count == 4 ? ZONE_NAMES[i].long_standard : ZONE_NAMES[i].standard,
                item->count == 4 ? ZONE_NAMES[i].long_summer : ZONE_NAMES[i].summer};
            for (int k = 0; k < 2; k++)
                if (str_istarts_with(rest, str_from(names[k])) &&
                    !(rest.len > strlen(names[k]) &&
                      isalpha((unsigned char)rest.ptr[strlen(names[k])]))) {
                    x->zone = zone_find(str_from(ZONE_NAMES[i].prefix));
                    return x->zone ? pos + (Pos)strlen(names[k]) : ~pos;
                }
        }
    size_t n = 0;
    while (n < rest.len && (isalnum((unsigned char)rest.ptr[n]) || strchr("_/+:-~.", rest.ptr[n])))
        n++;
    for (; n; n--) {
        x->zone = zone_find(str_slice(rest, 0, n));
        if (x->zone)
            return pos + (Pos)n;
    }
    return ~pos;
}

static Pos parse_literal(Parse *x, Str text, Pos pos) {
    return str_istarts_with(str_slice(x->s, (size_t)pos, x->s.len), text) ? pos + (Pos)text.len
                                                                          : ~pos;
}

static Pos parse_item(Parse *x, size_t i, Pos pos) {
    const Item *item = &x->p->items[i];
    if (width_of(x->p, item).field >= 0)
        return parse_number(x, i, pos);
    switch (item->letter) {
    case '\'':
        return parse_literal(x, item->text, pos);
    case 'S':
        return parse_fraction(x, item, pos);
    case 'V':
    case 'z':
        return parse_zone(x, item, pos);
    case 'O':
        return parse_gmt(x, item->count == 4, pos);
    case 'X':
    case 'x':
        return parse_offset(x, item->count, item->letter == 'X', pos);
    case 'Z':
        if (item->count == 4)
            return parse_gmt(x, true, pos);
        return parse_offset(x, item->count == 5 ? 5 : 2, item->count == 5, pos);
    case ']':
        return pos;
    default:
        return parse_text(x, item, pos);
    }
}

/* The items [from, to); what an optional section took is forgotten when it does not fit whole. */
static Pos parse_items(Parse *x, size_t from, size_t to, Pos pos) {
    for (size_t i = from; i < to && pos >= 0; i++) {
        if (x->p->items[i].letter != '[') {
            pos = parse_item(x, i, pos);
            continue;
        }
        Parse saved = *x;
        size_t end = x->p->items[i].end;
        Pos inside = parse_items(x, i + 1, end, pos);
        if (inside >= 0)
            pos = inside;
        else
            *x = saved;
        i = end - 1;
    }
    return pos;
}

/* ---- from fields to a moment ---- */

Str date_range_problem(const char *field, int64_t low, int64_t high, int64_t value, Arena *arena) {
    return str_printf(arena, "Invalid value for %s (valid values %lld - %lld): %lld", field,
                      (long long)low, (long long)high, (long long)value);
}

Str date_problem(int64_t year, int64_t month, int64_t day, Arena *arena) {
    if (year < -999999999 || year > 999999999)
        return date_range_problem("Year", -999999999, 999999999, year, arena);
    if (month < 1 || month > 12)
        return date_range_problem("MonthOfYear", 1, 12, month, arena);
    if (day < 1 || day > 31)
        return str_printf(arena, "Invalid value for DayOfMonth (valid values 1 - 28/31): %lld",
                          (long long)day);
    if (day <= date_days_in_month(year, (unsigned)month))
        return (Str){0};
    if (day == 29)
        return str_printf(arena, "Invalid date 'February 29' as '%lld' is not a leap year",
                          (long long)year);
    char name[16];
    size_t n = strlen(MONTHS[month - 1]);
    for (size_t i = 0; i <= n; i++)
        name[i] = (char)toupper((unsigned char)MONTHS[month - 1][i]);
    return str_printf(arena, "Invalid date '%s %lld'", name, (long long)day);
}

static bool in_range(const Parse *x, int field, const char *name, int64_t low, int64_t high,
                     Arena *arena, Str *problem) {
    if (!x->has[field] || (x->fields[field] >= low && x->fields[field] <= high))
        return true;
    *problem = date_range_problem(name, low, high, x->fields[field], arena);
    return false;
}

static bool check_ranges(const Parse *x, Arena *arena, Str *problem) {
    if (x->has[F_DAY] && (x->fields[F_DAY] < 1 || x->fields[F_DAY] > 31)) {
        *problem = str_printf(arena, "Invalid value for DayOfMonth (valid values 1 - 28/31): %lld",
                              (long long)x->fields[F_DAY]);
        return false;
    }
    if (x->has[F_DOY] && (x->fields[F_DOY] < 1 || x->fields[F_DOY] > 366)) {
        *problem = str_printf(arena, "Invalid value for DayOfYear (valid values 1 - 365/366): %lld",
                              (long long)x->fields[F_DOY]);
        return false;
    }
    return in_range(x, F_YEAR, "Year", -999999999, 999999999, arena, problem) &&
           in_range(x, F_YOE, "YearOfEra", 1, 999999999, arena, problem) &&
           in_range(x, F_MONTH, "MonthOfYear", 1, 12, arena, problem) &&
           in_range(x, F_HOUR, "HourOfDay", 0, 23, arena, problem) &&
           in_range(x, F_CLOCK24, "ClockHourOfDay", 1, 24, arena, problem) &&
           in_range(x, F_HOUR12, "HourOfAmPm", 0, 11, arena, problem) &&
           in_range(x, F_CLOCK12, "ClockHourOfAmPm", 1, 12, arena, problem) &&
           in_range(x, F_MINUTE, "MinuteOfHour", 0, 59, arena, problem) &&
           in_range(x, F_SECOND, "SecondOfMinute", 0, 59, arena, problem);
}

static bool has_year(const Parse *x) {
    return x->has[F_YEAR] || x->has[F_YOE];
}

/* A month or a day that the day of the year contradicts. Spark names the given value first where the year is its own
 * 1970; where a year was written Java does, who names the derived one. */
static bool agrees(const Parse *x, int field, const char *name, int64_t derived, int64_t days, Arena *arena, Str *problem) {
    if (!x->has[field] || x->fields[field] == derived)
        return true;
    bool by_java = has_year(x);
    *problem = str_printf(arena, "Conflict found: Field %s %lld differs from %s %lld derived from " STR_FMT "%s", name,
                          (long long)(by_java ? derived : x->fields[field]), name, (long long)(by_java ? x->fields[field] : derived),
                          STR_ARG(date_text(days, arena)), by_java ? "" : ".");
    return false;
}

static bool resolve_day_of_year(const Parse *x, int64_t year, Arena *arena, int64_t *days, Str *problem) {
    if (x->fields[F_DOY] == 366 && date_days_in_month(year, 2) != 29) {
        *problem = str_printf(arena, "Invalid date 'DayOfYear 366' as '%lld' is not a leap year", (long long)year);
        return false;
    }
    *days = date_from_civil(year, 1, 1) + x->fields[F_DOY] - 1;
    int64_t own_year;
    unsigned month, day;
    date_to_civil(*days, &own_year, &month, &day);
    return agrees(x, F_MONTH, "MonthOfYear", month, *days, arena, problem) &&
           agrees(x, F_DAY, "DayOfMonth", day, *days, arena, problem);
}

static bool resolve_date(const Parse *x, Arena *arena, int64_t *days, Str *problem) {
    int64_t year = x->has[F_YEAR] ? x->fields[F_YEAR] : x->has[F_YOE] ? x->fields[F_YOE] : 1970;
    if (x->has[F_YOE] && x->has[F_ERA] && !x->fields[F_ERA])
        year = 1 - year;
    if (x->has[F_DOY] && (!has_year(x) || !x->has[F_MONTH] || !x->has[F_DAY]))
        return resolve_day_of_year(x, year, arena, days, problem);
    int64_t month = x->has[F_MONTH] ? x->fields[F_MONTH] : 1,
            day = x->has[F_DAY] ? x->fields[F_DAY] : 1;
    *problem = date_problem(year, month, day, arena);
    if (problem->len)
        return false;
    *days = date_from_civil(year, (unsigned)month, (unsigned)day);
    if (x->has[F_DOY] && *days - date_from_civil(year, 1, 1) + 1 != x->fields[F_DOY]) {
        *problem = str_printf(arena,
                              "Conflict found: Field DayOfYear %lld differs from DayOfYear %lld "
                              "derived from " STR_FMT,
                              (long long)(*days - date_from_civil(year, 1, 1) + 1),
                              (long long)x->fields[F_DOY], STR_ARG(date_text(*days, arena)));
        return false;
    }
    return true;
}

static int64_t resolve_hour(const Parse *x) {
    int64_t half = x->has[F_AMPM] ? 12 * x->fields[F_AMPM] : 0;
    if (x->has[F_HOUR])
        return x->fields[F_HOUR];
    if (x->has[F_CLOCK24])
        return x->fields[F_CLOCK24] % 24;
    if (x->has[F_HOUR12])
        return half + x->fields[F_HOUR12];
    if (x->has[F_CLOCK12])
        return half + x->fields[F_CLOCK12] % 12;
    return half;
}

bool date_pattern_parse(const DatePattern *p, Str text, Arena *arena, DateParsed *out,
                        Str *problem) {
    Parse x = {.p = p, .s = text};
    Str shown =
        text.len > 64 ? str_printf(arena, STR_FMT "...", STR_ARG(str_slice(text, 0, 64))) : text;
    Pos pos = parse_items(&x, 0, p->count, 0);
    if (pos < 0) {
        *problem = str_printf(arena, "Text '" STR_FMT "' could not be parsed at index %td",
                              STR_ARG(shown), ~pos);
        return false;
    }
    if (pos < (Pos)text.len) {
        *problem = str_printf(
            arena, "Text '" STR_FMT "' could not be parsed, unparsed text found at index %td",
            STR_ARG(shown), pos);
        return false;
    }
    int64_t days = 0;
    Str reason = {0};
    bool ranged = check_ranges(&x, arena, &reason);
    if (!ranged || !resolve_date(&x, arena, &days, &reason)) {
        bool own = ranged && x.has[F_DOY] && !has_year(&x);
        *problem = own ? reason : str_printf(arena, "Text '" STR_FMT "' could not be parsed: " STR_FMT, STR_ARG(shown), STR_ARG(reason));
        return false;
    }
    int64_t seconds = resolve_hour(&x) * 3600 + (x.has[F_MINUTE] ? x.fields[F_MINUTE] * 60 : 0) +
                      (x.has[F_SECOND] ? x.fields[F_SECOND] : 0);
    *out = (DateParsed){.has_zone = x.has_offset || x.zone, .zone = x.zone, .offset = x.offset};
    int64_t whole;
    if (__builtin_mul_overflow(days, US_PER_DAY, &whole) ||
        __builtin_add_overflow(
            whole, seconds * US_PER_SECOND + (x.has[F_NANO] ? x.fields[F_NANO] / 1000 : 0),
            &out->local_us)) {
        *problem = S("long overflow");
        return false;
    }
    return true;
}
