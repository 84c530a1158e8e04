/* Hostile rows of a checkpoint. */
#include "delta/checkpoint_impl.h"
#include "delta_fuzz.h"

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
    AUTO_ARENA(arena) = arena_new();
    read_checkpoint((Str){(const char *)data, size}, arena);
    return 0;
}
