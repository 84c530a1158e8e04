/* Avro files as rows: each file by the schema it was written with, matched to the wanted columns by name. */
#include <stdlib.h>
#include <string.h>

#include "engine/avro.h"
#include "engine/file_source_impl.h"
#include "type/datetime.h"

/* A count may claim more items than bytes are left only where items take no bytes at all. */
enum { EMPTY_ITEMS_MAX = 1 << 20, METADATA_MAX = 64 };

typedef struct AvroFile {
    Arena *arena;
    AvroSchema *schema;
    AvroCodec codec;
    const char *sync;
    Buf inflated;
    Str block; /* what is left of the present one */
    int64_t rows;
    const Type **types;     /* per field of the record: the wanted column's, NULL: it is passed over */
    duckdb_vector *vectors; /* in the same order; set anew for every chunk */
    ptrdiff_t *places;      /* which wanted column a field is, -1: none */
} AvroFile;

typedef struct Decode {
    Str *in;
    const FileReader *reader;
    Error *err;
} Decode;

static bool unreadable(Str path, const char *what, Error *err)
{
    return error_set(err, ERR_FAILED_READ_FILE__NO_HINT, P("path", str_concat(err->arena, S("file://"), path)), PZ("message", what));
}

static bool damaged(const Decode *d) { return unreadable(d->reader->path, "the Avro file is damaged", d->err); }

/* ---- atoms ---- */

static bool take(const Decode *d, size_t n, const char **out)
{
    if (n > d->in->len)
        return damaged(d);
    *out = d->in->ptr;
    *d->in = str_slice(*d->in, n, d->in->len);
    return true;
}

static bool take_long(const Decode *d, int64_t *out)
{
    uint64_t z = 0;
    for (size_t i = 0; i < d->in->len && i < 10; i++) {
        uint8_t c = (uint8_t)d->in->ptr[i];
        z |= (uint64_t)(c & 0x7f) << (7 * i);
        if (c & 0x80)
            continue;
        *d->in = str_slice(*d->in, i + 1, d->in->len);
        *out = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
        return true;
    }
    return damaged(d);
}

static bool take_bytes(const Decode *d, Str *out)
{
    int64_t n;
    TRY(take_long(d, &n));
    out->len = (size_t)n;
    return n >= 0 ? take(d, out->len, &out->ptr) : damaged(d);
}

/* The next block of an array or a map; *n 0: the end. */
static bool take_count(const Decode *d, int64_t *n)
{
    int64_t bytes;
    TRY(take_long(d, n));
    if (*n < 0) {
        TRY(take_long(d, &bytes));
        if (*n == INT64_MIN)
            return damaged(d);
        *n = -*n;
    }
    return *n <= (int64_t)d->in->len + EMPTY_ITEMS_MAX || damaged(d);
}

/* ---- values; without a vector they are passed over ---- */

static bool decode(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type);

static bool decode_number(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type)
{
    int64_t v;
    TRY(take_long(d, &v));
    if (!vector)
        return true;
    bool instant = type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMP_NTZ;
    if (type->kind == TYPE_DOUBLE)
        ((double *)duckdb_vector_get_data(vector))[row] = (double)v;
    else if (type->kind == TYPE_DATE && s->kind == AVRO_LONG)
        cell_put_int(vector, row, TYPE_DATE, v / (US_PER_DAY / 1000));
    else if (instant && (s->millis || !s->logical) && __builtin_mul_overflow(v, 1000, &v))
        return unreadable(d->reader->path, "long overflow", d->err);
    else
        cell_put_int(vector, row, type->kind, v);
    return true;
}

static bool decode_real(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type)
{
    float f;
    double v;
    const char *at = NULL;
    bool small = s->kind == AVRO_FLOAT;
    TRY(take(d, small ? sizeof f : sizeof v, &at));
    if (!vector)
        return true;
    memcpy(small ? (void *)&f : (void *)&v, at, small ? sizeof f : sizeof v);
    if (type->kind == TYPE_FLOAT)
        ((float *)duckdb_vector_get_data(vector))[row] = f;
    else
        ((double *)duckdb_vector_get_data(vector))[row] = small ? (double)f : v;
    return true;
}

