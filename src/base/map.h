/* A hash map from strings to pointers in an arena, iterated in insertion order. */
#pragma once

#include "base/str.h"

typedef struct MapEntry {
    Str key;
    void *value;
    uint64_t hash;
    bool removed;
} MapEntry;

typedef struct Map {
    MapEntry *entries; /* in insertion order, removed ones marked */
    uint32_t *slots;   /* index + 1 into entries, 0 = free */
    size_t len;        /* entries in use, removed ones included */
    size_t live;       /* entries present */
    size_t cap;
    size_t slot_count;
    Arena *arena;
    bool ignore_case;  /* keys compared without ASCII case */
} Map;

Map map_in(Arena *arena);
Map map_in_ignoring_case(Arena *arena);
void *map_get(const Map *m, Str key);          /* NULL when absent */
bool map_has(const Map *m, Str key);
void map_put(Map *m, Str key, void *value);    /* the key is borrowed; replaces */
bool map_remove(Map *m, Str key);

/* for (MapEntry *e = map_first(&m); e; e = map_next(&m, e)) */
MapEntry *map_first(const Map *m);
MapEntry *map_next(const Map *m, MapEntry *e);
