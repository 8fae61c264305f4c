# make run: fly the descent live. make test: all checks and tests. Each sets up what it needs in .venv.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.setup

# Tests start hundreds of processes: each would compile all modules again without their .pyc.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test long lint exports reference screenshots figures firmware prebuilt simavr-runner fuzz-firmware bench bench-decode bench-offline format clean scenarios

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv and install the packages into it

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv \
		|| { echo "no venv: on Debian, apt-get install python3-venv"; exit 1; }
	@echo "setting up .venv (once, about half a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[parquet]' --group dev
	@touch $@

run: $(STAMP) ## fly the historical descent live in the TUI
	@$(BIN)/hil fly $(ARGS)

# Most tests wait for a clock, so more run at once than there are cores. Those that hold this machine to milliseconds
# come last, alone. Those that are long are for `make long`, and for CI, which runs everything.
PYTEST := $(BIN)/python -m pytest
SIDE_BY_SIDE := -n auto --dist worksteal
test: $(STAMP) lint exports ## lint, types, architecture and all tests; ARGS='-k name' for some of them
ifdef ARGS
	@$(PYTEST) $(ARGS)
else
	@$(PYTEST) $(SIDE_BY_SIDE) -m "not alone and not long"
	@$(PYTEST) -m "alone and not long"
endif

long: $(STAMP) ## the tests that `make test` leaves to CI: simavr, coverage, analysers, the Cortex-M4's code
	@$(PYTEST) $(SIDE_BY_SIDE) -m "long and not alone"
	@$(PYTEST) -m "long and alone"

lint: $(STAMP) ## ruff, mypy and import-linter alone
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

exports: $(STAMP) ## compare the generated files (C header, XTCE, documents) with what they are generated from
	@$(BIN)/python -m protocols.export check
	@$(BIN)/python tools/make_atmosphere.py --check
	@$(BIN)/python tools/make_orbit.py --check
	@$(BIN)/python tools/make_reference.py --check
	@$(BIN)/python tools/make_architecture.py --check

reference: $(STAMP) ## write the generated reference: docs/commands.md, exit-codes.md, messages.md, scenarios.md
	@$(BIN)/python tools/make_reference.py
	@$(BIN)/python tools/make_architecture.py

screenshots: $(STAMP) ## take the pictures of the documents again, from a flight in tmux
	@$(BIN)/python tools/screenshots.py

figures: $(STAMP) ## fly, and draw the figures of docs/mars6.md again
	@$(BIN)/python tools/make_figures.py

firmware: ## build the C lander for every board
	@$(MAKE) -C hil/firmware firmware

prebuilt: ## build the firmware that the wheel carries
	@$(MAKE) -C hil/firmware BOARD=stm32f4 board
	@cp hil/firmware/build/stm32f4/lander.elf hil/firmware/prebuilt/stm32f4.elf
	@cp hil/firmware/build/stm32f4/lander.json hil/firmware/prebuilt/stm32f4.json
	@$(MAKE) -C hil/firmware BOARD=uno board
	@cp hil/firmware/build/uno/lander.hex hil/firmware/prebuilt/uno.hex
	@cp hil/firmware/build/uno/lander.elf hil/firmware/prebuilt/uno.elf
	@cp hil/firmware/build/uno/lander.json hil/firmware/prebuilt/uno.json

scenarios: $(STAMP) ## fly all scenarios on software, QEMU and simavr, in lockstep; reports in out/
	@rm -rf out/scenarios
	@for target in software qemu simavr; do \
		$(BIN)/hil run all --lockstep --target $$target --jobs 2 --report out/scenarios/$$target || exit 1; done

simavr-runner: ## build the program that runs the Arduino's firmware in simavr
	@$(MAKE) -C tools/simavr-runner

fuzz-firmware: $(STAMP) ## fuzz the C command path with libFuzzer: ARGS='--runs 10000000'
	@$(BIN)/python -m tests.firmware.fuzz $(ARGS)

bench-decode: $(STAMP) ## decoding beside construct, struct and other packages
	@$(BIN)/python benchmarks/bench_decode.py

bench-offline: $(STAMP) ## offline decoding beside a naive script, bare CRCs and other packages; ARGS=--long for 500 MB
	@$(BIN)/python benchmarks/offline.py $(ARGS)

bench: $(STAMP) ## measure, side by side with a floor or a peer
	@for b in benchmarks/bench_*.py benchmarks/latency.py benchmarks/offline.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

format: $(STAMP) ## put the sources into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove everything that make, the tests and the tools made, .venv included
	@rm -rf .venv build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -rf hil/firmware/build tools/simavr-runner/build
	@find . -name .git -prune -o \( -name node_modules -o -name package-lock.json \) -prune -exec rm -rf {} +
	@find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
