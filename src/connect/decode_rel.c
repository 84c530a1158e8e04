/* Relation messages become plan.h relations: one row a message, one function a row. */
#include "connect/decode_impl.h"

#define REL_CASE(name) SPARK__CONNECT__RELATION__REL_TYPE_##name

static bool decode_input(Decoder *d, const PB(Relation) *input, const char *message, Rel **out)
{
    return input == NULL ? decode_missing(d, message, "input") : decode_rel(d, input, out);
}

/* Makes a relation over its first input. */
static bool rel_over(Decoder *d, RelKind kind, const PB(Relation) *input, const char *message, Rel **out)
{
    Rel *child;
    DECODE(decode_input(d, input, message, &child));
    *out = rel_new(kind, child, d->arena);
    return true;
}

/* ---- sources ---- */

static bool decode_read(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(Read) *read = r->read;
    if (read->read_type_case == SPARK__CONNECT__READ__READ_TYPE_NAMED_TABLE) {
        *out = rel_new(REL_NAMED_TABLE, NULL, d->arena);
        (*out)->table.options = DECODE_OPTIONS(d, read->named_table, options);
        (*out)->table.streaming = read->is_streaming;
        return decode_name(d, read->named_table->unparsed_identifier, &(*out)->table.name);
    }
    if (read->read_type_case != SPARK__CONNECT__READ__READ_TYPE_DATA_SOURCE)
        return decode_missing(d, "Read", "read_type");
    const PB(Read__DataSource) *s = read->data_source;
    *out = rel_new(REL_DATA_SOURCE, NULL, d->arena);
    (*out)->source.format = wire_str(s->format);
    (*out)->source.schema_text = wire_str(s->schema);
    if ((*out)->source.schema_text.len > 0)
        DECODE(decode_schema_text((*out)->source.schema_text, d->arena, &(*out)->source.schema, d->err));
    (*out)->source.options = DECODE_OPTIONS(d, s, options);
    (*out)->source.paths = decode_strs(d, s->n_paths, s->paths);
    (*out)->source.predicates = decode_strs(d, s->n_predicates, s->predicates);
    (*out)->source.streaming = read->is_streaming;
    return true;
}

static bool decode_local(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(LocalRelation) *l = r->local_relation;
    *out = rel_new(REL_LOCAL, NULL, d->arena);
    if (l->has_data)
        (*out)->local.ipc = wire_bytes(l->data);
    Str schema = wire_str(l->schema);
    if (schema.len > 0)
        return decode_schema_text(schema, d->arena, &(*out)->local.schema, d->err);
    if ((*out)->local.ipc.len == 0)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__SCHEMA_REQUIRED_FOR_LOCAL_RELATION);
    return true;
}

static bool decode_cached_local(Decoder *d, const PB(Relation) *r, Rel **out)
{
    *out = rel_new(REL_CACHED_LOCAL, NULL, d->arena);
    (*out)->cached_local.hash = wire_str(r->cached_local_relation->hash);
    return true;
}

static bool decode_chunked_local(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(ChunkedCachedLocalRelation) *c = r->chunked_cached_local_relation;
    *out = rel_new(REL_CACHED_LOCAL, NULL, d->arena);
    (*out)->cached_local.data_hashes = decode_strs(d, c->n_datahashes, c->datahashes);
    (*out)->cached_local.schema_hash = wire_str(c->schemahash);
    return true;
}

static bool decode_cached_remote(Decoder *d, const PB(Relation) *r, Rel **out)
{
    *out = rel_new(REL_CACHED_REMOTE, NULL, d->arena);
    (*out)->cached_remote.id = wire_str(r->cached_remote_relation->relation_id);
    return true;
}

static bool decode_range(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(Range) *range = r->range;
    *out = rel_new(REL_RANGE, NULL, d->arena);
    (*out)->range.has_start = range->has_start;
    (*out)->range.start = range->start;
    (*out)->range.end = range->end;
    (*out)->range.step = range->has_step ? range->step : 1;
    (*out)->range.partitions = range->has_num_partitions ? range->num_partitions : 0;
    return true;
}

static bool decode_table_function(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(UnresolvedTableValuedFunction) *f = r->unresolved_table_valued_function;
    Str name = wire_str(f->function_name);
    *out = rel_new(REL_TABLE_FUNCTION, NULL, d->arena);
    (*out)->table_function.name = name_of(d->arena, 1, &name);
    return decode_exprs(d, f->n_arguments, f->arguments, &(*out)->table_function.args);
}

