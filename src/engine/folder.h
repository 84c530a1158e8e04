/* Folders and files on the local disk: made, made durable, moved, swept away. */
#pragma once

#include "base/error.h"
#include "base/vec.h"

typedef VEC(Str) FolderPaths;

/* LAKESHED_FILE with the system's reason. Always false. */
bool folder_failure(Error *err, Str path);
/* The folder and those above it; *made, when given, collects the ones that were missing, from the
 * top. */
MUST_CHECK bool folder_make(Str path, Arena *arena, FolderPaths *made, Error *err);
/* Everything below and the folder itself; what is missing or stays is passed over. */
void folder_sweep(Str path);
/* fsync of a file or folder. */
MUST_CHECK bool folder_sync(Str path, Error *err);
MUST_CHECK bool folder_rename(Str from, Str to, Error *err);
