/* Client messages become plan.h: every relation, expression and command of Spark Connect, or a refusal by name. */
#pragma once

#include "connect/wire.h"
#include "plan/plan.h"

/* What a client asked for. A command with a query behind it: the command runs, the query is the answer. */
typedef struct Decoded {
    Rel *query;
    Command *command;
} Decoded;

MUST_CHECK bool decode_relation(const PB(Relation) *relation, Arena *arena, Decoded *out, Error *err);
/* Everything but sql_command, ml_command, get_resources_command and those of streaming, which the service answers itself. */
MUST_CHECK bool decode_command(const PB(Command) *command, Arena *arena, Decoded *out, Error *err);
/* The SQL relation inside a sql_command: its input, or one made of the fields that clients before 3.5 filled. */
MUST_CHECK bool decode_sql_command(const PB(SqlCommand) *command, Arena *arena, Rel **out, Error *err);

MUST_CHECK bool decode_type(const PB(DataType) *type, Arena *arena, const Type **out, Error *err);
MUST_CHECK bool decode_literal(const PB(Expression__Literal) *literal, Arena *arena, Value *out, Error *err);
/* A schema as clients write it: DDL, or JSON. */
MUST_CHECK bool decode_schema_text(Str text, Arena *arena, const Type **out, Error *err);

/* And back, for answers. */
MUST_CHECK bool encode_type(const Type *type, Arena *arena, PB(DataType) **out, Error *err);
MUST_CHECK bool encode_literal(const Value *value, Arena *arena, PB(Expression__Literal) **out, Error *err);
