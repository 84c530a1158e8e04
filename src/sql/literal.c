/* Numbers and typed literals: DATE '..', TIMESTAMP '..', X'..'. */
#include "sql/parser_impl.h"

#include <math.h>

#include "type/datetime.h"

Expr *string_literal(Parser *p, Str text, size_t from)
{
    Expr *e = new_expr(p, EXPR_LITERAL, from);
    e->literal = value_string(text);
    return e;
}

static bool literal(Parser *p, Value v, size_t from, Expr **out)
{
    *out = new_expr(p, EXPR_LITERAL, from);
    (*out)->literal = v;
    return true;
}

/* ---- numbers ---- */

bool is_number(TokenKind kind)
{
    return kind >= TOK_INTEGER && kind <= TOK_BIGDECIMAL;
}

typedef struct NumberRange {
    uint16_t token;
    TypeKind type;
    const char *name, *low, *high;
    int64_t min, max; /* of the integral ones */
} NumberRange;

static const NumberRange ranges[] = {
    {TOK_TINYINT, TYPE_BYTE, "tinyint", "-128", "127", INT8_MIN, INT8_MAX},
    {TOK_SMALLINT, TYPE_SHORT, "smallint", "-32768", "32767", INT16_MIN, INT16_MAX},
    {TOK_BIGINT, TYPE_LONG, "bigint", "-9223372036854775808", "9223372036854775807", INT64_MIN,
     INT64_MAX},
    {TOK_FLOAT, TYPE_FLOAT, "float", "-3.4028234663852886E+38", "3.4028234663852886E+38", 0, 0},
    {TOK_DOUBLE, TYPE_DOUBLE, "double", "-1.7976931348623157E+308", "1.7976931348623157E+308", 0,
     0},
    {TOK_EXPONENT, TYPE_DOUBLE, "double", "-1.7976931348623157E+308", "1.7976931348623157E+308", 0,
     0},
};

static bool range_error(Parser *p, const NumberRange *range, Str digits, size_t from)
{
    return REFUSE(p, from, ERR_INVALID_NUMERIC_LITERAL_RANGE, P("rawStrippedQualifier", digits),
                  PZ("minValue", range->low), PZ("maxValue", range->high),
                  PZ("typeName", range->name));
}

static bool integral_literal(Parser *p, const NumberRange *range, Str digits, size_t from,
                             Expr **out)
{
    int64_t v;
    if (!str_to_i64(digits, &v) || v < range->min || v > range->max)
        return range_error(p, range, digits, from);
    return literal(p, value_int(range->type, v), from, out);
}

static bool floating_literal(Parser *p, const NumberRange *range, Str digits, size_t from,
                             Expr **out)
{
    double v;
    if (!str_to_f64(digits, &v) || isinf(v) ||
        (range->type == TYPE_FLOAT && fabs(v) > 3.4028234663852886E+38))
        return range_error(p, range, digits, from);
    Value value = value_double(range->type == TYPE_FLOAT ? (float)v : v);
    value.type = type_simple(range->type);
    return literal(p, value, from, out);
}

/* The precision Spark complains about: digits without leading zeros, but no less than the scale. */
static int64_t decimal_precision(Str text)
{
    int64_t digits = 0, scale = 0, exponent = 0;
    bool fraction = false;
    size_t i = text.len && text.ptr[0] == '-';
    for (; i < text.len && (text.ptr[i] | 0x20) != 'e'; i++) {
        fraction |= text.ptr[i] == '.';
        scale += fraction && text.ptr[i] != '.';
        digits += text.ptr[i] != '.' && (digits || text.ptr[i] != '0');
    }
    if (i < text.len && text.ptr[i + 1] == '+')
        i++;
    if (i < text.len && !str_to_i64(str_slice(text, i + 1, text.len), &exponent))
        exponent = 0;
    scale -= exponent;
    if (scale < 0)
        return digits - scale;
    return digits > scale ? digits : scale;
}

