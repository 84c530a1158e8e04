/* Python functions run in worker processes: the client's own pyspark.worker, kept for the next query. */
#pragma once

#include "plan/plan.h"

typedef struct PythonPool PythonPool;
typedef struct PythonRun PythonRun;

typedef struct PythonOptions {
    Str program;         /* a Python that can import pyspark; looked for in PATH unless it has a slash */
    int64_t memory_mb;   /* address space of one worker; 0: no limit */
    bool scripts;        /* whether SELECT TRANSFORM may run programs */
    int silence_seconds; /* a worker that neither takes nor gives anything for so long is killed; 0: never */
} PythonOptions;

bool python_pool_runs_scripts(const PythonPool *pool);
PythonPool *python_pool_new(const PythonOptions *options);
/* Ends every worker. No run may be left. */
void python_pool_free(PythonPool *pool);

/* What a worker is told before the rows. */
typedef struct PythonJob {
    Str scope;           /* workers are shared by jobs of one scope: a user, or a session with files of its own */
    Str files_folder;    /* on the worker's path; may be empty */
    StrVec includes;     /* archives below it that are on the path too */
    Str python_version;  /* "3.11", of the Python that pickled the functions; empty: any */
    int eval_type;
    KeyValueVec conf;
    KeyValueVec eval_conf;
    Str functions;       /* python_put_call and kin */
    bool is_table;       /* a table function: no list of calls */
} PythonJob;

/* ---- the wire's atoms: big-endian, texts after their length ---- */

void python_put_int(Buf *b, int32_t v);
void python_put_long(Buf *b, int64_t v);
void python_put_bool(Buf *b, bool v);
void python_put_text(Buf *b, Str s);

/* Asked about ten times a second whether the query still wants the result. */
typedef struct PythonWatch {
    bool (*goes_on)(void *arg, Error *err);
    void *arg;
} PythonWatch;

/* ---- side.c: a process that serves one streaming query ---- */

/* Runs the client's foreach_batch_worker, which calls back through Spark Connect. Not from the pool: it lives as long as its query. */
typedef struct PythonSide PythonSide;
typedef struct SideJob {
    Str connect_url;     /* sc://host:port/;user_id=.. */
    Str session_id;
    Str python_version;
    Str command;         /* pickled function */
    bool by_row;         /* foreach: the function takes rows, not a DataFrame */
} SideJob;
/* watch is asked about ten times a second while anything is waited for. */
MUST_CHECK bool python_side_start(PythonPool *pool, const SideJob *job, const PythonWatch *watch, PythonSide **out, Error *err);
/* One batch, under the id of its kept rows. An exception of the function is PYTHON_EXCEPTION with the traceback. */
MUST_CHECK bool python_side_batch(PythonSide *s, Str dataframe_id, int64_t batch, const PythonWatch *watch, Error *err);
void python_side_end(PythonSide *s);

/* ---- script.c: SELECT TRANSFORM .. USING 'script' ---- */

typedef struct ScriptRun ScriptRun;
/* bash runs the script with the workers' environment and limits. */
MUST_CHECK bool script_start(PythonPool *pool, Str script, ScriptRun **out, Error *err);
typedef enum ScriptEvent { SCRIPT_WANTS_INPUT, SCRIPT_OUTPUT, SCRIPT_DONE } ScriptEvent;
/* bytes are valid until the next call. A script that fails is _LEGACY_ERROR_TEMP_2264, as in Spark. */
MUST_CHECK bool script_next(ScriptRun *run, const PythonWatch *watch, ScriptEvent *event, Str *bytes, Error *err);
/* What is put here goes to the script; only after SCRIPT_WANTS_INPUT. */
Buf *script_input(ScriptRun *run);
void script_end_input(ScriptRun *run);
/* Kills it with all its children if it still runs. */
void script_end(ScriptRun *run);

/* ---- one run ---- */

/* Takes an idle worker or starts one. LAKESHED_PYTHON_* when there is no fitting Python. */
MUST_CHECK bool python_start(PythonPool *pool, const PythonJob *job, PythonRun **out, Error *err);

typedef enum PythonEvent {
    PYTHON_WANTS_INPUT, /* everything sent is on its way: python_send more, or python_end_input */
    PYTHON_BATCH,       /* bytes: a whole Arrow stream with one batch */
    PYTHON_FRAME,       /* bytes: one pickled list of results */
    PYTHON_DONE
} PythonEvent;

/* Waits for the next event; bytes are valid until the next call. An exception inside the function is PYTHON_EXCEPTION with the
 * traceback. */
MUST_CHECK bool python_next(PythonRun *run, const PythonWatch *watch, PythonEvent *event, Str *bytes, Error *err);
/* What is put here goes to the worker; only after PYTHON_WANTS_INPUT. */
Buf *python_input(PythonRun *run);
void python_end_input(PythonRun *run);
/* The worker is kept when the run was finished, and killed otherwise. */
void python_end(PythonRun *run);