bool decode_sql(Decoder *d, const PB(SQL) *sql, Rel **out)
{
    Rel *rel = *out = rel_new(REL_SQL, NULL, d->arena);
    rel->sql.text = wire_str(sql->query);
    for (size_t i = 0; i < sql->n_args; i++) {
        KeyValue one = {.key = wire_str(sql->args[i]->key)};
        DECODE(decode_literal_expr(d, sql->args[i]->value, &one.expr));
        vec_push(d->arena, &rel->sql.named_args, one);
    }
    for (size_t i = 0; i < sql->n_named_arguments; i++) {
        KeyValue one = {.key = wire_str(sql->named_arguments[i]->key)};
        DECODE(decode_expr(d, sql->named_arguments[i]->value, &one.expr));
        vec_push(d->arena, &rel->sql.named_args, one);
    }
    for (size_t i = 0; i < sql->n_pos_args; i++) {
        Expr *e;
        DECODE(decode_literal_expr(d, sql->pos_args[i], &e));
        vec_push(d->arena, &rel->sql.positional_args, e);
    }
    return decode_exprs(d, sql->n_pos_arguments, sql->pos_arguments, &rel->sql.positional_args);
}

static bool decode_sql_rel(Decoder *d, const PB(Relation) *r, Rel **out)
{
    return decode_sql(d, r->sql, out);
}

/* ---- one input ---- */

static bool decode_project(Decoder *d, const PB(Relation) *r, Rel **out)
{
    if (r->project->input == NULL)
        *out = rel_new(REL_PROJECT, rel_new(REL_ONE_ROW, NULL, d->arena), d->arena);
    else
        DECODE(rel_over(d, REL_PROJECT, r->project->input, "Project", out));
    return decode_exprs(d, r->project->n_expressions, r->project->expressions, &(*out)->project.items);
}

static bool decode_filter(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_FILTER, r->filter->input, "Filter", out));
    return decode_expr(d, r->filter->condition, &(*out)->filter.condition);
}

static bool decode_sort(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_SORT, r->sort->input, "Sort", out));
    (*out)->sort.global = r->sort->is_global;
    for (size_t i = 0; i < r->sort->n_order; i++) {
        Expr *order;
        DECODE(decode_sort_order(d, r->sort->order[i], &order));
        vec_push(d->arena, &(*out)->sort.order, order);
    }
    return true;
}

static bool decode_limit(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_LIMIT, r->limit->input, "Limit", out));
    (*out)->limit.count = decode_int_literal(d, r->limit->limit);
    return true;
}

static bool decode_offset(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_OFFSET, r->offset->input, "Offset", out));
    (*out)->limit.count = decode_int_literal(d, r->offset->offset);
    return true;
}

static bool decode_tail(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_TAIL, r->tail->input, "Tail", out));
    (*out)->limit.count = decode_int_literal(d, r->tail->limit);
    return true;
}

static bool decode_pivot(Decoder *d, const PB(Aggregate__Pivot) *pivot, Rel *rel)
{
    if (pivot == NULL)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__AGGREGATE_WITH_PIVOT_REQUIRES_PIVOT);
    DECODE(decode_expr(d, pivot->col, &rel->aggregate.pivot_column));
    for (size_t i = 0; i < pivot->n_values; i++) {
        Expr *value;
        DECODE(decode_literal_expr(d, pivot->values[i], &value));
        vec_push(d->arena, &rel->aggregate.pivot_values, value);
    }
    return true;
}

static bool decode_aggregate(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(Aggregate) *a = r->aggregate;
    DECODE(rel_over(d, REL_AGGREGATE, a->input, "Aggregate", out));
    Rel *rel = *out;
    rel->aggregate.keys_in_output = true;
    DECODE(decode_exprs(d, a->n_grouping_expressions, a->grouping_expressions, &rel->aggregate.keys));
    DECODE(decode_exprs(d, a->n_aggregate_expressions, a->aggregate_expressions, &rel->aggregate.items));
    switch (a->group_type) {
    case SPARK__CONNECT__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPBY: rel->aggregate.group = GROUP_BY; return true;
    case SPARK__CONNECT__AGGREGATE__GROUP_TYPE__GROUP_TYPE_ROLLUP: rel->aggregate.group = GROUP_ROLLUP; return true;
    case SPARK__CONNECT__AGGREGATE__GROUP_TYPE__GROUP_TYPE_CUBE: rel->aggregate.group = GROUP_CUBE; return true;
    case SPARK__CONNECT__AGGREGATE__GROUP_TYPE__GROUP_TYPE_PIVOT:
        rel->aggregate.group = GROUP_PIVOT;
        return decode_pivot(d, a->pivot, rel);
    case SPARK__CONNECT__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPING_SETS:
        rel->aggregate.group = GROUP_SETS;
        for (size_t i = 0; i < a->n_grouping_sets; i++) {
            ExprVec set = {0};
            DECODE(decode_exprs(d, a->grouping_sets[i]->n_grouping_set, a->grouping_sets[i]->grouping_set, &set));
            vec_push(d->arena, &rel->aggregate.sets, set);
        }
        return true;
    default: return decode_bad_enum(d, "Aggregate", "group_type", a->group_type);
    }
}

