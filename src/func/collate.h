/* Strings of different collations in one call: which collation it takes, and how it is computed by keys. */
#pragma once

#include "func/func.h"

/* Some argument holds strings of another collation than UTF8_BINARY. */
bool collate_is_needed(const BoundExprVec *args);
/* Before the row's own rules: refuses what the function does not compare by, gives all strings one collation
 * where Spark does so. */
MUST_CHECK bool collate_arguments(FuncCall *call, const FuncContext *ctx, Error *err);
/* After them: arguments as they were before, and the collation of the result. */
void collate_result(FuncCall *call, const BoundExprVec *before, const FuncContext *ctx);
/* The DuckDB text of a call over collated strings; *done is false where the row's own template will do, over
 * the arguments that *args now holds. */
MUST_CHECK bool collate_render(const BoundExpr *call, const Str **args, size_t count, const FuncContext *ctx, Buf *out,
                               bool *done, Error *err);
