import json
import logging
import threading
import time

import pytest
from rosbags.rosbag2 import Reader

from edge_ai.core.clock import NS, ManualClock, SystemClock
from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.recording import messages
from edge_ai.recording.params import MIB, RecorderParams
from edge_ai.recording.recorder import FlightRecorder

from .conftest import read


def test_holds_what_came_before_and_after(bench):
    one = bench(before=2.0, after=1.0)
    one.feed(5.0)
    path = one.recorder.trigger("alert: cpu 0.95 > 0.90")
    one.feed(3.0)
    one.settle()
    content = read(path)
    assert content.numbers() == list(range(31, 62))
    assert path.name.endswith("_alert-cpu-0-95-0-90.mcap")
    assert content.metadata["edge_ai_flight"]["reason"] == "alert: cpu 0.95 > 0.90"
    assert content.metadata["edge_ai_flight_end"]["missing"] == "0"


def test_opens_in_every_reader(bench):
    one = bench()
    one.feed(2.0)
    one.recorder.put("camera/image", messages.COMPRESSED_IMAGE, messages.compressed_image(b"jpeg", 5, "c"), one.stamp)
    path = one.recorder.trigger("request")
    one.settle()
    content = read(path)
    assert content.header.profile == "ros2"
    assert {channel.message_encoding for channel in content.summary.channels.values()} == {"cdr"}
    assert {schema.encoding for schema in content.summary.schemas.values()} == {"ros2msg"}
    assert content.summary.statistics.message_count == sum(map(len, content.messages.values()))
    assert len(content.summary.chunk_indexes) == content.summary.statistics.chunk_count
    assert all(index.message_index_offsets for index in content.summary.chunk_indexes)
    with Reader(path) as bag:
        assert bag.topics["/camera/image"].msgtype == messages.COMPRESSED_IMAGE
        assert bag.topics["/words"].msgcount == 20


def test_overlapping_triggers_are_one_longer_recording(bench):
    one = bench(before=1.0, after=2.0)
    one.feed(1.0)
    path = one.recorder.trigger("first")
    one.feed(1.5)
    assert one.recorder.trigger("second") == path
    one.feed(4.0)
    one.settle()
    content = read(path)
    assert content.numbers() == list(range(1, 47))
    assert one.recorder.status.reason == "first; second"
    assert [line.split(" ", 1)[1] for line in content.metadata["edge_ai_flight_end"]["triggers"].splitlines()] == [
        "first",
        "second",
    ]
    assert one.recorder.status.files == 1


def test_a_recording_that_never_ends_is_cut_without_a_gap(bench):
    one = bench(before=1.0, after=2.0, max_length=4.0)
    one.feed(1.0)
    for _ in range(10):
        path, now = one.recorder.trigger("again"), one.count
        one.feed(1.0)
        time.sleep(0.15)  # the writer looks for more every tenth of a second
    one.settle()
    seen = [read(path).numbers() for path in sorted(path.parent.iterdir())]
    assert len(seen) >= 3
    assert now in read(path).numbers()
    assert sorted({number for numbers in seen for number in numbers}) == list(range(1, 111))
    assert all(numbers == sorted(set(numbers)) for numbers in seen)
    assert max(map(len, seen)) <= 41


def test_a_second_recording_holds_its_past_though_the_first_has_it_too(bench):
    one = bench(before=2.0, after=0.5)
    one.feed(2.0)
    first = one.recorder.trigger("one")
    one.feed(1.0)
    one.until(lambda status: not status.recording)
    second = one.recorder.trigger("two")
    one.settle()
    assert read(first).numbers() == list(range(1, 27))
    assert read(second).numbers() == list(range(11, 31))


def test_begins_with_what_held_then(bench):
    one = bench(before=1.0, after=1.0)
    one.recorder.latch("/card", messages.STRING, messages.text("old card"), one.stamp)
    one.recorder.latch("/tf_static", messages.STRING, messages.text("camera"), one.stamp, key="a")
    one.recorder.latch("/tf_static", messages.STRING, messages.text("lidar"), one.stamp, key="b")
    one.clock.advance(3600)
    one.recorder.latch("/card", messages.STRING, messages.text("new card"), one.stamp)
    one.feed(3.0)
    begin = one.stamp - NS
    path = one.recorder.trigger("request")
    one.recorder.latch("/card", messages.STRING, messages.text("newest card"), one.stamp)
    one.feed(0.5)
    one.settle()
    content = read(path)
    assert content.words("/card") == ["new card", "newest card"]
    assert content.words("/tf_static") == ["camera", "lidar"]
    assert content.times["/tf_static"] == [begin, begin]  # at the begin, not an hour ahead of it
    again = one.recorder.trigger("request")
    one.settle()
    assert read(again).words("/card") == ["newest card"]


def test_memory_is_bounded_and_every_loss_is_in_the_file(bench):
    one = bench(before=10.0, after=1.0, max_memory=1)
    one.feed(5.0, "/commands")
    one.feed(5.0, "/camera", rate=20, size=50_000)
    status = one.recorder.status
    assert status.buffered_bytes <= MIB
    assert status.losses == {"/camera": status.lost}
    path = one.recorder.trigger("request")
    one.settle()
    content = read(path)
    assert content.numbers("/commands") == list(range(1, 51))  # pictures go first
    cameras = content.numbers("/camera")
    assert cameras == list(range(151 - len(cameras), 151))
    losses = json.loads(content.words("/recorder/losses")[-1])
    assert losses == {"/camera": 100 - len(cameras)}
    assert content.metadata["edge_ai_flight_end"]["missing /camera"] == str(losses["/camera"])
    assert content.messages["/recorder/status"][-1].lost == losses["/camera"]