static bool decode_subquery_alias(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(SubqueryAlias) *a = r->subquery_alias;
    DECODE(rel_over(d, REL_SUBQUERY_ALIAS, a->input, "SubqueryAlias", out));
    (*out)->subquery_alias.alias = wire_str(a->alias);
    (*out)->subquery_alias.qualifier = decode_strs(d, a->n_qualifier, a->qualifier);
    return true;
}

static bool decode_deduplicate(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(Deduplicate) *x = r->deduplicate;
    DECODE(rel_over(d, REL_DEDUPLICATE, x->input, "Deduplicate", out));
    if (x->all_columns_as_keys && x->n_column_names > 0)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__DEDUPLICATE_ALL_COLUMNS_AND_SUBSET);
    if (!x->all_columns_as_keys && x->n_column_names == 0)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__DEDUPLICATE_REQUIRES_COLUMNS_OR_ALL);
    (*out)->deduplicate.columns = decode_strs(d, x->n_column_names, x->column_names);
    (*out)->deduplicate.all_columns = x->all_columns_as_keys;
    (*out)->deduplicate.within_watermark = x->within_watermark;
    return true;
}

static bool decode_sample(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(Sample) *s = r->sample;
    DECODE(rel_over(d, REL_SAMPLE, s->input, "Sample", out));
    (*out)->sample.lower = s->lower_bound;
    (*out)->sample.upper = s->upper_bound;
    (*out)->sample.replacement = s->with_replacement;
    (*out)->sample.has_seed = s->has_seed;
    (*out)->sample.seed = s->seed;
    (*out)->sample.ordered = s->deterministic_order;
    return true;
}

static bool decode_repartition(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_REPARTITION, r->repartition->input, "Repartition", out));
    (*out)->repartition.partitions = r->repartition->num_partitions;
    (*out)->repartition.shuffle = r->repartition->shuffle;
    return true;
}

static bool decode_repartition_by(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(RepartitionByExpression) *x = r->repartition_by_expression;
    DECODE(rel_over(d, REL_REPARTITION, x->input, "RepartitionByExpression", out));
    (*out)->repartition.partitions = x->has_num_partitions ? x->num_partitions : -1;
    (*out)->repartition.shuffle = true;
    return decode_exprs(d, x->n_partition_exprs, x->partition_exprs, &(*out)->repartition.by);
}

static bool decode_to_df(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_TO_DF, r->to_df->input, "ToDF", out));
    (*out)->to_df.names = decode_strs(d, r->to_df->n_column_names, r->to_df->column_names);
    return true;
}

static bool decode_with_columns(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(WithColumns) *w = r->with_columns;
    DECODE(rel_over(d, REL_WITH_COLUMNS, w->input, "WithColumns", out));
    for (size_t i = 0; i < w->n_aliases; i++) {
        Expr *item;
        if (w->aliases[i]->n_name != 1)
            return error_set(d->err, ERR_CONNECT_INVALID_PLAN__WITH_COLUMNS_REQUIRE_SINGLE_NAME_PART,
                             PZ("got", "several"));
        DECODE(decode_alias(d, w->aliases[i], &item));
        vec_push(d->arena, &(*out)->with_columns.items, item);
    }
    return true;
}

static bool decode_with_columns_renamed(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(WithColumnsRenamed) *w = r->with_columns_renamed;
    DECODE(rel_over(d, REL_RENAME_COLUMNS, w->input, "WithColumnsRenamed", out));
    (*out)->rename.renames = DECODE_OPTIONS(d, w, rename_columns_map);
    for (size_t i = 0; i < w->n_renames; i++) {
        KeyValue one = {wire_str(w->renames[i]->col_name), wire_str(w->renames[i]->new_col_name), NULL};
        vec_push(d->arena, &(*out)->rename.renames, one);
    }
    return true;
}

