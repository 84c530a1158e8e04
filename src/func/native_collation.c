/* Strings under a collation: the key that stands for all strings equal to one, and searching by it.
 * Orders are ICU's; UTF8_LCASE compares the lower case of each code point, as Spark does. */
#include "func/native_impl.h"

#include <pthread.h>
#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/ucol.h>
#include <unicode/usearch.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include "base/map.h"
#include "type/collation.h"

/* Texts beyond this are not searched by ICU, whose offsets are 32-bit. */
enum { COLLATED_MAX_BYTES = 256 << 20 };

typedef struct Order {
    Collation what;
    UCollator *collator; /* of ICU's; NULL for the two of UTF-8 */
} Order;

/* Orders that were asked for live as long as the process; the mutex guards the map and its arena. */
static pthread_mutex_t orders_mutex = PTHREAD_MUTEX_INITIALIZER;
static Arena *orders_arena;
static Map orders;

static bool open_order(Order *o) {
    char locale[32];
    UErrorCode status = U_ZERO_ERROR;
    bool root = str_is(o->what.base, "UNICODE");
    snprintf(locale, sizeof locale, STR_FMT, STR_ARG(root ? S("") : o->what.base));
    o->collator = ucol_open(locale, &status);
    if (U_FAILURE(status))
        return false;
    ucol_setStrength(o->collator, o->what.ignores_accents  ? UCOL_PRIMARY
                                  : o->what.ignores_case ? UCOL_SECONDARY
                                                         : UCOL_TERTIARY);
    if (o->what.ignores_accents && !o->what.ignores_case)
        ucol_setAttribute(o->collator, UCOL_CASE_LEVEL, UCOL_ON, &status);
    ucol_setAttribute(o->collator, UCOL_NORMALIZATION_MODE, UCOL_ON, &status);
    return U_SUCCESS(status);
}

static const Order *order_of(Str name) {
    pthread_mutex_lock(&orders_mutex);
    if (!orders_arena) {
        orders_arena = arena_new();
        orders = map_in(orders_arena);
    }
    Order *o = map_get(&orders, name);
    if (!o) {
        Order made = {0};
        if (collation_read(name, &made.what) && (!made.what.icu || open_order(&made))) {
            o = ARENA_NEW(orders_arena, Order);
            *o = made;
            map_put(&orders, str_copy(name, orders_arena), o);
        }
    }
    pthread_mutex_unlock(&orders_mutex);
    return o;
}

/* The order that the last argument names: the same one for every row of a chunk. NULL has set an error. */
static const Order *order_at(Native *n, idx_t row) {
    Str name = native_str(n, n->argc - 1, row);
    if (!n->chunk)
        n->chunk = (void *)order_of(name);
    if (!n->chunk)
        NATIVE_FAIL(n, ERR_COLLATION_INVALID_NAME, P("collationName", name), PZ("proposals", "UNICODE"));
    return n->chunk;
}

