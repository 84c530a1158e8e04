/* ALTER TABLE on columns: adding, describing, moving; what would rewrite files or hide their columns is refused as Delta does. */
#include "command/alter_impl.h"

#include "base/json.h"

/* ---- reaching into a schema ---- */

typedef bool (*FieldsEdit)(CommandContext *ctx, FieldVec *fields, Str name, void *arg, Error *err);

typedef struct FieldPath {
    const Name *name;           /* the last part is what the edit is about */
    const Type *schema;         /* of the whole table, for messages */
    FieldsEdit edit;
    void *arg;
    bool in_collections;        /* the last part may be an array's element, a map's key or value */
} FieldPath;

bool column_unknown(CommandContext *ctx, const Type *schema, const Name *name, Error *err)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < schema->structure.count; i++)
        buf_addf(&b, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(schema->structure.fields[i].name));
    return error_set(err, ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION, P("objectName", name_quoted(name, ctx->arena)), P("proposal", buf_str(&b)));
}

static Name prefix(CommandContext *ctx, const Name *name, size_t len)
{
    return name_of(ctx->arena, len, name->at);
}

static bool edit_type(CommandContext *ctx, const FieldPath *p, const Type *t, size_t depth, const Type **out, Error *err);

static bool edit_struct(CommandContext *ctx, const FieldPath *p, const Type *t, size_t depth, const Type **out, Error *err)
{
    FieldVec fields = {0};
    Str part = p->name->at[depth];
    for (size_t i = 0; i < t->structure.count; i++)
        vec_push(ctx->arena, &fields, t->structure.fields[i]);
    if (depth + 1 == p->name->len)
        TRY(p->edit(ctx, &fields, part, p->arg, err));
    else {
        int at = type_field_index(t, part, false);
        Name seen = prefix(ctx, p->name, depth + 1);
        if (at < 0)
            return column_unknown(ctx, p->schema, &seen, err);
        TRY(edit_type(ctx, p, fields.at[at].type, depth + 1, &fields.at[at].type, err));
    }
    *out = type_struct(fields.at, fields.len, ctx->arena);
    return true;
}

/* The element, key or value itself, as a field of that name. */
static bool edit_part(CommandContext *ctx, const FieldPath *p, const Type *t, bool nullable, size_t depth, const Type **out, Error *err)
{
    if (depth + 1 < p->name->len)
        return edit_type(ctx, p, t, depth + 1, out, err);
    FieldVec only = {0};
    Field part = {p->name->at[depth], t, nullable, {0}};
    vec_push(ctx->arena, &only, part);
    TRY(p->edit(ctx, &only, part.name, p->arg, err));
    *out = only.at[0].type;
    return true;
}

/* Inside collections the way goes on as "element", "key" and "value". */
static bool edit_type(CommandContext *ctx, const FieldPath *p, const Type *t, size_t depth, const Type **out, Error *err)
{
    Str part = p->name->at[depth];
    const Type *inner;
    bool last = depth + 1 == p->name->len && !p->in_collections;
    if (t->kind == TYPE_STRUCT)
        return edit_struct(ctx, p, t, depth, out, err);
    if (!last && t->kind == TYPE_ARRAY && str_is_ci(part, "element")) {
        TRY(edit_part(ctx, p, t->array.element, t->array.nulls, depth, &inner, err));
        *out = type_array(inner, t->array.nulls, ctx->arena);
        return true;
    }
    if (!last && t->kind == TYPE_MAP && (str_is_ci(part, "key") || str_is_ci(part, "value"))) {
        bool key = str_is_ci(part, "key");
        TRY(edit_part(ctx, p, key ? t->map.key : t->map.value, !key && t->map.nulls, depth, &inner, err));
        *out = type_map(key ? inner : t->map.key, key ? t->map.value : inner, t->map.nulls, ctx->arena);
        return true;
    }
    Name seen = prefix(ctx, p->name, depth);
    return error_set(err, ERR_INVALID_FIELD_NAME, P("fieldName", name_quoted(p->name, ctx->arena)), P("path", name_quoted(&seen, ctx->arena)));
}

