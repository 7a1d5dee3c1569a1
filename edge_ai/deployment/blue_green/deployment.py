"""A blue-green deployment, step by step; each is in the journal before it begins and may be done again.

begun, starting, checking, switching, watching, confirming, confirmed; from any of these before confirming: rolling
back, rolled back. Whatever a crash or a power cut leaves, `resume` brings it to one of the two ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.examiner import Examiner
from edge_ai.deployment.blue_green.plan import Plan, SideName, other
from edge_ai.deployment.blue_green.side import Side
from edge_ai.deployment.blue_green.standing import (
    BEGUN,
    CONFIRMED,
    CONFIRMING,
    PLANNED,
    ROLLED_BACK,
    ROLLING_BACK,
    SWITCHING,
    standing,
)
from edge_ai.deployment.blue_green.switch import Switch
from edge_ai.deployment.journal import Journal


class BlueGreen:
    """Brings one side in the place of the other.

    Args:
        plan: by which it is done: that of the file for `deploy`, the one in the journal for the rest.
        folder: to which the plan's paths are relative.
        journal: opened.
        sides: both, by name.
        switch: between them.
        say: takes a line of progress.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        journal: Journal,
        sides: Mapping[SideName, Side],
        switch: Switch,
        say: Callable[[str], None],
    ) -> None:
        self._plan, self._journal, self._examiner = plan, journal, Examiner(plan, folder)
        self._sides, self._switch, self._say = sides, switch, say

    def deploy(self) -> bool:
        """Put the side in charge that the plan wants; whether it is now.

        Raises:
            DeploymentError: nothing was begun, since it could not end well; or neither side can be put in charge.
        """
        stand = standing(self._journal.entries)
        if stand.to is not None:
            if stand.plan != self._plan:
                mend = "--resume ends it by the plan it began with, --roll-back undoes it"
                raise DeploymentError("the plan", got="another one than a deployment half done has", mend=mend)
            return self.resume()
        if stand.in_charge == self._plan.serve:
            self._refuse_changed(stand.in_charge)
            self._say(f"{stand.in_charge} is in charge already")
            if stand.plan != self._plan:
                self._step(PLANNED, plan=self._plan.model_dump(mode="json"))
            self._settle(stand.in_charge)
            return True
        return self._begin(self._plan.serve, stand.in_charge)

    def resume(self) -> bool:
        """End what is half done; else see to it that the side in charge is so, also after a start of the machine.

        Returns:
            False if that was to roll back.

        Raises:
            DeploymentError: there is nothing to resume, or neither side can be put in charge.
        """
        stand = standing(self._journal.entries)
        if stand.to is None:
            if stand.in_charge is None:
                raise DeploymentError("--resume", got="nothing in charge yet", mend="deploy a side first")
            self._settle(stand.in_charge)
            return True
        self._check_means()
        self._say(f"going on with a deployment of {stand.to} that was left at '{stand.step}'")
        if stand.undoing:
            return self._back(stand.to, stand.in_charge, stand.reason)
        return self._forward(stand.to, stand.in_charge, switched=stand.switched, watched=stand.watched)

    def roll_back(self) -> bool:
        """Undo what is half done; else put the side in charge that was so before. Whether that is done.

        Raises:
            DeploymentError: there was none, or neither side can be put in charge.
        """
        stand = standing(self._journal.entries)
        if stand.to is not None:
            self._back(stand.to, stand.in_charge, stand.reason or "the operator's wish")
            return True
        if stand.in_charge is None:
            raise DeploymentError("--roll-back", got="nothing in charge yet", mend="deploy a side first")
        before = other(stand.in_charge)
        if all((entry.step, entry.facts.get("side")) != (CONFIRMED, before) for entry in self._journal.entries):
            mend = f"'serve: {before}' in the plan deploys it"
            raise DeploymentError("--roll-back", got=f"{before}, which was never in charge", mend=mend)
        return self._begin(before, stand.in_charge)

    def _begin(self, to: SideName, before: SideName | None) -> bool:
        if before is not None:
            self._refuse_changed(before)
        self._check_means()
        self._step(BEGUN, to=to, before=before, plan=self._plan.model_dump(mode="json"))
        return self._forward(to, before)

    def _forward(self, to: SideName, before: SideName | None, *, switched: bool = False, watched: bool = False) -> bool:
        new, old = self._sides[to], self._sides[other(to)]
        try:
            self._step("starting", side=to, release=self._plan.sides[to].release)
            self._start(new, before)
            self._step("checking", found=self._examiner.ready(new))
            found = self._examiner.prove(new)
            if not switched:  # else it may be in charge, and would have to pause
                found += self._switch.prepare(new, old)
            self._step(SWITCHING, found=found)
            checks = self._switch.checks(new)  # now: errors during the switch count, too
            self._switch.to(new, old, lambda seconds: self._examiner.watch(new, checks, seconds))
            seconds = 0.0 if watched else self._plan.probation
            self._step("watching", seconds=seconds)
            found = self._examiner.watch(new, checks, seconds)
        except DeploymentError as error:
            return self._back(to, before, str(error))
        self._step(CONFIRMING, found=found)
        self._retire(other(to))
        self._step(CONFIRMED, side=to)
        return True

    def _start(self, new: Side, before: SideName | None) -> None:
        if before is not None:
            try:
                self._sides[before].start()
            except DeploymentError as error:
                self._say(f"{before} does not run, so that there is nothing to return to: {error}")
        new.start()

    def _back(self, to: SideName, before: SideName | None, reason: str) -> bool:
        self._step(ROLLING_BACK, reason=reason)
        if before is not None:
            try:
                self._put_in_charge(before)
            except DeploymentError:
                self._switch.halt(self._sides[to])
                raise
        self._retire(to)
        self._step(ROLLED_BACK, side=before, reason=reason)
        return False

    def _settle(self, side: SideName) -> None:
        """Nothing happens where all is as it should be."""
        self._put_in_charge(side)
        self._retire(other(side))

    def _put_in_charge(self, name: SideName) -> None:
        """A side that was found good before."""
        side = self._sides[name]
        side.start()
        self._examiner.ready(side)
        self._switch.to(side, self._sides[other(name)])

    def _retire(self, name: SideName) -> None:
        self._switch.retire(self._sides[name])
        self._sides[name].stop(self._plan.grace)

    def _check_means(self) -> None:
        """What is missing of them is no fault of the side that takes over.

        Raises:
            DeploymentError: what runs the sides or switches between them is not there.
        """
        self._switch.check()
        for side in self._sides.values():
            side.running()

    def _refuse_changed(self, name: SideName) -> None:
        side = self._sides[name]
        if side.running() and not side.current():
            mend = f"leave '{name}' in the plan as it was, and put the new release into '{other(name)}'"
            raise DeploymentError(f"side {name}", got="another plan than it runs by while it is in charge", mend=mend)

    def _step(self, step: str, **facts: Any) -> None:
        self._journal.write(step, **facts)
        words = facts.get("reason") or ", ".join(facts.get("found", ()))
        self._say(f"{step}{': ' + words if words else ''}")
