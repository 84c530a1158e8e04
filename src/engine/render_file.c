/* Scans of plain files: Parquet by DuckDB's reader, text formats by readers that follow Spark's
 * rules. */
#include "base/buf.h"
#include "engine/file_source.h"
#include "engine/orc.h"
#include "engine/render_impl.h"
#include "engine/variant_file.h"

static Str lower_format(const FileScan *scan, Arena *arena)
{
    return str_lower(scan->format, arena);
}

static bool is_partition(const FileScan *scan, size_t field)
{
    return field + scan->partition_count >= scan->schema->structure.count;
}

/* ---- per-file values ---- */

typedef struct FileValues {
    Render *r;
    const FileScan *scan;
    VEC(Str *) columns;
    FileSet *set;
    uint64_t number;
    VariantFiles variants;
    size_t nested_names; /* for lambda variables */
    bool has_expressions; /* columns that are no plain column of a file */
} FileValues;

static Str *add_values(FileValues *v, Buf *select, const Type *type)
{
    put_file_value(select, v->number, v->columns.len, type);
    Str *texts = ARENA_ARRAY(v->r->arena, Str, v->scan->paths.len + 1);
    vec_push(v->r->arena, &v->columns, texts);
    return texts;
}

static bool put_partition(FileValues *v, size_t field, Buf *select, Error *err)
{
    const FileScan *scan = v->scan;
    const Field *f = &scan->schema->structure.fields[field];
    size_t k = field + scan->partition_count - scan->schema->structure.count;
    Str *texts = add_values(v, select, f->type);
    for (size_t i = 0; i < scan->paths.len; i++) {
        if (i >= scan->partition_values.len || k >= scan->partition_values.at[i].len)
            continue;
        Str text = scan->partition_values.at[i].at[k];
        if (!text.ptr || str_is(text, "__HIVE_DEFAULT_PARTITION__"))
            continue;
        Value value;
        TRY(value_from_text(text, f->type, v->r->func.zone, v->r->arena, &value, err));
        texts[i] = file_value_text(&value, v->r->arena);
    }
    return true;
}

static Str *add_fact(void *self, Buf *select, const Type *type) { return add_values(self, select, type); }

static bool put_origin(FileValues *v, const BoundColumn *c, Buf *select, Error *err)
{
    size_t n = v->scan->paths.len;
    FileOrigin *origins = ARENA_ARRAY(v->r->arena, FileOrigin, n + 1);
    for (size_t i = 0; i < n; i++) {
        FileFacts facts;
        TRY(file_facts(v->scan->paths.at[i], &facts, err));
        origins[i] = (FileOrigin){v->scan->paths.at[i], facts.size, facts.modified_ms, false};
    }
    FactWriter w = {v, add_fact, origins, n};
    return put_file_fact(&w, c, select, err);
}

static void fill_set(FileValues *v)
{
    size_t files = v->scan->paths.len;
    Str *values = ARENA_ARRAY(v->r->arena, Str, v->columns.len * files + 1);
    for (size_t column = 0; column < v->columns.len; column++)
        for (size_t i = 0; i < files; i++)
            values[column * files + i] = v->columns.at[column][i];
    *v->set = (FileSet){files, values, NULL};
}

/* ---- which field of the scan a column is ---- */

static bool field_of(const FileScan *scan, const BoundRel *rel, size_t column, size_t *field)
{
    const BoundColumn *c = &rel->columns.at[column];
    if (column < scan->schema->structure.count &&
        str_eq(scan->schema->structure.fields[column].name, c->name)) {
        *field = column;
        return true;
    }
    for (size_t i = 0; i < scan->schema->structure.count; i++) {
        if (str_eq(scan->schema->structure.fields[i].name, c->name)) {
            *field = i;
            return true;
        }
    }
    return false;
}

