/* A Python process beside a streaming query: runs the client's worker of foreachBatch, which reads batches through Spark Connect. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "python/python_impl.h"

enum { START_MS = 60000, POLL_MS = 100, END_MS = 2000, TRACEBACK_MAX = 1 << 20, PYTHON_EXCEPTION_THROWN = -2 };

struct PythonSide {
    pid_t pid;
    int fd;
    char folder[64];         /* of its socket; nobody else may enter */
    char path[96];
};

/* Without a __file__ the client takes the process for one of its own doctests. foreach gives a function over the rows of a partition: a batch is one partition here, collected by the worker. */
static const char program[] =
    "import sys\n"
    "__file__ = 'streaming'\n"
    "sys.path[:] = [p for p in sys.path if p]\n"
    "from pyspark.sql.connect.streaming.worker import foreach_batch_worker as w\n"
    "from pyspark.worker_util import get_sock_file_to_executor\n"
    "if sys.argv[1] == 'rows':\n"
    "    from pyspark.taskcontext import TaskContext\n"
    "    read = w.worker.read_command\n"
    "    def read_rows(serializer, infile):\n"
    "        func = read(serializer, infile)[0]\n"
    "        def each(df, batch_id):\n"
    "            context = TaskContext._getOrCreate()\n"
    "            context._partitionId = 0\n"
    "            context._localProperties = {'streaming.sql.batchId': str(batch_id)}\n"
    "            for _ in func(0, iter(df.collect())):\n"
    "                pass\n"
    "        return each\n"
    "    w.worker.read_command = read_rows\n"
    "w.print = lambda *args, **kwargs: None\n"
    "with get_sock_file_to_executor(timeout=None) as f:\n"
    "    w.main(f, f)\n";

static bool failed(Error *err, const char *what)
{
    return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", what), PZ("traceback", ""));
}

/* ---- bytes ---- */

static bool wait_for(PythonSide *s, int fd, short events, int64_t deadline_us, const PythonWatch *watch, Error *err)
{
    for (;;) {
        struct pollfd p = {fd, events, 0};
        int n = poll(&p, 1, POLL_MS);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return failed(err, strerror(errno));
        TRY(watch->goes_on(watch->arg, err));
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            return failed(err, "The Python process of the streaming query ended");
        }
        if (clock_monotonic_us() > deadline_us)
            return failed(err, "The Python process of the streaming query does not start");
    }
}

