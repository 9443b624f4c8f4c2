# make demo   the main job: train on digits, prove the gradients agree, draw
# make test   lint, types, tests
# make fuzz   10,000 random programs for each property and each peer that is installed, 10,000 labels for each
#             form of a drawing, and 10,000 damaged checkpoints; kills 100 trainings; counts
# make bench  what the engine, lifted programs and the network cost beside their peers, of those that are
#             installed: ratios; and what drawing costs
# make peers  install these, and whatever else tests and benchmarks compare with
# All make .venv and install what they need, once; they run again when pyproject.toml changes.

PYTHON ?= python3
python := .venv/bin/python

.PHONY: demo test fuzz bench peers clean

demo: .venv/demo-installed
	$(python) -m demos.digits

test: .venv/test-installed
	$(python) -m ruff check .
	$(python) -m mypy
	$(python) -m pytest

fuzz: .venv/test-installed
	$(python) -m pytest tests/test_properties.py tests/test_peers.py tests/test_micrograd.py \
		tests/test_drawing_labels.py tests/test_checkpoints.py tests/test_kill.py \
		--hypothesis-profile=fuzz --hypothesis-show-statistics

bench: .venv/test-installed
	$(python) -m tests.benchmarks.eager
	$(python) -m tests.benchmarks.lifted
	$(python) -m tests.benchmarks.network
	$(python) -m tests.benchmarks.drawing

# the other engines that some tests compare with; a plain torch may bring gigabytes of CUDA along
peers: .venv/test-installed
	$(python) -m pip install --quiet --group peers

clean:
	rm -rf .venv out

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/demo-installed: pyproject.toml | .venv/bin/python
	$(python) -m pip install --quiet --editable ".[demos]"
	touch $@

# pip reads dependency groups from 25.1 on
.venv/test-installed: pyproject.toml | .venv/bin/python
	$(python) -m pip install --quiet --upgrade "pip>=25.1"
	$(python) -m pip install --quiet --editable ".[demos]" --group test --group lint
	touch $@ .venv/demo-installed
