/* Parts of schema.c that only the snapshot loader needs. */
#pragma once

#include "delta/schema.h"

/* DELTA_UNSUPPORTED_TYPE_CHANGE_IN_SCHEMA for a recorded change that widening does not know. */
MUST_CHECK bool schema_check_type_changes(const Type *t, Error *err);
