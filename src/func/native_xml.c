/* XML by libxml2: the xpath family, from_xml, to_xml, and the schema of a sample. Documents load
 * nothing from outside, and entities stay within libxml2's own limits. */
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <math.h>
#include <stdlib.h>

#include "func/record_text.h"
#include "type/number_text.h"

enum { XML_MAX_DEPTH = TYPE_MAX_DEPTH };

/* NULL: not well-formed. */
static xmlDoc *xml_open(Str text) {
    if (text.len > INT32_MAX)
        return NULL;
    return xmlReadMemory(text.ptr, (int)text.len, NULL, NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                             XML_PARSE_NOCDATA);
}

static Str name_of(const xmlNode *node) {
    return node->name ? str_from((const char *)node->name) : S("");
}

static Str copy_content(const xmlNode *node, Arena *arena) {
    xmlChar *text = xmlNodeGetContent(node);
    Str out = str_copy(text ? str_from((const char *)text) : S(""), arena);
    xmlFree(text);
    return out;
}

/* ---- xpath ---- */

/* XPath 1.0 numbers: digits and a point, no exponent. */
static double number_of_text(Str s) {
    double v;
    s = str_trim(s);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c >= '0' && c <= '9') && c != '.' && !(c == '-' && !i))
            return NAN;
    }
    return s.len && str_to_f64(s, &v) ? v : NAN;
}

static double object_number(const xmlXPathObject *o, Arena *arena) {
    if (o->type == XPATH_NODESET)
        return o->nodesetval && o->nodesetval->nodeNr
                   ? number_of_text(copy_content(o->nodesetval->nodeTab[0], arena))
                   : NAN;
    return o->type == XPATH_STRING ? number_of_text(str_from((const char *)o->stringval))
                                   : xmlXPathCastToNumber((xmlXPathObject *)o);
}

/* Of a node what DOM calls its value: elements have none. */
static bool set_nodes(Native *n, idx_t row, const xmlXPathObject *o) {
    const xmlNodeSet *set = o->nodesetval;
    idx_t count = set ? (idx_t)set->nodeNr : 0, at = native_list_begin(n, row, count);
    for (idx_t i = 0; i < count; i++, at++) {
        const xmlNode *node = set->nodeTab[i];
        if (node->type == XML_ELEMENT_NODE || node->type == XML_DOCUMENT_NODE) {
            native_vec_set_null(&n->out_vec.children[0], at);
            continue;
        }
        Str s = copy_content(node, n->arena);
        duckdb_vector_assign_string_element_len(n->out_vec.children[0].vector, at, s.ptr, s.len);
    }
    return true;
}

static bool set_object(Native *n, idx_t row, xmlXPathObject *o) {
    switch (n->function->variant) {
    case 'l':
        return set_nodes(n, row, o);
    case 's': {
        xmlChar *text = xmlXPathCastToString(o);
        native_set_str(n, row, str_from((const char *)text));
        xmlFree(text);
        return true;
    }
    case 'b':
        return native_set_bool(n, row, xmlXPathCastToBoolean(o) != 0);
    default:
        return native_set_f64(n, row, object_number(o, n->arena));
    }
}

static void silent(void *context, xmlErrorPtr error) {
    (void)context;
    (void)error;
}

/* (xml, path); an empty document or path is NULL. */
static bool row_xpath(Native *n, idx_t row) {
    Str xml = native_str(n, 0, row), path = native_str(n, 1, row);
    if (!xml.len || !path.len)
        return native_set_null(n, row);
    xmlDoc *doc = xml_open(xml);
    if (!doc)
        return NATIVE_FAIL(n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "xpath"),
                           P("reason", str_printf(n->arena,
                                                   "Error loading expression '" STR_FMT "'",
                                                   STR_ARG(path))));
    xmlXPathContext *context = xmlXPathNewContext(doc);
    context->error = silent;
    context->node = (xmlNode *)doc; /* where relative paths start */
    xmlXPathObject *o = xmlXPathEvalExpression((const xmlChar *)str_z(path, n->arena), context);
    bool fits = o && (n->function->variant != 'l' || o->type == XPATH_NODESET);
    bool ok = fits ? set_object(n, row, o)
                   : NATIVE_FAIL(n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "xpath"),
                                 P("reason", str_printf(n->arena, "Invalid XPath '" STR_FMT "'",
                                                         STR_ARG(path))));
    xmlXPathFreeObject(o);
    xmlXPathFreeContext(context);
    xmlFreeDoc(doc);
    return ok;
}

