#!/bin/bash
# Findings of clang-format and clang-tidy over the project's own files:  tools/lint.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
git ls-files -co --exclude-standard 'src/*.[ch]' 'tests/*.[ch]' | xargs clang-format-14 --dry-run --Werror || status=1
git ls-files -co --exclude-standard 'src/*.c' | xargs -P "$(nproc)" -n 4 clang-tidy-14 -quiet -p "$1" 2>/dev/null || status=1
exit $status
