/* Reading the command line. */
#include "server/options.h"

#include <string.h>

#include "base/vec.h"

typedef struct Given {
    Str key, value;
} Given;
typedef VEC(Given) GivenVec;

static bool usage(Error *err, const char *fmt, Str what)
{
    return error_set(err, ERR_LAKESHED_USAGE, P("reason", str_printf(err->arena, fmt, STR_ARG(what))));
}

static bool read_verb(Str word, Verb *out)
{
    static const struct { const char *word; Verb verb; } verbs[] = {
        {"serve", VERB_SERVE}, {"sql", VERB_SQL}, {"help", VERB_HELP}, {"version", VERB_VERSION}};
    for (size_t i = 0; i < LENGTH_OF(verbs); i++)
        if (str_is(word, verbs[i].word)) {
            *out = verbs[i].verb;
            return true;
        }
    return false;
}

/* "--key value", "--key=value", and "--flag" alone. */
static bool read_option(int argc, char **argv, int *i, Arena *arena, GivenVec *out, Error *err)
{
    Str key = str_from(argv[*i] + 2), value = {"", 0};
    ptrdiff_t equals = str_find_char(key, '=');
    bool is_flag = false;
    if (equals >= 0) {
        value = str_slice(key, (size_t)equals + 1, key.len);
        key = str_slice(key, 0, (size_t)equals);
    }
    bool known = settings_has(key, &is_flag) || str_is(key, "config") || str_is(key, "format");
    if (!known)
        return usage(err, "there is no option --" STR_FMT, key);
    if (equals < 0 && is_flag) {
        value = S("true");
    } else if (equals < 0) {
        if (*i + 1 >= argc)
            return usage(err, "--" STR_FMT " needs a value", key);
        value = str_from(argv[++*i]);
    }
    Given one = {key, value};
    vec_push(arena, out, one);
    return true;
}

static Str find_given(const GivenVec *given, const char *key)
{
    for (size_t i = given->len; i-- > 0;)
        if (str_is(given->at[i].key, key))
            return given->at[i].value;
    return (Str){"", 0};
}

static bool apply(const GivenVec *given, Arena *arena, Options *out, Error *err)
{
    Str file = find_given(given, "config");
    settings_defaults(&out->settings);
    if (file.len > 0)
        TRY(settings_load_file(file, &out->settings, arena, err));
    TRY(settings_load_environment(&out->settings, arena, err));
    for (size_t i = 0; i < given->len; i++) {
        Str key = given->at[i].key;
        if (str_is(key, "config") || str_is(key, "format"))
            continue;
        TRY(settings_set(&out->settings, key, given->at[i].value, str_printf(arena, "--" STR_FMT, STR_ARG(key)), arena,
                         err));
    }
    return true;
}

static bool check_format(Options *out, Error *err)
{
    static const char *const formats[] = {"table", "csv", "json", "arrow"};
    for (size_t i = 0; i < LENGTH_OF(formats); i++)
        if (str_is(out->format, formats[i]))
            return true;
    return usage(err, "--format takes table, csv, json or arrow, not " STR_FMT, out->format);
}

bool options_read(int argc, char **argv, Arena *arena, Options *out, Error *err)
{
    GivenVec given = {0};
    bool has_verb = false, has_sql = false;
    *out = (Options){.verb = VERB_HELP, .format = S("table")};
    for (int i = 1; i < argc; i++) {
        Str word = str_from(argv[i]);
        if (str_is(word, "--help") || str_is(word, "-h") || str_is(word, "--version")) {
            out->verb = str_is(word, "--version") ? VERB_VERSION : VERB_HELP;
            return true;
        }
        if (str_starts_with(word, S("--"))) {
            TRY(read_option(argc, argv, &i, arena, &given, err));
        } else if (!has_verb) {
            if (!read_verb(word, &out->verb))
                return usage(err, "there is no command " STR_FMT, word);
            has_verb = true;
        } else if (out->verb == VERB_SQL && !has_sql) {
            out->sql = word;
            has_sql = true;
        } else {
            return usage(err, "nothing is expected where " STR_FMT " stands", word);
        }
    }
    if (out->verb == VERB_SQL && !has_sql)
        return usage(err, "lakeshed sql needs a statement" STR_FMT, (Str){"", 0});
    if (find_given(&given, "format").len > 0)
        out->format = find_given(&given, "format");
    TRY(check_format(out, err));
    return apply(&given, arena, out, err);
}

Str options_help(Arena *arena)
{
    Str settings = settings_help(arena);
    return str_printf(arena,
                      "lakeshed: the clients of a Databricks lakehouse (PySpark, the DeltaTable API) connect to it, unmodified;\n"
                      "its tables are ordinary Delta tables on this machine's disk.\n"
                      "\n"
                      "  lakeshed serve [options]            start the server; stop it with SIGTERM or Ctrl-C\n"
                      "  lakeshed sql \"SELECT ...\" [options]  run one statement on a data folder no server has open\n"
                      "  lakeshed --help | --version\n"
                      "\n"
                      "PySpark:  SPARK_REMOTE=sc://localhost:15002 python job.py\n"
                      "REST:     curl http://localhost:8080/health\n"
                      "\n"
                      "Options (also as key = value in a file given with --config, and as LAKESHED_<KEY> in the\n"
                      "environment, such as LAKESHED_REST_PORT; the command line wins, then the environment;\n"
                      "the default stands in brackets):\n"
                      STR_FMT
                      "  --config                 settings file\n"
                      "  --format                 of `sql`: table, csv, json or arrow (table)\n"
                      "\n"
                      "Not affiliated with Databricks.\n",
                      STR_ARG(settings));
}
