/* The type-rule language of README.md "Signatures" and the way Spark's analyzer applies such rules.
 */
#include "func/signature.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "func/collate.h"

typedef enum RuleKind {
    RULE_TYPE,
    RULE_NUMERIC,
    RULE_INTEGRAL,
    RULE_FRACTIONAL,
    RULE_DECIMAL,
    RULE_DATETIME,
    RULE_ANY_TIMESTAMP,
    RULE_INTERVAL_YM,
    RULE_INTERVAL_DT,
    RULE_ORDERABLE,
    RULE_ANY,
    RULE_STRUCT,
    RULE_VAR,
    RULE_ARRAY,
    RULE_MAP,
    RULE_FN,
    RULE_ARG /* $n in a result: the type of that argument after casts */
} RuleKind;

typedef struct Rule {
    RuleKind kind;
    const Type *type;
    char var;
    size_t arg;
    struct Rule
        *parts[4]; /* ARRAY: element; MAP: key, value; FN: parameters, then result at parts[3] */
    size_t part_count, required_parts;
    bool optional, repeated;
    char nulls; /* '!' or '?' behind a type */
} Rule;

typedef struct Alternative {
    Rule *params[16];
    size_t count;
    size_t repeat_min; /* how many the repeated last parameter needs */
    Rule *result;
} Alternative;

typedef struct Signature {
    Alternative *at;
    size_t count;
} Signature;

/* ---- reading rule texts ---- */

typedef struct Reader {
    const char *p;
    Arena *arena;
} Reader;

static void skip_space(Reader *r) {
    while (*r->p == ' ')
        r->p++;
}

static bool take(Reader *r, const char *token) {
    skip_space(r);
    size_t n = strlen(token);
    if (strncmp(r->p, token, n) != 0)
        return false;
    r->p += n;
    return true;
}

/* A row that does not parse is a bug in the row. */
static void must(Reader *r, const char *token) {
    if (!take(r, token))
        abort();
}

static const struct {
    const char *name;
    RuleKind kind;
} CLASSES[] = {
    {"numeric", RULE_NUMERIC},         {"integral", RULE_INTEGRAL},
    {"fractional", RULE_FRACTIONAL},   {"decimal", RULE_DECIMAL},
    {"datetime", RULE_DATETIME},       {"anytimestamp", RULE_ANY_TIMESTAMP},
    {"interval_ym", RULE_INTERVAL_YM}, {"interval_dt", RULE_INTERVAL_DT},
    {"orderable", RULE_ORDERABLE},     {"any", RULE_ANY},
    {"struct", RULE_STRUCT},
};

static const struct {
    const char *name;
    TypeKind kind;
} TYPES[] = {
    {"void", TYPE_NULL},
    {"boolean", TYPE_BOOLEAN},
    {"byte", TYPE_BYTE},
    {"short", TYPE_SHORT},
    {"int", TYPE_INT},
    {"long", TYPE_LONG},
    {"float", TYPE_FLOAT},
    {"double", TYPE_DOUBLE},
    {"string", TYPE_STRING},
    {"binary", TYPE_BINARY},
    {"date", TYPE_DATE},
    {"timestamp", TYPE_TIMESTAMP},
    {"timestamp_ntz", TYPE_TIMESTAMP_NTZ},
    {"time", TYPE_TIME},
    {"interval", TYPE_INTERVAL_CALENDAR},
    {"variant", TYPE_VARIANT},
};

static Rule *read_rule(Reader *r);

static void read_name_rule(Reader *r, Rule *rule) {
    const char *start = r->p;
    while (isalnum((unsigned char)*r->p) || *r->p == '_')
        r->p++;
    Str name = {start, (size_t)(r->p - start)};
    if (name.len == 1 && isupper((unsigned char)name.ptr[0])) {
        rule->kind = RULE_VAR;
        rule->var = name.ptr[0];
        return;
    }
    if (str_is(name, "decimal") && *r->p == '(') {
        char *end;
        long p = strtol(r->p + 1, &end, 10), s = strtol(end + 1, &end, 10);
        r->p = end + 1;
        rule->kind = RULE_TYPE;
        rule->type = type_decimal((int)p, (int)s, r->arena);
        return;
    }
    for (size_t i = 0; i < LENGTH_OF(CLASSES); i++)
        if (str_is(name, CLASSES[i].name)) {
            rule->kind = CLASSES[i].kind;
            return;
        }
    for (size_t i = 0; i < LENGTH_OF(TYPES); i++)
        if (str_is(name, TYPES[i].name)) {
            rule->kind = RULE_TYPE;
            rule->type = type_simple(TYPES[i].kind);
            return;
        }
    abort();
}

static void read_fn(Reader *r, Rule *rule) {
    rule->kind = RULE_FN;
    while (!take(r, ")")) {
        bool optional = take(r, "[");
        rule->parts[rule->part_count++] = read_rule(r);
        if (optional)
            must(r, "]");
        else
            rule->required_parts++;
        take(r, ",");
    }
    must(r, "->");
    rule->parts[3] = read_rule(r);
}