static bool edit_schema(CommandContext *ctx, Metadata *m, const Name *name, FieldsEdit edit, void *arg, Error *err)
{
    FieldPath p = {name, m->schema, edit, arg, false};
    const Type *schema;
    TRY(edit_type(ctx, &p, m->schema, 0, &schema, err));
    metadata_set_schema(ctx, m, schema);
    return true;
}

static int find_in(const FieldVec *fields, Str name)
{
    for (size_t i = 0; i < fields->len; i++)
        if (str_ieq(fields->at[i].name, name))
            return (int)i;
    return -1;
}

/* ---- the history's view of a column ---- */

static void put_column(CommandContext *ctx, Buf *b, const Name *path, const Field *f)
{
    static const char *const NESTED[] = {[TYPE_ARRAY] = "\"array\"", [TYPE_MAP] = "\"map\"", [TYPE_STRUCT] = "\"struct\""};
    buf_addz(b, "{\"name\":");
    json_put_str(b, name_text(path, ctx->arena));
    buf_addz(b, ",\"type\":");
    if (type_is_nested(f->type))
        buf_addz(b, NESTED[f->type->kind]);
    else
        buf_add(b, type_json(f->type, ctx->arena));
    buf_addf(b, ",\"nullable\":%s,\"metadata\":" STR_FMT "}", f->nullable ? "true" : "false",
             STR_ARG(f->metadata.len ? f->metadata : S("{}")));
}

Str column_json(CommandContext *ctx, const Name *path, const Field *f)
{
    Buf b = buf_in(ctx->arena);
    put_column(ctx, &b, path, f);
    return buf_str(&b);
}

static void put_position(CommandContext *ctx, Buf *b, const ColumnDef *d)
{
    if (d->first)
        json_put_str(b, S("FIRST"));
    else
        json_put_str(b, str_concat(ctx->arena, S("AFTER "), d->after));
}

/* ---- ADD COLUMNS ---- */

typedef struct Addition {
    const ColumnDef *def;
    const Type *schema;
    Field added;
} Addition;

static bool field_exists(CommandContext *ctx, const char *op, const Name *name, const Type *schema, Error *err)
{
    return error_set(err, ERR_FIELD_ALREADY_EXISTS, PZ("op", op), P("fieldNames", name_quoted(name, ctx->arena)),
                     P("struct", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(schema, ctx->arena)))));
}

static bool insert_field(CommandContext *ctx, FieldVec *fields, size_t at, Field f)
{
    vec_push(ctx->arena, fields, f);
    for (size_t i = fields->len - 1; i > at; i--)
        fields->at[i] = fields->at[i - 1];
    fields->at[at] = f;
    return true;
}

