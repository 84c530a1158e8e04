/* Worker processes kept between runs, and one run in one of them. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "python/python_impl.h"

enum { IDLE_MAX = 16, IDLE_US = 60 * 1000000, POLL_MS = 100, READ_BYTES = 256 << 10 };
#define INPUT_MAX ((size_t)1 << 31)

typedef struct Worker {
    int fd, pid;
    char *scope;
    int64_t idle_since_us;
} Worker;

struct PythonPool {
    pthread_mutex_t lock; /* guards the rest */
    Arena *arena;         /* holds options */
    PythonOptions options;
    Daemon *daemon;       /* NULL until the first run */
    Worker *idle[IDLE_MAX];
    size_t idle_count;
};

struct PythonRun {
    PythonPool *pool;
    Worker *worker;
    Output output;
    Buf input;            /* [sent, len) is on its way */
    size_t sent;
    bool input_ended, keep;
    int64_t moved_us;     /* when anything last went either way */
};

/* ---- the wire's atoms ---- */

void python_put_int(Buf *b, int32_t v)
{
    uint32_t u = (uint32_t)v;
    buf_add_bytes(b, (uint8_t[]){(uint8_t)(u >> 24), (uint8_t)(u >> 16), (uint8_t)(u >> 8), (uint8_t)u}, 4);
}

void python_put_long(Buf *b, int64_t v)
{
    python_put_int(b, (int32_t)((uint64_t)v >> 32));
    python_put_int(b, (int32_t)(uint32_t)v);
}

void python_put_bool(Buf *b, bool v)
{
    buf_addc(b, v ? 1 : 0);
}

void python_put_text(Buf *b, Str s)
{
    python_put_int(b, (int32_t)s.len);
    buf_add(b, s);
}

/* ---- the pool ---- */

PythonPool *python_pool_new(const PythonOptions *options)
{
    Arena *arena = arena_new();
    PythonPool *p = ARENA_NEW(arena, PythonPool);
    p->arena = arena;
    p->options = *options;
    p->options.program = str_copy(options->program, arena);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

bool python_pool_runs_scripts(const PythonPool *pool)
{
    return pool && pool->options.scripts;
}

const PythonOptions *python_options(const PythonPool *pool)
{
    return &pool->options;
}

/* Under the lock, or when nobody else is left. */
static void drop_worker(PythonPool *p, Worker *w)
{
    if (p->daemon)
        daemon_kill(p->daemon, w->pid);
    close(w->fd);
    free(w->scope);
    free(w);
}

static void drop_idle(PythonPool *p, int64_t older_than_us)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->idle_count; i++) {
        if (p->idle[i]->idle_since_us < older_than_us)
            drop_worker(p, p->idle[i]);
        else
            p->idle[kept++] = p->idle[i];
    }
    p->idle_count = kept;
}

void python_pool_free(PythonPool *p)
{
    if (!p)
        return;
    drop_idle(p, INT64_MAX);
    if (p->daemon)
        daemon_stop(p->daemon);
    pthread_mutex_destroy(&p->lock);
    arena_free(p->arena);
}

/* An idle worker says nothing; one that became readable has ended. */
static bool is_alive(const Worker *w)
{
    struct pollfd p = {w->fd, POLLIN, 0};
    return poll(&p, 1, 0) == 0;
}

static Worker *take_idle(PythonPool *p, Str scope)
{
    drop_idle(p, clock_monotonic_us() - IDLE_US);
    for (size_t i = p->idle_count; i-- > 0;) {
        Worker *w = p->idle[i];
        if (!str_is(scope, w->scope))
            continue;
        p->idle[i] = p->idle[--p->idle_count];
        if (is_alive(w))
            return w;
        drop_worker(p, w);
    }
    return NULL;
}

