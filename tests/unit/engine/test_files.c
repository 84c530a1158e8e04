/* JSON, CSV and text files as Spark 4.2 read them: files and answers recorded from it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/folder.h"
#include "plans.h"

static char folder[64];

static int open_with_folder(void **state)
{
    snprintf(folder, sizeof(folder), "engine-files-XXXXXX");
    return mkdtemp(folder) ? bench_open(state) : -1;
}

static int close_with_folder(void **state)
{
    folder_sweep(str_from(folder));
    return bench_close(state);
}

static Str put_file(Bench *b, const char *name, const char *text)
{
    Str path = str_printf(b->arena, "%s/%s", folder, name);
    ptrdiff_t slash = str_rfind_char(path, '/');
    assert_true(folder_make(str_slice(path, 0, (size_t)slash), b->arena, NULL, &b->err));
    FILE *f = fopen(path.ptr, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

typedef struct Option {
    const char *key, *value;
} Option;

static bool scan_of(Bench *b, const char *format, Str path, const char *schema,
                    const Option *options, BoundRel **out)
{
    FileScan *scan = ARENA_NEW(b->arena, FileScan);
    scan->format = str_from(format);
    if (schema && !type_from_ddl(str_from(schema), b->arena, &scan->schema, &b->err))
        fail_with(b);
    vec_push(b->arena, &scan->paths, path);
    for (; options && options->key; options++) {
        KeyValue kv = {str_from(options->key), str_from(options->value), NULL};
        vec_push(b->arena, &scan->options, kv);
    }
    if (!engine_infer_schema(b->engine, scan, &b->run, b->arena, &b->err))
        return false;
    BoundRel *rel = brel_new(BREL_SCAN_FILES, NULL, b->arena);
    rel->files = scan;
    for (size_t i = 0; i < scan->schema->structure.count; i++) {
        BoundColumn c = column_new(b, "", scan->schema->structure.fields[i].type);
        c.name = scan->schema->structure.fields[i].name;
        vec_push(b->arena, &rel->columns, c);
    }
    *out = rel;
    return true;
}

static void put_cell(Bench *b, const Value *v, Buf *out)
{
    if (v->is_null)
        buf_addz(out, "NULL");
    else
        buf_add(out, value_to_text(v, b->func.zone, b->arena));
}

/* "struct<..> a|b; c|d": the schema and the rows. */
static void expect_scan(Bench *b, const char *format, Str path, const char *schema,
                        const Option *options, const char *want)
{
    BoundRel *rel;
    if (!scan_of(b, format, path, schema, options, &rel))
        fail_with(b);
    Buf out = buf_in(b->arena);
    buf_add(&out, type_simple_string(rel->files->schema, b->arena));
    RowVec rows = rows_of(b, rel);
    for (size_t i = 0; i < rows.len; i++) {
        for (size_t k = 0; k < rel->columns.len; k++) {
            buf_addz(&out, k ? "|" : i ? "; " : " ");
            put_cell(b, &rows.at[i].cells[k], &out);
        }
    }
    assert_string_equal(str_z(buf_str(&out), b->arena), want);
}

static const Option header[] = {{"header", "true"}, {NULL, NULL}};
static const Option header_infer[] = {{"header", "true"}, {"inferSchema", "true"}, {NULL, NULL}};

