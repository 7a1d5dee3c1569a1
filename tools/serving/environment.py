"""Triton's own environment, out/triton/: the server from its wheel, and what a model of ours needs inside it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from installer import beside, pythons, requirements
from installer.console import SetupError
from installer.interpreter import version_of
from installer.process import clean_environment

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "out" / "triton"
# numpy 1.26, which the Python backend needs, has wheels for these; the newest are tried last.
PYTHONS = ((3, 11), (3, 10), (3, 12))
_ASK = (
    "import sysconfig as s; print(s.get_paths()['purelib']); print(s.get_config_var('LIBDIR') or '');"
    "print(s.get_config_var('INSTSONAME') or '')"
)


@dataclass(frozen=True)
class TritonInstall:
    """Where a Triton is and how it is started.

    Attributes:
        program: its executable.
        backends: folder of its backends.
        libraries: folders that it needs on its library path.
        site: packages for the models of its Python backend.
    """

    program: Path
    backends: Path
    libraries: tuple[Path, ...]
    site: Path

    def variables(self) -> dict[str, str]:
        """The environment it runs in: our packages and this source tree for its models, no ROS."""
        libraries = os.pathsep.join(map(str, self.libraries))
        sites = os.pathsep.join(map(str, (self.site, ROOT)))
        # The stub takes the first Python on PATH for its own, and with it that one's packages.
        path = os.pathsep.join([str(FOLDER / "bin"), os.environ.get("PATH", os.defpath)])
        own = {"LD_LIBRARY_PATH": libraries, "EDGE_AI_SITE": sites, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        return clean_environment(own)


def unfit() -> str:
    """Why no Triton can run on this machine; empty if one can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"Triton's wheel is for Linux on x86-64, this is {sys.platform} on {platform.machine()}"
    if _interpreter() is None:
        wanted = " or ".join(f"{major}.{minor}" for major, minor in PYTHONS)
        return f"Triton's Python backend needs Python {wanted}, and there is none on PATH or in pyenv"
    return ""


def prepare() -> TritonInstall:
    """Make the environment where it is not there yet.

    Raises:
        SetupError: it cannot be made, or cannot run on this machine.
    """
    if why := unfit():
        raise SetupError(why)
    program = _interpreter()
    assert program is not None
    lines, alone = (requirements.read(ROOT / "setup.cfg", [group]) for group in ("triton", "triton-server"))
    with _one_at_a_time():
        python = beside.make(program, FOLDER, lines, alone=alone)
        return _install(python)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _interpreter() -> str | None:
    if version_of(sys.executable) in PYTHONS:
        return sys.executable
    return next((program for version in PYTHONS if (program := pythons.find(version))), None)


def _install(python: Path) -> TritonInstall:
    """Put the Python backend together with the stub for that Python."""
    asked = subprocess.run([python, "-c", _ASK], capture_output=True, text=True, check=True, env=clean_environment({}))
    site, library_folder, library = asked.stdout.splitlines()
    version = ".".join(map(str, version_of(str(python)) or ()))
    wheel = Path(site) / "pytriton" / "tritonserver"
    stub = wheel / "python_backend_stubs" / version / "triton_python_backend_stub"
    backends = FOLDER / "backends"
    if not (backends / "python" / stub.name).exists():
        shutil.copytree(wheel / "backends" / "python", backends / "python", dirs_exist_ok=True)
        shutil.copy2(stub, backends / "python" / stub.name)
    libraries = [Path(site) / "nvidia_pytriton.libs"]
    if re.fullmatch(r"libpython.*\.so.*", library) and (Path(library_folder) / library).exists():
        libraries.append(Path(library_folder))
    elif not _loads(f"libpython{version}.so.1.0"):
        raise SetupError(f"Triton's Python backend needs libpython{version}.so.1.0; apt install libpython{version}")
    return TritonInstall(wheel / "bin" / "tritonserver", backends, tuple(libraries), Path(site))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
