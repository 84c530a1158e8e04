/* Marks of variants in a Parquet footer. */
#pragma once

#include "plan/plan.h"

/* A mark as a byte of the footer. */
enum { VARIANT_MARK = 16 << 1 };

typedef struct MissingMark {
    size_t at;        /* where a group's description ends */
    unsigned last_id; /* of its fields before that */
} MissingMark;

/* A shredded variant whose column of metadata tells in which rows there is one. The changed footer
 * has that column once more, as variant_presence_name says, in so many optional groups. */
typedef struct Presence {
    StrVec path;     /* of the group, from the column down */
    size_t leaf;     /* which of the file's columns of values */
    unsigned levels; /* optional ones, its own too */
} Presence;

/* Part of a footer by place, and the count of a list or of a group's children that is there. */
typedef struct CountAt {
    size_t at, end;
    uint64_t count;
} CountAt;
typedef struct Span {
    size_t at, end;
} Span;
typedef struct RowGroupAt {
    CountAt list;
    size_t end;       /* of its columns */
    VEC(Span) chunks; /* of the leaves of presences, in their order */
} RowGroupAt;

/* Of a file that is to be read with marks in its shredded columns, and no others. */
typedef struct VariantFooter {
    VEC(size_t) marks;        /* to be taken away: where they stand */
    VEC(MissingMark) missing; /* to be set: Spark 4.0 shredded before the format had a mark */
    StrVec shredded;          /* columns of the file */
    VEC(Presence) presences;
    CountAt schema, root;
    size_t schema_end;
    VEC(RowGroupAt) row_groups;
} VariantFooter;

Str variant_presence_name(const StrVec *path, unsigned levels, Arena *arena);

/* False, and nothing in *out: it is not a footer. */
bool variant_footer_read(Str footer, Arena *arena, VariantFooter *out);
/* The footer with what *f asks for. */
Str variant_footer_change(Str footer, const VariantFooter *f, Arena *arena);
