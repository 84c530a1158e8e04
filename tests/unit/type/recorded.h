/* Reads a recorded table: lines of tab-separated columns with \n, \t and \\ escaped; # begins a comment. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { RECORDED_COLUMNS = 8 };

static inline Str recorded_unescape(const char *text, Arena *a)
{
    Buf b = buf_in(a);
    for (; *text; text++) {
        if (*text != '\\')
            buf_addc(&b, *text);
        else
            switch (*++text) {
            case 'n': buf_addc(&b, '\n'); break;
            case 't': buf_addc(&b, '\t'); break;
            default: buf_addc(&b, *text); break;
            }
    }
    return b.ptr ? buf_str(&b) : S("");
}

/* False at the end. Missing columns are empty. */
static inline bool recorded_next(FILE *in, Str columns[RECORDED_COLUMNS], Arena *a)
{
    static char line[16384];
    while (fgets(line, sizeof line, in)) {
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        for (int i = 0; i < RECORDED_COLUMNS; i++) {
            char *field = rest ? strsep(&rest, "\t") : NULL;
            columns[i] = field ? recorded_unescape(field, a) : S("");
        }
        return true;
    }
    return false;
}

static inline FILE *recorded_open(const char *name)
{
    char path[1024];
    const char *folder = getenv("RECORDED");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "tests/unit/type", name);
    return fopen(path, "re");
}
