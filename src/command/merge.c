/* MERGE: one outer join of target and source, one clause chosen a row, the chosen rows become a set of changes. */
#include "base/json.h"
#include "command/command_impl.h"

typedef struct BoundClause {
    const MergeClause *clause;
    BoundExpr *condition;        /* NULL: always */
    BoundExpr **values;          /* by field, stored as the column's type; NULL: not given */
    bool *given;                 /* by field: the user wrote a value */
} BoundClause;

typedef struct Merge {
    CommandContext *ctx;
    const Command *command;
    Target target;
    const Metadata *metadata;
    size_t width;
    BoundRel *query, *scan, *source, *join; /* query: the source as given, source: its stored rows */
    BoundColumnVec target_columns, source_columns, all_columns;
    ColumnId present;            /* a column of the source that is never NULL where the source matched */
    BoundExpr *on;
    VEC(BoundClause) clauses;
    int64_t source_rows, source_ms;
    Metadata *evolved;           /* NULL: the schema stays */
    bool evolves;                /* columns that only one side has are no error */
    bool has_matched, has_insert, has_by_source;
} Merge;

/* ---- clauses as written ---- */

static bool merge_error(Merge *m, ErrorClass cls, Error *err)
{
    (void)m;
    return error_set(err, cls);
}

/* Every clause of a kind but the last needs a condition. */
static bool check_clauses(Merge *m, Error *err)
{
    static const ErrorClass OMITTED[] = {[MERGE_MATCHED] = ERR_DELTA_NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION,
                                         [MERGE_NOT_MATCHED] = ERR_DELTA_NON_LAST_NOT_MATCHED_CLAUSE_OMIT_CONDITION,
                                         [MERGE_NOT_MATCHED_BY_SOURCE] = ERR_DELTA_NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION};
    size_t count = m->command->merge.clauses.len;
    if (!count)
        return merge_error(m, ERR_DELTA_MERGE_MISSING_WHEN, err);
    for (size_t i = 0; i < count; i++) {
        const MergeClause *c = &m->command->merge.clauses.at[i];
        bool last = true;
        for (size_t k = i + 1; k < count; k++)
            last &= m->command->merge.clauses.at[k].kind != c->kind;
        if (!c->condition && !last)
            return merge_error(m, OMITTED[c->kind], err);
        m->has_matched |= c->kind == MERGE_MATCHED;
        m->has_insert |= c->kind == MERGE_NOT_MATCHED;
        m->has_by_source |= c->kind == MERGE_NOT_MATCHED_BY_SOURCE;
    }
    return true;
}

/* ---- schema evolution ---- */

/* SET column = .. and INSERT (column, ..) may name a column that only the source has. */
static bool is_assigned(const Merge *m, Str name)
{
    for (size_t i = 0; i < m->command->merge.clauses.len; i++) {
        const MergeClause *c = &m->command->merge.clauses.at[i];
        if (c->action == MERGE_UPDATE_STAR || c->action == MERGE_INSERT_STAR)
            return true;
        for (size_t k = 0; k < c->assignments.len; k++)
            if (c->assignments.at[k].target.len == 1 && str_ieq(vec_last(&c->assignments.at[k].target), name))
                return true;
    }
    return false;
}

static void release_snapshot(void *s)
{
    snapshot_unref(s);
}

/* New columns join the schema; from here on the target is read with them. */
static bool evolve(Merge *m, Error *err)
{
    CommandContext *ctx = m->ctx;
    BoundColumnVec named = {0};
    m->evolves = m->command->merge.schema_evolution || session_bool(ctx->session, "spark.databricks.delta.schema.autoMerge.enabled", false);
    for (size_t i = 0; i < m->source_columns.len; i++)
        if (is_assigned(m, m->source_columns.at[i].name))
            vec_push(ctx->arena, &named, m->source_columns.at[i]);
    if (!m->evolves || !merged_schema(ctx, m->metadata, &named, &m->evolved))
        return true;
    TRY(snapshot_with_metadata(m->target.snapshot, m->evolved, &m->target.snapshot, err));
    arena_on_free(ctx->arena, release_snapshot, m->target.snapshot);
    m->metadata = snapshot_metadata(m->target.snapshot);
    m->width = m->metadata->schema->structure.count;
    return true;
}

/* ---- what Delta says of a name or a condition that a MERGE cannot take ---- */

static Str column_text(const Merge *m, const BoundColumn *c)
{
    Name full = {0};
    for (size_t i = 0; i < c->qualifier.len; i++)
        vec_push(m->ctx->arena, &full, c->qualifier.at[i]);
    vec_push(m->ctx->arena, &full, c->name);
    return name_text(&full, m->ctx->arena);
}

static bool unresolved(Merge *m, Str name, const char *clause, const BoundColumnVec *given, Error *err)
{
    Buf columns = buf_in(m->ctx->arena);
    for (size_t i = 0; i < given->len; i++)
        buf_addf(&columns, "%s" STR_FMT, i ? ", " : "", STR_ARG(column_text(m, &given->at[i])));
    return error_set(err, ERR_DELTA_MERGE_UNRESOLVED_EXPRESSION, P("sqlExpr", name), PZ("clause", clause), P("cols", buf_str(&columns)));
}

