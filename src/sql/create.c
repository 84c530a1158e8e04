/* CREATE and REPLACE: catalogs, schemas, tables, views, functions. Columns and clauses are in
 * table.c. */
#include "sql/parser_impl.h"

/* What stands between CREATE and the kind of thing. */
typedef struct Prefix {
    size_t from;
    bool replace, temporary, global, external, streaming, materialized;
} Prefix;

static Command *begin(Parser *p, CommandKind kind, const Prefix *prefix)
{
    Command *c = command_new(kind, p->arena);
    c->existence = prefix->replace ? OR_REPLACE : IF_NOT_GIVEN;
    return c;
}

static bool finish(Parser *p, Command *c, const Prefix *prefix, Statement *out)
{
    c->origin = origin_from(p, prefix->from);
    out->command = c;
    return true;
}

static bool parse_existence(Parser *p, Command *c)
{
    bool given;
    TRY(parse_if_not_exists(p, &given));
    if (given)
        c->existence = IF_NOT_EXISTS;
    return true;
}

static bool duplicate(Parser *p, const char *clause)
{
    return REFUSE_STATEMENT(p, ERR_DUPLICATE_CLAUSES, PZ("clauseName", clause));
}

/* ---- catalogs and schemas ---- */

static bool parse_container_clauses(Parser *p, Command *c)
{
    bool comment = false, location = false, properties = false;
    for (;;) {
        bool managed = is_word_at(p, 0, "MANAGED") && kind_at(p, 1) == KW_LOCATION;
        if (managed)
            advance(p);
        if (accept(p, KW_COMMENT)) {
            if (comment)
                return duplicate(p, "COMMENT");
            comment = true;
            TRY(parse_string(p, &c->comment));
        } else if (accept(p, KW_LOCATION)) {
            if (location)
                return duplicate(p, "LOCATION");
            location = true;
            c->container.managed_location = managed;
            TRY(parse_string(p, &c->container.location));
        } else if (is_at(p, KW_WITH) &&
                   (kind_at(p, 1) == KW_DBPROPERTIES || kind_at(p, 1) == KW_PROPERTIES)) {
            p->pos += 2;
            if (properties)
                return duplicate(p, "WITH DBPROPERTIES");
            properties = true;
            TRY(parse_properties(p, &c->properties));
        } else if (accept(p, KW_OPTIONS)) {
            TRY(parse_properties(p, &c->properties));
        } else if (is_at(p, KW_DEFAULT) && kind_at(p, 1) == KW_COLLATION) {
            p->pos += 2;
            TRY(parse_collation_name(p, &c->container.collation));
        } else {
            return true;
        }
    }
}

static bool parse_create_container(Parser *p, CommandKind kind, const Prefix *prefix,
                                   Statement *out)
{
    Command *c = begin(p, kind, prefix);
    advance(p);
    TRY(parse_existence(p, c));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    TRY(parse_container_clauses(p, c));
    return finish(p, c, prefix, out);
}

/* ---- tables ---- */

static bool parse_clone(Parser *p, Command *c)
{
    c->table.shallow = accept_word(p, "SHALLOW");
    if (!c->table.shallow)
        TRY(expect_word(p, "DEEP"));
    TRY(expect_word(p, "CLONE"));
    TRY(parse_multipart(p, &c->table.clone_source));
    if (is_temporal_start(p))
        TRY(parse_temporal(p, &c->table.clone_travel));
    if (accept(p, KW_TBLPROPERTIES))
        TRY(parse_properties(p, &c->table.spec.properties));
    if (accept(p, KW_LOCATION))
        TRY(parse_string(p, &c->table.spec.location));
    return true;
}

static bool is_clone(const Parser *p)
{
    return (is_word_at(p, 0, "SHALLOW") || is_word_at(p, 0, "DEEP")) && is_word_at(p, 1, "CLONE");
}

