/* Arrays, maps and structs. Templates that name an argument twice do so where reading it again is
 * harmless: DuckDB evaluates a repeated deterministic expression once. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* array(): an empty one holds void. */
static bool render_array(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    return func_render_template(call, args, count, ctx, "CAST([$*] AS $r)", out);
}

/* map(k1, v1, ...): keys and values are brought to common types of their own. */
static bool bind_map(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *key = type_simple(TYPE_NULL), *value = key;
    size_t n = call->args.len;
    if (n % 2)
        return func_wrong_arg_count(call, "2n (n > 0)", ctx, err);
    bool nulls = false;
    for (size_t i = 0; i < n && key && value; i++) {
        const Type **t = i % 2 ? &value : &key;
        *t = coerce_common(*t, call->args.at[i]->type, ctx->ansi, ctx->arena);
        nulls |= i % 2 && call->args.at[i]->nullable;
    }
    if (!key || !value) {
        Buf b = buf_in(ctx->arena);
        buf_addc(&b, '[');
        for (size_t i = key ? 1 : 0; i < n; i += 2)
            buf_addf(&b, "%s" STR_FMT, i > 1 ? ", " : "",
                     STR_ARG(func_quoted_type(call->args.at[i]->type, ctx)));
        buf_addc(&b, ']');
        return error_set(err,
                         key ? ERR_DATATYPE_MISMATCH__CREATE_MAP_VALUE_DIFF_TYPES
                             : ERR_DATATYPE_MISMATCH__CREATE_MAP_KEY_DIFF_TYPES,
                         P("sqlExpr", func_call_text(call, ctx)), PZ("functionName", "`map`"),
                         P("dataType", buf_str(&b)));
    }
    if (type_contains(key, TYPE_MAP))
        return error_set(err, ERR_DATATYPE_MISMATCH__INVALID_MAP_KEY_TYPE,
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("keyType", func_quoted_type(key, ctx)));
    for (size_t i = 0; i < n; i++)
        call->args.at[i] = func_coerce(call->args.at[i], i % 2 ? value : key, ctx);
    call->result = type_map(key, value, nulls, ctx->arena);
    call->nullable = false;
    return true;
}

static bool last_wins(const FuncContext *ctx) {
    Str policy;
    return ctx->setting && ctx->setting(ctx->self, "spark.sql.mapKeyDedupPolicy", &policy) &&
           str_is_ci(policy, "LAST_WIN");
}

static const char *map_body(const FuncContext *ctx) {
    return last_wins(ctx) ? "MAP(list_select(m.k, ls_map_key_places(m.k, len(m.v))), "
                  "list_select(m.v, ls_map_value_places(m.k, len(m.v))))"
                : "CASE WHEN ls_map_unique(m.k, len(m.v)) THEN MAP(m.k, m.v) END";
}

/* The arrays are computed once, whatever they are. */
void func_put_map(Buf *out, Str keys, Str values, const FuncContext *ctx) {
    buf_addf(out,
             "list_transform([{'k': " STR_FMT ", 'v': " STR_FMT
             "}], lambda m: CASE WHEN m.k IS NOT NULL AND m.v IS NOT NULL THEN %s END)[1]",
             STR_ARG(keys), STR_ARG(values), map_body(ctx));
}

/* NULL among the pairs makes the map NULL. */
void func_put_map_of_pairs(Buf *out, Str pairs, const FuncContext *ctx) {
    buf_addf(out,
             "list_transform(list_transform([" STR_FMT "], lambda p: {'k': list_transform(p, lambda e: struct_extract_at(e, 1)), "
             "'v': list_transform(p, lambda e: struct_extract_at(e, 2)), 'n': len(list_filter(p, lambda e: e IS NULL))}), "
             "lambda m: CASE WHEN m.n = 0 THEN %s END)[1]",
             STR_ARG(pairs), map_body(ctx));
}

static bool render_str_to_map(const BoundExpr *call, const Str *args, size_t count,
                              const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    return func_render_template(call, args, count, ctx,
                                last_wins(ctx) ? "ls_str_to_map($1, $?2{$2}{','}, $?3{$3}{':'}, true)"
                                               : "ls_str_to_map($1, $?2{$2}{','}, $?3{$3}{':'}, false)",
                                out);
}

