/* Data types as SQL writes them. */
#include "sql/parser_impl.h"

#include "base/json.h"
#include "type/srid.h"

typedef struct SimpleName {
    uint16_t token;
    TypeKind kind;
} SimpleName;

static const SimpleName simple_names[] = {
    {KW_BOOLEAN, TYPE_BOOLEAN},
    {KW_TINYINT, TYPE_BYTE},
    {KW_BYTE, TYPE_BYTE},
    {KW_SMALLINT, TYPE_SHORT},
    {KW_SHORT, TYPE_SHORT},
    {KW_INT, TYPE_INT},
    {KW_INTEGER, TYPE_INT},
    {KW_BIGINT, TYPE_LONG},
    {KW_LONG, TYPE_LONG},
    {KW_FLOAT, TYPE_FLOAT},
    {KW_REAL, TYPE_FLOAT},
    {KW_DOUBLE, TYPE_DOUBLE},
    {KW_DATE, TYPE_DATE},
    {KW_TIMESTAMP_LTZ, TYPE_TIMESTAMP},
    {KW_TIMESTAMP_NTZ, TYPE_TIMESTAMP_NTZ},
    {KW_BINARY, TYPE_BINARY},
    {KW_VOID, TYPE_NULL},
    {KW_VARIANT, TYPE_VARIANT},
};

/* '>' that closes a type: ">>" and ">>>" are cut. */
static bool expect_close(Parser *p)
{
    Token *token = &p->tokens[p->pos];
    switch (token->kind) {
    case TOK_GT: advance(p); return true;
    case TOK_SHIFT_RIGHT:
        token->kind = TOK_GT;
        token->start++;
        return true;
    case TOK_SHIFT_RIGHT_UNSIGNED:
        token->kind = TOK_SHIFT_RIGHT;
        token->start++;
        return true;
    default: return syntax_error(p);
    }
}

static Str comment_metadata(Parser *p, Str comment)
{
    Buf b = buf_in(p->arena);
    bool first = true;
    buf_addc(&b, '{');
    json_put_key(&b, &first, "comment");
    json_put_str(&b, comment);
    buf_addc(&b, '}');
    return buf_str(&b);
}

/* name[:] type [NOT NULL] [COMMENT '..'] */
static bool parse_field(Parser *p, Field *out)
{
    *out = (Field){.nullable = true};
    TRY(parse_captured_identifier(p, &out->name));
    accept(p, TOK_COLON);
    TRY(parse_type(p, &out->type));
    if (accept_two(p, KW_NOT, KW_NULL))
        out->nullable = false;
    if (accept(p, KW_COMMENT)) {
        Str comment;
        TRY(parse_string(p, &comment));
        out->metadata = comment_metadata(p, comment);
    }
    return true;
}

static bool parse_struct_type(Parser *p, size_t from, const Type **out)
{
    VEC(Field) fields = {0};
    if (accept(p, TOK_NEQ)) { /* STRUCT<> */
        *out = type_struct(NULL, 0, p->arena);
        return true;
    }
    if (!accept(p, TOK_LT))
        return REFUSE(p, from, ERR_INCOMPLETE_TYPE_DEFINITION__STRUCT);
    if (!is_at(p, TOK_GT)) {
        do {
            Field field;
            TRY(parse_field(p, &field));
            vec_push(p->arena, &fields, field);
        } while (accept(p, TOK_COMMA));
    }
    TRY(expect_close(p));
    *out = type_struct(fields.at, fields.len, p->arena);
    return true;
}

static bool parse_array_type(Parser *p, size_t from, const Type **out)
{
    const Type *element;
    if (!accept(p, TOK_LT))
        return REFUSE(p, from, ERR_INCOMPLETE_TYPE_DEFINITION__ARRAY, PZ("elementType", "<INT>"));
    TRY(parse_type(p, &element));
    TRY(expect_close(p));
    *out = type_array(element, true, p->arena);
    return true;
}

static bool parse_map_type(Parser *p, size_t from, const Type **out)
{
    const Type *key, *value;
    if (!accept(p, TOK_LT))
        return REFUSE(p, from, ERR_INCOMPLETE_TYPE_DEFINITION__MAP);
    TRY(parse_type(p, &key));
    TRY(expect(p, TOK_COMMA));
    TRY(parse_type(p, &value));
    TRY(expect_close(p));
    *out = type_map(key, value, true, p->arena);
    return true;
}

/* (n) or nothing: -1. */
static bool parse_length(Parser *p, int64_t *out)
{
    *out = -1;
    if (!accept(p, TOK_LEFT_PAREN))
        return true;
    TRY(parse_integer(p, out));
    return expect(p, TOK_RIGHT_PAREN);
}

