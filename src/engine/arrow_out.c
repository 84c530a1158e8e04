/* DuckDB's chunks gathered into one Arrow record batch: bulk copies, validity bits as they are. */
#include "engine/arrow_out.h"

#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>
#include <string.h>

#include "engine/engine_impl.h"

struct ArrowOut {
    const Type *schema;
    struct ArrowSchema arrow_schema;
    struct ArrowArray batch;
    bool has_batch;
    Str schema_message; /* encoded once */
    Arena *arena;
    int64_t rows;
};

/* ---- schema ---- */

static bool arrow_ok(ArrowErrorCode code, const char *what, Error *err)
{
    return code == NANOARROW_OK || error_internal(err, "Arrow: %s failed (%d)", what, code);
}

static bool put_schema(struct ArrowSchema *s, const Type *type, Str zone, Arena *arena, Error *err);

static size_t fields_named(const Type *type, Str name, size_t end)
{
    size_t n = 0;
    for (size_t i = 0; i < end; i++)
        n += str_eq(type->structure.fields[i].name, name);
    return n;
}

/* Inside of columns Spark numbers the fields of one name, a_0 and a_1: Arrow's readers go by name. */
static const Type *numbered_fields(const Type *type, Arena *arena)
{
    size_t n = type->structure.count;
    Field *fields = ARENA_ARRAY(arena, Field, n);
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        fields[i] = type->structure.fields[i];
        if (fields_named(type, fields[i].name, n) < 2)
            continue;
        fields[i].name = str_printf(arena, STR_FMT "_%zu", STR_ARG(fields[i].name), fields_named(type, fields[i].name, i));
        same = false;
    }
    return same ? type : type_struct(fields, n, arena);
}

static bool put_child(struct ArrowSchema *s, Str name, const Type *type, bool nullable, Str zone,
                      Arena *arena, Error *err)
{
    if (type->kind == TYPE_STRUCT)
        type = numbered_fields(type, arena);
    TRY(put_schema(s, type, zone, arena, err));
    TRY(arrow_ok(ArrowSchemaSetName(s, str_z(name, arena)), "naming a field", err));
    s->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    return true;
}

static bool put_struct(struct ArrowSchema *s, const Type *type, Str zone, Arena *arena, Error *err)
{
    size_t n = type->structure.count;
    TRY(arrow_ok(ArrowSchemaSetTypeStruct(s, (int64_t)n), "making a struct", err));
    for (size_t i = 0; i < n; i++) {
        const Field *f = &type->structure.fields[i];
        TRY(put_child(s->children[i], f->name, f->type, f->nullable, zone, arena, err));
    }
    return true;
}

/* Spark marks the metadata field of a variant, so that clients know the struct for one. */
static bool put_variant(struct ArrowSchema *s, Str zone, Arena *arena, Error *err)
{
    const Type *blob = type_simple(TYPE_BINARY);
    TRY(arrow_ok(ArrowSchemaSetTypeStruct(s, 2), "making a struct", err));
    TRY(put_child(s->children[0], S("value"), blob, false, zone, arena, err));
    TRY(put_child(s->children[1], S("metadata"), blob, false, zone, arena, err));
    struct ArrowBuffer metadata;
    TRY(arrow_ok(ArrowMetadataBuilderInit(&metadata, NULL), "starting metadata", err));
    ArrowErrorCode code =
        ArrowMetadataBuilderAppend(&metadata, ArrowCharView("variant"), ArrowCharView("true"));
    if (code == NANOARROW_OK)
        code = ArrowSchemaSetMetadata(s->children[1], (const char *)metadata.data);
    ArrowBufferReset(&metadata);
    return arrow_ok(code, "marking a variant", err);
}

