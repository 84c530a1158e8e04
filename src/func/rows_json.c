/* JSON and CSV: texts to typed values and back. */
#include <string.h>

#include "func/record_text.h"
#include "func/rows.h"
#include "func/signature.h"

/* ---- options ---- */

/* The map(..) of options as a JSON object of strings with lower-case keys; the session's zone is
 * among them. */
static bool read_options(FuncCall *call, size_t at, const FuncContext *ctx, Str *out, Error *err) {
    Buf b = buf_in(ctx->arena);
    buf_addz(&b, "{\"zone\":");
    json_node_put_string(ctx->zone, &b);
    Str column = {0};
    if (ctx->setting && ctx->setting(ctx->self, "spark.sql.columnNameOfCorruptRecord", &column) &&
        column.len) {
        buf_addz(&b, ",\"columnnameofcorruptrecord\":");
        json_node_put_string(column, &b);
    }
    const BoundExpr *map = at < call->args.len ? call->args.at[at] : NULL;
    if (map) {
        if (map->kind != BEXPR_CALL || strcmp(map->call.row->name, "map") != 0)
            return error_set(err, ERR_INVALID_OPTIONS__NON_MAP_FUNCTION);
        for (size_t i = 0; i < map->call.args.len; i++) {
            const Value *v = func_constant(map->call.args.at[i]);
            if (!v || !type_is_stringy(v->type))
                return error_set(err, ERR_INVALID_OPTIONS__NON_STRING_TYPE,
                                 P("mapType", func_quoted_type(map->type, ctx)));
            Str text = v->is_null ? S("") : v->bytes;
            buf_addz(&b, i % 2 ? ":" : ",");
            json_node_put_string(i % 2 ? text : str_lower(text, ctx->arena), &b);
        }
    }
    buf_addc(&b, '}');
    *out = buf_str(&b);
    return true;
}

typedef struct RecordBind {
    Str options;
    Str answer; /* schema_of_* are constants */
} RecordBind;

static RecordBind *bind_options(FuncCall *call, size_t at, const FuncContext *ctx, Error *err) {
    RecordBind *b = ARENA_NEW(ctx->arena, RecordBind);
    call->bind_data = b;
    return read_options(call, at, ctx, &b->options, err) ? b : NULL;
}

static bool refuse_mode(const RecordBind *b, const FuncCall *call, const FuncContext *ctx,
                        Error *err) {
    const JsonNode *options = json_node_parse(b->options, NULL, ctx->arena);
    const JsonNode *mode = options ? json_node_field(options, S("mode")) : NULL;
    if (mode && str_is_ci(mode->text, "DROPMALFORMED"))
        return error_set(err, ERR_PARSE_MODE_UNSUPPORTED, P("funcName", func_name_text(call, ctx)),
                         PZ("mode", "DROPMALFORMED"));
    return true;
}

/* ---- schemas ---- */

/* A schema argument: a DDL or JSON text, or schema_of_json(..) over a constant. */
static bool read_schema(FuncCall *call, size_t at, const FuncContext *ctx, const Type **out,
                        Error *err) {
    const BoundExpr *e = call->args.at[at];
    const Value *v = func_constant(e);
    Str text = {0};
    if (e->kind == BEXPR_CALL && !strncmp(e->call.row->name, "schema_of_", 10))
        text = ((const RecordBind *)e->call.bind_data)->answer;
    else if (v && type_is_stringy(v->type) && !v->is_null)
        text = v->bytes;
    else
        return error_set(err, ERR_INVALID_SCHEMA__NON_STRING_LITERAL,
                         P("inputSchema", func_quoted_sql(e, ctx)));
    text = str_trim(text);
    if (text.len && (text.ptr[0] == '{' || text.ptr[0] == '"'))
        TRY(type_from_json(text, ctx->arena, out, err));
    else
        TRY(type_from_ddl(text, ctx->arena, out, err));
    *out = type_as_nullable(type_char_as_string(*out, ctx->arena), ctx->arena);
    return true;
}

static bool check_text(const FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *t = call->args.at[0]->type;
    return type_is_stringy(t) || t->kind == TYPE_NULL ||
           func_unexpected_type(call, 0, "\"STRING\"", ctx, err);
}

/* json_array_length, json_object_keys: texts only, nothing is cast */
static bool bind_text(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 1)
        TRY(check_text(call, ctx, err));
    return func_apply_signature(call,
                                !strcmp(call->row->name, "json_object_keys")
                                    ? "(string) -> array<string>?"
                                    : "(string) -> int?",
                                ctx, err);
}

/* ---- from_json, from_csv ---- */

