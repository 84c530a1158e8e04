/* Spark's Murmur3 (hash), XXH64 (xxhash64), SHA-2 and CRC-32. */
#include "func/native_impl.h"

#include <openssl/evp.h>
#include <zlib.h>

#include "func/number.h"

/* ---- Murmur3_x86_32 as Spark runs it ---- */

static uint32_t rotate32(uint32_t x, int by) { return x << by | x >> (32 - by); }

static uint32_t mix_k(uint32_t k) { return rotate32(k * 0xcc9e2d51, 15) * 0x1b873593; }

static uint32_t mix_h(uint32_t h, uint32_t k) { return rotate32(h ^ k, 13) * 5 + 0xe6546b64; }

static uint32_t finish32(uint32_t h, uint32_t len) {
    h ^= len;
    h ^= h >> 16;
    h *= 0x85ebca6b;
    h ^= h >> 13;
    h *= 0xc2b2ae35;
    return h ^ h >> 16;
}

static uint64_t murmur_int(int32_t v, uint64_t seed) {
    return finish32(mix_h((uint32_t)seed, mix_k((uint32_t)v)), 4);
}

static uint64_t murmur_long(int64_t v, uint64_t seed) {
    uint32_t h = mix_h((uint32_t)seed, mix_k((uint32_t)v));
    return finish32(mix_h(h, mix_k((uint32_t)((uint64_t)v >> 32))), 8);
}

/* The tail is mixed byte by byte, sign-extended: unlike the published Murmur3. */
static uint64_t murmur_bytes(Str s, uint64_t seed) {
    uint32_t h = (uint32_t)seed;
    size_t i = 0;
    for (; i + 4 <= s.len; i += 4) {
        uint32_t k;
        memcpy(&k, s.ptr + i, 4);
        h = mix_h(h, mix_k(k));
    }
    for (; i < s.len; i++)
        h = mix_h(h, mix_k((uint32_t)(int32_t)(int8_t)s.ptr[i]));
    return finish32(h, (uint32_t)s.len);
}

uint32_t native_murmur3(Str s, uint32_t seed) { return (uint32_t)murmur_bytes(s, seed); }

/* ---- XXH64 ---- */

#define PRIME1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME3 UINT64_C(0x165667B19E3779F9)
#define PRIME4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate64(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t avalanche(uint64_t h) {
    h ^= h >> 33;
    h *= PRIME2;
    h ^= h >> 29;
    h *= PRIME3;
    return h ^ h >> 32;
}

static uint64_t xx_int(int32_t v, uint64_t seed) {
    uint64_t h = seed + PRIME5 + 4;
    h ^= (uint64_t)(uint32_t)v * PRIME1;
    return avalanche(rotate64(h, 23) * PRIME2 + PRIME3);
}

static uint64_t xx_long(int64_t v, uint64_t seed) {
    uint64_t h = seed + PRIME5 + 8;
    h ^= rotate64((uint64_t)v * PRIME2, 31) * PRIME1;
    return avalanche(rotate64(h, 27) * PRIME1 + PRIME4);
}

static uint64_t round64(uint64_t acc, uint64_t v) {
    return rotate64(acc + v * PRIME2, 31) * PRIME1;
}

