/* The text format: a line a row, or with wholetext a file a row. */
#include "engine/file_source_impl.h"

static bool text_next(FileReader *r, idx_t row, bool *more, bool *keep, Error *err)
{
    Str line;
    if (file_option_bool(&r->scan->options, "wholetext", false)) {
        *more = !r->started;
        r->started = true;
        line = (Str){r->bytes.ptr, r->bytes.len};
    } else {
        *more = file_next_line(&r->bytes, r->options->line_separator, &r->at, &line);
    }
    duckdb_vector vector = reader_vector(r, 0);
    if (*more && vector)
        cell_put_text(vector, row, line);
    return true;
}

const FileFormat text_format = {"text", text_next, NULL};
