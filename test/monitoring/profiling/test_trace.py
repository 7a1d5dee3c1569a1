"""What is written is Chrome's trace event format, as its definition has it and Perfetto reads it."""

import json
import os
import threading

import pytest

from edge_ai.core.spans import profiled, span
from edge_ai.monitoring.profiling.spans import SpanRecorder
from edge_ai.monitoring.profiling.trace import trace_content, write_trace

MS = 1_000_000


def check(content):
    """All the format asks for; gives the events by phase."""
    assert isinstance(content["traceEvents"], list)
    assert content["displayTimeUnit"] in ("ms", "ns")
    phases = {}
    for event in content["traceEvents"]:
        assert isinstance(event["name"], str)
        assert type(event["pid"]) is int
        assert type(event["tid"]) is int
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name", "process_labels", "thread_sort_index")
        else:
            assert isinstance(event["ts"], (int, float))
            assert event["cat"]
        phases.setdefault(event["ph"], []).append(event)
    named = {event["tid"] for event in phases["M"] if event["name"] == "thread_name"}
    assert [event["pid"] for event in phases["M"] if event["name"] == "process_name"] == [os.getpid()]
    threads = {}
    for event in phases.get("X", []):
        assert event["tid"] in named
        assert event["dur"] >= 0
        threads.setdefault(event["tid"], []).append(event)
    for events in threads.values():
        nested(events)
    balanced([event for event in content["traceEvents"] if event["ph"] in "be"])
    return phases


def nested(events):
    """Complete events of a thread lie within or beside each other; of two that begin together the outer comes first."""
    ends = []
    for event in sorted(events, key=lambda event: event["ts"]):
        while ends and ends[-1] <= event["ts"] + 1e-6:
            ends.pop()
        end = event["ts"] + event["dur"]
        assert not ends or end <= ends[-1] + 1e-3
        ends.append(end)


def balanced(events):
    """Nestable asynchronous events: each end closes what began last under that category and id, later than it began."""
    open_ones = {}
    for event in events:
        stack = open_ones.setdefault((event["cat"], event["id2"]["local"]), [])
        if event["ph"] == "b":
            assert not stack or event["ts"] >= stack[-1]["ts"]
            stack.append(event)
        else:
            begun = stack.pop()
            assert begun["name"] == event["name"]
            assert event["ts"] >= begun["ts"]
    assert not any(open_ones.values())


def test_spans_are_complete_events_in_microseconds_on_named_threads():
    recorder = SpanRecorder()
    recorder.add("inner", 1_000_500, 1_002_000, {"images": 4})
    recorder.add("outer", 1_000_000, 1_003_000, {})
    phases = check(trace_content(recorder, "robot"))
    outer, inner = phases["X"]
    assert (outer["name"], outer["ts"], outer["dur"]) == ("outer", 1000.0, 3.0)
    assert (inner["name"], inner["ts"], inner["dur"], inner["args"]) == ("inner", 1000.5, 1.5, {"images": 4})
    assert {(one["name"], one["args"]["name"]) for one in phases["M"]} == {
        ("process_name", "robot"),
        ("thread_name", "MainThread"),
    }
    assert inner["tid"] == threading.get_native_id()


def test_frames_that_overlap_are_asynchronous_events_with_their_stages_within():
    recorder = SpanRecorder()
    recorder.journey(10 * MS, {"wait": 0.001, "infer": 0.02})
    recorder.journey(20 * MS, {"wait": 0.002, "infer": 0.02})
    phases = check(trace_content(recorder, "robot"))
    assert [one["name"] for one in phases["b"]] == ["frame", "wait", "infer"] * 2
    frames = {one["id2"]["local"] for one in phases["b"]}
    assert len(frames) == 2
    infer = next(one for one in phases["b"] if one["name"] == "infer")
    assert infer["ts"] == pytest.approx(11_000)


@profiled
def work(depth):
    if depth:
        with span("block", depth=depth):
            work(depth - 1)
            work(depth - 1)


def test_a_real_recording_of_several_threads_is_sound_and_read_back(tmp_path):
    recorder = SpanRecorder()
    with recorder.running():
        threads = [threading.Thread(target=work, args=(5,), name=f"worker;{i}") for i in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            recorder.journey(recorder.begun_ns, {"wait": 0.0, "infer": 1e-9})
        for thread in threads:
            thread.join()
    path = tmp_path / "trace.json"
    write_trace(recorder, 'robot "one"', path)
    content = json.loads(path.read_text())
    phases = check(content)
    assert len(phases["X"]) == 4 * (63 + 31)
    assert len(phases["b"]) == len(phases["e"]) == 150
    assert content["otherData"]["lost"] == "0"


def test_details_that_json_does_not_know_are_words(tmp_path):
    recorder = SpanRecorder()
    recorder.add("load", 0, 1, {"path": tmp_path})
    write_trace(recorder, "robot", tmp_path / "trace.json")
    assert str(tmp_path) in (tmp_path / "trace.json").read_text()


def test_an_empty_recording_is_a_trace_too():
    check(trace_content(SpanRecorder(), "robot"))