/* As with variants; the mark is on the bytes. */
static bool put_shape(struct ArrowSchema *s, const Type *type, Str zone, Arena *arena, Error *err)
{
    TRY(put_struct(s, type_carrier(type), zone, arena, err));
    const char *mark = type->kind == TYPE_GEOMETRY ? "geometry" : "geography";
    Str srid = type->geo.srid < 0 ? S("ANY") : str_printf(arena, "%d", type->geo.srid);
    struct ArrowBuffer metadata;
    TRY(arrow_ok(ArrowMetadataBuilderInit(&metadata, NULL), "starting metadata", err));
    ArrowErrorCode code =
        ArrowMetadataBuilderAppend(&metadata, ArrowCharView(mark), ArrowCharView("true"));
    if (code == NANOARROW_OK)
        code = ArrowMetadataBuilderAppend(&metadata, ArrowCharView("srid"),
                                          ArrowCharView(str_z(srid, arena)));
    if (code == NANOARROW_OK)
        code = ArrowSchemaSetMetadata(s->children[1], (const char *)metadata.data);
    ArrowBufferReset(&metadata);
    return arrow_ok(code, "marking a shape", err);
}

static bool put_list(struct ArrowSchema *s, const Type *type, Str zone, Arena *arena, Error *err)
{
    TRY(arrow_ok(ArrowSchemaSetType(s, NANOARROW_TYPE_LIST), "making a list", err));
    return put_child(s->children[0], S("element"), type->array.element, type->array.nulls, zone,
                     arena, err);
}

static bool put_map(struct ArrowSchema *s, const Type *type, Str zone, Arena *arena, Error *err)
{
    TRY(arrow_ok(ArrowSchemaSetType(s, NANOARROW_TYPE_MAP), "making a map", err));
    struct ArrowSchema *entries = s->children[0];
    TRY(arrow_ok(ArrowSchemaSetName(entries, "entries"), "naming a field", err));
    TRY(put_child(entries->children[0], S("key"), type->map.key, false, zone, arena, err));
    return put_child(entries->children[1], S("value"), type->map.value, type->map.nulls, zone,
                     arena, err);
}

static enum ArrowType plain_arrow_type(const Type *type)
{
    switch (type->kind) {
    case TYPE_NULL:
        return NANOARROW_TYPE_NA;
    case TYPE_BOOLEAN:
        return NANOARROW_TYPE_BOOL;
    case TYPE_BYTE:
        return NANOARROW_TYPE_INT8;
    case TYPE_SHORT:
        return NANOARROW_TYPE_INT16;
    case TYPE_INT:
        return NANOARROW_TYPE_INT32;
    case TYPE_LONG:
        return NANOARROW_TYPE_INT64;
    case TYPE_FLOAT:
        return NANOARROW_TYPE_FLOAT;
    case TYPE_DOUBLE:
        return NANOARROW_TYPE_DOUBLE;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return NANOARROW_TYPE_STRING;
    case TYPE_BINARY:
        return NANOARROW_TYPE_BINARY;
    case TYPE_DATE:
        return NANOARROW_TYPE_DATE32;
    case TYPE_INTERVAL_YM:
        return NANOARROW_TYPE_INTERVAL_MONTHS;
    case TYPE_INTERVAL_CALENDAR:
        return NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO;
    default:
        return NANOARROW_TYPE_UNINITIALIZED;
    }
}

static bool put_schema(struct ArrowSchema *s, const Type *type, Str zone, Arena *arena, Error *err)
{
    if (s->release)
        ArrowSchemaRelease(s); /* nanoarrow gives children of lists and maps names already */
    ArrowSchemaInit(s);
    switch (type->kind) {
    case TYPE_STRUCT:
        return put_struct(s, type, zone, arena, err);
    case TYPE_VARIANT:
        return put_variant(s, zone, arena, err);
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return put_shape(s, type, zone, arena, err);
    case TYPE_ARRAY:
        return put_list(s, type, zone, arena, err);
    case TYPE_MAP:
        return put_map(s, type, zone, arena, err);
    case TYPE_DECIMAL:
        return arrow_ok(ArrowSchemaSetTypeDecimal(s, NANOARROW_TYPE_DECIMAL128,
                                                  type->decimal.precision, type->decimal.scale),
                        "making a decimal", err);
    case TYPE_TIMESTAMP:
        return arrow_ok(ArrowSchemaSetTypeDateTime(s, NANOARROW_TYPE_TIMESTAMP,
                                                   NANOARROW_TIME_UNIT_MICRO,
                                                   str_z(zone.len ? zone : S("UTC"), arena)),
                        "making a timestamp", err);
    case TYPE_TIMESTAMP_NTZ:
        return arrow_ok(ArrowSchemaSetTypeDateTime(s, NANOARROW_TYPE_TIMESTAMP,
                                                   NANOARROW_TIME_UNIT_MICRO, NULL),
                        "making a timestamp", err);
    case TYPE_TIME:
        return arrow_ok(
            ArrowSchemaSetTypeDateTime(s, NANOARROW_TYPE_TIME64, NANOARROW_TIME_UNIT_NANO, NULL),
            "making a time", err);
    case TYPE_INTERVAL_DT:
        return arrow_ok(
            ArrowSchemaSetTypeDateTime(s, NANOARROW_TYPE_DURATION, NANOARROW_TIME_UNIT_MICRO, NULL),
            "making a duration", err);
    default:
        break;
    }
    enum ArrowType plain = plain_arrow_type(type);
    if (plain == NANOARROW_TYPE_UNINITIALIZED)
        return error_internal(err, "no Arrow type for type kind %d", (int)type->kind);
    return arrow_ok(ArrowSchemaSetType(s, plain), "making a type", err);
}

