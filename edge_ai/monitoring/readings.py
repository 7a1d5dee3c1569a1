"""What is measured of a machine and of the nodes on it: names with numbers, and where they are missing, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Readings = Mapping[str, float]
"""Values by name, in SI units; shares from 0 to 1, temperatures in degrees Celsius. A name that is missing, or NaN,
cannot be read. doc/watching.md lists the names; those of a node begin with its name and a slash."""


@dataclass(frozen=True, slots=True)
class Sample:
    """All that was known at one moment.

    Attributes:
        stamp_ns: when, in ROS time (wall clock without ROS), ns since the epoch.
        steady_ns: the same moment on the steady clock, ns; whatever lasts is measured on it.
        readings: of the machine, of the nodes and of the robot as a whole.
        texts: what is no number: "board", "power_mode", "jetpack".
        faults: sources that were left out, and why, in words.
    """

    stamp_ns: int
    steady_ns: int
    readings: Readings = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
