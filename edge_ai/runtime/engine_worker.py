"""The build process: ``python -m edge_ai.runtime.engine_worker``, a request on its input, a line of JSON for each step.

A build takes minutes, a core and gigabytes, and may crash. Here it can do so without a node.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import Any, TextIO

from edge_ai.core.errors import EdgeAIError
from edge_ai.runtime.engine_job import EngineRequest, describe_error, make_engine

_NICENESS = 10


def main() -> int:
    """Serve one request; returns the exit status."""
    # TensorRT prints to standard output: the lines for our parent get a descriptor of their own.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    os.nice(_NICENESS)
    request = EngineRequest.model_validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, args=(sys.stdin,), daemon=True).start()

    def progress(phase: str, done: int, total: int) -> bool:
        _send(channel, {"phase": phase, "done": done, "total": total})
        return True

    try:
        entry = make_engine(request, progress)
    except EdgeAIError as error:
        _send(channel, {"error": describe_error(error)})
        return 1
    _send(channel, {"engine": str(entry.folder)})
    return 0


def _send(channel: TextIO, values: dict[str, Any]) -> None:
    channel.write(json.dumps(values) + "\n")


def _end_with_parent(stream: TextIO) -> None:
    """Nobody waits for the engine any more once the other end of the pipe is closed."""
    stream.read()
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main())
