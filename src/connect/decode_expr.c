/* Expression messages become plan.h expressions. */
#include "connect/decode_impl.h"

#define EXPR_CASE_OF(name) SPARK__CONNECT__EXPRESSION__EXPR_TYPE_##name

bool decode_missing(Decoder *d, const char *message, const char *field)
{
    return error_set(d->err, ERR_CONNECT_INVALID_PLAN__FIELD_CANNOT_BE_EMPTY,
                     P("fieldName", str_printf(d->arena, "%s.%s", message, field)),
                     P("fullName", str_printf(d->arena, "spark.connect.%s", message)));
}

bool decode_bad_enum(Decoder *d, const char *message, const char *field, int value)
{
    return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_ENUM,
                     P("fullName", str_printf(d->arena, "spark.connect.%s.%s", message, field)),
                     PZ("name", field), P("number", str_printf(d->arena, "%d", value)));
}

bool decode_enter(Decoder *d)
{
    if (d->depth >= DECODE_MAX_DEPTH)
        return error_set(d->err, ERR_LAKESHED_PLAN_TOO_DEEP, P("limit", str_printf(d->arena, "%d", DECODE_MAX_DEPTH)));
    d->depth++;
    return true;
}

void decode_leave(Decoder *d)
{
    d->depth--;
}

StrVec decode_strs(Decoder *d, size_t count, char *const *texts)
{
    StrVec out = {0};
    for (size_t i = 0; i < count; i++)
        vec_push(d->arena, &out, wire_str(texts[i]));
    return out;
}

KeyValueVec decode_options(Decoder *d, size_t count, void *const *entries)
{
    KeyValueVec out = {0};
    for (size_t i = 0; i < count; i++) {
        const MapEntryMessage *e = entries[i];
        KeyValue one = {wire_str(e->key), wire_str(e->value), NULL};
        vec_push(d->arena, &out, one);
    }
    return out;
}

bool decode_name(Decoder *d, const char *text, Name *out)
{
    return name_parse(wire_str(text), d->arena, out, d->err);
}

Expr *decode_int_literal(Decoder *d, int32_t value)
{
    return expr_literal(value_int(TYPE_INT, value), d->arena);
}

bool decode_exprs(Decoder *d, size_t count, PB(Expression) *const *expressions, ExprVec *out)
{
    for (size_t i = 0; i < count; i++) {
        Expr *e;
        DECODE(decode_expr(d, expressions[i], &e));
        vec_push(d->arena, out, e);
    }
    return true;
}

bool decode_optional_expr(Decoder *d, const PB(Expression) *expression, Expr **out)
{
    *out = NULL;
    return expression == NULL || decode_expr(d, expression, out);
}

bool decode_literal_expr(Decoder *d, const PB(Expression__Literal) *literal, Expr **out)
{
    Value v;
    DECODE(decode_literal(literal, d->arena, &v, d->err));
    *out = expr_literal(v, d->arena);
    return true;
}

static bool decode_attribute(Decoder *d, const PB(Expression__UnresolvedAttribute) *a, Expr **out)
{
    *out = expr_new(EXPR_COLUMN, d->arena);
    (*out)->column.plan_id = a->has_plan_id ? a->plan_id : -1;
    (*out)->column.is_metadata = a->is_metadata_column;
    return decode_name(d, a->unparsed_identifier, &(*out)->column.name);
}

static bool is_word(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return s.len > 0;
}

/* when(c1, v1, c2, v2, ..., otherwise) is what Column.when and otherwise send. */
static bool decode_when(Decoder *d, const PB(Expression__UnresolvedFunction) *f, Expr **out)
{
    ExprVec args = {0};
    DECODE(decode_exprs(d, f->n_arguments, f->arguments, &args));
    *out = expr_new(EXPR_CASE, d->arena);
    for (size_t i = 0; i + 1 < args.len; i += 2) {
        vec_push(d->arena, &(*out)->cases.conditions, args.at[i]);
        vec_push(d->arena, &(*out)->cases.values, args.at[i + 1]);
    }
    if (args.len % 2 == 1)
        (*out)->cases.otherwise = vec_last(&args);
    return true;
}

