/* Records in a column of strings: spark.read.json and csv over a DataFrame, and XML files, whose reader gives the text of
 * each row's element. */
#include "analyze/analyze_impl.h"

#include "base/json.h"
#include "func/record_text.h"

enum { MAX_SAMPLE_ROWS = 1000000 };

/* The records as one JSON array: what its elements have in common is the schema. */
static bool infer(Analyzer *a, const BoundRel *input, const Type **out, Error *err)
{
    RowVec rows = {0};
    TRY(run_rows(a, input, MAX_SAMPLE_ROWS + 1, &rows, err));
    if (rows.len > MAX_SAMPLE_ROWS)
        return error_unsupported(err, "inferring the schema of more than %d records", MAX_SAMPLE_ROWS);
    Buf b = buf_in(a->arena);
    size_t n = 0;
    buf_addc(&b, '[');
    for (size_t i = 0; i < rows.len; i++) {
        const Value *v = &rows.at[i].cells[0];
        if (v->is_null || !str_trim(v->bytes).len)
            continue;
        buf_addz(&b, n++ ? ", " : "");
        buf_add(&b, v->bytes);
    }
    buf_addc(&b, ']');
    RecordOptions o;
    TRY(record_options_read(str_printf(a->arena, "{\"zone\": \"" STR_FMT "\"}", STR_ARG(a->func.zone)), a->arena, &o, err));
    const Type *t = record_infer_json(buf_str(&b), &o, a->arena);
    if (!t)
        return error_unsupported(err, "inferring a schema from malformed records");
    *out = t->kind == TYPE_ARRAY && t->array.element->kind == TYPE_STRUCT ? t->array.element : type_struct(NULL, 0, a->arena);
    return true;
}

/* The first column of the input is the record, the others stay beside its fields. */
static bool parse_records(Analyzer *a, BoundRel *input, const char *function, const Type *schema, const KeyValueVec *from,
                          BoundRel **out, Error *err)
{
    BoundExprVec options = {0};
    for (size_t i = 0; i < from->len; i++) {
        vec_push(a->arena, &options, bound_literal(value_string(from->at[i].key), a->arena));
        vec_push(a->arena, &options, bound_literal(value_string(from->at[i].value), a->arena));
    }
    BoundExpr *args[3] = {bound_column(&input->columns.at[0], a->arena), bound_literal(value_string(type_json(schema, a->arena)), a->arena)};
    BoundExpr *record;
    if (options.len)
        TRY(bind_builtin(a, "map", options.len, options.at, (Origin){0, -1}, &args[2], err));
    TRY(bind_builtin(a, function, options.len ? 3 : 2, args, (Origin){0, -1}, &record, err));
    BoundColumnVec others = {0};
    for (size_t i = 1; i < input->columns.len; i++)
        vec_push(a->arena, &others, input->columns.at[i]);
    BoundRel *parsed = project_columns(a, input, &others);
    BoundColumn c = new_column(a, S("record"), record->type, true);
    project_push(a, parsed, record, c);
    BoundRel *p = brel_new(BREL_PROJECT, parsed, a->arena);
    for (size_t i = 0; i < record->type->structure.count; i++) {
        BoundExpr *field = bound_new(BEXPR_FIELD, record->type->structure.fields[i].type, true, a->arena);
        field->field.child = bound_column(&c, a->arena);
        field->field.index = i;
        project_push(a, p, field, new_column(a, record->type->structure.fields[i].name, field->type, true));
    }
    for (size_t i = 0; i < others.len; i++)
        project_push(a, p, bound_column(&others.at[i], a->arena), others.at[i]);
    *out = p;
    return true;
}

bool analyze_parse(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    bool json = str_is(rel->parse.format, "json"), xml = str_is(rel->parse.format, "xml");
    const Type *schema = rel->parse.schema;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    if (input->columns.len != 1 || !type_is_stringy(input->columns.at[0].type))
        return error_unsupported(err, "reading records from a DataFrame that is not one column of strings");
    if (xml)
        return parse_xml_records(a, input, schema, &rel->parse.options, out, err);
    if (!json && (!str_is(rel->parse.format, "csv") || !schema))
        return error_unsupported(err, "reading " STR_FMT " from a DataFrame of strings%s", STR_ARG(rel->parse.format), schema ? "" : " without a schema");
    if (!schema)
        TRY(infer(a, input, &schema, err));
    return parse_records(a, input, json ? "from_json" : "from_csv", schema, &rel->parse.options, out, err);
}

/* ---- XML ---- */

