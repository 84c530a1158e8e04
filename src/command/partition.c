/* Partitions of tables of plain files: which there are, and the statements that name them. */

#include "command/alter_impl.h"

/* The table knows its partitions by the catalog rather than by looking through its folder. */
bool partitions_tracked(const TableEntry *e)
{
    return e->partition_columns.len && str_is(detail_get(&e->details, "tracksPartitions"), "true");
}

Name entry_name(CommandContext *ctx, const TableEntry *e)
{
    Str parts[3] = {shown_catalog(e->catalog), e->schema, e->name};
    return name_of(ctx->arena, 3, parts);
}

static Str full_name(CommandContext *ctx, const TableEntry *e)
{
    Name n = entry_name(ctx, e);
    return name_quoted(&n, ctx->arena);
}

static Str short_name(CommandContext *ctx, const TableEntry *e)
{
    Str parts[2] = {e->schema, e->name};
    Name n = name_of(ctx->arena, 2, parts);
    return name_quoted(&n, ctx->arena);
}

bool require_partitions(CommandContext *ctx, const TableEntry *e, const char *action, Error *err)
{
    (void)ctx;
    return partitions_tracked(e) || error_set(err, ERR__LEGACY_ERROR_TEMP_1251, PZ("action", action), P("tableName", e->name));
}

/* ---- specifications ---- */

/* The text of a partition value: cast to the column's type, then to a string, as in the folder's name. */
static bool spec_value(CommandContext *ctx, const Type *type, const Expr *value, Property *out, Error *err)
{
    Value v;
    Expr *typed = expr_new(EXPR_CAST, ctx->arena), *text = expr_new(EXPR_CAST, ctx->arena);
    typed->cast.child = (Expr *)value;
    typed->cast.type = type;
    text->cast.child = typed;
    text->cast.type = type_simple(TYPE_STRING);
    typed->origin = text->origin = value->origin;
    TRY(analyze_constant(ctx->analyzer, text, NULL, &v, err));
    out->is_null = v.is_null || !v.bytes.len;
    out->value = out->is_null ? (Str){0} : v.bytes;
    return true;
}

bool partition_spec(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, PropertyVec *out, Error *err)
{
    const Type *schema;
    TRY(type_from_json(e->schema_json, ctx->arena, &schema, err));
    for (size_t i = 0; i < given->len; i++) {
        bool known = false;
        for (size_t k = 0; k < e->partition_columns.len; k++)
            known |= str_ieq(e->partition_columns.at[k], vec_last(&given->at[i].target));
        if (!known)
            return error_set(err, ERR_PARTITIONS_NOT_FOUND, P("partitionList", name_quoted(&given->at[i].target, ctx->arena)),
                             P("tableName", full_name(ctx, e)));
    }
    for (size_t k = 0; k < e->partition_columns.len; k++)
        for (size_t i = 0; i < given->len; i++) {
            if (!given->at[i].value || !str_ieq(e->partition_columns.at[k], vec_last(&given->at[i].target)))
                continue;
            Property p = {e->partition_columns.at[k], {0}, false};
            int at = type_field_index(schema, p.key, false);
            TRY(spec_value(ctx, at < 0 ? type_simple(TYPE_STRING) : schema->structure.fields[at].type, given->at[i].value, &p, err));
            vec_push(ctx->arena, out, p);
        }
    return true;
}

bool partition_whole_spec(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, PropertyVec *out, Error *err)
{
    TRY(partition_spec(ctx, e, given, out, err));
    if (out->len == e->partition_columns.len)
        return true;
    Buf keys = buf_in(ctx->arena), columns = buf_in(ctx->arena);
    for (size_t i = 0; i < out->len; i++)
        buf_addf(&keys, "%s" STR_FMT, i ? ", " : "", STR_ARG(out->at[i].key));
    for (size_t i = 0; i < e->partition_columns.len; i++)
        buf_addf(&columns, "%s" STR_FMT, i ? ", " : "", STR_ARG(e->partition_columns.at[i]));
    return error_set(err, ERR__LEGACY_ERROR_TEMP_1232, P("specKeys", buf_str(&keys)), P("partitionColumnNames", buf_str(&columns)),
                     P("tableName", full_name(ctx, e)));
}

