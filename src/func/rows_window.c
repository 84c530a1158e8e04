/* Window functions; aggregates over windows are in rows_aggregate.c. */
#include "func/rows.h"
#include "func/signature.h"

/* lag(x, n, default): the value in the common type, NULL at the edge unless a default says
 * otherwise. */
static bool bind_offset(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(T) -> T?; (T, int) -> T?; (T, int, T) -> T", ctx, err));
    return true;
}

#define RANK(name, shown, type, text, ...)                                                         \
    { name, NULL, FUNC_WINDOW, "(any*...) -> " type "!", text, .pretty = shown "()", __VA_ARGS__ }

const FuncRow window_rows[] = {
    RANK("row_number", "row_number", "int", "CAST(row_number()$over AS INTEGER)",
         .example = "SELECT row_number() OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
         .expected = "1"),
    RANK("rank", "RANK", "int", "CAST(rank()$over AS INTEGER)",
         .example = "SELECT rank() OVER (ORDER BY c) FROM VALUES (5), (5) AS t(c)",
         .expected = "1; 1"),
    RANK("dense_rank", "DENSE_RANK", "int", "CAST(dense_rank()$over AS INTEGER)",
         .example = "SELECT dense_rank() OVER (ORDER BY c) FROM VALUES (5), (5) AS t(c)",
         .expected = "1; 1"),
    RANK("percent_rank", "PERCENT_RANK", "double", "percent_rank()$over",
         .example = "SELECT percent_rank() OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
         .expected = "0.0"),
    RANK("cume_dist", "cume_dist", "double", "cume_dist()$over",
         .example = "SELECT cume_dist() OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
         .expected = "1.0"),
    {"ntile", NULL, FUNC_WINDOW, "([int]) -> int!", "CAST(ntile($?1{$1}{1})$over AS INTEGER)",
     .example = "SELECT ntile(2) OVER (ORDER BY c) FROM VALUES (5) AS t(c)", .expected = "1"},
    {"lag", NULL, FUNC_WINDOW, .bind = bind_offset,
     .sql = "lag($1, $?2{$2}{1}$?3{, $3}$ignore)$over",
     .pretty = "lag($1, $?2{$2}{1}, $?3{$3}{NULL})",
     .example = "SELECT lag(c) OVER (ORDER BY c) FROM VALUES (5) AS t(c)", .expected = "NULL"},
    {"lead", NULL, FUNC_WINDOW, .bind = bind_offset,
     .sql = "lead($1, $?2{$2}{1}$?3{, $3}$ignore)$over",
     .pretty = "lead($1, $?2{$2}{1}, $?3{$3}{NULL})",
     .example = "SELECT lead(c, 1, 7) OVER (ORDER BY c) FROM VALUES (5) AS t(c)", .expected = "7"},
    {"nth_value", NULL, FUNC_WINDOW, "(any, int) -> $1?", "nth_value($1, $2$ignore)$over",
     .example = "SELECT nth_value(c, 1) OVER (ORDER BY c) FROM VALUES (5) AS t(c)",
     .expected = "5"},
};
END_OF_ROWS(window);