static bool put_decimal(const Decode *d, const AvroSchema *s, Str bytes, duckdb_vector vector, idx_t row, const Type *type)
{
    AUTO_ARENA arena = arena_new();
    __int128 v = bytes.len && bytes.ptr[0] < 0 ? -1 : 0;
    if (bytes.len > sizeof v)
        return unreadable(d->reader->path, "a decimal of more than 38 digits", d->err);
    for (size_t i = 0; i < bytes.len; i++)
        v = (__int128)((unsigned __int128)v << 8) | (uint8_t)bytes.ptr[i];
    I128 unscaled = {(uint64_t)v, (int64_t)(v >> 64)};
    if (!cell_put_decimal(vector, row, type, value_decimal_text(unscaled, s->scale, arena)))
        vector_set_null(vector, row, type);
    return true;
}

static bool decode_bytes(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type)
{
    Str bytes;
    bytes.len = s->size;
    TRY(s->kind == AVRO_FIXED ? take(d, s->size, &bytes.ptr) : take_bytes(d, &bytes));
    if (!vector)
        return true;
    if (type->kind == TYPE_DECIMAL)
        return put_decimal(d, s, bytes, vector, row, type);
    if (type->kind == TYPE_BINARY)
        duckdb_vector_assign_string_element_len(vector, row, bytes.len ? bytes.ptr : "", bytes.len);
    else
        cell_put_text(vector, row, bytes);
    return true;
}

static bool decode_enum(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row)
{
    int64_t i;
    TRY(take_long(d, &i));
    if (i < 0 || (size_t)i >= s->names.len)
        return damaged(d);
    if (vector)
        cell_put_text(vector, row, s->names.at[i]);
    return true;
}

static bool decode_items(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type)
{
    bool map = s->kind == AVRO_MAP;
    idx_t start = vector ? duckdb_list_vector_get_size(vector) : 0, total = 0;
    const Type *item = !vector ? NULL : map ? type->map.value : type->array.element;
    for (int64_t n;; total += (idx_t)n) {
        TRY(take_count(d, &n));
        if (!n)
            break;
        if (vector && (duckdb_list_vector_reserve(vector, start + total + (idx_t)n) != DuckDBSuccess ||
                       duckdb_list_vector_set_size(vector, start + total + (idx_t)n) != DuckDBSuccess))
            return damaged(d);
        duckdb_vector child = vector ? duckdb_list_vector_get_child(vector) : NULL, keys = NULL;
        if (map && vector) {
            keys = duckdb_struct_vector_get_child(child, 0);
            child = duckdb_struct_vector_get_child(child, 1);
        }
        for (int64_t i = 0; i < n; i++) {
            Str key;
            if (map)
                TRY(take_bytes(d, &key));
            if (keys)
                cell_put_text(keys, start + total + (idx_t)i, key);
            TRY(decode(d, s->parts.at[0], child, start + total + (idx_t)i, item));
        }
    }
    if (vector)
        ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row] = (duckdb_list_entry){start, total};
    return true;
}

static bool decode_record(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type)
{
    for (size_t k = 0; vector && k < type->structure.count; k++) {
        bool there = false;
        for (size_t i = 0; i < s->names.len; i++)
            there |= str_ieq(s->names.at[i], type->structure.fields[k].name);
        if (!there)
            vector_set_null(duckdb_struct_vector_get_child(vector, k), row, type->structure.fields[k].type);
    }
    for (size_t i = 0; i < s->parts.len; i++) {
        int k = vector ? type_field_index(type, s->names.at[i], false) : -1;
        duckdb_vector child = k >= 0 ? duckdb_struct_vector_get_child(vector, (idx_t)k) : NULL;
        TRY(decode(d, s->parts.at[i], child, row, k >= 0 ? type->structure.fields[k].type : NULL));
    }
    if (vector && !type->structure.count)
        vector_set_null(duckdb_struct_vector_get_child(vector, 0), row, type_simple(TYPE_INT));
    return true;
}

