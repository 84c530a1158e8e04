/* String and binary functions. Text is UTF-8; positions and lengths count code points. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* concat: all binary, all arrays, or everything as text. */
static bool bind_concat(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool arrays = false, binary = call->args.len > 0;
    for (size_t i = 0; i < call->args.len; i++) {
        TypeKind k = call->args.at[i]->type->kind;
        arrays |= k == TYPE_ARRAY;
        binary &= k == TYPE_BINARY;
    }
    const Type *text = type_simple(binary ? TYPE_BINARY : TYPE_STRING);
    bool mixed = false;
    for (size_t i = 0; i < call->args.len; i++) {
        const Type *have = call->args.at[i]->type;
        if (have->kind == TYPE_MAP || have->kind == TYPE_STRUCT)
            return func_unexpected_type(call, i, "(\"STRING\" or \"BINARY\" or \"ARRAY\")", ctx,
                                        err);
        mixed |= have->kind != TYPE_ARRAY;
        if (have->kind != TYPE_ARRAY && !type_is_stringy(have))
            call->args.at[i] = func_coerce(call->args.at[i], text, ctx);
    }
    if (arrays && mixed)
        return func_diff_types(call, ctx, err);
    call->result = text;
    if (arrays) {
        const Type *common;
        TRY(func_coerce_all(call, 0, call->args.len, ctx, &common, err));
        bool nulls = false;
        for (size_t i = 0; i < call->args.len; i++)
            nulls |= call->args.at[i]->type->array.nulls;
        call->result = type_array(common->array.element, nulls, ctx->arena);
    }
    call->nullable = func_any_nullable(call);
    return true;
}

static bool render_concat(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool arrays = call->type->kind == TYPE_ARRAY;
    if (!count) {
        buf_addz(out, "''");
        return true;
    }
    if (count == 1) {
        buf_add(out, args[0]);
        return true;
    }
    if (arrays) { /* one NULL array makes the whole NULL; flatten alone would skip it */
        Str type = type_duckdb(call->type, ctx->arena);
        buf_addf(out, "list_transform([[");
        for (size_t i = 0; i < count; i++)
            buf_addf(out, "%s" STR_FMT, i ? ", " : "", STR_ARG(args[i]));
        buf_addf(out,
                 "]], lambda a: CASE WHEN len(list_filter(a, lambda v: v IS NULL)) = 0 THEN "
                 "CAST(flatten(a) AS " STR_FMT ") END)[1]",
                 STR_ARG(type));
        return true;
    }
    buf_addc(out, '(');
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s" STR_FMT, i ? " || " : "", STR_ARG(args[i]));
    buf_addc(out, ')');
    return true;
}

/* concat_ws takes texts and arrays of texts. */
static bool bind_concat_ws(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (!call->args.len)
        return func_wrong_arg_count(call, "> 0", ctx, err);
    for (size_t i = 0; i < call->args.len; i++) {
        const Type *t = call->args.at[i]->type;
        const Type *want = i && t->kind == TYPE_ARRAY
                               ? type_array(type_simple(TYPE_STRING), true, ctx->arena)
                               : type_simple(TYPE_STRING);
        if (type_is_nested(t) && (t->kind != TYPE_ARRAY || !i || type_is_nested(t->array.element)))
            return func_unexpected_type(
                call, i, i ? "(\"ARRAY<STRING>\" or \"STRING\")" : "\"STRING\"", ctx, err);
        if (!type_is_stringy(t) && !(t->kind == TYPE_ARRAY && type_is_stringy(t->array.element)))
            call->args.at[i] = func_coerce(call->args.at[i], want, ctx);
    }
    call->result = type_simple(TYPE_STRING);
    call->nullable = call->args.at[0]->nullable;
    return true;
}

