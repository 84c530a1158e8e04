/* Time zones: fixed offsets, and regions read once from the system's TZif files (RFC 8536). */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "type/datetime.h"

enum { ZONE_NAME_MAX = 64, ZONE_FILE_MAX = 1 << 18, MAX_OFFSET = 18 * 3600, DAY = 86400 };

/* One of the two yearly changes of a POSIX TZ rule. */
typedef struct Change {
    char form;            /* 'M' month.week.day, 'J' day 1..365 without 29 Feb, 'N' day 0..365 */
    int month, week, day;
    int time;             /* seconds of local time, may be negative */
} Change;

typedef struct Rule {
    bool present, has_summer;
    int standard, summer; /* seconds east */
    Change start, end;
} Rule;

struct Zone {
    Str name;
    size_t count;           /* transitions */
    const int64_t *at;      /* seconds UTC, ascending */
    const int32_t *offset;  /* in effect from at[i] on */
    int32_t before;         /* ahead of the first transition; the whole story of a fixed offset */
    Rule after;             /* from the last transition on */
};

/* ---- the rule behind the last transition ---- */

static int64_t change_day(const Change *c, int64_t year)
{
    if (c->form == 'J') {
        int64_t day = date_from_civil(year, 1, 1) + c->day - 1;
        bool leap = date_from_civil(year, 3, 1) - date_from_civil(year, 2, 1) == 29;
        return leap && c->day >= 60 ? day + 1 : day;
    }
    if (c->form == 'N')
        return date_from_civil(year, 1, 1) + c->day;
    int64_t first = date_from_civil(year, (unsigned)c->month, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = first + (c->day - weekday + 7) % 7 + (c->week - 1) * 7;
    int64_t last = first + (int64_t)date_days_in_month(year, (unsigned)c->month) - 1;
    while (day > last)
        day -= 7;
    return day;
}

static int32_t rule_offset(const Rule *r, int64_t utc)
{
    int64_t year;
    unsigned month, day;
    if (!r->has_summer)
        return r->standard;
    date_to_civil(floor_div(utc + r->standard, DAY), &year, &month, &day);
    int64_t start = change_day(&r->start, year) * DAY + r->start.time - r->standard;
    int64_t end = change_day(&r->end, year) * DAY + r->end.time - r->summer;
    bool summer = start < end ? utc >= start && utc < end : !(utc >= end && utc < start);
    return summer ? r->summer : r->standard;
}

/* POSIX TZ text: std offset [dst [offset] , start [/time] , end [/time]]. */
typedef struct RuleText {
    const char *at;
    const char *end;
} RuleText;

static bool more(const RuleText *t)
{
    return t->at < t->end;
}

static bool take(RuleText *t, char c)
{
    if (!more(t) || *t->at != c)
        return false;
    t->at++;
    return true;
}

static bool read_abbreviation(RuleText *t)
{
    const char *start = t->at;
    if (take(t, '<')) {
        while (more(t) && *t->at != '>')
            t->at++;
        return take(t, '>');
    }
    while (more(t) && ((*t->at | 32) >= 'a' && (*t->at | 32) <= 'z'))
        t->at++;
    return t->at - start >= 3;
}

static bool read_number(RuleText *t, int max, int *out)
{
    const char *start = t->at;
    *out = 0;
    while (more(t) && *t->at >= '0' && *t->at <= '9' && *out <= max)
        *out = *out * 10 + (*t->at++ - '0');
    return t->at > start && *out <= max;
}

/* [+-]h[:m[:s]], up to 167 hours. */
static bool read_hms(RuleText *t, int *seconds)
{
    int h, m = 0, s = 0;
    bool negative = take(t, '-');
    if (!negative)
        take(t, '+');
    if (!read_number(t, 167, &h))
        return false;
    if (take(t, ':') && (!read_number(t, 59, &m) || (take(t, ':') && !read_number(t, 59, &s))))
        return false;
    *seconds = (h * 60 + m) * 60 + s;
    if (negative)
        *seconds = -*seconds;
    return true;
}

static bool read_change(RuleText *t, Change *c)
{
    *c = (Change){.form = 'N', .time = 2 * 3600};
    if (take(t, 'M')) {
        c->form = 'M';
        if (!read_number(t, 12, &c->month) || !take(t, '.') || !read_number(t, 5, &c->week) ||
            !take(t, '.') || !read_number(t, 6, &c->day) || !c->month || !c->week)
            return false;
    } else {
        if (take(t, 'J'))
            c->form = 'J';
        if (!read_number(t, 365, &c->day))
            return false;
    }
    return take(t, '/') ? read_hms(t, &c->time) : true;
}

static bool read_rule(Str text, Rule *r)
{
    RuleText t = {text.ptr, text.ptr + text.len};
    int west;
    *r = (Rule){0};
    if (!read_abbreviation(&t) || !read_hms(&t, &west))
        return false;
    r->present = true;
    r->standard = -west;
    if (!more(&t))
        return true;
    if (!read_abbreviation(&t))
        return false;
    r->has_summer = true;
    r->summer = r->standard + 3600;
    if (more(&t) && *t.at != ',') {
        if (!read_hms(&t, &west))
            return false;
        r->summer = -west;
    }
    return take(&t, ',') && read_change(&t, &r->start) && take(&t, ',') && read_change(&t, &r->end);
}

/* ---- TZif ---- */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

typedef struct Header {
    size_t utc, standard, leaps, times, types, chars;
} Header;

enum { HEADER_LEN = 44, TYPE_LEN = 6 };

static bool read_header(const unsigned char *p, size_t len, Header *h)
{
    if (len < HEADER_LEN || memcmp(p, "TZif", 4) != 0)
        return false;
    *h = (Header){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
    /* No count may pass the file's size: the sums below then cannot overflow. */
    return h->utc <= ZONE_FILE_MAX && h->standard <= ZONE_FILE_MAX && h->leaps <= ZONE_FILE_MAX &&
           h->times <= ZONE_FILE_MAX && h->types <= ZONE_FILE_MAX && h->chars <= ZONE_FILE_MAX;
}

static size_t body_len(const Header *h, size_t time_size)
{
    return h->times * (time_size + 1) + h->types * TYPE_LEN + h->chars +
           h->leaps * (time_size + 4) + h->standard + h->utc;
}

static bool read_body(const unsigned char *p, const Header *h, Zone *z, Arena *arena)
{
    const unsigned char *index = p + h->times * 8, *types = index + h->times;
    int64_t *at = ARENA_ARRAY(arena, int64_t, h->times);
    int32_t *offset = ARENA_ARRAY(arena, int32_t, h->times);
    if (!h->types)
        return false;
    for (size_t i = 0; i < h->times; i++) {
        at[i] = be64(p + i * 8);
        if (index[i] >= h->types || (i && at[i] <= at[i - 1]))
            return false;
        offset[i] = (int32_t)be32(types + index[i] * TYPE_LEN);
        if (offset[i] > DAY || offset[i] < -DAY)
            return false;
    }
    z->count = h->times;
    z->at = at;
    z->offset = offset;
    z->before = (int32_t)be32(types);
    return true;
}

/* Version 2 and later: a 32-bit block to skip, the 64-bit block, then the rule between two newlines. */
static bool read_tzif(const unsigned char *p, size_t len, Zone *z, Arena *arena)
{
    Header h;
    if (!read_header(p, len, &h) || p[4] < '2')
        return false;
    size_t skip = HEADER_LEN + body_len(&h, 4);
    if (skip > len || !read_header(p + skip, len - skip, &h))
        return false;
    size_t start = skip + HEADER_LEN, rule = start + body_len(&h, 8);
    if (rule > len || !read_body(p + start, &h, z, arena))
        return false;
    Str rest = {(const char *)p + rule, len - rule};
    if (rest.len < 2 || rest.ptr[0] != '\n')
        return true;
    rest = str_slice(rest, 1, rest.len);
    ptrdiff_t end = str_find_char(rest, '\n');
    return end <= 0 || read_rule(str_slice(rest, 0, (size_t)end), &z->after);
}

/* ---- names ---- */

/* java.time.ZoneId.SHORT_IDS. */
static const struct {
    const char *id, *means;
} short_ids[] = {
    {"ACT", "Australia/Darwin"},    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},        {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},   {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},       {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},     {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},  {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},              {"HST", "-10:00"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},        {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},        {"MST", "-07:00"},
    {"NET", "Asia/Yerevan"},        {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},        {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"}, {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"}, {"VST", "Asia/Ho_Chi_Minh"},
};

static Str without_short_id(Str name)
{
    for (size_t i = 0; i < LENGTH_OF(short_ids); i++)
        if (str_is(name, short_ids[i].id))
            return str_from(short_ids[i].means);
    return name;
}

static int two_digits(Str s, size_t at)
{
    if (at + 2 > s.len || s.ptr[at] < '0' || s.ptr[at] > '9' || s.ptr[at + 1] < '0' || s.ptr[at + 1] > '9')
        return -1;
    return (s.ptr[at] - '0') * 10 + (s.ptr[at + 1] - '0');
}

/* After the sign: hh, hhmm, hhmmss, hh:mm, hh:mm:ss; hours and minutes may lack their zero where Spark
 * puts it back: h, h:mm, hh:m. */
static bool read_offset_digits(Str s, int32_t *seconds)
{
    char text[12];
    if (s.len == 1 || (s.len > 1 && s.ptr[1] == ':')) {
        if (s.len + 1 > sizeof text)
            return false;
        text[0] = '0';
        memcpy(text + 1, s.ptr, s.len);
        s = (Str){text, s.len + 1};
    }
    char padded[6];
    if (s.len == 4 && s.ptr[2] == ':') {
        memcpy(padded, s.ptr, 3);
        padded[3] = '0';
        padded[4] = s.ptr[3];
        s = (Str){padded, 5};
    }
    int h = two_digits(s, 0), m = 0, sec = 0;
    size_t colon = s.len > 2 && s.ptr[2] == ':';
    if (s.len == 4 + colon || s.len == 6 + 2 * colon)
        m = two_digits(s, 2 + colon);
    else if (s.len != 2)
        return false;
    if (s.len == 6 + 2 * colon)
        sec = !colon || s.ptr[5] == ':' ? two_digits(s, 4 + 2 * colon) : -1;
    *seconds = (h * 60 + m) * 60 + sec;
    return h >= 0 && m >= 0 && m <= 59 && sec >= 0 && sec <= 59 && *seconds <= MAX_OFFSET;
}

static bool read_offset(Str s, int32_t *seconds)
{
    if (s.len < 2 || (s.ptr[0] != '+' && s.ptr[0] != '-'))
        return false;
    TRY(read_offset_digits(str_slice(s, 1, s.len), seconds));
    if (s.ptr[0] == '-')
        *seconds = -*seconds;
    return true;
}

/* "Z", "+08:00", "UTC", "GMT-3", "UT+1". */
static bool read_fixed(Str name, int32_t *seconds)
{
    static const Str prefixes[] = {S_INIT("UTC"), S_INIT("GMT"), S_INIT("UT")};
    *seconds = 0;
    if (str_is(name, "Z"))
        return true;
    for (size_t i = 0; i < LENGTH_OF(prefixes); i++) {
        if (!str_starts_with(name, prefixes[i]))
            continue;
        Str rest = str_slice(name, prefixes[i].len, name.len);
        if (!rest.len || read_offset(rest, seconds))
            return true;
    }
    return read_offset(name, seconds);
}

/* Region ids only: nothing that could leave the directory. */
static bool is_region_name(Str name)
{
    if (!name.len || name.len > ZONE_NAME_MAX || str_find(name, S("..")) >= 0 ||
        str_find(name, S("//")) >= 0)
        return false;
    if (!((name.ptr[0] | 32) >= 'a' && (name.ptr[0] | 32) <= 'z'))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '+' && c != '-' && c != '/')
            return false;
    }
    /* The same tree again with other clocks, and an alias: java.time does not know them. */
    return !str_starts_with(name, S("posix/")) && !str_starts_with(name, S("right/")) &&
           !str_is(name, "ROC");
}

