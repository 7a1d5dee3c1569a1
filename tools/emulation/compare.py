"""Whether two processors see the same objects in the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Detection = Mapping[str, Any]
Frames = Mapping[str, Sequence[Detection]]

SCORE = 0.01
PIXELS = 2.0  # of the source image; a NanoDet cell of 416 is 8 to 32 of the model's


@dataclass
class Agreement:
    """How far two sets of detections are apart.

    Attributes:
        objects: pairs compared.
        score: largest difference of scores in a pair.
        pixels: largest difference of a coordinate in a pair.
        faults: what is not the same, in words.
    """

    objects: int = 0
    score: float = 0.0
    pixels: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        words = f"{self.objects} objects, scores within {self.score:.4f} and boxes within {self.pixels:.2f} px"
        return f"{words} (wanted {SCORE} and {PIXELS:g} px)"


def compare(ours: Frames, theirs: Frames, threshold: float) -> Agreement:
    """Hold two sets of detections by frame against each other.

    Args:
        ours: of one processor.
        theirs: of the other.
        threshold: least score of a detection; one this close to it may be missing on the other side.
    """
    agreement = Agreement()
    for name in sorted({*ours, *theirs}):
        _compare_frame(name, ours.get(name, ()), list(theirs.get(name, ())), threshold, agreement)
    return agreement


def _compare_frame(
    name: str, ours: Sequence[Detection], theirs: list[Detection], threshold: float, agreement: Agreement
) -> None:
    alone = []
    for detection in ours:
        partner = min(
            (other for other in theirs if other["label"] == detection["label"]),
            key=lambda other: _distance(detection, other),
            default=None,
        )
        if partner is None or _distance(detection, partner) > PIXELS:
            alone.append(detection)
            continue
        theirs.remove(partner)
        difference = abs(detection["score"] - partner["score"])
        agreement.objects += 1
        agreement.score = max(agreement.score, difference)
        agreement.pixels = max(agreement.pixels, _distance(detection, partner))
        if difference > SCORE:
            agreement.faults.append(f"{name}: {_words(detection)} there has score {partner['score']:.3f}")
    agreement.faults += [f"{name}: {_words(one)} is only here" for one in alone if one["score"] > threshold + SCORE]
    agreement.faults += [f"{name}: {_words(one)} is only there" for one in theirs if one["score"] > threshold + SCORE]


def _distance(one: Detection, other: Detection) -> float:
    return max(abs(float(a) - float(b)) for a, b in zip(one["box"], other["box"], strict=True))


def _words(detection: Detection) -> str:
    box = ", ".join(f"{value:.0f}" for value in detection["box"])
    return f"{detection['label']} {detection['score']:.3f} at {box}"
