/* SELECT TRANSFORM .. USING 'script': rows as lines of text to a program, its lines as rows. Spark's SparkScriptTransformationExec. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "engine/engine_impl.h"
#include "engine/execution.h"
#include "engine/file_source_impl.h"
#include "engine/python_source.h"
#include "engine/render.h"

/* A line of a script's output may not take more memory than this. */
#define LINE_MAX_BYTES ((size_t)256 << 20)

typedef struct ScriptSource {
    RowSource source;
    const BoundRel *rel;
    Engine *engine;
    FuncContext func;
    Cancel *cancel;
    const CteScope *ctes;
} ScriptSource;

typedef struct ScriptState {
    ScriptSource *source;
    Arena *arena;
    FuncContext func;
    RunContext run;
    FileOptions options;
    Execution *query;
    ScriptRun *script;
    pcre2_code *separator;
    pcre2_match_data *match;
    size_t *columns, count;
    Buf lines;         /* [at, len) is not yet rows */
    size_t at;
    bool ended;
} ScriptState;

/* ---- rows in ---- */

static Str cell_text(duckdb_vector vector, idx_t row, Str null)
{
    if (!valid_at(duckdb_vector_get_validity(vector), row))
        return null;
    duckdb_string_t *s = (duckdb_string_t *)duckdb_vector_get_data(vector) + row;
    return (Str){duckdb_string_t_data(s), duckdb_string_t_length(*s)};
}

static bool feed(ScriptState *s, Error *err)
{
    duckdb_data_chunk chunk;
    const BoundRel *rel = s->source->rel;
    Buf *b = script_input(s->script);
    TRY(execution_next_chunk(s->query, &chunk, err));
    if (!chunk) {
        script_end_input(s->script);
        return true;
    }
    idx_t rows = duckdb_data_chunk_get_size(chunk), width = duckdb_data_chunk_get_column_count(chunk);
    for (idx_t row = 0; row < rows; row++) {
        for (idx_t i = 0; i < width; i++) {
            buf_add(b, i ? rel->script.in_field : S(""));
            buf_add(b, cell_text(duckdb_data_chunk_get_vector(chunk, i), row, rel->script.in_null));
        }
        buf_addc(b, '\n');
    }
    duckdb_destroy_data_chunk(&chunk);
    return true;
}

/* ---- lines out ---- */

static bool goes_on(void *arg, Error *err) { return cancel_check(arg, err); }

static bool next_line(ScriptState *s, Str *line, bool *more, Error *err)
{
    PythonWatch watch = {goes_on, s->source->cancel};
    for (;;) {
        Str rest = {s->lines.ptr + s->at, s->lines.len - s->at};
        const char *end = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;
        *more = end || (s->ended && rest.len);
        if (*more) {
            *line = str_slice(rest, 0, end ? (size_t)(end - rest.ptr) : rest.len);
            s->at += line->len + (end != NULL);
            return true;
        }
        if (s->ended)
            return true;
        memmove(s->lines.ptr, rest.ptr, rest.len);
        s->lines.len = rest.len;
        s->at = 0;
        ScriptEvent event;
        Str bytes;
        TRY(script_next(s->script, &watch, &event, &bytes, err));
        if (event == SCRIPT_WANTS_INPUT)
            TRY(feed(s, err));
        else if (event == SCRIPT_OUTPUT)
            buf_add(&s->lines, bytes);
        else
            s->ended = true;
        if (s->lines.overflow)
            return error_unsupported(err, "A line of a script of more than %zu MB", LINE_MAX_BYTES >> 20);
    }
}

/* As Java's String.split: the separator is a pattern. */
static void split(ScriptState *s, Str line, Arena *arena, StrVec *out)
{
    size_t start = 0, at = 0;
    while (at <= line.len && pcre2_match(s->separator, (PCRE2_SPTR)line.ptr, line.len, at, 0, s->match, NULL) > 0) {
        PCRE2_SIZE *found = pcre2_get_ovector_pointer(s->match);
        at = found[1] > found[0] ? found[1] : found[1] + 1;
        if (found[1] == 0 || (found[1] == found[0] && found[0] >= line.len))
            continue;
        vec_push(arena, out, str_slice(line, start, found[0]));
        start = found[1];
    }
    if (!out->len) {
        vec_push(arena, out, line);
        return;
    }
    vec_push(arena, out, str_slice(line, start, line.len));
}

