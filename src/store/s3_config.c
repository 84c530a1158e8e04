/* Credentials and place of an S3 service, in the order the AWS tools look: settings, environment, profile. */
#include "store/s3_config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

enum { PROFILE_FILE_MAX = 1 << 20 };

/* ---- session settings ---- */

typedef struct ThreadSettings {
    Arena *arena;
    StoreSetting *at;
    size_t count;
} ThreadSettings;

static pthread_key_t thread_settings;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void release_settings(void *settings)
{
    arena_free(((ThreadSettings *)settings)->arena);
}

static void make_key(void)
{
    if (pthread_key_create(&thread_settings, release_settings))
        abort();
}

static const ThreadSettings *settings_in_use(void)
{
    pthread_once(&once, make_key);
    return pthread_getspecific(thread_settings);
}

void store_use_settings(const StoreSetting *settings, size_t count)
{
    const ThreadSettings *before = settings_in_use();
    ThreadSettings *kept = NULL;
    if (count) {
        Arena *arena = arena_new();
        kept = ARENA_NEW(arena, ThreadSettings);
        *kept = (ThreadSettings){arena, ARENA_ARRAY(arena, StoreSetting, count), count};
        for (size_t i = 0; i < count; i++)
            kept->at[i] = (StoreSetting){str_copy(settings[i].key, arena), str_copy(settings[i].value, arena)};
    }
    pthread_setspecific(thread_settings, kept);
    if (before)
        arena_free(before->arena);
}

bool store_is_setting(Str key)
{
    return str_starts_with(key, S("fs.s3a.")) || str_starts_with(key, S("spark.hadoop.fs.s3a."));
}

/* Hadoop's rule: fs.s3a.bucket.NAME.x outranks fs.s3a.x; Spark passes both with "spark.hadoop." before them. */
static Str setting(Str bucket, const char *name, Arena *arena)
{
    static const char *const forms[] = {"spark.hadoop.fs.s3a.", "fs.s3a."};
    const ThreadSettings *t = settings_in_use();
    for (int of_bucket = 1; t && of_bucket >= 0; of_bucket--)
        for (size_t i = 0; i < LENGTH_OF(forms); i++) {
            Str key = of_bucket ? str_printf(arena, "%sbucket." STR_FMT ".%s", forms[i], STR_ARG(bucket), name)
                                : str_printf(arena, "%s%s", forms[i], name);
            for (size_t k = 0; k < t->count; k++)
                if (str_eq(t->at[k].key, key) && str_trim(t->at[k].value).len)
                    return str_copy(str_trim(t->at[k].value), arena);
        }
    return S("");
}

static Str environment(const char *name, Arena *arena)
{
    const char *value = getenv(name);
    return value ? str_copy(str_trim(str_from(value)), arena) : S("");
}

/* ---- profile files ---- */

static Str read_profile_file(const char *path, Arena *arena)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return S("");
    struct stat st;
    size_t size = fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > PROFILE_FILE_MAX ? 0 : (size_t)st.st_size;
    char *bytes = arena_alloc(arena, size + 1);
    size_t len = 0;
    for (ssize_t n; len < size && ((n = read(fd, bytes + len, size - len)) > 0 || (n < 0 && errno == EINTR));)
        len += n > 0 ? (size_t)n : 0;
    close(fd);
    return (Str){bytes, len};
}

static Str next_line(Str *text)
{
    ptrdiff_t end = str_find_char(*text, '\n');
    Str line = end < 0 ? *text : str_slice(*text, 0, (size_t)end);
    *text = end < 0 ? S("") : str_slice(*text, (size_t)end + 1, text->len);
    return line;
}