static bool parse_as_query(Parser *p, Rel **out)
{
    if (!accept(p, KW_AS) && !is_query_start(p, 0))
        return true;
    return parse_query(p, out);
}

static bool parse_table_body(Parser *p, Command *c, size_t from)
{
    TableSpec *spec = &c->table.spec;
    bool columns;
    if (is_clone(p))
        return parse_clone(p, c);
    if (accept(p, KW_LIKE)) {
        Expr *ignored;
        TRY(parse_reference(p, &c->table.like, &ignored));
        return parse_table_clauses(p, spec);
    }
    TRY(parse_table_spec(p, spec, &columns));
    TRY(parse_as_query(p, &c->query));
    bool replace = c->table.replace || c->existence == OR_REPLACE;
    if (c->query && columns)
        return refuse_operation(
            p, from,
            replace ? "Schema may not be specified in a Replace Table As Select (RTAS) statement"
                    : "Schema may not be specified in a Create Table As Select (CTAS) statement");
    if (c->query && spec->partition_columns.len)
        return refuse_operation(
            p, from,
            replace
                ? "Partition column types may not be specified in Replace Table As Select (RTAS)"
                : "Partition column types may not be specified in Create Table As Select (CTAS)");
    return true;
}

static bool parse_create_table(Parser *p, const Prefix *prefix, bool replace_only, Statement *out)
{
    Command *c = begin(p, CMD_CREATE_TABLE, prefix);
    c->table.replace = replace_only; /* CREATE OR REPLACE is told by the existence */
    c->table.spec.external = prefix->external;
    advance(p);
    if (!replace_only && !prefix->replace)
        TRY(parse_existence(p, c));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (prefix->temporary)
        return REFUSE_STATEMENT(p, ERR__LEGACY_ERROR_TEMP_0046);
    TRY(parse_table_body(p, c, prefix->from));
    c->comment = c->table.spec.comment;
    return finish(p, c, prefix, out);
}

/* ---- views ---- */

bool parse_schema_binding(Parser *p, Str *mode)
{
    /* BINDING, COMPENSATION, EVOLUTION, TYPE EVOLUTION: how a view follows its tables' changes. */
    p->pos += 2;
    bool of_types = accept(p, KW_TYPE);
    if (is_at(p, KW_EVOLUTION))
        *mode = of_types ? S("TYPE EVOLUTION") : S("EVOLUTION");
    else if (!of_types && is_at(p, KW_BINDING))
        *mode = S("BINDING");
    else if (!of_types && is_at(p, KW_COMPENSATION))
        *mode = S("COMPENSATION");
    else
        return syntax_error(p);
    advance(p);
    return true;
}

static bool parse_view_clauses(Parser *p, Command *c, size_t from)
{
    bool comment = false;
    for (;;) {
        if (is_at(p, KW_COMMENT) && is_string_at(p, 1)) {
            if (comment)
                return duplicate(p, "COMMENT");
            comment = true;
            advance(p);
            TRY(parse_string(p, &c->comment));
        } else if (accept(p, KW_TBLPROPERTIES)) {
            if (c->properties.len)
                return duplicate(p, "TBLPROPERTIES");
            TRY(parse_properties(p, &c->properties));
        } else if (is_at(p, KW_WITH) && kind_at(p, 1) == KW_SCHEMA) {
            TRY(parse_schema_binding(p, &c->view.schema_mode));
            if (c->view.temporary)
                return REFUSE(p, from,
                              ERR_UNSUPPORTED_FEATURE__TEMPORARY_VIEW_WITH_SCHEMA_BINDING_MODE);
        } else if (is_at(p, KW_DEFAULT) && kind_at(p, 1) == KW_COLLATION) {
            p->pos += 2;
            TRY(parse_collation_name(p, &c->view.collation));
        } else if (is_at(p, KW_PARTITIONED) && kind_at(p, 1) == KW_ON) {
            return refuse_operation(p, from, "CREATE VIEW ... PARTITIONED ON");
        } else {
            return true;
        }
    }
}

