/* Dates, timestamps, TIME and intervals. What depends on the session's zone takes it as an
 * argument. */
#include <string.h>

#include "func/rows.h"
#include "func/signature.h"
#include "type/datetime.h"

static TypeKind kind_of(const FuncCall *call, size_t i) { return call->args.at[i]->type->kind; }

static bool is_ntz_default(const FuncContext *ctx) {
    Str value = {0};
    return ctx->setting && ctx->setting(ctx->self, "spark.sql.timestampType", &value) &&
           str_is_ci(value, "TIMESTAMP_NTZ");
}

/* The call becomes one of another row, under that row's own rules. */
static bool become(FuncCall *call, const char *name, const FuncContext *ctx, Error *err) {
    call->row = func_find(str_from(name));
    call->written_name = str_from(name);
    return func_resolve(call, ctx, err);
}

static void push_literal(FuncCall *call, Value v, const FuncContext *ctx) {
    vec_push(ctx->arena, &call->args, bound_literal(v, ctx->arena));
}

static bool push_call(FuncCall *call, const char *name, size_t at, const FuncContext *ctx,
                      Error *err) {
    FuncCall inner = {
        .row = func_find(str_from(name)), .written_name = str_from(name), .origin = call->origin};
    TRY(func_resolve(&inner, ctx, err));
    BoundExpr *e = bound_new(BEXPR_CALL, inner.result, inner.nullable, ctx->arena);
    e->call.row = inner.row;
    e->call.written_name = inner.written_name;
    vec_push(ctx->arena, &call->args, e);
    for (size_t i = call->args.len - 1; i > at; i--)
        call->args.at[i] = call->args.at[i - 1];
    call->args.at[at] = e;
    return true;
}

static Str cast_text(Str child, const Type *from, const Type *to, CastMode mode,
                     const FuncContext *ctx, Error *err) {
    Buf b = buf_in(ctx->arena);
    return func_render_cast(child, from, to, mode, ctx, &b, err) ? buf_str(&b) : (Str){0};
}

/* ---- now ---- */

static bool render_now(const BoundExpr *call, const Str *args, size_t count, const FuncContext *ctx,
                       Buf *out, Error *err) {
    (void)args;
    (void)count;
    (void)err;
    int64_t local = ctx->now_us + zone_offset_at(ctx->zone, ctx->now_us) * US_PER_SECOND;
    int64_t day = floor_div(local, US_PER_DAY);
    TypeKind k = call->type->kind;
    Value v = value_int(k, k == TYPE_DATE            ? day
                           : k == TYPE_TIMESTAMP     ? ctx->now_us
                           : k == TYPE_TIMESTAMP_NTZ ? local
                                                     : local - day * US_PER_DAY);
    if (k == TYPE_TIME)
        buf_addf(out, "ls_time_precision(" STR_FMT ", %d)", STR_ARG(value_duckdb(&v, ctx->arena)),
                 call->type->time.precision);
    else
        buf_add(out, value_duckdb(&v, ctx->arena));
    return true;
}

static bool bind_current_time(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len > 1)
        return func_wrong_arg_count(call, "[0, 1]", ctx, err);
    int64_t precision = 6;
    if (!call->args.len)
        push_literal(call, value_int(TYPE_INT, 6), ctx);
    else if (call->args.at[0]->kind == BEXPR_COLUMN) /* current_time, given the name (c) */
        return error_set(err, ERR_MULTI_ALIAS_WITHOUT_GENERATOR,
                         P("names", call->args.at[0]->column.name),
                         PZ("expr", "\"current_time()\""));
    else if (!func_constant_int(call->args.at[0], &precision))
        return func_non_foldable(call, 0, "precision", ctx, err);
    if (precision < 0 || precision > 6)
        return error_set(err, ERR_DATATYPE_MISMATCH__VALUE_OUT_OF_RANGE,
                         P("sqlExpr", func_call_text(call, ctx)), PZ("exprName", "`precision`"),
                         PZ("valueRange", "[0, 6]"),
                         P("currentValue", str_printf(ctx->arena, "%lld", (long long)precision)));
    call->result = type_time((int)precision, ctx->arena);
    call->nullable = false;
    return true;
}

/* ---- adding and subtracting ---- */

/* date_add(unit, n, t) is timestampadd. */
static bool bind_date_add(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 3)
        return become(call, "timestampadd", ctx, err);
    if (call->args.len == 2 &&
        (type_is_fractional(call->args.at[1]->type) || kind_of(call, 1) == TYPE_LONG))
        return func_unexpected_type(call, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", ctx, err);
    TRY(func_apply_signature(
        call, "(date, int) -> date; (date, short) -> date; (date, byte) -> date", ctx, err));
    call->args.at[1] = func_coerce(call->args.at[1], type_simple(TYPE_INT), ctx);
    return true;
}

static bool bind_datediff(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 3)
        return become(call, "timestampdiff", ctx, err);
    return func_apply_signature(call, "(date, date) -> int", ctx, err);
}

static bool bind_timestampadd(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 3)
        return func_wrong_arg_count(call, "3", ctx, err);
    return func_apply_signature(
        call,
        "(string, long, timestamp) -> timestamp; (string, long, timestamp_ntz) -> timestamp_ntz",
        ctx, err);
}

static bool render_by_ntz(const BoundExpr *call, const Str *args, size_t count,
                          const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool ntz = call->type->kind == TYPE_TIMESTAMP_NTZ;
    return func_render_template(
        call, args, count, ctx,
        ntz ? "ls_ntz_add($1, $2, $3)" : "ls_timestamp_add($1, $2, $3, $zone)", out);
}

static bool bind_subtract_dates(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(date, date) -> long", ctx, err));
    call->result = type_interval(TYPE_INTERVAL_DT, UNIT_DAY, UNIT_DAY, ctx->arena);
    return true;
}

static bool bind_subtract_times(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(time, time) -> long?", ctx, err));
    call->result = type_interval(TYPE_INTERVAL_DT, UNIT_HOUR, UNIT_SECOND, ctx->arena);
    return true;
}

/* Seconds in the interval may bring a fraction of six digits. */
static bool bind_time_plus(FuncCall *call, const FuncContext *ctx, Error *err) {
    const Type *time = call->args.at[0]->type, *by = call->args.at[1]->type;
    TRY(func_apply_signature(call, "(time, interval_dt) -> time?", ctx, err));
    if (by->kind == TYPE_INTERVAL_DT && by->interval.to != UNIT_SECOND && time->kind == TYPE_TIME)
        call->result = time;
    return true;
}

