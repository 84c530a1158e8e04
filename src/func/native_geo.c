/* Well-known binary (OGC 06-103r4, section 8): read with bounds, written in either byte order. */
#include <math.h>

#include "func/native_impl.h"
#include "type/srid.h"

enum { WKB_MAX_DEPTH = 1000 };
enum { WKB_POINT = 1, WKB_LINE, WKB_POLYGON, WKB_MULTI_POINT, WKB_MULTI_LINE, WKB_MULTI_POLYGON, WKB_COLLECTION };

/* What a count counts, as Spark's messages have it, and the fewest bytes of one of them. */
static const struct {
    const char *counted, *name;
} KINDS[] = {
    [WKB_POINT] = {"", "Point"},
    [WKB_LINE] = {"LineString points", "LineString"},
    [WKB_POLYGON] = {"polygon rings", "Polygon"},
    [WKB_MULTI_POINT] = {"MultiPoint points", "MultiPoint"},
    [WKB_MULTI_LINE] = {"MultiLineString line strings", "MultiLineString"},
    [WKB_MULTI_POLYGON] = {"MultiPolygon polygons", "MultiPolygon"},
    [WKB_COLLECTION] = {"GeometryCollection geometries", "GeometryCollection"},
};

typedef struct Wkb {
    Native *n;
    Str in;
    size_t at;
    bool big;       /* byte order of the shape being read */
    bool write_big; /* and of what is written */
    bool earth;     /* longitudes and latitudes */
    Buf *out;
} Wkb;

static bool fail_at(Wkb *w, size_t at, Str what) {
    return NATIVE_FAIL(w->n, ERR_WKB_PARSE_ERROR, P("parseError", what),
                       P("pos", str_printf(w->n->arena, "%zu", at)));
}

static uint64_t bytes_at(const Wkb *w, size_t at, size_t size, bool big) {
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++)
        v |= (uint64_t)(uint8_t)w->in.ptr[at + i] << 8 * (big ? size - 1 - i : i);
    return v;
}

static void write_bytes(Wkb *w, uint64_t v, size_t size) {
    for (size_t i = 0; i < size; i++)
        buf_addc(w->out, (char)(v >> 8 * (w->write_big ? size - 1 - i : i)));
}

static size_t left(const Wkb *w) { return w->in.len - w->at; }

static bool read_count(Wkb *w, const char *counted, size_t least, uint32_t *count) {
    if (left(w) < 4)
        return fail_at(w, w->at, S("Unexpected end of WKB buffer"));
    int32_t number = (int32_t)(uint32_t)bytes_at(w, w->at, 4, w->big);
    if (number < 0)
        return fail_at(w, w->at, str_printf(w->n->arena, "Invalid count for %s: %d", counted, number));
    if ((uint64_t)number * least > left(w) - 4)
        return fail_at(w, w->at,
                       str_printf(w->n->arena, "Invalid count for %s: exceeds remaining bytes", counted));
    w->at += 4;
    *count = (uint32_t)number;
    write_bytes(w, *count, 4);
    return true;
}

/* Only a point by itself may be empty: all NaN. */
static bool read_point(Wkb *w, unsigned dimensions, bool alone, double *xy) {
    size_t start = w->at;
    for (unsigned i = 0; i < dimensions; i++) {
        if (left(w) < 8)
            return fail_at(w, w->at, S("Unexpected end of WKB buffer"));
        uint64_t bits = bytes_at(w, w->at, 8, w->big);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (isinf(v) || (isnan(v) && !alone))
            return fail_at(w, w->at, S("Invalid coordinate value found"));
        w->at += 8;
        write_bytes(w, bits, 8);
        if (i < 2)
            xy[i] = v;
    }
    if (w->earth && (fabs(xy[0]) > 180 || fabs(xy[1]) > 90))
        return fail_at(w, start, S("Invalid coordinate value found"));
    return true;
}

static bool read_line(Wkb *w, unsigned dimensions, bool ring) {
    size_t start = w->at;
    uint32_t count;
    TRY(read_count(w, ring ? "ring points" : KINDS[WKB_LINE].counted, 8 * dimensions, &count));
    if (ring ? count < 4 : count == 1)
        return fail_at(w, start,
                       ring ? S("Too few points in ring") : S("Too few points in linestring"));
    double first[2] = {0}, last[2] = {0};
    for (uint32_t i = 0; i < count; i++)
        TRY(read_point(w, dimensions, false, i ? last : first));
    if (ring && (first[0] != last[0] || first[1] != last[1]))
        return fail_at(w, start, S("Ring is not closed"));
    return true;
}

