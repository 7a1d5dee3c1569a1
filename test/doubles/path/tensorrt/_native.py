"""What all classes share: which version is pretended, and that a C++ class takes no attribute that it does not have."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, TypeVar

from edge_ai_doubles import settings

C = TypeVar("C", bound=type)
Version = tuple[int, ...]

VERSION: Version = tuple(int(part) for part in settings.trt_version().split("."))


def there(since: Version = (0,), until: Version = (99,)) -> bool:
    """Whether the version that is pretended lies from one, included, to another, excluded."""
    return since <= VERSION < until


def only(since: Version = (0,), until: Version = (99,)) -> Callable[[Any], Any]:
    """A method or property that only some versions have; `Native` takes the mark away, and with it the member."""
    return lambda member: member if there(since, until) else _Absent()


class _Absent:
    """Stands for a member until its class is made."""


class Native:
    """A class of the bindings."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for name in [name for name, member in vars(cls).items() if isinstance(member, _Absent)]:
            delattr(cls, name)

    def __setattr__(self, name: str, value: Any) -> None:
        inside = name.startswith("_own_") or isinstance(getattr(type(self), name, None), property)
        if not inside and type(self).__module__.partition(".")[0] == "tensorrt":
            raise AttributeError(f"'{type(self).__module__}.{type(self).__name__}' object has no attribute '{name}'")
        super().__setattr__(name, value)


class Named(enum.Enum):
    """An enumeration as pybind11 makes them: a number only when asked."""

    def __int__(self) -> int:
        return int(self.value)

    __index__ = __int__

    def __repr__(self) -> str:
        return f"<{self}: {self.value}>"


def enumeration(name: str, **members: int | tuple[int, Version] | tuple[int, Version, Version]) -> Any:
    """An enumeration with the members that this version has.

    Args:
        name: of the enumeration.
        members: the number, or the number with the first version and the first that has it no more.
    """
    chosen = {}
    for member, given in members.items():
        value, *bounds = given if isinstance(given, tuple) else (given,)
        if there(*bounds):
            chosen[member] = value
    return Named(name, chosen, module="tensorrt")


def refuse(message: str) -> TypeError:
    """The error of a call whose arguments the bindings do not take."""
    return TypeError(f"{message}: incompatible function arguments")
