/* Starts pyspark.daemon, the process that forks workers, and talks to it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
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

struct Daemon {
    pid_t pid;
    int control;           /* its standard input: ids of workers to kill; closing it ends the daemon */
    char folder[64];       /* where its socket is; nobody else may enter */
    char python_version[16];
    struct sockaddr_un address;
};

enum { START_MS = 30000, GREETING_MAX = 4096, FORK_MS = 30000, STOP_MS = 3000 };

/* Says which Python this is before anything can fail, then becomes pyspark.daemon. An older PySpark's workers speak another
 * protocol: with some of them a function would wait for ever. */
static const char bootstrap[] =
    "import sys\n"
    "def say(text):\n"
    "    data = text.encode()\n"
    "    sys.stdout.buffer.write(len(data).to_bytes(4, 'big') + data)\n"
    "    sys.stdout.flush()\n"
    "sys.path[:] = [p for p in sys.path if p]\n"
    "say('%d.%d' % sys.version_info[:2])\n"
    "try:\n"
    "    import pyspark.daemon\n"
    "    if [int(n) for n in pyspark.__version__.split('.')[:2]] < [4, 2]:\n"
    "        raise ImportError('its pyspark is %s, 4.2 is needed' % pyspark.__version__)\n"
    "    say('')\n"
    "except BaseException as e:\n"
    "    say('%s: %s' % (type(e).__name__, e))\n"
    "    sys.exit(1)\n"
    "pyspark.daemon.manager()\n";

/* ---- the environment ---- */

/* Workers run what users sent: of the server's environment they see what a program needs, not what opens other doors. */
static const char *const passed_on[] = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "CONDA_PREFIX"};
static const char *const passed_prefixes[] = {"LC_", "PYTHON", "OMP_", "OPENBLAS_", "MKL_", "NUMBA_", "CUDA_", "NVIDIA_"};

static bool is_passed(const char *entry)
{
    const char *equals = strchr(entry, '=');
    size_t len = equals ? (size_t)(equals - entry) : 0;
    for (size_t i = 0; i < LENGTH_OF(passed_on); i++)
        if (strlen(passed_on[i]) == len && !memcmp(entry, passed_on[i], len))
            return true;
    for (size_t i = 0; i < LENGTH_OF(passed_prefixes); i++)
        if (!strncmp(entry, passed_prefixes[i], strlen(passed_prefixes[i])))
            return true;
    return false;
}

extern char **environ;

char **python_environment(const StrVec *more, Arena *arena)
{
    VEC(char *) all = {0};
    for (char **e = environ; *e; e++)
        if (is_passed(*e))
            vec_push(arena, &all, *e);
    for (size_t i = 0; i < more->len; i++)
        vec_push(arena, &all, str_z(more->at[i], arena));
    vec_push(arena, &all, NULL);
    return all.at;
}

static char **make_environment(const Daemon *d, const PythonOptions *options, Arena *arena)
{
    StrVec own = {0};
    vec_push(arena, &own, S("PYTHON_UNIX_DOMAIN_ENABLED=true"));
    vec_push(arena, &own, S("SPARK_REUSE_WORKER=1"));
    vec_push(arena, &own, str_printf(arena, "PYTHON_WORKER_FACTORY_SOCK_DIR=%s", d->folder));
    if (options->memory_mb > 0)
        vec_push(arena, &own, str_printf(arena, "PYSPARK_EXECUTOR_MEMORY_MB=%lld", (long long)options->memory_mb));
    return python_environment(&own, arena);
}

/* ---- starting ---- */

bool python_missing(const PythonOptions *options, const char *reason, Error *err)
{
    return error_set(err, ERR_LAKESHED_PYTHON_NOT_AVAILABLE, P("program", options->program), PZ("reason", reason));
}

static bool spawn(Daemon *d, const PythonOptions *options, int input, int output, Error *err)
{
    AUTO_ARENA arena = arena_new();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, d->folder);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *program = str_z(options->program, arena);
    char *argv[] = {program, (char *)"-c", (char *)bootstrap, (char *)"pyspark.worker", NULL};
    int code = posix_spawnp(&d->pid, program, &actions, &attributes, argv, make_environment(d, options, arena));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (code) {
        d->pid = 0;
        return python_missing(options, strerror(code), err);
    }
    /* A crash inside a user's function leaves no core file of a process that holds rows. */
    prlimit(d->pid, RLIMIT_CORE, &(struct rlimit){0, 0}, NULL);
    return true;
}