static void add_bytes(Buf *b, const struct ArrowBuffer *bytes)
{
    buf_add_bytes(b, bytes->data, (size_t)bytes->size_bytes);
}

static bool encode_schema(ArrowOut *a, Error *err)
{
    struct ArrowIpcEncoder encoder;
    TRY(arrow_ok(ArrowIpcEncoderInit(&encoder), "starting the encoder", err));
    struct ArrowBuffer message;
    ArrowBufferInit(&message);
    struct ArrowError why = {{0}};
    ArrowErrorCode code = ArrowIpcEncoderEncodeSchema(&encoder, &a->arrow_schema, &why);
    if (code == NANOARROW_OK)
        code = ArrowIpcEncoderFinalizeBuffer(&encoder, 1, &message);
    if (code == NANOARROW_OK)
        a->schema_message =
            str_copy((Str){(const char *)message.data, (size_t)message.size_bytes}, a->arena);
    ArrowBufferReset(&message);
    ArrowIpcEncoderReset(&encoder);
    return code == NANOARROW_OK ||
           error_internal(err, "Arrow: the schema cannot be encoded: %s", why.message);
}

bool arrow_out_new(const Type *schema, Str zone, Arena *arena, ArrowOut **out, Error *err)
{
    ArrowOut *a = ARENA_NEW(arena, ArrowOut);
    a->schema = schema;
    a->arena = arena;
    if (!put_schema(&a->arrow_schema, schema, zone, arena, err) || !encode_schema(a, err)) {
        arrow_out_free(a);
        return false;
    }
    *out = a;
    return true;
}

static void drop_batch(ArrowOut *a)
{
    if (a->has_batch)
        ArrowArrayRelease(&a->batch);
    a->has_batch = false;
    a->rows = 0;
}

void arrow_out_free(ArrowOut *a)
{
    if (!a)
        return;
    drop_batch(a);
    if (a->arrow_schema.release)
        ArrowSchemaRelease(&a->arrow_schema);
}

/* ---- appending ---- */

static bool reserve(struct ArrowBuffer *b, int64_t bytes, Error *err)
{
    return arrow_ok(ArrowBufferReserve(b, bytes), "growing a buffer", err);
}

static uint64_t bits_at(const uint64_t *bits, idx_t from, unsigned count)
{
    unsigned shift = from % 64;
    uint64_t word = bits[from / 64] >> shift;
    if (shift && shift + count > 64)
        word |= bits[from / 64 + 1] << (64 - shift);
    return count == 64 ? word : word & ((UINT64_C(1) << count) - 1);
}

