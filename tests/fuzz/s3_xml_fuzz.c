/* Hostile answers of an object store: errors, listings, the elements of multipart uploads. */
#include <stdint.h>
#include <stdlib.h>

#include "store/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA(arena) = arena_new();
    Error err = error_in(arena);
    Str body = {(const char *)data, size};
    S3Answer answer = {0};
    S3Page page = {0};
    s3_read_error(body, arena, &answer);
    if (s3_read_page(body, arena, &page, &err) && page.entries.len != page.etags.len)
        abort();
    (void)s3_read_element(body, "UploadId", arena);
    return 0;
}
