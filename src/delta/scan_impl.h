/* File skipping for one file: what conflict checks ask about files that others added. */
#pragma once

#include "delta/snapshot.h"

bool scan_may_match(Snapshot *snapshot, const BoundExprVec *conjuncts, const ScanColumn *columns,
                    size_t column_count, Str zone, const AddFile *f);
