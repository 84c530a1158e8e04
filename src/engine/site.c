/* Which expression raised an error: the failed query runs once more with marks between its steps.
 *
 * An expression's arguments are computed before the expression itself, so a mark behind each argument is the last one
 * passed when the expression fails, whether a function of ours or DuckDB's own operator does. The first run pays nothing. */
#include "engine/site.h"

#include "base/clock.h"
#include "engine/engine_impl.h"
#include "engine/execution.h"

enum { MARKS_MAX = 100000 };

struct Marks {
    Arena *arena;
    VEC(const Site *) sites; /* mark n is at n - 1; 0 is no site */
    uint64_t number;
    _Atomic int32_t last;
};

/* Classes whose errors carry a query context in Spark; the others are raised without one. */
static const ErrorClass located[] = {
    ERR_ARITHMETIC_OVERFLOW,
    ERR_CAST_INVALID_INPUT,
    ERR_DIVIDE_BY_ZERO,
    ERR_INTERVAL_ARITHMETIC_OVERFLOW__WITHOUT_SUGGESTION,
    ERR_INTERVAL_ARITHMETIC_OVERFLOW__WITH_SUGGESTION,
    ERR_INTERVAL_DIVIDED_BY_ZERO,
    ERR_INVALID_ARRAY_INDEX,
    ERR_INVALID_ARRAY_INDEX_IN_ELEMENT_AT,
    ERR_NUMERIC_VALUE_OUT_OF_RANGE__WITHOUT_SUGGESTION,
    ERR_NUMERIC_VALUE_OUT_OF_RANGE__WITH_SUGGESTION,
    ERR_REMAINDER_BY_ZERO,
    ERR_SCALAR_SUBQUERY_TOO_MANY_ROWS,
};

static bool has_context(ErrorClass cls)
{
    for (size_t i = 0; i < LENGTH_OF(located); i++)
        if (located[i] == cls)
            return true;
    return false;
}

/* ---- marks in the text ---- */

void marks_attach(Marks *m, Resources *resources)
{
    m->number = resources_add_marks(resources, &m->last);
}

static size_t mark_of(Marks *m, const Site *site)
{
    size_t n = m->sites.len;
    if (!site)
        return 0;
    if (n && m->sites.at[n - 1] == site)
        return n;
    if (n >= MARKS_MAX)
        return 0;
    vec_push(m->arena, &m->sites, site);
    return n + 1;
}

/* A struct's fields are computed in order, and taking the first hands its vector on whatever its type is. */
Str site_marked(Render *r, const BoundExpr *e, const Site *site, Str text)
{
    if (!r->marks || e->kind == BEXPR_LAMBDA)
        return text;
    return str_printf(r->arena, "struct_extract(struct_pack(v := " STR_FMT ", m := ls_mark(%llu, %zu)), 'v')", STR_ARG(text),
                      (unsigned long long)r->marks->number, mark_of(r->marks, site));
}

/* ---- what can be at fault ---- */

typedef struct Suspects {
    bool subqueries;     /* only scalar subqueries are sought */
    bool unsafe;         /* the plan does more than compute: it is not run again */
    const Site *only;
    size_t count;
} Suspects;

static bool visit_rel(BoundRel **rel, void *arg);

static bool visit_expr(BoundExpr **child, void *arg)
{
    Suspects *s = arg;
    BoundExpr *e = *child;
    bool subquery = e->kind == BEXPR_SUBQUERY;
    bool wanted = s->subqueries ? subquery && e->subquery.kind == SUBQUERY_SCALAR : !subquery;
    if (wanted && e->site && e->site != s->only) {
        s->only = e->site;
        s->count++;
    }
    if (e->kind == BEXPR_PYTHON)
        s->unsafe = true;
    if (subquery)
        visit_rel(&e->subquery.plan, arg);
    return bound_each_child(e, visit_expr, arg);
}

static bool visit_rel(BoundRel **rel, void *arg)
{
    Suspects *s = arg;
    if ((*rel)->kind == BREL_PYTHON || (*rel)->kind == BREL_SCRIPT)
        s->unsafe = true;
    return brel_each_expr(*rel, visit_expr, arg) && brel_each_input(*rel, visit_rel, arg);
}

static void locate_at(const Site *site, Error *err)
{
    if (site->placeless)
        return;
    if (site->text.len)
        error_locate(err, PLACE_RUNTIME, site->text, (size_t)site->origin.start, (size_t)site->origin.stop);
    else if (site->call_site.len || site->fragment.len)
        error_locate_call(err, PLACE_RUNTIME, site->fragment, site->call_site);
    else
        error_locate_nowhere(err);
}

/* ---- the second run ---- */

/* Nobody waits twice for a long query to fail. */
enum { TRACED_SECONDS = 10 };

static bool was_quick(const RunContext *ctx)
{
    return clock_now_us() - ctx->func->now_us < TRACED_SECONDS * INT64_C(1000000);
}

static void trace(Engine *e, const BoundRel *rel, const RunContext *ctx, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Marks marks = {.arena = arena};
    Error again = error_in(arena);
    Execution *x = NULL;
    bool ok = execution_start(e, rel, ctx, &marks, &x, &again);
    for (duckdb_data_chunk chunk = NULL; ok; duckdb_destroy_data_chunk(&chunk)) {
        ok = execution_next_chunk(x, &chunk, &again);
        if (!chunk)
            break;
    }
    int32_t last = marks.last;
    if (!ok && again.cls == err->cls && last > 0 && (size_t)last <= marks.sites.len) {
        error_copy(err, &again);
        locate_at(marks.sites.at[last - 1], err);
    }
    execution_free(x);
}

bool engine_locate(Engine *e, const BoundRel *rel, const RunContext *ctx, Error *err)
{
    if (!has_context(err->cls) || err->has_context || err->context.line)
        return false;
    Suspects s = {.subqueries = err->cls == ERR_SCALAR_SUBQUERY_TOO_MANY_ROWS};
    visit_rel((BoundRel **)&rel, &s);
    if (s.count == 1 && s.subqueries)
        locate_at(s.only, err);
    else if (s.count && !s.subqueries && !s.unsafe && was_quick(ctx))
        trace(e, rel, ctx, err);
    else if (!s.count)
        error_locate_nowhere(err);
    return false;
}
