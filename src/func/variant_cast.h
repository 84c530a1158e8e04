/* VARIANT and Spark's types: values of columns become variants, parts of variants become typed texts. */
#pragma once

#include "func/native_impl.h"
#include "func/variant.h"
#include "type/type.h"

typedef struct VariantCast {
    const Zone *zone;
    Str zone_name;
    bool strict; /* a value that does not fit is an error, not NULL */
    Arena *arena;
    Error *err;
} VariantCast;

/* The value as the text that rows_json.c decodes into t; *null when it is NULL. False: err is set. */
bool variant_cast(VariantCast *c, const Variant *v, const Type *t, Str *out, bool *null);
/* A column's value as a variant; NULL when a variant inside it is malformed. */
VariantNode *variant_from_vector(const NativeVec *v, idx_t row, const Type *t, Arena *arena);
/* The variant's type, objects as structs and mixtures as VARIANT; NULL when malformed. */
const Type *variant_schema(const Variant *v, Arena *arena);
const Type *variant_merge_schema(const Type *a, const Type *b, Arena *arena);
/* "OBJECT<a: BIGINT>" */
void variant_put_schema(const Type *t, Arena *arena, Buf *out);
