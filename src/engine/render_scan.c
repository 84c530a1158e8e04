/* Scans of Delta tables: one read_parquet over the files that are left, with facts about each file
 * looked up by its index. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "delta/delta.h"
#include "engine/engine_impl.h"
#include "engine/parquet_schema.h"
#include "engine/render_impl.h"
#include "engine/variant_file.h"

/* ---- file values ---- */

static void put_hex(Buf *b, Str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        buf_addf(b, "%02X", (unsigned char)bytes.ptr[i]);
}

/* The text that put_file_value's cast turns back into the value; NULL pointer for NULL. */
Str file_value_text(const Value *v, Arena *arena)
{
    if (v->is_null)
        return (Str){NULL, 0};
    Buf b = buf_in(arena);
    switch (v->type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return v->bytes.ptr ? v->bytes : S("");
    case TYPE_BINARY:
        put_hex(&b, v->bytes);
        break;
    case TYPE_BOOLEAN:
        return v->boolean ? S("true") : S("false");
    case TYPE_DECIMAL:
        return value_decimal_text(v->decimal, v->type->decimal.scale, arena);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        if (isnan(v->real))
            return S("nan");
        buf_addf(&b, "%.17g", v->real);
        break;
    default:
        buf_addf(&b, "%lld", (long long)v->integer);
        break;
    }
    return b.len ? buf_str(&b) : S("");
}

void put_file_value(Buf *b, uint64_t number, size_t column, const Type *type)
{
    Str call = str_printf(b->arena, "ls_file_value(CAST(%llu AS UBIGINT), %zu, file_index)",
                          (unsigned long long)number, column);
    switch (type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        buf_add(b, call);
        return;
    case TYPE_BINARY:
        buf_addf(b, "unhex(" STR_FMT ")", STR_ARG(call));
        return;
    case TYPE_DATE:
        buf_addf(b, "(DATE '1970-01-01' + CAST(" STR_FMT " AS INTEGER))", STR_ARG(call));
        return;
    case TYPE_TIMESTAMP:
        buf_addf(b, "make_timestamptz(CAST(" STR_FMT " AS BIGINT))", STR_ARG(call));
        return;
    case TYPE_TIMESTAMP_NTZ:
        buf_addf(b, "make_timestamp(CAST(" STR_FMT " AS BIGINT))", STR_ARG(call));
        return;
    default:
        buf_addf(b, "CAST(" STR_FMT " AS " STR_FMT ")", STR_ARG(call),
                 STR_ARG(type_duckdb(type, b->arena)));
        return;
    }
}

/* DuckDB expands *, ? and [ in names it is given; a class of one character stands for itself. */
void put_paths(Buf *b, const Str *paths, size_t count)
{
    buf_addc(b, '[');
    for (size_t i = 0; i < count; i++) {
        Buf path = buf_in(b->arena);
        for (size_t k = 0; k < paths[i].len; k++) {
            char c = paths[i].ptr[k];
            if (c == '*' || c == '?' || c == '[')
                buf_addf(&path, "[%c]", c);
            else
                buf_addc(&path, c);
        }
        buf_addz(b, i ? ", " : "");
        put_text(b, buf_str(&path));
    }
    buf_addc(b, ']');
}

/* Given a schema, DuckDB 1.5 takes as many threads as there are row groups in a file it has not
 * opened, that is one, unless the files are several; so a large file is never alone. */
enum { ROWS_FOR_ONE_THREAD = 250000 };

bool misleads_bloom_filter(const Type *type) { return type->kind == TYPE_BINARY; }

const Rope *parquet_scan(Render *r, const Str *paths, size_t count, int64_t rows, Str schema)
{
    Str both[2];
    if (count == 1 && rows > ROWS_FOR_ONE_THREAD && r->engine) {
        both[0] = paths[0];
        both[1] = engine_memory_file(r->engine, MEMORY_EMPTY);
        paths = both;
        count = both[1].len ? 2 : 1;
    }
    Buf from = buf_in(r->arena);
    buf_addz(&from, "read_parquet(");
    put_paths(&from, paths, count);
    buf_addf(&from,
             ", hive_partitioning = false, explicit_cardinality = %lld, schema = MAP {" STR_FMT
             "})",
             (long long)rows, STR_ARG(schema));
    return rope_text(r->arena, buf_str(&from));
}

