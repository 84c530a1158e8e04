/* ALTER TABLE .. REPLACE COLUMNS: the columns as the statement lists them, those of the same name keeping what is known of them. */
#include "command/alter_impl.h"

typedef struct Replacement {
    CommandContext *ctx;
    ColumnMapping mapping;
    bool widens;
    Str reason; /* why it cannot be; empty: it can */
} Replacement;

static Name longer(CommandContext *ctx, const Name *path, Str part)
{
    Name out = name_of(ctx->arena, path->len, path->at);
    vec_push(ctx->arena, &out, part);
    return out;
}

static void refuse(Replacement *r, const char *what, const Name *path)
{
    if (!r->reason.len)
        r->reason = str_printf(r->ctx->arena, "[DELTA_CANNOT_CHANGE_DATA_TYPE] Cannot change data type: %s " STR_FMT, what, STR_ARG(name_text(path, r->ctx->arena)));
}

static void compare(Replacement *r, const Type *from, const Type *to, const Name *path);

/* Which fields go; a struct may lose fields or gain some, not both. */
static void compare_fields(Replacement *r, const Type *from, const Type *to, const Name *path)
{
    Arena *a = r->ctx->arena;
    Buf gone = buf_in(a);
    bool adds = false;
    for (size_t i = 0; i < to->structure.count; i++) {
        const Field *f = &to->structure.fields[i];
        int at = type_field_index(from, f->name, false);
        Name inner = longer(r->ctx, path, at < 0 ? f->name : from->structure.fields[at].name);
        adds |= at < 0;
        if (!f->nullable && (at < 0 || from->structure.fields[at].nullable))
            refuse(r, at < 0 ? "adding non-nullable column" : "tightening nullability of", &inner);
        if (at >= 0)
            compare(r, from->structure.fields[at].type, f->type, &inner);
    }
    for (size_t i = 0; i < from->structure.count; i++)
        if (type_field_index(to, from->structure.fields[i].name, false) < 0)
            buf_addf(&gone, "%s" STR_FMT, gone.len ? ", " : "", STR_ARG(from->structure.fields[i].name));
    if (!gone.len || r->reason.len)
        return;
    if (adds)
        r->reason = str_printf(a, "[DELTA_AMBIGUOUS_DATA_TYPE_CHANGE] Cannot change data type of " STR_FMT " from " STR_FMT " to " STR_FMT ". This change contains "
                               "column removals and additions, therefore they are ambiguous. Please make these changes individually using ALTER TABLE "
                               "[ADD | DROP | RENAME] COLUMN.", STR_ARG(name_text(path, a)), STR_ARG(type_ddl(from, a)), STR_ARG(type_ddl(to, a)));
    else if (r->mapping == MAPPING_NONE)
        r->reason = str_printf(a, "[DELTA_CANNOT_CHANGE_DATA_TYPE] Cannot change data type: dropping column(s) [" STR_FMT "]%s" STR_FMT, STR_ARG(buf_str(&gone)),
                               path->len ? " from " : "", STR_ARG(name_text(path, a)));
}

static void compare(Replacement *r, const Type *from, const Type *to, const Name *path)
{
    if (from->kind == TYPE_STRUCT && to->kind == TYPE_STRUCT)
        return compare_fields(r, from, to, path);
    if (from->kind == TYPE_ARRAY && to->kind == TYPE_ARRAY) {
        Name element = longer(r->ctx, path, S("element"));
        return compare(r, from->array.element, to->array.element, &element);
    }
    if (from->kind == TYPE_MAP && to->kind == TYPE_MAP) {
        Name key = longer(r->ctx, path, S("key")), value = longer(r->ctx, path, S("value"));
        compare(r, from->map.key, to->map.key, &key);
        return compare(r, from->map.value, to->map.value, &value);
    }
    if (r->reason.len || from->kind == TYPE_NULL || type_same_shape(from, to) || (r->widens && type_is_widening(from, to)))
        return;
    Arena *a = r->ctx->arena;
    r->reason = str_printf(a, "[DELTA_CANNOT_CHANGE_DATA_TYPE] Cannot change data type: changing data type of " STR_FMT " from " STR_FMT " to " STR_FMT,
                           STR_ARG(name_text(path, a)), STR_ARG(type_sql(from, a)), STR_ARG(type_sql(to, a)));
}

