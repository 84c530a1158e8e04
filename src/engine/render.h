/* Rendering a bound plan as DuckDB SQL: state that travels along, and the text forms that are put
 * together. */
#pragma once

#include "engine/engine.h"
#include "engine/resource.h"

/* Text in pieces, so that wrapping a query in another does not copy it. */
typedef struct Rope Rope;
struct Rope {
    Str text; /* a leaf when parts is NULL */
    const Rope **parts;
    size_t count;
    size_t length;
};

/* A SELECT being put together. A part that is empty can still be filled by the relation above. */
typedef struct Block {
    const Rope *with; /* "cte1(c1) AS (..), ..", NULL: none */
    const Rope *from; /* NULL: no FROM */
    Str select;       /* empty: the relation's own columns */
    const Rope *where;
    Str group;
    Str order;
    Str limit;
    bool recursive; /* of with */
} Block;

/* The common tables that are defined around the present relation. */
typedef struct CteScope {
    const BoundRel *cte; /* BREL_CTE */
    const struct CteScope *outer;
} CteScope;

typedef struct ColumnSet ColumnSet;

typedef struct Render {
    FuncContext func;
    Arena *arena;
    Resources *resources; /* NULL: the text is only shown */
    size_t depth;         /* of relations around the present one */
    size_t numbered;      /* names given to row numbers */
    size_t unordered;     /* > 0: inside a subquery, where the order of rows has no meaning */
    Engine *engine;       /* for relations that run a query of their own; NULL: the text is only shown */
    Cancel *cancel;
    bool threads;         /* the rows cost so much that large ranges are to come from all threads */
    const CteScope *ctes;
    const ColumnSet *unused; /* NULL: every column is named */
    struct Marks *marks;  /* site.c; NULL: errors are not being traced */
    const Site *site;     /* of the innermost expression around that has one */
} Render;

enum { RENDER_MAX_DEPTH = 10000 };

/* ---- render_rel.c ---- */

/* A whole query: exactly the visible columns in order, each of its carrier type under the name it
 * has in DuckDB. */
MUST_CHECK bool render_query(Render *r, const BoundRel *rel, Str *sql, Error *err);
/* The same between parentheses for use inside an expression or FROM; every column, hidden ones too.
 */
MUST_CHECK bool render_nested(Render *r, const BoundRel *rel, const Rope **sql, Error *err);
/* Levels of relations and expressions in the plan. */
size_t plan_depth(const BoundRel *rel);

const Rope *rope_text(Arena *arena, Str text);
const Rope *rope_of(Arena *arena, size_t count, const Rope *const *parts);
Str rope_flatten(const Rope *rope, Arena *arena);

/* The column as an expression, through which DuckDB takes neither conditions nor what it knows of a join's keys. */
Str column_apart(Str column, Arena *arena);

/* ---- render_expr.c ---- */

MUST_CHECK bool render_expr(Render *r, const BoundExpr *e, Str *out, Error *err);
/* What a value is grouped and ordered by: itself, or the key of a collated string. */
MUST_CHECK bool render_key(Render *r, const BoundExpr *e, Str *out, Error *err);
/* " ORDER BY a DESC NULLS LAST, .." without the words ORDER BY. */
MUST_CHECK bool render_order(Render *r, const BoundSortVec *order, Str *out, Error *err);
void put_quoted(Buf *b, Str name); /* "a ""b""" */
void put_text(Buf *b, Str text);   /* 'it''s' */

/* ---- site.c ---- */

/* The text with a mark behind it: what raises an error next is at r->site. The same text when nothing is traced. */
Str site_marked(Render *r, const BoundExpr *e, const Site *site, Str text);

/* ---- render_names.c ---- */

typedef enum { FORM_OF_FILES, FORM_TO_FILES } FormChange;

/* The value, taken from a file or put into one, with the field names of `to` at every depth; the same text when
 * nothing differs. A file's shapes are of type_duckdb_stored. counter numbers lambda variables. */
