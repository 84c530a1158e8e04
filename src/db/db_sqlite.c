/* SQLite behind db.h. */
#include "db/db.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

struct Db {
    sqlite3 *handle;
    pthread_mutex_t lock; /* guards handle; recursive, so that a transaction's own statements pass */
};

enum { BUSY_TIMEOUT_MS = 10000 };

static bool failed(Db *db, const char *what, Error *err)
{
    const char *path = sqlite3_db_filename(db->handle, "main");
    return error_set(err, ERR_LAKESHED_FILE, PZ("path", path && path[0] ? path : "the metadata database"),
                     P("reason", str_printf(err->arena, "%s (%s)", sqlite3_errmsg(db->handle), what)));
}

static bool run(Db *db, const char *sql, Error *err)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK || failed(db, "exec", err);
}

static bool current_version(Db *db, int *version, Error *err)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db->handle, "SELECT coalesce(max(number), 0) FROM migrations", -1, &s, NULL) != SQLITE_OK)
        return failed(db, "migrations", err);
    bool ok = sqlite3_step(s) == SQLITE_ROW;
    *version = ok ? sqlite3_column_int(s, 0) : 0;
    sqlite3_finalize(s);
    return ok || failed(db, "migrations", err);
}

static bool migrate(Db *db, const Migration *migrations, size_t count, Error *err)
{
    TRY(run(db, "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)", err));
    int version = 0;
    TRY(current_version(db, &version, err));
    if (count && version > migrations[count - 1].number)
        return error_set(err, ERR_LAKESHED_FILE, PZ("path", sqlite3_db_filename(db->handle, "main")),
                         P("reason", str_printf(err->arena, "a newer lakeshed wrote it (schema %d)", version)));
    for (size_t i = 0; i < count; i++) {
        if (migrations[i].number <= version)
            continue;
        char note[64];
        snprintf(note, sizeof note, "INSERT INTO migrations VALUES (%d)", migrations[i].number);
        TRY(run(db, "BEGIN IMMEDIATE", err));
        if (!run(db, migrations[i].sql, err) || !run(db, note, err) || !run(db, "COMMIT", err)) {
            sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
            return false;
        }
    }
    return true;
}

bool db_open(Str path, const Migration *migrations, size_t count, Db **out, Error *err)
{
    Db *db = calloc(1, sizeof *db);
    if (!db)
        panic("out of memory");
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&db->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    char *name = str_z(path, err->arena);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    bool ok = sqlite3_open_v2(name, &db->handle, flags, NULL) == SQLITE_OK || failed(db, name, err);
    if (ok) {
        sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
        ok = run(db, "PRAGMA journal_mode = WAL", err) && run(db, "PRAGMA synchronous = FULL", err) &&
             run(db, "PRAGMA foreign_keys = ON", err) && migrate(db, migrations, count, err);
    }
    if (!ok) {
        db_close(db);
        return false;
    }
    *out = db;
    return true;
}

void db_close(Db *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->handle);
    pthread_mutex_destroy(&db->lock);
    free(db);
}

static bool prepare(Db *db, const char *sql, const DbValue *params, size_t count, sqlite3_stmt **out, Error *err)
{
    if (sqlite3_prepare_v2(db->handle, sql, -1, out, NULL) != SQLITE_OK)
        return failed(db, sql, err);
    for (size_t i = 0; i < count; i++) {
        int at = (int)i + 1, rc = SQLITE_OK;
        if (params[i].kind == DB_TEXT)
            rc = sqlite3_bind_text64(*out, at, params[i].text.ptr ? params[i].text.ptr : "", params[i].text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
        else if (params[i].kind == DB_INT)
            rc = sqlite3_bind_int64(*out, at, params[i].integer);
        if (rc != SQLITE_OK) {
            sqlite3_finalize(*out);
            return failed(db, "bind", err);
        }
    }
    return true;
}

static DbValue read_cell(sqlite3_stmt *s, int i, Arena *arena)
{
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_NULL:
        return (DbValue){.kind = DB_NULL};
    case SQLITE_INTEGER:
        return DB_I(sqlite3_column_int64(s, i));
    default: {
        Str text = {(const char *)sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i)};
        return DB_T(str_copy(text, arena));
    }
    }
}

bool db_query(Db *db, const char *sql, const DbValue *params, size_t count, Arena *arena, DbRowVec *out, Error *err)
{
    pthread_mutex_lock(&db->lock);
    sqlite3_stmt *s;
    bool ok = prepare(db, sql, params, count, &s, err);
    if (ok) {
        int rc;
        while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
            int columns = sqlite3_column_count(s);
            DbRow row = {ARENA_ARRAY(arena, DbValue, (size_t)columns)};
            for (int i = 0; i < columns; i++)
                row.cells[i] = read_cell(s, i, arena);
            vec_push(arena, out, row);
        }
        ok = rc == SQLITE_DONE || failed(db, "step", err);
        sqlite3_finalize(s);
    }
    pthread_mutex_unlock(&db->lock);
    return ok;
}

bool db_change(Db *db, const char *sql, const DbValue *params, size_t count, int *changed, bool *duplicate, Error *err)
{
    if (duplicate)
        *duplicate = false;
    pthread_mutex_lock(&db->lock);
    sqlite3_stmt *s;
    bool ok = prepare(db, sql, params, count, &s, err);
    if (ok) {
        int rc = sqlite3_step(s);
        if (rc == SQLITE_CONSTRAINT && duplicate)
            *duplicate = true;
        else
            ok = rc == SQLITE_DONE || failed(db, "step", err);
        if (changed)
            *changed = rc == SQLITE_DONE ? sqlite3_changes(db->handle) : 0;
        sqlite3_finalize(s);
    }
    pthread_mutex_unlock(&db->lock);
    return ok;
}

bool db_begin(Db *db, Error *err)
{
    pthread_mutex_lock(&db->lock);
    if (run(db, "BEGIN IMMEDIATE", err))
        return true;
    pthread_mutex_unlock(&db->lock);
    return false;
}

bool db_commit(Db *db, Error *err)
{
    bool ok = run(db, "COMMIT", err);
    if (!ok)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&db->lock);
    return ok;
}

void db_rollback(Db *db)
{
    sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&db->lock);
}
