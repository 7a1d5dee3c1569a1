"""Names to implementations, loaded when first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Generic, TypeVar, cast

from edge_ai.core.errors import EdgeAIError

T = TypeVar("T")


class Registry(Generic[T]):
    """A table of interchangeable parts, each one line: ``name: "module:attribute"``.

    Args:
        what: what the parts are, for error messages ("decoder", "camera source").
        entries: the table.
    """

    def __init__(self, what: str, entries: Mapping[str, str]) -> None:
        self._what = what
        self._entries = dict(entries)

    def names(self) -> tuple[str, ...]:
        """All registered names, in order of registration."""
        return tuple(self._entries)

    def register(self, name: str, target: str) -> None:
        """Add a part at run time; ``target`` is "module:attribute".

        Raises:
            EdgeAIError: the name is taken.
        """
        if name in self._entries:
            raise EdgeAIError(f"{self._what} '{name}' is registered already", got=target, wanted="a free name")
        self._entries[name] = target

    def load(self, name: str) -> T:
        """The part called ``name``.

        Raises:
            EdgeAIError: no such name.
            ImportError: the part needs a library that is not installed.
        """
        if name not in self._entries:
            raise EdgeAIError(f"unknown {self._what}", got=repr(name), wanted=f"one of {', '.join(self._entries)}")
        module, _, attribute = self._entries[name].partition(":")
        return cast(T, getattr(importlib.import_module(module), attribute))
