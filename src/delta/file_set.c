/* Files by (path, deletion vector): a big immutable base and a small overlay, so that a refresh
 * costs what is new. */
#include "delta/file_set_impl.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "delta/deletion_vector.h"

enum {
    OVERLAY_MIN = 1024,           /* an overlay this small is never folded for its size */
    OVERLAY_MAX_TEXTS = 512,      /* log files an overlay may keep alive */
    TEXT_OVERHEAD = 4096,         /* of a text, whatever it says: its arena's first chunk */
    WASTE_MIN = 64 << 10          /* bytes held for nothing that are not worth a copy */
};

struct LogText {
    atomic_int refs;
    Arena *arena;
};

struct FileSet {
    atomic_int refs;
    FileSet *base;       /* NULL in a base */
    uint64_t *base_gone; /* one bit a file of the base: removed or replaced */
    size_t base_gone_count;
    AddFile *files;
    uint8_t *gone; /* one byte a file of its own; a dead file keeps its place */
    size_t len, cap, gone_count;
    uint32_t *slots;  /* index + 1 into files */
    uint32_t *hashes; /* low half of each file's hash, for growing the slots */
    size_t slot_count;
    LogText **texts;
    size_t text_count, text_cap;
    int64_t bytes; /* of live files, base included */
};

static void *must(void *p)
{
    if (!p)
        panic("out of memory");
    return p;
}

/* ---- texts ---- */

LogText *log_text_new(void)
{
    LogText *t = must(calloc(1, sizeof *t));
    atomic_init(&t->refs, 1);
    t->arena = arena_new();
    return t;
}

void log_text_ref(LogText *t)
{
    atomic_fetch_add(&t->refs, 1);
}

void log_text_unref(LogText *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    arena_free(t->arena);
    free(t);
}

Arena *log_text_arena(LogText *t)
{
    return t->arena;
}

/* Sizes are what a log claims: together they may be more than there are numbers for. */
static int64_t wrapped_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* ---- keys ---- */

int path_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static Str without_scheme(Str path)
{
    if (path.len < 6 || memcmp(path.ptr, "file:/", 6) != 0)
        return path;
    path = str_slice(path, 5, path.len);
    while (path.len > 1 && path.ptr[1] == '/')
        path = str_slice(path, 1, path.len);
    return path;
}

static bool is_plain(Str path)
{
    return !memchr(path.ptr, '%', path.len) && !(path.len >= 6 && !memcmp(path.ptr, "file:/", 6));
}

/* The next decoded byte, -1 at the end. */
static int next_byte(Str path, size_t *at)
{
    if (*at >= path.len)
        return -1;
    if (path.ptr[*at] == '%' && *at + 2 < path.len) {
        int high = path_hex_digit(path.ptr[*at + 1]), low = path_hex_digit(path.ptr[*at + 2]);
        if (high >= 0 && low >= 0) {
            *at += 3;
            return high * 16 + low;
        }
    }
    return (unsigned char)path.ptr[(*at)++];
}

bool log_path_equal(Str a, Str b)
{
    if (str_eq(a, b))
        return true;
    if (is_plain(a) && is_plain(b))
        return false;
    a = without_scheme(a);
    b = without_scheme(b);
    for (size_t i = 0, j = 0;;) {
        int x = next_byte(a, &i), y = next_byte(b, &j);
        if (x != y)
            return false;
        if (x < 0)
            return true;
    }
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    return h;
}

