"""The exceptions this package raises for what users and machines get wrong.

Each says what went wrong, what was got, what was wanted and how to mend it, in one line that a node can log and a
command line can print without a traceback.
"""

from __future__ import annotations


class EdgeAIError(Exception):
    """Base of every error a user may meet.

    Args:
        what: what went wrong, naming the thing concerned.
        got: what was found, if it helps.
        wanted: what would have been accepted.
        mend: what the user can do about it.

    Example:
        >>> str(EdgeAIError("model card 'a.yaml'", got="no 'decoder'", wanted="a decoder family", mend="add one"))
        "model card 'a.yaml': got no 'decoder'; wanted a decoder family. To mend: add one"
    """

    def __init__(self, what: str, *, got: object = None, wanted: object = None, mend: str = "") -> None:
        self.what, self.got, self.wanted, self.mend = what, got, wanted, mend
        halves = [f"got {got}"] * (got is not None) + [f"wanted {wanted}"] * (wanted is not None)
        text = f"{what}: {'; '.join(halves)}" if halves else what
        super().__init__(f"{text}. To mend: {mend}" if mend else text)


class ParameterError(EdgeAIError):
    """A parameter has the wrong name, type or range."""


class CardError(EdgeAIError):
    """A model card is missing, malformed or contradicts its model."""


class ModelError(EdgeAIError):
    """A model file is missing, corrupt or not the one its card describes."""


class BackendError(EdgeAIError):
    """An inference backend is not installed, cannot start or refuses its inputs."""


class EngineError(BackendError):
    """A built engine is missing, of another machine or version, tampered with, or was refused by the gate."""


class RefusedError(EdgeAIError):
    """A gate refused a model: it can be had, but not like this."""


class EngineRefusedError(EngineError, RefusedError):
    """A gate refused a built engine."""


class InferenceError(EdgeAIError):
    """One inference failed or answered nonsense (NaN); its frame has no result."""


class DeviceLostError(InferenceError):
    """The device an engine runs on is gone for this process; no later inference will succeed either."""


class ImageError(EdgeAIError):
    """An image is empty, torn or of an encoding nobody here can read."""


class SourceError(EdgeAIError):
    """A camera, stream or file cannot be opened or read."""


class EndOfSource(EdgeAIError):  # noqa: N818 - the end of a file is no error
    """A file or folder has been read to its end: not a fault, and not worth a reconnection."""


class ArtifactError(EdgeAIError):
    """A set of model, engine and parameters is not signed, not whole, not for this device, too old, or not trusted."""


class DeploymentError(EdgeAIError):
    """A deployment cannot go on, or must not."""
