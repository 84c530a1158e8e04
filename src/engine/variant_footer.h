/* Marks of variants in a Parquet footer. */
#pragma once

#include "plan/plan.h"

/* A mark as a byte of the footer, and what stands there instead when it is taken away: a logical type that no reader knows. */
enum { VARIANT_MARK = 16 << 1, VARIANT_NO_MARK = 63 << 1 };

typedef struct VariantFooter {
    VEC(size_t) marks; /* where they stand; those of shredded columns are left out */
    StrVec shredded;   /* columns of the file */
} VariantFooter;

/* False, and nothing in *out: it is not a footer. */
bool variant_footer_read(Str footer, Arena *arena, VariantFooter *out);
