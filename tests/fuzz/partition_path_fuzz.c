/* Hostile paths of files and deletion vectors, and partition values as text. */
#include "delta/deletion_vector.h"
#include "delta/partition.h"
#include "delta_fuzz.h"

static void read_texts(Str bytes, Arena *a)
{
    Error err = error_in(a);
    Str path, escaped = path_hive_escape(bytes, a);
    if (path_uri_decode(bytes, a, &path, &err))
        require(log_path_equal(bytes, path_uri_encode(path, a)) ||
                str_starts_with(bytes, S("file:")));
    error_clear(&err);
    require(escaped.len >= bytes.len);
    for (TypeKind kind = TYPE_BOOLEAN; kind <= TYPE_TIMESTAMP_NTZ; kind++) {
        Value v;
        Property p = {S("p"), bytes, false};
        if (kind == TYPE_DECIMAL || kind == TYPE_CHAR || kind == TYPE_VARCHAR)
            continue;
        (void)!partition_value_parse(&p, type_simple(kind), S("UTC"), a, &v, &err);
        error_clear(&err);
    }
    DeletionVector dv = {.storage = 'u', .path_or_inline = bytes};
    if (deletion_vector_path(&dv, a, &path, &err))
        require(!str_starts_with(path, S("../")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA(arena) = arena_new();
    read_texts((Str){(const char *)data, size}, arena);
    return 0;
}
