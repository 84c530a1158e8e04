/* The collation of a call: explicit ones win over those of columns, those over literals' (Spark's
 * "Collation precedence"). Two that are as strong make the collation indeterminate. */
#include "func/collate.h"

#include "func/signature.h"
#include "type/collation.h"

enum {
    TOGETHER = 1,    /* all strings among the arguments take one collation */
    DETERMINATE = 2, /* an indeterminate collation is an error */
    KEEPS = 4,       /* strings in the result have the collation of the first argument with strings */
    REPLACED = 8,    /* printed with the arguments as written */
    AS_PATTERN = 16, /* the first string is matched: only UTF8_BINARY and UTF8_LCASE */
    NOT_CS_AI = 32,  /* not those that tell cases apart but not accents */
    NOT_TRIMMED = 64,/* not those that leave out spaces */
    AFTER_FIRST = 128 /* the first argument has no part in it */
};

typedef struct CollationRow {
    const char *name;
    unsigned flags;
} CollationRow;

static const CollationRow rows[] = {
    {"=", TOGETHER | DETERMINATE}, {"!=", TOGETHER | DETERMINATE}, {"<=>", TOGETHER | DETERMINATE},
    {"<", TOGETHER | DETERMINATE}, {"<=", TOGETHER | DETERMINATE}, {">", TOGETHER | DETERMINATE},
    {">=", TOGETHER | DETERMINATE}, {"between", TOGETHER | DETERMINATE | REPLACED}, {"in", TOGETHER | DETERMINATE},
    {"nullif", TOGETHER | DETERMINATE | REPLACED}, {"equal_null", TOGETHER | DETERMINATE},
    {"contains", TOGETHER | DETERMINATE | NOT_CS_AI}, {"startswith", TOGETHER | DETERMINATE | NOT_CS_AI},
    {"endswith", TOGETHER | DETERMINATE | NOT_CS_AI}, {"upper", DETERMINATE | KEEPS}, {"lower", DETERMINATE | KEEPS},
    {"initcap", DETERMINATE | KEEPS}, {"find_in_set", TOGETHER | DETERMINATE}, {"instr", TOGETHER | DETERMINATE | NOT_CS_AI},
    {"locate", TOGETHER | DETERMINATE | NOT_CS_AI}, {"replace", TOGETHER | DETERMINATE | KEEPS | NOT_CS_AI},
    {"substring_index", TOGETHER | DETERMINATE | KEEPS | NOT_CS_AI}, {"trim", TOGETHER | DETERMINATE | KEEPS | NOT_CS_AI},
    {"ltrim", TOGETHER | DETERMINATE | KEEPS | NOT_CS_AI}, {"rtrim", TOGETHER | DETERMINATE | KEEPS | NOT_CS_AI},
    {"btrim", TOGETHER | DETERMINATE | KEEPS | REPLACED | NOT_CS_AI}, {"translate", TOGETHER | DETERMINATE | KEEPS | NOT_CS_AI},
    {"split_part", TOGETHER | DETERMINATE | KEEPS | NOT_CS_AI},
    {"if", TOGETHER}, {"nvl2", TOGETHER | REPLACED | AFTER_FIRST}, {"coalesce", TOGETHER}, {"nvl", TOGETHER | REPLACED},
    {"ifnull", TOGETHER | REPLACED}, {"greatest", TOGETHER}, {"least", TOGETHER}, {"array", TOGETHER},
    {"array_join", TOGETHER | KEEPS}, {"concat", TOGETHER | KEEPS}, {"concat_ws", TOGETHER | KEEPS},
    {"array_contains", TOGETHER}, {"array_except", TOGETHER}, {"array_append", TOGETHER}, {"array_prepend", TOGETHER},
    {"array_intersect", TOGETHER}, {"array_position", TOGETHER}, {"array_remove", TOGETHER}, {"array_union", TOGETHER},
    {"arrays_overlap", TOGETHER}, {"mask", TOGETHER | KEEPS}, {"to_number", TOGETHER}, {"try_to_number", TOGETHER},
    {"str_to_map", TOGETHER | KEEPS | NOT_CS_AI | NOT_TRIMMED}, {"levenshtein", TOGETHER}, {"lag", TOGETHER}, {"lead", TOGETHER},
    {"lpad", TOGETHER | KEEPS}, {"rpad", TOGETHER | KEEPS}, {"overlay", TOGETHER | KEEPS}, {"elt", TOGETHER | KEEPS},
    {"regexp_replace", TOGETHER | KEEPS | AS_PATTERN | NOT_TRIMMED}, {"like", AS_PATTERN | NOT_TRIMMED},
    {"ilike", AS_PATTERN | NOT_TRIMMED}, {"rlike", AS_PATTERN | NOT_TRIMMED}, {"regexp_count", AS_PATTERN | NOT_TRIMMED},
    {"regexp_extract", KEEPS | AS_PATTERN | NOT_TRIMMED}, {"regexp_extract_all", KEEPS | AS_PATTERN | NOT_TRIMMED},
    {"regexp_instr", AS_PATTERN | NOT_TRIMMED}, {"regexp_substr", KEEPS | AS_PATTERN | NOT_TRIMMED},
    {"split", KEEPS | AS_PATTERN | NOT_TRIMMED},
    {"substring", KEEPS}, {"substr", KEEPS}, {"left", KEEPS}, {"right", KEEPS}, {"repeat", KEEPS}, {"reverse", KEEPS},
    {"hex", KEEPS}, {"make_valid_utf8", KEEPS}, {"validate_utf8", KEEPS}, {"try_validate_utf8", KEEPS},
    {"listagg", KEEPS},
};

