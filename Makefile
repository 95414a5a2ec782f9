# What a person or CI does with a checkout. `make help` lists it. Nothing here needs root.

PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' \
	&& echo $$p && exit; done; echo python3)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check
SAY := @printf '%s\n'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint generate bench soak faults expressions screenshots image clean check-generated pytest debian chromium cluster-tools

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	$(SAY) '' '  PYTHON=python3.11 chooses the interpreter (3.10 to 3.12; the demo server knows no newer one).'

demo: $(VENV)/.demo ## Start a real Triton, a load and the watcher; ONCE=1 ends by itself
	@$(PY) tests/support/debian.py libpython
	@$(VENV)/bin/triton-watch demo $(if $(filter-out 0,$(ONCE)),--once)

test: lint check-generated pytest ## Lint, check generated files, run all tests on the real servers

lint: $(VENV)/.test ## Check style, format, types and layers
	$(SAY) '== ruff' && $(VENV)/bin/ruff check --quiet && $(VENV)/bin/ruff format --check --quiet
	$(SAY) '== mypy' && $(VENV)/bin/mypy
	$(SAY) '== import-linter' && $(VENV)/bin/lint-imports

generate: $(VENV)/.test ## Write the generated files again
	@$(PY) tests/generate_docs.py

bench: $(VENV)/.test debian ## Measure speed and memory beside Prometheus and protobuf
	@$(PY) tests/bench/check.py
	@$(PY) tests/bench/slo.py
	@$(PY) tests/bench/canary.py
	@$(PY) tests/bench/rules.py
	@$(PY) tests/bench/site.py
	@$(PY) tests/bench/run.py

soak: $(VENV)/.test debian ## Canaries under load for ten minutes: no healthy model may be reported
	@TRITON_WATCH_SOAK=600 $(PY) -m pytest -q tests/integration/test_canary_soak.py

faults: $(VENV)/.test debian ## Break a real Triton in every way, and see each alert arrive: an hour
	@$(PY) tests/faults/run.py

expressions: $(VENV)/.test debian ## Run every expression of boards and rules on real servers: two minutes
	@$(PY) tests/expressions/run.py

screenshots: $(VENV)/.test chromium ## Take the pictures of the status page in docs/images: three minutes
	@$(PY) tests/support/debian.py libpython
	@$(PY) tests/screenshots.py

image: ## Build the container image with docker, podman or buildah; FLAGS='--no-cache' go to its build
	@deploy/image/build.sh $(FLAGS)

clean: ## Remove the environment, caches and unpacked packages
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find agent tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

pytest: check-generated debian chromium cluster-tools
	$(SAY) '== pytest, unit tests on all processors' && $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile tests/unit
	$(SAY) '== pytest, real servers beside one another' && $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder \
		-m beside tests/integration
	$(SAY) '== pytest, real servers one after the other' && $(PY) -m pytest -m 'not beside' tests/integration

debian: $(VENV)/.test
	$(SAY) '== packages of the distribution (unpacked into .cache/debian where they are missing)'
	@$(PY) tests/support/debian.py libpython prometheus prometheus-alertmanager bubblewrap dnsmasq-base debootstrap
	@cd tests && ../$(PY) -m support.systemd_tools

cluster-tools: $(VENV)/.test
	$(SAY) '== helm, kubectl and docker-compose (the first time: about 90 MB)'
	@$(PY) tests/support/cluster_tools.py

chromium: $(VENV)/.test
	$(SAY) '== a browser (the first time, where there is none: about 170 MB)'
	@$(PY) tests/support/debian.py chromium

check-generated: lint
	$(SAY) '== generated files'
	@$(PY) tests/generate_docs.py --check

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo 'make: Python 3.10 or newer is needed: say make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 13))' \
		|| { echo 'make: the real tritonserver works with Python 3.10, 3.11 or 3.12 (numpy below 2, which it needs,' \
			'has no build for a newer one): say make PYTHON=/path/to/python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo 'make: this Python cannot make virtual environments: apt-get install python3-venv' >&2; exit 1; }
	$(SAY) "== environment in $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: pyproject.toml $(VENV)/.python
	$(SAY) '== installing triton-watch with what its demo needs (the first time: about 100 MB)'
	@$(PIP) install --editable '.[demo]'
	@$(PY) -m compileall -q agent
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.python
	$(SAY) '== installing triton-watch with what its tests need (the first time: about 150 MB)'
	@$(PIP) install --editable '.[demo,test]'
	@$(PY) -m compileall -q agent
	@touch $@ $(VENV)/.demo
