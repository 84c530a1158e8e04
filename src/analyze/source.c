/* Where rows come from: catalog tables, views, files, literal and local data, ranges, SQL text. */
#include "analyze/analyze_impl.h"

BoundRel *with_qualifier(Analyzer *a, BoundRel *rel, const Name *qualifier)
{
    BoundRel *copy = ARENA_NEW(a->arena, BoundRel);
    *copy = *rel;
    copy->columns = (BoundColumnVec){0};
    copy->sealed = true;
    for (size_t i = 0; i < rel->columns.len; i++) {
        BoundColumn c = rel->columns.at[i];
        c.qualifier = *qualifier;
        vec_push(a->arena, &copy->columns, c);
    }
    return copy;
}

bool parse_query_text(Analyzer *a, Str text, Rel **out, Error *err)
{
    SqlOptions options = session_sql_options(a->session, a->arena);
    Statement s;
    TRY(sql_parse(text, &options, a->arena, &s, err));
    if (!s.query)
        return error_unsupported(err, "a command where a query is expected");
    *out = s.query;
    return true;
}

/* ---- files ---- */

static void push_schema(Analyzer *a, BoundRel *rel, const Type *schema)
{
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        BoundColumn c = new_column(a, f->name, type_char_as_string(f->type, a->arena), true);
        c.metadata = f->metadata;
        vec_push(a->arena, &rel->columns, c);
    }
}

/* The columns that a schema names, in its order; others stay behind. */
static BoundRel *in_order_of(Analyzer *a, BoundRel *rel, const Type *schema)
{
    BoundColumnVec columns = {0};
    for (size_t i = 0; i < schema->structure.count; i++)
        for (size_t c = 0; c < rel->columns.len; c++)
            if (str_ieq(rel->columns.at[c].name, schema->structure.fields[i].name)) {
                vec_push(a->arena, &columns, rel->columns.at[c]);
                break;
            }
    if (columns.len != schema->structure.count)
        return rel;
    for (size_t c = 0; c < rel->columns.len; c++)
        if (rel->columns.at[c].hidden)
            vec_push(a->arena, &columns, rel->columns.at[c]);
    return project_columns(a, rel, &columns);
}

/* A column of the files' own that is called so wins. */
void push_file_metadata(Analyzer *a, BoundRel *rel, MetadataFields facts)
{
    static const struct {
        const char *name;
        TypeKind kind;
    } FIELDS[] = {{"file_path", TYPE_STRING}, {"file_name", TYPE_STRING}, {"file_size", TYPE_LONG}, {"file_block_start", TYPE_LONG},
                  {"file_block_length", TYPE_LONG}, {"file_modification_time", TYPE_TIMESTAMP}, {"row_index", TYPE_LONG},
                  {"row_id", TYPE_LONG}, {"base_row_id", TYPE_LONG}, {"default_row_commit_version", TYPE_LONG}, {"row_commit_version", TYPE_LONG}};
    size_t without[] = {[FACTS_OF_FILE] = 5, [FACTS_WITH_INDEX] = 4, [FACTS_OF_TRACKED_ROWS] = 0};
    size_t count = LENGTH_OF(FIELDS) - without[facts];
    Field *fields = ARENA_ARRAY(a->arena, Field, count);
    if (!a->with_metadata)
        return;
    for (size_t i = 0; i < rel->columns.len; i++)
        if (name_matches(a, rel->columns.at[i].name, S(FILE_METADATA)))
            return;
    for (size_t i = 0; i < count; i++)
        fields[i] = (Field){str_from(FIELDS[i].name), type_simple(FIELDS[i].kind), false, {0}};
    BoundColumn c = new_column(a, S(FILE_METADATA), type_struct(fields, count, a->arena), false);
    c.hidden = true;
    vec_push(a->arena, &rel->columns, c);
}

