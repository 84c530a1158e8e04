/* Interval literals: INTERVAL 1 DAY 2 HOURS, INTERVAL '1-2' YEAR TO MONTH, INTERVAL '1 day'. All
 * are constants. */
#include "sql/parser_impl.h"

#include "type/datetime.h"

/* Ordered so that a range of units is from..to; what is below seconds counts as seconds in the
 * type. */
typedef struct Unit {
    const char *name;
    IntervalUnit field;
    enum { COUNT_MONTHS, COUNT_DAYS, COUNT_MICROS } counts;
    int64_t factor;
} Unit;

static const Unit units[] = {
    {"year", UNIT_YEAR, COUNT_MONTHS, 12},
    {"month", UNIT_MONTH, COUNT_MONTHS, 1},
    {"week", UNIT_DAY, COUNT_DAYS, 7},
    {"day", UNIT_DAY, COUNT_DAYS, 1},
    {"hour", UNIT_HOUR, COUNT_MICROS, 3600 * US_PER_SECOND},
    {"minute", UNIT_MINUTE, COUNT_MICROS, 60 * US_PER_SECOND},
    {"second", UNIT_SECOND, COUNT_MICROS, US_PER_SECOND},
    {"millisecond", UNIT_SECOND, COUNT_MICROS, 1000},
    {"microsecond", UNIT_SECOND, COUNT_MICROS, 1},
};

/* One unit word, singular or plural. */
static const Unit *find_unit(Str word)
{
    for (size_t i = 0; i < LENGTH_OF(units); i++) {
        size_t len = str_from(units[i].name).len;
        bool plural = word.len == len + 1 && (word.ptr[len] | 0x20) == 's';
        if ((word.len == len || plural) && str_is_ci(str_slice(word, 0, len), units[i].name))
            return &units[i];
    }
    return NULL;
}

typedef struct Sum {
    int64_t totals[3]; /* months, days, microseconds */
    bool any_months, any_micros;
    IntervalUnit from, to;
} Sum;

/* What went wrong in a text of units. */
typedef enum UnitFault { UNIT_FINE, UNIT_BAD, UNIT_OVERFLOW, UNIT_FRACTION } UnitFault;

static void widen(Sum *sum, const Unit *unit)
{
    bool first = !sum->any_months && !sum->any_micros;
    if (first || unit->field < sum->from)
        sum->from = unit->field;
    if (first || unit->field > sum->to)
        sum->to = unit->field;
    sum->any_months |= unit->counts == COUNT_MONTHS;
    sum->any_micros |= unit->counts != COUNT_MONTHS;
}

static bool add_scaled(int64_t *total, int64_t count, int64_t factor)
{
    int64_t product;
    return !__builtin_mul_overflow(count, factor, &product) &&
           !__builtin_add_overflow(*total, product, total);
}

/* number: "[+-]digits[.digits]" without blanks. */
static UnitFault add_units(Sum *sum, Str number, const Unit *unit)
{
    bool minus = number.len && number.ptr[0] == '-';
    if (number.len && (minus || number.ptr[0] == '+'))
        number = str_slice(number, 1, number.len);
    ptrdiff_t dot = str_find_char(number, '.');
    Str whole = dot < 0 ? number : str_slice(number, 0, (size_t)dot);
    Str fraction = dot < 0 ? (Str){0} : str_slice(number, (size_t)dot + 1, number.len);
    int64_t count = 0;
    if ((!whole.len && !fraction.len) || fraction.len > 9)
        return UNIT_BAD;
    for (size_t i = 0; i < whole.len; i++)
        if (whole.ptr[i] < '0' || whole.ptr[i] > '9')
            return UNIT_BAD;
    Str signed_whole = whole;
    char digits[32];
    if (whole.len > sizeof(digits) - 1)
        return UNIT_OVERFLOW;
    if (minus && whole.len) { /* so that the smallest long can be said */
        digits[0] = '-';
        for (size_t i = 0; i < whole.len; i++)
            digits[i + 1] = whole.ptr[i];
        signed_whole = (Str){digits, whole.len + 1};
    }
    if (whole.len && !str_to_i64(signed_whole, &count))
        return UNIT_OVERFLOW;
    int64_t nanos = 0;
    for (size_t i = 0; i < 9; i++) {
        char c = i < fraction.len ? fraction.ptr[i] : '0';
        if (c < '0' || c > '9')
            return UNIT_BAD;
        nanos = nanos * 10 + (c - '0');
    }
    if (dot >= 0 && unit->factor != US_PER_SECOND)
        return UNIT_FRACTION;
    widen(sum, unit);
    int64_t *total = &sum->totals[unit->counts];
    if (!add_scaled(total, count, unit->factor) ||
        !add_scaled(&sum->totals[COUNT_MICROS], minus ? -(nanos / 1000) : nanos / 1000, 1))
        return UNIT_OVERFLOW;
    bool narrow = unit->counts != COUNT_MICROS;
    return narrow && (*total < INT32_MIN || *total > INT32_MAX) ? UNIT_OVERFLOW : UNIT_FINE;
}

