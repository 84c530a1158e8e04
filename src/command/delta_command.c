/* What DeltaTable asks for that SQL has no statement for: protocol upgrades and features. */
#include "command/command_impl.h"

static bool commit_protocol(CommandContext *ctx, const Target *t, const Protocol *p, const char *operation, Error *err)
{
    CommitNote note = {.operation = str_from(operation), .started_us = clock_monotonic_us()};
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    transaction_set_protocol(x, p);
    note_protocol(ctx, &note, p);
    bool ok = note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    return ok;
}

static bool version_argument(const Command *c, const char *key, int *out, Error *err)
{
    int64_t n;
    Str text = key_value_get(&c->delta.args, key);
    if (!str_to_i64(text, &n) || n < 1 || n > 7)
        return error_set(err, ERR_DELTA_INVALID_PROTOCOL_VERSION, PZ("tableNameOrPath", key), P("readerRequired", text), P("writerRequired", text),
                         PZ("supportedReaders", "1, 2, 3"), PZ("supportedWriters", "1, 2, 3, 4, 5, 6, 7"));
    *out = (int)n;
    return true;
}

/* Versions only rise; from 3 and 7 on, what the old versions implied is named. */
static bool upgrade(CommandContext *ctx, const Target *t, const Command *c, Error *err)
{
    int reader, writer;
    TRY(version_argument(c, "readerVersion", &reader, err));
    TRY(version_argument(c, "writerVersion", &writer, err));
    Protocol p = *snapshot_protocol(t->snapshot);
    if (p.min_writer >= 7) {
        if (writer < 7 && reader <= p.min_reader)
            return true;
    } else if (writer == 7) {
        for (size_t i = 0; i < delta_feature_count(); i++) {
            const DeltaFeature *f = delta_feature_at(i);
            if (f->implied_writer && f->implied_writer <= p.min_writer)
                TRY(protocol_add_feature(&p, f->name, ctx->arena, err));
        }
        p.min_writer = 7;
        p.has_writer_features = true;
    } else if (writer > p.min_writer)
        p.min_writer = writer;
    if (reader > p.min_reader)
        p.min_reader = reader;
    if (p.min_reader >= 3)
        p.has_reader_features = true;
    return protocol_equal(&p, snapshot_protocol(t->snapshot)) || commit_protocol(ctx, t, &p, "UPGRADE PROTOCOL", err);
}

static bool add_feature(CommandContext *ctx, const Target *t, const Command *c, Error *err)
{
    Str feature = key_value_get(&c->delta.args, "feature");
    if (!delta_feature_find(feature))
        return error_set(err, ERR_DELTA_UNSUPPORTED_FEATURES_IN_CONFIG, P("configs", feature));
    Protocol p = *snapshot_protocol(t->snapshot);
    TRY(protocol_add_feature(&p, str_z(feature, ctx->arena), ctx->arena, err));
    return protocol_equal(&p, snapshot_protocol(t->snapshot)) || commit_protocol(ctx, t, &p, "UPGRADE PROTOCOL", err);
}

bool run_delta(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Target t;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    if (str_is(c->delta.op, "upgradeProtocol"))
        return upgrade(ctx, &t, c, err);
    if (str_is(c->delta.op, "addFeature"))
        return add_feature(ctx, &t, c, err);
    return error_unsupported(err, "the Delta command " STR_FMT, STR_ARG(c->delta.op));
}
