/* Errors: the class rows, setting and copying, and the message as Spark words it. */
#include "base/error.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"

typedef struct ClassRow {
    const char *name;
    const char *sqlstate;
    const char *message;
} ClassRow;

static const ClassRow class_rows[] = {
    {"", "", ""}, /* ERR_NONE */
#define ERROR_CLASS(id, name, sqlstate, message) {name, sqlstate, message},
#include "base/error_class.def"
#include "base/error_class_own.def"
#undef ERROR_CLASS
};

/* The recorded rows are sorted by name; ours follow them. */
enum {
#define ERROR_CLASS(id, name, sqlstate, message) +1
    RECORDED_COUNT = 0
#include "base/error_class.def"
#undef ERROR_CLASS
};

static const ClassRow *row_of(ErrorClass cls)
{
    return &class_rows[(unsigned)cls < ERR_COUNT ? cls : ERR_NONE];
}

const char *error_class_name(ErrorClass cls)
{
    return row_of(cls)->name;
}

const char *error_class_sqlstate(ErrorClass cls)
{
    return row_of(cls)->sqlstate;
}

const char *error_class_template(ErrorClass cls)
{
    return row_of(cls)->message;
}

ErrorClass error_class_by_name(Str name)
{
    size_t low = 1, high = (size_t)RECORDED_COUNT + 1;
    if (!name.len)
        return ERR_NONE;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(name, str_from(class_rows[middle].name));
        if (!order)
            return (ErrorClass)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = (size_t)RECORDED_COUNT + 1; i < ERR_COUNT; i++)
        if (str_is(name, class_rows[i].name))
            return (ErrorClass)i;
    return ERR_NONE;
}

/* ---- setting ---- */

Error error_in(Arena *arena)
{
    return (Error){.arena = arena};
}

void error_clear(Error *err)
{
    *err = error_in(err->arena);
}

bool error_is_set(const Error *err)
{
    return err->cls != ERR_NONE;
}

bool error_set_params(Error *err, ErrorClass cls, const ErrorParam *params)
{
    if (!err->arena)
        panic("error %s set without an arena", error_class_name(cls));
    error_clear(err);
    err->cls = cls;
    for (; params->key; params++) {
        if (err->param_count == ERROR_MAX_PARAMS)
            panic("error %s has too many parameters", error_class_name(cls));
        err->params[err->param_count++] =
            (ErrorParam){str_copy(str_from(params->key), err->arena).ptr,
                         str_copy(params->value, err->arena)};
    }
    return false;
}

bool error_internal(Error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str text = str_vprintf(err->arena, fmt, args);
    va_end(args);
    return error_set(err, ERR_INTERNAL_ERROR, P("message", text));
}

bool error_unsupported(Error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str text = str_vprintf(err->arena, fmt, args);
    va_end(args);
    return error_set(err, ERR_LAKESHED_UNSUPPORTED, P("what", text));
}

/* Finds "[NAME]" whose NAME is a class, from *at on; *at is left on the bracket. */
static ErrorClass find_class(Str text, size_t *at)
{
    for (size_t i = *at; i < text.len; i++) {
        if (text.ptr[i] != '[')
            continue;
        Str rest = str_slice(text, i + 1, text.len);
        ptrdiff_t close = str_find_char(rest, ']');
        if (close <= 0)
            continue;
        ErrorClass cls = error_class_by_name(str_slice(rest, 0, (size_t)close));
        if (cls != ERR_NONE) {
            *at = i;
            return cls;
        }
    }
    return ERR_NONE;
}

static const char *const NO_NAME = "_LEGACY_ERROR_";

