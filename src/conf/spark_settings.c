/* Spark's settings: their defaults, which of them a session may change, and what values they take. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conf/settings.h"

static const SparkSetting recorded[] = {
#define SETTING(key, value, flags) {key, value, flags},
#include "conf/spark_settings.def"
#undef SETTING
};

static const SparkSetting own[] = {
#define OWN_DEFAULT(key, value) {key, value, 0},
#include "conf/own_defaults.def"
#undef OWN_DEFAULT
};

static const char *const core_keys[] = {
#define CORE_SETTING(key) key,
#include "conf/spark_core_settings.def"
#undef CORE_SETTING
};

typedef enum CheckCase { CASE_EXACT, CASE_ANY, CASE_UPPER } CheckCase;

typedef struct SettingCheck {
    const char *key;
    const char *kind;        /* as Spark names the type in an error; "text" is free */
    const char *named;       /* the key an error shows, where the setting falls back to another one */
    const char *options;     /* "A, B": the values allowed */
    const char *requirement; /* NULL with options: OUT_OF_RANGE_OF_OPTIONS */
    const char *removed;     /* the version that dropped it; options: what it still takes; requirement: why */
    double least, greatest;
    CheckCase text_case;
    bool ranged;
} SettingCheck;

static const SettingCheck checks[] = {
#define CHECK_KIND(k, type) {.key = k, .kind = type},
#define CHECK_NAMED(k, name) {.key = k, .named = name},
#define CHECK_OPTIONS(k, values, as) {.key = k, .options = values, .text_case = CASE_##as},
#define CHECK_WORDS(k, values, as, text) {.key = k, .options = values, .text_case = CASE_##as, .requirement = text},
#define CHECK_RANGE(k, low, high, text) {.key = k, .least = low, .greatest = high, .requirement = text, .ranged = true},
#define CHECK_REMOVED(k, value, version, text) {.key = k, .options = value, .removed = version, .requirement = text},
#include "conf/spark_checks.def"
#undef CHECK_KIND
#undef CHECK_NAMED
#undef CHECK_OPTIONS
#undef CHECK_WORDS
#undef CHECK_RANGE
#undef CHECK_REMOVED
};

static int compare_key(const void *key, const void *row)
{
    return str_cmp(*(const Str *)key, str_from(((const SparkSetting *)row)->key));
}

static int compare_core(const void *key, const void *row)
{
    return str_cmp(*(const Str *)key, str_from(*(const char *const *)row));
}

const SparkSetting *spark_setting(Str key)
{
    for (size_t i = 0; i < LENGTH_OF(own); i++)
        if (str_is(key, own[i].key))
            return &own[i];
    return bsearch(&key, recorded, LENGTH_OF(recorded), sizeof *recorded, compare_key);
}

size_t spark_setting_count(void)
{
    return LENGTH_OF(recorded);
}

const SparkSetting *spark_setting_at(size_t i)
{
    return spark_setting(str_from(recorded[i].key));
}

bool spark_setting_is_core(Str key)
{
    return bsearch(&key, core_keys, LENGTH_OF(core_keys), sizeof *core_keys, compare_core) != NULL;
}

static int compare_check(const void *key, const void *row)
{
    return str_cmp(*(const Str *)key, str_from(((const SettingCheck *)row)->key));
}

/* A key may have several rows, one after the other. */
static const SettingCheck *first_check(Str key)
{
    const SettingCheck *c = bsearch(&key, checks, LENGTH_OF(checks), sizeof *checks, compare_check);
    while (c && c > checks && str_is(key, c[-1].key))
        c--;
    return c;
}

static const SettingCheck *next_check(const SettingCheck *c)
{
    return c + 1 < checks + LENGTH_OF(checks) && strcmp(c[1].key, c->key) == 0 ? c + 1 : NULL;
}

