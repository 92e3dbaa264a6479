# `make help` explains each target. Only Python >= 3.11 is needed.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install
PYTEST_ARGS ?=
# Two workers; a module's tests stay together, for they share what is costly to start. tests/conftest.py has the order.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -rs $(PYTEST_ARGS)
# The tests start hundreds of processes: what is compiled once is kept, also where the machine's own setting is not to.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test crash check fmt bench serve docs requirements clean messages

help: ## Show this help
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

demo: $(VENV)/.demo-installed ## Install the server and watch real tools publish and install with a scoped token
	@$(BIN)/sealstead demo

serve: $(VENV)/.demo-installed ## Run a server on http://127.0.0.1:8000, data below ./build/data
	$(BIN)/sealstead serve --data-dir build/data

test: ## Install what the tests need and run them, on SQLite and on PostgreSQL
	@.ci/programs
	@$(MAKE) --no-print-directory -j2 $(VENV)/.test-installed try-interop
	$(PYTEST)
	$(PYTEST) -m database --database postgres

crash: $(VENV)/.test-installed ## Interrupt each command on keys at every call it makes; prints how many faults were injected
	@.ci/programs
	$(BIN)/python -m pytest -n 2 --dist load --crash all tests/crash $(PYTEST_ARGS)

check: $(VENV)/.test-installed ## Run the linters, the type checker and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(VENV)/.test-installed ## Format the sources
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.test-installed $(VENV)-bench/.installed $(VENV)-of-interop/.installed $(VENV)-of-profile/.installed ## Measure beside devpi and pypiserver; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks --peers $(VENV)-bench --write docs/benchmarks.md $(BENCH_ARGS)
	rm -rf build/bench && $(BIN)/python -m build --wheel --no-isolation --outdir build/bench . >/dev/null
	$(VENV)-of-profile/bin/python -m pip install --quiet --no-deps --force-reinstall build/bench/*.whl
	$(BIN)/python -m benchmarks.identity --ours $(VENV)-of-profile --peer $(VENV)-of-interop --write
	$(BIN)/python -m benchmarks.signing --write
	$(BIN)/python -m benchmarks.signing_server --write docs/benchmarks.md

# The existing tool of the first mission document: tests/interop drive it, and skip by name where it cannot be had.
.venv-interop/.installed: requirements/interop.txt
	$(PYTHON) -m venv .venv-interop
	.venv-interop/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $<
	@touch $@

.PHONY: try-interop
try-interop:
	-@$(MAKE) --no-print-directory .venv-interop/.installed

$(VENV)-bench/.installed: requirements/bench.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Two programs that are measured beside each other, as their users install them: by the same, current installer, and with
# nothing else. What venv adds before Python 3.12 is asked at each import.
$(VENV)-of-%/.installed: requirements/%.txt requirements/installer.txt
	$(PYTHON) -m venv $(VENV)-of-$*
	$(VENV)-of-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	$(VENV)-of-$*/bin/python -m pip install --quiet --require-hashes -r $<
	$(VENV)-of-$*/bin/python -m pip uninstall --quiet --yes setuptools
	@touch $@

docs: $(VENV)/.test-installed ## Write docs/reference and the transcript in the README anew
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.generate --transcript

messages: $(VENV)/.test-installed ## Extract, update and compile the translations (docs/guides/translate.md)
	PYTHONPATH=src:. $(BIN)/python -m tools.messages

requirements: $(VENV)/.test-installed ## Pin the newest versions in requirements/
	requirements/compile $(BIN)/uv

clean: ## Remove environments and caches
	rm -rf .venv .venv-* build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# One environment holds both sets: their pins agree (requirements/README.md).
$(VENV)/.%-installed: requirements/%.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("error: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; say which: make PYTHON=python3.13 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing requirements/$*.txt into $(VENV)"
	@$(PIP) --require-hashes -r requirements/$*.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
