/* Grouping, sampling and generators: the relations that change how many rows there are. */
#include "base/buf.h"
#include "engine/render_impl.h"
#include "type/collation.h"

/* ---- aggregate ---- */

bool columns_are_collated(const BoundColumnVec *columns)
{
    for (size_t i = 0; i < columns->len; i++)
        if (type_is_collated(columns->at[i].type))
            return true;
    return false;
}

bool column_key(Render *r, const BoundColumn *c, const char *side, Str *out, Error *err)
{
    return func_collation_key(str_printf(r->arena, "%sc%u", side, c->id), c->type, r->arena, out, err);
}

bool column_keys(Render *r, const BoundColumnVec *columns, Str *out, Error *err)
{
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < columns->len; i++) {
        Str key;
        TRY(column_key(r, &columns->at[i], "", &key, err));
        buf_addf(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(key));
    }
    *out = buf_str(&b);
    return true;
}

Str column_firsts(Render *r, const BoundColumnVec *columns)
{
    Buf b = buf_in(r->arena);
    for (size_t i = 0; i < columns->len; i++) {
        unsigned id = columns->at[i].id;
        buf_addz(&b, i ? ", " : "");
        if (type_is_collated(columns->at[i].type))
            buf_addf(&b, "first(c%u) AS c%u", id, id);
        else
            buf_addf(&b, "c%u", id);
    }
    return buf_str(&b);
}

/* Keys as plain columns first, so that GROUPING SETS and GROUPING() can name them. */
static bool keys_as_columns(Render *r, const BoundRel *rel, const Rope *input, Block *out,
                            Error *err)
{
    Buf select = buf_in(r->arena);
    buf_addz(&select, "*");
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        const BoundItem *key = &rel->aggregate.keys.at[i];
        if (key->expr->kind == BEXPR_COLUMN && key->expr->column.id == key->id)
            continue;
        Str text;
        TRY(render_expr(r, key->expr, &text, err));
        buf_addf(&select, ", " STR_FMT " AS c%u", STR_ARG(text), key->id);
    }
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        const BoundItem *key = &rel->aggregate.keys.at[i];
        if (!type_is_collated(key->expr->type))
            continue;
        Str text;
        TRY(render_key(r, key->expr, &text, err));
        buf_addf(&select, ", " STR_FMT " AS ls_k%u", STR_ARG(text), key->id);
    }
    Block inner = {.from = input, .select = buf_str(&select)};
    *out = (Block){.from = rope_wrapped(r->arena, "(", block_rope(r, &inner, S("")), ")")};
    return true;
}

/* The column that groups: the key beside a collated string. */
static Str grouped_name(Render *r, const BoundItem *key)
{
    return str_printf(r->arena, type_is_collated(key->expr->type) ? "ls_k%u" : "c%u", key->id);
}

static Str grouping_sets(Render *r, const BoundRel *rel)
{
    Buf b = buf_in(r->arena);
    buf_addz(&b, "GROUPING SETS (");
    for (size_t i = 0; i < rel->aggregate.sets.len; i++) {
        buf_addz(&b, i ? ", (" : "(");
        for (size_t k = 0; k < rel->aggregate.sets.at[i].len; k++)
            buf_addf(&b, "%s" STR_FMT, k ? ", " : "", STR_ARG(grouped_name(r, &rel->aggregate.keys.at[rel->aggregate.sets.at[i].at[k]])));
        buf_addz(&b, ")");
    }
    buf_addz(&b, ")");
    return buf_str(&b);
}

static bool is_grouped(const BoundRel *rel, size_t key)
{
    for (size_t i = 0; i < rel->aggregate.sets.len; i++)
        for (size_t k = 0; k < rel->aggregate.sets.at[i].len; k++)
            if (rel->aggregate.sets.at[i].at[k] == key)
                return true;
    return false;
}

/* GROUPING() numbers the keys as Spark's grouping__id does: the first key is the highest bit. A key of
 * no set is always left out: DuckDB does not know it in GROUPING(). */
