# make run    set up, make a synthetic book if there is no warehouse, open the app
# make test   everything that is tested, on real engines and a real browser
# make bench  a book of a million loans, measured
# make check  style and types
PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= localhost
BIN = .venv/bin

# Many processes are started: what one has compiled, the others find.
unexport PYTHONDONTWRITEBYTECODE

# Chromium is installed while the packages are.
MAKEFLAGS += --jobs=2

.PHONY: run test bench check format chromium

run: .venv/.run
	@$(BIN)/python -m warehouse ready
	@echo "Open http://$(ADDRESS):$(PORT)"
	@$(BIN)/python serve.py --server.port $(PORT) --server.address $(ADDRESS)

test: .venv/.dev chromium
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(TESTS)

chromium:
	@$(PYTHON) -m tests.chromium

bench: .venv/.dev
	$(BIN)/python -m bench $(BENCH)

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/.venv:
	$(PYTHON) -m venv .venv
	@touch $@

# Compiled by all cores at once, which pip does with one, and without the packages' own tests.
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
COMPILE = $(BIN)/python -m compileall -qq -j 0 -x '/tests/' .venv/lib || true

.venv/.run: .venv/.venv requirements.txt
	$(INSTALL) -r requirements.txt
	@$(COMPILE)
	@touch $@

.venv/.dev: .venv/.venv requirements.txt requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@$(COMPILE)
	@touch .venv/.run $@
