/* SQL scripts: BEGIN .. END, control flow, handlers, labels. What needs no catalog is checked here. */
#include "plan/script.h"

#include "sql/parser_impl.h"

/* What surrounds the statement that is read, the innermost first. */
struct ScriptLabel {
    Str name;
    bool is_loop, is_row;            /* a row variable of FOR cannot be left or iterated */
    const struct ScriptLabel *outer;
};

struct ScriptConditions {
    StrVec names;                    /* upper case */
    const struct ScriptConditions *outer;
};

/* Spark words these errors with the line in front of them and no more place than that. */
static bool refuse_line(Parser *p, size_t at)
{
    p->err->script_line = 1;
    for (size_t i = 0; i < p->tokens[at].start; i++)
        p->err->script_line += p->text.ptr[i] == '\n';
    return false;
}
#define REFUSE_LINE(p, at, cls, ...) (error_set((p)->err, cls __VA_OPT__(, ) __VA_ARGS__), refuse_line(p, at))

static Str quoted(Parser *p, Str name)
{
    return name_quoted(&(Name){.at = &name, .len = 1}, p->arena);
}

static bool contains(const StrVec *list, Str s)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_eq(list->at[i], s))
            return true;
    return false;
}

static ScriptStatement *new_statement(Parser *p, ScriptKind kind)
{
    ScriptStatement *s = ARENA_NEW(p->arena, ScriptStatement);
    s->kind = kind;
    return s;
}

static bool parse_compound(Parser *p, bool in_block, ScriptStatement **out);

static bool kind_of(TokenKind word, ScriptKind *kind)
{
    switch (word) {
    case KW_BEGIN: *kind = SCRIPT_BLOCK; return true;
    case KW_WHILE: *kind = SCRIPT_WHILE; return true;
    case KW_REPEAT: *kind = SCRIPT_REPEAT; return true;
    case KW_LOOP: *kind = SCRIPT_LOOP; return true;
    case KW_FOR: *kind = SCRIPT_FOR; return true;
    default: return false;
    }
}

/* name : in front of a block or a loop; IF :name is no label. */
static bool is_label(const Parser *p)
{
    ScriptKind ignored;
    return is_name_at(p, 0) && kind_at(p, 1) == TOK_COLON && kind_of(kind_at(p, 2), &ignored);
}

/* ---- labels ---- */

static const struct ScriptLabel *find_label(const Parser *p, Str name)
{
    const struct ScriptLabel *l = p->script_labels;
    while (l != NULL && !str_ieq(l->name, name))
        l = l->outer;
    return l;
}

static bool push_label(Parser *p, size_t at, Str name, bool is_loop, bool is_row)
{
    static const char *const forbidden[] = {"builtin", "session", "system"};
    for (size_t i = 0; i < LENGTH_OF(forbidden); i++)
        if (str_is_ci(name, forbidden[i]))
            return REFUSE_LINE(p, at, ERR_LABEL_OR_FOR_VARIABLE_NAME_FORBIDDEN, P("label", quoted(p, name)));
    if (find_label(p, name) != NULL)
        return REFUSE_LINE(p, at, ERR_LABEL_OR_FOR_VARIABLE_ALREADY_EXISTS, P("label", quoted(p, name)));
    struct ScriptLabel *l = ARENA_NEW(p->arena, struct ScriptLabel);
    *l = (struct ScriptLabel){name, is_loop, is_row, p->script_labels};
    p->script_labels = l;
    return true;
}

static bool parse_end_label(Parser *p, size_t at, Str begin)
{
    Str end;
    if (is_at(p, TOK_SEMICOLON) || !is_name_at(p, 0))
        return true;
    TRY(parse_identifier(p, &end));
    if (!begin.len)
        return REFUSE_LINE(p, at, ERR_END_LABEL_WITHOUT_BEGIN_LABEL, P("endLabel", quoted(p, end)));
    return str_ieq(begin, end) ||
           REFUSE_LINE(p, at, ERR_LABELS_MISMATCH, P("beginLabel", quoted(p, begin)), P("endLabel", quoted(p, end)));
}