/* decode(bytes, charset), or Oracle's decode(value, search, result, ..., [default]). */
static bool bind_decode(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 2)
        return func_wrong_arg_count(call, "> 1", ctx, err);
    if (call->args.len == 2)
        return func_apply_signature(call, "(binary, string) -> string?", ctx, err);
    const Type *key = call->args.at[0]->type, *value = type_simple(TYPE_NULL);
    size_t n = call->args.len;
    for (size_t i = 1; i < n && key && value; i++) {
        bool is_result = i % 2 == 0 || i == n - 1;
        const Type **t = is_result ? &value : &key;
        *t = coerce_common(*t, call->args.at[i]->type, ctx->ansi, ctx->arena);
    }
    if (!key || !value)
        return func_diff_types(call, ctx, err);
    bool nullable = n % 2 == 1;
    for (size_t i = 0; i < n; i++) {
        bool is_result = i && (i % 2 == 0 || i == n - 1);
        call->args.at[i] = func_coerce(call->args.at[i], is_result ? value : key, ctx);
        nullable |= is_result && call->args.at[i]->nullable;
    }
    call->result = value;
    call->nullable = nullable;
    return true;
}

static bool render_decode(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    if (count == 2)
        return func_render_template(call, args, count, ctx, "ls_decode($1, $2)", out);
    buf_addz(out, "CASE");
    for (size_t i = 1; i + 1 < count; i += 2)
        buf_addf(out, " WHEN " STR_FMT " IS NOT DISTINCT FROM " STR_FMT " THEN " STR_FMT,
                 STR_ARG(args[0]), STR_ARG(args[i]), STR_ARG(args[i + 1]));
    if (count % 2 == 0)
        buf_addf(out, " ELSE " STR_FMT, STR_ARG(args[count - 1]));
    buf_addz(out, " END");
    return true;
}

/* trim(chars, text): SQL's TRIM(chars FROM text) puts the characters first. */
static bool bind_trim(FuncCall *call, const FuncContext *ctx, Error *err) {
    return func_apply_signature(call, "(string, [string]) -> string", ctx, err);
}

static bool bind_elt(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 2)
        return func_wrong_arg_count(call, "> 1", ctx, err);
    bool binary = true;
    for (size_t i = 1; i < call->args.len; i++)
        binary &= call->args.at[i]->type->kind == TYPE_BINARY;
    TRY(func_apply_signature(
        call, binary ? "(int, binary...) -> binary?" : "(int, any...) -> string?", ctx, err));
    for (size_t i = 1; i < call->args.len && !binary; i++)
        if (!type_is_stringy(call->args.at[i]->type))
            call->args.at[i] = func_coerce(call->args.at[i], type_simple(TYPE_STRING), ctx);
    return true;
}

static bool render_elt(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    (void)err;
    return func_render_template(call, args, count, ctx,
                                ctx->ansi ? "ls_elt($1, [$@2], true)" : "ls_elt($1, [$@2], false)",
                                out);
}

/* format_string: what is not a number, date or text is handed over as text. */
static bool bind_format(FuncCall *call, const FuncContext *ctx, Error *err) {
    return func_apply_signature(call, "(string, any*...) -> string", ctx, err);
}

static bool render_format(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    buf_addf(out, "ls_format(" STR_FMT ", ", STR_ARG(args[0]));
    func_put_string(out, ctx->zone);
    for (size_t i = 1; i < count; i++) {
        const Type *t = call->call.args.at[i]->type;
        buf_addz(out, ", ");
        if (type_is_numeric(t) || t->kind == TYPE_BOOLEAN || type_is_stringy(t) ||
            t->kind == TYPE_DATE || t->kind == TYPE_TIMESTAMP || t->kind == TYPE_NULL)
            buf_add(out, args[i]);
        else
            TRY(func_render_cast(args[i], t, type_simple(TYPE_STRING), CAST_ANSI, ctx, out, err));
    }
    buf_addc(out, ')');
    return true;
}

static bool bind_base64_like(FuncCall *call, const FuncContext *ctx, Error *err) {
    return func_apply_signature(call, "(binary) -> string", ctx, err);
}

