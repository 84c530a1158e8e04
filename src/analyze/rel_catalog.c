/* spark.catalog's questions, answered with the columns that pyspark reads by position. */
#include "analyze/analyze_impl.h"

typedef struct Answer {
    Analyzer *a;
    VEC(Field) fields;
    RowVec rows;
} Answer;

static void column(Answer *t, const char *name, const Type *type, bool nullable)
{
    Field f = {str_from(name), type, nullable, {0}};
    vec_push(t->a->arena, &t->fields, f);
}

static Value *row(Answer *t)
{
    Row r = {ARENA_ARRAY(t->a->arena, Value, t->fields.len)};
    for (size_t i = 0; i < t->fields.len; i++)
        r.cells[i] = value_null(t->fields.at[i].type);
    vec_push(t->a->arena, &t->rows, r);
    return r.cells;
}

static bool finish(Answer *t, BoundRel **out)
{
    *out = rel_of_values(t->a, type_struct(t->fields.at, t->fields.len, t->a->arena), &t->rows);
    return true;
}

static void set_text(Value *cell, Str text)
{
    if (text.len)
        *cell = value_string(text);
}

static Value namespace_value(Analyzer *a, const Type *type, Str schema)
{
    Value v = value_null(type);
    v.is_null = false;
    v.list.items = ARENA_NEW(a->arena, Value);
    v.list.count = schema.len ? 1 : 0;
    v.list.items[0] = value_string(schema);
    return v;
}

static bool answer_text(Analyzer *a, Str text, BoundRel **out)
{
    Answer t = {.a = a};
    column(&t, "value", type_simple(TYPE_STRING), true);
    *row(&t) = value_string(text);
    return finish(&t, out);
}

static bool answer_bool(Analyzer *a, bool value, BoundRel **out)
{
    Answer t = {.a = a};
    column(&t, "value", type_simple(TYPE_BOOLEAN), false);
    *row(&t) = value_bool(value);
    return finish(&t, out);
}

/* ---- arguments ---- */

static Str argument(const Rel *rel, const char *key)
{
    return key_value_get(&rel->catalog.args, key);
}

static bool parse_name(Analyzer *a, Str text, Name *out, Error *err)
{
    SqlOptions options = session_sql_options(a->session, a->arena);
    *out = (Name){0};
    return !text.len || sql_parse_name(text, &options, a->arena, out, err);
}

/* The old form tableExists("t", "db") takes the table's name as it is. */
static bool table_argument(Analyzer *a, const Rel *rel, Name *out, Error *err)
{
    Str db = argument(rel, "db_name");
    if (!db.len)
        return parse_name(a, argument(rel, "table_name"), out, err);
    TRY(parse_name(a, db, out, err));
    vec_push(a->arena, out, argument(rel, "table_name"));
    return true;
}

static bool is_pattern_given(const Rel *rel)
{
    return key_value_has(&rel->catalog.args, "pattern");
}

/* An absence is an answer; any other error stays one. */
static bool absent(Error *err)
{
    if (err->cls != ERR_TABLE_OR_VIEW_NOT_FOUND && err->cls != ERR_SCHEMA_NOT_FOUND && err->cls != ERR_CATALOG_NOT_FOUND &&
        err->cls != ERR_REQUIRES_SINGLE_PART_NAMESPACE)
        return false;
    error_clear(err);
    return true;
}

/* ---- catalogs and databases ---- */

static bool current_database(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    (void)rel;
    (void)err;
    return answer_text(a, a->space.schema, out);
}

static bool current_catalog(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    (void)rel;
    (void)err;
    return answer_text(a, a->space.catalog, out);
}

static bool list_catalogs(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    CatalogEntryVec list = {0};
    column(&t, "name", type_simple(TYPE_STRING), true);
    column(&t, "description", type_simple(TYPE_STRING), true);
    TRY(catalog_list_catalogs(session_catalog(a->session), a->arena, &list, err));
    for (size_t i = 0; i < list.len; i++) {
        if (is_pattern_given(rel) && !pattern_matches(argument(rel, "pattern"), list.at[i].name))
            continue;
        Value *r = row(&t);
        set_text(&r[0], list.at[i].name);
        set_text(&r[1], list.at[i].comment);
    }
    return finish(&t, out);
}

