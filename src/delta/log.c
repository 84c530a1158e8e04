/* Listing _delta_log and choosing the checkpoint and the commits that make up a version. */
#include <stdio.h>
#include <string.h>

#include "delta/log_impl.h"

enum { VERSION_DIGITS = 20, PART_DIGITS = 10, UUID_LEN = 36 };

Str log_commit_path(int64_t version, Arena *arena)
{
    return str_printf(arena, LOG_FOLDER "/%020lld.json", (long long)version);
}

static bool take_number(Str *name, size_t digits, int64_t *out)
{
    if (name->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++)
        if (name->ptr[i] < '0' || name->ptr[i] > '9')
            return false;
    bool ok = str_to_i64(str_slice(*name, 0, digits), out);
    *name = str_slice(*name, digits, name->len);
    return ok;
}

static bool take(Str *name, Str prefix)
{
    if (!str_starts_with(*name, prefix))
        return false;
    *name = str_slice(*name, prefix.len, name->len);
    return true;
}

int64_t log_commit_version(Str name)
{
    int64_t version;
    return take_number(&name, VERSION_DIGITS, &version) && str_is(name, ".json") ? version : -1;
}

static bool read_compaction_name(Str name, LogCompaction *out)
{
    return take_number(&name, VERSION_DIGITS, &out->first) && take(&name, S(".")) &&
           take_number(&name, VERSION_DIGITS, &out->last) && str_is(name, ".compacted.json") &&
           out->first < out->last;
}

Str number_text(int64_t n, Arena *arena)
{
    return str_printf(arena, "%lld", (long long)n);
}

typedef struct CheckpointName {
    int64_t version;
    CheckpointForm form;
    int64_t part, parts;
} CheckpointName;

static bool read_checkpoint_name(Str name, CheckpointName *out)
{
    *out = (CheckpointName){.part = 1, .parts = 1};
    if (!take_number(&name, VERSION_DIGITS, &out->version) || !take(&name, S(".checkpoint")))
        return false;
    if (str_is(name, ".parquet"))
        return true;
    if (!take(&name, S(".")))
        return false;
    Str rest = name;
    if (take_number(&rest, PART_DIGITS, &out->part) && take(&rest, S(".")) &&
        take_number(&rest, PART_DIGITS, &out->parts) && str_is(rest, ".parquet")) {
        out->form = CHECKPOINT_MULTIPART;
        return out->part >= 1 && out->part <= out->parts;
    }
    out->part = out->parts = 1;
    if (name.len <= UUID_LEN)
        return false;
    rest = str_slice(name, UUID_LEN, name.len);
    out->form = str_is(rest, ".json") ? CHECKPOINT_UUID_JSON : CHECKPOINT_UUID_PARQUET;
    return out->form == CHECKPOINT_UUID_JSON || str_is(rest, ".parquet");
}

/* Parts of one set come in order; a set is kept only when its last part completes it. */
typedef struct PartSet {
    CheckpointName name;
    DeltaStrVec paths;
} PartSet;

static void add_checkpoint(LogListing *out, PartSet *open, CheckpointName name, const StoreEntry *e,
                           Arena *arena)
{
    if (name.form != CHECKPOINT_MULTIPART) {
        LogCheckpoint c = {name.version, name.form, {0}, e->modified_ms};
        vec_push(arena, &c.paths, e->path);
        vec_push(arena, &out->checkpoints, c);
        return;
    }
    bool continues = open->paths.len && open->name.version == name.version &&
                     open->name.parts == name.parts && name.part == (int64_t)open->paths.len + 1;
    if (!continues)
        *open = (PartSet){name, {0}};
    if (!continues && name.part != 1)
        return;
    vec_push(arena, &open->paths, e->path);
    if ((int64_t)open->paths.len == name.parts)
        vec_push(
            arena, &out->checkpoints,
            ((LogCheckpoint){name.version, CHECKPOINT_MULTIPART, open->paths, e->modified_ms}));
}

/* Multipart sets of different sizes at one version interleave by name ("1.2", "1.3", "2.2"): sort
 * parts by set. */
static bool is_part_before(const StoreEntry *a, const StoreEntry *b)
{
    CheckpointName x, y;
    Str folder = S(LOG_FOLDER "/");
    if (!read_checkpoint_name(str_slice(a->path, folder.len, a->path.len), &x) ||
        !read_checkpoint_name(str_slice(b->path, folder.len, b->path.len), &y))
        return false;
    if (x.version != y.version || x.form != CHECKPOINT_MULTIPART || y.form != CHECKPOINT_MULTIPART)
        return false;
    return x.parts != y.parts ? x.parts < y.parts : x.part < y.part;
}

