/* Rows of a query become rows of the table: by name or position, cast, completed with defaults and generated values. */
#include "command/command_impl.h"

bool column_default(CommandContext *ctx, const Field *f, BoundExpr **out, Error *err)
{
    Str sql = delta_default_expression(f, ctx->arena);
    if (!sql.len) {
        *out = bound_literal(value_null(type_char_as_string(f->type, ctx->arena)), ctx->arena);
        return true;
    }
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    Expr *e;
    BoundColumnVec none = {0};
    TRY(sql_parse_expr(sql, &options, ctx->arena, &e, err));
    TRY(analyze_expr(ctx->analyzer, e, &none, out, err));
    return analyze_store_cast(ctx->analyzer, *out, f->type, S("default"), f->name, out, err);
}

/* The generation expression over columns that carry the table's names. */
static bool generated_value(CommandContext *ctx, const Field *f, Str sql, const BoundColumnVec *columns, BoundExpr **out, Error *err)
{
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    Expr *e;
    TRY(sql_parse_expr(sql, &options, ctx->arena, &e, err));
    TRY(analyze_expr(ctx->analyzer, e, columns, out, err));
    return analyze_store_cast(ctx->analyzer, *out, f->type, S("generated"), f->name, out, err);
}

static BoundColumn table_column(CommandContext *ctx, const Field *f, const BoundExpr *e)
{
    return (BoundColumn){.id = analyzer_next_id(ctx->analyzer), .name = f->name, .type = e->type, .nullable = e->nullable};
}

bool generate_columns(CommandContext *ctx, const Metadata *m, BoundRel *rows, size_t first, BoundExpr *const *given, BoundRel **out, Error *err)
{
    const Type *schema = m->schema;
    BoundColumnVec named = {0};
    bool any = false;
    for (size_t i = 0; i < schema->structure.count; i++) {
        vec_push(ctx->arena, &named, rows->columns.at[first + i]);
        any |= delta_generation_expression(&schema->structure.fields[i], ctx->arena).len > 0;
    }
    *out = rows;
    if (!any)
        return true;
    BoundRel *p = build_project(ctx, rows);
    for (size_t c = 0; c < rows->columns.len; c++) {
        BoundExpr *e = bound_column(&rows->columns.at[c], ctx->arena);
        const Field *f = c >= first && c < first + schema->structure.count ? &schema->structure.fields[c - first] : NULL;
        Str sql = f ? delta_generation_expression(f, ctx->arena) : (Str){0};
        const BoundExpr *kept = sql.len ? given[c - first] : NULL;
        bool always_given = kept && kept->kind == BEXPR_LITERAL && kept->literal.boolean;
        if (!sql.len || always_given) {
            BoundItem item = {e, rows->columns.at[c].id};
            vec_push(ctx->arena, &p->project.items, item);
            vec_push(ctx->arena, &p->columns, rows->columns.at[c]);
            continue;
        }
        BoundExpr *value;
        TRY(generated_value(ctx, f, sql, &named, &value, err));
        if (kept) {
            BoundExpr *choice = bound_new(BEXPR_CASE, value->type, true, ctx->arena);
            vec_push(ctx->arena, &choice->cases.conditions, given[c - first]);
            vec_push(ctx->arena, &choice->cases.values, e);
            choice->cases.otherwise = value;
            value = choice;
        }
        BoundColumn column = table_column(ctx, f, value);
        BoundItem item = {value, column.id};
        vec_push(ctx->arena, &p->project.items, item);
        vec_push(ctx->arena, &p->columns, column);
    }
    *out = p;
    return true;
}

bool store_value(CommandContext *ctx, const Field *f, Str table, BoundExpr *value, BoundExpr **out, Error *err)
{
    return analyze_delta_cast(ctx->analyzer, value, f->type, table, f->name, out, err);
}

/* ---- assigning a field of a struct ---- */

enum { MAX_FIELD_DEPTH = 32 };

const BoundExpr *assigned_column(const BoundExpr *target)
{
    size_t depth = 0;
    while (target->kind == BEXPR_FIELD && depth++ < MAX_FIELD_DEPTH)
        target = target->field.child;
    return target->kind == BEXPR_COLUMN ? target : NULL;
}