static bool decode_drop(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_DROP, r->drop->input, "Drop", out));
    (*out)->drop.names = decode_strs(d, r->drop->n_column_names, r->drop->column_names);
    return decode_exprs(d, r->drop->n_columns, r->drop->columns, &(*out)->drop.columns);
}

static bool decode_to_schema(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_TO_SCHEMA, r->to_schema->input, "ToSchema", out));
    return decode_type(r->to_schema->schema, d->arena, &(*out)->to_schema.schema, d->err);
}

static bool decode_unpivot(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(Unpivot) *u = r->unpivot;
    DECODE(rel_over(d, REL_UNPIVOT, u->input, "Unpivot", out));
    Rel *rel = *out;
    rel->unpivot.variable_name = wire_str(u->variable_column_name);
    rel->unpivot.value_name = wire_str(u->value_column_name);
    rel->unpivot.include_nulls = true; /* as Dataset.unpivot; only SQL leaves them out */
    DECODE(decode_exprs(d, u->n_ids, u->ids, &rel->unpivot.ids));
    rel->unpivot.has_values = u->values != NULL;
    return u->values == NULL || decode_exprs(d, u->values->n_values, u->values->values, &rel->unpivot.values);
}

static bool decode_transpose(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_TRANSPOSE, r->transpose->input, "Transpose", out));
    return decode_exprs(d, r->transpose->n_index_columns, r->transpose->index_columns,
                        &(*out)->transpose.index_columns);
}

static bool decode_hint(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_HINT, r->hint->input, "Hint", out));
    (*out)->hint.name = wire_str(r->hint->name);
    return decode_exprs(d, r->hint->n_parameters, r->hint->parameters, &(*out)->hint.params);
}

static bool decode_show_string(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_SHOW_STRING, r->show_string->input, "ShowString", out));
    (*out)->show.num_rows = r->show_string->num_rows;
    (*out)->show.truncate = r->show_string->truncate;
    (*out)->show.vertical = r->show_string->vertical;
    return true;
}

static bool decode_html_string(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_HTML_STRING, r->html_string->input, "HtmlString", out));
    (*out)->show.num_rows = r->html_string->num_rows;
    (*out)->show.truncate = r->html_string->truncate;
    return true;
}

static bool decode_collect_metrics(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(CollectMetrics) *c = r->collect_metrics;
    DECODE(rel_over(d, REL_COLLECT_METRICS, c->input, "CollectMetrics", out));
    (*out)->collect_metrics.name = wire_str(c->name);
    return decode_exprs(d, c->n_metrics, c->metrics, &(*out)->collect_metrics.metrics);
}

static bool decode_parse(Decoder *d, const PB(Relation) *r, Rel **out)
{
    static const char *const formats[] = {NULL, "csv", "json", "xml"};
    const PB(Parse) *p = r->parse;
    DECODE(rel_over(d, REL_PARSE, p->input, "Parse", out));
    if (p->format < 1 || (size_t)p->format >= LENGTH_OF(formats))
        return decode_bad_enum(d, "Parse", "format", p->format);
    (*out)->parse.format = str_from(formats[p->format]);
    (*out)->parse.options = DECODE_OPTIONS(d, p, options);
    return p->schema == NULL || decode_type(p->schema, d->arena, &(*out)->parse.schema, d->err);
}

static bool decode_watermark(Decoder *d, const PB(Relation) *r, Rel **out)
{
    DECODE(rel_over(d, REL_WITH_WATERMARK, r->with_watermark->input, "WithWatermark", out));
    (*out)->watermark.column = wire_str(r->with_watermark->event_time);
    (*out)->watermark.delay = wire_str(r->with_watermark->delay_threshold);
    return true;
}

/* ---- two inputs ---- */

