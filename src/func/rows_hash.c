/* Rows of the hash family. */
#include "func/rows.h"

const FuncRow hash_rows[] = {
    {0},
};
const size_t hash_row_count = 0;
