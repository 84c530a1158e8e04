/* Columns, constraints and clauses of a table. */
#include "sql/parser_impl.h"

/* ---- constraints ---- */

bool is_constraint_start(const Parser *p)
{
    TokenKind next = kind_at(p, 1);
    switch (current(p)) {
    case KW_CONSTRAINT:
        return is_name_at(p, 1) && (kind_at(p, 2) == KW_CHECK || kind_at(p, 2) == KW_PRIMARY ||
                                    kind_at(p, 2) == KW_UNIQUE || kind_at(p, 2) == KW_FOREIGN ||
                                    kind_at(p, 2) == KW_REFERENCES);
    case KW_CHECK:
    case KW_UNIQUE: return next == TOK_LEFT_PAREN;
    case KW_PRIMARY:
    case KW_FOREIGN: return next == KW_KEY;
    default: return false;
    }
}

/* [NOT] ENFORCED, RELY, NORELY */
static void skip_characteristics(Parser *p)
{
    while (accept(p, KW_ENFORCED) || accept_two(p, KW_NOT, KW_ENFORCED) || accept(p, KW_RELY) ||
           accept(p, KW_NORELY))
        ;
}

static bool parse_references(Parser *p)
{
    Name table;
    StrVec columns = {0};
    TRY(expect(p, KW_REFERENCES));
    TRY(parse_multipart(p, &table));
    return !is_at(p, TOK_LEFT_PAREN) || parse_identifier_list(p, &columns);
}

static bool parse_check(Parser *p, TableConstraint *out)
{
    advance(p);
    TRY(expect(p, TOK_LEFT_PAREN));
    size_t at = mark(p);
    TRY(parse_expression(p, &out->check));
    out->check_sql = source_text(p, at);
    out->kind = S("CHECK");
    return expect(p, TOK_RIGHT_PAREN);
}

/* At CHECK, PRIMARY, UNIQUE, FOREIGN or REFERENCES. Keys are recorded by kind only: nothing
 * enforces them. */
bool parse_constraint(Parser *p, Str name, TableConstraint *out)
{
    StrVec columns = {0};
    *out = (TableConstraint){.name = name};
    switch (current(p)) {
    case KW_CHECK: TRY(parse_check(p, out)); break;
    case KW_PRIMARY:
    case KW_UNIQUE:
        out->kind = is_at(p, KW_UNIQUE) ? S("UNIQUE") : S("PRIMARY KEY");
        advance(p);
        if (str_is(out->kind, "PRIMARY KEY"))
            TRY(expect(p, KW_KEY));
        if (is_at(p, TOK_LEFT_PAREN))
            TRY(parse_identifier_list(p, &columns));
        break;
    case KW_FOREIGN:
        advance(p);
        TRY(expect(p, KW_KEY));
        TRY(parse_identifier_list(p, &columns));
        TRY(parse_references(p));
        out->kind = S("FOREIGN KEY");
        break;
    case KW_REFERENCES:
        TRY(parse_references(p));
        out->kind = S("FOREIGN KEY");
        break;
    default: return syntax_error(p);
    }
    skip_characteristics(p);
    return true;
}

/* ---- columns ---- */

/* Which options of a column were given, and the first that came twice. */
typedef struct OptionCount {
    bool not_null, has_default, comment, generated;
    const char *twice;
} OptionCount;

static void count_option(OptionCount *count, bool *seen, const char *name)
{
    if (*seen && !count->twice)
        count->twice = name;
    *seen = true;
}

static bool duplicate_option(Parser *p, const ColumnDef *column, const char *option, bool in_alter,
                             size_t from)
{
    Str name = dotted(p, &column->name);
    if (in_alter)
        return REFUSE(p, from, ERR_ALTER_TABLE_COLUMN_DESCRIPTOR_DUPLICATE, PZ("type", "ADD"),
                      P("columnName", name), PZ("optionName", option));
    return REFUSE(p, from, ERR_CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE, P("columnName", name),
                  PZ("optionName", option));
}

static bool parse_signed_integer(Parser *p, int64_t *out)
{
    bool minus = accept(p, TOK_MINUS);
    Str text = token_text(p, peek_at(p, 0));
    if (is_at(p, TOK_BIGINT))
        text.len--;
    else if (!is_at(p, TOK_INTEGER))
        return syntax_error(p);
    if (minus)
        text = str_concat(p->arena, S("-"), text);
    if (!str_to_i64(text, out))
        return syntax_error(p);
    advance(p);
    return true;
}

