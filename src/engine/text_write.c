/* Writing json, csv and text files as Spark's writers do: row by row, one file a partition. */
#include "engine/text_write.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "delta/partition.h"
#include "engine/avro.h"
#include "engine/file_source_impl.h"
#include "engine/folder.h"
#include "type/datetime.h"

enum { FLUSH_BYTES = 1 << 20 };

typedef struct TextFile {
    WrittenFile facts;
    Str path; /* absolute */
    Buf text;
    bool started;
    int64_t rows_flushed; /* avro: blocks say how many rows they hold */
} TextFile;

typedef VEC(TextFile *) TextFileVec;

typedef struct TextWriting {
    const WriteSpec *spec;
    const Type *schema;
    Arena *arena;
    Str zone;
    bool *is_partition;
    bool csv, json, xml, avro, header, quote_all, keep_null_fields, gzip;
    bool trim_left, trim_right, escape_quotes;
    AvroCodec codec;
    Str avro_schema;
    char sync[AVRO_SYNC_BYTES];
    Str xml_declaration, xml_root; /* root: name and attributes */
    Str separator, null_value, empty_value, line_separator;
    char quote, escape;
    char job[UUID_TEXT_LEN + 1];
    Map by_folder;
    TextFileVec files;
    FolderPaths made;
} TextWriting;

/* ---- values ---- */

/* yyyy-MM-dd'T'HH:mm:ss.SSS, with the zone's offset for instants. */
static Str timestamp_form(const TextWriting *w, const Value *v, Arena *arena)
{
    int64_t offset = v->type->kind == TYPE_TIMESTAMP ? zone_offset_at(w->zone, v->integer) : 0;
    int64_t us = v->integer + offset * US_PER_SECOND;
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0), rest = us - days * US_PER_DAY;
    Buf b = buf_in(arena);
    buf_addf(&b, STR_FMT "T%02d:%02d:%02d.%03d", STR_ARG(date_text(days, arena)),
             (int)(rest / 3600000000), (int)(rest / 60000000 % 60), (int)(rest / 1000000 % 60),
             (int)(rest / 1000 % 1000));
    if (v->type->kind != TYPE_TIMESTAMP)
        return buf_str(&b);
    int64_t minutes = (offset < 0 ? -offset : offset) / 60;
    if (!offset)
        buf_addc(&b, 'Z');
    else
        buf_addf(&b, "%c%02d:%02d", offset < 0 ? '-' : '+', (int)(minutes / 60),
                 (int)(minutes % 60));
    return buf_str(&b);
}

static void put_base64(Buf *b, Str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t n = 0;
        for (size_t k = 0; k < 3; k++)
            n = n << 8 | (i + k < bytes.len ? (unsigned char)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_addc(b, i + k > bytes.len ? '=' : digits[n >> (18 - 6 * k) & 63]);
    }
}

static void put_json(const TextWriting *w, const Value *v, Buf *b, Arena *arena);

static void put_json_fields(const TextWriting *w, const Type *type, const Value *cells,
                            const bool *skip, Buf *b, Arena *arena)
{
    bool first = true;
    buf_addc(b, '{');
    for (size_t i = 0; i < type->structure.count; i++) {
        if ((skip && skip[i]) || (cells[i].is_null && !w->keep_null_fields))
            continue;
        buf_addz(b, first ? "" : ",");
        first = false;
        json_put_str(b, type->structure.fields[i].name);
        buf_addc(b, ':');
        put_json(w, &cells[i], b, arena);
    }
    buf_addc(b, '}');
}

static void put_json_items(const TextWriting *w, const Value *v, Buf *b, Arena *arena)
{
    bool map = v->type->kind == TYPE_MAP;
    size_t n = map ? v->map.count : v->list.count;
    buf_addc(b, map ? '{' : '[');
    for (size_t i = 0; i < n; i++) {
        buf_addz(b, i ? "," : "");
        if (map) {
            json_put_str(b, value_to_text(&v->map.keys[i], w->zone, arena));
            buf_addc(b, ':');
        }
        put_json(w, map ? &v->map.values[i] : &v->list.items[i], b, arena);
    }
    buf_addc(b, map ? '}' : ']');
}