static void put_no_rows(Render *r, const BoundRel *rel, Block *out)
{
    Buf select = buf_in(r->arena);
    for (size_t i = 0; i < rel->columns.len; i++)
        buf_addf(&select, "%sCAST(NULL AS " STR_FMT ") AS c%u", i ? ", " : "",
                 STR_ARG(type_duckdb(rel->columns.at[i].type, r->arena)), rel->columns.at[i].id);
    out->select = select.len ? buf_str(&select) : S("1 AS c0");
    out->from = rope_text(r->arena, S("range(0)"));
}

/* Calendar-free intervals are numbers in files too; what Parquet lacks comes back by the cast of
 * the schema entry. */
static void put_schema_entry(Buf *entries, Str key, ColumnId id, Str type)
{
    buf_addz(entries, entries->len ? ", " : "");
    put_text(entries, key);
    buf_addf(entries, ": {name: 'c%u', type: ", id);
    put_text(entries, type);
    buf_addz(entries, ", default_value: NULL}");
}

static void put_data(FileValues *v, const Field *f, const BoundColumn *c, Buf *entries, Buf *select)
{
    Arena *a = v->r->arena;
    bool shredded = false;
    for (size_t i = 0; i < v->scan->paths.len; i++)
        shredded |= variant_is_shredded(&v->variants, i, f->name);
    shredded = shredded && type_contains(f->type, TYPE_VARIANT);
    put_schema_entry(entries, c->name, c->id, shredded ? variant_read_type(f->type, a) : type_duckdb(f->type, a));
    Str name = str_printf(a, "c%u", c->id);
    if (misleads_bloom_filter(f->type)) {
        buf_addf(select, STR_FMT " AS " STR_FMT, STR_ARG(column_apart(name, a)), STR_ARG(name));
        v->has_expressions = true;
        return;
    }
    if (!shredded) {
        buf_add(select, name);
        return;
    }
    Buf flag = buf_in(a);
    Str *texts = add_values(v, &flag, type_simple(TYPE_BOOLEAN));
    for (size_t i = 0; i < v->scan->paths.len; i++)
        texts[i] = variant_is_shredded(&v->variants, i, f->name) ? S("true") : S("false");
    VariantColumn column = {&v->variants, a, &v->nested_names, buf_str(&flag)};
    variant_entries(&v->variants, f->name, entries);
    buf_addf(select, STR_FMT " AS " STR_FMT, STR_ARG(variant_parts(&column, f->name, name, f->type)), STR_ARG(name));
}

static bool put_columns(FileValues *v, const BoundRel *rel, Buf *entries, Buf *select, Error *err)
{
    const FileScan *scan = v->scan;
    for (size_t i = 0; i < rel->columns.len; i++) {
        const BoundColumn *c = &rel->columns.at[i];
        size_t field;
        buf_addz(select, i ? ", " : "");
        if (is_file_fact(c)) {
            TRY(put_origin(v, c, select, err));
        } else if (!field_of(scan, rel, i, &field)) {
            return error_internal(err, "a file scan has no column " STR_FMT, STR_ARG(c->name));
        } else if (is_partition(scan, field)) {
            TRY(put_partition(v, field, select, err));
            buf_addf(select, " AS c%u", c->id);
        } else {
            put_data(v, &scan->schema->structure.fields[field], c, entries, select);
        }
    }
    return true;
}

/* As in a Delta scan, by the sizes of the files: footers are not read before planning. */
static int64_t expected_rows(const FileScan *scan)
{
    AUTO_ARENA arena = arena_new();
    Error ignored = error_in(arena);
    int64_t bytes = 0;
    for (size_t i = 0; i < scan->paths.len; i++) {
        FileFacts facts;
        if (file_facts(scan->paths.at[i], &facts, &ignored))
            bytes += facts.size;
    }
    return bytes / FILE_BYTES_PER_ROW + 1;
}

