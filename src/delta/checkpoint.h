/* Checkpoints that a command asks for, and history that is to be forgotten sooner. */
#pragma once

#include "delta/snapshot.h"

/* A checkpoint of the newest version, then the clean-up that follows every one. */
MUST_CHECK bool delta_checkpoint(DeltaTable *t, Error *err);
/* Forgets what is older than so many milliseconds, to the minute, as far as a checkpoint stands for it. */
MUST_CHECK bool delta_truncate_history(Snapshot *s, int64_t retention_ms, Error *err);
/* Whether no commit before the version is left, and a checkpoint at or after it is. */
MUST_CHECK bool delta_history_is_gone(Snapshot *s, int64_t version, bool *gone, Error *err);
