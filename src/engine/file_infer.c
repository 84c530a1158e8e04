/* The schema of text files: JSON's from its values, CSV's from its header and, when asked, its
 * cells. */
#include <string.h>

#include "base/map.h"
#include "engine/file_source_impl.h"
#include "type/coerce.h"
#include "type/datetime.h"

/* ---- JSON ---- */

enum { INFER_MAX_DEPTH = TYPE_MAX_DEPTH - 4 };

typedef struct JsonInfer {
    const FileOptions *options;
    Arena *arena;
    bool any_corrupt;
    Str repeated; /* a name that one object has twice */
} JsonInfer;

static const Type *null_type(void) { return type_simple(TYPE_NULL); }

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const Field *)a)->name, ((const Field *)b)->name);
}

static const Type *merge_types(JsonInfer *j, const Type *a, const Type *b);

/* Both sorted by name. */
static const Type *merge_structs(JsonInfer *j, const Type *a, const Type *b)
{
    size_t n = 0, i = 0, k = 0;
    Field *fields = ARENA_ARRAY(j->arena, Field, a->structure.count + b->structure.count + 1);
    while (i < a->structure.count || k < b->structure.count) {
        const Field *x = i < a->structure.count ? &a->structure.fields[i] : NULL;
        const Field *y = k < b->structure.count ? &b->structure.fields[k] : NULL;
        int order = !x ? 1 : !y ? -1 : str_cmp(x->name, y->name);
        fields[n] = order <= 0 ? *x : *y;
        if (!order)
            fields[n].type = merge_types(j, x->type, y->type);
        n++;
        i += order <= 0;
        k += order >= 0;
    }
    return type_struct(fields, n, j->arena);
}

static const Type *merge_types(JsonInfer *j, const Type *a, const Type *b)
{
    if (a->kind == TYPE_NULL)
        return b;
    if (b->kind == TYPE_NULL)
        return a;
    if (a->kind == TYPE_STRUCT && b->kind == TYPE_STRUCT)
        return merge_structs(j, a, b);
    if (a->kind == TYPE_ARRAY && b->kind == TYPE_ARRAY)
        return type_array(merge_types(j, a->array.element, b->array.element), true, j->arena);
    if (type_is_nested(a) || type_is_nested(b))
        return type_simple(TYPE_STRING);
    if (a->kind == TYPE_DOUBLE && b->kind == TYPE_DECIMAL)
        return a;
    if (b->kind == TYPE_DOUBLE && a->kind == TYPE_DECIMAL)
        return b;
    const Type *common = coerce_tightest(a, b, j->arena);
    return common ? common : type_simple(TYPE_STRING);
}

static const Type *number_type(JsonInfer *j, Str text)
{
    int64_t n;
    size_t digits = 0, scale = 0;
    bool point = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == 'e' || c == 'E')
            return type_simple(TYPE_DOUBLE);
        if (c == '.')
            point = true;
        else if (c >= '0' && c <= '9')
            digits++, scale += point;
    }
    if (!point && str_to_i64(text, &n))
        return type_simple(TYPE_LONG);
    if (!digits)
        return type_simple(TYPE_DOUBLE); /* NaN, Infinity */
    bool wants_decimal = !point || j->options->prefers_decimal;
    if (!wants_decimal || digits > DECIMAL_MAX_PRECISION)
        return type_simple(TYPE_DOUBLE);
    size_t precision = digits > scale ? digits : scale;
    if (point && digits > scale && text.ptr[text.ptr[0] == '-'] == '0')
        precision = digits - 1 > scale
                        ? digits - 1
                        : scale; /* the 0 before the point is no digit of the number */
    return type_decimal((int)precision, (int)scale, j->arena);
}

static const Type *value_type(JsonInfer *j, yyjson_val *v, int depth);

static const Type *object_type(JsonInfer *j, yyjson_val *v, int depth)
{
    Field *fields = ARENA_ARRAY(j->arena, Field, yyjson_obj_size(v) + 1);
    size_t n = 0, i, count;
    yyjson_val *key, *item;
    yyjson_obj_foreach(v, i, count, key, item)
    {
        fields[n].name = str_copy(json_str(key), j->arena);
        fields[n].nullable = true;
        fields[n++].type = value_type(j, item, depth + 1);
    }
    qsort(fields, n, sizeof(Field), by_name);
    for (i = 1; i < n; i++)
        if (str_eq(fields[i].name, fields[i - 1].name))
            j->repeated = fields[i].name;
    return type_struct(fields, n, j->arena);
}

static const Type *text_type(JsonInfer *j, Str text)
{
    int64_t us;
    if (j->options->infer_timestamp && !j->options->primitives_as_string &&
        file_parse_timestamp(text, j->options, false, &us))
        return type_simple(TYPE_TIMESTAMP);
    return type_simple(TYPE_STRING);
}

