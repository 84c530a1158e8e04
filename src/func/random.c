/* XORShiftRandom and java.util.Random's Gaussian, so that seeded sequences equal Spark's. */
#include "func/random.h"

#include <math.h>
#include <stddef.h>

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
    double m = sqrt(-2 * log(r) / r);
    s->spare = b * m;
    s->has_spare = true;
    return a * m;
}
