"""Which model was confirmed last, on the disk: a node that comes back after a crash goes on with it."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_ai.core.clock import Clock
from edge_ai.core.errors import DeploymentError, EdgeAIError
from edge_ai.core.files import sha256_of, state_folder, write_whole
from edge_ai.deployment.artifacts.manifest import MANIFEST
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.swap.generation import Generation
from edge_ai.runtime.trusted import confirm_launched
from edge_ai.runtime.variants import Variants

log = logging.getLogger(__name__)

_FILE = "confirmed.json"
_LOADING = "loading"  # holds how often in a row loading it has ended the process, or the power
_TRIES = 3


class Launched(BaseModel):
    """The model that a launch names.

    Attributes:
        model: as of the parameter.
        sha256: of its card, or of the manifest of its set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    sha256: str


class Kept(BaseModel):
    """What was confirmed.

    Attributes:
        replaces: in whose place.
        card: path of the card of what was confirmed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    replaces: Launched
    card: str


def default_folder() -> Path:
    """Where that is, if nobody says otherwise: edge_ai/model in the user's state folder.

    Raises:
        EdgeAIError: a user without a home.
    """
    return state_folder() / "model"


class KeptModel:
    """What a restart begins with: the model confirmed last, unless a launch names another one than it replaced.

    Args:
        folder: of the file; made when first needed. Empty: `default_folder`.

    Raises:
        EdgeAIError: there is no folder, and the user has no home.
    """

    def __init__(self, folder: str) -> None:
        self._path = (Path(folder) if folder else default_folder()) / _FILE
        self._loading = self._path.with_name(_LOADING)
        self._replaces = Launched(model="", sha256="")

    def open(self, params: InferenceParams, clock: Clock) -> Generation:
        """The model to begin with, open.

        Args:
            params: of the launch.
            clock: times its stages.

        Raises:
            EdgeAIError: the one that the launch names is wrong, or cannot be loaded and no other one was confirmed.
        """
        self._replaces = _launched(params)
        kept = self._read()
        if kept is not None and self._may_load(kept):
            try:
                confirmed = Generation.of(params, clock, Path(kept.card))
                confirmed.variants.open()
                confirmed.update(params)
                self._count(0)
            except (KeyboardInterrupt, SystemExit):  # somebody ended it, not the model
                self._count(0)
                raise
            except EdgeAIError as error:
                self._count(0)
                log.error("the confirmed model cannot be loaded, the one that was launched serves: %s", error)
            else:
                log.info("%s goes on, as it was confirmed before", confirmed.name)
                _confirm_again(params.changed(model=kept.card, variants=[""]))
                return confirmed
        launched = Generation(Variants(params, clock))
        launched.variants.open()
        confirm_launched(params)
        return launched

    def keep(self, confirmed: Generation) -> None:
        """Begin with this one from now on; it is on the disk, whole, when this returns.

        Raises:
            DeploymentError: the disk refuses.
        """
        self._count(0)
        kept = Kept(replaces=self._replaces, card=str(confirmed.card_path.absolute()))
        try:
            write_whole(self._path, kept.model_dump_json(indent=1).encode() + b"\n")
        except OSError as error:
            what = f"remembering the confirmed model in '{self._path.parent}'"
            mend = "set swap.state_folder to a folder that can be written"
            raise DeploymentError(what, got=error.strerror, mend=mend) from None

    def _may_load(self, kept: Kept) -> bool:
        """Whether loading it has not ended the process each of the last times; counts this one."""
        try:
            tries = int(self._loading.read_text())
        except (OSError, ValueError):
            tries = 0
        if tries >= _TRIES:
            log.error(
                "loading '%s', as confirmed, has ended the process %d times in a row: the model that was launched "
                "serves; to try it again, remove '%s'",
                *(kept.card, tries, self._loading),
            )
            return False
        self._count(tries + 1)
        return True

    def _count(self, tries: int) -> None:
        try:
            if tries:
                write_whole(self._loading, b"%d\n" % tries)
            else:
                self._loading.unlink(missing_ok=True)
        except OSError as error:
            log.error("'%s' cannot be written, crashes of a confirmed model are not counted: %s", self._loading, error)

    def _read(self) -> Kept | None:
        try:
            kept = Kept.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.error("'%s' cannot be read, the model that was launched serves: %s", self._path, error)
            return None
        if kept.replaces == self._replaces:
            return kept
        log.warning("another model is launched than the one that '%s' took the place of: it is forgotten", kept.card)
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.error("'%s' cannot be removed, and counts again if the former model is launched: %s", self._path, error)
        return None


def _launched(params: InferenceParams) -> Launched:
    """What a launch names, whether it may still be loaded or a newer one has been confirmed since."""
    path = Path(params.model) if params.model else shipped_card()
    try:
        digest = sha256_of(path / MANIFEST if path.is_dir() else path)
    except OSError:  # whoever loads it says so better
        digest = ""
    return Launched(model=params.model, sha256=digest)


def _confirm_again(params: InferenceParams) -> None:
    """A power cut may have come between what is kept here and the confirmation of its set."""
    try:
        confirm_launched(params)
    except EdgeAIError as error:
        log.error("older versions of the confirmed model are not refused: %s", error)
