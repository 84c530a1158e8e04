/* The analyzer's life and its dispatch: which file answers for which relation. */
#include "analyze/analyze_impl.h"

#include <inttypes.h>
#include <stdio.h>

typedef bool (*RelRule)(Analyzer *a, const Rel *rel, BoundRel **out, Error *err);

static bool analyze_one_row(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    (void)rel;
    (void)err;
    *out = brel_new(BREL_ONE_ROW, NULL, a->arena);
    return true;
}

/* Repartitioning and hints change where work happens, not which rows come out. */
static bool analyze_transparent(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    return analyze_rel(a, rel->input, out, err);
}

static bool analyze_repartition(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    TRY(analyze_rel(a, rel->input, out, err));
    Scope scope = scope_of(a, *out);
    RepartitionSpec spec = {.kind = rel->repartition.shuffle ? REPARTITION_ROUND_ROBIN : REPARTITION_COALESCE,
                            .count = rel->repartition.partitions};
    for (size_t i = 0; i < rel->repartition.by.len; i++) {
        const Expr *e = rel->repartition.by.at[i];
        bool direct = e->kind == EXPR_CALL && str_is(vec_last(&e->call.name), "direct_shuffle_partition_id");
        BoundSort by;
        TRY(bind_sort(a, direct ? e->call.args.at[0] : e, &scope, &by, err));
        spec.kind = direct ? REPARTITION_ID : e->kind == EXPR_SORT ? REPARTITION_RANGE : REPARTITION_HASH;
        vec_push(a->arena, &spec.by, by.expr);
        vec_push(a->arena, &spec.order, by);
    }
    if (spec.count <= 0) /* small partitions are put together */
        spec = (RepartitionSpec){.kind = REPARTITION_COALESCE, .count = 1};
    if (rel->repartition.partitions > 0 || rel->repartition.by.len)
        *out = mark_partitions(a, strip_hidden(a, *out), &spec);
    return true;
}

static bool analyze_with_relations(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    const RelVec *saved = a->references;
    a->references = &rel->with_relations.references;
    bool ok = analyze_rel(a, rel->input, out, err);
    a->references = saved;
    return ok;
}

static bool analyze_window_defs(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    WindowNames names = {rel->window_defs.defs.at, rel->window_defs.defs.len, a->windows};
    a->windows = &names;
    bool ok = analyze_rel(a, rel->input, out, err);
    a->windows = names.outer;
    return ok;
}

/* What a checkpoint left. */
static bool analyze_kept(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    const Type *schema;
    TRY(session_kept_result(a->session, rel->cached_remote.id, a->arena, &schema, err));
    if (!schema)
        return error_set(err, ERR_CONNECT_INVALID_PLAN__DATAFRAME_NOT_FOUND, P("dfId", rel->cached_remote.id),
                         P("userId", session_user(a->session)), P("sessionId", session_id(a->session)));
    BoundRel *r = brel_new(BREL_STORED, NULL, a->arena);
    r->stored.id = rel->cached_remote.id;
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        BoundColumn c = new_column(a, f->name, f->type, f->nullable);
        c.metadata = f->metadata;
        vec_push(a->arena, &r->columns, c);
    }
    r->stored.source = r->columns;
    *out = r;
    return true;
}

static bool analyze_result(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    RowVec rows = {0};
    for (size_t i = 0; i < rel->result.rows.len; i++) {
        const ExprVec *in = &rel->result.rows.at[i];
        Row row = {ARENA_ARRAY(a->arena, Value, in->len)};
        for (size_t c = 0; c < in->len; c++)
            TRY(analyze_constant(a, in->at[c], rel->result.schema->structure.fields[c].type, &row.cells[c], err));
        vec_push(a->arena, &rows, row);
    }
    *out = rel_of_values(a, rel->result.schema, &rows);
    return true;
}

