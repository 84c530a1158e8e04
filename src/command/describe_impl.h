/* What the files behind DESCRIBE and SHOW TABLE EXTENDED share. */
#pragma once

#include "command/command_impl.h"

/* Columns of strings; the last may be nullable. */
void describe_fields(CommandContext *ctx, ResultTable *t, size_t count, const char *const *names, bool last_nullable);
/* col_name, data_type, comment. */
void describe_columns(CommandContext *ctx, ResultTable *t);
void describe_row(CommandContext *ctx, ResultTable *t, Str a, Str b, Str c);
void describe_push_column(CommandContext *ctx, ResultTable *t, const Field *f);
/* The instant in UTC by a format of strftime(3); describe_date: as java.util.Date prints it. */
Str describe_time(CommandContext *ctx, int64_t ms, const char *format);
Str describe_date(CommandContext *ctx, int64_t ms);

/* describe_table.c */
bool describe_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
/* What Spark lists of a table of files or a view, in its order; whole: also the partition columns. */
void table_facts(CommandContext *ctx, const ObjectInfo *o, const Name *name, bool whole, PropertyVec *out);
/* The facts of a partition: values, location, options, times, statistics. */
void partition_facts(CommandContext *ctx, const ObjectInfo *o, const PartitionEntry *p, PropertyVec *out);
/* The options that the files of a table are read with. */
void table_options(CommandContext *ctx, const TableEntry *e, PropertyVec *out);

/* describe_json.c: DESCRIBE .. AS JSON; partition may be NULL. */
Str describe_json(CommandContext *ctx, const ObjectInfo *o, const Name *name, const PartitionEntry *partition);