bool partition_matches(const PropertyVec *spec, const PartitionEntry *p)
{
    for (size_t i = 0; i < spec->len; i++) {
        const Property *own = partition_value_of(&p->values, spec->at[i].key), *asked = &spec->at[i];
        if (!own || own->is_null != asked->is_null || (!own->is_null && !str_eq(own->value, asked->value)))
            return false;
    }
    return true;
}

static Str spec_text(CommandContext *ctx, const PropertyVec *spec)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < spec->len; i++)
        buf_addf(&b, "%s`" STR_FMT "` = " STR_FMT, i ? ", " : "PARTITION (", STR_ARG(spec->at[i].key),
                 STR_ARG(spec->at[i].is_null ? S("null") : spec->at[i].value));
    buf_addc(&b, ')');
    return buf_str(&b);
}

static bool partition_missing(CommandContext *ctx, const TableEntry *e, const PropertyVec *spec, Error *err)
{
    return error_set(err, ERR_PARTITIONS_NOT_FOUND, P("partitionList", spec_text(ctx, spec)), P("tableName", short_name(ctx, e)));
}

bool partition_find(CommandContext *ctx, const TableEntry *e, const PropertyVec *spec, bool *found, PartitionEntry *out, Error *err)
{
    PartitionEntryVec all = {0};
    TRY(catalog_list_partitions(session_catalog(ctx->session), e->id, ctx->arena, &all, err));
    *found = false;
    for (size_t i = 0; i < all.len && !*found; i++)
        if (partition_matches(spec, &all.at[i])) {
            *out = all.at[i];
            *found = true;
        }
    return true;
}

bool partition_open(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, PartitionEntry *out, Error *err)
{
    PropertyVec spec = {0};
    bool found;
    TRY(partition_whole_spec(ctx, e, given, &spec, err));
    TRY(partition_find(ctx, e, &spec, &found, out, err));
    return found || partition_missing(ctx, e, &spec, err);
}

/* ---- making and dropping ---- */

Str partition_default_location(CommandContext *ctx, const TableEntry *e, Str name)
{
    return str_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(e->location), STR_ARG(name));
}

static bool make_folder(CommandContext *ctx, Str location, Error *err)
{
    Store *store;
    TRY(store_open(location, ctx->arena, &store, err));
    return store_make_folder(store, S(""), err);
}

static Str place_of(CommandContext *ctx, const TableEntry *e, Str given)
{
    if (str_starts_with(given, S("file:")))
        return str_slice(given, str_starts_with(given, S("file://")) ? 7 : 5, given.len);
    if (given.len && given.ptr[0] != '/' && str_find(given, S("://")) < 0)
        return str_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(e->location), STR_ARG(given));
    return given;
}

static bool add_partitions(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    TRY(require_partitions(ctx, e, "ALTER TABLE ADD PARTITION", err));
    PartitionEntryVec made = {0};
    for (size_t i = 0; i < c->alter.partitions.len; i++) {
        PartitionEntry p = {0}, old;
        bool exists;
        TRY(partition_whole_spec(ctx, e, &c->alter.partitions.at[i].spec, &p.values, err));
        TRY(partition_find(ctx, e, &p.values, &exists, &old, err));
        if (exists && c->existence == IF_NOT_EXISTS)
            continue;
        if (exists)
            return error_set(err, ERR_PARTITIONS_ALREADY_EXIST, P("partitionList", spec_text(ctx, &p.values)), P("tableName", short_name(ctx, e)));
        p.name = partition_folder(&p.values, ctx->arena);
        Str given = c->alter.partitions.at[i].location;
        p.location = given.len ? place_of(ctx, e, given) : partition_default_location(ctx, e, p.name);
        vec_push(ctx->arena, &made, p);
    }
    for (size_t i = 0; i < made.len; i++) {
        TRY(make_folder(ctx, made.at[i].location, err));
        TRY(catalog_put_partition(session_catalog(ctx->session), e->id, &made.at[i], err));
    }
    return true;
}

static bool is_below(Str base, Str path)
{
    return str_starts_with(path, base) && path.len > base.len && path.ptr[base.len] == '/';
}

/* Of a managed table the files go too, where the table put them. */
static bool forget_partition(CommandContext *ctx, const TableEntry *e, const PartitionEntry *p, Error *err)
{
    TRY(catalog_drop_partition(session_catalog(ctx->session), e->id, p->name, err));
    return !e->managed || !is_below(e->location, p->location) || delete_table_files(ctx, p->location, err);
}