/* ---- from_xml ---- */

typedef struct Reading {
    const RecordOptions *o;
    Str prefix, value_tag;
    bool attributes;
    Arena *arena;
    Error *err;
    bool bad; /* something did not fit its type */
} Reading;

static Reading reading_of(const RecordOptions *o, Arena *arena, Error *err) {
    return (Reading){.o = o,
                     .prefix = record_option(o, "attributeprefix", "_"),
                     .value_tag = record_option(o, "valuetag", "_VALUE"),
                     .attributes = !record_flag(o, "excludeattribute", false),
                     .arena = arena,
                     .err = err};
}

static bool read_element(Reading *r, const xmlNode *node, const Type *t, unsigned depth, Str *out,
                         bool *null);

static bool read_text(Reading *r, Str text, const Type *t, Str *out, bool *null) {
    if (record_flag(r->o, "ignoresurroundingspaces", true))
        text = str_trim(text);
    *null = (!text.len && !type_is_stringy(t)) || str_eq(text, record_option(r->o, "nullvalue", "\1"));
    if (*null || record_leaf(text, t, r->o, r->arena, out, r->err))
        return true;
    r->bad = *null = true;
    return !error_is_set(r->err);
}

static const xmlAttr *attribute(const Reading *r, const xmlNode *node, Str field) {
    if (!r->attributes || !str_starts_with(field, r->prefix))
        return NULL;
    Str name = str_slice(field, r->prefix.len, field.len);
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (str_ieq(str_from((const char *)a->name), name))
            return a;
    return NULL;
}

/* The element's own text, without that of elements inside. */
static Str own_text(const xmlNode *node, Arena *arena) {
    Buf b = buf_in(arena);
    for (const xmlNode *c = node->children; c; c = c->next)
        if (c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE)
            buf_add(&b, copy_content(c, arena));
    return b.len ? buf_str(&b) : S("");
}

static bool read_repeated(Reading *r, const xmlNode *node, const Field *f, unsigned depth, Str *out,
                          bool *null) {
    const Type *element = f->type->array.element;
    Buf b = buf_in(r->arena);
    *null = true;
    for (const xmlNode *c = node->children; c; c = c->next) {
        Str text = {0};
        bool none;
        if (c->type != XML_ELEMENT_NODE || !str_ieq(name_of(c), f->name))
            continue;
        TRY(read_element(r, c, element, depth + 1, &text, &none));
        buf_addc(&b, *null ? '[' : ',');
        *null = false;
        record_put_entry(&b, true, text, none, element);
    }
    buf_addc(&b, ']');
    *out = buf_str(&b);
    return true;
}

static bool read_field(Reading *r, const xmlNode *node, const Field *f, unsigned depth, Str *out,
                       bool *null) {
    const xmlAttr *a = attribute(r, node, f->name);
    *null = true;
    if (a)
        return read_text(r, copy_content((const xmlNode *)a, r->arena), f->type, out, null);
    if (str_eq(f->name, r->value_tag)) {
        Str text = own_text(node, r->arena);
        return !str_trim(text).len || read_text(r, text, f->type, out, null);
    }
    if (f->type->kind == TYPE_ARRAY)
        return read_repeated(r, node, f, depth, out, null);
    for (const xmlNode *c = node->children; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE && str_ieq(name_of(c), f->name))
            TRY(read_element(r, c, f->type, depth + 1, out, null));
    return true;
}

