/* What the folder of copies and the transfers share. */
#pragma once

#include "store/copies.h"

typedef enum CopyState {
    COPY_ABSENT,
    COPY_STALE,        /* of another version than the etag names */
    COPY_WHOLE,
    COPY_WRITTEN_HERE  /* a write of this process that was not sent yet */
} CopyState;

/* With an empty etag any whole copy will do. */
CopyState copies_look(Str path, Str etag);
/* Keeps a copy until the arena is freed. */
void copies_pin(Str path, Arena *arena);
/* So many bytes came; copies nobody reads may go. */
void copies_added(int64_t bytes);
/* Marks a copy as whole. */
void copies_seal(int fd, Str etag, int64_t modified_ms);
void copies_make_parent(Str path);
