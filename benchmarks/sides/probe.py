"""Brings nodes up, listens to them for a while, takes them down: the ROS end of the measurements."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import rclpy
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor

from benchmarks.machine import holdings, seconds_used
from benchmarks.sides.listener import Listener, read_later
from benchmarks.sides.serve import Task, serve

_PATIENCE, _TRIES = 60.0, 4
_REACHED = {
    Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_ACTIVATE: State.PRIMARY_STATE_ACTIVE,
    Transition.TRANSITION_DEACTIVATE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
}


class Conductor:
    """Drives the lifecycle of nodes while a probe listens.

    Args:
        setup: ``nodes`` in the order of activation, which is that of listening before speaking; ``topics`` to hear.

    Raises:
        RuntimeError: a node does not appear or cannot be configured.
    """

    def __init__(self, setup: Task) -> None:
        rclpy.init()
        self._probe = Listener()
        self._topics = setup["topics"]
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._probe)
        self._clients = {
            name: self._probe.create_client(ChangeState, f"{name}/change_state") for name in setup["nodes"]
        }
        for name in self._clients:
            self._change(name, Transition.TRANSITION_CONFIGURE)

    def measure(self, task: Task) -> dict[str, Any]:
        """Activate the nodes, listen for ``seconds`` after ``warm`` seconds, deactivate them.

        Args:
            task: with ``unheard`` nothing is subscribed to but the nodes' diagnostics; ``pids`` are processes whose
                use of the processors is wanted; ``nodes`` are those to activate, else all; ``hung`` is a process that
                hangs from its activation to the end.

        Returns:
            What was heard within those seconds, by topic, and with ``pids`` the processor time ``cpu_s`` that they
            used meanwhile; for a task ``whole``, all from the first frame to the last and what the nodes have
            counted, as ``counters``.
        """
        if task.get("whole"):
            return self._measure_whole(task)
        if "cycles" in task:
            return self._measure_cycles(task)
        self._probe.hear([] if task.get("unheard") else self._topics)
        names = [name for name in self._clients if name in task.get("nodes", self._clients)]
        self._up(names)
        if "hung" in task:
            os.kill(task["hung"], signal.SIGSTOP)
        self._listen(task["warm"])
        self._probe.forget()
        before = seconds_used(task.get("pids", []))
        self._listen(task["seconds"])
        heard = self._probe.forget()
        used = seconds_used(task.get("pids", [])) - before
        if "hung" in task:
            os.kill(task["hung"], signal.SIGCONT)
        self._down(reversed(names))
        return {**read_later(heard), **({"cpu_s": used} if "pids" in task else {})}

    def _measure_whole(self, task: Task) -> dict[str, Any]:
        self._probe.hear(self._topics)
        self._up(self._clients, settle=2.0)
        self._listen(task["seconds"])
        self._down(["camera"])
        self._listen(0.5)
        self._probe.counters.clear()
        self._listen(2.5)  # diagnostics come once a second
        counters = dict(self._probe.counters)
        self._down([name for name in self._clients if name != "camera"])
        return {**read_later(self._probe.forget()), "counters": counters}

    def _measure_cycles(self, task: Task) -> dict[str, Any]:
        """Bring all nodes up and down and clean them up, time after time; what their processes hold after each time."""
        self._probe.hear(self._topics)
        held = []
        for _ in range(task["cycles"]):
            self._up(self._clients)
            self._listen(task["seconds"])
            self._down(reversed(self._clients))
            for name in self._clients:
                self._change(name, Transition.TRANSITION_CLEANUP)
            held.append({str(pid): holdings(pid) for pid in task["pids"]})
            for name in self._clients:
                self._change(name, Transition.TRANSITION_CONFIGURE)
        return {"held": held}

    def close(self) -> None:
        """Leave ROS, once nothing is read any more."""
        self._probe.hear([])
        self._probe.destroy_node()
        rclpy.try_shutdown()

    def _up(self, names: Iterable[str], settle: float = 0.0) -> None:
        self._probe.forget()
        for name in names:
            if name == "camera":
                self._listen(settle)  # until its publishers know all who listen
            self._change(name, Transition.TRANSITION_ACTIVATE)

    def _down(self, names: Iterable[str]) -> None:
        for name in names:
            self._change(name, Transition.TRANSITION_DEACTIVATE)

    def _change(self, name: str, transition: int) -> None:
        client = self._clients[name]
        if not client.wait_for_service(_PATIENCE):
            raise RuntimeError(f"node {name} did not appear within {_PATIENCE:g} s")
        request = ChangeState.Request()
        request.transition.id = transition
        # An answer may be lost while the two ends find each other; the transition then has happened all the same.
        for _ in range(_TRIES):
            future = client.call_async(request)
            self._executor.spin_until_future_complete(future, _PATIENCE / _TRIES)
            if (future.done() and future.result().success) or self._state(name) == _REACHED[transition]:
                return
        raise RuntimeError(f"transition {transition} of node {name} failed; its log says why")

    def _state(self, name: str) -> int:
        client = self._probe.create_client(GetState, f"{name}/get_state")
        try:
            client.wait_for_service(_PATIENCE / _TRIES)
            future = client.call_async(GetState.Request())
            self._executor.spin_until_future_complete(future, _PATIENCE / _TRIES)
            return int(future.result().current_state.id) if future.done() else State.PRIMARY_STATE_UNKNOWN
        finally:
            self._probe.destroy_client(client)

    def _listen(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)


if __name__ == "__main__":
    serve(lambda setup: closing(Conductor(setup)))