/* Spark says where only for the BD suffix. */
static bool decimal_literal(Parser *p, Str digits, bool locate, size_t from, Expr **out)
{
    Value v;
    if (!value_decimal_parse(digits, p->arena, &v)) {
        error_set(
            p->err, ERR_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION,
            P("precision", str_printf(p->arena, "%lld", (long long)decimal_precision(digits))),
            P("maxPrecision", str_printf(p->arena, "%d", DECIMAL_MAX_PRECISION)));
        return locate && refuse(p, from);
    }
    return literal(p, v, from, out);
}

bool parse_number(Parser *p, Expr **out)
{
    size_t from = mark(p);
    bool minus = accept(p, TOK_MINUS);
    const Token *token = peek_at(p, 0);
    if (!is_number((TokenKind)token->kind))
        return syntax_error(p);
    Str text = token_text(p, token);
    advance(p);
    TokenKind kind = (TokenKind)token->kind;
    bool suffix = kind != TOK_INTEGER && kind != TOK_DECIMAL && kind != TOK_EXPONENT;
    text.len -= kind == TOK_BIGDECIMAL ? 2 : suffix;
    if (minus)
        text = str_concat(p->arena, S("-"), text);
    for (size_t i = 0; i < LENGTH_OF(ranges); i++)
        if (ranges[i].token == kind)
            return ranges[i].max ? integral_literal(p, &ranges[i], text, from, out)
                                 : floating_literal(p, &ranges[i], text, from, out);
    int64_t v;
    if (kind == TOK_INTEGER && str_to_i64(text, &v)) {
        bool small = v >= INT32_MIN && v <= INT32_MAX;
        return literal(p, value_int(small ? TYPE_INT : TYPE_LONG, v), from, out);
    }
    return decimal_literal(p, text, kind == TOK_BIGDECIMAL, from, out);
}

/* ---- typed literals ---- */

/* Stands for a literal whose text the type does not have; the statement is refused when it is read. */
static bool unreadable_literal(Parser *p, Str type, Str value, size_t from, Expr **out)
{
    (void)REFUSE(
        p, from, ERR_INVALID_TYPED_LITERAL,
        P("valueType", str_printf(p->arena, "\"" STR_FMT "\"", STR_ARG(str_upper(type, p->arena)))),
        P("value", str_printf(p->arena, "'" STR_FMT "'", STR_ARG(value))));
    *out = string_literal(p, value, from);
    return refuse_later(p);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An odd number of digits reads as if a zero stood in front. */
static bool hex_bytes(Str text, Arena *arena, Str *out)
{
    size_t len = (text.len + 1) / 2;
    char *bytes = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_value(text.ptr[i]);
        size_t nibble = i + (text.len & 1);
        if (digit < 0)
            return false;
        bytes[nibble / 2] = (char)(bytes[nibble / 2] << 4 | digit);
    }
    *out = (Str){bytes, len};
    return true;
}

/* 'today' and kin are read when the statement runs. NULL: an ordinary text. */
static Expr *special_moment(Parser *p, Str text, bool date)
{
    Str word = str_trim(text), zone = {0};
    for (size_t i = 0; i < word.len && !zone.len; i++)
        if (word.ptr[i] == ' ')
            zone = str_slice(word, i + 1, word.len);
    if (zone.len)
        word = str_slice(word, 0, word.len - zone.len - 1);
    bool now = str_is_ci(word, "now"), today = str_is_ci(word, "today");
    bool tomorrow = str_is_ci(word, "tomorrow"), yesterday = str_is_ci(word, "yesterday");
    if ((!now && !today && !tomorrow && !yesterday) || zone.len)
        return NULL;
    if (now && !date)
        return expr_call(p->arena, "current_timestamp", 0, NULL);
    Expr *day = expr_call(p->arena, "current_date", 0, NULL);
    if (tomorrow || yesterday) {
        Expr *args[2] = {day, expr_literal(value_int(TYPE_INT, 1), p->arena)};
        day = expr_call(p->arena, tomorrow ? "date_add" : "date_sub", 2, args);
    }
    return day;
}

static bool date_value(Str text, int64_t *days)
{
    if (str_is_ci(str_trim(text), "epoch"))
        return *days = 0, true;
    return date_parse(text, days);
}