/* CREATE TEMPORARY VIEW v (a INT) USING format OPTIONS (..) */
static bool parse_view_using(Parser *p, Command *c)
{
    size_t at = mark(p);
    Name format;
    Rel *source = rel_new(REL_DATA_SOURCE, NULL, p->arena);
    if (is_at(p, TOK_LEFT_PAREN)) {
        VEC(Field) fields = {0};
        advance(p);
        do {
            ColumnDef column;
            TRY(parse_column_definition(p, false, &column));
            vec_push(p->arena, &fields,
                     ((Field){.name = column.name.at[0],
                              .type = column.type,
                              .nullable = !column.not_null}));
        } while (accept(p, TOK_COMMA));
        TRY(expect_list_end(p, TOK_RIGHT_PAREN));
        source->source.schema = type_struct(fields.at, fields.len, p->arena);
    }
    TRY(expect(p, KW_USING));
    TRY(parse_multipart(p, &format));
    source->source.format = dotted(p, &format);
    if (accept(p, KW_OPTIONS))
        TRY(parse_properties(p, &source->source.options));
    source->origin = origin_from(p, at);
    Str path = key_value_get(&source->source.options, "path");
    if (path.len)
        vec_push(p->arena, &source->source.paths, path);
    c->query = source;
    return true;
}

/* At the name's end: "(a INT) USING" or "USING". */
static bool is_view_using(const Parser *p)
{
    if (!is_at(p, TOK_LEFT_PAREN))
        return is_at(p, KW_USING);
    uint32_t close = peek_at(p, 0)->match;
    return close && p->tokens[close + 1].kind == KW_USING;
}

static bool check_view(Parser *p, const Command *c, const Prefix *prefix)
{
    if (c->existence == IF_NOT_EXISTS && prefix->replace)
        return REFUSE(p, prefix->from, ERR_CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE,
                      P("viewName", name_text(&c->name, p->arena)));
    if (c->existence == IF_NOT_EXISTS && prefix->temporary)
        return REFUSE(p, prefix->from, ERR__LEGACY_ERROR_TEMP_0053);
    if (prefix->temporary && c->name.len > 1)
        return refuse_qualified_temporary(p, "VIEW", &c->name);
    return true;
}

static bool parse_create_view(Parser *p, const Prefix *prefix, Statement *out)
{
    Command *c = begin(p, prefix->temporary ? CMD_CREATE_TEMP_VIEW : CMD_CREATE_VIEW, prefix);
    advance(p);
    c->view.temporary = prefix->temporary;
    c->view.global = prefix->global;
    c->view.replace = prefix->replace;
    TRY(parse_existence(p, c));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (prefix->temporary && c->existence != IF_NOT_EXISTS && is_view_using(p)) {
        TRY(parse_view_using(p, c));
        return finish(p, c, prefix, out);
    }
    if (is_at(p, TOK_LEFT_PAREN))
        TRY(parse_column_comment_list(p, &c->view.columns));
    TRY(parse_view_clauses(p, c, prefix->from));
    TRY(expect(p, KW_AS));
    size_t query_at = mark(p);
    TRY(parse_query(p, &c->query));
    c->view.sql = source_text(p, query_at);
    TRY(check_view(p, c, prefix));
    return finish(p, c, prefix, out);
}

/* ---- functions ---- */

