/* Where a batch's rows go: memory, console, noop, files, Delta tables. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stream/stream_impl.h"

#define ALL_MODES (1u << OUTPUT_APPEND | 1u << OUTPUT_COMPLETE | 1u << OUTPUT_UPDATE)

/* ---- helpers of all ---- */

/* How many rows the batch gave, asked of what is stored. */
static bool count_output(Batch *b, int64_t *rows, Error *err)
{
    BoundRel *stored = brel_new(BREL_STORED, NULL, b->arena);
    BoundRel *r = brel_new(BREL_AGGREGATE, stored, b->arena);
    BoundExpr *one = bound_literal(value_int(TYPE_LONG, 1), b->arena), *e;
    RowVec out = {0};
    stored->stored.id = b->stored;
    for (size_t i = 0; i < b->schema->structure.count; i++) {
        const Field *f = &b->schema->structure.fields[i];
        BoundColumn c = {.id = analyzer_next_id(b->analyzer), .name = f->name, .type = f->type, .nullable = true};
        vec_push(b->arena, &stored->columns, c);
    }
    stored->stored.source = stored->columns;
    TRY(analyze_builtin(b->analyzer, "count", 1, &one, &e, err));
    BoundColumn c = {.id = analyzer_next_id(b->analyzer), .name = S("count"), .type = e->type};
    BoundItem item = {e, c.id};
    vec_push(b->arena, &r->columns, c);
    vec_push(b->arena, &r->aggregate.aggregates, item);
    TRY(engine_rows(b->query->engine, r, &b->run, 1, b->arena, &out, err));
    *rows = out.at[0].cells[0].integer;
    return true;
}

/* A command over the batch's rows, in the query's session. */
static bool run_over_batch(Batch *b, const Command *command, Error *err)
{
    StreamQuery *q = b->query;
    Analyzer *a = analyzer_new(q->session, q->engine, &b->func, (Str){0}, b->arena);
    CommandContext ctx = {q->session, q->engine, a, b->run, (Str){0}, b->arena};
    BoundRel *result;
    return command_run(&ctx, command, &result, err);
}

static Str plain_path(Str path)
{
    if (str_starts_with(path, S("file:")))
        path = str_slice(path, 5, path.len);
    while (str_starts_with(path, S("//")))
        path = str_slice(path, 1, path.len);
    return path;
}

static Str sink_path(const StreamQuery *q)
{
    return plain_path(q->spec.path.len ? q->spec.path : key_value_get(&q->spec.options, "path"));
}

/* ---- noop ---- */

static bool noop_open(StreamQuery *q, const Type *schema, Error *err)
{
    (void)schema;
    (void)err;
    q->sink_description = S("NoopTable");
    return true;
}

static bool noop_add(Batch *b, Error *err)
{
    return count_output(b, &b->output_rows, err);
}

/* ---- memory: a temp view over what the query has given so far ---- */

static void drop_stored(void *engine, Str id)
{
    engine_drop_stored(engine, id);
}

static bool memory_open(StreamQuery *q, const Type *schema, Error *err)
{
    AUTO_ARENA arena = arena_new();
    if (!q->spec.name.len)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1194);
    Str id = clock_uuid_in(q->arena), *kept = ARENA_NEW(q->arena, Str);
    *kept = id;
    q->sink_state = kept;
    q->sink_description = S("MemorySink");
    FuncContext func = session_func_context(q->session, arena);
    RunContext run = {.func = &func};
    Analyzer *a = analyzer_new(q->session, q->engine, &func, (Str){0}, arena);
    StrVec none = {0};
    BoundRel *empty;
    TRY(analyze_files_as(a, S("parquet"), &none, schema, NULL, &empty, err));
    TRY(engine_store(q->engine, id, empty, &run, err));
    session_keep_result(q->owner, id, schema, drop_stored, q->engine);
    TempView view = {.name = q->spec.name, .plan = rel_new(REL_CACHED_REMOTE, NULL, arena)};
    view.plan->cached_remote.id = id;
    return session_put_temp_view(q->owner, &view, true, err);
}

