import cv2
import numpy as np
import pytest

from edge_ai.core.errors import ImageError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.card import ModelCard
from edge_ai.processing.jpeg import frame_to_jpeg
from edge_ai.processing.resize import Preprocessor
from edge_ai.routing.cloud.base import CloudRequestError, ServedModel, TensorInfo
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.wire import Wire
from edge_ai.runtime.wire_image import WireImage, packed_bytes

CARD = ModelCard.load(shipped_card())
PIXELS = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8), (15, 15), 0)


def frame(image=PIXELS, encoding="bgr8"):
    return Frame(FrameHeader(0, 0, "eye", 0, image.shape[1], image.shape[0]), image, encoding)


def packer(sends, shape, datatype="UINT8"):
    tensor = TensorInfo("x", datatype, shape)
    return WireImage(CARD, Wire("m", "", ServedModel("m", "1", {}, {}), tensor, sends, "detections", ()))


@pytest.mark.parametrize("shape", [(1,), (-1,), (-1, 1), (1, 1)])
def test_a_jpeg_is_one_element(shape):
    sent = packer("jpeg", shape, "BYTES").pack(frame(), 90)
    assert sent.array.shape == (1,) * len(shape)
    seen = cv2.imdecode(np.frombuffer(sent.array.flat[0], np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(seen.astype(int) - PIXELS).mean() < 4


@pytest.mark.parametrize("encoding", ["rgb8", "bgra8", "mono8"])
def test_a_jpeg_shows_the_colours_that_the_camera_saw(encoding):
    code = {"rgb8": cv2.COLOR_BGR2RGB, "bgra8": cv2.COLOR_BGR2BGRA, "mono8": cv2.COLOR_BGR2GRAY}[encoding]
    data = frame_to_jpeg(frame(cv2.cvtColor(PIXELS, code), encoding), 95)
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    wanted = cv2.cvtColor(PIXELS, code) if encoding == "mono8" else PIXELS
    assert seen.shape == wanted.shape
    assert np.abs(seen.astype(int) - wanted).mean() < 4


def test_a_lower_quality_is_a_smaller_file():
    sizes = [len(frame_to_jpeg(frame(), quality)) for quality in (95, 60, 20)]
    assert sizes == sorted(sizes, reverse=True)


def test_an_image_travels_as_it_is_in_blue_green_red():
    view = cv2.cvtColor(PIXELS, cv2.COLOR_BGR2RGB)[::2, ::2]  # not contiguous
    for shape in ((-1, -1, 3), (-1, -1, -1, 3), (1, 60, 80, 3)):
        sent = packer("image", shape).pack(frame(view, "rgb8"), 90)
        assert sent.array.flags.c_contiguous
        np.testing.assert_array_equal(sent.array.reshape(60, 80, 3), PIXELS[::2, ::2])
        assert (sent.placement.width, sent.placement.height) == (80, 60)


def test_a_server_of_images_of_one_size():
    with pytest.raises(CloudRequestError, match="120"):
        packer("image", (480, 640, 3)).pack(frame(), 90)


def test_a_tensor_is_that_of_the_robots_own_engine():
    sent = packer("tensor", (1, 3, 416, 416), "FP32").pack(frame(), 90)
    own = np.empty(CARD.input.shape, CARD.input.dtype)
    placement = Preprocessor(CARD.input).prepare(PIXELS, "bgr8", own)
    np.testing.assert_array_equal(sent.array, own)
    assert sent.placement == placement


def test_one_request_does_not_write_into_another():
    image = packer("tensor", (1, 3, 416, 416), "FP32")
    first = image.pack(frame(), 90).array
    kept = first.copy()
    image.pack(frame(255 - PIXELS), 90)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(("image", "encoding"), [(PIXELS, "unknown"), (PIXELS[:0], "bgr8"), (PIXELS[..., 0], "bgr8")])
@pytest.mark.parametrize("sends", ["jpeg", "image", "tensor"])
def test_what_is_no_image_is_refused(image, encoding, sends):
    shape = {"jpeg": (1,), "image": (-1, -1, 3), "tensor": CARD.input.shape}[sends]
    with pytest.raises(ImageError):
        packer(sends, shape).pack(frame(image, encoding), 90)


def test_an_image_too_large_for_a_jpeg_is_refused():
    with pytest.raises(ImageError):
        frame_to_jpeg(frame(np.zeros((70_000, 2, 3), np.uint8)), 90)


def test_bytes_that_do_not_depend_on_the_picture_are_known_before():
    image, tensor = packer("image", (-1, -1, 3)), packer("tensor", CARD.input.shape)
    assert packed_bytes(CARD, image.wire, 120 * 160) == image.pack(frame(), 90).array.nbytes
    assert packed_bytes(CARD, tensor.wire, 120 * 160) == tensor.pack(frame(), 90).array.nbytes
    assert np.isnan(packed_bytes(CARD, packer("jpeg", (1,)).wire, 120 * 160))
