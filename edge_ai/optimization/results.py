"""What a run of the workshop found, as plain data: the report page is drawn from it, and scripts read it as JSON."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from edge_ai.evaluation.compare import Estimate
from edge_ai.optimization.inspection.flops import count
from edge_ai.optimization.judging.machine import machine
from edge_ai.optimization.judging.trial import Judged, Trial
from edge_ai.optimization.quantization.sensitivity import Sensitivity


def report_data(
    title: str,
    command: str,
    trial: Trial,
    judged: Sequence[Judged],
    *,
    chosen: Judged | None = None,
    sensitivities: Sequence[Sensitivity] = (),
    kept: Collection[str] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything a report says.

    Args:
        title: what the run was about.
        command: the command line it came from.
        trial: what was judged on.
        judged: the original first, then the variants.
        chosen: the one that decides over the verdict; default the last.
        sensitivities: of the layers, if they were measured.
        kept: layers left in float.
        notes: sentences for the reader.
    """
    best = chosen or judged[-1]
    made = best.variant.made
    job, original = trial.job, judged[0]
    front = pareto(judged)
    found: dict[str, Any] = _plain(
        {
            "title": title,
            "command": command,
            "made": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "machine": machine(),
            "verdict": {
                "shipped": best.decision.shipped,
                "reasons": list(best.decision.reasons),
                "variant": best.variant.name,
            },
            "data": {
                "source": job.data,
                "pictures": len(trial.shots),
                "labels": str(job.labels) if job.labels else None,
                "calibration": trial.calibrated,
                "notes": _data_notes(trial),
            },
            "metric": {"name": best.comparison.metric, "agreement": best.comparison.agreement},
            "variants": [_variant(one, original, one.variant.name in front) for one in judged],
            "classes": [
                {"name": one.name, "labelled": one.labelled, "before": one.before, "after": one.after}
                for one in best.comparison.classes
            ],
            "sensitivity": [
                {
                    "layer": s.layer,
                    "operator": s.operator,
                    "error": s.error,
                    "weights": s.weights,
                    "kept": s.layer in kept,
                }
                for s in sensitivities
            ],
            "layers": [
                {"name": one.name, "operator": one.operator, "before": one.before, "after": one.after}
                for one in (made.layers if made else ())
            ],
            "goals": [goal.as_json() for goal in best.decision.goals],
            "notes": [*(made.notes if made else ()), *best.decision.warnings, *notes],
        }
    )
    return found


def _latency(one: Judged) -> float:
    return one.measured.latency_ms.value


def pareto(judged: Sequence[Judged], time: Callable[[Judged], float] = _latency) -> set[str]:
    """Names of those that no other beats: one as accurate, as fast and as small, and better in one of them.

    Args:
        judged: among which.
        time: what counts as its time, in any unit; default as measured here.
    """

    def figures(one: Judged) -> tuple[float, float, float]:
        return -one.comparison.after.value, time(one), one.measured.size

    def beaten(one: Judged, other: Judged) -> bool:
        mine, theirs = figures(one), figures(other)
        return theirs != mine and all(b <= a for a, b in zip(mine, theirs, strict=True))

    return {one.variant.name for one in judged if not any(beaten(one, other) for other in judged if other is not one)}


def _variant(one: Judged, original: Judged, front: bool) -> dict[str, Any]:
    first = one is original
    cost = _cost(one)
    return {
        "name": one.variant.name,
        "precision": one.variant.precision,
        "size": one.measured.size,
        "accuracy": _interval(one.comparison.after),
        "loss": None if first else _interval(one.comparison.loss),
        "extra": {name: after for name, (_before, after) in one.comparison.extra.items()},
        "latency_ms": {**_interval(one.measured.latency_ms), "p50": one.measured.latency_ms.value}
        | {"p99": one.measured.percentile(99)},
        "speedup": None if first else _interval(one.measured.speedup(original.measured)),
        "cpu_ms": one.measured.cpu_ms,
        "energy_mj": one.measured.energy_mj,
        "flops": cost[0],
        "parameters": cost[1],
        "pareto": front,
        "shipped": one.decision.shipped and not first,
        "reasons": [] if first else list(one.decision.reasons),
    }


def _cost(one: Judged) -> tuple[int | None, int | None]:
    from edge_ai.core.errors import EdgeAIError

    try:
        cost = count(one.variant.card.model_path, one.variant.card.input.size)
    except EdgeAIError:  # a model whose shapes cannot be told is shipped all the same
        return None, None
    return cost.flops, cost.weights


def _interval(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _data_notes(trial: Trial) -> list[str]:
    notes = []
    if trial.shared:
        notes.append("calibrated on pictures that it was judged on too: the loss may look smaller than it is")
    return notes


def _plain(value: Any) -> Any:
    """As JSON knows it: NaN and infinity are None."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
