"""A robot's recording of a street, through the model it had and through others."""

import json

import cv2
import numpy as np
import pytest

from edge_ai.cli.main import main
from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.resources import resource
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.jpeg import frame_to_jpeg
from edge_ai.recording import messages
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.reader import RecordingReader
from edge_ai.recording.recorder import FlightRecorder
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams

PICTURES = 6


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Pictures of the street with what the shipped model said about them, and one picture without an answer."""
    street = cv2.imread(str(resource("doc/demo.jpg")))
    clock = ManualClock()
    folder = tmp_path_factory.mktemp("recordings")
    recorder = FlightRecorder(RecorderParams(folder=str(folder), min_free=0, after=0.0), clock)
    model = Model.load(InferenceParams())
    for index in range(PICTURES + 1):
        image = np.ascontiguousarray(street[:, 10 * index : street.shape[1] - 100 + 10 * index])
        stamp = clock.stamp_ns()
        frame = Frame(FrameHeader(stamp, clock.steady_ns(), "camera", index, *image.shape[1::-1]), image)
        data = messages.compressed_image(frame_to_jpeg(frame, 95), stamp, "camera")
        recorder.put("/camera/image_raw/compressed", messages.COMPRESSED_IMAGE, data, stamp)
        if index < PICTURES:
            recorder.put(
                "/inference/results", messages.RESULT, messages.inference_result(model(frame)), stamp + NS // 20
            )
        clock.advance(0.1)
    model.close()
    path = recorder.trigger("request")
    recorder.close()
    return path


def replay(capsys, *arguments):
    status = main(["replay", *map(str, arguments)])
    return status, capsys.readouterr()


def test_the_model_that_was_on_the_robot_says_the_same(capsys, recording, tmp_path):
    status, said = replay(capsys, recording, "--output", tmp_path / "out")
    assert status == 0, said.err
    assert f"{PICTURES + 1} pictures, {PICTURES} with a recorded answer" in said.out
    figures = json.loads((tmp_path / "out/differences.json").read_text())
    assert figures["both"] >= PICTURES
    assert figures["missed"] + figures["added"] <= 0.25 * figures["both"]  # what JPEG makes of weak ones
    assert figures["mean_overlap"] > 0.9
    assert list(figures["recorded_models"].values()) == [PICTURES]


def test_a_stricter_one_misses_some_and_the_page_shows_them(capsys, recording, tmp_path):
    status, said = replay(capsys, recording, "--score", "0.7", "--worst", "2", "--output", tmp_path / "out")
    assert status == 0, said.err
    figures = json.loads((tmp_path / "out/differences.json").read_text())
    assert figures["missed"] > 0
    assert figures["added"] == 0
    page = (tmp_path / "out/index.html").read_text()
    assert page.count("<img ") == 4
    assert "not found now" in page


def test_answers_come_back_as_they_were(recording):
    reader = RecordingReader(recording)
    results = reader.results()
    frames = list(reader.frames())
    assert len(results) == PICTURES
    assert [frame.header.stamp_ns in results for frame in frames] == [True] * PICTURES + [False]
    first = results[frames[0].header.stamp_ns]
    assert first.header.frame_id == "camera"
    assert first.detections.name(0)
    assert set(first.timings) >= {"preprocess", "infer"}


def test_one_that_was_cut_short_is_replayed_to_the_cut(capsys, recording, tmp_path):
    cut = tmp_path / "cut.mcap"
    data = recording.read_bytes()
    cut.write_bytes(data[: len(data) - 5000])
    status, said = replay(capsys, cut)
    assert status == 0, said.err
    assert "with a recorded answer" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/no/such.mcap"], "no such recording"),
        (["{recording}", "--topic", "/none"], "no topic '/none'"),
        (["{recording}", "--model", "/no/card.yaml"], "/no/card.yaml"),
    ],
)
def test_a_mistake_is_said_in_one_line(capsys, recording, arguments, words):
    status, said = replay(capsys, *[argument.format(recording=recording) for argument in arguments])
    assert status == 1
    assert words in said.err
    assert said.err.count("\n") == 1


def test_what_is_no_recording_is_refused(capsys, tmp_path):
    (tmp_path / "x.mcap").write_bytes(b"not a recording at all")
    status, said = replay(capsys, tmp_path / "x.mcap")
    assert status == 1
    assert "error: recording 'x.mcap'" in said.err
