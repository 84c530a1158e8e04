/* Text functions with Java's and Spark's rules. */
#include "func/native_impl.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <wctype.h>

#include "func/number.h"

/* Results beyond this are refused: one row must not take the machine's memory. */
enum { TEXT_MAX_BYTES = 256 << 20 };

/* ---- code points ---- */

static size_t next_char(Str s, size_t at) {
    unsigned char c = (unsigned char)s.ptr[at];
    size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return at + n > s.len ? s.len : at + n;
}

static int64_t count_chars(Str s) { return (int64_t)str_utf8_len(s); }

/* Byte offset of the nth code point, or the end. */
static size_t offset_of(Str s, int64_t n) {
    size_t at = 0;
    while (n-- > 0 && at < s.len)
        at = next_char(s, at);
    return at;
}

static Str chars(Str s, int64_t from, int64_t to) {
    if (to <= from)
        return S("");
    size_t a = offset_of(s, from);
    Str rest = str_slice(s, a, s.len);
    return str_slice(rest, 0, offset_of(rest, to - from));
}

/* UTF8String.substringSQL: 1-based, negative counts from the end, 0 is 1. */
static Str substring(Str s, int64_t pos, int64_t len, bool bytes) {
    int64_t total = bytes ? (int64_t)s.len : count_chars(s);
    int64_t start = pos > 0 ? pos - 1 : pos < 0 ? total + pos : 0;
    int64_t end = len >= INT32_MAX - start ? total : start + len;
    if (start < 0)
        start = 0;
    if (end > total)
        end = total;
    if (end <= start)
        return S("");
    return bytes ? str_slice(s, (size_t)start, (size_t)end) : chars(s, start, end);
}

static bool row_substring(Native *n, idx_t row) {
    return native_set_str(n, row,
                          substring(native_str(n, 0, row), native_i32(n, 1, row),
                                    native_i32(n, 2, row), n->function->variant));
}

static bool row_left(Native *n, idx_t row) {
    int32_t count = native_i32(n, 1, row);
    return native_set_str(
        n, row,
        count <= 0 ? S("") : substring(native_str(n, 0, row), 1, count, n->function->variant));
}

static bool row_right(Native *n, idx_t row) {
    int32_t count = native_i32(n, 1, row);
    Str s = native_str(n, 0, row);
    if (count <= 0)
        return native_set_str(n, row, S(""));
    return native_set_str(
        n, row, count >= count_chars(s) ? s : substring(s, -(int64_t)count, count, false));
}

static bool row_substring_index(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), delim = native_str(n, 1, row);
    int32_t count = native_i32(n, 2, row);
    if (!delim.len || count == 0)
        return native_set_str(n, row, S(""));
    if (count > 0) {
        size_t at = 0;
        for (;;) {
            ptrdiff_t found = str_find(str_slice(s, at, s.len), delim);
            if (found < 0)
                return native_set_str(n, row, s);
            if (--count == 0)
                return native_set_str(n, row, str_slice(s, 0, at + (size_t)found));
            at += (size_t)found + 1;
        }
    }
    size_t end = s.len;
    while (end >= delim.len) {
        size_t at = end - delim.len;
        while (at > 0 && memcmp(s.ptr + at, delim.ptr, delim.len) != 0)
            at--;
        if (memcmp(s.ptr + at, delim.ptr, delim.len) != 0)
            break;
        if (++count == 0)
            return native_set_str(n, row, str_slice(s, at + delim.len, s.len));
        if (at == 0)
            break;
        end = at + delim.len - 1;
    }
    return native_set_str(n, row, s);
}

locale_t native_utf8_locale(void) {
    static locale_t l;
    if (!l)
        l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return l;
}

static bool row_initcap(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    bool start = true;
    for (size_t pos = 0; pos < s.len;) {
        uint32_t c = str_utf8_next(s, &pos);
        char out[4];
        uint32_t cased = native_utf8_locale() ? (uint32_t)(start ? towupper_l(c, native_utf8_locale())
                                                          : towlower_l(c, native_utf8_locale()))
                                       : c;
        buf_add_bytes(&n->scratch, out, str_utf8_put(cased, out));
        start = c == ' ';
    }
    return native_set_scratch(n, row);
}

