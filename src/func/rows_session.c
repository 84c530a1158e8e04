/* Rows of the session family. */
#include "func/rows.h"

const FuncRow session_rows[] = {
    {0},
};
const size_t session_row_count = 0;