/* ---- what is scanned ---- */

typedef struct ScanFile {
    Str log_path;
    const PropertyVec *partition_values;
    int64_t size, modified_ms;
    int64_t rows_known; /* from the statistics, -1: unknown */
    const ChangeFile *change;
    const AddFile *add; /* of a snapshot's scan */
    FileRows rows;
    bool has_rows;
} ScanFile;

typedef struct Scan {
    Render *r;
    const BoundRel *rel;
    Snapshot *snapshot;
    const Metadata *metadata;
    const Type *logical, *physical;
    ColumnMapping mapping;
    bool by_id; /* columns are found in the files by their ids, not by their names */
    ScanFile *files;
    Str *locations;
    VariantFiles variants; /* paths: what is read, of the locations */
    size_t count;
    FileList list;     /* of a snapshot's scan, in the order of files */
    bool any_rows;     /* some file has rows to leave out */
    VEC(Str *) values; /* per file-value column, one text a file */
    FileSet *set;
    uint64_t number;     /* of the set, given before its columns are known */
    size_t nested_names; /* for lambda variables */
    bool has_expressions; /* columns that are no plain column of a file */
    Buf *entries;        /* of read_parquet's schema */
    bool reads_row_id, reads_row_version;
} Scan;

static const ScanColumn *scan_columns(const Scan *s)
{
    const BoundRel *rel = s->rel;
    ScanColumn *columns = ARENA_ARRAY(s->r->arena, ScanColumn, rel->delta.column_count + 1);
    for (size_t i = 0; i < rel->delta.column_count; i++)
        columns[i] = (ScanColumn){rel->columns.at[i].id, rel->delta.fields[i]};
    return columns;
}

static bool skip_files(Scan *s, FileList *out, Error *err)
{
    const BoundRel *rel = s->rel;
    if (rel->delta.only_files) {
        const FileList *given = rel->delta.only_files;
        for (size_t i = 0; i < given->len; i++)
            vec_push(s->r->arena, out, given->at[i]);
        return true;
    }
    return snapshot_scan(s->snapshot, &rel->delta.predicates, scan_columns(s),
                         rel->delta.column_count, s->r->func.zone, s->r->arena, out, err);
}

static int larger_first(const void *a, const void *b)
{
    const AddFile *x = *(const AddFile *const *)a, *y = *(const AddFile *const *)b;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return str_cmp(x->path, y->path);
}

/* The order in which Spark packs files into partitions; and the same for every run. */
static void sort_by_size(FileList *list)
{
    if (list->len > 1)
        qsort(list->at, list->len, sizeof(*list->at), larger_first);
}

/* By path, the rows a statement leaves out of its files. */
static Map rows_left_out(const Scan *s, const FileList *list)
{
    RowSet *sets = s->rel->delta.left_out;
    Map m = map_in(s->r->arena);
    for (size_t i = 0; sets && i < list->len; i++)
        map_put(&m, list->at[i]->path, &sets[i]);
    return m;
}

static bool deleted_rows(Scan *s, const Map *left_out, const AddFile *f, FileRows *out, Error *err)
{
    const RowSet *given = map_get(left_out, f->path);
    uint64_t *rows = NULL;
    size_t count = 0;
    if (given) {
        *out = (FileRows){given->rows, given->count, false};
    } else if (f->dv) {
        TRY(deletion_vector_rows(s->snapshot, f, s->r->arena, &rows, &count, err));
        *out = (FileRows){rows, count, false};
    }
    s->any_rows = s->any_rows || out->count;
    return true;
}

