/* A constant of a Spark type: literals, partition values, defaults, statistics. */
#pragma once

#include "type/type.h"

typedef struct Value Value;

typedef struct I128 {
    uint64_t low;
    int64_t high;
} I128;

struct Value {
    const Type *type;
    bool is_null;
    union {
        bool boolean;
        int64_t integer;          /* byte..long, date (days), timestamps and TIME (us), intervals YM (months), DT (us) */
        double real;              /* float, double */
        I128 decimal;             /* unscaled */
        Str bytes;                /* string, char, varchar, binary; variant: value bytes */
        struct { int32_t months, days; int64_t micros; } calendar;
        struct { Value *items; size_t count; } list;   /* array; struct in field order */
        struct { Value *keys, *values; size_t count; } map;
    };
};

Value value_null(const Type *type);
Value value_bool(bool v);
Value value_int(TypeKind kind, int64_t v);     /* any integer-carried simple type */
Value value_double(double v);
Value value_string(Str v);

bool value_equal(const Value *a, const Value *b);
/* Spark's Literal.sql: DATE '2024-01-01', 1L, 'a', CAST('NaN' AS DOUBLE). zone: session time zone name. */
Str value_sql(const Value *v, Str zone, Arena *arena);
/* How an expression's auto-generated name shows the literal: toPrettySQL (strings without quotes). */
Str value_pretty(const Value *v, Str zone, Arena *arena);
/* The DuckDB expression for the value, of exactly the type type_duckdb gives. */
Str value_duckdb(const Value *v, Arena *arena);
/* CAST(v AS STRING) as Spark prints it. */
Str value_to_text(const Value *v, Str zone, Arena *arena);
/* CAST(text AS type); false with CAST_INVALID_INPUT. For partition values and DDL defaults. */
MUST_CHECK bool value_from_text(Str text, const Type *type, Str zone, Arena *arena, Value *out, Error *err);
/* CAST of an integer, decimal, date or text where it goes by the value's text and loses nothing; false for others and for errors. */
bool value_cast_plain(const Value *v, const Type *type, Str zone, Arena *arena, Value *out);

/* Decimal text "12.34" or "1e-5" to its smallest type, false when malformed or past 38 digits; and back. */
MUST_CHECK bool value_decimal_parse(Str text, Arena *arena, Value *out);
Str value_decimal_text(I128 unscaled, int scale, Arena *arena);