static bool position_missing(CommandContext *ctx, const FieldVec *fields, Str name, Error *err)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < fields->len; i++)
        buf_addf(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(fields->at[i].name));
    return error_set(err, ERR_FIELD_NOT_FOUND, P("fieldName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(name))), P("fields", buf_str(&b)));
}

static bool add_field(CommandContext *ctx, FieldVec *fields, Str name, void *arg, Error *err)
{
    Addition *a = arg;
    const ColumnDef *d = a->def;
    if (find_in(fields, name) >= 0)
        return field_exists(ctx, "add", &d->name, a->schema, err);
    a->added = (Field){name, type_char_as_string(d->type, ctx->arena), true, {0}};
    if (d->has_comment)
        a->added.metadata = field_metadata_with_text(a->added.metadata, "comment", d->comment, ctx->arena);
    if (d->type->kind == TYPE_CHAR || d->type->kind == TYPE_VARCHAR)
        a->added.metadata = field_metadata_with_text(a->added.metadata, "__CHAR_VARCHAR_TYPE_STRING", type_simple_string(d->type, ctx->arena), ctx->arena);
    if (d->first)
        return insert_field(ctx, fields, 0, a->added);
    if (!d->after.len)
        return insert_field(ctx, fields, fields->len, a->added);
    int at = find_in(fields, d->after);
    return at >= 0 ? insert_field(ctx, fields, (size_t)at + 1, a->added) : position_missing(ctx, fields, name, err);
}

static bool check_addition(const ColumnDef *d, Error *err)
{
    Str name = vec_last(&d->name);
    if (d->not_null)
        return error_set(err, ERR_DELTA_OPERATION_NOT_ALLOWED, PZ("operation", "NOT NULL in ALTER TABLE ADD COLUMNS"));
    if (d->default_sql.len)
        return error_set(err, ERR_WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED);
    if (d->generated_sql.len || d->is_identity)
        return error_unsupported(err, "adding a generated column (" STR_FMT ")", STR_ARG(name));
    return true;
}

bool check_column_names(const Metadata *m, Error *err)
{
    Str bad = metadata_column_mapping(m) == MAPPING_NONE ? schema_unmappable_names(m->schema, err->arena) : S("");
    return !bad.len || error_set(err, ERR_DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES, P("invalidColumnNames", bad));
}

bool check_column_duplicates(CommandContext *ctx, const ColumnDefVec *columns, Error *err)
{
    for (size_t i = 0; i < columns->len; i++)
        for (size_t k = 0; k < i; k++) {
            Str name = name_quoted(&columns->at[i].name, ctx->arena);
            if (str_ieq(name, name_quoted(&columns->at[k].name, ctx->arena)))
                return error_set(err, ERR_COLUMN_ALREADY_EXISTS, P("columnName", str_lower(name, ctx->arena)));
        }
    return true;
}

bool alter_add_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    Buf shown = buf_in(ctx->arena);
    TRY(check_column_duplicates(ctx, &c->alter.columns, err));
    buf_addc(&shown, '[');
    for (size_t i = 0; i < c->alter.columns.len; i++) {
        const ColumnDef *d = &c->alter.columns.at[i];
        Addition a = {.def = d, .schema = m->schema};
        TRY(check_addition(d, err));
        TRY(edit_schema(ctx, m, &d->name, add_field, &a, err));
        buf_addz(&shown, i ? ",{\"column\":" : "{\"column\":");
        put_column(ctx, &shown, &d->name, &a.added);
        if (d->first || d->after.len) {
            buf_addz(&shown, ",\"position\":");
            put_position(ctx, &shown, d);
        }
        buf_addc(&shown, '}');
    }
    buf_addc(&shown, ']');
    TRY(check_column_names(m, err));
    CommitNote note = {.operation = S("ADD COLUMNS"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "columns", buf_str(&shown));
    return alter_commit(ctx, t, m, NULL, &note, false, err);
}

/* ---- RENAME and DROP: only where columns are mapped ---- */

static const char MAPPING_ADVICE[] =
    "\nPlease enable Column Mapping on your Delta table with mapping mode 'name'.\nYou can use one of the following commands.\n\n"
    "ALTER TABLE table_name SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')\n\n"
    "Note, if your table is not on the required protocol version it will be upgraded.\nColumn mapping requires at least protocol (2, 5)\n";

static bool look_up(CommandContext *ctx, FieldVec *fields, Str name, void *arg, Error *err)
{
    (void)ctx;
    (void)err;
    *(bool *)arg = find_in(fields, name) >= 0;
    return true;
}

static bool column_exists(CommandContext *ctx, const Target *t, const Name *name, bool *found, Error *err)
{
    FieldPath p = {name, snapshot_schema(t->snapshot), look_up, found};
    const Type *ignored;
    return edit_type(ctx, &p, p.schema, 0, &ignored, err);
}

typedef struct Reference {
    const Type *schema;
    const Name *column;
    bool found;
} Reference;

/* Whether an expression names the column, a field inside it, or what holds it as a whole. */
static bool note_reference(BoundExpr **e, void *arg)
{
    Reference *r = arg;
    const BoundExpr *at = *e;
    Str path[32];
    size_t depth = 0;
    while (at->kind == BEXPR_FIELD && depth + 1 < LENGTH_OF(path) && at->field.child->type->kind == TYPE_STRUCT) {
        path[depth++] = at->field.child->type->structure.fields[at->field.index].name;
        at = at->field.child;
    }
    if (at->kind != BEXPR_COLUMN)
        return bound_each_child(*e, note_reference, r);
    path[depth++] = at->column.name;
    bool same = true;
    for (size_t i = 0; i < depth && i < r->column->len; i++)
        same &= str_ieq(path[depth - 1 - i], r->column->at[i]);
    r->found |= same;
    return true;
}

static bool refers_to(CommandContext *ctx, const Metadata *m, Str sql, const Name *column, bool *found, Error *err)
{
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    BoundColumnVec columns = {0};
    BoundExpr *bound;
    Expr *e;
    for (size_t i = 0; i < m->schema->structure.count; i++) {
        const Field *f = &m->schema->structure.fields[i];
        BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = f->name, .type = f->type, .nullable = true};
        vec_push(ctx->arena, &columns, c);
    }
    Reference r = {.schema = m->schema, .column = column};
    TRY(sql_parse_expr(sql, &options, ctx->arena, &e, err));
    TRY(analyze_expr(ctx->analyzer, e, &columns, &bound, err));
    note_reference(&bound, &r);
    *found = r.found;
    return true;
}

