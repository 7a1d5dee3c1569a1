"""What every side does: it is set up once, takes task after task and answers each, all of it JSON, a line each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

Task = Mapping[str, Any]


class Side(Protocol):
    """One side of a comparison."""

    def measure(self, task: Task) -> dict[str, Any]:
        """Work and say what came of it."""


def serve(make: Callable[[Task], AbstractContextManager[Side]]) -> None:
    """Be a side: set up as the first argument says, then answer the tasks on standard input until it ends.

    Nothing else may go to standard output.
    """
    with make(json.loads(sys.argv[1])) as side:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(side.measure(json.loads(line))) + "\n")
            sys.stdout.flush()