static unsigned flags_of(const FuncRow *row) {
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (str_is(str_from(row->name), rows[i].name))
            return rows[i].flags;
    return 0;
}

bool collate_is_needed(const BoundExprVec *args) {
    for (size_t i = 0; i < args->len; i++)
        if (args->at[i]->type && type_is_collated(args->at[i]->type))
            return true;
    return false;
}

/* ---- precedence ---- */

typedef enum Strength { EXPLICIT, INDETERMINATE, IMPLICIT, DEFAULT, NO_STRING } Strength;

typedef struct Context {
    Str collation; /* empty: UTF8_BINARY */
    Strength strength;
} Context;

enum { CONTEXT_MAX_DEPTH = 200 };

static bool explicit_mismatch(Str a, Str b, const FuncContext *ctx, Error *err) {
    Str texts[2], both[2] = {a, b};
    for (size_t i = 0; i < 2; i++)
        texts[i] = str_printf(ctx->arena, "\"STRING COLLATE " STR_FMT "\"", STR_ARG(both[i].len ? both[i] : S("UTF8_BINARY")));
    return error_set(err, ERR_COLLATION_MISMATCH__EXPLICIT,
                     P("explicitTypes", str_printf(ctx->arena, STR_FMT ", " STR_FMT, STR_ARG(texts[0]), STR_ARG(texts[1]))));
}

static bool merge(Context *into, Context next, const FuncContext *ctx, Error *err) {
    if (next.strength < into->strength) {
        *into = next;
    } else if (next.strength == into->strength && next.strength != NO_STRING && !str_eq(next.collation, into->collation)) {
        if (next.strength == EXPLICIT)
            return explicit_mismatch(into->collation, next.collation, ctx, err);
        *into = (Context){S(COLLATION_INDETERMINATE), INDETERMINATE};
    }
    return true;
}

typedef struct Walk {
    Context *into;
    const FuncContext *ctx;
    Error *err;
    unsigned depth;
} Walk;

static bool context_of(const BoundExpr *e, unsigned depth, const FuncContext *ctx, Context *out, Error *err);

static bool merge_child(BoundExpr **child, void *arg) {
    Walk *w = arg;
    Context one;
    return context_of(*child, w->depth + 1, w->ctx, &one, w->err) && merge(w->into, one, w->ctx, w->err);
}

