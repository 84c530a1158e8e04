/* Row tracking: every row has an id and the version that last wrote it (PROTOCOL.md "Row
 * Tracking"). */
#pragma once

#include "delta/snapshot.h"

#define ROW_TRACKING_DOMAIN "delta.rowTracking"
/* The operation that gives ids to files that have none. */
#define ROW_TRACKING_BACKFILL "ROW TRACKING BACKFILL"
/* The one that takes them away again. */
#define ROW_TRACKING_UNBACKFILL "ROW TRACKING UNBACKFILL"
/* A tag of commits that enable it and change nothing else. */
#define ROW_TRACKING_ENABLEMENT_ONLY "rowTrackingEnablementOnly"
#define ROW_TRACKING_ENABLED "delta.enableRowTracking"
#define ROW_TRACKING_SUSPENDED "delta.rowTrackingSuspended"

/* Where data files keep what does not follow from a row's place in its file. */
typedef struct RowColumns {
    Str id, version;
} RowColumns;

/* Ids are kept by whoever rewrites rows; false where they are at most given. */
bool rows_are_tracked(const Protocol *p, const Metadata *m);
/* The same of a snapshot, with the names of the columns; false too where a name is missing. */
bool snapshot_row_columns(const Snapshot *s, RowColumns *out);
/* A table that has the feature says once how those columns are called; `read` is its metadata
 * until now, NULL: there was no table. */
void metadata_name_row_columns(Metadata *m, const Protocol *p, const Metadata *read, Arena *arena);
/* A copy of another table's metadata gets names of its own. */
void metadata_forget_row_columns(Metadata *m);
/* DELTA_ROW_TRACKING_ILLEGAL_PROPERTY_COMBINATION,
 * DELTA_ADDING_COLUMN_WITH_INTERNAL_NAME_FAILED. */
MUST_CHECK bool metadata_check_row_tracking(const Metadata *m, Error *err);
/* rowIdHighWaterMark of a delta.rowTracking domain's text; -1 when it is not one. */
int64_t row_id_high_of(Str configuration);
