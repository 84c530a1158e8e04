/* A user's program beside one query: rows go to its standard input, lines come from its standard output. Confined as Python workers
 * are: their environment, memory and silence, no descriptors, no core files. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "python/python_impl.h"

enum { POLL_MS = 100, READ_BYTES = 64 << 10, STDERR_KEPT = 2048 };
#define SCRIPT_INPUT_MAX ((size_t)1 << 31)

struct ScriptRun {
    const PythonOptions *options;
    pid_t pid;
    int in, out, err_fd;  /* its standard streams; -1: closed */
    Buf input;            /* [sent, len) is on its way */
    size_t sent;
    bool input_ended;
    char piece[READ_BYTES];
    char complaint[STDERR_KEPT]; /* the last of what it says about itself */
    size_t complaint_len;
    int64_t moved_us;
    char folder[64];      /* its working folder */
};

/* ---- starting ---- */

/* The limits are the shell's own, so that they hold before the script starts. */
static const char limits[] = "ulimit -c 0; if [ \"$1\" != 0 ]; then ulimit -v \"$1\"; fi; exec /bin/bash -c \"$0\"";

static bool spawn(ScriptRun *r, Str script, int in, int out, int err_fd, Error *err)
{
    AUTO_ARENA arena = arena_new();
    StrVec none = {0};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t blocked, defaults;
    sigemptyset(&blocked);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err_fd, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, r->folder);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &blocked);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    char *memory = str_z(str_printf(arena, "%lld", (long long)r->options->memory_mb * 1024), arena);
    char *argv[] = {(char *)"/bin/bash", (char *)"-c", (char *)limits, str_z(script, arena), memory, NULL};
    int code = posix_spawn(&r->pid, "/bin/bash", &actions, &attributes, argv, python_environment(&none, arena));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (!code)
        return true;
    r->pid = 0;
    return error_set(err, ERR_LAKESHED_FILE, PZ("path", "/bin/bash"), PZ("reason", strerror(code)));
}

static bool make_folder(ScriptRun *r, Error *err)
{
    const char *place = getenv("TMPDIR");
    if (!place || strlen(place) > 24)
        place = "/tmp";
    snprintf(r->folder, sizeof r->folder, "%s/lakeshed-script-XXXXXX", place);
    if (mkdtemp(r->folder))
        return true;
    r->folder[0] = '\0';
    return error_set(err, ERR_LAKESHED_FILE, PZ("path", place), PZ("reason", strerror(errno)));
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool start(ScriptRun *r, Str script, Error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, complaints[2] = {-1, -1};
    TRY(make_folder(r, err));
    bool ok = (!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC) && !pipe2(complaints, O_CLOEXEC)) ||
              error_internal(err, "no pipes for a script: %s", strerror(errno));
    ok = ok && spawn(r, script, in[0], out[1], complaints[1], err);
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&complaints[1]);
    r->in = in[1];
    r->out = out[0];
    r->err_fd = complaints[0];
    if (ok && (fcntl(r->in, F_SETFL, O_NONBLOCK) || fcntl(r->out, F_SETFL, O_NONBLOCK) || fcntl(r->err_fd, F_SETFL, O_NONBLOCK)))
        ok = error_internal(err, "pipes of a script: %s", strerror(errno));
    return ok;
}

bool script_start(PythonPool *pool, Str script, ScriptRun **out, Error *err)
{
    ScriptRun *r = calloc(1, sizeof *r);
    if (!r)
        panic("out of memory");
    r->options = python_options(pool);
    r->in = r->out = r->err_fd = -1;
    r->input = buf_heap(SCRIPT_INPUT_MAX);
    r->moved_us = clock_monotonic_us();
    if (!start(r, script, err)) {
        script_end(r);
        return false;
    }
    *out = r;
    return true;
}

/* ---- moving bytes ---- */

Buf *script_input(ScriptRun *r) { return &r->input; }

void script_end_input(ScriptRun *r) { r->input_ended = true; }

/* A script may stop reading when it has seen enough. */
static void send_some(ScriptRun *r)
{
    ssize_t n = write(r->in, r->input.ptr + r->sent, r->input.len - r->sent);
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

static void hear(ScriptRun *r)
{
    char bytes[1024];
    ssize_t n = read(r->err_fd, bytes, sizeof bytes);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&r->err_fd);
    for (ssize_t i = 0; i < n; i++) {
        if (r->complaint_len == STDERR_KEPT)
            memmove(r->complaint, r->complaint + 1, --r->complaint_len);
        r->complaint[r->complaint_len++] = bytes[i];
    }
}

static bool ended_well(ScriptRun *r, const PythonWatch *watch, Error *err)
{
    int status = 0;
    while (r->pid > 0) {
        pid_t got = waitpid(r->pid, &status, WNOHANG);
        if (got == r->pid || (got < 0 && errno != EINTR))
            r->pid = 0;
        else
            usleep(1000);
        TRY(watch->goes_on(watch->arg, err));
    }
    while (r->err_fd >= 0) {
        struct pollfd p = {r->err_fd, POLLIN, 0};
        if (poll(&p, 1, 0) <= 0)
            break;
        hear(r);
    }
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return !code || error_set(err, ERR__LEGACY_ERROR_TEMP_2264, P("exitCode", str_printf(err->arena, "%d", code)),
                              P("stderrBuffer", str_copy((Str){r->complaint, r->complaint_len}, err->arena)));
}

static bool is_silent(const ScriptRun *r, Error *err)
{
    int limit = r->options->silence_seconds;
    if (!limit || clock_monotonic_us() - r->moved_us < limit * 1000000ll)
        return false;
    error_set(err, ERR_LAKESHED_PYTHON_SILENT, P("seconds", str_printf(err->arena, "%d", limit)));
    return true;
}

bool script_next(ScriptRun *r, const PythonWatch *watch, ScriptEvent *event, Str *bytes, Error *err)
{
    for (;;) {
        if (r->input.overflow)
            return error_unsupported(err, "Rows of this size for a script");
        if (!r->input_ended && r->input.len < READ_BYTES) {
            *event = SCRIPT_WANTS_INPUT;
            return true;
        }
        if (r->input_ended && !r->input.len)
            close_fd(&r->in);
        bool pending = r->in >= 0 && r->sent < r->input.len;
        struct pollfd p[3] = {{r->out, POLLIN, 0}, {r->err_fd, POLLIN, 0}, {pending ? r->in : -1, POLLOUT, 0}};
        if (poll(p, 3, POLL_MS) < 0 && errno != EINTR)
            return error_internal(err, "poll: %s", strerror(errno));
        if (!watch->goes_on(watch->arg, err) || is_silent(r, err))
            return false;
        if (p[1].revents)
            hear(r);
        if (p[2].revents)
            send_some(r);
        if (!p[0].revents)
            continue;
        ssize_t n = read(r->out, r->piece, sizeof r->piece);
        if (n > 0) {
            r->moved_us = clock_monotonic_us();
            *event = SCRIPT_OUTPUT;
            *bytes = (Str){r->piece, (size_t)n};
            return true;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        *event = SCRIPT_DONE;
        close_fd(&r->in);
        return ended_well(r, watch, err);
    }
}

/* ---- ending ---- */

void script_end(ScriptRun *r)
{
    if (!r)
        return;
    close_fd(&r->in);
    close_fd(&r->out);
    close_fd(&r->err_fd);
    if (r->pid > 0) {
        kill(-r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    if (r->folder[0] && rmdir(r->folder) && errno != ENOENT)
        log_warn("%s was left: a script wrote into it", r->folder);
    buf_free(&r->input);
    free(r);
}
