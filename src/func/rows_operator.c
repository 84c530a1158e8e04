/* Operators: arithmetic with Spark's result types, comparison, logic, bits, LIKE and IN. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"

static const char ARITHMETIC_INPUT[] =
    "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")";

static const char DIV_INPUT[] =
    "(\"BIGINT\" or \"DECIMAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")";

/* '+', '-', '*', '/', '%', 'i' (div), 'p' (pmod). */
static char op_of(const FuncRow *row) {
    static const struct {
        const char *name;
        char op;
    } OPS[] = {
        {"+", '+'},
        {"-", '-'},
        {"*", '*'},
        {"/", '/'},
        {"%", '%'},
        {"div", 'i'},
        {"pmod", 'p'},
        {"mod", '%'},
        {"try_add", '+'},
        {"try_subtract", '-'},
        {"try_multiply", '*'},
        {"try_divide", '/'},
        {"try_mod", '%'},
        {"multiply_interval", '*'},
        {"divide_interval", '/'},
    };
    for (size_t i = 0; i < LENGTH_OF(OPS); i++)
        if (!strcmp(row->name, OPS[i].name))
            return OPS[i].op;
    return 0;
}

static bool is_try(const FuncRow *row) { return !strncmp(row->name, "try_", 4); }

static int mode_of(const FuncRow *row, const FuncContext *ctx) {
    return is_try(row) ? CAST_TRY : ctx->ansi ? CAST_ANSI : CAST_LEGACY;
}

static BoundExpr *arg(const FuncCall *call, size_t i) { return call->args.at[i]; }

static void set_arg(FuncCall *call, size_t i, const Type *t, const FuncContext *ctx) {
    call->args.at[i] = func_coerce(arg(call, i), t, ctx);
}

/* The call becomes one of another row, under that row's own rules. */
static bool become(FuncCall *call, const char *name, const FuncContext *ctx, Error *err) {
    call->row = func_find(str_from(name));
    call->written_name = str_from(name);
    if (!call->row)
        return error_unsupported(err, "the operation %s", name);
    return func_resolve(call, ctx, err);
}

static void swap_args(FuncCall *call) {
    BoundExpr *first = call->args.at[0];
    call->args.at[0] = call->args.at[1];
    call->args.at[1] = first;
}

/* ---- dates and intervals ---- */

static bool is_kind(const BoundExpr *e, TypeKind k) { return e->type->kind == k; }

static bool is_interval_type(const Type *t) {
    return t->kind == TYPE_INTERVAL_YM || t->kind == TYPE_INTERVAL_DT ||
           t->kind == TYPE_INTERVAL_CALENDAR;
}

static bool is_stamp(const Type *t) {
    return t->kind == TYPE_TIMESTAMP || t->kind == TYPE_TIMESTAMP_NTZ;
}

/* The call of another row on one argument. */
static bool apply_to(const FuncCall *call, const char *name, BoundExpr *child,
                     const FuncContext *ctx, BoundExpr **out, Error *err) {
    FuncCall inner = {.origin = call->origin};
    vec_push(ctx->arena, &inner.args, child);
    TRY(become(&inner, name, ctx, err));
    *out = bound_new(BEXPR_CALL, inner.result, inner.nullable, ctx->arena);
    (*out)->call.row = inner.row;
    (*out)->call.written_name = inner.written_name;
    (*out)->call.args = inner.args;
    return true;
}

/* Day-only intervals keep a date a date; others make it a timestamp. */
static bool date_plus_interval(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    const Type *i = arg(call, 1)->type;
    if (i->kind == TYPE_INTERVAL_YM)
        return become(call, op == '+' ? "date_plus_months" : "date_minus_months", ctx, err);
    if (i->kind == TYPE_INTERVAL_CALENDAR)
        return become(call, op == '+' ? "date_plus_interval" : "date_minus_interval", ctx, err);
    if (i->interval.from == UNIT_DAY && i->interval.to == UNIT_DAY) {
        BoundExpr *days;
        TRY(apply_to(call, "extractansiintervaldays", arg(call, 1), ctx, &days, err));
        if (op == '-')
            TRY(apply_to(call, "unary_minus", days, ctx, &days, err));
        call->args.at[1] = days;
        return become(call, "date_add", ctx, err);
    }
    set_arg(call, 0, type_simple(TYPE_TIMESTAMP), ctx);
    return become(call, op == '+' ? "timestamp_plus_time" : "timestamp_minus_time", ctx, err);
}

static bool stamp_plus_interval(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    const Type *i = arg(call, 1)->type;
    bool ntz = is_kind(arg(call, 0), TYPE_TIMESTAMP_NTZ);
    static const char *const NAMES[2][3][2] = {
        {{"timestamp_plus_months", "timestamp_minus_months"},
         {"timestamp_plus_time", "timestamp_minus_time"},
         {"timestamp_plus_interval", "timestamp_minus_interval"}},
        {{"ntz_plus_months", "ntz_minus_months"},
         {"ntz_plus_time", "ntz_minus_time"},
         {"ntz_plus_interval", "ntz_minus_interval"}},
    };
    int which = i->kind == TYPE_INTERVAL_YM ? 0 : i->kind == TYPE_INTERVAL_DT ? 1 : 2;
    return become(call, NAMES[ntz][which][op == '-'], ctx, err);
}

static bool interval_sum(FuncCall *call, const FuncContext *ctx) {
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    const Type *t = a->kind == TYPE_NULL ? b : a;
    if (a->kind == b->kind && a->kind != TYPE_INTERVAL_CALENDAR)
        t = type_interval(
            a->kind, a->interval.from < b->interval.from ? a->interval.from : b->interval.from,
            a->interval.to > b->interval.to ? a->interval.to : b->interval.to, ctx->arena);
    set_arg(call, 0, t, ctx);
    set_arg(call, 1, t, ctx);
    call->result = t;
    call->nullable = func_any_nullable(call) || (!ctx->ansi && t->kind == TYPE_INTERVAL_CALENDAR);
    return true;
}

static const char STAMP_INPUT[] = "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"";

static bool can_be_stamp(const Type *t) {
    return is_stamp(t) || t->kind == TYPE_DATE || type_is_stringy(t) || t->kind == TYPE_NULL;
}

static bool subtract_stamps(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    for (size_t i = 0; i < 2; i++)
        if (!can_be_stamp(arg(call, i)->type) || (!ctx->ansi && type_is_stringy(arg(call, i)->type)))
            return func_unexpected_type(call, i, STAMP_INPUT, ctx, err);
    bool zoned = a->kind == TYPE_TIMESTAMP || b->kind == TYPE_TIMESTAMP;
    const Type *t = type_simple(zoned ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ);
    set_arg(call, 0, t, ctx);
    set_arg(call, 1, t, ctx);
    return become(call, "subtract_timestamps", ctx, err);
}

