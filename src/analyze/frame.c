/* DataFrame steps that SQL has no clause for: withColumn, drop, rename, toDF, dedupe, limit, sample. */
#include "analyze/analyze_impl.h"

#include "base/clock.h"

bool analyze_subquery_alias(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    /* A table under another name still has its _metadata. */
    input = rel->subquery_alias.columns.len ? strip_hidden(a, input) : strip_but_metadata(a, input);
    if (rel->subquery_alias.columns.len) {
        if (rel->subquery_alias.columns.len != input->columns.len && rel->input->kind == REL_VALUES) {
            error_set(err, ERR_INVALID_INLINE_TABLE__NUM_COLUMNS_MISMATCH,
                      P("expectedNumCols", str_printf(a->arena, "%zu", rel->subquery_alias.columns.len)),
                      P("actualNumCols", str_printf(a->arena, "%zu", input->columns.len)), PZ("rowIndex", "0"));
            return set_context(a, err, rel->input->origin);
        }
        if (rel->subquery_alias.columns.len != input->columns.len && rel->input->kind == REL_TABLE_FUNCTION) {
            error_set(err, ERR_NUM_TABLE_VALUE_ALIASES_MISMATCH, P("funcName", name_quoted(&rel->input->table_function.name, a->arena)),
                      P("aliasesNum", str_printf(a->arena, "%zu", rel->subquery_alias.columns.len)),
                      P("outColsNum", str_printf(a->arena, "%zu", input->columns.len)));
            return set_context(a, err, rel->input->origin);
        }
        if (rel->subquery_alias.columns.len != input->columns.len)
            return error_set(err, ERR_ASSIGNMENT_ARITY_MISMATCH, P("numTarget", str_printf(a->arena, "%zu", rel->subquery_alias.columns.len)),
                             P("numExpr", str_printf(a->arena, "%zu", input->columns.len)));
        BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
        for (size_t i = 0; i < input->columns.len; i++) {
            BoundExpr *e = bound_column(&input->columns.at[i], a->arena);
            project_push(a, p, e, column_of_expr(a, e, rel->subquery_alias.columns.at[i], input->columns.at[i].metadata));
        }
        input = p;
    }
    Name qualifier = {0};
    for (size_t i = 0; i < rel->subquery_alias.qualifier.len; i++)
        vec_push(a->arena, &qualifier, rel->subquery_alias.qualifier.at[i]);
    if (rel->subquery_alias.alias.len)
        vec_push(a->arena, &qualifier, rel->subquery_alias.alias);
    *out = with_qualifier(a, input, &qualifier);
    return true;
}

/* ---- columns ---- */

static size_t find_last(Analyzer *a, const NamedItemVec *items, Str name)
{
    for (size_t i = items->len; i-- > 0;)
        if (name_matches(a, items->at[i].name, name))
            return i;
    return SIZE_MAX;
}

static Str column_name(const Expr *e)
{
    return e->kind == EXPR_ALIAS && e->alias.names.len ? e->alias.names.at[0] : S("");
}

/* |> SET of a column that is not there. */
static bool missing_target(Analyzer *a, const Expr *e, const Scope *scope, Error *err)
{
    Expr *name = expr_new(EXPR_COLUMN, a->arena);
    vec_push(a->arena, &name->column.name, column_name(e));
    name->column.plan_id = -1;
    name->origin = e->origin;
    return column_missing(a, name, scope, err);
}

