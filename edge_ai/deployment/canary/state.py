"""How far a rollout has come: what its journal adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from edge_ai.deployment.canary.evaluation import Evaluation
from edge_ai.deployment.journal import Entry


class Phase(Enum):
    """What a rollout is at."""

    NONE = "nothing under way"
    BASELINE = "looking at the robots as they are"
    APPLYING = "bringing the release onto robots"
    WATCHING = "watching"
    HOLDING = "holding: people are to decide"
    ROLLING_BACK = "rolling back"
    REFUSED = "not begun: the robots are not well as they are"
    UNDECIDED = "not begun: not known how the robots are"
    ROLLED_BACK = "rolled back"
    PROMOTED = "on all robots"


OVER = (Phase.NONE, Phase.REFUSED, Phase.UNDECIDED, Phase.ROLLED_BACK, Phase.PROMOTED)
"""After these a new rollout begins."""


@dataclass
class State:
    """Told of every entry of a journal, in order.

    Attributes:
        phase: what is done now.
        digest: of the plan that it follows.
        evidence: digest of the part of the plan that its evaluations are made by.
        release: that is rolled out.
        stage: number of the stage, from 0.
        before: what ran before, by robot; of all robots that were touched.
        on: robots that run the release, in the order in which they got it.
        failed: the robot that refused the release, and why.
        evaluations: of this stage.
        seen: how many of them had data on everything.
        looks: how many there were since the watch began, or people were asked.
        reason: of the last decision.
    """

    phase: Phase = Phase.NONE
    digest: str = ""
    evidence: str = ""
    release: str = ""
    stage: int = 0
    before: dict[str, str] = field(default_factory=dict)
    on: list[str] = field(default_factory=list)
    failed: str = ""
    evaluations: list[Evaluation] = field(default_factory=list)
    seen: int = 0
    looks: int = 0
    reason: str = ""

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> State:
        """What all these add up to."""
        state = cls()
        for entry in entries:
            state.add(entry)
        return state

    def add(self, entry: Entry) -> None:
        """Take in one more; one of a step that nobody knows is only to be read."""
        facts = entry.facts
        if entry.step == "planned":
            fresh = State(digest=facts["digest"], evidence=facts["evidence"], release=facts["release"])
            self.__dict__.update(fresh.__dict__)
        if entry.step in _PHASES:
            self.phase, self.looks = _PHASES[entry.step], 0
            self.reason = str(facts.get("reason", self.reason))
        if (take := _TAKE.get(entry.step)) is not None:
            take(self, facts)

    def _stage(self, facts: Mapping[str, Any]) -> None:
        self.stage = facts["stage"]
        self._forget()

    def _applying(self, facts: Mapping[str, Any]) -> None:
        # A robot that was touched before a crash may answer with the new release already: the first answer counts.
        self.before = {**facts["before"], **self.before}

    def _applied(self, facts: Mapping[str, Any]) -> None:
        self.on.append(facts["robot"])

    def _failed(self, facts: Mapping[str, Any]) -> None:
        self.failed = f"{facts['robot']}: {facts['reason']}"

    def _evaluated(self, facts: Mapping[str, Any]) -> None:
        self.evaluations.append(Evaluation.of_facts(facts))
        self.seen += not facts["unknown"]
        self.looks += 1

    def _other_criteria(self, facts: Mapping[str, Any]) -> None:
        self.evidence = facts["evidence"]
        self._forget()

    def _went_back(self, facts: Mapping[str, Any]) -> None:
        del self.before[facts["robot"]]

    def _forget(self) -> None:
        self.evaluations, self.seen, self.looks = [], 0, 0


_TAKE = {
    "stage": State._stage,
    "applying": State._applying,
    "applied": State._applied,
    "failed": State._failed,
    "evaluated": State._evaluated,
    "other criteria": State._other_criteria,
    "went back": State._went_back,
}
_PHASES = {
    "planned": Phase.BASELINE,
    "refused": Phase.REFUSED,
    "undecided": Phase.UNDECIDED,
    "stage": Phase.APPLYING,
    "watching": Phase.WATCHING,
    "holding": Phase.HOLDING,
    "rolling back": Phase.ROLLING_BACK,
    "rolled back": Phase.ROLLED_BACK,
    "promoted": Phase.PROMOTED,
}
