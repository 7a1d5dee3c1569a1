"""What can be changed of a board's power through jetson-stats: how it is asked for, and how it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edge_ai.core.errors import EdgeAIError


class Change(Protocol):
    """One of the things that can be changed, on its way to a value."""

    def now(self) -> str:
        """The value it has."""

    def done(self) -> bool:
        """Whether it has come to the value that is wanted."""

    def begin(self) -> None:
        """Ask for it. Raises EdgeAIError, or what jetson-stats raises, where it is refused at once."""


class Mode:
    """nvpmodel's power mode."""

    def __init__(self, service: Any, value: str) -> None:
        self._model = service.nvpmodel
        if self._model is None:
            raise EdgeAIError(f"power mode '{value}'", got="a board without nvpmodel")
        names = [str(name) for name in self._model.models]
        found = [n for n, name in enumerate(names) if value == str(n) or value.lower() == name.lower()]
        if not found:
            raise EdgeAIError(f"power mode '{value}'", got="no such mode", wanted=f"one of {', '.join(names)}")
        self._number, self._name = found[0], names[found[0]]

    def now(self) -> str:
        return str(self._model.name)

    def done(self) -> bool:
        return bool(self._model.id == self._number) and not self._model.is_running()

    def begin(self) -> None:
        reachable = list(self._model.status)
        if self._number < len(reachable) and not reachable[self._number]:
            mend = f"sudo nvpmodel -m {self._number}, and let it reboot"
            raise EdgeAIError(f"power mode '{self._name}'", got="a mode that needs a reboot", mend=mend)
        self._model.set_nvpmodel_id(self._number)


class Clocks:
    """jetson_clocks."""

    def __init__(self, service: Any, value: str) -> None:
        self._clocks, self._on = service.jetson_clocks, value == "on"
        if self._clocks is None:
            raise EdgeAIError("jetson_clocks", got="a board without it")

    def now(self) -> str:
        return "on" if self._clocks else "off"

    def done(self) -> bool:
        return bool(self._clocks) is self._on

    def begin(self) -> None:
        if self._clocks.status == "uncontrolled":
            mend = "sudo jetson_clocks --restore, then systemctl restart jtop"
            raise EdgeAIError("jetson_clocks", got="clocks that were set before the service began", mend=mend)
        self._clocks.set_enable(self._on)


class Fan:
    """The profile of every fan that has it."""

    def __init__(self, service: Any, value: str) -> None:
        self._fan, self._profile = service.fan, value
        profiles = {name: [str(one) for one in self._fan.all_profiles(name)] for name in self._fan}
        self._names = [name for name, has in profiles.items() if value in has]
        if not self._names:
            known = sorted({one for has in profiles.values() for one in has})
            wanted = f"one of {', '.join(known)}" if known else "a board with a fan"
            raise EdgeAIError(f"fan profile '{value}'", got="no fan that has it", wanted=wanted)

    def now(self) -> str:
        return str(self._fan.get_profile(self._names[0]))

    def done(self) -> bool:
        return all(self._fan.get_profile(name) == self._profile for name in self._names)

    def begin(self) -> None:
        for name in self._names:
            self._fan.set_profile(name, self._profile)


CHANGES: dict[str, Callable[[Any, str], Change]] = {"mode": Mode, "clocks": Clocks, "fan": Fan}
"""In the order in which they are made: a power mode sets clocks anew."""