static bool row_reverse(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    for (size_t end = s.len; end > 0;) {
        size_t at = end - 1;
        while (at > 0 && ((unsigned char)s.ptr[at] & 0xC0) == 0x80)
            at--;
        buf_add_bytes(&n->scratch, s.ptr + at, end - at);
        end = at;
    }
    return native_set_scratch(n, row);
}

static bool too_long(Native *n, const char *what, int64_t size) {
    return NATIVE_FAIL(n, ERR_COLLECTION_SIZE_LIMIT_EXCEEDED__FUNCTION,
                       P("numberOfElements", str_printf(n->arena, "%lld", (long long)size)),
                       P("maxRoundedArrayLength", str_printf(n->arena, "%d", TEXT_MAX_BYTES)),
                       PZ("functionName", what));
}

/* variant bit 0: right, bit 1: bytes */
static bool row_pad(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), pad = native_str(n, 2, row);
    bool right = n->function->variant & 1, bytes = n->function->variant & 2;
    int64_t len = native_i32(n, 1, row), have = bytes ? (int64_t)s.len : count_chars(s);
    if (len <= have)
        return native_set_str(n, row,
                              len <= 0 ? S("")
                              : bytes  ? str_slice(s, 0, (size_t)len)
                                       : chars(s, 0, len));
    if (!pad.len)
        return native_set_str(n, row, s);
    if (len > TEXT_MAX_BYTES / 4)
        return too_long(n, "`lpad`", len);
    int64_t missing = len - have, unit = bytes ? (int64_t)pad.len : count_chars(pad);
    if (right)
        buf_add(&n->scratch, s);
    for (; missing >= unit; missing -= unit)
        buf_add(&n->scratch, pad);
    buf_add(&n->scratch, bytes ? str_slice(pad, 0, (size_t)missing) : chars(pad, 0, missing));
    if (!right)
        buf_add(&n->scratch, s);
    return native_set_scratch(n, row);
}

static bool row_replace(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), from = native_str(n, 1, row), to = native_str(n, 2, row);
    if (!from.len)
        return native_set_str(n, row, s);
    for (;;) {
        ptrdiff_t at = str_find(s, from);
        if (at < 0)
            break;
        buf_add(&n->scratch, str_slice(s, 0, (size_t)at));
        buf_add(&n->scratch, to);
        s = str_slice(s, (size_t)at + from.len, s.len);
        if (n->scratch.len > TEXT_MAX_BYTES)
            return too_long(n, "`replace`", (int64_t)n->scratch.len);
    }
    buf_add(&n->scratch, s);
    return native_set_scratch(n, row);
}

static bool row_split_part(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), delim = native_str(n, 1, row);
    int64_t part = native_i32(n, 2, row), total = 1;
    if (part == 0)
        return NATIVE_FAIL(n, ERR_INVALID_INDEX_OF_ZERO);
    for (size_t at = 0; delim.len;) {
        ptrdiff_t found = str_find(str_slice(s, at, s.len), delim);
        if (found < 0)
            break;
        total++;
        at += (size_t)found + delim.len;
    }
    if (part < 0)
        part = total + part + 1;
    if (part < 1 || part > total)
        return native_set_str(n, row, S(""));
    for (; part > 1; part--)
        s = str_slice(s, (size_t)str_find(s, delim) + delim.len, s.len);
    ptrdiff_t end = delim.len ? str_find(s, delim) : -1;
    return native_set_str(n, row, end < 0 ? s : str_slice(s, 0, (size_t)end));
}

static bool row_locate(Native *n, idx_t row) {
    if (native_arg_null(n, 2, row))
        return native_set_i32(n, row, 0);
    if (native_arg_null(n, 0, row) || native_arg_null(n, 1, row))
        return native_set_null(n, row);
    Str sub = native_str(n, 0, row), s = native_str(n, 1, row);
    int32_t pos = native_i32(n, 2, row);
    if (pos < 1)
        return native_set_i32(n, row, 0);
    int64_t total = count_chars(s);
    if (!sub.len)
        return native_set_i32(n, row, pos - 1 <= total ? 1 : 0);
    size_t from = offset_of(s, pos - 1);
    ptrdiff_t at = str_find(str_slice(s, from, s.len), sub);
    return native_set_i32(
        n, row, at < 0 ? 0 : (int32_t)count_chars(str_slice(s, 0, from + (size_t)at)) + 1);
}

