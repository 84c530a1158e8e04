/* Spark's and Java's generators of random numbers, bit for bit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct RandomState {
    uint64_t seed;
    double spare; /* the second value of a Gaussian pair */
    bool ready, has_spare;
} RandomState;

void random_start(RandomState *s, int64_t seed);
int32_t random_int(RandomState *s);
double random_double(RandomState *s);
double random_gaussian(RandomState *s);

/* java.util.Random */
typedef struct JavaRandom {
    uint64_t seed;
} JavaRandom;

JavaRandom java_random(int64_t seed);
int32_t java_random_bits(JavaRandom *r, int bits);
double java_random_double(JavaRandom *r);

/* The Mersenne twister MT19937, seeded as Apache Commons Math does it. */
typedef struct MersenneTwister {
    uint32_t state[624];
    int next;
    bool ready;
} MersenneTwister;

void mersenne_start(MersenneTwister *r, int64_t seed);
/* From 0 to n - 1. */
int32_t mersenne_below(MersenneTwister *r, int32_t n);
