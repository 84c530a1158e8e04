/* EXPLAIN as SQL: the plan as text, in one row. */
#include "command/command_impl.h"

#include "plan/explain.h"

bool run_explain(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    BoundRel *query;
    ResultTable t = {0};
    if (!c->query)
        return error_unsupported(err, "EXPLAIN of a command");
    TRY(analyze_query(ctx->analyzer, c->query, &query, err));
    const FuncContext *func = analyzer_func(ctx->analyzer);
    result_field(ctx, &t, "plan", type_simple(TYPE_STRING), true);
    result_set_text(result_row(ctx, &t), explain_text(query, c->explain.mode, func->zone, ctx->arena));
    *result = result_rel(ctx, &t);
    return true;
}
