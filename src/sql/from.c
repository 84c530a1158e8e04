/* FROM: tables, subqueries, functions, joins, samples, lateral views. */
#include "sql/parser_impl.h"

/* ---- aliases ---- */

/* Words behind a relation that are not its alias. */
static bool ends_relation(const Parser *p)
{
    TokenKind next = kind_at(p, 1);
    if (is_clause_start(p, 0))
        return true;
    switch (current(p)) {
    case KW_SET: return is_name_at(p, 1);
    case KW_WHEN: return next == KW_MATCHED || next == KW_NOT || next == TOK_BANG;
    case KW_PIVOT: return next == TOK_LEFT_PAREN;
    case KW_UNPIVOT: return next == TOK_LEFT_PAREN || next == KW_INCLUDE || next == KW_EXCLUDE;
    case KW_TABLESAMPLE: return next == TOK_LEFT_PAREN || next == KW_SYSTEM || next == KW_BERNOULLI;
    case KW_SELECT:
    case KW_VALUES: return next != TOK_EOF && next != TOK_COMMA && next != TOK_RIGHT_PAREN;
    case KW_INSERT: return next == KW_INTO || next == KW_OVERWRITE;
    case KW_REPLACE: return next == KW_WHERE || next == KW_USING || next == KW_ON;
    case KW_WITH: return next == TOK_LEFT_PAREN;
    case KW_WATERMARK: return is_name_at(p, 1);
    case KW_APPROX:
    case KW_EXACT: return next == KW_NEAREST;
    case KW_BY: return next == KW_NAME;
    default: return false;
    }
}

bool parse_table_alias(Parser *p, Str *alias, StrVec *columns)
{
    *alias = (Str){0};
    *columns = (StrVec){0};
    /* AS is a name itself: in "t AS (a, b)" it is the alias. */
    bool as = is_at(p, KW_AS) && kind_at(p, 1) != TOK_LEFT_PAREN;
    if (as)
        advance(p);
    if (!as && (ends_relation(p) || is_map_reduce(p) || !is_strict_name_at(p, 0)))
        return true;
    if (!is_strict_name_at(p, 0))
        return syntax_error(p);
    TRY(parse_identifier(p, alias));
    if (is_at(p, TOK_LEFT_PAREN))
        TRY(parse_identifier_list(p, columns));
    return true;
}

Rel *alias_relation(Parser *p, Rel *input, Str alias, const StrVec *columns, size_t from)
{
    if (!alias.len)
        return input;
    Rel *rel = new_rel(p, REL_SUBQUERY_ALIAS, input, from);
    rel->subquery_alias.alias = alias;
    if (columns)
        rel->subquery_alias.columns = *columns;
    return rel;
}

static bool finish_alias(Parser *p, Rel *input, size_t from, Rel **out)
{
    Str alias;
    StrVec columns;
    TRY(parse_table_alias(p, &alias, &columns));
    *out = alias_relation(p, input, alias, &columns, from);
    return true;
}

/* ---- time travel ---- */

bool is_temporal_start(const Parser *p)
{
    size_t ahead = is_at(p, KW_FOR);
    TokenKind kind = kind_at(p, ahead);
    bool word = kind == KW_VERSION || kind == KW_SYSTEM_VERSION || kind == KW_TIMESTAMP ||
                kind == KW_SYSTEM_TIME;
    return word && kind_at(p, ahead + 1) == KW_AS && kind_at(p, ahead + 2) == KW_OF;
}

bool parse_temporal(Parser *p, TimeTravel *out)
{
    accept(p, KW_FOR);
    bool version = is_at(p, KW_VERSION) || is_at(p, KW_SYSTEM_VERSION);
    p->pos += 3;
    out->kind = version ? TRAVEL_VERSION : TRAVEL_TIMESTAMP;
    if (!version)
        return parse_value(p, &out->value);
    if (!is_at(p, TOK_INTEGER) && !is_string_at(p, 0))
        return syntax_error(p);
    return parse_constant(p, &out->value);
}

