"""The tests that need no ROS, on other Pythons: python tools/core_tests.py 3.10 3.12

JetPack 6 has Python 3.10 and JetPack 7 has 3.12. Each gets an environment of its own in out/core/, with what
`pip install .` brings and no ROS. A Python that is not on this machine is named and passed over.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from installer import beside, pythons, requirements
from installer.console import SetupError, say
from installer.process import clean_environment

ROOT = Path(__file__).resolve().parent.parent
GROUPS = (requirements.CORE, "test")
# What needs ROS 2 or the built nodes, and the tests of the tools, which `make test` runs on one Python.
ELSEWHERE = ("nodes", "launch", "system", "benchmarks", "tools", "edge_ai_launch.py")
# Pretended releases of TensorRT that no JetPack with one of these Pythons has; `make test` runs all of them.
NOT_THERE = ("8.5.2", "8.6.1", "11.4.0")


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the exit status."""
    try:
        versions = [pythons.parse(text) for text in arguments]
        return max((test(version) for version in versions), default=0)
    except SetupError as error:
        say(f"core_tests.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def test(version: pythons.Version) -> int:
    """Run the tests on one Python and say how it went; 1 where one fails, 0 where that Python is not here.

    Raises:
        SetupError: its environment cannot be made.
    """
    name = f"{version[0]}.{version[1]}"
    program = pythons.find(version)
    if program is None:
        say(f"Python {name}: SKIPPED, there is no python{name} on PATH or in pyenv")
        return 0
    start = time.monotonic()
    python = beside.make(program, ROOT / "out" / "core" / name, requirements.read(ROOT / "setup.cfg", GROUPS))
    status = subprocess.run(command(python), cwd=ROOT, env=variables(), check=False).returncode
    say(f"Python {name}: {'passed' if status == 0 else 'FAILED'}, {time.monotonic() - start:.0f} s with the set-up")
    return int(status != 0)


def command(python: Path) -> list[str]:
    """pytest over the tests that need no ROS."""
    chosen = [f"--ignore=test/{name}" for name in ELSEWHERE]
    chosen += ["-k", " and ".join(f"not {release}-" for release in NOT_THERE)]
    return [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, "test"]


def variables() -> dict[str, str]:
    """A shell's variables without ROS, in which the source tree is the package."""
    return clean_environment({"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
