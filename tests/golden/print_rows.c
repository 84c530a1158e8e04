/* Prints the function registry for the generator of recorded answers: one JSON line a row that can be called. */
#include <stdio.h>

#include "func/func.h"

static void put(const char *key, const char *text) {
    printf("\"%s\":\"", key);
    for (; text && *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", *text);
        else
            putchar(*text);
    }
    putchar('"');
}

int main(void) {
    static const char *const kinds[] = {"scalar", "aggregate", "window", "generator"};
    for (size_t i = 0; i < func_count(); i++) {
        const FuncRow *row = func_at(i);
        if (row->flags & FUNC_HIDDEN)
            continue;
        printf("{");
        put("name", row->name);
        printf(",\"kind\":\"%s\",\"random\":%s,", kinds[row->kind],
               row->flags & (FUNC_NONDETERMINISTIC | FUNC_CONTEXT) ? "true" : "false");
        put("signature", row->signature);
        printf(",");
        put("example", row->example);
        printf("}\n");
    }
    return 0;
}
