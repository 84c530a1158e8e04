/* Hostile Arrow streams, as clients send local data: refused, or read to the last row. */
#include "stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_stream(Str ipc, Arena *arena, Error *err)
{
    FuncContext func = session_func_context(stack.session, arena);
    RunContext context = {.func = &func};
    const Type *schema;
    TRY(engine_arrow_schema(ipc, &context, arena, &schema, err));
    BoundRel *rel = brel_new(BREL_LOCAL, NULL, arena);
    rel->local.data = ARENA_NEW(arena, ArrowData);
    rel->local.data->ipc = ipc;
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        BoundColumn c = {.id = (ColumnId)i + 1, .name = f->name, .type = f->type, .nullable = true};
        vec_push(arena, &rel->columns, c);
    }
    return stack_rows(rel, &func, arena, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stack_open();
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    if (!read_stream((Str){(const char *)data, size}, arena, &err))
        stack_accept(&err, arena);
    return 0;
}
