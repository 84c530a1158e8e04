/* The checksum of _last_checkpoint: MD5 over canonical JSON (PROTOCOL.md "JSON checksum"). */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "delta/log_impl.h"

typedef VEC(Str) PairVec;

static void put_url_encoded(Buf *b, Str s)
{
    buf_addc(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        if (plain)
            buf_addc(b, (char)c);
        else
            buf_addf(b, "%%%02X", c);
    }
    buf_addc(b, '"');
}

/* One "path=value" a leaf; the depth was bounded by json_parse. */
static void collect(yyjson_val *v, Str path, PairVec *out, Arena *arena)
{
    size_t i, n;
    yyjson_val *key, *item;
    const char *plus = path.len ? "+" : "";
    if (yyjson_is_obj(v)) {
        yyjson_obj_foreach (v, i, n, key, item) {
            if (!path.len && str_is(json_str(key), "checksum"))
                continue;
            Buf b = buf_in(arena);
            buf_add(&b, path);
            buf_addz(&b, plus);
            put_url_encoded(&b, json_str(key));
            collect(item, buf_str(&b), out, arena);
        }
        return;
    }
    if (yyjson_is_arr(v)) {
        yyjson_arr_foreach (v, i, n, item)
            collect(item, str_printf(arena, STR_FMT "%s%zu", STR_ARG(path), plus, i), out, arena);
        return;
    }
    Buf b = buf_in(arena);
    buf_add(&b, path);
    buf_addc(&b, '=');
    if (yyjson_is_str(v))
        put_url_encoded(&b, json_str(v));
    else
        buf_add(&b, json_text(v, arena));
    vec_push(arena, out, buf_str(&b));
}

static Str path_of(Str pair)
{
    return str_slice(pair, 0, (size_t)str_find_char(pair, '='));
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(path_of(*(const Str *)a), path_of(*(const Str *)b));
}

Str log_json_checksum(Str json, Arena *arena)
{
    PairVec pairs = {0};
    yyjson_val *root;
    Error ignored = error_in(arena);
    if (!json_parse(json, S("_last_checkpoint"), arena, &root, &ignored))
        return S("");
    collect(root, S(""), &pairs, arena);
    if (pairs.len)
        qsort(pairs.at, pairs.len, sizeof *pairs.at, by_path);
    Buf text = buf_in(arena), hex = buf_in(arena);
    for (size_t i = 0; i < pairs.len; i++) {
        buf_addz(&text, i ? "," : "");
        buf_add(&text, pairs.at[i]);
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_Digest(buf_str(&text).ptr, text.len, digest, &len, EVP_md5(), NULL))
        return S("");
    for (unsigned i = 0; i < len; i++)
        buf_addf(&hex, "%02x", digest[i]);
    return buf_str(&hex);
}