static Str without_trailing_spaces(Str s) {
    while (s.len && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* ---- keys ---- */

static void put_utf8(Buf *b, UChar32 c) {
    char bytes[4];
    size_t len = 0;
    U8_APPEND_UNSAFE(bytes, len, c);
    buf_add(b, (Str){bytes, len});
}

static UChar32 next_point(Str s, size_t *at) {
    UChar32 c;
    int32_t i = 0, left = s.len - *at > 8 ? 8 : (int32_t)(s.len - *at);
    U8_NEXT_OR_FFFD((const uint8_t *)s.ptr + *at, i, left, c);
    *at += (size_t)i;
    return c;
}

/* The lower case of one code point; U+0130 has two, and both lower sigmas are one letter. */
static int lower_points(UChar32 c, UChar32 out[2]) {
    if (c == 0x130) {
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    out[0] = c == 0x3C2 ? 0x3C3 : c < 128 ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : u_tolower(c);
    return 1;
}

static void put_lower(Buf *b, Str s) {
    for (size_t at = 0; at < s.len;) {
        unsigned char byte = (unsigned char)s.ptr[at];
        if (byte < 128) {
            buf_addc(b, (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte));
            at++;
            continue;
        }
        UChar32 low[2];
        int count = lower_points(next_point(s, &at), low);
        for (int i = 0; i < count; i++)
            put_utf8(b, low[i]);
    }
}

typedef struct Wide {
    UChar *at;
    int32_t len;
} Wide;

static Wide wide_of(Str s, Arena *arena) {
    Wide w = {ARENA_ARRAY(arena, UChar, s.len + 1), 0};
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8WithSub(w.at, (int32_t)s.len + 1, &w.len, s.ptr, (int32_t)s.len, 0xFFFD, NULL, &status);
    return w;
}

/* ICU's sort key, its bytes as the code points of the same numbers: texts that sort as the bytes do. */
static void put_sort_key(Native *n, const Order *o, Str s, Buf *b) {
    Wide w = wide_of(s, n->arena);
    uint8_t small[512], *key = small;
    int32_t len = ucol_getSortKey(o->collator, w.at, w.len, key, sizeof small);
    if (len > (int32_t)sizeof small) {
        key = ARENA_ARRAY(n->arena, uint8_t, (size_t)len);
        len = ucol_getSortKey(o->collator, w.at, w.len, key, len);
    }
    for (int32_t i = 0; i + 1 < len; i++)
        put_utf8(b, key[i]);
}

static void put_key(Native *n, const Order *o, Str s, Buf *b) {
    if (o->what.trims)
        s = without_trailing_spaces(s);
    if (o->what.icu)
        put_sort_key(n, o, s, b);
    else if (o->what.lower)
        put_lower(b, s);
    else
        buf_add(b, s);
}

static bool fits(Native *n, Str s) {
    return s.len <= COLLATED_MAX_BYTES ||
           NATIVE_FAIL(n, ERR_COLLECTION_SIZE_LIMIT_EXCEEDED__PARAMETER, PZ("numberOfElements", "268435457"),
                       PZ("maxRoundedArrayLength", "268435456"), PZ("functionName", "`collate`"), PZ("parameter", "str"));
}

static bool row_key(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str s = native_str(n, 0, row);
    if (!o || !fits(n, s))
        return false;
    put_key(n, o, s, &n->scratch);
    return native_set_scratch(n, row);
}

/* ---- searching ---- */

typedef struct Range {
    size_t from, to; /* bytes */
} Range;
typedef VEC(Range) RangeVec;

/* A text as code points to compare; where each starts in the text, or NOWHERE inside a character. */
typedef struct Points {
    UChar32 *at;
    size_t *from, len;
} Points;

#define NOWHERE ((size_t)-1)

static Points points_of(const Order *o, Str s, Arena *arena) {
    Points p = {ARENA_ARRAY(arena, UChar32, 2 * s.len + 1), ARENA_ARRAY(arena, size_t, 2 * s.len + 1), 0};
    for (size_t at = 0; at < s.len;) {
        size_t start = at;
        UChar32 c = next_point(s, &at), low[2] = {c, 0};
        int count = o->what.lower ? lower_points(c, low) : 1;
        for (int i = 0; i < count; i++) {
            p.from[p.len] = i ? NOWHERE : start;
            p.at[p.len++] = low[i];
        }
    }
    p.from[p.len] = s.len;
    return p;
}

static void find_points(Native *n, const Order *o, Str text, Str wanted, RangeVec *out) {
    Points p = points_of(o, text, n->arena), w = points_of(o, wanted, n->arena);
    for (size_t i = 0; i + w.len <= p.len; i++) {
        if (p.from[i] == NOWHERE || p.from[i + w.len] == NOWHERE)
            continue;
        size_t k = 0;
        while (k < w.len && p.at[i + k] == w.at[k])
            k++;
        if (k == w.len)
            vec_push(n->arena, out, ((Range){p.from[i], p.from[i + w.len]}));
    }
}

static void find_icu(Native *n, const Order *o, Str text, Str wanted, RangeVec *out) {
    Wide t = wide_of(text, n->arena), w = wide_of(wanted, n->arena);
    size_t *bytes = ARENA_ARRAY(n->arena, size_t, (size_t)t.len + 2);
    size_t at = 0;
    for (int32_t i = 0; i < t.len;) {
        bytes[i] = at;
        if (next_point(text, &at) > 0xFFFF && i + 1 < t.len)
            bytes[++i] = at;
        i++;
    }
    bytes[t.len] = text.len;
    UErrorCode status = U_ZERO_ERROR;
    UStringSearch *search = usearch_openFromCollator(w.at, w.len, t.at, t.len, o->collator, NULL, &status);
    if (U_FAILURE(status))
        return;
    usearch_setAttribute(search, USEARCH_OVERLAP, USEARCH_ON, &status);
    for (int32_t i = usearch_first(search, &status); U_SUCCESS(status) && i != USEARCH_DONE; i = usearch_next(search, &status)) {
        int32_t end = i + usearch_getMatchedLength(search);
        if (end > i && end <= t.len)
            vec_push(n->arena, out, ((Range){bytes[i], bytes[end]}));
    }
    usearch_close(search);
}

/* Every place of a text, overlapping ones too, that is equal to what is wanted, which is not empty. */
static RangeVec find_all(Native *n, const Order *o, Str text, Str wanted) {
    RangeVec found = {0};
    if (o->what.icu)
        find_icu(n, o, text, wanted, &found);
    else
        find_points(n, o, text, wanted, &found);
    return found;
}

static bool row_predicate(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row), wanted = native_str(n, 1, row);
    if (!o || !fits(n, text) || !fits(n, wanted))
        return false;
    if (o->what.trims) {
        text = without_trailing_spaces(text);
        wanted = without_trailing_spaces(wanted);
    }
    bool yes = !wanted.len;
    RangeVec found = {0};
    if (wanted.len)
        found = find_all(n, o, text, wanted);
    for (size_t i = 0; i < found.len && !yes; i++)
        yes = n->function->variant == 'c' || (n->function->variant == 's' && found.at[i].from == 0) ||
              (n->function->variant == 'e' && found.at[i].to == text.len);
    return native_set_bool(n, row, yes);
}

/* locate(text, wanted, position): characters from 1; 0 when there is none. */
static bool row_locate(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row), wanted = native_str(n, 1, row);
    int32_t position = native_i32(n, 2, row);
    if (!o || !fits(n, text) || !fits(n, wanted))
        return false;
    if (position < 1)
        return native_set_i32(n, row, 0);
    if (!wanted.len)
        return native_set_i32(n, row, position);
    RangeVec found = find_all(n, o, text, wanted);
    for (size_t i = 0; i < found.len; i++) {
        int32_t at = (int32_t)str_utf8_len(str_slice(text, 0, found.at[i].from)) + 1;
        if (at >= position)
            return native_set_i32(n, row, at);
    }
    return native_set_i32(n, row, 0);
}

/* Those that do not overlap, from the left. */
static RangeVec find_apart(Native *n, const Order *o, Str text, Str wanted) {
    RangeVec all = {0}, apart = {0};
    if (wanted.len)
        all = find_all(n, o, text, wanted);
    for (size_t i = 0; i < all.len; i++)
        if (!apart.len || all.at[i].from >= apart.at[apart.len - 1].to)
            vec_push(n->arena, &apart, all.at[i]);
    return apart;
}

static bool row_replace(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row), wanted = native_str(n, 1, row), by = native_str(n, 2, row);
    if (!o || !fits(n, text) || !fits(n, wanted))
        return false;
    RangeVec found = find_apart(n, o, text, wanted);
    size_t at = 0;
    for (size_t i = 0; i < found.len; i++) {
        buf_add(&n->scratch, str_slice(text, at, found.at[i].from));
        buf_add(&n->scratch, by);
        if (n->scratch.len > COLLATED_MAX_BYTES)
            return fits(n, (Str){NULL, n->scratch.len});
        at = found.at[i].to;
    }
    buf_add(&n->scratch, str_slice(text, at, text.len));
    return native_set_scratch(n, row);
}