static void database_columns(Answer *t)
{
    static const char *const NAMES[] = {"name", "catalog", "description", "locationUri"};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        column(t, NAMES[i], type_simple(TYPE_STRING), true);
}

static void database_row(Answer *t, const SchemaEntry *e)
{
    Value *r = row(t);
    set_text(&r[0], e->name);
    set_text(&r[1], e->catalog);
    set_text(&r[2], e->comment);
    set_text(&r[3], location_uri(e->location, t->a->arena));
}

static bool list_databases(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    SchemaEntryVec list = {0};
    database_columns(&t);
    TRY(catalog_list_schemas(session_catalog(a->session), a->space.catalog, a->arena, &list, err));
    for (size_t i = 0; i < list.len; i++)
        if (!is_pattern_given(rel) || pattern_matches(argument(rel, "pattern"), list.at[i].name))
            database_row(&t, &list.at[i]);
    return finish(&t, out);
}

static bool get_database(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    Name name;
    SchemaEntry e;
    TRY(parse_name(a, argument(rel, "db_name"), &name, err));
    TRY(analyze_schema_name(a, &name, &e, err));
    database_columns(&t);
    database_row(&t, &e);
    return finish(&t, out);
}

static bool database_exists(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Name name;
    SchemaEntry e;
    TRY(parse_name(a, argument(rel, "db_name"), &name, err));
    bool found = analyze_schema_name(a, &name, &e, err);
    return (found || absent(err)) && answer_bool(a, found, out);
}

/* ---- tables ---- */

static void table_columns(Answer *t)
{
    const Type *text = type_simple(TYPE_STRING);
    column(t, "name", text, true);
    column(t, "catalog", text, true);
    column(t, "namespace", type_array(text, true, t->a->arena), true);
    column(t, "description", text, true);
    column(t, "tableType", text, true);
    column(t, "isTemporary", type_simple(TYPE_BOOLEAN), false);
}

/* A Delta table's comment is in its log; a listing does not open the logs of all tables for it. */
static void table_row(Answer *t, const ListedTable *table, Str comment)
{
    Value *r = row(t);
    set_text(&r[0], table->name);
    set_text(&r[1], table->entry.catalog);
    r[2] = namespace_value(t->a, t->fields.at[2].type, table->global ? S("global_temp") : table->entry.schema);
    set_text(&r[3], comment);
    r[4] = value_string(table->temporary ? S("TEMPORARY") : table->view ? S("VIEW") : table->entry.managed ? S("MANAGED") : S("EXTERNAL"));
    r[5] = value_bool(table->temporary);
}

static bool list_relations(Analyzer *a, const Rel *rel, bool views_only, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    Name schema;
    ListedTableVec list = {0};
    TRY(parse_name(a, argument(rel, "db_name"), &schema, err));
    TRY(analyze_list_tables(a, &schema, views_only, is_pattern_given(rel), argument(rel, "pattern"), &list, err));
    table_columns(&t);
    for (size_t i = 0; i < list.len; i++)
        table_row(&t, &list.at[i], list.at[i].entry.comment);
    return finish(&t, out);
}

static bool list_tables(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    return list_relations(a, rel, false, out, err);
}

static bool list_views(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    return list_relations(a, rel, true, out, err);
}

static bool get_table(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    Name name;
    ObjectInfo o;
    TRY(table_argument(a, rel, &name, err));
    TRY(analyze_object(a, &name, rel->origin, &o, err));
    ListedTable table = {.name = vec_last(&name), .entry = o.resolved.entry, .view = object_is_view(&o)};
    if (o.resolved.kind == RESOLVED_TEMP_VIEW) {
        table.temporary = true;
        table.global = o.resolved.temp->global;
        table.entry = (TableEntry){0};
    } else if (o.resolved.kind != RESOLVED_PATH)
        table.name = o.resolved.entry.name;
    table_columns(&t);
    table_row(&t, &table, o.comment);
    return finish(&t, out);
}

static bool table_exists(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Name name;
    ResolvedTable resolved;
    TRY(table_argument(a, rel, &name, err));
    bool found = analyze_table_name(a, &name, rel->origin, &resolved, err);
    if (!found && !absent(err))
        return false;
    if (found && resolved.kind == RESOLVED_PATH && str_is(resolved.entry.provider, "delta")) {
        DeltaTable *table;
        TRY(catalog_delta_table(session_catalog(a->session), resolved.entry.location, &table, err));
        bool ok = delta_table_exists(table, &found, err);
        delta_table_unref(table);
        TRY(ok);
    }
    return answer_bool(a, found, out);
}