/* DuckDB's mask and Arrow's bitmap agree on the order of bits and on 1 for valid. */
static bool append_validity(struct ArrowArray *array, const uint64_t *validity, idx_t from,
                            idx_t count, Error *err)
{
    struct ArrowBitmap *bitmap = ArrowArrayValidityBitmap(array);
    if (!validity && !bitmap->size_bits)
        return true; /* still no NULL: no bitmap */
    if (!bitmap->size_bits && array->length)
        TRY(arrow_ok(ArrowBitmapAppend(bitmap, 1, array->length), "filling a bitmap", err));
    if (!validity)
        return arrow_ok(ArrowBitmapAppend(bitmap, 1, (int64_t)count), "filling a bitmap", err);
    TRY(arrow_ok(ArrowBitmapReserve(bitmap, (int64_t)count + 64), "growing a bitmap", err));
    idx_t done = 0;
    while (done < count) {
        unsigned n = count - done > 64 ? 64 : (unsigned)(count - done);
        uint64_t word = bits_at(validity, from + done, n);
        array->null_count += n - (unsigned)__builtin_popcountll(word);
        if (bitmap->size_bits % 8 == 0) {
            memcpy(bitmap->buffer.data + bitmap->size_bits / 8, &word, sizeof(word));
            bitmap->size_bits += n;
            bitmap->buffer.size_bytes = (bitmap->size_bits + 7) / 8;
        } else {
            for (unsigned i = 0; i < n; i++)
                ArrowBitmapAppendUnsafe(bitmap, (word >> i) & 1, 1);
        }
        done += n;
    }
    return true;
}

static bool append_fixed(struct ArrowArray *array, const void *data, size_t width, idx_t from,
                         idx_t count, Error *err)
{
    return arrow_ok(ArrowBufferAppend(ArrowArrayBuffer(array, 1), (const char *)data + from * width,
                                      (int64_t)(count * width)),
                    "growing a buffer", err);
}

static bool append_bools(struct ArrowArray *array, const uint8_t *data, idx_t from, idx_t count,
                         Error *err)
{
    struct ArrowBuffer *b = ArrowArrayBuffer(array, 1);
    int64_t bits = array->length;
    int64_t bytes = (bits + (int64_t)count + 7) / 8;
    TRY(reserve(b, bytes - b->size_bytes + 8, err));
    memset(b->data + b->size_bytes, 0, (size_t)(bytes - b->size_bytes));
    b->size_bytes = bytes;
    for (idx_t i = 0; i < count; i++, bits++)
        b->data[bits / 8] |= (uint8_t)((data[from + i] & 1) << (bits % 8));
    return true;
}

static bool append_decimals(struct ArrowArray *array, const void *data, int precision, idx_t from,
                            idx_t count, Error *err)
{
    if (precision > 18)
        return append_fixed(array, data, 16, from, count, err);
    struct ArrowBuffer *b = ArrowArrayBuffer(array, 1);
    TRY(reserve(b, (int64_t)count * 16, err));
    int64_t *out = (int64_t *)(b->data + b->size_bytes);
    for (idx_t i = 0; i < count; i++) {
        idx_t row = from + i;
        int64_t v = precision > 9   ? ((const int64_t *)data)[row]
                    : precision > 4 ? ((const int32_t *)data)[row]
                                    : ((const int16_t *)data)[row];
        out[2 * i] = v;
        out[2 * i + 1] = v < 0 ? -1 : 0;
    }
    b->size_bytes += (int64_t)count * 16;
    return true;
}

static bool append_times(struct ArrowArray *array, const int64_t *data, idx_t from, idx_t count,
                         Error *err)
{
    struct ArrowBuffer *b = ArrowArrayBuffer(array, 1);
    TRY(reserve(b, (int64_t)count * 8, err));
    int64_t *out = (int64_t *)(b->data + b->size_bytes);
    for (idx_t i = 0; i < count; i++)
        out[i] = (int64_t)((uint64_t)data[from + i] * 1000);
    b->size_bytes += (int64_t)count * 8;
    return true;
}

typedef struct MonthDayNano {
    int32_t months, days;
    int64_t nanos;
} MonthDayNano;