/* A text is read as a timestamp, and the sum is a text again. */
static bool text_plus_interval(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    bool time = arg(call, 1)->type->kind == TYPE_INTERVAL_DT;
    set_arg(call, 0, type_simple(TYPE_TIMESTAMP), ctx);
    return become(call,
                  time ? (op == '+' ? "text_plus_time" : "text_minus_time")
                       : (op == '+' ? "text_plus_interval" : "text_minus_interval"),
                  ctx, err);
}

/* TIME beside NULL: an interval is missing in a sum, another time in a difference. */
static bool time_beside_null(const FuncCall *call) {
    TypeKind a = arg(call, 0)->type->kind, b = arg(call, 1)->type->kind;
    return (a == TYPE_TIME && b == TYPE_NULL) || (a == TYPE_NULL && b == TYPE_TIME);
}

/* PromoteStrings outside ANSI: a text beside anything but an interval is a DOUBLE. */
static void promote_text(FuncCall *call, size_t i, const FuncContext *ctx) {
    const Type *t = arg(call, i)->type, *other = arg(call, 1 - i)->type;
    if (!ctx->ansi && type_is_stringy(t) && !is_interval_type(other))
        set_arg(call, i, type_simple(TYPE_DOUBLE), ctx);
}

/* Anything beside a day-time interval is meant to be a timestamp. */
static bool any_plus_time(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    const BoundExpr *left = arg(call, 0);
    if (left->type->kind == TYPE_TIME)
        return become(call, op == '+' ? "time_plus_interval" : "time_minus_interval", ctx, err);
    if (type_is_stringy(left->type))
        return text_plus_interval(call, op, ctx, err);
    if (is_stamp(arg(call, 0)->type))
        return stamp_plus_interval(call, op, ctx, err);
    const FuncRow *row =
        func_find(op == '+' ? S("timestamp_plus_time") : S("timestamp_minus_time"));
    if (row)
        call->row = row;
    return func_unexpected_type(call, 0, STAMP_INPUT, ctx, err);
}

/* A calendar interval, now the second argument, moves timestamps only. */
static bool refuse_beside_calendar(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    const FuncRow *row = func_find(op == '+' ? S("timestamp_plus_interval") : S("timestamp_minus_interval"));
    if (row)
        call->row = row;
    return func_unexpected_type(call, 0, STAMP_INPUT, ctx, err);
}

static bool same_intervals(const Type *a, const Type *b) {
    return (is_interval_type(a) && (a->kind == b->kind || b->kind == TYPE_NULL)) ||
           (is_interval_type(b) && a->kind == TYPE_NULL);
}

