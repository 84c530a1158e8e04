/* What the row files share: the families, and the hooks that more than one family uses. */
#pragma once

#include "func/func.h"

#define FUNC_FAMILIES(X)                                                                           \
    X(operator)                                                                                    \
    X(condition) X(math) X(string) X(datetime) X(collection) X(lambda) X(aggregate) X(window)      \
        X(generator) X(json) X(hash) X(session) X(special) X(variant) X(sketch) X(external) X(frequent)         \
        X(pandas) X(geo) X(curve)

#define DECLARE(name)                                                                              \
    extern const FuncRow name##_rows[];                                                            \
    extern const size_t name##_row_count;
FUNC_FAMILIES(DECLARE)
#undef DECLARE

#define END_OF_ROWS(name)                                                                          \
    const size_t name##_row_count = sizeof(name##_rows) / sizeof(name##_rows[0])

/* Writes a template for a call: render hooks that choose among texts end here. Always true. */
bool func_render_template(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, const char *sql, Buf *out);
/* The typed value of a text (or list of texts) as ls_from_json and ls_variant_cast write it. */
void func_put_decoded(Str text, const Type *t, const FuncContext *ctx, Buf *out);
/* Whether values of the type can become variants; and the DuckDB texts of the casts. */
bool func_fits_variant(const Type *t);
void func_put_to_variant(Str value, const Type *t, const FuncContext *ctx, Buf *out);
void func_put_variant_cast(Str value, Str path, const char *function, const Type *to, bool strict,
                           const FuncContext *ctx, Buf *out);

/* An array in Spark's order; whether NULL elements come last. */
void func_put_sorted(Buf *out, Str array, const Type *t, bool descending, bool nulls_last, Arena *arena);
/* The name as the user wrote it. */
/* The text of a sum, difference or product without the cast to its declared precision, for who takes any decimal: the
 * cast would look at every row again. Other texts stay as they are. */
Str func_wide_decimal(const BoundExpr *e, Str text, Arena *arena);
Str func_written_name(const BoundExpr *call);

/* 'text' as a DuckDB string literal. */
void func_put_string(Buf *out, Str text);
