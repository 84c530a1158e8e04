/* Rows of the datetime family. */
#include "func/rows.h"

const FuncRow datetime_rows[] = {
    {0},
};
const size_t datetime_row_count = 0;
