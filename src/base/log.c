/* Log lines: one write(2) each, so that threads do not mix theirs. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static _Atomic int lowest_level = LOG_INFO;
static const char *const level_names[] = {"DEBUG", "INFO", "WARN", "ERROR"};

void log_set_level(LogLevel level)
{
    atomic_store(&lowest_level, level);
}

/* The real clock on purpose: an operator's log is not part of a replay. */
static size_t put_prefix(char *line, size_t size, const char *level)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    int more = snprintf(line + len, size - len, ".%03ldZ %-5s ", now.tv_nsec / 1000000, level);
    return more > 0 ? len + (size_t)more : len;
}

static void write_line(const char *level, const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES];
    size_t len = put_prefix(line, sizeof line, level);
    int more = vsnprintf(line + len, sizeof line - len - 1, fmt, args);
    if (more > 0) {
        size_t room = sizeof line - len - 2;
        size_t text = (size_t)more < room ? (size_t)more : room;
        /* A line break inside a message would let a client forge a line. */
        for (size_t i = 0; i < text; i++)
            if (line[len + i] == '\n' || line[len + i] == '\r')
                line[len + i] = ' ';
        len += text;
    }
    line[len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}

void log_write(LogLevel level, const char *fmt, ...)
{
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
        return;
    va_list args;
    va_start(args, fmt);
    write_line(level_names[level], fmt, args);
    va_end(args);
}

void panic(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_line("PANIC", fmt, args);
    va_end(args);
    abort();
}
