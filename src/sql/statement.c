/* Statements: which one it is, and the small ones themselves. */
#include "sql/parser_impl.h"

static bool finish(Parser *p, Command *c, size_t from, Statement *out)
{
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

static void put_property(Parser *p, Command *c, Str key, Str value)
{
    vec_push(p->arena, &c->properties, ((KeyValue){key, value, NULL}));
}

/* ---- USE, EXPLAIN ---- */

static bool parse_use(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_USE, p->arena);
    advance(p);
    bool word = is_namespace_word(current(p)) || is_at(p, KW_CATALOG);
    TokenKind next = kind_at(p, 1);
    if (word && !is_name_at(p, 1) && next != TOK_EOF && next != TOK_SEMICOLON && next != TOK_DOT)
        return syntax_error_at(p, p->pos + 1);
    if (word && is_name_at(p, 1)) {
        c->use.is_catalog = is_at(p, KW_CATALOG);
        advance(p);
    }
    TRY(parse_reference(p, &c->name, &c->name_expr));
    return finish(p, c, from, out);
}

static bool parse_explain(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_EXPLAIN, p->arena);
    Statement inner = {0};
    advance(p);
    c->explain.mode = S("simple");
    if (is_at(p, KW_LOGICAL) || is_at(p, KW_FORMATTED) || is_at(p, KW_EXTENDED) ||
        is_at(p, KW_CODEGEN) || is_at(p, KW_COST)) {
        c->explain.mode = str_lower(token_text(p, peek_at(p, 0)), p->arena);
        advance(p);
    }
    if (str_is(c->explain.mode, "logical"))
        return refuse_words(p, S("EXPLAIN LOGICAL"));
    TRY(enter(p));
    TRY(parse_statement(p, &inner));
    leave(p);
    c->query = inner.query;
    c->explain.command = inner.command;
    return finish(p, c, from, out);
}

/* ---- COMMENT, REFRESH, CACHE ---- */

static bool parse_comment(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_COMMENT, p->arena);
    advance(p);
    TRY(expect(p, KW_ON));
    TokenKind kind = current(p);
    c->comment_on.what = is_namespace_word(kind) ? S("schema")
                         : kind == KW_TABLE      ? S("table")
                         : kind == KW_CATALOG    ? S("catalog")
                         : kind == KW_COLUMN     ? S("column")
                                                 : S("");
    if (!c->comment_on.what.len)
        return syntax_error(p);
    advance(p);
    TRY(parse_reference(p, &c->name, &c->name_expr));
    TRY(expect_missing(p, KW_IS));
    c->comment_on.is_null = accept(p, KW_NULL);
    if (!c->comment_on.is_null)
        TRY(parse_string(p, &c->comment_on.text));
    return finish(p, c, from, out);
}

static bool parse_refresh(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_REFRESH, p->arena);
    advance(p);
    bool table = is_at(p, KW_TABLE), function = is_at(p, KW_FUNCTION);
    if ((table || function) && kind_at(p, 1) != TOK_EOF) {
        advance(p);
        TRY(parse_reference(p, &c->name, &c->name_expr));
        put_property(p, c, S("what"), table ? S("table") : S("function"));
        return finish(p, c, from, out);
    }
    Str path;
    if (is_string_at(p, 0)) {
        TRY(parse_string(p, &path));
    } else {
        path = str_trim(str_slice(p->text, p->tokens[from].end, p->text.len));
        p->pos = p->count - 1;
        if (!path.len)
            return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0064,
                          PZ("msg", "Resource paths cannot be empty in REFRESH statements. Use / "
                                    "to match everything"));
    }
    c->comment = path;
    return finish(p, c, from, out);
}

