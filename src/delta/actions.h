/* The actions of the Delta log as plain data, each with its JSON form (PROTOCOL.md "Actions"). */
#pragma once

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "type/type.h"

typedef VEC(Str) DeltaStrVec;
typedef struct Property {
    Str key, value;
    bool is_null;
} Property;
typedef VEC(Property) PropertyVec;

typedef struct DeletionVector {
    char storage; /* 'u', 'i', 'p' */
    Str path_or_inline;
    bool has_offset;
    int32_t offset;
    int32_t size_in_bytes;
    int64_t cardinality;
} DeletionVector;

typedef struct AddFile {
    Str path; /* as in the log: URI-encoded, relative or absolute */
    PropertyVec partition_values;
    int64_t size;
    int64_t modification_time_ms;
    bool data_change;
    Str stats; /* JSON text, empty when absent */
    PropertyVec tags;
    DeletionVector *dv; /* NULL when absent */
    bool has_base_row_id;
    int64_t base_row_id, default_row_commit_version;
    Str clustering_provider;
} AddFile;

typedef struct RemoveFile {
    Str path;
    bool has_deletion_timestamp;
    int64_t deletion_timestamp_ms;
    bool data_change;
    bool extended_file_metadata;
    PropertyVec partition_values;
    int64_t size; /* -1 when absent */
    Str stats;
    PropertyVec tags;
    DeletionVector *dv;
    bool has_base_row_id;
    int64_t base_row_id, default_row_commit_version;
} RemoveFile;

typedef struct CdcFile {
    Str path;
    PropertyVec partition_values;
    int64_t size;
    PropertyVec tags;
} CdcFile;

typedef struct Metadata {
    Str id, name, description;
    Str format_provider;
    PropertyVec format_options;
    Str schema_string;
    const Type *schema; /* parsed schema_string */
    DeltaStrVec partition_columns;
    PropertyVec configuration;
    bool has_created_time;
    int64_t created_time_ms;
} Metadata;

typedef struct Protocol {
    int min_reader, min_writer;
    DeltaStrVec reader_features, writer_features;
    bool has_reader_features, has_writer_features;
} Protocol;

typedef struct TxnAction {
    Str app_id;
    int64_t version;
    int64_t last_updated_ms;
} TxnAction;
typedef struct DomainMetadata {
    Str domain, configuration;
    bool removed;
} DomainMetadata;

typedef struct CommitInfo {
    int64_t timestamp_ms;
    int64_t in_commit_timestamp_ms; /* -1 when absent */
    Str operation;
    PropertyVec operation_parameters; /* values are JSON text as Spark writes them */
    int64_t read_version;             /* -1 when absent */
    Str isolation_level;
    bool has_blind_append, is_blind_append;
    PropertyVec operation_metrics;
    Str user_id, user_name, user_metadata, engine_info, txn_id;
    PropertyVec tags;
} CommitInfo;

/* ---- JSON ---- */

typedef enum ActionKind {
    ACTION_UNKNOWN, /* ignored, as PROTOCOL.md asks of unrecognized actions */
    ACTION_ADD,
    ACTION_REMOVE,
    ACTION_CDC,
    ACTION_METADATA,
    ACTION_PROTOCOL,
    ACTION_TXN,
    ACTION_DOMAIN,
    ACTION_COMMIT_INFO,
    ACTION_SIDECAR
} ActionKind;

typedef struct Sidecar {
    Str path;
    int64_t size;
} Sidecar;

typedef struct Action {
    ActionKind kind;
    union {
        AddFile add;
        RemoveFile remove;
        CdcFile cdc;
        Metadata metadata;
        Protocol protocol;
        TxnAction txn;
        DomainMetadata domain;
        CommitInfo info;
        Sidecar sidecar;
    };
} Action;

/* Which actions a reader wants; others come back as ACTION_UNKNOWN without being looked into. */
typedef unsigned ActionSet;
#define ACTIONS_OF(kind) (1u << (kind))
#define ACTIONS_ALL (~0u)

typedef struct ActionReader ActionReader;
ActionReader *action_reader_new(void); /* keeps its parse buffer between lines */
void action_reader_free(ActionReader *r);
/* Parses one JSON line in place: strings of *out point into the line (which is changed and must be
 * followed by 4 readable bytes), arrays lie in the arena. False: not an action; *reason says why.
 * The schema stays text. */
bool action_parse(ActionReader *r, char *line, size_t len, ActionSet wanted, Arena *arena,
                  Action *out, const char **reason);

/* Reads a whole log file of lines; its bytes are changed. visit's false stops with its error. */
typedef bool (*ActionVisit)(void *arg, const Action *action, Error *err);
MUST_CHECK bool actions_read(Str text, Str file_name, ActionSet wanted, Arena *arena,
                             ActionVisit visit, void *arg, Error *err);
/* The same for whole lines out of the middle of a file; *lines counts those that went before, and these. */
MUST_CHECK bool actions_read_on(Str text, Str file_name, size_t *lines, ActionSet wanted,
                                Arena *arena, ActionVisit visit, void *arg, Error *err);

/* A struct column of a checkpoint as JSON text: {"type":..} of metaData, protocol, txn, ... */
bool action_parse_body(ActionReader *r, ActionKind kind, char *text, size_t len, Arena *arena,
                       Action *out, const char **reason);
/* {"a":"1","b":null} */
bool properties_parse(ActionReader *r, char *text, size_t len, Arena *arena, PropertyVec *out);
/* NULL when the text is no vector's description. */
DeletionVector *deletion_vector_parse(ActionReader *r, char *text, size_t len, Arena *arena);

/* Each writes {"kind":{...}} and a newline, in the order and spelling of Spark's writer. */
void action_put_add(Buf *b, const AddFile *f);
void action_put_remove(Buf *b, const RemoveFile *f, bool for_checkpoint);
void action_put_cdc(Buf *b, const CdcFile *f);
void action_put_metadata(Buf *b, const Metadata *m);
void action_put_protocol(Buf *b, const Protocol *p);
void action_put_txn(Buf *b, const TxnAction *t);
void action_put_domain(Buf *b, const DomainMetadata *d);
void action_put_commit_info(Buf *b, const CommitInfo *i);

Str property_get(const PropertyVec *v, const char *key); /* empty when absent or null */
const Property *property_find(const PropertyVec *v, Str key);
/* The text of an operation parameter: a JSON string's content, other JSON as it is. */
Str commit_parameter_text(Str json, Arena *arena);

AddFile add_copy(const AddFile *f, Arena *arena);
RemoveFile remove_copy(const RemoveFile *f, Arena *arena);
DeletionVector *deletion_vector_copy(const DeletionVector *dv, Arena *arena);
Metadata metadata_copy_into(const Metadata *m,
                            Arena *arena); /* the schema is parsed again by the caller */
CommitInfo *commit_info_copy(const CommitInfo *i, Arena *arena);
Protocol protocol_copy(const Protocol *p, Arena *arena);
