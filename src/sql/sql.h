/* Spark SQL text to unresolved plans. */
#pragma once

#include "plan/plan.h"

typedef struct SqlOptions {
    bool ansi;                      /* spark.sql.ansi.enabled */
    bool enforce_reserved;          /* spark.sql.ansi.enforceReservedKeywords */
    bool double_quoted_identifiers; /* spark.sql.ansi.doubleQuotedIdentifiers */
    bool escaped_string_literals;   /* spark.sql.parser.escapedStringLiterals */
    bool no_scripts;                /* spark.sql.scripting.enabled is false */
    bool continue_handlers;         /* spark.sql.scripting.continueHandlerEnabled */
    bool legacy_identifier_clause;  /* spark.sql.legacy.identifierClause: not where only one part can stand */
    bool no_single_pipe;            /* spark.sql.parser.singleCharacterPipeOperator.enabled is false */
    bool no_pipes;                  /* spark.sql.operatorPipeSyntaxEnabled is false */
    bool having_as_where;           /* spark.sql.legacy.parser.havingWithoutGroupByAsWhere */
    bool bang_is_not;               /* spark.sql.legacy.bangEqualsNot */
    bool joins_before_commas;       /* spark.sql.ansi.relationPrecedence */
    bool timestamp_ntz;             /* spark.sql.timestampType is TIMESTAMP_NTZ */
    Str zone; /* session time zone: TIMESTAMP '..' without a zone is read in it; empty: UTC */
} SqlOptions;

enum { SQL_MAX_DEPTH = 1000, SQL_MAX_CHAIN = 12000, SQL_MAX_BYTES = 64 << 20 };

/* One statement, with or without a trailing semicolon. Errors: PARSE_SYNTAX_ERROR and the other
 * classes of Spark's parser, with line and position in the error context. */
MUST_CHECK bool sql_parse(Str text, const SqlOptions *options, Arena *arena, Statement *out,
                          Error *err);
/* One expression: F.expr, DataFrame.filter("..."), constraints, generated columns. May carry AS
 * aliases. */
MUST_CHECK bool sql_parse_expr(Str text, const SqlOptions *options, Arena *arena, Expr **out,
                               Error *err);
/* "a.b.`c d`" */
MUST_CHECK bool sql_parse_name(Str text, const SqlOptions *options, Arena *arena, Name *out,
                               Error *err);
/* One data type: "array<int>". */
MUST_CHECK bool sql_parse_type(Str text, const SqlOptions *options, Arena *arena, const Type **out,
                               Error *err);
/* The text between two origins of the statement that was parsed. */
Str sql_fragment(Str text, Origin origin);
