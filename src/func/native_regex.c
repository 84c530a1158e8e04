/* Regular expressions with Java's semantics on PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "func/native_impl.h"
#include "plan/plan.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>

enum { CACHE_SIZE = 16, MATCH_LIMIT = 10000000 };

/* Compiled patterns of one thread, replaced in turn. */
typedef struct CachedPattern {
    Str text;
    pcre2_code *code;
} CachedPattern;

typedef struct PatternCache {
    CachedPattern at[CACHE_SIZE];
    unsigned next;
    pcre2_match_data *match;
    pcre2_match_context *context;
} PatternCache;

static pthread_key_t cache_key;
static pthread_once_t cache_once = PTHREAD_ONCE_INIT;

static void free_cache(void *p) {
    PatternCache *c = p;
    for (size_t i = 0; i < CACHE_SIZE; i++) {
        pcre2_code_free(c->at[i].code);
        free((char *)c->at[i].text.ptr);
    }
    pcre2_match_data_free(c->match);
    pcre2_match_context_free(c->context);
    free(c);
}

static void make_key(void) { pthread_key_create(&cache_key, free_cache); }

static PatternCache *cache_of_thread(void) {
    pthread_once(&cache_once, make_key);
    PatternCache *c = pthread_getspecific(cache_key);
    if (!c) {
        c = calloc(1, sizeof(*c));
        if (!c)
            abort();
        c->match = pcre2_match_data_create(64, NULL);
        c->context = pcre2_match_context_create(NULL);
        pcre2_set_match_limit(c->context, MATCH_LIMIT);
        pthread_setspecific(cache_key, c);
    }
    return c;
}

/* Java's names of character classes that PCRE spells otherwise. */
static const struct {
    const char *java, *pcre;
} CLASSES[] = {
    {"Lower", "[:lower:]"},      {"Upper", "[:upper:]"},
    {"Alpha", "[:alpha:]"},      {"Digit", "[:digit:]"},
    {"Alnum", "[:alnum:]"},      {"Punct", "[:punct:]"},
    {"Graph", "[:graph:]"},      {"Print", "[:print:]"},
    {"Blank", "[:blank:]"},      {"Cntrl", "[:cntrl:]"},
    {"XDigit", "[:xdigit:]"},    {"Space", "[:space:]"},
    {"ASCII", "\\x00-\\x7F"},    {"IsAlphabetic", "\\p{L}\\p{Nl}"},
    {"IsLetter", "\\p{L}"},      {"IsDigit", "\\p{Nd}"},
    {"IsUppercase", "\\p{Lu}"},  {"IsLowercase", "\\p{Ll}"},
    {"IsPunctuation", "\\p{P}"}, {"javaLetter", "\\p{L}"},
};

static Str translate(Str p, Arena *arena) {
    Buf b = buf_in(arena);
    int depth = 0;
    for (size_t i = 0; i < p.len; i++) {
        char c = p.ptr[i];
        if (c == '\\' && i + 1 < p.len) {
            bool property = (p.ptr[i + 1] == 'p' || p.ptr[i + 1] == 'P') && i + 2 < p.len &&
                            p.ptr[i + 2] == '{';
            ptrdiff_t end = property ? str_find_char(str_slice(p, i, p.len), '}') : -1;
            const char *found = NULL;
            for (size_t k = 0; end > 0 && k < LENGTH_OF(CLASSES); k++)
                if (str_is(str_slice(p, i + 3, i + (size_t)end), CLASSES[k].java))
                    found = CLASSES[k].pcre;
            if (found) {
                bool negated = p.ptr[i + 1] == 'P';
                if (!depth || negated)
                    buf_addf(&b, "[%s%s]", negated ? "^" : "", found);
                else
                    buf_addz(&b, found);
                i += (size_t)end;
                continue;
            }
            buf_addc(&b, c);
            buf_addc(&b, p.ptr[++i]);
            continue;
        }
        if (c == '[')
            depth++;
        else if (c == ']' && depth)
            depth--;
        buf_addc(&b, c);
    }
    return buf_str(&b);
}