static bool row_chr(Native *n, idx_t row) {
    int64_t v = native_i64(n, 0, row);
    if (v < 0)
        return native_set_str(n, row, S(""));
    char out[4];
    return native_set_str(n, row, (Str){out, str_utf8_put((uint32_t)(v & 0xFF), out)});
}

/* variant: 0 starts, 1 ends, 2 contains; on bytes */
static bool row_find(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), x = native_str(n, 1, row);
    return native_set_bool(n, row,
                           n->function->variant == 0   ? str_starts_with(s, x)
                           : n->function->variant == 1 ? str_ends_with(s, x)
                                                       : str_find(s, x) >= 0);
}

static bool row_overlay(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), r = native_str(n, 1, row);
    bool bytes = n->function->variant;
    int64_t pos = native_i32(n, 2, row), len = native_i32(n, 3, row);
    if (len < 0)
        len = bytes ? (int64_t)r.len : count_chars(r);
    buf_add(&n->scratch, substring(s, 1, pos - 1, bytes));
    buf_add(&n->scratch, r);
    buf_add(&n->scratch, substring(s, pos + len, INT32_MAX, bytes));
    return native_set_scratch(n, row);
}

static bool row_find_in_set(Native *n, idx_t row) {
    Str word = native_str(n, 0, row), set = native_str(n, 1, row);
    if (str_find_char(word, ',') >= 0)
        return native_set_i32(n, row, 0);
    for (int32_t i = 1;; i++) {
        ptrdiff_t comma = str_find_char(set, ',');
        if (str_eq(word, comma < 0 ? set : str_slice(set, 0, (size_t)comma)))
            return native_set_i32(n, row, i);
        if (comma < 0)
            return native_set_i32(n, row, 0);
        set = str_slice(set, (size_t)comma + 1, set.len);
    }
}

static bool row_concat_ws(Native *n, idx_t row) {
    if (native_arg_null(n, 0, row))
        return native_set_null(n, row);
    Str sep = native_str(n, 0, row);
    bool first = true;
    for (size_t i = 1; i < n->argc; i++) {
        const NativeVec *v = &n->args[i];
        if (native_is_null(v, row))
            continue;
        bool list = v->type == DUCKDB_TYPE_LIST;
        duckdb_list_entry e = list ? native_list(n, i, row) : (duckdb_list_entry){row, 1};
        const NativeVec *items = list ? &v->children[0] : v;
        for (idx_t k = e.offset; k < e.offset + e.length; k++) {
            if (native_is_null(items, k))
                continue;
            if (!first)
                buf_add(&n->scratch, sep);
            buf_add(&n->scratch, native_str_at(items, k));
            first = false;
        }
    }
    return native_set_scratch(n, row);
}

/* (n, [values], fail) */
static bool row_elt(Native *n, idx_t row) {
    if (native_arg_null(n, 0, row))
        return native_set_null(n, row);
    int32_t i = native_i32(n, 0, row);
    duckdb_list_entry e = native_list(n, 1, row);
    if (i < 1 || (idx_t)i > e.length) {
        if (!native_bool(n, 2, row))
            return native_set_null(n, row);
        return NATIVE_FAIL(
            n, ERR_INVALID_ARRAY_INDEX, P("indexValue", str_printf(n->arena, "%d", i)),
            P("arraySize", str_printf(n->arena, "%llu", (unsigned long long)e.length)),
            PZ("ansiConfig", "\"spark.sql.ansi.enabled\""));
    }
    const NativeVec *items = &n->args[1].children[0];
    idx_t at = e.offset + (idx_t)i - 1;
    return native_is_null(items, at) ? native_set_null(n, row)
                                     : native_set_str(n, row, native_str_at(items, at));
}

/* ---- similarity ---- */

static bool row_soundex(Native *n, idx_t row) {
    static const char CODES[] =
        "01230127022455012623017202"; /* '7': H and W, which do not separate */
    Str s = native_str(n, 0, row);
    if (!s.len || !isalpha((unsigned char)s.ptr[0]))
        return native_set_str(n, row, s);
    char out[4] = {(char)toupper((unsigned char)s.ptr[0]), '0', '0', '0'};
    int at = 1;
    char last = CODES[out[0] - 'A'];
    for (size_t i = 1; i < s.len && at < 4; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (!isalpha(c)) {
            last = '0';
            continue;
        }
        char code = CODES[toupper(c) - 'A'];
        if (code == '7')
            continue;
        if (code != '0' && code != last)
            out[at++] = code;
        last = code;
    }
    return native_set_str(n, row, (Str){out, 4});
}