/* mask's replacement characters are constants. */
static bool bind_mask(FuncCall *call, const FuncContext *ctx, Error *err) {
    static const char *const NAMES[] = {"", "upperChar", "lowerChar", "digitChar", "otherChar"};
    for (size_t i = 1; i < call->args.len; i++)
        if (!func_constant(call->args.at[i]))
            return func_non_foldable(call, i, NAMES[i], ctx, err);
    return true;
}

static bool render_reverse(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    return func_render_template(
        call, args, count, ctx,
        call->type->kind == TYPE_ARRAY    ? "list_reverse($1)"
        : call->type->kind == TYPE_BINARY ? "unhex(array_to_string(list_reverse("
                                            "regexp_extract_all(hex($1), '..')), ''))"
                                          : "ls_reverse($1)",
        out);
}

/* A pattern without escapes is DuckDB's own LIKE, which is much faster. */
static bool bind_to_char(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 2) {
        TypeKind k = call->args.at[0]->type->kind;
        if (type_is_datetime(call->args.at[0]->type)) {
            call->row = func_find(S("date_format"));
            call->written_name = S("date_format");
            return func_resolve(call, ctx, err);
        }
        if (k == TYPE_BINARY) {
            const Value *v = func_constant(call->args.at[1]);
            if (!v || v->is_null || !type_is_stringy(v->type))
                return error_set(err, ERR_NON_FOLDABLE_ARGUMENT,
                                 P("funcName", func_name_text(call, ctx)),
                                 PZ("paramName", "`format`"), PZ("paramType", "\"STRING\""));
            Str format = str_lower(v->bytes, ctx->arena);
            const char *name = str_is(format, "base64") ? "base64"
                               : str_is(format, "hex")  ? "hex"
                                                        : "decode";
            bool shown = str_is_ci(call->written_name, "to_varchar") && strcmp(name, "decode") != 0;
            call->row = func_find(str_from(name));
            if (!shown)
                call->written_name = str_from(name);
            if (strcmp(name, "decode"))
                call->args.len = 1;
            return func_resolve(call, ctx, err);
        }
    }
    TRY(func_apply_signature(call, "(decimal, string) -> string; (double, string) -> string", ctx,
                             err));
    return func_constant(call->args.at[1]) || func_non_foldable(call, 1, "format", ctx, err);
}

/* A format that is not constant is refused. */
static bool bind_to_binary(FuncCall *call, const FuncContext *ctx, Error *err) {
    return call->args.len < 2 || func_constant(call->args.at[1]) ||
           func_non_foldable(call, 1, "fmt", ctx, err);
}

/* The result's precision and scale are counted in the format. */
static bool bind_to_number(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(string, string) -> decimal(38,18)", ctx, err));
    const Value *v = func_constant(call->args.at[1]);
    if (!v)
        return func_non_foldable(call, 1, "attributereference", ctx, err);
    int whole = 0, fraction = 0;
    bool point = false;
    for (size_t i = 0; !v->is_null && i < v->bytes.len; i++) {
        char c = v->bytes.ptr[i] & ~32;
        if (v->bytes.ptr[i] == '.' || c == 'D')
            point = true;
        else if (v->bytes.ptr[i] == '0' || v->bytes.ptr[i] == '9')
            *(point ? &fraction : &whole) += 1;
    }
    if (whole + fraction == 0 || whole + fraction > 38)
        return error_set(err, ERR_INVALID_FORMAT__EMPTY, P("format", v->bytes));
    call->result = type_decimal(whole + fraction, fraction, ctx->arena);
    if (!strncmp(call->row->name, "try_", 4))
        call->nullable = true;
    return true;
}