static bool is_digits(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

/* The type a recorded default shows: bytes print as "10b", times as "10ms", numbers and booleans as they are. */
static const char *kind_of_default(const char *value)
{
    Str v = str_from(value);
    if (str_is(v, "true") || str_is(v, "false"))
        return "boolean";
    Str number = v.len > 0 && v.ptr[0] == '-' ? str_slice(v, 1, v.len) : v;
    if (is_digits(number))
        return "int";
    if (str_ends_with(number, S("ms")) && is_digits(str_slice(number, 0, number.len - 2)))
        return "time in MILLISECONDS";
    if (str_ends_with(number, S("s")) && is_digits(str_slice(number, 0, number.len - 1)))
        return "time in SECONDS";
    if (str_ends_with(number, S("b")) && is_digits(str_slice(number, 0, number.len - 1)))
        return "bytes in BYTE";
    return NULL;
}

typedef struct Unit {
    const char *name;
    double size;
} Unit;

static const Unit BYTE_UNITS[] = {{"", 0}, {"b", 1}, {"k", 0x1p10}, {"kb", 0x1p10}, {"m", 0x1p20}, {"mb", 0x1p20}, {"g", 0x1p30},
                                  {"gb", 0x1p30}, {"t", 0x1p40}, {"tb", 0x1p40}, {"p", 0x1p50}, {"pb", 0x1p50}};
static const Unit TIME_UNITS[] = {{"", 0}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};

/* The unit that a number without one has, by the end of its kind's name. */
static double own_unit(const char *kind)
{
    static const Unit OWN[] = {{"BYTE", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"MILLISECONDS", 1e-3}, {"SECONDS", 1}, {"MINUTES", 60}};
    for (size_t i = 0; i < LENGTH_OF(OWN); i++)
        if (str_ends_with(str_from(kind), str_from(OWN[i].name)))
            return OWN[i].size;
    return 1;
}

/* JavaUtils.byteStringAs and timeStringAs: a whole number with an optional unit, counted in whole ones of the kind's own. */
static bool read_units(Str value, const Unit *units, size_t count, double own, double *out)
{
    size_t digits = value.len > 0 && value.ptr[0] == '-' ? 1 : 0;
    while (digits < value.len && value.ptr[digits] >= '0' && value.ptr[digits] <= '9')
        digits++;
    int64_t number;
    if (!str_to_i64(str_slice(value, 0, digits), &number))
        return false;
    Str unit = str_slice(value, digits, value.len);
    for (size_t i = 0; i < count; i++)
        if (str_is_ci(unit, units[i].name)) {
            *out = units[i].size > 0 ? trunc((double)number * units[i].size / own) : (double)number;
            return true;
        }
    return false;
}

static bool read_double(Str value, double *out)
{
    char text[64], *end;
    if (value.len == 0 || value.len >= sizeof text)
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = 0;
    *out = strtod(text, &end);
    return *end == 0;
}

/* Whether the value is one of its kind; *out: as a number where the kind has numbers. */
static bool fits_kind(Str value, const char *kind, double *out)
{
    int64_t number;
    value = str_trim(value);
    if (strcmp(kind, "text") == 0)
        return true;
    if (strcmp(kind, "boolean") == 0)
        return str_is_ci(value, "true") || str_is_ci(value, "false");
    if (strncmp(kind, "bytes", 5) == 0)
        return read_units(value, BYTE_UNITS, LENGTH_OF(BYTE_UNITS), own_unit(kind), out);
    if (strncmp(kind, "time", 4) == 0)
        return read_units(value, TIME_UNITS, LENGTH_OF(TIME_UNITS), own_unit(kind), out);
    if (strcmp(kind, "double") == 0)
        return read_double(value, out);
    if (!str_to_i64(value, &number) || (strcmp(kind, "int") == 0 && number != (int32_t)number))
        return false;
    *out = (double)number;
    return true;
}

static bool is_option(Str value, const SettingCheck *check)
{
    Str rest = str_from(check->options);
    while (rest.len > 0) {
        ptrdiff_t comma = str_find(rest, S(", "));
        Str one = comma < 0 ? rest : str_slice(rest, 0, (size_t)comma);
        if (check->text_case == CASE_EXACT ? str_eq(one, value) : str_ieq(one, str_trim(value)))
            return true;
        rest = comma < 0 ? (Str){rest.ptr, 0} : str_slice(rest, (size_t)comma + 2, rest.len);
    }
    return false;
}

static Str requirement_text(const SettingCheck *check, Arena *arena)
{
    Str text = str_from(check->requirement);
    ptrdiff_t at = str_find(text, S("%s"));
    if (at < 0)
        return text;
    return str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(str_slice(text, 0, (size_t)at)), check->key,
                      STR_ARG(str_slice(text, (size_t)at + 2, text.len)));
}

/* A number as a requirement's error shows it: sizes in bytes, times in milliseconds, a double as Java prints it. */
static Str shown_number(const char *kind, double number, Str value, Arena *arena)
{
    if (kind == NULL)
        return value;
    if (strncmp(kind, "bytes", 5) == 0)
        return str_printf(arena, "%.0fb", number * own_unit(kind));
    if (strncmp(kind, "time", 4) == 0)
        return str_printf(arena, "%.0fms", number * own_unit(kind) * 1000);
    if (strcmp(kind, "double") == 0 && number == trunc(number) && fabs(number) < 1e7)
        return str_printf(arena, "%.1f", number);
    return value;
}

static bool check_value(const SettingCheck *check, const char *kind, Str key, Str value, double number, Error *err)
{
    if (check->options != NULL && !is_option(value, check)) {
        Str shown = check->text_case == CASE_UPPER ? str_upper(value, err->arena) : value;
        if (check->requirement == NULL)
            return error_set(err, ERR_INVALID_CONF_VALUE__OUT_OF_RANGE_OF_OPTIONS, P("confName", key), P("confValue", shown),
                             PZ("confOptions", check->options));
        return error_set(err, ERR_INVALID_CONF_VALUE__REQUIREMENT, P("confName", key), P("confValue", shown),
                         P("confRequirement", requirement_text(check, err->arena)));
    }
    if (check->ranged && (number < check->least || number > check->greatest))
        return error_set(err, ERR_INVALID_CONF_VALUE__REQUIREMENT, P("confName", key),
                         P("confValue", shown_number(kind, number, value, err->arena)),
                         P("confRequirement", requirement_text(check, err->arena)));
    return true;
}

bool spark_setting_check(Str key, Str value, Error *err)
{
    const SparkSetting *setting = spark_setting(key);
    const SettingCheck *rows = first_check(key);
    if (rows != NULL && rows->removed != NULL)
        return str_is(value, rows->options) ||
               error_set(err, ERR__LEGACY_ERROR_TEMP_1226, P("configName", key), PZ("version", rows->removed), PZ("comment", rows->requirement));
    if (setting == NULL)
        return true;
    const char *kind = setting->value ? kind_of_default(setting->value) : NULL;
    Str shown = key;
    for (const SettingCheck *c = rows; c != NULL; c = next_check(c)) {
        kind = c->kind != NULL ? c->kind : kind;
        shown = c->named != NULL ? str_from(c->named) : shown;
    }
    double number = 0;
    if (kind != NULL && !fits_kind(value, kind, &number))
        return error_set(err, ERR_INVALID_CONF_VALUE__TYPE_MISMATCH, P("confName", shown), P("confValue", value), PZ("confType", kind));
    for (const SettingCheck *c = rows; c != NULL; c = next_check(c))
        TRY(check_value(c, kind, shown, value, number, err));
    return true;
}
