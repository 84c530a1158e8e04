/* Statistics texts: numRecords without parsing, bounds of one column with it. */
#include "delta/stats.h"

#include <math.h>
#include <string.h>

#include "delta/deletion_vector.h"
#include "type/datetime.h"

struct FileStats {
    int64_t num_records;
    bool tight;
    yyjson_val *min, *max, *null_count;
};

/* ---- numRecords ---- */

static int64_t parse_records(Str stats)
{
    AUTO_ARENA(scratch) = arena_new();
    FileStats *s = stats_parse(stats, scratch);
    return s ? s->num_records : -1;
}

int64_t stats_num_records(Str stats)
{
    /* Writers put it first; anything else is parsed in full. */
    static const char start[] = "{\"numRecords\":";
    size_t i = sizeof start - 1;
    int64_t n = 0;
    if (stats.len <= i || memcmp(stats.ptr, start, i) != 0)
        return stats.len ? parse_records(stats) : -1;
    size_t first = i;
    for (; i < stats.len && stats.ptr[i] >= '0' && stats.ptr[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, stats.ptr[i] - '0', &n))
            return -1;
    bool ended = i > first && i < stats.len && (stats.ptr[i] == ',' || stats.ptr[i] == '}');
    return ended ? n : parse_records(stats);
}

Str stats_with_wide_bounds(Str stats, Arena *arena)
{
    yyjson_val *root, *key, *value;
    Error ignored = error_in(arena);
    size_t i, n;
    bool first = true;
    Buf b = buf_in(arena);
    if (!stats.len || !json_parse(stats, S("stats"), arena, &root, &ignored) ||
        !yyjson_is_obj(root))
        return stats;
    buf_addc(&b, '{');
    yyjson_obj_foreach (root, i, n, key, value) {
        if (str_is(json_str(key), "tightBounds"))
            continue;
        buf_addz(&b, first ? "" : ",");
        first = false;
        json_put_str(&b, json_str(key));
        buf_addc(&b, ':');
        buf_add(&b, json_text(value, arena));
    }
    json_put_key(&b, &first, "tightBounds");
    buf_addz(&b, "false}");
    return buf_str(&b);
}

/* ---- columns ---- */

FileStats *stats_parse(Str stats, Arena *arena)
{
    yyjson_val *root;
    Error ignored = error_in(arena);
    if (!stats.len || !json_parse(stats, S("stats"), arena, &root, &ignored) ||
        !yyjson_is_obj(root))
        return NULL;
    FileStats *s = ARENA_NEW(arena, FileStats);
    *s = (FileStats){
        .num_records = json_get_i64(root, "numRecords", -1),
        .tight = json_get_bool(root, "tightBounds", true),
        .min = yyjson_obj_get(root, "minValues"),
        .max = yyjson_obj_get(root, "maxValues"),
        .null_count = yyjson_obj_get(root, "nullCount"),
    };
    return s;
}

int64_t file_stats_num_records(const FileStats *s)
{
    return s->num_records;
}

static yyjson_val *descend(yyjson_val *v, const Str *path, size_t depth)
{
    for (size_t i = 0; v && i < depth; i++)
        v = yyjson_obj_getn(v, path[i].ptr, path[i].len);
    return v;
}

/* What most bounds are, without the way over a text. */
static bool integer_bound(yyjson_val *v, const Type *type, Value *out)
{
    int64_t least = INT64_MIN, most = INT64_MAX;
    switch (type->kind) {
    case TYPE_LONG: break;
    case TYPE_INT: least = INT32_MIN, most = INT32_MAX; break;
    case TYPE_SHORT: least = INT16_MIN, most = INT16_MAX; break;
    case TYPE_BYTE: least = INT8_MIN, most = INT8_MAX; break;
    default: return false;
    }
    if (yyjson_is_uint(v) && yyjson_get_uint(v) > INT64_MAX)
        return false;
    int64_t n = yyjson_get_sint(v);
    if (n < least || n > most)
        return false;
    *out = value_null(type);
    out->is_null = false;
    out->integer = n;
    return true;
}

static bool read_number(yyjson_val *v, const Type *type, Arena *arena, Value *out)
{
    Error ignored = error_in(arena);
    if (type_is_fractional(type) && type->kind != TYPE_DECIMAL) {
        *out = (Value){.type = type};
        if (yyjson_is_num(v)) {
            out->real = yyjson_get_num(v);
            return true;
        }
        Str text = json_str(v);
        out->real = str_is(text, "NaN") ? NAN : str_is(text, "Infinity") ? INFINITY : -INFINITY;
        return str_is(text, "NaN") || str_is(text, "Infinity") || str_is(text, "-Infinity");
    }
    if (!yyjson_is_num(v) && !yyjson_is_raw(v) && !yyjson_is_str(v))
        return false;
    if (yyjson_is_int(v) && integer_bound(v, type, out))
        return true;
    Str text = yyjson_is_str(v) ? json_str(v) : json_text(v, arena);
    return value_from_text(text, type, S("UTC"), arena, out, &ignored);
}

/* Timestamps are cut down to milliseconds: the true maximum lies up to 999 microseconds above. */
static bool read_time(yyjson_val *v, const Type *type, bool is_max, Arena *arena, Value *out)
{
    Error ignored = error_in(arena);
    if (!yyjson_is_str(v) || !value_from_text(json_str(v), type, S("UTC"), arena, out, &ignored) ||
        out->is_null)
        return false;
    if (is_max && type->kind != TYPE_DATE &&
        __builtin_add_overflow(out->integer, 999, &out->integer))
        return false;
    return true;
}

static bool read_bound(yyjson_val *v, const Type *type, bool is_max, Arena *arena, Value *out)
{
    if (!v || yyjson_is_null(v))
        return false;
    switch (type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        /* Writers that cut a maximum append a character above what follows: the text is a bound as
         * it stands. */
        *out = (Value){.type = type, .bytes = json_str(v)};
        return yyjson_is_str(v);
    case TYPE_BOOLEAN: *out = value_bool(yyjson_is_true(v)); return yyjson_is_bool(v);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: return read_time(v, type, is_max, arena, out);
    default: return type_is_numeric(type) && read_number(v, type, arena, out) && !out->is_null;
    }
}

void file_stats_column(const FileStats *s, const Str *path, size_t depth, const Type *leaf,
                       Arena *arena, ColumnStats *out)
{
    *out = (ColumnStats){.num_records = s->num_records, .tight = s->tight};
    yyjson_val *nulls = descend(s->null_count, path, depth);
    out->has_null_count = yyjson_is_int(nulls) && yyjson_get_sint(nulls) >= 0;
    out->null_count = out->has_null_count ? yyjson_get_sint(nulls) : 0;
    out->has_min = read_bound(descend(s->min, path, depth), leaf, false, arena, &out->min);
    out->has_max = read_bound(descend(s->max, path, depth), leaf, true, arena, &out->max);
}