/* Keys that are constants were compared when the statement was bound, unless some are equal. */
static bool distinct_constants(const BoundExprVec *args) {
    for (size_t i = 0; i < args->len; i += 2) {
        const Value *v = func_constant(args->at[i]);
        if (!v || v->is_null || (!type_is_integral(v->type) && v->type->kind != TYPE_STRING))
            return false;
        for (size_t k = 0; k < i; k += 2) {
            const Value *o = func_constant(args->at[k]);
            if (type_is_integral(v->type) ? v->integer == o->integer : str_eq(v->bytes, o->bytes))
                return false;
        }
    }
    return true;
}

static bool render_map(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    (void)err;
    Buf list[2] = {buf_in(ctx->arena), buf_in(ctx->arena)};
    for (size_t i = 0; i < count; i++)
        buf_addf(&list[i % 2], "%s" STR_FMT, i > 1 ? ", " : "[", STR_ARG(args[i]));
    for (size_t i = 0; i < 2; i++)
        buf_addz(&list[i], count ? "]" : "[]");
    buf_addz(out, "CAST(");
    if (distinct_constants(&call->call.args))
        buf_addf(out, "MAP(" STR_FMT ", " STR_FMT ")", STR_ARG(buf_str(&list[0])), STR_ARG(buf_str(&list[1])));
    else
        func_put_map(out, buf_str(&list[0]), buf_str(&list[1]), ctx);
    buf_addf(out, " AS " STR_FMT ")", STR_ARG(type_duckdb(call->type, ctx->arena)));
    return true;
}

/* "k1 IS NOT NULL AND k2 IS NOT NULL": functions of several collections are NULL when one of them
 * is. */
static void put_none_null(Buf *out, const Str *args, size_t count) {
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s" STR_FMT " IS NOT NULL", i ? " AND " : "", STR_ARG(args[i]));
}

static bool bind_zip(FuncCall *call, const FuncContext *ctx, Error *err) {
    Field *fields = ARENA_ARRAY(ctx->arena, Field, call->args.len + 1);
    for (size_t i = 0; i < call->args.len; i++) {
        const Type *t = call->args.at[i]->type;
        if (t->kind == TYPE_NULL) {
            call->args.at[i] = func_coerce(call->args.at[i], type_array(t, true, ctx->arena), ctx);
            t = call->args.at[i]->type;
        }
        if (t->kind != TYPE_ARRAY)
            return func_unexpected_type(call, i, "\"ARRAY\"", ctx, err);
        const BoundExpr *e = call->args.at[i];
        Str name = e->kind == BEXPR_COLUMN ? e->column.name
                   : e->kind == BEXPR_FIELD
                       ? e->field.child->type->structure.fields[e->field.index].name
                       : str_printf(ctx->arena, "%zu", i);
        fields[i] = (Field){name, t->array.element, true, {0}};
    }
    call->result = type_array(type_struct(fields, call->args.len, ctx->arena), false, ctx->arena);
    call->nullable = func_any_nullable(call);
    return true;
}

static bool render_zip(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    (void)err;
    if (!count) {
        buf_addf(out, "CAST([] AS " STR_FMT ")", STR_ARG(type_duckdb(call->type, ctx->arena)));
        return true;
    }
    const Type *s = call->type->array.element;
    buf_addz(out, "CASE WHEN ");
    put_none_null(out, args, count);
    buf_addz(out, " THEN list_transform(list_zip(");
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s" STR_FMT, i ? ", " : "", STR_ARG(args[i]));
    buf_addz(out, "), lambda z: {");
    for (size_t i = 0; i < count; i++) {
        buf_addz(out, i ? ", " : "");
        func_put_string(out, type_duckdb_field(s, i, ctx->arena));
        buf_addf(out, ": z[%zu]", i + 1);
    }
    buf_addz(out, "}) END");
    return true;
}

static bool refuse_map_concat(const FuncCall *call, const FuncContext *ctx, Error *err) {
    Buf types = buf_in(ctx->arena);
    for (size_t i = 0; i < call->args.len; i++)
        buf_addf(&types, "%s" STR_FMT, i ? ", " : "[", STR_ARG(func_quoted_type(call->args.at[i]->type, ctx)));
    buf_addc(&types, ']');
    return error_set(err, ERR_DATATYPE_MISMATCH__MAP_CONCAT_DIFF_TYPES, P("sqlExpr", func_call_text(call, ctx)),
                     P("functionName", func_name_text(call, ctx)), P("dataType", buf_str(&types)));
}

