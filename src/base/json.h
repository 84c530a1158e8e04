/* Reading JSON with yyjson under our limits, and writing it into a Buf. */
#pragma once

#include <yyjson.h>

#include "base/buf.h"
#include "base/error.h"

enum { JSON_MAX_DEPTH = 256 };

/* Parses one whole document; *out is freed with the arena. text_name goes into the error. */
MUST_CHECK bool json_parse(Str text, Str text_name, Arena *arena, yyjson_val **out, Error *err);

Str json_str(yyjson_val *v);                               /* empty when not a string */
Str json_get_str(yyjson_val *obj, const char *key);        /* empty when absent */
bool json_get_bool(yyjson_val *obj, const char *key, bool otherwise);
int64_t json_get_i64(yyjson_val *obj, const char *key, int64_t otherwise);
/* The value as compact JSON text. */
Str json_text(yyjson_val *v, Arena *arena);

/* Writers: strings are escaped; numbers printed so that they read back the same. */
void json_put_str(Buf *b, Str s);                          /* with quotes */
void json_put_key(Buf *b, bool *first, const char *key);   /* [,]"key": */
void json_put_f64(Buf *b, double v);