static bool memory_add(Batch *b, Error *err)
{
    StreamQuery *q = b->query;
    const Str *id = q->sink_state;
    BoundRel *rows;
    Analyzer *a = analyzer_new(q->session, q->engine, &b->func, (Str){0}, b->arena);
    TRY(analyze_query(a, batch_rel(b, q->session), &rows, err));
    TRY(q->mode == OUTPUT_COMPLETE ? engine_store(q->engine, *id, rows, &b->run, err)
                                   : engine_append_stored(q->engine, *id, rows, &b->run, err));
    return count_output(b, &b->output_rows, err);
}

/* ---- console ---- */

static bool console_open(StreamQuery *q, const Type *schema, Error *err)
{
    (void)schema;
    (void)err;
    Str rows = key_value_get(&q->spec.options, "numRows"), cut = key_value_get(&q->spec.options, "truncate");
    q->sink_description = str_printf(q->arena, "org.apache.spark.sql.execution.streaming.ConsoleTable$[numRows=" STR_FMT ", truncate=%s]",
                                     STR_ARG(rows.len ? rows : S("20")), str_is_ci(cut, "false") ? "false" : "true");
    return true;
}

static bool console_add(Batch *b, Error *err)
{
    StreamQuery *q = b->query;
    int64_t rows = 20, cut = 20;
    Str truncate = key_value_get(&q->spec.options, "truncate"), count = key_value_get(&q->spec.options, "numRows");
    if (count.len && (!str_to_i64(count, &rows) || rows < 0 || rows > INT32_MAX))
        return error_set(err, ERR_LAKESHED_STREAM_OPTION, P("value", count), PZ("option", "numRows"), PZ("rule", "must be an integer"));
    if (str_is_ci(truncate, "false"))
        cut = 0;
    Rel *show = rel_new(REL_SHOW_STRING, batch_rel(b, q->session), b->arena);
    show->show.num_rows = (int)rows;
    show->show.truncate = (int)cut;
    BoundRel *plan;
    RowVec out = {0};
    Analyzer *a = analyzer_new(q->session, q->engine, &b->func, (Str){0}, b->arena);
    TRY(analyze_query(a, show, &plan, err));
    TRY(engine_rows(q->engine, plan, &b->run, 1, b->arena, &out, err));
    const char *line = "-------------------------------------------";
    flockfile(stdout);
    printf("%s\nBatch: %" PRId64 "\n%s\n" STR_FMT "\n", line, b->id, line, STR_ARG(out.at[0].cells[0].bytes));
    fflush(stdout);
    funlockfile(stdout);
    return count_output(b, &b->output_rows, err);
}

/* ---- Delta ---- */

static Command *write_command(Batch *b, Str format)
{
    StreamQuery *q = b->query;
    Command *c = command_new(CMD_WRITE, b->arena);
    StreamCommit *commit = ARENA_NEW(b->arena, StreamCommit);
    *commit = (StreamCommit){str_from(q->id), str_from(output_mode_names[q->mode]), b->id};
    c->stream = commit;
    c->query = batch_rel(b, q->session);
    c->write.format = format;
    c->write.mode = q->mode == OUTPUT_COMPLETE ? S("overwrite") : S("append");
    c->write.partition_by = q->spec.partition_by;
    c->write.cluster_by = q->spec.cluster_by;
    c->name = q->spec.table;
    if (!c->name.len)
        c->write.path = sink_path(q);
    for (size_t i = 0; i < q->spec.options.len; i++) {
        static const char *const OWN[] = {"checkpointLocation", "path"};
        bool own = false;
        for (size_t k = 0; k < LENGTH_OF(OWN); k++)
            own |= str_is_ci(q->spec.options.at[i].key, OWN[k]);
        if (!own)
            vec_push(b->arena, &c->properties, q->spec.options.at[i]);
    }
    return c;
}

