"""Pictures of folders and videos, by number."""

import cv2
import numpy as np
import pytest

from edge_ai.core.errors import EdgeAIError, SourceError
from edge_ai.optimization.judging.pictures import Pictures, held


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
    assert pictures.spread(3, without=range(10)), "where all are judged, they have to do"


def test_labelled_pictures_of_a_folder_are_found_by_name(folder):
    assert Pictures(str(folder)).numbers({41: "some/where/shot3.png", 42: "elsewhere.png"}) == {41: 3}


def test_labelled_frames_of_a_video_are_found_by_their_number(video):
    assert Pictures(str(video)).numbers({3: "", 99: ""}) == {3: 3}


def test_labels_of_other_pictures_are_refused(folder):
    with pytest.raises(SourceError, match="none of the 1 labelled pictures"):
        Pictures(str(folder)).numbers({1: "other.png"})


def test_unreadable_pictures_among_good_ones_are_left_out(folder, caplog):
    (folder / "shot3.png").write_bytes(b"no picture")
    (folder / "shot4.png").write_bytes(b"")
    frames = held(Pictures(str(folder)), [2, 3, 4, 5])
    assert [frame.header.index for frame in frames] == [2, 5]
    assert "2 of 4 pictures" in caplog.text


def test_nothing_readable_is_an_error(folder):
    pictures = Pictures(str(folder))
    (folder / "shot3.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match="no picture that can be read"):
        held(pictures, [3])


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
    assert pictures.numbers({5: "", 6: ""}) == {5: 5}
