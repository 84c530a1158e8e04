/* Between the decoding files: one walk over one message. */
#pragma once

#include "connect/decode.h"

enum { DECODE_MAX_DEPTH = WIRE_MAX_DEPTH / 2 };

typedef struct Reference {
    const PB(Relation) *relation;
    Rel *decoded;        /* NULL until somebody asked for it */
} Reference;

typedef struct Decoder {
    Arena *arena;
    Error *err;
    unsigned depth;      /* relations and expressions around this one */
    Command *command;    /* a relation that is a command: allowed at the root only */
    VEC(Reference) references; /* WithRelations: what subquery expressions point at by plan id */
} Decoder;

#define DECODE(call)      \
    do {                  \
        if (!(call))      \
            return false; \
    } while (0)

bool decode_missing(Decoder *d, const char *message, const char *field);
bool decode_bad_enum(Decoder *d, const char *message, const char *field, int value);
bool decode_enter(Decoder *d);
void decode_leave(Decoder *d);

bool decode_rel(Decoder *d, const PB(Relation) *relation, Rel **out);
bool decode_expr(Decoder *d, const PB(Expression) *expression, Expr **out);
bool decode_exprs(Decoder *d, size_t count, PB(Expression) *const *expressions, ExprVec *out);
/* NULL in, NULL out. */
bool decode_optional_expr(Decoder *d, const PB(Expression) *expression, Expr **out);
bool decode_sort_order(Decoder *d, const PB(Expression__SortOrder) *order, Expr **out);
bool decode_literal_expr(Decoder *d, const PB(Expression__Literal) *literal, Expr **out);
bool decode_alias(Decoder *d, const PB(Expression__Alias) *alias, Expr **out);
bool decode_python(Decoder *d, const PB(CommonInlineUserDefinedFunction) *f, PythonFunction **out, ExprVec *args);
bool decode_python_table(Decoder *d, const PB(CommonInlineUserDefinedTableFunction) *f, PythonFunction **out, ExprVec *args);
bool decode_subquery(Decoder *d, const PB(SubqueryExpression) *s, Expr **out);
bool decode_sql(Decoder *d, const PB(SQL) *sql, Rel **out);
bool decode_join_kind(Decoder *d, int type, JoinKind *out);

bool decode_stat(Decoder *d, const PB(Relation) *relation, Rel **out);
bool decode_catalog(Decoder *d, const PB(Catalog) *catalog, Rel **out);
bool decode_delta_relation(Decoder *d, Str bytes, Rel **out);
bool decode_delta_command(Decoder *d, Str bytes, Decoded *out);

StrVec decode_strs(Decoder *d, size_t count, char *const *texts);
bool decode_name(Decoder *d, const char *text, Name *out);
Expr *decode_int_literal(Decoder *d, int32_t value);

/* The map<string, string> entries of any message: all have the same two fields. */
typedef struct MapEntryMessage {
    ProtobufCMessage base;
    char *key, *value;
} MapEntryMessage;
#define DECODE_OPTIONS(d, message, field) decode_options((d), (message)->n_##field, (void *const *)(message)->field)
KeyValueVec decode_options(Decoder *d, size_t count, void *const *entries);