static void put_json(const TextWriting *w, const Value *v, Buf *b, Arena *arena)
{
    if (v->is_null) {
        buf_addz(b, "null");
        return;
    }
    Str text;
    switch (v->type->kind) {
    case TYPE_STRUCT:
        put_json_fields(w, v->type, v->list.items, NULL, b, arena);
        return;
    case TYPE_ARRAY:
    case TYPE_MAP:
        put_json_items(w, v, b, arena);
        return;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        buf_addf(b, "%lld", (long long)v->integer);
        return;
    case TYPE_BOOLEAN:
        buf_addz(b, v->boolean ? "true" : "false");
        return;
    case TYPE_DECIMAL:
        buf_add(b, value_decimal_text(v->decimal, v->type->decimal.scale, arena));
        return;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        text = value_to_text(v, w->zone, arena);
        if (isfinite(v->real))
            buf_add(b, text);
        else
            json_put_str(b, text);
        return;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        json_put_str(b, timestamp_form(w, v, arena));
        return;
    case TYPE_BINARY:
        buf_addc(b, '"');
        put_base64(b, v->bytes);
        buf_addc(b, '"');
        return;
    default:
        json_put_str(b, value_to_text(v, w->zone, arena));
        return;
    }
}

/* ---- csv ---- */

static bool needs_quotes(const TextWriting *w, Str s)
{
    if (w->quote_all)
        return true;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\n' || s.ptr[i] == '\r' || (w->escape_quotes && s.ptr[i] == w->quote))
            return true;
    return str_find(s, w->separator) >= 0;
}

static Str csv_trimmed(const TextWriting *w, Str s)
{
    while (w->trim_left && s.len && (unsigned char)s.ptr[0] <= ' ')
        s = str_slice(s, 1, s.len);
    while (w->trim_right && s.len && (unsigned char)s.ptr[s.len - 1] <= ' ')
        s = str_slice(s, 0, s.len - 1);
    return s;
}

static void put_csv_text(const TextWriting *w, Str text, Buf *b)
{
    text = csv_trimmed(w, text);
    if (!text.len) {
        buf_add(b, w->empty_value);
        return;
    }
    if (!needs_quotes(w, text)) {
        buf_add(b, text);
        return;
    }
    buf_addc(b, w->quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == w->quote || (text.ptr[i] == w->escape && w->escape))
            buf_addc(b, w->escape);
        buf_addc(b, text.ptr[i]);
    }
    buf_addc(b, w->quote);
}

static void put_csv(const TextWriting *w, const Value *v, Buf *b, Arena *arena)
{
    if (v->is_null && w->quote_all)
        buf_addf(b, "%c" STR_FMT "%c", w->quote, STR_ARG(w->null_value), w->quote);
    else if (v->is_null)
        buf_add(b, w->null_value);
    else if (v->type->kind == TYPE_TIMESTAMP || v->type->kind == TYPE_TIMESTAMP_NTZ)
        put_csv_text(w, timestamp_form(w, v, arena), b);
    else
        put_csv_text(w, value_to_text(v, w->zone, arena), b);
}

static void put_header(const TextWriting *w, Buf *b)
{
    bool first = true;
    for (size_t i = 0; i < w->schema->structure.count; i++) {
        if (w->is_partition[i])
            continue;
        buf_add(b, first ? S("") : w->separator);
        put_csv_text(w, w->schema->structure.fields[i].name, b);
        first = false;
    }
    buf_add(b, w->line_separator);
}

/* ---- xml: the rows are texts already, inside one root ---- */

static void put_xml_start(const TextWriting *w, Buf *b)
{
    if (w->xml_declaration.len)
        buf_addf(b, "<?xml " STR_FMT "?>\n", STR_ARG(w->xml_declaration));
    buf_addf(b, "<" STR_FMT ">", STR_ARG(w->xml_root));
}

static void put_xml_end(const TextWriting *w, Buf *b)
{
    ptrdiff_t blank = str_find_char(w->xml_root, ' ');
    buf_addf(b, "\n</" STR_FMT ">", STR_ARG(blank < 0 ? w->xml_root : str_slice(w->xml_root, 0, (size_t)blank)));
}

static void put_xml_row(Str text, Buf *b)
{
    while (text.len) {
        ptrdiff_t line = str_find_char(text, '\n');
        size_t n = line < 0 ? text.len : (size_t)line;
        buf_addz(b, "\n    ");
        buf_add(b, str_slice(text, 0, n));
        text = str_slice(text, n + (line >= 0), text.len);
    }
}