/* kind: DATE, TIME, TIMESTAMP with or without zone. */
static bool moment_value(Parser *p, TypeKind kind, Str text, int64_t *out)
{
    Str zone = p->options->zone.len ? p->options->zone : S("UTC");
    bool epoch = str_is_ci(str_trim(text), "epoch");
    switch (kind) {
    case TYPE_DATE: return date_value(text, out);
    case TYPE_TIME: return time_parse(text, out);
    case TYPE_TIMESTAMP_NTZ:
        if (epoch)
            return *out = 0, true;
        return timestamp_ntz_parse(text, true, out);
    default:
        if (epoch)
            return *out = 0, true;
        return timestamp_parse(text, zone, out);
    }
}

static bool names_special_moment(Str text)
{
    static const char *const words[] = {"now ", "today ", "tomorrow ", "yesterday ", "epoch "};
    for (size_t i = 0; i < LENGTH_OF(words); i++)
        if (str_istarts_with(str_trim(text), str_from(words[i])))
            return true;
    return false;
}

static bool moment_literal(Parser *p, TypeKind kind, Str type, Str text, size_t from, Expr **out)
{
    Expr *special = kind == TYPE_TIME ? NULL : special_moment(p, text, kind == TYPE_DATE);
    if (special && kind != TYPE_DATE) {
        Expr *cast = expr_new(EXPR_CAST, p->arena);
        cast->cast.child = special;
        cast->cast.type = type_simple(kind);
        special = cast;
    }
    if (special) {
        special->origin = origin_from(p, from);
        *out = special;
        return true;
    }
    int64_t v;
    if (!moment_value(p, kind, text, &v) && kind != TYPE_TIME && names_special_moment(text))
        return refuse_unsupported(p, from,
                                  "'now', 'today', 'tomorrow' or 'yesterday' with a time zone");
    if (!moment_value(p, kind, text, &v))
        return unreadable_literal(p, type, text, from, out);
    return literal(p, value_int(kind, v), from, out);
}

/* spark.sql.timestampType = TIMESTAMP_NTZ: a text that names a zone is still an instant. */
static TypeKind plain_timestamp_kind(const Parser *p, Str text)
{
    int64_t ignored;
    bool ntz = p->options->timestamp_ntz && timestamp_ntz_parse(text, false, &ignored);
    return ntz ? TYPE_TIMESTAMP_NTZ : TYPE_TIMESTAMP;
}

bool parse_typed_literal(Parser *p, Expr **out)
{
    size_t from = mark(p);
    Str type = token_text(p, peek_at(p, 0)), bytes;
    TokenKind kind = current(p);
    Str text = lex_string_value(token_text(p, peek_at(p, 1)), p->options->escaped_string_literals,
                                p->arena);
    p->pos += 2;
    switch (kind) {
    case KW_DATE: return moment_literal(p, TYPE_DATE, type, text, from, out);
    case KW_TIME: return moment_literal(p, TYPE_TIME, type, text, from, out);
    case KW_TIMESTAMP_NTZ: return moment_literal(p, TYPE_TIMESTAMP_NTZ, type, text, from, out);
    case KW_TIMESTAMP_LTZ: return moment_literal(p, TYPE_TIMESTAMP, type, text, from, out);
    case KW_TIMESTAMP:
        return moment_literal(p, plain_timestamp_kind(p, text), type, text, from, out);
    case KW_X: {
        if (!hex_bytes(text, p->arena, &bytes))
            return unreadable_literal(p, S("X"), text, from, out);
        Value v = value_string(bytes);
        v.type = type_simple(TYPE_BINARY);
        return literal(p, v, from, out);
    }
    case KW_INTERVAL: {
        Value v;
        bool bad = false;
        if (!interval_literal_of(p, text, from, &v, &bad))
            return bad && unreadable_literal(p, type, text, from, out);
        return literal(p, v, from, out);
    }
    default:
        (void)REFUSE(
            p, from, ERR_UNSUPPORTED_TYPED_LITERAL,
            P("unsupportedType",
              str_printf(p->arena, "\"" STR_FMT "\"", STR_ARG(str_upper(type, p->arena)))),
            PZ("supportedTypes",
               "\"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", "
               "\"X\", \"TIME\""));
        *out = string_literal(p, text, from);
        return refuse_later(p);
    }
}