static bool decode_function(Decoder *d, const PB(Expression__UnresolvedFunction) *f, Expr **out)
{
    Str name = wire_str(f->function_name);
    if (str_is(name, "when") && f->n_arguments >= 2)
        return decode_when(d, f, out);
    Expr *e = *out = expr_new(EXPR_CALL, d->arena);
    if (f->is_user_defined_function)
        DECODE(decode_name(d, f->function_name, &e->call.name));
    else
        e->call.name = name_of(d->arena, 1, &name);
    e->call.distinct = f->is_distinct;
    e->call.from_client = !f->is_user_defined_function && (!f->has_is_internal || f->is_internal);
    e->call.is_operator = !is_word(name) || str_is(name, "and") || str_is(name, "or") || str_is(name, "not");
    DECODE(decode_exprs(d, f->n_arguments, f->arguments, &e->call.args));
    const Expr *last = e->call.args.len ? vec_last(&e->call.args) : NULL;
    /* nth_value(e, n, ignoreNulls) is how DataFrames say IGNORE NULLS. */
    if (str_is(name, "nth_value") && e->call.args.len == 3 && last->kind == EXPR_LITERAL && last->literal.type->kind == TYPE_BOOLEAN) {
        e->call.ignore_nulls = last->literal.boolean;
        e->call.args.len = 2;
    }
    return true;
}

static bool decode_star(Decoder *d, const PB(Expression__UnresolvedStar) *s, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_STAR, d->arena);
    Str target = wire_str(s->unparsed_target);
    e->star.plan_id = s->has_plan_id ? s->plan_id : -1;
    if (target.len == 0)
        return true;
    if (!str_ends_with(target, S(".*")))
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__UNRESOLVED_STAR_TARGET_INVALID, P("target", target));
    return name_parse(str_slice(target, 0, target.len - 2), d->arena, &e->star.target, d->err);
}

bool decode_alias(Decoder *d, const PB(Expression__Alias) *a, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_ALIAS, d->arena);
    if (a->n_name == 0)
        return decode_missing(d, "Expression.Alias", "name");
    e->alias.names = decode_strs(d, a->n_name, a->name);
    e->alias.metadata = wire_str(a->metadata);
    return decode_expr(d, a->expr, &e->alias.child);
}

static bool decode_cast(Decoder *d, const PB(Expression__Cast) *c, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_CAST, d->arena);
    switch (c->eval_mode) {
    case SPARK__CONNECT__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_UNSPECIFIED: e->cast.mode = EVAL_DEFAULT; break;
    case SPARK__CONNECT__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_LEGACY: e->cast.mode = EVAL_LEGACY; break;
    case SPARK__CONNECT__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_ANSI: e->cast.mode = EVAL_ANSI; break;
    case SPARK__CONNECT__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_TRY: e->cast.mode = EVAL_TRY; break;
    default: return decode_bad_enum(d, "Expression.Cast", "eval_mode", c->eval_mode);
    }
    if (c->cast_to_type_case == SPARK__CONNECT__EXPRESSION__CAST__CAST_TO_TYPE_TYPE) {
        DECODE(decode_type(c->type, d->arena, &e->cast.type, d->err));
    } else if (c->cast_to_type_case == SPARK__CONNECT__EXPRESSION__CAST__CAST_TO_TYPE_TYPE_STR) {
        e->cast.type_text = wire_str(c->type_str);
        DECODE(type_from_ddl(e->cast.type_text, d->arena, &e->cast.type, d->err));
    } else {
        return decode_missing(d, "Expression.Cast", "cast_to_type");
    }
    return decode_expr(d, c->expr, &e->cast.child);
}

bool decode_sort_order(Decoder *d, const PB(Expression__SortOrder) *o, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_SORT, d->arena);
    e->sort.descending = o->direction == SPARK__CONNECT__EXPRESSION__SORT_ORDER__SORT_DIRECTION__SORT_DIRECTION_DESCENDING;
    e->sort.nulls_given = o->null_ordering != SPARK__CONNECT__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_UNSPECIFIED;
    e->sort.nulls_first = e->sort.nulls_given
                              ? o->null_ordering == SPARK__CONNECT__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_FIRST
                              : !e->sort.descending;
    return decode_expr(d, o->child, &e->sort.child);
}

static bool decode_lambda(Decoder *d, const PB(Expression__LambdaFunction) *l, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_LAMBDA, d->arena);
    if (l->n_arguments == 0 || l->n_arguments > 3)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__LAMBDA_FUNCTION_ARGUMENT_COUNT_INVALID,
                         P("got", str_printf(d->arena, "%zu", l->n_arguments)));
    for (size_t i = 0; i < l->n_arguments; i++) {
        const PB(Expression__UnresolvedNamedLambdaVariable) *v = l->arguments[i];
        if (v->n_name_parts != 1)
            return error_set(d->err, ERR_CONNECT_INVALID_PLAN__UNRESOLVED_NAMED_LAMBDA_VARIABLE_REQUIRES_NAME_PART);
        vec_push(d->arena, &e->lambda.params, wire_str(v->name_parts[0]));
    }
    return decode_expr(d, l->function, &e->lambda.body);
}

