# Two commands do all their own set-up on a machine with Python 3.11+ and make:
#   make demo   the bot on loopback with practice exchanges, nothing to configure
#   make test   every test that this machine can run
# ARGS reaches the program: make test ARGS="-k link"

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --no-deps --require-hashes --only-binary :all: --requirement
INSTALL_SELF := $(PIP) install --no-deps --no-build-isolation --editable .
PYTEST := $(PY) -m pytest -n 2
QUICK := not browser and not postgres and not long and not thorough
# Releases younger than a week are not taken: a hijacked one is usually found by then.
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --exclude-newer "7 days" --no-header --no-annotate

.DEFAULT_GOAL := demo
.NOTPARALLEL:
.PHONY: demo run test test-long check lint format messages lock clean

demo: $(VENV)/.runtime
	@$(PY) -m chatbot demo $(ARGS)

run: $(VENV)/.runtime
	@$(PY) -m chatbot run $(ARGS)

test: $(VENV)/.dev
	@$(PYTEST) $(ARGS)

test-long: $(VENV)/.dev
	@$(PY) -m pytest -m long -o faulthandler_timeout=0 $(ARGS)

check: lint
	@$(PYTEST) -m "$(QUICK)" $(ARGS)

lint: $(VENV)/.dev
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

format: $(VENV)/.dev
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

# Adds new sentences to the catalogues and drops those that are gone.
messages: $(VENV)/.dev
	@$(PY) -m tests.support.catalogue

# Keeps every pin that still fits; `make lock ARGS=--upgrade` takes newer releases. The runtime's lock
# is cut from the development one, so that people run exactly what the tests ran.
lock: $(VENV)/.dev
	@$(LOCK) $(ARGS) --group pyproject.toml:build --group pyproject.toml:dev \
		--output-file requirements-dev.lock pyproject.toml
	@$(LOCK) $(ARGS) --group pyproject.toml:build \
		--constraint requirements-dev.lock --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find chatbot handlers storage tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A whole environment is kept, so that demo and test share one and run in either order. Without
# ensurepip (Debian ships it apart) venv would leave half an environment behind: looked for first.
define ensure_venv
@$(PIP) --version >/dev/null 2>&1 && \
	$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' && exit 0; \
rm -rf $(VENV); \
problem="Keyherald needs Python 3.11 or newer: install it (Debian: apt install python3 python3-venv) and try again."; \
for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	if "$$python" -c 'import venv; from ensurepip import bootstrap' 2>/dev/null; then \
		"$$python" -m venv $(VENV) && exit 0; \
		rm -rf $(VENV); exit 1; \
	fi; \
	problem="Python cannot make its own environment here: apt install python3-venv"; \
done; \
echo "$$problem" >&2; exit 1
endef

$(VENV)/.runtime: requirements.lock pyproject.toml
	$(ensure_venv)
	@echo "Setting up $(VENV), once: this takes about a minute."
	@$(INSTALL) requirements.lock
	@$(INSTALL_SELF)
	@touch $@

# The development lock contains the runtime's: demo and run have nothing left to do afterwards.
$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml
	$(ensure_venv)
	@echo "Setting up $(VENV) with the test tools, once: this takes about a minute."
	@$(INSTALL) requirements-dev.lock
	@$(INSTALL_SELF)
	@touch $(VENV)/.runtime $@