static void put_row(const TextWriting *w, const Row *row, Buf *b, Arena *arena)
{
    bool first = true;
    if (w->avro) {
        avro_put_row(b, w->schema, row->cells, w->is_partition);
        return;
    }
    if (w->xml) {
        for (size_t i = 0; i < w->schema->structure.count; i++)
            if (!w->is_partition[i])
                put_xml_row(row->cells[i].bytes, b);
        return;
    }
    if (w->json) {
        put_json_fields(w, w->schema, row->cells, w->is_partition, b, arena);
    } else {
        for (size_t i = 0; i < w->schema->structure.count; i++) {
            if (w->is_partition[i])
                continue;
            buf_add(b, first ? S("") : w->separator);
            first = false;
            if (w->csv)
                put_csv(w, &row->cells[i], b, arena);
            else if (!row->cells[i].is_null)
                buf_add(b, row->cells[i].bytes);
        }
    }
    buf_add(b, w->line_separator);
}

/* ---- files ---- */

/* The rows as one block, behind the header where they are the first. */
static bool make_block(TextWriting *w, TextFile *f, Error *err)
{
    Buf whole = buf_heap((size_t)1 << 30);
    int64_t rows = f->facts.rows - f->rows_flushed;
    f->rows_flushed = f->facts.rows;
    if (!f->started)
        avro_put_header(&whole, w->avro_schema, w->codec, w->sync);
    bool ok = !rows || avro_put_block(&whole, buf_str(&f->text), rows, w->codec, w->sync, err);
    buf_free(&f->text);
    f->text = whole;
    return ok;
}

static bool flush(TextWriting *w, TextFile *f, Error *err)
{
    if (f->text.overflow)
        return error_unsupported(err, "Writing a row of this size");
    if (w->avro)
        TRY(make_block(w, f, err));
    const char *path = str_z(f->path, w->arena);
    bool ok = true;
    if (w->gzip) {
        gzFile file = gzopen(path, f->started ? "ab" : "wb");
        ok = file && (!f->text.len ||
                      gzwrite(file, f->text.ptr, (unsigned)f->text.len) == (int)f->text.len);
        ok = file && gzclose(file) == Z_OK && ok;
    } else {
        FILE *file = fopen(path, f->started ? "ab" : "wb");
        ok = file && fwrite(f->text.ptr ? f->text.ptr : "", 1, f->text.len, file) == f->text.len;
        ok = file && !fclose(file) && ok;
    }
    f->started = true;
    buf_reset(&f->text);
    return ok || folder_failure(err, f->path);
}

static Str row_folder(const TextWriting *w, const Row *row, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < w->spec->partition_count; i++) {
        size_t field = w->spec->partition_columns[i];
        const Value *v = &row->cells[field];
        bool empty = v->is_null || (type_is_stringy(v->type) && !v->bytes.len);
        Str text = empty ? S(HIVE_DEFAULT_PARTITION) : value_to_text(v, w->zone, arena);
        buf_addf(&b, "%s" STR_FMT "=" STR_FMT, i ? "/" : "",
                 STR_ARG(path_hive_escape(w->schema->structure.fields[field].name, arena)),
                 STR_ARG(path_hive_escape(text, arena)));
    }
    return b.len ? buf_str(&b) : S("");
}

static Str name_ending(const TextWriting *w, Arena *a)
{
    if (!w->avro)
        return str_is_ci(w->spec->format, "text") ? S("txt") : str_lower(w->spec->format, a);
    return w->codec ? str_printf(a, STR_FMT ".avro", STR_ARG(avro_codec_name(w->codec))) : S("avro");
}

static bool file_for(TextWriting *w, Str folder, const Row *row, TextFile **out, Error *err)
{
    *out = map_get(&w->by_folder, folder);
    if (*out)
        return true;
    Arena *a = w->arena;
    TextFile *f = ARENA_NEW(a, TextFile);
    folder = str_copy(folder, a);
    Str name = str_printf(
        a, "part-%05zu-%s-c000." STR_FMT "%s", w->files.len, w->job,
        STR_ARG(name_ending(w, a)),
        w->gzip ? ".gz" : "");
    f->facts.path =
        folder.len ? str_printf(a, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(name)) : name;
    f->path = str_printf(a, STR_FMT "/" STR_FMT, STR_ARG(w->spec->folder), STR_ARG(f->facts.path));
    f->text = buf_heap((size_t)1 << 30);
    if (w->spec->partition_count && row) {
        f->facts.partition_values = ARENA_ARRAY(a, Value, w->spec->partition_count);
        for (size_t i = 0; i < w->spec->partition_count; i++)
            f->facts.partition_values[i] = row->cells[w->spec->partition_columns[i]];
    }
    Str whole = folder.len
                    ? str_printf(a, STR_FMT "/" STR_FMT, STR_ARG(w->spec->folder), STR_ARG(folder))
                    : w->spec->folder;
    TRY(folder_make(whole, a, &w->made, err));
    if (w->csv && w->header)
        put_header(w, &f->text);
    if (w->xml)
        put_xml_start(w, &f->text);
    map_put(&w->by_folder, folder, f);
    vec_push(a, &w->files, f);
    *out = f;
    return true;
}