static bool read_map(Reading *r, const xmlNode *node, const Type *t, unsigned depth, Buf *b) {
    Buf keys = buf_in(r->arena), values = buf_in(r->arena);
    bool first = true;
    for (const xmlAttr *a = r->attributes ? node->properties : NULL; a; a = a->next) {
        Str text;
        bool null;
        TRY(read_text(r, copy_content((const xmlNode *)a, r->arena), t->map.value, &text, &null));
        record_put_entry(&keys, first,
                         str_concat(r->arena, r->prefix, str_from((const char *)a->name)), false,
                         t->map.key);
        record_put_entry(&values, first, text, null, t->map.value);
        first = false;
    }
    for (const xmlNode *c = node->children; c; c = c->next) {
        Str text = {0};
        bool null;
        if (c->type != XML_ELEMENT_NODE)
            continue;
        TRY(read_element(r, c, t->map.value, depth + 1, &text, &null));
        record_put_entry(&keys, first, name_of(c), false, t->map.key);
        record_put_entry(&values, first, text, null, t->map.value);
        first = false;
    }
    buf_addf(b, "[[%s],[%s]]", keys.len ? keys.ptr : "", values.len ? values.ptr : "");
    return true;
}

static bool read_element(Reading *r, const xmlNode *node, const Type *t, unsigned depth, Str *out,
                         bool *null) {
    if (depth > XML_MAX_DEPTH)
        return error_unsupported(r->err, "XML nested more than %d levels deep", XML_MAX_DEPTH);
    if (!type_is_nested(t))
        return read_text(r, copy_content(node, r->arena), t, out, null);
    Buf b = buf_in(r->arena);
    *null = false;
    if (t->kind == TYPE_MAP) {
        TRY(read_map(r, node, t, depth, &b));
    } else if (t->kind == TYPE_ARRAY) { /* an array of one */
        Str text = {0};
        bool none;
        TRY(read_element(r, node, t->array.element, depth + 1, &text, &none));
        buf_addc(&b, '[');
        record_put_entry(&b, true, text, none, t->array.element);
        buf_addc(&b, ']');
    } else {
        buf_addc(&b, '[');
        for (size_t i = 0; i < t->structure.count; i++) {
            Str text = {0};
            bool none;
            TRY(read_field(r, node, &t->structure.fields[i], depth, &text, &none));
            record_put_entry(&b, !i, text, none, t->structure.fields[i].type);
        }
        buf_addc(&b, ']');
    }
    *out = buf_str(&b);
    return true;
}

/* (text, type as JSON, options) */
static bool row_from_xml(Native *n, idx_t row) {
    const Type *t;
    const RecordOptions *o;
    TRY(record_constants(n, row, &t, &o));
    Error err = error_in(n->arena);
    Reading r = reading_of(o, n->arena, &err);
    Str text = native_str(n, 0, row);
    size_t count = t->structure.count;
    Str *texts = ARENA_ARRAY(n->arena, Str, count + 1);
    bool *nulls = ARENA_ARRAY(n->arena, bool, count + 1);
    memset(nulls, true, count);
    xmlDoc *doc = xml_open(text);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    r.bad = !root;
    bool ok = true;
    for (size_t i = 0; ok && root && i < count; i++)
        ok = read_field(&r, root, &t->structure.fields[i], 0, &texts[i], &nulls[i]);
    xmlFreeDoc(doc);
    return ok ? record_set(n, row, t, o, texts, nulls, r.bad, text) : native_fail_with(n, &err);
}

/* ---- schema_of_xml ---- */

static const Type *infer_text(Str text, const RecordOptions *o, Arena *arena) {
    static const TypeKind TRIES[] = {TYPE_LONG, TYPE_DOUBLE, TYPE_BOOLEAN, TYPE_DATE,
                                     TYPE_TIMESTAMP};
    Error err = error_in(arena);
    Str ignored;
    text = str_trim(text);
    if (!text.len)
        return type_simple(TYPE_NULL);
    if (!record_flag(o, "inferschema", true))
        return type_simple(TYPE_STRING);
    for (size_t i = 0; i < LENGTH_OF(TRIES); i++) {
        if ((TRIES[i] == TYPE_DATE && text.len != 10) ||
            (TRIES[i] == TYPE_TIMESTAMP && text.len <= 10))
            continue;
        if (record_leaf(text, type_simple(TRIES[i]), o, arena, &ignored, &err))
            return type_simple(TRIES[i]);
    }
    return type_simple(TYPE_STRING);
}

