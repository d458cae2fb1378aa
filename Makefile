# SPDX-License-Identifier: MIT OR Apache-2.0
# `make help` lists what is here.

CARGO ?= cargo
CC    ?= cc

B       := target/btwq
LIB     := $(B)/libbtwq.a
CFLAGS  ?= -O2 -g
WARN    := -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
LDLIBS  := -pthread -ldl -lm

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find core/src ffi/src -name '*.rs') \
                core/Cargo.toml ffi/Cargo.toml

.PHONY: lib header

lib: $(LIB) ## the static library, target/btwq/libbtwq.a

$(LIB): $(RUST_SOURCES) ffi/archive.sh
	$(CARGO) build --release --locked --package btwq-ffi
	ffi/archive.sh target/release/libbtwq_ffi.a $@

header: ## writes include/btwq.h anew
	BTWQ_WRITE_HEADER=1 $(CARGO) test --quiet --locked --package btwq-ffi --test header
