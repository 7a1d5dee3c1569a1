"""The virtual environment: made, filled from setup.cfg, and its ROS wheels mended for building."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from installer import requirements, stamp
from installer.console import Step
from installer.process import clean_environment, run

BASE = (requirements.CORE, "ros2", "ros2-build", "workshop", "cloud")
MENDING = 1  # raise it when mend() changes, so that existing environments get it
ASK_PATHS = "import sysconfig, numpy; print(sysconfig.get_paths()['include']); print(numpy.get_include())"

GENERATOR = "share/rosidl_generator_py/cmake/rosidl_generator_py_generate_interfaces.cmake"
PUBLIC_INCLUDES = "PUBLIC ${Python3_INCLUDE_DIRS} ${Python3_NumPy_INCLUDE_DIRS})"
BUILD_INCLUDES = 'PUBLIC "$<BUILD_INTERFACE:${Python3_INCLUDE_DIRS};${Python3_NumPy_INCLUDE_DIRS}>")'


class Environment:
    """The virtual environment of one source tree.

    Args:
        root: the source tree; the environment is its .venv.
        groups: requirement groups wanted besides the base ones ("test", "dev").
    """

    def __init__(self, root: Path, groups: Sequence[str] = ()) -> None:
        self.root, self.folder = root, root / ".venv"
        self.python = self.folder / "bin" / "python"
        self._note = self.folder / "edge-ai-setup.json"
        self._asked = groups

    def wanted(self) -> dict[str, Any]:
        """What the note of a finished environment says."""
        before = stamp.read(self._note).get("groups", [])
        groups = [*BASE, *sorted({*self._asked, *(g for g in before if g not in BASE)})]
        return {
            "root": str(self.root),
            "base": os.path.realpath(sys.base_prefix),
            "python": ".".join(map(str, sys.version_info[:3])),
            "groups": groups,
            "requirements": stamp.digest([*requirements.read(self.root / "setup.cfg", groups), MENDING]),
        }

    def is_ready(self) -> bool:
        """Whether it was finished from today's inputs."""
        return self.python.exists() and stamp.read(self._note) == self.wanted()

    def make(self, log: Path, steps: str) -> None:
        """Bring it up to date, from nothing unless a finished one of the same interpreter and place is there.

        Raises:
            SetupError: pip failed or reached no index.
        """
        wanted, before = self.wanted(), stamp.read(self._note)
        if not self.python.exists() or any(before.get(key) != wanted[key] for key in ("root", "base", "python")):
            self._create(log)
        self._note.unlink(missing_ok=True)
        self._install(wanted["groups"], log, steps)
        mend(self.folder, *self._include_folders())
        stamp.write(self._note, wanted)

    def _create(self, log: Path) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        step = Step(f"      making {self.folder.name}/ with Python {wanted_version()}")
        # Not sys.executable: in an activated shell that is the one just removed.
        base = getattr(sys, "_base_executable", None) or sys.executable
        command = [base, "-m", "venv", self.folder]
        run(command, log=log, env=clean_environment({}), cwd=self.root, step=step, state=lambda _: "working")
        step.done()

    def _install(self, groups: Sequence[str], log: Path, steps: str) -> None:
        lines = requirements.read(self.root / "setup.cfg", groups)
        listing = self.folder / "requirements.txt"
        listing.write_text("\n".join(lines) + "\n", encoding="utf-8")
        step = Step(f"{steps} installing {', '.join(groups)} with pip")
        pip = [self.python, "-m", "pip", "install", "--progress-bar", "off", "-r", listing]
        env = clean_environment({"PYTHONUNBUFFERED": "1", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
        run(pip, log=log, env=env, cwd=self.root, step=step, state=pip_state)
        step.done()

    def _include_folders(self) -> list[str]:
        """The include folders of this Python and its numpy."""
        env = clean_environment({})
        answer = subprocess.run([self.python, "-c", ASK_PATHS], env=env, check=True, stdout=subprocess.PIPE, text=True)
        return answer.stdout.splitlines()


def wanted_version() -> str:
    """The version of this interpreter, "3.11.7"."""
    return ".".join(map(str, sys.version_info[:3]))


def pip_state(output: str) -> str:
    """How far pip is, from its output."""
    if "Installing collected packages" in output:
        return f"unpacking {output.rpartition('Installing collected packages:')[2].count(',') + 1} packages"
    if "Retrying (Retry(" in output[-2000:]:
        return "the package index does not answer, trying again"
    return f"{len(set(re.findall(r'^Collecting ([A-Za-z0-9._-]+)', output, re.MULTILINE)))} packages found"


def mend(folder: Path, python_include: str, numpy_include: str) -> int:
    """Mend the CMake files of the ROS wheels in an environment; the number of files changed.

    They carry the include folders of the machine they were built on, and an export that CMake refuses where the
    environment lies inside the source tree. Mending twice changes nothing the second time.
    """
    changed = 0
    for path in sorted((folder / "share").rglob("*.cmake")):
        before = path.read_text(encoding="utf-8", errors="surrogateescape")
        after = re.sub(
            r"/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages/numpy/(_core|core)/include",
            lambda _: numpy_include,
            before,
        )
        after = re.sub(r"/opt/python/cp3\d+-cp3\d+/include/python3\.\d+", lambda _: python_include, after)
        if path == folder / GENERATOR:
            after = after.replace(PUBLIC_INCLUDES, BUILD_INCLUDES)
        if after != before:
            path.write_text(after, encoding="utf-8", errors="surrogateescape")
            changed += 1
    return changed
