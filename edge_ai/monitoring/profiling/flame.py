"""A flame graph as one page that needs nothing else: it opens from a USB stick on a machine without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from edge_ai.monitoring.profiling.bottlenecks import Bottleneck
from edge_ai.monitoring.profiling.flame_tree import flame_tree
from edge_ai.monitoring.profiling.stacks import Stacks


def flame_page(stacks: Stacks, title: str, worst: Sequence[Bottleneck] = ()) -> str:
    """The page, an HTML document: functions below what called them, as wide as the processor time they took.

    A click makes a function as wide as the page, Escape goes back, and the search adds up what it finds.

    Args:
        stacks: what sampling gave.
        title: of the page.
        worst: functions to list above the graph.
    """
    parts = {
        "TITLE": escape(title),
        "FACTS": "".join(f"<p>{escape(line)}</p>" for line in facts(stacks)),
        "TABLE": _table(worst),
        # "</" would end the element in the middle of a function's name.
        "TREE": json.dumps(flame_tree(stacks.weights, "all threads"), separators=(",", ":")).replace("</", "<\\/"),
    }
    page = files(__package__).joinpath("flame.html").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: parts[match.group(1)], page)


def facts(stacks: Stacks) -> list[str]:
    """How it was measured, in words."""
    cores = stacks.busy / max(stacks.seconds, 1e-9)
    threads = f", {stacks.threads} Python threads" if stacks.threads else ""
    return [
        f"{stacks.busy:.2f} s of processor time in {stacks.seconds:.1f} s ({cores:.2f} cores){threads}; "
        f"{stacks.samples} samples by the {stacks.sampler} sampler, which took "
        f"{_share(stacks.own, stacks.seconds)} of a core",
        *stacks.notes,
    ]


def _share(part: float, whole: float) -> str:
    return f"{100 * part / max(whole, 1e-9):.1f} %"


def _table(worst: Sequence[Bottleneck]) -> str:
    rows = "".join(
        f'<tr><td>{escape(one.name)}</td><td class="number">{one.seconds:.3f} s</td>'
        f'<td class="number">{one.share:.0%}</td>'
        f'<td><span class="bar" style="width:{one.share * 12:.2f}rem"></span></td></tr>'
        for one in worst
    )
    return f"<table>{rows}</table>" if rows else ""
