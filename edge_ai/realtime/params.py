"""Parameters of a process's soft real-time settings: the only place with their defaults, ranges and words."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import field_validator

from edge_ai.core.params import Params, param

_CPUS = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")


class RealtimeParams(Params):
    """How the operating system and the interpreter are to treat this process. See doc/realtime.md.

    The affinity is text because ROS cannot tell an empty list from a parameter that was not given.
    """

    cpu_affinity: str = param("", "CPUs that this process may run on, such as '2,4-7'; empty: all it is given.")
    priority: int = param(
        0, "Real-time priority (SCHED_FIFO) of all its threads; 0: normal scheduling. Needs a privilege.", ge=0, le=99
    )
    lock_memory: bool = param(False, "Keep its memory from being paged out (mlockall). Needs a privilege.")
    gc: Literal["default", "freeze", "manual"] = param(
        "default",
        "Python's cyclic garbage collector; freeze: it passes over all that configure made; manual: so, and it runs "
        "only every 10 s or when much has been made.",
    )

    @field_validator("cpu_affinity", mode="before")
    @classmethod
    def _one_cpu_is_text(cls, value: Any) -> Any:
        return str(value) if type(value) is int else value

    @field_validator("cpu_affinity")
    @classmethod
    def _check_cpus(cls, text: str) -> str:
        parse_cpus(text)
        return text

    @property
    def cpus(self) -> frozenset[int]:
        """The CPUs of `cpu_affinity`; empty: all."""
        return parse_cpus(self.cpu_affinity)


def parse_cpus(text: str) -> frozenset[int]:
    """The numbers in a list of CPUs as `taskset -c` reads it.

    Raises:
        ValueError: it is none.

    Example:
        >>> sorted(parse_cpus("0,4-6"))
        [0, 4, 5, 6]
    """
    found: set[int] = set()
    for part in filter(None, text.replace(" ", "").split(",")):
        match = _CPUS.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ValueError(f"'{part}' is no CPU number and no range of them such as 4-7")
        found.update(range(first, last + 1))
    return frozenset(found)