/* The analyzer's error becomes the one of MERGE: it names the clause and the columns that this clause may use. */
static bool unresolved_in(Merge *m, const char *clause, const BoundColumnVec *given, Error *err)
{
    Name name;
    Error ignored = {.arena = m->ctx->arena};
    if (err->cls != ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION && err->cls != ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION)
        return false;
    Str text = str_copy(error_param(err, "objectName"), m->ctx->arena);
    if (name_parse(text, m->ctx->arena, &name, &ignored))
        text = name_text(&name, m->ctx->arena);
    error_clear(err);
    return unresolved(m, text, clause, given, err);
}

/* place: "search condition", "UPDATE condition", ... */
static bool bind_condition(Merge *m, const Expr *e, const char *place, const BoundColumnVec *columns, BoundExpr **out, Error *err)
{
    *out = NULL;
    if (analyze_condition(m->ctx->analyzer, e, columns, out, err))
        return true;
    if (err->cls != ERR_UNSUPPORTED_EXPR_FOR_OPERATOR || !*out)
        return unresolved_in(m, place, columns, err);
    Str zone = analyzer_func(m->ctx->analyzer)->zone;
    Str predicate = str_printf(m->ctx->arena, "(condition = " STR_FMT ")", STR_ARG(func_sql_text(*out, zone, m->ctx->arena)));
    error_clear(err);
    return error_set(err, ERR_DELTA_AGGREGATION_NOT_SUPPORTED, P("predicate", predicate),
                     P("operation", str_printf(m->ctx->arena, "%s of MERGE operation", place)));
}

/* ---- the join ---- */

static bool store_source(Merge *m, Error *err)
{
    CommandContext *ctx = m->ctx;
    int64_t started = clock_monotonic_us();
    BoundRel *query;
    TRY(analyze_query(ctx->analyzer, m->command->query, &query, err));
    m->query = query;
    BoundRel *p = build_project(ctx, query);
    for (size_t i = 0; i < query->columns.len; i++) {
        BoundColumn c = query->columns.at[i];
        BoundItem item = {bound_column(&c, ctx->arena), c.id};
        vec_push(ctx->arena, &p->project.items, item);
        vec_push(ctx->arena, &p->columns, c);
    }
    build_push(ctx, p, bound_literal(value_bool(true), ctx->arena), S("_present"));
    ChangeSet stored;
    TRY(change_set_store(ctx, &m->target, p, false, &stored, err));
    m->source = change_set_rel(ctx, &stored);
    m->present = vec_last(&m->source->columns).id;
    for (size_t i = 0; i + 1 < m->source->columns.len; i++)
        vec_push(ctx->arena, &m->source_columns, m->source->columns.at[i]);
    BoundRel *count = brel_new(BREL_AGGREGATE, change_set_rel(ctx, &stored), ctx->arena);
    BoundExpr *one = build_int(ctx, 1), *n;
    TRY(build_call(ctx, "count", 1, &one, &n, err));
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("n"), .type = n->type};
    BoundItem item = {n, c.id};
    vec_push(ctx->arena, &count->aggregate.aggregates, item);
    vec_push(ctx->arena, &count->columns, c);
    RowVec rows = {0};
    TRY(engine_rows(ctx->engine, count, &ctx->run, 1, ctx->arena, &rows, err));
    m->source_rows = rows.at[0].cells[0].integer;
    m->source_ms = (clock_monotonic_us() - started) / 1000;
    return true;
}

static JoinKind join_kind(const Merge *m)
{
    if (m->has_insert && m->has_by_source)
        return JOIN_FULL;
    if (m->has_by_source)
        return JOIN_LEFT;
    return m->has_insert ? JOIN_RIGHT : JOIN_INNER;
}

static bool make_join(Merge *m, Error *err)
{
    CommandContext *ctx = m->ctx;
    Name qualifier = m->target.qualifier;
    if (m->command->merge.target_alias.len) {
        qualifier = (Name){0};
        vec_push(ctx->arena, &qualifier, m->command->merge.target_alias);
    }
    TRY(target_scan(ctx, &m->target, &qualifier, true, &m->scan, err));
    for (size_t i = 0; i < m->width; i++)
        vec_push(ctx->arena, &m->target_columns, m->scan->columns.at[i]);
    for (size_t i = 0; i < m->width; i++)
        vec_push(ctx->arena, &m->all_columns, m->scan->columns.at[i]);
    for (size_t i = 0; i < m->source_columns.len; i++)
        vec_push(ctx->arena, &m->all_columns, m->source_columns.at[i]);
    TRY(bind_condition(m, m->command->merge.on, "search condition", &m->all_columns, &m->on, err));
    BoundRel *j = brel_new(BREL_JOIN, m->scan, ctx->arena);
    j->join.right = m->source;
    j->join.kind = join_kind(m);
    j->join.condition = m->on;
    for (size_t i = 0; i < m->scan->columns.len; i++) {
        BoundColumn c = m->scan->columns.at[i];
        c.nullable |= j->join.kind == JOIN_RIGHT || j->join.kind == JOIN_FULL;
        vec_push(ctx->arena, &j->columns, c);
    }
    for (size_t i = 0; i < m->source->columns.len; i++) {
        BoundColumn c = m->source->columns.at[i];
        c.nullable |= j->join.kind == JOIN_LEFT || j->join.kind == JOIN_FULL;
        vec_push(ctx->arena, &j->columns, c);
    }
    m->join = j;
    return true;
}

