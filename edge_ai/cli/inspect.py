"""edge-ai inspect: what a model is, what it costs, and which engines take it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from edge_ai.cli.arguments import image_size_of
from edge_ai.cli.workshop import workshop_main

if TYPE_CHECKING:
    from edge_ai.optimization.inspection.inspection import Inspection
    from edge_ai.optimization.inspection.support import Support

_NODES = 3  # named of each refused operator


class InspectCommand:
    """Looks into an ONNX model without running it."""

    summary = "what a model takes and gives, what it costs, and which of its operators an engine refuses"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("model", type=Path, help="ONNX file or model card")
        parser.add_argument("--size", type=image_size_of, metavar="WxH", help="of the image, where it is left open")
        parser.add_argument("--json", action="store_true", help="as JSON")

    @workshop_main
    def main(self, options: argparse.Namespace) -> int:
        from dataclasses import asdict

        from edge_ai.optimization.inspection.inspection import inspect

        found = inspect(options.model, options.size)
        print(json.dumps(asdict(found), indent=2, default=str, allow_nan=False) if options.json else _text(found))
        return 0


def _text(found: Inspection) -> str:
    used = {"", *(name.partition(":")[0] for name in found.operators if ":" in name)}
    opsets = ", ".join(f"{domain} {version}".strip() for domain, version in found.opsets.items() if domain in used)
    made = f", made by {found.producer}" if found.producer else ""
    lines = [f"{found.path}: {_short(found.bytes)}B, opset {opsets}, IR {found.ir}{made}"]
    for side, ports in (("input", found.inputs), ("output", found.outputs)):
        for port in ports:
            lines.append(f"  {side} {port.name}: {port.dtype} [{', '.join(map(str, port.shape))}]")
    at = f" at {found.size[0]}x{found.size[1]}" if found.size and found.size != (1, 1) else ""
    if found.flops is not None:
        lines.append(f"  operations: {_short(found.flops)}{at}, a multiply-accumulate counting 2")
    lines.append(f"  weights: {_short(found.parameters)}, {_short(found.weight_bytes)}B")
    if found.peak_activation_bytes is not None:
        lines.append(f"  activations: about {_short(found.peak_activation_bytes)}B at most{at}")
    lines.append(f"  operators: {', '.join(f'{count} {name}' for name, count in found.operators.items())}")
    for support in found.support:
        lines += _support(support)
    return "\n".join(lines + [f"  note: {note}" for note in found.notes])


def _support(support: Support) -> list[str]:
    word = {True: "takes it", False: "refuses it", None: "not asked"}[support.takes]
    lines = [f"  {support.engine}: {word}, says {support.asked}"]
    for one in support.refused:
        names = ", ".join(one.nodes[:_NODES]) + (f" and {len(one.nodes) - _NODES} more" if one.nodes[_NODES:] else "")
        where = f" at {names}" if names else ""
        lines.append(f"    {one.operator or 'the model'}{where}: {one.why}")
    return lines


def _short(value: float) -> str:
    """With the letter of its power of ten."""
    step, letter = next(((s, c) for s, c in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= s), (1.0, ""))
    return f"{value / step:.3g} {letter}"
