/* Config: a client reads and changes its session's settings. Quick: answered on the I/O thread. */
#include "connect/service.h"

typedef PB(ConfigRequest__Operation) ConfigOperation;
#define CONFIG_CASE(name) SPARK__CONNECT__CONFIG_REQUEST__OPERATION__OP_TYPE_##name

typedef struct Pairs {
    VEC(PB(KeyValue) *) at;
    VEC(char *) warnings;
} Pairs;

static void add_pair(Request *r, Pairs *out, Str key, const Str *value)
{
    PB(KeyValue) *kv = ARENA_NEW(r->arena, PB(KeyValue));
    spark__connect__key_value__init(kv);
    kv->key = wire_text(key, r->arena);
    kv->value = value == NULL ? NULL : wire_text(*value, r->arena);
    vec_push(r->arena, &out->at, kv);
}

static bool get_setting(Request *r, Str key, Str *value)
{
    bool found;
    session_get(r->session->session, key, r->arena, &found, value);
    return found;
}

static bool get_explicit(Request *r, Str key, Str *value)
{
    KeyValueVec all = {0};
    session_all(r->session->session, r->arena, &all);
    for (size_t i = 0; i < all.len; i++)
        if (str_eq(all.at[i].key, key)) {
            *value = all.at[i].value;
            return true;
        }
    return false;
}

static bool config_set(Request *r, const PB(ConfigRequest__Set) *m, Pairs *out)
{
    for (size_t i = 0; i < m->n_pairs; i++) {
        if (session_set(r->session->session, wire_str(m->pairs[i]->key), wire_str(m->pairs[i]->value), &r->err))
            continue;
        /* A builder's settings may name what only a cluster's start can set: said, but no failure. */
        if (!m->silent)
            return false;
        vec_push(r->arena, &out->warnings, wire_text(error_message(&r->err, r->arena), r->arena));
        error_clear(&r->err);
    }
    return true;
}

static bool config_get(Request *r, const PB(ConfigRequest__Get) *m, Pairs *out)
{
    for (size_t i = 0; i < m->n_keys; i++) {
        Str key = wire_str(m->keys[i]), value;
        bool found = get_setting(r, key, &value);
        if (!found && spark_setting(key) == NULL)
            return error_set(&r->err, ERR_SQL_CONF_NOT_FOUND,
                             P("sqlConf", str_printf(r->arena, "\"" STR_FMT "\"", STR_ARG(key))));
        add_pair(r, out, key, found ? &value : NULL);
    }
    return true;
}

static bool config_get_with_default(Request *r, const PB(ConfigRequest__GetWithDefault) *m, Pairs *out)
{
    for (size_t i = 0; i < m->n_pairs; i++) {
        Str key = wire_str(m->pairs[i]->key), value, given = wire_str(m->pairs[i]->value);
        bool has_default = m->pairs[i]->value != NULL;
        /* The default of the call comes before Spark's own. */
        bool found = has_default ? get_explicit(r, key, &value) : get_setting(r, key, &value);
        add_pair(r, out, key, found ? &value : has_default ? &given : NULL);
    }
    return true;
}

static bool config_get_option(Request *r, const PB(ConfigRequest__GetOption) *m, Pairs *out)
{
    for (size_t i = 0; i < m->n_keys; i++) {
        Str key = wire_str(m->keys[i]), value;
        bool found = get_setting(r, key, &value);
        add_pair(r, out, key, found ? &value : NULL);
    }
    return true;
}

/* Only what was set, as Spark; a prefix is cut off the keys. */
static bool config_get_all(Request *r, const PB(ConfigRequest__GetAll) *m, Pairs *out)
{
    KeyValueVec all = {0};
    Str prefix = wire_str(m->prefix);
    session_all(r->session->session, r->arena, &all);
    for (size_t i = 0; i < all.len; i++)
        if (str_starts_with(all.at[i].key, prefix))
            add_pair(r, out, str_slice(all.at[i].key, prefix.len, all.at[i].key.len), &all.at[i].value);
    return true;
}

static bool config_unset(Request *r, const PB(ConfigRequest__Unset) *m, Pairs *out)
{
    for (size_t i = 0; i < m->n_keys; i++) {
        TRY(session_may_change(wire_str(m->keys[i]), &r->err));
        session_unset(r->session->session, wire_str(m->keys[i]));
    }
    return true;
}

static bool config_is_modifiable(Request *r, const PB(ConfigRequest__IsModifiable) *m, Pairs *out)
{
    for (size_t i = 0; i < m->n_keys; i++) {
        Str key = wire_str(m->keys[i]);
        const SparkSetting *setting = spark_setting(key);
        Str answer = setting != NULL && !(setting->flags & SETTING_STATIC) ? S("true") : S("false");
        add_pair(r, out, key, &answer);
    }
    return true;
}

static bool run_operation(Request *r, const ConfigOperation *op, Pairs *out)
{
    switch (op == NULL ? 0 : op->op_type_case) {
    case CONFIG_CASE(SET): return config_set(r, op->set, out);
    case CONFIG_CASE(GET): return config_get(r, op->get, out);
    case CONFIG_CASE(GET_WITH_DEFAULT): return config_get_with_default(r, op->get_with_default, out);
    case CONFIG_CASE(GET_OPTION): return config_get_option(r, op->get_option, out);
    case CONFIG_CASE(GET_ALL): return config_get_all(r, op->get_all, out);
    case CONFIG_CASE(UNSET): return config_unset(r, op->unset, out);
    case CONFIG_CASE(IS_MODIFIABLE): return config_is_modifiable(r, op->is_modifiable, out);
    default: return error_unsupported(&r->err, "A Config request without an operation");
    }
}

static bool answer(Request *r, PB(ConfigResponse) *out)
{
    const PB(ConfigRequest) *m;
    Pairs pairs = {0};
    TRY(request_unpack(r, &spark__connect__config_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_open(r->server->sessions, &key, &r->session, &r->err));
    TRY(run_operation(r, m->operation, &pairs));
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    out->n_pairs = pairs.at.len;
    out->pairs = pairs.at.at;
    out->n_warnings = pairs.warnings.len;
    out->warnings = pairs.warnings.at;
    return true;
}

void config(void *server, RpcCall *call, RpcEvent event)
{
    Request r;
    PB(ConfigResponse) out = SPARK__CONNECT__CONFIG_RESPONSE__INIT;
    request_begin(&r, server, call);
    if (answer(&r, &out))
        request_reply(&r, &out.base);
    else
        request_fail(&r);
}