static bool read_shape(Wkb *w, int dimension_code, unsigned depth, int *kind);

static bool read_parts(Wkb *w, int kind, int dimension_code, unsigned depth) {
    uint32_t count;
    TRY(read_count(w, KINDS[kind].counted, 5, &count));
    for (uint32_t i = 0; i < count; i++) {
        int part, wanted = kind - WKB_MULTI_POINT + WKB_POINT;
        TRY(read_shape(w, dimension_code, depth + 1, &part));
        if (kind != WKB_COLLECTION && part != wanted)
            return fail_at(w, w->at,
                           str_printf(w->n->arena, "Expected %s in %s", KINDS[wanted].name, KINDS[kind].name));
    }
    return true;
}

/* dimension_code: 0 XY, 1 Z, 2 M, 3 ZM; -1: of any. Parts have the dimensions of the whole. */
static bool read_shape(Wkb *w, int dimension_code, unsigned depth, int *kind) {
    size_t start = w->at;
    if (depth > WKB_MAX_DEPTH)
        return fail_at(w, start, S("Geometries nested more than 1000 levels deep"));
    if (left(w) < 5)
        return fail_at(w, start, S("Unexpected end of WKB buffer"));
    uint8_t order = (uint8_t)w->in.ptr[start];
    if (order > 1)
        return fail_at(w, start, str_printf(w->n->arena, "Invalid byte order %u", order));
    bool outer = w->big;
    w->big = order == 0;
    int32_t type = (int32_t)(uint32_t)bytes_at(w, start + 1, 4, w->big);
    int code = type / 1000;
    *kind = type % 1000;
    if (type < 0 || code > 3 || *kind < WKB_POINT || *kind > WKB_COLLECTION ||
        (dimension_code >= 0 && code != dimension_code))
        return fail_at(w, start + 1, str_printf(w->n->arena, "Invalid or unsupported type %d", type));
    w->at += 5;
    write_bytes(w, w->write_big ? 0 : 1, 1);
    write_bytes(w, (uint32_t)type, 4);
    unsigned dimensions = code == 0 ? 2 : code == 3 ? 4 : 3;
    double xy[2];
    if (*kind == WKB_POINT) {
        TRY(read_point(w, dimensions, true, xy));
    } else if (*kind == WKB_LINE) {
        TRY(read_line(w, dimensions, false));
    } else if (*kind == WKB_POLYGON) {
        uint32_t rings;
        TRY(read_count(w, KINDS[WKB_POLYGON].counted, 4, &rings));
        for (uint32_t i = 0; i < rings; i++)
            TRY(read_line(w, dimensions, true));
    } else {
        TRY(read_parts(w, *kind, code, depth));
    }
    w->big = outer;
    return true;
}

static bool convert(Native *n, idx_t row, bool earth, bool write_big) {
    Wkb w = {.n = n, .in = native_str(n, 0, row), .earth = earth, .write_big = write_big, .out = &n->scratch};
    int kind;
    if (!w.in.len)
        return fail_at(&w, 0, S("WKB data is empty or null"));
    return read_shape(&w, -1, 0, &kind) && native_set_scratch(n, row);
}

/* (bytes, on the Earth): the same shape in little-endian order, without what follows it. */
static bool row_wkb(Native *n, idx_t row) { return convert(n, row, native_bool(n, 1, row), false); }

/* (bytes, 'NDR' or 'XDR') */
static bool row_wkb_order(Native *n, idx_t row) {
    Str order = native_str(n, 1, row);
    if (!str_is_ci(order, "NDR") && !str_is_ci(order, "XDR"))
        return NATIVE_FAIL(n, ERR_ST_INVALID_ENDIANNESS_VALUE, P("endianness", order));
    return convert(n, row, false, str_is_ci(order, "XDR"));
}

/* (srid, on the Earth) */
static bool row_srid(Native *n, idx_t row) {
    int32_t srid = native_i32(n, 0, row);
    if (!srid_is_known(native_bool(n, 1, row) ? TYPE_GEOGRAPHY : TYPE_GEOMETRY, srid))
        return NATIVE_FAIL(n, ERR_ST_INVALID_SRID_VALUE, P("srid", str_printf(n->arena, "%d", srid)));
    return native_set_i32(n, row, srid);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_wkb", "x:xb", row_wkb, 0, 0},
    {"ls_wkb_order", "x:xs", row_wkb_order, 0, 0},
    {"ls_srid", "4:4b", row_srid, 0, 0},
};

bool native_register_geo(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
