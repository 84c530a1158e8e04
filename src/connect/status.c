/* Errors on the wire: google.rpc.Status with an ErrorInfo, and FetchErrorDetailsResponse. */
#include "connect/status.h"

#include <string.h>

#include "base/json.h"
#include "plan/plan.h"

enum {
    /* Clients accept 8 kB of metadata; the text is in it twice. Spark cuts at the same lengths. */
    STATUS_MESSAGE_MAX = 2048,
    STATUS_PARAMS_MAX = 1024
};

typedef struct Throws {
    const char *error_class;
    const char *exception;
} Throws;

static const Throws throws[] = {
#define THROWS(error_class, exception) {error_class, exception},
#define EXTENDS(exception, parent)
#include "connect/java_class.def"
#undef THROWS
#undef EXTENDS
};

static const Throws parents[] = {
#define THROWS(error_class, exception)
#define EXTENDS(exception, parent) {exception, parent},
#include "connect/java_class.def"
#undef THROWS
#undef EXTENDS
};

static const char *find_row(const Throws *rows, size_t count, Str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(name, rows[i].error_class))
            return rows[i].exception;
    return NULL;
}

static const char *find_throws(Str name)
{
    const char *found = find_row(throws, LENGTH_OF(throws), name);
    if (found != NULL)
        return found;
    ptrdiff_t dot = str_find_char(name, '.');
    if (dot > 0)
        return find_throws(str_slice(name, 0, (size_t)dot));
    return str_starts_with(name, S("LAKESHED_")) ? find_throws(S("LAKESHED")) : NULL;
}

/* Errors that were raised inside the engine arrive as text: what stands where the class's own wording has its parameters
 * is read back. Nothing is added when the text is worded differently. */
static void recover_params(const Error *error, Error *out, Arena *arena)
{
    *out = *error;
    Str text = error->verbatim, wording = str_from(error_class_template(error->cls));
    ptrdiff_t begin = str_find(text, S("] "));
    if (error->param_count > 0 || text.len == 0 || begin < 0)
        return;
    text = str_slice(text, (size_t)begin + 2, text.len);
    unsigned count = 0;
    while (wording.len > 0) {
        ptrdiff_t open = str_find_char(wording, '<');
        Str fixed = open < 0 ? wording : str_slice(wording, 0, (size_t)open);
        if (!str_starts_with(text, fixed))
            return;
        text = str_slice(text, fixed.len, text.len);
        if (open < 0)
            break;
        Str rest = str_slice(wording, (size_t)open + 1, wording.len);
        ptrdiff_t close = str_find_char(rest, '>');
        if (close < 0 || count == ERROR_MAX_PARAMS)
            return;
        Str after = str_slice(rest, (size_t)close + 1, rest.len);
        ptrdiff_t next = str_find_char(after, '<');
        Str until = next < 0 ? after : str_slice(after, 0, (size_t)next);
        ptrdiff_t end = until.len > 0 ? str_find(text, until) : str_find(text, S(" SQLSTATE: "));
        if (end < 0)
            end = (ptrdiff_t)text.len;
        out->params[count++] = (ErrorParam){str_z(str_slice(rest, 0, (size_t)close), arena),
                                            str_slice(text, 0, (size_t)end)};
        text = str_slice(text, (size_t)end, text.len);
        wording = after;
    }
    out->param_count = count;
}

/* One error class, three exceptions: a cast fails as what its target is. */
static const char *cast_exception(const Error *error)
{
    static const char *const numbers[] = {"TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"};
    Str target = error_param(error, "targetType");
    Str bare = target.len >= 2 && target.ptr[0] == '"' ? str_slice(target, 1, target.len - 1) : target;
    if (str_is(bare, "DATE") || str_starts_with(bare, S("TIME")))
        return "org.apache.spark.SparkDateTimeException";
    for (size_t i = 0; i < LENGTH_OF(numbers); i++)
        if (str_starts_with(bare, str_from(numbers[i])))
            return "org.apache.spark.SparkNumberFormatException";
    return "org.apache.spark.SparkRuntimeException";
}

