/* The common write into a Delta table, and INSERT on top of it. */
#include "base/json.h"
#include "command/command_impl.h"

/* ---- schema of what is written against the table's ---- */

static bool same_name(CommandContext *ctx, Str x, Str y)
{
    return analyzer_func(ctx->analyzer)->case_sensitive ? str_eq(x, y) : str_ieq(x, y);
}

static Field written_field(CommandContext *ctx, const BoundColumn *c)
{
    const Type *type = type_unmapped(type_as_nullable(c->type, ctx->arena), ctx->arena);
    return (Field){c->name, type, true, field_metadata_of_its_own(c->metadata, ctx->arena)};
}

/* Spark's integers become no fractions by themselves: 1 stays a whole number. */
static bool widens_by_itself(const Type *from, const Type *to)
{
    return type_is_widening(from, to) && !(type_is_integral(from) && !type_is_integral(to));
}

/* The table's type with the fields that only the written one has, and, where the table allows it, with wider plain types. */
static const Type *merged_type(CommandContext *ctx, const Type *table, const Type *written, bool widens)
{
    if (table->kind == TYPE_ARRAY && written->kind == TYPE_ARRAY)
        return type_array(merged_type(ctx, table->array.element, written->array.element, widens), table->array.nulls, ctx->arena);
    if (table->kind == TYPE_MAP && written->kind == TYPE_MAP)
        return type_map(merged_type(ctx, table->map.key, written->map.key, widens),
                        merged_type(ctx, table->map.value, written->map.value, widens), table->map.nulls, ctx->arena);
    if (table->kind != TYPE_STRUCT || written->kind != TYPE_STRUCT)
        return widens && widens_by_itself(table, written) ? written : table;
    VEC(Field) fields = {0};
    for (size_t i = 0; i < table->structure.count; i++)
        vec_push(ctx->arena, &fields, table->structure.fields[i]);
    for (size_t c = 0; c < written->structure.count; c++) {
        const Field *f = &written->structure.fields[c];
        size_t at = 0;
        while (at < table->structure.count && !same_name(ctx, table->structure.fields[at].name, f->name))
            at++;
        if (at < table->structure.count)
            fields.at[at].type = merged_type(ctx, fields.at[at].type, f->type, widens);
        else
            vec_push(ctx->arena, &fields, *f);
    }
    return type_struct(fields.at, fields.len, ctx->arena);
}

bool merged_schema(CommandContext *ctx, const Metadata *m, const BoundColumnVec *columns, Metadata **out)
{
    VEC(Field) written = {0};
    bool widens = metadata_property_bool(m, "delta.enableTypeWidening", false);
    for (size_t c = 0; c < columns->len; c++)
        vec_push(ctx->arena, &written, written_field(ctx, &columns->at[c]));
    const Type *schema = merged_type(ctx, m->schema, type_struct(written.at, written.len, ctx->arena), widens);
    if (type_equal(schema, m->schema))
        return false;
    *out = metadata_copy(m, ctx->arena);
    metadata_set_schema(ctx, *out, widens ? schema_note_widening(m->schema, schema, ctx->arena) : schema);
    return true;
}

/* The table is partitioned as the writer says, or no longer. */
static Metadata *replaced_schema(CommandContext *ctx, const Metadata *m, const BoundRel *rows, const StrVec *partition_by)
{
    VEC(Field) fields = {0};
    for (size_t c = 0; c < rows->columns.len; c++)
        vec_push(ctx->arena, &fields, written_field(ctx, &rows->columns.at[c]));
    Metadata *out = metadata_copy(m, ctx->arena);
    metadata_set_schema(ctx, out, type_struct(fields.at, fields.len, ctx->arena));
    out->partition_columns = (DeltaStrVec){0};
    for (size_t i = 0; i < partition_by->len; i++)
        vec_push(ctx->arena, &out->partition_columns, partition_by->at[i]);
    return out;
}

static Str indented_tree(CommandContext *ctx, const Type *t)
{
    return str_printf(ctx->arena, "root\n" STR_FMT, STR_ARG(type_tree_string(t, 0, ctx->arena)));
}

