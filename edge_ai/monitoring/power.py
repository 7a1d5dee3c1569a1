"""A Jetson's power mode, clocks and fan, through jetson-stats: changed where asked, put back in the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import SetPower
from edge_ai.platforms import jetson_service
from edge_ai.platforms.patience import answer, asked

log = logging.getLogger(__name__)
T = TypeVar("T")


class PowerControl:
    """Asks the service of jetson-stats for changes, waits until they show, and knows what there was before.

    Nothing is forced: what needs a reboot is refused. Calls may take tens of seconds; make them from a thread that may
    wait. Whatever the service refuses, or if there is none, comes as words and is no reason to stop.

    Args:
        connect: the way to the service.
        deadline: seconds that one change may take; nvpmodel stops and starts jetson_clocks around its own work.
        way: seconds that the way to the service may take.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Any]] = jetson_service.connect,
        *,
        deadline: float = 20.0,
        way: float = 10.0,
    ) -> None:
        self._connect, self._deadline, self._way = connect, deadline, way
        self._lock = threading.Lock()
        self._before: dict[str, str] = {}

    def apply(self, mode: str = "", clocks: str = "", fan: str = "") -> list[str]:
        """Change what is not empty, each for itself; returns what was refused, in words.

        Args:
            mode: name or number of nvpmodel's mode.
            clocks: "on" or "off": jetson_clocks.
            fan: name of the fan's profile.
        """
        wanted = {"mode": mode, "clocks": clocks, "fan": fan}
        return self._each({kind: value for kind, value in wanted.items() if value})

    def set(self, wanted: SetPower) -> SetPower:
        """Change all of it or nothing, for a step of a ladder.

        Returns:
            What takes it back.

        Raises:
            EdgeAIError: it was refused, or there is no service to ask.
        """
        values = {"mode": wanted.mode, "clocks": wanted.clocks, "fan": wanted.fan}

        def change(service: Any) -> SetPower:
            done: dict[str, str] = {}
            try:
                for kind, value in values.items():
                    if value:
                        done[kind] = self._change(service, kind, value)
            except Exception:
                for kind, value in reversed(done.items()):
                    self._change(service, kind, value)
                raise
            return SetPower(**done)

        return self._talk(change)

    def restore(self) -> list[str]:
        """Put back what there was before the first change, last change first; returns what was refused, in words."""
        return self._each(dict(reversed(self._before.items())))

    def _each(self, wanted: dict[str, str]) -> list[str]:
        if not wanted:
            return []
        refusals: list[str] = []

        def change(service: Any) -> None:
            for kind, value in wanted.items():
                try:
                    self._change(service, kind, value)
                except EdgeAIError as error:
                    refusals.append(str(error))
                except Exception as error:  # JtopException, of a library that may not be here to name
                    refusals.append(f"{kind} '{value}': {' '.join(str(error).split())}")

        try:
            self._talk(change)
        except EdgeAIError as error:
            refusals.append(str(error))
        for refusal in refusals:
            log.warning("power: %s", refusal)
        return refusals

    def _talk(self, work: Callable[[Any], T]) -> T:
        """Work with the service in a thread that may hang. What it would do after that long is not done.

        Raises:
            EdgeAIError: there is no service, it does not answer, or what the work raises.
        """
        reached, given_up = threading.Event(), threading.Event()

        def talk() -> T:
            try:
                with self._lock, self._connect() as service:
                    reached.set()
                    if given_up.is_set():
                        raise TimeoutError
                    return work(service)
            finally:
                reached.set()

        try:
            talked = asked(talk)
            if not reached.wait(self._way):
                raise TimeoutError(f"no answer within {self._way:g} s")
            return answer(talked, (len(_CHANGES) + 1) * self._deadline)
        except EdgeAIError:
            raise
        except Exception as error:  # of jetson-stats and of the way to it
            given_up.set()
            words = " ".join(str(error).split()) or type(error).__name__
            raise EdgeAIError("power", got=words, mend="journalctl -u jtop says more") from None

    def _change(self, service: Any, kind: str, value: str) -> str:
        """Make one change and wait until it shows; returns the value there was."""
        change = _CHANGES[kind](service, value)
        before = change.now()
        if not change.done():
            self._before.setdefault(kind, before)  # also for what comes true after the deadline
            change.begin()
            self._await(service, change.done, f"{kind} '{value}'")
            log.info("power: %s %s, was %s", kind, value, before)
        if self._before.get(kind) == value:
            del self._before[kind]
        return before

    def _await(self, service: Any, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + self._deadline
        while not done():
            if not service.ok():  # waits for the next answer of the service
                raise EdgeAIError(what, got="the service of jetson-stats fell silent", mend="systemctl restart jtop")
            if time.monotonic() > end:
                mend = "journalctl -u jtop says more"
                raise EdgeAIError(what, got=f"no change within {self._deadline:g} s", mend=mend)


class _Change(Protocol):
    """One of the things that can be changed, on its way to a value."""

    def now(self) -> str:
        """The value it has."""

    def done(self) -> bool:
        """Whether it has come to the value that is wanted."""

    def begin(self) -> None:
        """Ask for it. Raises EdgeAIError, or what jetson-stats raises, where it is refused at once."""


class _Mode:
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


class _Clocks:
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


class _Fan:
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


_CHANGES: dict[str, Callable[[Any, str], _Change]] = {"mode": _Mode, "clocks": _Clocks, "fan": _Fan}
"""In the order in which they are made: a power mode sets clocks anew."""