const char *java_class_of(const Error *error)
{
    if (error->context.place == PLACE_SYNTAX || error->context.place == PLACE_PARSE)
        return "org.apache.spark.sql.catalyst.parser.ParseException";
    if (error->cls == ERR_CAST_INVALID_INPUT)
        return cast_exception(error);
    const char *found = find_throws(str_from(error_class_name(error->cls)));
    return found != NULL ? found : "org.apache.spark.sql.AnalysisException";
}

/* The exception and all it extends, the nearest first. */
static StrVec hierarchy(const Error *error, Arena *arena)
{
    StrVec out = {0};
    for (const char *c = java_class_of(error); c != NULL; c = find_row(parents, LENGTH_OF(parents), str_from(c)))
        vec_push(arena, &out, str_from(c));
    vec_push(arena, &out, S("java.lang.Throwable"));
    vec_push(arena, &out, S("java.lang.Object"));
    return out;
}

static char *text(Str s, Arena *arena)
{
    return wire_text(s, arena);
}

/* Cut between code points. */
static Str cut(Str s, size_t max, Arena *arena)
{
    if (s.len <= max)
        return s;
    size_t end = max - 3;
    while (end > 0 && ((unsigned char)s.ptr[end] & 0xc0) == 0x80)
        end--;
    return str_concat(arena, str_slice(s, 0, end), S("..."));
}

static Str json_list(const StrVec *items, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < items->len; i++) {
        if (i > 0)
            buf_addc(&b, ',');
        json_put_str(&b, items->at[i]);
    }
    buf_addc(&b, ']');
    return buf_str(&b);
}

static Str json_params(const Error *error, Arena *arena)
{
    Buf b = buf_in(arena);
    bool first = true;
    buf_addc(&b, '{');
    for (unsigned i = 0; i < error->param_count; i++) {
        json_put_key(&b, &first, error->params[i].key);
        json_put_str(&b, error->params[i].value);
    }
    buf_addc(&b, '}');
    return buf_str(&b);
}

static void add_metadata(Google__Rpc__ErrorInfo *info, const char *key, Str value, Arena *arena)
{
    Google__Rpc__ErrorInfo__MetadataEntry *e = ARENA_NEW(arena, Google__Rpc__ErrorInfo__MetadataEntry);
    google__rpc__error_info__metadata_entry__init(e);
    e->key = (char *)key;
    e->value = text(value, arena);
    info->metadata[info->n_metadata++] = e;
}

static Str pack_info(const Error *error, Str error_id, Arena *arena)
{
    Google__Rpc__ErrorInfo__MetadataEntry *entries[8];
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    StrVec classes = hierarchy(error, arena);
    Str params = json_params(error, arena);
    info.reason = (char *)java_class_of(error);
    info.domain = (char *)"org.apache.spark";
    info.metadata = entries;
    add_metadata(&info, "classes", json_list(&classes, arena), arena);
    add_metadata(&info, "errorClass", str_from(error_class_name(error->cls)), arena);
    add_metadata(&info, "sqlState", str_from(error_class_sqlstate(error->cls)), arena);
    if (error_id.len > 0)
        add_metadata(&info, "errorId", error_id, arena);
    if (params.len <= STATUS_PARAMS_MAX)
        add_metadata(&info, "messageParameters", params, arena);
    return wire_pack(&info.base, arena);
}

/* Which gRPC code: clients read the details, other gRPC tools the code. */
static RpcCode code_of(ErrorClass cls)
{
    switch (cls) {
    case ERR_LAKESHED_MESSAGE_INVALID:
    case ERR_LAKESHED_PLAN_TOO_DEEP: return RPC_INVALID_ARGUMENT;
    case ERR_INVALID_HANDLE__OPERATION_NOT_FOUND:
    case ERR_INVALID_HANDLE__SESSION_NOT_FOUND: return RPC_NOT_FOUND;
    default: return RPC_INTERNAL;
    }
}

RpcStatus status_of_error(const Error *raised, Str error_id, Arena *arena)
{
    Error whole;
    const Error *error = &whole;
    recover_params(raised, &whole, arena);
    Str message = cut(error_message(error, arena), STATUS_MESSAGE_MAX, arena);
    Str info = pack_info(error, error_id, arena);
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *details[] = {&any};
    any.type_url = (char *)"type.googleapis.com/google.rpc.ErrorInfo";
    any.has_value = true;
    any.value = (ProtobufCBinaryData){info.len, (uint8_t *)info.ptr};
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.has_code = true;
    status.code = code_of(error->cls);
    status.message = text(message, arena);
    status.n_details = 1;
    status.details = details;
    return (RpcStatus){(RpcCode)status.code, message, wire_pack(&status.base, arena)};
}

