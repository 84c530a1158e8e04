/* The Parquet reader and writer that delta/ is handed for its checkpoints (delta/parquet_io.h). */
#include "delta/parquet_io.h"

#include <stdio.h>

#include "base/json.h"
#include "delta/delta.h"
#include "engine/engine_impl.h"
#include "engine/execution.h"
#include "engine/render.h"

/* ---- reading ---- */

typedef struct Scan {
    duckdb_connection connection;
    Arena *arena;
    const Str *paths;
    size_t path_count;
    const ParquetColumn *columns;
    size_t column_count;
    ParquetOnBatch on_batch;
    void *arg;
} Scan;

static Str read_text(const Scan *s)
{
    Buf b = buf_in(s->arena);
    buf_addz(&b, "read_parquet(");
    put_paths(&b, s->paths, s->path_count);
    buf_addz(&b, ", union_by_name = true, hive_partitioning = false)");
    return buf_str(&b);
}

/* The child of a struct type by name; false when there is none. The old type is destroyed either
 * way. */
static bool step_into(duckdb_logical_type *type, Str name)
{
    duckdb_logical_type found = NULL;
    if (duckdb_get_type_id(*type) == DUCKDB_TYPE_STRUCT) {
        idx_t n = duckdb_struct_type_child_count(*type);
        for (idx_t i = 0; i < n && !found; i++) {
            char *child = duckdb_struct_type_child_name(*type, i);
            if (str_ieq(str_from(child), name))
                found = duckdb_struct_type_child_type(*type, i);
            duckdb_free(child);
        }
    }
    duckdb_destroy_logical_type(type);
    *type = found;
    return found != NULL;
}

static Str next_part(Str *path)
{
    ptrdiff_t dot = str_find_char(*path, '.');
    Str part = dot < 0 ? *path : str_slice(*path, 0, (size_t)dot);
    *path = dot < 0 ? S("") : str_slice(*path, (size_t)dot + 1, path->len);
    return part;
}

static bool column_type(duckdb_prepared_statement all, Str name, duckdb_logical_type *out)
{
    idx_t n = duckdb_prepared_statement_column_count(all);
    for (idx_t i = 0; i < n; i++) {
        const char *column = duckdb_prepared_statement_column_name(all, i);
        bool same = str_ieq(str_from(column), name);
        duckdb_free((void *)column);
        if (same) {
            *out = duckdb_prepared_statement_column_logical_type(all, i);
            return true;
        }
    }
    return false;
}

/* The expression for a dotted path; false when the files have no such column. */
static bool path_text(const Scan *s, duckdb_prepared_statement all, Str path, Str *out)
{
    Buf b = buf_in(s->arena);
    Str part = next_part(&path);
    duckdb_logical_type type;
    if (!column_type(all, part, &type))
        return false;
    put_quoted(&b, part);
    while (path.len) {
        part = next_part(&path);
        if (!step_into(&type, part))
            return false;
        Str inner = str_copy(buf_str(&b), s->arena);
        buf_reset(&b);
        buf_addf(&b, "struct_extract(" STR_FMT ", ", STR_ARG(inner));
        put_text(&b, part);
        buf_addc(&b, ')');
    }
    duckdb_destroy_logical_type(&type);
    *out = buf_str(&b);
    return true;
}

static void put_scan_column(const Scan *s, duckdb_prepared_statement all,
                            const ParquetColumn *column, Buf *b)
{
    static const char *const types[] = {[PARQUET_TEXT] = "VARCHAR",
                                        [PARQUET_LONG] = "BIGINT",
                                        [PARQUET_BOOL] = "BOOLEAN",
                                        [PARQUET_JSON] = "VARCHAR"};
    Str text;
    bool found = path_text(s, all, str_from(column->path), &text);
    if (!found)
        buf_addf(b, "CAST(NULL AS %s)", types[column->kind]);
    else if (column->kind == PARQUET_JSON)
        buf_addf(b,
                 "CASE WHEN " STR_FMT " IS NOT NULL THEN CAST(to_json(" STR_FMT ") AS VARCHAR) END",
                 STR_ARG(text), STR_ARG(text));
    else
        buf_addf(b, "CAST(" STR_FMT " AS %s)", STR_ARG(text), types[column->kind]);
}

