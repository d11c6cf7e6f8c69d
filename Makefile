# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test dev dashboard lint audit docker-demo docker-check bench screenshots clean

run: $(VENV)/installed
	$(BIN)/productpulse run

dev: $(VENV)/installed
	$(BIN)/productpulse dev

dashboard: $(VENV)/installed
	$(BIN)/productpulse dashboard

# Files of tests side by side: within one, tests share what took long to make.
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile

# Our own code, then the pinned packages against the vulnerabilities that are known.
audit: $(VENV)/installed-dev
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive productpulse_assets rules asset_checks resources dashboard
	$(BIN)/python -m tests.operations.audit

# The demo in containers: a run, then the schedule, Dagster's UI and the dashboard.
docker-demo:
	@docker info > /dev/null 2>&1 && docker compose version > /dev/null 2>&1 || \
		{ echo "This needs Docker Engine 25 or newer with Compose, running. Without it: make run, then make dashboard."; exit 1; }
	docker compose build
	docker compose run --rm pipeline
	docker compose up --detach --wait
	@echo "Dagster's UI is at http://127.0.0.1:3000, the dashboard at http://127.0.0.1:8501."
	@echo "They go on until: docker compose down (with --volumes the data goes too)."

# What Docker would do, without Docker: the Dockerfile's steps and compose.yaml's commands.
docker-check: $(VENV)/installed-dev
	$(BIN)/python -m tests.operations.docker_steps

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
