/* ALTER and DROP. */
#include "sql/parser_impl.h"

static Command *begin(Parser *p, AlterKind kind, const Command *target)
{
    Command *c = ARENA_NEW(p->arena, Command);
    *c = *target;
    c->alter.kind = kind;
    return c;
}

static bool invalid(Parser *p, const char *operation)
{
    return refuse_words(p, str_from(operation));
}

/* ---- columns ---- */

/* ADD COLUMN a INT, b.c STRING FIRST | ADD COLUMNS (..) */
static bool parse_add_columns(Parser *p, Command *c)
{
    c->alter.kind = ALTER_ADD_COLUMNS;
    advance(p);
    bool parens = accept(p, TOK_LEFT_PAREN);
    do {
        ColumnDef column;
        TRY(parse_column_definition(p, true, &column));
        vec_push(p->arena, &c->alter.columns, column);
    } while (accept(p, TOK_COMMA));
    return !parens || expect_list_end(p, TOK_RIGHT_PAREN);
}

static bool parse_drop_columns(Parser *p, Command *c)
{
    c->alter.kind = ALTER_DROP_COLUMNS;
    advance(p);
    c->alter.if_exists = accept_if_exists(p);
    return parse_dotted_list(p, &c->alter.names);
}

/* One change of one column: TYPE, COMMENT, FIRST, AFTER, SET/DROP NOT NULL, SET/DROP DEFAULT. */
static bool parse_column_action(Parser *p, Command *c, ColumnDef *column)
{
    TokenKind next = kind_at(p, 1);
    if (accept(p, KW_TYPE))
        return parse_type(p, &column->type);
    if (accept(p, KW_COMMENT)) {
        column->has_comment = true;
        return parse_string(p, &column->comment);
    }
    if (accept(p, KW_FIRST))
        return column->first = true;
    if (accept(p, KW_AFTER))
        return parse_captured_identifier(p, &column->after);
    if (is_at(p, KW_SET) && next == KW_DEFAULT) {
        p->pos += 2;
        size_t at = mark(p);
        TRY(parse_expression(p, &column->default_value));
        column->default_sql = source_text(p, at);
        return true;
    }
    if (is_at(p, KW_DROP) && next == KW_DEFAULT) {
        p->pos += 2;
        return c->alter.drop_default = true;
    }
    bool set = is_at(p, KW_SET), drop = is_at(p, KW_DROP);
    if ((set || drop) && next == KW_NOT && kind_at(p, 2) == KW_NULL) {
        p->pos += 3;
        *(set ? &c->alter.set_not_null : &c->alter.drop_not_null) = true;
        return true;
    }
    return syntax_error(p);
}

/* ALTER TABLE t CHANGE a b INT COMMENT 'x' FIRST: Hive's form; the name must stay. */
static bool parse_hive_change(Parser *p, Command *c, size_t from, ColumnDef *column)
{
    Str name;
    TRY(parse_captured_identifier(p, &name));
    TRY(parse_type(p, &column->type));
    bool not_null = accept_two(p, KW_NOT, KW_NULL);
    if (accept(p, KW_COMMENT)) {
        column->has_comment = true;
        TRY(parse_string(p, &column->comment));
    }
    if (accept(p, KW_FIRST))
        column->first = true;
    else if (accept(p, KW_AFTER))
        TRY(parse_captured_identifier(p, &column->after));
    if (!str_ieq(name, vec_last(&column->name)))
        return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0034, PZ("operation", "Renaming column"),
                      PZ("command", "ALTER COLUMN"),
                      PZ("msg", ", please run RENAME COLUMN instead"));
    c->alter.set_not_null |= not_null;
    return true;
}

static bool is_column_action(const Parser *p)
{
    TokenKind next = kind_at(p, 1);
    switch (current(p)) {
    case KW_TYPE:
    case KW_AFTER: return is_name_at(p, 1);
    case KW_COMMENT: return is_string_at(p, 1);
    case KW_FIRST: return !is_name_at(p, 1) || next == KW_AFTER;
    case KW_SET:
    case KW_DROP: return next == KW_NOT || next == KW_DEFAULT;
    default: return false;
    }
}