static bool scan_text(const Scan *s, Str *sql, Error *err)
{
    Str files = read_text(s);
    duckdb_prepared_statement all = NULL;
    Str describe = str_printf(s->arena, "SELECT * FROM " STR_FMT, STR_ARG(files));
    bool ok = duckdb_prepare(s->connection, describe.ptr, &all) == DuckDBSuccess ||
              engine_failure(DUCKDB_ERROR_INVALID, duckdb_prepare_error(all), err);
    Buf b = buf_in(s->arena);
    buf_addz(&b, "SELECT ");
    for (size_t i = 0; ok && i < s->column_count; i++) {
        buf_addz(&b, i ? ", " : "");
        put_scan_column(s, all, &s->columns[i], &b);
    }
    duckdb_destroy_prepare(&all);
    buf_addf(&b, " FROM " STR_FMT, STR_ARG(files));
    *sql = buf_str(&b);
    return ok;
}

static void read_cells(duckdb_vector vector, idx_t rows, ParquetKind kind, Arena *arena,
                       ParquetCells *out)
{
    const uint64_t *validity = duckdb_vector_get_validity(vector);
    void *data = duckdb_vector_get_data(vector);
    *out = (ParquetCells){0};
    if (validity) {
        bool *present = ARENA_ARRAY(arena, bool, rows);
        for (idx_t i = 0; i < rows; i++)
            present[i] = valid_at(validity, i);
        out->present = present;
    }
    if (kind == PARQUET_LONG) {
        out->longs = data;
        return;
    }
    if (kind == PARQUET_BOOL) {
        out->bools = data;
        return;
    }
    Str *texts = ARENA_ARRAY(arena, Str, rows);
    duckdb_string_t *strings = data;
    for (idx_t i = 0; i < rows; i++)
        if (valid_at(validity, i))
            texts[i] = (Str){duckdb_string_t_data(&strings[i]), duckdb_string_t_length(strings[i])};
    out->texts = texts;
}

static bool give_batch(const Scan *s, duckdb_data_chunk chunk, Error *err)
{
    AUTO_ARENA arena = arena_new();
    idx_t rows = duckdb_data_chunk_get_size(chunk);
    ParquetCells *cells = ARENA_ARRAY(arena, ParquetCells, s->column_count + 1);
    for (size_t i = 0; i < s->column_count; i++)
        read_cells(duckdb_data_chunk_get_vector(chunk, i), rows, s->columns[i].kind, arena,
                   &cells[i]);
    ParquetBatch batch = {rows, cells};
    return s->on_batch(s->arg, &batch, err);
}

