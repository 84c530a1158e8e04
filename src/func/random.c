/* XORShiftRandom and java.util.Random's Gaussian, so that seeded sequences equal Spark's. */
#include "func/random.h"

#include <math.h>
#include <stddef.h>

#include "func/java_math.h"

/* scala.util.hashing.MurmurHash3.bytesHash */
static uint32_t scala_hash(const uint8_t *p, size_t len, uint32_t h) {
    for (size_t i = 0; i + 4 <= len; i += 4) {
        uint32_t k = (uint32_t)p[i] | (uint32_t)p[i + 1] << 8 | (uint32_t)p[i + 2] << 16 |
                     (uint32_t)p[i + 3] << 24;
        k *= 0xcc9e2d51;
        k = (k << 15 | k >> 17) * 0x1b873593;
        h ^= k;
        h = (h << 13 | h >> 19) * 5 + 0xe6546b64;
    }
    h ^= (uint32_t)len;
    h ^= h >> 16;
    h *= 0x85ebca6b;
    h ^= h >> 13;
    h *= 0xc2b2ae35;
    return h ^ h >> 16;
}

static uint64_t hash_seed(int64_t seed) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)seed >> (56 - 8 * i));
    uint32_t low = scala_hash(bytes, 8, 0x3c074a61), high = scala_hash(bytes, 8, low);
    return (uint64_t)high << 32 | low;
}

void random_start(RandomState *s, int64_t seed) {
    *s = (RandomState){.seed = hash_seed(seed), .ready = true};
}

/* Spark's XORShiftRandom. */
static int32_t next_bits(RandomState *s, int bits) {
    uint64_t x = s->seed ^ s->seed << 21;
    x ^= x >> 35;
    x ^= x << 4;
    s->seed = x;
    return (int32_t)(x & ((UINT64_C(1) << bits) - 1));
}

int32_t random_int(RandomState *s) { return next_bits(s, 32); }

double random_double(RandomState *s) {
    int64_t high = next_bits(s, 26);
    return (double)((high << 27) + next_bits(s, 27)) * 0x1.0p-53;
}

/* java.util.Random.nextGaussian: the polar method, second value kept. */
double random_gaussian(RandomState *s) {
    if (s->has_spare) {
        s->has_spare = false;
        return s->spare;
    }
    double a, b, r;
    do {
        a = 2 * random_double(s) - 1;
        b = 2 * random_double(s) - 1;
        r = a * a + b * b;
    } while (r >= 1 || r == 0);
    double m = sqrt(-2 * java_log(r) / r);
    s->spare = b * m;
    s->has_spare = true;
    return a * m;
}

/* ---- java.util.Random: a linear congruential generator of 48 bits ---- */

static const uint64_t LCG = UINT64_C(0x5DEECE66D), LOW48 = (UINT64_C(1) << 48) - 1;

JavaRandom java_random(int64_t seed) { return (JavaRandom){((uint64_t)seed ^ LCG) & LOW48}; }

int32_t java_random_bits(JavaRandom *r, int bits) {
    r->seed = (r->seed * LCG + 11) & LOW48;
    return (int32_t)(r->seed >> (48 - bits));
}

double java_random_double(JavaRandom *r) {
    int64_t high = java_random_bits(r, 26);
    return (double)((high << 27) + java_random_bits(r, 27)) * 0x1.0p-53;
}

/* ---- MT19937: Matsumoto and Nishimura's recurrence and their seeding by an array ---- */

enum { MT_SIZE = 624, MT_SHIFT = 397 };

static uint32_t mt_previous(const uint32_t *s, int i) { return s[i - 1] ^ s[i - 1] >> 30; }

void mersenne_start(MersenneTwister *r, int64_t seed) {
    const uint32_t key[2] = {(uint32_t)((uint64_t)seed >> 32), (uint32_t)seed};
    uint32_t *s = r->state;
    s[0] = 19650218;
    for (int i = 1; i < MT_SIZE; i++)
        s[i] = 1812433253u * mt_previous(s, i) + (uint32_t)i;
    int i = 1;
    for (int k = 0; k < MT_SIZE; k++) {
        s[i] = (s[i] ^ mt_previous(s, i) * 1664525u) + key[k % 2] + (uint32_t)(k % 2);
        if (++i == MT_SIZE) {
            s[0] = s[MT_SIZE - 1];
            i = 1;
        }
    }
    for (int k = 1; k < MT_SIZE; k++) {
        s[i] = (s[i] ^ mt_previous(s, i) * 1566083941u) - (uint32_t)i;
        if (++i == MT_SIZE) {
            s[0] = s[MT_SIZE - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
    r->next = MT_SIZE;
    r->ready = true;
}

static uint32_t mersenne_next(MersenneTwister *r) {
    uint32_t *s = r->state;
    if (r->next >= MT_SIZE) {
        for (int i = 0; i < MT_SIZE; i++) {
            uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % MT_SIZE] & 0x7fffffffu);
            s[i] = s[(i + MT_SHIFT) % MT_SIZE] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        r->next = 0;
    }
    uint32_t y = s[r->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

int32_t mersenne_below(MersenneTwister *r, int32_t n) {
    if ((n & -n) == n)
        return (int32_t)((int64_t)n * (mersenne_next(r) >> 1) >> 31);
    for (;;) {
        int32_t bits = (int32_t)(mersenne_next(r) >> 1), value = bits % n;
        if ((int64_t)bits - value + (n - 1) <= INT32_MAX)
            return value;
    }
}
