/* Rows of the lambda family. */
#include "func/rows.h"

const FuncRow lambda_rows[] = {
    {0},
};
const size_t lambda_row_count = 0;
