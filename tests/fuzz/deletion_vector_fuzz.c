/* Hostile deletion vectors, inline: two bytes of claimed cardinality, then the vector. */
#include "delta/deletion_vector.h"
#include "delta/z85_impl.h"
#include "delta_fuzz.h"

static void read_vector(Str bytes, Arena *a)
{
    Error err = error_in(a);
    uint64_t *rows;
    size_t count;
    int64_t cardinality = 0;
    if (bytes.len < 2)
        return;
    memcpy(&cardinality, bytes.ptr, 2);
    bytes = str_slice(bytes, 2, bytes.len);
    DeletionVector dv = {.storage = 'i',
                         .path_or_inline = z85_encode((const uint8_t *)bytes.ptr, bytes.len, a),
                         .size_in_bytes = (int32_t)bytes.len,
                         .cardinality = cardinality};
    if (!deletion_vector_read(NULL, &dv, a, &rows, &count, &err))
        return;
    for (size_t i = 1; i < count; i++)
        require(rows[i - 1] < rows[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA(arena) = arena_new();
    read_vector((Str){(const char *)data, size}, arena);
    return 0;
}
