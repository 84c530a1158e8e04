/* spark.read.json and csv over a DataFrame of strings: each row is one record. */
#include "analyze/analyze_impl.h"

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

bool analyze_parse(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    bool json = str_is(rel->parse.format, "json");
    const Type *schema = rel->parse.schema;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    if (input->columns.len != 1 || !type_is_stringy(input->columns.at[0].type))
        return error_unsupported(err, "reading records from a DataFrame that is not one column of strings");
    if (!json && (!str_is(rel->parse.format, "csv") || !schema))
        return error_unsupported(err, "reading " STR_FMT " from a DataFrame of strings%s", STR_ARG(rel->parse.format), schema ? "" : " without a schema");
    if (!schema)
        TRY(infer(a, input, &schema, err));
    BoundExprVec options = {0};
    for (size_t i = 0; i < rel->parse.options.len; i++) {
        vec_push(a->arena, &options, bound_literal(value_string(rel->parse.options.at[i].key), a->arena));
        vec_push(a->arena, &options, bound_literal(value_string(rel->parse.options.at[i].value), a->arena));
    }
    BoundExpr *args[3] = {bound_column(&input->columns.at[0], a->arena), bound_literal(value_string(type_json(schema, a->arena)), a->arena)};
    BoundExpr *record;
    if (options.len)
        TRY(bind_builtin(a, "map", options.len, options.at, (Origin){0, -1}, &args[2], err));
    TRY(bind_builtin(a, json ? "from_json" : "from_csv", options.len ? 3 : 2, args, (Origin){0, -1}, &record, err));
    BoundRel *parsed = brel_new(BREL_PROJECT, input, a->arena);
    project_push(a, parsed, record, new_column(a, S("record"), record->type, true));
    BoundRel *p = brel_new(BREL_PROJECT, parsed, a->arena);
    for (size_t i = 0; i < record->type->structure.count; i++) {
        BoundExpr *field = bound_new(BEXPR_FIELD, record->type->structure.fields[i].type, true, a->arena);
        field->field.child = bound_column(&parsed->columns.at[0], a->arena);
        field->field.index = i;
        project_push(a, p, field, new_column(a, record->type->structure.fields[i].name, field->type, true));
    }
    *out = p;
    return true;
}
