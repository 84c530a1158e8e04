/* ORC files: read and written by pyarrow in a worker process, one stripe at a time. Written rows are Parquet files first, which the
 * worker makes ORC of. */
#include "engine/orc.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "engine/arrow_in.h"
#include "engine/file_source_impl.h"
#include "engine/folder.h"
#include "engine/orc_program.h"
#include "engine/parquet_schema.h"
#include "engine/python_program.h"

/* What a row is taken to need in an ORC file. */
enum { ORC_BYTES_PER_ROW = 20 };

/* ---- what the program is told ---- */

static void put_paths_json(Buf *b, const char *key, const StrVec *paths)
{
    buf_addf(b, ", \"%s\": [", key);
    for (size_t i = 0; i < paths->len; i++) {
        buf_addz(b, i ? ", " : "");
        json_put_str(b, paths->at[i]);
    }
    buf_addc(b, ']');
}

static void put_field(Buf *b, const Field *f, size_t at, bool first)
{
    buf_addz(b, first ? "{\"name\": " : ", {\"name\": ");
    json_put_str(b, f->name);
    buf_addf(b, ", \"at\": %zu, \"type\": " STR_FMT "}", at, STR_ARG(type_json(type_char_as_string(f->type, b->arena), b->arena)));
}

static Str text_at(const struct ArrowArrayView *v, int64_t i, Arena *arena)
{
    struct ArrowStringView s = ArrowArrayViewGetStringUnsafe(v, i);
    return str_copy((Str){s.data, (size_t)s.size_bytes}, arena);
}

/* A batch of the program's; a failure of its own is told as rows. */
static bool next_batch(PythonProgram *p, bool schema_only, ArrowBatches **batch, Error *err)
{
    const struct ArrowSchema *schema;
    TRY(python_program_next(p, batch, err));
    if (!*batch)
        return true;
    const struct ArrowArrayView *v = python_program_columns(*batch, &schema);
    if (schema->n_children != 1 || strcmp(schema->children[0]->name, "ls_failure") || v->children[0]->length < 3)
        return true;
    Str path = text_at(v->children[0], 0, err->arena), unsupported = text_at(v->children[0], 2, err->arena);
    if (unsupported.len)
        return error_unsupported(err, STR_FMT, STR_ARG(unsupported));
    if (schema_only)
        return error_set(err, ERR_FAILED_READ_FILE__CANNOT_READ_FILE_FOOTER, P("path", str_concat(err->arena, S("file:"), path)));
    return error_set(err, ERR_FAILED_READ_FILE__NO_HINT, P("path", str_concat(err->arena, S("file://"), path)),
                     P("message", text_at(v->children[0], 1, err->arena)));
}

/* ---- inference ---- */

static bool take_schema(PythonProgram *p, Arena *arena, const Type **out, bool *more, Error *err)
{
    ArrowBatches *batch;
    const struct ArrowSchema *schema;
    TRY(next_batch(p, true, &batch, err));
    *more = batch != NULL;
    if (!batch)
        return true;
    Str text = text_at(python_program_columns(batch, &schema)->children[0], 0, arena);
    batch->taken = batch->view.length;
    return type_from_json(text, arena, out, err);
}

bool orc_infer(Engine *e, const FileScan *scan, bool merge, const RunContext *ctx, Arena *arena, const Type **out, Error *err)
{
    StrVec paths = scan->paths;
    Str first = paths.at[0];
    for (size_t i = 1; i < paths.len; i++)
        if (str_cmp(paths.at[i], first) < 0)
            first = paths.at[i];
    if (!merge) {
        paths = (StrVec){0};
        vec_push(arena, &paths, first);
    }
    Buf args = buf_in(arena);
    PythonProgram *p;
    bool more = true, ok = true;
    buf_addz(&args, "{\"do\": \"infer\"");
    put_paths_json(&args, "paths", &paths);
    buf_addc(&args, '}');
    TRY(python_program_open(e, orc_program, buf_str(&args), ctx->cancel, &p, err));
    *out = NULL;
    while (ok && more) {
        const Type *next = NULL;
        ok = take_schema(p, arena, &next, &more, err);
        if (ok && next && *out)
            ok = schema_merge(*out, next, arena, out, err);
        else if (ok && next)
            *out = next;
    }
    python_program_close(p);
    return ok && (*out || error_internal(err, "no schema of an ORC file"));
}

/* ---- rows ---- */

typedef struct OrcSource {
    RowSource source;
    Engine *engine;
    Cancel *cancel;
    const FileScan *scan;
    Value **hive;
    size_t data_count;
} OrcSource;

typedef struct OrcState {
    const OrcSource *source;
    Arena *arena;
    PythonProgram *program;
    size_t *columns, count;
    ptrdiff_t *places; /* which column of the batches a wanted one is, -1: none */
    size_t width;      /* data columns of the batches; the number of the file is behind them */
} OrcState;

