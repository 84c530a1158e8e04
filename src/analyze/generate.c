/* Generators: explode and kin in select lists, LATERAL VIEW and FROM; other table functions by row. */
#include "analyze/analyze_impl.h"

static void push_output(Analyzer *a, BoundColumnVec *out, Str name, const Type *type, bool nullable)
{
    vec_push(a->arena, out, new_column(a, name, type, nullable));
}

static bool has_prefix(const FuncRow *row, const char *prefix)
{
    return str_starts_with(str_from(row->name), str_from(prefix));
}

/* What a generator's result type says of its columns: an array's element, a map's key and value, a struct's fields. */
static bool generator_columns(Analyzer *a, const BoundExpr *g, bool outer, BoundColumnVec *out, bool *position, Error *err)
{
    const FuncRow *row = g->call.row;
    *position = has_prefix(row, "pos");
    if (*position)
        push_output(a, out, S("pos"), type_simple(TYPE_INT), outer);
    const Type *in = g->call.args.len ? g->call.args.at[0]->type : NULL;
    bool explodes = has_prefix(row, "explode") || has_prefix(row, "posexplode");
    if (explodes && in->kind == TYPE_MAP) {
        push_output(a, out, S("key"), in->map.key, outer);
        push_output(a, out, S("value"), in->map.value, in->map.nulls || outer);
        return true;
    }
    if (explodes && in->kind == TYPE_ARRAY) {
        push_output(a, out, S("col"), in->array.element, in->array.nulls || outer);
        return true;
    }
    const Type *t = g->type;
    if (t->kind == TYPE_ARRAY)
        t = t->array.element;
    if (t->kind != TYPE_STRUCT)
        return error_internal(err, "the generator %s has no columns", row->name);
    bool may_be_null = has_prefix(row, "inline") && in->kind == TYPE_ARRAY && in->array.nulls;
    for (size_t i = 0; i < t->structure.count; i++)
        push_output(a, out, t->structure.fields[i].name, t->structure.fields[i].type, t->structure.fields[i].nullable || outer || may_be_null);
    return true;
}

bool generate_over(Analyzer *a, BoundRel *input, BoundExpr *generator, bool outer, const StrVec *names, BoundRel **out, Error *err)
{
    outer |= str_ends_with(str_from(generator->call.row->name), S("_outer"));
    BoundRel *g = brel_new(BREL_GENERATE, input, a->arena);
    g->generate.generator = generator;
    g->generate.outer = outer;
    TRY(generator_columns(a, generator, outer, &g->generate.output, &g->generate.with_position, err));
    if (names && names->len) {
        if (names->len != g->generate.output.len) {
            Buf list = buf_in(a->arena);
            for (size_t i = 0; i < names->len; i++)
                buf_addf(&list, "%s" STR_FMT, i ? "," : "", STR_ARG(names->at[i]));
            return error_set(err, ERR_UDTF_ALIAS_NUMBER_MISMATCH, P("aliasesSize", str_printf(a->arena, "%zu", g->generate.output.len)),
                             P("aliasesNames", buf_str(&list)));
        }
        for (size_t i = 0; i < names->len; i++)
            g->generate.output.at[i].name = names->at[i];
    }
    for (size_t i = 0; i < input->columns.len; i++)
        vec_push(a->arena, &g->columns, input->columns.at[i]);
    for (size_t i = 0; i < g->generate.output.len; i++)
        vec_push(a->arena, &g->columns, g->generate.output.at[i]);
    *out = g;
    return true;
}

