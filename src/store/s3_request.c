/* Requests over libcurl: signed by AWS Signature Version 4, tried again with growing random pauses. */
#include "store/s3_request.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/s3_sign.h"
#include "store/s3_xml.h"

enum {
    MAX_CLIENTS = 256,
    MAX_IDLE = 32,
    MAX_ATTEMPTS = 8,
    MAX_UNREACHED = 4, /* attempts that met nobody */
    FIRST_PAUSE_MS = 100,
    MAX_PAUSE_MS = 5000,
    CONNECT_TIMEOUT_MS = 5000,
    STALLED_SECONDS = 30,
    ERROR_BODY_MAX = 64 * 1024,
    PADDING = 16
};

struct S3Client {
    S3Config config;
    char id[17];
    Str host, scheme;
    pthread_mutex_t lock; /* guards idle, idle_count */
    CURL *idle[MAX_IDLE];
    size_t idle_count;
};

/* ---- clients ---- */

static pthread_mutex_t clients_lock = PTHREAD_MUTEX_INITIALIZER; /* guards clients, client_count, clients_arena */
static S3Client *clients[MAX_CLIENTS];
static size_t client_count;
static Arena *clients_arena;

static bool same_config(const S3Config *a, const S3Config *b)
{
    return str_eq(a->endpoint, b->endpoint) && str_eq(a->region, b->region) && str_eq(a->key_id, b->key_id) &&
           str_eq(a->secret, b->secret) && str_eq(a->token, b->token) && a->path_style == b->path_style &&
           a->anonymous == b->anonymous && a->of_session == b->of_session;
}

static S3Client *new_client(const S3Config *config)
{
    if (!clients_arena) {
        clients_arena = arena_new();
        curl_global_init(CURL_GLOBAL_DEFAULT);
    }
    Arena *a = clients_arena;
    S3Client *c = ARENA_NEW(a, S3Client);
    c->config = *config;
    Str *const texts[] = {&c->config.endpoint, &c->config.region, &c->config.key_id, &c->config.secret, &c->config.token};
    for (size_t i = 0; i < LENGTH_OF(texts); i++)
        *texts[i] = str_copy(*texts[i], a);
    ptrdiff_t after = str_find(c->config.endpoint, S("://"));
    c->scheme = str_slice(c->config.endpoint, 0, (size_t)after);
    c->host = str_slice(c->config.endpoint, (size_t)after + 3, c->config.endpoint.len);
    AUTO_ARENA scratch = arena_new();
    Str who = config->of_session ? str_printf(scratch, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(config->endpoint),
                                              STR_ARG(config->key_id), STR_ARG(config->secret), STR_ARG(config->token))
                                 : str_printf(scratch, STR_FMT "\n%d", STR_ARG(config->endpoint), config->anonymous);
    memcpy(c->id, sha256_hex(who, scratch).ptr, sizeof c->id - 1);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

bool s3_client_get(const S3Config *config, S3Client **out, Error *err)
{
    *out = NULL;
    pthread_mutex_lock(&clients_lock);
    for (size_t i = 0; i < client_count && !*out; i++)
        if (same_config(&clients[i]->config, config))
            *out = clients[i];
    if (!*out && client_count < MAX_CLIENTS)
        *out = clients[client_count++] = new_client(config);
    pthread_mutex_unlock(&clients_lock);
    return *out || error_unsupported(err, "More than %d different S3 credentials in one process", MAX_CLIENTS);
}

const char *s3_client_id(const S3Client *c)
{
    return c->id;
}

S3Client *s3_client_by_id(Str id)
{
    S3Client *found = NULL;
    pthread_mutex_lock(&clients_lock);
    for (size_t i = 0; i < client_count && !found; i++)
        if (str_is(id, clients[i]->id))
            found = clients[i];
    pthread_mutex_unlock(&clients_lock);
    return found;
}

const S3Config *s3_client_config(const S3Client *c)
{
    return &c->config;
}

static CURL *take_handle(S3Client *c)
{
    CURL *h = NULL;
    pthread_mutex_lock(&c->lock);
    if (c->idle_count)
        h = c->idle[--c->idle_count];
    pthread_mutex_unlock(&c->lock);
    return h ? h : curl_easy_init();
}

static void give_handle(S3Client *c, CURL *h)
{
    curl_easy_reset(h); /* keeps the connection */
    pthread_mutex_lock(&c->lock);
    bool kept = c->idle_count < MAX_IDLE;
    if (kept)
        c->idle[c->idle_count++] = h;
    pthread_mutex_unlock(&c->lock);
    if (!kept)
        curl_easy_cleanup(h);
}

/* ---- one attempt ---- */

typedef struct Attempt {
    const S3Request *request;
    CURL *handle;
    Buf body;
    int64_t written;   /* bytes that went to the file */
    bool disk_failed, too_long;
    int disk_errno;
    char etag[256], region[64];
    int64_t modified_ms, total;
    long status;
} Attempt;

static bool is_success(long status)
{
    return status >= 200 && status < 300;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    Attempt *a = arg;
    size_t len = size * n;
    curl_easy_getinfo(a->handle, CURLINFO_RESPONSE_CODE, &a->status);
    if (a->request->to_fd > 0 && is_success(a->status)) {
        for (size_t done = 0; done < len;) {
            ssize_t w = pwrite(a->request->to_fd, bytes + done, len - done, (off_t)(a->request->to_offset + a->written));
            if (w < 0 && errno == EINTR)
                continue;
            if (w <= 0) {
                a->disk_failed = true;
                a->disk_errno = errno;
                return 0;
            }
            done += (size_t)w;
            a->written += w;
        }
        return len;
    }
    buf_add_bytes(&a->body, bytes, len);
    a->too_long = a->body.overflow;
    return a->too_long ? 0 : len;
}

static void keep_header(Str line, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    if (line.len <= n || !str_istarts_with(line, str_from(name)))
        return;
    Str value = str_trim(str_slice(line, n, line.len));
    if (value.len < size) {
        memcpy(out, value.ptr, value.len);
        out[value.len] = 0;
    }
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    Attempt *a = arg;
    Str line = {bytes, size * n};
    char date[64] = "", range[96] = "";
    keep_header(line, "etag:", a->etag, sizeof a->etag);
    keep_header(line, "x-amz-bucket-region:", a->region, sizeof a->region);
    keep_header(line, "last-modified:", date, sizeof date);
    keep_header(line, "content-range:", range, sizeof range);
    ptrdiff_t slash = str_find_char(str_from(range), '/');
    if (slash > 0 && !str_to_i64(str_from(range + slash + 1), &a->total))
        a->total = -1;
    if (date[0])
        a->modified_ms = (int64_t)curl_getdate(date, NULL) * 1000;
    return line.len;
}

static Str request_host(const S3Client *c, const S3Request *r, Arena *arena)
{
    return c->config.path_style ? c->host : str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(r->bucket), STR_ARG(c->host));
}

