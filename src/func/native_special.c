/* AES, random texts, bitmaps, histograms and time windows. */
#include "func/native_impl.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "func/random.h"
#include "type/datetime.h"

/* ---- AES: IV first, then the text, then GCM's tag, as Spark's ExpressionImplUtils ---- */

enum { GCM_IV = 12, GCM_TAG = 16, CBC_IV = 16, BITMAP_BYTES = 4096 };

typedef enum AesMode { AES_ECB, AES_CBC, AES_GCM } AesMode;

static bool aes_mode(Native *n, idx_t row, const char *function, AesMode *mode) {
    Str m = native_str(n, 2, row), padding = native_str(n, 3, row);
    bool pkcs = str_is_ci(padding, "PKCS") || str_is_ci(padding, "DEFAULT"),
         none = str_is_ci(padding, "NONE") || str_is_ci(padding, "DEFAULT");
    if (str_is_ci(m, "ECB") && pkcs)
        *mode = AES_ECB;
    else if (str_is_ci(m, "CBC") && pkcs)
        *mode = AES_CBC;
    else if (str_is_ci(m, "GCM") && none)
        *mode = AES_GCM;
    else
        return NATIVE_FAIL(n, ERR_UNSUPPORTED_FEATURE__AES_MODE, P("mode", m),
                           P("padding", padding), PZ("functionName", function));
    return true;
}

static const EVP_CIPHER *aes_cipher(AesMode mode, size_t key_length) {
    bool small = key_length == 16, middle = key_length == 24;
    switch (mode) {
    case AES_ECB:
        return small ? EVP_aes_128_ecb() : middle ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
    case AES_CBC:
        return small ? EVP_aes_128_cbc() : middle ? EVP_aes_192_cbc() : EVP_aes_256_cbc();
    case AES_GCM:
        return small ? EVP_aes_128_gcm() : middle ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
    }
    return NULL;
}

static bool check_key(Native *n, Str key, const char *function) {
    if (key.len == 16 || key.len == 24 || key.len == 32)
        return true;
    return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__AES_KEY_LENGTH, PZ("functionName", function),
                       PZ("parameter", "`key`"),
                       P("actualLength", str_printf(n->arena, "%zu", key.len)));
}

static void free_context(EVP_CIPHER_CTX **c) { EVP_CIPHER_CTX_free(*c); }

static bool encrypt(AesMode mode, Str text, Str key, Str iv, Str aad, Buf *out, Arena *arena) {
    __attribute__((cleanup(free_context))) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    unsigned char *cipher = arena_alloc(arena, text.len + 32), tag[GCM_TAG];
    int length = 0, rest = 0;
    bool ok =
        c && EVP_EncryptInit_ex(c, aes_cipher(mode, key.len), NULL, (const unsigned char *)key.ptr,
                                iv.len ? (const unsigned char *)iv.ptr : NULL);
    if (ok && mode == AES_GCM && aad.len)
        ok = EVP_EncryptUpdate(c, NULL, &length, (const unsigned char *)aad.ptr, (int)aad.len);
    ok = ok &&
         EVP_EncryptUpdate(c, cipher, &length, (const unsigned char *)(text.len ? text.ptr : ""),
                           (int)text.len) &&
         EVP_EncryptFinal_ex(c, cipher + length, &rest);
    if (ok && mode == AES_GCM)
        ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, GCM_TAG, tag);
    if (!ok)
        return false;
    buf_add(out, iv);
    buf_add_bytes(out, cipher, (size_t)(length + rest));
    if (mode == AES_GCM)
        buf_add_bytes(out, tag, GCM_TAG);
    return true;
}

static bool decrypt(AesMode mode, Str text, Str key, Str aad, Buf *out, Arena *arena) {
    size_t iv = mode == AES_GCM   ? GCM_IV
                : mode == AES_CBC ? CBC_IV
                                  : 0,
           tag = mode == AES_GCM ? GCM_TAG : 0;
    if (text.len < iv + tag)
        return false;
    Str body = str_slice(text, iv, text.len - tag);
    __attribute__((cleanup(free_context))) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    unsigned char *plain = arena_alloc(arena, body.len + 32);
    int length = 0, rest = 0;
    bool ok =
        c && EVP_DecryptInit_ex(c, aes_cipher(mode, key.len), NULL, (const unsigned char *)key.ptr,
                                iv ? (const unsigned char *)text.ptr : NULL);
    if (ok && mode == AES_GCM && aad.len)
        ok = EVP_DecryptUpdate(c, NULL, &length, (const unsigned char *)aad.ptr, (int)aad.len);
    ok = ok && EVP_DecryptUpdate(c, plain, &length,
                                 (const unsigned char *)(body.len ? body.ptr : ""), (int)body.len);
    if (ok && mode == AES_GCM)
        ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, GCM_TAG,
                                 (void *)(text.ptr + text.len - GCM_TAG));
    ok = ok && EVP_DecryptFinal_ex(c, plain + length, &rest) > 0;
    if (ok)
        buf_add_bytes(out, plain, (size_t)(length + rest));
    return ok;
}

