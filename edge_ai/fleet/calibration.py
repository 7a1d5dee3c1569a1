"""Run times measured on a real machine, which the simulation takes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_ai.core.errors import EdgeAIError

SHIPPED = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Calibration:
    """What one frame costs where.

    Attributes:
        machine: on which it was measured, in words.
        model: which model.
        edge_s: a frame on the robot, from image to answer, with no other load.
        encode_s: making the JPEG of a 640x480 image on the robot.
        jpeg_bytes: of that JPEG.
        request_s: what a request costs besides link and model: client and the server's front end.
        batch_s: seconds of one inference on a server for 1, 2, 3, ... images, decoding of the JPEGs included.
    """

    machine: str
    model: str
    edge_s: float
    encode_s: float
    jpeg_bytes: float
    request_s: float
    batch_s: tuple[float, ...]

    def service(self, images: int) -> float:
        """Seconds of one inference for so many images; beyond what was measured as the last step continues."""
        known = len(self.batch_s)
        if images <= known:
            return self.batch_s[images - 1]
        step = self.batch_s[-1] - self.batch_s[-2] if known > 1 else self.batch_s[-1]
        return self.batch_s[-1] + (images - known) * max(0.0, step)

    def rate(self, max_batch: int) -> float:
        """Images a second that one busy server answers."""
        return max(images / self.service(images) for images in range(1, max_batch + 1))

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load_calibration(path: Path | None = None) -> Calibration:
    """Read a calibration; None: the shipped one.

    Raises:
        EdgeAIError: the file is missing or is no calibration.
    """
    path = path or SHIPPED
    try:
        values = json.loads(path.read_text())
        found = Calibration(**{**values, "batch_s": tuple(float(one) for one in values["batch_s"])})
        numbers = (found.edge_s, found.encode_s, found.jpeg_bytes, found.request_s, *found.batch_s)
        if not found.batch_s or not all(number > 0 for number in numbers):
            raise ValueError("times and bytes must be above 0")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EdgeAIError(
            f"calibration '{path}'",
            got=f"{type(error).__name__}: {error}",
            wanted="a file that `edge-ai fleet calibrate` wrote",
            mend="run `edge-ai fleet calibrate --output FILE`",
        ) from None
    return found
