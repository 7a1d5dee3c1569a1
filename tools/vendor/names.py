"""Whether what our code uses of an untyped CUDA binding is there: names, members of enumerations, argument counts."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installer.console import SetupError
from installer.process import clean_environment

RUNTIME = "cuda.bindings.runtime"
OURS = re.compile(r"cuda[A-Z]\w*")  # every public name of the runtime API looks like this
LISTER = Path(__file__).with_name("list_names.py")

Offers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Use:
    """One place that uses a name.

    Attributes:
        line: where it stands.
        name: the name.
        owner: the enumeration it is asked of, or empty.
        arguments: how many positional ones it is called with, or None where it is not called or has stars.
    """

    line: int
    name: str
    owner: str = ""
    arguments: int | None = None


def uses(source: str) -> list[Use]:
    """Every use of a name of the runtime API: runtime.cudaMalloc(1), "cudaMalloc", call("cudaMalloc", 1)."""
    tree = ast.parse(source)
    return [use for node in ast.walk(tree) for use in _uses_of(node)]


def imports(source: str, module: str) -> bool:
    """Whether a source imports a module, at its head or lazily."""
    package, _, name = module.rpartition(".")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(alias.name == module for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module in (module, package):
            return node.module == module or any(alias.name == name for alias in node.names)
    return False


def offers(folder: Path, python: str, module: str = RUNTIME) -> Offers:
    """What a module in a folder offers, in the interpreter that it was unpacked for.

    Raises:
        SetupError: it cannot be imported.
    """
    env = clean_environment({"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"})
    done = subprocess.run([python, LISTER, module], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise SetupError(f"{module} of {folder.name} cannot be imported: {reason}")
    found: Offers = json.loads(done.stdout)
    return found


def faults(wanted: Iterable[Use], there: Offers) -> Iterator[tuple[Use, str]]:
    """The uses that a module does not serve, each with the reason."""
    members = {member for about in there.values() for member in about["members"]}
    for use in wanted:
        if use.owner in there:
            if use.name not in there[use.owner]["members"]:
                yield use, f"{use.owner} has no {use.name}"
        elif use.name not in there and use.name not in members:
            yield use, f"{RUNTIME} has no {use.name}"
        elif use.arguments is not None and use.name in there:
            least, most = parameters(there[use.name]["signature"])
            if not least <= use.arguments <= most:
                range_ = str(least) if least == most else f"{least} to {most}"
                yield use, f"{use.name} takes {range_} arguments, is called with {use.arguments}"


def parameters(signature: str) -> tuple[int, float]:
    """The least and most positional arguments, read from Cython's "name(size_t size, flags=0)"; else any."""
    match = re.match(r"\w+\((.*?)\)", signature)
    if match is None:
        return 0, float("inf")
    given = [part for part in match[1].split(",") if part.strip() and part.strip() not in ("self", "/", "*")]
    return sum("=" not in part for part in given), len(given)


def _uses_of(node: ast.AST) -> Iterator[Use]:
    if isinstance(node, ast.Attribute) and OURS.fullmatch(node.attr):
        owner = node.value.attr if isinstance(node.value, ast.Attribute) else ""
        yield Use(node.lineno, node.attr, owner if OURS.fullmatch(owner) else "")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and OURS.fullmatch(node.value):
        yield Use(node.lineno, node.value)
    elif isinstance(node, ast.Call) and not any(isinstance(argument, ast.Starred) for argument in node.args):
        yield from _call(node)


def _call(node: ast.Call) -> Iterator[Use]:
    function, first = node.func, node.args[0] if node.args else None
    if isinstance(function, ast.Attribute) and OURS.fullmatch(function.attr):
        yield Use(node.lineno, function.attr, arguments=len(node.args))
    elif isinstance(first, ast.Constant) and isinstance(first.value, str) and OURS.fullmatch(first.value):
        yield Use(node.lineno, first.value, arguments=len(node.args) - 1)
