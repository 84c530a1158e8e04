/* The collations of strings: how they are called, and which there are. */
#pragma once

#include "type/type.h"

/* What a name says. */
typedef struct Collation {
    Str base;            /* UTF8_BINARY, UTF8_LCASE, UNICODE or a locale: "sr_Cyrl_SRB" */
    bool icu;            /* the order is ICU's: UNICODE and the locales */
    bool lower;          /* UTF8_LCASE */
    bool ignores_case, ignores_accents, trims;
} Collation;

/* Type's collation where two sources with no explicit one met: nothing can be compared by it. */
#define COLLATION_INDETERMINATE "null"

/* Reads a name without case, its parts in any order; false when there is no such collation. */
bool collation_read(Str name, Collation *out);
/* "UNICODE_CI_AI_RTRIM": the name in its one spelling. */
Str collation_name(const Collation *c, Arena *arena);
/* Up to three names close to one that is none, separated by commas. */
Str collation_suggestions(Str name, Arena *arena);
/* A row of collations(): every collation in Spark's order. */
typedef struct CollationInfo {
    Str name, language, country; /* the last two empty where there are none */
    Collation what;
} CollationInfo;
typedef VEC(CollationInfo) CollationInfoVec;
CollationInfoVec collation_list(Arena *arena);
/* The cell of a row under Spark's name of the column; empty: NULL. */
Str collation_cell(const CollationInfo *c, const char *column);

/* Strings of another collation than UTF8_BINARY stand somewhere inside. */
bool type_is_collated(const Type *t);
/* The same for those whose collation is indeterminate. */
bool type_is_indeterminate(const Type *t);
/* Strings stand somewhere inside. */
bool type_has_string(const Type *t);
/* The collation of the first string inside; empty: UTF8_BINARY. */
Str type_first_collation(const Type *t);
/* The type with every string inside, or only the plain ones, given this collation. */
const Type *type_with_collation(const Type *t, Str collation, bool only_plain, Arena *arena);