static void order_parts(StoreEntryVec *files)
{
    for (size_t i = 1; i < files->len; i++)
        for (size_t j = i; j > 0 && is_part_before(&files->at[j], &files->at[j - 1]); j--) {
            StoreEntry swapped = files->at[j];
            files->at[j] = files->at[j - 1];
            files->at[j - 1] = swapped;
        }
}

bool log_list(Store *s, int64_t from_version, Arena *arena, LogListing *out, Error *err)
{
    StoreEntryVec files;
    PartSet open = {0};
    *out = (LogListing){0};
    TRY(store_list(s, S(LOG_FOLDER), str_printf(arena, "%020lld", (long long)from_version), arena,
                   &files, err));
    order_parts(&files);
    for (size_t i = 0; i < files.len; i++) {
        const StoreEntry *e = &files.at[i];
        Str name = str_slice(e->path, sizeof LOG_FOLDER, e->path.len);
        int64_t version = log_commit_version(name);
        CheckpointName checkpoint;
        LogCompaction compaction = {.path = e->path};
        if (read_compaction_name(name, &compaction))
            vec_push(arena, &out->compactions, compaction);
        if (version >= 0) {
            vec_push(arena, &out->commits,
                     ((LogCommit){version, e->path, e->size, e->modified_ms}));
            out->any = true;
        } else if (read_checkpoint_name(name, &checkpoint)) {
            out->any = true;
            if (e->size > 0)
                add_checkpoint(out, &open, checkpoint, e, arena);
        } else if (name.len > VERSION_DIGITS && name.ptr[0] >= '0' && name.ptr[0] <= '9') {
            vec_push(arena, &out->others, e->path);
        }
    }
    return true;
}

/* ---- the hint ---- */

bool log_read_hint(Store *s, int64_t *version, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Error ignored = error_in(scratch);
    Str text;
    bool found;
    yyjson_val *root;
    *version = -1;
    TRY(store_read(s, S(LOG_FOLDER "/_last_checkpoint"), LOG_HINT_MAX_BYTES, scratch, &found, &text,
                   err));
    if (!found || !json_parse(text, S("_last_checkpoint"), scratch, &root, &ignored))
        return true;
    Str checksum = json_get_str(root, "checksum");
    if (checksum.len && !str_eq(checksum, log_json_checksum(text, scratch)))
        return true;
    *version = json_get_i64(root, "version", -1);
    return true;
}

/* ---- segments ---- */

static const LogCheckpoint *newest_checkpoint(const LogListing *l, int64_t version,
                                              int64_t max_checkpoint)
{
    const LogCheckpoint *best = NULL;
    for (size_t i = 0; i < l->checkpoints.len; i++) {
        const LogCheckpoint *c = &l->checkpoints.at[i];
        if ((version < 0 || c->version <= version) && c->version <= max_checkpoint &&
            (!best || c->version > best->version ||
             (c->version == best->version && c->form >= best->form)))
            best = c;
    }
    return best;
}

static Str version_list(const LogCommitVec *commits, Arena *arena)
{
    Buf b = buf_in(arena);
    for (size_t i = 0; i < commits->len; i++)
        buf_addf(&b, "%s%lld", i ? ", " : "", (long long)commits->at[i].version);
    return buf_str(&b);
}

static bool fail_gap(const LogCommitVec *commits, int64_t before, int64_t after, int64_t wanted,
                     Error *err)
{
    return error_set(err, ERR_DELTA_VERSIONS_NOT_CONTIGUOUS,
                     P("versionList", version_list(commits, err->arena)),
                     P("startVersion", number_text(before, err->arena)),
                     P("endVersion", number_text(after, err->arena)),
                     P("versionToLoad", number_text(wanted, err->arena)));
}

static bool fail_truncated(Store *s, int64_t version, Error *err)
{
    return error_set(err, ERR_DELTA_TRUNCATED_TRANSACTION_LOG,
                     P("path", str_printf(err->arena, STR_FMT "/" LOG_FOLDER "/%020d.json",
                                          STR_ARG(store_root(s)), 0)),
                     P("version", number_text(version, err->arena)),
                     PZ("logRetentionKey", "delta.logRetentionDuration"),
                     PZ("logRetention", "30 days"),
                     PZ("checkpointRetentionKey", "delta.checkpointRetentionDuration"),
                     PZ("checkpointRetention", "2 days"));
}

/* Fills the commits after the checkpoint; *complete false when the wanted version is not reached.
 */