static bool append_calendar(struct ArrowArray *array, const duckdb_interval *data,
                            const uint64_t *validity, idx_t from, idx_t count, Error *err)
{
    struct ArrowBuffer *b = ArrowArrayBuffer(array, 1);
    TRY(reserve(b, (int64_t)(count * sizeof(MonthDayNano)), err));
    MonthDayNano *out = (MonthDayNano *)(b->data + b->size_bytes);
    for (idx_t i = 0; i < count; i++) {
        duckdb_interval v = data[from + i];
        out[i] = (MonthDayNano){0, 0, 0};
        if (!valid_at(validity, from + i))
            continue;
        out[i].months = v.months;
        out[i].days = v.days;
        if (__builtin_mul_overflow(v.micros, 1000, &out[i].nanos))
            return error_set(err, ERR_ARITHMETIC_OVERFLOW, PZ("message", "long overflow"),
                             PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
    }
    b->size_bytes += (int64_t)(count * sizeof(MonthDayNano));
    return true;
}

/* The last offset written, after making sure the first one (0) is there. */
static bool offsets_of(struct ArrowArray *array, idx_t count, struct ArrowBuffer **out,
                       int32_t *last, Error *err)
{
    struct ArrowBuffer *b = ArrowArrayBuffer(array, 1);
    TRY(reserve(b, (int64_t)(count + 1) * 4, err));
    if (!b->size_bytes) {
        *(int32_t *)b->data = 0;
        b->size_bytes = 4;
    }
    *last = ((const int32_t *)b->data)[b->size_bytes / 4 - 1];
    *out = b;
    return true;
}

static bool too_large(Error *err)
{
    return error_unsupported(err, "A result batch with more than 2 GiB in one column");
}

static bool append_strings(struct ArrowArray *array, duckdb_string_t *data,
                           const uint64_t *validity, idx_t from, idx_t count, Error *err)
{
    struct ArrowBuffer *offsets, *bytes = ArrowArrayBuffer(array, 2);
    int32_t last;
    TRY(offsets_of(array, count, &offsets, &last, err));
    int64_t total = last;
    int32_t *out = (int32_t *)(offsets->data + offsets->size_bytes);
    for (idx_t i = 0; i < count; i++) {
        if (valid_at(validity, from + i))
            total += data[from + i].value.inlined.length;
        if (total > INT32_MAX)
            return too_large(err);
        out[i] = (int32_t)total;
    }
    offsets->size_bytes += (int64_t)count * 4;
    TRY(reserve(bytes, total - last, err));
    if (total == last)
        return true;
    uint8_t *at = bytes->data + last;
    for (idx_t i = 0; i < count; i++) {
        if (!valid_at(validity, from + i))
            continue;
        duckdb_string_t *s = &data[from + i];
        uint32_t len = s->value.inlined.length;
        memcpy(at, len <= 12 ? s->value.inlined.inlined : s->value.pointer.ptr, len);
        at += len;
    }
    bytes->size_bytes = total;
    return true;
}

static bool append(struct ArrowArray *array, const Type *type, duckdb_vector vector, idx_t from,
                   idx_t count, Error *err);
static bool append_data(struct ArrowArray *array, const Type *type, duckdb_vector vector,
                        const uint64_t *validity, idx_t from, idx_t count, Error *err);

/* The two parts of a variant are declared as never NULL: below a NULL they are empty. */
static bool append_variants(struct ArrowArray *array, duckdb_vector vector, idx_t from, idx_t count,
                            Error *err)
{
    for (size_t i = 0; i < 2; i++) {
        duckdb_vector part = duckdb_struct_vector_get_child(vector, i);
        TRY(append_strings(array->children[i], duckdb_vector_get_data(part),
                           duckdb_vector_get_validity(part), from, count, err));
        array->children[i]->length += (int64_t)count;
    }
    return true;
}

static bool append_structs(struct ArrowArray *array, const Type *type, duckdb_vector vector,
                           idx_t from, idx_t count, Error *err)
{
    type = type_carrier(type);
    if (type->kind == TYPE_VARIANT)
        return append_variants(array, vector, from, count, err);
    for (size_t i = 0; i < type->structure.count; i++) {
        const Field *f = &type->structure.fields[i];
        struct ArrowArray *child = array->children[i];
        duckdb_vector part = duckdb_struct_vector_get_child(vector, i);
        if (f->nullable || f->type->kind == TYPE_NULL) {
            TRY(append(child, f->type, part, from, count, err));
            continue;
        }
        /* A field that is never NULL has no bitmap, whatever lies below a NULL struct. */
        TRY(append_data(child, f->type, part, duckdb_vector_get_validity(part), from, count, err));
        child->length += (int64_t)count;
    }
    return true;
}

static bool append_entries(struct ArrowArray *child, const Type *type, duckdb_vector vector,
                           idx_t from, idx_t count, Error *err)
{
    if (type->kind == TYPE_ARRAY)
        return append(child, type->array.element, vector, from, count, err);
    TRY(append(child->children[0], type->map.key, duckdb_struct_vector_get_child(vector, 0), from,
               count, err));
    TRY(append(child->children[1], type->map.value, duckdb_struct_vector_get_child(vector, 1), from,
               count, err));
    child->length += (int64_t)count;
    return true;
}

/* Entries that lie one behind the other in the child vector are taken over in one go. */
static bool append_lists(struct ArrowArray *array, const Type *type, duckdb_vector vector,
                         const uint64_t *validity, idx_t from, idx_t count, Error *err)
{
    const duckdb_list_entry *entries = duckdb_vector_get_data(vector);
    duckdb_vector child = duckdb_list_vector_get_child(vector);
    struct ArrowBuffer *offsets;
    int32_t last;
    TRY(offsets_of(array, count, &offsets, &last, err));
    int64_t total = last;
    idx_t run_from = 0, run_count = 0;
    for (idx_t i = 0; i < count; i++) {
        if (valid_at(validity, from + i)) {
            duckdb_list_entry e = entries[from + i];
            if (e.length && run_count && run_from + run_count != e.offset) {
                TRY(append_entries(array->children[0], type, child, run_from, run_count, err));
                run_count = 0;
            }
            if (e.length && !run_count)
                run_from = e.offset;
            run_count += e.length;
            total += (int64_t)e.length;
        }
        if (total > INT32_MAX)
            return too_large(err);
        ((int32_t *)(offsets->data + offsets->size_bytes))[i] = (int32_t)total;
    }
    offsets->size_bytes += (int64_t)count * 4;
    return !run_count || append_entries(array->children[0], type, child, run_from, run_count, err);
}

static bool append_data(struct ArrowArray *array, const Type *type, duckdb_vector vector,
                        const uint64_t *validity, idx_t from, idx_t count, Error *err)
{
    void *data = duckdb_vector_get_data(vector);
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return append_bools(array, data, from, count, err);
    case TYPE_BYTE:
        return append_fixed(array, data, 1, from, count, err);
    case TYPE_SHORT:
        return append_fixed(array, data, 2, from, count, err);
    case TYPE_INT:
    case TYPE_FLOAT:
    case TYPE_DATE:
    case TYPE_INTERVAL_YM:
        return append_fixed(array, data, 4, from, count, err);
    case TYPE_LONG:
    case TYPE_DOUBLE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_DT:
        return append_fixed(array, data, 8, from, count, err);
    case TYPE_TIME:
        return append_times(array, data, from, count, err);
    case TYPE_DECIMAL:
        return append_decimals(array, data, type->decimal.precision, from, count, err);
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
        return append_strings(array, data, validity, from, count, err);
    case TYPE_INTERVAL_CALENDAR:
        return append_calendar(array, data, validity, from, count, err);
    case TYPE_ARRAY:
    case TYPE_MAP:
        return append_lists(array, type, vector, validity, from, count, err);
    case TYPE_STRUCT:
    case TYPE_VARIANT:
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return append_structs(array, type, vector, from, count, err);
    case TYPE_NULL:
        return true;
    case TYPE_KIND_COUNT:
        break;
    }
    return error_internal(err, "no Arrow writer for type kind %d", (int)type->kind);
}

