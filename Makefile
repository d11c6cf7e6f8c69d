# On a new machine `make run` and `make test` install everything that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup run demo reset-demo status dev dashboard test test-fast coverage lint format typecheck audit ci \
	docker-build docker-demo docker-down docker-check needs-docker bench screenshots clean

run: $(VENV)/installed
	$(BIN)/productpulse run

# The program and the tools to work on it, in .venv.
setup: $(VENV)/installed-dev

# A run with the demo company, then the dashboard.
demo: run
	$(BIN)/productpulse dashboard

reset-demo: $(VENV)/installed
	$(BIN)/productpulse reset-demo

status: $(VENV)/installed
	$(BIN)/productpulse status

dev: $(VENV)/installed
	$(BIN)/productpulse dev

dashboard: $(VENV)/installed
	$(BIN)/productpulse dashboard

# Test files run in parallel; the tests of one file share its expensive fixtures, so they stay in one process.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# All tests, each once; coverage is measured over the fast ones.
test: coverage
	$(PYTEST) -m slow

# Without the tests that are marked slow, for use while you work.
test-fast: $(VENV)/installed-dev
	$(PYTEST) -m "not slow"

# Only the fast tests: measuring coverage makes tests 50 % slower.
coverage: $(VENV)/installed-dev
	$(PYTEST) -m "not slow" --cov

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(VENV)/installed-dev
	$(BIN)/mypy

# bandit over our own code, then pip-audit over the pinned packages.
audit: $(VENV)/installed-dev
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive productpulse_assets rules asset_checks resources dashboard
	$(BIN)/python -m tests.operations.audit

# All that a change must pass; .ci/run does this in a new environment.
ci: lint typecheck test audit docker-check

needs-docker:
	@docker info > /dev/null 2>&1 && docker compose version > /dev/null 2>&1 || \
		{ echo "This needs Docker Engine 25 or newer with Compose, running. Without it: make run, then make dashboard."; exit 1; }

docker-build: needs-docker
	docker compose build

# The demo in containers: a run, then the schedule, Dagster's UI and the dashboard.
docker-demo: docker-build
	docker compose run --rm pipeline
	docker compose up --detach --wait
	@echo "Dagster's UI is at http://127.0.0.1:3000, the dashboard at http://127.0.0.1:8501."
	@echo "To stop them: make docker-down. To delete their data too: docker compose down --volumes."

# Stops the containers; the data stays in its volume.
docker-down: needs-docker
	docker compose down

# The Dockerfile's steps and compose.yaml's commands, performed without Docker.
docker-check: $(VENV)/installed-dev
	$(BIN)/python -m tests.operations.docker_steps

bench: $(VENV)/installed-dev
	$(BIN)/python -m tests.benchmarks

# The screenshots in README and docs; needs Chromium (on Debian: apt-get install chromium).
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
