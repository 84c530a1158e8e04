/* What the row files share: the families, and the hooks that more than one family uses. */
#pragma once

#include "func/func.h"

#define FUNC_FAMILIES(X)                                                                           \
    X(operator)                                                                                    \
    X(condition) X(math) X(string) X(datetime) X(collection) X(lambda) X(aggregate) X(window)      \
        X(generator) X(json) X(hash) X(session) X(special)

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
/* The name as the user wrote it. */
Str func_written_name(const BoundExpr *call);

/* 'text' as a DuckDB string literal. */
void func_put_string(Buf *out, Str text);