static bool list_snapshot(Scan *s, Error *err)
{
    FileList list = {0};
    TRY(skip_files(s, &list, err));
    s->files = ARENA_ARRAY(s->r->arena, ScanFile, list.len + 1);
    s->count = list.len;
    Map left_out = rows_left_out(s, &list);
    sort_by_size(&list);
    s->list = list;
    for (size_t i = 0; i < list.len; i++) {
        const AddFile *f = list.at[i];
        s->files[i] = (ScanFile){.log_path = f->path,
                                 .partition_values = &f->partition_values,
                                 .size = f->size,
                                 .modified_ms = f->modification_time_ms,
                                 .add = f,
                                 .rows_known = stats_num_records(f->stats)};
        TRY(deleted_rows(s, &left_out, f, &s->files[i].rows, err));
    }
    return true;
}

static void list_changes(Scan *s)
{
    const ChangeFeed *feed = s->rel->delta.changes;
    s->files = ARENA_ARRAY(s->r->arena, ScanFile, feed->files.len + 1);
    s->count = feed->files.len;
    for (size_t i = 0; i < feed->files.len; i++) {
        const ChangeFile *f = &feed->files.at[i];
        s->files[i] = (ScanFile){.log_path = f->path,
                                 .partition_values = &f->partition_values,
                                 .size = f->size,
                                 .modified_ms = f->timestamp_ms,
                                 .rows_known = -1,
                                 .change = f};
        if (f->which == CHANGE_ALL_ROWS)
            continue;
        s->files[i].rows = (FileRows){f->rows, f->row_count, f->which == CHANGE_ONLY_ROWS};
        s->any_rows = true;
    }
}

static bool find_files(Scan *s, Error *err)
{
    if (s->rel->delta.changes)
        list_changes(s);
    else
        TRY(list_snapshot(s, err));
    s->locations = ARENA_ARRAY(s->r->arena, Str, s->count + 1);
    DeltaTable *table = snapshot_table(s->snapshot);
    for (size_t i = 0; i < s->count; i++)
        TRY(delta_file_location(table, s->files[i].log_path, s->r->arena, &s->locations[i], err));
    return store_bring(s->locations, s->count, STORE_IMMUTABLE, s->r->arena, err);
}

static bool reads_variants(const Scan *s)
{
    const BoundRel *rel = s->rel;
    for (size_t i = 0; i < rel->delta.column_count; i++)
        if (type_contains(rel->columns.at[i].type, TYPE_VARIANT) &&
            !column_is_unused(s->r, rel->columns.at[i].id))
            return true;
    return false;
}

static bool find_variants(Scan *s, Error *err)
{
    s->variants.paths = s->locations;
    return !reads_variants(s) || variant_files(s->r, s->locations, s->count, &s->variants, err);
}

/* ---- columns ---- */

static Str *add_values(Scan *s, Buf *select, const Type *type)
{
    put_file_value(select, s->number, s->values.len, type);
    Str *texts = ARENA_ARRAY(s->r->arena, Str, s->count + 1);
    vec_push(s->r->arena, &s->values, texts);
    return texts;
}

/* Whether a row's file has the column in shreds; empty: none has. */
static Str tell_shredded(Scan *s, const Field *physical)
{
    bool any = false;
    for (size_t i = 0; i < s->count; i++)
        any |= variant_is_shredded(&s->variants, i, physical->name);
    if (!any || !type_contains(physical->type, TYPE_VARIANT))
        return (Str){0};
    Buf b = buf_in(s->r->arena);
    Str *texts = add_values(s, &b, type_simple(TYPE_BOOLEAN));
    for (size_t i = 0; i < s->count; i++)
        texts[i] = variant_is_shredded(&s->variants, i, physical->name) ? S("true") : S("false");
    return buf_str(&b);
}

static bool put_partition_column(Scan *s, const Field *field, Buf *select, Error *err)
{
    Arena *a = s->r->arena;
    Str name = delta_physical_name(field, s->mapping, a);
    Str *texts = add_values(s, select, field->type);
    for (size_t i = 0; i < s->count; i++) {
        const Property *p = partition_value_of(s->files[i].partition_values, name);
        if (!p)
            continue;
        Value v;
        TRY(partition_value_parse(p, field->type, s->r->func.zone, a, &v, err));
        texts[i] = file_value_text(&v, a);
    }
    return true;
}

/* One entry of read_parquet's schema: where the column is found in the files, its name and type
 * here. */