/* ---- clauses bound ---- */

static const BoundColumnVec *clause_columns(const Merge *m, MergeClauseKind kind)
{
    switch (kind) {
    case MERGE_NOT_MATCHED:
        return &m->source_columns;
    case MERGE_NOT_MATCHED_BY_SOURCE:
        return &m->target_columns;
    case MERGE_MATCHED:
        break;
    }
    return &m->all_columns;
}

static bool find_source(Merge *m, Str name, BoundExpr **out, Error *err)
{
    bool sensitive = analyzer_func(m->ctx->analyzer)->case_sensitive;
    *out = NULL;
    for (size_t i = 0; i < m->source_columns.len; i++) {
        const BoundColumn *c = &m->source_columns.at[i];
        if (sensitive ? !str_eq(c->name, name) : !str_ieq(c->name, name))
            continue;
        if (*out)
            return error_set(err, ERR_AMBIGUOUS_REFERENCE, P("name", str_printf(m->ctx->arena, "`" STR_FMT "`", STR_ARG(name))),
                             P("referenceNames", str_printf(m->ctx->arena, "[`" STR_FMT "`, `" STR_FMT "`]", STR_ARG(name), STR_ARG(name))));
        *out = bound_column(c, m->ctx->arena);
    }
    return true;
}

/* UPDATE * and INSERT *: by name. A column that the source lacks must be one the table can fill itself. */
static bool star_values(Merge *m, BoundClause *b, bool update, Error *err)
{
    for (size_t i = 0; i < m->width; i++) {
        const Field *f = &m->metadata->schema->structure.fields[i];
        BoundExpr *e;
        TRY(find_source(m, f->name, &e, err));
        if (e) {
            if (update && m->evolves)
                TRY(store_over(m->ctx, f, m->target.name, bound_column(&m->target_columns.at[i], m->ctx->arena), e, &b->values[i], err));
            else
                TRY(store_value(m->ctx, f, m->target.name, e, &b->values[i], err));
            b->given[i] = true;
            continue;
        }
        bool fills_itself = delta_is_identity(f) || delta_generation_expression(f, m->ctx->arena).len || delta_default_expression(f, m->ctx->arena).len;
        if (!fills_itself && !m->evolves)
            return unresolved(m, f->name, update ? "UPDATE clause" : "INSERT clause", &m->source_columns, err);
    }
    return true;
}

static bool target_field(Merge *m, const Name *name, bool insert, size_t *field, BoundExpr **target, Error *err)
{
    Expr column = {.kind = EXPR_COLUMN, .origin = {0, -1}, .column = {.name = *name, .plan_id = -1}};
    if (!analyze_expr(m->ctx->analyzer, &column, &m->target_columns, target, err))
        return unresolved_in(m, insert ? "INSERT clause" : "UPDATE clause", &m->target_columns, err);
    const BoundExpr *e = assigned_column(*target);
    for (size_t i = 0; e && i < m->width; i++)
        if (m->target_columns.at[i].id == e->column.id) {
            *field = i;
            return true;
        }
    return error_unsupported(err, "assigning to " STR_FMT, STR_ARG(name_text(name, m->ctx->arena)));
}

static bool assigned_values(Merge *m, BoundClause *b, Error *err)
{
    const AssignmentVec *list = &b->clause->assignments;
    const BoundColumnVec *given = clause_columns(m, b->clause->kind);
    const char *clause = b->clause->action == MERGE_INSERT ? "INSERT clause" : "UPDATE clause";
    StrVec seen = {0};
    for (size_t i = 0; i < list->len; i++) {
        size_t f = 0;
        BoundExpr *target, *value;
        TRY(target_field(m, &list->at[i].target, b->clause->action == MERGE_INSERT, &f, &target, err));
        bool nested = target->kind == BEXPR_FIELD;
        if (nested && b->clause->action == MERGE_INSERT)
            return error_unsupported(err, "inserting the nested field " STR_FMT, STR_ARG(name_text(&list->at[i].target, m->ctx->arena)));
        if (b->given[f] && b->clause->action == MERGE_INSERT)
            return error_set(err, ERR_DELTA_DUPLICATE_COLUMNS_ON_INSERT);
        TRY(check_assigned_once(m->ctx, target, &seen, err));
        Field field = m->metadata->schema->structure.fields[f];
        if (nested)
            field = (Field){field.name, target->type, true, {0}};
        if (!assigned_value(m->ctx, &field, list->at[i].value, given, m->target.name, &value, err))
            return unresolved_in(m, clause, given, err);
        if (nested)
            value = replace_field(m->ctx, target, b->values[f] ? b->values[f] : bound_column(&m->target_columns.at[f], m->ctx->arena), value);
        b->values[f] = value;
        b->given[f] = true;
    }
    return true;
}