static bool drop_partitions(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    TRY(require_partitions(ctx, e, "ALTER TABLE DROP PARTITION", err));
    PartitionEntryVec all = {0}, gone = {0};
    TRY(catalog_list_partitions(session_catalog(ctx->session), e->id, ctx->arena, &all, err));
    for (size_t i = 0; i < c->alter.partitions.len; i++) {
        PropertyVec spec = {0};
        size_t before = gone.len;
        TRY(partition_spec(ctx, e, &c->alter.partitions.at[i].spec, &spec, err));
        for (size_t k = 0; k < all.len; k++)
            if (partition_matches(&spec, &all.at[k]))
                vec_push(ctx->arena, &gone, all.at[k]);
        if (gone.len == before && !c->alter.if_exists)
            return partition_missing(ctx, e, &spec, err);
    }
    for (size_t i = 0; i < gone.len; i++)
        TRY(forget_partition(ctx, e, &gone.at[i], err));
    return true;
}

static bool rename_partition(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    PartitionEntry p, other;
    PropertyVec to = {0};
    bool taken;
    TRY(require_partitions(ctx, e, "ALTER TABLE RENAME PARTITION", err));
    TRY(partition_open(ctx, e, &c->alter.partitions.at[0].spec, &p, err));
    TRY(partition_whole_spec(ctx, e, &c->alter.partitions.at[1].spec, &to, err));
    TRY(partition_find(ctx, e, &to, &taken, &other, err));
    if (taken)
        return error_set(err, ERR_PARTITIONS_ALREADY_EXIST, P("partitionList", spec_text(ctx, &to)), P("tableName", short_name(ctx, e)));
    PartitionEntry renamed = p;
    renamed.values = to;
    renamed.name = partition_folder(&to, ctx->arena);
    if (e->managed && str_eq(p.location, partition_default_location(ctx, e, p.name))) {
        renamed.location = partition_default_location(ctx, e, renamed.name);
        TRY(move_folder(ctx, p.location, renamed.location, err));
    }
    TRY(catalog_drop_partition(session_catalog(ctx->session), e->id, p.name, err));
    return catalog_put_partition(session_catalog(ctx->session), e->id, &renamed, err);
}

static bool set_place(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    if (!c->alter.partitions.len) {
        Str location = place_of(ctx, e, c->alter.location);
        if (!location.len)
            return error_set(err, ERR_INVALID_EMPTY_LOCATION, P("location", location));
        e->location = location;
        e->managed = false;
        return catalog_update_table(session_catalog(ctx->session), e, err);
    }
    PartitionEntry p;
    TRY(require_partitions(ctx, e, "ALTER TABLE ... SET LOCATION", err));
    TRY(partition_open(ctx, e, &c->alter.partitions.at[0].spec, &p, err));
    p.location = place_of(ctx, e, c->alter.location);
    return catalog_put_partition(session_catalog(ctx->session), e->id, &p, err);
}

/* ---- RECOVER PARTITIONS ---- */

/* "a=1/b=x" as values of the table's partition columns; false: it is not a partition of this table. */
static bool folder_values(CommandContext *ctx, const TableEntry *e, Str folder, PropertyVec *out)
{
    for (size_t i = 0; i < e->partition_columns.len; i++) {
        ptrdiff_t slash = str_find_char(folder, '/');
        Str part = slash < 0 ? folder : str_slice(folder, 0, (size_t)slash);
        folder = slash < 0 ? (Str){0} : str_slice(folder, (size_t)slash + 1, folder.len);
        ptrdiff_t equals = str_find_char(part, '=');
        if (equals <= 0 || !str_ieq(path_hive_unescape(str_slice(part, 0, (size_t)equals), ctx->arena), e->partition_columns.at[i]))
            return false;
        Str value = path_hive_unescape(str_slice(part, (size_t)equals + 1, part.len), ctx->arena);
        Property p = {e->partition_columns.at[i], value, str_is(value, HIVE_DEFAULT_PARTITION)};
        if (p.is_null)
            p.value = (Str){0};
        vec_push(ctx->arena, out, p);
    }
    return !folder.len;
}