static bool parse_jump(Parser *p, ScriptStatement **out)
{
    size_t from = mark(p);
    bool leaves = is_at(p, KW_LEAVE);
    ScriptStatement *s = new_statement(p, leaves ? SCRIPT_LEAVE : SCRIPT_ITERATE);
    advance(p);
    TRY(parse_identifier(p, &s->label));
    if (!is_at(p, TOK_SEMICOLON))
        return syntax_error(p);
    const struct ScriptLabel *l = find_label(p, s->label);
    Str shown = str_upper(s->label, p->arena);
    if (l == NULL || l->is_row)
        return REFUSE_LINE(p, from, ERR_INVALID_LABEL_USAGE__DOES_NOT_EXIST, P("labelName", shown),
                           PZ("statementType", leaves ? "LEAVE" : "ITERATE"));
    if (!leaves && !l->is_loop)
        return REFUSE_LINE(p, from, ERR_INVALID_LABEL_USAGE__ITERATE_IN_COMPOUND, P("labelName", shown));
    *out = s;
    return true;
}

/* ---- conditions and handlers ---- */

static bool parse_state(Parser *p, Str *out)
{
    size_t from = mark(p);
    if (is_word_at(p, 0, "value"))
        advance(p);
    if (!is_string_at(p, 0))
        return syntax_error(p);
    TRY(parse_string(p, out));
    bool ok = out->len == 5 && !str_starts_with(*out, S("00")) && !str_starts_with(*out, S("01")) && !str_starts_with(*out, S("XX"));
    for (size_t i = 0; ok && i < out->len; i++)
        ok = (out->ptr[i] >= 'A' && out->ptr[i] <= 'Z') || (out->ptr[i] >= '0' && out->ptr[i] <= '9');
    return ok || REFUSE_LINE(p, from, ERR_INVALID_SQLSTATE, P("sqlState", *out));
}

/* DECLARE name CONDITION [FOR SQLSTATE [VALUE] '..'] */
static bool parse_condition(Parser *p, bool allowed)
{
    size_t from = mark(p);
    Str name, state;
    advance(p);
    TRY(parse_identifier(p, &name));
    advance(p);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i] | 0x20;
        if ((c < 'a' || c > 'z') && (name.ptr[i] < '0' || name.ptr[i] > '9') && name.ptr[i] != '_')
            return REFUSE_LINE(p, from, ERR_INVALID_ERROR_CONDITION_DECLARATION__SPECIAL_CHARACTER_FOUND,
                               P("conditionName", quoted(p, name)));
    }
    if (accept(p, KW_FOR)) {
        TRY(expect(p, KW_SQLSTATE));
        TRY(parse_state(p, &state));
    }
    name = str_upper(name, p->arena);
    if (!allowed)
        return REFUSE_LINE(p, from, ERR_INVALID_ERROR_CONDITION_DECLARATION__NOT_AT_START_OF_COMPOUND_STATEMENT,
                           P("conditionName", quoted(p, name)));
    if (contains(&p->script_conditions->names, name))
        return REFUSE_LINE(p, from, ERR_DUPLICATE_CONDITION_IN_SCOPE, P("condition", quoted(p, name)));
    vec_push(p->arena, &p->script_conditions->names, name);
    return true;
}

/* Declared around here, or one of Spark's own error classes. */
static bool condition_is_known(const Parser *p, Str name)
{
    for (const struct ScriptConditions *c = p->script_conditions; c != NULL; c = c->outer)
        if (contains(&c->names, name))
            return true;
    return error_class_by_name(name) != ERR_NONE;
}

static bool parse_condition_value(Parser *p, ScriptHandler *h)
{
    size_t from = mark(p);
    if (accept(p, KW_SQLEXCEPTION)) {
        h->any = true;
        return true;
    }
    if (accept_two(p, KW_NOT, KW_FOUND)) {
        h->not_found = true;
        return true;
    }
    Str text;
    if (is_at(p, KW_SQLSTATE) && (is_string_at(p, 1) || is_word_at(p, 1, "value"))) {
        advance(p);
        TRY(parse_state(p, &text));
        if (contains(&h->states, text))
            return REFUSE_LINE(p, from, ERR_INVALID_HANDLER_DECLARATION__DUPLICATE_SQLSTATE_IN_HANDLER_DECLARATION, P("sqlState", text));
        vec_push(p->arena, &h->states, text);
        return true;
    }
    Name name;
    TRY(parse_multipart(p, &name));
    text = str_upper(name_text(&name, p->arena), p->arena);
    if (contains(&h->conditions, text))
        return REFUSE_LINE(p, from, ERR_INVALID_HANDLER_DECLARATION__DUPLICATE_CONDITION_IN_HANDLER_DECLARATION, P("condition", text));
    if (!condition_is_known(p, text))
        return REFUSE_LINE(p, from, ERR_INVALID_HANDLER_DECLARATION__CONDITION_NOT_FOUND, P("condition", text));
    vec_push(p->arena, &h->conditions, text);
    return true;
}

