/* Feeds bytes to the SQL parser: whole statements, expressions and types. It may refuse them, never
 * crash or hang. */
#include "sql/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str text = {(const char *)data, size};
    for (int flags = 0; flags < 2; flags++) {
        SqlOptions options = {.ansi = true,
                              .zone = S("UTC"),
                              .enforce_reserved = flags,
                              .double_quoted_identifiers = flags};
        Error err = error_in(arena);
        Statement s;
        Expr *e;
        if (!sql_parse(text, &options, arena, &s, &err))
            error_message(&err, arena);
        error_clear(&err);
        if (!sql_parse_expr(text, &options, arena, &e, &err))
            error_message(&err, arena);
        error_clear(&err);
        const Type *type;
        if (!sql_parse_type(text, &options, arena, &type, &err))
            error_message(&err, arena);
    }
    arena_free(arena);
    return 0;
}
