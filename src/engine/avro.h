/* Avro's schemas and its binary encoding: object container files in, container files out. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "plan/plan.h"
#include "type/value.h"

typedef enum AvroKind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED
} AvroKind;

typedef struct AvroSchema AvroSchema;
struct AvroSchema {
    AvroKind kind;
    const Type *logical; /* what Spark reads it as, when the schema says more than the kind does */
    bool millis;         /* timestamps */
    int scale;           /* decimals */
    size_t size;         /* fixed */
    Str name;
    VEC(AvroSchema *) parts; /* fields, branches, the one element type; a named type may stand below itself */
    StrVec names;            /* of fields; symbols */
    StrVec defaults;         /* fields that have one */
    bool has_defaults;       /* one of them is not null */
    bool entered;            /* while its Spark type is made */
};

enum { AVRO_MAX_DEPTH = 64 };

MUST_CHECK bool avro_schema_parse(Str json, Arena *arena, AvroSchema **out, Error *err);
/* The Spark type, by SchemaConverters of Spark's Avro source. */
MUST_CHECK bool avro_schema_type(AvroSchema *s, int depth, Arena *arena, const Type **out, Error *err);
/* The branch that is left when null is taken from a union; the schema itself when it is no union, NULL when several are left. */
const AvroSchema *avro_schema_plain(const AvroSchema *s);

/* ---- container files ---- */

typedef enum AvroCodec { AVRO_CODEC_NULL, AVRO_CODEC_DEFLATE, AVRO_CODEC_SNAPPY, AVRO_CODEC_ZSTANDARD, AVRO_CODECS } AvroCodec;

enum { AVRO_SYNC_BYTES = 16 };

/* By Spark's names too: uncompressed. */
bool avro_codec_find(Str name, AvroCodec *out);
Str avro_codec_name(AvroCodec codec);
MUST_CHECK bool avro_inflate(AvroCodec codec, Str block, Buf *out, Error *err);

int avro_decimal_bytes(int precision);
/* The schema that Spark writes for rows of this type; skip: columns that are left out. */
MUST_CHECK bool avro_schema_text(const Type *row, const bool *skip, Str record_name, Str name_space, Arena *arena, Str *out, Error *err);
void avro_put_header(Buf *b, Str schema, AvroCodec codec, const char *sync);
void avro_put_row(Buf *b, const Type *row, const Value *cells, const bool *skip);
MUST_CHECK bool avro_put_block(Buf *b, Str rows, int64_t count, AvroCodec codec, const char *sync, Error *err);
