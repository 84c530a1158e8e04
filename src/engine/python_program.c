/* A program of ours as a function over batches: the worker is told to evaluate its text, and given no rows. */
#include "engine/python_program.h"

#include <stdlib.h>

#include "base/json.h"
#include "engine/arrow_out.h"
#include "engine/engine_impl.h"
#include "engine/python_source.h"

struct PythonProgram {
    Arena *arena;
    PythonRun *run;
    Cancel *cancel;
    ArrowBatches in;
    bool fed;
};

/* What pyspark.worker unpickles: a function of an iterator of batches, and a type that nobody looks at. */
static const char frame[] =
    "import json\n"
    "from pyspark.sql.types import StructType\n"
    "def read(batches):\n"
    "    for _ in batches:\n"
    "        pass\n"
    "    yield from run(json.loads(ARGS))\n"
    "command = (read, StructType([]))\n";

/* A JSON text is a Python literal too. */
static void put_literal(Buf *b, Str text) { json_put_str(b, text); }

/* pickle: builtins.eval(source), protocol 1. */
static Str pickled(const char *program, Str args, Arena *arena)
{
    Buf source = buf_in(arena), whole = buf_in(arena), out = buf_in(arena);
    buf_addz(&whole, program);
    buf_addz(&whole, frame);
    buf_addz(&source, "(lambda ns: (exec(");
    put_literal(&source, buf_str(&whole));
    buf_addz(&source, ", ns), ns['command'])[1])({'ARGS': ");
    put_literal(&source, args);
    buf_addz(&source, "})");
    uint32_t n = (uint32_t)source.len;
    buf_addz(&out, "cbuiltins\neval\n(X");
    buf_add_bytes(&out, (uint8_t[]){(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)}, 4);
    buf_add(&out, buf_str(&source));
    buf_addz(&out, "tR.");
    return buf_str(&out);
}

static Str functions_of(Str command, Arena *arena)
{
    Buf b = buf_in(arena);
    python_put_int(&b, 1); /* functions */
    python_put_int(&b, 1); /* of one argument, */
    python_put_int(&b, 0); /* the first column, */
    python_put_bool(&b, false);
    python_put_int(&b, 1);
    python_put_text(&b, command);
    python_put_long(&b, 0);
    return buf_str(&b);
}

bool python_program_open(Engine *e, const char *program, Str args, Cancel *cancel, PythonProgram **out, Error *err)
{
    if (!e || !e->python)
        return error_unsupported(err, "Running Python in this program");
    Arena *arena = arena_new();
    PythonProgram *p = ARENA_NEW(arena, PythonProgram);
    p->arena = arena;
    p->cancel = cancel;
    PythonJob job = {.scope = S("lakeshed"), .eval_type = PYTHON_EVAL_MAP_ARROW};
    job.functions = functions_of(pickled(program, args, arena), arena);
    if (!python_start(e->python, &job, &p->run, err)) {
        python_program_close(p);
        return false;
    }
    *out = p;
    return true;
}

/* A stream without batches. */
static bool feed_nothing(PythonProgram *p, Error *err)
{
    ArrowOut *nothing;
    Field inner = {S_INIT("x"), type_simple(TYPE_INT), true, S_INIT("")};
    Field field = {S_INIT("_0"), type_struct(&inner, 1, p->arena), true, S_INIT("")};
    if (p->fed)
        return error_internal(err, "a Python program asks for rows");
    p->fed = true;
    TRY(arrow_out_new(type_struct(&field, 1, p->arena), S("UTC"), p->arena, &nothing, err));
    arrow_out_put_schema(nothing, python_input(p->run));
    arrow_out_put_end(python_input(p->run));
    arrow_out_free(nothing);
    python_end_input(p->run);
    return true;
}

static bool goes_on(void *arg, Error *err) { return cancel_check(arg, err); }

bool python_program_next(PythonProgram *p, ArrowBatches **batch, Error *err)
{
    PythonWatch watch = {goes_on, p->cancel};
    for (;;) {
        bool more;
        TRY(arrow_batches_next(&p->in, &more, err));
        *batch = more ? &p->in : NULL;
        if (more)
            return true;
        PythonEvent event;
        Str bytes;
        TRY(python_next(p->run, &watch, &event, &bytes, err));
        if (event == PYTHON_DONE)
            return true;
        if (event == PYTHON_WANTS_INPUT)
            TRY(feed_nothing(p, err));
        else if (event == PYTHON_BATCH)
            TRY(arrow_batches_open(&p->in, bytes, err));
        else
            return error_internal(err, "a Python program gave something else than batches");
    }
}

const struct ArrowArrayView *python_program_columns(ArrowBatches *batch, const struct ArrowSchema **schema)
{
    *schema = batch->schema.children[0];
    return batch->view.children[0];
}

void python_program_close(PythonProgram *p)
{
    if (!p)
        return;
    arrow_batches_close(&p->in);
    python_end(p->run);
    arena_free(p->arena);
}