static bool schema_mismatch(CommandContext *ctx, const Target *t, const BoundRel *rows, Error *err)
{
    VEC(Field) fields = {0};
    for (size_t c = 0; c < rows->columns.len; c++)
        vec_push(ctx->arena, &fields, written_field(ctx, &rows->columns.at[c]));
    const Type *written = type_struct(fields.at, fields.len, ctx->arena);
    Str id = t->snapshot ? snapshot_metadata(t->snapshot)->id : S("");
    err->verbatim = str_printf(
        err->arena,
        "[DELTA_METADATA_MISMATCH] A schema mismatch detected when writing to the Delta table (Table ID: " STR_FMT ").\n"
        "To enable schema migration using DataFrameWriter or DataStreamWriter, please set:\n'.option(\"mergeSchema\", \"true\")'.\n"
        "For other operations, set the session configuration\nspark.databricks.delta.schema.autoMerge.enabled to \"true\". See the "
        "documentation\nspecific to the operation for details.\n\nTable schema:\n" STR_FMT "\n\nData schema:\n" STR_FMT "\n",
        STR_ARG(id), STR_ARG(indented_tree(ctx, snapshot_schema(t->snapshot))), STR_ARG(indented_tree(ctx, written)));
    return error_set(err, ERR_DELTA_METADATA_MISMATCH);
}

/* ---- which files an overwrite replaces ---- */

static void remove_all(CommandContext *ctx, const Target *t, bool data_change, Transaction *x, ChangeCounts *counts)
{
    FileList files = {0};
    snapshot_files(t->snapshot, ctx->arena, &files);
    for (size_t i = 0; i < files.len; i++) {
        transaction_remove(x, files.at[i], data_change);
        counts->files_removed++;
        counts->bytes_removed += files.at[i]->size;
    }
    transaction_read_whole_table(x);
}

/* replaceWhere: matching rows go as a DELETE would take them, then the new rows come; those must match too. */
static bool remove_where(CommandContext *ctx, const Target *t, const Expr *predicate, Transaction *x, ChangeCounts *counts, Error *err)
{
    BoundRel *scan;
    TRY(target_scan(ctx, t, NULL, true, &scan, err));
    BoundExpr *condition;
    TRY(analyze_condition(ctx->analyzer, predicate, &scan->columns, &condition, err));
    note_read(ctx, scan, condition, x);
    BoundRel *rows = build_filter(ctx, scan, condition), *p = build_project(ctx, rows);
    size_t width = snapshot_schema(t->snapshot)->structure.count;
    bool has_old = keeps_change_feed(t);
    build_push(ctx, p, bound_column(&rows->columns.at[width], ctx->arena), S("_file"));
    build_push(ctx, p, bound_column(&rows->columns.at[width + 1], ctx->arena), S("_row"));
    build_push(ctx, p, build_int(ctx, CHANGE_ROW_DELETE), S("_change"));
    for (size_t i = 0; has_old && i < width; i++)
        build_push(ctx, p, bound_column(&rows->columns.at[i], ctx->arena), rows->columns.at[i].name);
    for (size_t i = 0; i < width; i++)
        build_push(ctx, p, bound_literal(value_null(rows->columns.at[i].type), ctx->arena), rows->columns.at[i].name);
    change_push_row_id(ctx, t, p, rows);
    ChangeSet set;
    TRY(change_set_store(ctx, t, p, has_old, &set, err));
    return change_set_apply(ctx, t, &set, x, counts, err);
}

