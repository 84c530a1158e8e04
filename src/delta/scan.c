/* Which files may hold rows that satisfy a query's conjuncts: by partition values, statistics and
 * generated columns. */
#include <math.h>
#include <string.h>

#include "delta/file_set_impl.h"
#include "delta/partition.h"
#include "delta/scan_impl.h"
#include "delta/schema.h"
#include "delta/snapshot_impl.h"
#include "delta/stats.h"
#include "func/func.h"
#include "type/datetime.h"

enum { EXPR_MAX_DEPTH = 200, LEAF_MAX_DEPTH = 16, FILES_AN_ARENA = 64 };

/* What a condition may be for some row of a file; neither: only NULL. Unknown is both. */
typedef struct Verdict {
    bool may_be_true, may_be_false;
} Verdict;

static const Verdict UNKNOWN = {true, true};

/* Of one table column: where its values are found. */
typedef struct ColumnPlace {
    const Field *field;
    Str physical;
    int partition;       /* index into metadata.partitionColumns, -1 for a data column */
    const Type *date_of; /* not NULL: a partition column `source` holds CAST(this AS DATE) */
    Str date_column;     /* its physical name */
} ColumnPlace;

typedef struct Scan {
    Snapshot *snapshot;
    const ScanColumn *columns;
    size_t column_count;
    ColumnPlace *places; /* one a field of the schema */
    Str zone;
    Arena *arena; /* of the file in hand and a few before it */
    const AddFile *file;
    FileStats *stats; /* parsed on first need */
    bool stats_known;
    bool partitions_only; /* statistics are not looked at */
} Scan;

/* ---- comparing constants ---- */

static I128 as_i128(int64_t v)
{
    return (I128){(uint64_t)v, v < 0 ? -1 : 0};
}

static bool scaled(const Value *v, int scale, __int128 *out)
{
    I128 unscaled = v->type->kind == TYPE_DECIMAL ? v->decimal : as_i128(v->integer);
    int from = v->type->kind == TYPE_DECIMAL ? v->type->decimal.scale : 0;
    *out = (__int128)(((unsigned __int128)(uint64_t)unscaled.high << 64) | unscaled.low);
    for (; from < scale; from++)
        if (__builtin_mul_overflow(*out, (__int128)10, out))
            return false;
    return true;
}

