/* Command messages become plan.h commands; what has no counterpart yet is refused by name. */
#include "base/clock.h"
#include "connect/decode_impl.h"

#define CMD_CASE(name) SPARK__CONNECT__COMMAND__COMMAND_TYPE_##name

static bool written_query(Decoder *d, const PB(Relation) *input, Command *c)
{
    return input == NULL ? decode_missing(d, "Command", "input") : decode_rel(d, input, &c->query);
}

static bool decode_register(Decoder *d, const PB(Command) *m, Decoded *out)
{
    const PB(CommonInlineUserDefinedFunction) *f = m->register_function;
    Command *c = out->command = command_new(CMD_REGISTER_FUNCTION, d->arena);
    ExprVec args = {0};
    Str name = wire_str(f->function_name);
    c->name = name_of(d->arena, 1, &name);
    c->function.temporary = true;
    DECODE(decode_python(d, f, &c->function.python, &args));
    c->function.returns = c->function.python->return_type;
    return true;
}

static bool decode_register_table(Decoder *d, const PB(Command) *m, Decoded *out)
{
    const PB(CommonInlineUserDefinedTableFunction) *f = m->register_table_function;
    Command *c = out->command = command_new(CMD_REGISTER_FUNCTION, d->arena);
    ExprVec args = {0};
    Str name = wire_str(f->function_name);
    c->name = name_of(d->arena, 1, &name);
    c->function.temporary = c->function.is_table = true;
    DECODE(decode_python_table(d, f, &c->function.python, &args));
    c->function.returns = c->function.python->return_type;
    return true;
}

static bool save_mode(Decoder *d, int mode, Str *out)
{
    static const char *const modes[] = {"error", "append", "overwrite", "error", "ignore"};
    if (mode < 0 || (size_t)mode >= LENGTH_OF(modes))
        return decode_bad_enum(d, "WriteOperation", "mode", mode);
    *out = str_from(modes[mode]);
    return true;
}

static bool decode_write(Decoder *d, const PB(Command) *m, Decoded *out)
{
    const PB(WriteOperation) *w = m->write_operation;
    Command *c = out->command = command_new(CMD_WRITE, d->arena);
    DECODE(written_query(d, w->input, c));
    DECODE(save_mode(d, w->mode, &c->write.mode));
    c->write.format = wire_str(w->source);
    c->properties = DECODE_OPTIONS(d, w, options);
    c->write.partition_by = decode_strs(d, w->n_partitioning_columns, w->partitioning_columns);
    c->write.cluster_by = decode_strs(d, w->n_clustering_columns, w->clustering_columns);
    c->write.sort_by = decode_strs(d, w->n_sort_column_names, w->sort_column_names);
    if (w->with_schema_evolution)
        return error_unsupported(d->err, "withSchemaEvolution of a DataFrameWriter");
    if (w->bucket_by != NULL) {
        c->write.bucket_by = decode_strs(d, w->bucket_by->n_bucket_column_names, w->bucket_by->bucket_column_names);
        c->write.buckets = w->bucket_by->num_buckets;
    }
    switch (w->save_type_case) {
    case SPARK__CONNECT__WRITE_OPERATION__SAVE_TYPE_PATH: c->write.path = wire_str(w->path); return true;
    case SPARK__CONNECT__WRITE_OPERATION__SAVE_TYPE_TABLE:
        c->write.insert_into = w->table->save_method ==
            SPARK__CONNECT__WRITE_OPERATION__SAVE_TABLE__TABLE_SAVE_METHOD__TABLE_SAVE_METHOD_INSERT_INTO;
        if (c->write.insert_into && w->mode == SPARK__CONNECT__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_UNSPECIFIED)
            c->write.mode = S("append");
        return decode_name(d, w->table->table_name, &c->name);
    default: c->write.path = key_value_get(&c->properties, "path"); return true;
    }
}

static bool decode_view(Decoder *d, const PB(Command) *m, Decoded *out)
{
    const PB(CreateDataFrameViewCommand) *v = m->create_dataframe_view;
    Command *c = out->command = command_new(CMD_CREATE_TEMP_VIEW, d->arena);
    c->view.temporary = true;
    c->view.global = v->is_global;
    c->view.replace = v->replace;
    c->existence = v->replace ? OR_REPLACE : IF_NOT_GIVEN;
    DECODE(decode_name(d, v->name, &c->name));
    if (c->name.len != 1)
        return error_set(d->err, ERR_TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS,
                         P("actualName", name_quoted(&c->name, d->arena)));
    return written_query(d, v->input, c);
}

