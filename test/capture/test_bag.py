"""Real bags of both storages, written by rosbags, whole and damaged."""

import logging
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ai.capture.bag import BagSource
from edge_ai.capture.capturer import CaptureState
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source, split_source
from edge_ai.capture.synthetic import Scene, read_index
from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import EndOfSource, SourceError
from edge_ai.processing.image import ENCODINGS, to_channels

rosbags = pytest.importorskip("rosbags", reason="pip install rosbags")
from rosbags.rosbag2 import StoragePlugin, Writer  # noqa: E402
from rosbags.typesys import Stores, get_typestore  # noqa: E402

TYPES = get_typestore(Stores.ROS2_JAZZY)
IMAGE, COMPRESSED, TEXT = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "std_msgs/msg/String"
START = 1_700_000_000_000_000_000
PERIOD = 50_000_000  # ns
STORAGES = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}


def header():
    time = TYPES.types["builtin_interfaces/msg/Time"](sec=0, nanosec=0)
    return TYPES.types["std_msgs/msg/Header"](stamp=time, frame_id="camera")


def image(pixels, encoding="bgr8", padding=0, bigendian=0, height=None):
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    return TYPES.types[IMAGE](
        header=header(),
        height=height or pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=bigendian,
        step=rows.shape[1],
        data=rows.reshape(-1),
    )


def compressed(pixels, kind="jpeg"):
    data = cv2.imencode(f".{kind}", pixels)[1]
    return TYPES.types[COMPRESSED](header=header(), format=kind, data=data)


def text(words="hello"):
    return TYPES.types[TEXT](data=words)


def write(folder, messages, storage="mcap"):
    """A bag of (topic, message) at one period each; a message may be bytes of an image."""
    with Writer(folder, version=9, storage_plugin=STORAGES[storage]) as writer:
        connections = {}
        for i, (topic, message) in enumerate(messages):
            kind = IMAGE if isinstance(message, bytes) else message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
            data = message if isinstance(message, bytes) else TYPES.serialize_cdr(message, kind)
            writer.write(connections[topic], START + i * PERIOD, data)
    return folder


def scenes(count, size=(160, 120)):
    scene = Scene(*size)
    return [("/camera", image(scene.picture(i))) for i in range(count)]


def source(path):
    return BagSource(CameraParams(source=str(path)), str(path))


def read_all(path):
    """The frames, and the words of the end."""
    frames = []
    with source(path) as bag:
        while True:
            try:
                frames.append(bag.read())
            except EndOfSource as end:
                return frames, str(end)


def storage_file(folder):
    return next(path for path in folder.iterdir() if path.suffix in (".mcap", ".db3"))


def cut(folder, share):
    path = storage_file(folder)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.fixture(params=STORAGES)
def storage(request):
    return request.param


def test_every_image_comes_once_in_order_at_its_time(tmp_path, storage):
    bag = source(write(tmp_path / "bag", scenes(8), storage))
    assert not bag.live
    frames, end = read_all(tmp_path / "bag")
    assert [read_index(f.image) for f in frames] == [f.index for f in frames] == list(range(8))
    assert [f.due_s for f in frames] == pytest.approx([i * 0.05 for i in range(8)])
    assert all(f.encoding == "bgr8" and f.image.shape == (120, 160, 3) for f in frames)
    assert end.endswith("ended after 8 images")
    with bag:
        assert bag.fps == pytest.approx(20.0, rel=0.01)


def test_times_count_from_the_first_image_and_other_topics_are_passed_over(tmp_path):
    messages = [("/talk", text()), *scenes(1), ("/talk", text()), ("/talk", text()), *scenes(2)]
    frames, _ = read_all(write(tmp_path / "bag", messages))
    assert [f.due_s for f in frames] == pytest.approx([0, 0.15, 0.20])


def test_a_file_of_a_bag_is_a_bag(tmp_path, storage):
    write(tmp_path / "bag", scenes(3), storage)
    frames, _ = read_all(storage_file(tmp_path / "bag"))
    assert len(frames) == 3


def test_opened_again_it_starts_at_its_beginning(tmp_path, storage):
    bag = source(write(tmp_path / "bag", scenes(3), storage))
    for _ in range(2):
        with bag:
            assert [bag.read().index, bag.read().index] == [0, 1]
    bag.close()
    with pytest.raises(SourceError, match="not open"):
        bag.read()