static pcre2_code *compile(Native *n, Str pattern, const char *function) {
    PatternCache *c = cache_of_thread();
    for (size_t i = 0; i < CACHE_SIZE; i++)
        if (c->at[i].code && str_eq(c->at[i].text, pattern))
            return c->at[i].code;
    Str text = translate(pattern, n->arena);
    int error;
    PCRE2_SIZE where;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(text.len ? text.ptr : ""), text.len,
                                     PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C, &error, &where, NULL);
    if (!code) {
        NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__PATTERN,
                    P("functionName", str_printf(n->arena, "`%s`", function)),
                    PZ("parameter", "`regexp`"),
                    P("value", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(pattern))));
        return NULL;
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    CachedPattern *slot = &c->at[c->next++ % CACHE_SIZE];
    pcre2_code_free(slot->code);
    free((char *)slot->text.ptr);
    char *copy = malloc(pattern.len + 1);
    if (!copy)
        abort();
    memcpy(copy, pattern.ptr, pattern.len);
    *slot = (CachedPattern){{copy, pattern.len}, code};
    return code;
}

typedef struct Matcher {
    pcre2_code *code;
    PCRE2_SIZE *span; /* pairs: start, end */
    Str s;
    size_t from;
    int groups; /* captured, the whole match included */
    bool failed;
} Matcher;

static bool matcher_start(Native *n, Matcher *m, Str s, Str pattern, const char *function) {
    *m = (Matcher){.s = s};
    m->code = compile(n, pattern, function);
    return m->code != NULL;
}

/* The next match; false when there is none (or the search was given up: failed). */
static bool matcher_find(Matcher *m) {
    PatternCache *c = cache_of_thread();
    if (m->from > m->s.len)
        return false;
    int r = pcre2_match(m->code, (PCRE2_SPTR)(m->s.len ? m->s.ptr : ""), m->s.len, m->from,
                        PCRE2_NO_UTF_CHECK, c->match, c->context);
    if (r < 0) {
        m->failed = r != PCRE2_ERROR_NOMATCH;
        return false;
    }
    m->groups = r;
    m->span = pcre2_get_ovector_pointer(c->match);
    m->from = m->span[1];
    if (m->span[0] == m->span[1]) { /* an empty match: go on behind the next character */
        size_t at = m->from;
        if (at < m->s.len)
            str_utf8_next(m->s, &at);
        else
            at++;
        m->from = at;
    }
    return true;
}

static bool gave_up(Native *n, const char *function) {
    return NATIVE_FAIL(
        n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", function),
        PZ("reason", "the pattern needs too many steps on this text"));
}

static Str group(const Matcher *m, int g) {
    if (g >= m->groups || m->span[2 * g] == PCRE2_UNSET)
        return S("");
    return str_slice(m->s, m->span[2 * g], m->span[2 * g + 1]);
}

static bool check_group(Native *n, const Matcher *m, int g, const char *function) {
    uint32_t count;
    pcre2_pattern_info(m->code, PCRE2_INFO_CAPTURECOUNT, &count);
    if (g >= 0 && (uint32_t)g <= count)
        return true;
    return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__REGEX_GROUP_INDEX,
                       P("functionName", str_printf(n->arena, "`%s`", function)),
                       PZ("parameter", "`idx`"), P("groupCount", str_printf(n->arena, "%u", count)),
                       P("groupIndex", str_printf(n->arena, "%d", g)));
}

static bool row_find(Native *n, idx_t row) {
    Matcher m;
    TRY(matcher_start(n, &m, native_str(n, 0, row), native_str(n, 1, row), "rlike"));
    bool found = matcher_find(&m);
    return m.failed ? gave_up(n, "rlike") : native_set_bool(n, row, found);
}

static bool row_extract(Native *n, idx_t row) {
    Matcher m;
    int g = native_i32(n, 2, row);
    TRY(matcher_start(n, &m, native_str(n, 0, row), native_str(n, 1, row), "regexp_extract"));
    bool found = matcher_find(&m);
    if (m.failed)
        return gave_up(n, "regexp_extract");
    if (!found)
        return native_set_str(n, row, S(""));
    TRY(check_group(n, &m, g, "regexp_extract"));
    return native_set_str(n, row, group(&m, g));
}

