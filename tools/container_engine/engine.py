"""A container engine: this machine's own where it answers, else a dockerd that runs for as long as a `with` block.

with Engine(Path("out/containers")) as engine:
    engine.docker("build", "--tag", "x", ".")
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from installer.console import SetupError

from container_engine.programs import Programs

START, GRACE = 30.0, 30.0  # s
TAIL = 15  # lines of output in an error


class Engine:
    """Runs docker and compose.

    Args:
        folder: takes images and containers of an engine of our own, 3 GB; what is in it is found again.

    Raises:
        AptError: the programs cannot be had here.
        SetupError: no engine can run here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours = not answers()
        self._compose: list[str] = ["docker", "compose"]
        self._environment: Mapping[str, str] = {**os.environ, "DOCKER_BUILDKIT": "1"}
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Engine:
        if self.ours:
            programs = Programs()
            programs.fetch()
            url = f"unix://{self.folder / 'run' / 'docker.sock'}"
            self._environment, self._compose = {**programs.environment(), "DOCKER_HOST": url}, programs.compose()
            self._start(url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._daemon is None:
            return
        self._daemon.send_signal(signal.SIGTERM)  # it ends the containers, too
        try:
            self._daemon.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        for mounted in (self.folder / "run" / "exec" / "netns").glob("*"):  # dockerd leaves the host's network there
            subprocess.run(["umount", str(mounted)], capture_output=True, check=False)

    def docker(self, *words: str | Path, timeout: float = 60.0, extra: Mapping[str, str] | None = None) -> str:
        """Run the client; what it prints.

        Raises:
            SetupError: it failed; with the end of what it said.
        """
        return self._run(["docker", *map(str, words)], timeout, extra or {})

    def compose(self, *words: str | Path, timeout: float = 120.0, extra: Mapping[str, str] | None = None) -> str:
        """Run compose; what it prints.

        Raises:
            SetupError: it failed; with the end of what it said.
        """
        return self._run([*self._compose, *map(str, words)], timeout, extra or {})

    def show(self, *words: str | Path) -> None:
        """Run the client and let its output through; for what takes minutes.

        Raises:
            SetupError: it failed.
        """
        done = subprocess.run(["docker", *map(str, words)], env=dict(self._environment), check=False)
        if done.returncode != 0:
            raise SetupError(f"docker {words[0]} ended with status {done.returncode}, see above")

    def run(self, *command: str | Path) -> None:
        """Run another of the programs, such as mmdebstrap.

        Raises:
            SetupError: it failed; with the end of what it said.
        """
        self._run(list(map(str, command)), 600.0, {})

    def has_image(self, name: str) -> bool:
        """Whether an image of this name is there."""
        return bool(self.docker("image", "ls", "--quiet", name).strip())

    def _run(self, command: Sequence[str], timeout: float, extra: Mapping[str, str]) -> str:
        done = subprocess.run(
            command,
            env={**self._environment, **extra},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-TAIL:])
            raise SetupError(f"'{' '.join(command[:4])} ...' ended with status {done.returncode}:\n{tail}")
        return done.stdout

    def _start(self, url: str) -> None:
        """Start dockerd without networks of its own, so that nothing of this machine's is changed."""
        (self.folder / "run").mkdir(parents=True, exist_ok=True)
        command = ["dockerd", f"--host={url}", f"--data-root={self.folder / 'data'}"]
        command += [f"--exec-root={self.folder / 'run' / 'exec'}", f"--pidfile={self.folder / 'run' / 'pid'}"]
        command += ["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
        log = self.folder / "dockerd.log"
        with log.open("wb") as out:
            self._daemon = subprocess.Popen(
                command, env=dict(self._environment), stdout=out, stderr=out, start_new_session=True
            )
        end = time.monotonic() + START
        while not answers(self._environment):
            if self._daemon.poll() is not None or time.monotonic() > end:
                self.__exit__(None, None, None)
                raise SetupError(f"dockerd does not run here: {_last_line(log)} (all of it in {log})")
            time.sleep(0.1)


def unfit() -> str:
    """Why no engine can run here; empty if one can."""
    if answers():
        return ""
    if os.geteuid() != 0:
        return "no Docker answers here, and only root can start one"
    if shutil.which("apt-get") is None:
        return "no Docker answers here, and there is no apt to bring one"
    return ""


def answers(environment: Mapping[str, str] | None = None) -> bool:
    """Whether an engine answers to the docker client of an environment."""
    env = dict(environment or os.environ)
    client = shutil.which("docker", path=env.get("PATH"))
    if client is None:
        return False
    command = [client, "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, env=env, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"
