/* A session: settings, current schema, temp views, variables, artifacts; what one client sees between its calls. */
#pragma once

#include <pthread.h>

#include "catalog/catalog.h"
#include "conf/settings.h"
#include "func/func.h"

typedef struct Session Session;

typedef struct TempView {
    Str name;
    Rel *plan;           /* unresolved, in the session's own arena */
    StrVec columns;
    Str sql;             /* the text of CREATE TEMP VIEW, empty for DataFrames */
    Str text;            /* the query's own text, for describing; empty for DataFrames */
    Str space;           /* catalog.schema where it was made */
    Str collation;       /* its default collation, empty: none */
    bool global;
} TempView;

Session *session_new(Str user_id, Str session_id, Catalog *catalog);
/* Settings, current schema, temp views, variables and artifacts as they are now; later changes are apart. */
Session *session_clone(Session *from, Str new_id);
void session_ref(Session *s);
void session_unref(Session *s);

/* Around one query's work: what it read from the session (temp views) stays valid until it leaves. */
void session_enter(Session *s);
void session_leave(Session *s);

/* What this session says of object stores holds for the stores that this thread opens from now on; entering does it too. */
void session_use_stores(Session *s);

Str session_id(const Session *s);
Str session_server_id(const Session *s);   /* the server_side_session_id, stable */
Str session_user(const Session *s);
Catalog *session_catalog(Session *s);

/* Settings: session value, else Spark's default, else *found false. */
/* The text with ${key} replaced by the setting's value, nothing where there is none; ${system:..} and
 * ${env:..} stay, for they would tell about this process (spark.sql.variable.substitute). */
Str session_substitute(Session *s, Str text, Arena *arena);
void session_get(Session *s, Str key, Arena *arena, bool *found, Str *value);
MUST_CHECK bool session_set(Session *s, Str key, Str value, Error *err);   /* CANNOT_MODIFY_STATIC_CONFIG, INVALID_CONF_VALUE */
void session_unset(Session *s, Str key);
/* Whether this key may be set at all: CANNOT_MODIFY_STATIC_CONFIG, CANNOT_MODIFY_CONFIG otherwise. */
MUST_CHECK bool session_may_change(Str key, Error *err);
/* Everything explicitly set, key order. */
void session_all(Session *s, Arena *arena, KeyValueVec *out);
bool session_bool(Session *s, const char *key, bool otherwise);
Str session_zone(Session *s, Arena *arena);

void session_current(Session *s, Arena *arena, Str *catalog, Str *schema);
void session_use(Session *s, Str catalog, Str schema);

/* Temp views: the plan is deep-copied into the session. */
MUST_CHECK bool session_put_temp_view(Session *s, const TempView *view, bool replace, Error *err);
bool session_drop_temp_view(Session *s, Str name, bool global);
/* NULL when absent; valid until the query that asks leaves the session (session_leave). */
const TempView *session_temp_view(Session *s, Str name, bool global);
typedef VEC(TempView) TempViewVec;
void session_list_temp_views(Session *s, bool global, Arena *arena, TempViewVec *out);

/* Artifacts by name ("cache/<hash>", "pyfiles/x.py"): bytes on disk in a folder of the session's own below `folder`,
 * removed with the session. Without a folder uploads are refused. */
void session_keep_artifacts_in(Session *s, Str folder, int64_t max_bytes);
bool session_has_artifact(Session *s, Str name);
MUST_CHECK bool session_put_artifact(Session *s, Str name, Str bytes, Error *err);
MUST_CHECK bool session_get_artifact(Session *s, Str name, Arena *arena, bool *found, Str *bytes, Error *err);

/* An upload in pieces: under its name only once it is finished. INVALID_ARTIFACT_PATH, ARTIFACT_ALREADY_EXISTS. */
typedef struct ArtifactUpload ArtifactUpload;
MUST_CHECK bool artifact_begin(Session *s, Str name, ArtifactUpload **out, Error *err);
MUST_CHECK bool artifact_append(ArtifactUpload *a, Str bytes, Error *err);
/* Frees the upload, whatever the outcome. */
MUST_CHECK bool artifact_finish(ArtifactUpload *a, Error *err);
void artifact_abandon(ArtifactUpload *a);

/* SQL variables (DECLARE). */
typedef struct Variable {
    Str name;
    const Type *type;
    Value value;
    Value initial;   /* what SET VAR .. = DEFAULT goes back to */
} Variable;
MUST_CHECK bool session_put_variable(Session *s, const Variable *v, bool replace, Error *err);
bool session_get_variable(Session *s, Str name, Arena *arena, Variable *out);
bool session_drop_variable(Session *s, Str name);

/* Temporary functions: exactly one of sql (a CREATE FUNCTION statement) and python is set. */
typedef struct SessionFunction {
    Str name;
    Str sql;
    PythonFunction *python;
    bool is_table;
} SessionFunction;
bool session_put_function(Session *s, const SessionFunction *f, bool replace);   /* false: the name is taken */
bool session_get_function(Session *s, Str name, Arena *arena, SessionFunction *out);
bool session_drop_function(Session *s, Str name);
void session_list_functions(Session *s, Arena *arena, StrVec *names);

/* Results kept under an id until they are dropped or the session ends; drop(owner, id), when
 * there is one, then frees what holds the rows. */
void session_keep_result(Session *s, Str id, const Type *schema, void (*drop)(void *owner, Str id), void *owner);
/* *schema is NULL when there is none. */
MUST_CHECK bool session_kept_result(Session *s, Str id, Arena *arena, const Type **schema, Error *err);
void session_drop_result(Session *s, Str id);

/* Full names of the tables and views that the session called cached. An empty name uncaches all. */
void session_cache_name(Session *s, Str name);
void session_uncache_name(Session *s, Str name);
bool session_name_is_cached(Session *s, Str name);

/* The function context of one query in this session; now_us is read from the clock once. */
FuncContext session_func_context(Session *s, Arena *arena);
