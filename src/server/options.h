/* What the command line says: a verb, its text, and settings. */
#pragma once

#include "conf/settings.h"

typedef enum Verb { VERB_SERVE, VERB_SQL, VERB_HELP, VERB_VERSION } Verb;

typedef struct Options {
    Verb verb;
    Str sql;             /* lakeshed sql "..." */
    Str format;          /* table, csv, json, arrow */
    ServerSettings settings;
} Options;

/* Command line over environment over settings file over defaults. */
MUST_CHECK bool options_read(int argc, char **argv, Arena *arena, Options *out, Error *err);
Str options_help(Arena *arena);
