/* What the files of the parser share. Every parse_* returns false with p->err set. */
#pragma once

#include "base/buf.h"
#include "sql/lexer.h"
#include "sql/sql.h"

typedef struct Parser {
    Str text;
    const SqlOptions *options;
    Arena *arena;
    Error *err;
    const TokenList *list;
    Token *tokens;      /* ends with TOK_EOF */
    size_t count;
    size_t pos;
    int depth;
    int type_depth;     /* of nested data types */
    int parameters;     /* '?' seen so far */
    int for_queries;    /* inside the query of a script's FOR, where DO is no name */
    const struct ScriptLabel *script_labels;
    struct ScriptConditions *script_conditions;
    Error *late;        /* what is refused once all of the text is read; NULL: nothing */
    bool has_reference;
    Origin reference;   /* the first name of an object: what a command is about */
} Parser;

/* ---- tokens (parser.c) ---- */
static inline const Token *peek_at(const Parser *p, size_t ahead)
{
    size_t i = p->pos + ahead;
    return &p->tokens[i < p->count ? i : p->count - 1];
}

static inline TokenKind kind_at(const Parser *p, size_t ahead)
{
    return (TokenKind)peek_at(p, ahead)->kind;
}

static inline TokenKind current(const Parser *p)
{
    return kind_at(p, 0);
}

static inline bool is_at(const Parser *p, TokenKind kind)
{
    return current(p) == kind;
}

static inline void advance(Parser *p)
{
    if (p->pos + 1 < p->count)
        p->pos++;
}

/* Steps over the token when it is of this kind. */
static inline bool accept(Parser *p, TokenKind kind)
{
    if (!is_at(p, kind))
        return false;
    advance(p);
    return true;
}

/* Both or none. */
static inline bool accept_two(Parser *p, TokenKind first, TokenKind second)
{
    if (!is_at(p, first) || kind_at(p, 1) != second)
        return false;
    advance(p);
    advance(p);
    return true;
}

Str token_text(const Parser *p, const Token *token);
/* Words that are no keywords of Spark's but of Delta's or Databricks' grammar:
 * VACUUM, ZORDER, CLONE. */
bool is_word_at(const Parser *p, size_t ahead, const char *word);
bool accept_word(Parser *p, const char *word);
MUST_CHECK bool expect_word(Parser *p, const char *word);
MUST_CHECK bool expect(Parser *p, TokenKind kind);
/* As expect, where ANTLR would put the token in: the hint is ": missing 'X'". */
MUST_CHECK bool expect_missing(Parser *p, TokenKind kind);
/* ')' or ']' after a list: knows Spark's "extra input" hint. */
MUST_CHECK bool expect_list_end(Parser *p, TokenKind kind);
/* Index of the current token, for origins. */
static inline size_t mark(const Parser *p)
{
    return p->pos;
}
/* From the token `from` to the last one read. */
Origin origin_from(const Parser *p, size_t from);
Str source_text(const Parser *p, size_t from);

/* ---- errors (parser.c); always false ---- */
bool syntax_error(Parser *p);                    /* at the current token */
bool syntax_error_at(Parser *p, size_t index);
bool extra_input(Parser *p);                     /* at the current token */
/* Locates the error that was just set at the tokens from..last read. */
bool refuse(Parser *p, size_t from);
#define REFUSE(p, from, cls, ...) \
    (error_set((p)->err, cls __VA_OPT__(, ) __VA_ARGS__), refuse(p, from))
/* Keeps the refusal that was just set until the text is read: what Spark finds wrong in a literal or a
 * type it finds after its grammar has taken the whole. Always true. */
bool refuse_later(Parser *p);
/* As refuse, at the whole statement: what Spark finds wrong only when it has read all of it. */
bool refuse_statement(Parser *p);
#define REFUSE_STATEMENT(p, cls, ...) \
    (error_set((p)->err, cls __VA_OPT__(, ) __VA_ARGS__), refuse_statement(p))
bool refuse_words(Parser *p, Str words); /* INVALID_STATEMENT_OR_CLAUSE */
/* "Operation not allowed: .." */
bool refuse_operation(Parser *p, size_t from, const char *message);
bool refuse_unsupported(Parser *p, size_t from, const char *what);

/* one level deeper, FAILED_TO_PARSE_TOO_COMPLEX past the limit */
MUST_CHECK bool enter(Parser *p);
static inline void leave(Parser *p)
{
    p->depth--;
}

