"""Golden answers: pictures to a model on a server, and whether it sees on them what it should.

A health check says that a server runs. That its model works, only answers show.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_ai.core.boxes import iou as overlap
from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.plan import GoldenPlan, Plan, SideName
from edge_ai.deployment.blue_green.web import ask

ANSWERS = "answers.json"
_OUTPUTS = ("boxes", "scores", "class_ids")


@dataclass(frozen=True, slots=True)
class Box:
    """Something seen.

    Attributes:
        corners: left, top, right, bottom in pixels of the picture.
        score: 0 to 1.
        class_id: number of its class.
    """

    corners: tuple[float, float, float, float]
    score: float
    class_id: int


def check_golden(plan: GoldenPlan, folder: Path, api: str, timeout: float) -> str:
    """Whether a server's model sees on every picture what stands in the answers.

    Args:
        plan: which model, and how far it may differ.
        folder: of the pictures and their answers.
        api: base URL of the server.
        timeout: s for one answer.

    Raises:
        DeploymentError: the files are not there, the server does not answer, or answers something else.
    """
    expected = _read(folder / ANSWERS)
    for name, wanted in expected.items():
        found = infer(plan.model, folder / name, api, timeout)
        share = agreement(wanted, found, iou=plan.iou, score=plan.score)
        if share < plan.agreement:
            got = f"{len(found)} boxes, of both {share:.0%} with a counterpart"
            want = f"{len(wanted)} boxes, {plan.agreement:.0%}"
            raise DeploymentError(f"golden answers of {api} on '{name}'", got=got, wanted=want)
    return f"golden answers on {len(expected)} pictures"


def record_golden(plan: Plan, in_charge: SideName | None, folder: Path) -> Path:
    """Write what the side in charge answers, which is known to work.

    Args:
        plan: says what is asked.
        in_charge: the side; None: there is none yet.
        folder: to which the plan's paths are relative.

    Raises:
        DeploymentError: there is no side in charge, there are no pictures, it sees nothing on any, or does not answer.
    """
    golden = plan.checks.golden
    if golden is None or in_charge is None:
        wanted = "'checks.golden' in the plan" if golden is None else "a side in charge"
        raise DeploymentError("golden answers", got="none", wanted=wanted)
    api, timeout, folder = plan.sides[in_charge].api, plan.checks.timeout, folder / golden.folder
    pictures = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    answers = {path.name: [asdict(box) for box in infer(golden.model, path, api, timeout)] for path in pictures}
    if not any(answers.values()):
        raise DeploymentError(f"golden answers in '{folder}'", got="nothing seen", wanted="JPEG files with something")
    path = folder / ANSWERS
    try:
        path.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DeploymentError(f"golden answers '{path}'", got=error.strerror) from None
    return path


def infer(model: str, picture: Path, api: str, timeout: float) -> list[Box]:
    """One picture to a server of the Open Inference Protocol v2, with its extension for binary tensors.

    Raises:
        DeploymentError: the picture cannot be read, or the server does not answer with boxes.
    """
    try:
        jpeg = picture.read_bytes()
    except OSError as error:
        raise DeploymentError(f"picture '{picture}'", got=error.strerror) from None
    tensor = struct.pack("<I", len(jpeg)) + jpeg
    about = {"name": "jpeg", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(tensor)}}
    head = json.dumps({"inputs": [about], "outputs": [{"name": name} for name in _OUTPUTS]}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    url = f"{api.rstrip('/')}/v2/models/{model}/infer"
    answer = ask(url, timeout, head + tensor, headers)
    try:
        outputs = {output["name"]: output["data"] for output in json.loads(answer)["outputs"]}
        boxes, scores, classes = (outputs[name] for name in _OUTPUTS)
        corners = [(float(x1), float(y1), float(x2), float(y2)) for x1, y1, x2, y2 in _fours(boxes)]
        return [Box(*one) for one in zip(corners, map(float, scores), map(int, classes), strict=True)]
    except (ValueError, KeyError, TypeError):
        raise DeploymentError(url, got=answer[:100], wanted=f"tensors {', '.join(_OUTPUTS)} of as many rows") from None


def agreement(expected: Sequence[Box], found: Sequence[Box], *, iou: float, score: float) -> float:
    """The share of all boxes, expected and found, that have a counterpart: same class, alike in place and score.

    Each has one at most; nothing expected and nothing found is 1.
    """
    free, pairs = list(found), 0
    for box in sorted(expected, key=lambda one: -one.score):
        alike = [one for one in free if one.class_id == box.class_id and abs(one.score - box.score) <= score]
        best = max(alike, key=lambda one: overlap(box.corners, one.corners), default=None)
        if best is not None and overlap(box.corners, best.corners) >= iou:
            free.remove(best)
            pairs += 1
    return 2 * pairs / (len(expected) + len(found)) if expected or found else 1.0


def _fours(values: Sequence[float]) -> list[Sequence[float]]:
    return [values[i : i + 4] for i in range(0, len(values), 4)]


def _read(path: Path) -> dict[str, list[Box]]:
    mend = "write it with --record-golden while a side that works is in charge"
    what = f"golden answers '{path}'"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        answers = {name: [_box(one) for one in boxes] for name, boxes in content.items()}
    except OSError as error:
        raise DeploymentError(what, got=error.strerror, mend=mend) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeploymentError(what, got=f"no answers ({error})", mend=mend) from None
    if not any(answers.values()):
        raise DeploymentError(what, got="nothing expected on any picture", wanted="something", mend=mend)
    return answers


def _box(values: Any) -> Box:
    x1, y1, x2, y2 = map(float, values["corners"])
    return Box((x1, y1, x2, y2), float(values["score"]), int(values["class_id"]))