def test_the_session_plays_it_at_its_own_pace_to_its_end(tmp_path, record):
    path = write(tmp_path / "bag", scenes(5))
    recorder = record(ManualClock(), source=str(path))
    recorder.capturer.start()
    recorder.until(CaptureState.ENDED)
    assert recorder.indices == list(range(5))
    stamps = [frame.header.stamp_ns for frame in recorder.frames]
    assert np.diff(stamps) == pytest.approx([PERIOD] * 4)


def pixels(encoding):
    """Some of each encoding, with what `edge_ai.processing` makes of it."""
    kind, random = ENCODINGS[encoding], np.random.default_rng(3)
    shape = (12, 8) if kind.suffix in ("_NV12", "_NV21") else (8, 8)
    shape = (*shape, kind.channels) if kind.channels > 1 else shape
    return random.integers(0, 2**kind.bits, shape, np.uint16 if kind.bits == 16 else np.uint8)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("padding", [0, 6])
def test_every_encoding_that_is_processed_can_be_played(tmp_path, encoding, padding):
    wanted = pixels(encoding)
    message = image(wanted, encoding, padding, height=8)
    (frame,), _ = read_all(write(tmp_path / "bag", [("/camera", message)]))
    assert frame.encoding == encoding
    np.testing.assert_array_equal(frame.image, wanted)
    assert to_channels(frame.image, frame.encoding, "bgr").shape == (8, 8, 3)


def test_the_order_of_bytes_is_minded(tmp_path):
    wanted = np.array([[1, 256], [515, 65535]], np.uint16)
    message = image(wanted.astype(">u2"), "mono16", bigendian=1)
    (frame,), _ = read_all(write(tmp_path / "bag", [("/camera", message)]))
    assert frame.image.dtype == np.uint16
    np.testing.assert_array_equal(frame.image, wanted)


def test_opencv_names_become_those_of_images(tmp_path):
    grey = np.zeros((4, 4), np.uint8)
    (frame,), _ = read_all(write(tmp_path / "bag", [("/camera", image(grey, "8UC1"))]))
    assert frame.encoding == "mono8"


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_compressed_images_are_decoded(tmp_path, kind):
    picture = Scene(160, 120).picture(7)
    (frame,), _ = read_all(write(tmp_path / "bag", [("/camera/compressed", compressed(picture, kind))]))
    assert (frame.encoding, read_index(frame.image)) == ("bgr8", 7)


def test_of_several_topics_one_has_to_be_named(tmp_path):
    left, right = np.full((4, 4), 1, np.uint8), np.full((4, 4), 2, np.uint8)
    messages = [("/left", image(left, "mono8")), ("/right", image(right, "mono8")), ("/talk", text())]
    path = write(tmp_path / "bag", messages)
    with pytest.raises(SourceError, match=r"several topics with images; wanted one of /left, /right.*\?topic="):
        source(path).open()
    (frame,), _ = read_all(f"{path}?topic=/right")
    assert frame.image[0, 0] == 2
    with pytest.raises(SourceError, match=r"no topic '/middle' with images; wanted one of /left, /right"):
        source(f"{path}?topic=/middle").open()
    with pytest.raises(SourceError, match="no topic '/talk' with images"):
        source(f"{path}?topic=/talk").open()


def test_a_bag_without_images_says_what_it_has(tmp_path):
    with pytest.raises(SourceError, match=r"no images: got /talk \(std_msgs/msg/String\)"):
        source(write(tmp_path / "bag", [("/talk", text())])).open()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (image(np.zeros((4, 4), np.uint16), "16UC1"), "encoding '16UC1'; wanted one of bgr8"),
        (compressed(np.zeros((4, 4, 3), np.uint8)), "16UC1; compressedDepth"),
    ],
    ids=["raw", "compressed"],
)
def test_depth_is_refused(tmp_path, message, words):
    if message.__msgtype__ == COMPRESSED:
        message.format = "16UC1; compressedDepth png"
    bag = source(write(tmp_path / "bag", [("/depth", message)]))
    with pytest.raises(SourceError, match=words):
        bag.open()
    bag.close()