static bool scan_files(Analyzer *a, FileScan *scan, BoundRel **out, Error *err)
{
    RunContext run = {.func = &a->func};
    bool xml = str_is_ci(scan->format, "xml");
    const Type *wanted = scan->schema;
    if (xml)
        scan->schema = NULL; /* what the reader gives is the text of records */
    if (xml && !key_value_get(&scan->options, "rowTag").len)
        return error_set(err, ERR_XML_ROW_TAG_MISSING, PZ("rowTag", "`rowTag`"));
    TRY(engine_infer_schema(a->engine, scan, &run, a->arena, err));
    BoundRel *r = brel_new(BREL_SCAN_FILES, NULL, a->arena);
    r->files = scan;
    push_schema(a, r, scan->schema);
    push_file_metadata(a, r, str_is_ci(scan->format, "parquet") ? FACTS_WITH_INDEX : FACTS_OF_FILE);
    *out = scan->sink_log && wanted && !xml ? in_order_of(a, r, wanted) : r;
    return !xml || parse_xml_records(a, r, wanted, &scan->options, out, err);
}

bool analyze_files_as(Analyzer *a, Str format, const StrVec *paths, const Type *schema, const KeyValueVec *options, BoundRel **out, Error *err)
{
    RowVec none = {0};
    if (!paths->len) {
        *out = rel_of_values(a, type_as_nullable(schema, a->arena), &none);
        return true;
    }
    FileScan *scan = ARENA_NEW(a->arena, FileScan);
    scan->format = format;
    scan->paths = *paths;
    scan->schema = schema;
    if (options)
        scan->options = *options;
    TRY(scan_files(a, scan, out, err));
    *out = in_order_of(a, *out, schema);
    return true;
}

/* A table whose partitions the catalog keeps is read from their folders, whatever else lies in its own. */
static bool table_paths(Analyzer *a, const TableEntry *entry, FileScan *scan, Error *err)
{
    PartitionEntryVec partitions = {0};
    if (!str_is(detail_get(&entry->details, "tracksPartitions"), "true")) {
        vec_push(a->arena, &scan->paths, entry->location);
        return true;
    }
    TRY(catalog_list_partitions(session_catalog(a->session), entry->id, a->arena, &partitions, err));
    scan->given_partitions = true;
    for (size_t i = 0; i < partitions.len; i++) {
        vec_push(a->arena, &scan->paths, partitions.at[i].location);
        vec_push(a->arena, &scan->partition_folders, partitions.at[i].name);
    }
    return true;
}

static bool table_files(Analyzer *a, const TableEntry *entry, const KeyValueVec *options, BoundRel **out, Error *err)
{
    FileScan *scan = ARENA_NEW(a->arena, FileScan);
    scan->format = entry->provider;
    TRY(table_paths(a, entry, scan, err));
    if (entry->schema_json.len)
        TRY(type_from_json(entry->schema_json, a->arena, &scan->schema, err));
    scan->options = *options;
    for (size_t i = 0; i < entry->properties.len; i++) {
        KeyValue kv = {entry->properties.at[i].key, entry->properties.at[i].value, NULL};
        if (str_istarts_with(kv.key, S("option."))) {
            kv.key = str_slice(kv.key, 7, kv.key.len);
            vec_push(a->arena, &scan->options, kv);
        }
    }
    return scan_files(a, scan, out, err) && pad_char_columns(a, out, err);
}

static Name table_qualifier(Analyzer *a, const ResolvedTable *t)
{
    Str parts[3] = {t->entry.catalog, t->entry.schema, t->entry.name};
    return name_of(a->arena, 3, parts);
}

static bool split_version_suffix(Analyzer *a, const Name *name, Name *base, TimeTravel *travel)
{
    size_t end;
    if (!analyze_travel_suffix(a, vec_last(name), &end, travel))
        return false;
    *base = name_of(a->arena, name->len, name->at);
    base->at[base->len - 1] = str_slice(vec_last(name), 0, end);
    return true;
}

static bool check_no_travel(Analyzer *a, const Name *name, const TimeTravel *travel, Error *err)
{
    return travel->kind == TRAVEL_NONE || error_set(err, ERR_UNSUPPORTED_FEATURE__TIME_TRAVEL, P("relationId", name_quoted(name, a->arena)));
}

