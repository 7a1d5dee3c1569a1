"""Kinds of values that several commands take; argparse turns what they raise into a word and status 2."""

from __future__ import annotations

import argparse
import math


def positive(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got '{text}', wanted a number above 0")
    return value


def image_size_of(text: str) -> tuple[int, int]:
    """(width, height) of WIDTHxHEIGHT."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and 0 < int(width) <= 8192 and 0 < int(height) <= 8192):
        raise argparse.ArgumentTypeError(f"got '{text}', wanted WIDTHxHEIGHT in pixels like 640x640, up to 8192")
    return int(width), int(height)
