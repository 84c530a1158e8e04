/* What Spark tells of the file a row came from: the fields of _metadata, input_file_name() and kin. */
#include "base/buf.h"
#include "delta/partition.h"
#include "engine/render.h"

static Str last_part(Str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    return slash < 0 ? path : str_slice(path, (size_t)slash + 1, path.len);
}

/* Spark's own sources name files with an empty host for input_file_name(), nobody else does. */
static Str file_uri(const FileOrigin *f, bool with_host, Arena *a)
{
    Str remote;
    if (store_remote_uri(f->path, a, &remote))
        return path_uri_encode(remote, a);
    return str_concat(a, with_host ? S("file://") : S("file:"), path_uri_encode(f->path, a));
}

static bool fact_text(const FileOrigin *f, Str name, Arena *a, Str *out)
{
    if (str_is(name, "file_path"))
        *out = file_uri(f, false, a);
    else if (str_is(name, "input_file_name"))
        *out = file_uri(f, !f->of_delta, a);
    else if (str_is(name, "file_name"))
        *out = path_uri_encode(last_part(f->path), a);
    else if (str_is(name, "file_block_start") || str_is(name, "input_file_block_start"))
        *out = S("0");
    else if (str_is(name, "file_modification_time"))
        *out = str_printf(a, "%lld", (long long)f->modified_ms * 1000);
    else if (str_is(name, "file_size") || str_is(name, "file_block_length") || str_is(name, "input_file_block_length"))
        *out = str_printf(a, "%lld", (long long)f->size);
    else
        return false;
    return true;
}

bool is_file_fact(const BoundColumn *c)
{
    return c->hidden && (str_is(c->name, "_metadata") || str_starts_with(c->name, S("input_file_")));
}

static bool put_fact(const FactWriter *w, Str name, const Type *type, Buf *select, Error *err)
{
    if (str_is(name, "row_index")) {
        buf_addz(select, "CAST(file_row_number AS BIGINT)");
        return true;
    }
    if (w->row_fact && w->row_fact(w->self, name, select))
        return true;
    Str *texts = w->add(w->self, select, type);
    for (size_t i = 0; i < w->count; i++)
        if (!fact_text(&w->files[i], name, select->arena, &texts[i]))
            return error_unsupported(err, "The metadata column _metadata." STR_FMT, STR_ARG(name));
    return true;
}

bool put_file_fact(const FactWriter *w, const BoundColumn *c, Buf *select, Error *err)
{
    const Type *t = c->type;
    bool whole = t->kind == TYPE_STRUCT;
    if (!whole)
        TRY(put_fact(w, c->name, t, select, err));
    for (size_t k = 0; whole && k < t->structure.count; k++) {
        buf_addz(select, k ? ", " : "struct_pack(");
        put_quoted(select, type_duckdb_field(t, k, select->arena));
        buf_addz(select, " := ");
        TRY(put_fact(w, t->structure.fields[k].name, t->structure.fields[k].type, select, err));
    }
    buf_addf(select, "%s AS c%u", whole ? ")" : "", c->id);
    return true;
}