/* "a b.c": as Delta's history shows a path. */
static Str dotted(CommandContext *ctx, const Name *name)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < name->len; i++)
        buf_addf(&b, "%s" STR_FMT, i ? "." : "", STR_ARG(name->at[i]));
    return buf_str(&b);
}

/* CHECK constraints and generated columns are kept as text, which would name the column in vain. */
static bool check_dependents(CommandContext *ctx, const Metadata *m, const Name *column, Error *err)
{
    DeltaConstraintVec constraints;
    Buf checks = buf_in(ctx->arena), generated = buf_in(ctx->arena);
    bool found;
    TRY(metadata_constraints(m, ctx->arena, &constraints, err));
    for (size_t i = 0; i < constraints.len; i++) {
        const DeltaConstraint *c = &constraints.at[i];
        TRY(refers_to(ctx, m, c->expression, column, &found, err));
        if (found && !c->invariant)
            buf_addf(&checks, "%sdelta.constraints." STR_FMT " -> " STR_FMT, checks.len ? "\n" : "", STR_ARG(c->name), STR_ARG(c->expression));
    }
    if (checks.len)
        return error_set(err, ERR_DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE, P("columnName", dotted(ctx, column)), P("constraints", buf_str(&checks)));
    for (size_t i = 0; i < m->schema->structure.count; i++) {
        const Field *f = &m->schema->structure.fields[i];
        Str sql = delta_generation_expression(f, ctx->arena);
        if (!sql.len)
            continue;
        TRY(refers_to(ctx, m, sql, column, &found, err));
        if (found)
            buf_addf(&generated, "%s" STR_FMT " -> " STR_FMT, generated.len ? "\n" : "", STR_ARG(f->name), STR_ARG(sql));
    }
    return !generated.len || error_set(err, ERR_DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE, P("columnName", dotted(ctx, column)),
                                       P("generatedColumns", buf_str(&generated)));
}

static bool rename_field(CommandContext *ctx, FieldVec *fields, Str name, void *arg, Error *err)
{
    (void)ctx;
    (void)err;
    int at = find_in(fields, name);
    fields->at[at].name = *(const Str *)arg;
    return true;
}