/* An inserted row has no old value to fall back on: what is not given is default or NULL. */
static bool fill_insert(Merge *m, BoundClause *b, Error *err)
{
    for (size_t i = 0; i < m->width; i++)
        if (b->given[i])
            TRY(check_identity_given(&m->metadata->schema->structure.fields[i], err));
    for (size_t i = 0; i < m->width; i++)
        if (!b->values[i])
            TRY(column_default(m->ctx, &m->metadata->schema->structure.fields[i], &b->values[i], err));
    return true;
}

static bool bind_clause(Merge *m, const MergeClause *c, Error *err)
{
    static const char *const CONDITIONS[] = {[MERGE_UPDATE] = "UPDATE condition", [MERGE_UPDATE_STAR] = "UPDATE condition",
                                             [MERGE_DELETE] = "DELETE condition", [MERGE_INSERT] = "INSERT condition",
                                             [MERGE_INSERT_STAR] = "INSERT condition"};
    BoundClause b = {.clause = c, .values = ARENA_ARRAY(m->ctx->arena, BoundExpr *, m->width), .given = ARENA_ARRAY(m->ctx->arena, bool, m->width)};
    if (c->condition)
        TRY(bind_condition(m, c->condition, CONDITIONS[c->action], clause_columns(m, c->kind), &b.condition, err));
    bool insert = c->action == MERGE_INSERT || c->action == MERGE_INSERT_STAR;
    if (c->action == MERGE_UPDATE_STAR || c->action == MERGE_INSERT_STAR)
        TRY(star_values(m, &b, !insert, err));
    else if (c->action != MERGE_DELETE)
        TRY(assigned_values(m, &b, err));
    for (size_t i = 0; i < m->width && !insert; i++)
        if (b.given[i])
            TRY(check_identity_kept(&m->metadata->schema->structure.fields[i], err));
    if (insert)
        TRY(fill_insert(m, &b, err));
    vec_push(m->ctx->arena, &m->clauses, b);
    return true;
}

/* ---- from joined rows to changes ---- */

static bool column_present(Merge *m, ColumnId id, BoundExpr **out, Error *err)
{
    for (size_t i = 0; i < m->join->columns.len; i++)
        if (m->join->columns.at[i].id == id) {
            BoundExpr *e = bound_column(&m->join->columns.at[i], m->ctx->arena);
            return build_call(m->ctx, "isnotnull", 1, &e, out, err);
        }
    return error_internal(err, "MERGE lost a column");
}

static bool kind_condition(Merge *m, MergeClauseKind kind, BoundExpr **out, Error *err)
{
    BoundExpr *in_target, *in_source, *both[2];
    TRY(column_present(m, m->scan->delta.row_id, &in_target, err));
    TRY(column_present(m, m->present, &in_source, err));
    both[0] = in_target;
    both[1] = in_source;
    if (kind == MERGE_NOT_MATCHED)
        TRY(build_call(m->ctx, "not", 1, &in_target, &both[0], err));
    if (kind == MERGE_NOT_MATCHED_BY_SOURCE)
        TRY(build_call(m->ctx, "not", 1, &in_source, &both[1], err));
    return build_call(m->ctx, "and", 2, both, out, err);
}

/* The number of the first clause whose condition holds, 0 for none. */
static bool clause_number(Merge *m, BoundExpr **out, Error *err)
{
    CommandContext *ctx = m->ctx;
    BoundExpr *c = bound_new(BEXPR_CASE, type_simple(TYPE_INT), false, ctx->arena);
    for (size_t i = 0; i < m->clauses.len; i++) {
        BoundExpr *both[2] = {NULL, m->clauses.at[i].condition}, *when;
        TRY(kind_condition(m, m->clauses.at[i].clause->kind, &both[0], err));
        when = both[0];
        if (both[1])
            TRY(build_call(ctx, "and", 2, both, &when, err));
        vec_push(ctx->arena, &c->cases.conditions, when);
        vec_push(ctx->arena, &c->cases.values, build_int(ctx, (int64_t)i + 1));
    }
    c->cases.otherwise = build_int(ctx, 0);
    *out = c;
    return true;
}

static bool number_is(Merge *m, const BoundColumn *number, size_t clause, BoundExpr **out, Error *err)
{
    BoundExpr *args[2] = {bound_column(number, m->ctx->arena), build_int(m->ctx, (int64_t)clause + 1)};
    return build_call(m->ctx, "=", 2, args, out, err);
}