static bool parse_cache(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_CACHE, p->arena);
    advance(p);
    c->cache.lazy = accept(p, KW_LAZY);
    TRY(expect(p, KW_TABLE));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (accept(p, KW_OPTIONS))
        TRY(parse_properties(p, &c->cache.options));
    if (accept(p, KW_AS) || is_query_start(p, 0)) {
        TRY(parse_query(p, &c->query));
        if (c->name.len > 1)
            return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0037,
                          P("quoted", name_text(&(Name){.at = c->name.at, .len = c->name.len - 1},
                                                p->arena)));
    }
    return finish(p, c, from, out);
}

static bool parse_uncache(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_UNCACHE, p->arena);
    bool clear = is_at(p, KW_CLEAR);
    advance(p);
    if (clear) {
        TRY(expect(p, KW_CACHE));
        return finish(p, c, from, out);
    }
    TRY(expect_missing(p, KW_TABLE));
    if (accept_if_exists(p))
        c->existence = IF_EXISTS;
    TRY(parse_reference(p, &c->name, &c->name_expr));
    return finish(p, c, from, out);
}

/* ---- ANALYZE, TRUNCATE, REPAIR ---- */

/* NOSCAN | FOR COLUMNS a, b | FOR ALL COLUMNS, kept as properties. */
static bool parse_analyze_scope(Parser *p, Command *c)
{
    if (accept(p, KW_FOR)) {
        if (accept_two(p, KW_ALL, KW_COLUMNS)) {
            put_property(p, c, S("columns"), S("all"));
            return true;
        }
        StrVec names = {0};
        TRY(expect(p, KW_COLUMNS));
        TRY(parse_identifier_seq(p, &names));
        for (size_t i = 0; i < names.len; i++)
            put_property(p, c, S("column"), names.at[i]);
        return true;
    }
    if (!is_name_at(p, 0))
        return true;
    size_t at = mark(p);
    Str word;
    TRY(parse_identifier(p, &word));
    put_property(p, c, S("noscan"), S("true"));
    return str_is_ci(word, "noscan") ||
           REFUSE(
               p, at, ERR_INVALID_SQL_SYNTAX__ANALYZE_TABLE_UNEXPECTED_NOSCAN,
               P("ctx", str_printf(p->arena, "`" STR_FMT "`", STR_ARG(str_upper(word, p->arena)))));
}

static bool parse_analyze(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_ANALYZE, p->arena);
    advance(p);
    if (accept(p, KW_TABLES)) {
        put_property(p, c, S("what"), S("tables"));
        if (accept(p, KW_FROM) || accept(p, KW_IN))
            TRY(parse_reference(p, &c->name, &c->name_expr));
    } else {
        TRY(expect(p, KW_TABLE));
        TRY(parse_reference(p, &c->name, &c->name_expr));
        if (is_at(p, KW_PARTITION))
            TRY(parse_partition_spec(p, &c->cache.partition));
    }
    TRY(expect(p, KW_COMPUTE));
    TRY(expect(p, KW_STATISTICS));
    TRY(parse_analyze_scope(p, c));
    return finish(p, c, from, out);
}

static bool parse_truncate(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_TRUNCATE, p->arena);
    advance(p);
    TRY(expect_missing(p, KW_TABLE));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (is_at(p, KW_PARTITION))
        TRY(parse_partition_spec(p, &c->cache.partition));
    return finish(p, c, from, out);
}

static bool parse_repair(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_ALTER_TABLE, p->arena);
    accept(p, KW_MSCK);
    TRY(expect(p, KW_REPAIR));
    TRY(expect(p, KW_TABLE));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    c->alter.kind = ALTER_RECOVER_PARTITIONS;
    if (is_at(p, KW_ADD) || is_at(p, KW_DROP) || is_at(p, KW_SYNC)) {
        c->alter.new_name = is_at(p, KW_DROP) ? S("DROP") : is_at(p, KW_SYNC) ? S("SYNC") : S("ADD");
        advance(p);
        TRY(expect(p, KW_PARTITIONS));
    }
    return finish(p, c, from, out);
}

/* ---- variables, EXECUTE IMMEDIATE ---- */

