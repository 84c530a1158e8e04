/* JSON as Jackson reads it for Spark: single quotes are allowed, number texts are kept, the rest of
 * the text is left alone. */
#pragma once

#include "base/buf.h"

typedef enum JsonKind {
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_INTEGER,
    JSON_REAL,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} JsonKind;

typedef struct JsonNode {
    JsonKind kind;
    Str key;                       /* inside an object */
    Str text;                      /* decoded string, or the number as written */
    Str raw;                       /* the value as it stands in the source */
    struct JsonNode *first, *next; /* children; the next sibling */
    size_t count;
} JsonNode;

typedef struct JsonDialect {
    bool no_single_quotes, unquoted_names, leading_zeros, comments, any_escape, control_chars,
        no_special_numbers;
} JsonDialect;

/* NULL when malformed or nested too deeply. */
JsonNode *json_node_parse(Str text, const JsonDialect *dialect, Arena *arena);
/* The value as Jackson copies it: compact, reals as Java prints doubles. */
void json_node_put(const JsonNode *v, Buf *out);
/* A string between quotes, escaped as Jackson does. */
void json_node_put_string(Str s, Buf *out);
/* The last child with the key; NULL when there is none. */
const JsonNode *json_node_field(const JsonNode *object, Str key);
/* A real number as a double prints. */
Str json_node_real_text(Str number, Arena *arena);
