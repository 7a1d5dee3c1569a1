"""Stubs of TensorRT's Python API, made from the bindings' wheel alone.

The bindings need NVIDIA's libraries to be imported, and those come from nowhere but NVIDIA. Empty libraries that export
the few functions the bindings ask for are enough for looking at classes, enumerations and signatures, though not for
calling anything.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from installer import stamp
from installer.console import SetupError, Step
from installer.process import clean_environment, run

BINDINGS = "tensorrt_bindings"  # the package in the wheel; `tensorrt` is a thin one over it
MAKING = 2  # raise it when the making changes, so that existing stubs are made anew
PYTHONS_OWN = ("Py", "_Py")
MENDING = (
    # What Python cannot read: a parameter named after a keyword, and one without a default behind one that has it.
    (r"(?<=[( ])in(?=: )", "in_"),
    (r"(= [^,()=]+, \w+: [\w.]+)(?=[,)])", r"\1 = ..."),
    # What the bindings can do and pybind11 does not tell: the texts beside these classes promise it.
    (r"(\w: Dims)(?=[,)])", r"\1 | typing.Sequence[int]"),
    (r"(?m)^class Dims:$", r"\g<0>\n    def __iter__(self) -> typing.Iterator[int]: ..."),
    (r"(?m)^class IHostMemory:$", r"\g<0>\n    def __buffer__(self, flags: int, /) -> memoryview: ..."),
    (BINDINGS, "tensorrt"),
)


def make(wheel: Path, generator: Path, python: str, into: Path) -> Path:
    """Stubs of `tensorrt` from an unpacked bindings wheel, made once.

    Args:
        wheel: the folder it was unpacked into.
        generator: the folder that pybind11-stubgen was unpacked into.
        python: an interpreter of the version that both were unpacked for.
        into: the folder for the stubs and what they are made with.

    Returns:
        The folder for MYPYPATH.

    Raises:
        SetupError: there is no compiler, or the bindings or the generator have changed and no longer fit.
    """
    note, wanted = into / ".made.json", {"wheel": wheel.name, "generator": generator.name, "making": MAKING}
    stubs = into / "stubs"
    if stamp.read(note) == wanted:
        return stubs
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    stand_ins(wheel, into / "libraries")
    generate(wheel, generator, python, into)
    put_in_order(into / "generated" / BINDINGS, stubs / "tensorrt")
    stamp.write(note, wanted)
    return stubs


def stand_ins(wheel: Path, folder: Path) -> None:
    """Empty libraries in place of NVIDIA's, in a folder.

    Raises:
        SetupError: no C compiler, or no binutils.
    """
    modules = sorted(wheel.rglob("*.so"))
    libraries = {name for module in modules for name in needed(_tool("readelf", "-d", module)) if "libnv" in name}
    symbols = {name for module in modules for name in undefined(_tool("nm", "-D", "--undefined-only", module))}
    folder.mkdir(parents=True)
    source = folder / "stand_in.c"
    source.write_text(c_source(sorted(symbols)), encoding="utf-8")
    compiler = os.environ.get("CC", "cc").split()[0]
    for name in sorted(libraries):
        _tool(compiler, "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", folder / name, source)


def needed(readelf: str) -> list[str]:
    """The libraries that a shared object asks for, from `readelf -d`."""
    return re.findall(r"\(NEEDED\).*\[([^\]]+)\]", readelf)


def undefined(nm: str) -> list[str]:
    """The C functions it misses that neither the C library (they have a version) nor Python has, from `nm -D`."""
    names = re.findall(r"^\s*U (\w+)$", nm, re.MULTILINE)
    return [name for name in names if not name.startswith(PYTHONS_OWN)]


def c_source(symbols: Iterable[str]) -> str:
    """A C file whose functions all return nothing."""
    return "".join(f"void *{name}(void) {{ return 0; }}\n" for name in symbols)


def generate(wheel: Path, generator: Path, python: str, into: Path) -> None:
    """Import the bindings over the stand-ins and write down what is in them.

    Raises:
        SetupError: the import or the generator failed.
    """
    step = Step(f"      making stubs of {wheel.name}")
    variables = {
        "LD_LIBRARY_PATH": str(into / "libraries"),
        "PYTHONPATH": os.pathsep.join(map(str, (wheel, generator))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [python, "-m", "pybind11_stubgen", "--ignore-all-errors", "-o", into / "generated", BINDINGS]
    env = clean_environment(variables)
    run(command, log=into / "stubgen.log", env=env, cwd=into, step=step, state=lambda _: "working")
    step.done()


def put_in_order(generated: Path, into: Path) -> None:
    """Copy generated stubs, mended and under the name that programs import.

    Raises:
        SetupError: there are none, or one is no Python after mending.
    """
    if not generated.is_dir():
        raise SetupError(f"pybind11-stubgen made no {generated}; does the wheel still hold {BINDINGS}?")
    for path in sorted(generated.rglob("*.pyi")):
        text = mended(path.read_text(encoding="utf-8"))
        try:
            ast.parse(text)
        except SyntaxError as error:
            what = f"{path}, line {error.lineno}, is no Python: {error.text!r}"
            raise SetupError(f"{what}; add to MENDING in {__file__}") from None
        target = into / path.relative_to(generated)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def mended(text: str) -> str:
    """A stub that Python can read, true to the bindings, under the name that programs import."""
    for wrong, right in MENDING:
        text = re.sub(wrong, right, text)
    return text


def _tool(program: str, *arguments: str | Path) -> str:
    """The output of a tool of the compiler's."""
    command: Sequence[str] = [program, *map(str, arguments)]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        raise SetupError(f"no {program} on PATH; install build-essential (Debian/Ubuntu) or gcc (Fedora)") from None
    except subprocess.CalledProcessError as error:
        raise SetupError(f"{program} failed: {error.stderr.strip()[-300:]}") from None
