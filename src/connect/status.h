/* An error as Spark Connect clients want it: a gRPC status with details, and the long form they fetch afterwards. */
#pragma once

#include "connect/wire.h"
#include "net/rpc.h"

/* The Java exception a client maps the error by. */
const char *java_class_of(const Error *error);

/* error_id: under which FetchErrorDetails finds it; empty: nowhere. Strings live in the arena. */
RpcStatus status_of_error(const Error *error, Str error_id, Arena *arena);

/* The answer of FetchErrorDetails but for its session ids. */
PB(FetchErrorDetailsResponse) *error_details(const Error *error, Arena *arena);
