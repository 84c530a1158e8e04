/* Several transfers at once: a call for each index, on a few threads. */
#pragma once

#include "base/error.h"

typedef bool (*ParallelCall)(size_t index, void *arg, Error *err);

/* Calls for 0..count-1; after the first failure no new one is begun, and that failure is the error. */
MUST_CHECK bool parallel_run(size_t count, ParallelCall call, void *arg, Error *err);