static void orc_close(void *state)
{
    OrcState *s = state;
    python_program_close(s->program);
    arena_free(s->arena);
}

static bool orc_open(RowSource *source, const size_t *columns, size_t count, void **out, Error *err)
{
    const OrcSource *o = (const OrcSource *)source;
    Arena *arena = arena_new();
    OrcState *s = ARENA_NEW(arena, OrcState);
    Buf args = buf_in(arena);
    *out = s;
    s->source = o;
    s->arena = arena;
    s->count = count;
    s->columns = ARENA_ARRAY(arena, size_t, count + 1);
    s->places = ARENA_ARRAY(arena, ptrdiff_t, count + 1);
    buf_addz(&args, "{\"do\": \"read\"");
    put_paths_json(&args, "paths", &o->scan->paths);
    buf_addz(&args, ", \"fields\": [");
    for (size_t i = 0; i < count; i++) {
        s->columns[i] = columns[i];
        s->places[i] = columns[i] < o->data_count ? (ptrdiff_t)s->width : -1;
        if (columns[i] < o->data_count)
            put_field(&args, &o->scan->schema->structure.fields[columns[i]], columns[i], !s->width++);
    }
    buf_addz(&args, "]}");
    return python_program_open(o->engine, orc_program, buf_str(&args), o->cancel, &s->program, err);
}

/* Rows of one file: a batch never holds those of two. */
static bool fill_column(OrcState *s, size_t i, ArrowBatches *batch, int64_t file, duckdb_vector to, idx_t n, Error *err)
{
    const OrcSource *o = s->source;
    size_t column = s->columns[i];
    const struct ArrowSchema *schema;
    const struct ArrowArrayView *v = python_program_columns(batch, &schema);
    if (s->places[i] >= 0)
        return arrow_in_copy(v->children[s->places[i]], schema->children[s->places[i]], v->offset + batch->taken, n, to, 0,
                             o->scan->schema->structure.fields[column].type, S("UTC"), err);
    for (idx_t row = 0; row < n; row++)
        if (column < o->scan->schema->structure.count)
            file_put_value(to, row, &o->hive[file][column - o->data_count]);
        else
            ((int64_t *)duckdb_vector_get_data(to))[row] = file;
    return true;
}

static bool orc_fill(void *state, duckdb_data_chunk chunk, idx_t capacity, idx_t *rows, Error *err)
{
    OrcState *s = state;
    ArrowBatches *batch;
    const struct ArrowSchema *schema;
    *rows = 0;
    TRY(next_batch(s->program, false, &batch, err));
    if (!batch)
        return true;
    const struct ArrowArrayView *v = python_program_columns(batch, &schema);
    if ((size_t)schema->n_children != s->width + 1)
        return error_internal(err, "the ORC reader gave %d columns", (int)schema->n_children);
    int64_t left = batch->view.length - batch->taken;
    int64_t file = ArrowArrayViewGetIntUnsafe(v->children[s->width], v->offset + batch->taken);
    idx_t n = left < (int64_t)capacity ? (idx_t)left : capacity;
    if (file < 0 || (size_t)file >= s->source->scan->paths.len)
        return error_internal(err, "the ORC reader gave rows of a file that it was not given");
    for (size_t i = 0; i < s->count; i++)
        TRY(fill_column(s, i, batch, file, duckdb_data_chunk_get_vector(chunk, i), n, err));
    batch->taken += (int64_t)n;
    *rows = n;
    return true;
}

bool orc_source_new(Engine *e, const FileScan *scan, const FuncContext *func, Cancel *cancel, Arena *arena, RowSource **out, Error *err)
{
    OrcSource *o = ARENA_NEW(arena, OrcSource);
    o->engine = e;
    o->cancel = cancel;
    o->scan = scan;
    o->data_count = scan->schema->structure.count - scan->partition_count;
    TRY(file_hive_values(scan, func, arena, &o->hive, err));
    o->source = (RowSource){.open = orc_open, .fill = orc_fill, .close = orc_close};
    TRY(file_source_columns(scan, ORC_BYTES_PER_ROW, arena, &o->source, err));
    *out = &o->source;
    return true;
}

/* ---- writing ---- */

static bool find_codec(const WriteSpec *spec, const RunContext *ctx, Arena *arena, Str *codec, Error *err)
{
    static const char *const CODECS[] = {"zlib", "snappy", "zstd", "lz4"};
    Str name = S("zstd");
    if (ctx->func->setting)
        (void)!ctx->func->setting(ctx->func->self, "spark.sql.orc.compression.codec", &name);
    name = file_option(&spec->options, "orc.compress", str_z(name, arena));
    name = spec->codec.len ? spec->codec : file_option(&spec->options, "compression", str_z(name, arena));
    *codec = S("");
    if (str_is_ci(name, "none") || str_is_ci(name, "uncompressed"))
        return true;
    for (size_t i = 0; i < LENGTH_OF(CODECS); i++)
        if (str_is_ci(name, CODECS[i])) {
            *codec = str_from(CODECS[i]);
            return true;
        }
    if (str_is_ci(name, "lzo") || str_is_ci(name, "brotli"))
        return error_unsupported(err, "Writing ORC files compressed with " STR_FMT, STR_ARG(name));
    return error_set(err, ERR_CODEC_NOT_AVAILABLE__WITH_AVAILABLE_CODECS_SUGGESTION, P("codecName", name),
                     PZ("availableCodecs", "brotli, uncompressed, lz4, lzo, snappy, zlib, none, zstd"));
}

