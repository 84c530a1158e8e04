/* The names Spark gives to unnamed expressions, and expressions inside its messages. */
#include <stdlib.h>
#include <string.h>

#include "func/func.h"
#include "func/rows.h"
#include "func/signature.h"

typedef struct Printer {
    Buf out;
    Str zone;
    Arena *arena;
    bool sql; /* strings with quotes, as Expression.sql; otherwise as toPrettySQL */
    unsigned in_python; /* > 0: an argument of a Python function, whose casts Spark prints in lower case */
    unsigned depth;
} Printer;

enum { NAME_MAX_DEPTH = 4000, NAME_MAX_BYTES = 1 << 20 };

static void put(Printer *p, const BoundExpr *e);

static void put_args(Printer *p, const BoundExprVec *args, size_t from) {
    for (size_t i = from; i < args->len; i++) {
        if (i > from)
            buf_addz(&p->out, ", ");
        put(p, args->at[i]);
    }
}

/* A row's own form: $1.. arguments, $* all, $@N from the Nth on, $?N{..}{..} when there are N, $f,
 * $F the written name. */
static const char *put_form(Printer *p, const BoundExpr *e, const char *form, char stop,
                            bool live) {
    const BoundExprVec *args = &e->call.args;
    while (*form && *form != stop) {
        if (*form != '$') {
            if (live)
                buf_addc(&p->out, *form);
            form++;
            continue;
        }
        form++;
        if (*form == '*') {
            if (live)
                put_args(p, args, 0);
            form++;
        } else if (*form == 'f') {
            /* WITHIN GROUP makes a new expression of the call, which no longer knows its alias. */
            Str name = e->call.order.len ? str_from(e->call.row->name) : func_written_name(e);
            if (live)
                buf_add(&p->out, str_lower(name, p->arena));
            form++;
        } else if (*form == 'F') {
            if (live)
                buf_add(&p->out, str_upper(func_written_name(e), p->arena));
            form++;
        } else if (*form == 'b') {
            bool binary = args->len && args->at[0]->type->kind == TYPE_BINARY;
            form = put_form(p, e, form + 2, '}', live && binary);
            form = put_form(p, e, form + 1, '}', live && !binary);
        } else if (*form == '@') {
            size_t n = strtoul(form + 1, (char **)&form, 10);
            if (live)
                put_args(p, args, n - 1);
        } else if (*form == '!') { /* the text in braces when the argument is the constant true */
            size_t n = strtoul(form + 1, (char **)&form, 10);
            const Value *v = n && n <= args->len ? func_constant(args->at[n - 1]) : NULL;
            form = put_form(p, e, form + 1, '}', live && v && !v->is_null && v->boolean);
        } else if (*form == '?') {
            size_t n = strtoul(form + 1, (char **)&form, 10);
            form = put_form(p, e, form + 1, '}', live && args->len >= n);
            if (*form == '{')
                form = put_form(p, e, form + 1, '}', live && args->len < n);
        } else {
            size_t n = strtoul(form, (char **)&form, 10);
            if (live && n >= 1 && n <= args->len)
                put(p, args->at[n - 1]);
        }
    }
    return *form ? form + 1 : form;
}