/* The values that stand in the text where the class's wording has its parameters; false when the text is worded otherwise. */
static bool take_params(Error *err, Str text)
{
    const char *t = error_class_template(err->cls);
    while (*t) {
        const char *open = strchr(t, '<'), *close = open ? strchr(open, '>') : NULL;
        size_t plain = close ? (size_t)(open - t) : strlen(t);
        if (text.len < plain || memcmp(text.ptr, t, plain))
            return false;
        text = str_slice(text, plain, text.len);
        if (!close)
            return !str_trim(text).len || str_starts_with(text, S(" SQLSTATE: "));
        const char *next = strchr(close + 1, '<');
        Str behind = {close + 1, next ? (size_t)(next - close - 1) : strlen(close + 1)};
        ptrdiff_t end = behind.len ? str_find(text, behind) : (ptrdiff_t)text.len;
        if (end < 0 || err->param_count == ERROR_MAX_PARAMS)
            return false;
        err->params[err->param_count++] = (ErrorParam){str_copy((Str){open + 1, (size_t)(close - open - 1)}, err->arena).ptr,
                                                       str_copy(str_slice(text, 0, (size_t)end), err->arena)};
        text = str_slice(text, (size_t)end, text.len);
        t = close + 1;
    }
    return true;
}

Str error_wire_text(const Error *err, Arena *arena)
{
    const char *name = error_class_name(err->cls);
    Str text = error_message(err, arena);
    return strncmp(name, NO_NAME, strlen(NO_NAME)) ? text : str_printf(arena, "[%s] " STR_FMT, name, STR_ARG(text));
}

/* Parameters that Spark gives and its wording does not show. */
static void add_unspoken(Error *err)
{
    if (err->cls == ERR_CAST_INVALID_INPUT && err->param_count > 0 && err->param_count < ERROR_MAX_PARAMS)
        err->params[err->param_count++] = (ErrorParam){"ansiConfig", S("\"spark.sql.ansi.enabled\"")};
}

bool error_set_from_text(Error *err, Str message)
{
    size_t at = 0;
    ErrorClass cls = find_class(message, &at);
    if (cls == ERR_NONE)
        return error_set(err, ERR_INTERNAL_ERROR, P("message", message));
    error_clear(err);
    err->cls = cls;
    Str text = str_slice(message, at, message.len);
    const char *state = error_class_sqlstate(cls), *name = error_class_name(cls);
    Str said = str_slice(text, strlen(name) + 2, text.len);
    if (str_starts_with(said, S(" ")))
        said = str_slice(said, 1, said.len);
    if (!take_params(err, said))
        err->param_count = 0;
    add_unspoken(err);
    if (!strncmp(name, NO_NAME, strlen(NO_NAME)))
        text = said;
    if (state[0] && str_find(text, S("SQLSTATE: ")) < 0)
        err->verbatim = str_printf(err->arena, STR_FMT " SQLSTATE: %s", STR_ARG(text), state);
    else
        err->verbatim = str_copy(text, err->arena);
    return false;
}

static ErrorContext context_copy(const ErrorContext *c, Arena *arena)
{
    ErrorContext copy = *c;
    copy.object_type = str_copy(c->object_type, arena);
    copy.object_name = str_copy(c->object_name, arena);
    copy.fragment = str_copy(c->fragment, arena);
    copy.summary = str_copy(c->summary, arena);
    copy.call_site = str_copy(c->call_site, arena);
    return copy;
}

void error_copy(Error *dst, const Error *src)
{
    Arena *arena = dst->arena;
    Error copy = *src;
    copy.arena = arena;
    for (unsigned i = 0; i < src->param_count; i++) {
        copy.params[i].key = str_z(str_from(src->params[i].key), arena);
        copy.params[i].value = str_copy(src->params[i].value, arena);
    }
    copy.context = context_copy(&src->context, arena);
    if (src->verbatim.len)
        copy.verbatim = str_copy(src->verbatim, arena);
    *dst = copy;
}

Str error_param(const Error *err, const char *key)
{
    for (unsigned i = 0; i < err->param_count; i++)
        if (!strcmp(err->params[i].key, key))
            return err->params[i].value;
    return S("");
}

/* ---- the place in the statement ---- */

/* A statement by code point: Spark counts positions so. */
typedef struct Points {
    Str sql;
    const size_t *offsets; /* count + 1 byte offsets */
    size_t count;
} Points;

static Points points_of(Str sql, Arena *arena)
{
    size_t *offsets = ARENA_ARRAY(arena, size_t, sql.len + 1), count = 0;
    for (size_t at = 0; at < sql.len; count++) {
        offsets[count] = at;
        str_utf8_next(sql, &at);
    }
    offsets[count] = sql.len;
    return (Points){sql, offsets, count};
}

