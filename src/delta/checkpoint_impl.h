/* Checkpoints: Parquet (or JSON) files that hold the whole state of one version. */
#pragma once

#include "delta/parquet_io.h"
#include "delta/snapshot_impl.h"

/* The reader and writer that were installed; an error when there is none. */
MUST_CHECK bool parquet_io(const ParquetIo **out, Error *err);

/* Writes a classic checkpoint of the snapshot and the hint, then drops expired log files. */
MUST_CHECK bool checkpoint_write(Snapshot *s, Error *err);
/* Commits of which one writes a checkpoint: delta.checkpointInterval, 10 when unset. */
int64_t checkpoint_interval_of(const Metadata *m);
/* Deletes commits and checkpoints that are older than delta.logRetentionDuration and not needed to
 * rebuild what stays. */
MUST_CHECK bool log_clean(Snapshot *s, Error *err);
