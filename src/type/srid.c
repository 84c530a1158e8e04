/* Spatial reference systems: a table of runs of numbers. */
#include "type/srid.h"

#include "base/buf.h"

typedef struct Run {
    int first, last;
    bool geographic;
    const char *authority;
} Run;

static const Run runs[] = {
#define SRID_EPSG(first, last) {first, last, false, "EPSG"},
#define SRID_EPSG_GEO(first, last) {first, last, true, "EPSG"},
#define SRID_ESRI(first, last) {first, last, false, "ESRI"},
#define SRID_ESRI_GEO(first, last) {first, last, true, "ESRI"},
#include "type/srid.def"
};

static const Run *find(int srid)
{
    size_t low = 0, high = LENGTH_OF(runs);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle].last < srid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < LENGTH_OF(runs) && runs[low].first <= srid ? &runs[low] : NULL;
}

bool srid_is_known(TypeKind kind, int srid)
{
    if (srid == 0)
        return kind == TYPE_GEOMETRY;
    const Run *run = find(srid);
    return run && (kind == TYPE_GEOMETRY || run->geographic);
}

Str srid_name(int srid, Arena *arena)
{
    const Run *run = find(srid);
    if (srid == SRID_ANY)
        return S("SRID:ANY");
    if (srid == SRID_WGS84)
        return S("OGC:CRS84");
    return str_printf(arena, "%s:%d", run ? run->authority : "SRID", srid);
}

bool srid_from_name(Str name, int *srid)
{
    if (str_is_ci(name, "OGC:CRS84") || str_is_ci(name, "SRID:ANY")) {
        *srid = str_is_ci(name, "SRID:ANY") ? SRID_ANY : SRID_WGS84;
        return true;
    }
    ptrdiff_t colon = str_find_char(name, ':');
    int64_t number;
    if (colon < 0 || !str_to_i64(str_slice(name, (size_t)colon + 1, name.len), &number) || number < 0 ||
        number > 1000000)
        return false;
    const Run *run = find((int)number);
    Str authority = str_slice(name, 0, (size_t)colon);
    *srid = (int)number;
    return run ? str_is_ci(authority, run->authority) : number == 0 && str_is_ci(authority, "SRID");
}
