/* Numbers as Java prints them: Double.toString, Float.toString, and decimals in 128 bits. */
#pragma once

#include "base/buf.h"

void java_put_double(Buf *b, double v);
void java_put_float(Buf *b, float v);
void put_int128(Buf *b, __int128 v);
/* Plain text of unscaled / 10^scale, with exactly `scale` digits behind the point. */
void put_decimal(Buf *b, __int128 unscaled, int scale);

/* 10^n for n in 0..38. */
__int128 pow10_int128(int n);
/* unscaled / 10^from brought to scale `to`, rounded half up; false when the result needs more than
 * `precision` digits. */
bool decimal_rescale(__int128 unscaled, int from, int to, int precision, __int128 *out);

typedef enum NumberParse { NUMBER_OK, NUMBER_MALFORMED, NUMBER_OVERFLOW } NumberParse;
/* BigDecimal(text) rounded half up into (precision, scale). */
NumberParse decimal_parse(Str text, int precision, int scale, __int128 *out);
/* UTF8String.trimAll: everything up to and including the space goes from both ends. */
Str java_trim_all(Str s);