static bool resolve_relation(Analyzer *a, const Rel *rel, const Name *name, const TimeTravel *travel, BoundRel **out, Error *err)
{
    ResolvedTable t;
    if (!analyze_table_name(a, name, rel->origin, &t, err)) {
        Name base;
        TimeTravel suffix;
        if (travel->kind != TRAVEL_NONE || !split_version_suffix(a, name, &base, &suffix))
            return false;
        error_clear(err);
        return resolve_relation(a, rel, &base, &suffix, out, err);
    }
    Name qualifier;
    switch (t.kind) {
    case RESOLVED_TEMP_VIEW:
    case RESOLVED_VIEW: {
        TRY(check_no_travel(a, name, travel, err));
        const Site *outside = a->view_site;
        if (!outside && (t.kind == RESOLVED_VIEW || t.temp->sql.len))
            a->view_site = site_at(a, rel->origin);
        bool ok = t.kind == RESOLVED_VIEW ? analyze_view(a, &t.entry, out, err) : analyze_temp_view(a, t.temp, out, err);
        a->view_site = outside;
        TRY(ok);
        Name plain = {0};
        vec_push(a->arena, &plain, vec_last(name));
        qualifier = t.kind == RESOLVED_VIEW ? table_qualifier(a, &t) : plain;
        break;
    }
    case RESOLVED_TABLE:
        qualifier = table_qualifier(a, &t);
        if (rel->table.streaming) {
            TRY(analyze_stream_table(a, &t.entry, &rel->table.options, out, err));
            break;
        }
        if (str_is_ci(t.entry.provider, "delta"))
            return analyze_delta_table(a, t.entry.location, &qualifier, travel, &rel->table.options, out, err);
        TRY(check_no_travel(a, name, travel, err));
        TRY(table_files(a, &t.entry, &rel->table.options, out, err));
        break;
    case RESOLVED_PATH:
    default:
        qualifier = *name;
        if (rel->table.streaming) {
            TRY(analyze_stream_table(a, &t.entry, &rel->table.options, out, err));
            break;
        }
        if (str_is_ci(t.entry.provider, "delta"))
            return analyze_delta_table(a, t.entry.location, &qualifier, travel, &rel->table.options, out, err);
        TRY(check_no_travel(a, name, travel, err));
        TRY(table_files(a, &t.entry, &rel->table.options, out, err));
        break;
    }
    *out = with_qualifier(a, *out, &qualifier);
    return true;
}

/* Plans that Connect ships beside a statement are temp views for it alone. */
static const Rel *find_reference(Analyzer *a, const Name *name)
{
    for (size_t i = 0; name->len == 1 && a->references && i < a->references->len; i++) {
        const Rel *r = a->references->at[i];
        if (r->kind == REL_SUBQUERY_ALIAS && name_matches(a, r->subquery_alias.alias, name->at[0]))
            return r;
    }
    return NULL;
}

bool analyze_named_table(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Name name = rel->table.name;
    if (rel->table.name_expr)
        TRY(analyze_identifier(a, rel->table.name_expr, &name, err));
    CteEntry *cte = find_cte(a, &name);
    if (cte) {
        TRY(check_no_travel(a, &name, &rel->table.travel, err));
        TRY(cte_may_refer(cte, err));
        *out = cte_reference(a, cte);
        return true;
    }
    const Rel *reference = find_reference(a, &name);
    if (reference)
        return analyze_rel(a, reference, out, err);
    return resolve_relation(a, rel, &name, &rel->table.travel, out, err);
}

static bool source_schema(Analyzer *a, const Rel *rel, const Type **out, Error *err)
{
    *out = rel->source.schema;
    if (*out || !rel->source.schema_text.len)
        return true;
    Str text = str_trim(rel->source.schema_text);
    return text.ptr[0] == '{' ? type_from_json(text, a->arena, out, err) : type_from_ddl(text, a->arena, out, err);
}

