/* The data folder: made when missing, locked for one process, and where other programs find the server's ports. */
#pragma once

#include "base/error.h"

typedef struct DataFolder {
    Str path;        /* absolute */
    int lock_fd;
} DataFolder;

/* LAKESHED_DATA_FOLDER_IN_USE when another process has it. */
MUST_CHECK bool data_folder_open(Str path, Arena *arena, DataFolder *out, Error *err);
/* Removes server.json and gives up the lock. */
void data_folder_close(DataFolder *f);
/* <data>/server.json: {"pid": ..., "host": ..., "port": ..., "rest_port": ...}; written whole or not at all. */
MUST_CHECK bool data_folder_announce(DataFolder *f, Str host, int port, int rest_port, Error *err);