/* *shown: the predicate, as history shows it. */
static bool check_replacement(CommandContext *ctx, const Expr *predicate, BoundRel **rows, Str *shown, Error *err)
{
    BoundExpr *condition, *sure[2], *holds, *broken, *raised;
    TRY(analyze_condition(ctx->analyzer, predicate, &(*rows)->columns, &condition, err));
    *shown = func_sql_text(condition, analyzer_func(ctx->analyzer)->zone, ctx->arena);
    sure[0] = condition;
    sure[1] = bound_literal(value_bool(false), ctx->arena);
    TRY(build_call(ctx, "coalesce", 2, sure, &holds, err));
    TRY(build_call(ctx, "not", 1, &holds, &broken, err));
    Error message = error_in(ctx->arena);
    error_set(&message, ERR_DELTA_REPLACE_WHERE_MISMATCH, P("replaceWhere", *shown),
              PZ("message", "a row does not match the predicate"));
    BoundExpr *text = bound_literal(value_string(error_message(&message, ctx->arena)), ctx->arena);
    TRY(build_call(ctx, "raise_class", 1, &text, &raised, err));
    BoundRel *p = build_project(ctx, *rows);
    for (size_t i = 0; i < (*rows)->columns.len; i++) {
        BoundExpr *e = bound_column(&(*rows)->columns.at[i], ctx->arena);
        if (i == 0) {
            BoundExpr *c = bound_new(BEXPR_CASE, e->type, e->nullable, ctx->arena);
            BoundExpr *typed = bound_cast(raised, e->type, CAST_LEGACY, true, ctx->arena);
            typed->cast.zone = analyzer_func(ctx->analyzer)->zone;
            vec_push(ctx->arena, &c->cases.conditions, broken);
            vec_push(ctx->arena, &c->cases.values, typed);
            c->cases.otherwise = e;
            e = c;
        }
        build_push(ctx, p, e, (*rows)->columns.at[i].name);
    }
    *rows = p;
    return true;
}

/* Dynamic partition overwrite: the partitions that got new rows lose their old ones. */
static void remove_partitions(CommandContext *ctx, const Target *t, const AddFileVec *added, bool data_change, Transaction *x, ChangeCounts *counts)
{
    FileList files = {0}, replaced = {0};
    snapshot_files(t->snapshot, ctx->arena, &files);
    for (size_t i = 0; i < files.len; i++)
        for (size_t k = 0; k < added->len; k++)
            if (partition_values_equal(&files.at[i]->partition_values, &added->at[k].partition_values)) {
                transaction_remove(x, files.at[i], data_change);
                vec_push(ctx->arena, &replaced, files.at[i]);
                counts->files_removed++;
                counts->bytes_removed += files.at[i]->size;
                break;
            }
    transaction_read_files(x, &replaced);
    for (size_t k = 0; k < added->len; k++)
        if (!k || !partition_values_equal(&added->at[k].partition_values, &added->at[k - 1].partition_values))
            transaction_read_partition(x, &added->at[k].partition_values);
}

/* ---- the write ---- */

/* What a write did, before it is committed. */
typedef struct Written {
    AddFileVec added;
    ChangeCounts counts;
    int64_t rows;
    Str predicate;      /* of replaceWhere, as history shows it */
} Written;

static void note_flag(CommandContext *ctx, CommitNote *note, const char *key, bool holds)
{
    if (holds)
        note_parameter(ctx, note, key, S("true"));
}

static void note_write(CommandContext *ctx, const Target *t, const TableWrite *w, const Metadata *m, Str predicate, CommitNote *note)
{
    static const char *const MODES[] = {[WRITE_APPEND] = "Append", [WRITE_OVERWRITE] = "Overwrite", [WRITE_REPLACE_WHERE] = "Overwrite",
                                        [WRITE_DYNAMIC_PARTITIONS] = "Overwrite"};
    bool is_write = str_is(w->operation, "WRITE");
    if (w->replaces_table && is_write && w->mode != WRITE_REPLACE_WHERE) {
        note->operation = S("CREATE OR REPLACE TABLE AS SELECT");
        note_table(ctx, m, &(StrVec){0}, t->resolved.entry.managed, note);
        note_flag(ctx, note, "isV1SaveAsTableOverwrite", true);
    } else if (is_write) {
        DeltaStrVec by = {0};
        for (size_t i = 0; i < w->partition_by.len; i++)
            vec_push(ctx->arena, &by, w->partition_by.at[i]);
        note_parameter_text(ctx, note, "mode", w->mode_name.len ? w->mode_name : str_from(MODES[w->mode]));
        note_parameter_text(ctx, note, "partitionBy", names_json(ctx, &by));
    }
    if (w->mode == WRITE_REPLACE_WHERE)
        note_parameter_text(ctx, note, "predicate", w->predicate.len ? w->predicate : predicate);
    note_flag(ctx, note, "isDynamicPartitionOverwrite", w->mode == WRITE_DYNAMIC_PARTITIONS);
    note_flag(ctx, note, "canOverwriteSchema", w->overwrite_schema);
    note_flag(ctx, note, "canMergeSchema", w->merge_schema);
    for (size_t i = 0; i < w->parameters.len; i++)
        vec_push(ctx->arena, &note->parameters, w->parameters.at[i]);
}