static bool duplicate_handler(Parser *p, ErrorClass cls, const char *key, Str what)
{
    return error_set_params(p->err, cls, (const ErrorParam[]){P(key, what), {NULL, {NULL, 0}}});
}

/* One handler of a block for each condition, SQLSTATE and kind. */
static bool check_handlers(Parser *p, const ScriptStatement *block, const ScriptHandler *h)
{
    for (size_t i = 0; i < block->handlers.len; i++) {
        const ScriptHandler *other = &block->handlers.at[i];
        for (size_t k = 0; k < h->conditions.len; k++)
            if (contains(&other->conditions, h->conditions.at[k]))
                return duplicate_handler(p, ERR_DUPLICATE_EXCEPTION_HANDLER__CONDITION, "condition", h->conditions.at[k]);
        for (size_t k = 0; k < h->states.len; k++)
            if (contains(&other->states, h->states.at[k]))
                return duplicate_handler(p, ERR_DUPLICATE_EXCEPTION_HANDLER__SQLSTATE, "sqlState", h->states.at[k]);
        if (h->any && other->any)
            return duplicate_handler(p, ERR_DUPLICATE_EXCEPTION_HANDLER__CONDITION, "condition", S("SQLEXCEPTION"));
        if (h->not_found && other->not_found)
            return duplicate_handler(p, ERR_DUPLICATE_EXCEPTION_HANDLER__CONDITION, "condition", S("NOT FOUND"));
    }
    return true;
}

/* A name may be a label: what is wrong is what stands behind it. */
static bool syntax_error_in_body(Parser *p)
{
    error_clear(p->err);
    return syntax_error_at(p, is_name_at(p, 0) ? p->pos + 1 : p->pos);
}

static bool parse_set_or_statement(Parser *p, ScriptStatement **out)
{
    size_t from = mark(p);
    ScriptStatement *s = new_statement(p, SCRIPT_SQL);
    if (!(is_at(p, KW_SET) ? parse_set_assignments(p, 1, &s->statement) : parse_statement(p, &s->statement)))
        return p->err->cls == ERR_PARSE_SYNTAX_ERROR && p->pos == from ? syntax_error_in_body(p) : false;
    s->origin = origin_from(p, from);
    *out = s;
    return true;
}

/* DECLARE EXIT HANDLER FOR conditions body; block NULL: not where handlers may be. */
static bool parse_handler(Parser *p, ScriptStatement *block)
{
    size_t from = mark(p);
    ScriptHandler h = {.resumes = kind_at(p, 1) == KW_CONTINUE};
    p->pos += 3;
    if (h.resumes && !p->options->continue_handlers)
        return REFUSE_LINE(p, from, ERR_UNSUPPORTED_FEATURE__CONTINUE_EXCEPTION_HANDLER);
    TRY(expect(p, KW_FOR));
    do
        TRY(parse_condition_value(p, &h));
    while (accept(p, TOK_COMMA));
    if ((h.any || h.not_found) && (h.conditions.len || h.states.len))
        return REFUSE_LINE(p, from, ERR_INVALID_HANDLER_DECLARATION__INVALID_CONDITION_COMBINATION);
    TRY(is_at(p, KW_BEGIN) || is_label(p) ? parse_compound(p, false, &h.body) : parse_set_or_statement(p, &h.body));
    if (block == NULL)
        return REFUSE_LINE(p, from, ERR_INVALID_HANDLER_DECLARATION__WRONG_PLACE_OF_DECLARATION);
    TRY(check_handlers(p, block, &h));
    vec_push(p->arena, &block->handlers, h);
    return true;
}

/* ---- bodies ---- */

typedef enum Stage { STAGE_DECLARE, STAGE_HANDLERS, STAGE_STATEMENTS } Stage;

