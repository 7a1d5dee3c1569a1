"""The plan of a canary rollout, key by key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from edge_ai.deployment.canary.criteria import DEFAULTS, Criterion
from edge_ai.deployment.canary.stages import Stages
from edge_ai.deployment.judge.params import JudgeParams
from edge_ai.deployment.plan_file import Entry, read_plan

Seconds = Annotated[float, Field(gt=0, le=30 * 86400)]
Release = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,254}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$")]
Address = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:@\[\]-]{0,252})?$")]


class Host(Entry):
    """A robot.

    Attributes:
        name: what people call it.
        address: where the target finds it; empty: its name.
        instance: what Prometheus's label says of it, with or without the port; empty: its name.
    """

    name: Name
    address: Address = ""
    instance: str = ""

    @property
    def place(self) -> str:
        """Where it is found."""
        return self.address or self.name

    @property
    def label(self) -> str:
        """By what Prometheus knows it."""
        return self.instance or self.name


def _host(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class Plan(Entry):
    """What comes onto which robots, how fast, and what takes it back.

    Attributes:
        release: what the robots are to run, as the target calls it.
        hosts: in the order in which they get it; names, or entries.
        target: how a robot is told: its ``kind``, one of `TARGETS`, and that kind's settings.
        prometheus: base URL.
        label: of the series, that tells robots apart.
        stages: percent of the robots, growing, the last 100.
        interval: between two evaluations; also how far back their queries look, s.
        settle: between a robot's new release and the first evaluation, s: models are loaded, caches filled.
        least: how long each stage is seen at least, with data, s.
        patience: how long a stage may stay undecided before people are asked, s.
        criteria: instead of the default ones.
        judge: parameters of the judge by name.
        parallel: robots that are told at the same time.
        journal: file of what was done and why; relative to the plan's folder; empty: beside the plan.
    """

    release: Release
    hosts: list[Annotated[Host, BeforeValidator(_host)]] = Field(min_length=1)
    target: dict[str, Any]
    prometheus: str = Field("http://127.0.0.1:9090", pattern=r"^https?://")
    label: str = Field("instance", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    stages: list[float] = Field([10, 25, 50, 100])
    interval: Seconds = 30.0
    settle: Annotated[float, Field(ge=0, le=86400)] = 60.0
    least: Seconds = 300.0
    patience: Seconds = 3600.0
    criteria: list[Criterion] = Field(list(DEFAULTS), min_length=1)
    judge: dict[str, Any] = Field({})
    parallel: int = Field(8, ge=1, le=256)
    journal: str = ""

    @field_validator("stages")
    @classmethod
    def _grow(cls, stages: list[float]) -> list[float]:
        if not stages or stages[-1] != 100 or any(a >= b for a, b in zip([0.0, *stages], stages, strict=False)):
            raise ValueError("growing percentages, the last of them 100")
        return stages

    @model_validator(mode="after")
    def _unique(self) -> Plan:
        if twice := list(_twice(host.name for host in self.hosts)):
            raise ValueError(f"hosts named twice: {', '.join(twice)}")
        labels = [host.label for host in self.hosts]
        if twice := [*_twice(labels), *(a for a in labels for b in labels if b.startswith(f"{a}:"))]:
            raise ValueError(f"instances named twice, with a port or without: {', '.join(twice)}")
        if twice := list(_twice(criterion.name for criterion in self.criteria)):
            raise ValueError(f"criteria named twice: {', '.join(twice)}")
        if self.patience < self.least:
            raise ValueError("'patience' is less than 'least': nothing could ever be promoted")
        JudgeParams.parse(self.judge, owner="judge")
        return self

    @property
    def way(self) -> Stages:
        """Its stages and times."""
        shares = tuple(percent / 100 for percent in self.stages)
        return Stages(shares, interval=self.interval, least=self.least, patience=self.patience)

    @property
    def judge_params(self) -> JudgeParams:
        """Of the judge."""
        return JudgeParams.parse(self.judge, owner="judge")

    @property
    def rollout_digest(self) -> str:
        """Tells plans of different rollouts apart: another release, other robots, another way to them."""
        return _digest(self.model_dump_json(include={"release", "hosts", "target", "stages"}))

    @property
    def evidence_digest(self) -> str:
        """Tells plans apart whose evaluations cannot be put together."""
        return _digest(self.model_dump_json(include={"prometheus", "label", "interval", "criteria", "judge"}))

    def journal_of(self, plan: Path) -> Path:
        """Where its journal is, for a plan at this path."""
        return plan.parent / (self.journal or f"{plan.stem}.journal.jsonl")


def load_plan(path: Path) -> Plan:
    """Read a canary plan.

    Raises:
        DeploymentError: as for `read_plan`.
        ParameterError: a parameter of the judge does not exist or is out of its range.
    """
    return read_plan(path, Plan)


def _twice(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