bool alter_rename_column(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    bool found;
    Str new_name = c->alter.new_name;
    const Name *from = &c->alter.old_name;
    Name to = name_of(ctx->arena, from->len, from->at);
    to.at[to.len - 1] = new_name;
    TRY(column_exists(ctx, t, from, &found, err));
    if (!found)
        return column_unknown(ctx, snapshot_schema(t->snapshot), from, err);
    TRY(column_exists(ctx, t, &to, &found, err));
    if (found && !str_ieq(new_name, vec_last(from)))
        return field_exists(ctx, "rename", &to, snapshot_schema(t->snapshot), err);
    if (snapshot_column_mapping(t->snapshot) == MAPPING_NONE)
        return error_set(err, ERR_DELTA_UNSUPPORTED_RENAME_COLUMN, PZ("advice", MAPPING_ADVICE));
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    TRY(check_dependents(ctx, m, from, err));
    TRY(edit_schema(ctx, m, from, rename_field, &new_name, err));
    for (size_t i = 0; i < m->partition_columns.len && from->len == 1; i++)
        if (str_ieq(m->partition_columns.at[i], from->at[0]))
            m->partition_columns.at[i] = new_name;
    TRY(stats_columns_follow(ctx, m, from, &to, err));
    CommitNote note = {.operation = S("RENAME COLUMN"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "oldColumnPath", dotted(ctx, from));
    note_parameter_text(ctx, &note, "newColumnPath", dotted(ctx, &to));
    return alter_commit(ctx, t, m, NULL, &note, false, err);
}

static bool drop_field(CommandContext *ctx, FieldVec *fields, Str name, void *arg, Error *err)
{
    (void)arg;
    int at = find_in(fields, name);
    if (fields->len == 1)
        return error_set(err, ERR_DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA,
                         P("schema", str_concat(ctx->arena, S("root\n"), type_tree_string(type_struct(fields->at, 1, ctx->arena), 0, ctx->arena))));
    for (size_t i = (size_t)at; i + 1 < fields->len; i++)
        fields->at[i] = fields->at[i + 1];
    fields->len--;
    return true;
}

static bool drop_column(CommandContext *ctx, const Target *t, Metadata *m, const Name *name, Error *err)
{
    if (snapshot_column_mapping(t->snapshot) == MAPPING_NONE)
        return error_set(err, ERR_DELTA_UNSUPPORTED_DROP_COLUMN, PZ("advice", MAPPING_ADVICE));
    if (name->len == 1 && metadata_partition_index(m, name->at[0]) >= 0)
        return error_set(err, ERR_DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN, P("columnList", name->at[0]));
    TRY(check_unclustered(ctx, t, name, err));
    TRY(check_dependents(ctx, m, name, err));
    TRY(stats_columns_follow(ctx, m, name, NULL, err));
    return edit_schema(ctx, m, name, drop_field, NULL, err);
}

bool alter_drop_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    Buf shown = buf_in(ctx->arena);
    for (size_t i = 0; i < c->alter.names.len; i++) {
        Name name;
        bool found;
        TRY(name_parse(c->alter.names.at[i], ctx->arena, &name, err));
        TRY(column_exists(ctx, t, &name, &found, err));
        if (!found && !c->alter.if_exists)
            return column_unknown(ctx, snapshot_schema(t->snapshot), &name, err);
        if (!found)
            continue;
        TRY(drop_column(ctx, t, m, &name, err));
        buf_addz(&shown, shown.len ? "," : "[");
        json_put_str(&shown, dotted(ctx, &name));
    }
    if (!shown.len)
        return true;
    buf_addc(&shown, ']');
    CommitNote note = {.operation = S("DROP COLUMNS"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "columns", buf_str(&shown));
    return alter_commit(ctx, t, m, NULL, &note, false, err);
}

/* ---- ALTER COLUMN ---- */

typedef struct ColumnChange {
    const Command *command;
    const ColumnDef *def;
    const Target *table;
    const Type *schema;
    bool asks_not_null;         /* a nullable column becomes NOT NULL: rows must be looked at */
    bool widens;
    Field changed;
} ColumnChange;

static bool is_string_like(const Type *t)
{
    return t->kind == TYPE_STRING || t->kind == TYPE_CHAR || t->kind == TYPE_VARCHAR;
}

static Str upper_type(CommandContext *ctx, const Type *t)
{
    return type_sql(t, ctx->arena);
}

/* Casts that lose nothing are Delta's to refuse; any others Spark refuses before (Cast.canUpCast). */
static bool refuse_type(CommandContext *ctx, const ColumnChange *x, const Field *f, Error *err)
{
    const Type *to = x->def->type;
    bool up = cast_is_upcast(f->type, to);
    Str quoted = name_quoted(&x->def->name, ctx->arena);
    if (!up || to->kind == TYPE_CHAR || to->kind == TYPE_VARCHAR)
        return error_set(err, ERR_NOT_SUPPORTED_CHANGE_COLUMN, P("table", name_quoted(&x->table->qualifier, ctx->arena)), P("originName", quoted),
                         P("originType", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(upper_type(ctx, f->type)))), P("newName", quoted),
                         P("newType", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(upper_type(ctx, to)))));
    return error_set(err, ERR_DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP, P("fieldPath", name_text(&x->def->name, ctx->arena)),
                     P("oldField", upper_type(ctx, f->type)), P("newField", upper_type(ctx, to)));
}

