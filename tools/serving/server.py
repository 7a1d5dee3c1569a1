"""A Triton server that runs for as long as a `with` block.

with TritonServer(repository) as server:
    ask(server.grpc, server.http)
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from installer.console import SetupError

from serving.environment import TritonInstall, prepare

GRACE = 10.0  # s for an orderly end before it is killed
TAIL = 15  # lines of its log in an error
_SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Tls:
    """What a server proves itself with over gRPC; Triton's HTTP has no TLS.

    Attributes:
        cert: its certificate, PEM.
        key: its private key, PEM.
        client_ca: authorities whose certificates clients must show, PEM; None: they show none.
    """

    cert: Path
    key: Path
    client_ca: Path | None = None


class TritonServer:
    """Triton on a repository of models.

    Args:
        repository: model repository.
        models: names of those to load; none: all.
        host: address it listens on.
        http_port: 0 for a free one.
        grpc_port: 0 for a free one.
        tls: for gRPC; None: plaintext.
        admin_key: where given, model control and the like need it in the header ``admin-key``.
        http_token: where given, inference over HTTP needs the header ``authorization: Bearer TOKEN``.
        wrap: from its command line to one that runs it elsewhere, such as inside a network namespace.
        log: file for its output; default one beside the repository.
        timeout: seconds until it must be ready.

    Raises:
        SetupError: it cannot run here, ended, or did not become ready; holds the end of its log.
    """

    def __init__(
        self,
        repository: Path,
        *,
        models: Sequence[str] = (),
        host: str = "127.0.0.1",
        http_port: int = 0,
        grpc_port: int = 0,
        tls: Tls | None = None,
        admin_key: str = "",
        http_token: str = "",
        wrap: Callable[[Sequence[str]], Sequence[str]] = list,
        log: Path | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.repository, self.host = repository.resolve(), host
        self._chosen = tuple(models)
        self.http_port, self.grpc_port = http_port or free_port(), grpc_port or free_port()
        self.log = log or repository.with_name(f"{repository.name}.triton-{self.http_port}.log")
        self._tls, self._admin_key, self._http_token = tls, admin_key, http_token
        self._wrap, self._timeout = wrap, timeout
        self._child: subprocess.Popen[bytes] | None = None
        self._region = f"triton_{os.getpid()}_{secrets.token_hex(4)}_"

    @property
    def http(self) -> str:
        """Where it answers HTTP."""
        return f"http://{self.host}:{self.http_port}"

    @property
    def grpc(self) -> str:
        """Where it answers gRPC."""
        return f"{'grpcs' if self._tls else 'grpc'}://{self.host}:{self.grpc_port}"

    @property
    def pid(self) -> int | None:
        """Its process, which leads a group of its own; None while it does not run."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that it loads."""
        return self._chosen or tuple(sorted(path.parent.name for path in self.repository.glob("*/config.pbtxt")))

    def start(self) -> None:
        """Start it and wait until it and all its models are ready. It may be started again after it ended."""
        install = prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                list(self._wrap(self.command(install))),
                env=install.variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Ask it to end, and kill it where it does not."""
        if self._child is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Not to its group: it waits for its models' processes to answer it.
            self._child.terminate()
            self._child.wait(GRACE)
        self.kill()

    def kill(self) -> None:
        """End it at once, as a crash does, and remove what it leaves in shared memory."""
        if self._child is None:
            return
        self._signal(signal.SIGKILL)
        self._child.wait()
        self._child = None
        for left in _SHARED_MEMORY.glob(f"{self._region}*"):
            left.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Let it stand still with its connections open, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def command(self, install: TritonInstall) -> list[str]:
        """Its command line."""
        words = [
            str(install.program),
            f"--model-repository={self.repository}",
            f"--backend-directory={install.backends}",
            f"--backend-config=python,shm-region-prefix-name={self._region}",
            f"--http-address={self.host}",
            f"--http-port={self.http_port}",
            f"--grpc-address={self.host}",
            f"--grpc-port={self.grpc_port}",
            "--allow-metrics=false",
            "--model-control-mode=explicit",
            *(f"--load-model={name}" for name in self._chosen or "*"),
        ]
        if self._tls is not None:
            words += [
                "--grpc-use-ssl=true",
                f"--grpc-server-cert={self._tls.cert}",
                f"--grpc-server-key={self._tls.key}",
            ]
            if self._tls.client_ca is not None:
                words += ["--grpc-use-ssl-mutual=true", f"--grpc-root-cert={self._tls.client_ca}"]
        if self._admin_key:
            guarded = f"model-repository,shared-memory,logging,trace:admin-key={self._admin_key}"
            words += [f"--http-restricted-api={guarded}", f"--grpc-restricted-protocol={guarded}"]
        if self._http_token:
            words.append(f"--http-restricted-api=inference:authorization=Bearer {self._http_token}")
        return words

    def _wait_until_ready(self) -> None:
        wanted = ["/v2/health/ready", *(f"/v2/models/{name}/ready" for name in self.models)]
        end = time.monotonic() + self._timeout
        while wanted:
            assert self._child is not None
            status = self._child.poll()
            if status is not None:
                raise SetupError(f"Triton ended with status {status}. The end of {self.log}:\n{self._tail()}")
            if time.monotonic() > end:
                late = f"Triton's {wanted[0]} did not come within {self._timeout:g} s"
                raise SetupError(f"{late}. The end of {self.log}:\n{self._tail()}")
            if _answers(self.http + wanted[0]):
                wanted.pop(0)
            else:
                time.sleep(0.05)

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        # Without its tables and what is for information.
        lines = [line for line in lines if line.strip() and not re.match(r"[|+]|[IW]\d{4} ", line)]
        return "\n".join(f"    {line[:300]}" for line in lines[-TAIL:])

    def _signal(self, sign: signal.Signals) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, sign)

    def __enter__(self) -> TritonServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
