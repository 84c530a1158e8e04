#!/bin/bash
# Unit and row tests, and every fuzz corpus replayed, under address and undefined-behaviour checks.
# needs: test
# builds: build-asan
# minutes: 20
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export LSAN_OPTIONS=suppressions=$PWD/tests/leaks.supp:print_suppressions=0
meson test -C build-asan --no-rebuild --print-errorlogs --timeout-multiplier 4 --num-processes 1
status=$?
python3 tests/count.py meson build-asan/meson-logs/testlog.json
exit $status
