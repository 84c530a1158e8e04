/* The random numbers that decide which rows a sample takes: Spark's XORShiftRandom, one number a
 * row in order. */
#include "engine/engine_impl.h"
#include "engine/resource.h"

typedef struct Generator {
    int64_t seed;
    int64_t place; /* numbers given so far */
    uint64_t state;
} Generator;

/* MurmurHash3 of the eight bytes of a long, high byte first, as scala.util.hashing computes it. */
static uint32_t murmur_of_long(uint64_t value, uint32_t h)
{
    for (int i = 0; i < 2; i++) {
        uint32_t k = __builtin_bswap32((uint32_t)(value >> (32 - 32 * i)));
        k *= 0xcc9e2d51u;
        k = k << 15 | k >> 17;
        k *= 0x1b873593u;
        h ^= k;
        h = h << 13 | h >> 19;
        h = h * 5 + 0xe6546b64u;
    }
    h ^= 8;
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

static void generator_start(Generator *g, int64_t seed)
{
    const uint32_t array_seed = 0x3c074a61u;
    uint32_t low = murmur_of_long((uint64_t)seed, array_seed),
             high = murmur_of_long((uint64_t)seed, low);
    *g = (Generator){seed, 0, (uint64_t)high << 32 | low};
}

static uint64_t next_bits(Generator *g, int bits)
{
    uint64_t s = g->state;
    s ^= s << 21;
    s ^= s >> 35;
    s ^= s << 4;
    g->state = s;
    return s & ((UINT64_C(1) << bits) - 1);
}

static double next_double(Generator *g)
{
    uint64_t high = next_bits(g, 26);
    g->place++;
    return (double)((high << 27) + next_bits(g, 27)) * 0x1.0p-53;
}

/* ls_uniform(place, seed): the place-th number, counted from 1. Rows come in order, so each thread
 * mostly goes on where it was. */
static void uniform(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    static _Thread_local Generator g;
    static _Thread_local double last;
    idx_t n = duckdb_data_chunk_get_size(input);
    const int64_t *places = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0));
    const int64_t *seeds = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
    double *out = duckdb_vector_get_data(output);
    for (idx_t i = 0; i < n; i++) {
        if (!g.state || g.seed != seeds[i] || places[i] < g.place)
            generator_start(&g, seeds[i]);
        while (g.place < places[i])
            last = next_double(&g);
        out[i] = last;
    }
}

bool sample_register_functions(duckdb_connection connection, Error *err)
{
    static const duckdb_type types[] = {DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_BIGINT};
    return register_scalar(connection, "ls_uniform", types, 2, DUCKDB_TYPE_DOUBLE, uniform, err);
}