static bool append(struct ArrowArray *array, const Type *type, duckdb_vector vector, idx_t from,
                   idx_t count, Error *err)
{
    if (type->kind == TYPE_NULL) {
        array->length += (int64_t)count;
        array->null_count = array->length;
        return true;
    }
    const uint64_t *validity = duckdb_vector_get_validity(vector);
    TRY(append_validity(array, validity, from, count, err));
    TRY(append_data(array, type, vector, validity, from, count, err));
    array->length += (int64_t)count;
    return true;
}

static bool start_batch(ArrowOut *a, Error *err)
{
    TRY(arrow_ok(ArrowArrayInitFromSchema(&a->batch, &a->arrow_schema, NULL), "starting a batch",
                 err));
    a->has_batch = true;
    return arrow_ok(ArrowArrayStartAppending(&a->batch), "starting a batch", err);
}

bool arrow_out_append(ArrowOut *a, duckdb_data_chunk chunk, idx_t from, idx_t count, Error *err)
{
    return arrow_out_append_from(a, chunk, 0, from, count, err);
}

bool arrow_out_append_from(ArrowOut *a, duckdb_data_chunk chunk, idx_t column, idx_t from,
                           idx_t count, Error *err)
{
    if (!a->has_batch)
        TRY(start_batch(a, err));
    for (size_t i = 0; i < a->schema->structure.count; i++)
        TRY(append(a->batch.children[i], a->schema->structure.fields[i].type,
                   duckdb_data_chunk_get_vector(chunk, column + i), from, count, err));
    a->batch.length += (int64_t)count;
    a->rows += (int64_t)count;
    return true;
}

