/* The Delta extension: what delta.tables.DeltaTable sends inside google.protobuf.Any. */
#include "connect/decode_impl.h"

#define DREL(name) DELTA__CONNECT__DELTA_RELATION__RELATION_TYPE_##name
#define DCMD(name) DELTA__CONNECT__DELTA_COMMAND__COMMAND_TYPE_##name

static Name path_name(Decoder *d, Str path)
{
    Str parts[] = {S("delta"), path};
    return name_of(d->arena, 2, parts);
}

static bool decode_table(Decoder *d, const PB_DELTA(DeltaTable) *t, Name *out)
{
    if (t != NULL && t->access_type_case == DELTA__CONNECT__DELTA_TABLE__ACCESS_TYPE_PATH) {
        *out = path_name(d, wire_str(t->path->path));
        return true;
    }
    if (t == NULL || t->access_type_case != DELTA__CONNECT__DELTA_TABLE__ACCESS_TYPE_TABLE_OR_VIEW_NAME)
        return decode_missing(d, "DeltaTable", "access_type");
    return decode_name(d, t->table_or_view_name, out);
}

/* A table name, or an absolute path or URL, which is a table of that place. */
static bool name_or_path(Decoder *d, const char *text, Name *out)
{
    Str s = wire_str(text);
    if (str_starts_with(s, S("/")) || str_find(s, S("://")) > 0 || str_starts_with(s, S("file:"))) {
        *out = path_name(d, s);
        return true;
    }
    return decode_name(d, text, out);
}

/* The target of DELETE, UPDATE and MERGE is the table itself, perhaps under an alias. */
static bool decode_target(Decoder *d, const PB(Relation) *r, Name *table, Str *alias)
{
    Rel *rel;
    if (r == NULL)
        return decode_missing(d, "DeltaRelation", "target");
    DECODE(decode_rel(d, r, &rel));
    if (rel->kind == REL_SUBQUERY_ALIAS) {
        *alias = rel->subquery_alias.alias;
        rel = rel->input;
    }
    if (rel->kind != REL_DELTA || !str_is(rel->delta.op, "scan"))
        return error_set(d->err, ERR_DELTA_TABLE_ONLY_OPERATION, PZ("tableName", "a query"), PZ("operation", "This"));
    *table = rel->delta.table;
    return true;
}

static bool decode_travel(Decoder *d, bool has_version, int64_t version, bool has_timestamp, const char *timestamp,
                          TimeTravel *out)
{
    if (has_version)
        *out = (TimeTravel){TRAVEL_VERSION, expr_literal(value_int(TYPE_LONG, version), d->arena)};
    else if (has_timestamp)
        *out = (TimeTravel){TRAVEL_TIMESTAMP, expr_literal(value_string(wire_str(timestamp)), d->arena)};
    return true;
}

static Expr *sql_text(Decoder *d, Str text)
{
    Expr *e = expr_new(EXPR_SQL_TEXT, d->arena);
    e->sql_text.text = text;
    return e;
}

/* ---- relations that change the table ---- */

static bool decode_assignments(Decoder *d, size_t count, PB_DELTA(Assignment) *const *from, AssignmentVec *out)
{
    for (size_t i = 0; i < count; i++) {
        Assignment one;
        Expr *field;
        DECODE(decode_expr(d, from[i]->field, &field));
        if (field->kind != EXPR_COLUMN)
            return decode_missing(d, "Assignment", "field");
        one.target = field->column.name;
        DECODE(decode_expr(d, from[i]->value, &one.value));
        vec_push(d->arena, out, one);
    }
    return true;
}

static bool decode_delete(Decoder *d, const PB_DELTA(DeleteFromTable) *m)
{
    Command *c = command_new(CMD_DELETE, d->arena);
    DECODE(decode_target(d, m->target, &c->name, &c->dml.alias));
    DECODE(decode_optional_expr(d, m->condition, &c->dml.condition));
    d->command = c;
    return true;
}

