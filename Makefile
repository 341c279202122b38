# make demo    train the shipped digits and serve them
# make test    run every test this machine can run
# make lint    format, lint, types, import contracts
# make verdicts  make every mistake as somebody else would, and see it named (minutes)
# make fuzz    hostile input at length; FUZZ_SECONDS= for each target (half an hour)
# make soak    fell, stop and reload servers under load, for an hour; counts what is lost
# make benchmark  measure on this machine; PEERS=1 beside others' servers and libraries, which are
#              installed into PEERS_HOME; BENCHMARK= for options, such as --quick serving
# make image   build the container image `softlens`
# make lock    write requirements/*.lock anew from pyproject.toml (needs uv)

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV ?= .venv
ENGINE ?= docker
FUZZ_SECONDS ?= 600
PEERS_HOME ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/softlens-peers
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint fuzz soak image lock verdicts benchmark clean

help:
	@sed -n 's/^# //p' Makefile

demo: $(VENV)/train.stamp
	@$(BIN)/softlens demo --host $(HOST) --port $(PORT) || [ $$? -eq 130 ]  # Ctrl-C is how it ends

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest

lint: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

image:
	$(ENGINE) build --tag softlens .

verdicts: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.verdicts

fuzz: $(VENV)/dev.stamp
	@LONG=1 $(BIN)/python -m pytest --timeout=0 tests/attacks tests/fuzz tests/model/test_storage_faults.py
	@test -x .venv.fuzz/bin/python || echo "NOT RUN: fuzzing by coverage; make .venv.fuzz as pyproject.toml says at the extra fuzz"
	@test ! -x .venv.fuzz/bin/python || for target in codecs loader; do \
		.venv.fuzz/bin/python -m tests.fuzz $$target $(FUZZ_SECONDS) || exit 1; done

benchmark: $(VENV)/benchmark.stamp
ifdef PEERS
	@PEERS_HOME="$(PEERS_HOME)" $(BIN)/python -m tests.benchmarks.environments
	@PEERS_HOME="$(PEERS_HOME)" "$(PEERS_HOME)/softlens/bin/python" -m tests.benchmarks $(BENCHMARK)
else
	@$(BIN)/python -m tests.benchmarks $(BENCHMARK)
endif

soak: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.soak

# What is locked is what is installed: pip checks every hash, and chooses nothing itself. Left to
# choose, it may want a release of today for `coverage[toml]`, though `coverage` is locked.
# softlens itself is linked, not copied.
$(VENV)/%.stamp: requirements/%.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("softlens needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Name another one with PYTHON=")'
	@test -x $(BIN)/python || { echo "making the environment $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing requirements/$*.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: --requirement requirements/$*.lock
	@$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

lock:
	uv pip compile $(LOCK) --extra dev --extra benchmark --output-file requirements/benchmark.lock pyproject.toml
	uv pip compile $(LOCK) --extra dev --constraints requirements/benchmark.lock --output-file requirements/dev.lock pyproject.toml
	uv pip compile $(LOCK) --extra train --constraints requirements/benchmark.lock --output-file requirements/train.lock pyproject.toml
	uv pip compile $(LOCK) --constraints requirements/benchmark.lock --output-file requirements/serve.lock pyproject.toml

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