static PB(FetchErrorDetailsResponse__QueryContext) *query_context(const ErrorContext *c, Arena *arena)
{
    PB(FetchErrorDetailsResponse__QueryContext) *q = ARENA_NEW(arena, PB(FetchErrorDetailsResponse__QueryContext));
    spark__connect__fetch_error_details_response__query_context__init(q);
    q->has_context_type = true;
    if (c->is_dataframe) {
        q->context_type = SPARK__CONNECT__FETCH_ERROR_DETAILS_RESPONSE__QUERY_CONTEXT__CONTEXT_TYPE__DATAFRAME;
        q->fragment = text(c->fragment, arena);
        q->call_site = text(c->call_site, arena);
        q->summary = text(c->summary, arena);
        return q;
    }
    q->has_start_index = q->has_stop_index = true;
    q->context_type = SPARK__CONNECT__FETCH_ERROR_DETAILS_RESPONSE__QUERY_CONTEXT__CONTEXT_TYPE__SQL;
    q->object_type = text(c->object_type, arena);
    q->object_name = text(c->object_name, arena);
    q->start_index = c->start_index;
    q->stop_index = c->stop_index;
    q->fragment = text(c->fragment, arena);
    q->summary = text(c->summary, arena);
    return q;
}

static PB(FetchErrorDetailsResponse__SparkThrowable) *throwable(const Error *error, Arena *arena)
{
    typedef PB(FetchErrorDetailsResponse__SparkThrowable__MessageParametersEntry) Entry;
    PB(FetchErrorDetailsResponse__SparkThrowable) *t = ARENA_NEW(arena, PB(FetchErrorDetailsResponse__SparkThrowable));
    spark__connect__fetch_error_details_response__spark_throwable__init(t);
    t->error_class = (char *)error_class_name(error->cls);
    t->sql_state = (char *)error_class_sqlstate(error->cls);
    t->n_message_parameters = error->param_count;
    t->message_parameters = ARENA_ARRAY(arena, Entry *, error->param_count);
    for (unsigned i = 0; i < error->param_count; i++) {
        Entry *e = ARENA_NEW(arena, Entry);
        spark__connect__fetch_error_details_response__spark_throwable__message_parameters_entry__init(e);
        e->key = (char *)error->params[i].key;
        e->value = text(error->params[i].value, arena);
        t->message_parameters[i] = e;
    }
    if (error->has_context) {
        t->n_query_contexts = 1;
        t->query_contexts = ARENA_NEW(arena, PB(FetchErrorDetailsResponse__QueryContext) *);
        t->query_contexts[0] = query_context(&error->context, arena);
    }
    return t;
}

PB(FetchErrorDetailsResponse) *error_details(const Error *raised, Arena *arena)
{
    Error whole;
    const Error *error = &whole;
    recover_params(raised, &whole, arena);
    PB(FetchErrorDetailsResponse) *r = ARENA_NEW(arena, PB(FetchErrorDetailsResponse));
    PB(FetchErrorDetailsResponse__Error) *e = ARENA_NEW(arena, PB(FetchErrorDetailsResponse__Error));
    spark__connect__fetch_error_details_response__init(r);
    spark__connect__fetch_error_details_response__error__init(e);
    StrVec classes = hierarchy(error, arena);
    e->n_error_type_hierarchy = classes.len;
    e->error_type_hierarchy = ARENA_ARRAY(arena, char *, classes.len);
    for (size_t i = 0; i < classes.len; i++)
        e->error_type_hierarchy[i] = text(classes.at[i], arena);
    e->message = text(error_message(error, arena), arena);
    e->spark_throwable = throwable(error, arena);
    r->has_root_error_idx = true;
    r->n_errors = 1;
    r->errors = ARENA_NEW(arena, PB(FetchErrorDetailsResponse__Error) *);
    r->errors[0] = e;
    return r;
}
