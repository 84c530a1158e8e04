/* Row tracking: whether a table has it, the names it keeps, its high water mark. */
#include "delta/row_tracking.h"

#include "base/clock.h"
#include "base/json.h"
#include "delta/feature.h"
#include "delta/schema.h"

#define ID_COLUMN "delta.rowTracking.materializedRowIdColumnName"
#define VERSION_COLUMN "delta.rowTracking.materializedRowCommitVersionColumnName"

bool rows_are_tracked(const Protocol *p, const Metadata *m)
{
    return protocol_has_feature(p, "rowTracking") &&
           metadata_property_bool(m, ROW_TRACKING_ENABLED, false);
}

bool snapshot_row_columns(const Snapshot *s, RowColumns *out)
{
    *out = (RowColumns){snapshot_property(s, ID_COLUMN), snapshot_property(s, VERSION_COLUMN)};
    return rows_are_tracked(snapshot_protocol(s), snapshot_metadata(s)) && out->id.len &&
           out->version.len;
}

static void name_column(Metadata *m, const Metadata *read, const char *key, const char *prefix,
                        Arena *arena)
{
    Str name = metadata_property(read ? read : m, key);
    if (!name.len)
        name = str_concat(arena, str_from(prefix), clock_uuid_in(arena));
    metadata_set_property(m, str_from(key), name, arena);
}

void metadata_forget_row_columns(Metadata *m)
{
    metadata_unset_property(m, S(ID_COLUMN));
    metadata_unset_property(m, S(VERSION_COLUMN));
}

void metadata_name_row_columns(Metadata *m, const Protocol *p, const Metadata *read, Arena *arena)
{
    if (!protocol_has_feature(p, "rowTracking")) {
        metadata_forget_row_columns(m);
        return;
    }
    name_column(m, read, ID_COLUMN, "_row-id-col-", arena);
    name_column(m, read, VERSION_COLUMN, "_row-commit-version-col-", arena);
}

bool metadata_check_row_tracking(const Metadata *m, Error *err)
{
    RowColumns names = {metadata_property(m, ID_COLUMN), metadata_property(m, VERSION_COLUMN)};
    if (metadata_property_bool(m, ROW_TRACKING_ENABLED, false) &&
        metadata_property_bool(m, ROW_TRACKING_SUSPENDED, false))
        return error_set(err, ERR_DELTA_ROW_TRACKING_ILLEGAL_PROPERTY_COMBINATION,
                         PZ("property1", ROW_TRACKING_ENABLED),
                         PZ("property2", ROW_TRACKING_SUSPENDED));
    for (size_t i = 0; names.id.len && m->schema && i < m->schema->structure.count; i++) {
        const Field *f = &m->schema->structure.fields[i];
        Str physical = delta_physical_name(f, metadata_column_mapping(m), err->arena);
        bool is_id = str_eq(f->name, names.id) || str_eq(physical, names.id);
        if (is_id || str_eq(f->name, names.version) || str_eq(physical, names.version))
            return error_set(err, ERR_DELTA_ADDING_COLUMN_WITH_INTERNAL_NAME_FAILED,
                             P("colName", is_id ? names.id : names.version));
    }
    return true;
}

int64_t row_id_high_of(Str configuration)
{
    AUTO_ARENA(scratch) = arena_new();
    Error ignored = error_in(scratch);
    yyjson_val *root;
    if (!configuration.len ||
        !json_parse(configuration, S(ROW_TRACKING_DOMAIN), scratch, &root, &ignored))
        return -1;
    int64_t high = json_get_i64(root, "rowIdHighWaterMark", -1);
    return high < 0 ? -1 : high;
}