static bool sum_value(Parser *p, const Sum *sum, size_t from, Value *out)
{
    if (sum->any_months && sum->any_micros)
        return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0029, P("literal", source_text(p, from)));
    TypeKind kind = sum->any_months ? TYPE_INTERVAL_YM : TYPE_INTERVAL_DT;
    int64_t micros = sum->totals[COUNT_MICROS];
    if (!add_scaled(&micros, sum->totals[COUNT_DAYS], US_PER_DAY))
        return error_set(p->err, ERR_INTERVAL_ARITHMETIC_OVERFLOW__WITHOUT_SUGGESTION);
    *out = value_int(kind, sum->any_months ? sum->totals[COUNT_MONTHS] : micros);
    out->type = type_interval(kind, sum->from, sum->to, p->arena);
    return true;
}

/* ---- INTERVAL '1 day 2 hours' ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static Str next_word(Str text, size_t *pos)
{
    while (*pos < text.len && is_blank(text.ptr[*pos]))
        (*pos)++;
    size_t start = *pos;
    while (*pos < text.len && !is_blank(text.ptr[*pos]))
        (*pos)++;
    return str_slice(text, start, *pos);
}

/* "- 1", "-1": the sign may stand apart. */
static Str next_number(Parser *p, Str text, size_t *pos)
{
    Str word = next_word(text, pos);
    if (str_is(word, "-") || str_is(word, "+"))
        word = str_concat(p->arena, word, next_word(text, pos));
    return word;
}

bool interval_literal_of(Parser *p, Str text, size_t from, Value *out, bool *bad)
{
    Sum sum = {0};
    size_t pos = 0, after;
    after = pos;
    if (str_is_ci(next_word(text, &after), "interval"))
        pos = after;
    *bad = true;
    for (size_t n = 0;; n++) {
        Str number = next_number(p, text, &pos);
        if (!number.len && n)
            break;
        Str word = next_word(text, &pos);
        const Unit *unit = find_unit(word);
        if (!unit || add_units(&sum, number, unit) != UNIT_FINE)
            return false;
    }
    *bad = false;
    return sum_value(p, &sum, from, out);
}

/* ---- INTERVAL '1-2' YEAR TO MONTH ---- */

static bool is_unit_word(TokenKind kind, bool plural_too)
{
    switch (kind) {
    case KW_YEAR:
    case KW_MONTH:
    case KW_DAY:
    case KW_HOUR:
    case KW_MINUTE:
    case KW_SECOND: return true;
    case KW_YEARS:
    case KW_MONTHS:
    case KW_WEEK:
    case KW_WEEKS:
    case KW_DAYS:
    case KW_HOURS:
    case KW_MINUTES:
    case KW_SECONDS:
    case KW_MILLISECOND:
    case KW_MILLISECONDS:
    case KW_MICROSECOND:
    case KW_MICROSECONDS:
    case KW_NANOSECOND:
    case KW_NANOSECONDS: return plural_too;
    default: return false;
    }
}

