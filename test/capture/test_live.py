import threading
from queue import Queue

import pytest

from edge_ai.capture.live import NewestReader
from edge_ai.core.errors import SourceError


class Feed:
    """Gives what the test puts in; an exception put in is raised."""

    def __init__(self) -> None:
        self.items: Queue[object] = Queue()
        self.finished = threading.Event()

    def start(self) -> None:
        """Nothing to connect to."""

    def grab(self) -> object:
        item = self.items.get()
        if isinstance(item, Exception):
            raise item
        return item

    def interrupt(self) -> None:
        self.items.put(SourceError("interrupted"))

    def finish(self) -> None:
        self.finished.set()


@pytest.fixture
def feed() -> Feed:
    return Feed()


def test_only_the_newest_frame_is_kept_and_its_number_tells_of_the_others(feed: Feed) -> None:
    for letter in "abc":
        feed.items.put(letter)
    feed.items.put(SourceError("unplugged"))
    reader = NewestReader(feed, "camera")
    assert feed.finished.wait(10)
    assert reader.take(10) == ("c", 2)
    with pytest.raises(SourceError, match="unplugged"):
        reader.take(10)


def test_waiting_for_the_first_frame_does_not_take_it(feed: Feed) -> None:
    reader = NewestReader(feed, "camera")
    feed.items.put("a")
    reader.wait_first(10)
    assert reader.take(10) == ("a", 0)
    reader.close()


def test_silence_is_an_error_after_the_timeout(feed: Feed) -> None:
    reader = NewestReader(feed, "camera 7")
    with pytest.raises(SourceError, match=r"camera 7.*no frame within 0\.05 s"):
        reader.take(0.05)
    reader.close()


def test_close_wakes_a_waiting_reader(feed: Feed) -> None:
    reader, failed = NewestReader(feed, "camera"), Queue()

    def wait() -> None:
        try:
            reader.take(600)
        except SourceError as error:
            failed.put(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    reader.close()
    assert failed.get(timeout=10)
    thread.join(10)
    assert feed.finished.wait(10)


def test_an_unforeseen_exception_is_reported_and_not_lost(feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    feed.items.put(ZeroDivisionError("odd"))
    with pytest.raises(SourceError, match="ZeroDivisionError: odd"):
        NewestReader(feed, "camera").take(10)
    assert "Traceback" in caplog.text
