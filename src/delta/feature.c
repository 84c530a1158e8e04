/* Which features a protocol has, what a table's metadata asks for, and whether we can keep the
 * rules. */
#include "delta/feature.h"

#include <stdlib.h>
#include <string.h>

#include "delta/schema.h"

enum { READER_MAX = 3, WRITER_MAX = 7 };
#define OWN_NAME "lakeshed"

/* ---- what metadata asks for ---- */

static bool any_field(const Type *t, bool (*match)(const Field *f))
{
    if (!t)
        return false;
    switch (t->kind) {
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            if (match(&t->structure.fields[i]) || any_field(t->structure.fields[i].type, match))
                return true;
        return false;
    case TYPE_ARRAY: return any_field(t->array.element, match);
    case TYPE_MAP: return any_field(t->map.key, match) || any_field(t->map.value, match);
    default: return false;
    }
}

static bool is_generated(const Field *f)
{
    return str_find(f->metadata, S("\"delta.generationExpression\"")) >= 0;
}

static bool is_defaulted(const Field *f)
{
    return str_find(f->metadata, S("\"CURRENT_DEFAULT\"")) >= 0;
}

static bool has_generated(const Metadata *m)
{
    return any_field(m->schema, is_generated);
}

static bool has_defaults(const Metadata *m)
{
    return any_field(m->schema, is_defaulted);
}

static bool has_identity(const Metadata *m)
{
    return any_field(m->schema, delta_is_identity);
}

static bool has_timestamp_ntz(const Metadata *m)
{
    return m->schema && type_contains(m->schema, TYPE_TIMESTAMP_NTZ);
}

static bool has_variant(const Metadata *m)
{
    return m->schema && type_contains(m->schema, TYPE_VARIANT);
}

static bool has_shapes(const Metadata *m)
{
    return m->schema && type_has_geo(m->schema);
}

static bool has_constraints(const Metadata *m)
{
    for (size_t i = 0; i < m->configuration.len; i++)
        if (str_istarts_with(m->configuration.at[i].key, S("delta.constraints.")))
            return true;
    return false;
}

static bool is_mapped(const Metadata *m)
{
    return metadata_column_mapping(m) != MAPPING_NONE;
}

static bool wants_v2_checkpoint(const Metadata *m)
{
    return str_is_ci(metadata_property(m, "delta.checkpointPolicy"), "v2");
}

#define WANTS(name, key)                                                                           \
    static bool name(const Metadata *m)                                                            \
    {                                                                                              \
        return metadata_property_bool(m, key, false);                                              \
    }
WANTS(wants_change_feed, "delta.enableChangeDataFeed")
WANTS(wants_vectors, "delta.enableDeletionVectors")
WANTS(wants_row_tracking, "delta.enableRowTracking")
WANTS(wants_shredding, "delta.enableVariantShredding")
WANTS(wants_type_widening, "delta.enableTypeWidening")
WANTS(wants_commit_timestamps, "delta.enableInCommitTimestamps")
WANTS(wants_partition_columns, "delta.enableMaterializePartitionColumnsFeature")
WANTS(wants_iceberg_v1, "delta.enableIcebergCompatV1")
WANTS(wants_iceberg_v2, "delta.enableIcebergCompatV2")
WANTS(wants_iceberg_v3, "delta.enableIcebergCompatV3")

/* ---- rows ---- */

static const DeltaFeature rows[] = {
#define FEATURE(...) {__VA_ARGS__},
#include "delta/feature.def"
#undef FEATURE
};

size_t delta_feature_count(void)
{
    return LENGTH_OF(rows);
}

const DeltaFeature *delta_feature_at(size_t i)
{
    return &rows[i];
}

const DeltaFeature *delta_feature_find(Str name)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (str_is(name, rows[i].name))
            return &rows[i];
    return NULL;
}

static bool has_name(const DeltaStrVec *v, const char *name)
{
    for (size_t i = 0; i < v->len; i++)
        if (str_is(v->at[i], name))
            return true;
    return false;
}

/* PROTOCOL.md "Table Features": by versions below those that name features. */
static bool is_implied(const Protocol *p, const DeltaFeature *f)
{
    bool written =
        f->implied_writer && p->min_writer < WRITER_MAX && p->min_writer >= f->implied_writer;
    return written && (f->kind == FEATURE_WRITER || (p->min_reader < READER_MAX && p->min_reader >= f->implied_reader));
}

bool protocol_has_feature(const Protocol *p, const char *name)
{
    const DeltaFeature *f = delta_feature_find(str_from(name));
    return has_name(&p->writer_features, name) || has_name(&p->reader_features, name) ||
           (f && is_implied(p, f));
}

void protocol_features(const Protocol *p, Arena *arena, DeltaStrVec *out)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (protocol_has_feature(p, rows[i].name))
            vec_push(arena, out, str_from(rows[i].name));
    for (size_t i = 0; i < p->writer_features.len; i++)
        if (!delta_feature_find(p->writer_features.at[i]))
            vec_push(arena, out, p->writer_features.at[i]);
}

