"""Parameter files: the YAML templates in config/ and the tables in the documentation, made from the classes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from edge_ai.core.params import Params, ParamSpec, specs


def template(node: str, classes: Mapping[str, type[Params]]) -> str:
    """A ROS parameter file with every parameter of a node at its default, described.

    Args:
        node: name of the node, in any namespace; no other node heeds the file.
        classes: parameter class by prefix ("" or "camera.").
    """
    lines = [
        f"# Parameters of {node}_node.",
        "# Made by `edge-ai params yaml`; the defaults stand in the code, a test compares.",
        f"/**/{node}:",
        "  ros__parameters:",
    ]
    for prefix, cls in classes.items():
        indent = "    "
        if prefix:
            lines.append(f"    {prefix.rstrip('.')}:")
            indent += "  "
        for spec in specs(cls):
            lines += [indent + line for line in _entry(spec)]
    return "\n".join(lines) + "\n"


def table(cls: type[Params]) -> str:
    """The parameters as a Markdown table."""
    rows = ["| parameter | type | default | unit | allowed | live | what it does |", "|---|---|---|---|---|---|---|"]
    for spec in specs(cls):
        cells = [
            f"`{spec.name}`",
            spec.type,
            f"`{_scalar(spec.default)}`",
            spec.unit,
            spec.range.replace("|", "or"),
            "yes" if spec.live else "",
            spec.description,
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def _entry(spec: ParamSpec) -> list[str]:
    notes = [spec.type, spec.unit, spec.range, "may change while active" * spec.live]
    words = f"{spec.description} ({', '.join(note for note in notes if note)})"
    return ["# " + line for line in textwrap.wrap(words, 110)] + [f"{spec.name}: {_scalar(spec.default)}"]


def _scalar(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")
