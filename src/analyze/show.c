/* DataFrame.show and the notebook's HTML form: the server formats the text. */
#include "analyze/analyze_impl.h"

typedef VEC(StrVec) TextRows;

/* Every column as text: what Spark's ToPrettyString prints, NULL for missing values. */
static bool text_columns(Analyzer *a, BoundRel *input, BoundRel **out, Error *err)
{
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        BoundExpr *e = bound_column(&input->columns.at[i], a->arena);
        TRY(bind_builtin(a, "to_pretty_string", 1, &e, (Origin){0, -1}, &e, err));
        project_push(a, p, e, column_of_expr(a, e, input->columns.at[i].name, (Str){0}));
    }
    *out = p;
    return true;
}

static Str cut(Str s, int truncate, Arena *arena)
{
    if (truncate <= 0 || str_utf8_len(s) <= (size_t)truncate)
        return s;
    size_t keep = truncate < 4 ? (size_t)truncate : (size_t)truncate - 3, pos = 0;
    for (size_t n = 0; n < keep; n++)
        str_utf8_next(s, &pos);
    Str head = str_slice(s, 0, pos);
    return truncate < 4 ? head : str_concat(arena, head, S("..."));
}

/* Control characters are shown escaped, so that a cell stays on its line. */
static Str escape_cell(Str s, Arena *arena)
{
    static const struct { char c; const char *text; } ESCAPES[] = {
        {'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}, {'\f', "\\f"}, {'\b', "\\b"}, {'\v', "\\v"}, {'\a', "\\a"}};
    bool plain = true;
    for (size_t i = 0; i < s.len && plain; i++)
        plain = (unsigned char)s.ptr[i] >= 0x20;
    if (plain)
        return s;
    Buf b = buf_in(arena);
    for (size_t i = 0; i < s.len; i++) {
        const char *text = NULL;
        for (size_t k = 0; k < LENGTH_OF(ESCAPES); k++)
            if (ESCAPES[k].c == s.ptr[i])
                text = ESCAPES[k].text;
        if (text)
            buf_addz(&b, text);
        else
            buf_addc(&b, s.ptr[i]);
    }
    return buf_str(&b);
}

static bool fetch(Analyzer *a, const Rel *rel, TextRows *rows, bool *more, Error *err)
{
    BoundRel *input, *text;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    int64_t wanted = rel->show.num_rows < 0 ? 0 : rel->show.num_rows;
    if (wanted > INT32_MAX - 16)
        wanted = INT32_MAX - 16;
    BoundRel *limit = brel_new(BREL_LIMIT, input, a->arena);
    limit->columns = input->columns;
    limit->limit.count = bound_literal(value_int(TYPE_LONG, wanted + 1), a->arena);
    TRY(text_columns(a, limit, &text, err));
    RowVec values = {0};
    TRY(run_rows(a, text, (size_t)wanted + 1, &values, err));
    *more = (int64_t)values.len > wanted;
    StrVec header = {0};
    for (size_t c = 0; c < input->columns.len; c++)
        vec_push(a->arena, &header, escape_cell(input->columns.at[c].name, a->arena));
    vec_push(a->arena, rows, header);
    for (size_t r = 0; r < values.len && (int64_t)r < wanted; r++) {
        StrVec row = {0};
        for (size_t c = 0; c < input->columns.len; c++) {
            const Value *v = &values.at[r].cells[c];
            vec_push(a->arena, &row, v->is_null ? S("NULL") : cut(escape_cell(v->bytes, a->arena), rel->show.truncate, a->arena));
        }
        vec_push(a->arena, rows, row);
    }
    return true;
}

/* East Asian wide characters take two columns on a terminal: the ranges Spark's fullWidthRegex lists. */
static size_t display_width(Str s)
{
    size_t width = 0;
    for (size_t pos = 0; pos < s.len;) {
        uint32_t c = str_utf8_next(s, &pos);
        bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
                    (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0xFFE0 && c <= 0xFFE6);
        width += wide ? 2 : 1;
    }
    return width;
}

static void pad(Buf *b, Str s, size_t width, bool right)
{
    size_t have = display_width(s), fill = width > have ? width - have : 0;
    if (!right)
        buf_add_repeat(b, ' ', fill);
    buf_add(b, s);
    if (right)
        buf_add_repeat(b, ' ', fill);
}

static void ruler(Buf *b, const size_t *widths, size_t count)
{
    buf_addc(b, '+');
    for (size_t c = 0; c < count; c++) {
        buf_add_repeat(b, '-', widths[c]);
        buf_addc(b, '+');
    }
    buf_addc(b, '\n');
}

static void grid(Analyzer *a, const TextRows *rows, int truncate, Buf *b)
{
    size_t count = rows->at[0].len;
    size_t *widths = ARENA_ARRAY(a->arena, size_t, count + 1);
    for (size_t c = 0; c < count; c++) {
        widths[c] = 3;
        for (size_t r = 0; r < rows->len; r++) {
            size_t w = display_width(rows->at[r].at[c]);
            widths[c] = w > widths[c] ? w : widths[c];
        }
    }
    ruler(b, widths, count);
    for (size_t r = 0; r < rows->len; r++) {
        buf_addc(b, '|');
        for (size_t c = 0; c < count; c++) {
            pad(b, rows->at[r].at[c], widths[c], truncate <= 0);
            buf_addc(b, '|');
        }
        buf_addc(b, '\n');
        if (r == 0)
            ruler(b, widths, count);
    }
    ruler(b, widths, count);
}

static void vertical(const TextRows *rows, Buf *b)
{
    size_t name_width = 3, value_width = 3, count = rows->at[0].len;
    for (size_t c = 0; c < count; c++) {
        size_t w = display_width(rows->at[0].at[c]);
        name_width = w > name_width ? w : name_width;
        for (size_t r = 1; r < rows->len; r++) {
            w = display_width(rows->at[r].at[c]);
            value_width = w > value_width ? w : value_width;
        }
    }
    for (size_t r = 1; r < rows->len; r++) {
        size_t before = b->len;
        buf_addf(b, "-RECORD %zu", r - 1);
        size_t total = name_width + value_width + 5;
        if (b->len - before < total)
            buf_add_repeat(b, '-', total - (b->len - before));
        buf_addc(b, '\n');
        for (size_t c = 0; c < count; c++) {
            buf_addc(b, ' ');
            pad(b, rows->at[0].at[c], name_width, true);
            buf_addz(b, " | ");
            pad(b, rows->at[r].at[c], value_width, true);
            buf_addz(b, " \n");
        }
    }
}

static BoundRel *text_result(Analyzer *a, Str name, Str text)
{
    Field f = {name, type_simple(TYPE_STRING), false, {0}};
    Row row = {ARENA_NEW(a->arena, Value)};
    row.cells[0] = value_string(text);
    RowVec rows = {0};
    vec_push(a->arena, &rows, row);
    return rel_of_values(a, type_struct(&f, 1, a->arena), &rows);
}

bool analyze_show_string(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    TextRows rows = {0};
    bool more;
    TRY(fetch(a, rel, &rows, &more, err));
    Buf b = buf_in(a->arena);
    if (!rel->show.vertical)
        grid(a, &rows, rel->show.truncate, &b);
    else if (rows.len == 1)
        buf_addz(&b, "(0 rows)\n");
    else
        vertical(&rows, &b);
    if (more)
        buf_addf(&b, "only showing top %d row%s\n", rel->show.num_rows, rel->show.num_rows == 1 ? "" : "s");
    *out = text_result(a, S("show_string"), buf_str(&b));
    return true;
}

static void html_escape(Buf *b, Str s)
{
    for (size_t i = 0; i < s.len; i++)
        switch (s.ptr[i]) {
        case '<':
            buf_addz(b, "&lt;");
            break;
        case '>':
            buf_addz(b, "&gt;");
            break;
        case '&':
            buf_addz(b, "&amp;");
            break;
        case '"':
            buf_addz(b, "&quot;");
            break;
        default:
            buf_addc(b, s.ptr[i]);
        }
}

bool analyze_html_string(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    TextRows rows = {0};
    bool more;
    TRY(fetch(a, rel, &rows, &more, err));
    Buf b = buf_in(a->arena);
    buf_addz(&b, "<table border='1'>\n");
    for (size_t r = 0; r < rows.len; r++) {
        const char *tag = r ? "td" : "th";
        buf_addz(&b, "<tr>");
        for (size_t c = 0; c < rows.at[r].len; c++) {
            buf_addf(&b, "<%s>", tag);
            html_escape(&b, rows.at[r].at[c]);
            buf_addf(&b, "</%s>", tag);
        }
        buf_addz(&b, "</tr>\n");
    }
    buf_addz(&b, "</table>\n");
    if (more)
        buf_addf(&b, "only showing top %d row%s\n", rel->show.num_rows, rel->show.num_rows == 1 ? "" : "s");
    *out = text_result(a, S("html_string"), buf_str(&b));
    return true;
}
