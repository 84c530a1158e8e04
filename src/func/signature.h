/* The type rules of function rows: parsed once, matched against arguments, casts inserted, results
 * decided. */
#pragma once

#include "func/func.h"

/* Applies a rule text (README.md "Signatures") to the call: arguments are cast, result and
 * nullability set. */
MUST_CHECK bool func_apply_signature(FuncCall *call, const char *signature, const FuncContext *ctx,
                                     Error *err);

/* The expression as `to`, through an implicit cast where the types differ. */
BoundExpr *func_coerce(BoundExpr *e, const Type *to, const FuncContext *ctx);
/* Brings arguments from..to (exclusive) to their common type; DATATYPE_MISMATCH.DATA_DIFF_TYPES
 * otherwise. */
MUST_CHECK bool func_coerce_all(FuncCall *call, size_t from, size_t to, const FuncContext *ctx,
                                const Type **common, Error *err);

/* Errors that bind hooks raise as Spark words them. */
bool func_wrong_arg_count(const FuncCall *call, const char *expected, const FuncContext *ctx,
                          Error *err);
bool func_unexpected_type(const FuncCall *call, size_t index, const char *required,
                          const FuncContext *ctx, Error *err);
bool func_diff_types(const FuncCall *call, const FuncContext *ctx, Error *err);
bool func_invalid_ordering(const FuncCall *call, Str function, const Type *t, const FuncContext *ctx, Error *err);
bool func_binary_diff(const FuncCall *call, const FuncContext *ctx, Error *err);
bool func_binary_wrong(const FuncCall *call, const char *required, const FuncContext *ctx,
                       Error *err);
bool func_non_foldable(const FuncCall *call, size_t index, const char *name, const FuncContext *ctx,
                       Error *err);

/* The call as messages print it, between double quotes. */
Str func_call_text(const FuncCall *call, const FuncContext *ctx);
Str func_quoted_sql(const BoundExpr *e, const FuncContext *ctx);
Str func_quoted_type(const Type *t, const FuncContext *ctx);
Str func_name_text(const FuncCall *call, const FuncContext *ctx); /* `name` */

/* The literal below implicit casts; NULL when the argument is no literal, or one that the cast makes
 * a text or a truth value of. */
const Value *func_constant(const BoundExpr *e);

/* A map from the texts of two arrays; what becomes of equal keys spark.sql.mapKeyDedupPolicy says. */
void func_put_map(Buf *out, Str keys, Str values, const FuncContext *ctx);
/* The same from the text of an array of pairs: structs with key and value first. */
void func_put_map_of_pairs(Buf *out, Str pairs, const FuncContext *ctx);
/* An integer literal, possibly behind a minus sign. */
bool func_constant_int(const BoundExpr *e, int64_t *out);
/* A number literal behind casts and a minus sign. */
bool func_is_numeric_constant(const BoundExpr *e);
bool func_any_nullable(const FuncCall *call);
