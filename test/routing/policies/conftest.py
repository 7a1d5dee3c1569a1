"""Snapshots and results for the tests of policies."""

import numpy as np
import pytest

from edge_ai.core.types import Detections, FrameHeader, Result
from edge_ai.routing.decision import Link, SideState, Snapshot


def _side(expected=0.03, spread=0.003, age=0.1, in_flight=0):
    return SideState(expected=expected, spread=spread, p95=expected + 2 * spread, age=age, in_flight=in_flight)


def _snapshot(**changes):
    usual = {"width": 640, "height": 480, "age": 0.05, "budget": 0.2, "edge": _side(), "cloud": _side(0.06, 0.006)}
    return Snapshot(**{**usual, "link": Link(5e6, 0.01, 40_000), **changes})


def _result(*scores, **parts):
    found = Detections(
        np.zeros((len(scores), 4), np.float32), np.array(scores, np.float32), np.zeros(len(scores), np.int32)
    )
    return Result(FrameHeader(0, 0, "camera", 0, 640, 480), found, "model", "1", **parts)


@pytest.fixture(scope="session")
def side():
    """Makes what is known of a side."""
    return _side


@pytest.fixture(scope="session")
def snapshot():
    """Makes a snapshot of a robot and a server at ease: 30 ms here, 60 ms there, 200 ms left; with changes."""
    return _snapshot


@pytest.fixture(scope="session")
def result():
    """Makes a result with some scores."""
    return _result
