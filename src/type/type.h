/* Spark's data types: immutable values, shared freely inside the arena that made them. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

typedef enum TypeKind {
    TYPE_NULL, /* Spark's void */
    TYPE_BOOLEAN,
    TYPE_BYTE,
    TYPE_SHORT,
    TYPE_INT,
    TYPE_LONG,
    TYPE_FLOAT,
    TYPE_DOUBLE,
    TYPE_DECIMAL,
    TYPE_STRING,
    TYPE_CHAR,
    TYPE_VARCHAR,
    TYPE_BINARY,
    TYPE_DATE,
    TYPE_TIMESTAMP,     /* an instant, microseconds */
    TYPE_TIMESTAMP_NTZ, /* a wall-clock reading, microseconds */
    TYPE_TIME,
    TYPE_INTERVAL_YM,   /* months */
    TYPE_INTERVAL_DT,   /* microseconds */
    TYPE_INTERVAL_CALENDAR,
    TYPE_ARRAY,
    TYPE_MAP,
    TYPE_STRUCT,
    TYPE_VARIANT,
    TYPE_GEOMETRY,      /* a shape on a plane */
    TYPE_GEOGRAPHY,     /* a shape on the Earth */
    TYPE_KIND_COUNT
} TypeKind;

typedef struct Type Type;

typedef struct Field {
    Str name;
    const Type *type;
    bool nullable;
    Str metadata; /* JSON object text; empty = {} */
} Field;

typedef enum IntervalUnit { UNIT_YEAR, UNIT_MONTH, UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND } IntervalUnit;

struct Type {
    TypeKind kind;
    union {
        struct { int precision, scale; } decimal;        /* 1..38, 0..precision */
        struct { Str collation; } string;                /* empty = UTF8_BINARY; so written, it is only printed */
        struct { int length; } text;                     /* CHAR, VARCHAR: characters */
        struct { int precision; } time;                  /* 0..6 */
        struct { IntervalUnit from, to; } interval;      /* YM and DT */
        struct { int srid; } geo;                        /* GEOMETRY, GEOGRAPHY; -1: any */
        struct { const Type *element; bool nulls; } array;
        struct { const Type *key, *value; bool nulls; } map;
        struct { const Field *fields; size_t count; } structure;
    };
};

enum { TYPE_MAX_DEPTH = 64, DECIMAL_MAX_PRECISION = 38 };

/* The types without parameters; also STRING (UTF8_BINARY), TIME(6), full-range intervals. */
const Type *type_simple(TypeKind kind);
const Type *type_decimal(int precision, int scale, Arena *arena);
const Type *type_text(TypeKind char_or_varchar, int length, Arena *arena);
const Type *type_string(Str collation, Arena *arena);
/* STRING COLLATE UTF8_BINARY: the same type as STRING, and printed as it was declared. */
const Type *type_string_binary(void);
const Type *type_time(int precision, Arena *arena);
const Type *type_geo(TypeKind geometry_or_geography, int srid, Arena *arena);
bool type_is_geo(const Type *type);
bool type_has_geo(const Type *type); /* at any depth */
/* What carries a value outside: of shapes STRUCT<srid: INT, wkb: BINARY>, of other types themselves. */
const Type *type_carrier(const Type *type);
const Type *type_interval(TypeKind ym_or_dt, IntervalUnit from, IntervalUnit to, Arena *arena);
const Type *type_array(const Type *element, bool nulls, Arena *arena);
const Type *type_map(const Type *key, const Type *value, bool nulls, Arena *arena);
const Type *type_struct(const Field *fields, size_t count, Arena *arena); /* copies the array */

/* The same type in another arena, every string copied. */
const Type *type_copy(const Type *type, Arena *arena);

