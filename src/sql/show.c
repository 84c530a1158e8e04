/* SHOW and DESCRIBE. */
#include "sql/parser_impl.h"

static bool finish(Parser *p, Command *c, size_t from, Statement *out)
{
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

static bool accept_from(Parser *p)
{
    return accept(p, KW_FROM) || accept(p, KW_IN);
}

/* [LIKE] 'pattern' */
static bool parse_pattern(Parser *p, Command *c)
{
    bool like = accept(p, KW_LIKE);
    if (!like && !is_string_at(p, 0))
        return true;
    c->show.has_like = true;
    return parse_string(p, &c->show.like);
}

static bool parse_source(Parser *p, Command *c)
{
    if (!accept_from(p))
        return true;
    accept_namespace(p);
    Expr *name_expr;
    TRY(parse_reference(p, &c->show.from, &name_expr));
    c->name_expr = name_expr;
    return true;
}

static bool parse_listing(Parser *p, Command *c, const char *what)
{
    c->show.what = str_from(what);
    TRY(parse_source(p, c));
    return parse_pattern(p, c);
}

/* SHOW TABLE EXTENDED [IN ns] LIKE 'p' [PARTITION (..)] */
static bool parse_table_extended(Parser *p, Command *c)
{
    TRY(expect(p, KW_EXTENDED));
    c->show.what = S("table extended");
    TRY(parse_source(p, c));
    if (!is_at(p, KW_LIKE))
        return syntax_error(p);
    TRY(parse_pattern(p, c));
    return !is_at(p, KW_PARTITION) || parse_partition_spec(p, &c->show.partition);
}

static bool parse_tblproperties(Parser *p, Command *c)
{
    StrVec keys = {0};
    c->show.what = S("tblproperties");
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (!is_at(p, TOK_LEFT_PAREN))
        return true;
    TRY(parse_property_keys(p, &keys));
    if (keys.len != 1)
        return syntax_error(p);
    c->show.key = keys.at[0];
    return true;
}

/* SHOW COLUMNS IN t [IN ns]: the namespace may stand apart from the table's name. */
static bool parse_columns(Parser *p, Command *c)
{
    c->show.what = S("columns");
    if (!accept_from(p))
        return syntax_error(p);
    accept(p, KW_TABLE);
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (!accept_from(p))
        return true;
    Name ns;
    TRY(parse_multipart(p, &ns));
    if (c->name.len == 2 && ns.len == 1 && !str_ieq(ns.at[0], c->name.at[0]))
        return error_set(
            p->err, ERR_SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE,
            P("namespaceA", name_quoted(&ns, p->arena)),
            P("namespaceB", name_quoted(&(Name){.at = c->name.at, .len = 1}, p->arena)));
    if (c->name.len == 1) {
        vec_push(p->arena, &ns, c->name.at[0]);
        c->name = ns;
    }
    return true;
}

/* SHOW [USER|SYSTEM|ALL] FUNCTIONS [IN ns] [LIKE pattern]; the pattern may be a bare name. */
static bool parse_functions(Parser *p, Command *c, Str scope, size_t from)
{
    c->show.what = S("functions");
    c->show.key = str_upper(scope, p->arena);
    if (scope.len && !str_is_ci(scope, "user") && !str_is_ci(scope, "system") &&
        !str_is_ci(scope, "all"))
        return REFUSE(
            p, from, ERR_INVALID_SQL_SYNTAX__SHOW_FUNCTIONS_INVALID_SCOPE,
            P("scope", str_printf(p->arena, "`" STR_FMT "`", STR_ARG(str_lower(scope, p->arena)))));
    TRY(parse_source(p, c));
    bool like = accept(p, KW_LIKE);
    if (is_string_at(p, 0)) {
        c->show.has_like = true;
        return parse_string(p, &c->show.like);
    }
    if (!is_name_at(p, 0))
        return !like || syntax_error(p);
    Name name;
    TRY(parse_multipart(p, &name));
    c->show.has_like = true;
    c->show.like = dotted(p, &name);
    return true;
}

static bool parse_show_create(Parser *p, Command *c)
{
    c->show.what = S("create table");
    if (!accept(p, KW_TABLE))
        TRY(expect(p, KW_VIEW));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (accept_two(p, KW_AS, KW_SERDE))
        c->show.as_serde = true;
    return true;
}

static bool parse_partitions(Parser *p, Command *c)
{
    c->show.what = S("partitions");
    TRY(parse_reference(p, &c->name, &c->name_expr));
    return !is_at(p, KW_PARTITION) || parse_partition_spec(p, &c->show.partition);
}

static bool invalid_show(Parser *p, size_t from)
{
    Str words = str_upper(source_text(p, from), p->arena);
    return refuse_words(p, words);
}

static bool parse_show_kind(Parser *p, Command *c, size_t from)
{
    size_t word = mark(p);
    TokenKind kind = current(p);
    advance(p);
    switch (kind) {
    case KW_SCHEMAS:
    case KW_DATABASES:
    case KW_NAMESPACES: return parse_listing(p, c, "schemas");
    case KW_TABLES: return parse_listing(p, c, "tables");
    case KW_VIEWS: return parse_listing(p, c, "views");
    case KW_CATALOGS: return parse_listing(p, c, "catalogs");
    case KW_COLLATIONS: return parse_listing(p, c, "collations");
    case KW_TABLE: return parse_table_extended(p, c);
    case KW_TBLPROPERTIES: return parse_tblproperties(p, c);
    case KW_COLUMNS: return parse_columns(p, c);
    case KW_PARTITIONS: return parse_partitions(p, c);
    case KW_FUNCTIONS: return parse_functions(p, c, (Str){0}, from);
    case KW_CREATE: return parse_show_create(p, c);
    case KW_PROCEDURES: return refuse_unsupported(p, from, "SHOW PROCEDURES");
    case KW_CURRENT:
        if (accept(p, KW_ROLES))
            return invalid_show(p, from);
        c->show.what = S("current namespace");
        return accept_namespace(p) || syntax_error(p);
    case KW_GRANT:
    case KW_ROLE:
    case KW_ROLES:
    case KW_PRINCIPALS:
    case KW_COMPACTIONS:
    case KW_TRANSACTIONS:
    case KW_INDEXES:
    case KW_LOCKS: return invalid_show(p, from);
    default: break;
    }
    p->pos = word;
    if (is_name_at(p, 0) && kind_at(p, 1) == KW_FUNCTIONS) {
        Str scope;
        TRY(parse_identifier(p, &scope));
        advance(p);
        return parse_functions(p, c, scope, from);
    }
    return syntax_error(p);
}

bool parse_show(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_SHOW, p->arena);
    advance(p);
    TRY(parse_show_kind(p, c, from));
    return finish(p, c, from, out);
}

