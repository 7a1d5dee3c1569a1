"""Kinds of values that several commands take; argparse turns what they raise into a word and status 2."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError, ParameterError


def positive(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got '{text}', wanted a number above 0")
    return value


def count_to(most: int) -> Callable[[str], int]:
    """A number from 1 to ``most``."""

    def count(text: str) -> int:
        if not (text.isdecimal() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"got '{text}', wanted a number from 1 to {most}")
        return int(text)

    return count


def image_size_of(text: str) -> tuple[int, int]:
    """(width, height) of WIDTHxHEIGHT."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and 0 < int(width) <= 8192 and 0 < int(height) <= 8192):
        raise argparse.ArgumentTypeError(f"got '{text}', wanted WIDTHxHEIGHT in pixels like 640x640, up to 8192")
    return int(width), int(height)


def fleet_sizes(text: str) -> tuple[int, ...]:
    """Numbers of robots, each at least 1."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"got '{text}', wanted numbers of robots like 1,10,100")
    return sizes


def settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Values by name of NAME=VALUE, each value as YAML.

    Raises:
        ParameterError: there is no "=", or the value is no YAML.
    """
    import yaml

    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ParameterError("a parameter", got=f"'{pair}'", wanted="NAME=VALUE")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ParameterError(f"parameter '{name}'", got=repr(value), wanted="a value as YAML has it") from None
    return found


def make_folder(path: Path) -> Path:
    """Make the folder that a command writes into.

    Raises:
        EdgeAIError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EdgeAIError(f"folder '{path}'", got=error.strerror, wanted="one that can be written") from None
    return path
