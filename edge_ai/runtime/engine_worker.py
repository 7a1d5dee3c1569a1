"""The build process: ``python -m edge_ai.runtime.engine_worker``, see `edge_ai.runtime.child`.

A build takes minutes, a core and gigabytes, and may crash. Here it can do so without a node.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from edge_ai.runtime.child import Say, serve
from edge_ai.runtime.engine_job import EngineRequest, make_engine


def _build(request: str, say: Say) -> Mapping[str, Any]:
    def progress(phase: str, done: int, total: int) -> bool:
        say({"phase": phase, "done": done, "total": total})
        return True

    return {"engine": str(make_engine(EngineRequest.model_validate_json(request), progress).folder)}


if __name__ == "__main__":
    sys.exit(serve(_build))
