/* AnalyzePlan: what can be said about a plan without running it. */
#include "connect/decode.h"
#include "connect/service.h"
#include "delta/partition.h"
#include "plan/explain.h"

#define ANALYZE(name) SPARK__CONNECT__ANALYZE_PLAN_REQUEST__ANALYZE_##name
#define RESULT(name) SPARK__CONNECT__ANALYZE_PLAN_RESPONSE__RESULT_##name
#define NEW(r, lower, name) new_message((r), sizeof(PB(name)), &spark__connect__##lower##__descriptor)

static void *new_message(Request *r, size_t size, const ProtobufCMessageDescriptor *d)
{
    void *m = arena_alloc(r->arena, size);
    d->message_init(m);
    return m;
}

/* ---- plans ---- */

/* Decodes and analyzes. The query is freed with the request's arena; so is everything below it. */
static bool analyze_root(Request *r, const PB(Plan) *plan, Query **out, Rel **rel)
{
    PlanRoot root;
    Decoded decoded;
    TRY(plan_root(r, plan, (Str){"", 0}, &root));
    if (root.relation == NULL)
        return error_set(&r->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SUPPORTED,
                         PZ("fullName", "spark.connect.Plan.op_type"), PZ("name", "command"));
    TRY(decode_relation(root.relation, r->arena, &decoded, &r->err));
    if (decoded.query == NULL)
        return error_unsupported(&r->err, "Analyzing a command without running it");
    *rel = decoded.query;
    *out = query_new(r->session->session, r->server->engine, arena_new(), NULL);
    arena_on_free(r->arena, (void (*)(void *))query_free, *out);
    return query_analyze_rel(*out, decoded.query, &r->err);
}

static bool analyze_schema(Request *r, const PB(Plan) *plan, const Type **schema)
{
    Query *q;
    Rel *rel;
    TRY(analyze_root(r, plan, &q, &rel));
    *schema = brel_schema(query_bound(q), r->arena);
    return true;
}

static bool answer_schema(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    const Type *schema;
    TRY(analyze_schema(r, m->schema->plan, &schema));
    out->result_case = RESULT(SCHEMA);
    out->schema = NEW(r, analyze_plan_response__schema, AnalyzePlanResponse__Schema);
    return encode_type(schema, r->arena, &out->schema->schema, &r->err);
}

static bool answer_tree(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    const Type *schema;
    TRY(analyze_schema(r, m->tree_string->plan, &schema));
    Str lines = type_tree_string(schema, m->tree_string->has_level ? m->tree_string->level : 0, r->arena);
    out->result_case = RESULT(TREE_STRING);
    out->tree_string = NEW(r, analyze_plan_response__tree_string, AnalyzePlanResponse__TreeString);
    out->tree_string->tree_string = wire_text(str_starts_with(lines, S("root")) ? lines : str_concat(r->arena, S("root\n"), lines), r->arena);
    return true;
}

static bool answer_is_local(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Query *q;
    Rel *rel;
    TRY(analyze_root(r, m->is_local->plan, &q, &rel));
    out->result_case = RESULT(IS_LOCAL);
    out->is_local = NEW(r, analyze_plan_response__is_local, AnalyzePlanResponse__IsLocal);
    out->is_local->has_is_local = true;
    out->is_local->is_local = rel->kind == REL_LOCAL || rel->kind == REL_CACHED_LOCAL || rel->kind == REL_VALUES;
    return true;
}

static bool answer_is_streaming(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Query *q;
    Rel *rel;
    TRY(analyze_root(r, m->is_streaming->plan, &q, &rel));
    out->result_case = RESULT(IS_STREAMING);
    out->is_streaming = NEW(r, analyze_plan_response__is_streaming, AnalyzePlanResponse__IsStreaming);
    out->is_streaming->has_is_streaming = true;
    out->is_streaming->is_streaming = brel_is_streaming(query_bound(q));
    return true;
}

static Str file_uri(Str path, Arena *arena)
{
    Str remote;
    bool is_copy = store_remote_uri(path, arena, &remote);
    return is_copy ? path_uri_encode(remote, arena) : str_concat(arena, S("file://"), path_uri_encode(path, arena));
}