bool decode_join_kind(Decoder *d, int type, JoinKind *out)
{
    static const JoinKind kinds[] = {[SPARK__CONNECT__JOIN__JOIN_TYPE__JOIN_TYPE_INNER] = JOIN_INNER,
                                     [SPARK__CONNECT__JOIN__JOIN_TYPE__JOIN_TYPE_FULL_OUTER] = JOIN_FULL,
                                     [SPARK__CONNECT__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_OUTER] = JOIN_LEFT,
                                     [SPARK__CONNECT__JOIN__JOIN_TYPE__JOIN_TYPE_RIGHT_OUTER] = JOIN_RIGHT,
                                     [SPARK__CONNECT__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_ANTI] = JOIN_LEFT_ANTI,
                                     [SPARK__CONNECT__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_SEMI] = JOIN_LEFT_SEMI,
                                     [SPARK__CONNECT__JOIN__JOIN_TYPE__JOIN_TYPE_CROSS] = JOIN_CROSS};
    if (type < 1 || (size_t)type >= LENGTH_OF(kinds))
        return decode_bad_enum(d, "Join", "join_type", type);
    *out = kinds[type];
    return true;
}

static bool decode_join(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(Join) *j = r->join;
    DECODE(rel_over(d, REL_JOIN, j->left, "Join", out));
    Rel *rel = *out;
    if (j->join_condition != NULL && j->n_using_columns > 0)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__USING_COLUMNS_OR_JOIN_CONDITION_SET_IN_JOIN);
    if (j->join_data_type != NULL)
        return error_unsupported(d->err, "joinWith");
    DECODE(decode_input(d, j->right, "Join", &rel->join.right));
    DECODE(decode_join_kind(d, j->join_type, &rel->join.kind));
    rel->join.using_columns = decode_strs(d, j->n_using_columns, j->using_columns);
    return decode_optional_expr(d, j->join_condition, &rel->join.condition);
}

static bool decode_lateral_join(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(LateralJoin) *j = r->lateral_join;
    DECODE(rel_over(d, REL_LATERAL_JOIN, j->left, "LateralJoin", out));
    (*out)->join.lateral = true;
    DECODE(decode_input(d, j->right, "LateralJoin", &(*out)->join.right));
    DECODE(decode_join_kind(d, j->join_type, &(*out)->join.kind));
    return decode_optional_expr(d, j->join_condition, &(*out)->join.condition);
}

static bool decode_as_of_join(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(AsOfJoin) *j = r->as_of_join;
    DECODE(rel_over(d, REL_ASOF_JOIN, j->left, "AsOfJoin", out));
    Rel *rel = *out;
    DECODE(decode_input(d, j->right, "AsOfJoin", &rel->asof.right));
    DECODE(decode_expr(d, j->left_as_of, &rel->asof.left_as_of));
    DECODE(decode_expr(d, j->right_as_of, &rel->asof.right_as_of));
    DECODE(decode_optional_expr(d, j->join_expr, &rel->asof.condition));
    DECODE(decode_optional_expr(d, j->tolerance, &rel->asof.tolerance));
    rel->asof.using_columns = decode_strs(d, j->n_using_columns, j->using_columns);
    rel->asof.kind = wire_str(j->join_type);
    rel->asof.direction = wire_str(j->direction);
    rel->asof.allow_exact = j->allow_exact_matches;
    return true;
}

static bool decode_nearest_join(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(NearestByJoin) *j = r->nearest_by_join;
    DECODE(rel_over(d, REL_NEAREST_JOIN, j->left, "NearestByJoin", out));
    Rel *rel = *out;
    DECODE(decode_input(d, j->right, "NearestByJoin", &rel->nearest.right));
    DECODE(decode_expr(d, j->ranking_expression, &rel->nearest.ranking));
    rel->nearest.count = j->has_num_results ? j->num_results : 1;
    rel->nearest.kind = wire_str(j->join_type);
    rel->nearest.direction = wire_str(j->direction);
    return true;
}

static bool decode_set_op(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(SetOperation) *s = r->set_op;
    if (s->left_input == NULL || s->right_input == NULL)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__SET_OPERATION_MUST_HAVE_TWO_INPUTS);
    DECODE(rel_over(d, REL_SET_OP, s->left_input, "SetOperation", out));
    Rel *rel = *out;
    DECODE(decode_rel(d, s->right_input, &rel->set_op.right));
    rel->set_op.all = s->is_all;
    rel->set_op.by_name = s->by_name;
    rel->set_op.allow_missing = s->allow_missing_columns;
    switch (s->set_op_type) {
    case SPARK__CONNECT__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_UNION:
        rel->set_op.kind = SETOP_UNION;
        if (s->allow_missing_columns && !s->by_name)
            return error_set(d->err, ERR_CONNECT_INVALID_PLAN__UNION_BY_NAME_ALLOW_MISSING_COL_REQUIRES_BY_NAME);
        return true;
    case SPARK__CONNECT__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_INTERSECT:
        rel->set_op.kind = SETOP_INTERSECT;
        return !s->by_name || error_set(d->err, ERR_CONNECT_INVALID_PLAN__INTERSECT_DOES_NOT_SUPPORT_UNION_BY_NAME);
    case SPARK__CONNECT__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_EXCEPT:
        rel->set_op.kind = SETOP_EXCEPT;
        return !s->by_name || error_set(d->err, ERR_CONNECT_INVALID_PLAN__EXCEPT_DOES_NOT_SUPPORT_UNION_BY_NAME);
    default: return decode_bad_enum(d, "SetOperation", "set_op_type", s->set_op_type);
    }
}

