"""From a plan to what carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from edge_ai.deployment.blue_green.deployment import BlueGreen
from edge_ai.deployment.blue_green.hand_over import HandOver
from edge_ai.deployment.blue_green.haproxy import Traffic
from edge_ai.deployment.blue_green.plan import SIDES, Plan, SideName
from edge_ai.deployment.blue_green.process_side import ProcessSide
from edge_ai.deployment.blue_green.side import ContainerSide, Side
from edge_ai.deployment.blue_green.switch import Switch
from edge_ai.deployment.containers import ContainerEngine
from edge_ai.deployment.journal import Journal


def make_sides(plan: Plan, folder: Path, engine: ContainerEngine) -> Mapping[SideName, Side]:
    """Both sides of a plan; nothing is started.

    Args:
        plan: what they are.
        folder: of processes' logs.
        engine: that runs containers.
    """
    return {name: _side(plan, name, folder, engine) for name in SIDES}


def make_switch(plan: Plan, folder: Path, say: Callable[[str], None]) -> Switch:
    """What switches between both sides of a plan."""
    traffic = Traffic(plan.traffic, folder, say) if plan.traffic is not None else None
    ros = {name: side.ros for name, side in plan.sides.items() if side.ros is not None}
    hand_over = HandOver(plan.hand_over, ros, plan.grace, say) if ros else None
    return Switch(traffic, hand_over, plan.traffic, plan.error_share)


def make_deployment(
    plan: Plan, folder: Path, journal: Journal, engine: ContainerEngine, say: Callable[[str], None]
) -> BlueGreen:
    """A deployment by a plan; arguments as for `BlueGreen`."""
    sides, switch = make_sides(plan, folder, engine), make_switch(plan, folder, say)
    return BlueGreen(plan, folder, journal, sides, switch, say)


def _side(plan: Plan, name: SideName, folder: Path, engine: ContainerEngine) -> Side:
    side = plan.sides[name]
    if side.container is not None:
        return ContainerSide(name, f"{plan.name}_{name}", side.container, engine)
    assert side.process is not None
    return ProcessSide(name, plan.name, side.process, side.digest, folder)