/* CHAR and VARCHAR may become a VARCHAR that takes as much, and STRING. */
static bool change_length(CommandContext *ctx, const ColumnChange *x, Field *f, Error *err)
{
    static const char KEY[] = "__CHAR_VARCHAR_TYPE_STRING";
    const Type *to = x->def->type, *from;
    TRY(field_declared_type(f, ctx->arena, &from, err));
    bool same = type_same_shape(from, to);
    if (!same && to->kind != TYPE_STRING && !(to->kind == TYPE_VARCHAR && to->text.length >= from->text.length)) {
        Field declared = *f;
        declared.type = from;
        return refuse_type(ctx, x, &declared, err);
    }
    f->metadata = to->kind == TYPE_STRING ? field_metadata_with(f->metadata, KEY, (Str){0}, ctx->arena)
                                          : field_metadata_with_text(f->metadata, KEY, type_simple_string(to, ctx->arena), ctx->arena);
    return true;
}

static bool refuse_nested(CommandContext *ctx, const ColumnChange *x, const Field *f, Error *err)
{
    ErrorClass cls = f->type->kind == TYPE_STRUCT  ? ERR_CANNOT_UPDATE_FIELD__STRUCT_TYPE
                     : f->type->kind == TYPE_ARRAY ? ERR_CANNOT_UPDATE_FIELD__ARRAY_TYPE
                     : f->type->kind == TYPE_MAP   ? ERR_CANNOT_UPDATE_FIELD__MAP_TYPE
                                                   : ERR_NOT_SUPPORTED_CHANGE_COLUMN;
    if (cls == ERR_NOT_SUPPORTED_CHANGE_COLUMN)
        return refuse_type(ctx, x, f, err);
    return error_set(err, cls, P("table", name_quoted(&x->table->qualifier, ctx->arena)), P("fieldName", name_quoted(&x->def->name, ctx->arena)));
}

static bool change_type(CommandContext *ctx, ColumnChange *x, Field *f, Error *err)
{
    const Type *to = x->def->type;
    Str declared = field_metadata_get(f, "__CHAR_VARCHAR_TYPE_STRING", ctx->arena);
    if (!to || (type_same_shape(to, f->type) && !declared.len))
        return true;
    if (is_string_like(to) && declared.len)
        return change_length(ctx, x, f, err);
    if (type_is_nested(to) || type_is_nested(f->type))
        return refuse_nested(ctx, x, f, err);
    if (snapshot_property_bool(x->table->snapshot, "delta.enableTypeWidening", false) && !declared.len && type_is_widening(f->type, to)) {
        x->widens = true;
        f->type = to;
        return true;
    }
    return refuse_type(ctx, x, f, err);
}

