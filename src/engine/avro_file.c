/* Avro object container files: their blocks and codecs, and rows of Spark values written into them. Avro 1.12 specification
 * "Object Container Files", "Binary Encoding". */
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "engine/avro.h"

/* An inflated block may not take more memory than this. */
#define BLOCK_MAX ((size_t)1 << 30)

static const char *const CODECS[AVRO_CODECS] = {"null", "deflate", "snappy", "zstandard"};

bool avro_codec_find(Str name, AvroCodec *out)
{
    *out = AVRO_CODEC_NULL;
    if (!name.len || str_is_ci(name, "uncompressed"))
        return true;
    for (size_t i = 0; i < AVRO_CODECS; i++)
        if (str_is_ci(name, CODECS[i])) {
            *out = (AvroCodec)i;
            return true;
        }
    return false;
}

Str avro_codec_name(AvroCodec codec) { return str_from(CODECS[codec]); }

/* ---- inflating ---- */

static bool damaged(Error *err)
{
    return error_set(err, ERR_FAILED_READ_FILE__NO_HINT, PZ("path", ""), PZ("message", "a block of the Avro file is damaged"));
}

static bool room_for(Buf *out, size_t n, Error *err)
{
    if (n > BLOCK_MAX)
        return damaged(err);
    buf_reset(out);
    buf_add_repeat(out, 0, n ? n : 1);
    out->len = n;
    return true;
}

static bool inflate_deflate(Str block, Buf *out, Error *err)
{
    z_stream z = {.next_in = (Bytef *)block.ptr, .avail_in = (uInt)block.len};
    char piece[1 << 14];
    int code = inflateInit2(&z, -MAX_WBITS);
    buf_reset(out);
    while (code == Z_OK && out->len < BLOCK_MAX) {
        z.next_out = (Bytef *)piece;
        z.avail_out = sizeof piece;
        code = inflate(&z, Z_NO_FLUSH);
        buf_add_bytes(out, piece, sizeof piece - z.avail_out);
        if (code == Z_BUF_ERROR || (code == Z_OK && !z.avail_in && z.avail_out))
            break;
    }
    inflateEnd(&z);
    return code == Z_STREAM_END || damaged(err);
}

/* Behind the data stands the CRC of what they become. */
static bool inflate_snappy(Str block, Buf *out, Error *err)
{
    size_t n;
    if (block.len < 4 || snappy_uncompressed_length(block.ptr, block.len - 4, &n) != SNAPPY_OK)
        return damaged(err);
    TRY(room_for(out, n, err));
    const uint8_t *c = (const uint8_t *)block.ptr + block.len - 4;
    uint32_t crc = (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3];
    bool ok = snappy_uncompress(block.ptr, block.len - 4, out->ptr, &n) == SNAPPY_OK &&
              crc32(crc32(0, NULL, 0), (const Bytef *)out->ptr, (uInt)n) == crc;
    return ok || damaged(err);
}

static bool inflate_zstandard(Str block, Buf *out, Error *err)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer in = {block.ptr, block.len, 0};
    char piece[1 << 14];
    size_t left = 1;
    buf_reset(out);
    while (ctx && left && !ZSTD_isError(left) && out->len < BLOCK_MAX) {
        ZSTD_outBuffer to = {piece, sizeof piece, 0};
        size_t before = in.pos;
        left = ZSTD_decompressStream(ctx, &to, &in);
        if (ZSTD_isError(left) || (!to.pos && in.pos == before))
            break;
        buf_add_bytes(out, piece, to.pos);
    }
    ZSTD_freeDCtx(ctx);
    return !left || damaged(err);
}

bool avro_inflate(AvroCodec codec, Str block, Buf *out, Error *err)
{
    switch (codec) {
    case AVRO_CODEC_DEFLATE: return inflate_deflate(block, out, err);
    case AVRO_CODEC_SNAPPY: return inflate_snappy(block, out, err);
    case AVRO_CODEC_ZSTANDARD: return inflate_zstandard(block, out, err);
    default: return damaged(err);
    }
}

/* ---- writing ---- */

static void put_long(Buf *b, int64_t v)
{
    uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    for (; z >= 0x80; z >>= 7)
        buf_addc(b, (char)(z | 0x80));
    buf_addc(b, (char)z);
}

static void put_bytes(Buf *b, Str s)
{
    put_long(b, (int64_t)s.len);
    buf_add(b, s);
}

static void put_value(Buf *b, const Value *v);

static void put_nullable(Buf *b, const Value *v)
{
    if (v->type->kind == TYPE_NULL)
        return;
    put_long(b, v->is_null);
    if (!v->is_null)
        put_value(b, v);
}

