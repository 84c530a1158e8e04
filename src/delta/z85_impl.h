/* Z85 text of bytes and back. */
#pragma once

#include "base/str.h"

/* Padded with zero bytes to a multiple of four. */
Str z85_encode(const uint8_t *bytes, size_t len, Arena *arena);
/* out holds text.len / 5 * 4 bytes; false for a length that is no multiple of five or a foreign
 * character. */
bool z85_decode(Str text, uint8_t *out);