static ChangeType change_type(const MergeClause *c)
{
    bool unmatched = c->kind == MERGE_NOT_MATCHED_BY_SOURCE;
    switch (c->action) {
    case MERGE_DELETE:
        return unmatched ? CHANGE_UNMATCHED_DELETE : CHANGE_ROW_DELETE;
    case MERGE_INSERT:
    case MERGE_INSERT_STAR:
        return CHANGE_ROW_INSERT;
    case MERGE_UPDATE:
    case MERGE_UPDATE_STAR:
        break;
    }
    return unmatched ? CHANGE_UNMATCHED_UPDATE : CHANGE_ROW_UPDATE;
}

static bool change_expr(Merge *m, const BoundColumn *number, BoundExpr **out, Error *err)
{
    BoundExpr *c = bound_new(BEXPR_CASE, type_simple(TYPE_INT), false, m->ctx->arena);
    for (size_t i = 0; i < m->clauses.len; i++) {
        BoundExpr *when;
        TRY(number_is(m, number, i, &when, err));
        vec_push(m->ctx->arena, &c->cases.conditions, when);
        vec_push(m->ctx->arena, &c->cases.values, build_int(m->ctx, change_type(m->clauses.at[i].clause)));
    }
    c->cases.otherwise = build_int(m->ctx, 0);
    *out = c;
    return true;
}

/* The new row's value of a field: what the chosen clause says, else the old value. */
static bool field_value(Merge *m, const BoundColumn *number, size_t field, BoundExpr **out, Error *err)
{
    const BoundColumn *old = &m->join->columns.at[field];
    BoundExpr *c = bound_new(BEXPR_CASE, old->type, true, m->ctx->arena);
    for (size_t i = 0; i < m->clauses.len; i++) {
        BoundExpr *when;
        if (!m->clauses.at[i].values[field])
            continue;
        TRY(number_is(m, number, i, &when, err));
        vec_push(m->ctx->arena, &c->cases.conditions, when);
        vec_push(m->ctx->arena, &c->cases.values, m->clauses.at[i].values[field]);
    }
    c->cases.otherwise = bound_column(old, m->ctx->arena);
    *out = c->cases.conditions.len ? c : c->cases.otherwise;
    return true;
}

/* For generated columns: which clauses gave the value themselves. */
static bool given_value(Merge *m, const BoundColumn *number, size_t field, BoundExpr **out, Error *err)
{
    *out = NULL;
    for (size_t i = 0; i < m->clauses.len; i++) {
        BoundExpr *both[2] = {*out, NULL};
        if (!m->clauses.at[i].given[field])
            continue;
        TRY(number_is(m, number, i, &both[1], err));
        if (both[0])
            TRY(build_call(m->ctx, "or", 2, both, out, err));
        else
            *out = both[1];
    }
    return true;
}

static BoundRel *numbered_join(Merge *m, BoundExpr *number, BoundColumn *column)
{
    BoundRel *p = build_project(m->ctx, m->join);
    for (size_t i = 0; i < m->join->columns.len; i++) {
        BoundItem item = {bound_column(&m->join->columns.at[i], m->ctx->arena), m->join->columns.at[i].id};
        vec_push(m->ctx->arena, &p->project.items, item);
        vec_push(m->ctx->arena, &p->columns, m->join->columns.at[i]);
    }
    build_push(m->ctx, p, number, S("_clause"));
    *column = vec_last(&p->columns);
    return p;
}

/* Identity columns of inserted rows whose clause does not give them. */
static bool number_rows(Merge *m, BoundRel *rows, size_t first, BoundExpr *const *given, BoundRel **out, Error *err)
{
    CommandContext *ctx = m->ctx;
    BoundRel *p = build_project(ctx, rows);
    for (size_t c = 0; c < rows->columns.len; c++) {
        BoundColumn column = rows->columns.at[c];
        BoundExpr *e = bound_column(&column, ctx->arena), *value;
        const Field *f = c >= first && c < first + m->width ? &m->metadata->schema->structure.fields[c - first] : NULL;
        if (f && delta_is_identity(f)) {
            BoundExpr *kind[2] = {bound_column(&rows->columns.at[2], ctx->arena), build_int(ctx, CHANGE_ROW_INSERT)}, *needs[2], *is_given = given[c - first];
            TRY(build_call(ctx, "=", 2, kind, &needs[0], err));
            if (is_given) {
                TRY(build_call(ctx, "not", 1, &is_given, &needs[1], err));
                TRY(build_call(ctx, "and", 2, needs, &needs[0], err));
            }
            TRY(identity_value(ctx, f, needs[0], &value, err));
            BoundExpr *choice = bound_new(BEXPR_CASE, e->type, true, ctx->arena);
            vec_push(ctx->arena, &choice->cases.conditions, needs[0]);
            vec_push(ctx->arena, &choice->cases.values, value);
            choice->cases.otherwise = e;
            e = choice;
            column.id = analyzer_next_id(ctx->analyzer);
        }
        BoundItem item = {e, column.id};
        vec_push(ctx->arena, &p->project.items, item);
        vec_push(ctx->arena, &p->columns, column);
    }
    *out = p;
    return true;
}