static bool render_subtract_timestamps(const BoundExpr *call, const Str *args, size_t count,
                                       const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool ntz = call->call.args.at[0]->type->kind == TYPE_TIMESTAMP_NTZ;
    return func_render_template(
        call, args, count, ctx,
        ntz ? "ls_subtract_ntz($1, $2)" : "ls_subtract_timestamps($1, $2, $zone)", out);
}

static bool render_time_plus(const BoundExpr *call, const Str *args, size_t count,
                             const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)ctx;
    (void)err;
    const Type *i = call->call.args.at[1]->type;
    buf_addf(out, "%s(" STR_FMT ", " STR_FMT ", %d, %d)",
             strcmp(call->call.row->name, "time_plus_interval") ? "ls_time_minus" : "ls_time_plus",
             STR_ARG(args[0]), STR_ARG(args[1]), (int)i->interval.from, (int)i->interval.to);
    return true;
}

/* ---- fields ---- */

/* hour, minute, second: of any timestamp, and of a TIME. */
static bool bind_clock(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool time = call->args.len == 1 && kind_of(call, 0) == TYPE_TIME;
    return func_apply_signature(call, time ? "(time) -> int?" : "(anytimestamp) -> int", ctx, err);
}

static bool render_clock(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    (void)err;
    buf_addf(out, "CAST(%s(", call->call.row->name);
    if (call->call.args.at[0]->type->kind == TYPE_TIMESTAMP)
        func_render_template(call, args, count, ctx, "ls_timestamp_to_ntz($1, $zone)", out);
    else
        buf_add(out, args[0]);
    buf_addz(out, ") AS INTEGER)");
    return true;
}

typedef struct Part {
    const char *names; /* upper case, between spaces */
    const char *date;  /* DuckDB text over a date, "" when the clock is asked */
    const char *clock; /* over a wall-clock timestamp or TIME */
    const char *ym, *dt, *calendar;
    TypeKind result, interval_result;
    IntervalUnit unit;
} Part;

static const char SECONDS_OF[] =
    "CAST(CAST(microsecond($1) AS INTEGER) * 0.000001 AS DECIMAL(8,6))";
static const Part PARTS[] = {
    {" YEAR Y YEARS YR YRS ", "year($1)", NULL, "CAST(trunc($1 / 12) AS INTEGER)", NULL,
     "CAST(trunc(ls_calendar_months($1) / 12) AS INTEGER)", TYPE_INT, TYPE_INT, UNIT_YEAR},
    {" YEAROFWEEK ", "isoyear($1)", NULL, NULL, NULL, NULL, TYPE_INT, TYPE_INT, UNIT_YEAR},
    {" QUARTER QTR ", "quarter($1)", NULL, NULL, NULL, NULL, TYPE_INT, TYPE_INT, UNIT_YEAR},
    {" MONTH MON MONS MONTHS ", "month($1)", NULL, "CAST($1 % 12 AS TINYINT)", NULL,
     "CAST(ls_calendar_months($1) % 12 AS TINYINT)", TYPE_INT, TYPE_BYTE, UNIT_MONTH},
    {" WEEK W WEEKS ", "weekofyear($1)", NULL, NULL, NULL, NULL, TYPE_INT, TYPE_INT, UNIT_YEAR},
    {" DAY D DAYS ", "day($1)", NULL, NULL, "ls_interval_days($1)",
     "CAST(ls_calendar_days($1) AS INTEGER)", TYPE_INT, TYPE_INT, UNIT_DAY},
    {" DAYOFWEEK DOW ", "dayofweek($1) + 1", NULL, NULL, NULL, NULL, TYPE_INT, TYPE_INT, UNIT_YEAR},
    {" DAYOFWEEK_ISO DOW_ISO ", "isodow($1)", NULL, NULL, NULL, NULL, TYPE_INT, TYPE_INT,
     UNIT_YEAR},
    {" DOY ", "dayofyear($1)", NULL, NULL, NULL, NULL, TYPE_INT, TYPE_INT, UNIT_YEAR},
    {" HOUR H HOURS HR HRS ", NULL, "CAST(hour($1) AS INTEGER)", NULL,
     "CAST(ls_interval_hours($1) AS TINYINT)",
     "CAST(ls_interval_hours(ls_calendar_micros($1)) AS TINYINT)", TYPE_INT, TYPE_BYTE, UNIT_HOUR},
    {" MINUTE M MIN MINS MINUTES ", NULL, "CAST(minute($1) AS INTEGER)", NULL,
     "CAST(ls_interval_minutes($1) AS TINYINT)",
     "CAST(ls_interval_minutes(ls_calendar_micros($1)) AS TINYINT)", TYPE_INT, TYPE_BYTE,
     UNIT_MINUTE},
    {" SECOND S SEC SECONDS SECS ", NULL, SECONDS_OF, NULL,
     "CAST(ls_interval_micros($1) * 0.000001 AS DECIMAL(8,6))",
     "CAST(ls_interval_micros(ls_calendar_micros($1)) * 0.000001 AS DECIMAL(8,6))", TYPE_DECIMAL,
     TYPE_DECIMAL, UNIT_SECOND},
};

static const Part *part_named(Str name, Arena *arena) {
    Str padded = str_printf(arena, " " STR_FMT " ", STR_ARG(str_upper(name, arena)));
    for (size_t i = 0; i < LENGTH_OF(PARTS); i++)
        if (str_find(str_from(PARTS[i].names), padded) >= 0)
            return &PARTS[i];
    return NULL;
}

/* The text for the part of a value of this type; NULL when the type has no such part. */
static const char *part_text(const Part *p, const Type *t) {
    bool inside = p->unit >= t->interval.from && p->unit <= t->interval.to;
    switch (t->kind) {
    case TYPE_INTERVAL_YM:
        return inside ? p->ym : NULL;
    case TYPE_INTERVAL_DT:
        return inside ? p->dt : NULL;
    case TYPE_INTERVAL_CALENDAR:
        return p->calendar;
    case TYPE_TIME:
        return p->clock;
    default:
        return p->date ? p->date : p->clock;
    }
}

static bool bad_field(FuncCall *call, Str field, const FuncContext *ctx, Error *err) {
    return error_set(err, ERR_INVALID_EXTRACT_FIELD,
                     P("field", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(field))),
                     P("expr", func_quoted_sql(call->args.at[1], ctx)));
}

