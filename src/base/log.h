/* Lines for the operator on stderr. Never secrets, never row values. */
#pragma once

#include "base/attributes.h"

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } LogLevel;

void log_set_level(LogLevel level);
void log_write(LogLevel level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

/* A bug in lakeshed: prints and aborts. */
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