static IntervalUnit field_of(TokenKind kind)
{
    switch (kind) {
    case KW_YEAR: return UNIT_YEAR;
    case KW_MONTH: return UNIT_MONTH;
    case KW_DAY: return UNIT_DAY;
    case KW_HOUR: return UNIT_HOUR;
    case KW_MINUTE: return UNIT_MINUTE;
    default: return UNIT_SECOND;
    }
}

static const char *const field_names[] = {"year", "month", "day", "hour", "minute", "second"};
static const char *const field_shapes[] = {"y", "m", "d", "h", "m", "s.n"};
/* What stands before a field: years and months "-", after days a blank, between times ":". */
static const char field_separators[] = {0, '-', 0, ' ', ':', ':'};

static bool format_error(Parser *p, Str text, IntervalUnit from, IntervalUnit to, size_t at)
{
    Buf shape = buf_in(p->arena);
    for (int f = from; f <= (int)to; f++) {
        if (f > (int)from)
            buf_addc(&shape, field_separators[f]);
        buf_addz(&shape, field_shapes[f]);
    }
    bool months = to == UNIT_MONTH;
    Str head = str_upper(str_from(field_names[from]), p->arena),
        tail = str_upper(str_from(field_names[to]), p->arena);
    Str supported = str_printf(
        p->arena,
        "`[+|-]" STR_FMT "`, `INTERVAL [+|-]'[+|-]" STR_FMT "' " STR_FMT " TO " STR_FMT "`",
        STR_ARG(buf_str(&shape)), STR_ARG(buf_str(&shape)), STR_ARG(head), STR_ARG(tail));
    return REFUSE(p, at, ERR_INVALID_INTERVAL_FORMAT__UNMATCHED_FORMAT_STRING_WITH_NOTICE,
                  PZ("intervalStr", months ? "year-month" : "day-time"),
                  P("supportedFormat", supported),
                  P("typeName",
                    str_printf(p->arena, "interval %s to %s", field_names[from], field_names[to])),
                  P("input", text));
}

/* The largest value of a field that leads and of one that does not. */
static const int64_t leading_limits[] = {178956970,  INT64_MAX,    106751991,
                                         2562047788, 153722867280, INT64_MAX};
static const int64_t field_limits[] = {INT64_MAX, 11, INT64_MAX, 23, 59, 59};

static bool range_fault(Parser *p, Str text, IntervalUnit field, int64_t count, int64_t limit,
                        size_t at)
{
    if (field <= UNIT_MONTH)
        return REFUSE(p, at, ERR_INVALID_INTERVAL_FORMAT__INTERVAL_PARSING, P("input", text),
                      PZ("interval", "year-month"));
    return REFUSE(
        p, at, ERR__LEGACY_ERROR_TEMP_0063,
        P("msg", str_printf(p->arena, "requirement failed: %s %lld outside range [0, %lld]",
                            field_names[field], (long long)count, (long long)limit)));
}

/* Digits of one field; the first may be long, the others have one or two. */
static bool read_field(Str text, size_t *pos, bool leading, int64_t *out)
{
    size_t start = *pos;
    while (*pos < text.len && text.ptr[*pos] >= '0' && text.ptr[*pos] <= '9')
        (*pos)++;
    size_t len = *pos - start;
    return len && len <= (leading ? 18u : 2u) && str_to_i64(str_slice(text, start, *pos), out);
}

static bool read_fraction(Str text, size_t *pos, int64_t *micros)
{
    *micros = 0;
    if (*pos >= text.len || text.ptr[*pos] != '.')
        return true;
    size_t start = ++*pos;
    int64_t nanos = 0;
    for (int i = 0; i < 9; i++) {
        bool digit = *pos < text.len && text.ptr[*pos] >= '0' && text.ptr[*pos] <= '9';
        nanos = nanos * 10 + (digit ? text.ptr[*pos] - '0' : 0);
        *pos += digit;
    }
    *micros = nanos / 1000;
    return *pos > start;
}

