/* Hostile statistics of files. */
#include "delta/stats.h"
#include "delta_fuzz.h"

static void read_stats(Str bytes, Arena *a)
{
    FileStats *s = stats_parse(bytes, a);
    (void)stats_num_records(bytes);
    (void)stats_with_wide_bounds(bytes, a);
    if (!s)
        return;
    Str path[] = {S("a"), S("b")};
    for (TypeKind kind = TYPE_BOOLEAN; kind <= TYPE_TIMESTAMP_NTZ; kind++) {
        ColumnStats c;
        if (kind != TYPE_DECIMAL && kind != TYPE_CHAR && kind != TYPE_VARCHAR)
            for (size_t depth = 1; depth <= 2; depth++)
                file_stats_column(s, path, depth, type_simple(kind), a, &c);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA(arena) = arena_new();
    read_stats((Str){(const char *)data, size}, arena);
    return 0;
}
