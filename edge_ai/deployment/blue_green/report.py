"""What people are told of a deployment: how it stands, and what would be done."""

from __future__ import annotations

from collections.abc import Mapping

from edge_ai.deployment.blue_green.plan import SIDES, Plan, SideName, other
from edge_ai.deployment.blue_green.side import Side
from edge_ai.deployment.blue_green.standing import Standing
from edge_ai.deployment.blue_green.switch import Switch


def status(stand: Standing, sides: Mapping[SideName, Side], switch: Switch) -> list[str]:
    """How it stands, a line each."""
    lines = [f"in charge: {stand.in_charge or 'none yet'}"]
    if stand.to is not None:
        why = f" ({stand.reason})" if stand.reason else ""
        lines.append(f"half done: {stand.to} takes over, left at '{stand.step}'{why}; --resume ends it")
    for name in SIDES:
        release = f", release {stand.plan.sides[name].release}" if stand.plan is not None else ""
        lines.append(f"{name}: {'running' if sides[name].running() else 'not running'}{release}")
    return lines + [f"{name}: {state}" for name, state in switch.states().items()]


def intention(plan: Plan, stand: Standing) -> list[str]:
    """What a deployment by this plan would do, a line each."""
    if stand.to is not None:
        return [f"end what was left at '{stand.step}': --resume or --roll-back"]
    to, before = plan.serve, stand.in_charge
    if to == before:
        return [f"nothing to do: {to} is in charge"]
    side, checks = plan.sides[to], plan.checks
    what = side.container.image if side.container else " ".join(side.process.command if side.process else ())
    proofs = [*checks.commands, *(["golden answers"] if checks.golden else [])]
    lines = [f"start {to}, release {side.release}: {what}"]
    lines += [f"wait up to {checks.start:g} s until it runs{f' and {side.ready} answers' if side.ready else ''}"]
    lines += [f"check: {', '.join(proofs)}"] if proofs else []
    if side.ros is not None:
        lines += [f"bring {', '.join(side.ros.managers)} into standby beside {before or 'nothing'}"]
        lines += [f"nodes of {other(to)} into standby, those of {to} active; {plan.hand_over.wheels or 'no wheels'}"]
    if plan.traffic is not None:
        shares = [f"{share:.0%} for {plan.traffic.share_time:g} s" for share in plan.traffic.shares]
        lines += [f"requests of {', '.join(plan.traffic.backends)} to {to}: {', then '.join([*shares, 'all'])}"]
    lines += [f"watch {to} for {plan.probation:g} s; back to {before or 'nothing'} if it is not well"]
    return [*lines, f"end {before}, and keep it for --roll-back" if before else f"{to} is in charge"]