bool partition_register(CommandContext *ctx, const TableEntry *e, Str folder, Error *err)
{
    PartitionEntry p = {0}, old;
    bool exists;
    if (!folder_values(ctx, e, folder, &p.values))
        return true;
    TRY(partition_find(ctx, e, &p.values, &exists, &old, err));
    if (exists)
        return true;
    p.name = partition_folder(&p.values, ctx->arena);
    p.location = partition_default_location(ctx, e, folder);
    return catalog_put_partition(session_catalog(ctx->session), e->id, &p, err);
}

bool partition_recover(CommandContext *ctx, TableEntry *e, bool drop_missing, bool add_found, Error *err)
{
    PartitionEntryVec known = {0};
    StrVec folders = {0};
    if (!e->partition_columns.len)
        return error_set(err, ERR_NOT_A_PARTITIONED_TABLE, PZ("operation", "MSCK REPAIR TABLE"), P("tableIdentWithDB", full_name(ctx, e)));
    if (drop_missing) {
        TRY(catalog_list_partitions(session_catalog(ctx->session), e->id, ctx->arena, &known, err));
        for (size_t i = 0; i < known.len; i++) {
            bool there;
            TRY(folder_exists(ctx, known.at[i].location, &there, err));
            if (!there)
                TRY(catalog_drop_partition(session_catalog(ctx->session), e->id, known.at[i].name, err));
        }
    }
    if (!partitions_tracked(e)) {
        detail_set(&e->details, S("tracksPartitions"), S("true"), ctx->arena);
        TRY(catalog_update_table(session_catalog(ctx->session), e, err));
    }
    if (!add_found)
        return true;
    TRY(list_folders(ctx, e->location, e->partition_columns.len, &folders, err));
    for (size_t i = 0; i < folders.len; i++)
        TRY(partition_register(ctx, e, folders.at[i], err));
    return true;
}

static bool recover(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    bool drop = str_is(c->alter.new_name, "DROP") || str_is(c->alter.new_name, "SYNC");
    return partition_recover(ctx, e, drop, !str_is(c->alter.new_name, "DROP"), err);
}

bool alter_partitions(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    switch (c->alter.kind) {
    case ALTER_ADD_PARTITION: return add_partitions(ctx, c, e, err);
    case ALTER_DROP_PARTITION: return drop_partitions(ctx, c, e, err);
    case ALTER_RENAME_PARTITION: return rename_partition(ctx, c, e, err);
    case ALTER_SET_LOCATION: return set_place(ctx, c, e, err);
    default: return recover(ctx, c, e, err);
    }
}

/* ---- TRUNCATE ---- */

bool truncate_files(CommandContext *ctx, const Command *c, const TableEntry *e, Error *err)
{
    PartitionEntryVec all = {0};
    PropertyVec spec = {0};
    size_t matched = 0;
    if (!e->managed)
        return error_set(err, ERR_CANNOT_TRUNCATE_EXTERNAL_TABLE, P("tableName", full_name(ctx, e)));
    if (!e->partition_columns.len && c->cache.partition.len)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1267, P("tableIdentWithDB", full_name(ctx, e)));
    if (!partitions_tracked(e)) {
        if (c->cache.partition.len)
            return require_partitions(ctx, e, "TRUNCATE TABLE ... PARTITION", err);
        TRY(delete_table_files(ctx, e->location, err));
        return make_folder(ctx, e->location, err);
    }
    TRY(partition_spec(ctx, e, &c->cache.partition, &spec, err));
    TRY(catalog_list_partitions(session_catalog(ctx->session), e->id, ctx->arena, &all, err));
    for (size_t i = 0; i < all.len; i++) {
        if (!partition_matches(&spec, &all.at[i]))
            continue;
        matched++;
        TRY(delete_table_files(ctx, all.at[i].location, err));
        TRY(make_folder(ctx, all.at[i].location, err));
    }
    return matched || !spec.len || spec.len < e->partition_columns.len || partition_missing(ctx, e, &spec, err);
}

/* ---- SHOW PARTITIONS ---- */

bool show_file_partitions(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, StrVec *out, Error *err)
{
    PartitionEntryVec all = {0};
    PropertyVec spec = {0};
    TRY(require_partitions(ctx, e, "SHOW PARTITIONS", err));
    TRY(partition_spec(ctx, e, given, &spec, err));
    TRY(catalog_list_partitions(session_catalog(ctx->session), e->id, ctx->arena, &all, err));
    for (size_t i = 0; i < all.len; i++)
        if (partition_matches(&spec, &all.at[i]))
            vec_push(ctx->arena, out, all.at[i].name);
    return true;
}
