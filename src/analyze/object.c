/* Tables, views and schemas as things to describe: names, columns, properties, never rows. */
#include "analyze/analyze_impl.h"

#include <stdlib.h>


/* ---- patterns ---- */

static bool glob(Str pattern, Str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.len && (pattern.ptr[p] == '.' || str_ieq(str_slice(pattern, p, p + 1), str_slice(name, n, n + 1)))) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++resume;
        } else
            return false;
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

bool pattern_matches(Str pattern, Str name)
{
    pattern = str_trim(pattern);
    for (;;) {
        ptrdiff_t bar = str_find_char(pattern, '|');
        if (glob(bar < 0 ? pattern : str_slice(pattern, 0, (size_t)bar), name))
            return true;
        if (bar < 0)
            return false;
        pattern = str_slice(pattern, (size_t)bar + 1, pattern.len);
    }
}

/* ---- schemas ---- */

bool analyze_schema_name(Analyzer *a, const Name *name, SchemaEntry *out, Error *err)
{
    Str catalog = a->space.catalog, schema = a->space.schema;
    bool found = false;
    if (name->len)
        schema = vec_last(name);
    if (name->len == 2)
        catalog = name->at[0];
    if (name->len <= 2)
        TRY(catalog_has_catalog(session_catalog(a->session), catalog, &found, err));
    if (found)
        TRY(catalog_get_schema(session_catalog(a->session), catalog, schema, a->arena, &found, out, err));
    if (found)
        return true;
    Str parts[2] = {catalog, schema};
    Name n = name->len > 2 ? *name : name_of(a->arena, 2, parts);
    return error_set(err, ERR_SCHEMA_NOT_FOUND, P("schemaName", name_quoted(&n, a->arena)));
}

Str search_path_text(Analyzer *a, bool functions)
{
    Str parts[2] = {a->space.catalog, a->space.schema};
    Name here = name_of(a->arena, 2, parts);
    return str_printf(a->arena, "[%s`system`.`session`, " STR_FMT "]", functions ? "`system`.`builtin`, " : "", STR_ARG(name_quoted(&here, a->arena)));
}

/* ---- one object ---- */

/* secret|password|token|access[.]?key|url anywhere, in any case. */
static bool looks_secret(Arena *arena, Str text)
{
    static const char *const WORDS[] = {"secret", "password", "token", "accesskey", "access.key", "url"};
    Str lower = str_lower(text, arena);
    for (size_t i = 0; i < LENGTH_OF(WORDS); i++)
        if (str_find(lower, str_from(WORDS[i])) >= 0)
            return true;
    return false;
}

Str redacted_value(Arena *arena, Str key, Str value)
{
    return looks_secret(arena, key) || looks_secret(arena, value) ? S("*********(redacted)") : value;
}

Str provider_text(const TableEntry *e)
{
    Str written = detail_get(&e->details, "providerText");
    return written.len ? written : e->provider;
}

Str shown_catalog(Str catalog)
{
    return str_is(catalog, "main") ? S("spark_catalog") : catalog;
}

bool object_is_view(const ObjectInfo *o)
{
    return o->resolved.kind == RESOLVED_VIEW || o->resolved.kind == RESOLVED_TEMP_VIEW;
}

Str object_type_text(const Field *f, Arena *arena)
{
    Str declared = field_metadata_get(f, "__CHAR_VARCHAR_TYPE_STRING", arena);
    return declared.len ? declared : type_simple_string(f->type, arena);
}

Str location_uri(Str location, Arena *arena)
{
    return location.len && location.ptr[0] == '/' ? str_concat(arena, S("file:"), location) : location;
}

static int by_key(const void *x, const void *y)
{
    return str_cmp(((const Property *)x)->key, ((const Property *)y)->key);
}

static void push_property(Analyzer *a, PropertyVec *out, Str key, Str value)
{
    Property p = {key, value, false};
    vec_push(a->arena, out, p);
}

static void delta_properties(Analyzer *a, const Snapshot *s, PropertyVec *out)
{
    const Metadata *m = snapshot_metadata(s);
    const Protocol *p = snapshot_protocol(s);
    for (size_t i = 0; i < m->configuration.len; i++)
        push_property(a, out, m->configuration.at[i].key, m->configuration.at[i].value);
    push_property(a, out, S("delta.minReaderVersion"), str_printf(a->arena, "%d", p->min_reader));
    push_property(a, out, S("delta.minWriterVersion"), str_printf(a->arena, "%d", p->min_writer));
    for (size_t i = 0; i < p->writer_features.len; i++)
        push_property(a, out, str_concat(a->arena, S("delta.feature."), p->writer_features.at[i]), S("supported"));
}