static bool write_rows(TextWriting *w, Execution *x, Error *err)
{
    for (;;) {
        AUTO_ARENA arena = arena_new();
        RowVec rows = {0};
        /* Partition values live as long as the answer. */
        TRY(execution_next_rows(x, w->spec->partition_count ? w->arena : arena, &rows, err));
        if (!rows.len)
            return true;
        for (size_t i = 0; i < rows.len; i++) {
            TextFile *f;
            TRY(file_for(w, row_folder(w, &rows.at[i], arena), &rows.at[i], &f, err));
            put_row(w, &rows.at[i], &f->text, arena);
            f->facts.rows++;
            if (f->text.len > FLUSH_BYTES)
                TRY(flush(w, f, err));
        }
    }
}

static bool finish_files(TextWriting *w, WrittenFileVec *out, Error *err)
{
    TextFile *only;
    if (!w->files.len && !w->spec->partition_count)
        TRY(file_for(w, S(""), NULL, &only, err));
    for (size_t i = 0; i < w->files.len; i++) {
        TextFile *f = w->files.at[i];
        if (w->xml)
            put_xml_end(w, &f->text);
        if (f->text.len || !f->started)
            TRY(flush(w, f, err));
        TRY(folder_sync(f->path, err));
        struct stat facts;
        if (stat(str_z(f->path, w->arena), &facts))
            return folder_failure(err, f->path);
        f->facts.size = facts.st_size;
        f->facts.modified_ms =
            (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000;
        vec_push(w->arena, out, f->facts);
    }
    return folder_sync(w->spec->folder, err);
}

/* ---- options ---- */

static bool refuse_types(const TextWriting *w, Error *err)
{
    bool text = str_is_ci(w->spec->format, "text");
    size_t stored = 0;
    for (size_t i = 0; i < w->schema->structure.count; i++) {
        const Field *f = &w->schema->structure.fields[i];
        if (w->is_partition[i])
            continue;
        stored++;
        bool bad = text ? f->type->kind != TYPE_STRING
                        : w->csv && (type_is_nested(f->type) || f->type->kind == TYPE_BINARY ||
                                     f->type->kind == TYPE_NULL);
        if (bad || type_contains(f->type, TYPE_VARIANT))
            return error_set(
                err, ERR_UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE,
                P("format", text ? S("Text") : str_upper(w->spec->format, err->arena)),
                P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(f->name))),
                P("columnType", str_printf(err->arena, "\"" STR_FMT "\"",
                                           STR_ARG(type_sql(f->type, err->arena)))));
    }
    if (text && stored != 1)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1290, P("schemaSize", str_printf(err->arena, "%zu", stored)));
    return true;
}

static bool first_char(const KeyValueVec *options, const char *key, char otherwise, char *out,
                       Error *err)
{
    Str text = file_option(options, key, "\x01");
    *out = str_is(text, "\x01") ? otherwise : text.len ? text.ptr[0] : 0;
    return text.len <= 1 || error_unsupported(err, "The option %s of more than one character", key);
}

static bool read_avro_options(TextWriting *w, const RunContext *ctx, Error *err)
{
    static const char *const refused[] = {"avroSchema", "avroSchemaUrl", "positionalFieldMatching"};
    const KeyValueVec *o = &w->spec->options;
    Str codec = S("snappy");
    for (size_t i = 0; i < LENGTH_OF(refused); i++)
        if (key_value_has(o, refused[i]))
            return error_unsupported(err, "Writing Avro with the option %s", refused[i]);
    if (ctx->func->setting)
        (void)!ctx->func->setting(ctx->func->self, "spark.sql.avro.compression.codec", &codec);
    codec = w->spec->codec.len ? w->spec->codec : file_option(o, "compression", str_z(codec, w->arena));
    if (!avro_codec_find(codec, &w->codec))
        return error_set(err, ERR_CODEC_SHORT_NAME_NOT_FOUND, P("codecName", codec));
    char id[UUID_TEXT_LEN + 1];
    clock_uuid(id);
    memcpy(w->sync, id, sizeof w->sync);
    return avro_schema_text(w->schema, w->is_partition, file_option(o, "recordName", "topLevelRecord"),
                            file_option(o, "recordNamespace", ""), w->arena, &w->avro_schema, err);
}

