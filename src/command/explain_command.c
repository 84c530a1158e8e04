/* EXPLAIN as SQL: the plan as text, in one row. */
#include "command/command_impl.h"

/* There is one plan here, so every mode shows it: what DuckDB is asked. */
bool run_explain(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    BoundRel *query;
    Str sql;
    ResultTable t = {0};
    if (!c->query)
        return error_unsupported(err, "EXPLAIN of a command");
    TRY(analyze_query(ctx->analyzer, c->query, &query, err));
    TRY(engine_render(query, analyzer_func(ctx->analyzer), ctx->arena, &sql, err));
    result_field(ctx, &t, "plan", type_simple(TYPE_STRING), true);
    result_set_text(result_row(ctx, &t), str_printf(ctx->arena, "== Physical Plan ==\n" STR_FMT "\n", STR_ARG(sql)));
    *result = result_rel(ctx, &t);
    return true;
}
