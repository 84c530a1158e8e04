#!/bin/bash
# No folder of src/ includes what stands above or beside it.
exec python3 tests/check_floors.py
