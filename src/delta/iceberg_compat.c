/* What icebergCompatV1, V2 and V3 ask of a table, as Delta checks it. */
#include "delta/iceberg_compat.h"

#include "delta/feature.h"
#include "delta/row_tracking.h"
#include "delta/schema.h"

enum { NEWEST = 3 };
#define MODE "delta.columnMapping.mode"

static bool is_enabled(const Metadata *m, int version)
{
    static const char *const KEYS[] = {"delta.enableIcebergCompatV1", "delta.enableIcebergCompatV2",
                                       "delta.enableIcebergCompatV3"};
    return metadata_property_bool(m, KEYS[version - 1], false);
}

int iceberg_compat_version(const Metadata *m)
{
    for (int v = 1; v <= NEWEST; v++)
        if (is_enabled(m, v))
            return v;
    return 0;
}

static void set_unless_given(Metadata *m, const char *key, const char *value, Arena *arena)
{
    if (!property_find(&m->configuration, str_from(key)))
        metadata_set_property(m, str_from(key), str_from(value), arena);
}

void iceberg_compat_complete(Metadata *m, Arena *arena)
{
    int version = iceberg_compat_version(m);
    if (!version)
        return;
    set_unless_given(m, MODE, "name", arena);
    set_unless_given(m, "delta.universalFormat.iceberg.atomicConversion.supported", "true", arena);
    if (version == 3)
        set_unless_given(m, ROW_TRACKING_ENABLED, "true", arena);
}

/* ---- types ---- */

static bool takes_type(int version, const Type *t)
{
    switch (t->kind) {
    case TYPE_BYTE: case TYPE_SHORT: case TYPE_INT: case TYPE_LONG: case TYPE_FLOAT: case TYPE_DOUBLE:
    case TYPE_DECIMAL: case TYPE_STRING: case TYPE_BINARY: case TYPE_BOOLEAN: case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: case TYPE_DATE: case TYPE_STRUCT:
        return true;
    case TYPE_ARRAY: case TYPE_MAP: return version > 1;
    case TYPE_VARIANT: return version == 3;
    default: return version == 1 && t->kind != TYPE_NULL;
    }
}

/* The first type inside that Iceberg does not have; NULL: none. */
static const Type *strange_type(int version, const Type *t)
{
    const Type *found = takes_type(version, t) ? NULL : t;
    if (found)
        return found;
    if (t->kind == TYPE_ARRAY)
        return strange_type(version, t->array.element);
    if (t->kind == TYPE_MAP) {
        found = strange_type(version, t->map.key);
        return found ? found : strange_type(version, t->map.value);
    }
    for (size_t i = 0; !found && t->kind == TYPE_STRUCT && i < t->structure.count; i++)
        found = strange_type(version, t->structure.fields[i].type);
    return found;
}

static Str plain_name(const Type *t, Arena *arena)
{
    static const char *const NESTED[] = {[TYPE_ARRAY] = "array", [TYPE_MAP] = "map", [TYPE_STRUCT] = "struct"};
    return type_is_nested(t) ? str_from(NESTED[t->kind]) : type_simple_string(t, arena);
}

static Str tree(const Type *schema, Arena *arena)
{
    return str_concat(arena, S("root\n"), type_tree_string(schema, 0, arena));
}

/* Iceberg widens integers, floats, and decimals of one scale. */
static bool widened_too_far(const Type *t, Arena *arena, Str *field, Str *from, Str *to)
{
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        yyjson_val *root, *change;
        size_t k, n;
        Error ignored = error_in(arena);
        if (widened_too_far(f->type, arena, field, from, to))
            return true;
        Str text = field_metadata_get(f, "delta.typeChanges", arena);
        if (!text.len || !json_parse(text, S("delta.typeChanges"), arena, &root, &ignored))
            continue;
        yyjson_arr_foreach (root, k, n, change) {
            *field = f->name;
            *from = json_get_str(change, "fromType");
            *to = json_get_str(change, "toType");
            bool whole = str_is(*to, "integer") || str_is(*to, "short") || (str_is(*to, "long") && !str_is(*from, "decimal"));
            bool real = str_is(*from, "float") && str_is(*to, "double");
            ptrdiff_t a = str_find_char(*from, ','), b = str_find_char(*to, ',');
            bool decimal = a > 0 && b > 0 && str_eq(str_slice(*from, (size_t)a, from->len), str_slice(*to, (size_t)b, to->len));
            if (!whole && !real && !decimal)
                return true;
        }
    }
    if (t->kind == TYPE_ARRAY)
        return widened_too_far(t->array.element, arena, field, from, to);
    return t->kind == TYPE_MAP && (widened_too_far(t->map.key, arena, field, from, to) ||
                                   widened_too_far(t->map.value, arena, field, from, to));
}

