/* Hash functions and checksums: bit for bit Spark's. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

/* hash and xxhash64 take anything but maps. */
static bool bind_hash(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (!call->args.len)
        return func_wrong_arg_count(call, "> 0", ctx, err);
    for (size_t i = 0; i < call->args.len; i++)
        if (type_contains(call->args.at[i]->type, TYPE_MAP))
            return error_set(err, ERR_DATATYPE_MISMATCH__HASH_MAP_TYPE,
                             P("sqlExpr", func_call_text(call, ctx)),
                             P("functionName", func_name_text(call, ctx)));
    call->result = type_simple(strcmp(call->row->name, "hash") ? TYPE_LONG : TYPE_INT);
    call->nullable = false;
    return true;
}

const FuncRow hash_rows[] = {
    {"hash", NULL, FUNC_SCALAR, .bind = bind_hash, .sql = "ls_hash($*)",
     .example = "hash('Spark', array(123), 2)", .expected = "-1321691492"},
    {"xxhash64", NULL, FUNC_SCALAR, .bind = bind_hash, .sql = "ls_xxhash64($*)",
     .example = "xxhash64('Spark', array(123), 2)", .expected = "5602566077635097486"},
    {"md5", NULL, FUNC_SCALAR, "(binary) -> string", "md5($1)", .example = "md5('Spark')",
     .expected = "8cde774d6f7333752ed72cacddb05126"},
    {"sha1", "sha", FUNC_SCALAR, "(binary) -> string", "sha1($1)", .example = "sha1('Spark')",
     .expected = "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"},
    {"sha2", NULL, FUNC_SCALAR, "(binary, int) -> string?", "ls_sha2($1, $2)",
     .example = "sha2('Spark', 256)",
     .expected = "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"},
    {"crc32", NULL, FUNC_SCALAR, "(binary) -> long", "ls_crc32($1)", .example = "crc32('Spark')",
     .expected = "1557323817"},
    {"bitmap_bucket_number", NULL, FUNC_SCALAR, "(long) -> long",
     "CASE WHEN $1 > 0 THEN 1 + ($1 - 1) // 32768 ELSE $1 // 32768 END",
     .example = "bitmap_bucket_number(123)", .expected = "1"},
    {"bitmap_bit_position", NULL, FUNC_SCALAR, "(long) -> long",
     "CASE WHEN $1 > 0 THEN ($1 - 1) % 32768 ELSE (- $1) % 32768 END",
     .example = "bitmap_bit_position(123)", .expected = "122"},
    {"bitmap_count", NULL, FUNC_SCALAR, "(binary) -> long", "ls_bitmap_count($1)",
     .flags = FUNC_EXACT,
     .example = "bitmap_count(X'1010')", .expected = "2"},
};
END_OF_ROWS(hash);
