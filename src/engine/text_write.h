/* Writing json, csv and text files as Spark's writers do. */
#pragma once

#include "engine/engine.h"

MUST_CHECK bool text_write(Engine *e, const BoundRel *rel, const WriteSpec *spec,
                           const RunContext *ctx, Arena *arena, WrittenFileVec *out, Error *err);
