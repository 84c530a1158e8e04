/* Plan decoding: any bytes as an ExecutePlanRequest are refused or become a plan, and a decoded relation can be copied. */
#include "connect/decode.h"
#include "session/plan_copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const PB(Plan) *plan, Arena *arena)
{
    Error err = error_in(arena);
    Decoded decoded;
    Rel *sql;
    if (plan->op_type_case == SPARK__CONNECT__PLAN__OP_TYPE_ROOT) {
        if (decode_relation(plan->root, arena, &decoded, &err) && decoded.query != NULL)
            plan_copy_rel(decoded.query, arena);
    } else if (plan->op_type_case == SPARK__CONNECT__PLAN__OP_TYPE_COMMAND) {
        if (plan->command->command_type_case == SPARK__CONNECT__COMMAND__COMMAND_TYPE_SQL_COMMAND) {
            if (decode_sql_command(plan->command->sql_command, arena, &sql, &err))
                plan_copy_rel(sql, arena);
        } else if (decode_command(plan->command, arena, &decoded, &err) && decoded.command->query != NULL) {
            plan_copy_rel(decoded.command->query, arena);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    ProtobufCMessage *message;
    if (!wire_unpack(&spark__connect__execute_plan_request__descriptor, (Str){(const char *)data, size},
                     WIRE_MAX_DEPTH, arena, &message, &err))
        return 0;
    const PB(ExecutePlanRequest) *request = (const PB(ExecutePlanRequest) *)message;
    if (request->plan != NULL)
        decode(request->plan, arena);
    return 0;
}
