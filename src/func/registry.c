/* Looking functions up by name, and writing their DuckDB text from templates. */
#include "func/func.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "func/collate.h"
#include "func/rows.h"
#include "func/signature.h"

typedef struct Family {
    const FuncRow *rows;
    const size_t *count;
} Family;

static const Family FAMILIES[] = {
#define FAMILY(name) {name##_rows, &name##_row_count},
    FUNC_FAMILIES(FAMILY)
#undef FAMILY
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Arena *registry_arena;
static Map by_name;
static VEC(const FuncRow *) all_rows;

static void add_row(const FuncRow *row) {
    vec_push(registry_arena, &all_rows, row);
    map_put(&by_name, str_from(row->name), (void *)row);
    Str rest = str_from(row->aliases);
    while (rest.len) {
        ptrdiff_t space = str_find_char(rest, ' ');
        size_t end = space < 0 ? rest.len : (size_t)space;
        map_put(&by_name, str_slice(rest, 0, end), (void *)row);
        rest = str_slice(rest, end + 1, rest.len);
    }
}

static void build_registry(void) {
    registry_arena = arena_new();
    by_name = map_in_ignoring_case(registry_arena);
    for (size_t f = 0; f < LENGTH_OF(FAMILIES); f++)
        for (size_t i = 0; i < *FAMILIES[f].count; i++)
            add_row(&FAMILIES[f].rows[i]);
}

const FuncRow *func_find(Str name) {
    pthread_once(&once, build_registry);
    return map_get(&by_name, name);
}

size_t func_count(void) {
    pthread_once(&once, build_registry);
    return all_rows.len;
}

const FuncRow *func_at(size_t i) {
    pthread_once(&once, build_registry);
    return i < all_rows.len ? all_rows.at[i] : NULL;
}

/* ---- suggestions ---- */

/* Edits between two short names; at most 64 bytes of each count. */
static size_t distance(Str a, Str b) {
    size_t row[65];
    size_t m = a.len < 64 ? a.len : 64, n = b.len < 64 ? b.len : 64;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            size_t best = diagonal + ((a.ptr[i - 1] | 32) != (b.ptr[j - 1] | 32));
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[n];
}

StrVec func_similar(Str name, size_t limit, Arena *arena) {
    pthread_once(&once, build_registry);
    StrVec out = {0};
    for (size_t d = 0; d <= 3 && out.len < limit; d++)
        for (size_t i = 0; i < all_rows.len && out.len < limit; i++)
            if (!(all_rows.at[i]->flags & FUNC_HIDDEN) &&
                distance(name, str_from(all_rows.at[i]->name)) == d)
                vec_push(arena, &out, str_from(all_rows.at[i]->name));
    return out;
}

/* ---- templates ---- */

typedef struct Template {
    const BoundExpr *call;
    const Str *args;
    size_t count;
    const FuncContext *ctx;
    Buf *out;
    bool own_aggregate;
} Template;

void func_put_string(Buf *out, Str s) {
    buf_addc(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'')
            buf_addc(out, '\'');
        buf_addc(out, s.ptr[i]);
    }
    buf_addc(out, '\'');
}

static void put_list(const Template *t, size_t from) {
    for (size_t i = from; i < t->count; i++) {
        if (i > from)
            buf_addz(t->out, ", ");
        buf_add(t->out, t->args[i]);
    }
}

static const Type *element_type(const Type *t) {
    return t->kind == TYPE_ARRAY ? t->array.element : t->kind == TYPE_MAP ? t->map.value : t;
}

static const char *put_text(const Template *t, const char *p, char stop);

/* $?N{with the argument}{without} */
static const char *put_choice(const Template *t, const char *p) {
    size_t n = (size_t)strtoul(p, (char **)&p, 10);
    bool present = t->count >= n;
    Buf skipped = buf_in(t->ctx->arena);
    Template other = *t;
    other.out = &skipped;
    if (*p != '{')
        abort();
    p = put_text(present ? t : &other, p + 1, '}');
    if (*p == '{')
        p = put_text(present ? &other : t, p + 1, '}');
    return p;
}

/* {when it holds}{otherwise} */
static const char *put_either(const Template *t, bool holds, const char *p) {
    Buf skipped = buf_in(t->ctx->arena);
    Template other = *t;
    other.out = &skipped;
    p = put_text(holds ? t : &other, p + 1, '}');
    return put_text(holds ? &other : t, p + 1, '}');
}

/* $b{when argument 1 is binary}{otherwise}; $K{when DuckDB orders argument 1 otherwise than Spark}{as Spark} */
static const char *put_type_choice(const Template *t, const char *p) {
    const Type *first = t->call->call.args.len ? t->call->call.args.at[0]->type : NULL;
    bool holds = first && (*p == 'b' ? first->kind == TYPE_BINARY : func_needs_order_key(first));
    return put_either(t, holds, p + 1);
}

static const Type *type_of_arg(const Template *t, size_t n) {
    return n >= 1 && n <= t->call->call.args.len ? t->call->call.args.at[n - 1]->type
                                                 : t->call->type;
}

/* DuckDB 1.5 hands the C aggregates of a window over a whole partition one state for all rows, where
 * its interface promises one a row. A frame with numbers that no partition reaches takes another way. */