static bool bind_time_sum(FuncCall *call, const FuncContext *ctx, bool *done, Error *err) {
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    if (same_intervals(a, b))
        return interval_sum(call, ctx);
    if (time_beside_null(call)) {
        if (a->kind == TYPE_NULL)
            swap_args(call);
        set_arg(call, 1, type_interval(TYPE_INTERVAL_DT, UNIT_DAY, UNIT_SECOND, ctx->arena), ctx);
        return become(call, "time_plus_interval", ctx, err);
    }
    bool swap = (b->kind == TYPE_DATE && !type_is_stringy(a)) || a->kind == TYPE_INTERVAL_DT ||
                (is_interval_type(a) && is_stamp(b)) || (a->kind == TYPE_NULL && is_stamp(b)) ||
                (a->kind == TYPE_INTERVAL_CALENDAR);
    if (swap && !(a->kind == TYPE_DATE && b->kind == TYPE_DATE)) {
        swap_args(call);
        a = arg(call, 0)->type;
        b = arg(call, 1)->type;
    }
    if (a->kind == TYPE_DATE && is_interval_type(b))
        return date_plus_interval(call, '+', ctx, err);
    if (is_stamp(a) && b->kind == TYPE_NULL)
        set_arg(call, 1, type_simple(TYPE_INTERVAL_DT), ctx);
    b = arg(call, 1)->type;
    if (is_stamp(a) && is_interval_type(b))
        return stamp_plus_interval(call, '+', ctx, err);
    if (b->kind == TYPE_INTERVAL_DT)
        return any_plus_time(call, '+', ctx, err);
    if (type_is_stringy(a) && b->kind == TYPE_INTERVAL_CALENDAR)
        return text_plus_interval(call, '+', ctx, err);
    if (b->kind == TYPE_INTERVAL_CALENDAR)
        return refuse_beside_calendar(call, '+', ctx, err);
    if (a->kind == TYPE_DATE || b->kind == TYPE_DATE) {
        TypeKind k = b->kind;
        if (k == TYPE_BYTE || k == TYPE_SHORT || k == TYPE_INT || k == TYPE_NULL)
            return become(call, "date_add", ctx, err);
        const FuncRow *row = func_find(S("date_add"));
        if (row)
            call->row = row;
        call->written_name = S("date_add");
        promote_text(call, 1, ctx);
        return func_unexpected_type(call, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", ctx, err);
    }
    *done = false;
    return true;
}

static bool bind_time_difference(FuncCall *call, const FuncContext *ctx, bool *done, Error *err) {
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    if (same_intervals(a, b))
        return interval_sum(call, ctx);
    if (a->kind == TYPE_DATE && is_interval_type(b))
        return date_plus_interval(call, '-', ctx, err);
    if (is_stamp(a) && is_interval_type(b))
        return stamp_plus_interval(call, '-', ctx, err);
    if (b->kind == TYPE_INTERVAL_DT)
        return any_plus_time(call, '-', ctx, err);
    if (type_is_stringy(a) && b->kind == TYPE_INTERVAL_CALENDAR)
        return text_plus_interval(call, '-', ctx, err);
    if (b->kind == TYPE_INTERVAL_CALENDAR)
        return refuse_beside_calendar(call, '-', ctx, err);
    bool text_time = ctx->ansi && ((a->kind == TYPE_TIME && type_is_stringy(b)) ||
                                   (type_is_stringy(a) && b->kind == TYPE_TIME));
    if ((a->kind == TYPE_TIME && b->kind == TYPE_TIME) || time_beside_null(call) || text_time)
        return become(call, "subtract_times", ctx, err);
    if (is_stamp(a) || is_stamp(b))
        return subtract_stamps(call, ctx, err);
    if (b->kind == TYPE_DATE ||
        (a->kind == TYPE_DATE && ((ctx->ansi && type_is_stringy(b)) || b->kind == TYPE_NULL))) {
        if (a->kind != TYPE_DATE && !type_is_stringy(a) && a->kind != TYPE_NULL)
            return func_unexpected_type(call, 0, "\"DATE\"", ctx, err);
        return become(call, "subtract_dates", ctx, err);
    }
    if (a->kind == TYPE_DATE) {
        TypeKind k = b->kind;
        if (k == TYPE_BYTE || k == TYPE_SHORT || k == TYPE_INT)
            return become(call, "date_sub", ctx, err);
        const FuncRow *row = func_find(S("date_sub"));
        if (row)
            call->row = row;
        call->written_name = S("date_sub");
        promote_text(call, 1, ctx);
        return func_unexpected_type(call, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", ctx, err);
    }
    *done = false;
    return true;
}

/* + and - where a date, timestamp, time or interval takes part; *done says whether one did. */
static bool bind_time_arithmetic(FuncCall *call, char op, const FuncContext *ctx, bool *done,
                                 Error *err) {
    *done = true;
    return op == '+' ? bind_time_sum(call, ctx, done, err)
                     : bind_time_difference(call, ctx, done, err);
}

static bool bind_interval_scale(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    if (op == '*' && !type_is_interval(arg(call, 0)->type))
        swap_args(call);
    const Type *i = arg(call, 0)->type, *n = arg(call, 1)->type;
    if (!type_is_numeric(n) && !type_is_stringy(n) && n->kind != TYPE_NULL)
        return func_unexpected_type(call, 1, "\"NUMERIC\"", ctx, err);
    bool calendar = i->kind == TYPE_INTERVAL_CALENDAR;
    if (!type_is_numeric(n) || n->kind == TYPE_FLOAT || (calendar && n->kind == TYPE_DECIMAL))
        set_arg(call, 1, type_simple(TYPE_DOUBLE), ctx);
    if (calendar && !is_try(call->row)) {
        call->row = func_find(op == '*' ? S("multiply_interval") : S("divide_interval"));
        call->written_name = str_from(call->row->name);
    }
    call->result = type_simple(i->kind);
    call->nullable = calendar || func_any_nullable(call);
    return true;
}

/* ---- numbers ---- */

/* Integer literals count as decimals of just their own digits. */
static const Type *decimal_of(const BoundExpr *e, const FuncContext *ctx) {
    if (type_is_integral(e->type) && e->type->kind != TYPE_BYTE && e->kind == BEXPR_LITERAL &&
        !e->literal.is_null) {
        int digits = 1;
        for (int64_t v = e->literal.integer / 10; v; v /= 10)
            digits++;
        return type_decimal(digits, 0, ctx->arena);
    }
    return type_decimal_for(e->type, ctx->arena);
}

static bool is_number(const Type *t) { return type_is_numeric(t) || t->kind == TYPE_NULL; }

/* What a text beside a number is read as. */
static const Type *promoted_text(const Type *other, const FuncContext *ctx) {
    return ctx->ansi && type_is_integral(other) ? type_simple(TYPE_LONG) : type_simple(TYPE_DOUBLE);
}

static bool bring_numbers_together(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    for (size_t i = 0; i < 2; i++) {
        const Type *other = arg(call, 1 - i)->type;
        if (type_is_stringy(arg(call, i)->type) &&
            (type_is_numeric(other) ||
             (!ctx->ansi && (is_number(other) || type_is_stringy(other)))))
            set_arg(call, i, promoted_text(other, ctx), ctx);
        promote_text(call, i, ctx);
    }
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    if (!is_number(a) || !is_number(b)) {
        const Type *common = coerce_common(a, b, ctx->ansi, ctx->arena);
        bool void_side = a->kind == TYPE_NULL || b->kind == TYPE_NULL;
        if (type_is_datetime(a) && type_is_datetime(b) && a->kind != b->kind)
            common = NULL;
        if (is_interval_type(a) && is_interval_type(b) && !type_equal(a, b))
            common = NULL;
        if (!ctx->ansi && type_is_stringy(a) != type_is_stringy(b))
            common = NULL; /* TypeCoercion: no implicit cast beside an interval */
        if (!common && op == 'i')
            for (size_t i = 0; i < 2; i++)
                if (type_is_integral(arg(call, i)->type))
                    set_arg(call, i, type_simple(TYPE_LONG), ctx);
        if (common) {
            call->args.at[0] = func_coerce(call->args.at[0], common, ctx);
            call->args.at[1] = func_coerce(call->args.at[1], common, ctx);
        }
        return common && (!void_side || type_is_stringy(common))
                   ? func_binary_wrong(call,
                                       op == '+' || op == '-' ? ARITHMETIC_INPUT
                                       : op == '/'            ? "(\"DOUBLE\" or \"DECIMAL\")"
                                       : op == 'i'            ? DIV_INPUT
                                                              : "\"NUMERIC\"",
                                       ctx, err)
                   : func_binary_diff(call, ctx, err);
    }
    if (a->kind == TYPE_NULL && (b->kind == TYPE_NULL || op == '/')) {
        const Type *t = type_simple(op == 'i' ? TYPE_LONG : TYPE_DOUBLE);
        set_arg(call, 0, t, ctx);
        set_arg(call, 1, t, ctx);
        return true;
    }
    if (a->kind == TYPE_NULL || b->kind == TYPE_NULL) {
        set_arg(call, 0, b->kind == TYPE_NULL ? a : b, ctx);
        set_arg(call, 1, b->kind == TYPE_NULL ? a : b, ctx);
        return true;
    }
    bool decimal = a->kind == TYPE_DECIMAL || b->kind == TYPE_DECIMAL;
    bool real = a->kind == TYPE_DOUBLE || b->kind == TYPE_DOUBLE || a->kind == TYPE_FLOAT ||
                b->kind == TYPE_FLOAT;
    if (decimal && !real) {
        set_arg(call, 0, decimal_of(arg(call, 0), ctx), ctx);
        set_arg(call, 1, decimal_of(arg(call, 1), ctx), ctx);
        return true;
    }
    if (op == 'i' && real && (type_is_integral(a) || type_is_integral(b))) {
        set_arg(call, type_is_integral(a) ? 0 : 1, type_simple(TYPE_LONG), ctx);
        return func_binary_diff(call, ctx, err);
    }
    if (op == 'i' && real && a->kind != b->kind)
        return func_binary_diff(call, ctx, err);
    const Type *t = decimal ? type_simple(TYPE_DOUBLE) : coerce_operands(a, b, ctx->ansi, ctx->arena);
    set_arg(call, 0, t, ctx);
    set_arg(call, 1, t, ctx);
    return true;
}

static const Type *decimal_result(char op, const Type *a, const Type *b, const FuncContext *ctx) {
    Str loss;
    bool lossless = ctx->setting && ctx->setting(ctx->self, "spark.sql.decimalOperations.allowPrecisionLoss", &loss) &&
                    str_is_ci(loss, "false");
    return lossless ? coerce_decimal_lossless(op, a, b, ctx->arena) : coerce_decimal_arithmetic(op, a, b, ctx->arena);
}

static bool finish_numbers(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    const Type *t = arg(call, 0)->type;
    bool decimal = t->kind == TYPE_DECIMAL;
    call->nullable = func_any_nullable(call);
    if (op == '/' && !decimal) {
        set_arg(call, 0, type_simple(TYPE_DOUBLE), ctx);
        set_arg(call, 1, type_simple(TYPE_DOUBLE), ctx);
        t = type_simple(TYPE_DOUBLE);
    }
    if (op == 'i') {
        if (t->kind == TYPE_DOUBLE || t->kind == TYPE_FLOAT)
            return func_binary_wrong(call, DIV_INPUT, ctx, err);
        if (!decimal) {
            set_arg(call, 0, type_simple(TYPE_LONG), ctx);
            set_arg(call, 1, type_simple(TYPE_LONG), ctx);
        }
        call->result = type_simple(TYPE_LONG);
    } else {
        call->result = decimal ? decimal_result(op == 'p' ? '%' : op, t, arg(call, 1)->type, ctx) : t;
    }
    if (strchr("/%ip", op) || (!ctx->ansi && decimal))
        call->nullable = true;
    return true;
}

static bool bind_unary_sign(FuncCall *call, char op, const FuncContext *ctx, Error *err) {
    return become(call, op == '-' ? "unary_minus" : "positive", ctx, err);
}

static bool bind_plain(FuncCall *call, const FuncContext *ctx, Error *err);

/* try_add(a, b) is a + b, also in messages, with casts that give NULL. */
static bool bind_arithmetic(FuncCall *call, const FuncContext *ctx, Error *err) {
    const FuncRow *row = call->row;
    if (!is_try(row))
        return bind_plain(call, ctx, err);
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    char name[2] = {op_of(row), '\0'};
    const FuncRow *plain = func_find(str_from(name));
    const Type *first = call->args.at[0]->type;
    call->row = plain;
    TRY(bind_plain(call, ctx, err));
    bool swapped = first->kind != TYPE_DATE;
    if (op_of(call->row) == op_of(row)) { /* itself, or the same operator over intervals */
        call->written_name = call->row == plain ? call->written_name : str_from(row->name);
        call->row = row;
    }
    else if (swapped && !strcmp(call->row->name, "date_add"))
        call->row = func_find(S("try_date_add_swapped"));
    else
        call->written_name = str_from(row->name); /* what it is called, whatever it became */
    for (size_t i = 0; i < call->args.len; i++)
        if (call->args.at[i]->kind == BEXPR_CAST && call->args.at[i]->implicit)
            call->args.at[i]->cast.mode = CAST_TRY;
    call->nullable = true;
    return true;
}

static bool bind_plain(FuncCall *call, const FuncContext *ctx, Error *err) {
    char op = op_of(call->row);
    if (call->args.len == 1 && (op == '+' || op == '-'))
        return bind_unary_sign(call, op, ctx, err);
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    if (op == '+' || op == '-') {
        bool done;
        TRY(bind_time_arithmetic(call, op, ctx, &done, err));
        if (done)
            return true;
    }
    bool interval =
        type_is_interval(arg(call, 0)->type) || (op == '*' && type_is_interval(arg(call, 1)->type));
    if (interval && (op == '*' || op == '/'))
        return bind_interval_scale(call, op, ctx, err);
    if (op == 'i' && same_intervals(arg(call, 0)->type, arg(call, 1)->type)) {
        const Type *t = is_kind(arg(call, 0), TYPE_NULL) ? arg(call, 1)->type : arg(call, 0)->type;
        for (size_t i = 0; i < 2; i++)
            if (is_kind(arg(call, i), TYPE_NULL))
                set_arg(call, i, t, ctx);
        call->result = type_simple(TYPE_LONG);
        call->nullable = true;
        return true;
    }
    TRY(bring_numbers_together(call, op, ctx, err));
    return finish_numbers(call, op, ctx, err);
}

/* ---- their texts ---- */

static const char *decimal_function(char op) {
    return op == '+'   ? "add"
           : op == '-' ? "subtract"
           : op == '*' ? "multiply"
           : op == '/' ? "divide"
                       : "mod";
}

/* DuckDB's own +, -, * of decimals of 64 bits fail where the result has more than 18 digits, and are slow with more bits. */
static bool decimals_stay_narrow(char op, const Type *a, const Type *b) {
    int pa = a->decimal.precision, sa = a->decimal.scale, pb = b->decimal.precision,
        sb = b->decimal.scale;
    if (op == '*')
        return pa + pb <= 18;
    int s = sa > sb ? sa : sb, whole = pa - sa > pb - sb ? pa - sa : pb - sb;
    return (op == '+' || op == '-') && whole + s + 1 <= 18;
}

static bool render_arithmetic(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx, Buf *out,
                              Error *err);

Str func_wide_decimal(const BoundExpr *e, Str text, Arena *arena) {
    bool arithmetic = e->kind == BEXPR_CALL && e->type->kind == TYPE_DECIMAL && e->call.row->render == render_arithmetic;
    Str cast = str_printf(arena, " AS " STR_FMT ")", STR_ARG(type_duckdb(e->type, arena)));
    if (!arithmetic || !str_starts_with(text, S("CAST(ls_decimal_")) || !str_ends_with(text, cast))
        return text;
    return str_slice(text, 5, text.len - cast.len);
}

static void put_decimal_call(const BoundExpr *call, const Str *args, char op, int mode,
                             const FuncContext *ctx, Buf *out) {
    const Type *a = call->call.args.at[0]->type, *b = call->call.args.at[1]->type, *r = call->type;
    if (op == 'i') { /* the whole part of the quotient, wide enough for any two decimals */
        buf_addf(out, "ls_decimal_div(" STR_FMT ", " STR_FMT ", %d)", STR_ARG(args[0]),
                 STR_ARG(args[1]), mode);
    } else if (op == 'p') {
        buf_addf(out, "CAST(ls_decimal_pmod_%d(" STR_FMT ", " STR_FMT ", %d, %d) AS " STR_FMT ")",
                 r->decimal.scale, STR_ARG(args[0]), STR_ARG(args[1]), r->decimal.precision, mode,
                 STR_ARG(type_duckdb(r, ctx->arena)));
    } else if (decimals_stay_narrow(op, a, b)) {
        buf_addf(out, "CAST(" STR_FMT " %c " STR_FMT " AS " STR_FMT ")", STR_ARG(args[0]), op,
                 STR_ARG(args[1]), STR_ARG(type_duckdb(r, ctx->arena)));
    } else {
        Str left = func_wide_decimal(call->call.args.at[0], args[0], ctx->arena);
        Str right = func_wide_decimal(call->call.args.at[1], args[1], ctx->arena);
        buf_addf(out, "CAST(ls_decimal_%s_%d(" STR_FMT ", " STR_FMT ", %d, %d) AS " STR_FMT ")",
                 decimal_function(op), r->decimal.scale, STR_ARG(left), STR_ARG(right),
                 r->decimal.precision, mode, STR_ARG(type_duckdb(r, ctx->arena)));
    }
}

static bool is_nonzero_literal(const BoundExpr *e) {
    const Value *v = func_constant(e);
    if (!v || v->is_null)
        return false;
    return type_is_integral(v->type) ? v->integer != 0 && v->integer != -1
           : v->type->kind == TYPE_DOUBLE || v->type->kind == TYPE_FLOAT ? v->real != 0
                                                                         : false;
}

static int bits_of(const Type *t) {
    return t->kind == TYPE_BYTE ? 8 : t->kind == TYPE_SHORT ? 16 : t->kind == TYPE_INT ? 32 : 64;
}

static void put_number_call(const BoundExpr *call, const Str *args, char op, int mode,
                            const FuncContext *ctx, Buf *out) {
    const Type *t = call->call.args.at[0]->type;
    Str type = type_duckdb(call->type, ctx->arena);
    bool real = t->kind == TYPE_DOUBLE || t->kind == TYPE_FLOAT,
         safe = is_nonzero_literal(call->call.args.at[1]);
    if (op == '+' || op == '-' || op == '*') {
        if (real || mode == CAST_ANSI)
            buf_addf(out, "(" STR_FMT " %c " STR_FMT ")", STR_ARG(args[0]), op, STR_ARG(args[1]));
        else
            buf_addf(out, "CAST(ls_integer_%s(" STR_FMT ", " STR_FMT ", %d, %d) AS " STR_FMT ")",
                     decimal_function(op), STR_ARG(args[0]), STR_ARG(args[1]), bits_of(t), mode,
                     STR_ARG(type));
        return;
    }
    if (op == '/' && safe)
        buf_addf(out, "(" STR_FMT " / " STR_FMT ")", STR_ARG(args[0]), STR_ARG(args[1]));
    else if (op == '%' && safe && !real)
        buf_addf(out, "(" STR_FMT " %% " STR_FMT ")", STR_ARG(args[0]), STR_ARG(args[1]));
    else
        buf_addf(out, "CAST(ls_%s_%s(" STR_FMT ", " STR_FMT ", %d) AS " STR_FMT ")",
                 real ? "real" : "integer",
                 op == '/'   ? "divide"
                 : op == 'i' ? "div"
                 : op == 'p' ? "pmod"
                             : "mod",
                 STR_ARG(args[0]), STR_ARG(args[1]), mode, STR_ARG(type));
}

static void put_interval_call(const BoundExpr *call, const Str *args, char op, int mode, Buf *out) {
    const Type *t = call->call.args.at[0]->type;
    if (t->kind == TYPE_INTERVAL_CALENDAR && (op == '+' || op == '-')) {
        buf_addf(out, "ls_calendar_%s(" STR_FMT ", " STR_FMT ", %d)", decimal_function(op), STR_ARG(args[0]), STR_ARG(args[1]), mode);
        return;
    }
    if (t->kind == TYPE_INTERVAL_CALENDAR) {
        buf_addf(out, "ls_calendar_scale(" STR_FMT ", CAST(" STR_FMT " AS DOUBLE), %s, %d)", STR_ARG(args[0]), STR_ARG(args[1]),
                 op == '/' ? "true" : "false", mode);
        return;
    }
    const char *carrier = t->kind == TYPE_INTERVAL_YM ? "INTEGER" : "BIGINT";
    const Type *n = call->call.args.at[1]->type;
    bool trying = mode == CAST_TRY;
    if (op == 'i')
        buf_addf(out, "ls_integer_div(" STR_FMT ", " STR_FMT ", %d)", STR_ARG(args[0]),
                 STR_ARG(args[1]), mode);
    else if (op == '+' || op == '-')
        buf_addf(out, "CAST(ls_interval_%s(" STR_FMT ", " STR_FMT ", %d, %d) AS %s)", decimal_function(op), STR_ARG(args[0]),
                 STR_ARG(args[1]), t->kind == TYPE_INTERVAL_YM ? 32 : 64, mode, carrier);
    else if (op == '/' && type_is_integral(n))
        buf_addf(out, "CAST(ls_interval_divide(" STR_FMT ", " STR_FMT ", %d, %d) AS %s)", STR_ARG(args[0]), STR_ARG(args[1]),
                 t->kind == TYPE_INTERVAL_YM ? 32 : 64, mode, carrier);
    else if (n->kind == TYPE_DECIMAL)
        buf_addf(out, "%s(ls_interval_scale_exactly(" STR_FMT ", CAST(" STR_FMT " AS VARCHAR), %s, %d) AS %s)",
                 trying ? "TRY_CAST" : "CAST", STR_ARG(args[0]), STR_ARG(args[1]), op == '/' ? "true" : "false", mode, carrier);
    else if (op == '*' && type_is_integral(n))
        buf_addf(out, "%s(CAST(" STR_FMT " AS HUGEINT) * CAST(" STR_FMT " AS HUGEINT) AS %s)",
                 trying ? "TRY_CAST" : "CAST", STR_ARG(args[0]), STR_ARG(args[1]), carrier);
    else
        buf_addf(out, "%s(ls_interval_scale(" STR_FMT ", " STR_FMT ", %s, %d) AS %s)",
                 trying ? "TRY_CAST" : "CAST", STR_ARG(args[0]), STR_ARG(args[1]), op == '/' ? "true" : "false", mode, carrier);
}

static bool render_arithmetic(const BoundExpr *call, const Str *args, size_t count,
                              const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    char op = op_of(call->call.row);
    int mode = mode_of(call->call.row, ctx);
    const Type *t = call->call.args.at[0]->type;
    if (is_interval_type(t))
        put_interval_call(call, args, op, mode, out);
    else if (t->kind == TYPE_DECIMAL)
        put_decimal_call(call, args, op, mode, ctx, out);
    else
        put_number_call(call, args, op, mode, ctx, out);
    return true;
}

/* Outside ANSI the smallest integer stays itself. */
static void put_negative(const Type *t, Str child, const FuncContext *ctx, Buf *out) {
    if (!ctx->ansi && type_is_integral(t))
        buf_addf(out, "CAST(ls_integer_subtract(0, " STR_FMT ", %d, %d) AS " STR_FMT ")",
                 STR_ARG(child), bits_of(t), CAST_LEGACY, STR_ARG(type_duckdb(t, ctx->arena)));
    else if (t->kind == TYPE_INTERVAL_YM || t->kind == TYPE_INTERVAL_DT)
        buf_addf(out, "CAST(ls_interval_negate(" STR_FMT ", %d) AS " STR_FMT ")", STR_ARG(child),
                 t->kind == TYPE_INTERVAL_YM ? 32 : 64, STR_ARG(type_duckdb(t, ctx->arena)));
    else
        buf_addf(out, "(- " STR_FMT ")", STR_ARG(child));
}

static bool render_negative(const BoundExpr *call, const Str *args, size_t count,
                            const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    put_negative(call->call.args.at[0]->type, args[0], ctx, out);
    return true;
}

static bool render_abs(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    const Type *t = call->call.args.at[0]->type;
    if (ctx->ansi || !type_is_integral(t))
        return func_render_template(call, args, count, ctx, "abs($1)", out);
    (void)err;
    buf_addf(out, "CASE WHEN " STR_FMT " < 0 THEN ", STR_ARG(args[0]));
    put_negative(t, args[0], ctx, out);
    buf_addf(out, " ELSE " STR_FMT " END", STR_ARG(args[0]));
    return true;
}

/* ---- comparison and logic ---- */

/* An integer literal meets a decimal as a decimal of its own digits, and Spark holds that cast for one that may overflow. */
static bool literal_meets_decimal(const BoundExpr *literal, const BoundExpr *other) {
    static const int digits[] = {3, 5, 10, 20};
    if (literal->kind != BEXPR_LITERAL || !type_is_integral(literal->type) ||
        literal->literal.is_null || other->type->kind != TYPE_DECIMAL)
        return false;
    int own = 1;
    for (uint64_t v = literal->literal.integer < 0 ? -(uint64_t)literal->literal.integer : (uint64_t)literal->literal.integer; v > 9; v /= 10)
        own++;
    return own < digits[literal->type->kind - TYPE_BYTE];
}

/* Structs whose fields have other names compare by position. */
static bool same_but_names(const Type *a, const Type *b) {
    if (a->kind == TYPE_ARRAY && b->kind == TYPE_ARRAY)
        return same_but_names(a->array.element, b->array.element);
    if (a->kind != TYPE_STRUCT || b->kind != TYPE_STRUCT || a->structure.count != b->structure.count)
        return type_same_shape(a, b);
    for (size_t i = 0; i < a->structure.count; i++)
        if (!same_but_names(a->structure.fields[i].type, b->structure.fields[i].type))
            return false;
    return true;
}

/* true = 1 */
static const Type *boolean_equality(const FuncRow *row, const Type *a, const Type *b) {
    const Type *number = a->kind == TYPE_BOOLEAN ? b : a, *other = number == a ? b : a;
    bool equality = !strcmp(row->name, "=") || !strcmp(row->name, "<=>") || !strcmp(row->name, "!=");
    return equality && other->kind == TYPE_BOOLEAN && type_is_numeric(number) ? number : NULL;
}

static bool bind_comparison(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    bool nested = type_is_nested(a) && type_is_nested(b);
    const Type *common = nested ? coerce_operands(a, b, ctx->ansi, ctx->arena) : coerce_common(a, b, ctx->ansi, ctx->arena);
    if (!common && nested && same_but_names(a, b))
        common = a;
    if (!common && !ctx->ansi) /* TypeCoercion.BooleanEquality */
        common = boolean_equality(call->row, a, b);
    /* TypeCoercion.findCommonTypeForBinaryComparison: outside ANSI a text is read as the other
     * side's type. */
    if (!ctx->ansi && type_is_stringy(a) != type_is_stringy(b)) {
        const Type *other = type_is_stringy(a) ? b : a;
        if (!type_is_nested(other) && other->kind != TYPE_NULL && other->kind != TYPE_VARIANT)
            common = is_interval_type(other) ? NULL : other;
    }
    if (!common)
        return func_binary_diff(call, ctx, err);
    if (!type_is_orderable(common)) {
        Str name = str_from(call->row->name);
        if (str_is(name, "!="))
            name = S("=");
        return func_invalid_ordering(call, name, common, ctx, err);
    }
    bool narrow = literal_meets_decimal(arg(call, 0), arg(call, 1)) || literal_meets_decimal(arg(call, 1), arg(call, 0));
    set_arg(call, 0, common, ctx);
    set_arg(call, 1, common, ctx);
    call->result = type_simple(TYPE_BOOLEAN);
    call->nullable = narrow || func_any_nullable(call);
    return true;
}

/* DecimalPrecision and, in ANSI mode, texts: what operands become before the operator looks at their types. */
static void bring_operands(FuncCall *call, const FuncContext *ctx) {
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    bool real = a->kind == TYPE_DOUBLE || b->kind == TYPE_DOUBLE;
    bool text = ctx->ansi && type_is_stringy(a) != type_is_stringy(b);
    bool decimal = a->kind == TYPE_DECIMAL || b->kind == TYPE_DECIMAL;
    const Type *common = text || (decimal && real) ? coerce_common(a, b, ctx->ansi, ctx->arena) : NULL;
    if (common) {
        set_arg(call, 0, common, ctx);
        set_arg(call, 1, common, ctx);
    }
}

static bool bind_logic(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *boolean = type_simple(TYPE_BOOLEAN);
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    for (size_t i = 0; i < 2; i++) {
        TypeKind kind = arg(call, i)->type->kind, other = arg(call, 1 - i)->type->kind;
        if (kind == TYPE_NULL ||
            (type_is_stringy(arg(call, i)->type) && other == TYPE_BOOLEAN && ctx->ansi))
            set_arg(call, i, boolean, ctx);
    }
    if (!is_kind(arg(call, 0), TYPE_BOOLEAN) || !is_kind(arg(call, 1), TYPE_BOOLEAN)) {
        bring_operands(call, ctx);
        bool same = type_same_shape(arg(call, 0)->type, arg(call, 1)->type);
        return same ? func_binary_wrong(call, "\"BOOLEAN\"", ctx, err)
                    : func_binary_diff(call, ctx, err);
    }
    call->result = boolean;
    call->nullable = func_any_nullable(call);
    return true;
}

static bool bind_in(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *common;
    Error diff = error_in(ctx->arena);
    if (!func_coerce_all(call, 0, call->args.len, ctx, &common, &diff)) {
        Buf b = buf_in(ctx->arena);
        buf_addc(&b, '[');
        for (size_t i = 0; i < call->args.len; i++)
            buf_addf(&b, "%s" STR_FMT, i ? ", " : "",
                     STR_ARG(func_quoted_type(arg(call, i)->type, ctx)));
        buf_addc(&b, ']');
        return error_set(err, ERR_DATATYPE_MISMATCH__DATA_DIFF_TYPES,
                         P("sqlExpr", func_call_text(call, ctx)), PZ("functionName", "`in`"),
                         P("dataType", buf_str(&b)));
    }
    call->result = type_simple(TYPE_BOOLEAN);
    call->nullable = func_any_nullable(call);
    return true;
}

static bool bind_bits(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    bool text = false;
    for (size_t i = 0; i < 2; i++)
        if (type_is_stringy(arg(call, i)->type) && type_is_numeric(arg(call, 1 - i)->type)) {
            set_arg(call, i, promoted_text(arg(call, 1 - i)->type, ctx), ctx);
            text = ctx->ansi;
        }
    bring_operands(call, ctx);
    const Type *a = arg(call, 0)->type, *b = arg(call, 1)->type;
    const Type *t = type_same_shape(a, b) ? a : coerce_tightest(a, b, ctx->arena);
    if (!t)
        return func_binary_diff(call, ctx, err);
    if (t->kind == TYPE_NULL)
        t = type_simple(TYPE_INT);
    if (!type_is_integral(t))
        return text || type_same_shape(a, b) ? func_binary_wrong(call, "\"INTEGRAL\"", ctx, err)
                                             : func_binary_diff(call, ctx, err);
    set_arg(call, 0, t, ctx);
    set_arg(call, 1, t, ctx);
    call->result = t;
    call->nullable = func_any_nullable(call);
    return true;
}

/* The first argument's own width counts; how far to shift is an INT. */
static bool bind_shift(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool wide = call->args.len == 2 && is_kind(arg(call, 0), TYPE_LONG);
    return func_apply_signature(call, wide ? "(long, int) -> long" : "(int, int) -> int; (long, int) -> long", ctx, err);
}

static bool bind_half(const FuncCall *call, const char *op, size_t bound, FuncCall *half, const FuncContext *ctx, Error *err) {
    *half = (FuncCall){.row = func_find(str_from(op)), .written_name = str_from(op), .origin = call->origin};
    vec_push(ctx->arena, &half->args, arg(call, 0));
    vec_push(ctx->arena, &half->args, arg(call, bound));
    return func_resolve(half, ctx, err);
}

/* x BETWEEN a AND b is x >= a AND x <= b, and each half brings its own operands together. */
static bool bind_between(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 3)
        return func_wrong_arg_count(call, "3", ctx, err);
    FuncCall low, high;
    const BoundExpr *value = arg(call, 0), *bounds[2] = {arg(call, 1), arg(call, 2)};
    TRY(bind_half(call, ">=", 1, &low, ctx, err));
    TRY(bind_half(call, "<=", 2, &high, ctx, err));
    bool one = type_same_shape(low.args.at[0]->type, high.args.at[0]->type);
    call->args = low.args;
    if (!one)
        vec_push(ctx->arena, &call->args, high.args.at[0]);
    vec_push(ctx->arena, &call->args, high.args.at[1]);
    call->result = type_simple(TYPE_BOOLEAN);
    /* x is computed once for both halves and no literal any more, which its nullability shows. */
    call->nullable = func_any_nullable(&low) || func_any_nullable(&high) || literal_meets_decimal(bounds[0], value) ||
                     literal_meets_decimal(bounds[1], value);
    return true;
}

/* Only like(..) and ilike(..) written as calls get here with an escape that is none. */
static bool bind_like(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len < 3)
        return true;
    const Value *v = func_constant(call->args.at[2]);
    if (v && !v->is_null && type_is_stringy(v->type) && str_utf8_len(v->bytes) == 1)
        return true;
    return error_set(err, ERR_INVALID_ESCAPE_CHAR, P("sqlExpr", func_quoted_sql(call->args.at[2], ctx)));
}

