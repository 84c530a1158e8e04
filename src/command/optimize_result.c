/* The one row that OPTIMIZE answers with: Delta's OptimizeMetrics. */
#include <unistd.h>

#include "command/optimize_impl.h"

#define SIZES "struct<min:bigint, max:bigint, avg:double not null, totalFiles:bigint not null, totalSize:bigint not null>"
#define FILES(count) "struct<" count ":bigint not null, size:bigint not null>"

static const char METRICS[] =
    "struct<numFilesAdded:bigint not null, numFilesRemoved:bigint not null, filesAdded:" SIZES ", filesRemoved:" SIZES ", "
    "partitionsOptimized:bigint not null, "
    "zOrderStats:struct<strategyName:string, inputCubeFiles:" FILES("num") ", inputOtherFiles:" FILES("num") ", "
    "inputNumCubes:bigint not null, mergedFiles:" FILES("num") ", numOutputCubes:bigint not null, mergedNumCubes:bigint>, "
    "clusteringStats:struct<inputZCubeFiles:" FILES("numFiles") ", inputOtherFiles:" FILES("numFiles") ", "
    "inputNumZCubes:bigint not null, mergedFiles:" FILES("numFiles") ", numOutputZCubes:bigint not null>, "
    "numBins:bigint not null, numBatches:bigint not null, totalConsideredFiles:bigint not null, totalFilesSkipped:bigint not null, "
    "preserveInsertionOrder:boolean not null, numFilesSkippedToReduceWriteAmplification:bigint not null, "
    "numBytesSkippedToReduceWriteAmplification:bigint not null, startTimeMs:bigint not null, endTimeMs:bigint not null, "
    "totalClusterParallelism:bigint not null, totalScheduledTasks:bigint not null, "
    "autoCompactParallelismStats:struct<maxClusterActiveParallelism:bigint, minClusterActiveParallelism:bigint, "
    "maxSessionActiveParallelism:bigint, minSessionActiveParallelism:bigint>, "
    "deletionVectorStats:struct<numDeletionVectorsRemoved:bigint not null, numDeletionVectorRowsRemoved:bigint not null>, "
    "numTableColumns:bigint not null, numTableColumnsWithStats:bigint not null>";

void sizes_note(FileSizes *s, int64_t bytes)
{
    s->smallest = s->files && s->smallest < bytes ? s->smallest : bytes;
    s->largest = s->files && s->largest > bytes ? s->largest : bytes;
    s->bytes += bytes;
    s->files++;
}

/* A struct of cells in the order of its fields. */
static Value struct_of(CommandContext *ctx, const Type *type, size_t count, const Value *cells)
{
    Value v = {.type = type};
    v.list.items = ARENA_ARRAY(ctx->arena, Value, count);
    v.list.count = count;
    for (size_t i = 0; i < count; i++)
        v.list.items[i] = cells[i];
    return v;
}

static Value long_value(int64_t n)
{
    return value_int(TYPE_LONG, n);
}

static const Type *field_type(const Type *t, const char *name)
{
    return t->structure.fields[type_field_index(t, str_from(name), true)].type;
}

static Value sizes_value(CommandContext *ctx, const Type *type, const FileSizes *s)
{
    Value none = value_null(type_simple(TYPE_LONG));
    Value cells[] = {s->files ? long_value(s->smallest) : none, s->files ? long_value(s->largest) : none,
                     value_double(s->files ? (double)s->bytes / (double)s->files : 0), long_value(s->files), long_value(s->bytes)};
    return struct_of(ctx, type, LENGTH_OF(cells), cells);
}

static Value files_value(CommandContext *ctx, const Type *within, const char *name, int64_t files, int64_t bytes)
{
    return struct_of(ctx, field_type(within, name), 2, (Value[]){long_value(files), long_value(bytes)});
}

static Value z_order_value(CommandContext *ctx, const Type *type, const Packed *p)
{
    if (!p->sorted_by.len)
        return value_null(type);
    Value cells[] = {value_string(S("all")), files_value(ctx, type, "inputCubeFiles", 0, 0),
                     files_value(ctx, type, "inputOtherFiles", p->removed.files, p->removed.bytes), long_value(0),
                     files_value(ctx, type, "mergedFiles", p->removed.files, p->removed.bytes), long_value(p->bins),
                     value_null(type_simple(TYPE_LONG))};
    return struct_of(ctx, type, LENGTH_OF(cells), cells);
}

static Value clustering_value(CommandContext *ctx, const Type *type, const Packed *p)
{
    if (!p->clustered_by.len)
        return value_null(type);
    const CubeCounts *c = &p->cubes;
    Value cells[] = {files_value(ctx, type, "inputZCubeFiles", c->in_cubes.files, c->in_cubes.bytes),
                     files_value(ctx, type, "inputOtherFiles", c->others.files, c->others.bytes), long_value(c->cubes),
                     files_value(ctx, type, "mergedFiles", p->removed.files, p->removed.bytes), long_value(p->bins)};
    return struct_of(ctx, type, LENGTH_OF(cells), cells);
}

static Value vectors_value(CommandContext *ctx, const Type *type, const Packed *p)
{
    if (!p->vectors_removed)
        return value_null(type);
    return struct_of(ctx, type, 2, (Value[]){long_value(p->vectors_removed), long_value(p->vector_rows_removed)});
}

static int64_t columns_with_stats(const Metadata *m)
{
    int64_t columns = (int64_t)m->schema->structure.count, indexed = property_number(m, "delta.dataSkippingNumIndexedCols", 32);
    return indexed < 0 || indexed > columns ? columns : indexed;
}

BoundRel *optimize_result(CommandContext *ctx, const Target *t, const Packed *p)
{
    const Type *type;
    Error never = error_in(ctx->arena);
    if (!type_from_ddl(str_from(METRICS), ctx->arena, &type, &never))
        abort();
    const Metadata *m = snapshot_metadata(t->snapshot);
    const Type *sizes = field_type(type, "filesAdded");
    Value cells[] = {
        long_value(p->added.files), long_value(p->removed.files), sizes_value(ctx, sizes, &p->added), sizes_value(ctx, sizes, &p->removed),
        long_value(p->partitions), z_order_value(ctx, field_type(type, "zOrderStats"), p),
        clustering_value(ctx, field_type(type, "clusteringStats"), p), long_value(p->bins), long_value(1), long_value(p->considered),
        long_value(p->considered - p->removed.files), value_bool(false), long_value(0), long_value(0), long_value(p->started_ms), long_value(0),
        long_value(sysconf(_SC_NPROCESSORS_ONLN)), long_value(0), value_null(field_type(type, "autoCompactParallelismStats")),
        vectors_value(ctx, field_type(type, "deletionVectorStats"), p), long_value((int64_t)m->schema->structure.count),
        long_value(columns_with_stats(m))};
    ResultTable r = {0};
    result_field(ctx, &r, "path", type_simple(TYPE_STRING), true);
    result_field(ctx, &r, "metrics", type, true);
    Value *row = result_row(ctx, &r);
    Str place = delta_table_location(t->table);
    result_set_text(&row[0], str_concat(ctx->arena, str_starts_with(place, S("/")) ? S("file:") : S(""), place));
    row[1] = struct_of(ctx, type, LENGTH_OF(cells), cells);
    return result_rel(ctx, &r);
}
