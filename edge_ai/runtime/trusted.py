"""Which models may run here: with keys configured only those of signed sets that are whole and for this machine."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from edge_ai.backends.engine_params import EngineParams
from edge_ai.core.errors import ArtifactError, BackendError, EngineError
from edge_ai.core.files import state_folder
from edge_ai.deployment.artifacts.trust import AdmittedSet, Trust
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.profiles import profile_values

log = logging.getLogger(__name__)

_OWN = ("model", "variants", "trusted_keys", "artifact_store")
"""Parameters that no set may bring: they say what is trusted."""

_OF_A_MODEL = (*EngineParams.model_fields, "backend", "providers", "threads", "spinning", "warm_up")
"""Parameters that count of those that a set brings; cameras and workers are the node's, thresholds its user's."""


@dataclass(frozen=True, slots=True)
class AdmittedCard:
    """A model that may be loaded.

    Attributes:
        card: path of its card; that of a signed set lies in this machine's store, out of reach of who brought the set.
        golden: folder of golden pictures and answers, see `edge_ai.runtime.swap.golden`; None: there is none.
        config: parameter file that the set brings, see `with_config`; None: there is none.
        title: what it is called in messages.
        confirm: call it once the model has proved itself, after whatever the next start reads was written: from then
            on older versions of the set are refused.
    """

    card: Path
    golden: Path | None
    config: Path | None
    title: str
    confirm: Callable[[], None]


def admission(params: InferenceParams) -> Callable[[Path], AdmittedCard]:
    """What judges whether a model may be loaded, given the path of its card or of the folder of its signed set.

    Without ``trusted_keys`` a card whose model file is the one it describes will do. What it returns raises:

        ArtifactError: the set is not signed by a trusted key, not whole, too old, expired or not for this machine.
        CardError: the card is missing or wrong.
        ModelError: the model file is missing or not the one the card describes.
        ParameterError: the set's parameters are wrong.
    """
    keys = [Path(key) for key in params.trusted_keys if key]
    if not keys:
        return _unsigned
    names, software = _machine()
    trust = Trust(keys, _store(params), device=names, software=software, examine=lambda found: _examine(found, params))
    return lambda path: _signed(path, trust, params)


def trusted_card(path: Path, params: InferenceParams) -> Path:
    """The card to be loaded in the place of another: without ``trusted_keys`` itself, else the one in the store.

    Raises:
        EdgeAIError: as of `admission`.
    """
    return admission(params)(path).card if any(params.trusted_keys) else path


def trusted_model(path: Path, params: InferenceParams) -> tuple[Path, InferenceParams]:
    """The card to be loaded in the place of another, and how to run it: as its signed set says, where it says so.

    Raises:
        EdgeAIError: as of `admission`.
    """
    if not any(params.trusted_keys):
        return path, params
    admitted = admission(params)(path)
    return admitted.card, with_config(params, admitted.config)


def confirm_launched(params: InferenceParams) -> None:
    """The models that a launch names are open: from now on older versions of their sets are refused.

    Raises:
        EdgeAIError: as of `admission`.
    """
    if any(params.trusted_keys):
        admit = admission(params)
        for path in filter(None, (params.model, *params.variants)):
            admit(Path(path)).confirm()


def with_config(params: InferenceParams, config: Path | None) -> InferenceParams:
    """Parameters with those that a set brings for its model in their place.

    Args:
        params: of the inference node.
        config: a ROS parameter file; what it says to the node "inference" of engines counts: backend, precision,
            threads and the like.

    Raises:
        ParameterError: it is wrong.
        ArtifactError: it says what only the robot's owner may say.
    """
    if config is None:
        return params
    values = profile_values(config, "inference")
    if forbidden := [name for name in _OWN if name in values]:
        mend = "take them out of the set's parameters, and sign it again"
        raise ArtifactError(f"parameters '{config}'", got=", ".join(forbidden), wanted="none of these", mend=mend)
    brought = params.parse({**params.model_dump(), **values}, owner=str(config))
    return params.changed(**{name: getattr(brought, name) for name in _OF_A_MODEL})


def _unsigned(path: Path) -> AdmittedCard:
    card = ModelCard.load(path)
    card.check_file()
    golden = path.parent / "golden"
    return AdmittedCard(
        card=path,
        golden=golden if golden.is_dir() else None,
        config=None,
        title=f"{path.stem} ({card.name} {card.version})",
        confirm=lambda: None,
    )


def _signed(path: Path, trust: Trust, params: InferenceParams) -> AdmittedCard:
    folder = path if path.is_dir() else path.parent
    found = trust.admitted(folder)
    if found is None:
        found = trust.admit(folder)
    else:
        _adopt_again(found, params)
    if path != folder and path.name != found.card.name:
        raise ArtifactError(f"model card '{path}'", got="no card of its set", wanted=found.card.name)
    card = ModelCard.load(found.card)
    return AdmittedCard(
        card=found.card,
        golden=found.golden,
        config=found.config,
        title=f"{found.manifest.title} ({card.name} {card.version})",
        confirm=lambda: trust.confirm(found),
    )


def _examine(found: AdmittedSet, params: InferenceParams) -> None:
    """Look into a set that has just been copied into the store; raises if nothing here could run it."""
    card = ModelCard.load(found.card)
    _check_contained(found)
    card.check_file()
    with_config(params, found.config)
    try:
        _adopt(found, params)
    except EngineError as error:
        mend = "sign the set of this device with an engine that was built on one like it, or with none"
        raise ArtifactError(f"set {found.manifest.title}: {error.what}", got=error.got, mend=mend) from None


def _check_contained(found: AdmittedSet) -> None:
    """Make sure that a card names no file but those of its set."""
    values = yaml.safe_load(found.card.read_text(encoding="utf-8"))
    for key in ("file", "labels", "keypoints"):
        name = values.get(key)
        if isinstance(name, str) and name not in found.manifest.files:
            mend = "put the file beside the card, and sign the set again"
            raise ArtifactError(f"card '{found.card}': '{key}'", got=name, wanted="a file of its set", mend=mend)


def _adopt_again(found: AdmittedSet, params: InferenceParams) -> None:
    """Have a set's engine in the cache; after an update of TensorRT another one is built, for the robot must go on."""
    try:
        _adopt(found, params)
    except EngineError as error:
        log.warning("the engine of set %s is not used: %s", found.manifest.title, error)