/* Nothing is kept in memory between queries: cached is what the session called so. */
static bool is_cached(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Name name;
    ResolvedTable resolved;
    TRY(table_argument(a, rel, &name, err));
    TRY(analyze_table_name(a, &name, rel->origin, &resolved, err));
    return answer_bool(a, session_name_is_cached(a->session, resolved.full_name), out);
}

static bool is_one_of(const StrVec *names, Str name)
{
    for (size_t i = 0; i < names->len; i++)
        if (str_ieq(names->at[i], name))
            return true;
    return false;
}

static bool list_columns(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    static const char *const FLAGS[] = {"nullable", "isPartition", "isBucket", "isCluster"};
    Answer t = {.a = a};
    Name name;
    ObjectInfo o;
    TRY(table_argument(a, rel, &name, err));
    TRY(analyze_object(a, &name, rel->origin, &o, err));
    column(&t, "name", type_simple(TYPE_STRING), true);
    column(&t, "description", type_simple(TYPE_STRING), true);
    column(&t, "dataType", type_simple(TYPE_STRING), true);
    for (size_t i = 0; i < LENGTH_OF(FLAGS); i++)
        column(&t, FLAGS[i], type_simple(TYPE_BOOLEAN), false);
    for (size_t i = 0; i < o.schema->structure.count; i++) {
        const Field *f = &o.schema->structure.fields[i];
        Value *r = row(&t);
        r[0] = value_string(f->name);
        set_text(&r[1], field_metadata_get(f, "comment", a->arena));
        r[2] = value_string(object_type_text(f, a->arena));
        r[3] = value_bool(f->nullable);
        r[4] = value_bool(is_one_of(&o.partition_columns, f->name));
        r[5] = r[6] = value_bool(false);
    }
    return finish(&t, out);
}

static bool get_table_properties(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    Name name;
    ObjectInfo o;
    TRY(table_argument(a, rel, &name, err));
    TRY(analyze_object(a, &name, rel->origin, &o, err));
    column(&t, "key", type_simple(TYPE_STRING), false);
    column(&t, "value", type_simple(TYPE_STRING), true);
    for (size_t i = 0; i < o.properties.len; i++) {
        Value *r = row(&t);
        r[0] = value_string(o.properties.at[i].key);
        r[1] = value_string(o.properties.at[i].value);
    }
    return finish(&t, out);
}

static bool get_create_table_string(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Name name;
    ObjectInfo o;
    Str text;
    if (str_is(argument(rel, "as_serde"), "true"))
        return error_unsupported(err, "getCreateTableString with asSerde");
    TRY(table_argument(a, rel, &name, err));
    TRY(analyze_object(a, &name, rel->origin, &o, err));
    TRY(object_create_text(a, &name, &o, &text, err));
    return answer_text(a, text, out);
}

/* Partitions of a table of plain files are what the catalog knows. */
static bool list_file_partitions(Analyzer *a, const ObjectInfo *o, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    PartitionEntryVec all = {0};
    const TableEntry *e = &o->resolved.entry;
    Str parts[3] = {e->catalog, e->schema, e->name};
    Name full = name_of(a->arena, 3, parts);
    if (object_is_view(o))
        return error_set(err, ERR_EXPECT_TABLE_NOT_VIEW__NO_ALTERNATIVE, P("viewName", name_quoted(&full, a->arena)),
                         PZ("operation", "SHOW PARTITIONS"));
    if (!o->partition_columns.len)
        return error_set(err, ERR_INVALID_PARTITION_OPERATION__PARTITION_SCHEMA_IS_EMPTY, P("name", name_quoted(&full, a->arena)));
    TRY(catalog_list_partitions(session_catalog(a->session), e->id, a->arena, &all, err));
    column(&t, "partition", type_simple(TYPE_STRING), true);
    for (size_t i = 0; i < all.len; i++)
        *row(&t) = value_string(all.at[i].name);
    return finish(&t, out);
}

