"""What there is to prepare on a machine, and what it depends on: decided before anything is done."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_ai import __version__
from edge_ai.backends.trt import TensorRTBackend
from edge_ai.capture.select import split_source
from edge_ai.core.errors import EdgeAIError, ParameterError, SourceError
from edge_ai.core.files import sha256_of
from edge_ai.evaluation.budget import Budget
from edge_ai.optimization.inspection.flops import count
from edge_ai.optimization.judging.pictures import Pictures
from edge_ai.optimization.judging.trial import Job
from edge_ai.platforms.boards import BYTES, Precision
from edge_ai.platforms.detect import Machine
from edge_ai.platforms.memory import MIB
from edge_ai.platforms.select import RUNTIME_BYTES
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.model import backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.profiles import profile_path, profile_values
from edge_ai.runtime.resources import shipped_card

_WORKSPACE_STEP = 256 * MIB
"""What Linux sees of the memory differs a little from one kernel to the next: no reason to build another engine."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks to be prepared.

    Attributes:
        card: path of the model card; None: the shipped detector.
        profile: name of a board profile; empty: that of the machine.
        pictures: a folder, video file or bag of pictures like those of the robot; empty: there are none.
        labels: COCO file of what is on them; None: the original's answers count.
        loss: what of the accuracy may be lost.
        rungs: variants to try; empty: all.
        optimise: whether to.
        cameras: cameras that share the model.
    """

    card: Path | None = None
    profile: str = ""
    pictures: str = ""
    labels: Path | None = None
    loss: Budget = dataclasses.field(default_factory=Budget)
    rungs: Sequence[str] = ()
    optimise: bool = True
    cameras: int = 1

    def __post_init__(self) -> None:
        if self.cameras < 1:
            raise ParameterError("--cameras", got=self.cameras, wanted="1 or more")
        if self.labels and not self.pictures:
            raise ParameterError("--labels", got="no pictures", mend="give --pictures, which they belong to")
        if self.labels and not self.labels.is_file():
            raise ParameterError("--labels", got=f"no file '{self.labels}'", wanted="a COCO file")


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done.

    Attributes:
        profile: name of the board profile.
        card: of the model to begin with, at ``path``.
        job: how variants are judged; None: none are made, as ``unoptimised`` says.
        needs: bytes that the model takes at most, with CUDA and TensorRT where there is an engine; None: unknown.
        board: key of the board whose foretold speeds decide between variants; empty: what is measured here does.
        params: of the inference node, for the model to begin with.
        no_engine: why no TensorRT engine is built; empty: one is.
        power_mode: of nvpmodel, in place of the profile's; None: the profile's.
        model_digest: of all that decides what model is chosen.
        digest: of all that decides what is written.
    """

    request: Request
    machine: Machine
    profile: str
    path: Path
    card: ModelCard
    job: Job | None
    unoptimised: str
    needs: float | None
    board: str
    params: InferenceParams
    no_engine: str
    power_mode: str | None
    model_digest: str
    digest: str


def make_plan(request: Request, machine: Machine) -> Plan:
    """Decide what to do; reads files, writes none.

    Raises:
        EdgeAIError: the card, the pictures, the labels or the profile are no good.
    """
    path = (request.card or shipped_card()).resolve()
    card = ModelCard.load(path)
    card.check_file()
    profile = request.profile or machine.profile
    file = profile_path(profile)
    if str(file) == profile:  # a launch from another folder has to find it
        file = file.resolve()
        profile = str(file)
    params = _params(request, machine, profile_values(file, "inference"))
    no_engine = _no_engine(card, params)
    if no_engine:
        params = params.changed(engine_workspace=InferenceParams().engine_workspace)
    board = machine.board.key if machine.board and not no_engine else ""
    unoptimised = _unoptimised(request, measured=bool(no_engine), foretold=bool(board))
    job = None if unoptimised else Job(card, request.pictures, request.labels, request.loss)
    model: list[Any] = [__version__, str(path), sha256_of(path), card.sha256, board]
    if job is not None:
        labels = sha256_of(request.labels) if request.labels else ""
        model += [dataclasses.astuple(request.loss), list(request.rungs), labels, list(_marks(request.pictures))]
    model_digest = _digest(model)
    power = _power_mode(_mode(profile_values(file, "monitor")), machine)
    software = [machine.tensorrt, machine.cuda, machine.l4t, *(gpu.driver for gpu in machine.gpus)]
    rest = [profile, not request.profile, sha256_of(file), params.model_dump(), no_engine, software, power]
    return Plan(
        request=request,
        machine=machine,
        profile=profile,
        path=path,
        card=card,
        job=job,
        unoptimised=unoptimised,
        needs=_needs(card, params, bool(no_engine)),
        board=board,
        params=params,
        no_engine=no_engine,
        power_mode=power,
        model_digest=model_digest,
        digest=_digest([model_digest, *rest]),
    )