def _adopt(found: AdmittedSet, params: InferenceParams) -> None:
    """Take a set's engine into the cache, whose gate judges it; raises EngineError if it is not for this machine."""
    if found.engine is None or params.backend == "onnxruntime":
        return
    from edge_ai.backends import cuda_memory, trt_api
    from edge_ai.backends.engine_adopt import adopt
    from edge_ai.backends.engine_cache import EngineCache

    try:
        cuda, tensorrt = cuda_memory.bind(params.cuda, params.gpu), trt_api.load().__version__
    except BackendError as error:
        log.info("the engine of set %s is not used: %s", found.manifest.title, error)
        return
    with cuda.current():
        device = cuda.info()
    model = ModelCard.load(found.card).model_path
    adopt(found.engine, model, device, tensorrt, EngineCache.at(params.engine_cache))


def _store(params: InferenceParams) -> Path:
    if params.artifact_store:
        return Path(params.artifact_store)
    return state_folder() / "artifacts"


@functools.lru_cache(maxsize=1)
def _machine() -> tuple[tuple[str, ...], Mapping[str, str]]:
    """What this machine answers to, and the versions of its software."""
    from edge_ai.platforms.detect import detect

    machine = detect()
    names = (machine.profile, machine.board.key) if machine.board else (machine.profile,)
    return tuple(dict.fromkeys(names)), {"tensorrt": machine.tensorrt, "jetpack": machine.jetpack}
