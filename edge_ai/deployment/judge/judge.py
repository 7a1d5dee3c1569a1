"""The judge: promote, reject, or not enough data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from edge_ai.deployment.judge.params import JudgeParams
from edge_ai.deployment.judge.window import Counts as Counts
from edge_ai.deployment.judge.window import Window as Window


class Verdict(Enum):
    """What is to become of a release."""

    PROMOTE = "promote"
    REJECT = "reject"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge makes of all it has seen.

    Attributes:
        verdict: promote, reject or not enough data.
        reason: why, one line for a log.
        figures: by name, such as "errors.evidence_against"; what a log keeps.
    """

    verdict: Verdict
    reason: str
    figures: Mapping[str, float]


class Judge:
    """Compares a canary with the stable group, window by window; may be asked after each, as often as one likes.

    Make a new one for each stage. It is deterministic and has no clock: the same windows give the same judgement.

    Args:
        params: what counts as worse, and how sure to be.
        metrics: all that is compared. Each has to speak for a promotion; one without data is a reason to wait.

    Example:
        >>> judge = Judge(JudgeParams(frame_block=1), ["errors"])
        >>> for _ in range(3):
        ...     judge.add(Window("errors", Counts(1, 900), Counts(80, 100)))
        >>> judge.judgement().verdict
        <Verdict.REJECT: 'reject'>
    """

    def __init__(self, params: JudgeParams, metrics: Sequence[str]) -> None:
        raise NotImplementedError

    def add(self, window: Window) -> None:
        """Take in one interval of one metric.

        What cannot be used (NaN, below 0, one group without data) is not compared; until the next good window of this
        metric the judgement is undecided unless others reject.

        Raises:
            DeploymentError: the metric is not one of those announced, or was of another kind before.
        """
        raise NotImplementedError

    def judgement(self) -> Judgement:
        """What is to be done by what was seen up to now."""
        raise NotImplementedError
