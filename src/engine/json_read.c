/* JSON files as rows: Spark's JacksonParser rules for what fits a type and what makes a record
 * malformed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "engine/file_source_impl.h"
#include "type/datetime.h"

#define JSON_FLAGS                                                                                 \
    (YYJSON_READ_NUMBER_AS_RAW | YYJSON_READ_ALLOW_INF_AND_NAN | YYJSON_READ_STOP_WHEN_DONE)

/* ---- documents ---- */

/* Jackson is told to take 'single quotes' too; yyjson does not know them. */
static Str double_quoted(Str text, Arena *arena)
{
    Buf b = buf_in(arena);
    char quote = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quote && c == '\\' && i + 1 < text.len) {
            if (text.ptr[i + 1] != '\'')
                buf_addc(&b, c);
            buf_addc(&b, text.ptr[++i]);
        } else if (!quote && (c == '"' || c == '\'')) {
            quote = c;
            buf_addc(&b, '"');
        } else if (quote == c && quote) {
            quote = 0;
            buf_addc(&b, '"');
        } else {
            buf_addz(&b, quote == '\'' && c == '"' ? "\\" : "");
            buf_addc(&b, c);
        }
    }
    return buf_str(&b);
}

yyjson_doc *json_file_document(Str text)
{
    yyjson_doc *doc = yyjson_read_opts((char *)text.ptr, text.len, JSON_FLAGS, NULL, NULL);
    if (doc || str_find_char(text, '\'') < 0)
        return doc;
    AUTO_ARENA arena = arena_new();
    Str other = double_quoted(text, arena);
    return yyjson_read_opts((char *)other.ptr, other.len, JSON_FLAGS, NULL, NULL);
}

/* ---- values ---- */

static bool is_integer_text(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (i == 0 && s.ptr[i] == '-')))
            return false;
    return s.len > 0;
}

static bool raw_number(yyjson_val *v, Str *out)
{
    if (!yyjson_is_raw(v))
        return false;
    *out = (Str){yyjson_get_raw(v), yyjson_get_len(v)};
    return true;
}

static Parsed null_cell(duckdb_vector vector, idx_t row, const Type *type, Parsed parsed)
{
    vector_set_null(vector, row, type);
    return parsed;
}

static Parsed put_integer(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type)
{
    Str text;
    int64_t n;
    if (!raw_number(v, &text) || !is_integer_text(text) || !str_to_i64(text, &n) ||
        !cell_fits(type->kind, n))
        return null_cell(vector, row, type, PARSED_BAD);
    cell_put_int(vector, row, type->kind, n);
    return PARSED_OK;
}

static bool named_real(Str s, double *out)
{
    static const struct {
        const char *name;
        int sign;
    } names[] = {{"NaN", 0},      {"+INF", 1},  {"+Infinity", 1}, {"INF", 1},
                 {"Infinity", 1}, {"-INF", -1}, {"-Infinity", -1}};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        if (str_is(s, names[i].name)) {
            *out = names[i].sign ? names[i].sign * INFINITY : NAN;
            return true;
        }
    }
    return false;
}

static Parsed put_real(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type)
{
    Str text;
    double d;
    if (raw_number(v, &text)) {
        char digits[512];
        size_t n = text.len < sizeof(digits) ? text.len : sizeof(digits) - 1;
        memcpy(digits, text.ptr, n);
        digits[n] = 0;
        d = strtod(digits, NULL);
    } else if (yyjson_is_real(v)) {
        d = yyjson_get_real(v);
    } else if (!yyjson_is_str(v) || !named_real(json_str(v), &d)) {
        return null_cell(vector, row, type, PARSED_BAD);
    }
    if (type->kind == TYPE_FLOAT)
        ((float *)duckdb_vector_get_data(vector))[row] = (float)d;
    else
        ((double *)duckdb_vector_get_data(vector))[row] = d;
    return PARSED_OK;
}

static Parsed put_string(yyjson_val *v, duckdb_vector vector, idx_t row)
{
    Str text;
    if (yyjson_is_str(v)) {
        cell_put_text(vector, row, json_str(v));
    } else if (raw_number(v, &text)) {
        cell_put_text(vector, row, text);
    } else {
        AUTO_ARENA arena = arena_new();
        cell_put_text(vector, row, json_text(v, arena));
    }
    return PARSED_OK;
}

static Parsed put_decimal(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type)
{
    Str text;
    if (!raw_number(v, &text))
        text = json_str(v);
    if (!text.len || !cell_put_decimal(vector, row, type, text))
        return null_cell(vector, row, type, PARSED_BAD);
    return PARSED_OK;
}

