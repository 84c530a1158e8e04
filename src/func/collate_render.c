/* Calls over collated strings as DuckDB text: what compares sees keys, what gives a string back gives the
 * original one. */
#include "func/collate.h"
#include "func/rows.h"
#include "func/signature.h"
#include "type/collation.h"

/* ---- keys ---- */

enum { KEY_MAX_DEPTH = 32 };

static bool put_key(Str text, const Type *t, unsigned depth, Arena *arena, Buf *out, Error *err);

static bool put_list_key(Str list, const Type *element, unsigned depth, Arena *arena, Buf *out, Error *err) {
    Str v = str_printf(arena, "ls_k%u", depth);
    buf_addf(out, "list_transform(" STR_FMT ", lambda " STR_FMT ": ", STR_ARG(list), STR_ARG(v));
    TRY(put_key(v, element, depth + 1, arena, out, err));
    buf_addc(out, ')');
    return true;
}

static bool put_struct_key(Str text, const Type *t, unsigned depth, Arena *arena, Buf *out, Error *err) {
    buf_addf(out, "(CASE WHEN " STR_FMT " IS NULL THEN NULL ELSE struct_pack(", STR_ARG(text));
    for (size_t i = 0; i < t->structure.count; i++) {
        Buf field = buf_in(arena);
        buf_addf(&field, "struct_extract_at(" STR_FMT ", %zu)", STR_ARG(text), i + 1);
        buf_addf(out, "%s_%zu := ", i ? ", " : "", i);
        TRY(put_key(buf_str(&field), t->structure.fields[i].type, depth + 1, arena, out, err));
    }
    buf_addz(out, ") END)");
    return true;
}

static bool put_key(Str text, const Type *t, unsigned depth, Arena *arena, Buf *out, Error *err) {
    if (!type_is_collated(t)) {
        buf_add(out, text);
        return true;
    }
    if (depth > KEY_MAX_DEPTH)
        return error_unsupported(err, "Comparing collated strings nested this deeply");
    switch (t->kind) {
    case TYPE_ARRAY:
        return put_list_key(text, t->array.element, depth, arena, out, err);
    case TYPE_STRUCT:
        return put_struct_key(text, t, depth, arena, out, err);
    case TYPE_MAP: /* the list of its keys, which look-ups search */
        return put_list_key(str_printf(arena, "map_keys(" STR_FMT ")", STR_ARG(text)), t->map.key, depth, arena, out, err);
    default:
        break;
    }
    if (str_is(t->string.collation, COLLATION_INDETERMINATE))
        return error_set(err, ERR_INDETERMINATE_COLLATION);
    buf_addf(out, "ls_collation_key(" STR_FMT ", '" STR_FMT "')", STR_ARG(text), STR_ARG(t->string.collation));
    return true;
}

bool func_collation_key(Str text, const Type *t, Arena *arena, Str *out, Error *err) {
    *out = text;
    if (!type_is_collated(t))
        return true;
    Buf b = buf_in(arena);
    TRY(put_key(text, t, 0, arena, &b, err));
    *out = buf_str(&b);
    return true;
}

/* ---- templates: $1..$4 the arguments, $5..$8 their keys, $9 the collation's name ---- */

typedef struct CollatedRow {
    const char *name;
    size_t args; /* 0: any number */
    const char *sql;
} CollatedRow;

#define SORTED(order)                                                                                                   \
    "list_transform(list_sort(list_transform($1, lambda ls_x, ls_i: CASE WHEN ls_x IS NULL THEN NULL ELSE "             \
    "{'k': $5[ls_i], 'i': " order ", 'v': ls_x} END)"
#define FIRST_OF(list, keys) "list_filter(" list ", lambda ls_x, ls_i: coalesce(list_position(" keys ", (" keys ")[ls_i]), 0) = ls_i)"

