"""Who decides about a frame: the policies that come along and those that packages register."""

from __future__ import annotations

import logging
from importlib import metadata
from typing import Any, Protocol, cast

from edge_ai.core.errors import ParameterError
from edge_ai.core.registry import Registry
from edge_ai.core.types import Result
from edge_ai.routing.decision import Decision, Snapshot
from edge_ai.routing.params import RouterParams

log = logging.getLogger(__name__)
GROUP = "edge_ai.routing_policies"
"""Entry points of this group name a class, or a function, that makes a policy without arguments."""


class Policy(Protocol):
    """Decides from a snapshot alone: no state, no clock, no random numbers of its own; thread-safe and quick.

    One that never wants a second opinion may say so by an attribute ``one_opinion = True``: no snapshot is then taken
    after each answer of the edge.
    """

    def decide(self, snapshot: Snapshot, params: RouterParams) -> Decision:
        """Where a frame goes."""

    def second_opinion(self, snapshot: Snapshot, params: RouterParams, result: Result) -> Decision | None:
        """Whether the cloud is asked too after the edge has answered; None: no.

        Never called for answers of the cloud, so that opinions cannot go round in circles.
        """


_BUILT_IN: Registry[type[Policy]] = Registry(
    "routing policy",
    {
        "rules": "edge_ai.routing.policies.rules:RulesPolicy",
        "adaptive": "edge_ai.routing.policies.adaptive:AdaptivePolicy",
        "cost": "edge_ai.routing.policies.cost:CostPolicy",
    },
)


def policy_names() -> tuple[str, ...]:
    """The policies that come along, then those that installed packages register; none of these is imported."""
    return (*_BUILT_IN.names(), *_registered())


def load_policy(name: str) -> Policy:
    """Make a policy.

    Raises:
        ParameterError: no such policy, or the package that registers it is broken (which is logged as a warning).
    """
    if name in _BUILT_IN.names():
        return _BUILT_IN.load(name)()
    plugin = _registered().get(name)
    if plugin is None:
        raise ParameterError("unknown routing policy", got=repr(name), wanted=f"one of {', '.join(policy_names())}")
    try:
        policy: Any = plugin.load()()
        missing = [method for method in ("decide", "second_opinion") if not callable(getattr(policy, method, None))]
        if missing:
            raise TypeError(f"it has no {' and no '.join(missing)}")
    except Exception as error:  # whatever a foreign package does, this robot goes on
        log.warning("routing policy '%s' of %s cannot be loaded: %r", name, plugin.value, error)
        raise ParameterError(
            f"routing policy '{name}'",
            got=f"{error!r} from {plugin.value}",
            wanted="a class with decide and second_opinion",
            mend=f"repair its package, or take one of {', '.join(_BUILT_IN.names())}",
        ) from error
    return cast(Policy, policy)


def _registered() -> dict[str, metadata.EntryPoint]:
    """Entry points by name; where a name is taken the first one counts."""
    found: dict[str, metadata.EntryPoint] = {}
    for point in metadata.entry_points(group=GROUP):
        if point.name in _BUILT_IN.names():
            log.warning("routing policy '%s' of %s has the name of one that comes along", point.name, point.value)
        else:
            found.setdefault(point.name, point)
    return found