/* The value of a key in [section]; an indented line belongs to the key before it and is passed over. */
static Str profile_value(Str text, Str section, const char *key)
{
    bool inside = false;
    while (text.len) {
        Str raw = next_line(&text), line = str_trim(raw);
        if (!line.len || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        if (line.ptr[0] == '[') {
            Str name = str_trim(str_slice(line, 1, line.len - (str_ends_with(line, S("]")) ? 1 : 0)));
            inside = str_eq(name, section);
            continue;
        }
        ptrdiff_t equals = str_find_char(line, '=');
        if (inside && raw.ptr[0] != ' ' && raw.ptr[0] != '\t' && equals > 0 &&
            str_is_ci(str_trim(str_slice(line, 0, (size_t)equals)), key))
            return str_trim(str_slice(line, (size_t)equals + 1, line.len));
    }
    return S("");
}

typedef struct Profile {
    Str name, credentials, config; /* texts of the two files */
    Str config_section;
} Profile;

static Str profile_text(const char *variable, const char *file, Arena *arena)
{
    Str path = environment(variable, arena);
    if (!path.len) {
        Str home = environment("HOME", arena);
        if (!home.len)
            return S("");
        path = str_printf(arena, STR_FMT "/.aws/%s", STR_ARG(home), file);
    }
    return read_profile_file(str_z(path, arena), arena);
}

static Profile profile_open(Arena *arena)
{
    Profile p = {.name = environment("AWS_PROFILE", arena)};
    if (!p.name.len)
        p.name = S("default");
    p.credentials = profile_text("AWS_SHARED_CREDENTIALS_FILE", "credentials", arena);
    p.config = profile_text("AWS_CONFIG_FILE", "config", arena);
    p.config_section = str_is(p.name, "default") ? p.name : str_concat(arena, S("profile "), p.name);
    return p;
}

static Str from_profile(const Profile *p, const char *key)
{
    Str value = profile_value(p->credentials, p->name, key);
    return value.len ? value : profile_value(p->config, p->config_section, key);
}

/* ---- together ---- */

static Str first_of(Str a, Str b, Str c)
{
    return a.len ? a : b.len ? b : c;
}

/* What a profile may name instead of keys, which takes a program or a service to get them from. */
static bool refuse_other_sources(Str bucket, const Profile *p, Error *err)
{
    static const char *const OTHER[] = {"credential_process", "role_arn", "sso_session", "sso_start_url", "web_identity_token_file"};
    for (size_t i = 0; i < LENGTH_OF(OTHER); i++)
        if (from_profile(p, OTHER[i]).len)
            return error_unsupported(err, "The setting %s of the AWS profile [" STR_FMT "] (credentials for s3://" STR_FMT "; their keys can be "
                                     "given as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN)", OTHER[i], STR_ARG(p->name),
                                     STR_ARG(bucket));
    static const char *const VARIABLES[] = {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                            "AWS_CONTAINER_CREDENTIALS_FULL_URI"};
    for (size_t i = 0; i < LENGTH_OF(VARIABLES); i++)
        if (getenv(VARIABLES[i]))
            return error_unsupported(err, "Credentials by %s (for s3://" STR_FMT "; their keys can be given as AWS_ACCESS_KEY_ID, "
                                     "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN)", VARIABLES[i], STR_ARG(bucket));
    return true;
}

/* Settings that would change what is sent, or as whom: obeyed or refused, never passed over. */
static bool refuse_settings(Str bucket, Str provider, Arena *arena, Error *err)
{
    static const char *const PROVIDERS[] = {"Anonymous", "Simple", "Temporary", "EnvironmentVariable", "Profile", "Default"};
    static const char *const OTHER[] = {"encryption.algorithm", "server-side-encryption-algorithm", "requester.pays.enabled", "proxy.host"};
    bool known = !provider.len;
    for (size_t i = 0; i < LENGTH_OF(PROVIDERS); i++)
        known = known || str_find(provider, str_from(PROVIDERS[i])) >= 0;
    if (!known)
        return error_unsupported(err, "fs.s3a.aws.credentials.provider " STR_FMT, STR_ARG(provider));
    for (size_t i = 0; i < LENGTH_OF(OTHER); i++) {
        Str value = setting(bucket, OTHER[i], arena);
        if (value.len && !str_is_ci(value, "false"))
            return error_unsupported(err, "fs.s3a.%s", OTHER[i]);
    }
    return true;
}

/* Key, secret and token come from one place, never mixed. */
static bool find_credentials(Str bucket, const Profile *p, Arena *arena, S3Config *out, Error *err)
{
    Str provider = setting(bucket, "aws.credentials.provider", arena);
    TRY(refuse_settings(bucket, provider, arena, err));
    if (str_find(provider, S("AnonymousAWSCredentialsProvider")) >= 0) {
        out->anonymous = true;
        return true;
    }
    out->key_id = setting(bucket, "access.key", arena);
    out->secret = setting(bucket, "secret.key", arena);
    out->token = setting(bucket, "session.token", arena);
    out->of_session = out->key_id.len || out->secret.len;
    if (!out->of_session) {
        out->key_id = environment("AWS_ACCESS_KEY_ID", arena);
        out->secret = environment("AWS_SECRET_ACCESS_KEY", arena);
        out->token = environment("AWS_SESSION_TOKEN", arena);
    }
    if (!out->key_id.len && !out->secret.len) {
        out->key_id = from_profile(p, "aws_access_key_id");
        out->secret = from_profile(p, "aws_secret_access_key");
        out->token = from_profile(p, "aws_session_token");
    }
    if (out->key_id.len && out->secret.len)
        return true;
    TRY(refuse_other_sources(bucket, p, err));
    return error_set(err, ERR_LAKESHED_FILE, P("path", str_concat(err->arena, S("s3://"), bucket)),
                     P("reason", str_printf(err->arena, "no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the "
                       "server, write them for the profile [" STR_FMT "] to ~/.aws/credentials, or set spark.hadoop.fs.s3a.access.key "
                       "and spark.hadoop.fs.s3a.secret.key in the session", STR_ARG(p->name))));
}

static bool check_endpoint(Str bucket, S3Config *c, Arena *arena, Error *err)
{
    if (!c->endpoint.len)
        return true;
    if (str_find(c->endpoint, S("://")) < 0)
        c->endpoint = str_concat(arena, S("https://"), c->endpoint);
    while (str_ends_with(c->endpoint, S("/")))
        c->endpoint.len--;
    Str host = str_slice(c->endpoint, str_istarts_with(c->endpoint, S("https://")) ? 8 : 7, c->endpoint.len);
    bool good = (str_istarts_with(c->endpoint, S("https://")) || str_istarts_with(c->endpoint, S("http://"))) && host.len;
    for (size_t i = 0; i < host.len; i++)
        good = good && host.ptr[i] > ' ' && host.ptr[i] != '/' && host.ptr[i] != '@' && host.ptr[i] != '?' && host.ptr[i] != '#';
    return good || error_set(err, ERR_LAKESHED_FILE, P("path", str_concat(err->arena, S("s3://"), bucket)),
                             PZ("reason", "the S3 endpoint must look like https://host or http://host:port "
                                          "(AWS_ENDPOINT_URL, spark.hadoop.fs.s3a.endpoint)"));
}

bool s3_config_find(Str bucket, Arena *arena, S3Config *out, Error *err)
{
    *out = (S3Config){0};
    Profile profile = profile_open(arena);
    TRY(find_credentials(bucket, &profile, arena, out, err));
    Str own_endpoint = setting(bucket, "endpoint", arena);
    out->endpoint = first_of(first_of(own_endpoint, environment("AWS_ENDPOINT_URL_S3", arena), environment("AWS_ENDPOINT_URL", arena)),
                             from_profile(&profile, "endpoint_url"), S(""));
    if (str_is_ci(setting(bucket, "connection.ssl.enabled", arena), "false") && out->endpoint.len &&
        str_find(out->endpoint, S("://")) < 0)
        out->endpoint = str_concat(arena, S("http://"), out->endpoint);
    out->region = first_of(setting(bucket, "endpoint.region", arena),
                           first_of(environment("AWS_REGION", arena), environment("AWS_DEFAULT_REGION", arena), from_profile(&profile, "region")),
                           S("us-east-1"));
    /* The server's own credentials go to no host that a session names. */
    if (own_endpoint.len && !out->of_session && !out->anonymous)
        return error_set(err, ERR_LAKESHED_FILE, P("path", str_concat(err->arena, S("s3://"), bucket)),
                         PZ("reason", "a session that sets spark.hadoop.fs.s3a.endpoint must set spark.hadoop.fs.s3a.access.key "
                                      "and spark.hadoop.fs.s3a.secret.key as well"));
    TRY(check_endpoint(bucket, out, arena, err));
    Str style = setting(bucket, "path.style.access", arena);
    bool dotted = str_find_char(bucket, '.') >= 0;
    out->path_style = style.len ? str_is_ci(style, "true") : out->endpoint.len || dotted;
    if (!out->endpoint.len)
        out->endpoint = str_printf(arena, "https://s3." STR_FMT ".amazonaws.com", STR_ARG(out->region));
    for (size_t i = 0; i < out->region.len; i++)
        if (!((out->region.ptr[i] >= 'a' && out->region.ptr[i] <= 'z') || (out->region.ptr[i] >= '0' && out->region.ptr[i] <= '9') ||
              out->region.ptr[i] == '-'))
            return error_set(err, ERR_LAKESHED_FILE, P("path", str_concat(err->arena, S("s3://"), bucket)),
                             PZ("reason", "the region (AWS_REGION, spark.hadoop.fs.s3a.endpoint.region) is not a region's name"));
    return true;
}