static void note_written(CommandContext *ctx, const TableWrite *w, const Written *done, CommitNote *note)
{
    const ChangeCounts *c = &done->counts;
    int64_t bytes = 0;
    for (size_t i = 0; i < done->added.len; i++)
        bytes += done->added.at[i].size;
    note_metric(ctx, note, "numFiles", (int64_t)done->added.len + c->files_added);
    note_metric(ctx, note, "numOutputRows", done->rows);
    note_metric(ctx, note, "numOutputBytes", bytes + c->bytes_added);
    if (w->mode == WRITE_APPEND)
        return;
    note_metric(ctx, note, "numRemovedFiles", c->files_removed);
    note_metric(ctx, note, "numRemovedBytes", c->bytes_removed);
    if (w->mode != WRITE_REPLACE_WHERE)
        return;
    note_metric(ctx, note, "numDeletedRows", c->deleted);
    note_metric(ctx, note, "numCopiedRows", c->copied);
    note_metric(ctx, note, "numAddedChangeFiles", c->change_files);
}

static const Metadata *wanted_metadata(CommandContext *ctx, Target *t, const TableWrite *w, Transaction *x)
{
    if (w->new_metadata) {
        transaction_set_metadata(x, w->new_metadata);
        if (w->new_protocol)
            transaction_set_protocol(x, w->new_protocol);
        if (w->domain)
            transaction_domain(x, w->domain);
        return w->new_metadata;
    }
    const Metadata *current = snapshot_metadata(t->snapshot);
    Metadata *changed = NULL;
    bool auto_merge = session_bool(ctx->session, "spark.databricks.delta.schema.autoMerge.enabled", false);
    if (w->overwrite_schema && w->mode == WRITE_OVERWRITE)
        changed = replaced_schema(ctx, current, w->rows, &w->partition_by);
    else if (w->align.by_name && (w->merge_schema || auto_merge))
        merged_schema(ctx, current, &w->rows->columns, &changed);
    if (!changed)
        return current;
    transaction_set_metadata(x, changed);
    return changed;
}

static bool gather_files(CommandContext *ctx, Target *t, const TableWrite *w, const Metadata *m, Transaction *x, Written *out, Error *err)
{
    BoundRel *aligned;
    AlignOptions align = w->align;
    Metadata *advanced;
    align.given = ARENA_ARRAY(ctx->arena, bool, m->schema->structure.count + 1);
    if (!align_rows(ctx, m, t->name, w->rows, &align, &aligned, err)) {
        if (err->cls != ERR_DELTA_METADATA_MISMATCH)
            return false;
        error_clear(err);
        return schema_mismatch(ctx, t, w->rows, err);
    }
    if (w->mode == WRITE_REPLACE_WHERE)
        TRY(check_replacement(ctx, w->replace_where, &aligned, &out->predicate, err));
    TRY(write_files_asked(ctx, t->table, m, aligned, !w->rearranges, &w->files, &out->added, &out->rows, err));
    TRY(identity_advance(ctx, m, align.given, out->rows, &advanced, err));
    if (advanced)
        transaction_set_metadata(x, advanced);
    if (w->mode == WRITE_OVERWRITE && t->snapshot)
        remove_all(ctx, t, !w->rearranges, x, &out->counts);
    if (w->mode == WRITE_REPLACE_WHERE)
        TRY(remove_where(ctx, t, w->replace_where, x, &out->counts, err));
    if (w->mode == WRITE_DYNAMIC_PARTITIONS)
        remove_partitions(ctx, t, &out->added, !w->rearranges, x, &out->counts);
    return true;
}