/* ---- changing a protocol ---- */

/* Whether versions below table features imply exactly these features. */
static bool implies_exactly(int reader, int writer, const DeltaStrVec *features)
{
    Protocol p = {.min_reader = reader, .min_writer = writer};
    size_t implied = 0;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        if (!is_implied(&p, &rows[i]))
            continue;
        implied++;
        if (!has_name(features, rows[i].name))
            return false;
    }
    return implied == features->len;
}

/* The lowest versions that say the same, as Spark normalises: legacy versions when they imply
 * exactly this set. */
static void set_features(Protocol *p, const DeltaStrVec *features, Arena *arena)
{
    static const int versions[][2] = {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {2, 5}, {2, 6}};
    *p = (Protocol){0};
    for (size_t i = 0; i < LENGTH_OF(versions); i++) {
        if (implies_exactly(versions[i][0], versions[i][1], features)) {
            p->min_reader = versions[i][0];
            p->min_writer = versions[i][1];
            return;
        }
    }
    p->min_reader = 1;
    p->min_writer = WRITER_MAX;
    p->has_writer_features = true;
    for (size_t i = 0; i < features->len; i++) {
        const DeltaFeature *f = delta_feature_find(features->at[i]);
        if (!f || f->kind != FEATURE_READER_WRITER)
            continue;
        int reader = f->implied_reader ? f->implied_reader : READER_MAX;
        p->min_reader = reader > p->min_reader ? reader : p->min_reader;
    }
    p->has_reader_features = p->min_reader == READER_MAX;
    for (size_t i = 0; i < features->len; i++) {
        const DeltaFeature *f = delta_feature_find(features->at[i]);
        vec_push(arena, &p->writer_features, features->at[i]);
        if (p->has_reader_features && f && f->kind == FEATURE_READER_WRITER)
            vec_push(arena, &p->reader_features, features->at[i]);
    }
}

static bool add_required(DeltaStrVec *features, const DeltaFeature *f, Arena *arena, Error *err);

static bool add_name(DeltaStrVec *features, Str name, Arena *arena, Error *err)
{
    const DeltaFeature *f = delta_feature_find(name);
    if (!f)
        return error_set(
            err, ERR_DELTA_UNSUPPORTED_FEATURES_IN_CONFIG,
            P("configs", str_printf(err->arena, "delta.feature." STR_FMT, STR_ARG(name))));
    if (has_name(features, f->name))
        return true;
    vec_push(arena, features, str_from(f->name));
    return add_required(features, f, arena, err);
}

static bool add_required(DeltaStrVec *features, const DeltaFeature *f, Arena *arena, Error *err)
{
    Str rest = str_from(f->requires_too);
    while (rest.len) {
        ptrdiff_t space = str_find_char(rest, ' ');
        size_t end = space < 0 ? rest.len : (size_t)space;
        TRY(add_name(features, str_slice(rest, 0, end), arena, err));
        rest = str_slice(rest, end + 1, rest.len);
    }
    return true;
}

bool protocol_add_feature(Protocol *p, const char *name, Arena *arena, Error *err)
{
    DeltaStrVec features = {0};
    if (protocol_has_feature(p, name))
        return true;
    protocol_features(p, arena, &features);
    TRY(add_name(&features, str_from(name), arena, err));
    set_features(p, &features, arena);
    return true;
}

void protocol_add_versions(Protocol *p, int reader, int writer, Arena *arena)
{
    Protocol implied = {.min_reader = reader, .min_writer = writer};
    DeltaStrVec features = {0};
    protocol_features(p, arena, &features);
    for (size_t i = 0; reader < READER_MAX && i < LENGTH_OF(rows); i++)
        if (is_implied(&implied, &rows[i]) && !has_name(&features, rows[i].name))
            vec_push(arena, &features, str_from(rows[i].name));
    set_features(p, &features, arena);
}

void protocol_remove_feature(Protocol *p, const char *name, Arena *arena)
{
    DeltaStrVec all = {0}, kept = {0};
    protocol_features(p, arena, &all);
    for (size_t i = 0; i < all.len; i++)
        if (!str_is(all.at[i], name))
            vec_push(arena, &kept, all.at[i]);
    set_features(p, &kept, arena);
}

static bool requires_feature(const DeltaFeature *f, Str name)
{
    Str rest = str_from(f->requires_too);
    while (rest.len) {
        ptrdiff_t space = str_find_char(rest, ' ');
        size_t end = space < 0 ? rest.len : (size_t)space;
        if (str_eq(str_slice(rest, 0, end), name))
            return true;
        rest = str_slice(rest, end + 1, rest.len);
    }
    return false;
}