static bool is_body_end(const Parser *p)
{
    TokenKind k = current(p);
    return k == KW_END || k == KW_ELSE || k == KW_ELSEIF || k == KW_WHEN || k == KW_UNTIL;
}

static bool is_cursor(const Parser *p)
{
    TokenKind k = kind_at(p, 2);
    return k == KW_CURSOR || ((k == KW_ASENSITIVE || k == KW_INSENSITIVE) && kind_at(p, 3) == KW_CURSOR);
}

/* What stands behind DECLARE in a body; *declared tells a variable, which is a statement to run. */
static bool parse_declaration(Parser *p, ScriptStatement *block, Stage *stage, ScriptStatement **out)
{
    size_t from = mark(p);
    *out = NULL;
    if ((kind_at(p, 1) == KW_EXIT || kind_at(p, 1) == KW_CONTINUE) && kind_at(p, 2) == KW_HANDLER) {
        TRY(parse_handler(p, *stage == STAGE_STATEMENTS ? NULL : block));
        *stage = STAGE_HANDLERS;
        return true;
    }
    if (is_name_at(p, 1) && kind_at(p, 2) == KW_CONDITION)
        return parse_condition(p, block != NULL && *stage == STAGE_DECLARE);
    if (is_cursor(p))
        return refuse_cursor(p);
    TRY(parse_set_or_statement(p, out));
    Str name = quoted(p, vec_last(&(*out)->statement.command->name));
    if (block == NULL)
        return REFUSE_LINE(p, from, ERR_INVALID_VARIABLE_DECLARATION__NOT_ALLOWED_IN_SCOPE, P("varName", name));
    return *stage == STAGE_DECLARE ||
           REFUSE_LINE(p, from, ERR_INVALID_VARIABLE_DECLARATION__ONLY_AT_BEGINNING, P("varName", name));
}

/* Statements, each with its semicolon. block: the BEGIN .. END that may declare here, or NULL. */
static bool parse_body(Parser *p, ScriptStatement *block, ScriptBody *out)
{
    Stage stage = STAGE_DECLARE;
    while (!is_body_end(p)) {
        ScriptStatement *s;
        if (is_at(p, KW_DECLARE)) {
            TRY(parse_declaration(p, block, &stage, &s));
        } else {
            TRY(parse_compound(p, true, &s));
            stage = STAGE_STATEMENTS;
        }
        if (s != NULL)
            vec_push(p->arena, out, s);
        TRY(expect(p, TOK_SEMICOLON));
    }
    return block != NULL || out->len > 0 || syntax_error_in_body(p);
}

static bool parse_block(Parser *p, ScriptStatement *s)
{
    struct ScriptConditions here = {.outer = p->script_conditions};
    struct ScriptConditions *outer = p->script_conditions;
    advance(p);
    if (is_at(p, KW_NOT) && kind_at(p, 1) == KW_ATOMIC)
        p->pos += 2;
    p->script_conditions = &here;
    bool ok = parse_body(p, s, &s->body) && expect(p, KW_END);
    p->script_conditions = outer;
    return ok;
}

/* condition THEN body */
static bool parse_branch(Parser *p, Expr *operand, ScriptStatement *s)
{
    size_t from = mark(p);
    ScriptBranch b = {0};
    TRY(parse_expression(p, &b.condition));
    if (operand != NULL) {
        Expr *sides[2] = {operand, b.condition};
        b.condition = operator_call(p, "=", from, 2, sides);
    }
    TRY(expect(p, KW_THEN));
    TRY(parse_body(p, NULL, &b.body));
    vec_push(p->arena, &s->branches, b);
    return true;
}

static bool parse_if(Parser *p, ScriptStatement *s)
{
    do {
        advance(p);
        TRY(parse_branch(p, NULL, s));
    } while (is_at(p, KW_ELSEIF));
    if (accept(p, KW_ELSE))
        TRY(parse_body(p, NULL, &s->body));
    TRY(expect(p, KW_END));
    return expect(p, KW_IF);
}

static bool parse_case_statement(Parser *p, ScriptStatement *s)
{
    Expr *operand = NULL;
    advance(p);
    if (!is_at(p, KW_WHEN))
        TRY(parse_expression(p, &operand));
    if (!is_at(p, KW_WHEN))
        return syntax_error(p);
    while (accept(p, KW_WHEN))
        TRY(parse_branch(p, operand, s));
    if (accept(p, KW_ELSE))
        TRY(parse_body(p, NULL, &s->body));
    TRY(expect(p, KW_END));
    return expect(p, KW_CASE);
}

