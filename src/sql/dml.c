/* INSERT, UPDATE, DELETE, MERGE. */
#include "sql/parser_impl.h"

/* ---- shared pieces ---- */

/* DEFAULT as a whole value stands for the column's default. */
static Expr *as_default(Parser *p, Expr *e)
{
    bool word = e->kind == EXPR_COLUMN && e->column.name.len == 1 &&
                str_is_ci(e->column.name.at[0], "default") &&
                str_is_ci(sql_fragment(p->text, e->origin), "default");
    if (word)
        e->kind = EXPR_DEFAULT;
    return e;
}

static void mark_defaults(Parser *p, ExprVec *items)
{
    for (size_t i = 0; i < items->len; i++)
        as_default(p, items->at[i]);
}

/* In the rows and the select list that an INSERT stores as they are. */
static void mark_query_defaults(Parser *p, Rel *rel)
{
    while (rel && (rel->kind == REL_WITH || rel->kind == REL_SUBQUERY_ALIAS ||
                   rel->kind == REL_LIMIT || rel->kind == REL_SORT))
        rel = rel->input;
    if (rel && rel->kind == REL_PROJECT)
        mark_defaults(p, &rel->project.items);
    if (rel && rel->kind == REL_PROJECT && rel->input)
        rel = rel->input->kind == REL_SUBQUERY_ALIAS ? rel->input->input : rel->input;
    if (rel && rel->kind == REL_VALUES)
        for (size_t i = 0; i < rel->values.rows.len; i++)
            mark_defaults(p, &rel->values.rows.at[i]);
}

bool parse_assignments(Parser *p, AssignmentVec *out)
{
    do {
        Assignment one = {0};
        TRY(parse_multipart(p, &one.target));
        TRY(expect(p, TOK_EQ));
        TRY(parse_expression(p, &one.value));
        as_default(p, one.value);
        vec_push(p->arena, out, one);
    } while (accept(p, TOK_COMMA));
    return true;
}

/* PARTITION (a = 1, b) */
bool parse_partition_spec(Parser *p, AssignmentVec *out)
{
    size_t from = mark(p);
    Map seen = map_in_ignoring_case(p->arena);
    Name repeated = {0};
    TRY(expect(p, KW_PARTITION));
    TRY(expect(p, TOK_LEFT_PAREN));
    do {
        Assignment one = {0};
        Str key;
        TRY(parse_identifier(p, &key));
        vec_push(p->arena, &one.target, key);
        if (map_has(&seen, key) && !repeated.len)
            vec_push(p->arena, &repeated, key);
        map_put(&seen, key, p);
        if (accept(p, TOK_EQ)) {
            if (is_at(p, KW_DEFAULT))
                return REFUSE(p, from, ERR_REF_DEFAULT_VALUE_IS_NOT_ALLOWED_IN_PARTITION);
            TRY(parse_constant(p, &one.value));
        }
        vec_push(p->arena, out, one);
    } while (accept(p, TOK_COMMA));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    return !repeated.len ||
           REFUSE(p, from, ERR_DUPLICATE_KEY, P("keyColumn", name_quoted(&repeated, p->arena)));
}

/* An alias without column names: those are refused by name. */
static bool parse_target_alias(Parser *p, const char *op, Str *alias)
{
    StrVec columns;
    TRY(parse_table_alias(p, alias, &columns));
    return !columns.len || REFUSE_STATEMENT(p, ERR_COLUMN_ALIASES_NOT_ALLOWED, PZ("op", op));
}

/* ---- INSERT ---- */

static bool accept_schema_evolution(Parser *p)
{
    if (!is_at(p, KW_WITH) || kind_at(p, 1) != KW_SCHEMA || kind_at(p, 2) != KW_EVOLUTION)
        return false;
    p->pos += 3;
    return true;
}

/* REPLACE WHERE condition | REPLACE USING (a, b) */
static bool parse_replace(Parser *p, Command *c)
{
    size_t from = mark(p);
    advance(p);
    if (accept(p, KW_WHERE)) {
        c->insert.mode = INSERT_REPLACE_WHERE;
        return parse_expression(p, &c->insert.replace_where);
    }
    if (accept(p, KW_USING)) {
        c->insert.mode = INSERT_REPLACE_USING;
        return parse_identifier_list(p, &c->insert.replace_using);
    }
    advance(p);
    return refuse_unsupported(p, from, "INSERT .. REPLACE ON");
}