void write_as_stream(CommandContext *ctx, const Command *c, TableWrite *w)
{
    const StreamCommit *s = c->stream;
    if (!s)
        return;
    w->txn = (TxnMark){.is_set = true, .app_id = s->query_id, .version = s->batch};
    w->operation = S("STREAMING UPDATE");
    Str values[] = {s->output_mode, s->query_id, str_printf(ctx->arena, "%lld", (long long)s->batch), S("false")};
    static const char *const KEYS[] = {"outputMode", "queryId", "epochId", "statsOnLoad"};
    w->parameters = (PropertyVec){0};
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++) {
        Buf json = buf_in(ctx->arena);
        json_put_str(&json, values[i]);
        Property p = {.key = str_from(KEYS[i]), .value = buf_str(&json)};
        vec_push(ctx->arena, &w->parameters, p);
    }
}

/* As Delta's: nothing to say is no commit. */
static bool is_empty_append(const Target *t, const TableWrite *w, const Metadata *m, const Written *done)
{
    return w->mode == WRITE_APPEND && t->snapshot && m == snapshot_metadata(t->snapshot) && !done->added.len && !w->txn.is_set;
}

/* dataChange = false: the same rows in other files, so the table stays what it is. */
static bool check_rearranged(const Target *t, const TableWrite *w, const Metadata *m, Error *err)
{
    if (!w->rearranges)
        return true;
    if (!t->snapshot)
        return error_set(err, ERR_DELTA_DATA_CHANGE_FALSE, PZ("op", "Create a Delta table"));
    if (m != snapshot_metadata(t->snapshot))
        return error_set(err, ERR_DELTA_DATA_CHANGE_FALSE,
                         PZ("op", w->overwrite_schema ? "Overwrite the Delta table schema or change the partition schema"
                                                      : "Change the Delta table schema"));
    return w->mode != WRITE_REPLACE_WHERE || error_unsupported(err, "dataChange = false with replaceWhere");
}

static bool write_once(CommandContext *ctx, Target *t, const TableWrite *w, int64_t *row_count, Error *err)
{
    CommitNote note = {.operation = w->operation, .started_us = clock_monotonic_us(), .txn = w->txn};
    if (t->snapshot) {
        TRY(check_change(t, w->mode != WRITE_APPEND, err));
        if (txn_mark_is_done(ctx, &w->txn, t->snapshot))
            return true;
    }
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    if (t->snapshot)
        note_query(ctx, t, w->rows, x);
    const Metadata *m = wanted_metadata(ctx, t, w, x);
    Written done = {0};
    bool ok = check_rearranged(t, w, m, err) && gather_files(ctx, t, w, m, x, &done, err);
    for (size_t i = 0; ok && i < done.added.len; i++)
        transaction_add(x, &done.added.at[i]);
    if (ok && !is_empty_append(t, w, m, &done)) {
        note_write(ctx, t, w, m, done.predicate, &note);
        note_written(ctx, w, &done, &note);
        note.blind_append = w->mode == WRITE_APPEND;
        note.user_metadata = w->user_metadata;
        ok = note_commit(ctx, x, &note, NULL, err);
    }
    transaction_end(x);
    if (!ok) {
        change_discard(t, &done.counts, err);
        if (!commit_may_stand(err))
            discard_files(t->table, &done.added);
    }
    if (row_count)
        *row_count = done.rows;
    return ok;
}

enum { MAX_IDENTITY_WRITES = 100 };

/* Two writers that give numbers change the same metadata: the one that comes second takes others. */
bool write_to_table(CommandContext *ctx, Target *t, const TableWrite *given, int64_t *row_count, Error *err)
{
    TableWrite marked = *given, *w = &marked;
    TRY(txn_mark_of_session(ctx, &w->txn, err));
    for (int tries = 1;; tries++) {
        if (write_once(ctx, t, w, row_count, err))
            return true;
        if (err->cls != ERR_DELTA_METADATA_CHANGED || w->mode != WRITE_APPEND || w->new_metadata || tries == MAX_IDENTITY_WRITES ||
            !t->snapshot || !has_identity(snapshot_schema(t->snapshot)))
            return false;
        const Type *before = snapshot_schema(t->snapshot);
        Error again = error_in(ctx->arena);
        if (!target_refresh(ctx, t, &again) || !type_same_shape(before, snapshot_schema(t->snapshot)))
            return false;
        error_clear(err);
    }
}

/* ---- INSERT ---- */