static bool changed_rows(Merge *m, bool has_old, BoundRel **out, Error *err)
{
    CommandContext *ctx = m->ctx;
    BoundExpr *number, *chosen[2], *condition, *change;
    TRY(clause_number(m, &number, err));
    BoundColumn column;
    BoundRel *numbered = numbered_join(m, number, &column);
    chosen[0] = bound_column(&column, ctx->arena);
    chosen[1] = build_int(ctx, 0);
    TRY(build_call(ctx, ">", 2, chosen, &condition, err));
    BoundRel *rows = build_filter(ctx, numbered, condition);
    BoundRel *p = build_project(ctx, rows);
    size_t positions = m->width;
    for (size_t i = 0; i < 2; i++)
        build_push(ctx, p, bound_column(&rows->columns.at[positions + i], ctx->arena), i ? S("_row") : S("_file"));
    TRY(change_expr(m, &column, &change, err));
    build_push(ctx, p, change, S("_change"));
    for (size_t i = 0; has_old && i < m->width; i++)
        build_push(ctx, p, bound_column(&rows->columns.at[i], ctx->arena), rows->columns.at[i].name);
    size_t first = p->columns.len;
    for (size_t i = 0; i < m->width; i++) {
        BoundExpr *value;
        TRY(field_value(m, &column, i, &value, err));
        build_push(ctx, p, value, m->metadata->schema->structure.fields[i].name);
    }
    change_push_row_id(ctx, &m->target, p, rows);
    size_t count = p->columns.len;
    build_push(ctx, p, bound_column(&column, ctx->arena), S("_clause"));
    BoundColumn carried = vec_last(&p->columns);
    BoundExpr **given = ARENA_ARRAY(ctx->arena, BoundExpr *, m->width);
    for (size_t i = 0; i < m->width; i++)
        TRY(given_value(m, &carried, i, &given[i], err));
    BoundRel *numbered_rows = p, *generated, *checked;
    if (has_identity(m->metadata->schema))
        TRY(number_rows(m, p, first, given, &numbered_rows, err));
    TRY(generate_columns(ctx, m->metadata, numbered_rows, first, given, &generated, err));
    TRY(enforce_constraints(ctx, m->metadata, generated, first, &checked, err));
    BoundRel *last = build_project(ctx, checked);
    for (size_t i = 0; i < count; i++)
        build_push(ctx, last, bound_column(&checked->columns.at[i], ctx->arena), checked->columns.at[i].name);
    *out = last;
    return true;
}

/* ---- one target row, one source row ---- */

static bool repeated_rows(Merge *m, const ChangeSet *set, bool *repeated, Error *err)
{
    CommandContext *ctx = m->ctx;
    BoundRel *rel = change_set_rel(ctx, set);
    BoundExpr *file = bound_column(&rel->columns.at[0], ctx->arena), *condition;
    TRY(build_call(ctx, "isnotnull", 1, &file, &condition, err));
    BoundRel *g = brel_new(BREL_AGGREGATE, build_filter(ctx, rel, condition), ctx->arena);
    for (size_t i = 0; i < 2; i++) {
        BoundItem key = {bound_column(&rel->columns.at[i], ctx->arena), rel->columns.at[i].id};
        vec_push(ctx->arena, &g->aggregate.keys, key);
        vec_push(ctx->arena, &g->columns, rel->columns.at[i]);
    }
    BoundExpr *one = build_int(ctx, 1), *count;
    TRY(build_call(ctx, "count", 1, &one, &count, err));
    BoundColumn n = {.id = analyzer_next_id(ctx->analyzer), .name = S("n"), .type = count->type};
    BoundItem item = {count, n.id};
    vec_push(ctx->arena, &g->aggregate.aggregates, item);
    vec_push(ctx->arena, &g->columns, n);
    BoundExpr *many[2] = {bound_column(&n, ctx->arena), build_int(ctx, 1)};
    TRY(build_call(ctx, ">", 2, many, &condition, err));
    BoundRel *limit = brel_new(BREL_LIMIT, build_filter(ctx, g, condition), ctx->arena);
    limit->columns = g->columns;
    limit->limit.count = bound_literal(value_int(TYPE_LONG, 1), ctx->arena);
    RowVec rows = {0};
    TRY(engine_rows(ctx->engine, limit, &ctx->run, 1, ctx->arena, &rows, err));
    *repeated = rows.len > 0;
    return true;
}

/* Many source rows may delete the same target row when deleting is all that matched rows ever do. */
static bool only_deletes(const Merge *m)
{
    size_t matched = 0;
    for (size_t i = 0; i < m->clauses.len; i++) {
        const MergeClause *c = m->clauses.at[i].clause;
        if (c->kind != MERGE_MATCHED)
            continue;
        matched++;
        if (c->action != MERGE_DELETE || c->condition)
            return false;
    }
    return matched == 1;
}

