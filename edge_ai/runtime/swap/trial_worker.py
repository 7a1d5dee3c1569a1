"""The process of a trial: ``python -m edge_ai.runtime.swap.trial_worker``, see `edge_ai.runtime.child`."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_ai.core.clock import SystemClock
from edge_ai.core.memory import resident_bytes
from edge_ai.runtime.child import Say, serve
from edge_ai.runtime.model import Model
from edge_ai.runtime.swap import golden
from edge_ai.runtime.swap.status import Check
from edge_ai.runtime.swap.trial import TrialRequest
from edge_ai.runtime.variant_cards import Choice, Choices

_SETTLING, _RUNS = 10, 30  # inferences until memory stays as it is, and in all
_SECONDS = 10.0  # for them, of a model that takes long
_MOST_GROWTH = 1 << 20  # bytes for each inference


def _try(request: str, say: Say) -> Mapping[str, Any]:
    wanted = TrialRequest.model_validate_json(request)
    params = wanted.params.changed(variant="", score_threshold=0.0, classes=[""])
    checks = []
    for number, choice in enumerate(Choices(params)):
        say({"phase": f"loading {choice.title}"})
        model = Model.load(params.changed(model=str(choice.path)))
        say({"phase": f"running {choice.title}"})
        checks.append(_run(model, choice))
        if wanted.golden and number == 0:
            say({"phase": "asking for its golden answers"})
            checks.append(golden.check(model, Path(wanted.golden)))
        model.close()
    return {"checks": [dataclasses.asdict(check) for check in checks]}


def _run(model: Model, choice: Choice) -> Check:
    """Run it until its memory tells whether it leaks."""
    clock = SystemClock()
    picture, deadline = choice.grey_picture(clock), time.monotonic() + _SECONDS
    for _ in range(_SETTLING):
        model(picture)
    settled, runs = resident_bytes(), 0
    while runs < _RUNS - _SETTLING and (runs == 0 or time.monotonic() < deadline):
        model(picture)
        runs += 1
    growth = (resident_bytes() - settled) / runs
    detail = f"{choice.title} runs, {resident_bytes() >> 20} MiB in all, {growth / (1 << 20):+.2f} MiB an inference"
    return Check("trial", growth <= _MOST_GROWTH, detail)


if __name__ == "__main__":
    sys.exit(serve(_try))
