"""Start the nodes as real processes, watch them and end them: for the demo, the system tests and the benchmarks.

with Stack(Path("out/x")) as stack:
    camera = stack.start("camera_node", params={"source": "video.avi"})
    ...
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from domain import free_domain
from environment import NodeError, executable, shell_environment

GRACE = 8.0  # s for an orderly end before it is killed
# What a node says when it cannot start: a line of its own on standard error, or a lifecycle transition that failed.
FAULT = re.compile(
    r"^error: (.+)$|^\[ERROR\] \[[\d.]+\] \[[\w.]+\]: (?:configure|activate)(?: failed unexpectedly)?: (.+)$",
    re.MULTILINE,
)


class NodeProcess:
    """One running node.

    Args:
        name: of its executable ("camera_node").
        folder: takes its log `<label>.log` and its parameter file.
        params: parameter values by name.
        remaps: names by the names they replace ("camera/image_raw": "left/image_raw", "__ns": "/robot").
        label: of its files, where one executable runs several times; default its name without "_node".
        env: its whole environment.

    Raises:
        NodeError: no such executable.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        env: Mapping[str, str],
        *,
        params: Mapping[str, Any] | None = None,
        remaps: Mapping[str, str] | None = None,
        label: str = "",
    ) -> None:
        self.name, self.label = name, label or name.removesuffix("_node")
        self.log = folder / f"{self.label}.log"
        folder.mkdir(parents=True, exist_ok=True)
        arguments = [word for old, new in (remaps or {}).items() for word in ("-r", f"{old}:={new}")]
        if params:
            # A file, since `-p name:=value` would read "gst: a ! b" as a mapping. JSON is YAML, too.
            listing = folder / f"{self.label}.params.yaml"
            listing.write_text(json.dumps({"/**": {"ros__parameters": dict(params)}}) + "\n", encoding="utf-8")
            arguments += ["--params-file", str(listing)]
        command = [executable(name, env), *(["--ros-args", *arguments] if arguments else [])]
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                command,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._child.poll()

    def output(self) -> str:
        """Everything it wrote so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def fault(self) -> str:
        """Why it cannot do its work, in its own words; empty while nothing is wrong."""
        ended = self.returncode  # before its output, which is whole only then
        output = self.output()
        found = FAULT.search(output)
        if found:
            words = str(found[1] or found[2]).strip()
            return f"failed unexpectedly, see {self.log}" if words.startswith("Traceback") else words
        if ended is None:
            return ""
        lines = [line for line in output.splitlines() if line.strip()]
        return f"ended with status {ended}{': ' + lines[-1].strip() if lines else ''}"

    def check(self) -> None:
        """Raise where it cannot do its work.

        Raises:
            NodeError: it said so, or it ended.
        """
        fault = self.fault()
        if fault:
            raise NodeError(f"{self.name}: {fault}")

    def end(self, sign: signal.Signals = signal.SIGTERM, grace: float = GRACE) -> int:
        """Ask it to end, kill it where it does not within a grace in seconds; its exit status."""
        self._signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(grace)
        self._signal(signal.SIGKILL)  # and whatever it started itself
        return self._child.wait()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._signal(signal.SIGKILL)
        self._child.wait()

    def ask_to_end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end and do not wait."""
        self._signal(sign)

    def _signal(self, sign: signal.Signals) -> None:
        try:
            os.killpg(self._child.pid, sign)
        except ProcessLookupError:
            return


class Stack:
    """Nodes on a ROS domain of their own that all end with the `with` block, whatever happens in it.

    Args:
        folder: takes the logs.
        domain: ROS domain; default one that nobody on this machine uses.
    """

    def __init__(self, folder: Path, domain: int | None = None) -> None:
        self.folder, self.domain = folder, free_domain() if domain is None else domain
        self.env = {
            **shell_environment(),
            "ROS_DOMAIN_ID": str(self.domain),
            "ROS_LOG_DIR": str(folder / "ros"),
            "XDG_RUNTIME_DIR": str((folder / "runtime").absolute()),  # what one life of a node leaves for the next
            "RCUTILS_COLORIZED_OUTPUT": "0",
        }
        self.nodes: list[NodeProcess] = []

    def start(self, name: str, *, label: str = "", **how: Any) -> NodeProcess:
        """Start a node; arguments as for `NodeProcess`."""
        node = NodeProcess(name, self.folder, self.env, label=label, **how)
        self.nodes.append(node)
        return node

    def check(self) -> None:
        """Raise where one of the nodes cannot do its work.

        Raises:
            NodeError: says which and why.
        """
        for node in self.nodes:
            node.check()

    def wait(self, ready: Callable[[], bool], what: str, timeout: float) -> None:
        """Wait for a condition, watching the nodes.

        Raises:
            NodeError: a node failed first, or nothing came in ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        while not ready():
            self.check()
            if time.monotonic() > end:
                raise NodeError(f"waited {timeout:g} s for {what}; the nodes' logs are in {self.folder}")
            time.sleep(0.02)

    def end(self, *nodes: NodeProcess) -> None:
        """End some of the nodes, all if none is named, side by side."""
        ending = list(nodes) or self.nodes
        for node in ending:
            node.ask_to_end()
        for node in ending:
            node.end()
        self.nodes = [node for node in self.nodes if node not in ending]

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.end()
        finally:
            for node in self.nodes:
                node.kill()
