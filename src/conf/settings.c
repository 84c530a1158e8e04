/* Server settings: one table of rows, read from the command line, the environment and a file. */
#include "conf/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_FILE_MAX = 1 << 20 };

typedef enum SettingKind { KIND_TEXT, KIND_INT, KIND_LONG, KIND_BOOL } SettingKind;

typedef struct ServerSetting {
    const char *key;
    SettingKind kind;
    size_t offset;
    const char *value;
    int64_t least, greatest;
    const char *meaning;
} ServerSetting;

static const ServerSetting settings[] = {
#define SERVER_SETTING(key, kind, field, value, least, greatest, meaning) \
    {key, KIND_##kind, offsetof(ServerSettings, field), value, least, greatest, meaning},
#include "conf/server_settings.def"
#undef SERVER_SETTING
};

static const ServerSetting *find_setting(Str key)
{
    for (size_t i = 0; i < LENGTH_OF(settings); i++)
        if (str_is(key, settings[i].key))
            return &settings[i];
    return NULL;
}

bool settings_has(Str key, bool *is_flag)
{
    const ServerSetting *s = find_setting(key);
    *is_flag = s != NULL && s->kind == KIND_BOOL;
    return s != NULL;
}

static bool bad_value(const ServerSetting *s, Str value, Str where, Error *err)
{
    static const char *const wanted[] = {"text", "a whole number", "a whole number", "true or false"};
    Str reason = s->kind == KIND_INT || s->kind == KIND_LONG
                     ? str_printf(err->arena, "%s from %lld to %lld", wanted[s->kind],
                                  (long long)s->least, (long long)s->greatest)
                     : str_from(wanted[s->kind]);
    return error_set(err, ERR_LAKESHED_SETTING_INVALID, P("where", where), PZ("key", s->key), P("value", value),
                     P("reason", reason));
}

bool settings_set(ServerSettings *out, Str key, Str value, Str where, Arena *arena, Error *err)
{
    const ServerSetting *s = find_setting(key);
    if (s == NULL)
        return error_set(err, ERR_LAKESHED_SETTING_UNKNOWN, P("where", where), P("key", key));
    void *field = (char *)out + s->offset;
    int64_t number;
    switch (s->kind) {
    case KIND_TEXT:
        *(Str *)field = str_copy(value, arena);
        return true;
    case KIND_BOOL:
        if (!str_is_ci(value, "true") && !str_is_ci(value, "false"))
            return bad_value(s, value, where, err);
        *(bool *)field = str_is_ci(value, "true");
        return true;
    default:
        if (!str_to_i64(value, &number) || number < s->least || number > s->greatest)
            return bad_value(s, value, where, err);
        if (s->kind == KIND_INT)
            *(int *)field = (int)number;
        else
            *(int64_t *)field = number;
        return true;
    }
}

void settings_defaults(ServerSettings *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < LENGTH_OF(settings); i++) {
        const ServerSetting *s = &settings[i];
        void *field = (char *)out + s->offset;
        int64_t number = 0;
        switch (s->kind) {
        case KIND_TEXT: *(Str *)field = str_from(s->value); break;
        case KIND_BOOL: *(bool *)field = strcmp(s->value, "true") == 0; break;
        case KIND_INT:
            str_to_i64(str_from(s->value), &number);
            *(int *)field = (int)number;
            break;
        case KIND_LONG: str_to_i64(str_from(s->value), (int64_t *)field); break;
        }
    }
}

static bool load_line(ServerSettings *out, Str line, Str path, int number, Arena *arena, Error *err)
{
    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return true;
    Str where = str_printf(arena, STR_FMT ":%d", STR_ARG(path), number);
    ptrdiff_t equals = str_find_char(line, '=');
    if (equals < 0)
        return error_set(err, ERR_LAKESHED_SETTING_LINE, P("where", where), P("line", line));
    Str key = str_trim(str_slice(line, 0, (size_t)equals));
    Str value = str_trim(str_slice(line, (size_t)equals + 1, line.len));
    return settings_set(out, key, value, where, arena, err);
}

bool settings_load_file(Str path, ServerSettings *out, Arena *arena, Error *err)
{
    FILE *f = fopen(str_z(path, arena), "r");
    if (f == NULL)
        return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
    char *text = arena_alloc(arena, SETTINGS_FILE_MAX + 1);
    size_t len = fread(text, 1, SETTINGS_FILE_MAX + 1, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed || len > SETTINGS_FILE_MAX)
        return error_set(err, ERR_LAKESHED_FILE, P("path", path),
                         PZ("reason", failed ? "it cannot be read" : "it is longer than 1 MiB"));
    Str rest = {text, len};
    for (int number = 1; rest.len > 0; number++) {
        ptrdiff_t end = str_find_char(rest, '\n');
        Str line = end < 0 ? rest : str_slice(rest, 0, (size_t)end);
        TRY(load_line(out, line, path, number, arena, err));
        rest = end < 0 ? (Str){rest.ptr, 0} : str_slice(rest, (size_t)end + 1, rest.len);
    }
    return true;
}

bool settings_load_environment(ServerSettings *out, Arena *arena, Error *err)
{
    for (size_t i = 0; i < LENGTH_OF(settings); i++) {
        Str upper = str_upper(str_from(settings[i].key), arena);
        Str name = str_printf(arena, "LAKESHED_" STR_FMT, STR_ARG(str_replace(upper, S("-"), S("_"), arena)));
        const char *value = getenv(str_z(name, arena));
        if (value != NULL)
            TRY(settings_set(out, str_from(settings[i].key), str_from(value), name, arena, err));
    }
    return true;
}

Str settings_help(Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < LENGTH_OF(settings); i++) {
        const ServerSetting *s = &settings[i];
        buf_addf(&b, "  --%-22s %s%s%s%s\n", s->key, s->meaning, s->value[0] ? " (" : "", s->value,
                 s->value[0] ? ")" : "");
    }
    return buf_str(&b);
}
