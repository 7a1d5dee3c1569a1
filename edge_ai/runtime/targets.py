"""Which parameter files a launch starts with: the board's profile, and what was prepared for this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_ai.core.errors import ParameterError
from edge_ai.platforms.detect import Machine, detect
from edge_ai.runtime.prepared import prepared_path, read_prepared
from edge_ai.runtime.profiles import profile_path

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
    path = prepared_path()
    try:
        prepared = read_prepared(path)
        why = prepared.differs(machine) if prepared else "nothing was prepared here (edge-ai prepare)"
    except ParameterError as error:
        prepared, why = None, str(error)
    if prepared is None or why:
        used = f"'{path}' is of another machine, and not used: {why}" if prepared else why
        return Target(machine.profile, (profile_path(machine.profile),), f"target {machine.profile}: {seen}; {used}")
    how = "" if prepared.detected else ", chosen when it was prepared"
    words = f"target {prepared.profile}{how}: {seen}; with '{path}', prepared for it"
    return Target(prepared.profile, (profile_path(prepared.profile), path), words)