static const RelRule RULES[] = {
    [REL_NAMED_TABLE] = analyze_named_table,
    [REL_DATA_SOURCE] = analyze_data_source,
    [REL_PROJECT] = analyze_project,
    [REL_FILTER] = analyze_filter,
    [REL_JOIN] = analyze_join,
    [REL_LATERAL_JOIN] = analyze_join,
    [REL_ASOF_JOIN] = analyze_asof_join,
    [REL_NEAREST_JOIN] = analyze_nearest_join,
    [REL_SET_OP] = analyze_set_op,
    [REL_SORT] = analyze_sort,
    [REL_LIMIT] = analyze_limit,
    [REL_OFFSET] = analyze_limit,
    [REL_TAIL] = analyze_limit,
    [REL_AGGREGATE] = analyze_aggregate,
    [REL_PIPE_AGGREGATE] = analyze_aggregate,
    [REL_SQL] = analyze_sql,
    [REL_LOCAL] = analyze_local,
    [REL_CACHED_LOCAL] = analyze_local,
    [REL_VALUES] = analyze_values,
    [REL_ONE_ROW] = analyze_one_row,
    [REL_RANGE] = analyze_range,
    [REL_SUBQUERY_ALIAS] = analyze_subquery_alias,
    [REL_DEDUPLICATE] = analyze_deduplicate,
    [REL_SAMPLE] = analyze_sample,
    [REL_REPARTITION] = analyze_repartition,
    [REL_TO_DF] = analyze_to_df,
    [REL_WITH_COLUMNS] = analyze_with_columns,
    [REL_RENAME_COLUMNS] = analyze_rename,
    [REL_DROP] = analyze_drop,
    [REL_TO_SCHEMA] = analyze_to_schema,
    [REL_UNPIVOT] = analyze_unpivot,
    [REL_PIVOT] = analyze_pivot_clause,
    [REL_TRANSPOSE] = analyze_transpose,
    [REL_HINT] = analyze_transparent,
    [REL_WITH] = analyze_with,
    [REL_WITH_RELATIONS] = analyze_with_relations,
    [REL_GENERATE] = analyze_generate,
    [REL_TABLE_FUNCTION] = analyze_table_function,
    [REL_WINDOW_DEFS] = analyze_window_defs,
    [REL_SHOW_STRING] = analyze_show_string,
    [REL_HTML_STRING] = analyze_html_string,
    [REL_NA_FILL] = analyze_na_fill,
    [REL_NA_DROP] = analyze_na_drop,
    [REL_NA_REPLACE] = analyze_na_replace,
    [REL_STAT] = analyze_stat,
    [REL_WITH_WATERMARK] = analyze_watermark,
    [REL_COLLECT_METRICS] = analyze_observe,
    [REL_CATALOG] = analyze_catalog_call,
    [REL_DELTA] = analyze_delta_relation,
    [REL_COMMAND_RESULT] = analyze_result,
    [REL_CACHED_REMOTE] = analyze_kept,
    [REL_PARSE] = analyze_parse,
    [REL_TRANSFORM] = analyze_transform,
    [REL_MAP_PARTITIONS] = analyze_map_partitions,
    [REL_PYTHON_TABLE_FUNCTION] = analyze_python_table,
    [REL_GROUP_MAP] = analyze_group_map,
    [REL_COGROUP_MAP] = analyze_cogroup_map,
};

Analyzer *analyzer_new(Session *session, Engine *engine, const FuncContext *func, Str sql_text, Arena *arena)
{
    Analyzer *a = ARENA_NEW(arena, Analyzer);
    a->session = session;
    a->engine = engine;
    a->func = *func;
    a->sql_text = sql_text;
    a->arena = arena;
    a->ansi = func->ansi;
    a->case_sensitive = func->case_sensitive;
    a->plan_outputs = map_in(arena);
    session_current(session, arena, &a->space.catalog, &a->space.schema);
    return a;
}

void analyzer_set_locals(Analyzer *a, LocalScope *locals)
{
    a->locals = locals;
}

LocalScope *analyzer_locals(const Analyzer *a)
{
    return a->locals;
}

SqlOptions session_sql_options(Session *s, Arena *arena)
{
    bool found;
    Str timestamp_type;
    session_get(s, S("spark.sql.timestampType"), arena, &found, &timestamp_type);
    return (SqlOptions){
        .ansi = session_bool(s, "spark.sql.ansi.enabled", true),
        .enforce_reserved = session_bool(s, "spark.sql.ansi.enforceReservedKeywords", false),
        .double_quoted_identifiers = session_bool(s, "spark.sql.ansi.doubleQuotedIdentifiers", false),
        .escaped_string_literals = session_bool(s, "spark.sql.parser.escapedStringLiterals", false),
        .no_scripts = !session_bool(s, "spark.sql.scripting.enabled", true),
        .continue_handlers = session_bool(s, "spark.sql.scripting.continueHandlerEnabled", false),
        .legacy_identifier_clause = session_bool(s, "spark.sql.legacy.identifierClause", false),
        .having_as_where = session_bool(s, "spark.sql.legacy.parser.havingWithoutGroupByAsWhere", false),
        .bang_is_not = session_bool(s, "spark.sql.legacy.bangEqualsNot", false),
        .joins_before_commas = session_bool(s, "spark.sql.ansi.enabled", true) &&
                               session_bool(s, "spark.sql.ansi.relationPrecedence", false),
        .no_single_pipe = !session_bool(s, "spark.sql.parser.singleCharacterPipeOperator.enabled", true),
        .no_pipes = !session_bool(s, "spark.sql.operatorPipeSyntaxEnabled", true),
        .zone = session_zone(s, arena),
        .timestamp_ntz = found && str_is_ci(timestamp_type, "TIMESTAMP_NTZ"),
    };
}