static bool parse_for(Parser *p, ScriptStatement *s)
{
    size_t from = mark(p);
    advance(p);
    if (is_name_at(p, 0) && kind_at(p, 1) == KW_AS) {
        TRY(parse_identifier(p, &s->variable));
        advance(p);
        TRY(push_label(p, from, s->variable, true, true));
    }
    if (!is_query_start(p, 0))
        return syntax_error(p);
    p->for_queries++; /* DO ends the query: no name */
    bool ok = parse_query(p, &s->query);
    p->for_queries--;
    TRY(ok);
    TRY(expect(p, KW_DO));
    TRY(parse_body(p, NULL, &s->body));
    TRY(expect(p, KW_END));
    return expect(p, KW_FOR);
}

static bool parse_loop(Parser *p, ScriptStatement *s)
{
    TokenKind word = (TokenKind)current(p);
    if (word == KW_FOR)
        return parse_for(p, s);
    advance(p);
    if (word == KW_WHILE) {
        TRY(parse_expression(p, &s->condition));
        TRY(expect(p, KW_DO));
    }
    TRY(parse_body(p, NULL, &s->body));
    if (word == KW_REPEAT) {
        TRY(expect(p, KW_UNTIL));
        TRY(parse_expression(p, &s->condition));
    }
    TRY(expect(p, KW_END));
    return expect(p, word);
}

/* ---- one statement of a body ---- */

static bool parse_labeled(Parser *p, ScriptStatement *s)
{
    size_t from = mark(p);
    bool is_loop = s->kind != SCRIPT_BLOCK;
    if (s->label.len)
        TRY(push_label(p, from, s->label, is_loop, false));
    TRY(is_loop ? parse_loop(p, s) : parse_block(p, s));
    return parse_end_label(p, from, s->label);
}

static bool parse_plain(Parser *p, ScriptStatement **out)
{
    size_t from = mark(p);
    bool is_if = is_at(p, KW_IF);
    if (!is_if && !is_at(p, KW_CASE))
        return is_at(p, KW_LEAVE) || is_at(p, KW_ITERATE) ? parse_jump(p, out) : parse_set_or_statement(p, out);
    *out = new_statement(p, is_if ? SCRIPT_IF : SCRIPT_CASE);
    TRY(is_if ? parse_if(p, *out) : parse_case_statement(p, *out));
    (*out)->origin = origin_from(p, from);
    return true;
}

static bool parse_compound(Parser *p, bool in_body, ScriptStatement **out)
{
    size_t from = mark(p);
    Str label = {0};
    ScriptKind kind;
    const struct ScriptLabel *labels = p->script_labels;
    TRY(enter(p));
    if (is_label(p)) {
        TRY(parse_identifier(p, &label));
        advance(p);
    }
    if (kind_of((TokenKind)current(p), &kind) && (in_body || kind == SCRIPT_BLOCK)) {
        *out = new_statement(p, kind);
        (*out)->label = label;
        TRY(parse_labeled(p, *out));
        (*out)->origin = origin_from(p, from);
    } else {
        TRY(parse_plain(p, out));
    }
    p->script_labels = labels;
    leave(p);
    return true;
}

/* ---- the statement of its own ---- */

bool refuse_cursor(Parser *p)
{
    return REFUSE_LINE(p, p->pos, ERR_UNSUPPORTED_FEATURE__SQL_CURSOR);
}

bool parse_script(Parser *p, Statement *out)
{
    size_t from = mark(p);
    if (p->options->no_scripts)
        return REFUSE_LINE(p, from, ERR_UNSUPPORTED_FEATURE__SQL_SCRIPTING, PZ("sqlScriptingEnabled", "\"spark.sql.scripting.enabled\""));
    Command *c = command_new(CMD_SCRIPT, p->arena);
    ScriptStatement *s = new_statement(p, SCRIPT_BLOCK);
    TRY(parse_block(p, s));
    s->origin = origin_from(p, from);
    c->script.body = s;
    c->origin = s->origin;
    out->command = c;
    return true;
}
