/* Parquet files that no log names yet, as a Delta table's columns and files: for CONVERT TO DELTA and CLONE. */
#include "command/command_impl.h"

static Str names_quoted(CommandContext *ctx, const Str *names, size_t count)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < count; i++)
        buf_addf(&b, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(names[i]));
    return str_printf(ctx->arena, "[" STR_FMT "]", STR_ARG(buf_str(&b)));
}

static Str count_text(CommandContext *ctx, size_t n)
{
    return str_printf(ctx->arena, "%zu", n);
}

/* The folders must be of the columns that were named, in any order. */
static bool check_partitions(CommandContext *ctx, const FileScan *scan, const Type *given, Error *err)
{
    size_t found = scan->partition_count, data = scan->schema->structure.count - found;
    Str *found_names = ARENA_ARRAY(ctx->arena, Str, found + 1), *given_names = ARENA_ARRAY(ctx->arena, Str, given->structure.count + 1);
    for (size_t i = 0; i < found; i++)
        found_names[i] = scan->schema->structure.fields[data + i].name;
    for (size_t i = 0; i < given->structure.count; i++)
        given_names[i] = given->structure.fields[i].name;
    Str path = str_concat(ctx->arena, S("file:"), path_uri_encode(scan->paths.at[0], ctx->arena));
    if (found != given->structure.count)
        return error_set(err, ERR_DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME, P("expectedColsSize", count_text(ctx, given->structure.count)),
                         P("expectedCols", names_quoted(ctx, given_names, given->structure.count)), P("parsedColsSize", count_text(ctx, found)),
                         P("parsedCols", names_quoted(ctx, found_names, found)), P("path", path));
    for (size_t i = 0; i < found; i++)
        if (type_field_index(given, found_names[i], false) < 0)
            return error_set(err, ERR_DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME,
                             P("expectedCol", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(given_names[i]))),
                             P("parsedCol", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(found_names[i]))), P("path", path));
    return true;
}

static bool partition_values(CommandContext *ctx, const FileScan *scan, size_t file, const Type *given, PropertyVec *out, Error *err)
{
    size_t data = scan->schema->structure.count - scan->partition_count;
    for (size_t g = 0; g < given->structure.count; g++) {
        const Field *f = &given->structure.fields[g];
        for (size_t k = 0; k < scan->partition_count; k++) {
            if (!str_ieq(scan->schema->structure.fields[data + k].name, f->name))
                continue;
            Str text = scan->partition_values.at[file].at[k];
            Property p = {f->name, text, !text.ptr || !text.len || str_is(text, HIVE_DEFAULT_PARTITION)};
            Value ignored;
            TRY(partition_value_parse(&p, f->type, session_zone(ctx->session, ctx->arena), ctx->arena, &ignored, err));
            vec_push(ctx->arena, out, p);
        }
    }
    return true;
}

static const Type *table_schema(CommandContext *ctx, const FileScan *scan, const Type *given)
{
    VEC(Field) fields = {0};
    size_t data = scan->schema->structure.count - scan->partition_count;
    for (size_t i = 0; i < data; i++)
        if (type_field_index(given, scan->schema->structure.fields[i].name, false) < 0)
            vec_push(ctx->arena, &fields, scan->schema->structure.fields[i]);
    for (size_t i = 0; i < given->structure.count; i++)
        vec_push(ctx->arena, &fields, given->structure.fields[i]);
    return type_as_nullable(type_struct(fields.at, fields.len, ctx->arena), ctx->arena);
}

static bool make_file(CommandContext *ctx, const ForeignFiles *request, Str path, AddFile *out, Error *err)
{
    StoreEntry entry;
    bool found;
    Store *store;
    TRY(store_open(request->folder, ctx->arena, &store, err));
    Str relative = str_slice(path, store_duckdb_path(store, S(""), ctx->arena).len + 1, path.len);
    TRY(store_stat(store, relative, &found, &entry, err));
    if (!found)
        return error_set(err, ERR_PATH_NOT_FOUND, P("path", store_shown(path, ctx->arena)));
    Str remote, encoded = path_uri_encode(relative, ctx->arena);
    if (request->absolute && store_remote_uri(path, ctx->arena, &remote))
        encoded = path_uri_encode(remote, ctx->arena);
    else if (request->absolute)
        encoded = str_concat(ctx->arena, S("file:"), path_uri_encode(path, ctx->arena));
    out->path = encoded;
    out->size = entry.size;
    out->modification_time_ms = entry.modified_ms;
    out->data_change = true;
    return true;
}

bool find_foreign_files(CommandContext *ctx, ForeignFiles *request, Error *err)
{
    FileScan scan = {.format = S("parquet")};
    KeyValue merged = {S("mergeSchema"), S("true"), NULL};
    const Type *given = request->partitions;
    vec_push(ctx->arena, &scan.paths, request->folder);
    vec_push(ctx->arena, &scan.options, merged);
    if (!engine_infer_schema(ctx->engine, &scan, &ctx->run, ctx->arena, err)) {
        if (err->cls != ERR_UNABLE_TO_INFER_SCHEMA)
            return false;
        error_clear(err);
        return error_set(err, ERR_DELTA_EMPTY_DIRECTORY, P("directory", request->folder));
    }
    TRY(check_partitions(ctx, &scan, given, err));
    request->schema = table_schema(ctx, &scan, given);
    FooterFacts *facts = ARENA_ARRAY(ctx->arena, FooterFacts, scan.paths.len + 1);
    if (request->with_statistics) {
        enum { INDEXED_COLUMNS = 32 };
        size_t data = request->schema->structure.count - given->structure.count;
        const Type *columns = type_struct(request->schema->structure.fields, data, ctx->arena);
        TRY(engine_footers(ctx->engine, columns, scan.paths.at, scan.paths.len, INDEXED_COLUMNS, &ctx->run, ctx->arena, facts, err));
    }
    for (size_t i = 0; i < scan.paths.len; i++) {
        AddFile f = {.stats = facts[i].stats};
        TRY(make_file(ctx, request, scan.paths.at[i], &f, err));
        TRY(partition_values(ctx, &scan, i, given, &f.partition_values, err));
        vec_push(ctx->arena, &request->files, f);
    }
    return true;
}

Metadata *foreign_metadata(CommandContext *ctx, const ForeignFiles *request)
{
    Metadata *m = ARENA_NEW(ctx->arena, Metadata);
    m->id = clock_uuid_in(ctx->arena);
    m->format_provider = S("parquet");
    m->has_created_time = true;
    m->created_time_ms = clock_now_ms();
    m->schema = request->schema;
    m->schema_string = type_json(m->schema, ctx->arena);
    for (size_t i = 0; i < request->partitions->structure.count; i++)
        vec_push(ctx->arena, &m->partition_columns, request->partitions->structure.fields[i].name);
    return m;
}
