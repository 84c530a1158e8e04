/* Numbers as Java prints them, which is how Spark prints them. */
#pragma once

#include "base/str.h"

enum { NUMBER_TEXT_MAX = 32 };

/* Double.toString and Float.toString of JDK 19 and later: the shortest digits that read back the same,
 * "1.0", "1.0E10", "1.0E-5", "NaN", "-Infinity". NUL-terminated; the length is returned. */
size_t double_text(double v, char out[NUMBER_TEXT_MAX]);
size_t float_text(float v, char out[NUMBER_TEXT_MAX]);

/* CAST(text AS DOUBLE): Java's Double.parseDouble after trimming, and Spark's names for the specials. */
bool double_parse(Str text, double *out);
bool float_parse(Str text, float *out);