/* (text, key, mode, padding, iv, aad) */
static bool row_encrypt(Native *n, idx_t row) {
    Str key = native_str(n, 1, row), iv = native_str(n, 4, row);
    AesMode mode;
    TRY(check_key(n, key, "`aes_encrypt`"));
    TRY(aes_mode(n, row, "`aes_encrypt`", &mode));
    size_t wanted = mode == AES_GCM ? GCM_IV : mode == AES_CBC ? CBC_IV : 0;
    unsigned char fresh[CBC_IV];
    if (!iv.len && wanted) {
        if (RAND_bytes(fresh, (int)wanted) != 1)
            return NATIVE_FAIL(n, ERR_INTERNAL_ERROR,
                               P("message", S("no random bytes for an initialization vector")));
        iv = (Str){(const char *)fresh, wanted};
    }
    if (iv.len != wanted)
        return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__AES_IV_LENGTH,
                           P("mode", native_str(n, 2, row)), PZ("functionName", "`aes_encrypt`"),
                           PZ("parameter", "`iv`"),
                           P("actualLength", str_printf(n->arena, "%zu", iv.len)));
    if (!encrypt(mode, native_str(n, 0, row), key, iv, native_str(n, 5, row), &n->scratch,
                 n->arena))
        return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__AES_CRYPTO_ERROR,
                           PZ("functionName", "`aes_encrypt`"), PZ("parameter", "`expr`, `key`"),
                           PZ("detailMessage", ""));
    return native_set_scratch(n, row);
}

/* (text, key, mode, padding, aad, try) */
static bool row_decrypt(Native *n, idx_t row) {
    Str key = native_str(n, 1, row);
    AesMode mode;
    bool trying = native_bool(n, 5, row);
    if (trying && key.len != 16 && key.len != 24 && key.len != 32)
        return native_set_null(n, row);
    TRY(check_key(n, key, "`aes_decrypt`"));
    TRY(aes_mode(n, row, "`aes_decrypt`", &mode));
    if (decrypt(mode, native_str(n, 0, row), key, native_str(n, 4, row), &n->scratch, n->arena))
        return native_set_scratch(n, row);
    return trying
               ? native_set_null(n, row)
               : NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__AES_CRYPTO_ERROR,
                             PZ("functionName", "`aes_decrypt`"), PZ("parameter", "`expr`, `key`"),
                             PZ("detailMessage", "Tag mismatch"));
}

/* ---- random texts ---- */

static bool row_randstr(Native *n, idx_t row) {
    int32_t length = native_i32(n, 0, row);
    if (length < 0 || length > 1 << 20)
        return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__LENGTH, PZ("functionName", "`randstr`"),
                           PZ("parameter", "`length`"),
                           P("length", str_printf(n->arena, "%d", length)));
    RandomState *s = native_state(n);
    if (!s->ready)
        random_start(s, native_i64(n, 1, row));
    for (int32_t i = 0; i < length; i++) {
        int32_t v = abs(random_int(s) % 62);
        buf_addc(&n->scratch, (char)(v < 10 ? '0' + v : v < 36 ? 'a' + v - 10 : 'A' + v - 36));
    }
    return native_set_scratch(n, row);
}

/* ---- bitmaps of 32768 bits ---- */

static bool row_bitmap_build(Native *n, idx_t row) {
    uint8_t bits[BITMAP_BYTES] = {0};
    if (!native_arg_null(n, 0, row)) {
        duckdb_list_entry e = native_list(n, 0, row);
        const NativeVec *v = &n->args[0].children[0];
        for (idx_t i = e.offset; i < e.offset + e.length; i++) {
            if (native_is_null(v, i))
                continue;
            int64_t at = ((const int64_t *)v->data)[i];
            if (at < 0 || at >= 8 * BITMAP_BYTES)
                return NATIVE_FAIL(
                    n, ERR_INVALID_BITMAP_POSITION,
                    P("bitPosition", str_printf(n->arena, "%lld", (long long)at)),
                    P("bitmapNumBytes", str_printf(n->arena, "%d", BITMAP_BYTES)),
                    P("bitmapNumBits", str_printf(n->arena, "%d", 8 * BITMAP_BYTES)));
            bits[at / 8] |= (uint8_t)(1u << at % 8);
        }
    }
    return native_set_str(n, row, (Str){(const char *)bits, sizeof(bits)});
}

