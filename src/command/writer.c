/* DataFrameWriter and DataFrameWriterV2: save, saveAsTable, insertInto, writeTo. */
#include <unistd.h>

#include "command/command_impl.h"

static Str option(const KeyValueVec *options, const char *key)
{
    return key_value_get(options, key);
}

static Str local_path(Str path)
{
    if (str_starts_with(path, S("file://")))
        return str_slice(path, 7, path.len);
    return str_starts_with(path, S("file:")) ? str_slice(path, 5, path.len) : path;
}

static Str format_of(CommandContext *ctx, Str given)
{
    bool found;
    Str format = given;
    if (!format.len)
        session_get(ctx->session, S("spark.sql.sources.default"), ctx->arena, &found, &format);
    return str_lower(format.len ? format : S("delta"), ctx->arena);
}

/* ---- Delta ---- */

static bool replace_where(CommandContext *ctx, const KeyValueVec *options, TableWrite *w, Error *err)
{
    Str text = option(options, "replaceWhere");
    if (!text.len)
        return true;
    SqlOptions sql = session_sql_options(ctx->session, ctx->arena);
    Expr *e;
    TRY(sql_parse_expr(text, &sql, ctx->arena, &e, err));
    w->mode = WRITE_REPLACE_WHERE;
    w->replace_where = e;
    w->predicate = text;
    return true;
}

static bool option_flag(const KeyValueVec *options, const char *key, bool *out, Error *err)
{
    Str text = option(options, key);
    *out = str_is_ci(text, "true");
    if (!key_value_has(options, key) || *out || str_is_ci(text, "false"))
        return true;
    return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", text), PZ("name", key), PZ("explain", "must be 'true' or 'false'"));
}

/* Partitions are replaced one by one where the option says so, or the session; replaceWhere counts for more than the session. */
static bool choose_overwrite(CommandContext *ctx, const Target *t, const KeyValueVec *options, TableWrite *w, Error *err)
{
    bool given = key_value_has(options, "partitionOverwriteMode"), partitioned = snapshot_metadata(t->snapshot)->partition_columns.len > 0;
    bool found, where = option(options, "replaceWhere").len > 0;
    Str mode = option(options, "partitionOverwriteMode");
    if (!given)
        session_get(ctx->session, S("spark.sql.sources.partitionOverwriteMode"), ctx->arena, &found, &mode);
    bool dynamic = str_is_ci(mode, "dynamic");
    if (given && !dynamic && !str_is_ci(mode, "static"))
        return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", mode), PZ("name", "partitionOverwriteMode"),
                         PZ("explain", "must be 'STATIC' or 'DYNAMIC'"));
    if (dynamic && partitioned && where && given)
        return error_set(err, ERR_DELTA_REPLACE_WHERE_WITH_DYNAMIC_PARTITION_OVERWRITE);
    if (dynamic && partitioned && !where) {
        if (w->overwrite_schema)
            return error_set(err, ERR_DELTA_OVERWRITE_SCHEMA_WITH_DYNAMIC_PARTITION_OVERWRITE);
        w->mode = WRITE_DYNAMIC_PARTITIONS;
        return true;
    }
    return replace_where(ctx, options, w, err);
}

static bool write_options(CommandContext *ctx, const Target *t, const KeyValueVec *options, TableWrite *w, Error *err)
{
    bool changes = true;
    TRY(option_flag(options, "mergeSchema", &w->merge_schema, err));
    TRY(option_flag(options, "overwriteSchema", &w->overwrite_schema, err));
    TRY(option_flag(options, "dataChange", &changes, err));
    w->rearranges = key_value_has(options, "dataChange") && !changes;
    w->user_metadata = option(options, "userMetadata");
    TRY(txn_mark_of_options(options, &w->txn, err));
    return w->mode != WRITE_OVERWRITE || choose_overwrite(ctx, t, options, w, err);
}

static bool check_partitioning(const Target *t, const StrVec *wanted, Error *err)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    if (!wanted->len)
        return true;
    bool same = wanted->len == m->partition_columns.len;
    for (size_t i = 0; same && i < wanted->len; i++)
        same = str_ieq(wanted->at[i], m->partition_columns.at[i]);
    return same || error_set(err, ERR_DELTA_METADATA_MISMATCH);
}

