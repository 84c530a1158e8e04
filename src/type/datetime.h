/* Dates, times and zones: the proleptic Gregorian calendar, Spark's text forms, the zone database of the system. */
#pragma once

#include "type/type.h"

#define US_PER_DAY INT64_C(86400000000)
#define US_PER_SECOND INT64_C(1000000)

int64_t date_from_civil(int64_t year, unsigned month, unsigned day); /* days since 1970-01-01 */
void date_to_civil(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/* 28..31; month 1..12. */
unsigned date_days_in_month(int64_t year, unsigned month);
/* Rounds towards minus infinity. */
int64_t floor_div(int64_t a, int64_t b);

/* Spark's stringToDate: [+-]y[y...]-m[m]-d[d] with partial forms; white space trimmed. */
bool date_parse(Str text, int64_t *days);
/* Spark's stringToTimestamp. *has_zone tells whether the text named a zone; *zone_us the offset applied. */
bool timestamp_parse(Str text, Str session_zone, int64_t *us);
bool timestamp_ntz_parse(Str text, bool allow_zone, int64_t *us);
bool time_parse(Str text, int64_t *us);

Str date_text(int64_t days, Arena *arena);
Str timestamp_text(int64_t us, Str zone, Arena *arena);  /* "2024-01-01 10:00:00.5" in the zone */
Str timestamp_ntz_text(int64_t us, Arena *arena);
Str time_text(int64_t us, Arena *arena);
/* As the *_text functions, without an arena; the length is returned. The zone may be NULL for UTC. */
enum { DATETIME_TEXT_MAX = 48 };
typedef struct Zone Zone;
size_t date_put(int64_t days, char out[DATETIME_TEXT_MAX]);
size_t timestamp_put(int64_t us, const Zone *zone, char out[DATETIME_TEXT_MAX]);
size_t time_put(int64_t us, char out[DATETIME_TEXT_MAX]);
/* timestamp_parse with a zone already looked up; NULL = UTC. */
bool timestamp_parse_in(Str text, const Zone *session_zone, int64_t *us);

Str interval_ym_text(int64_t months, IntervalUnit from, IntervalUnit to, Arena *arena); /* INTERVAL '1-2' YEAR TO MONTH */
Str interval_dt_text(int64_t us, IntervalUnit from, IntervalUnit to, Arena *arena);

/* "1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds"; "0 seconds" when empty. */
Str interval_calendar_text(int32_t months, int32_t days, int64_t us, Arena *arena);
/* CAST(text AS INTERVAL from TO to): "1-2", "INTERVAL '1-2' YEAR TO MONTH", "3 04:05:06.7", "5". */
bool interval_ym_parse(Str text, IntervalUnit from, IntervalUnit to, int64_t *months);
bool interval_dt_parse(Str text, IntervalUnit from, IntervalUnit to, int64_t *us);
/* "[INTERVAL] 1 year -2 days 3.5 seconds ...": Spark's stringToInterval. */
bool interval_calendar_parse(Str text, int32_t *months, int32_t *days, int64_t *us);

/* Zone names: region ids, "UTC", "GMT+8", "+08:00", "Z". False when unknown. */
bool zone_is_known(Str zone);
/* Offset east of UTC in effect at an instant, in seconds. */
int64_t zone_offset_at(Str zone, int64_t utc_us);
/* Wall clock to instant as java.time does: a gap moves forward, an overlap takes the earlier offset. */
int64_t zone_to_utc(Str zone, int64_t local_us);
/* The zone of a name, for use on many values; NULL when unknown. Lives as long as the process. */
const Zone *zone_find(Str zone);
int64_t zone_offset_of(const Zone *zone, int64_t utc_us); /* seconds east of UTC */
int64_t zone_utc_of(const Zone *zone, int64_t local_us);  /* as zone_to_utc */
/* The zone's name with Spark's spelling kept: "America/Los_Angeles", "+08:00". */
Str zone_name(const Zone *zone);
