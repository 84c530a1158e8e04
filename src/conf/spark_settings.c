/* Spark's settings: their defaults, which of them a session may change, and what values they take. */
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

typedef struct SettingCheck {
    const char *key;
    const char *options; /* "A, B": the values allowed, in any case */
    const char *kind;    /* as Spark names the type in an error */
    bool positive;
} SettingCheck;

static const SettingCheck checks[] = {
#define CHECK_OPTIONS(key, options) {key, options, NULL, false},
#define CHECK_POSITIVE(key) {key, NULL, NULL, true},
#define CHECK_KIND(key, kind) {key, NULL, kind, false},
#include "conf/spark_checks.def"
#undef CHECK_OPTIONS
#undef CHECK_POSITIVE
#undef CHECK_KIND
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

static const SettingCheck *find_check(Str key)
{
    for (size_t i = 0; i < LENGTH_OF(checks); i++)
        if (str_is(key, checks[i].key))
            return &checks[i];
    return NULL;
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

static bool has_unit(Str value, const char *const *units, size_t count)
{
    size_t digits = value.len > 0 && value.ptr[0] == '-' ? 1 : 0;
    while (digits < value.len && value.ptr[digits] >= '0' && value.ptr[digits] <= '9')
        digits++;
    if (digits == 0 || (digits == 1 && value.ptr[0] == '-'))
        return false;
    Str unit = str_slice(value, digits, value.len);
    for (size_t i = 0; i < count; i++)
        if (str_is_ci(unit, units[i]))
            return true;
    return false;
}

/* JavaUtils.byteStringAs and timeStringAs: a whole number with an optional unit. */
static bool fits_kind(Str value, const char *kind)
{
    static const char *const bytes[] = {"", "b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb"};
    static const char *const times[] = {"", "us", "ms", "s", "m", "min", "h", "d"};
    int64_t number;
    value = str_trim(value);
    if (strcmp(kind, "boolean") == 0)
        return str_is_ci(value, "true") || str_is_ci(value, "false");
    if (strncmp(kind, "bytes", 5) == 0)
        return has_unit(value, bytes, LENGTH_OF(bytes));
    if (strncmp(kind, "time", 4) == 0)
        return has_unit(value, times, LENGTH_OF(times));
    return str_to_i64(value, &number);
}

static bool is_option(Str value, const char *options)
{
    Str rest = str_from(options);
    while (rest.len > 0) {
        ptrdiff_t comma = str_find(rest, S(", "));
        Str one = comma < 0 ? rest : str_slice(rest, 0, (size_t)comma);
        if (str_ieq(one, str_trim(value)))
            return true;
        rest = comma < 0 ? (Str){rest.ptr, 0} : str_slice(rest, (size_t)comma + 2, rest.len);
    }
    return false;
}

bool spark_setting_check(Str key, Str value, Error *err)
{
    const SparkSetting *setting = spark_setting(key);
    const SettingCheck *check = find_check(key);
    if (setting == NULL || (setting->value == NULL && check == NULL))
        return true;
    if (check != NULL && check->options != NULL && !is_option(value, check->options))
        return error_set(err, ERR_INVALID_CONF_VALUE__OUT_OF_RANGE_OF_OPTIONS, P("confName", key),
                         P("confValue", value), PZ("confOptions", check->options));
    const char *kind = check != NULL && check->kind != NULL ? check->kind : setting->value != NULL ? kind_of_default(setting->value) : NULL;
    if (kind != NULL && !fits_kind(value, kind))
        return error_set(err, ERR_INVALID_CONF_VALUE__TYPE_MISMATCH, P("confName", key), P("confValue", value),
                         PZ("confType", kind));
    int64_t number;
    if (check != NULL && check->positive && str_to_i64(str_trim(value), &number) && number <= 0)
        return error_set(err, ERR_INVALID_CONF_VALUE__REQUIREMENT, P("confName", key), P("confValue", value),
                         P("confRequirement", str_printf(err->arena, "The value of " STR_FMT " must be positive",
                                                         STR_ARG(key))));
    return true;
}
