/* `lakeshed sql`: one statement, its rows on standard output. */
#pragma once

#include "query/query.h"

MUST_CHECK bool sql_shell_run(Session *session, Engine *engine, Str statement, Str format, Error *err);