static bool parse_alter_column(Parser *p, Command *c, size_t from)
{
    bool change = is_at(p, KW_CHANGE);
    advance(p);
    accept(p, KW_COLUMN);
    c->alter.kind = ALTER_COLUMN;
    c->alter.is_change = change;
    do {
        ColumnDef column = {0};
        size_t at = mark(p);
        TRY(parse_multipart(p, &column.name));
        if (is_word_at(p, 0, "SYNC") && kind_at(p, 1) == KW_IDENTITY) {
            p->pos += 2;
            c->alter.kind = ALTER_SYNC_IDENTITY;
            c->alter.old_name = column.name;
            return true;
        }
        if (is_column_action(p))
            TRY(parse_column_action(p, c, &column));
        else if (change && is_name_at(p, 0))
            TRY(parse_hive_change(p, c, from, &column));
        else if (is_at(p, TOK_EOF) || is_at(p, TOK_SEMICOLON) || is_at(p, TOK_COMMA))
            return refuse_operation(p, from,
                                    str_z(str_printf(p->arena,
                                                     "ALTER TABLE table %s COLUMN requires a TYPE, "
                                                     "a SET/DROP, a COMMENT, or a FIRST/AFTER",
                                                     change ? "CHANGE" : "ALTER"),
                                          p->arena));
        else
            return syntax_error(p);
        column.origin = origin_from(p, at);
        vec_push(p->arena, &c->alter.columns, column);
    } while (accept(p, TOK_COMMA));
    c->alter.old_name = c->alter.columns.at[0].name;
    return true;
}