static bool append_to(CommandContext *ctx, Target *t, TableWrite *w, const Command *c, Error *err)
{
    TRY(write_options(ctx, t, &c->properties, w, err));
    w->files.file_count = asked_files(c->query);
    TRY(file_choices(&c->properties, &w->files, err));
    write_as_stream(ctx, c, w);
    bool repartitions = w->overwrite_schema && w->mode == WRITE_OVERWRITE;
    TRY(repartitions || check_partitioning(t, &c->write.partition_by, err));
    if (repartitions || !c->name.len)
        w->partition_by = c->write.partition_by;
    return write_to_table(ctx, t, w, NULL, err);
}

typedef enum SaveMode { SAVE_APPEND, SAVE_OVERWRITE, SAVE_ERROR, SAVE_IGNORE } SaveMode;

static const char *const MODE_NAMES[] = {[SAVE_APPEND] = "Append", [SAVE_OVERWRITE] = "Overwrite", [SAVE_ERROR] = "ErrorIfExists", [SAVE_IGNORE] = "Ignore"};

/* A table that is not there yet is made by the same path as CREATE TABLE ... AS. */
static bool create_as(CommandContext *ctx, const Command *c, Str format, const Name *name, Str path, Existence existence, SaveMode mode, BoundRel **result, Error *err)
{
    Command *create = command_new(CMD_CREATE_TABLE, ctx->arena);
    create->origin = c->origin;
    create->name = *name;
    create->query = c->query;
    create->stream = c->stream;
    create->existence = existence;
    create->table.save_mode = str_from(MODE_NAMES[mode]);
    create->table.spec.provider = format;
    create->table.spec.location = path;
    create->table.spec.bucket_by = c->write.bucket_by;
    create->table.spec.sort_by = c->write.sort_by;
    create->table.spec.buckets = c->write.buckets;
    if (str_is(format, "delta"))
        create->table.spec.cluster_by = c->write.cluster_by;
    for (size_t i = 0; i < c->properties.len; i++)
        if (!str_is_ci(c->properties.at[i].key, "path"))
            vec_push(ctx->arena, &create->table.spec.options, c->properties.at[i]);
    for (size_t i = 0; i < c->write.partition_by.len; i++)
        vec_push(ctx->arena, &create->table.spec.partition_by, expr_column(ctx->arena, c->write.partition_by.at[i]));
    for (size_t i = 0; i < c->properties.len; i++)
        if (str_istarts_with(c->properties.at[i].key, S("delta.")))
            vec_push(ctx->arena, &create->table.spec.properties, c->properties.at[i]);
    return run_create_table(ctx, create, result, err);
}

static bool save_mode(Str mode, SaveMode *out, Error *err)
{
    if (str_is_ci(mode, "append"))
        *out = SAVE_APPEND;
    else if (str_is_ci(mode, "overwrite"))
        *out = SAVE_OVERWRITE;
    else if (!mode.len || str_is_ci(mode, "error") || str_is_ci(mode, "errorifexists") || str_is_ci(mode, "default"))
        *out = SAVE_ERROR;
    else if (str_is_ci(mode, "ignore"))
        *out = SAVE_IGNORE;
    else
        return error_set(err, ERR_INVALID_SAVE_MODE, P("mode", str_printf(err->arena, "\"" STR_FMT "\"", STR_ARG(mode))));
    return true;
}

static bool save_delta(CommandContext *ctx, const Command *c, const Name *name, SaveMode mode, bool exists, Target *t, BoundRel **result, Error *err)
{
    if (!exists)
        return create_as(ctx, c, S("delta"), name, (Str){0}, IF_NOT_GIVEN, mode, result, err);
    if (mode == SAVE_IGNORE)
        return true;
    if (mode == SAVE_ERROR)
        return error_set(err, ERR_TABLE_OR_VIEW_ALREADY_EXISTS, P("relationName", name_quoted(name, ctx->arena)));
    TableWrite w = {.mode = mode == SAVE_OVERWRITE ? WRITE_OVERWRITE : WRITE_APPEND, .align = {.by_name = true}, .operation = S("WRITE")};
    TRY(analyze_query(ctx->analyzer, c->query, &w.rows, err));
    w.replaces_table = mode == SAVE_OVERWRITE && c->name.len;
    return append_to(ctx, t, &w, c, err);
}

