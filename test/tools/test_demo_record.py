"""The demo's numbers, from records whose answers are known."""

import json

import pytest
from demo_record import NS, Commanded, Processed, Record, percentiles, summary, table, write_detections

START = 1_000 * NS


def result(stamp_ns, boxes=()):
    boxes = [list(box) for box in boxes]
    return Processed(stamp_ns, 0.02, boxes, [0.9] * len(boxes), ["person"] * len(boxes))


def command(at_s, state, linear=0.0, behind=0, age_s=0.0):
    return Commanded(START + round(at_s * NS), state, linear, 0.0, behind, age_s, False)


@pytest.fixture
def record():
    """Three frames captured at 10 Hz, the first and the last processed, then the camera is lost."""
    last = START + NS // 5
    record = Record(source="video.avi", captured=3)
    record.index_of = {START: 0, START + NS // 10: 1, last: 2}
    record.results = {START: result(START, [(1, 2, 3, 4)]), last: result(last, [(5, 6, 7, 8), (1, 1, 2, 2)])}
    record.commands = [
        command(0.03, "FOLLOWING", 0.2, START, 0.03),
        command(0.05, "FOLLOWING", 0.2, START, 0.05),
        command(0.24, "FOLLOWING", 0.3, last, 0.04),
        *(command(0.46 + 0.02 * i, "STALE", 0.0, last, 0.26) for i in range(60)),
    ]
    record.velocities = [(c.linear, c.angular) for c in record.commands]
    return record


def test_the_age_is_that_of_the_first_command_from_each_result(record):
    assert sorted(record.ages()) == [0.03, 0.04]


def test_the_stop_is_measured_from_the_last_good_capture(record):
    assert record.stands_still(1.0, 20.0)
    assert record.was_moving()
    numbers = summary(record, stopped=True, extra={})
    assert numbers["stop_after_s"] == pytest.approx(0.26)
    assert numbers["stopped_on_stale"] is True


def test_a_robot_that_moves_again_does_not_stand_still(record):
    record.commands.append(command(1.7, "FOLLOWING", 0.1, START, 1.0))
    assert not record.stands_still(1.0, 20.0)


def test_a_nonzero_velocity_behind_a_zero_status_does_not_count_as_standing(record):
    record.velocities[-1] = (0.1, 0.0)
    assert not record.stands_still(1.0, 20.0)


def test_silence_after_one_zero_is_no_stop(record):
    record.commands = record.commands[:4]
    assert not record.stands_still(1.0, 20.0)


def test_without_a_stale_command_there_is_no_stop(record):
    record.commands = record.commands[:3]
    assert not record.stands_still(1.0, 20.0)
    assert not record.was_moving()
    assert summary(record, stopped=False, extra={})["stop_after_s"] is None
    assert "NOT stopped" in table(summary(record, stopped=False, extra={}))


def test_the_summary_counts_frames_detections_and_commands(record):
    numbers = summary(record, stopped=True, extra={"model": "m"})
    assert (numbers["frames_captured"], numbers["frames_processed"], numbers["frames_dropped"]) == (3, 2, 1)
    assert (numbers["detections"], numbers["commands"], numbers["fps"]) == (3, 63, 5.0)
    assert numbers["age_ms"] == {"p50": 30.0, "p99": 40.0}
    assert numbers["inference_ms"] == {"p50": 20.0, "p99": 20.0}
    assert numbers["model"] == "m"


def test_each_processed_frame_has_one_line_with_its_place_in_the_source(record, tmp_path):
    write_detections(record, tmp_path / "detections.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "detections.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 2]
    assert [line["stamp"] for line in lines] == [1000.0, 1000.2]
    assert lines[1]["boxes"] == [[5, 6, 7, 8], [1, 1, 2, 2]]
    assert lines[1]["classes"] == ["person", "person"]


def test_percentiles_of_a_known_sample():
    assert percentiles([i / 1000 for i in range(101)]) == {"p50": 50.0, "p99": 99.0}
    assert percentiles([]) == {"p50": None, "p99": None}
