/* A SQL script: BEGIN .. END as a tree of statements. What runs in a script is the same Statement as outside it. */
#pragma once

#include "plan/plan.h"

typedef enum ScriptKind {
    SCRIPT_BLOCK,     /* BEGIN .. END: a scope of its own, with handlers */
    SCRIPT_SQL,       /* a query or a command */
    SCRIPT_IF,        /* branches with conditions; otherwise: ELSE */
    SCRIPT_CASE,      /* the same; with an operand each condition already compares with it */
    SCRIPT_WHILE, SCRIPT_REPEAT, SCRIPT_LOOP,
    SCRIPT_FOR,       /* body once for each row of query */
    SCRIPT_LEAVE, SCRIPT_ITERATE
} ScriptKind;

typedef struct ScriptStatement ScriptStatement;
typedef VEC(ScriptStatement *) ScriptBody;

typedef struct ScriptBranch {
    Expr *condition;
    ScriptBody body;
} ScriptBranch;

typedef struct ScriptHandler {
    bool resumes;            /* CONTINUE: behind the statement that failed; otherwise the block ends */
    bool any, not_found;     /* SQLEXCEPTION, NOT FOUND */
    StrVec conditions;       /* names of error classes or declared conditions, upper case */
    StrVec states;           /* SQLSTATEs */
    ScriptStatement *body;
} ScriptHandler;

struct ScriptStatement {
    ScriptKind kind;
    Origin origin;
    Str label;               /* as written, empty: none; what LEAVE and ITERATE name */
    ScriptBody body;         /* of blocks and loops; ELSE of IF and CASE */
    VEC(ScriptHandler) handlers;
    Statement statement;
    VEC(ScriptBranch) branches;
    Expr *condition;         /* WHILE, REPEAT */
    Rel *query;              /* FOR */
    Str variable;            /* FOR r AS: qualifies the row's columns, may be empty */
};
