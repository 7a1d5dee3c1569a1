"""The page in a real Chromium: what an operator sees and touches."""

import re
import socket
import threading
import time

import cv2
import numpy as np
import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.server import DashboardServer
from edge_ai.dashboard.state import PLOTTED

TOKEN = "a-token-of-some-length"
PHONE = {"width": 390, "height": 844, "phone": True, "scale": 2}
STOPPED = {"state": "EMERGENCY_STOP", "reason": "asked for", "linear": 0.0, "angular": 0.0, "age": 0.05}
FOLLOWING = {"state": "FOLLOWING", "reason": "following person 1", "linear": 0.3, "angular": -0.1, "age": 0.05}


@pytest.fixture
def jpeg():
    image = np.full((240, 320, 3), 120, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture
def robot(board, jpeg):
    """A board as a robot fills it; stops when told to."""
    board.picture(lambda: jpeg)
    board.put("identity", {"name": "rover-7", "board": "Jetson", "version": "1.0", "mode": "nodes"})
    board.put("control", FOLLOWING)
    readings = {"cpu": 0.42, "cpu/0": 0.5, "memory": 0.61, "gpu": float("nan"), "fps": 9.9, "fps_share": 0.99}
    board.put("system", {"readings": {**readings, "age": 0.051}, "texts": {}, "faults": {"NVML": "no driver"}})
    board.put("nodes", {"inference": {"rate": 9.9, "age_p50": 0.05}})
    board.put("deployment", {"model": "nanodet", "version": "3", "engine": "CPU", "variant": "", "state": "active"})
    board.put("result", {"source": "edge", "count": 5, "timings": {"wait": 0.002, "infer": 0.04}})
    board.on_stop = lambda: board.put("control", STOPPED)
    board.on_reset = lambda: board.put("control", FOLLOWING)
    return board


@pytest.fixture
def tab(browser):
    tabs = []

    def start(url, **looks):
        tabs.append(browser.open(url, **looks))
        return tabs[-1]

    yield start
    for one in tabs:
        one.close()


def eventually(condition, what):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def stopping(board, pressed):
    """What stops a robot, and counts."""

    def stop():
        pressed.append(1)
        board.put("control", STOPPED)

    return stop


LIVE = "document.querySelector('#contact')?.textContent === 'live'"


def says(selector, text):
    return f"document.querySelector('{selector}').innerText.includes('{text}')"


@pytest.mark.parametrize("looks", [{}, {"dark": True}, PHONE, {**PHONE, "dark": True}], ids=str)
def test_it_shows_what_the_robot_says(robot, serve, tab, looks):
    page = tab(serve().url, **looks)
    page.until(LIVE)
    page.until(says("#name", "rover-7"))
    page.until(says("#state", "following"))
    page.until(says("[data-plot=cpu]", "42 %"))
    page.until(says("[data-plot=age]", "51 ms"))
    page.until(says("#command", "+0.30 m/s"))
    page.until(says("#deployment", "nanodet"))
    page.until(says("#nodes", "inference"))
    page.until(says("#machine", "NVML: no driver"))
    assert not re.search("false|null|undefined|NaN", page.text("body"))
    page.until("document.querySelector('#picture').naturalWidth === 320")
    # What cannot be read has no plot, and nothing sticks out of the screen.
    assert page.ask("document.querySelector('[data-plot=gpu]').hidden")
    assert page.ask("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors() == []


@pytest.mark.parametrize("looks", [{}, PHONE, {**PHONE, "width": 320, "height": 568}], ids=str)
def test_the_stop_is_always_on_the_screen_and_large(robot, serve, tab, looks):
    """Also where there is all that there can be, in long words."""
    shares = {"edge_share": 0.71, "cloud_share": 0.24, "skip_share": 0.05}
    robot.put("routing", {"policy": "x" * 200, "cloud": "grpc://" + "robot." * 40, "breaker": "recovering", **shares})
    robot.put("alerts", {"active": [{"name": "y" * 100, "message": "z" * 300, "since": 1.8e9}], "recent": []})
    robot.put("mitigation", {"level": 1, "steps": [{"name": "w" * 90, "state": "waiting", "detail": "v" * 300}]})
    robot.put("recorder", {"buffered": 1e4, "file": "u" * 200, "reason": "t" * 200, "fault": "s" * 200})
    robot.put("update", {"state": "shadow", "candidate": "n" * 99, "checks": ["m" * 200], "passed": [True]})
    robot.put("identity", {"name": "r" * 100, "board": "q" * 100, "version": "1", "mode": "x"})
    robot.put("system", {"readings": dict.fromkeys(PLOTTED, 0.5), "texts": {}, "faults": {"p" * 90: "o" * 300}})
    page = tab(serve().url, **looks)
    page.until(LIVE)
    page.until(says("#mitigation", "waiting"))
    page.ask("document.querySelector('[data-plot=shares]').hidden = false")
    assert page.ask("[document.documentElement.scrollWidth, visualViewport.scale]") == [looks.get("width", 1440), 1]
    seen = (
        "(b => b.top >= 0 && b.bottom <= innerHeight && b.left >= 0 && b.right <= innerWidth && b.width >= 150"
        " && b.height >= 48)(document.querySelector('#stop').getBoundingClientRect())"
    )
    page.until(seen)
    page.ask("scrollTo(0, document.body.scrollHeight)")
    page.until(seen)
    page.ask("document.querySelector('#reset').hidden = false")
    page.until(seen)
    middle = "(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelector('#stop').getBoundingClientRect())"
    assert page.ask(f"document.elementFromPoint(...{middle}).id") == "stop"


def test_one_touch_stops_and_a_release_asks_first(robot, serve, tab):
    pressed = []
    robot.on_stop = stopping(robot, pressed)
    page = tab(serve().url, **PHONE)
    page.until(LIVE)
    page.touch("#stop")
    page.until(says("#stop", "Stopped"))
    page.until(says("#state", "emergency stop"))
    assert pressed == [1]
    page.click("#reset")
    page.until("document.querySelector('#sure').open")
    page.click("#sure button[value=no]")
    page.until("!document.querySelector('#sure').open")
    assert page.text("#stop") == "Stopped"
    page.click("#reset")
    page.until("document.querySelector('#sure').open")
    page.click("#sure button[value=yes]")
    page.until(says("#stop", "STOP"))
    page.until(says("#state", "following"))


def test_a_click_stops_once_and_the_keyboard_too(robot, serve, tab):
    pressed = []
    robot.on_stop = stopping(robot, pressed)
    page = tab(serve().url)
    page.until(LIVE)
    page.click("#stop")
    page.until(says("#stop", "Stopped"))
    page.until("new Promise(done => setTimeout(done, 400, true))")
    assert pressed == [1]
    page.ask("document.querySelector('#stop').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    eventually(lambda: len(pressed) == 2, "the key is a second press")


def test_a_stop_is_tried_until_it_is_done(robot, serve, tab):
    tries = []

    def stop():
        tries.append(1)
        if len(tries) < 3:
            raise EdgeAIError("control node", got="no answer")
        robot.put("control", STOPPED)

    robot.on_stop = stop
    page = tab(serve().url)
    page.until(LIVE)
    page.click("#stop")
    page.until(says("#stop", "Stopped"))
    assert len(tries) == 3


def test_lost_contact_is_said_and_greyed_and_found_again_by_itself_and_a_stop_gets_through(board, robot, tab):
    params = DashboardParams(port=free_port(), update_rate=10.0)
    server = DashboardServer(params, board)
    server.start()
    page = tab(server.url)
    page.until(LIVE)
    server.stop()
    page.until(says("#contact", "no contact since"))
    page.until("getComputedStyle(document.querySelector('main')).opacity < 0.6")
    pressed = []
    board.on_stop = stopping(board, pressed)
    page.click("#stop")
    page.until(says("#said", "trying again"))
    server = DashboardServer(params, board)
    server.start()
    try:
        page.until(LIVE)
        page.until(says("#stop", "Stopped"))
        assert pressed
        page.until("document.querySelector('#picture').naturalWidth === 320")
    finally:
        server.stop()


def test_a_section_that_is_old_is_greyed(robot, serve, tab):
    page = tab(serve().url)
    page.until(LIVE)
    page.until("document.querySelector('#nodes').classList.contains('stale')")
    page.until("document.querySelector('#nodes').dataset.old.endsWith('old')")
    robot.put("nodes", {"inference": {"rate": 1.0}})
    page.until("!document.querySelector('#nodes').classList.contains('stale')")


def test_alerts_and_the_ladder_with_what_it_brought(robot, serve, tab):
    page = tab(serve().url)
    hot = {"name": "temperature", "level": "error", "message": "91 degrees, limit 85", "since": 1.8e9}
    robot.put("alerts", {"active": [hot], "recent": [{**hot, "name": "cpu", "until": 1.8e9 + 60}]})
    effect = {"before": {"fps": 6.1, "cpu": 0.97}, "after": {"fps": 9.8, "cpu": 0.61}}
    step = {"name": "lighter_model", "state": "taken", "detail": "for fps", "since": 1.8e9, **effect}
    robot.put("mitigation", {"level": 1, "message": "", "steps": [step, {"name": "stop", "state": 0}]})
    page.until(says("#alerts", "91 degrees, limit 85"))
    page.until(says("#alerts", "over"))
    assert not re.search("false|null|undefined|NaN", page.text("body"))
    page.until(says("#mitigation", "1 of 2 steps taken"))
    page.until(says("#mitigation", "fps 6.1/s → 9.8/s · cpu 97 % → 61 %"))


def test_what_is_examined_of_a_new_model_and_what_came_of_it(robot, serve, tab):
    page = tab(serve().url)
    page.until(says("#deployment", "nanodet"))
    shown = page.text("#deployment")
    still = {"active": "nanodet 3", "candidate": "", "checks": [], "passed": [], "switches": 0, "rollbacks": 0}
    robot.put("update", {**still, "state": "idle", "progress": 0.0, "message": ""})
    page.until("!document.querySelector('#update').hidden")
    assert page.text("#deployment") == shown
    checks = {"checks": ["sha256", "golden answers: 3 of 4"], "passed": [True, False], "candidate": "nanodet 4"}
    robot.put("update", {**still, **checks, "state": "shadow", "progress": 0.25, "message": "comparing"})
    page.until(says("#update", "25 %"))
    page.until("[...document.querySelectorAll('#update .good')].length === 1")
    page.until(says("#update", "failed"))
    robot.put("update", {**still, "state": "idle", "message": "errors", "switches": 2, "rollbacks": 1})
    page.until(says("#update", "2 new models so far, 1 taken back"))
    assert not re.search("false|null|undefined|NaN", page.text("body"))
    assert page.errors() == []


def test_who_answers_over_time_and_the_recorder(robot, serve, tab):
    shares = {"edge_share": 0.75, "cloud_share": 0.25, "skip_share": 0.0}
    robot.put(
        "routing", {"policy": "adaptive", "override": "auto", "cloud": "grpc://x:1", "breaker": "closed", **shares}
    )
    robot.put("recorder", {"buffered": 12.0, "buffered_bytes": 5e6, "files": 2, "disk_bytes": 3e7, "lost": 0})
    recorded = threading.Event()
    robot.on_record = recorded.set
    page = tab(serve().url)
    page.until(LIVE)
    for _ in range(2):
        page.until("new Promise(done => setTimeout(done, 1000, true))")
        robot.put("system", {"readings": {"cpu": 0.5}, "texts": {}, "faults": {}})
    page.until(says("[data-plot=shares]", "cloud 25 %"))
    page.until(says("#routing", "adaptive"))
    page.until(says("#recorder", "12.0 s, 5.0 MB"))
    page.click("#record")
    assert recorded.wait(10)


def test_what_a_robot_says_is_text_and_never_a_program(robot, serve, tab):
    evil = "<img src=x onerror='document.title=1'><b>x</b>"
    robot.put("identity", {"name": evil, "board": evil, "version": evil, "mode": evil})
    robot.put("control", {**FOLLOWING, "state": evil, "reason": evil})
    robot.put("alerts", {"active": [{"name": evil, "level": evil, "message": evil, "since": 1}], "recent": []})
    page = tab(serve().url)
    page.until(LIVE)
    page.until(says("#command", "<b>"))
    ours = "#plots b, #command b, #picture"
    assert page.ask(f"[...document.querySelectorAll('b, img')].every(one => one.matches('{ours}'))")


def test_a_hidden_page_asks_for_nothing_and_goes_on_when_it_is_seen(robot, serve, tab):
    asked = []
    picture = robot.provider
    robot.picture(lambda: asked.append(1) or picture())
    page = tab(serve(video_rate=60.0).url)
    page.until("document.querySelector('#picture').naturalWidth === 320")
    pause = "new Promise(done => setTimeout(done, 500, true))"
    for hidden in (True, False):
        # Headless Chromium hides no page by itself.
        page.ask(f"Object.defineProperty(document, 'hidden', {{value: {str(hidden).lower()}, configurable: true}})")
        page.ask("document.dispatchEvent(new Event('visibilitychange'))")
        page.until(pause)
        before = len(asked)
        page.until(pause)
        assert (len(asked) == before) == hidden
    page.until(LIVE)


def test_a_viewer_enters_with_the_token_and_stays_in(robot, serve, tab):
    url = serve(token=TOKEN).url
    page = tab(url, **PHONE)
    page.until("document.querySelector('#token') !== null")
    page.ask("document.querySelector('#token').value = 'wrong'; document.querySelector('form').submit()")
    page.until("document.body?.innerText.includes('not the token')")
    page.ask(f"document.querySelector('#token').value = '{TOKEN}'; document.querySelector('form').submit()")
    page.until(LIVE)
    page.go(url)
    page.until(LIVE)
    page.touch("#stop")
    page.until(says("#stop", "Stopped"))


def test_a_link_with_the_token_leaves_none_in_the_address(robot, serve, tab):
    page = tab(f"{serve(token=TOKEN).url}?token={TOKEN}")
    page.until(LIVE)
    assert TOKEN not in page.ask("location.href")
    assert TOKEN not in page.ask("document.cookie")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