ColumnId analyzer_next_id(Analyzer *a)
{
    return ++a->last_id;
}

void analyzer_set_params(Analyzer *a, const KeyValueVec *named, const ExprVec *positional)
{
    ParamFrame *f = ARENA_NEW(a->arena, ParamFrame);
    *f = (ParamFrame){named, positional, a->params};
    a->params = f;
}

void analyzer_set_references(Analyzer *a, const RelVec *references)
{
    a->references = references;
}

const FuncContext *analyzer_func(const Analyzer *a)
{
    return &a->func;
}

static void remember_plan(Analyzer *a, int64_t plan_id, const BoundRel *rel)
{
    char key[32];
    int len = snprintf(key, sizeof key, "%" PRId64, plan_id);
    Str k = {key, (size_t)len};
    PlanOutputs *outputs = map_get(&a->plan_outputs, k);
    if (!outputs) {
        outputs = ARENA_NEW(a->arena, PlanOutputs);
        map_put(&a->plan_outputs, str_copy(k, a->arena), outputs);
    }
    vec_push(a->arena, outputs, rel->columns);
}

bool analyze_rel(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    if (!rel)
        return error_internal(err, "a relation without its input");
    RelRule rule = (size_t)rel->kind < LENGTH_OF(RULES) ? RULES[rel->kind] : NULL;
    if (!rule)
        return error_unsupported(err, "this relation (kind %d)", (int)rel->kind);
    if (++a->depth > ANALYZE_MAX_DEPTH)
        return error_unsupported(err, "a plan nested more than %d levels deep", ANALYZE_MAX_DEPTH);
    bool ok = rule(a, rel, out, err);
    a->depth--;
    if (ok && rel->plan_id >= 0)
        remember_plan(a, rel->plan_id, *out);
    return ok;
}

/* Scans of files get their hidden column _metadata only when a name needs it: the whole statement is then read once more. */
static bool analyze_again(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    SavedState saved = analyzer_enter(a);
    analyzer_leave(a, &saved);
    if (analyze_rel(a, rel, out, err))
        return true;
    if (a->depth || !a->asked_metadata || a->with_metadata)
        return false;
    analyzer_leave(a, &saved);
    a->with_metadata = true;
    a->view_depth = 0;
    error_clear(err);
    return analyze_rel(a, rel, out, err);
}

bool analyze_query(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *bound;
    TRY(analyze_again(a, rel, &bound, err));
    TRY(check_plan(a, bound, err));
    *out = strip_hidden(a, bound);
    if (a->asked_input_file)
        TRY(bind_input_files(a, *out, err));
    push_down_filters(a, *out);
    return true;
}

static Scope expr_scope(const BoundColumnVec *columns)
{
    return (Scope){.columns = columns};
}

bool analyze_expr(Analyzer *a, const Expr *e, const BoundColumnVec *columns, BoundExpr **out, Error *err)
{
    Scope scope = expr_scope(columns);
    return bind_expr(a, e, &scope, out, err);
}

bool analyze_condition(Analyzer *a, const Expr *e, const BoundColumnVec *columns, BoundExpr **out, Error *err)
{
    Scope scope = expr_scope(columns);
    return bind_condition(a, e, &scope, "condition", out, err) && check_condition(a, *out, err);
}

Scope scope_of(Analyzer *a, const BoundRel *rel)
{
    return (Scope){.columns = &rel->columns, .outer = a->outer};
}

BoundColumn new_column(Analyzer *a, Str name, const Type *type, bool nullable)
{
    return (BoundColumn){.id = analyzer_next_id(a), .name = name, .type = type, .nullable = nullable};
}

/* A bare column keeps its identity, so that a DataFrame's own columns still resolve above. */
BoundColumn column_of_expr(Analyzer *a, BoundExpr *e, Str name, Str metadata)
{
    BoundColumn c = new_column(a, name, e->type, e->nullable);
    c.metadata = metadata;
    return c;
}

void project_push(Analyzer *a, BoundRel *project, BoundExpr *e, BoundColumn column)
{
    BoundItem item = {e, column.id};
    vec_push(a->arena, &project->project.items, item);
    vec_push(a->arena, &project->columns, column);
}

BoundRel *project_columns(Analyzer *a, BoundRel *input, const BoundColumnVec *columns)
{
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < columns->len; i++)
        project_push(a, p, bound_column(&columns->at[i], a->arena), columns->at[i]);
    return p;
}