def test_a_torn_image_is_left_out_and_keeps_its_index(tmp_path, caplog):
    messages = scenes(5)
    messages[1][1].data = messages[1][1].data[:-7]
    whole = bytes(TYPES.serialize_cdr(messages[3][1], IMAGE))
    messages[3] = ("/camera", whole[:90])
    with caplog.at_level(logging.WARNING):
        frames, _ = read_all(write(tmp_path / "bag", messages))
    assert [f.index for f in frames] == [0, 2, 4]
    assert [f.due_s for f in frames] == pytest.approx([0, 0.1, 0.2])
    assert "image 1 of bag" in caplog.text
    assert "image 3 of bag" in caplog.text


def test_nothing_but_torn_images_is_no_source(tmp_path):
    message = compressed(np.zeros((4, 4, 3), np.uint8))
    message.data = np.zeros(40, np.uint8)
    with pytest.raises(SourceError, match="no image that can be read"):
        source(write(tmp_path / "bag", [("/camera", message)] * 3)).open()


@pytest.mark.parametrize("whole", ["folder", "file alone"])
def test_a_bag_that_is_cut_short_plays_to_the_cut_and_says_so(tmp_path, storage, whole, caplog):
    folder = write(tmp_path / "bag", scenes(60, (320, 240)), storage)
    path = cut(folder, 0.6)
    if whole == "file alone":
        (folder / "metadata.yaml").unlink()
    with caplog.at_level(logging.WARNING):
        frames, end = read_all(folder if whole == "folder" else path)
    assert 20 <= len(frames) < 60
    assert [read_index(f.image) for f in frames] == list(range(len(frames)))
    assert f"ended after {len(frames)} images" in end
    assert "cut short" in end or "damaged" in end
    assert end in caplog.text


def test_an_mcap_without_its_index_is_played_whole(tmp_path):
    folder = write(tmp_path / "bag", scenes(5))
    path = storage_file(folder)
    path.write_bytes(path.read_bytes()[:-60])
    frames, end = read_all(folder)
    assert len(frames) == 5
    assert end.endswith("cut short")


def test_a_bag_cut_before_its_first_image_is_refused(tmp_path, storage):
    folder = write(tmp_path / "bag", scenes(3), storage)
    path = storage_file(folder)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(SourceError):
        source(folder).open()


@pytest.mark.parametrize("name", ["no.mcap", "no.db3", "empty.mcap", "text.mcap", "text.db3", "folder"])
def test_what_is_no_bag_is_refused(tmp_path, name):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif not name.startswith("no"):
        path.write_text("" if name.startswith("empty") else "meeting at ten\n" * 100)
    with pytest.raises(SourceError, match=r"no such bag|cannot be read|is no bag"):
        source(path).open()


def test_a_database_of_something_else_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "other.db3") as database:
        database.execute("CREATE TABLE people (name)")
    database.close()
    with pytest.raises(SourceError, match="cannot be read"):
        source(tmp_path / "other.db3").open()


def test_without_rosbags_it_says_what_to_install(tmp_path, monkeypatch):
    path = write(tmp_path / "bag", scenes(1))
    monkeypatch.setitem(__import__("sys").modules, "rosbags.rosbag2", None)
    monkeypatch.setitem(__import__("sys").modules, "rosbags", None)
    with pytest.raises(SourceError, match=r"rosbags is not installed.*pip install"):
        source(path).open()


def test_bags_are_recognised_by_themselves(tmp_path):
    folder = write(tmp_path / "run", scenes(1))
    assert split_source(str(folder)) == ("bag", str(folder))
    assert split_source(f"{folder}?topic=/camera") == ("bag", f"{folder}?topic=/camera")
    assert split_source("run.mcap?topic=/a") == ("bag", "run.mcap?topic=/a")
    assert split_source(f"bag:{folder}") == split_source(f"bag://{folder}") == ("bag", str(folder))
    assert split_source(str(tmp_path))[0] == "folder"
    with create_source(CameraParams(source=f"bag:{folder}?topic=/camera")) as bag:
        assert read_index(bag.read().image) == 0


def test_split_files_are_played_as_one(tmp_path):
    parts = []
    for i in range(2):
        write(tmp_path / f"part{i}", scenes(3))
        parts.append(storage_file(tmp_path / f"part{i}"))
    folder = Path(tmp_path / "crashed")
    folder.mkdir()
    for i, part in enumerate(parts):
        part.rename(folder / f"crashed_{i}.mcap")
    frames, _ = read_all(folder)
    assert [f.index for f in frames] == list(range(6))
