/* A session's identity, settings, current schema and variables, safe to use from several threads. */
#include "session/session_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "session/plan_copy.h"
#include "type/datetime.h"

static char *heap_text(Str s)
{
    char *z = malloc(s.len + 1);
    if (z == NULL)
        panic("out of memory");
    if (s.len > 0)
        memcpy(z, s.ptr, s.len);
    z[s.len] = '\0';
    return z;
}

void *heap_grow(void *array, size_t *cap, size_t size)
{
    *cap = *cap == 0 ? 8 : *cap * 2;
    array = realloc(array, *cap * size);
    if (array == NULL)
        panic("out of memory");
    return array;
}

Session *session_new(Str user_id, Str session_id, Catalog *catalog)
{
    Session *s = calloc(1, sizeof *s);
    if (s == NULL)
        panic("out of memory");
    pthread_mutex_init(&s->lock, NULL);
    s->refs = 1;
    s->arena = arena_new();
    s->id = str_copy(session_id, s->arena);
    s->user = str_copy(user_id, s->arena);
    s->server_id = clock_uuid_in(s->arena);
    s->catalog = catalog;
    s->current_catalog = heap_text(str_from(spark_setting(S("spark.sql.defaultCatalog"))->value));
    s->current_schema = heap_text(S("default"));
    view_store_init(&s->views);
    return s;
}

void session_ref(Session *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
}

void session_unref(Session *s)
{
    if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    artifacts_remove(s);
    view_store_free(&s->views);
    for (size_t i = 0; i < s->setting_count; i++) {
        free(s->settings[i].key);
        free(s->settings[i].value);
    }
    free(s->settings);
    for (size_t i = 0; i < s->variable_count; i++)
        arena_free(s->variables[i].arena);
    free(s->variables);
    functions_free(s);
    kept_free(s);
    free(s->current_catalog);
    free(s->current_schema);
    pthread_mutex_destroy(&s->lock);
    arena_free(s->arena);
    free(s);
}

Str session_id(const Session *s)
{
    return s->id;
}

Str session_server_id(const Session *s)
{
    return s->server_id;
}

Str session_user(const Session *s)
{
    return s->user;
}

Catalog *session_catalog(Session *s)
{
    return s->catalog;
}

void session_use_stores(Session *s)
{
    AUTO_ARENA arena = arena_new();
    KeyValueVec all = {0};
    VEC(StoreSetting) settings = {0};
    session_all(s, arena, &all);
    for (size_t i = 0; i < all.len; i++)
        if (store_is_setting(all.at[i].key))
            vec_push(arena, &settings, ((StoreSetting){all.at[i].key, all.at[i].value}));
    store_use_settings(settings.at, settings.len);
}

void session_enter(Session *s)
{
    session_use_stores(s);
    view_store_enter(&s->views);
    view_store_enter(view_store_global());
}

void session_leave(Session *s)
{
    view_store_leave(&s->views);
    view_store_leave(view_store_global());
}

/* ---- settings ---- */