/* ---- names and simple clauses (name.c) ---- */
bool is_name_at(const Parser *p, size_t ahead);         /* identifier */
bool is_strict_name_at(const Parser *p, size_t ahead);  /* table alias */
bool is_identifier_clause(const Parser *p);             /* IDENTIFIER(.. */
MUST_CHECK bool parse_identifier(Parser *p, Str *out);
/* The word itself, where IDENTIFIER is a name like any other. */
MUST_CHECK bool parse_plain_identifier(Parser *p, Str *out);
MUST_CHECK bool parse_captured_identifier(Parser *p, Str *out); /* INVALID_IDENTIFIER for a-b */
MUST_CHECK bool parse_multipart(Parser *p, Name *out);
/* Either a name or IDENTIFIER(expr); one of the two is filled. */
MUST_CHECK bool parse_reference(Parser *p, Name *name, Expr **name_expr);
MUST_CHECK bool parse_identifier_list(Parser *p, StrVec *out);      /* (a, b) */
MUST_CHECK bool parse_identifier_seq(Parser *p, StrVec *out);       /* a, b */
/* (a.b, c) or a.b, c: each as dotted text. */
MUST_CHECK bool parse_dotted_list(Parser *p, StrVec *out);
typedef VEC(Name) NameVec;
MUST_CHECK bool parse_multipart_seq(Parser *p, NameVec *out);
bool is_string_at(const Parser *p, size_t ahead);
MUST_CHECK bool parse_string(Parser *p, Str *out);
MUST_CHECK bool parse_integer(Parser *p, int64_t *out);
MUST_CHECK bool parse_properties(Parser *p, KeyValueVec *out);      /* (k = v, ..) */
MUST_CHECK bool parse_property_keys(Parser *p, StrVec *out);
MUST_CHECK bool parse_expression_properties(Parser *p, KeyValueVec *out);
bool accept_if_exists(Parser *p);
MUST_CHECK bool parse_if_not_exists(Parser *p, bool *out);
/* Dotted text of a name, parts backquoted where needed. */
Str dotted(const Parser *p, const Name *name);
/* The one spelling of a collation's name, in type.c. */
MUST_CHECK bool resolve_collation(Parser *p, const Name *name, Str *out);
/* The name after DEFAULT COLLATION, as written but for system.builtin before it. */
MUST_CHECK bool parse_collation_name(Parser *p, Str *out);
bool is_clause_start(const Parser *p, size_t ahead);
/* What ends a list or the text: behind it an operator word can only be a name. */
bool is_list_stop(TokenKind kind);

/* ---- expressions (expr.c, primary.c, call.c, literal.c, interval.c) ---- */
MUST_CHECK bool parse_expression(Parser *p, Expr **out);
MUST_CHECK bool parse_value(Parser *p, Expr **out);             /* no AND, OR, NOT, predicates */
MUST_CHECK bool parse_primary(Parser *p, Expr **out);
MUST_CHECK bool parse_named_expression(Parser *p, Expr **out);  /* e [AS] name | (names) */
MUST_CHECK bool parse_named_list(Parser *p, ExprVec *out);
MUST_CHECK bool parse_expression_list(Parser *p, ExprVec *out);
MUST_CHECK bool parse_sort_item(Parser *p, Expr **out);
MUST_CHECK bool parse_sort_list(Parser *p, ExprVec *out);
MUST_CHECK bool parse_call_arguments(Parser *p, ExprVec *out, bool *distinct);
MUST_CHECK bool parse_call(Parser *p, Name name, size_t from, Expr **out); /* at '(' */
MUST_CHECK bool parse_special_call(Parser *p, bool *was_special, Expr **out);
MUST_CHECK bool parse_window_spec(Parser *p, WindowSpec *out);
MUST_CHECK bool parse_window_clause(Parser *p, Rel *input, Rel **out);
MUST_CHECK bool parse_constant(Parser *p, Expr **out);          /* literals and parameters only */
bool is_number(TokenKind kind);
MUST_CHECK bool parse_number(Parser *p, Expr **out);            /* with an optional minus */
bool is_interval_literal(const Parser *p);
MUST_CHECK bool parse_interval(Parser *p, Expr **out);
bool interval_literal_of(Parser *p, Str text, size_t from, Value *out, bool *bad);
MUST_CHECK bool parse_typed_literal(Parser *p, Expr **out);
Expr *new_expr(Parser *p, ExprKind kind, size_t from);
Expr *operator_call(Parser *p, const char *name, size_t from, size_t argc, Expr *const *args);
Expr *negate(Parser *p, Expr *e, size_t from);
Expr *string_literal(Parser *p, Str text, size_t from);
/* The operands as a balanced tree of "and" or "or", as Spark builds it: 10,000
 * conditions stay shallow. */
Expr *balanced_tree(Parser *p, const char *name, const ExprVec *operands, size_t from);

/* ---- types (type.c) ---- */
MUST_CHECK bool parse_type(Parser *p, const Type **out);