static bool decode_union(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type)
{
    int64_t branch;
    size_t member = 0;
    TRY(take_long(d, &branch));
    if (branch < 0 || (size_t)branch >= s->parts.len)
        return damaged(d);
    const AvroSchema *part = s->parts.at[branch];
    bool whole = avro_schema_plain(s) || (type && type->kind != TYPE_STRUCT);
    if (!vector || part->kind == AVRO_NULL || whole)
        return decode(d, part, vector, row, type);
    for (int64_t i = 0; i < branch; i++)
        member += s->parts.at[i]->kind != AVRO_NULL;
    for (size_t i = 0; i < type->structure.count; i++)
        if (i != member)
            vector_set_null(duckdb_struct_vector_get_child(vector, i), row, type->structure.fields[i].type);
    return decode(d, part, duckdb_struct_vector_get_child(vector, member), row, type->structure.fields[member].type);
}

static bool decode(const Decode *d, const AvroSchema *s, duckdb_vector vector, idx_t row, const Type *type)
{
    const char *at = NULL;
    switch (s->kind) {
    case AVRO_NULL:
        if (vector)
            vector_set_null(vector, row, type);
        return true;
    case AVRO_BOOLEAN:
        TRY(take(d, 1, &at));
        if (vector)
            ((uint8_t *)duckdb_vector_get_data(vector))[row] = *at != 0;
        return true;
    case AVRO_INT:
    case AVRO_LONG: return decode_number(d, s, vector, row, type);
    case AVRO_FLOAT:
    case AVRO_DOUBLE: return decode_real(d, s, vector, row, type);
    case AVRO_BYTES:
    case AVRO_FIXED:
    case AVRO_STRING: return decode_bytes(d, s, vector, row, type);
    case AVRO_ENUM: return decode_enum(d, s, vector, row);
    case AVRO_ARRAY:
    case AVRO_MAP: return decode_items(d, s, vector, row, type);
    case AVRO_RECORD: return decode_record(d, s, vector, row, type);
    case AVRO_UNION: return decode_union(d, s, vector, row, type);
    }
    return damaged(d);
}

/* ---- whether a schema can be read as a type ---- */

static bool fits(const AvroSchema *s, const Type *t);

static bool union_fits(const AvroSchema *s, const Type *t)
{
    size_t members = 0;
    bool all = true, paired = t->kind == TYPE_STRUCT && !avro_schema_plain(s);
    for (size_t i = 0; i < s->parts.len; i++) {
        if (s->parts.at[i]->kind == AVRO_NULL)
            continue;
        if (paired && members >= t->structure.count)
            return false;
        all &= fits(s->parts.at[i], paired ? t->structure.fields[members].type : t);
        members++;
    }
    return all && (!paired || members == t->structure.count);
}

static bool record_fits(const AvroSchema *s, const Type *t)
{
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < s->parts.len; i++) {
        int k = type_field_index(t, s->names.at[i], false);
        if (k >= 0 && !fits(s->parts.at[i], t->structure.fields[k].type))
            return false;
    }
    return t->kind == TYPE_STRUCT;
}

/* AvroDeserializer's pairs. */
static bool fits(const AvroSchema *s, const Type *t)
{
    switch (s->kind) {
    case AVRO_NULL: return true;
    case AVRO_BOOLEAN: return t->kind == TYPE_BOOLEAN;
    case AVRO_INT:
        return t->kind == TYPE_INT || t->kind == TYPE_LONG || t->kind == TYPE_DOUBLE || t->kind == TYPE_DATE || t->kind == TYPE_INTERVAL_YM;
    case AVRO_LONG:
        return t->kind == TYPE_LONG || t->kind == TYPE_TIMESTAMP || t->kind == TYPE_TIMESTAMP_NTZ || t->kind == TYPE_DATE ||
               t->kind == TYPE_INTERVAL_DT || t->kind == TYPE_TIME;
    case AVRO_FLOAT: return t->kind == TYPE_FLOAT || t->kind == TYPE_DOUBLE;
    case AVRO_DOUBLE: return t->kind == TYPE_DOUBLE;
    case AVRO_STRING:
    case AVRO_ENUM: return type_is_stringy(t);
    case AVRO_BYTES:
    case AVRO_FIXED:
        if (t->kind != TYPE_DECIMAL)
            return t->kind == TYPE_BINARY;
        return s->logical && s->logical->decimal.precision - s->scale <= t->decimal.precision - t->decimal.scale;
    case AVRO_ARRAY: return t->kind == TYPE_ARRAY && fits(s->parts.at[0], t->array.element);
    case AVRO_MAP: return t->kind == TYPE_MAP && type_is_stringy(t->map.key) && fits(s->parts.at[0], t->map.value);
    case AVRO_UNION: return union_fits(s, t);
    case AVRO_RECORD: return record_fits(s, t);
    }
    return false;
}