/* Databricks: t@v3 and t@20240131235959000 right behind the name. */
static bool parse_at_version(Parser *p, TimeTravel *out)
{
    const Token *sign = peek_at(p, 0), *what = peek_at(p, 1);
    if (sign->kind != TOK_UNRECOGNIZED || p->text.ptr[sign->start] != '@' ||
        what->start != sign->end || !p->pos || p->tokens[p->pos - 1].end != sign->start)
        return true;
    size_t at = p->pos + 1;
    Str word = token_text(p, what);
    int64_t version;
    bool is_version = what->kind == TOK_IDENT && word.len > 1 && (word.ptr[0] | 0x20) == 'v' &&
                      str_to_i64(str_slice(word, 1, word.len), &version) && word.ptr[1] != '-' &&
                      word.ptr[1] != '+';
    if (is_version) {
        p->pos += 2;
        *out = (TimeTravel){TRAVEL_VERSION, new_expr(p, EXPR_LITERAL, at)};
        out->value->literal = value_int(TYPE_LONG, version);
        return true;
    }
    if (what->kind != TOK_INTEGER || word.len != 17)
        return true;
    const char *d = word.ptr; /* yyyyMMddHHmmssSSS */
    p->pos += 2;
    Str text = str_printf(p->arena, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s.%.3s", d, d + 4, d + 6, d + 8,
                          d + 10, d + 12, d + 14);
    *out = (TimeTravel){TRAVEL_TIMESTAMP, string_literal(p, text, at)};
    return true;
}

/* ---- samples ---- */

bool is_sample_start(const Parser *p)
{
    return is_at(p, KW_TABLESAMPLE) &&
           (kind_at(p, 1) == TOK_LEFT_PAREN || kind_at(p, 1) == KW_SYSTEM ||
            kind_at(p, 1) == KW_BERNOULLI);
}

/* What is wrong with a sample is said at its end, so that the whole clause can be shown. */
typedef struct SampleFault {
    ErrorClass cls; /* ERR_NONE: nothing */
    const char *key;
    Str value;
} SampleFault;

static void check_fraction(Parser *p, double fraction, SampleFault *fault)
{
    if (fraction < -1e-6 || fraction > 1 + 1e-6)
        *fault = (SampleFault){
            ERR__LEGACY_ERROR_TEMP_0064, "msg",
            str_printf(p->arena, "Sampling fraction (%.15g%s) must be on interval [0, 1]", fraction,
                       fraction == (double)(int64_t)fraction ? ".0" : "")};
}

static bool parse_bucket_sample(Parser *p, double *fraction)
{
    int64_t numerator, denominator;
    size_t from = mark(p);
    advance(p);
    TRY(parse_integer(p, &numerator));
    TRY(expect(p, KW_OUT));
    TRY(expect(p, KW_OF));
    TRY(parse_integer(p, &denominator));
    if (is_at(p, KW_ON))
        return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0015,
                      PZ("msg", kind_at(p, 2) == TOK_LEFT_PAREN ? "BUCKET x OUT OF y ON function"
                                                                : "BUCKET x OUT OF y ON colname"));
    *fraction = (double)numerator / (double)denominator;
    return true;
}

static bool is_percent_sample(const Parser *p)
{
    size_t ahead = is_at(p, TOK_MINUS);
    TokenKind kind = kind_at(p, ahead);
    return (kind == TOK_INTEGER || kind == TOK_DECIMAL) && kind_at(p, ahead + 1) == KW_PERCENT;
}