static BoundExpr *field_of(CommandContext *ctx, BoundExpr *base, size_t index)
{
    BoundExpr *f = bound_new(BEXPR_FIELD, base->type->structure.fields[index].type, true, ctx->arena);
    f->field.child = base;
    f->field.index = index;
    return f;
}

BoundExpr *replace_field(CommandContext *ctx, const BoundExpr *target, BoundExpr *base, BoundExpr *value)
{
    const BoundExpr *path[MAX_FIELD_DEPTH];
    BoundExpr *bases[MAX_FIELD_DEPTH];
    size_t depth = 0;
    for (; target->kind == BEXPR_FIELD; target = target->field.child)
        path[depth++] = target;
    for (size_t i = depth; i > 0; i--)
        bases[i - 1] = i == depth ? base : field_of(ctx, bases[i], path[i]->field.index);
    for (size_t i = 0; i < depth; i++) {
        BoundExpr *s = bound_new(BEXPR_STRUCT, bases[i]->type, false, ctx->arena);
        for (size_t k = 0; k < s->type->structure.count; k++)
            vec_push(ctx->arena, &s->structure.children, k == path[i]->field.index ? value : field_of(ctx, bases[i], k));
        value = s;
    }
    return value;
}

static bool lacks_fields(const CommandContext *ctx, const Type *from, const Type *to)
{
    bool sensitive = analyzer_func(ctx->analyzer)->case_sensitive;
    if (from->kind != TYPE_STRUCT || to->kind != TYPE_STRUCT)
        return false;
    for (size_t i = 0; i < to->structure.count; i++) {
        int at = type_field_index(from, to->structure.fields[i].name, sensitive);
        if (at < 0 || lacks_fields(ctx, from->structure.fields[at].type, to->structure.fields[i].type))
            return true;
    }
    return false;
}

bool store_over(CommandContext *ctx, const Field *f, Str table, BoundExpr *old, BoundExpr *value, BoundExpr **out, Error *err)
{
    bool sensitive = analyzer_func(ctx->analyzer)->case_sensitive;
    if (!lacks_fields(ctx, value->type, f->type))
        return store_value(ctx, f, table, value, out, err);
    BoundExpr *s = bound_new(BEXPR_STRUCT, f->type, false, ctx->arena);
    for (size_t i = 0; i < f->type->structure.count; i++) {
        const Field *part = &f->type->structure.fields[i];
        int at = type_field_index(value->type, part->name, sensitive);
        BoundExpr *field = field_of(ctx, old, i);
        if (at >= 0)
            TRY(store_over(ctx, part, table, field, field_of(ctx, value, (size_t)at), &field, err));
        vec_push(ctx->arena, &s->structure.children, field);
    }
    BoundExpr *nulls[2], *both;
    TRY(build_call(ctx, "isnull", 1, &old, &nulls[0], err));
    TRY(build_call(ctx, "isnull", 1, &value, &nulls[1], err));
    TRY(build_call(ctx, "and", 2, nulls, &both, err));
    BoundExpr *c = bound_new(BEXPR_CASE, f->type, true, ctx->arena);
    vec_push(ctx->arena, &c->cases.conditions, both);
    vec_push(ctx->arena, &c->cases.values, bound_literal(value_null(f->type), ctx->arena));
    c->cases.otherwise = s;
    *out = c;
    return true;
}

/* ---- from a query's columns to values by field ---- */

static bool same_name(const CommandContext *ctx, Str x, Str y)
{
    return analyzer_func(ctx->analyzer)->case_sensitive ? str_eq(x, y) : str_ieq(x, y);
}

