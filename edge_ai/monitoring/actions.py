"""What a ladder may do to a robot, and the contract of whoever does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SetParameter:
    """Give a parameter of a node another value; undone by the value it had.

    Attributes:
        node: "camera", "inference", "control" or "router", also where they are composed into one.
        name: of the parameter, without prefix.
        value: a bool, int, float, str or list of one of them.
    """

    node: str
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class CallService:
    """Call a service of a node that takes nothing (std_srvs/Trigger).

    Attributes:
        node: as of `SetParameter`.
        service: its name below the node: "free_memory", "emergency_stop".
        undo: the service that takes it back; empty: nothing can or need be taken back.
    """

    node: str
    service: str
    undo: str = ""


@dataclass(frozen=True, slots=True)
class SetPower:
    """Ask the board for other clocks; undone by what it had. What is empty stays.

    Attributes:
        mode: name or number of nvpmodel's mode.
        clocks: "on" or "off": jetson_clocks.
        fan: name of the fan's profile.
    """

    mode: str = ""
    clocks: str = ""
    fan: str = ""


Action = SetParameter | CallService | SetPower


class Actuator(Protocol):
    """Does what a ladder wants: by services between nodes, directly within one process."""

    def perform(self, action: Action, done: Callable[[Action | Exception | None], None]) -> None:
        """Begin to do it; returns at once.

        Args:
            action: what to do.
            done: called once, from any thread, also from within this call: with what would undo it, with None if
                nothing would, or with the reason why it was not done.
        """
