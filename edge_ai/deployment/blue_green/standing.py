"""How a deployment stands, from what its journal says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_ai.deployment.blue_green.plan import Plan, SideName
from edge_ai.deployment.journal import Entry
from edge_ai.deployment.plan_file import parse

BEGUN, SWITCHING = "begun", "switching"
CONFIRMING, CONFIRMED, PLANNED = "confirming", "confirmed", "planned"
ROLLING_BACK, ROLLED_BACK = "rolling back", "rolled back"


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is in charge, and what is half done.

    Attributes:
        in_charge: the side that was last confirmed; None: none ever was. Of a deployment half done it says who was.
        plan: by which the sides were last started, as it was written down; None: nothing was ever begun.
        to: the side that takes over, of a deployment half done; None: there is none.
        step: the last one begun.
        switched: whether that side may be in charge already.
        watched: whether it has been found well there.
        reason: why it is being rolled back, where it is.
    """

    in_charge: SideName | None = None
    plan: Plan | None = None
    to: SideName | None = None
    step: str = ""
    switched: bool = False
    watched: bool = False
    reason: str = ""

    @property
    def undoing(self) -> bool:
        """Whether a deployment half done is on its way back."""
        return self.step == ROLLING_BACK


def standing(entries: Sequence[Entry]) -> Standing:
    """Read a journal.

    Raises:
        DeploymentError: its plan is of another version of this program and says what cannot be.
    """
    in_charge: SideName | None = None
    to: SideName | None = None
    plan: Any = None
    step = reason = ""
    since: set[str] = set()
    for entry in entries:
        step, plan = entry.step, entry.facts.get("plan", plan)
        since.add(step)
        if step == BEGUN:
            to, reason, since = entry.facts["to"], "", {BEGUN}
        elif step == ROLLING_BACK:
            reason = str(entry.facts["reason"])
        elif step == CONFIRMED:
            in_charge, to = entry.facts["side"], None
        elif step == ROLLED_BACK:
            to = None
    known = parse(plan, Plan, "the plan in the journal") if plan is not None else None
    return Standing(in_charge, known, to, step, SWITCHING in since, CONFIRMING in since, reason)
