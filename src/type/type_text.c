/* How a type prints: simple string, SQL, DDL, tree, and its DuckDB name. */
#include "type/type_text_impl.h"

#include "base/json.h"
#include "base/map.h"

/* One row a kind that has no parts. */
static const struct {
    const char *simple; /* SQL is its upper case */
    const char *json;
    const char *duckdb;
} kind_names[TYPE_KIND_COUNT] = {
    [TYPE_NULL] = {"void", "void", "INTEGER"},
    [TYPE_BOOLEAN] = {"boolean", "boolean", "BOOLEAN"},
    [TYPE_BYTE] = {"tinyint", "byte", "TINYINT"},
    [TYPE_SHORT] = {"smallint", "short", "SMALLINT"},
    [TYPE_INT] = {"int", "integer", "INTEGER"},
    [TYPE_LONG] = {"bigint", "long", "BIGINT"},
    [TYPE_FLOAT] = {"float", "float", "FLOAT"},
    [TYPE_DOUBLE] = {"double", "double", "DOUBLE"},
    [TYPE_DECIMAL] = {"decimal", "decimal", "DECIMAL"},
    [TYPE_STRING] = {"string", "string", "VARCHAR"},
    [TYPE_CHAR] = {"char", "char", "VARCHAR"},
    [TYPE_VARCHAR] = {"varchar", "varchar", "VARCHAR"},
    [TYPE_BINARY] = {"binary", "binary", "BLOB"},
    [TYPE_DATE] = {"date", "date", "DATE"},
    [TYPE_TIMESTAMP] = {"timestamp", "timestamp", "TIMESTAMP WITH TIME ZONE"},
    [TYPE_TIMESTAMP_NTZ] = {"timestamp_ntz", "timestamp_ntz", "TIMESTAMP"},
    [TYPE_TIME] = {"time", "time", "TIME"},
    [TYPE_INTERVAL_YM] = {"interval", "interval", "INTEGER"},
    [TYPE_INTERVAL_DT] = {"interval", "interval", "BIGINT"},
    [TYPE_INTERVAL_CALENDAR] = {"interval", "interval", "INTERVAL"},
    [TYPE_ARRAY] = {"array", "array", NULL},
    [TYPE_MAP] = {"map", "map", NULL},
    [TYPE_STRUCT] = {"struct", "struct", NULL},
    [TYPE_VARIANT] = {"variant", "variant", "STRUCT(\"value\" BLOB, \"metadata\" BLOB)"},
    [TYPE_GEOMETRY] = {"geometry", "geometry", "STRUCT(\"srid\" INTEGER, \"wkb\" BLOB)"},
    [TYPE_GEOGRAPHY] = {"geography", "geography", "STRUCT(\"srid\" INTEGER, \"wkb\" BLOB)"},
};

static const char *const unit_names[] = {"year", "month", "day", "hour", "minute", "second"};

const char *type_interval_unit(IntervalUnit unit)
{
    return unit_names[unit];
}

/* The parameters of a leaf, after its name. */
static void put_parameters(Buf *b, const Type *t)
{
    switch (t->kind) {
    case TYPE_DECIMAL:
        buf_addf(b, "(%d,%d)", t->decimal.precision, t->decimal.scale);
        break;
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        buf_addf(b, "(%d)", t->text.length);
        break;
    case TYPE_TIME:
        buf_addf(b, "(%d)", t->time.precision);
        break;
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        if (t->geo.srid < 0)
            buf_addz(b, "(any)");
        else
            buf_addf(b, "(%d)", t->geo.srid);
        break;
    case TYPE_STRING:
        if (t->string.collation.len)
            buf_addf(b, " collate " STR_FMT, STR_ARG(t->string.collation));
        break;
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
        buf_addf(b, " %s", unit_names[t->interval.from]);
        if (t->interval.from != t->interval.to)
            buf_addf(b, " to %s", unit_names[t->interval.to]);
        break;
    default:
        break;
    }
}

void type_put_name(Buf *b, const Type *t)
{
    buf_addz(b, kind_names[t->kind].json);
    put_parameters(b, t);
}

/* ---- simple string ---- */