/* extract(FIELD FROM value), date_part('FIELD', value) */
static bool bind_extract(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2)
        return func_wrong_arg_count(call, "2", ctx, err);
    const Value *field = func_constant(call->args.at[0]);
    if (!field || (!field->is_null && !type_is_stringy(field->type)))
        return error_set(err, ERR_NON_FOLDABLE_ARGUMENT, P("funcName", func_name_text(call, ctx)),
                         PZ("paramName", "`field`"), PZ("paramType", "\"STRING\""));
    if (field->is_null) {
        call->result = type_simple(TYPE_DOUBLE);
        call->nullable = true;
        return true;
    }
    const Part *p = part_named(field->bytes, ctx->arena);
    const Type *t = call->args.at[1]->type;
    if (!p || (type_is_interval(t) || t->kind == TYPE_TIME ? !part_text(p, t) : false))
        return bad_field(call, field->bytes, ctx, err);
    if (!type_is_interval(t) && t->kind != TYPE_TIME) {
        FuncCall source = {.row = call->row, .written_name = call->written_name};
        vec_push(ctx->arena, &source.args, call->args.at[1]);
        TRY(func_apply_signature(&source, p->date ? "(date) -> int" : "(anytimestamp) -> int", ctx,
                                 err));
        call->args.at[1] = source.args.at[0];
    }
    TypeKind kind = type_is_interval(t) ? p->interval_result : p->result;
    call->result = kind == TYPE_DECIMAL ? type_decimal(8, 6, ctx->arena) : type_simple(kind);
    call->nullable = call->args.at[1]->nullable || t->kind == TYPE_TIME;
    call->bind_data = (void *)p;
    return true;
}

static bool render_extract(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    (void)count;
    const Part *p = call->call.bind_data;
    if (!p) {
        buf_addz(out, "CAST(NULL AS DOUBLE)");
        return true;
    }
    const Type *t = call->call.args.at[1]->type;
    Str source = args[1];
    if (t->kind == TYPE_TIMESTAMP) {
        Buf b = buf_in(ctx->arena);
        buf_addf(&b, "ls_timestamp_to_ntz(" STR_FMT ", ", STR_ARG(source));
        func_put_string(&b, ctx->zone);
        buf_addc(&b, ')');
        source = buf_str(&b);
    }
    bool integer = t->kind == TYPE_DATE && p->date;
    if (integer)
        buf_addz(out, "CAST(");
    func_render_template(call, &source, 1, ctx, part_text(p, t), out);
    if (integer)
        buf_addz(out, " AS INTEGER)");
    return true;
}

/* ---- texts to dates and timestamps ---- */

static bool is_try(const FuncRow *row) { return !strncmp(row->name, "try_", 4); }

static const char DATE_INPUT[] = "(string, [string]) -> date; (date, [string]) -> date; "
                                 "(timestamp, [string]) -> date; (timestamp_ntz, [string]) -> date";
static const char STAMP_INPUT[] =
    "(string, [string]) -> timestamp; (date, [string]) -> timestamp; (timestamp, [string]) -> "
    "timestamp;"
    "(timestamp_ntz, [string]) -> timestamp; (numeric, [string]) -> timestamp";
static const char NTZ_INPUT[] = "(string, [string]) -> timestamp_ntz; (date, [string]) -> "
                                "timestamp_ntz; (timestamp, [string]) -> timestamp_ntz;"
                                "(timestamp_ntz, [string]) -> timestamp_ntz";

/* Without a format this is a cast; with one, texts are read by it and other types are cast all the
 * same. */
static bool bind_parse(FuncCall *call, const FuncContext *ctx, Error *err) {
    const char *name = call->row->name;
    if (is_ntz_default(ctx) && (!strcmp(name, "to_timestamp")))
        return become(call, "to_timestamp_ntz", ctx, err);
    bool date = strstr(name, "date") != NULL, ntz = strstr(name, "ntz") != NULL;
    TRY(func_apply_signature(call, date ? DATE_INPUT : ntz ? NTZ_INPUT : STAMP_INPUT, ctx, err));
    CastMode mode = is_try(call->row) ? CAST_TRY : ctx->ansi ? CAST_ANSI : CAST_LEGACY;
    const Type *from = call->args.at[0]->type;
    if (call->args.len == 1)
        call->nullable = call->args.at[0]->nullable || cast_can_make_null(from, call->result, mode);
    else
        call->nullable = func_any_nullable(call) || (type_is_stringy(from) && mode != CAST_ANSI);
    return true;
}

/* The instant that `text` says in the format; to: timestamp, ntz or, by way of the instant, date.
 */
static void put_parse(Buf *out, Str text, Str format, TypeKind to, int mode,
                      const FuncContext *ctx) {
    bool date = to == TYPE_DATE;
    if (date)
        buf_addz(out, "ls_timestamp_to_date(");
    buf_addf(out, "%s(" STR_FMT ", " STR_FMT ", %d, ",
             to == TYPE_TIMESTAMP_NTZ ? "ls_parse_ntz" : "ls_parse_timestamp", STR_ARG(text),
             STR_ARG(format), mode);
    func_put_string(out, ctx->zone);
    buf_addc(out, ')');
    if (date) {
        buf_addz(out, ", ");
        func_put_string(out, ctx->zone);
        buf_addc(out, ')');
    }
}

static bool render_parse(const BoundExpr *call, const Str *args, size_t count,
                         const FuncContext *ctx, Buf *out, Error *err) {
    const Type *from = call->call.args.at[0]->type;
    bool trying = is_try(call->call.row), date = call->type->kind == TYPE_DATE;
    if (count == 1 || !type_is_stringy(from))
        return func_render_cast(args[0], from, call->type,
                                trying      ? CAST_TRY
                                : ctx->ansi ? CAST_ANSI
                                            : CAST_LEGACY,
                                ctx, out, err);
    put_parse(out, args[0], args[1], call->type->kind,
              trying || !ctx->ansi ? 0
              : date               ? 2
                                   : 1,
              ctx);
    return true;
}

static const char DEFAULT_FORMAT[] = "yyyy-MM-dd HH:mm:ss";

static bool bind_unix_timestamp(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (!call->args.len && !strcmp(call->row->name, "unix_timestamp"))
        TRY(push_call(call, "current_timestamp", 0, ctx, err));
    if (call->args.len == 1)
        push_literal(call, value_string(str_from(DEFAULT_FORMAT)), ctx);
    bool one = !strcmp(call->row->name, "unix_timestamp");
    if (call->args.len > 2 || !call->args.len)
        return func_wrong_arg_count(call, one ? "[0, 1, 2]" : "[1, 2]", ctx, err);
    const Type *t = call->args.at[0]->type;
    bool stamp = type_is_datetime(t) && t->kind != TYPE_TIME;
    if (!type_is_stringy(t) && !stamp && t->kind != TYPE_NULL)
        return func_unexpected_type(
            call, 0, "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\")", ctx, err);
    TRY(func_apply_signature(call,
                             "(string, string) -> long; (date, string) -> long; (timestamp, "
                             "string) -> long; (timestamp_ntz, string) -> long",
                             ctx, err));
    call->nullable |= type_is_stringy(call->args.at[0]->type) && !ctx->ansi;
    return true;
}