int64_t arrow_out_rows(const ArrowOut *a) { return a->rows; }

static size_t array_bytes(struct ArrowArray *array)
{
    size_t n = 0;
    for (int64_t i = 1; i < array->n_buffers; i++)
        n += (size_t)ArrowArrayBuffer(array, i)->size_bytes;
    for (int64_t i = 0; i < array->n_children; i++)
        n += array_bytes(array->children[i]);
    return n;
}

size_t arrow_out_bytes(const ArrowOut *a)
{
    return a->has_batch ? array_bytes((struct ArrowArray *)&a->batch) : 0;
}

/* ---- finishing ---- */

static ArrowErrorCode encode_batch(struct ArrowArrayView *view, struct ArrowBuffer *message,
                                   struct ArrowBuffer *body, struct ArrowError *why)
{
    struct ArrowIpcEncoder encoder;
    NANOARROW_RETURN_NOT_OK(ArrowIpcEncoderInit(&encoder));
    ArrowErrorCode code = ArrowIpcEncoderEncodeSimpleRecordBatch(&encoder, view, body, why);
    if (code == NANOARROW_OK)
        code = ArrowIpcEncoderFinalizeBuffer(&encoder, 1, message);
    ArrowIpcEncoderReset(&encoder);
    return code;
}

static bool put_batch(ArrowOut *a, Buf *ipc, Error *err)
{
    struct ArrowError why = {{0}};
    TRY(arrow_ok(ArrowArrayFinishBuilding(&a->batch, NANOARROW_VALIDATION_LEVEL_NONE, &why),
                 "finishing a batch", err));
    struct ArrowArrayView view;
    struct ArrowBuffer message, body;
    ArrowBufferInit(&message);
    ArrowBufferInit(&body);
    ArrowErrorCode code = ArrowArrayViewInitFromSchema(&view, &a->arrow_schema, &why);
    if (code == NANOARROW_OK)
        code = ArrowArrayViewSetArray(&view, &a->batch, &why);
    if (code == NANOARROW_OK)
        code = ArrowBufferReserve(&body, (int64_t)arrow_out_bytes(a) + 4096);
    if (code == NANOARROW_OK)
        code = encode_batch(&view, &message, &body, &why);
    if (code == NANOARROW_OK) {
        add_bytes(ipc, &message);
        add_bytes(ipc, &body);
    }
    ArrowArrayViewReset(&view);
    ArrowBufferReset(&message);
    ArrowBufferReset(&body);
    return code == NANOARROW_OK ||
           error_internal(err, "Arrow: a batch cannot be encoded: %s", why.message);
}

void arrow_out_put_schema(ArrowOut *a, Buf *ipc) { buf_add(ipc, a->schema_message); }

bool arrow_out_put_batch(ArrowOut *a, Buf *ipc, Error *err)
{
    bool ok = (a->has_batch || start_batch(a, err)) && put_batch(a, ipc, err);
    drop_batch(a);
    return ok && (!ipc->overflow || error_unsupported(err, "A result batch of this size"));
}

void arrow_out_put_end(Buf *ipc)
{
    static const uint8_t end_of_stream[] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    buf_add_bytes(ipc, end_of_stream, sizeof(end_of_stream));
}

bool arrow_out_finish(ArrowOut *a, bool with_batch, Buf *ipc, Error *err)
{
    arrow_out_put_schema(a, ipc);
    bool ok = !with_batch || arrow_out_put_batch(a, ipc, err);
    arrow_out_put_end(ipc);
    drop_batch(a);
    return ok && (!ipc->overflow || error_unsupported(err, "A result batch of this size"));
}
