/* Rows of the json family. */
#include "func/rows.h"

const FuncRow json_rows[] = {
    {0},
};
const size_t json_row_count = 0;