static bool keep_one_delete(Merge *m, const ChangeSet *set, bool has_old, ChangeSet *out, Error *err)
{
    CommandContext *ctx = m->ctx;
    BoundRel *parts[2];
    for (int inserts = 0; inserts < 2; inserts++) {
        BoundRel *rel = change_set_rel(ctx, set);
        BoundExpr *file = bound_column(&rel->columns.at[0], ctx->arena), *condition;
        TRY(build_call(ctx, inserts ? "isnull" : "isnotnull", 1, &file, &condition, err));
        parts[inserts] = build_filter(ctx, rel, condition);
        if (inserts)
            continue;
        BoundRel *d = brel_new(BREL_DISTINCT_ON, parts[0], ctx->arena);
        d->columns = parts[0]->columns;
        for (size_t i = 0; i < 2; i++)
            vec_push(ctx->arena, &d->distinct_on.keys, bound_column(&d->columns.at[i], ctx->arena));
        parts[0] = d;
    }
    BoundRel *u = brel_new(BREL_SETOP, NULL, ctx->arena);
    u->setop.kind = SETOP_UNION;
    u->setop.all = true;
    vec_push(ctx->arena, &u->setop.inputs, parts[0]);
    vec_push(ctx->arena, &u->setop.inputs, parts[1]);
    u->columns = parts[0]->columns;
    return change_set_store(ctx, &m->target, u, has_old, out, err);
}

/* ---- the commit ---- */

static void note_clauses(Merge *m, CommitNote *note, MergeClauseKind kind, const char *key)
{
    CommandContext *ctx = m->ctx;
    Str zone = analyzer_func(ctx->analyzer)->zone;
    static const char *const ACTIONS[] = {[MERGE_UPDATE] = "update", [MERGE_UPDATE_STAR] = "update", [MERGE_DELETE] = "delete",
                                          [MERGE_INSERT] = "insert", [MERGE_INSERT_STAR] = "insert"};
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < m->clauses.len; i++) {
        const BoundClause *c = &m->clauses.at[i];
        if (c->clause->kind != kind)
            continue;
        if (b.len > 1)
            buf_addc(&b, ',');
        buf_addc(&b, '{');
        if (c->condition) {
            buf_addz(&b, "\"predicate\":");
            json_put_str(&b, func_sql_text(c->condition, zone, ctx->arena));
            buf_addc(&b, ',');
        }
        buf_addf(&b, "\"actionType\":\"%s\"}", ACTIONS[c->clause->action]);
    }
    buf_addc(&b, ']');
    note_parameter_text(ctx, note, key, buf_str(&b));
}

static void note_merge(Merge *m, CommitNote *note, const ChangeCounts *c)
{
    CommandContext *ctx = m->ctx;
    Buf on = buf_in(ctx->arena);
    buf_addc(&on, '[');
    json_put_str(&on, func_sql_text(m->on, analyzer_func(ctx->analyzer)->zone, ctx->arena));
    buf_addc(&on, ']');
    note_parameter_text(ctx, note, "predicate", buf_str(&on));
    note_clauses(m, note, MERGE_MATCHED, "matchedPredicates");
    note_clauses(m, note, MERGE_NOT_MATCHED, "notMatchedPredicates");
    note_clauses(m, note, MERGE_NOT_MATCHED_BY_SOURCE, "notMatchedBySourcePredicates");
    const struct { const char *key; int64_t value; } METRICS[] = {
        {"numSourceRows", m->source_rows}, {"numTargetRowsInserted", c->inserted}, {"numTargetRowsUpdated", c->updated},
        {"numTargetRowsMatchedUpdated", c->updated - c->unmatched_updated}, {"numTargetRowsNotMatchedBySourceUpdated", c->unmatched_updated},
        {"numTargetRowsDeleted", c->deleted}, {"numTargetRowsMatchedDeleted", c->deleted - c->unmatched_deleted},
        {"numTargetRowsNotMatchedBySourceDeleted", c->unmatched_deleted}, {"numTargetRowsCopied", c->copied},
        {"numOutputRows", c->inserted + c->updated + c->copied}, {"numTargetFilesAdded", c->files_added},
        {"numTargetFilesRemoved", c->files_removed}, {"numTargetBytesAdded", c->bytes_added},
        {"numTargetBytesRemoved", c->bytes_removed}, {"numTargetChangeFilesAdded", c->change_files},
        {"numTargetDeletionVectorsAdded", c->vectors_added}, {"numTargetDeletionVectorsRemoved", c->vectors_removed},
        {"numTargetDeletionVectorsUpdated", c->vectors_updated},
        {"executionTimeMs", (clock_monotonic_us() - note->started_us) / 1000}, {"materializeSourceTimeMs", m->source_ms}, {"scanTimeMs", c->scan_ms}, {"rewriteTimeMs", c->rewrite_ms}};
    for (size_t i = 0; i < LENGTH_OF(METRICS); i++)
        note_metric(ctx, note, METRICS[i].key, METRICS[i].value);
}