static size_t point_at_byte(const Points *p, size_t byte)
{
    size_t i = 0;
    while (i + 1 < p->count && p->offsets[i + 1] <= byte)
        i++;
    return i;
}

static bool is_newline(const Points *p, ptrdiff_t i)
{
    return p->sql.ptr[p->offsets[i]] == '\n';
}

static Str points_slice(const Points *p, size_t from, size_t to)
{
    return str_slice(p->sql, p->offsets[from], p->offsets[to]);
}

/* Carets below one printed line whose first code point has the index *index; past the stop nothing. */
static void put_carets(Buf *b, size_t line_len, ptrdiff_t *index, ptrdiff_t start, ptrdiff_t stop)
{
    (*index)++;
    for (size_t i = 0; i < line_len; i++, (*index)++) {
        if (*index < start)
            buf_addc(b, ' ');
        else if (*index <= stop)
            buf_addc(b, '^');
    }
    buf_addc(b, '\n');
}

/* Spark's SQLQueryContext.summary: whole lines, but no more than 32 code points around the fragment. */
static Str summary_of(const ErrorContext *c, const Points *p, Arena *arena)
{
    enum { AROUND = 32 };
    ptrdiff_t start = c->start_index, stop = c->stop_index, count = (ptrdiff_t)p->count;
    ptrdiff_t from = start, to = stop;
    while (from >= 0 && start - from <= AROUND && !is_newline(p, from))
        from--;
    while (to < count && to - stop <= AROUND && !is_newline(p, to))
        to++;
    bool cut_before = start - from > AROUND, cut_after = to - stop > AROUND;

    Buf shown = buf_in(arena), out = buf_in(arena);
    buf_addz(&shown, cut_before ? "..." : "");
    if (to > from + 1)
        buf_add(&shown, points_slice(p, (size_t)(from + 1), (size_t)to));
    buf_addz(&shown, cut_after ? "..." : "");

    buf_addz(&out, "== SQL");
    if (c->object_type.len)
        buf_addf(&out, " of " STR_FMT " " STR_FMT, STR_ARG(c->object_type), STR_ARG(c->object_name));
    buf_addf(&out, " (line %d, position %d) ==\n", c->line, c->position + 1);
    ptrdiff_t index = cut_before ? from - 3 : from;
    for (Str rest = buf_str(&shown); rest.len;) {
        ptrdiff_t end = str_find_char(rest, '\n');
        Str line = str_slice(rest, 0, end < 0 ? rest.len : (size_t)end);
        buf_add(&out, line);
        buf_addc(&out, '\n');
        put_carets(&out, str_utf8_len(line), &index, start, stop);
        rest = end < 0 ? S("") : str_slice(rest, (size_t)end + 1, rest.len);
    }
    return buf_str(&out);
}

/* The whole statement with dashes and carets below the line of the error. */
static Str syntax_block(const ErrorContext *c, Str sql, Arena *arena)
{
    Buf out = buf_in(arena);
    while (sql.len && sql.ptr[sql.len - 1] == '\n')
        sql.len--;
    buf_addz(&out, "== SQL ==\n");
    int number = 1;
    for (bool more = true; more; number++) {
        ptrdiff_t end = str_find_char(sql, '\n');
        buf_add(&out, end < 0 ? sql : str_slice(sql, 0, (size_t)end));
        buf_addc(&out, '\n');
        if (number == c->line) {
            buf_add_repeat(&out, '-', (size_t)c->position);
            buf_addz(&out, "^^^\n");
        }
        more = end >= 0;
        if (more)
            sql = str_slice(sql, (size_t)end + 1, sql.len);
    }
    return buf_str(&out);
}

void error_locate(Error *err, ErrorPlace place, Str sql, size_t start, size_t stop)
{
    ErrorContext *c = &err->context;
    if (err->cls == ERR_NONE || c->line)
        return;
    Points p = points_of(sql, err->arena);
    bool past_end = start >= sql.len;
    c->place = place;
    c->start_index = (int)(past_end ? p.count : point_at_byte(&p, start));
    c->stop_index = (int)(past_end ? p.count : point_at_byte(&p, stop < start ? start : stop));
    c->line = 1;
    for (int i = 0; i < c->start_index; i++) {
        c->position++;
        if (is_newline(&p, i)) {
            c->line++;
            c->position = 0;
        }
    }
    if (place == PLACE_SYNTAX) {
        c->summary = syntax_block(c, sql, err->arena);
        return;
    }
    if (past_end)
        return;
    c->fragment = str_copy(points_slice(&p, (size_t)c->start_index, (size_t)c->stop_index + 1),
                           err->arena);
    c->summary = summary_of(c, &p, err->arena);
    err->has_context = true;
}