static bool parse_decimal_type(Parser *p, size_t from, const Type **out)
{
    int64_t precision = 10, scale = 0;
    if (accept(p, TOK_LEFT_PAREN)) {
        TRY(parse_integer(p, &precision));
        if (accept(p, TOK_COMMA))
            TRY(parse_integer(p, &scale));
        TRY(expect(p, TOK_RIGHT_PAREN));
    }
    Str p_text = str_printf(p->arena, "%lld", (long long)precision),
        s_text = str_printf(p->arena, "%lld", (long long)scale);
    if (scale > precision)
        return error_set(p->err, ERR__LEGACY_ERROR_TEMP_1228, P("scale", s_text),
                         P("precision", p_text));
    if (precision > DECIMAL_MAX_PRECISION)
        return error_set(p->err, ERR_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION,
                         P("precision", p_text),
                         P("maxPrecision", str_printf(p->arena, "%d", DECIMAL_MAX_PRECISION)));
    if (!precision)
        return refuse_unsupported(p, from, "DECIMAL(0)");
    *out = type_decimal((int)precision, (int)scale, p->arena);
    return true;
}

static Str written_collation(Parser *p, const Name *name)
{
    bool builtin = name->len == 3 && str_is_ci(name->at[0], "system") && str_is_ci(name->at[1], "builtin");
    return builtin ? name->at[2] : dotted(p, name);
}

bool parse_collation_name(Parser *p, Str *out)
{
    Name name;
    TRY(parse_multipart(p, &name));
    *out = written_collation(p, &name);
    return true;
}

/* UTF8_BINARY where that is said. */
bool resolve_collation(Parser *p, const Name *name, Str *out)
{
    TRY(type_collation(written_collation(p, name), p->arena, out, p->err));
    if (!out->len)
        *out = S("UTF8_BINARY");
    return true;
}

static bool parse_collation(Parser *p, Str *out)
{
    *out = (Str){0};
    if (!is_at(p, KW_COLLATE))
        return true;
    Name name;
    advance(p);
    TRY(parse_multipart(p, &name));
    return resolve_collation(p, &name, out);
}

static bool parse_text_type(Parser *p, TokenKind kind, size_t from, const Type **out)
{
    int64_t length;
    Str collation;
    bool varchar = kind == KW_VARCHAR;
    TRY(parse_length(p, &length));
    TRY(parse_collation(p, &collation));
    if (length < 0)
        return REFUSE(
            p, from, ERR_DATATYPE_MISSING_SIZE,
            P("type", str_printf(p->arena, "\"" STR_FMT "\"",
                                 STR_ARG(str_upper(token_text(p, &p->tokens[from]), p->arena)))));
    if (collation.len)
        return refuse_unsupported(p, from, "A collation of CHAR or VARCHAR");
    if (length < 1 || length > INT32_MAX)
        return error_internal(p->err,
                              "requirement failed: The length of %s type cannot be less than 1",
                              varchar ? "varchar" : "char");
    *out = type_text(varchar ? TYPE_VARCHAR : TYPE_CHAR, (int)length, p->arena);
    return true;
}

static bool parse_time_type(Parser *p, const Type **out)
{
    int64_t precision;
    TRY(parse_length(p, &precision));
    if (is_at(p, KW_WITHOUT)) {
        advance(p);
        TRY(expect(p, KW_TIME));
        TRY(expect(p, KW_ZONE));
    }
    if (precision > 6)
        return error_set(p->err, ERR_UNSUPPORTED_TIME_PRECISION,
                         P("precision", str_printf(p->arena, "%lld", (long long)precision)));
    *out = type_time(precision < 0 ? 6 : (int)precision, p->arena);
    return true;
}

/* GEOMETRY(srid | ANY), GEOGRAPHY(srid | ANY) */
static bool parse_shape_type(Parser *p, uint16_t kind, size_t from, const Type **out)
{
    TypeKind type = kind == KW_GEOMETRY ? TYPE_GEOMETRY : TYPE_GEOGRAPHY;
    if (!is_at(p, TOK_LEFT_PAREN))
        return REFUSE(p, from, ERR_UNSUPPORTED_DATATYPE,
                      PZ("typeName", type == TYPE_GEOMETRY ? "\"GEOMETRY\"" : "\"GEOGRAPHY\""));
    if (kind_at(p, 1) == KW_ANY) {
        p->pos += 2;
        *out = type_simple(type);
        return expect(p, TOK_RIGHT_PAREN);
    }
    int64_t srid;
    TRY(parse_length(p, &srid));
    if (srid < 0 || srid > INT32_MAX || !srid_is_known(type, (int)srid))
        return error_set(p->err, ERR_ST_INVALID_SRID_VALUE,
                         P("srid", str_printf(p->arena, "%lld", (long long)srid)));
    *out = type_geo(type, (int)srid, p->arena);
    return true;
}

