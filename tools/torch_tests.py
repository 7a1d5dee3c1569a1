"""The tests that need PyTorch: python tools/torch_tests.py

They run in an environment of their own, out/torch/, without ROS: PyTorch is large, and a robot has no use for it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from installer import beside, requirements
from installer.console import SetupError, say
from installer.process import clean_environment

ROOT = Path(__file__).resolve().parent.parent
GROUPS = (requirements.CORE, "test", "torch")


def main(arguments: Sequence[str]) -> int:
    """Run them with further arguments for pytest; the exit status."""
    start = time.monotonic()
    try:
        python = beside.make(sys.executable, ROOT / "out" / "torch", requirements.read(ROOT / "setup.cfg", GROUPS))
        status = subprocess.run(command(python, arguments), cwd=ROOT, env=variables(), check=False).returncode
    except SetupError as error:
        say(f"torch_tests.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say(f"PyTorch: {'passed' if status == 0 else 'FAILED'}, {time.monotonic() - start:.0f} s with the set-up")
    return status


def command(python: Path, arguments: Sequence[str]) -> list[str]:
    """pytest over the tests that need PyTorch."""
    return [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, "test/torch"]


def variables() -> dict[str, str]:
    """A shell's variables without ROS, in which the source tree is the package."""
    return clean_environment({"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
