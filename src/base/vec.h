/* Typed growing arrays in an arena: typedef VEC(int) IntVec; vec_push(arena, &v, 3); v.at[0]. */
#pragma once

#include "base/arena.h"

#define VEC(T)      \
    struct {        \
        T *at;      \
        size_t len; \
        size_t cap; \
    }

#define vec_push(arena, v, item)                                                              \
    do {                                                                                      \
        if ((v)->len == (v)->cap) {                                                           \
            size_t vec_cap_ = (v)->cap ? (v)->cap * 2 : 8;                                    \
            (v)->at = arena_grow((arena), (v)->at, (v)->cap * sizeof(*(v)->at),               \
                                 vec_cap_ * sizeof(*(v)->at));                                \
            (v)->cap = vec_cap_;                                                              \
        }                                                                                     \
        (v)->at[(v)->len++] = (item);                                                         \
    } while (0)

#define vec_last(v) ((v)->at[(v)->len - 1])
