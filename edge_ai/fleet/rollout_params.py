"""A simulated rollout: the robots, the way of the release, and the people; the only place with the defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from edge_ai.core.params import Params, param
from edge_ai.deployment.canary.stages import Stages


class RolloutParams(Params):
    """One rollout of one release onto one fleet."""

    robots: int = param(100, "How many.", ge=1, le=100_000)
    way: Literal["judged", "limits", "at-once"] = param(
        "judged", "Stages with limits and the judge, stages with limits alone, or limits alone on all robots at once."
    )
    seed: int = param(1, "Of all that is drawn.", ge=0)
    stages: list[float] = param([10.0, 25.0, 50.0, 100.0], "Robots that run the release, by stage; the last 100.")
    interval: float = param(30.0, "Time between two evaluations.", unit="s", ge=1, le=3600)
    least: float = param(300.0, "How long a stage is seen at least.", unit="s", ge=1, le=604800)
    patience: float = param(3600.0, "How long a stage may stay undecided.", unit="s", ge=1, le=604800)
    answer: float = param(3600.0, "How long people who are asked need.", unit="s", ge=0, le=604800)
    noticed: float = param(86400.0, "How long a bad release that was promoted stays.", unit="s", ge=0, le=2592000)
    rate: float = param(30.0, "Frames a second of a robot.", unit="1/s", ge=0.1, le=1000)
    errors: float = param(0.0002, "Share of a healthy robot's frames that fail.", ge=0, le=0.5)
    burst: int = param(5, "Frames that fail together.", ge=1, le=30)
    latency: float = param(
        0.06, "Latency of the median robot, p95 at one look of an interval's.", unit="s", ge=0.001, le=10
    )
    spread: float = param(0.1, "Of a robot's latency from look to look, of its logarithm.", ge=0, le=2)
    unlike: float = param(0.03, "Of latency from robot to robot, of its logarithm.", ge=0, le=2)
    lasting: float = param(0.3, "Correlation of a robot's latency with that of the look before.", ge=0, le=0.99)
    day: float = param(0.3, "By how much the failures of all robots rise and fall together over a day.", ge=0, le=1)

    @model_validator(mode="after")
    def _fit(self) -> RolloutParams:
        if not self.stages or self.stages[-1] != 100 or self.stages != sorted(set(self.stages)) or self.stages[0] <= 0:
            raise ValueError("'stages' are growing percentages above 0, the last of them 100")
        if self.patience < self.least:
            raise ValueError("'patience' is less than 'least': nothing could ever be promoted")
        return self

    @property
    def road(self) -> Stages:
        """The stages as a canary deployment knows them."""
        percents = [100.0] if self.way == "at-once" else self.stages
        shares = tuple(percent / 100 for percent in percents)
        return Stages(shares, interval=self.interval, least=self.least, patience=self.patience)