static void release_snapshot(void *s)
{
    snapshot_unref(s);
}

static void release_table(void *t)
{
    delta_table_unref(t);
}

/* Delta's own DESCRIBE shows CHAR and VARCHAR as the strings they are stored as. */
static const Type *without_declared(Analyzer *a, const Type *schema)
{
    Field *fields = ARENA_ARRAY(a->arena, Field, schema->structure.count + 1);
    for (size_t i = 0; i < schema->structure.count; i++) {
        fields[i] = schema->structure.fields[i];
        if (field_metadata_get(&fields[i], "__CHAR_VARCHAR_TYPE_STRING", a->arena).len)
            fields[i].metadata = field_metadata_with(fields[i].metadata, "__CHAR_VARCHAR_TYPE_STRING", (Str){0}, a->arena);
    }
    return type_struct(fields, schema->structure.count, a->arena);
}

static bool open_delta(Analyzer *a, ObjectInfo *o, Error *err)
{
    DeltaTable *table;
    bool exists;
    TRY(catalog_delta_table(session_catalog(a->session), o->resolved.entry.location, &table, err));
    arena_on_free(a->arena, release_table, table);
    TRY(delta_table_exists(table, &exists, err));
    if (!exists)
        return error_set(err, ERR_DELTA_MISSING_DELTA_TABLE,
                         P("tableName", o->resolved.kind == RESOLVED_PATH ? str_printf(a->arena, "`" STR_FMT "`", STR_ARG(o->resolved.entry.location))
                                                                          : o->resolved.full_name));
    TRY(snapshot_newest(table, &o->snapshot, err));
    arena_on_free(a->arena, release_snapshot, o->snapshot);
    const Metadata *m = snapshot_metadata(o->snapshot);
    o->schema = without_declared(a, type_char_as_string(snapshot_schema(o->snapshot), a->arena));
    o->comment = m->description;
    for (size_t i = 0; i < m->partition_columns.len; i++)
        vec_push(a->arena, &o->partition_columns, m->partition_columns.at[i]);
    delta_properties(a, o->snapshot, &o->properties);
    return true;
}

/* A table of files may not have a file yet: its recorded schema is the answer. */
static bool columns_of(Analyzer *a, const Name *name, Origin origin, ObjectInfo *o, Error *err)
{
    Rel *rel = rel_new(REL_NAMED_TABLE, NULL, a->arena);
    BoundRel *bound;
    if (o->resolved.kind != RESOLVED_PATH && o->resolved.entry.schema_json.len) {
        TRY(type_from_json(o->resolved.entry.schema_json, a->arena, &o->schema, err));
        o->schema = type_char_as_string(o->schema, a->arena);
        return true;
    }
    rel->table.name = *name;
    rel->origin = origin;
    TRY(analyze_query(a, rel, &bound, err));
    o->schema = brel_schema(bound, a->arena);
    return true;
}

static bool open_other(Analyzer *a, const Name *name, Origin origin, ObjectInfo *o, Error *err)
{
    TRY(columns_of(a, name, origin, o, err));
    if (o->resolved.kind == RESOLVED_TEMP_VIEW)
        return true;
    o->partition_columns = o->resolved.entry.partition_columns;
    o->comment = o->resolved.entry.comment;
    for (size_t i = 0; i < o->resolved.entry.properties.len; i++) {
        const Property *p = &o->resolved.entry.properties.at[i];
        if (!str_istarts_with(p->key, S("option.")))
            push_property(a, &o->properties, p->key, p->value);
    }
    return true;
}

bool analyze_object(Analyzer *a, const Name *name, Origin origin, ObjectInfo *out, Error *err)
{
    *out = (ObjectInfo){0};
    TRY(analyze_table_name(a, name, origin, &out->resolved, err));
    bool delta = !object_is_view(out) && str_is_ci(out->resolved.entry.provider, "delta");
    TRY(delta ? open_delta(a, out, err) : open_other(a, name, origin, out, err));
    if (out->properties.len)
        qsort(out->properties.at, out->properties.len, sizeof(Property), by_key);
    return true;
}

/* ---- lists ---- */