static bool read_options(TextWriting *w, Error *err)
{
    static const char *const refused[] = {"dateFormat", "timestampFormat", "timestampNTZFormat"};
    const KeyValueVec *o = &w->spec->options;
    for (size_t i = 0; i < LENGTH_OF(refused); i++)
        if (key_value_has(o, refused[i]))
            return error_unsupported(err, "Writing with the option %s", refused[i]);
    Str charset = file_option(o, "encoding", str_z(file_option(o, "charset", "UTF-8"), w->arena));
    if (!str_is_ci(charset, "UTF-8") && !str_is_ci(charset, "UTF8"))
        return error_unsupported(err, "Writing text files in " STR_FMT, STR_ARG(charset));
    if (file_option_bool(o, "pretty", false) || file_option_bool(o, "writeNonAsciiCharacterAsCodePoint", false))
        return error_unsupported(err, "Writing with the options pretty and writeNonAsciiCharacterAsCodePoint");
    Str codec = w->spec->codec.len ? w->spec->codec : file_option(o, "compression", "none");
    w->gzip = str_is_ci(codec, "gzip");
    if (!w->gzip && !str_is_ci(codec, "none") && !str_is_ci(codec, "uncompressed"))
        return error_unsupported(err, "Writing text files compressed with " STR_FMT,
                                 STR_ARG(codec));
    Str zone = file_option(o, "timeZone", "");
    w->zone = zone.len ? zone : w->zone;
    w->csv = str_is_ci(w->spec->format, "csv");
    w->json = str_is_ci(w->spec->format, "json");
    w->xml = str_is_ci(w->spec->format, "xml");
    w->xml_declaration = file_option(o, "declaration", "version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"");
    w->xml_root = file_option(o, "rootTag", "ROWS");
    w->header = file_option_bool(o, "header", false);
    w->quote_all = file_option_bool(o, "quoteAll", false);
    w->escape_quotes = file_option_bool(o, "escapeQuotes", true);
    w->keep_null_fields = !file_option_bool(o, "ignoreNullFields", true);
    w->trim_left = file_option_bool(o, "ignoreLeadingWhiteSpace", true);
    w->trim_right = file_option_bool(o, "ignoreTrailingWhiteSpace", true);
    w->separator = file_option(o, "sep", str_z(file_option(o, "delimiter", ","), w->arena));
    w->null_value = file_option(o, "nullValue", "");
    w->empty_value = file_option(o, "emptyValue", "\"\"");
    w->line_separator = file_option(o, "lineSep", "\n");
    TRY(first_char(o, "quote", '"', &w->quote, err));
    return first_char(o, "escape", '\\', &w->escape, err);
}

/* ---- the face ---- */

static void undo(TextWriting *w)
{
    for (size_t i = 0; i < w->files.len; i++)
        remove(str_z(w->files.at[i]->path, w->arena));
    for (size_t i = w->made.len; i > 0; i--)
        remove(str_z(w->made.at[i - 1], w->arena));
}

bool text_write(Engine *e, const BoundRel *rel, const WriteSpec *spec, const RunContext *ctx,
                Arena *arena, WrittenFileVec *out, Error *err)
{
    if (!str_is_ci(spec->format, "csv") && !str_is_ci(spec->format, "json") &&
        !str_is_ci(spec->format, "text") && !str_is_ci(spec->format, "xml") && !str_is_ci(spec->format, "avro"))
        return error_unsupported(err, "Writing files of the format " STR_FMT,
                                 STR_ARG(spec->format));
    TextWriting w = {
        .spec = spec, .arena = arena, .zone = ctx->func->zone, .by_folder = map_in(arena)};
    w.schema = brel_schema(rel, arena);
    w.is_partition = ARENA_ARRAY(arena, bool, w.schema->structure.count + 1);
    for (size_t i = 0; i < spec->partition_count; i++)
        w.is_partition[spec->partition_columns[i]] = true;
    w.avro = str_is_ci(spec->format, "avro");
    TRY(w.avro ? read_avro_options(&w, ctx, err) : read_options(&w, err) && refuse_types(&w, err));
    clock_uuid(w.job);
    Execution *x;
    TRY(engine_start(e, rel, ctx, &x, err));
    bool ok = folder_make(spec->folder, arena, &w.made, err) && write_rows(&w, x, err) &&
              finish_files(&w, out, err);
    execution_free(x);
    for (size_t i = 0; i < w.files.len; i++)
        buf_free(&w.files.at[i]->text);
    if (!ok) {
        undo(&w);
        out->len = 0;
    }
    return ok;
}
