/* Delta's statistics of Parquet files that others wrote, from their footers. */
#include "base/buf.h"
#include "base/map.h"
#include "engine/engine_impl.h"
#include "engine/execution.h"
#include "engine/render.h"
#include "engine/statistics.h"

enum { FILES_A_QUERY = 200, FACTS_A_LEAF = 4 };

typedef struct Leaf {
    Str path;   /* as statistics_json looks it up */
    Str footer; /* as parquet_metadata spells it */
    const Type *type;
} Leaf;
typedef VEC(Leaf) LeafVec;

static void gather_leaves(const Type *t, Str path, Str footer, size_t limit, Arena *a, LeafVec *out)
{
    for (size_t i = 0; i < t->structure.count && out->len < limit; i++) {
        const Field *f = &t->structure.fields[i];
        Leaf leaf = {statistics_path(path, f->name, a),
                     footer.len ? str_concat(a, str_concat(a, footer, S(", ")), f->name) : f->name,
                     f->type};
        if (f->type->kind == TYPE_STRUCT)
            gather_leaves(f->type, leaf.path, leaf.footer, limit, a, out);
        else
            vec_push(a, out, leaf);
    }
}

/* Of each file: its rows; of each leaf: bounds, NULLs, whether every row group has bounds. */
static Str footer_query(const LeafVec *leaves, const Str *paths, size_t count, Arena *a)
{
    Buf b = buf_in(a);
    buf_addz(&b, "SELECT file_name, CAST(sum(row_group_num_rows) FILTER (WHERE column_id = 0) AS VARCHAR)");
    for (size_t i = 0; i < leaves->len; i++) {
        Buf here = buf_in(a);
        buf_addz(&here, " FILTER (WHERE path_in_schema = ");
        put_text(&here, leaves->at[i].footer);
        buf_addz(&here, ")");
        Str filter = buf_str(&here), type = type_duckdb(leaves->at[i].type, a);
        for (int max = 0; max < 2; max++)
            buf_addf(&b, ", CAST(%s(TRY_CAST(stats_%s_value AS " STR_FMT "))" STR_FMT " AS VARCHAR)",
                     max ? "max" : "min", max ? "max" : "min", STR_ARG(type), STR_ARG(filter));
        buf_addf(&b, ", CASE WHEN bool_and(stats_null_count IS NOT NULL)" STR_FMT
                     " THEN CAST(sum(stats_null_count)" STR_FMT " AS VARCHAR) END",
                 STR_ARG(filter), STR_ARG(filter));
        buf_addf(&b, ", CAST(bool_and((stats_min_value IS NOT NULL AND stats_max_value IS NOT NULL) OR "
                     "stats_null_count = row_group_num_rows)" STR_FMT " AS VARCHAR)",
                 STR_ARG(filter));
    }
    buf_addz(&b, " FROM parquet_metadata(");
    put_paths(&b, paths, count);
    buf_addz(&b, ") GROUP BY file_name");
    return buf_str(&b);
}

static void put_fact(Value *map, const char *name, Str text)
{
    map->map.keys[map->map.count] = value_string(str_from(name));
    map->map.values[map->map.count++] = value_string(text);
}

static Value leaf_facts(const Str *cells, const Type *type, Arena *a)
{
    Value out = {.type = type_map(type_simple(TYPE_STRING), type_simple(TYPE_STRING), true, a)};
    out.map.keys = ARENA_ARRAY(a, Value, FACTS_A_LEAF);
    out.map.values = ARENA_ARRAY(a, Value, FACTS_A_LEAF);
    bool bounded = str_is(cells[3], "true");
    if (bounded && cells[0].ptr)
        put_fact(&out, "min", cells[0]);
    if (bounded && cells[1].ptr)
        put_fact(&out, "max", cells[1]);
    if (cells[2].ptr)
        put_fact(&out, "null_count", cells[2]);
    /* A footer does not tell of NaN, which is Spark's greatest number. */
    if (type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE)
        put_fact(&out, "has_nan", S("true"));
    return out;
}

typedef struct FooterReader {
    const Type *schema;
    size_t limit;
    const LeafVec *leaves;
    const Map *places; /* path to FooterFacts */
    Arena *arena;
} FooterReader;

static bool take_row(const FooterReader *f, duckdb_data_chunk chunk, idx_t row, Error *err)
{
    Arena *a = f->arena;
    size_t cells = 2 + f->leaves->len * FACTS_A_LEAF;
    Str *texts = ARENA_ARRAY(a, Str, cells);
    for (size_t i = 0; i < cells; i++) {
        Value v;
        TRY(vector_cell(duckdb_data_chunk_get_vector(chunk, i), row, type_simple(TYPE_STRING), a, &v, err));
        texts[i] = v.is_null ? (Str){NULL, 0} : v.bytes;
    }
    FooterFacts *out = map_get(f->places, texts[0]);
    if (!out)
        return true;
    if (!texts[1].ptr || !str_to_i64(texts[1], &out->rows))
        out->rows = 0;
    Value all = {.type = type_map(type_simple(TYPE_STRING), type_simple(TYPE_STRING), true, a)};
    all.map.keys = ARENA_ARRAY(a, Value, f->leaves->len + 1);
    all.map.values = ARENA_ARRAY(a, Value, f->leaves->len + 1);
    for (size_t i = 0; i < f->leaves->len; i++) {
        all.map.keys[i] = value_string(f->leaves->at[i].path);
        all.map.values[i] = leaf_facts(&texts[2 + i * FACTS_A_LEAF], f->leaves->at[i].type, a);
        all.map.count++;
    }
    bool *none = ARENA_ARRAY(a, bool, f->schema->structure.count + 1);
    out->stats = statistics_json(f->schema, none, f->limit, NULL, out->rows, &all, a);
    return true;
}

static bool read_some(const FooterReader *f, duckdb_connection connection, const Str *paths, size_t count,
                      const RunContext *ctx, Error *err)
{
    duckdb_result result;
    bool has_result = false;
    bool ok = run_sql(connection, footer_query(f->leaves, paths, count, f->arena), ctx->cancel, &result,
                      &has_result, err);
    duckdb_data_chunk chunk;
    while (ok && (chunk = duckdb_fetch_chunk(result))) {
        for (idx_t i = 0; ok && i < duckdb_data_chunk_get_size(chunk); i++)
            ok = take_row(f, chunk, i, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    if (has_result)
        duckdb_destroy_result(&result);
    return ok;
}

bool engine_footers(Engine *e, const Type *schema, const Str *paths, size_t count, size_t stats_columns,
                    const RunContext *ctx, Arena *arena, FooterFacts *out, Error *err)
{
    Map places = map_in(arena);
    LeafVec leaves = {0};
    FooterReader f = {.schema = schema, .limit = stats_columns, .leaves = &leaves, .places = &places, .arena = arena};
    duckdb_connection connection;
    gather_leaves(schema, S(""), S(""), stats_columns, arena, &leaves);
    for (size_t i = 0; i < count; i++)
        map_put(&places, paths[i], &out[i]);
    TRY(engine_acquire(e, &connection, err));
    bool ok = true;
    for (size_t from = 0; ok && from < count; from += FILES_A_QUERY) {
        size_t some = count - from < FILES_A_QUERY ? count - from : FILES_A_QUERY;
        ok = read_some(&f, connection, paths + from, some, ctx, err);
    }
    engine_release(e, connection, ok);
    return ok;
}