static void put_grouping_id(Render *r, const BoundRel *rel, Buf *select)
{
    const Type *type = type_simple(TYPE_LONG);
    for (size_t i = 0; i < rel->columns.len; i++)
        if (rel->columns.at[i].id == rel->aggregate.grouping_id)
            type = rel->columns.at[i].type;
    buf_addf(select, "%sCAST(0", rel->aggregate.keys.len ? ", " : "");
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        unsigned long long bit = 1ull << (rel->aggregate.keys.len - 1 - i);
        if (is_grouped(rel, i))
            buf_addf(select, " + GROUPING(" STR_FMT ") * %llu", STR_ARG(grouped_name(r, &rel->aggregate.keys.at[i])), bit);
        else
            buf_addf(select, " + %llu", bit);
    }
    buf_addf(select, " AS " STR_FMT ") AS c%u", STR_ARG(type_duckdb(type, r->arena)),
             rel->aggregate.grouping_id);
}

static bool put_aggregates(Render *r, const BoundRel *rel, Buf *select, Error *err)
{
    for (size_t i = 0; i < rel->aggregate.aggregates.len; i++) {
        const BoundItem *item = &rel->aggregate.aggregates.at[i];
        Str text;
        TRY(render_expr(r, item->expr, &text, err));
        buf_addf(select, "%s" STR_FMT " AS c%u", select->len ? ", " : "", STR_ARG(text), item->id);
    }
    return true;
}

static bool aggregate_sets(Render *r, const BoundRel *rel, const Rope *input, Block *out,
                           Error *err)
{
    TRY(keys_as_columns(r, rel, input, out, err));
    Buf select = buf_in(r->arena);
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        const BoundItem *key = &rel->aggregate.keys.at[i];
        if (is_grouped(rel, i) && type_is_collated(key->expr->type))
            buf_addf(&select, "%sCASE WHEN GROUPING(ls_k%u) = 0 THEN first(c%u) END AS c%u", i ? ", " : "", key->id, key->id, key->id);
        else if (is_grouped(rel, i))
            buf_addf(&select, "%sc%u", i ? ", " : "", key->id);
        else
            buf_addf(&select, "%sCAST(NULL AS " STR_FMT ") AS c%u", i ? ", " : "",
                     STR_ARG(type_duckdb(key->expr->type, r->arena)), key->id);
    }
    if (rel->aggregate.grouping_id)
        put_grouping_id(r, rel, &select);
    TRY(put_aggregates(r, rel, &select, err));
    out->select = buf_str(&select);
    out->group = grouping_sets(r, rel);
    return true;
}

/* Groups come in the order of their first rows. */
static void number_groups(Render *r, Block *out)
{
    Str number = str_printf(r->arena, "ls_l%zu", r->numbered++);
    Block inner = {
        .from = out->from,
        .where = out->where,
        .select = str_printf(r->arena, "*, row_number() OVER () AS " STR_FMT, STR_ARG(number))};
    out->from = rope_wrapped(r->arena, "(", block_rope(r, &inner, S("")), ")");
    out->where = NULL;
    out->order = str_printf(r->arena, "min(" STR_FMT ")", STR_ARG(number));
}

