/* Parquet files whose footer marks variants (logical type VARIANT). DuckDB 1.5 reads a marked group as a value of its own type, in which
 * a variant that is null and no variant are one; so the mark is taken away in a copy, and the parts are read as they are. Only where a
 * file has variants taken apart (Parquet "Variant Shredding") the values are DuckDB's, put into parts again. */
#include "engine/variant_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "engine/engine_impl.h"

#define PARTS "STRUCT(\"value\" BLOB, \"metadata\" BLOB)"

/* ---- the footer: Thrift's compact protocol ---- */

enum { MAX_DEPTH = 32, MAX_FOOTER = 256 << 20, TAIL = 8 };
enum { T_STOP, T_TRUE, T_FALSE, T_BYTE, T_I16, T_I32, T_I64, T_DOUBLE, T_BINARY, T_LIST, T_SET, T_MAP, T_STRUCT };
/* FileMetaData.schema; SchemaElement.num_children and .logicalType; LogicalType.VARIANT */
enum { FIELD_SCHEMA = 2, FIELD_CHILDREN = 5, FIELD_LOGICAL = 10, FIELD_VARIANT = 16 };
/* As bytes of the footer: FIELD_VARIANT, and a number that no reader knows. */
enum { MARK = FIELD_VARIANT << 1, NO_MARK = 63 << 1 };

typedef struct Footer {
    const uint8_t *start, *at, *end;
    bool bad;
    VEC(size_t) marks; /* where they stand, from the footer's start */
    bool shredded;
    Arena *arena;
} Footer;

static uint64_t varint(Footer *f)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (f->at >= f->end)
            break;
        uint8_t b = *f->at++;
        n |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return n;
    }
    f->bad = true;
    return 0;
}