static void put_entry(Buf *b, Str key, bool key_is_text, Str name, Str type)
{
    buf_addz(b, b->len ? ", " : "");
    if (key_is_text)
        put_text(b, key);
    else
        buf_add(b, key);
    buf_addz(b, ": {name: ");
    put_text(b, name);
    buf_addz(b, ", type: ");
    put_text(b, type);
    buf_addz(b, ", default_value: NULL}");
}

static void put_schema_entry(Buf *b, Str key, bool key_is_text, Str name, const Type *type)
{
    put_entry(b, key, key_is_text, name, type_duckdb(type, b->arena));
}

static void put_data_column(Scan *s, size_t field, ColumnId id, Buf *entries, Buf *select)
{
    Arena *a = s->r->arena;
    const Field *logical = &s->logical->structure.fields[field];
    const Field *physical = &s->physical->structure.fields[field];
    Str name = str_printf(a, "c%u", id);
    Str key = s->by_id ? str_printf(a, "%lld", (long long)delta_field_id(logical)) : physical->name;
    Str shredded = tell_shredded(s, physical);
    put_entry(entries, key, !s->by_id, name,
              shredded.len ? variant_read_type(physical->type, a) : type_duckdb_stored(physical->type, a));
    VariantColumn column = {&s->variants, a, &s->nested_names, shredded};
    if (shredded.len)
        variant_entries(&s->variants, physical->name, entries);
    Str parts = shredded.len ? variant_parts(&column, physical->name, name, physical->type) : name;
    Str text = change_form(a, &s->nested_names, FORM_OF_FILES, parts, physical->type, logical->type);
    /* DuckDB casts a condition's constant to the type of each file, and 7.5 would become 8 there. */
    if (field_was_coarser(logical) || misleads_bloom_filter(logical->type)) {
        text = column_apart(text, a);
        s->has_expressions = true;
    }
    buf_add(select, text);
    if (text.ptr != name.ptr)
        buf_addf(select, " AS c%u", id);
}

static const char *change_word(ChangeKind kind)
{
    return kind == CHANGE_INSERT ? "insert" : kind == CHANGE_DELETE ? "delete" : NULL;
}

/* The columns a change feed has beside the table's own. */
static bool put_change_column(Scan *s, const BoundColumn *c, Buf *entries, Buf *select, Error *err)
{
    Arena *a = s->r->arena;
    const Type *type = c->type;
    if (str_is(c->name, "_change_type")) {
        put_schema_entry(entries, S("_change_type"), true, S("ls_change"),
                         type_simple(TYPE_STRING));
        buf_addz(select, "coalesce(ls_change, ");
    }
    Str *texts = add_values(s, select, type);
    for (size_t i = 0; i < s->count; i++) {
        const ChangeFile *f = s->files[i].change;
        if (str_is(c->name, "_change_type")) {
            const char *word = change_word(f->kind);
            texts[i] = word ? str_from(word) : (Str){NULL, 0};
        } else if (str_is(c->name, "_commit_version")) {
            texts[i] = str_printf(a, "%lld", (long long)f->version);
        } else if (str_is(c->name, "_commit_timestamp")) {
            texts[i] = str_printf(a, "%lld", (long long)f->timestamp_ms * 1000);
        } else {
            return error_internal(err, "a change feed has no column " STR_FMT, STR_ARG(c->name));
        }
    }
    buf_addf(select, "%s AS c%u", str_is(c->name, "_change_type") ? ")" : "", c->id);
    return true;
}

/* What a file keeps of its rows beside the table's columns. */
static void read_row_column(Scan *s, Str key, const char *name, bool *done)
{
    if (!*done)
        put_schema_entry(s->entries, key, true, str_from(name), type_simple(TYPE_LONG));
    *done = true;
}

/* PROTOCOL.md "Row Tracking": the id that a file keeps for a row, else the file's first plus the
 * row's place. */