static bool bind_from(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool csv = !strcmp(call->row->name, "from_csv"), xml = !strcmp(call->row->name, "from_xml");
    if (call->args.len < 2 || call->args.len > 3)
        return func_wrong_arg_count(call, "[2, 3]", ctx, err);
    const Type *schema;
    if (!read_schema(call, 1, ctx, &schema, err))
        return false;
    RecordBind *b = bind_options(call, 2, ctx, err);
    if (!b || !refuse_mode(b, call, ctx, err))
        return false;
    if (xml && schema->kind != TYPE_STRUCT)
        return error_set(err, ERR_DATATYPE_MISMATCH__INVALID_XML_SCHEMA,
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("schema", func_quoted_type(schema, ctx)));
    if (!type_is_nested(schema) || (csv && schema->kind != TYPE_STRUCT))
        return error_set(err, ERR_INVALID_SCHEMA__NON_STRUCT_TYPE,
                         P("inputSchema", func_quoted_sql(call->args.at[1], ctx)),
                         P("dataType", func_quoted_type(schema, ctx)));
    if (type_contains(schema, TYPE_VARIANT) || type_contains(schema, TYPE_INTERVAL_CALENDAR))
        return error_unsupported(err, "%s into " STR_FMT, call->row->name,
                                 STR_ARG(type_sql(schema, ctx->arena)));
    TRY(check_text(call, ctx, err));
    call->args.at[0] = func_coerce(call->args.at[0], type_simple(TYPE_STRING), ctx);
    call->result = schema;
    call->nullable = !csv || call->args.at[0]->nullable;
    if (schema->kind == TYPE_MAP)
        call->row = func_find(S("from_json_map"));
    return true;
}

/* The value that a text of ls_from_json's list stands for. */
static void put_decoded(Str x, const Type *t, unsigned depth, const FuncContext *ctx, Buf *out);

static void put_struct_of(Str items, const Type *t, unsigned depth, const FuncContext *ctx,
                          Buf *out) {
    Str v = str_printf(ctx->arena, "j%u", depth);
    buf_addf(out,
             "list_transform([" STR_FMT "], lambda " STR_FMT ": CASE WHEN " STR_FMT
             " IS NOT NULL THEN CAST(row(",
             STR_ARG(items), STR_ARG(v), STR_ARG(v));
    for (size_t i = 0; i < t->structure.count; i++) {
        if (i)
            buf_addz(out, ", ");
        put_decoded(str_printf(ctx->arena, STR_FMT "[%zu]", STR_ARG(v), i + 1),
                    t->structure.fields[i].type, depth + 1, ctx, out);
    }
    buf_addf(out, ") AS " STR_FMT ") END)[1]", STR_ARG(type_duckdb(t, ctx->arena)));
}

static void put_list_of(Str items, const Type *element, unsigned depth, const FuncContext *ctx,
                        Buf *out) {
    Str v = str_printf(ctx->arena, "j%u", depth);
    buf_addf(out, "list_transform(" STR_FMT ", lambda " STR_FMT ": ", STR_ARG(items), STR_ARG(v));
    put_decoded(v, element, depth + 1, ctx, out);
    buf_addc(out, ')');
}

static void put_nested(Str items, const Type *t, unsigned depth, const FuncContext *ctx, Buf *out) {
    if (t->kind == TYPE_STRUCT) {
        put_struct_of(items, t, depth, ctx, out);
    } else if (t->kind == TYPE_ARRAY) {
        put_list_of(items, t->array.element, depth, ctx, out);
    } else {
        Str v = str_printf(ctx->arena, "j%u", depth);
        buf_addf(out,
                 "list_transform([" STR_FMT "], lambda " STR_FMT ": CASE WHEN " STR_FMT
                 " IS NOT NULL THEN map(",
                 STR_ARG(items), STR_ARG(v), STR_ARG(v));
        put_list_of(str_printf(ctx->arena, "ls_json_items(" STR_FMT "[1])", STR_ARG(v)), t->map.key,
                    depth + 1, ctx, out);
        buf_addz(out, ", ");
        put_list_of(str_printf(ctx->arena, "ls_json_items(" STR_FMT "[2])", STR_ARG(v)),
                    t->map.value, depth + 1, ctx, out);
        buf_addz(out, ") END)[1]");
    }
}