static bool save_path(CommandContext *ctx, const Command *c, Str path, SaveMode mode, BoundRel **result, Error *err)
{
    Str parts[2] = {S("delta"), path};
    Name name = name_of(ctx->arena, 2, parts);
    Target t = {.name = str_printf(ctx->arena, "delta.`" STR_FMT "`", STR_ARG(path))};
    bool exists;
    TRY(catalog_delta_table(session_catalog(ctx->session), path, &t.table, err));
    bool ok = delta_table_exists(t.table, &exists, err);
    delta_table_unref(t.table);
    TRY(ok);
    if (exists)
        TRY(target_at_location(ctx, path, &t, err));
    if (exists && mode == SAVE_ERROR)
        return error_set(err, ERR_DELTA_PATH_EXISTS, P("path", path));
    return save_delta(ctx, c, &name, mode, exists, &t, result, err);
}

static bool find_table(CommandContext *ctx, const Name *name, bool *exists, TableEntry *entry, Error *err)
{
    Str catalog, schema, object;
    bool known;
    *exists = false;
    TRY(command_object_name(ctx, name, &catalog, &schema, &object, err));
    TRY(catalog_has_catalog(session_catalog(ctx->session), catalog, &known, err));
    return !known || catalog_get_table(session_catalog(ctx->session), catalog, schema, object, ctx->arena, exists, entry, err);
}

/* ---- other formats ---- */

static bool partition_indexes(CommandContext *ctx, const StrVec *names, const Type *schema, WriteSpec *spec, Error *err)
{
    spec->partition_columns = ARENA_ARRAY(ctx->arena, size_t, names->len + 1);
    for (size_t i = 0; i < names->len; i++) {
        int at = type_field_index(schema, names->at[i], analyzer_func(ctx->analyzer)->case_sensitive);
        if (at < 0)
            return error_set(err, ERR_COLUMN_NOT_FOUND, P("colName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(names->at[i]))), PZ("caseSensitiveConfig", "\"spark.sql.caseSensitive\""));
        spec->partition_columns[spec->partition_count++] = (size_t)at;
    }
    return true;
}

static bool send_files(CommandContext *ctx, Str place, const WrittenFileVec *files, Error *err)
{
    Store *store;
    Str *paths = ARENA_ARRAY(ctx->arena, Str, files->len + 1);
    for (size_t i = 0; i < files->len; i++)
        paths[i] = files->at[i].path;
    TRY(store_open(place, ctx->arena, &store, err));
    return store_send(store, paths, files->len, err);
}

/* place: where the files belong, which spec->folder stands for on the disk. */
static bool replace_files(CommandContext *ctx, WriteSpec *spec, Str place, BoundRel *rows, bool overwrite, Error *err)
{
    WrittenFileVec files = {0};
    ChangeSet kept = {0};
    bool ok = true;
    /* What is overwritten may be what is read: the rows are kept before the old files go. */
    if (overwrite) {
        kept.stored_id = clock_uuid_in(ctx->arena);
        kept.source = rows->columns;
        TRY(engine_store(ctx->engine, kept.stored_id, rows, &ctx->run, err));
        rows = change_set_rel(ctx, &kept);
        ok = delete_table_files(ctx, place, err);
    }
    ok = ok && engine_write(ctx->engine, rows, spec, &ctx->run, ctx->arena, &files, err) &&
         (!store_is_remote(place) || send_files(ctx, place, &files, err));
    if (overwrite)
        engine_drop_stored(ctx->engine, kept.stored_id);
    return ok;
}

