"""An HAProxy with cloud/haproxy.cfg that runs for as long as a `with` block.

with Haproxy(folder) as proxy:
    ask(proxy.url)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType

from installer.console import SetupError

from serving.environment import ROOT
from serving.server import free_port

_UNPACKED = ROOT / "out" / "programs" / "haproxy"
_LIBRARIES = _UNPACKED / "usr" / "lib" / "x86_64-linux-gnu"
_PATIENCE = 10.0


def unfit() -> str:
    """Why none can run here; empty where one can."""
    return "" if _program() else "no HAProxy here: python3 tools/programs.py haproxy"


class Haproxy:
    """It and the ports of the servers behind it, all on this machine.

    Args:
        folder: takes its socket, state file and log.

    Raises:
        SetupError: it cannot run here, or does not start; holds its log.
    """

    def __init__(self, folder: Path) -> None:
        self.socket, self.state_file, self._log = folder / "ha.sock", folder / "ha.state", folder / "haproxy.log"
        self.http_port, self.grpc_port = free_port(), free_port()
        self.ports, self.grpc_ports = ({side: free_port() for side in ("blue", "green")} for _ in range(2))
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it takes requests."""
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> None:
        """Start it, with what its state file says, and wait until it takes commands."""
        program = _program()
        if program is None:
            raise SetupError(unfit())
        self.state_file.touch()
        variables = {
            "SOCKET": f"{self.socket}",
            "STATE": f"{self.state_file}",
            "HTTP": self.http_port,
            "GRPC": self.grpc_port,
            "BLUE": self.ports["blue"],
            "GREEN": self.ports["green"],
        }
        names = {"SOCKET": "HAPROXY_SOCKET", "STATE": "HAPROXY_STATE", "BLUE": "BLUE_HTTP", "GREEN": "GREEN_HTTP"}
        own = {f"EDGE_AI_{names.get(name, name)}": str(value) for name, value in variables.items()}
        own |= {f"EDGE_AI_{side.upper()}_GRPC": str(port) for side, port in self.grpc_ports.items()}
        own["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, (str(_LIBRARIES), os.environ.get("LD_LIBRARY_PATH"))))
        self.socket.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            command = [program, "-db", "-f", str(ROOT / "cloud" / "haproxy.cfg")]
            self._child = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
        end = time.monotonic() + _PATIENCE
        while not self.socket.exists():
            if self._child.poll() is not None or time.monotonic() > end:
                self.kill()
                raise SetupError(f"HAProxy does not start: {self._log.read_text(encoding='utf-8')}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def __enter__(self) -> Haproxy:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def _program() -> str | None:
    unpacked = _UNPACKED / "usr" / "sbin" / "haproxy"
    return str(unpacked) if unpacked.exists() else shutil.which("haproxy")
