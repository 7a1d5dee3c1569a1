"""The values that travel from the camera to the wheels, all of them plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Where and when a frame was captured; it travels untouched from camera to command.

    Attributes:
        stamp_ns: capture time in ROS time (wall clock without ROS), nanoseconds since the epoch.
        steady_ns: the same instant on this process's steady clock, nanoseconds; ages are measured on it.
        frame_id: optical frame of the camera (REP 103: x right, y down, z forward).
        index: 0-based index of the frame in its source.
        width: image width in pixels.
        height: image height in pixels.
    """

    stamp_ns: int
    steady_ns: int
    frame_id: str
    index: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured image.

    Attributes:
        header: capture time, frame and size.
        image: (H, W, C) or (H, W) uint8, possibly a read-only view of memory owned elsewhere.
        encoding: sensor_msgs encoding of ``image`` ("bgr8", "rgb8", "mono8", ...).
        camera: which camera took it, where there are several.
    """

    header: FrameHeader
    image: Image
    encoding: str = "bgr8"
    camera: str = ""


@dataclass(frozen=True, slots=True)
class PendingFrame:
    """An image that is still to be decoded: nobody does so for one that a newer one replaces.

    Attributes:
        header: as of `Frame`, with width and height 0 for as long as nobody knows them.
        read: decodes it; raises ImageError if it is no picture.
        camera: as of `Frame`.
    """

    header: FrameHeader
    read: Callable[[], Frame]
    camera: str = ""


def _no_boxes() -> FloatArray:
    return np.zeros((0, 4), np.float32)


def _no_scores() -> FloatArray:
    return np.zeros(0, np.float32)


def _no_classes() -> IntArray:
    return np.zeros(0, np.int32)


def _class_name(labels: tuple[str, ...], number: int) -> str:
    return labels[number] if 0 <= number < len(labels) else str(number)


@dataclass(frozen=True, slots=True)
class Detections:
    """Objects found in one image, best score first.

    Attributes:
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels of the source image, clipped to it.
        scores: (N,) float32 in [0, 1].
        class_ids: (N,) int32, indices into ``labels``.
        labels: names of all classes the model knows.
        keypoints: (N, K, 3) float32, x, y in pixels of the source image and a score in [0, 1]; None where the model
            finds no keypoints. Not clipped: a keypoint may lie outside the image.
        keypoint_names: the K names, in order.
    """

    boxes: FloatArray = field(default_factory=_no_boxes)
    scores: FloatArray = field(default_factory=_no_scores)
    class_ids: IntArray = field(default_factory=_no_classes)
    labels: tuple[str, ...] = ()
    keypoints: FloatArray | None = None
    keypoint_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.scores)

    def name(self, i: int) -> str:
        """The class name of detection ``i``, or its number where the model has no name for it."""
        return _class_name(self.labels, int(self.class_ids[i]))


@dataclass(frozen=True, slots=True)
class Classification:
    """The classes a whole image may belong to, best score first.

    Attributes:
        scores: (K,) float32 in [0, 1].
        class_ids: (K,) int32, indices into ``labels``.
        labels: names of all classes the model knows.
    """

    scores: FloatArray = field(default_factory=_no_scores)
    class_ids: IntArray = field(default_factory=_no_classes)
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.scores)

    def name(self, i: int) -> str:
        """The name of class ``i``, counted from the best, or its number where the model has no name for it."""
        return _class_name(self.labels, int(self.class_ids[i]))


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The class of every pixel.

    Attributes:
        mask: (H, W) uint8, indices into ``labels``, as large as the source image.
        labels: names of all classes the model knows.
    """

    mask: Image
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a model said about one frame.

    Attributes:
        header: the frame's own header, unchanged.
        detections: objects found; empty from a model that finds none.
        model_name: name of the model that answered.
        model_version: its version.
        source: who answered: "edge" or the name of a cloud endpoint.
        timings: seconds spent in each stage, by name, in order ("wait", "preprocess", "infer", "postprocess").
        classification: what a classifier said of the whole image; None from other models.
        segmentation: what a segmenter said of each pixel; None from other models.
        reason: why ``source`` was asked, in the router's words; empty without a router.
    """

    header: FrameHeader
    detections: Detections
    model_name: str
    model_version: str
    source: str = "edge"
    timings: dict[str, float] = field(default_factory=dict)
    classification: Classification | None = None
    segmentation: Segmentation | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Velocity:
    """A planar velocity in the robot's base frame (REP 103).

    Attributes:
        linear: forward speed in m/s.
        angular: turning rate in rad/s, counter-clockwise positive.
    """

    linear: float = 0.0
    angular: float = 0.0


STOP = Velocity()
