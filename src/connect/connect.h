/* The Spark Connect service: what PySpark and every other Spark Connect client talk to. */
#pragma once

#include "query/query.h"

typedef struct ConnectServer ConnectServer;

typedef struct ConnectOptions {
    const ServerSettings *settings; /* outlives the server */
    Catalog *catalog;
    Engine *engine;
    struct PythonPool *python;  /* for foreachBatch; NULL: there is none */
    Str artifact_folder;
} ConnectOptions;

/* *port is the one really listened on. */
MUST_CHECK bool connect_start(const ConnectOptions *options, ConnectServer **out, int *port, Error *err);
/* No new calls; queries are cancelled, commands may finish until the deadline; then everything is freed. */
void connect_stop(ConnectServer *s, int deadline_ms);
