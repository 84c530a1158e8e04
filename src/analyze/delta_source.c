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

bool analyze_delta_scan(Analyzer *a, Snapshot *snapshot, const Name *qualifier, bool with_row_position, BoundRel **out, Error *err)
{
    (void)err;
    const Type *schema = snapshot_schema(snapshot);
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

static bool travel_timestamp(Analyzer *a, const Expr *e, int64_t *us, Error *err)
{
    Value v;
    TRY(analyze_constant(a, e, NULL, &v, err));
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

static bool open_asked(Analyzer *a, DeltaTable *table, const TimeTravel *travel, Snapshot **out, Error *err)
{
    if (travel->kind == TRAVEL_VERSION) {
        Value v;
        TRY(analyze_constant(a, travel->value, type_simple(TYPE_LONG), &v, err));
        return snapshot_at_version(table, v.integer, out, err);
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
 * are read later: one that is torn only takes away the versions that need it. */
static bool open_snapshot(Analyzer *a, DeltaTable *table, const TimeTravel *travel, Snapshot **out, Error *err)
{
    Snapshot *newest;
    if (travel->kind == TRAVEL_NONE) {
        TRY(newest_snapshot(a, table, out, err));
        snapshot_ref(*out);
        return true;
    }
    if (!newest_snapshot(a, table, &newest, err)) {
        if (err->cls != ERR_LAKESHED_LOG_INVALID)
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

static bool option_travel(Analyzer *a, const KeyValueVec *options, TimeTravel *travel, Error *err)
{
    Str version = key_value_get(options, "versionAsOf"), timestamp = key_value_get(options, "timestampAsOf");
    if (!version.len && !timestamp.len)
        return true;
    if (travel->kind != TRAVEL_NONE || (version.len && timestamp.len))
        return error_set(err, ERR_DELTA_ONEOF_IN_TIMETRAVEL);
    travel->kind = version.len ? TRAVEL_VERSION : TRAVEL_TIMESTAMP;
    travel->value = expr_literal(value_string(version.len ? version : timestamp), a->arena);
    return true;
}

/* ---- change data feed ---- */

static bool reads_changes(const KeyValueVec *options)
{
    return str_is_ci(key_value_get(options, "readChangeFeed"), "true") || str_is_ci(key_value_get(options, "readChangeData"), "true");
}

typedef enum RangeEnd { RANGE_START, RANGE_STOP } RangeEnd;

static bool range_version(Analyzer *a, DeltaTable *table, const KeyValueVec *options, RangeEnd end, bool *given, int64_t *version, Error *err)
{
    static const char *const VERSION[] = {"startingVersion", "endingVersion"};
    static const char *const TIMESTAMP[] = {"startingTimestamp", "endingTimestamp"};
    Str v = key_value_get(options, VERSION[end]), t = key_value_get(options, TIMESTAMP[end]);
    *given = v.len || t.len;
    if (v.len && t.len)
        return error_set(err, ERR_DELTA_MULTIPLE_CDC_BOUNDARY, PZ("startingOrEnding", end == RANGE_START ? "starting" : "ending"));
    if (v.len) {
        if (str_is_ci(v, "latest")) {
            Snapshot *newest;
            TRY(snapshot_newest(table, &newest, err));
            *version = snapshot_version(newest);
            snapshot_unref(newest);
            return true;
        }
        if (!str_to_i64(v, version) || *version < 0)
            return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", v), PZ("name", VERSION[end]), PZ("explain", "must be an integer not below 0"));
        return true;
    }
    if (!t.len)
        return true;
    int64_t us;
    if (!timestamp_parse(t, a->func.zone, &us))
        return error_set(err, ERR_DELTA_TIMESTAMP_INVALID, P("expr", t));
    return end == RANGE_START ? version_at_or_after(table, us, version, err) : version_at_or_before(table, us, version, err);
}

static bool analyze_changes(Analyzer *a, DeltaTable *table, const Name *qualifier, const KeyValueVec *options, BoundRel **out, Error *err)
{
    bool has_start, has_end;
    int64_t start = 0, end = -1;
    TRY(range_version(a, table, options, RANGE_START, &has_start, &start, err));
    TRY(range_version(a, table, options, RANGE_STOP, &has_end, &end, err));
    if (!has_start)
        return error_set(err, ERR_DELTA_NO_START_FOR_CDC_READ);
    Snapshot *newest;
    TRY(snapshot_newest(table, &newest, err));
    arena_on_free(a->arena, release_snapshot, newest);
    ChangeFeed *feed = ARENA_NEW(a->arena, ChangeFeed);
    bool lenient = session_bool(a->session, "spark.databricks.delta.changeDataFeed.timestampOutOfRange.enabled", false);
    TRY(changes_between(newest, start, has_end ? end : -1, lenient, a->arena, feed, err));
    TRY(analyze_delta_scan(a, newest, qualifier, false, out, err));
    (*out)->delta.changes = feed;
    (*out)->columns.len = (*out)->delta.column_count; /* a change feed has no _metadata */
    static const struct { const char *name; TypeKind kind; } EXTRA[] = {
        {"_change_type", TYPE_STRING}, {"_commit_version", TYPE_LONG}, {"_commit_timestamp", TYPE_TIMESTAMP}};
    for (size_t i = 0; i < LENGTH_OF(EXTRA); i++) {
        BoundColumn c = new_column(a, str_from(EXTRA[i].name), type_simple(EXTRA[i].kind), true);
        c.qualifier = *qualifier;
        vec_push(a->arena, &(*out)->columns, c);
    }
    return true;
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

bool analyze_delta_table(Analyzer *a, Str location, const Name *qualifier, const TimeTravel *travel, const KeyValueVec *options,
                         BoundRel **out, Error *err)
{
    DeltaTable *table;
    TRY(open_delta_table(a, location, &table, err));
    if (reads_changes(options))
        return analyze_changes(a, table, qualifier, options, out, err);
    TimeTravel at = *travel;
    TRY(option_travel(a, options, &at, err));
    Snapshot *snapshot;
    TRY(open_snapshot(a, table, &at, &snapshot, err));
    bool ok = check_columns(a, snapshot, err) &&
              analyze_delta_scan(a, snapshot, qualifier, false, out, err);
    snapshot_unref(snapshot);
    return ok;
}
