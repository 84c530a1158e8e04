/* The collations of strings: names with their parts in any order, the list of all, near misses. */
#include "type/collation.h"

#include <stdlib.h>

#include "base/buf.h"

typedef struct Locale {
    const char *name, *language, *country;
} Locale;

#define LOCALE(name, language, country) {name, language, country},
static const Locale locales[] = {
#include "type/collation.def"
};
#undef LOCALE

/* ---- names ---- */

static const struct {
    Str text;
    char what; /* c C case, a A accents, t trims */
} specifiers[] = {{S_INIT("_RTRIM"), 't'}, {S_INIT("_CI"), 'c'}, {S_INIT("_CS"), 'C'}, {S_INIT("_AI"), 'a'}, {S_INIT("_AS"), 'A'}};

/* Takes a specifier off the end; 0: there is none. */
static char take_specifier(Str *name)
{
    for (size_t i = 0; i < LENGTH_OF(specifiers); i++) {
        Str s = specifiers[i].text;
        if (name->len > s.len && str_ieq(str_slice(*name, name->len - s.len, name->len), s)) {
            *name = str_slice(*name, 0, name->len - s.len);
            return specifiers[i].what;
        }
    }
    return 0;
}

static bool take_once(bool *seen, bool *flag, bool value)
{
    if (*seen)
        return false;
    *seen = true;
    *flag = value;
    return true;
}

bool collation_read(Str name, Collation *out)
{
    *out = (Collation){0};
    bool of_case = false, of_accents = false, of_spaces = false, known = true;
    for (char what; known && (what = take_specifier(&name));) {
        if (what == 't')
            known = take_once(&of_spaces, &out->trims, true);
        else if (what == 'c' || what == 'C')
            known = take_once(&of_case, &out->ignores_case, what == 'c');
        else
            known = take_once(&of_accents, &out->ignores_accents, what == 'a');
    }
    if (!known)
        return false;
    bool binary = str_is_ci(name, "UTF8_BINARY");
    if (binary || str_is_ci(name, "UTF8_LCASE")) {
        out->base = binary ? S("UTF8_BINARY") : S("UTF8_LCASE");
        out->lower = !binary;
        return !of_case && !of_accents;
    }
    out->icu = true;
    for (size_t i = 0; i < LENGTH_OF(locales); i++)
        if (str_is_ci(name, locales[i].name)) {
            out->base = str_from(locales[i].name);
            return true;
        }
    return false;
}

Str collation_name(const Collation *c, Arena *arena)
{
    return str_printf(arena, STR_FMT "%s%s%s", STR_ARG(c->base), c->ignores_case ? "_CI" : "", c->ignores_accents ? "_AI" : "",
                      c->trims ? "_RTRIM" : "");
}

bool type_collation(Str name, Arena *arena, Str *canonical, Error *err)
{
    Collation c;
    if (!collation_read(name, &c))
        return error_set(err, ERR_COLLATION_INVALID_NAME, P("collationName", name), P("proposals", collation_suggestions(name, arena)));
    *canonical = collation_name(&c, arena);
    if (str_is(*canonical, "UTF8_BINARY"))
        *canonical = S("");
    return true;
}

/* ---- near misses ---- */

enum { NAME_MAX = 80, SUGGESTIONS = 3, NEAR = 3 };

static size_t edits(Str a, Str b)
{
    size_t row[NAME_MAX + 1];
    size_t m = a.len < NAME_MAX ? a.len : NAME_MAX, n = b.len < NAME_MAX ? b.len : NAME_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j], best = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
        }
    }
    return row[n] + (a.len - m) + (b.len - n);
}

/* Spark suggests the nearest roots, each with the specifiers that were written. */
Str collation_suggestions(Str name, Arena *arena)
{
    static const char *const utf8[] = {"UTF8_BINARY", "UTF8_LCASE"};
    bool of_utf8 = str_starts_with(name, S("UTF8_"));
    Str whole = str_upper(name, arena), root = whole;
    Collation c = {0};
    bool sensitive[2] = {false, false};
    for (char what; (what = take_specifier(&root));) {
        c.trims |= what == 't';
        c.ignores_case |= what == 'c';
        c.ignores_accents |= what == 'a';
        sensitive[0] |= what == 'C';
        sensitive[1] |= what == 'A';
    }
    Str tail = str_printf(arena, "%s%s%s", sensitive[0] ? "_CS" : c.ignores_case && !of_utf8 ? "_CI" : "",
                          sensitive[1] ? "_AS" : c.ignores_accents && !of_utf8 ? "_AI" : "", c.trims ? "_RTRIM" : "");
    bool taken[LENGTH_OF(locales)] = {false};
    size_t count = of_utf8 ? LENGTH_OF(utf8) : LENGTH_OF(locales);
    Buf b = buf_in(arena);
    for (size_t k = 0; k < SUGGESTIONS && k < count; k++) {
        size_t best = count, least = (size_t)-1;
        for (size_t i = 0; i < count; i++) {
            Str candidate = str_upper(str_from(of_utf8 ? utf8[i] : locales[i].name), arena);
            size_t far = taken[i] ? (size_t)-1 : edits(candidate, root);
            if (far < least) {
                least = far;
                best = i;
            }
        }
        taken[best] = true;
        Str suggestion = str_concat(arena, str_from(of_utf8 ? utf8[best] : locales[best].name), tail);
        if (k && edits(str_upper(suggestion, arena), whole) >= NEAR)
            break;
        buf_addf(&b, "%s" STR_FMT, k ? ", " : "", STR_ARG(suggestion));
    }
    return buf_str(&b);
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const CollationInfo *)a)->name, ((const CollationInfo *)b)->name);
}