static bool bind_map_concat(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (!call->args.len) {
        call->result =
            type_map(type_simple(TYPE_STRING), type_simple(TYPE_STRING), false, ctx->arena);
        call->nullable = false;
        return true;
    }
    for (size_t i = 0; i < call->args.len; i++)
        if (call->args.at[i]->type->kind != TYPE_MAP)
            return refuse_map_concat(call, ctx, err);
    call->nullable = func_any_nullable(call);
    return func_coerce_all(call, 0, call->args.len, ctx, &call->result, err);
}

static bool render_map_concat(const BoundExpr *call, const Str *args, size_t count,
                              const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    if (!count) {
        buf_addf(out, "CAST(MAP([], []) AS " STR_FMT ")",
                 STR_ARG(type_duckdb(call->type, ctx->arena)));
        return true;
    }
    buf_addz(out, "CASE WHEN ");
    put_none_null(out, args, count);
    Buf pairs = buf_in(ctx->arena);
    for (size_t i = 0; i < count; i++)
        buf_addf(&pairs, "%smap_entries(" STR_FMT ")", i ? ", " : "flatten([", STR_ARG(args[i]));
    buf_addz(&pairs, "])");
    buf_addz(out, " THEN ");
    func_put_map_of_pairs(out, buf_str(&pairs), ctx);
    buf_addz(out, " END");
    return true;
}

static bool render_map_from_arrays(const BoundExpr *call, const Str *args, size_t count,
                                   const FuncContext *ctx, Buf *out, Error *err) {
    (void)call;
    (void)count;
    (void)err;
    func_put_map(out, args[0], args[1], ctx);
    return true;
}

static bool render_map_from_entries(const BoundExpr *call, const Str *args, size_t count,
                                    const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    buf_addz(out, "CAST(");
    func_put_map_of_pairs(out, args[0], ctx);
    buf_addf(out, " AS " STR_FMT ")", STR_ARG(type_duckdb(call->type, ctx->arena)));
    return true;
}

/* An array of two-field structs, whatever the fields are called. */
static bool bind_map_from_entries(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(any) -> $1", ctx, err));
    const Type *t = call->args.at[0]->type;
    const Type *s = t->kind == TYPE_ARRAY ? t->array.element : NULL;
    if (!s || s->kind != TYPE_STRUCT || s->structure.count != 2)
        return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_INPUT_TYPE,
                         P("sqlExpr", func_call_text(call, ctx)), PZ("paramIndex", "first"),
                         P("inputSql", func_quoted_sql(call->args.at[0], ctx)),
                         P("inputType", func_quoted_type(t, ctx)),
                         PZ("requiredType", "\"ARRAY\" of pair \"STRUCT\""));
    call->result = type_map(s->structure.fields[0].type, s->structure.fields[1].type,
                            s->structure.fields[1].nullable, ctx->arena);
    call->nullable = call->args.at[0]->nullable || t->array.nulls;
    return true;
}

static bool bind_map_entries(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(map<K,V>) -> K", ctx, err));
    const Type *m = call->args.at[0]->type;
    if (m->kind != TYPE_MAP)
        m = type_map(type_simple(TYPE_NULL), type_simple(TYPE_NULL), true, ctx->arena);
    Field fields[2] = {{S("key"), m->map.key, false, {0}},
                       {S("value"), m->map.value, m->map.nulls, {0}}};
    call->result = type_array(type_struct(fields, 2, ctx->arena), false, ctx->arena);
    call->nullable = func_any_nullable(call);
    return true;
}

/* element_at over arrays and maps; try_element_at never fails. */
/* Of array(..) written out with a constant index: the element's own nullability. */
static bool element_nullable(const FuncCall *call, int64_t first, bool otherwise) {
    const BoundExpr *list = call->args.at[0];
    int64_t index;
    if (list->kind != BEXPR_CALL || strcmp(list->call.row->name, "array") != 0 ||
        !func_constant_int(call->args.at[1], &index))
        return otherwise;
    int64_t count = (int64_t)list->call.args.len, at = index < 0 && first ? count + index : index - first;
    return at < 0 || at >= count || list->call.args.at[at]->nullable;
}

/* get(array, index from 0) */
static bool bind_get(FuncCall *call, const FuncContext *ctx, Error *err) {
    (void)ctx;
    (void)err;
    call->nullable = element_nullable(call, 0, true);
    return true;
}

