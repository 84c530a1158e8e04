/* What a table feature leaves behind: in the version that is about to lose it, and in older ones. */
#pragma once

#include "delta/snapshot.h"

/* Whether this version still uses a feature that is to be dropped. */
bool feature_is_used(const char *name, Snapshot *s);
/* Whether a commit would use it again. */
bool feature_is_used_by(const char *name, const CommitActions *c);
/* Whether an older version, up to this one, can be read only by who knows the feature: what the log
 * still has of commits and checkpoints is looked at. */
MUST_CHECK bool feature_in_history(const char *name, Snapshot *s, bool *found, Error *err);