static bool row_split_part(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row);
    int32_t part = native_i32(n, 2, row);
    if (!o || !fits(n, text))
        return false;
    if (!part)
        return NATIVE_FAIL(n, ERR_INVALID_INDEX_OF_ZERO);
    RangeVec found = find_apart(n, o, text, native_str(n, 1, row));
    int64_t index = part > 0 ? (int64_t)part - 1 : (int64_t)found.len + 1 + part;
    if (index < 0 || index > (int64_t)found.len)
        return native_set_str(n, row, S(""));
    size_t i = (size_t)index;
    return native_set_str(n, row, str_slice(text, i ? found.at[i - 1].to : 0, i < found.len ? found.at[i].from : text.len));
}

static bool row_substring_index(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row), wanted = native_str(n, 1, row);
    int64_t count = native_i32(n, 2, row);
    if (!o || !fits(n, text))
        return false;
    if (!count || !wanted.len)
        return native_set_str(n, row, S(""));
    RangeVec found = find_all(n, o, text, wanted);
    int64_t index = count > 0 ? count - 1 : (int64_t)found.len + count;
    if (index < 0 || index >= (int64_t)found.len)
        return native_set_str(n, row, text);
    Range r = found.at[index];
    return native_set_str(n, row, count > 0 ? str_slice(text, 0, r.from) : str_slice(text, r.to, text.len));
}

