/* Higher-order functions. A lambda reaches the renderer as "lambda l1, l2: body". */
#include <stdlib.h>
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

typedef struct LambdaText {
    Str names[3];
    size_t count;
    Str body;
} LambdaText;

static LambdaText read_lambda(Str text) {
    LambdaText l = {0};
    Str rest = str_slice(text, strlen("lambda "), text.len);
    for (;;) {
        size_t end = 0;
        while (end < rest.len && rest.ptr[end] != ',' && rest.ptr[end] != ':')
            end++;
        if (end >= rest.len || l.count >= 3)
            abort();
        l.names[l.count++] = str_trim(str_slice(rest, 0, end));
        bool more = rest.ptr[end] == ',';
        rest = str_slice(rest, end + 1, rest.len);
        if (!more)
            break;
    }
    l.body = str_trim(rest);
    return l;
}

/* let name = value in body: DuckDB has no other way to say it than a list of one. */
static Str let(Str name, Str value, Str body, Arena *arena) {
    return str_printf(arena, "list_transform([" STR_FMT "], lambda " STR_FMT ": " STR_FMT ")[1]",
                      STR_ARG(value), STR_ARG(name), STR_ARG(body));
}

/* A name that no lambda variable of the statement has. */
static Str inner_name(const LambdaText *l, const char *suffix, Arena *arena) {
    return str_printf(arena, STR_FMT "_%s", STR_ARG(l->names[0]), suffix);
}

/* transform and filter: DuckDB counts positions from 1, Spark from 0. */
static bool render_over_elements(const BoundExpr *call, const Str *args, size_t count,
                                 const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    const char *function =
        !strcmp(call->call.row->name, "transform") ? "list_transform" : "list_filter";
    LambdaText l = read_lambda(args[1]);
    if (l.count == 1) {
        buf_addf(out, "%s(" STR_FMT ", " STR_FMT ")", function, STR_ARG(args[0]), STR_ARG(args[1]));
        return true;
    }
    Str position = inner_name(&l, "p", ctx->arena);
    Str body = let(l.names[1],
                   str_printf(ctx->arena, "CAST(" STR_FMT " - 1 AS INTEGER)", STR_ARG(position)),
                   l.body, ctx->arena);
    buf_addf(out, "%s(" STR_FMT ", lambda " STR_FMT ", " STR_FMT ": " STR_FMT ")", function,
             STR_ARG(args[0]), STR_ARG(l.names[0]), STR_ARG(position), STR_ARG(body));
    return true;
}

/* aggregate: the accumulator may have another type than the elements, so both travel in a struct.
 */
static bool render_aggregate(const BoundExpr *call, const Str *args, size_t count,
                             const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    Arena *arena = ctx->arena;
    LambdaText merge = read_lambda(args[2]);
    const Type *array = call->call.args.at[0]->type;
    const Type *element = array->kind == TYPE_ARRAY ? array->array.element : type_simple(TYPE_NULL);
    Str acc = type_duckdb(call->call.args.at[1]->type, arena), item = type_duckdb(element, arena);
    Str p = inner_name(&merge, "p", arena), q = inner_name(&merge, "q", arena),
        e = inner_name(&merge, "e", arena);
    Str body = let(merge.names[1], str_printf(arena, STR_FMT ".x", STR_ARG(q)), merge.body, arena);
    body = let(merge.names[0], str_printf(arena, STR_FMT ".a", STR_ARG(p)), body, arena);
    Str reduced =
        str_printf(arena,
                   "struct_extract(list_reduce(list_transform(" STR_FMT ", lambda " STR_FMT
                   ": {'a': CAST(NULL AS " STR_FMT "), 'x': " STR_FMT "}), lambda " STR_FMT
                   ", " STR_FMT ": {'a': CAST(" STR_FMT " AS " STR_FMT "), 'x': " STR_FMT
                   ".x}, {'a': " STR_FMT ", 'x': CAST(NULL AS " STR_FMT ")}), 'a')",
                   STR_ARG(args[0]), STR_ARG(e), STR_ARG(acc), STR_ARG(e), STR_ARG(p), STR_ARG(q),
                   STR_ARG(body), STR_ARG(acc), STR_ARG(q), STR_ARG(args[1]), STR_ARG(item));
    if (count < 4) {
        buf_add(out, reduced);
        return true;
    }
    LambdaText finish = read_lambda(args[3]);
    /* A NULL array is NULL whatever the last step would make of it. */
    buf_addf(out, "CASE WHEN " STR_FMT " IS NOT NULL THEN " STR_FMT " END", STR_ARG(args[0]),
             STR_ARG(let(finish.names[0], reduced, finish.body, arena)));
    return true;
}

