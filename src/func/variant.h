/* VARIANT's binary form: reading parts of a value in place, building values, their JSON text. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "type/datetime.h"

typedef enum VariantKind {
    VARIANT_NULL,
    VARIANT_BOOLEAN,
    VARIANT_LONG,
    VARIANT_FLOAT,
    VARIANT_DOUBLE,
    VARIANT_DECIMAL,
    VARIANT_DATE,
    VARIANT_TIMESTAMP,
    VARIANT_TIMESTAMP_NTZ,
    VARIANT_STRING,
    VARIANT_BINARY,
    VARIANT_UUID,
    VARIANT_OBJECT,
    VARIANT_ARRAY
} VariantKind;

enum { VARIANT_MAX_DEPTH = 500, VARIANT_MAX_BYTES = 128 << 20 };

/* One value, pointing into the bytes it was read from. */
typedef struct Variant {
    VariantKind kind;
    Str metadata;
    Str raw;         /* the value's own bytes and whatever follows */
    int64_t integer; /* boolean, long, date, timestamps */
    double real;     /* float, double */
    __int128 unscaled;
    int scale;
    Str bytes;       /* string, binary, uuid */
    uint32_t count;  /* members of an object or array */
    Str ids, offsets, data;
    unsigned id_size, offset_size;
} Variant;

/* False: the bytes are no variant (MALFORMED_VARIANT). */
bool variant_read(Str value, Str metadata, Variant *out);
/* Member i: objects in the order of their keys. */
bool variant_member(const Variant *v, uint32_t i, Str *key, Variant *out);
/* *found: whether the object has the key. */
bool variant_field(const Variant *v, Str key, Variant *out, bool *found);
/* The text of to_json; false when malformed. */
bool variant_put_json(const Variant *v, const Zone *zone, Buf *out);
/* The bytes of the value alone, without what follows it; empty when malformed. */
Str variant_bytes(const Variant *v);
/* Decimal without trailing zeros, as Spark reads it. */
void variant_strip_zeros(__int128 *unscaled, int *scale);

/* Building: a tree of nodes, then the two byte strings. */
typedef struct VariantNode {
    VariantKind kind;
    Str key;
    int64_t integer;
    double real;
    __int128 unscaled;
    int scale;
    Str bytes;
    struct VariantNode *first, *last, *next;
    size_t count;
} VariantNode;

VariantNode *variant_node(VariantKind kind, Arena *arena);
void variant_add(VariantNode *parent, VariantNode *child);
/* NULL when the text is no JSON value or names a key twice. */
VariantNode *variant_parse_json(Str text, Arena *arena);
/* A part of another value; NULL when malformed. */
VariantNode *variant_node_of(const Variant *v, Arena *arena);
/* False: too large. */
bool variant_write(const VariantNode *root, Arena *arena, Str *value, Str *metadata);

/* "$.a['b'][0]". */
typedef struct VariantStep {
    Str key; /* without pointer: an index */
    uint32_t index;
} VariantStep;
typedef VEC(VariantStep) VariantPath;
bool variant_parse_path(Str text, Arena *arena, VariantPath *out);
/* Follows the path; *found is false where it leads nowhere. False when malformed. */
bool variant_follow(const Variant *v, const VariantPath *path, Variant *out, bool *found);