static bool fork_worker(PythonPool *p, Worker *w, Error *err)
{
    for (int attempt = 0;; attempt++) {
        bool gone;
        if (!p->daemon)
            TRY(daemon_start(&p->options, &p->daemon, err));
        if (daemon_fork(p->daemon, &w->fd, &w->pid, &gone, err))
            return true;
        if (!gone || attempt)
            return false;
        /* A function may have killed its parent; the next one starts afresh. */
        drop_idle(p, INT64_MAX);
        daemon_stop(p->daemon);
        p->daemon = NULL;
        error_clear(err);
    }
}

static bool check_version(PythonPool *p, const PythonJob *job, Error *err)
{
    if (!p->daemon)
        TRY(daemon_start(&p->options, &p->daemon, err));
    Str have = daemon_python_version(p->daemon);
    if (!job->python_version.len || str_eq(have, job->python_version))
        return true;
    return error_set(err, ERR_LAKESHED_PYTHON_VERSION, P("client", job->python_version), P("worker", have),
                     P("program", p->options.program));
}

static bool take_worker(PythonPool *p, const PythonJob *job, Worker **out, Error *err)
{
    TRY(check_version(p, job, err));
    *out = take_idle(p, job->scope);
    if (*out)
        return true;
    Worker *w = calloc(1, sizeof *w);
    char *scope = strndup(job->scope.ptr ? job->scope.ptr : "", job->scope.len);
    if (!w || !scope)
        panic("out of memory");
    w->scope = scope;
    if (!fork_worker(p, w, err)) {
        free(scope);
        free(w);
        return false;
    }
    *out = w;
    return true;
}

/* ---- one run ---- */

static void put_pairs(Buf *b, const KeyValueVec *pairs)
{
    python_put_int(b, (int32_t)pairs->len);
    for (size_t i = 0; i < pairs->len; i++) {
        python_put_text(b, pairs->at[i].key);
        python_put_text(b, pairs->at[i].value);
    }
}

/* What pyspark.worker.main reads before the rows, in its order. */
static void put_job(Buf *b, const PythonJob *job, Str version)
{
    python_put_int(b, 0); /* partition */
    python_put_text(b, version);
    python_put_text(b, S("{\"isBarrier\": false, \"stageId\": 0, \"partitionId\": 0, \"attemptNumber\": 0, \"taskAttemptId\": 0, "
                         "\"cpus\": 1, \"resources\": {}, \"localProperties\": {}}"));
    python_put_text(b, job->files_folder);
    python_put_int(b, (int32_t)job->includes.len);
    for (size_t i = 0; i < job->includes.len; i++)
        python_put_text(b, job->includes.at[i]);
    python_put_bool(b, false); /* broadcasts are not encrypted */
    python_put_int(b, 0);      /* and there are none */
    python_put_int(b, job->eval_type);
    put_pairs(b, &job->conf);
    put_pairs(b, &job->eval_conf);
    buf_add(b, job->functions);
}

bool python_start(PythonPool *pool, const PythonJob *job, PythonRun **out, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Worker *worker;
    pthread_mutex_lock(&pool->lock);
    bool ok = take_worker(pool, job, &worker, err);
    Str version = job->python_version;
    if (ok && !version.len)
        version = str_copy(daemon_python_version(pool->daemon), arena);
    pthread_mutex_unlock(&pool->lock);
    TRY(ok);
    PythonRun *r = calloc(1, sizeof *r);
    if (!r)
        panic("out of memory");
    r->pool = pool;
    r->worker = worker;
    output_init(&r->output);
    r->input = buf_heap(INPUT_MAX);
    put_job(&r->input, job, version);
    r->moved_us = clock_monotonic_us();
    *out = r;
    return true;
}

Buf *python_input(PythonRun *r)
{
    return &r->input;
}

void python_end_input(PythonRun *r)
{
    python_put_int(&r->input, -4); /* SpecialLengths.END_OF_STREAM */
    r->input_ended = true;
}

static bool crashed(Error *err)
{
    return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "The Python worker exited unexpectedly"),
                     PZ("traceback", "it crashed, was killed, or ran out of memory"));
}

