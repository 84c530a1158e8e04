#include "stream/stream_impl.h"
bool state_apply(Batch *b, BoundRel **plan, Error *err) { return !plan_is_stateful(*plan) || error_unsupported(err, "State"); }
bool state_commit(Batch *b, Error *err) { return true; }
void state_progress(Batch *b, Buf *json) { buf_addz(json, "[]"); }
void state_free(StreamQuery *q) {}