static bool decode_update(Decoder *d, const PB_DELTA(UpdateTable) *m)
{
    Command *c = command_new(CMD_UPDATE, d->arena);
    DECODE(decode_target(d, m->target, &c->name, &c->dml.alias));
    DECODE(decode_optional_expr(d, m->condition, &c->dml.condition));
    DECODE(decode_assignments(d, m->n_assignments, m->assignments, &c->dml.assignments));
    d->command = c;
    return true;
}

static bool decode_action(Decoder *d, const PB_DELTA(MergeIntoTable__Action) *a, MergeClauseKind kind, Command *c)
{
    MergeClause clause = {.kind = kind};
    DECODE(decode_optional_expr(d, a->condition, &clause.condition));
    switch (a->action_type_case) {
    case DELTA__CONNECT__MERGE_INTO_TABLE__ACTION__ACTION_TYPE_DELETE_ACTION: clause.action = MERGE_DELETE; break;
    case DELTA__CONNECT__MERGE_INTO_TABLE__ACTION__ACTION_TYPE_UPDATE_ACTION:
        clause.action = MERGE_UPDATE;
        DECODE(decode_assignments(d, a->update_action->n_assignments, a->update_action->assignments,
                                  &clause.assignments));
        break;
    case DELTA__CONNECT__MERGE_INTO_TABLE__ACTION__ACTION_TYPE_UPDATE_STAR_ACTION:
        clause.action = MERGE_UPDATE_STAR;
        break;
    case DELTA__CONNECT__MERGE_INTO_TABLE__ACTION__ACTION_TYPE_INSERT_ACTION:
        clause.action = MERGE_INSERT;
        DECODE(decode_assignments(d, a->insert_action->n_assignments, a->insert_action->assignments,
                                  &clause.assignments));
        break;
    case DELTA__CONNECT__MERGE_INTO_TABLE__ACTION__ACTION_TYPE_INSERT_STAR_ACTION:
        clause.action = MERGE_INSERT_STAR;
        break;
    default: return decode_missing(d, "MergeIntoTable.Action", "action_type");
    }
    vec_push(d->arena, &c->merge.clauses, clause);
    return true;
}

static bool decode_merge(Decoder *d, const PB_DELTA(MergeIntoTable) *m)
{
    Command *c = command_new(CMD_MERGE, d->arena);
    c->merge.schema_evolution = m->with_schema_evolution;
    DECODE(decode_target(d, m->target, &c->name, &c->merge.target_alias));
    DECODE(decode_rel(d, m->source, &c->query));
    DECODE(decode_expr(d, m->condition, &c->merge.on));
    for (size_t i = 0; i < m->n_matched_actions; i++)
        DECODE(decode_action(d, m->matched_actions[i], MERGE_MATCHED, c));
    for (size_t i = 0; i < m->n_not_matched_actions; i++)
        DECODE(decode_action(d, m->not_matched_actions[i], MERGE_NOT_MATCHED, c));
    for (size_t i = 0; i < m->n_not_matched_by_source_actions; i++)
        DECODE(decode_action(d, m->not_matched_by_source_actions[i], MERGE_NOT_MATCHED_BY_SOURCE, c));
    d->command = c;
    return true;
}

static bool decode_optimize(Decoder *d, const PB_DELTA(OptimizeTable) *m)
{
    Command *c = d->command = command_new(CMD_OPTIMIZE, d->arena);
    for (size_t i = 0; i < m->n_partition_filters; i++) {
        Expr *filter = sql_text(d, wire_str(m->partition_filters[i]));
        Expr *both[] = {c->optimize.where, filter};
        c->optimize.where = c->optimize.where == NULL ? filter : expr_call(d->arena, "and", 2, both);
    }
    for (size_t i = 0; i < m->n_zorder_columns; i++) {
        Expr *column = expr_new(EXPR_COLUMN, d->arena);
        column->column.plan_id = -1;
        DECODE(decode_name(d, m->zorder_columns[i], &column->column.name));
        vec_push(d->arena, &c->optimize.zorder, column);
    }
    return decode_table(d, m->table, &c->name);
}