static uint64_t load64(const char *p) {
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static uint64_t xx_bytes(Str s, uint64_t seed) {
    const char *p = s.ptr, *end = s.ptr + s.len;
    uint64_t h;
    if (s.len >= 32) {
        uint64_t v[4] = {seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1};
        for (; end - p >= 32; p += 32)
            for (int i = 0; i < 4; i++)
                v[i] = round64(v[i], load64(p + 8 * i));
        h = rotate64(v[0], 1) + rotate64(v[1], 7) + rotate64(v[2], 12) + rotate64(v[3], 18);
        for (int i = 0; i < 4; i++)
            h = (h ^ round64(0, v[i])) * PRIME1 + PRIME4;
    } else {
        h = seed + PRIME5;
    }
    h += s.len;
    for (; end - p >= 8; p += 8)
        h = rotate64(h ^ round64(0, load64(p)), 27) * PRIME1 + PRIME4;
    if (end - p >= 4) {
        uint32_t k;
        memcpy(&k, p, 4);
        h = rotate64(h ^ (uint64_t)k * PRIME1, 23) * PRIME2 + PRIME3;
        p += 4;
    }
    for (; p < end; p++)
        h = rotate64(h ^ (uint64_t)(uint8_t)*p * PRIME5, 11) * PRIME1;
    return avalanche(h);
}

/* ---- values ---- */

typedef struct Hasher {
    uint64_t (*on_int)(int32_t, uint64_t);
    uint64_t (*on_long)(int64_t, uint64_t);
    uint64_t (*on_bytes)(Str, uint64_t);
} Hasher;

static const Hasher HASHERS[] = {{murmur_int, murmur_long, murmur_bytes},
                                 {xx_int, xx_long, xx_bytes}};

static uint64_t hash_decimal(const Hasher *h, const NativeVec *v, idx_t i, uint64_t seed) {
    __int128 u = native_integer_at(v, i);
    if (v->width <= 18)
        return h->on_long((int64_t)u, seed);
    /* BigInteger.toByteArray: shortest two's complement, big-endian */
    char bytes[16];
    for (int k = 0; k < 16; k++)
        bytes[k] = (char)((unsigned __int128)u >> (120 - 8 * k));
    size_t from = 0;
    while (from < 15 && ((bytes[from] == 0 && !(bytes[from + 1] & 0x80)) ||
                         ((uint8_t)bytes[from] == 0xFF && (bytes[from + 1] & 0x80))))
        from++;
    return h->on_bytes((Str){bytes + from, 16 - from}, seed);
}

static uint64_t hash_value(const Hasher *h, const NativeVec *v, idx_t i, uint64_t seed) {
    if (native_is_null(v, i))
        return seed;
    switch (v->type) {
    case DUCKDB_TYPE_BOOLEAN:
        return h->on_int(((bool *)v->data)[i], seed);
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
        return h->on_int((int32_t)native_integer_at(v, i), seed);
    case DUCKDB_TYPE_FLOAT: {
        float f = ((float *)v->data)[i];
        int32_t bits;
        f = f == 0 ? 0 : f != f ? __builtin_nanf("") : f;
        memcpy(&bits, &f, 4);
        return h->on_int(bits, seed);
    }
    case DUCKDB_TYPE_DOUBLE: {
        double d = ((double *)v->data)[i];
        int64_t bits;
        d = d == 0 ? 0 : d != d ? __builtin_nan("") : d;
        memcpy(&bits, &d, 8);
        return h->on_long(bits, seed);
    }
    case DUCKDB_TYPE_DECIMAL:
        return hash_decimal(h, v, i, seed);
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
        return h->on_bytes(native_str_at(v, i), seed);
    case DUCKDB_TYPE_INTERVAL: {
        const duckdb_interval *x = &((duckdb_interval *)v->data)[i];
        return h->on_int(x->months, h->on_int(x->days, h->on_long(x->micros, seed)));
    }
    case DUCKDB_TYPE_STRUCT:
        for (size_t k = 0; k < v->child_count; k++)
            seed = hash_value(h, &v->children[k], i, seed);
        return seed;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP: {
        duckdb_list_entry e = ((duckdb_list_entry *)v->data)[i];
        for (idx_t k = 0; k < e.length; k++)
            seed = hash_value(h, &v->children[0], e.offset + k, seed);
        return seed;
    }
    default:
        return h->on_long((int64_t)native_integer_at(v, i), seed);
    }
}

static bool row_hash(Native *n, idx_t row) {
    uint64_t h = 42;
    for (size_t i = 0; i < n->argc; i++)
        h = hash_value(&HASHERS[n->function->variant], &n->args[i], row, h);
    if (n->function->variant)
        return native_set_i64(n, row, (int64_t)h);
    return native_set_i32(n, row, (int32_t)(uint32_t)h);
}

/* ---- digests ---- */

static bool row_sha2(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    int bits = native_i32(n, 1, row);
    const EVP_MD *md = bits == 0 || bits == 256 ? EVP_sha256()
                       : bits == 224            ? EVP_sha224()
                       : bits == 384            ? EVP_sha384()
                       : bits == 512            ? EVP_sha512()
                                                : NULL;
    if (!md)
        return native_set_null(n, row);
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_Digest(s.len ? s.ptr : "", s.len, out, &len, md, NULL))
        return NATIVE_FAIL(n, ERR_INTERNAL_ERROR, P("message", S("sha2 failed")));
    for (unsigned i = 0; i < len; i++)
        buf_addf(&n->scratch, "%02x", out[i]);
    return native_set_scratch(n, row);
}

static bool row_crc32(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    return native_set_i64(n, row, (int64_t)crc32_z(0, (const unsigned char *)s.ptr, s.len));
}

static bool row_bitmap_count(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    int64_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += __builtin_popcount((uint8_t)s.ptr[i]);
    return native_set_i64(n, row, count);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_hash", "4:*?", row_hash, NATIVE_SEES_NULL, 0},
    {"ls_xxhash64", "8:*?", row_hash, NATIVE_SEES_NULL, 1},
    {"ls_sha2", "s:x4", row_sha2, 0, 0},
    {"ls_crc32", "8:x", row_crc32, 0, 0},
    {"ls_bitmap_count", "8:x", row_bitmap_count, 0, 0},
};

bool native_register_hash(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
