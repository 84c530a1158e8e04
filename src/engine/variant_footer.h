/* Marks of variants in a Parquet footer. */
#pragma once

#include "plan/plan.h"

/* A mark as a byte of the footer. */
enum { VARIANT_MARK = 16 << 1 };

typedef struct MissingMark {
    size_t at;        /* where a group's description ends */
    unsigned last_id; /* of its fields before that */
} MissingMark;

/* Of a file that is to be read with marks in its shredded columns, and no others. */
typedef struct VariantFooter {
    VEC(size_t) marks;        /* to be taken away: where they stand */
    VEC(MissingMark) missing; /* to be set, in order: Spark 4.0 shredded before the format had a mark */
    StrVec shredded;          /* columns of the file */
} VariantFooter;

/* False, and nothing in *out: it is not a footer. */
bool variant_footer_read(Str footer, Arena *arena, VariantFooter *out);
/* The footer with what *f asks for. */
Str variant_footer_change(Str footer, const VariantFooter *f, Arena *arena);
