/* Prints a statement's rows as a table, CSV, JSON lines or Arrow. */
#include "server/sql_shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { IPC_MAX = 1 << 30, PREFIX_LEN = 8, END_LEN = 8 };

typedef struct Printer {
    const Type *schema;
    Str zone;
    Arena *arena;
} Printer;

static Str cell_text(const Printer *p, const Value *v)
{
    return v->is_null ? S("NULL") : value_to_text(v, p->zone, p->arena);
}

static Str field_name(const Printer *p, size_t i)
{
    return p->schema->structure.fields[i].name;
}

/* ---- table ---- */

static void print_rule(const size_t *widths, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        putchar('+');
        for (size_t j = 0; j < widths[i]; j++)
            putchar('-');
    }
    puts("+");
}

static void print_line(const Str *cells, const size_t *widths, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        printf("|%*s" STR_FMT, (int)(widths[i] - str_utf8_len(cells[i])), "", STR_ARG(cells[i]));
    puts("|");
}

static void print_table(const Printer *p, const RowVec *rows)
{
    size_t columns = p->schema->structure.count;
    size_t *widths = ARENA_ARRAY(p->arena, size_t, columns);
    Str *texts = ARENA_ARRAY(p->arena, Str, columns * (rows->len + 1));
    for (size_t i = 0; i < columns; i++)
        texts[i] = field_name(p, i);
    for (size_t r = 0; r < rows->len; r++)
        for (size_t i = 0; i < columns; i++)
            texts[(r + 1) * columns + i] = cell_text(p, &rows->at[r].cells[i]);
    for (size_t k = 0; k < columns * (rows->len + 1); k++) {
        size_t width = str_utf8_len(texts[k]);
        if (width > widths[k % columns])
            widths[k % columns] = width;
    }
    if (columns == 0)
        return;
    print_rule(widths, columns);
    print_line(texts, widths, columns);
    print_rule(widths, columns);
    for (size_t r = 1; r <= rows->len; r++)
        print_line(texts + r * columns, widths, columns);
    print_rule(widths, columns);
}

/* ---- CSV ---- */

static void print_csv_cell(Str s, bool first)
{
    bool quote = false;
    for (size_t i = 0; i < s.len; i++)
        quote |= s.ptr[i] == ',' || s.ptr[i] == '"' || s.ptr[i] == '\n' || s.ptr[i] == '\r';
    if (!first)
        putchar(',');
    if (quote)
        putchar('"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            putchar('"');
        putchar(s.ptr[i]);
    }
    if (quote)
        putchar('"');
}

static void print_csv_header(const Printer *p)
{
    for (size_t i = 0; i < p->schema->structure.count; i++)
        print_csv_cell(field_name(p, i), i == 0);
    if (p->schema->structure.count > 0)
        putchar('\n');
}

static void print_csv(const Printer *p, const RowVec *rows)
{
    for (size_t r = 0; r < rows->len; r++) {
        for (size_t i = 0; i < p->schema->structure.count; i++) {
            const Value *v = &rows->at[r].cells[i];
            print_csv_cell(v->is_null ? (Str){"", 0} : cell_text(p, v), i == 0);
        }
        putchar('\n');
    }
}

/* ---- JSON lines ---- */

static void put_json(const Printer *p, const Value *v, Buf *b)
{
    bool first = true;
    if (v->is_null) {
        buf_addz(b, "null");
        return;
    }
    switch (v->type->kind) {
    case TYPE_BOOLEAN: buf_addz(b, v->boolean ? "true" : "false"); return;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_DECIMAL: buf_add(b, cell_text(p, v)); return;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        if (v->real - v->real == 0)
            json_put_f64(b, v->real);
        else
            json_put_str(b, cell_text(p, v));
        return;
    case TYPE_ARRAY:
        buf_addc(b, '[');
        for (size_t i = 0; i < v->list.count; i++) {
            if (i > 0)
                buf_addc(b, ',');
            put_json(p, &v->list.items[i], b);
        }
        buf_addc(b, ']');
        return;
    case TYPE_STRUCT:
        buf_addc(b, '{');
        for (size_t i = 0; i < v->list.count; i++) {
            json_put_key(b, &first, str_z(v->type->structure.fields[i].name, p->arena));
            put_json(p, &v->list.items[i], b);
        }
        buf_addc(b, '}');
        return;
    case TYPE_MAP:
        buf_addc(b, '{');
        for (size_t i = 0; i < v->map.count; i++) {
            json_put_key(b, &first, str_z(cell_text(p, &v->map.keys[i]), p->arena));
            put_json(p, &v->map.values[i], b);
        }
        buf_addc(b, '}');
        return;
    default: json_put_str(b, cell_text(p, v)); return;
    }
}

