/* Which groups of a Parquet file its footer marks as variants (logical type VARIANT), and which
 * columns have theirs in shreds: a walk over Thrift's compact protocol that looks at nothing else.
 * Format: parquet.thrift, "LogicalTypes", "VariantShredding". */
#include "engine/variant_footer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* ---- Thrift ---- */

enum { MAX_DEPTH = 32 };
enum {
    T_STOP, T_TRUE, T_FALSE, T_BYTE, T_I16, T_I32, T_I64, T_DOUBLE, T_BINARY, T_LIST, T_SET, T_MAP,
    T_STRUCT
};
/* FileMetaData.schema and .row_groups; SchemaElement.repetition_type, .name, .num_children and
 * .logicalType; LogicalType.VARIANT; RowGroup.columns */
enum {
    FIELD_SCHEMA = 2,
    FIELD_ROW_GROUPS = 4,
    FIELD_REPETITION = 3,
    FIELD_NAME = 4,
    FIELD_CHILDREN = 5,
    FIELD_LOGICAL = 10,
    FIELD_VARIANT = 16,
    FIELD_COLUMNS = 1
};
enum { REQUIRED, OPTIONAL, REPEATED };
enum { MAX_NESTING = 64 };

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
    int64_t children, last_id, repetition;
    CountAt children_at;
    size_t end, leaf;
    bool marked;
} Element;

static size_t place(const Footer *f)
{
    return (size_t)(f->at - f->start);
}

