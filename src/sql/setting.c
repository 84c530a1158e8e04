/* SET and RESET: mostly raw text up to the end of the statement. */
#include "sql/parser_impl.h"

static Command *setting(Parser *p, CommandKind kind, size_t from, Str key)
{
    Command *c = command_new(kind, p->arena);
    p->pos = p->count - 1;
    c->origin = origin_from(p, from);
    c->set.key = key;
    return c;
}

static bool give(Command *c, Statement *out)
{
    out->command = c;
    return true;
}

/* The text behind a byte, final semicolons left out. */
static Str remainder_from(const Parser *p, size_t byte)
{
    Str rest = str_trim(str_slice(p->text, byte, p->text.len));
    while (rest.len && rest.ptr[rest.len - 1] == ';')
        rest = str_trim(str_slice(rest, 0, rest.len - 1));
    return rest;
}

static bool is_key(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '.' || c == ':' || c == '\\';
        if (!good)
            return false;
    }
    return s.len > 0;
}

static bool set_error(Parser *p, size_t from, ErrorClass cls)
{
    p->pos = p->count - 1;
    error_set(p->err, cls);
    return refuse(p, from);
}

static Command *set_pair(Parser *p, size_t from, Str key, Str value)
{
    Command *c = setting(p, CMD_SET, from, key);
    c->set.value = value;
    c->set.has_value = true;
    return c;
}

/* ---- SET TIME ZONE ---- */

/* INTERVAL '8' HOUR as +08:00; not past 18 hours. */
static bool zone_of_interval(Parser *p, const Value *v, Str *out)
{
    int64_t seconds = v->integer / 1000000;
    if (v->type->kind != TYPE_INTERVAL_DT || v->integer % 1000000 || seconds < -18 * 3600 ||
        seconds > 18 * 3600)
        return false;
    int64_t magnitude = seconds < 0 ? -seconds : seconds;
    *out = str_printf(p->arena, "%c%02d:%02d", seconds < 0 ? '-' : '+', (int)(magnitude / 3600),
                      (int)(magnitude / 60 % 60));
    if (magnitude % 60)
        *out = str_printf(p->arena, STR_FMT ":%02d", STR_ARG(*out), (int)(magnitude % 60));
    return true;
}

/* The part that Spark finds too large: months, days, hours or seconds. */
static Str interval_part(Parser *p, const Value *v)
{
    int64_t part = v->integer;
    if (v->type->kind == TYPE_INTERVAL_DT && v->type->interval.from == UNIT_DAY)
        part /= INT64_C(86400000000);
    else if (v->type->kind == TYPE_INTERVAL_DT &&
             (part > INT64_C(64800000000) || part < -INT64_C(64800000000)))
        part /= INT64_C(3600000000);
    else if (v->type->kind == TYPE_INTERVAL_DT)
        part /= 1000000;
    return str_printf(p->arena, "%lld", (long long)part);
}

static bool parse_set_zone(Parser *p, size_t from, Statement *out)
{
    Str key = S("spark.sql.session.timeZone"), zone;
    p->pos += 3;
    if (is_at(p, KW_LOCAL) && (kind_at(p, 1) == TOK_EOF || kind_at(p, 1) == TOK_SEMICOLON))
        return give(set_pair(p, from, key, S("UTC")), out); /* the server's own zone */
    if (is_string_at(p, 0)) {
        TRY(parse_string(p, &zone));
        if (is_at(p, TOK_EOF) || is_at(p, TOK_SEMICOLON))
            return give(set_pair(p, from, key, zone), out);
    } else if (is_at(p, KW_INTERVAL)) {
        Expr *e;
        TRY(parse_constant(p, &e));
        bool whole = is_at(p, TOK_EOF) || is_at(p, TOK_SEMICOLON);
        if (whole && e->kind == EXPR_LITERAL && zone_of_interval(p, &e->literal, &zone))
            return give(set_pair(p, from, key, zone), out);
        if (whole && e->kind == EXPR_LITERAL)
            return REFUSE_STATEMENT(p, ERR_INVALID_INTERVAL_FORMAT__TIMEZONE_INTERVAL_OUT_OF_RANGE,
                                    P("input", interval_part(p, &e->literal)));
    }
    return set_error(p, from, ERR__LEGACY_ERROR_TEMP_0045);
}

/* ---- SET VAR ---- */

/* SET VAR a = 1, b = 2 | SET VAR (a, b) = (SELECT ..) */
bool parse_set_assignments(Parser *p, size_t words, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_SET_VARIABLE, p->arena);
    p->pos += words;
    if (is_at(p, TOK_LEFT_PAREN)) {
        NameVec names = {0};
        advance(p);
        if (is_at(p, TOK_RIGHT_PAREN))
            return set_error(p, from, ERR_INVALID_SET_SYNTAX);
        TRY(parse_multipart_seq(p, &names));
        TRY(expect_list_end(p, TOK_RIGHT_PAREN));
        for (size_t i = 0; i < names.len; i++)
            vec_push(p->arena, &c->variable.names, names.at[i]);
        TRY(expect(p, TOK_EQ));
        TRY(expect(p, TOK_LEFT_PAREN));
        TRY(parse_query(p, &c->query));
        TRY(expect(p, TOK_RIGHT_PAREN));
    } else {
        AssignmentVec list = {0};
        TRY(parse_assignments(p, &list));
        for (size_t i = 0; i < list.len; i++)
            vec_push(p->arena, &c->variable.assignments, list.at[i]);
    }
    c->origin = origin_from(p, from);
    return give(c, out);
}