static bool decode_lambda_variable(Decoder *d, const PB(Expression__UnresolvedNamedLambdaVariable) *v, Expr **out)
{
    if (v->n_name_parts == 0)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__UNRESOLVED_NAMED_LAMBDA_VARIABLE_REQUIRES_NAME_PART);
    *out = expr_new(EXPR_LAMBDA_VAR, d->arena);
    (*out)->lambda_var.name = decode_strs(d, v->n_name_parts, v->name_parts);
    return true;
}

/* ---- windows ---- */

/* Clients send an offset: below zero is PRECEDING, above is FOLLOWING. */
static bool decode_bound(Decoder *d, const PB(Expression__Window__WindowFrame__FrameBoundary) *b, bool lower,
                         FrameBound *out)
{
    *out = (FrameBound){BOUND_CURRENT_ROW, NULL};
    switch (b->boundary_case) {
    case SPARK__CONNECT__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_CURRENT_ROW: return true;
    case SPARK__CONNECT__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_UNBOUNDED:
        out->kind = lower ? BOUND_UNBOUNDED_PRECEDING : BOUND_UNBOUNDED_FOLLOWING;
        return true;
    case SPARK__CONNECT__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_VALUE: break;
    default: return decode_missing(d, "Expression.Window.WindowFrame.FrameBoundary", "boundary");
    }
    Expr *e;
    DECODE(decode_expr(d, b->value, &e));
    out->kind = BOUND_FOLLOWING;
    out->value = e;
    if (e->kind == EXPR_CALL && e->call.args.len == 1 && e->call.name.len == 1 &&
        (str_is(e->call.name.at[0], "negative") || str_is(e->call.name.at[0], "-"))) {
        out->kind = BOUND_PRECEDING;
        out->value = e->call.args.at[0];
        return true;
    }
    if (e->kind != EXPR_LITERAL || e->literal.is_null)
        return true;
    Value *v = &e->literal;
    TypeKind kind = v->type->kind;
    bool whole = (kind >= TYPE_BYTE && kind <= TYPE_LONG) || kind == TYPE_INTERVAL_YM || kind == TYPE_INTERVAL_DT;
    bool real = kind == TYPE_FLOAT || kind == TYPE_DOUBLE;
    if (whole && v->integer == 0) {
        *out = (FrameBound){BOUND_CURRENT_ROW, NULL};
    } else if ((whole && v->integer < 0 && v->integer > INT64_MIN) || (real && v->real < 0)) {
        out->kind = BOUND_PRECEDING;
        if (whole)
            v->integer = -v->integer;
        else
            v->real = -v->real;
    }
    return true;
}

static bool decode_window(Decoder *d, const PB(Expression__Window) *w, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_WINDOW, d->arena);
    WindowSpec *spec = &e->window.spec;
    if (w->window_function == NULL)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__WINDOW_FUNCTION_REQUIRED);
    DECODE(decode_expr(d, w->window_function, &e->window.call));
    DECODE(decode_exprs(d, w->n_partition_spec, w->partition_spec, &spec->partition));
    for (size_t i = 0; i < w->n_order_spec; i++) {
        Expr *order;
        DECODE(decode_sort_order(d, w->order_spec[i], &order));
        vec_push(d->arena, &spec->order, order);
    }
    const PB(Expression__Window__WindowFrame) *f = w->frame_spec;
    if (f == NULL)
        return true;
    switch (f->frame_type) {
    case SPARK__CONNECT__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_TYPE__FRAME_TYPE_ROW: spec->frame = FRAME_ROWS; break;
    case SPARK__CONNECT__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_TYPE__FRAME_TYPE_RANGE: spec->frame = FRAME_RANGE; break;
    default: return decode_bad_enum(d, "Expression.Window.WindowFrame", "frame_type", f->frame_type);
    }
    if (f->lower == NULL)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__LOWER_BOUND_REQUIRED_IN_WINDOW_FRAME);
    if (f->upper == NULL)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__UPPER_BOUND_REQUIRED_IN_WINDOW_FRAME);
    return decode_bound(d, f->lower, true, &spec->from) && decode_bound(d, f->upper, false, &spec->to);
}

/* ---- user-defined functions ---- */