static bool render_unix_timestamp(const BoundExpr *call, const Str *args, size_t count,
                                  const FuncContext *ctx, Buf *out, Error *err) {
    (void)count;
    const Type *from = call->call.args.at[0]->type;
    bool ntz = from->kind == TYPE_TIMESTAMP_NTZ;
    buf_addz(out, ntz ? "ls_epoch_seconds_ntz(" : "ls_epoch_seconds(");
    if (type_is_stringy(from)) {
        put_parse(out, args[0], args[1], TYPE_TIMESTAMP, ctx->ansi, ctx);
    } else {
        Str source =
            ntz ? args[0]
                : cast_text(args[0], from, type_simple(TYPE_TIMESTAMP), CAST_ANSI, ctx, err);
        if (error_is_set(err))
            return false;
        buf_add(out, source);
    }
    buf_addc(out, ')');
    return true;
}

static bool bind_from_unixtime(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 1)
        push_literal(call, value_string(str_from(DEFAULT_FORMAT)), ctx);
    return func_apply_signature(call, "(long, [string]) -> string?", ctx, err);
}

/* ---- exact inputs: no implicit cast but from NULL ---- */

static bool is_time_or_null(const Type *t) { return t->kind == TYPE_TIME || t->kind == TYPE_NULL; }

static bool bind_time_to(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 1 && !is_time_or_null(call->args.at[0]->type))
        return func_unexpected_type(call, 0, "\"TIME\"", ctx, err);
    return func_apply_signature(call,
                                !strcmp(call->row->name, "time_to_seconds")
                                    ? "(time) -> decimal(14,6)?"
                                    : "(time) -> long?",
                                ctx, err);
}

static bool bind_to_time(FuncCall *call, const FuncContext *ctx, Error *err) {
    for (size_t i = 0; i < call->args.len && call->args.len <= 2; i++)
        if (!type_is_stringy(call->args.at[i]->type) && kind_of(call, i) != TYPE_NULL)
            return func_unexpected_type(call, i, "\"STRING\"", ctx, err);
    return func_apply_signature(call, "(string, [string]) -> time?", ctx, err);
}

static bool bind_exact(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool date = !strcmp(call->row->name, "unix_date"),
         stamp = !strncmp(call->row->name, "unix_", 5) && !date;
    const char *signature = date    ? "(date) -> int"
                            : stamp ? "(timestamp) -> long"
                                    : "(integral) -> timestamp";
    if (call->args.len == 1) {
        TypeKind k = kind_of(call, 0);
        if (k != TYPE_NULL && (date || stamp) && k != (date ? TYPE_DATE : TYPE_TIMESTAMP))
            return func_unexpected_type(call, 0, date ? "\"DATE\"" : "\"TIMESTAMP\"", ctx, err);
    }
    TRY(func_apply_signature(call, signature, ctx, err));
    if (!date && !stamp)
        call->args.at[0] = func_coerce(call->args.at[0], type_simple(TYPE_LONG), ctx);
    return true;
}

static bool bind_timestamp_seconds(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 1 && type_is_stringy(call->args.at[0]->type))
        return func_unexpected_type(call, 0, "\"NUMERIC\"", ctx, err);
    TRY(func_apply_signature(call, "(numeric) -> timestamp", ctx, err));
    call->nullable |= kind_of(call, 0) == TYPE_DOUBLE || kind_of(call, 0) == TYPE_FLOAT;
    return true;
}

/* ---- zones ---- */

static bool bind_convert_timezone(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len == 2)
        TRY(push_call(call, "current_timezone", 0, ctx, err));
    if (call->args.len != 3)
        return func_wrong_arg_count(call, "[2, 3]", ctx, err);
    return func_apply_signature(call, "(string, string, timestamp_ntz) -> timestamp_ntz", ctx, err);
}

/* ---- from parts ---- */

static const Value *zero_seconds(const FuncContext *ctx) {
    Value *v = ARENA_NEW(ctx->arena, Value);
    v->type = type_decimal(18, 6, ctx->arena);
    return v;
}

/* Parts left out are zero, and show so in the column's name. */
static bool bind_make_interval(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool calendar = strstr(call->row->name, "make_interval") != NULL,
         ym = !strcmp(call->row->name, "make_ym_interval");
    size_t want = calendar ? 7 : ym ? 2 : 4;
    const char *counts = calendar ? "[0, 1, 2, 3, 4, 5, 6, 7]"
                         : ym     ? "[0, 1, 2]"
                                  : "[0, 1, 2, 3, 4]";
    if (call->args.len > want)
        return func_wrong_arg_count(call, counts, ctx, err);
    while (call->args.len < want - !ym)
        push_literal(call, value_int(TYPE_INT, 0), ctx);
    if (call->args.len < want)
        push_literal(call, *zero_seconds(ctx), ctx);
    TRY(func_apply_signature(call,
                             calendar ? "(int, int, int, int, int, int, decimal(18,6)) -> interval"
                             : ym     ? "(int, int) -> interval_ym"
                                      : "(int, int, int, decimal(18,6)) -> interval_dt",
                             ctx, err));
    if (is_try(call->row) || (calendar && !ctx->ansi))
        call->nullable = true;
    return true;
}

static const char SIX_PARTS[] = "(int, int, int, int, int, decimal(16,6), [string]) -> timestamp";

/* make_timestamp[_ltz]: from six parts and a zone, or from a date, a TIME and a zone. */
/* A date, a time and a zone are taken as they are. */
static bool check_date_and_time(const FuncCall *call, const FuncContext *ctx, Error *err) {
    static const TypeKind KINDS[] = {TYPE_DATE, TYPE_TIME, TYPE_STRING};
    static const char *const WANTED[] = {"\"DATE\"", "\"TIME\"", "\"STRING\""};
    for (size_t i = 0; i < call->args.len && i < LENGTH_OF(KINDS); i++) {
        const Type *t = call->args.at[i]->type;
        if (t->kind != KINDS[i] && t->kind != TYPE_NULL && !(i == 2 && type_is_stringy(t)))
            return func_unexpected_type(call, i, WANTED[i], ctx, err);
    }
    return true;
}

