"""A Jetson's power mode, clocks and fan, through jetson-stats: changed where asked, put back in the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, TypeVar

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import SetPower
from edge_ai.monitoring.power_changes import CHANGES
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
                with suppress(Exception):  # the first refusal is the one to tell
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
            return answer(talked, (len(CHANGES) + 1) * self._deadline)
        except EdgeAIError:
            raise
        except Exception as error:  # of jetson-stats and of the way to it
            given_up.set()
            words = " ".join(str(error).split()) or type(error).__name__
            raise EdgeAIError("power", got=words, mend="journalctl -u jtop says more") from None

    def _change(self, service: Any, kind: str, value: str) -> str:
        """Make one change and wait until it shows; returns the value there was."""
        change = CHANGES[kind](service, value)
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
