/* The arena: a chain of chunks with a bump pointer, chunks doubling up to 1 MiB. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(ptr, len) ASAN_POISON_MEMORY_REGION((ptr), (len))
#define UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION((ptr), (len))
#else
#define POISON(ptr, len) ((void)(ptr), (void)(len))
#define UNPOISON(ptr, len) ((void)(ptr), (void)(len))
#endif

enum { ALIGN = 16, CHUNK_FIRST = 4096, CHUNK_MAX = 1 << 20 };

typedef struct Chunk {
    struct Chunk *next; /* the older one */
    size_t size;        /* bytes after the header */
    size_t used;
    size_t pad;         /* keeps the bytes after it 16-byte aligned */
} Chunk;

typedef struct Hook {
    struct Hook *next;
    void (*release)(void *);
    void *resource;
} Hook;

struct Arena {
    Chunk *chunk;     /* the one being filled */
    Hook *hooks;      /* newest first */
    char *newest;     /* last allocation, for arena_grow */
    size_t next_size; /* size of the next ordinary chunk */
    size_t used;
};

static char *chunk_bytes(Chunk *chunk)
{
    return (char *)(chunk + 1);
}

static size_t round_up(size_t size)
{
    if (size > SIZE_MAX - ALIGN - sizeof(Chunk))
        panic("arena: allocation of %zu bytes", size);
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

Arena *arena_new(void)
{
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        panic("out of memory");
    arena->next_size = CHUNK_FIRST;
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    while (arena->hooks) {
        Hook *hook = arena->hooks;
        arena->hooks = hook->next;
        hook->release(hook->resource);
    }
    for (Chunk *chunk = arena->chunk; chunk;) {
        Chunk *older = chunk->next;
        UNPOISON(chunk_bytes(chunk), chunk->size);
        free(chunk);
        chunk = older;
    }
    free(arena);
}

/* calloc hands out zeroed pages, and the bump pointer never goes back over used bytes. */
static Chunk *chunk_new(size_t size)
{
    Chunk *chunk = calloc(1, sizeof *chunk + size);
    if (!chunk)
        panic("out of memory: %zu bytes", size);
    chunk->size = size;
    POISON(chunk_bytes(chunk), size);
    return chunk;
}

/* A big allocation gets a chunk of its own behind the current one, whose rest stays usable. */
static void *alloc_big(Arena *arena, size_t size)
{
    Chunk *chunk = chunk_new(size);
    chunk->used = size;
    if (arena->chunk) {
        chunk->next = arena->chunk->next;
        arena->chunk->next = chunk;
    } else {
        arena->chunk = chunk;
    }
    return chunk_bytes(chunk);
}

static void *alloc_from_chunk(Arena *arena, size_t size)
{
    Chunk *chunk = arena->chunk;
    if (!chunk || chunk->size - chunk->used < size) {
        Chunk *fresh = chunk_new(arena->next_size);
        fresh->next = chunk;
        arena->chunk = chunk = fresh;
        if (arena->next_size < CHUNK_MAX)
            arena->next_size *= 2;
    }
    char *ptr = chunk_bytes(chunk) + chunk->used;
    chunk->used += size;
    arena->newest = ptr;
    return ptr;
}

void *arena_alloc(Arena *arena, size_t size)
{
    size_t rounded = round_up(size ? size : 1);
    void *ptr = rounded > arena->next_size / 2 ? alloc_big(arena, rounded)
                                               : alloc_from_chunk(arena, rounded);
    arena->used += rounded;
    UNPOISON(ptr, size);
    return ptr;
}

void *arena_array(Arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        panic("arena: array of %zu * %zu bytes", count, size);
    return arena_alloc(arena, total);
}

static bool grow_in_place(Arena *arena, char *old, size_t old_rounded, size_t new_rounded)
{
    Chunk *chunk = arena->chunk;
    if (!old || old != arena->newest || old + old_rounded != chunk_bytes(chunk) + chunk->used)
        return false;
    if (chunk->size - chunk->used < new_rounded - old_rounded)
        return false;
    chunk->used += new_rounded - old_rounded;
    arena->used += new_rounded - old_rounded;
    return true;
}

void *arena_grow(Arena *arena, void *old, size_t old_size, size_t new_size)
{
    if (old && new_size <= old_size)
        return old;
    size_t old_rounded = round_up(old_size ? old_size : 1), new_rounded = round_up(new_size);
    if (grow_in_place(arena, old, old_rounded, new_rounded)) {
        UNPOISON(old, new_size);
        return old;
    }
    void *fresh = arena_alloc(arena, new_size);
    if (old && old_size)
        memcpy(fresh, old, old_size);
    return fresh;
}

void arena_on_free(Arena *arena, void (*release)(void *), void *resource)
{
    Hook *hook = ARENA_NEW(arena, Hook);
    *hook = (Hook){arena->hooks, release, resource};
    arena->hooks = hook;
}

size_t arena_used(const Arena *arena)
{
    return arena->used;
}
