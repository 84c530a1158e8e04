/* An arena: memory of one query, freed at once; out of memory aborts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

typedef struct Arena Arena;

Arena *arena_new(void);

/* Runs the on-free hooks in reverse order, then frees everything. NULL is allowed. */
void arena_free(Arena *arena);

/* Zeroed, 16-byte aligned. Never NULL. */
void *arena_alloc(Arena *arena, size_t size);

/* As arena_alloc for count * size; aborts when the product overflows. */
void *arena_array(Arena *arena, size_t count, size_t size);

/* Grows an array in place where it is the newest allocation; otherwise copies. */
void *arena_grow(Arena *arena, void *old, size_t old_size, size_t new_size);

/* Calls release(resource) when the arena is freed. */
void arena_on_free(Arena *arena, void (*release)(void *), void *resource);

/* Bytes handed out so far. */
size_t arena_used(const Arena *arena);

#define ARENA_NEW(arena, T) ((T *)arena_alloc((arena), sizeof(T)))
#define ARENA_ARRAY(arena, T, n) ((T *)arena_array((arena), (n), sizeof(T)))

/* Frees an arena at the end of a block: AUTO_ARENA(a) = arena_new(); */
static inline void arena_auto_free(Arena **arena)
{
    arena_free(*arena);
}
#define AUTO_ARENA __attribute__((cleanup(arena_auto_free))) Arena *
