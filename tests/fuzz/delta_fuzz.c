/* Hostile bytes for delta/: log actions, deletion vectors, paths and partition texts, statistics, rows
 * of checkpoints. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delta/checkpoint_impl.h"
#include "delta/deletion_vector.h"
#include "delta/partition.h"
#include "delta/schema.h"
#include "delta/snapshot_impl.h"
#include "delta/stats.h"
#include "delta/z85_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* What was read can be written, and what was written can be read. */
static void print_and_read_back(FileSet *files, Arena *a)
{
    Buf out = buf_in(a);
    FileCursor cursor = file_set_cursor(files);
    ActionReader *reader = action_reader_new();
    for (const AddFile *f; (f = file_set_next_file(&cursor));) {
        Action again;
        const char *reason = NULL;
        buf_reset(&out);
        action_put_add(&out, f);
        buf_add_repeat(&out, 0, 8);
        require(action_parse(reader, out.ptr, out.len - 8, ACTIONS_ALL, a, &again, &reason));
        require(again.kind == ACTION_ADD && str_eq(again.add.path, f->path) &&
                again.add.size == f->size && deletion_vector_equal(again.add.dv, f->dv));
    }
    action_reader_free(reader);
}

static void read_log(Str bytes, Arena *a)
{
    Error err = error_in(a);
    char *text = arena_alloc(a, bytes.len + 16);
    memcpy(text, bytes.ptr, bytes.len);
    Replay r = {.files = file_set_new(), .text = log_text_new()};
    Str whole = {text, bytes.len};
    (void)!actions_read(whole, S("fuzz"), ACTIONS_ALL, a, replay_visit, &r, &err);
    if (r.state && r.state->has_metadata && r.state->metadata.schema_string.len) {
        Error ignored = error_in(a);
        DeltaConstraintVec constraints;
        Metadata m = r.state->metadata;
        if (type_from_json(m.schema_string, a, &m.schema, &ignored) &&
            m.schema->kind == TYPE_STRUCT)
            (void)!metadata_constraints(&m, a, &constraints, &ignored);
    }
    print_and_read_back(r.files, a);
    r.files = file_set_freeze(r.files);
    file_set_unref(r.files);
    table_state_unref(r.state);
    log_text_unref(r.text);
}

static void read_vector(Str bytes, Arena *a)
{
    Error err = error_in(a);
    uint64_t *rows;
    size_t count;
    int64_t cardinality = 0;
    if (bytes.len < 2)
        return;
    memcpy(&cardinality, bytes.ptr, 2);
    bytes = str_slice(bytes, 2, bytes.len);
    DeletionVector dv = {.storage = 'i',
                         .path_or_inline = z85_encode((const uint8_t *)bytes.ptr, bytes.len, a),
                         .size_in_bytes = (int32_t)bytes.len,
                         .cardinality = cardinality};
    if (!deletion_vector_read(NULL, &dv, a, &rows, &count, &err))
        return;
    for (size_t i = 1; i < count; i++)
        require(rows[i - 1] < rows[i]);
}

static void read_texts(Str bytes, Arena *a)
{
    Error err = error_in(a);
    Str path, escaped = path_hive_escape(bytes, a);
    if (path_uri_decode(bytes, a, &path, &err))
        require(log_path_equal(bytes, path_uri_encode(path, a)) ||
                str_starts_with(bytes, S("file:")));
    error_clear(&err);
    require(escaped.len >= bytes.len);
    for (TypeKind kind = TYPE_BOOLEAN; kind <= TYPE_TIMESTAMP_NTZ; kind++) {
        Value v;
        Property p = {S("p"), bytes, false};
        if (kind == TYPE_DECIMAL || kind == TYPE_CHAR || kind == TYPE_VARCHAR)
            continue;
        (void)!partition_value_parse(&p, type_simple(kind), S("UTC"), a, &v, &err);
        error_clear(&err);
    }
    DeletionVector dv = {.storage = 'u', .path_or_inline = bytes};
    if (deletion_vector_path(&dv, a, &path, &err))
        require(!str_starts_with(path, S("../")));
}

static void read_stats(Str bytes, Arena *a)
{
    FileStats *s = stats_parse(bytes, a);
    (void)stats_num_records(bytes);
    (void)stats_with_wide_bounds(bytes, a);
    if (!s)
        return;
    Str path[] = {S("a"), S("b")};
    for (TypeKind kind = TYPE_BOOLEAN; kind <= TYPE_TIMESTAMP_NTZ; kind++) {
        ColumnStats c;
        if (kind != TYPE_DECIMAL && kind != TYPE_CHAR && kind != TYPE_VARCHAR)
            for (size_t depth = 1; depth <= 2; depth++)
                file_stats_column(s, path, depth, type_simple(kind), a, &c);
    }
}

/* A Parquet reader whose cells are the input's lines, one after the other; an empty one is NULL. */
typedef struct Cells {
    Str rest;
} Cells;

static Str next_cell(Cells *c)
{
    ptrdiff_t end = str_find_char(c->rest, '\n');
    Str cell = end < 0 ? c->rest : str_slice(c->rest, 0, (size_t)end);
    c->rest = end < 0 ? S("") : str_slice(c->rest, (size_t)end + 1, c->rest.len);
    return cell;
}

static bool scan_cells(void *self, const Str *paths, size_t path_count, const ParquetColumn *columns,
                       size_t column_count, ParquetOnBatch on_batch, void *arg, Error *err)
{
    Cells *source = self;
    for (size_t row = 0; row < 64 && source->rest.len; row++) {
        bool present[64], truth[64];
        Str texts[64];
        int64_t numbers[64];
        ParquetCells cells[64];
        require(column_count <= 64);
        for (size_t i = 0; i < column_count; i++) {
            texts[i] = next_cell(source);
            present[i] = texts[i].len > 0;
            numbers[i] = 0;
            memcpy(&numbers[i], texts[i].ptr, texts[i].len < 8 ? texts[i].len : 8);
            truth[i] = numbers[i] & 1;
            cells[i] = (ParquetCells){&present[i], &texts[i], &numbers[i], &truth[i]};
        }
        ParquetBatch batch = {1, cells};
        if (!on_batch(arg, &batch, err))
            return false;
    }
    return true;
}

static void read_checkpoint(Str bytes, Arena *a)
{
    static DeltaTable *table;
    Error err = error_in(a);
    if (!table)
        require(delta_table_open(S("/nonexistent"), &table, &err));
    Cells cells = {bytes};
    ParquetIo io = {.self = &cells, .scan = scan_cells};
    delta_install_parquet_io(&io);
    LogCheckpoint checkpoint = {.version = 1, .form = CHECKPOINT_CLASSIC};
    vec_push(a, &checkpoint.paths, S("_delta_log/1.checkpoint.parquet"));
    Replay r = {.files = file_set_new(), .text = log_text_new()};
    /* Parquet readers hand out valid texts only. */
    if (checkpoint_read(table, &checkpoint, &r, &err) && str_is_utf8(bytes))
        print_and_read_back(r.files, a);
    r.files = file_set_freeze(r.files);
    file_set_unref(r.files);
    table_state_unref(r.state);
    log_text_unref(r.text);
    delta_install_parquet_io(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(Str, Arena *) = {read_log, read_vector, read_texts, read_stats,
                                                    read_checkpoint};
    AUTO_ARENA(a) = arena_new();
    if (!size)
        return 0;
    Str bytes = {(const char *)data + 1, size - 1};
    readers[data[0] % LENGTH_OF(readers)](bytes, a);
    return 0;
}
