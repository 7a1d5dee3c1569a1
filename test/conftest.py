"""Tests that need an NVIDIA GPU: run with --gpu, skipped without."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--gpu", action="store_true", help="run what needs an NVIDIA GPU; fails where there is none")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "gpu: needs an NVIDIA GPU with TensorRT; `make test-gpu` runs these")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--gpu"):
        return
    skip = pytest.mark.skip(reason="needs an NVIDIA GPU with TensorRT: make test-gpu")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(skip)
