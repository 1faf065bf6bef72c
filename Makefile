# Every target does the set-up it needs; `make demo` works on a machine with Python and make only.
# PYTHON: 3.11 or newer. SERVE=1 make demo leaves API and workers running.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Nothing of the caller's environment may reach the project's interpreter.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help install install-dev demo run test chaos bot-page pictures docs-check image-check lint fmt lock bench clean

help:
	@echo "make demo      one business day of two fictional clinics, compared with the truth"
	@echo "make run       the whole service on http://127.0.0.1:8001"
	@echo "make test      linters, types, import contracts and all tests"
	@echo "make chaos     kills, crashes and faults for CHAOS_MINUTES (10), then what was kept"
	@echo "make bot-page  docs/bot.md anew: what the bot writes in the sandbox"
	@echo "make image-check  what deploy/Dockerfile builds, built without a container engine"
	@echo "make pictures  docs/pictures anew: a demo, its report, a dialogue of the bot"
	@echo "make docs-check  documents against the code: commands, settings, links, pictures"
	@echo "make lint fmt bench lock install install-dev clean"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "venv failed: on Debian and Ubuntu install the package python3-venv"; exit 1; }

# A stamp remembers which lock file is installed, so a second run starts at once.
$(VENV)/%.installed: %.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing $<"
	@$(BIN)/pip install --quiet --quiet --require-hashes -r $<
	@$(BIN)/pip install --quiet --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

install: $(VENV)/requirements.installed

install-dev: $(VENV)/requirements-dev.installed

demo: $(VENV)/requirements-demo.installed
	@$(BIN)/medai demo

run: install
	@$(BIN)/medai run

# In the order of names: the long tests of tests/acceptance begin first and nobody waits for them.
test: lint
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests

chaos: install-dev
	@$(BIN)/python -m tests.chaos

bot-page: install-dev
	@LOG_LEVEL=ERROR $(BIN)/python -m tests.bot_page

image-check: install-dev
	@$(BIN)/python -m tests.image_check

pictures: install-dev
	@LOG_LEVEL=ERROR $(BIN)/python -m tests.pictures

docs-check: install-dev
	@$(BIN)/pytest tests/documents tests/unit/test_documents.py

lint: install-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fmt: install-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: install-dev
	@for file in $(wildcard benchmarks/*.py); do $(BIN)/python $$file || exit 1; done

# Hashes for every platform and Python; no index address goes into the files.
UV_COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade
lock: $(VENV)/bin/python
	@$(BIN)/pip install --quiet uv
	$(UV_COMPILE) --extra build -o requirements.txt
	$(UV_COMPILE) --extra build --extra demo -o requirements-demo.txt
	$(UV_COMPILE) --extra build --extra demo --extra dev -o requirements-dev.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