/* The fields in the order of their names, the one for malformed records among them. */
static const Type *with_corrupt_field(Analyzer *a, const Type *t, Str name)
{
    size_t n = 0;
    Field *fields = ARENA_ARRAY(a->arena, Field, t->structure.count + 1);
    while (n < t->structure.count && str_cmp(t->structure.fields[n].name, name) < 0) {
        fields[n] = t->structure.fields[n];
        n++;
    }
    fields[n] = (Field){name, type_simple(TYPE_STRING), true, {0}};
    for (size_t i = n; i < t->structure.count; i++)
        fields[i + 1] = t->structure.fields[i];
    return type_struct(fields, t->structure.count + 1, a->arena);
}

static bool infer_xml(Analyzer *a, BoundRel *input, const KeyValueVec *options, const Type **out, Error *err)
{
    RowVec rows = {0};
    BoundColumnVec record = {0};
    StrVec records = {0};
    vec_push(a->arena, &record, input->columns.at[0]);
    TRY(run_rows(a, project_columns(a, input, &record), MAX_SAMPLE_ROWS + 1, &rows, err));
    if (rows.len > MAX_SAMPLE_ROWS)
        return error_unsupported(err, "inferring the schema of more than %d records", MAX_SAMPLE_ROWS);
    for (size_t i = 0; i < rows.len; i++)
        if (!rows.at[i].cells[0].is_null && str_trim(rows.at[i].cells[0].bytes).len)
            vec_push(a->arena, &records, rows.at[i].cells[0].bytes);
    Buf text = buf_in(a->arena);
    buf_addz(&text, "{\"zone\": ");
    json_put_str(&text, a->func.zone);
    for (size_t i = 0; i < options->len; i++) {
        buf_addz(&text, ", ");
        json_put_str(&text, str_lower(options->at[i].key, a->arena));
        buf_addz(&text, ": ");
        json_put_str(&text, options->at[i].value);
    }
    buf_addc(&text, '}');
    RecordOptions o;
    bool malformed;
    TRY(record_options_read(buf_str(&text), a->arena, &o, err));
    *out = record_infer_xml_rows(records.at, records.len, &o, a->arena, &malformed);
    if (!malformed)
        return true;
    *out = with_corrupt_field(a, *out, o.corrupt_column);
    return true;
}

/* Of the schema a program gives, the columns that folders' names do not give. */
static const Type *without_columns(Analyzer *a, const Type *schema, const BoundColumnVec *columns)
{
    Field *fields = ARENA_ARRAY(a->arena, Field, schema->structure.count + 1);
    size_t n = 0;
    for (size_t i = 0; i < schema->structure.count; i++) {
        bool given = false;
        for (size_t k = 1; k < columns->len; k++)
            given |= name_matches(a, columns->at[k].name, schema->structure.fields[i].name);
        if (!given)
            fields[n++] = schema->structure.fields[i];
    }
    return type_struct(fields, n, a->arena);
}

/* Mode DROPMALFORMED: a column of our own for malformed records, and only rows without one. */
static bool drop_malformed(Analyzer *a, BoundRel *input, const Type *schema, const KeyValueVec *options, BoundRel **out, Error *err)
{
    static const char NAME[] = "_lakeshed_malformed";
    KeyValueVec own = {0};
    BoundRel *all;
    for (size_t i = 0; i < options->len; i++)
        if (!str_is_ci(options->at[i].key, "mode") && !str_is_ci(options->at[i].key, "columnNameOfCorruptRecord"))
            vec_push(a->arena, &own, options->at[i]);
    if (schema)
        schema = with_corrupt_field(a, schema, str_from(NAME));
    vec_push(a->arena, &own, ((KeyValue){S("columnNameOfCorruptRecord"), str_from(NAME), NULL}));
    TRY(parse_xml_records(a, input, schema, &own, &all, err));
    BoundRel *filter = brel_new(BREL_FILTER, all, a->arena);
    BoundColumnVec kept = {0};
    filter->columns = all->columns;
    filter->filter.condition = bound_literal(value_bool(true), a->arena);
    for (size_t i = 0; i < all->columns.len; i++) {
        BoundExpr *e = bound_column(&all->columns.at[i], a->arena);
        if (str_is(all->columns.at[i].name, NAME))
            TRY(bind_builtin(a, "isnull", 1, &e, (Origin){0, -1}, &filter->filter.condition, err));
        else
            vec_push(a->arena, &kept, all->columns.at[i]);
    }
    *out = project_columns(a, filter, &kept);
    return true;
}

bool parse_xml_records(Analyzer *a, BoundRel *input, const Type *schema, const KeyValueVec *options, BoundRel **out, Error *err)
{
    if (str_is_ci(key_value_get(options, "mode"), "DROPMALFORMED"))
        return drop_malformed(a, input, schema, options, out, err);
    if (!schema)
        TRY(infer_xml(a, input, options, &schema, err));
    else
        schema = without_columns(a, schema, &input->columns);
    if (!schema->structure.count)
        return error_set(err, ERR_UNABLE_TO_INFER_SCHEMA, PZ("format", "xml"));
    return parse_records(a, input, "from_xml", schema, options, out, err);
}
