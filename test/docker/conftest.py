"""What images and compose files are made of, found from the source tree; the tools beside the package, to import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "tools") not in sys.path:
    sys.path.append(str(ROOT / "tools"))


@pytest.fixture(scope="session")
def docker() -> Path:
    """The folder with Dockerfiles and compose files."""
    return ROOT / "docker"