static bool bind_generator(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    TRY(bind_expr(a, e, scope, out, err));
    if ((*out)->kind == BEXPR_GENERATOR)
        return true;
    Str name = e->kind == EXPR_CALL ? vec_last(&e->call.name) : S("expression");
    error_set(err, ERR_UNSUPPORTED_GENERATOR__NOT_GENERATOR, P("functionName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(name))),
              PZ("classCanonicalName", "expression"));
    return set_context(a, err, e->origin);
}

static void qualify_tail(Analyzer *a, BoundRel *rel, size_t from, Str alias)
{
    Name qualifier = {0};
    if (alias.len)
        vec_push(a->arena, &qualifier, alias);
    for (size_t i = from; i < rel->columns.len; i++)
        rel->columns.at[i].qualifier = qualifier;
}

bool analyze_generate(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    Scope scope = scope_of(a, input);
    BoundExpr *generator;
    TRY(bind_generator(a, rel->generate.generator, &scope, &generator, err));
    TRY(generate_over(a, input, generator, rel->generate.outer, &rel->generate.column_aliases, out, err));
    qualify_tail(a, *out, input->columns.len, rel->generate.table_alias);
    return true;
}

/* ---- FROM f(..) ---- */

static bool range_function(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    static const char *const PLACES[] = {"first", "second", "third", "fourth"};
    int64_t args[4] = {0, 0, 1, 0};
    size_t n = rel->table_function.args.len;
    if (n < 1 || n > 4)
        return error_set(err, ERR_WRONG_NUM_ARGS__WITHOUT_SUGGESTION, PZ("functionName", "`range`"), PZ("expectedNum", "[1, 2, 3, 4]"),
                         P("actualNum", str_printf(a->arena, "%zu", n)), PZ("docroot", "https://spark.apache.org/docs/latest"));
    for (size_t i = 0; i < n; i++) {
        Value v;
        TRY(analyze_constant(a, rel->table_function.args.at[i], type_simple(TYPE_LONG), &v, err));
        if (v.is_null)
            return error_set(err, ERR_UNEXPECTED_INPUT_TYPE, PZ("functionName", "`range`"), PZ("paramIndex", PLACES[n == 1 ? 1 : i]),
                             PZ("requiredType", "\"BIGINT\""), PZ("inputSql", "\"NULL\""), PZ("inputType", "\"VOID\""));
        args[n == 1 ? 1 : i] = v.integer;
    }
    if (args[2] == 0)
        return error_set(err, ERR_FAILED_FUNCTION_CALL, PZ("funcName", "`range`"));
    Rel range = {.kind = REL_RANGE, .plan_id = -1, .range = {.has_start = true, .start = args[0], .end = args[1], .step = args[2]}};
    range.range.partitions = args[3] > 0 && args[3] <= INT32_MAX ? (int)args[3] : 0;
    return analyze_range(a, &range, out, err);
}

/* Dates and timestamps without a zone are taken as well, beyond what Delta takes. */
static bool check_boundary(Analyzer *a, const Value *v, bool start, Error *err)
{
    TypeKind kind = v->type->kind;
    if (v->is_null)
        return error_set(err, ERR_DELTA_CDC_READ_NULL_RANGE_BOUNDARY);
    if (type_is_integral(v->type) || type_is_stringy(v->type) || kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMP_NTZ || kind == TYPE_DATE)
        return true;
    Str name = str_copy(type_json(v->type, a->arena), a->arena);
    name = str_slice(name, 1, name.len - 1);
    ((char *)name.ptr)[0] -= 'a' - 'A';
    ptrdiff_t open = str_find_char(name, '(');
    size_t end = open < 0 ? name.len : (size_t)open;
    return error_set(err, ERR_DELTA_UNSUPPORTED_EXPRESSION, PZ("causedBy", start ? "starting option" : "ending option"),
                     P("expType", str_printf(a->arena, STR_FMT "Type" STR_FMT, STR_ARG(str_slice(name, 0, end)), STR_ARG(str_slice(name, end, name.len)))),
                     PZ("supportedTypes", "IntegerType,LongType,StringType,TimestampType"));
}

/* A view keeps no changes. */
static bool check_changed_table(Analyzer *a, const Rel *rel, const Name *name, Error *err)
{
    ResolvedTable t;
    TRY(analyze_table_name(a, name, rel->origin, &t, err));
    if (t.kind != RESOLVED_VIEW && t.kind != RESOLVED_TEMP_VIEW && str_is_ci(t.entry.provider, "delta"))
        return true;
    return error_set(err, ERR_DELTA_TABLE_ONLY_OPERATION, P("tableName", name_quoted(name, a->arena)), PZ("operation", "table_changes"));
}

/* table_changes('t', start [, end]): the change feed of a table. */
static bool changes_function(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    const ExprVec *args = &rel->table_function.args;
    if (args->len < 2 || args->len > 3)
        return error_set(err, ERR_INCORRECT_NUMBER_OF_ARGUMENTS, PZ("failure", args->len < 2 ? "not enough args" : "too many args"),
                         PZ("functionName", "table_changes"), PZ("minArgs", "2"), PZ("maxArgs", "3"));
    Value name;
    SqlOptions options = session_sql_options(a->session, a->arena);
    TRY(analyze_constant(a, args->at[0], type_simple(TYPE_STRING), &name, err));
    Rel *table = rel_new(REL_NAMED_TABLE, NULL, a->arena);
    bool by_path = str_is_ci(vec_last(&rel->table_function.name), "table_changes_by_path");
    if (by_path) {
        vec_push(a->arena, &table->table.name, S("delta"));
        vec_push(a->arena, &table->table.name, name.bytes);
    } else {
        TRY(sql_parse_name(name.bytes, &options, a->arena, &table->table.name, err));
        TRY(check_changed_table(a, rel, &table->table.name, err));
    }
    KeyValue kv = {S("readChangeFeed"), S("true"), NULL};
    vec_push(a->arena, &table->table.options, kv);
    static const char *const KEYS[2][2] = {{"startingVersion", "startingTimestamp"}, {"endingVersion", "endingTimestamp"}};
    for (size_t i = 1; i < args->len; i++) {
        Value v;
        TRY(analyze_constant(a, args->at[i], NULL, &v, err));
        TRY(check_boundary(a, &v, i == 1, err));
        kv.key = str_from(KEYS[i - 1][!type_is_integral(v.type)]);
        kv.value = value_to_text(&v, a->func.zone, a->arena);
        vec_push(a->arena, &table->table.options, kv);
    }
    return analyze_named_table(a, table, out, err);
}

bool analyze_table_function(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Rel named = *rel;
    if (rel->table_function.name_expr) {
        TRY(analyze_identifier(a, rel->table_function.name_expr, &named.table_function.name, err));
        rel = &named;
    }
    Str name = vec_last(&rel->table_function.name);
    bool ok;
    if (str_is_ci(name, "range"))
        ok = range_function(a, rel, out, err);
    else if (str_is_ci(name, "table_changes") || str_is_ci(name, "table_changes_by_path"))
        ok = changes_function(a, rel, out, err);
    else {
        const FuncRow *row = func_find(name);
        bool found = false;
        if (!row && !rel->table_function.args.len && rel->table_function.name.len == 1)
            TRY(analyze_server_rows(a, name, &found, out));
        if (!row && !found)
            TRY(analyze_table_routine(a, rel, &found, out, err) || set_context(a, err, rel->origin));
        if (found) {
            if (rel->table_function.alias.len)
                qualify_tail(a, *out, 0, rel->table_function.alias);
            return true;
        }
        if (row && row->kind != FUNC_GENERATOR) {
            error_set(err, ERR_NOT_A_TABLE_FUNCTION, P("functionName", name_quoted(&rel->table_function.name, a->arena)));
            return set_context(a, err, rel->origin);
        }
        if (!row) {
            error_set(err, ERR_UNRESOLVABLE_TABLE_VALUED_FUNCTION, P("name", name_quoted(&rel->table_function.name, a->arena)));
            return set_context(a, err, rel->origin);
        }
        Expr *call = expr_new(EXPR_CALL, a->arena);
        call->origin = rel->origin;
        call->call.name = rel->table_function.name;
        call->call.args = rel->table_function.args;
        Scope scope = {.outer = a->outer};
        BoundExpr *generator;
        ok = bind_generator(a, call, &scope, &generator, err) &&
             generate_over(a, brel_new(BREL_ONE_ROW, NULL, a->arena), generator, false, NULL, out, err);
    }
    TRY(ok || set_context(a, err, rel->origin));
    if (rel->table_function.alias.len)
        qualify_tail(a, *out, 0, rel->table_function.alias);
    return true;
}