static void put_decoded(Str x, const Type *t, unsigned depth, const FuncContext *ctx, Buf *out) {
    switch (t->kind) {
    case TYPE_STRUCT:
    case TYPE_ARRAY:
    case TYPE_MAP:
        put_nested(str_printf(ctx->arena, "ls_json_items(" STR_FMT ")", STR_ARG(x)), t, depth, ctx,
                   out);
        return;
    case TYPE_STRING:
        buf_add(out, x);
        return;
    case TYPE_BINARY:
        buf_addf(out, "unhex(" STR_FMT ")", STR_ARG(x));
        return;
    case TYPE_DATE:
        buf_addf(out, "ls_date_add(DATE '1970-01-01', CAST(" STR_FMT " AS INTEGER))", STR_ARG(x));
        return;
    case TYPE_TIMESTAMP:
        buf_addf(out, "make_timestamptz(CAST(" STR_FMT " AS BIGINT))", STR_ARG(x));
        return;
    case TYPE_TIMESTAMP_NTZ:
        buf_addf(out, "make_timestamp(CAST(" STR_FMT " AS BIGINT))", STR_ARG(x));
        return;
    case TYPE_TIME:
        buf_addf(out, "ls_time_from_micros(CAST(" STR_FMT " AS BIGINT))", STR_ARG(x));
        return;
    case TYPE_VARIANT:
        buf_addf(out, "ls_variant_unpack(" STR_FMT ")", STR_ARG(x));
        return;
    default:
        buf_addf(out, "CAST(" STR_FMT " AS " STR_FMT ")", STR_ARG(x),
                 STR_ARG(type_duckdb(t, ctx->arena)));
    }
}

void func_put_decoded(Str text, const Type *t, const FuncContext *ctx, Buf *out) {
    put_decoded(text, t, 0, ctx, out);
}

/* name(value, 'type as JSON', 'options') */
static Str record_call(const char *name, Str value, const Type *t, const RecordBind *b,
                       const FuncContext *ctx) {
    Buf out = buf_in(ctx->arena);
    buf_addf(&out, "%s(" STR_FMT ", ", name, STR_ARG(value));
    func_put_string(&out, type_json(t, ctx->arena));
    buf_addz(&out, ", ");
    func_put_string(&out, b->options);
    buf_addc(&out, ')');
    return buf_str(&out);
}

static bool render_from(const BoundExpr *call, const Str *args, size_t count,
                        const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    const char *name = call->call.row->name;
    const char *reader = !strcmp(name, "from_csv")   ? "ls_from_csv"
                         : !strcmp(name, "from_xml") ? "ls_from_xml"
                                                     : "ls_from_json";
    put_nested(record_call(reader, args[0], call->type, call->call.bind_data, ctx), call->type, 0,
               ctx, out);
    return true;
}

/* ---- to_json, to_csv ---- */

static bool bind_to(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool csv = !strcmp(call->row->name, "to_csv"), xml = !strcmp(call->row->name, "to_xml");
    if (!call->args.len || call->args.len > 2)
        return func_wrong_arg_count(call, "[1, 2]", ctx, err);
    if (!bind_options(call, 1, ctx, err))
        return false;
    const Type *t = call->args.at[0]->type;
    if (csv && t->kind != TYPE_STRUCT)
        return error_set(err, ERR_DATATYPE_MISMATCH__UNSUPPORTED_INPUT_TYPE,
                         P("functionName", func_name_text(call, ctx)),
                         P("dataType", func_quoted_type(t, ctx)),
                         P("sqlExpr", func_call_text(call, ctx)));
    if (xml && t->kind != TYPE_STRUCT && t->kind != TYPE_NULL)
        return error_set(err, ERR_DATATYPE_MISMATCH__INVALID_XML_SCHEMA,
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("schema", func_quoted_type(t, ctx)));
    if (!csv && !type_is_nested(t) && t->kind != TYPE_VARIANT && t->kind != TYPE_NULL)
        return error_set(err, ERR_DATATYPE_MISMATCH__INVALID_JSON_SCHEMA,
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("schema", func_quoted_type(t, ctx)));
    call->result = type_simple(TYPE_STRING);
    call->nullable = true;
    return true;
}

static bool render_to(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                      Buf *out, Error *err) {
    (void)count;
    (void)err;
    const Type *t = call->call.args.at[0]->type;
    Str writer = str_concat(ctx->arena, S("ls_"), str_from(call->call.row->name));
    if (t->kind == TYPE_NULL)
        buf_addz(out, "CAST(NULL AS VARCHAR)");
    else
        buf_add(out, record_call(str_z(writer, ctx->arena), args[0], t, call->call.bind_data, ctx));
    return true;
}

/* ---- schema_of_json, schema_of_csv ---- */