static bool bind_make_timestamp(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool trying = is_try(call->row);
    if (is_ntz_default(ctx) && !strstr(call->row->name, "ltz") && call->args.len != 1)
        return become(call, trying ? "try_make_timestamp_ntz" : "make_timestamp_ntz", ctx, err);
    bool ltz = strstr(call->row->name, "ltz") != NULL;
    if (!call->args.len || call->args.len == 4 || call->args.len == 5 || call->args.len > 7 ||
        (ltz && call->args.len == 1))
        return func_wrong_arg_count(call, ltz ? "[2, 6]" : "[1, 2, 3, 6, 7]", ctx, err);
    if (call->args.len <= 3) {
        TRY(check_date_and_time(call, ctx, err));
        if (ltz)
            call->written_name = S("make_timestamp");
        return func_apply_signature(call, "(date, [time], [string]) -> timestamp", ctx, err);
    }
    TRY(func_apply_signature(call, SIX_PARTS, ctx, err));
    call->nullable |= trying || !ctx->ansi;
    return true;
}

static bool render_make_timestamp(const BoundExpr *call, const Str *args, size_t count,
                                  const FuncContext *ctx, Buf *out, Error *err) {
    bool fail = ctx->ansi && !is_try(call->call.row);
    if (count == 1)
        return func_render_cast(args[0], call->call.args.at[0]->type, call->type, CAST_ANSI, ctx,
                                out, err);
    if (count <= 3)
        return func_render_template(call, args, count, ctx, "ls_combine($1, $2, $?3{$3}{$zone})",
                                    out);
    return func_render_template(
        call, args, count, ctx,
        fail ? "ls_make_timestamp($1, $2, $3, $4, $5, $6, true, $?7{$7}{$zone})"
             : "ls_make_timestamp($1, $2, $3, $4, $5, $6, false, $?7{$7}{$zone})",
        out);
}

static bool bind_make_ntz(FuncCall *call, const FuncContext *ctx, Error *err) {
    if (call->args.len != 2 && call->args.len != 6)
        return func_wrong_arg_count(call, "[2, 6]", ctx, err);
    if (call->args.len == 2)
        TRY(check_date_and_time(call, ctx, err));
    TRY(func_apply_signature(call,
                             call->args.len == 2
                                 ? "(date, time) -> timestamp_ntz?"
                                 : "(int, int, int, int, int, decimal(16,6)) -> timestamp_ntz",
                             ctx, err));
    call->nullable |= is_try(call->row) || !ctx->ansi;
    return true;
}

static bool render_make_ntz(const BoundExpr *call, const Str *args, size_t count,
                            const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    bool fail = ctx->ansi && !is_try(call->call.row);
    return func_render_template(call, args, count, ctx,
                                count == 2 ? "ls_combine_ntz($1, $2)"
                                : fail     ? "ls_make_ntz($1, $2, $3, $4, $5, $6, true)"
                                           : "ls_make_ntz($1, $2, $3, $4, $5, $6, false)",
                                out);
}

static bool bind_make_date(FuncCall *call, const FuncContext *ctx, Error *err) {
    TRY(func_apply_signature(call, "(int, int, int) -> date", ctx, err));
    call->nullable |= !ctx->ansi;
    return true;
}

/* ---- TIME ---- */

static bool render_to_time(const BoundExpr *call, const Str *args, size_t count,
                           const FuncContext *ctx, Buf *out, Error *err) {
    (void)err;
    return func_render_template(call, args, count, ctx,
                                is_try(call->call.row) ? "ls_parse_time($1, $?2{$2}{''}, false)"
                                                       : "ls_parse_time($1, $?2{$2}{''}, true)",
                                out);
}

static bool bind_time_from(FuncCall *call, const FuncContext *ctx, Error *err) {
    bool seconds = !strcmp(call->row->name, "time_from_seconds");
    if (call->args.len == 1 && type_is_stringy(call->args.at[0]->type))
        return func_unexpected_type(call, 0, seconds ? "\"NUMERIC\"" : "\"INTEGRAL\"", ctx, err);
    return func_apply_signature(call, seconds ? "(numeric) -> time?" : "(integral) -> time?", ctx,
                                err);
}

/* ---- the rows ---- */