static bool parse_timestamp_type(Parser *p, const Type **out)
{
    TypeKind kind = p->options->timestamp_ntz ? TYPE_TIMESTAMP_NTZ : TYPE_TIMESTAMP;
    if (is_at(p, KW_WITHOUT) && kind_at(p, 1) == KW_TIME && kind_at(p, 2) == KW_ZONE) {
        p->pos += 3;
        kind = TYPE_TIMESTAMP_NTZ;
    } else if (is_at(p, KW_WITH) && kind_at(p, 1) == KW_LOCAL && kind_at(p, 2) == KW_TIME &&
               kind_at(p, 3) == KW_ZONE) {
        p->pos += 4;
        kind = TYPE_TIMESTAMP;
    }
    *out = type_simple(kind);
    return true;
}

static int interval_field(TokenKind kind)
{
    switch (kind) {
    case KW_YEAR: return UNIT_YEAR;
    case KW_MONTH: return UNIT_MONTH;
    case KW_DAY: return UNIT_DAY;
    case KW_HOUR: return UNIT_HOUR;
    case KW_MINUTE: return UNIT_MINUTE;
    case KW_SECOND: return UNIT_SECOND;
    default: return -1;
    }
}

static bool parse_interval_type(Parser *p, size_t from, const Type **out)
{
    int first = interval_field(current(p)), last = first;
    if (first < 0) {
        *out = type_simple(TYPE_INTERVAL_CALENDAR);
        return true;
    }
    size_t names = mark(p);
    advance(p);
    int to = interval_field(kind_at(p, 1));
    if (is_at(p, KW_TO) && (first <= UNIT_MONTH ? to == UNIT_MONTH : to > UNIT_DAY)) {
        last = to;
        p->pos += 2;
    }
    bool months = first <= UNIT_MONTH;
    if (last < first || months != (last <= UNIT_MONTH) || (last == first && p->pos > names + 1))
        return REFUSE(p, from, ERR_INVALID_INTERVAL_FORMAT__UNSUPPORTED_FROM_TO_EXPRESSION,
                      PZ("input", ""),
                      P("from", str_lower(token_text(p, &p->tokens[names]), p->arena)),
                      P("to", str_lower(token_text(p, &p->tokens[p->pos - 1]), p->arena)));
    *out = type_interval(months ? TYPE_INTERVAL_YM : TYPE_INTERVAL_DT, (IntervalUnit)first,
                         (IntervalUnit)last, p->arena);
    return true;
}

static bool parse_unknown_type(Parser *p, size_t from, const Type **out)
{
    Str name;
    int64_t ignored;
    TRY(parse_identifier(p, &name));
    if (accept(p, TOK_LEFT_PAREN)) {
        do
            TRY(parse_integer(p, &ignored));
        while (accept(p, TOK_COMMA));
        TRY(expect(p, TOK_RIGHT_PAREN));
    }
    (void)REFUSE(p, from, ERR_UNSUPPORTED_DATATYPE,
                 P("typeName", str_printf(p->arena, "\"" STR_FMT "\"",
                                          STR_ARG(str_upper(source_text(p, from), p->arena)))));
    *out = type_simple(TYPE_STRING);
    return refuse_later(p);
}

static bool parse_type_inner(Parser *p, const Type **out)
{
    size_t from = mark(p);
    TokenKind kind = current(p);
    for (size_t i = 0; i < LENGTH_OF(simple_names); i++) {
        if (simple_names[i].token == kind) {
            advance(p);
            *out = type_simple(simple_names[i].kind);
            return true;
        }
    }
    Str collation;
    switch (kind) {
    case KW_ARRAY: advance(p); return parse_array_type(p, from, out);
    case KW_MAP: advance(p); return parse_map_type(p, from, out);
    case KW_STRUCT: advance(p); return parse_struct_type(p, from, out);
    case KW_DECIMAL:
    case KW_DEC:
    case KW_NUMERIC: advance(p); return parse_decimal_type(p, from, out);
    case KW_CHAR:
    case KW_CHARACTER:
    case KW_VARCHAR: advance(p); return parse_text_type(p, kind, from, out);
    case KW_TIMESTAMP: advance(p); return parse_timestamp_type(p, out);
    case KW_TIME: advance(p); return parse_time_type(p, out);
    case KW_INTERVAL: advance(p); return parse_interval_type(p, from, out);
    case KW_GEOGRAPHY:
    case KW_GEOMETRY: advance(p); return parse_shape_type(p, kind, from, out);
    case KW_STRING:
        advance(p);
        TRY(parse_collation(p, &collation));
        *out = str_is(collation, "UTF8_BINARY") ? type_string_binary() : type_string(collation, p->arena);
        return true;
    default: return parse_unknown_type(p, from, out);
    }
}

bool parse_type(Parser *p, const Type **out)
{
    if (++p->type_depth > TYPE_MAX_DEPTH)
        return p->depth = SQL_MAX_DEPTH, enter(p);
    TRY(parse_type_inner(p, out));
    p->type_depth--;
    return true;
}