static void put_simple(Buf *b, const Type *t)
{
    switch (t->kind) {
    case TYPE_ARRAY:
        buf_addz(b, "array<");
        put_simple(b, t->array.element);
        buf_addc(b, '>');
        return;
    case TYPE_MAP:
        buf_addz(b, "map<");
        put_simple(b, t->map.key);
        buf_addc(b, ',');
        put_simple(b, t->map.value);
        buf_addc(b, '>');
        return;
    case TYPE_STRUCT:
        buf_addz(b, "struct<");
        for (size_t i = 0; i < t->structure.count; i++) {
            const Field *f = &t->structure.fields[i];
            buf_addf(b, "%s" STR_FMT ":", i ? "," : "", STR_ARG(f->name));
            put_simple(b, f->type);
        }
        buf_addc(b, '>');
        return;
    default:
        buf_addz(b, kind_names[t->kind].simple);
        put_parameters(b, t);
    }
}

Str type_simple_string(const Type *t, Arena *arena)
{
    Buf b = buf_in(arena);
    put_simple(&b, t);
    return buf_str(&b);
}

/* ---- SQL and DDL ---- */

static bool is_plain_identifier(Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

static void put_identifier(Buf *b, Str name)
{
    if (is_plain_identifier(name)) {
        buf_add(b, name);
        return;
    }
    buf_addc(b, '`');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '`')
            buf_addc(b, '`');
        buf_addc(b, name.ptr[i]);
    }
    buf_addc(b, '`');
}

Str type_quote_if_needed(Str name, Arena *arena)
{
    Buf b = buf_in(arena);
    put_identifier(&b, name);
    return buf_str(&b);
}

/* One string of a field's metadata; empty when absent. */
static Str metadata_str(const Field *f, const char *key, Arena *arena)
{
    Error ignored = error_in(arena);
    yyjson_val *v;
    if (!f->metadata.len || !json_parse(f->metadata, S("field metadata"), arena, &v, &ignored))
        return S("");
    return json_get_str(v, key);
}

static void put_comment(Buf *b, const Field *f)
{
    Str comment = metadata_str(f, "comment", b->arena);
    if (!comment.len)
        return;
    buf_addz(b, " COMMENT '");
    for (size_t i = 0; i < comment.len; i++) {
        if (comment.ptr[i] == '\'')
            buf_addc(b, '\\');
        buf_addc(b, comment.ptr[i]);
    }
    buf_addc(b, '\'');
}

static void put_sql(Buf *b, const Type *t)
{
    switch (t->kind) {
    case TYPE_ARRAY:
        buf_addz(b, "ARRAY<");
        put_sql(b, t->array.element);
        buf_addc(b, '>');
        return;
    case TYPE_MAP:
        buf_addz(b, "MAP<");
        put_sql(b, t->map.key);
        buf_addz(b, ", ");
        put_sql(b, t->map.value);
        buf_addc(b, '>');
        return;
    case TYPE_STRUCT:
        buf_addz(b, "STRUCT<");
        for (size_t i = 0; i < t->structure.count; i++) {
            const Field *f = &t->structure.fields[i];
            buf_addz(b, i ? ", " : "");
            put_identifier(b, f->name);
            buf_addz(b, ": ");
            put_sql(b, f->type);
            buf_addz(b, f->nullable ? "" : " NOT NULL");
            put_comment(b, f);
        }
        buf_addc(b, '>');
        return;
    default:
        buf_add(b, str_upper(type_simple_string(t, b->arena), b->arena));
    }
}

Str type_sql(const Type *t, Arena *arena)
{
    Buf b = buf_in(arena);
    put_sql(&b, t);
    return buf_str(&b);
}

Str type_ddl(const Type *structure, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < structure->structure.count; i++) {
        const Field *f = &structure->structure.fields[i];
        Str otherwise = metadata_str(f, "CURRENT_DEFAULT", arena);
        buf_addz(&b, i ? "," : "");
        put_identifier(&b, f->name);
        buf_addc(&b, ' ');
        put_sql(&b, f->type);
        buf_addz(&b, f->nullable ? "" : " NOT NULL");
        if (otherwise.len)
            buf_addf(&b, " DEFAULT " STR_FMT, STR_ARG(otherwise));
        put_comment(&b, f);
    }
    return buf_str(&b);
}

/* ---- printSchema ---- */

typedef struct Tree {
    Buf *b;
    int max_level; /* 0 = all */
} Tree;

static void put_tree(const Tree *tree, const Type *t, int level);

/* Spark's escapeMetaCharacters. */
static const char *tree_escape(char c)
{
    switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\f': return "\\f";
    case '\b': return "\\b";
    case '\v': return "\\v";
    case '\a': return "\\a";
    default: return NULL;
    }
}

static void put_tree_name(Buf *b, Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        const char *escaped = tree_escape(name.ptr[i]);
        if (escaped)
            buf_addz(b, escaped);
        else
            buf_addc(b, name.ptr[i]);
    }
}