static bool bind_element_at(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool trying = !strcmp(call->row->name, "try_element_at");
    TRY(func_apply_signature(call, "(array<T>, int) -> T; (map<W,V>, W) -> V?", ctx, err));
    const Type *t = call->args.at[0]->type;
    if (t->kind == TYPE_MAP || trying || !ctx->ansi)
        call->nullable = t->kind == TYPE_MAP || element_nullable(call, 1, true);
    else
        call->nullable = func_any_nullable(call) || (t->kind == TYPE_ARRAY && t->array.nulls);
    return true;
}

static bool render_element_at(const BoundExpr *call, const Str *args, size_t count,
                              const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    if (call->call.args.at[0]->type->kind == TYPE_MAP)
        return func_render_template(call, args, count, ctx, "map_extract_value($1, $2)", out);
    bool fails = ctx->ansi && strcmp(call->call.row->name, "try_element_at");
    return func_render_template(call, args, count, ctx,
                                fails ? "list_extract($1, ls_element_index(len($1), $2, true))"
                                      : "list_extract($1, ls_element_index(len($1), $2, false))",
                                out);
}

static bool bind_index(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(array<T>, integral) -> T", ctx, err));
    const Type *t = call->args.at[0]->type;
    call->nullable =
        !ctx->ansi || func_any_nullable(call) || (t->kind == TYPE_ARRAY && t->array.nulls);
    return true;
}

/* array.field: the field of every element. */
static bool bind_array_field(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *t = call->args.at[0]->type;
    const Value *name = call->args.len == 2 ? func_constant(call->args.at[1]) : NULL;
    if (t->kind != TYPE_ARRAY || t->array.element->kind != TYPE_STRUCT || !name)
        return error_unsupported(err, "a field of something that is not an array of structs");
    int i = type_field_index(t->array.element, name->bytes, ctx->case_sensitive);
    if (i < 0)
        return error_set(
            err, i == -1 ? ERR_FIELD_NOT_FOUND : ERR_AMBIGUOUS_REFERENCE_TO_FIELDS,
            P("fieldName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(name->bytes))),
            P("fields", type_simple_string(t->array.element, ctx->arena)));
    const Field *f = &t->array.element->structure.fields[i];
    size_t *index = ARENA_NEW(ctx->arena, size_t);
    *index = (size_t)i;
    call->bind_data = index;
    call->result = type_array(f->type, t->array.nulls || f->nullable, ctx->arena);
    call->nullable = call->args.at[0]->nullable;
    return true;
}

static bool render_array_field(const BoundExpr *call, const Str *args, size_t count,
                               const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    const size_t *index = call->call.bind_data;
    buf_addf(out, "list_transform(" STR_FMT ", lambda f: struct_extract(f, ", STR_ARG(args[0]));
    func_put_string(
        out, type_duckdb_field(call->call.args.at[0]->type->array.element, *index, ctx->arena));
    buf_addz(out, "))");
    return true;
}

/* sequence: integers of one type, or dates and timestamps with an interval step. */
static bool bind_sequence(FuncCall *call, const FuncContext *ctx, Error *err) {
    size_t n = call->args.len;
    if (n < 2 || n > 3)
        return func_wrong_arg_count(call, "[2, 3]", ctx, err);
    const Type *t =
        coerce_common(call->args.at[0]->type, call->args.at[1]->type, ctx->ansi, ctx->arena);
    if (t && type_is_integral(t)) {
        if (n == 3)
            t = coerce_common(t, call->args.at[2]->type, ctx->ansi, ctx->arena);
        if (!t || !type_is_integral(t))
            return func_diff_types(call, ctx, err);
        for (size_t i = 0; i < n; i++)
            call->args.at[i] = func_coerce(call->args.at[i], t, ctx);
    } else if (t && (t->kind == TYPE_DATE || t->kind == TYPE_TIMESTAMP ||
                     t->kind == TYPE_TIMESTAMP_NTZ)) {
        for (size_t i = 0; i < 2; i++)
            call->args.at[i] = func_coerce(call->args.at[i], t, ctx);
        if (n == 3 && !type_is_interval(call->args.at[2]->type))
            return func_unexpected_type(
                call, 2,
                "(\"INTERVAL\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")", ctx,
                err);
    } else {
        return error_set(
            err, ERR_DATATYPE_MISMATCH__SEQUENCE_WRONG_INPUT_TYPES,
            P("sqlExpr", func_call_text(call, ctx)), PZ("functionName", "`sequence`"),
            PZ("startType", "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\")"),
            PZ("stepType",
               "(\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")"),
            PZ("otherStartType", "\"INTEGRAL\""));
    }
    call->result = type_array(t, false, ctx->arena);
    call->nullable = func_any_nullable(call);
    return true;
}