static bool is_replace(const Parser *p)
{
    TokenKind next = kind_at(p, 1);
    return is_at(p, KW_REPLACE) && (next == KW_WHERE || next == KW_USING || next == KW_ON);
}

static bool parse_insert_partition(Parser *p, Command *c, size_t from)
{
    bool not_exists;
    if (is_at(p, KW_PARTITION) && kind_at(p, 1) == TOK_LEFT_PAREN)
        TRY(parse_partition_spec(p, &c->insert.partition));
    TRY(parse_if_not_exists(p, &not_exists));
    if (not_exists && c->insert.mode == INSERT_APPEND)
        return REFUSE(p, from, ERR_INVALID_STATEMENT_OR_CLAUSE,
                      PZ("operation", "INSERT INTO ... IF NOT EXISTS"));
    if (not_exists)
        c->existence = IF_NOT_EXISTS;
    return true;
}

static bool parse_insert_target(Parser *p, Command *c, size_t from)
{
    accept(p, KW_TABLE);
    TRY(parse_reference(p, &c->name, &c->name_expr));
    if (is_at(p, KW_WITH) && kind_at(p, 1) == TOK_LEFT_PAREN) {
        advance(p);
        TRY(parse_properties(p, &c->properties));
    }
    TRY(parse_insert_partition(p, c, from));
    if (accept_two(p, KW_BY, KW_NAME))
        c->insert.by_name = true;
    if (is_replace(p))
        return parse_replace(p, c);
    if (!c->insert.by_name && is_at(p, TOK_LEFT_PAREN) && !is_query_start(p, 1))
        TRY(parse_identifier_list(p, &c->insert.columns));
    return true;
}

bool parse_insert(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_INSERT, p->arena);
    advance(p);
    c->insert.schema_evolution = accept_schema_evolution(p);
    if (!is_at(p, KW_INTO) && !is_at(p, KW_OVERWRITE))
        return syntax_error(p);
    c->insert.mode = is_at(p, KW_OVERWRITE) ? INSERT_OVERWRITE : INSERT_APPEND;
    advance(p);
    if (c->insert.mode == INSERT_OVERWRITE &&
        (is_at(p, KW_DIRECTORY) || (is_at(p, KW_LOCAL) && kind_at(p, 1) == KW_DIRECTORY)))
        return refuse_unsupported(p, from, "INSERT OVERWRITE DIRECTORY");
    TRY(parse_insert_target(p, c, from));
    TRY(parse_query(p, &c->query));
    mark_query_defaults(p, c->query);
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

/* ---- UPDATE, DELETE ---- */

static bool parse_dml_where(Parser *p, Command *c)
{
    return !accept(p, KW_WHERE) || parse_expression(p, &c->dml.condition);
}

bool parse_update(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_UPDATE, p->arena);
    advance(p);
    TRY(parse_reference(p, &c->name, &c->name_expr));
    TRY(parse_target_alias(p, "UPDATE", &c->dml.alias));
    TRY(expect(p, KW_SET));
    TRY(parse_assignments(p, &c->dml.assignments));
    TRY(parse_dml_where(p, c));
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

bool parse_delete(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_DELETE, p->arena);
    advance(p);
    TRY(expect_missing(p, KW_FROM));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    TRY(parse_target_alias(p, "DELETE", &c->dml.alias));
    TRY(parse_dml_where(p, c));
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

/* ---- MERGE ---- */

static bool parse_merge_source(Parser *p, Command *c)
{
    size_t from = mark(p);
    Rel *source;
    if (accept(p, TOK_LEFT_PAREN)) {
        TRY(parse_query(p, &source));
        TRY(expect(p, TOK_RIGHT_PAREN));
    } else {
        source = rel_new(REL_NAMED_TABLE, NULL, p->arena);
        TRY(parse_reference(p, &source->table.name, &source->table.name_expr));
        source->origin = origin_from(p, from);
    }
    Str alias;
    TRY(parse_target_alias(p, "MERGE", &alias));
    c->query = alias_relation(p, source, alias, NULL, from);
    return true;
}

