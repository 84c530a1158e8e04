/* What a session is made of; for the files of this folder only. */
#pragma once

#include "session/session.h"

typedef struct HeldSetting {
    char *key, *value; /* malloc'ed */
} HeldSetting;

typedef struct HeldVariable {
    Variable variable;
    Arena *arena;      /* holds it */
} HeldVariable;

typedef struct HeldFunction {
    SessionFunction function;
    Arena *arena;      /* holds it */
} HeldFunction;

typedef struct HeldResult {
    Str id, schema;    /* schema: as JSON */
    void (*drop)(void *owner, Str id);
    void *owner;
    Arena *arena;      /* holds this struct too */
    struct HeldResult *next;
} HeldResult;

typedef struct HeldName {
    Str name;
    Arena *arena;      /* holds this struct too */
    struct HeldName *next;
} HeldName;

typedef struct HeldView {
    TempView view;
    Arena *arena;      /* holds the view and this struct */
    struct HeldView *next;
} HeldView;

/* Temp views by name. A dropped view stays until no reader is left that may have seen it. */
typedef struct ViewStore {
    pthread_mutex_t lock; /* guards the rest */
    HeldView *live;
    HeldView *dropped;
    unsigned readers;
} ViewStore;

void view_store_init(ViewStore *v);
void view_store_free(ViewStore *v);
void view_store_enter(ViewStore *v);
void view_store_leave(ViewStore *v);
void view_store_copy(ViewStore *from, ViewStore *to);
/* Process-wide: the views of the schema global_temp. */
ViewStore *view_store_global(void);

struct Session {
    pthread_mutex_t lock; /* guards settings, current_*, variables, functions, results, cached, artifact_bytes */
    unsigned refs;        /* atomic */
    Arena *arena;         /* id, server_id, user, artifact folder: written once */
    Str id, server_id, user;
    Catalog *catalog;
    HeldSetting *settings; /* sorted by key */
    size_t setting_count, setting_cap;
    char *current_catalog, *current_schema;
    HeldVariable *variables;
    size_t variable_count, variable_cap;
    HeldFunction *functions;
    size_t function_count, function_cap;
    HeldResult *results;
    HeldName *cached;
    ViewStore views;
    Str artifact_root;    /* empty: uploads are refused */
    Str artifact_folder;  /* <root>/<server id>, made when first needed */
    int64_t artifact_limit, artifact_bytes;
};

/* The folder of uploaded Python files; empty when there are none. */
Str session_python_files(Session *s, Arena *arena);
void artifacts_remove(Session *s);
void artifacts_copy(Session *from, Session *to);
void *heap_grow(void *array, size_t *cap, size_t size);
void functions_copy(Session *from, Session *to);
void functions_free(Session *s);
void kept_free(Session *s);