static const Type *value_type(JsonInfer *j, yyjson_val *v, int depth)
{
    if (depth > INFER_MAX_DEPTH)
        return type_simple(TYPE_STRING);
    if (yyjson_is_obj(v))
        return object_type(j, v, depth);
    if (yyjson_is_arr(v)) {
        const Type *element = null_type();
        yyjson_val *item;
        size_t i, count;
        yyjson_arr_foreach(v, i, count, item) element =
            merge_types(j, element, value_type(j, item, depth + 1));
        return type_array(element, true, j->arena);
    }
    if (yyjson_is_null(v) || !v)
        return null_type();
    if (j->options->primitives_as_string)
        return type_simple(TYPE_STRING);
    if (yyjson_is_bool(v))
        return type_simple(TYPE_BOOLEAN);
    if (yyjson_is_raw(v))
        return number_type(j, (Str){yyjson_get_raw(v), yyjson_get_len(v)});
    if (yyjson_is_real(v))
        return type_simple(TYPE_DOUBLE);
    return text_type(j, json_str(v));
}

/* What is still void becomes a string; structs without fields go. NULL: drop the column. */
static const Type *settled(JsonInfer *j, const Type *t)
{
    if (t->kind == TYPE_NULL)
        return j->options->drop_all_null ? NULL : type_simple(TYPE_STRING);
    if (t->kind == TYPE_ARRAY) {
        const Type *element = settled(j, t->array.element);
        return element ? type_array(element, true, j->arena) : NULL;
    }
    if (t->kind != TYPE_STRUCT)
        return t;
    Field *fields = ARENA_ARRAY(j->arena, Field, t->structure.count + 1);
    size_t n = 0;
    for (size_t i = 0; i < t->structure.count; i++) {
        fields[n] = t->structure.fields[i];
        fields[n].type = settled(j, fields[n].type);
        n += fields[n].type && fields[n].name.len;
    }
    return n ? type_struct(fields, n, j->arena) : NULL;
}

static const Type *record_type(JsonInfer *j, const Type *schema, yyjson_val *root)
{
    if (yyjson_is_obj(root))
        return merge_types(j, schema, object_type(j, root, 0));
    if (!yyjson_is_arr(root)) {
        j->any_corrupt = true;
        return schema;
    }
    yyjson_val *item;
    size_t i, count;
    yyjson_arr_foreach(root, i, count, item)
    {
        if (yyjson_is_obj(item))
            schema = merge_types(j, schema, object_type(j, item, 0));
        else
            j->any_corrupt = true;
    }
    return schema;
}

static bool infer_file(JsonInfer *j, Str path, const Type **schema, Error *err)
{
    FileBytes bytes;
    TRY(file_bytes_open(path, &bytes, err));
    size_t at = 0;
    Str text;
    bool whole = j->options->multi_line;
    while (whole || file_next_line(&bytes, j->options->line_separator, &at, &text)) {
        if (whole)
            text = (Str){bytes.ptr, bytes.len};
        if (text.ptr == bytes.ptr && str_starts_with(text, S("\xef\xbb\xbf")))
            text = str_slice(text, 3, text.len);
        if (str_trim(text).len) {
            yyjson_doc *doc = json_file_document(text);
            *schema = record_type(j, *schema, yyjson_doc_get_root(doc));
            yyjson_doc_free(doc);
        }
        if (whole)
            break;
    }
    file_bytes_close(&bytes);
    return !j->repeated.len || error_set(err, ERR_COLUMN_ALREADY_EXISTS,
                                         P("columnName", str_printf(err->arena, "`" STR_FMT "`",
                                                                    STR_ARG(j->repeated))));
}

bool json_infer(const FileScan *scan, const FileOptions *o, Arena *arena, const Type **out,
                Error *err)
{
    JsonInfer j = {.options = o, .arena = arena};
    const Type *schema = type_struct(NULL, 0, arena);
    for (size_t i = 0; i < scan->paths.len; i++)
        TRY(infer_file(&j, scan->paths.at[i], &schema, err));
    const Type *whole = settled(&j, schema);
    if (j.any_corrupt && o->mode == MODE_FAIL)
        return error_set(err, ERR_MALFORMED_RECORD_IN_PARSING__WITHOUT_SUGGESTION, P("badRecord", o->corrupt_name),
                         PZ("failFastMode", "FAILFAST"));
    if (j.any_corrupt && o->mode == MODE_PERMISSIVE) {
        Field corrupt = {o->corrupt_name, type_simple(TYPE_STRING), true, S("")};
        const Type *extra = type_struct(&corrupt, 1, arena);
        whole = whole ? merge_structs(&j, extra, whole) : extra;
    }
    *out = whole ? whole : type_struct(NULL, 0, arena);
    return true;
}

/* ---- CSV ---- */

