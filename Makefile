# `make` builds the report, `make test` proves it right. `make help` lists the rest.
EDITION ?= default

ifeq ($(if $(filter command,$(origin PYTHON)),$(strip $(PYTHON))),) # one that the shell exports is not meant
# The project's own environment. It is made anew when the lock changes, and never looked at otherwise.
PY := .venv/bin/python
FRESH := cat requirements.lock pyproject.toml | cmp -s - .venv/installed
SETUP := $(FRESH) || sh tools/install
SETUP_TEST := { $(FRESH) && grep -qx test .venv/groups; } || sh tools/install test
else
# Another interpreter, a conda environment say: it is not changed, only compared with the lock.
PY := $(PYTHON)
export PYTHONPATH := $(CURDIR)/src
SETUP := $(PY) src/desertion/engine/environment.py
SETUP_TEST := $(SETUP) test
endif

# All matrices here are small: a second thread only waits for the first.
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := report
.PHONY: report test test-slow check fmt lab accept site release lock setup setup-test clean help

report: setup ## build build/EDITION/report.html; EDITION=name chooses an edition (default)
	@$(PY) -m desertion build --edition $(EDITION)

test: setup-test ## every check before a push: data, lint, types, tests, notebooks' outputs, plots
	@$(PY) tools/test.py

test-slow: setup-test ## the tests that take over 10 s each, and those of the page in a browser
	@$(PY) tools/test.py --slow

check: setup ## validate data/ and print one line per fault
	@$(PY) -m desertion check

fmt: setup ## mend what a spreadsheet leaves behind in data/ (byte-order mark, CRLF, quoting, order)
	@$(PY) -m desertion fmt

lab: setup ## open JupyterLab on the notebooks, with the project's kernel
	@$(PY) -m jupyterlab --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks \
		--FileContentsManager.pre_save_hook=desertion.notebook.before_save

accept: setup ## renew the stored notebook outputs and plots/, and print what changed
	@$(PY) -m desertion accept

site: setup ## make build/site/, every edition ready to be hosted; ADDRESS=https://… is where it will stand
	@$(PY) -m desertion site --address "$(ADDRESS)" --repository "$(REPOSITORY)"

release: setup-test ## run all checks, then make the archive of this version in build/release/
	@$(PY) -m desertion release

lock: ## renew all packages: requirements.lock, and their versions in pyproject.toml; then print the numbers that move
	@$(SETUP)
	@$(PY) tools/lock.py --renew
	@$(MAKE) --no-print-directory report
	@$(PY) -m desertion diff HEAD edition:default || test $$? = 3

setup: ## make .venv from requirements.lock and install the project (or check PYTHON against the lock)
	@$(SETUP)

setup-test: # the same with the packages of `make test`
	@$(SETUP_TEST)

clean: ## remove build/ and the caches of the tools
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find src tests notebooks \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