/* "%piece%piece%": two pieces at least; of one DuckDB makes a search. */
static bool is_pieces(Str pattern) {
    size_t stars = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '_')
            return false;
        stars += pattern.ptr[i] == '%' && (i == 0 || pattern.ptr[i - 1] != '%');
    }
    return stars > 2 && pattern.ptr[0] == '%' && pattern.ptr[pattern.len - 1] == '%';
}

/* A constant pattern without the escape character is DuckDB's own LIKE, which is much faster. */
static bool render_like(const BoundExpr *call, const Str *args, size_t count,
                        const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool ignore_case = call->call.row->name[0] == 'i';
    const Value *p = func_constant(call->call.args.at[1]);
    if (count == 2 && p && !p->is_null && str_find_char(p->bytes, '\\') < 0 && !ignore_case)
        return func_render_template(
            call, args, count, ctx, is_pieces(p->bytes) ? "ls_like_pieces($1, $2)" : "($1 LIKE $2)", out);
    return func_render_template(call, args, count, ctx,
                                ignore_case ? "ls_like($1, $2, $?3{$3}{'\\'}, true)"
                                            : "ls_like($1, $2, $?3{$3}{'\\'}, false)",
                                out);
}

#define ARITHMETIC .bind = bind_arithmetic, .render = render_arithmetic
#define COMPARISON .bind = bind_comparison
#define SIGNED_OR_CALENDAR "(numeric) -> $1; (interval_dt) -> $1; (interval_ym) -> $1; (interval) -> $1"
#define SIGNED "(numeric) -> $1; (interval_dt) -> $1; (interval_ym) -> $1"