static bool run_scan(Scan *s, bool *ended, Error *err)
{
    Str sql;
    TRY(scan_text(s, &sql, err));
    duckdb_prepared_statement statement = NULL;
    duckdb_result result;
    bool has_result = false;
    bool ok = duckdb_prepare(s->connection, sql.ptr, &statement) == DuckDBSuccess ||
              engine_failure(DUCKDB_ERROR_INVALID, duckdb_prepare_error(statement), err);
    ok = ok && run_prepared(statement, NULL, true, &result, &has_result, err);
    duckdb_data_chunk chunk;
    while (ok && (chunk = duckdb_fetch_chunk(result))) {
        ok = give_batch(s, chunk, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    const char *message = ok ? duckdb_result_error(&result) : NULL;
    if (message && message[0])
        ok = engine_result_failure(&result, err);
    *ended = ok;
    if (has_result)
        duckdb_destroy_result(&result);
    duckdb_destroy_prepare(&statement);
    return ok;
}

static bool io_scan(void *self, const Str *paths, size_t path_count, const ParquetColumn *columns,
                    size_t column_count, ParquetOnBatch on_batch, void *arg, Error *err)
{
    if (!path_count)
        return true;
    AUTO_ARENA arena = arena_new();
    Scan s = {.arena = arena,
              .paths = paths,
              .path_count = path_count,
              .columns = columns,
              .column_count = column_count,
              .on_batch = on_batch,
              .arg = arg};
    TRY(store_bring(paths, path_count, STORE_CHECKED, arena, err));
    TRY(engine_acquire(self, &s.connection, err));
    bool ended = false;
    bool ok = run_scan(&s, &ended, err);
    engine_release(self, s.connection, ended);
    return ok;
}

/* ---- writing ---- */

/* JSON lines as a source with one text column. */
typedef struct Lines {
    RowSource source;
    ParquetNextLines next;
    void *arg;
    Str left;
    bool ended;
} Lines;

static bool lines_open(RowSource *source, const size_t *columns, size_t count, void **state,
                       Error *err)
{
    *state = source;
    return true;
}

static void lines_close(void *state) {}

static bool lines_fill(void *state, duckdb_data_chunk chunk, idx_t capacity, idx_t *rows,
                       Error *err)
{
    Lines *l = state;
    *rows = 0;
    while (*rows < capacity && !l->ended) {
        while (l->left.len && *rows < capacity) {
            ptrdiff_t end = str_find_char(l->left, '\n');
            Str line = end < 0 ? l->left : str_slice(l->left, 0, (size_t)end);
            l->left = end < 0 ? S("") : str_slice(l->left, (size_t)end + 1, l->left.len);
            if (line.len)
                duckdb_vector_assign_string_element_len(duckdb_data_chunk_get_vector(chunk, 0),
                                                        (*rows)++, line.ptr, line.len);
        }
        if (l->left.len || *rows)
            break; /* the block stays valid only until the next one is asked for */
        TRY(l->next(l->arg, &l->left, err));
        l->ended = !l->left.len;
    }
    return true;
}

static Str write_text(Str path, const ParquetSchemaColumn *columns, size_t count, uint64_t source,
                      Arena *arena)
{
    Buf shape = buf_in(arena), select = buf_in(arena), b = buf_in(arena);
    for (size_t i = 0; i < count; i++) {
        buf_addz(&shape, i ? ", " : "{");
        json_put_str(&shape, columns[i].name);
        buf_addz(&shape, ": ");
        json_put_str(&shape, columns[i].duckdb_type);
        buf_addz(&select, i ? ", " : "");
        buf_addz(&select, "struct_extract(r, ");
        put_text(&select, columns[i].name);
        buf_addz(&select, ") AS ");
        put_quoted(&select, columns[i].name);
    }
    buf_addz(&shape, "}");
    buf_addf(&b, "COPY (SELECT " STR_FMT " FROM (SELECT json_transform(line, ",
             STR_ARG(buf_str(&select)));
    put_text(&b, buf_str(&shape));
    buf_addf(&b, ") AS r FROM ls_rows(CAST(%llu AS UBIGINT)))) TO ", (unsigned long long)source);
    put_text(&b, path);
    buf_addz(&b, " (FORMAT parquet, COMPRESSION snappy)");
    return buf_str(&b);
}

static bool io_write(void *self, Str path, const ParquetSchemaColumn *columns, size_t column_count,
                     ParquetNextLines next, void *arg, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Field line = {.name = S_INIT("line"), .type = type_simple(TYPE_STRING), .nullable = true};
    const char *name = "line";
    Lines lines = {.next = next, .arg = arg};
    lines.source = (RowSource){.schema = type_struct(&line, 1, arena),
                               .names = &name,
                               .row_estimate = -1,
                               .open = lines_open,
                               .fill = lines_fill,
                               .close = lines_close};
    Resources *resources = resources_new(arena);
    uint64_t number = resources_add_source(resources, &lines.source);
    duckdb_connection connection;
    bool ok = engine_acquire(self, &connection, err);
    if (ok) {
        duckdb_result result;
        bool has_result = false;
        ok = run_sql(connection, write_text(path, columns, column_count, number, arena), NULL,
                     &result, &has_result, err);
        if (has_result)
            duckdb_destroy_result(&result);
        engine_release(self, connection, ok);
    }
    resources_free(resources);
    if (!ok)
        remove(str_z(path, arena));
    return ok;
}

void engine_install_parquet_io(Engine *e)
{
    static ParquetIo io;
    io = (ParquetIo){.self = e, .scan = io_scan, .write = io_write};
    delta_install_parquet_io(&io);
}
