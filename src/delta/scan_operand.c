/* Columns and constants of a condition over a Delta scan: where their values are found, and their bounds in a file. */
#include <math.h>
#include <string.h>

#include "delta/partition.h"
#include "delta/scan_operand_impl.h"
#include "type/collation.h"
#include "type/datetime.h"

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

bool scan_order(const Value *a, const Value *b, int *out)
{
    const Type *x = a->type, *y = b->type;
    if (type_is_stringy(x) && type_is_stringy(y)) {
        if (type_is_collated(x) || type_is_collated(y))
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

static const ColumnPlace *find_place(const ScanContext *s, ColumnId id)
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

bool scan_operand(const ScanContext *s, const BoundExpr *e, Operand *out)
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
        if (!scan_operand(s, e->field.child, out) || out->as_date ||
            out->leaf->kind != TYPE_STRUCT || e->field.index >= out->leaf->structure.count ||
            out->depth == SCAN_LEAF_MAX_DEPTH)
            return false;
        const Field *f = &out->leaf->structure.fields[e->field.index];
        out->path[out->depth++] = delta_physical_name(f, mapping, s->arena);
        out->leaf = f->type;
        return true;
    }
    case BEXPR_CAST:
        if (!scan_operand(s, e->cast.child, out) || out->as_date)
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

static bool known_constant(const KnownConstants *k, const BoundExpr *e, Value *out)
{
    for (size_t i = 0; k && i < k->len; i++)
        if (k->at[i].of == e) {
            *out = k->at[i].value;
            return true;
        }
    return false;
}

static void keep_constant(KnownConstants *k, const BoundExpr *e, const Value *v)
{
    bool plain = type_is_integral(e->type) || e->type->kind == TYPE_DATE || e->type->kind == TYPE_TIMESTAMP ||
                 e->type->kind == TYPE_TIMESTAMP_NTZ || e->type->kind == TYPE_DOUBLE;
    if (k && plain && k->len < LENGTH_OF(k->at)) {
        k->at[k->len].of = e;
        k->at[k->len++].value = *v;
    }
}

bool scan_constant(const ScanContext *s, const BoundExpr *e, Value *out)
{
    Value inner;
    if (e->kind == BEXPR_LITERAL || e->folded) {
        *out = e->folded ? *e->folded : e->literal;
        return true;
    }
    if (e->kind != BEXPR_CAST)
        return false;
    if (known_constant(s->constants, e, out))
        return true;
    if (!scan_constant(s, e->cast.child, &inner) ||
        !value_cast_plain(&inner, e->type, e->cast.zone.len ? e->cast.zone : s->zone, s->arena, out))
        return false;
    keep_constant(s->constants, e, out);
    return true;
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

static void constant_bounds(const ScanContext *s, const Value *v, ColumnStats *out)
{
    (void)s;
    *out = (ColumnStats){
        .num_records = 1, .tight = true, .has_null_count = true, .null_count = v->is_null};
    out->has_min = out->has_max = !v->is_null;
    out->min = out->max = *v;
}

/* The partition column that holds the date of a timestamp bounds it: to a day, and no zone is more
 * than 18 hours off. */
static void bound_by_date(const ScanContext *s, const ColumnPlace *place, ColumnStats *c)
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

/* The statistics of a file of floats say 0.1, its rows as doubles are 0.10000000149. */
static void bounds_of_floats(ColumnStats *c)
{
    if (c->has_min)
        c->min.real = fmin(c->min.real, (float)c->min.real);
    if (c->has_max)
        c->max.real = fmax(c->max.real, (float)c->max.real);
}

bool scan_bounds(ScanContext *s, const Operand *o, ColumnStats *out)
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
        if (o->place->was_coarser && o->leaf->kind == TYPE_DOUBLE)
            bounds_of_floats(out);
        if (o->place->date_of && o->depth == 1)
            bound_by_date(s, o->place, out);
    }
    if (o->as_date)
        bounds_to_days(out, o->zone);
    return true;
}

bool scan_all_null(const ColumnStats *c)
{
    return c->has_null_count && c->num_records >= 0 && c->null_count >= c->num_records;
}

bool scan_none_null(const ColumnStats *c)
{
    return c->has_null_count && c->null_count == 0;
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

static void link_generated(ScanContext *s, const Metadata *m, size_t index, Arena *arena)
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

void scan_places(ScanContext *s, Arena *arena)
{
    const Metadata *m = snapshot_metadata(s->snapshot);
    ColumnMapping mapping = metadata_column_mapping(m);
    size_t count = m->schema->structure.count;
    s->places = ARENA_ARRAY(arena, ColumnPlace, count);
    for (size_t i = 0; i < count; i++) {
        const Field *f = &m->schema->structure.fields[i];
        s->places[i] = (ColumnPlace){.field = f,
                                     .physical = delta_physical_name(f, mapping, arena),
                                     .was_coarser = field_was_coarser(f),
                                     .partition = metadata_partition_index(m, f->name)};
    }
    for (size_t i = 0; i < count; i++)
        link_generated(s, m, i, arena);
}
