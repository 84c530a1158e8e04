/* CSV files as rows, by the rules of Spark's univocity settings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/file_source_impl.h"
#include "type/datetime.h"

/* ---- records ---- */

static bool at_separator(Str line, size_t at, const FileOptions *o)
{
    return str_starts_with(str_slice(line, at, line.len), o->separator);
}

static bool at_line_end(Str s, size_t at)
{
    return at >= s.len || s.ptr[at] == '\n' || s.ptr[at] == '\r';
}

static size_t unquoted_end(Str s, size_t at, const FileOptions *o)
{
    while (!at_line_end(s, at) && !at_separator(s, at, o))
        at++;
    return at;
}

/* Past a quoted cell that may span lines. A quote that nothing fitting follows makes it a plain one. */
static size_t quoted_end(Str s, size_t at, const FileOptions *o)
{
    for (at++; at < s.len; at++) {
        if (o->escape && s.ptr[at] == o->escape && o->escape != o->quote && at + 1 < s.len &&
            (s.ptr[at + 1] == o->quote || s.ptr[at + 1] == o->escape)) {
            at++;
        } else if (s.ptr[at] == o->quote && o->escape == o->quote && at + 1 < s.len &&
                   s.ptr[at + 1] == o->quote) {
            at++;
        } else if (s.ptr[at] == o->quote) {
            size_t after = at + 1;
            while (after < s.len && s.ptr[after] == ' ' && !at_separator(s, after, o))
                after++;
            return at_line_end(s, after) || at_separator(s, after, o) ? after
                                                                      : unquoted_end(s, at, o);
        }
    }
    return s.len;
}

static size_t record_end(const FileBytes *b, const FileOptions *o, size_t at)
{
    Str s = {b->ptr, b->len};
    for (;;) {
        size_t start = at;
        while (o->trim_left && start < s.len && s.ptr[start] == ' ' && !at_separator(s, start, o))
            start++;
        bool quoted = o->quote && start < s.len && s.ptr[start] == o->quote;
        at = quoted ? quoted_end(s, start, o) : unquoted_end(s, at, o);
        if (at_line_end(s, at))
            return at;
        at += o->separator.len;
    }
}

/* Java's trim takes every control character. */
static bool is_blank(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] > ' ')
            return false;
    return true;
}

bool csv_next_record(const FileBytes *b, const FileOptions *o, size_t *at, Str *record)
{
    if (!*at && b->len >= 3 && !memcmp(b->ptr, "\xef\xbb\xbf", 3))
        *at = 3;
    for (;;) {
        if (o->multi_line && !o->line_separator.len) {
            if (*at >= b->len)
                return false;
            size_t end = record_end(b, o, *at);
            *record = (Str){b->ptr + *at, end - *at};
            *at = end;
            if (*at < b->len && b->ptr[*at] == '\r')
                ++*at;
            if (*at < b->len && b->ptr[*at] == '\n')
                ++*at;
        } else if (!file_next_line(b, o->line_separator, at, record)) {
            return false;
        }
        if (is_blank(*record) || (o->comment && record->ptr[0] == o->comment))
            continue;
        return true;
    }
}

/* ---- cells ---- */

static Str trimmed(Str s, const FileOptions *o)
{
    while (o->trim_left && s.len && (unsigned char)s.ptr[0] <= ' ')
        s = str_slice(s, 1, s.len);
    while (o->trim_right && s.len && (unsigned char)s.ptr[s.len - 1] <= ' ')
        s = str_slice(s, 0, s.len - 1);
    return s;
}

static size_t plain_end(Str line, size_t at, const FileOptions *o)
{
    if (o->separator.len == 1) {
        const char *found = memchr(line.ptr + at, o->separator.ptr[0], line.len - at);
        return found ? (size_t)(found - line.ptr) : line.len;
    }
    while (at < line.len && !at_separator(line, at, o))
        at++;
    return at;
}

/* Whether a run of escapes ends before a quote. */
static bool escapes_quote(Str line, size_t at, const FileOptions *o)
{
    while (at < line.len && line.ptr[at] == o->escape)
        at++;
    return at < line.len && line.ptr[at] == o->quote;
}

