/* name => value in calls of built-in functions: only those whose parameters have names in Spark take it. */
#include "analyze/analyze_impl.h"

enum { PARAMETERS_MAX = 5 };

/* fill: what stands for a parameter that is not given, a text, or a number where it begins with a digit; FILL_NULL: NULL; NULL pointer: it
 * is required. */
#define FILL_NULL ""
typedef struct Parameter {
    const char *name, *fill;
} Parameter;

typedef struct Signature {
    const char *function;
    Parameter parameters[PARAMETERS_MAX];
} Signature;

#define COLLECTION {{"collection", NULL}}
#define INPUT {{"input", NULL}}
#define TUPLES {{"first", NULL}, {"second", NULL}, {"lgNomEntries", "12"}, {"mode", "sum"}}
#define TUPLE_SKETCH {{"key", NULL}, {"summary", NULL}, {"lgNomEntries", "12"}, {"mode", "sum"}}
#define TUPLE_UNION {{"child", NULL}, {"lgNomEntries", "12"}, {"mode", "sum"}}

static const Signature SIGNATURES[] = {
    {"mask", {{"str", NULL}, {"upperChar", "X"}, {"lowerChar", "x"}, {"digitChar", "n"}, {"otherChar", FILL_NULL}}},
    {"count_min_sketch", {{"column", NULL}, {"epsilon", NULL}, {"confidence", NULL}, {"seed", FILL_NULL}}},
    {"explode", COLLECTION},
    {"explode_outer", COLLECTION},
    {"posexplode", COLLECTION},
    {"posexplode_outer", COLLECTION},
    {"inline", INPUT},
    {"inline_outer", INPUT},
    {"variant_explode", INPUT},
    {"variant_explode_outer", INPUT},
    {"tuple_union_double", TUPLES},
    {"tuple_union_integer", TUPLES},
    {"tuple_union_theta_double", TUPLES},
    {"tuple_union_theta_integer", TUPLES},
    {"tuple_sketch_agg_double", TUPLE_SKETCH},
    {"tuple_sketch_agg_integer", TUPLE_SKETCH},
    {"tuple_union_agg_double", TUPLE_UNION},
    {"tuple_union_agg_integer", TUPLE_UNION},
};

static const Signature *signature_of(const char *function)
{
    for (size_t i = 0; i < LENGTH_OF(SIGNATURES); i++)
        if (str_is(str_from(function), SIGNATURES[i].function))
            return &SIGNATURES[i];
    return NULL;
}

static size_t parameter_count(const Signature *s)
{
    size_t n = 0;
    while (n < PARAMETERS_MAX && s->parameters[n].name)
        n++;
    return n;
}

static Str quoted(Analyzer *a, const char *name)
{
    return str_printf(a->arena, "`%s`", name);
}

static Str quoted_names(Analyzer *a, const Signature *s)
{
    Buf b = buf_in(a->arena);
    for (size_t i = 0; i < parameter_count(s); i++)
        buf_addf(&b, "%s`%s`", i ? " " : "", s->parameters[i].name);
    return buf_str(&b);
}

static bool has_named(const Expr *e)
{
    for (size_t i = 0; i < e->call.args.len; i++)
        if (e->call.args.at[i]->kind == EXPR_NAMED_ARGUMENT)
            return true;
    return false;
}

static bool place_named(Analyzer *a, const Signature *s, const char *function, Expr *arg, Expr **places, const bool *positional, Error *err)
{
    Str name = arg->named_argument.name, routine = quoted(a, function);
    for (size_t i = 0; i < parameter_count(s); i++) {
        if (!str_is_ci(name, s->parameters[i].name))
            continue;
        if (places[i])
            return positional[i] ? error_set(err, ERR_DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT__BOTH_POSITIONAL_AND_NAMED, P("routineName", routine),
                                             P("parameterName", quoted(a, s->parameters[i].name)))
                                 : error_set(err, ERR_DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT__DOUBLE_NAMED_ARGUMENT_REFERENCE,
                                             P("routineName", routine), P("parameterName", quoted(a, s->parameters[i].name)));
        places[i] = arg->named_argument.value;
        return true;
    }
    return error_set(err, ERR_UNRECOGNIZED_PARAMETER_NAME, P("routineName", routine), P("argumentName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(name))),
                     P("proposal", quoted_names(a, s)));
}

static Value filled(const char *fill)
{
    int64_t n;
    if (!fill[0])
        return value_null(type_simple(TYPE_NULL));
    return str_to_i64(str_from(fill), &n) ? value_int(TYPE_INT, n) : value_string(str_from(fill));
}

/* What stands before the last argument that is given is filled; the rest is left to the function. */
static bool fill_places(Analyzer *a, const Signature *s, const char *function, Expr **places, ExprVec *out, Error *err)
{
    size_t last = 0;
    for (size_t i = 0; i < parameter_count(s); i++) {
        if (!places[i] && !s->parameters[i].fill)
            return error_set(err, ERR_REQUIRED_PARAMETER_NOT_FOUND, P("routineName", quoted(a, function)),
                             P("parameterName", quoted(a, s->parameters[i].name)), P("index", str_printf(a->arena, "%zu", i)));
        last = places[i] ? i + 1 : last;
    }
    for (size_t i = 0; i < last; i++) {
        vec_push(a->arena, out, places[i] ? places[i] : expr_literal(filled(s->parameters[i].fill), a->arena));
    }
    return true;
}

bool arrange_arguments(Analyzer *a, const char *function, const Expr *e, Expr *out, Error *err)
{
    static const char *const FREE[] = {"struct", "when"}; /* Spark takes any name there, and forgets it */
    Expr *places[PARAMETERS_MAX] = {NULL};
    bool positional[PARAMETERS_MAX] = {false};
    const Signature *s = signature_of(function);
    *out = *e;
    if (!has_named(e))
        return true;
    for (size_t i = 0; i < LENGTH_OF(FREE); i++)
        if (str_is(str_from(function), FREE[i]))
            return true;
    if (!s)
        return error_set(err, ERR_NAMED_PARAMETERS_NOT_SUPPORTED, P("functionName", quoted(a, function)));
    const Expr *named = NULL;
    for (size_t i = 0; i < e->call.args.len; i++) {
        Expr *arg = e->call.args.at[i];
        if (arg->kind == EXPR_NAMED_ARGUMENT) {
            named = arg;
            TRY(place_named(a, s, function, arg, places, positional, err));
            continue;
        }
        if (named)
            return error_set(err, ERR_UNEXPECTED_POSITIONAL_ARGUMENT, P("routineName", quoted(a, function)),
                             P("parameterName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(named->named_argument.name))));
        if (i >= parameter_count(s))
            return true; /* the function itself says that there are too many */
        places[i] = arg;
        positional[i] = true;
    }
    out->call.args = (ExprVec){0};
    return fill_places(a, s, function, places, &out->call.args, err);
}
