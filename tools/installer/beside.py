"""An environment beside .venv/, for another Python or another set of packages, without ROS."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from installer import stamp
from installer.console import Step
from installer.process import clean_environment, run
from installer.venv import pip_state


def make(program: str, folder: Path, lines: Sequence[str], *, alone: Sequence[str] = (), system: bool = False) -> Path:
    """The Python of an environment that has some requirements, made where it is not there.

    Args:
        program: the interpreter that it is made with.
        folder: where.
        lines: requirement lines.
        alone: requirement lines that are installed after them, without what those packages require themselves.
        system: whether the interpreter's own packages are seen, too.

    Raises:
        SetupError: pip failed or reached no index.
    """
    python, note = folder / "bin" / "python", folder / "edge-ai-setup.json"
    wanted: dict[str, Any] = {"base": os.path.realpath(program), "requirements": list(lines), "system": system}
    if alone:
        wanted["alone"] = list(alone)
    if python.exists() and stamp.read(note) == wanted:
        return python
    folder.mkdir(parents=True, exist_ok=True)
    step = Step(f"      making {folder.name} and installing {len(lines) + len(alone)} packages and what they need")
    env = clean_environment({"PYTHONUNBUFFERED": "1", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    log = folder.with_suffix(folder.suffix + ".log")
    seen = ["--system-site-packages"] if system else []
    commands: list[list[str | Path]] = [[program, "-m", "venv", "--clear", *seen, folder]]
    commands.append([python, "-m", "pip", "install", *lines])
    if alone:
        commands.append([python, "-m", "pip", "install", "--no-deps", *alone])
    for words in commands:
        run(words, log=log, env=env, cwd=folder.parent, step=step, state=pip_state)
    step.done()
    stamp.write(note, wanted)
    return python
