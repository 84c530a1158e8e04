/* The program: reads settings, wires everything together, starts, and stops when told to. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "connect/connect.h"
#include "net/rest.h"
#include "python/python.h"
#include "server/data_folder.h"
#include "server/options.h"
#include "server/sql_shell.h"

#ifndef LAKESHED_VERSION
#define LAKESHED_VERSION "0.1.0"
#endif

/* Everything a process has open, in the order it was opened. */
typedef struct Server {
    Arena *arena;
    ServerSettings settings;
    DataFolder folder;
    Catalog *catalog;
    PythonPool *python;
    Engine *engine;
    ConnectServer *connect;
    RestServer *rest;
} Server;

static void print_error(const Error *err)
{
    AUTO_ARENA arena = arena_new();
    fprintf(stderr, "lakeshed: " STR_FMT "\n", STR_ARG(error_message(err, arena)));
}

/* ---- opening and closing ---- */

static LogLevel log_level(Str name)
{
    static const struct { const char *name; LogLevel level; } levels[] = {
        {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warn", LOG_WARN}, {"error", LOG_ERROR}};
    for (size_t i = 0; i < LENGTH_OF(levels); i++)
        if (str_is(name, levels[i].name))
            return levels[i].level;
    return LOG_INFO;
}

static bool open_engine(Server *s, Error *err)
{
    EngineOptions options = {.memory_limit = s->settings.memory_limit,
                             .spill_folder = s->settings.spill_folder,
                             .threads = s->settings.threads};
    if (options.spill_folder.len == 0)
        options.spill_folder = str_printf(s->arena, STR_FMT "/spill", STR_ARG(s->folder.path));
    s->python = python_pool_new(&(PythonOptions){.program = s->settings.python,
                                                 .scripts = !s->settings.no_scripts,
                                                 .memory_mb = s->settings.python_memory_mb,
                                                 .silence_seconds = s->settings.python_silence_seconds});
    options.python = s->python;
    return engine_open(&options, &s->engine, err);
}

static bool server_open(Server *s, Error *err)
{
    log_set_level(log_level(s->settings.log_level));
    TRY(data_folder_open(s->settings.data_folder, s->arena, &s->folder, err));
    store_keep_copies(s->settings.s3_cache_folder.len ? s->settings.s3_cache_folder : str_printf(s->arena, STR_FMT "/s3-cache", STR_ARG(s->folder.path)),
                      s->settings.s3_cache_bytes);
    TRY(catalog_open(s->folder.path, &s->catalog, err));
    TRY(open_engine(s, err));
    engine_install_parquet_io(s->engine);
    return true;
}

static void server_close(Server *s)
{
    if (s->engine != NULL)
        engine_close(s->engine);
    python_pool_free(s->python);
    if (s->catalog != NULL)
        catalog_close(s->catalog);
    data_folder_close(&s->folder);
}

/* ---- REST ---- */

static void rest_health(const RestRequest *request, RestResponse *response)
{
    response->body = json_pack("{s:s}", "status", "ok");
}

static void rest_version(const RestRequest *request, RestResponse *response)
{
    response->body = json_pack("{s:s, s:s}", "version", LAKESHED_VERSION, "spark_version", "4.2.0");
}

static const RestRoute routes[] = {
    {"GET", "/health", rest_health, NULL},
    {"GET", "/version", rest_version, NULL},
};

/* ---- serving ---- */

enum { LEAVE_SECONDS = 10 };

/* Past every deadline: what is on disk is whole at any instant. */
static void leave(int signal_number)
{
    _exit(1);
}

/* Signals are taken by the main thread alone, waiting; every other thread is started with them blocked. */
static void block_signals(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool start_listeners(Server *s, Error *err)
{
    int port, rest_port = -1;
    ConnectOptions options = {.settings = &s->settings, .catalog = s->catalog, .engine = s->engine, .python = s->python,
                              .artifact_folder = str_printf(s->arena, STR_FMT "/artifacts", STR_ARG(s->folder.path))};
    TRY(connect_start(&options, &s->connect, &port, err));
    if (s->settings.rest_port >= 0)
        TRY(rest_listen(s->settings.host, s->settings.rest_port, routes, LENGTH_OF(routes), &s->rest, &rest_port, err));
    TRY(data_folder_announce(&s->folder, s->settings.host, port, rest_port, err));
    printf("listening spark-connect sc://" STR_FMT ":%d\n", STR_ARG(s->settings.host), port);
    if (rest_port >= 0)
        printf("listening rest http://" STR_FMT ":%d\n", STR_ARG(s->settings.host), rest_port);
    printf("data " STR_FMT "\n", STR_ARG(s->folder.path));
    fflush(stdout);
    return true;
}

static bool serve(Server *s, Error *err)
{
    sigset_t stop;
    int signal_number;
    block_signals(&stop);
    bool ok = server_open(s, err) && start_listeners(s, err);
    if (ok) {
        sigwait(&stop, &signal_number);
        log_info("stopping");
        /* A second signal leaves at once. */
        signal(SIGALRM, leave);
        alarm((unsigned)s->settings.shutdown_seconds + LEAVE_SECONDS);
        pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    }
    rest_close(s->rest);
    if (s->connect != NULL)
        connect_stop(s->connect, s->settings.shutdown_seconds * 1000);
    server_close(s);
    return ok;
}

static bool run_sql(Server *s, const Options *options, Error *err)
{
    char id[UUID_TEXT_LEN + 1];
    bool ok = server_open(s, err);
    if (ok) {
        clock_uuid(id);
        Session *session = session_new(S("local"), str_from(id), s->catalog);
        ok = (!s->settings.strict || session_set(session, S("lakeshed.strict"), S("true"), err)) &&
             sql_shell_run(session, s->engine, options->sql, options->format, err);
        session_unref(session);
    }
    server_close(s);
    return ok;
}

typedef struct Job {
    Server *server;
    const Options *options;
    Error *err;
    bool ok;
} Job;

static void *run_job(void *arg)
{
    Job *j = arg;
    j->ok = run_sql(j->server, j->options, j->err);
    return NULL;
}

/* Statements may nest deep: they run on a stack of a known size, as in the server. */
static bool run_sql_on_big_stack(Server *s, const Options *options, Error *err)
{
    Job job = {s, options, err, false};
    pthread_t thread;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 16 << 20);
    if (pthread_create(&thread, &attr, run_job, &job) != 0)
        panic("a thread could not be started");
    pthread_attr_destroy(&attr);
    pthread_join(thread, NULL);
    return job.ok;
}

int main(int argc, char **argv)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Options options;
    Server server = {.arena = arena, .folder.lock_fd = -1};
    /* Freed memory goes back to the system rather than to one pool a thread. */
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    if (!options_read(argc, argv, arena, &options, &err)) {
        print_error(&err);
        return 2;
    }
    server.settings = options.settings;
    bool ok = true;
    switch (options.verb) {
    case VERB_HELP: printf(STR_FMT, STR_ARG(options_help(arena))); break;
    case VERB_VERSION: puts("lakeshed " LAKESHED_VERSION); break;
    case VERB_SERVE: ok = serve(&server, &err); break;
    case VERB_SQL: ok = run_sql_on_big_stack(&server, &options, &err); break;
    }
    if (!ok)
        print_error(&err);
    return ok ? 0 : 1;
}
