/* Vectors, time buckets; and what leans on things outside this program: Java classes, Avro, Protobuf. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* ---- time_bucket(size, instant[, origin]) ---- */

static const char EPOCH[] = "1970-01-01 00:00:00";

static bool add_origin(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *t = call->args.at[1]->type;
    Value v;
    TRY(value_from_text(str_from(EPOCH),
                        t->kind == TYPE_TIMESTAMP_NTZ ? t : type_simple(TYPE_TIMESTAMP), ctx->zone,
                        ctx->arena, &v, err));
    vec_push(ctx->arena, &call->args, bound_literal(v, ctx->arena));
    return true;
}

static bool bind_bucket(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 2 || call->args.len > 3)
        return func_wrong_arg_count(call, "[2, 3]", ctx, err);
    if (call->args.len == 2)
        TRY(add_origin(call, ctx, err));
    const BoundExpr *size = call->args.at[0];
    const Type *s = size->type, *t = call->args.at[1]->type;
    if (s->kind != TYPE_INTERVAL_YM && s->kind != TYPE_INTERVAL_DT && s->kind != TYPE_NULL)
        return func_unexpected_type(call, 0,
                                    "(\"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")",
                                    ctx, err);
    if (t->kind != TYPE_TIMESTAMP && t->kind != TYPE_TIMESTAMP_NTZ && t->kind != TYPE_NULL)
        return func_unexpected_type(call, 1, "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"", ctx,
                                    err);
    if (t->kind != TYPE_NULL && call->args.at[2]->type->kind != t->kind &&
        call->args.at[2]->type->kind != TYPE_NULL)
        return func_unexpected_type(
            call, 2, t->kind == TYPE_TIMESTAMP ? "\"TIMESTAMP\"" : "\"TIMESTAMP_NTZ\"", ctx, err);
    for (size_t i = 0; i < 3; i += 2)
        if (!func_constant(call->args.at[i]))
            return func_non_foldable(call, i, i ? "origin" : "bucketSize", ctx, err);
    const Value *v = func_constant(size);
    if (!v->is_null && v->integer <= 0)
        return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE,
                         P("sqlExpr", func_call_text(call, ctx)), PZ("exprName", "`bucketSize`"),
                         PZ("valueRange", "(0, inf)"),
                         P("currentValue", value_sql(v, ctx->zone, ctx->arena)));
    call->result = t->kind == TYPE_NULL ? type_simple(TYPE_TIMESTAMP) : t;
    call->nullable = func_any_nullable(call);
    return true;
}

static bool render_bucket(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    const Type *s = call->call.args.at[0]->type;
    bool zoned = call->type->kind == TYPE_TIMESTAMP;
    if (s->kind == TYPE_NULL || call->call.args.at[1]->type->kind == TYPE_NULL)
        return func_render_template(call, args, count, ctx, "CAST(NULL AS $r)", out);
    const char *size = s->kind == TYPE_INTERVAL_YM ? "CAST($1 AS BIGINT), CAST(0 AS BIGINT)"
                                                   : "CAST(0 AS BIGINT), CAST($1 AS BIGINT)";
    Str text = str_printf(ctx->arena, "%s(ls_time_bucket(%s, epoch_us($2), epoch_us($3), %s))",
                          zoned ? "make_timestamptz" : "make_timestamp", size,
                          zoned ? "$zone" : "'UTC'");
    return func_render_template(call, args, count, ctx, str_z(text, ctx->arena), out);
}

/* ---- reflect: the few static methods that need no Java ---- */

static bool bind_reflect(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 2)
        return func_wrong_arg_count(call, "> 1", ctx, err);
    for (size_t i = 0; i < 2; i++)
        if (!func_constant(call->args.at[i]) || func_constant(call->args.at[i])->is_null)
            return func_non_foldable(call, i, i ? "method" : "class", ctx, err);
    Str class = func_constant(call->args.at[0])->bytes, method = func_constant(call->args.at[1])->bytes;
    static const struct {
        const char *class, *method;
        size_t args;
        const char *sql, *try_sql;
    } KNOWN[] = {
        {"java.util.UUID", "randomUUID", 2, "CAST(uuid() AS VARCHAR)", "CAST(uuid() AS VARCHAR)"},
        {"java.util.UUID", "fromString", 3, "CAST(CAST($3 AS UUID) AS VARCHAR)",
         "CAST(TRY_CAST($3 AS UUID) AS VARCHAR)"},
        {"java.net.URLDecoder", "decode", 3, "ls_url_decode($3, false)", "ls_url_decode($3, true)"},
    };
    bool known = false, trying = !strncmp(call->row->name, "try_", 4);
    for (size_t i = 0; i < LENGTH_OF(KNOWN); i++) {
        if (!str_is(class, KNOWN[i].class))
            continue;
        known = true;
        if (!str_is(method, KNOWN[i].method) || call->args.len != KNOWN[i].args)
            continue;
        for (size_t k = 2; k < call->args.len; k++)
            call->args.at[k] = func_coerce(call->args.at[k], type_simple(TYPE_STRING), ctx);
        call->bind_data = (void *)(trying ? KNOWN[i].try_sql : KNOWN[i].sql);
        call->result = type_simple(TYPE_STRING);
        call->nullable = true;
        return true;
    }
    if (known)
        return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_STATIC_METHOD,
                         P("sqlExpr", func_call_text(call, ctx)), P("methodName", method),
                         P("className", class));
    return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_CLASS_TYPE,
                     P("sqlExpr", func_call_text(call, ctx)), P("className", class));
}

