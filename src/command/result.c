/* The rows a command answers with. */
#include "command/command_impl.h"

void result_field(CommandContext *ctx, ResultTable *t, const char *name, const Type *type, bool nullable)
{
    Field f = {str_from(name), type, nullable, {0}};
    vec_push(ctx->arena, &t->fields, f);
}

Value *result_row(CommandContext *ctx, ResultTable *t)
{
    Row row = {ARENA_ARRAY(ctx->arena, Value, t->fields.len)};
    for (size_t i = 0; i < t->fields.len; i++)
        row.cells[i] = value_null(t->fields.at[i].type);
    vec_push(ctx->arena, &t->rows, row);
    return row.cells;
}

void result_set_text(Value *cell, Str text)
{
    cell->is_null = false;
    cell->bytes = text;
}

void result_set_int(Value *cell, int64_t v)
{
    cell->is_null = false;
    cell->integer = v;
}

BoundRel *result_rel(CommandContext *ctx, const ResultTable *t)
{
    BoundRel *v = brel_new(BREL_VALUES, NULL, ctx->arena);
    for (size_t i = 0; i < t->fields.len; i++) {
        const Field *f = &t->fields.at[i];
        BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = f->name, .type = f->type, .nullable = f->nullable};
        vec_push(ctx->arena, &v->columns, c);
    }
    for (size_t r = 0; r < t->rows.len; r++) {
        BoundExprVec cells = {0};
        for (size_t i = 0; i < t->fields.len; i++) {
            Value cell = t->rows.at[r].cells[i];
            cell.type = t->fields.at[i].type;
            vec_push(ctx->arena, &cells, bound_literal(cell, ctx->arena));
        }
        vec_push(ctx->arena, &v->values.rows, cells);
    }
    return v;
}

BoundRel *result_none(CommandContext *ctx)
{
    ResultTable t = {0};
    return result_rel(ctx, &t);
}

BoundRel *result_counts(CommandContext *ctx, size_t count, const char *const *names, const int64_t *values)
{
    ResultTable t = {0};
    for (size_t i = 0; i < count; i++)
        result_field(ctx, &t, names[i], type_simple(TYPE_LONG), true);
    Value *row = values ? result_row(ctx, &t) : NULL;
    for (size_t i = 0; row && i < count; i++)
        result_set_int(&row[i], values[i]);
    return result_rel(ctx, &t);
}