/* (bitmaps, and) */
static bool row_bitmap_merge(Native *n, idx_t row) {
    uint8_t bits[BITMAP_BYTES] = {0};
    bool both = !native_arg_null(n, 1, row) && native_bool(n, 1, row);
    if (both)
        memset(bits, 0xFF, sizeof(bits));
    if (!native_arg_null(n, 0, row)) {
        duckdb_list_entry e = native_list(n, 0, row);
        const NativeVec *v = &n->args[0].children[0];
        for (idx_t i = e.offset; i < e.offset + e.length; i++) {
            if (native_is_null(v, i))
                continue;
            Str s = native_str_at(v, i);
            for (size_t k = 0; k < sizeof(bits); k++) {
                uint8_t b = k < s.len ? (uint8_t)s.ptr[k] : 0;
                bits[k] = both ? bits[k] & b : bits[k] | b;
            }
        }
    }
    return native_set_str(n, row, (Str){(const char *)bits, sizeof(bits)});
}

/* ---- histogram_numeric: Ben-Haim and Tom-Tov's streaming histogram ---- */

typedef struct Bin {
    double x, y;
} Bin;

static size_t bin_place(const Bin *bins, size_t count, double x) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bins[middle].x < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of several pairs that are equally close, Hive's and Spark's NumericHistogram lets a generator with a fixed seed choose. */
static size_t merge_closest(Bin *bins, size_t count, JavaRandom *random) {
    double least = bins[1].x - bins[0].x;
    size_t best = 0;
    int equal = 1;
    for (size_t i = 1; i + 1 < count; i++) {
        double apart = bins[i + 1].x - bins[i].x;
        if (apart < least) {
            least = apart;
            best = i;
            equal = 1;
        } else if (apart == least && java_random_double(random) <= 1.0 / ++equal) {
            best = i;
        }
    }
    double y = bins[best].y + bins[best + 1].y, x = bins[best].x * (bins[best].y / y);
    bins[best].x = x + bins[best + 1].x / y * bins[best + 1].y;
    bins[best].y = y;
    memmove(&bins[best + 1], &bins[best + 2], (count - best - 2) * sizeof(*bins));
    return count - 1;
}

static bool row_histogram(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    int32_t wanted = native_i32(n, 1, row);
    if (wanted < 2 || wanted > 100000)
        return NATIVE_FAIL(n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "histogram_numeric"),
                           PZ("reason", "the number of bins is between 2 and 100000"));
    Bin *bins = ARENA_ARRAY(n->arena, Bin, (size_t)wanted + 2);
    size_t count = 0;
    JavaRandom random = java_random(31183);
    for (idx_t i = e.offset; i < e.offset + e.length; i++) {
        if (native_is_null(v, i))
            continue;
        double x = ((const double *)v->data)[i];
        size_t at = bin_place(bins, count, x);
        if (at < count && bins[at].x == x) {
            bins[at].y++;
            continue;
        }
        memmove(&bins[at + 1], &bins[at], (count - at) * sizeof(*bins));
        bins[at] = (Bin){x, 1};
        count++;
        if (count > (size_t)wanted)
            count = merge_closest(bins, count, &random);
    }
    if (!count)
        return native_set_null(n, row);
    idx_t at = native_list_begin(n, row, count);
    NativeVec *entry = &n->out_vec.children[0];
    for (size_t i = 0; i < count; i++) {
        ((double *)entry->children[0].data)[at + i] = bins[i].x;
        ((double *)entry->children[1].data)[at + i] = bins[i].y;
    }
    return true;
}

/* (microseconds, duration, offset) */
static bool row_window_start(Native *n, idx_t row) {
    int64_t us = native_i64(n, 0, row), duration = native_i64(n, 1, row),
            offset = native_i64(n, 2, row);
    return native_set_i64(n, row, offset + floor_div(us - offset, duration) * duration);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_aes_encrypt", "x:xxssxx", row_encrypt, NATIVE_VOLATILE, 0},
    {"ls_aes_decrypt", "x:xxssxb", row_decrypt, 0, 0},
    {"ls_randstr", "s:48", row_randstr, NATIVE_VOLATILE | NATIVE_STATE, 0},
    {"ls_bitmap_build", "x:[8", row_bitmap_build, NATIVE_SEES_NULL, 0},
    {"ls_bitmap_merge", "x:[xb", row_bitmap_merge, NATIVE_SEES_NULL, 0},
    {"ls_histogram", "{d,d}:[d4", row_histogram, 0, 0},
    {"ls_window_start", "8:888", row_window_start, 0, 0},
};

bool native_register_special(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
