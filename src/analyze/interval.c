/* INTERVAL 1 DAY 2 HOURS: folded to a literal when its values are constant, else built by a function. */
#include "analyze/analyze_impl.h"

#include <math.h>

typedef struct UnitRow {
    const char *name;
    bool months;         /* counts months rather than microseconds */
    int64_t factor;
    IntervalUnit unit;
} UnitRow;

static const UnitRow UNITS[] = {
    {"year", true, 12, UNIT_YEAR},
    {"month", true, 1, UNIT_MONTH},
    {"week", false, INT64_C(7) * 86400000000, UNIT_DAY},
    {"day", false, INT64_C(86400000000), UNIT_DAY},
    {"hour", false, INT64_C(3600000000), UNIT_HOUR},
    {"minute", false, INT64_C(60000000), UNIT_MINUTE},
    {"second", false, INT64_C(1000000), UNIT_SECOND},
    {"millisecond", false, 1000, UNIT_SECOND},
    {"microsecond", false, 1, UNIT_SECOND},
};

static const UnitRow *find_unit(Str unit)
{
    for (size_t i = 0; i < LENGTH_OF(UNITS); i++) {
        Str name = str_from(UNITS[i].name);
        if (str_ieq(unit, name) || (unit.len == name.len + 1 && str_istarts_with(unit, name)))
            return &UNITS[i];
    }
    return NULL;
}

static bool literal_number(const BoundExpr *e, int64_t *whole, int64_t *micros)
{
    *micros = 0;
    if (e->kind != BEXPR_LITERAL || e->literal.is_null)
        return false;
    if (type_is_integral(e->type)) {
        *whole = e->literal.integer;
        return true;
    }
    Str text = {0};
    if (e->type->kind == TYPE_STRING)
        text = str_trim(e->literal.bytes);
    else if (e->type->kind == TYPE_DECIMAL && e->type->decimal.scale <= 6) {
        int64_t unscaled = (int64_t)e->literal.decimal.low, scale = 1;
        for (int i = 0; i < e->type->decimal.scale; i++)
            scale *= 10;
        *whole = unscaled / scale;
        *micros = unscaled % scale * (1000000 / scale);
        return true;
    } else
        return false;
    ptrdiff_t dot = str_find_char(text, '.');
    if (dot < 0)
        return str_to_i64(text, whole);
    Str fraction = str_slice(text, (size_t)dot + 1, text.len);
    if (fraction.len > 9 || !str_to_i64(dot ? str_slice(text, 0, (size_t)dot) : S("0"), whole))
        return false;
    int64_t unit = 100000;
    for (size_t i = 0; i < fraction.len; i++, unit /= 10) {
        if (fraction.ptr[i] < '0' || fraction.ptr[i] > '9')
            return false;
        *micros += (fraction.ptr[i] - '0') * unit;
    }
    if (text.ptr[0] == '-')
        *micros = -*micros;
    return true;
}

static bool bad_interval(Analyzer *a, const Expr *e, Error *err)
{
    error_set(err, ERR_INVALID_INTERVAL_FORMAT__INPUT_IS_NULL, PZ("input", "interval"));
    return set_context(a, err, e->origin);
}

/* Values that are no constants go through make_ym_interval / make_dt_interval. */
static bool computed_interval(Analyzer *a, const Expr *e, const BoundExprVec *values, BoundExpr **out, Error *err)
{
    BoundExpr *parts[4];
    BoundExpr *zero = bound_literal(value_int(TYPE_INT, 0), a->arena);
    bool months = find_unit(e->interval.units.at[0])->months;
    size_t count = months ? 2 : 4;
    for (size_t i = 0; i < count; i++)
        parts[i] = zero;
    for (size_t i = 0; i < values->len; i++) {
        const UnitRow *u = find_unit(e->interval.units.at[i]);
        if (u->months != months || (!months && u->factor != 1000000 && u->factor < 60000000) || u->factor == INT64_C(7) * 86400000000)
            return error_unsupported(err, "an interval of %s with a computed value", u->name);
        size_t slot = months ? (u->unit == UNIT_MONTH) : (size_t)(u->unit - UNIT_DAY);
        parts[slot] = values->at[i];
    }
    return bind_builtin(a, months ? "make_ym_interval" : "make_dt_interval", count, parts, e->origin, out, err);
}

bool bind_interval(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    BoundExprVec values = {0};
    TRY(bind_exprs(a, &e->interval.values, scope, &values, err));
    __int128 months = 0, micros = 0;
    int64_t days = 0;
    bool has_months = false, has_micros = false;
    IntervalUnit low = UNIT_SECOND, high = UNIT_YEAR;
    bool constant = true;
    for (size_t i = 0; i < values.len; i++) {
        const UnitRow *u = find_unit(e->interval.units.at[i]);
        if (!u)
            return bad_interval(a, e, err);
        int64_t whole, fraction;
        if (!literal_number(values.at[i], &whole, &fraction)) {
            constant = false;
            continue;
        }
        (u->months ? &has_months : &has_micros)[0] = true;
        low = u->unit < low ? u->unit : low;
        high = u->unit > high ? u->unit : high;
        if (u->months)
            months += (__int128)whole * u->factor;
        else if (u->unit == UNIT_DAY) {
            days += whole * (u->factor / INT64_C(86400000000));
            micros += (__int128)whole * u->factor;
        } else
            micros += (__int128)whole * u->factor + (u->factor == 1000000 ? fraction : 0);
    }
    if (!constant)
        return computed_interval(a, e, &values, out, err);
    Value v = {0};
    if (has_months && has_micros) {
        v.type = type_simple(TYPE_INTERVAL_CALENDAR);
        v.calendar.months = (int32_t)months;
        v.calendar.days = (int32_t)days;
        v.calendar.micros = (int64_t)(micros - (__int128)days * INT64_C(86400000000));
    } else {
        __int128 total = has_months ? months : micros;
        int64_t limit = has_months ? INT32_MAX : INT64_MAX;
        if (total > limit || total < -(__int128)limit - 1)
            return error_set(err, ERR_ARITHMETIC_OVERFLOW, PZ("message", "long overflow"), PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
        v.type = type_interval(has_months ? TYPE_INTERVAL_YM : TYPE_INTERVAL_DT, low, high, a->arena);
        v.integer = (int64_t)total;
    }
    *out = bound_literal(v, a->arena);
    return true;
}
