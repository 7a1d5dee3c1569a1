#!/usr/bin/env python3
"""A server of the Open Inference Protocol that does as it is told, to try deployments with: well, badly, or not at all.

python3 tools/serving/oip_server.py --port 8100 --release 1 [--lies] [--fails SHARE] [--never-ready] [--dies-after N]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_SEEN = {"boxes": [[10, 20, 110, 220], [200, 50, 260, 90]], "scores": [0.9, 0.6], "class_ids": [0, 2]}
_MISSED = {"boxes": [[300, 20, 310, 30]], "scores": [0.9], "class_ids": [5]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__((options.host, options.port), _Handler)
        self.options, self._lock, self._count = options, threading.Lock(), 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that has gone

    def counted(self) -> int:
        """How many requests there were with this one."""
        with self._lock:
            self._count += 1
            return self._count


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        ready = self.path == "/v2/health/ready" and not self.server.options.never_ready
        self._answer(200 if ready else 503, {})

    def do_POST(self) -> None:
        options = self.server.options
        self.rfile.read(int(self.headers["Content-Length"]))
        number = self.server.counted()
        if options.dies_after and number > options.dies_after:
            os.kill(os.getpid(), 9)
        time.sleep(options.seconds)
        if options.fails and number % round(1 / options.fails) == 0:
            self._answer(500, {"error": "as it was told"})
            return
        seen: dict[str, Any] = _MISSED if options.lies else _SEEN
        kinds = {"boxes": "FP32", "scores": "FP32", "class_ids": "INT32"}
        outputs = [
            {"name": name, "datatype": kinds[name], "shape": _shape(rows), "data": _flat(rows)}
            for name, rows in seen.items()
        ]
        self._answer(200, {"model_name": "eye", "model_version": options.release, "outputs": outputs})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _shape(rows: Sequence[Any]) -> list[int]:
    return [len(rows), 4] if isinstance(rows[0], list) else [len(rows)]


def _flat(rows: Sequence[Any]) -> list[Any]:
    return [value for row in rows for value in row] if isinstance(rows[0], list) else list(rows)


def main(arguments: Sequence[str]) -> int:
    """Serve until it is ended."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--release", default="1", help="it gives as its model's version")
    parser.add_argument("--seconds", type=float, default=0.002, help="that an inference takes")
    parser.add_argument("--lies", action="store_true", help="says it is ready, and sees what is not there")
    parser.add_argument("--fails", type=float, default=0.0, help="share of the requests that it answers with 500")
    parser.add_argument("--never-ready", action="store_true")
    parser.add_argument("--dies-after", type=int, default=0, help="requests; 0: never")
    server = _Server(parser.parse_args(arguments))
    print("serving", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
