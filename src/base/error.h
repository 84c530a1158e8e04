/* An error is a class (Spark's name), named parameters and, for SQL, the place in the text. */
#pragma once

#include "base/str.h"

typedef enum ErrorClass {
    ERR_NONE = 0,
#define ERROR_CLASS(id, name, sqlstate, message) id,
#include "base/error_class.def"
#include "base/error_class_own.def"
#undef ERROR_CLASS
    ERR_COUNT
} ErrorClass;

typedef struct ErrorParam {
    const char *key;
    Str value;
} ErrorParam;

enum { ERROR_MAX_PARAMS = 12 };

/* How Spark words the place of an error. */
typedef enum ErrorPlace {
    PLACE_RUNTIME,  /* a block "== SQL (line 1, position 8) ==" after the message */
    PLACE_ANALYSIS, /* "; line 1 pos 7" after the message */
    PLACE_PARSE,    /* a refusal by the parser's own rules: an empty line, then as PLACE_RUNTIME */
    PLACE_SYNTAX    /* a token that does not fit: " (line 1, pos 7)" and the statement with ----^^^ */
} ErrorPlace;

/* The piece of SQL text or the DataFrame call that an error is about; Spark's QueryContext. */
typedef struct ErrorContext {
    Str object_type;   /* "", "VIEW", ... */
    Str object_name;
    Str fragment;      /* the text between start and stop */
    Str summary;       /* the block Spark prints under "== SQL ==" */
    Str call_site;     /* of a DataFrame call: the fragment is the function's name then */
    bool is_dataframe;
    int start_index;   /* 0-based code point offsets into the statement, inclusive; -1 = none */
    int stop_index;
    ErrorPlace place;
    int line;          /* from 1; 0 = unknown */
    int position;      /* code points into the line, from 0 */
} ErrorContext;

typedef struct Error {
    Arena *arena;      /* holds every string below */
    ErrorClass cls;
    unsigned param_count;
    ErrorParam params[ERROR_MAX_PARAMS];
    ErrorContext context;
    bool has_context;
    int script_line;   /* of the statement in a SQL script, from 1; 0: printed without */
    Str verbatim;      /* when set, the whole message as another layer worded it */
} Error;

/* An empty error whose strings will live in the arena. */
Error error_in(Arena *arena);

/* Sets class and parameters; always returns false, so that `return error_set(...)` reads well. */
#define error_set(err, cls, ...) \
    error_set_params((err), (cls), (const ErrorParam[]){__VA_ARGS__ __VA_OPT__(, ){NULL, {NULL, 0}}})
#define P(key, str) {(key), (str)}
#define PZ(key, z) {(key), str_from(z)}
bool error_set_params(Error *err, ErrorClass cls, const ErrorParam *params);

/* An error that lakeshed has no class for: INTERNAL_ERROR with this text. Always false. */
bool error_internal(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* UNSUPPORTED_FEATURE-like refusal naming the thing: "<what> is not supported". Always false. */
bool error_unsupported(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The message as it travels through a layer that knows texts only, for error_set_from_text. */
Str error_wire_text(const Error *err, Arena *arena);
/* A message that already carries "[CLASS] text", perhaps behind another layer's prefix: class and
 * SQLSTATE are looked up by the name, parameters by the class's wording; without a known class it is INTERNAL_ERROR. Always false. */
bool error_set_from_text(Error *err, Str message);

/* Says where in the statement the error is: byte offsets, stop inclusive. The first place stays. For a
 * view's text set context.object_type ("VIEW") and context.object_name before. PLACE_SYNTAX leaves
 * has_context false, as Spark's own syntax errors carry no query context. */
void error_locate(Error *err, ErrorPlace place, Str sql, size_t start, size_t stop);

/* The same for a DataFrame call, "cast" at "job.py:12". */
void error_locate_call(Error *err, ErrorPlace place, Str fragment, Str call_site);
/* A context that names no place, as Spark gives where the expression has lost it. */
void error_locate_nowhere(Error *err);

void error_clear(Error *err);
bool error_is_set(const Error *err);
/* Copies src into dst's arena. */
void error_copy(Error *dst, const Error *src);
Str error_param(const Error *err, const char *key); /* empty when absent */

const char *error_class_name(ErrorClass cls);      /* "TABLE_OR_VIEW_NOT_FOUND" */
const char *error_class_sqlstate(ErrorClass cls);  /* "42P01" */
const char *error_class_template(ErrorClass cls);
ErrorClass error_class_by_name(Str name);          /* ERR_NONE when unknown */

/* "[CLASS] text with parameters filled in SQLSTATE: 42P01" as Spark's getMessage gives it. */
Str error_message(const Error *err, Arena *arena);