/* ---- user-defined functions over relations ---- */

static bool decode_map_partitions(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(MapPartitions) *m = r->map_partitions;
    DECODE(rel_over(d, REL_MAP_PARTITIONS, m->input, "MapPartitions", out));
    (*out)->map_partitions.barrier = m->is_barrier;
    return decode_python(d, m->func, &(*out)->map_partitions.function, &(*out)->map_partitions.args);
}

static bool decode_group_map(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(GroupMap) *g = r->group_map;
    if (g->is_map_groups_with_state || g->transform_with_state_info != NULL || g->initial_input != NULL)
        return error_unsupported(d->err, "Grouping with state");
    DECODE(rel_over(d, REL_GROUP_MAP, g->input, "GroupMap", out));
    DECODE(decode_exprs(d, g->n_grouping_expressions, g->grouping_expressions, &(*out)->group_map.keys));
    DECODE(decode_exprs(d, g->n_sorting_expressions, g->sorting_expressions, &(*out)->group_map.sorting));
    return decode_python(d, g->func, &(*out)->group_map.function, &(*out)->group_map.args);
}

static bool decode_cogroup_map(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(CoGroupMap) *g = r->co_group_map;
    DECODE(rel_over(d, REL_COGROUP_MAP, g->input, "CoGroupMap", out));
    Rel *rel = *out;
    DECODE(decode_input(d, g->other, "CoGroupMap", &rel->group_map.other));
    DECODE(decode_exprs(d, g->n_input_grouping_expressions, g->input_grouping_expressions, &rel->group_map.keys));
    DECODE(decode_exprs(d, g->n_other_grouping_expressions, g->other_grouping_expressions,
                        &rel->group_map.other_keys));
    DECODE(decode_exprs(d, g->n_input_sorting_expressions, g->input_sorting_expressions, &rel->group_map.sorting));
    DECODE(decode_exprs(d, g->n_other_sorting_expressions, g->other_sorting_expressions,
                        &rel->group_map.other_sorting));
    return decode_python(d, g->func, &rel->group_map.function, &rel->group_map.args);
}

static bool decode_python_table_rel(Decoder *d, const PB(Relation) *r, Rel **out)
{
    *out = rel_new(REL_PYTHON_TABLE_FUNCTION, NULL, d->arena);
    return decode_python_table(d, r->common_inline_user_defined_table_function, &(*out)->python_table.function,
                               &(*out)->python_table.args);
}

/* ---- references ---- */

/* References are decoded when an expression asks for them: they may use each other in any order, and a circle ends at
 * the depth limit. */
static bool decode_with_relations(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const PB(WithRelations) *w = r->with_relations;
    if (w->root == NULL)
        return decode_missing(d, "WithRelations", "root");
    for (size_t i = 0; i < w->n_references; i++) {
        Reference one = {w->references[i], NULL};
        vec_push(d->arena, &d->references, one);
    }
    if (w->root->rel_type_case != REL_CASE(SQL))
        return decode_rel(d, w->root, out);
    /* spark.sql("... {df} ...", df=df): each reference is a temp view for this statement only. */
    DECODE(rel_over(d, REL_WITH_RELATIONS, w->root, "WithRelations", out));
    for (size_t i = 0; i < w->n_references; i++) {
        Rel *reference;
        if (w->references[i]->rel_type_case != REL_CASE(SUBQUERY_ALIAS))
            return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_SQL_WITH_REFERENCES);
        DECODE(decode_rel(d, w->references[i], &reference));
        vec_push(d->arena, &(*out)->with_relations.references, reference);
    }
    return true;
}