static bool row_levenshtein(Native *n, idx_t row) {
    Str a = native_str(n, 0, row), b = native_str(n, 1, row);
    int32_t limit = native_i32(n, 2, row);
    size_t m = (size_t)count_chars(b), at = 0;
    uint32_t *other = ARENA_ARRAY(n->arena, uint32_t, m + 1);
    int32_t *cost = ARENA_ARRAY(n->arena, int32_t, m + 1);
    for (size_t j = 0; j < m; j++)
        other[j] = str_utf8_next(b, &at);
    for (size_t j = 0; j <= m; j++)
        cost[j] = (int32_t)j;
    for (size_t pos = 0, i = 1; pos < a.len; i++) {
        uint32_t c = str_utf8_next(a, &pos);
        int32_t diagonal = cost[0];
        cost[0] = (int32_t)i;
        for (size_t j = 1; j <= m; j++) {
            int32_t above = cost[j], best = diagonal + (c != other[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = cost[j - 1] + 1 < best ? cost[j - 1] + 1 : best;
            cost[j] = best;
            diagonal = above;
        }
    }
    return native_set_i32(n, row, cost[m] > limit ? -1 : cost[m]);
}

/* ---- encodings ---- */

static int base64_digit(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* Java's MIME decoder: what is no digit is skipped. strict refuses it. */
static bool decode_base64(Str s, bool strict, Buf *out) {
    uint32_t bits = 0;
    int have = 0, digits = 0;
    for (size_t i = 0; i < s.len && s.ptr[i] != '='; i++) {
        int d = base64_digit(s.ptr[i]);
        if (d < 0) {
            if (strict && !isspace((unsigned char)s.ptr[i]))
                return false;
            continue;
        }
        digits++;
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_addc(out, (char)(bits >> have));
        }
    }
    return digits % 4 != 1;
}

static bool conversion_failed(Native *n, idx_t row, Str s, bool trying, const char *format,
                              const char *suggestion) {
    if (trying)
        return native_set_null(n, row);
    return NATIVE_FAIL(n, ERR_CONVERSION_INVALID_INPUT,
                       P("str", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(s))),
                       P("fmt", str_printf(n->arena, "'%s'", format)),
                       PZ("targetType", "\"BINARY\""), PZ("suggestion", suggestion));
}

static bool row_unbase64(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    if (!decode_base64(s, false, &n->scratch))
        return conversion_failed(n, row, s, false, "BASE64", "`try_to_binary`");
    return native_set_scratch(n, row);
}

static void put_unit(Buf *b, uint32_t v, int bytes, bool little) {
    for (int i = 0; i < bytes; i++)
        buf_addc(b, (char)(v >> 8 * (little ? i : bytes - 1 - i)));
}

static bool encode(Str s, Str charset, Buf *out) {
    bool utf16 = str_istarts_with(charset, S("UTF-16")), utf32 = str_is_ci(charset, "UTF-32");
    bool little =
        str_ends_with(str_slice(charset, charset.len > 2 ? charset.len - 2 : 0, charset.len),
                      S("LE")) ||
        str_is_ci(charset, "utf-16le");
    if (str_is_ci(charset, "UTF-8")) {
        buf_add(out, s);
        return true;
    }
    uint32_t limit = str_is_ci(charset, "US-ASCII")     ? 0x80
                     : str_is_ci(charset, "ISO-8859-1") ? 0x100
                                                        : 0;
    if (!limit && !utf16 && !utf32)
        return false;
    if (str_is_ci(charset, "UTF-16"))
        put_unit(out, 0xFEFF, 2, false);
    for (size_t at = 0; at < s.len;) {
        uint32_t c = str_utf8_next(s, &at);
        if (limit) {
            buf_addc(out, c < limit ? (char)c : '?');
        } else if (utf32) {
            put_unit(out, c, 4, false);
        } else if (c >= 0x10000) {
            put_unit(out, 0xD800 + ((c - 0x10000) >> 10), 2, little);
            put_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF), 2, little);
        } else {
            put_unit(out, c, 2, little);
        }
    }
    return true;
}

