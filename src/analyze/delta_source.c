/* Delta tables as relations: the newest snapshot, time travel, the change data feed. */
#include "analyze/analyze_impl.h"

#include "delta/changes.h"
#include "delta/row_tracking.h"
#include "delta/vacuum.h"
#include "type/datetime.h"

static void release_snapshot(void *s)
{
    snapshot_unref(s);
}

static void release_table(void *t)
{
    delta_table_unref(t);
}

bool open_delta_table(Analyzer *a, Str location, DeltaTable **out, Error *err)
{
    TRY(catalog_delta_table(session_catalog(a->session), location, out, err));
    arena_on_free(a->arena, release_table, *out);
    return true;
}

/* What a query sees of a field's metadata: not Delta's own (ids, generation expressions), which its result does not have. */
static Str public_metadata(Str metadata, Arena *arena)
{
    Error ignored = error_in(arena);
    yyjson_val *root, *key;
    if (str_find(metadata, S("\"delta.")) < 0 || !json_parse(metadata, S("metadata"), arena, &root, &ignored) || !yyjson_is_obj(root))
        return metadata;
    Buf b = buf_in(arena);
    bool first = true;
    yyjson_obj_iter each = yyjson_obj_iter_with(root);
    buf_addc(&b, '{');
    while ((key = yyjson_obj_iter_next(&each)) != NULL) {
        if (str_starts_with(json_str(key), S("delta.")))
            continue;
        if (!first)
            buf_addc(&b, ',');
        first = false;
        json_put_str(&b, json_str(key));
        buf_addc(&b, ':');
        buf_add(&b, json_text(yyjson_obj_iter_get_val(key), arena));
    }
    buf_addc(&b, '}');
    return buf_str(&b);
}

void analyze_file_facts(Analyzer *a, const Expr *e, BoundRel *scan)
{
    BoundExpr *ignored;
    Error unresolved = error_in(a->arena);
    bool asked = a->asked_metadata, with = a->with_metadata;
    RowColumns kept;
    a->asked_metadata = false;
    if (!analyze_expr(a, e, &scan->columns, &ignored, &unresolved) && a->asked_metadata) {
        a->with_metadata = true;
        push_file_metadata(a, scan, snapshot_row_columns(scan->delta.snapshot, &kept) ? FACTS_OF_TRACKED_ROWS : FACTS_OF_FILE);
    }
    a->asked_metadata = asked;
    a->with_metadata = with;
}

void analyze_row_facts(Analyzer *a, BoundRel *scan, bool hidden)
{
    static const char *const NAMES[] = {ROW_FACT_PREFIX "row_id", ROW_FACT_PREFIX "row_commit_version"};
    RowColumns kept;
    if (!snapshot_row_columns(scan->delta.snapshot, &kept))
        return;
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++) {
        BoundColumn c = new_column(a, str_from(NAMES[i]), type_simple(TYPE_LONG), true);
        c.hidden = hidden;
        vec_push(a->arena, &scan->columns, c);
    }
}

/* As Delta 4.4, where shapes in tables are a preview. */
bool analyze_shapes_allowed(Session *session, const Type *schema, Error *err)
{
    return !schema || !type_has_geo(schema) || session_bool(session, "spark.databricks.delta.geo.preview.enabled", false) ||
           error_set(err, ERR_DELTA_GEOSPATIAL_NOT_SUPPORTED);
}

bool analyze_delta_scan(Analyzer *a, Snapshot *snapshot, const Name *qualifier, bool with_row_position, BoundRel **out, Error *err)
{
    const Type *schema = snapshot_schema(snapshot);
    TRY(analyze_shapes_allowed(a->session, schema, err));
    BoundRel *r = brel_new(BREL_SCAN_DELTA, NULL, a->arena);
    snapshot_ref(snapshot);
    arena_on_free(a->arena, release_snapshot, snapshot);
    r->delta.snapshot = snapshot;
    r->delta.column_count = schema->structure.count;
    r->delta.fields = ARENA_ARRAY(a->arena, size_t, schema->structure.count);
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        BoundColumn c = new_column(a, f->name, type_char_as_string(f->type, a->arena), f->nullable);
        c.qualifier = *qualifier;
        c.metadata = public_metadata(f->metadata, a->arena);
        r->delta.fields[i] = i;
        vec_push(a->arena, &r->columns, c);
    }
    RowColumns kept;
    if (!with_row_position)
        push_file_metadata(a, r, snapshot_row_columns(snapshot, &kept) ? FACTS_OF_TRACKED_ROWS : FACTS_OF_FILE);
    if (r->columns.len)
        vec_last(&r->columns).qualifier = *qualifier;
    if (with_row_position) {
        BoundColumn file = new_column(a, S("_file"), type_simple(TYPE_STRING), false);
        BoundColumn row = new_column(a, S("_row"), type_simple(TYPE_LONG), false);
        file.hidden = row.hidden = true;
        r->delta.with_row_position = true;
        r->delta.file_id = file.id;
        r->delta.row_id = row.id;
        vec_push(a->arena, &r->columns, file);
        vec_push(a->arena, &r->columns, row);
        analyze_row_facts(a, r, true);
    }
    *out = r;
    return true;
}

