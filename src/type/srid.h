/* The numbers of spatial reference systems that GEOMETRY and GEOGRAPHY may have. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "type/type.h"

enum { SRID_ANY = -1, SRID_WGS84 = 4326 };

/* Whether the type (TYPE_GEOMETRY or TYPE_GEOGRAPHY) may have this number; ANY is none. */
bool srid_is_known(TypeKind kind, int srid);
/* The reference system as the storage formats name it: "OGC:CRS84", "EPSG:3857", "SRID:ANY". */
Str srid_name(int srid, Arena *arena);
/* The number of such a name; false: unknown. */
bool srid_from_name(Str name, int *srid);