static bool render_zip_with(const BoundExpr *call, const Str *args, size_t count,
                            const FuncContext *ctx, Buf *out, Error *err) {
    (void)call;
    (void)count;
    (void)err;
    LambdaText l = read_lambda(args[2]);
    Str z = inner_name(&l, "z", ctx->arena);
    Str body =
        let(l.names[1], str_printf(ctx->arena, STR_FMT "[2]", STR_ARG(z)), l.body, ctx->arena);
    body = let(l.names[0], str_printf(ctx->arena, STR_FMT "[1]", STR_ARG(z)), body, ctx->arena);
    buf_addf(out,
             "CASE WHEN " STR_FMT " IS NOT NULL AND " STR_FMT
             " IS NOT NULL THEN list_transform(list_zip(" STR_FMT ", " STR_FMT "), lambda " STR_FMT
             ": " STR_FMT ") END",
             STR_ARG(args[0]), STR_ARG(args[1]), STR_ARG(args[0]), STR_ARG(args[1]), STR_ARG(z),
             STR_ARG(body));
    return true;
}

static bool render_over_entries(const BoundExpr *call, const Str *args, size_t count,
                                const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    LambdaText l = read_lambda(args[1]);
    const char *name = call->call.row->name;
    Str e = inner_name(&l, "e", ctx->arena);
    Str key = str_printf(ctx->arena, STR_FMT ".key", STR_ARG(e)),
        value = str_printf(ctx->arena, STR_FMT ".value", STR_ARG(e));
    Str body = let(l.names[0], key, let(l.names[1], value, l.body, ctx->arena), ctx->arena);
    if (!strcmp(name, "map_filter"))
        buf_addf(out,
                 "map_from_entries(list_filter(map_entries(" STR_FMT "), lambda " STR_FMT
                 ": " STR_FMT "))",
                 STR_ARG(args[0]), STR_ARG(e), STR_ARG(body));
    else if (!strcmp(name, "transform_keys"))
        func_put_map_of_pairs(out,
                              str_printf(ctx->arena,
                                         "list_transform(map_entries(" STR_FMT "), lambda " STR_FMT
                                         ": {'key': " STR_FMT ", 'value': " STR_FMT "})",
                                         STR_ARG(args[0]), STR_ARG(e), STR_ARG(body), STR_ARG(value)),
                              ctx);
    else
        buf_addf(out,
                 "map_from_entries(list_transform(map_entries(" STR_FMT "), lambda " STR_FMT
                 ": {'key': " STR_FMT ", 'value': " STR_FMT "}))",
                 STR_ARG(args[0]), STR_ARG(e), STR_ARG(key), STR_ARG(body));
    return true;
}

static bool render_map_zip_with(const BoundExpr *call, const Str *args, size_t count,
                                const FuncContext *ctx, Buf *out, Error *err) {
    (void)call;
    (void)count;
    (void)err;
    LambdaText l = read_lambda(args[2]);
    Arena *arena = ctx->arena;
    Str k = inner_name(&l, "k", arena);
    Str body = let(l.names[2],
                   str_printf(arena, "map_extract_value(" STR_FMT ", " STR_FMT ")",
                              STR_ARG(args[1]), STR_ARG(k)),
                   l.body, arena);
    body = let(l.names[1],
               str_printf(arena, "map_extract_value(" STR_FMT ", " STR_FMT ")", STR_ARG(args[0]),
                          STR_ARG(k)),
               body, arena);
    body = let(l.names[0], k, body, arena);
    Str keys = str_printf(arena, "(map_keys(" STR_FMT ") || map_keys(" STR_FMT "))",
                          STR_ARG(args[0]), STR_ARG(args[1]));
    buf_addf(out,
             "CASE WHEN " STR_FMT " IS NOT NULL AND " STR_FMT
             " IS NOT NULL THEN map_from_entries(list_transform(list_select(" STR_FMT
             ", ls_distinct_index(" STR_FMT ")), lambda " STR_FMT ": {'key': " STR_FMT
             ", 'value': " STR_FMT "})) END",
             STR_ARG(args[0]), STR_ARG(args[1]), STR_ARG(keys), STR_ARG(keys), STR_ARG(k),
             STR_ARG(k), STR_ARG(body));
    return true;
}

/* array_sort with a comparator: an element's place is the number of elements that come before it.
 */
static bool render_array_sort(const BoundExpr *call, const Str *args, size_t count,
                              const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    if (count == 1) {
        func_put_sorted(out, args[0], call->type, false, true, ctx->arena);
        return true;
    }
    Arena *arena = ctx->arena;
    LambdaText l = read_lambda(args[1]);
    Str a = inner_name(&l, "a", arena), i = inner_name(&l, "i", arena),
        j = inner_name(&l, "j", arena), c = inner_name(&l, "c", arena);
    Str before =
        let(c, l.body,
            str_printf(arena, STR_FMT " > 0 OR (" STR_FMT " = 0 AND " STR_FMT " < " STR_FMT ")",
                       STR_ARG(c), STR_ARG(c), STR_ARG(j), STR_ARG(i)),
            arena);
    buf_addf(out,
             "list_transform([" STR_FMT "], lambda " STR_FMT ": list_select(" STR_FMT
             ", list_grade_up(list_transform(" STR_FMT ", lambda " STR_FMT ", " STR_FMT
             ": len(list_filter(" STR_FMT ", lambda " STR_FMT ", " STR_FMT ": " STR_FMT "))))))[1]",
             STR_ARG(args[0]), STR_ARG(a), STR_ARG(a), STR_ARG(a), STR_ARG(l.names[0]), STR_ARG(i),
             STR_ARG(a), STR_ARG(l.names[1]), STR_ARG(j), STR_ARG(before));
    return true;
}