static bool render_sequence(const BoundExpr *call, const Str *args, size_t count,
                            const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    const Type *t = call->type->array.element;
    if (type_is_integral(t))
        return func_render_template(call, args, count, ctx,
                                    count == 3 ? "CAST(ls_sequence($1, $2, $3) AS $r)"
                                               : "CAST(ls_sequence($1, $2) AS $r)",
                                    out);
    const char *name = t->kind == TYPE_DATE        ? "ls_sequence_date"
                       : t->kind == TYPE_TIMESTAMP ? "ls_sequence_timestamp"
                                                   : "ls_sequence_ntz";
    TypeKind step = count == 3 ? call->call.args.at[2]->type->kind : TYPE_NULL;
    buf_addf(out, "%s(" STR_FMT ", " STR_FMT ", ", name, STR_ARG(args[0]), STR_ARG(args[1]));
    if (step == TYPE_INTERVAL_YM)
        buf_addf(out, STR_FMT ", 0, 0", STR_ARG(args[2]));
    else if (step == TYPE_INTERVAL_DT)
        buf_addf(out, "0, 0, " STR_FMT, STR_ARG(args[2]));
    else if (step == TYPE_INTERVAL_CALENDAR)
        buf_addf(out,
                 "ls_interval_part(" STR_FMT ", 0), ls_interval_part(" STR_FMT
                 ", 1), ls_interval_micros(" STR_FMT ")",
                 STR_ARG(args[2]), STR_ARG(args[2]), STR_ARG(args[2]));
    else
        buf_addz(out, "0, CASE WHEN "
                      "TRUE THEN 1 ELSE 1 END, 0");
    buf_addz(out, ", ");
    func_put_string(out, ctx->zone);
    buf_addz(out, count == 3 ? ", true)" : ", false)");
    return true;
}

/* array_contains and array_position refuse a NULL without a type. */
static bool bind_contains(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool contains = !strcmp(call->row->name, "array_contains");
    for (size_t i = 0; call->args.len == 2 && i < 2; i++)
        if (call->args.at[i]->type->kind == TYPE_NULL)
            return error_set(err, ERR_DATATYPE_MISMATCH__NULL_TYPE,
                             P("sqlExpr", func_call_text(call, ctx)),
                             P("functionName", func_name_text(call, ctx)));
    TRY(func_apply_signature(call, contains ? "(array<W>, W) -> boolean" : "(array<W>, W) -> long",
                             ctx, err));
    const Type *t = call->args.at[0]->type;
    call->nullable |= contains && t->kind == TYPE_ARRAY && t->array.nulls;
    return true;
}

static bool bind_contains_both(FuncCall *call, const FuncContext *ctx, Error *err) {
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < 2; i++)
        call->nullable |=
            call->args.at[i]->type->kind == TYPE_ARRAY && call->args.at[i]->type->array.nulls;
    return true;
}

static bool bind_sort_array(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 2 && !func_constant(call->args.at[1]))
        return func_non_foldable(call, 1, "ascendingOrder", ctx, err);
    return true;
}

static bool render_sort_array(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out,
                              Error *err) {
    (void)err;
    const Type *t = call->call.args.at[0]->type;
    if (t->kind != TYPE_ARRAY)
        t = call->type;
    if (count > 1)
        buf_addf(out, "CASE WHEN " STR_FMT " THEN ", STR_ARG(args[1]));
    func_put_sorted(out, args[0], t, false, false, ctx->arena);
    if (count > 1) {
        buf_addf(out, " WHEN NOT " STR_FMT " THEN ", STR_ARG(args[1]));
        func_put_sorted(out, args[0], t, true, true, ctx->arena);
        buf_addz(out, " END");
    }
    return true;
}

static bool render_array_extreme(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out,
                                 Error *err) {
    (void)err;
    if (!func_needs_order_key(call->type))
        return func_render_template(call, args, count, ctx, call->call.row->sql, out);
    buf_addf(out,
             "struct_extract(%s(list_transform(list_filter(" STR_FMT ", lambda ls_e: ls_e IS NOT NULL), lambda ls_e: "
             "struct_pack(k := " STR_FMT ", v := ls_e))), 'v')",
             call->call.row->name[6] == 'm' && call->call.row->name[7] == 'a' ? "list_max" : "list_min", STR_ARG(args[0]),
             STR_ARG(func_order_key(S("ls_e"), call->type, ctx->arena)));
    return true;
}