/* toTable: the table is made when the query starts, so that others find it. */
static bool sink_table(StreamQuery *q, const Type *schema, Str *folder, Error *err)
{
    AUTO_ARENA arena = arena_new();
    FuncContext func = session_func_context(q->session, arena);
    Analyzer *a = analyzer_new(q->session, q->engine, &func, (Str){0}, arena);
    RunContext run = {.func = &func};
    CommandContext ctx = {q->session, q->engine, a, run, (Str){0}, arena};
    BoundRel *result;
    ResolvedTable t;
    Error missing = error_in(arena);
    if (!analyze_table_name(a, &q->spec.table, (Origin){0, -1}, &t, &missing)) {
        Command *c = command_new(CMD_CREATE_TABLE, arena);
        c->name = q->spec.table;
        c->table.spec.provider = q->spec.format;
        c->table.spec.location = key_value_get(&q->spec.options, "path");
        for (size_t i = 0; i < schema->structure.count; i++) {
            const Field *f = &schema->structure.fields[i];
            ColumnDef column = {.type = f->type};
            vec_push(arena, &column.name, f->name);
            vec_push(arena, &c->table.spec.columns, column);
        }
        for (size_t i = 0; i < q->spec.partition_by.len; i++)
            vec_push(arena, &c->table.spec.partition_by, expr_column(arena, q->spec.partition_by.at[i]));
        c->table.spec.cluster_by_given = q->spec.cluster_by.len > 0;
        c->table.spec.cluster_by = q->spec.cluster_by;
        TRY(command_run(&ctx, c, &result, err));
        TRY(analyze_table_name(a, &q->spec.table, (Origin){0, -1}, &t, err));
    }
    if (t.kind != RESOLVED_TABLE)
        return error_unsupported(err, "Streaming into a view");
    if (!str_is_ci(t.entry.provider, str_z(q->spec.format, arena)))
        return error_unsupported(err, "Streaming " STR_FMT " into a table of format " STR_FMT, STR_ARG(q->spec.format), STR_ARG(t.entry.provider));
    *folder = str_copy(plain_path(t.entry.location), q->arena);
    return true;
}

static bool delta_open(StreamQuery *q, const Type *schema, Error *err)
{
    Str path = sink_path(q), folder;
    if (!path.len && !q->spec.table.len)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2047);
    if (q->spec.table.len)
        TRY(sink_table(q, schema, &folder, err));
    q->sink_description = q->spec.table.len ? str_printf(q->arena, "DeltaSink[" STR_FMT "]", STR_ARG(name_text(&q->spec.table, q->arena)))
                                            : str_printf(q->arena, "DeltaSink[" STR_FMT "]", STR_ARG(path));
    return true;
}

static bool delta_add(Batch *b, Error *err)
{
    return run_over_batch(b, write_command(b, S("delta")), err);
}

/* ---- files: what _spark_metadata names, once ---- */

typedef struct FileSink {
    Store *store;
    Str folder;
    LineLog log;
} FileSink;

static bool files_open(StreamQuery *q, const Type *schema, Error *err)
{
    FileSink *f = q->sink_state = ARENA_NEW(q->arena, FileSink);
    f->folder = sink_path(q);
    if (q->spec.table.len)
        TRY(sink_table(q, schema, &f->folder, err));
    if (!f->folder.len)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2047);
    q->sink_description = str_printf(q->arena, "FileSink[%s" STR_FMT "]", store_is_remote(f->folder) ? "" : "file:", STR_ARG(f->folder));
    for (size_t i = 0; i < q->spec.partition_by.len; i++)
        if (type_field_index(schema, q->spec.partition_by.at[i], false) < 0)
            return error_set(err, ERR_COLUMN_NOT_FOUND, P("colName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(q->spec.partition_by.at[i]))),
                             PZ("caseSensitiveConfig", "\"spark.sql.caseSensitive\""));
    TRY(store_open(f->folder, q->arena, &f->store, err));
    TRY(store_make_folder(f->store, S(""), err));
    return line_log_open(f->store, S("_spark_metadata"), q->arena, &f->log, err);
}

