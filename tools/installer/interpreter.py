"""Which Python to use. Readable for old Pythons, see tools/bootstrap.py."""

import os
import shutil
import subprocess
import sys

from installer.console import SetupError, say

SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13))
NAMES = ", ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
ONLY_THIS = "--only-this-python"
ASK = "import sys; print('%d.%d' % sys.version_info[:2])"


def version_of(program):
    """The (major, minor) an interpreter says it is, or None where it does not run."""
    try:
        answer = subprocess.check_output([program, "-c", ASK], stderr=subprocess.DEVNULL, timeout=30)
        major, minor = answer.decode().strip().split(".")
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def find(path=None):
    """The newest supported interpreter on a search path (default PATH), or None."""
    for version in reversed(SUPPORTED):
        program = shutil.which(f"python{version[0]}.{version[1]}", path=path)
        if program and version_of(program) == version:
            return program
    return None


def ensure_supported(script, root, arguments):
    """Return where this interpreter is the one to use, else go on in that one.

    The one to use is the one behind root/.venv, else this one, else the newest supported one on PATH.

    Raises:
        SetupError: there is none, or the user asked for this one.
    """
    version, chosen = tuple(sys.version_info[:2]), ONLY_THIS in arguments
    here, there = (os.path.realpath(path) for path in (sys.executable, os.path.join(root, ".venv", "bin", "python")))
    if not chosen and there != here and os.path.exists(there) and version_of(there) in SUPPORTED:
        _go_on(there, script, arguments)
    if version in SUPPORTED:
        return
    got = f"this is Python {version[0]}.{version[1]} ({sys.executable})"
    wanted = f"ROS 2 comes as wheels for Python {NAMES} only"
    program = None if chosen else find()
    if program is None:
        raise SetupError(
            f"{got}, but {wanted}. Install one of them (Debian/Ubuntu: python3 python3-venv python3-dev; Fedora: "
            "python3.13 python3.13-devel) or name one: make setup PYTHON=/path/to/python3.12"
        )
    say(f"{got}, but {wanted}; going on with {program}")
    _go_on(program, script, arguments)


def _go_on(program, script, arguments):
    os.execv(program, [program, script] + list(arguments))  # noqa: RUF005 - old Pythons read this
