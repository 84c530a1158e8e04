/* Delta's own statements: VACUUM, OPTIMIZE, REORG, RESTORE, CONVERT, GENERATE. Their words are no
 * keywords of Spark's. */
#include "sql/parser_impl.h"

static bool finish(Parser *p, Command *c, size_t from, Statement *out)
{
    c->origin = origin_from(p, from);
    out->command = c;
    return true;
}

/* '/path' or a name; a path becomes delta.`/path`. */
static bool parse_target(Parser *p, Command *c)
{
    if (!is_string_at(p, 0))
        return parse_reference(p, &c->name, &c->name_expr);
    Str path;
    TRY(parse_string(p, &path));
    vec_push(p->arena, &c->name, S("delta"));
    vec_push(p->arena, &c->name, path);
    return true;
}

/* ---- VACUUM ---- */

static bool parse_retain(Parser *p, Command *c)
{
    bool minus = accept(p, TOK_MINUS);
    TokenKind kind = current(p);
    if (!is_number(kind))
        return syntax_error(p);
    Str text = token_text(p, peek_at(p, 0));
    if (kind != TOK_INTEGER && kind != TOK_DECIMAL && kind != TOK_EXPONENT)
        text.len -= kind == TOK_BIGDECIMAL ? 2 : 1;
    if (!str_to_f64(text, &c->vacuum.hours))
        return syntax_error(p);
    if (minus)
        c->vacuum.hours = -c->vacuum.hours;
    c->vacuum.has_hours = true;
    advance(p);
    return expect(p, KW_HOURS);
}

static bool parse_inventory(Parser *p, Command *c)
{
    TRY(expect_word(p, "INVENTORY"));
    if (accept(p, TOK_LEFT_PAREN)) {
        TRY(parse_query(p, &c->vacuum.inventory));
        return expect(p, TOK_RIGHT_PAREN);
    }
    size_t at = mark(p);
    Rel *table = rel_new(REL_NAMED_TABLE, NULL, p->arena);
    TRY(parse_reference(p, &table->table.name, &table->table.name_expr));
    table->origin = origin_from(p, at);
    c->vacuum.inventory = table;
    return true;
}

static bool parse_vacuum(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_VACUUM, p->arena);
    advance(p);
    TRY(parse_target(p, c));
    for (;;) {
        if (accept_word(p, "LITE"))
            c->vacuum.lite = true;
        else if (accept(p, KW_FULL))
            c->vacuum.full = true;
        else if (accept(p, KW_USING))
            TRY(parse_inventory(p, c));
        else if (accept_word(p, "RETAIN"))
            TRY(parse_retain(p, c));
        else if (accept_word(p, "DRY")) {
            TRY(expect_word(p, "RUN"));
            c->vacuum.dry_run = true;
        } else
            break;
    }
    return finish(p, c, from, out);
}

/* ---- OPTIMIZE, REORG ---- */

static bool parse_where(Parser *p, Command *c)
{
    return !accept(p, KW_WHERE) || parse_expression(p, &c->optimize.where);
}

static bool parse_zorder(Parser *p, Command *c)
{
    if (!accept_word(p, "ZORDER"))
        return true;
    TRY(expect(p, KW_BY));
    bool parens = accept(p, TOK_LEFT_PAREN);
    do {
        size_t at = mark(p);
        Name name;
        TRY(parse_multipart(p, &name));
        Expr *column = new_expr(p, EXPR_COLUMN, at);
        column->column.name = name;
        vec_push(p->arena, &c->optimize.zorder, column);
    } while (accept(p, TOK_COMMA));
    return !parens || expect_list_end(p, TOK_RIGHT_PAREN);
}

static bool parse_optimize(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_OPTIMIZE, p->arena);
    advance(p);
    TRY(parse_target(p, c));
    c->optimize.full = accept(p, KW_FULL);
    TRY(parse_where(p, c));
    TRY(parse_zorder(p, c));
    return finish(p, c, from, out);
}

static bool parse_reorg(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_OPTIMIZE, p->arena);
    p->pos += 2;
    TRY(parse_target(p, c));
    TRY(parse_where(p, c));
    TRY(expect_word(p, "APPLY"));
    TRY(expect(p, TOK_LEFT_PAREN));
    if (is_word_at(p, 0, "UPGRADE"))
        return refuse_unsupported(p, from, "REORG TABLE .. APPLY (UPGRADE UNIFORM)");
    TRY(expect(p, KW_PURGE));
    TRY(expect(p, TOK_RIGHT_PAREN));
    c->optimize.reorg_purge = true;
    return finish(p, c, from, out);
}

/* ---- RESTORE, CONVERT, GENERATE ---- */

static bool parse_restore(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_RESTORE, p->arena);
    advance(p);
    if (is_at(p, KW_TABLE) && (is_name_at(p, 1) || is_string_at(p, 1)))
        advance(p);
    TRY(parse_target(p, c));
    accept(p, KW_TO);
    if (!is_temporal_start(p))
        return syntax_error(p);
    TRY(parse_temporal(p, &c->travel));
    return finish(p, c, from, out);
}

static bool parse_convert(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_CONVERT, p->arena);
    advance(p);
    TRY(expect(p, KW_TO));
    TRY(expect_word(p, "DELTA"));
    TRY(parse_target(p, c));
    if (accept_two(p, KW_NO, KW_STATISTICS))
        vec_push(p->arena, &c->properties, ((KeyValue){S("no_statistics"), S("true"), NULL}));
    if (accept_two(p, KW_PARTITIONED, KW_BY)) {
        TRY(expect(p, TOK_LEFT_PAREN));
        do {
            ColumnDef column;
            TRY(parse_column_definition(p, false, &column));
            vec_push(p->arena, &c->delta.columns, column);
        } while (accept(p, TOK_COMMA));
        TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    }
    return finish(p, c, from, out);
}

static bool parse_generate(Parser *p, Statement *out)
{
    size_t from = mark(p);
    Command *c = command_new(CMD_GENERATE, p->arena);
    advance(p);
    TRY(parse_identifier(p, &c->delta.op));
    TRY(expect(p, KW_FOR));
    TRY(expect(p, KW_TABLE));
    TRY(parse_target(p, c));
    return finish(p, c, from, out);
}

bool parse_maintenance(Parser *p, bool *was, Statement *out)
{
    bool named = is_name_at(p, 1) || is_string_at(p, 1);
    *was = true;
    if (is_word_at(p, 0, "VACUUM") && named)
        return parse_vacuum(p, out);
    if (is_word_at(p, 0, "OPTIMIZE") && named)
        return parse_optimize(p, out);
    if (is_word_at(p, 0, "REORG") && kind_at(p, 1) == KW_TABLE)
        return parse_reorg(p, out);
    if (is_word_at(p, 0, "RESTORE") && named)
        return parse_restore(p, out);
    if (is_word_at(p, 0, "CONVERT") && kind_at(p, 1) == KW_TO)
        return parse_convert(p, out);
    if (is_word_at(p, 0, "GENERATE") && named)
        return parse_generate(p, out);
    *was = false;
    return true;
}