static bool bad_charset(Native *n, Str charset, const char *function) {
    return NATIVE_FAIL(
        n, ERR_INVALID_PARAMETER_VALUE__CHARSET,
        P("functionName", str_printf(n->arena, "`%s`", function)), PZ("parameter", "`charset`"),
        P("charset", charset),
        PZ("charsets", "UTF-8, US-ASCII, ISO-8859-1, UTF-16BE, UTF-16LE, UTF-16, UTF-32"));
}

static bool row_encode(Native *n, idx_t row) {
    Str charset = native_str(n, 1, row);
    return encode(native_str(n, 0, row), charset, &n->scratch) ? native_set_scratch(n, row)
                                                               : bad_charset(n, charset, "encode");
}

static void put_char(Buf *b, uint32_t c) {
    char out[4];
    buf_add_bytes(b, out, str_utf8_put(c >= 0xD800 && c < 0xE000 ? 0xFFFD : c, out));
}

static bool row_decode(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), charset = native_str(n, 1, row);
    Buf *b = &n->scratch;
    if (str_is_ci(charset, "UTF-8")) {
        if (!str_is_utf8(s))
            return NATIVE_FAIL(n, ERR_MALFORMED_CHARACTER_CODING, PZ("function", "`decode`"),
                               P("charset", charset));
        return native_set_str(n, row, s);
    }
    if (str_is_ci(charset, "US-ASCII") || str_is_ci(charset, "ISO-8859-1")) {
        for (size_t i = 0; i < s.len; i++)
            put_char(b, (unsigned char)s.ptr[i]);
        return native_set_scratch(n, row);
    }
    if (!str_istarts_with(charset, S("UTF-16")) && !str_is_ci(charset, "UTF-32"))
        return bad_charset(n, charset, "decode");
    int bytes = str_is_ci(charset, "UTF-32") ? 4 : 2;
    bool little = str_is_ci(charset, "UTF-16LE");
    uint32_t lead = 0;
    for (size_t i = 0; i + (size_t)bytes <= s.len; i += (size_t)bytes) {
        uint32_t u = 0;
        for (int k = 0; k < bytes; k++)
            u |= (uint32_t)(unsigned char)s.ptr[i + (size_t)k] << 8 * (little ? k : bytes - 1 - k);
        if (u == 0xFEFF && i == 0 && str_is_ci(charset, "UTF-16"))
            continue;
        if (u == 0xFFFE && i == 0 && str_is_ci(charset, "UTF-16")) {
            little = true;
            continue;
        }
        if (bytes == 2 && u >= 0xD800 && u < 0xDC00) {
            lead = u;
            continue;
        }
        if (lead && u >= 0xDC00 && u < 0xE000)
            u = 0x10000 + ((lead - 0xD800) << 10) + (u - 0xDC00);
        lead = 0;
        put_char(b, u);
    }
    return native_set_scratch(n, row);
}

/* (text, format, try) */
static bool row_to_binary(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), format = native_str(n, 1, row);
    bool trying = native_bool(n, 2, row);
    if (str_is_ci(format, "utf-8") || str_is_ci(format, "utf8"))
        return native_set_str(n, row, s);
    if (str_is_ci(format, "base64"))
        return decode_base64(s, true, &n->scratch)
                   ? native_set_scratch(n, row)
                   : conversion_failed(n, row, s, trying, "BASE64", "`try_to_binary`");
    if (!str_is_ci(format, "hex"))
        return trying ? native_set_null(n, row)
                      : NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__BINARY_FORMAT,
                                    PZ("functionName", "`to_binary`"), PZ("parameter", "`fmt`"),
                                    P("invalidValue",
                                      str_printf(n->arena, "'" STR_FMT "'", STR_ARG(format))));
    int high = s.len % 2 ? 0 : -1;
    for (size_t i = 0; i < s.len; i++) {
        int d =
            isxdigit((unsigned char)s.ptr[i])
                ? (isdigit((unsigned char)s.ptr[i]) ? s.ptr[i] - '0' : (s.ptr[i] | 32) - 'a' + 10)
                : -1;
        if (d < 0)
            return conversion_failed(n, row, s, trying, "HEX", "`try_to_binary`");
        if (high < 0) {
            high = d;
        } else {
            buf_addc(&n->scratch, (char)(high << 4 | d));
            high = -1;
        }
    }
    return native_set_scratch(n, row);
}