/* Characteristics without effect on what a SQL function computes are read and dropped. */
static bool parse_routine_clauses(Parser *p, Command *c, size_t from)
{
    for (;;) {
        if (is_at(p, KW_COMMENT)) {
            advance(p);
            TRY(parse_string(p, &c->comment));
        } else if (accept(p, KW_LANGUAGE)) {
            c->function.language = str_upper(token_text(p, peek_at(p, 0)), p->arena);
            advance(p);
            if (!str_is(c->function.language, "SQL"))
                return refuse_unsupported(p, from, "CREATE FUNCTION in a language other than SQL");
        } else if (accept(p, KW_SPECIFIC)) {
            Str ignored;
            TRY(parse_captured_identifier(p, &ignored));
        } else if (accept(p, KW_DETERMINISTIC) || accept_two(p, KW_NOT, KW_DETERMINISTIC) ||
                   accept_two(p, KW_NO, KW_SQL) || accept_two(p, KW_CONTAINS, KW_SQL)) {
            continue;
        } else if (is_at(p, KW_READS) || is_at(p, KW_MODIFIES)) {
            advance(p);
            TRY(expect(p, KW_SQL));
            TRY(expect(p, KW_DATA));
        } else if ((is_at(p, KW_RETURNS) && kind_at(p, 1) == KW_NULL) || is_at(p, KW_CALLED)) {
            accept_two(p, KW_RETURNS, KW_NULL);
            accept(p, KW_CALLED);
            TRY(expect(p, KW_ON));
            TRY(expect(p, KW_NULL));
            TRY(expect(p, KW_INPUT));
        } else if (is_at(p, KW_SQL) && kind_at(p, 1) == KW_SECURITY) {
            p->pos += 2;
            if (!is_at(p, KW_INVOKER) && !is_at(p, KW_DEFINER))
                return syntax_error(p);
            advance(p);
        } else {
            return true;
        }
    }
}

