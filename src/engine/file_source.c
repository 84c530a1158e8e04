/* Files of a text format as a source of rows: one file after the other, hive values beside the data
 * columns. */
#include <string.h>

#include "engine/file_source_impl.h"
#include "engine/render.h"

/* What a row is taken to need in a text file. */
enum { TEXT_BYTES_PER_ROW = 60 };

/* ---- formats ---- */

static const FileFormat *const formats[] = {&json_format, &csv_format, &text_format, &xml_format,
                                          &avro_format};

static const FileFormat *format_find(Str name)
{
    for (size_t i = 0; i < LENGTH_OF(formats); i++)
        if (str_is_ci(name, formats[i]->name))
            return formats[i];
    return NULL;
}

bool file_format_is_read(Str format)
{
    return str_is_ci(format, "parquet") || str_is_ci(format, "orc") || format_find(format);
}

/* ---- options ---- */

Str file_option(const KeyValueVec *options, const char *key, const char *otherwise)
{
    return key_value_has(options, key) ? key_value_get(options, key) : str_from(otherwise);
}

bool file_option_bool(const KeyValueVec *options, const char *key, bool otherwise)
{
    return key_value_has(options, key) ? str_is_ci(key_value_get(options, key), "true") : otherwise;
}

static bool read_mode(const KeyValueVec *options, ParseMode *out, Error *err)
{
    Str mode = file_option(options, "mode", "PERMISSIVE");
    if (str_is_ci(mode, "DROPMALFORMED"))
        *out = MODE_DROP;
    else if (str_is_ci(mode, "FAILFAST"))
        *out = MODE_FAIL;
    else
        *out = MODE_PERMISSIVE; /* what is none is taken so, as Spark does */
    return true;
}

static bool read_pattern(const KeyValueVec *options, const char *key, Str *out, Error *err)
{
    *out = file_option(options, key, "");
    if (out->len && !time_pattern_is_known(*out))
        return error_unsupported(err, "The option %s = '" STR_FMT "'", key, STR_ARG(*out));
    return true;
}

/* A character option: empty means none. Spark's own names for the tab come as escapes. */
static bool read_char(const KeyValueVec *options, const char *key, char otherwise, char *out,
                      Error *err)
{
    *out = otherwise;
    if (!key_value_has(options, key))
        return true;
    Str text = key_value_get(options, key);
    *out = text.len ? text.ptr[0] : 0;
    if (text.len > 1)
        return error_set(err, ERR_OPTION_VALUE_EXCEEDS_ONE_CHARACTER, PZ("paramName", key), P("actualValue", text));
    return true;
}

static Str separator_text(Str text)
{
    if (str_is(text, "\\t"))
        return S("\t");
    return str_is(text, "\\\\") ? S("\\") : text;
}

/* Options of csv files that would change the answer and are not there. */
static bool refuse_csv(const KeyValueVec *o, bool schema_given, Error *err)
{
    static const char *const flags[] = {"header", "inferSchema", "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace", "multiLine",
                                        "quoteAll", "escapeQuotes", "enforceSchema", "preferDate"};
    static const char *const numbers[] = {"maxColumns", "maxCharsPerColumn", "inputBufferSize"};
    for (size_t i = 0; i < LENGTH_OF(flags); i++) {
        Str v = file_option(o, flags[i], "true");
        if (!str_is_ci(v, "true") && !str_is_ci(v, "false"))
            return error_set(err, ERR__LEGACY_ERROR_TEMP_2147, PZ("paramName", flags[i]));
    }
    for (size_t i = 0; i < LENGTH_OF(numbers); i++) {
        int64_t n;
        Str v = file_option(o, numbers[i], "-1");
        if (!str_to_i64(v, &n))
            return error_set(err, ERR__LEGACY_ERROR_TEMP_2146, PZ("paramName", numbers[i]), P("value", v));
        if (i < 2 && n >= 0 && n < 20480)
            return error_unsupported(err, "The option %s below Spark's default", numbers[i]);
    }
    if (!str_is_ci(file_option(o, "unescapedQuoteHandling", "STOP_AT_DELIMITER"), "STOP_AT_DELIMITER"))
        return error_unsupported(err, "The option unescapedQuoteHandling other than STOP_AT_DELIMITER");
    Str escaping = file_option(o, "charToEscapeQuoteEscaping", "");
    if (escaping.len && !str_eq(escaping, file_option(o, "escape", "\\")))
        return error_unsupported(err, "The option charToEscapeQuoteEscaping");
    bool checked = !file_option_bool(o, "enforceSchema", true) && file_option_bool(o, "header", false);
    return !(checked && schema_given) || error_unsupported(err, "The option enforceSchema = false");
}