/* ---- time travel ---- */

/* What is no constant is named by Spark's own classes here. */
static bool refuse_instant(Analyzer *a, const Expr *e, Error *err)
{
    bool random = err->cls == ERR_NON_FOLDABLE_ARGUMENT && e->kind == EXPR_CALL;
    if (err->cls == ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION || err->cls == ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION) {
        error_clear(err);
        return error_set(err, ERR__LEGACY_ERROR_TEMP_0056, PZ("reason", "timestamp expression cannot refer to any columns"));
    }
    if (!random)
        return false;
    error_clear(err);
    return error_set(err, ERR_INVALID_TIME_TRAVEL_TIMESTAMP_EXPR__NON_DETERMINISTIC,
                     P("expr", str_printf(err->arena, "\"" STR_FMT "()\"", STR_ARG(vec_last(&e->call.name)))));
}

static bool travel_timestamp(Analyzer *a, const Expr *e, int64_t *us, Error *err)
{
    Value v;
    if (!analyze_constant(a, e, NULL, &v, err))
        return refuse_instant(a, e, err);
    Str zone = a->func.zone;
    bool ok = false;
    if (!v.is_null && (v.type->kind == TYPE_TIMESTAMP)) {
        *us = v.integer;
        ok = true;
    } else if (!v.is_null && v.type->kind == TYPE_DATE) {
        *us = zone_to_utc(zone, v.integer * US_PER_DAY);
        ok = true;
    } else if (!v.is_null && v.type->kind == TYPE_TIMESTAMP_NTZ) {
        *us = zone_to_utc(zone, v.integer);
        ok = true;
    } else if (!v.is_null && type_is_stringy(v.type))
        ok = timestamp_parse(v.bytes, zone, us);
    else if (!v.is_null && type_is_integral(v.type)) {
        *us = v.integer * US_PER_SECOND;
        ok = true;
    } else if (!v.is_null && (v.type->kind == TYPE_DECIMAL || v.type->kind == TYPE_DOUBLE || v.type->kind == TYPE_FLOAT)) {
        TRY(analyze_constant(a, e, type_simple(TYPE_TIMESTAMP), &v, err));
        *us = v.integer;
        ok = !v.is_null;
    }
    if (ok)
        return true;
    error_set(err, ERR_INVALID_TIME_TRAVEL_TIMESTAMP_EXPR__INPUT,
              P("expr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(value_sql(&v, zone, a->arena)))));
    return set_context(a, err, e->origin);
}

bool analyze_check_retention(Analyzer *a, const Snapshot *newest, const Snapshot *asked, Error *err)
{
    static const char KEY[] = "spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration";
    int64_t retention_ms = vacuum_retention_ms(newest), hour_ms = 3600000;
    if (!session_bool(a->session, KEY, true) || snapshot_version(asked) >= snapshot_version(newest) ||
        a->func.now_us / 1000 - snapshot_timestamp_ms(asked) <= retention_ms)
        return true;
    return error_set(err, ERR_DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION_DURATION,
                     P("deletedFileRetention", str_printf(err->arena, "%lld", (long long)(retention_ms / hour_ms))));
}

bool analyze_travel_version(Analyzer *a, const Expr *e, int64_t *version, Error *err)
{
    Value v;
    TRY(analyze_constant(a, e, NULL, &v, err));
    *version = v.integer;
    if (!v.is_null && (type_is_integral(v.type) || (type_is_stringy(v.type) && str_to_i64(v.bytes, version))))
        return true;
    return error_set(err, ERR_DELTA_TIME_TRAVEL_INVALID_BEGIN_VALUE, PZ("timeTravelKey", "versionAsOf"));
}

static bool open_asked(Analyzer *a, DeltaTable *table, const TimeTravel *travel, Snapshot **out, Error *err)
{
    if (travel->kind == TRAVEL_VERSION) {
        int64_t version;
        TRY(analyze_travel_version(a, travel->value, &version, err));
        return snapshot_at_version(table, version, out, err);
    }
    int64_t us;
    TRY(travel_timestamp(a, travel->value, &us, err));
    return snapshot_at_timestamp(table, us, out, err);
}

/* Borrowed: the analyzer's arena holds it. */
static bool newest_snapshot(Analyzer *a, DeltaTable *table, Snapshot **out, Error *err)
{
    for (size_t i = 0; i < a->snapshots.len; i++)
        if (snapshot_table(a->snapshots.at[i]) == table) {
            *out = a->snapshots.at[i];
            return true;
        }
    TRY(snapshot_newest(table, out, err));
    arena_on_free(a->arena, release_snapshot, *out);
    vec_push(a->arena, &a->snapshots, *out);
    return true;
}

/* A table whose newest version we must not read is refused at every version, as Delta does: it opens the newest first. Its commits
 * are read later: one that is torn only takes away the versions that need it, and a change of types we cannot follow those that have it. */
static bool open_snapshot(Analyzer *a, DeltaTable *table, const TimeTravel *travel, Snapshot **out, Error *err)
{
    Snapshot *newest;
    if (travel->kind == TRAVEL_NONE) {
        TRY(newest_snapshot(a, table, out, err));
        snapshot_ref(*out);
        return true;
    }
    if (!newest_snapshot(a, table, &newest, err)) {
        if (err->cls != ERR_LAKESHED_LOG_INVALID && err->cls != ERR_DELTA_UNSUPPORTED_TYPE_CHANGE_IN_SCHEMA)
            return false;
        error_clear(err);
        return open_asked(a, table, travel, out, err);
    }
    TRY(open_asked(a, table, travel, out, err));
    if (analyze_check_retention(a, newest, *out, err))
        return true;
    snapshot_unref(*out);
    return false;
}

/* By options of a read; of_path: of a path, where Delta itself looks at them, else of a table, where Spark does. */
static bool option_travel(Analyzer *a, const KeyValueVec *options, bool of_path, TimeTravel *travel, Error *err)
{
    Str version = key_value_get(options, "versionAsOf"), timestamp = key_value_get(options, "timestampAsOf");
    bool has_version = key_value_has(options, "versionAsOf"), has_timestamp = key_value_has(options, "timestampAsOf");
    int64_t us;
    if (!has_version && !has_timestamp)
        return true;
    if (has_version && has_timestamp)
        return error_set(err, of_path ? ERR_DELTA_ONEOF_IN_TIMETRAVEL : ERR_INVALID_TIME_TRAVEL_SPEC);
    if (travel->kind != TRAVEL_NONE)
        return error_set(err, ERR_DELTA_UNSUPPORTED_TIME_TRAVEL_MULTIPLE_FORMATS);
    if (has_timestamp && !timestamp_parse(timestamp, a->func.zone, &us)) {
        Str quoted = str_printf(err->arena, "'" STR_FMT "'", STR_ARG(timestamp));
        return error_set(err, of_path ? ERR_DELTA_TIMESTAMP_INVALID : ERR_INVALID_TIME_TRAVEL_TIMESTAMP_EXPR__OPTION, P("expr", quoted));
    }
    travel->kind = has_version ? TRAVEL_VERSION : TRAVEL_TIMESTAMP;
    travel->value = expr_literal(value_string(has_version ? version : timestamp), a->arena);
    return true;
}

bool analyze_travel_suffix(Analyzer *a, Str text, size_t *end, TimeTravel *travel)
{
    ptrdiff_t at = str_rfind_char(text, '@');
    int64_t n;
    if (at <= 0 || (size_t)at + 2 >= text.len)
        return false;
    Str tail = str_slice(text, (size_t)at + 1, text.len);
    bool is_version = (tail.ptr[0] == 'v' || tail.ptr[0] == 'V') && tail.ptr[1] != '-' && str_to_i64(str_slice(tail, 1, tail.len), &n);
    bool is_instant = tail.len == 17 && tail.ptr[0] != '-' && str_to_i64(tail, &n);
    *end = (size_t)at;
    if (is_version)
        *travel = (TimeTravel){.kind = TRAVEL_VERSION, .value = expr_literal(value_int(TYPE_LONG, n), a->arena)};
    else if (is_instant) {
        const char *d = tail.ptr;
        Str instant = str_printf(a->arena, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s.%.3s", d, d + 4, d + 6, d + 8, d + 10, d + 12, d + 14);
        *travel = (TimeTravel){.kind = TRAVEL_TIMESTAMP, .value = expr_literal(value_string(instant), a->arena)};
    }
    return is_version || is_instant;
}

/* ---- change data feed ---- */

bool analyze_reads_changes(const KeyValueVec *options, bool *out, Error *err)
{
    static const char *const KEYS[] = {"readChangeFeed", "readChangeData"};
    *out = false;
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++) {
        Str v = key_value_get(options, KEYS[i]);
        *out |= str_is_ci(v, "true");
        if (key_value_has(options, KEYS[i]) && !str_is_ci(v, "true") && !str_is_ci(v, "false"))
            return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", v), PZ("name", KEYS[i]), PZ("explain", "must be 'true' or 'false'"));
    }
    return true;
}

/* An instant after the newest commit; the error comes from looking for its version. */
static bool check_not_late(Analyzer *a, DeltaTable *table, int64_t us, Error *err)
{
    Snapshot *newest, *found;
    TRY(newest_snapshot(a, table, &newest, err));
    if (us <= snapshot_timestamp_ms(newest) * 1000 ||
        session_bool(a->session, "spark.databricks.delta.changeDataFeed.timestampOutOfRange.enabled", false))
        return true;
    TRY(snapshot_at_timestamp(table, us, &found, err));
    snapshot_unref(found);
    return true;
}

typedef enum RangeEnd { RANGE_START, RANGE_STOP } RangeEnd;

static bool range_version(Analyzer *a, DeltaTable *table, const KeyValueVec *options, bool of_path, RangeEnd end, bool *given, int64_t *version, Error *err)
{
    static const char *const VERSION[] = {"startingVersion", "endingVersion"};
    static const char *const TIMESTAMP[] = {"startingTimestamp", "endingTimestamp"};
    Str v = key_value_get(options, VERSION[end]), t = key_value_get(options, TIMESTAMP[end]);
    *given = v.len || t.len;
    if (v.len && t.len && !of_path)
        return error_set(err, ERR_DELTA_MULTIPLE_CDC_BOUNDARY, PZ("startingOrEnding", end == RANGE_START ? "starting" : "ending"));
    if (v.len) {
        if (!str_to_i64(v, version))
            return error_set(err, ERR_DELTA_VERSION_INVALID, P("version", v));
        if (*version < 0)
            return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", v), PZ("name", VERSION[end]), PZ("explain", "must be an integer not below 0"));
        return true;
    }
    if (!t.len)
        return true;
    int64_t us;
    if (!timestamp_parse(t, a->func.zone, &us))
        return error_set(err, ERR_DELTA_TIMESTAMP_INVALID, P("expr", t));
    TRY(check_not_late(a, table, us, err));
    return end == RANGE_START ? version_at_or_after(table, us, version, err) : version_at_or_before(table, us, version, err);
}

static const struct {
    const char *name;
    TypeKind kind;
} CHANGE_COLUMNS[] = {{"_change_type", TYPE_STRING}, {"_commit_version", TYPE_LONG}, {"_commit_timestamp", TYPE_TIMESTAMP}};

const Type *analyze_change_schema(const Type *table, Arena *arena)
{
    size_t count = table->structure.count;
    Field *fields = ARENA_ARRAY(arena, Field, count + LENGTH_OF(CHANGE_COLUMNS));
    for (size_t i = 0; i < count; i++)
        fields[i] = table->structure.fields[i];
    for (size_t i = 0; i < LENGTH_OF(CHANGE_COLUMNS); i++)
        fields[count + i] = (Field){.name = str_from(CHANGE_COLUMNS[i].name), .type = type_simple(CHANGE_COLUMNS[i].kind), .nullable = true};
    return type_struct(fields, count + LENGTH_OF(CHANGE_COLUMNS), arena);
}

bool analyze_change_feed(Analyzer *a, ChangeFeed *feed, const Name *qualifier, BoundRel **out, Error *err)
{
    TRY(analyze_delta_scan(a, feed->snapshot, qualifier, false, out, err));
    (*out)->delta.changes = feed;
    (*out)->columns.len = (*out)->delta.column_count; /* a change feed has no _metadata */
    for (size_t i = 0; i < LENGTH_OF(CHANGE_COLUMNS); i++) {
        BoundColumn c = new_column(a, str_from(CHANGE_COLUMNS[i].name), type_simple(CHANGE_COLUMNS[i].kind), true);
        c.qualifier = *qualifier;
        vec_push(a->arena, &(*out)->columns, c);
    }
    return true;
}

static bool analyze_changes(Analyzer *a, DeltaTable *table, const Name *qualifier, const KeyValueVec *options, BoundRel **out, Error *err)
{
    bool has_start, has_end, of_path = !qualifier->len;
    int64_t start = 0, end = -1;
    TRY(range_version(a, table, options, of_path, RANGE_START, &has_start, &start, err));
    TRY(range_version(a, table, options, of_path, RANGE_STOP, &has_end, &end, err));
    if (!has_start)
        return error_set(err, ERR_DELTA_NO_START_FOR_CDC_READ);
    Snapshot *newest;
    TRY(snapshot_newest(table, &newest, err));
    arena_on_free(a->arena, release_snapshot, newest);
    ChangeFeed *feed = ARENA_NEW(a->arena, ChangeFeed);
    bool lenient = session_bool(a->session, "spark.databricks.delta.changeDataFeed.timestampOutOfRange.enabled", false);
    TRY(changes_between(newest, start, has_end ? end : -1, lenient, a->arena, feed, err));
    return analyze_change_feed(a, feed, qualifier, out, err);
}

/* ---- what cannot be read ---- */

static bool check_columns(Analyzer *a, Snapshot *snapshot, Error *err)
{
    if (snapshot_schema(snapshot)->structure.count)
        return true;
    Str location = delta_table_location(snapshot_table(snapshot));
    return error_set(err, ERR_DELTA_READ_TABLE_WITHOUT_COLUMNS,
                     P("tableName", str_printf(a->arena, "`delta`.`" STR_FMT STR_FMT "`", STR_ARG(str_starts_with(location, S("/")) ? S("file:") : S("")),
                                               STR_ARG(location))));
}

/* ---- the entry points ---- */

/* A path "..@v3" that is no folder is version 3 of "..". */
static bool open_named(Analyzer *a, Str location, DeltaTable **table, TimeTravel *travel, Error *err)
{
    TimeTravel suffix;
    size_t end;
    bool exists;
    TRY(open_delta_table(a, location, table, err));
    if (!analyze_travel_suffix(a, location, &end, &suffix) ||
        !session_bool(a->session, "spark.databricks.delta.timeTravel.resolveOnIdentifier.enabled", true))
        return true;
    TRY(delta_table_exists(*table, &exists, err));
    if (exists)
        return true;
    if (travel->kind != TRAVEL_NONE)
        return error_set(err, ERR_DELTA_UNSUPPORTED_TIME_TRAVEL_MULTIPLE_FORMATS);
    *travel = suffix;
    return open_delta_table(a, str_slice(location, 0, end), table, err);
}

bool analyze_delta_table(Analyzer *a, Str location, const Name *qualifier, const TimeTravel *travel, const KeyValueVec *options,
                         BoundRel **out, Error *err)
{
    DeltaTable *table;
    TimeTravel at = *travel;
    bool changes;
    TRY(open_named(a, location, &table, &at, err));
    TRY(option_travel(a, options, !qualifier->len, &at, err));
    TRY(analyze_reads_changes(options, &changes, err));
    if (changes && at.kind != TRAVEL_NONE)
        return error_set(err, ERR_DELTA_UNSUPPORTED_TIME_TRAVEL_VIEWS);
    if (changes)
        return analyze_changes(a, table, qualifier, options, out, err);
    Snapshot *snapshot;
    TRY(open_snapshot(a, table, &at, &snapshot, err));
    bool ok = check_columns(a, snapshot, err) &&
              analyze_delta_scan(a, snapshot, qualifier, false, out, err) && pad_char_columns(a, out, err);
    snapshot_unref(snapshot);
    return ok;
}