#define SCALAR(name, alias, signature, text) name, alias, FUNC_SCALAR, signature, text
#define NOW(name, alias, type)                                                                     \
    {                                                                                              \
        SCALAR(name, alias, "() -> " type "!", NULL), .render = render_now, .flags = FUNC_CONTEXT
#define FIELD(name, alias, text, ex, want)                                                         \
    {                                                                                              \
        SCALAR(name, alias, "(date) -> int", "CAST(" text " AS INTEGER)"), .example = ex,          \
                                                                           .expected = want        \
    }
#define EXAMPLE(text, want) .example = text, .expected = want
#define CLOCK .bind = bind_clock, .render = render_clock
#define PLUS(name, signature, text, sign)                                                          \
    { SCALAR(name, NULL, signature, text), .flags = FUNC_HIDDEN, .pretty = "$1 " sign " $2" }

const FuncRow datetime_rows[] = {NOW("current_date", NULL, "date"),
                                 EXAMPLE("current_date() = curdate()", "true")},
              {SCALAR("curdate", NULL, "() -> date!", NULL), .render = render_now,
               .pretty = "current_date()", EXAMPLE("curdate() = current_date()", "true")},
              NOW("current_timestamp", NULL, "timestamp"),
              EXAMPLE("current_timestamp() = now()", "true")
}
,
    {SCALAR("now", NULL, "() -> timestamp!", NULL), .render = render_now,
     EXAMPLE("now() = current_timestamp()", "true")},
    NOW("localtimestamp", NULL, "timestamp_ntz"),
    EXAMPLE("CAST(localtimestamp() AS DATE) = current_date()", "true")
}
,
    {SCALAR("current_time", NULL, NULL, NULL), .bind = bind_current_time, .render = render_now,
     .flags = FUNC_CONTEXT, EXAMPLE("typeof(current_time(3))", "time(3)")},

    {SCALAR("date_add", "dateadd", NULL, "ls_date_add($1, $2)"), .bind = bind_date_add,
     .pretty = "date_add($1, $2)", EXAMPLE("date_add('2016-07-30', 1)", "2016-07-31")},
    {SCALAR("date_sub", NULL, NULL, "ls_date_sub($1, $2)"), .bind = bind_date_add,
     EXAMPLE("date_sub('2016-07-30', 1)", "2016-07-29")},
    {SCALAR("try_date_add_swapped", NULL, NULL, "ls_date_add($1, $2)"), .bind = bind_date_add,
     .pretty = "try_add($2, $1)", .flags = FUNC_HIDDEN},
    {SCALAR("datediff", "date_diff", NULL, "CAST($1 - $2 AS INTEGER)"), .bind = bind_datediff,
     EXAMPLE("datediff('2009-07-30', '2009-07-31')", "-1")},
    {SCALAR("timestampadd", NULL, NULL, NULL), .flags = FUNC_HIDDEN | FUNC_OF_CLIENTS,
     .bind = bind_timestampadd, .render = render_by_ntz,
     EXAMPLE("timestampadd(MONTH, 1, timestamp_ntz'2020-01-31 00:00:00')", "2020-02-29 00:00:00")},
    {SCALAR("timestampdiff", "timediff", "(string, timestamp, timestamp) -> long",
            "ls_timestamp_diff($1, $2, $3, $zone)"), .pretty = "timestampdiff($1, $2, $3)", .flags = FUNC_HIDDEN | FUNC_OF_CLIENTS,
     EXAMPLE("timestampdiff(MONTH, date'2020-01-31', timestamp'2020-03-01 00:00:00')", "1")},
    {SCALAR("add_months", NULL, "(date, int) -> date", "ls_date_add_months($1, $2)"),
     EXAMPLE("add_months('2016-08-31', 1)", "2016-09-30")},
    {SCALAR("months_between", NULL, "(timestamp, timestamp, [boolean]) -> double",
            "ls_months_between($1, $2, $?3{$3}{true}, $zone)"),
     .pretty = "months_between($1, $2, $?3{$3}{true})",
     EXAMPLE("months_between('1997-02-28 10:30:00', '1996-10-30')", "3.94959677")},
    {SCALAR("last_day", NULL, "(date) -> date", "last_day($1)"),
     EXAMPLE("last_day('2009-01-12')", "2009-01-31")},
    {SCALAR("next_day", NULL, "(date, string) -> date?", "ls_next_day($1, $2, true)"),
     .sql_legacy = "ls_next_day($1, $2, false)",
     EXAMPLE("next_day('2015-01-14', 'TU')", "2015-01-20")},
    {SCALAR("trunc", NULL, "(date, string) -> date?", "ls_trunc($1, $2)"),
     EXAMPLE("trunc('2019-08-04', 'quarter')", "2019-07-01")},
    {SCALAR("date_trunc", NULL, "(string, timestamp) -> timestamp?",
            "ls_date_trunc($1, $2, $zone)"),
     EXAMPLE("date_trunc('HOUR', '2015-03-05T09:32:05.359')", "2015-03-05 09:00:00")},

    FIELD("year", NULL, "year($1)", "year('2016-07-30')", "2016"),
    FIELD("quarter", NULL, "quarter($1)", "quarter('2016-08-31')", "3"),
    FIELD("month", NULL, "month($1)", "month('2016-07-30')", "7"),
    FIELD("day", NULL, "day($1)", "day('2009-07-30')", "30"),
    FIELD("dayofmonth", NULL, "day($1)", "dayofmonth('2009-07-30')", "30"),
    FIELD("dayofweek", NULL, "dayofweek($1) + 1", "dayofweek('2009-07-30')", "5"),
    FIELD("dayofyear", NULL, "dayofyear($1)", "dayofyear('2016-04-09')", "100"),
    FIELD("weekday", NULL, "isodow($1) - 1", "weekday('2009-07-30')", "3"),
    FIELD("weekofyear", NULL, "weekofyear($1)", "weekofyear('2008-02-20')", "8"),
    {SCALAR("dayname", NULL, "(date) -> string", "left(dayname($1), 3)"),
     EXAMPLE("dayname(DATE'2008-02-20')", "Wed")},
    {SCALAR("monthname", NULL, "(date) -> string", "left(monthname($1), 3)"),
     EXAMPLE("monthname('2008-02-20')", "Feb")},
    {SCALAR("hour", NULL, NULL, NULL), CLOCK, EXAMPLE("hour('2018-02-14 12:58:59')", "12")},
    {SCALAR("minute", NULL, NULL, NULL), CLOCK, EXAMPLE("minute('2009-07-30 12:58:59')", "58")},
    {SCALAR("second", NULL, NULL, NULL), CLOCK, EXAMPLE("second('2018-02-14 12:58:59')", "59")},
    {SCALAR("extract", "datepart", NULL, NULL), .bind = bind_extract, .render = render_extract,
     .pretty = "$f($1 FROM $2)",
     EXAMPLE("extract(SECONDS FROM timestamp'2019-10-01 00:00:01.000001')", "1.000001")},
    {SCALAR("date_part", NULL, NULL, NULL), .bind = bind_extract, .render = render_extract,
     EXAMPLE("date_part('doy', DATE'2019-08-12')", "224")},

    {SCALAR("date_format", NULL, "(timestamp, string) -> string", "ls_date_format($1, $2, $zone)"),
     EXAMPLE("date_format('2016-04-08', 'y')", "2016")},
    {SCALAR("to_date", NULL, NULL, NULL), .bind = bind_parse, .render = render_parse,
     EXAMPLE("to_date('2016-12-31', 'yyyy-MM-dd')", "2016-12-31")},
    {SCALAR("try_to_date", NULL, NULL, NULL), .bind = bind_parse, .render = render_parse,
     EXAMPLE("try_to_date('foo', 'yyyy-MM-dd')", "NULL")},
    {SCALAR("to_timestamp", NULL, NULL, NULL), .bind = bind_parse, .render = render_parse,
     EXAMPLE("to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00")},
    {SCALAR("try_to_timestamp", NULL, NULL, NULL), .bind = bind_parse, .render = render_parse,
     EXAMPLE("try_to_timestamp('foo', 'yyyy-MM-dd')", "NULL")},
    {SCALAR("to_timestamp_ltz", NULL, NULL, NULL), .bind = bind_parse, .render = render_parse,
     EXAMPLE("to_timestamp_ltz('2016-12-31 00:12:00')", "2016-12-31 00:12:00")},
    {SCALAR("to_timestamp_ntz", NULL, NULL, NULL), .bind = bind_parse, .render = render_parse,
     EXAMPLE("to_timestamp_ntz('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00")},
    {SCALAR("unix_timestamp", NULL, NULL, NULL), .bind = bind_unix_timestamp,
     .render = render_unix_timestamp,
     EXAMPLE("unix_timestamp(timestamp_ntz'1970-01-01 00:01:00')", "60")},
    {SCALAR("to_unix_timestamp", NULL, NULL, NULL), .bind = bind_unix_timestamp,
     .render = render_unix_timestamp,
     EXAMPLE("to_unix_timestamp(timestamp_ntz'1970-01-01 00:01:00')", "60")},
    {SCALAR("from_unixtime", NULL, NULL, "ls_date_format(ls_from_seconds($1), $2, $zone)"),
     .bind = bind_from_unixtime, EXAMPLE("from_unixtime(0, 'mm:ss')", "00:00")},
    {SCALAR("unix_date", NULL, NULL, "CAST($1 - DATE '1970-01-01' AS INTEGER)"), .bind = bind_exact,
     EXAMPLE("unix_date(DATE'1970-01-02')", "1")},
    {SCALAR("unix_seconds", NULL, NULL, "ls_epoch_seconds($1)"), .bind = bind_exact,
     EXAMPLE("unix_seconds(TIMESTAMP'1970-01-01 00:00:01Z')", "1")},
    {SCALAR("unix_millis", NULL, NULL, "ls_epoch_millis($1)"), .bind = bind_exact,
     EXAMPLE("unix_millis(TIMESTAMP'1970-01-01 00:00:01Z')", "1000")},
    {SCALAR("unix_micros", NULL, NULL, "ls_epoch_micros($1)"), .bind = bind_exact,
     EXAMPLE("unix_micros(TIMESTAMP'1970-01-01 00:00:01Z')", "1000000")},
    {SCALAR("date_from_unix_date", NULL, "(int) -> date", "ls_date_add(DATE '1970-01-01', $1)"),
     EXAMPLE("date_from_unix_date(1)", "1970-01-02")},
    {SCALAR("timestamp_seconds", NULL, NULL, "ls_timestamp_seconds($1)"),
     .bind = bind_timestamp_seconds,
     EXAMPLE("unix_millis(timestamp_seconds(1230219000.123))", "1230219000123")},
    {SCALAR("timestamp_millis", NULL, NULL, "ls_from_millis($1)"), .bind = bind_exact,
     EXAMPLE("unix_millis(timestamp_millis(1230219000123))", "1230219000123")},
    {SCALAR("timestamp_micros", NULL, NULL, "ls_from_micros($1)"), .bind = bind_exact,
     EXAMPLE("unix_micros(timestamp_micros(1230219000123123))", "1230219000123123")},
    {SCALAR("from_utc_timestamp", NULL, "(timestamp, string) -> timestamp", "ls_from_utc($1, $2)"),
     EXAMPLE("from_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-31 09:00:00")},
    {SCALAR("to_utc_timestamp", NULL, "(timestamp, string) -> timestamp", "ls_to_utc($1, $2)"),
     EXAMPLE("to_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-30 15:00:00")},
    {SCALAR("convert_timezone", NULL, NULL, "ls_convert_timezone($1, $2, $3)"),
     .bind = bind_convert_timezone,
     EXAMPLE("convert_timezone('Europe/Brussels', 'America/Los_Angeles', timestamp_ntz'2021-12-06 "
             "00:00:00')",
             "2021-12-05 15:00:00")},

    {SCALAR("make_date", NULL, NULL, "ls_make_date($1, $2, $3, true)"),
     .sql_legacy = "ls_make_date($1, $2, $3, false)", .bind = bind_make_date,
     EXAMPLE("make_date(2013, 7, 15)", "2013-07-15")},
    {SCALAR("make_timestamp", NULL, NULL, NULL), .bind = bind_make_timestamp,
     .render = render_make_timestamp,
     EXAMPLE("make_timestamp(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887")},
    {SCALAR("make_timestamp_ltz", NULL, NULL, NULL), .bind = bind_make_timestamp,
     .render = render_make_timestamp,
     EXAMPLE("make_timestamp_ltz(2019, 6, 30, 23, 59, 60)", "2019-07-01 00:00:00")},
    {SCALAR("try_make_timestamp", NULL, NULL, NULL), .bind = bind_make_timestamp,
     .render = render_make_timestamp,
     .pretty = "$?6{try_make_timestamp($1, $2, $3, $4, $5, $6)}{$f($*)}",
     EXAMPLE("try_make_timestamp(2024, 13, 22, 15, 30, 0)", "NULL")},
    {SCALAR("try_make_timestamp_ltz", NULL, NULL, NULL), .bind = bind_make_timestamp,
     .render = render_make_timestamp,
     EXAMPLE("try_make_timestamp_ltz(2024, 13, 22, 15, 30, 0)", "NULL")},
    {SCALAR("make_timestamp_ntz", NULL, NULL, NULL), .bind = bind_make_ntz,
     .render = render_make_ntz,
     EXAMPLE("make_timestamp_ntz(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887")},
    {SCALAR("try_make_timestamp_ntz", NULL, NULL, NULL), .bind = bind_make_ntz,
     .render = render_make_ntz,
     .pretty = "$?6{try_make_timestamp_ntz($*)}{try_make_timestamp_ntz(make_timestamp_ntz($*))}",
     EXAMPLE("try_make_timestamp_ntz(2024, 13, 22, 15, 30, 0)", "NULL")},
    {SCALAR("make_interval", NULL, NULL, "ls_make_interval($1, $2, $3, $4, $5, $6, $7, true)"),
     .sql_legacy = "ls_make_interval($1, $2, $3, $4, $5, $6, $7, false)",
     .bind = bind_make_interval,
     EXAMPLE("make_interval(100, 11, 1, 1, 12, 30, 01.001001)",
             "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds")},
    {SCALAR("try_make_interval", NULL, NULL, "ls_make_interval($1, $2, $3, $4, $5, $6, $7, false)"),
     .bind = bind_make_interval, EXAMPLE("try_make_interval(2147483647)", "NULL")},
    {SCALAR("make_dt_interval", NULL, NULL, "ls_make_dt_interval($1, $2, $3, $4)"),
     .bind = bind_make_interval,
     EXAMPLE("make_dt_interval(1, 12, 30, 01.001001)",
             "INTERVAL '1 12:30:01.001001' DAY TO SECOND")},
    {SCALAR("make_ym_interval", NULL, NULL, "ls_make_ym_interval($1, $2)"),
     .bind = bind_make_interval, EXAMPLE("make_ym_interval(1, 2)", "INTERVAL '1-2' YEAR TO MONTH")},

    {SCALAR("make_time", NULL, "(int, int, decimal(16,6)) -> time?", "ls_make_time($1, $2, $3)"),
     EXAMPLE("make_time(6, 30, 45.887)", "06:30:45.887")},
    {SCALAR("to_time", NULL, NULL, NULL), .bind = bind_to_time, .render = render_to_time,
     EXAMPLE("to_time('12.10.05', 'HH.mm.ss')", "12:10:05")},
    {SCALAR("try_to_time", NULL, NULL, NULL), .bind = bind_to_time, .render = render_to_time,
     .pretty = "try_to_time(to_time($*))", EXAMPLE("try_to_time('foo', 'HH:mm:ss')", "NULL")},
    {SCALAR("time_trunc", NULL, "(string, time) -> time?", "ls_time_trunc($1, $2)"),
     EXAMPLE("time_trunc('HOUR', TIME'09:32:05.359')", "09:00:00")},
    {SCALAR("time_diff", NULL, "(string, time, time) -> long?", "ls_time_diff($1, $2, $3)"),
     EXAMPLE("time_diff('HOUR', TIME'20:30:29', TIME'12:00:00')", "-8")},
    {SCALAR("time_from_seconds", NULL, NULL, "ls_time_from_seconds($1)"), .bind = bind_time_from,
     EXAMPLE("time_from_seconds(1.5)", "00:00:01.5")},
    {SCALAR("time_from_millis", NULL, NULL, "ls_time_from_millis($1)"), .bind = bind_time_from,
     EXAMPLE("time_from_millis(5)", "00:00:00.005")},
    {SCALAR("time_from_micros", NULL, NULL, "ls_time_from_micros($1)"), .bind = bind_time_from,
     EXAMPLE("time_from_micros(0)", "00:00:00")},
    {SCALAR("time_to_seconds", NULL, NULL,
            "CAST(CAST(ls_time_micros($1) AS DECIMAL(14,0)) * 0.000001 AS DECIMAL(14,6))"),
     .bind = bind_time_to, EXAMPLE("time_to_seconds(TIME'14:30:00.5')", "52200.500000")},
    {SCALAR("time_to_millis", NULL, NULL, "ls_time_millis($1)"), .bind = bind_time_to,
     EXAMPLE("time_to_millis(TIME'23:59:59.999')", "86399999")},
    {SCALAR("time_to_micros", NULL, NULL, "ls_time_micros($1)"), .bind = bind_time_to,
     EXAMPLE("time_to_micros(TIME'00:00:01')", "1000000")},

    /* what + and - become: rows_operator.c */
    PLUS("date_plus_months", "(date, interval_ym) -> date", "ls_date_add_months($1, $2)", "+"),
    PLUS("date_minus_months", "(date, interval_ym) -> date", "ls_date_sub_months($1, $2)", "-"),
    {SCALAR("date_plus_interval", NULL, "(date, interval) -> date",
            "ls_date_plus_interval($1, $2, true)"),
     .sql_legacy = "ls_date_plus_interval($1, $2, false)", .flags = FUNC_HIDDEN,
     .pretty = "$1 + $2"},
    {SCALAR("date_minus_interval", NULL, "(date, interval) -> date",
            "ls_date_minus_interval($1, $2, true)"),
     .sql_legacy = "ls_date_minus_interval($1, $2, false)", .flags = FUNC_HIDDEN,
     .pretty = "$1 - $2"},
    PLUS("timestamp_plus_months", "(timestamp, interval_ym) -> timestamp",
         "ls_timestamp_plus_months($1, $2, $zone)", "+"),
    PLUS("timestamp_minus_months", "(timestamp, interval_ym) -> timestamp",
         "ls_timestamp_minus_months($1, $2, $zone)", "-"),
    PLUS("timestamp_plus_time", "(timestamp, interval_dt) -> timestamp",
         "ls_timestamp_plus_time($1, $2, $zone)", "+"),
    PLUS("timestamp_minus_time", "(timestamp, interval_dt) -> timestamp",
         "ls_timestamp_minus_time($1, $2, $zone)", "-"),
    PLUS("timestamp_plus_interval", "(timestamp, interval) -> timestamp",
         "ls_timestamp_plus_interval($1, $2, $zone)", "+"),
    PLUS("timestamp_minus_interval", "(timestamp, interval) -> timestamp",
         "ls_timestamp_minus_interval($1, $2, $zone)", "-"),
    PLUS("text_plus_time", "(timestamp, interval_dt) -> string",
         "ls_text_zoned(ls_timestamp_plus_time($1, $2, $zone), $zone)", "+"),
    PLUS("text_minus_time", "(timestamp, interval_dt) -> string",
         "ls_text_zoned(ls_timestamp_minus_time($1, $2, $zone), $zone)", "-"),
    PLUS("text_plus_interval", "(timestamp, interval) -> string",
         "ls_text_zoned(ls_timestamp_plus_interval($1, $2, $zone), $zone)", "+"),
    PLUS("text_minus_interval", "(timestamp, interval) -> string",
         "ls_text_zoned(ls_timestamp_minus_interval($1, $2, $zone), $zone)", "-"),
    PLUS("ntz_plus_months", "(timestamp_ntz, interval_ym) -> timestamp_ntz",
         "ls_ntz_plus_months($1, $2)", "+"),
    PLUS("ntz_minus_months", "(timestamp_ntz, interval_ym) -> timestamp_ntz",
         "ls_ntz_minus_months($1, $2)", "-"),
    PLUS("ntz_plus_time", "(timestamp_ntz, interval_dt) -> timestamp_ntz",
         "ls_ntz_plus_time($1, $2)", "+"),
    PLUS("ntz_minus_time", "(timestamp_ntz, interval_dt) -> timestamp_ntz",
         "ls_ntz_minus_time($1, $2)", "-"),
    PLUS("ntz_plus_interval", "(timestamp_ntz, interval) -> timestamp_ntz",
         "ls_ntz_plus_interval($1, $2)", "+"),
    PLUS("ntz_minus_interval", "(timestamp_ntz, interval) -> timestamp_ntz",
         "ls_ntz_minus_interval($1, $2)", "-"),
    {SCALAR("time_plus_interval", NULL, NULL, NULL), .bind = bind_time_plus,
     .render = render_time_plus, .flags = FUNC_HIDDEN, .pretty = "$1 + $2"},
    {SCALAR("time_minus_interval", NULL, NULL, NULL), .bind = bind_time_plus,
     .render = render_time_plus, .flags = FUNC_HIDDEN, .pretty = "$1 - $2"},
    {SCALAR("subtract_dates", NULL, NULL, "CAST(CAST($1 - $2 AS BIGINT) * 86400000000 AS BIGINT)"),
     .bind = bind_subtract_dates, .flags = FUNC_HIDDEN, .pretty = "($1 - $2)"},
    {SCALAR("subtract_times", NULL, NULL, "(ls_time_micros($1) - ls_time_micros($2))"),
     .bind = bind_subtract_times, .flags = FUNC_HIDDEN, .pretty = "$1 - $2"},
    {SCALAR("subtract_timestamps", NULL,
            "(timestamp, timestamp) -> interval_dt; (timestamp_ntz, timestamp_ntz) -> interval_dt",
            NULL),
     .render = render_subtract_timestamps, .flags = FUNC_HIDDEN, .pretty = "($1 - $2)"},
    {SCALAR("extractansiintervaldays", NULL, "(interval_dt) -> int", "ls_interval_days($1)"),
     .flags = FUNC_HIDDEN},
}
;
END_OF_ROWS(datetime);