static void csv_as_spark_reads_it(void **state)
{
    Bench *b = *state;
    Str a = put_file(b, "a.csv",
                     "a,b,c\n1,\"\",x\n2,,\"y \"\"q\"\" z\"\n3, sp "
                     ",\"a\\\"b\"\n4,5\n5,6,7,8\n\n\"x,y\",nan,\"\"\"");
    expect_scan(b, "csv", a, NULL, header,
                "struct<a:string,b:string,c:string> 1|NULL|x; 2|NULL|\"y \"\"q\"\" z\"; 3| sp "
                "|a\"b; 4|5|NULL; 5|6|7; x,y|nan|\"");
    expect_scan(b, "csv", a, "a int,b double,c string,_corrupt_record string", header,
                "struct<a:int,b:double,c:string,_corrupt_record:string> 1|NULL|x|NULL; 2|NULL|\"y "
                "\"\"q\"\" z\"|NULL; "
                "3|NULL|a\"b|3, sp ,\"a\\\"b\"; 4|5.0|NULL|4,5; 5|6.0|7|5,6,7,8; "
                "NULL|NULL|\"|\"x,y\",nan,\"\"\"");
    static const Option drop[] = {{"header", "true"}, {"mode", "DROPMALFORMED"}, {NULL, NULL}};
    expect_scan(b, "csv", a, "a int,b string,c string", drop,
                "struct<a:int,b:string,c:string> 1|NULL|x; 2|NULL|\"y \"\"q\"\" z\"; 3| sp |a\"b");
    Str names = put_file(b, "c.csv", "a,a,,b\n1,2,3,4\n");
    expect_scan(b, "csv", names, NULL, header,
                "struct<a0:string,a1:string,_c2:string,b:string> 1|2|3|4");
    Str quotes = put_file(b, "h.csv", "x,y\n\"a\"b,c\n\"abc,1\n\"q\\\\\",2\nb\"c\",3\n");
    expect_scan(b, "csv", quotes, NULL, header,
                "struct<x:string,y:string> \"a\"b|c; abc,1|NULL; q\\|2; b\"c\"|3");
    Str lines = put_file(b, "e.csv", "a,b\n\"line1\nline2\",2\n");
    static const Option multi[] = {{"header", "true"}, {"multiLine", "true"}, {NULL, NULL}};
    expect_scan(b, "csv", lines, NULL, header, "struct<a:string,b:string> line1|NULL; line2\"|2");
    expect_scan(b, "csv", lines, NULL, multi, "struct<a:string,b:string> line1\nline2|2");
    Str comment = put_file(b, "g.csv", "#c\na\n1\n");
    static const Option hash[] = {{"header", "true"}, {"comment", "#"}, {NULL, NULL}};
    expect_scan(b, "csv", comment, NULL, hash, "struct<a:string> 1");
}

static void csv_types_are_inferred(void **state)
{
    Bench *b = *state;
    Str f = put_file(b, "b.csv",
                     "i,l,d,dt,ts,bo,s,n,dec\n1,3000000000,1.5,2020-01-01,2020-01-01 "
                     "10:00:00,true,abc,,12345678901234567890\n"
                     "2,4,1e3,2021-02-03,2020-01-01T10:00:00Z,FALSE,1,,1\n");
    expect_scan(
        b, "csv", f, NULL, header_infer,
        "struct<i:int,l:bigint,d:double,dt:date,ts:timestamp,bo:boolean,s:string,n:string,dec:"
        "decimal(20,0)> "
        "1|3000000000|1.5|2020-01-01|2020-01-01 10:00:00|true|abc|NULL|12345678901234567890; "
        "2|4|1000.0|2021-02-03|2020-01-01 10:00:00|false|1|NULL|1");
}

static void json_as_spark_reads_it(void **state)
{
    Bench *b = *state;
    Str a = put_file(b, "a.json",
                     "{\"b\":1,\"a\":\"x\"}\n{\"b\":\"s\",\"a\":2}\n\nbad json\n[{\"a\":\"in "
                     "array\"}]\n\"str\"\n"
                     "{\"a\":1} trailing\n{'a':'sq'}\n{\"a\":\"dup\",\"a\":\"dup2\"}\n");
    expect_scan(b, "json", a, "a string, b int, _corrupt_record string", NULL,
                "struct<a:string,b:int,_corrupt_record:string> x|1|NULL; "
                "2|NULL|{\"b\":\"s\",\"a\":2}; NULL|NULL|bad json; "
                "in array|NULL|NULL; NULL|NULL|\"str\"; 1|NULL|NULL; sq|NULL|NULL; dup2|NULL|NULL");
    static const Option drop[] = {{"mode", "DROPMALFORMED"}, {NULL, NULL}};
    expect_scan(b, "json", a, "a string, b int", drop,
                "struct<a:string,b:int> x|1; in array|NULL; 1|NULL; sq|NULL; dup2|NULL");
    Str rows = put_file(b, "b.json", "[{\"a\":1},\n {\"a\":2}]");
    static const Option multi[] = {{"multiLine", "true"}, {NULL, NULL}};
    expect_scan(b, "json", rows, NULL, multi, "struct<a:bigint> 1; 2");
    expect_scan(b, "json", rows, NULL, NULL,
                "struct<_corrupt_record:string,a:bigint> [{\"a\":1},|NULL; NULL|2");
}

static const char typed_json[] =
    "{\"a\":1.0,\"b\":\"5\",\"c\":5,\"d\":true,\"e\":\"1.5\",\"f\":1e400,\"g\":\"NaN\",\"h\":5,"
    "\"i\":\"2020-01-01\","
    "\"j\":\"2020-01-01 "
    "05:06:07.123\",\"k\":1577836800,\"m\":{\"x\":1,\"y\":2},\"l\":[1,\"x\",null],"
    "\"st\":{\"p\":\"bad\",\"q\":1},\"bin\":\"AQI=\",\"dec\":1.005}\n";

