/* Table features: which a protocol names or implies, which we can read and write (rows in
 * feature.def). */
#pragma once

#include "delta/actions.h"

typedef enum FeatureKind { FEATURE_WRITER, FEATURE_READER_WRITER } FeatureKind;

/* What ALTER TABLE .. DROP FEATURE makes of it. */
typedef enum FeatureDrop {
    FEATURE_STAYS,
    FEATURE_GOES,
    FEATURE_GOES_PROTECTED /* older versions can be read only by who knows it */
} FeatureDrop;

typedef struct DeltaFeature {
    const char *name;
    FeatureKind kind;
    int implied_reader,
        implied_writer; /* versions that imply it without naming it; 0: only by name */
    bool can_read;
    bool can_write;                    /* our writes keep every rule of it */
    bool (*active)(const Metadata *m); /* writes are refused only while true; NULL: whenever it is
                                          in the protocol */
    bool (*asked_for)(const Metadata *m); /* the metadata needs the feature; NULL: only on demand */
    const char *requires_too; /* features that come with it, separated by spaces; NULL: none */
    FeatureDrop drop;
    bool only_by_name; /* a table that exists must be given it first, whatever its metadata asks for */
    const char *enabled_by; /* as docs/reference/delta.md has it; NULL: only by name */
} DeltaFeature;

size_t delta_feature_count(void);
const DeltaFeature *delta_feature_at(size_t i);
const DeltaFeature *delta_feature_find(Str name); /* NULL when unknown */

/* By name, also when implied by the versions. */
bool protocol_has_feature(const Protocol *p, const char *name);
/* Every feature by name, implied ones included, in order of the rows; unknown ones last. */
void protocol_features(const Protocol *p, Arena *arena, DeltaStrVec *out);
/* Adds a feature and what it requires, raising the versions as little as Spark does.
 * DELTA_UNSUPPORTED_FEATURES_IN_CONFIG for a name nobody knows. */
MUST_CHECK bool protocol_add_feature(Protocol *p, const char *name, Arena *arena, Error *err);
/* The features that such versions stand for. */
void protocol_add_versions(Protocol *p, int reader, int writer, Arena *arena);
/* Takes a feature out; versions become the lowest that say the rest. */
void protocol_remove_feature(Protocol *p, const char *name, Arena *arena);
/* Features of the protocol that cannot do without this one, separated by ", "; empty: none. */
Str protocol_dependents(const Protocol *p, const char *name, Arena *arena);
/* What a new table starts with: (1, 2), then every feature its properties and columns ask for. */
MUST_CHECK bool protocol_for_metadata(const Metadata *m, Arena *arena, Protocol *out, Error *err);
/* Adds what the metadata asks for and the protocol lacks; *changed tells whether anything was. */
MUST_CHECK bool protocol_upgrade_for(Protocol *p, const Metadata *m, Arena *arena, bool *changed,
                                     Error *err);
/* The same for a table that exists: DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT. */
MUST_CHECK bool protocol_upgrade_existing(Protocol *p, const Metadata *m, Arena *arena,
                                          bool *changed, Error *err);
bool protocol_equal(const Protocol *a, const Protocol *b);

/* DELTA_INVALID_PROTOCOL_VERSION or DELTA_UNSUPPORTED_FEATURES_FOR_READ / _FOR_WRITE naming what we
 * lack. */
MUST_CHECK bool protocol_check_read(const Protocol *p, Str table, Error *err);
MUST_CHECK bool protocol_check_write(const Protocol *p, const Metadata *m, Str table, Error *err);
