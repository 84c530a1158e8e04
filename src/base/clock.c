/* The real clock and randomness, and the place where a test puts its own. */
#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"

static int64_t real_now_us(void *self)
{
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void real_random_bytes(void *self, void *out, size_t len)
{
    (void)self;
    char *at = out;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            panic("getrandom: %s", strerror(errno));
        at += got;
        len -= (size_t)got;
    }
}

static const Clock real_clock = {real_now_us, real_random_bytes, NULL};
static _Atomic(const Clock *) installed = &real_clock;

const Clock *clock_current(void)
{
    return atomic_load_explicit(&installed, memory_order_acquire);
}

void clock_install(const Clock *clock)
{
    atomic_store_explicit(&installed, clock ? clock : &real_clock, memory_order_release);
}

int64_t clock_now_us(void)
{
    const Clock *clock = clock_current();
    return clock->now_us(clock->self);
}

int64_t clock_now_ms(void)
{
    int64_t us = clock_now_us();
    return us / 1000 - (us % 1000 < 0);
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_uuid(char out[UUID_TEXT_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    const Clock *clock = clock_current();
    clock->random_bytes(clock->self, bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* and variant */
    char *at = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
}

Str clock_uuid_in(Arena *arena)
{
    char text[UUID_TEXT_LEN + 1];
    clock_uuid(text);
    return str_copy((Str){text, UUID_TEXT_LEN}, arena);
}