/* A field's share: months of years, microseconds of the rest. */
static int64_t field_factor(int field)
{
    static const int64_t factors[] = {
        12, 1, US_PER_DAY, 3600 * US_PER_SECOND, 60 * US_PER_SECOND, US_PER_SECOND};
    return factors[field];
}

static bool fields_value(Parser *p, Str input, IntervalUnit from, IntervalUnit to, size_t at,
                         int64_t *total)
{
    size_t pos = 0;
    Str text = str_trim(input);
    bool minus = text.len && text.ptr[0] == '-', months = to == UNIT_MONTH;
    int64_t sign = minus ? -1 : 1; /* each part is signed, so that the smallest value can be said */
    pos += text.len && (minus || text.ptr[0] == '+');
    *total = 0;
    for (int f = from; f <= (int)to; f++) {
        int64_t count, micros = 0;
        if (f > (int)from) {
            if (pos >= text.len || text.ptr[pos] != field_separators[f])
                return format_error(p, text, from, to, at);
            pos++;
        }
        if (!read_field(text, &pos, f == (int)from, &count) ||
            (f == UNIT_SECOND && !read_fraction(text, &pos, &micros)))
            return format_error(p, text, from, to, at);
        int64_t limit = f == (int)from ? leading_limits[f] : field_limits[f];
        if (count > limit || !add_scaled(total, sign * count, field_factor(f)) ||
            !add_scaled(total, sign * micros, 1))
            return range_fault(p, input, (IntervalUnit)f, count, limit, at);
    }
    if (pos != text.len)
        return format_error(p, input, from, to, at);
    if (months && (*total > INT32_MAX || *total < INT32_MIN))
        return range_fault(p, input, UNIT_YEAR, 0, 0, at);
    return true;
}

/* At a value: its index behind an optional sign; 0 when no value stands there. */
static size_t value_end(const Parser *p, size_t ahead)
{
    if (kind_at(p, ahead) == TOK_MINUS || kind_at(p, ahead) == TOK_PLUS)
        ahead++;
    if (kind_at(p, ahead) == TOK_INTEGER || kind_at(p, ahead) == TOK_DECIMAL)
        return ahead + 1;
    if (!is_string_at(p, ahead))
        return 0;
    while (is_string_at(p, ahead))
        ahead++;
    return ahead;
}

/* A second value behind a range: the whole literal is shown. */
static bool refuse_second_range(Parser *p, size_t from)
{
    for (size_t end; (end = value_end(p, 0)) && is_unit_word(kind_at(p, end), true);) {
        p->pos += end + 1;
        if (is_at(p, KW_TO) && is_unit_word(kind_at(p, 1), false))
            p->pos += 2;
    }
    return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0024);
}

static bool parse_unit_to_unit(Parser *p, size_t from, Str text, bool is_text, size_t value_at,
                               Expr **out)
{
    size_t last = p->pos + 2;
    IntervalUnit first = field_of(current(p)), second = field_of(kind_at(p, 2));
    if (!is_unit_word((TokenKind)p->tokens[last < p->count ? last : p->count - 1].kind, false))
        return syntax_error_at(p, last);
    p->pos = last + 1;
    if (!is_text)
        return REFUSE(p, value_at, ERR__LEGACY_ERROR_TEMP_0027);
    bool months = first == UNIT_YEAR && second == UNIT_MONTH;
    bool times = first >= UNIT_DAY && second > first;
    if (!months && !times)
        return REFUSE(p, value_at, ERR_INVALID_INTERVAL_FORMAT__UNSUPPORTED_FROM_TO_EXPRESSION,
                      P("input", text), PZ("from", field_names[first]),
                      PZ("to", field_names[second]));
    int64_t total;
    TRY(fields_value(p, text, first, second, value_at, &total));
    if (value_end(p, 0) && is_unit_word(kind_at(p, value_end(p, 0)), true))
        return refuse_second_range(p, from);
    TypeKind kind = months ? TYPE_INTERVAL_YM : TYPE_INTERVAL_DT;
    *out = new_expr(p, EXPR_LITERAL, from);
    (*out)->literal = value_int(kind, total);
    (*out)->literal.type = type_interval(kind, first, second, p->arena);
    return true;
}

