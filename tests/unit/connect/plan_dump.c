/* Prints plans by the table of fields that session/plan_copy.c copies them by, and the plain fields listed here. */
#include "plan_dump.h"

#include <string.h>

#include "base/buf.h"

typedef enum FieldType {
    FIELD_STR, FIELD_STRS, FIELD_EXPR, FIELD_EXPRS, FIELD_EXPR_LISTS, FIELD_REL, FIELD_RELS, FIELD_OPTIONS,
    FIELD_TYPE, FIELD_VALUE, FIELD_PYTHON, FIELD_WINDOW, FIELD_WINDOW_DEFS, FIELD_NAMED_RELS, FIELD_NUMBERS,
    FIELD_BOOL, FIELD_INT, FIELD_LONG, FIELD_DOUBLE
} FieldType;

typedef struct DumpField {
    int kind;
    const char *kind_name, *name;
    size_t offset;
    FieldType type;
} DumpField;

static const DumpField expr_fields[] = {
#define EXPR_FIELD(kind, field, type) {kind, #kind, #field, offsetof(Expr, field), FIELD_##type},
#define REL_FIELD(kind, field, type)
#include "session/plan_fields.def"
    EXPR_FIELD(EXPR_COLUMN, column.plan_id, LONG)
    EXPR_FIELD(EXPR_COLUMN, column.is_metadata, BOOL)
    EXPR_FIELD(EXPR_STAR, star.plan_id, LONG)
    EXPR_FIELD(EXPR_CALL, call.distinct, BOOL)
    EXPR_FIELD(EXPR_CALL, call.is_operator, BOOL)
    EXPR_FIELD(EXPR_CAST, cast.mode, INT)
    EXPR_FIELD(EXPR_SORT, sort.descending, BOOL)
    EXPR_FIELD(EXPR_SORT, sort.nulls_first, BOOL)
    EXPR_FIELD(EXPR_SUBQUERY, subquery.kind, INT)
#undef EXPR_FIELD
#undef REL_FIELD
};

static const DumpField rel_fields[] = {
#define EXPR_FIELD(kind, field, type)
#define REL_FIELD(kind, field, type) {kind, #kind, #field, offsetof(Rel, field), FIELD_##type},
#include "session/plan_fields.def"
    REL_FIELD(REL_NAMED_TABLE, table.streaming, BOOL)
    REL_FIELD(REL_DATA_SOURCE, source.streaming, BOOL)
    REL_FIELD(REL_JOIN, join.kind, INT)
    REL_FIELD(REL_LATERAL_JOIN, join.kind, INT)
    REL_FIELD(REL_ASOF_JOIN, asof.allow_exact, BOOL)
    REL_FIELD(REL_SET_OP, set_op.kind, INT)
    REL_FIELD(REL_SET_OP, set_op.all, BOOL)
    REL_FIELD(REL_SET_OP, set_op.by_name, BOOL)
    REL_FIELD(REL_SET_OP, set_op.allow_missing, BOOL)
    REL_FIELD(REL_SORT, sort.global, BOOL)
    REL_FIELD(REL_AGGREGATE, aggregate.group, INT)
    REL_FIELD(REL_AGGREGATE, aggregate.keys_in_output, BOOL)
    REL_FIELD(REL_RANGE, range.start, LONG)
    REL_FIELD(REL_RANGE, range.end, LONG)
    REL_FIELD(REL_RANGE, range.step, LONG)
    REL_FIELD(REL_DEDUPLICATE, deduplicate.all_columns, BOOL)
    REL_FIELD(REL_SAMPLE, sample.lower, DOUBLE)
    REL_FIELD(REL_SAMPLE, sample.upper, DOUBLE)
    REL_FIELD(REL_SAMPLE, sample.seed, LONG)
    REL_FIELD(REL_REPARTITION, repartition.partitions, INT)
    REL_FIELD(REL_REPARTITION, repartition.shuffle, BOOL)
    REL_FIELD(REL_UNPIVOT, unpivot.has_values, BOOL)
    REL_FIELD(REL_SHOW_STRING, show.num_rows, INT)
    REL_FIELD(REL_SHOW_STRING, show.truncate, INT)
    REL_FIELD(REL_SHOW_STRING, show.vertical, BOOL)
    REL_FIELD(REL_HTML_STRING, show.num_rows, INT)
    REL_FIELD(REL_HTML_STRING, show.truncate, INT)
    REL_FIELD(REL_NA_DROP, na_drop.min_non_nulls, INT)
    REL_FIELD(REL_STAT, stat.kind, INT)
    REL_FIELD(REL_STAT, stat.error_or_support, DOUBLE)
    REL_FIELD(REL_STAT, stat.seed, LONG)
#undef EXPR_FIELD
#undef REL_FIELD
};