static bool decode_write_v2(Decoder *d, const PB(Command) *m, Decoded *out)
{
    static const char *const modes[] = {NULL,     "create",  "overwrite",        "overwrite_partitions",
                                        "append", "replace", "create_or_replace"};
    const PB(WriteOperationV2) *w = m->write_operation_v2;
    Command *c = out->command = command_new(CMD_WRITE_V2, d->arena);
    if (w->mode < 1 || (size_t)w->mode >= LENGTH_OF(modes))
        return decode_bad_enum(d, "WriteOperationV2", "mode", w->mode);
    if (w->with_schema_evolution)
        return error_unsupported(d->err, "withSchemaEvolution of a DataFrameWriterV2");
    c->write_v2.mode = str_from(modes[w->mode]);
    c->write_v2.provider = wire_str(w->provider);
    c->write_v2.table_properties = DECODE_OPTIONS(d, w, table_properties);
    c->write_v2.cluster_by = decode_strs(d, w->n_clustering_columns, w->clustering_columns);
    c->properties = DECODE_OPTIONS(d, w, options);
    DECODE(decode_name(d, w->table_name, &c->name));
    DECODE(decode_exprs(d, w->n_partitioning_columns, w->partitioning_columns, &c->write_v2.partition_by));
    DECODE(decode_optional_expr(d, w->overwrite_condition, &c->write_v2.overwrite_condition));
    return written_query(d, w->input, c);
}

static bool decode_checkpoint(Decoder *d, const PB(Command) *m, Decoded *out)
{
    const PB(CheckpointCommand) *k = m->checkpoint_command;
    Command *c = out->command = command_new(CMD_CHECKPOINT, d->arena);
    c->cached.id = clock_uuid_in(d->arena);
    c->cached.eager = k->eager;
    return written_query(d, k->relation, c);
}

static bool decode_remove_cached(Decoder *d, const PB(Command) *m, Decoded *out)
{
    const PB(CachedRemoteRelation) *r = m->remove_cached_remote_relation_command->relation;
    if (r == NULL)
        return decode_missing(d, "RemoveCachedRemoteRelationCommand", "relation");
    out->command = command_new(CMD_REMOVE_CACHED, d->arena);
    out->command->cached.id = wire_str(r->relation_id);
    return true;
}

/* ---- mergeInto ---- */

static bool decode_assignment(Decoder *d, const PB(MergeAction__Assignment) *a, Assignment *out)
{
    Expr *key;
    DECODE(decode_expr(d, a->key, &key));
    if (key->kind == EXPR_SQL_TEXT)
        DECODE(name_parse(key->sql_text.text, d->arena, &out->target, d->err));
    else if (key->kind == EXPR_COLUMN)
        out->target = key->column.name;
    else
        return decode_missing(d, "MergeAction.Assignment", "key");
    return decode_expr(d, a->value, &out->value);
}

static bool decode_merge_action(Decoder *d, const PB(Expression) *e, MergeClauseKind kind, Command *c)
{
    static const MergeActionKind actions[] = {0, MERGE_DELETE, MERGE_INSERT, MERGE_INSERT_STAR, MERGE_UPDATE,
                                              MERGE_UPDATE_STAR};
    if (e->expr_type_case != SPARK__CONNECT__EXPRESSION__EXPR_TYPE_MERGE_ACTION)
        return decode_missing(d, "MergeIntoTableCommand", "merge_action");
    const PB(MergeAction) *a = e->merge_action;
    if (a->action_type < 1 || (size_t)a->action_type >= LENGTH_OF(actions))
        return decode_bad_enum(d, "MergeAction", "action_type", a->action_type);
    MergeClause clause = {.kind = kind, .action = actions[a->action_type]};
    DECODE(decode_optional_expr(d, a->condition, &clause.condition));
    for (size_t i = 0; i < a->n_assignments; i++) {
        Assignment one;
        DECODE(decode_assignment(d, a->assignments[i], &one));
        vec_push(d->arena, &clause.assignments, one);
    }
    vec_push(d->arena, &c->merge.clauses, clause);
    return true;
}