/* Files of the scans in a bound plan, inputs first. */
static void collect_files(Request *r, const BoundRel *rel, StrVec *out)
{
    if (rel == NULL)
        return;
    collect_files(r, rel->input, out);
    if (rel->kind == BREL_SCAN_FILES)
        for (size_t i = 0; i < rel->files->paths.len; i++)
            vec_push(r->arena, out, file_uri(rel->files->paths.at[i], r->arena));
    if (rel->kind == BREL_JOIN)
        collect_files(r, rel->join.right, out);
    if (rel->kind == BREL_SETOP)
        for (size_t i = 0; i < rel->setop.inputs.len; i++)
            collect_files(r, rel->setop.inputs.at[i], out);
    if (rel->kind == BREL_CTE)
        collect_files(r, rel->cte.definition, out);
}

static bool has_delta_scan(const BoundRel *rel)
{
    return rel != NULL && (rel->kind == BREL_SCAN_DELTA || has_delta_scan(rel->input) ||
                           (rel->kind == BREL_JOIN && has_delta_scan(rel->join.right)));
}

static bool answer_input_files(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Query *q;
    Rel *rel;
    StrVec files = {0};
    TRY(analyze_root(r, m->input_files->plan, &q, &rel));
    if (has_delta_scan(query_bound(q)))
        return error_unsupported(&r->err, "inputFiles of a Delta table");
    collect_files(r, query_bound(q), &files);
    out->result_case = RESULT(INPUT_FILES);
    out->input_files = NEW(r, analyze_plan_response__input_files, AnalyzePlanResponse__InputFiles);
    out->input_files->n_files = files.len;
    out->input_files->files = ARENA_ARRAY(r->arena, char *, files.len);
    for (size_t i = 0; i < files.len; i++)
        out->input_files->files[i] = wire_text(files.at[i], r->arena);
    return true;
}

/* Two plans mean the same when they are asked of the engine in the same words: column ids are handed out in order. */
static bool render(Request *r, const PB(Plan) *plan, Str *out)
{
    Query *q;
    Rel *rel;
    TRY(analyze_root(r, plan, &q, &rel));
    return engine_render(query_bound(q), query_func(q), r->arena, out, &r->err);
}

static bool answer_same(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Str a, b;
    TRY(render(r, m->same_semantics->target_plan, &a) && render(r, m->same_semantics->other_plan, &b));
    out->result_case = RESULT(SAME_SEMANTICS);
    out->same_semantics = NEW(r, analyze_plan_response__same_semantics, AnalyzePlanResponse__SameSemantics);
    out->same_semantics->has_result = true;
    out->same_semantics->result = str_eq(a, b);
    return true;
}

static bool answer_hash(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Str text;
    TRY(render(r, m->semantic_hash->plan, &text));
    out->result_case = RESULT(SEMANTIC_HASH);
    out->semantic_hash = NEW(r, analyze_plan_response__semantic_hash, AnalyzePlanResponse__SemanticHash);
    out->semantic_hash->has_result = true;
    out->semantic_hash->result = (int32_t)str_hash(text);
    return true;
}

/* ---- texts ---- */

static bool answer_version(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    out->result_case = RESULT(SPARK_VERSION);
    out->spark_version = NEW(r, analyze_plan_response__spark_version, AnalyzePlanResponse__SparkVersion);
    out->spark_version->version = (char *)"4.2.0";
    return true;
}

static bool answer_ddl(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    const Type *type;
    TRY(type_from_ddl(wire_str(m->ddl_parse->ddl_string), r->arena, &type, &r->err));
    out->result_case = RESULT(DDL_PARSE);
    out->ddl_parse = NEW(r, analyze_plan_response__ddlparse, AnalyzePlanResponse__DDLParse);
    return encode_type(type, r->arena, &out->ddl_parse->parsed, &r->err);
}

static bool answer_json(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    const Type *type;
    TRY(type_from_json(wire_str(m->json_to_ddl->json_string), r->arena, &type, &r->err));
    out->result_case = RESULT(JSON_TO_DDL);
    out->json_to_ddl = NEW(r, analyze_plan_response__json_to_ddl, AnalyzePlanResponse__JsonToDDL);
    out->json_to_ddl->ddl_string = wire_text(type_ddl(type, r->arena), r->arena);
    return true;
}

