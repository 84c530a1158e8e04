/* PIVOT and UNPIVOT. */
#include "sql/parser_impl.h"

bool is_pivot_start(const Parser *p)
{
    return is_at(p, KW_PIVOT) && kind_at(p, 1) == TOK_LEFT_PAREN;
}

bool is_unpivot_start(const Parser *p)
{
    TokenKind next = kind_at(p, 1);
    return is_at(p, KW_UNPIVOT) &&
           (next == TOK_LEFT_PAREN || next == KW_INCLUDE || next == KW_EXCLUDE);
}

/* [AS] name behind the closing parenthesis. */
static bool parse_result_alias(Parser *p, Rel *rel, size_t from, Rel **out)
{
    Str alias;
    StrVec columns;
    rel->origin = origin_from(p, from);
    TRY(parse_table_alias(p, &alias, &columns));
    *out = alias_relation(p, rel, alias, &columns, from);
    return true;
}

static bool parse_pivot_columns(Parser *p, ExprVec *out)
{
    StrVec names = {0};
    size_t from = mark(p);
    if (is_at(p, TOK_LEFT_PAREN)) {
        TRY(parse_identifier_list(p, &names));
    } else {
        Str name;
        TRY(parse_captured_identifier(p, &name));
        vec_push(p->arena, &names, name);
    }
    for (size_t i = 0; i < names.len; i++) {
        Expr *column = new_expr(p, EXPR_COLUMN, from);
        vec_push(p->arena, &column->column.name, names.at[i]);
        vec_push(p->arena, out, column);
    }
    return true;
}

static bool parse_pivot_values(Parser *p, Rel *rel)
{
    TRY(expect(p, TOK_LEFT_PAREN));
    do {
        Expr *value;
        Str name = {0};
        TRY(parse_expression(p, &value));
        if (accept(p, KW_AS) || is_name_at(p, 0))
            TRY(parse_captured_identifier(p, &name));
        vec_push(p->arena, &rel->pivot.values, value);
        vec_push(p->arena, &rel->pivot.value_names, name);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

bool parse_pivot(Parser *p, Rel *input, Rel **out)
{
    size_t from = mark(p);
    Rel *rel = rel_new(REL_PIVOT, input, p->arena);
    p->pos += 2;
    TRY(parse_named_list(p, &rel->pivot.aggregates));
    TRY(expect(p, KW_FOR));
    TRY(parse_pivot_columns(p, &rel->pivot.columns));
    TRY(expect(p, KW_IN));
    TRY(parse_pivot_values(p, rel));
    TRY(expect(p, TOK_RIGHT_PAREN));
    return parse_result_alias(p, rel, from, out);
}

/* ---- UNPIVOT ---- */

static bool parse_unpivot_column(Parser *p, ExprVec *out)
{
    size_t from = mark(p);
    Name name;
    TRY(parse_multipart(p, &name));
    Expr *column = new_expr(p, EXPR_COLUMN, from);
    column->column.name = name;
    vec_push(p->arena, out, column);
    return true;
}

/* One group: a column, or (a, b) when several value columns are made; [AS] alias. */
static bool parse_unpivot_group(Parser *p, bool many, Rel *rel)
{
    ExprVec group = {0};
    Str alias = {0};
    if (many)
        TRY(expect(p, TOK_LEFT_PAREN));
    do
        TRY(parse_unpivot_column(p, &group));
    while (many && accept(p, TOK_COMMA));
    if (many)
        TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    if (accept(p, KW_AS) || is_name_at(p, 0))
        TRY(parse_captured_identifier(p, &alias));
    vec_push(p->arena, &rel->unpivot.value_groups, group);
    vec_push(p->arena, &rel->unpivot.aliases, alias);
    return true;
}

static bool parse_unpivot_names(Parser *p, bool many, Rel *rel)
{
    if (many)
        TRY(expect(p, TOK_LEFT_PAREN));
    do {
        Str name;
        TRY(parse_identifier(p, &name));
        vec_push(p->arena, &rel->unpivot.value_names, name);
    } while (many && accept(p, TOK_COMMA));
    if (many)
        TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    TRY(expect(p, KW_FOR));
    return parse_identifier(p, &rel->unpivot.variable_name);
}

bool parse_unpivot(Parser *p, Rel *input, Rel **out)
{
    size_t from = mark(p);
    Rel *rel = rel_new(REL_UNPIVOT, input, p->arena);
    advance(p);
    if (is_at(p, KW_INCLUDE) || is_at(p, KW_EXCLUDE)) {
        rel->unpivot.include_nulls = is_at(p, KW_INCLUDE);
        advance(p);
        TRY(expect(p, KW_NULLS));
    }
    TRY(expect(p, TOK_LEFT_PAREN));
    bool many = is_at(p, TOK_LEFT_PAREN);
    rel->unpivot.has_values = true;
    TRY(parse_unpivot_names(p, many, rel));
    TRY(expect(p, KW_IN));
    TRY(expect(p, TOK_LEFT_PAREN));
    do
        TRY(parse_unpivot_group(p, many, rel));
    while (accept(p, TOK_COMMA));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    TRY(expect(p, TOK_RIGHT_PAREN));
    if (rel->unpivot.value_names.len == 1)
        rel->unpivot.value_name = rel->unpivot.value_names.at[0];
    return parse_result_alias(p, rel, from, out);
}
