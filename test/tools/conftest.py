"""The tools are programs beside the package, not part of it: put them where tests can import them."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

CLOSED = "http://127.0.0.1:9/simple/"  # the discard port: nothing listens there


@pytest.fixture
def root() -> Path:
    """The source tree."""
    return ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what set-up reads, with nothing set up in it."""
    copy = tmp_path / "tree"
    for name in ("tools", "msg", "srv"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "env.sh", "Makefile", "package.xml", "CMakeLists.txt"):
        shutil.copy2(ROOT / name, copy / name)
    (copy / "edge_ai").mkdir()
    return copy


@pytest.fixture
def plain_environment() -> Mapping[str, str]:
    """Our environment without another's pip settings and without the virtual environment's traces."""
    from installer.process import clean_environment

    cleaned = clean_environment({"PIP_CONFIG_FILE": os.devnull})
    return {name: value for name, value in cleaned.items() if name == "PIP_CONFIG_FILE" or not name.startswith("PIP_")}
