/* Which files of a table's folder nothing needs any more. */
#pragma once

#include "delta/snapshot.h"

typedef bool (*VacuumVisit)(const StoreEntry *file, void *arg, Error *err);

/* Where VACUUM learns of files: each is handed to visit, whose false stops. A false return is an error. */
typedef bool (*VacuumSource)(Snapshot *s, StoreVisit visit, void *visit_arg, void *source_arg,
                             Error *err);
/* Every file below the table. */
bool vacuum_walk(Snapshot *s, StoreVisit visit, void *visit_arg, void *source_arg, Error *err);
/* VACUUM LITE: what the log says was removed. DELTA_CANNOT_VACUUM_LITE when the log no longer begins
 * at version 0. */
bool vacuum_log(Snapshot *s, StoreVisit visit, void *visit_arg, void *source_arg, Error *err);

/* Calls visit for every file of the source that is older than the instant and that neither the
 * snapshot nor a tombstone of that instant or later names. _delta_log and hidden names are left
 * alone (not _change_data, nor partition folders such as _col=1, nor what killed writers left). Memory: 8 bytes a live file. */
MUST_CHECK bool vacuum_plan(Snapshot *s, int64_t older_than_ms, VacuumSource source,
                            void *source_arg, VacuumVisit visit, void *arg, Error *err);
/* delta.deletedFileRetentionDuration, 7 days when unset. */
int64_t vacuum_retention_ms(const Snapshot *s);
/* Folders below the table that are empty now; removes them, never _delta_log. *count tells how many
 * there were in all. */
MUST_CHECK bool vacuum_empty_folders(Snapshot *s, bool remove, int64_t *removed, int64_t *seen,
                                     Error *err);