static bool put_row_fact(void *self, Str name, Buf *select)
{
    Scan *s = self;
    bool id = str_is(name, "row_id"), version = str_is(name, "row_commit_version");
    bool first_id = id || str_is(name, "base_row_id");
    RowColumns kept;
    if (!first_id && !version && !str_is(name, "default_row_commit_version"))
        return false;
    bool has_column = (id || version) && snapshot_row_columns(s->snapshot, &kept);
    if (has_column && id)
        read_row_column(s, kept.id, "ls_row_id", &s->reads_row_id);
    else if (has_column)
        read_row_column(s, kept.version, "ls_row_version", &s->reads_row_version);
    if (has_column)
        buf_addz(select, id ? "coalesce(ls_row_id, " : "coalesce(ls_row_version, ");
    Str *texts = add_values(s, select, type_simple(TYPE_LONG));
    for (size_t i = 0; i < s->count; i++) {
        const AddFile *f = s->files[i].add;
        if (f && f->has_base_row_id)
            texts[i] = str_printf(s->r->arena, "%lld",
                                  (long long)(first_id ? f->base_row_id
                                                       : f->default_row_commit_version));
    }
    buf_addz(select, id ? " + file_row_number" : "");
    buf_addz(select, has_column ? ")" : "");
    return true;
}

static bool is_row_fact(const BoundColumn *c)
{
    return str_starts_with(c->name, S(ROW_FACT_PREFIX));
}

static Str *add_fact(void *self, Buf *select, const Type *type) { return add_values(self, select, type); }

static bool put_origin(Scan *s, const BoundColumn *c, Buf *select, Error *err)
{
    FileOrigin *origins = ARENA_ARRAY(s->r->arena, FileOrigin, s->count + 1);
    for (size_t i = 0; i < s->count; i++)
        origins[i] = (FileOrigin){s->locations[i], s->files[i].size, s->files[i].modified_ms, true};
    FactWriter w = {s, add_fact, origins, s->count, put_row_fact};
    return put_file_fact(&w, c, select, err);
}

static void put_position_columns(Scan *s, const BoundColumn *c, Buf *select)
{
    if (c->id == s->rel->delta.row_id) {
        buf_addf(select, "CAST(file_row_number AS BIGINT) AS c%u", c->id);
        return;
    }
    Str *texts = add_values(s, select, type_simple(TYPE_STRING));
    for (size_t i = 0; i < s->count; i++)
        texts[i] = s->files[i].log_path;
    buf_addf(select, " AS c%u", c->id);
}

static bool put_other_column(Scan *s, const BoundColumn *c, Buf *entries, Buf *select, Error *err)
{
    const BoundRel *rel = s->rel;
    if (rel->delta.with_row_position &&
        (c->id == rel->delta.file_id || c->id == rel->delta.row_id)) {
        put_position_columns(s, c, select);
        return true;
    }
    if (is_file_fact(c))
        return put_origin(s, c, select, err);
    if (is_row_fact(c) &&
        put_row_fact(s, str_slice(c->name, strlen(ROW_FACT_PREFIX), c->name.len), select)) {
        buf_addf(select, " AS c%u", c->id);
        return true;
    }
    if (rel->delta.changes)
        return put_change_column(s, c, entries, select, err);
    return error_internal(err, "a table scan has no column " STR_FMT, STR_ARG(c->name));
}

static bool put_columns(Scan *s, Buf *entries, Buf *select, Error *err)
{
    const BoundRel *rel = s->rel;
    for (size_t i = 0; i < rel->columns.len; i++) {
        const BoundColumn *c = &rel->columns.at[i];
        if (i < rel->delta.column_count && column_is_unused(s->r, c->id))
            continue;
        buf_addz(select, select->len ? ", " : "");
        if (i >= rel->delta.column_count) {
            TRY(put_other_column(s, c, entries, select, err));
            continue;
        }
        size_t field = rel->delta.fields[i];
        const Field *f = &s->logical->structure.fields[field];
        if (metadata_partition_index(s->metadata, f->name) < 0) {
            put_data_column(s, field, c->id, entries, select);
        } else {
            TRY(put_partition_column(s, f, select, err));
            buf_addf(select, " AS c%u", c->id);
        }
    }
    return true;
}