static void list_temporary(Analyzer *a, bool global, bool has_pattern, Str pattern, ListedTableVec *out)
{
    TempViewVec views = {0};
    session_list_temp_views(a->session, global, a->arena, &views);
    for (size_t i = 0; i < views.len; i++) {
        if (has_pattern && !pattern_matches(pattern, views.at[i].name))
            continue;
        ListedTable t = {.name = views.at[i].name, .temporary = true, .global = global, .view = true};
        vec_push(a->arena, out, t);
    }
}

bool analyze_list_tables(Analyzer *a, const Name *schema, bool views_only, bool has_pattern, Str pattern, ListedTableVec *out,
                         Error *err)
{
    TableEntryVec tables = {0};
    if (schema->len && str_is_ci(vec_last(schema), "global_temp"))
        list_temporary(a, true, has_pattern, pattern, out);
    else {
        SchemaEntry e;
        TRY(analyze_schema_name(a, schema, &e, err));
        TRY(catalog_list_tables(session_catalog(a->session), e.catalog, e.name, a->arena, &tables, err));
    }
    for (size_t i = 0; i < tables.len; i++) {
        ListedTable t = {.name = tables.at[i].name, .entry = tables.at[i], .view = tables.at[i].kind == OBJECT_VIEW};
        if ((t.view || !views_only) && (!has_pattern || pattern_matches(pattern, t.name)))
            vec_push(a->arena, out, t);
    }
    list_temporary(a, false, has_pattern, pattern, out);
    return true;
}

/* ---- partitions ---- */

static const Type *partition_schema(Analyzer *a, const ObjectInfo *o, const Type *physical, const Field **logical, Str *names)
{
    Field *fields = ARENA_ARRAY(a->arena, Field, o->partition_columns.len);
    const Type *schema = snapshot_schema(o->snapshot);
    for (size_t i = 0; i < o->partition_columns.len; i++) {
        int at = type_field_index(schema, o->partition_columns.at[i], false);
        logical[i] = at < 0 ? NULL : &schema->structure.fields[at];
        names[i] = at < 0 ? o->partition_columns.at[i] : physical->structure.fields[at].name;
        fields[i] = (Field){o->partition_columns.at[i], logical[i] ? type_char_as_string(logical[i]->type, a->arena) : type_simple(TYPE_STRING),
                            true, {0}};
    }
    return type_struct(fields, o->partition_columns.len, a->arena);
}

bool analyze_partitions(Analyzer *a, const ObjectInfo *o, const Type **schema, RowVec *rows, Error *err)
{
    size_t width = o->partition_columns.len;
    const Field **logical = ARENA_ARRAY(a->arena, const Field *, width + 1);
    Str *names = ARENA_ARRAY(a->arena, Str, width + 1);
    *schema = partition_schema(a, o, snapshot_physical_schema(o->snapshot), logical, names);
    FileList files = {0};
    Map seen = map_in(a->arena);
    snapshot_files(o->snapshot, a->arena, &files);
    for (size_t f = 0; f < files.len; f++) {
        PropertyVec values = {0};
        for (size_t i = 0; i < width; i++) {
            const Property *p = partition_value_of(&files.at[f]->partition_values, names[i]);
            Property null = {names[i], {0}, true};
            vec_push(a->arena, &values, p ? *p : null);
        }
        Str key = partition_folder(&values, a->arena);
        if (map_has(&seen, key))
            continue;
        map_put(&seen, key, rows);
        Row row = {ARENA_ARRAY(a->arena, Value, width)};
        for (size_t i = 0; i < width; i++)
            TRY(partition_value_parse(&values.at[i], (*schema)->structure.fields[i].type, a->func.zone, a->arena, &row.cells[i], err));
        vec_push(a->arena, rows, row);
    }
    return true;
}

/* ---- functions ---- */

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const Str *)x, *(const Str *)y);
}

static void push_names(Str list, bool has_pattern, Str pattern, Arena *arena, StrVec *out)
{
    while (list.len) {
        ptrdiff_t space = str_find_char(list, ' ');
        Str one = space < 0 ? list : str_slice(list, 0, (size_t)space);
        if (one.len && (!has_pattern || pattern_matches(pattern, one)))
            vec_push(arena, out, one);
        list = space < 0 ? (Str){0} : str_slice(list, (size_t)space + 1, list.len);
    }
}