static bool decode_restore(Decoder *d, const PB_DELTA(RestoreTable) *m)
{
    Command *c = d->command = command_new(CMD_RESTORE, d->arena);
    DECODE(decode_travel(d, m->version_or_timestamp_case == DELTA__CONNECT__RESTORE_TABLE__VERSION_OR_TIMESTAMP_VERSION,
                         m->version,
                         m->version_or_timestamp_case == DELTA__CONNECT__RESTORE_TABLE__VERSION_OR_TIMESTAMP_TIMESTAMP,
                         m->timestamp, &c->travel));
    return decode_table(d, m->table, &c->name);
}

/* The client reads back the identifier it will open the table by. */
static bool decode_convert(Decoder *d, const PB_DELTA(ConvertToDelta) *m, Rel **then)
{
    Command *c = d->command = command_new(CMD_CONVERT, d->arena);
    const Type *schema = NULL;
    DECODE(decode_name(d, m->identifier, &c->name));
    if (m->partition_schema_case == DELTA__CONNECT__CONVERT_TO_DELTA__PARTITION_SCHEMA_PARTITION_SCHEMA_STRING)
        DECODE(type_from_ddl(wire_str(m->partition_schema_string), d->arena, &schema, d->err));
    else if (m->partition_schema_case == DELTA__CONNECT__CONVERT_TO_DELTA__PARTITION_SCHEMA_PARTITION_SCHEMA_STRUCT)
        DECODE(decode_type(m->partition_schema_struct, d->arena, &schema, d->err));
    for (size_t i = 0; schema != NULL && schema->kind == TYPE_STRUCT && i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        ColumnDef column = {.name = name_of(d->arena, 1, &f->name), .type = f->type, .not_null = !f->nullable};
        vec_push(d->arena, &c->delta.columns, column);
    }
    Name result = c->name;
    if (result.len == 2 && str_is_ci(result.at[0], "parquet"))
        result = path_name(d, result.at[1]);
    ExprVec row = {0};
    vec_push(d->arena, &row, expr_literal(value_string(name_text(&result, d->arena)), d->arena));
    *then = rel_new(REL_VALUES, NULL, d->arena);
    vec_push(d->arena, &(*then)->values.rows, row);
    return true;
}

static bool table_relation(Decoder *d, const char *op, const PB_DELTA(DeltaTable) *table, Rel **out)
{
    *out = rel_new(REL_DELTA, NULL, d->arena);
    (*out)->delta.op = str_from(op);
    if (table->access_type_case == DELTA__CONNECT__DELTA_TABLE__ACCESS_TYPE_PATH) {
        (*out)->delta.path = wire_str(table->path->path);
        for (size_t i = 0; i < table->path->n_hadoop_conf; i++) {
            KeyValue one = {wire_str(table->path->hadoop_conf[i]->key), wire_str(table->path->hadoop_conf[i]->value),
                            NULL};
            vec_push(d->arena, &(*out)->delta.args, one);
        }
    }
    return decode_table(d, table, &(*out)->delta.table);
}

/* Any restarts protobuf's own nesting, so that the depth left over is handed on. */
static bool unpack_extension(Decoder *d, const ProtobufCMessageDescriptor *descriptor, Str bytes,
                             ProtobufCMessage **out)
{
    unsigned used = 2 * d->depth;
    if (used >= WIRE_MAX_DEPTH)
        return error_set(d->err, ERR_LAKESHED_PLAN_TOO_DEEP, P("limit", str_printf(d->arena, "%d", DECODE_MAX_DEPTH)));
    return wire_unpack(descriptor, bytes, WIRE_MAX_DEPTH - used, d->arena, out, d->err);
}