/* ---- the shared cache ---- */

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the three below */
static Arena *cache_arena;
static Map cache;
static unsigned char file_bytes[ZONE_FILE_MAX];

static bool load_region(Str name, Zone *z)
{
    char path[ZONE_NAME_MAX + 32];
    if (!is_region_name(name))
        return false;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
    FILE *in = fopen(path, "rbe");
    if (!in)
        return false;
    size_t len = fread(file_bytes, 1, sizeof file_bytes, in);
    fclose(in);
    return read_tzif(file_bytes, len, z, cache_arena);
}

static const Zone *find_locked(Str name)
{
    if (!cache_arena) {
        cache_arena = arena_new();
        cache = map_in(cache_arena);
    }
    const Zone *known = map_get(&cache, name);
    if (known)
        return known;
    Zone z = {0};
    Str target = without_short_id(name);
    if (!read_fixed(target, &z.before) && !load_region(target, &z))
        return NULL;
    z.name = str_copy(name, cache_arena);
    Zone *made = ARENA_NEW(cache_arena, Zone);
    *made = z;
    map_put(&cache, made->name, made);
    return made;
}

const Zone *zone_find(Str zone)
{
    /* Most threads ask for one zone again and again. */
    static _Thread_local const Zone *last;
    if (last && str_eq(last->name, zone))
        return last;
    if (!zone.len || zone.len > ZONE_NAME_MAX)
        return NULL;
    pthread_mutex_lock(&cache_lock);
    const Zone *found = find_locked(zone);
    pthread_mutex_unlock(&cache_lock);
    if (found)
        last = found;
    return found;
}

