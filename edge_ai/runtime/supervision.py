"""Bringing managed nodes up in order and keeping them up: the decisions, without ROS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from pydantic import model_validator

from edge_ai.core.clock import Clock
from edge_ai.core.params import Params, param


class LifecycleManagerParams(Params):
    """What the lifecycle manager watches, and how patiently."""

    node_names: list[str] = param(
        ["camera", "inference", "control"], "Managed nodes, in the order in which to bring them up."
    )
    autostart: bool = param(True, "Bring the nodes up at once; false: when ~/start is called.")
    exclusive: list[str] = param(
        ["camera", "pipeline"],
        "Nodes that hold what only one of two robots on this machine can have, such as a camera; ~/standby leaves them "
        "unconfigured. Without their namespace.",
    )
    period: float = param(0.5, "Time between two looks at each node.", unit="s", ge=0.05, le=10)
    response_timeout: float = param(2.0, "A node that does not answer for this long is lost.", unit="s", ge=0.2, le=60)
    transition_timeout: float = param(
        120.0, "Longest that one transition may take; loading a model is part of one.", unit="s", ge=1, le=3600
    )
    startup_patience: float = param(
        10.0, "How long the nodes that follow wait for one that does not appear.", unit="s", ge=0, le=600
    )
    retry_first: float = param(1.0, "First pause before a failed transition is retried.", unit="s", ge=0.1, le=60)
    retry_longest: float = param(15.0, "Longest such pause; each is twice the one before.", unit="s", ge=0.1, le=600)

    @model_validator(mode="after")
    def _time_to_answer(self) -> LifecycleManagerParams:
        if self.period > self.response_timeout / 2:
            raise ValueError(
                f"period: got {self.period:g} s; wanted at most half of response_timeout, {self.response_timeout:g} s"
            )
        return self


class NodeState(Enum):
    """A managed node as the manager sees it."""

    LOST = "lost"
    UNCONFIGURED = "unconfigured"
    INACTIVE = "inactive"
    ACTIVE = "active"
    FINALIZED = "finalized"
    CHANGING = "changing"


class Transition(Enum):
    """What the manager may ask of a node."""

    CONFIGURE = "configure"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    CLEANUP = "cleanup"


class Wanted(Enum):
    """What the nodes are to be: at work, ready to go to work at once, or free of all they hold."""

    UP = "up"
    STANDBY = "standby"
    DOWN = "down"


_UP = {NodeState.UNCONFIGURED: Transition.CONFIGURE, NodeState.INACTIVE: Transition.ACTIVATE}
_DOWN = {NodeState.ACTIVE: Transition.DEACTIVATE, NodeState.INACTIVE: Transition.CLEANUP}
_RANK = {NodeState.UNCONFIGURED: 0, NodeState.INACTIVE: 1, NodeState.ACTIVE: 2}
_GOAL = {Wanted.UP: NodeState.ACTIVE, Wanted.STANDBY: NodeState.INACTIVE, Wanted.DOWN: NodeState.UNCONFIGURED}


@dataclass(slots=True)
class Watched:
    """One managed node: how it is and how it has behaved."""

    name: str
    state: NodeState = NodeState.LOST
    failures: int = 0
    retry_at_ns: int = 0
    was_active: bool = False
    recoveries: int = 0
    reason: str = ""


@dataclass(slots=True)
class Supervisor:
    """Decides the next transition.

    Nodes come up in order: one waits for those before it, unless one of them has failed or does not appear within
    `startup_patience`; then the rest comes up all the same, since a control node that says zero is better than none.
    A node that was lost and is back comes up again whatever the others do. Going down is in reverse order, and first.
    """

    params: LifecycleManagerParams
    clock: Clock
    wanted: Wanted = Wanted.UP
    nodes: dict[str, Watched] = field(default_factory=dict)
    _began_ns: int = 0

    def __post_init__(self) -> None:
        self.nodes = {name: Watched(name) for name in self.params.node_names}
        self.want(Wanted.UP if self.params.autostart else Wanted.DOWN)

    def want(self, wanted: Wanted) -> None:
        """Bring the nodes up, into standby, or down."""
        self.wanted = wanted
        self._began_ns = self.clock.steady_ns()
        for node in self.nodes.values():
            node.failures, node.retry_at_ns, node.was_active, node.reason = 0, 0, False, ""

    def observe(self, name: str, state: NodeState) -> None:
        """Take note of a node's state."""
        node = self.nodes[name]
        if state is NodeState.ACTIVE and node.state is not NodeState.ACTIVE:
            node.recoveries += node.was_active
            node.was_active, node.failures, node.reason = True, 0, ""
        if state is NodeState.LOST and node.state is not NodeState.LOST:
            node.failures, node.retry_at_ns = 0, 0
            node.reason = "does not answer: dead, hung or not started"
        node.state = state

    def failed(self, name: str, reason: str) -> None:
        """Take note of a transition that failed; it is tried again after a growing pause."""
        node = self.nodes[name]
        pause = min(self.params.retry_first * 2**node.failures, self.params.retry_longest)
        node.failures = min(node.failures + 1, 16)
        node.reason = f"{reason}; trying again in {pause:g} s"
        node.retry_at_ns = self.clock.steady_ns() + round(pause * 1e9)

    def goal(self, name: str) -> NodeState:
        """The state in which a node is wanted."""
        if self.wanted is Wanted.STANDBY and name.rpartition("/")[2] in self.params.exclusive:
            return NodeState.UNCONFIGURED
        return _GOAL[self.wanted]

    def next(self) -> tuple[str, Transition] | None:
        """The transition to ask for now, or None."""
        order: Sequence[Watched] = list(self.nodes.values())
        for node in reversed(order):
            if node.state in _DOWN and self._above(node) > 0 and self._due(node):
                return node.name, _DOWN[node.state]
        for node in order:
            if node.state in _UP and self._above(node) < 0 and self._due(node):
                return node.name, _UP[node.state]
            if self._holds_up(node):
                return None
        return None

    @property
    def settled(self) -> bool:
        """True while every node is as it is wanted."""
        return all(node.state is self.goal(node.name) for node in self.nodes.values())

    @property
    def all_up(self) -> bool:
        """True while every node is active."""
        return all(node.state is NodeState.ACTIVE for node in self.nodes.values())

    def _holds_up(self, node: Watched) -> bool:
        if node.state is self.goal(node.name) or node.failures or node.was_active:
            return False
        patience = self.params.startup_patience * 1e9
        return node.state is NodeState.CHANGING or self.clock.steady_ns() - self._began_ns < patience

    def _above(self, node: Watched) -> int:
        """How many transitions a node that rests in a state is above the one wanted."""
        return _RANK[node.state] - _RANK[self.goal(node.name)]

    def _due(self, node: Watched) -> bool:
        return self.clock.steady_ns() >= node.retry_at_ns