/* Rows of XML files are written as texts that to_xml makes of what is not in the folders' names. */
static bool rows_as_xml(CommandContext *ctx, const Command *c, BoundRel **rows, Error *err)
{
    BoundRel *p = build_project(ctx, *rows);
    BoundExprVec values = {0}, options = {0};
    BoundExpr *args[2] = {NULL, NULL};
    Field *fields = ARENA_ARRAY(ctx->arena, Field, (*rows)->columns.len + 1);
    if (!key_value_get(&c->properties, "rowTag").len)
        return error_set(err, ERR_XML_ROW_TAG_MISSING, PZ("rowTag", "`rowTag`"));
    for (size_t i = 0; i < (*rows)->columns.len; i++) {
        const BoundColumn *column = &(*rows)->columns.at[i];
        bool partition = false;
        for (size_t k = 0; k < c->write.partition_by.len; k++)
            partition |= str_is_ci(column->name, str_z(c->write.partition_by.at[k], ctx->arena));
        if (partition) {
            build_push(ctx, p, bound_column(column, ctx->arena), column->name);
            continue;
        }
        fields[values.len] = (Field){column->name, column->type, column->nullable, {0}};
        vec_push(ctx->arena, &values, bound_column(column, ctx->arena));
    }
    for (size_t i = 0; i < c->properties.len; i++) {
        vec_push(ctx->arena, &options, bound_literal(value_string(c->properties.at[i].key), ctx->arena));
        vec_push(ctx->arena, &options, bound_literal(value_string(c->properties.at[i].value), ctx->arena));
    }
    args[0] = bound_new(BEXPR_STRUCT, type_struct(fields, values.len, ctx->arena), false, ctx->arena);
    args[0]->structure.children = values;
    TRY(build_call(ctx, "map", options.len, options.at, &args[1], err));
    BoundExpr *text;
    TRY(build_call(ctx, "to_xml", 2, args, &text, err));
    build_push(ctx, p, text, S("value"));
    *rows = p;
    return true;
}

static bool note_object(const StoreEntry *e, void *arg)
{
    (void)e;
    *(bool *)arg = true;
    return false;
}

/* Where files of a location are written: of S3, the folder of its copies. */
static bool folder_to_write(CommandContext *ctx, Str location, Str *out, Error *err)
{
    Store *store;
    *out = location;
    if (!store_is_remote(location))
        return true;
    TRY(store_open(location, ctx->arena, &store, err));
    *out = store_duckdb_path(store, S(""), ctx->arena);
    return true;
}

bool folder_exists(CommandContext *ctx, Str path, bool *out, Error *err)
{
    Store *store;
    *out = !store_is_remote(path) && !access(str_z(path, ctx->arena), F_OK);
    if (!store_is_remote(path))
        return true;
    TRY(store_open(path, ctx->arena, &store, err));
    return store_walk(store, S(""), note_object, out, err);
}

static bool save_files(CommandContext *ctx, const Command *c, Str format, Str path, SaveMode mode, Error *err)
{
    static const char *const FORMATS[] = {"parquet", "csv", "json", "text", "xml", "avro", "orc"};
    bool known = false, any;
    Str folder;
    for (size_t i = 0; i < LENGTH_OF(FORMATS); i++)
        known |= str_is(format, FORMATS[i]);
    if (!known)
        return error_set(err, ERR_DATA_SOURCE_NOT_FOUND, P("provider", format));
    TRY(folder_exists(ctx, path, &any, err));
    TRY(folder_to_write(ctx, path, &folder, err));
    if (any && mode == SAVE_IGNORE)
        return true;
    if (any && mode == SAVE_ERROR)
        return error_set(err, ERR_PATH_ALREADY_EXISTS, P("outputPath", location_uri(path, ctx->arena)));
    BoundRel *rows;
    TRY(analyze_query(ctx->analyzer, c->query, &rows, err));
    if (str_is(format, "xml"))
        TRY(rows_as_xml(ctx, c, &rows, err));
    WriteSpec spec = {.folder = folder, .format = format, .schema = brel_schema(rows, ctx->arena), .file_prefix = S("part-"),
                      .options = c->properties, .codec = option(&c->properties, "compression"), .file_count = asked_files(c->query)};
    TRY(choose_plain_files(ctx, &spec, err));
    TRY(partition_indexes(ctx, &c->write.partition_by, spec.schema, &spec, err));
    return replace_files(ctx, &spec, path, rows, any && mode == SAVE_OVERWRITE, err);
}

/* The sizes that ANALYZE found are no longer true. */
static bool forget_statistics(CommandContext *ctx, const TableEntry *entry, Error *err)
{
    TableEntry e = *entry;
    if (!detail_get(&e.details, "sizeInBytes").len)
        return true;
    detail_drop(&e.details, "sizeInBytes");
    detail_drop(&e.details, "rowCount");
    return catalog_update_table(session_catalog(ctx->session), &e, err);
}

/* The partition whose own place a write with all values fixed goes to; rows for other places of that kind are refused. */
static bool own_place(CommandContext *ctx, const TableEntry *entry, const PartitionEntryVec *known, const FileWrite *w, Error *err)
{
    for (size_t i = 0; i < known->len; i++) {
        const PartitionEntry *p = &known->at[i];
        if (!str_eq(p->location, partition_default_location(ctx, entry, p->name)) && partition_matches(&w->fixed, p))
            return error_unsupported(err, "writing to the partition " STR_FMT ", which has a location of its own", STR_ARG(p->name));
    }
    return true;
}