static uint64_t hash_plain(Str s, uint64_t h)
{
    while (s.len >= 8) {
        uint64_t word;
        memcpy(&word, s.ptr, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
        s = (Str){s.ptr + 8, s.len - 8};
    }
    uint64_t tail = 0;
    if (s.len)
        memcpy(&tail, s.ptr, s.len);
    return mix((h ^ tail) * 0x9e3779b97f4a7c15u + s.len);
}

uint64_t log_path_hash(Str path)
{
    if (is_plain(path))
        return hash_plain(path, 0x51ed270b);
    path = without_scheme(path);
    char stack[1024], *decoded = path.len <= sizeof stack ? stack : must(malloc(path.len));
    size_t len = 0;
    int byte;
    for (size_t at = 0; (byte = next_byte(path, &at)) >= 0;)
        decoded[len++] = (char)byte;
    uint64_t h = hash_plain((Str){decoded, len}, 0x51ed270b);
    if (decoded != stack)
        free(decoded);
    return h;
}

uint64_t log_file_hash(Str path, const DeletionVector *dv)
{
    uint64_t h = log_path_hash(path);
    if (dv)
        h = hash_plain(dv->path_or_inline,
                       h ^ (uint64_t)dv->storage << 40 ^ (uint32_t)dv->offset ^ dv->has_offset);
    return h;
}

/* ---- life ---- */

FileSet *file_set_new(void)
{
    FileSet *s = must(calloc(1, sizeof *s));
    atomic_init(&s->refs, 1);
    return s;
}

void file_set_ref(FileSet *s)
{
    atomic_fetch_add(&s->refs, 1);
}

void file_set_unref(FileSet *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (size_t i = 0; i < s->text_count; i++)
        log_text_unref(s->texts[i]);
    file_set_unref(s->base);
    free(s->base_gone);
    free(s->files);
    free(s->gone);
    free(s->slots);
    free(s->hashes);
    free(s->texts);
    free(s);
}

void file_set_hold(FileSet *s, LogText *text)
{
    if (s->text_count == s->text_cap) {
        s->text_cap = s->text_cap ? s->text_cap * 2 : 8;
        s->texts = must(realloc(s->texts, s->text_cap * sizeof *s->texts));
    }
    log_text_ref(text);
    s->texts[s->text_count++] = text;
}

/* ---- the hash table of a set's own files ---- */

static void link_file(FileSet *s, size_t index)
{
    size_t mask = s->slot_count - 1, i = s->hashes[index] & mask;
    while (s->slots[i])
        i = (i + 1) & mask;
    s->slots[i] = (uint32_t)index + 1;
}

static void grow(FileSet *s)
{
    size_t cap = s->cap ? s->cap * 2 : 16;
    if (cap > UINT32_MAX / 4)
        panic("a snapshot of more than %zu files", s->cap);
    s->files = must(realloc(s->files, cap * sizeof *s->files));
    s->gone = must(realloc(s->gone, cap));
    s->hashes = must(realloc(s->hashes, cap * sizeof *s->hashes));
    s->cap = cap;
    free(s->slots);
    s->slot_count = cap * 2;
    s->slots = must(calloc(s->slot_count, sizeof *s->slots));
    for (size_t i = 0; i < s->len; i++)
        link_file(s, i);
}

/* Index of the live or dead entry of this key; SIZE_MAX when there is none. */
static size_t find_own(const FileSet *s, uint64_t hash, Str path, const DeletionVector *dv)
{
    if (!s->slot_count)
        return SIZE_MAX;
    size_t mask = s->slot_count - 1;
    for (size_t i = (uint32_t)hash & mask; s->slots[i]; i = (i + 1) & mask) {
        size_t at = s->slots[i] - 1;
        if (s->hashes[at] == (uint32_t)hash && log_path_equal(s->files[at].path, path) &&
            deletion_vector_equal(s->files[at].dv, dv))
            return at;
    }
    return SIZE_MAX;
}

static bool base_is_gone(const FileSet *s, size_t i)
{
    return s->base_gone[i / 64] >> (i % 64) & 1;
}

static bool base_has(const FileSet *s, size_t i)
{
    return !s->base->gone[i] && !base_is_gone(s, i);
}

FileSet *file_set_next(FileSet *previous)
{
    FileSet *s = file_set_new(), *base = previous->base ? previous->base : previous;
    size_t words = (base->len + 63) / 64;
    s->base = base;
    file_set_ref(base);
    s->base_gone = must(calloc(words ? words : 1, sizeof *s->base_gone));
    s->bytes = previous->bytes;
    if (!previous->base)
        return s;
    if (words)
        memcpy(s->base_gone, previous->base_gone, words * sizeof *s->base_gone);
    s->base_gone_count = previous->base_gone_count;
    for (size_t i = 0; i < previous->text_count; i++)
        file_set_hold(s, previous->texts[i]);
    for (size_t i = 0; i < previous->len; i++) {
        if (previous->gone[i])
            continue;
        if (s->len == s->cap)
            grow(s);
        s->files[s->len] = previous->files[i];
        s->hashes[s->len] = previous->hashes[i];
        s->gone[s->len] = 0;
        link_file(s, s->len++);
    }
    return s;
}

static const AddFile *take_out(FileSet *s, uint64_t hash, Str path, const DeletionVector *dv)
{
    size_t own = find_own(s, hash, path, dv);
    if (own != SIZE_MAX && !s->gone[own]) {
        s->gone[own] = 1;
        s->gone_count++;
        s->bytes = wrapped_sum(s->bytes, -s->files[own].size);
        return &s->files[own];
    }
    size_t below = s->base ? find_own(s->base, hash, path, dv) : SIZE_MAX;
    if (below == SIZE_MAX || !base_has(s, below))
        return NULL;
    s->base_gone[below / 64] |= UINT64_C(1) << (below % 64);
    s->base_gone_count++;
    s->bytes = wrapped_sum(s->bytes, -s->base->files[below].size);
    return &s->base->files[below];
}

const AddFile *file_set_remove(FileSet *s, Str path, const DeletionVector *dv)
{
    return take_out(s, log_file_hash(path, dv), path, dv);
}

void file_set_add(FileSet *s, const AddFile *f)
{
    uint64_t hash = log_file_hash(f->path, f->dv);
    take_out(s, hash, f->path, f->dv);
    size_t at = find_own(s, hash, f->path, f->dv);
    if (at != SIZE_MAX) {
        s->gone_count--;
    } else {
        if (s->len == s->cap)
            grow(s);
        at = s->len++;
        s->hashes[at] = (uint32_t)hash;
        link_file(s, at);
    }
    s->files[at] = *f;
    s->gone[at] = 0;
    s->bytes = wrapped_sum(s->bytes, f->size);
}

const AddFile *file_set_find(const FileSet *s, Str path, const DeletionVector *dv)
{
    uint64_t hash = log_file_hash(path, dv);
    size_t own = find_own(s, hash, path, dv);
    if (own != SIZE_MAX && !s->gone[own])
        return &s->files[own];
    size_t below = s->base ? find_own(s->base, hash, path, dv) : SIZE_MAX;
    return below != SIZE_MAX && base_has(s, below) ? &s->base->files[below] : NULL;
}

/* ---- reading ---- */

size_t file_set_count(const FileSet *s)
{
    size_t own = s->len - s->gone_count;
    return s->base ? own + s->base->len - s->base->gone_count - s->base_gone_count : own;
}

int64_t file_set_bytes(const FileSet *s)
{
    return s->bytes;
}

const AddFile *file_set_next_file(FileCursor *c)
{
    const FileSet *s = c->set, *base = s->base;
    size_t below = base ? base->len : 0;
    for (; c->next < below; c->next++)
        if (base_has(s, c->next))
            return &base->files[c->next++];
    for (; c->next < below + s->len; c->next++)
        if (!s->gone[c->next - below])
            return &s->files[c->next++ - below];
    return NULL;
}

/* ---- folding ---- */

static size_t text_size(const AddFile *f)
{
    return f->path.len + f->stats.len + f->partition_values.len * sizeof(Property) + 64;
}

/* A base of its own, every string copied, so that the log's texts can go. */
static FileSet *fold(FileSet *s)
{
    FileSet *out = file_set_new();
    LogText *text = log_text_new();
    FileCursor cursor = file_set_cursor(s);
    for (const AddFile *f; (f = file_set_next_file(&cursor));) {
        AddFile copy = add_copy(f, text->arena);
        file_set_add(out, &copy);
    }
    file_set_hold(out, text);
    log_text_unref(text);
    file_set_unref(s);
    return out;
}

size_t file_set_held(const FileSet *s)
{
    size_t held = 0;
    for (size_t i = 0; i < s->text_count; i++)
        held += TEXT_OVERHEAD + arena_used(s->texts[i]->arena);
    return held;
}

static bool wastes_memory(const FileSet *s)
{
    size_t held = file_set_held(s), live = 0;
    FileCursor cursor = file_set_cursor(s);
    if (held < WASTE_MIN)
        return false;
    for (const AddFile *f; (f = file_set_next_file(&cursor));)
        live += text_size(f);
    return held > 3 * live;
}

FileSet *file_set_freeze(FileSet *s)
{
    if (s->base) {
        size_t limit = s->base->len / 4 > OVERLAY_MIN ? s->base->len / 4 : OVERLAY_MIN;
        return s->len > limit || s->base_gone_count > limit || s->text_count > OVERLAY_MAX_TEXTS ||
                       file_set_held(s) > file_set_held(s->base) + WASTE_MIN
                   ? fold(s)
                   : s;
    }
    return s->gone_count > s->len / 2 || wastes_memory(s) ? fold(s) : s;
}
