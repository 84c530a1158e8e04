/* HTTP over libmicrohttpd: one thread that polls, since what is served here is small. */
#include "net/rest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

enum { BODY_MAX = 16 << 20, CONNECTIONS_MAX = 256, IDLE_SECONDS = 60 };

struct RestServer {
    struct MHD_Daemon *daemon;
    const RestRoute *routes;
    size_t count;
};

typedef struct Exchange {
    Arena *arena;
    Buf body;
} Exchange;

static enum MHD_Result answer(struct MHD_Connection *c, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        return MHD_NO;
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(r, "Content-Type", "application/json");
    enum MHD_Result queued = MHD_queue_response(c, (unsigned)status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result answer_error(struct MHD_Connection *c, int status, const char *code, const char *message)
{
    return answer(c, status, json_pack("{s:s, s:s}", "error_code", code, "message", message));
}

static enum MHD_Result route(RestServer *s, struct MHD_Connection *c, const char *path, const char *method,
                             Exchange *x)
{
    bool known = false;
    for (size_t i = 0; i < s->count; i++) {
        const RestRoute *r = &s->routes[i];
        if (strcmp(r->path, path) != 0)
            continue;
        known = true;
        if (strcmp(r->method, method) != 0 && !(strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0))
            continue;
        RestRequest request = {str_from(method), str_from(path), buf_str(&x->body), r->self, x->arena};
        RestResponse response = {.status = 200};
        r->handle(&request, &response);
        return answer(c, response.status, response.body != NULL ? response.body : json_object());
    }
    return known ? answer_error(c, 405, "METHOD_NOT_ALLOWED", "This path does not take that method.")
                 : answer_error(c, 404, "ENDPOINT_NOT_FOUND", "There is no such path.");
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *size, void **state)
{
    Exchange *x = *state;
    if (x == NULL) {
        Arena *arena = arena_new();
        x = *state = ARENA_NEW(arena, Exchange);
        x->arena = arena;
        x->body = buf_in(arena);
        x->body.max = BODY_MAX;
        return MHD_YES;
    }
    if (*size > 0) {
        buf_add_bytes(&x->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (x->body.overflow)
        return answer_error(c, 413, "REQUEST_TOO_LARGE", "The request body is too large.");
    return route(self, c, path, method, x);
}

static void on_done(void *self, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
    Exchange *x = *state;
    if (x != NULL)
        arena_free(x->arena);
    *state = NULL;
}

bool rest_listen(Str host, int port, const RestRoute *routes, size_t count, RestServer **out, int *actual, Error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    Str address = str_printf(err->arena, STR_FMT ":%d", STR_ARG(host), port);
    int failed = getaddrinfo(str_z(host, err->arena), service, &hints, &found);
    if (failed != 0)
        return error_set(err, ERR_LAKESHED_LISTEN, P("address", address), PZ("reason", gai_strerror(failed)));
    RestServer *s = calloc(1, sizeof *s);
    if (s == NULL)
        panic("out of memory");
    s->routes = routes;
    s->count = count;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
                     (found->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    s->daemon = MHD_start_daemon(flags, (uint16_t)port, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR,
                                 found->ai_addr, MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    int reason = errno;
    freeaddrinfo(found);
    if (s->daemon == NULL) {
        free(s);
        return error_set(err, ERR_LAKESHED_LISTEN, P("address", address),
                         PZ("reason", reason != 0 ? strerror(reason) : "the listener did not start"));
    }
    *actual = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    *out = s;
    return true;
}

void rest_close(RestServer *s)
{
    if (s == NULL)
        return;
    MHD_stop_daemon(s->daemon);
    free(s);
}