static bool row_extract_all(Native *n, idx_t row) {
    Matcher m;
    int g = native_i32(n, 2, row);
    TRY(matcher_start(n, &m, native_str(n, 0, row), native_str(n, 1, row), "regexp_extract_all"));
    VEC(Str) found = {0};
    while (matcher_find(&m)) {
        TRY(check_group(n, &m, g, "regexp_extract_all"));
        vec_push(n->arena, &found, group(&m, g));
    }
    if (m.failed)
        return gave_up(n, "regexp_extract_all");
    idx_t at = native_list_begin(n, row, found.len);
    for (size_t i = 0; i < found.len; i++)
        duckdb_vector_assign_string_element_len(n->out_vec.children[0].vector, at + i,
                                                found.at[i].len ? found.at[i].ptr : "",
                                                found.at[i].len);
    return true;
}

static bool row_count(Native *n, idx_t row) {
    Matcher m;
    TRY(matcher_start(n, &m, native_str(n, 0, row), native_str(n, 1, row), "regexp_count"));
    int32_t count = 0;
    while (matcher_find(&m))
        count++;
    return m.failed ? gave_up(n, "regexp_count") : native_set_i32(n, row, count);
}

static bool row_substr(Native *n, idx_t row) {
    Matcher m;
    TRY(matcher_start(n, &m, native_str(n, 0, row), native_str(n, 1, row), "regexp_substr"));
    bool found = matcher_find(&m);
    if (m.failed)
        return gave_up(n, "regexp_substr");
    return found ? native_set_str(n, row, group(&m, 0)) : native_set_null(n, row);
}

static bool row_instr(Native *n, idx_t row) {
    Matcher m;
    TRY(matcher_start(n, &m, native_str(n, 0, row), native_str(n, 1, row), "regexp_instr"));
    bool found = matcher_find(&m);
    if (m.failed)
        return gave_up(n, "regexp_instr");
    return native_set_i32(n, row,
                          found ? (int32_t)str_utf8_len(str_slice(m.s, 0, m.span[0])) + 1 : 0);
}

/* Matcher.appendReplacement: $1, ${name}, backslash quotes. */
static bool put_replacement(Native *n, const Matcher *m, Str r, Buf *out) {
    uint32_t count;
    pcre2_pattern_info(m->code, PCRE2_INFO_CAPTURECOUNT, &count);
    for (size_t i = 0; i < r.len; i++) {
        if (r.ptr[i] == '\\' && i + 1 < r.len) {
            buf_addc(out, r.ptr[++i]);
        } else if (r.ptr[i] == '$' && i + 1 < r.len && isdigit((unsigned char)r.ptr[i + 1])) {
            uint32_t g = (uint32_t)(r.ptr[++i] - '0');
            while (i + 1 < r.len && isdigit((unsigned char)r.ptr[i + 1]) &&
                   g * 10 + (uint32_t)(r.ptr[i + 1] - '0') <= count)
                g = g * 10 + (uint32_t)(r.ptr[++i] - '0');
            TRY(check_group(n, m, (int)g, "regexp_replace"));
            buf_add(out, group(m, (int)g));
        } else if (r.ptr[i] == '$' && i + 1 < r.len && r.ptr[i + 1] == '{') {
            ptrdiff_t end = str_find_char(str_slice(r, i, r.len), '}');
            Str name = end > 0 ? str_slice(r, i + 2, i + (size_t)end) : S("");
            int g = pcre2_substring_number_from_name(m->code, (PCRE2_SPTR)str_z(name, n->arena));
            TRY(check_group(n, m, g, "regexp_replace"));
            buf_add(out, group(m, g));
            i += (size_t)end;
        } else {
            buf_addc(out, r.ptr[i]);
        }
    }
    return true;
}

/* (text, pattern, replacement, position) */
static bool row_replace(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), r = native_str(n, 2, row);
    int32_t position = native_i32(n, 3, row);
    Matcher m;
    TRY(matcher_start(n, &m, s, native_str(n, 1, row), "regexp_replace"));
    if (position < 1)
        return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__INTEGER,
                           PZ("functionName", "`regexp_replace`"), PZ("parameter", "`pos`"),
                           P("invalidValue", str_printf(n->arena, "%d", position)));
    size_t done = 0, start = 0;
    for (int32_t i = 1; i < position && start < s.len; i++)
        str_utf8_next(s, &start);
    m.from = start;
    if (position > 1 && start >= s.len)
        return native_set_str(n, row, s);
    while (matcher_find(&m)) {
        buf_add(&n->scratch, str_slice(s, done, m.span[0]));
        done = m.span[1];
        TRY(put_replacement(n, &m, r, &n->scratch));
    }
    if (m.failed)
        return gave_up(n, "regexp_replace");
    buf_add(&n->scratch, str_slice(s, done, s.len));
    return native_set_scratch(n, row);
}

