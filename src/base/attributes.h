/* Compiler attributes used in public headers, so that a forgotten check is a warning. */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Passes a failure up: for calls that return bool and fill an Error. */
#define TRY(call)         \
    do {                  \
        if (!(call))      \
            return false; \
    } while (0)