static bool parse_sample_method(Parser *p, Rel *rel, SampleFault *fault)
{
    size_t at = mark(p);
    if (is_percent_sample(p)) {
        bool minus = accept(p, TOK_MINUS);
        double percent = 0;
        if (!str_to_f64(token_text(p, peek_at(p, 0)), &percent))
            return syntax_error(p);
        p->pos += 2;
        rel->sample.upper = (minus ? -percent : percent) / 100;
        check_fraction(p, rel->sample.upper, fault);
        return true;
    }
    if (is_at(p, KW_BUCKET) && kind_at(p, 1) == TOK_INTEGER) {
        TRY(parse_bucket_sample(p, &rel->sample.upper));
        check_fraction(p, rel->sample.upper, fault);
        return true;
    }
    TRY(parse_expression(p, &rel->sample.rows));
    if (accept(p, KW_ROWS))
        return true;
    if (!is_at(p, TOK_RIGHT_PAREN))
        return expect_list_end(p, TOK_RIGHT_PAREN);
    Str text = source_text(p, at);
    char last = text.len ? (char)(text.ptr[text.len - 1] | 0x20) : 0;
    bool bytes = text.len > 1 && text.ptr[0] >= '0' && text.ptr[0] <= '9' &&
                 (last == 'b' || last == 'k' || last == 'm' || last == 'g');
    *fault = bytes ? (SampleFault){ERR__LEGACY_ERROR_TEMP_0015, "msg", S("byteLengthLiteral")}
                   : (SampleFault){ERR__LEGACY_ERROR_TEMP_0016, "bytesStr", text};
    return true;
}

bool parse_sample(Parser *p, Rel *input, Rel **out)
{
    size_t from = mark(p);
    Rel *rel = rel_new(REL_SAMPLE, input, p->arena);
    advance(p);
    if (!accept(p, KW_SYSTEM))
        accept(p, KW_BERNOULLI);
    TRY(expect(p, TOK_LEFT_PAREN));
    if (accept(p, TOK_RIGHT_PAREN))
        return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0014);
    SampleFault fault = {0};
    TRY(parse_sample_method(p, rel, &fault));
    TRY(expect(p, TOK_RIGHT_PAREN));
    if (is_at(p, KW_REPEATABLE) && kind_at(p, 1) == TOK_LEFT_PAREN) {
        p->pos += 2;
        rel->sample.has_seed = true;
        TRY(parse_integer(p, &rel->sample.seed));
        TRY(expect(p, TOK_RIGHT_PAREN));
    }
    if (fault.cls != ERR_NONE)
        return REFUSE(p, from, fault.cls, P(fault.key, fault.value));
    rel->origin = origin_from(p, from);
    *out = rel;
    return true;
}

static bool optional_sample(Parser *p, Rel *input, Rel **out)
{
    *out = input;
    return !is_sample_start(p) || parse_sample(p, input, out);
}

/* ---- relations ---- */

static bool finish_function_table(Parser *p, Rel *function, size_t from, Rel **out)
{
    bool distinct;
    TRY(parse_call_arguments(p, &function->table_function.args, &distinct));
    function->origin = origin_from(p, from);
    return finish_alias(p, function, from, out);
}

static bool parse_named_table(Parser *p, Rel **out)
{
    size_t from = mark(p);
    Rel *table = rel_new(REL_NAMED_TABLE, NULL, p->arena);
    bool clause = is_identifier_clause(p);
    TRY(parse_reference(p, &table->table.name, &table->table.name_expr));
    table->origin = origin_from(p, from);
    if (clause && is_at(p, TOK_LEFT_PAREN)) {
        Rel *function = rel_new(REL_TABLE_FUNCTION, NULL, p->arena);
        function->table_function.name = table->table.name;
        function->table_function.name_expr = table->table.name_expr;
        return finish_function_table(p, function, from, out);
    }
    TRY(parse_at_version(p, &table->table.travel));
    if (is_temporal_start(p))
        TRY(parse_temporal(p, &table->table.travel));
    if (is_at(p, KW_CHANGES) && kind_at(p, 1) == KW_FROM &&
        (kind_at(p, 2) == KW_VERSION || kind_at(p, 2) == KW_TIMESTAMP ||
         kind_at(p, 2) == KW_SYSTEM_VERSION || kind_at(p, 2) == KW_SYSTEM_TIME))
        return refuse_unsupported(p, from, "CHANGES FROM .. (use table_changes)");
    if (is_at(p, KW_WITH) && kind_at(p, 1) == TOK_LEFT_PAREN) {
        advance(p);
        TRY(parse_properties(p, &table->table.options));
    }
    /* In Spark the alias is inside the sample: it still names the columns. */
    size_t sample_at = mark(p);
    Rel *sample = NULL;
    if (is_sample_start(p))
        TRY(parse_sample(p, NULL, &sample));
    TRY(finish_alias(p, table, from, out));
    if (sample) {
        sample->input = *out;
        sample->origin = p->pos > sample_at ? sample->origin : origin_from(p, sample_at);
        *out = sample;
    }
    return true;
}