/* ---- characters ---- */

typedef VEC(Str) KeyVec;

static Str key_of(Native *n, const Order *o, Str s) {
    Buf b = buf_in(n->arena);
    put_key(n, o, s, &b);
    return buf_str(&b);
}

static KeyVec keys_of_chars(Native *n, const Order *o, Str s) {
    KeyVec keys = {0};
    for (size_t at = 0; at < s.len;) {
        size_t start = at;
        (void)next_point(s, &at);
        vec_push(n->arena, &keys, key_of(n, o, str_slice(s, start, at)));
    }
    return keys;
}

static size_t index_of(const KeyVec *keys, Str key) {
    for (size_t i = 0; i < keys->len; i++)
        if (str_eq(keys->at[i], key))
            return i;
    return NOWHERE;
}

static bool row_translate(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row), from = native_str(n, 1, row), to = native_str(n, 2, row);
    if (!o || !fits(n, text))
        return false;
    KeyVec keys = keys_of_chars(n, o, from), by = {0};
    for (size_t at = 0; at < to.len;) {
        size_t start = at;
        (void)next_point(to, &at);
        vec_push(n->arena, &by, str_slice(to, start, at));
    }
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        (void)next_point(text, &at);
        Str one = str_slice(text, start, at);
        size_t i = index_of(&keys, key_of(n, o, one));
        if (i == NOWHERE)
            buf_add(&n->scratch, one);
        else if (i < by.len)
            buf_add(&n->scratch, by.at[i]);
    }
    return native_set_scratch(n, row);
}

/* variant: 1 from the left, 2 from the right, 3 both. */
static bool row_trim(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row);
    if (!o || !fits(n, text))
        return false;
    KeyVec keys = keys_of_chars(n, o, native_str(n, 1, row));
    VEC(Range) chars = {0};
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        (void)next_point(text, &at);
        vec_push(n->arena, &chars, ((Range){start, at}));
    }
    size_t first = 0, end = chars.len;
    while (n->function->variant & 1 && first < end &&
           index_of(&keys, key_of(n, o, str_slice(text, chars.at[first].from, chars.at[first].to))) != NOWHERE)
        first++;
    while (n->function->variant & 2 && end > first &&
           index_of(&keys, key_of(n, o, str_slice(text, chars.at[end - 1].from, chars.at[end - 1].to))) != NOWHERE)
        end--;
    return native_set_str(n, row, first < end ? str_slice(text, chars.at[first].from, chars.at[end - 1].to) : S(""));
}