static bool file_options_of(CommandContext *ctx, const TableEntry *entry, WriteSpec *spec, Error *err)
{
    for (size_t i = 0; i < entry->properties.len; i++)
        if (str_istarts_with(entry->properties.at[i].key, S("option."))) {
            KeyValue kv = {str_slice(entry->properties.at[i].key, 7, entry->properties.at[i].key.len), entry->properties.at[i].value, NULL};
            vec_push(ctx->arena, &spec->options, kv);
        }
    spec->codec = option(&spec->options, "compression");
    TRY(choose_plain_files(ctx, spec, err));
    return partition_indexes(ctx, &entry->partition_columns, spec->schema, spec, err);
}

static bool in_list(const StrVec *list, Str text)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_eq(list->at[i], text))
            return true;
    return false;
}

/* Files of one folder follow each other in the list. */
static bool remove_files(CommandContext *ctx, const StrVec *old, Error *err)
{
    Store *store = NULL;
    Str folder = S("");
    StrVec names = {0};
    for (size_t i = 0; i < old->len; i++) {
        ptrdiff_t slash = str_rfind_char(old->at[i], '/');
        Str above = str_slice(old->at[i], 0, (size_t)slash);
        if (store && !str_eq(above, folder)) {
            TRY(store_delete_many(store, names.at, names.len, err));
            store = NULL;
            names.len = 0;
        }
        if (!store)
            TRY(store_open(above, ctx->arena, &store, err));
        folder = above;
        vec_push(ctx->arena, &names, str_slice(old->at[i], (size_t)slash + 1, old->at[i].len));
    }
    return !store || store_delete_many(store, names.at, names.len, err);
}

/* What an overwrite replaces goes once the new files are there; partitions left without rows are forgotten. */
static bool write_partitions(CommandContext *ctx, const TableEntry *entry, WriteSpec *spec, BoundRel *rows, const FileWrite *w, Error *err)
{
    PartitionEntryVec known = {0};
    WrittenFileVec files = {0};
    StrVec folders = {0}, old = {0};
    TRY(catalog_list_partitions(session_catalog(ctx->session), entry->id, ctx->arena, &known, err));
    TRY(own_place(ctx, entry, &known, w, err));
    if (w->overwrite && !w->dynamic && !w->fixed.len)
        TRY(list_folder_files(ctx, entry->location, &old, err));
    for (size_t i = 0; w->overwrite && i < known.len; i++)
        if (partition_matches(&w->fixed, &known.at[i]))
            TRY(list_folder_files(ctx, known.at[i].location, &old, err));
    TRY(engine_write(ctx->engine, rows, spec, &ctx->run, ctx->arena, &files, err));
    TRY(!store_is_remote(entry->location) || send_files(ctx, entry->location, &files, err));
    for (size_t i = 0; i < files.len; i++) {
        ptrdiff_t slash = str_rfind_char(files.at[i].path, '/');
        Str folder = slash > 0 ? str_slice(files.at[i].path, 0, (size_t)slash) : (Str){0};
        if (folder.len && !in_list(&folders, folder))
            vec_push(ctx->arena, &folders, folder);
    }
    if (w->dynamic) {
        StrVec kept = {0};
        for (size_t i = 0; i < old.len; i++)
            for (size_t k = 0; k < folders.len; k++)
                if (str_starts_with(old.at[i], str_printf(ctx->arena, STR_FMT "/" STR_FMT "/", STR_ARG(entry->location), STR_ARG(folders.at[k]))))
                    vec_push(ctx->arena, &kept, old.at[i]);
        old = kept;
    }
    TRY(remove_files(ctx, &old, err));
    for (size_t i = 0; w->overwrite && !w->dynamic && i < known.len; i++)
        if (partition_matches(&w->fixed, &known.at[i]) && !in_list(&folders, known.at[i].name) && w->fixed.len < entry->partition_columns.len)
            TRY(catalog_drop_partition(session_catalog(ctx->session), entry->id, known.at[i].name, err));
    for (size_t i = 0; i < folders.len; i++)
        TRY(partition_register(ctx, entry, folders.at[i], err));
    if (w->fixed.len == entry->partition_columns.len)
        TRY(partition_register(ctx, entry, partition_folder(&w->fixed, ctx->arena), err));
    return true;
}

