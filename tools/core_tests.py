"""The tests that need no ROS, on other Pythons: python tools/core_tests.py 3.10 3.12

JetPack 6 has Python 3.10 and JetPack 7 has 3.12. Each gets an environment of its own in out/core/, with what
`pip install .` brings and no ROS. A Python that is not on this machine is named and passed over.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from installer import beside, pythons, requirements
from installer.console import SetupError, say
from installer.process import clean_environment

ROOT = Path(__file__).resolve().parent.parent
GROUPS = (requirements.CORE, "test")
# What needs ROS 2 or the built nodes, and the tests of tools and with servers, which `make test` runs on one Python.
ELSEWHERE = ("nodes", "launch", "system", "benchmarks", "tools", "cloud", "edge_ai_launch.py")
# What takes minutes and is the same on every Python: processes, power cuts, gates at every precision, simulations.
SLOW = (
    "accuracy",
    "cli/test_compile.py",
    "cli/test_fleet.py",
    "deployment/blue_green",
    "deployment/canary",
    "evaluation/test_vtest.py",
    "fleet",
    "runtime/test_accuracy_gate.py",
    "runtime/test_agreement.py",
    "runtime/test_engine_build.py",
    "runtime/test_engine_supply.py",
    "runtime/swap",
)
# Pretended releases of TensorRT that no JetPack with one of these Pythons has; `make test` runs all of them.
NOT_THERE = ("8.5.2", "8.6.1", "11.4.0")

FAILED = 1  # pytest's status where tests failed
AGAIN = ("--last-failed", "--last-failed-no-failures", "none")


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the exit status. All Pythons are set up, and run their tests, at the same time."""
    try:
        versions = [pythons.parse(text) for text in arguments]
        with ThreadPoolExecutor(max(len(versions), 1)) as pool:
            pythons_here = pool.map(prepare, versions)
            ready = [(version, python) for version, python in zip(versions, pythons_here, strict=True) if python]
            return max(pool.map(lambda one: test(*one), ready), default=0)
    except SetupError as error:
        say(f"core_tests.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def prepare(version: pythons.Version) -> Path | None:
    """Make the environment of a Python; its interpreter, or None where that Python is not here.

    Raises:
        SetupError: its environment cannot be made.
    """
    program = pythons.find(version)
    if program is None:
        say(f"Python {name(version)}: SKIPPED, there is no python{name(version)} on PATH or in pyenv")
        return None
    return beside.make(program, ROOT / "out" / "core" / name(version), requirements.read(ROOT / "setup.cfg", GROUPS))


def test(version: pythons.Version, python: Path) -> int:
    """Run the tests on one Python and say at the end how it went; 1 where one fails, and fails again by itself."""
    start = time.monotonic()
    first = run(command(python))
    done = [first] if first.returncode != FAILED else [first, run([*command(python), *AGAIN])]
    end = "passed" if done[-1].returncode == 0 else "FAILED"
    if end == "passed" and len(done) > 1:
        end = "passed, but not all of it the first time"
    output = "".join(one.stdout.decode(errors="replace") for one in done)
    say(f"{output}Python {name(version)}: {end}, {time.monotonic() - start:.0f} s")
    return int(done[-1].returncode != 0)


def run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run pytest; what it prints is kept until its end, so that two Pythons do not talk at once."""
    return subprocess.run(
        command, cwd=ROOT, env=variables(), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def name(version: pythons.Version) -> str:
    """Like "3.12"."""
    return f"{version[0]}.{version[1]}"


def command(python: Path) -> list[str]:
    """pytest over the tests that need no ROS."""
    chosen = [f"--ignore=test/{name}" for name in (*ELSEWHERE, *SLOW)]
    chosen += ["-k", " and ".join(f"not {release}-" for release in NOT_THERE)]
    cache = f"cache_dir={Path(python).parent.parent / 'pytest_cache'}"
    return [str(python), "-m", "pytest", "-q", "-o", cache, *chosen, "test"]


def variables() -> dict[str, str]:
    """A shell's variables without ROS, in which the source tree is the package."""
    return clean_environment({"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
