"""What an inference engine must do, and all that is the same for each: state, names, dtypes, shapes, threads."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from edge_ai.backends.options import BackendOptions
from edge_ai.backends.tensors import Array, Shape, check_feeds
from edge_ai.backends.tensors import TensorSpec as TensorSpec
from edge_ai.core.errors import BackendError, ModelError
from edge_ai.core.spans import profiled

B = TypeVar("B", bound="Backend")

_SHAPES_REMEMBERED = 64


class Backend(ABC):
    """An inference engine for one model.

    The public methods check state and tensors; a subclass writes `_activate`, `_infer` and `_deactivate` and is never
    called wrongly: `_infer` gets C-contiguous arrays of the right names, dtypes and shapes, only while active, and not
    from two threads at once unless `concurrent` is true; `_deactivate` waits for every `_infer` to end.
    Making one touches no device and imports no engine.

    Args:
        options: how to run.
    """

    name: ClassVar[str]
    concurrent: ClassVar[bool] = False

    def __init__(self, options: BackendOptions) -> None:
        self.options = options
        self._state = threading.Condition()
        self._running = 0
        self._active = False
        self._inputs: dict[str, TensorSpec] = {}
        self._outputs: dict[str, TensorSpec] = {}
        self._description = f"{self.name}, not active"
        self._checked: set[tuple[Any, ...]] = set()

    @classmethod
    @abstractmethod
    def unfit(cls, model_path: Path, options: BackendOptions) -> str:
        """Why this engine cannot run that model here and with these options; empty if it may. Loads no model."""

    @abstractmethod
    def _activate(self, model_path: Path) -> tuple[list[TensorSpec], list[TensorSpec], str]:
        """Load the model; return its inputs, its outputs and what now runs it, in words."""

    @abstractmethod
    def _infer(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once; the arrays returned are the caller's to keep.

        Raises:
            InferenceError: the engine failed.
        """

    @abstractmethod
    def _deactivate(self) -> None:
        """Free everything; also called after a failed `_activate`."""

    @property
    def active(self) -> bool:
        """Whether `infer` may be called."""
        return self._active

    @property
    def inputs(self) -> dict[str, TensorSpec]:
        """The model's inputs by name; empty while not active."""
        return dict(self._inputs)

    @property
    def outputs(self) -> dict[str, TensorSpec]:
        """The model's outputs by name; empty while not active."""
        return dict(self._outputs)

    @property
    def description(self) -> str:
        """Engine, version and device really in use, in words."""
        return self._description

    @property
    def note(self) -> str:
        """What the user should know: that something other than was asked for serves, and why. Empty if all is well."""
        return ""

    def activate(self, model_path: Path | str) -> None:
        """Load a model.

        Raises:
            ModelError: the file is missing, empty, corrupt or not a model.
            BackendError: the engine is not installed or cannot run as configured, or is active already.
        """
        path = Path(model_path)
        with self._state:
            if self._active:
                raise BackendError(f"backend {self.name} is active already", mend="deactivate it first")
            _check_file(path)
            try:
                inputs, outputs, self._description = self._activate(path)
            except BaseException:
                self._deactivate()
                raise
            self._inputs = {spec.name: spec for spec in inputs}
            self._outputs = {spec.name: spec for spec in outputs}
            self._checked.clear()
            self._active = True

    @profiled(name="infer")
    def infer(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once.

        Args:
            feeds: an array for every input, of its dtype and shape; those from `allocate` are taken without a copy.

        Returns:
            The outputs by name. They are the caller's: no later call changes them.

        Raises:
            BackendError: not active, or a name, dtype or shape is wrong.
            InferenceError: the engine failed.
        """
        with self._turn():
            self._check(feeds)
            return self._infer({name: np.require(array, requirements="C") for name, array in feeds.items()})

    def deactivate(self) -> None:
        """Free the model once every inference under way has ended; harmless when not active."""
        with self._state:
            if not self._active:
                return
            self._active = False
            self._state.wait_for(lambda: self._running == 0)
            self._inputs, self._outputs = {}, {}
            self._description = f"{self.name}, not active"
            self._deactivate()

    def allocate(self, name: str, batch: int = 1, shape: Shape | None = None) -> Array:
        """A zeroed buffer for an input, which `infer` takes without a copy.

        Args:
            name: the input.
            batch: size of the first dimension where the model leaves it open.
            shape: the whole shape, for a model that leaves other dimensions open too.

        Raises:
            BackendError: not active, no such input, or the shape is not the model's.
        """
        self._require_active()
        if name not in self._inputs:
            raise BackendError(f"no input {name!r}", wanted=f"one of {', '.join(self._inputs)}")
        spec = self._inputs[name]
        if shape is None:
            shape = tuple(batch if i == 0 and size is None else size or 0 for i, size in enumerate(spec.shape))
        if not spec.fits(shape) or 0 in shape:
            raise BackendError(
                f"a buffer for input {name!r}", got=list(shape), wanted=spec, mend="give its whole shape"
            )
        return self._buffer(spec, shape)

    def warm_up(self, runs: int, feeds: Mapping[str, Array] | None = None) -> None:
        """Run the model a few times, so that the first real frame is as quick as any.

        Args:
            runs: how often.
            feeds: what on; default zeros, which a model of open height or width cannot do without.

        Raises:
            BackendError, InferenceError: as for `allocate` and `infer`.
        """
        if runs > 0:
            feeds = feeds or {name: self.allocate(name) for name in self._inputs}
            for _ in range(runs):
                self.infer(feeds)

    def __enter__(self: B) -> B:
        return self

    def __exit__(self, *_: object) -> None:
        self.deactivate()

    def _buffer(self, spec: TensorSpec, shape: Shape) -> Array:
        """Host memory for an input; a subclass may give pinned memory instead."""
        return np.zeros(shape, spec.dtype)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._state:
            self._state.wait_for(lambda: self.concurrent or self._running == 0)
            self._require_active()
            self._running += 1
        try:
            yield
        finally:
            with self._state:
                self._running -= 1
                self._state.notify_all()

    def _require_active(self) -> None:
        if not self._active:
            raise BackendError(f"backend {self.name} is not active", mend="activate it with a model first")

    def _check(self, feeds: Mapping[str, Array]) -> None:
        key = tuple((name, getattr(a, "dtype", None), np.shape(a)) for name, a in feeds.items())
        if key in self._checked:
            return
        check_feeds(feeds, self._inputs)
        if len(self._checked) >= _SHAPES_REMEMBERED:
            self._checked.clear()
        self._checked.add(key)


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"model file '{path}'", got="no such file", mend="check the path")
    if path.stat().st_size == 0:
        raise ModelError(f"model file '{path}'", got="an empty file", mend="fetch it again")