static const Type *merge(const Reading *r, const Type *a, const Type *b);

typedef VEC(Field) Fields;

static void put_field(const Reading *r, Fields *out, Str name, const Type *t, bool repeats) {
    for (size_t i = 0; i < out->len; i++) {
        Field *f = &out->at[i];
        if (!str_eq(f->name, name))
            continue;
        const Type *have = repeats && f->type->kind == TYPE_ARRAY ? f->type->array.element : f->type;
        f->type = merge(r, have, t);
        if (repeats)
            f->type = type_array(f->type, true, r->arena);
        return;
    }
    vec_push(r->arena, out, ((Field){.name = name, .type = t, .nullable = true}));
}

static int by_name(const void *a, const void *b) {
    return str_cmp(((const Field *)a)->name, ((const Field *)b)->name);
}

static const Type *struct_of(Fields *fields, Arena *arena) {
    if (fields->len)
        qsort(fields->at, fields->len, sizeof(Field), by_name);
    return type_struct(fields->at, fields->len, arena);
}

static const Type *merge(const Reading *r, const Type *a, const Type *b) {
    if (a->kind == TYPE_NULL || type_same_shape(a, b))
        return b;
    if (b->kind == TYPE_NULL)
        return a;
    if (a->kind == TYPE_ARRAY || b->kind == TYPE_ARRAY)
        return type_array(merge(r, a->kind == TYPE_ARRAY ? a->array.element : a,
                                b->kind == TYPE_ARRAY ? b->array.element : b),
                          true, r->arena);
    if (a->kind == TYPE_STRUCT || b->kind == TYPE_STRUCT) {
        Fields fields = {0};
        const Type *both[] = {a, b};
        for (size_t k = 0; k < 2; k++) {
            if (both[k]->kind != TYPE_STRUCT)
                put_field(r, &fields, r->value_tag, both[k], false);
            for (size_t i = 0; both[k]->kind == TYPE_STRUCT && i < both[k]->structure.count; i++)
                put_field(r, &fields, both[k]->structure.fields[i].name,
                          both[k]->structure.fields[i].type, false);
        }
        return struct_of(&fields, r->arena);
    }
    bool numbers = type_is_numeric(a) && type_is_numeric(b);
    return type_simple(numbers ? TYPE_DOUBLE : TYPE_STRING);
}

static const Type *infer_element(const Reading *r, const xmlNode *node, unsigned depth) {
    Fields fields = {0};
    for (const xmlAttr *a = r->attributes ? node->properties : NULL; a; a = a->next)
        put_field(r, &fields,
                  str_concat(r->arena, r->prefix, str_from((const char *)a->name)),
                  infer_text(copy_content((const xmlNode *)a, r->arena), r->o, r->arena), false);
    for (const xmlNode *c = node->children; c && depth < XML_MAX_DEPTH; c = c->next)
        if (c->type == XML_ELEMENT_NODE)
            put_field(r, &fields, str_copy(name_of(c), r->arena), infer_element(r, c, depth + 1),
                      true);
    Str text = own_text(node, r->arena);
    if (!fields.len)
        return infer_text(text, r->o, r->arena);
    if (str_trim(text).len)
        put_field(r, &fields, r->value_tag, infer_text(text, r->o, r->arena), false);
    return struct_of(&fields, r->arena);
}

static const Type *without_null(const Type *t, Arena *arena) {
    if (t->kind == TYPE_NULL)
        return type_simple(TYPE_STRING);
    if (t->kind == TYPE_ARRAY)
        return type_array(without_null(t->array.element, arena), true, arena);
    if (t->kind != TYPE_STRUCT)
        return t;
    Field *fields = ARENA_ARRAY(arena, Field, t->structure.count + 1);
    for (size_t i = 0; i < t->structure.count; i++) {
        fields[i] = t->structure.fields[i];
        fields[i].type = without_null(fields[i].type, arena);
    }
    return type_struct(fields, t->structure.count, arena);
}

