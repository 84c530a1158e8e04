/* Rows of the generator family. */
#include "func/rows.h"

const FuncRow generator_rows[] = {
    {0},
};
const size_t generator_row_count = 0;
