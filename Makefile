# `make help` lists the targets. The environment is .venv; `make setup` makes it, and every other target calls that.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
ARGS ?=
# The whole suite in two lanes (tests/support/lanes.py); a part of it in one.
LANES = $(if $(findstring tests/,$(ARGS)),,-n 2)

.PHONY: $(shell sed -nE 's/^([a-z-]+):.*[#][#] .*/\1/p' $(MAKEFILE_LIST))

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## system packages (through sudo when needed), .venv, native core; quick when nothing changed
	@tools/setup run

setup-test: ## … and what the tests need besides (Chromium, a virtual sound card, cross compilers)
	@tools/setup test

run: setup ## start the assistant: http://localhost:8080 (ARGS="--host 0.0.0.0" …)
	@exec $(PYTHON) -m appliance run $(ARGS)

test: setup-test ## every test: native core, speech, dialogue, server, page in a real Chromium, device
	@echo "==> JavaScript tests"
	@node --test tests/web/*.test.mjs
	@echo "==> Python tests"
	@$(PYTHON) -m pytest $(LANES) $(ARGS)

coverage: setup-test ## the same with the lines and branches of appliance/ that no test reaches; fails below 95 and 90 %
	@$(PYTHON) -m pytest $(LANES) --cov --cov-report=term:skip-covered $(ARGS)
	@$(PYTHON) -m coverage json -q -o - | $(PYTHON) tools/coverage_floor.py

test-quick: setup-test ## under a minute: no browser, sound card, compiler or loaded model
	@$(PYTHON) -m pytest $(LANES) -m "not whole" $(ARGS)

test-debug: setup-test ## the quick tests in asyncio's debug mode; a blocked event loop fails
	@PYTHONASYNCIODEBUG=1 $(PYTHON) -X dev -m pytest -m "not whole" $(ARGS)

lint: setup-test ## ruff: rules and formatting
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .

format: setup-test ## ruff format: the tree as `make lint` wants it
	@$(PYTHON) -m ruff format .

types: setup-test ## mypy --strict
	@$(PYTHON) -m mypy appliance tests

bench: setup-test ## one user, from sample spoken to reply heard → bench/results/voice.json
	@$(PYTHON) -m tests.benchmarks.voice $(ARGS)

bench-voice: setup-test ## the voice beside onnxruntime and stock Piper → bench/results/speaking.json
	@$(PYTHON) -m tests.benchmarks.speaking $(ARGS)

test-page: setup-test ## the page on bad networks, through restarts, in twenty tabs, over 500 turns, in Firefox: minutes
	@tools/setup firefox
	@STIMME_LONG=1 $(PYTHON) -m pytest --timeout=900 tests/web/test_long.py $(ARGS)

test-voice: setup-test ## the voice against onnxruntime over 200 sentences a language, 2,000 forged weights files
	@STIMME_LONG=1 $(PYTHON) -m pytest --timeout=3600 tests/speaking/test_vits.py tests/native/test_vits_proofs.py $(ARGS)

bench-native: setup-test ## converters and rings → bench/results/native.json
	@$(PYTHON) -m tests.benchmarks.native $(ARGS)

bench-page: setup-test ## the page: interactive, transferred, first byte → sound, meter → bench/results/page.json
	@$(PYTHON) -m tests.benchmarks.page $(ARGS)

bench-server: setup-test ## a hundred and more at once → bench/results/server.json
	@$(PYTHON) -m tests.benchmarks.server $(ARGS)

fuzz: setup-test ## random bytes, guided by coverage, at all that reads strangers' bytes: 10 million cases (ARGS="http --cases 100000")
	@$(PYTHON) -m pip install -q -e .[fuzz]
	@$(PYTHON) -m tests.fuzz $(ARGS)

bench-faults: setup-test ## floods: others' pings and memory → bench/results/faults.json
	@$(PYTHON) -m tests.benchmarks.faults $(ARGS)

soak: setup-test ## minutes of everything at once, faults too → bench/results/soak.json (ARGS=minutes)
	@$(PYTHON) -m tests.soak.soak $(ARGS)

chaos: setup-test ## workers killed and frozen, Redis killed, cables pulled while people speak: 200 rounds (ARGS="--rounds 20 --seed 7")
	@$(PYTHON) -m tests.farm.chaos $(ARGS)

test-said: setup-test ## all 10,000 numbers, every minute and date said by Pico, heard and read (an hour)
	@STIMME_TEST_ALL=1 $(PYTHON) -m pytest -q tests/hearing/test_said_and_heard.py $(ARGS)

bench-hearing: setup-test ## words and intents wrong, by voice and disturbance → bench/results/hearing.json
	@$(PYTHON) -m tests.benchmarks.hearing $(ARGS)

bench-farm: setup-test ## several machines as one: recovery, chaos, overhead → bench/results/farm.json (ARGS="--short": minutes)
	@$(PYTHON) -m tests.benchmarks.farm $(ARGS)

bench-dialogue: setup-test ## understanding, and what owners' sentences add → bench/results/dialogue.json
	@$(PYTHON) -m tests.benchmarks.dialogue $(ARGS)

bench-secure: setup-test ## what TLS costs → bench/results/secure.json
	@$(PYTHON) -m tests.benchmarks.secure $(ARGS)

bench-handsfree: setup-test ## the end by the words, the wake word → bench/results/handsfree.json (ARGS=--whole: an hour)
	@$(PYTHON) -m tests.benchmarks.handsfree $(ARGS)

interop: setup-test ## programs that nobody here wrote, each in an environment of its own (network; Python 3.12 or newer)
	@$(PYTHON) -m tests.interop $(ARGS)

bench-protocols: setup-test ## others' protocols beside our own → bench/results/protocols.json (ARGS="--peer PYTHON")
	@$(PYTHON) -m tests.benchmarks.protocols $(ARGS)

bench-device: setup-test ## microphone and loudspeaker → bench/results/device.json
	@$(PYTHON) -m tests.benchmarks.device $(ARGS)

image: setup ## the image for the Raspberry Pi → deploy/ (network, root or Docker, 20 GB, an hour or two)
	@image/build

image-check: setup-test ## what can be known of the image without building it: seconds
	@$(PYTHON) -m pytest tests/image tests/system $(ARGS)

image-test: setup-test ## the image's stage on a plain Debian, booted in an emulated machine: an hour (root)
	@image/assemble
	@$(PYTHON) -m tests.image.emulation $(ARGS)

lock: setup-test ## resolve the dependencies again for each machine → requirements/*.lock
	@$(PYTHON) tools/lock.py $(ARGS)

bench-compare: setup-test ## two results side by side: make bench-compare ARGS="server"
	@$(PYTHON) -m tests.benchmarks.compare $(ARGS)

bench-before-after: setup-test ## the first version and this one, in alternating runs → docs/before-after.md (ARGS="--rounds 5": minutes)
	@$(PYTHON) -m tests.benchmarks.paired $(ARGS)

release: setup-test ## sdist and wheel in dist/, the wheel tried in a clean environment
	@tools/release

clean: ## remove what setup made
	@rm -rf .venv build *.egg-info native/*.so native/*.c
	@echo "Removed .venv and everything built."