const Type *record_infer_xml(Str sample, const RecordOptions *o, Arena *arena) {
    Error err = error_in(arena);
    Reading r = reading_of(o, arena, &err);
    xmlDoc *doc = xml_open(sample);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    const Type *t = root ? without_null(infer_element(&r, root, 0), arena) : NULL;
    xmlFreeDoc(doc);
    return t;
}

/* A record without attributes and children is its text. */
static const Type *row_struct(const Reading *r, const Type *t) {
    Fields fields = {0};
    if (t->kind == TYPE_STRUCT)
        return t;
    if (t->kind != TYPE_NULL)
        put_field(r, &fields, r->value_tag, t, false);
    return struct_of(&fields, r->arena);
}

const Type *record_infer_xml_rows(const Str *records, size_t count, const RecordOptions *o, Arena *arena, bool *malformed) {
    Error err = error_in(arena);
    Reading r = reading_of(o, arena, &err);
    const Type *all = type_struct(NULL, 0, arena);
    *malformed = false;
    for (size_t i = 0; i < count; i++) {
        xmlDoc *doc = xml_open(records[i]);
        const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
        if (root)
            all = merge(&r, all, row_struct(&r, infer_element(&r, root, 0)));
        *malformed |= !root;
        xmlFreeDoc(doc);
    }
    return without_null(all, arena);
}

/* ---- to_xml ---- */

typedef struct Writing {
    const RecordOptions *o;
    Str prefix, value_tag, indent;
    const JsonNode *null_value; /* NULL: NULLs are left out */
    Error *err;
} Writing;

static void put_escaped(Str s, bool attribute_value, Buf *out) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '&')
            buf_addz(out, "&amp;");
        else if (c == '<')
            buf_addz(out, "&lt;");
        else if (c == '>' && !attribute_value)
            buf_addz(out, "&gt;");
        else if (c == '"' && attribute_value)
            buf_addz(out, "&quot;");
        else
            buf_addc(out, c);
    }
}

static bool put_text(const Writing *w, const NativeVec *v, idx_t row, const Type *t, bool attr,
                     Buf *out) {
    Buf text = buf_in(w->o->arena);
    if (t->kind == TYPE_BINARY) { /* as show() prints it */
        Str bytes = native_str_at(v, row);
        for (size_t i = 0; i < bytes.len; i++)
            buf_addf(&text, "%s%02X", i ? " " : "[", (unsigned char)bytes.ptr[i]);
        buf_addz(&text, bytes.len ? "]" : "[]");
    } else {
        TRY(record_value_text(v, row, t, w->o, &text, w->err));
    }
    if (text.len)
        put_escaped(buf_str(&text), attr, out);
    return true;
}

static void put_line(const Writing *w, unsigned level, Buf *out) {
    if (out->len)
        buf_addc(out, '\n');
    for (unsigned i = 0; i < level; i++)
        buf_add(out, w->indent);
}

static bool put_element(const Writing *w, Str name, const NativeVec *v, idx_t row, const Type *t,
                        unsigned level, Buf *out);

static bool is_attribute(const Writing *w, const Field *f) {
    return w->prefix.len && str_starts_with(f->name, w->prefix) &&
           !str_eq(f->name, w->value_tag) && !type_is_nested(f->type);
}