static bool decode_merge(Decoder *d, const PB(Command) *m, Decoded *out)
{
    const PB(MergeIntoTableCommand) *g = m->merge_into_table_command;
    Command *c = out->command = command_new(CMD_MERGE, d->arena);
    c->merge.schema_evolution = g->with_schema_evolution;
    DECODE(decode_name(d, g->target_table_name, &c->name));
    DECODE(written_query(d, g->source_table_plan, c));
    DECODE(decode_expr(d, g->merge_condition, &c->merge.on));
    for (size_t i = 0; i < g->n_match_actions; i++)
        DECODE(decode_merge_action(d, g->match_actions[i], MERGE_MATCHED, c));
    for (size_t i = 0; i < g->n_not_matched_actions; i++)
        DECODE(decode_merge_action(d, g->not_matched_actions[i], MERGE_NOT_MATCHED, c));
    for (size_t i = 0; i < g->n_not_matched_by_source_actions; i++)
        DECODE(decode_merge_action(d, g->not_matched_by_source_actions[i], MERGE_NOT_MATCHED_BY_SOURCE, c));
    return true;
}

static bool decode_extension(Decoder *d, const PB(Command) *m, Decoded *out)
{
    Str url = wire_str(m->extension->type_url);
    if (!str_ends_with(url, S("/delta.connect.DeltaCommand")))
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__NO_HANDLER_FOR_EXTENSION, P("extensionTypeUrl", url));
    return decode_delta_command(d, wire_bytes(m->extension->value), out);
}

typedef struct CommandRow {
    PB(Command__CommandTypeCase) kind_case;
    bool (*decode)(Decoder *d, const PB(Command) *m, Decoded *out);
    const char *refused;
} CommandRow;

static const CommandRow command_rows[] = {
    {CMD_CASE(REGISTER_FUNCTION), decode_register, NULL},
    {CMD_CASE(WRITE_OPERATION), decode_write, NULL},
    {CMD_CASE(CREATE_DATAFRAME_VIEW), decode_view, NULL},
    {CMD_CASE(WRITE_OPERATION_V2), decode_write_v2, NULL},
    {CMD_CASE(REGISTER_TABLE_FUNCTION), decode_register_table, NULL},
    {CMD_CASE(REGISTER_DATA_SOURCE), NULL, "A Python data source (spark.dataSource.register)"},
    {CMD_CASE(CREATE_RESOURCE_PROFILE_COMMAND), NULL, "A resource profile"},
    {CMD_CASE(CHECKPOINT_COMMAND), decode_checkpoint, NULL},
    {CMD_CASE(REMOVE_CACHED_REMOTE_RELATION_COMMAND), decode_remove_cached, NULL},
    {CMD_CASE(MERGE_INTO_TABLE_COMMAND), decode_merge, NULL},
    {CMD_CASE(EXECUTE_EXTERNAL_COMMAND), NULL, "executeCommand"},
    {CMD_CASE(PIPELINE_COMMAND), NULL, "A declarative pipeline"},
    {CMD_CASE(EXTENSION), decode_extension, NULL},
};

bool decode_command(const PB(Command) *command, Arena *arena, Decoded *out, Error *err)
{
    Decoder d = {.arena = arena, .err = err, .depth = 1};
    *out = (Decoded){0};
    for (size_t i = 0; i < LENGTH_OF(command_rows); i++)
        if (command_rows[i].kind_case == command->command_type_case)
            return command_rows[i].decode == NULL ? error_unsupported(err, "%s", command_rows[i].refused)
                                                  : command_rows[i].decode(&d, command, out);
    return error_set(err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                     PZ("fullName", "spark.connect.Command.command_type"), PZ("name", "command_type"));
}

bool decode_sql_command(const PB(SqlCommand) *s, Arena *arena, Rel **out, Error *err)
{
    Decoder d = {.arena = arena, .err = err, .depth = 1};
    if (s->input != NULL) {
        if (s->input->rel_type_case != SPARK__CONNECT__RELATION__REL_TYPE_SQL &&
            s->input->rel_type_case != SPARK__CONNECT__RELATION__REL_TYPE_WITH_RELATIONS)
            return error_set(err, ERR_CONNECT_INVALID_PLAN__SQL_COMMAND_EXPECTS_SQL_OR_WITH_RELATIONS,
                             PZ("other", "another relation"));
        return decode_rel(&d, s->input, out);
    }
    /* The entries of both messages have the same fields. */
    PB(SQL) sql = SPARK__CONNECT__SQL__INIT;
    sql.query = s->sql;
    sql.n_args = s->n_args;
    sql.args = (PB(SQL__ArgsEntry) **)s->args;
    sql.n_pos_args = s->n_pos_args;
    sql.pos_args = s->pos_args;
    sql.n_named_arguments = s->n_named_arguments;
    sql.named_arguments = (PB(SQL__NamedArgumentsEntry) **)s->named_arguments;
    sql.n_pos_arguments = s->n_pos_arguments;
    sql.pos_arguments = s->pos_arguments;
    return decode_sql(&d, &sql, out);
}
