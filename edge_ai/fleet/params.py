"""What a simulated fleet is like: robots, links, servers, outage; the only place with the defaults."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import model_validator

from edge_ai.core.params import Params, param

ALWAYS = ("always-edge", "always-cloud")
"""Not policies: what every robot does where an operator overrides them all, for comparison."""


class FleetParams(Params):
    """One run of the simulation."""

    robots: int = param(100, "How many.", ge=1, le=100_000)
    policy: str = param("adaptive", "Policy of every robot, or always-edge, always-cloud.")
    seed: int = param(1, "Of all that is drawn.", ge=0)
    horizon: float = param(65.0, "Time to simulate.", unit="s", ge=1, le=86400)
    warm_up: float = param(15.0, "Time at first that no figure counts.", unit="s", ge=0, le=86400)
    rate: float = param(10.0, "Frames a second of a robot's camera.", unit="1/s", ge=0.01, le=1000)
    frames: int = param(
        300_000,
        "Frames to simulate at most; above, each stands for several of the camera's, and the servers are fewer.",
        ge=1,
    )
    outage_start: float = param(30.0, "When all servers fail.", unit="s", ge=0, le=86400)
    outage_end: float = param(40.0, "When they are back; as outage_start: no outage.", unit="s", ge=0, le=86400)
    outage: Literal["blackhole", "refuse"] = param(
        "blackhole", "How a server that is gone shows: nothing comes back, or connections are refused."
    )
    provision: float = param(0.5, "Frames the servers can answer as a share of those the fleet has.", ge=0.001, le=100)
    max_batch: int = param(1, "Images a server runs at once at most.", ge=1, le=64)
    queue_size: int = param(16, "Requests that may wait at a server; more are refused.", ge=1, le=100_000)
    queue_timeout: float = param(1.0, "Time a request may wait there before it is refused.", unit="s", ge=0.001, le=60)
    lan: float = param(0.2, "Share of the robots on Ethernet.", ge=0, le=1)
    wifi: float = param(0.5, "Share on Wi-Fi; the rest is on LTE.", ge=0, le=1)
    large: float = param(0.1, "Share of the robots whose camera has 2560x1440 px instead of 640x480.", ge=0, le=1)
    urgent: float = param(0.1, "Share of the robots whose frames have high priority.", ge=0, le=1)
    busy: float = param(0.3, "Share of the time that a robot's other programs keep it busy.", ge=0, le=1)
    calm_load: float = param(0.3, "Their share of its CPU when calm.", ge=0, le=0.95)
    busy_load: float = param(0.65, "And when busy.", ge=0, le=0.95)
    dwell: float = param(20.0, "Time a robot stays calm or busy on average.", unit="s", ge=0.1, le=86400)
    rush_start: float = param(0.0, "When all robots become busy at once.", unit="s", ge=0, le=86400)
    rush_end: float = param(0.0, "When that ends; as rush_start: never.", unit="s", ge=0, le=86400)
    noise: float = param(0.15, "Spread of run times about their mean, as a share.", ge=0, le=1)

    @model_validator(mode="after")
    def _fit(self) -> FleetParams:
        if self.lan + self.wifi > 1:
            raise ValueError("'lan' and 'wifi' are shares of the robots: together at most 1")
        if self.outage_end < self.outage_start or self.rush_end < self.rush_start:
            raise ValueError("an outage and a rush end after they begin")
        if self.warm_up >= self.horizon:
            raise ValueError("'warm_up' must be below 'horizon'")
        return self

    @property
    def stands_for(self) -> float:
        """How many frames of the camera one simulated frame stands for; 1 unless ``frames`` would be exceeded."""
        return max(1.0, self.robots * self.rate * self.horizon / self.frames)

    @property
    def simulated_rate(self) -> float:
        """Simulated frames a second of a robot."""
        return self.rate / self.stands_for

    @property
    def has_outage(self) -> bool:
        """Whether the servers fail within the run."""
        return self.outage_start < min(self.outage_end, self.horizon)

    @property
    def steady(self) -> tuple[float, float]:
        """From when to when nothing out of the ordinary happens, s."""
        ends = [self.outage_start] * self.has_outage + [self.rush_start] * (self.rush_start < self.rush_end)
        end = min([self.horizon, *(one for one in ends if one > self.warm_up)])
        return self.warm_up, end if end > self.warm_up else math.nan