static const CollatedRow rows[] = {
    {"contains", 2, "ls_collated_contains($1, $2, $9)"},
    {"startswith", 2, "ls_collated_starts($1, $2, $9)"},
    {"endswith", 2, "ls_collated_ends($1, $2, $9)"},
    {"instr", 2, "ls_collated_locate($1, $2, CAST(1 AS INTEGER), $9)"},
    {"locate", 2, "ls_collated_locate($2, $1, CAST(1 AS INTEGER), $9)"},
    {"locate", 3, "ls_collated_locate($2, $1, $3, $9)"},
    {"replace", 2, "ls_collated_replace($1, $2, '', $9)"},
    {"replace", 3, "ls_collated_replace($1, $2, $3, $9)"},
    {"split_part", 3, "ls_collated_split_part($1, $2, $3, $9)"},
    {"substring_index", 3, "ls_collated_substring_index($1, $2, $3, $9)"},
    {"translate", 3, "ls_collated_translate($1, $2, $3, $9)"},
    {"find_in_set", 2, "ls_collated_find_in_set($1, $2, $9)"},
    {"trim", 2, "ls_collated_trim($2, $1, $9)"},
    {"ltrim", 2, "ls_collated_ltrim($2, $1, $9)"},
    {"rtrim", 2, "ls_collated_rtrim($2, $1, $9)"},
    {"btrim", 2, "ls_collated_trim($1, $2, $9)"},
    {"nullif", 3, "CASE WHEN $5 = $6 THEN NULL ELSE $3 END"},
    {"min", 1, "arg_min($1, $5)$over"},
    {"max", 1, "arg_max($1, $5)$over"},
    {"mode", 0, "list_extract(list($1)$over, list_position(list($5)$over, list_aggregate(list($5)$over, 'mode')))"},
    {"array_distinct", 1, FIRST_OF("$1", "$5")},
    {"array_union", 2, FIRST_OF("list_concat($1, $2)", "list_concat($5, $6)")},
    {"array_intersect", 2,
     "list_filter($1, lambda ls_x, ls_i: coalesce(list_position($5, $5[ls_i]), 0) = ls_i AND "
     "coalesce(list_position($6, $5[ls_i]), 0) > 0)"},
    {"array_except", 2,
     "list_filter($1, lambda ls_x, ls_i: coalesce(list_position($5, $5[ls_i]), 0) = ls_i AND "
     "coalesce(list_position($6, $5[ls_i]), 0) = 0)"},
    {"array_remove", 2, "CASE WHEN $2 IS NULL THEN NULL ELSE list_filter($1, lambda ls_x, ls_i: $5[ls_i] IS DISTINCT FROM $6) END"},
    {"array_max", 1, "$1[list_position($5, list_max($5))]"},
    {"array_min", 1, "$1[list_position($5, list_min($5))]"},
    {"element_at_key", 2, "map_values($1)[list_position($5, $6)]"},
    {"array_sort", 1, SORTED("ls_i") ", 'ASC', 'NULLS LAST'), lambda ls_x: ls_x.v)"},
};

/* What is computed over keys alone: the row's own template takes them. */
static const char *const over_keys[] = {"=", "!=", "<=>", "<", "<=", ">", ">=", "between", "in", "array_contains", "array_position",
                                        "arrays_overlap", "approx_count_distinct", "hll_sketch_agg", "equal_null"};

/* The second argument is a pattern: UTF8_LCASE matches without case. */
static const char *const patterns[] = {"rlike", "regexp_replace", "regexp_count", "regexp_extract", "regexp_extract_all",
                                       "regexp_instr", "regexp_substr", "split"};