static bool refuse_types(const Type *schema, Error *err)
{
    static const TypeKind NONE[] = {TYPE_VARIANT, TYPE_NULL, TYPE_INTERVAL_CALENDAR, TYPE_TIME, TYPE_GEOMETRY, TYPE_GEOGRAPHY};
    for (size_t i = 0; i < schema->structure.count; i++)
        for (size_t k = 0; k < LENGTH_OF(NONE); k++)
            if (type_contains(schema->structure.fields[i].type, NONE[k]))
                return error_set(err, ERR_UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE, PZ("format", "ORC"),
                                 P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(schema->structure.fields[i].name))),
                                 P("columnType", str_printf(err->arena, "\"" STR_FMT "\"",
                                                            STR_ARG(type_sql(schema->structure.fields[i].type, err->arena)))));
    return true;
}

static Str orc_name(Str parquet, Str codec, Arena *arena)
{
    ptrdiff_t dot = str_rfind_char(parquet, '.');
    Str base = str_slice(parquet, 0, dot < 0 ? parquet.len : (size_t)dot);
    if (str_ends_with(base, S(".c000")))
        base = str_slice(base, 0, base.len - 5);
    return str_printf(arena, STR_FMT "-c000%s" STR_FMT ".orc", STR_ARG(base), codec.len ? "." : "", STR_ARG(codec));
}

static Str in_folder(const WriteSpec *spec, Str name, Arena *arena)
{
    return str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(spec->folder), STR_ARG(name));
}

static bool run_to_end(Engine *e, Str args, Cancel *cancel, Error *err)
{
    PythonProgram *p;
    ArrowBatches *batch = NULL;
    TRY(python_program_open(e, orc_program, args, cancel, &p, err));
    bool ok = next_batch(p, false, &batch, err) && (!batch || error_internal(err, "the ORC writer gave rows"));
    python_program_close(p);
    return ok;
}

static bool finish_file(const WriteSpec *spec, WrittenFile *f, Str name, Arena *arena, Error *err)
{
    struct stat facts;
    Str path = in_folder(spec, name, arena);
    f->path = name;
    TRY(folder_sync(path, err));
    if (stat(path.ptr, &facts))
        return folder_failure(err, path);
    f->size = facts.st_size;
    f->modified_ms = (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000;
    return true;
}

bool orc_write(Engine *e, const BoundRel *rel, const WriteSpec *spec, const RunContext *ctx, Arena *arena, WrittenFileVec *out, Error *err)
{
    Str codec;
    StrVec sources = {0}, targets = {0}, names = {0};
    WriteSpec first = *spec;
    first.format = S("parquet");
    first.codec = S("uncompressed");
    first.stats_columns = 0;
    TRY(find_codec(spec, ctx, arena, &codec, err) && refuse_types(spec->schema, err));
    TRY(engine_write(e, rel, &first, ctx, arena, out, err));
    for (size_t i = 0; i < out->len; i++) {
        vec_push(arena, &names, orc_name(out->at[i].path, codec, arena));
        vec_push(arena, &sources, in_folder(spec, out->at[i].path, arena));
        vec_push(arena, &targets, in_folder(spec, vec_last(&names), arena));
    }
    Buf args = buf_in(arena);
    bool any = false;
    buf_addz(&args, "{\"do\": \"write\"");
    put_paths_json(&args, "paths", &sources);
    put_paths_json(&args, "targets", &targets);
    buf_addf(&args, ", \"codec\": \"" STR_FMT "\", \"fields\": [", STR_ARG(codec.len ? codec : S("uncompressed")));
    for (size_t i = 0; i < spec->schema->structure.count; i++) {
        bool partition = false;
        for (size_t k = 0; k < spec->partition_count; k++)
            partition |= spec->partition_columns[k] == i;
        if (partition)
            continue;
        put_field(&args, &spec->schema->structure.fields[i], i, !any);
        any = true;
    }
    buf_addz(&args, "]}");
    bool ok = !sources.len || run_to_end(e, buf_str(&args), ctx->cancel, err);
    for (size_t i = 0; ok && i < out->len; i++)
        ok = finish_file(spec, &out->at[i], names.at[i], arena, err);
    for (size_t i = 0; !ok && i < sources.len; i++) {
        unlink(sources.at[i].ptr);
        unlink(targets.at[i].ptr);
    }
    return ok;
}
