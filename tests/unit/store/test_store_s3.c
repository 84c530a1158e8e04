/* S3 without a server: signatures by Amazon's published example, its XML, names of local copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/copies.h"
#include "store/s3_sign.h"
#include "store/s3_xml.h"
#include "store/store_impl.h"

static void assert_text(Str got, const char *expected)
{
    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.ptr, expected, got.len);
}

/* Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header", example "Get Bucket (List Objects)". */
static void test_signature(void **state)
{
    (void)state;
    AUTO_ARENA arena = arena_new();
    S3Config c = {.key_id = S("AKIAIOSFODNN7EXAMPLE"), .secret = S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), .region = S("us-east-1")};
    SignedRequest r = {"GET", S("/"), S("max-keys=2&prefix=J"), S("examplebucket.s3.amazonaws.com"), sha256_hex(S(""), arena),
                       S("20130524T000000Z"), S("")};
    assert_text(r.body_hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_text(s3_authorization(&c, &r, arena),
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    assert_text(s3_uri_encode(S("a b/c+d=\xc3\xa9~"), true, arena), "a%20b/c%2Bd%3D%C3%A9~");
    assert_text(s3_uri_encode(S("a/b"), false, arena), "a%2Fb");
}

static void test_listing(void **state)
{
    (void)state;
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    S3Page page;
    Str body = S("<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
                 "<IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>"
                 "<Contents><Key>a%20b/c%2Bd+e</Key><LastModified>2026-11-23T06:00:55.123Z</LastModified><ETag>\"x\"</ETag><Size>7</Size></Contents>"
                 "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></ListBucketResult>");
    assert_true(s3_read_page(body, arena, &page, &err));
    assert_int_equal(page.entries.len, 1);
    assert_text(page.entries.at[0].path, "a b/c+d e");
    assert_int_equal(page.entries.at[0].size, 7);
    assert_true(page.entries.at[0].modified_ms == INT64_C(1795413655123));
    assert_text(page.etags.at[0], "\"x\"");
    assert_text(page.next, "more");
    static const char *const broken[] = {"", "not xml", "<Error/>", "<ListBucketResult><Contents/></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ListBucketResult><Contents><Key>&b;</Key></Contents></ListBucketResult>"};
    for (size_t i = 0; i < LENGTH_OF(broken); i++) {
        error_clear(&err);
        assert_false(s3_read_page(str_from(broken[i]), arena, &page, &err));
    }
    S3Answer a = {0};
    s3_read_error(S("<Error><Code>NoSuchKey</Code><Message>m</Message><Region>eu-north-1</Region></Error>"), arena, &a);
    assert_text(a.code, "NoSuchKey");
    assert_text(a.region, "eu-north-1");
    assert_text(s3_read_element(S("<R><A><UploadId>u1</UploadId></A></R>"), "UploadId", arena), "u1");
}

static void test_names(void **state)
{
    (void)state;
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    const char *base = getenv("TMPDIR");
    char *folder = str_z(str_printf(arena, "%s/lakeshed-copies-XXXXXX", base ? base : "/tmp"), arena);
    assert_non_null(mkdtemp(folder));
    store_keep_copies(str_from(folder), 1 << 20);
    StoreSetting mine[] = {{S_INIT("spark.hadoop.fs.s3a.access.key"), S_INIT("k")}, {S_INIT("fs.s3a.secret.key"), S_INIT("one")},
                           {S_INIT("fs.s3a.endpoint"), S_INIT("http://127.0.0.1:1")}};
    Store *a, *b, *again;
    store_use_settings(mine, 3);
    assert_true(store_open(S("s3a://lake/x//y/"), arena, &a, &err));
    assert_text(store_root(a), "s3://lake/x/y");
    Str place = store_duckdb_path(a, S("p q.parquet"), arena), uri;
    assert_true(store_remote_uri(place, arena, &uri));
    assert_text(uri, "s3a://lake/x/y/p q.parquet");
    assert_false(store_remote_uri(S("/etc/passwd"), arena, &uri));
    /* A path among the copies is the object again, not a local file. */
    assert_true(store_open(store_duckdb_path(a, S(""), arena), arena, &again, &err));
    assert_text(store_root(again), "s3://lake/x/y");
    /* Other credentials: another key, another folder. */
    mine[1].value = S("two");
    store_use_settings(mine, 3);
    assert_true(store_open(S("s3://lake/x/y"), arena, &b, &err));
    assert_false(str_eq(store_identity(a, arena), store_identity(b, arena)));
    assert_false(str_eq(store_duckdb_path(a, S("f"), arena), store_duckdb_path(b, S("f"), arena)));
    /* The process's credentials are not for an endpoint that a session names. */
    store_use_settings(mine + 2, 1);
    setenv("AWS_ACCESS_KEY_ID", "server", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
    assert_false(store_open(S("s3://lake/x"), arena, &b, &err));
    assert_int_equal(str_find(error_message(&err, arena), S("hidden")), -1);
    static const char *const bad[] = {"s3://", "s3://A/x", "s3://a_b/x", "s3://ab", "s3:///x"};
    store_use_settings(mine, 3);
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        error_clear(&err);
        assert_false(store_open(str_from(bad[i]), arena, &b, &err));
    }
    store_use_settings(NULL, 0);
    error_clear(&err);
    assert_false(store_read(a, S("../z"), 10, arena, &(bool){false}, &uri, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
