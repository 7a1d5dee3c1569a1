"""The plan of a blue-green deployment, key by key."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge_ai.deployment.container_spec import ContainerSpec
from edge_ai.deployment.plan_file import Entry, read_plan

SideName = Literal["blue", "green"]
SIDES: tuple[SideName, SideName] = ("blue", "green")
Seconds = Annotated[float, Field(gt=0, le=86400)]
Share = Annotated[float, Field(ge=0, le=1)]
Url = Annotated[str, Field(pattern=r"^https?://[^/]+")]
Topic = Annotated[str, Field(pattern=r"^/[A-Za-z0-9_/]+$")]
Command = Annotated[list[str], Field(min_length=1)]


class ProcessPlan(Entry):
    """A side that is a process on this machine, where there are no containers.

    Attributes:
        command: its words; the first one is a program.
        environment: variables by name, besides those of whoever deploys.
    """

    command: Command
    environment: dict[str, str] = Field({})


class RosPlan(Entry):
    """What of a side is in ROS.

    Attributes:
        managers: full names of its lifecycle managers, in the order in which to bring them up.
        topics: that have to be alive once it is in charge.
    """

    managers: list[Topic] = Field(min_length=1)
    topics: list[Topic] = Field([])


class SidePlan(Entry):
    """One of the two sides.

    Attributes:
        release: what people call what it runs.
        container: what it is, or
        process: the same without containers.
        ready: URL that answers 200 before it is in charge, as Triton's /v2/health/ready; empty: none. Not a robot's
            /readyz, which asks for results.
        api: base URL of its Open Inference Protocol, for golden answers; empty: none.
        ros: its part in ROS, if it has one.
    """

    release: str = Field(min_length=1)
    container: ContainerSpec | None = None
    process: ProcessPlan | None = None
    ready: Url | Literal[""] = ""
    api: Url | Literal[""] = ""
    ros: RosPlan | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> SidePlan:
        if (self.container is None) == (self.process is None):
            raise ValueError("either 'container' or 'process'")
        return self

    @property
    def digest(self) -> str:
        """Tells what runs by this plan from what runs by another one."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class TrafficPlan(Entry):
    """The HAProxy that says which side is asked; its servers have the sides' names.

    Attributes:
        socket: path of its runtime API, with "level admin".
        backends: that are switched together, such as HTTP's and gRPC's.
        shares: of the requests that the new side gets before it gets all, rising; empty: all at once.
        share_time: how long each share is watched.
        drain: how long the requests that the old side has begun may take.
        state_file: that HAProxy reads at its start (`load-server-state-from-file`), relative to the plan; empty: none.
    """

    socket: str
    backends: list[str] = Field(min_length=1)
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field([])
    share_time: Seconds = 30.0
    drain: Seconds = 30.0
    state_file: str = ""


class HandOverPlan(Entry):
    """How ROS is asked inside a side.

    Attributes:
        agent: what speaks to a side's lifecycle managers; run inside the side, where our images want their entry point
            before it.
        wheels: topic that only one side may drive; empty: these robots do not drive.
        timeout: for each of standby, stop and start.
    """

    agent: Command = Field(["python3", "-m", "edge_ai.nodes.side_agent"])
    wheels: Topic | Literal[""] = "/cmd_vel"
    timeout: Seconds = 60.0


class GoldenPlan(Entry):
    """Pictures, and what a model that works sees on them.

    Attributes:
        model: on the side's server; takes a JPEG file and gives boxes, as `edge-ai serve-repository` makes it.
        folder: of JPEG files and `answers.json`, relative to the plan; `--record-golden` writes that.
        iou: least overlap (intersection over union) of two boxes that are the same.
        score: most that their scores may differ.
        agreement: least share of the boxes, expected and found, that have a counterpart.
    """

    model: str = Field(min_length=1)
    folder: str
    iou: Share = 0.5
    score: Share = 0.15
    agreement: Share = 0.9


class ChecksPlan(Entry):
    """What is asked of the new side before and after it takes over.

    Attributes:
        commands: by what they prove, run inside it; status 0 is good: {"GPU": ["nvidia-smi", "-L"]}.
        golden: if the side answers requests.
        start: how long it may take to be ready.
        timeout: for one answer.
        period: between two looks.
        attempts: looks in succession that must fail before a check has.
    """

    commands: dict[str, Command] = Field({})
    golden: GoldenPlan | None = None
    start: Seconds = 180.0
    timeout: Seconds = 5.0
    period: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 2


class Plan(Entry):
    """Which side is to be in charge, what both are, and how the change is made.

    Attributes:
        serve: the side that is to be in charge when all is well.
        name: of this deployment on its machine; containers and processes are called `NAME_blue` and `NAME_green`.
        sides: both; change only the one that is not in charge.
        traffic: HAProxy, if requests are switched.
        hand_over: for sides with a part in ROS.
        checks: of the new side.
        probation: how long the old side waits, ready to take over again.
        error_share: of the new side's requests that may fail meanwhile.
        grace: for a side to end by itself.
        journal: file, relative to the plan; empty: beside it.
    """

    serve: SideName
    name: str = Field("edge_ai", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")
    sides: dict[SideName, SidePlan]
    traffic: TrafficPlan | None = None
    hand_over: HandOverPlan = HandOverPlan()
    checks: ChecksPlan = ChecksPlan()
    probation: Annotated[float, Field(ge=0, le=86400)] = 60.0
    error_share: Share = 0.01
    grace: Seconds = 10.0
    journal: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Plan:
        if missing := [name for name in SIDES if name not in self.sides]:
            raise ValueError(f"no '{missing[0]}' in 'sides'")
        blue, green = (self.sides[name] for name in SIDES)
        if (blue.ros is None) != (green.ros is None):
            raise ValueError("'ros' in both sides or in none")
        if blue.ros is not None and green.ros is not None and set(blue.ros.managers) & set(green.ros.managers):
            raise ValueError("both sides have a lifecycle manager of the same name: give each its namespace")
        if self.checks.golden is not None and not (blue.api and green.api):
            raise ValueError("'checks.golden' wants the 'api' of both sides")
        if blue.ros is None and self.traffic is None:
            raise ValueError("neither 'traffic' nor 'ros': nothing says which side is in charge")
        return self

    def journal_of(self, plan: Path) -> Path:
        """Where its journal is, for a plan at this path."""
        return plan.parent / (self.journal or f"{plan.stem}.journal.jsonl")


def other(side: SideName) -> SideName:
    """The side that this one is not."""
    return "green" if side == "blue" else "blue"


def load_plan(path: Path) -> Plan:
    """Read a blue-green plan.

    Raises:
        DeploymentError: as for `read_plan`.
    """
    return read_plan(path, Plan)