static Rule *read_rule(Reader *r) {
    Rule *rule = ARENA_NEW(r->arena, Rule);
    skip_space(r);
    if (take(r, "array<")) {
        rule->kind = RULE_ARRAY;
        rule->parts[0] = read_rule(r);
        must(r, ">");
    } else if (take(r, "map<")) {
        rule->kind = RULE_MAP;
        rule->parts[0] = read_rule(r);
        must(r, ",");
        rule->parts[1] = read_rule(r);
        must(r, ">");
    } else if (take(r, "fn(")) {
        read_fn(r, rule);
    } else if (take(r, "$")) {
        rule->kind = RULE_ARG;
        rule->arg = (size_t)(*r->p++ - '1');
    } else {
        read_name_rule(r, rule);
    }
    if (*r->p == '?' || *r->p == '!')
        rule->nulls = *r->p++;
    return rule;
}

static void read_alternative(Reader *r, Alternative *a) {
    must(r, "(");
    while (!take(r, ")")) {
        bool optional = take(r, "[");
        Rule *rule = read_rule(r);
        rule->optional = optional;
        if (optional)
            must(r, "]");
        if (take(r, "*...")) {
            rule->repeated = true;
        } else if (take(r, "...")) {
            rule->repeated = true;
            a->repeat_min = 1;
        }
        a->params[a->count++] = rule;
        take(r, ",");
    }
    must(r, "->");
    a->result = read_rule(r);
}

static Signature *read_signature(const char *text, Arena *arena) {
    Reader r = {text, arena};
    Signature *s = ARENA_NEW(arena, Signature);
    VEC(Alternative) list = {0};
    do {
        Alternative a = {0};
        read_alternative(&r, &a);
        vec_push(arena, &list, a);
    } while (take(&r, ";"));
    skip_space(&r);
    if (*r.p)
        abort();
    s->at = list.at;
    s->count = list.len;
    return s;
}

/* Parsed rules live as long as the process; the mutex guards the map and its arena. */
static pthread_mutex_t rules_mutex = PTHREAD_MUTEX_INITIALIZER;
static Arena *rules_arena;
static Map rules;

static const Signature *signature_of(const char *text) {
    pthread_mutex_lock(&rules_mutex);
    if (!rules_arena) {
        rules_arena = arena_new();
        rules = map_in(rules_arena);
    }
    Signature *s = map_get(&rules, str_from(text));
    if (!s) {
        s = read_signature(text, rules_arena);
        map_put(&rules, str_from(text), s);
    }
    pthread_mutex_unlock(&rules_mutex);
    return s;
}

/* ---- texts for messages ---- */

Str func_quoted_sql(const BoundExpr *e, const FuncContext *ctx) {
    return str_printf(ctx->arena, "\"" STR_FMT "\"",
                      STR_ARG(func_pretty_name(e, ctx->zone, ctx->arena)));
}

Str func_quoted_type(const Type *t, const FuncContext *ctx) {
    return str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, ctx->arena)));
}

Str func_call_text(const FuncCall *call, const FuncContext *ctx) {
    BoundExpr e = {.kind = call->row->kind == FUNC_AGGREGATE ? BEXPR_AGGREGATE : BEXPR_CALL};
    e.type = type_simple(TYPE_NULL);
    e.call.row = call->row;
    e.call.written_name = call->written_name;
    e.call.args = call->args;
    e.call.distinct = call->distinct;
    return func_quoted_sql(&e, ctx);
}

Str func_name_text(const FuncCall *call, const FuncContext *ctx) {
    Str name = call->written_name.len ? call->written_name : str_from(call->row->name);
    if (str_is(name, "||"))
        name = S("concat");
    return str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(str_lower(name, ctx->arena)));
}

static Str ordinal(size_t i, Arena *arena) {
    static const char *const WORDS[] = {"first", "second", "third"};
    return i < LENGTH_OF(WORDS) ? str_from(WORDS[i]) : str_printf(arena, "%zuth", i + 1);
}

bool func_wrong_arg_count(const FuncCall *call, const char *expected, const FuncContext *ctx,
                          Error *err) {
    return error_set(err, ERR_WRONG_NUM_ARGS__WITHOUT_SUGGESTION,
                     P("functionName", func_name_text(call, ctx)), PZ("expectedNum", expected),
                     P("actualNum", str_printf(ctx->arena, "%zu", call->args.len)),
                     PZ("docroot", "https://spark.apache.org/docs/latest"));
}

bool func_unexpected_type(const FuncCall *call, size_t index, const char *required,
                          const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__UNEXPECTED_INPUT_TYPE,
                     P("sqlExpr", func_call_text(call, ctx)),
                     P("paramIndex", ordinal(index, ctx->arena)), PZ("requiredType", required),
                     P("inputSql", func_quoted_sql(call->args.at[index], ctx)),
                     P("inputType", func_quoted_type(call->args.at[index]->type, ctx)));
}