static void json_types(void **state)
{
    Bench *b = *state;
    Str f = put_file(b, "c.json", typed_json);
    expect_scan(b, "json", f, NULL, NULL,
                "struct<a:double,b:string,bin:string,c:bigint,d:boolean,dec:double,e:string,f:"
                "double,g:string,h:bigint,i:string,"
                "j:string,k:bigint,l:array<string>,m:struct<x:bigint,y:bigint>,st:struct<p:string,"
                "q:bigint>> "
                "1.0|5|AQI=|5|true|1.005|1.5|Infinity|NaN|5|2020-01-01|2020-01-01 "
                "05:06:07.123|1577836800|[1, x, null]|{1, 2}|"
                "{bad, 1}");
    expect_scan(b, "json", f,
                "a int,b int,c string,d string,e double,f double,g double,h double,i date,j "
                "timestamp,k timestamp,m map<string,int>,"
                "l array<int>,st struct<p:int,q:int>,dec decimal(5,2)",
                NULL,
                "struct<a:int,b:int,c:string,d:string,e:double,f:double,g:double,h:double,i:date,j:"
                "timestamp,k:timestamp,"
                "m:map<string,int>,l:array<int>,st:struct<p:int,q:int>,dec:decimal(5,2)> "
                "NULL|NULL|5|true|NULL|Infinity|NaN|5.0|2020-01-01|2020-01-01 "
                "05:06:07.123|2020-01-01 00:00:00|{x -> 1, y -> 2}|"
                "NULL|{null, 1}|1.01");
}

static void text_lines(void **state)
{
    Bench *b = *state;
    Str f = put_file(b, "t.txt", "l1\r\nl2\n\nl4");
    static const Option whole[] = {{"wholetext", "true"}, {NULL, NULL}};
    expect_scan(b, "text", f, NULL, NULL, "struct<value:string> l1; l2; ; l4");
    expect_scan(b, "text", f, NULL, whole, "struct<value:string> l1\r\nl2\n\nl4");
}

static void folders_are_columns(void **state)
{
    Bench *b = *state;
    put_file(b, "pt/p=1/q=a%20b/x.json", "{\"v\":1}");
    put_file(b, "pt/p=2/q=__HIVE_DEFAULT_PARTITION__/_hid.json", "{\"v\":9}");
    put_file(b, "pt/p=2/q=__HIVE_DEFAULT_PARTITION__/y.json", "{\"v\":2}");
    Str root = str_printf(b->arena, "%s/pt", folder);
    expect_scan(b, "json", root, NULL, NULL, "struct<v:bigint,p:int,q:string> 1|1|a b; 2|2|NULL");
    expect_scan(b, "json", root, "v long, p string", NULL,
                "struct<v:bigint,p:string,q:string> 1|1|a b; 2|2|NULL");
    Str one = str_printf(b->arena, "%s/pt/p=1", folder);
    expect_scan(b, "json", one, NULL, NULL, "struct<v:bigint,q:string> 1|a b");
}

static void refusals(void **state)
{
    Bench *b = *state;
    BoundRel *rel;
    assert_false(
        scan_of(b, "json", str_printf(b->arena, "%s/nothing.json", folder), NULL, NULL, &rel));
    assert_int_equal(b->err.cls, ERR_PATH_NOT_FOUND);
    error_clear(&b->err);
    assert_false(scan_of(b, "binaryfile", S("x"), NULL, NULL, &rel));
    assert_int_equal(b->err.cls, ERR_LAKESHED_UNSUPPORTED);
    error_clear(&b->err);
    Str broken = put_file(b, "broken.parquet", "this is no parquet file");
    assert_false(scan_of(b, "parquet", broken, NULL, NULL, &rel));
    assert_int_equal(b->err.cls, ERR_FAILED_READ_FILE__CANNOT_READ_FILE_FOOTER);
    error_clear(&b->err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_as_spark_reads_it),
        cmocka_unit_test(csv_types_are_inferred),
        cmocka_unit_test(json_as_spark_reads_it),
        cmocka_unit_test(json_types),
        cmocka_unit_test(text_lines),
        cmocka_unit_test(folders_are_columns),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, open_with_folder, close_with_folder);
}