void function_names(bool has_pattern, Str pattern, Arena *arena, StrVec *out)
{
    for (size_t i = 0; i < func_count(); i++) {
        const FuncRow *row = func_at(i);
        if (row->flags & FUNC_HIDDEN)
            continue;
        push_names(str_from(row->name), has_pattern, pattern, arena, out);
        push_names(str_from(row->aliases), has_pattern, pattern, arena, out);
    }
    if (out->len)
        qsort(out->at, out->len, sizeof(Str), by_text);
    size_t kept = 0;
    for (size_t i = 0; i < out->len; i++)
        if (!kept || !str_eq(out->at[kept - 1], out->at[i]))
            out->at[kept++] = out->at[i];
    out->len = kept;
}

Str function_usage(const FuncRow *row, Arena *arena)
{
    Str signature = str_from(row->signature);
    return signature.len ? str_printf(arena, "%s" STR_FMT, row->name, STR_ARG(signature)) : str_printf(arena, "%s(...)", row->name);
}

/* ---- SHOW CREATE TABLE ---- */

static void put_text(Buf *b, Str s)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'' || s.ptr[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, s.ptr[i]);
    }
    buf_addc(b, '\'');
}

/* Spark's own tables tell the collation of every column of strings. */
static Str column_type_text(Analyzer *a, const ObjectInfo *o, const Field *f)
{
    Str declared = field_metadata_get(f, "__CHAR_VARCHAR_TYPE_STRING", a->arena);
    if (declared.len)
        return type_contains(f->type, TYPE_STRING) && f->type->kind != TYPE_STRING ? str_upper(declared, a->arena)
                                                                                  : str_concat(a->arena, str_upper(declared, a->arena), S(" COLLATE UTF8_BINARY"));
    if (!o->snapshot && f->type->kind == TYPE_STRING && !f->type->string.collation.len)
        return S("STRING COLLATE UTF8_BINARY");
    return type_sql(f->type, a->arena);
}

static void put_columns(Analyzer *a, const ObjectInfo *o, bool view, Buf *b)
{
    for (size_t i = 0; i < o->schema->structure.count; i++) {
        const Field *f = &o->schema->structure.fields[i];
        Str def = delta_default_expression(f, a->arena), generated = delta_generation_expression(f, a->arena);
        Str comment = field_metadata_get(f, "comment", a->arena);
        buf_addf(b, "%s\n  " STR_FMT, i ? "," : "", STR_ARG(type_quote_if_needed(f->name, a->arena)));
        if (!view)
            buf_addf(b, " " STR_FMT "%s", STR_ARG(column_type_text(a, o, f)), f->nullable || !o->snapshot ? "" : " NOT NULL");
        if (!view && generated.len)
            buf_addf(b, " GENERATED ALWAYS AS (" STR_FMT ")", STR_ARG(generated));
        if (!view && def.len)
            buf_addf(b, " DEFAULT " STR_FMT, STR_ARG(def));
        if (comment.len) {
            buf_addz(b, " COMMENT ");
            put_text(b, comment);
        }
    }
}

/* Properties a user set, rather than what the protocol says of itself. */
static bool shown_property(const ObjectInfo *o, Str key)
{
    return !o->snapshot || !(str_starts_with(key, S("delta.feature.")) || str_is(key, "delta.minReaderVersion") ||
                             str_is(key, "delta.minWriterVersion") || str_starts_with(key, S("delta.constraints.")));
}

static void put_pairs(Analyzer *a, const PropertyVec *list, const ObjectInfo *o, const char *clause, Str prefix, Buf *b)
{
    bool any = false;
    for (size_t i = 0; i < list->len; i++) {
        Str key = list->at[i].key;
        if (prefix.len ? !str_istarts_with(key, prefix) : !shown_property(o, key))
            continue;
        buf_addf(b, "%s", any ? ",\n  " : clause);
        any = true;
        put_text(b, str_slice(key, prefix.len, key.len));
        buf_addz(b, " = ");
        put_text(b, o->snapshot ? list->at[i].value : redacted_value(a->arena, list->at[i].key, list->at[i].value));
    }
    if (any)
        buf_addz(b, ")\n");
}

static void put_names(Analyzer *a, const StrVec *names, Buf *b)
{
    for (size_t i = 0; i < names->len; i++)
        buf_addf(b, "%s" STR_FMT, i ? ", " : "", STR_ARG(type_quote_if_needed(names->at[i], a->arena)));
}