static bool receive(PythonRun *r, Error *err)
{
    char *room = output_room(&r->output, READ_BYTES);
    if (!room)
        return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "The Python worker's answer is too large"), PZ("traceback", ""));
    ssize_t n = recv(r->worker->fd, room, READ_BYTES, 0);
    if (n > 0) {
        output_took(&r->output, (size_t)n);
        r->moved_us = clock_monotonic_us();
        return true;
    }
    return (n < 0 && (errno == EAGAIN || errno == EINTR)) || crashed(err);
}

/* A worker that has failed stops reading, but still has its traceback to say. */
static void transmit(PythonRun *r)
{
    ssize_t n = send(r->worker->fd, r->input.ptr + r->sent, r->input.len - r->sent, MSG_NOSIGNAL);
    if (n > 0) {
        r->sent += (size_t)n;
        r->moved_us = clock_monotonic_us();
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        r->sent = r->input.len;
        r->input_ended = true;
    }
    if (r->sent == r->input.len) {
        buf_reset(&r->input);
        r->sent = 0;
    }
}

static bool is_silent(const PythonRun *r, Error *err)
{
    int limit = r->pool->options.silence_seconds;
    if (!limit || clock_monotonic_us() - r->moved_us < limit * 1000000ll)
        return false;
    error_set(err, ERR_LAKESHED_PYTHON_SILENT, P("seconds", str_printf(err->arena, "%d", limit)));
    return true;
}

static bool move_bytes(PythonRun *r, const PythonWatch *watch, Error *err)
{
    bool pending = r->sent < r->input.len;
    struct pollfd p = {r->worker->fd, (short)(POLLIN | (pending ? POLLOUT : 0)), 0};
    if (poll(&p, 1, POLL_MS) < 0 && errno != EINTR)
        return error_internal(err, "poll: %s", strerror(errno));
    if (!watch->goes_on(watch->arg, err) || is_silent(r, err))
        return false;
    if (p.revents & POLLOUT)
        transmit(r);
    return !(p.revents & (POLLIN | POLLHUP | POLLERR)) || receive(r, err);
}

static bool exception(Str traceback, Error *err)
{
    return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "An exception was thrown from the Python worker"),
                     P("traceback", str_copy(traceback, err->arena)));
}

bool python_next(PythonRun *r, const PythonWatch *watch, PythonEvent *event, Str *bytes, Error *err)
{
    for (;;) {
        OutputKind kind;
        if (r->input.overflow)
            return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "A batch for the Python worker is too large"), PZ("traceback", ""));
        TRY(output_next(&r->output, &kind, bytes, err));
        switch (kind) {
        case OUTPUT_BATCH:
            *event = PYTHON_BATCH;
            return true;
        case OUTPUT_FRAME:
            *event = PYTHON_FRAME;
            return true;
        case OUTPUT_EXCEPTION:
            return exception(*bytes, err);
        case OUTPUT_DONE:
        case OUTPUT_LAST:
            r->keep = kind == OUTPUT_DONE && r->input_ended && r->sent == r->input.len;
            *event = PYTHON_DONE;
            return true;
        case OUTPUT_MORE:
            break;
        }
        if (r->sent == r->input.len && !r->input_ended) {
            *event = PYTHON_WANTS_INPUT;
            r->moved_us = clock_monotonic_us();
            return true;
        }
        TRY(move_bytes(r, watch, err));
    }
}

void python_end(PythonRun *r)
{
    if (!r)
        return;
    PythonPool *p = r->pool;
    pthread_mutex_lock(&p->lock);
    if (r->keep && p->idle_count < IDLE_MAX) {
        r->worker->idle_since_us = clock_monotonic_us();
        p->idle[p->idle_count++] = r->worker;
    } else {
        drop_worker(p, r->worker);
    }
    pthread_mutex_unlock(&p->lock);
    output_free(&r->output);
    buf_free(&r->input);
    free(r);
}