/* A default that names a column, or is of another type, in Spark's words. */
static bool refuse_default(CommandContext *ctx, const ColumnChange *x, const Field *f, Error *err)
{
    bool names = err->cls == ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION || err->cls == ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION;
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    BoundColumnVec none = {0};
    BoundExpr *value;
    Expr *e;
    if (!names && err->cls != ERR_INCOMPATIBLE_DATA_FOR_TABLE__CANNOT_SAFELY_CAST)
        return false;
    Str column = name_quoted(&x->def->name, ctx->arena), sql = x->def->default_sql;
    error_clear(err);
    if (names)
        return error_set(err, ERR_INVALID_DEFAULT_VALUE__NOT_CONSTANT, PZ("statement", "ALTER TABLE ALTER COLUMN"), P("colName", column), P("defaultValue", sql));
    TRY(sql_parse_expr(sql, &options, ctx->arena, &e, err) && analyze_expr(ctx->analyzer, e, &none, &value, err));
    return error_set(err, ERR_INVALID_DEFAULT_VALUE__DATA_TYPE, PZ("statement", "ALTER TABLE ALTER COLUMN"), P("colName", column), P("defaultValue", sql),
                     P("expectedType", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(f->type, ctx->arena)))),
                     P("actualType", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(value->type, ctx->arena)))));
}

static bool change_default(CommandContext *ctx, const ColumnChange *x, Field *f, Error *err)
{
    BoundExpr *ignored;
    if (x->command->alter.drop_default)
        f->metadata = field_metadata_with(f->metadata, "CURRENT_DEFAULT", (Str){0}, ctx->arena);
    if (!x->def->default_sql.len)
        return true;
    bool enabled = snapshot_has_feature(x->table->snapshot, "allowColumnDefaults");
    if (!enabled && session_bool(ctx->session, "lakeshed.strict", false))
        return error_set(err, ERR_WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED, PZ("commandType", "ALTER TABLE"));
    if (x->def->name.len > 1)
        return error_unsupported(err, "a default inside a nested column");
    f->metadata = field_metadata_with_text(f->metadata, "CURRENT_DEFAULT", x->def->default_sql, ctx->arena);
    return column_default(ctx, f, &ignored, err) || refuse_default(ctx, x, f, err);
}

/* Delta refuses every SET NOT NULL; otherwise the rows decide. */
static bool change_nullability(CommandContext *ctx, ColumnChange *x, Field *f, Error *err)
{
    if (x->command->alter.drop_not_null)
        f->nullable = true;
    if (!x->command->alter.set_not_null || !f->nullable)
        return true;
    if (session_bool(ctx->session, "lakeshed.strict", false) || x->def->name.len > 1)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_2330, P("fieldName", name_text(&x->def->name, ctx->arena)));
    x->asks_not_null = true;
    f->nullable = false;
    return true;
}

static bool move_field(CommandContext *ctx, FieldVec *fields, size_t from, const ColumnChange *x, Error *err)
{
    const ColumnDef *d = x->def;
    Field f = fields->at[from];
    if (!d->first && !d->after.len)
        return true;
    int anchor = d->first ? -1 : find_in(fields, d->after);
    if (!d->first && anchor < 0)
        return column_unknown(ctx, x->schema, &(Name){.at = (Str *)&d->after, .len = 1}, err);
    if (anchor == (int)from)
        return true;
    for (size_t i = from; i + 1 < fields->len; i++)
        fields->at[i] = fields->at[i + 1];
    fields->len--;
    return insert_field(ctx, fields, d->first ? 0 : (size_t)find_in(fields, d->after) + 1, f);
}

/* Whether a path ends at the element, key or value of a collection. */
static bool is_part(const Type *schema, const Name *path)
{
    const Type *t = schema;
    for (size_t i = 0; i < path->len; i++) {
        if (t->kind == TYPE_ARRAY || t->kind == TYPE_MAP) {
            if (i + 1 == path->len)
                return true;
            t = t->kind == TYPE_ARRAY ? t->array.element : str_is_ci(path->at[i], "key") ? t->map.key : t->map.value;
            continue;
        }
        int at = t->kind == TYPE_STRUCT ? type_field_index(t, path->at[i], false) : -1;
        if (at < 0)
            return false;
        t = t->structure.fields[at].type;
    }
    return false;
}