bool analyze_data_source(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    if (rel->source.streaming)
        return analyze_stream_source(a, rel, out, err);
    Str format = rel->source.format;
    if (!format.len) {
        bool found;
        session_get(a->session, S("spark.sql.sources.default"), a->arena, &found, &format);
        if (!found || !format.len)
            format = S("parquet");
    }
    StrVec paths = rel->source.paths;
    Str path = key_value_get(&rel->source.options, "path");
    if (!paths.len && path.len)
        vec_push(a->arena, &paths, path);
    if (str_is_ci(format, "delta")) {
        if (!paths.len)
            return error_set(err, ERR_DELTA_PATH_DOES_NOT_EXIST, PZ("path", ""));
        if (paths.len > 1)
            return error_unsupported(err, "reading several Delta paths at once");
        TimeTravel none = {0};
        Name no_name = {0};
        return analyze_delta_table(a, paths.at[0], &no_name, &none, &rel->source.options, out, err);
    }
    static const char *const FILES[] = {"parquet", "csv", "json", "text", "orc", "avro", "binaryfile", "xml"};
    bool known = false;
    for (size_t i = 0; i < LENGTH_OF(FILES); i++)
        known |= str_is_ci(format, FILES[i]);
    if (!known)
        return error_set(err, ERR_DATA_SOURCE_NOT_FOUND, P("provider", format));
    if (!paths.len && !rel->source.schema && !rel->source.schema_text.len)
        return error_set(err, ERR_UNABLE_TO_INFER_SCHEMA, P("format", format));
    FileScan *scan = ARENA_NEW(a->arena, FileScan);
    scan->format = str_lower(format, a->arena);
    scan->paths = paths;
    scan->options = rel->source.options;
    TRY(source_schema(a, rel, &scan->schema, err));
    return scan_files(a, scan, out, err);
}

/* ---- local data ---- */

static bool cached_schema(Analyzer *a, Str hash, const Type **out, Error *err)
{
    bool found;
    Str text;
    TRY(session_get_artifact(a->session, str_printf(a->arena, "cache/" STR_FMT, STR_ARG(hash)), a->arena, &found, &text, err));
    if (!found)
        return error_set(err, ERR_CONNECT_INVALID_PLAN__NOT_FOUND_CACHED_LOCAL_RELATION, P("hash", hash), PZ("sessionUUID", ""));
    text = str_trim(text);
    return text.len && text.ptr[0] == '{' ? type_from_json(text, a->arena, out, err) : type_from_ddl(text, a->arena, out, err);
}

static bool cached_data(Analyzer *a, const Rel *rel, ArrowData *data, Error *err)
{
    if (rel->cached_local.schema_hash.len)
        TRY(cached_schema(a, rel->cached_local.schema_hash, &data->schema, err));
    for (size_t i = 0; i < rel->cached_local.data_hashes.len; i++) {
        bool found;
        Str bytes, hash = rel->cached_local.data_hashes.at[i];
        TRY(session_get_artifact(a->session, str_printf(a->arena, "cache/" STR_FMT, STR_ARG(hash)), a->arena, &found, &bytes, err));
        if (!found)
            return error_set(err, ERR_CONNECT_INVALID_PLAN__NOT_FOUND_CACHED_LOCAL_RELATION, P("hash", hash), PZ("sessionUUID", ""));
        if (i == 0)
            data->ipc = bytes;
        else
            vec_push(a->arena, &data->chunks, bytes);
    }
    return true;
}

bool analyze_local(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    ArrowData *data = ARENA_NEW(a->arena, ArrowData);
    if (rel->kind == REL_LOCAL)
        *data = rel->local;
    else
        TRY(cached_data(a, rel, data, err));
    if (!data->schema) {
        RunContext run = {.func = &a->func};
        TRY(engine_arrow_schema(data->ipc, &run, a->arena, &data->schema, err));
    }
    if (!data->schema->structure.count) {
        RowVec none = {0};
        *out = rel_of_values(a, data->schema, &none);
        return true;
    }
    BoundRel *r = brel_new(BREL_LOCAL, NULL, a->arena);
    r->local.data = data;
    for (size_t i = 0; i < data->schema->structure.count; i++) {
        const Field *f = &data->schema->structure.fields[i];
        BoundColumn c = new_column(a, f->name, f->type, f->nullable);
        c.metadata = f->metadata;
        vec_push(a->arena, &r->columns, c);
    }
    *out = r;
    return true;
}

static bool is_steady(BoundExpr **slot, void *arg)
{
    bool random = (*slot)->kind == BEXPR_CALL && ((*slot)->call.row->flags & FUNC_NONDETERMINISTIC);
    return !random && bound_each_child(*slot, is_steady, arg);
}

