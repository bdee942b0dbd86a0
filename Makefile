# The two commands: `make run` and `make test`. Both set up what they need, say what they do, and are quick when run again.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

TARGET := $(or $(CARGO_TARGET_DIR),target)
PROGRAM := $(TARGET)/release/c0di3
RUN_FOLDER := data
PID_FILE := $(RUN_FOLDER)/serve.pid
SECONDS_PER_TARGET ?= 60
# In a round each protocol meets 50 kills on either store, and Kafka 50: SOAK_ROUNDS=20 is 1,000 kills per protocol.
SOAK_ROUNDS ?= 10
UPGRADE_FROM ?=
# LINT_WHILE_COMPILING=1: one compilation for lints and tests, which is quicker where nothing is compiled yet, and slower each time after.
LINT_WHILE_COMPILING ?=
LINTING := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / - /'

setup: # packages that building and testing need
	@deploy/scripts/setup.sh

build: setup ## the program, optimised
	@echo "building the program"
	@cargo build --release --package c0di3

run: build ## build, replay the sample logs, and leave the service running on port 3000
	@deploy/scripts/run.sh $(PROGRAM) $(RUN_FOLDER)

stop: ## stop the service that `make run` started
	@deploy/scripts/stop.sh $(PID_FILE)

test-tools: setup # servers and model that tests talk to
	@deploy/scripts/setup.sh test
	@deploy/scripts/test-tools.sh $(abspath $(TARGET))/test-tools
	@deploy/scripts/test-clients.sh $(abspath $(TARGET))/test-tools/clients
	@deploy/scripts/check-tools.sh $(abspath $(TARGET))/test-tools

test: test-tools ## format, lints, house rules and all tests, against real servers
	@echo "format"; cargo fmt --all --check
	@if [ -n "$(LINT_WHILE_COMPILING)" ]; then echo "lints, and compiling"; export $(LINTING); cargo build --quiet --workspace --all-targets; \
	  else echo "lints"; cargo clippy --quiet --workspace --all-targets -- -D warnings; fi
	@echo "deployment"; deploy/scripts/check-deploy.sh $(abspath $(TARGET))/test-tools
	@echo "tests"; export TEST_TOOLS=$(abspath $(TARGET))/test-tools $(if $(LINT_WHILE_COMPILING),$(LINTING)); if cargo nextest --version >/dev/null 2>&1; then \
	  cargo nextest run --workspace --no-fail-fast; else cargo test --workspace --no-fail-fast; fi

soak: test-tools ## the kill, outage and upgrade tests (from UPGRADE_FROM, the last tag), SOAK_ROUNDS (10) times as long (20: 1,000 kills per protocol), and a day of attack tools among benign traffic
	@deploy/scripts/previous.sh $(abspath $(TARGET))/previous $(UPGRADE_FROM)
	@export TEST_TOOLS=$(abspath $(TARGET))/test-tools SOAK_ROUNDS=$(SOAK_ROUNDS) OLD_PROGRAM=$(abspath $(TARGET))/previous/c0di3; \
	  cargo test --package tests --test it -- --test-threads 1 --nocapture live_kill:: kafka_kill:: outage:: upgrade::
	@cargo build --quiet --package c0di3
	@tests/mixed_day/run.sh $(abspath $(TARGET))/mixed-day $(TARGET)/debug/c0di3

deny: setup ## licences, sources and bans of all dependencies; advisories where the database can be reached
	@cargo deny --version >/dev/null 2>&1 || { echo "installing cargo-deny"; cargo install --quiet --locked cargo-deny; }
	@cargo deny --all-features check --hide-inclusion-graph bans licenses sources
	@cargo deny --all-features check --hide-inclusion-graph advisories || \
	  { cargo deny fetch db >/dev/null 2>&1 && exit 1; echo "NOTE: the advisory database cannot be reached from here: advisories were NOT checked"; }

bench: build ## the figures of FIGURES.md
	@cargo bench --quiet --package benches --bench parse --bench formats --bench detect
	@deploy/scripts/bench-replay.sh $(PROGRAM) $(TARGET)
	@deploy/scripts/setup.sh test
	@cargo run --quiet --release --package benches --bin live -- $(PROGRAM)

deb: build ## the Debian package of the program, into the target folder
	@cargo xtask sbom >$(TARGET)/c0di3.cdx.json
	@deploy/scripts/package-deb.sh $(PROGRAM) $(TARGET)

tarball: setup ## the static program with all that belongs to it as an archive, into the target folder; one commit, the same bytes
	@cargo xtask sbom >$(TARGET)/c0di3.cdx.json
	@deploy/scripts/build-release.sh $(TARGET)

sbom: ## what the program is made of, as CycloneDX, into the target folder
	@cargo xtask sbom >$(TARGET)/c0di3.cdx.json
	@echo "$(TARGET)/c0di3.cdx.json"

fuzz: setup ## every fuzz target for SECONDS_PER_TARGET (60)
	@deploy/scripts/fuzz.sh $(SECONDS_PER_TARGET)

.PHONY: help setup test-tools build run stop test soak deny bench deb tarball sbom fuzz