/* The place of a key in the sorted array; *found tells whether it is there. */
static size_t setting_index(const Session *s, Str key, bool *found)
{
    size_t low = 0, high = s->setting_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(str_from(s->settings[middle].key), key);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static void put_setting(Session *s, Str key, Str value)
{
    bool found;
    size_t i = setting_index(s, key, &found);
    if (found) {
        free(s->settings[i].value);
        s->settings[i].value = heap_text(value);
        return;
    }
    if (s->setting_count == s->setting_cap)
        s->settings = heap_grow(s->settings, &s->setting_cap, sizeof *s->settings);
    memmove(&s->settings[i + 1], &s->settings[i], (s->setting_count - i) * sizeof *s->settings);
    s->settings[i] = (HeldSetting){heap_text(key), heap_text(value)};
    s->setting_count++;
}

void session_get(Session *s, Str key, Arena *arena, bool *found, Str *value)
{
    pthread_mutex_lock(&s->lock);
    size_t i = setting_index(s, key, found);
    if (*found)
        *value = str_copy(str_from(s->settings[i].value), arena);
    pthread_mutex_unlock(&s->lock);
    if (*found)
        return;
    const SparkSetting *setting = spark_setting(key);
    *found = setting != NULL && setting->value != NULL;
    *value = *found ? str_from(setting->value) : (Str){0};
}

static Str quoted_key(Str key, Arena *arena)
{
    return str_printf(arena, "\"" STR_FMT "\"", STR_ARG(key));
}

bool session_may_change(Str key, Error *err)
{
    const SparkSetting *setting = spark_setting(key);
    if (setting != NULL && (setting->flags & SETTING_STATIC))
        return error_set(err, ERR_CANNOT_MODIFY_STATIC_CONFIG, P("key", quoted_key(key, err->arena)));
    if (setting == NULL && spark_setting_is_core(key))
        return error_set(err, ERR_CANNOT_MODIFY_CONFIG, P("key", quoted_key(key, err->arena)),
                         PZ("docroot", "https://spark.apache.org/docs/latest"));
    return true;
}

enum { SETTINGS_PER_SESSION = 100000 };

bool session_set(Session *s, Str key, Str value, Error *err)
{
    TRY(session_may_change(key, err));
    TRY(spark_setting_check(key, value, err));
    if (str_is(key, "spark.sql.session.timeZone") && !zone_is_known(value))
        return error_set(err, ERR_INVALID_CONF_VALUE__TIME_ZONE, P("confName", key), P("confValue", value));
    pthread_mutex_lock(&s->lock);
    bool room = s->setting_count < SETTINGS_PER_SESSION;
    if (room)
        put_setting(s, key, value);
    pthread_mutex_unlock(&s->lock);
    return room || error_unsupported(err, "more than %d settings in one session", SETTINGS_PER_SESSION);
}

void session_unset(Session *s, Str key)
{
    bool found;
    pthread_mutex_lock(&s->lock);
    size_t i = setting_index(s, key, &found);
    if (found) {
        free(s->settings[i].key);
        free(s->settings[i].value);
        s->setting_count--;
        memmove(&s->settings[i], &s->settings[i + 1], (s->setting_count - i) * sizeof *s->settings);
    }
    pthread_mutex_unlock(&s->lock);
}

void session_all(Session *s, Arena *arena, KeyValueVec *out)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->setting_count; i++) {
        KeyValue one = {str_copy(str_from(s->settings[i].key), arena), str_copy(str_from(s->settings[i].value), arena),
                        NULL};
        vec_push(arena, out, one);
    }
    pthread_mutex_unlock(&s->lock);
}

bool session_bool(Session *s, const char *key, bool otherwise)
{
    bool found, truth = otherwise;
    pthread_mutex_lock(&s->lock);
    size_t i = setting_index(s, str_from(key), &found);
    if (found)
        truth = str_is_ci(str_trim(str_from(s->settings[i].value)), "true");
    pthread_mutex_unlock(&s->lock);
    if (found)
        return truth;
    const SparkSetting *setting = spark_setting(str_from(key));
    return setting == NULL || setting->value == NULL ? otherwise : str_is(str_from(setting->value), "true");
}

Str session_zone(Session *s, Arena *arena)
{
    bool found;
    Str zone;
    session_get(s, S("spark.sql.session.timeZone"), arena, &found, &zone);
    return found ? zone : S("UTC");
}

/* ---- current catalog and schema ---- */

void session_current(Session *s, Arena *arena, Str *catalog, Str *schema)
{
    pthread_mutex_lock(&s->lock);
    *catalog = str_copy(str_from(s->current_catalog), arena);
    *schema = str_copy(str_from(s->current_schema), arena);
    pthread_mutex_unlock(&s->lock);
}

void session_use(Session *s, Str catalog, Str schema)
{
    pthread_mutex_lock(&s->lock);
    free(s->current_catalog);
    free(s->current_schema);
    s->current_catalog = heap_text(catalog);
    s->current_schema = heap_text(schema);
    pthread_mutex_unlock(&s->lock);
}

/* ---- variables ---- */

static HeldVariable *find_variable(Session *s, Str name)
{
    for (size_t i = 0; i < s->variable_count; i++)
        if (str_ieq(s->variables[i].variable.name, name))
            return &s->variables[i];
    return NULL;
}

static HeldVariable hold_variable(const Variable *v)
{
    HeldVariable held = {.arena = arena_new()};
    held.variable.name = str_copy(v->name, held.arena);
    held.variable.type = v->type == NULL ? NULL : type_copy(v->type, held.arena);
    held.variable.value = plan_copy_value(&v->value, held.arena);
    held.variable.initial = plan_copy_value(&v->initial, held.arena);
    return held;
}

