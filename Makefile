# SPDX-License-Identifier: MIT OR Apache-2.0
# `make help` lists what can be made. Long outputs are left in target/btwq.

CARGO ?= cargo
CC    ?= cc
FILE  ?=

B      := target/btwq
LIB    := $(B)/libbtwq.a
CFLAGS ?= -O2 -g
WARN   := -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
LDLIBS := -pthread -ldl -lm
ASAN   := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# What a Debian machine must have beside Rust: checked, and installed, by `make setup`.
PACKAGES := gcc g++ make binutils zlib1g-dev clang pigz python3 pkg-config \
            liburing-dev libuv1-dev libglib2.0-dev

RUST_SOURCES := Cargo.toml Cargo.lock core/Cargo.toml ffi/Cargo.toml \
                $(shell find core/src ffi/src -name '*.rs')

.DEFAULT_GOAL := help
.PHONY: help setup lib header pgz uringsum demo test test-rust test-c test-pgz test-uringsum \
        test-readme lint loom loom-mutants bench-pgz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## installs the Debian packages that are missing; does nothing where all is there
	@./setup.sh $(PACKAGES)

lib: $(LIB) ## the static library, target/btwq/libbtwq.a

$(LIB): $(RUST_SOURCES) ffi/archive.sh
	$(CARGO) build --quiet --release --locked --package btwq-ffi
	ffi/archive.sh target/release/libbtwq_ffi.a $@

header: ## writes include/btwq.h anew
	BTWQ_WRITE_HEADER=1 $(CARGO) test --quiet --locked --package btwq-ffi --test header

pgz: $(B)/pgz ## the parallel gzip, target/btwq/pgz

$(B)/pgz: examples/pgz.c include/btwq.h $(LIB)
	$(CC) $(CFLAGS) $(WARN) -Iinclude $< $(LIB) -o $@ $(LDLIBS) -lz

$(B)/pgz-asan: examples/pgz.c include/btwq.h $(LIB)
	$(CC) $(ASAN) $(WARN) -Iinclude $< $(LIB) -o $@ $(LDLIBS) -lz

uringsum: $(B)/uringsum ## checksums by io_uring or AIO, target/btwq/uringsum

$(B)/uringsum: examples/uringsum.c include/btwq.h $(LIB)
	$(CC) $(CFLAGS) $(WARN) -Iinclude $< $(LIB) -o $@ $(LDLIBS) -lz -luring

$(B)/uringsum-asan: examples/uringsum.c include/btwq.h $(LIB)
	$(CC) $(ASAN) $(WARN) -Iinclude $< $(LIB) -o $@ $(LDLIBS) -lz -luring

demo: setup pgz ## compresses a real file with pgz, gzip and pigz, checks, prints a table [FILE=...]
	examples/demo.sh $(B)/pgz $(FILE)

test: setup lint test-rust loom test-c test-readme test-pgz test-uringsum ## everything that must pass
	@echo "make test: all passed"

test-rust:
	$(CARGO) test --quiet --locked --package btwq --package btwq-ffi --features btwq/std
	$(CARGO) test --quiet --locked --package btwq
	$(CARGO) test --quiet --locked --package btwq --features alloc

# The tests of how things end also run with a sanitizer on their side.
ENDS := cancel cancel_race cancel_sync_again complete_against_end control_unmapped \
        delayed_cancel_stress destroy_overwrite drain ends_stress executor_threads \
        helper_freed_and_reused limit_active pool_stop_resume_ends

test-c: $(LIB)
	c-tests/header.sh
	c-tests/run.sh
	c-tests/run.sh --cc gcc --cflags '$(ASAN)' $(ENDS)
	c-tests/executors/executors.sh

test-readme: $(LIB)
	examples/readme.sh $(LIB)

test-pgz: $(B)/pgz $(B)/pgz-asan
	examples/pgz-test.sh $(B)/pgz
	PGZ_SANITIZED=1 examples/pgz-test.sh $(B)/pgz-asan

test-uringsum: $(B)/uringsum $(B)/uringsum-asan
	examples/uringsum-test.sh $(B)/uringsum
	URINGSUM_SANITIZED=1 examples/uringsum-test.sh $(B)/uringsum-asan

lint: ## formatting, clippy, documentation; no warning is allowed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --quiet --locked --all-targets --features btwq/std -- -D warnings
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
	  $(CARGO) clippy --quiet --locked --package btwq --tests -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --locked --no-deps --features btwq/std

loom: ## explores the models of every protocol
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
	  $(CARGO) test --quiet --locked --profile model --package btwq --lib

loom-mutants: ## breaks the core in one place at a time; fails unless the models catch every one
	python3 core/loom-mutants.py

bench-pgz: setup pgz ## pgz beside pigz, paired [FILE=...]
	benches/pgz-vs-pigz --pgz $(B)/pgz $(FILE)

clean: ## removes target
	rm -rf target