static bool listed(const char *const *names, size_t count, Str name) {
    for (size_t i = 0; i < count; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static Str collation_of(const BoundExpr *call) {
    const BoundExprVec *args = &call->call.args;
    for (size_t i = 0; i < args->len; i++)
        if (args->at[i]->type && type_is_collated(args->at[i]->type)) {
            const Type *t = args->at[i]->type;
            return type_first_collation(t);
        }
    return S("");
}

static bool keys_of(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Str *out, Error *err) {
    for (size_t i = 0; i < count; i++) {
        const Type *t = i < call->call.args.len ? call->call.args.at[i]->type : NULL;
        out[i] = args[i];
        if (t)
            TRY(func_collation_key(args[i], t, ctx->arena, &out[i], err));
    }
    return true;
}

/* The first of the least or greatest: what is not NULL, by key and place. */
static void put_extreme(const Str *args, const Str *keys, size_t count, bool least, Buf *out) {
    buf_addz(out, "list_sort(list_filter([");
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s{'k': " STR_FMT ", 'i': %s%zu, 'v': " STR_FMT "}", i ? ", " : "", STR_ARG(keys[i]), least ? "" : "-", i,
                 STR_ARG(args[i]));
    buf_addf(out, "], lambda ls_x: ls_x.k IS NOT NULL), '%s')[1].v", least ? "ASC" : "DESC");
}

/* Each value once, in order, then joined. */
static void put_listagg(const Str *args, const Str *keys, size_t count, const FuncContext *ctx, Buf *out) {
    Str list = str_printf(ctx->arena, "list(" STR_FMT STR_FMT ")" STR_FMT, STR_ARG(args[0]), STR_ARG(ctx->call_order), STR_ARG(ctx->call_suffix)),
        by = str_printf(ctx->arena, "list(" STR_FMT STR_FMT ")" STR_FMT, STR_ARG(keys[0]), STR_ARG(ctx->call_order), STR_ARG(ctx->call_suffix));
    buf_addf(out, "array_to_string(nullif(list_select(" STR_FMT ", ls_distinct_places(" STR_FMT ")), []), ", STR_ARG(list), STR_ARG(by));
    if (count > 1)
        buf_addf(out, "coalesce(" STR_FMT ", ''))", STR_ARG(args[1]));
    else
        buf_addz(out, "'')");
}

static void put_sort_array(const BoundExpr *call, const Str *args, const Str *keys, const FuncContext *ctx, Buf *out) {
    const Value *up = call->call.args.len > 1 ? func_constant(call->call.args.at[1]) : NULL;
    bool ascending = !up || up->is_null || up->boolean;
    buf_addf(out,
             "list_transform(list_sort(list_transform(" STR_FMT ", lambda ls_x, ls_i: CASE WHEN ls_x IS NULL THEN NULL ELSE {'k': (" STR_FMT
             ")[ls_i], 'i': %sls_i, 'v': ls_x} END), '%s', 'NULLS %s'), lambda ls_x: ls_x.v)",
             STR_ARG(args[0]), STR_ARG(keys[0]), ascending ? "" : "-", ascending ? "ASC" : "DESC", ascending ? "FIRST" : "LAST");
    (void)ctx;
}

static bool put_row(const CollatedRow *row, const BoundExpr *call, const Str *args, const Str *keys, size_t count,
                    const FuncContext *ctx, Buf *out) {
    Str all[9];
    for (size_t i = 0; i < 4; i++) {
        all[i] = i < count ? args[i] : S("NULL");
        all[4 + i] = i < count ? keys[i] : S("NULL");
    }
    all[8] = str_printf(ctx->arena, "'" STR_FMT "'", STR_ARG(collation_of(call)));
    return func_render_template(call, all, LENGTH_OF(all), ctx, row->sql, out);
}

/* ICU's letters: of no language for upper and lower, as Spark has it. */
static bool put_case(const BoundExpr *call, const Str *args, const FuncContext *ctx, Buf *out, bool *done) {
    Collation c;
    Str name = str_from(call->call.row->name), collation = collation_of(call);
    bool words = str_is(name, "initcap"), known = collation_read(collation, &c);
    *done = known && (!words || c.icu);
    return !*done || func_render_template(call, (const Str[]){args[0], str_printf(ctx->arena, "'" STR_FMT "'", STR_ARG(collation))}, 2, ctx,
                                          words                  ? "ls_collated_initcap($1, $2)"
                                          : str_is(name, "upper") ? "ls_collated_upper($1, $2)"
                                                                  : "ls_collated_lower($1, $2)",
                                          out);
}

bool collate_render(const BoundExpr *call, const Str **args, size_t count, const FuncContext *ctx, Buf *out, bool *done,
                    Error *err) {
    Str name = str_from(call->call.row->name);
    *done = true;
    if (str_is(name, "upper") || str_is(name, "lower") || str_is(name, "initcap"))
        return put_case(call, *args, ctx, out, done);
    bool matches = listed(patterns, LENGTH_OF(patterns), name), lower = str_is_ci(type_first_collation(call->call.args.at[0]->type), "UTF8_LCASE");
    if (str_is(name, "like") && lower)
        return func_render_template(call, *args, count, ctx, "ls_like($1, $2, $?3{$3}{'\\'}, true)", out);
    *done = false;
    if (str_is(name, "str_to_map")) {
        Str *own = ARENA_ARRAY(ctx->arena, Str, count);
        TRY(keys_of(call, *args, count, ctx, own, err)); /* refuses an indeterminate collation */
        for (size_t i = 0; i < count; i++)
            own[i] = i && lower ? str_printf(ctx->arena, "concat('(?i)', " STR_FMT ")", STR_ARG((*args)[i])) : (*args)[i];
        *args = own;
        return true;
    }
    if (matches && lower && count > 1) {
        Str *own = ARENA_ARRAY(ctx->arena, Str, count);
        for (size_t i = 0; i < count; i++)
            own[i] = i == 1 ? str_printf(ctx->arena, "concat('(?i)', " STR_FMT ")", STR_ARG((*args)[1])) : (*args)[i];
        *args = own;
        return true;
    }
    bool distinct = call->call.distinct, counts = str_is(name, "count") && distinct;
    bool extreme = str_is(name, "least") || str_is(name, "greatest");
    bool listagg = str_is(name, "listagg") && distinct, sorts = str_is(name, "sort_array");
    const CollatedRow *row = NULL;
    for (size_t i = 0; i < LENGTH_OF(rows) && !row; i++)
        if (str_is(name, rows[i].name) && (!rows[i].args || rows[i].args == count))
            row = &rows[i];
    bool keyed = counts || listed(over_keys, LENGTH_OF(over_keys), name);
    if (!keyed && !extreme && !listagg && !sorts && !row)
        return true;
    Str *keys = ARENA_ARRAY(ctx->arena, Str, count ? count : 1);
    TRY(keys_of(call, *args, count, ctx, keys, err));
    if (keyed) {
        *args = keys;
        return true;
    }
    *done = true;
    if (extreme)
        put_extreme(*args, keys, count, str_is(name, "least"), out);
    else if (listagg)
        put_listagg(*args, keys, count, ctx, out);
    else if (sorts)
        put_sort_array(call, *args, keys, ctx, out);
    else
        return put_row(row, call, *args, keys, count, ctx, out);
    return true;
}