static bool render_to_number(const BoundExpr *call, const Str *args, size_t count,
                             const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    bool trying = !strncmp(call->call.row->name, "try_", 4);
    buf_addf(
        out,
        "CAST(ls_decimal_%d(ls_to_number(" STR_FMT ", " STR_FMT ", %s), %d, 0) AS " STR_FMT ")",
        call->type->decimal.scale, STR_ARG(args[0]), STR_ARG(args[1]), trying ? "true" : "false",
        call->type->decimal.precision, STR_ARG(type_duckdb(call->type, ctx->arena)));
    return true;
}

#define TEXT(name, alias, text, ...)                                                               \
    { name, alias, FUNC_SCALAR, "(string) -> string", text, __VA_ARGS__ }
#define COUNTED(name, alias, text, ...)                                                            \
    { name, alias, FUNC_SCALAR, "(string) -> int; (binary) -> int", text, __VA_ARGS__ }
#define FIND(name, text, ...)                                                                      \
    {                                                                                              \
        name, NULL, FUNC_SCALAR, "(string, string) -> boolean; (binary, binary) -> boolean?",      \
            text, __VA_ARGS__                                                                      \
    }

/* DuckDB's own agrees from the first character on, and counts texts of one byte a character by bytes. */
static bool render_substring(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out,
                             Error *err) {
    (void)err;
    int64_t from, length = INT32_MAX;
    bool plain = type_is_stringy(call->type) && func_constant_int(call->call.args.at[1], &from) && from > 0 &&
                 (count < 3 || (func_constant_int(call->call.args.at[2], &length) && length >= 0));
    return func_render_template(call, args, count, ctx,
                                plain ? "substring($1, $2, $?3{$3}{2147483647})"
                                      : "$b{ls_substring_binary}{ls_substring}($1, $2, $?3{$3}{2147483647})",
                                out);
}