static bool row_url_encode(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (isalnum(c) || strchr(".-*_", c))
            buf_addc(&n->scratch, (char)c);
        else if (c == ' ')
            buf_addc(&n->scratch, '+');
        else
            buf_addf(&n->scratch, "%%%02X", c);
    }
    return native_set_scratch(n, row);
}

static bool row_url_decode(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    bool ok = true;
    for (size_t i = 0; i < s.len && ok; i++) {
        if (s.ptr[i] == '+') {
            buf_addc(&n->scratch, ' ');
        } else if (s.ptr[i] == '%') {
            char digits[3] = {0};
            ok = i + 2 < s.len && isxdigit((unsigned char)s.ptr[i + 1]) &&
                 isxdigit((unsigned char)s.ptr[i + 2]);
            if (ok) {
                memcpy(digits, s.ptr + i + 1, 2);
                buf_addc(&n->scratch, (char)strtol(digits, NULL, 16));
                i += 2;
            }
        } else {
            buf_addc(&n->scratch, s.ptr[i]);
        }
    }
    if (ok && str_is_utf8(buf_str(&n->scratch)))
        return native_set_scratch(n, row);
    return native_bool(n, 1, row) ? native_set_null(n, row)
                                  : NATIVE_FAIL(n, ERR_CANNOT_DECODE_URL, P("url", s));
}

static bool key_value(Native *n, idx_t row, Str query, Str key) {
    while (query.len) {
        ptrdiff_t amp = str_find_char(query, '&');
        Str one = amp < 0 ? query : str_slice(query, 0, (size_t)amp);
        query = amp < 0 ? S("") : str_slice(query, (size_t)amp + 1, query.len);
        ptrdiff_t eq = str_find_char(one, '=');
        if (eq >= 0 && str_eq(str_slice(one, 0, (size_t)eq), key))
            return native_set_str(n, row, str_slice(one, (size_t)eq + 1, one.len));
    }
    return native_set_null(n, row);
}

/* (url, part, key, has key, try): java.net.URI's parts. */
static bool row_parse_url(Native *n, idx_t row) {
    Str url = native_str(n, 0, row), part = native_str(n, 1, row), rest = url;
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || strchr("\"<>\\^`{|}", url.ptr[i]))
            return native_bool(n, 4, row) ? native_set_null(n, row)
                                          : NATIVE_FAIL(n, ERR_INVALID_URL, P("url", url));
    Str scheme = {0}, authority = {0}, path, query = {0}, fragment = {0};
    bool has_query = false, has_fragment = false, has_authority = false;
    ptrdiff_t at = str_find_char(rest, '#');
    if (at >= 0) {
        fragment = str_slice(rest, (size_t)at + 1, rest.len);
        has_fragment = true;
        rest = str_slice(rest, 0, (size_t)at);
    }
    at = str_find_char(rest, ':');
    ptrdiff_t slash = str_find_char(rest, '/');
    if (at > 0 && (slash < 0 || at < slash)) {
        scheme = str_slice(rest, 0, (size_t)at);
        rest = str_slice(rest, (size_t)at + 1, rest.len);
    }
    at = str_find_char(rest, '?');
    if (at >= 0) {
        query = str_slice(rest, (size_t)at + 1, rest.len);
        has_query = true;
        rest = str_slice(rest, 0, (size_t)at);
    }
    if (str_starts_with(rest, S("//"))) {
        has_authority = true;
        rest = str_slice(rest, 2, rest.len);
        at = str_find_char(rest, '/');
        authority = at < 0 ? rest : str_slice(rest, 0, (size_t)at);
        rest = at < 0 ? S("") : str_slice(rest, (size_t)at, rest.len);
    }
    path = rest;
    Str user = {0}, host = authority;
    bool has_user = false;
    at = str_find_char(host, '@');
    if (at >= 0) {
        user = str_slice(host, 0, (size_t)at);
        has_user = true;
        host = str_slice(host, (size_t)at + 1, host.len);
    }
    at = str_rfind_char(host, ':');
    if (at >= 0 && (!host.len || host.ptr[host.len - 1] != ']'))
        host = str_slice(host, 0, (size_t)at);
    if (native_bool(n, 3, row))
        return str_is(part, "QUERY") && has_query ? key_value(n, row, query, native_str(n, 2, row))
                                                  : native_set_null(n, row);
    if (str_is(part, "HOST"))
        return host.len ? native_set_str(n, row, host) : native_set_null(n, row);
    if (str_is(part, "PATH"))
        return native_set_str(n, row, path);
    if (str_is(part, "QUERY"))
        return has_query ? native_set_str(n, row, query) : native_set_null(n, row);
    if (str_is(part, "REF"))
        return has_fragment ? native_set_str(n, row, fragment) : native_set_null(n, row);
    if (str_is(part, "PROTOCOL"))
        return scheme.len ? native_set_str(n, row, scheme) : native_set_null(n, row);
    if (str_is(part, "FILE"))
        return native_set_str(
            n, row,
            has_query ? str_printf(n->arena, STR_FMT "?" STR_FMT, STR_ARG(path), STR_ARG(query))
                      : path);
    if (str_is(part, "AUTHORITY"))
        return has_authority ? native_set_str(n, row, authority) : native_set_null(n, row);
    if (str_is(part, "USERINFO"))
        return has_user ? native_set_str(n, row, user) : native_set_null(n, row);
    return native_set_null(n, row);
}

