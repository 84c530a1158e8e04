/* Making unresolved nodes, and what names and options say as text. */
#include "plan/plan.h"

#include "base/buf.h"

/* ---- constructors ---- */

static const Origin no_origin = {.start = 0, .stop = -1};

Expr *expr_new(ExprKind kind, Arena *arena)
{
    Expr *e = ARENA_NEW(arena, Expr);
    e->kind = kind;
    e->origin = no_origin;
    switch (kind) {
    case EXPR_COLUMN: e->column.plan_id = -1; break;
    case EXPR_STAR: e->star.plan_id = -1; break;
    case EXPR_REGEX_COLUMN: e->regex_column.plan_id = -1; break;
    default: break;
    }
    return e;
}

Expr *expr_literal(Value v, Arena *arena)
{
    Expr *e = expr_new(EXPR_LITERAL, arena);
    e->literal = v;
    return e;
}

Expr *expr_column(Arena *arena, Str name)
{
    Expr *e = expr_new(EXPR_COLUMN, arena);
    vec_push(arena, &e->column.name, name);
    return e;
}

Expr *expr_call(Arena *arena, const char *name, size_t argc, Expr *const *args)
{
    Expr *e = expr_new(EXPR_CALL, arena);
    vec_push(arena, &e->call.name, str_from(name));
    for (size_t i = 0; i < argc; i++)
        vec_push(arena, &e->call.args, args[i]);
    return e;
}

Expr *expr_alias(Expr *child, Str name, Arena *arena)
{
    Expr *e = expr_new(EXPR_ALIAS, arena);
    e->alias.child = child;
    e->origin = child->origin;
    vec_push(arena, &e->alias.names, name);
    return e;
}

Rel *rel_new(RelKind kind, Rel *input, Arena *arena)
{
    Rel *rel = ARENA_NEW(arena, Rel);
    rel->kind = kind;
    rel->origin = no_origin;
    rel->plan_id = -1;
    rel->input = input;
    return rel;
}

Command *command_new(CommandKind kind, Arena *arena)
{
    Command *command = ARENA_NEW(arena, Command);
    command->kind = kind;
    command->origin = no_origin;
    return command;
}

/* ---- names ---- */

Name name_of(Arena *arena, size_t count, const Str *parts)
{
    Name name = {0};
    for (size_t i = 0; i < count; i++)
        vec_push(arena, &name, parts[i]);
    return name;
}

/* QuotingUtils.needQuote: letters, digits and underscores, not starting with a digit. */
static bool is_plain_identifier(Str part)
{
    if (!part.len || (part.ptr[0] >= '0' && part.ptr[0] <= '9'))
        return false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && c != '_' && !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static void add_quoted(Buf *b, Str part)
{
    buf_addc(b, '`');
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] == '`')
            buf_addc(b, '`');
        buf_addc(b, part.ptr[i]);
    }
    buf_addc(b, '`');
}

static Str join_name(const Name *name, bool always_quote, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < name->len; i++) {
        if (i)
            buf_addc(&b, '.');
        if (always_quote || !is_plain_identifier(name->at[i]))
            add_quoted(&b, name->at[i]);
        else
            buf_add(&b, name->at[i]);
    }
    return buf_str(&b);
}

Str name_text(const Name *name, Arena *arena)
{
    return join_name(name, false, arena);
}

Str name_quoted(const Name *name, Arena *arena)
{
    return join_name(name, true, arena);
}

/* Reads `..` from *pos, which is on the opening quote; leaves *pos behind the closing one. */
static bool read_quoted_part(Str text, size_t *pos, Buf *part)
{
    for (size_t i = *pos + 1; i < text.len; i++) {
        if (text.ptr[i] != '`') {
            buf_addc(part, text.ptr[i]);
        } else if (i + 1 < text.len && text.ptr[i + 1] == '`') {
            buf_addc(part, '`');
            i++;
        } else {
            *pos = i + 1;
            return true;
        }
    }
    return false;
}

/* One part from *pos on; stops at the dot or at the end. */
static bool read_part(Str text, size_t *pos, Arena *arena, Str *out)
{
    Buf part = buf_in(arena);
    if (*pos < text.len && text.ptr[*pos] == '`') {
        if (!read_quoted_part(text, pos, &part))
            return false;
        *out = buf_str(&part);
        return *pos == text.len || text.ptr[*pos] == '.';
    }
    size_t start = *pos;
    while (*pos < text.len && text.ptr[*pos] != '.') {
        if (text.ptr[*pos] == '`')
            return false;
        (*pos)++;
    }
    *out = str_slice(text, start, *pos);
    return true;
}

bool name_parse(Str text, Arena *arena, Name *out, Error *err)
{
    *out = (Name){0};
    for (size_t pos = 0;;) {
        size_t start = pos;
        Str part;
        bool good = read_part(text, &pos, arena, &part);
        /* An empty part is an error next to a dot; a lone empty text is a name. */
        bool dotted = pos < text.len || out->len;
        if (!good || (dotted && start == pos))
            return error_set(err, ERR_INVALID_ATTRIBUTE_NAME_SYNTAX, P("name", text));
        vec_push(arena, out, part);
        if (pos >= text.len)
            return true;
        pos++; /* the dot */
    }
}

/* ---- options ---- */

static const KeyValue *find_option(const KeyValueVec *options, const char *key)
{
    for (size_t i = 0; i < options->len; i++)
        if (str_is_ci(options->at[i].key, key))
            return &options->at[i];
    return NULL;
}

Str key_value_get(const KeyValueVec *options, const char *key)
{
    const KeyValue *option = find_option(options, key);
    return option ? option->value : (Str){0};
}

bool key_value_has(const KeyValueVec *options, const char *key)
{
    return find_option(options, key) != NULL;
}
