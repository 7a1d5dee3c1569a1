# Everything lives in .venv/, build/, install/, log/ and out/; `make clean` removes them.
.PHONY: help setup demo demo-cloud models test test-core test-torch test-aarch64 test-gpu images bench bench-gpu lint typecheck clean
.DEFAULT_GOAL := help

# python3, or whatever PYTHON= names; the set-up finds a supported one on PATH where python3 is not.
FOUND := $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do command -v $$p && break; done)
BOOTSTRAP = $(or $(PYTHON),$(FOUND),$(error no python3 on PATH; Debian/Ubuntu: python3 python3-venv python3-dev)) \
  tools/bootstrap.py $(if $(PYTHON),--only-this-python)
IN_ENV = . ./env.sh &&

help:  ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile

setup:  ## ROS 2, Python packages and the interfaces, below this folder (PYTHON=python3.12 to choose)
	@$(BOOTSTRAP)

demo: setup  ## real video in, commands and pictures out (SOURCE=video|folder|URL|/dev/video0 MODEL=card.yaml DURATION=s)
	@$(IN_ENV) exec python tools/demo.py $(if $(SOURCE),--source "$(SOURCE)") $(if $(MODEL),--model "$(MODEL)") \
	  $(if $(DURATION),--duration "$(DURATION)")

demo-cloud:  ## the robot and a real Triton over a link that degrades, dies and comes back (SOURCE=video)
	@$(BOOTSTRAP) --with cloud --with fleet
	@$(IN_ENV) exec python tools/demo_cloud.py $(if $(SOURCE),--source "$(SOURCE)")

models:  ## fetch real models of every family and convert them to ONNX (NAMES="selfie centerface" to choose)
	@$(BOOTSTRAP) --with test
	@$(IN_ENV) exec python tools/models.py $(NAMES)

test:  ## all tests (ARGS="-k camera" to choose)
	@$(BOOTSTRAP) --with test
	@$(IN_ENV) ROS_DOMAIN_ID=$$(python tools/domain.py) exec python -m pytest $(ARGS)

test-core:  ## the tests that need no ROS, on other Pythons (PYTHONS="3.10 3.12")
	@$(or $(PYTHON),$(FOUND)) tools/core_tests.py $(or $(PYTHONS),3.10 3.12)

test-torch:  ## pruning and quantising networks of PyTorch, in an environment of its own
	@$(or $(PYTHON),$(FOUND)) tools/torch_tests.py

test-aarch64:  ## the pure tests and the shipped model on an emulated Jetson processor (TESTS="core control" to choose)
	@$(BOOTSTRAP) --with test
	@$(IN_ENV) exec python tools/aarch64.py $(TESTS)

images:  ## the PC's container image, built and tried with an engine of its own (WHAT=build or check for one of it)
	@$(BOOTSTRAP) --with test
	@$(IN_ENV) exec python tools/containers.py $(WHAT)

bench:  ## measure (ONLY=pipeline for one topic, PARTS=limit,composed for some of it, QUICK=1 for a short run)
	@$(BOOTSTRAP) --with test
	@$(IN_ENV) ROS_DOMAIN_ID=$$(python tools/domain.py) exec python -m benchmarks $(if $(ONLY),--only "$(ONLY)") \
	  $(if $(PARTS),--parts "$(PARTS)") $(if $(QUICK),--quick)

test-gpu:  ## what only an NVIDIA GPU with TensorRT can prove; needs no ROS
	@$(or $(PYTHON),$(FOUND)) tools/gpu.py test

bench-gpu:  ## our TensorRT backend beside trtexec or Polygraphy on the same engine (QUICK=1 for a short run)
	@$(or $(PYTHON),$(FOUND)) tools/gpu.py bench $(if $(QUICK),--quick)

lint:  ## ruff and mypy
	@$(BOOTSTRAP) --with dev
	@$(IN_ENV) ruff check . && ruff format --check . && mypy

typecheck:  ## GPU code against NVIDIA's libraries of several releases, without a GPU (RELEASES=vendor-jetpack6 to choose)
	@$(BOOTSTRAP) --with dev
	@$(IN_ENV) exec python tools/typecheck.py $(RELEASES)

clean:  ## remove all that was made here, .venv/ too
	rm -rf .venv build install log out .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
