/* What the files of this folder share: the parent process of the workers, and what a worker writes. */
#pragma once

#include "base/buf.h"
#include "python/python.h"

/* ---- daemon.c: pyspark.daemon, which forks workers ---- */

typedef struct Daemon Daemon;
MUST_CHECK bool daemon_start(const PythonOptions *options, Daemon **out, Error *err);
/* Workers still running are killed. */
void daemon_stop(Daemon *d);
Str daemon_python_version(const Daemon *d);
/* A new worker: a connected socket and its process id. *gone: the daemon does not answer any more. */
MUST_CHECK bool daemon_fork(Daemon *d, int *fd, int *pid, bool *gone, Error *err);
void daemon_kill(Daemon *d, int pid);

/* What a Python of users sees of the server's environment, and `more` (NAME=value); NULL-terminated. */
char **python_environment(const StrVec *more, Arena *arena);
MUST_CHECK bool python_missing(const PythonOptions *options, const char *reason, Error *err);
const PythonOptions *python_options(const PythonPool *pool);

/* ---- output.c: the bytes a worker writes ---- */

typedef enum OutputKind {
    OUTPUT_MORE,      /* nothing whole yet */
    OUTPUT_BATCH,
    OUTPUT_FRAME,
    OUTPUT_EXCEPTION, /* bytes: the traceback */
    OUTPUT_DONE,      /* the worker waits for its next job */
    OUTPUT_LAST       /* done, but the worker ends itself */
} OutputKind;

typedef struct Output {
    Buf in;           /* as they came; [at, len) is not yet understood */
    size_t at;
    Buf stream;       /* schema, one batch, end */
    size_t schema_len;
    bool in_arrow, ended;
} Output;

void output_init(Output *o);
void output_free(Output *o);
/* Where to put up to `room` more bytes; output_took says how many came. */
char *output_room(Output *o, size_t room);
void output_took(Output *o, size_t count);
/* The next whole thing; bytes are valid until the next call. */
MUST_CHECK bool output_next(Output *o, OutputKind *kind, Str *bytes, Error *err);
