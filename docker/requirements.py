"""Prints the requirement lines of groups of setup.cfg, for pip: python3 docker/requirements.py core ros2"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from installer import requirements  # noqa: E402 - the path comes first

print("\n".join(requirements.read(ROOT / "setup.cfg", sys.argv[1:])))  # noqa: T201 - this is its answer