bool analyze_with_columns(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    bool in_pipe = rel->with_columns.must_exist;
    input = in_pipe ? input : strip_but_metadata(a, input);
    NamedItemVec items = {0};
    StrVec metadata = {0};
    for (size_t i = 0; i < input->columns.len; i++) {
        if (input->columns.at[i].hidden)
            continue;
        NamedItem item = {input->columns.at[i].name, bound_column(&input->columns.at[i], a->arena)};
        vec_push(a->arena, &items, item);
        vec_push(a->arena, &metadata, (Str){0});
    }
    BoundRel *source = input;
    size_t own = items.len;
    for (size_t i = 0; i < rel->with_columns.items.len; i++) {
        const Expr *e = rel->with_columns.items.at[i];
        for (size_t k = 0; k < i; k++)
            if (name_matches(a, column_name(rel->with_columns.items.at[k]), column_name(e)))
                return error_set(err, ERR_COLUMN_ALREADY_EXISTS, P("columnName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(str_lower(column_name(e), a->arena)))));
        Scope scope = scope_of(a, input);
        ExprVec one = {0};
        vec_push(a->arena, &one, (Expr *)e);
        NamedItemVec made = {0};
        TRY(bind_items(a, &one, &scope, &source, &made, err));
        if (made.len != 1)
            return error_unsupported(err, "a generator of several columns in withColumn");
        size_t at = find_last(a, &items, column_name(e));
        if (in_pipe && at == SIZE_MAX)
            return missing_target(a, e, &scope, err);
        if (in_pipe)
            TRY(check_pipe_item(a, made.at[0].expr, "SET", err));
        made.at[0].name = column_name(e);
        if (at == SIZE_MAX) {
            vec_push(a->arena, &items, made.at[0]);
            vec_push(a->arena, &metadata, e->alias.metadata);
            continue;
        }
        for (size_t k = 0; k < own; k++)
            if (name_matches(a, items.at[k].name, column_name(e))) {
                items.at[k] = made.at[0];
                metadata.at[k] = e->alias.metadata;
            }
        if (at >= own)
            items.at[at] = made.at[0];
    }
    for (size_t i = 0; i < items.len; i++)
        TRY(lift_partitions(a, &source, &items.at[i].expr, err));
    *out = project_items(a, source, &items, &metadata);
    if (in_pipe)
        carry_hidden(a, source, *out);
    else
        carry_metadata(a, source, *out);
    return true;
}

bool analyze_rename(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_but_metadata(a, input);
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        BoundColumn c = input->columns.at[i];
        BoundExpr *e = bound_column(&c, a->arena);
        Str name = c.name;
        for (size_t k = 0; k < rel->rename.renames.len; k++)
            if (!c.hidden && name_matches(a, name, rel->rename.renames.at[k].key))
                name = rel->rename.renames.at[k].value;
        if (!str_eq(name, c.name))
            c = column_of_expr(a, e, name, c.metadata);
        project_push(a, p, e, c);
    }
    *out = p;
    return true;
}

static bool drops(Analyzer *a, const Rel *rel, const BoundColumn *c)
{
    for (size_t i = 0; i < rel->drop.names.len; i++)
        if (name_matches(a, rel->drop.names.at[i], c->name))
            return true;
    return false;
}

/* drop(col) of something that is not there changes nothing, as in Spark. */
bool analyze_drop(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    VEC(ColumnId) dropped = {0};
    for (size_t i = 0; i < rel->drop.columns.len; i++) {
        Scope scope = scope_of(a, input);
        BoundExpr *e;
        if (!bind_expr(a, rel->drop.columns.at[i], &scope, &e, err)) {
            bool absent = err->cls == ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION || err->cls == ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION ||
                          err->cls == ERR_CANNOT_RESOLVE_DATAFRAME_COLUMN;
            if (!absent)
                return false;
            error_clear(err);
            continue;
        }
        if (e->kind == BEXPR_COLUMN)
            vec_push(a->arena, &dropped, e->column.id);
    }
    BoundColumnVec kept = {0};
    for (size_t i = 0; i < input->columns.len; i++) {
        const BoundColumn *c = &input->columns.at[i];
        bool gone = c->hidden || drops(a, rel, c);
        for (size_t k = 0; k < dropped.len; k++)
            gone |= dropped.at[k] == c->id;
        if (!gone)
            vec_push(a->arena, &kept, *c);
    }
    *out = project_columns(a, input, &kept);
    carry_metadata(a, input, *out);
    return true;
}

bool analyze_to_df(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    if (rel->to_df.names.len != input->columns.len)
        return error_set(err, ERR_ASSIGNMENT_ARITY_MISMATCH, P("numTarget", str_printf(a->arena, "%zu", rel->to_df.names.len)),
                         P("numExpr", str_printf(a->arena, "%zu", input->columns.len)));
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        BoundExpr *e = bound_column(&input->columns.at[i], a->arena);
        BoundColumn c = input->columns.at[i];
        if (!str_eq(c.name, rel->to_df.names.at[i]))
            c = column_of_expr(a, e, rel->to_df.names.at[i], c.metadata);
        project_push(a, p, e, c);
    }
    *out = p;
    return true;
}

/* df.to(schema): columns by name, cast, reordered; nullable columns may be absent. */
bool analyze_to_schema(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    const Type *schema = rel->to_schema.schema;
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        Name n = {0};
        vec_push(a->arena, &n, f->name);
        BoundExpr *e;
        TRY(find_column(a, &n, &input->columns, &e, err));
        Str quoted = str_printf(a->arena, "`" STR_FMT "`", STR_ARG(f->name));
        if (!e && !f->nullable)
            return error_set(err, ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION, P("objectName", quoted));
        if (!e)
            e = bound_literal(value_null(f->type), a->arena);
        if (e->nullable && !f->nullable)
            return error_set(err, ERR_NULLABLE_COLUMN_OR_FIELD, P("name", quoted));
        if (!type_same_shape(e->type, f->type)) {
            if (!coerce_can_store(e->type, f->type))
                return error_set(err, ERR_INVALID_COLUMN_OR_FIELD_DATA_TYPE, P("name", quoted),
                                 P("type", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(e->type, a->arena)))),
                                 P("expectedType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(f->type, a->arena)))));
            TRY(analyze_store_cast(a, e, f->type, S("to"), f->name, &e, err));
        }
        BoundColumn c = column_of_expr(a, e, f->name, f->metadata);
        project_push(a, p, e, c);
    }
    *out = p;
    return true;
}

/* ---- rows ---- */