static int64_t zigzag(Footer *f)
{
    uint64_t n = varint(f);
    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static void skip_bytes(Footer *f, uint64_t n)
{
    if (n > (uint64_t)(f->end - f->at))
        f->bad = true;
    else
        f->at += n;
}

/* The next field of a struct; false at its end. */
static bool next_field(Footer *f, int64_t *id, unsigned *type)
{
    if (f->bad || f->at >= f->end)
        return f->bad = true, false;
    uint8_t header = *f->at++;
    *type = header & 0x0f;
    if (*type == T_STOP)
        return false;
    *id = header >> 4 ? *id + (header >> 4) : zigzag(f);
    return !f->bad;
}

static void skip_value(Footer *f, unsigned type, unsigned depth);

static void list_header(Footer *f, uint64_t *count, unsigned *type)
{
    uint8_t header = f->at < f->end ? *f->at++ : (f->bad = true, 0);
    *type = header & 0x0f;
    *count = header >> 4 < 15 ? header >> 4 : varint(f);
}

static void skip_items(Footer *f, uint64_t count, unsigned type, unsigned depth)
{
    for (uint64_t i = 0; i < count && !f->bad; i++)
        if (type <= T_BYTE)
            skip_bytes(f, 1);
        else
            skip_value(f, type, depth);
}

static void skip_map(Footer *f, unsigned depth)
{
    uint64_t count = varint(f);
    uint8_t types = count && f->at < f->end ? *f->at++ : 0;
    for (uint64_t i = 0; i < count && !f->bad; i++) {
        skip_items(f, 1, types >> 4, depth);
        skip_items(f, 1, types & 0x0f, depth);
    }
}

static void skip_struct(Footer *f, unsigned depth)
{
    int64_t id = 0;
    unsigned type;
    while (next_field(f, &id, &type))
        skip_value(f, type, depth);
}

static void skip_value(Footer *f, unsigned type, unsigned depth)
{
    uint64_t count;
    unsigned item;
    if (depth >= MAX_DEPTH) {
        f->bad = true;
        return;
    }
    switch (type) {
    case T_TRUE:
    case T_FALSE: return;
    case T_BYTE: skip_bytes(f, 1); return;
    case T_I16:
    case T_I32:
    case T_I64: (void)varint(f); return;
    case T_DOUBLE: skip_bytes(f, 8); return;
    case T_BINARY: skip_bytes(f, varint(f)); return;
    case T_LIST:
    case T_SET:
        list_header(f, &count, &item);
        skip_items(f, count, item, depth + 1);
        return;
    case T_MAP: skip_map(f, depth + 1); return;
    case T_STRUCT: skip_struct(f, depth + 1); return;
    default: f->bad = true;
    }
}

/* False: the logical type is another. */
static bool find_mark(Footer *f)
{
    int64_t id = 0;
    unsigned type;
    bool found = false;
    while (next_field(f, &id, &type)) {
        if (id == FIELD_VARIANT && type == T_STRUCT && f->at[-1] == MARK) {
            vec_push(f->arena, &f->marks, (size_t)(f->at - 1 - f->start));
            found = true;
        }
        skip_value(f, type, 2);
    }
    return found;
}

static void read_element(Footer *f)
{
    int64_t id = 0, children = 0;
    unsigned type;
    bool marked = false;
    while (next_field(f, &id, &type)) {
        if (id == FIELD_CHILDREN && type == T_I32)
            children = zigzag(f);
        else if (id == FIELD_LOGICAL && type == T_STRUCT)
            marked = find_mark(f);
        else
            skip_value(f, type, 1);
    }
    f->shredded |= marked && children > 2;
}

/* A footer that cannot be read is left to DuckDB, which will say so. */
static void find_marks(Footer *f)
{
    int64_t id = 0;
    unsigned type, item;
    while (next_field(f, &id, &type)) {
        if (id != FIELD_SCHEMA || type != T_LIST) {
            skip_value(f, type, 0);
            continue;
        }
        uint64_t count;
        list_header(f, &count, &item);
        for (uint64_t i = 0; i < count && item == T_STRUCT && !f->bad; i++)
            read_element(f);
        return;
    }
}

/* ---- files ---- */

static bool file_failure(Str path, Error *err)
{
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
}

static bool read_footer(int file, Arena *arena, Footer *f, uint64_t *size)
{
    struct stat facts;
    uint8_t tail[TAIL];
    if (fstat(file, &facts) || facts.st_size < 2 * TAIL || pread(file, tail, TAIL, facts.st_size - TAIL) != TAIL || memcmp(tail + 4, "PAR1", 4))
        return false;
    uint64_t n = (uint64_t)tail[0] | (uint64_t)tail[1] << 8 | (uint64_t)tail[2] << 16 | (uint64_t)tail[3] << 24;
    *size = (uint64_t)facts.st_size;
    if (n > MAX_FOOTER || n + TAIL > *size)
        return false;
    uint8_t *bytes = arena_alloc(arena, n + 1);
    *f = (Footer){.start = bytes, .at = bytes, .end = bytes + n, .arena = arena};
    return pread(file, bytes, n, (off_t)(*size - TAIL - n)) == (ssize_t)n;
}

static void forget_copy(void *path)
{
    (void)unlink(path);
}

static bool copy_all(int from, int to, uint64_t size)
{
    while (size) {
        ssize_t n = copy_file_range(from, NULL, to, NULL, size, 0);
        if (n <= 0)
            return false;
        size -= (uint64_t)n;
    }
    return true;
}

static bool copy_unmarked(Render *r, int file, const Footer *f, uint64_t size, Str *path, Error *err)
{
    const uint8_t none = NO_MARK;
    Str folder = r->engine->spill_folder.len ? r->engine->spill_folder : S("/tmp");
    char *name = str_z(str_printf(r->arena, STR_FMT "/variant-" STR_FMT ".parquet", STR_ARG(folder), STR_ARG(clock_uuid_in(r->arena))), r->arena);
    uint64_t start = size - TAIL - (uint64_t)(f->end - f->start);
    (void)mkdir(str_z(folder, r->arena), 0700);
    int copy = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (copy < 0)
        return file_failure(str_from(name), err);
    arena_on_free(r->arena, forget_copy, name);
    bool ok = copy_all(file, copy, size);
    for (size_t i = 0; ok && i < f->marks.len; i++)
        ok = pwrite(copy, &none, 1, (off_t)(start + f->marks.at[i])) == 1;
    if (!ok)
        file_failure(str_from(name), err);
    close(copy);
    *path = str_from(name);
    return ok;
}

static bool variant_file(Render *r, Str *path, bool *shredded, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Footer f;
    uint64_t size;
    int file = open(str_z(*path, scratch), O_RDONLY | O_CLOEXEC);
    *shredded = false;
    if (file < 0)
        return true; /* DuckDB names the file that is missing */
    bool ok = true;
    if (read_footer(file, scratch, &f, &size)) {
        find_marks(&f);
        *shredded = f.shredded && !f.bad;
        if (f.marks.len && !f.bad && !f.shredded)
            ok = copy_unmarked(r, file, &f, size, path, err);
    }
    close(file);
    return ok;
}

bool variant_files(Render *r, const Str *paths, size_t count, VariantFiles *out, Error *err)
{
    bool *shredded = ARENA_ARRAY(r->arena, bool, count + 1), any = false;
    *out = (VariantFiles){.paths = ARENA_ARRAY(r->arena, Str, count + 1)};
    for (size_t i = 0; i < count; i++) {
        out->paths[i] = paths[i];
        if (r->cancel)
            TRY(cancel_check(r->cancel, err));
        if (r->engine)
            TRY(variant_file(r, &out->paths[i], &shredded[i], err));
        any |= shredded[i];
    }
    out->shredded = any ? shredded : NULL;
    return true;
}

/* ---- values that DuckDB put together ---- */

Str variant_read_type(const Type *t, Arena *arena)
{
    Buf b = buf_in(arena);
    switch (t->kind) {
    case TYPE_VARIANT: return S("VARIANT");
    case TYPE_ARRAY:
        buf_addf(&b, STR_FMT "[]", STR_ARG(variant_read_type(t->array.element, arena)));
        return buf_str(&b);
    case TYPE_MAP:
        buf_addf(&b, "MAP(" STR_FMT ", " STR_FMT ")", STR_ARG(variant_read_type(t->map.key, arena)),
                 STR_ARG(variant_read_type(t->map.value, arena)));
        return buf_str(&b);
    case TYPE_STRUCT:
        buf_addz(&b, "STRUCT(");
        for (size_t i = 0; i < t->structure.count; i++) {
            buf_addz(&b, i ? ", " : "");
            put_quoted(&b, type_duckdb_field(t, i, arena));
            buf_addf(&b, " " STR_FMT, STR_ARG(variant_read_type(t->structure.fields[i].type, arena)));
        }
        buf_addc(&b, ')');
        return buf_str(&b);
    default: return type_duckdb(t, arena);
    }
}

static Str struct_parts(Arena *a, size_t *counter, Str text, const Type *t, Str shredded)
{
    Buf b = buf_in(a);
    buf_addf(&b, "(CASE WHEN " STR_FMT " IS NULL THEN NULL ELSE struct_pack(", STR_ARG(text));
    for (size_t i = 0; i < t->structure.count; i++) {
        Buf field = buf_in(a);
        buf_addf(&field, "struct_extract(" STR_FMT ", ", STR_ARG(text));
        put_text(&field, type_duckdb_field(t, i, a));
        buf_addc(&field, ')');
        buf_addz(&b, i ? ", " : "");
        put_quoted(&b, type_duckdb_field(t, i, a));
        buf_addf(&b, " := " STR_FMT, STR_ARG(variant_parts(a, counter, buf_str(&field), t->structure.fields[i].type, shredded)));
    }
    buf_addz(&b, ") END)");
    return buf_str(&b);
}

Str variant_parts(Arena *a, size_t *counter, Str text, const Type *t, Str shredded)
{
    if (!type_contains(t, TYPE_VARIANT))
        return text;
    if (t->kind == TYPE_STRUCT)
        return struct_parts(a, counter, text, t, shredded);
    if (t->kind == TYPE_VARIANT)
        return str_printf(a, "(CASE WHEN " STR_FMT " IS NULL THEN NULL WHEN " STR_FMT " THEN CAST(variant_to_parquet_variant(" STR_FMT ") AS " PARTS
                             ") ELSE CAST(" STR_FMT " AS " PARTS ") END)", STR_ARG(text), STR_ARG(shredded), STR_ARG(text), STR_ARG(text));
    size_t n = (*counter)++;
    Str x = str_printf(a, "m%zu", n);
    if (t->kind == TYPE_ARRAY)
        return str_printf(a, "list_transform(" STR_FMT ", lambda m%zu: " STR_FMT ")", STR_ARG(text), n,
                          STR_ARG(variant_parts(a, counter, x, t->array.element, shredded)));
    return str_printf(a, "map_from_entries(list_transform(map_entries(" STR_FMT "), lambda m%zu: struct_pack(key := m%zu.key, value := " STR_FMT ")))",
                      STR_ARG(text), n, n, STR_ARG(variant_parts(a, counter, str_concat(a, x, S(".value")), t->map.value, shredded)));
}