static void put_rel(Buf *b, const Rel *rel);
static void put_expr(Buf *b, const Expr *e);

static void put_text(Buf *b, Str s)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < s.len && i < 60; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c >= 0x7f)
            buf_addf(b, "\\x%02x", c);
        else
            buf_addc(b, (char)c);
    }
    if (s.len > 60)
        buf_addf(b, "..%zu", s.len);
    buf_addc(b, '\'');
}

static void put_strs(Buf *b, const StrVec *v)
{
    buf_addc(b, '[');
    for (size_t i = 0; i < v->len; i++)
        put_text(b, v->at[i]);
    buf_addc(b, ']');
}

static void put_exprs(Buf *b, const ExprVec *v)
{
    buf_addc(b, '[');
    for (size_t i = 0; i < v->len; i++) {
        if (i > 0)
            buf_addc(b, ' ');
        put_expr(b, v->at[i]);
    }
    buf_addc(b, ']');
}

static void put_options(Buf *b, const KeyValueVec *v)
{
    for (size_t i = 0; i < v->len; i++) {
        put_text(b, v->at[i].key);
        buf_addc(b, ':');
        if (v->at[i].expr != NULL)
            put_expr(b, v->at[i].expr);
        else
            put_text(b, v->at[i].value);
        buf_addc(b, ' ');
    }
}

static void put_python(Buf *b, const PythonFunction *f)
{
    put_text(b, f->name);
    buf_addf(b, " eval %d ", f->eval_type);
    put_text(b, f->command);
    if (f->return_type != NULL)
        buf_add(b, type_simple_string(f->return_type, b->arena));
}

static void put_bound(Buf *b, const FrameBound *f)
{
    buf_addf(b, " %d", (int)f->kind);
    if (f->value != NULL)
        put_expr(b, f->value);
}

static void put_window(Buf *b, const WindowSpec *w)
{
    put_exprs(b, &w->partition);
    put_exprs(b, &w->order);
    buf_addf(b, " frame %d", (int)w->frame);
    put_bound(b, &w->from);
    put_bound(b, &w->to);
}

typedef VEC(ExprVec) ExprLists;
typedef VEC(double) Numbers;

static void put_field(Buf *b, FieldType type, const void *at)
{
    switch (type) {
    case FIELD_STR: put_text(b, *(const Str *)at); break;
    case FIELD_STRS: put_strs(b, at); break;
    case FIELD_EXPR: put_expr(b, *(Expr *const *)at); break;
    case FIELD_EXPRS: put_exprs(b, at); break;
    case FIELD_EXPR_LISTS:
        for (size_t i = 0; i < ((const ExprLists *)at)->len; i++)
            put_exprs(b, &((const ExprLists *)at)->at[i]);
        break;
    case FIELD_REL: put_rel(b, *(Rel *const *)at); break;
    case FIELD_RELS:
        for (size_t i = 0; i < ((const RelVec *)at)->len; i++)
            put_rel(b, ((const RelVec *)at)->at[i]);
        break;
    case FIELD_OPTIONS: put_options(b, at); break;
    case FIELD_TYPE: buf_add(b, type_simple_string(*(const Type *const *)at, b->arena)); break;
    case FIELD_VALUE:
        buf_add(b, value_sql(at, S("UTC"), b->arena));
        buf_addc(b, ':');
        buf_add(b, type_simple_string(((const Value *)at)->type, b->arena));
        break;
    case FIELD_PYTHON: put_python(b, *(PythonFunction *const *)at); break;
    case FIELD_WINDOW: put_window(b, at); break;
    case FIELD_NUMBERS:
        for (size_t i = 0; i < ((const Numbers *)at)->len; i++)
            buf_addf(b, "%g ", ((const Numbers *)at)->at[i]);
        break;
    case FIELD_BOOL: buf_addc(b, '1'); break;
    case FIELD_INT: buf_addf(b, "%d", *(const int *)at); break;
    case FIELD_LONG: buf_addf(b, "%lld", (long long)*(const int64_t *)at); break;
    case FIELD_DOUBLE: buf_addf(b, "%g", *(const double *)at); break;
    default: buf_addc(b, '?'); break;
    }
}

