/* The face of the Delta kernel: a table is a log, a snapshot is one version of it, a transaction
 * makes the next. */
#pragma once

#include "delta/changes.h"
#include "delta/checkpoint.h"
#include "delta/deletion_vector.h"
#include "delta/feature.h"
#include "delta/feature_trace.h"
#include "delta/iceberg_compat.h"
#include "delta/identity.h"
#include "delta/mapping.h"
#include "delta/partition.h"
#include "delta/row_tracking.h"
#include "delta/schema.h"
#include "delta/snapshot.h"
#include "delta/transaction.h"
#include "delta/vacuum.h"
