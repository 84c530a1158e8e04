/* The string map: open addressing over an insertion-ordered array of entries. */
#include "base/map.h"

#include <string.h>

#include "base/log.h"

enum { FIRST_SLOTS = 16 };

Map map_in(Arena *arena)
{
    return (Map){.arena = arena};
}

Map map_in_ignoring_case(Arena *arena)
{
    return (Map){.arena = arena, .ignore_case = true};
}

static uint64_t hash_of(const Map *m, Str key)
{
    return m->ignore_case ? str_ihash(key) : str_hash(key);
}

static bool same_key(const Map *m, Str a, Str b)
{
    return m->ignore_case ? str_ieq(a, b) : str_eq(a, b);
}

static MapEntry *find(const Map *m, Str key, uint64_t hash)
{
    if (!m->slot_count)
        return NULL;
    size_t mask = m->slot_count - 1;
    for (size_t i = hash & mask; m->slots[i]; i = (i + 1) & mask) {
        MapEntry *e = &m->entries[m->slots[i] - 1];
        if (e->hash == hash && !e->removed && same_key(m, e->key, key))
            return e;
    }
    return NULL;
}

static void link_entry(Map *m, size_t index)
{
    size_t mask = m->slot_count - 1;
    size_t i = m->entries[index].hash & mask;
    while (m->slots[i])
        i = (i + 1) & mask;
    m->slots[i] = (uint32_t)index + 1;
}

/* Drops removed entries, makes room for one more and rebuilds the slots at half load at most. */
static void rebuild(Map *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->len; i++)
        if (!m->entries[i].removed)
            m->entries[kept++] = m->entries[i];
    m->len = kept;

    size_t slots = m->slot_count ? m->slot_count : FIRST_SLOTS;
    while ((kept + 1) * 2 > slots)
        slots *= 2;
    if (slots > UINT32_MAX / 2)
        panic("map: too many entries");
    if (slots != m->slot_count)
        m->slots = ARENA_ARRAY(m->arena, uint32_t, slots);
    else
        memset(m->slots, 0, slots * sizeof *m->slots);
    m->slot_count = slots;
    if (m->cap < slots / 2) {
        m->entries = arena_grow(m->arena, m->entries, m->cap * sizeof *m->entries,
                                slots / 2 * sizeof *m->entries);
        m->cap = slots / 2;
    }
    for (size_t i = 0; i < kept; i++)
        link_entry(m, i);
}

void *map_get(const Map *m, Str key)
{
    MapEntry *e = find(m, key, m->slot_count ? hash_of(m, key) : 0);
    return e ? e->value : NULL;
}

bool map_has(const Map *m, Str key)
{
    return m->slot_count && find(m, key, hash_of(m, key));
}

void map_put(Map *m, Str key, void *value)
{
    uint64_t hash = hash_of(m, key);
    MapEntry *e = find(m, key, hash);
    if (e) {
        e->value = value;
        return;
    }
    if (m->len == m->cap)
        rebuild(m);
    m->entries[m->len] = (MapEntry){.key = key, .value = value, .hash = hash};
    link_entry(m, m->len++);
    m->live++;
}

bool map_remove(Map *m, Str key)
{
    MapEntry *e = m->slot_count ? find(m, key, hash_of(m, key)) : NULL;
    if (!e)
        return false;
    e->removed = true;
    e->value = NULL;
    m->live--;
    return true;
}

static MapEntry *skip_removed(const Map *m, size_t i)
{
    while (i < m->len && m->entries[i].removed)
        i++;
    return i < m->len ? &m->entries[i] : NULL;
}

MapEntry *map_first(const Map *m)
{
    return skip_removed(m, 0);
}

MapEntry *map_next(const Map *m, MapEntry *e)
{
    return skip_removed(m, (size_t)(e - m->entries) + 1);
}
