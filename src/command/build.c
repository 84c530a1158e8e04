/* Small pieces of bound plan that commands make themselves. */
#include "command/command_impl.h"

bool build_call(CommandContext *ctx, const char *name, size_t argc, BoundExpr *const *args, BoundExpr **out, Error *err)
{
    return analyze_builtin(ctx->analyzer, name, argc, args, out, err);
}

BoundExpr *build_int(CommandContext *ctx, int64_t v)
{
    return bound_literal(value_int(TYPE_INT, v), ctx->arena);
}

BoundRel *build_filter(CommandContext *ctx, BoundRel *input, BoundExpr *condition)
{
    BoundRel *f = brel_new(BREL_FILTER, input, ctx->arena);
    f->columns = input->columns;
    f->filter.condition = condition;
    return f;
}

BoundRel *build_project(CommandContext *ctx, BoundRel *input)
{
    return brel_new(BREL_PROJECT, input, ctx->arena);
}

void build_push(CommandContext *ctx, BoundRel *project, BoundExpr *e, Str name)
{
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = name, .type = e->type, .nullable = e->nullable};
    BoundItem item = {e, c.id};
    vec_push(ctx->arena, &project->project.items, item);
    vec_push(ctx->arena, &project->columns, c);
}
