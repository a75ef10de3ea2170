# `make demo` runs the Zone on this machine, `make test` tests it. Both set up what they need.

.PHONY: help setup setup-test demo codes test soak check bench-drop bench-grants bench-credits bench-codes clean
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is new enough; PYTHON=... chooses another one.
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.13 python3.14; do \
	$$python -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $$python && break; done)

# Named after their requirements' content, so a checkout that changes nothing installs nothing.
stamp = $(VENV)/.$(1)-$(shell cksum < requirements/$(1).txt | cut -d' ' -f1)
DEMO_STAMP := $(call stamp,demo)
TEST_STAMP := $(call stamp,test)

help:
	@echo "make setup   prepare the environment and nothing else"
	@echo "make demo    run everything here (ZONE_PORT, ZONE_DATA); Ctrl-C stops it"
	@echo "make codes   the operators' second factor, as of now"
	@echo "make test    all tests on every core, on servers of their own (TESTS=... chooses)"
	@echo "make soak    the ledger's model and crash tests for much longer (LEDGER_SEED chooses a run," \
		"LEDGER_STEPS and SECONDS a shorter one)"
	@echo "make check   format, lint, layers, types, migrations, production settings"
	@echo "make bench-drop   a flash drop over HTTP beside Django's floor (QUICK=1: short)"
	@echo "make bench-codes  a million codes from a file beside a bare COPY (QUICK=1: short)"
	@echo "make bench-grants  grants a second of one worker (QUICK=1: short)"
	@echo "make bench-credits  verbs of the ledger beside pgbench and a peer (QUICK=1: short, MEMBERS=n)"
	@echo "make clean   remove the environment, the caches and the data folder"

setup: $(DEMO_STAMP)
	@$(BIN)/python -m zone.core.catalogues

setup-test: $(TEST_STAMP)
	@$(BIN)/python -m zone.core.catalogues

$(BIN)/python:
	@$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Apple Zone needs Python 3.11 or newer with its venv module" \
		"(on Debian and Ubuntu: the package python3-venv). PYTHON=... names one."; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV)

$(DEMO_STAMP): | $(BIN)/python
	@$(call install,demo)

# The tests' requirements contain the demo's.
$(TEST_STAMP): | $(BIN)/python
	@$(call install,test)
	@touch $(DEMO_STAMP)

define install
echo "Installing what requirements/$(1).txt names (a minute or two, once) ..."; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	-r requirements/$(1).txt || { \
	echo "The dependencies could not be installed; the lines above say why." \
	"Check the network and run the same command again." >&2; exit 1; }; \
rm -f $(VENV)/.$(1)-*; touch $(call stamp,$(1))
endef

demo: setup
	@exec $(BIN)/python manage.py demo

codes: setup
	@exec $(BIN)/python manage.py demo --access

# All of them on every core, a file at a time and the long ones first (tests/conftest.py);
# TESTS=tests/... chooses some, in one process.
test: setup-test
	@exec $(BIN)/python -m pytest $(or $(TESTS),-n auto --dist loadfile --no-loadscope-reorder)

# A seed is printed when a run fails; the same seed draws the same orders and faults again.
soak: setup-test
	@LEDGER_STEPS=$${LEDGER_STEPS:-200000} LEDGER_SEED=$${LEDGER_SEED:-$$$$} \
		$(BIN)/python -m pytest tests/credits/test_model.py
	@$(BIN)/python -m tests.faults.ledger_crash --seconds $(or $(SECONDS),60) \
		$(if $(LEDGER_SEED),--seed $(LEDGER_SEED))

bench-codes: setup-test
	@exec $(BIN)/python -m tests.bench.codes

bench-grants: setup-test
	@exec $(BIN)/python -m tests.bench.grants

# Types are looked up without a server, the deployment check with throwaway production values.
NO_SERVER := DATABASE_URL=postgresql://nobody@localhost/nothing REDIS_URL=redis://localhost/0
random = $(shell $(PYTHON) -c 'import secrets; print(secrets.token_hex($(1)))')
PRODUCTION = ZONE_ENV=production SITE_URL=https://zone.example ALLOWED_HOSTS=zone.example \
	CONSOLE_HOST=console.zone.example SECRET_KEY=$(call random,48) \
	ZONE_KEYS=1:$(call random,32) ZONE_INDEX_KEY=$(call random,32) $(NO_SERVER)

check: setup-test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(NO_SERVER) $(BIN)/mypy zone/core zone/embedded credits benefits
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench-drop: setup-test
	@exec $(BIN)/python -m tests.bench.drop $(if $(QUICK),--quick)

bench-credits: setup-test
	@exec $(BIN)/python -m tests.bench.credits $(if $(QUICK),--quick) \
		$(if $(MEMBERS),--members $(MEMBERS))

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .zone
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