bool func_diff_types(const FuncCall *call, const FuncContext *ctx, Error *err) {
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '(');
    for (size_t i = 0; i < call->args.len; i++)
        buf_addf(&b, "%s" STR_FMT, i ? " or " : "",
                 STR_ARG(func_quoted_type(call->args.at[i]->type, ctx)));
    buf_addc(&b, ')');
    return error_set(err, ERR_DATATYPE_MISMATCH__DATA_DIFF_TYPES,
                     P("sqlExpr", func_call_text(call, ctx)),
                     P("functionName", func_name_text(call, ctx)), P("dataType", buf_str(&b)));
}

bool func_invalid_ordering(const FuncCall *call, Str function, const Type *t, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__INVALID_ORDERING_TYPE, P("sqlExpr", func_call_text(call, ctx)),
                     P("functionName", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(function))),
                     P("dataType", func_quoted_type(t, ctx)));
}

bool func_binary_diff(const FuncCall *call, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__BINARY_OP_DIFF_TYPES,
                     P("sqlExpr", func_call_text(call, ctx)),
                     P("left", func_quoted_type(call->args.at[0]->type, ctx)),
                     P("right", func_quoted_type(call->args.at[1]->type, ctx)));
}

bool func_binary_wrong(const FuncCall *call, const char *required, const FuncContext *ctx,
                       Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__BINARY_OP_WRONG_TYPE,
                     P("sqlExpr", func_call_text(call, ctx)), PZ("inputType", required),
                     P("actualDataType", func_quoted_type(call->args.at[0]->type, ctx)));
}

bool func_non_foldable(const FuncCall *call, size_t index, const char *name, const FuncContext *ctx,
                       Error *err) {
    return error_set(err, ERR_DATATYPE_MISMATCH__NON_FOLDABLE_INPUT,
                     P("sqlExpr", func_call_text(call, ctx)),
                     P("inputName", str_printf(ctx->arena, "`%s`", name)),
                     P("inputType", func_quoted_type(call->args.at[index]->type, ctx)),
                     P("inputExpr", func_quoted_sql(call->args.at[index], ctx)));
}

