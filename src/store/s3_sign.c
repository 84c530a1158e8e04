/* AWS Signature Version 4 with OpenSSL's SHA-256. */
#include "store/s3_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/buf.h"

typedef struct Digest {
    unsigned char bytes[SHA256_DIGEST_LENGTH];
} Digest;

static Str hex(const Digest *d, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < sizeof d->bytes; i++)
        buf_addf(&b, "%02x", d->bytes[i]);
    return buf_str(&b);
}

Str sha256_hex(Str bytes, Arena *arena)
{
    Digest d;
    SHA256((const unsigned char *)(bytes.len ? bytes.ptr : ""), bytes.len, d.bytes);
    return hex(&d, arena);
}

Str md5_base64(Str bytes, Arena *arena)
{
    unsigned char digest[EVP_MAX_MD_SIZE], *text = arena_alloc(arena, EVP_MAX_MD_SIZE * 2);
    unsigned len = 0;
    if (!EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, digest, &len, EVP_md5(), NULL))
        return S(""); /* a machine that forbids MD5: the service says what it misses */
    return (Str){(char *)text, (size_t)EVP_EncodeBlock(text, digest, (int)len)};
}

static Digest hmac(const void *key, size_t key_len, Str text)
{
    Digest d;
    HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.ptr, text.len, d.bytes, NULL);
    return d;
}

Str s3_uri_encode(Str text, bool keep_slash, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                     c == '~' || (c == '/' && keep_slash);
        if (plain)
            buf_addc(&b, (char)c);
        else
            buf_addf(&b, "%%%02X", c);
    }
    return b.len ? buf_str(&b) : S("");
}

Str s3_authorization(const S3Config *config, const SignedRequest *r, Arena *arena)
{
    const char *names = r->token.len ? "host;x-amz-content-sha256;x-amz-date;x-amz-security-token" : "host;x-amz-content-sha256;x-amz-date";
    Buf b = buf_in(arena);
    buf_addf(&b, "%s\n" STR_FMT "\n" STR_FMT "\nhost:" STR_FMT "\nx-amz-content-sha256:" STR_FMT "\nx-amz-date:" STR_FMT "\n", r->method,
             STR_ARG(r->path), STR_ARG(r->query), STR_ARG(r->host), STR_ARG(r->body_hash), STR_ARG(r->stamp));
    if (r->token.len)
        buf_addf(&b, "x-amz-security-token:" STR_FMT "\n", STR_ARG(r->token));
    buf_addf(&b, "\n%s\n" STR_FMT, names, STR_ARG(r->body_hash));
    Str day = str_slice(r->stamp, 0, 8);
    Str scope = str_printf(arena, STR_FMT "/" STR_FMT "/s3/aws4_request", STR_ARG(day), STR_ARG(config->region));
    Str to_sign = str_printf(arena, "AWS4-HMAC-SHA256\n" STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(r->stamp), STR_ARG(scope),
                             STR_ARG(sha256_hex(buf_str(&b), arena)));
    Str secret = str_concat(arena, S("AWS4"), config->secret);
    Digest d = hmac(secret.ptr, secret.len, day);
    d = hmac(d.bytes, sizeof d.bytes, config->region);
    d = hmac(d.bytes, sizeof d.bytes, S("s3"));
    d = hmac(d.bytes, sizeof d.bytes, S("aws4_request"));
    d = hmac(d.bytes, sizeof d.bytes, to_sign);
    return str_printf(arena, "AWS4-HMAC-SHA256 Credential=" STR_FMT "/" STR_FMT ", SignedHeaders=%s, Signature=" STR_FMT, STR_ARG(config->key_id),
                      STR_ARG(scope), names, STR_ARG(hex(&d, arena)));
}