static bool fill_python(Decoder *d, const PB(PythonUDF) *p, PythonFunction *f)
{
    f->eval_type = p->eval_type;
    f->command = wire_bytes(p->command);
    f->python_version = wire_str(p->python_ver);
    return p->output_type == NULL || decode_type(p->output_type, d->arena, &f->return_type, d->err);
}

bool decode_python(Decoder *d, const PB(CommonInlineUserDefinedFunction) *f, PythonFunction **out, ExprVec *args)
{
    if (f == NULL)
        return decode_missing(d, "CommonInlineUserDefinedFunction", "function");
    *out = ARENA_NEW(d->arena, PythonFunction);
    (*out)->name = wire_str(f->function_name);
    (*out)->deterministic = f->deterministic;
    DECODE(decode_exprs(d, f->n_arguments, f->arguments, args));
    switch (f->function_case) {
    case SPARK__CONNECT__COMMON_INLINE_USER_DEFINED_FUNCTION__FUNCTION_PYTHON_UDF:
        return fill_python(d, f->python_udf, *out);
    case SPARK__CONNECT__COMMON_INLINE_USER_DEFINED_FUNCTION__FUNCTION_SCALAR_SCALA_UDF:
        return error_unsupported(d->err, "A Scala user-defined function (" STR_FMT ")", STR_ARG((*out)->name));
    case SPARK__CONNECT__COMMON_INLINE_USER_DEFINED_FUNCTION__FUNCTION_JAVA_UDF:
        return error_unsupported(d->err, "The Java user-defined function " STR_FMT,
                                 STR_ARG(wire_str(f->java_udf->class_name)));
    default:
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__UNSUPPORTED_USER_DEFINED_FUNCTION_IMPLEMENTATION);
    }
}

bool decode_python_table(Decoder *d, const PB(CommonInlineUserDefinedTableFunction) *f, PythonFunction **out,
                         ExprVec *args)
{
    if (f->function_case != SPARK__CONNECT__COMMON_INLINE_USER_DEFINED_TABLE_FUNCTION__FUNCTION_PYTHON_UDTF)
        return decode_missing(d, "CommonInlineUserDefinedTableFunction", "function");
    const PB(PythonUDTF) *p = f->python_udtf;
    *out = ARENA_NEW(d->arena, PythonFunction);
    (*out)->name = wire_str(f->function_name);
    (*out)->deterministic = f->deterministic;
    (*out)->eval_type = p->eval_type;
    (*out)->command = wire_bytes(p->command);
    (*out)->python_version = wire_str(p->python_ver);
    if (p->return_type != NULL)
        DECODE(decode_type(p->return_type, d->arena, &(*out)->return_type, d->err));
    return decode_exprs(d, f->n_arguments, f->arguments, args);
}

static bool decode_python_call(Decoder *d, const PB(CommonInlineUserDefinedFunction) *f, Expr **out)
{
    *out = expr_new(EXPR_PYTHON_UDF, d->arena);
    (*out)->python.distinct = f->is_distinct;
    return decode_python(d, f, &(*out)->python.function, &(*out)->python.args);
}

/* ---- the rest ---- */

static bool decode_call_function(Decoder *d, const PB(CallFunction) *c, Expr **out)
{
    *out = expr_new(EXPR_CALL, d->arena);
    DECODE(decode_name(d, c->function_name, &(*out)->call.name));
    return decode_exprs(d, c->n_arguments, c->arguments, &(*out)->call.args);
}

static bool decode_extract(Decoder *d, const PB(Expression__UnresolvedExtractValue) *x, Expr **out)
{
    *out = expr_new(EXPR_EXTRACT, d->arena);
    return decode_expr(d, x->child, &(*out)->extract.child) && decode_expr(d, x->extraction, &(*out)->extract.key);
}

static bool decode_update_fields(Decoder *d, const PB(Expression__UpdateFields) *u, Expr **out)
{
    Expr *e = *out = expr_new(EXPR_UPDATE_FIELDS, d->arena);
    DECODE(decode_expr(d, u->struct_expression, &e->update_fields.child));
    DECODE(decode_name(d, u->field_name, &e->update_fields.update.field));
    return decode_optional_expr(d, u->value_expression, &e->update_fields.update.value);
}

