/* What the files of Value share. */
#pragma once

#include "base/buf.h"
#include "type/value.h"

static inline __int128 i128_wide(I128 v)
{
    return (__int128)((unsigned __int128)(uint64_t)v.high << 64 | v.low);
}

static inline I128 i128_from(__int128 v)
{
    return (I128){(uint64_t)v, (int64_t)(v >> 64)};
}

/* Java's BigDecimal.toString: plain, or "1E-7" below a millionth. */
void decimal_put_java(Buf *b, I128 unscaled, int scale);
void decimal_put_plain(Buf *b, I128 unscaled, int scale);
/* Text within single quotes, with backslashes as Spark's Literal.sql writes it. */
void put_sql_string(Buf *b, Str s);