static void put_tree_line(const Tree *tree, int level, Str name, const Type *t, const char *flag,
                          bool value)
{
    for (int i = 1; i < level; i++)
        buf_addz(tree->b, " |   ");
    buf_addz(tree->b, " |-- ");
    put_tree_name(tree->b, name);
    buf_addz(tree->b, ": ");
    type_put_name(tree->b, t);
    if (flag)
        buf_addf(tree->b, " (%s = %s)", flag, value ? "true" : "false");
    buf_addc(tree->b, '\n');
    put_tree(tree, t, level + 1);
}

static void put_tree(const Tree *tree, const Type *t, int level)
{
    if (tree->max_level && level > tree->max_level)
        return;
    switch (t->kind) {
    case TYPE_ARRAY:
        put_tree_line(tree, level, S("element"), t->array.element, "containsNull", t->array.nulls);
        break;
    case TYPE_MAP:
        put_tree_line(tree, level, S("key"), t->map.key, NULL, false);
        put_tree_line(tree, level, S("value"), t->map.value, "valueContainsNull", t->map.nulls);
        break;
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++) {
            const Field *f = &t->structure.fields[i];
            put_tree_line(tree, level, f->name, f->type, "nullable", f->nullable);
        }
        break;
    default:
        break;
    }
}

Str type_tree_string(const Type *structure, int max_level, Arena *arena)
{
    Buf b = buf_in(arena);
    put_tree(&(Tree){&b, max_level > 0 ? max_level : 0}, structure, 1);
    return buf_str(&b);
}

/* ---- DuckDB ---- */

/* DuckDB compares field names without case and knows no empty name. */
static bool names_by_position(const Type *structure, Arena *arena)
{
    Map seen = map_in_ignoring_case(arena);
    for (size_t i = 0; i < structure->structure.count; i++) {
        Str name = structure->structure.fields[i].name;
        if (!name.len || str_find_char(name, '\0') >= 0 || !str_is_utf8(name) ||
            map_has(&seen, name))
            return true;
        map_put(&seen, name, NULL);
    }
    return structure->structure.count == 0;
}

Str type_duckdb_field(const Type *structure, size_t i, Arena *arena)
{
    if (names_by_position(structure, arena))
        return str_printf(arena, "_%zu", i);
    return structure->structure.fields[i].name;
}

void duckdb_put_identifier(Buf *b, Str name)
{
    buf_addc(b, '"');
    buf_add(b, str_replace(name, S("\""), S("\"\""), b->arena));
    buf_addc(b, '"');
}

static void put_duckdb(Buf *b, const Type *t, bool stored);

static void put_duckdb_struct(Buf *b, const Type *t, bool stored)
{
    bool by_position = names_by_position(t, b->arena);
    buf_addz(b, "STRUCT(");
    for (size_t i = 0; i < t->structure.count; i++) {
        buf_addz(b, i ? ", " : "");
        if (by_position)
            buf_addf(b, "\"_%zu\"", i);
        else
            duckdb_put_identifier(b, t->structure.fields[i].name);
        buf_addc(b, ' ');
        put_duckdb(b, t->structure.fields[i].type, stored);
    }
    /* DuckDB has no struct without fields: one that is always NULL stands in. */
    buf_addz(b, t->structure.count ? ")" : "\"_0\" INTEGER)");
}

static void put_duckdb(Buf *b, const Type *t, bool stored)
{
    switch (t->kind) {
    case TYPE_DECIMAL:
        /* DuckDB has no zero-digit decimal. */
        buf_addf(b, "DECIMAL(%d,%d)", t->decimal.precision ? t->decimal.precision : 1,
                 t->decimal.scale);
        return;
    case TYPE_ARRAY:
        put_duckdb(b, t->array.element, stored);
        buf_addz(b, "[]");
        return;
    case TYPE_MAP:
        buf_addz(b, "MAP(");
        put_duckdb(b, t->map.key, stored);
        buf_addz(b, ", ");
        put_duckdb(b, t->map.value, stored);
        buf_addc(b, ')');
        return;
    case TYPE_STRUCT:
        put_duckdb_struct(b, t, stored);
        return;
    default:
        buf_addz(b, stored && type_is_geo(t) ? "GEOMETRY" : kind_names[t->kind].duckdb);
    }
}

Str type_duckdb(const Type *t, Arena *arena)
{
    Buf b = buf_in(arena);
    put_duckdb(&b, t, false);
    return buf_str(&b);
}

Str type_duckdb_stored(const Type *t, Arena *arena)
{
    Buf b = buf_in(arena);
    put_duckdb(&b, t, true);
    return buf_str(&b);
}