/* From the narrowest guess on; a column only ever moves to wider ones. */
static const Type *csv_guess(Str text, const FileOptions *o, Arena *arena)
{
    int64_t n;
    double d;
    bool b;
    Str plain = str_starts_with(text, S("+")) ? str_slice(text, 1, text.len) : text;
    if (str_to_i64(plain, &n))
        return type_simple(n == (int32_t)n ? TYPE_INT : TYPE_LONG);
    bool digits = plain.len > 0;
    for (size_t i = 0; i < plain.len; i++)
        digits = digits && ((plain.ptr[i] >= '0' && plain.ptr[i] <= '9') ||
                            (!i && plain.ptr[i] == '-' && plain.len > 1));
    if (digits && plain.len - (plain.ptr[0] == '-') <= DECIMAL_MAX_PRECISION)
        return type_decimal((int)(plain.len - (plain.ptr[0] == '-')), 0, arena);
    if (csv_parse_real(text, o, &d))
        return type_simple(TYPE_DOUBLE);
    if (o->prefer_date && text.len >= 8 && text.len <= 10 && file_parse_date(text, o, &n))
        return type_simple(TYPE_DATE);
    if (text.len >= 8 && file_parse_timestamp(text, o, false, &n))
        return type_simple(TYPE_TIMESTAMP);
    if (csv_parse_bool(text, &b))
        return type_simple(TYPE_BOOLEAN);
    return type_simple(TYPE_STRING);
}

static const Type *csv_wider(const Type *a, const Type *b, Arena *arena)
{
    if (a->kind == TYPE_NULL)
        return b;
    if ((a->kind == TYPE_DATE && b->kind == TYPE_TIMESTAMP) ||
        (b->kind == TYPE_DATE && a->kind == TYPE_TIMESTAMP))
        return type_simple(TYPE_TIMESTAMP);
    if (type_is_numeric(a) && type_is_numeric(b) &&
        (a->kind == TYPE_DOUBLE || b->kind == TYPE_DOUBLE))
        return type_simple(TYPE_DOUBLE);
    const Type *common = coerce_tightest(a, b, arena);
    return common ? common : type_simple(TYPE_STRING);
}

/* Names that repeat get their position behind them, names that are missing become _c<n>. */
static void csv_names(const CsvCells *header, bool named, Arena *arena, Field *fields)
{
    Map seen = map_in_ignoring_case(arena);
    for (size_t i = 0; i < header->len; i++) {
        Str name = header->at[i];
        if (!named || !name.ptr || !name.len)
            continue;
        map_put(&seen, name, map_has(&seen, name) ? (void *)fields : (void *)header);
    }
    for (size_t i = 0; i < header->len; i++) {
        Str name = header->at[i];
        if (!named || !name.ptr || !name.len)
            fields[i].name = str_printf(arena, "_c%zu", i);
        else if (map_get(&seen, name) == (void *)fields)
            fields[i].name = str_printf(arena, STR_FMT "%zu", STR_ARG(name), i);
        else
            fields[i].name = str_copy(name, arena);
        fields[i].nullable = true;
        fields[i].type = type_simple(TYPE_STRING);
    }
}

static bool csv_guess_file(const FileScan *scan, size_t file, const FileOptions *o, Field *fields,
                           size_t count, Arena *arena, Error *err)
{
    FileBytes bytes;
    TRY(file_bytes_open(scan->paths.at[file], &bytes, err));
    size_t at = 0;
    Str record;
    CsvCells cells = {0};
    bool header = o->header;
    while (csv_next_record(&bytes, o, &at, &record)) {
        if (header) {
            header = false;
            continue;
        }
        AUTO_ARENA line = arena_new();
        cells = (CsvCells){0};
        csv_split_line(record, o, line, &cells);
        for (size_t i = 0; i < cells.len && i < count; i++)
            if (cells.at[i].ptr && fields[i].type->kind != TYPE_STRING)
                fields[i].type = csv_wider(fields[i].type, csv_guess(cells.at[i], o, arena), arena);
    }
    file_bytes_close(&bytes);
    return true;
}

bool csv_infer(const FileScan *scan, const FileOptions *o, bool infer_types, Arena *arena,
               const Type **out, Error *err)
{
    CsvCells header = {0};
    for (size_t i = 0; i < scan->paths.len && !header.len; i++) {
        FileBytes bytes;
        TRY(file_bytes_open(scan->paths.at[i], &bytes, err));
        size_t at = 0;
        Str record;
        if (csv_next_record(&bytes, o, &at, &record)) {
            csv_split_line(record, o, arena, &header);
            for (size_t k = 0; k < header.len; k++)
                if (header.at[k].ptr)
                    header.at[k] = str_copy(text_as_utf8(header.at[k], arena), arena);
        }
        file_bytes_close(&bytes);
    }
    Field *fields = ARENA_ARRAY(arena, Field, header.len + 1);
    csv_names(&header, o->header, arena, fields);
    for (size_t i = 0; infer_types && i < header.len; i++)
        fields[i].type = null_type();
    for (size_t i = 0; infer_types && i < scan->paths.len; i++)
        TRY(csv_guess_file(scan, i, o, fields, header.len, arena, err));
    for (size_t i = 0; infer_types && i < header.len; i++)
        if (fields[i].type->kind == TYPE_NULL)
            fields[i].type = type_simple(TYPE_STRING);
    *out = type_struct(fields, header.len, arena);
    return true;
}