static bool is_function_table(const Parser *p)
{
    size_t i = 0;
    if (is_identifier_clause(p))
        return false;
    for (;;) {
        if (!is_name_at(p, i))
            return false;
        if (kind_at(p, i + 1) != TOK_DOT)
            break;
        i += 2;
    }
    if (kind_at(p, i) == KW_IDENTIFIER && is_string_at(p, i + 2))
        return kind_at(p, i + 4) == TOK_LEFT_PAREN;
    return kind_at(p, i + 1) == TOK_LEFT_PAREN;
}

static bool parse_function_table(Parser *p, Rel **out)
{
    size_t from = mark(p);
    Rel *rel = rel_new(REL_TABLE_FUNCTION, NULL, p->arena);
    TRY(parse_multipart(p, &rel->table_function.name));
    return finish_function_table(p, rel, from, out);
}

static bool push_row(Parser *p, Rel *values, Expr *e)
{
    ExprVec row = {0};
    bool wide = e->kind == EXPR_CALL && e->call.name.len == 1 &&
                str_is_ci(e->call.name.at[0], "struct") && !e->call.distinct && !e->call.filter &&
                (e->call.is_operator || e->call.args.len);
    if (!wide)
        vec_push(p->arena, &row, e);
    else
        for (size_t i = 0; i < e->call.args.len; i++) {
            Expr *item = e->call.args.at[i];
            vec_push(p->arena, &row, item->kind == EXPR_ALIAS ? item->alias.child : item);
        }
    vec_push(p->arena, &values->values.rows, row);
    return true;
}

bool parse_inline_table(Parser *p, Rel **out)
{
    size_t from = mark(p);
    Rel *values = rel_new(REL_VALUES, NULL, p->arena);
    advance(p);
    do {
        Expr *e;
        TRY(parse_expression(p, &e));
        TRY(push_row(p, values, e));
    } while (accept(p, TOK_COMMA));
    values->origin = origin_from(p, from);
    return finish_alias(p, values, from, out);
}

static bool parse_relation(Parser *p, Rel **out);

/* (query) alias or (relation) alias */
static bool parse_parenthesised(Parser *p, Rel **out)
{
    size_t from = mark(p);
    bool query = is_query_start(p, 1);
    Rel *inner;
    advance(p);
    if (query)
        TRY(parse_query(p, &inner));
    else
        TRY(parse_relation(p, &inner));
    TRY(expect_missing(p, TOK_RIGHT_PAREN));
    TRY(optional_sample(p, inner, &inner));
    TRY(finish_alias(p, inner, from, out));
    /* A subquery without a name hides the qualifiers inside it. */
    if (query && *out == inner) {
        *out = new_rel(p, REL_SUBQUERY_ALIAS, inner, from);
        (*out)->subquery_alias.alias = S(UNNAMED_SUBQUERY);
    }
    return true;
}

