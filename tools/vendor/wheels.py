"""Wheels unpacked into folders of their own, once for each requirement line and Python."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from installer import stamp
from installer.console import Step
from installer.process import clean_environment, run
from installer.pythons import Version


@dataclass(frozen=True)
class Shelf:
    """Where unpacked wheels are kept, and for which Python.

    Attributes:
        folder: below it each gets a folder of its own.
        version: the Python that will import them, perhaps another than this one.
    """

    folder: Path
    version: Version

    def unpacked(self, requirements: Sequence[str], *, dependencies: bool = True) -> Path:
        """The folder that holds some requirements; filled by pip where that was not done before.

        Raises:
            SetupError: pip reached no index, or there is no such wheel.
        """
        place = self.folder / f"{slug(requirements[0])}-py{self.version[0]}{self.version[1]}"
        note, wanted = place / ".unpacked.json", {"requirements": list(requirements), "dependencies": dependencies}
        if stamp.read(note) != wanted:
            shutil.rmtree(place, ignore_errors=True)
            self._install(requirements, place, [] if dependencies else ["--no-deps"])
            stamp.write(note, wanted)
        return place

    def _install(self, requirements: Sequence[str], place: Path, options: Sequence[str]) -> None:
        """pip can unpack for another Python than the one it runs in, as long as nothing has to be built."""
        step = Step(f"      fetching {', '.join(requirements)}")
        python = f"{self.version[0]}.{self.version[1]}"
        command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--target", place, *options]
        command += ["--only-binary", ":all:", "--python-version", python, *requirements]
        env = clean_environment({"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
        log = self.folder / "pip.log"
        run(command, log=log, env=env, cwd=self.folder, step=step, state=lambda _: "working")
        step.done()


def slug(requirement: str) -> str:
    """A folder name for a requirement line: "cuda-bindings>=12.9,<13" -> "cuda-bindings-12.9-13"."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", requirement).strip("-")