/* A cell that starts with a quote. *end is behind its closing quote; false when it never closes
 * properly. */
static bool quoted_cell(Str line, size_t at, const FileOptions *o, Buf *out, size_t *end)
{
    size_t i = at + 1;
    for (; i < line.len; i++) {
        char c = line.ptr[i];
        char next = i + 1 < line.len ? line.ptr[i + 1] : 0;
        if (o->escape && c == o->escape && next == o->quote &&
            (c != o->quote || i + 1 < line.len)) {
            buf_addc(out, next);
            i++;
        } else if (o->escape && c == o->escape && o->escape != o->quote && next == o->escape &&
                   escapes_quote(line, i + 1, o)) {
            buf_addc(out, c); /* an escaped escape before a quote */
            i++;
        } else if (o->multi_line && c == '\r' && next == '\n') {
            continue; /* lines inside of a cell end in one character */
        } else if (c == o->quote) {
            size_t after = i + 1;
            while (after < line.len && line.ptr[after] == ' ' && !at_separator(line, after, o))
                after++;
            if (after >= line.len || at_separator(line, after, o)) {
                *end = after;
                return true;
            }
            *end = i;
            return false;
        } else {
            buf_addc(out, c);
        }
    }
    *end = line.len;
    return false;
}

/* Nothing at all is NULL, nothing between quotes is the option emptyValue. */
static Str cell_text(Str text, bool quoted, const FileOptions *o)
{
    if (!text.len && !quoted)
        return (Str){NULL, 0};
    text = text.len ? text : o->empty_value;
    return str_eq(text, o->null_value) ? (Str){NULL, 0} : text.ptr ? text : S("");
}

void csv_split_line(Str line, const FileOptions *o, Arena *arena, CsvCells *out)
{
    out->len = 0;
    size_t at = 0;
    for (;;) {
        size_t start = at;
        while (o->trim_left && start < line.len && line.ptr[start] == ' ' &&
               !at_separator(line, start, o))
            start++;
        size_t end;
        Str cell;
        bool quoted = o->quote && start < line.len && line.ptr[start] == o->quote;
        if (o->quote && start < line.len && line.ptr[start] == o->quote) {
            Buf b = buf_in(arena);
            if (quoted_cell(line, start, o, &b, &end)) {
                cell = b.len ? buf_str(&b) : S("");
            } else if (end >= line.len) {
                cell = b.len ? buf_str(&b)
                             : S(""); /* never closed: the rest of the line without its quote */
            } else {
                end = plain_end(line, end, o); /* a stray quote: the text as it stands */
                cell = str_slice(line, start, end);
                if (str_eq(cell, (Str){(char[]){o->quote, o->quote, o->quote}, 3}))
                    cell = str_slice(cell, 0, 1);
            }
        } else {
            end = plain_end(line, at, o);
            cell = trimmed(str_slice(line, at, end), o);
        }
        vec_push(arena, out, cell_text(cell, quoted, o));
        if (end >= line.len)
            return;
        at = end + o->separator.len;
    }
}

/* ---- typed cells ---- */

bool csv_parse_real(Str text, const FileOptions *o, double *out)
{
    if (str_eq(text, o->nan_value))
        return *out = NAN, true;
    if (str_eq(text, o->positive_inf))
        return *out = INFINITY, true;
    if (str_eq(text, o->negative_inf))
        return *out = -INFINITY, true;
    Str s = str_trim(text);
    if (s.len && (s.ptr[s.len - 1] == 'd' || s.ptr[s.len - 1] == 'f' || s.ptr[s.len - 1] == 'D' ||
                  s.ptr[s.len - 1] == 'F'))
        s = str_slice(s, 0, s.len - 1);
    Str unsigned_text = str_starts_with(s, S("+")) || str_starts_with(s, S("-")) ? str_slice(s, 1, s.len) : s;
    if (str_is(unsigned_text, "NaN"))
        return *out = NAN, true;
    if (str_is(unsigned_text, "Infinity"))
        return *out = s.ptr[0] == '-' ? -INFINITY : INFINITY, true;
    if (!s.len || !strchr("+-.0123456789", s.ptr[0]) || str_find_char(s, 'x') >= 0 ||
        str_find_char(s, 'X') >= 0)
        return false;
    return str_to_f64(str_starts_with(s, S("+")) ? str_slice(s, 1, s.len) : s, out);
}

