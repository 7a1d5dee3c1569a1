"""What the simulation of a fleet needs to know of a machine, measured."""

from __future__ import annotations

import statistics
import time

import cv2
import numpy as np

from edge_ai.cli.tune import _frames
from edge_ai.core.types import Frame
from edge_ai.fleet.calibration import Calibration
from edge_ai.platforms.detect import detect
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams

_TURNS = 6


def measure(source: str, request_s: float) -> Calibration:
    """Run the shipped model here: frames as a robot runs them, and from JPEG to answer as a server does.

    The quickest tenth of the turns counts: a machine that does other things as well is no slower for it. Leave it alone
    all the same.

    Args:
        source: of the pictures, as for `edge-ai run`.
        request_s: what a request costs besides, for client and server.
    """
    frames = [_small(frame) for frame in _frames(source)]
    model = Model.load(InferenceParams())
    request = model.request()
    times: dict[str, list[float]] = {"edge": [], "encode": [], "server": []}
    sizes: list[int] = []
    try:
        for frame in frames * _TURNS:
            begun = time.perf_counter()
            model.detect([frame], request)
            ran = time.perf_counter()
            _, jpeg = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, 85])
            encoded = time.perf_counter()
            image = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
            model.detect([Frame(frame.header, image, "bgr8")], request)
            times["server"].append(time.perf_counter() - encoded)
            times["edge"].append(ran - begun)
            times["encode"].append(encoded - ran)
            sizes.append(jpeg.size)
    finally:
        model.close()
    machine = detect()
    quick = {name: round(statistics.quantiles(values, n=10)[0], 5) for name, values in times.items()}
    return Calibration(
        machine=f"{machine.model}, {machine.cores} cores",
        model=model.card.name,
        edge_s=quick["edge"],
        encode_s=quick["encode"],
        jpeg_bytes=float(round(statistics.median(sizes))),
        request_s=request_s,
        batch_s=(quick["server"],),
    )


def _small(frame: Frame) -> Frame:
    """The picture as a camera of 640x480 px would take it."""
    return Frame(frame.header, np.asarray(cv2.resize(frame.image, (640, 480)), np.uint8), frame.encoding)