static bool put_struct(const Writing *w, Str name, const NativeVec *v, idx_t row, const Type *t,
                       unsigned level, Buf *out) {
    size_t n = t->structure.count < v->child_count ? t->structure.count : v->child_count;
    bool children = false;
    for (size_t i = 0; i < n; i++) {
        const Field *f = &t->structure.fields[i];
        if (!is_attribute(w, f) || native_is_null(&v->children[i], row))
            continue;
        buf_addf(out, " " STR_FMT "=\"",
                 STR_ARG(str_slice(f->name, w->prefix.len, f->name.len)));
        TRY(put_text(w, &v->children[i], row, f->type, true, out));
        buf_addc(out, '"');
    }
    size_t head = out->len;
    for (size_t i = 0; i < n; i++) {
        const Field *f = &t->structure.fields[i];
        bool null = native_is_null(&v->children[i], row);
        if (is_attribute(w, f) || (null && !w->null_value))
            continue;
        if (out->len == head)
            buf_addc(out, '>');
        if (null) {
            children = true;
            put_line(w, level + 1, out);
            buf_addf(out, "<" STR_FMT ">" STR_FMT "</" STR_FMT ">", STR_ARG(f->name), STR_ARG(w->null_value->text), STR_ARG(f->name));
            continue;
        }
        if (str_eq(f->name, w->value_tag)) {
            TRY(put_text(w, &v->children[i], row, f->type, false, out));
            continue;
        }
        size_t before = out->len;
        TRY(put_element(w, f->name, &v->children[i], row, f->type, level + 1, out));
        children |= out->len != before;
    }
    if (out->len == head) {
        buf_addz(out, "/>");
        return true;
    }
    if (children)
        put_line(w, level, out);
    buf_addf(out, "</" STR_FMT ">", STR_ARG(name));
    return true;
}

static bool put_map(const Writing *w, Str name, const NativeVec *v, idx_t row, const Type *t,
                    unsigned level, Buf *out) {
    duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[row];
    const NativeVec *entry = &v->children[0];
    buf_addc(out, '>');
    for (idx_t i = e.offset; i < e.offset + e.length; i++) {
        Buf key = buf_in(w->o->arena);
        TRY(record_value_text(&entry->children[0], i, t->map.key, w->o, &key, w->err));
        if (!native_is_null(&entry->children[1], i))
            TRY(put_element(w, buf_str(&key), &entry->children[1], i, t->map.value, level + 1,
                            out));
    }
    put_line(w, level, out);
    buf_addf(out, "</" STR_FMT ">", STR_ARG(name));
    return true;
}

static bool put_element(const Writing *w, Str name, const NativeVec *v, idx_t row, const Type *t,
                        unsigned level, Buf *out) {
    if (t->kind == TYPE_ARRAY) {
        duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[row];
        for (idx_t i = e.offset; i < e.offset + e.length; i++)
            if (!native_is_null(&v->children[0], i))
                TRY(put_element(w, name, &v->children[0], i, t->array.element, level, out));
        return true;
    }
    put_line(w, level, out);
    buf_addf(out, "<" STR_FMT, STR_ARG(name));
    if (t->kind == TYPE_STRUCT)
        return put_struct(w, name, v, row, t, level, out);
    if (t->kind == TYPE_MAP)
        return put_map(w, name, v, row, t, level, out);
    buf_addc(out, '>');
    TRY(put_text(w, v, row, t, false, out));
    buf_addf(out, "</" STR_FMT ">", STR_ARG(name));
    return true;
}

/* (value, type as JSON, options) */
static bool row_to_xml(Native *n, idx_t row) {
    const Type *t;
    const RecordOptions *o;
    TRY(record_constants(n, row, &t, &o));
    Error err = error_in(n->arena);
    Writing w = {.o = o,
                 .prefix = record_option(o, "attributeprefix", "_"),
                 .value_tag = record_option(o, "valuetag", "_VALUE"),
                 .indent = record_option(o, "indent", "    "),
                 .null_value = o->map ? json_node_field(o->map, S("nullvalue")) : NULL,
                 .err = &err};
    if (!put_element(&w, record_option(o, "rowtag", "ROW"), &n->args[0], row, t, 0, &n->scratch))
        return native_fail_with(n, &err);
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_xpath", "[s:ss", row_xpath, 0, 'l'},
    {"ls_xpath_string", "s:ss", row_xpath, 0, 's'},
    {"ls_xpath_boolean", "b:ss", row_xpath, 0, 'b'},
    {"ls_xpath_number", "d:ss", row_xpath, 0, 'd'},
    {"ls_from_xml", "[s:sss", row_from_xml, 0, 0},
    {"ls_to_xml", "s:?ss", row_to_xml, 0, 0},
};

bool native_register_xml(duckdb_connection c, Error *err) {
    xmlInitParser();
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