static Str request_path(const S3Client *c, const S3Request *r, Arena *arena)
{
    Str key = s3_uri_encode(r->key, true, arena);
    return c->config.path_style ? str_printf(arena, "/" STR_FMT "%s" STR_FMT, STR_ARG(r->bucket), key.len ? "/" : "", STR_ARG(key))
                                : str_concat(arena, S("/"), key);
}

static Str request_query(const S3Request *r, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < r->param_count; i++)
        buf_addf(&b, "%s%s=" STR_FMT, i ? "&" : "", r->params[i].name, STR_ARG(s3_uri_encode(r->params[i].value, false, arena)));
    return b.len ? buf_str(&b) : S("");
}

static struct curl_slist *add_header(struct curl_slist *list, Arena *arena, const char *name, Str value)
{
    return curl_slist_append(list, str_printf(arena, "%s: " STR_FMT, name, STR_ARG(value)).ptr);
}

static struct curl_slist *request_headers(const S3Client *c, const S3Request *r, Str host, Arena *arena)
{
    char stamp[17];
    time_t now = (time_t)(clock_now_us() / 1000000);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    /* curl adds these by itself unless it is told not to. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    list = curl_slist_append(list, "Content-Type:");
    if (r->if_absent)
        list = curl_slist_append(list, "If-None-Match: *");
    if (r->has_md5)
        list = add_header(list, arena, "Content-MD5", md5_base64(r->body, arena));
    if (r->if_match.len)
        list = add_header(list, arena, "If-Match", r->if_match);
    if (r->count)
        list = add_header(list, arena, "Range", str_printf(arena, "bytes=%lld-%lld", (long long)r->from, (long long)(r->from + r->count - 1)));
    if (c->config.anonymous)
        return list;
    Str hash = sha256_hex(r->body, arena);
    SignedRequest s = {r->method, request_path(c, r, arena), request_query(r, arena), host, hash, str_from(stamp), c->config.token};
    list = add_header(list, arena, "x-amz-content-sha256", hash);
    list = add_header(list, arena, "x-amz-date", str_from(stamp));
    if (c->config.token.len)
        list = add_header(list, arena, "x-amz-security-token", c->config.token);
    return add_header(list, arena, "Authorization", s3_authorization(&c->config, &s, arena));
}

static CURLcode perform(S3Client *c, Attempt *a, Arena *arena)
{
    const S3Request *r = a->request;
    CURL *h = a->handle;
    Str host = request_host(c, r, arena), query = request_query(r, arena), path = request_path(c, r, arena);
    Str url = str_printf(arena, STR_FMT "://" STR_FMT STR_FMT "%s" STR_FMT, STR_ARG(c->scheme), STR_ARG(host), STR_ARG(path),
                         query.len ? "?" : "", STR_ARG(query));
    struct curl_slist *headers = request_headers(c, r, host, arena);
    curl_easy_setopt(h, CURLOPT_URL, url.ptr);
    curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, a);
    if (r->body.len || !strcmp(r->method, "PUT") || !strcmp(r->method, "POST")) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, r->body.len ? r->body.ptr : "");
    }
    if (!strcmp(r->method, "HEAD"))
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, r->method);
    CURLcode code = curl_easy_perform(h);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &a->status);
    curl_slist_free_all(headers);
    return code;
}

/* ---- attempts ---- */

bool s3_is_good(const S3Answer *a)
{
    return is_success(a->status);
}

static bool passes_by_itself(const S3Answer *a)
{
    return (a->status >= 500 && a->status != 501) || a->status == 429 || a->status == 408 || str_is(a->code, "RequestTimeout") ||
           str_is(a->code, "SlowDown") || str_is(a->code, "OperationAborted") || str_is(a->code, "ConditionalRequestConflict");
}

static bool never_arrived(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
           code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION;
}

/* Random between nothing and a bound that doubles: clients that failed together do not come back together. */
static void pause_before_next(int attempt)
{
    int64_t bound = (int64_t)FIRST_PAUSE_MS << (attempt < 10 ? attempt : 10);
    uint32_t random;
    const Clock *clock = clock_current();
    clock->random_bytes(clock->self, &random, sizeof random);
    if (bound > MAX_PAUSE_MS)
        bound = MAX_PAUSE_MS;
    usleep((useconds_t)(random % (uint32_t)bound + 1) * 1000);
}

static Str request_uri(const S3Request *r, Arena *arena)
{
    return str_printf(arena, "s3://" STR_FMT "%s" STR_FMT, STR_ARG(r->bucket), r->key.len ? "/" : "", STR_ARG(r->key));
}

static void take_answer(Attempt *a, Arena *arena, S3Answer *out)
{
    bool ambiguous = out->ambiguous, unanswered = out->unanswered;
    curl_off_t length = -1;
    curl_easy_getinfo(a->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    char *body = arena_alloc(arena, a->body.len + PADDING);
    if (a->body.len)
        memcpy(body, a->body.ptr, a->body.len);
    *out = (S3Answer){.status = (int)a->status, .body = {body, a->body.len}, .etag = str_copy(str_from(a->etag), arena), .length = length,
                      .total = a->total, .modified_ms = a->modified_ms, .ambiguous = ambiguous, .unanswered = unanswered,
                      .region = str_copy(str_from(a->region), arena)};
    if (!is_success(a->status) && a->body.len)
        s3_read_error(out->body, arena, out);
}

static bool no_answer(const S3Client *c, const S3Request *r, CURLcode code, Error *err)
{
    return error_set(err, ERR_LAKESHED_FILE, P("path", request_uri(r, err->arena)),
                     P("reason", str_printf(err->arena, "the S3 service at " STR_FMT " did not answer: %s (is the endpoint right? "
                       "AWS_ENDPOINT_URL, spark.hadoop.fs.s3a.endpoint)", STR_ARG(c->config.endpoint), curl_easy_strerror(code))));
}

static bool cannot_take(const S3Request *r, const Attempt *a, Error *err)
{
    char text[128];
    Str reason = a->disk_failed ? str_printf(err->arena, "its local copy cannot be written: %s", strerror_r(a->disk_errno, text, sizeof text))
                                : str_printf(err->arena, "it has more bytes than the limit of %zu", r->max_bytes);
    return error_set(err, ERR_LAKESHED_FILE, P("path", request_uri(r, err->arena)), P("reason", reason));
}

/* *again: the attempt is worth repeating. */
static bool try_once(S3Client *c, const S3Request *r, int attempt, Arena *arena, S3Answer *out, bool *again, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    size_t max = r->max_bytes > ERROR_BODY_MAX ? r->max_bytes : ERROR_BODY_MAX;
    Attempt a = {.request = r, .handle = take_handle(c), .body = buf_heap(max + 1), .total = -1};
    if (!a.handle)
        return error_internal(err, "curl has no handle");
    CURLcode code = perform(c, &a, scratch);
    bool ok = true;
    *again = false;
    if (a.disk_failed || a.too_long || (r->to_fd <= 0 && is_success(a.status) && a.body.len > max)) {
        ok = cannot_take(r, &a, err);
    } else if (code != CURLE_OK) {
        *again = attempt + 1 < (never_arrived(code) ? MAX_UNREACHED : MAX_ATTEMPTS);
        out->unanswered = out->unanswered || !never_arrived(code);
        out->ambiguous = out->ambiguous || out->unanswered;
        log_debug("S3: %s %s, attempt %d: %s", r->method, request_uri(r, scratch).ptr, attempt + 1, curl_easy_strerror(code));
        ok = *again || no_answer(c, r, code, err);
    } else {
        take_answer(&a, arena, out);
        *again = passes_by_itself(out) && attempt + 1 < MAX_ATTEMPTS;
        out->ambiguous = out->ambiguous || out->status >= 500;
        if (*again)
            log_debug("S3: %s %s, attempt %d: %d", r->method, request_uri(r, scratch).ptr, attempt + 1, out->status);
    }
    give_handle(c, a.handle);
    buf_free(&a.body);
    return ok;
}

bool s3_send(S3Client *c, const S3Request *r, Arena *arena, S3Answer *out, Error *err)
{
    *out = (S3Answer){.length = -1};
    bool again = true;
    for (int attempt = 0; again; attempt++) {
        if (attempt)
            pause_before_next(attempt - 1);
        TRY(try_once(c, r, attempt, arena, out, &again, err));
    }
    return true;
}

/* ---- errors ---- */

/* What the user can do about it, by S3's code; HEAD answers have only a status. */
static const struct {
    const char *code;
    int status;
    const char *advice;
} ADVICE[] = {
    {"InvalidAccessKeyId", 0, "the service does not know this access key: check AWS_ACCESS_KEY_ID (or spark.hadoop.fs.s3a.access.key)"},
    {"XAdminUserNotFound", 0, "the service does not know this access key: check AWS_ACCESS_KEY_ID (or spark.hadoop.fs.s3a.access.key)"},
    {"SignatureDoesNotMatch", 0, "the secret key does not fit the access key: check AWS_SECRET_ACCESS_KEY (or spark.hadoop.fs.s3a.secret.key) "
                                 "and the region"},
    {"ExpiredToken", 0, "the session token has expired: set a new AWS_SESSION_TOKEN (or spark.hadoop.fs.s3a.session.token)"},
    {"InvalidToken", 0, "the session token is not valid: check AWS_SESSION_TOKEN (or spark.hadoop.fs.s3a.session.token)"},
    {"RequestTimeTooSkewed", 0, "this machine's clock differs too much from the service's"},
    {"NoSuchBucket", 0, "there is no such bucket: check its name, the endpoint (AWS_ENDPOINT_URL) and the region (AWS_REGION)"},
    {"AuthorizationHeaderMalformed", 0, "the region is wrong: set AWS_REGION (or spark.hadoop.fs.s3a.endpoint.region) to the bucket's region"},
    {"PermanentRedirect", 301, "the bucket is in another region: set AWS_REGION (or spark.hadoop.fs.s3a.endpoint.region) to it"},
    {"InvalidBucketName", 0, "this is not a bucket's name"},
    {"NotImplemented", 501, "the service does not have this operation; lakeshed needs one that honours If-None-Match on PUT"},
    {"AccessDenied", 403, "access is denied: the credentials are wrong or may not do this here (s3:ListBucket, s3:GetObject, s3:PutObject, "
                          "s3:DeleteObject)"},
    {"", 404, "there is no such bucket or object"},
    {"", 0, "the service refused the request"},
};

bool s3_failure(const S3Client *c, const S3Request *r, const S3Answer *a, Error *err)
{
    size_t i = 0;
    while (i + 1 < LENGTH_OF(ADVICE) && !(a->code.len ? str_is(a->code, ADVICE[i].code) : ADVICE[i].status == a->status))
        i++;
    Buf b = buf_in(err->arena);
    buf_addf(&b, "%s (S3 at " STR_FMT " answered %d", ADVICE[i].advice, STR_ARG(c->config.endpoint), a->status);
    if (a->code.len)
        buf_addf(&b, " " STR_FMT, STR_ARG(str_slice(a->code, 0, 100)));
    if (a->region.len)
        buf_addf(&b, ", region " STR_FMT, STR_ARG(a->region));
    buf_addz(&b, ")");
    return error_set(err, ERR_LAKESHED_FILE, P("path", request_uri(r, err->arena)), P("reason", buf_str(&b)));
}
