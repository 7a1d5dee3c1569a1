"""Which parameter files a launch starts with: the board's profile, and what was prepared for this machine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError
from edge_ai.platforms.detect import Machine, detect
from edge_ai.runtime.prepared import prepared_path, read_prepared
from edge_ai.runtime.profiles import profile_path, profile_values

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Target:
    """What a robot is launched on.

    Attributes:
        profile: name of the board profile.
        files: parameter files; later ones override earlier ones.
        words: how it was chosen, in one line.
    """

    profile: str
    files: tuple[Path, ...]
    words: str

    def values(self, nodes: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Parameters by node and name, for who starts no ROS nodes; those of a prefix are a node of its name.

        Raises:
            ParameterError: a file cannot be read, or is no parameter file.
        """
        found: dict[str, dict[str, Any]] = {}
        for file, node in itertools.product(self.files, nodes):
            for name, value in profile_values(file, node).items():
                where, given = (name, value) if isinstance(value, dict) else (node, {name: value})
                found.setdefault(where, {}).update(given)
        return found


def find_target(name: str, look: Callable[[], Machine] = detect) -> Target:
    """The target of a launch argument.

    Args:
        name: of a profile, which is then all there is; or `AUTO`: the profile of this machine, and what `edge-ai
            prepare` has left for it. What was prepared on another machine is not used.
        look: finds out what this machine is; asked only for `AUTO`.

    Raises:
        ParameterError: there is no such profile.
    """
    if name != AUTO:
        return Target(name, (profile_path(name),), f"target {name}, as told")
    machine = look()
    board = machine.board
    seen = f"{board.name}, by {machine.evidence}" if board else f"{machine.model}, no Jetson of the table"
    try:
        path = prepared_path()
        prepared = read_prepared(path)
        why = prepared.differs(machine) if prepared else "nothing was prepared here (edge-ai prepare)"
    except EdgeAIError as error:
        prepared, why = None, str(error)
    if prepared is None or why:
        used = f"'{path}' is of another machine, and not used: {why}" if prepared else why
        return Target(machine.profile, (profile_path(machine.profile),), f"target {machine.profile}: {seen}; {used}")
    how = "" if prepared.detected else ", chosen when it was prepared"
    words = f"target {prepared.profile}{how}: {seen}; with '{path}', prepared for it"
    return Target(prepared.profile, (profile_path(prepared.profile), path), words)