void error_locate_call(Error *err, ErrorPlace place, Str fragment, Str call_site)
{
    ErrorContext *c = &err->context;
    if (err->cls == ERR_NONE || err->has_context || c->line)
        return;
    *c = (ErrorContext){.place = place, .is_dataframe = true, .start_index = -1, .stop_index = -1};
    c->fragment = str_copy(fragment, err->arena);
    c->call_site = str_copy(call_site, err->arena);
    c->summary = str_printf(err->arena, "== DataFrame ==\n\"" STR_FMT "\" was called from\n" STR_FMT "\n",
                            STR_ARG(fragment), STR_ARG(call_site));
    err->has_context = true;
}

void error_locate_nowhere(Error *err)
{
    if (err->cls == ERR_NONE || err->has_context || err->context.line)
        return;
    err->context = (ErrorContext){.place = PLACE_RUNTIME, .start_index = -1, .stop_index = -1};
    err->has_context = true;
}

/* ---- the message ---- */

static bool is_name_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_';
}

/* The parameter named by "<name>" at the start of the text; NULL when it is no place of ours. */
static const ErrorParam *placeholder(const Error *err, const char *text, size_t *len)
{
    size_t end = 1;
    while (is_name_char(text[end]))
        end++;
    if (text[end] != '>' || end == 1)
        return NULL;
    *len = end + 1;
    for (unsigned i = 0; i < err->param_count; i++)
        if (str_is((Str){text + 1, end - 1}, err->params[i].key))
            return &err->params[i];
    return NULL;
}

static void put_filled(Buf *b, const Error *err)
{
    for (const char *t = error_class_template(err->cls); *t;) {
        size_t len = 1;
        const ErrorParam *param = *t == '<' ? placeholder(err, t, &len) : NULL;
        if (param) {
            buf_add(b, param->value);
            t += len;
        } else {
            buf_addc(b, *t++);
        }
    }
}

static void put_text(Buf *b, const Error *err)
{
    const char *name = error_class_name(err->cls), *state = error_class_sqlstate(err->cls);
    if (err->verbatim.len) {
        buf_add(b, err->verbatim);
        return;
    }
    /* Spark hides the names of its unnamed old errors. */
    if (strncmp(name, NO_NAME, strlen(NO_NAME)) != 0)
        buf_addf(b, "[%s] ", name);
    put_filled(b, err);
    if (state[0])
        buf_addf(b, " SQLSTATE: %s", state);
}

static void put_place(Buf *b, const ErrorContext *c)
{
    switch (c->place) {
    case PLACE_ANALYSIS:
        if (c->line)
            buf_addf(b, "; line %d pos %d", c->line, c->position);
        break;
    case PLACE_SYNTAX:
        buf_addf(b, " (line %d, pos %d)\n\n", c->line, c->position);
        buf_add(b, c->summary);
        break;
    case PLACE_RUNTIME:
    case PLACE_PARSE:
        if (c->summary.len) {
            buf_addc(b, '\n');
            buf_add(b, c->summary);
        }
        break;
    }
}

Str error_message(const Error *err, Arena *arena)
{
    const ErrorContext *c = &err->context;
    Buf b = buf_in(arena);
    if (!error_is_set(err))
        return S("");
    /* Another layer's wording may already end in the block. */
    if (err->verbatim.len && str_find(err->verbatim, S("\n== SQL")) >= 0)
        return str_copy(err->verbatim, arena);
    if (c->place == PLACE_PARSE || c->place == PLACE_SYNTAX)
        buf_addc(&b, '\n');
    if (err->script_line > 0)
        buf_addf(&b, "{LINE:%d} ", err->script_line);
    put_text(&b, err);
    if (err->has_context || c->line)
        put_place(&b, c);
    return buf_str(&b);
}
