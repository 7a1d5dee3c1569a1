"""Sides of a comparison as processes of their own, so that none finds what another has left behind."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.machine import Neighbours
from benchmarks.topic import ROOT, MeasurementError

sys.path.insert(0, str(ROOT / "tools"))
from environment import NodeError
from processes import Stack

_PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
_PATIENCE = 90.0  # s for a side to start, load its model and answer


def nodes(folder: Path, *, profile: bool = True) -> Stack:
    """Nodes on a ROS domain of their own, on this host only: what is measured must never drive somebody's robot.

    Args:
        folder: takes their logs.
        profile: with config/fastdds.xml, or with Fast DDS's own defaults.

    Raises:
        MeasurementError: nothing is set up here, or no domain is free.
    """
    try:
        stack = Stack(folder)
    except (NodeError, RuntimeError) as error:
        raise MeasurementError(str(error)) from None
    stack.env["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    for name in _PROFILES:
        stack.env.pop(name, None)
        if profile:
            stack.env[name] = str(ROOT / "config" / "fastdds.xml")
    return stack


class Side:
    """A side of a comparison, ready to work whenever it is asked to and idle otherwise.

    Args:
        module: what it runs; see `benchmarks.sides.serve`.
        setup: what it is told at its start.
        log: file that its messages are appended to.
        env: its environment; default: ours.
    """

    def __init__(self, module: str, setup: Mapping[str, Any], log: Path, env: Mapping[str, str] | None = None) -> None:
        self._module, self._log = module, log
        command = [sys.executable, "-m", module, json.dumps(dict(setup))]
        with log.open("ab") as errors:
            self._child = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    def measure(self, **task: Any) -> dict[str, Any]:
        """Have it work.

        Args:
            task: ``seconds`` to work for, ``warm`` seconds before them, and what else it takes.

        Returns:
            Its answer, and with it as ``others_cores`` how many processors others kept busy meanwhile.

        Raises:
            MeasurementError: it failed, hangs or does not answer in JSON.
        """
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        neighbours = Neighbours()
        limit = _PATIENCE + float(task.get("warm", 0)) + float(task["seconds"])
        try:
            self._child.stdin.write(json.dumps(task) + "\n")
            self._child.stdin.flush()
            if not select.select([self._child.stdout], [], [], limit)[0]:
                raise MeasurementError(f"{self._module} gave no answer within {limit:g} s; see {self._log}")
            answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        except (OSError, ValueError):
            raise MeasurementError(f"{self._module} ended or answered nonsense; see {self._log}") from None
        return {**answer, "others_cores": neighbours.cores()}

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # Closes its input, at which it ends.
            self._child.communicate(timeout=_PATIENCE if error is None else 1.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()


def executable(name: str) -> str:
    """What runs a node: those with a camera know how to replay a video, the others are the installed ones."""
    own = ROOT / "benchmarks" / "nodes" / f"{name}_node"
    return str(own) if own.exists() else own.name
