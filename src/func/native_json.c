/* JSON text functions: paths, keys, lengths, the schema of a sample. */
#include "func/native_impl.h"

#include <ctype.h>
#include <stdlib.h>

#include "func/json_node.h"
#include "func/record_text.h"

/* ---- get_json_object ---- */

enum { PATH_MAX_STEPS = 128 };

typedef enum StepKind { STEP_FIELD, STEP_INDEX, STEP_EVERY } StepKind;

typedef struct Step {
    StepKind kind;
    Str name;
    int64_t index;
} Step;

typedef struct Path {
    Step steps[PATH_MAX_STEPS];
    size_t count;
} Path;

static bool add_step(Path *p, Step s) {
    if (p->count == PATH_MAX_STEPS)
        return false;
    p->steps[p->count++] = s;
    return true;
}

/* $, .name, ['name'], [7], [*] */
static bool read_path(Str s, Path *p) {
    p->count = 0;
    if (!s.len || s.ptr[0] != '$')
        return false;
    for (size_t i = 1; i < s.len;) {
        size_t from = i + 1;
        if (s.ptr[i] == '.') {
            for (i++; i < s.len && s.ptr[i] != '.' && s.ptr[i] != '['; i++)
                ;
            if (i == from || !add_step(p, (Step){STEP_FIELD, str_slice(s, from, i), 0}))
                return false;
            if (str_is(p->steps[p->count - 1].name, "*"))
                return false;
        } else if (s.ptr[i] == '[' && from < s.len && s.ptr[from] == '\'') {
            for (i = from + 1; i < s.len && s.ptr[i] != '\''; i++)
                ;
            if (i + 1 >= s.len || s.ptr[i + 1] != ']' ||
                !add_step(p, (Step){STEP_FIELD, str_slice(s, from + 1, i), 0}))
                return false;
            i += 2;
        } else if (s.ptr[i] == '[') {
            for (i++; i < s.len && s.ptr[i] != ']'; i++)
                ;
            Str inside = str_slice(s, from, i);
            Step step = {str_is(inside, "*") ? STEP_EVERY : STEP_INDEX, {0}, 0};
            if (i == s.len ||
                (step.kind == STEP_INDEX && (!str_to_i64(inside, &step.index) || step.index < 0)) ||
                !add_step(p, step))
                return false;
            i++;
        } else {
            return false;
        }
    }
    return true;
}

typedef enum Style { STYLE_RAW, STYLE_QUOTED, STYLE_FLAT } Style;

/* Writes what the steps find, elements of arrays being written separated by commas; the count of
 * values written. */
static size_t walk(const JsonNode *v, const Step *steps, size_t count, Style style, bool first,
                   Buf *out);

static size_t walk_all(const JsonNode *v, const Step *steps, size_t count, Style style, bool first,
                       Buf *out) {
    size_t written = 0;
    for (const JsonNode *c = v->first; c; c = c->next)
        written += walk(c, steps, count, style, first && !written, out);
    return written;
}

static void comma(bool first, Buf *out) {
    if (!first)
        buf_addc(out, ',');
}

static size_t walk_every(const JsonNode *v, const Step *steps, size_t count, Style style,
                         bool first, Buf *out) {
    size_t mark = out->len;
    comma(first, out);
    if (count > 1 && steps[1].kind == STEP_EVERY) { /* [*][*] flattens */
        buf_addc(out, '[');
        size_t n = walk_all(v, steps + 2, count - 2, STYLE_FLAT, true, out);
        buf_addc(out, ']');
        return n > 0;
    }
    size_t open = out->len;
    buf_addc(out, '[');
    size_t n = walk_all(v, steps + 1, count - 1, style == STYLE_FLAT ? STYLE_FLAT : STYLE_QUOTED,
                        true, out);
    buf_addc(out, ']');
    if (style == STYLE_QUOTED)
        return 1;
    if (!n) {
        out->len = mark;
    } else if (n == 1) { /* a single match stands without the brackets */
        memmove(out->ptr + open, out->ptr + open + 1, out->len - open - 2);
        out->len -= 2;
    }
    return n > 0;
}

