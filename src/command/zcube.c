/* ZCubes: the files that one run of clustering laid out together. A cube that is large enough is left alone from then on. */
#include "base/clock.h"
#include "command/optimize_impl.h"

#define CUBE_ID "ZCUBE_ID"
#define CUBE_COLUMNS "ZCUBE_ZORDER_BY"
#define PROVIDER "liquid"
#define MIN_CUBE_BYTES (INT64_C(100) << 30)

static Str tag(const AddFile *f, const char *key)
{
    for (size_t i = 0; i < f->tags.len; i++)
        if (str_is(f->tags.at[i].key, key))
            return f->tags.at[i].value;
    return S("");
}

typedef enum CubeKind { CUBE_NONE, CUBE_CURRENT, CUBE_OF_OTHER_COLUMNS } CubeKind;

static CubeKind cube_kind(const AddFile *f, Str columns)
{
    if (!str_is(f->clustering_provider, PROVIDER) || !tag(f, CUBE_ID).len)
        return CUBE_NONE;
    return str_eq(tag(f, CUBE_COLUMNS), columns) ? CUBE_CURRENT : CUBE_OF_OTHER_COLUMNS;
}

typedef struct Cube {
    int64_t bytes;
    bool current;
} Cube;

/* Of another clustering only FULL takes files; of the current one those of small cubes, where there is something to merge them with. */
void zcube_choose(CommandContext *ctx, const FileList *files, Packed *p, FileList *out)
{
    Str columns = clustering_json(ctx, &p->clustered_by);
    Map cubes = map_in(ctx->arena);
    int64_t least = optimize_setting(ctx, "spark.databricks.delta.optimize.clustering.mergeStrategy.minCubeSize.threshold", MIN_CUBE_BYTES), fresh = 0, small = 0;
    for (size_t i = 0; i < files->len; i++) {
        const AddFile *f = files->at[i];
        CubeKind kind = cube_kind(f, columns);
        bool counts = kind == CUBE_CURRENT || (p->full && kind == CUBE_OF_OTHER_COLUMNS);
        sizes_note(counts ? &p->cubes.in_cubes : &p->cubes.others, f->size);
        if (!counts) {
            fresh += kind == CUBE_NONE;
            continue;
        }
        Cube *cube = map_get(&cubes, tag(f, CUBE_ID));
        if (!cube) {
            cube = ARENA_NEW(ctx->arena, Cube);
            cube->current = kind == CUBE_CURRENT;
            map_put(&cubes, tag(f, CUBE_ID), cube);
            p->cubes.cubes++;
            fresh += !cube->current;
            small += cube->current;
        }
        small -= cube->current && cube->bytes < least && cube->bytes + f->size >= least;
        cube->bytes += f->size;
    }
    bool idle = !fresh && small <= 1;
    for (size_t i = 0; i < files->len && !idle; i++) {
        const AddFile *f = files->at[i];
        CubeKind kind = cube_kind(f, columns);
        const Cube *cube = kind == CUBE_CURRENT ? map_get(&cubes, tag(f, CUBE_ID)) : NULL;
        if (cube ? cube->bytes < least : kind == CUBE_NONE || p->full)
            vec_push(ctx->arena, out, f);
    }
}

void zcube_mark(CommandContext *ctx, const Packed *p, AddFile *files, size_t count)
{
    Property id = {.key = S(CUBE_ID), .value = clock_uuid_in(ctx->arena)};
    Property columns = {.key = S(CUBE_COLUMNS), .value = clustering_json(ctx, &p->clustered_by)};
    for (size_t i = 0; i < count; i++) {
        vec_push(ctx->arena, &files[i].tags, id);
        vec_push(ctx->arena, &files[i].tags, columns);
        files[i].clustering_provider = S(PROVIDER);
    }
}
