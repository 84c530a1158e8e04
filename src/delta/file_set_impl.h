/* The files of a snapshot: compact, immutable once published, shared with the snapshots before and
 * after. */
#pragma once

#include "delta/actions.h"

/* Memory that files point into: the text of one log file, or the result of a compaction. Counted
 * references. */
typedef struct LogText LogText;
LogText *log_text_new(void);
void log_text_ref(LogText *t);
void log_text_unref(LogText *t);
Arena *log_text_arena(LogText *t);

typedef struct FileSet FileSet;

FileSet *file_set_new(void);
/* Starts as the same files as `previous`, which stays as it is; costs what changed since the last
 * compaction. */
FileSet *file_set_next(FileSet *previous);
void file_set_ref(FileSet *s);
void file_set_unref(FileSet *s);

/* Keeps a text alive as long as the set (takes its own reference). */
void file_set_hold(FileSet *s, LogText *text);
/* Newest wins: replaces the file of the same (path, vector). */
void file_set_add(FileSet *s, const AddFile *f);
/* Returns the file that went, borrowed; NULL when there was none. */
const AddFile *file_set_remove(FileSet *s, Str path, const DeletionVector *dv);
const AddFile *file_set_find(const FileSet *s, Str path, const DeletionVector *dv);
/* No more changes; gives back memory that only removed files hold. The result replaces s. */
FileSet *file_set_freeze(FileSet *s);

size_t file_set_count(const FileSet *s);
int64_t file_set_bytes(const FileSet *s);
/* Bytes of the texts it keeps alive itself, its base's left out. */
size_t file_set_held(const FileSet *s);

typedef struct FileCursor {
    const FileSet *set;
    size_t next;
} FileCursor;
static inline FileCursor file_set_cursor(const FileSet *s)
{
    return (FileCursor){s, 0};
}
const AddFile *file_set_next_file(FileCursor *c); /* NULL at the end */

/* Equal for paths that name one file: percent-escapes and a "file:" prefix do not matter. */
uint64_t log_path_hash(Str path);
bool log_path_equal(Str a, Str b);
int path_hex_digit(char c); /* -1 for anything else */
uint64_t log_file_hash(Str path, const DeletionVector *dv);
