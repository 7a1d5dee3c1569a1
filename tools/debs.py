"""Debian's or Ubuntu's packages without root: private lists, files unpacked into a folder, nothing installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from installer.process import clean_environment


class AptError(Exception):
    """apt could not bring a package; says why in a few words."""


class PrivateApt:
    """The machine's package sources, read into lists of our own.

    Args:
        folder: takes the lists and packages, some 100 MB.
        architecture: of the packages, "arm64"; default this machine's.
        installed: whether what is installed here counts as there already.

    Raises:
        AptError: there is no apt here.
    """

    def __init__(self, folder: Path, architecture: str = "", *, installed: bool = True) -> None:
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise AptError("no apt on this machine")
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "state" / "none").touch()
        self.folder = folder
        status = "/var/lib/dpkg/status" if installed else folder / "state" / "none"
        options = {
            "Dir::State": folder / "state",
            "Dir::State::status": status,
            "Dir::Cache": folder / "cache",
            "Acquire::Languages": "none",
            "Acquire::Retries": 1,
            "Acquire::http::Timeout": 20,
            "Acquire::https::Timeout": 20,
            "APT::Sandbox::User": "root",
            "APT::Update::Post-Invoke::": "",
            **({"APT::Architecture": architecture, "APT::Architectures": architecture} if architecture else {}),
        }
        self.command = ["apt-get", *(f"-o{key}={value}" for key, value in options.items())]

    def update(self) -> None:
        """Read the package lists.

        Raises:
            AptError: a source could not be read.
        """
        self.run("-qq", "update")

    def closure(self, packages: Sequence[str]) -> list[Path]:
        """Fetch packages and all they depend on; the .deb files.

        Raises:
            AptError: there is no such package, or no network.
        """
        words = ["-qq", "--yes", "--download-only", "--no-install-recommends", "install"]
        self.run(*words, *packages)
        return sorted((self.folder / "cache" / "archives").glob("*.deb"))

    def run(self, *words: str) -> str:
        """Run apt-get; its output.

        Raises:
            AptError: it failed.
        """
        return output([*self.command, *words], self.folder)


def unpack(package: Path, into: Path) -> None:
    """Unpack a .deb into a folder, made where it is not there, its scripts not run.

    Raises:
        AptError: it cannot be unpacked.
    """
    into.mkdir(parents=True, exist_ok=True)
    output(["dpkg-deb", "--extract", str(package), str(into)], into)


def output(command: Sequence[str], folder: Path) -> str:
    """The output of a command.

    Raises:
        AptError: it failed.
    """
    env = clean_environment({"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"})
    done = subprocess.run(
        list(command), cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise AptError(f"{os.path.basename(command[0])} failed: {last_line(done.stderr)}")
    return done.stdout


def last_line(text: str) -> str:
    """The last words of a program that failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it gave no reason"