/* ---- queries (query.c, select.c, group.c, from.c, pivot.c, pipe.c) ---- */
bool is_query_start(const Parser *p, size_t ahead);
MUST_CHECK bool parse_query(Parser *p, Rel **out);
/* What stands behind WITH; with may be NULL. */
MUST_CHECK bool parse_query_after(Parser *p, Rel *with, size_t from, Rel **out);
MUST_CHECK bool parse_ctes(Parser *p, Rel **with);   /* at WITH; *with has no input yet */
MUST_CHECK bool parse_query_primary(Parser *p, Rel **out);
/* from: NULL when FROM follows the list */
MUST_CHECK bool parse_select(Parser *p, Rel *from, Rel **out);
/* transform.c: at TRANSFORM(, MAP or REDUCE; the rel has no input yet. */
bool is_transform(const Parser *p);
bool is_map_reduce(const Parser *p);
MUST_CHECK bool parse_transform(Parser *p, size_t from, ExprVec *items, Rel **out);
MUST_CHECK bool parse_organization(Parser *p, Rel *input, bool in_pipe, Rel **out);
MUST_CHECK bool parse_set_quantifier(Parser *p, bool *all, bool *distinct);
bool is_pipe(const Parser *p); /* |>, or | in front of a pipe step */
MUST_CHECK bool parse_pipe(Parser *p, Rel *input, Rel **out);
MUST_CHECK bool parse_group_by(Parser *p, bool allow_alias, Rel *aggregate);
MUST_CHECK bool parse_from(Parser *p, Rel **out);
MUST_CHECK bool parse_lateral_views(Parser *p, Rel **rel);
MUST_CHECK bool parse_join(Parser *p, Rel *left, Rel **out);
bool is_join_start(const Parser *p);
MUST_CHECK bool parse_pivot(Parser *p, Rel *input, Rel **out);
MUST_CHECK bool parse_unpivot(Parser *p, Rel *input, Rel **out);
bool is_pivot_start(const Parser *p);
bool is_unpivot_start(const Parser *p);
bool is_sample_start(const Parser *p);
MUST_CHECK bool parse_sample(Parser *p, Rel *input, Rel **out);
MUST_CHECK bool parse_table_alias(Parser *p, Str *alias, StrVec *columns);
MUST_CHECK bool parse_inline_table(Parser *p, Rel **out);
MUST_CHECK bool parse_temporal(Parser *p, TimeTravel *out);
bool is_temporal_start(const Parser *p);
Rel *new_rel(Parser *p, RelKind kind, Rel *input, size_t from);
Rel *alias_relation(Parser *p, Rel *input, Str alias, const StrVec *columns, size_t from);
MUST_CHECK bool parse_from_statement(Parser *p, Rel **out);

/* ---- commands ---- */
MUST_CHECK bool parse_statement(Parser *p, Statement *out);
MUST_CHECK bool parse_create(Parser *p, Statement *out);
MUST_CHECK bool parse_drop(Parser *p, Statement *out);
MUST_CHECK bool parse_alter(Parser *p, Statement *out);
MUST_CHECK bool parse_show(Parser *p, Statement *out);
MUST_CHECK bool parse_describe(Parser *p, Statement *out);
MUST_CHECK bool parse_set(Parser *p, Statement *out);
/* a = 1, b = 2 or (a, b) = (SELECT ..), behind so many words. */
MUST_CHECK bool parse_set_assignments(Parser *p, size_t words, Statement *out);
MUST_CHECK bool parse_script(Parser *p, Statement *out);     /* at BEGIN */
bool refuse_cursor(Parser *p);
MUST_CHECK bool parse_reset(Parser *p, Statement *out);
MUST_CHECK bool parse_insert(Parser *p, Statement *out);
MUST_CHECK bool parse_update(Parser *p, Statement *out);
MUST_CHECK bool parse_delete(Parser *p, Statement *out);
MUST_CHECK bool parse_merge(Parser *p, Statement *out);
MUST_CHECK bool parse_maintenance(Parser *p, bool *was, Statement *out);
MUST_CHECK bool parse_table_spec(Parser *p, TableSpec *spec, bool *has_columns);
MUST_CHECK bool parse_table_clauses(Parser *p, TableSpec *spec);
MUST_CHECK bool parse_constraint(Parser *p, Str name, TableConstraint *out);
bool is_constraint_start(const Parser *p);
MUST_CHECK bool parse_column_definition(Parser *p, bool in_alter, ColumnDef *out);
MUST_CHECK bool parse_column_comment_list(Parser *p, ColumnDefVec *out);
MUST_CHECK bool parse_partition_spec(Parser *p, AssignmentVec *out);
MUST_CHECK bool parse_assignments(Parser *p, AssignmentVec *out);
/* At WITH SCHEMA: how a view follows its tables' changes. */
MUST_CHECK bool parse_schema_binding(Parser *p, Str *mode);
MUST_CHECK bool parse_cluster_by(Parser *p, TableSpec *spec);
/* A temporary view or function with a schema. */
bool refuse_qualified_temporary(Parser *p, const char *what, const Name *name);
bool is_namespace_word(TokenKind kind);
bool accept_namespace(Parser *p);