Str change_form(Arena *a, size_t *counter, FormChange change, Str text, const Type *from, const Type *to);

/* ---- render_range.c, render_scan.c, render_file.c ---- */

bool render_range(Render *r, const BoundRel *rel, Block *out); /* always true */
MUST_CHECK bool render_delta(Render *r, const BoundRel *rel, Block *out, Error *err);
/* A count of all rows of a snapshot whose files all say how many they hold: no file is read. */
bool render_counted(Render *r, const BoundRel *aggregate, Block *out);
MUST_CHECK bool render_files(Render *r, const BoundRel *rel, Block *out, Error *err);
/* What a row is taken to need in a Parquet file whose statistics are not known. */
enum { FILE_BYTES_PER_ROW = 40 };
/* read_parquet's list of paths, globs escaped. */
void put_paths(Buf *b, const Str *paths, size_t count);
/* A FROM item over Parquet files. schema: entries as put_schema_entry writes them; rows: how many
 * are expected. */
const Rope *parquet_scan(Render *r, const Str *paths, size_t count, int64_t rows, Str schema);

/* DuckDB 1.5.5 looks for the displayed text of a BLOB in the bloom filters of files, finds it not, and leaves out row groups that have
 * the value (duckdb/duckdb#23053): columns of such types are to be read apart. */
bool misleads_bloom_filter(const Type *type);

/* A value of a file set, as the type it has. */
Str file_value_text(const Value *v, Arena *arena);
void put_file_value(Buf *b, uint64_t number, size_t column, const Type *type);

/* ---- file_fact.c ---- */

typedef struct FileOrigin {
    Str path; /* absolute, not encoded */
    int64_t size, modified_ms;
    bool of_delta;
} FileOrigin;

/* A scan that writes values of its files into a select list. */
typedef struct FactWriter {
    void *self;
    Str *(*add)(void *self, Buf *select, const Type *type); /* room for one more text a file */
    const FileOrigin *files;
    size_t count;
    bool (*row_fact)(void *self, Str name, Buf *select); /* what only this scan knows of a row; false: no such name; NULL: nothing */
} FactWriter;

/* Whether a scan's column tells where rows come from: _metadata, or what input_file_name() and kin stand for. */
bool is_file_fact(const BoundColumn *c);
/* ".. AS c7"; the query below has a column file_index. */
MUST_CHECK bool put_file_fact(const FactWriter *w, const BoundColumn *c, Buf *select, Error *err);

/* ---- python_lift.c, python_source.c ---- */

/* The relation with the Python calls in its expressions computed below it; itself when there are none. */
MUST_CHECK bool python_lift(Render *r, const BoundRel *rel, const BoundRel **out, Error *err);
MUST_CHECK bool render_python(Render *r, const BoundRel *rel, Block *out, Error *err);
/* The plan with the common tables it may refer to around it: to run by itself. */
BoundRel *plan_with_ctes(BoundRel *rel, const CteScope *scope, Arena *arena);

/* ---- script_source.c ---- */

MUST_CHECK bool render_script(Render *r, const BoundRel *rel, Block *out, Error *err);

/* ---- deep_split.c ---- */

/* The relation with deep parts of its expressions computed below it, step by step; itself when there are none. */
const BoundRel *split_deep(Render *r, const BoundRel *rel);

/* ---- unused.c ---- */

/* The columns of scans that nothing in the plan refers to. */
const ColumnSet *unused_columns(const BoundRel *root, Arena *arena);
bool column_is_unused(const Render *r, ColumnId id);

/* ---- local.c ---- */

/* What a row of local data is taken to need. */
enum { LOCAL_BYTES_PER_ROW = 16 };
size_t arrow_bytes(const ArrowData *data);
MUST_CHECK bool render_local(Render *r, const BoundRel *rel, Block *out, Error *err);