static bool parse_replace_columns(Parser *p, Command *c)
{
    c->alter.kind = ALTER_REPLACE_COLUMNS;
    p->pos += 2;
    TRY(expect(p, TOK_LEFT_PAREN));
    do {
        ColumnDef column;
        TRY(parse_column_definition(p, true, &column));
        vec_push(p->arena, &c->alter.columns, column);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

/* ---- RENAME, SET, UNSET ---- */

static bool parse_rename(Parser *p, Command *c)
{
    advance(p);
    if (accept(p, KW_COLUMN)) {
        c->alter.kind = ALTER_RENAME_COLUMN;
        TRY(parse_multipart(p, &c->alter.old_name));
        TRY(expect_missing(p, KW_TO));
        return parse_captured_identifier(p, &c->alter.new_name);
    }
    c->alter.kind = ALTER_RENAME;
    TRY(expect(p, KW_TO));
    return parse_multipart(p, &c->alter.new_table);
}

static bool parse_owner(Parser *p, Command *c)
{
    c->alter.kind = ALTER_SET_OWNER;
    accept_word(p, "OWNER");
    TRY(expect(p, KW_TO));
    return parse_identifier(p, &c->alter.new_name);
}

static bool parse_alter_set(Parser *p, Command *c, size_t from)
{
    advance(p);
    if (accept(p, KW_TBLPROPERTIES) || accept(p, KW_DBPROPERTIES) || accept(p, KW_PROPERTIES)) {
        c->alter.kind = ALTER_SET_PROPERTIES;
        return parse_properties(p, &c->properties);
    }
    if (accept(p, KW_LOCATION)) {
        c->alter.kind = ALTER_SET_LOCATION;
        return parse_string(p, &c->alter.location);
    }
    if (is_word_at(p, 0, "OWNER"))
        return parse_owner(p, c);
    if (is_at(p, KW_SERDE) || is_at(p, KW_SERDEPROPERTIES)) {
        c->alter.kind = ALTER_SET_SERDE;
        if (accept(p, KW_SERDE)) {
            TRY(parse_string(p, &c->alter.new_name));
            if (!accept(p, KW_WITH))
                return true;
        }
        TRY(expect(p, KW_SERDEPROPERTIES));
        return parse_properties(p, &c->properties);
    }
    if (is_at(p, KW_FILEFORMAT) || is_at(p, KW_SKEWED)) {
        advance(p);
        return refuse_unsupported(p, from,
                                  "ALTER TABLE .. SET FILEFORMAT and SKEWED (Hive tables)");
    }
    return syntax_error(p);
}

static bool parse_alter_collation(Parser *p, Command *c)
{
    c->alter.kind = ALTER_DEFAULT_COLLATION;
    advance(p);
    return expect(p, KW_COLLATION) && parse_collation_name(p, &c->alter.new_name);
}

static bool parse_unset(Parser *p, Command *c)
{
    c->alter.kind = ALTER_UNSET_PROPERTIES;
    advance(p);
    if (!accept(p, KW_TBLPROPERTIES) && !accept(p, KW_DBPROPERTIES) && !accept(p, KW_PROPERTIES))
        return syntax_error(p);
    c->alter.if_exists = accept_if_exists(p);
    return parse_property_keys(p, &c->alter.names);
}

/* ---- ADD and DROP of other things ---- */

static bool parse_partition_list(Parser *p, Command *c, AlterKind kind)
{
    c->alter.kind = kind;
    do {
        PartitionDef one = {0};
        TRY(parse_partition_spec(p, &one.spec));
        if (accept(p, KW_LOCATION))
            TRY(parse_string(p, &one.location));
        vec_push(p->arena, &c->alter.partitions, one);
    } while (accept(p, TOK_COMMA) || is_at(p, KW_PARTITION));
    accept(p, KW_PURGE);
    return true;
}

static bool parse_alter_add(Parser *p, Command *c)
{
    bool not_exists;
    advance(p);
    if (is_at(p, KW_COLUMN) || is_at(p, KW_COLUMNS))
        return parse_add_columns(p, c);
    if (is_constraint_start(p) || is_at(p, KW_CONSTRAINT)) {
        Str name = {0};
        c->alter.kind = ALTER_ADD_CONSTRAINT;
        if (accept(p, KW_CONSTRAINT))
            TRY(parse_captured_identifier(p, &name));
        return parse_constraint(p, name, &c->alter.constraint);
    }
    TRY(parse_if_not_exists(p, &not_exists));
    if (not_exists)
        c->existence = IF_NOT_EXISTS;
    if (is_at(p, KW_PARTITION))
        return parse_partition_list(p, c, ALTER_ADD_PARTITION);
    return syntax_error(p);
}

static bool parse_drop_feature(Parser *p, Command *c)
{
    c->alter.kind = ALTER_DROP_FEATURE;
    advance(p);
    Str feature;
    TRY(is_string_at(p, 0) ? parse_string(p, &feature) : parse_identifier(p, &feature));
    vec_push(p->arena, &c->alter.names, feature);
    if (accept(p, KW_TRUNCATE)) {
        TRY(expect_word(p, "HISTORY"));
        c->alter.truncate_history = true;
    }
    return true;
}

static bool parse_alter_drop(Parser *p, Command *c)
{
    advance(p);
    if (is_at(p, KW_COLUMN) || is_at(p, KW_COLUMNS))
        return parse_drop_columns(p, c);
    if (is_word_at(p, 0, "FEATURE"))
        return parse_drop_feature(p, c);
    if (accept(p, KW_CONSTRAINT)) {
        c->alter.kind = ALTER_DROP_CONSTRAINT;
        c->alter.if_exists = accept_if_exists(p);
        TRY(parse_identifier(p, &c->alter.constraint.name));
        if (!accept(p, KW_CASCADE))
            accept(p, KW_RESTRICT);
        return true;
    }
    c->alter.if_exists = accept_if_exists(p);
    if (is_at(p, KW_PARTITION))
        return parse_partition_list(p, c, ALTER_DROP_PARTITION);
    return syntax_error(p);
}

static bool parse_alter_cluster(Parser *p, Command *c)
{
    TableSpec spec = {0};
    p->pos += 2;
    c->alter.kind = ALTER_CLUSTER_BY;
    TRY(parse_cluster_by(p, &spec));
    c->alter.names = spec.cluster_by;
    if (spec.cluster_by_auto)
        c->alter.new_name = S("AUTO");
    return true;
}

/* PARTITION (..) RENAME TO PARTITION (..) | SET LOCATION '..' | SET SERDE .. */
static bool parse_partition_action(Parser *p, Command *c, size_t from)
{
    PartitionDef one = {0}, to = {0};
    TRY(parse_partition_spec(p, &one.spec));
    vec_push(p->arena, &c->alter.partitions, one);
    if (accept(p, KW_RENAME)) {
        c->alter.kind = ALTER_RENAME_PARTITION;
        TRY(expect(p, KW_TO));
        TRY(parse_partition_spec(p, &to.spec));
        vec_push(p->arena, &c->alter.partitions, to);
        return true;
    }
    if (is_at(p, KW_SET) && (kind_at(p, 1) == KW_LOCATION || kind_at(p, 1) == KW_SERDE || kind_at(p, 1) == KW_SERDEPROPERTIES))
        return parse_alter_set(p, c, from);
    if (is_at(p, KW_CHANGE) || is_at(p, KW_REPLACE) || is_at(p, KW_COMPACT) || is_at(p, KW_CONCATENATE) || is_at(p, KW_SET))
        return refuse_unsupported(p, from, "ALTER TABLE .. PARTITION (..) of Hive tables");
    return syntax_error(p);
}

/* ---- ALTER ---- */

static bool parse_table_action(Parser *p, Command *c, size_t from)
{
    TokenKind next = kind_at(p, 1);
    switch (current(p)) {
    case KW_ADD: return parse_alter_add(p, c);
    case KW_DROP: return parse_alter_drop(p, c);
    case KW_RENAME: return parse_rename(p, c);
    case KW_SET: return parse_alter_set(p, c, from);
    case KW_UNSET: return parse_unset(p, c);
    case KW_ALTER:
    case KW_CHANGE: return parse_alter_column(p, c, from);
    case KW_REPLACE: return next == KW_COLUMNS ? parse_replace_columns(p, c) : syntax_error(p);
    case KW_CLUSTER: return next == KW_BY ? parse_alter_cluster(p, c) : syntax_error(p);
    case KW_PARTITION: return parse_partition_action(p, c, from);
    case KW_RECOVER:
        p->pos++;
        c->alter.kind = ALTER_RECOVER_PARTITIONS;
        return expect(p, KW_PARTITIONS);
    case KW_DEFAULT: return parse_alter_collation(p, c);
    case KW_TOUCH: return invalid(p, "ALTER TABLE TOUCH");
    case KW_COMPACT: return invalid(p, "ALTER TABLE COMPACT");
    case KW_CONCATENATE: return invalid(p, "ALTER TABLE CONCATENATE");
    case KW_ARCHIVE: return invalid(p, "ALTER TABLE ARCHIVE PARTITION");
    case KW_UNARCHIVE: return invalid(p, "ALTER TABLE UNARCHIVE PARTITION");
    case KW_EXCHANGE: return invalid(p, "ALTER TABLE EXCHANGE PARTITION");
    default: break;
    }
    return is_word_at(p, 0, "OWNER") ? parse_owner(p, c) : syntax_error(p);
}

static bool parse_view_action(Parser *p, Command *c, size_t from)
{
    c->alter.is_view = true;
    if (is_at(p, KW_AS) || is_query_start(p, 0)) {
        accept(p, KW_AS);
        size_t at = mark(p);
        c->alter.kind = ALTER_VIEW_AS;
        TRY(parse_query(p, &c->query));
        c->alter.location = source_text(p, at); /* the query's text */
        return true;
    }
    if (is_at(p, KW_WITH) && kind_at(p, 1) == KW_SCHEMA) {
        c->alter.kind = ALTER_VIEW_SCHEMA;
        return parse_schema_binding(p, &c->alter.new_name);
    }
    switch (current(p)) {
    case KW_RENAME: return parse_rename(p, c);
    case KW_SET: return parse_alter_set(p, c, from);
    case KW_UNSET: return parse_unset(p, c);
    default: return syntax_error(p);
    }
}

static bool parse_container_action(Parser *p, Command *c, size_t from)
{
    if (is_at(p, KW_DEFAULT)) {
        advance(p);
        return expect(p, KW_COLLATION) && parse_collation_name(p, &c->container.collation);
    }
    if (is_at(p, KW_UNSET))
        return parse_unset(p, c);
    if (is_word_at(p, 0, "OWNER"))
        return parse_owner(p, c);
    return is_at(p, KW_SET) ? parse_alter_set(p, c, from) : syntax_error(p);
}

bool is_namespace_word(TokenKind kind)
{
    return kind == KW_SCHEMA || kind == KW_DATABASE || kind == KW_NAMESPACE;
}

bool accept_namespace(Parser *p)
{
    if (!is_namespace_word(current(p)))
        return false;
    advance(p);
    return true;
}

bool parse_alter(Parser *p, Statement *out)
{
    size_t from = mark(p);
    advance(p);
    TokenKind kind = current(p);
    bool container = is_namespace_word(kind) || kind == KW_CATALOG;
    if (kind == KW_INDEX)
        return invalid(p, "ALTER INDEX");
    if (kind != KW_TABLE && kind != KW_VIEW && !container)
        return syntax_error(p);
    advance(p);
    CommandKind what = kind == KW_TABLE     ? CMD_ALTER_TABLE
                       : kind == KW_VIEW    ? CMD_ALTER_VIEW
                       : kind == KW_CATALOG ? CMD_ALTER_CATALOG
                                            : CMD_ALTER_SCHEMA;
    Command *target = command_new(what, p->arena);
    TRY(parse_reference(p, &target->name, &target->name_expr));
    Command *c = begin(p, ALTER_SET_PROPERTIES, target);
    if (container)
        TRY(parse_container_action(p, c, from));
    else if (kind == KW_VIEW)
        TRY(parse_view_action(p, c, from));
    else
        TRY(parse_table_action(p, c, from));
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

/* ---- DROP ---- */

bool refuse_qualified_temporary(Parser *p, const char *what, const Name *name)
{
    Name qualifier = {.at = name->at, .len = name->len - 1};
    return REFUSE_STATEMENT(
        p, ERR_INVALID_TEMP_OBJ_QUALIFIER, PZ("objectType", what),
        P("objectName", name_quoted(&(Name){.at = name->at + name->len - 1, .len = 1}, p->arena)),
        P("qualifier", name_quoted(&qualifier, p->arena)));
}

static bool finish_drop(Parser *p, Command *c, size_t from, Statement *out)
{
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

static bool parse_drop_name(Parser *p, Command *c)
{
    if (accept_if_exists(p))
        c->existence = IF_EXISTS;
    return parse_reference(p, &c->name, &c->name_expr);
}

static bool parse_drop_container(Parser *p, CommandKind kind, size_t from, Statement *out)
{
    Command *c = command_new(kind, p->arena);
    advance(p);
    TRY(parse_drop_name(p, c));
    c->container.cascade = accept(p, KW_CASCADE);
    if (!c->container.cascade)
        accept(p, KW_RESTRICT);
    return finish_drop(p, c, from, out);
}

static bool parse_drop_plain(Parser *p, CommandKind kind, bool temporary, size_t from,
                             Statement *out)
{
    Command *c = command_new(kind, p->arena);
    advance(p);
    TRY(parse_drop_name(p, c));
    if (kind == CMD_DROP_TABLE)
        c->table.purge = accept(p, KW_PURGE);
    if (kind == CMD_DROP_FUNCTION)
        c->function.temporary = temporary;
    if (kind == CMD_DROP_FUNCTION && temporary && c->name.len > 1)
        return refuse_qualified_temporary(p, "FUNCTION", &c->name);
    return finish_drop(p, c, from, out);
}

bool parse_drop(Parser *p, Statement *out)
{
    size_t from = mark(p);
    advance(p);
    bool temporary = is_at(p, KW_TEMPORARY);
    if (temporary)
        advance(p);
    TokenKind kind = current(p);
    if (temporary && kind != KW_FUNCTION && kind != KW_VARIABLE && kind != KW_VAR &&
        kind != KW_MACRO)
        return syntax_error(p);
    switch (kind) {
    case KW_TABLE: return parse_drop_plain(p, CMD_DROP_TABLE, false, from, out);
    case KW_VIEW: return parse_drop_plain(p, CMD_DROP_VIEW, false, from, out);
    case KW_FUNCTION: return parse_drop_plain(p, CMD_DROP_FUNCTION, temporary, from, out);
    case KW_VARIABLE:
    case KW_VAR:
        return temporary ? parse_drop_plain(p, CMD_DROP_VARIABLE, true, from, out)
                         : syntax_error(p);
    case KW_SCHEMA:
    case KW_DATABASE:
    case KW_NAMESPACE: return parse_drop_container(p, CMD_DROP_SCHEMA, from, out);
    case KW_CATALOG: return parse_drop_container(p, CMD_DROP_CATALOG, from, out);
    case KW_ROLE: return invalid(p, "DROP ROLE");
    case KW_MACRO: return invalid(p, "DROP TEMPORARY MACRO");
    case KW_INDEX: return refuse_unsupported(p, from, "DROP INDEX");
    default: return syntax_error(p);
    }
}
