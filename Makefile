# fizzbridge: everything from a bare Python 3.11 to 3.13 with venv. `make demo` first, `make test` next.
# Environments are made from the lock files, with hashes, and made again only when a lock changes.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BRIDGE ?= infra/local/demo/bridge.demo.toml
STAGE ?= prod
# Two cores are what everybody has.
JOBS ?= 2

# Of the schedules of faults; SEED=... plays those of another day again.
SEED ?= $(shell date +%s)

# The functions' own version first; any supported one does.
PYTHON ?= $(shell home=$$(eval echo "~$$(id -un)"); \
	for python in python3.13 "$${PYENV_ROOT:-$$home/.pyenv}"/versions/3.13*/bin/python3.13 \
	python3.12 python3.11 python3; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo "$$python" && break; done)

# What a bare environment lacks: a home for caches, and the system's certificates for each tool.
ifeq ($(HOME),)
export HOME := $(CURDIR)/.cache/home
endif
export NODE_USE_SYSTEM_CA := 1
export UV_SYSTEM_CERTS := 1
export UV_NO_PROGRESS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export PIP_CERT ?= /etc/ssl/certs/ca-certificates.crt
endif
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
# Importing the CDK library without compiled files takes five times as long.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

# When this make began, for the wall times that `make bench` shows.
BEGAN := $(shell date +%s)

hash = $(shell cat $(1) 2>/dev/null | cksum | cut -d' ' -f1)
NODE_READY := .venv-node/.ready-$(call hash,requirements-node.lock)
DEV_READY := .venv/.ready-$(call hash,requirements-dev.lock pyproject.toml)
EMULATOR_READY := .venv-emulator/.ready-$(call hash,requirements-emulator.lock)
CDK_READY := node_modules/.ready-$(call hash,package-lock.json)

export PATH := $(CURDIR)/.venv-node/bin:$(PATH)
UV := .venv-node/bin/uv
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
# Test folders that exist; a folder that is not there yet has no tests to run.
tests = $(wildcard $(addprefix tests/,$(1)))
run_tests = $(if $(call tests,$(1)),$(PYTEST) $(2) $(call tests,$(1)),@echo "tests/$(1): none yet")

.PHONY: help setup demo test up down lint format type arch unit cov contract infra-test integration e2e e2e-quick \
	faults faults-quick planted fuzz reliability bench schemas docs new-platform synth deploy pr lock clean

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

demo: setup ## Start everything on this machine and watch real orders arrive
	@$(PY) -m infra.local up --bridge $(BRIDGE)
	@$(PY) -m infra.local demo
	@$(PY) scripts/timed.py "make demo" $(BEGAN)

test: lint type arch unit contract infra-test integration faults-quick e2e-quick planted ## Set everything up and run every test
	@$(PY) scripts/timed.py "make test" $(BEGAN)

up: setup ## Start the local stack: make up BRIDGE=bridge.toml
	@$(PY) -m infra.local up --bridge $(BRIDGE)

down: setup ## Stop the local stack
	@$(PY) -m infra.local down

setup: $(DEV_READY) $(EMULATOR_READY) $(CDK_READY) ## Make the environments

lint: $(DEV_READY) ## Check style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(DEV_READY) ## Put style right
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

type: $(DEV_READY) ## Check types
	$(PY) -m mypy

arch: $(DEV_READY) ## Check who imports whom
	.venv/bin/lint-imports

unit: $(DEV_READY) ## Unit tests
	$(call run_tests,unit platforms,-n $(JOBS))

cov: $(DEV_READY) ## Branch coverage of unit and contract tests
	$(PYTEST) -n $(JOBS) --cov --cov-report=term $(call tests,unit platforms contract)

# What is missing comes first, and alone: without it the suite only fails.
contract: $(DEV_READY) ## The same suite for every platform
	$(PYTEST) -q --no-header --tb=line tests/contract/test_completeness.py
	$(call run_tests,contract,-n $(JOBS))

infra-test: setup ## Templates, grants, differences between the stages
	$(call run_tests,infra,)