static void put_rule(Buf *b, const Rule *rule, Arena *arena) {
    switch (rule->kind) {
    case RULE_TYPE:
        buf_addf(b, "\"" STR_FMT "\"", STR_ARG(type_sql(rule->type, arena)));
        return;
    case RULE_NUMERIC:
        buf_addz(b, "\"NUMERIC\"");
        return;
    case RULE_INTEGRAL:
        buf_addz(b, "\"INTEGRAL\"");
        return;
    case RULE_FRACTIONAL:
        buf_addz(b, "\"FRACTIONAL\"");
        return;
    case RULE_DECIMAL:
        buf_addz(b, "\"DECIMAL\"");
        return;
    case RULE_DATETIME:
        buf_addz(b, "\"DATETIME\"");
        return;
    case RULE_ANY_TIMESTAMP:
        buf_addz(b, "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"");
        return;
    case RULE_INTERVAL_YM:
        buf_addz(b, "\"INTERVAL YEAR TO MONTH\"");
        return;
    case RULE_INTERVAL_DT:
        buf_addz(b, "\"INTERVAL DAY TO SECOND\"");
        return;
    case RULE_ORDERABLE:
        buf_addz(b, "\"ORDERABLE\"");
        return;
    case RULE_STRUCT:
        buf_addz(b, "\"STRUCT\"");
        return;
    case RULE_ARRAY:
        buf_addz(b, "\"ARRAY\"");
        return;
    case RULE_MAP:
        buf_addz(b, "\"MAP\"");
        return;
    case RULE_FN:
        put_rule(b, rule->parts[3], arena);
        return;
    case RULE_ANY:
    case RULE_VAR:
    case RULE_ARG:
        buf_addz(b, "\"ANY\"");
        return;
    }
}

/* ---- matching ---- */

typedef struct Binding {
    const Type *vars[26];
    bool nulls[26]; /* whether values of the variable may be NULL */
    bool seen[26];
    bool failed_common;
} Binding;

static const Rule *param_at(const Alternative *a, size_t i) {
    if (i < a->count)
        return a->params[i];
    if (a->count && a->params[a->count - 1]->repeated)
        return a->params[a->count - 1];
    return NULL;
}

static bool count_fits(const Alternative *a, size_t n) {
    size_t required = 0;
    bool repeated = a->count && a->params[a->count - 1]->repeated;
    for (size_t i = 0; i < a->count; i++)
        required += !a->params[i]->optional && !a->params[i]->repeated;
    required += a->repeat_min;
    return n >= required && (repeated || n <= a->count);
}

/* Whether a class takes the type as it is. */
static bool class_accepts(RuleKind kind, const Type *t) {
    switch (kind) {
    case RULE_NUMERIC:
        return type_is_numeric(t);
    case RULE_INTEGRAL:
        return type_is_integral(t);
    case RULE_FRACTIONAL:
        return type_is_fractional(t);
    case RULE_DECIMAL:
        return t->kind == TYPE_DECIMAL;
    case RULE_DATETIME:
        return type_is_datetime(t);
    case RULE_ANY_TIMESTAMP:
        return t->kind == TYPE_TIMESTAMP || t->kind == TYPE_TIMESTAMP_NTZ;
    case RULE_INTERVAL_YM:
        return t->kind == TYPE_INTERVAL_YM;
    case RULE_INTERVAL_DT:
        return t->kind == TYPE_INTERVAL_DT;
    case RULE_ORDERABLE:
        return type_is_orderable(t);
    case RULE_STRUCT:
        return t->kind == TYPE_STRUCT;
    default:
        return true;
    }
}

/* The type a class makes of something it does not take as it is; NULL when nothing. */
static const Type *class_cast(RuleKind kind, const Type *t, Arena *arena) {
    bool text = type_is_stringy(t), none = t->kind == TYPE_NULL;
    switch (kind) {
    case RULE_NUMERIC:
    case RULE_FRACTIONAL:
        return text || none || (kind == RULE_FRACTIONAL && type_is_numeric(t))
                   ? type_simple(TYPE_DOUBLE)
                   : NULL;
    case RULE_INTEGRAL:
        return none ? type_simple(TYPE_INT) : NULL;
    case RULE_DECIMAL:
        return type_is_numeric(t) ? type_decimal_for(t, arena)
               : text             ? type_decimal(38, 18, arena)
               : none             ? type_decimal(10, 0, arena)
                                  : NULL;
    case RULE_DATETIME:
    case RULE_ANY_TIMESTAMP:
        return text || none || t->kind == TYPE_DATE ? type_simple(TYPE_TIMESTAMP) : NULL;
    case RULE_INTERVAL_YM:
        return none ? type_simple(TYPE_INTERVAL_YM) : NULL;
    case RULE_INTERVAL_DT:
        return none ? type_simple(TYPE_INTERVAL_DT) : NULL;
    default:
        return NULL;
    }
}

typedef struct Matcher {
    const FuncContext *ctx;
    Binding *bind;
    bool casts; /* implicit casts allowed */
    bool exact; /* only those of NULL */
} Matcher;

static bool bind_var(Matcher *m, char var, const Type *t, bool nulls) {
    int v = var - 'A';
    m->bind->nulls[v] |= nulls;
    if (!m->bind->vars[v] || m->bind->vars[v]->kind == TYPE_NULL) {
        m->bind->vars[v] = t;
        m->bind->seen[v] = true;
        return true;
    }
    if (t->kind == TYPE_NULL || type_same_shape(m->bind->vars[v], t))
        return true;
    const Type *have = m->bind->vars[v];
    /* W: Spark's findWiderTypeWithoutStringPromotion; texts and other things never meet. */
    bool promotes = var == 'W' && type_is_stringy(have) != type_is_stringy(t);
    const Type *common = promotes ? NULL : coerce_common(have, t, m->ctx->ansi, m->ctx->arena);
    if (!common) {
        m->bind->failed_common = true;
        return false;
    }
    m->bind->vars[v] = common;
    return true;
}

/* Whether a value of type t may stand where the rule is; binds variables. */
static bool match(Matcher *m, const Rule *rule, const Type *t, bool nullable) {
    switch (rule->kind) {
    case RULE_ANY:
        return true;
    case RULE_VAR:
        return bind_var(m, rule->var, t, nullable);
    case RULE_TYPE:
        if (type_same_shape(rule->type, t) ||
            (type_is_stringy(t) && rule->type->kind == TYPE_STRING))
            return true;
        return m->casts && (t->kind == TYPE_NULL ||
                            (!m->exact && coerce_implicit(t, rule->type, m->ctx->ansi)));
    case RULE_ARRAY:
        if (t->kind == TYPE_NULL)
            return m->casts &&
                   (rule->parts[0]->kind != RULE_VAR || bind_var(m, rule->parts[0]->var, t, false));
        return t->kind == TYPE_ARRAY && match(m, rule->parts[0], t->array.element, t->array.nulls);
    case RULE_MAP:
        if (t->kind == TYPE_NULL)
            return m->casts;
        return t->kind == TYPE_MAP && match(m, rule->parts[0], t->map.key, false) &&
               match(m, rule->parts[1], t->map.value, t->map.nulls);
    case RULE_FN:
        return true;
    default:
        return class_accepts(rule->kind, t) ||
               (m->casts && (!m->exact || t->kind == TYPE_NULL) &&
                class_cast(rule->kind, t, m->ctx->arena) != NULL);
    }
}

static const Type *build(const Rule *rule, const Binding *b, const BoundExprVec *args, Arena *arena,
                         bool *nulls);

static bool part_nulls(const Rule *part, const Binding *b) {
    if (part->nulls)
        return part->nulls == '?';
    return part->kind == RULE_VAR ? b->nulls[part->var - 'A'] : true;
}

static const Type *build(const Rule *rule, const Binding *b, const BoundExprVec *args, Arena *arena,
                         bool *nulls) {
    *nulls = part_nulls(rule, b);
    bool inner;
    switch (rule->kind) {
    case RULE_TYPE:
        return rule->type;
    case RULE_VAR: {
        const Type *t = b->vars[rule->var - 'A'];
        return t ? t : type_simple(TYPE_NULL);
    }
    case RULE_ARG:
        return args->at[rule->arg]->type;
    case RULE_ARRAY: {
        const Type *element = build(rule->parts[0], b, args, arena, &inner);
        return type_array(element, inner, arena);
    }
    case RULE_MAP: {
        const Type *key = build(rule->parts[0], b, args, arena, &inner);
        const Type *value = build(rule->parts[1], b, args, arena, &inner);
        return type_map(key, value, inner, arena);
    }
    case RULE_INTERVAL_YM:
        return type_simple(TYPE_INTERVAL_YM);
    case RULE_INTERVAL_DT:
        return type_simple(TYPE_INTERVAL_DT);
    default:
        return type_simple(TYPE_NULL);
    }
}

/* The type an argument of type t is cast to under the rule; t itself when it fits. */
static const Type *target_type(const Rule *rule, const Type *t, const Binding *b,
                               const FuncContext *ctx) {
    bool nulls;
    switch (rule->kind) {
    case RULE_TYPE:
        return type_is_stringy(t) && rule->type->kind == TYPE_STRING ? t : rule->type;
    case RULE_VAR:
        return build(rule, b, NULL, ctx->arena, &nulls);
    case RULE_ARRAY:
        if (t->kind != TYPE_ARRAY)
            return build(rule, b, NULL, ctx->arena, &nulls);
        return type_array(target_type(rule->parts[0], t->array.element, b, ctx), t->array.nulls,
                          ctx->arena);
    case RULE_MAP:
        if (t->kind != TYPE_MAP)
            return build(rule, b, NULL, ctx->arena, &nulls);
        return type_map(target_type(rule->parts[0], t->map.key, b, ctx),
                        target_type(rule->parts[1], t->map.value, b, ctx), t->map.nulls,
                        ctx->arena);
    case RULE_FN:
    case RULE_ANY:
        return t;
    default:
        return class_accepts(rule->kind, t) ? t : class_cast(rule->kind, t, ctx->arena);
    }
}

/* ---- applying ---- */

BoundExpr *func_coerce(BoundExpr *e, const Type *to, const FuncContext *ctx) {
    if (type_same_shape(e->type, to))
        return e;
    if (e->kind == BEXPR_LITERAL && e->literal.is_null) {
        BoundExpr *null = bound_literal(value_null(to), ctx->arena);
        null->implicit = true;
        null->origin = e->origin;
        return null;
    }
    BoundExpr *c = bound_cast(e, to, ctx->ansi ? CAST_ANSI : CAST_LEGACY, true, ctx->arena);
    c->cast.zone = ctx->zone;
    return c;
}

bool func_coerce_all(FuncCall *call, size_t from, size_t to, const FuncContext *ctx,
                     const Type **common, Error *err) {
    const Type *t = type_simple(TYPE_NULL);
    for (size_t i = from; i < to; i++) {
        t = coerce_common(t, call->args.at[i]->type, ctx->ansi, ctx->arena);
        if (!t)
            return func_diff_types(call, ctx, err);
    }
    for (size_t i = from; i < to; i++)
        call->args.at[i] = func_coerce(call->args.at[i], t, ctx);
    *common = t;
    return true;
}

static bool foldable_child(BoundExpr **child, void *arg) {
    bool *foldable = arg;
    *foldable &= func_is_foldable(*child);
    return *foldable;
}

bool func_is_foldable(const BoundExpr *e) {
    switch (e->kind) {
    case BEXPR_COLUMN:
    case BEXPR_SUBQUERY:
    case BEXPR_AGGREGATE:
    case BEXPR_WINDOW:
    case BEXPR_GENERATOR:
    case BEXPR_PYTHON:
        return false;
    case BEXPR_CALL:
        if (e->call.row->flags & FUNC_NONDETERMINISTIC)
            return false;
        break;
    default:
        break;
    }
    bool foldable = true;
    bound_each_child((BoundExpr *)e, foldable_child, &foldable);
    return foldable;
}

const Value *func_constant(const BoundExpr *e) {
    const Type *asked = e->type;
    while (e->kind == BEXPR_CAST && e->implicit)
        e = e->cast.child;
    const Value *v = e->kind == BEXPR_LITERAL ? &e->literal : e->folded;
    if (!v)
        return NULL;
    const Type *have = v->type;
    bool same = type_is_stringy(have) == type_is_stringy(asked) &&
                (have->kind == TYPE_BOOLEAN) == (asked->kind == TYPE_BOOLEAN);
    return v->is_null || same ? v : NULL;
}

static bool whole_of(const Value *v, int64_t *out) {
    if (type_is_integral(v->type))
        *out = v->integer;
    else if (v->type->kind == TYPE_FLOAT || v->type->kind == TYPE_DOUBLE)
        *out = v->real > -1e18 && v->real < 1e18 ? (int64_t)v->real : 0;
    else if (v->type->kind != TYPE_DECIMAL)
        return type_is_stringy(v->type) && str_to_i64(str_trim(v->bytes), out);
    else if (v->type->decimal.precision > 18)
        return false;
    else
        *out = (int64_t)v->decimal.low;
    for (int i = 0; v->type->kind == TYPE_DECIMAL && i < v->type->decimal.scale; i++)
        *out /= 10;
    return true;
}

bool func_constant_int(const BoundExpr *e, int64_t *out) {
    bool whole = false; /* a cast to an integer drops the fraction */
    while (e->kind == BEXPR_CAST && e->implicit) {
        whole |= type_is_integral(e->type);
        e = e->cast.child;
    }
    const Value *v = e->kind == BEXPR_LITERAL ? &e->literal : e->folded;
    if (whole && v && !v->is_null)
        return whole_of(v, out);
    if (e->kind == BEXPR_CALL && e->call.args.len == 1 &&
        (!strcmp(e->call.row->name, "negative") || !strcmp(e->call.row->name, "unary_minus"))) {
        return func_constant_int(e->call.args.at[0], out) && !__builtin_sub_overflow(0, *out, out);
    }
    if (!v || v->is_null || !type_is_integral(e->type))
        return false;
    *out = v->integer;
    return true;
}

bool func_any_nullable(const FuncCall *call) {
    for (size_t i = 0; i < call->args.len; i++)
        if (call->args.at[i]->kind != BEXPR_LAMBDA && call->args.at[i]->nullable)
            return true;
    return false;
}

/* Of the rules that take the arguments with casts, the one that casts the fewest; the first of equals. */
static size_t count_exact(const Alternative *a, const FuncCall *call, const FuncContext *ctx) {
    size_t exact = 0;
    for (size_t i = 0; i < call->args.len; i++) {
        Binding own = {0};
        Matcher m = {ctx, &own, false, false};
        const BoundExpr *arg = call->args.at[i];
        exact += arg->kind != BEXPR_LAMBDA && match(&m, param_at(a, i), arg->type, arg->nullable);
    }
    return exact;
}

static bool try_alternative(const Alternative *a, const FuncCall *call, const FuncContext *ctx,
                            bool casts, Binding *b, size_t *failed) {
    *b = (Binding){0};
    Matcher m = {ctx, b, casts, call->row && call->row->flags & FUNC_EXACT};
    for (size_t i = 0; i < call->args.len; i++) {
        const BoundExpr *arg = call->args.at[i];
        const Rule *rule = param_at(a, i);
        bool lambda = arg->kind == BEXPR_LAMBDA;
        if ((lambda && rule->kind != RULE_FN) ||
            (!lambda && !match(&m, rule, arg->type, arg->nullable))) {
            *failed = i;
            return false;
        }
    }
    return true;
}

static void put_counts(Buf *b, const Signature *s) {
    bool fits[20];
    size_t found = 0, first = 0;
    for (size_t n = 0; n < LENGTH_OF(fits); n++) {
        fits[n] = false;
        for (size_t k = 0; k < s->count && !fits[n]; k++)
            fits[n] = count_fits(&s->at[k], n);
        if (fits[n] && !found++)
            first = n;
    }
    if (fits[LENGTH_OF(fits) - 1]) {
        buf_addf(b, "> %zu", first ? first - 1 : 0);
    } else if (found == 1) {
        buf_addf(b, "%zu", first);
    } else {
        bool any = false;
        for (size_t n = 0; n < LENGTH_OF(fits); n++)
            if (fits[n]) {
                buf_addf(b, "%s%zu", any ? ", " : "[", n);
                any = true;
            }
        buf_addc(b, ']');
    }
}

/* What all alternatives of this length want at a position: "STRING" or ("STRING" or "BINARY"). */
static bool put_required(Buf *out, const Signature *s, size_t argc, size_t index, Arena *arena) {
    Str seen[16];
    size_t count = 0;
    for (size_t k = 0; k < s->count; k++) {
        const Rule *rule = count_fits(&s->at[k], argc) ? param_at(&s->at[k], index) : NULL;
        if (!rule)
            continue;
        Buf one = buf_in(arena);
        put_rule(&one, rule, arena);
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known |= str_eq(seen[i], buf_str(&one));
        if (!known && count < LENGTH_OF(seen))
            seen[count++] = buf_str(&one);
    }
    if (count > 1)
        buf_addc(out, '(');
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s" STR_FMT, i ? " or " : "", STR_ARG(seen[i]));
    if (count > 1)
        buf_addc(out, ')');
    return count > 0;
}

static bool refuse(const Signature *s, const FuncCall *call, const FuncContext *ctx, Error *err) {
    size_t furthest = 0;
    bool common = false, over_arrays = false, over_maps = false;
    for (size_t k = 0; k < s->count; k++) {
        Binding b;
        size_t failed = 0;
        if (count_fits(&s->at[k], call->args.len) &&
            !try_alternative(&s->at[k], call, ctx, true, &b, &failed) && failed >= furthest) {
            furthest = failed;
            common = b.failed_common;
            over_arrays = s->at[k].count && s->at[k].params[0]->kind == RULE_ARRAY;
            over_maps = s->at[k].count && s->at[k].params[0]->kind == RULE_MAP;
        }
    }
    const BoundExpr *first = call->args.at[0];
    if (common && over_arrays && call->args.len == 2 && first->type && first->type->kind == TYPE_ARRAY &&
        call->args.at[1]->type->kind == TYPE_ARRAY)
        return error_set(err, ERR_DATATYPE_MISMATCH__BINARY_ARRAY_DIFF_TYPES,
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("functionName", func_name_text(call, ctx)), PZ("arrayType", "\"ARRAY\""),
                         P("leftType", func_quoted_type(first->type, ctx)),
                         P("rightType", func_quoted_type(call->args.at[1]->type, ctx)));
    bool map = over_maps && first->type && first->type->kind == TYPE_MAP && call->args.len == 2;
    if (common && (map || (over_arrays && first->type && first->type->kind == TYPE_ARRAY)))
        return error_set(err,
                         map ? ERR_DATATYPE_MISMATCH__MAP_FUNCTION_DIFF_TYPES
                             : ERR_DATATYPE_MISMATCH__ARRAY_FUNCTION_DIFF_TYPES,
                         P("sqlExpr", func_call_text(call, ctx)),
                         P("functionName", func_name_text(call, ctx)),
                         PZ("dataType", map ? "\"MAP\"" : "\"ARRAY\""),
                         P("leftType", func_quoted_type(first->type, ctx)),
                         P("rightType", func_quoted_type(call->args.at[furthest]->type, ctx)));
    if (common)
        return func_diff_types(call, ctx, err);
    Buf required = buf_in(ctx->arena);
    put_required(&required, s, call->args.len, furthest, ctx->arena);
    return func_unexpected_type(call, furthest, str_z(buf_str(&required), ctx->arena), ctx, err);
}

static bool apply_lambda(FuncCall *call, size_t i, const Rule *rule, Binding *b,
                         const FuncContext *ctx, Error *err) {
    BoundExpr *lambda = call->args.at[i];
    const Rule *result = rule->parts[3];
    Matcher m = {ctx, b, true};
    const Type *body = lambda->lambda.body->type;
    bool known = result->kind == RULE_VAR && b->seen[result->var - 'A'];
    if (known && type_same_shape(b->vars[result->var - 'A'], body)) {
        b->nulls[result->var - 'A'] |= lambda->lambda.body->nullable;
        return true;
    }
    if (!match(&m, result, body, lambda->lambda.body->nullable)) {
        Buf required = buf_in(ctx->arena);
        put_rule(&required, result, ctx->arena);
        return func_unexpected_type(call, i, str_z(buf_str(&required), ctx->arena), ctx, err);
    }
    const Type *want = target_type(result, body, b, ctx);
    lambda->lambda.body = func_coerce(lambda->lambda.body, want, ctx);
    lambda->type = lambda->lambda.body->type;
    return true;
}

/* What is no lambda is one that ignores its parameters. Its ids are above all that the analyzer
 * hands out. */
static BoundExpr *constant_lambda(BoundExpr *body, const Rule *rule, const FuncContext *ctx) {
    enum { FIRST_ID = 1u << 30 };
    BoundExpr *l = bound_new(BEXPR_LAMBDA, body->type, body->nullable, ctx->arena);
    l->lambda.body = body;
    l->lambda.count = rule->required_parts;
    for (size_t i = 0; i < rule->required_parts && i < 3; i++) {
        l->lambda.ids[i] = (uint32_t)(FIRST_ID + i);
        l->lambda.names[i] = S("x");
    }
    return l;
}

/* Dates and times are one family to implicit casts, but no cast makes a time of a date or the other way. */
static bool never_casts(const Type *from, const Type *to) {
    bool from_time = from->kind == TYPE_TIME, to_time = to->kind == TYPE_TIME;
    const Type *other = from_time ? to : from;
    return from_time != to_time && (other->kind == TYPE_DATE || other->kind == TYPE_TIMESTAMP ||
                                    other->kind == TYPE_TIMESTAMP_NTZ);
}


static bool coerce_argument(FuncCall *call, size_t i, const Type *to, const FuncContext *ctx,
                            Error *err) {
    BoundExpr *arg = call->args.at[i];
    if (never_casts(arg->type, to))
        return error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION,
                         P("sqlExpr", func_quoted_sql(arg, ctx)),
                         P("srcType", func_quoted_type(arg->type, ctx)),
                         P("targetType", func_quoted_type(to, ctx)));
    call->args.at[i] = func_coerce(arg, to, ctx);
    return true;
}

