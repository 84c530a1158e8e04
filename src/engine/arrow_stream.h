/* Arrow IPC streams from outside, checked before anything is read from them. */
#pragma once

#include <nanoarrow/nanoarrow.h>

#include "base/error.h"

/* One stream and its current batch. Zeroed: nothing open. */
typedef struct ArrowBatches {
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct ArrowArrayView view;
    bool has_view;
    int64_t taken;   /* rows of the batch that were read */
} ArrowBatches;

/* Closes what was open; the bytes are borrowed until the next open or close, and aligned to 8. */
MUST_CHECK bool arrow_batches_open(ArrowBatches *b, Str ipc, Error *err);
/* Makes a batch with rows left current; *more is false after the last. */
MUST_CHECK bool arrow_batches_next(ArrowBatches *b, bool *more, Error *err);
void arrow_batches_close(ArrowBatches *b);