static void put_line(ScriptState *s, Str line, duckdb_data_chunk chunk, idx_t row)
{
    AUTO_ARENA arena = arena_new();
    StrVec cells = {0};
    split(s, line, arena, &cells);
    for (size_t i = 0; i < s->count; i++) {
        size_t column = s->columns[i];
        const Type *type = s->source->source.schema->structure.fields[column].type;
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
        const Str *null = &s->source->rel->script.out_null;
        if (column >= cells.len || (null->ptr && str_eq(cells.at[column], *null)) || !csv_put_cell(cells.at[column], vector, row, type, &s->options))
            vector_set_null(vector, row, type);
    }
}

static bool script_fill(void *state, duckdb_data_chunk chunk, idx_t capacity, idx_t *rows, Error *err)
{
    ScriptState *s = state;
    for (*rows = 0; *rows < capacity; ++*rows) {
        Str line;
        bool more;
        TRY(next_line(s, &line, &more, err));
        if (!more)
            return true;
        put_line(s, line, chunk, *rows);
    }
    return true;
}

/* ---- opening and closing ---- */

static void script_close(void *state)
{
    ScriptState *s = state;
    script_end(s->script);
    execution_free(s->query);
    pcre2_match_data_free(s->match);
    pcre2_code_free(s->separator);
    buf_free(&s->lines);
    arena_free(s->arena);
}

static bool compile(ScriptState *s, Error *err)
{
    int code;
    PCRE2_SIZE at;
    Str pattern = s->source->rel->script.out_field;
    s->separator = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, PCRE2_UTF, &code, &at, NULL);
    if (!s->separator)
        return error_unsupported(err, "The separator '" STR_FMT "', which is no pattern", STR_ARG(pattern));
    s->match = pcre2_match_data_create_from_pattern(s->separator, NULL);
    return true;
}

static bool script_open(RowSource *source, const size_t *columns, size_t count, void **out, Error *err)
{
    ScriptSource *o = (ScriptSource *)source;
    Arena *arena = arena_new();
    ScriptState *s = ARENA_NEW(arena, ScriptState);
    FileScan none = {.format = S("csv")};
    *out = s;
    s->source = o;
    s->arena = arena;
    s->func = o->func;
    s->func.arena = arena;
    s->run = (RunContext){.func = &s->func, .cancel = o->cancel};
    s->count = count;
    s->columns = ARENA_ARRAY(arena, size_t, count + 1);
    for (size_t i = 0; i < count; i++)
        s->columns[i] = columns[i];
    s->lines = buf_heap(LINE_MAX_BYTES);
    buf_add(&s->lines, S(" "));
    s->at = 1;
    TRY(file_options_read(&none, &s->func, arena, &s->options, err) && compile(s, err));
    TRY(engine_start(o->engine, plan_with_ctes(o->rel->input, o->ctes, arena), &s->run, &s->query, err));
    return script_start(o->engine->python, o->rel->script.script, &s->script, err);
}

bool render_script(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    Arena *a = r->arena;
    size_t n = rel->columns.len;
    if (r->engine && !python_pool_runs_scripts(r->engine->python))
        return error_unsupported(err, "Running scripts (TRANSFORM, MAP, REDUCE) in this server");
    ScriptSource *s = ARENA_NEW(a, ScriptSource);
    Field *fields = ARENA_ARRAY(a, Field, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        fields[i] = (Field){rel->columns.at[i].name, rel->columns.at[i].type, true, S("")};
        names[i] = str_printf(a, "c%u", rel->columns.at[i].id).ptr;
    }
    s->source = (RowSource){.schema = type_struct(fields, n, a), .names = names, .row_estimate = -1,
                            .open = script_open, .fill = script_fill, .close = script_close};
    s->rel = rel;
    s->engine = r->engine;
    s->func = r->func;
    s->cancel = r->cancel;
    s->ctes = r->ctes;
    out->from = rope_text(a, str_printf(a, "ls_rows(CAST(%llu AS UBIGINT))",
                                        (unsigned long long)resources_add_source(r->resources, &s->source)));
    return true;
}