/* ---- DESCRIBE ---- */

/* '/path' or a name; a path becomes delta.`/path`. */
static bool parse_path_or_name(Parser *p, Command *c)
{
    if (!is_string_at(p, 0))
        return parse_reference(p, &c->name, &c->name_expr);
    Str path;
    TRY(parse_string(p, &path));
    vec_push(p->arena, &c->name, S("delta"));
    vec_push(p->arena, &c->name, path);
    return true;
}

static bool parse_describe_function(Parser *p, Command *c)
{
    c->describe.what = S("function");
    c->describe.extended = is_at(p, KW_EXTENDED) && !is_at(p, TOK_EOF) && kind_at(p, 1) != TOK_EOF;
    if (c->describe.extended)
        advance(p);
    if (is_string_at(p, 0)) {
        Str name;
        TRY(parse_string(p, &name));
        vec_push(p->arena, &c->name, name);
        return true;
    }
    bool operator= !is_name_at(p, 0) ||
        (kind_at(p, 1) == TOK_EOF && (is_at(p, KW_AND) || is_at(p, KW_OR) || is_at(p, KW_IN) ||
                                      is_at(p, KW_NOT) || is_at(p, KW_DIV)));
    if (!operator)
        return parse_reference(p, &c->name, &c->name_expr);
    TokenKind kind = current(p);
    bool known = (kind >= TOK_BANG && kind <= TOK_HAT) || kind > TOK_FIRST_KEYWORD;
    if (!known)
        return syntax_error(p);
    vec_push(p->arena, &c->name, str_lower(token_text(p, peek_at(p, 0)), p->arena));
    advance(p);
    return true;
}

