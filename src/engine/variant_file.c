/* Parquet files whose footer marks variants (logical type VARIANT). DuckDB 1.5 reads a marked
 * group as a value of its own type, in which a variant that is null and no variant are one; so the
 * mark is taken away in a copy, and the parts are read as they are. Only columns with variants
 * taken apart (Parquet "Variant Shredding") are read marked: their values are DuckDB's, put into
 * parts again. */
#include "engine/variant_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/engine_impl.h"
#include "engine/folder.h"

enum { MAX_FOOTER = 256 << 20, TAIL = 8 };
#define COPIES "variants-" /* then the number of the process that made them */
#define PARTS "STRUCT(\"value\" BLOB, \"metadata\" BLOB)"

/* ---- files ---- */

static bool file_failure(Str path, Error *err)
{
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
}

static bool read_footer(int file, Arena *arena, Str *footer, uint64_t *size)
{
    struct stat facts;
    uint8_t tail[TAIL];
    if (fstat(file, &facts) || facts.st_size < 2 * TAIL ||
        pread(file, tail, TAIL, facts.st_size - TAIL) != TAIL || memcmp(tail + 4, "PAR1", 4))
        return false;
    uint64_t n = 0;
    for (int i = 3; i >= 0; i--)
        n = n << 8 | tail[i];
    *size = (uint64_t)facts.st_size;
    if (n > MAX_FOOTER || n + TAIL > *size)
        return false;
    char *bytes = arena_alloc(arena, n + 1);
    *footer = (Str){bytes, n};
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

static Str copies_folder(const Engine *e, Arena *arena)
{
    Str above = e->spill_folder.len ? e->spill_folder : S("/tmp");
    return str_printf(arena, STR_FMT "/" COPIES "%d", STR_ARG(above), (int)getpid());
}

void variant_copies_sweep(const Engine *e)
{
    AUTO_ARENA(arena) = arena_new();
    Str above = e->spill_folder.len ? e->spill_folder : S("/tmp");
    DIR *folder = opendir(str_z(above, arena));
    for (struct dirent *d; folder && (d = readdir(folder));) {
        int64_t owner;
        Str name = str_from(d->d_name);
        Str number = str_slice(name, sizeof COPIES - 1, name.len);
        if (!str_starts_with(name, S(COPIES)) || !str_to_i64(number, &owner) || owner <= 0)
            continue;
        if (owner == getpid() || (kill((pid_t)owner, 0) && errno == ESRCH))
            folder_sweep(str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(above), STR_ARG(name)));
    }
    if (folder)
        closedir(folder);
}

/* A copy of its own for every query, under few names: DuckDB remembers the footers of files by
 * their names, and those with the same are copies of the same bytes. */