static bool bind_array_sort(FuncCall *call, const FuncContext *ctx, Error *err) {
    (void)ctx;
    (void)err;
    const Type *t = call->args.at[0]->type;
    call->result = t;
    return true;
}

/* exists: may be unknown where the predicate is. */
static bool bind_predicate(FuncCall *call, const FuncContext *ctx, Error *err) {
    (void)ctx;
    (void)err;
    call->nullable |= call->args.at[1]->lambda.body->nullable;
    return true;
}

const FuncRow lambda_rows[] = {
    {"transform", NULL, FUNC_SCALAR, "(array<T>, fn(T, [int]) -> U) -> array<U>",
     .render = render_over_elements, .example = "transform(array(1, 2, 3), x -> x + 1)",
     .expected = "[2, 3, 4]"},
    {"filter", NULL, FUNC_SCALAR, "(array<T>, fn(T, [int]) -> boolean) -> array<T>",
     .render = render_over_elements, .example = "filter(array(1, 2, 3), x -> x % 2 == 1)",
     .expected = "[1, 3]"},
    {"exists", NULL, FUNC_SCALAR, "(array<T>, fn(T) -> boolean) -> boolean",
     "ls_any_true(list_transform($1, $2))", .bind = bind_predicate,
     .example = "exists(array(1, 2, 3), x -> x % 2 == 0)", .expected = "true"},
    {"forall", NULL, FUNC_SCALAR, "(array<T>, fn(T) -> boolean) -> boolean",
     "ls_all_true(list_transform($1, $2))", .bind = bind_predicate,
     .example = "forall(array(1, 2, 3), x -> x % 2 == 0)", .expected = "false"},
    {"aggregate", "reduce", FUNC_SCALAR,
     "(array<T>, U, fn(U, T) -> U) -> U?; (array<T>, U, fn(U, T) -> U, fn(U) -> V) -> V?",
     .render = render_aggregate,
     .pretty =
         "$f($1, $2, $3, $?4{$4}{lambdafunction(namedlambdavariable(), namedlambdavariable())})",
     .example = "aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", .expected = "6"},
    {"zip_with", NULL, FUNC_SCALAR, "(array<T>, array<U>, fn(T?, U?) -> V) -> array<V>",
     .render = render_zip_with,
     .example = "zip_with(array(1, 2, 3), array('a', 'b', 'c'), (x, y) -> (y, x))",
     .expected = "[{a, 1}, {b, 2}, {c, 3}]"},
    {"map_filter", NULL, FUNC_SCALAR, "(map<K,V>, fn(K, V) -> boolean) -> map<K,V>",
     .render = render_over_entries,
     .example = "map_filter(map(1, 0, 2, 2, 3, -1), (k, v) -> k > v)",
     .expected = "{1 -> 0, 3 -> -1}"},
    {"transform_keys", NULL, FUNC_SCALAR, "(map<K,V>, fn(K, V) -> U) -> map<U,V>",
     .render = render_over_entries,
     .example = "transform_keys(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> k + 1)",
     .expected = "{2 -> 1, 3 -> 2, 4 -> 3}"},
    {"transform_values", NULL, FUNC_SCALAR, "(map<K,V>, fn(K, V) -> U) -> map<K,U>",
     .render = render_over_entries,
     .example =
         "transform_values(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> v + 1)",
     .expected = "{1 -> 2, 2 -> 3, 3 -> 4}"},
    {"map_zip_with", NULL, FUNC_SCALAR, "(map<K,T>, map<K,U>, fn(K, T?, U?) -> V) -> map<K,V>",
     .render = render_map_zip_with,
     .example =
         "map_zip_with(map(1, 'a', 2, 'b'), map(1, 'x', 2, 'y'), (k, v1, v2) -> concat(v1, v2))",
     .expected = "{1 -> ax, 2 -> by}"},
    {"array_sort", NULL, FUNC_SCALAR, "(array<T>, [fn(T, T) -> int]) -> array<T>",
     .bind = bind_array_sort, .render = render_array_sort,
     .pretty = "array_sort($1, $?2{$2}{lambdafunction((IF(((namedlambdavariable() IS NULL) AND "
               "(namedlambdavariable() IS NULL)), 0, "
               "(IF((namedlambdavariable() IS NULL), 1, "
               "(IF((namedlambdavariable() IS NULL), -1, "
               "(IF((namedlambdavariable() < namedlambdavariable()), -1, "
               "(IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), "
               "namedlambdavariable(), namedlambdavariable())})",
     .example = "array_sort(array(5, 6, 1), (left, right) -> case when left < right then -1 when "
                "left > right then 1 else 0 end)",
     .expected = "[1, 5, 6]"},
};
END_OF_ROWS(lambda);