def _params(request: Request, machine: Machine, profile: dict[str, Any]) -> InferenceParams:
    """Of the inference node: the profile's, with this machine's own memory."""
    workspace = machine.steady_budget.workspace // _WORKSPACE_STEP * _WORKSPACE_STEP // MIB
    batch = {"max_batch": request.cameras} if request.cameras > 1 else {}
    return InferenceParams.parse({**profile, "engine_workspace": workspace, **batch}, owner="edge-ai prepare")


def _no_engine(card: ModelCard, params: InferenceParams) -> str:
    if params.backend == "onnxruntime":
        return "the profile takes ONNX Runtime"
    reason = TensorRTBackend.unfit(card.model_path, backend_options(card, params))
    return reason and f"{TensorRTBackend.name}: {reason}"


def _needs(card: ModelCard, params: InferenceParams, no_engine: bool) -> float | None:
    """A bound of the memory that a model takes: weights and all activations, though some share their memory."""
    precision: Precision = "fp16" if params.precision == "fp16" and not no_engine else "fp32"
    try:
        work = count(card.model_path, card.input.size).workload(card.name)
    except EdgeAIError:  # a model whose shapes cannot be told, or no library to tell them
        return None
    return (0 if no_engine else RUNTIME_BYTES) + BYTES[precision] * (work.weights + work.activations)


def _unoptimised(request: Request, *, measured: bool, foretold: bool) -> str:
    """Why no variants are made; empty if some are, whose speed is then measured on the processor or foretold."""
    if not request.optimise:
        return "as told"
    if not (measured or foretold):
        return "nobody can foretell how fast variants are on this GPU: edge-ai optimize, then edge-ai prepare CARD"
    if not request.pictures:
        return "no pictures to judge variants on: give --pictures FOLDER|VIDEO|BAG, like those of the robot"
    return ""


def _mode(monitor: dict[str, Any]) -> str:
    """The power mode that a profile wants."""
    power = monitor.get("power")
    return str(power.get("mode", "")) if isinstance(power, dict) else ""


def _power_mode(wanted: str, machine: Machine) -> str | None:
    """A mode in place of the profile's where this machine does not have that: the fastest that draws less.

    Returns:
        None: the profile's will do, or nobody knows what modes there are; empty: the mode is to stay as it is.
    """
    board, known = machine.board, machine.power_modes
    if not (board and wanted and known) or wanted in known or wanted.isdigit():
        return None
    mode = next((mode for mode in board.modes if mode.name == wanted), None)
    if mode is None:  # another board's, and nobody knows what draws less here
        return ""
    less = [m.name for m in board.modes if m.name in known and m.watts and (not mode.watts or m.watts < mode.watts)]
    return less[-1] if less else ""


def _marks(pictures: str) -> Iterator[tuple[str, int, int]]:
    """What tells a recording from what it was: names, sizes and times of its files."""
    source = Pictures(pictures).source  # which says what is wrong with a camera
    root = Path(split_source(pictures)[1].partition("?topic=")[0]).expanduser()
    if not root.exists():
        raise SourceError(f"pictures '{source}'", got="nothing there", wanted="a folder, a video file or a bag")
    for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
        if path.is_file():
            state = path.stat()
            yield str(path.relative_to(root.parent)), state.st_size, state.st_mtime_ns


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
