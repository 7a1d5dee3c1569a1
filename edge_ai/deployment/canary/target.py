"""How robots are told what to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from edge_ai.core.errors import DeploymentError
from edge_ai.core.registry import Registry
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.plan_file import Entry, parse


class Target(Protocol):
    """Brings releases onto robots and takes them back.

    Called from several threads, for a robot by one at a time. Every call may be made again after a crash in its middle.
    """

    Settings: type[Entry]

    def __init__(self, settings: Any) -> None:
        """With an entry of its class ``Settings``."""

    def version(self, host: Host) -> str:
        """What runs there; empty: nothing.

        Raises:
            DeploymentError: the robot cannot be reached, or does not say.
        """

    def apply(self, release: str, host: Host) -> None:
        """Let it run this release; returns when it does.

        Raises:
            DeploymentError: it does not; with what it said.
        """

    def roll_back(self, release: str, host: Host) -> None:
        """Let it run again what ran before, as `version` called it.

        Raises:
            DeploymentError: as for `apply`.
        """


TARGETS: Registry[type[Target]] = Registry(
    "kind of target",
    {
        "ssh": "edge_ai.deployment.canary.ssh:SshTarget",
        "containers": "edge_ai.deployment.canary.container:ContainerTarget",
        "processes": "edge_ai.deployment.canary.process:ProcessTarget",
    },
)


def make_target(entry: Mapping[str, Any]) -> Target:
    """The target of a plan.

    Args:
        entry: its ``kind`` and that kind's settings.

    Raises:
        DeploymentError: no such kind, or its settings are not right; names every such key.
    """
    settings = dict(entry)
    kind = settings.pop("kind", None)
    if kind not in TARGETS.names():
        got = "none" if kind is None else repr(kind)
        raise DeploymentError("'target.kind'", got=got, wanted=f"one of {', '.join(TARGETS.names())}")
    target = TARGETS.load(kind)
    return target(parse(settings, target.Settings, f"target '{kind}'"))