integration: setup ## Ports against the emulator
	$(call run_tests,integration,)

e2e: setup ## Whole ways on the local stack
	$(call run_tests,e2e,)

e2e-quick: setup
	$(call run_tests,e2e,-m "not slow")

faults: setup ## Every failure the bridge must survive, F1 to F48
	$(call run_tests,faults,-n $(JOBS))

faults-quick: setup
	$(call run_tests,faults,-n $(JOBS) -m "not slow")

planted: $(DEV_READY) ## Prove that the checks find planted mistakes
	$(PY) scripts/planted.py

fuzz: $(DEV_READY) ## 100,000 random schedules of faults, as many cases of the trade's rules, and of deliveries
	HYPOTHESIS_PROFILE=faults FUZZ_SEED=$(SEED) $(PYTEST) -n $(JOBS) tests/unit/schedules
	HYPOTHESIS_PROFILE=fuzz $(PYTEST) -n 2 -m hypothesis tests/unit/trade tests/unit/model \
		tests/contract

reliability: setup ## Run what tries to break the bridge, and write docs/reliability.md
	$(PY) -m scripts.reliability

bench: setup ## Measure what the figures promise
	$(PY) -m scripts.bench

schemas: $(DEV_READY) ## Write the event schemas anew
	$(PY) scripts/export_schemas.py

docs: $(DEV_READY) ## Write the generated tables and the description of the webhooks anew
	$(PY) -m scripts.export_docs
	$(PY) -m scripts.export_webhooks
	$(PY) -m scripts.support_matrix

new-platform: $(DEV_READY) ## Start a platform: make new-platform NAME=acme
	@test -n "$(NAME)" || { echo "Which one? make new-platform NAME=acme" >&2; exit 1; }
	@$(PY) scripts/new_platform.py $(NAME)

synth: setup ## Synthesise a stage: make synth BRIDGE=bridge.toml STAGE=prod
	node_modules/.bin/cdk synth --quiet -c stage=$(STAGE) -c bridge=$(BRIDGE)

deploy: setup ## Deploy to AWS: make deploy BRIDGE=bridge.toml STAGE=prod
	node_modules/.bin/cdk deploy --all -c stage=$(STAGE) -c bridge=$(BRIDGE)

pr: test schemas docs ## What a pull request must pass
	git diff --exit-code -- events/schemas events/webhooks.openapi.json docs README.md

lock: $(NODE_READY) ## Write the lock files anew from the .in files
	for name in requirements-node requirements-dev requirements-emulator layers/dependencies/requirements; do \
		$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --custom-compile-command 'make lock' $$name.in -o $$name.lock; done

clean: ## Remove what can be made again
	rm -rf build cdk.out .local/cdk.out .local/cdk.out-deploy .pytest_cache .mypy_cache .ruff_cache

$(NODE_READY): requirements-node.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed; set PYTHON=..." >&2; exit 1; }
	@echo "node and uv, with $(PYTHON)"
	@"$(PYTHON)" -m venv --clear .venv-node
	@.venv-node/bin/python -m pip install --quiet --require-hashes -r requirements-node.lock
	@touch $@

$(DEV_READY): requirements-dev.lock pyproject.toml $(NODE_READY)
	@echo "development environment"
	@test -x .venv/bin/python || $(UV) venv --quiet --python "$$(command -v "$(PYTHON)")" .venv
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements-dev.lock
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	@rm -f .venv/.ready-*
	@touch $@

$(EMULATOR_READY): requirements-emulator.lock $(NODE_READY)
	@echo "emulator environment"
	@test -x .venv-emulator/bin/python || $(UV) venv --quiet --python "$$(command -v "$(PYTHON)")" .venv-emulator
	@$(UV) pip sync --quiet --python .venv-emulator/bin/python --require-hashes requirements-emulator.lock
	@rm -f .venv-emulator/.ready-*
	@touch $@

$(CDK_READY): package-lock.json $(NODE_READY)
	@echo "cdk command line"
	@.venv-node/bin/npm ci --silent
	@touch $@