static Parsed put_datetime(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type,
                           const FileOptions *o)
{
    Str text;
    int64_t n;
    bool ok;
    if (raw_number(v, &text)) /* a number is seconds since 1970 */
        ok = type->kind == TYPE_TIMESTAMP && str_to_i64(text, &n) &&
             !__builtin_mul_overflow(n, US_PER_SECOND, &n);
    else if (!yyjson_is_str(v))
        ok = false;
    else if (type->kind == TYPE_DATE)
        ok = file_parse_date(json_str(v), o, &n) && cell_fits(TYPE_DATE, n);
    else if (type->kind == TYPE_TIME)
        ok = time_parse(json_str(v), &n);
    else
        ok = file_parse_timestamp(json_str(v), o, type->kind == TYPE_TIMESTAMP_NTZ, &n);
    if (!ok)
        return null_cell(vector, row, type, PARSED_BAD);
    cell_put_int(vector, row, type->kind, n);
    return PARSED_OK;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static Parsed put_binary(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type)
{
    if (!yyjson_is_str(v))
        return null_cell(vector, row, type, PARSED_BAD);
    AUTO_ARENA arena = arena_new();
    Buf b = buf_in(arena);
    Str text = json_str(v);
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        int d = base64_digit(text.ptr[i]);
        if (d < 0)
            return null_cell(vector, row, type, PARSED_BAD);
        bits = bits << 6 | (uint32_t)d;
        if ((have += 6) >= 8)
            buf_addc(&b, (char)(bits >> (have -= 8)));
    }
    duckdb_vector_assign_string_element_len(vector, row, b.ptr ? b.ptr : "", b.len);
    return PARSED_OK;
}

static Parsed put_value(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type,
                        const FileOptions *o);

static Parsed worse(Parsed a, Parsed b) { return a > b ? a : b; }

/* A bad field is NULL and makes the struct partial; the others keep their values. */
static Parsed put_struct(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type,
                         const FileOptions *o)
{
    if (!yyjson_is_obj(v))
        return null_cell(vector, row, type, PARSED_BAD);
    Parsed parsed = PARSED_OK;
    for (size_t i = 0; i < type->structure.count; i++) {
        const Field *f = &type->structure.fields[i];
        yyjson_val *found = NULL, *key;
        yyjson_obj_iter iter = yyjson_obj_iter_with(v);
        while ((key = yyjson_obj_iter_next(&iter)))
            if (str_eq(json_str(key), f->name))
                found = yyjson_obj_iter_get_val(key); /* the last one counts */
        duckdb_vector child = duckdb_struct_vector_get_child(vector, i);
        if (put_value(found, child, row, f->type, o) != PARSED_OK)
            parsed = PARSED_PARTIAL;
    }
    if (!type->structure.count)
        vector_set_null(duckdb_struct_vector_get_child(vector, 0), row, type_simple(TYPE_INT));
    return parsed;
}

/* Room for n more elements; their first index. */
static bool grow_list(duckdb_vector vector, idx_t n, idx_t *start)
{
    *start = duckdb_list_vector_get_size(vector);
    return duckdb_list_vector_reserve(vector, *start + n) == DuckDBSuccess &&
           duckdb_list_vector_set_size(vector, *start + n) == DuckDBSuccess;
}

/* A bad element makes the whole array NULL, a partial one is kept. */
static Parsed put_array(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type,
                        const FileOptions *o)
{
    idx_t start, n = yyjson_arr_size(v);
    if (!yyjson_is_arr(v) || !grow_list(vector, n, &start))
        return null_cell(vector, row, type, PARSED_BAD);
    Parsed parsed = PARSED_OK;
    duckdb_vector child = duckdb_list_vector_get_child(vector);
    yyjson_val *item;
    size_t i, count;
    yyjson_arr_foreach(v, i, count, item) parsed =
        worse(parsed, put_value(item, child, start + i, type->array.element, o));
    if (parsed == PARSED_BAD)
        return null_cell(vector, row, type, PARSED_BAD);
    ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row] = (duckdb_list_entry){start, n};
    return parsed;
}

static Parsed put_map(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type,
                      const FileOptions *o)
{
    idx_t start, n = yyjson_obj_size(v);
    if (!yyjson_is_obj(v) || !type_is_stringy(type->map.key) || !grow_list(vector, n, &start))
        return null_cell(vector, row, type, PARSED_BAD);
    Parsed parsed = PARSED_OK;
    duckdb_vector pairs = duckdb_list_vector_get_child(vector);
    duckdb_vector keys = duckdb_struct_vector_get_child(pairs, 0),
                  values = duckdb_struct_vector_get_child(pairs, 1);
    yyjson_val *key, *item;
    size_t i, count;
    yyjson_obj_foreach(v, i, count, key, item)
    {
        cell_put_text(keys, start + i, json_str(key));
        parsed = worse(parsed, put_value(item, values, start + i, type->map.value, o));
    }
    if (parsed == PARSED_BAD)
        return null_cell(vector, row, type, PARSED_BAD);
    ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row] = (duckdb_list_entry){start, n};
    return parsed;
}