static bool context_of(const BoundExpr *e, unsigned depth, const FuncContext *ctx, Context *out, Error *err) {
    *out = (Context){S(""), NO_STRING};
    if (!e->type || !type_has_string(e->type))
        return true;
    out->collation = type_first_collation(e->type);
    switch (e->kind) {
    case BEXPR_LITERAL:
        out->strength = DEFAULT;
        return true;
    case BEXPR_CAST:
        if (e->implicit && !type_has_string(e->cast.child->type))
            out->strength = DEFAULT;
        else
            out->strength = type_has_string(e->cast.child->type) ? IMPLICIT : DEFAULT;
        break;
    case BEXPR_COLUMN:
    case BEXPR_SUBQUERY:
    case BEXPR_LAMBDA_VAR:
    case BEXPR_PYTHON:
        out->strength = IMPLICIT;
        break;
    default:
        if (e->kind == BEXPR_CALL && str_is(str_from(e->call.row->name), "collate")) {
            out->strength = EXPLICIT;
            return true;
        }
        Context merged = {S(""), NO_STRING};
        Walk w = {&merged, ctx, err, depth};
        if (depth < CONTEXT_MAX_DEPTH && !bound_each_child((BoundExpr *)e, merge_child, &w))
            return false;
        *out = merged.strength == NO_STRING ? (Context){out->collation, DEFAULT} : merged;
        return true;
    }
    if (str_is(out->collation, COLLATION_INDETERMINATE))
        out->strength = INDETERMINATE;
    return true;
}

/* The expression with this collation: a literal is one of it, anything else is cast. */
static BoundExpr *with_collation(BoundExpr *e, Str collation, bool shown, const FuncContext *ctx) {
    const Type *to = type_with_collation(e->type, collation, false, ctx->arena);
    if (type_equal(to, e->type))
        return e;
    if (shown && (e->kind == BEXPR_LITERAL || (e->kind == BEXPR_CAST && !e->implicit))) {
        BoundExpr *copy = bound_copy(e, ctx->arena);
        copy->type = to;
        if (copy->kind == BEXPR_LITERAL)
            copy->literal.type = to;
        else
            copy->implicit = true; /* Spark's copy is no longer one that the user wrote */
        return copy;
    }
    BoundExpr *c = bound_cast(e, to, ctx->ansi ? CAST_ANSI : CAST_LEGACY, true, ctx->arena);
    c->cast.zone = ctx->zone;
    return c;
}

static bool is_flat(const Type *t) {
    while (t->kind == TYPE_ARRAY)
        t = t->array.element;
    return type_is_stringy(t);
}

static bool winner(BoundExpr *const *args, size_t count, const FuncContext *ctx, Context *out, Error *err) {
    *out = (Context){S(""), NO_STRING};
    for (size_t i = 0; i < count; i++) {
        Context one;
        if (!args[i]->type || !is_flat(args[i]->type))
            continue;
        TRY(context_of(args[i], 0, ctx, &one, err));
        TRY(merge(out, one, ctx, err));
    }
    return true;
}

static void apply(BoundExpr **args, size_t count, Str collation, bool shown, const FuncContext *ctx) {
    for (size_t i = 0; i < count; i++)
        if (args[i]->type && is_flat(args[i]->type))
            args[i] = with_collation(args[i], collation, shown, ctx);
}

bool func_collate_together(BoundExpr **values, size_t count, const FuncContext *ctx, Error *err) {
    bool needed = false;
    for (size_t i = 0; i < count && !needed; i++)
        needed = values[i]->type && type_is_collated(values[i]->type);
    if (!needed)
        return true;
    Context won;
    TRY(winner(values, count, ctx, &won, err));
    apply(values, count, won.collation, true, ctx);
    return true;
}

/* ---- calls ---- */

static bool refuse_indeterminate(const FuncCall *call, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_INDETERMINATE_COLLATION_IN_EXPRESSION, P("expr", func_call_text(call, ctx)));
}

static bool accepts(unsigned flags, size_t index, Str name) {
    Collation c;
    if (!name.len || str_is(name, COLLATION_INDETERMINATE) || !collation_read(name, &c))
        return true;
    if ((flags & NOT_TRIMMED) && c.trims)
        return false;
    if ((flags & AS_PATTERN) && index == 0 && c.icu)
        return false;
    return !((flags & NOT_CS_AI) && c.ignores_accents && !c.ignores_case);
}