static bool find_reference(Decoder *d, int64_t plan_id, Rel **out)
{
    for (size_t i = d->references.len; i-- > 0;) {
        const PB(Relation) *r = d->references.at[i].relation;
        if (r->common == NULL || !r->common->has_plan_id || r->common->plan_id != plan_id)
            continue;
        if (d->references.at[i].decoded == NULL) {
            Rel *decoded;
            DECODE(decode_rel(d, r, &decoded));
            d->references.at[i].decoded = decoded;
        }
        *out = d->references.at[i].decoded;
        return true;
    }
    return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_WITH_RELATION_REFERENCE);
}

bool decode_subquery(Decoder *d, const PB(SubqueryExpression) *s, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_SUBQUERY, d->arena);
    switch (s->subquery_type) {
    case SPARK__CONNECT__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_SCALAR:
        e->subquery.kind = SUBQUERY_SCALAR;
        break;
    case SPARK__CONNECT__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_EXISTS:
        e->subquery.kind = SUBQUERY_EXISTS;
        break;
    case SPARK__CONNECT__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_IN:
        e->subquery.kind = SUBQUERY_IN;
        break;
    case SPARK__CONNECT__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_TABLE_ARG:
        e->subquery.kind = SUBQUERY_TABLE;
        break;
    default: return decode_bad_enum(d, "SubqueryExpression", "subquery_type", s->subquery_type);
    }
    const PB(SubqueryExpression__TableArgOptions) *o = s->table_arg_options;
    if (o != NULL) { /* one partition is what there is without partitionBy */
        DECODE(decode_exprs(d, o->n_partition_spec, o->partition_spec, &e->subquery.partition));
        for (size_t i = 0; i < o->n_order_spec; i++) {
            Expr *order;
            DECODE(decode_sort_order(d, o->order_spec[i], &order));
            vec_push(d->arena, &e->subquery.order, order);
        }
    }
    DECODE(decode_exprs(d, s->n_in_subquery_values, s->in_subquery_values, &e->subquery.values));
    return find_reference(d, s->plan_id, &e->subquery.plan);
}

/* ---- dispatch ---- */

static bool decode_extension(Decoder *d, const PB(Relation) *r, Rel **out)
{
    Str url = wire_str(r->extension->type_url);
    if (!str_ends_with(url, S("/delta.connect.DeltaRelation")))
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__NO_HANDLER_FOR_EXTENSION, P("extensionTypeUrl", url));
    return decode_delta_relation(d, wire_bytes(r->extension->value), out);
}

static bool decode_catalog_rel(Decoder *d, const PB(Relation) *r, Rel **out)
{
    return decode_catalog(d, r->catalog, out);
}

typedef struct RelRow {
    PB(Relation__RelTypeCase) kind_case;
    bool (*decode)(Decoder *d, const PB(Relation) *r, Rel **out);
    const char *refused; /* what an error calls it when there is no decoder */
} RelRow;