/* Options of json files, by what they are without being said. */
static bool refuse_json(const KeyValueVec *o, Error *err)
{
    static const struct {
        const char *key;
        bool otherwise;
    } rows[] = {{"allowComments", false}, {"allowUnquotedFieldNames", false}, {"allowSingleQuotes", true},
                {"allowNumericLeadingZeros", false}, {"allowNonNumericNumbers", true},
                {"allowBackslashEscapingAnyCharacter", false}, {"allowUnquotedControlChars", false}};
    static const char *const limits[] = {"maxNestingDepth", "maxNumLen", "maxStringLen"};
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (file_option_bool(o, rows[i].key, rows[i].otherwise) != rows[i].otherwise)
            return error_unsupported(err, "The option %s = %s", rows[i].key, rows[i].otherwise ? "false" : "true");
    for (size_t i = 0; i < LENGTH_OF(limits); i++)
        if (key_value_has(o, limits[i]))
            return error_unsupported(err, "The option %s", limits[i]);
    return true;
}

static bool refuse_others(const FileScan *scan, Error *err)
{
    if (str_is_ci(scan->format, "json"))
        TRY(refuse_json(&scan->options, err));
    if (str_is_ci(scan->format, "csv"))
        TRY(refuse_csv(&scan->options, scan->schema != NULL && !scan->schema_inferred, err));
    if (file_option(&scan->options, "singleVariantColumn", "").len)
        return error_unsupported(err, "The option singleVariantColumn");
    Str charset = file_option(&scan->options, "encoding", "UTF-8");
    if (key_value_has(&scan->options, "charset"))
        charset = key_value_get(&scan->options, "charset");
    if (!str_is_ci(charset, "UTF-8") && !str_is_ci(charset, "UTF8") &&
        !str_is_ci(charset, "US-ASCII"))
        return error_unsupported(err, "Reading text files in " STR_FMT, STR_ARG(charset));
    Str locale = file_option(&scan->options, "locale", "en-US");
    if (!str_istarts_with(locale, S("en")))
        return error_unsupported(err, "Reading text files with the locale " STR_FMT,
                                 STR_ARG(locale));
    return true;
}

Str file_corrupt_name(const KeyValueVec *options, const FuncContext *func)
{
    Str name = S("_corrupt_record");
    if (func->setting)
        (void)!func->setting(func->self, "spark.sql.columnNameOfCorruptRecord", &name);
    return key_value_has(options, "columnNameOfCorruptRecord") ? key_value_get(options, "columnNameOfCorruptRecord") : name;
}

static bool flag_of(const FuncContext *func, const KeyValueVec *options, const char *key, const char *setting)
{
    Str value = S("false");
    if (func->setting)
        (void)!func->setting(func->self, setting, &value);
    return file_option_bool(options, key, str_is_ci(value, "true"));
}