CollationInfoVec collation_list(Arena *arena)
{
    CollationInfoVec all = {0};
    for (int i = 0; i < 4; i++) {
        CollationInfo info = {.what = {.base = i % 2 ? S("UTF8_LCASE") : S("UTF8_BINARY"), .lower = i % 2, .trims = i / 2}};
        info.name = collation_name(&info.what, arena);
        vec_push(arena, &all, info);
    }
    size_t first = all.len;
    for (size_t i = 0; i < LENGTH_OF(locales); i++)
        for (int k = 0; k < 8; k++) {
            CollationInfo info = {.language = locales[i].language ? str_from(locales[i].language) : S(""),
                                  .country = locales[i].country ? str_from(locales[i].country) : S("")};
            info.what = (Collation){.base = str_from(locales[i].name), .icu = true, .ignores_case = k & 1, .ignores_accents = k & 2, .trims = k & 4};
            info.name = collation_name(&info.what, arena);
            vec_push(arena, &all, info);
        }
    qsort(all.at + first, all.len - first, sizeof all.at[0], by_name);
    return all;
}

Str collation_cell(const CollationInfo *c, const char *column)
{
    Str name = str_from(column);
    if (str_is(name, "NAME"))
        return c->name;
    if (str_is(name, "LANGUAGE"))
        return c->language;
    if (str_is(name, "COUNTRY"))
        return c->country;
    if (str_is(name, "ACCENT_SENSITIVITY"))
        return c->what.ignores_accents ? S("ACCENT_INSENSITIVE") : S("ACCENT_SENSITIVE");
    if (str_is(name, "CASE_SENSITIVITY"))
        return c->what.ignores_case || c->what.lower ? S("CASE_INSENSITIVE") : S("CASE_SENSITIVE");
    if (str_is(name, "PAD_ATTRIBUTE"))
        return c->what.trims ? S("RTRIM") : S("NO_PAD");
    return c->what.icu ? S("78.3.0.0") : S(""); /* the version that Spark 4.2 carries */
}

/* ---- inside types ---- */

typedef bool (*OfString)(const Type *string, void *arg);

static bool any_string(const Type *t, OfString test, void *arg)
{
    switch (t->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return test(t, arg);
    case TYPE_ARRAY:
        return any_string(t->array.element, test, arg);
    case TYPE_MAP:
        return any_string(t->map.key, test, arg) || any_string(t->map.value, test, arg);
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            if (any_string(t->structure.fields[i].type, test, arg))
                return true;
        return false;
    default:
        return false;
    }
}

static bool collated(const Type *t, void *arg)
{
    (void)arg;
    return t->kind == TYPE_STRING && t->string.collation.len && !str_is(t->string.collation, "UTF8_BINARY");
}

static bool indeterminate(const Type *t, void *arg)
{
    return collated(t, arg) && str_is(t->string.collation, COLLATION_INDETERMINATE);
}

static bool any(const Type *t, void *arg)
{
    (void)t;
    (void)arg;
    return true;
}

static bool note(const Type *t, void *arg)
{
    *(Str *)arg = collated(t, NULL) ? t->string.collation : S("");
    return true;
}

bool type_is_collated(const Type *t) { return any_string(t, collated, NULL); }
bool type_is_indeterminate(const Type *t) { return any_string(t, indeterminate, NULL); }
bool type_has_string(const Type *t) { return any_string(t, any, NULL); }

Str type_first_collation(const Type *t)
{
    Str found = S("");
    (void)any_string(t, note, &found);
    return found;
}

const Type *type_with_collation(const Type *t, Str collation, bool only_plain, Arena *arena)
{
    switch (t->kind) {
    case TYPE_STRING:
        return only_plain && t->string.collation.len ? t : collation.len ? type_string(collation, arena) : collated(t, NULL) ? type_simple(TYPE_STRING) : t;
    case TYPE_ARRAY:
        return type_array(type_with_collation(t->array.element, collation, only_plain, arena), t->array.nulls, arena);
    case TYPE_MAP:
        return type_map(type_with_collation(t->map.key, collation, only_plain, arena),
                        type_with_collation(t->map.value, collation, only_plain, arena), t->map.nulls, arena);
    case TYPE_STRUCT: {
        VEC(Field) fields = {0};
        for (size_t i = 0; i < t->structure.count; i++) {
            Field f = t->structure.fields[i];
            f.type = type_with_collation(f.type, collation, only_plain, arena);
            vec_push(arena, &fields, f);
        }
        return type_struct(fields.at, fields.len, arena);
    }
    default:
        return t;
    }
}
