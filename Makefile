# One command each; `make` alone lists them. Everything lives in .venv, nothing else is touched
# but system packages that a test needs, and those only when run as root.

BIN = .venv/bin
unexport PYTHONDONTWRITEBYTECODE # compiling everything anew takes each process seconds
STUDIES = $(filter-out protocols/library/,$(wildcard protocols/*/))
COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes \
	--strip-extras --allow-unsafe --all-build-deps --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host
.DEFAULT_GOAL = help
.PHONY: help demo test check suite static bench soak format texts lock

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/product ## build a training copy of the main trial and serve it (ARGS="--port 8001")
	$(BIN)/ecrf demo $(ARGS)

test: .venv/tested ## run everything that CI runs; ARGS go to pytest
	@sh tools/system.sh
	@$(MAKE) --no-print-directory --keep-going --jobs 2 suite static

check: static ## format, lint, types, import contracts, the shipped studies, the migrations
	$(BIN)/python -m pytest tests/test_migrations.py </dev/null

suite: .venv/tested
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS) </dev/null

static: .venv/tested
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	for study in $(STUDIES); do $(BIN)/ecrf study check $$study || exit 1; done

bench: .venv/tested ## figures as ratios to a bare act measured in the same run; tampers; times by arm
	$(BIN)/python -m bench.save
	$(BIN)/python -m bench.randomize
	$(BIN)/python -m bench.reveal
	$(BIN)/python -m bench.blinding

soak: .venv/tested ## randomize in many processes that click twice and are killed at every point
	$(BIN)/python -m bench.soak $(ARGS)

format: .venv/tested ## format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

texts: .venv/tested ## merge the translations of locale/parts into zh.po and list what is missing
	$(BIN)/python -m tools.texts

lock: .venv/tested ## compile the lock files anew from pyproject.toml
	$(BIN)/pip install --quiet pip-tools
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra test --constraint requirements.lock \
		--output-file requirements-test.lock pyproject.toml

.venv/product: requirements.lock pyproject.toml
	@sh tools/install.sh requirements.lock
	@touch $@

.venv/tested: requirements-test.lock pyproject.toml
	@sh tools/install.sh requirements-test.lock
	@touch $@ .venv/product