static bool parse_describe_table(Parser *p, Command *c, size_t from)
{
    c->describe.what = S("table");
    TokenKind next = kind_at(p, 1);
    if (is_at(p, KW_TABLE) && next != TOK_EOF && next != TOK_DOT && next != TOK_SEMICOLON)
        advance(p);
    next = kind_at(p, 1);
    c->describe.extended = (is_at(p, KW_EXTENDED) || is_at(p, KW_FORMATTED)) && next != TOK_EOF &&
                           next != TOK_DOT && next != TOK_SEMICOLON;
    if (c->describe.extended)
        advance(p);
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (is_at(p, KW_PARTITION) && kind_at(p, 1) == TOK_LEFT_PAREN)
        TRY(parse_partition_spec(p, &c->describe.partition));
    if (is_name_at(p, 0) && !is_at(p, KW_AS)) {
        Name column;
        TRY(parse_multipart(p, &column));
        c->describe.column = dotted(p, &column);
        if (c->describe.partition.len)
            return REFUSE(p, from, ERR_UNSUPPORTED_FEATURE__DESC_TABLE_COLUMN_PARTITION);
    }
    c->describe.as_json = accept_two(p, KW_AS, KW_JSON);
    if (c->describe.as_json && c->describe.column.len)
        return error_set(p->err, ERR_UNSUPPORTED_FEATURE__DESC_TABLE_COLUMN_JSON);
    if (c->describe.as_json && !c->describe.extended)
        return error_set(p->err, ERR_DESCRIBE_JSON_NOT_EXTENDED,
                         P("tableName", name_text(&c->name, p->arena)));
    for (size_t i = 0; i < c->describe.partition.len; i++)
        if (!c->describe.partition.at[i].value)
            return REFUSE(p, from, ERR_INVALID_SQL_SYNTAX__EMPTY_PARTITION_VALUE,
                          P("partKey", name_quoted(&c->describe.partition.at[i].target, p->arena)));
    return true;
}

static bool parse_describe_query(Parser *p, Command *c)
{
    c->describe.what = S("query");
    return parse_query(p, &c->query);
}

/* DETAIL and HISTORY are words of Delta's grammar; a table of that name must be told apart by what
 * follows. */
static bool parse_describe_delta(Parser *p, Command *c, const char *what)
{
    c->describe.what = str_from(what);
    advance(p);
    TRY(parse_path_or_name(p, c));
    return !str_is(c->describe.what, "history") || !accept(p, KW_LIMIT) ||
           parse_integer(p, &c->describe.limit);
}

static bool is_delta_form(const Parser *p, const char *word)
{
    return is_word_at(p, 0, word) && (is_name_at(p, 1) || is_string_at(p, 1));
}

static bool parse_describe_kind(Parser *p, Command *c, size_t from)
{
    TokenKind next = kind_at(p, 1);
    bool named = is_name_at(p, 1) || next == KW_EXTENDED;
    if (is_delta_form(p, "DETAIL"))
        return parse_describe_delta(p, c, "detail");
    if (is_delta_form(p, "HISTORY"))
        return parse_describe_delta(p, c, "history");
    if (is_at(p, KW_FUNCTION) && next != TOK_EOF && next != TOK_DOT) {
        advance(p);
        return parse_describe_function(p, c);
    }
    if (is_at(p, KW_PROCEDURE) && named)
        return refuse_unsupported(p, from, "DESCRIBE PROCEDURE");
    if ((is_namespace_word(current(p)) || is_at(p, KW_CATALOG)) && named) {
        c->describe.what = is_at(p, KW_CATALOG) ? S("catalog") : S("schema");
        advance(p);
        c->describe.extended = is_at(p, KW_EXTENDED) && is_name_at(p, 1);
        if (c->describe.extended)
            advance(p);
        return parse_reference(p, &c->name, &c->name_expr);
    }
    if (is_at(p, KW_QUERY) && next != TOK_EOF && next != TOK_DOT && next != TOK_SEMICOLON &&
        is_query_start(p, 1)) {
        advance(p);
        return parse_describe_query(p, c);
    }
    /* DESC TABLE t describes the table; TABLE alone opens a query only behind QUERY. */
    if (is_query_start(p, 0) && !is_at(p, KW_TABLE))
        return parse_describe_query(p, c);
    return parse_describe_table(p, c, from);
}

bool parse_describe(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_DESCRIBE, p->arena);
    advance(p);
    TRY(parse_describe_kind(p, c, from));
    return finish(p, c, from, out);
}