/* ---- masks, checks, quotes ---- */

static bool row_mask(Native *n, idx_t row) {
    if (native_arg_null(n, 0, row))
        return native_set_null(n, row);
    Str s = native_str(n, 0, row);
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t c = str_utf8_next(s, &at);
        size_t which = iswupper_l(c, native_utf8_locale())   ? 1
                       : iswlower_l(c, native_utf8_locale()) ? 2
                       : c >= '0' && c <= '9'         ? 3
                                                      : 4;
        if (native_arg_null(n, which, row))
            buf_add(&n->scratch, str_slice(s, from, at));
        else
            buf_add(&n->scratch, native_str(n, which, row));
    }
    return native_set_scratch(n, row);
}

static bool row_luhn(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    int sum = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[s.len - 1 - i];
        if (!isdigit((unsigned char)c))
            return native_set_bool(n, row, false);
        int d = (c - '0') * (i % 2 ? 2 : 1);
        sum += d > 9 ? d - 9 : d;
    }
    return native_set_bool(n, row, s.len && sum % 10 == 0);
}

static bool row_quote(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    buf_addc(&n->scratch, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'')
            buf_addc(&n->scratch, '\\');
        buf_addc(&n->scratch, s.ptr[i]);
    }
    buf_addc(&n->scratch, '\'');
    return native_set_scratch(n, row);
}

/* CHAR pads to its length, VARCHAR does not; both drop surplus blanks and refuse surplus text. */
static bool row_char_check(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    int64_t limit = native_i32(n, 1, row), have = count_chars(s);
    if (have > limit) {
        Str cut = s;
        while (have > limit && cut.ptr[cut.len - 1] == ' ') {
            cut.len--;
            have--;
        }
        if (have > limit)
            return NATIVE_FAIL(n, ERR_EXCEED_LIMIT_LENGTH,
                               P("limit", str_printf(n->arena, "%lld", (long long)limit)));
        return native_set_str(n, row, cut);
    }
    buf_add(&n->scratch, s);
    if (native_bool(n, 2, row))
        buf_add_repeat(&n->scratch, ' ', (size_t)(limit - have));
    return native_set_scratch(n, row);
}

static bool row_valid_utf8(Native *n, idx_t row) {
    return native_set_bool(n, row, str_is_utf8(native_str(n, 0, row)));
}

/* (bytes, try) */
static bool row_validate_utf8(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    if (str_is_utf8(s))
        return native_set_str(n, row, s);
    if (native_bool(n, 1, row))
        return native_set_null(n, row);
    for (size_t i = 0; i < s.len; i++)
        buf_addf(&n->scratch, "\\x%02X", (unsigned char)s.ptr[i]);
    return NATIVE_FAIL(n, ERR_INVALID_UTF8_STRING, P("str", buf_str(&n->scratch)));
}

