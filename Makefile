# Every target makes the environment first, from the hashed lock, and only when the lock changed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.complete
RIVALS := .venv-rivals/.complete
SQL_FOLDERS := $(wildcard dbt_project/models dbt_project/tests) carehouse/sql
# Parsing reaches no database, yet wants to know where one would be.
DBT := CAREHOUSE_DBT_HOST=none CAREHOUSE_DBT_PORT=0 CAREHOUSE_DBT_USER=none CAREHOUSE_DBT_PASSWORD=none \
	CAREHOUSE_DBT_DATABASE=none DBT_TARGET_PATH=$(CURDIR)/.carehouse/dbt/parse DBT_LOG_PATH=$(CURDIR)/.carehouse/dbt/logs \
	$(BIN)/dbt --no-use-colors
DBT_FOLDERS := --project-dir dbt_project --profiles-dir dbt_project
export PYTHONDONTWRITEBYTECODE ?= $(if $(CI),1,)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Nothing here phones home.
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED := False
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.DEFAULT_GOAL := help
.PHONY: help demo test up down check fix bench lock clean

help:  ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

demo: $(STAMP)  ## One night, end to end: landing, DAGs, gate, publication, figures
	@$(BIN)/python examples/demo.py

test: $(STAMP)  ## All tests, on real PostgreSQL
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadscope $(TESTS)

up: $(STAMP)  ## Start database and Airflow, and leave them running
	@$(BIN)/carehouse db start && $(BIN)/carehouse airflow start

down:  ## Stop both
	@test ! -x $(BIN)/carehouse || { $(BIN)/carehouse airflow stop; $(BIN)/carehouse db stop; }

check: $(STAMP)  ## Lint, types, SQL lint, generated files, dbt parse
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@cd dags && ../$(BIN)/mypy --config-file ../pyproject.toml --cache-dir ../.mypy_cache *.py
	@$(BIN)/sqlfluff lint --disable-progress-bar $(SQL_FOLDERS)
	@$(BIN)/carehouse contracts check
	@$(DBT) --quiet --warn-error-options '{"error": "all"}' parse $(DBT_FOLDERS)

fix: $(STAMP)  ## Format and mend what tools can mend
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --disable-progress-bar $(SQL_FOLDERS)
	@$(BIN)/carehouse contracts render

bench: $(STAMP) $(RIVALS)  ## Speed, as ratios against the bare alternative in the same run
	@$(BIN)/python -m benchmarks

lock: $(STAMP)  ## Resolve pyproject.toml anew into requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-annotate --no-header \
		--no-emit-index-url --python-version 3.11 --extra dev --upgrade pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
		--python-version 3.11 --upgrade benchmarks/rivals.in -o benchmarks/rivals.lock

clean: down  ## Remove the environment and everything under .carehouse
	@rm -rf .venv .venv-rivals .carehouse

# The stamp comes last, so an interrupted installation is taken up again.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) carehouse/preflight.py .
	@echo "Installing the environment (about two minutes, 1.4 GB in .venv)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(RIVALS): benchmarks/rivals.lock
	@test -x .venv-rivals/bin/python || $(PYTHON) -m venv .venv-rivals
	@.venv-rivals/bin/python -m pip install --quiet --no-deps --require-hashes -r benchmarks/rivals.lock
	@touch $@
