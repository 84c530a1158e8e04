/* Z85 (ZeroMQ RFC 32): four bytes are five printable characters; how deletion vectors sit in JSON.
 */
#include "delta/z85_impl.h"

#include <string.h>

static const char alphabet[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

Str z85_encode(const uint8_t *bytes, size_t len, Arena *arena)
{
    size_t groups = (len + 3) / 4;
    char *out = arena_alloc(arena, groups * 5 + 1);
    for (size_t g = 0; g < groups; g++) {
        uint32_t word = 0;
        for (size_t i = 0; i < 4; i++)
            word = word << 8 | (g * 4 + i < len ? bytes[g * 4 + i] : 0);
        for (int i = 4; i >= 0; i--, word /= 85)
            out[g * 5 + (size_t)i] = alphabet[word % 85];
    }
    return (Str){out, groups * 5};
}

bool z85_decode(Str text, uint8_t *out)
{
    if (text.len % 5)
        return false;
    for (size_t g = 0; g < text.len / 5; g++) {
        uint64_t word = 0;
        for (size_t i = 0; i < 5; i++) {
            char c = text.ptr[g * 5 + i];
            const char *at = c ? strchr(alphabet, c) : NULL;
            if (!at)
                return false;
            word = word * 85 + (uint64_t)(at - alphabet);
        }
        if (word > UINT32_MAX)
            return false;
        for (int i = 3; i >= 0; i--, word >>= 8)
            out[g * 4 + (size_t)i] = (uint8_t)word;
    }
    return true;
}