static bool parse_declare(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_DECLARE_VARIABLE, p->arena);
    advance(p);
    c->variable.replace = accept_two(p, KW_OR, KW_REPLACE);
    if ((is_at(p, KW_VARIABLE) || is_at(p, KW_VAR)) && is_name_at(p, 1))
        advance(p);
    do {
        Name name;
        Expr *name_expr;
        TRY(parse_reference(p, &name, &name_expr));
        if (!c->variable.names.len) {
            c->name = name;
            c->name_expr = name_expr;
        }
        vec_push(p->arena, &c->variable.names, name);
    } while (accept(p, TOK_COMMA));
    if (is_at(p, KW_CURSOR) || kind_at(p, 1) == KW_CURSOR)
        return refuse_cursor(p);
    bool value = is_at(p, KW_DEFAULT) || is_at(p, TOK_EQ);
    if (!value && is_name_at(p, 0)) {
        TRY(parse_type(p, &c->variable.type));
        value = is_at(p, KW_DEFAULT) || is_at(p, TOK_EQ);
    }
    if (value) {
        advance(p);
        TRY(parse_expression(p, &c->variable.value));
    }
    if (!c->variable.type && !c->variable.value)
        return REFUSE(p, from, ERR_INVALID_SQL_SYNTAX__VARIABLE_TYPE_OR_DEFAULT_REQUIRED);
    return finish(p, c, from, out);
}

static bool check_argument_names(Parser *p, const ExprVec *args, size_t from)
{
    Map seen = map_in(p->arena);
    for (size_t i = 0; i < args->len; i++) {
        if (args->at[i]->kind != EXPR_ALIAS)
            continue;
        Str name = args->at[i]->alias.names.at[0];
        if (map_has(&seen, name))
            return REFUSE(p, from, ERR_EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES,
                          P("aliases", name_quoted(&(Name){.at = &name, .len = 1}, p->arena)));
        map_put(&seen, name, &seen);
    }
    return true;
}

static bool parse_execute(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_EXECUTE_IMMEDIATE, p->arena);
    NameVec into = {0};
    advance(p);
    TRY(expect(p, KW_IMMEDIATE));
    TRY(parse_expression(p, &c->immediate.text));
    if (accept(p, KW_INTO)) {
        TRY(parse_multipart_seq(p, &into));
        for (size_t i = 0; i < into.len; i++)
            vec_push(p->arena, &c->immediate.into, into.at[i]);
    }
    size_t using_at = mark(p);
    if (accept(p, KW_USING)) {
        uint32_t close = is_at(p, TOK_LEFT_PAREN) ? peek_at(p, 0)->match : 0;
        bool parens =
            close && !is_query_start(p, 1) &&
            (p->tokens[close + 1].kind == TOK_EOF || p->tokens[close + 1].kind == TOK_SEMICOLON);
        if (parens)
            advance(p);
        TRY(parse_named_list(p, &c->immediate.args));
        if (parens)
            TRY(expect_list_end(p, TOK_RIGHT_PAREN));
        TRY(check_argument_names(p, &c->immediate.args, using_at));
    }
    return finish(p, c, from, out);
}

/* ---- WITH in front of a query or of INSERT and MERGE ---- */

static bool parse_with(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Rel *with;
    TRY(parse_ctes(p, &with));
    TokenKind kind = current(p);
    bool change = kind == KW_INSERT || kind == KW_MERGE || kind == KW_UPDATE || kind == KW_DELETE;
    if (!change)
        return parse_query_after(p, with, from, &out->query);
    if (kind == KW_UPDATE || kind == KW_DELETE)
        return refuse_unsupported(p, from, "WITH in front of UPDATE and DELETE");
    TRY(kind == KW_INSERT ? parse_insert(p, out) : parse_merge(p, out));
    with->input = out->command->query;
    with->origin = origin_from(p, from);
    out->command->query = with;
    return true;
}

/* ---- dispatch ---- */