static void read_element(Footer *f, Element *e)
{
    int64_t id = 0;
    unsigned type;
    *e = (Element){.children = 0};
    while (next_field(f, &id, &type)) {
        e->last_id = id;
        if (id == FIELD_CHILDREN && type == T_I32) {
            e->children_at.at = place(f);
            e->children = zigzag(f);
            e->children_at.end = place(f);
        } else if (id == FIELD_REPETITION && type == T_I32)
            e->repetition = zigzag(f);
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
    e->end = f->bad ? 0 : place(f) - 1;
}

/* A group around the present element. */
typedef struct Level {
    Str name;
    int64_t left; /* children to come */
    unsigned optional;
    bool repeated;
} Level;

/* A column of the file with all that is in it: elements stand in depth-first order. */
typedef struct Column {
    Element last[4]; /* the newest first */
    Level levels[MAX_NESTING];
    size_t depth;
    bool shredded;
    VEC(MissingMark) missing;
    VEC(Presence) presences;
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

/* In lists and maps nobody shreds. */
static void note_presence(Footer *f, Column *c, const Element *metadata)
{
    const Level *group = &c->levels[c->depth - 1];
    Presence p = {.leaf = metadata->leaf,
                  .levels = group->optional + (metadata->repetition == OPTIONAL)};
    if (group->repeated || metadata->repetition == REPEATED || !p.levels)
        return;
    for (size_t i = 0; i < c->depth; i++)
        vec_push(f->arena, &p.path, str_copy(c->levels[i].name, f->arena));
    vec_push(f->arena, &c->presences, p);
}

/* Whether a variant's group was just completed: its parts stand right behind it. */
static void look_back(Footer *f, Column *c)
{
    const Element *e = c->last;
    size_t parts = 0;
    if (is_part(&e[0]) && is_part(&e[1]) && e[2].children == 2)
        note_variant(f, c, &e[2]);
    while (parts < 2 && is_part(&e[1 + parts]))
        parts++;
    if (!str_is(e[0].name, "typed_value") || !parts || !c->depth)
        return;
    for (; parts && e[1 + parts].children != (int64_t)parts + 1; parts--)
        continue;
    const Element *metadata = parts > 1 ? &e[2] : NULL;
    if (parts && str_is(e[1].name, "metadata"))
        metadata = &e[1];
    if (!metadata || !str_is(metadata->name, "metadata"))
        return; /* a field inside a shredded object */
    c->shredded = true;
    note_variant(f, c, &e[1 + parts]);
    note_presence(f, c, metadata);
}

static void enter(Footer *f, Column *c)
{
    const Element *e = &c->last[0];
    const Level *above = c->depth ? &c->levels[c->depth - 1] : NULL;
    Level in = {.name = e->name, .left = e->children};
    in.optional = (above ? above->optional : 0) + (e->repetition == OPTIONAL);
    in.repeated = (above && above->repeated) || e->repetition == REPEATED;
    f->bad |= c->depth == MAX_NESTING;
    if (!f->bad)
        c->levels[c->depth++] = in;
}

static void leave(Column *c)
{
    while (c->depth && !c->levels[c->depth - 1].left) {
        c->depth--;
        if (c->depth)
            c->levels[c->depth - 1].left--;
    }
}

static void read_column(Footer *f, uint64_t *left, size_t *leaves)
{
    Column *c = ARENA_NEW(f->arena, Column);
    Str name = {0};
    size_t marks = f->out->marks.len;
    for (bool first = true; *left && !f->bad && (first || c->depth); --*left, first = false) {
        Element *e = &c->last[0];
        memmove(&c->last[1], e, sizeof c->last - sizeof *e);
        read_element(f, e);
        f->bad |= e->children < 0 || e->children > (int64_t)*left;
        if (first)
            name = e->name;
        e->leaf = *leaves;
        look_back(f, c);
        if (e->children) {
            enter(f, c);
            continue;
        }
        ++*leaves;
        if (c->depth && !--c->levels[c->depth - 1].left)
            leave(c);
    }
    if (!c->shredded || f->bad)
        return;
    f->out->marks.len = marks;
    for (size_t i = 0; i < c->missing.len; i++)
        vec_push(f->arena, &f->out->missing, c->missing.at[i]);
    for (size_t i = 0; i < c->presences.len; i++)
        vec_push(f->arena, &f->out->presences, c->presences.at[i]);
    vec_push(f->arena, &f->out->shredded, str_copy(name, f->arena));
}

static void read_schema(Footer *f)
{
    VariantFooter *out = f->out;
    Element root;
    size_t leaves = 0;
    unsigned item;
    out->schema.at = place(f);
    list_header(f, &out->schema.count, &item);
    out->schema.end = place(f);
    f->bad |= item != T_STRUCT || !out->schema.count;
    if (f->bad)
        return;
    read_element(f, &root);
    out->root = root.children_at;
    out->root.count = (uint64_t)root.children;
    for (uint64_t left = out->schema.count - 1; left && !f->bad;)
        read_column(f, &left, &leaves);
    out->schema_end = place(f);
    f->bad |= !out->root.end;
}

/* ---- row groups ---- */

static void read_chunks(Footer *f, RowGroupAt *g)
{
    const VariantFooter *out = f->out;
    unsigned item;
    g->list.at = place(f);
    list_header(f, &g->list.count, &item);
    g->list.end = place(f);
    f->bad |= item != T_STRUCT;
    for (size_t i = 0; i < g->list.count && !f->bad; i++) {
        size_t at = place(f);
        skip_struct(f, 2);
        for (size_t k = 0; k < out->presences.len; k++)
            if (out->presences.at[k].leaf == i)
                vec_push(f->arena, &g->chunks, ((Span){at, place(f)}));
    }
    g->end = place(f);
    f->bad |= g->chunks.len != out->presences.len;
}

static void read_row_groups(Footer *f)
{
    uint64_t count;
    unsigned item, type;
    list_header(f, &count, &item);
    f->bad |= item != T_STRUCT && count;
    for (uint64_t i = 0; i < count && !f->bad; i++) {
        RowGroupAt g = {.end = 0};
        int64_t id = 0;
        while (next_field(f, &id, &type))
            if (id == FIELD_COLUMNS && type == T_LIST)
                read_chunks(f, &g);
            else
                skip_value(f, type, 1);
        f->bad |= !g.end;
        vec_push(f->arena, &f->out->row_groups, g);
    }
}

/* The schema comes before the row groups, each once: else a column could be added in one place
 * only. */
static void read_file(Footer *f)
{
    int64_t id = 0;
    unsigned type;
    bool schema = false, groups = false;
    while (next_field(f, &id, &type)) {
        bool is_schema = id == FIELD_SCHEMA && type == T_LIST;
        bool is_groups = id == FIELD_ROW_GROUPS && type == T_LIST;
        f->bad |= is_schema ? schema || groups : is_groups && groups;
        schema |= is_schema;
        groups |= is_groups;
        if (is_schema)
            read_schema(f);
        else if (is_groups && f->out->presences.len)
            read_row_groups(f);
        else
            skip_value(f, type, 0);
    }
}

bool variant_footer_read(Str footer, Arena *arena, VariantFooter *out)
{
    *out = (VariantFooter){.marks = {0}};
    const uint8_t *bytes = (const uint8_t *)footer.ptr;
    Footer f = {.start = bytes, .at = bytes, .end = bytes + footer.len, .out = out, .arena = arena};
    read_file(&f);
    if (f.bad)
        *out = (VariantFooter){.marks = {0}};
    return !f.bad;
}

/* ---- the changed footer ---- */

typedef struct Edit {
    size_t at, end; /* what goes */
    Str in;         /* what comes */
} Edit;
typedef VEC(Edit) EditVec;

static void put_varint(Buf *b, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        buf_addc(b, (char)(n | 0x80));
    buf_addc(b, (char)n);
}

static void put_zigzag(Buf *b, int64_t n)
{
    put_varint(b, (uint64_t)n << 1);
}

static void put_list(Buf *b, uint64_t count, unsigned type)
{
    buf_addc(b, (char)((count < 15 ? count : 15) << 4 | type));
    if (count >= 15)
        put_varint(b, count);
}

static void push(Arena *arena, EditVec *edits, size_t at, size_t end, const Buf *in)
{
    vec_push(arena, edits, ((Edit){at, end, buf_str(in)}));
}

/* A field of a struct whose previous one has the number `after`. */
static void put_field(Buf *b, unsigned id, unsigned after, unsigned type)
{
    buf_addc(b, (char)((id - after) << 4 | type));
}

static void put_presence_element(Buf *b, Str name, bool leaf)
{
    enum { FIELD_TYPE = 1, BYTE_ARRAY = 6 };
    if (leaf) {
        put_field(b, FIELD_TYPE, 0, T_I32);
        put_zigzag(b, BYTE_ARRAY);
    }
    put_field(b, FIELD_REPETITION, leaf ? FIELD_TYPE : 0, T_I32);
    put_zigzag(b, OPTIONAL);
    put_field(b, FIELD_NAME, FIELD_REPETITION, T_BINARY);
    put_varint(b, name.len);
    buf_add(b, name);
    if (!leaf) {
        put_field(b, FIELD_CHILDREN, FIELD_NAME, T_I32);
        put_zigzag(b, 1);
    }
    buf_addc(b, T_STOP);
}

Str variant_presence_name(const StrVec *path, unsigned levels, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addf(&b, "lakeshed.presence.%u", levels);
    for (size_t i = 0; i < path->len; i++)
        buf_addf(&b, "/" STR_FMT, STR_ARG(path->at[i]));
    return buf_str(&b);
}

static void edit_schema(const VariantFooter *f, Arena *arena, EditVec *edits)
{
    Buf list = buf_in(arena), root = buf_in(arena), added = buf_in(arena);
    uint64_t elements = 0;
    for (size_t k = 0; k < f->presences.len; k++) {
        const Presence *p = &f->presences.at[k];
        Str name = variant_presence_name(&p->path, p->levels, arena);
        elements += p->levels;
        for (unsigned i = 1; i <= p->levels; i++)
            put_presence_element(&added, i == 1 ? name : S("p"), i == p->levels);
    }
    put_list(&list, f->schema.count + elements, T_STRUCT);
    put_zigzag(&root, (int64_t)(f->root.count + f->presences.len));
    push(arena, edits, f->schema.at, f->schema.end, &list);
    push(arena, edits, f->root.at, f->root.end, &root);
    push(arena, edits, f->schema_end, f->schema_end, &added);
}

static void edit_row_group(Str footer, const RowGroupAt *g, Arena *arena, EditVec *edits)
{
    Buf list = buf_in(arena), added = buf_in(arena);
    put_list(&list, g->list.count + g->chunks.len, T_STRUCT);
    for (size_t i = 0; i < g->chunks.len; i++)
        buf_add(&added, str_slice(footer, g->chunks.at[i].at, g->chunks.at[i].end));
    push(arena, edits, g->list.at, g->list.end, &list);
    push(arena, edits, g->end, g->end, &added);
}

static void edit_marks(const VariantFooter *f, Arena *arena, EditVec *edits)
{
    Buf none = buf_in(arena);
    buf_addc(&none, 63 << 1); /* a logical type that no reader knows */
    for (size_t i = 0; i < f->marks.len; i++)
        push(arena, edits, f->marks.at[i], f->marks.at[i] + 1, &none);
    for (size_t i = 0; i < f->missing.len; i++) {
        /* logicalType { 16: VariantType { 1: version 1 } } */
        Buf mark = buf_in(arena);
        put_field(&mark, FIELD_LOGICAL, f->missing.at[i].last_id, T_STRUCT);
        const char type[] = {T_STRUCT, VARIANT_MARK, 1 << 4 | T_BYTE, 1, T_STOP, T_STOP};
        buf_add_bytes(&mark, type, sizeof type);
        push(arena, edits, f->missing.at[i].at, f->missing.at[i].at, &mark);
    }
}

static int by_place(const void *x, const void *y)
{
    const Edit *a = x, *b = y;
    return (a->at > b->at) - (a->at < b->at);
}

Str variant_footer_change(Str footer, const VariantFooter *f, Arena *arena)
{
    EditVec edits = {0};
    Buf b = buf_in(arena);
    size_t from = 0;
    edit_marks(f, arena, &edits);
    if (f->presences.len)
        edit_schema(f, arena, &edits);
    for (size_t i = 0; i < f->row_groups.len; i++)
        edit_row_group(footer, &f->row_groups.at[i], arena, &edits);
    if (edits.len)
        qsort(edits.at, edits.len, sizeof *edits.at, by_place);
    for (size_t i = 0; i < edits.len; i++) {
        buf_add(&b, str_slice(footer, from, edits.at[i].at));
        buf_add(&b, edits.at[i].in);
        from = edits.at[i].end;
    }
    buf_add(&b, str_slice(footer, from, footer.len));
    return buf_str(&b);
}