/* How many bytes the largest number of so many digits takes. */
int avro_decimal_bytes(int precision)
{
    static const uint8_t BYTES[] = {1,  1,  1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,  6,  6,  7,  7,  8,  8, 9,
                                    9,  9,  10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    return BYTES[precision];
}

/* Two's complement, big-endian. */
static void put_decimal(Buf *b, const Value *v)
{
    for (int i = avro_decimal_bytes(v->type->decimal.precision); i-- > 0;)
        buf_addc(b, (char)(i >= 8 ? v->decimal.high >> (8 * (i - 8)) : (int64_t)(v->decimal.low >> (8 * i))));
}

static void put_items(Buf *b, const Value *v)
{
    bool map = v->type->kind == TYPE_MAP;
    size_t n = map ? v->map.count : v->list.count;
    if (n)
        put_long(b, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        if (map)
            put_bytes(b, v->map.keys[i].bytes);
        put_nullable(b, map ? &v->map.values[i] : &v->list.items[i]);
    }
    put_long(b, 0);
}

static void put_value(Buf *b, const Value *v)
{
    float f;
    switch (v->type->kind) {
    case TYPE_BOOLEAN: buf_addc(b, v->boolean); break;
    case TYPE_FLOAT:
        f = (float)v->real;
        buf_add_bytes(b, &f, sizeof f);
        break;
    case TYPE_DOUBLE: buf_add_bytes(b, &v->real, sizeof v->real); break;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY: put_bytes(b, v->bytes); break;
    case TYPE_DECIMAL: put_decimal(b, v); break;
    case TYPE_ARRAY:
    case TYPE_MAP: put_items(b, v); break;
    case TYPE_STRUCT: avro_put_row(b, v->type, v->list.items, NULL); break;
    default: put_long(b, v->integer); break;
    }
}

void avro_put_row(Buf *b, const Type *row, const Value *cells, const bool *skip)
{
    for (size_t i = 0; i < row->structure.count; i++)
        if (!skip || !skip[i])
            put_nullable(b, &cells[i]);
}

void avro_put_header(Buf *b, Str schema, AvroCodec codec, const char *sync)
{
    buf_add_bytes(b, "Obj\1", 4);
    put_long(b, 2);
    put_bytes(b, S("avro.schema"));
    put_bytes(b, schema);
    put_bytes(b, S("avro.codec"));
    put_bytes(b, avro_codec_name(codec));
    put_long(b, 0);
    buf_add_bytes(b, sync, AVRO_SYNC_BYTES);
}

static bool deflated(Str rows, Buf *out)
{
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong most = deflateBound(&z, rows.len);
    buf_add_repeat(out, 0, most);
    z.next_in = (Bytef *)rows.ptr;
    z.avail_in = (uInt)rows.len;
    z.next_out = (Bytef *)out->ptr;
    z.avail_out = (uInt)most;
    int code = deflate(&z, Z_FINISH);
    out->len = z.total_out;
    deflateEnd(&z);
    return code == Z_STREAM_END;
}

static bool compressed(AvroCodec codec, Str rows, Buf *out)
{
    if (codec == AVRO_CODEC_DEFLATE)
        return deflated(rows, out);
    size_t n = codec == AVRO_CODEC_SNAPPY ? snappy_max_compressed_length(rows.len) : ZSTD_compressBound(rows.len);
    buf_add_repeat(out, 0, n + 4);
    if (codec == AVRO_CODEC_ZSTANDARD) {
        out->len = ZSTD_compress(out->ptr, n, rows.ptr, rows.len, 3);
        return !ZSTD_isError(out->len);
    }
    if (snappy_compress(rows.ptr, rows.len, out->ptr, &n) != SNAPPY_OK)
        return false;
    uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)rows.ptr, (uInt)rows.len);
    out->len = n;
    for (int i = 3; i >= 0; i--)
        buf_addc(out, (char)(crc >> (8 * i)));
    return true;
}

bool avro_put_block(Buf *b, Str rows, int64_t count, AvroCodec codec, const char *sync, Error *err)
{
    Buf packed = buf_heap(BLOCK_MAX);
    bool ok = codec == AVRO_CODEC_NULL || compressed(codec, rows, &packed);
    put_long(b, count);
    put_bytes(b, codec == AVRO_CODEC_NULL ? rows : (Str){packed.ptr, packed.len});
    buf_add_bytes(b, sync, AVRO_SYNC_BYTES);
    buf_free(&packed);
    return ok || error_internal(err, "an Avro block could not be compressed");
}
