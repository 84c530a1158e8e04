/* What share of a scan's rows its conjuncts may keep, guessed from the bounds of columns and the
 * kinds of conditions, as planners do that have no histograms. */
#include "delta/scan_operand_impl.h"
#include "func/func.h"

enum { FILES_ASKED = 8, PATTERN_LETTERS = 3, SMALL_TABLE_ROWS = 1000 };

static const double TEXT_PATTERN = 0.05, EQUALITY = 0.2;

/* Between which shares of its range a column is held by the conjuncts seen. */
typedef struct Held {
    double low, high;
} Held;

typedef struct Guess {
    ScanContext scan;
    const FileList *files;
    FileStats *parsed[FILES_ASKED];
    bool is_parsed[FILES_ASKED];
    Held *held; /* one a field of the table */
    double rows;
} Guess;

static bool as_real(const Value *v, double *out)
{
    const Type *t = v->type;
    if (type_is_integral(t) || t->kind == TYPE_DATE || t->kind == TYPE_TIMESTAMP ||
        t->kind == TYPE_TIMESTAMP_NTZ) {
        *out = (double)v->integer;
        return true;
    }
    if (t->kind == TYPE_FLOAT || t->kind == TYPE_DOUBLE) {
        *out = v->real;
        return true;
    }
    if (t->kind != TYPE_DECIMAL)
        return false;
    *out = (double)v->decimal.high * 18446744073709551616.0 + (double)v->decimal.low;
    for (int i = 0; i < t->decimal.scale; i++)
        *out /= 10;
    return true;
}

/* The bounds of an operand over the first few files; false: no numbers, or none known. */
static bool range_of(Guess *g, const Operand *o, double *low, double *high)
{
    size_t count = g->files->len < FILES_ASKED ? g->files->len : FILES_ASKED;
    for (size_t i = 0; i < count; i++) {
        ColumnStats c;
        double min, max;
        g->scan.file = g->files->at[i];
        g->scan.stats_known = g->is_parsed[i];
        g->scan.stats = g->parsed[i];
        bool known = scan_bounds(&g->scan, o, &c);
        g->is_parsed[i] = g->scan.stats_known;
        g->parsed[i] = g->scan.stats;
        if (!known || !c.has_min || !c.has_max || c.min.is_null || c.max.is_null ||
            !as_real(&c.min, &min) || !as_real(&c.max, &max))
            return false;
        *low = i && *low < min ? *low : min;
        *high = i && *high > max ? *high : max;
    }
    return count > 0 && *high >= *low;
}

static double equality(Guess *g, const Operand *o)
{
    double low, high;
    if (o->leaf->kind == TYPE_BOOLEAN)
        return 0.5;
    bool steps = type_is_integral(o->leaf) || o->leaf->kind == TYPE_DATE;
    if (steps && range_of(g, o, &low, &high)) {
        double values = high - low + 1;
        return 1 / (values < g->rows ? values : g->rows);
    }
    return g->rows <= SMALL_TABLE_ROWS ? 1 / g->rows : EQUALITY;
}

/* A bound of one column: several of them on the same column are taken together, by the caller. */
static bool hold(Guess *g, const Operand *o, const Value *constant, bool below)
{
    double low, high, at;
    if (o->depth != 1 || !as_real(constant, &at) || !range_of(g, o, &low, &high) || high <= low)
        return false;
    double share = (at - low) / (high - low);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    Held *h = &g->held[o->place - g->scan.places];
    if (below && share < h->high)
        h->high = share;
    if (!below && share > h->low)
        h->low = share;
    return true;
}

static double compared(Guess *g, Str name, const BoundExpr *left, const BoundExpr *right)
{
    Operand operand = {0};
    Value constant;
    bool turned = !scan_constant(&g->scan, right, &constant);
    const BoundExpr *column = turned ? right : left;
    if ((turned && !scan_constant(&g->scan, left, &constant)) ||
        !scan_operand(&g->scan, column, &operand))
        return 1;
    if (str_is(name, "="))
        return equality(g, &operand);
    (void)hold(g, &operand, &constant, (name.ptr[0] == '<') != turned);
    return 1;
}

static double patterned(const Guess *g, const BoundExprVec *args)
{
    Value text;
    if (!scan_constant(&g->scan, args->at[1], &text) || text.is_null || !type_is_stringy(text.type))
        return 1;
    size_t letters = 0;
    for (size_t i = 0; i < text.bytes.len; i++)
        letters += text.bytes.ptr[i] != '%' && text.bytes.ptr[i] != '_';
    return letters >= PATTERN_LETTERS ? TEXT_PATTERN : 1;
}

/* 1 where nothing can be said. */
static double share(Guess *g, const BoundExpr *e)
{
    if (e->kind != BEXPR_CALL)
        return 1;
    const BoundExprVec *args = &e->call.args;
    Str name = str_from(e->call.row->name);
    Operand operand = {0};
    if (args->len == 2 && (str_is(name, "=") || str_is(name, "<") || str_is(name, "<=") ||
                           str_is(name, ">") || str_is(name, ">=")))
        return compared(g, name, args->at[0], args->at[1]);
    if (args->len == 3 && str_is(name, "between"))
        return compared(g, S(">="), args->at[0], args->at[1]) *
               compared(g, S("<="), args->at[0], args->at[2]);
    if (str_is(name, "in") && args->len >= 2 && scan_operand(&g->scan, args->at[0], &operand)) {
        double any = equality(g, &operand) * (double)(args->len - 1);
        return any < 1 ? any : 1;
    }
    if (args->len >= 2 && (str_is(name, "like") || str_is(name, "contains") ||
                           str_is(name, "startswith") || str_is(name, "endswith")))
        return patterned(g, args);
    return 1;
}

double snapshot_selectivity(Snapshot *snapshot, const BoundExprVec *conjuncts,
                            const ScanColumn *columns, size_t column_count, const FileList *files,
                            double rows, Str session_zone)
{
    AUTO_ARENA(arena) = arena_new();
    Guess g = {.files = files, .rows = rows > 1 ? rows : 1};
    g.scan = (ScanContext){.snapshot = snapshot,
                           .columns = columns,
                           .column_count = column_count,
                           .zone = session_zone.len ? session_zone : S("UTC"),
                           .arena = arena};
    scan_places(&g.scan, arena);
    size_t fields = snapshot_schema(snapshot)->structure.count;
    g.held = ARENA_ARRAY(arena, Held, fields + 1);
    for (size_t i = 0; i < fields; i++)
        g.held[i] = (Held){0, 1};
    double kept = 1;
    for (size_t i = 0; i < conjuncts->len; i++)
        kept *= share(&g, conjuncts->at[i]);
    for (size_t i = 0; i < fields; i++)
        kept *= g.held[i].high > g.held[i].low ? g.held[i].high - g.held[i].low : 1 / g.rows;
    return kept;
}