static bool row_find_in_set(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str word = native_str(n, 0, row), set = native_str(n, 1, row);
    if (!o || !fits(n, set))
        return false;
    if (str_find_char(word, ',') >= 0)
        return native_set_i32(n, row, 0);
    Str key = key_of(n, o, word);
    for (int32_t i = 1;; i++) {
        ptrdiff_t cut = str_find_char(set, ',');
        Str item = cut < 0 ? set : str_slice(set, 0, (size_t)cut);
        if (str_eq(key, key_of(n, o, item)))
            return native_set_i32(n, row, i);
        if (cut < 0)
            return native_set_i32(n, row, 0);
        set = str_slice(set, (size_t)cut + 1, set.len);
    }
}

/* variant: upper and lower of no language; words begin with a capital of the collation's own. */
static bool row_case(Native *n, idx_t row) {
    const Order *o = order_at(n, row);
    Str text = native_str(n, 0, row);
    if (!o || !fits(n, text))
        return false;
    UErrorCode status = U_ZERO_ERROR;
    char locale[32];
    snprintf(locale, sizeof locale, STR_FMT, STR_ARG(str_is(o->what.base, "UNICODE") ? S("") : o->what.base));
    Wide w = wide_of(text, n->arena);
    int32_t room = 3 * w.len + 8, len;
    UChar *made = ARENA_ARRAY(n->arena, UChar, (size_t)room);
    if (n->function->variant == 'u')
        len = u_strToUpper(made, room, w.at, w.len, "", &status);
    else if (n->function->variant == 'l')
        len = u_strToLower(made, room, w.at, w.len, "", &status);
    else
        len = u_strToTitle(made, room, w.at, w.len, NULL, locale, &status);
    if (U_FAILURE(status))
        return native_set_str(n, row, text);
    char *bytes = ARENA_ARRAY(n->arena, char, 3 * (size_t)len + 1);
    int32_t out = 0;
    u_strToUTF8(bytes, 3 * len + 1, &out, made, len, &status);
    return native_set_str(n, row, (Str){bytes, (size_t)out});
}

static const NativeFunction functions[] = {
    {"ls_collation_key", "s:ss", row_key},
    {"ls_collated_contains", "b:sss", row_predicate, 0, 'c'},
    {"ls_collated_starts", "b:sss", row_predicate, 0, 's'},
    {"ls_collated_ends", "b:sss", row_predicate, 0, 'e'},
    {"ls_collated_locate", "4:ss4s", row_locate},
    {"ls_collated_replace", "s:ssss", row_replace},
    {"ls_collated_split_part", "s:ss4s", row_split_part},
    {"ls_collated_substring_index", "s:ss4s", row_substring_index},
    {"ls_collated_translate", "s:ssss", row_translate},
    {"ls_collated_ltrim", "s:sss", row_trim, 0, 1},
    {"ls_collated_rtrim", "s:sss", row_trim, 0, 2},
    {"ls_collated_trim", "s:sss", row_trim, 0, 3},
    {"ls_collated_find_in_set", "4:sss", row_find_in_set},
    {"ls_collated_initcap", "s:ss", row_case, 0, 'i'},
    {"ls_collated_upper", "s:ss", row_case, 0, 'u'},
    {"ls_collated_lower", "s:ss", row_case, 0, 'l'},
};

bool native_register_collation(duckdb_connection c, Error *err) {
    return native_register_table(c, functions, LENGTH_OF(functions), err);
}