static bool parse_relation_primary(Parser *p, Rel **out)
{
    TokenKind next = kind_at(p, 1);
    if (is_at(p, TOK_LEFT_PAREN))
        return parse_parenthesised(p, out);
    if (is_at(p, KW_VALUES) && next != TOK_EOF && next != TOK_COMMA && next != TOK_RIGHT_PAREN &&
        next != TOK_DOT && next != KW_AS && next != TOK_SEMICOLON)
        return parse_inline_table(p, out);
    if (is_at(p, KW_STREAM) &&
        (next == TOK_LEFT_PAREN ||
         (is_strict_name_at(p, 1) && !is_clause_start(p, 1) && next != KW_AS)))
        return refuse_unsupported(p, p->pos, "STREAM in FROM");
    if (is_function_table(p))
        return parse_function_table(p, out);
    return parse_named_table(p, out);
}

/* ---- joins ---- */

/* Number of tokens of the join words up to and with JOIN; 0: no join starts here. */
static size_t join_words(const Parser *p)
{
    size_t i = is_at(p, KW_NATURAL);
    switch (kind_at(p, i)) {
    case KW_LEFT:
        i++;
        i += kind_at(p, i) == KW_OUTER || kind_at(p, i) == KW_SEMI || kind_at(p, i) == KW_ANTI;
        break;
    case KW_RIGHT:
    case KW_FULL:
        i++;
        i += kind_at(p, i) == KW_OUTER;
        break;
    case KW_INNER:
    case KW_CROSS:
    case KW_SEMI:
    case KW_ANTI: i++; break;
    default: break;
    }
    return kind_at(p, i) == KW_JOIN ? i + 1 : 0;
}

bool is_join_start(const Parser *p)
{
    return join_words(p) > 0;
}

static JoinKind join_kind(const Parser *p, size_t words)
{
    JoinKind kind = JOIN_INNER;
    for (size_t i = 0; i < words; i++) {
        switch (kind_at(p, i)) {
        case KW_LEFT: kind = JOIN_LEFT; break;
        case KW_RIGHT: kind = JOIN_RIGHT; break;
        case KW_FULL: kind = JOIN_FULL; break;
        case KW_SEMI: kind = JOIN_LEFT_SEMI; break;
        case KW_ANTI: kind = JOIN_LEFT_ANTI; break;
        case KW_CROSS: kind = JOIN_CROSS; break;
        default: break;
        }
    }
    return kind;
}

static const char *const join_names[] = {"INNER",     "LEFT OUTER", "RIGHT OUTER", "FULL OUTER",
                                         "LEFT SEMI", "LEFT ANTI",  "CROSS"};

static bool is_lateral_operand(const Rel *rel)
{
    while (rel->kind == REL_SUBQUERY_ALIAS && rel->input)
        rel = rel->input;
    return rel->kind != REL_NAMED_TABLE && rel->kind != REL_VALUES && rel->kind != REL_JOIN;
}

static bool check_lateral(Parser *p, const Rel *right, size_t from)
{
    if (is_lateral_operand(right))
        return true;
    return REFUSE(p, from, ERR_INVALID_SQL_SYNTAX__LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC);
}

static bool check_join(Parser *p, const Rel *join, size_t from)
{
    JoinKind kind = join->join.kind;
    if (join->join.natural && join->join.lateral)
        return REFUSE(p, from, ERR_INCOMPATIBLE_JOIN_TYPES, PZ("joinType1", "LATERAL"),
                      PZ("joinType2", "NATURAL"));
    if (join->join.natural && kind == JOIN_CROSS)
        return REFUSE(p, from, ERR_INCOMPATIBLE_JOIN_TYPES, PZ("joinType1", "NATURAL"),
                      PZ("joinType2", "CROSS"));
    if (join->join.lateral && join->join.using_columns.len)
        return REFUSE(p, from, ERR_UNSUPPORTED_FEATURE__LATERAL_JOIN_USING);
    if (join->join.lateral && kind != JOIN_INNER && kind != JOIN_CROSS && kind != JOIN_LEFT)
        return REFUSE(p, from, ERR_INVALID_LATERAL_JOIN_TYPE, PZ("joinType", join_names[kind]));
    return true;
}

