/* Java's DateTimeFormatter patterns as Spark admits them: compiled once, then formatting and
 * parsing. */
#pragma once

#include "base/buf.h"
#include "type/datetime.h"

typedef struct DatePattern DatePattern;

/* Refuses with INCONSISTENT_BEHAVIOR_CROSS_VERSION.* or INVALID_DATETIME_PATTERN.*. */
MUST_CHECK bool date_pattern_compile(Str pattern, bool parsing, Arena *arena,
                                     const DatePattern **out, Error *err);
/* The instant in the zone as the pattern says; refuses zone names that are not known. */
MUST_CHECK bool date_pattern_format(const DatePattern *p, int64_t us, const Zone *zone, Buf *out,
                                    Error *err);

typedef struct DateParsed {
    int64_t local_us; /* wall clock since 1970-01-01 00:00 */
    bool has_zone;
    const Zone *zone; /* when the text named a region */
    int64_t offset;   /* otherwise seconds east of UTC */
} DateParsed;

/* False with Java's words for what did not fit. */
bool date_pattern_parse(const DatePattern *p, Str text, Arena *arena, DateParsed *out,
                        Str *problem);
/* "Invalid date 'FEBRUARY 30'" and its like; empty when the date exists. */
Str date_problem(int64_t year, int64_t month, int64_t day, Arena *arena);
/* "Invalid value for HourOfDay (valid values 0 - 23): 25". */
Str date_range_problem(const char *field, int64_t low, int64_t high, int64_t value, Arena *arena);