/* Only what is set is printed: plain zeros, NULL and empty lists say nothing. */
static bool is_set(FieldType type, const void *at)
{
    switch (type) {
    case FIELD_STR: return ((const Str *)at)->len > 0;
    case FIELD_STRS:
    case FIELD_EXPRS:
    case FIELD_EXPR_LISTS:
    case FIELD_RELS:
    case FIELD_OPTIONS:
    case FIELD_NUMBERS: return ((const StrVec *)at)->len > 0;
    case FIELD_EXPR:
    case FIELD_REL:
    case FIELD_TYPE:
    case FIELD_PYTHON: return *(void *const *)at != NULL;
    case FIELD_BOOL: return *(const bool *)at;
    case FIELD_INT: return *(const int *)at != 0;
    case FIELD_LONG: return *(const int64_t *)at > 0;
    case FIELD_DOUBLE: return *(const double *)at != 0;
    default: return true;
    }
}

static void put_node(Buf *b, const DumpField *fields, size_t count, int kind, const void *node)
{
    bool named = false;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind != kind)
            continue;
        const char *kind_name = strchr(fields[i].kind_name, '_') + 1;
        if (!named)
            buf_addz(b, kind_name);
        named = true;
        const void *at = (const char *)node + fields[i].offset;
        if (!is_set(fields[i].type, at))
            continue;
        buf_addf(b, " %s=", strrchr(fields[i].name, '.') == NULL ? fields[i].name : strrchr(fields[i].name, '.') + 1);
        put_field(b, fields[i].type, at);
    }
    if (!named)
        buf_addf(b, "kind %d", kind);
}

static void put_expr(Buf *b, const Expr *e)
{
    buf_addc(b, '(');
    put_node(b, expr_fields, LENGTH_OF(expr_fields), (int)e->kind, e);
    buf_addc(b, ')');
}

static void put_rel(Buf *b, const Rel *rel)
{
    buf_addc(b, '{');
    put_node(b, rel_fields, LENGTH_OF(rel_fields), (int)rel->kind, rel);
    if (rel->input != NULL) {
        buf_addz(b, " <- ");
        put_rel(b, rel->input);
    }
    buf_addc(b, '}');
}

Str dump_rel(const Rel *rel, Arena *arena)
{
    Buf b = buf_in(arena);
    put_rel(&b, rel);
    return buf_str(&b);
}

/* ---- commands ---- */

static void put_assignments(Buf *b, const AssignmentVec *v)
{
    for (size_t i = 0; i < v->len; i++) {
        put_strs(b, &v->at[i].target);
        buf_addc(b, '=');
        put_expr(b, v->at[i].value);
        buf_addc(b, ' ');
    }
}

static void put_optional(Buf *b, const char *name, const Expr *e)
{
    if (e == NULL)
        return;
    buf_addf(b, " %s=", name);
    put_expr(b, e);
}

static void put_columns(Buf *b, const ColumnDefVec *v)
{
    for (size_t i = 0; i < v->len; i++) {
        const ColumnDef *c = &v->at[i];
        put_strs(b, &c->name);
        buf_add(b, type_simple_string(c->type, b->arena));
        buf_addf(b, "%s", c->not_null ? " not null" : "");
        put_text(b, c->comment);
        put_text(b, c->generated_sql);
        if (c->is_identity)
            buf_addf(b, "identity %lld %lld %d", (long long)c->identity_start, (long long)c->identity_step,
                     c->identity_always);
        buf_addc(b, ' ');
    }
}

