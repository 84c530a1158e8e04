/* Tables whose files Iceberg could read as they are (PROTOCOL.md "Iceberg Compatibility V1", "V2"). */
#pragma once

#include "delta/snapshot.h"

/* 1, 2, 3; 0: not asked for. */
int iceberg_compat_version(const Metadata *m);
/* What a new table that asks for it is given unless it says otherwise: column mapping, for version 3
 * row tracking. */
void iceberg_compat_complete(Metadata *m, Arena *arena);
/* DELTA_ICEBERG_COMPAT_VIOLATION.* for a table's metadata after a commit; before: until now, NULL
 * when the table is created. */
MUST_CHECK bool iceberg_compat_check(const Metadata *m, const Metadata *before, const Protocol *p,
                                     Error *err);
