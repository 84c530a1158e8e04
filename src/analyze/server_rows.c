/* Table functions that tell what the server knows: sql_keywords() and collations(). */
#include "analyze/analyze_impl.h"
#include "type/collation.h"

typedef struct Keyword {
    const char *text;
} Keyword;

static const Keyword KEYWORDS[] = {
#define KEYWORD(id, text, flags) {text},
#define KEYWORD_SPELLING(id, text)
#include "sql/keywords.def"
#undef KEYWORD
#undef KEYWORD_SPELLING
};

static void push_row(Analyzer *a, RowVec *rows, const Value *cells, size_t count)
{
    Row row = {ARENA_ARRAY(a->arena, Value, count)};
    for (size_t i = 0; i < count; i++)
        row.cells[i] = cells[i];
    vec_push(a->arena, rows, row);
}

static bool keywords(Analyzer *a, BoundRel **out)
{
    const Field fields[] = {{S("keyword"), type_simple(TYPE_STRING), false, {0}}, {S("reserved"), type_simple(TYPE_BOOLEAN), false, {0}}};
    RowVec rows = {0};
    for (size_t i = 0; i < LENGTH_OF(KEYWORDS); i++) {
        Value cells[] = {value_string(str_from(KEYWORDS[i].text)), value_bool(false)};
        push_row(a, &rows, cells, LENGTH_OF(cells));
    }
    *out = rel_of_values(a, type_struct(fields, LENGTH_OF(fields), a->arena), &rows);
    return true;
}

static bool collations(Analyzer *a, BoundRel **out)
{
    static const char *const NAMES[] = {"CATALOG", "SCHEMA", "NAME", "LANGUAGE", "COUNTRY", "ACCENT_SENSITIVITY", "CASE_SENSITIVITY",
                                        "PAD_ATTRIBUTE", "ICU_VERSION"};
    const Type *text = type_simple(TYPE_STRING);
    Field fields[LENGTH_OF(NAMES)];
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        fields[i] = (Field){str_from(NAMES[i]), text, i == 3 || i == 4 || i == 8, {0}};
    RowVec rows = {0};
    CollationInfoVec all = collation_list(a->arena);
    for (size_t i = 0; i < all.len; i++) {
        Value cells[LENGTH_OF(NAMES)] = {value_string(S("SYSTEM")), value_string(S("BUILTIN"))};
        for (size_t k = 2; k < LENGTH_OF(NAMES); k++) {
            Str cell = collation_cell(&all.at[i], NAMES[k]);
            cells[k] = cell.len ? value_string(cell) : value_null(text);
        }
        push_row(a, &rows, cells, LENGTH_OF(cells));
    }
    *out = rel_of_values(a, type_struct(fields, LENGTH_OF(fields), a->arena), &rows);
    return true;
}

bool analyze_server_rows(Analyzer *a, Str name, bool *found, BoundRel **out)
{
    *found = true;
    if (str_is_ci(name, "sql_keywords"))
        return keywords(a, out);
    if (str_is_ci(name, "collations"))
        return collations(a, out);
    *found = false;
    return true;
}