/* String.split(regex, limit): an empty match at the start makes no piece; limit <= 0 keeps all
 * pieces. */
static bool row_split(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    int32_t limit = native_i32(n, 2, row);
    Matcher m;
    TRY(matcher_start(n, &m, s, native_str(n, 1, row), "split"));
    VEC(Str) pieces = {0};
    size_t done = 0;
    while ((limit <= 0 || (int32_t)pieces.len < limit - 1) && matcher_find(&m)) {
        if (m.span[1] == 0 || (m.span[0] == m.span[1] && m.span[0] == s.len && !s.len))
            continue;
        vec_push(n->arena, &pieces, str_slice(s, done, m.span[0]));
        done = m.span[1];
    }
    if (m.failed)
        return gave_up(n, "split");
    vec_push(n->arena, &pieces, str_slice(s, done, s.len));
    idx_t at = native_list_begin(n, row, pieces.len);
    for (size_t i = 0; i < pieces.len; i++)
        duckdb_vector_assign_string_element_len(n->out_vec.children[0].vector, at + i,
                                                pieces.at[i].len ? pieces.at[i].ptr : "",
                                                pieces.at[i].len);
    return true;
}

/* Pieces of s between matches, as String.split without a limit. */
static bool split_all(Native *n, Str s, Str pattern, StrVec *out) {
    Matcher m;
    TRY(matcher_start(n, &m, s, pattern, "str_to_map"));
    size_t done = 0;
    while (matcher_find(&m)) {
        if (m.span[1] == 0)
            continue;
        vec_push(n->arena, out, str_slice(s, done, m.span[0]));
        done = m.span[1];
    }
    vec_push(n->arena, out, str_slice(s, done, s.len));
    return !m.failed || gave_up(n, "str_to_map");
}

static void put_text(NativeVec *v, idx_t at, Str s) {
    duckdb_vector_assign_string_element_len(v->vector, at, s.len ? s.ptr : "", s.len);
}

static bool row_str_to_map(Native *n, idx_t row) {
    StrVec pairs = {0}, keys = {0}, values = {0};
    Str by = native_str(n, 2, row);
    TRY(split_all(n, native_str(n, 0, row), native_str(n, 1, row), &pairs));
    for (size_t i = 0; i < pairs.len; i++) {
        Matcher m;
        TRY(matcher_start(n, &m, pairs.at[i], by, "str_to_map"));
        bool found = matcher_find(&m);
        Str key = found ? str_slice(pairs.at[i], 0, m.span[0]) : pairs.at[i];
        Str value = found ? str_slice(pairs.at[i], m.span[1], pairs.at[i].len) : (Str){NULL, 0};
        size_t k = 0;
        while (k < keys.len && !str_eq(keys.at[k], key))
            k++;
        if (k < keys.len && !native_bool(n, 3, row))
            return NATIVE_FAIL(n, ERR_DUPLICATED_MAP_KEY, P("key", key),
                               PZ("mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\""));
        if (k < keys.len) {
            values.at[k] = value;
            continue;
        }
        vec_push(n->arena, &keys, key);
        vec_push(n->arena, &values, value);
    }
    idx_t at = native_list_begin(n, row, keys.len);
    NativeVec *entry = &n->out_vec.children[0];
    for (size_t i = 0; i < keys.len; i++) {
        put_text(&entry->children[0], at + i, keys.at[i]);
        if (values.at[i].ptr)
            put_text(&entry->children[1], at + i, values.at[i]);
        else
            native_vec_set_null(&entry->children[1], at + i);
    }
    return true;
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_regex_find", "b:ss", row_find, 0, 0},
    {"ls_regex_extract", "s:ss4", row_extract, 0, 0},
    {"ls_regex_extract_all", "[s:ss4", row_extract_all, 0, 0},
    {"ls_regex_replace", "s:sss4", row_replace, 0, 0},
    {"ls_regex_count", "4:ss", row_count, 0, 0},
    {"ls_regex_substr", "s:ss", row_substr, 0, 0},
    {"ls_regex_instr", "4:ss", row_instr, 0, 0},
    {"ls_str_to_map", "{s,s}:sssb", row_str_to_map, 0, 0},
    {"ls_split", "[s:ss4", row_split, 0, 0},
};

bool native_register_regex(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