/* Words in sentences, as a nested list in DuckDB's text form; the template casts it. */
static bool row_sentences(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    Buf *b = &n->scratch;
    bool in_word = false, in_sentence = false, first = true;
    buf_addc(b, '[');
    for (size_t i = 0; i <= s.len; i++) {
        unsigned char c = i < s.len ? (unsigned char)s.ptr[i] : '.';
        bool word = isalnum(c) || c >= 0x80 ||
                    (c == '\'' && in_word && i + 1 < s.len && isalnum((unsigned char)s.ptr[i + 1]));
        if (word && !in_word) {
            buf_addz(b, in_sentence ? ", \"" : first ? "[\"" : ", [\"");
            in_sentence = in_word = true;
            first = false;
        }
        if (word)
            buf_addc(b, (char)c);
        if (!word && in_word) {
            buf_addc(b, '"');
            in_word = false;
        }
        if (strchr(".!?", c) && in_sentence &&
            (i + 1 >= s.len || isspace((unsigned char)s.ptr[i + 1]))) {
            buf_addc(b, ']');
            in_sentence = false;
        }
    }
    buf_addc(b, ']');
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_substring", "s:s44", row_substring, 0, 0},
    {"ls_substring_binary", "x:x44", row_substring, 0, 1},
    {"ls_left", "s:s4", row_left, 0, 0},
    {"ls_left_binary", "x:x4", row_left, 0, 1},
    {"ls_right", "s:s4", row_right, 0, 0},
    {"ls_substring_index", "s:ss4", row_substring_index, 0, 0},
    {"ls_initcap", "s:s", row_initcap, 0, 0},
    {"ls_reverse", "s:s", row_reverse, 0, 0},
    {"ls_lpad", "s:s4s", row_pad, 0, 0},
    {"ls_rpad", "s:s4s", row_pad, 0, 1},
    {"ls_lpad_binary", "x:x4x", row_pad, 0, 2},
    {"ls_rpad_binary", "x:x4x", row_pad, 0, 3},
    {"ls_replace", "s:sss", row_replace, 0, 0},
    {"ls_split_part", "s:ss4", row_split_part, 0, 0},
    {"ls_locate", "4:ss4", row_locate, NATIVE_SEES_NULL, 0},
    {"ls_chr", "s:8", row_chr, 0, 0},
    {"ls_starts_with", "b:xx", row_find, 0, 0},
    {"ls_ends_with", "b:xx", row_find, 0, 1},
    {"ls_contains", "b:xx", row_find, 0, 2},
    {"ls_overlay", "s:ss44", row_overlay, 0, 0},
    {"ls_overlay_binary", "x:xx44", row_overlay, 0, 1},
    {"ls_find_in_set", "4:ss", row_find_in_set, 0, 0},
    {"ls_concat_ws", "s:*?", row_concat_ws, NATIVE_SEES_NULL, 0},
    {"ls_elt", "s:4[sb", row_elt, NATIVE_SEES_NULL, 0},
    {"ls_soundex", "s:s", row_soundex, 0, 0},
    {"ls_levenshtein", "4:ss4", row_levenshtein, 0, 0},
    {"ls_unbase64", "x:s", row_unbase64, 0, 0},
    {"ls_encode", "x:ss", row_encode, 0, 0},
    {"ls_decode", "s:xs", row_decode, 0, 0},
    {"ls_to_binary", "x:ssb", row_to_binary, 0, 0},
    {"ls_url_encode", "s:s", row_url_encode, 0, 0},
    {"ls_url_decode", "s:sb", row_url_decode, 0, 0},
    {"ls_parse_url", "s:sssbb", row_parse_url, 0, 0},
    {"ls_mask", "s:sssss", row_mask, NATIVE_SEES_NULL, 0},
    {"ls_luhn_check", "b:s", row_luhn, 0, 0},
    {"ls_quote", "s:s", row_quote, 0, 0},
    {"ls_char_check", "s:s4b", row_char_check, 0, 0},
    {"ls_valid_utf8", "b:x", row_valid_utf8, 0, 0},
    {"ls_validate_utf8", "s:xb", row_validate_utf8, 0, 0},
    {"ls_sentences", "s:s", row_sentences, 0, 0},
};

bool native_register_string(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err) &&
           native_register_format(c, err) && native_register_like(c, err);
}