static const RelRow rel_rows[] = {
    {REL_CASE(READ), decode_read, NULL},
    {REL_CASE(PROJECT), decode_project, NULL},
    {REL_CASE(FILTER), decode_filter, NULL},
    {REL_CASE(JOIN), decode_join, NULL},
    {REL_CASE(SET_OP), decode_set_op, NULL},
    {REL_CASE(SORT), decode_sort, NULL},
    {REL_CASE(LIMIT), decode_limit, NULL},
    {REL_CASE(AGGREGATE), decode_aggregate, NULL},
    {REL_CASE(SQL), decode_sql_rel, NULL},
    {REL_CASE(LOCAL_RELATION), decode_local, NULL},
    {REL_CASE(SAMPLE), decode_sample, NULL},
    {REL_CASE(OFFSET), decode_offset, NULL},
    {REL_CASE(DEDUPLICATE), decode_deduplicate, NULL},
    {REL_CASE(RANGE), decode_range, NULL},
    {REL_CASE(SUBQUERY_ALIAS), decode_subquery_alias, NULL},
    {REL_CASE(REPARTITION), decode_repartition, NULL},
    {REL_CASE(TO_DF), decode_to_df, NULL},
    {REL_CASE(WITH_COLUMNS_RENAMED), decode_with_columns_renamed, NULL},
    {REL_CASE(SHOW_STRING), decode_show_string, NULL},
    {REL_CASE(DROP), decode_drop, NULL},
    {REL_CASE(TAIL), decode_tail, NULL},
    {REL_CASE(WITH_COLUMNS), decode_with_columns, NULL},
    {REL_CASE(HINT), decode_hint, NULL},
    {REL_CASE(UNPIVOT), decode_unpivot, NULL},
    {REL_CASE(TO_SCHEMA), decode_to_schema, NULL},
    {REL_CASE(REPARTITION_BY_EXPRESSION), decode_repartition_by, NULL},
    {REL_CASE(MAP_PARTITIONS), decode_map_partitions, NULL},
    {REL_CASE(COLLECT_METRICS), decode_collect_metrics, NULL},
    {REL_CASE(PARSE), decode_parse, NULL},
    {REL_CASE(GROUP_MAP), decode_group_map, NULL},
    {REL_CASE(CO_GROUP_MAP), decode_cogroup_map, NULL},
    {REL_CASE(WITH_WATERMARK), decode_watermark, NULL},
    {REL_CASE(APPLY_IN_PANDAS_WITH_STATE), NULL, "applyInPandasWithState"},
    {REL_CASE(HTML_STRING), decode_html_string, NULL},
    {REL_CASE(CACHED_LOCAL_RELATION), decode_cached_local, NULL},
    {REL_CASE(CACHED_REMOTE_RELATION), decode_cached_remote, NULL},
    {REL_CASE(COMMON_INLINE_USER_DEFINED_TABLE_FUNCTION), decode_python_table_rel, NULL},
    {REL_CASE(AS_OF_JOIN), decode_as_of_join, NULL},
    {REL_CASE(COMMON_INLINE_USER_DEFINED_DATA_SOURCE), NULL, "A Python data source"},
    {REL_CASE(WITH_RELATIONS), decode_with_relations, NULL},
    {REL_CASE(TRANSPOSE), decode_transpose, NULL},
    {REL_CASE(UNRESOLVED_TABLE_VALUED_FUNCTION), decode_table_function, NULL},
    {REL_CASE(LATERAL_JOIN), decode_lateral_join, NULL},
    {REL_CASE(CHUNKED_CACHED_LOCAL_RELATION), decode_chunked_local, NULL},
    {REL_CASE(RELATION_CHANGES), NULL, "DataFrameReader.changes"},
    {REL_CASE(NEAREST_BY_JOIN), decode_nearest_join, NULL},
    {REL_CASE(FILL_NA), decode_stat, NULL},
    {REL_CASE(DROP_NA), decode_stat, NULL},
    {REL_CASE(REPLACE), decode_stat, NULL},
    {REL_CASE(SUMMARY), decode_stat, NULL},
    {REL_CASE(CROSSTAB), decode_stat, NULL},
    {REL_CASE(DESCRIBE), decode_stat, NULL},
    {REL_CASE(COV), decode_stat, NULL},
    {REL_CASE(CORR), decode_stat, NULL},
    {REL_CASE(APPROX_QUANTILE), decode_stat, NULL},
    {REL_CASE(FREQ_ITEMS), decode_stat, NULL},
    {REL_CASE(SAMPLE_BY), decode_stat, NULL},
    {REL_CASE(CATALOG), decode_catalog_rel, NULL},
    {REL_CASE(ML_RELATION), NULL, "pyspark.ml over Spark Connect"},
    {REL_CASE(EXTENSION), decode_extension, NULL},
    {REL_CASE(UNKNOWN), NULL, "A relation of the kind Unknown"},
};

bool decode_rel(Decoder *d, const PB(Relation) *r, Rel **out)
{
    const RelRow *row = NULL;
    if (r == NULL)
        return decode_missing(d, "Relation", "rel_type");
    for (size_t i = 0; i < LENGTH_OF(rel_rows) && row == NULL; i++)
        if (rel_rows[i].kind_case == r->rel_type_case)
            row = &rel_rows[i];
    if (row == NULL)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                         PZ("fullName", "spark.connect.Relation.rel_type"), PZ("name", "rel_type"));
    if (row->decode == NULL)
        return error_unsupported(d->err, "%s", row->refused);
    bool is_root = d->depth == 0;
    DECODE(decode_enter(d));
    DECODE(row->decode(d, r, out));
    decode_leave(d);
    if (d->command != NULL && !is_root)
        return error_unsupported(d->err, "A command inside another relation");
    if (*out != NULL)
        (*out)->plan_id = r->common != NULL && r->common->has_plan_id ? r->common->plan_id : -1;
    return true;
}

bool decode_relation(const PB(Relation) *relation, Arena *arena, Decoded *out, Error *err)
{
    Decoder d = {.arena = arena, .err = err};
    *out = (Decoded){0};
    TRY(decode_rel(&d, relation, &out->query));
    out->command = d.command;
    return true;
}
