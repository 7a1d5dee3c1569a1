"""Somebody who looks at a dashboard: asks for events and pictures as its page does, until standard input ends.

Prints pictures a second and kilobytes of each.
"""

from __future__ import annotations

import http.client
import sys
import threading
import time
from urllib.parse import urlsplit

PLACE = urlsplit(sys.argv[1])


def events() -> None:
    """Read what comes."""
    connection = http.client.HTTPConnection(PLACE.hostname or "", PLACE.port)
    connection.request("GET", "/events")
    stream = connection.getresponse()
    while stream.readline():
        pass


def pictures(ended: threading.Event) -> tuple[float, float]:
    """Ask for one after the other."""
    connection = http.client.HTTPConnection(PLACE.hostname or "", PLACE.port)
    number, count, size, begun = "0", 0, 0, time.monotonic()
    while not ended.is_set():
        connection.request("GET", f"/frame.jpg?after={number}")
        answer = connection.getresponse()
        size += len(answer.read())
        number, count = answer.headers.get("X-Frame-Number", number), count + (answer.status == 200)
    return count / (time.monotonic() - begun), size / max(count, 1) / 1e3


def main() -> None:
    """Look until told to stop."""
    ended = threading.Event()
    threading.Thread(target=events, daemon=True).start()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    rate, kilobytes = pictures(ended)
    sys.stdout.write(f"{rate:.2f} {kilobytes:.1f}\n")


if __name__ == "__main__":
    main()