bool decode_delta_relation(Decoder *d, Str bytes, Rel **out)
{
    ProtobufCMessage *message;
    DECODE(unpack_extension(d, &delta__connect__delta_relation__descriptor, bytes, &message));
    const PB_DELTA(DeltaRelation) *m = (PB_DELTA(DeltaRelation) *)message;
    *out = NULL;
    switch (m->relation_type_case) {
    case DREL(SCAN):
        return m->scan->table == NULL ? decode_missing(d, "Scan", "table") : table_relation(d, "scan", m->scan->table, out);
    case DREL(DESCRIBE_HISTORY):
        return m->describe_history->table == NULL ? decode_missing(d, "DescribeHistory", "table")
                                                  : table_relation(d, "history", m->describe_history->table, out);
    case DREL(DESCRIBE_DETAIL):
        return m->describe_detail->table == NULL ? decode_missing(d, "DescribeDetail", "table")
                                                 : table_relation(d, "detail", m->describe_detail->table, out);
    case DREL(IS_DELTA_TABLE):
        *out = rel_new(REL_DELTA, NULL, d->arena);
        (*out)->delta.op = S("isDeltaTable");
        (*out)->delta.path = wire_str(m->is_delta_table->path);
        return true;
    case DREL(CONVERT_TO_DELTA): return decode_convert(d, m->convert_to_delta, out);
    case DREL(RESTORE_TABLE): return decode_restore(d, m->restore_table);
    case DREL(DELETE_FROM_TABLE): return decode_delete(d, m->delete_from_table);
    case DREL(UPDATE_TABLE): return decode_update(d, m->update_table);
    case DREL(MERGE_INTO_TABLE): return decode_merge(d, m->merge_into_table);
    case DREL(OPTIMIZE_TABLE): return decode_optimize(d, m->optimize_table);
    default: return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                              PZ("fullName", "delta.connect.DeltaRelation.relation_type"), PZ("name", "relation_type"));
    }
}

/* ---- commands ---- */

static bool decode_column(Decoder *d, const PB_DELTA(CreateDeltaTable__Column) *m, ColumnDef *out)
{
    Str name = wire_str(m->name);
    *out = (ColumnDef){.name = name_of(d->arena, 1, &name)};
    out->not_null = !m->nullable; /* proto3: false is not sent */
    out->has_comment = m->comment != NULL;
    out->comment = wire_str(m->comment);
    if (m->generated_always_as != NULL) {
        out->generated_sql = wire_str(m->generated_always_as);
        out->generated = sql_text(d, out->generated_sql);
    }
    if (m->identity_info != NULL) {
        out->is_identity = true;
        out->identity_always = !m->identity_info->allow_explicit_insert;
        out->identity_start = m->identity_info->start;
        out->identity_step = m->identity_info->step;
    }
    return decode_type(m->data_type, d->arena, &out->type, d->err);
}

static bool decode_create(Decoder *d, const PB_DELTA(CreateDeltaTable) *m, Command *c)
{
    TableSpec *spec = &c->table.spec;
    switch (m->mode) {
    case DELTA__CONNECT__CREATE_DELTA_TABLE__MODE__MODE_CREATE: break;
    case DELTA__CONNECT__CREATE_DELTA_TABLE__MODE__MODE_CREATE_IF_NOT_EXISTS: c->existence = IF_NOT_EXISTS; break;
    case DELTA__CONNECT__CREATE_DELTA_TABLE__MODE__MODE_REPLACE: c->table.replace = true; break;
    case DELTA__CONNECT__CREATE_DELTA_TABLE__MODE__MODE_CREATE_OR_REPLACE: c->existence = OR_REPLACE; break;
    default: return decode_bad_enum(d, "CreateDeltaTable", "mode", m->mode);
    }
    spec->provider = S("delta");
    spec->location = wire_str(m->location);
    spec->comment = wire_str(m->comment);
    spec->properties = DECODE_OPTIONS(d, m, properties);
    for (size_t i = 0; i < m->n_columns; i++) {
        ColumnDef column;
        DECODE(decode_column(d, m->columns[i], &column));
        vec_push(d->arena, &spec->columns, column);
    }
    for (size_t i = 0; i < m->n_partitioning_columns; i++)
        vec_push(d->arena, &spec->partition_by, expr_column(d->arena, wire_str(m->partitioning_columns[i])));
    spec->cluster_by = decode_strs(d, m->n_clustering_columns, m->clustering_columns);
    spec->cluster_by_given = spec->cluster_by.len > 0;
    if (m->table_name != NULL)
        return decode_name(d, m->table_name, &c->name);
    if (spec->location.len == 0)
        return decode_missing(d, "CreateDeltaTable", "table_name");
    c->name = path_name(d, spec->location);
    return true;
}

