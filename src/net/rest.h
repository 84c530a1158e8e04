/* A small HTTP listener: routes as rows, JSON in and out. */
#pragma once

#include <jansson.h>

#include "base/error.h"

typedef struct RestServer RestServer;

typedef struct RestRequest {
    Str method, path;  /* path below the route's own, without the query */
    Str body;
    void *self;        /* the route's owner */
    Arena *arena;      /* freed when the answer is out */
} RestRequest;

typedef struct RestResponse {
    int status;        /* 200 unless set */
    json_t *body;      /* taken over */
} RestResponse;

typedef struct RestRoute {
    const char *method;
    const char *path;
    void (*handle)(const RestRequest *request, RestResponse *response);
    void *self;
} RestRoute;

/* Routes must outlive the server. *port is the one really listened on. */
MUST_CHECK bool rest_listen(Str host, int port, const RestRoute *routes, size_t count, RestServer **out, int *actual,
                            Error *err);
void rest_close(RestServer *s);