const FuncRow operator_rows[] = {
    {"+", NULL, FUNC_SCALAR, ARITHMETIC, .pretty = "($1 + $2)", .example = "1 + 2",
     .expected = "3"},
    {"-", NULL, FUNC_SCALAR, ARITHMETIC, .pretty = "($1 - $2)", .example = "5 - 2",
     .expected = "3"},
    {"*", NULL, FUNC_SCALAR, ARITHMETIC, .pretty = "($1 * $2)", .example = "3 * 4",
     .expected = "12"},
    {"/", NULL, FUNC_SCALAR, ARITHMETIC, .pretty = "($1 / $2)", .example = "3 / 2",
     .expected = "1.5"},
    {"%", NULL, FUNC_SCALAR, ARITHMETIC, .pretty = "($1 % $2)", .example = "5 % 3",
     .expected = "2"},
    {"mod", NULL, FUNC_SCALAR, ARITHMETIC, .example = "2 % 1.8", .expected = "0.2"},
    {"div", NULL, FUNC_SCALAR, ARITHMETIC, .pretty = "($1 div $2)", .example = "7 div 2",
     .expected = "3"},
    {"pmod", NULL, FUNC_SCALAR, ARITHMETIC, .example = "pmod(10, 3)", .expected = "1"},
    {"try_add", NULL, FUNC_SCALAR, ARITHMETIC, .example = "try_add(1, 2)", .expected = "3"},
    {"try_subtract", NULL, FUNC_SCALAR, ARITHMETIC, .example = "try_subtract(2, 1)",
     .expected = "1"},
    {"try_multiply", NULL, FUNC_SCALAR, ARITHMETIC, .example = "try_multiply(2, 3)",
     .expected = "6"},
    {"try_divide", NULL, FUNC_SCALAR, ARITHMETIC, .example = "try_divide(3, 2)", .expected = "1.5"},
    {"multiply_interval", NULL, FUNC_SCALAR, ARITHMETIC, .flags = FUNC_HIDDEN, .example = "make_interval(1) * 2",
     .expected = "2 years"},
    {"divide_interval", NULL, FUNC_SCALAR, ARITHMETIC, .flags = FUNC_HIDDEN, .example = "make_interval(2) / 2",
     .expected = "1 years"},
    {"try_mod", NULL, FUNC_SCALAR, ARITHMETIC, .example = "try_mod(3, 0)", .expected = "NULL"},
    {"negative", NULL, FUNC_SCALAR, SIGNED_OR_CALENDAR, .render = render_negative, .example = "negative(1)", .expected = "-1"},
    {"unary_minus", NULL, FUNC_SCALAR, SIGNED_OR_CALENDAR, .render = render_negative, .pretty = "(- $1)",
     .flags = FUNC_HIDDEN, .example = "-(3)", .expected = "-3"},
    {"abs", NULL, FUNC_SCALAR, SIGNED, .render = render_abs, .example = "abs(-1)", .expected = "1"},
    {"positive", NULL, FUNC_SCALAR, SIGNED_OR_CALENDAR, "$1", .pretty = "(+ $1)", .example = "positive(1)",
     .expected = "1"},
    {"=", "==", FUNC_SCALAR, NULL, "($1 = $2)", COMPARISON, .pretty = "($1 = $2)",
     .example = "1 = 1", .expected = "true"},
    {"!=", "<>", FUNC_SCALAR, NULL, "($1 <> $2)", COMPARISON, .pretty = "(NOT ($1 = $2))",
     .example = "1 != 2", .expected = "true"},
    {"<", NULL, FUNC_SCALAR, NULL, "($k1 < $k2)", COMPARISON, .pretty = "($1 < $2)",
     .example = "1 < 2", .expected = "true"},
    {"<=", NULL, FUNC_SCALAR, NULL, "($k1 <= $k2)", COMPARISON, .pretty = "($1 <= $2)",
     .example = "2 <= 2", .expected = "true"},
    {">", NULL, FUNC_SCALAR, NULL, "($k1 > $k2)", COMPARISON, .pretty = "($1 > $2)",
     .example = "1 > 2", .expected = "false"},
    {">=", NULL, FUNC_SCALAR, NULL, "($k1 >= $k2)", COMPARISON, .pretty = "($1 >= $2)",
     .example = "2 >= 2", .expected = "true"},
    {"<=>", NULL, FUNC_SCALAR, NULL, "($1 IS NOT DISTINCT FROM $2)", COMPARISON,
     .pretty = "($1 <=> $2)", .flags = FUNC_NEVER_NULL, .example = "NULL <=> NULL",
     .expected = "true"},
    {"equal_null", NULL, FUNC_SCALAR, NULL, "($1 IS NOT DISTINCT FROM $2)", COMPARISON,
     .flags = FUNC_NEVER_NULL, .example = "equal_null(NULL, NULL)", .expected = "true"},
    {"and", NULL, FUNC_SCALAR, NULL, "($1 AND $2)", .bind = bind_logic, .flags = FUNC_LAZY, .pretty = "($1 AND $2)",
     .example = "true AND NULL", .expected = "NULL"},
    {"or", NULL, FUNC_SCALAR, NULL, "($1 OR $2)", .bind = bind_logic, .flags = FUNC_LAZY, .pretty = "($1 OR $2)",
     .example = "true OR NULL", .expected = "true"},
    {"not", "!", FUNC_SCALAR, "(boolean) -> boolean", "(NOT $1)", .pretty = "(NOT $1)",
     .example = "NOT true", .expected = "false"},
    {"in", NULL, FUNC_SCALAR, NULL, "($1 IN ($@2))", .bind = bind_in, .pretty = "($1 IN ($@2))",
     .example = "2 IN (1, 2, 3)", .expected = "true"},
    {"between", NULL, FUNC_SCALAR, .bind = bind_between, .sql = "$?4{($k1 >= $k2 AND $k3 <= $k4)}{($k1 BETWEEN $k2 AND $k3)}",
     .pretty = "between($1, $2, $?4{$4}{$3})", .example = "2 BETWEEN 1 AND 3", .expected = "true"},
    {"isnull", NULL, FUNC_SCALAR, "(any) -> boolean!", "($1 IS NULL)", .pretty = "($1 IS NULL)",
     .example = "isnull(1)", .expected = "false"},
    {"isnotnull", NULL, FUNC_SCALAR, "(any) -> boolean!", "($1 IS NOT NULL)",
     .pretty = "($1 IS NOT NULL)", .example = "isnotnull(1)", .expected = "true"},
    {"&", NULL, FUNC_SCALAR, NULL, "($1 & $2)", .bind = bind_bits, .pretty = "($1 & $2)",
     .example = "3 & 5", .expected = "1"},
    {"|", NULL, FUNC_SCALAR, NULL, "($1 | $2)", .bind = bind_bits, .pretty = "($1 | $2)",
     .example = "3 | 5", .expected = "7"},
    {"^", NULL, FUNC_SCALAR, NULL, "xor($1, $2)", .bind = bind_bits, .pretty = "($1 ^ $2)",
     .example = "3 ^ 5", .expected = "6"},
    {"~", NULL, FUNC_SCALAR, "(integral) -> $1", "(~ $1)", .pretty = "~$1", .example = "~0",
     .expected = "-1"},
    {"<<", NULL, FUNC_SCALAR, .bind = bind_shift,
     .sql = "CAST(ls_shift_left($1, $2) AS $r)", .pretty = "($1 << $2)", .example = "2 << 1",
     .expected = "4"},
    {">>", NULL, FUNC_SCALAR, .bind = bind_shift,
     .sql = "CAST(ls_shift_right($1, $2) AS $r)", .pretty = "($1 >> $2)", .example = "4 >> 1",
     .expected = "2"},
    {">>>", NULL, FUNC_SCALAR, .bind = bind_shift,
     .sql = "CAST(ls_shift_right_unsigned($1, $2) AS $r)", .pretty = "($1 >>> $2)", .example = "4 >>> 1",
     .expected = "2"},
    {"shiftleft", NULL, FUNC_SCALAR, .bind = bind_shift,
     .sql = "CAST(ls_shift_left($1, $2) AS $r)", .example = "shiftleft(2, 1)", .expected = "4"},
    {"shiftright", NULL, FUNC_SCALAR, .bind = bind_shift,
     .sql = "CAST(ls_shift_right($1, $2) AS $r)", .example = "shiftright(4, 1)", .expected = "2"},
    {"shiftrightunsigned", NULL, FUNC_SCALAR, .bind = bind_shift,
     .sql = "CAST(ls_shift_right_unsigned($1, $2) AS $r)", .example = "shiftrightunsigned(4, 1)",
     .expected = "2"},
    {"like", NULL, FUNC_SCALAR, "(string, string, [string]) -> boolean", .bind = bind_like,
     .render = render_like, .pretty = "$1 LIKE $2$?3{ ESCAPE '$3'}", .example = "'Spark' LIKE '_park'",
     .expected = "true"},
    {"ilike", NULL, FUNC_SCALAR, "(string, string, [string]) -> boolean", .bind = bind_like,
     .render = render_like, .pretty = "ilike($1, $2)", .example = "'Spark' ILIKE '_PARK'", .expected = "true"},
    {"rlike", "regexp regexp_like", FUNC_SCALAR, "(string, string) -> boolean",
     "ls_regex_find($1, $2)", .pretty = "$F($1, $2)", .example = "'abc' RLIKE '^a'",
     .expected = "true"},
};
END_OF_ROWS(operator);
