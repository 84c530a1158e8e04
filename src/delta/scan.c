/* Which files may hold rows that satisfy a query's conjuncts: by partition values, statistics and
 * generated columns. */
#include "delta/file_set_impl.h"
#include "delta/scan_impl.h"
#include "delta/scan_operand_impl.h"
#include "delta/snapshot_impl.h"
#include "func/func.h"
#include "type/collation.h"

enum { FILES_AN_ARENA = 64 };

/* What a condition may be for some row of a file; neither: only NULL. Unknown is both. */
typedef struct Verdict {
    bool may_be_true, may_be_false;
} Verdict;

static const Verdict UNKNOWN = {true, true};

/* ---- conditions ---- */

typedef enum Comparison { CMP_EQ, CMP_LT, CMP_LE, CMP_GT, CMP_GE } Comparison;

static Verdict verdict_of_null_test(const ColumnStats *c)
{
    return (Verdict){!scan_none_null(c), !scan_all_null(c)};
}

static Verdict compare_bounds(const ColumnStats *c, Comparison op, const Value *constant)
{
    int low = 0, high = 0; /* min and max against the constant */
    if (constant->is_null || scan_all_null(c))
        return (Verdict){false, false};
    bool has_low = c->has_min && !c->min.is_null && scan_order(&c->min, constant, &low);
    bool has_high = c->has_max && !c->max.is_null && scan_order(&c->max, constant, &high);
    switch (op) {
    case CMP_EQ:
        return (Verdict){(!has_low || low <= 0) && (!has_high || high >= 0),
                         !(has_low && has_high && low == 0 && high == 0)};
    case CMP_LT: return (Verdict){!has_low || low < 0, !has_high || high >= 0};
    case CMP_LE: return (Verdict){!has_low || low <= 0, !has_high || high > 0};
    case CMP_GT: return (Verdict){!has_high || high > 0, !has_low || low <= 0};
    case CMP_GE: return (Verdict){!has_high || high >= 0, !has_low || low < 0};
    }
    return UNKNOWN;
}

static Comparison flipped(Comparison op)
{
    static const Comparison other[] = {CMP_EQ, CMP_GT, CMP_GE, CMP_LT, CMP_LE};
    return other[op];
}

static bool comparison_of(Str name, Comparison *op)
{
    static const struct {
        const char *name;
        Comparison op;
    } rows[] = {
        {"=", CMP_EQ}, {"<", CMP_LT}, {"<=", CMP_LE}, {">", CMP_GT}, {">=", CMP_GE},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        if (str_is(name, rows[i].name)) {
            *op = rows[i].op;
            return true;
        }
    }
    return false;
}

/* column op constant, or constant op column turned around. */
static Verdict judge_comparison(ScanContext *s, const BoundExpr *left, const BoundExpr *right,
                                Comparison op)
{
    Operand operand = {0};
    Value constant;
    ColumnStats bounds;
    if (!scan_constant(s, right, &constant)) {
        const BoundExpr *swapped = left;
        left = right;
        right = swapped;
        op = flipped(op);
    }
    if (!scan_constant(s, right, &constant) || !scan_operand(s, left, &operand) ||
        !scan_bounds(s, &operand, &bounds))
        return UNKNOWN;
    return compare_bounds(&bounds, op, &constant);
}

static Verdict judge_null_safe(ScanContext *s, const BoundExpr *left, const BoundExpr *right)
{
    Operand operand = {0};
    ColumnStats bounds;
    Value constant;
    bool turned = scan_constant(s, left, &constant);
    if ((!turned && !scan_constant(s, right, &constant)) ||
        !scan_operand(s, turned ? right : left, &operand) || !scan_bounds(s, &operand, &bounds))
        return UNKNOWN;
    if (constant.is_null)
        return verdict_of_null_test(&bounds);
    Verdict v = compare_bounds(&bounds, CMP_EQ, &constant);
    return (Verdict){v.may_be_true, v.may_be_false || !scan_none_null(&bounds)};
}

static Verdict judge_null(ScanContext *s, const BoundExpr *e, bool is_null)
{
    Operand operand = {0};
    ColumnStats bounds;
    if (!scan_operand(s, e, &operand) || operand.leaf->kind == TYPE_STRUCT ||
        !scan_bounds(s, &operand, &bounds))
        return UNKNOWN;
    Verdict v = verdict_of_null_test(&bounds);
    return is_null ? v : (Verdict){v.may_be_false, v.may_be_true};
}

static Verdict judge_in(ScanContext *s, const BoundExprVec *args)
{
    Verdict out = {false, true};
    for (size_t i = 1; i < args->len && !out.may_be_true; i++)
        out.may_be_true = judge_comparison(s, args->at[0], args->at[i], CMP_EQ).may_be_true;
    return out;
}

/* startswith(column, 'abc'): the prefix lies between the cut bounds. */
static Verdict judge_prefix(ScanContext *s, const BoundExpr *column, const BoundExpr *prefix)
{
    Operand operand = {0};
    Value text;
    ColumnStats c;
    if (!scan_constant(s, prefix, &text) || !type_is_stringy(text.type) ||
        !scan_operand(s, column, &operand) || !type_is_stringy(operand.leaf) ||
        type_is_collated(operand.leaf) ||
        !scan_bounds(s, &operand, &c))
        return UNKNOWN;
    if (text.is_null || scan_all_null(&c))
        return (Verdict){false, false};
    if (c.has_min && str_cmp(str_slice(c.min.bytes, 0, text.bytes.len), text.bytes) > 0)
        return (Verdict){false, true};
    if (c.has_max && str_cmp(str_slice(c.max.bytes, 0, text.bytes.len), text.bytes) < 0)
        return (Verdict){false, true};
    return UNKNOWN;
}

