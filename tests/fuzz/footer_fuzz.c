/* Hostile bytes for the footers of Parquet files. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/variant_footer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA(arena) = arena_new();
    VariantFooter f;
    bool ok = variant_footer_read((Str){(const char *)data, size}, arena, &f);
    if (!ok && (f.marks.len || f.missing.len || f.shredded.len || f.presences.len || f.row_groups.len))
        abort();
    for (size_t i = 0; i < f.marks.len; i++)
        if (f.marks.at[i] >= size || data[f.marks.at[i]] != VARIANT_MARK)
            abort();
    for (size_t i = 0; i < f.missing.len; i++)
        if (f.missing.at[i].at >= size || data[f.missing.at[i].at] || !f.missing.at[i].last_id || f.missing.at[i].last_id > 9)
            abort();
    Str changed = variant_footer_change((Str){(const char *)data, size}, &f, arena);
    VariantFooter again;
    if (ok && (!variant_footer_read(changed, arena, &again) || again.marks.len || again.missing.len))
        abort();
    return 0;
}
