/* Hostile commit files: actions, the metadata's schema and constraints. */
#include "delta/schema.h"
#include "delta_fuzz.h"

static void read_log(Str bytes, Arena *a)
{
    Error err = error_in(a);
    char *text = arena_alloc(a, bytes.len + 16);
    memcpy(text, bytes.ptr, bytes.len);
    Replay r = {.files = file_set_new(), .text = log_text_new()};
    Str whole = {text, bytes.len};
    (void)!actions_read(whole, S("fuzz"), ACTIONS_ALL, a, replay_visit, &r, &err);
    if (r.state && r.state->has_metadata && r.state->metadata.schema_string.len) {
        Error ignored = error_in(a);
        DeltaConstraintVec constraints;
        Metadata m = r.state->metadata;
        if (type_from_json(m.schema_string, a, &m.schema, &ignored) &&
            m.schema->kind == TYPE_STRUCT)
            (void)!metadata_constraints(&m, a, &constraints, &ignored);
    }
    print_and_read_back(r.files, a);
    r.files = file_set_freeze(r.files);
    file_set_unref(r.files);
    table_state_unref(r.state);
    log_text_unref(r.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA(arena) = arena_new();
    read_log((Str){(const char *)data, size}, arena);
    return 0;
}
