/* Hostile arguments of functions that read texts: regular expressions, date patterns, JSON, CSV, number formats, casts;
 * and files of json, csv and text. The first byte chooses, a NUL byte parts the two arguments. */
#include "stack.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const templates[] = {
    "regexp_replace($1, $2, '<$0>')",
    "regexp_replace('abcabc', '(a)(?<n>b)?', $1)",
    "regexp_extract_all($1, $2, 0)",
    "split($1, $2, 3)",
    "str_to_map($1, $2, ':')",
    "$1 LIKE $2",
    "to_timestamp($1, $2)",
    "date_format(timestamp'2024-02-29 12:34:56.789', $1)",
    "to_date($1, $2)",
    "from_json($1, 'a int, b array<string>, c map<string,double>, d struct<e:timestamp>, f decimal(10,2)')",
    "from_json('{\"a\":1}', $2)",
    "schema_of_json($1)",
    "from_csv($1, 'a int, b string, c date, d double')",
    "schema_of_csv($1)",
    "get_json_object($1, $2)",
    "json_tuple($1, $2)",
    "to_json(parse_json($1))",
    "variant_get(parse_json($1), $2, 'string')",
    "format_string($1, 1, 'x', 2.5D, date'2024-01-01')",
    "to_number($1, $2)",
    "to_char(123.45, $1)",
    "parse_url($1, $2)",
    "url_decode($1)",
    "unbase64($1)",
    "unhex($1)",
    "decode(encode($1, 'utf-8'), $2)",
    "conv($1, 36, 2)",
    "CAST($1 AS TIMESTAMP)",
    "CAST($1 AS DATE)",
    "CAST($1 AS DECIMAL(20,5))",
    "CAST($1 AS DOUBLE)",
    "CAST($1 AS INTERVAL DAY TO SECOND)",
    "CAST($1 AS BIGINT)",
    "CAST($1 AS INTERVAL)",
    "from_utc_timestamp(timestamp'2024-01-01 00:00:00', $1)",
    "xpath_string($1, $2)",
    "CAST($1 AS TIME)",
    "mask($1)",
    "soundex($1)",
    "levenshtein($1, $2)",
};
static const char *const files[] = {"json", "csv", "text"};

static void put_text(Buf *out, Str s)
{
    buf_addz(out, "CAST(X'");
    for (size_t i = 0; i < s.len; i++)
        buf_addf(out, "%02X", (unsigned char)s.ptr[i]);
    buf_addz(out, "' AS STRING)");
}

/* Constants are what patterns and schemas have to be; only texts that a literal can hold get that far. */
static void put_literal(Buf *out, Str s)
{
    buf_addc(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'' || s.ptr[i] == '\\')
            buf_addc(out, '\\');
        buf_addc(out, s.ptr[i]);
    }
    buf_addc(out, '\'');
}

static Str statement_of(const char *template, const Str *args, Arena *arena)
{
    Buf out = buf_in(arena);
    buf_addz(&out, "SELECT ");
    for (const char *p = template; *p; p++) {
        if (*p != '$' || (p[1] != '1' && p[1] != '2'))
            buf_addc(&out, *p);
        else if (str_is_utf8(args[*++p - '1']) && !memchr(args[*p - '1'].ptr, 0, args[*p - '1'].len))
            put_literal(&out, args[*p - '1']);
        else
            put_text(&out, args[*p - '1']);
    }
    return buf_str(&out);
}

static Str file_statement(const char *format, Str bytes, Arena *arena)
{
    Str path = str_printf(arena, "%s/input.%s", stack.folder, format);
    FILE *f = fopen(path.ptr, "wb");
    if (!f || fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fclose(f) != 0)
        abort();
    return str_printf(arena, "SELECT * FROM %s.`" STR_FMT "`", format, STR_ARG(path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size || size > 4096)
        return 0;
    stack_open();
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Str bytes = {(const char *)data + 1, size - 1}, args[2] = {bytes, S("")}, sql;
    const char *nul = bytes.len ? memchr(bytes.ptr, 0, bytes.len) : NULL;
    if (nul) {
        args[0] = str_slice(bytes, 0, (size_t)(nul - bytes.ptr));
        args[1] = str_slice(bytes, (size_t)(nul - bytes.ptr) + 1, bytes.len);
    }
    size_t which = data[0] % (LENGTH_OF(templates) + LENGTH_OF(files));
    sql = which < LENGTH_OF(templates) ? statement_of(templates[which], args, arena)
                                       : file_statement(files[which - LENGTH_OF(templates)], bytes, arena);
    if (!stack_run(sql, arena, &err))
        stack_accept(&err, arena);
    return 0;
}
