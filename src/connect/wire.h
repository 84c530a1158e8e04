/* The generated Spark Connect messages: checked before they are unpacked, unpacked into an arena. */
#pragma once

#include "base/error.h"
#include "delta/connect/commands.pb-c.h"
#include "delta/connect/relations.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "spark/connect/base.pb-c.h"

#define PB(name) Spark__Connect__##name
#define PB_DELTA(name) Delta__Connect__##name

enum {
    /* Messages inside messages; a relation or an expression is two. Unpacking takes about 0.6 kB of stack a level and
     * the walks behind it under 1 kB a node, so that a 16 MB stack holds this several times over. */
    WIRE_MAX_DEPTH = 2000,
    /* Fields of one request, bounding what two-byte fields can grow to in memory. */
    WIRE_MAX_FIELDS = 8000000
};

/* Walks the bytes by the descriptor without recursion: well-formed, at most max_depth deep, texts in UTF-8. */
MUST_CHECK bool wire_check(const ProtobufCMessageDescriptor *d, Str bytes, unsigned max_depth, Error *err);

/* Takes one length-delimited field out of a message: *rest is everything else, in the arena; *taken stands in the bytes. */
MUST_CHECK bool wire_split(const ProtobufCMessageDescriptor *d, Str bytes, unsigned number, Arena *arena, Str *rest,
                           Str *taken, Error *err);

/* The content of a length-delimited field, the last one of that number; empty when absent or broken. */
Str wire_field(Str message, unsigned number);

/* Checks and unpacks; everything lives in the arena and is never freed by itself. Texts in it must be read with
 * wire_str, which knows their length even when they hold NUL. */
MUST_CHECK bool wire_unpack(const ProtobufCMessageDescriptor *d, Str bytes, unsigned max_depth, Arena *arena,
                            ProtobufCMessage **out, Error *err);

/* A text field of an unpacked message; absent is empty. */
Str wire_str(const char *text);
Str wire_bytes(ProtobufCBinaryData data);

/* The message's bytes, in the arena. */
Str wire_pack(const ProtobufCMessage *message, Arena *arena);

/* For messages that are built here: a NUL-terminated text. */
char *wire_text(Str s, Arena *arena);