/* (START WITH n INCREMENT BY m) */
static bool parse_identity_options(Parser *p, ColumnDef *column, size_t from)
{
    bool start = false, step = false;
    advance(p);
    while (!is_at(p, TOK_RIGHT_PAREN)) {
        bool is_start = is_at(p, KW_START);
        if (!is_start && !is_at(p, KW_INCREMENT))
            return syntax_error(p);
        if (is_start ? start : step)
            return REFUSE(p, from, ERR_IDENTITY_COLUMNS_DUPLICATED_SEQUENCE_GENERATOR_OPTION,
                          PZ("sequenceGeneratorOption", is_start ? "START" : "STEP"));
        advance(p);
        TRY(expect(p, is_start ? KW_WITH : KW_BY));
        TRY(parse_signed_integer(p, is_start ? &column->identity_start : &column->identity_step));
        *(is_start ? &start : &step) = true;
    }
    advance(p);
    if (!column->identity_step)
        return REFUSE(p, from, ERR_IDENTITY_COLUMNS_ILLEGAL_STEP);
    return true;
}

/* GENERATED ALWAYS AS (e) | GENERATED (ALWAYS | BY DEFAULT) AS IDENTITY (..) */
static bool parse_generated(Parser *p, ColumnDef *column, size_t from)
{
    advance(p);
    bool always = accept(p, KW_ALWAYS);
    if (!always) {
        TRY(expect(p, KW_BY));
        TRY(expect(p, KW_DEFAULT));
    }
    TRY(expect(p, KW_AS));
    if (accept(p, KW_IDENTITY)) {
        column->is_identity = true;
        column->identity_always = always;
        column->identity_start = column->identity_step = 1;
        return !is_at(p, TOK_LEFT_PAREN) || parse_identity_options(p, column, from);
    }
    if (!always)
        return syntax_error(p);
    TRY(expect(p, TOK_LEFT_PAREN));
    size_t at = mark(p);
    TRY(parse_expression(p, &column->generated));
    column->generated_sql = source_text(p, at);
    return expect(p, TOK_RIGHT_PAREN);
}

static bool parse_default(Parser *p, ColumnDef *column)
{
    advance(p);
    size_t at = mark(p);
    TRY(parse_expression(p, &column->default_value));
    column->default_sql = source_text(p, at);
    return true;
}

/* One option behind the type; *found is false at anything else. */
static bool parse_column_option(Parser *p, bool in_alter, size_t from, OptionCount *count,
                                ColumnDef *column, bool *found)
{
    *found = true;
    if (accept_two(p, KW_NOT, KW_NULL)) {
        count_option(count, &count->not_null, "NOT NULL");
        column->not_null = true;
    } else if (is_at(p, KW_DEFAULT) && kind_at(p, 1) != KW_COLLATION) {
        count_option(count, &count->has_default, "DEFAULT");
        return parse_default(p, column);
    } else if (is_at(p, KW_COMMENT)) {
        count_option(count, &count->comment, "COMMENT");
        advance(p);
        column->has_comment = true;
        return parse_string(p, &column->comment);
    } else if (!in_alter && is_at(p, KW_GENERATED)) {
        count_option(count, &count->generated, "GENERATED ALWAYS AS");
        return parse_generated(p, column, from);
    } else if (in_alter && is_at(p, KW_FIRST)) {
        advance(p);
        column->first = true;
    } else if (in_alter && is_at(p, KW_AFTER)) {
        advance(p);
        return parse_captured_identifier(p, &column->after);
    } else {
        *found = false;
    }
    return true;
}

bool parse_column_definition(Parser *p, bool in_alter, ColumnDef *out)
{
    size_t from = mark(p);
    *out = (ColumnDef){0};
    if (in_alter) {
        TRY(parse_multipart(p, &out->name));
    } else {
        Str name;
        TRY(parse_captured_identifier(p, &name));
        vec_push(p->arena, &out->name, name);
    }
    TRY(parse_type(p, &out->type));
    OptionCount count = {0};
    for (bool found = true; found;)
        TRY(parse_column_option(p, in_alter, from, &count, out, &found));
    out->origin = origin_from(p, from);
    return !count.twice || duplicate_option(p, out, count.twice, in_alter, from);
}