/* PARTITION (a = 1, b): the given constants stand in for columns the query does not have. */
static bool with_partition_values(CommandContext *ctx, const Command *c, const Metadata *m, BoundRel **rows, StrVec *columns, Error *err)
{
    if (!c->insert.partition.len)
        return true;
    BoundRel *p = build_project(ctx, *rows);
    StrVec names = {0};
    size_t next = 0;
    for (size_t i = 0; i < m->schema->structure.count; i++) {
        const Field *f = &m->schema->structure.fields[i];
        const Expr *fixed = NULL;
        for (size_t k = 0; k < c->insert.partition.len; k++)
            if (c->insert.partition.at[k].value && same_name(ctx, vec_last(&c->insert.partition.at[k].target), f->name))
                fixed = c->insert.partition.at[k].value;
        if (fixed) {
            Value v;
            TRY(analyze_constant(ctx->analyzer, fixed, NULL, &v, err));
            build_push(ctx, p, bound_literal(v, ctx->arena), f->name);
        } else if (next < (*rows)->columns.len) {
            build_push(ctx, p, bound_column(&(*rows)->columns.at[next], ctx->arena), f->name);
            next++;
        } else
            continue;
        vec_push(ctx->arena, &names, f->name);
    }
    if (next < (*rows)->columns.len)
        return error_set(err, ERR_INSERT_PARTITION_COLUMN_ARITY_MISMATCH, PZ("staticPartCols", ""), PZ("tableColumns", ""), PZ("dataColumns", ""), PZ("tableName", ""));
    *rows = p;
    *columns = names;
    return true;
}

static bool overwrites_dynamically(CommandContext *ctx, const Metadata *m)
{
    bool found;
    Str mode;
    session_get(ctx->session, S("spark.sql.sources.partitionOverwriteMode"), ctx->arena, &found, &mode);
    return found && str_is_ci(mode, "dynamic") && m->partition_columns.len;
}

/* OVERWRITE .. PARTITION (a = 1, b) replaces what has a = 1, new rows or none; NULL when no value is given. */
static const Expr *fixed_partition(CommandContext *ctx, const Command *c)
{
    Expr *all = NULL;
    for (size_t i = 0; i < c->insert.partition.len; i++) {
        const Assignment *a = &c->insert.partition.at[i];
        if (!a->value)
            continue;
        Expr *sides[2] = {expr_column(ctx->arena, vec_last(&a->target)), (Expr *)a->value};
        Expr *both[2] = {all, expr_call(ctx->arena, "<=>", 2, sides)};
        all = all ? expr_call(ctx->arena, "and", 2, both) : both[1];
    }
    return all;
}

/* DEFAULT as a whole cell of VALUES stands for the column's default. */
static bool resolve_defaults(CommandContext *ctx, const Command *c, const Metadata *m, Error *err)
{
    Rel *rel = c->query;
    if (!rel || rel->kind != REL_VALUES)
        return true;
    for (size_t r = 0; r < rel->values.rows.len; r++)
        for (size_t i = 0; i < rel->values.rows.at[r].len; i++) {
            Expr **cell = &rel->values.rows.at[r].at[i];
            if ((*cell)->kind != EXPR_DEFAULT)
                continue;
            int at = (int)i;
            if (c->insert.columns.len)
                at = i < c->insert.columns.len ? type_field_index(m->schema, c->insert.columns.at[i], false) : -1;
            if (at < 0 || (size_t)at >= m->schema->structure.count)
                return error_set(err, ERR_DEFAULT_PLACEMENT_INVALID);
            Str sql = delta_default_expression(&m->schema->structure.fields[at], ctx->arena);
            SqlOptions options = session_sql_options(ctx->session, ctx->arena);
            if (sql.len)
                TRY(sql_parse_expr(sql, &options, ctx->arena, cell, err));
            else
                *cell = expr_literal(value_null(type_simple(TYPE_NULL)), ctx->arena);
        }
    return true;
}

static bool check_partition_columns(CommandContext *ctx, const Command *c, const TableEntry *e, Error *err)
{
    for (size_t i = 0; i < c->insert.partition.len; i++) {
        bool known = false;
        for (size_t k = 0; k < e->partition_columns.len; k++)
            known |= same_name(ctx, e->partition_columns.at[k], vec_last(&c->insert.partition.at[i].target));
        if (!known)
            return error_set(err, ERR_NON_PARTITION_COLUMN, P("columnName", name_quoted(&c->insert.partition.at[i].target, ctx->arena)));
    }
    return true;
}

