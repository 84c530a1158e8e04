/* Spark's XORShiftRandom, bit for bit. */
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
