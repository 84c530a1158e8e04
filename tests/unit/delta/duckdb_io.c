/* A ParquetIo straight over libduckdb: what engine/ does in the server, without its pools and
 * settings. */
#include "duckdb_io.h"

#include <duckdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static duckdb_database database;
static duckdb_connection connection;

static void put_quoted(Buf *b, Str s, char quote)
{
    buf_addc(b, quote);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == quote)
            buf_addc(b, quote);
        buf_addc(b, s.ptr[i]);
    }
    buf_addc(b, quote);
}

static bool fail(Error *err, const char *text)
{
    return error_internal(err, "duckdb: %s", text ? text : "failed");
}

static void put_source(Buf *sql, const Str *paths, size_t count)
{
    buf_addz(sql, " FROM read_parquet([");
    for (size_t i = 0; i < count; i++) {
        buf_addz(sql, i ? "," : "");
        put_quoted(sql, paths[i], '\'');
    }
    buf_addz(sql, "], union_by_name=true, hive_partitioning=false)");
}

/* Whether a dotted path exists in a type; the path is consumed. */
static bool has_path(duckdb_logical_type type, Str rest)
{
    if (!rest.len)
        return true;
    if (duckdb_get_type_id(type) != DUCKDB_TYPE_STRUCT)
        return false;
    ptrdiff_t dot = str_find_char(rest, '.');
    Str name = dot < 0 ? rest : str_slice(rest, 0, (size_t)dot);
    Str below = dot < 0 ? S("") : str_slice(rest, (size_t)dot + 1, rest.len);
    for (idx_t i = 0; i < duckdb_struct_type_child_count(type); i++) {
        char *child_name = duckdb_struct_type_child_name(type, i);
        bool same = str_is(name, child_name);
        duckdb_free(child_name);
        if (!same)
            continue;
        duckdb_logical_type child = duckdb_struct_type_child_type(type, i);
        bool has = has_path(child, below);
        duckdb_destroy_logical_type(&child);
        return has;
    }
    return false;
}

static bool exists(duckdb_result *shape, Str path)
{
    ptrdiff_t dot = str_find_char(path, '.');
    Str name = dot < 0 ? path : str_slice(path, 0, (size_t)dot);
    Str below = dot < 0 ? S("") : str_slice(path, (size_t)dot + 1, path.len);
    for (idx_t i = 0; i < duckdb_column_count(shape); i++) {
        if (!str_is(name, duckdb_column_name(shape, i)))
            continue;
        duckdb_logical_type type = duckdb_column_logical_type(shape, i);
        bool has = has_path(type, below);
        duckdb_destroy_logical_type(&type);
        return has;
    }
    return false;
}

static void put_column(Buf *sql, duckdb_result *shape, const ParquetColumn *c)
{
    static const char *const types[] = {"VARCHAR", "BIGINT", "BOOLEAN", "VARCHAR"};
    Str path = str_from(c->path);
    if (!exists(shape, path)) {
        buf_addf(sql, "CAST(NULL AS %s)", types[c->kind]);
        return;
    }
    buf_addf(sql, "CAST(%s", c->kind == PARQUET_JSON ? "to_json(" : "(");
    while (path.len) {
        ptrdiff_t dot = str_find_char(path, '.');
        size_t end = dot < 0 ? path.len : (size_t)dot;
        put_quoted(sql, str_slice(path, 0, end), '"');
        path = str_slice(path, end + 1, path.len);
        if (path.len)
            buf_addc(sql, '.');
    }
    buf_addf(sql, ") AS %s)", types[c->kind]);
}

static void read_cells(duckdb_vector vector, ParquetKind kind, size_t rows, Arena *arena,
                       ParquetCells *out)
{
    uint64_t *validity = duckdb_vector_get_validity(vector);
    void *data = duckdb_vector_get_data(vector);
    *out = (ParquetCells){0};
    if (validity) {
        bool *present = ARENA_ARRAY(arena, bool, rows);
        for (size_t i = 0; i < rows; i++)
            present[i] = duckdb_validity_row_is_valid(validity, i);
        out->present = present;
    }
    if (kind == PARQUET_LONG)
        out->longs = data;
    else if (kind == PARQUET_BOOL)
        out->bools = data;
    if (kind == PARQUET_LONG || kind == PARQUET_BOOL)
        return;
    Str *texts = ARENA_ARRAY(arena, Str, rows);
    duckdb_string_t *strings = data;
    for (size_t i = 0; i < rows; i++)
        if (!out->present || out->present[i])
            texts[i] = (Str){duckdb_string_t_data(&strings[i]), duckdb_string_t_length(strings[i])};
    out->texts = texts;
}