static void print_json(const Printer *p, const RowVec *rows)
{
    for (size_t r = 0; r < rows->len; r++) {
        Buf b = buf_in(p->arena);
        bool first = true;
        buf_addc(&b, '{');
        for (size_t i = 0; i < p->schema->structure.count; i++) {
            json_put_key(&b, &first, str_z(field_name(p, i), p->arena));
            put_json(p, &rows->at[r].cells[i], &b);
        }
        buf_addz(&b, "}\n");
        fwrite(b.ptr, 1, b.len, stdout);
    }
}

/* ---- running ---- */

/* One IPC stream on standard output: the schema of the first piece, every batch, one end. */
static bool print_arrow(Execution *x, Error *err)
{
    int64_t rows;
    bool first = true;
    do {
        Buf ipc = buf_heap(IPC_MAX);
        bool ok = execution_next_ipc(x, &ipc, &rows, err) && (rows > 0 || !first || execution_empty_ipc(x, &ipc, err));
        if (ok && ipc.len >= PREFIX_LEN + END_LEN) {
            uint32_t schema_len;
            memcpy(&schema_len, ipc.ptr + 4, sizeof schema_len);
            size_t from = first ? 0 : PREFIX_LEN + schema_len;
            fwrite(ipc.ptr + from, 1, ipc.len - END_LEN - from, stdout);
        }
        buf_free(&ipc);
        TRY(ok);
        first = false;
    } while (rows > 0 && !ferror(stdout));
    static const char end[END_LEN] = {(char)0xff, (char)0xff, (char)0xff, (char)0xff, 0, 0, 0, 0};
    fwrite(end, 1, sizeof end, stdout);
    return true;
}

static bool print_rows(Execution *x, Str format, Str zone, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Printer p = {execution_schema(x), zone, arena};
    bool table = str_is(format, "table");
    RowVec all = {0};
    if (str_is(format, "csv"))
        print_csv_header(&p);
    while (!ferror(stdout)) {
        AUTO_ARENA batch = arena_new();
        Printer one = {p.schema, zone, batch};
        RowVec rows = {0};
        TRY(execution_next_rows(x, table ? arena : batch, &rows, err));
        if (rows.len == 0)
            break;
        if (str_is(format, "csv"))
            print_csv(&one, &rows);
        else if (!table)
            print_json(&one, &rows);
        for (size_t i = 0; table && i < rows.len; i++)
            vec_push(arena, &all, rows.at[i]);
    }
    if (table)
        print_table(&p, &all);
    return true;
}

static bool run(Query *q, Str statement, Str format, Arena *arena, Error *err)
{
    Execution *x;
    Rel *sql = rel_new(REL_SQL, NULL, arena);
    sql->sql.text = statement;
    TRY(query_prepare_rel(q, sql, err));
    TRY(query_start(q, &x, err));
    bool ok = str_is(format, "arrow") ? print_arrow(x, err) : print_rows(x, format, query_func(q)->zone, err);
    execution_free(x);
    return ok;
}

bool sql_shell_run(Session *session, Engine *engine, Str statement, Str format, Error *err)
{
    Arena *arena = arena_new();
    Query *q = query_new(session, engine, arena, NULL);
    bool ok = run(q, statement, format, arena, err);
    query_free(q);
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || error_is_set(err))
        return ok;
    return error_set(err, ERR_LAKESHED_FILE, PZ("path", "standard output"),
                     PZ("reason", errno ? strerror(errno) : "not everything could be written"));
}