bool write_file_table(CommandContext *ctx, const TableEntry *entry, const Type *schema, BoundRel *rows, const FileWrite *w, Error *err)
{
    WriteSpec spec = {.format = entry->provider, .schema = schema, .file_prefix = S("part-")};
    ChangeSet kept = {0};
    TRY(folder_to_write(ctx, entry->location, &spec.folder, err));
    TRY(file_options_of(ctx, entry, &spec, err));
    TRY(forget_statistics(ctx, entry, err));
    if (!partitions_tracked(entry)) {
        if (w->fixed.len)
            return require_partitions(ctx, entry, "INSERT .. PARTITION", err);
        return replace_files(ctx, &spec, entry->location, rows, w->overwrite, err);
    }
    if (!w->overwrite)
        return write_partitions(ctx, entry, &spec, rows, w, err);
    kept.stored_id = clock_uuid_in(ctx->arena);
    kept.source = rows->columns;
    TRY(engine_store(ctx->engine, kept.stored_id, rows, &ctx->run, err));
    bool ok = write_partitions(ctx, entry, &spec, change_set_rel(ctx, &kept), w, err);
    engine_drop_stored(ctx->engine, kept.stored_id);
    return ok;
}

/* ---- the commands ---- */

static bool append_rows(CommandContext *ctx, const Command *c, const TableEntry *entry, bool by_name, bool overwrite, Error *err)
{
    Metadata m = {0};
    BoundRel *rows, *aligned;
    FileWrite w = {.overwrite = overwrite};
    AlignOptions options = {.by_name = by_name, .plain_files = true};
    if (!entry->schema_json.len)
        return error_unsupported(err, "appending to a " STR_FMT " table without recorded columns", STR_ARG(entry->provider));
    TRY(type_from_json(entry->schema_json, ctx->arena, &m.schema, err));
    TRY(analyze_query(ctx->analyzer, c->query, &rows, err));
    TRY(align_rows(ctx, &m, entry->name, rows, &options, &aligned, err));
    return write_file_table(ctx, entry, m.schema, aligned, &w, err);
}

static bool save_as_table(CommandContext *ctx, const Command *c, Str format, SaveMode mode, BoundRel **result, Error *err)
{
    Name name;
    TableEntry entry;
    bool exists;
    Target t = {0};
    TRY(command_name(ctx, c, &name, err));
    TRY(find_table(ctx, &name, &exists, &entry, err));
    bool delta = exists ? str_is_ci(entry.provider, "delta") : str_is(format, "delta");
    if (!delta && exists && mode == SAVE_APPEND)
        return append_rows(ctx, c, &entry, true, false, err);
    if (!delta && exists && mode != SAVE_OVERWRITE)
        return mode == SAVE_IGNORE || (error_set(err, ERR_TABLE_OR_VIEW_ALREADY_EXISTS, P("relationName", name_quoted(&name, ctx->arena))));
    if (!delta)
        return create_as(ctx, c, format, &name, local_path(option(&c->properties, "path")), exists ? OR_REPLACE : IF_NOT_GIVEN, mode, result, err);
    if (exists)
        TRY(target_open(ctx, &name, c->origin, &t, err));
    else if (option(&c->properties, "path").len)
        return create_as(ctx, c, format, &name, local_path(option(&c->properties, "path")), IF_NOT_GIVEN, mode, result, err);
    return save_delta(ctx, c, &name, mode, exists, &t, result, err);
}

static bool insert_into(CommandContext *ctx, const Command *c, SaveMode mode, Error *err)
{
    Name name;
    Target t;
    ResolvedTable r;
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_table_name(ctx->analyzer, &name, c->origin, &r, err));
    if (r.kind == RESOLVED_TABLE && !is_delta(&r))
        return append_rows(ctx, c, &r.entry, false, mode == SAVE_OVERWRITE, err);
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TableWrite w = {.mode = mode == SAVE_OVERWRITE ? WRITE_OVERWRITE : WRITE_APPEND, .operation = S("WRITE")};
    TRY(analyze_query(ctx->analyzer, c->query, &w.rows, err));
    return append_to(ctx, &t, &w, c, err);
}