static bool write_files(Batch *b, FileSink *f, WrittenFileVec *files, Error *err)
{
    StreamQuery *q = b->query;
    BoundRel *rows;
    Analyzer *a = analyzer_new(q->session, q->engine, &b->func, (Str){0}, b->arena);
    TRY(analyze_query(a, batch_rel(b, q->session), &rows, err));
    WriteSpec spec = {.folder = store_duckdb_path(f->store, S(""), b->arena), .format = q->spec.format, .schema = b->schema, .file_prefix = S("part-"),
                      .options = q->spec.options, .codec = key_value_get(&q->spec.options, "compression")};
    spec.partition_columns = ARENA_ARRAY(b->arena, size_t, q->spec.partition_by.len + 1);
    for (size_t i = 0; i < q->spec.partition_by.len; i++)
        spec.partition_columns[spec.partition_count++] = (size_t)type_field_index(b->schema, q->spec.partition_by.at[i], false);
    TRY(engine_write(q->engine, rows, &spec, &b->run, b->arena, files, err));
    Str *paths = ARENA_ARRAY(b->arena, Str, files->len + 1);
    for (size_t i = 0; i < files->len; i++)
        paths[i] = files->at[i].path;
    return store_send(f->store, paths, files->len, err);
}

static bool files_add(Batch *b, Error *err)
{
    FileSink *f = b->query->sink_state;
    WrittenFileVec files = {0};
    StrVec lines = {0};
    int64_t rows;
    if (b->id <= f->log.newest)
        return true; /* committed by an earlier run */
    TRY(count_output(b, &rows, err));
    if (rows)
        TRY(write_files(b, f, &files, err));
    for (size_t i = 0; i < files.len; i++) {
        Buf line = buf_in(b->arena);
        buf_addz(&line, "{\"path\":");
        const char *scheme = store_is_remote(f->folder) ? "" : "file://";
        json_put_str(&line, str_printf(b->arena, "%s" STR_FMT "/" STR_FMT, scheme, STR_ARG(store_root(f->store)), STR_ARG(files.at[i].path)));
        buf_addf(&line,
                 ",\"size\":%" PRId64 ",\"isDir\":false,\"modificationTime\":%" PRId64 ",\"blockReplication\":1,\"blockSize\":33554432,\"action\":\"add\"}",
                 files.at[i].size, files.at[i].modified_ms);
        vec_push(b->arena, &lines, buf_str(&line));
    }
    return line_log_add(&f->log, b->id, &lines, err);
}

/* ---- the sinks ---- */

static const SinkKind KINDS[] = {
    {"noop", ALL_MODES, false, ALL_MODES, noop_open, noop_add, NULL},
    {"memory", ALL_MODES, false, 1u << OUTPUT_COMPLETE, memory_open, memory_add, NULL},
    {"console", ALL_MODES, false, 0, console_open, console_add, NULL},
    {"delta", 1u << OUTPUT_APPEND | 1u << OUTPUT_COMPLETE, true, ALL_MODES, delta_open, delta_add, NULL},
    {"parquet", 1u << OUTPUT_APPEND, true, ALL_MODES, files_open, files_add, NULL},
    {"csv", 1u << OUTPUT_APPEND, true, ALL_MODES, files_open, files_add, NULL},
    {"json", 1u << OUTPUT_APPEND, true, ALL_MODES, files_open, files_add, NULL},
    {"xml", 1u << OUTPUT_APPEND, true, ALL_MODES, files_open, files_add, NULL},
    {"text", 1u << OUTPUT_APPEND, true, ALL_MODES, files_open, files_add, NULL},
};

const SinkKind *sink_kind(Str format)
{
    for (size_t i = 0; i < LENGTH_OF(KINDS); i++)
        if (str_is(format, KINDS[i].format))
            return &KINDS[i];
    return NULL;
}