bool render_aggregate(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    Block b = {0};
    if (render_counted(r, rel, out))
        return true;
    const BoundRel *early = group_early(r, rel), *input = early ? early : rel->input;
    TRY(render_block(r, input, &b, err));
    bool plain = !rel->aggregate.sets.len;
    bool open = b.from && !b.select.len && !b.group.len && !b.limit.len && !b.order.len;
    if (!open || (!plain && !block_is_bare(&b))) {
        const Rope *whole = input_rope(r, &b, &input->columns);
        b = (Block){.from = rope_wrapped(r->arena, "(", whole, ")")};
    }
    *out = b;
    if (!plain)
        return aggregate_sets(r, rel, b.from, out, err);
    if (rel->aggregate.keys.len && !r->unordered && rel_is_small(input))
        number_groups(r, out);
    Buf select = buf_in(r->arena), group = buf_in(r->arena);
    for (size_t i = 0; i < rel->aggregate.keys.len; i++) {
        const BoundItem *key = &rel->aggregate.keys.at[i];
        Str text;
        TRY(render_expr(r, key->expr, &text, err));
        bool collated = type_is_collated(key->expr->type);
        buf_addf(&select, collated ? "%sfirst(" STR_FMT ") AS c%u" : "%s" STR_FMT " AS c%u", i ? ", " : "", STR_ARG(text), key->id);
        if (collated)
            TRY(render_key(r, key->expr, &text, err));
        if (collated)
            buf_addf(&group, "%s" STR_FMT, i ? ", " : "", STR_ARG(text));
        else
            buf_addf(&group, "%s%zu", i ? ", " : "", i + 1);
    }
    if (early)
        put_early_aggregates(rel, &select);
    else
        TRY(put_aggregates(r, rel, &select, err));
    out->select = select.len ? buf_str(&select) : S("count(*) AS c0");
    out->group = buf_str(&group);
    return true;
}

/* ---- sample ---- */

enum { POISSON_STEPS = 24 };

/* A number in [0, 1) for each row by its place and the seed, as Spark draws it for each
 * partition: the parts of a split neither overlap nor leave a gap. */
static Str uniform_text(Render *r, int64_t seed, ColumnId partition)
{
    if (partition)
        return str_printf(r->arena, "ls_partition_rand(CAST('%lld' AS BIGINT), c%u, ls_place)", (long long)seed, partition);
    return str_printf(r->arena, "ls_uniform(ls_place, CAST('%lld' AS BIGINT))", (long long)seed);
}

/* How often a row is taken when sampling with replacement: Poisson by its cumulated probabilities.
 */
static Str poisson_text(Render *r, Str uniform, double lambda)
{
    Buf b = buf_in(r->arena);
    double p = 1, sum = 0;
    for (double x = lambda; x > 0; x -= 1) {
        double step = x > 1 ? 1 : x;
        double e = 1, term = 1;
        for (int k = 1; k < POISSON_STEPS; k++) {
            term *= -step / k;
            e += term;
        }
        p *= e;
    }
    buf_addz(&b, "0");
    for (int k = 0; k < POISSON_STEPS + (int)(4 * lambda); k++) {
        sum += p;
        buf_addf(&b, " + (CASE WHEN " STR_FMT " >= %.17g THEN 1 ELSE 0 END)", STR_ARG(uniform),
                 sum);
        p *= lambda / (k + 1);
    }
    return buf_str(&b);
}

bool render_sample(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    double lower = rel->sample.lower, upper = rel->sample.upper;
    if (rel->sample.replacement && upper - lower > 100)
        return error_unsupported(err, "Sampling with replacement at more than 100 times the rows");
    const Rope *input;
    TRY(render_nested(r, rel->input, &input, err));
    const Rope *numbered =
        rope_wrapped(r->arena, "(SELECT *, row_number() OVER () AS ls_place FROM ", input, ")");
    Str uniform = uniform_text(r, rel->sample.seed, rel->sample.partition);
    Str columns = column_list(r, &rel->columns);
    out->from = numbered;
    out->select = columns;
    if (!rel->sample.replacement) {
        out->from = rope_wrapped(
            r->arena,
            str_printf(r->arena, "(SELECT *, " STR_FMT " AS ls_u FROM ", STR_ARG(uniform)).ptr,
            numbered, ")");
        out->where = rope_text(
            r->arena, str_printf(r->arena, "(ls_u >= %.17g AND ls_u < %.17g)", lower, upper));
        return true;
    }
    Str times = poisson_text(r, S("ls_u"), upper - lower);
    Block with_u = {.from = numbered,
                    .select = str_printf(r->arena, "*, " STR_FMT " AS ls_u", STR_ARG(uniform))};
    Block repeated = {
        .from = rope_wrapped(r->arena, "(", block_rope(r, &with_u, S("")), ")"),
        .select = str_printf(r->arena, "*, unnest(range(" STR_FMT ")) AS ls_copy", STR_ARG(times)),
    };
    out->from = rope_wrapped(r->arena, "(", block_rope(r, &repeated, S("")), ")");
    return true;
}