/* ---- storage levels: remembered and told back; nothing is cached ---- */

static void strip_plan_ids(ProtobufCMessage *m)
{
    if (m->descriptor == &spark__connect__relation_common__descriptor) {
        PB(RelationCommon) *c = (PB(RelationCommon) *)m;
        c->has_plan_id = false;
        c->plan_id = 0;
        c->origin = NULL;
        return;
    }
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        void *at = (char *)m + f->offset;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t count = *(size_t *)((char *)m + f->quantifier_offset);
            for (size_t j = 0; j < count; j++)
                strip_plan_ids((*(ProtobufCMessage ***)at)[j]);
        } else if ((!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
                    *(uint32_t *)((char *)m + f->quantifier_offset) == f->id) &&
                   *(ProtobufCMessage **)at != NULL) {
            strip_plan_ids(*(ProtobufCMessage **)at);
        }
    }
}

static bool level_key(Request *r, PB(Relation) *relation, Str *out)
{
    if (relation == NULL)
        return error_set(&r->err, ERR_CONNECT_INVALID_PLAN__FIELD_CANNOT_BE_EMPTY, PZ("fieldName", "relation"),
                         PZ("fullName", "spark.connect.AnalyzePlanRequest"));
    strip_plan_ids(&relation->base);
    *out = wire_pack(&relation->base, r->arena);
    return true;
}

static StoredLevel **find_level(ConnectSession *s, Str key)
{
    StoredLevel **link = &s->levels;
    while (*link != NULL && !str_eq((*link)->plan, key))
        link = &(*link)->next;
    return link;
}

static bool answer_persist(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Str key;
    TRY(level_key(r, m->persist->relation, &key));
    PB(StorageLevel) level = SPARK__CONNECT__STORAGE_LEVEL__INIT;
    if (m->persist->storage_level != NULL) {
        level = *m->persist->storage_level;
    } else {
        level.use_disk = level.use_memory = level.deserialized = true;
        level.replication = 1;
    }
    level.has_use_disk = level.has_use_memory = level.has_use_off_heap = level.has_deserialized = true;
    level.has_replication = true;
    ConnectSession *s = r->session;
    pthread_mutex_lock(&s->lock);
    if (*find_level(s, key) == NULL) {
        StoredLevel *l = ARENA_NEW(s->level_arena, StoredLevel);
        l->plan = str_copy(key, s->level_arena);
        l->level = level;
        l->next = s->levels;
        s->levels = l;
    }
    pthread_mutex_unlock(&s->lock);
    out->result_case = RESULT(PERSIST);
    out->persist = NEW(r, analyze_plan_response__persist, AnalyzePlanResponse__Persist);
    return true;
}

static bool answer_unpersist(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Str key;
    TRY(level_key(r, m->unpersist->relation, &key));
    pthread_mutex_lock(&r->session->lock);
    StoredLevel **link = find_level(r->session, key);
    if (*link != NULL)
        *link = (*link)->next;
    pthread_mutex_unlock(&r->session->lock);
    out->result_case = RESULT(UNPERSIST);
    out->unpersist = NEW(r, analyze_plan_response__unpersist, AnalyzePlanResponse__Unpersist);
    return true;
}

static bool answer_level(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Str key;
    TRY(level_key(r, m->get_storage_level->relation, &key));
    PB(StorageLevel) *level = NEW(r, storage_level, StorageLevel);
    level->has_use_disk = level->has_use_memory = level->has_use_off_heap = level->has_deserialized = true;
    level->has_replication = true;
    level->replication = 1;
    pthread_mutex_lock(&r->session->lock);
    const StoredLevel *found = *find_level(r->session, key);
    if (found != NULL)
        *level = found->level;
    pthread_mutex_unlock(&r->session->lock);
    out->result_case = RESULT(GET_STORAGE_LEVEL);
    out->get_storage_level = NEW(r, analyze_plan_response__get_storage_level, AnalyzePlanResponse__GetStorageLevel);
    out->get_storage_level->storage_level = level;
    return true;
}

/* ---- explain ---- */