static bool scan_result(duckdb_result *result, const ParquetColumn *columns, size_t count,
                        ParquetOnBatch on_batch, void *arg, Error *err)
{
    duckdb_data_chunk chunk;
    bool ok = true;
    while (ok && (chunk = duckdb_fetch_chunk(*result))) {
        AUTO_ARENA(arena) = arena_new();
        ParquetCells *cells = ARENA_ARRAY(arena, ParquetCells, count);
        size_t rows = duckdb_data_chunk_get_size(chunk);
        for (size_t i = 0; i < count; i++)
            read_cells(duckdb_data_chunk_get_vector(chunk, i), columns[i].kind, rows, arena,
                       &cells[i]);
        ok = on_batch(arg, &(ParquetBatch){rows, cells}, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    return ok;
}

static bool io_scan(void *self, const Str *paths, size_t path_count, const ParquetColumn *columns,
                    size_t column_count, ParquetOnBatch on_batch, void *arg, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    Buf shape_sql = buf_in(arena), sql = buf_in(arena);
    duckdb_result shape, result;
    (void)self;
    buf_addz(&shape_sql, "SELECT *");
    put_source(&shape_sql, paths, path_count);
    buf_addz(&shape_sql, " LIMIT 0");
    if (duckdb_query(connection, shape_sql.ptr, &shape) == DuckDBError) {
        fail(err, duckdb_result_error(&shape));
        duckdb_destroy_result(&shape);
        return false;
    }
    buf_addz(&sql, "SELECT ");
    for (size_t i = 0; i < column_count; i++) {
        buf_addz(&sql, i ? "," : "");
        put_column(&sql, &shape, &columns[i]);
    }
    duckdb_destroy_result(&shape);
    put_source(&sql, paths, path_count);
    bool ok = duckdb_query(connection, sql.ptr, &result) != DuckDBError ||
              fail(err, duckdb_result_error(&result));
    ok = ok && scan_result(&result, columns, column_count, on_batch, arg, err);
    duckdb_destroy_result(&result);
    return ok;
}

static bool spill_lines(const char *path, ParquetNextLines next, void *arg, Error *err)
{
    FILE *file = fopen(path, "w");
    bool ok = file || fail(err, "cannot write the spill file");
    for (;;) {
        Str block = S("");
        ok = ok && next(arg, &block, err);
        if (!ok || !block.len)
            break;
        ok = fwrite(block.ptr, 1, block.len, file) == block.len ||
             fail(err, "cannot write the spill file");
    }
    if (file)
        fclose(file);
    return ok;
}

static bool io_write(void *self, Str path, const ParquetSchemaColumn *columns, size_t count,
                     ParquetNextLines next, void *arg, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    Buf sql = buf_in(arena);
    const char *base = getenv("TMPDIR");
    char *spill = str_z(str_printf(arena, "%s/delta_test_XXXXXX", base ? base : P_tmpdir), arena);
    duckdb_result result;
    (void)self;
    int fd = mkstemp(spill);
    if (fd >= 0)
        close(fd);
    buf_addz(&sql, "COPY (SELECT * FROM read_json(");
    put_quoted(&sql, str_from(spill), '\'');
    buf_addz(&sql, ", format='newline_delimited', maximum_object_size=1000000000, columns={");
    for (size_t i = 0; i < count; i++) {
        buf_addz(&sql, i ? "," : "");
        put_quoted(&sql, columns[i].name, '"');
        buf_addc(&sql, ':');
        put_quoted(&sql, columns[i].duckdb_type, '\'');
    }
    buf_addz(&sql, "})) TO ");
    put_quoted(&sql, path, '\'');
    buf_addz(&sql, " (FORMAT parquet)");
    bool ok = spill_lines(spill, next, arg, err);
    if (ok) {
        ok = duckdb_query(connection, sql.ptr, &result) != DuckDBError ||
             fail(err, duckdb_result_error(&result));
        duckdb_destroy_result(&result);
    }
    unlink(spill);
    if (!ok)
        unlink(str_z(path, arena));
    return ok;
}

static const ParquetIo io = {.scan = io_scan, .write = io_write};

void duckdb_io_install(void)
{
    if (!connection && (duckdb_open(NULL, &database) == DuckDBError ||
                        duckdb_connect(database, &connection) == DuckDBError))
        abort();
    delta_install_parquet_io(&io);
}
