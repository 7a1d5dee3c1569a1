"""Debian's arm64 Python and our requirements' aarch64 wheels in a folder, and a program that runs them.

qemu's user mode takes libraries and Python's own files from the folder (its option -L), so that nothing is mounted,
registered with the kernel or installed, and nobody needs root: deleting the folder removes all of it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from debs import AptError, PrivateApt, unpack
from installer import stamp
from installer.console import SetupError, Step
from installer.process import clean_environment, run

PACKAGES = ("python3", "libstdc++6", "libgomp1")  # the wheels bring the rest of what they need
EMULATOR = "qemu-user-static"
MERGED = ("bin", "sbin", "lib")  # in all of today's releases links into usr/
# ARMv8.2 with FP16 and dot products and without SVE, as Orin's cores are; the newest such core that qemu 7.2 knows.
CORE = "cortex-a76"
CPUINFO = """processor\t: {}
BogoMIPS\t: 62.50
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

"""
LEAST_GLIBC, MAKING = 17, 2  # raise MAKING when the making changes, so that existing roots are made anew


@dataclass(frozen=True)
class Root:
    """An emulated Python with our requirements.

    Attributes:
        folder: all of it.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """The program to call; it starts itself again for child processes."""
        return self.folder / "bin" / "python"

    @property
    def system(self) -> Path:
        """Debian's files."""
        return self.folder / "debian"

    def make(self, requirements: Sequence[str]) -> None:
        """Bring it up to date; from nothing where the requirements have changed.

        Raises:
            AptError: the packages cannot be had here.
            SetupError: the wheels cannot.
        """
        note, wanted = self.folder / ".made.json", {"requirements": list(requirements), "making": MAKING}
        if stamp.read(note) == wanted:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.system.mkdir(parents=True)
        self._fetch_packages()
        version = python_version(self.system)
        self._write_program(version)
        self._install(requirements, version)
        stamp.write(note, wanted)

    def _fetch_packages(self) -> None:
        step = Step("      fetching Debian's arm64 Python and qemu")
        prepare(self.system)
        for folder, architecture, packages in (("arm64", "arm64", PACKAGES), ("native", "", (EMULATOR,))):
            apt = PrivateApt(self.folder / "apt" / folder, architecture, installed=False)
            apt.update()
            for package in apt.closure(packages):
                unpack(package, self.system if architecture else self.folder / "emulator")
        shutil.rmtree(self.folder / "apt")
        # ONNX Runtime ends with a signal where an aarch64 has this machine's /proc/cpuinfo.
        describe_processor(self.system / "proc")
        step.done()

    def _write_program(self, version: str) -> None:
        """A virtual environment whose Python is a script: child processes, too, then start under the emulator."""
        self.python.parent.mkdir()
        emulator = find_emulator(self.folder / "emulator" / "usr" / "bin")
        self.python.write_text(program(emulator, self.system, version), encoding="utf-8")
        self.python.chmod(self.python.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        home = self.system / "usr" / "bin"
        (self.folder / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")

    def _install(self, requirements: Sequence[str], version: str) -> None:
        step = Step("      fetching the aarch64 wheels")
        place = self.folder / "lib" / f"python{version}" / "site-packages"
        command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--no-compile", "--target", place]
        command += ["--only-binary", ":all:", "--python-version", version, *platforms(self.glibc()), *requirements]
        env = clean_environment({"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
        log = self.folder / "pip.log"
        run(command, log=log, env=env, cwd=self.folder, step=step, state=lambda _: "working")
        step.done()

    def glibc(self) -> int:
        """The minor version of Debian's C library, as it says itself, under the emulator.

        Raises:
            SetupError: the emulator does not run.
        """
        command = [self.python, "-c", "import platform; print(platform.libc_ver()[1])"]
        done = subprocess.run(command, env=clean_environment({}), capture_output=True, text=True, check=False)
        match = re.fullmatch(r"2\.(\d+)", done.stdout.strip())
        if match is None:
            raise SetupError(f"the emulated Python does not start: {done.stderr.strip()[-300:] or done.stdout.strip()}")
        return int(match[1])


def prepare(system: Path) -> None:
    """An empty root with the links that packages count on."""
    for name in MERGED:
        (system / "usr" / name).mkdir(parents=True, exist_ok=True)
        os.symlink(f"usr/{name}", system / name)


def describe_processor(proc: Path) -> None:
    """A /proc with the emulated processor's description, as many cores as there are here."""
    proc.mkdir()
    text = "".join(CPUINFO.format(number) for number in range(os.cpu_count() or 1))
    (proc / "cpuinfo").write_text(text, encoding="utf-8")


def find_emulator(programs: Path) -> Path:
    """qemu among unpacked programs; newer releases have dropped the suffix.

    Raises:
        AptError: it is not there.
    """
    for name in ("qemu-aarch64-static", "qemu-aarch64"):
        if (programs / name).exists():
            return programs / name
    raise AptError(f"the package {EMULATOR} brought no qemu-aarch64")


def python_version(system: Path) -> str:
    """The version of the Python in a root, "3.11".

    Raises:
        AptError: there is none.
    """
    found = [re.fullmatch(r"python(3\.\d+)", path.name) for path in (system / "usr" / "bin").glob("python3.*")]
    versions = [match[1] for match in found if match]
    if not versions:
        raise AptError("the package python3 brought no Python")
    return versions[0]


def program(emulator: Path, system: Path, version: str) -> str:
    """A script that is the emulated Python; it must not learn that its own name is another."""
    python = system / "usr" / "bin" / f"python{version}"
    return f'#!/bin/sh\nexec "{emulator}" -cpu {CORE} -L "{system}" -0 "$0" "{python}" "$@"\n'


def platforms(glibc: int) -> list[str]:
    """pip's options for wheels that run on aarch64 with a C library 2.glibc."""
    names = [f"manylinux_2_{minor}_aarch64" for minor in range(glibc, LEAST_GLIBC - 1, -1)]
    return [word for name in (*names, "manylinux2014_aarch64") for word in ("--platform", name)]