static Verdict judge(ScanContext *s, const BoundExpr *e, int depth);

static Verdict judge_call(ScanContext *s, const BoundExpr *e, int depth)
{
    const BoundExprVec *args = &e->call.args;
    Str name = str_from(e->call.row->name);
    Comparison op;
    if (args->len == 2 && (str_is(name, "and") || str_is(name, "or"))) {
        Verdict a = judge(s, args->at[0], depth + 1), b = judge(s, args->at[1], depth + 1);
        return str_is(name, "and")
                   ? (Verdict){a.may_be_true && b.may_be_true, a.may_be_false || b.may_be_false}
                   : (Verdict){a.may_be_true || b.may_be_true, a.may_be_false && b.may_be_false};
    }
    if (args->len == 1 && str_is(name, "not")) {
        Verdict v = judge(s, args->at[0], depth + 1);
        return (Verdict){v.may_be_false, v.may_be_true};
    }
    if (args->len == 2 && comparison_of(name, &op))
        return judge_comparison(s, args->at[0], args->at[1], op);
    if (args->len == 2 && (str_is(name, "!=") || str_is(name, "<>"))) {
        Verdict v = judge_comparison(s, args->at[0], args->at[1], CMP_EQ);
        return (Verdict){v.may_be_false, v.may_be_true};
    }
    if (args->len == 3 && str_is(name, "between")) {
        Verdict a = judge_comparison(s, args->at[0], args->at[1], CMP_GE);
        Verdict b = judge_comparison(s, args->at[0], args->at[2], CMP_LE);
        return (Verdict){a.may_be_true && b.may_be_true, a.may_be_false || b.may_be_false};
    }
    if (args->len == 2 && (str_is(name, "<=>") || str_is(name, "equal_null")))
        return judge_null_safe(s, args->at[0], args->at[1]);
    if (args->len == 1 && (str_is(name, "isnull") || str_is(name, "isnotnull")))
        return judge_null(s, args->at[0], str_is(name, "isnull"));
    if (args->len >= 2 && str_is(name, "in"))
        return judge_in(s, args);
    if (args->len == 2 && str_is(name, "startswith"))
        return judge_prefix(s, args->at[0], args->at[1]);
    return UNKNOWN;
}

static Verdict judge(ScanContext *s, const BoundExpr *e, int depth)
{
    if (depth > SCAN_EXPR_MAX_DEPTH)
        return UNKNOWN;
    if (e->kind == BEXPR_CALL)
        return judge_call(s, e, depth);
    if (e->kind == BEXPR_LITERAL && e->type->kind == TYPE_BOOLEAN)
        return e->literal.is_null ? (Verdict){false, false}
                                  : (Verdict){e->literal.boolean, !e->literal.boolean};
    if (e->kind == BEXPR_COLUMN && e->type->kind == TYPE_BOOLEAN) {
        BoundExpr yes = {
            .kind = BEXPR_LITERAL, .type = type_simple(TYPE_BOOLEAN), .literal = value_bool(true)};
        return judge_comparison(s, e, &yes, CMP_EQ);
    }
    return UNKNOWN;
}

/* ---- the scan ---- */

static bool passes(ScanContext *s, const BoundExprVec *conjuncts, bool partitions_only)
{
    s->partitions_only = partitions_only;
    for (size_t i = 0; i < conjuncts->len; i++)
        if (!judge(s, conjuncts->at[i], 0).may_be_true)
            return false;
    return true;
}

/* Partition values first: they are cheap, statistics must be parsed. */
static bool may_match(ScanContext *s, const AddFile *f, const BoundExprVec *conjuncts)
{
    s->file = f;
    s->stats = NULL;
    s->stats_known = false;
    return passes(s, conjuncts, true) && passes(s, conjuncts, false);
}

bool scan_may_match(Snapshot *snapshot, const BoundExprVec *conjuncts, const ScanColumn *columns,
                    size_t column_count, Str zone, const AddFile *f)
{
    AUTO_ARENA(arena) = arena_new();
    ScanContext s = {.snapshot = snapshot,
              .columns = columns,
              .column_count = column_count,
              .zone = zone,
              .arena = arena};
    scan_places(&s, arena);
    return may_match(&s, f, conjuncts);
}

bool snapshot_scan(Snapshot *snapshot, const BoundExprVec *conjuncts, const ScanColumn *columns,
                   size_t column_count, Str session_zone, Arena *arena, FileList *out, Error *err)
{
    AUTO_ARENA(own) = arena_new();
    AUTO_ARENA(scratch) = NULL;
    KnownConstants constants = {0};
    ScanContext s = {.snapshot = snapshot,
                     .constants = &constants,
                     .columns = columns,
                     .column_count = column_count,
                     .zone = session_zone.len ? session_zone : S("UTC")};
    (void)err;
    if (!conjuncts || !conjuncts->len) {
        snapshot_files(snapshot, arena, out);
        return true;
    }
    scan_places(&s, own);
    *out = (FileList){0};
    FileCursor cursor = file_set_cursor(snapshot->files);
    size_t seen = 0;
    for (const AddFile *f; (f = file_set_next_file(&cursor)); seen++) {
        if (seen % FILES_AN_ARENA == 0) {
            arena_free(scratch);
            s.arena = scratch = arena_new();
        }
        if (may_match(&s, f, conjuncts))
            vec_push(arena, out, f);
    }
    return true;
}