bool func_apply_signature(FuncCall *call, const char *signature, const FuncContext *ctx,
                          Error *err) {
    const Signature *s = signature_of(signature);
    const Alternative *chosen = NULL;
    Binding b;
    size_t failed;
    bool counts = false;
    size_t most = 0;
    for (int casts = 0; casts < 2 && !chosen; casts++)
        for (size_t k = 0; k < s->count && (casts || !chosen); k++)
            if (count_fits(&s->at[k], call->args.len)) {
                Binding tried;
                counts = true;
                if (!try_alternative(&s->at[k], call, ctx, casts, &tried, &failed))
                    continue;
                size_t exact = casts ? count_exact(&s->at[k], call, ctx) : 0;
                if (chosen && exact <= most)
                    continue;
                chosen = &s->at[k];
                most = exact;
                b = tried;
            }
    if (!counts) {
        Buf expected = buf_in(ctx->arena);
        put_counts(&expected, s);
        return func_wrong_arg_count(call, str_z(buf_str(&expected), ctx->arena), ctx, err);
    }
    if (!chosen)
        return refuse(s, call, ctx, err);
    for (size_t i = 0; i < call->args.len; i++) {
        const Rule *rule = param_at(chosen, i);
        BoundExpr *arg = call->args.at[i];
        if (rule->kind == RULE_FN && arg->kind != BEXPR_LAMBDA)
            arg = call->args.at[i] = constant_lambda(arg, rule, ctx);
        if (arg->kind == BEXPR_LAMBDA)
            TRY(apply_lambda(call, i, rule, &b, ctx, err));
        else
            TRY(coerce_argument(call, i, target_type(rule, arg->type, &b, ctx), ctx, err));
    }
    bool nulls;
    call->result = build(chosen->result, &b, &call->args, ctx->arena, &nulls);
    call->nullable = chosen->result->nulls ? chosen->result->nulls == '?' : func_any_nullable(call);
    return true;
}