/* The new type with the metadata, and the spelling of names, that the old one has. */
static const Type *merge(CommandContext *ctx, const Type *from, const Type *to)
{
    Arena *a = ctx->arena;
    if (from->kind == TYPE_ARRAY && to->kind == TYPE_ARRAY)
        return type_array(merge(ctx, from->array.element, to->array.element), from->array.nulls, a);
    if (from->kind == TYPE_MAP && to->kind == TYPE_MAP)
        return type_map(merge(ctx, from->map.key, to->map.key), merge(ctx, from->map.value, to->map.value), from->map.nulls, a);
    if (from->kind != TYPE_STRUCT || to->kind != TYPE_STRUCT)
        return to;
    Field *fields = ARENA_ARRAY(a, Field, to->structure.count + 1);
    for (size_t i = 0; i < to->structure.count; i++) {
        const Field *f = &to->structure.fields[i];
        int at = type_field_index(from, f->name, false);
        fields[i] = *f;
        if (at < 0)
            continue;
        const Field *old = &from->structure.fields[at];
        Str comment = field_metadata_get(f, "comment", a);
        fields[i] = (Field){old->name, merge(ctx, old->type, f->type), f->nullable, old->metadata};
        if (comment.len)
            fields[i].metadata = field_metadata_with_text(old->metadata, "comment", comment, a);
    }
    return type_struct(fields, to->structure.count, a);
}

static bool listed_columns(CommandContext *ctx, const ColumnDefVec *columns, const Type **out, Buf *shown, Error *err)
{
    Field *fields = ARENA_ARRAY(ctx->arena, Field, columns->len + 1);
    for (size_t i = 0; i < columns->len; i++) {
        const ColumnDef *d = &columns->at[i];
        const char *clause = d->not_null ? "NOT NULL" : d->first || d->after.len ? "Column position" : NULL;
        if (clause)
            return error_set(err, ERR__LEGACY_ERROR_TEMP_0034, PZ("operation", clause), PZ("command", "REPLACE COLUMNS"), PZ("msg", ""));
        if (d->generated_sql.len || d->is_identity || d->default_sql.len)
            return error_unsupported(err, "REPLACE COLUMNS with a default or a generated column");
        fields[i] = (Field){vec_last(&d->name), type_char_as_string(d->type, ctx->arena), true, column_def_metadata(ctx, d)};
        buf_addf(shown, "%s" STR_FMT, i ? "," : "[", STR_ARG(column_json(ctx, &d->name, &fields[i])));
    }
    buf_addc(shown, ']');
    *out = type_struct(fields, columns->len, ctx->arena);
    return true;
}

static Str tree(CommandContext *ctx, const Type *schema)
{
    return str_concat(ctx->arena, S("root\n"), type_tree_string(schema, 0, ctx->arena));
}

bool alter_replace_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    Replacement r = {.ctx = ctx, .mapping = metadata_column_mapping(m), .widens = metadata_property_bool(m, "delta.enableTypeWidening", false)};
    CommitNote note = {.operation = S("REPLACE COLUMNS"), .started_us = clock_monotonic_us()};
    Buf shown = buf_in(ctx->arena);
    const Type *wanted = NULL;
    TRY(check_column_duplicates(ctx, &c->alter.columns, err));
    TRY(listed_columns(ctx, &c->alter.columns, &wanted, &shown, err));
    if (has_identity(m->schema))
        return error_set(err, ERR_DELTA_IDENTITY_COLUMNS_REPLACE_COLUMN_NOT_SUPPORTED);
    compare(&r, m->schema, wanted, &(Name){0});
    if (r.reason.len)
        return error_set(err, ERR_DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP, P("details", r.reason), P("oldSchema", tree(ctx, m->schema)),
                         P("newSchema", tree(ctx, wanted)));
    for (size_t i = 0; i < m->partition_columns.len; i++)
        if (type_field_index(wanted, m->partition_columns.at[i], false) < 0)
            return error_set(err, ERR_DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN, P("columnList", m->partition_columns.at[i]));
    const Type *merged = merge(ctx, m->schema, wanted);
    metadata_set_schema(ctx, m, schema_note_widening(m->schema, merged, ctx->arena));
    TRY(check_column_names(m, err));
    note_parameter_text(ctx, &note, "columns", buf_str(&shown));
    return alter_commit(ctx, t, m, NULL, &note, false, err);
}
