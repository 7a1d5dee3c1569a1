# Everything lives in .venv/, build/, install/, log/ and out/; `make clean` removes them.
.PHONY: help setup demo test bench lint clean
.DEFAULT_GOAL := help

# python3, or whatever PYTHON= names; the set-up finds a supported one on PATH where python3 is not.
FOUND := $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do command -v $$p && break; done)
BOOTSTRAP = $(or $(PYTHON),$(FOUND),$(error no python3 on PATH; Debian/Ubuntu: python3 python3-venv python3-dev)) \
  tools/bootstrap.py $(if $(PYTHON),--only-this-python)
IN_ENV = . ./env.sh &&

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup:  ## ROS 2, Python packages and the interfaces, below this folder (PYTHON=python3.12 to choose)
	@$(BOOTSTRAP)

demo: setup  ## real video in, commands and pictures out (SOURCE=video|folder|URL|/dev/video0 MODEL=card.yaml DURATION=s)
	@$(IN_ENV) exec python tools/demo.py $(if $(SOURCE),--source "$(SOURCE)") $(if $(MODEL),--model "$(MODEL)") \
	  $(if $(DURATION),--duration "$(DURATION)")

test:  ## all tests (ARGS="-k camera" to choose)
	@$(BOOTSTRAP) --with test
	@$(IN_ENV) ROS_DOMAIN_ID=$$(python tools/domain.py) exec python -m pytest $(ARGS)

bench:  ## measure (ONLY=pipeline for one topic, PARTS=limit,composed for some of it, QUICK=1 for a short run)
	@$(BOOTSTRAP) --with test
	@$(IN_ENV) ROS_DOMAIN_ID=$$(python tools/domain.py) exec python -m benchmarks $(if $(ONLY),--only "$(ONLY)") \
	  $(if $(PARTS),--parts "$(PARTS)") $(if $(QUICK),--quick)

lint:  ## ruff and mypy
	@$(BOOTSTRAP) --with dev
	@$(IN_ENV) ruff check . && ruff format --check . && mypy

clean:  ## remove all that was made here, .venv/ too
	rm -rf .venv build install log out .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