static bool change_field(CommandContext *ctx, FieldVec *fields, Str name, void *arg, Error *err)
{
    ColumnChange *x = arg;
    int at = find_in(fields, name);
    if (at < 0)
        return column_unknown(ctx, x->schema, &x->def->name, err);
    Field *f = &fields->at[at];
    TRY(change_type(ctx, x, f, err));
    if (x->def->has_comment && fields->len == 1 && is_part(x->schema, &x->def->name))
        return error_set(err, ERR_DELTA_UNSUPPORTED_COMMENT_MAP_ARRAY, P("fieldPath", name_text(&x->def->name, ctx->arena)));
    if (x->def->has_comment)
        f->metadata = x->def->comment.len ? field_metadata_with_text(f->metadata, "comment", x->def->comment, ctx->arena)
                                          : field_metadata_with(f->metadata, "comment", (Str){0}, ctx->arena);
    TRY(change_default(ctx, x, f, err));
    TRY(change_nullability(ctx, x, f, err));
    x->changed = *f;
    return move_field(ctx, fields, (size_t)at, x, err);
}

static bool check_no_nulls(CommandContext *ctx, const Target *t, const ColumnDef *d, Error *err)
{
    int64_t broken;
    Expr *column = expr_column(ctx->arena, d->name.at[0]);
    Expr *holds = expr_call(ctx->arena, "isnotnull", 1, &column);
    TRY(count_violations(ctx, t, holds, &broken, err));
    return !broken || error_set(err, ERR_DELTA_NEW_NOT_NULL_VIOLATION, P("numRows", str_printf(ctx->arena, "%lld", (long long)broken)),
                                P("tableName", t->name), P("colName", name_text(&d->name, ctx->arena)));
}

/* No column, nor a field of one, twice. */
static bool check_once(CommandContext *ctx, const Target *t, const ColumnDefVec *columns, Error *err)
{
    for (size_t i = 0; i < columns->len; i++)
        for (size_t k = 0; k < i; k++) {
            const Name *x = &columns->at[i].name, *y = &columns->at[k].name, *shorter = x->len < y->len ? x : y;
            bool same = true;
            for (size_t n = 0; n < shorter->len; n++)
                same &= str_ieq(x->at[n], y->at[n]);
            if (same)
                return error_set(err, ERR_NOT_SUPPORTED_CHANGE_SAME_COLUMN, P("table", name_quoted(&t->qualifier, ctx->arena)), P("fieldName", name_quoted(shorter, ctx->arena)));
        }
    return true;
}

bool alter_columns(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    CommitNote note = {.operation = S("CHANGE COLUMN"), .started_us = clock_monotonic_us()};
    Buf shown = buf_in(ctx->arena);
    bool several = c->alter.columns.len > 1, reads_rows = false;
    TRY(check_once(ctx, t, &c->alter.columns, err));
    if (several)
        buf_addc(&shown, '[');
    for (size_t i = 0; i < c->alter.columns.len; i++) {
        const ColumnDef *d = &c->alter.columns.at[i];
        ColumnChange x = {.command = c, .def = d, .table = t, .schema = m->schema};
        FieldPath path = {&d->name, m->schema, change_field, &x, true};
        const Type *schema;
        TRY(edit_type(ctx, &path, m->schema, 0, &schema, err));
        if (x.widens)
            TRY(check_dependents(ctx, m, &d->name, err));
        metadata_set_schema(ctx, m, x.widens ? schema_note_widening(m->schema, schema, ctx->arena) : schema);
        if (x.asks_not_null)
            TRY(check_no_nulls(ctx, t, d, err));
        reads_rows |= x.asks_not_null;
        if (several)
            buf_addz(&shown, i ? ",{\"column\":" : "{\"column\":");
        put_column(ctx, &shown, &d->name, &x.changed);
        if (several)
            buf_addc(&shown, '}');
    }
    if (several)
        buf_addc(&shown, ']');
    note_parameter_text(ctx, &note, several ? "columns" : "column", buf_str(&shown));
    const ColumnDef *only = &c->alter.columns.at[0];
    if (!several && (only->first || only->after.len))
        note_parameter_text(ctx, &note, "position", only->first ? S("FIRST") : str_concat(ctx->arena, S("AFTER "), only->after));
    return alter_commit(ctx, t, m, NULL, &note, reads_rows, err);
}