static int order_reals(double a, double b)
{
    /* Spark's order: NaN is equal to itself and above everything; -0.0 equals 0.0. */
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static bool is_integer_like(const Type *t)
{
    return type_is_integral(t) || t->kind == TYPE_DATE || t->kind == TYPE_TIMESTAMP ||
           t->kind == TYPE_TIMESTAMP_NTZ;
}

/* False when the two cannot be compared here: the file is then kept. */
static bool order(const Value *a, const Value *b, int *out)
{
    const Type *x = a->type, *y = b->type;
    if (type_is_stringy(x) && type_is_stringy(y)) {
        if ((x->kind == TYPE_STRING && x->string.collation.len) ||
            (y->kind == TYPE_STRING && y->string.collation.len))
            return false;
        *out = str_cmp(a->bytes, b->bytes);
        return true;
    }
    if (x->kind == TYPE_BOOLEAN && y->kind == TYPE_BOOLEAN) {
        *out = a->boolean - b->boolean;
        return true;
    }
    if (is_integer_like(x) && is_integer_like(y) &&
        (x->kind == y->kind || (type_is_integral(x) && type_is_integral(y)))) {
        *out = (a->integer > b->integer) - (a->integer < b->integer);
        return true;
    }
    bool real_x = x->kind == TYPE_FLOAT || x->kind == TYPE_DOUBLE,
         real_y = y->kind == TYPE_FLOAT || y->kind == TYPE_DOUBLE;
    if (real_x && real_y) {
        *out = order_reals(a->real, b->real);
        return true;
    }
    bool exact_x = x->kind == TYPE_DECIMAL || type_is_integral(x),
         exact_y = y->kind == TYPE_DECIMAL || type_is_integral(y);
    if (exact_x && exact_y) {
        int sx = x->kind == TYPE_DECIMAL ? x->decimal.scale : 0,
            sy = y->kind == TYPE_DECIMAL ? y->decimal.scale : 0;
        __int128 m, n;
        if (!scaled(a, sx > sy ? sx : sy, &m) || !scaled(b, sx > sy ? sx : sy, &n))
            return false;
        *out = (m > n) - (m < n);
        return true;
    }
    return false;
}

/* ---- operands ---- */

/* A column, a field of it, or a cast of one that keeps the order of values. */
typedef struct Operand {
    const ColumnPlace *place;
    Str path[LEAF_MAX_DEPTH];
    size_t depth;
    const Type *leaf;
    bool as_date; /* CAST(timestamp AS DATE) in zone */
    Str zone;
} Operand;

static const ColumnPlace *find_place(const Scan *s, ColumnId id)
{
    for (size_t i = 0; i < s->column_count; i++)
        if (s->columns[i].id == id &&
            s->columns[i].field < snapshot_schema(s->snapshot)->structure.count)
            return &s->places[s->columns[i].field];
    return NULL;
}

static bool cast_keeps_order(const Type *from, const Type *to)
{
    if (type_is_integral(from))
        return (type_is_integral(to) && to->kind >= from->kind) || to->kind == TYPE_DECIMAL;
    if (from->kind == TYPE_FLOAT)
        return to->kind == TYPE_DOUBLE;
    if (from->kind == TYPE_DECIMAL)
        return to->kind == TYPE_DECIMAL && to->decimal.scale >= from->decimal.scale &&
               to->decimal.precision - to->decimal.scale >=
                   from->decimal.precision - from->decimal.scale;
    return type_is_stringy(from) && type_is_stringy(to);
}

static bool read_operand(const Scan *s, const BoundExpr *e, Operand *out)
{
    ColumnMapping mapping = snapshot_column_mapping(s->snapshot);
    switch (e->kind) {
    case BEXPR_COLUMN:
        out->place = e->column.outer ? NULL : find_place(s, e->column.id);
        if (!out->place)
            return false;
        out->path[0] = out->place->physical;
        out->depth = 1;
        out->leaf = out->place->field->type;
        return true;
    case BEXPR_FIELD: {
        if (!read_operand(s, e->field.child, out) || out->as_date ||
            out->leaf->kind != TYPE_STRUCT || e->field.index >= out->leaf->structure.count ||
            out->depth == LEAF_MAX_DEPTH)
            return false;
        const Field *f = &out->leaf->structure.fields[e->field.index];
        out->path[out->depth++] = delta_physical_name(f, mapping, s->arena);
        out->leaf = f->type;
        return true;
    }
    case BEXPR_CAST:
        if (!read_operand(s, e->cast.child, out) || out->as_date)
            return false;
        if (out->leaf->kind == TYPE_TIMESTAMP && e->type->kind == TYPE_DATE) {
            out->as_date = true;
            out->zone = e->cast.zone.len ? e->cast.zone : s->zone;
            return true;
        }
        return type_equal(out->leaf, e->type) || cast_keeps_order(out->leaf, e->type);
    default: return false;
    }
}

/* A literal, or a cast of one through its text: what coercion makes of date_column = '2024-01-01'.
 */
static bool read_constant(const Scan *s, const BoundExpr *e, Value *out)
{
    Value inner;
    if (e->kind == BEXPR_LITERAL) {
        *out = e->literal;
        return true;
    }
    if (e->kind != BEXPR_CAST || e->cast.child->kind != BEXPR_LITERAL ||
        !read_constant(s, e->cast.child, &inner))
        return false;
    if (inner.is_null) {
        *out = value_null(e->type);
        return true;
    }
    const Type *from = inner.type;
    if (!type_is_integral(from) && from->kind != TYPE_DECIMAL && !type_is_stringy(from) &&
        from->kind != TYPE_DATE)
        return false;
    if (type_is_nested(e->type) || type_is_interval(e->type) || e->type->kind == TYPE_BINARY)
        return false;
    Str zone = e->cast.zone.len ? e->cast.zone : s->zone;
    Error ignored = error_in(s->arena);
    return value_from_text(value_to_text(&inner, zone, s->arena), e->type, zone, s->arena, out,
                           &ignored);
}

/* ---- bounds of an operand in the file ---- */

static int64_t day_of(int64_t us, Str zone)
{
    int64_t local = us + zone_offset_at(zone, us) * US_PER_SECOND;
    return local / US_PER_DAY - (local % US_PER_DAY < 0);
}

/* A day more at both ends: clocks that go back at midnight make the day of an instant fall. */
static void bounds_to_days(ColumnStats *c, Str zone)
{
    if (c->has_min)
        c->min = value_int(TYPE_DATE, day_of(c->min.integer, zone) - 1);
    if (c->has_max)
        c->max = value_int(TYPE_DATE, day_of(c->max.integer, zone) + 1);
}

static void constant_bounds(const Scan *s, const Value *v, ColumnStats *out)
{
    (void)s;
    *out = (ColumnStats){
        .num_records = 1, .tight = true, .has_null_count = true, .null_count = v->is_null};
    out->has_min = out->has_max = !v->is_null;
    out->min = out->max = *v;
}

/* The partition column that holds the date of a timestamp bounds it: to a day, and no zone is more
 * than 18 hours off. */
static void bound_by_date(const Scan *s, const ColumnPlace *place, ColumnStats *c)
{
    Error ignored = error_in(s->arena);
    Value day;
    const Property *p = partition_value_of(&s->file->partition_values, place->date_column);
    const int64_t slack = INT64_C(18) * 3600 * US_PER_SECOND;
    if (!p || !partition_value_parse(p, place->date_of, s->zone, s->arena, &day, &ignored) ||
        day.is_null)
        return;
    int64_t start, end;
    if (__builtin_mul_overflow(day.integer, US_PER_DAY, &start) ||
        __builtin_sub_overflow(start, slack, &start) ||
        __builtin_add_overflow(start, US_PER_DAY + 2 * slack, &end))
        return;
    if (!c->has_min || c->min.integer < start)
        c->min = value_int(TYPE_TIMESTAMP, start);
    if (!c->has_max || c->max.integer > end)
        c->max = value_int(TYPE_TIMESTAMP, end);
    c->has_min = c->has_max = true;
}

static bool operand_bounds(Scan *s, const Operand *o, ColumnStats *out)
{
    Error ignored = error_in(s->arena);
    *out = (ColumnStats){.num_records = -1};
    if (o->place->partition >= 0) {
        Value v;
        const Property *p = partition_value_of(&s->file->partition_values, o->place->physical);
        if (!p || o->depth != 1 ||
            !partition_value_parse(p, o->leaf, s->zone, s->arena, &v, &ignored))
            return false;
        constant_bounds(s, &v, out);
    } else {
        if (s->partitions_only && !o->place->date_of)
            return false;
        if (!s->stats_known && !s->partitions_only) {
            s->stats = stats_parse(s->file->stats, s->arena);
            s->stats_known = true;
        }
        if (s->stats)
            file_stats_column(s->stats, o->path, o->depth, o->leaf, s->arena, out);
        if (o->place->date_of && o->depth == 1)
            bound_by_date(s, o->place, out);
    }
    if (o->as_date)
        bounds_to_days(out, o->zone);
    return true;
}

static bool all_null(const ColumnStats *c)
{
    return c->has_null_count && c->num_records >= 0 && c->null_count >= c->num_records;
}

static bool none_null(const ColumnStats *c)
{
    return c->has_null_count && c->null_count == 0;
}

/* ---- conditions ---- */

typedef enum Comparison { CMP_EQ, CMP_LT, CMP_LE, CMP_GT, CMP_GE } Comparison;

static Verdict verdict_of_null_test(const ColumnStats *c)
{
    return (Verdict){!none_null(c), !all_null(c)};
}

static Verdict compare_bounds(const ColumnStats *c, Comparison op, const Value *constant)
{
    int low = 0, high = 0; /* min and max against the constant */
    if (constant->is_null || all_null(c))
        return (Verdict){false, false};
    bool has_low = c->has_min && !c->min.is_null && order(&c->min, constant, &low);
    bool has_high = c->has_max && !c->max.is_null && order(&c->max, constant, &high);
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
static Verdict judge_comparison(Scan *s, const BoundExpr *left, const BoundExpr *right,
                                Comparison op)
{
    Operand operand = {0};
    Value constant;
    ColumnStats bounds;
    if (!read_constant(s, right, &constant)) {
        const BoundExpr *swapped = left;
        left = right;
        right = swapped;
        op = flipped(op);
    }
    if (!read_constant(s, right, &constant) || !read_operand(s, left, &operand) ||
        !operand_bounds(s, &operand, &bounds))
        return UNKNOWN;
    return compare_bounds(&bounds, op, &constant);
}

static Verdict judge_null_safe(Scan *s, const BoundExpr *left, const BoundExpr *right)
{
    Operand operand = {0};
    ColumnStats bounds;
    Value constant;
    bool turned = read_constant(s, left, &constant);
    if ((!turned && !read_constant(s, right, &constant)) ||
        !read_operand(s, turned ? right : left, &operand) || !operand_bounds(s, &operand, &bounds))
        return UNKNOWN;
    if (constant.is_null)
        return verdict_of_null_test(&bounds);
    Verdict v = compare_bounds(&bounds, CMP_EQ, &constant);
    return (Verdict){v.may_be_true, v.may_be_false || !none_null(&bounds)};
}

static Verdict judge_null(Scan *s, const BoundExpr *e, bool is_null)
{
    Operand operand = {0};
    ColumnStats bounds;
    if (!read_operand(s, e, &operand) || operand.leaf->kind == TYPE_STRUCT ||
        !operand_bounds(s, &operand, &bounds))
        return UNKNOWN;
    Verdict v = verdict_of_null_test(&bounds);
    return is_null ? v : (Verdict){v.may_be_false, v.may_be_true};
}

static Verdict judge_in(Scan *s, const BoundExprVec *args)
{
    Verdict out = {false, true};
    for (size_t i = 1; i < args->len && !out.may_be_true; i++)
        out.may_be_true = judge_comparison(s, args->at[0], args->at[i], CMP_EQ).may_be_true;
    return out;
}

/* startswith(column, 'abc'): the prefix lies between the cut bounds. */
static Verdict judge_prefix(Scan *s, const BoundExpr *column, const BoundExpr *prefix)
{
    Operand operand = {0};
    Value text;
    ColumnStats c;
    if (!read_constant(s, prefix, &text) || !type_is_stringy(text.type) ||
        !read_operand(s, column, &operand) || !type_is_stringy(operand.leaf) ||
        (operand.leaf->kind == TYPE_STRING && operand.leaf->string.collation.len) ||
        !operand_bounds(s, &operand, &c))
        return UNKNOWN;
    if (text.is_null || all_null(&c))
        return (Verdict){false, false};
    if (c.has_min && str_cmp(str_slice(c.min.bytes, 0, text.bytes.len), text.bytes) > 0)
        return (Verdict){false, true};
    if (c.has_max && str_cmp(str_slice(c.max.bytes, 0, text.bytes.len), text.bytes) < 0)
        return (Verdict){false, true};
    return UNKNOWN;
}

static Verdict judge(Scan *s, const BoundExpr *e, int depth);

static Verdict judge_call(Scan *s, const BoundExpr *e, int depth)
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

static Verdict judge(Scan *s, const BoundExpr *e, int depth)
{
    if (depth > EXPR_MAX_DEPTH)
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

/* ---- columns of the table ---- */

/* "CAST(ts AS DATE)", "date(ts)", with or without backquotes, in any case: the column's name. */
static bool is_date_of(Str sql, Arena *arena, Str *column)
{
    Str text = str_trim(str_lower(sql, arena)), original = str_trim(sql);
    size_t from, to = text.len;
    if (str_starts_with(text, S("cast(")) && str_ends_with(text, S(" as date)"))) {
        from = 5;
        to -= sizeof " as date)" - 1;
    } else if (str_starts_with(text, S("date(")) && str_ends_with(text, S(")"))) {
        from = 5;
        to -= 1;
    } else {
        return false;
    }
    *column = str_trim(str_slice(original, from, to));
    if (column->len > 2 && column->ptr[0] == '`' && column->ptr[column->len - 1] == '`')
        *column = str_slice(*column, 1, column->len - 1);
    return true;
}

static void link_generated(Scan *s, const Metadata *m, size_t index, Arena *arena)
{
    const ColumnPlace *generated = &s->places[index];
    Str source, sql = delta_generation_expression(generated->field, arena);
    if (generated->partition < 0 || generated->field->type->kind != TYPE_DATE || !sql.len ||
        !is_date_of(sql, arena, &source))
        return;
    int at = type_field_index(m->schema, source, false);
    if (at < 0 || m->schema->structure.fields[at].type->kind != TYPE_TIMESTAMP)
        return;
    s->places[at].date_of = generated->field->type;
    s->places[at].date_column = generated->physical;
}

static void find_places(Scan *s, Arena *arena)
{
    const Metadata *m = snapshot_metadata(s->snapshot);
    ColumnMapping mapping = metadata_column_mapping(m);
    size_t count = m->schema->structure.count;
    s->places = ARENA_ARRAY(arena, ColumnPlace, count);
    for (size_t i = 0; i < count; i++) {
        const Field *f = &m->schema->structure.fields[i];
        s->places[i] = (ColumnPlace){.field = f,
                                     .physical = delta_physical_name(f, mapping, arena),
                                     .partition = metadata_partition_index(m, f->name)};
    }
    for (size_t i = 0; i < count; i++)
        link_generated(s, m, i, arena);
}

/* ---- the scan ---- */

static bool passes(Scan *s, const BoundExprVec *conjuncts, bool partitions_only)
{
    s->partitions_only = partitions_only;
    for (size_t i = 0; i < conjuncts->len; i++)
        if (!judge(s, conjuncts->at[i], 0).may_be_true)
            return false;
    return true;
}

/* Partition values first: they are cheap, statistics must be parsed. */
static bool may_match(Scan *s, const AddFile *f, const BoundExprVec *conjuncts)
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
    Scan s = {.snapshot = snapshot,
              .columns = columns,
              .column_count = column_count,
              .zone = zone,
              .arena = arena};
    find_places(&s, arena);
    return may_match(&s, f, conjuncts);
}

bool snapshot_scan(Snapshot *snapshot, const BoundExprVec *conjuncts, const ScanColumn *columns,
                   size_t column_count, Str session_zone, Arena *arena, FileList *out, Error *err)
{
    AUTO_ARENA(own) = arena_new();
    AUTO_ARENA(scratch) = NULL;
    Scan s = {.snapshot = snapshot,
              .columns = columns,
              .column_count = column_count,
              .zone = session_zone.len ? session_zone : S("UTC")};
    (void)err;
    if (!conjuncts || !conjuncts->len) {
        snapshot_files(snapshot, arena, out);
        return true;
    }
    find_places(&s, own);
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
