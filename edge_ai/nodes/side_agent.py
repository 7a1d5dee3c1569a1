"""side_agent: speaks to one side of a robot from inside it, for whoever deploys and knows no ROS.

python3 -m edge_ai.nodes.side_agent standby --manager /green/lifecycle_manager
python3 -m edge_ai.nodes.side_agent hand-over --from /blue/lifecycle_manager --manager /green/lifecycle_manager
prints one JSON object and ends with status 0 if all is as it was wanted, else 1.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from std_srvs.srv import Trigger

from edge_ai.control.drive_lease import DriveLease
from edge_ai.core.errors import EdgeAIError
from edge_ai.nodes.caller import Caller, ServiceError

_GLANCE = 0.05  # s between two looks
_MARGIN = 0.5  # s that an answer may take
_ALIVE = 2  # messages that show that a topic is alive: one may be left over


class SideAgent:
    """Asks lifecycle managers, and looks at topics.

    Args:
        timeout: s for all that is asked.
    """

    def __init__(self, timeout: float) -> None:
        self._until = time.monotonic() + timeout
        self._node = Node(f"side_agent_{os.getpid()}")
        self._caller = Caller(self._node)

    def close(self) -> None:
        """Leave ROS."""
        self._caller.close()
        self._node.destroy_node()

    def bring(self, managers: Sequence[str], verb: str) -> None:
        """Have managers ``start``, go into ``standby`` or ``stop``, and wait until their nodes are so.

        Args:
            managers: full names, in the order in which to bring them up; they go down in reverse.
            verb: what is wanted.

        Raises:
            EdgeAIError: a manager is not there, or its nodes do not come there in time; says which and why.
        """
        for manager in managers if verb == "start" else reversed(managers):
            self._call(f"{manager}/{verb}")
            while not (answer := self._call(f"{manager}/status")).success:
                if time.monotonic() > self._until - _MARGIN:
                    raise EdgeAIError(f"{verb} of {manager}", got=_amiss(answer.message), wanted="done in time")
                time.sleep(_GLANCE)

    def hand_over(self, old: Sequence[str], new: Sequence[str], leave: str) -> float:
        """Have the new managers' nodes take the place of the old ones'.

        Args:
            old: full names of managers.
            new: likewise.
            leave: what becomes of the old ones: ``standby``, which what is broken does not reach, or ``stop``.

        Returns:
            Seconds from the request to the old ones until the new ones are at work: so long the robot stands.

        Raises:
            EdgeAIError: the old ones do not stop, or the new ones do not start; neither may be at work then.
        """
        self._caller.know(Trigger, *(f"{name}/{leave}" for name in old), *(f"{name}/start" for name in new))
        self.states([*old, *new])  # whoever has answered once answers at once
        begun = time.monotonic()
        self.bring(old, leave)
        self.bring(new, "start")
        return time.monotonic() - begun

    def states(self, managers: Sequence[str]) -> dict[str, Any]:
        """What each manager says of its nodes, and whether all are as wanted."""
        said = {}
        for manager in managers:
            answer = self._call(f"{manager}/status")
            said[manager] = {"settled": answer.success, **json.loads(answer.message)}
        return said

    def listen(self, topics: Sequence[str]) -> dict[str, int]:
        """Wait until every topic is alive, or time is up.

        Returns:
            Messages of each.
        """
        counts = dict.fromkeys(topics, 0)
        ears: dict[str, Any] = {}
        while time.monotonic() < self._until and any(count < _ALIVE for count in counts.values()):
            for topic in topics:
                if topic not in ears and (kind := self._kind(topic)):
                    hear = _counter(counts, topic)
                    ears[topic] = self._node.create_subscription(kind, topic, hear, qos_profile_sensor_data, raw=True)
            rclpy.spin_once(self._node, timeout_sec=_GLANCE)
        return counts

    def _kind(self, topic: str) -> Any:
        kinds: Mapping[str, list[str]] = dict(self._node.get_topic_names_and_types())
        if topic not in kinds:
            return None
        package, _, name = kinds[topic][0].split("/")
        return getattr(importlib.import_module(f"{package}.msg"), name)

    def _call(self, service: str) -> Trigger.Response:
        return self._caller.call(Trigger, service, Trigger.Request(), self._until)


def _counter(counts: dict[str, int], topic: str) -> Callable[[bytes], None]:
    def hear(_message: bytes) -> None:
        counts[topic] += 1

    return hear


def _amiss(status: str) -> str:
    said = json.loads(status)
    return ", ".join(f"{name} {node['state']} {node['reason']}".strip() for name, node in said["nodes"].items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    options = _parser().parse_args(arguments)
    rclpy.init(args=[])
    agent = SideAgent(options.timeout)
    told: dict[str, Any] = {"ok": False, "message": "", "managers": {}, "topics": {}}
    try:
        told |= _do(agent, options)
    except (EdgeAIError, ServiceError) as error:
        told["message"] = str(error)
    finally:
        agent.close()
        rclpy.try_shutdown()
    print(json.dumps(told))  # noqa: T201 - this is its answer
    return 0 if told["ok"] else 1


def _do(agent: SideAgent, options: argparse.Namespace) -> dict[str, Any]:
    told: dict[str, Any] = {}
    managers: list[str] = options.manager
    if options.verb == "hand-over":
        told["stood"] = round(agent.hand_over(options.old, managers, options.leave), 3)
    elif options.verb != "status":
        agent.bring(managers, options.verb)
    states, topics = agent.states(managers), agent.listen(options.topic)
    amiss = [f"{topic}: silent" for topic, count in topics.items() if count < _ALIVE]
    amiss += [f"{manager}: not settled" for manager, said in states.items() if not said["settled"]]
    ends = {"ok": not amiss, "message": "; ".join(amiss), "lease": _lease(options.wheels)}
    return {**told, "managers": states, "topics": topics, **ends}


def _lease(wheels: str) -> dict[str, str]:
    """Which lock decides who drives; two sides exclude each other where its identity is the same."""
    lease = DriveLease.of(f"{os.environ.get('ROS_DOMAIN_ID', '0')}{wheels}")
    return {"path": str(lease.path), "identity": lease.identity}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="side_agent", description=str(__doc__).split("\n\n")[0])
    verbs = ("status", "start", "standby", "stop", "hand-over")
    parser.add_argument("verb", choices=verbs, help="what is wanted of the nodes")
    parser.add_argument("--from", dest="old", action="append", default=[], metavar="NAME", help="whose place to take")
    parser.add_argument(
        "--leave", choices=("standby", "stop"), default="standby", help="what becomes of these (standby)"
    )
    parser.add_argument("--manager", action="append", default=[], metavar="NAME", help="a lifecycle manager; repeat")
    parser.add_argument("--topic", action="append", default=[], metavar="NAME", help="has to be alive; repeat")
    parser.add_argument("--wheels", default="/cmd_vel", metavar="NAME", help="topic of the commands (/cmd_vel)")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="for all of it (30)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
