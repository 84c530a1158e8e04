/* Reads types as Spark SQL writes them: "map<string, decimal(10,2)>" or "a INT NOT NULL, b STRING". */
#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "type/srid.h"
#include "type/type_text_impl.h"

/* ---- tokens ---- */

typedef enum TokenKind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_NUMBER, TOKEN_STRING, TOKEN_OTHER } TokenKind;

typedef struct Token {
    TokenKind kind;
    size_t start, stop; /* byte range in the text */
    Str value;          /* word, number, unquoted name, unescaped string */
} Token;

typedef struct Parser {
    Str text;
    Token token; /* the one looked at */
    int depth;
    Arena *arena;
    Error *err;
    Error unknown; /* the first name that is no type; told only when the grammar holds throughout */
} Parser;

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static char peek(const Parser *p, size_t at)
{
    return at < p->text.len ? p->text.ptr[at] : '\0';
}

static size_t skip_blank(const Parser *p, size_t at)
{
    for (;;) {
        char c = peek(p, at);
        if (at < p->text.len && (c == ' ' || (c >= '\t' && c <= '\r'))) {
            at++;
        } else if (c == '-' && peek(p, at + 1) == '-') {
            while (at < p->text.len && peek(p, at) != '\n')
                at++;
        } else {
            return at;
        }
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* \uXXXX after the backslash; 0 when it is not that. */
static size_t unicode_escape(Str s, size_t at, Buf *out)
{
    uint32_t code = 0;
    char utf8[4];
    if (at + 5 > s.len || s.ptr[at] != 'u')
        return 0;
    for (size_t i = 1; i <= 4; i++) {
        int digit = hex_digit(s.ptr[at + i]);
        if (digit < 0)
            return 0;
        code = code << 4 | (uint32_t)digit;
    }
    buf_add_bytes(out, utf8, str_utf8_put(code, utf8));
    return 5;
}

/* Spark's unescapeSQLString for what stands between the quotes; a doubled quote is one quote. */
static Str unescape(Str body, char quote, Arena *arena)
{
    Buf out = buf_in(arena);
    for (size_t i = 0; i < body.len;) {
        char c = body.ptr[i++];
        if (c == quote) {
            buf_addc(&out, c);
            i++;
        } else if (c != '\\' || i == body.len) {
            buf_addc(&out, c);
        } else {
            size_t used = unicode_escape(body, i, &out);
            if (used) {
                i += used;
                continue;
            }
            c = body.ptr[i++];
            switch (c) {
            case '0': buf_addc(&out, '\0'); break;
            case 'b': buf_addc(&out, '\b'); break;
            case 'n': buf_addc(&out, '\n'); break;
            case 'r': buf_addc(&out, '\r'); break;
            case 't': buf_addc(&out, '\t'); break;
            case 'Z': buf_addc(&out, 26); break;
            case '%': buf_addz(&out, "\\%"); break;
            case '_': buf_addz(&out, "\\_"); break;
            default: buf_addc(&out, c); break;
            }
        }
    }
    return buf_str(&out);
}

/* End of the quoted run that starts at `at`, past its closing quote; 0 when it never closes. */
static size_t quoted_end(const Parser *p, size_t at, bool backslashes)
{
    char quote = p->text.ptr[at++];
    for (; at < p->text.len; at++) {
        if (backslashes && p->text.ptr[at] == '\\') {
            at++;
        } else if (p->text.ptr[at] == quote) {
            if (peek(p, at + 1) != quote)
                return at + 1;
            at++;
        }
    }
    return 0;
}

static void next(Parser *p)
{
    size_t at = skip_blank(p, p->token.stop), end = at + 1;
    Token t = {.kind = TOKEN_OTHER, .start = at};
    char c = peek(p, at);
    if (at >= p->text.len) {
        t.kind = TOKEN_END;
        end = at;
    } else if (is_word_char(c)) {
        t.kind = TOKEN_NUMBER;
        for (end = at; end < p->text.len && is_word_char(p->text.ptr[end]); end++)
            if (p->text.ptr[end] < '0' || p->text.ptr[end] > '9')
                t.kind = TOKEN_WORD;
        t.value = str_slice(p->text, at, end);
    } else if ((c == '`' || c == '\'' || c == '"') && quoted_end(p, at, c != '`')) {
        end = quoted_end(p, at, c != '`');
        Str body = str_slice(p->text, at + 1, end - 1);
        t.kind = c == '`' ? TOKEN_QUOTED : TOKEN_STRING;
        t.value = c == '`' ? str_replace(body, S("``"), S("`"), p->arena)
                           : unescape(body, c, p->arena);
    }
    t.stop = end;
    p->token = t;
}

static bool at_word(const Parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && str_is_ci(p->token.value, word);
}

static bool at_char(const Parser *p, char c)
{
    return p->token.kind == TOKEN_OTHER && p->text.ptr[p->token.start] == c;
}

static bool take_word(Parser *p, const char *word)
{
    if (!at_word(p, word))
        return false;
    next(p);
    return true;
}

static bool take_char(Parser *p, char c)
{
    if (!at_char(p, c))
        return false;
    next(p);
    return true;
}

/* ---- errors ---- */

static bool syntax_error_at(Parser *p, const Token *t)
{
    Str token = str_slice(p->text, t->start, t->stop);
    if (str_starts_with(str_slice(p->text, t->start, p->text.len), S("<>")))
        token = S("<>"); /* one token to Spark */
    Str what = t->kind == TOKEN_END ? S("end of input")
                                    : str_printf(p->arena, "'" STR_FMT "'", STR_ARG(token));
    error_set(p->err, ERR_PARSE_SYNTAX_ERROR, P("error", what), P("hint", S("")));
    error_locate(p->err, PLACE_SYNTAX, p->text, t->start, t->stop - (t->stop > t->start));
    return false;
}

static bool syntax_error(Parser *p)
{
    return syntax_error_at(p, &p->token);
}

/* What goes wrong between < and > is reported at the <, as Spark's parser does. */
static bool blame_bracket(Parser *p, const Token *open)
{
    return p->err->cls == ERR_PARSE_SYNTAX_ERROR ? syntax_error_at(p, open) : false;
}

/* ---- types without parts ---- */

typedef struct NameRow {
    const char *name;
    TypeKind kind;
    int min_sizes, max_sizes;
} NameRow;

static const NameRow name_rows[] = {
    {"boolean", TYPE_BOOLEAN, 0, 0},
    {"tinyint", TYPE_BYTE, 0, 0},
    {"byte", TYPE_BYTE, 0, 0},
    {"smallint", TYPE_SHORT, 0, 0},
    {"short", TYPE_SHORT, 0, 0},
    {"int", TYPE_INT, 0, 0},
    {"integer", TYPE_INT, 0, 0},
    {"bigint", TYPE_LONG, 0, 0},
    {"long", TYPE_LONG, 0, 0},
    {"float", TYPE_FLOAT, 0, 0},
    {"real", TYPE_FLOAT, 0, 0},
    {"double", TYPE_DOUBLE, 0, 0},
    {"decimal", TYPE_DECIMAL, 0, 2},
    {"dec", TYPE_DECIMAL, 0, 2},
    {"numeric", TYPE_DECIMAL, 0, 2},
    {"string", TYPE_STRING, 0, 0},
    {"char", TYPE_CHAR, 1, 1},
    {"character", TYPE_CHAR, 1, 1},
    {"varchar", TYPE_VARCHAR, 1, 1},
    {"binary", TYPE_BINARY, 0, 0},
    {"date", TYPE_DATE, 0, 0},
    {"timestamp", TYPE_TIMESTAMP, 0, 0},
    {"timestamp_ltz", TYPE_TIMESTAMP, 0, 0},
    {"timestamp_ntz", TYPE_TIMESTAMP_NTZ, 0, 0},
    {"time", TYPE_TIME, 0, 1},
    {"interval", TYPE_INTERVAL_CALENDAR, 0, 0},
    {"void", TYPE_NULL, 0, 0},
    {"variant", TYPE_VARIANT, 0, 0},
    {"geometry", TYPE_GEOMETRY, 0, 1},
    {"geography", TYPE_GEOGRAPHY, 0, 1},
};

static bool decimal_from(const int *sizes, size_t count, Arena *arena, const Type **out, Error *err)
{
    int precision = count > 0 ? sizes[0] : 10, scale = count > 1 ? sizes[1] : 0;
    if (precision > DECIMAL_MAX_PRECISION)
        return error_set(err, ERR_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION,
                         P("precision", str_printf(arena, "%d", precision)),
                         P("maxPrecision", str_printf(arena, "%d", DECIMAL_MAX_PRECISION)));
    if (scale > precision || scale < 0)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1228,
                         P("scale", str_printf(arena, "%d", scale)),
                         P("precision", str_printf(arena, "%d", precision)));
    *out = type_decimal(precision, scale, arena);
    return true;
}

static bool shape_from(TypeKind kind, int srid, Arena *arena, const Type **out, Error *err)
{
    if (srid < 0 || !srid_is_known(kind, srid))
        return error_set(err, ERR_ST_INVALID_SRID_VALUE, P("srid", str_printf(arena, "%d", srid)));
    *out = type_geo(kind, srid, arena);
    return true;
}

static bool from_row(const NameRow *row, const int *sizes, size_t count, Arena *arena,
                     const Type **out, Error *err)
{
    switch (row->kind) {
    case TYPE_DECIMAL:
        return decimal_from(sizes, count, arena, out, err);
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        *out = type_text(row->kind, sizes[0], arena);
        return true;
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return shape_from(row->kind, sizes[0], arena, out, err);
    case TYPE_TIME:
        if (count && sizes[0] > 6)
            return error_set(err, ERR_UNSUPPORTED_TIME_PRECISION,
                             P("precision", str_printf(arena, "%d", sizes[0])));
        *out = type_time(count ? sizes[0] : 6, arena);
        return true;
    default:
        *out = type_simple(row->kind);
        return true;
    }
}

static bool unsupported_name(Str name, const int *sizes, size_t count, Arena *arena, Error *err)
{
    Buf b = buf_in(arena);
    buf_addc(&b, '"');
    buf_add(&b, str_upper(name, arena));
    for (size_t i = 0; i < count; i++)
        buf_addf(&b, "%c%d", i ? ',' : '(', sizes[i]);
    buf_addz(&b, count ? ")\"" : "\"");
    return error_set(err, ERR_UNSUPPORTED_DATATYPE, P("typeName", buf_str(&b)));
}

bool type_from_name(Str name, const int *sizes, size_t count, Arena *arena, const Type **out, Error *err)
{
    if (!count && str_is_ci(name, "array"))
        return error_set(err, ERR_INCOMPLETE_TYPE_DEFINITION__ARRAY, P("elementType", S("<INT>")));
    if (!count && str_is_ci(name, "map"))
        return error_set(err, ERR_INCOMPLETE_TYPE_DEFINITION__MAP);
    if (!count && str_is_ci(name, "struct"))
        return error_set(err, ERR_INCOMPLETE_TYPE_DEFINITION__STRUCT);
    for (size_t i = 0; i < LENGTH_OF(name_rows); i++) {
        const NameRow *row = &name_rows[i];
        if (!str_is_ci(name, row->name) || (int)count > row->max_sizes)
            continue;
        if (!count && (row->kind == TYPE_GEOMETRY || row->kind == TYPE_GEOGRAPHY))
            break;
        if ((int)count < row->min_sizes)
            return error_set(err, ERR_DATATYPE_MISSING_SIZE,
                             P("type", str_printf(arena, "\"%s\"",
                                                  str_upper(name, arena).ptr)));
        return from_row(row, sizes, count, arena, out, err);
    }
    return unsupported_name(name, sizes, count, arena, err);
}

/* ---- the grammar ---- */

static bool parse_type(Parser *p, const Type **out);

static bool take_unit(Parser *p, IntervalUnit *unit)
{
    for (int u = UNIT_YEAR; u <= UNIT_SECOND; u++)
        if (take_word(p, type_interval_unit((IntervalUnit)u))) {
            *unit = (IntervalUnit)u;
            return true;
        }
    return false;
}

/* After INTERVAL: YEAR [TO MONTH], DAY [TO SECOND] and the like, or nothing for the calendar interval. */
static bool parse_interval(Parser *p, const Type **out)
{
    IntervalUnit from, to;
    if (!take_unit(p, &from)) {
        *out = type_simple(TYPE_INTERVAL_CALENDAR);
        return true;
    }
    to = from;
    TypeKind kind = from <= UNIT_MONTH ? TYPE_INTERVAL_YM : TYPE_INTERVAL_DT;
    if (at_word(p, "to")) {
        Token word = p->token;
        next(p);
        bool known = take_unit(p, &to);
        if (!known || to <= from || (kind == TYPE_INTERVAL_YM) != (to <= UNIT_MONTH))
            return syntax_error_at(p, &word);
    }
    *out = type_interval(kind, from, to, p->arena);
    return true;
}

static bool parse_sizes(Parser *p, int *sizes, size_t max, size_t *count)
{
    Token open = p->token;
    if (!take_char(p, '('))
        return true;
    if (at_char(p, ')'))
        return syntax_error_at(p, &open);
    do {
        int64_t size = 0;
        if (p->token.kind != TOKEN_NUMBER || *count == max)
            return syntax_error(p);
        if (!str_to_i64(p->token.value, &size) || size > INT_MAX)
            size = INT_MAX;
        sizes[(*count)++] = (int)size;
        next(p);
    } while (take_char(p, ','));
    return take_char(p, ')') || syntax_error(p);
}

/* TIMESTAMP or TIME with their spelled-out zones. */
static bool take_zone_words(Parser *p, const Token *name, const Type **out)
{
    bool stamp = str_is_ci(name->value, "timestamp");
    if ((stamp || str_is_ci(name->value, "time")) && at_word(p, "without")) {
        next(p);
        if (!take_word(p, "time") || !take_word(p, "zone"))
            return syntax_error(p);
        *out = type_simple(stamp ? TYPE_TIMESTAMP_NTZ : TYPE_TIME);
    } else if (stamp && at_word(p, "with")) {
        next(p);
        if (!take_word(p, "local") || !take_word(p, "time") || !take_word(p, "zone"))
            return syntax_error(p);
        *out = type_simple(TYPE_TIMESTAMP);
    }
    return true;
}

/* Keeps the first refused name for later and goes on with any type in its place. Always true. */
static bool postpone(Parser *p, Error *problem, const Token *name, const Type **out)
{
    ErrorClass cls = problem->cls;
    if (cls != ERR_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION && cls != ERR_UNSUPPORTED_TIME_PRECISION &&
        cls != ERR__LEGACY_ERROR_TEMP_1228 && cls != ERR_COLLATION_INVALID_NAME)
        error_locate(problem, PLACE_SYNTAX, p->text, name->start, name->stop - 1);
    if (!error_is_set(&p->unknown))
        p->unknown = *problem;
    *out = type_simple(TYPE_NULL);
    return true;
}

static bool parse_named(Parser *p, const Token *name, const Type **out)
{
    int sizes[8];
    size_t count = 0;
    Error problem = error_in(p->arena);
    *out = NULL;
    TRY(take_zone_words(p, name, out));
    if (*out)
        return true;
    TRY(parse_sizes(p, sizes, LENGTH_OF(sizes), &count));
    if (!count && str_is_ci(name->value, "string") && take_word(p, "collate")) {
        Str canonical;
        if (p->token.kind != TOKEN_WORD && p->token.kind != TOKEN_QUOTED)
            return syntax_error(p);
        bool known = type_collation(p->token.value, p->arena, &canonical, &problem);
        next(p);
        if (!known)
            return postpone(p, &problem, name, out);
        *out = canonical.len ? type_string(canonical, p->arena) : type_string_binary();
        return true;
    }
    return type_from_name(name->value, sizes, count, p->arena, out, &problem) ||
           postpone(p, &problem, name, out);
}

/* [COMMENT 'a' 'b'] as metadata. */
static bool parse_comment(Parser *p, Field *f)
{
    if (!take_word(p, "comment"))
        return true;
    if (p->token.kind != TOKEN_STRING)
        return syntax_error(p);
    Buf text = buf_in(p->arena), json = buf_in(p->arena);
    for (; p->token.kind == TOKEN_STRING; next(p))
        buf_add(&text, p->token.value);
    buf_addz(&json, "{\"comment\":");
    json_put_str(&json, buf_str(&text));
    buf_addc(&json, '}');
    f->metadata = buf_str(&json);
    return true;
}

static bool parse_field(Parser *p, Field *f)
{
    if (p->token.kind != TOKEN_WORD && p->token.kind != TOKEN_QUOTED)
        return syntax_error(p);
    *f = (Field){.name = str_copy(p->token.value, p->arena), .nullable = true};
    next(p);
    take_char(p, ':');
    TRY(parse_type(p, &f->type));
    if (take_word(p, "not")) {
        if (!take_word(p, "null"))
            return syntax_error(p);
        f->nullable = false;
    }
    return parse_comment(p, f);
}

static bool parse_fields(Parser *p, const Type **out)
{
    VEC(Field) fields = {0};
    do {
        Field f;
        TRY(parse_field(p, &f));
        vec_push(p->arena, &fields, f);
    } while (take_char(p, ','));
    *out = type_struct(fields.at, fields.len, p->arena);
    return true;
}

static bool parse_array_parts(Parser *p, const Type **out)
{
    const Type *element;
    TRY(parse_type(p, &element));
    *out = type_array(element, true, p->arena);
    return true;
}

static bool parse_map_parts(Parser *p, const Type **out)
{
    const Type *key, *value;
    TRY(parse_type(p, &key));
    if (!take_char(p, ','))
        return syntax_error(p);
    TRY(parse_type(p, &value));
    *out = type_map(key, value, true, p->arena);
    return true;
}

static bool parse_struct_parts(Parser *p, const Type **out)
{
    if (at_char(p, '>')) {
        *out = type_struct(NULL, 0, p->arena);
        return true;
    }
    return parse_fields(p, out);
}

static bool parse_parts(Parser *p, bool (*parts)(Parser *, const Type **), const Type **out)
{
    Token open = p->token;
    next(p);
    if (parts(p, out) && (take_char(p, '>') || syntax_error(p)))
        return true;
    return blame_bracket(p, &open);
}

static bool parse_type_here(Parser *p, const Type **out)
{
    if (p->token.kind != TOKEN_WORD && p->token.kind != TOKEN_QUOTED)
        return syntax_error(p);
    Token name = p->token;
    next(p);
    if (name.kind == TOKEN_WORD && at_char(p, '<')) {
        if (str_is_ci(name.value, "array"))
            return parse_parts(p, parse_array_parts, out);
        if (str_is_ci(name.value, "map"))
            return parse_parts(p, parse_map_parts, out);
        if (str_is_ci(name.value, "struct"))
            return parse_parts(p, parse_struct_parts, out);
    }
    if (name.kind == TOKEN_WORD && str_is_ci(name.value, "interval"))
        return parse_interval(p, out);
    return parse_named(p, &name, out);
}

static bool parse_type(Parser *p, const Type **out)
{
    if (p->depth == TYPE_MAX_DEPTH)
        return error_unsupported(p->err, "A data type nested more than %d levels deep", TYPE_MAX_DEPTH);
    p->depth++;
    bool ok = parse_type_here(p, out);
    p->depth--;
    return ok;
}

static bool parse_whole(Str text, bool as_fields, Arena *arena, const Type **out, Error *err)
{
    Parser p = {.text = text, .arena = arena, .err = err, .unknown = error_in(arena)};
    next(&p);
    TRY(as_fields ? parse_fields(&p, out) : parse_type(&p, out));
    if (p.token.kind != TOKEN_END)
        return syntax_error(&p);
    if (error_is_set(&p.unknown))
        *err = p.unknown;
    return !error_is_set(&p.unknown);
}

/* As DataType.fromDDL: one type, else columns; when neither reads, the error is that of the first. */
bool type_from_ddl(Str text, Arena *arena, const Type **out, Error *err)
{
    Error second = error_in(arena);
    if (!str_trim(text).len) {
        error_set(err, ERR_PARSE_EMPTY_STATEMENT);
        error_locate(err, PLACE_SYNTAX, text, 0, 0);
        return false;
    }
    if (parse_whole(text, false, arena, out, err))
        return true;
    if (!parse_whole(text, true, arena, out, &second))
        return false;
    error_clear(err);
    return true;
}