static bool parse_params(Parser *p, ColumnDefVec *out)
{
    TRY(expect(p, TOK_LEFT_PAREN));
    if (accept(p, TOK_RIGHT_PAREN))
        return true;
    do {
        ColumnDef column;
        TRY(parse_column_definition(p, false, &column));
        if (column.generated || column.is_identity)
            return REFUSE_STATEMENT(
                p, ERR_INVALID_SQL_SYNTAX__CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS);
        if (is_at(p, KW_CONSTRAINT) || is_at(p, KW_CHECK) || is_at(p, KW_UNIQUE) ||
            is_at(p, KW_PRIMARY) || is_at(p, KW_REFERENCES))
            return REFUSE_STATEMENT(p, ERR_INVALID_SQL_SYNTAX__CREATE_FUNC_WITH_COLUMN_CONSTRAINTS);
        vec_push(p->arena, out, column);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

/* (a INT COMMENT 'x', b STRING): columns that a table function returns. */
static bool parse_return_columns(Parser *p, Command *c)
{
    VEC(Field) fields = {0};
    advance(p);
    do {
        Field field = {.nullable = true};
        Str ignored;
        TRY(parse_captured_identifier(p, &field.name));
        TRY(parse_type(p, &field.type));
        if (accept_two(p, KW_NOT, KW_NULL))
            field.nullable = false;
        if (accept(p, KW_COMMENT))
            TRY(parse_string(p, &ignored));
        vec_push(p->arena, &fields, field);
    } while (accept(p, TOK_COMMA));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    c->function.returns = type_struct(fields.at, fields.len, p->arena);
    return true;
}

static bool parse_returns(Parser *p, Command *c)
{
    if (!is_at(p, KW_RETURNS) || kind_at(p, 1) == KW_NULL)
        return true;
    advance(p);
    if (!is_at(p, KW_TABLE))
        return parse_type(p, &c->function.returns);
    advance(p);
    c->function.is_table = true;
    if (!is_at(p, TOK_LEFT_PAREN))
        return true; /* RETURNS TABLE: the columns are the body's */
    return parse_return_columns(p, c);
}

static bool parse_function_body(Parser *p, Command *c, size_t from)
{
    TRY(parse_routine_clauses(p, c, from));
    TRY(expect(p, KW_RETURN));
    size_t at = mark(p);
    if (is_query_start(p, 0)) {
        TRY(parse_query(p, &c->query));
    } else {
        Expr *checked;
        TRY(parse_expression(p, &checked));
    }
    c->function.body_sql = source_text(p, at);
    return true;
}

static bool parse_create_function(Parser *p, const Prefix *prefix, Statement *out)
{
    Command *c = begin(p, CMD_CREATE_FUNCTION, prefix);
    advance(p);
    c->function.temporary = prefix->temporary;
    TRY(parse_existence(p, c));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (c->existence == IF_NOT_EXISTS && prefix->replace)
        return REFUSE(p, prefix->from,
                      ERR_INVALID_SQL_SYNTAX__CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE);
    if (c->existence == IF_NOT_EXISTS && prefix->temporary)
        return REFUSE(p, prefix->from, ERR_INVALID_SQL_SYNTAX__CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS);
    if (accept(p, KW_AS)) {
        TRY(parse_string(p, &c->function.function_class));
        if (accept(p, KW_USING)) {
            do {
                Str kind, path;
                TRY(parse_identifier(p, &kind));
                TRY(parse_string(p, &path));
            } while (accept(p, TOK_COMMA));
        }
        return finish(p, c, prefix, out);
    }
    if (prefix->temporary && c->name.len > 1)
        return refuse_qualified_temporary(p, "FUNCTION", &c->name);
    TRY(parse_params(p, &c->function.params));
    TRY(parse_returns(p, c));
    TRY(parse_function_body(p, c, prefix->from));
    return finish(p, c, prefix, out);
}

/* ---- dispatch ---- */

static bool parse_prefix(Parser *p, Prefix *out)
{
    *out = (Prefix){.from = mark(p)};
    advance(p);
    out->replace = accept_two(p, KW_OR, KW_REPLACE);
    out->global = is_at(p, KW_GLOBAL) && kind_at(p, 1) == KW_TEMPORARY;
    if (out->global)
        advance(p);
    out->temporary = accept(p, KW_TEMPORARY);
    out->external = accept(p, KW_EXTERNAL);
    return true;
}

static bool is_unsupported_kind(TokenKind kind)
{
    return kind == KW_ROLE || kind == KW_MACRO;
}

bool parse_create(Parser *p, Statement *out)
{
    Prefix prefix;
    if (is_at(p, KW_REPLACE)) {
        prefix = (Prefix){.from = mark(p)};
        advance(p);
        return is_at(p, KW_TABLE) ? parse_create_table(p, &prefix, true, out) : syntax_error(p);
    }
    TRY(parse_prefix(p, &prefix));
    if (is_unsupported_kind(current(p))) {
        Str word = str_upper(token_text(p, peek_at(p, 0)), p->arena);
        return refuse_words(p, str_printf(p->arena, "CREATE %s" STR_FMT,
                                          prefix.temporary ? "TEMPORARY " : "", STR_ARG(word)));
    }
    bool plain = !prefix.temporary && !prefix.external;
    switch (current(p)) {
    case KW_TABLE: return parse_create_table(p, &prefix, false, out);
    case KW_VIEW: return parse_create_view(p, &prefix, out);
    case KW_FUNCTION: return parse_create_function(p, &prefix, out);
    case KW_CATALOG:
        return plain ? parse_create_container(p, CMD_CREATE_CATALOG, &prefix, out)
                     : syntax_error(p);
    case KW_SCHEMA:
    case KW_DATABASE:
    case KW_NAMESPACE:
        return plain ? parse_create_container(p, CMD_CREATE_SCHEMA, &prefix, out) : syntax_error(p);
    case KW_MATERIALIZED:
    case KW_STREAMING:
    case KW_FLOW:
        return refuse_unsupported(
            p, prefix.from,
            "CREATE MATERIALIZED VIEW, STREAMING TABLE and FLOW (declarative pipelines)");
    case KW_INDEX: return refuse_unsupported(p, prefix.from, "CREATE INDEX");
    default: return syntax_error(p);
    }
}
