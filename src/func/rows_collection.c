/* Rows of the collection family. */
#include "func/rows.h"

const FuncRow collection_rows[] = {
    {0},
};
const size_t collection_row_count = 0;