/* ---- files ---- */

static bool read_metadata(const Decode *d, AvroFile *f, Str *schema)
{
    int64_t n;
    size_t total = 0;
    for (;;) {
        TRY(take_count(d, &n));
        if (!n)
            return schema->len || damaged(d);
        for (int64_t i = 0; i < n; i++) {
            Str key, value;
            TRY(take_bytes(d, &key) && take_bytes(d, &value));
            if (++total > METADATA_MAX)
                return damaged(d);
            if (str_is(key, "avro.schema"))
                *schema = value;
            else if (str_is(key, "avro.codec") && !avro_codec_find(value, &f->codec))
                return error_unsupported(d->err, "Avro files compressed with " STR_FMT, STR_ARG(value));
        }
    }
}

static bool read_header(const Decode *d, AvroFile *f)
{
    const char *magic = NULL;
    Str schema = {0};
    if (d->in->len < 4 || memcmp(d->in->ptr, "Obj\1", 4))
        return unreadable(d->reader->path, "Not an Avro data file.", d->err);
    TRY(take(d, 4, &magic) && read_metadata(d, f, &schema) && take(d, AVRO_SYNC_BYTES, &f->sync));
    if (!avro_schema_parse(schema, f->arena, &f->schema, d->err))
        return false;
    return f->schema->kind == AVRO_RECORD || error_unsupported(d->err, "Avro files of something else than records");
}

static Decode decode_of(const FileReader *r, Str *in, Error *err) { return (Decode){in, r, err}; }

/* What the option avroSchema adds to a file's columns needs a default; ours are all null. */
static bool check_given(const FileReader *r, const AvroSchema *have, Error *err)
{
    AUTO_ARENA arena = arena_new();
    AvroSchema *given;
    Str text = file_option(&r->scan->options, "avroSchema", "");
    if (!text.len)
        return true;
    TRY(avro_schema_parse(text, arena, &given, err));
    for (size_t i = 0; i < given->names.len; i++) {
        bool found = false;
        for (size_t k = 0; k < have->names.len; k++)
            found |= str_eq(given->names.at[i], have->names.at[k]);
        for (size_t k = 0; k < given->defaults.len; k++)
            found |= str_eq(given->names.at[i], given->defaults.at[k]);
        if (!found)
            return unreadable(r->path, "the file lacks a field of avroSchema that has no default", err);
    }
    return true;
}

static bool open_avro(FileReader *r, Error *err)
{
    Arena *arena = arena_new();
    AvroFile *f = ARENA_NEW(arena, AvroFile);
    f->arena = arena;
    f->inflated = buf_heap((size_t)1 << 30);
    r->format_state = f;
    Str in = {r->bytes.ptr, r->bytes.len};
    Decode d = decode_of(r, &in, err);
    TRY(read_header(&d, f));
    r->at = r->bytes.len - in.len;
    TRY(check_given(r, f->schema, err));
    size_t n = f->schema->parts.len;
    f->types = ARENA_ARRAY(arena, const Type *, n + 1);
    f->vectors = ARENA_ARRAY(arena, duckdb_vector, n + 1);
    f->places = ARENA_ARRAY(arena, ptrdiff_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        f->places[i] = -1;
        int column = type_field_index(r->schema, f->schema->names.at[i], false);
        for (size_t k = 0; column >= 0 && k < r->column_count; k++)
            if (r->columns[k] == (size_t)column) {
                f->places[i] = (ptrdiff_t)k;
                f->types[i] = r->schema->structure.fields[column].type;
            }
        if (f->types[i] && !fits(f->schema->parts.at[i], f->types[i]))
            return unreadable(r->path, str_printf(arena, "Cannot convert Avro field '" STR_FMT "' to SQL type " STR_FMT,
                                                  STR_ARG(f->schema->names.at[i]), STR_ARG(type_sql(f->types[i], arena))).ptr, err);
    }
    return true;
}

