"""Recorders on disks and clocks of the tests' choice, and what the genuine readers make of their files."""

import time
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from mcap_ros2.decoder import DecoderFactory

from edge_ai.core.clock import ManualClock
from edge_ai.recording import messages
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder


class Bench:
    """A recorder, a clock that moves when told to, and numbered messages."""

    def __init__(self, folder, **changes):
        self.clock = ManualClock()
        self.params = RecorderParams(folder=str(folder), **{"min_free": 0, **changes})
        self.recorder = FlightRecorder(self.params, self.clock)
        self.count = 0

    def feed(self, seconds=0.0, topic="/words", rate=10.0, size=0):
        """Numbered messages, one at once and the others as time goes on."""
        for _ in range(max(round(seconds * rate), 1)):
            self.count += 1
            self.recorder.put(topic, messages.STRING, messages.text(f"{self.count}:" + "x" * size), self.stamp)
            if seconds:
                self.clock.advance(1 / rate)

    @property
    def stamp(self):
        return self.clock.stamp_ns()

    def until(self, condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not condition(self.recorder.status):
            assert time.monotonic() < deadline, self.recorder.status
            time.sleep(0.005)

    def settle(self):
        """Let the recording under way come to its end."""
        self.clock.advance(1000)
        self.until(lambda status: not status.recording)


@pytest.fixture
def bench(tmp_path):
    made = []

    def make(**changes):
        made.append(Bench(tmp_path / "recordings", **changes))
        return made[-1]

    yield make
    for one in made:
        one.recorder.close()


@dataclass
class Content:
    """What a file holds: decoded messages by topic, with their times, and metadata by name."""

    messages: dict = field(default_factory=lambda: defaultdict(list))
    times: dict = field(default_factory=lambda: defaultdict(list))
    metadata: dict = field(default_factory=dict)
    summary: object = None
    header: object = None

    def words(self, topic="/words"):
        return [message.data for message in self.messages[topic]]

    def numbers(self, topic="/words"):
        return [int(word.partition(":")[0]) for word in self.words(topic)]


def read(path):
    """By the genuine reader, by its index, all checksums held against the content."""
    content = Content()
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        content.header, content.summary = reader.get_header(), reader.get_summary()
        content.metadata = {record.name: record.metadata for record in reader.iter_metadata()}
        for _, channel, message, decoded in reader.iter_decoded_messages():
            content.messages[channel.topic].append(decoded)
            content.times[channel.topic].append(message.log_time)
    with path.open("rb") as file:  # and from the first byte to the last
        list(StreamReader(file, validate_crcs=True).records)
    return content