static bool decode_clone(Decoder *d, const PB_DELTA(CloneTable) *m, Command *c)
{
    c->table.shallow = m->is_shallow;
    c->existence = m->replace ? OR_REPLACE : IF_NOT_GIVEN;
    c->table.spec.properties = DECODE_OPTIONS(d, m, properties);
    DECODE(decode_travel(d, m->version_or_timestamp_case == DELTA__CONNECT__CLONE_TABLE__VERSION_OR_TIMESTAMP_VERSION,
                         m->version,
                         m->version_or_timestamp_case == DELTA__CONNECT__CLONE_TABLE__VERSION_OR_TIMESTAMP_TIMESTAMP,
                         m->timestamp, &c->table.clone_travel));
    DECODE(name_or_path(d, m->target, &c->name));
    return decode_table(d, m->table, &c->table.clone_source);
}

static void push_number(Decoder *d, KeyValueVec *args, const char *key, int value)
{
    KeyValue one = {str_from(key), str_printf(d->arena, "%d", value), NULL};
    vec_push(d->arena, args, one);
}

bool decode_delta_command(Decoder *d, Str bytes, Decoded *out)
{
    ProtobufCMessage *message;
    DECODE(unpack_extension(d, &delta__connect__delta_command__descriptor, bytes, &message));
    const PB_DELTA(DeltaCommand) *m = (PB_DELTA(DeltaCommand) *)message;
    Command *c;
    switch (m->command_type_case) {
    case DCMD(CLONE_TABLE):
        c = out->command = command_new(CMD_CREATE_TABLE, d->arena);
        return decode_clone(d, m->clone_table, c);
    case DCMD(VACUUM_TABLE):
        c = out->command = command_new(CMD_VACUUM, d->arena);
        c->vacuum.has_hours = m->vacuum_table->has_retention_hours;
        c->vacuum.hours = m->vacuum_table->retention_hours;
        return decode_table(d, m->vacuum_table->table, &c->name);
    case DCMD(UPGRADE_TABLE_PROTOCOL):
        c = out->command = command_new(CMD_DELTA, d->arena);
        c->delta.op = S("upgradeProtocol");
        push_number(d, &c->delta.args, "readerVersion", m->upgrade_table_protocol->reader_version);
        push_number(d, &c->delta.args, "writerVersion", m->upgrade_table_protocol->writer_version);
        return decode_table(d, m->upgrade_table_protocol->table, &c->name);
    case DCMD(GENERATE):
        c = out->command = command_new(CMD_GENERATE, d->arena);
        c->delta.op = wire_str(m->generate->mode);
        return decode_table(d, m->generate->table, &c->name);
    case DCMD(CREATE_DELTA_TABLE):
        c = out->command = command_new(CMD_CREATE_TABLE, d->arena);
        return decode_create(d, m->create_delta_table, c);
    case DCMD(ADD_FEATURE_SUPPORT): {
        KeyValue feature = {S("feature"), wire_str(m->add_feature_support->feature_name), NULL};
        c = out->command = command_new(CMD_DELTA, d->arena);
        c->delta.op = S("addFeature");
        vec_push(d->arena, &c->delta.args, feature);
        return decode_table(d, m->add_feature_support->table, &c->name);
    }
    case DCMD(DROP_FEATURE_SUPPORT):
        c = out->command = command_new(CMD_ALTER_TABLE, d->arena);
        c->alter.kind = ALTER_DROP_FEATURE;
        c->alter.truncate_history = m->drop_feature_support->truncate_history;
        vec_push(d->arena, &c->alter.names, wire_str(m->drop_feature_support->feature_name));
        return decode_table(d, m->drop_feature_support->table, &c->name);
    default: return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                              PZ("fullName", "delta.connect.DeltaCommand.command_type"), PZ("name", "command_type"));
    }
}
