"""From a model card and what belongs to it to a signed set of artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from edge_ai.backends.engine_cache import MANIFEST, PLAN, external_data
from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.make import Source
from edge_ai.deployment.artifacts.manifest import Role
from edge_ai.optimization.artifact import NOTICES
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.trusted import with_config

ENGINE_FOLDER, GOLDEN_FOLDER, CONFIG = "engine", "golden", "params.yaml"


@dataclass(frozen=True, slots=True)
class Belongings:
    """What goes into a set beside the model.

    Attributes:
        engine: folder of a built engine, as `edge-ai compile` names it.
        config: parameter file for the inference node.
        reports: files on how good the model is.
        golden: folder that `edge_ai.runtime.swap.golden.record` wrote.
    """

    engine: Path | None = None
    config: Path | None = None
    reports: Sequence[Path] = ()
    golden: Path | None = None


def sources(card: Path, belongings: Belongings) -> list[Source]:
    """The files of a set.

    Args:
        card: of the model, whose files lie beside it.
        belongings: the rest.

    Raises:
        CardError, ModelError: the card is wrong, or the model is not the one it describes.
        ParameterError: the parameters are wrong.
        ArtifactError: a file lies elsewhere than beside the card, two have one name, or the engine's folder is none.
    """
    with_config(InferenceParams(), belongings.config)
    found = [*_model(card), *_belongings(belongings)]
    names = [source.inside for source in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ArtifactError(f"set of '{card}'", got=f"two files called {', '.join(twice)}", mend="rename one")
    return found


def _model(path: Path) -> Iterator[Source]:
    card, folder = ModelCard.load(path), path.parent
    model = card.check_file()
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    yield Source(path, path.name, "card")
    for part in [model, *external_data(model)]:
        yield Source(part, _beside(part, folder), "model")
    for name in {values[key] for key in ("labels", "keypoints") if isinstance(values.get(key), str)}:
        yield Source(folder / name, _beside(folder / name, folder), "labels")
    for name in NOTICES:
        if (folder / name).is_file():
            yield Source(folder / name, name, "notice")


def _belongings(given: Belongings) -> Iterator[Source]:
    if given.engine is not None:
        parts: tuple[tuple[str, Role], ...] = ((PLAN, "engine"), (MANIFEST, "engine_manifest"))
        for name, role in parts:
            if not (given.engine / name).is_file():
                mend = "give the folder of an engine that edge-ai compile names"
                raise ArtifactError(f"engine '{given.engine}'", got=f"no {name}", mend=mend)
            yield Source(given.engine / name, f"{ENGINE_FOLDER}/{name}", role)
    if given.config is not None:
        yield Source(given.config, CONFIG, "config")
    for report in given.reports:
        yield Source(report, report.name, "report")
    if given.golden is not None:
        for path in sorted(path for path in given.golden.rglob("*") if path.is_file()):
            yield Source(path, f"{GOLDEN_FOLDER}/{path.relative_to(given.golden).as_posix()}", "golden")


def _beside(path: Path, folder: Path) -> str:
    """A file's path in the set, which is the one from its card."""
    try:
        inside = path.relative_to(folder)
    except ValueError:
        inside = Path("..")
    if ".." in inside.parts:
        mend = "put the file beside the card, and name it so there"
        raise ArtifactError(f"file '{path}'", got="a place outside the folder of its card", mend=mend)
    return inside.as_posix()
