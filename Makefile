# What you can do here: `make`. Needs GNU make and Python 3.11 or newer, nothing else.
#
# Everything is installed into .venv in this folder, at the versions of constraints.txt, and again only when
# setup.cfg, pyproject.toml or constraints.txt change.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# Containers often set it; then each of the many processes that the demo and the tests start compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
DEPENDENCIES := setup.cfg pyproject.toml constraints.txt

# The Python that .venv is made of: the first of these that works and is new enough. `make PYTHON=… setup` to choose.
PYTHON := $(firstword $(foreach python,python3.11 python3.12 python3.13 python3.14 python3,$(shell \
    $(python) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $(python))))

define make_venv
	@if [ -z "$(PYTHON)" ]; then \
	    echo "Python 3.11, 3.12, 3.13 or 3.14 is needed, and none is on the PATH." >&2; \
	    echo "Install one (Debian, Ubuntu: apt-get install python3.11 python3.11-venv) and try again." >&2; \
	    exit 1; \
	fi
	@if ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
	    echo "$(PYTHON) has no venv module (Debian, Ubuntu: apt-get install $(PYTHON)-venv)." >&2; \
	    exit 1; \
	fi
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	    echo "Making .venv with $(PYTHON)"; \
	    $(PYTHON) -m venv --clear .venv; \
	fi
endef

# pip compiles in one process, which takes as long as all else that it does. What is not Python it leaves, and so do we.
define install
	@echo "Installing $(1) into .venv (a minute or two the first time)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable '$(2)'
	@$(PY) -m compileall -qq -j 0 .venv/lib || true
	@touch $@
endef

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: .venv/.installed-run ## Run the whole graph against a bundled warehouse and a local Kustomer
	@$(PY) -m kustomer_pipeline.demo

.PHONY: dev
dev: .venv/.installed-run ## The same, left open in the Dagster UI
	@$(PY) -m kustomer_pipeline.demo dev

.PHONY: setup-run
setup-run: .venv/.installed-run ## Install what the pipeline needs to run

.PHONY: setup
setup: .venv/.installed-test ## Install that, and what the tests need

.PHONY: lint
lint: .venv/.installed-test ## Lint, format and types
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy --num-workers 2

.PHONY: test
test: lint ## Lint, types and every test: what CI runs
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: test-dbt
test-dbt: build/dbt/.installed ## The package beside dbt and dagster-dbt, in a .venv of their own: not a part of 'test'
	build/dbt/bin/python -m pytest kustomer_pipeline_tests/dbt

.PHONY: test-warehouses
test-warehouses: build/warehouses/.installed ## ClickHouse and Snowflake on stand-ins, the SQL for others: not a part of 'test'
	build/warehouses/bin/python -m pytest kustomer_pipeline_tests/warehouse/dialects -k "clickhouse or snowflake or statements"

.PHONY: test-compared
test-compared: .venv/.installed-test ## The laws and the engine over the comparison in the warehouse: not a part of 'test' (WAREHOUSE=postgresql)
	TEST_COMPARE=in_warehouse TEST_WAREHOUSE=$(WAREHOUSE) $(PY) -m pytest -n 2 kustomer_pipeline_tests/laws kustomer_pipeline_tests/sync kustomer_pipeline_tests/corpus

.PHONY: docs
docs: .venv/.installed-test ## The documentation as a site, in build/site; a broken link ends it
	@NO_MKDOCS_2_WARNING=1 $(PY) -W ignore -m mkdocs build --quiet --strict
	@echo "build/site/index.html"

.PHONY: docs-serve
docs-serve: .venv/.installed-test ## The same at http://localhost:8000, built anew whenever a page is saved
	@NO_MKDOCS_2_WARNING=1 $(PY) -W ignore -m mkdocs serve

.PHONY: bench
bench: .venv/.installed-test ## Measure API units, records a minute, time and memory (ARGS=--quick: few rows)
	@$(PY) -m kustomer_pipeline_tests.bench $(ARGS)

.PHONY: lock
lock: ## Write constraints.txt anew: the newest versions that setup.cfg allows
	$(make_venv)
	@echo "Installing the newest versions into build/lock"
	@rm -rf build/lock && mkdir -p build && $(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check '.[test]'
	@{ echo "# Written by 'make lock': one set of versions that passed the tests. The ranges are in setup.cfg."; \
	   build/lock/bin/python -m pip freeze --exclude kustomer-pipeline; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/lock

.PHONY: clean
clean: ## Remove everything made here, .venv included
	rm -rf .venv .demo build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed-run: $(DEPENDENCIES)
	$(make_venv)
	$(call install,the pipeline,.)

.venv/.installed-test: $(DEPENDENCIES)
	$(make_venv)
	$(call install,the pipeline and its tests' tools,.[test])
	@touch .venv/.installed-run

# dbt-core and mypy want different versions of a package, and dbt takes two minutes to install.
build/dbt/.installed: setup.cfg kustomer_pipeline_tests/dbt/constraints.txt
	$(make_venv)
	@echo "Installing dbt and dagster-dbt into build/dbt (about two minutes)"
	@rm -rf build/dbt && mkdir -p build && $(PYTHON) -m venv build/dbt
	@build/dbt/bin/python -m pip install --quiet --disable-pip-version-check \
	    --constraint kustomer_pipeline_tests/dbt/constraints.txt --editable . \
	    dagster-dbt dbt-core dbt-duckdb duckdb-engine hypothesis polars pytest
	@touch $@

# chDB is half a gigabyte, fakesnow wants another DuckDB than DuckDB's dialect does, and each of the others brings much.
build/warehouses/.installed: setup.cfg kustomer_pipeline_tests/warehouse/dialects/constraints.txt
	$(make_venv)
	@echo "Installing chDB, fakesnow and the dialects of seven warehouses into build/warehouses (some minutes, 1.5 GB)"
	@rm -rf build/warehouses && mkdir -p build && $(PYTHON) -m venv build/warehouses
	@build/warehouses/bin/python -m pip install --quiet --disable-pip-version-check \
	    --constraint kustomer_pipeline_tests/warehouse/dialects/constraints.txt \
	    --editable '.[snowflake,bigquery,redshift,databricks,clickhouse,trino,mssql]' \
	    'clickhouse-connect[chdb]' fakesnow hypothesis pytest sqlglot
	@touch $@
