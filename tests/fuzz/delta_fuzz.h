/* What the targets for delta/ share. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delta/deletion_vector.h"
#include "delta/snapshot_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool ok)
{
    if (!ok)
        abort();
}

/* What was read can be written, and what was written can be read. */
static inline void print_and_read_back(FileSet *files, Arena *a)
{
    Buf out = buf_in(a);
    FileCursor cursor = file_set_cursor(files);
    ActionReader *reader = action_reader_new();
    for (const AddFile *f; (f = file_set_next_file(&cursor));) {
        Action again;
        const char *reason = NULL;
        buf_reset(&out);
        action_put_add(&out, f);
        buf_add_repeat(&out, 0, 8);
        require(action_parse(reader, out.ptr, out.len - 8, ACTIONS_ALL, a, &again, &reason));
        require(again.kind == ACTION_ADD && str_eq(again.add.path, f->path) &&
                again.add.size == f->size && deletion_vector_equal(again.add.dv, f->dv));
    }
    action_reader_free(reader);
}
