"""Hold our GPU code against NVIDIA's libraries of several releases, on a machine without a GPU.

For each `vendor-*` group of setup.cfg: mypy over the package with stubs made from that release's TensorRT bindings, and
whatever the package uses of cuda-bindings looked up in the real module. Everything is kept in out/typecheck/.

    python tools/typecheck.py [vendor-jetpack6 ...]      status 0: fine, 1: findings, 3: a release could not be had
"""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from installer import pythons, requirements
from installer.console import SetupError, say
from installer.process import clean_environment
from vendor import loaded, names, stubs
from vendor.wheels import Shelf

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out" / "typecheck"
TOOLS = "vendor-tools"
PREFIX = "vendor-"
HAVE_WHEELS: tuple[pythons.Version, ...] = ((3, 12), (3, 11), (3, 10))  # of every release
FINE, FINDINGS, NOT_CHECKED = 0, 1, 3


@dataclass(frozen=True)
class Release:
    """A release of NVIDIA's libraries, as a group of setup.cfg names it.

    Attributes:
        group: the group's name.
        tensorrt: requirement line of the TensorRT bindings.
        cuda: requirement line of cuda-bindings.
    """

    group: str
    tensorrt: str
    cuda: str


def main(arguments: Sequence[str]) -> int:
    """Check against each release, or those named; the exit status."""
    try:
        version, python = interpreter()
        shelf = Shelf(OUT / "wheels", version)
        chosen = [release(group) for group in arguments or groups(ROOT / "setup.cfg")]
        return max(check(one, shelf, python) for one in chosen)
    except SetupError as error:
        say(f"NOT CHECKED: {error}")
        return NOT_CHECKED
    except KeyboardInterrupt:
        return 130


def interpreter() -> tuple[pythons.Version, str]:
    """The Python that imports the vendor's modules: this one, or another that all releases have wheels for.

    Raises:
        SetupError: there is none.
    """
    this = sys.version_info[:2]
    if this in HAVE_WHEELS:
        return this, sys.executable
    for version in HAVE_WHEELS:
        if program := pythons.find(version):
            return version, program
    wanted = ", ".join(f"{major}.{minor}" for major, minor in HAVE_WHEELS)
    raise SetupError(f"TensorRT 10.3 has wheels for Python {wanted}; this is {this[0]}.{this[1]}. Install one of them")


def groups(setup_cfg: Path) -> list[str]:
    """The names of all releases."""
    parser = configparser.ConfigParser()
    parser.read(setup_cfg, encoding="utf-8")
    return [name for name in parser["options.extras_require"] if name.startswith(PREFIX) and name != TOOLS]


def release(group: str) -> Release:
    """A release by its group's name.

    Raises:
        SetupError: there is no such group, or it does not name what a release is made of.
    """
    lines = requirements.read(ROOT / "setup.cfg", [group])
    found = {what: line for line in lines for what in ("tensorrt", "cuda") if line.startswith(what)}
    if set(found) != {"tensorrt", "cuda"}:
        raise SetupError(f"group {group} of setup.cfg names {', '.join(lines)}; wanted tensorrt-* and cuda-bindings")
    return Release(group, found["tensorrt"], found["cuda"])


def check(one: Release, shelf: Shelf, python: str) -> int:
    """Check against a release and say what came of it; the exit status."""
    try:
        found = [*check_tensorrt(one, shelf, python), *check_cuda(one, shelf, python)]
    except SetupError as error:
        say(f"{one.group}: NOT CHECKED, {error}")
        return NOT_CHECKED
    for line in found:
        say(f"  {line}")
    say(f"{one.group} ({one.tensorrt}, {one.cuda}): {f'{len(found)} FINDINGS' if found else 'ok'}")
    return FINDINGS if found else FINE


def check_tensorrt(one: Release, shelf: Shelf, python: str) -> list[str]:
    """What mypy finds in the package with a release's stubs.

    Raises:
        SetupError: the stubs cannot be made, or mypy does not use them.
    """
    tools = shelf.unpacked(requirements.read(ROOT / "setup.cfg", [TOOLS]))
    wheel = shelf.unpacked([one.tensorrt], dependencies=False)
    folder = OUT / "stubs" / wheel.name
    made = stubs.make(wheel, tools, python, folder)
    asked = loaded.names(sources())
    program = folder / "asked.py"
    program.write_text(loaded.program(asked), encoding="utf-8")
    found = mypy([ROOT / "edge_ai", program], made)
    lines = [finding.words for finding in found if finding.path != program]
    missing = [loaded.asked_in(finding.line, asked) for finding in found if finding.path == program]
    if not any(name.path == loaded.CANARY for name in missing):
        raise SetupError(f"mypy does not use the stubs in {made}: it let a name pass that no version has")
    return [*lines, *(f"{name.file}:{name.line}: no {name.path} in {one.tensorrt}" for name in missing if name.file)]


def sources() -> dict[str, str]:
    """The package's files by their name."""
    paths = sorted((ROOT / "edge_ai").rglob("*.py"))
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


@dataclass(frozen=True)
class Finding:
    """What mypy found.

    Attributes:
        path: the file.
        line: its line.
        words: both, the message and its code.
        code: mypy's code: "attr-defined".
    """

    path: Path
    line: int
    words: str
    code: str


def mypy(paths: Iterable[Path], stubs_folder: Path) -> list[Finding]:
    """What mypy finds, without what it finds in the stubs.

    Raises:
        SetupError: it could not do its work.
    """
    cache = ["--cache-dir", str(OUT / "mypy")]
    command = [sys.executable, "-m", "mypy", "--output", "json", *cache, *map(str, paths)]
    env = clean_environment({"MYPYPATH": str(stubs_folder)})
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SetupError(f"mypy ended with status {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return list(read(done.stdout, stubs_folder))


def read(output: str, stubs_folder: Path) -> Iterator[Finding]:
    """mypy's JSON lines, without those of the stubs themselves."""
    for line in output.splitlines():
        finding = json.loads(line)
        path = ROOT / finding["file"]
        if finding["severity"] == "error" and stubs_folder not in path.parents:
            code = finding["code"] or ""
            words = f"{os.path.relpath(path, ROOT)}:{finding['line']}: {finding['message']} [{code}]"
            yield Finding(path, finding["line"], words, code)


def check_cuda(one: Release, shelf: Shelf, python: str) -> list[str]:
    """What the package uses of cuda-bindings and a release does not have.

    Raises:
        SetupError: the wheel cannot be had or imported.
    """
    users = {file: source for file, source in sources().items() if names.imports(source, names.RUNTIME)}
    there = names.offers(shelf.unpacked([one.cuda]), python)
    return [
        f"{file}:{use.line}: {words} [{one.cuda}]"
        for file, source in users.items()
        for use, words in names.faults(names.uses(source), there)
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
