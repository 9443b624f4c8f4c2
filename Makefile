# make demo   the main job: train on digits, prove the gradients agree, draw
# make test   lint, types, tests
# Both make .venv and install what they need, once; they run again when pyproject.toml changes.

PYTHON ?= python3
python := .venv/bin/python

.PHONY: demo test clean

demo: .venv/demo-installed
	$(python) -m demos.digits

test: .venv/test-installed
	$(python) -m ruff check .
	$(python) -m mypy
	$(python) -m pytest

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