static bool extra_columns(CommandContext *ctx, Str table, const Type *schema, const BoundRel *input, bool too_many, Error *err)
{
    Buf wanted = buf_in(ctx->arena), have = buf_in(ctx->arena);
    for (size_t i = 0; i < schema->structure.count; i++)
        buf_addf(&wanted, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(schema->structure.fields[i].name));
    for (size_t i = 0; i < input->columns.len; i++)
        buf_addf(&have, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(input->columns.at[i].name));
    return error_set(err, too_many ? ERR_INSERT_COLUMN_ARITY_MISMATCH__TOO_MANY_DATA_COLUMNS : ERR_INSERT_COLUMN_ARITY_MISMATCH__NOT_ENOUGH_DATA_COLUMNS,
                     P("tableName", table), P("tableColumns", buf_str(&wanted)), P("dataColumns", buf_str(&have)));
}

/* Delta's test whether a query's rows are the table's already: every nested field by its name, with the same type. */
static bool reads_as(const CommandContext *ctx, const Type *from, const Type *to)
{
    if (from->kind != to->kind)
        return false;
    switch (to->kind) {
    case TYPE_ARRAY:
        return reads_as(ctx, from->array.element, to->array.element);
    case TYPE_MAP:
        return reads_as(ctx, from->map.key, to->map.key) && reads_as(ctx, from->map.value, to->map.value);
    case TYPE_STRUCT:
        for (size_t i = 0; i < to->structure.count; i++) {
            int at = type_field_index(from, to->structure.fields[i].name, analyzer_func(ctx->analyzer)->case_sensitive);
            if (at < 0 || !reads_as(ctx, from->structure.fields[at].type, to->structure.fields[i].type))
                return false;
        }
        return true;
    default:
        return type_same_shape(from, to);
    }
}

static bool named_alike(const CommandContext *ctx, const Type *schema, const BoundRel *input)
{
    for (size_t i = 0; i < input->columns.len && i < schema->structure.count; i++)
        if (!same_name(ctx, input->columns.at[i].name, schema->structure.fields[i].name))
            return false;
    return true;
}

/* Delta: nested fields follow their names where the rows are the table's already, else their position. */
static bool place_nested(CommandContext *ctx, const Type *schema, Str table, const BoundRel *input, BoundExpr **values, Error *err)
{
    bool by_name = named_alike(ctx, schema, input);
    for (size_t i = 0; i < schema->structure.count && by_name; i++)
        by_name = !values[i] || reads_as(ctx, values[i]->type, schema->structure.fields[i].type);
    for (size_t i = 0; i < schema->structure.count && !by_name; i++) {
        const Type *to = schema->structure.fields[i].type;
        if (!values[i] || values[i]->type->kind == TYPE_NULL)
            continue;
        if (to->kind == TYPE_STRUCT && values[i]->type->kind == TYPE_STRUCT && values[i]->type->structure.count < to->structure.count)
            return error_set(err, ERR_DELTA_INSERT_COLUMN_ARITY_MISMATCH, P("tableName", table),
                             P("columnName", str_printf(ctx->arena, "not enough nested fields in " STR_FMT, STR_ARG(values[i]->column.name))),
                             P("numColumns", str_printf(ctx->arena, "%zu", to->structure.count)),
                             P("insertColumns", str_printf(ctx->arena, "%zu", values[i]->type->structure.count)));
        values[i] = analyze_name_as(ctx->analyzer, values[i], to);
    }
    return true;
}

/* A named column list must name every column that is neither nullable nor fills itself. */
static bool all_required(const Type *schema, BoundExpr *const *values, const CommandContext *ctx, Error *err)
{
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        if (!values[i] && !f->nullable && !delta_generation_expression(f, ctx->arena).len &&
            !delta_default_expression(f, ctx->arena).len && !delta_is_identity(f))
            return error_set(err, ERR_DELTA_INSERT_COLUMN_MISMATCH, P("columnName", f->name));
    }
    return true;
}

