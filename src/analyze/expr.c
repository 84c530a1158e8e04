/* Expressions: one function a kind; calls, columns, windows and subqueries have files of their own. */
#include "analyze/analyze_impl.h"
#include "type/datetime.h"

#include "base/log.h"
#include "type/collation.h"

/* ---- coercion ---- */

bool coerce_to(Analyzer *a, BoundExpr *e, const Type *to, BoundExpr **out, Error *err)
{
    (void)err;
    if (type_same_shape(e->type, to)) {
        *out = e;
        return true;
    }
    if (e->kind == BEXPR_LITERAL && e->literal.is_null) {
        *out = bound_literal(value_null(to), a->arena);
        (*out)->implicit = true;
        return true;
    }
    *out = bound_cast(e, to, a->ansi ? CAST_ANSI : CAST_LEGACY, true, a->arena);
    (*out)->cast.zone = a->func.zone;
    return true;
}

static Str type_list(Analyzer *a, const BoundExprVec *es)
{
    Buf b = buf_in(a->arena);
    for (size_t i = 0; i < es->len; i++)
        buf_addf(&b, "%s\"" STR_FMT "\"", i ? " or " : "", STR_ARG(type_sql(es->at[i]->type, a->arena)));
    return buf_str(&b);
}

bool coerce_all(Analyzer *a, BoundExprVec *es, const char *function, Error *err)
{
    if (!es->len)
        return true;
    TRY(func_collate_together(es->at, es->len, &a->func, err));
    const Type *common = es->at[0]->type;
    for (size_t i = 1; i < es->len && common; i++)
        common = coerce_common(common, es->at[i]->type, a->ansi, a->arena);
    if (!common)
        return error_set(err, ERR_DATATYPE_MISMATCH__DATA_DIFF_TYPES,
                         P("sqlExpr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(es->at[0], a->func.zone, a->arena)))),
                         P("functionName", str_printf(a->arena, "`%s`", function)), P("dataType", str_printf(a->arena, "(" STR_FMT ")", STR_ARG(type_list(a, es)))));
    for (size_t i = 0; i < es->len; i++)
        TRY(coerce_to(a, es->at[i], common, &es->at[i], err));
    return true;
}

/* ---- kinds ---- */

static bool bind_literal_expr(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    (void)scope;
    (void)err;
    *out = bound_literal(e->literal, a->arena);
    if (a->default_collation.len && e->literal.type->kind == TYPE_STRING) {
        (*out)->type = type_with_collation(e->literal.type, a->default_collation, true, a->arena);
        (*out)->literal.type = (*out)->type;
    }
    return true;
}

static bool bind_alias(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    const Expr *child = e->alias.child;
    TRY(bind_expr(a, child, scope, out, err));
    if (child->kind == EXPR_CALL && child->call.is_operator && str_is(vec_last(&child->call.name), "variant_get"))
        (*out)->written_alias = e->alias.names.at[0];
    return true;
}

static CastMode cast_mode(const Analyzer *a, EvalMode mode)
{
    switch (mode) {
    case EVAL_ANSI:
        return CAST_ANSI;
    case EVAL_TRY:
        return CAST_TRY;
    case EVAL_LEGACY:
        return CAST_LEGACY;
    case EVAL_DEFAULT:
        break;
    }
    return a->ansi ? CAST_ANSI : CAST_LEGACY;
}

static bool refuse_cast(Analyzer *a, const BoundExpr *child, const Type *to, CastMode mode, const Expr *e, Error *err)
{
    Str src = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(child->type, a->arena)));
    Str dst = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(to, a->arena)));
    Str sql = str_printf(a->arena, "\"%s(" STR_FMT " AS " STR_FMT ")\"", mode == CAST_TRY ? "TRY_CAST" : "CAST",
                         STR_ARG(func_sql_text(child, a->func.zone, a->arena)), STR_ARG(type_sql(to, a->arena)));
    bool from_date = child->type->kind == TYPE_DATE && type_is_numeric(to),
         to_date = to->kind == TYPE_DATE && type_is_numeric(child->type);
    if ((mode == CAST_ANSI || mode == CAST_TRY) && (from_date || to_date))
        error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITH_FUNC_SUGGESTION, P("sqlExpr", sql), P("srcType", src), P("targetType", dst),
                  PZ("functionNames", from_date ? "`UNIX_DATE`" : "`DATE_FROM_UNIX_DATE`"));
    else if (mode == CAST_ANSI && cast_is_allowed(child->type, to, CAST_LEGACY))
        error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITH_CONF_SUGGESTION, P("sqlExpr", sql), P("srcType", src), P("targetType", dst),
                  PZ("config", "\"spark.sql.ansi.enabled\""), PZ("configVal", "'false'"));
    else
        error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION, P("sqlExpr", sql), P("srcType", src), P("targetType", dst));
    return set_context(a, err, e->origin);
}