/* A scan without position columns in `columns` still has them by id. */
static void put_missing_positions(Scan *s, Buf *select)
{
    const BoundRel *rel = s->rel;
    ColumnId ids[] = {rel->delta.file_id, rel->delta.row_id};
    for (size_t k = 0; k < 2; k++) {
        bool present = false;
        for (size_t i = 0; i < rel->columns.len; i++)
            present = present || rel->columns.at[i].id == ids[k];
        if (present)
            continue;
        BoundColumn c = {.id = ids[k]};
        buf_addz(select, select->len ? ", " : "");
        put_position_columns(s, &c, select);
    }
}

/* ---- the scan ---- */

/* DuckDB reads no footer before it plans: it is told how many rows to expect, or joins would build
 * on the wrong side. */
static int64_t expected_rows(const Scan *s)
{
    int64_t rows = 0;
    for (size_t i = 0; i < s->count; i++) {
        const ScanFile *f = &s->files[i];
        rows += f->rows_known >= 0 ? f->rows_known : f->size / FILE_BYTES_PER_ROW + 1;
    }
    return rows > 0 ? rows : 1;
}

static void fill_set(Scan *s)
{
    Arena *a = s->r->arena;
    Str *values = ARENA_ARRAY(a, Str, s->values.len * s->count + 1);
    for (size_t column = 0; column < s->values.len; column++)
        for (size_t i = 0; i < s->count; i++)
            values[column * s->count + i] = s->values.at[column][i];
    FileRows *rows = NULL;
    if (s->any_rows) {
        rows = ARENA_ARRAY(a, FileRows, s->count + 1);
        for (size_t i = 0; i < s->count; i++)
            rows[i] = s->files[i].rows;
    }
    *s->set = (FileSet){s->count, values, rows};
}

static void put_nothing(Scan *s, Block *out)
{
    Buf select = buf_in(s->r->arena);
    for (size_t i = 0; i < s->rel->columns.len; i++) {
        const BoundColumn *c = &s->rel->columns.at[i];
        buf_addf(&select, "%sCAST(NULL AS " STR_FMT ") AS c%u", i ? ", " : "",
                 STR_ARG(type_duckdb(c->type, s->r->arena)), c->id);
    }
    if (s->rel->delta.with_row_position)
        buf_addf(&select, "%sCAST(NULL AS VARCHAR) AS c%u, CAST(NULL AS BIGINT) AS c%u",
                 select.len ? ", " : "", s->rel->delta.file_id, s->rel->delta.row_id);
    out->select = select.len ? buf_str(&select) : S("1 AS c0");
    out->from = rope_text(s->r->arena, S("range(0)"));
}

/* DuckDB takes a fifth of the rows for what any condition on a file's columns keeps, and another fifth for
 * a condition it cannot push into the file. One that is always true, over two columns, tells it of
 * conditions that keep far less: joins then begin with those rows. */
static const Rope *few_rows_condition(Scan *s)
{
    const BoundRel *rel = s->rel;
    const double few = 0.05;
    ColumnId ids[2];
    size_t found = 0;
    for (size_t i = 0; i < rel->delta.column_count && found < 2; i++)
        if (!column_is_unused(s->r, rel->columns.at[i].id))
            ids[found++] = rel->columns.at[i].id;
    if (found < 2 || !rel->delta.predicates.len || !s->list.len ||
        snapshot_selectivity(s->snapshot, &rel->delta.predicates, scan_columns(s),
                             rel->delta.column_count, &s->list, (double)expected_rows(s),
                             s->r->func.zone) > few)
        return NULL;
    return rope_text(s->r->arena, str_printf(s->r->arena, "hash(c%u, c%u) IS NOT NULL", ids[0], ids[1]));
}

static bool has_row_facts(const BoundRel *rel)
{
    RowColumns kept;
    if (!snapshot_row_columns(rel->delta.snapshot, &kept))
        return false;
    for (size_t i = rel->delta.column_count; i < rel->columns.len; i++)
        if (is_row_fact(&rel->columns.at[i]) || is_file_fact(&rel->columns.at[i]))
            return true;
    return false;
}

/* What files have beside the table's columns has a name only; DuckDB finds all columns of a scan in
 * one way. Writers of mapped tables give the others their physical names, which is made sure of. */
