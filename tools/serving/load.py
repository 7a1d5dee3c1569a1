"""Clients that ask a server without pause, and what they were answered.

with Load("http://127.0.0.1:8000", clients=4) as load:
    ...
assert not load.failures
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from types import TracebackType
from urllib.parse import urlsplit

BODY = json.dumps({"inputs": []}).encode()


class Load:
    """Asks until the block ends.

    Args:
        url: of the server.
        clients: threads, each with a connection that it keeps.
        pause: s between two requests of a client.
        most: requests after which they stop; 0: none.
        timeout: s for an answer.

    Attributes:
        answers: how many each release gave.
        failures: what else came.
        seconds: that each answer took, in the order in which they came.
    """

    def __init__(self, url: str, *, clients: int = 4, pause: float = 0.0, most: int = 0, timeout: float = 20.0) -> None:
        self._host, self._pause, self._most, self._timeout = urlsplit(url).netloc, pause, most, timeout
        self._lock, self._end, self._begun = threading.Lock(), threading.Event(), 0
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.seconds: list[float] = []

    @property
    def done(self) -> int:
        """Requests that have ended, well or not."""
        return sum(self.answers.values()) + len(self.failures)

    def wait(self) -> None:
        """Until ``most`` requests have ended."""
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        line = http.client.HTTPConnection(self._host, timeout=self._timeout)
        while not self._end.is_set() and self._take():
            begun = time.monotonic()
            try:
                line.request("POST", "/v2/models/eye/infer", BODY, {"Content-Type": "application/json"})
                answer = line.getresponse()
                content = answer.read()
                release = json.loads(content)["model_version"] if answer.status == 200 else ""
                failure = "" if release else f"status {answer.status}: {content[:60]!r}"
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                release, failure = "", repr(error)
                line.close()
            with self._lock:
                if failure:
                    self.failures.append(failure)
                else:
                    self.answers[release] += 1
                    self.seconds.append(time.monotonic() - begun)
            if self._pause:
                time.sleep(self._pause)
        line.close()

    def _take(self) -> bool:
        with self._lock:
            self._begun += 1
            return not self._most or self._begun <= self._most

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self.wait()
