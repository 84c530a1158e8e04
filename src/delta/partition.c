/* Partition values as text, hive folders, and paths of the log as URIs. */
#include "delta/partition.h"

#include <stdlib.h>
#include <string.h>

#include "delta/schema.h"
#include "delta/snapshot_impl.h"
#include "type/datetime.h"

/* ---- values ---- */

bool partition_value_parse(const Property *p, const Type *type, Str zone, Arena *arena, Value *out,
                           Error *err)
{
    *out = value_null(type);
    if (!p || p->is_null || !p->value.len)
        return true;
    if (type_is_stringy(type) || type->kind == TYPE_BINARY) {
        *out = (Value){.type = type, .bytes = p->value};
        return true;
    }
    if (type->kind == TYPE_NULL)
        return true;
    AUTO_ARENA(scratch) = arena_new();
    Error ignored = error_in(scratch);
    if (value_from_text(p->value, type, zone, arena, out, &ignored))
        return true;
    return error_set(err, ERR_DELTA_FAILED_CAST_PARTITION_VALUE, P("value", p->value),
                     P("dataType", type_sql(type, err->arena)));
}

/* 2024-01-02T03:04:05.678901Z: PROTOCOL.md "Partition Value Serialization", the form without doubt
 * about zones. */
static Str timestamp_iso(int64_t us, Arena *arena)
{
    Str text = timestamp_text(us, S("UTC"), arena);
    char *copy = str_z(text, arena);
    char *space = strchr(copy, ' ');
    if (space)
        *space = 'T';
    bool whole = !strchr(copy, '.');
    return str_printf(arena, "%s%sZ", copy, whole ? ".000000" : "");
}

Property partition_value_print(Str column, const Value *v, Arena *arena)
{
    if (v->is_null)
        return (Property){column, S(""), true};
    Str text = v->type->kind == TYPE_TIMESTAMP ? timestamp_iso(v->integer, arena)
               : type_is_stringy(v->type) || v->type->kind == TYPE_BINARY
                   ? v->bytes
                   : value_to_text(v, S("UTC"), arena);
    return (Property){column, text, text.len == 0};
}

const Property *partition_value_of(const PropertyVec *values, Str column)
{
    const Property *exact = property_find(values, column);
    if (exact)
        return exact;
    for (size_t i = 0; i < values->len; i++)
        if (str_ieq(values->at[i].key, column))
            return &values->at[i];
    return NULL;
}

bool partition_values_equal(const PropertyVec *a, const PropertyVec *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        const Property *own = &a->at[i], *other = partition_value_of(b, own->key);
        if (!other || other->is_null != own->is_null ||
            (!own->is_null && !str_eq(other->value, own->value)))
            return false;
    }
    return true;
}

int metadata_partition_index(const Metadata *m, Str column)
{
    for (size_t i = 0; i < m->partition_columns.len; i++)
        if (str_ieq(m->partition_columns.at[i], column))
            return (int)i;
    return -1;
}

/* ---- hive folders ---- */

/* Spark's ExternalCatalogUtils.escapePathName: controls and these characters become %XX. */
static bool needs_hive_escape(unsigned char c)
{
    return c < 0x20 || c == 0x7f || strchr("\"#%'*/:=?\\{[]^", c);
}

static void put_hive_escaped(Buf *b, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (needs_hive_escape(c))
            buf_addf(b, "%%%02X", c);
        else
            buf_addc(b, (char)c);
    }
}

Str path_hive_escape(Str text, Arena *arena)
{
    Buf b = buf_in(arena);
    put_hive_escaped(&b, text);
    return buf_str(&b);
}

Str path_hive_unescape(Str text, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < text.len; i++) {
        char pair[3] = {0}, *end;
        if (text.ptr[i] == '%' && i + 2 < text.len) {
            pair[0] = text.ptr[i + 1];
            pair[1] = text.ptr[i + 2];
            long byte = strtol(pair, &end, 16);
            if (end == pair + 2) {
                buf_addc(&b, (char)byte);
                i += 2;
                continue;
            }
        }
        buf_addc(&b, text.ptr[i]);
    }
    return b.len ? buf_str(&b) : S("");
}

Str partition_folder(const PropertyVec *values, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < values->len; i++) {
        const Property *p = &values->at[i];
        buf_addz(&b, i ? "/" : "");
        put_hive_escaped(&b, p->key);
        buf_addc(&b, '=');
        if (p->is_null || !p->value.len)
            buf_addz(&b, HIVE_DEFAULT_PARTITION);
        else
            put_hive_escaped(&b, p->value);
    }
    return buf_str(&b);
}

/* ---- URIs ---- */

/* What java.net.URI quotes in a path; characters beyond ASCII stay as they are. */
static bool needs_uri_escape(unsigned char c)
{
    return c <= 0x20 || c == 0x7f || strchr("\"#%<>?[\\]^`{|}", c);
}

Str path_uri_encode(Str path, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (needs_uri_escape(c))
            buf_addf(&b, "%%%02X", c);
        else
            buf_addc(&b, (char)c);
    }
    return buf_str(&b);
}

static bool has_parent_part(Str path)
{
    for (size_t i = 0; i < path.len;) {
        size_t end = i;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        if (str_is(str_slice(path, i, end), ".."))
            return true;
        i = end + 1;
    }
    return false;
}

bool path_uri_decode(Str uri, Arena *arena, Str *path, Error *err)
{
    char *out = arena_alloc(arena, uri.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < uri.len; i++) {
        char c = uri.ptr[i];
        if (c == '%') {
            int high = i + 2 < uri.len ? path_hex_digit(uri.ptr[i + 1]) : -1;
            int low = high >= 0 ? path_hex_digit(uri.ptr[i + 2]) : -1;
            if (low < 0)
                return error_set(err, ERR_DELTA_CANNOT_RECONSTRUCT_PATH_FROM_URI, P("uri", uri));
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[len++] = c;
    }
    *path = (Str){out, len};
    if (!len || memchr(out, 0, len) || has_parent_part(*path))
        return error_set(err, ERR_DELTA_CANNOT_RECONSTRUCT_PATH_FROM_URI, P("uri", uri));
    return true;
}

/* ---- where files are ---- */

static bool has_scheme(Str path)
{
    ptrdiff_t colon = str_find_char(path, ':'), slash = str_find_char(path, '/');
    return colon > 0 && slash == colon + 1;
}

bool delta_file_location(DeltaTable *t, Str log_path, Arena *arena, Str *location, Error *err)
{
    Str path;
    TRY(path_uri_decode(log_path, arena, &path, err));
    if (has_scheme(path)) {
        Store *other;
        if (store_is_remote(path)) {
            TRY(store_open(path, arena, &other, err));
            *location = store_duckdb_path(other, S(""), arena);
            return true;
        }
        if (!str_starts_with(path, S("file:/")) || store_is_remote(store_root(t->store)))
            return error_unsupported(err, "The data file location \"" STR_FMT "\"", STR_ARG(path));
        path = str_slice(path, 5, path.len);
        while (str_starts_with(path, S("//")))
            path = str_slice(path, 1, path.len);
    }
    if (path.ptr[0] == '/' && store_is_remote(store_root(t->store)))
        return error_unsupported(err, "The data file location \"" STR_FMT "\" in a table on S3", STR_ARG(path));
    *location = path.ptr[0] == '/' ? path : store_duckdb_path(t->store, path, arena);
    return true;
}
