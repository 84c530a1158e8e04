/* The portable roaring format, RoaringFormatSpec "32-bit": CRoaring of Debian 12 trusts the counts
 * inside, we do not. */
#include "delta/roaring_impl.h"

#include <string.h>

enum {
    COOKIE_PLAIN = 12346,
    COOKIE_RUNS = 12347,
    OFFSETS_FROM = 4, /* containers from which run bitmaps, too, carry offsets */
    ARRAY_MAX = 4096,
    BITSET_BYTES = 8192,
    CONTAINERS_MAX = 65536
};

typedef struct Reader {
    const uint8_t *at, *end;
    uint64_t *rows;
    size_t cap, count;
    int64_t last; /* low 32 bits of the last value, -1 before the first */
    uint64_t high;
} Reader;

static bool take(Reader *r, size_t len, const uint8_t **out)
{
    if ((size_t)(r->end - r->at) < len)
        return false;
    *out = r->at;
    r->at += len;
    return true;
}

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | le16(p + 2) << 16;
}

static bool put(Reader *r, uint32_t value)
{
    if ((int64_t)value <= r->last || r->count == r->cap)
        return false;
    r->last = value;
    r->rows[r->count++] = r->high | value;
    return true;
}

static bool read_runs(Reader *r, uint32_t key)
{
    const uint8_t *p;
    if (!take(r, 2, &p))
        return false;
    uint32_t runs = le16(p);
    for (uint32_t i = 0; i < runs; i++) {
        if (!take(r, 4, &p))
            return false;
        uint32_t start = le16(p), length = le16(p + 2);
        if (start + length > 0xffff)
            return false;
        for (uint32_t v = 0; v <= length; v++)
            if (!put(r, key << 16 | (start + v)))
                return false;
    }
    return true;
}

static bool read_array(Reader *r, uint32_t key, uint32_t cardinality)
{
    const uint8_t *p;
    if (!take(r, (size_t)cardinality * 2, &p))
        return false;
    for (uint32_t i = 0; i < cardinality; i++)
        if (!put(r, key << 16 | le16(p + (size_t)i * 2)))
            return false;
    return true;
}

static bool read_bitset(Reader *r, uint32_t key, uint32_t cardinality)
{
    const uint8_t *p;
    size_t before = r->count;
    if (!take(r, BITSET_BYTES, &p))
        return false;
    for (uint32_t i = 0; i < BITSET_BYTES; i++)
        for (uint32_t bits = p[i]; bits; bits &= bits - 1)
            if (!put(r, key << 16 | (i * 8 + (uint32_t)__builtin_ctz(bits))))
                return false;
    return r->count - before == cardinality;
}

bool roaring_read(const uint8_t *bytes, size_t len, uint64_t high, uint64_t *rows, size_t cap,
                  size_t *count, size_t *used)
{
    Reader r = {bytes, bytes + len, rows, cap, *count, -1, high};
    const uint8_t *p, *runs = NULL, *heads;
    uint32_t containers;
    if (!take(&r, 4, &p))
        return false;
    uint32_t cookie = le32(p);
    if ((cookie & 0xffff) == COOKIE_RUNS) {
        containers = (cookie >> 16) + 1;
        if (!take(&r, (containers + 7) / 8, &runs))
            return false;
    } else {
        if (cookie != COOKIE_PLAIN || !take(&r, 4, &p))
            return false;
        containers = le32(p);
    }
    if (containers > CONTAINERS_MAX || !take(&r, (size_t)containers * 4, &heads))
        return false;
    if ((!runs || containers >= OFFSETS_FROM) && !take(&r, (size_t)containers * 4, &p))
        return false;
    for (uint32_t i = 0; i < containers; i++) {
        uint32_t key = le16(heads + (size_t)i * 4),
                 cardinality = le16(heads + (size_t)i * 4 + 2) + 1;
        bool ok = runs && runs[i / 8] >> (i % 8) & 1 ? read_runs(&r, key)
                  : cardinality <= ARRAY_MAX         ? read_array(&r, key, cardinality)
                                                     : read_bitset(&r, key, cardinality);
        if (!ok)
            return false;
    }
    *count = r.count;
    *used = (size_t)(r.at - bytes);
    return true;
}
