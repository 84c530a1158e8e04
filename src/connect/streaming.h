/* The commands of Structured Streaming, answered with partial responses. */
#pragma once

#include "connect/service.h"

typedef struct StreamRequest {
    Request *request;
    const Cancel *cancel;    /* of the operation: waiting ends */
    void (*push)(void *arg, const PB(ExecutePlanResponse) *part); /* only its response type is set */
    void *arg;
} StreamRequest;

bool streaming_is(const PB(Command) *command);
/* Whether answering may take as long as a query runs: not on a thread of the workers. */
bool streaming_waits(const PB(Command) *command);
MUST_CHECK bool streaming_answer(StreamRequest *r, const PB(Command) *command);
