/* Text of files as typed cells: dates, timestamps and decimals the way Spark's text sources read
 * them. */
#include <string.h>

#include "base/buf.h"
#include "engine/file_source_impl.h"
#include "type/datetime.h"

/* ---- patterns ---- */

static size_t run_length(Str pattern, size_t at)
{
    size_t n = 1;
    while (at + n < pattern.len && pattern.ptr[at + n] == pattern.ptr[at])
        n++;
    return n;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool time_pattern_is_known(Str pattern)
{
    bool quoted = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '\'')
            quoted = !quoted;
        else if (!quoted && is_letter(c) && !strchr("yuMdHhmsSaXxZ", c))
            return false;
        else if (!quoted && c == 'M' && run_length(pattern, i) > 3)
            return false;
    }
    return !quoted;
}

static bool take_digits(Str text, size_t *at, size_t least, size_t most, int64_t *out)
{
    size_t n = 0;
    *out = 0;
    while (n < most && *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9') {
        *out = *out * 10 + (text.ptr[(*at)++] - '0');
        n++;
    }
    return n >= least;
}

static bool take_month_name(Str text, size_t *at, int64_t *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++) {
        if (str_ieq(str_slice(text, *at, *at + 3), (Str){names + 3 * i, 3})) {
            *at += 3;
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* Z, +hh, +hhmm, +hh:mm, +hh:mm:ss */
static bool take_zone(Str text, size_t *at, int64_t *seconds)
{
    *seconds = 0;
    if (*at < text.len && (text.ptr[*at] == 'Z' || text.ptr[*at] == 'z')) {
        ++*at;
        return true;
    }
    if (*at >= text.len || (text.ptr[*at] != '+' && text.ptr[*at] != '-'))
        return false;
    bool west = text.ptr[(*at)++] == '-';
    int64_t part, unit = 3600;
    if (!take_digits(text, at, 2, 2, &part))
        return false;
    *seconds = part * unit;
    while (unit > 1) {
        size_t next = *at;
        unit /= 60;
        if (next < text.len && text.ptr[next] == ':')
            next++;
        if (!take_digits(text, &next, 2, 2, &part))
            break;
        *seconds += part * unit;
        *at = next;
    }
    if (west)
        *seconds = -*seconds;
    return true;
}

typedef struct Fields {
    int64_t year, month, day, hour, minute, second, micros, zone;
    bool has_zone, twelve, afternoon;
} Fields;

static bool take_field(char letter, size_t width, Str text, size_t *at, Fields *f)
{
    int64_t digits;
    size_t least = width, most = width == 1 ? 2 : width;
    switch (letter) {
    case 'y':
    case 'u':
        if (width == 2) {
            bool ok = take_digits(text, at, 2, 2, &f->year);
            f->year += 2000;
            return ok;
        }
        return take_digits(text, at, width < 4 ? 1 : 4, width < 4 ? 10 : width, &f->year);
    case 'M':
        return width == 3 ? take_month_name(text, at, &f->month)
                          : take_digits(text, at, least, most, &f->month);
    case 'd':
        return take_digits(text, at, least, most, &f->day);
    case 'H':
        return take_digits(text, at, least, most, &f->hour);
    case 'h':
        f->twelve = true;
        return take_digits(text, at, least, most, &f->hour);
    case 'm':
        return take_digits(text, at, least, most, &f->minute);
    case 's':
        return take_digits(text, at, least, most, &f->second);
    case 'S': {
        size_t from = *at;
        if (!take_digits(text, at, 1, width, &digits))
            return false;
        for (size_t n = *at - from; n < 6; n++)
            digits *= 10;
        for (size_t n = *at - from; n > 6; n--)
            digits /= 10;
        f->micros = digits;
        return true;
    }
    case 'a':
        f->afternoon = str_ieq(str_slice(text, *at, *at + 2), S("PM"));
        if (!f->afternoon && !str_ieq(str_slice(text, *at, *at + 2), S("AM")))
            return false;
        *at += 2;
        return true;
    default:
        f->has_zone = true;
        return take_zone(text, at, &f->zone);
    }
}

static bool fields_to_micros(const Fields *f, int64_t *us)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = f->year % 4 == 0 && (f->year % 100 != 0 || f->year % 400 == 0);
    if (f->month < 1 || f->month > 12 || f->day < 1 ||
        f->day > days[f->month - 1] + (f->month == 2 && leap) || f->minute > 59 || f->second > 59 ||
        f->year > 294246)
        return false;
    int64_t hour = f->hour;
    if (f->twelve) {
        if (hour < 1 || hour > 12)
            return false;
        hour = hour % 12 + (f->afternoon ? 12 : 0);
    }
    if (hour > 23)
        return false;
    int64_t date = date_from_civil(f->year, (unsigned)f->month, (unsigned)f->day);
    *us = date * US_PER_DAY + ((hour * 60 + f->minute) * 60 + f->second - f->zone) * US_PER_SECOND +
          f->micros;
    return true;
}

bool time_pattern_parse(Str pattern, Str text, int64_t *us, bool *has_zone)
{
    Fields f = {.year = 1970, .month = 1, .day = 1};
    size_t at = 0;
    bool quoted = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '\'') {
            quoted = !quoted;
        } else if (!quoted && c == '[') {
            /* An optional section is tried and passed over when it does not fit. */
            ptrdiff_t close = str_find_char(str_slice(pattern, i, pattern.len), ']');
            if (at >= text.len && close > 0)
                i += (size_t)close;
        } else if (!quoted && c == ']') {
            continue;
        } else if (!quoted && is_letter(c)) {
            size_t n = run_length(pattern, i);
            if (!take_field(c, n, text, &at, &f))
                return false;
            i += n - 1;
        } else if (at >= text.len || text.ptr[at++] != c) {
            return false;
        }
    }
    *has_zone = f.has_zone;
    return at == text.len && fields_to_micros(&f, us);
}

