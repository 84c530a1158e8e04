/* range(): from DuckDB's own function, or, where many rows are to be written, from a file that all threads read. */
#include "engine/engine_impl.h"
#include "engine/render.h"

/* DuckDB counts a range on one thread. Rows of a file come from all of them, in order, and each of
 * them gives the next `fan` numbers; numbers below `count`. */
static Str spread_numbers(Render *r, Str numbers, uint64_t count, uint64_t fan)
{
    return str_printf(r->arena,
                      "SELECT unnest(range(a * %llu, least(a * %llu + %llu, %llu))) AS a FROM (" STR_FMT ")",
                      (unsigned long long)fan, (unsigned long long)fan, (unsigned long long)fan,
                      (unsigned long long)count, STR_ARG(numbers));
}

/* SEEDS_FAN keeps the lists of a vector of rows within a processor's cache, SEEDS_MOST within memory. */
enum { ROWS_TO_SPREAD = 500000, SEEDS_FAN = 64, SEEDS_MOST = 4096 };

static bool spread_range(Render *r, const BoundRel *rel, Block *out)
{
    __int128 start = rel->range.start, end = rel->range.end, step = rel->range.step;
    __int128 rows = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
    if (!r->threads || !r->engine || rows < ROWS_TO_SPREAD ||
        rows > (__int128)SEED_ROWS * SEEDS_FAN * SEEDS_MOST)
        return false;
    __int128 reach = (rows - 1) * step;
    Str seeds = engine_memory_file(r->engine, MEMORY_SEEDS);
    if (reach > INT64_MAX || reach < INT64_MIN || !seeds.len)
        return false;
    uint64_t count = (uint64_t)rows, fan = (count + SEED_ROWS - 1) / SEED_ROWS, groups = count;
    uint64_t last = fan <= SEEDS_FAN ? 0 : SEEDS_FAN;
    if (last) {
        groups = (count + last - 1) / last;
        fan = (groups + SEED_ROWS - 1) / SEED_ROWS;
    }
    Str numbers = str_printf(r->arena, "SELECT CAST(a AS BIGINT) AS a FROM read_parquet('" STR_FMT "') WHERE a < %llu",
                             STR_ARG(seeds), (unsigned long long)((groups + fan - 1) / fan));
    numbers = spread_numbers(r, numbers, groups, fan);
    if (last)
        numbers = spread_numbers(r, numbers, count, last);
    ColumnId id = rel->columns.at[0].id;
    out->from = rope_text(r->arena,
                          str_printf(r->arena,
                                     "(SELECT CAST(%lld AS BIGINT) + a * CAST(%lld AS BIGINT) FROM (" STR_FMT
                                     ")) AS r%u(c%u)",
                                     (long long)rel->range.start, (long long)rel->range.step,
                                     STR_ARG(numbers), id, id));
    return true;
}

bool render_range(Render *r, const BoundRel *rel, Block *out)
{
    if (spread_range(r, rel, out))
        return true;
    ColumnId id = rel->columns.at[0].id;
    out->from = rope_text(
        r->arena,
        str_printf(r->arena,
                   "range(CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT)) "
                   "AS r%u(c%u)",
                   (long long)rel->range.start, (long long)rel->range.end,
                   (long long)rel->range.step, id, id));
    return true;
}
