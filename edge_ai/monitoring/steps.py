"""What a ladder consists of, and how each step stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import Action, CallService, SetParameter
from edge_ai.monitoring.readings import Readings
from edge_ai.monitoring.robot_readings import of_nodes
from edge_ai.monitoring.rules import Rule


@dataclass(frozen=True, slots=True)
class Condition:
    """A range that a reading lies within, its ends excluded."""

    metric: str
    above: float = -math.inf
    below: float = math.inf

    def holds(self, readings: Readings) -> bool:
        """Whether it does; not, if the reading is missing or NaN."""
        return self.above < readings.get(self.metric, math.nan) < self.below


@dataclass(frozen=True, slots=True)
class ScaleParameter:
    """Give a parameter a part of what is measured when the step is taken.

    Attributes:
        node: that owns the parameter.
        name: of the parameter.
        of: the reading; of several nodes of that name in different namespaces, the mean.
        by: factor.
        least: below which it is not brought.
    """

    node: str
    name: str
    of: str
    by: float
    least: float = 0.0

    def resolve(self, readings: Readings) -> SetParameter:
        """The action, with the value for now.

        Raises:
            EdgeAIError: the reading is missing, or nothing would get less.
        """
        found = of_nodes(readings, self.of)
        if not found:
            raise EdgeAIError(f"'{self.of}', of which {self.node}.{self.name} is to be a part", got="no such reading")
        now = sum(found.values()) / len(found)
        value = max(now * self.by, self.least)
        if value >= now:
            raise EdgeAIError(f"'{self.of}'", got=f"{now:.3g}", wanted=f"more than {self.least:g}, the least allowed")
        return SetParameter(self.node, self.name, float(f"{value:.3g}"))


Deed = Action | ScaleParameter


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder.

    Attributes:
        name: for logs and for the operator's parameters.
        when: names of the alerts, any of which calls for it.
        do: in this order; undone in the reverse order.
        dwell: how long it is given to work before anything else changes, s.
        recover: how long all must be well before it is undone, s.
        by_operator: only the operator undoes it.
        needs: all must hold for it to be taken; a missing reading does not.
        unless: by alert, what makes it call in vain for this step: while all of these hold; a missing reading does not.
        released: all hold once somebody else has undone it.
        relapse: an undo after which its alerts are back within this time was premature, s.
        deadline: how long each of its actions may take, s.
        urgent: taken as soon as it is called for, whatever comes before it in the ladder or has its dwell time.
    """

    name: str
    when: tuple[str, ...] = ()
    do: tuple[Deed, ...] = ()
    dwell: float = 5.0
    recover: float = 10.0
    by_operator: bool = False
    needs: tuple[Condition, ...] = ()
    unless: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)
    released: tuple[Condition, ...] = ()
    relapse: float = 60.0
    deadline: float = 10.0
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A ladder and what goes with it.

    Attributes:
        steps: in the order in which they are tried.
        rules: more alerts than every monitor has.
        retry: pause before a refused step is tried again, s; doubles each time, up to 16 times as long.
        trial: how long all is well before a step is undone although its measured effect speaks against it, s.
        margin: by how much an undone robot must pass its target, by what was measured, as a part of it.
    """

    steps: tuple[Step, ...] = ()
    rules: tuple[Rule, ...] = ()
    retry: float = 10.0
    trial: float = 120.0
    margin: float = 0.05

    @property
    def deadline(self) -> float:
        """The longest that one of its actions may take, s."""
        return max((step.deadline for step in self.steps), default=10.0)


class StepState(IntEnum):
    """How a step stands; the numbers of msg/MitigationStep.msg."""

    READY = 0
    TAKEN = 1
    PINNED = 2
    VETOED = 3
    REFUSED = 4
    WAITING = 5


@dataclass(frozen=True, slots=True)
class StepStatus:
    """One step at one moment.

    Attributes:
        name: of the step.
        state: how it stands.
        detail: why, in words.
        since_ns: ROS time when it came to this state.
        before: what was measured before it was taken.
        after: the same at the end of its dwell time; empty until then.
    """

    name: str
    state: StepState
    detail: str = ""
    since_ns: int = 0
    before: Readings = field(default_factory=dict)
    after: Readings = field(default_factory=dict)


def target_of(action: Action) -> tuple[str, ...]:
    """What an action changes: two steps that change the same are undone strictly one after the other."""
    if isinstance(action, SetParameter):
        return ("parameter", action.node, action.name)
    if isinstance(action, CallService):
        return ("service", action.node, *sorted((action.service, action.undo)))
    return ("power",)
