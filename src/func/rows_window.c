/* Window functions; aggregates over windows are in rows_aggregate.c. */
#include "func/rows.h"
#include "func/signature.h"

/* lag(x, n, default): the value in the common type, NULL at the edge unless a default says otherwise. */
static bool bind_offset(FuncCall *call, const FuncContext *ctx, Error *err)
{
    TRY(func_apply_signature(call, "(T) -> T?; (T, int) -> T?; (T, int, T) -> T", ctx, err));
    return true;
}

#define RANK(name, type, text, ...) {name, NULL, FUNC_WINDOW, "(any*...) -> " type "!", text, .pretty = name "()", __VA_ARGS__}

const FuncRow window_rows[] = {
    RANK("row_number", "int", "CAST(row_number()$over AS INTEGER)"),
    RANK("rank", "int", "CAST(rank()$over AS INTEGER)"),
    RANK("dense_rank", "int", "CAST(dense_rank()$over AS INTEGER)"),
    RANK("percent_rank", "double", "percent_rank()$over"),
    RANK("cume_dist", "double", "cume_dist()$over"),
    {"ntile", NULL, FUNC_WINDOW, "([int]) -> int!", "CAST(ntile($?1{$1}{1})$over AS INTEGER)"},
    {"lag", NULL, FUNC_WINDOW, .bind = bind_offset, .sql = "lag($1, $?2{$2}{1}$?3{, $3}$ignore)$over", .pretty = "lag($1, $?2{$2}{1}, $?3{$3}{NULL})"},
    {"lead", NULL, FUNC_WINDOW, .bind = bind_offset, .sql = "lead($1, $?2{$2}{1}$?3{, $3}$ignore)$over", .pretty = "lead($1, $?2{$2}{1}, $?3{$3}{NULL})"},
    {"nth_value", NULL, FUNC_WINDOW, "(any, int) -> $1?", "nth_value($1, $2$ignore)$over"},
};
END_OF_ROWS(window);
