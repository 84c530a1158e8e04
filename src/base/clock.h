/* The one clock and the one id source: everything that stamps a time or makes an id asks here. */
#pragma once

#include <stdint.h>

#include "base/str.h"

typedef struct Clock {
    int64_t (*now_us)(void *self);                 /* microseconds since 1970-01-01 UTC */
    void (*random_bytes)(void *self, void *out, size_t len);
    void *self;
} Clock;

/* The real one, or what clock_install put in its place (tests, replay). */
const Clock *clock_current(void);
void clock_install(const Clock *clock);

int64_t clock_now_us(void);
int64_t clock_now_ms(void);
/* Never goes back; for durations only. */
int64_t clock_monotonic_us(void);

enum { UUID_TEXT_LEN = 36 };
/* A version-4 UUID in lower case with dashes, NUL-terminated. */
void clock_uuid(char out[UUID_TEXT_LEN + 1]);
Str clock_uuid_in(Arena *arena);
