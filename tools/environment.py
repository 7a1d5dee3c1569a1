"""Where the built nodes are and what they need in their environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from installer.process import clean_environment

ROOT = Path(__file__).resolve().parent.parent


class NodeError(Exception):
    """A node failed; says which and why in one line."""


def shell_environment() -> dict[str, str]:
    """The variables of a shell that sourced env.sh: our own where that is done, else those that env.sh makes.

    Raises:
        NodeError: nothing is set up here.
    """
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    if any((Path(prefix) / "lib" / "edge_ai" / "camera_node").exists() for prefix in prefixes if prefix):
        return dict(os.environ)
    command = ["sh", "-c", f'. "{ROOT}/env.sh" && exec env -0']
    done = subprocess.run(command, env=clean_environment({}), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NodeError(done.stderr.strip())
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def executable(name: str, env: Mapping[str, str]) -> str:
    """The path of a node's executable.

    Raises:
        NodeError: it is not installed.
    """
    for prefix in env.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        program = Path(prefix) / "lib" / "edge_ai" / name
        if prefix and os.access(program, os.X_OK):
            return str(program)
    raise NodeError(f"no executable {name} is installed; run: make setup")