/* ---- SET `key` = value, SET key = `value` ---- */

static bool parse_quoted_key(Parser *p, size_t from, Statement *out)
{
    Str key = lex_quoted_name(token_text(p, peek_at(p, 1)), p->arena);
    const Token *after = peek_at(p, 2);
    if (after->kind != TOK_EQ) {
        if (after->kind != TOK_EOF && after->kind != TOK_SEMICOLON)
            return set_error(p, from, ERR_INVALID_SET_SYNTAX);
        return give(setting(p, CMD_SET, from, key), out);
    }
    Str value = remainder_from(p, after->end);
    const Token *first = peek_at(p, 3);
    if (first->kind == TOK_BACKQUOTED &&
        (kind_at(p, 4) == TOK_EOF || kind_at(p, 4) == TOK_SEMICOLON))
        value = lex_quoted_name(token_text(p, first), p->arena);
    else if (str_find_char(value, ';') >= 0) {
        p->pos = p->count - 1;
        return REFUSE(p, from, ERR_INVALID_PROPERTY_VALUE,
                      P("value", str_printf(p->arena, "\"" STR_FMT "\"", STR_ARG(value))),
                      P("key", str_printf(p->arena, "\"" STR_FMT "\"", STR_ARG(key))));
    }
    return give(set_pair(p, from, key, value), out);
}

/* SET a.b.c = `any text;` */
static bool parse_quoted_value(Parser *p, size_t from, Str raw_key, Str quoted, Statement *out)
{
    Str value = lex_quoted_name(quoted, p->arena);
    if (is_key(raw_key))
        return give(set_pair(p, from, raw_key, value), out);
    p->pos = p->count - 1;
    return REFUSE(p, from, ERR_INVALID_PROPERTY_KEY,
                  P("key", str_printf(p->arena, "\"" STR_FMT "\"", STR_ARG(raw_key))),
                  P("value", str_printf(p->arena, "\"" STR_FMT "\"", STR_ARG(value))));
}

/* ---- SET ---- */

static bool parse_raw_set(Parser *p, size_t from, Statement *out)
{
    Str text = remainder_from(p, p->tokens[from].end);
    if (!text.len || str_is(text, "-v")) {
        Command *c = setting(p, CMD_SET, from, text);
        c->set.all = true;
        return give(c, out);
    }
    ptrdiff_t equals = str_find_char(text, '=');
    if (equals < 0)
        return is_key(text) ? give(setting(p, CMD_SET, from, text), out)
                            : set_error(p, from, ERR_INVALID_SET_SYNTAX);
    Str key = str_trim(str_slice(text, 0, (size_t)equals));
    Str value = str_trim(str_slice(text, (size_t)equals + 1, text.len));
    if (value.len > 1 && value.ptr[0] == '`' && value.ptr[value.len - 1] == '`' &&
        str_find_char(str_slice(value, 1, value.len - 1), '`') < 0)
        return parse_quoted_value(p, from, key, value, out);
    if (!is_key(key) || str_find_char(value, ';') >= 0)
        return set_error(p, from, ERR_INVALID_SET_SYNTAX);
    return give(set_pair(p, from, key, value), out);
}

static bool parse_set_catalog(Parser *p, size_t from, Statement *out)
{
    Command *c = command_new(CMD_USE, p->arena);
    p->pos += 2;
    c->use.is_catalog = true;
    if (is_string_at(p, 0)) {
        Str name;
        TRY(parse_string(p, &name));
        vec_push(p->arena, &c->name, name);
    } else {
        TRY(parse_reference(p, &c->name, &c->name_expr));
    }
    if (c->name.len > 1)
        return REFUSE(p, from, ERR_INVALID_SQL_SYNTAX__MULTI_PART_NAME,
                      PZ("statement", "SET CATALOG"), P("name", name_quoted(&c->name, p->arena)));
    c->origin = origin_from(p, from);
    return give(c, out);
}

bool parse_set(Parser *p, Statement *out)
{
    size_t from = mark(p);
    TokenKind word = kind_at(p, 1), next = kind_at(p, 2);
    bool named = is_name_at(p, 2) || next == TOK_LEFT_PAREN;
    if (word == KW_CATALOG && (named || is_string_at(p, 2)))
        return parse_set_catalog(p, from, out);
    if (word == KW_TIME && next == KW_ZONE)
        return parse_set_zone(p, from, out);
    if ((word == KW_VARIABLE || word == KW_VAR) && named)
        return parse_set_assignments(p, 2, out);
    if (word == KW_ROLE && next != TOK_EQ)
        return refuse_words(p, S("SET ROLE"));
    if (word == KW_PATH && next == TOK_EQ)
        return refuse_unsupported(p, from, "SET PATH");
    if (word == TOK_BACKQUOTED ||
        (word == TOK_DOUBLE_QUOTED && p->options->double_quoted_identifiers))
        return parse_quoted_key(p, from, out);
    return parse_raw_set(p, from, out);
}

bool parse_reset(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Str text = remainder_from(p, p->tokens[from].end);
    if (kind_at(p, 1) == TOK_BACKQUOTED &&
        (kind_at(p, 2) == TOK_EOF || kind_at(p, 2) == TOK_SEMICOLON))
        text = lex_quoted_name(token_text(p, peek_at(p, 1)), p->arena);
    else if (text.len && !is_key(text))
        return set_error(p, from, ERR_INVALID_RESET_COMMAND_FORMAT);
    Command *c = setting(p, CMD_RESET, from, text);
    c->set.all = !text.len;
    return give(c, out);
}
