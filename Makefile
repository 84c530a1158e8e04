# The short way in; tools/setup.sh and Meson do the work. "make" alone prints the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
SETUP := tools/setup.sh

.PHONY: help deps build demo test bench asan fuzz format lint clean distclean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

deps: ## packages, pinned downloads and generated code that the build needs
	@$(SETUP) build

build: deps ## build/lakeshed
	@tools/compile.sh build

demo: build ## a lakehouse on this machine, with the order platform running on it
	@tools/demo.sh

test: ## every test, the real clients included
	@tests/run.sh

bench: build ## speed beside Sail, delta-rs and DuckDB, in turns on this machine
	@$(SETUP) bench tpc oracle
	@bench/run.sh

asan: ## build-asan/lakeshed, with address and undefined-behaviour checks
	@$(SETUP) build test
	@tools/compile.sh build-asan

fuzz: ## build-fuzz/, one libFuzzer program per reader of outside bytes
	@$(SETUP) build fuzz
	@tools/compile.sh build-fuzz

format: ## clang-format over src and tests
	@$(SETUP) lint
	@git ls-files -co --exclude-standard 'src/*.[ch]' 'tests/*.[ch]' | xargs clang-format-14 -i

lint: build ## clang-format and clang-tidy findings, nothing changed
	@$(SETUP) lint
	@tools/lint.sh build

clean: ## remove what was built, keep unpacked dependencies
	@rm -rf build build-asan build-fuzz

distclean: ## remove everything but the download cache
	@rm -rf build build-asan build-fuzz .deps
