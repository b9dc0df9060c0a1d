# Needs Python 3.11 or newer and make; everything else comes from the two locks.
# `make` alone lists what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PORT ?= 8000
WORKERS ?= auto

BIN := .venv/bin
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"
POT := build/messages.pot
PO := translations/zh_Hans_CN/LC_MESSAGES/messages.po

##@ Use

.PHONY: help demo run bundle
help:  ## list what make can do
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	     /^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ready  ## serve a city to try things in, at http://127.0.0.1:8000 (PORT=8080; FRESH=1 starts over)
	@$(if $(FRESH),rm -rf instance/demo)
	@export OUTREACH_INSTANCE_PATH=instance/demo; \
	  $(BIN)/flask --app wsgi migrate && $(BIN)/flask --app wsgi demo-city && exec $(BIN)/flask --app wsgi serve --port $(PORT)

run: ready  ## serve a real installation, empty at first (PORT=8080)
	@exec $(BIN)/flask --app wsgi serve --port $(PORT)

bundle: ready  ## one archive in build/bundle that installs on a machine without a network
	@$(BIN)/python -m outreach.operating.bundle build/bundle

##@ Check

.PHONY: lint quick test soak check bench
lint: ready  ## style, import contracts, templates
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/lint-imports --no-cache >build/contracts.txt 2>&1 || { cat build/contracts.txt; exit 1; }
	@$(BIN)/djlint templates --lint --quiet

quick: lint  ## lint and the tests that need no browser, on SQLite only (under two minutes)
	@OUTREACH_TEST_DATABASES=sqlite $(BIN)/pytest -q -n $(WORKERS) -m "not served and not browser"

test: ready  ## every test this machine can run; says what it could not
	@$(BIN)/pytest -q -n $(WORKERS)

soak: ready  ## a simulated year of 20,000 requests, on SQLite and PostgreSQL (an hour or so)
	@OUTREACH_SOAK=20000 $(BIN)/pytest -q tests/cases/test_a_year.py

check: lint test  ## lint and every test

bench: ready  ## measure how fast it is, a line a figure (ONLY=checkin for a part)
	@$(BIN)/python -m bench $(ONLY)

##@ Look after

.PHONY: messages pot format lock
messages: pot  ## collect the sentences of the source into the translations
	@$(BIN)/pybabel --quiet update -i $(POT) -o $(PO) -l zh_Hans_CN \
	  --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@$(MAKE) -s compiled

pot: venv
	@mkdir -p $(dir $(POT))
	@$(BIN)/pybabel --quiet extract -F babel.cfg -k N_ -k _l -k lazy_gettext \
	  --no-location --sort-output --no-wrap --project=outreach --version=1 -o $(POT) .

format: venv  ## put Python into one form
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

lock: venv  ## pin the Python packages of pyproject.toml anew, with their hashes
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --group dev pyproject.toml -o requirements.lock

# Set-up. Each part is repeated only when its lock differs from the one it was made from, so a second start
# is quick and needs no network.

.PHONY: ready venv packages built compiled
ready: venv packages built compiled

venv:
	@cmp -s requirements.lock .venv/installed.lock || { \
	  set -e; \
	  [ -x $(BIN)/python ] || { \
	    for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	      $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
	    done; \
	    [ -n "$$python" ] || { echo "Python 3.11 or newer is needed, and none was found."; exit 1; }; \
	    $$python -c 'import ensurepip, venv' 2>/dev/null || { \
	      echo "$$python cannot make virtual environments here: its venv module is missing."; \
	      echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }; \
	    echo "Setting up .venv with $$($$python --version)"; \
	    $$python -m venv .venv; }; \
	  echo "Installing the Python packages (once)"; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	  cp requirements.lock .venv/installed.lock; }

packages: venv
	@cmp -s package-lock.json node_modules/installed.lock || { \
	  set -e; \
	  echo "Installing the front-end packages (once)"; \
	  $(IN_VENV) npm ci --ignore-scripts --prefer-offline --loglevel=error >/dev/null; \
	  cp package-lock.json node_modules/installed.lock; }

built: packages
	@mkdir -p build
	@$(BIN)/node static/build.mjs

compiled: venv
	@[ ! -f $(PO) ] || $(BIN)/pybabel --quiet compile -d translations