/* A target row that no source row matches may be what a clause is about: then the whole table is read. */
static bool note_reads(Merge *m, Transaction *x, Error *err)
{
    bool takes_all_matched = false;
    BoundExprVec matched = {0};
    note_query(m->ctx, &m->target, m->query, x);
    note_expr(m->ctx, &m->target, m->on, x);
    for (size_t i = 0; i < m->clauses.len; i++) {
        BoundClause *b = &m->clauses.at[i];
        if (b->condition)
            note_expr(m->ctx, &m->target, b->condition, x);
        for (size_t f = 0; f < m->width; f++)
            if (b->values[f])
                note_expr(m->ctx, &m->target, b->values[f], x);
        if (b->clause->kind != MERGE_MATCHED)
            continue;
        vec_push(m->ctx->arena, &matched, b->condition);
        takes_all_matched |= !b->condition;
    }
    if (m->has_by_source) {
        transaction_read_whole_table(x);
        return true;
    }
    return note_pairs(m->ctx, m->scan, m->source, m->on, m->has_insert ? NULL : &matched, m->has_insert && !takes_all_matched, x, err);
}

/* By field: whether every clause that inserts brings the value. */
static bool *insert_gives(Merge *m)
{
    bool *out = ARENA_ARRAY(m->ctx->arena, bool, m->width);
    for (size_t f = 0; f < m->width; f++) {
        out[f] = true;
        for (size_t i = 0; i < m->clauses.len; i++) {
            MergeActionKind action = m->clauses.at[i].clause->action;
            if (action == MERGE_INSERT || action == MERGE_INSERT_STAR)
                out[f] &= m->clauses.at[i].given[f];
        }
    }
    return out;
}

static bool apply(Merge *m, Transaction *x, CommitNote *note, ChangeCounts *counts, Error *err)
{
    CommandContext *ctx = m->ctx;
    bool has_old = keeps_change_feed(&m->target), repeated = false;
    BoundRel *rows;
    ChangeSet set;
    TRY(changed_rows(m, has_old, &rows, err));
    TRY(change_set_store(ctx, &m->target, rows, has_old, &set, err));
    if (m->has_matched)
        TRY(repeated_rows(m, &set, &repeated, err));
    if (repeated && !only_deletes(m))
        return error_set(err, ERR_DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE, PZ("usageReference", "https://docs.delta.io/latest/delta-update.html#upsert-into-a-table-using-merge"));
    if (repeated)
        TRY(keep_one_delete(m, &set, has_old, &set, err));
    counts->scan_ms = (clock_monotonic_us() - note->started_us) / 1000;
    TRY(change_set_apply(ctx, &m->target, &set, x, counts, err));
    if (!counts->updated && !counts->deleted && !counts->inserted && !m->evolved && !note->txn.is_set)
        return true;
    Metadata *advanced;
    bool ok = identity_advance(ctx, m->metadata, insert_gives(m), counts->inserted, &advanced, err);
    if (ok && advanced)
        transaction_set_metadata(x, advanced);
    note_merge(m, note, counts);
    ok = ok && note_commit(ctx, x, note, NULL, err);
    if (!ok)
        change_discard(&m->target, counts, err);
    return ok;
}

bool run_merge(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    CommitNote note = {.operation = S("MERGE"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    Merge m = {.ctx = ctx, .command = c};
    Name name;
    TRY(check_clauses(&m, err));
    TRY(command_name(ctx, c, &name, err));
    TRY(refuse_file_table(ctx, &name, c->origin, "MERGE INTO TABLE", err));
    TRY(target_open(ctx, &name, c->origin, &m.target, err));
    TRY(check_change(&m.target, m.has_matched || m.has_by_source, err));
    static const char *const NAMES[] = {"num_affected_rows", "num_updated_rows", "num_deleted_rows", "num_inserted_rows"};
    TRY(txn_mark_of_session(ctx, &note.txn, err));
    if (txn_mark_is_done(ctx, &note.txn, m.target.snapshot)) {
        *result = result_counts(ctx, LENGTH_OF(NAMES), NAMES, NULL);
        return true;
    }
    m.metadata = snapshot_metadata(m.target.snapshot);
    m.width = m.metadata->schema->structure.count;
    Snapshot *read = m.target.snapshot;
    TRY(store_source(&m, err));
    TRY(evolve(&m, err));
    TRY(make_join(&m, err));
    for (size_t i = 0; i < c->merge.clauses.len; i++)
        TRY(bind_clause(&m, &c->merge.clauses.at[i], err));
    Transaction *x = transaction_begin(m.target.table, read, ctx->arena);
    if (m.evolved)
        transaction_set_metadata(x, m.evolved);
    ChangeCounts counts = {0};
    bool ok = note_reads(&m, x, err) && apply(&m, x, &note, &counts, err);
    transaction_end(x);
    int64_t values[] = {counts.updated + counts.deleted + counts.inserted, counts.updated, counts.deleted, counts.inserted};
    *result = result_counts(ctx, LENGTH_OF(NAMES), NAMES, values);
    return ok;
}