Str protocol_dependents(const Protocol *p, const char *name, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (requires_feature(&rows[i], str_from(name)) && protocol_has_feature(p, rows[i].name))
            buf_addf(&b, "%s%s", b.len ? ", " : "", rows[i].name);
    return b.len ? buf_str(&b) : S("");
}

/* A table that has a feature under the name of its preview does with it. */
static bool has_preview(const Protocol *p, const DeltaFeature *f, Arena *arena)
{
    return protocol_has_feature(p, str_z(str_printf(arena, "%s-preview", f->name), arena));
}

bool protocol_upgrade_for(Protocol *p, const Metadata *m, Arena *arena, bool *changed, Error *err)
{
    Protocol before = *p;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (rows[i].asked_for && rows[i].asked_for(m) && !has_preview(p, &rows[i], arena))
            TRY(protocol_add_feature(p, rows[i].name, arena, err));
    *changed = !protocol_equal(&before, p);
    return true;
}

bool protocol_upgrade_existing(Protocol *p, const Metadata *m, Arena *arena, bool *changed,
                               Error *err)
{
    Buf lacking = buf_in(arena), had = buf_in(arena);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        bool has = protocol_has_feature(p, rows[i].name);
        if (rows[i].only_by_name && !has && rows[i].asked_for(m))
            buf_addf(&lacking, "%s%s", lacking.len ? ", " : "", rows[i].name);
        else if (has)
            buf_addf(&had, "%s%s", had.len ? ", " : "", rows[i].name);
    }
    if (lacking.len)
        return error_set(err, ERR_DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT,
                         P("unsupportedFeatures", buf_str(&lacking)),
                         P("supportedFeatures", buf_str(&had)));
    return protocol_upgrade_for(p, m, arena, changed, err);
}

bool protocol_for_metadata(const Metadata *m, Arena *arena, Protocol *out, Error *err)
{
    bool changed;
    *out = (Protocol){.min_reader = 1, .min_writer = 2};
    return protocol_upgrade_for(out, m, arena, &changed, err);
}

static bool same_names(const DeltaStrVec *a, const DeltaStrVec *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        bool found = false;
        for (size_t j = 0; j < b->len && !found; j++)
            found = str_eq(a->at[i], b->at[j]);
        if (!found)
            return false;
    }
    return true;
}

bool protocol_equal(const Protocol *a, const Protocol *b)
{
    return a->min_reader == b->min_reader && a->min_writer == b->min_writer &&
           same_names(&a->reader_features, &b->reader_features) &&
           same_names(&a->writer_features, &b->writer_features);
}

/* ---- checks ---- */

static bool fail_version(const Protocol *p, Str table, Error *err)
{
    return error_set(err, ERR_DELTA_INVALID_PROTOCOL_VERSION, P("tableNameOrPath", table),
                     P("readerRequired", str_printf(err->arena, "%d", p->min_reader)),
                     P("writerRequired", str_printf(err->arena, "%d", p->min_writer)),
                     PZ("deltaVersion", OWN_NAME), PZ("supportedReaders", "1, 2, 3"),
                     PZ("supportedWriters", "2, 3, 4, 5, 6, 7"));
}

static void name_missing(Buf *b, Str name)
{
    if (b->len)
        buf_addz(b, ", ");
    buf_add(b, name);
}

static bool fail_features(ErrorClass cls, Str table, const Buf *missing, Error *err)
{
    return !missing->len ||
           error_set(err, cls, P("tableNameOrPath", table), PZ("deltaVersion", OWN_NAME),
                     P("unsupported", buf_str(missing)));
}

bool protocol_check_read(const Protocol *p, Str table, Error *err)
{
    Buf missing = buf_in(err->arena);
    if (p->min_reader > READER_MAX || p->min_reader < 1)
        return fail_version(p, table, err);
    for (size_t i = 0; p->min_reader == READER_MAX && i < p->reader_features.len; i++) {
        const DeltaFeature *f = delta_feature_find(p->reader_features.at[i]);
        if (!f || !f->can_read)
            name_missing(&missing, p->reader_features.at[i]);
    }
    return fail_features(ERR_DELTA_UNSUPPORTED_FEATURES_FOR_READ, table, &missing, err);
}

bool protocol_check_write(const Protocol *p, const Metadata *m, Str table, Error *err)
{
    Buf missing = buf_in(err->arena);
    DeltaStrVec features = {0};
    TRY(protocol_check_read(p, table, err));
    if (p->min_writer > WRITER_MAX || p->min_writer < 1)
        return fail_version(p, table, err);
    protocol_features(p, err->arena, &features);
    for (size_t i = 0; i < features.len; i++) {
        const DeltaFeature *f = delta_feature_find(features.at[i]);
        if (!f || (!f->can_write && (!f->active || f->active(m))))
            name_missing(&missing, features.at[i]);
    }
    return fail_features(ERR_DELTA_UNSUPPORTED_FEATURES_FOR_WRITE, table, &missing, err);
}
