"""Model cards: all there is to know about a model, so that a model from elsewhere needs no code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PrivateAttr, SerializeAsAny

from edge_ai.core.errors import CardError, EdgeAIError, ModelError, ParameterError
from edge_ai.core.files import sha256_of
from edge_ai.processing.card_part import FROM_LIST, CardPart, parse_part, read_text
from edge_ai.processing.decode.base import Decoder, DecoderOptions, Target
from edge_ai.processing.decode.registry import DECODERS
from edge_ai.processing.serving import ServingSpec
from edge_ai.processing.spec import InputSpec, NmsSpec

Name = Annotated[str, Field(min_length=1)]


class ModelCard(CardPart):
    """What a model is, what it takes and how its answers are read. See models/README.md.

    Example:
        >>> card = ModelCard.load(Path("models/nanodet_g_416.yaml"))
        >>> card.input.shape
        (1, 3, 416, 416)
    """

    name: Name = Field(description="name of the model, as results carry it")
    version: Name = Field(description="its version, in quotes")
    task: Literal["detection", "classification", "segmentation", "keypoints"] = Field(description="what it does")
    file: Name = Field(description="model file, relative to the card")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="what `sha256sum` says of that file")
    licence: Name = Field(description="licence of the weights")
    source: Name = Field(description="where the model is from")
    input: InputSpec = Field(description="the image the model takes")
    outputs: dict[str, Name] = Field(description="name of the model's tensor for each role its decoder reads")
    decoder: SerializeAsAny[DecoderOptions] = Field(description="model family and its own options")
    nms: NmsSpec | None = Field(None, description="non-maximum suppression; left out for models that need none")
    score_threshold: float = Field(ge=0, lt=1, description="what scores below this is dropped")
    labels: Annotated[tuple[Name, ...], FROM_LIST] = Field(
        min_length=1, description="class names in the order of the class numbers, or a text file with one a line"
    )
    keypoints: Annotated[tuple[Name, ...], FROM_LIST] = Field(
        (), description="names of an object's keypoints in the model's order, or a text file with one a line"
    )
    serving: ServingSpec | None = Field(None, description="how a server serves it, where that is not plain")
    _folder: Path = PrivateAttr(Path())

    @classmethod
    def load(cls, path: Path | str) -> ModelCard:
        """Read a card from a YAML file.

        Raises:
            CardError: the file (or its label file) is missing or not YAML, or a key is unknown, missing or wrong.
        """
        path = Path(path)
        text = read_text(path, "model card", "give the path of a card like models/nanodet_g_416.yaml")
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            where = " ".join(str(error).split())
            raise CardError(f"model card '{path}' is not YAML", got=where, mend="correct that line") from None
        return cls.parse(values, folder=path.parent, owner=str(path))

    @classmethod
    def parse(cls, values: object, *, folder: Path, owner: str) -> ModelCard:
        """Make a card from plain data.

        Args:
            values: a mapping as a card's YAML gives it.
            folder: what ``file`` and a label file are relative to.
            owner: where the values are from, for messages.

        Raises:
            CardError: as for `load`.
        """
        if not isinstance(values, Mapping):
            raise CardError(f"model card '{owner}'", got=type(values).__name__, wanted="keys and values")
        values = dict(values)
        for key in ("labels", "keypoints"):
            if isinstance(values.get(key), str):
                values[key] = _read_names(folder / values[key], key)
        if "decoder" in values:
            values["decoder"] = _decoder_options(values["decoder"], owner)
        card = parse_part(cls, values, owner=owner)
        card._folder = folder
        card._check_decoder(owner)
        return card

    def changed(self, **changes: Any) -> ModelCard:
        """A checked copy with some top-level values changed.

        Raises:
            CardError: as for `load`.
        """
        values = {**self.model_dump(mode="json"), **changes}
        return self.parse(values, folder=self._folder, owner=f"{self.name} {self.version}, changed")

    @property
    def model_path(self) -> Path:
        """Where the model file lies."""
        return self._folder / self.file

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the model's tensors that its decoder reads."""
        return tuple(self.outputs.values())

    def check_file(self) -> Path:
        """Make sure that the model file is the one this card describes, and say where it lies.

        Raises:
            ModelError: it is missing, empty or another file.
        """
        path, what = self.model_path, f"model file '{self.model_path}'"
        try:
            digest, size = sha256_of(path), path.stat().st_size
        except OSError as error:
            mend = "put the model beside its card, or correct the card's 'file'"
            raise ModelError(what, got=error.strerror, wanted="a readable file", mend=mend) from None
        if size == 0:
            raise ModelError(what, got="an empty file", wanted="a model", mend="copy or download it again")
        if digest != self.sha256:
            mend = "get the right file again; if you changed the model on purpose, put the new sha256 into its card"
            raise ModelError(what, got=f"sha256 {digest}", wanted=f"sha256 {self.sha256}", mend=mend)
        return path

    def make_decoder(self, score_threshold: float | None = None) -> Decoder[Any, Any]:
        """The decoder that reads this model's outputs; without a threshold, the card's holds."""
        threshold = self.score_threshold if score_threshold is None else score_threshold
        return DECODERS.load(self.decoder.family)(self.decoder, self.outputs, self._target(threshold))

    def class_ids(self, names: Iterable[str]) -> frozenset[int]:
        """The numbers of some classes.

        Raises:
            ParameterError: the model has no class of that name.
        """
        numbers: set[int] = set()
        for name in names:
            found = {i for i, label in enumerate(self.labels) if label == name}
            if not found:
                near = difflib.get_close_matches(name, self.labels, cutoff=0.4) or self.labels[:5]
                wanted = f"one of its {len(self.labels)} labels, such as {', '.join(near)}"
                raise ParameterError(f"model '{self.name}' knows no class", got=repr(name), wanted=wanted)
            numbers |= found
        return frozenset(numbers)

    def _target(self, threshold: float) -> Target:
        return Target(self.input.size, len(self.labels), threshold, len(self.keypoints))

    def _check_decoder(self, owner: str) -> None:
        decoder = DECODERS.load(self.decoder.family)
        if self.task not in decoder.TASKS:
            wanted = f"{' or '.join(decoder.TASKS)} for {self.decoder.family}"
            raise CardError(f"model card '{owner}'", got=f"'task' {self.task}", wanted=wanted)
        if (self.task == "keypoints") != bool(self.keypoints):
            got = f"'task' {self.task} with {len(self.keypoints)} 'keypoints'"
            wanted = "names of keypoints where the task is keypoints, and only there"
            raise CardError(f"model card '{owner}'", got=got, wanted=wanted)
        if not any(set(roles) == set(self.outputs) for roles in decoder.ROLES):
            wanted = " or ".join(f"{{{', '.join(roles)}}}" for roles in decoder.ROLES)
            got = f"'outputs' with the keys {{{', '.join(self.outputs)}}}"
            raise CardError(f"model card '{owner}'", got=got, wanted=f"{wanted} for {self.decoder.family}")
        if decoder.NEEDS_NMS and self.nms is None:
            mend = "add 'nms: {}' for the usual values"
            raise CardError(f"model card '{owner}'", got=f"no 'nms' for {self.decoder.family}", mend=mend)
        if unfit := decoder.unfit(self.decoder, self.outputs, self._target(self.score_threshold)):
            raise CardError(f"model card '{owner}'", got=unfit, mend="see models/README.md for every key")


def _decoder_options(values: object, owner: str) -> DecoderOptions:
    if not isinstance(values, Mapping) or "family" not in values:
        known = ", ".join(DECODERS.names())
        raise CardError(f"model card '{owner}'", got="no 'decoder.family'", wanted=f"one of {known}")
    try:
        decoder = DECODERS.load(str(values["family"]))
    except EdgeAIError as error:
        raise CardError(f"model card '{owner}': 'decoder.family'", got=error.got, wanted=error.wanted) from None
    return parse_part(decoder.OPTIONS, dict(values), owner=owner, path="decoder")


def _read_names(path: Path, key: str) -> list[str]:
    text = read_text(path, f"{key.rstrip('s')} file", f"write one name a line, or list them under '{key}'")
    return [line.strip() for line in text.rstrip().split("\n")]