Str zone_name(const Zone *zone)
{
    return zone->name;
}

bool zone_is_known(Str zone)
{
    return zone_find(zone) != NULL;
}

/* ---- offsets ---- */

static int32_t offset_at_second(const Zone *z, int64_t utc)
{
    size_t low = 0, high = z->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->at[middle] <= utc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->count && z->after.present)
        return rule_offset(&z->after, utc);
    return low ? z->offset[low - 1] : z->before;
}

int64_t zone_offset_of(const Zone *zone, int64_t utc_us)
{
    return zone ? offset_at_second(zone, floor_div(utc_us, US_PER_SECOND)) : 0;
}

/* The offsets a little before and after frame any change near the reading; the earlier one wins in an
 * overlap, and applied to a gap it moves the reading forward by the gap's length. */
int64_t zone_utc_of(const Zone *zone, int64_t local_us)
{
    int64_t local = floor_div(local_us, US_PER_SECOND);
    if (!zone)
        return local_us;
    int32_t before = offset_at_second(zone, local - 16 * 3600);
    int32_t after = offset_at_second(zone, local + 16 * 3600);
    int32_t used = before;
    if (before != after && offset_at_second(zone, local - before) != before &&
        offset_at_second(zone, local - after) == after)
        used = after;
    return local_us - used * US_PER_SECOND;
}

int64_t zone_offset_at(Str zone, int64_t utc_us)
{
    return zone_offset_of(zone_find(zone), utc_us);
}

int64_t zone_to_utc(Str zone, int64_t local_us)
{
    return zone_utc_of(zone_find(zone), local_us);
}