/* What Spark counts as a cast that cannot fail: Cast.canUpCast, and of a text its bytes. */
static bool cast_always_succeeds(const Type *from, const Type *to)
{
    bool approximate = (from->kind == TYPE_DECIMAL) != (to->kind == TYPE_DECIMAL) && (type_is_fractional(from) && type_is_fractional(to));
    return (cast_is_upcast(from, to) && !approximate) || (type_is_stringy(from) && to->kind == TYPE_BINARY);
}

/* SpecialDatetimeValues: a constant text such as 'epoch' or 'now' that becomes a date or timestamp. */
static void note_special_time(Analyzer *a, BoundExpr *cast)
{
    enum { SECONDS_A_DAY = 86400 };
    TypeKind to = cast->type->kind;
    const BoundExpr *child = cast->cast.child;
    if ((to != TYPE_DATE && to != TYPE_TIMESTAMP && to != TYPE_TIMESTAMP_NTZ) || child->kind != BEXPR_LITERAL ||
        child->literal.is_null || !type_is_stringy(child->type))
        return;
    Str word = str_trim(child->literal.bytes);
    bool epoch = str_is_ci(word, "epoch"), now = str_is_ci(word, "now");
    int days = str_is_ci(word, "tomorrow") ? 1 : str_is_ci(word, "yesterday") ? -1 : 0;
    if (!epoch && !now && !days && !str_is_ci(word, "today"))
        return;
    Value *v = ARENA_NEW(a->arena, Value);
    *v = (Value){.type = cast->type};
    int64_t day_us = SECONDS_A_DAY * INT64_C(1000000), local = a->func.now_us + zone_offset_at(a->func.zone, a->func.now_us) * INT64_C(1000000);
    int64_t day = (local >= 0 ? local / day_us : -((-local + day_us - 1) / day_us)) + days;
    if (to == TYPE_DATE)
        v->integer = epoch ? 0 : day;
    else if (to == TYPE_TIMESTAMP_NTZ)
        v->integer = epoch ? 0 : now ? local : day * day_us;
    else
        v->integer = epoch ? 0 : now ? a->func.now_us : zone_to_utc(a->func.zone, day * day_us);
    cast->folded = v;
}

static bool bind_cast(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    BoundExpr *child;
    TRY(bind_expr(a, e->cast.child, scope, &child, err));
    const Type *to = e->cast.type;
    if (!to)
        TRY(type_from_ddl(e->cast.type_text, a->arena, &to, err));
    to = type_char_as_string(to, a->arena);
    if (a->default_collation.len)
        to = type_with_collation(to, a->default_collation, true, a->arena);
    CastMode mode = cast_mode(a, e->cast.mode);
    if (!cast_is_allowed(child->type, to, mode))
        return refuse_cast(a, child, to, mode, e, err);
    BoundExpr *c = bound_cast(child, to, mode, false, a->arena);
    c->cast.zone = a->func.zone;
    c->nullable = child->nullable || (mode == CAST_TRY ? !cast_always_succeeds(child->type, to) : cast_can_make_null(child->type, to, mode));
    note_special_time(a, c);
    *out = c;
    return true;
}

/* Nothing is cast to a condition of CASE, not even NULL, though if(..) takes that. */
static bool bind_when_condition(Analyzer *a, const Expr *e, size_t i, Scope *scope, BoundExpr **out, Error *err)
{
    TRY(bind_expr(a, e->cases.conditions.at[i], scope, out, err));
    TypeKind kind = (*out)->type->kind;
    if (kind == TYPE_BOOLEAN)
        return true;
    error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_INPUT_TYPE, PZ("sqlExpr", "\"CASE WHEN\""),
              P("paramIndex", i ? str_printf(a->arena, "%zuth", i + 1) : S("first")), PZ("requiredType", "\"BOOLEAN\""),
              P("inputSql", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(*out, a->func.zone, a->arena)))),
              P("inputType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql((*out)->type, a->arena)))));
    return set_context(a, err, e->origin);
}