/* ---- generate ---- */

typedef struct Generator {
    Str list;     /* a LIST: one element a row made */
    bool structs; /* elements are structs, one field a column */
} Generator;

static bool generator_list(Render *r, const BoundExpr *e, size_t outputs, Generator *out,
                           Error *err)
{
    Str name = str_from(e->call.row->name);
    bool explodes = str_is(name, "explode") || str_is(name, "explode_outer") ||
                    str_is(name, "posexplode") || str_is(name, "posexplode_outer");
    bool inlines = str_is(name, "inline") || str_is(name, "inline_outer");
    if ((explodes || inlines) && e->call.args.len == 1) {
        const BoundExpr *arg = e->call.args.at[0];
        TRY(render_expr(r, arg, &out->list, err));
        out->structs = inlines || arg->type->kind == TYPE_MAP;
        if (arg->type->kind == TYPE_MAP)
            out->list = str_printf(r->arena, "map_entries(" STR_FMT ")", STR_ARG(out->list));
        return true;
    }
    out->structs = true;
    return render_expr(r, e, &out->list, err);
}

static bool put_input_columns(const Render *r, const BoundRel *rel, Buf *b)
{
    if (rel->input->columns.len)
        buf_addf(b, STR_FMT ", ", STR_ARG(column_list(r, &rel->input->columns)));
    return true;
}

/* Three steps: the list as a column, its elements as rows, the elements' fields as columns. */
bool render_generate(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    const BoundColumnVec *output = &rel->generate.output;
    size_t first = rel->generate.with_position ? 1 : 0;
    Generator g = {0};
    TRY(generator_list(r, rel->generate.generator, output->len - first, &g, err));
    const Rope *input;
    TRY(render_nested(r, rel->input, &input, err));

    Buf lists = buf_in(r->arena);
    put_input_columns(r, rel, &lists);
    buf_addf(&lists, STR_FMT " AS ls_list", STR_ARG(g.list));
    Block with_list = {.from = input, .select = buf_str(&lists)};

    const char *empty = "ls_list IS NULL OR len(ls_list) = 0";
    Buf rows = buf_in(r->arena);
    put_input_columns(r, rel, &rows);
    if (rel->generate.outer)
        buf_addf(&rows, "unnest(CASE WHEN %s THEN [NULL] ELSE ls_list END) AS ls_item", empty);
    else
        buf_addz(&rows, "unnest(ls_list) AS ls_item");
    if (first && rel->generate.outer)
        buf_addf(&rows,
                 ", unnest(CASE WHEN %s THEN [NULL] ELSE range(len(ls_list)) END) AS ls_position",
                 empty);
    else if (first)
        buf_addz(&rows, ", unnest(range(len(ls_list))) AS ls_position");
    Block with_rows = {
        .from = rope_wrapped(r->arena, "(", block_rope(r, &with_list, S("")), ")"),
        .select = buf_str(&rows),
    };

    Buf select = buf_in(r->arena);
    put_input_columns(r, rel, &select);
    for (size_t i = 0; i < output->len; i++) {
        buf_addz(&select, i ? ", " : "");
        if (i < first)
            buf_addf(&select, "CAST(ls_position AS INTEGER) AS c%u", output->at[i].id);
        else if (g.structs)
            buf_addf(&select, "struct_extract_at(ls_item, %zu) AS c%u", i - first + 1,
                     output->at[i].id);
        else
            buf_addf(&select, "ls_item AS c%u", output->at[i].id);
    }
    out->select = buf_str(&select);
    out->from = rope_wrapped(r->arena, "(", block_rope(r, &with_rows, S("")), ")");
    return true;
}