static bool write_frame(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    SaveMode mode = SAVE_ERROR;
    *result = result_none(ctx);
    TRY(save_mode(c->write.mode, &mode, err));
    Str format = format_of(ctx, c->write.format);
    if (c->write.sort_by.len && !c->write.bucket_by.len)
        return error_set(err, ERR_SORT_BY_WITHOUT_BUCKETING);
    if (c->write.bucket_by.len && c->name.len && str_is(format, "delta"))
        return error_unsupported(err, "bucketBy of a Delta table");
    if (c->write.bucket_by.len && (!c->name.len || c->write.insert_into))
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1312, PZ("operation", c->name.len ? "insertInto" : "save"));
    if (c->name.len)
        return c->write.insert_into ? insert_into(ctx, c, mode, err) : save_as_table(ctx, c, format, mode, result, err);
    if (str_is(format, "noop")) {
        BoundRel *rows;
        ChangeSet ignored = {.stored_id = clock_uuid_in(ctx->arena)};
        TRY(analyze_query(ctx->analyzer, c->query, &rows, err));
        TRY(engine_store(ctx->engine, ignored.stored_id, rows, &ctx->run, err));
        engine_drop_stored(ctx->engine, ignored.stored_id);
        return true;
    }
    Str path = local_path(c->write.path.len ? c->write.path : option(&c->properties, "path"));
    if (!path.len)
        return error_set(err, ERR_DELTA_PATH_DOES_NOT_EXIST, PZ("path", ""));
    return str_is(format, "delta") ? save_path(ctx, c, path, mode, result, err) : save_files(ctx, c, format, path, mode, err);
}

/* A stream has no rows to write at once: Spark says so of the method. */
static bool call_on_stream(const char *method, Error *err)
{
    if (err->cls != ERR__LEGACY_ERROR_TEMP_3102 || !str_starts_with(error_param(err, "msg"), S("Queries with streaming sources")))
        return false;
    error_clear(err);
    return error_set(err, ERR_CALL_ON_STREAMING_DATASET_UNSUPPORTED, PZ("methodName", method));
}

bool run_write(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    return write_frame(ctx, c, result, err) || call_on_stream("`write`", err);
}

static bool v2_create(CommandContext *ctx, const Command *c, const Name *name, bool replace, Existence existence, BoundRel **result, Error *err)
{
    Command *create = command_new(CMD_CREATE_TABLE, ctx->arena);
    create->origin = c->origin;
    create->name = *name;
    create->query = c->query;
    create->existence = existence;
    create->table.replace = replace;
    create->table.spec.provider = format_of(ctx, c->write_v2.provider);
    create->table.spec.partition_by = c->write_v2.partition_by;
    if (str_is(create->table.spec.provider, "delta"))
        create->table.spec.cluster_by = c->write_v2.cluster_by;
    create->table.spec.properties = c->write_v2.table_properties;
    create->table.spec.options = c->properties;
    return run_create_table(ctx, create, result, err);
}

static bool write_frame_v2(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Target t;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    Str mode = c->write_v2.mode;
    if (str_is(mode, "create"))
        return v2_create(ctx, c, &name, false, IF_NOT_GIVEN, result, err);
    if (str_is(mode, "replace"))
        return v2_create(ctx, c, &name, true, IF_NOT_GIVEN, result, err);
    if (str_is(mode, "create_or_replace"))
        return v2_create(ctx, c, &name, false, OR_REPLACE, result, err);
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TableWrite w = {.mode = WRITE_APPEND, .align = {.by_name = true}, .operation = S("WRITE")};
    if (str_is(mode, "overwrite")) {
        w.mode = WRITE_REPLACE_WHERE;
        w.replace_where = c->write_v2.overwrite_condition;
    } else if (str_is(mode, "overwrite_partitions"))
        w.mode = WRITE_DYNAMIC_PARTITIONS;
    TRY(analyze_query(ctx->analyzer, c->query, &w.rows, err));
    TRY(option_flag(&c->properties, "mergeSchema", &w.merge_schema, err));
    w.user_metadata = option(&c->properties, "userMetadata");
    TRY(txn_mark_of_options(&c->properties, &w.txn, err));
    return write_to_table(ctx, &t, &w, NULL, err);
}

bool run_write_v2(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    return write_frame_v2(ctx, c, result, err) || call_on_stream("`writeTo`", err);
}