static bool list_partitions(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    Name name;
    ObjectInfo o;
    const Type *schema;
    RowVec rows = {0};
    TRY(table_argument(a, rel, &name, err));
    TRY(analyze_object(a, &name, rel->origin, &o, err));
    if (!o.snapshot)
        return list_file_partitions(a, &o, out, err);
    if (!o.partition_columns.len)
        return error_set(err, ERR_DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_TABLE, P("tableName", o.resolved.full_name));
    TRY(analyze_partitions(a, &o, &schema, &rows, err));
    column(&t, "partition", type_simple(TYPE_STRING), true);
    for (size_t i = 0; i < rows.len; i++) {
        PropertyVec values = {0};
        for (size_t c = 0; c < schema->structure.count; c++)
            vec_push(a->arena, &values, partition_value_print(schema->structure.fields[c].name, &rows.at[i].cells[c], a->arena));
        *row(&t) = value_string(partition_folder(&values, a->arena));
    }
    return finish(&t, out);
}

/* ---- functions ---- */

static void function_columns(Answer *t)
{
    const Type *text = type_simple(TYPE_STRING);
    column(t, "name", text, true);
    column(t, "catalog", text, true);
    column(t, "namespace", type_array(text, true, t->a->arena), true);
    column(t, "description", text, true);
    column(t, "className", text, true);
    column(t, "isTemporary", type_simple(TYPE_BOOLEAN), false);
}

static void function_row(Answer *t, Str name)
{
    Value *r = row(t);
    r[0] = value_string(name);
    r[3] = value_string(function_usage(func_find(name), t->a->arena));
    r[4] = value_string(S("lakeshed"));
    r[5] = value_bool(true);
}

static bool list_functions(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    Name schema;
    SchemaEntry e;
    StrVec names = {0};
    TRY(parse_name(a, argument(rel, "db_name"), &schema, err));
    TRY(analyze_schema_name(a, &schema, &e, err));
    function_columns(&t);
    function_names(is_pattern_given(rel), argument(rel, "pattern"), a->arena, &names);
    for (size_t i = 0; i < names.len; i++)
        function_row(&t, names.at[i]);
    return finish(&t, out);
}

/* Builtins belong to no schema: functionExists("abs", "db") asks for a function of that schema, and there are none. */
static bool find_function(Analyzer *a, const Rel *rel, Name *name, bool *found, Error *err)
{
    TRY(parse_name(a, argument(rel, "function_name"), name, err));
    const FuncRow *row = name->len == 1 && !argument(rel, "db_name").len ? func_find(name->at[0]) : NULL;
    *found = row && !(row->flags & FUNC_HIDDEN);
    return true;
}

static bool function_exists(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Name name;
    bool found;
    TRY(find_function(a, rel, &name, &found, err));
    return answer_bool(a, found, out);
}

static bool get_function(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Answer t = {.a = a};
    Name name;
    bool found;
    TRY(find_function(a, rel, &name, &found, err));
    if (!found)
        return error_set(err, ERR_UNRESOLVED_ROUTINE, P("routineName", name_quoted(&name, a->arena)), P("searchPath", search_path_text(a, true)));
    function_columns(&t);
    function_row(&t, name.at[0]);
    return finish(&t, out);
}

/* ---- the dispatch ---- */

typedef struct Question {
    const char *call;
    bool (*answer)(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);
} Question;

static const Question QUESTIONS[] = {
    {"currentDatabase", current_database},
    {"currentCatalog", current_catalog},
    {"listCatalogs", list_catalogs},
    {"listDatabases", list_databases},
    {"getDatabase", get_database},
    {"databaseExists", database_exists},
    {"listTables", list_tables},
    {"listViews", list_views},
    {"getTable", get_table},
    {"tableExists", table_exists},
    {"isCached", is_cached},
    {"listColumns", list_columns},
    {"listPartitions", list_partitions},
    {"getTableProperties", get_table_properties},
    {"getCreateTableString", get_create_table_string},
    {"listFunctions", list_functions},
    {"functionExists", function_exists},
    {"getFunction", get_function},
};

bool analyze_catalog_call(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    for (size_t i = 0; i < LENGTH_OF(QUESTIONS); i++)
        if (str_is(rel->catalog.call, QUESTIONS[i].call))
            return QUESTIONS[i].answer(a, rel, out, err);
    return error_unsupported(err, "spark.catalog." STR_FMT, STR_ARG(rel->catalog.call));
}