bool file_options_read(const FileScan *scan, const FuncContext *func, Arena *arena, FileOptions *o,
                       Error *err)
{
    const KeyValueVec *options = &scan->options;
    *o = (FileOptions){0};
    TRY(refuse_others(scan, err));
    TRY(read_mode(options, &o->mode, err));
    TRY(read_pattern(options, "dateFormat", &o->date_format, err));
    TRY(read_pattern(options, "timestampFormat", &o->timestamp_format, err));
    TRY(read_pattern(options, "timestampNTZFormat", &o->timestamp_ntz_format, err));
    o->multi_line =
        file_option_bool(options, "multiLine", file_option_bool(options, "wholeFile", false));
    o->line_separator = file_option(options, "lineSep", "");
    o->zone =
        file_option(options, "timeZone", "").len ? key_value_get(options, "timeZone") : func->zone;
    o->corrupt_name = file_corrupt_name(options, func);
    o->header = file_option_bool(options, "header", false);
    o->trim_left = file_option_bool(options, "ignoreLeadingWhiteSpace", false);
    o->trim_right = file_option_bool(options, "ignoreTrailingWhiteSpace", false);
    o->separator = separator_text(
        file_option(options, "sep", str_z(file_option(options, "delimiter", ","), arena)));
    if (!o->separator.len)
        return error_unsupported(err, "An empty CSV separator");
    TRY(read_char(options, "quote", '"', &o->quote, err));
    TRY(read_char(options, "escape", '\\', &o->escape, err));
    TRY(read_char(options, "comment", 0, &o->comment, err));
    o->null_value = file_option(options, "nullValue", "");
    o->empty_value = file_option(options, "emptyValue", "");
    o->nan_value = file_option(options, "nanValue", "NaN");
    o->positive_inf = file_option(options, "positiveInf", "Inf");
    o->negative_inf = file_option(options, "negativeInf", "-Inf");
    o->primitives_as_string = file_option_bool(options, "primitivesAsString", false);
    o->prefers_decimal = file_option_bool(options, "prefersDecimal", false);
    o->drop_all_null = file_option_bool(options, "dropFieldIfAllNull", false);
    o->infer_timestamp = file_option_bool(options, "inferTimestamp", false);
    o->ignore_corrupt = flag_of(func, options, "ignoreCorruptFiles", "spark.sql.files.ignoreCorruptFiles");
    o->ignore_missing = flag_of(func, options, "ignoreMissingFiles", "spark.sql.files.ignoreMissingFiles");
    o->prefer_date = file_option_bool(options, "preferDate", true);
    double ratio = 1;
    if (key_value_has(options, "samplingRatio") &&
        (!str_to_f64(key_value_get(options, "samplingRatio"), &ratio) || ratio <= 0))
        return error_unsupported(err, "A samplingRatio that is not greater than 0");
    o->sampling_ratio = 1;
    return true;
}

/* ---- the source ---- */

typedef struct Files {
    RowSource source;
    const FileScan *scan;
    const FileFormat *format;
    FileOptions options;
    const Type *data_schema;
    Value **hive; /* per file, the values of the hive columns */
    size_t data_count;
} Files;

typedef struct FilesState {
    Files *files;
    Arena *arena;
    FileReader reader;
    size_t next_file;
    bool open;
} FilesState;

duckdb_vector reader_vector(const FileReader *r, size_t column)
{
    for (size_t i = 0; i < r->column_count; i++)
        if (r->columns[i] == column)
            return r->vectors[i];
    return NULL;
}

bool reader_settle(FileReader *r, idx_t row, Parsed parsed, Str record, bool *keep, Error *err)
{
    *keep = true;
    if (parsed != PARSED_OK && r->options->mode == MODE_FAIL)
        return error_set(err, ERR_FAILED_READ_FILE__NO_HINT,
                         P("path", str_concat(err->arena, S("file://"), r->path)));
    if (parsed != PARSED_OK && r->options->mode == MODE_DROP)
        *keep = false;
    duckdb_vector corrupt = r->corrupt >= 0 ? reader_vector(r, (size_t)r->corrupt) : NULL;
    if (!corrupt)
        return true;
    if (parsed == PARSED_OK)
        vector_set_null(corrupt, row, type_simple(TYPE_STRING));
    else
        cell_put_text(corrupt, row, record);
    return true;
}

