/* What the readers of json, csv and text share: one record at a time out of a file's bytes, cells
 * into vectors. */
#pragma once

#include "base/json.h"
#include "engine/engine_impl.h"
#include "engine/file_source.h"

typedef enum ParseMode { MODE_PERMISSIVE, MODE_DROP, MODE_FAIL } ParseMode;

/* How a record came out; a partial one lacks some cells. */
typedef enum Parsed { PARSED_OK, PARSED_PARTIAL, PARSED_BAD } Parsed;

typedef struct FileOptions {
    ParseMode mode;
    bool multi_line, ignore_corrupt, ignore_missing;
    Str line_separator;                                      /* empty: \n, \r\n or \r */
    Str date_format, timestamp_format, timestamp_ntz_format; /* empty: Spark's default parsing */
    Str zone;
    Str corrupt_name;
    /* csv */
    bool header, trim_left, trim_right;
    Str separator;
    char quote, escape, comment; /* 0: none */
    Str null_value, empty_value, nan_value, positive_inf, negative_inf;
    /* json */
    bool primitives_as_string, prefers_decimal, drop_all_null, infer_timestamp;
    bool prefer_date; /* csv inference */
    double sampling_ratio;
} FileOptions;

MUST_CHECK bool file_options_read(const FileScan *scan, const FuncContext *func, Arena *arena,
                                  FileOptions *out, Error *err);

/* ---- what every source of files has ---- */

/* Per file, the values of the hive columns. */
MUST_CHECK bool file_hive_values(const FileScan *scan, const FuncContext *func, Arena *arena,
                                 Value ***out, Error *err);
void file_put_value(duckdb_vector vector, idx_t row, const Value *v);
/* Fills schema, names and the estimate of rows. */
MUST_CHECK bool file_source_columns(const FileScan *scan, int bytes_per_row, Arena *arena,
                                    RowSource *out, Error *err);

/* ---- bytes of a file ---- */

typedef struct FileBytes {
    const char *ptr;
    size_t len;
    void *mapped; /* to unmap */
    void *owned;  /* to free: inflated */
} FileBytes;

/* The whole file: mapped, or inflated when its name ends in .gz. */
MUST_CHECK bool file_bytes_open(Str path, FileBytes *out, Error *err);
void file_bytes_close(FileBytes *b);
/* The next line without its end, from *at on; false at the end of the bytes. */
bool file_next_line(const FileBytes *b, Str separator, size_t *at, Str *line);

/* ---- cells ---- */

/* Text as Spark's date and timestamp parsers read it under the options. */
bool file_parse_date(Str text, const FileOptions *o, int64_t *days);
bool file_parse_timestamp(Str text, const FileOptions *o, bool ntz, int64_t *us);
/* Text by a datetime pattern of letters; false when it does not fit. *zone_us 0 and *has_zone false
 * without a zone. */
bool time_pattern_parse(Str pattern, Str text, int64_t *us, bool *has_zone);
/* Whether the pattern has only letters that time_pattern_parse knows. */
bool time_pattern_is_known(Str pattern);

Str text_as_utf8(Str text, Arena *arena);
void cell_put_text(duckdb_vector vector, idx_t row, Str text);
void cell_put_int(duckdb_vector vector, idx_t row, TypeKind kind, int64_t v);
bool cell_fits(TypeKind kind, int64_t v);
/* Decimal text with any exponent, rounded half up to the type; false when it is none or does not
 * fit. */
bool cell_put_decimal(duckdb_vector vector, idx_t row, const Type *type, Str text);

/* ---- formats ---- */

/* One file being read by a format. */
typedef struct FileReader {
    const FileScan *scan;
    const FileOptions *options;
    const Type *schema;     /* data columns only */
    const size_t *columns;  /* wanted: indexes into the scan's schema */
    duckdb_vector *vectors; /* of the chunk being filled, one a wanted column */
    size_t column_count;
    ptrdiff_t corrupt; /* index of the corrupt-record column in the schema, -1: none */
    Str path;
    FileBytes bytes;
    size_t at;
    bool started;
    void *format_state; /* freed by the format's close */
} FileReader;

typedef struct FileFormat {
    const char *name;
    /* Fills row `row` of the vectors from the next record; *more false at the end. *keep false: the
     * record gives no row. */
    bool (*next)(FileReader *r, idx_t row, bool *more, bool *keep, Error *err);
    void (*close)(FileReader *r);
} FileFormat;

/* One JSON text, numbers as they are written; NULL when it is malformed. Free it with
 * yyjson_doc_free. */
yyjson_doc *json_file_document(Str text);

/* One CSV line's cells; ptr NULL: the null value. Quoted cells are unescaped into the arena. */
typedef VEC(Str) CsvCells;
void csv_split_line(Str line, const FileOptions *o, Arena *arena, CsvCells *out);
/* The next record: a line, or with multi_line up to a line end outside of quotes. Empty lines and
 * comments are passed over. */
bool csv_next_record(const FileBytes *b, const FileOptions *o, size_t *at, Str *record);
/* Spark's reading of CSV numbers and truth values. */
bool csv_parse_real(Str text, const FileOptions *o, double *out);
bool csv_parse_bool(Str text, bool *out);
/* A cell as its column's type; false when it is none. */
bool csv_put_cell(Str text, duckdb_vector vector, idx_t row, const Type *type,
                  const FileOptions *o);

extern const FileFormat json_format, csv_format, text_format, xml_format, avro_format;

/* The vector of a schema column; NULL when it is not wanted. */
duckdb_vector reader_vector(const FileReader *r, size_t column);
/* After a record: fills the corrupt column and decides by the mode. */
MUST_CHECK bool reader_settle(FileReader *r, idx_t row, Parsed parsed, Str record, bool *keep,
                              Error *err);

/* ---- inference ---- */

MUST_CHECK bool json_infer(const FileScan *scan, const FileOptions *o, Arena *arena,
                           const Type **out, Error *err);
MUST_CHECK bool avro_infer(const FileScan *scan, Arena *arena, const Type **out, Error *err);
MUST_CHECK bool csv_infer(const FileScan *scan, const FileOptions *o, bool infer_types,
                          Arena *arena, const Type **out, Error *err);