static bool bind_case(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    BoundExpr *c = bound_new(BEXPR_CASE, NULL, false, a->arena);
    BoundExprVec values = {0};
    for (size_t i = 0; i < e->cases.conditions.len; i++) {
        BoundExpr *condition, *value;
        TRY(bind_when_condition(a, e, i, scope, &condition, err));
        TRY(bind_expr(a, e->cases.values.at[i], scope, &value, err));
        vec_push(a->arena, &c->cases.conditions, condition);
        vec_push(a->arena, &values, value);
    }
    bool nullable = !e->cases.otherwise;
    if (e->cases.otherwise) {
        BoundExpr *value;
        TRY(bind_expr(a, e->cases.otherwise, scope, &value, err));
        vec_push(a->arena, &values, value);
    }
    if (!coerce_all(a, &values, "casewhen", err))
        return set_context(a, err, e->origin);
    for (size_t i = 0; i < values.len; i++) {
        nullable |= values.at[i]->nullable;
        if (i < c->cases.conditions.len)
            vec_push(a->arena, &c->cases.values, values.at[i]);
        else
            c->cases.otherwise = values.at[i];
    }
    c->type = values.at[0]->type;
    c->nullable = nullable;
    *out = c;
    return true;
}

static bool invalid_extract(Analyzer *a, BoundExpr *key, Error *err)
{
    return error_set(err, ERR_INVALID_EXTRACT_FIELD_TYPE,
                     P("extraction", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(key, a->func.zone, a->arena)))));
}

static bool extract_from(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    BoundExpr *child, *key;
    TRY(bind_expr(a, e->extract.child, scope, &child, err));
    TRY(bind_expr(a, e->extract.key, scope, &key, err));
    bool named = key->kind == BEXPR_LITERAL && key->type->kind == TYPE_STRING && !key->literal.is_null;
    bool over_struct = child->type->kind == TYPE_STRUCT ||
                       (child->type->kind == TYPE_ARRAY && child->type->array.element->kind == TYPE_STRUCT && !type_is_integral(key->type));
    bool ok;
    if (over_struct)
        ok = named ? bind_field(a, child, key->literal.bytes, out, err) : invalid_extract(a, key, err);
    else if (child->type->kind == TYPE_NULL) {
        *out = null_extract(a, child, str_printf(a->arena, "[" STR_FMT "]", STR_ARG(func_pretty_name(key, a->func.zone, a->arena))));
        ok = true;
    } else if (child->type->kind == TYPE_ARRAY || child->type->kind == TYPE_MAP) {
        BoundExpr *args[2] = {child, key};
        ok = bind_builtin(a, child->type->kind == TYPE_ARRAY ? "element_at_index" : "element_at_key", 2, args, e->origin, out, err);
    } else
        ok = bind_field(a, child, named ? key->literal.bytes : S("?"), out, err);
    return ok || set_context(a, err, e->origin);
}

/* ORDER BY x[0]: when the select list's x has no elements, the x below may. */
static bool bind_extract(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    if (!scope->fallback || scope->prefer_fallback)
        return extract_from(a, e, scope, out, err);
    Error failure = error_in(a->arena), ignored = error_in(a->arena);
    if (extract_from(a, e, scope, out, &failure))
        return true;
    Scope below = *scope;
    below.prefer_fallback = true;
    if (extract_from(a, e, &below, out, &ignored)) {
        scope->used_fallback = true;
        return true;
    }
    error_copy(err, &failure);
    return false;
}