void file_put_value(duckdb_vector vector, idx_t row, const Value *v)
{
    void *data = duckdb_vector_get_data(vector);
    if (v->is_null) {
        vector_set_null(vector, row, v->type);
        return;
    }
    switch (v->type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
        duckdb_vector_assign_string_element_len(vector, row, v->bytes.ptr, v->bytes.len);
        return;
    case TYPE_BOOLEAN:
        ((uint8_t *)data)[row] = v->boolean;
        return;
    case TYPE_FLOAT:
        ((float *)data)[row] = (float)v->real;
        return;
    case TYPE_DOUBLE:
        ((double *)data)[row] = v->real;
        return;
    case TYPE_DECIMAL: {
        AUTO_ARENA arena = arena_new();
        (void)!cell_put_decimal(vector, row, v->type,
                                value_decimal_text(v->decimal, v->type->decimal.scale, arena));
        return;
    }
    default:
        cell_put_int(vector, row, v->type->kind, v->integer);
        return;
    }
}

/* Values of the file's folders, and which file it is. */
static void put_file_columns(FilesState *s, idx_t row)
{
    const Files *f = s->files;
    for (size_t i = 0; i < s->reader.column_count; i++)
        if (s->reader.columns[i] >= f->data_count &&
            s->reader.columns[i] < f->scan->schema->structure.count)
            file_put_value(s->reader.vectors[i], row,
                      &f->hive[s->next_file - 1][s->reader.columns[i] - f->data_count]);
        else if (s->reader.columns[i] == f->scan->schema->structure.count)
            ((int64_t *)duckdb_vector_get_data(s->reader.vectors[i]))[row] = (int64_t)s->next_file - 1;
}

static void close_file(FilesState *s)
{
    if (!s->open)
        return;
    if (s->files->format->close)
        s->files->format->close(&s->reader);
    file_bytes_close(&s->reader.bytes);
    s->open = false;
}

static bool open_file(FilesState *s, bool *more, Error *err)
{
    close_file(s);
    *more = s->next_file < s->files->scan->paths.len;
    if (!*more)
        return true;
    s->reader.path = s->files->scan->paths.at[s->next_file++];
    s->reader.at = 0;
    s->reader.started = false;
    s->reader.format_state = NULL;
    TRY(file_bytes_open(s->reader.path, &s->reader.bytes, err));
    s->open = true;
    return true;
}

static void files_close(void *state)
{
    FilesState *s = state;
    close_file(s);
    arena_free(s->arena);
}

static bool files_open(RowSource *source, const size_t *columns, size_t count, void **state,
                       Error *err)
{
    Files *f = (Files *)source;
    Arena *arena = arena_new();
    FilesState *s = ARENA_NEW(arena, FilesState);
    s->files = f;
    s->arena = arena;
    size_t *wanted = ARENA_ARRAY(arena, size_t, count + 1);
    if (count)
        memcpy(wanted, columns, count * sizeof(*columns));
    s->reader = (FileReader){.scan = f->scan,
                             .options = &f->options,
                             .schema = f->data_schema,
                             .columns = wanted,
                             .column_count = count,
                             .vectors = ARENA_ARRAY(arena, duckdb_vector, count + 1),
                             .corrupt = -1};
    for (size_t i = 0; i < f->data_count; i++)
        if (str_eq(f->data_schema->structure.fields[i].name, f->options.corrupt_name) &&
            f->format != &text_format)
            s->reader.corrupt = (ptrdiff_t)i;
    *state = s;
    return true;
}

/* What a dropped record left in the row that the next one fills. */
static void forget_row(FilesState *s, idx_t row)
{
    const Type *schema = s->files->scan->schema;
    for (size_t i = 0; i < s->reader.column_count; i++)
        if (s->reader.columns[i] < schema->structure.count)
            vector_set_valid(s->reader.vectors[i], row,
                             schema->structure.fields[s->reader.columns[i]].type);
}

/* What is left of a file that cannot be read, where the options say that it does not matter. */
static bool pass_over(FilesState *s, Error *err)
{
    const FileOptions *o = &s->files->options;
    bool missing = err->cls == ERR_FAILED_READ_FILE__FILE_NOT_EXIST;
    bool damaged = err->cls == ERR_FAILED_READ_FILE__NO_HINT || err->cls == ERR_LAKESHED_FILE;
    if (!(missing && o->ignore_missing) && !(damaged && o->ignore_corrupt))
        return false;
    error_clear(err);
    close_file(s);
    return true;
}