static bool choose_key(Scan *s, Error *err)
{
    bool fit;
    s->by_id = s->mapping == MAPPING_ID;
    if (!s->by_id || (!s->rel->delta.changes && !s->variants.shredded && !has_row_facts(s->rel)))
        return true;
    s->by_id = false;
    if (!s->r->engine)
        return true;
    TRY(parquet_names_fit(s->r->engine, s->locations, s->count, s->physical, s->r->cancel,
                          s->r->arena, &fit, err));
    return fit || error_unsupported(err, "Reading row ids, changes or shredded variants of a table "
                                         "mapped by id whose files name its columns otherwise");
}

bool render_delta(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    Scan s = {.r = r, .rel = rel, .snapshot = rel->delta.snapshot};
    s.metadata = snapshot_metadata(s.snapshot);
    s.logical = snapshot_schema(s.snapshot);
    s.physical = snapshot_physical_schema(s.snapshot);
    s.mapping = snapshot_column_mapping(s.snapshot);
    TRY(find_files(&s, err));
    if (!s.count) {
        put_nothing(&s, out);
        return true;
    }
    TRY(find_variants(&s, err));
    TRY(choose_key(&s, err));
    s.set = ARENA_NEW(r->arena, FileSet);
    s.number = resources_add_files(r->resources, s.set);
    Buf entries = buf_in(r->arena), select = buf_in(r->arena);
    s.entries = &entries;
    TRY(put_columns(&s, &entries, &select, err));
    if (rel->delta.with_row_position)
        put_missing_positions(&s, &select);
    if (!entries.len)
        put_schema_entry(&entries, S("ls_none"), true, S("ls_none"), type_simple(TYPE_INT));
    fill_set(&s);
    out->from = parquet_scan(r, s.variants.paths, s.count, expected_rows(&s), buf_str(&entries));
    bool plain = !s.values.len && !s.any_rows && !rel->delta.with_row_position && !s.nested_names && !s.has_expressions;
    if (!plain || !rel->columns.len)
        out->select = select.len ? buf_str(&select) : S("1 AS c0");
    if (s.any_rows)
        out->where = rope_text(
            r->arena,
            str_printf(r->arena, "ls_row_kept(CAST(%llu AS UBIGINT), file_index, file_row_number)",
                       (unsigned long long)s.number));
    else if (plain)
        out->where = few_rows_condition(&s);
    return true;
}

/* ---- counting without reading ---- */

static bool counts_rows(const BoundExpr *e)
{
    const BoundExpr *of =
        e->kind == BEXPR_AGGREGATE && e->call.args.len == 1 ? e->call.args.at[0] : NULL;
    return of && str_is(str_from(e->call.row->name), "count") && !e->call.distinct &&
           !e->call.filter && of->kind == BEXPR_LITERAL && !of->literal.is_null;
}

static const BoundRel *whole_snapshot(const BoundRel *rel)
{
    while (rel && rel->kind == BREL_PROJECT)
        rel = rel->input;
    bool whole = rel && rel->kind == BREL_SCAN_DELTA && !rel->delta.changes &&
                 !rel->delta.only_files && !rel->delta.predicates.len;
    return whole ? rel : NULL;
}

bool render_counted(Render *r, const BoundRel *aggregate, Block *out)
{
    const BoundItemVec *items = &aggregate->aggregate.aggregates;
    const BoundRel *scan = whole_snapshot(aggregate->input);
    if (!scan || !items->len || aggregate->aggregate.keys.len || aggregate->aggregate.sets.len ||
        aggregate->aggregate.grouping_id)
        return false;
    for (size_t i = 0; i < items->len; i++)
        if (!counts_rows(items->at[i].expr))
            return false;
    int64_t rows = snapshot_row_count(scan->delta.snapshot);
    if (rows < 0)
        return false;
    Buf select = buf_in(r->arena);
    for (size_t i = 0; i < items->len; i++)
        buf_addf(&select, "%sCAST(%lld AS BIGINT) AS c%u", i ? ", " : "", (long long)rows,
                 items->at[i].id);
    *out = (Block){.select = buf_str(&select)};
    return true;
}
