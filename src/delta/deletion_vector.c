/* Deletion vectors: 64-bit portable roaring bitmaps behind a magic number, in files with checksums
 * or inside the log. */
#include "delta/deletion_vector.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "delta/partition.h"
#include "delta/roaring_impl.h"
#include "delta/snapshot_impl.h"
#include "delta/z85_impl.h"

enum {
    MAGIC = 1681511377,
    MAGIC_NATIVE =
        1681511376, /* the older form: PROTOCOL.md's own inline example, there in big endian */
    FILE_VERSION = 1,
    UUID_TEXT_Z85 = 20,
    MAX_BYTES = 1 << 30 /* of one vector */
};
static const int64_t MAX_ROWS = INT64_C(1) << 31; /* rows of one vector that we hold in memory */

static uint32_t read_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t read_be32(const uint8_t *p)
{
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

static void put_le32(Buf *b, uint32_t v)
{
    uint8_t bytes[] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    buf_add_bytes(b, bytes, sizeof bytes);
}

static void put_be32(Buf *b, uint32_t v)
{
    uint8_t bytes[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    buf_add_bytes(b, bytes, sizeof bytes);
}

/* ---- identity ---- */

Str deletion_vector_id(const DeletionVector *dv, Arena *arena)
{
    if (!dv)
        return S("");
    return dv->has_offset
               ? str_printf(arena, "%c" STR_FMT "@%d", dv->storage, STR_ARG(dv->path_or_inline),
                            dv->offset)
               : str_printf(arena, "%c" STR_FMT, dv->storage, STR_ARG(dv->path_or_inline));
}

bool deletion_vector_equal(const DeletionVector *a, const DeletionVector *b)
{
    if (!a || !b)
        return a == b;
    return a->storage == b->storage && a->has_offset == b->has_offset &&
           (!a->has_offset || a->offset == b->offset) &&
           str_eq(a->path_or_inline, b->path_or_inline);
}

/* ---- bitmap bytes ---- */

static bool fail_bitmap(Error *err)
{
    return error_set(err, ERR_DELTA_DELETION_VECTOR_SIZE_MISMATCH);
}

typedef struct BitmapReader {
    const uint8_t *bytes;
    size_t len, at;
    uint64_t *rows;
    size_t cardinality, count;
} BitmapReader;

static bool read_bucket(BitmapReader *r, uint64_t key, Error *err)
{
    size_t used;
    if (!roaring_read(r->bytes + r->at, r->len - r->at, key << 32, r->rows, r->cardinality,
                      &r->count, &used))
        return error_set(err, ERR_DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH);
    r->at += used;
    return true;
}

/* Magic, number of buckets (8 bytes), then key and bitmap each. */
static bool read_portable(BitmapReader *r, Error *err)
{
    if (r->len < 12)
        return fail_bitmap(err);
    uint64_t buckets = read_le32(r->bytes + 4) | (uint64_t)read_le32(r->bytes + 8) << 32;
    int64_t previous = -1;
    r->at = 12;
    for (uint64_t i = 0; i < buckets; i++) {
        if (r->len - r->at < 4)
            return fail_bitmap(err);
        uint32_t key = read_le32(r->bytes + r->at);
        r->at += 4;
        if (key > INT32_MAX || (int64_t)key <= previous)
            return error_set(err, ERR_DELTA_DELETION_VECTOR_INVALID_ROW_INDEX);
        TRY(read_bucket(r, key, err));
        previous = key;
    }
    return true;
}

/* Magic, number of buckets (4 bytes), then size and bitmap each; bucket i has key i. */
static bool read_native(BitmapReader *r, uint32_t (*read32)(const uint8_t *), Error *err)
{
    if (r->len < 8)
        return fail_bitmap(err);
    uint32_t buckets = read32(r->bytes + 4);
    r->at = 8;
    for (uint32_t i = 0; i < buckets; i++) {
        if (r->len - r->at < 4)
            return fail_bitmap(err);
        size_t size = read32(r->bytes + r->at);
        r->at += 4;
        if (size > r->len - r->at)
            return fail_bitmap(err);
        size_t next = r->at + size;
        TRY(read_bucket(r, i, err));
        r->at = next;
    }
    return true;
}

/* Bytes are hostile: nothing is allocated beyond what the bytes themselves can hold. */
static bool read_bitmap(const uint8_t *bytes, size_t len, int64_t cardinality, Arena *arena,
                        uint64_t **rows, size_t *count, Error *err)
{
    bool ok;
    /* A run of 64K rows takes four bytes: no bitmap holds more rows a byte. */
    if (len < 8)
        return fail_bitmap(err);
    if (cardinality < 0 || cardinality > MAX_ROWS || (uint64_t)cardinality > (uint64_t)len << 14)
        return error_set(err, ERR_DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH);
    BitmapReader r = {.bytes = bytes, .len = len, .cardinality = (size_t)cardinality};
    r.rows = ARENA_ARRAY(arena, uint64_t, r.cardinality + 1);
    if (read_le32(bytes) == MAGIC)
        ok = read_portable(&r, err);
    else if (read_le32(bytes) == MAGIC_NATIVE)
        ok = read_native(&r, read_le32, err);
    else if (read_be32(bytes) == MAGIC_NATIVE)
        ok = read_native(&r, read_be32, err);
    else
        ok = fail_bitmap(err);
    if (ok && r.count != r.cardinality)
        ok = error_set(err, ERR_DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH);
    *rows = r.rows;
    *count = r.count;
    return ok;
}

static void put_bucket(Buf *out, uint32_t key, roaring_bitmap_t *bitmap)
{
    roaring_bitmap_run_optimize(bitmap);
    size_t size = roaring_bitmap_portable_size_in_bytes(bitmap);
    char *bytes = arena_alloc(out->arena, size);
    roaring_bitmap_portable_serialize(bitmap, bytes);
    put_le32(out, key);
    buf_add_bytes(out, bytes, size);
}

static int by_row(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Magic and bitmap, without size and checksum. */
static void put_bitmap(Buf *out, RowSet set, int64_t *cardinality)
{
    uint64_t *rows = ARENA_ARRAY(out->arena, uint64_t, set.count);
    memcpy(rows, set.rows, set.count * sizeof *rows);
    qsort(rows, set.count, sizeof *rows, by_row);
    uint64_t buckets = 0;
    for (size_t i = 0; i < set.count; i++)
        buckets += i == 0 || rows[i] >> 32 != rows[i - 1] >> 32;
    put_le32(out, MAGIC);
    put_le32(out, (uint32_t)buckets);
    put_le32(out, (uint32_t)(buckets >> 32));
    *cardinality = 0;
    for (size_t i = 0; i < set.count;) {
        uint32_t key = (uint32_t)(rows[i] >> 32);
        roaring_bitmap_t *bitmap = roaring_bitmap_create();
        for (; i < set.count && rows[i] >> 32 == key; i++)
            roaring_bitmap_add(bitmap, (uint32_t)rows[i]);
        *cardinality += (int64_t)roaring_bitmap_get_cardinality(bitmap);
        put_bucket(out, key, bitmap);
        roaring_bitmap_free(bitmap);
    }
}

/* ---- where vectors are ---- */

static Str uuid_text(const uint8_t *b, Arena *arena)
{
    return str_printf(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                      b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                      b[12], b[13], b[14], b[15]);
}

static bool fail_path(const DeletionVector *dv, Error *err)
{
    return error_set(err, ERR_DELTA_CANNOT_RECONSTRUCT_PATH_FROM_URI, P("uri", dv->path_or_inline));
}

bool deletion_vector_path(const DeletionVector *dv, Arena *arena, Str *path, Error *err)
{
    uint8_t uuid[UUID_TEXT_Z85 / 5 * 4];
    Str text = dv->path_or_inline;
    if (dv->storage != 'u' || text.len < UUID_TEXT_Z85)
        return fail_path(dv, err);
    Str prefix = str_slice(text, 0, text.len - UUID_TEXT_Z85);
    if (!z85_decode(str_slice(text, prefix.len, text.len), uuid) ||
        str_find_char(prefix, '/') >= 0 || str_find_char(prefix, '\0') >= 0 ||
        str_is(prefix, "..") || str_is(prefix, "."))
        return fail_path(dv, err);
    *path = str_printf(arena, STR_FMT "%sdeletion_vector_" STR_FMT ".bin", STR_ARG(prefix),
                       prefix.len ? "/" : "", STR_ARG(uuid_text(uuid, arena)));
    return true;
}

/* A 'p' vector lies anywhere (shallow clones): its folder is opened as a store of its own. */
static bool find_file(DeltaTable *t, const DeletionVector *dv, Arena *arena, Store **store,
                      Str *path, Error *err)
{
    *store = t->store;
    if (dv->storage == 'u')
        return deletion_vector_path(dv, arena, path, err);
    Str full;
    TRY(delta_file_location(t, dv->path_or_inline, arena, &full, err));
    ptrdiff_t slash = str_rfind_char(full, '/');
    if (slash < 0)
        return fail_path(dv, err);
    TRY(store_open(slash ? str_slice(full, 0, (size_t)slash) : S("/"), arena, store, err));
    *path = str_slice(full, (size_t)slash + 1, full.len);
    return true;
}

static bool read_from_file(DeltaTable *t, const DeletionVector *dv, Arena *scratch, Str *bytes,
                           Error *err)
{
    Store *store;
    Str path, block;
    bool found;
    TRY(find_file(t, dv, scratch, &store, &path, err));
    int64_t offset = dv->has_offset ? dv->offset : 0;
    /* Without an offset the data begins after the version byte. */
    offset = offset ? offset : 1;
    TRY(store_read_range(store, path, offset, (size_t)dv->size_in_bytes + 8, scratch, &found,
                         &block, err));
    if (!found)
        return error_set(err, ERR_DELTA_FILE_NOT_FOUND,
                         P("path", store_shown(store_duckdb_path(store, path, err->arena), err->arena)));
    const uint8_t *b = (const uint8_t *)block.ptr;
    if (read_be32(b) != (uint32_t)dv->size_in_bytes)
        return error_set(err, ERR_DELTA_DELETION_VECTOR_SIZE_MISMATCH);
    *bytes = str_slice(block, 4, 4 + (size_t)dv->size_in_bytes);
    uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), b + 4, (uInt)dv->size_in_bytes);
    if (crc != read_be32(b + 4 + dv->size_in_bytes))
        return error_set(err, ERR_DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH);
    return true;
}

static bool read_inline(const DeletionVector *dv, Arena *scratch, Str *bytes, Error *err)
{
    Str text = dv->path_or_inline;
    uint8_t *out = arena_alloc(scratch, text.len / 5 * 4 + 4);
    if (!z85_decode(text, out) || (size_t)dv->size_in_bytes > text.len / 5 * 4)
        return error_set(err, ERR_DELTA_DELETION_VECTOR_SIZE_MISMATCH);
    *bytes = (Str){(const char *)out, (size_t)dv->size_in_bytes};
    return true;
}

bool deletion_vector_read(DeltaTable *t, const DeletionVector *dv, Arena *arena, uint64_t **rows,
                          size_t *count, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Str bytes = {0};
    *rows = NULL;
    *count = 0;
    if (!dv)
        return true;
    if (dv->size_in_bytes < 0 || dv->size_in_bytes > MAX_BYTES || dv->offset < 0)
        return error_set(err, ERR_DELTA_DELETION_VECTOR_SIZE_MISMATCH);
    if (dv->storage == 'i')
        TRY(read_inline(dv, scratch, &bytes, err));
    else if (dv->storage == 'u' || dv->storage == 'p')
        TRY(read_from_file(t, dv, scratch, &bytes, err));
    else
        return error_unsupported(err, "The deletion vector storage type '%c'", dv->storage);
    return read_bitmap((const uint8_t *)bytes.ptr, bytes.len, dv->cardinality, arena, rows, count,
                       err);
}

bool deletion_vector_rows(Snapshot *s, const AddFile *file, Arena *arena, uint64_t **rows,
                          size_t *count, Error *err)
{
    return deletion_vector_read(s->table, file->dv, arena, rows, count, err);
}

/* ---- writing ---- */

bool deletion_vector_inline(RowSet set, Arena *arena, DeletionVector *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Buf bytes = buf_in(scratch);
    if (!set.count)
        return error_internal(err, "a deletion vector of no rows");
    *out = (DeletionVector){.storage = 'i'};
    put_bitmap(&bytes, set, &out->cardinality);
    out->size_in_bytes = (int32_t)bytes.len;
    out->path_or_inline = z85_encode((const uint8_t *)bytes.ptr, bytes.len, arena);
    return true;
}

static uint8_t hex_pair(const char *p)
{
    int high = p[0] <= '9' ? p[0] - '0' : p[0] - 'a' + 10,
        low = p[1] <= '9' ? p[1] - '0' : p[1] - 'a' + 10;
    return (uint8_t)(high * 16 + low);
}

static Str new_uuid_z85(Arena *arena)
{
    char text[UUID_TEXT_LEN + 1];
    uint8_t bytes[16];
    size_t n = 0;
    clock_uuid(text);
    for (const char *p = text; n < sizeof bytes; p += 2) {
        if (*p == '-')
            p++;
        bytes[n++] = hex_pair(p);
    }
    return z85_encode(bytes, sizeof bytes, arena);
}

bool deletion_vectors_write(DeltaTable *t, const RowSet *sets, size_t count, Arena *arena,
                            DeletionVector *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Buf file = buf_in(scratch);
    Str id = new_uuid_z85(arena), path;
    bool exists;
    buf_addc(&file, FILE_VERSION);
    for (size_t i = 0; i < count; i++) {
        Buf bytes = buf_in(scratch);
        if (!sets[i].count)
            return error_internal(err, "a deletion vector of no rows");
        out[i] = (DeletionVector){
            .storage = 'u', .path_or_inline = id, .has_offset = true, .offset = (int32_t)file.len};
        put_bitmap(&bytes, sets[i], &out[i].cardinality);
        out[i].size_in_bytes = (int32_t)bytes.len;
        put_be32(&file, (uint32_t)bytes.len);
        buf_add(&file, buf_str(&bytes));
        put_be32(&file,
                 (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)bytes.ptr, (uInt)bytes.len));
    }
    if (file.overflow || file.len > INT32_MAX)
        return error_internal(err, "deletion vectors of one commit exceed 2 GiB");
    if (!count)
        return true;
    TRY(deletion_vector_path(&out[0], scratch, &path, err));
    return store_put_if_absent(t->store, path, buf_str(&file), &exists, err);
}
