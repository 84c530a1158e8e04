/* Which groups of a Parquet file its footer marks as variants (logical type VARIANT), and which columns have theirs in shreds: a walk over
 * Thrift's compact protocol that looks at nothing else. Format: parquet.thrift, "LogicalTypes", "VariantShredding". */
#include "engine/variant_footer.h"

#include <string.h>

#include "base/buf.h"

/* ---- Thrift ---- */

enum { MAX_DEPTH = 32 };
enum { T_STOP, T_TRUE, T_FALSE, T_BYTE, T_I16, T_I32, T_I64, T_DOUBLE, T_BINARY, T_LIST, T_SET, T_MAP, T_STRUCT };
/* FileMetaData.schema; SchemaElement.name, .num_children and .logicalType; LogicalType.VARIANT */
enum { FIELD_SCHEMA = 2, FIELD_NAME = 4, FIELD_CHILDREN = 5, FIELD_LOGICAL = 10, FIELD_VARIANT = 16 };

typedef struct Footer {
    const uint8_t *start, *at, *end;
    bool bad;
    VariantFooter *out;
    Arena *arena;
} Footer;

static uint64_t varint(Footer *f)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (f->at >= f->end)
            break;
        uint8_t b = *f->at++;
        n |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return n;
    }
    f->bad = true;
    return 0;
}

