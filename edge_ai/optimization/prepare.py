"""The whole way for one machine: its model, its engine, and the parameters that a launch starts with.

Every step leaves its result where the next run finds it, named after what it was made from: so a run that was killed is
taken up where it was, and one that finds everything there has nothing to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_ai.backends.engine_cache import EngineCache
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.files import user_folder
from edge_ai.optimization.artifact import REPORT, file_name
from edge_ai.optimization.ladder import optimize
from edge_ai.optimization.prepare_plan import Plan
from edge_ai.optimization.progress import Progress, silent
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.engine_build import EngineBuild
from edge_ai.runtime.engine_job import EngineRequest
from edge_ai.runtime.model import backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.prepared import Prepared, marks, prepared_path, read_prepared, write_prepared

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is now.

    Attributes:
        prepared: what the file says of itself.
        path: of the file.
        fresh: it was written by this run; otherwise it was there, made from the same.
    """

    prepared: Prepared
    path: Path
    fresh: bool


@dataclass(frozen=True, slots=True)
class _Choice:
    """A model that may be used, and the parameters to run it with."""

    path: Path
    params: InferenceParams


def prepare(plan: Plan, *, say: Say, progress: Progress = silent, command: str = "") -> Outcome:
    """Do what a plan says, as far as it is not done.

    Args:
        plan: see `make_plan`.
        say: told what each step has come to.
        progress: told of every step within one.
        command: the command line, for reports.

    Raises:
        EngineRefusedError: the gate refuses the engine of every model; nothing is written.
        EdgeAIError: another run is under way, a model or engine cannot be made, or nothing can be written.
    """
    path = prepared_path()
    if (before := _finished(plan, path)) is not None:
        return Outcome(before, path, fresh=False)
    with _alone(models_folder()):
        choices = [*_optimised(plan, say, progress, command), _Choice(plan.path, plan.params)]
        chosen, engine = _with_engine(plan, choices, say, progress)
        model = "" if chosen.path == plan.path and plan.request.card is None else str(chosen.path)
        prepared = Prepared(
            machine=marks(plan.machine),
            profile=plan.profile,
            detected=not plan.request.profile,
            inputs=plan.digest,
            model=model,
            engine=engine,
        )
        about = f"Made by {command or 'edge-ai prepare'}"
        write_prepared(path, prepared, parameters(plan, model, chosen.params), about)
    return Outcome(prepared, path, fresh=True)


def parameters(plan: Plan, model: str, params: InferenceParams) -> dict[str, dict[str, Any]]:
    """What is written, by node: what a preparation decides and a profile cannot know."""
    names = ["max_batch"] * (plan.request.cameras > 1)
    names += ["precision", "engine_workspace"] * (not plan.no_engine)
    inference: dict[str, Any] = {name: getattr(params, name) for name in names}
    if model:
        inference["model"] = model
    nodes: dict[str, dict[str, Any]] = {}
    if inference:
        nodes = {"inference": inference, "pipeline": {"inference": dict(inference)}}
    if plan.power_mode is not None:
        nodes["monitor"] = {"power": {"mode": plan.power_mode}}
    return nodes


def models_folder() -> Path:
    """Where variants are kept: edge_ai/prepared in this user's folder of data."""
    return user_folder("XDG_DATA_HOME", ".local/share") / "prepared"


def _finished(plan: Plan, path: Path) -> Prepared | None:
    """What an earlier run has made from the same, if all of it is still there."""
    try:
        before = read_prepared(path)
        if before is None or before.inputs != plan.digest or before.differs(plan.machine):
            return None
        if before.model:
            ModelCard.load(before.model).check_file()
        if before.engine:
            EngineCache.at(plan.params.engine_cache).read(Path(before.engine))
    except EdgeAIError:
        return None
    return before


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Work in a folder in which nobody else does, and from which what a killed run has left half done is gone.

    Raises:
        EdgeAIError: another run is at work, or nothing can be written there.
    """
    what = f"folder '{folder}'"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise EdgeAIError(what, got=error.strerror, mend="set XDG_DATA_HOME to a folder that can be written") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EdgeAIError(what, got="another edge-ai prepare at work in it", mend="let that one end") from None
        for left in folder.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _optimised(plan: Plan, say: Say, progress: Progress, command: str) -> list[_Choice]:
    """The recommended variant, if there is one."""
    if plan.job is None:
        return []
    folder = models_folder() / f"{file_name(plan.card.name)}-{plan.model_digest}"
    if (data := _whole(folder)) is None:
        shutil.rmtree(folder, ignore_errors=True)
        optimize(plan.job, folder, names=plan.request.rungs, target=plan.board, command=command, progress=progress)
        data = _report(folder)
    for reason in data["verdict"]["reasons"]:
        say(reason)
    say(f"report: {folder / 'report.html'}")
    if not data["verdict"]["shipped"]:
        say(f"model {plan.card.name} {plan.card.version} as it is: no variant passed the gate")
        return []
    best = next(one for one in data["variants"] if one["folder"] == data["recommended"])
    if not _faster(best, data["variants"][0]):
        say(f"model {plan.card.name} {plan.card.version} as it is: {best['name']} is smaller, but no faster here")
        return []
    # Of a variant in float the profile says how it is to be computed.
    params = plan.params if best["precision"] == "fp32" else plan.params.changed(precision=best["precision"])
    return [_Choice(_card(folder, data), params)]


def _report(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    return data


def _card(folder: Path, data: Mapping[str, Any]) -> Path:
    """Of the recommended variant."""
    (card,) = (folder / str(data["recommended"])).glob("*.yaml")
    return card


def _whole(folder: Path) -> dict[str, Any] | None:
    """The report of an earlier run, if what it recommends is there; None if all is to be done again."""
    try:
        data = _report(folder)
        if data["verdict"]["shipped"]:
            ModelCard.load(_card(folder, data)).check_file()
    except (OSError, ValueError, KeyError, EdgeAIError):
        return None
    return data


def _faster(variant: Mapping[str, Any], original: Mapping[str, Any]) -> bool:
    """Whether a variant gains time: as foretold for the board where that decides, else by the sure end as measured."""
    if "forecast" in variant and "forecast" in original:
        return bool(variant["forecast"]["fps"] > original["forecast"]["fps"])
    return bool(variant["speedup"]["low"] > 1)


def _with_engine(plan: Plan, choices: list[_Choice], say: Say, progress: Progress) -> tuple[_Choice, str]:
    """The first of some models whose engine can be built and passes the gate, and the engine's folder."""
    if plan.no_engine:
        return choices[0], ""
    for choice in choices:
        card = ModelCard.load(choice.path)
        request = EngineRequest(card=str(choice.path), options=backend_options(card, choice.params))
        limit = choice.params.build_memory << 20
        try:
            folder = EngineBuild(request, say=lambda words: progress(words, 0, 0), memory_limit=limit).run()
        except EdgeAIError as error:
            if choice is choices[-1]:
                raise
            say(f"{error}; the model it was made from is taken in its place")
            continue
        say(f"engine of {card.name} {card.version}, {choice.params.precision}: {folder}")
        return choice, str(folder)
    raise AssertionError("the last choice returns or raises")
