/* Programs of ours in a Python worker: for what only Python's libraries read and write. */
#pragma once

#include "engine/arrow_stream.h"
#include "engine/engine.h"

typedef struct PythonProgram PythonProgram;

/* The program defines run(args), a generator of pyarrow.RecordBatch; args is what the JSON text says. It runs in workers that no
 * user's function ever runs in. */
MUST_CHECK bool python_program_open(Engine *e, const char *program, Str args, Cancel *cancel, PythonProgram **out, Error *err);
/* Makes a batch with rows left current; *batch NULL: there are no more. Its columns are those of the program's batches. */
MUST_CHECK bool python_program_next(PythonProgram *p, ArrowBatches **batch, Error *err);
/* Columns of the current batch. */
const struct ArrowArrayView *python_program_columns(ArrowBatches *batch, const struct ArrowSchema **schema);
void python_program_close(PythonProgram *p);