bool type_equal(const Type *a, const Type *b);             /* names, nullability and all */
bool type_same_shape(const Type *a, const Type *b);        /* as Spark's sameType: nullability ignored */
bool type_is_integral(const Type *t);                      /* byte..long */
bool type_is_fractional(const Type *t);                    /* float, double, decimal */
bool type_is_numeric(const Type *t);
bool type_is_stringy(const Type *t);                       /* string, char, varchar */
bool type_is_datetime(const Type *t);                      /* date, timestamp, timestamp_ntz, time */
bool type_is_interval(const Type *t);
bool type_is_nested(const Type *t);                        /* array, map, struct */
bool type_is_orderable(const Type *t);                     /* no map, no variant, no calendar interval inside */
bool type_contains(const Type *t, TypeKind kind);
/* Index of a field by name, -1 when absent, -2 when two match. */
int type_field_index(const Type *structure, Str name, bool case_sensitive);
/* CHAR and VARCHAR become STRING, at every depth: what a query sees. */
const Type *type_char_as_string(const Type *t, Arena *arena);
/* Everything nullable at every depth, as Delta stores a written schema. */
const Type *type_as_nullable(const Type *t, Arena *arena);

/* Decimal wide enough for every value of an integral type; for float (14,7), double (30,15). */
const Type *type_decimal_for(const Type *numeric, Arena *arena);
/* (p, s) brought into 38 digits as Spark's adjustPrecisionScale does (allowPrecisionLoss). */
const Type *type_decimal_bounded(int precision, int scale, Arena *arena);

/* ---- text forms ---- */

/* "struct<a:int,b:array<string>>": simpleString, catalogString in full. */
Str type_simple_string(const Type *t, Arena *arena);
/* "STRUCT<a: INT, b: ARRAY<STRING>>": how error messages and CAST names print a type. */
Str type_sql(const Type *t, Arena *arena);
/* "a INT NOT NULL,b STRING COMMENT 'x'" for a struct's top level: StructType.toDDL. */
Str type_ddl(const Type *structure, Arena *arena);
/* StructType.json: {"type":"struct","fields":[...]} or "\"integer\"". */
Str type_json(const Type *t, Arena *arena);
/* The same with STRING COLLATE UTF8_BINARY told from STRING, for the catalog: other readers of the text know only "string". */
Str type_json_declared(const Type *t, Arena *arena);
MUST_CHECK bool type_from_json(Str json, Arena *arena, const Type **out, Error *err);
/* "int", "array<struct<a:int>>", or a whole "a INT, b STRING" (also "a: int"): Spark's parseDataType/fromDDL. */
MUST_CHECK bool type_from_ddl(Str text, Arena *arena, const Type **out, Error *err);
/* A type without parts by its SQL name and the numbers in its parentheses: "decimal", {10, 2}. Refuses as
 * Spark does: UNSUPPORTED_DATATYPE, DATATYPE_MISSING_SIZE, INCOMPLETE_TYPE_DEFINITION and the decimal limits. */
MUST_CHECK bool type_from_name(Str name, const int *sizes, size_t count, Arena *arena, const Type **out,
                               Error *err);
/* A collation's canonical spelling ("unicode_ci" -> "UNICODE_CI"; empty for UTF8_BINARY), or COLLATION_INVALID_NAME. */
MUST_CHECK bool type_collation(Str name, Arena *arena, Str *canonical, Error *err);
/* The name between backquotes where it is no plain identifier: how SQL and error messages print a name part. */
Str type_quote_if_needed(Str name, Arena *arena);
/* "year" ... "second". */
const char *type_interval_unit(IntervalUnit unit);
/* The lines of printSchema below "root". max_level 0 = all. */
Str type_tree_string(const Type *structure, int max_level, Arena *arena);
/* The DuckDB type that carries this one; see type/README.md for the table. */
Str type_duckdb(const Type *t, Arena *arena);
/* The DuckDB type that data files keep it as: shapes are DuckDB's GEOMETRY there. */
Str type_duckdb_stored(const Type *t, Arena *arena);
/* The name field i of a struct has inside DuckDB: its own, or "_i" when names collide there. */
Str type_duckdb_field(const Type *structure, size_t i, Arena *arena);