/* Tables of plain files: rows are added as one more file, or replace what is there. */
static bool insert_files(CommandContext *ctx, const Command *c, const ResolvedTable *table, Error *err)
{
    Metadata m = {0};
    BoundRel *rows, *aligned;
    if (c->insert.mode != INSERT_APPEND && c->insert.mode != INSERT_OVERWRITE)
        return error_unsupported(err, "INSERT ... REPLACE into a " STR_FMT " table", STR_ARG(table->entry.provider));
    if (!table->entry.schema_json.len)
        return error_unsupported(err, "this INSERT into a " STR_FMT " table", STR_ARG(table->entry.provider));
    TRY(type_from_json(table->entry.schema_json, ctx->arena, &m.schema, err));
    FileWrite w = {.overwrite = c->insert.mode == INSERT_OVERWRITE};
    StrVec columns = c->insert.columns;
    AlignOptions options = {.by_name = c->insert.by_name, .columns = &columns, .plain_files = true};
    TRY(check_partition_columns(ctx, c, &table->entry, err));
    TRY(partition_spec(ctx, &table->entry, &c->insert.partition, &w.fixed, err));
    if (c->existence == IF_NOT_EXISTS) {
        bool found;
        PartitionEntry p;
        TRY(partition_find(ctx, &table->entry, &w.fixed, &found, &p, err));
        if (found)
            return true;
    }
    bool found;
    Str mode;
    session_get(ctx->session, S("spark.sql.sources.partitionOverwriteMode"), ctx->arena, &found, &mode);
    w.dynamic = w.overwrite && found && str_is_ci(mode, "dynamic") && table->entry.partition_columns.len > w.fixed.len;
    TRY(resolve_defaults(ctx, c, &m, err));
    TRY(analyze_query(ctx->analyzer, c->query, &rows, err));
    TRY(with_partition_values(ctx, c, &m, &rows, &columns, err));
    TRY(align_rows(ctx, &m, table->full_name, rows, &options, &aligned, err));
    return write_file_table(ctx, &table->entry, m.schema, aligned, &w, err);
}

static bool inserts_files(const ResolvedTable *t)
{
    return t->kind == RESOLVED_TABLE && !is_delta(t);
}

bool run_insert(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Target t;
    ResolvedTable resolved;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_table_name(ctx->analyzer, &name, c->origin, &resolved, err));
    if (inserts_files(&resolved))
        return insert_files(ctx, c, &resolved, err);
    if (c->existence == IF_NOT_EXISTS)
        return error_unsupported(err, "INSERT OVERWRITE .. IF NOT EXISTS");
    TRY(target_open(ctx, &name, c->origin, &t, err));
    const Metadata *m = snapshot_metadata(t.snapshot);
    TRY(resolve_defaults(ctx, c, m, err));
    TableWrite w = {.operation = S("WRITE"), .align = {.by_name = c->insert.by_name}, .files = {.max_records = -1}};
    StrVec columns = c->insert.columns;
    TRY(analyze_query(ctx->analyzer, c->query, &w.rows, err));
    TRY(with_partition_values(ctx, c, m, &w.rows, &columns, err));
    w.align.columns = &columns;
    w.merge_schema = c->insert.schema_evolution;
    switch (c->insert.mode) {
    case INSERT_APPEND:
        w.mode = WRITE_APPEND;
        break;
    case INSERT_OVERWRITE:
        w.mode = WRITE_OVERWRITE;
        w.replace_where = fixed_partition(ctx, c);
        if (overwrites_dynamically(ctx, m))
            w.mode = WRITE_DYNAMIC_PARTITIONS;
        else if (w.replace_where)
            w.mode = WRITE_REPLACE_WHERE;
        break;
    case INSERT_REPLACE_WHERE:
        w.mode = WRITE_REPLACE_WHERE;
        w.replace_where = c->insert.replace_where;
        break;
    case INSERT_REPLACE_USING:
        return error_unsupported(err, "INSERT INTO ... REPLACE USING");
    }
    return write_to_table(ctx, &t, &w, NULL, err);
}
