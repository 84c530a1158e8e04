/* Which types meet, and what may become what: Spark's (Ansi)TypeCoercion as tables and functions. */
#pragma once

#include "type/type.h"

/* The type both sides are cast to in a comparison, CASE, coalesce, UNION, array(...); NULL when none.
 * ansi: AnsiTypeCoercion.findWiderTypeForTwo (string yields to the other side for atomic types);
 * otherwise TypeCoercion's (string wins). */
const Type *coerce_common(const Type *a, const Type *b, bool ansi, Arena *arena);

/* The tightest common type without string promotion (findTightestCommonType); NULL when none. */
const Type *coerce_tightest(const Type *a, const Type *b, Arena *arena);
/* The same; outside ANSI a float and an integer are a float. */
const Type *coerce_operands(const Type *a, const Type *b, bool ansi, Arena *arena);

/* As coerce_common without strings meeting other types: greatest, least (findWiderTypeWithoutStringPromotion). */
const Type *coerce_common_no_strings(const Type *a, const Type *b, bool ansi, Arena *arena);

/* Whether every value of an integral or decimal type fits the decimal: DecimalType.isWiderThan. */
bool decimal_is_wider(const Type *decimal, const Type *other);

/* Whether an argument of type `from` is accepted implicitly where `to` is wanted. */
bool coerce_implicit(const Type *from, const Type *to, bool ansi);

/* Result of +, -, *, /, % and 'd' (div, before it becomes BIGINT) for two decimals: Spark's DecimalPrecision with
 * precision loss allowed. */
const Type *coerce_decimal_arithmetic(char op, const Type *a, const Type *b, Arena *arena);
/* The same with spark.sql.decimalOperations.allowPrecisionLoss off: digits beyond 38 are cut off, the scale stays. */
const Type *coerce_decimal_lossless(char op, const Type *a, const Type *b, Arena *arena);

typedef enum CastMode { CAST_ANSI, CAST_LEGACY, CAST_TRY } CastMode;
/* Whether CAST(from AS to) is allowed at all in this mode: Cast.canCast / canAnsiCast / canTryCast. */
bool cast_is_allowed(const Type *from, const Type *to, CastMode mode);
/* Whether a value can become NULL through the cast: forceNullable. */
bool cast_can_make_null(const Type *from, const Type *to, CastMode mode);
/* Whether every value keeps its meaning: Spark's Cast.canUpCast, where try_cast adds no NULL. */
bool cast_is_upcast(const Type *from, const Type *to);
/* Whether an INSERT may store `from` into a column of type `to` (ANSI store assignment). */
bool coerce_can_store(const Type *from, const Type *to);