BoundRel *strip_hidden(Analyzer *a, BoundRel *rel)
{
    BoundColumnVec visible = {0};
    for (size_t i = 0; i < rel->columns.len; i++)
        if (!rel->columns.at[i].hidden)
            vec_push(a->arena, &visible, rel->columns.at[i]);
    return visible.len == rel->columns.len ? rel : project_columns(a, rel, &visible);
}

static bool is_metadata(const BoundColumn *c) { return c->hidden && str_is(c->name, FILE_METADATA); }

BoundRel *strip_but_metadata(Analyzer *a, BoundRel *rel)
{
    BoundColumnVec kept = {0};
    for (size_t i = 0; i < rel->columns.len; i++)
        if (!rel->columns.at[i].hidden || is_metadata(&rel->columns.at[i]))
            vec_push(a->arena, &kept, rel->columns.at[i]);
    return kept.len == rel->columns.len ? rel : project_columns(a, rel, &kept);
}

static bool holds_id(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; i < columns->len; i++)
        if (columns->at[i].id == id)
            return true;
    return false;
}

void carry_hidden(Analyzer *a, const BoundRel *input, BoundRel *project)
{
    for (size_t i = 0; i < input->columns.len; i++)
        if (input->columns.at[i].hidden && !holds_id(&project->columns, input->columns.at[i].id))
            project_push(a, project, bound_column(&input->columns.at[i], a->arena), input->columns.at[i]);
}

void carry_metadata(Analyzer *a, const BoundRel *input, BoundRel *project)
{
    if (!a->with_metadata || project->kind != BREL_PROJECT)
        return;
    for (size_t i = 0; i < input->columns.len; i++)
        if (is_metadata(&input->columns.at[i]) && !holds_id(&project->columns, input->columns.at[i].id))
            project_push(a, project, bound_column(&input->columns.at[i], a->arena), input->columns.at[i]);
}

BoundRel *rel_of_values(Analyzer *a, const Type *schema, const RowVec *rows)
{
    BoundRel *v = brel_new(BREL_VALUES, NULL, a->arena);
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        BoundColumn c = new_column(a, f->name, f->type, f->nullable);
        c.metadata = f->metadata;
        vec_push(a->arena, &v->columns, c);
    }
    for (size_t r = 0; r < rows->len; r++) {
        BoundExprVec cells = {0};
        for (size_t i = 0; i < schema->structure.count; i++) {
            Value cell = rows->at[r].cells[i];
            cell.type = schema->structure.fields[i].type;
            vec_push(a->arena, &cells, bound_literal(cell, a->arena));
        }
        vec_push(a->arena, &v->values.rows, cells);
    }
    return v;
}

bool name_matches(const Analyzer *a, Str x, Str y)
{
    return a->case_sensitive ? str_eq(x, y) : str_ieq(x, y);
}

SavedState analyzer_enter(Analyzer *a)
{
    SavedState s = {a->space, a->sql_text, a->ctes, a->outer, a->params, a->windows, a->default_collation};
    a->ctes = NULL;
    a->outer = NULL;
    a->params = NULL;
    a->windows = NULL;
    a->default_collation = S("");
    return s;
}

void analyzer_leave(Analyzer *a, const SavedState *s)
{
    a->space = s->space;
    a->sql_text = s->sql_text;
    a->ctes = s->ctes;
    a->outer = s->outer;
    a->params = s->params;
    a->windows = s->windows;
    a->default_collation = s->default_collation;
}

bool analyze_query_of(Analyzer *a, const Rel *rel, Str default_collation, BoundRel **out, Error *err)
{
    a->default_collation = default_collation;
    bool ok = analyze_query(a, rel, out, err);
    a->default_collation = S("");
    return ok;
}

void note_temp_object(Analyzer *a, const char *kind, const Name *name)
{
    if (a->temp_kind)
        return;
    a->temp_kind = kind;
    a->temp_name = *name;
}

bool analyzer_temp_object(const Analyzer *a, const char **kind, Name *name)
{
    *kind = a->temp_kind;
    *name = a->temp_name;
    return a->temp_kind != NULL;
}

bool set_context(Analyzer *a, Error *err, Origin origin)
{
    if (origin.stop >= origin.start && origin.start >= 0 && (size_t)origin.stop < a->sql_text.len)
        error_locate(err, PLACE_ANALYSIS, a->sql_text, (size_t)origin.start, (size_t)origin.stop);
    return false;
}

bool run_rows(Analyzer *a, const BoundRel *rel, size_t max_rows, RowVec *rows, Error *err)
{
    RunContext run = {.func = &a->func};
    return engine_rows(a->engine, rel, &run, max_rows, a->arena, rows, err);
}
