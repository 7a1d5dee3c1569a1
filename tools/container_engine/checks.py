"""What a robot in containers has to show: that it works, and how little it may."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from installer.console import SetupError

from container_engine.robot import ContainerRobot

SERVICES = ("robot", "monitor")
TOPICS = ("/inference/results", "/cmd_vel", "/monitor/status")
STATUS = "/proc/1/status"
SOCKETS = ("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock")
KILL = "kill -KILL $(grep --files-with-matches '[p]ipeline_node' /proc/[0-9]*/cmdline | cut --delimiter=/ --fields=3)"
BACK = 120.0  # s


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: was looked at.
        passed: whether it is as it has to be.
        seen: what was seen, in words.
    """

    what: str
    passed: bool
    seen: str


def examine(robot: ContainerRobot) -> list[Finding]:
    """Look at a robot that has just been started, and end it."""
    seconds = robot.wait_healthy(*SERVICES)
    findings = [Finding("healthy", True, f"both containers after {seconds:.1f} s")]
    for check in (_user, _capabilities, _file_system, _devices, _readyz, _graph, _comes_back, _orderly_end):
        findings += _tried(check, robot)
    return findings


def _tried(check: Callable[[ContainerRobot], Sequence[Finding]], robot: ContainerRobot) -> Sequence[Finding]:
    try:
        return check(robot)
    except SetupError as error:
        return [Finding(check.__name__.strip("_"), False, str(error))]


def _user(robot: ContainerRobot) -> list[Finding]:
    users = [robot.inside(service, "id").strip() for service in SERVICES]
    return [Finding("not root", all("uid=0" not in user for user in users), users[0])]


def _capabilities(robot: ContainerRobot) -> list[Finding]:
    wanted = {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0, "NoNewPrivs": 1, "Seccomp": 2}
    findings = []
    for service in SERVICES:
        lines = robot.inside(service, "cat", STATUS).splitlines()
        got = {name: int(value, 16) for name, _, value in (line.partition(":") for line in lines) if name in wanted}
        seen = ", ".join(f"{name} {value}" for name, value in got.items())
        findings.append(Finding(f"no capabilities ({service})", got == wanted, seen))
    return findings


def _file_system(robot: ContainerRobot) -> list[Finding]:
    """Root read-only; what has to be written can be."""
    script = "for f in /opt/edge_ai /etc/edge_ai /usr /tmp /var/lib/edge_ai; do touch $f/x 2>/dev/null && echo $f; done"
    written = robot.inside("robot", "sh", "-c", f"{script}; true").split()
    return [Finding("read-only but for", written == ["/tmp", "/var/lib/edge_ai"], ", ".join(written))]


def _devices(robot: ContainerRobot) -> list[Finding]:
    findings = []
    for service in SERVICES:
        host = robot.inspect(service)["HostConfig"]
        given = host["Devices"] or []
        sockets = robot.inside(service, "sh", "-c", f"ls {' '.join(SOCKETS)} 2>/dev/null || true").split()
        passed = not (host["Privileged"] or host["CapAdd"] or given or sockets or host["PidMode"] == "host")
        seen = f"{len(given)} devices, sockets {sockets}"
        findings.append(Finding(f"no devices or sockets ({service})", passed, seen))
    return findings


def _readyz(robot: ContainerRobot) -> list[Finding]:
    status, words = robot.ready()
    return [Finding("/readyz", status == 200, f"{status} {words}")]


def _graph(robot: ContainerRobot) -> list[Finding]:
    """Nodes active and topics alive, seen from the container itself and across the two."""
    findings = []
    for service in SERVICES:
        said = robot.ask(service, *TOPICS)
        nodes = [node for told in said["managers"].values() for node in told["nodes"].items()]
        seen = said["message"] or ", ".join(f"{name} {told['state']}" for name, told in nodes)
        findings.append(Finding(f"ROS graph seen from {service}", said["ok"] and bool(nodes), seen))
    return findings


def _comes_back(robot: ContainerRobot) -> list[Finding]:
    """A node that dies takes its container down, and the restart policy brings both back."""
    before = int(robot.inspect("robot")["RestartCount"])
    start = time.monotonic()
    robot.inside("robot", "sh", "-c", KILL)
    while int(robot.inspect("robot")["RestartCount"]) == before:
        if time.monotonic() - start > BACK:
            return [Finding("comes back", False, f"no restart within {BACK:.0f} s of a node's death")]
        time.sleep(0.2)
    robot.wait_healthy("robot", timeout=BACK)
    while robot.ready()[0] != 200:
        if time.monotonic() - start > BACK:
            return [Finding("comes back", False, robot.ready()[1])]
        time.sleep(0.2)
    return [Finding("comes back", True, f"ready {time.monotonic() - start:.1f} s after a node was killed")]


def _orderly_end(robot: ContainerRobot) -> list[Finding]:
    seconds = robot.stop()
    codes = [int(robot.inspect(service)["State"]["ExitCode"]) for service in SERVICES]
    return [Finding("ends in order", codes == [0, 0], f"status {codes} after {seconds:.1f} s")]