static bool render_reflect(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    return func_render_template(call, args, count, ctx, call->call.bind_data, out);
}

/* ---- refused by name ---- */

static bool bind_avro(FuncCall *call, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_AVRO_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE,
                     P("functionName", str_upper(func_name_text(call, ctx), ctx->arena)));
}

static bool bind_protobuf(FuncCall *call, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_PROTOBUF_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE,
                     P("functionName", str_upper(func_name_text(call, ctx), ctx->arena)));
}

/* ---- rows ---- */

#define EXAMPLE(text, want) .example = text, .expected = want
#define REFLECT(name)                                                                              \
    { name, NULL, FUNC_SCALAR, .bind = bind_reflect, .render = render_reflect,                     \
      .flags = FUNC_NONDETERMINISTIC,                                                              \
      EXAMPLE(name "('java.util.UUID', 'fromString', 'a5cf6c42-0c85-418f-af6c-3e4e5b1328f2')",     \
              "a5cf6c42-0c85-418f-af6c-3e4e5b1328f2") }
#define AVRO(name)                                                                                 \
    { name, NULL, FUNC_SCALAR, .bind = bind_avro,                                                  \
      EXAMPLE(name "('a', 'b')", "!AVRO_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE") }
#define PROTOBUF(name)                                                                             \
    { name, NULL, FUNC_SCALAR, .bind = bind_protobuf,                                              \
      EXAMPLE(name "('a', 'b')", "!PROTOBUF_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE") }
#define VECTOR(name, kind, rule, text, ...)                                                        \
    { name, NULL, kind, rule, text, .flags = FUNC_EXACT, __VA_ARGS__ }
#define DEGREE "$?2{$2}{CAST(2 AS FLOAT)}"

const FuncRow external_rows[] = {
    VECTOR("vector_inner_product", FUNC_SCALAR, "(array<float>, array<float>) -> float?",
           "ls_vector_inner_product($1, $2)",
           EXAMPLE("vector_inner_product(array(1.0F, 2.0F), array(3.0F, 4.0F))", "11.0")),
    VECTOR("vector_l2_distance", FUNC_SCALAR, "(array<float>, array<float>) -> float?",
           "ls_vector_l2_distance($1, $2)",
           EXAMPLE("vector_l2_distance(array(1.0F, 2.0F), array(4.0F, 6.0F))", "5.0")),
    VECTOR("vector_cosine_similarity", FUNC_SCALAR, "(array<float>, array<float>) -> float?",
           "ls_vector_cosine($1, $2)",
           EXAMPLE("vector_cosine_similarity(array(1.0F, 2.0F, 3.0F), array(4.0F, 5.0F, 6.0F))",
                   "0.9746319")),
    VECTOR("vector_norm", FUNC_SCALAR, "(array<float>, [float]) -> float?",
           "ls_vector_norm($1, " DEGREE ")", .pretty = "$f($1, $?2{$2}{2.0})",
           EXAMPLE("vector_norm(array(3.0F, 4.0F))", "5.0")),
    VECTOR("vector_normalize", FUNC_SCALAR, "(array<float>, [float]) -> array<float>?",
           "ls_vector_normalize($1, " DEGREE ")", .pretty = "$f($1, $?2{$2}{2.0})",
           EXAMPLE("vector_normalize(array(3.0F, 4.0F), float('inf'))", "[0.75, 1.0]")),
    VECTOR("vector_sum", FUNC_AGGREGATE, "(array<float>) -> array<float>?",
           "ls_vector_sum(list($1)$over)",
           EXAMPLE("SELECT vector_sum(c) FROM VALUES (array(1F, 2F)), (array(3F, 4F)) t(c)",
                   "[4.0, 6.0]")),
    VECTOR("vector_avg", FUNC_AGGREGATE, "(array<float>) -> array<float>?",
           "ls_vector_avg(list($1)$over)",
           EXAMPLE("SELECT vector_avg(c) FROM VALUES (array(1F, 2F)), (array(3F, 4F)) t(c)",
                   "[2.0, 3.0]")),
    {"time_bucket", NULL, FUNC_SCALAR, .bind = bind_bucket, .render = render_bucket,
     EXAMPLE("time_bucket(INTERVAL '1' MONTH, TIMESTAMP '2024-07-20 14:30:00', TIMESTAMP "
             "'2024-06-15 09:00:00')",
             "2024-07-15 09:00:00")},
    REFLECT("reflect"),
    REFLECT("java_method"),
    REFLECT("try_reflect"),
    AVRO("from_avro"),
    AVRO("to_avro"),
    AVRO("schema_of_avro"),
    PROTOBUF("from_protobuf"),
    PROTOBUF("to_protobuf"),
};
END_OF_ROWS(external);