const FuncRow string_rows[] = {
    TEXT("upper", "ucase", "upper($1)", .example = "upper('SparkSql')", .expected = "SPARKSQL"),
    TEXT("lower", "lcase", "lower($1)", .example = "lower('SparkSql')", .expected = "sparksql"),
    TEXT("initcap", NULL, "ls_initcap($1)", .example = "initcap('sPark sql')",
         .expected = "Spark Sql"),
    COUNTED("length", "len char_length character_length",
            "CAST($b{octet_length($1)}{length($1)} AS INTEGER)", .example = "length('Spark SQL ')",
            .expected = "10"),
    COUNTED("octet_length", NULL, "CAST($b{octet_length($1)}{strlen($1)} AS INTEGER)",
            .example = "octet_length('Spark SQL')", .expected = "9"),
    COUNTED("bit_length", NULL, "CAST(8 * $b{octet_length($1)}{strlen($1)} AS INTEGER)",
            .example = "bit_length('Spark SQL')", .expected = "72"),
    {"concat", "||", FUNC_SCALAR, .bind = bind_concat, .render = render_concat,
     .pretty = "concat($*)", .example = "concat('Spark', 'SQL')", .expected = "SparkSQL"},
    {"concat_ws", NULL, FUNC_SCALAR, .bind = bind_concat_ws, .sql = "ls_concat_ws($*)",
     .example = "concat_ws(' ', 'Spark', 'SQL')", .expected = "Spark SQL"},
    {"substring", "substr", FUNC_SCALAR,
     "(string, int, [int]) -> string; (binary, int, [int]) -> binary", .render = render_substring,
     .pretty = "$f($1, $2, $?3{$3}{2147483647})", .example = "substring('Spark SQL', 5)",
     .expected = "k SQL"},
    {"substring_index", NULL, FUNC_SCALAR, "(string, string, int) -> string",
     "ls_substring_index($1, $2, $3)", .example = "substring_index('www.apache.org', '.', 2)",
     .expected = "www.apache"},
    {"left", NULL, FUNC_SCALAR, "(string, int) -> string; (binary, int) -> binary",
     "$b{ls_left_binary}{ls_left}($1, $2)", .example = "left('Spark SQL', 3)", .expected = "Spa"},
    {"right", NULL, FUNC_SCALAR, "(string, int) -> string?", "ls_right($1, $2)",
     .example = "right('Spark SQL', 3)", .expected = "SQL"},
    {"trim", NULL, FUNC_SCALAR, .bind = bind_trim, .sql = "$?2{trim($2, $1)}{trim($1, ' ')}",
     .pretty = "$?2{TRIM(BOTH $1 FROM $2)}{trim($1)}", .example = "trim('  a ')", .expected = "a"},
    {"ltrim", NULL, FUNC_SCALAR, .bind = bind_trim, .sql = "$?2{ltrim($2, $1)}{ltrim($1, ' ')}",
     .pretty = "$?2{TRIM(LEADING $1 FROM $2)}{ltrim($1)}", .example = "ltrim('    SparkSQL   ')",
     .expected = "SparkSQL   "},
    {"rtrim", NULL, FUNC_SCALAR, .bind = bind_trim, .sql = "$?2{rtrim($2, $1)}{rtrim($1, ' ')}",
     .pretty = "$?2{TRIM(TRAILING $1 FROM $2)}{rtrim($1)}", .example = "rtrim('    SparkSQL   ')",
     .expected = "    SparkSQL"},
    {"btrim", NULL, FUNC_SCALAR, "(string, [string]) -> string", "trim($1, $?2{$2}{' '})",
     .example = "btrim('    SparkSQL   ')", .expected = "SparkSQL"},
    {"lpad", NULL, FUNC_SCALAR,
     "(string, int, [string]) -> string; (binary, int, [binary]) -> binary",
     "$b{ls_lpad_binary($1, $2, $?3{$3}{'\\x00'::BLOB})}{ls_lpad($1, $2, $?3{$3}{' '})}",
     .pretty = "lpad($1, $2, $?3{$3}{$b{X'00'}{ }})", .example = "lpad('hi', 5, 'xy')",
     .expected = "xyxhi"},
    {"rpad", NULL, FUNC_SCALAR,
     "(string, int, [string]) -> string; (binary, int, [binary]) -> binary",
     "$b{ls_rpad_binary($1, $2, $?3{$3}{'\\x00'::BLOB})}{ls_rpad($1, $2, $?3{$3}{' '})}",
     .pretty = "rpad($1, $2, $?3{$3}{$b{X'00'}{ }})", .example = "rpad('hi', 5, 'xy')",
     .expected = "hixyx"},
    {"repeat", NULL, FUNC_SCALAR, "(string, int) -> string", "repeat($1, $2)",
     .example = "repeat('123', 2)", .expected = "123123"},
    {"replace", NULL, FUNC_SCALAR, "(string, string, [string]) -> string",
     "ls_replace($1, $2, $?3{$3}{''})", .pretty = "replace($1, $2, $?3{$3}{})",
     .example = "replace('ABCabc', 'abc', 'DEF')", .expected = "ABCDEF"},
    {"translate", NULL, FUNC_SCALAR, "(string, string, string) -> string", "translate($1, $2, $3)",
     .example = "translate('AaBbCc', 'abc', '123')", .expected = "A1B2C3"},
    {"reverse", NULL, FUNC_SCALAR, "(string) -> string; (binary) -> binary; (array<T>) -> array<T>",
     .render = render_reverse, .example = "reverse('Spark SQL')", .expected = "LQS krapS"},
    {"split", NULL, FUNC_SCALAR, "(string, string, [int]) -> array<string!>",
     "ls_split($1, $2, $?3{$3}{-1})", .pretty = "split($1, $2, $?3{$3}{-1})",
     .example = "split('oneAtwoBthreeC', '[ABC]')", .expected = "[one, two, three, ]"},
    {"split_part", NULL, FUNC_SCALAR, "(string, string, int) -> string?",
     "ls_split_part($1, $2, $3)", .example = "split_part('11.12.13', '.', 3)", .expected = "13"},
    {"instr", NULL, FUNC_SCALAR, "(string, string) -> int", "CAST(instr($1, $2) AS INTEGER)",
     .example = "instr('SparkSQL', 'SQL')", .expected = "6"},
    {"locate", "position", FUNC_SCALAR, "(string, string, [int]) -> int",
     "ls_locate($1, $2, $?3{$3}{1})", .pretty = "$f($1, $2, $?3{$3}{1})",
     .example = "locate('bar', 'foobarbar')", .expected = "4"},
    {"ascii", NULL, FUNC_SCALAR, "(string) -> int", "CAST(ascii($1) AS INTEGER)",
     .example = "ascii('222')", .expected = "50"},
    {"chr", "char", FUNC_SCALAR, "(long) -> string", "ls_chr($1)", .example = "chr(65)",
     .expected = "A"},
    {"base64", NULL, FUNC_SCALAR, .bind = bind_base64_like, .sql = "to_base64($1)",
     .example = "base64('Spark SQL')", .expected = "U3BhcmsgU1FM"},
    {"unbase64", NULL, FUNC_SCALAR, "(string) -> binary", "ls_unbase64($1)",
     .example = "unbase64('U3BhcmsgU1FM')", .expected = "Spark SQL"},
    {"encode", NULL, FUNC_SCALAR, "(string, string) -> binary?", "ls_encode($1, $2)",
     .example = "encode('abc', 'utf-8')", .expected = "abc"},
    {"decode", NULL, FUNC_SCALAR, .bind = bind_decode, .render = render_decode,
     .example = "decode(encode('abc', 'utf-8'), 'utf-8')", .expected = "abc"},
    {"to_binary", NULL, FUNC_SCALAR, "(string, [string]) -> binary?",
     "ls_to_binary($1, $?2{$2}{'hex'}, false)", .bind = bind_to_binary, .example = "to_binary('abc', 'utf-8')",
     .expected = "abc"},
    {"try_to_binary", NULL, FUNC_SCALAR, "(string, [string]) -> binary?",
     "ls_to_binary($1, $?2{$2}{'hex'}, true)", .bind = bind_to_binary, .example = "try_to_binary('abc', 'utf-8')",
     .expected = "abc"},
    {"format_string", "printf", FUNC_SCALAR, .bind = bind_format, .render = render_format,
     .example = "format_string(\"Hello World %d %s\", 100, \"days\")",
     .expected = "Hello World 100 days"},
    {"format_number", NULL, FUNC_SCALAR, "(numeric, int) -> string?; (numeric, string) -> string?",
     "ls_format_number($1, CAST($2 AS VARCHAR))", .example = "format_number(12332.123456, 4)",
     .expected = "12,332.1235"},
    {"regexp_extract", NULL, FUNC_SCALAR, "(string, string, [int]) -> string",
     "ls_regex_extract($1, $2, $?3{$3}{1})", .pretty = "regexp_extract($1, $2, $?3{$3}{1})",
     .example = "regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1)", .expected = "100"},
    {"regexp_extract_all", NULL, FUNC_SCALAR, "(string, string, [int]) -> array<string>",
     "ls_regex_extract_all($1, $2, $?3{$3}{1})", .pretty = "regexp_extract_all($1, $2, $?3{$3}{1})",
     .example = "regexp_extract_all('100-200, 300-400', '(\\\\d+)-(\\\\d+)', 1)",
     .expected = "[100, 300]"},
    {"regexp_replace", NULL, FUNC_SCALAR, "(string, string, string, [int]) -> string",
     "ls_regex_replace($1, $2, $3, $?4{$4}{1})", .pretty = "regexp_replace($1, $2, $3, $?4{$4}{1})",
     .example = "regexp_replace('100-200', '(\\\\d+)', 'num')", .expected = "num-num"},
    {"regexp_count", NULL, FUNC_SCALAR, "(string, string) -> int", "ls_regex_count($1, $2)",
     .example =
         "regexp_count('Steven Jones and Stephen Smith are the best players', 'Ste(v|ph)en')",
     .expected = "2"},
    {"regexp_substr", NULL, FUNC_SCALAR, "(string, string) -> string?", "ls_regex_substr($1, $2)",
     .example =
         "regexp_substr('Steven Jones and Stephen Smith are the best players', 'Ste(v|ph)en')",
     .expected = "Steven"},
    {"regexp_instr", NULL, FUNC_SCALAR, "(string, string, [int]) -> int", "ls_regex_instr($1, $2)",
     .pretty = "regexp_instr($1, $2, $?3{$3}{0})", .example = "regexp_instr('abcabc', 'b')",
     .expected = "2"},
    TEXT("soundex", NULL, "ls_soundex($1)", .flags = FUNC_EXACT, .example = "soundex('Miller')", .expected = "M460"),
    {"levenshtein", NULL, FUNC_SCALAR, "(string, string, [int]) -> int",
     "ls_levenshtein($1, $2, $?3{$3}{2147483647})", .example = "levenshtein('kitten', 'sitting')",
     .expected = "3"},
    FIND("startswith", "$b{ls_starts_with}{starts_with}($1, $2)",
         .example = "startswith('Spark SQL', 'Spark')", .expected = "true"),
    FIND("endswith", "$b{ls_ends_with}{ends_with}($1, $2)",
         .example = "endswith('Spark SQL', 'SQL')", .expected = "true"),
    FIND("contains", "$b{ls_contains}{contains}($1, $2)",
         .example = "contains('Spark SQL', 'Spark')", .expected = "true"),
    {"overlay", NULL, FUNC_SCALAR,
     "(string, string, int, [int]) -> string; (binary, binary, int, [int]) -> binary",
     "$b{ls_overlay_binary}{ls_overlay}($1, $2, $3, $?4{$4}{-1})",
     .pretty = "overlay($1, $2, $3, $?4{$4}{-1})",
     .example = "overlay('Spark SQL' PLACING '_' FROM 6)", .expected = "Spark_SQL"},
    {"find_in_set", NULL, FUNC_SCALAR, "(string, string) -> int", "ls_find_in_set($1, $2)",
     .example = "find_in_set('ab','abc,b,ab,c,def')", .expected = "3"},
    {"elt", NULL, FUNC_SCALAR, .bind = bind_elt, .render = render_elt,
     .example = "elt(1, 'scala', 'java')", .expected = "scala"},
    {"url_encode", NULL, FUNC_SCALAR, "(string) -> string?", "ls_url_encode($1)",
     .example = "url_encode('https://spark.apache.org')",
     .expected = "https%3A%2F%2Fspark.apache.org"},
    {"url_decode", NULL, FUNC_SCALAR, "(string) -> string?", "ls_url_decode($1, false)",
     .example = "url_decode('https%3A%2F%2Fspark.apache.org')",
     .expected = "https://spark.apache.org"},
    {"try_url_decode", NULL, FUNC_SCALAR, "(string) -> string?", "ls_url_decode($1, true)",
     .example = "try_url_decode('https%3A%2F%2Fspark.apache.org')",
     .expected = "https://spark.apache.org"},
    {"parse_url", NULL, FUNC_SCALAR, "(string, string, [string]) -> string?",
     "ls_parse_url($1, $2, $?3{$3}{''}, $?3{true}{false}, false)", .flags = FUNC_EXACT,
     .example = "parse_url('http://spark.apache.org/path?query=1', 'HOST')",
     .expected = "spark.apache.org"},
    {"try_parse_url", NULL, FUNC_SCALAR, "(string, string, [string]) -> string?",
     "ls_parse_url($1, $2, $?3{$3}{''}, $?3{true}{false}, true)",
     .example = "try_parse_url('http://spark.apache.org/path?query=1', 'HOST')",
     .expected = "spark.apache.org"},
    {"mask", NULL, FUNC_SCALAR, "(string, [string], [string], [string], [string]) -> string?",
     .bind = bind_mask, .flags = FUNC_EXACT,
     .sql = "ls_mask($1, $?2{$2}{'X'}, $?3{$3}{'x'}, $?4{$4}{'n'}, $?5{$5}{CAST(NULL AS VARCHAR)})",
     .pretty = "mask($1, $?2{$2}{X}, $?3{$3}{x}, $?4{$4}{n}, $?5{$5}{NULL})",
     .example = "mask('abcd-EFGH-8765-4321')", .expected = "xxxx-XXXX-nnnn-nnnn"},
    {"to_char", "to_varchar", FUNC_SCALAR, .bind = bind_to_char, .sql = "ls_to_char($1, $2)",
     .pretty = "to_char($1, $2)", .example = "to_char(454, '999')", .expected = "454"},
    {"to_number", NULL, FUNC_SCALAR, .bind = bind_to_number, .render = render_to_number,
     .example = "to_number('454', '999')", .expected = "454"},
    {"try_to_number", NULL, FUNC_SCALAR, .bind = bind_to_number, .render = render_to_number,
     .example = "try_to_number('454', '999')", .expected = "454"},
    {"space", NULL, FUNC_SCALAR, "(int) -> string", "repeat(' ', $1)",
     .example = "concat(space(2), '1')", .expected = "  1"},
    {"luhn_check", NULL, FUNC_SCALAR, "(string) -> boolean?", "ls_luhn_check($1)",
     .example = "luhn_check('8112189876')", .expected = "true"},
    {"is_valid_utf8", NULL, FUNC_SCALAR, "(string) -> boolean?; (binary) -> boolean?",
     "$b{ls_valid_utf8($1)}{CASE WHEN $1 IS NOT NULL THEN true END}",
     .example = "is_valid_utf8('Spark')", .expected = "true"},
    {"make_valid_utf8", NULL, FUNC_SCALAR, "(string) -> string?", "$1",
     .example = "make_valid_utf8('Spark')", .expected = "Spark"},
    {"validate_utf8", NULL, FUNC_SCALAR, "(string) -> string?; (binary) -> string?",
     "$b{ls_validate_utf8($1, false)}{$1}", .example = "validate_utf8('Spark')",
     .expected = "Spark"},
    {"try_validate_utf8", NULL, FUNC_SCALAR, "(string) -> string?; (binary) -> string?",
     "$b{ls_validate_utf8($1, true)}{$1}", .example = "try_validate_utf8('Spark')",
     .expected = "Spark"},
    {"quote", NULL, FUNC_SCALAR, "(string) -> string?", "ls_quote($1)",
     .example = "quote('Don\\'t')", .expected = "'Don\\'t'"},
    {"sentences", NULL, FUNC_SCALAR, "(string, [string], [string]) -> array<array<string!>!>?",
     "CAST(ls_sentences($1) AS VARCHAR[][])", .pretty = "sentences($1, $?2{$2}{}, $?3{$3}{})",
     .example = "sentences('Hi there! Good morning.')",
     .expected = "[[Hi, there], [Good, morning]]"},
    {"uuid", NULL, FUNC_SCALAR, "() -> string!", "CAST(uuid() AS VARCHAR)",
     .flags = FUNC_NONDETERMINISTIC, .example = "length(uuid())", .expected = "36"},
    {"char_type_write_side_check", NULL, FUNC_SCALAR, "(string, int) -> string",
     "ls_char_check($1, $2, true)", .flags = FUNC_HIDDEN},
    {"varchar_type_write_side_check", NULL, FUNC_SCALAR, "(string, int) -> string",
     "ls_char_check($1, $2, false)", .flags = FUNC_HIDDEN},
    {"read_side_padding", NULL, FUNC_SCALAR, "(string, int) -> string",
     "rpad($1, greatest($2, CAST(length($1) AS INTEGER)), ' ')", .flags = FUNC_HIDDEN, .pretty = "$1"},
};
END_OF_ROWS(string);