/* APPROX | EXACT NEAREST [n] BY DISTANCE | SIMILARITY expression: both are computed exactly. */
static bool parse_nearest(Parser *p, const Rel *join, size_t from, Rel **out)
{
    enum { MOST_RESULTS = 100000 };
    Rel *nearest = rel_new(REL_NEAREST_JOIN, join->input, p->arena);
    int64_t count = 1;
    p->pos += 2;
    if (!is_at(p, KW_BY))
        TRY(parse_integer(p, &count));
    TRY(expect(p, KW_BY));
    bool distance = is_at(p, KW_DISTANCE);
    if (!distance && !is_at(p, KW_SIMILARITY))
        return syntax_error(p);
    nearest->nearest.direction = distance ? S("distance") : S("similarity");
    advance(p);
    TRY(parse_expression(p, &nearest->nearest.ranking));
    if (join->join.lateral)
        return REFUSE(p, from, ERR_UNSUPPORTED_FEATURE__LATERAL_JOIN_NEAREST_BY);
    if (join->join.kind != JOIN_INNER && join->join.kind != JOIN_LEFT)
        return REFUSE(p, from, ERR_NEAREST_BY_JOIN__UNSUPPORTED_JOIN_TYPE, PZ("joinType", join_names[join->join.kind]),
                      PZ("supported", "'INNER', 'LEFT OUTER'"));
    if (count < 1 || count > MOST_RESULTS)
        return REFUSE(p, from, ERR_NEAREST_BY_JOIN__NUM_RESULTS_OUT_OF_RANGE,
                      P("numResults", str_printf(p->arena, "%lld", (long long)count)), PZ("min", "1"), PZ("max", "100000"));
    nearest->nearest.right = join->join.right;
    nearest->nearest.count = count;
    nearest->nearest.kind = join->join.kind == JOIN_LEFT ? S("left") : S("inner");
    nearest->origin = origin_from(p, from);
    *out = nearest;
    return true;
}

bool parse_join(Parser *p, Rel *left, Rel **out)
{
    size_t from = mark(p), words = join_words(p);
    Rel *join = rel_new(REL_JOIN, left, p->arena);
    join->join.natural = is_at(p, KW_NATURAL);
    join->join.kind = join_kind(p, words);
    p->pos += words;
    join->join.lateral = is_at(p, KW_LATERAL);
    if (join->join.lateral)
        advance(p);
    TRY(parse_relation_primary(p, &join->join.right));
    if (join->join.lateral)
        TRY(check_lateral(p, join->join.right, from));
    if (!join->join.natural && accept(p, KW_ON))
        TRY(parse_expression(p, &join->join.condition));
    else if (!join->join.natural && is_at(p, KW_USING) && kind_at(p, 1) == TOK_LEFT_PAREN) {
        advance(p);
        TRY(parse_identifier_list(p, &join->join.using_columns));
    } else if (!join->join.natural && (is_at(p, KW_APPROX) || is_at(p, KW_EXACT)) && kind_at(p, 1) == KW_NEAREST)
        return parse_nearest(p, join, from, out);
    TRY(check_join(p, join, from));
    join->origin = origin_from(p, from);
    *out = join;
    return true;
}

/* Joins, pivots and unpivots behind a relation. */
static bool parse_extensions(Parser *p, Rel **rel)
{
    for (size_t chain = 0;; chain++) {
        if (chain > SQL_MAX_CHAIN)
            return p->depth = SQL_MAX_DEPTH, enter(p);
        if (is_join_start(p))
            TRY(parse_join(p, *rel, rel));
        else if (is_pivot_start(p))
            TRY(parse_pivot(p, *rel, rel));
        else if (is_unpivot_start(p))
            TRY(parse_unpivot(p, *rel, rel));
        else
            return true;
    }
}

static bool parse_relation(Parser *p, Rel **out)
{
    TRY(enter(p));
    TRY(parse_relation_primary(p, out));
    TRY(parse_extensions(p, out));
    leave(p);
    return true;
}