static void put_suffix(const Template *t) {
    Str suffix = t->ctx->call_suffix;
    ptrdiff_t over = str_find(suffix, S(" OVER ("));
    bool whole = over >= 0 && suffix.ptr[suffix.len - 1] == ')' &&
                 (str_find(suffix, S("UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")) >= 0 ||
                  (str_find(suffix, S("ORDER BY")) < 0 && str_find(suffix, S(" BETWEEN ")) < 0));
    if (!whole || !t->own_aggregate) {
        buf_add(t->out, suffix);
        return;
    }
    static const char *const FRAMES[] = {" ROWS BETWEEN UNBOUNDED", " RANGE BETWEEN UNBOUNDED",
                                         "ROWS BETWEEN UNBOUNDED", "RANGE BETWEEN UNBOUNDED"};
    Str head = str_slice(suffix, 0, suffix.len - 1);
    for (size_t i = 0; i < LENGTH_OF(FRAMES); i++) {
        ptrdiff_t frame = str_find(head, str_from(FRAMES[i]));
        if (frame >= 0)
            head = str_slice(head, 0, (size_t)frame);
    }
    buf_addf(t->out,
             STR_FMT " ROWS BETWEEN 1000000000000 PRECEDING AND 1000000000000 FOLLOWING)",
             STR_ARG(head));
}

/* Whether a template calls an aggregate of native_aggregate.c or of the sketches. */
static bool calls_own_aggregate(const char *sql) {
    static const char *const NAMES[] = {"ls_stddev", "ls_var_", "ls_skewness", "ls_kurtosis",
                                        "ls_corr",   "ls_covar", "ls_regr_",   "ls_theta_",
                                        "ls_hll_",   "ls_kll_",  "ls_count_min"};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        if (strstr(sql, NAMES[i]))
            return true;
    return false;
}

static const char *put_place(const Template *t, const char *p) {
    Arena *arena = t->ctx->arena;
    if (*p == '*') {
        put_list(t, 0);
        return p + 1;
    }
    if (*p == '?')
        return put_choice(t, p + 1);
    if (*p == 'b' || *p == 'K')
        return put_type_choice(t, p);
    if (*p == '@') { /* $@N: the arguments from the Nth on */
        size_t n = (size_t)strtoul(p + 1, (char **)&p, 10);
        put_list(t, n - 1);
        return p;
    }
    if (!strncmp(p, "zone", 4)) {
        func_put_string(t->out, t->ctx->zone);
        return p + 4;
    }
    if (!strncmp(p, "order", 5)) {
        buf_add(t->out, t->ctx->call_order);
        return p + 5;
    }
    if (!strncmp(p, "over", 4)) {
        put_suffix(t);
        return p + 4;
    }
    if (!strncmp(p, "distinct", 8)) {
        if (t->call->call.distinct)
            buf_addz(t->out, "DISTINCT ");
        return p + 8;
    }
    if (!strncmp(p, "ignore", 6)) {
        if (t->call->call.ignore_nulls)
            buf_addz(t->out, " IGNORE NULLS");
        return p + 6;
    }
    if (!strncmp(p, "now", 3)) {
        buf_addf(t->out, "%lld", (long long)t->ctx->now_us);
        return p + 3;
    }
    if (*p == 'r') {
        buf_add(t->out, type_duckdb(t->call->type, arena));
        return p + 1;
    }
    if (*p == 'E') { /* element type of the result */
        buf_add(t->out, type_duckdb(element_type(t->call->type), arena));
        return p + 1;
    }
    char what = *p;
    if (what == 't' || what == 'e' || what == 's' || what == 'k')
        p++;
    size_t n = (size_t)strtoul(p, (char **)&p, 10);
    if (!n)
        abort();
    if (what == 't')
        buf_add(t->out, type_duckdb(type_of_arg(t, n), arena));
    else if (what == 'e')
        buf_add(t->out, type_duckdb(element_type(type_of_arg(t, n)), arena));
    else if (what == 's')
        func_put_string(t->out, type_sql(type_of_arg(t, n), arena));
    else if (n > t->count)
        buf_addz(t->out, "NULL");
    else
        buf_add(t->out, what == 'k' ? func_order_key(t->args[n - 1], type_of_arg(t, n), arena) : t->args[n - 1]);
    return p;
}

static const char *put_text(const Template *t, const char *p, char stop) {
    while (*p && *p != stop) {
        if (*p == '$') {
            p = put_place(t, p + 1);
        } else {
            buf_addc(t->out, *p++);
        }
    }
    return *p ? p + 1 : p;
}

bool func_render(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                 Buf *out, Error *err) {
    const FuncRow *row = call->call.row;
    if (collate_is_needed(&call->call.args)) {
        bool done;
        TRY(collate_render(call, &args, count, ctx, out, &done, err));
        if (done)
            return true;
    }
    if (row->render)
        return row->render(call, args, count, ctx, out, err);
    const char *sql = !ctx->ansi && row->sql_legacy ? row->sql_legacy : row->sql;
    if (!sql)
        return error_unsupported(err, "the function %s", row->name);
    return func_render_template(call, args, count, ctx, sql, out);
}

bool func_render_template(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, const char *sql, Buf *out) {
    Template t = {call, args, count, ctx, out, calls_own_aggregate(sql)};
    put_text(&t, sql, '\0');
    FuncKind kind = call->call.row->kind;
    if ((kind == FUNC_AGGREGATE || kind == FUNC_WINDOW) && !strstr(sql, "$over"))
        buf_add(out, ctx->call_suffix);
    return true;
}

Str func_written_name(const BoundExpr *call) {
    return call->call.written_name.len ? call->call.written_name : str_from(call->call.row->name);
}
