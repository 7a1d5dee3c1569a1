"""Figures as a reader wants them: three digits or so, their unit, and what was not measured said so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any, TypeGuard

UNKNOWN = "not measured"
_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def known(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any, unit: str = "") -> str:
    """About three digits, never an exponent.

    Example:
        >>> number(1234.5, "ms"), number(0.0312), number(None)
        ('1 234 ms', '0.0312', 'not measured')
    """
    if not known(value):
        return UNKNOWN
    size = abs(value)
    digits = 0 if size >= 100 or value == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:,.{digits}f}" if size >= 1 or value == 0 else _small(value)
    gap = "" if unit in ("", "\u00d7") else "\u00a0"
    return text.replace(",", "\u202f").replace("-", "\u2212") + gap + unit


def scaled(value: Any, unit: str = "") -> str:
    """A large number with the letter of its power of ten: bytes, weights, operations."""
    if not known(value):
        return UNKNOWN
    step, letter = next(((step, letter) for step, letter in _STEPS if abs(value) >= step), (1.0, ""))
    return number(value / step, letter + unit)


def percent(share: Any) -> str:
    """A share of 1 as a percentage, to the hundredth, as differences are given."""
    return f"{share * 100:.2f}\u00a0%".replace("-", "\u2212") if known(share) else UNKNOWN


def points(share: Any) -> str:
    """A difference of two shares in percentage points, signed."""
    if not known(share):
        return UNKNOWN
    value = round(share * 100, 2)
    return ("+" if value > 0 else "") + number(value)


def between(estimate: Any, unit: str = "", *, factor: float = 1.0, center: str = "value") -> tuple[str, str]:
    """An estimate and its interval, "9.90 ms" and "9.75 to 10.1"; the latter is empty where it is not known."""
    if not isinstance(estimate, Mapping):
        return UNKNOWN, ""
    value, low, high = (estimate.get(key) for key in (center, "low", "high"))
    if not known(value):
        return UNKNOWN, ""
    interval = f"{number(low * factor)} to {number(high * factor)}" if known(low) and known(high) else ""
    return number(value * factor, unit), interval


def shortened(text: str, most: int) -> str:
    """The text, its middle left out where it is too long: names of layers differ at both ends."""
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}\u2026{text[-tail:]}"


def safe(text: Any) -> str:
    """Any text for any place of the page."""
    return escape(str(text), quote=True)


def _small(value: float) -> str:
    """Three digits of a number below 1; smaller ones than anyone cares about are 0."""
    text = f"{value:.{min(2 - math.floor(math.log10(abs(value))), 6)}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "0") else text
