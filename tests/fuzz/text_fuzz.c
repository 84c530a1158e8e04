/* Hostile texts for the readers at the bottom: types as DDL and JSON, JSON itself, dates, numbers, intervals, the settings
 * file. The first byte chooses; what a reader took, its writer gives back in a form that it takes again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "conf/settings.h"
#include "type/datetime.h"
#include "type/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void read_ddl(Str text, Arena *a)
{
    Error err = error_in(a);
    const Type *type, *again;
    if (!str_is_utf8(text))
        return; /* what arrives was checked */
    if (!type_from_ddl(text, a, &type, &err)) {
        error_message(&err, a);
        return;
    }
    require(type_from_json(type_json(type, a), a, &again, &err) && type_equal(type, again));
}

static void read_type_json(Str text, Arena *a)
{
    Error err = error_in(a);
    const Type *type, *again;
    if (!type_from_json(text, a, &type, &err)) {
        error_message(&err, a);
        return;
    }
    require(type_from_json(type_json(type, a), a, &again, &err) && type_equal(type, again));
}

static void read_json(Str text, Arena *a)
{
    Error err = error_in(a);
    yyjson_val *v;
    if (json_parse(text, S("fuzz"), a, &v, &err))
        require(json_parse(json_text(v, a), S("again"), a, &v, &err));
}

static void read_values(Str text, Arena *a)
{
    for (TypeKind kind = TYPE_BOOLEAN; kind <= TYPE_TIMESTAMP_NTZ; kind++) {
        Error err = error_in(a);
        Value v;
        if (kind == TYPE_DECIMAL || kind == TYPE_CHAR || kind == TYPE_VARCHAR)
            continue;
        if (value_from_text(text, type_simple(kind), S("America/Los_Angeles"), a, &v, &err)) {
            value_to_text(&v, S("America/Los_Angeles"), a);
            value_sql(&v, S("UTC"), a);
            value_duckdb(&v, a);
        } else {
            error_message(&err, a);
        }
    }
    Value v;
    (void)!value_decimal_parse(text, a, &v);
}

static void read_settings(Str text, Arena *a)
{
    Error err = error_in(a);
    const char *folder = getenv("TMPDIR");
    Str path = str_printf(a, "%s/settings-%d.conf", folder ? folder : P_tmpdir, (int)getpid());
    FILE *f = fopen(path.ptr, "wb");
    require(f && fwrite(text.ptr, 1, text.len, f) == text.len && fclose(f) == 0);
    ServerSettings settings;
    settings_defaults(&settings);
    if (!settings_load_file(path, &settings, a, &err))
        error_message(&err, a);
    require(unlink(path.ptr) == 0);
}

static void check_settings(Str text, Arena *a)
{
    ptrdiff_t equals = str_find_char(text, '=');
    Error err = error_in(a);
    if (equals > 0 && !spark_setting_check(str_slice(text, 0, (size_t)equals),
                                           str_slice(text, (size_t)equals + 1, text.len), &err))
        error_message(&err, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(Str, Arena *) = {read_ddl, read_type_json, read_json,
                                                    read_values, read_settings, check_settings};
    AUTO_ARENA(a) = arena_new();
    if (!size)
        return 0;
    readers[data[0] % LENGTH_OF(readers)]((Str){(const char *)data + 1, size - 1}, a);
    return 0;
}