/* ---- LATERAL VIEW ---- */

static bool parse_lateral_view(Parser *p, Rel *input, Rel **out)
{
    size_t from = mark(p);
    Rel *rel = rel_new(REL_GENERATE, input, p->arena);
    Name name;
    p->pos += 2;
    rel->generate.outer = is_at(p, KW_OUTER) && kind_at(p, 1) != TOK_LEFT_PAREN;
    if (rel->generate.outer)
        advance(p);
    size_t call_at = mark(p);
    bool distinct;
    TRY(parse_multipart(p, &name));
    Expr *call = expr_new(EXPR_CALL, p->arena);
    call->call.name = name;
    TRY(parse_call_arguments(p, &call->call.args, &distinct));
    call->origin = origin_from(p, call_at);
    rel->generate.generator = call;
    if (is_name_at(p, 0) && !is_clause_start(p, 0)) {
        TRY(parse_identifier(p, &rel->generate.table_alias));
        rel->generate.table_alias = str_lower(rel->generate.table_alias, p->arena);
    } else {
        return syntax_error(p);
    }
    bool as = accept(p, KW_AS);
    if (as || (is_name_at(p, 0) && !is_clause_start(p, 0) && !is_at(p, KW_LATERAL))) {
        do {
            Str column;
            TRY(parse_identifier(p, &column));
            vec_push(p->arena, &rel->generate.column_aliases, column);
        } while (accept(p, TOK_COMMA));
    }
    rel->origin = origin_from(p, from);
    *out = rel;
    return true;
}

bool parse_lateral_views(Parser *p, Rel **rel)
{
    for (size_t chain = 0; is_at(p, KW_LATERAL) && kind_at(p, 1) == KW_VIEW; chain++) {
        if (chain > SQL_MAX_CHAIN)
            return p->depth = SQL_MAX_DEPTH, enter(p);
        TRY(parse_lateral_view(p, *rel, rel));
    }
    return true;
}

/* ---- FROM ---- */

/* Comma-separated relations are joined without a condition; a join behind one belongs to all before
 * it. */
static bool parse_from_item(Parser *p, Rel *left, Rel **out)
{
    size_t from = mark(p);
    bool lateral = is_at(p, KW_LATERAL) && kind_at(p, 1) != KW_VIEW;
    Rel *right;
    if (lateral)
        advance(p);
    size_t right_at = mark(p);
    TRY(parse_relation_primary(p, &right));
    if (lateral)
        TRY(check_lateral(p, right, right_at));
    bool own_joins_first = p->options->joins_before_commas && left && !lateral;
    if (own_joins_first)
        TRY(parse_extensions(p, &right));
    if (left || lateral) {
        Rel *join = new_rel(p, REL_JOIN, left ? left : new_rel(p, REL_ONE_ROW, NULL, from), from);
        join->join.right = right;
        join->join.kind = JOIN_INNER;
        join->join.lateral = lateral;
        right = join;
    }
    if (!own_joins_first)
        TRY(parse_extensions(p, &right));
    *out = right;
    return true;
}

bool parse_from(Parser *p, Rel **out)
{
    Rel *rel = NULL;
    size_t chain = 0, from = mark(p);
    TRY(expect(p, KW_FROM));
    do {
        if (++chain > SQL_MAX_CHAIN)
            return p->depth = SQL_MAX_DEPTH, enter(p);
        TRY(parse_from_item(p, rel, &rel));
    } while (accept(p, TOK_COMMA));
    bool views = is_at(p, KW_LATERAL);
    TRY(parse_lateral_views(p, &rel));
    if (views && is_pivot_start(p))
        return REFUSE(p, from, ERR_NOT_ALLOWED_IN_FROM__LATERAL_WITH_PIVOT);
    if (views && is_unpivot_start(p))
        return REFUSE(p, from, ERR_NOT_ALLOWED_IN_FROM__LATERAL_WITH_UNPIVOT);
    *out = rel;
    return true;
}
