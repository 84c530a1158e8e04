/* What a commit says of itself: operation, parameters, metrics. */
#include "command/command_impl.h"

#include "base/json.h"

static void push(CommandContext *ctx, PropertyVec *v, const char *key, Str value)
{
    Property p = {str_from(key), value, false};
    vec_push(ctx->arena, v, p);
}

void note_parameter(CommandContext *ctx, CommitNote *n, const char *key, Str json)
{
    push(ctx, &n->parameters, key, json);
}

void note_parameter_text(CommandContext *ctx, CommitNote *n, const char *key, Str text)
{
    Buf b = buf_in(ctx->arena);
    json_put_str(&b, text);
    push(ctx, &n->parameters, key, buf_str(&b));
}

static void put_names(Buf *b, const char *key, const DeltaStrVec *names)
{
    buf_addf(b, ",\"%s\":[", key);
    for (size_t i = 0; i < names->len; i++) {
        buf_addz(b, i ? "," : "");
        json_put_str(b, names->at[i]);
    }
    buf_addc(b, ']');
}

void note_protocol(CommandContext *ctx, CommitNote *n, const Protocol *p)
{
    Buf b = buf_in(ctx->arena);
    buf_addf(&b, "{\"minReaderVersion\":%d,\"minWriterVersion\":%d", p->min_reader, p->min_writer);
    if (p->has_reader_features)
        put_names(&b, "readerFeatures", &p->reader_features);
    else if (p->has_writer_features)
        buf_addz(&b, ",\"readerFeatures\":null");
    if (p->has_writer_features)
        put_names(&b, "writerFeatures", &p->writer_features);
    buf_addc(&b, '}');
    note_parameter_text(ctx, n, "newProtocol", buf_str(&b));
}

void note_metric(CommandContext *ctx, CommitNote *n, const char *key, int64_t value)
{
    push(ctx, &n->metrics, key, str_printf(ctx->arena, "%lld", (long long)value));
}

bool note_commit(CommandContext *ctx, Transaction *x, const CommitNote *n, int64_t *version, Error *err)
{
    bool found = true;
    CommitRequest r = {.operation = n->operation, .parameters = n->parameters, .metrics = n->metrics, .blind_append = n->blind_append,
                       .user_metadata = n->user_metadata};
    r.tags = n->tags;
    r.keeps_rows = n->keeps_rows;
    r.isolation = n->isolation;
    txn_mark_put(ctx, &n->txn, x);
    TRY(analyze_shapes_allowed(ctx->session, transaction_metadata(x)->schema, err));
    if (!r.user_metadata.len)
        session_get(ctx->session, S("spark.databricks.delta.commitInfo.userMetadata"), ctx->arena, &found, &r.user_metadata);
    int64_t ignored;
    TRY(transaction_commit(x, &r, version ? version : &ignored, err) && update_manifests(ctx, x, err));
    auto_compact(ctx, x, n);
    return true;
}