def test_a_flood_of_tiny_messages_is_bounded_too(bench):
    one = bench(max_memory=1)
    for _ in range(20_000):
        one.recorder.put("/flood", messages.STRING, b"\0\1\0\0\1\0\0\0\0", one.stamp)
    status = one.recorder.status
    assert status.buffered_bytes <= MIB
    assert status.lost == 20_000 - status.buffered_bytes // 409


def test_losses_of_others_are_in_the_file_as_well(bench):
    one = bench()
    one.feed(1.0)
    one.recorder.lose("camera", 3)
    path = one.recorder.trigger("request")
    one.settle()
    assert read(path).metadata["edge_ai_flight_end"]["missing /camera"] == "3"


def test_old_losses_are_none_of_a_later_recording(bench):
    one = bench(before=2.0)
    one.recorder.lose("camera", 3)
    one.feed(20.0)
    path = one.recorder.trigger("request")
    one.settle()
    assert read(path).metadata["edge_ai_flight_end"]["missing"] == "0"


def test_a_message_larger_than_the_memory_is_lost(bench):
    one = bench(max_memory=1)
    one.feed(size=2 * MIB)
    assert one.recorder.status.losses == {"/words": 1}


def test_a_type_without_a_definition_is_lost_and_said_once(bench, caplog):
    one = bench()
    with pytest.raises(EdgeAIError, match="nowhere_msgs"):
        one.recorder.declare("/a", "nowhere_msgs/msg/Thing")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            one.recorder.put("/a", "nowhere_msgs/msg/Thing", b"\0\1\0\0", one.stamp)
    assert one.recorder.status.losses == {"/a": 3}
    assert len(caplog.records) == 1


def test_a_clock_that_jumps_changes_no_length(bench):
    one = bench(before=2.0, after=1.0)
    one.feed(1.0)
    one.clock.step_stamps(-86400.0)
    one.feed(1.0)
    path = one.recorder.trigger("request")
    one.clock.step_stamps(90000.0)
    one.feed(2.0)
    one.settle()
    assert sorted(read(path).numbers()) == list(range(1, 32))


def test_closing_writes_what_there_is(bench):
    one = bench(after=100.0)
    one.feed(1.0)
    path = one.recorder.trigger("crash: ZeroDivisionError")
    one.feed(1.0)
    one.recorder.close()
    assert read(path).numbers() == list(range(1, 21))
    with pytest.raises(EdgeAIError, match="closed"):
        one.recorder.trigger("too late")


def test_live_parameters(bench):
    one = bench(before=1.0, after=1.0)
    one.feed(1.0)
    one.recorder.update(one.params.changed(before=3.0, after=0.0))
    one.feed(2.0)
    path = one.recorder.trigger("request")
    one.settle()
    assert read(path).numbers() == list(range(1, 31))


def test_many_threads_at_once(tmp_path):
    clock = SystemClock()
    recorder = FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0, after=0.3), clock)
    data = messages.text("x" * 1000)

    def work(number):
        for i in range(500):
            recorder.put(f"/topic{number}", messages.STRING, data, clock.stamp_ns())
            if i == 250:
                paths.append(recorder.trigger(f"thread {number}"))

    paths = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    (path,) = set(paths)
    content = read(path)
    assert all(len(content.messages[f"/topic{number}"]) == 500 for number in range(4))


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="folder of recordings"):
        FlightRecorder(RecorderParams(folder=str(tmp_path / "file" / "inside")), SystemClock())


def test_a_fault_of_the_writer_ends_one_recording_and_not_the_recorder(bench, monkeypatch, caplog):
    one = bench()
    one.feed(1.0)
    from edge_ai.recording import mcap_file

    def fail(*_):
        raise ValueError("a bug")

    monkeypatch.setattr(mcap_file.McapFile, "add", fail)
    one.recorder.trigger("request")
    one.until(lambda status: "a bug" in status.fault)
    monkeypatch.undo()
    path = one.recorder.trigger("request")
    one.settle()
    assert read(path).numbers() == list(range(1, 11))
    assert not one.recorder.status.fault


def test_two_robots_with_one_folder_record_the_same_alert(tmp_path):
    """The machine's alerts are raised on both in the same second, in the same words."""
    clock, params = ManualClock(), RecorderParams(folder=str(tmp_path), min_free=0)
    robots = [FlightRecorder(params, clock) for _ in range(2)]
    for number, robot in enumerate(robots, 1):
        robot.put("/words", messages.STRING, messages.text(f"{number}:"), clock.stamp_ns())
    assert len({robot.trigger("alert cpu") for robot in robots}) == 1
    for robot in robots:
        robot.close()
    assert sorted(read(path).numbers() for path in tmp_path.iterdir()) == [[1], [2]]
    assert len({robot.status.file for robot in robots}) == 2