static Parsed put_value(yyjson_val *v, duckdb_vector vector, idx_t row, const Type *type,
                        const FileOptions *o)
{
    if (!v || yyjson_is_null(v))
        return null_cell(vector, row, type, PARSED_OK);
    switch (type->kind) {
    case TYPE_BOOLEAN:
        if (!yyjson_is_bool(v))
            return null_cell(vector, row, type, PARSED_BAD);
        ((uint8_t *)duckdb_vector_get_data(vector))[row] = yyjson_get_bool(v);
        return PARSED_OK;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return put_integer(v, vector, row, type);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return put_real(v, vector, row, type);
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return put_string(v, vector, row);
    case TYPE_BINARY:
        return put_binary(v, vector, row, type);
    case TYPE_DECIMAL:
        return put_decimal(v, vector, row, type);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_TIME:
        return put_datetime(v, vector, row, type, o);
    case TYPE_STRUCT:
        return put_struct(v, vector, row, type, o);
    case TYPE_ARRAY:
        return put_array(v, vector, row, type, o);
    case TYPE_MAP:
        return put_map(v, vector, row, type, o);
    default:
        return null_cell(vector, row, type, PARSED_BAD);
    }
}

/* ---- records ---- */

typedef struct JsonState {
    yyjson_doc *doc; /* an array whose elements are rows */
    yyjson_arr_iter rows;
    Str text;
} JsonState;

static void json_close(FileReader *r)
{
    JsonState *s = r->format_state;
    if (!s)
        return;
    yyjson_doc_free(s->doc);
    free(s);
    r->format_state = NULL;
}

static Parsed put_record(FileReader *r, yyjson_val *object, idx_t row)
{
    Parsed parsed = object ? PARSED_OK : PARSED_BAD;
    if (object && !yyjson_is_obj(object)) {
        parsed = PARSED_BAD;
        object = NULL;
    }
    for (size_t i = 0; i < r->column_count; i++) {
        size_t column = r->columns[i];
        if (column >= r->schema->structure.count || (ptrdiff_t)column == r->corrupt)
            continue;
        const Field *f = &r->schema->structure.fields[column];
        yyjson_val *found = NULL, *key;
        yyjson_obj_iter iter = yyjson_obj_iter_with(object);
        while (object && (key = yyjson_obj_iter_next(&iter)))
            if (str_eq(json_str(key), f->name))
                found = yyjson_obj_iter_get_val(key);
        if (put_value(found, r->vectors[i], row, f->type, r->options) != PARSED_OK)
            parsed = worse(parsed, PARSED_PARTIAL);
    }
    return parsed;
}

static bool next_of_array(FileReader *r, idx_t row, bool *taken, bool *keep, Error *err)
{
    JsonState *s = r->format_state;
    yyjson_val *item = s ? yyjson_arr_iter_next(&s->rows) : NULL;
    *taken = item != NULL;
    if (!item) {
        json_close(r);
        return true;
    }
    return reader_settle(r, row, put_record(r, item, row), s->text, keep, err);
}

static Str next_text(FileReader *r, bool *more)
{
    Str text = S("");
    if (r->options->multi_line) {
        *more = !r->started;
        r->started = true;
        return (Str){r->bytes.ptr, r->bytes.len};
    }
    while ((*more = file_next_line(&r->bytes, r->options->line_separator, &r->at, &text)))
        if (str_trim(text).len)
            break;
    return text;
}

static bool json_next(FileReader *r, idx_t row, bool *more, bool *keep, Error *err)
{
    bool taken;
    *more = true;
    TRY(next_of_array(r, row, &taken, keep, err));
    if (taken)
        return true;
    Str text = next_text(r, more);
    if (!*more)
        return true;
    if (r->bytes.len >= 3 && text.ptr == r->bytes.ptr && !memcmp(text.ptr, "\xef\xbb\xbf", 3))
        text = str_slice(text, 3, text.len);
    yyjson_doc *doc = json_file_document(text);
    yyjson_val *root = yyjson_doc_get_root(doc);
    if (!yyjson_is_arr(root)) {
        Parsed parsed = put_record(r, root, row);
        yyjson_doc_free(doc);
        return reader_settle(r, row, parsed, text, keep, err);
    }
    JsonState *s = malloc(sizeof(*s));
    if (!s)
        panic("out of memory");
    *s = (JsonState){doc, yyjson_arr_iter_with(root), text};
    r->format_state = s;
    *keep = false; /* the rows come with the next calls */
    return true;
}

const FileFormat json_format = {"json", json_next, json_close};
