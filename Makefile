# `make` alone lists the commands.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DOCS := $(shell find docs includes -type f 2>/dev/null) mkdocs.yml
READERS := bot/sections.py bot/words.py bot/adapter.py bot/index.py bot/encoder.py bot/building.py bot/llms.py
export NO_MKDOCS_2_WARNING := 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help serve build test lint unit check bench tune clean browser

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

serve: build ## set up, build, and serve site and bot at http://127.0.0.1:8000
	$(BIN)/python -m bot serve

build: index/manifest.json ## build the site and the index

test: $(VENV)/.dev browser build lint unit ## set up and run everything: lint, types, unit, browser

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

unit: $(VENV)/.dev build
	$(BIN)/pytest

check: $(VENV)/.dev build ## measure how good the answers are
	$(BIN)/python -m bot check

bench: $(VENV)/.dev build ## measure speed and memory
	$(BIN)/python -m bot bench

tune: $(VENV)/.dev build ## learn the weights and the confidence again
	$(BIN)/python -m bot tune

clean: ## delete what was built (not the virtual environment, not the journal)
	rm -rf site site-zensical index.new index.old
	find index -mindepth 1 ! -name README.md -delete

site/index.html: $(DOCS) $(VENV)/.run
	$(BIN)/mkdocs build --strict
	@touch $@

index/manifest.json: site/index.html $(READERS)
	$(BIN)/python -m bot build
	@touch $@

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Installing python3-venv, which Debian and Ubuntu ship apart …"; $(call apt,python3-venv) && $(PYTHON) -m venv --clear $(VENV); }

$(VENV)/.run: requirements.txt requirements-serve.txt | $(VENV)/bin/pip
	@echo "Installing what builds and runs (PyTorch among it: minutes on a slow line) …"
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what the tests need …"
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# A browser for the tests: Debian's, else Playwright's own download, else the run fails and says so.
browser: $(VENV)/.dev
	@command -v chromium >/dev/null || { echo "Installing chromium …"; $(call apt,chromium) >/dev/null; } \
	|| $(BIN)/playwright install chromium \
	|| { echo "No browser for the tests: install chromium with your package manager, then run make test again."; exit 1; }

apt = { sudo=; test "$$(id -u)" = 0 || sudo="sudo -n"; $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $(1); }