static bool choose(Store *s, const LogListing *l, int64_t version, int64_t max_checkpoint,
                   Arena *arena, LogSegment *out, bool *complete, Error *err)
{
    const LogCheckpoint *checkpoint = newest_checkpoint(l, version, max_checkpoint);
    int64_t next = checkpoint ? checkpoint->version + 1 : 0;
    *out = (LogSegment){.version = next - 1, .compactions = l->compactions, .size = -1};
    *complete = false;
    if (checkpoint) {
        out->has_checkpoint = true;
        out->checkpoint = *checkpoint;
        out->modified_ms = checkpoint->modified_ms;
    }
    for (size_t i = 0; i < l->commits.len; i++) {
        const LogCommit *c = &l->commits.at[i];
        if (version >= 0 && c->version > version)
            break;
        if (c->version == next - 1) { /* the checkpoint's own commit tells its time */
            out->modified_ms = c->modified_ms;
            out->size = c->size;
        }
        if (c->version < next)
            continue;
        if (c->version != next && !out->has_checkpoint && next == 0) {
            if (version >= 0)
                break; /* its beginning was cleaned up: not complete */
            return fail_truncated(s, l->commits.at[l->commits.len - 1].version, err);
        }
        if (c->version != next)
            return fail_gap(&l->commits, next - 1, c->version, version, err);
        vec_push(arena, &out->commits, *c);
        out->version = next++;
        out->modified_ms = c->modified_ms;
        out->size = c->size;
    }
    *complete = out->version >= 0 && (version < 0 || out->version == version);
    return true;
}

bool log_fail_version(Store *s, int64_t version, Arena *arena, Error *err)
{
    int64_t earliest, latest;
    TRY(log_range(s, arena, &earliest, &latest, err));
    return error_set(err, ERR_DELTA_VERSION_NOT_FOUND,
                     P("userVersion", number_text(version, err->arena)),
                     P("earliest", number_text(earliest, err->arena)),
                     P("latest", number_text(latest, err->arena)));
}

bool log_segment(Store *s, int64_t version, int64_t max_checkpoint, Arena *arena, LogSegment *out,
                 bool *exists, Error *err)
{
    LogListing listing;
    int64_t hint;
    bool complete;
    *exists = true;
    TRY(log_read_hint(s, &hint, err));
    if (hint >= 0 && hint <= max_checkpoint && (version < 0 || hint <= version)) {
        TRY(log_list(s, hint, arena, &listing, err));
        if (newest_checkpoint(&listing, version, max_checkpoint)) {
            TRY(choose(s, &listing, version, max_checkpoint, arena, out, &complete, err));
            if (complete)
                return true;
        }
    }
    TRY(log_list(s, 0, arena, &listing, err));
    if (!listing.any) {
        *exists = false;
        return true;
    }
    TRY(choose(s, &listing, version, max_checkpoint, arena, out, &complete, err));
    if (complete)
        return true;
    if (version >= 0)
        return log_fail_version(s, version, arena, err);
    return error_set(
        err, ERR_DELTA_NO_COMMITS_FOUND,
        P("logPath", str_printf(err->arena, STR_FMT "/" LOG_FOLDER, STR_ARG(store_root(s)))));
}

bool log_read_piece(Store *s, Str path, int64_t size, int64_t offset, Arena *arena, bool *found,
                    Str *out, Error *err)
{
    for (int64_t most = LOG_PIECE_BYTES;; most *= 2) {
        int64_t len = size - offset < most ? size - offset : most;
        TRY(store_read_range(s, path, offset, (size_t)len, arena, found, out, err));
        if (!*found || offset + len == size)
            return true;
        ptrdiff_t newline = str_rfind_char(*out, '\n');
        if (newline >= 0) {
            out->len = (size_t)newline + 1;
            return true;
        }
    }
}

bool log_range(Store *s, Arena *arena, int64_t *earliest, int64_t *latest, Error *err)
{
    LogListing l;
    TRY(log_list(s, 0, arena, &l, err));
    *latest = l.commits.len ? vec_last(&l.commits).version : -1;
    /* Version 0 can be rebuilt from commits; later beginnings need a checkpoint below them. */
    int64_t first = l.commits.len ? l.commits.at[0].version : -1;
    *earliest = first == 0 ? 0 : -1;
    for (size_t i = 0; i < l.checkpoints.len; i++) {
        int64_t v = l.checkpoints.at[i].version;
        if (*earliest < 0 && v >= first - 1)
            *earliest = v;
        if (v > *latest)
            *latest = v;
    }
    if (*earliest < 0)
        return error_set(
            err, ERR_DELTA_NO_RECREATABLE_HISTORY_FOUND,
            P("logPath", str_printf(err->arena, STR_FMT "/" LOG_FOLDER, STR_ARG(store_root(s)))));
    return true;
}