static bool bind_schema_of(FuncCall *call, const FuncContext *ctx, Error *err) {
    const char *format = call->row->name + strlen("schema_of_");
    bool csv = !strcmp(format, "csv"), xml = !strcmp(format, "xml");
    if (!call->args.len || call->args.len > 2)
        return func_wrong_arg_count(call, "[1, 2]", ctx, err);
    RecordBind *b = bind_options(call, 1, ctx, err);
    if (!b)
        return false;
    const Value *v = func_constant(call->args.at[0]);
    if (!v && call->args.at[0]->kind == BEXPR_COLUMN)
        return func_non_foldable(call, 0, format, ctx, err);
    TRY(check_text(call, ctx, err));
    if (!v)
        return func_non_foldable(call, 0, format, ctx, err);
    if (v->is_null)
        return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_NULL,
                         P("sqlExpr", func_call_text(call, ctx)),
                         PZ("exprName", format));
    RecordOptions o;
    TRY(record_options_read(b->options, ctx->arena, &o, err));
    const Type *t = csv   ? record_infer_csv(v->bytes, &o, ctx->arena)
                    : xml ? record_infer_xml(v->bytes, &o, ctx->arena)
                          : record_infer_json(v->bytes, &o, ctx->arena);
    if (!t)
        return error_set(err, ERR_MALFORMED_RECORD_IN_PARSING__WITHOUT_SUGGESTION,
                         P("badRecord", v->bytes), PZ("failFastMode", "FAILFAST"));
    b->answer = type_sql(t, ctx->arena);
    call->result = type_simple(TYPE_STRING);
    call->nullable = false;
    return true;
}

static bool render_schema_of(const BoundExpr *call, const Str *args, size_t count,
                             const FuncContext *ctx, Buf *out, Error *err) {
    (void)args;
    (void)count;
    (void)ctx;
    (void)err;
    func_put_string(out, ((const RecordBind *)call->call.bind_data)->answer);
    return true;
}

/* ---- xpath ---- */

/* (xml, path): the path is a constant. */
static bool bind_xpath(FuncCall *call, const FuncContext *ctx, Error *err) {
    static const struct {
        const char *name, *signature;
    } RESULTS[] = {
        {"xpath", "(string, string) -> array<string>?"}, {"xpath_string", "(string, string) -> string?"},
        {"xpath_boolean", "(string, string) -> boolean?"}, {"xpath_double", "(string, string) -> double?"},
        {"xpath_number", "(string, string) -> double?"}, {"xpath_float", "(string, string) -> float?"},
        {"xpath_long", "(string, string) -> long?"}, {"xpath_int", "(string, string) -> int?"},
        {"xpath_short", "(string, string) -> short?"},
    };
    if (call->args.len == 2 && !func_is_foldable(call->args.at[1]))
        return func_non_foldable(call, 1, "path", ctx, err);
    for (size_t i = 0; i < LENGTH_OF(RESULTS); i++)
        if (!strcmp(call->row->name, RESULTS[i].name))
            return func_apply_signature(call, RESULTS[i].signature, ctx, err);
    return error_unsupported(err, "the function %s", call->row->name);
}

/* A double as Java's (int) makes it: NaN is 0, the rest is cut off and kept in range. */
#define XPATH_INTEGER(low, high)                                                                   \
    "CASE WHEN $2 IS NULL THEN NULL WHEN isnan(ls_xpath_number($1, $2)) THEN 0 ELSE CAST(trunc(greatest(least("              \
    "ls_xpath_number($1, $2), " high "), " low ")) AS BIGINT) END"
#define XPATH_INT XPATH_INTEGER("-2147483648.0", "2147483647.0")
#define XPATH(name, text, example, want)                                                           \
    { name, NULL, FUNC_SCALAR, .sql = text, .bind = bind_xpath, .flags = FUNC_EXACT,                \
      EXAMPLE(name example, want) }

#define EXAMPLE(text, want) .example = text, .expected = want