static int64_t zigzag(Footer *f)
{
    uint64_t n = varint(f);
    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static void skip_bytes(Footer *f, uint64_t n)
{
    if (n > (uint64_t)(f->end - f->at))
        f->bad = true;
    else
        f->at += n;
}

/* The next field of a struct; false at its end. */
static bool next_field(Footer *f, int64_t *id, unsigned *type)
{
    if (f->bad || f->at >= f->end)
        return f->bad = true, false;
    uint8_t header = *f->at++;
    *type = header & 0x0f;
    if (*type == T_STOP)
        return false;
    *id = header >> 4 ? *id + (header >> 4) : zigzag(f);
    f->bad |= *id < INT16_MIN || *id > INT16_MAX;
    return !f->bad;
}

static void skip_value(Footer *f, unsigned type, unsigned depth);

static void list_header(Footer *f, uint64_t *count, unsigned *type)
{
    uint8_t header = f->at < f->end ? *f->at++ : (f->bad = true, 0);
    *type = header & 0x0f;
    *count = header >> 4 < 15 ? header >> 4 : varint(f);
}

static void skip_items(Footer *f, uint64_t count, unsigned type, unsigned depth)
{
    for (uint64_t i = 0; i < count && !f->bad; i++)
        if (type <= T_BYTE)
            skip_bytes(f, 1);
        else
            skip_value(f, type, depth);
}

static void skip_map(Footer *f, unsigned depth)
{
    uint64_t count = varint(f);
    uint8_t types = count && f->at < f->end ? *f->at++ : 0;
    for (uint64_t i = 0; i < count && !f->bad; i++) {
        skip_items(f, 1, types >> 4, depth);
        skip_items(f, 1, types & 0x0f, depth);
    }
}

static void skip_struct(Footer *f, unsigned depth)
{
    int64_t id = 0;
    unsigned type;
    while (next_field(f, &id, &type))
        skip_value(f, type, depth);
}

static void skip_value(Footer *f, unsigned type, unsigned depth)
{
    uint64_t count;
    unsigned item;
    if (depth >= MAX_DEPTH) {
        f->bad = true;
        return;
    }
    switch (type) {
    case T_TRUE:
    case T_FALSE: return;
    case T_BYTE: skip_bytes(f, 1); return;
    case T_I16:
    case T_I32:
    case T_I64: (void)varint(f); return;
    case T_DOUBLE: skip_bytes(f, 8); return;
    case T_BINARY: skip_bytes(f, varint(f)); return;
    case T_LIST:
    case T_SET:
        list_header(f, &count, &item);
        skip_items(f, count, item, depth + 1);
        return;
    case T_MAP: skip_map(f, depth + 1); return;
    case T_STRUCT: skip_struct(f, depth + 1); return;
    default: f->bad = true;
    }
}

/* ---- the schema ---- */

/* False: the logical type is another. */
static bool find_mark(Footer *f)
{
    int64_t id = 0;
    unsigned type;
    bool found = false;
    while (next_field(f, &id, &type)) {
        if (id == FIELD_VARIANT && type == T_STRUCT && f->at[-1] == VARIANT_MARK) {
            vec_push(f->arena, &f->out->marks, (size_t)(f->at - 1 - f->start));
            found = true;
        }
        skip_value(f, type, 2);
    }
    return found;
}

typedef struct Element {
    Str name; /* in the footer */
    int64_t children, last_id;
    size_t end;
    bool marked;
} Element;

static void read_element(Footer *f, Element *e)
{
    int64_t id = 0;
    unsigned type;
    *e = (Element){.children = 0};
    while (next_field(f, &id, &type)) {
        e->last_id = id;
        if (id == FIELD_CHILDREN && type == T_I32)
            e->children = zigzag(f);
        else if (id == FIELD_LOGICAL && type == T_STRUCT)
            e->marked = find_mark(f);
        else if (id == FIELD_NAME && type == T_BINARY) {
            uint64_t n = varint(f);
            const uint8_t *text = f->at;
            skip_bytes(f, n);
            e->name = f->bad ? (Str){0} : (Str){(const char *)text, n};
        } else
            skip_value(f, type, 1);
    }
    e->end = f->bad ? 0 : (size_t)(f->at - 1 - f->start);
}

/* A column of the file with all that is in it: elements stand in depth-first order. */
typedef struct Column {
    Element last[4]; /* the newest first */
    bool shredded;
    VEC(MissingMark) missing;
} Column;

static bool is_part(const Element *e)
{
    return !e->children && (str_is(e->name, "value") || str_is(e->name, "metadata"));
}

static void note_variant(Footer *f, Column *c, const Element *group)
{
    if (!group->marked && group->last_id > 0 && group->last_id < FIELD_LOGICAL)
        vec_push(f->arena, &c->missing, ((MissingMark){group->end, (unsigned)group->last_id}));
}

/* Whether a variant's group was just completed: its parts stand right behind it. */
static void look_back(Footer *f, Column *c)
{
    const Element *e = c->last;
    if (is_part(&e[0]) && is_part(&e[1]) && e[2].children == 2)
        note_variant(f, c, &e[2]);
    if (!str_is(e[0].name, "typed_value") || !is_part(&e[1]) || !is_part(&e[2]) || e[3].children != 3)
        return;
    c->shredded = true;
    note_variant(f, c, &e[3]);
}

static void read_column(Footer *f, uint64_t *left)
{
    Column c = {.shredded = false};
    Str name = {0};
    size_t marks = f->out->marks.len;
    for (int64_t open = 1, first = 1; open > 0 && *left && !f->bad; --*left, first = 0) {
        memmove(&c.last[1], &c.last[0], sizeof c.last - sizeof c.last[0]);
        read_element(f, &c.last[0]);
        if (first)
            name = c.last[0].name;
        look_back(f, &c);
        f->bad |= c.last[0].children < 0 || c.last[0].children > (int64_t)*left;
        open += c.last[0].children - 1;
    }
    if (!c.shredded || f->bad)
        return;
    f->out->marks.len = marks;
    for (size_t i = 0; i < c.missing.len; i++)
        vec_push(f->arena, &f->out->missing, c.missing.at[i]);
    vec_push(f->arena, &f->out->shredded, str_copy(name, f->arena));
}

static void find_marks(Footer *f)
{
    int64_t id = 0;
    unsigned type, item;
    while (next_field(f, &id, &type)) {
        if (id != FIELD_SCHEMA || type != T_LIST) {
            skip_value(f, type, 0);
            continue;
        }
        uint64_t count;
        list_header(f, &count, &item);
        Element root;
        if (item != T_STRUCT || !count)
            return;
        read_element(f, &root);
        for (count--; count && !f->bad;)
            read_column(f, &count);
        return;
    }
}

bool variant_footer_read(Str footer, Arena *arena, VariantFooter *out)
{
    *out = (VariantFooter){.marks = {0}};
    const uint8_t *bytes = (const uint8_t *)footer.ptr;
    Footer f = {.start = bytes, .at = bytes, .end = bytes + footer.len, .out = out, .arena = arena};
    find_marks(&f);
    if (f.bad)
        *out = (VariantFooter){.marks = {0}};
    return !f.bad;
}

Str variant_footer_change(Str footer, const VariantFooter *f, Arena *arena)
{
    static const char no_mark = 63 << 1; /* a logical type that no reader knows */
    Buf b = buf_in(arena);
    size_t from = 0, missing = 0;
    for (size_t mark = 0; mark < f->marks.len || missing < f->missing.len;) {
        bool takes = missing == f->missing.len || (mark < f->marks.len && f->marks.at[mark] < f->missing.at[missing].at);
        size_t at = takes ? f->marks.at[mark++] : f->missing.at[missing].at;
        buf_add(&b, str_slice(footer, from, at));
        from = at;
        if (takes) {
            buf_addc(&b, no_mark);
            from++;
            continue;
        }
        /* logicalType { 16: VariantType { 1: version 1 } } */
        const char added[] = {(char)((FIELD_LOGICAL - f->missing.at[missing++].last_id) << 4 | T_STRUCT), T_STRUCT, VARIANT_MARK,
                              1 << 4 | T_BYTE, 1, T_STOP, T_STOP};
        buf_add_bytes(&b, added, sizeof added);
    }
    buf_add(&b, str_slice(footer, from, footer.len));
    return buf_str(&b);
}
