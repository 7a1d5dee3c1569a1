"""Pictures: drawn only for those who look, no more often than they may cost."""

import asyncio
import threading
import time

import cv2
import numpy as np
import pytest

from edge_ai.control.command import Command, ControlState
from edge_ai.core.clock import ManualClock, SystemClock
from edge_ai.core.types import Detections, Frame, FrameHeader, Result, Velocity
from edge_ai.dashboard.feed import PictureFeed
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.pictures import _LONGEST, Pictures
from edge_ai.dashboard.state import Board

CLOCK = SystemClock()


def seen(width=1280, height=720, encoding="bgr8"):
    now = CLOCK.steady_ns()
    header = FrameHeader(CLOCK.stamp_ns(), now, "camera", 0, width, height)
    boxes = np.array([[width * 0.25, height * 0.25, width * 0.5, height * 0.75]], np.float32)
    found = Detections(boxes, np.array([0.9], np.float32), np.array([0], np.int32), ("person",))
    shape = (height, width) if encoding == "mono8" else (height, width, 3)
    return Result(header, found, "m", "1", "edge"), Frame(header, np.full(shape, 90, np.uint8), encoding)


def look(feed, *offers):
    """What a viewer gets while results come."""
    pictures = []
    viewer = threading.Thread(target=lambda: pictures.append(feed.jpeg()))
    viewer.start()
    while viewer.is_alive():
        for offer in offers:
            feed.offer(*offer)
        time.sleep(0.005)
    viewer.join()
    return pictures[0]


def decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture
def feed():
    return PictureFeed(DashboardParams(video_width=640), CLOCK)


def test_nothing_is_kept_while_nobody_looks(feed):
    feed.offer(*seen())
    assert not feed.watched
    assert feed._item is None


def test_a_picture_no_wider_than_asked_for_with_the_box_where_it_belongs(feed):
    image = decoded(look(feed, seen(1280, 720)))
    assert image.shape == (360, 640, 3)
    # The outline of the box, not far from its left edge, is not grey.
    assert np.ptp(image[150:200, 155:166].astype(int), axis=2).max() > 40
    assert np.ptp(image[100:110, 400:500].astype(int), axis=2).max() < 20


def test_narrow_pictures_stay_as_they_are_and_grey_ones_work(feed):
    assert decoded(look(feed, seen(320, 240, "mono8"))).shape == (240, 320, 3)


def test_the_command_is_drawn_too(feed):
    plain = decoded(look(feed, seen()))
    feed.command(Command(Velocity(0.3, 0.1), ControlState.FOLLOWING, "", 0.1, None, None, 1, 0, 0))
    assert np.abs(decoded(look(feed, seen())).astype(int) - plain).max() > 60


def test_nothing_new_is_none_and_a_frame_nobody_can_read_too(feed):
    assert feed.jpeg() is None
    result, frame = seen()
    assert look(feed, (result, Frame(frame.header, frame.image, "no-such-encoding"))) is None


def test_attention_ends(feed, monkeypatch):
    monkeypatch.setattr("edge_ai.dashboard.feed._ATTENTION", -1.0)
    feed._asked = CLOCK.steady_ns()
    feed.offer(*seen())
    assert feed._item is None
    assert feed._asked is None


def test_pictures_that_cost_much_are_no_end_of_attention():
    """Between two of them a dashboard_node would drop its topics, and find them again too late for the next one."""
    clock = ManualClock()
    feed = PictureFeed(DashboardParams(), clock)
    look(feed, seen())
    clock.advance(_LONGEST)
    assert feed.watched


def test_a_picture_that_costs_much_is_not_the_last_for_long(monkeypatch):
    monkeypatch.setattr("edge_ai.dashboard.pictures._LONGEST", 0.2)
    board = Board(CLOCK)
    board.picture(lambda: b"".join(bytes(10_000_000) for _ in range(3))[:1])
    (times,) = collect(board, DashboardParams(video_rate=60.0, video_budget=0.001), 3)
    assert [number for number, _ in times] == [1, 2, 3]


def collect(board, params, count, viewers=1):
    """Numbers and times of the pictures that each viewer gets."""

    async def one(pictures):
        number, got = 0, []
        for _ in range(count):
            picture = await pictures.after(number, 5.0)
            number = picture.number
            got.append((number, time.monotonic()))
        return got

    async def every():
        pictures = Pictures(params, board)
        try:
            return await asyncio.gather(*(one(pictures) for _ in range(viewers)))
        finally:
            pictures.close()

    return asyncio.run(every())


def test_viewers_share_a_drawing_and_none_comes_sooner_than_the_rate_says():
    drawn = []
    board = Board(CLOCK)
    board.picture(lambda: drawn.append(1) or b"jpeg")
    first, second = collect(board, DashboardParams(video_rate=20.0, video_budget=1.0), 6, viewers=2)
    assert [number for number, _ in first] == [number for number, _ in second] == [1, 2, 3, 4, 5, 6]
    assert len(drawn) == 6
    assert first[-1][1] - first[0][1] >= 5 / 20 * 0.99


def test_a_slow_machine_shows_fewer_rather_than_spend_more():
    spent = []

    def draw():
        begun = time.thread_time()
        while time.thread_time() - begun < 0.01:
            pass
        spent.append(time.thread_time() - begun)
        return b"jpeg"

    board = Board(CLOCK)
    board.picture(draw)
    (times,) = collect(board, DashboardParams(video_rate=60.0, video_budget=0.1), 4)
    assert sum(spent[:-1]) / (times[-1][1] - times[0][1]) < 0.11


def test_no_provider_no_picture_and_one_that_fails_is_no_storm():
    asked = []

    def broken():
        asked.append(1)
        raise RuntimeError("no camera")

    async def ask(board):
        pictures = Pictures(DashboardParams(video_rate=20.0), board)
        return await pictures.after(0, 0.3)

    board = Board(CLOCK)
    assert asyncio.run(ask(board)) is None
    board.picture(broken)
    assert asyncio.run(ask(board)) is None
    assert 1 <= len(asked) <= 7


def test_a_number_from_before_a_restart_is_as_good_as_none():
    board = Board(CLOCK)
    board.picture(lambda: b"jpeg")

    async def ask():
        pictures = Pictures(DashboardParams(), board)
        await pictures.after(0, 5.0)
        return await pictures.after(999, 5.0)

    assert asyncio.run(ask()).number == 1
