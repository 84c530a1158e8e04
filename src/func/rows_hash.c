/* Hash functions and checksums: bit for bit Spark's. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* hash and xxhash64 take anything but maps. */
static bool bind_hash(FuncCall *call, const FuncContext *ctx, Error *err)
{
    if (!call->args.len)
        return func_wrong_arg_count(call, "> 0", ctx, err);
    for (size_t i = 0; i < call->args.len; i++)
        if (type_contains(call->args.at[i]->type, TYPE_MAP))
            return error_set(err, ERR_DATATYPE_MISMATCH__HASH_MAP_TYPE, P("sqlExpr", func_call_text(call, ctx)), P("functionName", func_name_text(call, ctx)));
    call->result = type_simple(strcmp(call->row->name, "hash") ? TYPE_LONG : TYPE_INT);
    call->nullable = false;
    return true;
}

const FuncRow hash_rows[] = {
    {"hash", NULL, FUNC_SCALAR, .bind = bind_hash, .sql = "ls_hash($*)"},
    {"xxhash64", NULL, FUNC_SCALAR, .bind = bind_hash, .sql = "ls_xxhash64($*)"},
    {"md5", NULL, FUNC_SCALAR, "(binary) -> string", "md5($1)"},
    {"sha1", "sha", FUNC_SCALAR, "(binary) -> string", "sha1($1)"},
    {"sha2", NULL, FUNC_SCALAR, "(binary, int) -> string?", "ls_sha2($1, $2)"},
    {"crc32", NULL, FUNC_SCALAR, "(binary) -> long", "ls_crc32($1)"},
    {"bitmap_bucket_number", NULL, FUNC_SCALAR, "(long) -> long", "CASE WHEN $1 > 0 THEN 1 + ($1 - 1) // 32768 ELSE $1 // 32768 END"},
    {"bitmap_bit_position", NULL, FUNC_SCALAR, "(long) -> long", "CASE WHEN $1 > 0 THEN ($1 - 1) % 32768 ELSE (- $1) % 32768 END"},
    {"bitmap_count", NULL, FUNC_SCALAR, "(binary) -> long", "ls_bitmap_count($1)"},
};
END_OF_ROWS(hash);