/* Rebuilds a struct with one field replaced, added or left out; the path may go down through nested structs. */
static bool update_struct(Analyzer *a, BoundExpr *base, const Name *path, size_t at, BoundExpr *value, BoundExpr **out, Error *err)
{
    if (base->type->kind != TYPE_STRUCT)
        return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_INPUT_TYPE,
                         P("sqlExpr", str_printf(a->arena, "\"update_fields(" STR_FMT ")\"", STR_ARG(func_sql_text(base, a->func.zone, a->arena)))),
                         PZ("paramIndex", "first"), P("inputSql", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(base, a->func.zone, a->arena)))),
                         P("inputType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(base->type, a->arena)))),
                         PZ("requiredType", "\"STRUCT\""));
    VEC(Field) fields = {0};
    BoundExprVec children = {0};
    bool replaced = false;
    for (size_t i = 0; i < base->type->structure.count; i++) {
        Field f = base->type->structure.fields[i];
        BoundExpr *child;
        TRY(bind_field(a, base, f.name, &child, err));
        if (name_matches(a, f.name, path->at[at])) {
            replaced = true;
            if (at + 1 < path->len)
                TRY(update_struct(a, child, path, at + 1, value, &child, err));
            else if (!value)
                continue;
            else {
                child = value;
                f.name = path->at[at];
            }
            f.type = child->type;
            f.nullable = child->nullable;
        }
        vec_push(a->arena, &fields, f);
        vec_push(a->arena, &children, child);
    }
    if (!replaced && at + 1 < path->len)
        return error_set(err, ERR_FIELD_NOT_FOUND, P("fieldName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(path->at[at]))),
                         P("fields", type_simple_string(base->type, a->arena)));
    if (!replaced && value) {
        Field f = {path->at[at], value->type, value->nullable, {0}};
        vec_push(a->arena, &fields, f);
        vec_push(a->arena, &children, value);
    }
    if (!fields.len)
        return error_set(err, ERR_DATATYPE_MISMATCH__CANNOT_DROP_ALL_FIELDS,
                         P("sqlExpr", str_printf(a->arena, "\"update_fields(" STR_FMT ", dropfield())\"", STR_ARG(func_sql_text(base, a->func.zone, a->arena)))));
    BoundExpr *s = bound_new(BEXPR_STRUCT, type_struct(fields.at, fields.len, a->arena), false, a->arena);
    s->structure.children = children;
    if (!base->nullable) {
        *out = s;
        return true;
    }
    BoundExpr *is_null;
    TRY(bind_builtin(a, "isnull", 1, &base, (Origin){0, -1}, &is_null, err));
    BoundExpr *c = bound_new(BEXPR_CASE, s->type, true, a->arena);
    vec_push(a->arena, &c->cases.conditions, is_null);
    vec_push(a->arena, &c->cases.values, bound_literal(value_null(s->type), a->arena));
    c->cases.otherwise = s;
    *out = c;
    return true;
}

static bool bind_update_fields(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    BoundExpr *child, *value = NULL;
    TRY(bind_expr(a, e->update_fields.child, scope, &child, err));
    if (e->update_fields.update.value)
        TRY(bind_expr(a, e->update_fields.update.value, scope, &value, err));
    return update_struct(a, child, &e->update_fields.update.field, 0, value, out, err) || set_context(a, err, e->origin);
}

static bool bind_parameter(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    const ParamFrame *f = a->params;
    const Expr *value = NULL;
    if (f && e->parameter.name.len)
        for (size_t i = 0; f->named && i < f->named->len; i++)
            if (str_eq(f->named->at[i].key, e->parameter.name))
                value = f->named->at[i].expr;
    if (f && !e->parameter.name.len && f->positional && (size_t)e->parameter.position < f->positional->len)
        value = f->positional->at[e->parameter.position];
    if (!value) {
        Str name = e->parameter.name.len ? e->parameter.name : str_printf(a->arena, "_%d", e->parameter.position + 1);
        error_set(err, ERR_UNBOUND_SQL_PARAMETER, P("name", name));
        return set_context(a, err, e->origin);
    }
    Scope none = {0};
    (void)scope;
    a->params = f->outer;
    bool ok = bind_expr(a, value, &none, out, err);
    a->params = f;
    return ok;
}

static bool bind_sql_text(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    const Expr *parsed = e->sql_text.parsed;
    if (!parsed) {
        Expr *whole;
        SqlOptions options = session_sql_options(a->session, a->arena);
        TRY(sql_parse_expr(e->sql_text.text, &options, a->arena, &whole, err));
        parsed = whole;
    }
    Str saved = a->sql_text;
    a->sql_text = e->sql_text.text;
    bool ok = bind_expr(a, parsed, scope, out, err);
    a->sql_text = saved;
    return ok;
}