/* INSERT * | INSERT (a, b) VALUES (1, 2) */
static bool parse_merge_insert(Parser *p, MergeClause *out)
{
    NameVec columns = {0};
    ExprVec values = {0};
    advance(p);
    if (accept(p, TOK_STAR)) {
        out->action = MERGE_INSERT_STAR;
        return true;
    }
    out->action = MERGE_INSERT;
    TRY(expect(p, TOK_LEFT_PAREN));
    TRY(parse_multipart_seq(p, &columns));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    TRY(expect(p, KW_VALUES));
    TRY(expect(p, TOK_LEFT_PAREN));
    TRY(parse_expression_list(p, &values));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    if (columns.len != values.len)
        return REFUSE_STATEMENT(p, ERR_MERGE_INSERT_VALUE_COUNT_MISMATCH,
                                P("expectedCount", str_printf(p->arena, "%zu", columns.len)),
                                P("actualCount", str_printf(p->arena, "%zu", values.len)));
    for (size_t i = 0; i < columns.len; i++) {
        Assignment one = {columns.at[i], as_default(p, values.at[i])};
        vec_push(p->arena, &out->assignments, one);
    }
    return true;
}

static bool parse_merge_action(Parser *p, MergeClause *out)
{
    if (out->kind == MERGE_NOT_MATCHED)
        return is_at(p, KW_INSERT) ? parse_merge_insert(p, out) : syntax_error(p);
    if (accept(p, KW_DELETE)) {
        out->action = MERGE_DELETE;
        return true;
    }
    TRY(expect(p, KW_UPDATE));
    TRY(expect(p, KW_SET));
    out->action = MERGE_UPDATE;
    if (out->kind == MERGE_MATCHED && accept(p, TOK_STAR)) {
        out->action = MERGE_UPDATE_STAR;
        return true;
    }
    return parse_assignments(p, &out->assignments);
}

static bool parse_merge_clause(Parser *p, MergeClause *out)
{
    *out = (MergeClause){.kind = MERGE_MATCHED};
    advance(p);
    if (accept(p, KW_NOT))
        out->kind = MERGE_NOT_MATCHED;
    TRY(expect(p, KW_MATCHED));
    if (out->kind == MERGE_NOT_MATCHED && accept(p, KW_BY)) {
        if (is_at(p, KW_SOURCE))
            out->kind = MERGE_NOT_MATCHED_BY_SOURCE;
        else if (!is_at(p, KW_TARGET))
            return syntax_error(p);
        advance(p);
    }
    if (accept(p, KW_AND))
        TRY(parse_expression(p, &out->condition));
    TRY(expect(p, KW_THEN));
    return parse_merge_action(p, out);
}

/* Of each kind only the last clause may lack a condition. */
static bool check_merge(Parser *p, const Command *c, size_t from)
{
    static const ErrorClass classes[] = {
        ERR_NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION,
        ERR_NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION,
        ERR_NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION,
    };
    if (!c->merge.clauses.len)
        return REFUSE(p, from, ERR_MERGE_WITHOUT_WHEN);
    for (size_t i = 0; i + 1 < c->merge.clauses.len; i++) {
        const MergeClause *clause = &c->merge.clauses.at[i];
        if (!clause->condition && clause[1].kind == clause->kind)
            return REFUSE(p, from, classes[clause->kind]);
    }
    return true;
}

bool parse_merge(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_MERGE, p->arena);
    advance(p);
    c->merge.schema_evolution = accept_schema_evolution(p);
    TRY(expect(p, KW_INTO));
    TRY(parse_reference(p, &c->name, &c->name_expr));
    TRY(parse_target_alias(p, "MERGE", &c->merge.target_alias));
    TRY(expect(p, KW_USING));
    TRY(parse_merge_source(p, c));
    TRY(expect(p, KW_ON));
    TRY(parse_expression(p, &c->merge.on));
    while (is_at(p, KW_WHEN)) {
        MergeClause clause;
        size_t at = mark(p);
        TRY(parse_merge_clause(p, &clause));
        if (c->merge.clauses.len && vec_last(&c->merge.clauses).kind > clause.kind)
            return syntax_error_at(p, at + (clause.kind != MERGE_MATCHED) + 1);
        vec_push(p->arena, &c->merge.clauses, clause);
    }
    TRY(check_merge(p, c, from));
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}
