"""Interpreters of other versions that stand beside the one that runs this."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from installer.console import SetupError
from installer.interpreter import NAMES, SUPPORTED, version_of

Version = tuple[int, int]


def parse(text: str) -> Version:
    """A version as numbers: "3.10" -> (3, 10).

    Raises:
        SetupError: it is not one of those supported.
    """
    known = {f"{major}.{minor}": (major, minor) for major, minor in SUPPORTED}
    if text not in known:
        raise SetupError(f"Python '{text}' is not one of {NAMES}; name some of these: PYTHONS=\"3.10 3.12\"")
    return known[text]


def find(version: Version) -> str | None:
    """A program of a version: from PATH, else from pyenv, whose shims answer only for the version chosen; or None."""
    name = f"python{version[0]}.{version[1]}"
    for program in (shutil.which(name), *_from_pyenv(name)):
        if program and version_of(program) == version:
            return program
    return None


def _from_pyenv(name: str) -> list[str]:
    folder = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    return [str(program) for program in sorted(folder.glob(f"*/bin/{name}"), reverse=True)]