static bool render_parquet(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    FileValues v = {.r = r, .scan = rel->files};
    v.set = ARENA_NEW(r->arena, FileSet);
    v.number = resources_add_files(r->resources, v.set);
    Buf entries = buf_in(r->arena), select = buf_in(r->arena);
    v.variants.paths = rel->files->paths.at;
    if (type_contains(rel->files->schema, TYPE_VARIANT))
        TRY(variant_files(r, rel->files->paths.at, rel->files->paths.len, &v.variants, err));
    TRY(put_columns(&v, rel, &entries, &select, err));
    fill_set(&v);
    if (!entries.len)
        put_schema_entry(&entries, S("ls_none"), 0, S("INTEGER"));
    out->from = parquet_scan(r, v.variants.paths, rel->files->paths.len,
                             expected_rows(rel->files), buf_str(&entries));
    if (v.columns.len || v.has_expressions || !rel->columns.len)
        out->select = select.len ? buf_str(&select) : S("1 AS c0");
    return true;
}

/* ---- formats with a reader of ours ---- */

/* Spark does not parse records whose columns nobody wants, so that it could not tell which are corrupt. */
static bool check_corrupt(Render *r, const BoundRel *rel, Error *err)
{
    const FileScan *scan = rel->files;
    bool corrupt = false, others = false;
    Str name = file_corrupt_name(&scan->options, &r->func);
    for (size_t i = 0; i < rel->columns.len; i++) {
        const BoundColumn *c = &rel->columns.at[i];
        size_t field;
        if (column_is_unused(r, c->id) || !field_of(scan, rel, i, &field) || is_partition(scan, field))
            continue;
        corrupt |= str_eq(c->name, name);
        others |= !str_eq(c->name, name);
    }
    bool parsed = str_is_ci(scan->format, "csv") || str_is_ci(scan->format, "json");
    return !parsed || !r->unused || !corrupt || others ||
           error_set(err, ERR_UNSUPPORTED_FEATURE__QUERY_ONLY_CORRUPT_RECORD_COLUMN);
}

/* The source numbers the files behind its own columns. */
static bool render_source(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    RowSource *source;
    TRY(check_corrupt(r, rel, err));
    TRY(str_is_ci(rel->files->format, "orc")
            ? orc_source_new(r->engine, rel->files, &r->func, r->cancel, r->arena, &source, err)
            : file_source_new(rel->files, &r->func, r->arena, &source, err));
    uint64_t number = resources_add_source(r->resources, source);
    FileValues v = {.r = r, .scan = rel->files, .set = ARENA_NEW(r->arena, FileSet)};
    Buf select = buf_in(r->arena);
    for (size_t i = 0; i < rel->columns.len; i++) {
        size_t field;
        const BoundColumn *c = &rel->columns.at[i];
        buf_addz(&select, i ? ", " : "");
        if (is_file_fact(c)) {
            v.number = v.number ? v.number : resources_add_files(r->resources, v.set);
            TRY(put_origin(&v, c, &select, err));
            continue;
        }
        if (!field_of(rel->files, rel, i, &field))
            return error_internal(err, "a file scan has no column " STR_FMT, STR_ARG(c->name));
        buf_addf(&select, "k%zu AS c%u", field, c->id);
    }
    fill_set(&v);
    out->select = select.len ? buf_str(&select) : S("1 AS c0");
    out->from = rope_text(
        r->arena, str_printf(r->arena,
                             v.columns.len ? "(SELECT *, CAST(file_number AS UBIGINT) AS file_index FROM "
                                             "ls_rows(CAST(%llu AS UBIGINT)))"
                                           : "ls_rows(CAST(%llu AS UBIGINT))",
                             (unsigned long long)number));
    return true;
}

bool render_files(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    Str format = lower_format(rel->files, r->arena);
    if (!file_format_is_read(format))
        return error_unsupported(err, "Reading files of the format " STR_FMT,
                                 STR_ARG(rel->files->format));
    if (!rel->files->paths.len) {
        put_no_rows(r, rel, out);
        return true;
    }
    return str_is(format, "parquet") ? render_parquet(r, rel, out, err)
                                     : render_source(r, rel, out, err);
}
