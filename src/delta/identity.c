/* Identity columns: reading and writing what a field's metadata says of them. */
#include "delta/identity.h"

#include "delta/schema.h"

#define KEY(name) "delta.identity." name

static bool number_of(const Field *f, const char *key, int64_t *out)
{
    AUTO_ARENA(scratch) = arena_new();
    return str_to_i64(field_metadata_get(f, key, scratch), out);
}

bool delta_identity(const Field *f, DeltaIdentity *out)
{
    AUTO_ARENA(scratch) = arena_new();
    *out = (DeltaIdentity){0};
    if (!delta_is_identity(f) || !number_of(f, KEY("start"), &out->start) ||
        !number_of(f, KEY("step"), &out->step) || !out->step)
        return false;
    out->has_high = number_of(f, KEY("highWaterMark"), &out->high);
    out->explicit_too = str_is(field_metadata_get(f, KEY("allowExplicitInsert"), scratch), "true");
    return true;
}

bool identity_after(const DeltaIdentity *d, int64_t places, int64_t *out)
{
    int64_t way;
    int64_t from = d->has_high ? d->high : d->start;
    return !__builtin_mul_overflow(d->has_high ? places : places - 1, d->step, &way) &&
           !__builtin_add_overflow(from, way, out);
}

bool identity_not_before(const DeltaIdentity *d, int64_t value, int64_t *out)
{
    int64_t way, rest;
    if (__builtin_sub_overflow(value, d->start, &way))
        return false;
    rest = d->step == -1 ? 0 : way % d->step;
    *out = value;
    if (!rest)
        return true;
    /* C's remainder has the sign of the way: beyond the start it must be filled up, before it cut. */
    bool beyond = (way > 0) == (d->step > 0);
    return !__builtin_sub_overflow(value, rest, out) &&
           (!beyond || !__builtin_add_overflow(*out, d->step, out));
}

Str identity_metadata(Str metadata, const DeltaIdentity *d, Arena *arena)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{KEY("start"), d->start}, {KEY("step"), d->step}, {KEY("highWaterMark"), d->high}};
    for (size_t i = 0; i < LENGTH_OF(numbers); i++)
        if (i < 2 || d->has_high)
            metadata =
                field_metadata_with(metadata, numbers[i].key,
                                    str_printf(arena, "%lld", (long long)numbers[i].value), arena);
    return field_metadata_with(metadata, KEY("allowExplicitInsert"),
                               d->explicit_too ? S("true") : S("false"), arena);
}

Str field_metadata_without_identity(Str metadata, Arena *arena)
{
    static const char *const KEYS[] = {KEY("start"), KEY("step"), KEY("highWaterMark"),
                                       KEY("allowExplicitInsert")};
    if (str_find(metadata, S("\"delta.identity.")) < 0)
        return metadata;
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++)
        metadata = field_metadata_with(metadata, KEYS[i], (Str){0}, arena);
    return metadata;
}