static void put_comment(const ObjectInfo *o, Buf *b)
{
    if (!o->comment.len)
        return;
    buf_addz(b, "COMMENT ");
    put_text(b, o->comment);
    buf_addc(b, '\n');
}

static void put_collation(const TableEntry *e, Buf *b)
{
    Str collation = detail_get(&e->details, "collation");
    if (collation.len)
        buf_addf(b, "DEFAULT COLLATION " STR_FMT "\n", STR_ARG(collation));
}

static void put_buckets(Analyzer *a, const TableEntry *e, Buf *b)
{
    StrVec buckets = {0}, sorted = {0};
    Str count = detail_get(&e->details, "numBuckets");
    if (!count.len)
        return;
    detail_list(&e->details, "bucketCol", a->arena, &buckets);
    detail_list(&e->details, "sortCol", a->arena, &sorted);
    buf_addz(b, "CLUSTERED BY (");
    put_names(a, &buckets, b);
    buf_addz(b, ")\n");
    if (sorted.len) {
        buf_addz(b, "SORTED BY (");
        put_names(a, &sorted, b);
        buf_addz(b, ")\n");
    }
    buf_addf(b, "INTO " STR_FMT " BUCKETS\n", STR_ARG(count));
}

static Str create_view_text(Analyzer *a, const ObjectInfo *o)
{
    Buf b = buf_in(a->arena);
    const TableEntry *e = &o->resolved.entry;
    Str parts[2] = {o->resolved.entry.schema, o->resolved.entry.name};
    Name n = name_of(a->arena, 2, parts);
    buf_addf(&b, "CREATE VIEW " STR_FMT " (", STR_ARG(name_text(&n, a->arena)));
    put_columns(a, o, true, &b);
    buf_addz(&b, ")\n");
    put_comment(o, &b);
    put_collation(e, &b);
    put_pairs(a, &o->properties, o, "TBLPROPERTIES (\n  ", (Str){0}, &b);
    Str mode = detail_get(&o->resolved.entry.details, "viewSchemaMode");
    if (session_bool(a->session, "spark.sql.legacy.viewSchemaBindingMode", true))
        buf_addf(&b, "WITH SCHEMA " STR_FMT "\n", STR_ARG(mode.len ? mode : S("BINDING")));
    buf_addf(&b, "AS " STR_FMT "\n", STR_ARG(o->resolved.entry.view_sql));
    return buf_str(&b);
}

bool object_create_text(Analyzer *a, const Name *name, const ObjectInfo *o, Str *out, Error *err)
{
    const TableEntry *e = &o->resolved.entry;
    if (o->resolved.kind == RESOLVED_TEMP_VIEW)
        return error_set(err, ERR_EXPECT_PERMANENT_VIEW_NOT_TEMP, P("viewName", name_quoted(name, a->arena)), PZ("operation", "SHOW CREATE TABLE"));
    if (o->resolved.kind == RESOLVED_VIEW) {
        *out = create_view_text(a, o);
        return true;
    }
    if (o->snapshot && session_bool(a->session, "lakeshed.strict", false))
        return error_set(err, ERR_DELTA_OPERATION_NOT_ALLOWED, PZ("operation", "SHOW CREATE TABLE"));
    Buf b = buf_in(a->arena);
    Str parts[3] = {shown_catalog(e->catalog), e->schema, e->name};
    Name full = name_of(a->arena, 3, parts);
    buf_addf(&b, "CREATE TABLE " STR_FMT " (", STR_ARG(o->snapshot ? o->resolved.full_name : name_text(&full, a->arena)));
    put_columns(a, o, false, &b);
    buf_addf(&b, ")\nUSING " STR_FMT "\n", STR_ARG(provider_text(e)));
    put_pairs(a, &e->properties, o, "OPTIONS (\n  ", S("option."), &b);
    if (o->partition_columns.len) {
        buf_addz(&b, "PARTITIONED BY (");
        put_names(a, &o->partition_columns, &b);
        buf_addz(&b, ")\n");
    }
    put_buckets(a, e, &b);
    put_comment(o, &b);
    put_collation(e, &b);
    if (!e->managed && o->resolved.kind == RESOLVED_TABLE) {
        buf_addz(&b, "LOCATION ");
        put_text(&b, location_uri(e->location, a->arena));
        buf_addc(&b, '\n');
    }
    put_pairs(a, &o->properties, o, "TBLPROPERTIES (\n  ", (Str){0}, &b);
    *out = buf_str(&b);
    return true;
}