static bool bind_identifier(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    Name name;
    TRY(analyze_identifier(a, e, &name, err));
    Expr *target = expr_new(e->identifier.is_call ? EXPR_CALL : EXPR_COLUMN, a->arena);
    target->origin = e->origin;
    if (e->identifier.is_call) {
        target->call.name = name;
        target->call.args = e->identifier.args;
    } else {
        target->column.name = name;
        target->column.plan_id = -1;
    }
    /* The name is put in when lambdas have got their variables: it is none of theirs. */
    Scope plain = *scope;
    plain.lambdas = e->identifier.is_call ? scope->lambdas : NULL;
    bool ok = bind_expr(a, target, &plain, out, err);
    scope->used_fallback |= plain.used_fallback;
    return ok;
}

static bool bind_outer(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    if (!scope->outer)
        return bind_expr(a, e->outer.child, scope, out, err);
    return bind_expr(a, e->outer.child, scope->outer, out, err);
}

static bool refuse_star(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    (void)scope;
    (void)out;
    error_set(err, ERR_INVALID_USAGE_OF_STAR_OR_REGEX, PZ("elem", "'*'"), PZ("prettyName", "expression `unresolved`"));
    return set_context(a, err, e->origin);
}

static bool refuse_lambda(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    (void)scope;
    (void)out;
    error_set(err, ERR_INVALID_LAMBDA_FUNCTION_CALL__NON_HIGHER_ORDER_FUNCTION, PZ("class", "lambda function"));
    return set_context(a, err, e->origin);
}

static bool bind_lambda_var(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    Expr column = {.kind = EXPR_COLUMN, .origin = e->origin, .column = {.name = e->lambda_var.name, .plan_id = -1}};
    return bind_column(a, &column, scope, out, err);
}

static bool bind_named_argument(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    return bind_expr(a, e->named_argument.value, scope, out, err);
}

static bool refuse_default(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    (void)scope;
    (void)out;
    error_set(err, ERR_DEFAULT_PLACEMENT_INVALID);
    return set_context(a, err, e->origin);
}

typedef bool (*ExprRule)(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);

static const ExprRule RULES[] = {
    [EXPR_LITERAL] = bind_literal_expr,
    [EXPR_COLUMN] = bind_column,
    [EXPR_STAR] = refuse_star,
    [EXPR_REGEX_COLUMN] = refuse_star,
    [EXPR_CALL] = bind_call,
    [EXPR_ALIAS] = bind_alias,
    [EXPR_CAST] = bind_cast,
    [EXPR_CASE] = bind_case,
    [EXPR_WINDOW] = bind_window,
    [EXPR_SUBQUERY] = bind_subquery,
    [EXPR_LAMBDA] = refuse_lambda,
    [EXPR_LAMBDA_VAR] = bind_lambda_var,
    [EXPR_EXTRACT] = bind_extract,
    [EXPR_UPDATE_FIELDS] = bind_update_fields,
    [EXPR_NAMED_ARGUMENT] = bind_named_argument,
    [EXPR_PARAMETER] = bind_parameter,
    [EXPR_INTERVAL] = bind_interval,
    [EXPR_DEFAULT] = refuse_default,
    [EXPR_PYTHON_UDF] = bind_python,
    [EXPR_IDENTIFIER] = bind_identifier,
    [EXPR_OUTER] = bind_outer,
    [EXPR_SQL_TEXT] = bind_sql_text,
};

Site *site_at(Analyzer *a, Origin origin)
{
    Site *site = ARENA_NEW(a->arena, Site);
    site->origin = origin;
    if (origin.stop >= origin.start && origin.start >= 0 && (size_t)origin.stop < a->sql_text.len)
        site->text = a->sql_text;
    return site;
}

/* Spark's versions of these raise errors without a query context. */
static bool is_placeless(const FuncRow *row)
{
    static const char *const names[] = {"abs", "negative", "try_element_at", "unary_minus"};
    for (size_t i = 0; row && i < LENGTH_OF(names); i++)
        if (str_is(str_from(row->name), names[i]))
            return true;
    return false;
}

