"""A real IP link to a network namespace of its own, whose packets can be delayed, lost, held back. Linux, root."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from impairment.schedule import Conditions

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_MTU = 1500
_QUEUE = 2000  # packets the kernel keeps for the forwarder: enough for bursts of TCP
_NETWORKS = 1 << 14  # of 4 addresses in 198.18.0.0/16, which RFC 2544 sets aside for trials
_count = itertools.count()


class LinkError(Exception):
    """This machine does not let us make a link."""


class Link:
    """Two TUN devices, one here and one in a new network namespace, and a process that carries packets between them.

    Nothing of it has a name that could be left over: the devices belong to open descriptors and the namespace to the
    processes in it, so all of it is gone when the link is closed, and also when this process dies in whatever way. A
    server in the namespace is ended by whoever started it.

    Example:
        with Link() as link:
            server = subprocess.Popen(link.server_command(["server", "--address", link.host]))
            link.set(Conditions(delay=0.05, loss=0.05))

    Args:
        seed: of jitter and loss.

    Attributes:
        host: address of the far end, IPv4.

    Raises:
        LinkError: it cannot be made here.
    """

    def __init__(self, seed: int = 0) -> None:
        if why := self.available():
            raise LinkError(why)
        name = f"eai{os.getpid()}n{next(_count)}"
        ours, theirs = _device(f"{name}a"), _device(f"{name}b")
        try:
            self._process = subprocess.Popen(
                ["unshare", "--net", sys.executable, "-m", "impairment.forwarder", str(ours), str(theirs), str(seed)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(ours, theirs),
                cwd=Path(__file__).resolve().parents[1],
                start_new_session=True,  # Ctrl-C in a terminal is for the one who will close it
            )
        finally:
            os.close(ours)
            os.close(theirs)
        try:
            self._hear("ready")
            self.host = self._configure(f"{name}a", f"{name}b")
            self._conditions = Conditions()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def available() -> str:
        """Why there can be no link here; empty if there can."""
        if missing := [tool for tool in ("ip", "unshare", "nsenter") if shutil.which(tool) is None]:
            return f"no {' and no '.join(missing)} on this machine"
        try:
            os.close(_device(f"eai{os.getpid()}t{next(_count)}"))
        except OSError as error:
            return f"no TUN device for us: {error.strerror}"
        trial = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
        return f"no network namespace for us: {trial.stderr.strip()}" if trial.returncode else ""

    @property
    def conditions(self) -> Conditions:
        """As they are now."""
        return self._conditions

    def server_command(self, argv: Sequence[str]) -> list[str]:
        """A command that runs another at the far end; the process it starts becomes that command."""
        return ["nsenter", f"--net=/proc/{self._process.pid}/ns/net", "--", *argv]

    def set(self, conditions: Conditions) -> None:
        """Change the link; in force when this returns.

        Raises:
            ValueError: a condition that no IP link has: reset, refuse, slow_loris.
            LinkError: the link is gone.
        """
        if conditions.reset or conditions.refuse or conditions.slow_loris:
            raise ValueError("reset, refuse and slow_loris are a server's, not a link's: use TcpProxy")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asdict(conditions)).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise LinkError("the link is gone") from error
        self._hear("in force")
        self._conditions = conditions

    def close(self) -> None:
        """Take it down; harmless when it is down."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hear(self, word: str) -> None:
        assert self._process.stdout is not None
        if (heard := self._process.stdout.readline().decode().strip()) != word:
            raise LinkError(f"the link's process said {heard!r}, wanted {word!r}")

    def _configure(self, ours: str, theirs: str) -> str:
        near, far = _free_addresses()
        _run(["ip", "link", "set", theirs, "netns", str(self._process.pid)])
        _run(["ip", "address", "add", near, "peer", far, "dev", ours])
        _run(["ip", "link", "set", ours, "mtu", str(_MTU), "txqueuelen", str(_QUEUE), "up"])
        for command in (
            ["ip", "link", "set", "lo", "up"],
            ["ip", "address", "add", far, "peer", near, "dev", theirs],
            ["ip", "link", "set", theirs, "mtu", str(_MTU), "txqueuelen", str(_QUEUE), "up"],
        ):
            _run(self.server_command(command))
        return far


def _device(name: str) -> int:
    """A new TUN device; its descriptor, and it is gone when the last copy of that is closed."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _free_addresses() -> tuple[str, str]:
    """Two addresses of a network that nothing on this machine leads to by more than its default route."""
    used = _run(["ip", "-4", "route", "show", "table", "all"])
    for number in range(_NETWORKS):
        net = (os.getpid() + number) % _NETWORKS * 4
        near, far = (f"198.18.{(net + host) >> 8}.{(net + host) & 255}" for host in (1, 2))
        if f"{near} " not in used and f"{far} " not in used:
            return near, far
    raise LinkError("all of 198.18.0.0/16 is in use")


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LinkError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
