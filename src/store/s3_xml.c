/* Reading S3's answers with libxml2's tree, without entities, network or deep nesting. */
#include "store/s3_xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"

enum { BODY_MAX = 16 << 20, NESTING_MAX = 16 };

static xmlDoc *parse(Str body)
{
    if (!body.len || body.len > BODY_MAX)
        return NULL;
    return xmlReadMemory(body.ptr, (int)body.len, "s3.xml", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
}

static bool is_named(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && !strcmp((const char *)n->name, name);
}

static Str text_of(xmlNode *n, Arena *arena)
{
    xmlChar *text = xmlNodeGetContent(n);
    Str out = str_copy(str_from((const char *)text), arena);
    xmlFree(text);
    return out;
}

static Str child_text(xmlNode *parent, const char *name, Arena *arena)
{
    for (xmlNode *n = parent ? parent->children : NULL; n; n = n->next)
        if (is_named(n, name))
            return text_of(n, arena);
    return S("");
}

static xmlNode *find(xmlNode *n, const char *name, int depth)
{
    for (; n && depth < NESTING_MAX; n = n->next) {
        if (is_named(n, name))
            return n;
        xmlNode *below = find(n->children, name, depth + 1);
        if (below)
            return below;
    }
    return NULL;
}

Str s3_read_element(Str body, const char *name, Arena *arena)
{
    xmlDoc *doc = parse(body);
    xmlNode *n = doc ? find(xmlDocGetRootElement(doc), name, 0) : NULL;
    Str out = n ? text_of(n, arena) : S("");
    xmlFreeDoc(doc);
    return out;
}

void s3_read_error(Str body, Arena *arena, S3Answer *out)
{
    xmlDoc *doc = parse(body);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (root && is_named(root, "Error")) {
        out->code = child_text(root, "Code", arena);
        out->message = child_text(root, "Message", arena);
        Str region = child_text(root, "Region", arena);
        out->region = region.len ? region : out->region;
    }
    xmlFreeDoc(doc);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* encoding-type=url: form encoding, "+" being a space. */
static Str url_decode(Str text, Arena *arena)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool escape = text.ptr[i] == '%' && i + 2 < text.len && hex_digit(text.ptr[i + 1]) >= 0 && hex_digit(text.ptr[i + 2]) >= 0;
        out[n++] = escape ? (char)(hex_digit(text.ptr[i + 1]) * 16 + hex_digit(text.ptr[i + 2])) : text.ptr[i] == '+' ? ' ' : text.ptr[i];
        i += escape ? 2 : 0;
    }
    return (Str){out, n};
}

/* "2026-11-23T06:00:55.123Z" */
static int64_t time_ms(Str text, Arena *arena)
{
    struct tm t = {0};
    double seconds = 0;
    if (sscanf(str_z(text, arena), "%4d-%2d-%2dT%2d:%2d:%lf", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &seconds) != 6 ||
        !(seconds >= 0 && seconds < 62))
        return 0;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return (int64_t)timegm(&t) * 1000 + (int64_t)(seconds * 1000 + 0.5);
}

static bool read_entry(xmlNode *n, bool encoded, Arena *arena, S3Page *out)
{
    Str key = child_text(n, "Key", arena);
    StoreEntry e = {.path = encoded ? url_decode(key, arena) : key, .modified_ms = time_ms(child_text(n, "LastModified", arena), arena)};
    if (!key.len || !str_to_i64(child_text(n, "Size", arena), &e.size) || e.size < 0)
        return false;
    vec_push(arena, &out->entries, e);
    vec_push(arena, &out->etags, child_text(n, "ETag", arena));
    return true;
}

bool s3_read_page(Str body, Arena *arena, S3Page *out, Error *err)
{
    *out = (S3Page){0};
    xmlDoc *doc = parse(body);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    bool ok = root && is_named(root, "ListBucketResult");
    bool encoded = ok && str_is(child_text(root, "EncodingType", arena), "url");
    for (xmlNode *n = ok ? root->children : NULL; n && ok; n = n->next)
        if (is_named(n, "Contents"))
            ok = read_entry(n, encoded, arena, out);
    if (ok && str_is(child_text(root, "IsTruncated", arena), "true"))
        out->next = child_text(root, "NextContinuationToken", arena);
    xmlFreeDoc(doc);
    return ok || error_set(err, ERR_LAKESHED_FILE, PZ("path", "s3"), PZ("reason", "the S3 service's listing is not what S3 answers"));
}

/* Control characters have no form in XML 1.0, not even an escaped one. */
static bool put_text(Buf *b, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < ' ')
            return false;
        if (c == '&' || c == '<' || c == '>' || c == '"')
            buf_addf(b, "&#%u;", c);
        else
            buf_addc(b, (char)c);
    }
    return true;
}

bool s3_write_keys(const Str *keys, size_t count, Arena *arena, Str *out)
{
    Buf b = buf_in(arena);
    buf_addz(&b, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
    for (size_t i = 0; i < count; i++) {
        buf_addz(&b, "<Object><Key>");
        if (!put_text(&b, keys[i]))
            return false;
        buf_addz(&b, "</Key></Object>");
    }
    buf_addz(&b, "</Delete>");
    *out = buf_str(&b);
    return true;
}

bool s3_read_kept(Str body, Arena *arena, Str *key, Str *code)
{
    xmlDoc *doc = parse(body);
    xmlNode *n = doc ? xmlDocGetRootElement(doc) : NULL;
    for (n = n ? n->children : NULL; n && !is_named(n, "Error"); n = n->next)
        ;
    if (n) {
        *key = child_text(n, "Key", arena);
        *code = child_text(n, "Code", arena);
    }
    xmlFreeDoc(doc);
    return n != NULL;
}
