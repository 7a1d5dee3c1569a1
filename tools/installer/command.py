"""The command line of tools/bootstrap.py, once the interpreter is a supported one."""

from __future__ import annotations

import argparse
import fcntl
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from installer import checks, requirements
from installer.console import say
from installer.interpreter import ONLY_THIS
from installer.venv import Environment, wanted_version
from installer.workspace import Workspace


def run(root: str, arguments: Sequence[str]) -> int:
    """Do what the arguments say; the exit status.

    Raises:
        SetupError: the user has to mend something first.
    """
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up ROS 2, Python packages and interfaces.")
    parser.add_argument("what", nargs="?", choices=("setup", "needs"), default="setup")
    parser.add_argument("--with", dest="groups", action="append", default=[], help="a further extra of setup.cfg")
    parser.add_argument(ONLY_THIS, action="store_true", help="refuse rather than look for another interpreter")
    options = parser.parse_args(arguments)
    if options.what == "needs":
        lines = requirements.missing(requirements.read(Path(root) / "setup.cfg", [requirements.CORE]))
        say("\n".join(lines))
        return 0
    set_up(Path(root), options.groups)
    return 0


def set_up(root: Path, groups: Sequence[str]) -> None:
    """Bring .venv/ and install/ up to date; costs little where they are.

    Raises:
        SetupError: the user has to mend something first.
    """
    requirements.read(root / "setup.cfg", groups)
    environment = Environment(root, groups)
    workspace = Workspace(environment)
    if environment.is_ready() and workspace.is_ready():
        return
    start, log = time.monotonic(), root / "out" / "setup.log"
    log.parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        _wait_for_turn(stack, log.with_name(".setup.lock"))
        checks.check_machine()
        ros = checks.sourced_ros()
        if ros:
            say(f"ROS 2 {ros} is sourced in this shell: on a robot `colcon build` is the way (README). Going on apart")
            say("from it, with ROS 2's wheels in .venv/ alone.")
        say(f"setting up with Python {wanted_version()}; the log is {log.relative_to(root)}")
        log.write_text("", encoding="utf-8")
        if not environment.is_ready():
            environment.make(log, "[1/2]")
        if not workspace.is_ready():
            workspace.make(log, "[2/2]")
    say(f"set up in {time.monotonic() - start:.0f} s")


def _wait_for_turn(stack: ExitStack, path: Path) -> None:
    lock = stack.enter_context(path.open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another set-up of this tree is running; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)
