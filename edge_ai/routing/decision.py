"""What a policy sees when it decides about a frame, and what it decides.

What it sees is made anew for every frame and for nobody else; it is not frozen because that would take three times as
long to make.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum


class Where(str, Enum):
    """Who is to answer a frame."""

    EDGE = "edge"
    CLOUD = "cloud"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is to answer, and why.

    Attributes:
        where: the side asked first.
        reasons: in words, the weightiest first; never empty.
        exploring: whether this side is asked only so that what is known of it does not go stale; the other side is then
            asked at the same time, so that a trial delays no answer.
    """

    where: Where
    reasons: tuple[str, ...]
    exploring: bool = False

    @property
    def words(self) -> str:
        """Side and reasons in one line, as results carry them."""
        return f"{self.where.value}: {'; '.join(self.reasons)}"


@dataclass(slots=True)
class SideState:
    """What is known of one side.

    Attributes:
        ready: whether it may be asked at all.
        why: why not; empty if it may.
        expected: seconds from asking to the answer, the mean of late; NaN: nothing known.
        spread: standard deviation of the same, seconds; NaN: nothing known.
        p95: 95th percentile of the same, seconds; NaN: nothing known.
        age: seconds since the last answer; inf: none yet.
        in_flight: requests it has not answered yet.
    """

    ready: bool = True
    why: str = ""
    expected: float = math.nan
    spread: float = math.nan
    p95: float = math.nan
    age: float = math.inf
    in_flight: int = 0


@dataclass(slots=True)
class Load:
    """How busy this machine is; NaN: it cannot say.

    Attributes:
        cpu: 0 to 1, over all cores.
        gpu: 0 to 1.
        memory: 0 to 1, used of all.
        temperature: of the hottest sensor, degrees Celsius.
    """

    cpu: float = math.nan
    gpu: float = math.nan
    memory: float = math.nan
    temperature: float = math.nan


@dataclass(slots=True)
class Link:
    """The way to the cloud; NaN: nothing known.

    Attributes:
        bandwidth: bytes/s upwards.
        rtt: seconds for a request without an image.
        payload: bytes that this frame's request is expected to have.
    """

    bandwidth: float = math.nan
    rtt: float = math.nan
    payload: float = math.nan


@dataclass(slots=True)
class Snapshot:
    """All a policy may know when it decides about a frame: plain values, so that a decision can be replayed.

    Attributes:
        width: of the image, px; 0: not known yet.
        height: of the image, px; 0: not known yet.
        camera: which camera took it, where there are several.
        priority: 0 low, 1 normal, 2 high.
        age: seconds since its capture.
        budget: seconds until its answer is of no more use.
        confidence: best score among the detections of this camera's newest result, 0 to 1; 0: it found nothing;
            NaN: there is no result yet, or it has no scores.
        edge: this robot's own engine.
        cloud: the server.
        load: of this machine.
        link: to the server.
        override: what the operator wants; None: whatever the policy says.
        draw: a random number in [0, 1) for policies that explore; it makes them pure.
    """

    width: int = 0
    height: int = 0
    camera: str = ""
    priority: int = 1
    age: float = 0.0
    budget: float = math.inf
    confidence: float = math.nan
    edge: SideState = field(default_factory=SideState)
    cloud: SideState = field(default_factory=SideState)
    load: Load = field(default_factory=Load)
    link: Link = field(default_factory=Link)
    override: Where | None = None
    draw: float = 0.5
