"""Names that our code asks of TensorRT through a module loaded at run time, which mypy knows nothing of.

They are written into a file of their own, one a line, and mypy reads that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

VARIABLE = "module"  # what the loaded module is called in our code, or the attribute that holds it
# Proof, in every run, that the stubs are in use: without them mypy finds nothing wrong with anything.
CANARY = "a_name_that_no_version_has"


@dataclass(frozen=True)
class Name:
    """A name asked of the module.

    Attributes:
        file: who asks.
        line: where.
        path: what: "ILogger.Severity.ERROR".
    """

    file: str
    line: int
    path: str


def names(sources: Mapping[str, str], package: str = "tensorrt") -> list[Name]:
    """What the files that know a package ask of it, by its loaded module; the canary last."""
    users = {file: ast.parse(source) for file, source in sources.items()}
    found = [
        Name(file, node.lineno, path)
        for file, tree in users.items()
        if _knows(tree, package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and (path := _path(node))
    ]
    return [*dict.fromkeys(found), Name("", 0, CANARY)]


def program(asked: Sequence[Name], package: str = "tensorrt") -> str:
    """A file that asks the same of the package as mypy knows it, the first name in line 2."""
    return "\n".join([f"import {package}", *(f"{package}.{name.path}" for name in asked), ""])


def asked_in(line: int, asked: Sequence[Name]) -> Name:
    """The name that a line of the program stands for."""
    return asked[line - 2]


def _knows(tree: ast.AST, package: str) -> bool:
    return any(isinstance(node, ast.Import) and package in (a.name for a in node.names) for node in ast.walk(tree))


def _path(node: ast.Attribute) -> str:
    """The names behind the module: module.A.B -> "A.B", self.module.A -> "A"; empty for other attributes."""
    parts = list(_parts(node))[::-1]
    return ".".join(parts[parts.index(VARIABLE) + 1 :]) if VARIABLE in parts[:2] else ""


def _parts(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute):
        yield node.attr
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