/* ---- the rules ---- */

static Str shown_names(const DeltaStrVec *names, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addc(&b, '(');
    for (size_t i = 0; i < names->len; i++)
        buf_addf(&b, "%s" STR_FMT, i ? "," : "", STR_ARG(names->at[i]));
    buf_addc(&b, ')');
    return buf_str(&b);
}

static bool same_names(const DeltaStrVec *a, const DeltaStrVec *b)
{
    bool same = a->len == b->len;
    for (size_t i = 0; same && i < a->len; i++)
        same = str_eq(a->at[i], b->at[i]);
    return same;
}

static bool check_properties(const Metadata *m, Str v, int version, Error *err)
{
    for (int other = 1; other <= NEWEST; other++)
        if (other != version && is_enabled(m, other))
            return error_set(err, ERR_DELTA_ICEBERG_COMPAT_VIOLATION__VERSION_MUTUAL_EXCLUSIVE, P("version", v));
    if (metadata_column_mapping(m) == MAPPING_NONE)
        return error_set(err, ERR_DELTA_ICEBERG_COMPAT_VIOLATION__WRONG_REQUIRED_TABLE_PROPERTY, P("version", v), PZ("key", MODE),
                         PZ("requiredValue", "name"), PZ("actualValue", "NoMapping"));
    if (version == 3 && !metadata_property_bool(m, ROW_TRACKING_ENABLED, false))
        return error_set(err, ERR_DELTA_ICEBERG_COMPAT_VIOLATION__WRONG_REQUIRED_TABLE_PROPERTY, P("version", v), PZ("key", ROW_TRACKING_ENABLED),
                         PZ("requiredValue", "true"), PZ("actualValue", "false"));
    return true;
}

static bool check_schema(const Metadata *m, Str v, int version, Error *err)
{
    Str field, from, to;
    Arena *a = err->arena;
    const Type *strange = strange_type(version, m->schema);
    if (strange)
        return error_set(err, ERR_DELTA_ICEBERG_COMPAT_VIOLATION__UNSUPPORTED_DATA_TYPE, P("version", v), P("dataType", plain_name(strange, a)),
                         P("schema", tree(m->schema, a)));
    return !widened_too_far(m->schema, a, &field, &from, &to) ||
           error_set(err, ERR_DELTA_ICEBERG_COMPAT_VIOLATION__UNSUPPORTED_TYPE_WIDENING, P("version", v), P("fieldPath", field), P("prevType", from),
                     P("newType", to));
}

bool iceberg_compat_check(const Metadata *m, const Metadata *before, const Protocol *p, Error *err)
{
    int version = iceberg_compat_version(m);
    if (!version)
        return !before || !is_enabled(before, NEWEST) || error_unsupported(err, "disabling icebergCompatV3");
    Str v = str_printf(err->arena, "%d", version);
    TRY(check_properties(m, v, version, err));
    if (before && before->partition_columns.len && !same_names(&before->partition_columns, &m->partition_columns))
        return error_set(err, ERR_DELTA_ICEBERG_COMPAT_VIOLATION__REPLACE_TABLE_CHANGE_PARTITION_NAMES, P("version", v),
                         P("prevPartitionSpec", shown_names(&before->partition_columns, err->arena)),
                         P("newPartitionSpec", shown_names(&m->partition_columns, err->arena)));
    static const char VECTORS[] = "delta.enableDeletionVectors";
    bool vectors = protocol_has_feature(p, "deletionVectors") && (metadata_property_bool(m, VECTORS, false) || (before && metadata_property_bool(before, VECTORS, false)));
    if (version < NEWEST && vectors)
        return error_set(err, ERR_DELTA_ICEBERG_COMPAT_VIOLATION__DELETION_VECTORS_SHOULD_BE_DISABLED, P("version", v));
    return check_schema(m, v, version, err);
}
