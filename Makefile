# `make demo` and `make test` set everything up themselves, in .venv; a second call finds it there.

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
WORKERS ?= 2
FLOOR ?= 90
BIN := .venv/bin

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

.PHONY: help demo test check format lint types imports coverage docs docs-check bench wheel clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    a tour through the embedded world, on loopback"
	@echo "make test    the tests"
	@echo "make check   what CI runs: format, lint, types, import contracts, tests with coverage, docs"
	@echo "make docs    write docs/rules anew from the rules, and the man page from the commands"
	@echo "make bench   measure, side by side; recorded in benchmarks/results.md"
	@echo "make clean   remove what make has made"

demo: .venv/installed
	@$(BIN)/deliverkit demo

test: .venv/developed
	$(BIN)/python -m pytest -n $(WORKERS)

check: format lint types imports docs-check coverage

format: .venv/developed
	$(BIN)/ruff format --check .

lint: .venv/developed
	$(BIN)/ruff check .

types: .venv/developed
	$(BIN)/mypy

imports: .venv/developed
	$(BIN)/lint-imports

docs-check: .venv/developed
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m docs.man --check

coverage: .venv/developed
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term:skip-covered --cov-fail-under=$(FLOOR)

docs: .venv/developed
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.man

bench: .venv/developed
	$(BIN)/python -m benchmarks.bench

wheel: .venv/installed
	$(BIN)/python -m pip wheel -q --no-deps -w dist .

clean:
	rm -rf .venv .coverage* htmlcov dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment with pip in it. Debian keeps ensurepip in a package of its own: without it, a pip
# from elsewhere installs into the environment.
.venv/made:
	@test -n "$(PYTHON)" || { echo "deliverkit needs Python 3.11 or later; none was found (Debian, Ubuntu: apt-get install python3 python3-venv)" >&2; exit 1; }
	@echo "setting up .venv with $(PYTHON) (once)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || { \
		rm -rf .venv; $(PYTHON) -m venv --without-pip .venv && { \
			$(PYTHON) -m pip --python $(BIN)/python install -q pip 2>/dev/null || \
			pip3 --python $(BIN)/python install -q pip 2>/dev/null || \
			pip --python $(BIN)/python install -q pip 2>/dev/null || \
			uv pip install -q --python $(BIN)/python pip 2>/dev/null; }; } || { \
		rm -rf .venv; \
		echo "cannot make a virtual environment: this Python has neither ensurepip nor pip (Debian, Ubuntu: apt-get install python3-venv)" >&2; \
		exit 1; }
	@touch $@

.venv/installed: .venv/made pyproject.toml
	@$(BIN)/python -m pip install -q -e .
	@touch $@

.venv/developed: .venv/installed pyproject.toml
	@$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@