static bool next_block(FileReader *r, AvroFile *f, bool *more, Error *err)
{
    Str in = {r->bytes.ptr + r->at, r->bytes.len - r->at}, block;
    Decode d = decode_of(r, &in, err);
    const char *sync = NULL;
    *more = in.len > 0;
    if (!*more)
        return true;
    TRY(take_long(&d, &f->rows) && take_bytes(&d, &block) && take(&d, AVRO_SYNC_BYTES, &sync));
    if (memcmp(sync, f->sync, AVRO_SYNC_BYTES) || f->rows < 0)
        return damaged(&d);
    r->at = r->bytes.len - in.len;
    if (f->codec != AVRO_CODEC_NULL) {
        TRY(avro_inflate(f->codec, block, &f->inflated, err));
        block = (Str){f->inflated.ptr, f->inflated.len};
    }
    f->block = block;
    return f->rows <= (int64_t)block.len + EMPTY_ITEMS_MAX || damaged(&d);
}

static bool avro_next(FileReader *r, idx_t row, bool *more, bool *keep, Error *err)
{
    if (!r->format_state)
        TRY(open_avro(r, err));
    AvroFile *f = r->format_state;
    *more = *keep = true;
    while (!f->rows) {
        TRY(next_block(r, f, more, err));
        if (!*more)
            return true;
    }
    f->rows--;
    Decode d = decode_of(r, &f->block, err);
    for (size_t k = 0; k < r->column_count; k++) {
        bool there = r->columns[k] >= r->schema->structure.count;
        for (size_t i = 0; !there && i < f->schema->parts.len; i++)
            there = f->places[i] == (ptrdiff_t)k;
        if (!there)
            vector_set_null(r->vectors[k], row, r->schema->structure.fields[r->columns[k]].type);
    }
    for (size_t i = 0; i < f->schema->parts.len; i++)
        TRY(decode(&d, f->schema->parts.at[i], f->places[i] < 0 ? NULL : r->vectors[f->places[i]], row, f->types[i]));
    return true;
}

static void avro_close(FileReader *r)
{
    AvroFile *f = r->format_state;
    if (!f)
        return;
    buf_free(&f->inflated);
    arena_free(f->arena);
    r->format_state = NULL;
}

const FileFormat avro_format = {"avro", avro_next, avro_close};

/* ---- inference ---- */

/* By the first file: others are read as far as they fit. */
bool avro_infer(const FileScan *scan, Arena *arena, const Type **out, Error *err)
{
    Str first = scan->paths.at[0], given = file_option(&scan->options, "avroSchema", "");
    AvroSchema *schema;
    if (given.len) {
        TRY(avro_schema_parse(given, arena, &schema, err));
    } else {
        for (size_t i = 1; i < scan->paths.len; i++)
            if (str_cmp(scan->paths.at[i], first) < 0)
                first = scan->paths.at[i];
        FileReader r = {.scan = scan, .path = first};
        AvroFile f = {.arena = arena};
        TRY(file_bytes_open(first, &r.bytes, err));
        Str in = {r.bytes.ptr, r.bytes.len};
        Decode d = decode_of(&r, &in, err);
        bool ok = read_header(&d, &f);
        file_bytes_close(&r.bytes);
        TRY(ok);
        schema = f.schema;
    }
    if (given.len && schema->has_defaults)
        return error_unsupported(err, "The option avroSchema with defaults that are not null");
    TRY(avro_schema_type(schema, 0, arena, out, err));
    return (*out)->kind == TYPE_STRUCT || error_unsupported(err, "Avro files of something else than records");
}