/* Coercions around the result belong to the expression that asked for them. */
static void note_site(Analyzer *a, const Expr *e, BoundExpr *bound)
{
    while (bound->kind == BEXPR_CAST && bound->implicit)
        bound = bound->cast.child;
    switch (bound->kind) {
    case BEXPR_LITERAL:
    case BEXPR_COLUMN:
    case BEXPR_LAMBDA:
    case BEXPR_LAMBDA_VAR:
    case BEXPR_FIELD:
    case BEXPR_STRUCT:
        return;
    default:
        break;
    }
    if (bound->site)
        return;
    if (bound->kind == BEXPR_CALL && is_placeless(bound->call.row)) {
        Site *site = ARENA_NEW(a->arena, Site);
        site->placeless = true;
        bound->site = site;
    } else if (a->view_site)
        bound->site = a->view_site;
    else if (e->site)
        bound->site = e->site;
    else if (e->origin.stop >= e->origin.start)
        bound->site = site_at(a, e->origin);
}

bool bind_expr(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    ExprRule rule = e && (size_t)e->kind < LENGTH_OF(RULES) ? RULES[e->kind] : NULL;
    if (!rule)
        return error_unsupported(err, "this expression here");
    if (++a->depth > ANALYZE_MAX_DEPTH)
        return error_unsupported(err, "an expression nested more than %d levels deep", ANALYZE_MAX_DEPTH);
    bool ok = rule(a, e, scope, out, err);
    a->depth--;
    if (ok && (*out)->origin.stop <= (*out)->origin.start)
        (*out)->origin = e->origin;
    if (ok)
        note_site(a, e, *out);
    else if (e->site && error_is_set(err))
        error_locate_call(err, PLACE_ANALYSIS, e->site->fragment, e->site->call_site);
    return ok;
}

bool bind_exprs(Analyzer *a, const ExprVec *in, Scope *scope, BoundExprVec *out, Error *err)
{
    for (size_t i = 0; i < in->len; i++) {
        BoundExpr *e;
        TRY(bind_expr(a, in->at[i], scope, &e, err));
        vec_push(a->arena, out, e);
    }
    return true;
}

bool bind_condition(Analyzer *a, const Expr *e, Scope *scope, const char *clause, BoundExpr **out, Error *err)
{
    TRY(bind_expr(a, e, scope, out, err));
    TypeKind kind = (*out)->type->kind;
    if (kind == TYPE_BOOLEAN)
        return true;
    if (kind == TYPE_NULL || (kind == TYPE_STRING && !a->ansi))
        return coerce_to(a, *out, type_simple(TYPE_BOOLEAN), out, err);
    Str text = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(*out, a->func.zone, a->arena)));
    Str type = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql((*out)->type, a->arena)));
    if (clause && str_is(str_from(clause), "JOIN"))
        error_set(err, ERR_JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE, P("joinCondition", text), P("conditionType", type));
    else
        error_set(err, ERR_DATATYPE_MISMATCH__FILTER_NOT_BOOLEAN, P("sqlExpr", text), P("filter", text), P("type", type));
    return set_context(a, err, e->origin);
}

bool bind_sort(Analyzer *a, const Expr *e, Scope *scope, BoundSort *out, Error *err)
{
    const Expr *child = e->kind == EXPR_SORT ? e->sort.child : e;
    TRY(bind_expr(a, child, scope, &out->expr, err));
    out->descending = e->kind == EXPR_SORT && e->sort.descending;
    out->nulls_first = e->kind == EXPR_SORT && e->sort.nulls_given ? e->sort.nulls_first : !out->descending;
    if (type_is_orderable(out->expr->type))
        return true;
    Str text = str_printf(a->arena, "\"" STR_FMT " %s NULLS %s\"", STR_ARG(func_sql_text(out->expr, a->func.zone, a->arena)),
                          out->descending ? "DESC" : "ASC", out->nulls_first ? "FIRST" : "LAST");
    error_set(err, ERR_DATATYPE_MISMATCH__INVALID_ORDERING_TYPE, P("sqlExpr", text), PZ("functionName", "`sortorder`"),
              P("dataType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(out->expr->type, a->arena)))));
    return set_context(a, err, e->origin);
}
