/* The metadata database: prepared statements over SQLite, one connection behind a mutex. */
#pragma once

#include "base/error.h"
#include "base/vec.h"

typedef struct Db Db;

/* A bound or returned cell. */
typedef struct DbValue {
    enum { DB_NULL, DB_TEXT, DB_INT } kind;
    Str text;
    int64_t integer;
} DbValue;

#define DB_T(str) ((DbValue){.kind = DB_TEXT, .text = (str)})
#define DB_I(i) ((DbValue){.kind = DB_INT, .integer = (i)})

typedef struct DbRow { DbValue *cells; } DbRow;
typedef VEC(DbRow) DbRowVec;

/* A numbered change of the schema; applied once each, in order, inside one transaction. */
typedef struct Migration {
    int number;
    const char *sql;
} Migration;

/* Opens or creates the file in WAL mode with synchronous=FULL: a write is durable before its call returns. */
MUST_CHECK bool db_open(Str path, const Migration *migrations, size_t count, Db **out, Error *err);
void db_close(Db *db);

/* All rows of a query; ? parameters are bound in order. */
MUST_CHECK bool db_query(Db *db, const char *sql, const DbValue *params, size_t count, Arena *arena, DbRowVec *out, Error *err);
/* A change; *changed is the number of rows, NULL when not wanted. *duplicate: a unique key exists already (then true is returned). */
MUST_CHECK bool db_change(Db *db, const char *sql, const DbValue *params, size_t count, int *changed, bool *duplicate, Error *err);

/* Everything between is one transaction and holds the connection: no other thread gets in between. */
MUST_CHECK bool db_begin(Db *db, Error *err);
MUST_CHECK bool db_commit(Db *db, Error *err);
void db_rollback(Db *db);
