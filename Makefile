# Set up .venv in this checkout by itself, then do what is asked.
#   make demo          the main job on the sample collection
#   make test          lint, format, types and tests
#   make lint          the first three of these alone
#   make browser-tools what the tests of the workbench need beside chromium
#   make bench-quick   the main figures in five minutes, beside those recorded last
# Options for pip, for example a CPU-only torch on Linux:
#   make demo PIP_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
PIP_OPTIONS ?=
BIN := .venv/bin
READY := .venv/ready

AXE := tests/browser/node_modules/axe-core/axe.min.js

.PHONY: demo test lint browser-tools bench-quick clean

demo: $(READY)
	$(BIN)/dieindex build data/ --index indexes/data
	$(BIN)/dieindex compare 049 078 --index indexes/data
	$(BIN)/dieindex cluster --side both --index indexes/data --out indexes/data-dies.xlsx
	$(BIN)/dieindex evaluate --index indexes/data

test: $(READY) lint
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

browser-tools: $(AXE)

$(AXE): tests/browser/package-lock.json
	npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund
	touch $(AXE)

bench-quick: $(READY)
	$(BIN)/python benchmarks/quick.py

$(READY): setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) \
		--constraint constraints.txt --editable '.[test,heic]'
	touch $(READY)

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