/* ---- dates and timestamps ---- */

bool file_parse_date(Str text, const FileOptions *o, int64_t *days)
{
    if (!o->date_format.len)
        return date_parse(text, days);
    int64_t us;
    bool has_zone;
    if (!time_pattern_parse(o->date_format, text, &us, &has_zone))
        return false;
    *days = us / US_PER_DAY - (us % US_PER_DAY < 0);
    return true;
}

bool file_parse_timestamp(Str text, const FileOptions *o, bool ntz, int64_t *us)
{
    Str format = ntz ? o->timestamp_ntz_format : o->timestamp_format;
    if (!format.len)
        return ntz ? timestamp_ntz_parse(text, false, us) : timestamp_parse(text, o->zone, us);
    bool has_zone;
    if (!time_pattern_parse(format, text, us, &has_zone) || (ntz && has_zone))
        return false;
    if (!ntz && !has_zone)
        *us = zone_to_utc(o->zone, *us);
    return true;
}

/* ---- writing cells ---- */

/* Spark's decoder puts U+FFFD for what is no UTF-8. */
Str text_as_utf8(Str text, Arena *arena)
{
    if (str_is_utf8(text))
        return text;
    Buf b = buf_in(arena);
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        size_t n = str_utf8_put(str_utf8_next(text, &at), bytes);
        buf_add_bytes(&b, bytes, n);
    }
    return buf_str(&b);
}

void cell_put_text(duckdb_vector vector, idx_t row, Str text)
{
    if (!str_is_utf8(text)) {
        AUTO_ARENA arena = arena_new();
        text = text_as_utf8(text, arena);
        duckdb_vector_assign_string_element_len(vector, row, text.ptr, text.len);
        return;
    }
    duckdb_unsafe_vector_assign_string_element_len(vector, row, text.ptr ? text.ptr : "", text.len);
}

bool cell_fits(TypeKind kind, int64_t v)
{
    switch (kind) {
    case TYPE_BYTE:
        return v == (int8_t)v;
    case TYPE_SHORT:
        return v == (int16_t)v;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_YM:
        return v == (int32_t)v;
    default:
        return true;
    }
}

void cell_put_int(duckdb_vector vector, idx_t row, TypeKind kind, int64_t v)
{
    void *data = duckdb_vector_get_data(vector);
    switch (kind) {
    case TYPE_BYTE:
        ((int8_t *)data)[row] = (int8_t)v;
        return;
    case TYPE_SHORT:
        ((int16_t *)data)[row] = (int16_t)v;
        return;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_YM:
        ((int32_t *)data)[row] = (int32_t)v;
        return;
    default:
        ((int64_t *)data)[row] = v;
        return;
    }
}

/* Digits and the power of ten they are multiplied by; at most 38 significant digits are kept, the
 * next one for rounding. */
static bool scan_decimal(Str text, char *digits, size_t room, size_t *count, int64_t *exponent,
                         bool *negative)
{
    size_t i = 0;
    bool point = false, any = false;
    *count = 0;
    *exponent = 0;
    *negative = text.len && text.ptr[0] == '-';
    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'))
        i++;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        any = true;
        *exponent -= point;
        if (*count || c != '0') {
            if (*count < room)
                digits[(*count)++] = c;
            else
                ++*exponent;
        }
    }
    if (any && i < text.len && (text.ptr[i] == 'e' || text.ptr[i] == 'E')) {
        int64_t e;
        Str tail = str_slice(text, i + 1, text.len);
        if (str_starts_with(tail, S("+")))
            tail = str_slice(tail, 1, tail.len);
        if (!str_to_i64(tail, &e) || e > 100000 || e < -100000)
            return false;
        *exponent += e;
        i = text.len;
    }
    return any && i == text.len;
}

bool cell_put_decimal(duckdb_vector vector, idx_t row, const Type *type, Str text)
{
    char digits[80];
    size_t count;
    int64_t exponent;
    bool negative;
    if (!scan_decimal(text, digits, sizeof(digits), &count, &exponent, &negative))
        return false;
    int precision = type->decimal.precision, scale = type->decimal.scale;
    int64_t keep =
        (int64_t)count + exponent + scale; /* how many of the digits stand before the cut */
    if (count && keep > precision)
        return false;
    __int128 v = 0, limit = 1;
    for (int64_t i = 0; i < keep; i++)
        v = v * 10 + (i < (int64_t)count ? digits[i] - '0' : 0);
    if (keep >= 0 && keep < (int64_t)count && digits[keep] >= '5')
        v++;
    for (int i = 0; i < precision; i++)
        limit *= 10;
    if (v >= limit)
        return false;
    if (negative)
        v = -v;
    void *data = duckdb_vector_get_data(vector);
    if (precision > 18)
        ((__int128 *)data)[row] = v;
    else if (precision > 9)
        ((int64_t *)data)[row] = (int64_t)v;
    else if (precision > 4)
        ((int32_t *)data)[row] = (int32_t)v;
    else
        ((int16_t *)data)[row] = (int16_t)v;
    return true;
}