/* Constraints behind a column belong to the table. */
static bool parse_column_constraints(Parser *p, TableSpec *spec)
{
    for (;;) {
        bool named = is_at(p, KW_CONSTRAINT);
        Str name = {0};
        bool starts = named || is_at(p, KW_CHECK) || is_at(p, KW_PRIMARY) || is_at(p, KW_UNIQUE) ||
                      is_at(p, KW_REFERENCES);
        if (!starts)
            return true;
        if (named) {
            advance(p);
            TRY(parse_captured_identifier(p, &name));
        }
        TableConstraint constraint;
        TRY(parse_constraint(p, name, &constraint));
        vec_push(p->arena, &spec->constraints, constraint);
    }
}

static bool parse_table_element(Parser *p, TableSpec *spec)
{
    if (is_constraint_start(p)) {
        TableConstraint constraint;
        Str name = {0};
        if (accept(p, KW_CONSTRAINT))
            TRY(parse_captured_identifier(p, &name));
        TRY(parse_constraint(p, name, &constraint));
        vec_push(p->arena, &spec->constraints, constraint);
        return true;
    }
    ColumnDef column;
    TRY(parse_column_definition(p, false, &column));
    TRY(parse_column_constraints(p, spec));
    vec_push(p->arena, &spec->columns, column);
    return true;
}

/* (a COMMENT 'x', b): the columns of a view. */
bool parse_column_comment_list(Parser *p, ColumnDefVec *out)
{
    advance(p);
    do {
        size_t from = mark(p);
        ColumnDef column = {0};
        Str name;
        TRY(parse_identifier(p, &name));
        vec_push(p->arena, &column.name, name);
        column.has_comment = accept(p, KW_COMMENT);
        if (column.has_comment)
            TRY(parse_string(p, &column.comment));
        column.origin = origin_from(p, from);
        vec_push(p->arena, out, column);
    } while (accept(p, TOK_COMMA));
    return expect_list_end(p, TOK_RIGHT_PAREN);
}

/* ---- PARTITIONED BY ---- */

/* A transform is an expression; "d DATE" is a column with a type, as in Hive. */
static bool parse_partition_field(Parser *p, TableSpec *spec)
{
    bool typed = is_name_at(p, 0) && is_name_at(p, 1);
    if (typed) {
        ColumnDef column;
        TRY(parse_column_definition(p, false, &column));
        vec_push(p->arena, &spec->partition_columns, column);
        return true;
    }
    Expr *e;
    TRY(parse_expression(p, &e));
    vec_push(p->arena, &spec->partition_by, e);
    return true;
}

static bool parse_partitioned_by(Parser *p, TableSpec *spec)
{
    size_t from = mark(p);
    TRY(expect(p, TOK_LEFT_PAREN));
    do
        TRY(parse_partition_field(p, spec));
    while (accept(p, TOK_COMMA));
    TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    if (spec->partition_by.len && spec->partition_columns.len)
        return refuse_operation(
            p, from, "PARTITION BY: Cannot mix partition expressions and partition columns");
    return true;
}

/* CLUSTER BY (a, b) | AUTO | NONE */
bool parse_cluster_by(Parser *p, TableSpec *spec)
{
    spec->cluster_by_given = true;
    if (accept_word(p, "AUTO")) {
        spec->cluster_by_auto = true;
        return true;
    }
    if (accept(p, KW_NONE))
        return true;
    if (!is_at(p, TOK_LEFT_PAREN))
        return syntax_error(p);
    if (kind_at(p, 1) == TOK_RIGHT_PAREN) {
        p->pos += 2;
        return true;
    }
    return parse_dotted_list(p, &spec->cluster_by);
}

/* (a, b) [SORTED BY (c ASC)] INTO n BUCKETS */
static bool parse_buckets(Parser *p, TableSpec *spec)
{
    TRY(parse_identifier_list(p, &spec->bucket_by));
    if (accept_two(p, KW_SORTED, KW_BY)) {
        TRY(expect(p, TOK_LEFT_PAREN));
        do {
            Str name;
            size_t from = mark(p);
            TRY(parse_identifier(p, &name));
            vec_push(p->arena, &spec->sort_by, name);
            if (!accept(p, KW_ASC) && accept(p, KW_DESC))
                return REFUSE(p, from, ERR__LEGACY_ERROR_TEMP_0035, PZ("message", "Column ordering must be ASC, was 'DESC'"));
        } while (accept(p, TOK_COMMA));
        TRY(expect_list_end(p, TOK_RIGHT_PAREN));
    }
    TRY(expect(p, KW_INTO));
    TRY(parse_integer(p, &spec->buckets));
    return expect(p, KW_BUCKETS);
}

/* ---- clauses ---- */

