/* Calls of constants that need no engine: dates and times, plus and minus intervals. A scan may then
 * skip files by them. */
#include "func/func.h"
#include "func/native_impl.h"

enum { FOLD_MAX_ARGS = 4 };

typedef union Cell {
    bool boolean;
    int32_t narrow;
    int64_t wide;
    duckdb_interval interval;
    duckdb_string_t text;
} Cell;

static void text_cell(Str s, Cell *out) {
    *out = (Cell){0};
    out->text.value.inlined.length = (uint32_t)s.len;
    if (s.len <= sizeof out->text.value.inlined.inlined)
        memcpy(out->text.value.inlined.inlined, s.ptr, s.len);
    else {
        memcpy(out->text.value.pointer.prefix, s.ptr, sizeof out->text.value.pointer.prefix);
        out->text.value.pointer.ptr = (char *)s.ptr;
    }
}

/* One letter of a native's signature; false: of another kind than dates, times and intervals are. */
static bool value_cell(const Value *v, char letter, Cell *out) {
    *out = (Cell){0};
    switch (letter) {
    case 'D':
    case '4': out->narrow = (int32_t)v->integer; return true;
    case '8':
    case 'n':
    case 'z': out->wide = v->integer; return true;
    case 'v':
        out->interval =
            (duckdb_interval){v->calendar.months, v->calendar.days, v->calendar.micros};
        return true;
    default: return false;
    }
}

static bool is_time_letter(char letter) {
    return letter == 'D' || letter == 'n' || letter == 'z';
}

/* "name($1, $2, $zone)" as the cells of its arguments. */
static bool read_arguments(Str list, const char *letters, const Value *values, size_t count, Str zone,
                           Cell *cells, size_t *argc) {
    *argc = 0;
    while (list.len) {
        if (*argc == FOLD_MAX_ARGS || !letters[*argc])
            return false;
        ptrdiff_t comma = str_find(list, S(", "));
        Str arg = comma < 0 ? list : str_slice(list, 0, (size_t)comma);
        list = comma < 0 ? (Str){0} : str_slice(list, (size_t)comma + 2, list.len);
        Cell *cell = &cells[*argc];
        char letter = letters[(*argc)++];
        if (arg.len == 2 && arg.ptr[0] == '$' && arg.ptr[1] >= '1' &&
            (size_t)(arg.ptr[1] - '1') < count) {
            if (!value_cell(&values[arg.ptr[1] - '1'], letter, cell))
                return false;
        } else if (str_is(arg, "$zone") && letter == 's')
            text_cell(zone, cell);
        else if ((str_is(arg, "true") || str_is(arg, "false")) && letter == 'b')
            *cell = (Cell){.boolean = str_is(arg, "true")};
        else
            return false;
    }
    return !letters[*argc];
}

static bool fold_call(const BoundExpr *e, Str zone, Arena *arena, Value *out) {
    const FuncRow *row = e->call.row;
    Value values[FOLD_MAX_ARGS];
    if (!row->sql || row->render || e->call.args.len > FOLD_MAX_ARGS)
        return false;
    Str text = str_from(row->sql);
    ptrdiff_t open = str_find(text, S("("));
    if (open < 0 || text.ptr[text.len - 1] != ')')
        return false;
    const NativeFunction *f = native_datetime_find(str_slice(text, 0, (size_t)open));
    if (!f || f->signature[1] != ':' || !is_time_letter(f->signature[0]))
        return false;
    for (size_t i = 0; i < e->call.args.len; i++)
        if (!func_fold(e->call.args.at[i], zone, arena, &values[i]))
            return false;
    Cell cells[FOLD_MAX_ARGS], result = {0};
    size_t argc;
    if (!read_arguments(str_slice(text, (size_t)open + 1, text.len - 1), f->signature + 2, values,
                        e->call.args.len, zone, cells, &argc))
        return false;
    NativeVec args[FOLD_MAX_ARGS] = {0};
    uint64_t valid = 1;
    for (size_t i = 0; i < argc; i++)
        args[i].data = &cells[i];
    /* A call that fails has no query to fail here: the engine says so when it comes to it. */
    Native n = {.function = f, .args = args, .argc = argc, .rows = 1, .result = &result,
                .out_valid = &valid, .arena = arena, .scratch = buf_in(arena)};
    if (!f->row(&n, 0) || !valid)
        return false;
    *out = (Value){.type = e->type};
    out->integer = f->signature[0] == 'D' ? result.narrow : result.wide;
    return true;
}

bool func_fold(const BoundExpr *e, Str zone, Arena *arena, Value *out) {
    Value inner;
    bool folded;
    if (e->kind == BEXPR_LITERAL || e->folded) {
        *out = e->folded ? *e->folded : e->literal;
        folded = true;
    } else if (e->kind == BEXPR_CAST)
        folded = func_fold(e->cast.child, zone, arena, &inner) &&
                 value_cast_plain(&inner, e->type, e->cast.zone.len ? e->cast.zone : zone, arena, out);
    else
        folded = e->kind == BEXPR_CALL && fold_call(e, zone, arena, out);
    return folded && !out->is_null;
}