static bool nullable_as_second(FuncCall *call, const FuncContext *ctx, Error *err) {
    (void)ctx;
    (void)err;
    call->nullable = call->args.at[1]->nullable;
    return true;
}

static bool nullable_as_first(FuncCall *call, const FuncContext *ctx, Error *err) {
    (void)ctx;
    (void)err;
    call->nullable = call->args.at[0]->nullable;
    return true;
}

static bool bind_size(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(map<K,V>) -> int; (array<any>) -> int", ctx, err));
    call->nullable &= ctx->ansi; /* outside ANSI the size of NULL is -1 */
    return true;
}

/* flatten: array<array<T>>. */
static bool bind_flatten(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(array<array<T>>) -> array<T>", ctx, err));
    const Type *t = call->args.at[0]->type;
    call->nullable |= t->kind == TYPE_ARRAY && t->array.nulls;
    return true;
}

static bool bind_shuffle(FuncCall *call, const FuncContext *ctx, Error *err) {
    int64_t seed;
    if (call->args.len < 2 || func_constant_int(call->args.at[1], &seed))
        return true;
    return error_set(err, ERR_INVALID_PARAMETER_VALUE__LONG, PZ("parameter", "`seed`"), PZ("functionName", "`shuffle`"),
                     P("invalidValue", func_quoted_sql(call->args.at[1], ctx)));
}

