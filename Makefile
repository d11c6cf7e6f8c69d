# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test dev dashboard lint bench screenshots clean

run: $(VENV)/installed
	$(BIN)/productpulse run

dev: $(VENV)/installed
	$(BIN)/productpulse dev

dashboard: $(VENV)/installed
	$(BIN)/productpulse dashboard

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/installed-dev
	$(BIN)/python -m tests.benchmarks

# The README's pictures, of the demo; needs Chromium (on Debian: apt-get install chromium).
screenshots: $(VENV)/installed-dev
	$(BIN)/python -m tests.dashboard.screenshots

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ProductPulse needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
