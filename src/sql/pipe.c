/* Pipe steps: query |> SELECT .. |> WHERE .. |> AGGREGATE .. */
#include "sql/parser_impl.h"

static Rel *project(Parser *p, Rel *input, const ExprVec *items, Str step, size_t from)
{
    Rel *rel = new_rel(p, REL_PROJECT, input, from);
    rel->project.items = *items;
    rel->project.pipe = step;
    return rel;
}

static bool parse_pipe_select(Parser *p, Rel *input, Rel **out)
{
    Rel *rel;
    TRY(parse_select(p, input, &rel));
    for (Rel *r = rel; r && r != input; r = r->input)
        if (r->kind == REL_PROJECT)
            r->project.pipe = S("SELECT");
    *out = rel;
    return true;
}

static bool parse_pipe_extend(Parser *p, Rel *input, size_t from, Rel **out)
{
    ExprVec items = {0};
    vec_push(p->arena, &items, new_expr(p, EXPR_STAR, from));
    advance(p);
    TRY(parse_named_list(p, &items));
    *out = project(p, input, &items, S("EXTEND"), from);
    return true;
}

/* Each assignment sees what the ones before it have set. */
static bool parse_pipe_set(Parser *p, Rel *input, size_t from, Rel **out)
{
    advance(p);
    do {
        Name name;
        Expr *value;
        size_t at = mark(p);
        TRY(parse_multipart(p, &name));
        TRY(expect(p, TOK_EQ));
        TRY(parse_expression(p, &value));
        if (name.len > 1)
            return refuse_operation(
                p, at,
                "SQL pipe syntax |> SET operator with multi-part assignment key "
                "(only single-part keys are allowed)");
        Expr *alias = new_expr(p, EXPR_ALIAS, at);
        alias->alias.child = value;
        vec_push(p->arena, &alias->alias.names, name.at[0]);
        input = new_rel(p, REL_WITH_COLUMNS, input, from);
        input->with_columns.must_exist = true;
        vec_push(p->arena, &input->with_columns.items, alias);
    } while (accept(p, TOK_COMMA));
    *out = input;
    return true;
}

static bool parse_pipe_drop(Parser *p, Rel *input, size_t from, Rel **out)
{
    NameVec names = {0};
    ExprVec items = {0};
    advance(p);
    TRY(parse_multipart_seq(p, &names));
    Expr *star = new_expr(p, EXPR_STAR, from);
    for (size_t i = 0; i < names.len; i++) {
        Expr *column = new_expr(p, EXPR_COLUMN, from);
        column->column.name = names.at[i];
        vec_push(p->arena, &star->star.except, column);
    }
    vec_push(p->arena, &items, star);
    *out = project(p, input, &items, S("DROP"), from);
    return true;
}

static bool parse_pipe_where(Parser *p, Rel *input, size_t from, Rel **out)
{
    Expr *condition;
    advance(p);
    TRY(parse_expression(p, &condition));
    if (is_at(p, KW_WINDOW) && is_clause_start(p, 0))
        return REFUSE_STATEMENT(p, ERR_NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE__WINDOW_CLAUSE);
    *out = new_rel(p, REL_FILTER, input, from);
    (*out)->filter.condition = condition;
    (*out)->filter.in_pipe = true;
    return true;
}

static bool unsupported_case(Parser *p, const char *what)
{
    return REFUSE_STATEMENT(p, ERR_UNSUPPORTED_FEATURE__PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE,
                            PZ("case", what));
}

/* Grouping functions and windows have no place beside the keys that come first. */
static bool check_aggregate_calls(Parser *p, size_t from)
{
    for (size_t i = from; i < p->pos; i++) {
        bool call = p->tokens[i + 1].kind == TOK_LEFT_PAREN;
        if (call && p->tokens[i].kind == KW_GROUPING)
            return unsupported_case(p, "GROUPING");
        if (call && str_is_ci(token_text(p, &p->tokens[i]), "grouping_id"))
            return unsupported_case(p, "GROUPING_ID");
        if (call && p->tokens[i].kind == KW_OVER)
            return unsupported_case(
                p, "window functions; please update the query to move the window functions to a "
                   "subsequent |> SELECT operator instead");
    }
    return true;
}