static void put_merge(Buf *b, const Command *c)
{
    put_text(b, c->merge.target_alias);
    put_optional(b, "on", c->merge.on);
    buf_addf(b, " evolve %d", c->merge.schema_evolution);
    for (size_t i = 0; i < c->merge.clauses.len; i++) {
        const MergeClause *m = &c->merge.clauses.at[i];
        buf_addf(b, " clause %d %d", (int)m->kind, (int)m->action);
        put_optional(b, "if", m->condition);
        put_assignments(b, &m->assignments);
    }
}

static void put_table(Buf *b, const Command *c)
{
    const TableSpec *s = &c->table.spec;
    put_columns(b, &s->columns);
    put_text(b, s->provider);
    put_text(b, s->location);
    put_text(b, s->comment);
    put_exprs(b, &s->partition_by);
    put_options(b, &s->properties);
    put_options(b, &s->options);
    put_strs(b, &c->table.clone_source);
    buf_addf(b, " replace %d shallow %d travel %d", c->table.replace, c->table.shallow, (int)c->table.clone_travel.kind);
}

static void put_body(Buf *b, const Command *c)
{
    switch (c->kind) {
    case CMD_CREATE_TABLE: put_table(b, c); break;
    case CMD_CREATE_TEMP_VIEW: buf_addf(b, "global %d replace %d", c->view.global, c->view.replace); break;
    case CMD_UPDATE:
    case CMD_DELETE:
        put_text(b, c->dml.alias);
        put_optional(b, "where", c->dml.condition);
        put_assignments(b, &c->dml.assignments);
        break;
    case CMD_MERGE: put_merge(b, c); break;
    case CMD_WRITE:
        put_text(b, c->write.format);
        put_text(b, c->write.mode);
        put_text(b, c->write.path);
        put_strs(b, &c->write.partition_by);
        put_strs(b, &c->write.bucket_by);
        buf_addf(b, " buckets %d insert %d", c->write.buckets, c->write.insert_into);
        break;
    case CMD_WRITE_V2:
        put_text(b, c->write_v2.provider);
        put_text(b, c->write_v2.mode);
        put_exprs(b, &c->write_v2.partition_by);
        put_options(b, &c->write_v2.table_properties);
        put_optional(b, "where", c->write_v2.overwrite_condition);
        break;
    case CMD_OPTIMIZE:
        put_optional(b, "where", c->optimize.where);
        put_exprs(b, &c->optimize.zorder);
        break;
    case CMD_VACUUM: buf_addf(b, "hours %d %g", c->vacuum.has_hours, c->vacuum.hours); break;
    case CMD_RESTORE:
        buf_addf(b, "travel %d", (int)c->travel.kind);
        put_optional(b, "to", c->travel.value);
        break;
    case CMD_CONVERT:
    case CMD_GENERATE:
    case CMD_DELTA:
        put_text(b, c->delta.op);
        put_options(b, &c->delta.args);
        put_columns(b, &c->delta.columns);
        break;
    case CMD_ALTER_TABLE:
        buf_addf(b, "alter %d history %d", (int)c->alter.kind, c->alter.truncate_history);
        put_strs(b, &c->alter.names);
        break;
    case CMD_REGISTER_FUNCTION: put_python(b, c->function.python); break;
    case CMD_CHECKPOINT: buf_addf(b, "eager %d", c->cached.eager); break;
    default: break;
    }
}

Str dump_command(const Command *c, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addf(&b, "COMMAND %d existence %d ", (int)c->kind, (int)c->existence);
    put_strs(&b, &c->name);
    buf_addc(&b, ' ');
    put_body(&b, c);
    if (c->kind != CMD_CREATE_TABLE)
        put_options(&b, &c->properties);
    if (c->query != NULL) {
        buf_addz(&b, " query ");
        put_rel(&b, c->query);
    }
    return buf_str(&b);
}