bool func_lambda_params(const FuncRow *row, const BoundExprVec *args, size_t index,
                        const FuncContext *ctx, const Type **types, bool *nullable, size_t *count,
                        Error *err) {
    const Signature *s = row->signature ? signature_of(row->signature) : NULL;
    for (size_t k = 0; s && k < s->count; k++) {
        const Alternative *a = &s->at[k];
        const Rule *fn = count_fits(a, args->len) ? param_at(a, index) : NULL;
        if (!fn || fn->kind != RULE_FN)
            continue;
        Binding b = {0};
        Matcher m = {ctx, &b, true};
        bool ok = true;
        for (size_t i = 0; i < args->len && ok; i++) {
            const BoundExpr *arg = args->at[i];
            const Rule *rule = param_at(a, i);
            if (!arg)
                ok = rule->kind == RULE_FN;
            else if (arg->kind == BEXPR_LAMBDA && rule->kind == RULE_FN)
                match(&m, rule->parts[3], arg->type, arg->nullable);
            else
                ok = rule->kind != RULE_FN && match(&m, rule, arg->type, arg->nullable);
        }
        if (!ok)
            continue;
        if (*count < fn->required_parts || *count > fn->part_count)
            *count = fn->part_count;
        for (size_t i = 0; i < *count && i < 3; i++)
            types[i] = build(fn->parts[i], &b, NULL, ctx->arena, &nullable[i]);
        return true;
    }
    bool counts = false;
    for (size_t k = 0; s && k < s->count; k++)
        counts |= count_fits(&s->at[k], args->len);
    if (s && !counts) {
        FuncCall call = {.row = row, .written_name = str_from(row->name), .args = *args};
        Buf expected = buf_in(ctx->arena);
        put_counts(&expected, s);
        return func_wrong_arg_count(&call, str_z(buf_str(&expected), ctx->arena), ctx, err);
    }
    for (size_t i = 0; s && i < args->len; i++)
        if (args->at[i]) {
            FuncCall call = {.row = row, .written_name = str_from(row->name)};
            vec_push(ctx->arena, &call.args, args->at[i]);
            Buf required = buf_in(ctx->arena);
            put_required(&required, s, args->len, i, ctx->arena);
            return func_unexpected_type(&call, 0, str_z(buf_str(&required), ctx->arena), ctx, err);
        }
    return error_set(err, ERR_INVALID_LAMBDA_FUNCTION_CALL__NON_HIGHER_ORDER_FUNCTION,
                     P("class", str_from(row->name)));
}

bool func_resolve(FuncCall *call, const FuncContext *ctx, Error *err) {
    const FuncRow *row = call->row;
    bool collated = collate_is_needed(&call->args);
    BoundExprVec before = {0};
    if (collated) {
        TRY(collate_arguments(call, ctx, err));
        for (size_t i = 0; i < call->args.len; i++)
            vec_push(ctx->arena, &before, call->args.at[i]);
    }
    if (row->signature)
        TRY(func_apply_signature(call, row->signature, ctx, err));
    if (row->bind)
        TRY(row->bind(call, ctx, err));
    if (collated)
        collate_result(call, &before, ctx);
    if (row->flags & FUNC_NEVER_NULL)
        call->nullable = false;
    if (row->flags & FUNC_ALWAYS_NULLABLE)
        call->nullable = true;
    return true;
}

bool func_is_numeric_constant(const BoundExpr *e) {
    while (e->kind == BEXPR_CAST)
        e = e->cast.child;
    if (e->kind == BEXPR_CALL && e->call.args.len == 1 &&
        (!strcmp(e->call.row->name, "negative") || !strcmp(e->call.row->name, "unary_minus")))
        return func_is_numeric_constant(e->call.args.at[0]);
    return e->kind == BEXPR_LITERAL;
}