static bool is_random(BoundExpr **slot)
{
    return !is_steady(slot, NULL);
}

bool analyze_values(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    size_t rows = rel->values.rows.len, width = rows ? rel->values.rows.at[0].len : 0;
    Scope scope = {.outer = a->outer};
    BoundRel *v = brel_new(BREL_VALUES, NULL, a->arena);
    for (size_t r = 0; r < rows; r++) {
        BoundExprVec cells = {0};
        if (rel->values.rows.at[r].len != width) {
            error_set(err, ERR_INVALID_INLINE_TABLE__NUM_COLUMNS_MISMATCH, P("expectedNumCols", str_printf(a->arena, "%zu", width)),
                      P("actualNumCols", str_printf(a->arena, "%zu", rel->values.rows.at[r].len)), P("rowIndex", str_printf(a->arena, "%zu", r)));
            return set_context(a, err, rel->origin);
        }
        TRY(bind_exprs(a, &rel->values.rows.at[r], &scope, &cells, err));
        for (size_t c = 0; c < cells.len; c++)
            if (is_random(&cells.at[c])) {
                error_set(err, ERR_INVALID_INLINE_TABLE__CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE,
                          P("expr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(cells.at[c], a->func.zone, a->arena)))));
                return set_context(a, err, cells.at[c]->origin);
            }
        for (size_t c = 0; c < cells.len; c++)
            if (bound_contains(cells.at[c], BEXPR_SUBQUERY)) {
                error_set(err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__SCALAR_SUBQUERY_IN_VALUES);
                return set_context(a, err, rel->origin);
            }
        vec_push(a->arena, &v->values.rows, cells);
    }
    for (size_t c = 0; c < width; c++) {
        BoundExprVec column = {0};
        bool nullable = false;
        for (size_t r = 0; r < rows; r++) {
            vec_push(a->arena, &column, v->values.rows.at[r].at[c]);
            nullable |= v->values.rows.at[r].at[c]->nullable;
        }
        if (!coerce_all(a, &column, "inline table", err)) {
            error_clear(err);
            error_set(err, ERR_INVALID_INLINE_TABLE__INCOMPATIBLE_TYPES_IN_INLINE_TABLE, P("colName", str_printf(a->arena, "`col%zu`", c + 1)));
            return set_context(a, err, rel->origin);
        }
        const Type *type = column.at[0]->type;
        for (size_t r = 0; r < rows; r++) {
            v->values.rows.at[r].at[c] = column.at[r];
            type = coerce_common(type, column.at[r]->type, a->ansi, a->arena); /* the rows' types may differ in where NULL is */
        }
        vec_push(a->arena, &v->columns, new_column(a, str_printf(a->arena, "col%zu", c + 1), type, nullable));
    }
    *out = v;
    return true;
}

bool analyze_range(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    if (rel->range.step == 0)
        return error_set(err, ERR_DATATYPE_MISMATCH__SEQUENCE_WRONG_INPUT_TYPES, PZ("sqlExpr", "\"range\""), PZ("functionName", "`range`"),
                         PZ("startType", "\"BIGINT\""), PZ("stepType", "\"BIGINT\""), PZ("otherStartType", ""));
    BoundRel *r = brel_new(BREL_RANGE, NULL, a->arena);
    r->range.start = rel->range.has_start ? rel->range.start : 0;
    r->range.end = rel->range.end;
    r->range.step = rel->range.step;
    r->range.partitions = rel->range.partitions;
    vec_push(a->arena, &r->columns, new_column(a, S("id"), type_simple(TYPE_LONG), false));
    *out = r;
    return true;
}

bool analyze_sql(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    ParamFrame frame = {&rel->sql.named_args, &rel->sql.positional_args, a->params};
    SavedState saved = analyzer_enter(a);
    a->sql_text = session_substitute(a->session, rel->sql.text, a->arena);
    a->params = &frame;
    Rel *query;
    bool ok = parse_query_text(a, a->sql_text, &query, err) && analyze_rel(a, query, out, err);
    analyzer_leave(a, &saved);
    return ok;
}