static void put_sort(Printer *p, const BoundSort *s) {
    put(p, s->expr);
    buf_addz(&p->out, s->descending ? " DESC" : " ASC");
    buf_addz(&p->out, s->nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

static void put_sorts(Printer *p, const BoundSortVec *order) {
    for (size_t i = 0; i < order->len; i++) {
        if (i)
            buf_addz(&p->out, ", ");
        put_sort(p, &order->at[i]);
    }
}

/* try_add and try_subtract over dates are calls of other rows under their own name. */
static bool keeps_name(const BoundExpr *e) {
    Str name = e->call.written_name;
    return (str_is(name, "try_add") || str_is(name, "try_subtract")) &&
           strcmp(e->call.row->name, str_is(name, "try_add") ? "try_date_add_swapped" : "") != 0;
}

static void put_call(Printer *p, const BoundExpr *e) {
    const FuncRow *row = e->call.row;
    if (row->pretty && !keeps_name(e)) {
        Printer form = *p;
        form.out = buf_in(p->arena);
        put_form(&form, e, row->pretty, '\0', true);
        Str text = buf_str(&form.out);
        size_t open = e->call.distinct ? (size_t)(str_find_char(text, '(') + 1) : 0;
        buf_add(&p->out, str_slice(text, 0, open));
        if (e->call.distinct)
            buf_addz(&p->out, "DISTINCT ");
        buf_add(&p->out, str_slice(text, open, text.len));
    } else {
        buf_add(&p->out, str_lower(func_written_name(e), p->arena));
        buf_addc(&p->out, '(');
        if (e->call.distinct)
            buf_addz(&p->out, "DISTINCT ");
        /* A function in SQL carries its body before its arguments. */
        put_args(p, &e->call.args, str_is(str_from(row->name), "sql_function") ? 1 : 0);
        buf_addc(&p->out, ')');
    }
    if (e->call.order.len) {
        buf_addz(&p->out, " WITHIN GROUP (ORDER BY ");
        put_sorts(p, &e->call.order);
        buf_addc(&p->out, ')');
    }
    if (e->call.filter) {
        buf_addz(&p->out, " FILTER (WHERE ");
        put(p, e->call.filter);
        buf_addc(&p->out, ')');
    }
}

/* Spark casts a distance to the type of the key as the negative that it then is. */
static bool is_cast_distance(const BoundFrameBound *b, FrameKind kind) {
    return kind == FRAME_RANGE && b->kind == BOUND_PRECEDING && b->value->kind == BEXPR_CAST &&
           b->value->implicit && type_is_numeric(b->value->type);
}

static void put_frame_bound(Printer *p, const BoundFrameBound *b, FrameKind kind) {
    switch (b->kind) {
    case BOUND_UNBOUNDED_PRECEDING:
        buf_addz(&p->out, "UNBOUNDED PRECEDING");
        return;
    case BOUND_UNBOUNDED_FOLLOWING:
        buf_addz(&p->out, "UNBOUNDED FOLLOWING");
        return;
    case BOUND_CURRENT_ROW:
        buf_addz(&p->out, "CURRENT ROW");
        return;
    case BOUND_PRECEDING:
    case BOUND_FOLLOWING:
        if (is_cast_distance(b, kind)) {
            buf_addz(&p->out, "(- ");
            put(p, b->value);
            buf_addz(&p->out, ") FOLLOWING");
            return;
        }
        put(p, b->value);
        buf_addz(&p->out, b->kind == BOUND_PRECEDING ? " PRECEDING" : " FOLLOWING");
        return;
    }
}

/* lag and lead have a one-row frame of their own; Spark prints it so. */
static void put_offset_frame(Printer *p, const BoundExpr *f) {
    Str name = str_from(f->call.row->name);
    const char *sign = str_is(name, "lag") ? "-" : "";
    Printer inner = *p;
    inner.out = buf_in(p->arena);
    if (f->call.args.len > 1)
        put(&inner, f->call.args.at[1]);
    else
        buf_addc(&inner.out, '1');
    Str n = buf_str(&inner.out);
    buf_addf(&p->out, "ROWS BETWEEN %s" STR_FMT " FOLLOWING AND %s" STR_FMT " FOLLOWING", sign,
             STR_ARG(n), sign, STR_ARG(n));
}

static void put_frame(Printer *p, const BoundExpr *e) {
    const BoundExpr *f = e->window.function;
    bool window_row = f->kind != BEXPR_PYTHON && f->call.row->kind == FUNC_WINDOW;
    Str name = window_row ? str_from(f->call.row->name) : S("");
    if (str_is(name, "lag") || str_is(name, "lead")) {
        put_offset_frame(p, f);
        return;
    }
    FrameKind kind = e->window.frame;
    if (kind == FRAME_NONE) {
        bool ordered = e->window.order.len > 0;
        buf_addz(&p->out, window_row && !str_is(name, "nth_value") && !str_is(name, "cume_dist")
                              ? "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
                          : ordered ? "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
                                    : "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING");
        return;
    }
    buf_addz(&p->out, kind == FRAME_ROWS ? "ROWS BETWEEN " : "RANGE BETWEEN ");
    put_frame_bound(p, &e->window.from, kind);
    buf_addz(&p->out, " AND ");
    put_frame_bound(p, &e->window.to, kind);
}

static void put_window(Printer *p, const BoundExpr *e) {
    const BoundExpr *f = e->window.function;
    put(p, f);
    if (f->kind != BEXPR_PYTHON && f->call.ignore_nulls && !strcmp(f->call.row->name, "nth_value"))
        buf_addz(&p->out, " ignore nulls");
    buf_addz(&p->out, " OVER (");
    if (e->window.partition.len) {
        buf_addz(&p->out, "PARTITION BY ");
        put_args(p, &e->window.partition, 0);
        buf_addc(&p->out, ' ');
    }
    if (e->window.order.len) {
        buf_addz(&p->out, "ORDER BY ");
        put_sorts(p, &e->window.order);
        buf_addc(&p->out, ' ');
    }
    put_frame(p, e);
    buf_addc(&p->out, ')');
}

static void put_case(Printer *p, const BoundExpr *e) {
    buf_addz(&p->out, "CASE");
    for (size_t i = 0; i < e->cases.conditions.len; i++) {
        buf_addz(&p->out, " WHEN ");
        put(p, e->cases.conditions.at[i]);
        buf_addz(&p->out, " THEN ");
        put(p, e->cases.values.at[i]);
    }
    if (e->cases.otherwise) {
        buf_addz(&p->out, " ELSE ");
        put(p, e->cases.otherwise);
    }
    buf_addz(&p->out, " END");
}

static void put_cast(Printer *p, const BoundExpr *e) {
    if (e->implicit ||
        type_is_nested(e->type)) { /* Spark leaves casts to arrays, maps and structs out as well */
        put(p, e->cast.child);
        return;
    }
    if (p->in_python) {
        buf_addz(&p->out, e->cast.mode == CAST_TRY ? "try_cast(" : "cast(");
        put(p, e->cast.child);
        buf_addf(&p->out, " as " STR_FMT ")", STR_ARG(type_simple_string(e->type, p->arena)));
        return;
    }
    buf_addz(&p->out, e->cast.mode == CAST_TRY ? "TRY_CAST(" : "CAST(");
    put(p, e->cast.child);
    buf_addf(&p->out, " AS " STR_FMT ")", STR_ARG(type_sql(e->type, p->arena)));
}

/* struct(a): the field has the name that it gets without AS. */
static bool is_named_by_value(Printer *p, const BoundExpr *value, Str name, size_t i) {
    if (value->lateral_alias.len)
        return str_eq(value->lateral_alias, name);
    if (value->written_alias.len)
        return str_eq(value->written_alias, name);
    if (value->kind == BEXPR_COLUMN)
        return str_eq(value->column.name, name);
    if (value->kind == BEXPR_FIELD && value->field.child->type->kind == TYPE_STRUCT)
        return str_eq(value->field.child->type->structure.fields[value->field.index].name, name);
    return str_eq(name, str_printf(p->arena, "col%zu", i + 1));
}

static void put_struct(Printer *p, const BoundExpr *e) {
    bool call = e->structure.as_call;
    buf_addz(&p->out, call ? "struct(" : "named_struct(");
    for (size_t i = 0; i < e->structure.children.len; i++) {
        const BoundExpr *value = e->structure.children.at[i];
        Str name = e->type->structure.fields[i].name;
        if (i)
            buf_addz(&p->out, ", ");
        if (!call)
            buf_addf(&p->out, p->sql ? "'" STR_FMT "', " : STR_FMT ", ", STR_ARG(name));
        put(p, value);
        if (call && !is_named_by_value(p, value, name, i))
            buf_addf(&p->out, " AS " STR_FMT, STR_ARG(name));
    }
    buf_addc(&p->out, ')');
}

static void put_field(Printer *p, const BoundExpr *e) {
    put(p, e->field.child);
    const Type *t = e->field.child->type;
    if (t->kind == TYPE_ARRAY)
        t = t->array.element;
    Str name = t->kind == TYPE_STRUCT && e->field.index < t->structure.count
                   ? t->structure.fields[e->field.index].name
                   : S("");
    buf_addf(&p->out, "." STR_FMT, STR_ARG(name));
}

/* The columns of the outer query that a subquery names, each once, in the order met. */
typedef struct OuterNames {
    Arena *arena;
    VEC(ColumnId) own, seen;
    StrVec names;
    bool collect;
} OuterNames;

static bool outer_in_rel(BoundRel **slot, void *arg);

static bool outer_in_expr(BoundExpr **slot, void *arg) {
    OuterNames *o = arg;
    BoundExpr *e = *slot;
    if (o->collect && e->kind == BEXPR_COLUMN) {
        for (size_t i = 0; i < o->own.len; i++)
            if (o->own.at[i] == e->column.id)
                return true;
        for (size_t i = 0; i < o->seen.len; i++)
            if (o->seen.at[i] == e->column.id)
                return true;
        vec_push(o->arena, &o->seen, e->column.id);
        vec_push(o->arena, &o->names, e->column.name);
    }
    if (e->kind == BEXPR_SUBQUERY)
        (void)outer_in_rel(&e->subquery.plan, o);
    return bound_each_child(e, outer_in_expr, o);
}

static bool outer_in_rel(BoundRel **slot, void *arg) {
    OuterNames *o = arg;
    if (!*slot)
        return true;
    for (size_t i = 0; !o->collect && i < (*slot)->columns.len; i++)
        vec_push(o->arena, &o->own, (*slot)->columns.at[i].id);
    (void)brel_each_input(*slot, outer_in_rel, o);
    return brel_each_expr(*slot, outer_in_expr, o);
}

static void put_outer_names(Printer *p, const BoundExpr *e) {
    OuterNames o = {.arena = p->arena};
    BoundRel *plan = e->subquery.plan;
    (void)outer_in_rel(&plan, &o);
    o.collect = true;
    (void)outer_in_rel(&plan, &o);
    for (size_t i = 0; i < o.names.len; i++)
        buf_addf(&p->out, "%s" STR_FMT, i ? ", " : "", STR_ARG(o.names.at[i]));
}

static void put_subquery(Printer *p, const BoundExpr *e) {
    switch (e->subquery.kind) {
    case SUBQUERY_EXISTS:
        buf_addz(&p->out, e->subquery.negated ? "(NOT exists(" : "exists(");
        put_outer_names(p, e);
        buf_addz(&p->out, e->subquery.negated ? "))" : ")");
        return;
    case SUBQUERY_IN:
        buf_addz(&p->out, e->subquery.negated ? "(NOT (" : "(");
        if (e->subquery.values.len > 1) {
            buf_addz(&p->out, "named_struct(");
            for (size_t i = 0; i < e->subquery.values.len; i++) {
                if (i)
                    buf_addz(&p->out, ", ");
                const BoundExpr *v = e->subquery.values.at[i];
                if (v->kind == BEXPR_COLUMN)
                    buf_add(&p->out, v->column.name);
                else
                    buf_addf(&p->out, "_%zu", i);
                buf_addz(&p->out, ", ");
                put(p, v);
            }
            buf_addc(&p->out, ')');
        } else {
            put_args(p, &e->subquery.values, 0);
        }
        buf_addz(&p->out, " IN (listquery(");
        put_outer_names(p, e);
        buf_addz(&p->out, ")))");
        if (e->subquery.negated)
            buf_addc(&p->out, ')');
        return;
    case SUBQUERY_SCALAR:
    case SUBQUERY_TABLE:
        buf_addz(&p->out, "scalarsubquery(");
        put_outer_names(p, e);
        buf_addc(&p->out, ')');
        return;
    }
}

static void put_lambda(Printer *p, const BoundExpr *e) {
    buf_addz(&p->out, "lambdafunction(");
    put(p, e->lambda.body);
    for (size_t i = 0; i < e->lambda.count; i++)
        buf_addz(&p->out, ", namedlambdavariable()");
    buf_addc(&p->out, ')');
}

static void put_python(Printer *p, const BoundExpr *e) {
    buf_addf(&p->out, STR_FMT "(", STR_ARG(e->python.function->name));
    p->in_python++;
    for (size_t i = 0; i < e->python.args.len; i++) {
        if (i)
            buf_addz(&p->out, ", ");
        if (i < e->python.names.len && e->python.names.at[i].len)
            buf_addf(&p->out, STR_FMT " => ", STR_ARG(e->python.names.at[i]));
        put(p, e->python.args.at[i]);
    }
    p->in_python--;
    buf_addc(&p->out, ')');
}

static void put_kind(Printer *p, const BoundExpr *e) {
    switch (e->kind) {
    case BEXPR_LITERAL:
        if (e->shown.len) {
            buf_add(&p->out, e->shown);
            return;
        }
        if (e->variable.len) {
            buf_addf(&p->out, "variablereference(" STR_FMT "=" STR_FMT ")", STR_ARG(e->variable),
                     STR_ARG(value_sql(&e->literal, p->zone, p->arena)));
            return;
        }
        buf_add(&p->out, p->sql ? value_sql(&e->literal, p->zone, p->arena)
                                : value_pretty(&e->literal, p->zone, p->arena));
        return;
    case BEXPR_COLUMN:
        buf_add(&p->out, e->column.outer
                             ? str_printf(p->arena, "outer(" STR_FMT ")",
                                          STR_ARG(e->column.path.len ? e->column.path : e->column.name))
                             : e->column.name);
        return;
    case BEXPR_CALL:
    case BEXPR_AGGREGATE:
    case BEXPR_GENERATOR:
        put_call(p, e);
        return;
    case BEXPR_WINDOW:
        put_window(p, e);
        return;
    case BEXPR_CAST:
        put_cast(p, e);
        return;
    case BEXPR_CASE:
        put_case(p, e);
        return;
    case BEXPR_SUBQUERY:
        put_subquery(p, e);
        return;
    case BEXPR_LAMBDA:
        put_lambda(p, e);
        return;
    case BEXPR_LAMBDA_VAR:
        buf_addz(&p->out, "namedlambdavariable()");
        return;
    case BEXPR_FIELD:
        put_field(p, e);
        return;
    case BEXPR_STRUCT:
        put_struct(p, e);
        return;
    case BEXPR_PYTHON:
        put_python(p, e);
        return;
    }
}

static void put(Printer *p, const BoundExpr *e) {
    if (!e || ++p->depth > NAME_MAX_DEPTH || p->out.len > NAME_MAX_BYTES) {
        buf_addz(&p->out, "...");
        return;
    }
    if (e->lateral_alias.len)
        buf_addf(&p->out, "lateralAliasReference(" STR_FMT ")", STR_ARG(e->lateral_alias));
    else
        put_kind(p, e);
    if (e->written_alias.len) {
        Str part = e->written_alias;
        buf_addf(&p->out, " AS " STR_FMT, STR_ARG(name_text(&(Name){.at = &part, .len = 1}, p->arena)));
    }
    p->depth--;
}

Str func_pretty_name(const BoundExpr *e, Str zone, Arena *arena) {
    Printer p = {buf_in(arena), zone, arena, false, 0};
    put(&p, e);
    return buf_str(&p.out);
}

Str func_sql_text(const BoundExpr *e, Str zone, Arena *arena) {
    Printer p = {buf_in(arena), zone, arena, true, 0};
    put(&p, e);
    return buf_str(&p.out);
}