bool analyze_deduplicate(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    BoundRel *d = brel_new(BREL_DISTINCT_ON, input, a->arena);
    d->columns = input->columns;
    d->distinct_on.within_watermark = rel->deduplicate.within_watermark;
    if (rel->deduplicate.within_watermark && !brel_is_streaming(input))
        return error_set(err, ERR__LEGACY_ERROR_TEMP_3102, PZ("msg", "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets"));
    if (rel->deduplicate.all_columns || !rel->deduplicate.columns.len) {
        for (size_t i = 0; i < input->columns.len; i++)
            vec_push(a->arena, &d->distinct_on.keys, bound_column(&input->columns.at[i], a->arena));
        *out = d;
        return true;
    }
    for (size_t i = 0; i < rel->deduplicate.columns.len; i++) {
        Str name = rel->deduplicate.columns.at[i];
        bool found = false;
        for (size_t k = 0; k < input->columns.len; k++)
            if (name_matches(a, input->columns.at[k].name, name)) {
                vec_push(a->arena, &d->distinct_on.keys, bound_column(&input->columns.at[k], a->arena));
                found = true;
            }
        if (found)
            continue;
        Buf list = buf_in(a->arena);
        for (size_t k = 0; k < input->columns.len; k++)
            buf_addf(&list, "%s" STR_FMT, k ? ", " : "", STR_ARG(input->columns.at[k].name));
        return error_set(err, ERR_UNRESOLVED_COLUMN_AMONG_FIELD_NAMES, P("colName", name), P("fieldNames", buf_str(&list)));
    }
    *out = d;
    return true;
}

static BoundRel *limit_of(Analyzer *a, BoundRel *input, int64_t count, int64_t offset)
{
    BoundRel *l = brel_new(BREL_LIMIT, input, a->arena);
    l->columns = input->columns;
    if (count >= 0)
        l->limit.count = bound_literal(value_int(TYPE_LONG, count), a->arena);
    if (offset > 0)
        l->limit.offset = bound_literal(value_int(TYPE_LONG, offset), a->arena);
    return l;
}

/* The last n rows: the rows are counted first, in the order they come. */
static bool analyze_tail(Analyzer *a, BoundRel *input, int64_t count, BoundRel **out, Error *err)
{
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    BoundExpr *one = bound_literal(value_int(TYPE_INT, 1), a->arena), *total;
    TRY(bind_builtin(a, "count", 1, &one, (Origin){0, -1}, &total, err));
    BoundColumn c = column_of_expr(a, total, S("count"), (Str){0});
    BoundItem item = {total, c.id};
    vec_push(a->arena, &aggregate->aggregate.aggregates, item);
    vec_push(a->arena, &aggregate->columns, c);
    RowVec rows = {0};
    TRY(run_rows(a, aggregate, 1, &rows, err));
    int64_t n = rows.at[0].cells[0].integer;
    *out = limit_of(a, input, count, n > count ? n - count : 0);
    return true;
}

bool analyze_limit(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    int64_t n;
    const char *what = rel->kind == REL_LIMIT ? "limit" : rel->kind == REL_OFFSET ? "offset" : "tail";
    TRY(require_constant_int(a, rel->limit.count, input, what, &n, err));
    if (rel->kind == REL_TAIL)
        return analyze_tail(a, input, n, out, err);
    *out = rel->kind == REL_LIMIT ? limit_of(a, input, n, 0) : limit_of(a, input, -1, n);
    return true;
}

/* randomSplit: every split draws from the rows in the same order. */
static BoundRel *sorted_in_partitions(Analyzer *a, BoundRel *input, ColumnId partition)
{
    BoundRel *s = brel_new(BREL_SORT, input, a->arena);
    s->columns = input->columns;
    for (size_t i = 0; i < input->columns.len; i++)
        if (input->columns.at[i].id == partition)
            vec_push(a->arena, &s->sort.order, ((BoundSort){bound_column(&input->columns.at[i], a->arena), false, true}));
    for (size_t i = 0; i < input->columns.len; i++)
        if (!input->columns.at[i].hidden && type_is_orderable(input->columns.at[i].type))
            vec_push(a->arena, &s->sort.order, ((BoundSort){bound_column(&input->columns.at[i], a->arena), false, true}));
    return s->sort.order.len ? s : input;
}

bool analyze_sample(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    if (rel->sample.rows) {
        int64_t n;
        TRY(require_constant_int(a, rel->sample.rows, input, "limit", &n, err));
        *out = limit_of(a, input, n, 0);
        return true;
    }
    size_t visible = input->columns.len;
    ColumnId partition = 0;
    if (rel->sample.has_seed && !rel->sample.replacement)
        TRY(partition_column(a, &input, &partition, err));
    if (rel->sample.ordered)
        input = sorted_in_partitions(a, input, partition);
    BoundRel *s = brel_new(BREL_SAMPLE, input, a->arena);
    s->columns = input->columns;
    s->sample.partition = partition;
    s->sample.lower = rel->sample.lower;
    s->sample.upper = rel->sample.upper;
    s->sample.replacement = rel->sample.replacement;
    s->sample.seed = rel->sample.has_seed ? rel->sample.seed : clock_now_us();
    *out = hide_carried(a, s, visible);
    return true;
}