/* ---- INTERVAL 1 DAY 2 HOURS ---- */

bool is_interval_literal(const Parser *p)
{
    if (is_string_at(p, 1) && !is_string_at(p, 2) && !is_unit_word(kind_at(p, 2), true))
        return false; /* INTERVAL '1 day' is a typed literal */
    size_t end = value_end(p, 1);
    return end && is_unit_word(kind_at(p, end), true);
}

/* The value as written, its sign in front. */
static bool parse_interval_value(Parser *p, Str *out, bool *is_text)
{
    bool minus = is_at(p, TOK_MINUS);
    if (minus || is_at(p, TOK_PLUS))
        advance(p);
    *is_text = is_string_at(p, 0);
    if (*is_text) {
        TRY(parse_string(p, out));
    } else {
        *out = token_text(p, peek_at(p, 0));
        advance(p);
    }
    if (!minus)
        return true;
    bool twice = out->len && out->ptr[0] == '-';
    *out = twice ? str_slice(*out, 1, out->len) : str_concat(p->arena, S("-"), *out);
    return true;
}

static bool has_letter(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((text.ptr[i] | 0x20) >= 'a' && (text.ptr[i] | 0x20) <= 'z') ||
            (unsigned char)text.ptr[i] & 0x80)
            return true;
    return false;
}

static bool unit_fault(Parser *p, UnitFault fault, Str number, Str unit)
{
    Str input = str_printf(p->arena, " " STR_FMT " " STR_FMT, STR_ARG(number), STR_ARG(unit));
    if (fault == UNIT_OVERFLOW)
        return error_set(p->err, ERR_INVALID_INTERVAL_FORMAT__ARITHMETIC_EXCEPTION,
                         P("input", input));
    if (fault == UNIT_FRACTION)
        return error_set(p->err, ERR_INVALID_INTERVAL_FORMAT__INVALID_FRACTION, P("input", input),
                         P("unit", str_lower(unit, p->arena)));
    return error_set(p->err, ERR_INVALID_INTERVAL_FORMAT__UNRECOGNIZED_NUMBER, P("input", input),
                     P("number", number));
}

bool parse_interval(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Sum sum = {0};
    advance(p);
    for (size_t end; (end = value_end(p, 0)) && is_unit_word(kind_at(p, end), true);) {
        size_t value_at = mark(p);
        Str number;
        bool is_text;
        TRY(parse_interval_value(p, &number, &is_text));
        if (kind_at(p, 1) == KW_TO && is_unit_word(kind_at(p, 2), false)) {
            if (value_at != from + 1)
                return p->pos += 3, refuse_second_range(p, from);
            return parse_unit_to_unit(p, from, number, is_text, value_at, out);
        }
        Str word = token_text(p, peek_at(p, 0));
        const Unit *unit = find_unit(word);
        advance(p);
        if (is_text && has_letter(number))
            return REFUSE(p, value_at, ERR__LEGACY_ERROR_TEMP_0026, P("value", number));
        if (!unit)
            return error_set(p->err, ERR_INVALID_INTERVAL_FORMAT__INVALID_UNIT, P("unit", word),
                             P("input", str_concat(p->arena, S(" "), source_text(p, value_at))));
        size_t at = 0;
        UnitFault fault = add_units(&sum, next_number(p, number, &at), unit);
        if (fault == UNIT_FINE && next_word(number, &at).len)
            fault = UNIT_BAD;
        if (fault != UNIT_FINE)
            return unit_fault(p, fault, number, word);
    }
    Value v;
    TRY(sum_value(p, &sum, from, &v));
    *out = new_expr(p, EXPR_LITERAL, from);
    (*out)->literal = v;
    return true;
}
