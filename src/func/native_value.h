/* Values of any type inside DuckDB vectors: equality and hashing as Spark's sets and maps see them.
 */
#pragma once

#include "func/native_impl.h"

/* NULL equals NULL, NaN equals NaN, -0.0 equals 0.0. */
bool native_equal(const NativeVec *a, idx_t i, const NativeVec *b, idx_t j);
/* Agrees with native_equal; not Spark's hash function. */
uint64_t native_hash_value(const NativeVec *v, idx_t i);
