/* Reading protobuf safely: protobuf-c recurses without a limit and forgets how long its texts are. */
#include "connect/wire.h"

#include <string.h>

#include "base/buf.h"

typedef struct Frame {
    const ProtobufCMessageDescriptor *descriptor;
    size_t end;
} Frame;

static bool malformed(const ProtobufCMessageDescriptor *d, const char *reason, Error *err)
{
    return error_set(err, ERR_LAKESHED_MESSAGE_INVALID, PZ("message", d->name), PZ("reason", reason));
}

static bool read_varint(Str bytes, size_t *at, size_t end, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && *at < end; shift += 7) {
        uint8_t byte = (uint8_t)bytes.ptr[(*at)++];
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Steps over a field that is not a message; checks texts. */
static bool check_leaf(const ProtobufCFieldDescriptor *field, Str content)
{
    return field == NULL || field->type != PROTOBUF_C_TYPE_STRING || str_is_utf8(content);
}

bool wire_check(const ProtobufCMessageDescriptor *d, Str bytes, unsigned max_depth, Error *err)
{
    Frame *frames = arena_array(err->arena, max_depth + 1, sizeof *frames);
    unsigned depth = 0;
    size_t at = 0, fields = 0;
    frames[0] = (Frame){d, bytes.len};
    for (;;) {
        Frame *frame = &frames[depth];
        if (at == frame->end) {
            if (depth == 0)
                return true;
            depth--;
            continue;
        }
        uint64_t tag, len;
        if (!read_varint(bytes, &at, frame->end, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
            return malformed(d, "a field number is broken", err);
        if (++fields > WIRE_MAX_FIELDS)
            return malformed(d, "it has too many fields", err);
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(frame->descriptor, (unsigned)(tag >> 3));
        switch (tag & 7) {
        case 0:
            if (!read_varint(bytes, &at, frame->end, &len))
                return malformed(d, "a number is cut off", err);
            break;
        case 1:
        case 5:
            len = (tag & 7) == 1 ? 8 : 4;
            if (frame->end - at < len)
                return malformed(d, "a number is cut off", err);
            at += len;
            break;
        case 2:
            if (!read_varint(bytes, &at, frame->end, &len) || len > frame->end - at)
                return malformed(d, "a field is longer than its message", err);
            if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE) {
                if (depth == max_depth)
                    return error_set(err, ERR_LAKESHED_PLAN_TOO_DEEP,
                                     P("limit", str_printf(err->arena, "%u", max_depth / 2)));
                frames[++depth] = (Frame){field->descriptor, at + len};
                break;
            }
            if (!check_leaf(field, str_slice(bytes, at, at + len)))
                return malformed(d, "a text is not UTF-8", err);
            at += len;
            break;
        default:
            return malformed(d, "a field has an unknown wire type", err);
        }
    }
}

/* One field at *at: its number, and its content when it is length-delimited. */
static bool next_field(Str bytes, size_t *at, unsigned *number, bool *is_delimited, Str *content)
{
    uint64_t tag, len = 0;
    if (!read_varint(bytes, at, bytes.len, &tag))
        return false;
    *number = (unsigned)(tag >> 3);
    *is_delimited = (tag & 7) == 2;
    switch (tag & 7) {
    case 0: return read_varint(bytes, at, bytes.len, &len);
    case 1: len = 8; break;
    case 5: len = 4; break;
    case 2:
        if (!read_varint(bytes, at, bytes.len, &len))
            return false;
        break;
    default: return false;
    }
    if (len > bytes.len - *at)
        return false;
    *content = str_slice(bytes, *at, *at + len);
    *at += len;
    return true;
}

bool wire_split(const ProtobufCMessageDescriptor *d, Str bytes, unsigned number, Arena *arena, Str *rest, Str *taken,
                Error *err)
{
    Buf b = buf_in(arena);
    *taken = (Str){"", 0};
    for (size_t at = 0; at < bytes.len;) {
        size_t from = at;
        unsigned found;
        bool is_delimited;
        Str content;
        if (!next_field(bytes, &at, &found, &is_delimited, &content))
            return malformed(d, "a field is longer than its message", err);
        if (found == number && is_delimited)
            *taken = content;
        else
            buf_add(&b, str_slice(bytes, from, at));
    }
    *rest = buf_str(&b);
    return true;
}

Str wire_field(Str message, unsigned number)
{
    Str taken = {"", 0};
    for (size_t at = 0; at < message.len;) {
        unsigned found;
        bool is_delimited;
        Str content;
        if (!next_field(message, &at, &found, &is_delimited, &content))
            break;
        if (found == number && is_delimited)
            taken = content;
    }
    return taken;
}

/* Every allocation is preceded by its size, which is how wire_str finds a text's length. */
enum { SIZE_PREFIX = 16 };

static void *unpack_alloc(void *arena, size_t size)
{
    char *block = arena_alloc(arena, SIZE_PREFIX + size);
    memcpy(block, &size, sizeof size);
    return block + SIZE_PREFIX;
}

static void unpack_free(void *arena, void *block)
{
}

bool wire_unpack(const ProtobufCMessageDescriptor *d, Str bytes, unsigned max_depth, Arena *arena,
                 ProtobufCMessage **out, Error *err)
{
    TRY(wire_check(d, bytes, max_depth, err));
    ProtobufCAllocator allocator = {unpack_alloc, unpack_free, arena};
    *out = protobuf_c_message_unpack(d, &allocator, bytes.len, (const uint8_t *)bytes.ptr);
    return *out != NULL || malformed(d, "its fields do not have the types they should", err);
}

Str wire_str(const char *text)
{
    if (text == NULL || text == protobuf_c_empty_string)
        return (Str){"", 0};
    size_t size;
    memcpy(&size, text - SIZE_PREFIX, sizeof size);
    return (Str){text, size - 1};
}

Str wire_bytes(ProtobufCBinaryData data)
{
    return (Str){data.len > 0 ? (const char *)data.data : "", data.len};
}

Str wire_pack(const ProtobufCMessage *message, Arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, size + 1);
    protobuf_c_message_pack(message, bytes);
    return (Str){(char *)bytes, size};
}

char *wire_text(Str s, Arena *arena)
{
    return str_z(s, arena);
}