/* Clauses that may be given once. */
enum {
    CLAUSE_USING = 1,
    CLAUSE_OPTIONS = 2,
    CLAUSE_PARTITION = 4,
    CLAUSE_CLUSTER = 8,
    CLAUSE_LOCATION = 16,
    CLAUSE_COMMENT = 32,
    CLAUSE_PROPERTIES = 64,
    CLAUSE_BUCKETS = 128,
    CLAUSE_COLLATION = 256
};

typedef struct ClauseRow {
    unsigned bit;
    uint16_t first, second; /* second 0: one word */
    const char *name;
} ClauseRow;

static const ClauseRow clauses[] = {
    {CLAUSE_USING, KW_USING, 0, "USING"},
    {CLAUSE_OPTIONS, KW_OPTIONS, 0, "OPTIONS"},
    {CLAUSE_PARTITION, KW_PARTITIONED, KW_BY, "PARTITIONED BY"},
    {CLAUSE_CLUSTER, KW_CLUSTER, KW_BY, "CLUSTER BY"},
    {CLAUSE_BUCKETS, KW_CLUSTERED, KW_BY, "CLUSTERED BY"},
    {CLAUSE_LOCATION, KW_LOCATION, 0, "LOCATION"},
    {CLAUSE_COMMENT, KW_COMMENT, 0, "COMMENT"},
    {CLAUSE_PROPERTIES, KW_TBLPROPERTIES, 0, "TBLPROPERTIES"},
    {CLAUSE_COLLATION, KW_DEFAULT, KW_COLLATION, "DEFAULT COLLATION"},
};

static const ClauseRow *accept_clause(Parser *p)
{
    for (size_t i = 0; i < LENGTH_OF(clauses); i++) {
        const ClauseRow *row = &clauses[i];
        if (row->second ? accept_two(p, row->first, row->second) : accept(p, row->first))
            return row;
    }
    return NULL;
}

static bool parse_clause(Parser *p, unsigned clause, TableSpec *spec)
{
    Name provider;
    switch (clause) {
    case CLAUSE_USING:
        TRY(parse_multipart(p, &provider));
        spec->provider = dotted(p, &provider);
        return true;
    case CLAUSE_OPTIONS: return parse_expression_properties(p, &spec->options);
    case CLAUSE_PARTITION: return parse_partitioned_by(p, spec);
    case CLAUSE_CLUSTER: return parse_cluster_by(p, spec);
    case CLAUSE_BUCKETS: return parse_buckets(p, spec);
    case CLAUSE_LOCATION: return parse_string(p, &spec->location);
    case CLAUSE_COMMENT: return parse_string(p, &spec->comment);
    case CLAUSE_COLLATION: return parse_collation_name(p, &spec->collation);
    default: return parse_properties(p, &spec->properties);
    }
}

/* Hive's own storage clauses. */
static bool refuse_hive(Parser *p, size_t from)
{
    TokenKind next = kind_at(p, 1);
    if (is_at(p, KW_STORED) && (next == KW_AS || next == KW_BY))
        return refuse_unsupported(p, from, "STORED AS and STORED BY (Hive tables); use USING");
    if (is_at(p, KW_ROW) && next == KW_FORMAT)
        return refuse_unsupported(p, from, "ROW FORMAT (Hive tables); use USING");
    if (is_at(p, KW_SKEWED) && next == KW_BY)
        return refuse_operation(p, from, "CREATE TABLE ... SKEWED BY");
    return true;
}

bool parse_table_clauses(Parser *p, TableSpec *spec)
{
    unsigned seen = 0;
    const ClauseRow *row;
    while ((row = accept_clause(p))) {
        if (seen & row->bit & CLAUSE_USING)
            return syntax_error_at(p, p->pos - 1);
        if (seen & row->bit)
            return REFUSE_STATEMENT(p, ERR_DUPLICATE_CLAUSES, PZ("clauseName", row->name));
        seen |= row->bit;
        TRY(parse_clause(p, row->bit, spec));
    }
    if ((seen & CLAUSE_CLUSTER) && (seen & CLAUSE_PARTITION))
        return REFUSE_STATEMENT(p, ERR_SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED);
    return refuse_hive(p, p->pos);
}

bool parse_table_spec(Parser *p, TableSpec *spec, bool *has_columns)
{
    *has_columns = is_at(p, TOK_LEFT_PAREN) && !is_query_start(p, 0);
    if (*has_columns) {
        advance(p);
        do
            TRY(parse_table_element(p, spec));
        while (accept(p, TOK_COMMA));
        TRY(expect(p, TOK_RIGHT_PAREN));
    }
    return parse_table_clauses(p, spec);
}
