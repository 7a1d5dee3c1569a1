"""Pictures of folders and videos, by number."""

import cv2
import numpy as np
import pytest

from edge_ai.core.errors import EdgeAIError, SourceError
from edge_ai.evaluation.truth import Picture, Truth
from edge_ai.optimization.judging import pictures as module
from edge_ai.optimization.judging.pictures import Pictures, Shots


def labels(names):
    pictures = tuple(Picture(number, name, 32, 24) for number, name in names.items())
    return Truth("detection", ("person",), pictures, {})


def shade(value):
    return np.full((24, 32, 3), value, np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i in range(10):
        cv2.imwrite(str(tmp_path / f"shot{i}.png"), shade(10 * i))
    return tmp_path


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for i in range(10):
        writer.write(shade(10 * i))
    writer.release()
    return path


def test_a_folder_and_a_video_give_the_same_pictures_by_number(folder, video):
    for source in (folder, video):
        pictures = Pictures(str(source))
        assert pictures.count() == 10
        found = {frame.header.index: int(frame.image.mean()) for frame in pictures.read([7, 2, 5])}
        assert sorted(found) == [2, 5, 7]
        assert all(abs(value - 10 * number) <= 2 for number, value in found.items())


def test_it_can_be_read_again(folder):
    pictures = Pictures(str(folder))
    assert [frame.header.index for frame in pictures.read([1])] == [frame.header.index for frame in pictures.read([1])]


def test_numbers_spread_over_all_and_avoid_those_that_are_judged(folder):
    pictures = Pictures(str(folder))
    assert pictures.spread(100) == tuple(range(10))
    chosen = pictures.spread(3)
    assert chosen == tuple(sorted(chosen))
    assert chosen[0] < 4
    assert chosen[-1] > 6
    assert not set(pictures.spread(3, without=range(5))) & set(range(5))
    assert len(pictures.spread(4, without=range(9))) == 4, "those that are judged top it up"
    assert 9 in pictures.spread(4, without=range(9))


def test_labelled_pictures_of_a_folder_are_found_by_name(folder):
    assert Pictures(str(folder)).numbers(labels({41: "some/where/shot3.png", 42: "elsewhere.png"})) == {41: 3}


def test_labelled_frames_of_a_video_are_found_by_their_number(video):
    assert Pictures(str(video)).numbers(labels({3: "", 99: ""})) == {3: 3}


def test_labels_of_other_pictures_are_refused(folder):
    with pytest.raises(SourceError, match="none of the 1 labelled pictures"):
        Pictures(str(folder)).numbers(labels({1: "other.png"}))


def test_labels_of_several_pictures_called_alike_belong_to_none(folder):
    two_days = labels({1: "day/shot3.png", 2: "night/shot3.png", 3: "day/shot4.png"})
    assert Pictures(str(folder)).numbers(two_days) == {3: 4}


@pytest.mark.parametrize("limit", [1 << 30, 5000])
def test_many_pictures_are_read_again_instead_of_kept(folder, monkeypatch, limit):
    monkeypatch.setattr(module, "HELD_BYTES", limit)
    shots = Shots(Pictures(str(folder)), [2, 5, 7])
    for _ in range(2):
        assert [frame.header.index for frame in shots] == [2, 5, 7]
    assert len(shots) == 3


def test_unreadable_pictures_among_good_ones_are_left_out(folder, caplog):
    (folder / "shot3.png").write_bytes(b"no picture")
    (folder / "shot4.png").write_bytes(b"")
    shots = Shots(Pictures(str(folder)), [2, 3, 4, 5])
    assert shots.numbers == (2, 5)
    assert "2 of 4 pictures" in caplog.text


def test_nothing_readable_is_an_error(folder):
    pictures = Pictures(str(folder))
    (folder / "shot3.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match="no picture that can be read"):
        Shots(pictures, [3])


@pytest.mark.parametrize("source", ["rtsp://127.0.0.1:1/none", "0"])
def test_live_cameras_are_refused(source):
    with pytest.raises(SourceError, match="live camera"):
        Pictures(source)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(EdgeAIError, match="no pictures"):
        Pictures(str(tmp_path))


def test_a_bag_gives_its_images_by_number(tmp_path):
    """A recording of a robot, MCAP, as `ros2 bag record` leaves it."""
    pytest.importorskip("rosbags", reason="pip install rosbags")
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types
    folder = tmp_path / "run"
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        kind = "sensor_msgs/msg/Image"
        connection = writer.add_connection("/camera/image_raw", kind, typestore=store)
        for i in range(6):
            stamp = types["builtin_interfaces/msg/Time"](sec=i, nanosec=0)
            header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")
            data = shade(10 * i).reshape(-1)
            message = types[kind](header, height=24, width=32, encoding="bgr8", is_bigendian=0, step=96, data=data)
            writer.write(connection, i * 10**9, store.serialize_cdr(message, kind))
    pictures = Pictures(str(folder))
    assert pictures.count() == 6
    found = {frame.header.index: int(frame.image[0, 0, 0]) for frame in pictures.read([1, 4])}
    assert found == {1: 10, 4: 40}
    assert pictures.numbers(labels({5: "", 6: ""})) == {5: 5}