/* Reads exactly `len` bytes until the deadline. */
static bool read_exactly(int fd, void *to, size_t len, int64_t deadline_us)
{
    for (size_t done = 0; done < len;) {
        int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;
        struct pollfd p = {fd, POLLIN, 0};
        if (left_ms <= 0 || (poll(&p, 1, (int)left_ms) < 0 && errno != EINTR))
            return false;
        if (!p.revents)
            continue;
        ssize_t n = read(fd, (char *)to + done, len - done);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static int32_t big_endian(const uint8_t *p)
{
    return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

static bool read_text(int fd, char *to, size_t size, int64_t deadline_us)
{
    uint8_t head[4];
    if (!read_exactly(fd, head, 4, deadline_us))
        return false;
    int32_t len = big_endian(head);
    if (len < 0 || (size_t)len >= size || !read_exactly(fd, to, (size_t)len, deadline_us))
        return false;
    to[len] = '\0';
    return true;
}

/* Its Python's version, whether pyspark could be imported, and where it listens. */
static bool greet(Daemon *d, const PythonOptions *options, int fd, Error *err)
{
    char text[GREETING_MAX];
    int64_t deadline = clock_monotonic_us() + START_MS * 1000ll;
    if (!read_text(fd, d->python_version, sizeof d->python_version, deadline))
        return python_missing(options, "it did not start as a Python", err);
    if (!read_text(fd, text, sizeof text, deadline))
        return python_missing(options, "it ended while it imported pyspark", err);
    if (text[0])
        return python_missing(options, text, err);
    d->address.sun_family = AF_UNIX;
    if (!read_text(fd, d->address.sun_path, sizeof d->address.sun_path, deadline))
        return python_missing(options, "pyspark.daemon did not start; its version may be too old (4.2 is needed)", err);
    return true;
}

/* What functions print goes where the server's own messages go. */
static void *pass_prints(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char bytes[4096];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR)) {
        ssize_t written = n > 0 ? write(STDERR_FILENO, bytes, (size_t)n) : 0;
        (void)written;
    }
    close(fd);
    return NULL;
}

static void watch_prints(int fd)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, pass_prints, (void *)(intptr_t)fd))
        close(fd);
    pthread_attr_destroy(&attributes);
}

static bool make_folder(Daemon *d, Error *err)
{
    const char *place = getenv("TMPDIR");
    if (!place || strlen(place) > 24)
        place = "/tmp";
    snprintf(d->folder, sizeof d->folder, "%s/lakeshed-python-XXXXXX", place);
    if (mkdtemp(d->folder))
        return true;
    d->folder[0] = '\0';
    return error_set(err, ERR_LAKESHED_FILE, PZ("path", place), PZ("reason", strerror(errno)));
}

bool daemon_start(const PythonOptions *options, Daemon **out, Error *err)
{
    Daemon *d = calloc(1, sizeof *d);
    int input[2] = {-1, -1}, output[2] = {-1, -1};
    if (!d)
        panic("out of memory");
    d->control = -1;
    bool ok = make_folder(d, err);
    if (ok && (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC)))
        ok = python_missing(options, strerror(errno), err);
    ok = ok && spawn(d, options, input[0], output[1], err);
    if (input[0] >= 0)
        close(input[0]);
    if (output[1] >= 0)
        close(output[1]);
    d->control = input[1];
    ok = ok && greet(d, options, output[0], err);
    if (ok)
        watch_prints(output[0]);
    else if (output[0] >= 0)
        close(output[0]);
    if (!ok) {
        daemon_stop(d);
        return false;
    }
    *out = d;
    return true;
}

/* ---- stopping ---- */

static bool wait_for_end(pid_t pid, int ms)
{
    for (int i = 0; i < ms / 10; i++) {
        pid_t got = waitpid(pid, NULL, WNOHANG);
        if (got == pid || (got < 0 && errno == ECHILD))
            return true;
        usleep(10000);
    }
    return false;
}

void daemon_stop(Daemon *d)
{
    if (d->control >= 0)
        close(d->control);
    if (d->pid > 0) {
        bool ended = wait_for_end(d->pid, STOP_MS);
        /* The group is the daemon's own once it runs; a worker that ignores signals goes too. */
        kill(-d->pid, SIGKILL);
        if (!ended) {
            kill(d->pid, SIGKILL);
            waitpid(d->pid, NULL, 0);
        }
    }
    if (d->address.sun_path[0])
        unlink(d->address.sun_path);
    if (d->folder[0] && rmdir(d->folder) && errno != ENOENT)
        log_warn("%s could not be removed: %s", d->folder, strerror(errno));
    free(d);
}

Str daemon_python_version(const Daemon *d)
{
    return str_from(d->python_version);
}

/* ---- workers ---- */

bool daemon_fork(Daemon *d, int *out, int *pid, bool *gone, Error *err)
{
    *gone = false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_internal(err, "no socket for a Python worker: %s", strerror(errno));
    uint8_t head[4];
    bool ok = !connect(fd, (struct sockaddr *)&d->address, sizeof d->address) &&
              read_exactly(fd, head, 4, clock_monotonic_us() + FORK_MS * 1000ll) &&
              !fcntl(fd, F_SETFL, O_NONBLOCK);
    if (!ok) {
        close(fd);
        *gone = true;
        return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "The process that starts Python workers does not answer"),
                         PZ("traceback", ""));
    }
    *out = fd;
    *pid = big_endian(head);
    return true;
}

void daemon_kill(Daemon *d, int pid)
{
    Buf b = buf_heap(64);
    python_put_int(&b, pid);
    if (write(d->control, b.ptr, b.len) != (ssize_t)b.len)
        log_warn("a Python worker could not be stopped: %s", strerror(errno));
    buf_free(&b);
}