const FuncRow collection_rows[] = {
    {"array", NULL, FUNC_SCALAR, "(T*...) -> array<T>!", .render = render_array,
     .example = "array(1, 2, 3)", .expected = "[1, 2, 3]"},
    {"array_contains", NULL, FUNC_SCALAR, .bind = bind_contains, .sql = "ls_array_contains($1, $2)",
     .example = "array_contains(array(1, 2, 3), 2)", .expected = "true"},
    {"array_distinct", NULL, FUNC_SCALAR, "(array<T>) -> array<T>",
     "list_select($1, ls_distinct_index($1))", .example = "array_distinct(array(1, 2, 3, null, 3))",
     .expected = "[1, 2, 3, null]"},
    {"array_union", NULL, FUNC_SCALAR, "(array<W>, array<W>) -> array<W>",
     "list_select($1 || $2, ls_distinct_index($1 || $2))",
     .example = "array_union(array(1, 2, 3), array(1, 3, 5))", .expected = "[1, 2, 3, 5]"},
    {"array_intersect", NULL, FUNC_SCALAR, "(array<W>, array<W>) -> array<W>",
     "list_select($1, ls_intersect_index($1, $2))",
     .example = "array_intersect(array(1, 2, 3), array(1, 3, 5))", .expected = "[1, 3]"},
    {"array_except", NULL, FUNC_SCALAR, "(array<W>, array<W>) -> array<W>",
     "list_select($1, ls_except_index($1, $2))",
     .example = "array_except(array(1, 2, 3), array(1, 3, 5))", .expected = "[2]"},
    {"arrays_overlap", NULL, FUNC_SCALAR, "(array<W>, array<W>) -> boolean",
     "ls_arrays_overlap($1, $2)", .bind = bind_contains_both,
     .example = "arrays_overlap(array(1, 2, 3), array(3, 4, 5))", .expected = "true"},
    {"array_join", NULL, FUNC_SCALAR, "(array<string>, string, [string]) -> string",
     "ls_array_join($1, $2, $?3{$3}{''}, $?3{true}{false})",
     .example = "array_join(array('hello', 'world'), ' ')", .expected = "hello world"},
    {"array_max", NULL, FUNC_SCALAR, "(array<T>) -> T?", "list_max($1)", .render = render_array_extreme,
     .example = "array_max(array(1, 20, null, 3))", .expected = "20"},
    {"array_min", NULL, FUNC_SCALAR, "(array<T>) -> T?", "list_min($1)", .render = render_array_extreme,
     .example = "array_min(array(1, 20, null, 3))", .expected = "1"},
    {"array_position", NULL, FUNC_SCALAR, .bind = bind_contains, .sql = "ls_array_position($1, $2)",
     .example = "array_position(array(312, 773, 708, 708), 708)", .expected = "3"},
    {"array_remove", NULL, FUNC_SCALAR, "(array<W>, W) -> array<W>",
     "CASE WHEN $2 IS NOT NULL THEN list_filter($1, lambda e: e IS DISTINCT FROM $2) END",
     .example = "array_remove(array(1, 2, 3, null, 3), 3)", .expected = "[1, 2, null]"},
    {"array_repeat", NULL, FUNC_SCALAR, "(T, int) -> array<T>", .bind = nullable_as_second,
     .sql = "CAST(repeat([$1], CAST($2 AS BIGINT)) AS $r)",
     .example = "array_repeat('123', 2)", .expected = "[123, 123]"},
    {"array_size", NULL, FUNC_SCALAR, "(array<any>) -> int", "CAST(len($1) AS INTEGER)",
     .example = "array_size(array('b', 'd', 'c', 'a'))", .expected = "4"},
    {"size", "cardinality", FUNC_SCALAR, .bind = bind_size, .sql = "CAST(ls_size($1) AS INTEGER)",
     .sql_legacy = "coalesce(ls_size($1), -1)", .example = "size(array('b', 'd', 'c', 'a'))",
     .expected = "4"},
    {"sort_array", NULL, FUNC_SCALAR, "(array<T>, [boolean]) -> array<T>", .bind = bind_sort_array,
     .render = render_sort_array,
     .pretty = "sort_array($1, $?2{$2}{true})",
     .example = "sort_array(array('b', 'd', null, 'c', 'a'), true)",
     .expected = "[null, a, b, c, d]"},
    {"shuffle", NULL, FUNC_SCALAR, "(array<T>, [long]) -> array<T>",
     "list_transform([$1], lambda a: list_select(a, ls_shuffle_index(CAST(len(a) AS INTEGER), "
     "$?2{CAST($2 AS BIGINT)}{$now})))[1]",
     .bind = bind_shuffle, .flags = FUNC_NONDETERMINISTIC, .pretty = "shuffle($1)", .example = "shuffle(array(1, 20, 3, 5), 123)", .expected = "[5, 1, 20, 3]"},
    {"slice", NULL, FUNC_SCALAR, "(array<T>, int, int) -> array<T>",
     "list_select($1, ls_slice_index($1, $2, $3))", .example = "slice(array(1, 2, 3, 4), 2, 2)",
     .expected = "[2, 3]"},
    {"sequence", NULL, FUNC_SCALAR, .bind = bind_sequence, .render = render_sequence,
     .example = "sequence(1, 5)", .expected = "[1, 2, 3, 4, 5]"},
    {"flatten", NULL, FUNC_SCALAR, .bind = bind_flatten,
     .sql = "CASE WHEN len(list_filter($1, lambda e: e IS NULL)) = 0 THEN flatten($1) END",
     .example = "flatten(array(array(1, 2), array(3, 4)))", .expected = "[1, 2, 3, 4]"},
    {"arrays_zip", NULL, FUNC_SCALAR, .bind = bind_zip, .render = render_zip,
     .example = "arrays_zip(array(1, 2, 3), array(2, 3, 4))",
     .expected = "[{1, 2}, {2, 3}, {3, 4}]"},
    {"array_append", NULL, FUNC_SCALAR, "(array<W>, W) -> array<W>",
     "CASE WHEN $1 IS NOT NULL THEN list_append($1, $2) END", .bind = nullable_as_first,
     .example = "array_append(array('b', 'd', 'c', 'a'), 'd')", .expected = "[b, d, c, a, d]"},
    {"array_prepend", NULL, FUNC_SCALAR, "(array<W>, W) -> array<W>",
     "CASE WHEN $1 IS NOT NULL THEN list_prepend($2, $1) END", .bind = nullable_as_first,
     .example = "array_prepend(array('b', 'd', 'c', 'a'), 'd')", .expected = "[d, b, d, c, a]"},
    {"array_insert", NULL, FUNC_SCALAR, "(array<W>, int, W) -> array<W?>",
     "list_select(list_append($1, $3), ls_insert_index($1, $2))",
     .example = "array_insert(array(1, 2, 3, 4), 5, 5)", .expected = "[1, 2, 3, 4, 5]"},
    {"array_compact", NULL, FUNC_SCALAR, "(array<T>) -> array<T!>",
     "list_filter($1, lambda e: e IS NOT NULL)", .example = "array_compact(array(1, 2, 3, null))",
     .expected = "[1, 2, 3]"},
    {"element_at", NULL, FUNC_SCALAR, .bind = bind_element_at, .render = render_element_at,
     .example = "element_at(array(1, 2, 3), 2)", .expected = "2"},
    {"try_element_at", NULL, FUNC_SCALAR, .bind = bind_element_at, .render = render_element_at,
     .example = "try_element_at(array(1, 2, 3), 2)", .expected = "2"},
    {"get", NULL, FUNC_SCALAR, "(array<T>, int) -> T?",
     "CASE WHEN $2 >= 0 THEN list_extract($1, $2 + 1) END", .bind = bind_get, .example = "get(array(1, 2, 3), 0)",
     .expected = "1"},
    {"element_at_index", NULL, FUNC_SCALAR, .bind = bind_index,
     .sql = "list_extract($1, ls_array_index(len($1), $2, true))",
     .sql_legacy = "list_extract($1, ls_array_index(len($1), $2, false))", .pretty = "$1[$2]",
     .flags = FUNC_HIDDEN, .example = "array(1, 2)[0]", .expected = "1"},
    {"element_at_key", NULL, FUNC_SCALAR, "(map<W,V>, W) -> V?", "map_extract_value($1, $2)",
     .pretty = "$1[$2]", .flags = FUNC_HIDDEN, .example = "map('a', 1)['a']", .expected = "1"},
    {"array_field", NULL, FUNC_SCALAR, .bind = bind_array_field, .render = render_array_field,
     .pretty = "$1.$2", .flags = FUNC_HIDDEN,
     .example = "array(named_struct('a', 1), named_struct('a', 2)).a", .expected = "[1, 2]"},
    {"map", NULL, FUNC_SCALAR, .bind = bind_map, .render = render_map,
     .example = "map(1.0, '2', 3.0, '4')", .expected = "{1.0 -> 2, 3.0 -> 4}"},
    {"map_from_arrays", NULL, FUNC_SCALAR, "(array<K>, array<V>) -> map<K,V>",
     .render = render_map_from_arrays, .example = "map_from_arrays(array(1.0, 3.0), array('2', '4'))",
     .expected = "{1.0 -> 2, 3.0 -> 4}"},
    {"map_from_entries", NULL, FUNC_SCALAR, .bind = bind_map_from_entries,
     .render = render_map_from_entries,
     .example = "map_from_entries(array(struct(1, 'a'), struct(2, 'b')))",
     .expected = "{1 -> a, 2 -> b}"},
    {"map_keys", NULL, FUNC_SCALAR, "(map<K,V>) -> array<K?>", "map_keys($1)",
     .example = "map_keys(map(1, 'a', 2, 'b'))", .expected = "[1, 2]"},
    {"map_values", NULL, FUNC_SCALAR, "(map<K,V>) -> array<V>", "map_values($1)",
     .example = "map_values(map(1, 'a', 2, 'b'))", .expected = "[a, b]"},
    {"map_entries", NULL, FUNC_SCALAR, .bind = bind_map_entries, .sql = "map_entries($1)",
     .example = "map_entries(map(1, 'a', 2, 'b'))", .expected = "[{1, a}, {2, b}]"},
    {"map_concat", NULL, FUNC_SCALAR, .bind = bind_map_concat, .render = render_map_concat,
     .example = "map_concat(map(1, 'a', 2, 'b'), map(3, 'c'))",
     .expected = "{1 -> a, 2 -> b, 3 -> c}"},
    {"map_contains_key", NULL, FUNC_SCALAR, "(map<W,V>, W) -> boolean?", "map_contains($1, $2)",
     .example = "map_contains_key(map(1, 'a', 2, 'b'), 1)", .expected = "true"},
    {"str_to_map", NULL, FUNC_SCALAR, "(string, [string], [string]) -> map<string,string?>",
     .render = render_str_to_map, .flags = FUNC_EXACT, .pretty = "str_to_map($1, $?2{$2}{,}, $?3{$3}{:})",
     .example = "str_to_map('a:1,b:2,c:3', ',', ':')", .expected = "{a -> 1, b -> 2, c -> 3}"},
    {"struct", NULL, FUNC_SCALAR, .example = "struct(1, 2)", .expected = "{1, 2}"},
    {"named_struct", NULL, FUNC_SCALAR, .example = "named_struct('a', 1)", .expected = "{1}"},
    {"when", NULL, FUNC_SCALAR, .example = "CASE WHEN true THEN 1 END", .expected = "1"},
};
END_OF_ROWS(collection);
