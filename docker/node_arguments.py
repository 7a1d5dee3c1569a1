"""Prints the ROS arguments that every node of a container gets, one a line, as the launch files would give them.

Variables: EDGE_AI_TARGET (a profile; default auto: this machine's, with what `edge-ai prepare` left), EDGE_AI_PARAMS
(a parameter file over it), EDGE_AI_NAMESPACE, EDGE_AI_SIDE (blue or green), EDGE_AI_METRICS_PORT (of the monitor).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from edge_ai.core.errors import EdgeAIError
from edge_ai.runtime.targets import AUTO, find_target

PARAMS = "/etc/edge_ai/params.yaml"
SHARED = ("cmd_vel", "control/emergency_stop", "control/reset")
"""What both sides of a robot share: its wheels, and the stop that holds whichever side drives."""


def arguments(environment: Mapping[str, str]) -> list[str]:
    """What follows --ros-args.

    Raises:
        EdgeAIError: there is no such profile.
    """
    target = find_target(environment.get("EDGE_AI_TARGET") or AUTO)
    sys.stderr.write(f"{target.words}\n")
    files = list(target.files)
    params = Path(environment.get("EDGE_AI_PARAMS") or PARAMS)
    if params.is_file():
        files.append(params)
    elif "EDGE_AI_PARAMS" in environment:
        raise EdgeAIError("EDGE_AI_PARAMS", got=f"no file '{params}'", wanted="a parameter file (YAML)")
    robot, side = (environment.get(f"EDGE_AI_{name}", "").strip("/") for name in ("NAMESPACE", "SIDE"))
    words = [word for file in files for word in ("--params-file", str(file))]
    words += ["-r", f"__ns:=/{'/'.join(part for part in (robot, side) if part)}"]
    for name in SHARED if side else ():
        words += ["-r", f"{name}:=/{robot}/{name}".replace("//", "/")]
    if port := environment.get("EDGE_AI_METRICS_PORT"):
        words += ["-p", f"monitor:metrics_port:={port}"]
    return words


if __name__ == "__main__":
    try:
        print("\n".join(arguments(os.environ)))  # noqa: T201 - this is its answer
    except EdgeAIError as error:
        sys.exit(f"error: {error}")