static bool send_all(PythonSide *s, const Buf *b, const PythonWatch *watch, Error *err)
{
    for (size_t done = 0; done < b->len;) {
        TRY(wait_for(s, s->fd, POLLOUT, INT64_MAX, watch, err));
        ssize_t n = send(s->fd, b->ptr + done, b->len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return failed(err, "The Python process of the streaming query ended");
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool read_all(PythonSide *s, void *to, size_t len, int64_t deadline_us, const PythonWatch *watch, Error *err)
{
    for (size_t done = 0; done < len;) {
        TRY(wait_for(s, s->fd, POLLIN, deadline_us, watch, err));
        ssize_t n = recv(s->fd, (char *)to + done, len - done, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return failed(err, "The Python process of the streaming query ended");
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool read_int(PythonSide *s, int32_t *out, int64_t deadline_us, const PythonWatch *watch, Error *err)
{
    uint8_t p[4];
    TRY(read_all(s, p, sizeof p, deadline_us, watch, err));
    *out = (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
    return true;
}

/* 0, or an exception with its traceback. */
static bool read_answer(PythonSide *s, int64_t deadline_us, const PythonWatch *watch, Error *err)
{
    int32_t code, len;
    TRY(read_int(s, &code, deadline_us, watch, err));
    if (code == 0)
        return true;
    if (code != PYTHON_EXCEPTION_THROWN)
        return failed(err, "The Python process of the streaming query answered something unknown");
    TRY(read_int(s, &len, deadline_us, watch, err));
    if (len < 0 || len > TRACEBACK_MAX)
        return failed(err, "The Python process of the streaming query answered something unknown");
    Str text = {arena_alloc(err->arena, (size_t)len + 1), (size_t)len};
    TRY(read_all(s, (char *)text.ptr, text.len, deadline_us, watch, err));
    Str last = str_trim(text);
    ptrdiff_t line = str_rfind_char(last, '\n');
    return error_set(err, ERR_PYTHON_EXCEPTION, P("msg", str_slice(last, (size_t)(line + 1), last.len)), P("traceback", text));
}

/* ---- starting ---- */

static bool listen_in_folder(PythonSide *s, int *out, Error *err)
{
    const char *place = getenv("TMPDIR");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!place || strlen(place) > 24)
        place = "/tmp";
    snprintf(s->folder, sizeof s->folder, "%s/lakeshed-stream-XXXXXX", place);
    if (!mkdtemp(s->folder)) {
        s->folder[0] = '\0';
        return error_set(err, ERR_LAKESHED_FILE, PZ("path", place), PZ("reason", strerror(errno)));
    }
    snprintf(s->path, sizeof s->path, "%s/socket", s->folder);
    memcpy(address.sun_path, s->path, strlen(s->path) + 1);
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*out >= 0 && !bind(*out, (struct sockaddr *)&address, sizeof address) && !listen(*out, 1))
        return true;
    return error_internal(err, "no socket for a Python process: %s", strerror(errno));
}

static bool spawn(PythonSide *s, const PythonOptions *options, const SideJob *job, Error *err)
{
    AUTO_ARENA arena = arena_new();
    StrVec own = {0};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    vec_push(arena, &own, str_printf(arena, "PYTHON_WORKER_FACTORY_SOCK_PATH=%s", s->path));
    vec_push(arena, &own, str_printf(arena, "SPARK_CONNECT_LOCAL_URL=" STR_FMT, STR_ARG(job->connect_url)));
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, s->folder);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    char *python = str_z(options->program, arena);
    char *argv[] = {python, (char *)"-W", (char *)"ignore", (char *)"-c", (char *)program, (char *)(job->by_row ? "rows" : "batches"), NULL};
    int code = posix_spawnp(&s->pid, python, &actions, &attributes, argv, python_environment(&own, arena));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (code) {
        s->pid = 0;
        return python_missing(options, strerror(code), err);
    }
    prlimit(s->pid, RLIMIT_CORE, &(struct rlimit){0, 0}, NULL);
    return true;
}

static bool greet(PythonSide *s, const SideJob *job, const PythonWatch *watch, Error *err)
{
    int64_t deadline = clock_monotonic_us() + START_MS * INT64_C(1000);
    int32_t pid;
    TRY(read_int(s, &pid, deadline, watch, err));
    Buf b = buf_heap((size_t)1 << 30);
    python_put_text(&b, job->python_version);
    python_put_text(&b, job->session_id);
    python_put_text(&b, job->command);
    bool ok = send_all(s, &b, watch, err);
    buf_free(&b);
    return ok && read_answer(s, deadline, watch, err);
}

bool python_side_start(PythonPool *pool, const SideJob *job, const PythonWatch *watch, PythonSide **out, Error *err)
{
    PythonSide *s = calloc(1, sizeof *s);
    int listener = -1;
    if (!s)
        panic("out of memory");
    s->fd = -1;
    bool ok = listen_in_folder(s, &listener, err) && spawn(s, python_options(pool), job, err) &&
              wait_for(s, listener, POLLIN, clock_monotonic_us() + START_MS * INT64_C(1000), watch, err);
    if (ok) {
        s->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ok = s->fd >= 0 || error_internal(err, "no connection from a Python process: %s", strerror(errno));
    }
    if (listener >= 0)
        close(listener);
    ok = ok && greet(s, job, watch, err);
    if (ok)
        *out = s;
    else
        python_side_end(s);
    return ok;
}

bool python_side_batch(PythonSide *s, Str dataframe_id, int64_t batch, const PythonWatch *watch, Error *err)
{
    Buf b = buf_heap(4096);
    python_put_text(&b, dataframe_id);
    python_put_long(&b, batch);
    bool ok = send_all(s, &b, watch, err);
    buf_free(&b);
    return ok && read_answer(s, INT64_MAX, watch, err);
}

void python_side_end(PythonSide *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    for (int i = 0; s->pid > 0 && i < END_MS / 10; i++) {
        if (waitpid(s->pid, NULL, WNOHANG) != 0)
            s->pid = 0;
        else if (i == 20)
            kill(-s->pid, SIGTERM);
        if (s->pid)
            usleep(10000);
    }
    if (s->pid > 0) {
        kill(-s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    unlink(s->path);
    if (s->folder[0] && rmdir(s->folder) && errno != ENOENT)
        log_warn("%s could not be removed: %s", s->folder, strerror(errno));
    free(s);
}