static bool parse_pipe_aggregate(Parser *p, Rel *input, size_t from, Rel **out)
{
    Rel *rel = rel_new(REL_PIPE_AGGREGATE, input, p->arena);
    advance(p);
    bool group = is_at(p, KW_GROUP) && is_clause_start(p, 0);
    bool items = !group && !is_pipe(p) && !is_at(p, TOK_EOF) && !is_at(p, TOK_SEMICOLON) &&
                 !is_at(p, TOK_RIGHT_PAREN);
    if (items)
        TRY(parse_named_list(p, &rel->aggregate.items));
    group = is_at(p, KW_GROUP) && is_clause_start(p, 0);
    size_t group_at = mark(p);
    if (group)
        TRY(parse_group_by(p, true, rel));
    if (!group && !items)
        return p->pos = p->count - 1,
               refuse_operation(p, 0,
                                "The AGGREGATE clause requires a list of aggregate expressions "
                                "or a list of grouping expressions, or both");
    switch (rel->aggregate.group) {
    case GROUP_ALL: return unsupported_case(p, "GROUP BY ALL");
    case GROUP_CUBE: return unsupported_case(p, "GROUP BY CUBE");
    case GROUP_ROLLUP: return unsupported_case(p, "GROUP BY ROLLUP");
    case GROUP_SETS: {
        /* The sets no longer tell where they came from; the text does. */
        for (size_t i = group_at; i < p->pos; i++) {
            if (p->tokens[i].kind == KW_CUBE)
                return unsupported_case(p, "GROUP BY CUBE");
            if (p->tokens[i].kind == KW_ROLLUP)
                return unsupported_case(p, "GROUP BY ROLLUP");
        }
        return unsupported_case(p, "GROUPING SETS");
    }
    default: break;
    }
    if (group)
        TRY(check_aggregate_calls(p, from));
    rel->origin = origin_from(p, from);
    *out = rel;
    return true;
}

static bool parse_pipe_set_op(Parser *p, Rel *input, size_t from, Rel **out)
{
    Rel *rel = rel_new(REL_SET_OP, input, p->arena);
    bool distinct;
    rel->set_op.kind = is_at(p, KW_UNION)       ? SETOP_UNION
                       : is_at(p, KW_INTERSECT) ? SETOP_INTERSECT
                                                : SETOP_EXCEPT;
    advance(p);
    TRY(parse_set_quantifier(p, &rel->set_op.all, &distinct));
    rel->set_op.by_name = accept_two(p, KW_BY, KW_NAME);
    TRY(parse_query_primary(p, &rel->set_op.right));
    rel->origin = origin_from(p, from);
    *out = rel;
    return true;
}

static bool parse_pipe_pivot(Parser *p, Rel *input, Rel **out)
{
    bool pivot = is_pivot_start(p);
    TRY(pivot ? parse_pivot(p, input, out) : parse_unpivot(p, input, out));
    if (pivot ? is_pivot_start(p) : is_unpivot_start(p))
        return syntax_error(p);
    if (is_pivot_start(p) || is_unpivot_start(p))
        return REFUSE_STATEMENT(p, ERR_NOT_ALLOWED_IN_FROM__UNPIVOT_WITH_PIVOT);
    return true;
}

/* After a lone "|": only what cannot be an operand's name. */
static bool starts_step(const Parser *p, size_t ahead)
{
    TokenKind next = kind_at(p, ahead + 1);
    Parser behind = *p;
    behind.pos += ahead;
    if (is_join_start(&behind) || is_pivot_start(&behind) || is_unpivot_start(&behind) ||
        is_sample_start(&behind) || is_clause_start(p, ahead))
        return true;
    switch (kind_at(p, ahead)) {
    case KW_SELECT:
    case KW_EXTEND:
    case KW_DROP:
    case KW_AS:
    case KW_WHERE:
    case KW_AGGREGATE:
        return next != TOK_EOF && next != TOK_COMMA && next != TOK_RIGHT_PAREN && next != TOK_DOT &&
               next != TOK_SEMICOLON;
    case KW_SET:
        return is_name_at(p, ahead + 1) &&
               (kind_at(p, ahead + 2) == TOK_EQ || kind_at(p, ahead + 2) == TOK_DOT);
    default: return false;
    }
}

bool is_pipe(const Parser *p)
{
    return is_at(p, TOK_OPERATOR_PIPE) ||
           (is_at(p, TOK_PIPE) && !p->options->no_single_pipe && starts_step(p, 1));
}

bool parse_pipe(Parser *p, Rel *input, Rel **out)
{
    size_t from = mark(p);
    Str alias;
    if (p->options->no_pipes)
        return refuse_operation(p, 0, "Operator pipe SQL syntax using |>");
    if (is_pivot_start(p) || is_unpivot_start(p))
        return parse_pipe_pivot(p, input, out);
    if (is_sample_start(p))
        return parse_sample(p, input, out);
    if (is_join_start(p))
        return parse_join(p, input, out);
    switch (current(p)) {
    case KW_SELECT: return parse_pipe_select(p, input, out);
    case KW_EXTEND: return parse_pipe_extend(p, input, from, out);
    case KW_SET: return parse_pipe_set(p, input, from, out);
    case KW_DROP: return parse_pipe_drop(p, input, from, out);
    case KW_WHERE: return parse_pipe_where(p, input, from, out);
    case KW_AGGREGATE: return parse_pipe_aggregate(p, input, from, out);
    case KW_UNION:
    case KW_EXCEPT:
    case KW_MINUS:
    case KW_INTERSECT: return parse_pipe_set_op(p, input, from, out);
    case KW_AS:
        advance(p);
        TRY(parse_captured_identifier(p, &alias));
        *out = alias_relation(p, input, alias, NULL, from);
        return true;
    default: break;
    }
    TRY(parse_organization(p, input, true, out));
    for (Rel *r = *out; r && r != input; r = r->input)
        if (r->kind == REL_SORT)
            r->sort.in_pipe = true;
    return p->pos > from || syntax_error(p);
}