static const char *explain_mode(const PB(AnalyzePlanRequest__Explain) *m)
{
    switch (m->explain_mode) {
    case SPARK__CONNECT__ANALYZE_PLAN_REQUEST__EXPLAIN__EXPLAIN_MODE__EXPLAIN_MODE_EXTENDED: return "extended";
    case SPARK__CONNECT__ANALYZE_PLAN_REQUEST__EXPLAIN__EXPLAIN_MODE__EXPLAIN_MODE_CODEGEN: return "codegen";
    case SPARK__CONNECT__ANALYZE_PLAN_REQUEST__EXPLAIN__EXPLAIN_MODE__EXPLAIN_MODE_COST: return "cost";
    case SPARK__CONNECT__ANALYZE_PLAN_REQUEST__EXPLAIN__EXPLAIN_MODE__EXPLAIN_MODE_FORMATTED: return "formatted";
    default: return "simple";
    }
}

static bool answer_explain(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out)
{
    Query *q;
    Rel *rel;
    Str key;
    TRY(analyze_root(r, m->explain->plan, &q, &rel));
    const BoundRel *shown = query_bound(q);
    /* After decoding: the key is made without the ids that tell plans apart. */
    if (m->explain->plan->op_type_case == SPARK__CONNECT__PLAN__OP_TYPE_ROOT) {
        TRY(level_key(r, m->explain->plan->root, &key));
        pthread_mutex_lock(&r->session->lock);
        bool persisted = *find_level(r->session, key) != NULL;
        pthread_mutex_unlock(&r->session->lock);
        if (persisted) {
            BoundRel *cached = brel_new(BREL_STORED, query_bound(q), r->arena);
            cached->columns = shown->columns;
            shown = cached;
        }
    }
    Str text = explain_text(shown, str_from(explain_mode(m->explain)), query_func(q)->zone, r->arena);
    out->result_case = RESULT(EXPLAIN);
    out->explain = NEW(r, analyze_plan_response__explain, AnalyzePlanResponse__Explain);
    out->explain->explain_string = wire_text(text, r->arena);
    return true;
}

/* ---- dispatch ---- */

typedef struct AnalyzeRow {
    PB(AnalyzePlanRequest__AnalyzeCase) kind_case;
    bool (*answer)(Request *r, const PB(AnalyzePlanRequest) *m, PB(AnalyzePlanResponse) *out);
} AnalyzeRow;

static const AnalyzeRow rows[] = {
    {ANALYZE(SCHEMA), answer_schema},
    {ANALYZE(EXPLAIN), answer_explain},
    {ANALYZE(TREE_STRING), answer_tree},
    {ANALYZE(IS_LOCAL), answer_is_local},
    {ANALYZE(IS_STREAMING), answer_is_streaming},
    {ANALYZE(INPUT_FILES), answer_input_files},
    {ANALYZE(SPARK_VERSION), answer_version},
    {ANALYZE(DDL_PARSE), answer_ddl},
    {ANALYZE(SAME_SEMANTICS), answer_same},
    {ANALYZE(SEMANTIC_HASH), answer_hash},
    {ANALYZE(PERSIST), answer_persist},
    {ANALYZE(UNPERSIST), answer_unpersist},
    {ANALYZE(GET_STORAGE_LEVEL), answer_level},
    {ANALYZE(JSON_TO_DDL), answer_json},
};

static bool answer(Request *r, PB(AnalyzePlanResponse) *out)
{
    const PB(AnalyzePlanRequest) *m;
    TRY(request_unpack(r, &spark__connect__analyze_plan_request__descriptor, &m));
    rpc_drop_request(r->call);
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_open(r->server->sessions, &key, &r->session, &r->err));
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (rows[i].kind_case == m->analyze_case)
            return rows[i].answer(r, m, out);
    return error_set(&r->err, ERR_CONNECT_INVALID_PLAN__UNKNOWN_ANALYZE_METHOD, PZ("other", "ANALYZE_NOT_SET"));
}

static void analyze_on_worker(ConnectServer *server, RpcCall *call)
{
    Request r;
    PB(AnalyzePlanResponse) out = SPARK__CONNECT__ANALYZE_PLAN_RESPONSE__INIT;
    request_begin(&r, server, call);
    if (answer(&r, &out))
        request_reply(&r, &out.base);
    else
        request_fail(&r);
}

void analyze_plan(void *server, RpcCall *call, RpcEvent event)
{
    on_worker(server, call, analyze_on_worker);
}
