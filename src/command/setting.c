/* SET and RESET. */
#include "command/command_impl.h"

static BoundRel *pairs(CommandContext *ctx, const KeyValueVec *list)
{
    ResultTable t = {0};
    result_field(ctx, &t, "key", type_simple(TYPE_STRING), false);
    result_field(ctx, &t, "value", type_simple(TYPE_STRING), false);
    for (size_t i = 0; i < list->len; i++) {
        Value *row = result_row(ctx, &t);
        result_set_text(&row[0], list->at[i].key);
        result_set_text(&row[1], list->at[i].value);
    }
    return result_rel(ctx, &t);
}

static BoundRel *all_settings(CommandContext *ctx)
{
    ResultTable t = {0};
    static const char *const NAMES[] = {"key", "value", "meaning", "Since version"};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        result_field(ctx, &t, NAMES[i], type_simple(TYPE_STRING), false);
    for (size_t i = 0; i < spark_setting_count(); i++) {
        const SparkSetting *s = spark_setting_at(i);
        bool found;
        Str value;
        session_get(ctx->session, str_from(s->key), ctx->arena, &found, &value);
        Value *row = result_row(ctx, &t);
        result_set_text(&row[0], str_from(s->key));
        result_set_text(&row[1], found ? value : S("<undefined>"));
        result_set_text(&row[2], S(""));
        result_set_text(&row[3], S(""));
    }
    return result_rel(ctx, &t);
}

/* What Hive calls a variable is a setting. */
static Str setting_key(Str written)
{
    Str prefix = S("hivevar:");
    return str_starts_with(written, prefix) ? str_slice(written, prefix.len, written.len) : written;
}

bool run_set(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    KeyValueVec list = {0};
    if (c->set.all) {
        *result = all_settings(ctx);
        return true;
    }
    if (!c->set.key.len) {
        session_all(ctx->session, ctx->arena, &list);
        *result = pairs(ctx, &list);
        return true;
    }
    KeyValue kv = {c->set.has_value ? setting_key(c->set.key) : c->set.key, c->set.value, NULL};
    if (c->set.has_value && variable_is_known(ctx, kv.key))
        return error_set(err, ERR_UNSUPPORTED_FEATURE__SET_VARIABLE_USING_SET, P("variableName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(kv.key))));
    if (c->set.has_value)
        TRY(session_set(ctx->session, kv.key, kv.value, err));
    else {
        bool found;
        session_get(ctx->session, kv.key, ctx->arena, &found, &kv.value);
        if (!found)
            kv.value = S("<undefined>");
    }
    kv.key = c->set.key;
    vec_push(ctx->arena, &list, kv);
    *result = pairs(ctx, &list);
    return true;
}

bool run_reset(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    *result = result_none(ctx);
    if (c->set.key.len) {
        TRY(session_may_change(c->set.key, err));
        session_unset(ctx->session, c->set.key);
        return true;
    }
    KeyValueVec list = {0};
    session_all(ctx->session, ctx->arena, &list);
    for (size_t i = 0; i < list.len; i++)
        session_unset(ctx->session, list.at[i].key);
    return true;
}