typedef struct Refused {
    uint16_t first, second; /* second 0: any */
    const char *what; /* NULL: Spark's INVALID_STATEMENT_OR_CLAUSE with the words themselves */
} Refused;

static const Refused refused[] = {
    {KW_GRANT, 0, NULL},
    {KW_REVOKE, 0, NULL},
    {KW_EXPORT, KW_TABLE, NULL},
    {KW_IMPORT, KW_TABLE, NULL},
    {KW_LOCK, KW_TABLE, NULL},
    {KW_LOCK, KW_DATABASE, NULL},
    {KW_UNLOCK, KW_TABLE, NULL},
    {KW_UNLOCK, KW_DATABASE, NULL},
    {KW_START, KW_TRANSACTION, NULL},
    {KW_COMMIT, 0, NULL},
    {KW_ROLLBACK, 0, NULL},
    {KW_DFS, 0, NULL},
    {KW_CALL, 0, "CALL"},
    {KW_LOAD, KW_DATA, "LOAD DATA"},
    {KW_ADD, 0, "ADD JAR, FILE and ARCHIVE"},
    {KW_LIST, 0, "LIST JAR, FILE and ARCHIVE"},
};

/* False without an error: not one of them. */
static bool is_refused(Parser *p)
{
    size_t from = mark(p);
    for (size_t i = 0; i < LENGTH_OF(refused); i++) {
        const Refused *row = &refused[i];
        if (!is_at(p, row->first) || (row->second && kind_at(p, 1) != row->second))
            continue;
        p->pos += row->second ? 2 : 1;
        Str words = str_upper(source_text(p, from), p->arena);
        p->pos = p->count - 1;
        if (row->what)
            refuse_unsupported(p, from, row->what);
        else
            refuse_words(p, words);
        return true;
    }
    return false;
}

static bool parse_other(Parser *p, Statement *out)
{
    bool was;
    TRY(parse_maintenance(p, &was, out));
    if (was)
        return true;
    if (is_refused(p))
        return false;
    return syntax_error(p);
}

bool parse_statement(Parser *p, Statement *out)
{
    switch (current(p)) {
    case KW_WITH: return parse_with(p, out);
    case KW_SELECT:
    case KW_VALUES:
    case KW_TABLE:
    case KW_FROM:
    case KW_MAP:
    case KW_REDUCE:
    case TOK_LEFT_PAREN: return parse_query(p, &out->query);
    case KW_INSERT: return parse_insert(p, out);
    case KW_UPDATE: return parse_update(p, out);
    case KW_DELETE: return parse_delete(p, out);
    case KW_MERGE: return parse_merge(p, out);
    case KW_CREATE:
    case KW_REPLACE: return parse_create(p, out);
    case KW_DROP: return parse_drop(p, out);
    case KW_ALTER: return parse_alter(p, out);
    case KW_SHOW: return parse_show(p, out);
    case KW_DESC:
    case KW_DESCRIBE: return parse_describe(p, out);
    case KW_SET: return parse_set(p, out);
    case KW_RESET: return parse_reset(p, out);
    case KW_USE: return parse_use(p, out);
    case KW_EXPLAIN: return parse_explain(p, out);
    case KW_COMMENT: return parse_comment(p, out);
    case KW_REFRESH: return parse_refresh(p, out);
    case KW_CACHE: return parse_cache(p, out);
    case KW_UNCACHE:
    case KW_CLEAR: return parse_uncache(p, out);
    case KW_ANALYZE: return parse_analyze(p, out);
    case KW_TRUNCATE: return parse_truncate(p, out);
    case KW_MSCK:
    case KW_REPAIR: return parse_repair(p, out);
    case KW_DECLARE: return parse_declare(p, out);
    case KW_EXECUTE: return parse_execute(p, out);
    case KW_OPEN:
    case KW_FETCH:
    case KW_CLOSE: return is_name_at(p, 1) ? refuse_cursor(p) : syntax_error_at(p, p->pos + 1);
    default: return parse_other(p, out);
    }
}
