"""What shows that a side can be, and is, in charge. Each check returns what it found, or raises why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.golden import check_golden
from edge_ai.deployment.blue_green.plan import ChecksPlan, SidePlan
from edge_ai.deployment.blue_green.side import Side
from edge_ai.deployment.blue_green.web import ask

Check = Callable[[], str]


def check_running(side: Side) -> str:
    """Whether it runs as the plan says.

    Raises:
        DeploymentError: it does not; with the last lines it wrote.
    """
    if not side.current():
        raise DeploymentError(f"side {side.name}", got=f"it does not run; {_last_words(side)}")
    return "running"


def check_ready(side: Side, url: str, timeout: float) -> str:
    """Whether a URL answers with status 200.

    Raises:
        DeploymentError: it does not, within the timeout in seconds; with the last lines the side wrote.
    """
    try:
        ask(url, timeout)
    except DeploymentError as error:
        raise DeploymentError(f"side {side.name}: {error}; {_last_words(side)}") from None
    return f"{url} answers"


def check_command(side: Side, name: str, command: Sequence[str], timeout: float) -> str:
    """Whether a command inside the side ends with status 0.

    Raises:
        DeploymentError: it does not; with what it said.
    """
    done = side.exec(command, timeout)
    said = (done.errors or done.output).strip().splitlines()
    if done.status:
        got = f"status {done.status}{': ' + said[-1] if said else ''}"
        raise DeploymentError(f"side {side.name}: {name} ('{' '.join(command)}')", got=got, wanted="status 0")
    return f"{name}: {said[0] if said else 'good'}"


def readiness(side: Side, plan: SidePlan, checks: ChecksPlan) -> list[Check]:
    """Whether a side is there: what may take its time after a start."""
    found: list[Check] = [partial(check_running, side)]
    if plan.ready:
        found.append(partial(check_ready, side, plan.ready, checks.timeout))
    return found


def proofs(side: Side, plan: SidePlan, checks: ChecksPlan, folder: Path) -> list[Check]:
    """Whether a side that is there does what it should.

    Args:
        side: that is asked.
        plan: of it.
        checks: what is asked.
        folder: to which the plan's paths are relative.
    """
    found: list[Check] = [
        partial(check_command, side, name, command, checks.timeout) for name, command in checks.commands.items()
    ]
    golden = checks.golden
    if golden is not None:
        found.append(partial(check_golden, golden, folder / golden.folder, plan.api, checks.timeout))
    return found


def _last_words(side: Side) -> str:
    return f"its last words: {' | '.join(side.logs().splitlines()) or 'nothing'}"
