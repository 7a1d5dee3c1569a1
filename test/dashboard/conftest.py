"""A served board, and a real headless Chromium driven over its debugging pipe."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from edge_ai.core.clock import SystemClock
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.server import DashboardServer
from edge_ai.dashboard.state import Board

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / "out" / "programs" / "chromium"
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 20.0


def find_browser():
    """Path of a Chromium, and the libraries that came with it."""
    given = os.environ.get("EDGE_AI_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if given:
        return given, ""
    shell = UNPACKED / "usr" / "lib" / "chromium" / "chromium-headless-shell"
    folders = {str(library.parent) for library in UNPACKED.glob("usr/lib/**/*.so*")}
    return (str(shell), ":".join(sorted(folders))) if shell.exists() else (None, "")


def eventually(condition, what, patience=PATIENCE):
    """The first true value of ``condition``."""
    until = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < until, f"never happened: {what}"
        time.sleep(0.02)
    return value


class BrowserError(Exception):
    """The browser refused a command, such as one for a page that is just being left."""


class Browser:
    """One Chromium; speaks the DevTools protocol through a pipe, so that no WebSocket library is needed."""

    def __init__(self, path, libraries, profile):
        to_read, from_us = os.pipe()
        from_it, to_write = os.pipe()
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--disable-dev-shm-usage"]
        words += ["--hide-scrollbars", f"--user-data-dir={profile}", "--no-first-run", "about:blank"]
        # The protocol's two ends are file descriptors 3 and 4 of the browser.
        script = f'exec 3<&{to_read} 4>&{to_write}; exec "$0" "$@"'
        env = {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None
        self.process = subprocess.Popen(
            ["bash", "-c", script, path, *words],
            pass_fds=(to_read, to_write),
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        self._out, self._in = os.fdopen(from_us, "wb", buffering=0), os.fdopen(from_it, "rb", buffering=0)
        self._number, self._answers, self.events = 0, {}, []
        self._news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        rest = b""
        with contextlib.suppress(OSError, ValueError):
            while piece := self._in.read(1 << 20):
                *messages, rest = (rest + piece).split(b"\0")
                with self._news:
                    for message in map(json.loads, messages):
                        if "id" in message:
                            self._answers[message["id"]] = message
                        else:
                            self.events.append(message)
                    self._news.notify_all()

    def call(self, method, session=None, **params):
        """What the browser answers to one command."""
        with self._news:
            self._number += 1
            number = self._number
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        self._out.write(json.dumps(message).encode() + b"\0")
        with self._news:
            assert self._news.wait_for(lambda: number in self._answers, PATIENCE), f"no answer to {method}"
            answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, url, **looks):
        """A tab of its own, with its own cookies."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        return Tab(self, context, url, **looks)

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._out.close()


class Tab:
    """One page."""

    def __init__(self, browser, context, url, *, width=1440, height=900, dark=False, phone=False, scale=1):
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._target = target
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Log.enable")
        self.call("Network.enable")
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        if phone:
            self.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        self.go(url)

    def call(self, method, **params):
        return self._browser.call(method, self._session, **params)

    def go(self, url):
        self.call("Page.navigate", url=url)

    def ask(self, script):
        """The value of an expression of JavaScript; None while the page changes."""
        try:
            found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        except BrowserError:
            return None
        return found["result"].get("value")

    def text(self, selector):
        """What stands in an element."""
        return self.ask(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''") or ""

    def until(self, script, patience=PATIENCE):
        """Wait until an expression is true."""
        return eventually(lambda: self.ask(script), script, patience)

    def touch(self, selector):
        """A finger on the middle of an element, wherever it is on the screen."""
        x, y = self._middle(selector)
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def click(self, selector):
        self.ask(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'nearest'}})")
        x, y = self._middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _middle(self, selector):
        box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        script = f"(() => {{ const b = {box}; return [b.x + b.width / 2, b.y + b.height / 2]; }})()"
        return self.ask(script)

    def errors(self):
        """What the page has complained about."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [e["params"] for e in self._browser.events if e["method"] in kinds and e["sessionId"] == self._session]

    def screenshot(self, name, *, whole=False, quality=85):
        """A picture of it in out/dashboard/."""
        folder = ROOT / "out" / "dashboard"
        folder.mkdir(parents=True, exist_ok=True)
        shot = self.call("Page.captureScreenshot", format="jpeg", quality=quality, captureBeyondViewport=whole)
        (folder / name).write_bytes(base64.b64decode(shot["data"]))
        return folder / name

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    path, libraries = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine; tools/programs.py fetches Debian's into out/programs")
    running = Browser(path, libraries, tmp_path_factory.mktemp("chromium"))
    yield running
    running.close()


@pytest.fixture
def board():
    return Board(SystemClock())


@pytest.fixture
def serve(board):
    """Starts a server for the board, on a free port unless told otherwise."""
    servers = []

    def start(*, metrics=None, health=None, **params):
        params = DashboardParams(**{"port": 0, "update_rate": 10.0, **params})
        server = DashboardServer(params, board, metrics=metrics, health=health)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
