"""Where the files that come with the package lie: the source tree, a ROS share folder or a Python installation."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from edge_ai.core.errors import EdgeAIError


def resource(relative: str) -> Path:
    """The path of a file of this package, for example "config/fastdds.xml".

    Raises:
        EdgeAIError: it is in none of the places where an installation puts it.
    """
    places = [Path(__file__).resolve().parents[2]]
    places += [Path(p) / "share/edge_ai" for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    places += [Path(prefix) / "share/edge_ai" for prefix in (sys.prefix, site.getuserbase())]
    for place in places:
        if (place / relative).is_file():
            return place / relative
    raise EdgeAIError(
        f"file '{relative}' of edge_ai", got="none", wanted=f"it under one of {', '.join(map(str, places))}"
    )