static bool files_fill(void *state, duckdb_data_chunk chunk, idx_t capacity, idx_t *rows,
                       Error *err)
{
    FilesState *s = state;
    *rows = 0;
    for (size_t i = 0; i < s->reader.column_count; i++)
        s->reader.vectors[i] = duckdb_data_chunk_get_vector(chunk, i);
    while (*rows < capacity) {
        bool more = s->open, keep = true;
        if (more && !s->files->format->next(&s->reader, *rows, &more, &keep, err)) {
            TRY(pass_over(s, err));
            forget_row(s, *rows);
            continue;
        }
        if (!more) {
            bool opened = open_file(s, &more, err);
            if (!opened)
                TRY(pass_over(s, err));
            if (opened && !more)
                return true;
            continue;
        }
        if (keep)
            put_file_columns(s, (*rows)++);
        else
            forget_row(s, *rows);
    }
    return true;
}

bool file_hive_values(const FileScan *scan, const FuncContext *func, Arena *arena, Value ***out, Error *err)
{
    size_t first = scan->schema->structure.count - scan->partition_count;
    Value **hive = *out = ARENA_ARRAY(arena, Value *, scan->paths.len + 1);
    for (size_t i = 0; i < scan->paths.len; i++) {
        hive[i] = ARENA_ARRAY(arena, Value, scan->partition_count + 1);
        for (size_t k = 0; k < scan->partition_count; k++) {
            const Type *type = scan->schema->structure.fields[first + k].type;
            hive[i][k] = value_null(type);
            if (i >= scan->partition_values.len || k >= scan->partition_values.at[i].len)
                continue;
            Str text = scan->partition_values.at[i].at[k];
            if (text.ptr && !str_is(text, "__HIVE_DEFAULT_PARTITION__"))
                TRY(value_from_text(text, type, func->zone, arena, &hive[i][k], err));
        }
    }
    return true;
}

/* k0, k1, .. and the number of the file. */
bool file_source_columns(const FileScan *scan, int bytes_per_row, Arena *arena, RowSource *out, Error *err)
{
    size_t count = scan->schema->structure.count;
    const char **names = ARENA_ARRAY(arena, const char *, count + 1);
    Field *given = ARENA_ARRAY(arena, Field, count + 1);
    for (size_t i = 0; i < count; i++) {
        names[i] = str_printf(arena, "k%zu", i).ptr;
        given[i] = scan->schema->structure.fields[i];
    }
    names[count] = "file_number";
    given[count] = (Field){S("file_number"), type_simple(TYPE_LONG), false, S("")};
    int64_t bytes = 0;
    for (size_t i = 0; i < scan->paths.len; i++) {
        FileFacts facts;
        TRY(file_facts(scan->paths.at[i], &facts, err));
        bytes += facts.size;
    }
    out->schema = type_struct(given, count + 1, arena);
    out->names = names;
    out->row_estimate = bytes / bytes_per_row + 1;
    return true;
}

bool file_source_new(const FileScan *scan, const FuncContext *func, Arena *arena, RowSource **out,
                     Error *err)
{
    Files *f = ARENA_NEW(arena, Files);
    f->scan = scan;
    f->format = format_find(scan->format);
    f->data_count = scan->schema->structure.count - scan->partition_count;
    f->data_schema = type_struct(scan->schema->structure.fields, f->data_count, arena);
    TRY(file_options_read(scan, func, arena, &f->options, err));
    TRY(file_hive_values(scan, func, arena, &f->hive, err));
    f->source = (RowSource){.open = files_open, .fill = files_fill, .close = files_close};
    TRY(file_source_columns(scan, TEXT_BYTES_PER_ROW, arena, &f->source, err));
    *out = &f->source;
    return true;
}
