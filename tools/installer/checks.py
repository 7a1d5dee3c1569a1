"""What must be on the machine before set-up can start, and which package brings it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

from installer.console import SetupError

LEAST_GLIBC = (2, 28)  # of the manylinux wheels


def check_machine() -> None:
    """Check architecture, C library, venv, compilers, headers.

    Raises:
        SetupError: one is missing; says which package brings it.
    """
    check_platform(platform.system(), platform.machine(), platform.libc_ver())
    check_venv()
    check_compilers(os.environ.get("PATH"))
    check_headers(Path(sysconfig.get_paths()["include"]))


def check_platform(system: str, machine: str, libc: tuple[str, str]) -> None:
    """Refuse where there are no ROS 2 wheels.

    Raises:
        SetupError: not x86-64 Linux with glibc >= 2.28.
    """
    elsewhere = "Use ROS 2 from apt or a container there (README, 'On a robot'); `pip install .` works without ROS"
    if (system, machine) != ("Linux", "x86_64"):
        raise SetupError(f"ROS 2 comes as wheels for x86-64 Linux only; this is {machine} {system}. {elsewhere}")
    name, version = libc
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if name != "glibc" or numbers < LEAST_GLIBC:
        wanted = ".".join(map(str, LEAST_GLIBC))
        raise SetupError(f"the ROS 2 wheels need glibc {wanted} or newer; got {name or 'another C library'} {version}")


def check_venv() -> None:
    """Refuse where `python -m venv` cannot put pip into an environment.

    Raises:
        SetupError: ensurepip is missing.
    """
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"Python cannot make virtual environments: ensurepip is missing. Install {_versioned('venv')} or "
            "python3-venv (Debian/Ubuntu); Fedora's python3 has it"
        )


def check_compilers(path: str | None) -> None:
    """Refuse without a C compiler, a C++ compiler or make on a search path.

    Raises:
        SetupError: one is missing.
    """
    for what, variable, programs, packages in (
        ("C compiler", "CC", ("cc", "gcc", "clang"), "build-essential (Debian/Ubuntu) or gcc (Fedora)"),
        ("C++ compiler", "CXX", ("c++", "g++", "clang++"), "build-essential or g++ (Debian/Ubuntu), gcc-c++ (Fedora)"),
        ("make", "MAKE", ("make", "gmake"), "make (Debian/Ubuntu and Fedora)"),
    ):
        candidates = [os.environ[variable].split()[0]] if os.environ.get(variable, "").strip() else list(programs)
        if not any(shutil.which(program, path=path) for program in candidates):
            raise SetupError(
                f"no {what} ({', '.join(candidates)}) on PATH; ROS 2's message generators need one. Install {packages}"
            )


def check_headers(include: Path) -> None:
    """Refuse without Python.h in the interpreter's include folder.

    Raises:
        SetupError: it is not there.
    """
    if not (include / "Python.h").is_file():
        raise SetupError(
            f"Python's headers are missing (no {include / 'Python.h'}); the messages are built against them. "
            f"Install {_versioned('dev')} or python3-dev (Debian/Ubuntu), python3-devel (Fedora)"
        )


def sourced_ros() -> str | None:
    """The name of a ROS 2 distribution that is sourced in this shell and has rclpy, or None."""
    distribution = os.environ.get("ROS_DISTRO")
    if not distribution:
        return None
    folders = [Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return distribution if any((folder / "rclpy").is_dir() for folder in folders) else None


def _versioned(part: str) -> str:
    return f"python{sys.version_info[0]}.{sys.version_info[1]}-{part}"