bool csv_parse_bool(Str text, bool *out)
{
    *out = str_is_ci(text, "true");
    return *out || str_is_ci(text, "false");
}

static bool put_number(Str text, duckdb_vector vector, idx_t row, const Type *type)
{
    int64_t n;
    Str s = str_starts_with(text, S("+")) ? str_slice(text, 1, text.len) : text;
    if (!str_to_i64(s, &n) || !cell_fits(type->kind, n))
        return false;
    cell_put_int(vector, row, type->kind, n);
    return true;
}

bool csv_put_cell(Str text, duckdb_vector vector, idx_t row, const Type *type,
                  const FileOptions *o)
{
    int64_t n;
    double d;
    bool b;
    switch (type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        cell_put_text(vector, row, text);
        return true;
    case TYPE_BINARY:
        duckdb_vector_assign_string_element_len(vector, row, text.ptr, text.len);
        return true;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return put_number(text, vector, row, type);
    case TYPE_BOOLEAN:
        if (!csv_parse_bool(text, &b))
            return false;
        ((uint8_t *)duckdb_vector_get_data(vector))[row] = b;
        return true;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        if (!csv_parse_real(text, o, &d))
            return false;
        if (type->kind == TYPE_FLOAT)
            ((float *)duckdb_vector_get_data(vector))[row] = (float)d;
        else
            ((double *)duckdb_vector_get_data(vector))[row] = d;
        return true;
    case TYPE_DECIMAL:
        return cell_put_decimal(vector, row, type, text);
    case TYPE_DATE:
        if (!file_parse_date(text, o, &n) || !cell_fits(TYPE_DATE, n))
            return false;
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        if (!file_parse_timestamp(text, o, type->kind == TYPE_TIMESTAMP_NTZ, &n))
            return false;
        break;
    case TYPE_TIME:
        if (!time_parse(text, &n))
            return false;
        break;
    default:
        return false;
    }
    cell_put_int(vector, row, type->kind, n);
    return true;
}

/* How many columns the file itself has: the corrupt-record column is not among them. */
static size_t expected_cells(const FileReader *r)
{
    return r->schema->structure.count - (r->corrupt >= 0);
}

static Parsed put_record(FileReader *r, const CsvCells *cells, idx_t row)
{
    Parsed parsed = cells->len == expected_cells(r) ? PARSED_OK : PARSED_PARTIAL;
    for (size_t i = 0; i < r->column_count; i++) {
        size_t column = r->columns[i];
        if (column >= r->schema->structure.count || (ptrdiff_t)column == r->corrupt)
            continue;
        const Type *type = r->schema->structure.fields[column].type;
        size_t cell = column - (r->corrupt >= 0 && (ptrdiff_t)column > r->corrupt);
        Str text = cell < cells->len ? cells->at[cell] : (Str){NULL, 0};
        if (text.ptr && csv_put_cell(text, r->vectors[i], row, type, r->options))
            continue;
        vector_set_null(r->vectors[i], row, type);
        if (text.ptr)
            parsed = PARSED_PARTIAL;
    }
    return parsed;
}

static bool csv_next(FileReader *r, idx_t row, bool *more, bool *keep, Error *err)
{
    Str record;
    *more = csv_next_record(&r->bytes, r->options, &r->at, &record);
    if (*more && !r->started && r->options->header)
        *more = csv_next_record(&r->bytes, r->options, &r->at, &record);
    r->started = true;
    if (!*more)
        return true;
    AUTO_ARENA arena = arena_new();
    CsvCells cells = {0};
    csv_split_line(record, r->options, arena, &cells);
    return reader_settle(r, row, put_record(r, &cells, row), record, keep, err);
}

const FileFormat csv_format = {"csv", csv_next, NULL};