static bool by_position(CommandContext *ctx, const Type *schema, Str table, const BoundRel *input, const AlignOptions *o, BoundExpr **values, Error *err)
{
    size_t count = schema->structure.count;
    if (o->columns && o->columns->len) {
        if (o->columns->len != input->columns.len)
            return extra_columns(ctx, table, schema, input, input->columns.len > o->columns->len, err);
        for (size_t i = 0; i < o->columns->len; i++) {
            int at = type_field_index(schema, o->columns->at[i], analyzer_func(ctx->analyzer)->case_sensitive);
            if (at < 0)
                return error_set(err, ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION, P("objectName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(o->columns->at[i]))));
            if (values[at])
                return error_set(err, ERR_COLUMN_ALREADY_EXISTS, P("columnName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(o->columns->at[i]))));
            values[at] = bound_column(&input->columns.at[i], ctx->arena);
        }
        return o->plain_files || all_required(schema, values, ctx, err);
    }
    if (input->columns.len > count)
        return extra_columns(ctx, table, schema, input, true, err);
    /* A positional INSERT may leave out trailing generated columns; anything else that is short is an error. */
    for (size_t i = 0; i < count; i++)
        if (i < input->columns.len)
            values[i] = bound_column(&input->columns.at[i], ctx->arena);
        else if (!delta_generation_expression(&schema->structure.fields[i], ctx->arena).len && !delta_default_expression(&schema->structure.fields[i], ctx->arena).len)
            return extra_columns(ctx, table, schema, input, false, err);
    return true;
}

static bool by_name(CommandContext *ctx, const Type *schema, const BoundRel *input, BoundExpr **values, Error *err)
{
    for (size_t c = 0; c < input->columns.len; c++) {
        bool found = false;
        for (size_t i = 0; i < schema->structure.count; i++)
            if (same_name(ctx, schema->structure.fields[i].name, input->columns.at[c].name)) {
                if (values[i])
                    return error_set(err, ERR_DELTA_DUPLICATE_COLUMNS_ON_INSERT, P("duplicateColumns", input->columns.at[c].name));
                values[i] = bound_column(&input->columns.at[c], ctx->arena);
                found = true;
            }
        if (!found)
            return error_set(err, ERR_DELTA_METADATA_MISMATCH);
    }
    return true;
}

/* A value per field, completed: what the rows do not give is default or NULL, then generated columns are computed. */
static bool complete(CommandContext *ctx, const Metadata *m, Str table, BoundRel *input, const AlignOptions *options, BoundExpr **values,
                     BoundRel **out, Error *err)
{
    const Type *schema = m->schema;
    size_t count = schema->structure.count;
    BoundExpr **given = ARENA_ARRAY(ctx->arena, BoundExpr *, count);
    BoundRel *p = build_project(ctx, input);
    for (size_t i = 0; i < count; i++) {
        const Field *f = &schema->structure.fields[i];
        given[i] = bound_literal(value_bool(values[i] != NULL), ctx->arena);
        if (options->given)
            options->given[i] = values[i] != NULL;
        if (values[i])
            TRY(check_identity_given(f, err));
        const Type *declared;
        TRY(field_declared_type(f, ctx->arena, &declared, err));
        if (values[i] && options->plain_files)
            TRY(analyze_store_cast(ctx->analyzer, values[i], declared, table, f->name, &values[i], err));
        else if (values[i])
            TRY(store_value(ctx, f, table, values[i], &values[i], err));
        else if (delta_is_identity(f))
            TRY(identity_value(ctx, f, NULL, &values[i], err));
        else
            TRY(column_default(ctx, f, &values[i], err));
        build_push(ctx, p, values[i], f->name);
        if (delta_generation_expression(f, ctx->arena).len && !given[i]->literal.boolean)
            given[i] = NULL;
    }
    return generate_columns(ctx, m, p, 0, given, out, err);
}

bool align_rows(CommandContext *ctx, const Metadata *m, Str table, BoundRel *input, const AlignOptions *options, BoundRel **out, Error *err)
{
    BoundExpr **values = ARENA_ARRAY(ctx->arena, BoundExpr *, m->schema->structure.count);
    if (options->by_name)
        TRY(by_name(ctx, m->schema, input, values, err));
    else
        TRY(by_position(ctx, m->schema, table, input, options, values, err) && place_nested(ctx, m->schema, table, input, values, err));
    BoundRel *rows;
    TRY(complete(ctx, m, table, input, options, values, &rows, err));
    return enforce_constraints(ctx, m, rows, 0, out, err);
}