static bool check_support(const FuncCall *call, unsigned flags, const FuncContext *ctx, Error *err) {
    for (size_t i = 0; i < call->args.len; i++) {
        const Type *t = call->args.at[i]->type;
        if (t && t->kind == TYPE_STRING && !accepts(flags, i, t->string.collation))
            return func_unexpected_type(call, i, "\"STRING\"", ctx, err);
    }
    return true;
}

static bool unify(FuncCall *call, size_t from, size_t step, unsigned flags, const FuncContext *ctx, Error *err) {
    BoundExprVec some = {0};
    for (size_t i = from; i < call->args.len; i += step)
        vec_push(ctx->arena, &some, call->args.at[i]);
    Context won;
    TRY(winner(some.at, some.len, ctx, &won, err));
    if (won.strength == NO_STRING)
        return true;
    if ((flags & DETERMINATE) && str_is(won.collation, COLLATION_INDETERMINATE))
        return refuse_indeterminate(call, ctx, err);
    apply(some.at, some.len, won.collation, !(flags & REPLACED), ctx);
    for (size_t i = from, k = 0; i < call->args.len; i += step)
        call->args.at[i] = some.at[k++];
    return true;
}

bool collate_arguments(FuncCall *call, const FuncContext *ctx, Error *err) {
    unsigned flags = flags_of(call->row);
    BoundExprVec own = {0}; /* the caller's list stays as it is */
    for (size_t i = 0; i < call->args.len; i++) {
        vec_push(ctx->arena, &own, call->args.at[i]);
        if ((flags & DETERMINATE) && own.at[i]->type && type_is_indeterminate(own.at[i]->type))
            return refuse_indeterminate(call, ctx, err);
    }
    call->args = own;
    if (str_is(str_from(call->row->name), "collect_set"))
        return error_set(err, ERR_DATATYPE_MISMATCH__UNSUPPORTED_INPUT_TYPE, P("sqlExpr", func_call_text(call, ctx)),
                         PZ("functionName", "`collect_set`"), PZ("dataType", "\"MAP\" or \"COLLATED STRING\""));
    if (str_is(str_from(call->row->name), "map")) {
        TRY(unify(call, 0, 2, TOGETHER, ctx, err));
        return unify(call, 1, 2, TOGETHER, ctx, err);
    }
    const Type *first = own.len ? own.at[0]->type : NULL;
    if (str_is(str_from(call->row->name), "element_at_key") && own.len == 2 && own.at[1]->kind == BEXPR_LITERAL && first->kind == TYPE_MAP &&
        type_is_stringy(own.at[1]->type) && !str_is_ci(call->written_name, "element_at"))
        own.at[1] = with_collation(own.at[1], type_first_collation(first->map.key), false, ctx);
    call->args = own;
    if (flags & TOGETHER)
        TRY(unify(call, flags & AFTER_FIRST ? 1 : 0, 1, flags, ctx, err));
    return check_support(call, flags, ctx, err);
}

/* A rule over STRING casts a collated string to one that compares by bytes, which no rule means. */
static BoundExpr *uncast(BoundExpr *now, BoundExpr *was) {
    bool lost = now != was && now->kind == BEXPR_CAST && now->implicit && now->cast.child == was && type_is_collated(was->type);
    return lost && is_flat(was->type) && is_flat(now->type) ? was : now;
}

void collate_result(FuncCall *call, const BoundExprVec *before, const FuncContext *ctx) {
    Str collation = S("");
    bool found = false;
    for (size_t i = 0; i < before->len; i++) {
        if (i < call->args.len)
            call->args.at[i] = uncast(call->args.at[i], before->at[i]);
        if (!found && before->at[i]->type && type_has_string(before->at[i]->type)) {
            collation = type_first_collation(before->at[i]->type);
            found = true;
        }
    }
    if ((flags_of(call->row) & KEEPS) && collation.len && call->result)
        call->result = type_with_collation(call->result, collation, true, ctx->arena);
}