static size_t walk(const JsonNode *v, const Step *steps, size_t count, Style style, bool first,
                   Buf *out) {
    if (!count) {
        if (v->kind == JSON_ARRAY && style == STYLE_FLAT)
            return walk_all(v, steps, 0, style, first, out);
        comma(first, out);
        if (v->kind == JSON_STRING && style == STYLE_RAW)
            buf_add(out, v->text);
        else
            json_node_put(v, out);
        return 1;
    }
    if (v->kind == JSON_OBJECT && steps->kind == STEP_FIELD) {
        for (const JsonNode *c = v->first; c; c = c->next)
            if (str_eq(c->key, steps->name) && c->kind != JSON_NULL) {
                size_t n = walk(c, steps + 1, count - 1, style, first, out);
                if (n)
                    return n;
            }
        return 0;
    }
    if (v->kind != JSON_ARRAY || steps->kind == STEP_FIELD)
        return 0;
    if (steps->kind == STEP_EVERY)
        return walk_every(v, steps, count, style, first, out);
    const JsonNode *c = v->first;
    for (int64_t i = 0; c && i < steps->index; i++)
        c = c->next;
    bool then_every = count > 1 && steps[1].kind == STEP_EVERY;
    return c ? walk(c, steps + 1, count - 1, then_every ? STYLE_QUOTED : style, first, out) : 0;
}

static bool row_get_json_object(Native *n, idx_t row) {
    Path path;
    JsonNode *root = read_path(native_str(n, 1, row), &path)
                         ? json_node_parse(native_str(n, 0, row), NULL, n->arena)
                         : NULL;
    if (!root || !walk(root, path.steps, path.count, STYLE_RAW, true, &n->scratch))
        return native_set_null(n, row);
    return native_set_scratch(n, row);
}

/* One field of json_tuple. */
static bool row_json_field(Native *n, idx_t row) {
    JsonNode *root = json_node_parse(native_str(n, 0, row), NULL, n->arena);
    const JsonNode *field = root ? json_node_field(root, native_str(n, 1, row)) : NULL;
    if (!field || field->kind == JSON_NULL)
        return native_set_null(n, row);
    if (field->kind == JSON_STRING)
        return native_set_str(n, row, field->text);
    json_node_put(field, &n->scratch);
    return native_set_scratch(n, row);
}

static bool row_array_length(Native *n, idx_t row) {
    JsonNode *root = json_node_parse(native_str(n, 0, row), NULL, n->arena);
    return root && root->kind == JSON_ARRAY ? native_set_i32(n, row, (int32_t)root->count)
                                            : native_set_null(n, row);
}

static bool row_object_keys(Native *n, idx_t row) {
    JsonNode *root = json_node_parse(native_str(n, 0, row), NULL, n->arena);
    if (!root || root->kind != JSON_OBJECT)
        return native_set_null(n, row);
    idx_t at = native_list_begin(n, row, root->count);
    for (const JsonNode *c = root->first; c; c = c->next)
        duckdb_vector_assign_string_element_len(n->out_vec.children[0].vector, at++,
                                                c->key.len ? c->key.ptr : "", c->key.len);
    return true;
}

/* The elements of what ls_from_json wrote for a nested value. */
static bool row_items(Native *n, idx_t row) {
    JsonNode *root = json_node_parse(native_str(n, 0, row), NULL, n->arena);
    if (!root || root->kind != JSON_ARRAY)
        return native_set_null(n, row);
    idx_t at = native_list_begin(n, row, root->count);
    for (const JsonNode *c = root->first; c; c = c->next, at++) {
        Str s = c->kind == JSON_STRING ? c->text : c->raw;
        if (c->kind == JSON_NULL)
            native_vec_set_null(&n->out_vec.children[0], at);
        else
            duckdb_vector_assign_string_element_len(n->out_vec.children[0].vector, at,
                                                    s.len ? s.ptr : "", s.len);
    }
    return true;
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_get_json_object", "s:ss", row_get_json_object, 0, 0},
    {"ls_json_field", "s:ss", row_json_field, 0, 0},
    {"ls_json_array_length", "4:s", row_array_length, 0, 0},
    {"ls_json_object_keys", "[s:s", row_object_keys, 0, 0},
    {"ls_json_items", "[s:s", row_items, 0, 0},
};

bool native_register_json(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err) &&
           native_register_record_text(c, err);
}