bool session_put_variable(Session *s, const Variable *v, bool replace, Error *err)
{
    HeldVariable held = hold_variable(v);
    pthread_mutex_lock(&s->lock);
    HeldVariable *old = find_variable(s, v->name);
    if (old != NULL && !replace) {
        pthread_mutex_unlock(&s->lock);
        arena_free(held.arena);
        return error_set(err, ERR_VARIABLE_ALREADY_EXISTS,
                         P("variableName", str_printf(err->arena, "`system`.`session`.`" STR_FMT "`", STR_ARG(v->name))));
    }
    if (old != NULL) {
        arena_free(old->arena);
        *old = held;
    } else {
        if (s->variable_count == s->variable_cap)
            s->variables = heap_grow(s->variables, &s->variable_cap, sizeof *s->variables);
        s->variables[s->variable_count++] = held;
    }
    pthread_mutex_unlock(&s->lock);
    return true;
}

bool session_get_variable(Session *s, Str name, Arena *arena, Variable *out)
{
    pthread_mutex_lock(&s->lock);
    HeldVariable *held = find_variable(s, name);
    if (held != NULL) {
        out->name = str_copy(held->variable.name, arena);
        out->type = held->variable.type == NULL ? NULL : type_copy(held->variable.type, arena);
        out->value = plan_copy_value(&held->variable.value, arena);
        out->initial = plan_copy_value(&held->variable.initial, arena);
    }
    pthread_mutex_unlock(&s->lock);
    return held != NULL;
}

bool session_drop_variable(Session *s, Str name)
{
    pthread_mutex_lock(&s->lock);
    HeldVariable *held = find_variable(s, name);
    if (held != NULL) {
        arena_free(held->arena);
        *held = s->variables[--s->variable_count];
    }
    pthread_mutex_unlock(&s->lock);
    return held != NULL;
}

/* ---- copies and contexts ---- */

Session *session_clone(Session *from, Str new_id)
{
    Session *to = session_new(from->user, new_id, from->catalog);
    pthread_mutex_lock(&from->lock);
    for (size_t i = 0; i < from->setting_count; i++)
        put_setting(to, str_from(from->settings[i].key), str_from(from->settings[i].value));
    for (size_t i = 0; i < from->variable_count; i++) {
        if (to->variable_count == to->variable_cap)
            to->variables = heap_grow(to->variables, &to->variable_cap, sizeof *to->variables);
        to->variables[to->variable_count++] = hold_variable(&from->variables[i].variable);
    }
    char *catalog = heap_text(str_from(from->current_catalog)), *schema = heap_text(str_from(from->current_schema));
    pthread_mutex_unlock(&from->lock);
    free(to->current_catalog);
    free(to->current_schema);
    to->current_catalog = catalog;
    to->current_schema = schema;
    functions_copy(from, to);
    view_store_copy(&from->views, &to->views);
    if (from->artifact_root.len > 0) {
        session_keep_artifacts_in(to, from->artifact_root, from->artifact_limit);
        artifacts_copy(from, to);
    }
    return to;
}

typedef struct SettingReader {
    Session *session;
    Arena *arena;
} SettingReader;

static bool read_setting(void *self, const char *key, Str *out)
{
    SettingReader *r = self;
    bool found;
    session_get(r->session, str_from(key), r->arena, &found, out);
    return found;
}

FuncContext session_func_context(Session *s, Arena *arena)
{
    SettingReader *reader = ARENA_NEW(arena, SettingReader);
    *reader = (SettingReader){s, arena};
    FuncContext ctx = {
        .ansi = session_bool(s, "spark.sql.ansi.enabled", true),
        .zone = session_zone(s, arena),
        .current_user = s->user,
        .session = s->server_id,
        .python_files = session_python_files(s, arena),
        .now_us = clock_now_us(),
        .case_sensitive = session_bool(s, "spark.sql.caseSensitive", false),
        .setting = read_setting,
        .self = reader,
        .arena = arena,
    };
    session_current(s, arena, &ctx.current_catalog, &ctx.current_schema);
    return ctx;
}
