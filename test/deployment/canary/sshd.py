"""A real sshd on loopback that lets in one key: robots as far as ssh sees them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
UNPACKED = ROOT / "out" / "programs" / "sshd"
SSHD = Path(shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or UNPACKED / "usr/sbin/sshd")
MISSING = not SSHD.exists() or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None


class Sshd:
    """Serves from its making to `stop`, and from `start` on again.

    ``config`` is for ssh -F and knows "robot1" and "robot2", a "stranger" whose key nobody knows, and a "ghost" that is
    switched off. A robot finds its name in $ROBOT.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for key in ("host", "user"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key]
            subprocess.run(words, check=True)
        server = folder / "sshd_config"
        server.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
            "StrictModes no\nPidFile none\nPasswordAuthentication no\nAcceptEnv ROBOT\n"
        )
        known = folder / "known_hosts"
        key = (folder / "host.pub").read_text()
        known.write_text("".join(f"{name} {key}" for name in ("robot1", "robot2")))
        self.config = folder / "ssh_config"
        self.config.write_text(
            "".join(self._entry(name, self.port) for name in ("robot1", "robot2", "stranger"))
            + self._entry("ghost", 1)
            + f"Host *\nHostName 127.0.0.1\nIdentityFile {folder}/user\nIdentitiesOnly yes\n"
            f"UserKnownHostsFile {known}\nGlobalKnownHostsFile none\n"
        )
        self._words = self._command(folder, server)
        self.start()

    def start(self) -> None:
        """Listen again."""
        with self.config.with_name("sshd.log").open("ab") as log:
            env = {**os.environ, "LD_LIBRARY_PATH": str(_libraries())}
            self._process = subprocess.Popen(self._words, stderr=log, env=env)
        self._wait()

    def stop(self) -> None:
        """End it; connections that are open go on."""
        self._process.terminate()
        self._process.wait(10)

    def _entry(self, name: str, port: int) -> str:
        return f"Host {name}\nPort {port}\nHostKeyAlias {name}\nSetEnv ROBOT={name}\n"

    def _command(self, folder: Path, config: Path) -> list[str]:
        words = [str(SSHD), "-D", "-e", "-f", str(config)]
        if os.getuid() or (_known("sshd") and Path("/run/sshd").is_dir()):
            return words
        # Root's sshd wants a user and a folder of its own: here they are only in a mount namespace, gone with it.
        passwd = folder / "passwd"
        passwd.write_text(Path("/etc/passwd").read_text() + "sshd:x:65000:65534::/run/sshd:/usr/sbin/nologin\n")
        script = 'mount --bind "$0" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(passwd), *words]

    def _wait(self) -> None:
        end = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise OSError("sshd does not listen")


def _libraries() -> Path:
    return UNPACKED / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"


def _known(user: str) -> bool:
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False