static int new_copy(Render *r, int file, Str of, char **name, Error *err)
{
    enum { MOST = 10000 };
    struct stat facts;
    Str folder = copies_folder(r->engine, r->arena);
    if (fstat(file, &facts)) {
        file_failure(of, err);
        return -1;
    }
    if (!folder_make(folder, r->arena, NULL, err))
        return -1;
    Str version = str_printf(r->arena, STR_FMT "|%lld|%lld|%lld.%09ld", STR_ARG(of),
                             (long long)facts.st_ino, (long long)facts.st_size,
                             (long long)facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
    unsigned long long hash = str_hash(version);
    for (int k = 0; k < MOST; k++) {
        Str path = str_printf(r->arena, STR_FMT "/%016llx-%d.parquet", STR_ARG(folder), hash, k);
        *name = str_z(path, r->arena);
        int copy = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (copy >= 0)
            return copy;
        if (errno != EEXIST)
            break;
    }
    file_failure(str_from(*name), err);
    return -1;
}

static bool write_all(int file, Str bytes)
{
    while (bytes.len) {
        ssize_t n = write(file, bytes.ptr, bytes.len);
        if (n <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return true;
}

/* The same file with another footer. */
static bool copy_with(Render *r, int file, uint64_t data, Str footer, Str *path, Error *err)
{
    char *name;
    uint64_t n = footer.len;
    const char tail[TAIL] = {(char)n, (char)(n >> 8), (char)(n >> 16), (char)(n >> 24),
                             'P', 'A', 'R', '1'};
    int copy = new_copy(r, file, *path, &name, err);
    if (copy < 0)
        return false;
    arena_on_free(r->arena, forget_copy, name);
    bool ok = copy_all(file, copy, data) && write_all(copy, footer) &&
              write_all(copy, (Str){tail, TAIL});
    if (!ok)
        file_failure(str_from(name), err);
    close(copy);
    *path = str_from(name);
    return ok;
}

static bool same_presence(const Presence *x, const Presence *y)
{
    bool same = x->levels == y->levels && x->path.len == y->path.len;
    for (size_t i = 0; same && i < x->path.len; i++)
        same = str_eq(x->path.at[i], y->path.at[i]);
    return same;
}

static void note_presence(Arena *arena, VariantFiles *out, const Presence *p)
{
    for (size_t i = 0; i < out->presences.len; i++)
        if (same_presence(&out->presences.at[i], p))
            return;
    vec_push(arena, &out->presences, *p);
}

/* A footer that cannot be read is left to DuckDB, which will say so; so is a missing file. */
static bool variant_file(Render *r, Str *path, VariantFiles *out, StrVec *shredded, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    VariantFooter f;
    Str footer;
    uint64_t size;
    int file = open(str_z(*path, scratch), O_RDONLY | O_CLOEXEC);
    *shredded = (StrVec){0};
    if (file < 0)
        return true;
    bool ok = true;
    if (read_footer(file, scratch, &footer, &size) && variant_footer_read(footer, r->arena, &f)) {
        *shredded = f.shredded;
        for (size_t i = 0; i < f.presences.len; i++)
            note_presence(r->arena, out, &f.presences.at[i]);
        if (f.marks.len || f.missing.len || f.presences.len)
            ok = copy_with(r, file, size - TAIL - footer.len,
                           variant_footer_change(footer, &f, scratch), path, err);
    }
    close(file);
    return ok;
}

bool variant_files(Render *r, const Str *paths, size_t count, VariantFiles *out, Error *err)
{
    StrVec *shredded = ARENA_ARRAY(r->arena, StrVec, count + 1);
    bool any = false;
    *out = (VariantFiles){.paths = ARENA_ARRAY(r->arena, Str, count + 1)};
    for (size_t i = 0; i < count; i++) {
        out->paths[i] = paths[i];
        if (r->cancel)
            TRY(cancel_check(r->cancel, err));
        if (r->engine)
            TRY(variant_file(r, &out->paths[i], out, &shredded[i], err));
        any |= shredded[i].len > 0;
    }
    out->shredded = any ? shredded : NULL;
    return true;
}

bool variant_is_shredded(const VariantFiles *v, size_t file, Str column)
{
    for (size_t i = 0; v->shredded && i < v->shredded[file].len; i++)
        if (str_eq(v->shredded[file].at[i], column))
            return true;
    return false;
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
            buf_addc(&b, ' ');
            buf_add(&b, variant_read_type(t->structure.fields[i].type, arena));
        }
        buf_addc(&b, ')');
        return buf_str(&b);
    default: return type_duckdb_stored(t, arena);
    }
}

void variant_entries(const VariantFiles *v, Str column, Buf *entries)
{
    for (size_t i = 0; i < v->presences.len; i++) {
        const Presence *p = &v->presences.at[i];
        Buf type = buf_in(entries->arena);
        if (!str_eq(p->path.at[0], column))
            continue;
        for (unsigned k = 1; k < p->levels; k++)
            buf_addz(&type, "STRUCT(p ");
        buf_addz(&type, "BLOB");
        for (unsigned k = 1; k < p->levels; k++)
            buf_addc(&type, ')');
        buf_addz(entries, entries->len ? ", " : "");
        put_text(entries, variant_presence_name(&p->path, p->levels, entries->arena));
        buf_addf(entries, ": {name: 'ls_present%zu', type: '" STR_FMT "', default_value: NULL}", i,
                 STR_ARG(buf_str(&type)));
    }
}

/* "(ls_present0 IS NOT NULL OR ..)": the row has a variant there; empty: that is not known. */
static Str present(const VariantColumn *c, const StrVec *path)
{
    Buf b = buf_in(c->arena);
    for (size_t i = 0; i < c->files->presences.len && path; i++) {
        const Presence *p = &c->files->presences.at[i];
        if (!same_presence(p, &(Presence){.path = *path, .levels = p->levels}))
            continue;
        buf_addf(&b, "%sls_present%zu", b.len ? " OR " : "(", i);
        for (unsigned k = 1; k < p->levels; k++)
            buf_addz(&b, ".p");
        buf_addz(&b, " IS NOT NULL");
    }
    if (!b.len)
        return (Str){0};
    buf_addc(&b, ')');
    return buf_str(&b);
}

/* path: NULL below lists and maps. */
static Str parts_of(const VariantColumn *c, const StrVec *path, Str text, const Type *t);

static Str leaf_parts(const VariantColumn *c, const StrVec *path, Str text)
{
    Buf b = buf_in(c->arena);
    Str there = present(c, path);
    buf_addf(&b, "(CASE WHEN " STR_FMT " THEN (CASE WHEN ", STR_ARG(c->shredded));
    if (there.len)
        buf_add(&b, there);
    else
        buf_addf(&b, STR_FMT " IS NOT NULL", STR_ARG(text));
    buf_addf(&b,
             " THEN CAST(variant_to_parquet_variant(" STR_FMT ") AS " PARTS ") END) WHEN " STR_FMT
             " IS NULL THEN NULL ELSE CAST(" STR_FMT " AS " PARTS ") END)",
             STR_ARG(text), STR_ARG(text), STR_ARG(text));
    return buf_str(&b);
}

static Str struct_parts(const VariantColumn *c, const StrVec *path, Str text, const Type *t)
{
    Arena *a = c->arena;
    Buf b = buf_in(a);
    buf_addf(&b, "(CASE WHEN " STR_FMT " IS NULL THEN NULL ELSE struct_pack(", STR_ARG(text));
    for (size_t i = 0; i < t->structure.count; i++) {
        Buf field = buf_in(a);
        StrVec below = {0};
        for (size_t k = 0; path && k < path->len; k++)
            vec_push(a, &below, path->at[k]);
        vec_push(a, &below, t->structure.fields[i].name);
        buf_addf(&field, "struct_extract(" STR_FMT ", ", STR_ARG(text));
        put_text(&field, type_duckdb_field(t, i, a));
        buf_addc(&field, ')');
        buf_addz(&b, i ? ", " : "");
        put_quoted(&b, type_duckdb_field(t, i, a));
        buf_addz(&b, " := ");
        const Type *type = t->structure.fields[i].type;
        buf_add(&b, parts_of(c, path ? &below : NULL, buf_str(&field), type));
    }
    buf_addz(&b, ") END)");
    return buf_str(&b);
}

static Str parts_of(const VariantColumn *c, const StrVec *path, Str text, const Type *t)
{
    Arena *a = c->arena;
    if (!type_contains(t, TYPE_VARIANT))
        return text;
    if (t->kind == TYPE_STRUCT)
        return struct_parts(c, path, text, t);
    if (t->kind == TYPE_VARIANT)
        return leaf_parts(c, path, text);
    size_t n = (*c->counter)++;
    Str x = str_printf(a, "m%zu", n);
    if (t->kind == TYPE_ARRAY)
        return str_printf(a, "list_transform(" STR_FMT ", lambda m%zu: " STR_FMT ")", STR_ARG(text),
                          n, STR_ARG(parts_of(c, NULL, x, t->array.element)));
    Str value = parts_of(c, NULL, str_concat(a, x, S(".value")), t->map.value);
    return str_printf(a,
                      "map_from_entries(list_transform(map_entries(" STR_FMT "), lambda m%zu: "
                      "struct_pack(key := m%zu.key, value := " STR_FMT ")))",
                      STR_ARG(text), n, n, STR_ARG(value));
}

Str variant_parts(const VariantColumn *c, Str name, Str text, const Type *t)
{
    StrVec path = {0};
    vec_push(c->arena, &path, name);
    return parts_of(c, &path, text, t);
}
