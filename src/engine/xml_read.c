/* XML files: the text of each element that is a row (option rowTag). What is in it the analyzer has from_xml read. */
#include "engine/file_source_impl.h"

#include <string.h>

typedef struct XmlScan {
    const char *at, *end;
} XmlScan;

static bool starts(const XmlScan *s, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(s->end - s->at) >= n && !memcmp(s->at, text, n);
}

static void skip_past(XmlScan *s, const char *text)
{
    size_t n = strlen(text);
    const char *found = memmem(s->at, (size_t)(s->end - s->at), text, n);
    s->at = found ? found + n : s->end;
}

/* What no tag can be in: comments, literal text, instructions. */
static bool skip_other(XmlScan *s)
{
    static const char *const PAIRS[][2] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
    for (size_t i = 0; i < LENGTH_OF(PAIRS); i++)
        if (starts(s, PAIRS[i][0])) {
            skip_past(s, PAIRS[i][1]);
            return true;
        }
    return false;
}

/* Past the tag's '>'; values in quotes may hold one. *empty: <tag/> */
static void skip_tag(XmlScan *s, bool *empty)
{
    char quote = 0;
    *empty = false;
    for (; s->at < s->end; s->at++) {
        char c = *s->at;
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            break;
        *empty = c == '/';
    }
    s->at += s->at < s->end;
}

static bool is_tag(const XmlScan *s, size_t skip, Str name)
{
    const char *after = s->at + skip + name.len;
    if ((size_t)(s->end - s->at) <= skip + name.len || memcmp(s->at + skip, name.ptr, name.len) != 0)
        return false;
    return strchr(" \t\r\n/>", *after) && *after;
}

/* The next element of the name, nested ones of the same name inside; what the file cuts off is a record too. */
static bool next_element(XmlScan *s, Str name, Str *out)
{
    const char *start = NULL;
    size_t open = 0;
    bool empty;
    while (s->at < s->end) {
        const char *less = memchr(s->at, '<', (size_t)(s->end - s->at));
        s->at = less ? less : s->end;
        if (!less || skip_other(s))
            continue;
        bool close = starts(s, "</"), named = is_tag(s, close ? 2 : 1, name);
        if (named && !close && !open)
            start = s->at;
        skip_tag(s, &empty);
        if (named && close && open)
            open--;
        else if (named && !close && !empty)
            open++;
        if (named && start && !open) {
            *out = (Str){start, (size_t)(s->at - start)};
            return true;
        }
    }
    *out = (Str){start, start ? (size_t)(s->end - start) : 0};
    return start != NULL;
}

static bool xml_next(FileReader *r, idx_t row, bool *more, bool *keep, Error *err)
{
    (void)keep;
    (void)err;
    Str name = file_option(&r->scan->options, "rowTag", ""), record;
    XmlScan s = {r->bytes.ptr + r->at, r->bytes.ptr + r->bytes.len};
    *more = r->bytes.len && next_element(&s, name, &record);
    r->at = r->bytes.len ? (size_t)(s.at - r->bytes.ptr) : 0;
    duckdb_vector vector = reader_vector(r, 0);
    if (*more && vector)
        cell_put_text(vector, row, record);
    return true;
}

const FileFormat xml_format = {"xml", xml_next, NULL};