static bool decode_expr_case(Decoder *d, const PB(Expression) *e, Expr **out)
{
    switch (e->expr_type_case) {
    case EXPR_CASE_OF(LITERAL): return decode_literal_expr(d, e->literal, out);
    case EXPR_CASE_OF(UNRESOLVED_ATTRIBUTE): return decode_attribute(d, e->unresolved_attribute, out);
    case EXPR_CASE_OF(UNRESOLVED_FUNCTION): return decode_function(d, e->unresolved_function, out);
    case EXPR_CASE_OF(EXPRESSION_STRING):
        *out = expr_new(EXPR_SQL_TEXT, d->arena);
        (*out)->sql_text.text = wire_str(e->expression_string->expression);
        return true;
    case EXPR_CASE_OF(UNRESOLVED_STAR): return decode_star(d, e->unresolved_star, out);
    case EXPR_CASE_OF(ALIAS): return decode_alias(d, e->alias, out);
    case EXPR_CASE_OF(CAST): return decode_cast(d, e->cast, out);
    case EXPR_CASE_OF(UNRESOLVED_REGEX):
        *out = expr_new(EXPR_REGEX_COLUMN, d->arena);
        (*out)->regex_column.pattern = wire_str(e->unresolved_regex->col_name);
        (*out)->regex_column.plan_id = e->unresolved_regex->has_plan_id ? e->unresolved_regex->plan_id : -1;
        return true;
    case EXPR_CASE_OF(SORT_ORDER): return decode_sort_order(d, e->sort_order, out);
    case EXPR_CASE_OF(LAMBDA_FUNCTION): return decode_lambda(d, e->lambda_function, out);
    case EXPR_CASE_OF(WINDOW): return decode_window(d, e->window, out);
    case EXPR_CASE_OF(UNRESOLVED_EXTRACT_VALUE): return decode_extract(d, e->unresolved_extract_value, out);
    case EXPR_CASE_OF(UPDATE_FIELDS): return decode_update_fields(d, e->update_fields, out);
    case EXPR_CASE_OF(UNRESOLVED_NAMED_LAMBDA_VARIABLE):
        return decode_lambda_variable(d, e->unresolved_named_lambda_variable, out);
    case EXPR_CASE_OF(COMMON_INLINE_USER_DEFINED_FUNCTION):
        return decode_python_call(d, e->common_inline_user_defined_function, out);
    case EXPR_CASE_OF(CALL_FUNCTION): return decode_call_function(d, e->call_function, out);
    case EXPR_CASE_OF(NAMED_ARGUMENT_EXPRESSION):
        *out = expr_new(EXPR_NAMED_ARGUMENT, d->arena);
        (*out)->named_argument.name = wire_str(e->named_argument_expression->key);
        return decode_expr(d, e->named_argument_expression->value, &(*out)->named_argument.value);
    case EXPR_CASE_OF(SUBQUERY_EXPRESSION): return decode_subquery(d, e->subquery_expression, out);
    case EXPR_CASE_OF(MERGE_ACTION): return error_unsupported(d->err, "A merge action outside mergeInto");
    case EXPR_CASE_OF(TYPED_AGGREGATE_EXPRESSION): return error_unsupported(d->err, "A typed (Scala) aggregate");
    case EXPR_CASE_OF(DIRECT_SHUFFLE_PARTITION_ID): {
        Expr *id;
        DECODE(decode_expr(d, e->direct_shuffle_partition_id->child, &id));
        *out = expr_call(d->arena, "direct_shuffle_partition_id", 1, &id);
        return true;
    }
    case EXPR_CASE_OF(EXTENSION):
        return error_unsupported(d->err, "The expression extension " STR_FMT, STR_ARG(wire_str(e->extension->type_url)));
    default: return error_set(d->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                              PZ("fullName", "spark.connect.Expression.expr_type"), PZ("name", "expr_type"));
    }
}

/* The call in the client's program that made the expression. */
static const Site *decode_site(Decoder *d, const PB(Expression) *expression)
{
    const PB(ExpressionCommon) *common = expression->common;
    if (common == NULL || common->origin == NULL || common->origin->python_origin == NULL)
        return NULL;
    Site *site = ARENA_NEW(d->arena, Site);
    site->origin = (Origin){0, -1};
    site->fragment = wire_str(common->origin->python_origin->fragment);
    site->call_site = wire_str(common->origin->python_origin->call_site);
    return site;
}

bool decode_expr(Decoder *d, const PB(Expression) *expression, Expr **out)
{
    if (expression == NULL)
        return decode_missing(d, "Expression", "expr_type");
    DECODE(decode_enter(d));
    DECODE(decode_expr_case(d, expression, out));
    if ((*out)->site == NULL)
        (*out)->site = decode_site(d, expression);
    decode_leave(d);
    return true;
}
