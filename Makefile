# Targets a person types; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Commands start in half the time where Python may keep what it has compiled; tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE
# The tests keep every core busy; the threads of a library beside them would only wait for each other.
test: export OPENBLAS_NUM_THREADS = 1
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help setup run demo test check test-build test-privilege test-rating test-accounts test-races bench intelligibility lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/ready ## make the virtual environment and find or build a real Asterisk; leaves .venv/bin/ivr
	@$(BIN)/python -m dialplan install

run: setup ## start everything, show a call between two real telephones, serve until Ctrl-C
	@exec $(BIN)/ivr run

demo: setup ## make three calls and check what was heard and written
	@exec $(BIN)/ivr demo

test: $(VENV)/ready-to-test check ## everything: style, types, and all tests on the real Asterisk, databases and Redis
	@.ci/provide initdb postgresql
	@.ci/provide openssl openssl
	@.ci/provide redis-server redis-server
	@$(BIN)/python -m dialplan install
	$(BIN)/pytest --numprocesses 3 --ignore tests/telephony
	$(BIN)/pytest tests/telephony

check: $(VENV)/ready-to-test ## style and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m prompts check

test-build: $(VENV)/ready-to-test ## build Asterisk anew, from Debian's second suite (network, a minute)
	$(BIN)/pytest tests/dialplan/build_anew.py

bench: $(VENV)/ready-to-test ## calls a second, CPU and statements a call, as ratios to a bare loop
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.rating
	@$(BIN)/python -m bench.policy
	@$(BIN)/python -m bench.ledger
	@$(BIN)/python -m bench.records

test-privilege: $(VENV)/ready-to-test ## a million decisions by chance: none has a privileged call recorded (half an hour)
	@$(BIN)/python -m tests.privilege 1000000

test-rating: $(VENV)/ready-to-test ## 100,000 random tariffs against a second, slow way to their prices (half an hour)
	@$(BIN)/python -m tests.rating.many 100000

test-accounts: $(VENV)/ready-to-test ## a million schedules of everything that happens to accounts at once (hours)
	@$(BIN)/python -m tests.accounts 1000000

test-races: $(VENV)/ready-to-test ## a thousand rounds of callers at the same moment on one balance, on both databases (an hour)
	@$(BIN)/python -m tests.accounts.races 1000

intelligibility: ## words that a recogniser mistakes at telephone quality; writes docs/intelligibility.md (network, an hour)
	@.ci/intelligibility $(PYTHON) build/hearing

lock: ## renew requirements/*.txt from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --quiet --upgrade pyproject.toml requirements/build.in --output-file requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --quiet --upgrade --extra dev pyproject.toml requirements/build.in --output-file requirements/dev.txt

clean: ## remove what the targets made in this folder (the built Asterisk stays in its cache)
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/ready: requirements/run.txt pyproject.toml
	@.ci/venv $(PYTHON) $(VENV)
	@echo "Installing the locked dependencies …"
	@$(PIP) install --quiet --require-hashes --requirement requirements/run.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-to-test: $(VENV)/ready requirements/dev.txt
	@echo "Installing what the tests need …"
	@$(PIP) install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@
