/* Reading 32-bit roaring bitmaps in the portable format from bytes that nobody vouches for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends `high | value` for every value, ascending, to rows[*count..cap). *used: bytes read.
 * False: malformed, not ascending, or more than cap values. */
bool roaring_read(const uint8_t *bytes, size_t len, uint64_t high, uint64_t *rows, size_t cap,
                  size_t *count, size_t *used);
