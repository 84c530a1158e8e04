/* ORC files as rows, and rows as ORC files. */
#pragma once

#include "engine/engine.h"
#include "engine/resource.h"

MUST_CHECK bool orc_infer(Engine *e, const FileScan *scan, bool merge, const RunContext *ctx, Arena *arena, const Type **out, Error *err);
/* As file_source_new. */
MUST_CHECK bool orc_source_new(Engine *e, const FileScan *scan, const FuncContext *func, Cancel *cancel, Arena *arena,
                               RowSource **out, Error *err);
/* As engine_write. */
MUST_CHECK bool orc_write(Engine *e, const BoundRel *rel, const WriteSpec *spec, const RunContext *ctx, Arena *arena,
                          WrittenFileVec *out, Error *err);