const FuncRow json_rows[] = {
    {"get_json_object", NULL, FUNC_SCALAR, "(string, string) -> string?",
     "ls_get_json_object($1, $2)", .flags = FUNC_EXACT,
     EXAMPLE("get_json_object('[{\"a\":\"b\"},{\"a\":\"c\"}]', '$[*].a')", "[\"b\",\"c\"]")},
    {"json_array_length", NULL, FUNC_SCALAR, .bind = bind_text, .sql = "ls_json_array_length($1)",
     EXAMPLE("json_array_length('[1,2,3,{\"f1\":1,\"f2\":[5,6]},4]')", "5")},
    {"json_object_keys", NULL, FUNC_SCALAR, .bind = bind_text, .sql = "ls_json_object_keys($1)",
     EXAMPLE("json_object_keys('{\"f1\":\"abc\",\"f2\":{\"f3\":\"a\", \"f4\":\"b\"}}')",
             "[f1, f2]")},
    {"from_json", NULL, FUNC_SCALAR, .bind = bind_from, .render = render_from,
     .pretty = "from_json($1)",
     EXAMPLE("from_json('{\"a\":1, \"b\":0.8}', 'a INT, b DOUBLE')", "{1, 0.8}")},
    {"from_json_map", NULL, FUNC_SCALAR, .bind = bind_from, .render = render_from,
     .pretty = "entries", .flags = FUNC_HIDDEN},
    {"to_json", NULL, FUNC_SCALAR, .bind = bind_to, .render = render_to, .pretty = "to_json($1)",
     EXAMPLE("to_json(array(named_struct('a', 1, 'b', 2)))", "[{\"a\":1,\"b\":2}]")},
    {"schema_of_json", NULL, FUNC_SCALAR, .bind = bind_schema_of, .render = render_schema_of,
     .pretty = "schema_of_json($1)",
     EXAMPLE("schema_of_json('[{\"col\":0}]')", "ARRAY<STRUCT<col: BIGINT>>")},
    {"from_csv", NULL, FUNC_SCALAR, .bind = bind_from, .render = render_from,
     .pretty = "from_csv($1)", EXAMPLE("from_csv('1, 0.8', 'a INT, b DOUBLE')", "{1, 0.8}")},
    {"to_csv", NULL, FUNC_SCALAR, .bind = bind_to, .render = render_to, .pretty = "to_csv($1)",
     EXAMPLE("to_csv(named_struct('a', 1, 'b', 2))", "1,2")},
    {"schema_of_csv", NULL, FUNC_SCALAR, .bind = bind_schema_of, .render = render_schema_of,
     .pretty = "schema_of_csv($1)",
     EXAMPLE("schema_of_csv('1,abc')", "STRUCT<_c0: INT, _c1: STRING>")},
    {"from_xml", NULL, FUNC_SCALAR, .bind = bind_from, .render = render_from,
     .pretty = "from_xml($1)",
     EXAMPLE("from_xml('<p><a x=\"1\">5</a><a x=\"2\">6</a><b> t </b></p>', 'a "
             "array<struct<_VALUE:int,_x:int>>, b string, c int')",
             "{[{5, 1}, {6, 2}], t, null}")},
    {"to_xml", NULL, FUNC_SCALAR, .bind = bind_to, .render = render_to, .pretty = "to_xml($1)",
     EXAMPLE("to_xml(named_struct('a', 1, 'b', array('x', null), '_c', 5))",
             "<ROW c=\"5\">\n    <a>1</a>\n    <b>x</b>\n</ROW>")},
    {"schema_of_xml", NULL, FUNC_SCALAR, .bind = bind_schema_of, .render = render_schema_of,
     .pretty = "schema_of_xml($1)",
     EXAMPLE("schema_of_xml('<p><a attr=\"2\">1</a><a>3</a><b>x</b></p>')",
             "STRUCT<a: ARRAY<STRUCT<_VALUE: BIGINT, _attr: BIGINT>>, b: STRING>")},
    XPATH("xpath", "ls_xpath($1, $2)",
          "('<a><b>b1</b><b>b2</b></a>', 'a/b/text()')", "[b1, b2]"),
    XPATH("xpath_string", "ls_xpath_string($1, $2)",
          "('<a><b>b</b><c>cc</c></a>', 'a/c')", "cc"),
    XPATH("xpath_boolean", "ls_xpath_boolean($1, $2)", "('<a><b>1</b></a>', 'a/b')",
          "true"),
    XPATH("xpath_double", "ls_xpath_number($1, $2)",
          "('<a><b>1</b><b>2</b></a>', 'sum(a/b)')", "3.0"),
    XPATH("xpath_number", "ls_xpath_number($1, $2)", "('<a>1e3</a>', 'a')", "NaN"),
    XPATH("xpath_float", "CAST(ls_xpath_number($1, $2) AS FLOAT)",
          "('<a><b>1</b><b>2</b></a>', 'sum(a/b)')", "3.0"),
    XPATH("xpath_long",
          XPATH_INTEGER("-9223372036854774784.0", "9223372036854774784.0"),
          "('<a>1.9</a>', 'a')", "1"),
    XPATH("xpath_int", "CAST(" XPATH_INT " AS INTEGER)", "('<a>x</a>', 'a')", "0"),
    XPATH("xpath_short",
          "CAST(((" XPATH_INT " + 32768) & 65535) - 32768 AS SMALLINT)", "('<a>99999</a>', 'a')",
          "-31073"),
};
END_OF_ROWS(json);
