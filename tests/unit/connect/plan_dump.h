/* A decoded plan as one line of text, for comparing in tests. */
#pragma once

#include "plan/plan.h"

Str dump_rel(const Rel *rel, Arena *arena);
Str dump_command(const Command *command, Arena *arena);
